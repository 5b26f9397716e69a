package io.cqrs.tools;

import io.cqrs.core.CqrsException;
import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: {@code cqrs <command>}. Data goes to standard output, messages and logs to standard error. */
@Command(
        name = "cqrs",
        mixinStandardHelpOptions = true,
        versionProvider = Cqrs.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Keeps copies of a service's entities in other services' databases, through RabbitMQ.",
        subcommands = {
            ConsumeCommand.class,
            RelayCommand.class,
            CaptureCommand.class,
            SyncCommand.class,
            BulkDumpCommand.class,
            BulkLoadCommand.class,
            DiffMasterCommand.class,
            DiffReplicaCommand.class,
            DiffSyncCommand.class,
            DeletedDiffReplicaCommand.class,
            DeletedDiffMasterCommand.class,
            DeletedSyncReplicaCommand.class,
            StatusCommand.class,
            DoctorCommand.class,
            DeadLettersCommand.class,
            MigrateCommand.class,
            CompletionCommand.class,
            DemoCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:ok",
            "1:error",
            "2:wrong usage",
            "3:wrong configuration",
            "4:a server can't be reached, or lets nobody in",
            "5:done but for some rows or lines, which were told",
            "10:differences found"
        })
public final class Cqrs extends CommandGroup {

    Cqrs() {}

    /** Runs the command line and exits with its code. */
    public static void main(String[] args) {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "io/cqrs/tools/logback.xml");
        }
        int code = commandLine().execute(args);
        System.out.flush();
        Runtime.getRuntime().exit(code);
    }

    /** Returns the command line, for embedding and for tests. */
    public static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Cqrs());
        line.setExecutionExceptionHandler((error, command, parsed) -> {
            if (Pipes.isBroken(error)) {
                command.getErr().println("cqrs: nobody reads what is written any more");
                command.getErr().flush();
                return ExitCodes.ERROR;
            }
            command.getErr().println(command.getColorScheme().errorText("cqrs: " + describe(error)));
            if (ExitCodes.of(error) == ExitCodes.ERROR
                    && !(error instanceof CqrsException || error instanceof IOException)) {
                error.printStackTrace(command.getErr());
            }
            command.getErr().flush();
            return ExitCodes.of(error);
        });
        return line;
    }

    private static String describe(Throwable error) {
        return error.getMessage() == null ? error.toString() : error.getMessage();
    }

    /** Reads the version from the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Cqrs.class.getPackage().getImplementationVersion();
            return new String[] {"cqrs " + (version == null ? "(not packaged)" : version)};
        }
    }
}
