package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.MasterTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;

/** What a table must be, for triggers to see each write of it and to send it under a key of its own. Belongs to its thread. */
final class CapturableTable {

    /** Parameters: table, key, table, whether the index may leave rows out. */
    private static final String KEY = """
            with key as (
                select a.attnum, a.attname, a.attnotnull or t.typnotnull as never_null
                from pg_attribute a join pg_type t on t.oid = a.atttypid
                where a.attrelid = ?::regclass and a.attname = any (?))
            select (select attname from key where not never_null order by attnum limit 1),
                exists (select from pg_index
                    where indrelid = ?::regclass and indisunique and indisvalid and indimmediate and (indpred is null or ?)
                    and (indkey::int2[])[0:indnkeyatts - 1] <@ array(select attnum from key))""";

    private final Connection connection;
    private final TableModel model;
    private final MasterTable declared;

    CapturableTable(Connection connection, TableModel model) {
        this.connection = connection;
        this.model = model;
        this.declared = model.declared();
    }

    /**
     * Makes sure that it is so.
     *
     * @throws CqrsConfigurationException if it is not, naming the table and the way out
     */
    void require() throws SQLException {
        // A row that moves between partitions is no update to any trigger of the whole table.
        if (model.partitioned()) {
            throw wrong("is partitioned, which triggers can't capture: capture it by Hibernate");
        }
        requireAlone();
        requireMicroseconds();
        requireKey();
    }

    /** What is written through a parent fires the row triggers of its children, but not those for statements. */
    private void requireAlone() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                select coalesce((select 'inherits from ' || inhparent::regclass from pg_inherits
                        where inhrelid = ?::regclass limit 1),
                    (select 'has the child ' || inhrelid::regclass from pg_inherits
                        where inhparent = ?::regclass limit 1))""")) {
            statement.setString(1, model.table().sql());
            statement.setString(2, model.table().sql());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (row.getString(1) != null) {
                    throw wrong(
                            row.getString(1)
                                    + ", and a write through the one is none to the triggers of the other: capture it by Hibernate");
                }
            }
        }
    }

    /** Two changes within what the column rounds away would be one: the second would not be sent. */
    private void requireMicroseconds() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                select format_type(atttypid, atttypmod) from pg_attribute
                where attrelid = ?::regclass and attname = ? and atttypmod between 0 and 5""")) {
            statement.setString(1, model.table().sql());
            statement.setString(2, declared.updated());
            try (ResultSet row = statement.executeQuery()) {
                if (row.next()) {
                    throw wrong(
                            "has a column " + declared.updated() + " of type " + row.getString(1) + ", which rounds",
                            "alter " + TableName.quote(declared.updated()) + " type timestamptz");
                }
            }
        }
    }

    /**
     * Two rows of one key would be one row to replicas, if only until a deferred check, and a row without a key none. A filter
     * may see to it that only rows are sent which have one, and one of their own.
     */
    private void requireKey() throws SQLException {
        List<String> key = model.key().stream().map(TableColumn::name).toList();
        try (PreparedStatement statement = connection.prepareStatement(KEY)) {
            statement.setString(1, model.table().sql());
            statement.setArray(2, connection.createArrayOf("text", key.toArray()));
            statement.setString(3, model.table().sql());
            statement.setBoolean(4, declared.filter() != null);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (row.getString(1) != null && declared.filter() == null) {
                    throw wrong(
                            "has " + row.getString(1) + " in its key, which may be null",
                            "alter " + TableName.quote(row.getString(1)) + " set not null");
                }
                if (!row.getBoolean(2)) {
                    throw wrong(
                            "may have several rows of one key " + key
                                    + ", with no unique index that is checked at once",
                            "add unique "
                                    + key.stream().map(TableName::quote).collect(Collectors.joining(", ", "(", ")")));
                }
            }
        }
    }

    /**
     * Makes sure that a filter is a condition on the table's rows.
     *
     * @param sql a statement that needs it to be
     * @throws CqrsConfigurationException if it is none
     */
    void requireFilter(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            if (declared.filter() == null) {
                throw e;
            }
            throw new CqrsConfigurationException(
                    "master " + declared.cqrsId() + ": the filter \"" + declared.filter()
                            + "\" is no condition on table " + declared.table() + ": " + e.getMessage(),
                    e);
        }
    }

    private CqrsConfigurationException wrong(String what, String alteration) {
        return wrong(what + ": alter table " + declared.table().sql() + " " + alteration
                + " (by `cqrs capture alter` where triggers are installed)");
    }

    private CqrsConfigurationException wrong(String what) {
        return TableModel.wrong(declared, what);
    }
}
