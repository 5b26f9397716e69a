package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.replica.ReplicaDefinition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Matches replica definitions with the tables that the database has. */
final class Catalogue {

    private final Connection connection;

    Catalogue(Connection connection) {
        this.connection = connection;
    }

    /**
     * Reads a definition's table.
     *
     * @throws CqrsConfigurationException if the table or a needed column is missing
     */
    ReplicaTable read(ReplicaDefinition definition) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CatalogueSql.TABLE)) {
            statement.setString(1, definition.table());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    throw wrong(definition, "does not exist: create it, or correct the name");
                }
                TableName name = new TableName(row.getString("nspname"), row.getString("relname"));
                return read(definition, row.getLong("oid"), name);
            }
        }
    }

    private ReplicaTable read(ReplicaDefinition definition, long oid, TableName name) throws SQLException {
        // First: what is altered after it shows as altered.
        Long shape = new TableShapes(connection).read(List.of(oid)).get(oid);
        if (shape == null) {
            throw wrong(definition, "does not exist: create it, or correct the name");
        }
        TableColumns found = columns(oid);
        requireDeclared(definition, found);
        Map<String, String> fields = new HashMap<>();
        definition.fields().forEach((column, field) -> fields.put(found.resolve(column), field));
        List<ReplicaColumn> key = new ArrayList<>();
        List<ReplicaColumn> columns = new ArrayList<>();
        for (CatalogueColumn column : found.inKeyOrder()) {
            boolean mapped = definition.wholeTable() || fields.containsKey(column.name());
            ReplicaColumn target = column.filledFrom(fields.getOrDefault(column.name(), column.name()));
            if (column.keyPosition() > 0) {
                key.add(target);
            } else if (mapped && !column.isStamp() && !column.generated()) {
                columns.add(target);
            }
        }
        if (key.isEmpty()) {
            throw wrong(definition, "has no primary key: add one on the master's key");
        }
        orderKey(definition, found, key);
        return new ReplicaTable(
                definition.cqrsId(), oid, shape, name, key, columns, definition.order(), isAtOnce(oid), parents(oid));
    }

    private static void orderKey(ReplicaDefinition definition, TableColumns found, List<ReplicaColumn> key) {
        if (definition.key().isEmpty()) {
            return;
        }
        List<String> declared = definition.key().stream().map(found::resolve).toList();
        Set<String> primary = key.stream().map(ReplicaColumn::name).collect(Collectors.toSet());
        if (!primary.equals(Set.copyOf(declared)) || declared.size() != key.size()) {
            throw wrong(definition, "has the primary key " + primary + ", not " + declared + ": make them the same");
        }
        key.sort(Comparator.comparingInt(column -> declared.indexOf(column.name())));
    }

    private static void requireDeclared(ReplicaDefinition definition, TableColumns found) {
        for (String needed : List.of(ReplicaTable.REVISION, ReplicaTable.UPDATED)) {
            if (!found.has(needed)) {
                throw wrong(
                        definition,
                        "has no column " + needed
                                + ": alter table ... add cqrs_revision bigint, add cqrs_updated timestamptz");
            }
        }
        if (!found.get(ReplicaTable.UPDATED).type().equals("timestamptz")) {
            throw wrong(definition, "has a column cqrs_updated that is no timestamptz");
        }
        if (!Set.of("int2", "int4", "int8")
                .contains(found.get(ReplicaTable.REVISION).type())) {
            throw wrong(definition, "has a column cqrs_revision that is no bigint");
        }
        for (String column : definition.fields().keySet()) {
            if (!found.has(column)) {
                throw wrong(definition, "has no column " + column + ": add it, or take it out of the declaration");
            }
        }
    }

    private TableColumns columns(long oid) throws SQLException {
        TableColumns columns = new TableColumns(new ArrayList<>());
        try (PreparedStatement statement = connection.prepareStatement(CatalogueSql.COLUMNS)) {
            statement.setLong(1, oid);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.all.add(new CatalogueColumn(
                            row.getString("attname"),
                            row.getString("typname"),
                            row.getString("declared"),
                            row.getString("exact"),
                            row.getBoolean("attnotnull"),
                            row.getBoolean("has_default"),
                            row.getBoolean("generated"),
                            row.getInt("key_position")));
                }
            }
        }
        return columns;
    }

    private boolean isAtOnce(long oid) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CatalogueSql.IS_AT_ONCE)) {
            statement.setLong(1, oid);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    private Set<Long> parents(long oid) throws SQLException {
        Set<Long> parents = new HashSet<>();
        try (PreparedStatement statement = connection.prepareStatement(CatalogueSql.PARENTS)) {
            statement.setLong(1, oid);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    parents.add(row.getLong(1));
                }
            }
        }
        return parents;
    }

    private static CqrsConfigurationException wrong(ReplicaDefinition definition, String what) {
        return new CqrsConfigurationException(
                "replica " + definition.cqrsId() + ": table " + definition.table() + " " + what);
    }

    private record CatalogueColumn(
            String name,
            String type,
            String declared,
            String exact,
            boolean notNull,
            boolean hasDefault,
            boolean generated,
            int keyPosition) {

        boolean isStamp() {
            return name.equals(ReplicaTable.REVISION) || name.equals(ReplicaTable.UPDATED);
        }

        ReplicaColumn filledFrom(String field) {
            return new ReplicaColumn(name, field, type, declared, exact, notNull, notNull && !hasDefault);
        }
    }

    /** The table's columns; a name that is not there as written is tried in lower case, as SQL folds it. */
    private record TableColumns(List<CatalogueColumn> all) {

        boolean has(String name) {
            return all.stream().anyMatch(column -> column.name().equals(name))
                    || all.stream().anyMatch(column -> column.name().equals(name.toLowerCase(Locale.ROOT)));
        }

        String resolve(String name) {
            boolean exact = all.stream().anyMatch(column -> column.name().equals(name));
            return exact ? name : name.toLowerCase(Locale.ROOT);
        }

        CatalogueColumn get(String name) {
            return all.stream()
                    .filter(column -> column.name().equals(name))
                    .findFirst()
                    .orElseThrow();
        }

        List<CatalogueColumn> inKeyOrder() {
            return all.stream()
                    .sorted(Comparator.comparingInt(CatalogueColumn::keyPosition))
                    .toList();
        }
    }
}
