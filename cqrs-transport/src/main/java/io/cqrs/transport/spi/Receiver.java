package io.cqrs.transport.spi;

import io.cqrs.core.TransportException;
import java.time.Duration;
import java.util.List;

/** Takes messages off a queue. Not thread-safe: it belongs to the thread that opened it. */
public interface Receiver extends AutoCloseable {

    /**
     * Waits for a message, then takes what is there without waiting for more. May be called again before that is acknowledged.
     *
     * @param maxCount no further message once they hold so many changes, 1 or more
     * @param maxBytes no further message once they have so many bytes, unpacked
     * @param wait how long to wait for the first one
     * @return messages in the order of the queue; empty when none came
     * @throws TransportException if the channel is lost or the queue deleted: what was not acknowledged comes again
     * @throws InterruptedException if the thread is interrupted
     */
    List<Delivery> receive(int maxCount, long maxBytes, Duration wait) throws InterruptedException;

    /**
     * Acknowledges this message and all received before it.
     *
     * @throws TransportException if the channel is lost: they come again
     */
    void acknowledgeUpTo(Delivery delivery);

    /** Closes the channel; what was not acknowledged goes back to the queue. Idempotent. */
    @Override
    void close();
}
