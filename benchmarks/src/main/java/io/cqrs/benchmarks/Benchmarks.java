package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code benchmarks/run}. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the framework beside a bare loop of client libraries that does the least work with the same"
                    + " durability, in turn, in one run.",
            "Figures of one machine and one run compare; others don't."
        },
        footer = {
            "%nMeasures:",
            "  apply, apply-2   applying from the queue, by one worker and by two",
            "  engine, engine-hooks  applying changes that are in memory, without hooks and with",
            "  engine-deletes   the same by two, one change in a hundred a delete, beside none",
            "  capture          commits of 16 writers with Hibernate's capture, and without",
            "  batch-insert     a transaction of many inserts with Hibernate's capture, and without",
            "  trigger-update   an UPDATE with trigger capture, and with bare triggers",
            "  wake, wake-elsewhere  from commit to queue, the relay woken by the commit or through the database",
            "  dump, load, diff, checksum  the bulk commands as processes, beside psql's COPY and hashes",
            "  all",
            "%nExample:",
            "  benchmarks/run apply --rows 50000"
        })
final class Benchmarks implements Callable<Integer> {

    private static final List<String> NAMES = List.of(
            "apply",
            "apply-2",
            "engine",
            "engine-hooks",
            "engine-deletes",
            "capture",
            "batch-insert",
            "trigger-update",
            "wake",
            "wake-elsewhere",
            "dump",
            "load",
            "diff",
            "checksum");

    @Parameters(paramLabel = "MEASURE", description = "What to measure, or all.")
    private List<String> wanted = new ArrayList<>();

    @Option(names = "--rows", defaultValue = "50000", description = "Rows a round. Default: 50000.")
    private int rows;

    @Option(names = "--rounds", defaultValue = "5", description = "Rounds of each side that count. Default: 5.")
    private int rounds;

    @Option(names = "--queue-type", defaultValue = "classic", description = "classic or quorum. Default: classic.")
    private String queueType = "classic";

    @Option(names = "--json", paramLabel = "FILE", description = "Also write a JSON line a measure to a file.")
    private @Nullable Path json;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    Benchmarks() {}

    /** Runs the measures. */
    public static void main(String[] args) {
        System.setProperty("logback.configurationFile", "io/cqrs/tools/logback.xml");
        int code = new CommandLine(new Benchmarks()).execute(args);
        Runtime.getRuntime().exit(code);
    }

    @Override
    public Integer call() throws Exception {
        if (rows < 1000 || rounds < 1) {
            throw new ParameterException(spec.commandLine(), "--rows must be at least 1000, --rounds at least 1");
        }
        if (!List.of("classic", "quorum").contains(queueType)) {
            throw new ParameterException(spec.commandLine(), "--queue-type is classic or quorum");
        }
        if (wanted.isEmpty() || !wanted.stream().allMatch(one -> one.equals("all") || NAMES.contains(one))) {
            throw new ParameterException(
                    spec.commandLine(), "Name measures out of " + String.join(", ", NAMES) + ", or all");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (Servers servers = Servers.durable()) {
            spec.commandLine().getErr().println("servers: " + servers.describe());
            List<Comparison> comparisons = new ArrayList<>();
            measure(() -> ApplyBench.build(servers, rows, queueType), List.of("apply", "apply-2"), comparisons);
            measure(
                    () -> EngineBench.build(servers, rows),
                    List.of("engine", "engine-hooks", "engine-deletes"),
                    comparisons);
            measure(() -> CaptureBench.build(servers, rows), List.of("capture", "batch-insert"), comparisons);
            measure(() -> TriggerBench.build(servers, rows), List.of("trigger-update"), comparisons);
            measure(() -> WakeBench.build(servers), List.of("wake", "wake-elsewhere"), comparisons);
            measure(() -> ToolsBench.build(servers, rows), List.of("dump", "load", "diff", "checksum"), comparisons);
            List<String> lines = new ArrayList<>();
            for (Comparison comparison : comparisons) {
                lines.add(Report.jsonLine(comparison));
            }
            if (json != null) {
                Files.write(json, lines);
            }
            lines.forEach(out::println);
            out.println(Report.table(comparisons));
            out.flush();
        }
        return 0;
    }

    /** Builds what the measures need only where one of them is wanted. */
    private void measure(Callable<? extends Bench> build, List<String> names, List<Comparison> comparisons)
            throws Exception {
        if (names.stream().anyMatch(this::isWanted)) {
            try (Bench bench = build.call()) {
                for (Measure one : bench.measures()) {
                    if (isWanted(one.name())) {
                        comparisons.add(Comparison.of(one, rounds));
                    }
                }
            }
        }
    }

    private boolean isWanted(String name) {
        return wanted.contains("all") || wanted.contains(name);
    }
}
