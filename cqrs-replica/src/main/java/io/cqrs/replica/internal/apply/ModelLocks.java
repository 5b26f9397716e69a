package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * The advisory locks of the models, which transactions hold to their end: shared by all that apply changes, exclusive for
 * what nobody else's changes may fall into. Belongs to one connection.
 */
final class ModelLocks {

    private static final String EXCLUSIVE = "select pg_advisory_xact_lock(?, ?)";
    private static final String SHARED = "select pg_advisory_xact_lock_shared(?, ?)";

    private static final String SHARERS = """
            select virtualtransaction from pg_locks
            where locktype = 'advisory' and mode = 'ShareLock' and granted and objsubid = 2
                and database = (select oid from pg_database where datname = current_database())
                and classid::int8 = ? and objid::int8 = any(?) and pid <> pg_backend_pid()""";

    private static final long LIMIT_NANOS = Duration.ofSeconds(5).toNanos();
    private static final long MILLISECOND = 1_000_000;
    private static final int LONGEST_PAUSE = 20;

    private final Connection connection;

    ModelLocks(Connection connection) {
        this.connection = connection;
    }

    /** Locks a model until the transaction ends; a timeout counts as contention, by which nobody's attempts are spent. */
    void lock(CqrsId cqrsId, boolean exclusive) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(exclusive ? EXCLUSIVE : SHARED)) {
            statement.setInt(1, SessionSql.SPACE);
            statement.setInt(2, cqrsId.value().hashCode());
            SessionSql.lock(statement);
        }
    }

    /** Returns the transactions of others that hold one of these models now. */
    Set<String> sharers(Collection<CqrsId> models) throws SQLException {
        Long[] hashes = models.stream()
                .map(cqrsId -> Integer.toUnsignedLong(cqrsId.value().hashCode()))
                .toArray(Long[]::new);
        Set<String> transactions = new LinkedHashSet<>();
        try (PreparedStatement statement = connection.prepareStatement(SHARERS)) {
            Array array = connection.createArrayOf("int8", hashes);
            statement.setLong(1, SessionSql.SPACE);
            statement.setArray(2, array);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    transactions.add(row.getString(1));
                }
            }
        }
        return transactions;
    }

    /**
     * Waits until these transactions have ended. Holds nothing meanwhile, so nobody waits for the one who waits.
     *
     * @throws UnsweptException if they take over five seconds, or the thread is interrupted
     */
    void awaitEnd(Collection<CqrsId> models, Set<String> transactions) throws SQLException {
        long start = System.nanoTime();
        Set<String> left = new LinkedHashSet<>(transactions);
        for (int pause = 1; !left.isEmpty(); pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            left.retainAll(sharers(models));
            if (!left.isEmpty()) {
                if (Thread.currentThread().isInterrupted() || System.nanoTime() - start > LIMIT_NANOS) {
                    throw new UnsweptException("transactions that save " + models + " do not end: " + left);
                }
                LockSupport.parkNanos(pause * MILLISECOND);
            }
        }
    }
}
