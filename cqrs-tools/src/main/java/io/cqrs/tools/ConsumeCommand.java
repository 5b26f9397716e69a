package io.cqrs.tools;

import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
        CqrsReplica.Builder builder = CqrsReplica.builder(loaded.database())
                .transport(transport)
                .queue(loaded.requireQueue())
                .workers(loaded.workers());
        definitions(loaded).forEach(builder::replica);
        CqrsReplica replica = builder.build();
        Service.run(replica::start, replica, transport);
        return 0;
    }

    private List<ReplicaDefinition> definitions(CqrsConfig loaded) {
        List<ReplicaDefinition> definitions = new ArrayList<>(loaded.replicas());
        if (app != null) {
            try (Application application = Application.open(app)) {
                definitions.addAll(application.replicas());
            }
        }
        return definitions;
    }
}
