package io.cqrs.core.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.Backoff;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SessionLoopTest {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Test
    void beginsASessionAnewAfterAFailureAndCountsFailuresInARow() throws Exception {
        BlockingQueue<Integer> asked = new LinkedBlockingQueue<>();
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch steady = new CountDownLatch(1);
        Backoff backoff = attempt -> {
            asked.add(attempt);
            return Duration.ofMillis(1);
        };
        try (SessionLoop loop = new SessionLoop("test-1", backoff, LIMIT, control -> {
            int run = runs.incrementAndGet();
            if (run == 3) {
                control.progressed();
            }
            if (run < 5) {
                throw new IllegalStateException("run " + run);
            }
            steady.countDown();
            while (!control.stopping()) {
                control.waiter().await(LIMIT);
            }
        })) {
            loop.start();
            assertThat(steady.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(asked).containsExactly(1, 2, 1, 2);
        }
    }

    @Test
    void stopsAWaitingSessionAtOnce() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        SessionLoop loop = new SessionLoop("test-2", Backoff.constant(LIMIT), LIMIT, control -> {
            waiting.countDown();
            while (!control.stopping()) {
                control.waiter().await(Duration.ofHours(1));
            }
        });
        loop.start();
        assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
        loop.close();
        assertThat(loop.isRunning()).isFalse();
        assertThat(loop.failure()).isNull();
    }

    @Test
    void interruptsASessionThatDoesNotEndWithinTheLimit() throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        SessionLoop loop = new SessionLoop("test-3", Backoff.constant(LIMIT), Duration.ofMillis(20), control -> {
            started.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
                throw e;
            }
        });
        loop.start();
        assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
        loop.close();
        assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void endsForGoodOnAnErrorAndSaysSo() throws Exception {
        AtomicReference<Thread> thread = new AtomicReference<>();
        SessionLoop loop = new SessionLoop("test-4", Backoff.constant(Duration.ZERO), LIMIT, control -> {
            thread.set(Thread.currentThread());
            Thread.currentThread().setUncaughtExceptionHandler((t, e) -> {});
            throw new StackOverflowError("planted");
        });
        loop.start();
        while (thread.get() == null) {
            Thread.onSpinWait();
        }
        thread.get().join(10_000);
        assertThat(loop.isRunning()).isFalse();
        assertThat(loop.failure()).isInstanceOf(StackOverflowError.class);
    }

    @Test
    void doesNotLoseAWakeThatCameBeforeTheWait() throws Exception {
        Waiter waiter = new Waiter();
        waiter.wake();
        assertThat(waiter.await(Duration.ofHours(1))).isTrue();
        assertThat(waiter.await(Duration.ZERO)).isFalse();
    }

    @Test
    void measuresAWaitByTheGivenTicker() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        Ticker hoursPerCall = () -> TimeUnit.HOURS.toNanos(asked.getAndIncrement());
        assertThat(new Waiter(hoursPerCall).await(Duration.ofMinutes(30))).isFalse();
    }
}
