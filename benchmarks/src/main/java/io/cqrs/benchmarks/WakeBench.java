package io.cqrs.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.core.CqrsId;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.CqrsRelay;
import io.cqrs.tools.servers.Servers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.hibernate.SessionFactory;

/**
 * How soon after its commit a change has left for the queue at low load: until a consumer has it, so a delivery is in the
 * figure, beside a bare publish with its confirm. In one JVM the relay is woken by the commit; else through the database,
 * as from any other process.
 */
final class WakeBench implements Bench {

    private static final CqrsId STOCK = CqrsId.of("stock");
    private static final String QUEUE_TYPE = "classic";
    private static final int CHANGES = 300;
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final byte[] BODY = new byte[500];

    private final String brokerUrl;
    private final String databaseUrl;
    private long ids;

    private WakeBench(String brokerUrl, String databaseUrl) {
        this.brokerUrl = brokerUrl;
        this.databaseUrl = databaseUrl;
    }

    static WakeBench build(Servers servers) {
        return new WakeBench(servers.requireBroker().url(), Databases.create(servers, "bench_wake"));
    }

    @Override
    public List<Measure> measures() {
        return List.of(measure("wake", false), measure("wake-elsewhere", true));
    }

    private Measure measure(String name, boolean elsewhere) {
        return new Measure(
                name,
                "us, less is better",
                List.of(
                        "median of " + CHANGES + " changes, " + PAUSE.toMillis() + " ms apart",
                        elsewhere ? "relay woken through the database" : "relay woken by the commit",
                        "classic queue",
                        Databases.durability(databaseUrl),
                        "floor publish and confirm of a persistent message"),
                () -> commits(elsewhere),
                this::publishes);
    }

    @Override
    public void close() {
        // Each round cleans up what it made.
    }

    private double commits(boolean elsewhere) throws Exception {
        try (StockUnit unit = StockUnit.open(databaseUrl, 10);
                BenchQueue queue = BenchQueue.open(brokerUrl, QUEUE_TYPE, STOCK);
                AutoCloseable relay = relay(elsewhere, unit.sessions(), queue)) {
            return commits(unit.sessions(), queue);
        }
    }

    private AutoCloseable relay(boolean elsewhere, SessionFactory sessions, BenchQueue queue) {
        if (elsewhere) {
            CqrsRelay relay = queue.relay(databaseUrl).build();
            relay.start();
            return relay;
        }
        CqrsMaster master =
                CqrsMaster.builder(sessions).transport(queue.transport()).build();
        master.start();
        return master;
    }

    private double commits(SessionFactory sessions, BenchQueue queue) throws Exception {
        BlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
        try (Connection broker = BenchQueue.connect(brokerUrl);
                Channel channel = broker.createChannel()) {
            String unused = channel.basicConsume(queue.name(), true, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(
                        String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    arrivals.add(System.nanoTime());
                }
            });
            return median(() -> {
                long id = ++ids;
                sessions.inTransaction(session -> session.persist(new Stock.Captured(id)));
                long committed = System.nanoTime();
                return (arrivals.take() - committed) / 1e3;
            });
        }
    }

    private double publishes() throws Exception {
        try (BenchQueue queue = BenchQueue.open(brokerUrl, QUEUE_TYPE, STOCK);
                Connection broker = BenchQueue.connect(brokerUrl);
                Channel channel = broker.createChannel()) {
            Object unused = channel.confirmSelect();
            return median(() -> {
                long start = System.nanoTime();
                channel.basicPublish("", queue.name(), true, MessageProperties.PERSISTENT_BASIC, BODY);
                channel.waitForConfirmsOrDie();
                return (System.nanoTime() - start) / 1e3;
            });
        }
    }

    private static double median(Round change) throws Exception {
        List<Double> figures = new ArrayList<>();
        Waiter waiter = new Waiter();
        for (int i = 0; i < CHANGES; i++) {
            figures.add(change.run());
            boolean unused = waiter.await(PAUSE);
        }
        return Comparison.median(figures);
    }
}
