package io.cqrs.transport.spi;

import io.cqrs.core.TransportException;
import java.time.Duration;
import java.util.List;

/** Publishes with confirms, pipelined. Not thread-safe: it belongs to the thread that opened it. */
public interface Publisher extends AutoCloseable {

    /**
     * Sends messages, in this order, without waiting for their confirms; holds back while the broker asks publishers
     * to.
     *
     * @throws TransportException if the channel is lost: what became of messages without an outcome is unknown
     * @throws InterruptedException if the thread is interrupted while it is held back
     */
    Publication send(List<OutgoingMessage> messages) throws InterruptedException;

    /** Closes the channel; messages without an outcome may or may not arrive. Idempotent. */
    @Override
    void close();

    /** Messages on their way to the broker. */
    interface Publication {
        /**
         * Waits for the broker's word on each message.
         *
         * @param limit how long at most
         * @return an outcome a message, in the order sent
         * @throws TransportException if the channel is lost or the limit is over: the publisher must be closed, what
         *     became of the messages is unknown
         * @throws InterruptedException if the thread is interrupted
         */
        List<PublishOutcome> await(Duration limit) throws InterruptedException;
    }
}
