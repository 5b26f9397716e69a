package io.cqrs.master.internal.relay;

import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the outbox without gaps and without stalls, by snapshot ticks.
 *
 * <ol>
 *   <li>The first tick is all rows visible in a snapshot, in the order of their ids; among them those that came with a dump
 *       of another server, whose transactions mean nothing here.
 *   <li>Each further tick is the rows visible in the new snapshot and not in the one before: whatever committed in
 *       between, early or late, and nothing twice. Of these, too, the order is that of the ids.
 *   <li>A tick is read in pages by id; a page ends at a count or a size, so that memory is bounded.
 *   <li>A tick does not begin at the first id but where new ones can be ({@link LowWater}): what is held, and what is
 *       deleted but not vacuumed while somebody reads for long, is not gone through each time.
 * </ol>
 *
 * <p>A cursor on ids would lose rows of transactions that commit late; waiting for the oldest transaction would stall.
 * The snapshots are PgQ's (Skytools), kept in memory: after a restart the first tick is what is left. Belongs to the
 * relay's thread and connection.
 */
final class OutboxReader implements AutoCloseable {

    private final Connection connection;
    private final int pageSize;
    private final long pageBytes;
    private final LowWater lowWater = new LowWater();
    private final PreparedStatement snapshot;
    private final PreparedStatement mark;
    private final PreparedStatement page;
    private final PreparedStatement held;
    private final PreparedStatement delete;
    private Snapshot seen = Snapshot.NOTHING;
    private @Nullable Snapshot current;
    private long after;

    OutboxReader(Connection connection, CqrsSchema schema, int pageSize, long pageBytes) throws SQLException {
        this.connection = connection;
        this.pageSize = pageSize;
        this.pageBytes = pageBytes;
        OutboxSql sql = new OutboxSql(schema);
        this.snapshot = connection.prepareStatement(OutboxSql.SNAPSHOT);
        this.mark = connection.prepareStatement(OutboxSql.MARK);
        this.page = connection.prepareStatement(sql.page());
        this.held = connection.prepareStatement(sql.held());
        this.delete = connection.prepareStatement(sql.delete());
    }

    /** Returns the next page; empty when all that has committed so far was read. */
    List<OutboxRow> next() throws SQLException {
        Snapshot until = current;
        if (until == null) {
            until = currentSnapshot();
            if (until.equals(seen)) {
                return List.of();
            }
            current = until;
            after = lowWater.below(seen, until);
        }
        page.setLong(1, after);
        page.setString(2, seen.text());
        page.setString(3, until.text());
        page.setBoolean(4, seen.equals(Snapshot.NOTHING));
        page.setInt(5, pageSize);
        page.setLong(6, pageBytes);
        Page read = read(page);
        if (!read.rows().isEmpty()) {
            after = read.rows().get(read.rows().size() - 1).id();
            lowWater.read(after);
        }
        if (read.complete()) {
            seen = until;
            current = null;
        }
        return read.rows();
    }

    /** Says whether a tick was read to its end: only then is what is held complete up to it. */
    boolean isBetweenTicks() {
        return current == null;
    }

    /** Returns the first rows of one routing key among those read so far. */
    List<OutboxRow> held(String routingKey, int limit) throws SQLException {
        held.setString(1, routingKey);
        held.setString(2, seen.text());
        held.setInt(3, limit);
        held.setLong(4, pageBytes);
        return read(held).rows();
    }

    /** Deletes rows that the broker has. */
    void delete(List<Long> ids) throws SQLException {
        if (!ids.isEmpty()) {
            delete.setArray(1, connection.createArrayOf("int8", ids.toArray()));
            delete.executeUpdate();
        }
    }

    @Override
    public void close() throws SQLException {
        for (Statement statement : List.of(snapshot, mark, page, held, delete)) {
            statement.close();
        }
    }

    private Snapshot currentSnapshot() throws SQLException {
        boolean marks = lowWater.isRising();
        try (ResultSet row = (marks ? mark : snapshot).executeQuery()) {
            row.next();
            if (marks) {
                lowWater.mark(row.getLong(2));
            }
            return Snapshot.parse(row.getString(1));
        }
    }

    private Page read(PreparedStatement statement) throws SQLException {
        List<OutboxRow> rows = new ArrayList<>();
        long bytes = 0;
        try (ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                rows.add(new OutboxRow(
                        row.getLong(1), row.getString(2), row.getBytes(3), row.getString(4), row.getBoolean(5)));
                bytes = row.getLong(6);
            }
        }
        return new Page(rows, rows.size() < pageSize && bytes < pageBytes);
    }

    private record Page(List<OutboxRow> rows, boolean complete) {}
}
