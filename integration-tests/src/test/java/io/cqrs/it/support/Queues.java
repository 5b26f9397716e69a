package io.cqrs.it.support;

import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.master.CqrsRelay;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.Wire;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.Transport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Puts messages into queues and takes them out. */
public final class Queues {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private Queues() {}

    /** Puts changes into a queue at once; forced ones carry the header that says so. */
    public static void put(Transport transport, String queue, Change... changes) {
        MessageCodec codec = new MessageCodec();
        List<OutgoingMessage> messages = new ArrayList<>();
        for (Change change : changes) {
            Map<String, Object> headers = change.forced() ? Map.of(Headers.FORCE, true) : Map.of();
            byte[] body = codec.encode(Message.of(change));
            messages.add(message(queue, messages.size(), headers, body));
        }
        publish(transport, queue, messages);
    }

    /** Has a relay publish all that waits in an outbox. */
    public static void publishOutbox(Transport transport, TestDatabase database, Wire wire) {
        try (CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                .transport(transport)
                .wire(wire)
                .build()) {
            relay.start();
            await().until(() -> database.count("cqrs.outbox") == 0);
        }
    }

    public static void putBytes(Transport transport, String queue, Map<String, Object> headers, List<byte[]> bodies) {
        List<OutgoingMessage> messages = new ArrayList<>();
        for (byte[] body : bodies) {
            messages.add(message(queue, messages.size(), headers, body));
        }
        publish(transport, queue, messages);
    }

    /** Puts messages as they are into a queue, each of which names it. */
    public static void put(Transport transport, String queue, List<OutgoingMessage> messages) {
        publish(transport, queue, messages);
    }

    private static OutgoingMessage message(String queue, int number, Map<String, Object> headers, byte[] body) {
        return new OutgoingMessage(new Destination.Queue(queue), "m" + number, OutgoingMessage.SINGLE, headers, body);
    }

    private static void publish(Transport transport, String queue, List<OutgoingMessage> messages) {
        try (Publisher publisher = transport.openPublisher()) {
            if (!publisher.send(messages).await(LIMIT).stream().allMatch(PublishOutcome::isConfirmed)) {
                throw new IllegalStateException("not all messages were taken by " + queue);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Takes so many messages out of a queue, waiting for them. */
    public static List<Delivery> take(Transport transport, String queue, int count) {
        return take(transport, queue, count, Duration.ZERO);
    }

    /** Takes all messages out of a queue: at least so many, and on until none has come for two seconds. */
    public static List<Delivery> takeAll(Transport transport, String queue, int atLeast) {
        try (Receiver receiver = transport.openReceiver(queue, 500)) {
            List<Delivery> all = new ArrayList<>();
            while (true) {
                Duration wait = all.size() < atLeast ? LIMIT : Duration.ofSeconds(2);
                List<Delivery> next = receiver.receive(500, 64 << 20, wait);
                if (next.isEmpty()) {
                    return all;
                }
                receiver.acknowledgeUpTo(next.get(next.size() - 1));
                all.addAll(next);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Takes so many messages out of a queue, and what else comes within a time, on one channel: one that is closed may
     * have its last messages come again.
     */
    public static List<Delivery> take(Transport transport, String queue, int count, Duration more) {
        try (Receiver receiver = transport.openReceiver(queue, 500)) {
            List<Delivery> all = new ArrayList<>();
            while (all.size() < count) {
                List<Delivery> next = receiver.receive(count - all.size(), 64 << 20, LIMIT);
                if (next.isEmpty()) {
                    throw new IllegalStateException(queue + " holds only " + all.size() + " of " + count + " messages");
                }
                receiver.acknowledgeUpTo(next.get(next.size() - 1));
                all.addAll(next);
            }
            if (!more.isZero()) {
                all.addAll(receiver.receive(1, 1, more));
            }
            return all;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
