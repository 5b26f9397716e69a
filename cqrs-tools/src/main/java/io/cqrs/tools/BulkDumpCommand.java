package io.cqrs.tools;

import io.cqrs.master.BulkDump;
import io.cqrs.master.MasterRows;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs bulk-dump}. */
@Command(
        name = "bulk-dump",
        aliases = "cqrs_bulk_dump",
        mixinStandardHelpOptions = true,
        description = {
            "Writes all rows of a master, as they are at one moment: its id, then a JSON object a line.",
            "A file gets its name once it is complete. Exit code 5: some rows could not be written."
        },
        footer = {
            "%nExamples:",
            "  cqrs bulk-dump -c product -o product.dump.gz --config catalogue.yaml",
            "  cqrs bulk-dump -c product -o - --config catalogue.yaml"
                    + " | cqrs bulk-load -i - --config storefront.yaml"
        })
final class BulkDumpCommand implements Callable<Integer> {

    @Mixin
    private MasterSource source = new MasterSource();

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            required = true,
            paramLabel = "ID",
            description = "The model.")
    private String id;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "The file, packed if it is called .gz; - for standard output. Default: ID.dump.")
    private @Nullable String output;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            description = "Taken for the sake of scripts: rows come in a stream.")
    private @Nullable Integer unusedBatch;

    @Option(
            names = {"-p", "--progress"},
            description = "Tell how far it is, each second.")
    private boolean progress;

    @Option(
            names = {"-f", "--force"},
            description = "Replace a file of that name.")
    private boolean force;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    BulkDumpCommand() {}

    @Override
    public Integer call() throws Exception {
        return source.with(id, rows -> {
            BulkDump.Result result = output != null && output.equals("-") ? dump(rows, Pipes.out()) : dumpToFile(rows);
            err().println("Done! " + result.written() + " instance(s) saved. " + (result.written() + result.failed())
                    + " instance(s) processed.");
            return result.failed() == 0 ? 0 : ExitCodes.PARTLY;
        });
    }

    private BulkDump.Result dumpToFile(MasterRows rows) throws IOException {
        try (DumpFile file = DumpFile.create(Path.of(output == null ? id + ".dump" : output), force)) {
            BulkDump.Result result = dump(rows, file.out());
            file.complete();
            return result;
        }
    }

    private BulkDump.Result dump(MasterRows rows, OutputStream out) throws IOException {
        BulkDump dump = BulkDump.of(rows)
                .failures(
                        (key, error) -> err().println("Dump record failed for pk=" + key + ": " + error.getMessage()));
        if (progress) {
            dump.progress(new Progress(err(), id, rows.count())::at);
        }
        return dump.to(out);
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
