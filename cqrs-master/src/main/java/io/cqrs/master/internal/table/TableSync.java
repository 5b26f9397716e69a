package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.lifecycle.ContentionRetry;
import io.cqrs.core.rows.FilterSql;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.MasterTable;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.TableSyncRequest;
import io.cqrs.master.internal.outbox.OutboxWindow;
import io.cqrs.master.internal.sync.SyncKey;
import io.cqrs.transport.Headers;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.RoutingKeys;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Sends a table's rows again, page by page, by one statement a page. Belongs to its connection. */
public final class TableSync {

    /** What values look like: as the triggers write them. */
    static final Map<String, String> SESSION = Map.of(
            "timezone",
            "UTC",
            "datestyle",
            "ISO",
            "intervalstyle",
            "iso_8601",
            "extra_float_digits",
            "1",
            "bytea_output",
            "hex",
            "search_path",
            "pg_catalog, pg_temp");

    private final Connection connection;
    private final CqrsSchema schema;
    private final int maxBytes;
    private final OutboxWindow window;

    /** Works on this connection. */
    public TableSync(Connection connection, CqrsSchema schema, int maxBytes) {
        this.connection = connection;
        this.schema = schema;
        this.maxBytes = maxBytes;
        this.window = new OutboxWindow(schema);
    }

    /**
     * Sends what the settings say.
     *
     * @throws CqrsConfigurationException if declaration or filter do not fit the table
     */
    public SyncProgress send(MasterTable declared, TableSyncRequest.Settings settings)
            throws SQLException, InterruptedException {
        TableModel model = TableModel.read(connection, declared);
        try (SessionSettings session = SessionSettings.set(connection, SESSION)) {
            List<String> after = settings.after() == null ? List.of() : parts(model, settings.after());
            SyncProgress progress = pages(model, settings, after);
            session.close();
            return progress;
        }
    }

    private SyncProgress pages(TableModel model, TableSyncRequest.Settings settings, List<String> first)
            throws SQLException, InterruptedException {
        FilterSql filter = FilterSql.of(model.declared().cqrsId().value(), model.filterable("n"), settings.filter());
        SyncProgress progress = new SyncProgress(0, 0, settings.after(), false);
        List<String> after = first;
        while (true) {
            Page page = page(model, settings, filter, after);
            window.written(page.lastId());
            progress = new SyncProgress(
                    progress.sent() + page.count(),
                    0,
                    page.lastKey() == null ? progress.lastKey() : page.lastKey(),
                    false);
            settings.listener().accept(progress);
            if (!page.full()) {
                return progress;
            }
            after = parts(model, Objects.requireNonNull(page.lastKey(), "lastKey"));
            SyncProgress now = progress;
            window.await(
                    this::ask, () -> settings.listener().accept(new SyncProgress(now.sent(), 0, now.lastKey(), true)));
        }
    }

    /** Sends the rows that have these keys; room for them is waited for, as between pages. */
    SyncProgress send(TableModel model, TableSyncRequest.Settings settings, List<List<String>> keys)
            throws SQLException, InterruptedException {
        SyncProgress progress = new SyncProgress(0, 0, null, false);
        for (int from = 0; from < keys.size(); from += settings.pageSize()) {
            SyncProgress now = progress;
            window.await(this::ask, () -> settings.listener().accept(new SyncProgress(now.sent(), 0, null, true)));
            List<List<String>> chunk = keys.subList(from, Math.min(from + settings.pageSize(), keys.size()));
            Page page = page(model, settings, model.keyArrays().in(chunk, "n"), List.of());
            window.written(page.lastId());
            progress = new SyncProgress(progress.sent() + page.count(), 0, page.lastKey(), false);
        }
        return progress;
    }

    private boolean ask(OutboxWindow.Question question) {
        try {
            return question.ask(connection);
        } catch (SQLException e) {
            throw new OutboxException("the outbox could not be read: " + e.getMessage(), e);
        }
    }

    private Page page(TableModel model, TableSyncRequest.Settings settings, FilterSql filter, List<String> after)
            throws SQLException, InterruptedException {
        return ContentionRetry.runYielding(() -> Transactions.run(connection, same -> {
            Transactions.yieldToWriters(same);
            return write(model, settings, filter, after, end(model, settings, filter, after));
        }));
    }

