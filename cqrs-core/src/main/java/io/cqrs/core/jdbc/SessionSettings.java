package io.cqrs.core.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Settings of a database session for as long as it is ours: closing puts back what was set before, since the connection
 * may belong to a pool. Belongs to the connection's thread.
 */
public final class SessionSettings implements AutoCloseable {

    private static final Map<String, String> NOTICE_LOST_CLIENT = Map.of(
            "tcp_keepalives_idle", "5",
            "tcp_keepalives_interval", "5",
            "tcp_keepalives_count", "3",
            "tcp_user_timeout", "20s");

    private static final String CHANGE = "select coalesce(current_setting(?, true), ''), set_config(?, ?, false)";

    private final Connection connection;
    private final boolean autoCommit;
    private final int isolation;
    private final int networkTimeout;
    private final Map<String, String> before = new LinkedHashMap<>();

    private SessionSettings(Connection connection) throws SQLException {
        this.connection = connection;
        this.autoCommit = connection.getAutoCommit();
        this.isolation = connection.getTransactionIsolation();
        this.networkTimeout = connection.getNetworkTimeout();
    }

    /**
     * Sets autocommit, READ COMMITTED and these settings.
     *
     * @param settings values by name, as in {@code timezone} and {@code UTC}
     * @throws SQLException if the database refuses one; those set before it are put back
     */
    public static SessionSettings set(Connection connection, Map<String, String> settings) throws SQLException {
        SessionSettings session = new SessionSettings(connection);
        return session.begin(settings, session.networkTimeout);
    }

    /**
     * The same for a session that lasts, for a broken network says nothing: the connection is given up when the server has
     * not answered for so long, and the server notices within half a minute that our host is gone while it waits for
     * us, or what the session holds would stay locked for hours.
     *
     * @param answerWithin longer than any statement takes
     * @throws SQLException if the database refuses a setting; those set before it are put back
     */
    public static SessionSettings set(Connection connection, Map<String, String> settings, Duration answerWithin)
            throws SQLException {
        Map<String, String> all = new LinkedHashMap<>(NOTICE_LOST_CLIENT);
        all.putAll(settings);
        return new SessionSettings(connection).begin(all, (int) Math.min(Integer.MAX_VALUE, answerWithin.toMillis()));
    }

    private SessionSettings begin(Map<String, String> settings, int timeoutMillis) throws SQLException {
        try {
            connection.setNetworkTimeout(Runnable::run, timeoutMillis);
            connection.setAutoCommit(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            for (Map.Entry<String, String> setting : settings.entrySet()) {
                before.put(setting.getKey(), change(setting.getKey(), setting.getValue()));
            }
            return this;
        } catch (SQLException e) {
            closeAfter(e);
            throw e;
        }
    }

    @Override
    public void close() throws SQLException {
        if (connection.isClosed()) {
            return;
        }
        if (!connection.getAutoCommit()) {
            connection.rollback();
            connection.setAutoCommit(true);
        }
        for (Map.Entry<String, String> setting : before.entrySet()) {
            String unused = change(setting.getKey(), setting.getValue());
        }
        connection.setTransactionIsolation(isolation);
        connection.setAutoCommit(autoCommit);
        connection.setNetworkTimeout(Runnable::run, networkTimeout);
    }

    private void closeAfter(SQLException cause) {
        try {
            close();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    private String change(String name, String value) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CHANGE)) {
            statement.setString(1, name);
            statement.setString(2, name);
            statement.setString(3, value);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }
}
