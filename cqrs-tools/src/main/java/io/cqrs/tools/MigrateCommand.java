package io.cqrs.tools;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.tools.config.CqrsConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs migrate}. */
@Command(
        name = "migrate",
        mixinStandardHelpOptions = true,
        description = {
            "Creates the framework's tables in schema cqrs of a database, or brings them up to date.",
            "Adds the columns cqrs_revision and cqrs_updated to tables that become masters or replicas."
        },
        footer = {
            "%nExamples:",
            "  cqrs migrate --database-url jdbc:postgresql://localhost/shop",
            "  cqrs migrate --table public.product --dry-run"
        })
final class MigrateCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = "--table",
            paramLabel = "TABLE",
            description = "Add the columns to this table; several by several options.")
    private List<String> tables = new ArrayList<>();

    @Option(
            names = "--entity",
            paramLabel = "ID",
            description = "Add the columns to the table of this master, of cqrs.yaml or of --app.")
    private List<String> entities = new ArrayList<>();

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Master.")
    private @Nullable Path app;

    @Option(names = "--dry-run", description = "Print the statements for tables, and change nothing.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    MigrateCommand() {}

    @Override
    public Integer call() {
        CqrsConfig loaded = config.load();
        List<TableName> named = tables.stream().map(TableName::parse).toList();
        List<MasterTable> masters = entities.isEmpty() ? List.of() : new Masters(entities, app).keyTables(loaded);
        if (dryRun) {
            named.forEach(table -> spec.commandLine().getOut().println(TriggerCapture.addColumnsSql(table) + ";"));
            masters.forEach(one -> spec.commandLine().getOut().println(TriggerCapture.addColumnsSql(one) + ";"));
            spec.commandLine().getOut().flush();
            return 0;
        }
        int applied = CqrsSchema.standard().migrate(loaded.database());
        spec.commandLine()
                .getErr()
                .println(
                        applied == 0
                                ? "schema cqrs is up to date"
                                : "schema cqrs: " + applied + " migration(s) applied");
        TriggerCapture columns = TriggerCapture.of(loaded.database());
        named.forEach(table -> tell(table, columns.addColumns(table)));
        masters.forEach(one -> tell(one.table(), columns.addColumns(one)));
        return 0;
    }

    private void tell(TableName table, boolean added) {
        spec.commandLine().getErr().println("table " + table + (added ? ": columns added" : " has its columns"));
    }
}
