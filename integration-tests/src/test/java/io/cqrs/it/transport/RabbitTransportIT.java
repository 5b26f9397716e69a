package io.cqrs.it.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.TransportException;
import io.cqrs.it.support.TcpProxy;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TestEnvironment.class)
class RabbitTransportIT extends TransportContract {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Override
    Transport open() {
        return RabbitTransport.connect(TestEnvironment.broker().url());
    }

    @AfterEach
    void decommission() throws Exception {
        try (RabbitTransport cleaning = (RabbitTransport) open()) {
            cleaning.decommission(queue);
        }
    }

    @Test
    void publishesAsTheReferenceDoes() throws Exception {
        publish(toAll("a"));
        onChannel(channel -> {
            var message = channel.basicGet(queue.name(), true);
            assertThat(message.getProps().getDeliveryMode()).isEqualTo(2);
            assertThat(message.getProps().getContentType()).isEqualTo("text/plain");
            assertThat(message.getEnvelope().getExchange()).isEqualTo("cqrs");
        });
    }

    @Test
    void usesAnExistingQueueOfAnotherKindAsItIs() throws Exception {
        String name = "django_" + System.nanoTime();
        onChannel(channel -> channel.queueDeclare(name, true, false, false, Map.of()));
        ReplicaQueue classic = ReplicaQueue.of(name, queue.models());
        transport.declare(classic);
        publish(toAll("a"));
        assertThat(texts(receive(name, 1))).containsExactly("a");
        ((RabbitTransport) transport).decommission(classic);
    }

    @Test
    void declaresAClassicQueueWhereOneIsAskedFor() throws Exception {
        ReplicaQueue classic =
                ReplicaQueue.of("classic_" + System.nanoTime(), queue.models()).withType(ReplicaQueue.Type.CLASSIC);
        transport.declare(classic);
        publish(toAll("a"));
        assertThat(texts(receive(classic.name(), 1))).containsExactly("a");
        ((RabbitTransport) transport).decommission(classic);
    }

    @Test
    void movesAMessageThatKillsItsWorkersToTheDeadLettersAfterTheDeliveryLimit() throws Exception {
        ReplicaQueue limited = new ReplicaQueue(
                "limited_" + System.nanoTime(),
                "limited_dead_" + System.nanoTime(),
                queue.models(),
                queue.type(),
                1,
                2);
        transport.declare(limited);
        publish(toAll("poison"));
        for (int delivery = 0; delivery < 3; delivery++) {
            try (Receiver receiver = transport.openReceiver(limited.name(), 10)) {
                assertThat(take(receiver, 1)).hasSize(1);
            }
        }
        assertThat(texts(receive(limited.deadLetters(), 1))).containsExactly("poison");
        ((RabbitTransport) transport).decommission(limited);
    }

    @Test
    void tellsTheOwnersOfChannelsWhenTheConnectionIsCutAndConnectsAgain() throws Exception {
        URI broker = URI.create(TestEnvironment.broker().url());
        try (TcpProxy proxy = TcpProxy.to(broker.getHost(), broker.getPort());
                RabbitTransport cut = RabbitTransport.of(RabbitConfig.builder("amqp://127.0.0.1:" + proxy.port())
                        .reconnect(Backoff.constant(Duration.ofMillis(50)))
                        .build());
                Publisher publisher = cut.openPublisher();
                Receiver receiver = cut.openReceiver(queue.name(), 10)) {
            assertThat(publisher.send(List.of(toAll("before"))).await(LIMIT)).containsExactly(PublishOutcome.CONFIRMED);
            Delivery delivery = take(receiver, 1).get(0);
            proxy.cut();
            assertThatExceptionOfType(TransportException.class)
                    .isThrownBy(() -> publisher.send(List.of(toAll("lost"))).await(LIMIT))
                    .satisfies(e -> assertThat(e.isTransient()).isTrue());
            assertThatExceptionOfType(TransportException.class).isThrownBy(() -> {
                receiver.receive(10, 1 << 20, LIMIT);
                receiver.acknowledgeUpTo(delivery);
            });
            proxy.mend();
            try (Publisher again = cut.openPublisher();
                    Receiver receiverAgain = cut.openReceiver(queue.name(), 10)) {
                again.send(List.of(toAll("after"))).await(LIMIT);
                assertThat(texts(take(receiverAgain, 2))).containsExactly("before", "after");
            }
        }
    }

