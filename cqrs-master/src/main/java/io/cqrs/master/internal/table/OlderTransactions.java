package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.lifecycle.Waiter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** The other transactions that a database has at one moment, with a number or without, as CREATE INDEX CONCURRENTLY sees them. */
final class OlderTransactions {

    private static final Duration POLL = Duration.ofMillis(100);

    private final Connection connection;

    OlderTransactions(Connection connection) {
        this.connection = connection;
    }

    /**
     * Waits until all those have ended that there are now.
     *
     * @throws CqrsConfigurationException if one lasts longer than the limit
     */
    void await(Duration limit) throws SQLException, InterruptedException {
        Waiter waiter = new Waiter();
        long start = System.nanoTime();
        Set<String> older = transactions();
        while (!older.isEmpty()) {
            if (System.nanoTime() - start > limit.toNanos()) {
                throw new CqrsConfigurationException("a transaction that began before lasts longer than " + limit
                        + ": end it and run uninstall again; until then triggers and Hibernate both capture");
            }
            boolean unused = waiter.await(POLL);
            older.retainAll(transactions());
        }
    }

    private Set<String> transactions() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        select l.virtualxid from pg_locks l join pg_stat_activity a on a.pid = l.pid
                        where l.locktype = 'virtualxid' and l.granted and a.datname = current_database()
                            and l.pid <> pg_backend_pid()""")) {
            Set<String> found = new HashSet<>();
            while (row.next()) {
                found.add(row.getString(1));
            }
            return found;
        }
    }
}
