package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.MasterModel;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a transaction did to one row: whether it was there before and is there after, its first old and its last new
 * state, and a delete in between. One that comes again may be of another class of its hierarchy.
 */
final class RowHistory {

    private final boolean existedBefore;
    private boolean existsAfter;
    private @Nullable MasterModel model;
    private @Nullable Object entity;
    private Object @Nullable [] firstOldState;
    private Object @Nullable [] firstWritten;
    private Object @Nullable [] keptState;
    private Object @Nullable [] lastState;
    private @Nullable Deleted deleted;
    private @Nullable Instant foundUpdated;
    private boolean begun;
    private boolean partlyKnown;
    private boolean updated;
    private boolean forgotten;

    RowHistory(boolean existedBefore) {
        this.existedBefore = existedBefore;
    }

    void inserted(MasterModel of, Object created, Object[] state) {
        saved(of, created, null, state);
        keptState = lastState;
        partlyKnown = false;
        updated = false;
    }

    void updated(MasterModel of, Object changed, Object @Nullable [] oldState, Object[] state) {
        boolean first = !begun;
        updated = true;
        saved(of, changed, oldState, state);
        if (first) {
            keptState = firstOldState;
            firstWritten = oldState == null ? lastState : null;
        }
        partlyKnown |= keptState == null;
    }

    /** Takes note that a statement wrote the row, which was read behind it: so it tells all that the columns keep. */
    void rewritten(MasterModel of, Object changed, Object[] oldState, Object[] state) {
        saved(of, changed, oldState, state);
        keptState = lastState;
    }

    /** Takes note that other rows decided, too, whether the row was sent before, and are not what they were. */
    void forgetBefore() {
        forgotten = true;
    }

    private void saved(MasterModel of, Object changed, Object @Nullable [] oldState, Object[] state) {
        if (!begun && oldState != null) {
            firstOldState = oldState.clone();
        }
        begun = true;
        existsAfter = true;
        model = of;
        entity = Mixins.asked(changed);
        lastState = state.clone();
    }

    /** Takes note of the time that the row has. */
    void found(Instant time) {
        foundUpdated = time;
    }

    boolean hasBegun() {
        return begun;
    }

    void deleted(MasterModel of, Object removed, Object[] state) {
        if (existedBefore && deleted == null) {
            deleted = new Deleted(of, Mixins.asked(removed), state.clone(), firstOldState, firstWritten);
        }
        begun = true;
        existsAfter = false;
        // What follows is another life of the key: it has no old state.
        firstOldState = null;
        keptState = null;
        lastState = null;
    }

    /** Returns the life whose end replicas must learn of, or null. */
    @Nullable
    Deleted deleted() {
        return deleted;
    }

    /** Returns the time of the last state that others may know of the life that was deleted, or null where it has none. */
    @Nullable
    Instant lastKnownUpdated() {
        return foundUpdated != null || deleted == null ? foundUpdated : deleted.lastKnownUpdated();
    }

    /** Says whether nobody knows if the row that was deleted was sent: it may not be the one that the instance was loaded from. */
    boolean isUnknownBefore() {
        if (deleted == null || forgotten) {
            return deleted != null;
        }
        return foundUpdated == null ? deleted.isUnknown() : !foundUpdated.equals(deleted.lastKnownUpdated());
    }

    /** Returns the state to send, or null where the row is gone. */
    Object @Nullable [] savedState() {
        return existsAfter ? lastState : null;
    }

    /** Returns the model of the state to send, or null where there is none. */
    @Nullable
    MasterModel savedModel() {
        return existsAfter ? model : null;
    }

    /** Says whether the row holds values that the last state does not tell. */
    boolean lacksValues() {
        Object[] state = savedState();
        return state != null
                && model != null
                && ((partlyKnown && model.keepsValues())
                        || (updated && model.keepsMutable())
                        || (isNew() && model.hasDefaults())
                        || !model.isKnown(state));
    }

    /** Returns the instance that was saved, where it has answers of its own. */
    @Nullable
    Object savedEntity() {
        return entity;
    }

    /** Returns the state before the transaction, or null for a new row and where Hibernate does not know it. */
    Object @Nullable [] stateBefore() {
        return firstOldState;
    }

    /** Returns the first state of the row's life that is known here, whose values the columns keep that no update writes. */
    Object @Nullable [] keptState() {
        return keptState;
    }

    /** Says whether the row to send was created in this transaction. */
    boolean isNew() {
        return !existedBefore || deleted != null;
    }

    /** Says whether the row's state before tells not all that decided whether it was sent. */
    boolean isForgotten() {
        return forgotten;
    }

    /**
     * The end of a life that began before the transaction.
     *
     * @param entity the instance that was removed, where it has answers of its own
     * @param state the state that it was removed with
     * @param before the state before the transaction, or null where it is that or not known
     * @param firstWritten the first state that the transaction wrote, where the one before is not known, else null
     */
    record Deleted(
            MasterModel model,
            @Nullable Object entity,
            Object[] state,
            Object @Nullable [] before,
            Object @Nullable [] firstWritten) {

        /** Returns the last state that others may know: the one before the transaction. */
        Object[] lastKnownState() {
            return before == null ? state : before;
        }

        private boolean isUnknown() {
            return firstWritten != null;
        }

        private @Nullable Instant lastKnownUpdated() {
            if (firstWritten != null) {
                // Somewhere before the first one that was written, which came after it.
                @Nullable Instant first = (Instant) firstWritten[model.updated().index()];
                return first == null ? null : first.minus(1, ChronoUnit.MICROS);
            }
            return (Instant) lastKnownState()[model.updated().index()];
        }
    }
}