    @Test
    void waitsForABrokerThatIsNotThereYet() throws Exception {
        URI broker = URI.create(TestEnvironment.broker().url());
        try (TcpProxy proxy = TcpProxy.to(broker.getHost(), broker.getPort())) {
            proxy.cut();
            CountDownLatch failed = new CountDownLatch(2);
            RabbitConfig config = RabbitConfig.builder("amqp://127.0.0.1:" + proxy.port())
                    .reconnect(attempt -> {
                        failed.countDown();
                        return Duration.ofMillis(20);
                    })
                    .build();
            try (RabbitTransport early = RabbitTransport.of(config)) {
                Thread opener = new Thread(() -> {
                    try {
                        early.openPublisher().close();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                opener.start();
                assertThat(failed.await(20, TimeUnit.SECONDS)).isTrue();
                assertThat(opener.isAlive()).isTrue();
                proxy.mend();
                opener.join(20_000);
                assertThat(opener.isAlive()).isFalse();
            }
        }
    }

    @Test
    void givesUpAfterItsPatienceNamingTheBroker() {
        try (RabbitTransport none = RabbitTransport.of(RabbitConfig.builder("amqp://user:secret@127.0.0.1:1")
                .patience(Duration.ofMillis(100))
                .reconnect(Backoff.constant(Duration.ofMillis(60)))
                .build())) {
            assertThatExceptionOfType(TransportException.class)
                    .isThrownBy(none::openPublisher)
                    .withMessageContaining("127.0.0.1:1")
                    .satisfies(e -> assertThat(e).hasMessageNotContaining("secret"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "http://localhost", "amqp://", "amqp://user:sec ret@host"})
    void refusesAUrlThatIsNoneWithoutRepeatingIt(String url) {
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> RabbitConfig.builder(url))
                .withMessageContaining("amqp://")
                .satisfies(e -> assertThat(e).hasStackTraceContaining("url").hasMessageNotContaining("sec ret"));
    }

    @Test
    void readsUserPasswordAndVirtualHostFromTheUrlAndHidesThePassword() {
        RabbitConfig config = RabbitConfig.builder("amqps://me:p%40ss@rabbit.example/team%2Fa")
                .build();
        assertThat(config.username()).isEqualTo("me");
        assertThat(config.password()).isEqualTo("p@ss");
        assertThat(config.address()).isEqualTo("rabbit.example:5671/team/a");
        assertThat(config.toString()).doesNotContain("p@ss");
        assertThat(RabbitConfig.builder("amqp://h/").build().address()).isEqualTo("h:5672");
    }

    @Test
    void readsTheNodesOfAClusterFromItsUrl() {
        RabbitConfig config = RabbitConfig.builder("amqps://u%40x:p%2Cw@one,two:1234,[::1]:5/v")
                .build();
        assertThat(config.nodes()).containsExactly("one:5671", "two:1234", "[::1]:5");
        assertThat(config.username()).isEqualTo("u@x");
        assertThat(config.password()).isEqualTo("p,w");
        assertThat(config.virtualHost()).isEqualTo("v");
        assertThat(config.tls()).isTrue();
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> RabbitConfig.builder("amqp://u:secret@one,two:port/v"))
                .withMessageContaining("host 2 of")
                .withMessageNotContaining("secret");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> RabbitConfig.builder("amqp://u:sec/ret@one"))
                .withMessageContaining("percent-encoded")
                .withMessageNotContaining("sec");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> RabbitConfig.builder("amqp://u:se@cret@one"))
                .withMessageContaining("percent-encoded")
                .withMessageNotContaining("cret");
    }

    @Test
    void goesToAnotherNodeWhereOneIsGone() throws Exception {
        int gone;
        try (ServerSocket socket = new ServerSocket(0)) {
            gone = socket.getLocalPort();
        }
        String url = TestEnvironment.broker().url().replaceFirst("@", "@127.0.0.1:" + gone + ",");
        for (int i = 0; i < 5; i++) {
            try (RabbitTransport cluster = RabbitTransport.of(
                    RabbitConfig.builder(url).patience(Duration.ofMillis(100)).build())) {
                assertThat(cluster.inspect(queue.name())).isNotNull();
            }
        }
    }

    @Test
    void leavesOtherReceiversTheChangesThatItMayNotHoldWhateverNumberIsInAMessage() throws Exception {
        List<OutgoingMessage> batches = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            batches.add(MessageBatch.pack(
                    new Destination.Queue(queue.name()), "b" + i, Map.of(), Collections.nCopies(100, text("{}"))));
        }
        try (Publisher publisher = transport.openPublisher()) {
            assertThat(publisher.send(batches).await(LIMIT)).allMatch(PublishOutcome::isConfirmed);
        }
        try (Receiver first = transport.openReceiver(List.of(queue.name()), 300, 1 << 20)) {
            await().until(() -> ready() == 0);
            // What was handed over at first comes again once the first ones are done.
            int done = 0;
            do {
                first.acknowledgeUpTo(first.receive(1, 1 << 20, LIMIT).get(0));
                done++;
            } while (ready() == 0);
            assertThat(first.receive(1, 1 << 20, LIMIT)).hasSize(1);
            try (Receiver late = transport.openReceiver(List.of(queue.name()), 300, 1 << 20)) {
                // Three batches of a hundred changes are what the first one may hold.
                for (int i = done + 3; i < batches.size(); i++) {
                    List<Delivery> one = late.receive(1, 1 << 20, LIMIT);
                    assertThat(one).as("batch %d of the late receiver", i).hasSize(1);
                    late.acknowledgeUpTo(one.get(0));
                }
            }
            assertThat(done).as("batches until the others came back").isLessThan(20);
        }
    }

