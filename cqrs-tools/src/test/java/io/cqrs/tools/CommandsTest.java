package io.cqrs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandsTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "consume",
                "relay",
                "capture",
                "capture install",
                "capture alter",
                "capture uninstall",
                "capture status",
                "sync",
                "migrate",
                "demo"
            })
    void explainsEachCommandWithAnExample(String command) {
        Run run = run((command + " --help").split(" "));
        assertThat(run.code()).isZero();
        assertThat(run.out()).contains("Usage: cqrs " + command, "Example", "  cqrs " + command);
    }

    @Test
    void listsTheCommandsAndTheExitCodes() {
        Run run = run("--help");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .contains(
                        "consume",
                        "relay",
                        "capture",
                        "sync",
                        "migrate",
                        "demo",
                        "Exit codes",
                        "a server can't be reached, or lets nobody in");
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of(2, "Missing command", new String[] {}),
                Arguments.of(2, "--frob", new String[] {"consume", "--frob"}),
                Arguments.of(2, "Unmatched argument", new String[] {"consum"}),
                Arguments.of(2, "--rows", new String[] {"demo", "--once", "--rows", "0"}),
                Arguments.of(2, "--json goes with --once", new String[] {"demo", "--json"}),
                Arguments.of(2, "Missing command: see `cqrs capture --help`", new String[] {"capture"}),
                Arguments.of(2, "Missing command: see `cqrs dead-letters --help`", new String[] {"dead-letters"}),
                Arguments.of(3, "no transport.url", new String[] {"dead-letters", "list", "-q", "q"}),
                Arguments.of(2, "--since is \"soon\"", new String[] {"dead-letters", "purge", "--since", "soon"}),
                Arguments.of(2, "--filter", new String[] {"sync", "-c", "product"}),
                Arguments.of(3, "Bad filter kwargs!", new String[] {"sync", "-c", "product", "-f", "all"}),
                Arguments.of(3, "no master product is declared", new String[] {"sync", "-c", "product", "-f", "{}"}),
                Arguments.of(3, "no master x is declared", new String[] {"capture", "install", "-c", "x"}),
                Arguments.of(3, "no master is declared", new String[] {"capture", "install"}),
                Arguments.of(2, "Nothing is declared", new String[] {"capture", "uninstall"}),
                Arguments.of(2, "--file", new String[] {"capture", "alter", "-c", "x"}),
                Arguments.of(2, "--cqrs-id", new String[] {"capture", "alter", "--file", "x.sql"}),
                Arguments.of(3, "no master x is declared", new String[] {"migrate", "--entity", "x"}),
                Arguments.of(3, "names no table", new String[] {"migrate", "--table", "a.b.c"}),
                Arguments.of(3, "no transport.url", new String[] {"consume"}),
                Arguments.of(3, "no.yaml does not exist", new String[] {"relay", "--config", "no.yaml"}),
                Arguments.of(3, "jdbc:postgresql:", new String[] {"migrate", "--database-url", "http://x"}),
                Arguments.of(3, "workers is \"x\"", new String[] {"consume", "-w", "x"}),
                Arguments.of(3, "workers 0", new String[] {
                    "consume",
                    "-w",
                    "0",
                    "-q",
                    "q",
                    "--transport-url",
                    "amqp://h",
                    "--database-url",
                    "jdbc:postgresql://h/d",
                    "--config",
                    "CONFIG"
                }),
                Arguments.of(3, "no replica is declared", new String[] {
                    "consume", "-q", "q", "--transport-url", "amqp://h", "--database-url", "jdbc:postgresql://h/d"
                }),
                Arguments.of(3, "app.jar does not exist", new String[] {
                    "consume",
                    "-q",
                    "q",
                    "--transport-url",
                    "amqp://h",
                    "--database-url",
                    "jdbc:postgresql://h/d",
                    "--app",
                    "app.jar"
                }),
                Arguments.of(3, "amqp://", new String[] {
                    "relay", "--transport-url", "http://user:secret@h", "--database-url", "jdbc:postgresql://h/d"
                }),
                Arguments.of(
                        4, "refused", new String[] {"migrate", "--database-url", "jdbc:postgresql://127.0.0.1:1/none"
                        }));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void exitsWithTheCodeOfEachMistakeAndNamesIt(int code, String words, String[] arguments) throws IOException {
        Path config = Files.writeString(directory.resolve("c.yaml"), "replicas: { p: { table: t } }\n");
        Run run = run(Arrays.stream(arguments)
                .map(one -> one.equals("CONFIG") ? config.toString() : one)
                .toArray(String[]::new));
        assertThat(run.code()).as(run.toString()).isEqualTo(code);
        assertThat(run.err()).contains(words).doesNotContain("secret").doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
    }

    private static Run run(String... arguments) {
        CommandLine line = Cqrs.commandLine();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return new Run(line.execute(arguments), out.toString(), err.toString());
    }

    private record Run(int code, String out, String err) {}
}
