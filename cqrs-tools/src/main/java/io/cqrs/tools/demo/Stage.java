package io.cqrs.tools.demo;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.CqrsMaster;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Transport;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Two services with a database each, and what connects them; closed with all that was made for it. */
public final class Stage implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Stage.class);

    private final Servers servers;
    private final Transport transport;
    private final SessionFactory masterSessions;
    private final DataSource masterDatabase;
    private final DataSource replicaDatabase;
    private final CqrsMaster master;
    private final CqrsReplica replica;
    private final AtomicLong applied;

    private Stage(
            Servers servers, Transport transport, SessionFactory masterSessions, Databases databases, Parts parts) {
        this.servers = servers;
        this.transport = transport;
        this.masterSessions = masterSessions;
        this.masterDatabase = databases.master();
        this.replicaDatabase = databases.replica();
        this.master = parts.master();
        this.replica = parts.replica();
        this.applied = parts.applied();
    }

    /**
     * Finds or starts the servers and builds both services, not started.
     *
     * @param workers how many workers the replica has
     * @throws io.cqrs.tools.servers.ServerException if no database can be had
     */
    public static Stage build(Servers servers, int workers) {
        String masterUrl = servers.database().createDatabase("demo_master");
        String replicaUrl = servers.database().createDatabase("demo_replica");
        DataSource masterDatabase = UrlDataSource.of(masterUrl, null, null);
        DataSource replicaDatabase = UrlDataSource.of(replicaUrl, null, null);
        Optional<BrokerServer> broker = servers.broker();
        String name = "cqrs_demo_" + Long.toString(System.nanoTime(), Character.MAX_RADIX);
        Transport transport = broker.<Transport>map(found -> RabbitTransport.of(
                        RabbitConfig.builder(found.url()).exchange(name).build()))
                .orElseGet(InMemoryTransport::new);
        SessionFactory masterSessions = sessions(masterUrl, DemoProduct.class);
        CqrsMaster master = CqrsMaster.builder(masterSessions)
                .transport(transport)
                .migrateSchema()
                .build();
        AtomicLong applied = new AtomicLong();
        CqrsReplica replica;
        try (SessionFactory replicaSessions = sessions(replicaUrl, DemoProductRef.class)) {
            replica = CqrsReplica.builder(replicaSessions)
                    .transport(transport)
                    .queue(name)
                    .workers(workers)
                    .listener(new Counter(applied))
                    .migrateSchema()
                    .build();
        }
        return new Stage(
                servers,
                transport,
                masterSessions,
                new Databases(masterDatabase, replicaDatabase),
                new Parts(master, replica, applied));
    }

    /**
     * Starts both services.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public void start() throws InterruptedException {
        replica.start();
        master.start();
    }

    /** Says in a line which servers are used and why. */
    public String servers() {
        return servers.describe() + (transport instanceof InMemoryTransport ? "; messages within this process" : "");
    }

    SessionFactory masterSessions() {
        return masterSessions;
    }

    DataSource masterDatabase() {
        return masterDatabase;
    }

    DataSource replicaDatabase() {
        return replicaDatabase;
    }

    long applied() {
        return applied.get();
    }

    @Override
    public void close() {
        master.close();
        replica.close();
        if (transport instanceof RabbitTransport rabbit) {
            try {
                rabbit.decommission(replica.queue());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                LOG.warn("queue {} could not be deleted", replica.queue().name(), e);
            }
        }
        transport.close();
        masterSessions.close();
        servers.close();
    }

    private static SessionFactory sessions(String url, Class<?> entity) {
        return new Configuration()
                .addAnnotatedClass(entity)
                .setProperty("jakarta.persistence.jdbc.url", url)
                .setProperty("hibernate.connection.pool_size", "16")
                .setProperty("hibernate.hbm2ddl.auto", "update")
                .buildSessionFactory();
    }

    private record Databases(DataSource master, DataSource replica) {}

    private record Parts(CqrsMaster master, CqrsReplica replica, AtomicLong applied) {}

    private record Counter(AtomicLong applied) implements ReplicaListener {
        @Override
        public void ended(CqrsId cqrsId, Outcome outcome, int count) {
            applied.addAndGet(count);
        }
    }
}
