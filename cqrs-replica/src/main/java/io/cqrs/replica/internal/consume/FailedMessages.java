package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.replica.Outcome;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands messages that could not be applied back to the broker: to a delay queue, or to the dead letters.
 *
 * <p>{@link #flush} returns once the broker has confirmed them; only then may the originals be acknowledged.
 */
final class FailedMessages implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FailedMessages.class);
    private static final Duration CONFIRM_LIMIT = Duration.ofSeconds(30);
    private static final int REASON_LENGTH = 1000;

    private final WorkerSettings settings;
    private final Transport transport;
    private final MessageCodec codec = new MessageCodec();
    private final List<OutgoingMessage> waiting = new ArrayList<>();
    private @Nullable Publisher publisher;
    private long sent;

    FailedMessages(WorkerSettings settings, Transport transport) {
        this.settings = settings;
        this.transport = transport;
    }

    /** Plans another attempt after the policy's delay, or the dead letter queue once all are used up. */
    void retryOrDeadLetter(Incoming one, Exception error, boolean countsAsAttempt) {
        CqrsId cqrsId = one.message().change().key().cqrsId();
        int retries = one.message().retries();
        if (countsAsAttempt && retries >= settings.retries().maxRetries()) {
            reject(one, error);
            return;
        }
        Message next = countsAsAttempt ? one.message().afterFailure() : one.message();
        Map<String, Object> headers = new HashMap<>(one.delivery().headers());
        headers.putIfAbsent(Headers.FIRST_FAILURE, now());
        Duration wait = settings.retries().backoff().delay(countsAsAttempt ? retries + 1 : 1);
        String queue = settings.queue().name();
        Destination back = Destination.Delayed.atLeast(queue, wait, RoutingKeys.toQueue(queue, cqrsId));
        waiting.add(new OutgoingMessage(
                back, id(), OutgoingMessage.SINGLE, headers, codec.encode(next).getBytes(StandardCharsets.UTF_8)));
        settings.listener().retried(cqrsId, error);
    }

    /** Gives a change up for good: it goes to the dead letters and counts as rejected. */
    void reject(Incoming one, Exception error) {
        CqrsId cqrsId = one.message().change().key().cqrsId();
        deadLetter(one.delivery(), cqrsId, one.message().retries() + 1, error);
        settings.listener().ended(cqrsId, Outcome.REJECTED, 1);
    }

    /** Plans the dead letter queue: the bytes as they came, and why. */
    void deadLetter(Delivery delivery, @Nullable CqrsId cqrsId, int attempts, Exception error) {
        String reason = Reasons.of(error);
        Map<String, Object> headers = new HashMap<>(delivery.headers());
        headers.putIfAbsent(Headers.FIRST_FAILURE, now());
        headers.put(Headers.LAST_FAILURE, now());
        headers.put(Headers.ERROR_CLASS, error.getClass().getName());
        headers.put(Headers.ERROR_MESSAGE, reason.substring(0, Math.min(reason.length(), REASON_LENGTH)));
        headers.put(Headers.ATTEMPTS, attempts);
        headers.put(Headers.SOURCE_QUEUE, settings.queue().name());
        String contentType = delivery.contentType() == null ? OutgoingMessage.SINGLE : delivery.contentType();
        Destination deadLetters = new Destination.Queue(settings.queue().deadLetters());
        waiting.add(new OutgoingMessage(deadLetters, id(), contentType, headers, delivery.body()));
        LOG.warn("{}: to the dead letters: {}", settings.queue().name(), reason);
        settings.listener().deadLettered(cqrsId, error);
    }

    /** Publishes what was planned and waits until the broker has it. */
    void flush() throws InterruptedException {
        if (waiting.isEmpty()) {
            return;
        }
        Publisher open = publisher;
        if (open == null) {
            open = transport.openPublisher();
            publisher = open;
        }
        for (PublishOutcome outcome : open.send(waiting).await(CONFIRM_LIMIT)) {
            if (!outcome.isConfirmed()) {
                throw TransportException.lost(
                        "a message that failed could not be moved out of queue "
                                + settings.queue().name() + ": " + outcome,
                        null);
            }
        }
        waiting.clear();
    }

    @Override
    public void close() {
        if (publisher != null) {
            publisher.close();
        }
    }

    private String id() {
        return "failed-" + sent++;
    }

    private String now() {
        return Instant.now(settings.clock()).toString();
    }
}
