package io.cqrs.tools;

import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that only has commands: by itself it says which help names them. */
abstract class CommandGroup implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    CommandGroup() {}

    @Override
    public final Integer call() {
        throw new ParameterException(spec.commandLine(), "Missing command: see `" + spec.qualifiedName() + " --help`");
    }
}
