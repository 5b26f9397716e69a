package io.cqrs.master.hibernate.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.jspecify.annotations.Nullable;

/**
 * How an entity's id becomes its key on the wire: a value, or for a composite id the list of its parts in the order in
 * which their class declares them.
 *
 * @param part the id: one field, or one for each part
 */
public record MasterKey(MasterField.Part part) {

    /** Returns the wire value of an id. */
    public Object value(Object id, WireContext context) {
        if (part instanceof MasterField.Single single) {
            Object value = Objects.requireNonNull(single.toWire(id, context), "id");
            return value instanceof List<?> several && several.size() == 1 ? several.get(0) : value;
        }
        Map<String, @Nullable Object> parts = new LinkedHashMap<>();
        read(id, context, parts);
        List<Object> key = new ArrayList<>(parts.size());
        for (@Nullable Object value : parts.values()) {
            // A part that refers to an entity with a composite key adds all of that key.
            if (Objects.requireNonNull(value, "id") instanceof List<?> several) {
                key.addAll(several);
            } else {
                key.add(value);
            }
        }
        return List.copyOf(key);
    }

    /** Puts the key among a message's data, each part as a field. */
    public void read(Object id, WireContext context, Map<String, @Nullable Object> data) {
        part.read(MasterField.Values.of(id), context, true, data);
    }

    /** Returns where the attributes of an id of several parts are, in the order of the parts on the wire. */
    public static List<Integer> places(EmbeddableMappingType type) {
        return PartReader.declaredOrder(type);
    }

    /** Returns its fields, in declared order. */
    public List<MasterField.Single> parts() {
        return part.singles();
    }
}
