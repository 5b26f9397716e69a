package io.cqrs.master.hibernate.model;

import io.cqrs.core.CqrsId;
import io.cqrs.master.MasterSerializer;
import io.cqrs.master.WhenExcluded;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How entities of one class become messages. Those of one hierarchy share a cqrs id, by which models are equal: a key
 * means one row in all of it.
 *
 * @param cqrsId the model
 * @param type the class that declares it
 * @param entityName the class of the entities, by Hibernate's name
 * @param produce whether changes are sent
 * @param key the id
 * @param fields the attributes to send, without the id
 * @param keepsValues whether updates leave some of them as they are, whatever the instance holds
 * @param keepsMutable whether one of those that they leave is of a mutable type, which Hibernate keeps no copy of
 * @param hasDefaults whether inserts leave some of them to the database, whatever the instance holds
 * @param tracked the fields whose old values are sent, by name on the wire
 * @param kind the class within a hierarchy, or null where no column tells it
 * @param revision where the revision is
 * @param updated where the time is
 * @param serialization what makes the data in place of the fields, or null
 * @param whenExcluded what is sent for rows that are no longer sent
 * @param expiry after what time a message is no longer worth applying, or null for the persistence unit's setting
 */
public record MasterModel(
        CqrsId cqrsId,
        Class<?> type,
        String entityName,
        boolean produce,
        MasterKey key,
        List<MasterField> fields,
        boolean keepsValues,
        boolean keepsMutable,
        boolean hasDefaults,
        Set<String> tracked,
        @Nullable Kind kind,
        Position revision,
        Position updated,
        @Nullable Serialization serialization,
        WhenExcluded whenExcluded,
        @Nullable Duration expiry) {

    /**
     * Where an attribute is.
     *
     * @param property its name
     * @param index its place in Hibernate's state
     * @param column its column
     */
    public record Position(String property, int index, Column column) {}

    /**
     * The class of an entity, as its discriminator column tells it.
     *
     * @param name the field
     * @param value its value, a string or a number
     * @param column the column
     */
    public record Kind(String name, Object value, Column column) {}

    /**
     * What makes a model's data.
     *
     * @param serializer the application's
     * @param entityGraph the named graph to load instances with, or null
     */
    public record Serialization(
            MasterSerializer<Object> serializer, @Nullable String entityGraph) {}

    /** Says whether a state has the values of all fields. */
    public boolean isKnown(Object[] state) {
        for (MasterField field : fields) {
            if (!field.isKnown(state)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MasterModel model && model.cqrsId.equals(cqrsId);
    }

    @Override
    public int hashCode() {
        return cqrsId.hashCode();
    }
}
