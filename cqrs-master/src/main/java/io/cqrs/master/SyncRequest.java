package io.cqrs.master;

import io.cqrs.core.FieldFilter;
import io.cqrs.master.hibernate.SyncSender;
import jakarta.persistence.EntityManagerFactory;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends entities as they are now in the database, as SYNC messages through the outbox: to fill a replica or to mend it.
 *
 * <p>Reads page by page in the order of the id, each page in a transaction of its own that holds its rows for share: a
 * sync and the changes of the same row keep their order. It writes no further page before the relay has published all
 * but the last two, so changes that others commit meanwhile wait behind two pages at most. Memory holds one page. No filter of
 * the persistence unit hides a row, nor do subclasses that are masters of their own come along.
 *
 * <p>Not thread-safe; use once.
 *
 * @param <T> the entity
 */
public final class SyncRequest<T> {

    private final Sender<T> sender;
    private Restriction<T> restriction = Restriction.all();
    private FieldFilter filter = FieldFilter.all();
    private @Nullable List<Object> keys;
    private @Nullable String queue;
    private boolean forced;
    private @Nullable Restriction<T> after;
    private int pageSize = 1000;
    private Consumer<SyncProgress> listener = progress -> {};

    /** Carries a request out. */
    private record Sender<T>(SyncSender syncs, Class<T> type) {
        SyncProgress send(Settings<T> settings) throws InterruptedException {
            return syncs.send(type, settings);
        }

        Restriction<T> behind(Object id) {
            return syncs.behind(type, id);
        }

        Restriction<T> behindKey(String json) {
            return syncs.behindKey(type, json);
        }
    }

    private SyncRequest(Sender<T> sender) {
        this.sender = sender;
    }

    /**
     * Begins a sync of a master's entities.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if the type is no master
     */
    public static <T> SyncRequest<T> of(EntityManagerFactory factory, Class<T> type) {
        SyncSender syncs = SyncSender.of(factory);
        syncs.requireMaster(type);
        return new SyncRequest<>(new Sender<>(syncs, type));
    }

    /** Sends only entities that this is true of; all unless set. */
    public SyncRequest<T> where(Restriction<T> value) {
        this.restriction = Objects.requireNonNull(value, "restriction");
        return this;
    }

    /** Sends only entities that this is true of, too; all unless set. */
    public SyncRequest<T> where(FieldFilter value) {
        this.filter = Objects.requireNonNull(value, "filter");
        return this;
    }

    /**
     * Sends only entities with these ids.
     *
     * @throws IllegalArgumentException if they are more than 10,000: a statement takes 65,535 parameters, and a key may have
     *     six parts
     */
    public SyncRequest<T> keys(Collection<?> ids) {
        if (ids.size() > 10_000) {
            throw new IllegalArgumentException(ids.size() + " keys are more than the 10000 of one sync: split them");
        }
        this.keys = List.copyOf(ids);
        return this;
    }

    /**
     * Sends to one queue; to all that are bound unless set.
     *
     * @throws IllegalArgumentException if the name is blank
     */
    public SyncRequest<T> to(String name) {
        this.queue = requireName(name);
        return this;
    }

    static String requireName(String queue) {
        if (queue.isBlank()) {
            throw new IllegalArgumentException("the queue to sync to has no name");
        }
        return queue;
    }

    /** Has replicas take the state even over a later one: the way back after a master was restored from a backup. */
    public SyncRequest<T> force() {
        this.forced = true;
        return this;
    }

    /** Goes on behind the entity with this id. */
    public SyncRequest<T> after(Object id) {
        this.after = sender.behind(Objects.requireNonNull(id, "after"));
        return this;
    }

    /**
     * Goes on behind the entity with this key, as {@link SyncProgress#lastKey} had it.
     *
     * @param json the key on the wire: a value, or the list of its parts
     * @throws io.cqrs.core.CqrsConfigurationException if it is none of the entity, or one that has parts of several
     *     columns
     */
    public SyncRequest<T> afterKey(String json) {
        this.after = sender.behindKey(Objects.requireNonNull(json, "after"));
        return this;
    }

    /**
     * Sets how many entities a transaction reads and holds; 1000 unless set.
     *
     * @throws IllegalArgumentException if it is not between 1 and 10000
     */
    public SyncRequest<T> pageSize(int count) {
        if (count < 1 || count > 10_000) {
            throw new IllegalArgumentException("pageSize " + count + " must lie between 1 and 10000");
        }
        this.pageSize = count;
        return this;
    }

    /** Tells of each page, and every few seconds while the relay is waited for. */
    public SyncRequest<T> listener(Consumer<SyncProgress> value) {
        this.listener = Objects.requireNonNull(value, "listener");
        return this;
    }

    /**
     * Sends, and returns when all is in the outbox.
     *
     * @return what was sent; nothing where no entity is meant, or none of those is there any more
     * @throws io.cqrs.core.OutboxException if the database refuses; the listener has been told how far it came
     * @throws InterruptedException if the thread is interrupted
     */
    public SyncProgress send() throws InterruptedException {
        return sender.send(new Settings<>(restriction, filter, keys, queue, forced, after, pageSize, listener));
    }

    /**
     * What is to be sent, and how.
     *
     * @param <T> the entity
     * @param restriction which entities
     * @param filter which of them
     * @param keys which ids, or null for any
     * @param queue to which queue, or null for all
     * @param forced whether replicas take it over a later state
     * @param after which entities are those behind where it begins, or null for all
     * @param pageSize how many a transaction
     * @param listener who is told
     */
    public record Settings<T>(
            Restriction<T> restriction,
            FieldFilter filter,
            @Nullable List<Object> keys,
            @Nullable String queue,
            boolean forced,
            @Nullable Restriction<T> after,
            int pageSize,
            Consumer<SyncProgress> listener) {}
}
