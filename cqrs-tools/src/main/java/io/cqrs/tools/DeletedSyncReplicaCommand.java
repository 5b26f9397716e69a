package io.cqrs.tools;

import io.cqrs.transport.pipe.DiffStream;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cqrs deleted-sync-replica}. */
@Command(
        name = "deleted-sync-replica",
        aliases = "cqrs_deleted_sync_replica",
        mixinStandardHelpOptions = true,
        description = {
            "Ends a search for rows that only a replica has: reads the keys that are no more, and deletes them here.",
            "Rows that were written since the search began stay."
        },
        footer = {"%nExample:", "  cqrs deleted-sync-replica --config storefront.yaml < deleted.keys"})
final class DeletedSyncReplicaCommand implements Callable<Integer> {

    @Mixin
    private ReplicaSource source = new ReplicaSource();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DeletedSyncReplicaCommand() {}

    @Override
    public Integer call() throws Exception {
        DiffStream in = Pipes.diff();
        if (in == null) {
            err().println("Nothing to delete");
            return 0;
        }
        return source.with(Map.of(), (replicas, config) -> {
            err().println(in.cqrsId() + ": " + replicas.diff().delete(in) + " deleted");
            return 0;
        });
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
