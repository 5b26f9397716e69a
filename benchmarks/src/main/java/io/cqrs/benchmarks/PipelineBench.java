package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * All of the way at once: writers commit rows, triggers capture them, the relay publishes, a worker applies. Beside it a
 * bare one: insert and commit, publish with pipelined confirms, consume, upsert.
 */
final class PipelineBench implements Bench {

    private static final int WRITERS = 4;
    private static final int TRANSACTION = 100;
    private static final String INSERT = """
            insert into item (id, name, description, price, amount, active, made, seen)
            select * from unnest(?::int8[], ?::text[], ?::text[], ?::numeric[], ?::int4[], ?::bool[], ?::date[],
                ?::timestamptz[])""";
    private static final List<String> COLUMNS =
            List.of("id", "name", "description", "price", "amount", "active", "made", "seen");
    private static final List<String> TYPES =
            List.of("int8", "text", "text", "numeric", "int4", "bool", "date", "timestamptz");

    private final String brokerUrl;
    private final String masterUrl;
    private final String replicaUrl;
    private final RabbitTransport transport;
    private final ReplicaQueue queue;
    private final int rows;

    private PipelineBench(
            String brokerUrl,
            String masterUrl,
            String replicaUrl,
            RabbitTransport transport,
            ReplicaQueue queue,
            int rows) {
        this.brokerUrl = brokerUrl;
        this.masterUrl = masterUrl;
        this.replicaUrl = replicaUrl;
        this.transport = transport;
        this.queue = queue;
        this.rows = rows;
    }

