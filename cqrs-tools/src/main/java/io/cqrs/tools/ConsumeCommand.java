package io.cqrs.tools;

import io.cqrs.core.CqrsId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code cqrs consume}. */
@Command(
        name = "consume",
        aliases = "cqrs_consume",
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

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            paramLabel = "ID",
            description = "Bind the queue to this replica only; more than once for several. Default: all.")
    private Set<String> cqrsIds = new TreeSet<>();

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Replica.")
    private @Nullable Path app;

    @Option(
            names = {"-r", "--reload"},
            description = "Start anew when the jar changes, or on SIGHUP, with the configuration of then.")
    private boolean reload;

    @Option(names = "--bind-only", description = "Make the queue and bind it, and end: before a new replica is filled.")
    private boolean bindOnly;

    @Override
    public Integer call() throws Exception {
        if (bindOnly) {
            try (Consumer consumer = open(app)) {
                consumer.bind();
            }
        } else if (reload) {
            ReloadingConsumer consumer = new ReloadingConsumer(this::open, app);
            Service.run(consumer::start, consumer::isAlive, consumer);
        } else {
            Consumer consumer = open(app);
            Service.run(consumer::start, consumer::isAlive, consumer);
        }
        return 0;
    }

    private Consumer open(@Nullable Path jar) {
        Map<String, String> options = new HashMap<>();
        if (workers != null) {
            options.put("workers", workers);
        }
        if (queue != null) {
            options.put("queue", queue);
        }
        Set<CqrsId> models = cqrsIds.stream().map(CqrsId::of).collect(Collectors.toSet());
        return Consumer.open(config.load(options), jar, models);
    }
}
