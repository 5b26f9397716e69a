package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.util.Locale;
import java.util.Set;

/**
 * A queue for one bench, bound to an exchange of its own.
 *
 * @param brokerUrl for bare clients
 * @param transport with the exchange
 * @param queue which exists until this is closed
 * @param version the broker's
 */
record BenchQueue(String brokerUrl, RabbitTransport transport, ReplicaQueue queue, String version)
        implements AutoCloseable {

    static final int BATCH = 500;
    static final int PREFETCH = 2 * BATCH;

    static BenchQueue open(Servers servers, String queueType) throws Exception {
        return open(servers.requireBroker().url(), queueType, Item.ID);
    }

    static BenchQueue open(String brokerUrl, String queueType, CqrsId model) throws Exception {
        String name = "bench_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        RabbitTransport transport = RabbitTransport.of(
                RabbitConfig.builder(brokerUrl).exchange(name).build());
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(model))
                .withType(ReplicaQueue.Type.valueOf(queueType.toUpperCase(Locale.ROOT)));
        transport.declare(queue);
        try (Connection connection = connect(brokerUrl)) {
            return new BenchQueue(
                    brokerUrl,
                    transport,
                    queue,
                    String.valueOf(connection.getServerProperties().get("version")));
        }
    }

    /** Connects a bare client. */
    static Connection connect(String brokerUrl) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(brokerUrl);
        return factory.newConnection();
    }

    String name() {
        return queue.name();
    }

    /** Returns the queue's type, and whose it is, as a measure's condition. */
    String condition() {
        return "queue " + queue.type().name().toLowerCase(Locale.ROOT) + " of RabbitMQ " + version;
    }

    /** Begins a relay that publishes to the exchange. */
    CqrsRelay.Builder relay(String databaseUrl) {
        return CqrsRelay.builder(UrlDataSource.of(databaseUrl, null, null)).transport(transport);
    }

    /** Begins a replica of table {@code item} that is fed by the queue. */
    CqrsReplica.Builder replica(String databaseUrl) {
        return CqrsReplica.builder(UrlDataSource.of(databaseUrl, null, null))
                .replica(Item.REPLICA)
                .transport(transport)
                .queue(queue.name())
                .batchSize(BATCH);
    }

    void purge() throws Exception {
        try (Connection broker = connect(brokerUrl);
                Channel channel = broker.createChannel()) {
            Object unused = channel.queuePurge(queue.name());
        }
    }

    /** Deletes the queue with what is in it, and the exchange. */
    @Override
    public void close() throws InterruptedException {
        transport.decommission(queue);
        transport.close();
    }
}
