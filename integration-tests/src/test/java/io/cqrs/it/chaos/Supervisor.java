package io.cqrs.it.chaos;

import static org.awaitility.Awaitility.await;

import io.cqrs.it.support.TestProcess;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs a process of each role, and starts anew what has ended, as a service manager does. Thread-safe. */
final class Supervisor implements AutoCloseable {

    static final String MOST_MEMORY = "VmHWM";
    static final String THREADS = "Threads";

    private static final List<String> MEASURED = List.of(MOST_MEMORY, THREADS);

    private final Function<Role, TestProcess> begin;
    private final Map<Role, TestProcess> processes = new EnumMap<>(Role.class);
    private final Set<Role> kept = Collections.synchronizedSet(EnumSet.noneOf(Role.class));
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor();
    private final StringBuffer ended = new StringBuffer();
    private final Map<String, Long> most = new HashMap<>();

    /**
     * Starts nothing yet.
     *
     * @param begin returns a process of a role, not started
     */
    Supervisor(Function<Role, TestProcess> begin) {
        this.begin = begin;
        var unused = watch.scheduleWithFixedDelay(this::look, 500, 500, TimeUnit.MILLISECONDS);
    }

    synchronized void start(Role role) {
        if (kept.add(role)) {
            replace(role);
        }
    }

    /** Kills it, and leaves it so. */
    synchronized void kill(Role role) {
        kept.remove(role);
        end(get(role));
    }

    /** Leaves it alone when it ends by itself. */
    synchronized TestProcess letGo(Role role) {
        kept.remove(role);
        return get(role);
    }

    /** Freezes it. */
    synchronized void pause(Role role) {
        signal(get(role), TestProcess::pause);
    }

    synchronized void resume(Role role) {
        signal(get(role), TestProcess::resume);
    }

    /** One that has just ended by itself is about to be started anew. */
    private static void signal(TestProcess process, Consumer<TestProcess> signal) {
        try {
            signal.accept(process);
        } catch (IllegalStateException e) {
            if (process.isAlive()) {
                throw e;
            }
        }
    }

    synchronized TestProcess get(Role role) {
        return processes.get(role);
    }

    /** Waits until all have got as far as to their work. */
    void awaitRunning(Duration limit) {
        for (Role role : Role.values()) {
            await().alias(role + " is running")
                    .atMost(limit)
                    .until(() -> get(role).output().contains(role.running));
        }
    }

    /** Returns the last of what each has said. */
    synchronized String said() {
        StringBuilder said = new StringBuilder();
        processes.forEach(
                (role, process) -> said.append("\n").append(role).append(":\n").append(end(process.output())));
        return said.toString();
    }

    private static String end(String output) {
        return output.substring(Math.max(0, output.length() - 1500));
    }

    /** Returns what those said that ended though nobody killed them, and errors that the others told of. */
    String ended() {
        return ended.toString();
    }

    /** Returns the most that a figure about any process of a role has been, of those killed since, too. */
    synchronized long most(Role role, String figure) {
        return most.getOrDefault(role + " " + figure, 0L);
    }

    private synchronized void look() {
        for (Role role : Role.values()) {
            try {
                measure(role);
                if (kept.contains(role) && !processes.get(role).isAlive()) {
                    ended.append(role)
                            .append(" ended by itself: ")
                            .append(end(processes.get(role).output()));
                    replace(role);
                }
            } catch (RuntimeException e) {
                ended.append(role).append(" could not be started: ").append(e);
            }
        }
    }

    private void measure(Role role) {
        TestProcess process = processes.get(role);
        if (process == null || !process.isAlive()) {
            return;
        }
        for (String figure : MEASURED) {
            try {
                most.merge(role + " " + figure, process.figure(figure), Math::max);
            } catch (IllegalStateException | NoSuchElementException e) {
                // It has just ended.
            }
        }
    }

    private void replace(Role role) {
        TestProcess last = processes.put(role, begin.apply(role).start());
        if (last != null) {
            end(last);
        }
    }

    private void end(TestProcess process) {
        process.output().lines().filter(Supervisor::tellsOfAnError).forEach(ended::append);
        process.close();
    }

    private static boolean tellsOfAnError(String line) {
        return line.contains("OutOfMemoryError") || line.contains("VIOLATION");
    }

    @Override
    public void close() {
        watch.shutdownNow();
        synchronized (this) {
            // A look that waits for us now must not start them anew.
            kept.clear();
            processes.values().forEach(TestProcess::close);
        }
    }
}
