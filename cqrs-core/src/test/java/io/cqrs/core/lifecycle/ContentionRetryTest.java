package io.cqrs.core.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Transactions that contention ended are run again. */
class ContentionRetryTest {

    @Test
    void runsAgainWhatContentionEnded() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        int number = ContentionRetry.run(() -> {
            if (attempts.incrementAndGet() < 3) {
                throw new IllegalStateException(new SQLException("deadlock", "40P01"));
            }
            return attempts.get();
        });
        assertThat(number).isEqualTo(3);
    }

    @Test
    void throwsWhatIsNoContention() {
        AtomicInteger attempts = new AtomicInteger();
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> ContentionRetry.run(() -> {
                    attempts.incrementAndGet();
                    throw new SQLException("broken", "23505");
                }));
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> ContentionRetry.run(() -> {
                    attempts.incrementAndGet();
                    throw new IllegalStateException("other");
                }));
        assertThat(attempts).hasValue(2);
    }
}
