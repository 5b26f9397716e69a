package io.cqrs.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.cqrs.core.CqrsId;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.CqrsRelay;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/**
 * How soon after its commit a change has left for the queue at low load: until a consumer has it, so a delivery is in the
 * figure, beside a bare publish with its confirm. In one JVM the relay is woken by the commit; else through the database,
 * as from any other process.
 */
final class WakeBench implements Bench {

    private static final int CHANGES = 300;
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final byte[] BODY = new byte[500];

    private final String brokerUrl;
    private final String databaseUrl;
    private final String name = "wake_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
    private long ids;

    private WakeBench(String brokerUrl, String databaseUrl) {
        this.brokerUrl = brokerUrl;
        this.databaseUrl = databaseUrl;
    }

    static WakeBench build(Servers servers) throws InterruptedException {
        return new WakeBench(servers.requireBroker().url(), servers.database().createDatabase("bench_wake"));
    }

    @Override
    public List<Measure> measures() {
        return List.of(new Wake("wake", false), new Wake("wake-elsewhere", true));
    }

    @Override
    public void close() {
        // Each round cleans up what it made.
    }

    private static double median(List<Double> figures) {
        return Comparison.median(figures);
    }

    private final class Wake implements Measure {

        private final String measure;
        private final boolean elsewhere;

        private Wake(String measure, boolean elsewhere) {
            this.measure = measure;
            this.elsewhere = elsewhere;
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
                    "median of " + CHANGES + " changes, " + PAUSE.toMillis() + " ms apart",
                    elsewhere ? "relay woken through the database" : "relay woken by the commit",
                    "classic queue",
                    "floor publish and confirm of a persistent message");
        }

        @Override
        public double run() throws Exception {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(databaseUrl);
            try (HikariDataSource pool = new HikariDataSource(config);
                    RabbitTransport transport = RabbitTransport.of(
                            RabbitConfig.builder(brokerUrl).exchange(name).build())) {
                int unused = CqrsSchema.standard().migrate(pool);
                ReplicaQueue queue =
                        ReplicaQueue.of(name, Set.of(CqrsId.of("stock"))).withType(ReplicaQueue.Type.CLASSIC);
                transport.declare(queue);
                Configuration configuration = new Configuration()
                        .setProperty("hibernate.hbm2ddl.auto", "update")
                        .addAnnotatedClass(Stock.Captured.class);
                configuration.getProperties().put("hibernate.connection.datasource", pool);
                try (SessionFactory sessions = configuration.buildSessionFactory();
                        AutoCloseable relay = relay(sessions, pool, transport)) {
                    return measure(sessions);
                } finally {
                    transport.decommission(queue);
                }
            }
        }

        private AutoCloseable relay(SessionFactory sessions, HikariDataSource pool, RabbitTransport transport) {
            if (elsewhere) {
                CqrsRelay relay = CqrsRelay.builder(pool).transport(transport).build();
                relay.start();
                return relay;
            }
            CqrsMaster master =
                    CqrsMaster.builder(sessions).transport(transport).build();
            master.start();
            return master;
        }

        private double measure(SessionFactory sessions) throws Exception {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(brokerUrl);
            BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
            try (com.rabbitmq.client.Connection broker = factory.newConnection();
                    Channel channel = broker.createChannel()) {
                String unused = channel.basicConsume(name, true, new DefaultConsumer(channel) {
                    @Override
                    public void handleDelivery(
                            String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                        arrivals.add(System.nanoTime());
                    }
                });
                List<Double> figures = new ArrayList<>();
                Waiter waiter = new Waiter();
                for (int i = 0; i < CHANGES; i++) {
                    long id = ++ids;
                    sessions.inTransaction(session -> session.persist(new Stock.Captured(id)));
                    long committed = System.nanoTime();
                    figures.add((arrivals.take() - committed) / 1e3);
                    boolean unusedWake = waiter.await(PAUSE);
                }
                return median(figures);
            }
        }

        @Override
        public double runFloor() throws Exception {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(brokerUrl);
            try (com.rabbitmq.client.Connection broker = factory.newConnection();
                    Channel channel = broker.createChannel()) {
                String queue = name + "_floor";
                Object unused = channel.queueDeclare(queue, true, false, false, null);
                Object unusedSelect = channel.confirmSelect();
                List<Double> figures = new ArrayList<>();
                Waiter waiter = new Waiter();
                for (int i = 0; i < CHANGES; i++) {
                    long start = System.nanoTime();
                    channel.basicPublish("", queue, true, MessageProperties.PERSISTENT_BASIC, BODY);
                    channel.waitForConfirmsOrDie();
                    figures.add((System.nanoTime() - start) / 1e3);
                    boolean unusedWake = waiter.await(PAUSE);
                }
                Object unusedDelete = channel.queueDelete(queue);
                return median(figures);
            }
        }
    }
}
