package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PgConnection;

/** The last messages of a transaction, to be written by the statement that commits it. Belongs to one thread. */
public final class LastWrite {

    /** Its connections do nothing at a commit but take note of it (HikariCP, ProxyConnection). */
    private static final String PLAIN_POOL = "com.zaxxer.hikari.pool.";

    private final JdbcOutbox outbox;
    private final Connection connection;
    private final List<OutboxMessage> messages;
    private final PreparedStatement prepared;

    LastWrite(JdbcOutbox outbox, Connection connection, List<OutboxMessage> messages, PreparedStatement prepared) {
        this.outbox = outbox;
        this.connection = connection;
        this.messages = messages;
        this.prepared = prepared;
    }

    /**
     * Says whether a statement may commit a connection's transaction: only where nobody stands between it and the driver who
     * could mean to do something at a commit, or to refuse it, and where the driver has no savepoints of its own to release.
     *
     * @throws OutboxException if the connection can't be asked
     */
    public static boolean suits(Connection connection) {
        try {
            boolean pooled = connection.getClass().getName().startsWith(PLAIN_POOL);
            Connection inner = pooled ? connection.unwrap(Connection.class) : connection;
            return inner.getClass() == PgConnection.class && ((PgConnection) inner).getAutosave() == AutoSave.NEVER;
        } catch (SQLException e) {
            throw new OutboxException("the connection could not be looked at: " + e.getMessage(), e);
        }
    }

    /**
     * Writes, and commits the transaction, in one round trip. Whatever it throws, the transaction is still to be rolled back.
     *
     * @throws OutboxException if the outbox can't be written
     * @throws SQLException if the transaction can't be committed, as by a constraint that was deferred, or the connection
     *     is lost
     */
    public void commit() throws SQLException {
        try (PreparedStatement statement = prepared) {
            boolean unused = statement.execute();
        } catch (SQLException e) {
            if (SqlStates.isMissingOrForbidden(e)) {
                throw outbox.failure(e);
            }
            throw e;
        }
    }

    /**
     * Writes, and commits nothing: something else is to be written behind it.
     *
     * @throws OutboxException if the outbox can't be written
     */
    public void writeNow() {
        discard();
        outbox.writeCaptured(connection, messages);
    }

    /** Writes nothing. */
    public void discard() {
        try {
            prepared.close();
        } catch (SQLException e) {
            throw outbox.failure(e);
        }
    }
}
