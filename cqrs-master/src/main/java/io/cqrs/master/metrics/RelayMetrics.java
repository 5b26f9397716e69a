package io.cqrs.master.metrics;

import io.cqrs.master.RelayListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tells Micrometer what a relay does: counters {@code cqrs.relay.published}, {@code .returned}, {@code .refused} and {@code
 * .dropped}; gauges {@code cqrs.relay.leader} (1 or 0), {@code cqrs.relay.held} (routing keys), {@code cqrs.outbox.waiting}
 * (rows) and {@code cqrs.outbox.oldest} (seconds), all with a tag {@code outbox}. Thread-safe.
 */
public final class RelayMetrics implements RelayListener {

    private final Counter published;
    private final Counter returned;
    private final Counter refused;
    private final Counter dropped;
    private final AtomicInteger leader = new AtomicInteger();
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong oldestNanos = new AtomicLong();
    private final Set<String> held = ConcurrentHashMap.newKeySet();

    /**
     * Registers the meters; the registry is the caller's.
     *
     * @param outbox tells several outboxes of one application apart
     */
    public RelayMetrics(MeterRegistry registry, String outbox) {
        Tags tags = Tags.of("outbox", outbox);
        this.published = registry.counter("cqrs.relay.published", tags);
        this.returned = registry.counter("cqrs.relay.returned", tags);
        this.refused = registry.counter("cqrs.relay.refused", tags);
        this.dropped = registry.counter("cqrs.relay.dropped", tags);
        Gauge.builder("cqrs.relay.leader", leader, AtomicInteger::get)
                .tags(tags)
                .register(registry);
        Gauge.builder("cqrs.relay.held", held, Set::size).tags(tags).register(registry);
        Gauge.builder("cqrs.outbox.waiting", waiting, AtomicLong::get)
                .tags(tags)
                .register(registry);
        Gauge.builder("cqrs.outbox.oldest", oldestNanos, nanos -> nanos.get() / 1e9)
                .baseUnit("seconds")
                .tags(tags)
                .register(registry);
    }

    @Override
    public void leading(boolean active) {
        leader.set(active ? 1 : 0);
        held.clear();
    }

    @Override
    public void published(int count) {
        published.increment(count);
    }

    @Override
    public void waiting(long rows, Duration oldest) {
        waiting.set(rows);
        oldestNanos.set(oldest.toNanos());
    }

    @Override
    public void held(String routingKey) {
        held.add(routingKey);
    }

    @Override
    public void released(String routingKey) {
        held.remove(routingKey);
    }

    @Override
    public void returned(String routingKey) {
        returned.increment();
    }

    @Override
    public void refused(String routingKey) {
        refused.increment();
    }

    @Override
    public void dropped(int count) {
        dropped.increment(count);
    }
}
