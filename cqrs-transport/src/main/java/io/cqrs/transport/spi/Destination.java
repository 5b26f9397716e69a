package io.cqrs.transport.spi;

import java.time.Duration;

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
     */
    record Queue(String name) implements Destination {}

    /**
     * Back to the exchange after a delay, which the broker keeps.
     *
     * @param queue the replica queue whose retries these are
     * @param delay how long, in whole seconds; a broker queue exists for each delay in use, so use few
     * @param routingKey by which it comes back
     */
    record Delayed(String queue, Duration delay, String routingKey) implements Destination {}
}
