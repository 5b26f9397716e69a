package io.cqrs.tools;

import io.cqrs.master.MasterDiff;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs diff-master}. */
@Command(
        name = "diff-master",
        aliases = "cqrs_diff_master",
        mixinStandardHelpOptions = true,
        description = {
            "Begins a comparison: writes keys and revisions of a master, for diff-replica to read.",
            "With --checksum a line a range of keys, with a hash of each field: that finds rows that only the replica has,",
            "and values that differ at the same revision, too, and sends no more than what differs."
        },
        footer = {
            "%nExample:",
            "  cqrs diff-master -c product --checksum --config catalogue.yaml"
                    + " | cqrs diff-replica --config storefront.yaml"
                    + " | cqrs diff-sync --config catalogue.yaml"
        })
final class DiffMasterCommand implements Callable<Integer> {

    @Mixin
    private MasterSource source = new MasterSource();

    @Mixin
    private RowOptions chosen = new RowOptions();

    @Option(names = "--checksum", description = "Compare hashes of ranges, all rows of them.")
    private boolean checksum;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DiffMasterCommand() {}

    @Override
    public Integer call() throws Exception {
        int batch = chosen.batch(spec.commandLine());
        if (checksum && !chosen.filter().conditions().isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "--checksum compares all rows: leave --filter out, or compare without it");
        }
        return source.with(chosen.id(), rows -> {
            MasterDiff diff = MasterDiff.of(rows);
            if (checksum) {
                diff.ranges(batch, Pipes.out());
            } else {
                chosen.write(spec.commandLine(), filter -> diff.states(filter, batch, Pipes.out()));
            }
            return 0;
        });
    }
}
