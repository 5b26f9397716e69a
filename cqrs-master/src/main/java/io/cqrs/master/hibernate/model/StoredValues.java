package io.cqrs.master.hibernate.model;

import io.cqrs.core.OutboxException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Rounds values the way their columns do: {@code numeric(9,2)} keeps two digits, {@code timestamp(3)} three, and the
 * driver no more than six of any time. What is sent is what the row holds, not what the entity held.
 *
 * <p>Somebody may have widened a column since its digits were read, so before a value is rounded they are read anew, once
 * a table and transaction, which has locked the table by then. Belongs to one transaction.
 */
public final class StoredValues {

    private static final int MICRO_DIGITS = 6;
    private static final LocalDateTime POSTGRES_EPOCH = LocalDateTime.of(2000, 1, 1, 0, 0);
    private static final long[] POWERS = {1_000_000, 100_000, 10_000, 1_000, 100, 10, 1};

    private final ColumnDigits digits;
    private final Set<String> readAnew = new HashSet<>();

    /** Begins with what is known. */
    public StoredValues(ColumnDigits digits) {
        this.digits = digits;
    }

    /** Returns the value as the column keeps it. */
    @Nullable
    Object asStored(@Nullable Object value, @Nullable Column column, Connection connection) {
        if (value instanceof BigDecimal number) {
            return kept(number, column, connection, StoredValues::rounded);
        }
        if (value instanceof Instant time) {
            return kept(LocalDateTime.ofInstant(time, ZoneOffset.UTC), column, connection)
                    .toInstant(ZoneOffset.UTC);
        }
        if (value instanceof OffsetDateTime time) {
            return asStored(time.toInstant(), column, connection);
        }
        if (value instanceof ZonedDateTime time) {
            return asStored(time.toInstant(), column, connection);
        }
        if (value instanceof LocalDateTime time) {
            return kept(time, column, connection);
        }
        return value instanceof LocalTime time
                ? kept(rounded(time, MICRO_DIGITS), column, connection, (micros, digits) -> rounded(time, digits))
                : value;
    }

    /**
     * Checks that a column of times keeps what it is given: one that is rounded, or shifted by a zone, would be earlier or later
     * than the one that was sent, and a delete by it older than the row.
     *
     * @throws OutboxException if it does not, naming it
     */
    public void requireExactTimes(Column column, Connection connection) {
        if (digits.lacksZone(column, connection)) {
            throw new OutboxException(
                    "column " + column.name() + " of " + column.table()
                            + " is a timestamp without time zone, which is another time in"
                            + " another session: alter it to timestamptz, and start again",
                    null);
        }
        @Nullable Integer kept = known(column, connection);
        if (kept != null && kept < MICRO_DIGITS) {
            throw new OutboxException(
                    "column " + column.name() + " of " + column.table() + " keeps " + kept
                            + " digits of a second, so that states could not be told apart: alter it to timestamptz, and start again",
                    null);
        }
    }

    /** Rounds as the column is known to do, or, where that loses something, as it does by now. */
    private <T extends Comparable<? super T>> T kept(
            T value, @Nullable Column column, Connection connection, BiFunction<T, Integer, T> rounding) {
        @Nullable Integer known = known(column, connection);
        if (known == null) {
            return value;
        }
        T rounded = rounding.apply(value, known);
        if (rounded.compareTo(value) == 0) {
            return rounded;
        }
        @Nullable Integer now = now(column, connection);
        return now == null ? value : rounding.apply(value, now);
    }

    private static BigDecimal rounded(BigDecimal number, int scale) {
        return number.setScale(scale, RoundingMode.HALF_UP);
    }

    /** The driver rounds to microseconds, the server from there to the column's digits, away from its epoch. */
    private LocalDateTime kept(LocalDateTime time, @Nullable Column column, Connection connection) {
        LocalDateTime micros = time.plusNanos(500).truncatedTo(ChronoUnit.MICROS);
        return kept(micros, column, connection, StoredValues::rounded);
    }

    private static LocalDateTime rounded(LocalDateTime micros, int kept) {
        if (kept >= MICRO_DIGITS) {
            return micros;
        }
        long unit = POWERS[kept];
        long sinceEpoch = ChronoUnit.MICROS.between(POSTGRES_EPOCH, micros);
        long rounded = (Math.abs(sinceEpoch) + unit / 2) / unit * unit;
        return POSTGRES_EPOCH.plus(sinceEpoch < 0 ? -rounded : rounded, ChronoUnit.MICROS);
    }

    /** A time that would round up to the next day stays what it is: the driver sends it as 24:00, which replicas refuse. */
    private static LocalTime rounded(LocalTime time, int kept) {
        long unit = POWERS[Math.min(kept, MICRO_DIGITS)] * 1000;
        long micros = (time.toNanoOfDay() + 500) / 1000 * 1000;
        long rounded = (micros + unit / 2) / unit * unit;
        return rounded <= LocalTime.MAX.toNanoOfDay() ? LocalTime.ofNanoOfDay(rounded) : time;
    }

    private @Nullable Integer known(@Nullable Column column, Connection connection) {
        return column == null ? null : digits.known(column, connection);
    }

    private @Nullable Integer now(@Nullable Column column, Connection connection) {
        return column != null && readAnew.add(column.table())
                ? digits.now(column, connection)
                : known(column, connection);
    }
}
