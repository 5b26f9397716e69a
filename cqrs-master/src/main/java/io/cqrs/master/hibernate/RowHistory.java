package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.MasterModel;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a transaction did to one row: whether it was there before and is there after, its first old and its last new
 * state, and a delete in between.
 */
final class RowHistory {

    private final boolean existedBefore;
    private boolean existsAfter;
    private @Nullable Object entity;
    private Object @Nullable [] firstOldState;
    private Object @Nullable [] keptState;
    private Object @Nullable [] lastState;
    private Object @Nullable [] deletedState;
    private @Nullable Object deletedEntity;
    private Object @Nullable [] lastKnownState;
    private @Nullable Instant foundUpdated;
    private boolean begun;
    private boolean partlyKnown;
    private boolean updated;

    RowHistory(boolean existedBefore) {
        this.existedBefore = existedBefore;
    }

    void inserted(Object created, Object[] state) {
        saved(created, null, state);
        keptState = lastState;
        partlyKnown = false;
        updated = false;
    }

    void updated(Object changed, Object @Nullable [] oldState, Object[] state) {
        boolean first = !begun;
        updated = true;
        saved(changed, oldState, state);
        if (first) {
            keptState = firstOldState;
        }
        partlyKnown |= keptState == null;
    }

    private void saved(Object changed, Object @Nullable [] oldState, Object[] state) {
        if (!begun && oldState != null) {
            firstOldState = oldState.clone();
        }
        begun = true;
        existsAfter = true;
        entity = changed;
        lastState = state.clone();
    }

    /** Takes note of the time that the row has. */
    void found(Instant updated) {
        foundUpdated = updated;
    }

    boolean hasBegun() {
        return begun;
    }

    /** Returns the time of the last state that others may know of the life that was deleted, or null where it has none. */
    @Nullable
    Instant lastKnownUpdated(int index) {
        return foundUpdated != null || lastKnownState == null ? foundUpdated : (Instant) lastKnownState[index];
    }

    /** Says whether the row that was deleted is not the one that the instance was loaded from. */
    boolean isAnothers(int index) {
        return foundUpdated != null && lastKnownState != null && !foundUpdated.equals(lastKnownState[index]);
    }

    void deleted(Object removed, Object[] state) {
        if (existedBefore && deletedState == null) {
            deletedState = state.clone();
            deletedEntity = removed;
            lastKnownState = firstOldState == null ? deletedState : firstOldState;
        }
        begun = true;
        existsAfter = false;
        // What follows is another life of the key: it has no old state.
        firstOldState = null;
        keptState = null;
        lastState = null;
    }

    /** Returns the state whose deletion replicas must learn of, or null. */
    Object @Nullable [] deletedState() {
        return deletedState;
    }

    /** Returns the last state that others may know of the life that was deleted: the one before the transaction. */
    Object @Nullable [] lastKnownState() {
        return lastKnownState;
    }

    @Nullable
    Object deletedEntity() {
        return deletedEntity;
    }

    /** Returns the state to send, or null where the row is gone. */
    Object @Nullable [] savedState() {
        return existsAfter ? lastState : null;
    }

    /** Says whether the row holds values that the last state does not tell. */
    boolean lacksValues(MasterModel model) {
        Object[] state = savedState();
        return state != null
                && ((partlyKnown && model.keepsValues())
                        || (updated && model.keepsMutable())
                        || (isNew() && model.hasDefaults())
                        || !model.isKnown(state));
    }

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
        return !existedBefore || deletedState != null;
    }
}
