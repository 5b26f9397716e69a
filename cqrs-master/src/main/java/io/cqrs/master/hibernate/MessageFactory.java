package io.cqrs.master.hibernate;

import io.cqrs.core.Change;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.master.MasterMixin;
import io.cqrs.master.WhenExcluded;
import io.cqrs.master.hibernate.model.ColumnDigits;
import io.cqrs.master.hibernate.model.MasterField;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.StoredValues;
import io.cqrs.master.hibernate.model.WireContext;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.time.StampClock;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.WireValues;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/** Makes messages of what a transaction did to a row. Belongs to one transaction. */
final class MessageFactory {

    private final SharedSessionContractImplementor session;
    private final CaptureSettings settings;
    private final StampClock clock;
    private final WireContext context;
    private final Mixins mixins;
    private final Map<String, String> headers;

    MessageFactory(
            SharedSessionContractImplementor session, CaptureSettings settings, StampClock clock, ColumnDigits digits) {
        this.session = session;
        this.settings = settings;
        this.clock = clock;
        this.context = new WireContext(session, new StoredValues(digits));
        this.mixins = new Mixins(session);
        this.headers = checked(settings.context().headers());
    }

    /**
     * Returns nothing, a delete, a save, or a delete and a save.
     *
     * @param loaded the row's instance, where a serializer or a row of which not all is known needs it
     */
    List<OutboxMessage> messages(MasterModel model, Object id, RowHistory history, @Nullable Object loaded) {
        List<OutboxMessage> messages = new ArrayList<>(1);
        Object[] deleted = history.deletedState();
        if (deleted != null && deletes(model, id, deleted, history)) {
            messages.add(message(model, delete(model, id, deleted, history)));
        }
        Object[] saved = history.savedState();
        if (saved != null && saves(model, id, history)) {
            messages.add(message(model, save(model, id, saved, history, loaded)));
        } else if (saved != null && isNewlyExcluded(model, id, history)) {
            messages.add(message(model, exclude(model, id, saved, history)));
        }
        return messages;
    }

    /** Returns a row as it is now. */
    Change current(MasterModel model, Object id, Object entity, Object[] state) {
        return Change.of(Signal.SYNC, key(model, id), stamp(model, state), data(model, id, state, null, null, entity));
    }

    /** Returns which state of a row it is, without its data. */
    Change identify(MasterModel model, Object id, Object[] state) {
        return Change.of(Signal.SYNC, key(model, id), stamp(model, state), Map.of());
    }

    /** Returns the message of a row as it is now. */
    OutboxMessage sync(MasterModel model, Object id, Object entity, Object[] state, Destination destination) {
        Change row = current(model, id, entity, state);
        EntityKey key = row.key();
        Change change = new Change(
                Signal.SYNC,
                key,
                row.stamp(),
                row.data(),
                null,
                settings.context().correlationId(Signal.SYNC, key, destination.queue()),
                meta(key, Mixins.of(entity), Signal.SYNC),
                false);
        Map<String, Object> all = new LinkedHashMap<>(headers);
        all.putAll(destination.headers());
        return new OutboxMessage(
                new Message(change, 0, expires(model)), destination.routingKey(model.cqrsId()), Map.copyOf(all));
    }

    /** Says whether an instance that was read is to be sent. */
    boolean sends(MasterModel model, Object entity) {
        return model.produce() && Mixins.of(entity).isSyncInstance();
    }

    /** Says whether a row is to be sent as it is after the transaction. */
    boolean saves(MasterModel model, Object id, RowHistory history) {
        Object[] state = history.savedState();
        return state != null
                && model.produce()
                && saved(model, id, state, history).isSyncInstance();
    }

    private MasterMixin saved(MasterModel model, Object id, Object[] state, RowHistory history) {
        return mixins.of(model, id, history.savedEntity(), state);
    }

    private Change delete(MasterModel model, Object id, Object[] state, RowHistory history) {
        MasterMixin mixin = mixins.of(model, id, history.deletedEntity(), state);
        // Only the states that were sent have to be beaten: states of this transaction are not, and an insert that
        // waits for its end may have been stamped before them.
        Instant updated =
                clock.ofDelete(history.lastKnownUpdated(model.updated().index()), () -> Sessions.connection(session));
        return delete(model, id, Stamp.of(updated, revision(model, state) + 1), mixin);
    }

    /** The row lives on: the delete is as old as the state that is not sent, so that any later one beats it. */
    private Change exclude(MasterModel model, Object id, Object[] state, RowHistory history) {
        return delete(model, id, stamp(model, state), saved(model, id, state, history));
    }

    private Change delete(MasterModel model, Object id, Stamp stamp, MasterMixin mixin) {
        EntityKey key = key(model, id);
        Map<String, @Nullable Object> custom = mixin.cqrsDeleteData();
        Map<String, @Nullable Object> data = custom == null ? Map.of() : Map.of("custom", wireMap(key, custom));
        return new Change(
                Signal.DELETE,
                key,
                stamp,
                data,
                null,
                settings.context().correlationId(Signal.DELETE, key, null),
                meta(key, mixin, Signal.DELETE),
                false);
    }

