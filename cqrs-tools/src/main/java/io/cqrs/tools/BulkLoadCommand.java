package io.cqrs.tools;

import io.cqrs.core.SerializationException;
import io.cqrs.replica.BulkLoad;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.transport.WireTime;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs bulk-load}. */
@Command(
        name = "bulk-load",
        aliases = "cqrs_bulk_load",
        mixinStandardHelpOptions = true,
        description = {
            "Loads a dump into the replica that its first line names, beside live traffic: nothing is turned back.",
            "A line that can't be loaded is told by its number, the rest goes on. Exit code 5: there were such lines."
        },
        footer = {
            "%nExamples:",
            "  cqrs bulk-load -i product.dump.gz --config storefront.yaml",
            "  cqrs bulk-load -i product.dump --clear --rejects product.rejects --config storefront.yaml"
        })
final class BulkLoadCommand implements Callable<Integer> {

    @Mixin
    private ReplicaSource source = new ReplicaSource();

    @Option(
            names = {"-i", "--input"},
            required = true,
            paramLabel = "FILE",
            description = "The dump, unpacked if it is called .gz; - for standard input.")
    private String input;

    @Option(
            names = {"-c", "--clear"},
            description = "Remove rows that the dump does not have, in the same transaction.")
    private boolean clear;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            defaultValue = "10000",
            description = "Lines a statement. Default: 10000.")
    private int batch;

    @Option(
            names = {"-p", "--progress"},
            description = "Tell how far it is, each second.")
    private boolean progress;

    @Option(
            names = "--rejects",
            paramLabel = "FILE",
            description = "Write the lines that can't be loaded there, as a dump of their own.")
    private @Nullable Path rejects;

    @Option(
            names = "--taken-at",
            paramLabel = "TIME",
            description = "When the dump was taken, as 2026-11-21T01:16:00Z: needed where this replica has forgotten"
                    + " deletes, for rows that were last changed before those.")
    private @Nullable String takenAt;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    BulkLoadCommand() {}

    @Override
    public Integer call() throws Exception {
        return source.with(Map.of(), (replicas, config) -> {
            BulkLoad.Result result;
            try (InputStream in = Pipes.open(input);
                    RejectFile file = new RejectFile(rejects)) {
                result = load(replicas)
                        .rejects((model, number, line, reason) -> {
                            err().println("Unexpected error: line " + number + "! " + reason);
                            file.add(model, line);
                        })
                        .from(in);
            }
            err().println("Done! " + result.loaded() + " instance(s) loaded, " + result.written()
                    + " of them were new here, " + result.rejected() + " line(s) rejected."
                    + removed(result));
            return result.rejected() == 0 ? 0 : ExitCodes.PARTLY;
        });
    }

    private BulkLoad load(ReplicaStore replicas) {
        BulkLoad load = replicas.load().batchSize(batch);
        if (clear) {
            load.clear();
        }
        if (takenAt != null) {
            load.takenAt(time(takenAt));
        }
        if (progress) {
            load.progress(new Progress(err(), input, 0)::at);
        }
        return load;
    }

    private Instant time(String text) {
        try {
            return WireTime.parse(text);
        } catch (SerializationException e) {
            throw new ParameterException(spec.commandLine(), "--taken-at is " + e.getMessage(), e);
        }
    }

    private String removed(BulkLoad.Result result) {
        if (!clear) {
            return "";
        }
        return result.rejected() > 0
                ? " No row was removed, since lines were rejected."
                : " " + result.removed() + " row(s) removed.";
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
