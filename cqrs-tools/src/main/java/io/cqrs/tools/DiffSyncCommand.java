package io.cqrs.tools;

import io.cqrs.master.DiffReport;
import io.cqrs.master.MasterDiff;
import io.cqrs.master.SyncProgress;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.pipe.DiffStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs diff-sync}. */
@Command(
        name = "diff-sync",
        aliases = "cqrs_diff_sync",
        mixinStandardHelpOptions = true,
        description = {
            "Ends a comparison: reads what diff-replica wrote, and sends what the replica lacks or has otherwise to its queue.",
            "Of ranges it also sends deletes of what only the replica has. A relay publishes what is sent."
        },
        footer = {
            "%nExamples:",
            "  cqrs diff-sync --config catalogue.yaml < replica.diff",
            "  cqrs diff-sync --check --json --config catalogue.yaml < replica.diff"
        })
final class DiffSyncCommand implements Callable<Integer> {

    @Mixin
    private MasterSource source = new MasterSource();

    @Option(names = "--check", description = "Send nothing; exit with 10 if there are differences.")
    private boolean check;

    @Option(
            names = "--force",
            description =
                    "Send also where the replica's state is later, and have it taken: after the master was restored.")
    private boolean force;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            description = "Taken for the sake of scripts: what is sent is paged by itself.")
    private @Nullable Integer unusedBatch;

    @Option(
            names = {"-p", "--progress"},
            description = "Tell each difference.")
    private boolean progress;

    @Option(names = "--json", description = "Print what was found as a JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DiffSyncCommand() {}

    @Override
    public Integer call() throws Exception {
        DiffStream in = Pipes.diff();
        if (in == null) {
            err().println("Nothing to compare" + (check ? ": did the stage before end well?" : ""));
            return check ? ExitCodes.ERROR : 0;
        }
        return source.with(in.cqrsId().value(), rows -> {
            DiffReport report =
                    MasterDiff.of(rows).repair(in, new MasterDiff.Options(check, force, this::tell, this::tellWaiting));
            err().println(in.isOfChecksums() ? text(report) : report.cqrsId() + ": " + report.sent() + " sent");
            if (json) {
                spec.commandLine().getOut().println(JsonText.write(Reports.fields(report)));
                spec.commandLine().getOut().flush();
            }
            return check && !report.isEqual() ? ExitCodes.DIFFERENCES : 0;
        });
    }

    private void tell(MasterDiff.Difference difference, List<String> key) {
        if (progress) {
            err().println(difference.name().toLowerCase(Locale.ROOT) + ": " + String.join(", ", key));
        }
    }

    private void tellWaiting(SyncProgress now) {
        err().println(now.sent() + " sent, waiting for the relay to publish them: does one run, and does"
                + " a queue take them?");
        err().flush();
    }

    private static String text(DiffReport report) {
        if (report.isEqual()) {
            return report.cqrsId() + ": equal";
        }
        String ahead = report.ahead() == 0
                ? ""
                : ", " + report.ahead() + " ahead of this master (was it restored? --force sends them)";
        return report.cqrsId() + ": " + report.missing() + " missing, " + report.stale() + " stale, " + report.drifted()
                + " drifted, " + report.surplus() + " surplus" + ahead + "; " + report.sent() + " sent, "
                + report.deleted() + " deleted";
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
