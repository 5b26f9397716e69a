package io.cqrs.tools;

import io.cqrs.master.MasterDiff;
import io.cqrs.transport.pipe.DiffStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cqrs deleted-diff-master}. */
@Command(
        name = "deleted-diff-master",
        aliases = "cqrs_deleted_diff_master",
        mixinStandardHelpOptions = true,
        description = {
            "Goes on with a search for rows that only a replica has: reads its keys, and writes those that are no more."
        },
        footer = {"%nExample:", "  cqrs deleted-diff-master --config catalogue.yaml < replica.keys > deleted.keys"})
final class DeletedDiffMasterCommand implements Callable<Integer> {

    @Mixin
    private MasterSource source = new MasterSource();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DeletedDiffMasterCommand() {}

    @Override
    public Integer call() throws Exception {
        DiffStream in = Pipes.diff();
        if (in == null) {
            return 0;
        }
        return source.with(in.cqrsId().value(), rows -> {
            long gone = MasterDiff.of(rows).deleted(in, Pipes.out());
            err().println(in.cqrsId() + ": " + gone + " only at the replica");
            return 0;
        });
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
