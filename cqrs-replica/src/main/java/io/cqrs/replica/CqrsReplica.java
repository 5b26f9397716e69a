package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.hibernate.EntityDefinitions;
import io.cqrs.replica.hibernate.UnitDatabase;
import io.cqrs.replica.internal.consume.StartCheck;
import io.cqrs.replica.internal.consume.Worker;
import io.cqrs.replica.internal.consume.WorkerSettings;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import jakarta.persistence.EntityManagerFactory;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps replica tables current from a queue, with one or more workers.
 *
 * <p>Each worker has a thread, a channel and a database connection of its own, and applies batches
 * under the guard: the newest state wins, deletes stay deleted, duplicates change nothing. Thread-safe.
 */
public final class CqrsReplica implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CqrsReplica.class);

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
     * Begins with the entities of a persistence unit that carry {@link Replica}, and its database. Not to be closed before
     * the replica is.
     */
    public static Builder builder(EntityManagerFactory factory) {
        Builder builder = new Builder();
        builder.factory = factory;
        builder.dataSource = UnitDatabase.of(factory);
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
        new StartCheck(settings, database, closing).await(() -> closed);
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

    /**
     * Returns how the workers are: for a readiness or liveness answer.
     *
     * @param stuckAfter how long a worker may be at one batch, retries of contention and waits for a database that refuses
     *     included
     */
    public List<WorkerStatus> status(Duration stuckAfter) {
        return workers.stream()
                .map(worker -> WorkerStatus.of(worker, stuckAfter))
                .toList();
    }

    /** Finishes, commits and acknowledges the batches in work, at most ten seconds, and stops. Idempotent. */
    @Override
    public void close() {
        closed = true;
        closing.wake();
        SessionLoop.closeAll(workers);
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final List<ReplicaDefinition> definitions = new ArrayList<>();
        private @Nullable EntityManagerFactory factory;
        private Function<Class<? extends ReplicaHandler<?>>, ReplicaHandler<?>> handlers = ReplicaHandler::make;
        private @Nullable DataSource dataSource;
        private @Nullable Transport transport;
        private @Nullable String queue;
        private @Nullable String deadLetters;
        private ReplicaQueue.Type queueType = ReplicaQueue.Type.QUORUM;
        private int shards = 1;
        private Set<CqrsId> subscribed = Set.of();
        private int workers = 1;
        private int batchSize = 500;
        private long batchBytes = 8L << 20;
        private RetryPolicy retries = RetryPolicy.STANDARD;
        private Duration parentPatience = Duration.ofHours(1);
        private @Nullable Duration statementTimeout;
        private @Nullable Duration deadLetterTimeToLive;
        private Duration tombstoneRetention = Duration.ofDays(30);
        private final List<ReplicaListener> listeners = new ArrayList<>();
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

        /**
         * Sets how long a row waits for one that its foreign key refers to, which may come by another queue or later; then
         * it goes to the dead letters. An hour unless set.
         */
        public Builder parentPatience(Duration time) {
            this.parentPatience = Objects.requireNonNull(time, "parentPatience");
            return this;
        }

        /** Has the database cancel statements that take longer, which are logged; never unless set. */
        public Builder statementTimeout(Duration time) {
            this.statementTimeout = Objects.requireNonNull(time, "statementTimeout");
            return this;
        }

        /** Has dead letters dropped after a time, as django-cqrs does after ten days; never unless set. */
        public Builder deadLetterTimeToLive(Duration time) {
            this.deadLetterTimeToLive = Objects.requireNonNull(time, "deadLetterTimeToLive");
            return this;
        }

        /** Sets how the queue and its dead letters' are made where they do not exist; quorum unless set. */
        public Builder queueType(ReplicaQueue.Type type) {
            this.queueType = Objects.requireNonNull(type, "queueType");
            return this;
        }

        /**
         * Spreads the messages over as many queues, 1 to 64; 1 unless set. Needs the broker's plugin
         * {@code rabbitmq_consistent_hash_exchange}. Each worker receives from all of them; the number may change.
         *
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder shards(int count) {
            Checks.requireBetween("shards", count, 1, ReplicaQueue.MOST_SHARDS);
            this.shards = count;
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

        /**
         * Has a handler called for each message of a model that needs no table here: see
         * {@link ReplicaDefinition#ofHandler}.
         */
        public Builder handler(String cqrsId, ReplicaHandler<?> handler) {
            return replica(ReplicaDefinition.ofHandler(CqrsId.of(cqrsId), handler));
        }

        /**
         * Sets who makes the handlers that {@link Replica#handler} names, as in a container's {@code getBean}; their
         * constructors without parameters unless set.
         */
        public Builder handlers(Function<Class<? extends ReplicaHandler<?>>, ReplicaHandler<?>> maker) {
            this.handlers = Objects.requireNonNull(maker, "maker");
            return this;
        }

        /**
         * Binds the queue to these models only; to all that are declared unless set. What the queue holds of the others, as
         * of an earlier binding, is applied all the same.
         */
        public Builder subscribe(Set<CqrsId> models) {
            this.subscribed = Set.copyOf(models);
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

        /** Adds one who is told what becomes of changes. */
        public Builder listener(ReplicaListener value) {
            listeners.add(Objects.requireNonNull(value, "listener"));
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
            EntityDefinitions entities = factory == null ? null : EntityDefinitions.of(factory, handlers);
            List<ReplicaDefinition> all = new ArrayList<>(entities == null ? List.of() : entities.definitions());
            all.addAll(definitions);
            DataSource source = Checks.required(dataSource, "the persistence unit names no database: set dataSource");
            Transport carrier = Checks.required(transport, "no transport is set");
            String name = Checks.required(queue, "no queue is set: name one for this service");
            Checks.requireBetween("workers", workers, 1, 100);
            Checks.requireBetween("batchSize", batchSize, 1, 1000);
            Checks.requireMillis("deadLetterTimeToLive", deadLetterTimeToLive);
            Checks.requireMillis("statementTimeout", statementTimeout);
            if (batchBytes < 1) {
                throw new IllegalArgumentException("batchBytes " + batchBytes + " is below 1");
            }
            java.util.Map<CqrsId, ReplicaDefinition> models = Models.byId(all);
            ReplicaQueue replicaQueue = new ReplicaQueue(
                    name,
                    deadLetters == null ? ReplicaQueue.deadLettersOf(name) : deadLetters,
                    Models.subscribed(models.keySet(), subscribed),
                    queueType,
                    shards,
                    ReplicaQueue.DEFAULT_DELIVERY_LIMIT);
            if (migrate) {
                int unused = schema.migrate(source);
            }
            WorkerSettings settings = new WorkerSettings(
                    replicaQueue,
                    models,
                    entities == null ? null : entities.sessions(),
                    schema,
                    batchSize,
                    batchBytes,
                    retries,
                    parentPatience,
                    statementTimeout,
                    deadLetterTimeToLive,
                    tombstoneRetention,
                    new Listeners(List.copyOf(listeners)),
                    clock);
            return new CqrsReplica(settings, carrier, source::getConnection, workers);
        }
    }
}
