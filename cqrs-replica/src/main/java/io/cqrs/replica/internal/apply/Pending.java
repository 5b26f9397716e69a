package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.replica.Outcome;
import org.jspecify.annotations.Nullable;

/** A change on its way into the replica, and how it ended. Belongs to one worker. */
public final class Pending {

    private final Change change;
    private @Nullable Outcome outcome;
    private boolean committed;

    /** Begins with a change that has not ended yet. */
    public Pending(Change change) {
        this.change = change;
    }

    /** Returns the change. */
    public Change change() {
        return change;
    }

    /** Returns how it ended; valid once its transaction has committed. */
    public Outcome outcome() {
        if (outcome == null) {
            throw new IllegalStateException("the change of " + change.key() + " has not ended");
        }
        return outcome;
    }

    /** Says whether its outcome is committed, whatever becomes of the rest of its batch. */
    public boolean isCommitted() {
        return committed;
    }

    void commit() {
        committed = true;
    }

    void end(Outcome how) {
        this.outcome = how;
    }
}
