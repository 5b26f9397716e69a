package io.cqrs.replica;

import io.cqrs.core.CqrsId;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Is told what becomes of changes. Called by worker threads, several at a time: thread-safe, quick, not throwing. */
public interface ReplicaListener {

    /** Changes of a model ended so, after the commit. */
    default void ended(CqrsId cqrsId, Outcome outcome, int count) {}

    /** A change was applied and committed, so long after the master's own time of it; below zero where clocks differ. */
    default void applied(CqrsId cqrsId, Duration lag) {}

    /**
     * A batch was seen through: so many messages in that time, from their arrival at the worker to the last commit.
     *
     * @param traceParents the W3C trace contexts that they carry, each once
     */
    default void batch(int messages, Duration time, Set<String> traceParents) {}

    /** A change failed and will come again. */
    default void retried(CqrsId cqrsId, Throwable error) {}

    /** A message went to the dead letters; its model is null where it could not be told. */
    default void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {}
}
