package io.cqrs.it.support;

import io.cqrs.master.hibernate.Capture;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.hibernate.SessionFactory;

/** Ends this process by SIGKILL: no hook runs, no buffer is flushed. */
public final class SelfKill {

    private SelfKill() {}

    /** Dies after the next commit. */
    public static void afterCommitOf(SessionFactory sessions) {
        Capture.of(sessions).addAfterCommit(() -> {
            now();
            return true;
        });
    }

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