    /**
     * Returns the key of a page's last row, or null where fewer are left. It is read before the rows are locked: one that had
     * to be waited for may have another key by then, and would say that the page goes on to there.
     */
    private @Nullable String end(
            TableModel model, TableSyncRequest.Settings settings, FilterSql filter, List<String> after)
            throws SQLException {
        String sql = "select " + new MessageSql(model).key("n") + " from " + meant(model, filter, !after.isEmpty())
                + " order by " + model.keyArrays().of("n") + " offset ? limit 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(bind(statement, filter, after), settings.pageSize() - 1);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    /** The rows behind where a page begins. */
    private static String meant(TableModel model, FilterSql filter, boolean goesOn) {
        return "%s n where (%s) and (%s)%s"
                .formatted(
                        model.table().sql(),
                        model.filter().replace("?", "??"),
                        filter.condition(),
                        goesOn ? " and " + model.keyArrays().behind("n") : "");
    }

    /** Returns the next parameter. */
    private static int bind(PreparedStatement statement, FilterSql filter, List<String> after) throws SQLException {
        int parameter = filter.bind(statement, 1);
        for (String part : after) {
            statement.setString(parameter++, part);
        }
        return parameter;
    }

    private Page write(
            TableModel model,
            TableSyncRequest.Settings settings,
            FilterSql filter,
            List<String> after,
            @Nullable String end)
            throws SQLException {
        String meant = meant(model, filter, !after.isEmpty())
                + (end == null ? "" : " and " + model.keyArrays().upTo("n"));
        try (PreparedStatement statement = connection.prepareStatement(sql(model, settings, meant))) {
            int parameter = bind(statement, filter, after);
            for (String part : end == null ? List.<String>of() : parts(model, end)) {
                statement.setString(parameter++, part);
            }
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                String large = row.getString(4);
                if (large != null) {
                    throw new OutboxException(
                            "the message of " + model.declared().cqrsId() + " " + large + " has more than the "
                                    + maxBytes + " bytes that are allowed: send fewer fields",
                            null);
                }
                return new Page(
                        row.getInt(1), row.getObject(2, Long.class), end == null ? row.getString(3) : end, end != null);
            }
        }
    }

    /** The rows of a page are locked for share before their messages are written. */
    private String sql(TableModel model, TableSyncRequest.Settings settings, String meant) {
        MessageSql messages = new MessageSql(model);
        MasterTable declared = model.declared();
        String columns = model.keyArrays().of("n");
        String routingKey = RoutingKeys.to(settings.queue(), declared.cqrsId());
        String headers = settings.forced() ? Concat.literal(JsonText.write(Map.of(Headers.FORCE, true))) : "null::text";
        MessageSql.Envelope envelope = new MessageSql.Envelope("'null'", MessageSql.expires(declared));
        return """
                with page as (
                    select n.* from %s order by %s for share),
                numbered as (
                    select %s as pk, %s as key, %s as body, row_number() over (order by %s) as ord from page n),
                written as (
                    insert into %s (cqrs_id, instance_pk, routing_key, body, headers)
                    select %s, pk, %s, body, %s from numbered order by ord
                    returning id)
                select (select count(*) from numbered), (select max(id) from written),
                    (select key from numbered order by ord desc limit 1),
                    (select pk from numbered where octet_length(body) > %d limit 1)""".formatted(
                        meant,
                        columns,
                        messages.keyText("n"),
                        messages.key("n"),
                        messages.save("n", "SYNC", "'null'", envelope),
                        columns,
                        schema.outbox().sql(),
                        Concat.literal(declared.cqrsId().value()),
                        Concat.literal(routingKey),
                        headers,
                        maxBytes);
    }

    private static List<String> parts(TableModel model, String key) {
        return SyncKey.parts(model.declared().cqrsId(), key, model.key().size());
    }

    /**
     * What was written.
     *
     * @param full whether there may be more
     */
    private record Page(
            int count, @Nullable Long lastId, @Nullable String lastKey, boolean full) {}
}
