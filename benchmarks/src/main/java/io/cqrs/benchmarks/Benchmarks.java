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
        footer = {"%nMeasures: apply, apply-2 (two workers), all", "%nExample:", "  benchmarks/run apply --rows 50000"})
final class Benchmarks implements Callable<Integer> {

    private static final List<String> NAMES = List.of("apply", "apply-2");

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
        try (Servers servers = Servers.durable();
                ApplyBench bench = ApplyBench.build(servers, rows, queueType)) {
            spec.commandLine().getErr().println("servers: " + servers.describe());
            List<Comparison> comparisons = new ArrayList<>();
            for (Measure measure : chosen(List.of(bench.measure(1), bench.measure(2)))) {
                comparisons.add(Comparison.of(measure, rounds));
            }
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

    private List<Measure> chosen(List<Measure> known) {
        return known.stream()
                .filter(measure -> wanted.contains("all") || wanted.contains(measure.name()))
                .toList();
    }
}
