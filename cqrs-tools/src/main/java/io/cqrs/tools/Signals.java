package io.cqrs.tools;

import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * What the process is told from outside. The JVM takes a second SIGTERM for the first, and has no say on SIGHUP but to end:
 * both are what its unsupported, though exported, {@code sun.misc.Signal} is for.
 */
final class Signals {

    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /** On the first SIGINT or SIGTERM the JVM shuts down, on the second it ends at once. */
    static void endAtOnceOnTheSecond() {
        AtomicBoolean asked = new AtomicBoolean();
        SignalHandler end = signal -> {
            int code = 128 + signal.getNumber();
            if (asked.getAndSet(true)) {
                System.err.println("cqrs: second signal, ending at once");
                Runtime.getRuntime().halt(code);
            }
            LOG.info("ending, once what is in hand is done");
            System.exit(code);
        };
        handle("INT", end);
        handle("TERM", end);
    }

    /** Runs an action for each SIGHUP, on a thread of its own. */
    static void onHangUp(Runnable action) {
        handle("HUP", signal -> action.run());
    }

    private static void handle(String name, SignalHandler handler) {
        try {
            SignalHandler unused = Signal.handle(new Signal(name), handler);
        } catch (IllegalArgumentException e) {
            // Not on this system, or kept by the JVM (-Xrs).
            LOG.debug("signal {} can't be handled", name, e);
        }
    }
}
