package io.cqrs.it.support;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/** Ends this process by SIGKILL: no hook runs, no buffer is flushed. */
public final class SelfKill {

    private SelfKill() {}

    public static void now() {
        try {
            new ProcessBuilder(
                            "kill", "-9", Long.toString(ProcessHandle.current().pid()))
                    .start();
            new CountDownLatch(1).await();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
