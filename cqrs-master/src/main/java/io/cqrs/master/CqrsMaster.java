package io.cqrs.master;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.hibernate.BulkWriter;
import io.cqrs.master.hibernate.Capture;
import io.cqrs.master.hibernate.UnitDatabase;
import io.cqrs.transport.Wire;
import io.cqrs.transport.spi.Transport;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The writing side within an application: the relay of its persistence unit's outbox, woken by each of its commits.
 *
 * <p>Capture itself needs no call: Hibernate finds it, and every session of a factory with a {@link Master} is captured
 * from the start. An application may leave this out and have {@code cqrs relay} run beside it. Thread-safe.
 */
public final class CqrsMaster implements AutoCloseable {

    private final Capture capture;
    private final CqrsRelay relay;
    private final BulkWriter bulk;
    private final EntityManagerFactory factory;
    private final BooleanSupplier wake;

    private CqrsMaster(EntityManagerFactory factory, Capture capture, CqrsRelay relay) {
        this.bulk = new BulkWriter(capture);
        this.factory = factory;
        this.capture = capture;
        this.relay = relay;
        this.wake = relay::wakeIfActive;
    }

    /**
     * Begins with a persistence unit on Hibernate.
     *
     * @throws CqrsConfigurationException if it has no entity with {@link Master}
     */
    public static Builder builder(EntityManagerFactory factory) {
        return new Builder(Objects.requireNonNull(factory, "factory"));
    }

    /**
     * Starts the relay; returns at once. The broker may come and go.
     *
     * @throws IllegalThreadStateException if it was started before
     */
    public void start() {
        relay.start();
        capture.addAfterCommit(wake);
    }

    /**
     * Inserts entities in bulk, within the manager's transaction: memory holds a thousand, and the ids of those that masters
     * depend on. Their messages are written as it goes, apart from those of the manager's own changes.
     *
     * @return how many
     * @throws jakarta.persistence.TransactionRequiredException if no transaction is in progress
     */
    public <T> long bulkInsert(EntityManager manager, Iterable<T> entities) {
        return bulk.insert(manager, entities);
    }

    /**
     * Updates all entities that a restriction means, a statement a thousand, each with its revision, time and message.
     * Instances that the manager holds stay as they are: clear it, or refresh them. What the filters that are enabled in it
     * hide is not updated.
     *
     * @return how many
     * @throws CqrsConfigurationException if the type is no master, or revision or time is set
     * @throws jakarta.persistence.TransactionRequiredException if no transaction is in progress
     */
    public <T> long bulkUpdate(EntityManager manager, Class<T> type, Restriction<T> where, Assignment<T> set) {
        return bulk.update(manager, type, where, set);
    }

    /**
     * Deletes all entities that a restriction means, a statement a thousand, each with its message. Nothing cascades but
     * what the database does. What the filters that are enabled in the manager hide is not deleted.
     *
     * @return how many
     * @throws CqrsConfigurationException if the type is no master
     * @throws jakarta.persistence.TransactionRequiredException if no transaction is in progress
     */
    public <T> long bulkDelete(EntityManager manager, Class<T> type, Restriction<T> where) {
        return bulk.delete(manager, type, where);
    }

    /**
     * Begins a sync of a master's entities.
     *
     * @throws CqrsConfigurationException if the type is no master
     */
    public <T> SyncRequest<T> sync(Class<T> type) {
        return SyncRequest.of(factory, type);
    }

    /** Returns how the relay is, for health checks. */
    public RelayStatus status() {
        return relay.status();
    }

    /** Returns what the relay failed with last, or what keeps it from publishing now, or null while it works. */
    public @Nullable Throwable failure() {
        return relay.failure();
    }

    /** Stops the relay; what is in the outbox stays there. Capture goes on. Idempotent. */
    @Override
    public void close() {
        capture.removeAfterCommit(wake);
        relay.close();
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final EntityManagerFactory factory;
        private @Nullable DataSource dataSource;
        private @Nullable Transport transport;
        private UnroutablePolicy unroutable = UnroutablePolicy.HOLD;
        private Wire wire = Wire.SINGLE;
        private RelayListener listener = new RelayListener() {};
        private boolean migrate;

        private Builder(EntityManagerFactory factory) {
            this.factory = factory;
            this.dataSource = UnitDatabase.of(factory);
        }

        /** Sets the transport; it stays the caller's to close. Required. */
        public Builder transport(Transport value) {
            this.transport = Objects.requireNonNull(value, "transport");
            return this;
        }

        /** Sets what the relay connects with; the persistence unit's own unless set. */
        public Builder dataSource(DataSource value) {
            this.dataSource = Objects.requireNonNull(value, "dataSource");
            return this;
        }

        /** Sets what happens to changes that no queue is bound for; they are held unless set. */
        public Builder unroutable(UnroutablePolicy policy) {
            this.unroutable = Objects.requireNonNull(policy, "unroutable");
            return this;
        }

        /** Sets how changes become messages; each one of its own unless set. */
        public Builder wire(Wire value) {
            this.wire = Objects.requireNonNull(value, "wire");
            return this;
        }

        /** Sets who is told what the relay does. */
        public Builder listener(RelayListener value) {
            this.listener = Objects.requireNonNull(value, "listener");
            return this;
        }

        /** Has {@link #build} create the framework's tables, or bring them up to date. */
        public Builder migrateSchema() {
            this.migrate = true;
            return this;
        }

        /**
         * Builds the master without starting it.
         *
         * @throws CqrsConfigurationException if something required is missing, or there is no entity with {@link
         *     Master}
         */
        public CqrsMaster build() {
            if (dataSource == null) {
                throw new CqrsConfigurationException("the persistence unit names no database: set dataSource");
            }
            if (transport == null) {
                throw new CqrsConfigurationException("no transport is set");
            }
            Capture capture = Capture.of(factory);
            CqrsSchema schema = capture.schema();
            if (migrate) {
                int unused = schema.migrate(dataSource);
            }
            CqrsRelay relay = CqrsRelay.builder(dataSource)
                    .transport(transport)
                    .schema(schema)
                    .unroutable(unroutable)
                    .wire(wire)
                    .listener(listener)
                    .build();
            return new CqrsMaster(factory, capture, relay);
        }
    }
}
