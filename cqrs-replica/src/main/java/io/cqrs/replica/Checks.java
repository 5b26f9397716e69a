package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Checks settings. Stateless. */
final class Checks {

    /** As many milliseconds as the broker's and the database's numbers hold: 24 days. */
    private static final Duration MOST_MILLIS = Duration.ofMillis(Integer.MAX_VALUE);

    private Checks() {}

    static <T> T required(@Nullable T value, String otherwise) {
        if (value == null) {
            throw new CqrsConfigurationException(otherwise);
        }
        return value;
    }

    static void requireMillis(String name, @Nullable Duration value) {
        if (value != null && (value.toMillis() < 1 || value.compareTo(MOST_MILLIS) > 0)) {
            throw new IllegalArgumentException(name + " " + value + " must lie between 1 ms and " + MOST_MILLIS);
        }
    }

    static void requireBetween(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " " + value + " must lie between " + least + " and " + most);
        }
    }
}
