package io.cqrs.replica.internal.diff;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.rows.ComparedColumn;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.KeyRange;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.core.rows.RowDigest;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.WireTime;
import io.cqrs.transport.pipe.DiffStream;
import io.cqrs.transport.pipe.LineWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Compares a master's ranges with the replica's, and writes the rows of those that differ.
 *
 * <p>What differs may be on its way: it is looked at again, after some patience, before it is answered. Use once.
 */
public final class RangeAnswer {

    private static final int PAGE = 10_000;

    private final DataSource dataSource;
    private final ComparedTable table;
    private final DiffStream in;
    private final List<String> masterFields;
    private final List<String> fields;

    /**
     * Finds out which fields both sides have.
     *
     * @param told takes what there is to tell a person
     * @throws CqrsConfigurationException if the keys do not compare
     */
    public RangeAnswer(DataSource dataSource, ComparedTable table, DiffStream in, Consumer<String> told) {
        this.dataSource = dataSource;
        this.table = table;
        this.in = in;
        List<String> kinds = table.key().stream().map(ComparedColumn::kind).toList();
        if (!in.header("key").equals(kinds)) {
            throw new CqrsConfigurationException(
                    "the key of " + in.cqrsId() + " is " + kinds + " here, the master's is " + in.header("key")
                            + ", which sort otherwise: compare without --checksum");
        }
        if (!(in.header("fields") instanceof Map<?, ?> kindsByField)) {
            throw new SerializationException("line 1 has no fields");
        }
        this.masterFields = new ArrayList<>();
        this.fields = new ArrayList<>();
        kindsByField.forEach((name, kind) -> {
            String field = String.valueOf(name);
            masterFields.add(field);
            ComparedColumn column = table.fields().get(field);
            if (column != null && column.kind().equals(kind)) {
                fields.add(field);
            } else if (column != null) {
                told.accept("field " + field + " is not compared: it is of kind " + kind + " at the master, column "
                        + column.name() + " is of kind " + column.kind());
            }
        });
    }

    /**
     * Writes the answer.
     *
     * @return how many rows it has
     */
    public long write(String queue, Duration patience, OutputStream out)
            throws SQLException, IOException, InterruptedException {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("diff", "checksum");
        header.put("cqrs_id", in.cqrsId().value());
        header.put("at", WireTime.format(in.at()));
        header.put("queue", queue);
        header.put("fields", fields);
        LineWriter lines = new LineWriter(out);
        lines.write(JsonText.write(header));
        long rows = 0;
        List<KeyRange> different = new ArrayList<>();
        try (RangeReader reader = RangeReader.open(dataSource, table.withFields(fields))) {
            for (List<?> line = in.next(); line != null; line = in.next()) {
                KeyRange range = range(line);
                if (differs(reader, range)) {
                    different.add(range);
                }
            }
        }
        if (!different.isEmpty()) {
            boolean unused = new Waiter().await(patience);
            // A new reader: one that reads a copy of the table would see nothing of what has come.
            try (RangeReader again = RangeReader.open(dataSource, table.withFields(fields))) {
                for (KeyRange range : different) {
                    if (differs(again, range)) {
                        rows += answer(again, range, lines);
                    }
                }
            }
        }
        lines.write("{\"end\":" + (lines.count() - 1) + "}");
        return rows;
    }

    private KeyRange range(List<?> line) {
        if (line.size() == 4
                && line.get(2) instanceof Long count
                && line.get(3) instanceof List<?> digests
                && digests.size() == masterFields.size() + 1) {
            return new KeyRange(
                    key(line.get(0)),
                    key(line.get(1)),
                    count.intValue(),
                    digests.stream().map(String::valueOf).toList());
        }
        throw new SerializationException("line " + in.line() + " is no range of keys");
    }

    private @Nullable List<String> key(@Nullable Object key) {
        return key == null ? null : in.key(key);
    }

    private boolean differs(RangeReader reader, KeyRange theirs) throws SQLException {
        KeyRange mine = reader.between(theirs.after(), theirs.upTo(), theirs.count() + 1);
        if (mine.count() != theirs.count()
                || !mine.digests().get(0).equals(theirs.digests().get(0))) {
            return true;
        }
        for (int i = 0; i < fields.size(); i++) {
            String digest = theirs.digests().get(1 + masterFields.indexOf(fields.get(i)));
            if (!mine.digests().get(1 + i).equals(digest)) {
                return true;
            }
        }
        return false;
    }

    /** A range that has more rows here is answered in parts. */
    private static long answer(RangeReader reader, KeyRange range, LineWriter lines) throws SQLException, IOException {
        @Nullable List<String> after = range.after();
        long count = 0;
        List<RowDigest> page;
        do {
            page = reader.rows(after, range.upTo(), PAGE);
            @Nullable
            List<String> last = page.size() < PAGE
                    ? range.upTo()
                    : page.get(page.size() - 1).key();
            List<@Nullable Object> rows = new ArrayList<>();
            for (RowDigest row : page) {
                List<@Nullable Object> one = new ArrayList<>();
                one.add(row.key());
                one.add(row.revision());
                one.add(row.updated());
                one.add(row.digest());
                rows.add(one);
            }
            List<@Nullable Object> line = new ArrayList<>();
            line.add(after);
            line.add(last);
            line.add(rows);
            lines.write(JsonText.write(line));
            count += page.size();
            after = last;
        } while (page.size() == PAGE);
        return count;
    }
}
