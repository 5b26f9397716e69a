package io.cqrs.tools;

import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.hibernate.SessionFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code cqrs consume}. */
@Command(
        name = "consume",
        mixinStandardHelpOptions = true,
        description = "Keeps this service's replicas current from its queue, until it is stopped.",
        footer = {"%nExample:", "  cqrs consume -w 2 --app shop.jar"})
final class ConsumeCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = {"-w", "--workers"},
            paramLabel = "N",
            description = "How many workers. Variable: CQRS_WORKERS. Default: 1.")
    private @Nullable String workers;

    @Option(
            names = {"-q", "--queue"},
            paramLabel = "NAME",
            description = "The queue of this service. Variable: CQRS_QUEUE.")
    private @Nullable String queue;

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Replica.")
    private @Nullable Path app;

    @Override
    public Integer call() throws Exception {
        Map<String, String> options = new HashMap<>();
        if (workers != null) {
            options.put("workers", workers);
        }
        if (queue != null) {
            options.put("queue", queue);
        }
        CqrsConfig loaded = config.load(options);
        RabbitTransport transport = loaded.transport();
        DataSource database = loaded.database();
        if (app == null) {
            return consume(loaded, transport, CqrsReplica.builder(database));
        }
        try (Application application = Application.open(app);
                SessionFactory sessions = application.openReplicas(database)) {
            return consume(loaded, transport, CqrsReplica.builder(sessions).dataSource(database));
        }
    }

    private static int consume(CqrsConfig loaded, RabbitTransport transport, CqrsReplica.Builder builder)
            throws Exception {
        builder.transport(transport).queue(loaded.requireQueue()).workers(loaded.workers());
        loaded.replicas().forEach(builder::replica);
        CqrsReplica replica = builder.build();
        Service.run(replica::start, replica, transport);
        return 0;
    }
}
