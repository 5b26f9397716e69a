package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.CqrsMaster;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/**
 * From the begin of a change's transaction until its replica row is committed, at a steady 200 changes a second. Beside it
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
    private final ReplicaQueue.Type type;
    private final String name = "latency_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
    private int ids;

    private LatencyBench(String brokerUrl, String masterUrl, String replicaUrl, ReplicaQueue.Type type) {
        this.brokerUrl = brokerUrl;
        this.masterUrl = masterUrl;
        this.replicaUrl = replicaUrl;
        this.type = type;
    }

    static LatencyBench build(Servers servers, String queueType) throws Exception {
        String masterUrl = servers.database().createDatabase("bench_latency_master");
        String replicaUrl = servers.database().createDatabase("bench_latency_replica");
        for (String url : List.of(masterUrl, replicaUrl)) {
            int unused = CqrsSchema.standard().migrate(UrlDataSource.of(url, null, null));
        }
        execute(replicaUrl, ApplyBench.TABLE);
        execute(masterUrl, ApplyBench.TABLE.replace("create table item", "create table plain"));
        return new LatencyBench(
                servers.requireBroker().url(),
                masterUrl,
                replicaUrl,
                ReplicaQueue.Type.valueOf(queueType.toUpperCase(Locale.ROOT)));
    }

    @Override
    public List<Measure> measures() {
        return List.of(new Latency("latency-p50", 0.5), new Latency("latency-p99", 0.99));
    }

    @Override
    public void close() {
        // Each round cleans up what it made.
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Makes changes at their times, and takes for each how long it was under way. Changes come out as they go in. */
    private static List<Double> times(Change change, BlockingQueue<Long> arrivals) throws Exception {
        List<Long> begins = new ArrayList<>();
        Waiter waiter = new Waiter();
        long first = System.nanoTime();
        for (int i = 0; i < CHANGES; i++) {
            long early = first + i * INTERVAL.toNanos() - System.nanoTime();
            if (early > 0) {
                boolean unused = waiter.await(Duration.ofNanos(early));
            }
            begins.add(System.nanoTime());
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

    private final class Latency implements Measure {

        private final String measure;
        private final double quantile;

        private Latency(String measure, double quantile) {
            this.measure = measure;
            this.quantile = quantile;
        }

        @Override
        public String name() {
            return measure;
        }

        @Override
        public String unit() {
            return "us, less is better";
        }

        @Override
        public List<String> conditions() {
            return List.of(
                    CHANGES + " changes a round, " + INTERVAL.toMillis() + " ms apart",
                    "queue " + type.name().toLowerCase(Locale.ROOT),
                    ApplyBench.durability(masterUrl),
                    "Hibernate capture, relay and worker in one JVM",
                    "floor insert, commit, publish, confirm, delivery, upsert, commit by hand");
        }

        private double quantile(List<Double> times) {
            List<Double> sorted = times.stream().sorted().toList();
            return sorted.get((int) (quantile * (sorted.size() - 1)));
        }

        @Override
        public double run() throws Exception {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(masterUrl);
            BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
            Configuration configuration = new Configuration()
                    .setProperty("hibernate.hbm2ddl.auto", "update")
                    .addAnnotatedClass(Stock.Captured.class);
            try (HikariDataSource pool = new HikariDataSource(config);
                    RabbitTransport transport = RabbitTransport.of(
                            RabbitConfig.builder(brokerUrl).exchange(name).build())) {
                configuration.getProperties().put("hibernate.connection.datasource", pool);
                CqrsReplica replica = replica(transport, arrivals);
                transport.declare(replica.queue());
                try (SessionFactory sessions = configuration.buildSessionFactory();
                        CqrsMaster master = CqrsMaster.builder(sessions)
                                .transport(transport)
                                .build();
                        replica) {
                    replica.start();
                    master.start();
                    sessions.inTransaction(session -> session.persist(new Stock.Captured(++ids)));
                    long unused = arrivals.take();
                    return quantile(times(
                            () -> sessions.inTransaction(session -> session.persist(new Stock.Captured(++ids))),
                            arrivals));
                } finally {
                    transport.decommission(replica.queue());
                }
            }
        }

        private CqrsReplica replica(RabbitTransport transport, BlockingQueue<Long> arrivals) {
            return CqrsReplica.builder(UrlDataSource.of(replicaUrl, null, null))
                    .replica(ReplicaDefinition.ofTable(STOCK, TableName.parse("item"), Map.of(), Order.UPDATED))
                    .transport(transport)
                    .queue(name)
                    .queueType(type)
                    .listener(new ReplicaListener() {
                        @Override
                        public void ended(CqrsId cqrsId, Outcome outcome, int count) {
                            arrived(arrivals, count);
                        }
                    })
                    .build();
        }

        @Override
        public double runFloor() throws Exception {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(brokerUrl);
            MessageCodec codec = new MessageCodec();
            BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
            ExecutorService consumer = Executors.newSingleThreadExecutor();
            String queue = name + "_floor";
            try (com.rabbitmq.client.Connection broker = factory.newConnection();
                    Channel channel = broker.createChannel();
                    Connection database = DriverManager.getConnection(masterUrl);
                    PreparedStatement insert = database.prepareStatement(INSERT)) {
                Object unused = channel.queueDeclare(
                        queue,
                        true,
                        false,
                        false,
                        Map.of("x-queue-type", type.name().toLowerCase(Locale.ROOT)));
                Object unusedSelect = channel.confirmSelect();
                database.setAutoCommit(false);
                Future<?> drained = consumer.submit(() -> {
                    new BareApply(brokerUrl, replicaUrl, queue).drain(CHANGES, count -> arrived(arrivals, count));
                    return queue;
                });
                double figure = quantile(times(
                        () -> {
                            int id = ++ids;
                            insert.setLong(1, id);
                            insert.executeUpdate();
                            database.commit();
                            byte[] body = codec.encode(Message.of(ApplyBench.change(id, Integer.MAX_VALUE)))
                                    .getBytes(StandardCharsets.UTF_8);
                            channel.basicPublish("", queue, true, MessageProperties.PERSISTENT_TEXT_PLAIN, body);
                            channel.waitForConfirmsOrDie();
                        },
                        arrivals));
                Object unusedDrained = drained.get();
                Object unusedDelete = channel.queueDelete(queue);
                return figure;
            } finally {
                consumer.shutdownNow();
            }
        }
    }
}
