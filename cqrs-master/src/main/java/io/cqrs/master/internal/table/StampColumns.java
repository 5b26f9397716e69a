package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.master.MasterTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The columns of revision and time, for tables that existed before.
 *
 * @param table the table
 * @param revision the one's name
 * @param updated the other's
 */
public record StampColumns(TableName table, String revision, String updated) {

    private static final String COUNT = """
            select count(*), to_regclass(?) is not null from pg_attribute
            where attrelid = to_regclass(?) and attname in (?, ?) and not attisdropped""";

    /** Returns those that a master declares. */
    public static StampColumns of(MasterTable declared) {
        return new StampColumns(declared.table(), declared.revision(), declared.updated());
    }

    /** Returns those of a table that declares no others. */
    public static StampColumns of(TableName table) {
        return new StampColumns(table, MasterTable.REVISION, MasterTable.UPDATED);
    }

    /** Returns the statement. A default that does not vary by row needs no rewrite of the table. */
    public String sql() {
        return "alter table " + table.sql() + " add column if not exists " + name(revision)
                + " bigint not null default 0, add column if not exists " + name(updated)
                + " timestamptz not null default now()";
    }

    /** In quotes only where it may need them: people read it. */
    private static String name(String column) {
        return column.startsWith("cqrs_") && column.matches("[a-z_]+") ? column : TableName.quote(column);
    }

    /**
     * Adds what is missing.
     *
     * @return whether anything was
     * @throws CqrsConfigurationException if the table does not exist
     */
    public boolean add(Connection connection) throws SQLException {
        if (hasBoth(connection)) {
            return false;
        }
        return Transactions.run(connection, same -> {
            try (Statement statement = same.createStatement()) {
                statement.execute("set local lock_timeout = '10s'");
                statement.execute(sql());
            }
            return true;
        });
    }

    private boolean hasBoth(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
            statement.setString(1, table.sql());
            statement.setString(2, table.sql());
            statement.setString(3, revision);
            statement.setString(4, updated);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (!row.getBoolean(2)) {
                    throw new CqrsConfigurationException(
                            "table " + table + " does not exist: create it, or correct the name");
                }
                return row.getInt(1) == 2;
            }
        }
    }
}
