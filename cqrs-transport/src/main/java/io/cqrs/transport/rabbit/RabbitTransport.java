package io.cqrs.transport.rabbit;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.TransportException;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transport over RabbitMQ 3.10 or later.
 *
 * <ol>
 *   <li>One connection for publishing and one for consuming, so that a publisher held back by the broker never holds
 *       back acknowledgements; each is opened when first needed.
 *   <li>A connection that can't be opened is tried again with backoff, for ever unless a patience is set, the first time
 *       as later; every failure is logged.
 *   <li>A channel belongs to the thread that opened it. When one is lost its owner gets a {@link TransportException}
 *       and opens another; nothing is recovered behind its back, since old delivery tags would be wrong.
 *   <li>With {@code amqps} the certificate and the host name are verified.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class RabbitTransport implements Transport {

    private static final Logger LOG = LoggerFactory.getLogger(RabbitTransport.class);

    private final RabbitConfig config;
    private final ConnectionKeeper publishing;
    private final ConnectionKeeper consuming;

    private RabbitTransport(RabbitConfig config) {
        this.config = config;
        this.publishing = new ConnectionKeeper("publish", config);
        this.consuming = new ConnectionKeeper("consume", config);
    }

    /**
     * Returns a transport for a broker's URL with the defaults of {@link RabbitConfig}; connects when first used.
     *
     * @param uri as in {@code amqp://user:password@host:5672/vhost}, or {@code amqps}
     * @throws CqrsConfigurationException if the URL is none
     */
    public static RabbitTransport connect(String uri) {
        return of(RabbitConfig.builder(uri).build());
    }

    /** Returns a transport of this configuration; connects when first used. */
    public static RabbitTransport of(RabbitConfig config) {
        return new RabbitTransport(Objects.requireNonNull(config, "config"));
    }

    /** Returns what it was made with. */
    public RabbitConfig config() {
        return config;
    }

    @Override
    public List<String> declare(ReplicaQueue queue) throws InterruptedException {
        return new Topology(consuming.connection(), config.exchange()).declare(queue);
    }

    /**
     * Deletes a replica's queues with all that is in them, and the exchange if nothing else is bound to it: for a
     * replica that is no more.
     *
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public void decommission(ReplicaQueue queue) throws InterruptedException {
        new Topology(consuming.connection(), config.exchange()).delete(queue);
    }

    /**
     * Looks at a queue.
     *
     * @return null where there is none
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public @Nullable QueueStatus inspect(String queue) throws InterruptedException {
        return new Topology(consuming.connection(), config.exchange()).inspect(queue);
    }

    /**
     * Looks at all shards of a replica's queue together.
     *
     * @return what waits in all, and the consumers of the one with the fewest; null where one of them does not exist
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public @Nullable QueueStatus inspect(ReplicaQueue queue) throws InterruptedException {
        QueueStatus all = new QueueStatus(0, Long.MAX_VALUE);
        for (String name : queue.names()) {
            QueueStatus one = inspect(name);
            if (one == null) {
                return null;
            }
            all = new QueueStatus(all.ready() + one.ready(), Math.min(all.consumers(), one.consumers()));
        }
        return all;
    }

    /**
     * Counts the messages of a replica's queue that wait at the broker to be tried again.
     *
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public long retrying(ReplicaQueue queue) throws InterruptedException {
        return new Topology(consuming.connection(), config.exchange()).retrying(queue.name());
    }

    /**
     * Says whether a queue and its dead letters', which exist, have the type and the arguments that {@link #declare} gives
     * them. Those that have not work all the same, without what the others promise.
     *
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public boolean isAsDeclared(ReplicaQueue queue) throws InterruptedException {
        return new Topology(consuming.connection(), config.exchange()).isAsDeclared(queue);
    }

    /**
     * Returns the broker's version, or an empty text where it tells none.
     *
     * @throws TransportException if the broker refuses
     * @throws InterruptedException if the thread is interrupted while it waits for the broker
     */
    public String serverVersion() throws InterruptedException {
        Object version = consuming.connection().getServerProperties().get("version");
        return version == null ? "" : version.toString();
    }

    @Override
    public Publisher openPublisher() throws InterruptedException {
        Connection connection = publishing.connection();
        Topology topology = new Topology(connection, config.exchange());
        topology.declareExchange();
        return new RabbitPublisher(openChannel(connection), config.exchange(), topology, publishing);
    }

    @Override
    public @Nullable TransportException publishingFailure() {
        return publishing.failure();
    }

    @Override
    public Receiver openReceiver(List<String> queues, int prefetch, long prefetchBytes) throws InterruptedException {
        if (prefetch < 1) {
            throw new IllegalArgumentException("prefetch " + prefetch + " is below 1");
        }
        return new RabbitReceiver(consuming.connection(), List.copyOf(queues), prefetch, prefetchBytes);
    }

    @Override
    public Browser openBrowser(String queue) throws InterruptedException {
        return new RabbitBrowser(openChannel(consuming.connection()), queue);
    }

    @Override
    public String describe() {
        return "RabbitMQ at " + config.address() + ", exchange " + config.exchange();
    }

    @Override
    public void close() {
        publishing.close();
        consuming.close();
    }

    static Channel openChannel(Connection connection) {
        try {
            Channel channel = connection.createChannel();
            if (channel == null) {
                throw TransportException.lost("the broker has no channel left on this connection", null);
            }
            return channel;
        } catch (IOException | RuntimeException e) {
            throw TransportException.lost("no channel could be opened: " + e.getMessage(), e);
        }
    }

    /** Closes a channel, whatever state it is in. */
    static void abort(Channel channel) {
        try {
            channel.abort();
        } catch (IOException | RuntimeException e) {
            LOG.debug("the channel was gone already", e);
        }
    }
}
