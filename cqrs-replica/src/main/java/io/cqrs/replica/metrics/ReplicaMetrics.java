package io.cqrs.replica.metrics;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaListener;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Tells Micrometer what a replica does: counters {@code cqrs.replica.changes} by {@code model} and {@code outcome} (applied,
 * applied_after_gap, duplicate, stale, skipped, needs_sync, rejected), {@code cqrs.replica.retried} and {@code
 * cqrs.replica.dead} by {@code model} (unknown where it could not be told); histograms {@code cqrs.replica.lag} by {@code
 * model}, from the master's time of a change to its commit here, {@code cqrs.replica.batch} (messages) and {@code
 * cqrs.replica.apply} (time of a batch); all with a tag {@code queue}. Thread-safe.
 */
public final class ReplicaMetrics implements ReplicaListener {

    private final MeterRegistry registry;
    private final Tags tags;
    private final DistributionSummary batch;
    private final Timer apply;
    private final Map<CqrsId, Timer> lags = new ConcurrentHashMap<>();

    /**
     * Registers the meters; the registry is the caller's.
     *
     * @param queue tells several replicas of one application apart
     */
    public ReplicaMetrics(MeterRegistry registry, String queue) {
        this.registry = registry;
        this.tags = Tags.of("queue", queue);
        this.batch =
                DistributionSummary.builder("cqrs.replica.batch").tags(tags).register(registry);
        this.apply = Timer.builder("cqrs.replica.apply").tags(tags).register(registry);
    }

    @Override
    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
        registry.counter(
                        "cqrs.replica.changes",
                        model(cqrsId).and("outcome", outcome.name().toLowerCase(Locale.ROOT)))
                .increment(count);
    }

    @Override
    public void applied(CqrsId cqrsId, Duration lag) {
        // One for each change: too often to look the meter up by its tags.
        lags.computeIfAbsent(cqrsId, this::lagOf).record(lag.isNegative() ? Duration.ZERO : lag);
    }

    private Timer lagOf(CqrsId cqrsId) {
        return Timer.builder("cqrs.replica.lag")
                .tags(model(cqrsId))
                .publishPercentileHistogram()
                .register(registry);
    }

    @Override
    public void batch(int messages, Duration time, Set<String> traceParents) {
        batch.record(messages);
        apply.record(time);
    }

    @Override
    public void retried(CqrsId cqrsId, Throwable error) {
        registry.counter("cqrs.replica.retried", model(cqrsId)).increment();
    }

    @Override
    public void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {
        registry.counter("cqrs.replica.dead", model(cqrsId)).increment();
    }

    private Tags model(@Nullable CqrsId cqrsId) {
        return tags.and("model", cqrsId == null ? "unknown" : cqrsId.value());
    }
}
