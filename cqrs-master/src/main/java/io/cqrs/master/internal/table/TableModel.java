package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.rows.ComparedColumn;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.FilterSql;
import io.cqrs.core.rows.KeyArrays;
import io.cqrs.master.MasterTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A declared table as the catalogue knows it. Immutable.
 *
 * @param declared the declaration
 * @param table the table with its schema
 * @param partitioned whether its partitions hold the rows
 * @param key the key's columns, in the order of the parts on the wire
 * @param fields the columns to send by their names on the wire, without revision and time
 * @param columns all columns
 * @param written those that are not generated
 */
record TableModel(
        MasterTable declared,
        TableName table,
        boolean partitioned,
        List<TableColumn> key,
        Map<String, TableColumn> fields,
        List<String> columns,
        List<String> written) {

    private static final Set<String> INTEGERS = Set.of("int2", "int4", "int8");

    private static final String TABLE = """
            select n.nspname, c.relname, c.oid, c.relkind = 'p' as partitioned
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.oid = to_regclass(?) and c.relkind in ('r', 'p')""";

    private static final String COLUMNS = """
            select a.attname, coalesce(b.typname, t.typname) as type,
                -- Qualified, where the search path might not find it.
                case when n.nspname = 'pg_catalog' then format_type(coalesce(b.oid, t.oid), -1)
                    else quote_ident(n.nspname) || '.' || quote_ident(coalesce(b.typname, t.typname)) end as declared,
                coalesce(array_position(k.conkey, a.attnum), 0) as key_position, a.attgenerated <> '' as generated
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            left join pg_type b on b.oid = t.typbasetype
            join pg_namespace n on n.oid = coalesce(b.typnamespace, t.typnamespace)
            left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
            where a.attrelid = ? and a.attnum > 0 and not a.attisdropped
            order by a.attnum""";

    /**
     * Matches a declaration with the database.
     *
     * @throws CqrsConfigurationException if the table or a column is missing, naming it and what to do
     */
    static TableModel read(Connection connection, MasterTable declared) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TABLE)) {
            statement.setString(1, declared.table().sql());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    throw wrong(declared, "does not exist: create it, or correct the name");
                }
                TableName name = new TableName(row.getString(1), row.getString(2));
                return of(declared, name, row.getBoolean(4), columns(connection, row.getLong(3)));
            }
        }
    }

    private static List<TableColumn> columns(Connection connection, long table) throws SQLException {
        List<TableColumn> columns = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setLong(1, table);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.add(new TableColumn(
                            row.getString(1), row.getString(2), row.getString(3), row.getInt(4), row.getBoolean(5)));
                }
            }
        }
        return columns;
    }

    private static TableModel of(
            MasterTable declared, TableName table, boolean partitioned, List<TableColumn> columns) {
        Map<String, TableColumn> byName = columns.stream()
                .collect(Collectors.toMap(TableColumn::name, column -> column, (a, b) -> a, LinkedHashMap::new));
        requireStamp(declared, byName);
        List<TableColumn> key = declared.key().isEmpty()
                ? columns.stream()
                        .filter(column -> column.keyPosition() > 0)
                        .sorted(Comparator.comparingInt(TableColumn::keyPosition))
                        .toList()
                : declared.key().stream()
                        .map(name -> require(declared, byName, name, "key"))
                        .toList();
        if (key.isEmpty()) {
            throw wrong(declared, "has no primary key: name the columns of a unique key");
        }
        Map<String, TableColumn> fields = new LinkedHashMap<>();
        Map<String, String> wanted = new LinkedHashMap<>(declared.fields());
        if (wanted.isEmpty()) {
            columns.forEach(column -> wanted.put(column.name(), column.name()));
        }
        wanted.forEach((column, name) -> {
            if (!column.equals(declared.revision()) && !column.equals(declared.updated())) {
                if (fields.put(name, require(declared, byName, column, "fields")) != null) {
                    throw wrong(declared, "has two fields called " + name + ": give one of them another name");
                }
            }
        });
        for (TableColumn part : key) {
            if (!fields.containsValue(part)) {
                throw wrong(declared, "has " + part.name() + " in its key but not among its fields: list it");
            }
        }
        for (String name : declared.tracked()) {
            TableColumn column = require(declared, byName, name, "tracked");
            if (!fields.containsValue(column)) {
                throw wrong(declared, "has " + name + " tracked but not sent: list it among the fields");
            }
            if (key.contains(column)) {
                throw wrong(
                        declared, "has " + name + " of its key tracked, which never changes: take it out of tracked");
            }
        }
        List<String> written = columns.stream()
                .filter(column -> !column.generated())
                .map(TableColumn::name)
                .toList();
        List<String> all = columns.stream().map(TableColumn::name).toList();
        return new TableModel(declared, table, partitioned, key, fields, all, written);
    }

    /** Returns the columns that a filter may name: by field, or as the table calls them, revision and time by their names on the wire. */
    Map<String, FilterSql.Column> filterable(String row) {
        Map<String, FilterSql.Column> columns = new HashMap<>();
        columns.put(MasterTable.REVISION, stamp(row, declared.revision(), "int8"));
        columns.put(MasterTable.UPDATED, stamp(row, declared.updated(), "timestamptz"));
        fields.values().forEach(one -> columns.put(one.name(), new FilterSql.Column(one.of(row), one.declared())));
        fields.forEach((field, one) -> columns.put(field, new FilterSql.Column(one.of(row), one.declared())));
        return columns;
    }

    private static FilterSql.Column stamp(String row, String column, String type) {
        return new FilterSql.Column(row + "." + TableName.quote(column), type);
    }

    /** Returns its keys as parameters. */
    KeyArrays keyArrays() {
        return new KeyArrays(key.stream().map(TableColumn::compared).toList());
    }

    /** Returns the table as comparisons see it. */
    ComparedTable compared() {
        Map<String, ComparedColumn> others = new LinkedHashMap<>();
        fields.forEach((field, column) -> {
            if (!key.contains(column)) {
                others.put(field, column.compared());
            }
        });
        return new ComparedTable(
                table,
                filter(),
                key.stream().map(TableColumn::compared).toList(),
                declared.revision(),
                declared.updated(),
                others);
    }

    /** Returns which rows are sent, as a condition. */
    String filter() {
        String filter = declared.filter();
        return filter == null ? "true" : filter;
    }

    private static void requireStamp(MasterTable declared, Map<String, TableColumn> columns) {
        String fix = ": run `cqrs migrate --entity " + declared.cqrsId() + "`, or alter table "
                + declared.table().sql()
                + " add " + TableName.quote(declared.revision()) + " bigint not null default 0, add "
                + TableName.quote(declared.updated()) + " timestamptz not null default now()";
        TableColumn revision = columns.get(declared.revision());
        if (revision == null || !INTEGERS.contains(revision.type())) {
            throw wrong(declared, "has no integer column " + declared.revision() + fix);
        }
        TableColumn updated = columns.get(declared.updated());
        if (updated == null || !updated.type().equals("timestamptz")) {
            throw wrong(declared, "has no timestamptz column " + declared.updated() + fix);
        }
    }

    private static TableColumn require(
            MasterTable declared, Map<String, TableColumn> columns, String name, String where) {
        TableColumn column = columns.get(name);
        if (column == null) {
            throw wrong(
                    declared,
                    "has no column " + name + ", which is named in " + where + ": correct it (it has "
                            + columns.keySet() + ")");
        }
        return column;
    }

    static CqrsConfigurationException wrong(MasterTable declared, String what) {
        return new CqrsConfigurationException(
                "master " + declared.cqrsId() + ": table " + declared.table() + " " + what);
    }
}