    private Change save(MasterModel model, Object id, Object[] state, RowHistory history, @Nullable Object loaded) {
        EntityKey key = key(model, id);
        Object[] row = row(model, id, history, loaded);
        Map<String, @Nullable Object> data = data(model, id, state, history.keptState(), row, loaded);
        return new Change(
                Signal.SAVE,
                key,
                stamp(model, state),
                data,
                previous(model, id, state, row, history),
                settings.context().correlationId(Signal.SAVE, key, null),
                meta(key, saved(model, id, state, history), Signal.SAVE),
                false);
    }

    private Object @Nullable [] row(MasterModel model, Object id, RowHistory history, @Nullable Object loaded) {
        if (!history.lacksValues(model)) {
            return null;
        }
        return session.getFactory()
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

    private Map<String, @Nullable Object> data(
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
            read(model, id, field, state, kept, row, data);
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
    private @Nullable Map<String, @Nullable Object> previous(
            MasterModel model, Object id, Object[] state, Object @Nullable [] row, RowHistory history) {
        Object[] before = history.stateBefore();
        if (model.tracked().isEmpty() || (before == null && !history.isNew())) {
            return null;
        }
        Map<String, @Nullable Object> previous = new LinkedHashMap<>();
        for (MasterField field : model.fields()) {
            if (model.tracked().containsAll(field.names()) && (before == null || field.isKnown(before))) {
                Map<String, @Nullable Object> now = new LinkedHashMap<>();
                read(model, id, field, state, history.keptState(), row, now);
                Map<String, @Nullable Object> old = new LinkedHashMap<>();
                if (before != null) {
                    read(model, id, field, before, null, null, old);
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

    private void read(
            MasterModel model,
            Object id,
            MasterField field,
            Object[] state,
            Object @Nullable [] kept,
            Object @Nullable [] row,
            Map<String, @Nullable Object> data) {
        try {
            field.read(state, kept, row, context, data);
        } catch (SerializationException e) {
            throw new SerializationException(
                    model.type().getName() + "." + field.property() + " of " + model.cqrsId() + " " + id + ": "
                            + e.getMessage(),
                    e);
        }
    }

    private boolean isNewlyExcluded(MasterModel model, Object id, RowHistory history) {
        if (!model.produce() || model.whenExcluded() == WhenExcluded.KEEP || history.isNew()) {
            return false;
        }
        Object[] before = history.stateBefore();
        return before == null || mixins.made(model, id, before).isSyncInstance();
    }

    /**
     * Replicas know the row as it was: it may have stopped being sent in the transaction that deletes it. Of a row that is
     * not the instance's nothing is known but that it was there.
     */
    private boolean deletes(MasterModel model, Object id, Object[] deleted, RowHistory history) {
        Object[] lastKnown = history.lastKnownState();
        return model.produce()
                && (history.isAnothers(model.updated().index())
                        || mixins.of(model, id, history.deletedEntity(), deleted)
                                .isSyncInstance()
                        || (lastKnown != null
                                && mixins.made(model, id, lastKnown).isSyncInstance()));
    }

    private @Nullable Map<String, @Nullable Object> meta(EntityKey key, MasterMixin mixin, Signal signal) {
        Map<String, @Nullable Object> own = mixin.cqrsMeta(signal);
        Map<String, @Nullable Object> meta = own == null ? settings.context().meta(signal, key) : own;
        return meta == null ? null : wireMap(key, meta);
    }

    private static Map<String, @Nullable Object> wireMap(EntityKey key, Map<String, ?> values) {
        Map<String, @Nullable Object> wire = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            try {
                wire.put(name, WireValues.toWire(value));
            } catch (SerializationException e) {
                throw new SerializationException(
                        "\"" + name + "\" beside the data of " + key + ": " + e.getMessage(), e);
            }
        });
        return wire;
    }

    EntityKey key(MasterModel model, Object id) {
        return EntityKey.of(model.cqrsId(), model.key().value(id, context));
    }

    private static Stamp stamp(MasterModel model, Object[] state) {
        Instant updated = (Instant) state[model.updated().index()];
        return Stamp.of(Objects.requireNonNull(updated, "cqrs_updated"), revision(model, state));
    }

    private static long revision(MasterModel model, Object[] state) {
        return state[model.revision().index()] instanceof Number number ? number.longValue() : 0;
    }

    private OutboxMessage message(MasterModel model, Change change) {
        context.stored().requireMicroseconds(model.updated().column(), Sessions.connection(session));
        return new OutboxMessage(
                new Message(change, 0, expires(model)),
                RoutingKeys.toAll(change.key().cqrsId()),
                headers);
    }

    private @Nullable Instant expires(MasterModel model) {
        Duration expiry = model.expiry() == null ? settings.expiry() : model.expiry();
        return expiry == null
                ? null
                : clock.now(() -> Sessions.connection(session)).plus(expiry);
    }

    private static Map<String, String> checked(Map<String, String> headers) {
        headers.forEach((name, value) -> {
            if (name.startsWith("cqrs-") || name.startsWith("x-") || Headers.ROUTING.contains(name)) {
                throw new SerializationException(
                        "header " + name + " of the message context is not allowed: cqrs-, x-, CC and BCC are the"
                                + " framework's and the broker's");
            }
            if (value == null) {
                throw new SerializationException(
                        "header " + name + " of the message context has no value: leave it out");
            }
        });
        return headers;
    }
}
