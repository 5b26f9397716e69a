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
 * Folds changes of one model to at most one delete and one save a key and statement, since one statement may touch a row
 * only once.
 *
 * <p>The newest delete and the newest save stay; what is folded away gets its outcome here. A save that a sync is
 * folded with counts as a sync. Forced changes come in folds of their own, where the last to arrive stays. A save that
 * fills other columns than the one of its key before, as two versions of a master send them, is not folded with it: what the
 * later one lacks keeps the value of the earlier.
 */
final class Fold {

    private final ReplicaTable table;
    private final boolean forced;
    private final List<Map<EntityKey, Newest>> saves = new ArrayList<>();
    private final Map<EntityKey, Newest> deletes = new LinkedHashMap<>();

    Fold(ReplicaTable table, boolean forced) {
        this.table = table;
        this.forced = forced;
    }

    void add(Pending pending) {
        Change change = pending.change();
        (change.signal() == Signal.DELETE ? deletes : round(change))
                .computeIfAbsent(change.key(), key -> new Newest())
                .add(pending);
    }

    /** Returns the saves of the first statement, which go before those of the second, and so on. */
    List<Collection<Newest>> saves() {
        return saves.stream().map(Map::values).toList();
    }

    Collection<Newest> deletes() {
        return deletes.values();
    }

    /** Returns where a save belongs: behind the earlier ones of its key, or with the last of them if that has its fields. */
    private Map<EntityKey, Newest> round(Change change) {
        int last = saves.size() - 1;
        while (last >= 0 && !saves.get(last).containsKey(change.key())) {
            last--;
        }
        Newest earlier = last < 0 ? null : saves.get(last).get(change.key());
        if (earlier == null || !fillSameColumns(earlier.change(), change)) {
            last++;
        }
        if (last == saves.size()) {
            saves.add(new LinkedHashMap<>());
        }
        return saves.get(last);
    }

    private boolean fillSameColumns(Change one, Change other) {
        return table.columns().stream()
                .allMatch(column ->
                        one.data().containsKey(column.field()) == other.data().containsKey(column.field()));
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
            if (table.order() == Order.REVISION && next.signal() != Signal.DELETE) {
                return next.signal() == Signal.SYNC
                        || next.stamp().revision().compareTo(current.stamp().revision()) > 0;
            }
            return next.stamp().compareTo(current.stamp()) > 0;
        }
    }
}
