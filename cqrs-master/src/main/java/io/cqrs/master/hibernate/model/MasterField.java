package io.cqrs.master.hibernate.model;

import io.cqrs.core.SerializationException;
import java.util.List;
import java.util.Map;
import org.hibernate.collection.spi.AbstractPersistentCollection;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.jspecify.annotations.Nullable;

/**
 * An attribute that is sent: as one field, or for an embeddable as one for each of its attributes.
 *
 * @param property the attribute's name
 * @param index its place in Hibernate's state
 * @param part how its value is read
 */
public record MasterField(String property, int index, Part part) {

    /**
     * Puts the attribute's fields among a message's data.
     *
     * @param kept a state of before the last update, for what updates leave as it was, or null where there was none
     * @param row the row's state, for what nothing else tells, or null where it was not read
     */
    public void read(
            Object[] state,
            Object @Nullable [] kept,
            Object @Nullable [] row,
            WireContext context,
            Map<String, @Nullable Object> data) {
        part.read(values(state, kept, row), context, true, data);
    }

    /** Puts those of the attribute's fields among old or new values that can be tracked: of a collection nobody knows the old ones. */
    public void readTracked(
            Object[] state,
            Object @Nullable [] kept,
            Object @Nullable [] row,
            WireContext context,
            Map<String, @Nullable Object> data) {
        part.read(values(state, kept, row), context, false, data);
    }

    private Values values(Object[] state, Object @Nullable [] kept, Object @Nullable [] row) {
        @Nullable Object written = row == null || isKnown(state) ? state[index] : row[index];
        @Nullable Object stored = row == null ? written : row[index];
        return new Values(written, row == null && kept != null ? kept[index] : stored, stored);
    }

    /** Returns the names of those of its fields that can be tracked. */
    public List<String> trackable() {
        return singles().stream()
                .filter(single -> !single.collection())
                .map(Single::name)
                .toList();
    }

    /** Says whether a state has the attribute's value: a collection that was not read before its session forgot it has not. */
    public boolean isKnown(Object[] state) {
        return part.isKnown(state[index]);
    }

    /** Says whether some of it is written by inserts alone, or by updates alone. */
    boolean isAny(Writes writes) {
        return singles().stream().anyMatch(single -> single.writes() == writes);
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
        /** Puts fields among a message's data, with collections or without. */
        void read(Values values, WireContext context, boolean collections, Map<String, @Nullable Object> data);

        boolean isKnown(@Nullable Object value);

        /** Says whether some of it is a collection, which a session may forget before it was read. */
        boolean isLazy();

        List<String> names();

        List<Single> singles();
    }

    /**
     * What a row has of an attribute.
     *
     * @param written where each write writes it
     * @param kept where updates leave it as it was
     * @param defaulted where inserts leave it to the database
     */
    record Values(
            @Nullable Object written,
            @Nullable Object kept,
            @Nullable Object defaulted) {

        static Values of(@Nullable Object value) {
            return new Values(value, value, value);
        }

        @Nullable
        Object of(Writes writes) {
            return switch (writes) {
                case ALL -> written;
                case INSERTS -> kept;
                case UPDATES -> defaulted;
            };
        }
    }

    /** Which writes of a row write a value of it: after the others, the row holds another one than the instance may. */
    enum Writes {
        ALL,
        INSERTS,
        UPDATES
    }

    /**
     * One field.
     *
     * @param name its name on the wire
     * @param path where it is in Java, from its entity or id on, steps separated by dots
     * @param form how its value becomes one of the wire's
     * @param columns where it is kept: one, several for a composite foreign key, those of its elements for a collection
     * @param writes what writes it
     * @param collection whether it has a table of its own
     */
    public record Single(
            String name, String path, WireForm form, List<Column> columns, Writes writes, boolean collection)
            implements Part {

        Single(String name, String path, WireForm form, List<Column> columns, Writes writes) {
            this(name, path, form, columns, writes, false);
        }

        @Override
        public void read(Values values, WireContext context, boolean collections, Map<String, @Nullable Object> data) {
            if (collections || !collection) {
                data.put(name, toWire(values.of(writes), context));
            }
        }

        @Override
        public boolean isLazy() {
            return collection;
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
        public boolean isKnown(@Nullable Object value) {
            return !(value instanceof AbstractPersistentCollection<?> collection)
                    || collection.wasInitialized()
                    || collection.getSession() != null;
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
     * @param parts those of its attributes that are sent, in declared order
     * @param isLazy as {@link Part#isLazy} says, known once
     */
    record Embedded(EmbeddableMappingType type, List<Integer> places, List<Part> parts, boolean isLazy)
            implements Part {

        Embedded(EmbeddableMappingType type, List<Integer> places, List<Part> parts) {
            this(type, places, parts, parts.stream().anyMatch(Part::isLazy));
        }

        @Override
        public void read(Values values, WireContext context, boolean collections, Map<String, @Nullable Object> data) {
            @Nullable Object[] written = parts(values.written());
            @Nullable Object[] kept = values.kept() == values.written() ? written : parts(values.kept());
            @Nullable Object[] defaulted = values.defaulted() == values.written() ? written : parts(values.defaulted());
            for (int i = 0; i < places.size(); i++) {
                int place = places.get(i);
                parts.get(i)
                        .read(new Values(written[place], kept[place], defaulted[place]), context, collections, data);
            }
        }

        @Override
        public boolean isKnown(@Nullable Object value) {
            if (!isLazy || value == null) {
                return true;
            }
            Object[] values = type.getValues(value);
            for (int i = 0; i < places.size(); i++) {
                if (!parts.get(i).isKnown(values[places.get(i)])) {
                    return false;
                }
            }
            return true;
        }

        private @Nullable Object[] parts(@Nullable Object embeddable) {
            return embeddable == null
                    ? new @Nullable Object[type.getNumberOfAttributeMappings()]
                    : type.getValues(embeddable);
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
