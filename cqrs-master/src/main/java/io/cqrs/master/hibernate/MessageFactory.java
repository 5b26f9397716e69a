package io.cqrs.master.hibernate;

import io.cqrs.core.Change;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.master.MasterMixin;
import io.cqrs.master.WhenExcluded;
import io.cqrs.master.hibernate.model.ColumnDigits;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.StoredValues;
import io.cqrs.master.hibernate.model.WireContext;
import io.cqrs.master.internal.outbox.JdbcOutbox;
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
    private final RowData data;
    private final Mixins mixins;
    private final JdbcOutbox outbox;
    private final Map<String, String> headers;

    MessageFactory(
            SharedSessionContractImplementor session,
            CaptureSettings settings,
            StampClock clock,
            ColumnDigits digits,
            JdbcOutbox outbox) {
        this.session = session;
        this.outbox = outbox;
        this.settings = settings;
        this.clock = clock;
        this.context = new WireContext(session, new StoredValues(digits));
        this.data = new RowData(context);
        this.mixins = new Mixins(session);
        this.headers = checked(settings.context().headers());
    }

    /**
     * Returns nothing, a delete, a save, or a delete and a save.
     *
     * @param loaded the row's instance, where a serializer or a row of which not all is known needs it
     */
    List<OutboxMessage> messages(Object id, RowHistory history, @Nullable Object loaded) {
        List<OutboxMessage> messages = new ArrayList<>(1);
        RowHistory.@Nullable Deleted deleted = history.deleted();
        if (deleted != null && deletes(id, deleted, history)) {
            messages.add(message(deleted.model(), delete(id, deleted, history)));
        }
        @Nullable MasterModel model = history.savedModel();
        Object[] saved = history.savedState();
        if (model == null || saved == null) {
            return messages;
        }
        if (saves(id, history)) {
            messages.add(message(model, save(model, id, saved, history, loaded)));
        } else if (isNewlyExcluded(model, id, history)) {
            messages.add(message(model, exclude(model, id, saved, history)));
        }
        return messages;
    }

    /** Returns a row as it is now. */
    Change current(MasterModel model, Object id, Object entity, Object[] state) {
        return Change.of(
                Signal.SYNC, key(model, id), stamp(model, state), data.data(model, id, state, null, null, entity));
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
        return outbox.message(
                new Message(change, 0, expires(model)), destination.routingKey(model.cqrsId()), Map.copyOf(all));
    }

    /** Says whether an instance that was read is to be sent. */
    boolean sends(MasterModel model, Object entity) {
        return model.produce() && Mixins.of(entity).isSyncInstance();
    }

    /** Says whether a row is to be sent as it is after the transaction. */
    boolean saves(Object id, RowHistory history) {
        @Nullable MasterModel model = history.savedModel();
        Object[] state = history.savedState();
        return model != null
                && state != null
                && model.produce()
                && saved(model, id, state, history).isSyncInstance();
    }

    private MasterMixin saved(MasterModel model, Object id, Object[] state, RowHistory history) {
        return mixins.of(model, id, history.savedEntity(), state);
    }

    private Change delete(Object id, RowHistory.Deleted deleted, RowHistory history) {
        MasterModel model = deleted.model();
        MasterMixin mixin = mixins.of(model, id, deleted.entity(), deleted.state());
        // Only the states that were sent have to be beaten: states of this transaction are not, and an insert that
        // waits for its end may have been stamped before them.
        Instant updated = clock.ofDelete(history.lastKnownUpdated(), () -> Sessions.connection(session));
        return delete(model, id, Stamp.of(updated, revision(model, deleted.state()) + 1), mixin);
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
        Object[] row = data.row(model, id, history, loaded);
        return new Change(
                Signal.SAVE,
                key,
                stamp(model, state),
                data.data(model, id, state, history.keptState(), row, loaded),
                data.previous(model, id, state, row, history),
                settings.context().correlationId(Signal.SAVE, key, null),
                meta(key, saved(model, id, state, history), Signal.SAVE),
                false);
    }

    private boolean isNewlyExcluded(MasterModel model, Object id, RowHistory history) {
        if (!model.produce() || model.whenExcluded() == WhenExcluded.KEEP || history.isNew()) {
            return false;
        }
        Object[] before = history.stateBefore();
        return before == null
                || history.isForgotten()
                || mixins.made(model, id, before).isSyncInstance();
    }

    /**
     * Replicas know the row as it was: it may have stopped being sent in the transaction that deletes it. Of a row that is
     * not the instance's nothing is known but that it was there.
     */
    private boolean deletes(Object id, RowHistory.Deleted deleted, RowHistory history) {
        MasterModel model = deleted.model();
        return model.produce()
                && (history.isUnknownBefore()
                        || mixins.of(model, id, deleted.entity(), deleted.state())
                                .isSyncInstance()
                        || mixins.made(model, id, deleted.lastKnownState()).isSyncInstance());
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
        context.stored().requireExactTimes(model.updated().column(), Sessions.connection(session));
        return outbox.message(
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
