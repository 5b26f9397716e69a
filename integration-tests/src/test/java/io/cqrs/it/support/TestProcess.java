package io.cqrs.it.support;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process of its own, and what it prints. */
public final class TestProcess implements AutoCloseable {

    /** What runs for a minute is done before the best code would pay off. */
    private static final String QUICK = "-XX:TieredStopAtLevel=1";

    private static final List<String> JAVA = List.of(java(), "-Xshare:auto", QUICK, "-XX:+UseSerialGC");

    private final List<String> command;
    private final Map<String, String> environment = new HashMap<>();
    private final Path output;
    private Process process;

    private TestProcess(List<String> command) {
        this.command = new ArrayList<>(command);
        try {
            this.output = Files.createTempFile("cqrs-process-", ".out");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the command line, as its users start it, not started. */
    public static TestProcess cqrs(String... arguments) {
        List<String> command = new ArrayList<>(List.of(launcher()));
        command.addAll(List.of(arguments));
        return new TestProcess(command);
    }

    /** Returns the command line's start, for a shell. */
    public static String launcher() {
        return TestEnvironment.root().resolve("cqrs").toString();
    }

    /** Returns a main class on the tests' own class path, not started. */
    public static TestProcess main(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(JAVA);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        return new TestProcess(command);
    }

    /** Returns any command, not started. */
    public static TestProcess of(String... command) {
        return new TestProcess(List.of(command));
    }

    /** Has another program start it, as {@code ip netns exec NAME} does. */
    public TestProcess under(String... starter) {
        command.addAll(0, List.of(starter));
        return this;
    }

    /** Runs commands, joined by pipes, in a directory to their end; fails unless each ends with 0. */
    public static void runPipe(Path directory, String commands) throws InterruptedException {
        try (TestProcess process = of("bash", "-o", "pipefail", "-c", "cd " + directory + "; " + commands)
                .start()) {
            if (process.awaitExit() != 0) {
                throw new AssertionError(commands + "\n" + process.output());
            }
        }
    }

    public TestProcess with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    public TestProcess start() {
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(TestEnvironment.root().toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
            builder.environment().put("CQRS_JAVA_OPTS", QUICK);
            builder.environment().putAll(environment);
            process = builder.start();
            return this;
        } catch (IOException e) {
            throw new IllegalStateException(String.join(" ", command), e);
        }
    }

    public int awaitExit() throws InterruptedException {
        if (!process.waitFor(180, TimeUnit.SECONDS)) {
            throw new IllegalStateException(String.join(" ", command) + " does not end: " + output());
        }
        return process.exitValue();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public String output() {
        try {
            return Files.exists(output) ? Files.readString(output) : "";
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Asks it to end, as an operator would. */
    public void terminate() {
        process.destroy();
    }

    /** Hangs up on it. */
    public void hangUp() {
        signal("-HUP");
    }

    /** Freezes it, until {@link #resume}. */
    public void pause() {
        signal("-STOP");
    }

    public void resume() {
        signal("-CONT");
    }

    /** Says a line to it. */
    public void tell(String line) {
        try {
            OutputStream in = process.getOutputStream();
            in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            throw new IllegalStateException("it does not listen: " + output(), e);
        }
    }

    /** Returns a figure of the system's about it, as in {@code VmRSS} or {@code Threads}. */
    public long figure(String name) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            return lines.filter(line -> line.startsWith(name + ":"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void signal(String signal) {
        try {
            int code = new ProcessBuilder("kill", signal, Long.toString(process.pid()))
                    .start()
                    .waitFor();
            if (code != 0) {
                throw new IllegalStateException("no process to signal: " + output());
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
            Files.deleteIfExists(output);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static Path jar() {
        return TestEnvironment.root().resolve("cqrs-tools/target/cqrs.jar");
    }

    public static Path shop() {
        return TestEnvironment.root().resolve("examples/shop/target/cqrs-example-shop-0.1.0-SNAPSHOT.jar");
    }

    /** Returns the JVM that runs this. */
    public static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
