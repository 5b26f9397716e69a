package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.lifecycle.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers that are opened anew when their jar changes, or on SIGHUP. The next ones run before the last ones are closed: a
 * jar that can't be opened, or does not fit the database, changes nothing.
 */
final class ReloadingConsumer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ReloadingConsumer.class);
    private static final Duration LOOK = Duration.ofSeconds(1);

    private static final Duration LONGEST_END = Duration.ofSeconds(10);

    private final Function<@Nullable Path, Consumer> opener;
    private final @Nullable Path jar;
    private final Waiter waiter = new Waiter();
    private final Thread watcher = new Thread(this::watch, "cqrs-reload");
    private volatile boolean closed;
    private volatile @Nullable Opened current;

    /**
     * Opens nothing yet.
     *
     * @param opener opens workers from a jar, which may be null
     * @param jar the jar to watch, or null for none
     */
    ReloadingConsumer(Function<@Nullable Path, Consumer> opener, @Nullable Path jar) {
        this.opener = opener;
        this.jar = jar;
    }

    /** Opens and starts the first workers, and watches from then on. */
    void start() throws InterruptedException {
        current = open();
        Signals.onHangUp(waiter::wake);
        watcher.setDaemon(true);
        watcher.start();
    }

    /** Says whether all workers run, well or not. */
    boolean isAlive() {
        Opened now = current;
        return now == null || now.consumer().isAlive();
    }

    @Override
    public void close() {
        closed = true;
        watcher.interrupt();
        try {
            watcher.join(LONGEST_END.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Opened last = current;
        if (last != null) {
            last.close();
        }
    }

    private void watch() {
        Opened last = current;
        String running = last == null ? "" : last.stamp();
        String before = running;
        try {
            while (!closed) {
                boolean told = waiter.await(LOOK);
                String now = stamp();
                // What is still being written changes again.
                if (told || (!now.isEmpty() && !now.equals(running) && now.equals(before))) {
                    running = now;
                    reload();
                }
                before = now;
            }
        } catch (InterruptedException e) {
            LOG.debug("no longer watching", e);
        }
    }

    private void reload() throws InterruptedException {
        try {
            Opened next = open();
            Opened last = current;
            current = next;
            if (last != null) {
                last.close();
            }
            LOG.info("reloaded");
        } catch (RuntimeException | LinkageError e) {
            LOG.error("not reloaded, going on as before: {}", e.getMessage());
            LOG.debug("not reloaded", e);
        }
    }

    private Opened open() throws InterruptedException {
        String stamp = stamp();
        @Nullable Path copy = copy();
        try {
            Consumer consumer = opener.apply(copy);
            Opened opened = new Opened(consumer, copy, stamp);
            try {
                consumer.start();
                return opened;
            } catch (RuntimeException | LinkageError | InterruptedException e) {
                opened.close();
                throw e;
            }
        } catch (RuntimeException | LinkageError e) {
            delete(copy);
            throw e;
        }
    }

    /** Classes are loaded late: the jar they come from must not change. */
    private @Nullable Path copy() {
        if (jar == null) {
            return null;
        }
        if (!Files.isRegularFile(jar)) {
            throw new CqrsConfigurationException("application jar " + jar + " does not exist");
        }
        try {
            Path copy = Files.createTempDirectory("cqrs-app")
                    .resolve(jar.toAbsolutePath().getFileName().toString());
            return Files.copy(jar, copy);
        } catch (IOException e) {
            throw new UncheckedIOException("application jar " + jar + " can't be copied: " + e.getMessage(), e);
        }
    }

    private static void delete(@Nullable Path copy) {
        try {
            if (copy != null) {
                Files.deleteIfExists(copy);
                Files.deleteIfExists(copy.toAbsolutePath().getParent());
            }
        } catch (IOException e) {
            LOG.debug("{} is left behind", copy, e);
        }
    }

    /** What tells a jar from its next version; empty where there is none. */
    private String stamp() {
        try {
            return jar == null ? "" : Files.getLastModifiedTime(jar) + " " + Files.size(jar);
        } catch (IOException e) {
            LOG.debug("{} is not there now", jar, e);
            return "";
        }
    }

    /** Workers, and the copy of the jar that they run from. */
    private record Opened(Consumer consumer, @Nullable Path copy, String stamp) implements AutoCloseable {
        @Override
        public void close() {
            consumer.close();
            delete(copy);
        }
    }
}
