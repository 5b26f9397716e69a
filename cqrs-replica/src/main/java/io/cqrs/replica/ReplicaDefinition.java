package io.cqrs.replica;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says which table holds the replica of which model, or who handles it. Immutable.
 *
 * <p>Types, nullability and the primary key are read from the database's catalogue when the replica starts.
 *
 * @param cqrsId the model
 * @param table the table, as SQL names it; null where there is none, but a handler
 * @param key the columns of the key, in the order of the master's parts; empty for that of the table's primary key
 * @param fields the names on the wire by column; where {@code wholeTable}, only those that differ
 * @param mapped the names on the wire that a mapping gives: a state that lacks one is refused
 * @param wholeTable whether columns that {@code fields} does not name are filled too, under their own names
 * @param order what decides which of two states is the newer one
 * @param onlyDirectSyncs whether syncs to all replicas are skipped
 * @param handler the hooks, or null for none
 */
public record ReplicaDefinition(
        CqrsId cqrsId,
        @Nullable String table,
        List<String> key,
        Map<String, String> fields,
        Set<String> mapped,
        boolean wholeTable,
        Order order,
        boolean onlyDirectSyncs,
        @Nullable ReplicaHandler<?> handler) {

    /**
     * Copies the map.
     *
     * @throws IllegalArgumentException if there is neither a table nor a handler
     */
    public ReplicaDefinition {
        Objects.requireNonNull(cqrsId, "cqrsId");
        key = List.copyOf(key);
        fields = Map.copyOf(fields);
        mapped = Set.copyOf(mapped);
        Objects.requireNonNull(order, "order");
        if (table == null && handler == null) {
            throw new IllegalArgumentException("replica " + cqrsId + " has neither a table nor a handler");
        }
    }

    /**
     * Returns the replica of a model in a table, without any Java class.
     *
     * @param mapping the columns of master fields that are called otherwise here, by the field's name on the wire
     * @throws IllegalArgumentException if two fields are mapped to one column
     */
    public static ReplicaDefinition ofTable(CqrsId cqrsId, TableName table, Map<String, String> mapping, Order order) {
        Map<String, String> fields = new HashMap<>();
        mapping.forEach((field, column) -> {
            if (fields.put(column, field) != null) {
                throw new IllegalArgumentException("column " + column + " is mapped twice, once from " + field);
            }
        });
        return new ReplicaDefinition(
                cqrsId, table.sql(), List.of(), fields, mapping.keySet(), true, order, false, null);
    }

    /**
     * Returns a replica without a table: the handler's {@link ReplicaHandler#save} and {@link ReplicaHandler#delete} are
     * called for each message, at least once, and there is no row that an older or doubled one could be told by.
     */
    public static ReplicaDefinition ofHandler(CqrsId cqrsId, ReplicaHandler<?> handler) {
        return new ReplicaDefinition(
                cqrsId,
                null,
                List.of(),
                Map.of(),
                Set.of(),
                false,
                Order.UPDATED,
                false,
                Objects.requireNonNull(handler, "handler"));
    }

    /** Returns the same with the key's columns in the order of the master's parts. */
    public ReplicaDefinition withKey(List<String> columns) {
        return new ReplicaDefinition(
                cqrsId, table, columns, fields, mapped, wholeTable, order, onlyDirectSyncs, handler);
    }

    /** Returns the same, but that syncs to all replicas are skipped, or not. */
    public ReplicaDefinition withOnlyDirectSyncs(boolean only) {
        return new ReplicaDefinition(cqrsId, table, key, fields, mapped, wholeTable, order, only, handler);
    }
}
