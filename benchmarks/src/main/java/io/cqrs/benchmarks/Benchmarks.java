package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
            "%nMeasures, by group:",
            "  apply     apply-1, apply-2, apply-batch: from the queue, by one worker, by two, 500 changes a message",
            "            engine, engine-hooks: changes that are in memory, without hooks and with",
            "            engine-deletes: the same by two, one change in a hundred a delete, beside none",
            "  publish   publish-single, publish-batch: the relay, one change a message and many",
            "  capture   writers: commits of 16 writers with Hibernate's capture, and without",
            "            batch-insert: a transaction of many inserts with Hibernate's capture, and without",
            "            trigger-update: an UPDATE with trigger capture, and with bare triggers",
            "  pipeline  pipeline-single, pipeline-batch: from commits to replica rows, all of it at once",
            "  latency   latency-p50, latency-p99: from a change to its replica row, 200 changes a second",
            "            wake, wake-elsewhere: from commit to queue, the relay woken by the commit or by the database",
            "  scaling   more beside less of the framework itself, where 1 is linear and below 1 worse:",
            "            backlog-outbox, backlog-queue, backlog-queue-batch: as many rows waiting, beside a tenth of them",
            "            workers-2, workers-4: applying from the queue, beside one worker",
            "            columns-10, columns-50: from outbox to replica row, values a second beside a tenth of the columns",
            "            row-1k, row-10k, row-100k: the same way, bytes a second beside rows of a tenth of the bytes",
            "  tools     dump, load, diff, checksum: the bulk commands as processes, beside psql's COPY and hashes",
            "  all",
            "%nExample:",
            "  benchmarks/run apply --rows 50000",
            "  benchmarks/run publish-batch wake --rounds 7"
        })
final class Benchmarks implements Callable<Integer> {

    private static final Map<String, List<String>> GROUPS = groups();

    @Parameters(paramLabel = "MEASURE", description = "What to measure, or all.")
    private List<String> wanted = new ArrayList<>();

    @Option(names = "--rows", defaultValue = "50000", description = "Rows a round. Default: 50000.")
    private int rows;

    @Option(names = "--rounds", defaultValue = "5", description = "Rounds of each side that count. Default: 5.")
    private int rounds;

    @Option(
            names = "--warm-up",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "How long each measure runs before its rounds count, one round of each side at least."
                    + " Default: 60.")
    private int warmUp;

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
        if (warmUp < 0) {
            throw new ParameterException(spec.commandLine(), "--warm-up must be 0 or more");
        }
        if (!List.of("classic", "quorum").contains(queueType)) {
            throw new ParameterException(spec.commandLine(), "--queue-type is classic or quorum");
        }
        if (wanted.isEmpty() || !wanted.stream().allMatch(Benchmarks::isKnown)) {
            throw new ParameterException(spec.commandLine(), "Name measures or groups out of " + GROUPS + ", or all");
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json != null) {
            Files.deleteIfExists(json);
        }
        try (Servers servers = Servers.durable()) {
            List<Comparison> comparisons = new ArrayList<>();
            measure("apply", () -> ApplyBench.build(servers, rows, queueType), comparisons);
            measure("apply", () -> EngineBench.build(servers, rows), comparisons);
            measure("publish", () -> PublishBench.build(servers, rows, queueType), comparisons);
            measure("capture", () -> CaptureBench.build(servers, rows), comparisons);
            measure("capture", () -> TriggerBench.build(servers, rows), comparisons);
            measure("pipeline", () -> PipelineBench.build(servers, rows, queueType), comparisons);
            measure("latency", () -> LatencyBench.build(servers, queueType), comparisons);
            measure("latency", () -> WakeBench.build(servers), comparisons);
            measure("scaling", () -> ScalingBench.build(servers, rows, queueType), comparisons);
            measure("scaling", () -> ShapesBench.build(servers, rows, queueType), comparisons);
            measure("tools", () -> ToolsBench.build(servers, rows), comparisons);
            spec.commandLine().getErr().println("servers: " + servers.describe());
            Runtime machine = Runtime.getRuntime();
            out.printf(
                    "Java %s, %d cores, heap of at most %d MB, each measure warmed up for %d s%n",
                    Runtime.version(), machine.availableProcessors(), machine.maxMemory() >> 20, warmUp);
            out.println(Report.table(comparisons));
            out.flush();
        }
        return 0;
    }

    /** Builds what the measures of a group need only where one of them is wanted. */
    private void measure(String group, Callable<? extends Bench> build, List<Comparison> comparisons) throws Exception {
        if (isWanted(group) || GROUPS.getOrDefault(group, List.of()).stream().anyMatch(wanted::contains)) {
            try (Bench bench = build.call()) {
                for (Measure one : bench.measures()) {
                    if (isWanted(group) || wanted.contains(one.name())) {
                        Comparison comparison = Comparison.of(one, rounds, Duration.ofSeconds(warmUp));
                        comparisons.add(comparison);
                        tell(Report.jsonLine(comparison));
                    }
                }
            }
        }
    }

    /** At once: a run of all takes long, and may be ended before its end. */
    private void tell(String line) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
        if (json != null) {
            Files.writeString(json, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private boolean isWanted(String group) {
        return wanted.contains("all") || wanted.contains(group);
    }

    private static boolean isKnown(String name) {
        return name.equals("all")
                || GROUPS.containsKey(name)
                || GROUPS.values().stream().anyMatch(names -> names.contains(name));
    }

    private static Map<String, List<String>> groups() {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        groups.put("apply", List.of("apply-1", "apply-2", "apply-batch", "engine", "engine-hooks", "engine-deletes"));
        groups.put("publish", List.of("publish-single", "publish-batch"));
        groups.put("capture", List.of("writers", "batch-insert", "trigger-update"));
        groups.put("pipeline", List.of("pipeline-single", "pipeline-batch"));
        groups.put("latency", List.of("latency-p50", "latency-p99", "wake", "wake-elsewhere"));
        groups.put(
                "scaling",
                List.of(
                        "backlog-outbox",
                        "backlog-queue",
                        "backlog-queue-batch",
                        "workers-2",
                        "workers-4",
                        "columns-10",
                        "columns-50",
                        "row-1k",
                        "row-10k",
                        "row-100k"));
        groups.put("tools", List.of("dump", "load", "diff", "checksum"));
        return groups;
    }
}
