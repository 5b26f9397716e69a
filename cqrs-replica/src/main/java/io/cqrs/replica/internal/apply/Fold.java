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
        Newest newest = change.signal() == Signal.DELETE ? newest(deletes, change) : newestSave(change);
        newest.add(pending);
    }

    /** Returns the saves of the first statement, which go before those of the second, and so on. */
    List<Collection<Newest>> saves() {
        return saves.stream().map(Map::values).toList();
    }

    Collection<Newest> deletes() {
        return deletes.values();
    }

    /** A save belongs with the last ones of its key if those fill its columns, else behind them. */
    private Newest newestSave(Change change) {
        for (int last = saves.size() - 1; last >= 0; last--) {
            Newest earlier = saves.get(last).get(change.key());
            if (earlier != null) {
                return fillSameColumns(earlier.change(), change) ? earlier : newest(statement(last + 1), change);
            }
        }
        return newest(statement(0), change);
    }

    private Map<EntityKey, Newest> statement(int number) {
        if (number == saves.size()) {
            saves.add(new LinkedHashMap<>());
        }
        return saves.get(number);
    }

    private Newest newest(Map<EntityKey, Newest> statement, Change change) {
        return statement.computeIfAbsent(change.key(), key -> new Newest());
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
