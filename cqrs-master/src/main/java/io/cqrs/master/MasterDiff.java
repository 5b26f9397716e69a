package io.cqrs.master;

import io.cqrs.core.FieldFilter;
import io.cqrs.core.OutboxException;
import io.cqrs.core.rows.ComparedColumn;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.KeyRange;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.master.internal.diff.Repair;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.WireTime;
import io.cqrs.transport.pipe.DiffStream;
import io.cqrs.transport.pipe.LineWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The master's stages of comparing replicas with it. Streams are those of django-cqrs, a stage of which may stand before
 * or behind, or of checksums; docs/protocol.md tells both. Memory holds a page.
 *
 * <p>Not thread-safe.
 */
public final class MasterDiff {

    private final MasterRows rows;

    private MasterDiff(MasterRows rows) {
        this.rows = rows;
    }

    /** Compares these rows, which stay the caller's to close. */
    public static MasterDiff of(MasterRows rows) {
        return new MasterDiff(Objects.requireNonNull(rows, "rows"));
    }

    /**
     * The first stage: writes keys and revisions. Where no row is selected it writes nothing.
     *
     * @param pageSize how many a line
     * @return how many lines of keys were written
     * @throws io.cqrs.core.CqrsConfigurationException if the filter does not fit
     * @throws IOException if the stream can't be written
     */
    public long states(FieldFilter filter, int pageSize, OutputStream out) throws IOException {
        LineWriter lines = new LineWriter(out);
        String first = rows.cqrsId() + "," + WireTime.format(rows.now());
        rows.states(filter, pageSize, page -> {
            if (lines.count() == 0) {
                lines.write(first);
            }
            lines.write(page);
        });
        return Math.max(lines.count() - 1, 0);
    }

    /**
     * The first stage of checksums: writes a line a range of keys, with a hash of each field, computed in the database.
     *
     * @param rangeSize how many rows a range has
     * @throws IOException if the stream can't be written
     */
    public void ranges(int rangeSize, OutputStream out) throws IOException {
        ComparedTable table = rows.compared();
        Map<String, Object> kinds = new LinkedHashMap<>();
        table.fields().forEach((field, column) -> kinds.put(field, column.kind()));
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("diff", "checksum");
        header.put("cqrs_id", rows.cqrsId().value());
        header.put("at", WireTime.format(rows.now()));
        header.put("key", table.key().stream().map(ComparedColumn::kind).toList());
        header.put("fields", kinds);
        LineWriter lines = new LineWriter(out);
        lines.write(JsonText.write(header));
        try (RangeReader reader = rows.ranges(List.copyOf(kinds.keySet()))) {
            @Nullable List<String> after = null;
            do {
                KeyRange range = reader.next(after, rangeSize);
                List<@Nullable Object> line = new ArrayList<>();
                line.add(range.after());
                line.add(range.upTo());
                line.add((long) range.count());
                line.add(range.digests());
                lines.write(JsonText.write(line));
                after = range.upTo();
            } while (after != null);
        } catch (SQLException e) {
            throw new OutboxException("the database refused to compare " + rows.cqrsId() + ": " + e.getMessage(), e);
        }
        lines.write("{\"end\":" + (lines.count() - 1) + "}");
    }

    /**
     * The last stage: sends what the replica lacks or has otherwise, and, of checksums, deletes of what only the replica
     * has.
     *
     * @param in what the replica answered
     * @param options what is done about what is found
     * @return what was found; keys alone all count as stale
     * @throws io.cqrs.core.SerializationException if the stream is wrong or ends early; what it told so far is mended
     * @throws IOException if the stream can't be read
     * @throws InterruptedException if the thread is interrupted while it waits for the relay
     */
    public DiffReport repair(DiffStream in, Options options) throws IOException, InterruptedException {
        Repair repair = new Repair(rows, in, options);
        return in.isOfChecksums() ? repair.ofRanges() : repair.ofKeys();
    }

    /**
     * What is done about differences.
     *
     * @param checkOnly whether nothing is sent
     * @param force whether rows are sent over later states of the replica's: after a restore
     * @param found told each difference: what it is, and the key
     * @param waiting told every few seconds while the relay is waited for
     */
    public record Options(
            boolean checkOnly,
            boolean force,
            BiConsumer<Difference, List<String>> found,
            Consumer<SyncProgress> waiting) {

        /** Sends, and tells nobody. */
        public static Options standard() {
            return new Options(false, false, (what, key) -> {}, progress -> {});
        }
    }

    /** What a replica's row is, beside its master's. */
    public enum Difference {
        /** The replica lacks it. */
        MISSING,
        /** The replica has an older state. */
        STALE,
        /** The replica has a later state: the master went back. */
        AHEAD,
        /** The replica has the same state with other values. */
        DRIFTED,
        /** Only the replica has it. */
        SURPLUS
    }

    /**
     * The second stage of looking for rows that only a replica has: of the replica's keys it writes those that are no
     * more.
     *
     * @param in what the replica wrote
     * @return how many keys were written
     * @throws io.cqrs.core.SerializationException if the stream is wrong or ends early
     * @throws IOException if a stream can't be read or written
     */
    public long deleted(DiffStream in, OutputStream out) throws IOException {
        LineWriter lines = new LineWriter(out);
        // Of two clocks the one that is behind: a row that was made again since must not look older than this.
        Instant now = rows.now();
        lines.write(in.cqrsId() + "," + WireTime.format(in.at().isBefore(now) ? in.at() : now));
        long count = 0;
        for (List<?> page = in.next(); page != null; page = in.next()) {
            List<?> keys = page;
            List<?> gone = rows.missing(keys.stream().map(in::key).toList()).stream()
                    .map(keys::get)
                    .toList();
            if (!gone.isEmpty()) {
                lines.write(JsonText.write(gone));
                count += gone.size();
            }
        }
        return count;
    }
}
