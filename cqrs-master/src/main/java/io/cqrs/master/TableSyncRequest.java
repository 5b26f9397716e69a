package io.cqrs.master;

import io.cqrs.core.FieldFilter;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends rows of a {@link MasterTable} as they are now, as SYNC messages through the outbox; pages, locks and waits as
 * {@link SyncRequest} does. Not thread-safe; use once.
 */
public final class TableSyncRequest {

    private final Sender sender;
    private FieldFilter filter = FieldFilter.all();
    private @Nullable String queue;
    private boolean forced;
    private @Nullable String after;
    private int pageSize = 1000;
    private Consumer<SyncProgress> listener = progress -> {};

    /** Carries a request out. */
    @FunctionalInterface
    interface Sender {
        SyncProgress send(Settings settings);
    }

    TableSyncRequest(Sender sender) {
        this.sender = sender;
    }

    /** Sends only rows that this is true of, besides the declaration's own filter; all unless set. */
    public TableSyncRequest where(FieldFilter value) {
        this.filter = Objects.requireNonNull(value, "filter");
        return this;
    }

    /** Sends to one queue; to all that are bound unless set. */
    public TableSyncRequest to(String name) {
        this.queue = SyncRequest.requireName(name);
        return this;
    }

    /** Has replicas take the state even over a later one. */
    public TableSyncRequest force() {
        this.forced = true;
        return this;
    }

    /**
     * Goes on behind the row with this key, as {@link SyncProgress#lastKey} had it.
     *
     * @param json the key on the wire: a value, or the list of its parts
     */
    public TableSyncRequest afterKey(String json) {
        this.after = Objects.requireNonNull(json, "after");
        return this;
    }

    /**
     * Sets how many rows a transaction reads and holds; 1000 unless set.
     *
     * @throws IllegalArgumentException if it is not between 1 and 10000
     */
    public TableSyncRequest pageSize(int count) {
        if (count < 1 || count > 10_000) {
            throw new IllegalArgumentException("pageSize " + count + " must lie between 1 and 10000");
        }
        this.pageSize = count;
        return this;
    }

    /** Tells of each page, and every few seconds while the relay is waited for. */
    public TableSyncRequest listener(Consumer<SyncProgress> value) {
        this.listener = Objects.requireNonNull(value, "listener");
        return this;
    }

    /**
     * Sends, and returns when all is in the outbox.
     *
     * @throws io.cqrs.core.OutboxException if the database refuses; the listener has been told how far it came
     */
    public SyncProgress send() {
        return sender.send(new Settings(filter, queue, forced, after, pageSize, listener));
    }

    /**
     * What is to be sent, and how.
     *
     * @param filter which rows
     * @param queue to which queue, or null for all
     * @param forced whether replicas take it over a later state
     * @param after behind which key, as JSON, or null for the first
     * @param pageSize how many a transaction
     * @param listener who is told
     */
    public record Settings(
            FieldFilter filter,
            @Nullable String queue,
            boolean forced,
            @Nullable String after,
            int pageSize,
            Consumer<SyncProgress> listener) {}
}
