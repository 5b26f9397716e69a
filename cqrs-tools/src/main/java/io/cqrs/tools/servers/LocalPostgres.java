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

/** A private PostgreSQL from binaries on this machine. */
final class LocalPostgres {

    private final Path binaries;
    private final ServerDirectory directory;
    private final int port;

    private LocalPostgres(Path binaries, ServerDirectory directory, int port) {
        this.binaries = binaries;
        this.directory = directory;
        this.port = port;
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
                binaries, directory, ServerDirectory.freePorts(1).get(0));
        started.accept(postgres::stop);
        postgres.initialize();
        postgres.run(durable);
        return Optional.of(new DatabaseServer(
                "jdbc:postgresql://127.0.0.1:" + postgres.port + "/postgres?user=postgres",
                "private PostgreSQL from " + binaries + " on port " + postgres.port));
    }

    private void initialize() {
        Path data = directory.path().resolve("data");
        try {
            Files.createDirectory(data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (Shell.isRoot()) {
            // initdb refuses root: the package's own user owns data and server.
            Shell.run(
                    directory.path(),
                    Map.of(),
                    List.of("chmod", "755", directory.path().toString()));
            Shell.run(
                    directory.path(),
                    Map.of(),
                    List.of("chmod", "755", directory.root().toString()));
            Shell.run(directory.path(), Map.of(), List.of("chown", "postgres", data.toString()));
        }
        asServerUser(
                "initdb",
                "-D",
                data.toString(),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync");
    }

    private void run(boolean durable) {
        String options =
                "-p " + port + " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
                        + " -c timezone=Asia/Kathmandu"
                        + (durable ? "" : " -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        Path data = directory.path().resolve("data");
        asServerUser(
                "pg_ctl",
                "-D",
                data.toString(),
                "-l",
                data.resolve("log").toString(),
                "-w",
                "-t",
                "60",
                "-o",
                options,
                "start");
    }

    private void stop() {
        Path data = directory.path().resolve("data");
        if (Files.exists(data.resolve("postmaster.pid"))) {
            asServerUser("pg_ctl", "-D", data.toString(), "-m", "immediate", "-w", "stop");
        }
        directory.delete();
    }

    private void asServerUser(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if (Shell.isRoot()) {
            command.addAll(List.of("runuser", "-u", "postgres", "--"));
        }
        command.add(binaries.resolve(program).toString());
        command.addAll(List.of(arguments));
        Shell.run(directory.path(), Map.of(), command);
    }
}
