package io.cqrs.benchmarks;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.tools.servers.Servers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** What is done to databases beside what is measured. */
final class Databases {

    private Databases() {}

    /** Makes a database with the framework's schema, and returns its URL. */
    static String create(Servers servers, String purpose) {
        String url = servers.database().createDatabase(purpose);
        int unused = CqrsSchema.standard().migrate(UrlDataSource.of(url, null, null));
        return url;
    }

    static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Makes table {@code item} anew, and forgets what was deleted from it; writes back what earlier rounds left. */
    static void empty(String url, String table) throws SQLException {
        execute(url, "drop table if exists item; " + table + "; truncate cqrs.tombstone; checkpoint");
    }

    /** Asks the server: one that was given by URL may be set otherwise than ours. */
    static String durability(String url) {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select current_setting('server_version'), current_setting('fsync'),"
                                + " current_setting('synchronous_commit')")) {
            row.next();
            return "PostgreSQL " + row.getString(1) + ", fsync " + row.getString(2) + ", synchronous_commit "
                    + row.getString(3);
        } catch (SQLException e) {
            throw new IllegalStateException("the database does not say how durable it is", e);
        }
    }
}
