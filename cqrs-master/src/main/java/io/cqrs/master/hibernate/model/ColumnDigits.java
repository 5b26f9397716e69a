package io.cqrs.master.hibernate.model;

import io.cqrs.core.OutboxException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Rounds values the way their columns do: {@code numeric(9,2)} keeps two digits, {@code timestamp(3)} three, and the
 * driver no more than six of any time. What is sent is what the row holds, not what the entity held. The catalogue is
 * read once a table. Thread-safe.
 */
public final class ColumnDigits {

    private static final int MICRO_DIGITS = 6;
    private static final LocalDateTime POSTGRES_EPOCH = LocalDateTime.of(2000, 1, 1, 0, 0);
    private static final long[] POWERS = {1_000_000, 100_000, 10_000, 1_000, 100, 10, 1};

    /** The scale of a numeric has 11 bits and a sign (PostgreSQL, numeric.c). */
    private static final String COLUMNS = """
            select a.attname, case t.typname when 'numeric' then (((a.atttypmod - 4) & 2047) # 1024) - 1024
                else a.atttypmod end
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = to_regclass(?) and a.attnum > 0 and not a.attisdropped and a.atttypmod >= 0
                and t.typname in ('numeric', 'timestamp', 'timestamptz', 'time', 'timetz')""";

    private final Map<String, Map<String, Integer>> tables = new ConcurrentHashMap<>();

    /** Returns the value as the column keeps it. */
    @Nullable
    Object asStored(@Nullable Object value, @Nullable Column column, Connection connection) {
        if (value instanceof BigDecimal number) {
            @Nullable Integer scale = digits(column, connection);
            return scale == null ? number : number.setScale(scale, RoundingMode.HALF_UP);
        }
        if (value instanceof Instant time) {
            return rounded(LocalDateTime.ofInstant(time, ZoneOffset.UTC), column, connection)
                    .toInstant(ZoneOffset.UTC);
        }
        if (value instanceof OffsetDateTime time) {
            return asStored(time.toInstant(), column, connection);
        }
        if (value instanceof ZonedDateTime time) {
            return asStored(time.toInstant(), column, connection);
        }
        if (value instanceof LocalDateTime time) {
            return rounded(time, column, connection);
        }
        return value instanceof LocalTime time ? rounded(time, column, connection) : value;
    }

    /**
     * Checks that a column of times keeps what it is given: a rounded one would be earlier or later than the one that was sent,
     * and a delete by it older than the row.
     *
     * @throws OutboxException if it does not, naming it
     */
    public void requireMicroseconds(Column column, Connection connection) {
        @Nullable Integer digits = digits(column, connection);
        if (digits != null && digits < MICRO_DIGITS) {
            throw new OutboxException(
                    "column " + column.name() + " of " + column.table() + " keeps " + digits
                            + " digits of a second, so that states could not be told apart: alter it to timestamptz, and start again",
                    null);
        }
    }

    /** The driver rounds to microseconds, the server from there to the column's digits, away from its epoch. */
    private LocalDateTime rounded(LocalDateTime time, @Nullable Column column, Connection connection) {
        LocalDateTime micros = time.plusNanos(500).truncatedTo(ChronoUnit.MICROS);
        @Nullable Integer digits = digits(column, connection);
        if (digits == null || digits >= MICRO_DIGITS) {
            return micros;
        }
        long unit = POWERS[digits];
        long sinceEpoch = ChronoUnit.MICROS.between(POSTGRES_EPOCH, micros);
        long rounded = (Math.abs(sinceEpoch) + unit / 2) / unit * unit;
        return POSTGRES_EPOCH.plus(sinceEpoch < 0 ? -rounded : rounded, ChronoUnit.MICROS);
    }

    /** A time that would round up to the next day stays what it is: the driver sends it as 24:00, which replicas refuse. */
    private LocalTime rounded(LocalTime time, @Nullable Column column, Connection connection) {
        @Nullable Integer known = digits(column, connection);
        long unit = POWERS[known == null ? MICRO_DIGITS : Math.min(known, MICRO_DIGITS)] * 1000;
        long micros = (time.toNanoOfDay() + 500) / 1000 * 1000;
        long rounded = (micros + unit / 2) / unit * unit;
        return rounded <= LocalTime.MAX.toNanoOfDay() ? LocalTime.ofNanoOfDay(rounded) : time;
    }

    private @Nullable Integer digits(@Nullable Column column, Connection connection) {
        if (column == null) {
            return null;
        }
        Map<String, Integer> columns = tables.get(column.table());
        if (columns == null) {
            columns = read(column.table(), connection);
            tables.put(column.table(), columns);
        }
        return columns.get(column.name());
    }

    private static Map<String, Integer> read(String table, Connection connection) {
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, table);
            Map<String, Integer> columns = new HashMap<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.put(row.getString(1), row.getInt(2));
                }
            }
            return Map.copyOf(columns);
        } catch (SQLException e) {
            throw new OutboxException("the columns of " + table + " could not be read: " + e.getMessage(), e);
        }
    }
}
