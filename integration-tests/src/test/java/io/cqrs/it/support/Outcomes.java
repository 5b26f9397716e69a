package io.cqrs.it.support;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaListener;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Counts what becomes of changes. */
public final class Outcomes implements ReplicaListener {

    private final Map<Outcome, AtomicInteger> counts = new ConcurrentHashMap<>();
    private final AtomicInteger retried = new AtomicInteger();
    private final AtomicInteger dead = new AtomicInteger();

    @Override
    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
        counts.computeIfAbsent(outcome, key -> new AtomicInteger()).addAndGet(count);
    }

    @Override
    public void retried(CqrsId cqrsId, Throwable error) {
        retried.incrementAndGet();
    }

    @Override
    public void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {
        dead.incrementAndGet();
    }

    public int of(Outcome outcome) {
        AtomicInteger count = counts.get(outcome);
        return count == null ? 0 : count.get();
    }

    public int ended() {
        return counts.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    public int retried() {
        return retried.get();
    }

    public int dead() {
        return dead.get();
    }

    @Override
    public String toString() {
        return counts + ", retried " + retried + ", dead " + dead;
    }
}
