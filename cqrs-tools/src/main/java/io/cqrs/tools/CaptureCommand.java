package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.CaptureStatus;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.tools.config.CqrsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cqrs capture}. */
@Command(
        name = "capture",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Captures tables by triggers, so that every write is sent, whoever makes it.",
        subcommands = {
            CaptureCommand.Install.class,
            CaptureCommand.Alter.class,
            CaptureCommand.Uninstall.class,
            CaptureCommand.Status.class
        },
        footer = {"%nExample:", "  cqrs capture install --config catalogue.yaml"})
final class CaptureCommand extends CommandGroup {

    /** {@code cqrs capture install}. */
    @Command(
            name = "install",
            mixinStandardHelpOptions = true,
            description = "Installs the triggers of masters, or replaces those of another declaration.",
            footer = {"%nExample:", "  cqrs capture install -c product --config catalogue.yaml"})
    static final class Install implements Callable<Integer> {

        @Mixin
        private ConfigOptions config = new ConfigOptions();

        @Mixin
        private Masters masters = new Masters();

        @Spec
        private CommandSpec spec;

        @SuppressWarnings("NullAway.Init") // picocli sets the fields
        Install() {}

        @Override
        public Integer call() {
            CqrsConfig loaded = config.load();
            List<MasterTable> tables = masters.tables(loaded);
            if (tables.isEmpty()) {
                throw new CqrsConfigurationException(
                        "no master is declared: declare one under masters in cqrs.yaml, or give --app");
            }
            TriggerCapture capture = TriggerCapture.of(loaded.database());
            for (MasterTable table : tables) {
                capture.install(table);
                tellInstalled(spec, table);
            }
            return 0;
        }
    }

    /** {@code cqrs capture alter}. */
    @Command(
            name = "alter",
            mixinStandardHelpOptions = true,
            description = {
                "Runs SQL that alters captured tables, and installs the triggers of masters as they are declared now, in one"
                        + " transaction: no write escapes in between.",
                "Columns that are renamed, dropped or get another type under triggers are altered so."
            },
            footer = {"%nExample:", "  cqrs capture alter -c product --file V7__names.sql --config catalogue.yaml"})
    static final class Alter implements Callable<Integer> {

        @Mixin
        private ConfigOptions config = new ConfigOptions();

        @Option(
                names = {"-c", "-cid", "--cqrs-id"},
                paramLabel = "ID",
                required = true,
                description = "A master whose table is altered; several by several options.")
        private List<String> ids = new ArrayList<>();

        @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Master.")
        private @Nullable Path app;

        @Option(
                names = "--file",
                paramLabel = "FILE",
                required = true,
                description =
                        "SQL statements, separated by semicolons, that write no rows of these tables and don't end the"
                                + " transaction.")
        private Path file;

        @Spec
        private CommandSpec spec;

        @SuppressWarnings("NullAway.Init") // picocli sets the fields
        Alter() {}

        @Override
        public Integer call() {
            CqrsConfig loaded = config.load();
            List<MasterTable> tables = new Masters(ids, app).tables(loaded);
            TriggerCapture.of(loaded.database()).alter(tables, statements());
            for (MasterTable table : tables) {
                tellInstalled(spec, table);
            }
            return 0;
        }

        private String statements() {
            if (!Files.exists(file)) {
                throw new CqrsConfigurationException("file " + file + " does not exist");
            }
            try {
                String statements = Files.readString(file);
                if (statements.isBlank()) {
                    throw new CqrsConfigurationException("file " + file + " holds no statement");
                }
                return statements;
            } catch (IOException e) {
                throw new CqrsConfigurationException("file " + file + " can't be read as text in UTF-8: " + e, e);
            }
        }
    }

    /** {@code cqrs capture uninstall}. */
    @Command(
            name = "uninstall",
            mixinStandardHelpOptions = true,
            description = "Removes the triggers of masters; Hibernate's capture takes over where there is one.",
            footer = {"%nExample:", "  cqrs capture uninstall -c product --config catalogue.yaml"})
    static final class Uninstall implements Callable<Integer> {

        @Mixin
        private ConfigOptions config = new ConfigOptions();

        @Mixin
        private Masters masters = new Masters();

        @Spec
        private CommandSpec spec;

        @SuppressWarnings("NullAway.Init") // picocli sets the fields
        Uninstall() {}

        @Override
        public Integer call() {
            CqrsConfig loaded = config.load();
            // What is named may no longer be declared.
            List<CqrsId> ids = masters.named().isEmpty()
                    ? masters.tables(loaded).stream().map(MasterTable::cqrsId).toList()
                    : masters.named();
            if (ids.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "Nothing is declared: name masters with --cqrs-id");
            }
            TriggerCapture capture = TriggerCapture.of(loaded.database());
            for (CqrsId id : ids) {
                boolean removed = capture.uninstall(id);
                spec.commandLine()
                        .getErr()
                        .println(id + (removed ? ": triggers removed" : ": no triggers were installed"));
            }
            return 0;
        }
    }

    /** {@code cqrs capture status}. */
    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = {
                "Tells how triggers and declarations match: a line a master, with model, table and state.",
                "Entities of --app that only Hibernate can capture are told apart, on the error output."
            },
            footer = {"%nExample:", "  cqrs capture status --check --config catalogue.yaml"})
    static final class Status implements Callable<Integer> {

        @Mixin
        private ConfigOptions config = new ConfigOptions();

        @Mixin
        private Masters masters = new Masters();

        @Option(names = "--check", description = "Exit with 10 unless all that is declared is installed as declared.")
        private boolean check;

        @Spec
        private CommandSpec spec;

        @SuppressWarnings("NullAway.Init") // picocli sets the fields
        Status() {}

        @Override
        public Integer call() {
            CqrsConfig loaded = config.load();
            Set<CqrsId> left = new HashSet<>();
            List<MasterTable> tables = masters.capturable(loaded, (id, why) -> {
                left.add(id);
                spec.commandLine().getErr().println(why);
            });
            List<CaptureStatus> all = TriggerCapture.of(loaded.database()).status(tables);
            boolean wrong = false;
            for (CaptureStatus one : all) {
                spec.commandLine()
                        .getOut()
                        .println(one.cqrsId() + "\t" + one.table() + "\t"
                                + one.state().text());
                if (left.contains(one.cqrsId())) {
                    spec.commandLine()
                            .getErr()
                            .println(
                                    one.cqrsId() + ": its triggers send what only Hibernate can capture: remove them by"
                                            + " `cqrs capture uninstall --cqrs-id " + one.cqrsId() + "`");
                    wrong = true;
                }
                wrong |=
                        one.state() != CaptureStatus.State.INSTALLED && one.state() != CaptureStatus.State.NOT_DECLARED;
            }
            spec.commandLine().getOut().flush();
            return check && wrong ? ExitCodes.DIFFERENCES : 0;
        }
    }

    private static void tellInstalled(CommandSpec spec, MasterTable table) {
        spec.commandLine().getErr().println(table.cqrsId() + ": triggers installed on " + table.table());
    }
}
