package io.cqrs.master.hibernate;

import io.cqrs.core.Change;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.master.MasterMixin;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.time.StampClock;
import io.cqrs.transport.Message;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.WireValues;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/** Makes messages of what a transaction did to a row. Belongs to one fold. */
final class MessageFactory {

    private static final MasterMixin DEFAULTS = new MasterMixin() {};

    private final SharedSessionContractImplementor session;
    private final StampClock clock;

    MessageFactory(SharedSessionContractImplementor session, StampClock clock) {
        this.session = session;
        this.clock = clock;
    }

    /** Returns nothing, a delete, a save, or a delete and a save. */
    List<OutboxMessage> messages(MasterModel model, Object id, RowHistory history) {
        List<OutboxMessage> messages = new ArrayList<>(1);
        Object[] deleted = history.deletedState();
        if (deleted != null && sends(model, history.deletedEntity())) {
            messages.add(message(delete(model, id, deleted, history)));
        }
        Object[] saved = history.savedState();
        if (saved != null && sends(model, history.savedEntity())) {
            messages.add(message(save(model, id, saved, history)));
        }
        return messages;
    }

    private Change delete(MasterModel model, Object id, Object[] state, RowHistory history) {
        MasterMixin mixin = mixin(history.deletedEntity());
        // Only the states that were sent have to be beaten: states of this transaction are not, and an insert that
        // waits for its end may have been stamped before them.
        Object[] lastKnown = Objects.requireNonNull(history.lastKnownState(), "lastKnownState");
        Instant updated = clock.ofDelete((Instant) lastKnown[model.updated()], () -> Sessions.connection(session));
        Stamp stamp = Stamp.of(updated, revision(model, state) + 1);
        Map<String, @Nullable Object> custom = mixin.cqrsDeleteData();
        Map<String, @Nullable Object> data = custom == null ? Map.of() : Map.of("custom", wireMap(model, id, custom));
        return new Change(
                Signal.DELETE, key(model, id), stamp, data, null, null, meta(model, id, mixin, Signal.DELETE), false);
    }

    private Change save(MasterModel model, Object id, Object[] state, RowHistory history) {
        EntityKey key = key(model, id);
        Instant updated = Objects.requireNonNull((Instant) state[model.updated()], "cqrs_updated");
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        data.put(model.idField(), key.value());
        for (MasterField field : model.fields()) {
            data.put(field.name(), read(model, id, field, state));
        }
        Map<String, @Nullable Object> meta = meta(model, id, mixin(history.savedEntity()), Signal.SAVE);
        Stamp stamp = Stamp.of(updated, revision(model, state));
        return new Change(Signal.SAVE, key, stamp, data, previous(model, id, data, history), null, meta, false);
    }

    /** As django-cqrs: of a new row, every tracked field that is not null, with null; else those that changed. */
    private @Nullable Map<String, @Nullable Object> previous(
            MasterModel model, Object id, Map<String, @Nullable Object> data, RowHistory history) {
        Object[] before = history.stateBefore();
        if (model.tracked().isEmpty() || (before == null && !history.isNew())) {
            return null;
        }
        Map<String, @Nullable Object> previous = new LinkedHashMap<>();
        for (MasterField field : model.fields()) {
            if (model.tracked().contains(field.name())) {
                Object old = before == null ? null : read(model, id, field, before);
                if (!Objects.equals(old, data.get(field.name()))) {
                    previous.put(field.name(), old);
                }
            }
        }
        return previous;
    }

    private @Nullable Object read(MasterModel model, Object id, MasterField field, Object[] state) {
        try {
            return field.read(state, session);
        } catch (SerializationException e) {
            throw new SerializationException(
                    model.type().getName() + "." + field.property() + " of " + model.cqrsId() + " " + id + ": "
                            + e.getMessage(),
                    e);
        }
    }

    private @Nullable Map<String, @Nullable Object> meta(
            MasterModel model, Object id, MasterMixin mixin, Signal signal) {
        Map<String, @Nullable Object> meta = mixin.cqrsMeta(signal);
        return meta == null ? null : wireMap(model, id, meta);
    }

    private static Map<String, @Nullable Object> wireMap(MasterModel model, Object id, Map<String, ?> values) {
        Map<String, @Nullable Object> wire = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            try {
                wire.put(name, WireValues.toWire(value));
            } catch (SerializationException e) {
                throw new SerializationException(
                        "\"" + name + "\" beside the data of " + model.cqrsId() + " " + id + ": " + e.getMessage(), e);
            }
        });
        return wire;
    }

    private static EntityKey key(MasterModel model, Object id) {
        return EntityKey.of(model.cqrsId(), Objects.requireNonNull(WireValues.toWire(id), "id"));
    }

    private static long revision(MasterModel model, Object[] state) {
        return state[model.revision()] instanceof Number number ? number.longValue() : 0;
    }

    private static boolean sends(MasterModel model, @Nullable Object entity) {
        return model.produce() && mixin(entity).isSyncInstance();
    }

    private static MasterMixin mixin(@Nullable Object entity) {
        return entity instanceof MasterMixin mixin ? mixin : DEFAULTS;
    }

    private static OutboxMessage message(Change change) {
        return new OutboxMessage(
                Message.of(change), RoutingKeys.toAll(change.key().cqrsId()));
    }
}
