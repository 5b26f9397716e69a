package io.cqrs.replica;

import io.cqrs.core.lifecycle.SessionLoop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a worker is.
 *
 * @param worker its name, as in {@code worker-1}
 * @param state whether it works
 * @param sinceProgress how long ago it last finished a batch, or found the queue empty
 * @param failure what it failed with last, or null while it works
 */
public record WorkerStatus(
        String worker,
        State state,
        Duration sinceProgress,
        @Nullable Throwable failure) {

    /** Whether a worker works. */
    public enum State {
        /** It takes what comes; an empty queue is no trouble. */
        RUNNING,
        /** It has been at one batch, or at connecting, for longer than it should. */
        STUCK,
        /** Its last session failed, it tries again. */
        FAILING,
        /** It was not started, was closed, or ended by an error. */
        STOPPED
    }

    static WorkerStatus of(SessionLoop worker, Duration stuckAfter) {
        @Nullable Throwable failure = worker.failure();
        Duration since = worker.sinceProgress();
        State state = failure == null ? State.RUNNING : State.FAILING;
        if (!worker.isRunning()) {
            state = State.STOPPED;
        } else if (failure == null && since.compareTo(stuckAfter) > 0) {
            state = State.STUCK;
        }
        return new WorkerStatus(worker.name(), state, since, failure);
    }

    /** Says whether nothing has to be done. */
    public boolean isHealthy() {
        return state == State.RUNNING;
    }
}
