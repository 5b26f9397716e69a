package io.cqrs.tools.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a private server keeps its data: a directory of its own, which says whose it is, so that a later run can sweep
 * what a killed one left behind. Thread-safe.
 */
final class ServerDirectory {

    private static final String OWNER = "owner.pid";

    private final Path root;
    private final Path path;

    private ServerDirectory(Path root, Path path) {
        this.root = root;
        this.path = path;
    }

    /** Makes a directory for this process's server, and sweeps those of processes that are gone. */
    static ServerDirectory create(String kind) {
        try {
            Path root =
                    Path.of(System.getProperty("java.io.tmpdir"), "cqrs-servers-" + System.getProperty("user.name"));
            Files.createDirectories(root);
            sweep(root);
            Path path = Files.createTempDirectory(root, kind + "-");
            Files.writeString(path.resolve(OWNER), owner(ProcessHandle.current()));
            return new ServerDirectory(root, path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path path() {
        return path;
    }

    /** Returns the directory that all private servers of this user share. */
    Path root() {
        return root;
    }

    /** Returns ports that nobody listens on now. */
    static List<Integer> freePorts(int count) {
        try {
            List<ServerSocket> sockets = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            List<Integer> ports =
                    sockets.stream().map(ServerSocket::getLocalPort).toList();
            for (ServerSocket socket : sockets) {
                socket.close();
            }
            return ports;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void delete() {
        delete(path);
    }

    private static void sweep(Path root) throws IOException {
        try (Stream<Path> directories = Files.list(root)) {
            for (Path directory : directories.toList()) {
                if (!isOwned(directory)) {
                    processesOf(directory).forEach(ProcessHandle::destroyForcibly);
                    delete(directory);
                }
            }
        }
    }

    private static boolean isOwned(Path directory) throws IOException {
        Path owner = directory.resolve(OWNER);
        if (!Files.exists(owner)) {
            // Just being made by another process, or not ours at all.
            return true;
        }
        String text = Files.readString(owner);
        long pid = Long.parseLong(text.substring(0, text.indexOf(' ')));
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        return process.isPresent() && owner(process.get()).equals(text);
    }

    /** A process id alone may be another process by now: its start time goes with it. */
    private static String owner(ProcessHandle process) {
        return process.pid() + " "
                + process.info().startInstant().map(Object::toString).orElse("?");
    }

    /** Only processes that name the directory, as an argument or in their environment: they were started for it. */
    private static List<ProcessHandle> processesOf(Path directory) {
        return ProcessHandle.allProcesses()
                .filter(process -> describes(process, "cmdline", directory) || describes(process, "environ", directory))
                .toList();
    }

    private static boolean describes(ProcessHandle process, String what, Path directory) {
        Path file = Path.of("/proc", Long.toString(process.pid()), what);
        try {
            return Files.isReadable(file)
                    && Files.readString(file, StandardCharsets.ISO_8859_1).contains(directory.toString());
        } catch (IOException e) {
            // It ended just now.
            return false;
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(one);
            }
        } catch (IOException | UncheckedIOException e) {
            // A server that is just ending may still write; the next run's sweep gets the rest.
            return;
        }
    }
}
