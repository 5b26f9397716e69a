package io.cqrs.tools;

import io.cqrs.transport.pipe.DiffStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs diff-replica}. */
@Command(
        name = "diff-replica",
        aliases = "cqrs_diff_replica",
        mixinStandardHelpOptions = true,
        description = {
            "Goes on with a comparison: reads what diff-master wrote, and writes what differs here, for diff-sync to read.",
            "Of ranges, what differs is looked at again after a while: it may have been on its way."
        },
        footer = {"%nExample:", "  cqrs diff-replica --config storefront.yaml < master.diff > replica.diff"})
final class DiffReplicaCommand implements Callable<Integer> {

    @Mixin
    private ReplicaSource source = new ReplicaSource();

    @Option(
            names = {"-q", "--queue"},
            paramLabel = "NAME",
            description = "The queue of this service, where it gets what it lacks. Variable: CQRS_QUEUE.")
    private @Nullable String queue;

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "PT5S",
            description = "After what time ranges are looked at again. Default: PT5S.")
    private String wait;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DiffReplicaCommand() {}

    @Override
    public Integer call() throws Exception {
        Duration patience = patience();
        Map<String, String> options = new HashMap<>();
        if (queue != null) {
            options.put("queue", queue);
        }
        return source.with(options, (replicas, config) -> {
            String name = config.requireQueue();
            DiffStream in = Pipes.diff();
            if (in != null) {
                long unused = replicas.diff().answer(in, name, patience, Pipes.out(), err()::println);
            }
            return 0;
        });
    }

    private Duration patience() {
        try {
            Duration time = Duration.parse(wait);
            if (!time.isNegative()) {
                return time;
            }
        } catch (DateTimeParseException e) {
            throw new ParameterException(spec.commandLine(), "--wait is \"" + wait + "\", no time such as PT5S", e);
        }
        throw new ParameterException(spec.commandLine(), "--wait is " + wait + ": it can't be negative");
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
