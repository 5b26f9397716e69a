package io.cqrs.it.support;

import io.cqrs.master.hibernate.Capture;
import jakarta.transaction.Synchronization;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.engine.spi.SharedSessionContractImplementor;

/** Ends this process by SIGKILL: no hook runs, no buffer is flushed. */
public final class SelfKill {

    private SelfKill() {}

    /** Dies when a session's outbox has been written, before its commit. */
    public static void beforeCommitOf(Session session) {
        // Registered after the capture's own.
        ((SharedSessionContractImplementor) session)
                .getTransactionCoordinator()
                .getLocalSynchronizations()
                .registerSynchronization(new Synchronization() {
                    @Override
                    public void beforeCompletion() {
                        now();
                    }

                    @Override
                    public void afterCompletion(int status) {}
                });
    }

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
