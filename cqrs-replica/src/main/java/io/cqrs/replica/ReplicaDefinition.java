package io.cqrs.replica;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Says which table holds the replica of which model. Immutable.
 *
 * <p>Types, nullability and the primary key are read from the database's catalogue when the replica starts.
 *
 * @param cqrsId the model
 * @param table the table, as SQL names it
 * @param fields the names on the wire by column; where {@code wholeTable}, only those that differ
 * @param wholeTable whether columns that {@code fields} does not name are filled too, under their own names
 * @param order what decides which of two states is the newer one
 */
public record ReplicaDefinition(
        CqrsId cqrsId, String table, Map<String, String> fields, boolean wholeTable, Order order) {

    /** Copies the map. */
    public ReplicaDefinition {
        Objects.requireNonNull(cqrsId, "cqrsId");
        Objects.requireNonNull(table, "table");
        fields = Map.copyOf(fields);
        Objects.requireNonNull(order, "order");
    }

    /**
     * Returns the replica of a model in a table, without any Java class.
     *
     * @param mapping the columns of master fields that are called otherwise here, by the field's name on the wire
     */
    public static ReplicaDefinition ofTable(CqrsId cqrsId, TableName table, Map<String, String> mapping, Order order) {
        Map<String, String> fields = new HashMap<>();
        mapping.forEach((field, column) -> fields.put(column, field));
        return new ReplicaDefinition(cqrsId, table.sql(), fields, true, order);
    }
}
