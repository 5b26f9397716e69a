package io.cqrs.master.hibernate.model;

import io.cqrs.core.SerializationException;
import java.util.List;
import java.util.Map;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.jspecify.annotations.Nullable;

/**
 * An attribute that is sent: as one field, or for an embeddable as one for each of its attributes.
 *
 * @param property the attribute's name
 * @param index its place in Hibernate's state
 * @param updatable whether an update writes it; one that is not keeps its row's value whatever the instance holds
 * @param part how its value is read
 */
public record MasterField(String property, int index, boolean updatable, Part part) {

    /** Puts the attribute's fields among a message's data. */
    public void read(
            Object[] state, Object @Nullable [] before, WireContext context, Map<String, @Nullable Object> data) {
        part.read(updatable || before == null ? state[index] : before[index], context, data);
    }

    /** Returns the names of its fields. */
    public List<String> names() {
        return part.names();
    }

    /** Returns its single fields, each with its column. */
    public List<Single> singles() {
        return part.singles();
    }

    /** A value, or the value of an embeddable. */
    sealed interface Part permits Single, Embedded {
        void read(@Nullable Object value, WireContext context, Map<String, @Nullable Object> data);

        List<String> names();

        List<Single> singles();
    }

    /**
     * One field.
     *
     * @param name its name on the wire
     * @param form how its value becomes one of the wire's
     * @param columns where it is kept: one, several for a composite foreign key, none for a collection
     */
    public record Single(String name, WireForm form, List<Column> columns) implements Part {
        @Override
        public void read(@Nullable Object value, WireContext context, Map<String, @Nullable Object> data) {
            data.put(name, toWire(value, context));
        }

        @Nullable
        Object toWire(@Nullable Object value, WireContext context) {
            try {
                return form.toWire(value, context);
            } catch (SerializationException e) {
                throw new SerializationException("field " + name + ": " + e.getMessage(), e);
            }
        }

        @Override
        public List<String> names() {
            return List.of(name);
        }

        @Override
        public List<Single> singles() {
            return List.of(this);
        }
    }

    /**
     * The fields of an embeddable; where it is null, so are they.
     *
     * @param type gets at its values
     * @param places where each attribute stands among Hibernate's values, in the order in which the class declares them
     * @param parts its attributes, in declared order
     */
    record Embedded(EmbeddableMappingType type, List<Integer> places, List<Part> parts) implements Part {
        @Override
        public void read(@Nullable Object value, WireContext context, Map<String, @Nullable Object> data) {
            @Nullable Object[] values = value == null ? new @Nullable Object[parts.size()] : type.getValues(value);
            for (int i = 0; i < values.length; i++) {
                parts.get(i).read(values[places.get(i)], context, data);
            }
        }

        @Override
        public List<String> names() {
            return parts.stream().flatMap(part -> part.names().stream()).toList();
        }

        @Override
        public List<Single> singles() {
            return parts.stream().flatMap(part -> part.singles().stream()).toList();
        }
    }
}
