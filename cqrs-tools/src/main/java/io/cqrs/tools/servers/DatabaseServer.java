package io.cqrs.tools.servers;

import io.cqrs.core.jdbc.TableName;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** A running PostgreSQL. Thread-safe. */
public final class DatabaseServer extends Server {

    private final String adminUrl;
    private final List<String> databases = Collections.synchronizedList(new ArrayList<>());

    DatabaseServer(String adminUrl, String description, ServerControl control) {
        super(description, control);
        this.adminUrl = Objects.requireNonNull(adminUrl, "adminUrl");
    }

    /** Somebody else's server: what is made on it is dropped at the end. */
    static DatabaseServer given(String url, Consumer<AutoCloseable> started) {
        DatabaseServer server = new DatabaseServer(url, "PostgreSQL from " + Servers.PG_URL, ServerControl.NOT_OURS);
        started.accept(server::dropDatabases);
        return server;
    }

    /**
     * Makes an empty database.
     *
     * @param purpose part of its name, as in {@code master}
     * @return its JDBC URL, with credentials
     * @throws ServerException if the server refuses
     */
    public String createDatabase(String purpose) {
        String name = "cqrs_" + purpose + "_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        execute("create database " + TableName.quote(name));
        databases.add(name);
        return urlOf(name);
    }

    private void dropDatabases() {
        for (String name : databases) {
            execute("drop database if exists " + TableName.quote(name) + " with (force)");
        }
        databases.clear();
    }

    private String urlOf(String database) {
        int question = adminUrl.indexOf('?');
        String base = question < 0 ? adminUrl : adminUrl.substring(0, question);
        String parameters = question < 0 ? "" : adminUrl.substring(question);
        return base.substring(0, base.lastIndexOf('/') + 1) + database + parameters;
    }

    private void execute(String sql) {
        try (Connection connection = DriverManager.getConnection(adminUrl);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new ServerException(description() + " refuses \"" + sql + "\": " + e.getMessage(), e);
        }
    }
}
