package io.cqrs.benchmarks;

import io.cqrs.core.CqrsId;
import io.cqrs.master.RelayListener;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaListener;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Waits until so many changes are published, or applied. */
final class Countdown implements RelayListener, ReplicaListener {

    private final AtomicInteger left;
    private final CountDownLatch done = new CountDownLatch(1);

    Countdown(int changes) {
        this.left = new AtomicInteger(changes);
    }

    @Override
    public void published(int count) {
        passed(count);
    }

    @Override
    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
        passed(count);
    }

    void await() throws InterruptedException {
        done.await();
    }

    private void passed(int count) {
        if (left.addAndGet(-count) <= 0) {
            done.countDown();
        }
    }
}
