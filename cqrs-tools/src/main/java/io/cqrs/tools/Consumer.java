package io.cqrs.tools;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.WorkerStatus;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import javax.sql.DataSource;
import org.hibernate.SessionFactory;
import org.jspecify.annotations.Nullable;

/** The workers of {@code cqrs consume}, with all that they were opened from. */
final class Consumer implements AutoCloseable {

    private final @Nullable Application application;
    private final @Nullable SessionFactory sessions;
    private final RabbitTransport transport;
    private final CqrsReplica replica;

    private Consumer(
            @Nullable Application application,
            @Nullable SessionFactory sessions,
            RabbitTransport transport,
            CqrsReplica replica) {
        this.application = application;
        this.sessions = sessions;
        this.transport = transport;
        this.replica = replica;
    }

    /**
     * Opens what the configuration and the jar declare, without connecting.
     *
     * @param models those to bind the queue to; all where there is none
     * @throws io.cqrs.core.CqrsConfigurationException if a declaration is wrong, or something is missing
     */
    static Consumer open(CqrsConfig config, @Nullable Path app, Set<CqrsId> models) {
        RabbitTransport transport = config.transport();
        DataSource database = config.database();
        if (app == null) {
            return new Consumer(null, null, transport, build(config, transport, models, CqrsReplica.builder(database)));
        }
        Application application = Application.open(app, config.properties());
        @Nullable SessionFactory sessions = null;
        try {
            sessions = application.openReplicas(database);
            CqrsReplica.Builder builder = CqrsReplica.builder(sessions).dataSource(database);
            return new Consumer(application, sessions, transport, build(config, transport, models, builder));
        } catch (RuntimeException | LinkageError e) {
            if (sessions != null) {
                sessions.close();
            }
            application.close();
            throw e;
        }
    }

    private static CqrsReplica build(
            CqrsConfig config, RabbitTransport transport, Set<CqrsId> models, CqrsReplica.Builder builder) {
        builder.transport(transport).queue(config.requireQueue()).subscribe(models);
        config.workers().applyTo(builder);
        config.replicas().forEach(builder::replica);
        return builder.build();
    }

    /** Makes the queue and binds it, so that it gets what is sent from now on. */
    void bind() throws InterruptedException {
        transport.declare(replica.queue());
    }

    void start() throws InterruptedException {
        replica.start();
    }

    /** Says whether all workers run, well or not. */
    boolean isAlive() {
        return replica.status(Duration.ofDays(1)).stream()
                .noneMatch(worker -> worker.state() == WorkerStatus.State.STOPPED);
    }

    @Override
    public void close() {
        replica.close();
        transport.close();
        if (sessions != null) {
            sessions.close();
        }
        if (application != null) {
            application.close();
        }
    }
}
