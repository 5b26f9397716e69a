package io.cqrs.core.rows;

import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.TableName;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A table of either side as comparisons see it. Immutable.
 *
 * @param table the table
 * @param filter which of its rows count, as an SQL condition on {@code n}; trusted
 * @param key its key, in the order of the parts on the wire
 * @param revision the column of the revision
 * @param updated the column of the time
 * @param fields the columns by the fields' names on the wire, those of the key left out
 */
public record ComparedTable(
        TableName table,
        String filter,
        List<ComparedColumn> key,
        String revision,
        String updated,
        Map<String, ComparedColumn> fields) {

    /** Copies the collections. */
    public ComparedTable {
        key = List.copyOf(key);
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /**
     * Returns this with some of the fields only, in this order.
     *
     * @throws SerializationException if the table has not one of them
     */
    public ComparedTable withFields(List<String> names) {
        Map<String, ComparedColumn> chosen = new LinkedHashMap<>();
        for (String name : names) {
            ComparedColumn column = fields.get(name);
            if (column == null) {
                throw new SerializationException(table + " has no field " + name + " to compare");
            }
            chosen.put(name, column);
        }
        return new ComparedTable(table, filter, key, revision, updated, chosen);
    }
}
