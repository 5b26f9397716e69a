package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Folds changes of one model to at most one delete and one save a key, since one statement may touch a row only once.
 *
 * <p>The newest delete and the newest save stay; what is folded away gets its outcome here. A save that a sync is
 * folded with counts as a sync. Forced changes come in folds of their own, where the last to arrive stays.
 */
final class Fold {

    private final Order order;
    private final boolean forced;
    private final Map<EntityKey, Newest> saves = new LinkedHashMap<>();
    private final Map<EntityKey, Newest> deletes = new LinkedHashMap<>();

    Fold(Order order, boolean forced) {
        this.order = order;
        this.forced = forced;
    }

    void add(Pending pending) {
        boolean delete = pending.change().signal() == Signal.DELETE;
        (delete ? deletes : saves)
                .computeIfAbsent(pending.change().key(), key -> new Newest())
                .add(pending);
    }

    Collection<Newest> saves() {
        return saves.values();
    }

    Collection<Newest> deletes() {
        return deletes.values();
    }

    /** The newest change of a key, and what it was folded with. */
    final class Newest {

        private final List<Pending> all = new ArrayList<>(1);
        private @Nullable Pending winner;
        private boolean sync;

        Change change() {
            return winner().change();
        }

        boolean isSync() {
            return sync;
        }

        /** Sets the winner's outcome once the database has spoken. */
        void end(Outcome outcome) {
            winner().end(outcome);
        }

        /** Says whether revisions between the replica's and the winner's are missing, in the batch as in the replica. */
        boolean skips(long replicaRevision) {
            long first = change().stamp().revision().value();
            for (boolean extended = true; extended && all.size() > 1; ) {
                extended = false;
                for (Pending one : all) {
                    if (one.change().stamp().revision().value() == first - 1) {
                        first--;
                        extended = true;
                    }
                }
            }
            return first > replicaRevision + 1;
        }

        private Pending winner() {
            if (winner == null) {
                throw new IllegalStateException("an empty fold has no newest change");
            }
            return winner;
        }

        private void add(Pending next) {
            all.add(next);
            sync |= next.change().signal() == Signal.SYNC;
            Pending current = winner;
            if (current == null) {
                winner = next;
            } else if (beats(next.change(), current.change())) {
                current.end(Outcome.STALE);
                winner = next;
            } else {
                boolean equal = next.change().stamp().equals(current.change().stamp());
                next.end(equal ? Outcome.DUPLICATE : Outcome.STALE);
            }
        }

        private boolean beats(Change next, Change current) {
            if (forced) {
                return true;
            }
            if (order == Order.REVISION && next.signal() != Signal.DELETE) {
                return next.signal() == Signal.SYNC
                        || next.stamp().revision().compareTo(current.stamp().revision()) > 0;
            }
            return next.stamp().compareTo(current.stamp()) > 0;
        }
    }
}
