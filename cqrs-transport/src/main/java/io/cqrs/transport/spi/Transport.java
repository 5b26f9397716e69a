package io.cqrs.transport.spi;

import io.cqrs.core.TransportException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Carries messages from masters to replicas through one exchange.
 *
 * <p>Opening waits for the broker, trying again for ever, so that a caller only ever meets a channel that was lost: it
 * then closes what it opened and opens it anew. Thread-safe; what it opens is not.
 */
public interface Transport extends AutoCloseable {

    /**
     * Makes sure that the exchange, the queue with its shards, its dead letter queue and their bindings exist. Queues that
     * exist are used as they are, whatever their arguments. The number of shards may change: what is bound follows, and
     * queues beyond it stay to be emptied.
     *
     * @return the queues to receive from; those beyond the declared shards among them
     * @throws TransportException if the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    List<String> declare(ReplicaQueue queue) throws InterruptedException;

    /**
     * Opens a publisher for the calling thread.
     *
     * @throws TransportException if the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    Publisher openPublisher() throws InterruptedException;

    /**
     * Returns what keeps publishers waiting now, as a broker that can't be reached or that holds them back, or null where nothing is
     * known to.
     */
    default @Nullable TransportException publishingFailure() {
        return null;
    }

    /** How many bytes of bodies a receiver holds unless another number is given: 16 MiB. */
    long PREFETCH_BYTES = 16L << 20;

    /**
     * Opens a receiver that holds no more than {@link #PREFETCH_BYTES}.
     *
     * @see #openReceiver(List, int, long)
     */
    default Receiver openReceiver(String queue, int prefetch) throws InterruptedException {
        return openReceiver(List.of(queue), prefetch, PREFETCH_BYTES);
    }

    /**
     * Opens a receiver of declared queues for the calling thread.
     *
     * @param queues the names of one or more
     * @param prefetch how many changes the broker may hand over ahead of their acknowledgement, 1 or more: one message more,
     *     at most
     * @param prefetchBytes how many bytes of bodies it holds, about: one body more, at most
     * @throws TransportException if a queue does not exist, the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    Receiver openReceiver(List<String> queues, int prefetch, long prefetchBytes) throws InterruptedException;

    /**
     * Opens a look through a queue for the calling thread.
     *
     * @throws TransportException if the queue does not exist, the broker refuses, or the transport is closed
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    Browser openBrowser(String queue) throws InterruptedException;

    /** Names the broker and the exchange for a log line, without secrets. */
    String describe();

    /** Closes the connections and all that was opened on them; idempotent. */
    @Override
    void close();
}
