package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.TransportException;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.internal.apply.HookFailure;
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
import java.time.DateTimeException;
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
    private static final Duration LONGEST_PARENT_WAIT = Duration.ofMinutes(1);
    private static final int REASON_LENGTH = 1000;
    /** Of 128 KiB, in characters of three bytes at most. */
    private static final int MOST_CARRIED = 30_000;

    private static final int MANY = 500;

    private final WorkerSettings settings;
    private final Transport transport;
    private final MessageCodec codec = new MessageCodec();
    private final List<OutgoingMessage> waiting = new ArrayList<>();
    private final List<Runnable> news = new ArrayList<>();
    private @Nullable Publisher publisher;
    private long sent;

    FailedMessages(WorkerSettings settings, Transport transport) {
        this.settings = settings;
        this.transport = transport;
    }

    /** Plans another attempt after the policy's or the handler's delay, or the dead letter queue once all are used up. */
    void retryOrDeadLetter(Incoming one, Exception error, boolean countsAsAttempt) {
        CqrsId cqrsId = one.message().change().key().cqrsId();
        int retries = one.message().retries();
        Retries policy = new Retries(settings, cqrsId);
        if (countsAsAttempt && !policy.allow(retries, error)) {
            reject(one, error);
            return;
        }
        retry(
                one,
                error,
                countsAsAttempt ? one.message().afterFailure() : one.message(),
                policy.delay(countsAsAttempt ? retries + 1 : 1),
                Map.of());
    }

    /** Plans another attempt for a row whose parent has not come yet, by a clock of its own, not by attempts. */
    void awaitParent(Incoming one, Exception error) {
        Instant now = settings.clock().instant();
        Instant since = missingSince(one, now);
        Duration waited = Duration.between(since, now);
        if (waited.compareTo(settings.parentPatience()) >= 0) {
            reject(
                    one,
                    new ReplicationException(
                            one.message().change() + " refers to a row that has not come for " + waited
                                    + ": sync that from its master, then send this again; " + Reasons.of(error),
                            null));
            return;
        }
        Duration wait = waited.dividedBy(2);
        retry(
                one,
                error,
                one.message(),
                wait.compareTo(LONGEST_PARENT_WAIT) < 0 ? wait : LONGEST_PARENT_WAIT,
                Map.of(Headers.PARENT_MISSING_SINCE, since.toString()));
    }

    private static Instant missingSince(Incoming one, Instant otherwise) {
        Object since = one.delivery().headers().get(Headers.PARENT_MISSING_SINCE);
        try {
            return since == null ? otherwise : Instant.parse(since.toString());
        } catch (DateTimeException e) {
            return otherwise;
        }
    }

    private void retry(Incoming one, Exception error, Message next, Duration wait, Map<String, Object> more) {
        CqrsId cqrsId = one.message().change().key().cqrsId();
        Map<String, Object> headers = carried(one.delivery());
        headers.putIfAbsent(Headers.FIRST_FAILURE, now());
        headers.remove(Headers.PARENT_MISSING_SINCE);
        headers.putAll(more);
        String queue = settings.queue().name();
        Destination back = Destination.Delayed.atLeast(queue, wait, RoutingKeys.toQueue(queue, cqrsId));
        waiting.add(new OutgoingMessage(back, id(), OutgoingMessage.SINGLE, headers, codec.encode(next)));
        if (!one.delivery().headers().containsKey(Headers.FIRST_FAILURE)) {
            LOG.warn("{}: {} failed, trying again: {}", queue, one.message().change(), Reasons.line(Reasons.of(error)));
        }
        news.add(() -> settings.listener().retried(cqrsId, error));
    }

    /** Gives a change up for good: it goes to the dead letters and counts as rejected. */
    void reject(Incoming one, Exception error) {
        reject(one.delivery(), one.message().change().key(), one.message().retries() + 1, error);
    }

    /** The same for a message that did not become a change to apply. */
    void reject(Delivery delivery, EntityKey key, int attempts, Exception error) {
        deadLetter(delivery, key, attempts, error);
        news.add(() -> settings.listener().ended(key.cqrsId(), Outcome.REJECTED, 1));
    }

    /** Plans the dead letter queue: the bytes as they came, and why. */
    void deadLetter(Delivery delivery, @Nullable EntityKey key, int attempts, Exception error) {
        String why = Reasons.line(Reasons.of(error));
        String reason = key == null || error instanceof CqrsException ? why : "the change of " + key + ": " + why;
        Map<String, Object> headers = carried(delivery);
        headers.putIfAbsent(Headers.FIRST_FAILURE, now());
        headers.put(Headers.LAST_FAILURE, now());
        if (key != null) {
            headers.put(Headers.MODEL, key.cqrsId().value());
            headers.put(Headers.KEY, cut(key.text()));
        }
        Exception cause = error instanceof HookFailure hook ? hook.reason() : error;
        headers.put(Headers.ERROR_CLASS, cause.getClass().getName());
        headers.put(Headers.ERROR_MESSAGE, cut(reason));
        headers.put(Headers.ERROR_STACK, cut(Reasons.stack(cause)));
        headers.put(Headers.ATTEMPTS, attempts);
        headers.put(Headers.SOURCE_QUEUE, settings.queue().name());
        String contentType = delivery.contentType() == null ? OutgoingMessage.SINGLE : delivery.contentType();
        Destination deadLetters =
                new Destination.Queue(settings.queue().deadLetters(), settings.deadLetterTimeToLive());
        waiting.add(new OutgoingMessage(deadLetters, id(), contentType, headers, delivery.body()));
        LOG.warn("{}: to the dead letters: {}", settings.queue().name(), reason);
        news.add(() -> settings.listener().deadLettered(key == null ? null : key.cqrsId(), error));
    }

    /** What it came with, as far as it leaves room in AMQP's one frame for what is added here. */
    private Map<String, Object> carried(Delivery delivery) {
        Map<String, Object> headers = new HashMap<>(delivery.headers());
        headers.keySet().removeAll(Headers.ROUTING);
        if (headers.toString().length() > MOST_CARRIED) {
            headers.keySet().removeIf(name -> !Headers.isOwn(name));
            headers.replaceAll((name, value) -> value instanceof String text ? cut(text) : value);
            LOG.warn(
                    "{}: a message that failed had too many headers to keep them: only cqrs' own stay",
                    settings.queue().name());
        }
        return headers;
    }

    /** Publishes what was planned where that is much already: a batch of thousands must not fill the memory with failures. */
    void flushMany() throws InterruptedException {
        if (waiting.size() >= MANY) {
            flush();
        }
    }

    /** Publishes what was planned, waits until the broker has it, and tells the listener. */
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
        news.forEach(Runnable::run);
        news.clear();
    }

    @Override
    public void close() {
        if (publisher != null) {
            publisher.close();
        }
    }

    private static String cut(String text) {
        return text.substring(0, Math.min(text.length(), REASON_LENGTH));
    }

    private String id() {
        return "failed-" + sent++;
    }

    private String now() {
        return Instant.now(settings.clock()).toString();
    }
}
