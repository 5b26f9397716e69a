package io.cqrs.tools.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A private PostgreSQL from binaries on this machine. */
final class LocalPostgres implements ServerControl {

    private final Path binaries;
    private final ServerDirectory directory;
    private final int port;
    private final boolean durable;

    private LocalPostgres(Path binaries, ServerDirectory directory, int port, boolean durable) {
        this.binaries = binaries;
        this.directory = directory;
        this.port = port;
        this.durable = durable;
    }

    static Optional<DatabaseServer> open(boolean durable, Consumer<AutoCloseable> started) {
        Optional<Path> initdb = Shell.find(
                "initdb", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin");
        if (initdb.isEmpty()) {
            return Optional.empty();
        }
        Path binaries = initdb.get().toAbsolutePath().resolveSibling("");
        ServerDirectory directory = ServerDirectory.create("postgres");
        LocalPostgres postgres = new LocalPostgres(
                binaries, directory, ServerDirectory.freePorts(1).get(0), durable);
        started.accept(postgres::close);
        postgres.initialize();
        postgres.start();
        return Optional.of(new DatabaseServer(
                "jdbc:postgresql://127.0.0.1:" + postgres.port + "/postgres?user=postgres",
                "private PostgreSQL from " + binaries + " on port " + postgres.port,
                postgres));
    }

    private void initialize() {
        try {
            Files.createDirectory(data());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (Shell.isRoot()) {
            // initdb refuses root: the package's own user owns data and server.
            run("chmod", "755", directory.path().toString());
            run("chmod", "755", directory.root().toString());
            run("chown", "postgres", data().toString());
        }
        asServerUser(
                "initdb",
                "-D",
                data().toString(),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync");
    }

    @Override
    public void start() {
        String options =
                "-p " + port + " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
                        + " -c timezone=Asia/Kathmandu"
                        + (durable ? "" : " -c fsync=off -c full_page_writes=off");
        asServerUser(
                "pg_ctl",
                "-D",
                data().toString(),
                "-l",
                data().resolve("log").toString(),
                "-w",
                "-t",
                "60",
                "-o",
                options,
                "start");
    }

    @Override
    public void stop() {
        end("fast");
    }

    @Override
    public void kill() {
        // Frozen first, or it would begin processes that nobody counts.
        LocalProcesses.pause(directory.path(), processes());
        LocalProcesses.kill(processes());
        try {
            Files.deleteIfExists(pidFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void pause() {
        LocalProcesses.pause(directory.path(), processes());
    }

    @Override
    public void resume() {
        LocalProcesses.resume(directory.path(), processes());
    }

    private void close() {
        end("immediate");
        directory.delete();
    }

    private void end(String mode) {
        if (!processes().isEmpty()) {
            asServerUser("pg_ctl", "-D", data().toString(), "-m", mode, "-w", "stop");
        }
    }

    /** The first of them is in the file's first line, as long as there is one. */
    private List<ProcessHandle> processes() {
        if (!Files.exists(pidFile())) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(pidFile())) {
            long first =
                    lines.findFirst().map(String::strip).map(Long::parseLong).orElseThrow();
            return ProcessHandle.of(first).map(LocalProcesses::tree).orElse(List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path data() {
        return directory.path().resolve("data");
    }

    private Path pidFile() {
        return data().resolve("postmaster.pid");
    }

    private void asServerUser(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if (Shell.isRoot()) {
            command.addAll(List.of("runuser", "-u", "postgres", "--"));
        }
        command.add(binaries.resolve(program).toString());
        command.addAll(List.of(arguments));
        run(command.toArray(String[]::new));
    }

    private void run(String... command) {
        String unused = Shell.run(directory.path(), Map.of(), List.of(command));
    }
}
