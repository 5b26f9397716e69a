package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.core.TransactionState;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PgConnection;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last messages of a transaction, to be written by the statement that commits it. Belongs to one thread. */
public final class LastWrite {

    private static final Logger LOG = LoggerFactory.getLogger(LastWrite.class);

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
     * could mean to do something at a commit, or to refuse it, and where the driver need not mend statements that fail
     * ({@code autosave}), which it does not for two in one.
     *
     * @throws OutboxException if the connection can't be asked
     */
    public static boolean suits(Connection connection) {
        try {
            boolean pooled = connection.getClass().getName().startsWith(PLAIN_POOL);
            Connection inner = pooled ? connection.unwrap(Connection.class) : connection;
            return inner.getClass() == PgConnection.class
                    && ((PgConnection) inner).getAutosave() == AutoSave.NEVER
                    && isOpen(inner);
        } catch (SQLException e) {
            throw new OutboxException("the connection could not be looked at: " + e.getMessage(), e);
        }
    }

    private static boolean isOpen(Connection connection) throws SQLException {
        return connection.unwrap(PgConnection.class).getTransactionState() != TransactionState.IDLE;
    }

    /**
     * Writes, and commits the transaction, in one round trip. Whatever it throws, the transaction is still to be rolled back.
     *
     * @throws OutboxException if the outbox is not there or may not be written, or the transaction was ended by somebody else
     * @throws SQLException if the database refuses anything else, as a commit by a constraint that was deferred, or is gone
     */
    public void commit() throws SQLException {
        try (PreparedStatement statement = prepared) {
            if (!isOpen(connection)) {
                throw new OutboxException(
                        "the transaction was ended on its connection, past Hibernate, before its changes could be sent: end it"
                                + " by its session alone",
                        null);
            }
            boolean unused = statement.execute();
        } catch (SQLException e) {
            if (isOfOutbox(e)) {
                throw outbox.failure(e);
            }
            throw e;
        }
    }

    /** What a function says, as that of a deferred trigger, comes with the place in it. */
    private static boolean isOfOutbox(SQLException error) {
        return SqlStates.isMissingOrForbidden(error)
                && error instanceof PSQLException known
                && known.getServerErrorMessage() != null
                && known.getServerErrorMessage().getWhere() == null;
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
            LOG.debug("a statement could not be closed, and ends with its connection", e);
        }
    }
}
