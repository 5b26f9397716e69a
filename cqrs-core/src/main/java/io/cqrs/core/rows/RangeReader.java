package io.cqrs.core.rows;

import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads a table's rows by ranges of keys: their hashes, computed in the database, or the rows' own. Both sides read with
 * this, so equal rows hash alike.
 *
 * <p>Keys are sorted as every server sorts them. A text key whose collation sorts otherwise has no index for that: the
 * table is copied to a temporary one that has it. Belongs to one thread and one connection.
 */
public final class RangeReader implements AutoCloseable {

    /** What values look like must not depend on how the server or the pool is set. */
    private static final Map<String, String> SETTINGS = Map.of(
            // A plan for any range sorts the rows that the index has in order.
            "plan_cache_mode", "force_custom_plan",
            "timezone", "UTC",
            "datestyle", "ISO, YMD",
            "intervalstyle", "iso_8601",
            "extra_float_digits", "1",
            "bytea_output", "hex",
            "jit", "off",
            "max_parallel_workers_per_gather", "0",
            "search_path", "pg_catalog, pg_temp");

    /** The collation of a text column, null for the database's own; no row for a column without one. */
    private static final String COLLATION = """
            select case when c.collname <> 'default' then quote_ident(n.nspname) || '.' || quote_ident(c.collname) end
            from pg_attribute a join pg_collation c on c.oid = a.attcollation
            join pg_namespace n on n.oid = c.collnamespace
            where a.attrelid = to_regclass(?) and a.attname = ?""";

    private static final String DROP = "drop table if exists pg_temp.cqrs_compared";

    private final Connection connection;
    private final SessionSettings session;
    private final ComparedTable table;
    private final List<Boolean> collated;
    private final String source;
    private final boolean copied;

    private RangeReader(Connection connection, SessionSettings session, ComparedTable table) throws SQLException {
        this.connection = connection;
        this.session = session;
        this.table = table;
        List<Boolean> needed = new ArrayList<>();
        for (ComparedColumn part : table.key()) {
            needed.add(!part.sortsAlike() && !sortsAsBytes(part));
        }
        this.collated = List.copyOf(needed);
        this.copied = collated.contains(true);
        this.source = copied ? copy() : table.table().sql() + " n";
    }

    /**
     * Opens a connection, until this is closed.
     *
     * @throws SQLException if the database refuses, or is gone
     */
    public static RangeReader open(DataSource dataSource, ComparedTable table) throws SQLException {
        Connection connection = dataSource.getConnection();
        try {
            return new RangeReader(connection, SessionSettings.set(connection, SETTINGS), table);
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private boolean sortsAsBytes(ComparedColumn part) throws SQLException {
        if (!part.kind().equals("text")) {
            return false;
        }
        @Nullable String collation;
        try (PreparedStatement statement = connection.prepareStatement(COLLATION)) {
            statement.setString(1, table.table().sql());
            statement.setString(2, part.name());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next() || part.type().equals("citext")) {
                    return false;
                }
                collation = row.getString(1);
            }
        }
        // Asked, not guessed from its name, which says little of who sorts.
        String collate = collation == null ? "" : " collate " + collation;
        try (PreparedStatement statement = connection.prepareStatement(
                        "select 'B'::text" + collate + " < 'a'::text and 'a-b'::text" + collate + " < 'aa'::text");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            boolean unused = statement.execute();
        }
    }

    private String copy() throws SQLException {
        String order = IntStream.range(0, table.key().size())
                .mapToObj(i ->
                        ComparedColumn.order(TableName.quote(table.key().get(i).name()), collated.get(i)))
                .collect(Collectors.joining(", "));
        execute(DROP);
        execute("create temporary table cqrs_compared as select n.* from "
                + table.table().sql() + " n where " + condition());
        execute("create index on pg_temp.cqrs_compared (" + order + ")");
        execute("analyze pg_temp.cqrs_compared");
        return "pg_temp.cqrs_compared n";
    }

    /** Reads the next so many rows, all the rest where there are no more: then the range has no end. */
    public KeyRange next(@Nullable List<String> after, int limit) throws SQLException {
        KeyRange range = digest(after, null, limit);
        return range.count() < limit ? new KeyRange(after, null, range.count(), range.digests()) : range;
    }

    /**
     * Reads the rows of a range.
     *
     * @param limit how many at most
     */
    public KeyRange between(@Nullable List<String> after, @Nullable List<String> upTo, int limit) throws SQLException {
        KeyRange range = digest(after, upTo, limit);
        return new KeyRange(after, upTo, range.count(), range.digests());
    }

