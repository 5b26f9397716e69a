package io.cqrs.master.hibernate.model;

import io.cqrs.core.OutboxException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** How many digits columns keep, as the catalogue has it. Thread-safe. */
public final class ColumnDigits {

    /** The scale of a numeric has 11 bits and a sign (PostgreSQL, numeric.c). */
    private static final String COLUMNS = """
            select a.attname, case t.typname when 'numeric' then (((a.atttypmod - 4) & 2047) # 1024) - 1024
                else a.atttypmod end
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = to_regclass(?) and a.attnum > 0 and not a.attisdropped and a.atttypmod >= 0
                and t.typname in ('numeric', 'timestamp', 'timestamptz', 'time', 'timetz')""";

    private final Map<String, Map<String, Integer>> tables = new ConcurrentHashMap<>();

    /** Returns what is known of a column, or null where it keeps all, or is of no such type. */
    @Nullable
    Integer known(Column column, Connection connection) {
        Map<String, Integer> columns = tables.get(column.table());
        return columns == null ? now(column, connection) : columns.get(column.name());
    }

    /** Asks the catalogue. */
    @Nullable
    Integer now(Column column, Connection connection) {
        Map<String, Integer> columns = read(column.table(), connection);
        tables.put(column.table(), columns);
        return columns.get(column.name());
    }

    private static Map<String, Integer> read(String table, Connection connection) {
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, table);
            Map<String, Integer> columns = new HashMap<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.put(row.getString(1), row.getInt(2));
                }
            }
            return Map.copyOf(columns);
        } catch (SQLException e) {
            throw new OutboxException("the columns of " + table + " could not be read: " + e.getMessage(), e);
        }
    }
}
