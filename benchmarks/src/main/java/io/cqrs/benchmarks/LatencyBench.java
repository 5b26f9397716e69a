package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.master.CqrsMaster;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.MessageCodec;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * From the time of a change until its replica row is committed, at a steady 200 changes a second. Beside it
 * the same by hand: insert and commit, publish and confirm, delivery, upsert and commit.
 */
final class LatencyBench implements Bench {

    private static final int CHANGES = 800;
    private static final Duration INTERVAL = Duration.ofMillis(5);
    private static final CqrsId STOCK = CqrsId.of("stock");
    private static final String INSERT = """
            insert into plain (id, name, description, price, amount, active, made, seen, cqrs_revision, cqrs_updated)
            values (?, 'name', 'a description of some length, as products have one', 1.5, 7, true, '2024-02-29', now(), 0,
                now())""";

    private final String brokerUrl;
    private final String masterUrl;
    private final String replicaUrl;
    private final String queueType;
    private int ids;

    private LatencyBench(String brokerUrl, String masterUrl, String replicaUrl, String queueType) {
        this.brokerUrl = brokerUrl;
        this.masterUrl = masterUrl;
        this.replicaUrl = replicaUrl;
        this.queueType = queueType;
    }

    static LatencyBench build(Servers servers, String queueType) throws Exception {
        String masterUrl = Databases.create(servers, "bench_latency_master");
        String replicaUrl = Databases.create(servers, "bench_latency_replica");
        Databases.execute(replicaUrl, Item.TABLE);
        Databases.execute(masterUrl, Item.TABLE.replace("create table item", "create table plain"));
        return new LatencyBench(servers.requireBroker().url(), masterUrl, replicaUrl, queueType);
    }

    @Override
    public List<Measure> measures() {
        return List.of(measure("latency-p50", 0.5), measure("latency-p99", 0.99));
    }

    private Measure measure(String name, double quantile) {
        return new Measure(
                name,
                "us, less is better",
                List.of(
                        CHANGES + " changes a round, " + INTERVAL.toMillis() + " ms apart",
                        "queue " + queueType,
                        Databases.durability(masterUrl),
                        "the relay's deletes don't wait for the disk",
                        "Hibernate capture, relay and worker in one JVM",
                        "floor insert, commit, publish, confirm, delivery, upsert, commit by hand"),
                () -> quantile(quantile, times()),
                () -> quantile(quantile, timesByHand()));
    }

    private static double quantile(double quantile, List<Double> times) {
        List<Double> sorted = times.stream().sorted().toList();
        return sorted.get((int) (quantile * (sorted.size() - 1)));
    }

    @Override
    public void close() {
        // Each round cleans up what it made.
    }

    private List<Double> times() throws Exception {
        BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
        try (StockUnit unit = StockUnit.open(masterUrl, 10);
                BenchQueue queue = BenchQueue.open(brokerUrl, queueType, STOCK);
                CqrsMaster master = CqrsMaster.builder(unit.sessions())
                        .transport(queue.transport())
                        .build();
                CqrsReplica replica = replica(queue, arrivals)) {
            replica.start();
            master.start();
            return times(
                    () -> unit.sessions().inTransaction(session -> session.persist(new Stock.Captured(++ids))),
                    arrivals);
        }
    }

    private CqrsReplica replica(BenchQueue queue, BlockingQueue<Long> arrivals) {
        return CqrsReplica.builder(UrlDataSource.of(replicaUrl, null, null))
                .replica(ReplicaDefinition.ofTable(STOCK, TableName.parse("item"), Map.of(), Order.UPDATED))
                .transport(queue.transport())
                .queue(queue.name())
                .listener(new ReplicaListener() {
                    @Override
                    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
                        arrived(arrivals, count);
                    }
                })
                .build();
    }

    private List<Double> timesByHand() throws Exception {
        MessageCodec codec = new MessageCodec();
        BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
        ExecutorService consumer = Executors.newSingleThreadExecutor();
        try (BenchQueue queue = BenchQueue.open(brokerUrl, queueType, STOCK);
                com.rabbitmq.client.Connection broker = BenchQueue.connect(brokerUrl);
                Channel channel = broker.createChannel();
                Connection database = DriverManager.getConnection(masterUrl);
                PreparedStatement insert = database.prepareStatement(INSERT)) {
            Object unused = channel.confirmSelect();
            database.setAutoCommit(false);
            Future<?> drained = consumer.submit(() -> {
                new BareApply(brokerUrl, replicaUrl, queue.name())
                        .drain(1 + CHANGES, count -> arrived(arrivals, count));
                return queue;
            });
            List<Double> times = times(
                    () -> {
                        int id = ++ids;
                        insert.setLong(1, id);
                        insert.executeUpdate();
                        database.commit();
                        byte[] body = Item.body(codec, Item.change(id, Integer.MAX_VALUE));
                        channel.basicPublish("", queue.name(), true, MessageProperties.PERSISTENT_TEXT_PLAIN, body);
                        channel.waitForConfirmsOrDie();
                    },
                    arrivals);
            Object unusedDrained = drained.get();
            return times;
        } finally {
            consumer.shutdownNow();
        }
    }

    /**
     * Makes one change, so that all are connected, then changes at their times, and takes for each how long after its time it
     * was there. Changes come out as they go in.
     */
    private static List<Double> times(Change change, BlockingQueue<Long> arrivals) throws Exception {
        change.make();
        long unused = arrivals.take();
        List<Long> begins = new ArrayList<>();
        Waiter waiter = new Waiter();
        long first = System.nanoTime();
        for (int i = 0; i < CHANGES; i++) {
            long time = first + i * INTERVAL.toNanos();
            long early = time - System.nanoTime();
            if (early > 0) {
                boolean unusedWait = waiter.await(Duration.ofNanos(early));
            }
            begins.add(time);
            change.make();
        }
        List<Double> times = new ArrayList<>();
        for (long begin : begins) {
            times.add((arrivals.take() - begin) / 1e3);
        }
        return times;
    }

    private static void arrived(BlockingQueue<Long> arrivals, int count) {
        long now = System.nanoTime();
        for (int i = 0; i < count; i++) {
            arrivals.add(now);
        }
    }

    /** Makes one change, and commits it. */
    private interface Change {
        void make() throws Exception;
    }
}
