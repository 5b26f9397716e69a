package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.core.Change;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.Wire;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

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
    private static final int COLUMNS = 8;

    private final BenchQueue queue;
    private final String masterUrl;
    private final String replicaUrl;
    private final int rows;

    private PipelineBench(BenchQueue queue, String masterUrl, String replicaUrl, int rows) {
        this.queue = queue;
        this.masterUrl = masterUrl;
        this.replicaUrl = replicaUrl;
        this.rows = rows;
    }

    static PipelineBench build(Servers servers, int rows, String queueType) throws Exception {
        return new PipelineBench(
                BenchQueue.open(servers, queueType),
                Databases.create(servers, "bench_pipe_master"),
                Databases.create(servers, "bench_pipe_replica"),
                rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(measure("pipeline-single", Wire.SINGLE, 1), measure("pipeline-batch", Wire.BATCH, 2));
    }

    private Measure measure(String name, Wire wire, int workers) {
        return new Measure(
                name,
                "rows/s",
                List.of(
                        "rows " + rows,
                        WRITERS + " writers, transactions of " + TRANSACTION,
                        queue.condition(),
                        "batch " + BenchQueue.BATCH,
                        "prefetch " + BenchQueue.PREFETCH,
                        "persistent messages, 2000 rows without their confirm, of the floor's writers 1000 each",
                        "the relay's deletes don't wait for the disk",
                        "workers " + workers + " beside a floor of 1 thread",
                        Databases.durability(masterUrl),
                        "trigger capture",
                        "floor insert, commit, publish one row a message, consume, upsert"),
                () -> run(wire, workers),
                this::runBare);
    }

    @Override
    public void close() throws InterruptedException {
        queue.close();
    }

    private double run(Wire wire, int workers) throws Exception {
        empty();
        TriggerCapture.of(UrlDataSource.of(masterUrl, null, null))
                .install(MasterTable.of(Item.ID, TableName.parse("item")));
        Countdown countdown = new Countdown(rows);
        CqrsReplica replica =
                queue.replica(replicaUrl).workers(workers).listener(countdown).build();
        CqrsRelay relay = queue.relay(masterUrl).wire(wire).build();
        try (replica;
                relay) {
            replica.start();
            relay.start();
            long start = System.nanoTime();
            write(() -> changes -> relay.wake());
            countdown.await();
            return Round.perSecond(rows, start);
        }
    }

    private double runBare() throws Exception {
        empty();
        MessageCodec codec = new MessageCodec();
        ExecutorService consumer = Executors.newSingleThreadExecutor();
        try (com.rabbitmq.client.Connection broker = BenchQueue.connect(queue.brokerUrl())) {
            Future<?> drained = consumer.submit(() -> {
                new BareApply(queue.brokerUrl(), replicaUrl, queue.name()).drain(rows);
                return rows;
            });
            long start = System.nanoTime();
            write(() -> new Publishing(broker.createChannel(), codec));
            Object unused = drained.get();
            return Round.perSecond(rows, start);
        } finally {
            consumer.shutdownNow();
        }
    }

    /** Leaves the master without capture. */
    private void empty() throws SQLException {
        Databases.empty(replicaUrl, Item.TABLE);
        Databases.empty(masterUrl, Item.TABLE);
        Databases.execute(
                masterUrl,
                "alter table item alter cqrs_revision set default 0, alter cqrs_updated set default now();"
                        + " truncate cqrs.outbox, cqrs.capture");
    }

    private List<Change> changes(int from, int count) {
        List<Change> changes = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            changes.add(Item.change(i, 2 * rows));
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
                BareApply.bind(
                        connection,
                        insert,
                        COLUMNS,
                        changes,
                        (change, column) -> String.valueOf(change.data().get(column)));
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

    /** Publishes what was committed, on a channel of its own. */
    private final class Publishing implements AfterCommit {

        private final Channel channel;
        private final MessageCodec codec;
        private final BarePublish publish;

        private Publishing(Channel channel, MessageCodec codec) throws IOException {
            this.channel = channel;
            this.codec = codec;
            this.publish = new BarePublish(channel, 2 * BenchQueue.BATCH);
        }

        @Override
        public void committed(List<Change> changes) throws Exception {
            for (Change change : changes) {
                publish.send(
                        queue.transport().config().exchange(),
                        RoutingKeys.toAll(Item.ID),
                        MessageProperties.PERSISTENT_TEXT_PLAIN,
                        Item.body(codec, change));
            }
        }

        @Override
        public void close() throws Exception {
            publish.await();
            channel.close();
        }
    }
}
