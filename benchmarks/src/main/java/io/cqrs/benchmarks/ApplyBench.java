package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Applying from the queue: a queue is filled with changes of rows of 10 columns, half new, half updates, and the time to
 * empty it is taken, for the framework's workers and for {@link BareApply}.
 */
final class ApplyBench implements Bench {

    static final int BATCH = 500;
    static final int PREFETCH = 2 * BATCH;
    static final String TABLE = """
            create table item (id bigint primary key, name text, description text, price numeric, amount int,
                active boolean, made date, seen timestamptz, cqrs_revision bigint not null,
                cqrs_updated timestamptz not null)""";

    static final CqrsId ITEM = CqrsId.of("item");
    private static final Instant START = Instant.parse("2026-11-21T01:16:00.000001Z");

    private final String brokerUrl;
    private final String databaseUrl;
    private final RabbitTransport transport;
    private final ReplicaQueue queue;
    private final int rows;

    private ApplyBench(String brokerUrl, String databaseUrl, RabbitTransport transport, ReplicaQueue queue, int rows) {
        this.brokerUrl = brokerUrl;
        this.databaseUrl = databaseUrl;
        this.transport = transport;
        this.queue = queue;
        this.rows = rows;
    }

    static ApplyBench build(Servers servers, int rows, String queueType) throws InterruptedException {
        String brokerUrl = servers.requireBroker().url();
        String databaseUrl = servers.database().createDatabase("bench");
        String name = "bench_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        RabbitTransport transport = RabbitTransport.of(
                RabbitConfig.builder(brokerUrl).exchange(name).build());
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ITEM))
                .withType(ReplicaQueue.Type.valueOf(queueType.toUpperCase(Locale.ROOT)));
        transport.declare(queue);
        int unused = CqrsSchema.standard().migrate(UrlDataSource.of(databaseUrl, null, null));
        return new ApplyBench(brokerUrl, databaseUrl, transport, queue, rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                new Apply("apply-1", 1, Wire.SINGLE),
                new Apply("apply-2", 2, Wire.SINGLE),
                new Apply("apply-batch", 2, Wire.BATCH));
    }

    @Override
    public void close() throws InterruptedException {
        transport.decommission(queue);
        transport.close();
    }

    /** Empties the table, fills the queue: each key is created and then updated once, in random order of keys. */
    private void fill(Wire wire) throws SQLException, InterruptedException {
        try (Connection connection = UrlDataSource.of(databaseUrl, null, null).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("drop table if exists item; " + TABLE + "; truncate cqrs.tombstone");
        }
        MessageCodec codec = new MessageCodec();
        try (Publisher publisher = transport.openPublisher()) {
            List<byte[]> bodies = new ArrayList<>();
            for (int i = 0; i < rows; i++) {
                bodies.add(codec.encode(Message.of(change(i, rows))).getBytes(StandardCharsets.UTF_8));
                if (bodies.size() == BATCH || i == rows - 1) {
                    requireConfirmed(publisher.send(messages(wire, bodies)).await(Duration.ofSeconds(60)));
                    bodies.clear();
                }
            }
        }
    }

    private List<OutgoingMessage> messages(Wire wire, List<byte[]> bodies) {
        Destination to = new Destination.Queue(queue.name());
        if (wire == Wire.BATCH) {
            MessageBatch batch = MessageBatch.of(bodies);
            return List.of(new OutgoingMessage(
                    to, "batch", batch.contentType(), Map.of(Headers.CHANGES, bodies.size()), batch.body()));
        }
        List<OutgoingMessage> messages = new ArrayList<>();
        for (byte[] body : bodies) {
            messages.add(
                    new OutgoingMessage(to, Integer.toString(messages.size()), OutgoingMessage.SINGLE, Map.of(), body));
        }
        return messages;
    }

    /** Asks the server: one that was given by URL may be set otherwise than ours. */
    static String durability(String databaseUrl) {
        try (Connection connection = UrlDataSource.of(databaseUrl, null, null).getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select current_setting('fsync'), current_setting('synchronous_commit')")) {
            row.next();
            return "fsync " + row.getString(1) + ", synchronous_commit " + row.getString(2);
        } catch (SQLException e) {
            throw new IllegalStateException("the database does not say how durable it is", e);
        }
    }

    private static void requireConfirmed(List<PublishOutcome> outcomes) {
        if (!outcomes.stream().allMatch(PublishOutcome::isConfirmed)) {
            throw new IllegalStateException("the queue could not be filled: " + outcomes);
        }
    }

    /** Returns the i-th change of rows, half new, half updates, each key once in each half. */
    static Change change(int i, int rows) {
        int half = rows / 2;
        long id = (i % half) * 7919L % half;
        long revision = i / half;
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("id", id);
        data.put("name", "name of " + i);
        data.put("description", "a description of some length, as products have one, number " + i);
        data.put("price", BigDecimal.valueOf(i, 2));
        data.put("amount", (long) i % 100);
        data.put("active", i % 2 == 0);
        data.put("made", "2024-02-29");
        data.put("seen", "2026-11-21 01:16:00.614800+00:00");
        return Change.of(Signal.SAVE, EntityKey.of(ITEM, id), Stamp.of(START.plusSeconds(revision), revision), data);
    }

    private final class Apply implements Measure {

        private final String name;
        private final int workers;
        private final Wire wire;

        private Apply(String name, int workers, Wire wire) {
            this.name = name;
            this.workers = workers;
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
                    "batch " + BATCH,
                    "prefetch " + PREFETCH,
                    "persistent messages",
                    durability(databaseUrl),
                    wire == Wire.BATCH ? "500 changes a message beside a floor of one" : "one change a message",
                    "workers " + workers + " beside a floor of 1 thread");
        }

        @Override
        public double run() throws Exception {
            fill(wire);
            CountDownLatch done = new CountDownLatch(1);
            AtomicInteger left = new AtomicInteger(rows);
            CqrsReplica replica = CqrsReplica.builder(UrlDataSource.of(databaseUrl, null, null))
                    .replica(ReplicaDefinition.ofTable(ITEM, TableName.parse("item"), Map.of(), Order.UPDATED))
                    .transport(transport)
                    .queue(queue.name())
                    .workers(workers)
                    .batchSize(BATCH)
                    .listener(new ReplicaListener() {
                        @Override
                        public void ended(CqrsId cqrsId, Outcome outcome, int count) {
                            if (left.addAndGet(-count) <= 0) {
                                done.countDown();
                            }
                        }
                    })
                    .build();
            long start = System.nanoTime();
            try (replica) {
                replica.start();
                done.await();
                return rows / ((System.nanoTime() - start) / 1e9);
            }
        }

        @Override
        public double runFloor() throws Exception {
            fill(Wire.SINGLE);
            long start = System.nanoTime();
            new BareApply(brokerUrl, databaseUrl, queue.name()).drain(rows);
            return rows / ((System.nanoTime() - start) / 1e9);
        }
    }
}
