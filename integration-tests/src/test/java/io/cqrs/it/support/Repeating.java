package io.cqrs.it.support;

/** Does something again and again in a thread of its own, until it is closed. */
public final class Repeating implements AutoCloseable {

    private final Thread thread;
    private volatile boolean enough;
    private volatile RuntimeException failure;

    private Repeating(Runnable work) {
        thread = new Thread(() -> repeat(work), "repeating");
        thread.setDaemon(true);
    }

    public static Repeating start(Runnable work) {
        Repeating repeating = new Repeating(work);
        repeating.thread.start();
        return repeating;
    }

    public boolean isAlive() {
        return thread.isAlive();
    }

    /** Lets the last one end. What failed fails here. */
    @Override
    public void close() throws InterruptedException {
        enough = true;
        thread.join();
        if (failure != null) {
            throw failure;
        }
    }

    private void repeat(Runnable work) {
        try {
            while (!enough) {
                work.run();
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }
}
