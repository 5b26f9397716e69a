package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.RelayListener;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** The relay, reading and deleting the outbox included, beside bare publishing of the same bytes from memory. */
final class PublishBench implements Bench {

    private static final int PAGE = 1000;

    private final String brokerUrl;
    private final String databaseUrl;
    private final RabbitTransport transport;
    private final ReplicaQueue queue;
    private final int rows;

    private PublishBench(
            String brokerUrl, String databaseUrl, RabbitTransport transport, ReplicaQueue queue, int rows) {
        this.brokerUrl = brokerUrl;
        this.databaseUrl = databaseUrl;
        this.transport = transport;
        this.queue = queue;
        this.rows = rows;
    }

    static PublishBench build(Servers servers, int rows, String queueType) throws InterruptedException {
        String brokerUrl = servers.requireBroker().url();
        String databaseUrl = servers.database().createDatabase("bench_publish");
        String name = "bench_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        RabbitTransport transport = RabbitTransport.of(
                RabbitConfig.builder(brokerUrl).exchange(name).build());
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ApplyBench.ITEM))
                .withType(ReplicaQueue.Type.valueOf(queueType.toUpperCase(Locale.ROOT)));
        transport.declare(queue);
        int unused = CqrsSchema.standard().migrate(UrlDataSource.of(databaseUrl, null, null));
        return new PublishBench(brokerUrl, databaseUrl, transport, queue, rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(new Publish("publish-single", Wire.SINGLE), new Publish("publish-batch", Wire.BATCH));
    }

    @Override
    public void close() throws InterruptedException {
        transport.decommission(queue);
        transport.close();
    }

    private byte[] body(MessageCodec codec, int i) {
        return codec.encode(Message.of(ApplyBench.change(i, rows))).getBytes(StandardCharsets.UTF_8);
    }

    private void fill() throws SQLException {
        MessageCodec codec = new MessageCodec();
        try (Connection connection = DriverManager.getConnection(databaseUrl);
                Statement truncate = connection.createStatement();
                PreparedStatement insert =
                        connection.prepareStatement("insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body)"
                                + " select 'item', i, 'item', b from unnest(?::text[], ?::text[]) u(i, b)")) {
            truncate.execute("truncate cqrs.outbox");
            for (int from = 0; from < rows; from += PAGE) {
                String[] keys = new String[Math.min(PAGE, rows - from)];
                String[] bodies = new String[keys.length];
                for (int i = 0; i < keys.length; i++) {
                    keys[i] = Integer.toString(from + i);
                    bodies[i] = new String(body(codec, from + i), StandardCharsets.UTF_8);
                }
                insert.setArray(1, connection.createArrayOf("text", keys));
                insert.setArray(2, connection.createArrayOf("text", bodies));
                insert.executeUpdate();
            }
        }
    }

    private void purge() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(brokerUrl);
        try (com.rabbitmq.client.Connection broker = factory.newConnection();
                Channel channel = broker.createChannel()) {
            Object unused = channel.queuePurge(queue.name());
        }
    }

    private final class Publish implements Measure {

        private final String name;
        private final Wire wire;

        private Publish(String name, Wire wire) {
            this.name = name;
            this.wire = wire;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String unit() {
            return "rows/s";
        }

        @Override
        public List<String> conditions() {
            return List.of(
                    "rows " + rows,
                    "queue " + queue.type().name().toLowerCase(Locale.ROOT),
                    "persistent messages",
                    "at most " + 2 * PAGE + " rows without their confirm",
                    ApplyBench.durability(databaseUrl),
                    "floor one row a message, from memory");
        }

        @Override
        public double run() throws Exception {
            purge();
            fill();
            CountDownLatch done = new CountDownLatch(1);
            AtomicInteger left = new AtomicInteger(rows);
            CqrsRelay relay = CqrsRelay.builder(UrlDataSource.of(databaseUrl, null, null))
                    .transport(transport)
                    .pageSize(PAGE)
                    .wire(wire)
                    .listener(new RelayListener() {
                        @Override
                        public void published(int count) {
                            if (left.addAndGet(-count) <= 0) {
                                done.countDown();
                            }
                        }
                    })
                    .build();
            long start = System.nanoTime();
            try (relay) {
                relay.start();
                done.await();
                return rows / ((System.nanoTime() - start) / 1e9);
            }
        }

        @Override
        public double runFloor() throws Exception {
            purge();
            MessageCodec codec = new MessageCodec();
            byte[][] bodies = new byte[rows][];
            for (int i = 0; i < rows; i++) {
                bodies[i] = body(codec, i);
            }
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(brokerUrl);
            long start = System.nanoTime();
            try (com.rabbitmq.client.Connection broker = factory.newConnection();
                    Channel channel = broker.createChannel()) {
                BarePublish publish = new BarePublish(channel, 2 * PAGE);
                for (byte[] body : bodies) {
                    publish.send(
                            transport.config().exchange(),
                            RoutingKeys.toAll(ApplyBench.ITEM),
                            MessageProperties.PERSISTENT_TEXT_PLAIN,
                            body);
                }
                publish.await();
                return rows / ((System.nanoTime() - start) / 1e9);
            }
        }
    }
}
