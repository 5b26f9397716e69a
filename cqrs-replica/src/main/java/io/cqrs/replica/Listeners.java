package io.cqrs.replica;

import io.cqrs.core.CqrsId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells all of them, in their order. */
record Listeners(List<ReplicaListener> all) implements ReplicaListener {

    @Override
    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
        all.forEach(one -> one.ended(cqrsId, outcome, count));
    }

    @Override
    public void applied(CqrsId cqrsId, Duration lag) {
        all.forEach(one -> one.applied(cqrsId, lag));
    }

    @Override
    public void batch(int messages, Duration time, Set<String> traceParents) {
        all.forEach(one -> one.batch(messages, time, traceParents));
    }

    @Override
    public void retried(CqrsId cqrsId, Throwable error) {
        all.forEach(one -> one.retried(cqrsId, error));
    }

    @Override
    public void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {
        all.forEach(one -> one.deadLettered(cqrsId, error));
    }
}
