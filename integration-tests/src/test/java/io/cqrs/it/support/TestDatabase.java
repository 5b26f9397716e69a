package io.cqrs.it.support;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** A database of one test. */
public record TestDatabase(String url, DataSource dataSource) {

    public void execute(String sql) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql + ": " + e.getMessage(), e);
        }
    }

    /** Returns the rows, each as the text of its columns joined by a bar, null as "null". */
    public List<String> rows(String sql, Object... parameters) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            List<String> rows = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                int columns = row.getMetaData().getColumnCount();
                while (row.next()) {
                    List<String> values = new ArrayList<>();
                    for (int i = 1; i <= columns; i++) {
                        values.add(row.getString(i));
                    }
                    rows.add(String.join(
                            "|", values.stream().map(String::valueOf).toList()));
                }
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(sql + ": " + e.getMessage(), e);
        }
    }

    /** Empties all tables, for tests that share a database. */
    public void empty() {
        execute("truncate "
                + rows("select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables"
                                + " where schemaname in ('public', 'cqrs') and tablename not like 'flyway%'")
                        .get(0));
    }

    /** Has something done while the outbox is not there. */
    public void withoutOutbox(Runnable work) {
        execute("alter table cqrs.outbox rename to hidden");
        try {
            work.run();
        } finally {
            execute("alter table cqrs.hidden rename to outbox");
        }
    }

    /** Returns how many sessions wait for a lock. */
    public long waiting() {
        return count("pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    }

    public long count(String table) {
        return Long.parseLong(rows("select count(*) from " + table).get(0));
    }
}
