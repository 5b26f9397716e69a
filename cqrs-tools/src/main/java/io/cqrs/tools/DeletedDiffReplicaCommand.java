package io.cqrs.tools;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.ReplicaDiff;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cqrs deleted-diff-replica}. */
@Command(
        name = "deleted-diff-replica",
        aliases = "cqrs_deleted_diff_replica",
        mixinStandardHelpOptions = true,
        description = {
            "Begins a search for rows that only a replica has: writes its keys, for deleted-diff-master to read."
        },
        footer = {
            "%nExample:",
            "  cqrs deleted-diff-replica -c product --config storefront.yaml"
                    + " | cqrs deleted-diff-master --config catalogue.yaml"
                    + " | cqrs deleted-sync-replica --config storefront.yaml"
        })
final class DeletedDiffReplicaCommand implements Callable<Integer> {

    @Mixin
    private ReplicaSource source = new ReplicaSource();

    @Mixin
    private RowOptions chosen = new RowOptions();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DeletedDiffReplicaCommand() {}

    @Override
    public Integer call() throws Exception {
        int batch = chosen.batch(spec.commandLine());
        return source.with(Map.of(), (replicas, config) -> {
            ReplicaDiff diff = replicas.diff();
            CqrsId id = CqrsId.of(chosen.id());
            chosen.write(spec.commandLine(), filter -> diff.keys(id, filter, batch, Pipes.out()));
            return 0;
        });
    }
}
