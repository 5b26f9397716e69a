package io.cqrs.replica.internal.apply;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.Order;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The statements of the guard for one table (docs/design.md, "The guard"). Parameters are arrays, one element a row:
 * the key's columns, the filled columns, {@code cqrs_updated}, {@code cqrs_revision}; behind them what each says.
 *
 * <p>Where a plan could go wrong, rows and tombstones are looked up behind an {@code offset 0}, by their index for each
 * change, and what was written is found by a hashed subplan. A plan is made once, maybe while the tables were empty, and
 * would else read all of them for each batch, or compare each change with each.
 */
final class GuardSql {

    /** How far a save may go. */
    enum Reach {
        /** Over older states only. */
        NEWER,
        /** The same, and into no row whatever deletes are forgotten: of an entity that is known to be there. */
        NEWER_SURELY,
        /** Over equal states too: a sync. */
        EQUAL,
        /** Over every state: forced. */
        ANY
    }

    private final ReplicaTable table;
    private final KeySql key;
    private final TableName tombstone;
    private final TableName horizon;

    GuardSql(ReplicaTable table, CqrsSchema schema) {
        this.table = table;
        this.key = new KeySql(table.key());
        this.tombstone = schema.tombstone();
        this.horizon = schema.tombstoneHorizon();
    }

    /**
     * Behind the arrays: cqrs id, twice. Writes what the guard lets through and is at most one revision ahead of its row,
     * and returns the ord of the others, for {@link #settle}: mostly of none.
     *
     * <p>The horizon is read by the statement that looks for tombstones: a purge moves both at once.
     */
    String saveNext(List<ReplicaColumn> columns, Reach reach) {
        int keys = table.key().size();
        List<String> arrays = arrays(filled(columns));
        String given = key.join(i -> "(select p" + i + " from a)");
        String source = "(select * from unnest(%s, %s) as m(%s))"
                .formatted(
                        given,
                        String.join(", ", arrays.subList(keys, arrays.size())),
                        String.join(", ", aliases(filled(columns))));
        return """
                with a as materialized (select %1$s),
                w as (%2$s
                    returning %3$s)
                select m.ord from unnest(%4$s) with ordinality as m(%5$s, ord)
                where (select count(*) from w) < (select cardinality(p0) from a) and (%6$s) not in (select %7$s from w)
                """.formatted(
                        key.join(i -> arrays.get(i) + " as p" + i),
                        upsert(
                                source,
                                columns,
                                notDeleted(),
                                withinHorizon(reach, horizons(), found()),
                                precedence(reach) + " and (excluded.cqrs_revision - 1 > r.cqrs_revision) is not true"),
                        key.returned(),
                        given,
                        key.join(i -> "p" + i),
                        key.expressions(),
                        key.returnedNames());
    }

    /**
     * Behind the arrays: cqrs id, twice. Writes what the guard lets through, whatever revisions are missing before it.
     * Returns ord, written, old_updated, old_revision, deleted, horizon of what {@link #saveNext} does not write.
     *
     * <p>The row and the tombstone are looked up once, before anything is written: for the guard and for the outcome.
     */
    String settle(List<ReplicaColumn> columns, Reach reach) {
        return """
                with m as materialized (
                    select m.*, x.old_updated, x.old_revision, x.found, t.updated as deleted from (%1$s) m
                        left join lateral (
                            select x.cqrs_updated as old_updated, x.cqrs_revision as old_revision, true as found
                            from %2$s x where %3$s offset 0) x on true
                        left join lateral (
                            select t.updated from %4$s t where t.cqrs_id = ? and t.pk = %5$s offset 0) t on true),
                h as materialized (%6$s),
                w as (%7$s
                    returning %8$s)
                select m.ord, m.written, m.old_updated, m.old_revision, m.deleted, (select updated from h) as horizon
                from (select m.*, (%9$s) in (select %10$s from w) as written from m offset 0) m
                where not m.written or m.rev - 1 > m.old_revision
                """.formatted(
                        rows(filled(columns)),
                        table.name().sql(),
                        key.equalTo("x"),
                        tombstone.sql(),
                        key.text(),
                        horizons(),
                        upsert(
                                "m",
                                columns,
                                "(m.upd <= m.deleted) is not true",
                                withinHorizon(reach, "select updated from h", "m.found"),
                                precedence(reach)),
                        key.returned(),
                        key.expressions(),
                        key.returnedNames());
    }