    static PipelineBench build(Servers servers, int rows, String queueType) throws InterruptedException {
        String brokerUrl = servers.requireBroker().url();
        String name = "bench_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        RabbitTransport transport = RabbitTransport.of(
                RabbitConfig.builder(brokerUrl).exchange(name).build());
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ApplyBench.ITEM))
                .withType(ReplicaQueue.Type.valueOf(queueType.toUpperCase(Locale.ROOT)));
        transport.declare(queue);
        String masterUrl = servers.database().createDatabase("bench_pipe_master");
        String replicaUrl = servers.database().createDatabase("bench_pipe_replica");
        for (String url : List.of(masterUrl, replicaUrl)) {
            int unused = CqrsSchema.standard().migrate(UrlDataSource.of(url, null, null));
        }
        return new PipelineBench(brokerUrl, masterUrl, replicaUrl, transport, queue, rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(new Pipeline("pipeline-single", Wire.SINGLE), new Pipeline("pipeline-batch", Wire.BATCH));
    }

    @Override
    public void close() throws InterruptedException {
        transport.decommission(queue);
        transport.close();
    }

    private void empty(boolean captured) throws SQLException {
        execute(replicaUrl, "drop table if exists item; " + ApplyBench.TABLE + "; truncate cqrs.tombstone");
        execute(
                masterUrl,
                "drop table if exists item; " + ApplyBench.TABLE
                        + "; alter table item alter cqrs_revision set default 0, alter cqrs_updated set default now();"
                        + " truncate cqrs.outbox, cqrs.capture");
        if (captured) {
            TriggerCapture.of(UrlDataSource.of(masterUrl, null, null))
                    .install(MasterTable.of(ApplyBench.ITEM, TableName.parse("item")));
        }
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<Change> changes(int from, int count) {
        List<Change> changes = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            changes.add(ApplyBench.change(i, 2 * rows));
        }
        return changes;
    }

    /** Has all writers write their share. */
    private void write(Callable<AfterCommit> afterCommits) throws Exception {
        ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int writer = 0; writer < WRITERS; writer++) {
                int first = writer * TRANSACTION;
                running.add(writers.submit(() -> {
                    try (AfterCommit afterCommit = afterCommits.call()) {
                        write(first, afterCommit);
                    }
                    return first;
                }));
            }
            for (Future<?> one : running) {
                Object unused = one.get();
            }
        } finally {
            writers.shutdownNow();
        }
    }

    private void write(int first, AfterCommit afterCommit) throws Exception {
        try (Connection connection = DriverManager.getConnection(masterUrl);
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            connection.setAutoCommit(false);
            for (int from = first; from < rows; from += WRITERS * TRANSACTION) {
                List<Change> changes = changes(from, Math.min(TRANSACTION, rows - from));
                for (int column = 0; column < COLUMNS.size(); column++) {
                    String[] values = new String[changes.size()];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = String.valueOf(changes.get(i).data().get(COLUMNS.get(column)));
                    }
                    insert.setArray(column + 1, connection.createArrayOf(TYPES.get(column), values));
                }
                insert.executeUpdate();
                connection.commit();
                afterCommit.committed(changes);
            }
        }
    }

    /** What a writer does once rows are committed. */
    private interface AfterCommit extends AutoCloseable {
        void committed(List<Change> changes) throws Exception;

        @Override
        default void close() throws Exception {}
    }

    private final class Pipeline implements Measure {

        private final String name;
        private final Wire wire;

        private Pipeline(String name, Wire wire) {
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
                    WRITERS + " writers, transactions of " + TRANSACTION,
                    "queue " + queue.type().name().toLowerCase(Locale.ROOT),
                    "batch " + ApplyBench.BATCH,
                    "1 worker",
                    ApplyBench.durability(masterUrl),
                    "trigger capture",
                    "floor insert, commit, publish one row a message, consume, upsert");
        }

        @Override
        public double run() throws Exception {
            empty(true);
            CountDownLatch done = new CountDownLatch(1);
            AtomicInteger left = new AtomicInteger(rows);
            CqrsReplica replica = CqrsReplica.builder(UrlDataSource.of(replicaUrl, null, null))
                    .replica(ReplicaDefinition.ofTable(
                            ApplyBench.ITEM, TableName.parse("item"), Map.of(), Order.UPDATED))
                    .transport(transport)
                    .queue(queue.name())
                    .batchSize(ApplyBench.BATCH)
                    .listener(new ReplicaListener() {
                        @Override
                        public void ended(CqrsId cqrsId, Outcome outcome, int count) {
                            if (left.addAndGet(-count) <= 0) {
                                done.countDown();
                            }
                        }
                    })
                    .build();
            CqrsRelay relay = CqrsRelay.builder(UrlDataSource.of(masterUrl, null, null))
                    .transport(transport)
                    .wire(wire)
                    .build();
            try (replica;
                    relay) {
                replica.start();
                relay.start();
                long start = System.nanoTime();
                write(() -> changes -> relay.wake());
                done.await();
                return rows / ((System.nanoTime() - start) / 1e9);
            }
        }

        @Override
        public double runFloor() throws Exception {
            empty(false);
            MessageCodec codec = new MessageCodec();
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(brokerUrl);
            ExecutorService consumer = Executors.newSingleThreadExecutor();
            try (com.rabbitmq.client.Connection broker = factory.newConnection()) {
                Future<?> drained = consumer.submit(() -> {
                    new BareApply(brokerUrl, replicaUrl, queue.name()).drain(rows);
                    return rows;
                });
                long start = System.nanoTime();
                write(() -> new Publishing(broker.createChannel(), codec));
                Object unused = drained.get();
                return rows / ((System.nanoTime() - start) / 1e9);
            } finally {
                consumer.shutdownNow();
            }
        }
    }

    /** Publishes what was committed, on a channel of its own. */
    private final class Publishing implements AfterCommit {

        private final Channel channel;
        private final MessageCodec codec;
        private final BarePublish publish;

        private Publishing(Channel channel, MessageCodec codec) throws IOException {
            this.channel = channel;
            this.codec = codec;
            this.publish = new BarePublish(channel, 2 * ApplyBench.BATCH);
        }

        @Override
        public void committed(List<Change> changes) throws Exception {
            for (Change change : changes) {
                publish.send(
                        transport.config().exchange(),
                        RoutingKeys.toAll(ApplyBench.ITEM),
                        MessageProperties.PERSISTENT_TEXT_PLAIN,
                        codec.encode(Message.of(change)).getBytes(StandardCharsets.UTF_8));
            }
        }

        @Override
        public void close() throws Exception {
            publish.await();
            channel.close();
        }
    }
}
