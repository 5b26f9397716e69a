package io.cqrs.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cqrs.tools.demo.Demo;
import io.cqrs.tools.demo.Stage;
import io.cqrs.tools.servers.Servers;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs demo}. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Shows a master that writes and a replica that follows, on servers that it finds or starts:",
            "those named by CQRS_TEST_AMQP_URL and CQRS_TEST_PG_URL, else Docker's, else private ones from binaries on"
                    + " this machine, else an embedded PostgreSQL and messages within the process.",
            "Runs until Ctrl-C, which stops all that it started."
        },
        footer = {"%nExamples:", "  cqrs demo", "  cqrs demo --once --rows 10000 --json"})
final class DemoCommand implements Callable<Integer> {

    @Option(names = "--once", description = "Run a fixed scenario, compare both tables column by column, and end.")
    private boolean once;

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Rows of the scenario. Default: 2000.")
    private int rows;

    @Option(names = "--json", description = "Print the result as JSON.")
    private boolean json;

    @Option(
            names = {"-w", "--workers"},
            paramLabel = "N",
            defaultValue = "2",
            description = "Workers of the replica. Default: 2.")
    private int workers;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DemoCommand() {}

    @Override
    public Integer call() throws Exception {
        if (rows < 1 || rows > 10_000_000) {
            throw new ParameterException(spec.commandLine(), "--rows must lie between 1 and 10000000");
        }
        if (workers < 1 || workers > 100) {
            throw new ParameterException(spec.commandLine(), "--workers must lie between 1 and 100");
        }
        if (!once && json) {
            throw new ParameterException(spec.commandLine(), "--json goes with --once");
        }
        PrintWriter err = spec.commandLine().getErr();
        err.println("looking for servers ...");
        CountDownLatch ended = new CountDownLatch(1);
        try (Stage stage = Stage.build(Servers.forTests(), workers)) {
            err.println("servers: " + stage.servers());
            return once ? once(stage) : live(stage, ended);
        } finally {
            ended.countDown();
        }
    }

    private int once(Stage stage) throws Exception {
        Demo.Result result = new Demo(stage).once(rows);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(toJson(stage, result));
        } else {
            out.println(result.summary());
            result.differences().stream().limit(20).forEach(out::println);
            out.printf(
                    "%s: %d rows are equal in all %d columns, %d differ, after %.1f s%n",
                    result.equal() ? "EQUAL" : "DIFFERENT",
                    result.rows(),
                    result.columns(),
                    result.differences().size(),
                    result.seconds());
        }
        out.flush();
        return result.equal() ? 0 : ExitCodes.DIFFERENCES;
    }

    /** Ends with a signal; the process then waits until all is closed. */
    private int live(Stage stage, CountDownLatch ended) throws Exception {
        Thread main = Thread.currentThread();
        Thread atExit = new Thread(
                () -> {
                    main.interrupt();
                    try {
                        boolean unused = ended.await(20, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "cqrs-demo-end");
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            new Demo(stage).live(spec.commandLine().getOut());
        } catch (InterruptedException e) {
            spec.commandLine().getErr().println("stopping ...");
            spec.commandLine().getErr().flush();
        }
        return 0;
    }

    private static String toJson(Stage stage, Demo.Result result) throws JsonProcessingException {
        JsonMapper mapper = new JsonMapper();
        ObjectNode node = mapper.createObjectNode();
        node.put("equal", result.equal());
        node.put("rows", result.rows());
        node.put("columns", result.columns());
        node.put("different", result.differences().size());
        node.put("changes", result.changes());
        node.put("seconds", result.seconds());
        node.put("servers", stage.servers());
        return mapper.writeValueAsString(node);
    }
}