    /**
     * From a stage with the columns {@code p0, .., upd, rev, ord}, where a key may come more than once. Parameters: cqrs
     * id, twice. Returns how many rows were written.
     */
    String load(TableName stage, List<ReplicaColumn> columns, Reach reach) {
        return """
                with m as materialized (
                    select distinct on (%1$s) m.* from %2$s m order by %1$s, %4$s),
                w as (%3$s
                    returning 1)
                select count(*) from w
                """.formatted(
                key.expressions(),
                stage.sql(),
                upsert("m", columns, notDeleted(), withinHorizon(reach, horizons(), found()), precedence(reach)),
                table.order() == Order.REVISION ? "rev desc, upd desc" : "upd desc, rev desc");
    }

    /** What of such a stage is no newer than deletes that are forgotten. Parameters: cqrs id, twice. Returns ord. */
    String beyondHorizon(TableName stage) {
        return """
                select m.ord from %s m
                where m.upd <= (%s) and not exists (select from %s x where %s) and %s
                """.formatted(stage.sql(), horizons(), table.name().sql(), key.equalTo("x"), notDeleted());
    }

    private List<ReplicaColumn> filled(List<ReplicaColumn> columns) {
        List<ReplicaColumn> all = new ArrayList<>(table.key());
        all.addAll(columns);
        return all;
    }

    /** Parameters: cqrs id. */
    private String notDeleted() {
        return "not exists (select from %s t where t.cqrs_id = ? and t.pk = %s and m.upd <= t.updated offset 0)"
                .formatted(tombstone.sql(), key.text());
    }

    private String found() {
        return "exists (select from %s x where %s offset 0)"
                .formatted(table.name().sql(), key.equalTo("x"));
    }

    /** Parameters: those of the source, then of the conditions. */
    private String upsert(
            String source, List<ReplicaColumn> columns, String notDeleted, String withinHorizon, String precedence) {
        List<ReplicaColumn> all = filled(columns);
        String targets =
                all.stream().map(column -> TableName.quote(column.name())).collect(Collectors.joining(", "));
        String sources = IntStream.range(0, all.size())
                .mapToObj(i -> all.get(i).cast("m.p" + i))
                .collect(Collectors.joining(", "));
        String updates = columns.stream()
                .map(column -> TableName.quote(column.name()) + " = excluded." + TableName.quote(column.name()) + ", ")
                .collect(Collectors.joining());
        return """
                insert into %1$s as r (%2$s, cqrs_updated, cqrs_revision)
                    select %3$s, m.upd, m.rev from %4$s m
                    where %5$s and %6$s
                    order by %7$s
                    on conflict (%8$s) do update
                    set %9$scqrs_updated = excluded.cqrs_updated, cqrs_revision = excluded.cqrs_revision
                    where %10$s""".formatted(
                        table.name().sql(),
                        targets,
                        sources,
                        source,
                        notDeleted,
                        withinHorizon,
                        key.expressions(),
                        key.names(),
                        updates,
                        precedence);
    }

    private String horizons() {
        return "select updated from %s where cqrs_id = ?".formatted(horizon.sql());
    }

    /**
     * A sync says that the entity is there: it may create what an old save may not. Asks for the horizon in any case: the
     * number of parameters is the same for all.
     */
    private static String withinHorizon(Reach reach, String horizon, String found) {
        return "((m.upd <= (%s)) is not true or %s)".formatted(horizon, reach == Reach.NEWER ? found : "true");
    }

    /** Behind the arrays: cqrs id. */
    String bury() {
        return "with m as materialized (%s) %s".formatted(rows(table.key()), tombstones());
    }

    private String tombstones() {
        return """
                insert into %s as t (cqrs_id, pk, updated, revision)
                    select ?, %s, m.upd, m.rev from m order by 2
                    on conflict (cqrs_id, pk) do update
                    set updated = excluded.updated, revision = excluded.revision, received_at = clock_timestamp()
                    where t.updated < excluded.updated""".formatted(tombstone.sql(), key.text());
    }

