package io.cqrs.transport.spi;

import io.cqrs.core.TransportException;
import org.jspecify.annotations.Nullable;

/**
 * Looks through a queue, one message at a time, and removes those it is told to. The others go back to their places when
 * it is closed. Holds one body at a time. Not thread-safe: it belongs to the thread that opened it.
 */
public interface Browser extends AutoCloseable {

    /** Returns how many messages the queue held when it was opened. */
    long size();

    /**
     * Takes the next message into hand.
     *
     * @return null where no message is left
     * @throws TransportException if the channel is lost: nothing more was removed than was asked for
     */
    @Nullable
    Delivery next();

    /**
     * Removes a message that was taken.
     *
     * @throws TransportException if the channel is lost: it stays
     */
    void remove(Delivery delivery);

    /** Gives back what was not removed; idempotent. */
    @Override
    void close();
}
