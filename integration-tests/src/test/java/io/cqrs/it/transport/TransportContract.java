package io.cqrs.it.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport does. */
@Timeout(60)
abstract class TransportContract {

    static final CqrsId BASIC = CqrsId.of("basic");
    static final CqrsId OTHER = CqrsId.of("other");
    private static final Duration LIMIT = Duration.ofSeconds(20);

    final ReplicaQueue queue = ReplicaQueue.of("contract_" + Long.toString(System.nanoTime(), 36), Set.of(BASIC));
    Transport transport;

    abstract Transport open();

    @BeforeEach
    void declare() throws Exception {
        transport = open();
        transport.declare(queue);
    }

    @AfterEach
    void close() {
        transport.close();
    }

    @Test
    void deliversByEachOfTheReferencesBindingsAndKeepsOrderHeadersAndBytes() throws Exception {
        byte[] bytes = {0, 1, -1, 127, '{'};
        OutgoingMessage odd = new OutgoingMessage(
                new Destination.Exchange("basic"),
                "1",
                "text/plain",
                Map.of("text", "ä", "flag", true, "count", 7L),
                bytes);
        assertThat(publish(
                        odd,
                        toAll("two"),
                        new OutgoingMessage(
                                new Destination.Exchange(RoutingKeys.toQueue(queue.name(), BASIC)),
                                "3",
                                "text/plain",
                                Map.of(),
                                text("three"))))
                .allMatch(PublishOutcome::isConfirmed);
        List<Delivery> received = receive(queue.name(), 3);
        assertThat(received.get(0).body()).isEqualTo(bytes);
        assertThat(received.get(0).headers()).containsEntry("text", "ä").containsEntry("flag", true);
        assertThat(received.get(0).headers().get("count")).isEqualTo(7L);
        assertThat(received.get(0).messageId()).isEqualTo("1");
        assertThat(received.get(0).contentType()).isEqualTo("text/plain");
        assertThat(texts(received.subList(1, 3))).containsExactly("two", "three");
        assertThat(received).extracting(Delivery::routingKey).last().isEqualTo("cqrs." + queue.name() + ".basic");
    }

    @Test
    void bindsTheDeadLetterQueueAndReachesAQueueByItsName() throws Exception {
        publish(
                new OutgoingMessage(
                        new Destination.Exchange(RoutingKeys.toQueue(queue.deadLetters(), BASIC)),
                        "1",
                        "text/plain",
                        Map.of(),
                        text("bound")),
                new OutgoingMessage(
                        new Destination.Queue(queue.deadLetters()), "2", "text/plain", Map.of(), text("named")));
        assertThat(texts(receive(queue.deadLetters(), 2))).containsExactly("bound", "named");
    }

    @Test
    void tellsMessagesThatNoQueueTakesFromThoseThatOneDoes() throws Exception {
        List<PublishOutcome> outcomes = publish(
                toAll("a"),
                new OutgoingMessage(new Destination.Exchange("other"), "n1", "text/plain", Map.of(), text("b")),
                toAll("c"),
                new OutgoingMessage(new Destination.Exchange("other"), "n2", "text/plain", Map.of(), text("d")));
        assertThat(outcomes).extracting(PublishOutcome::isConfirmed).containsExactly(true, false, true, false);
        assertThat(outcomes.get(1))
                .isInstanceOfSatisfying(
                        PublishOutcome.Unroutable.class,
                        one -> assertThat(one.reason()).contains("NO_ROUTE", "other"));
        assertThat(texts(receive(queue.name(), 2))).containsExactly("a", "c");
    }

    @Test
    void answersForEachOfManyMessagesInSeveralSendsAtOnce() throws Exception {
        try (Publisher publisher = transport.openPublisher()) {
            List<Publisher.Publication> publications = new ArrayList<>();
            for (int send = 0; send < 5; send++) {
                int first = send * 400;
                publications.add(publisher.send(IntStream.range(first, first + 400)
                        .mapToObj(i -> toAll("m" + i))
                        .toList()));
            }
            for (Publisher.Publication publication : publications) {
                assertThat(publication.await(LIMIT)).hasSize(400).allMatch(PublishOutcome::isConfirmed);
            }
            assertThat(publisher.send(List.of()).await(LIMIT)).isEmpty();
        }
        assertThat(texts(receive(queue.name(), 2000)))
                .isEqualTo(IntStream.range(0, 2000).mapToObj(i -> "m" + i).toList());
    }

    @Test
    void givesBackWhatWasNotAcknowledgedAndOnlyThat() throws Exception {
        publish(toAll("a"), toAll("b"), toAll("c"));
        try (Receiver receiver = transport.openReceiver(queue.name(), 10)) {
            List<Delivery> received = take(receiver, 3);
            receiver.acknowledgeUpTo(received.get(1));
        }
        assertThat(texts(receive(queue.name(), 1))).containsExactly("c");
    }

