package io.cqrs.master.hibernate;

import io.cqrs.core.SerializationException;
import io.cqrs.master.hibernate.model.MasterField;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.WireContext;
import io.cqrs.transport.WireValues;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Makes the data of a row's message. Belongs to one transaction. */
final class RowData {

    private final WireContext context;

    RowData(WireContext context) {
        this.context = context;
    }

    /** Returns the values of the row itself, or null where its last state tells all of them. */
    Object @Nullable [] row(MasterModel model, Object id, RowHistory history, @Nullable Object loaded) {
        if (!history.lacksValues()) {
            return null;
        }
        return context.session()
                .getFactory()
                .getMappingMetamodel()
                .getEntityDescriptor(model.entityName())
                .getValues(found(model, id, loaded));
    }

    private static Object found(MasterModel model, Object id, @Nullable Object loaded) {
        if (loaded == null) {
            throw new SerializationException(model.cqrsId() + " " + id
                    + " was changed, but its row can't be read, as where an @SQLRestriction hides it now");
        }
        return loaded;
    }

    /**
     * Returns the key and the fields, or what a serializer makes of the row.
     *
     * @param kept the values of columns that no update writes, where the row's own are not given
     * @param row the row's own values, or null where the state tells all
     * @param loaded what a serializer reads
     */
    Map<String, @Nullable Object> data(
            MasterModel model,
            Object id,
            Object[] state,
            Object @Nullable [] kept,
            Object @Nullable [] row,
            @Nullable Object loaded) {
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        model.key().read(id, context, data);
        MasterModel.@Nullable Serialization serialization = model.serialization();
        if (serialization != null) {
            data.putAll(serialized(model, id, serialization, loaded));
            return data;
        }
        if (model.kind() != null) {
            data.put(model.kind().name(), model.kind().value());
        }
        for (MasterField field : model.fields()) {
            try {
                field.read(state, kept, row, context, data);
            } catch (SerializationException e) {
                throw failure(model, id, field, e);
            }
        }
        return data;
    }

    @SuppressWarnings("unchecked") // a wire map
    private Map<String, @Nullable Object> serialized(
            MasterModel model, Object id, MasterModel.Serialization serialization, @Nullable Object loaded) {
        Object row = found(model, id, loaded);
        try {
            Object wire = WireValues.toWire(serialization.serializer().serialize(row));
            if (wire instanceof Map<?, ?>) {
                return (Map<String, @Nullable Object>) wire;
            }
        } catch (SerializationException e) {
            throw new SerializationException(
                    serialization.serializer().getClass().getName() + " of " + model.cqrsId() + " " + id + ": "
                            + e.getMessage(),
                    e);
        }
        throw new SerializationException(serialization.serializer().getClass().getName() + " of " + model.cqrsId() + " "
                + id + " returned no record and no map");
    }

    /** As django-cqrs: of a new row, every tracked field that is not null, with null; else those that changed. */
    @Nullable
    Map<String, @Nullable Object> previous(
            MasterModel model, Object id, Object[] state, Object @Nullable [] row, RowHistory history) {
        Object[] before = history.stateBefore();
        if (model.tracked().isEmpty() || (before == null && !history.isNew())) {
            return null;
        }
        Map<String, @Nullable Object> previous = new LinkedHashMap<>();
        for (MasterField field : model.fields()) {
            if (!Collections.disjoint(model.tracked(), field.names())) {
                Map<String, @Nullable Object> now = new LinkedHashMap<>();
                Map<String, @Nullable Object> old = new LinkedHashMap<>();
                try {
                    field.readTracked(state, history.keptState(), row, context, now);
                    if (before != null) {
                        field.readTracked(before, null, null, context, old);
                    }
                } catch (SerializationException e) {
                    throw failure(model, id, field, e);
                }
                now.forEach((name, value) -> {
                    if (!Objects.equals(old.get(name), value)) {
                        previous.put(name, old.get(name));
                    }
                });
            }
        }
        return previous;
    }

    private static SerializationException failure(
            MasterModel model, Object id, MasterField field, SerializationException e) {
        return new SerializationException(
                model.type().getName() + "." + field.property() + " of " + model.cqrsId() + " " + id + ": "
                        + e.getMessage(),
                e);
    }
}