    private KeyRange digest(@Nullable List<String> after, @Nullable List<String> upTo, int limit) throws SQLException {
        int parts = table.key().size();
        try (PreparedStatement statement = connection.prepareStatement(digestSql(after, upTo))) {
            bind(statement, after, upTo, limit);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                int count = row.getInt(1);
                List<String> last = new ArrayList<>();
                for (int i = 0; i < parts && count > 0; i++) {
                    last.add(row.getString(2 + i));
                }
                List<String> digests = new ArrayList<>();
                for (int i = 0; i <= table.fields().size(); i++) {
                    digests.add(row.getString(2 + parts + i));
                }
                return new KeyRange(after, count == 0 ? null : List.copyOf(last), count, digests);
            }
        }
    }

    private String digestSql(@Nullable List<String> after, @Nullable List<String> upTo) {
        List<String> inner = new ArrayList<>();
        List<String> outer = new ArrayList<>(List.of("count(*)::int"));
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < table.key().size(); i++) {
            ComparedColumn part = table.key().get(i);
            // Mostly the same: then the database aggregates it once.
            String canonical = part.canonical("n").equals(part.of("n")) ? "s.k" + i : "s.c" + i;
            inner.add(part.of("n") + " as k" + i);
            inner.add(part.canonical("n") + " as c" + i);
            outer.add(part.keyText("(array_agg(s.k" + i + "))[count(*)::int]"));
            keys.add(part.digest(canonical));
        }
        inner.add("n." + TableName.quote(table.revision()) + " as rev");
        keys.add("md5(array_agg(s.rev)::text)");
        outer.add("md5(concat_ws(' ', " + String.join(", ", keys) + "))");
        int field = 0;
        for (ComparedColumn column : table.fields().values()) {
            inner.add(column.canonical("n") + " as f" + field);
            outer.add("coalesce(" + column.digest("s.f" + field) + ", '')");
            field++;
        }
        return "select " + String.join(", ", outer) + " from (select " + String.join(", ", inner) + from(after, upTo)
                + ") s";
    }

    /**
     * Reads rows of a range, one by one.
     *
     * @param limit how many at most, in their order
     */
    public List<RowDigest> rows(@Nullable List<String> after, @Nullable List<String> upTo, int limit)
            throws SQLException {
        List<RowDigest> rows = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(rowsSql(after, upTo))) {
            bind(statement, after, upTo, limit);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    List<String> key = new ArrayList<>();
                    for (int i = 0; i < table.key().size(); i++) {
                        key.add(row.getString(4 + i));
                    }
                    long revision = row.getLong(1);
                    rows.add(new RowDigest(
                            key, row.wasNull() ? null : (Long) revision, row.getString(2), row.getString(3)));
                }
            }
        }
        return rows;
    }

    private String rowsSql(@Nullable List<String> after, @Nullable List<String> upTo) {
        String fields = table.fields().values().stream()
                .map(column -> "(" + column.canonical("n") + ")::text")
                .collect(Collectors.joining(", "));
        return "select n." + TableName.quote(table.revision()) + ", n." + TableName.quote(table.updated())
                + "::text, md5(array[" + fields + "]::text[]::text), "
                + table.key().stream().map(part -> part.keyText(part.of("n"))).collect(Collectors.joining(", "))
                + from(after, upTo);
    }

    private String from(@Nullable List<String> after, @Nullable List<String> upTo) {
        List<String> order = new ArrayList<>();
        List<String> parameters = new ArrayList<>();
        for (int i = 0; i < table.key().size(); i++) {
            order.add(ComparedColumn.order(table.key().get(i).of("n"), collated.get(i)));
            parameters.add(table.key().get(i).parameter(collated.get(i)));
        }
        String keys = String.join(", ", order);
        String key = "(" + String.join(", ", parameters) + ")";
        return " from " + source + " where " + (copied ? "true" : condition())
                + (after == null ? "" : " and (" + keys + ") > " + key)
                + (upTo == null ? "" : " and (" + keys + ") <= " + key)
                + " order by " + keys + " limit ?";
    }

    /** A question mark of the declaration's is no parameter. */
    private String condition() {
        return "(" + table.filter().replace("?", "??") + ")";
    }

    private static void bind(
            PreparedStatement statement, @Nullable List<String> after, @Nullable List<String> upTo, int limit)
            throws SQLException {
        int parameter = 1;
        for (List<String> key : after == null ? List.<List<String>>of() : List.of(after)) {
            for (String part : key) {
                statement.setString(parameter++, part);
            }
        }
        for (List<String> key : upTo == null ? List.<List<String>>of() : List.of(upTo)) {
            for (String part : key) {
                statement.setString(parameter++, part);
            }
        }
        statement.setInt(parameter, limit);
    }

    @Override
    public void close() throws SQLException {
        try (Connection closing = connection) {
            if (copied && !connection.isClosed()) {
                execute(DROP);
            }
            session.close();
        }
    }
}
