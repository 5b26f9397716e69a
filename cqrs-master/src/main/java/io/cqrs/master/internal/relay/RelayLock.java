package io.cqrs.master.internal.relay;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to relay an outbox: an advisory lock of a database session, which ends with the session at the latest.
 * Closing gives the connection back without it and as it was, since it may belong to a pool.
 */
final class RelayLock implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RelayLock.class);

    static final Duration ANSWER_WITHIN = Duration.ofMinutes(1);

    private final Connection connection;
    private final SessionSettings session;
    private final TableName outbox;
    private final int key;
    private boolean acquired;

    private RelayLock(Connection connection, SessionSettings session, CqrsSchema schema) {
        this.connection = connection;
        this.session = session;
        this.outbox = schema.outbox();
        this.key = key(schema);
    }

    /** Returns the second half of the lock's key. */
    static int key(CqrsSchema schema) {
        return ("relay of " + schema.name()).hashCode();
    }

    static RelayLock on(Connection connection, CqrsSchema schema) throws SQLException {
        SessionSettings session = SessionSettings.set(connection, OutboxSql.SESSION, ANSWER_WITHIN);
        return new RelayLock(connection, session, schema);
    }

    /**
     * Makes sure that there is something to relay, by which no change can be overlooked.
     *
     * @throws CqrsConfigurationException if the outbox does not exist, or not as it has to be
     */
    void requireOutbox() throws SQLException {
        CqrsSchema.require(connection, outbox);
        try (PreparedStatement statement = connection.prepareStatement(OutboxSql.BEGINS)) {
            statement.setString(1, outbox.sql());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    throw new CqrsConfigurationException("column xid of " + outbox + " has another default than"
                            + " pg_current_xact_id() or does not come before id, changes could be overlooked: run"
                            + " `cqrs migrate` on this database");
                }
            }
        }
    }

    boolean tryAcquire() throws SQLException {
        acquired = ask(OutboxSql.TRY_LOCK);
        return acquired;
    }

    @Override
    public void close() throws SQLException {
        try {
            if (acquired) {
                boolean unused = ask(OutboxSql.UNLOCK);
            }
            session.close();
        } catch (SQLException e) {
            // A session that may still hold the lock must not go back to a pool.
            LOG.debug("the relay's session is ended, its lock could not be given back", e);
            connection.abort(Runnable::run);
        }
    }

    private boolean ask(String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, OutboxSql.LOCK_SPACE);
            statement.setInt(2, key);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }
}
