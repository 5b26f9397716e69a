package io.cqrs.transport.spi;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where a message goes. */
public sealed interface Destination {

    /**
     * The exchange of the transport: to every queue bound by this key.
     *
     * @param routingKey at most 255 bytes
     */
    record Exchange(String routingKey) implements Destination {}

    /**
     * One queue, whatever it is bound by.
     *
     * @param name the queue
     * @param timeToLive after which it is dropped there, or null for never
     */
    record Queue(String name, @Nullable Duration timeToLive) implements Destination {

        /** Sends to a queue, for ever. */
        public Queue(String name) {
            this(name, null);
        }
    }

    /**
     * Back to the exchange after a delay, which the broker keeps.
     *
     * @param queue the replica queue whose retries these are
     * @param delay one of {@link #STEPS}
     * @param routingKey by which it comes back
     */
    record Delayed(String queue, Duration delay, String routingKey) implements Destination {

        /** The delays there are: the broker keeps a queue for each one in use. */
        public static final List<Duration> STEPS = Stream.of(1, 2, 5, 15, 60, 300, 900, 3600)
                .map(Duration::ofSeconds)
                .toList();

        /** Returns a destination whose delay is the shortest step that lasts at least as long, or the longest one. */
        public static Delayed atLeast(String queue, Duration delay, String routingKey) {
            Duration step = STEPS.stream()
                    .filter(one -> one.compareTo(delay) >= 0)
                    .findFirst()
                    .orElse(STEPS.get(STEPS.size() - 1));
            return new Delayed(queue, step, routingKey);
        }
    }
}
