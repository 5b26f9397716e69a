package io.cqrs.tools;

import io.cqrs.core.schema.CqrsSchema;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cqrs migrate}. */
@Command(
        name = "migrate",
        mixinStandardHelpOptions = true,
        description = "Creates the framework's tables in schema cqrs of a database, or brings them up to date.",
        footer = {"%nExample:", "  cqrs migrate --database-url jdbc:postgresql://localhost/shop"})
final class MigrateCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    MigrateCommand() {}

    @Override
    public Integer call() {
        int applied = CqrsSchema.standard().migrate(config.load().database());
        spec.commandLine()
                .getErr()
                .println(
                        applied == 0
                                ? "schema cqrs is up to date"
                                : "schema cqrs: " + applied + " migration(s) applied");
        return 0;
    }
}
