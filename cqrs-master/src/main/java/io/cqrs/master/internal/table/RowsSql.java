package io.cqrs.master.internal.table;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.rows.FilterSql;
import io.cqrs.core.rows.KeyArrays;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.WhenExcluded;
import io.cqrs.transport.RoutingKeys;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Statements that dump a master table's rows, compare them and send deletes of others. */
final class RowsSql {

    private final TableModel model;
    private final MessageSql messages;
    private final CqrsSchema schema;
    private final KeyArrays keys;

    RowsSql(TableModel model, CqrsSchema schema) {
        this.model = model;
        this.messages = new MessageSql(model);
        this.schema = schema;
        this.keys = model.keyArrays();
    }

    /** Not for a prepared statement: a question mark of the filter's stands as it is. */
    String dump() {
        return "copy (select %s from %s n where (%s)) to stdout (format csv, delimiter E'\\x01', quote E'\\x02')"
                .formatted(messages.data("n"), model.table().sql(), model.filter());
    }

    String count() {
        return "select count(*) from %s n where (%s)".formatted(model.table().sql(), filter());
    }

    /** Parameters: the filter's, those of the key behind which to go on, how many. Returns count, page, last key. */
    String states(FilterSql condition, boolean goesOn) {
        String key = keys.of("n");
        String texts = IntStream.range(0, model.key().size())
                .mapToObj(i -> ", " + model.key().get(i).of("n") + " as k" + i)
                .collect(Collectors.joining());
        String lasts = IntStream.range(0, model.key().size())
                .mapToObj(i -> ", (array_agg(s.k" + i + "))[count(*)::int]::text")
                .collect(Collectors.joining());
        return """
                select count(*)::int, concat('[', string_agg(s.pair, ','), ']')%s
                from (select concat('[', %s, ',', coalesce(n.%s, 0), ']') as pair%s from %s n
                    where (%s) and (%s)%s order by %s limit ?) s""".formatted(
                        lasts,
                        messages.key("n"),
                        TableName.quote(model.declared().revision()),
                        texts,
                        model.table().sql(),
                        filter(),
                        condition.condition(),
                        goesOn ? " and " + keys.behind("n") : "",
                        key);
    }

    /** Parameters: an array a part of the key. Returns places, from 1. */
    String missing() {
        return "select k.ord from %s where not exists (%s) order by k.ord".formatted(keys.rows(), rowWithKey());
    }

    /** A row that is no longer sent counts as gone where its end is. */
    private String rowWithKey() {
        String counts = model.declared().whenExcluded() == WhenExcluded.DELETE ? filter() : "true";
        return "select from %s n where (%s) = (%s) and (%s)"
                .formatted(model.table().sql(), keys.of("n"), keys.values(), counts);
    }

    /** Parameters: an array a part of the key, of times and of revisions. */
    String delete(@Nullable String queue) {
        MessageSql.Envelope envelope = new MessageSql.Envelope("'null'", MessageSql.expires(model.declared()));
        String routingKey = RoutingKeys.to(queue, model.declared().cqrsId());
        return """
                insert into %s (cqrs_id, instance_pk, routing_key, body)
                select %s, %s, %s, %s
                from (select %s, k.upd::timestamptz as %s, k.rev::int8 as %s
                    from %s where not exists (%s)) d""".formatted(
                        schema.outbox().sql(),
                        Concat.literal(model.declared().cqrsId().value()),
                        messages.keyText("d"),
                        Concat.literal(routingKey),
                        messages.delete("d", true, envelope),
                        keys.named(),
                        TableName.quote(model.declared().updated()),
                        TableName.quote(model.declared().revision()),
                        keys.rows("upd", "rev"),
                        rowWithKey());
    }

    /** Parameters: model, queue, time, missing, stale, ahead, drifted, surplus, sent, deleted. */
    String note() {
        return """
                insert into %s as l (cqrs_id, queue, began_at, missing, stale, ahead, drifted, surplus, sent, deleted)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                on conflict (cqrs_id, queue) do update set began_at = excluded.began_at, missing = excluded.missing,
                    stale = excluded.stale, ahead = excluded.ahead, drifted = excluded.drifted,
                    surplus = excluded.surplus, sent = excluded.sent, deleted = excluded.deleted""".formatted(schema.lastDiff().sql());
    }

    /** For prepared statements. */
    private String filter() {
        return model.filter().replace("?", "??");
    }
}