    @Test
    void asksForAsManySmallBatchesAsItMayHold() throws Exception {
        List<OutgoingMessage> messages = new ArrayList<>();
        for (int i = 0; i < 440; i++) {
            // Alone at first, as when little goes on, then ten at a time.
            messages.add(MessageBatch.pack(
                    new Destination.Queue(queue.name()),
                    "b" + i,
                    Map.of(),
                    Collections.nCopies(i < 40 ? 1 : 10, text("{}"))));
        }
        try (Publisher publisher = transport.openPublisher()) {
            assertThat(publisher.send(messages).await(LIMIT)).allMatch(PublishOutcome::isConfirmed);
        }
        long most = 0;
        try (Receiver receiver = transport.openReceiver(List.of(queue.name()), 250, 1 << 20)) {
            Set<String> seen = new HashSet<>();
            while (seen.size() < messages.size()) {
                List<Delivery> batch = receiver.receive(250, 1 << 20, LIMIT);
                assertThat(batch).isNotEmpty();
                for (Delivery one : batch) {
                    seen.add(String.valueOf(one.messageId()));
                    most = Math.max(most, ((Number) one.headers().getOrDefault("x-delivery-count", 0)).longValue());
                }
                receiver.acknowledgeUpTo(batch.get(batch.size() - 1));
            }
        }
        assertThat(most).as("how often one of them was let go").isLessThan(4);
    }

    private long ready() throws Exception {
        AtomicLong count = new AtomicLong();
        onChannel(channel -> count.set(channel.messageCount(queue.name())));
        return count.get();
    }

    private interface OnChannel {
        void run(Channel channel) throws Exception;
    }

    private static void onChannel(OnChannel work) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(TestEnvironment.broker().url());
        try (Connection connection = factory.newConnection();
                Channel channel = connection.createChannel()) {
            work.run(channel);
        }
    }

    @Test
    void holdsNoMoreBytesThanItMayAndLosesNothingOfWhatItLetGo() throws Exception {
        // The large ones amid small ones overflow the bytes; the small ones behind them let the prefetch grow again.
        List<OutgoingMessage> messages = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            byte[] body = new byte[i < 120 || i > 200 ? 100 : 50_000];
            body[0] = (byte) (i / 100);
            body[1] = (byte) (i % 100);
            messages.add(new OutgoingMessage(
                    new Destination.Queue(queue.name()), "m" + i, OutgoingMessage.SINGLE, Map.of(), body));
        }
        try (Publisher publisher = transport.openPublisher()) {
            assertThat(publisher.send(messages).await(LIMIT)).allMatch(PublishOutcome::isConfirmed);
        }
        List<Integer> seen = new ArrayList<>();
        try (Receiver receiver = transport.openReceiver(List.of(queue.name()), 250, 200_000)) {
            // A channel that is closed may have its last messages come again.
            while (Set.copyOf(seen).size() < 300) {
                List<Delivery> batch = receiver.receive(40, 1 << 20, LIMIT);
                assertThat(batch)
                        .as("messages after %d, %d waiting", seen.size(), ready())
                        .isNotEmpty();
                batch.forEach(one -> seen.add(one.body()[0] * 100 + one.body()[1]));
                receiver.acknowledgeUpTo(batch.get(batch.size() - 1));
            }
        }
    }
}