    @Test
    void looksThroughAQueueAndLeavesInItsPlaceWhatIsNotRemoved() throws Exception {
        publish(toAll("a"), toAll("b"), toAll("c"));
        for (int look = 0; look < 30; look++) {
            try (Browser browser = transport.openBrowser(queue.name())) {
                assertThat(browser.size()).isEqualTo(3);
                assertThat(texts(List.of(browser.next(), browser.next(), browser.next())))
                        .containsExactly("a", "b", "c");
                assertThat(browser.next()).isNull();
            }
        }
        try (Browser browser = transport.openBrowser(queue.name())) {
            browser.next();
            browser.remove(browser.next());
            browser.next();
        }
        assertThat(texts(receive(queue.name(), 2))).containsExactly("a", "c");
        assertThatExceptionOfType(TransportException.class)
                .isThrownBy(() -> transport.openBrowser("nowhere"))
                .withMessageContaining("nowhere does not exist");
    }

    @Test
    void takesNoMoreThanTheCountAndTheBytesAllow() throws Exception {
        publish(toAll("aaaa"), toAll("bbbb"), toAll("cccc"), toAll("dddd"));
        try (Receiver receiver = transport.openReceiver(queue.name(), 10)) {
            List<String> batches = new ArrayList<>();
            while (batches.size() < 2) {
                List<Delivery> batch = receiver.receive(10, 5, LIMIT);
                assertThat(batch).hasSizeLessThanOrEqualTo(2);
                batches.addAll(texts(batch));
            }
            assertThat(receiver.receive(1, 1 << 20, LIMIT)).hasSize(1);
        }
    }

    @Test
    void returnsEmptyHandedWhenNothingComes() throws Exception {
        try (Receiver receiver = transport.openReceiver(queue.name(), 10)) {
            assertThat(receiver.receive(10, 1 << 20, Duration.ofMillis(50))).isEmpty();
        }
    }

    @Test
    void handsNoMoreOverThanThePrefetchBeforeItIsAcknowledged() throws Exception {
        publish(toAll("a"), toAll("b"), toAll("c"));
        try (Receiver one = transport.openReceiver(queue.name(), 1);
                Receiver two = transport.openReceiver(queue.name(), 1)) {
            assertThat(take(one, 1)).hasSize(1);
            assertThat(take(two, 1)).hasSize(1);
        }
    }

    @Test
    void bringsADelayedMessageBackAfterItsDelayWithItsKey() throws Exception {
        String key = RoutingKeys.toQueue(queue.name(), BASIC);
        long start = System.nanoTime();
        publish(
                new OutgoingMessage(
                        new Destination.Delayed(queue.name(), Duration.ofSeconds(2), key),
                        "late",
                        "text/plain",
                        Map.of("h", "1"),
                        text("two")),
                new OutgoingMessage(
                        Destination.Delayed.atLeast(queue.name(), Duration.ofMillis(300), key),
                        "soon",
                        "text/plain",
                        Map.of(),
                        text("one")));
        List<Delivery> received = receive(queue.name(), 2);
        assertThat(texts(received)).containsExactly("one", "two");
        assertThat(received.get(1).routingKey()).isEqualTo(key);
        assertThat(received.get(1).headers()).containsEntry("h", "1");
        assertThat(System.nanoTime() - start)
                .isGreaterThan(Duration.ofMillis(1900).toNanos());
    }

    @Test
    void declaresAgainWithoutHarmAndAddsBindings() throws Exception {
        publish(toAll("kept"));
        transport.declare(queue);
        transport.declare(new ReplicaQueue(
                queue.name(), queue.deadLetters(), Set.of(BASIC, OTHER), queue.type(), 1, queue.deliveryLimit()));
        publish(new OutgoingMessage(new Destination.Exchange("other"), "o", "text/plain", Map.of(), text("other")));
        assertThat(texts(receive(queue.name(), 2))).containsExactly("kept", "other");
    }

    @Test
    void refusesToReceiveFromAQueueThatDoesNotExist() {
        assertThatExceptionOfType(TransportException.class)
                .isThrownBy(() -> transport.openReceiver("no_such_queue", 10))
                .withMessageContaining("no_such_queue");
    }

    @Test
    void opensNothingOnceItIsClosed() {
        transport.close();
        assertThatExceptionOfType(TransportException.class)
                .isThrownBy(() -> transport.openReceiver(queue.name(), 10))
                .satisfies(e -> assertThat(e.isTransient()).isFalse());
        transport.close();
    }

    List<PublishOutcome> publish(OutgoingMessage... messages) throws Exception {
        try (Publisher publisher = transport.openPublisher()) {
            return publisher.send(List.of(messages)).await(LIMIT);
        }
    }

    OutgoingMessage toAll(String body) {
        return new OutgoingMessage(new Destination.Exchange("basic"), body, "text/plain", Map.of(), text(body));
    }

    List<Delivery> receive(String from, int count) throws Exception {
        try (Receiver receiver = transport.openReceiver(from, Math.max(10, count))) {
            List<Delivery> received = take(receiver, count);
            receiver.acknowledgeUpTo(received.get(count - 1));
            return received;
        }
    }

    static List<Delivery> take(Receiver receiver, int count) throws Exception {
        List<Delivery> received = new ArrayList<>();
        while (received.size() < count) {
            List<Delivery> more = receiver.receive(count - received.size(), 1 << 20, LIMIT);
            assertThat(more).as("deliveries after %s", texts(received)).isNotEmpty();
            received.addAll(more);
        }
        return received;
    }

    static List<String> texts(List<Delivery> deliveries) {
        return deliveries.stream()
                .map(delivery -> new String(delivery.body(), StandardCharsets.UTF_8))
                .toList();
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
