package io.cqrs.transport.spi;

import io.cqrs.core.TransportException;

/**
 * Carries messages from masters to replicas through one exchange.
 *
 * <p>Opening waits for the broker, trying again for ever, so that a caller only ever meets a channel that was lost: it
 * then closes what it opened and opens it anew. Thread-safe; what it opens is not.
 */
public interface Transport extends AutoCloseable {

    /**
     * Makes sure that the exchange, the queue, its dead letter queue and its bindings exist. Queues that exist are used
     * as they are, whatever their arguments.
     *
     * @throws TransportException if the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    void declare(ReplicaQueue queue) throws InterruptedException;

    /**
     * Opens a publisher for the calling thread.
     *
     * @throws TransportException if the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    Publisher openPublisher() throws InterruptedException;

    /**
     * Opens a receiver of a declared queue for the calling thread.
     *
     * @param queue the queue's name
     * @param prefetch how many messages the broker may hand over ahead of their acknowledgement, 1 or more
     * @throws TransportException if the queue does not exist, the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    Receiver openReceiver(String queue, int prefetch) throws InterruptedException;

    /** Names the broker and the exchange for a log line, without secrets. */
    String describe();

    /** Closes the connections and all that was opened on them; idempotent. */
    @Override
    void close();
}
