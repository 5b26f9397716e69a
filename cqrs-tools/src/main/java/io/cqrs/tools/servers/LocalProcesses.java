package io.cqrs.tools.servers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Signals to a server's processes. Stateless. */
final class LocalProcesses {

    private static final int LIMIT_SECONDS = 30;

    private LocalProcesses() {}

    /** Returns a process and all that it began. */
    static List<ProcessHandle> tree(ProcessHandle root) {
        return Stream.concat(Stream.of(root), root.descendants()).toList();
    }

    /** Ends them at once, and waits until they are gone. */
    static void kill(List<ProcessHandle> processes) {
        processes.forEach(ProcessHandle::destroyForcibly);
        processes.forEach(
                one -> one.onExit().orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS).join());
    }

    static void pause(Path directory, List<ProcessHandle> processes) {
        signal(directory, "-STOP", processes);
    }

    static void resume(Path directory, List<ProcessHandle> processes) {
        signal(directory, "-CONT", processes);
    }

    /** Who has ended between being counted and being told is no failure: the others are told again. */
    private static void signal(Path directory, String signal, List<ProcessHandle> processes) {
        List<ProcessHandle> alive =
                processes.stream().filter(ProcessHandle::isAlive).toList();
        if (alive.isEmpty()) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("kill", signal));
        alive.forEach(one -> command.add(Long.toString(one.pid())));
        try {
            String unused = Shell.run(directory, Map.of(), command);
        } catch (ServerException e) {
            if (alive.stream().allMatch(ProcessHandle::isAlive)) {
                throw e;
            }
            signal(directory, signal, alive);
        }
    }
}
