package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** The last messages of a transaction, to be written by the statement that commits it. Belongs to one thread. */
public final class LastWrite {

    private final JdbcOutbox outbox;
    private final PreparedStatement prepared;

    LastWrite(JdbcOutbox outbox, PreparedStatement prepared) {
        this.outbox = outbox;
        this.prepared = prepared;
    }

    /**
     * Writes, and commits the transaction.
     *
     * @throws OutboxException if the outbox can't be written: the transaction is still to be rolled back
     * @throws SQLException if the transaction can't be committed, as by a constraint that was deferred, or the connection
     *     is lost
     */
    public void commit() throws SQLException {
        try (PreparedStatement statement = prepared) {
            statement.execute();
        } catch (SQLException e) {
            if (SqlStates.isContention(e) || SqlStates.isUnavailable(e) || SqlStates.isViolation(e)) {
                throw e;
            }
            throw outbox.failure(e);
        }
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
