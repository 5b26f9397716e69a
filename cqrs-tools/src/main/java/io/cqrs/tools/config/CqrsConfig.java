package io.cqrs.tools.config;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.MasterTable;
import io.cqrs.master.UnroutablePolicy;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What the commands work with: from {@code cqrs.yaml}, overridden by {@code CQRS_*} variables, overridden by options.
 * Immutable.
 *
 * @param transportUrl the broker
 * @param exchange the exchange
 * @param wire how a relay puts changes into messages
 * @param unroutable what a relay does with changes that no queue is bound for
 * @param databaseUrl the database's JDBC URL
 * @param databaseUser its user, unless in the URL
 * @param databasePassword the password, unless in the URL
 * @param queue the replica's queue
 * @param workers how the workers work
 * @param masters the masters that no entity declares
 * @param replicas the replicas that no entity declares
 * @param properties what an application sets of its persistence unit, by name
 */
public record CqrsConfig(
        @Nullable String transportUrl,
        String exchange,
        Wire wire,
        UnroutablePolicy unroutable,
        @Nullable String databaseUrl,
        @Nullable String databaseUser,
        @Nullable String databasePassword,
        @Nullable String queue,
        WorkerOptions workers,
        List<MasterTable> masters,
        List<ReplicaDefinition> replicas,
        Map<String, String> properties) {

    /**
     * Returns the transport, not connected yet.
     *
     * @throws CqrsConfigurationException if no broker is named, or its URL is none
     */
    public RabbitTransport transport() {
        return RabbitTransport.of(broker().build());
    }

    /**
     * Returns a transport that gives up at once where the broker can't be reached, for a command that somebody waits for.
     *
     * @throws CqrsConfigurationException if no broker is named, or its URL is none
     */
    public RabbitTransport impatientTransport() {
        return RabbitTransport.of(broker().patience(Duration.ZERO).build());
    }

    private RabbitConfig.Builder broker() {
        String url = required(transportUrl, "transport.url", "CQRS_TRANSPORT_URL");
        return RabbitConfig.builder(url).exchange(exchange);
    }

    /**
     * Returns the database.
     *
     * @throws CqrsConfigurationException if none is named, or its URL is no JDBC URL of PostgreSQL
     */
    public DataSource database() {
        String url = required(databaseUrl, "database.url", "CQRS_DATABASE_URL");
        if (!url.startsWith("jdbc:postgresql:")) {
            throw new CqrsConfigurationException(
                    "database.url must start with jdbc:postgresql:, as in jdbc:postgresql://localhost:5432/shop");
        }
        return UrlDataSource.of(url, databaseUser, databasePassword);
    }

    /**
     * Returns the queue.
     *
     * @throws CqrsConfigurationException if none is named
     */
    public String requireQueue() {
        return required(queue, "queue", "CQRS_QUEUE");
    }

    /** Returns the queue as workers of these settings would make it, or null where none is named. */
    public @Nullable ReplicaQueue replicaQueue() {
        if (queue == null || queue.isBlank()) {
            return null;
        }
        String letters = workers.deadLetterQueue();
        return new ReplicaQueue(
                queue,
                letters == null ? ReplicaQueue.deadLettersOf(queue) : letters,
                replicas.stream().map(ReplicaDefinition::cqrsId).collect(Collectors.toSet()),
                workers.queueType(),
                workers.shards(),
                ReplicaQueue.DEFAULT_DELIVERY_LIMIT);
    }

    /** Leaves secrets out. */
    @Override
    public String toString() {
        return "CqrsConfig[exchange=" + exchange + ", queue=" + queue + ", masters=" + masters.size() + ", replicas="
                + replicas.size() + "]";
    }

    private static String required(@Nullable String value, String key, String variable) {
        if (value == null || value.isBlank()) {
            throw new CqrsConfigurationException(
                    "no " + key + " is set: give it in cqrs.yaml, or as " + variable + ", or as an option");
        }
        return value;
    }
}
