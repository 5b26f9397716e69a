package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What is stored of one key, locked by this transaction: the guard of {@link GuardSql}, change by change. A row without
 * revision or time is older than every change.
 */
final class KeyState {

    private boolean exists;
    private @Nullable Stamp stored;
    private @Nullable Instant deleted;
    private final @Nullable Instant horizon;
    private @Nullable Object entity;

    KeyState(boolean exists, @Nullable Stamp stored, @Nullable Instant deleted, @Nullable Instant horizon) {
        this.exists = exists;
        this.stored = stored;
        this.deleted = deleted;
        this.horizon = horizon;
    }

    boolean exists() {
        return exists;
    }

    @Nullable
    Object entity() {
        return entity;
    }

    void loaded(@Nullable Object row) {
        this.entity = row;
    }

    /** Says how a save would end. */
    Outcome judgeSave(Change change, Order order, boolean forced) {
        Stamp stored = this.stored;
        Stamp stamp = change.stamp();
        if (!forced) {
            if (deleted != null && !stamp.updated().isAfter(deleted)) {
                return stamp.equals(stored) ? Outcome.DUPLICATE : Outcome.STALE;
            }
            boolean sync = change.signal() == Signal.SYNC;
            if (!exists && !sync && horizon != null && !stamp.updated().isAfter(horizon)) {
                return Outcome.NEEDS_SYNC;
            }
            if (stored != null && !reaches(stamp, stored, order, sync)) {
                return stamp.equals(stored) ? Outcome.DUPLICATE : Outcome.STALE;
            }
        }
        boolean gap =
                stored != null && stamp.revision().value() > stored.revision().value() + 1;
        return gap ? Outcome.APPLIED_AFTER_GAP : Outcome.APPLIED;
    }

    private static boolean reaches(Stamp stamp, Stamp stored, Order order, boolean sync) {
        if (order == Order.REVISION) {
            return sync || stamp.revision().compareTo(stored.revision()) > 0;
        }
        return sync ? stamp.compareTo(stored) >= 0 : stamp.compareTo(stored) > 0;
    }

    /** Says how a delete would end. A row that a hook kept is known by its tombstone. */
    Outcome judgeDelete(Change change) {
        Instant time = change.stamp().updated();
        if (deleted != null && !time.isAfter(deleted)) {
            return Outcome.DUPLICATE;
        }
        Stamp stored = this.stored;
        return exists && stored != null && stored.updated().isAfter(time) ? Outcome.STALE : Outcome.APPLIED;
    }

    void saved(Object row, Stamp stamp) {
        exists = true;
        entity = row;
        stored = stamp;
    }

    void forgotten() {
        deleted = null;
    }

    void buried(Stamp stamp) {
        deleted = stamp.updated();
    }

    void removed() {
        exists = false;
        entity = null;
        stored = null;
    }
}
