package io.cqrs.replica;

import io.cqrs.core.TransportException;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a replica that could not be applied: looks through them, sends them again, removes them. Workers may
 * run meanwhile. Letters that are looked at stay in their places; those that arrive after a call has begun are left out
 * of it. Thread-safe.
 */
public final class DeadLetters {

    private static final int PAGE = 100;
    private static final long PAGE_BYTES = 8L << 20;
    private static final Duration CONFIRM_LIMIT = Duration.ofSeconds(30);
    private static final Duration RENEWED = Duration.ofDays(1);
    private static final Set<String> OF_THE_FAILURE = Set.of(
            Headers.ERROR_CLASS,
            Headers.ERROR_MESSAGE,
            Headers.ERROR_STACK,
            Headers.MODEL,
            Headers.KEY,
            Headers.ATTEMPTS,
            Headers.FIRST_FAILURE,
            Headers.PARENT_MISSING_SINCE,
            Headers.LAST_FAILURE,
            Headers.SOURCE_QUEUE);

    private final Transport transport;
    private final String queue;
    private final String deadLetters;
    private final Clock clock = Clock.systemUTC();
    private final MessageCodec codec = new MessageCodec();

    private DeadLetters(Transport transport, String queue, String deadLetters) {
        this.transport = Objects.requireNonNull(transport, "transport");
        this.queue = Objects.requireNonNull(queue, "queue");
        this.deadLetters = Objects.requireNonNull(deadLetters, "deadLetters");
    }

    /** Returns the dead letters of a replica's queue, in {@code dead_letter_<queue>}. */
    public static DeadLetters of(Transport transport, String queue) {
        return of(transport, queue, ReplicaQueue.deadLettersOf(queue));
    }

    /** Returns the dead letters of a replica's queue, in a queue of another name. */
    public static DeadLetters of(Transport transport, String queue, String deadLetters) {
        return new DeadLetters(transport, queue, deadLetters);
    }

    /** Returns the name of the queue they are in. */
    public String queue() {
        return deadLetters;
    }

    /**
     * Looks at letters, from the oldest on. While it runs, nobody else sees them.
     *
     * @return how many there were
     * @throws TransportException if the queue does not exist, or the broker is lost
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public long forEach(DeadLetterFilter filter, Consumer<DeadLetter> action) throws InterruptedException {
        try (Browser browser = transport.openBrowser(deadLetters)) {
            return walk(browser, filter, one -> action.accept(one.letter()));
        }
    }

    /**
     * Removes letters.
     *
     * @return how many
     * @throws TransportException if the queue does not exist, or the broker is lost
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public long purge(DeadLetterFilter filter) throws InterruptedException {
        try (Browser browser = transport.openBrowser(deadLetters)) {
            return walk(browser, filter, one -> browser.remove(one.delivery()));
        }
    }

    /**
     * Sends letters to their queue again, in their order, as first attempts; those that expire get another day. Each is
     * removed once the broker has confirmed the new one; where one can't be sent it stays, and no further page is begun.
     *
     * @param retried told of each one that was sent
     * @return how many
     * @throws TransportException if a queue does not exist, or the broker is lost or refuses: what was sent is gone from
     *     the dead letters, or comes a second time
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public long retry(DeadLetterFilter filter, Consumer<DeadLetter> retried) throws InterruptedException {
        try (Browser browser = transport.openBrowser(deadLetters);
                Publisher publisher = transport.openPublisher()) {
            Page page = new Page(browser, publisher, retried);
            long seen = walk(browser, filter, page::add);
            page.send();
            return seen;
        }
    }

    private static long walk(Browser browser, DeadLetterFilter filter, Action action) throws InterruptedException {
        long matched = 0;
        for (long left = browser.size(); left > 0 && matched < filter.limit(); left--) {
            Delivery next = browser.next();
            if (next == null) {
                break;
            }
            DeadLetter letter = DeadLetter.of(next);
            if (filter.matches(letter)) {
                matched++;
                action.on(new Held(next, letter));
            }
        }
        return matched;
    }

    private OutgoingMessage again(Held held, int number) {
        Map<String, Object> headers = new HashMap<>(held.delivery().headers());
        headers.keySet().removeAll(OF_THE_FAILURE);
        headers.keySet().removeAll(Headers.ROUTING);
        String source = held.letter().sourceQueue();
        String contentType = held.delivery().contentType();
        return new OutgoingMessage(
                new Destination.Queue(source == null ? queue : source),
                "again-" + number,
                contentType == null ? OutgoingMessage.SINGLE : contentType,
                headers,
                body(held.delivery().body()));
    }

    /** What is no message is sent as it came: whoever reads it by now may understand it. */
    private byte[] body(byte[] body) {
        Message message = DeadLetter.message(body);
        if (message == null || (message.retries() == 0 && message.expires() == null)) {
            return body;
        }
        Message first = new Message(
                message.change(),
                0,
                message.expires() == null ? null : clock.instant().plus(RENEWED));
        return codec.encode(first);
    }

    /** What is done with a letter in hand. */
    private interface Action {
        void on(Held held) throws InterruptedException;
    }

    /** A letter in hand. */
    private record Held(Delivery delivery, DeadLetter letter) {}

    /** Letters that are sent together. */
    private final class Page {

        private final Browser browser;
        private final Publisher publisher;
        private final Consumer<DeadLetter> retried;
        private final List<Held> held = new ArrayList<>();
        private int sent;
        private long bytes;

        private Page(Browser browser, Publisher publisher, Consumer<DeadLetter> retried) {
            this.browser = browser;
            this.publisher = publisher;
            this.retried = retried;
        }

        private void add(Held one) throws InterruptedException {
            held.add(one);
            bytes += one.delivery().body().length;
            if (held.size() == PAGE || bytes >= PAGE_BYTES) {
                send();
            }
        }

        private void send() throws InterruptedException {
            if (held.isEmpty()) {
                return;
            }
            List<OutgoingMessage> messages =
                    held.stream().map(one -> again(one, sent++)).toList();
            Iterator<Held> originals = held.iterator();
            @Nullable TransportException refusal = null;
            for (PublishOutcome outcome : publisher.send(messages).await(CONFIRM_LIMIT)) {
                Held original = originals.next();
                if (!outcome.isConfirmed() && refusal == null) {
                    refusal = TransportException.refused(
                            "a dead letter of " + original.letter().cqrsId() + " "
                                    + original.letter().key() + " could not be sent again, it stays in " + deadLetters
                                    + ": " + outcome,
                            null);
                } else if (outcome.isConfirmed()) {
                    browser.remove(original.delivery());
                    retried.accept(original.letter());
                }
            }
            if (refusal != null) {
                throw refusal;
            }
            held.clear();
            bytes = 0;
        }
    }
}
