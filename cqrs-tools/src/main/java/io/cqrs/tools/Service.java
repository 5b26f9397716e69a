package io.cqrs.tools;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a command running until the process is asked to end; then lets it finish what it has in hand. */
final class Service {

    private static final Logger LOG = LoggerFactory.getLogger(Service.class);

    private static final int LOOK_SECONDS = 1;

    private Service() {}

    /**
     * Starts and waits for SIGINT or SIGTERM; the parts are closed in their order before the process ends. A second signal
     * ends it at once.
     *
     * @param alive whether there is anything to wait for: what ends by an error ends the process, for others to restart
     */
    static void run(Start start, BooleanSupplier alive, AutoCloseable... parts) throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        AtomicBoolean stopping = new AtomicBoolean();
        Thread atExit = new Thread(
                () -> {
                    stopping.set(true);
                    closeAll(parts);
                    ended.countDown();
                },
                "cqrs-shutdown");
        Runtime.getRuntime().addShutdownHook(atExit);
        Signals.endAtOnceOnTheSecond();
        try {
            start.run();
        } catch (Exception e) {
            if (Runtime.getRuntime().removeShutdownHook(atExit)) {
                closeAll(parts);
            }
            throw e;
        }
        while (!ended.await(LOOK_SECONDS, TimeUnit.SECONDS)) {
            if (!alive.getAsBoolean() && !stopping.get()) {
                LOG.error("ended by an error, see above");
                System.exit(ExitCodes.ERROR);
            }
        }
    }

    private static void closeAll(AutoCloseable... parts) {
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("could not be closed cleanly", e);
            }
        }
    }

    /** What may fail at once. */
    @FunctionalInterface
    interface Start {
        void run() throws Exception;
    }
}
