package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.OutboxStatus;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.rabbit.QueueStatus;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs status}. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = {
            "Tells how things are: of a database what waits in its outbox, whether a relay is at work, what triggers capture",
            "and what comparisons found last; of a queue what waits in it, how many workers consume it, its dead letters, and what",
            "failed and will be tried again."
        },
        footer = {
            "%nExamples:",
            "  cqrs status --config catalogue.yaml",
            "  cqrs status --watch 2 --config storefront.yaml"
        })
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = {"-q", "--queue"},
            paramLabel = "NAME",
            description = "The replica's queue. Variable: CQRS_QUEUE. Default: none is looked at.")
    private @Nullable String queue;

    @Option(names = "--json", description = "Print a JSON object.")
    private boolean json;

    @Option(names = "--watch", paramLabel = "SECONDS", description = "Tell again every so many seconds.")
    private @Nullable Integer watch;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    StatusCommand() {}

    @Override
    public Integer call() throws Exception {
        if (watch != null && watch < 1) {
            throw new ParameterException(spec.commandLine(), "--watch is " + watch + ": it must be 1 or more");
        }
        CqrsConfig loaded = config.load(queue == null ? Map.of() : Map.of("queue", queue));
        if (loaded.databaseUrl() == null && loaded.queue() == null) {
            throw new CqrsConfigurationException(
                    "neither database.url nor queue is set: there is nothing to look at; give them in cqrs.yaml");
        }
        Waiter waiter = new Waiter();
        do {
            Map<String, @Nullable Object> status = read(loaded);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(JsonText.write(status));
            } else {
                lines(status).forEach(out::println);
            }
            out.flush();
            // The writer in between swallows it.
            if (watch != null && System.out.checkError()) {
                throw new IOException("Broken pipe");
            }
        } while (watch != null && !waiter.await(Duration.ofSeconds(watch)));
        return 0;
    }

    private static Map<String, @Nullable Object> read(CqrsConfig config) throws InterruptedException {
        Map<String, @Nullable Object> status = new LinkedHashMap<>();
        if (config.databaseUrl() != null) {
            Optional<OutboxStatus> outbox = OutboxStatus.read(config.database(), CqrsSchema.standard());
            status.put("outbox_readable", outbox.isPresent());
            outbox.ifPresent(known -> put(status, known));
        }
        ReplicaQueue queue = config.replicaQueue();
        if (queue != null) {
            try (RabbitTransport transport = config.impatientTransport()) {
                put(status, "queue", queue.name(), transport.inspect(queue));
                status.put("queue_retrying", transport.retrying(queue));
                put(status, "dead_letters", queue.deadLetters(), transport.inspect(queue.deadLetters()));
            }
        }
        return status;
    }

    private static void put(Map<String, @Nullable Object> status, OutboxStatus outbox) {
        status.put("outbox_waiting", outbox.waiting());
        status.put("outbox_oldest_seconds", outbox.oldest().toSeconds());
        status.put("outbox_late", outbox.late());
        status.put("relay_active", outbox.relayed());
        status.put("captured_by_triggers", outbox.models());
        status.put("last_diffs", outbox.diffs().stream().map(Reports::fields).toList());
    }

    private static void put(
            Map<String, @Nullable Object> status, String what, String name, @Nullable QueueStatus found) {
        status.put(what, name);
        status.put(what + "_ready", found == null ? null : (Object) found.ready());
        status.put(what + "_consumers", found == null ? null : (Object) found.consumers());
    }

    private static List<String> lines(Map<String, @Nullable Object> status) {
        List<String> lines = new ArrayList<>();
        if (Boolean.FALSE.equals(status.get("outbox_readable"))) {
            lines.add("outbox   not for this user to read");
        }
        if (status.containsKey("outbox_waiting")) {
            long waiting = (Long) status.getOrDefault("outbox_waiting", 0L);
            lines.add("outbox   " + waiting + " waiting"
                    + (waiting == 0 ? "" : ", the oldest for " + status.get("outbox_oldest_seconds") + " s"));
            if (status.get("outbox_late") instanceof Map<?, ?> late) {
                late.forEach((key, count) -> lines.add("late     " + key + ": " + count + " for more than a minute"));
            }
            lines.add("relay    " + (Boolean.TRUE.equals(status.get("relay_active")) ? "active" : "none is at work"));
            lines.add("triggers " + Reports.list(status.get("captured_by_triggers")));
            if (status.get("last_diffs") instanceof List<?> diffs) {
                diffs.forEach(diff -> lines.add("diff     " + JsonText.write(diff)));
            }
        }
        for (String what : List.of("queue", "dead_letters")) {
            if (status.get(what) != null) {
                Object ready = status.get(what + "_ready");
                lines.add(String.format("%-9s", what.equals("queue") ? what : "letters") + status.get(what) + ": "
                        + (ready == null
                                ? "does not exist; a worker makes it"
                                : ready + " waiting"
                                        + (what.equals("queue")
                                                ? ", " + status.get(what + "_consumers") + " worker(s)"
                                                : "")));
            }
        }
        if (status.get("queue_retrying") instanceof Long retrying && retrying > 0) {
            lines.add("retries  " + retrying + " failed, and will be tried again: the workers' log has the reasons");
        }
        return lines;
    }
}
