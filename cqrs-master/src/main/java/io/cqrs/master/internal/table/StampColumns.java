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

/** Adds the columns of revision and time to tables that existed before. Stateless. */
public final class StampColumns {

    private static final String COUNT = """
            select count(*), to_regclass(?) is not null from pg_attribute
            where attrelid = to_regclass(?) and attname in (?, ?) and not attisdropped""";

    private StampColumns() {}

    /** Returns the statement. A default that does not vary by row needs no rewrite of the table. */
    public static String sql(TableName table) {
        return "alter table " + table.sql() + " add column if not exists " + MasterTable.REVISION
                + " bigint not null default 0, add column if not exists " + MasterTable.UPDATED
                + " timestamptz not null default now()";
    }

    /**
     * Adds what is missing.
     *
     * @return whether anything was
     * @throws CqrsConfigurationException if the table does not exist
     */
    public static boolean add(Connection connection, TableName table) throws SQLException {
        if (hasBoth(connection, table)) {
            return false;
        }
        return Transactions.run(connection, same -> {
            try (Statement statement = same.createStatement()) {
                statement.execute("set local lock_timeout = '10s'");
                statement.execute(sql(table));
            }
            return true;
        });
    }

    private static boolean hasBoth(Connection connection, TableName table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
            statement.setString(1, table.sql());
            statement.setString(2, table.sql());
            statement.setString(3, MasterTable.REVISION);
            statement.setString(4, MasterTable.UPDATED);
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