    /** Locks the rows there are, in the order of their keys. */
    String lock() {
        return "with m as materialized (%s) select from %s x where exists (select from m where %s) order by %s for update"
                .formatted(rows(table.key()), table.name().sql(), key.equalTo("x"), key.names());
    }

    /** Behind the arrays: cqrs id, twice. Returns ord, found, old_updated, old_revision, deleted, horizon. */
    String state() {
        return """
                with m as materialized (%1$s)
                select m.ord, x.%2$s is not null as found, x.cqrs_updated as old_updated,
                    x.cqrs_revision as old_revision, t.updated as deleted, (%7$s) as horizon
                from m left join %3$s x on %4$s
                    left join lateral (
                        select t.updated from %5$s t where t.cqrs_id = ? and t.pk = %6$s offset 0) t on true
                """.formatted(
                        rows(table.key()),
                        TableName.quote(table.key().get(0).name()),
                        table.name().sql(),
                        key.equalTo("x"),
                        tombstone.sql(),
                        key.text(),
                        horizons());
    }

    /** Behind the arrays: cqrs id. Returns ord, recorded, removed, later_row. */
    String delete() {
        return """
                with m as materialized (%1$s),
                t as (%2$s
                    returning pk),
                w as (
                    delete from %4$s r using m where %5$s and (r.cqrs_updated <= m.upd) is not false
                    returning %6$s)
                select m.ord, %3$s in (select pk from t) as recorded, (%7$s) in (select %9$s from w) as removed,
                    x.cqrs_updated > m.upd as later_row
                from m left join lateral (select x.cqrs_updated from %4$s x where %8$s offset 0) x on true
                """.formatted(
                        rows(table.key()),
                        tombstones(),
                        key.text(),
                        table.name().sql(),
                        key.equalTo("r"),
                        key.returned(),
                        key.expressions(),
                        key.equalTo("x"),
                        key.returnedNames());
    }

    /**
     * Behind the arrays: cqrs id. Goes by the tombstones, not by the deletes, which a forced sync may have undone; under
     * the model's lock, or it would undo a forced sync that it sees half of. Sent at once, the two are one transaction.
     */
    String sweep() {
        return """
                select pg_advisory_xact_lock_shared(%6$d, %7$d);
                with m as materialized (%1$s)
                delete from %2$s r using m, %3$s t
                where %4$s and t.cqrs_id = ? and t.pk = %5$s and (r.cqrs_updated <= t.updated) is not false
                """.formatted(
                        rows(table.key()),
                        table.name().sql(),
                        tombstone.sql(),
                        key.equalTo("r"),
                        key.text(),
                        SessionSql.SPACE,
                        table.cqrsId().value().hashCode());
    }

    /** Behind the arrays: cqrs id. */
    String forget() {
        return """
                with m as materialized (%1$s)
                delete from %2$s t using m where t.cqrs_id = ? and t.pk = %3$s
                """.formatted(rows(table.key()), tombstone.sql(), key.text());
    }

    private static String rows(List<ReplicaColumn> columns) {
        return "select * from unnest(%s) with ordinality as m(%s, ord)"
                .formatted(String.join(", ", arrays(columns)), String.join(", ", aliases(columns)));
    }

    /** The parameters, in the order in which {@link RowArrays} binds them. */
    private static List<String> arrays(List<ReplicaColumn> columns) {
        return Stream.concat(columns.stream().map(ReplicaColumn::bindType), Stream.of("timestamptz", "int8"))
                .map("?::%s[]"::formatted)
                .toList();
    }

    private static List<String> aliases(List<ReplicaColumn> columns) {
        return Stream.concat(IntStream.range(0, columns.size()).mapToObj(i -> "p" + i), Stream.of("upd", "rev"))
                .toList();
    }

    private String precedence(Reach reach) {
        if (reach == Reach.ANY || (reach == Reach.EQUAL && table.order() == Order.REVISION)) {
            return "true";
        }
        if (table.order() == Order.REVISION) {
            return "coalesce(r.cqrs_revision < excluded.cqrs_revision, true)";
        }
        return reach == Reach.EQUAL
                ? "coalesce((r.cqrs_updated, r.cqrs_revision) <= (excluded.cqrs_updated, excluded.cqrs_revision), true)"
                : "coalesce((r.cqrs_updated, r.cqrs_revision) < (excluded.cqrs_updated, excluded.cqrs_revision), true)";
    }
}
