package io.cqrs.master.internal.diff;

import io.cqrs.core.OutboxException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.core.rows.RowDigest;
import io.cqrs.master.DiffReport;
import io.cqrs.master.MasterDiff;
import io.cqrs.master.MasterDiff.Difference;
import io.cqrs.master.MasterRows;
import io.cqrs.master.SyncProgress;
import io.cqrs.transport.WireTime;
import io.cqrs.transport.pipe.DiffStream;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds what a replica's rows are beside the master's own, and sends what mends them.
 *
 * <p>The replica looked first, the master looks now: a state from after the begin of the comparison may still be on its
 * way, and is left to the live traffic. Use once.
 */
public final class Repair {

    private static final int PAGE = 10_000;
    private static final int MANY = 1000;
    private static final Comparator<@Nullable Instant> BY_TIME = Comparator.nullsFirst(Comparator.naturalOrder());
    private static final Comparator<@Nullable Long> BY_NUMBER = Comparator.nullsFirst(Comparator.naturalOrder());

    private final MasterRows rows;
    private final DiffStream in;
    private final MasterDiff.Options options;
    private final Map<Difference, Long> counts = new EnumMap<>(Difference.class);
    private final List<List<String>> toSend = new ArrayList<>();
    private final List<List<String>> toForce = new ArrayList<>();
    private final List<RowDigest> toDelete = new ArrayList<>();
    private long sent;
    private long deleted;

    /** Begins with what a replica answered. */
    public Repair(MasterRows rows, DiffStream in, MasterDiff.Options options) {
        this.rows = rows;
        this.in = in;
        this.options = options;
    }

    /** Sends the rows with the keys that the stream has. */
    public DiffReport ofKeys() throws IOException, InterruptedException {
        for (List<?> keys = in.next(); keys != null; keys = in.next()) {
            for (Object key : keys) {
                List<String> parts = in.key(key);
                options.found().accept(Difference.STALE, parts);
                toSend.add(parts);
                counts.merge(Difference.STALE, 1L, Long::sum);
            }
            sendIfMany();
        }
        send();
        return report();
    }

    /** Compares the ranges that the stream has with the rows as they are. */
    public DiffReport ofRanges() throws IOException, InterruptedException {
        List<String> fields = new ArrayList<>();
        ((List<?>) in.header("fields")).forEach(field -> fields.add(String.valueOf(field)));
        // Opened once the replica has looked for the last time: this one looks after it.
        @Nullable List<?> first = in.next();
        if (first != null) {
            compare(fields, first);
        }
        send();
        DiffReport report = report();
        rows.note(report);
        return report;
    }

    private void compare(List<String> fields, List<?> first) throws IOException, InterruptedException {
        try (RangeReader reader = rows.ranges(fields)) {
            for (@Nullable List<?> line = first; line != null; line = in.next()) {
                compare(reader, line);
                sendIfMany();
            }
        } catch (SQLException e) {
            throw new OutboxException("the database refused to compare " + in.cqrsId() + ": " + e.getMessage(), e);
        }
    }

    private void compare(RangeReader reader, List<?> line) throws SQLException {
        if (line.size() != 3 || !(line.get(2) instanceof List<?> answered)) {
            throw new SerializationException("line " + in.line() + " is no range with its rows");
        }
        Map<List<String>, RowDigest> theirs = new LinkedHashMap<>();
        for (Object one : answered) {
            RowDigest row = row(one);
            theirs.put(row.key(), row);
        }
        @Nullable List<String> after = line.get(0) == null ? null : in.key(line.get(0));
        @Nullable List<String> upTo = line.get(1) == null ? null : in.key(line.get(1));
        List<RowDigest> page;
        do {
            page = reader.rows(after, upTo, PAGE);
            for (RowDigest mine : page) {
                @Nullable RowDigest their = theirs.remove(mine.key());
                @Nullable Difference difference = difference(mine, their);
                if (difference != null) {
                    found(difference, mine.key());
                    // Rows that were deleted since a backup was taken are missing, and have to be forced, too. Others
                    // are not: a forced state could be applied after a live one.
                    boolean wentBack = difference == Difference.AHEAD || difference == Difference.MISSING;
                    if (wentBack && options.force()) {
                        toForce.add(mine.key());
                    } else if (difference != Difference.AHEAD) {
                        toSend.add(mine.key());
                    }
                }
                after = mine.key();
            }
        } while (page.size() == PAGE);
        List<RowDigest> others = List.copyOf(theirs.values());
        List<Integer> gone = others.isEmpty()
                ? List.of()
                : rows.missing(others.stream().map(RowDigest::key).toList());
        for (int place : gone) {
            found(Difference.SURPLUS, others.get(place).key());
            toDelete.add(others.get(place));
        }
    }

    private RowDigest row(@Nullable Object one) {
        if (one instanceof List<?> row && row.size() == 4 && row.get(3) instanceof String digest) {
            @Nullable Long revision = row.get(1) instanceof Long number ? number : null;
            @Nullable String updated = row.get(2) instanceof String text ? text : null;
            return new RowDigest(in.key(row.get(0)), revision, updated, digest);
        }
        throw new SerializationException("line " + in.line() + " has a row that is none");
    }

    private @Nullable Difference difference(RowDigest mine, @Nullable RowDigest their) {
        @Nullable Instant updated = time(mine);
        boolean mayBeOnItsWay = updated != null && updated.isAfter(in.at());
        if (their == null) {
            return mayBeOnItsWay ? null : Difference.MISSING;
        }
        int order = BY_TIME.compare(time(their), updated);
        order = order == 0 ? BY_NUMBER.compare(their.revision(), mine.revision()) : order;
        if (order > 0) {
            return Difference.AHEAD;
        }
        if (order == 0) {
            return their.digest().equals(mine.digest()) ? null : Difference.DRIFTED;
        }
        return mayBeOnItsWay ? null : Difference.STALE;
    }

    private static @Nullable Instant time(RowDigest row) {
        return row.updated() == null ? null : WireTime.parse(row.updated());
    }

    private void found(Difference difference, List<String> key) {
        counts.merge(difference, 1L, Long::sum);
        options.found().accept(difference, key);
    }

    /** A few here and a few there are not worth a transaction each. */
    private void sendIfMany() throws InterruptedException {
        if (toSend.size() + toForce.size() + toDelete.size() >= MANY) {
            send();
        }
    }

    private void send() throws InterruptedException {
        if (!options.checkOnly()) {
            sync(toSend, false);
            sync(toForce, true);
            deleted += toDelete.isEmpty() ? 0 : rows.delete(toDelete, in.queue());
        }
        toSend.clear();
        toForce.clear();
        toDelete.clear();
    }

    private void sync(List<List<String>> keys, boolean forced) throws InterruptedException {
        SyncProgress done = rows.sync(keys, in.queue(), forced, options.waiting());
        sent += done.sent();
        // What Java leaves out is no row of this master's, whatever its table has.
        counts.computeIfPresent(Difference.MISSING, (what, count) -> Math.max(0, count - done.skipped()));
        keys.clear();
    }

    private DiffReport report() {
        return new DiffReport(
                in.cqrsId(),
                in.queue(),
                in.at(),
                count(Difference.MISSING),
                count(Difference.STALE),
                count(Difference.AHEAD),
                count(Difference.DRIFTED),
                count(Difference.SURPLUS),
                sent,
                deleted);
    }

    private long count(Difference difference) {
        return Objects.requireNonNullElse(counts.get(difference), 0L);
    }
}
