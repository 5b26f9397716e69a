package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.hibernate.EntityDefinitions;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.consume.Worker;
import io.cqrs.replica.internal.consume.WorkerSettings;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import jakarta.persistence.EntityManagerFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps replica tables current from a queue, with one or more workers.
 *
 * <p>Each worker has a thread, a channel and a database connection of its own, and applies batches in one transaction
 * under the guard: the newest state wins, deletes stay deleted, duplicates change nothing. Thread-safe.
 */
public final class CqrsReplica implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CqrsReplica.class);
    private static final Duration DATABASE_RETRY = Duration.ofSeconds(2);

    private final WorkerSettings settings;
    private final Transport transport;
    private final ConnectionSource database;
    private final List<SessionLoop> workers;
    private final Waiter closing = new Waiter();
    private volatile boolean closed;

    private CqrsReplica(WorkerSettings settings, Transport transport, ConnectionSource database, int workers) {
        this.settings = settings;
        this.transport = transport;
        this.database = database;
        this.workers = IntStream.rangeClosed(1, workers)
                .mapToObj(number -> new Worker(settings, transport, database).loop(number))
                .toList();
    }

    /**
     * Begins with the entities of a persistence unit that carry {@link Replica}, and its database.
     *
     * @throws CqrsConfigurationException if a declaration is wrong
     */
    public static Builder builder(EntityManagerFactory factory) {
        Builder builder = new Builder();
        builder.definitions.addAll(EntityDefinitions.of(factory));
        builder.dataSource = UrlDataSource.fromPersistenceProperties(factory.getProperties());
        return builder;
    }

    /** Begins with a database and no replicas. */
    public static Builder builder(DataSource dataSource) {
        return new Builder().dataSource(dataSource);
    }

    /**
     * Checks the declarations against the database and starts the workers; waits while the database is down. From here
     * on the broker and the database may come and go.
     *
     * @throws CqrsConfigurationException if a table does not fit its declaration, or the framework's schema is missing
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void start() throws InterruptedException {
        check();
        LOG.info(
                "replica {}: {} worker(s), batches of {}, models {}, through {}",
                settings.queue().name(),
                workers.size(),
                settings.batchSize(),
                settings.queue().models(),
                transport.describe());
        workers.forEach(SessionLoop::start);
    }

    /** Returns the queue it consumes. */
    public ReplicaQueue queue() {
        return settings.queue();
    }

    /** Returns what a worker failed with last, or null while all of them work. */
    public @Nullable Throwable failure() {
        return workers.stream()
                .map(SessionLoop::failure)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** Finishes, commits and acknowledges the batches in work, at most ten seconds, and stops. Idempotent. */
    @Override
    public void close() {
        closed = true;
        closing.wake();
        SessionLoop.closeAll(workers);
    }

    private void check() throws InterruptedException {
        while (!closed) {
            try (Connection connection = database.open();
                    BatchApplier unused = BatchApplier.open(connection, settings.definitions(), settings.schema())) {
                return;
            } catch (SQLException e) {
                if (!SqlStates.isUnavailable(e)) {
                    throw new CqrsConfigurationException("the replica's database refuses: " + e.getMessage(), e);
                }
                LOG.warn("the replica's database can't be reached ({}), trying again", e.getMessage());
                boolean unused = closing.await(DATABASE_RETRY);
            }
        }
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final List<ReplicaDefinition> definitions = new ArrayList<>();
        private @Nullable DataSource dataSource;
        private @Nullable Transport transport;
        private @Nullable String queue;
        private @Nullable String deadLetters;
        private ReplicaQueue.Type queueType = ReplicaQueue.Type.QUORUM;
        private int workers = 1;
        private int batchSize = 500;
        private long batchBytes = 8L << 20;
        private RetryPolicy retries = RetryPolicy.STANDARD;
        private Duration tombstoneRetention = Duration.ofDays(30);
        private ReplicaListener listener = new ReplicaListener() {};
        private CqrsSchema schema = CqrsSchema.standard();
        private Clock clock = Clock.systemUTC();
        private boolean migrate;

        private Builder() {}

        /** Sets the transport; it stays the caller's to close. Required. */
        public Builder transport(Transport value) {
            this.transport = Objects.requireNonNull(value, "transport");
            return this;
        }

        /** Sets the queue, one a replica service. Required. */
        public Builder queue(String name) {
            this.queue = Objects.requireNonNull(name, "queue");
            return this;
        }

        /** Sets the queue of what could not be applied; {@code dead_letter_<queue>} unless set. */
        public Builder deadLetterQueue(String name) {
            this.deadLetters = Objects.requireNonNull(name, "deadLetterQueue");
            return this;
        }

        /** Sets how the queue and its dead letters' are made where they do not exist; quorum unless set. */
        public Builder queueType(ReplicaQueue.Type type) {
            this.queueType = Objects.requireNonNull(type, "queueType");
            return this;
        }

        /** Sets the database; the persistence unit's unless set. */
        public Builder dataSource(DataSource value) {
            this.dataSource = Objects.requireNonNull(value, "dataSource");
            return this;
        }

        /** Adds a replica that no entity declares. */
        public Builder replica(ReplicaDefinition definition) {
            definitions.add(Objects.requireNonNull(definition, "definition"));
            return this;
        }

        /** Sets how many workers run, 1 to 100; 1 unless set. */
        public Builder workers(int count) {
            this.workers = count;
            return this;
        }

        /** Sets the most changes a transaction, 1 to 1000; 500 unless set. */
        public Builder batchSize(int count) {
            this.batchSize = count;
            return this;
        }

        /** Sets the bytes from which on a batch takes no further message; 8 MiB unless set. */
        public Builder batchBytes(long bytes) {
            this.batchBytes = bytes;
            return this;
        }

        /** Sets how often and how soon a change that failed is tried again; {@link RetryPolicy#STANDARD} unless set. */
        public Builder retries(RetryPolicy policy) {
            this.retries = Objects.requireNonNull(policy, "retries");
            return this;
        }

        /** Sets how long deleted keys are remembered; 30 days unless set. */
        public Builder tombstoneRetention(Duration age) {
            this.tombstoneRetention = Objects.requireNonNull(age, "tombstoneRetention");
            return this;
        }

        /** Sets who is told what becomes of changes. */
        public Builder listener(ReplicaListener value) {
            this.listener = Objects.requireNonNull(value, "listener");
            return this;
        }

        /** Sets the schema of the framework's tables; {@code cqrs} unless set. */
        public Builder schema(CqrsSchema value) {
            this.schema = Objects.requireNonNull(value, "schema");
            return this;
        }

        /** Sets the clock that says what has expired; the system's unless set. */
        public Builder clock(Clock value) {
            this.clock = Objects.requireNonNull(value, "clock");
            return this;
        }

        /** Has {@link #build} create the framework's tables, or bring them up to date. */
        public Builder migrateSchema() {
            this.migrate = true;
            return this;
        }

        /**
         * Builds the replica without starting it.
         *
         * @throws CqrsConfigurationException if something required is missing or a declaration is wrong
         * @throws IllegalArgumentException if a number is out of range
         */
        public CqrsReplica build() {
            DataSource source = required(dataSource, "the persistence unit names no database: set dataSource");
            Transport carrier = required(transport, "no transport is set");
            String name = required(queue, "no queue is set: name one for this service");
            requireBetween("workers", workers, 1, 100);
            requireBetween("batchSize", batchSize, 1, 1000);
            if (batchBytes < 1) {
                throw new IllegalArgumentException("batchBytes " + batchBytes + " is below 1");
            }
            ReplicaQueue replicaQueue = new ReplicaQueue(
                    name,
                    deadLetters == null ? "dead_letter_" + name : deadLetters,
                    models(),
                    queueType,
                    ReplicaQueue.DEFAULT_DELIVERY_LIMIT);
            if (migrate) {
                int unused = schema.migrate(source);
            }
            WorkerSettings settings = new WorkerSettings(
                    replicaQueue,
                    List.copyOf(definitions),
                    schema,
                    batchSize,
                    batchBytes,
                    retries,
                    tombstoneRetention,
                    listener,
                    clock);
            return new CqrsReplica(settings, carrier, source::getConnection, workers);
        }

        private Set<CqrsId> models() {
            if (definitions.isEmpty()) {
                throw new CqrsConfigurationException(
                        "no replica is declared: annotate an entity with @Replica, or add a definition");
            }
            Set<CqrsId> models = new HashSet<>();
            for (ReplicaDefinition definition : definitions) {
                if (!models.add(definition.cqrsId())) {
                    throw new CqrsConfigurationException(
                            "two replicas of " + definition.cqrsId() + " are declared: one is allowed in a service");
                }
            }
            return models;
        }

        private static <T> T required(@Nullable T value, String otherwise) {
            if (value == null) {
                throw new CqrsConfigurationException(otherwise);
            }
            return value;
        }

        private static void requireBetween(String name, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(name + " " + value + " must lie between " + least + " and " + most);
            }
        }
    }
}
