package io.cqrs.tools;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cqrs completion}. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        description = "Prints a script that completes commands and options in bash and zsh.",
        footer = {"%nExample:", "  cqrs completion > /etc/bash_completion.d/cqrs"})
final class CompletionCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    CompletionCommand() {}

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(AutoComplete.bash("cqrs", spec.root().commandLine()));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
