package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.EntityKey;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.DatabaseClock;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.rows.ComparedColumn;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.FilterSql;
import io.cqrs.core.rows.KeyArrays;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.pipe.KeyTexts;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a replica's table has of keys and stamps. Belongs to one connection, which is in UTC. */
public final class ReplicaStates {

    private final Connection connection;
    private final ReplicaTable table;
    private final boolean hooked;
    private final KeyArrays keys;
    private final String name;

    private ReplicaStates(Connection connection, ReplicaTable table, boolean hooked) {
        this.connection = connection;
        this.hooked = hooked;
        this.table = table;
        this.keys = new KeyArrays(compared(table.key()));
        this.name = table.name().sql();
    }

    /**
     * Reads a replica's table from the catalogue.
     *
     * @throws CqrsConfigurationException if there is none, or it does not fit its declaration
     */
    public static ReplicaStates open(Connection connection, ReplicaDefinition definition) throws SQLException {
        if (definition.table() == null) {
            throw new CqrsConfigurationException(
                    "replica " + definition.cqrsId() + " has a handler and no table that could be compared");
        }
        return new ReplicaStates(connection, new Catalogue(connection).read(definition), definition.handler() != null);
    }

    private static List<ComparedColumn> compared(List<ReplicaColumn> columns) {
        return columns.stream().map(ReplicaStates::compared).toList();
    }

    private static ComparedColumn compared(ReplicaColumn column) {
        return new ComparedColumn(column.name(), column.type(), column.declared());
    }

    /** Returns the table as comparisons see it; what hooks write is their matter, and not compared. */
    public ComparedTable compared() {
        Map<String, ComparedColumn> fields = new LinkedHashMap<>();
        if (!hooked) {
            table.columns().forEach(column -> fields.put(column.field(), compared(column)));
        }
        return new ComparedTable(
                table.name(), "true", keys.columns(), ReplicaTable.REVISION, ReplicaTable.UPDATED, fields);
    }

    /** Returns the time of the database. */
    public Instant now() throws SQLException {
        return DatabaseClock.now(connection);
    }

    /** Returns those of these keys, by their place, that no row has, or one of another revision. */
    public List<Integer> different(List<List<String>> wanted, List<String> revisions) throws SQLException {
        List<Object> arrays = keys.arrays(wanted);
        arrays.add(revisions);
        String sql = """
                select k.ord from %s
                left join lateral (select n.cqrs_revision as rev from %s n where (%s) = (%s) offset 0) x on true
                where x.rev is distinct from k.rev::int8 order by k.ord""".formatted(keys.rows("rev"), name, keys.of("n"), keys.values());
        List<Integer> places = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            int unused = new FilterSql("", arrays).bind(statement, 1);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    places.add(row.getInt(1) - 1);
                }
            }
        }
        return places;
    }

    /**
     * Reads keys in their order.
     *
     * @param after the one before the first, or null for the beginning
     * @return as JSON values
     */
    public List<Object> keys(FieldFilter filter, @Nullable Object after, int limit) throws SQLException {
        FilterSql condition = FilterSql.of(table.cqrsId().value(), filterable(), filter);
        String sql = "select %s from %s n where (%s)%s order by %s limit ?"
                .formatted(
                        table.key().stream()
                                .map(part -> "n." + TableName.quote(part.name()) + "::text")
                                .collect(Collectors.joining(", ")),
                        name,
                        condition.condition(),
                        after == null ? "" : " and " + keys.behind("n"),
                        keys.of("n"));
        List<Object> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            int next = condition.bind(statement, 1);
            for (String part : after == null ? List.<String>of() : KeyTexts.of(after)) {
                statement.setString(next++, part);
            }
            statement.setInt(next, limit);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    List<Object> parts = new ArrayList<>();
                    for (int i = 0; i < keys.columns().size(); i++) {
                        parts.add(value(keys.columns().get(i), row.getString(i + 1)));
                    }
                    found.add(parts.size() == 1 ? parts.get(0) : parts);
                }
            }
        }
        return found;
    }

    private Map<String, FilterSql.Column> filterable() {
        Map<String, FilterSql.Column> columns = new HashMap<>();
        List<ReplicaColumn> all = new ArrayList<>(table.key());
        all.addAll(table.columns());
        for (ReplicaColumn one : all) {
            FilterSql.Column column = new FilterSql.Column("n." + TableName.quote(one.name()), one.declared());
            columns.put(one.name(), column);
            columns.put(one.field(), column);
        }
        return columns;
    }

    private static Object value(ComparedColumn column, String text) {
        return switch (column.kind()) {
            case "number" -> number(text);
            case "bool" -> text.equals("true");
            case "bytes" -> Base64.getEncoder().encodeToString(HexFormat.of().parseHex(text, 2, text.length()));
            default -> text;
        };
    }

    private static Object number(String text) {
        BigDecimal number = new BigDecimal(text).stripTrailingZeros();
        boolean isLong = number.scale() <= 0 && number.precision() - number.scale() < 19;
        return isLong ? (Object) number.longValueExact() : number;
    }

    /** Returns deletes of the rows with these keys, as they are, that are no newer than a time. */
    public List<Change> deletes(List<?> wanted, Instant upTo) throws SQLException {
        String sql = """
                select k.ord, n.cqrs_updated, n.cqrs_revision from %s join %s n on (%s) = (%s)
                where (n.cqrs_updated <= ?) is not false order by k.ord""".formatted(keys.rows(), name, keys.of("n"), keys.values());
        List<Change> deletes = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            int next = new FilterSql(
                            "", keys.arrays(wanted.stream().map(KeyTexts::of).toList()))
                    .bind(statement, 1);
            statement.setObject(next, OffsetDateTime.ofInstant(upTo, ZoneOffset.UTC));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    OffsetDateTime updated = row.getObject(2, OffsetDateTime.class);
                    Instant time = updated == null ? Instant.EPOCH : updated.toInstant();
                    Object key = wanted.get(row.getInt(1) - 1);
                    deletes.add(Change.of(
                            Signal.DELETE,
                            EntityKey.of(table.cqrsId(), key),
                            Stamp.of(time, row.getLong(3) + 1),
                            Map.of()));
                }
            }
        }
        return deletes;
    }
}
