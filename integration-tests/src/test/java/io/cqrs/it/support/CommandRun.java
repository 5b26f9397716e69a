package io.cqrs.it.support;

import io.cqrs.tools.Cqrs;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** A run of the command line within this process. */
public record CommandRun(int code, String out, String err) {

    public static CommandRun of(String... arguments) {
        CommandLine line = Cqrs.commandLine();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = line.execute(arguments);
        return new CommandRun(code, out.toString(), err.toString());
    }
}
