package io.cqrs.core.jdbc;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Opens a new connection each time: for relays and workers, which keep theirs as long as they live. Thread-safe.
 */
public final class UrlDataSource implements DataSource {

    private final String url;
    private final Properties properties = new Properties();

    private UrlDataSource(String url, @Nullable String user, @Nullable String password) {
        this.url = Objects.requireNonNull(url, "url");
        if (user != null) {
            properties.setProperty("user", user);
        }
        if (password != null) {
            properties.setProperty("password", password);
        }
        // A server that vanished without a word is noticed by the kernel, not never.
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("loginTimeout", "30");
        properties.setProperty("ApplicationName", "cqrs");
    }

    /** Returns a source for this JDBC URL; user and password may be in the URL instead. */
    public static UrlDataSource of(String url, @Nullable String user, @Nullable String password) {
        return new UrlDataSource(url, user, password);
    }

    /**
     * Finds what a persistence unit connects with, among its properties: a {@link DataSource} it was given, or its URL,
     * user and password.
     *
     * @return null where the properties hold neither
     */
    public static @Nullable DataSource fromPersistenceProperties(Map<String, Object> properties) {
        for (String key : new String[] {
            "jakarta.persistence.nonJtaDataSource",
            "jakarta.persistence.jtaDataSource",
            "hibernate.connection.datasource"
        }) {
            if (properties.get(key) instanceof DataSource dataSource) {
                return dataSource;
            }
        }
        String url = first(properties, "jakarta.persistence.jdbc.url", "hibernate.connection.url");
        if (url == null) {
            return null;
        }
        return of(
                url,
                first(properties, "jakarta.persistence.jdbc.user", "hibernate.connection.username"),
                first(properties, "jakarta.persistence.jdbc.password", "hibernate.connection.password"));
    }

    private static @Nullable String first(Map<String, Object> properties, String key, String otherKey) {
        Object value = properties.containsKey(key) ? properties.get(key) : properties.get(otherKey);
        return value == null ? null : value.toString();
    }

    @Override
    public Connection getConnection() throws SQLException {
        // The driver quotes a URL that it can't read, and a URL may hold the password.
        if (DriverManager.drivers().noneMatch(this::accepts)) {
            throw new SQLException(
                    "the database's url is none that a driver here understands: write"
                            + " jdbc:postgresql://host:5432/database, special characters percent-encoded",
                    "08001");
        }
        return DriverManager.getConnection(url, properties);
    }

    private boolean accepts(Driver driver) {
        try {
            return driver.acceptsURL(url);
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return of(url, user, password).getConnection();
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException("no log writer");
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException("set loginTimeout in the URL");
    }

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("not a " + type.getName());
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}
