package io.cqrs.master;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a relay is, for health checks.
 *
 * @param active whether it is the one that publishes; one that waits to take over is well, too
 * @param waiting how many changes waited in the outbox when it last counted, a million meaning that or more; 0 where it
 *     is not active
 * @param oldest how long the first of them had waited
 * @param held the routing keys that nobody takes or the broker refuses
 * @param failure what it failed with last, or what keeps it from publishing now, or null while it works
 */
public record RelayStatus(
        boolean active,
        long waiting,
        Duration oldest,
        Set<String> held,
        @Nullable Throwable failure) {}
