package io.cqrs.transport.rabbit;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs what the client has for a consumer on the thread that read it. Our consumers do no more than fill a buffer, and to hand
 * each delivery to a thread for that costs more than the rest of it. Thread-safe. Has no thread to end: a shutdown is only told.
 */
final class DirectExecutor extends AbstractExecutorService {

    private volatile boolean shutDown;

    @Override
    public void execute(Runnable task) {
        task.run();
    }

    @Override
    public void shutdown() {
        shutDown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown();
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutDown;
    }

    @Override
    public boolean isTerminated() {
        return shutDown;
    }

    @Override
    public boolean awaitTermination(long time, TimeUnit unit) {
        return shutDown;
    }
}
