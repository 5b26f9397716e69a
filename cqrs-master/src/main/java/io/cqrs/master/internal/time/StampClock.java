package io.cqrs.master.internal.time;

import io.cqrs.core.OutboxException;
import io.cqrs.core.lifecycle.Ticker;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives changes their times: the master database's time, strictly increasing for a key over all its lives.
 *
 * <ol>
 *   <li>The database is asked for its time over the caller's connection, the best of a few round trips, and again each
 *       minute; in between this machine's monotonic clock carries it on. A wall clock that is set does not matter; one
 *       that runs apart from the monotonic clock, as after a suspended machine, makes it ask again.
 *   <li>A change of an existing row is later than the row, by a microsecond if need be.
 *   <li>A delete is one microsecond later than its row, however much time has passed: so it comes before the key's next
 *       life, even if that one's insert waited for the delete's commit.
 *   <li>What this process gave out, it never gives out again: a hybrid logical clock (Kulkarni et al., 2014). A time more
 *       than a second ahead of the database does not carry it along.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class StampClock {

    private static final Duration REMEASURE = Duration.ofMinutes(1);
    private static final Duration DRIFT = Duration.ofMillis(200);
    private static final long AHEAD_MICROS = 1_000_000;
    private static final int ROUND_TRIPS = 5;

    private final Ticker ticker;
    private final InstantSource wall;
    private volatile @Nullable Measurement measurement;
    private long last;

    /** Creates the clock; it asks the database when it is first used. */
    public StampClock(Ticker ticker, InstantSource wall) {
        this.ticker = ticker;
        this.wall = wall;
    }

    /**
     * Returns the time of a change.
     *
     * @param before the row's time so far, or null for a new row
     * @param connection what to ask the database with; called only when that is due
     * @throws OutboxException if the database can't be asked
     */
    public Instant next(@Nullable Instant before, Supplier<Connection> connection) {
        long now = micros(connection);
        long floor = before == null ? Long.MIN_VALUE : micros(before) + 1;
        synchronized (this) {
            long time = Math.max(Math.max(now, last + 1), floor);
            observe(time, now);
            return instant(time);
        }
    }

    /**
     * Returns the time of a delete.
     *
     * @param before the row's last time, or null where it has none
     * @param connection what to ask the database with; called only when that is due
     */
    public Instant ofDelete(@Nullable Instant before, Supplier<Connection> connection) {
        if (before == null) {
            return next(null, connection);
        }
        long now = micros(connection);
        synchronized (this) {
            long time = micros(before) + 1;
            observe(time, now);
            return instant(time);
        }
    }

    /** Returns the database's time, which is nobody's stamp. */
    public Instant now(Supplier<Connection> connection) {
        return instant(micros(connection));
    }

    private void observe(long time, long now) {
        if (time > last && time - now < AHEAD_MICROS) {
            last = time;
        }
    }

    private long micros(Supplier<Connection> connection) {
        Measurement known = measurement;
        long tick = ticker.nanoTime();
        if (known == null || known.isDue(tick, wall.instant())) {
            known = measure(connection.get());
            measurement = known;
            tick = ticker.nanoTime();
        }
        return known.micros(tick);
    }

    private Measurement measure(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            Measurement best = null;
            for (int i = 0; i < ROUND_TRIPS; i++) {
                Measurement next = measureOnce(statement);
                best = best == null || next.roundTrip < best.roundTrip ? next : best;
            }
            if (best == null) {
                throw new IllegalStateException("no round trip was made");
            }
            return best;
        } catch (SQLException e) {
            throw new OutboxException("the database could not be asked for its time: " + e.getMessage(), e);
        }
    }

    private Measurement measureOnce(Statement statement) throws SQLException {
        long start = ticker.nanoTime();
        try (ResultSet row = statement.executeQuery("select clock_timestamp()")) {
            row.next();
            long end = ticker.nanoTime();
            Instant database = row.getObject(1, OffsetDateTime.class).toInstant();
            return new Measurement(micros(database), start + (end - start) / 2, end - start, wall.instant());
        }
    }

    private static long micros(Instant time) {
        // Not by ChronoUnit.between, which counts nanoseconds, and overflows in 2262.
        return Math.addExact(Math.multiplyExact(time.getEpochSecond(), 1_000_000L), time.getNano() / 1000);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    /** The database's time at a reading of the ticker. */
    private record Measurement(long databaseMicros, long tick, long roundTrip, Instant wallTime) {

        long micros(long nowTick) {
            return databaseMicros + (nowTick - tick) / 1000;
        }

        boolean isDue(long nowTick, Instant nowWall) {
            long elapsed = nowTick - tick;
            long apart = Math.abs(Duration.between(wallTime, nowWall).toNanos() - elapsed);
            return elapsed > REMEASURE.toNanos() || apart > DRIFT.toNanos();
        }
    }
}
