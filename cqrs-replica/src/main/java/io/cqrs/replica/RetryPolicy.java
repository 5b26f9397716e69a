package io.cqrs.replica;

import io.cqrs.core.Backoff;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * How often and how soon a change that failed is tried again. Immutable.
 *
 * @param maxRetries after so many retries it goes to the dead letters; 0 for none
 * @param backoff the wait before each retry; rounded up to one of {@link #STEPS}, since each is a queue in the broker
 */
public record RetryPolicy(int maxRetries, Backoff backoff) {

    /** The waits that the broker keeps queues for. */
    public static final List<Duration> STEPS = List.of(
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            Duration.ofSeconds(15),
            Duration.ofSeconds(60),
            Duration.ofSeconds(300),
            Duration.ofSeconds(900),
            Duration.ofSeconds(3600));

    /** 30 retries, from 2 seconds doubling to an hour: about a day. */
    public static final RetryPolicy STANDARD =
            new RetryPolicy(30, Backoff.exponential(Duration.ofSeconds(2), Duration.ofHours(1)));

    /**
     * Checks the count.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public RetryPolicy {
        Objects.requireNonNull(backoff, "backoff");
        if (maxRetries < 0) {
            throw new IllegalArgumentException("maxRetries " + maxRetries + " is negative");
        }
    }

    /** Returns the step to wait before this retry, 1 being the first. */
    public Duration step(int retry) {
        Duration wanted = backoff.delay(retry);
        return STEPS.stream()
                .filter(step -> step.compareTo(wanted) >= 0)
                .findFirst()
                .orElse(STEPS.get(STEPS.size() - 1));
    }
}
