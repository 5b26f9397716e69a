package io.cqrs.master.internal.relay;

import io.cqrs.core.Backoff;
import io.cqrs.core.lifecycle.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Routing keys that the broker does not take now: their rows stay in the outbox, in order, until a probe gets through.
 * Holds keys only, never rows. Belongs to the relay's thread.
 */
final class Parked {

    /** A queue that is declared again gets its messages a few seconds later, however long it was away. */
    private static final Backoff PROBE = Backoff.exponential(Duration.ofMillis(250), Duration.ofSeconds(5));

    private final Ticker ticker;
    private final Map<String, Probe> probes = new HashMap<>();

    Parked(Ticker ticker) {
        this.ticker = ticker;
    }

    boolean contains(String routingKey) {
        return probes.containsKey(routingKey);
    }

    /** Parks a key, or puts its next probe off. Returns whether it is newly parked. */
    boolean park(String routingKey) {
        Probe before = probes.get(routingKey);
        int failures = before == null ? 1 : before.failures() + 1;
        long due = ticker.nanoTime() + PROBE.delay(failures).toNanos();
        probes.put(routingKey, new Probe(failures, due));
        return before == null;
    }

    /** Takes note that the key's first rows got through: the next ones follow without waiting. */
    void passed(String routingKey) {
        probes.put(routingKey, new Probe(0, ticker.nanoTime()));
    }

    void release(String routingKey) {
        probes.remove(routingKey);
    }

    /** Returns the keys whose probe is due, each with whether only one row may be tried. */
    List<Due> due() {
        List<Due> due = new ArrayList<>();
        probes.forEach((routingKey, probe) -> {
            if (probe.due() - ticker.nanoTime() <= 0) {
                due.add(new Due(routingKey, probe.failures() > 0));
            }
        });
        return due;
    }

    boolean isEmpty() {
        return probes.isEmpty();
    }

    record Due(String routingKey, boolean probing) {}

    private record Probe(int failures, long due) {}
}
