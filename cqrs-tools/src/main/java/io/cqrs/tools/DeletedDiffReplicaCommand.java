package io.cqrs.tools;

import io.cqrs.core.CqrsId;
import io.cqrs.transport.FieldFilters;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            required = true,
            paramLabel = "ID",
            description = "The model.")
    private String id;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "JSON",
            defaultValue = "{}",
            description =
                    "Which rows: a JSON object of field or field__lookup and value. Default: {}, which means all.")
    private String filter;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            defaultValue = "10000",
            description = "Rows a line. Default: 10000.")
    private int batch;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DeletedDiffReplicaCommand() {}

    @Override
    public Integer call() throws Exception {
        if (batch < 1) {
            throw new ParameterException(spec.commandLine(), "--batch is " + batch + ": it must be 1 or more");
        }
        return source.with(Map.of(), (replicas, config) -> {
            if (replicas.diff().keys(CqrsId.of(id), FieldFilters.parse(filter), batch, Pipes.out()) == 0) {
                err().println("No objects found for filter " + filter);
            }
            return 0;
        });
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
