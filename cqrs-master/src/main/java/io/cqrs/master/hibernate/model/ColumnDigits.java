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

/** How many digits columns keep, and which have times without a zone, as the catalogue has it. Thread-safe. */
public final class ColumnDigits {

    /** The scale of a numeric has 11 bits and a sign (PostgreSQL, numeric.c). */
    private static final String COLUMNS = """
            select a.attname, case when a.atttypmod < 0 then null
                when t.typname = 'numeric' then (((a.atttypmod - 4) & 2047) # 1024) - 1024
                else a.atttypmod end, t.typname = 'timestamp'
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = to_regclass(?) and a.attnum > 0 and not a.attisdropped
                and t.typname in ('numeric', 'timestamp', 'timestamptz', 'time', 'timetz')""";

    private final Map<String, Map<String, Kept>> tables = new ConcurrentHashMap<>();

    /** Returns what is known of a column's digits, or null where it keeps all, or is of no such type. */
    @Nullable
    Integer known(Column column, Connection connection) {
        return digits(columns(column, connection), column);
    }

    /** Asks the catalogue for a column's digits. */
    @Nullable
    Integer now(Column column, Connection connection) {
        return digits(readAnew(column, connection), column);
    }

    /** Says whether a column is known to have times without a zone. */
    boolean lacksZone(Column column, Connection connection) {
        Kept kept = columns(column, connection).get(column.name());
        return kept != null && kept.lacksZone();
    }

    private Map<String, Kept> columns(Column column, Connection connection) {
        Map<String, Kept> known = tables.get(column.table());
        return known == null ? readAnew(column, connection) : known;
    }

    private Map<String, Kept> readAnew(Column column, Connection connection) {
        Map<String, Kept> columns = read(column.table(), connection);
        tables.put(column.table(), columns);
        return columns;
    }

    private static @Nullable Integer digits(Map<String, Kept> columns, Column column) {
        Kept kept = columns.get(column.name());
        return kept == null ? null : kept.digits();
    }

    private static Map<String, Kept> read(String table, Connection connection) {
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, table);
            Map<String, Kept> columns = new HashMap<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.put(row.getString(1), new Kept(row.getObject(2, Integer.class), row.getBoolean(3)));
                }
            }
            return Map.copyOf(columns);
        } catch (SQLException e) {
            throw new OutboxException("the columns of " + table + " could not be read: " + e.getMessage(), e);
        }
    }

    /** What a column keeps of a value. */
    private record Kept(@Nullable Integer digits, boolean lacksZone) {}
}
