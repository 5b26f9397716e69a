package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.MasterTable;
import io.cqrs.master.WhenExcluded;
import io.cqrs.transport.RoutingKeys;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The functions and triggers that capture a table.
 *
 * <ol>
 *   <li>Row triggers before each insert and update give revision and time ({@link StampSql}): only where something changed,
 *       byte by byte, since not every type has an equality.
 *   <li>A trigger after each statement writes one outbox row for each row that changed, out of the transition tables, in
 *       one insert. A changed key is a delete, by a trigger of its own for such rows only, and a save.
 *   <li>A TRUNCATE sends deletes beforehand, or is refused.
 * </ol>
 *
 * <p>The functions run with the rights of who installs them and a fixed search path: writers need no right on the outbox.
 */
final class TriggerSql {

    /** Sorts behind triggers of other names, so that it sees what those change. */
    private static final String STAMP_PREFIX = "zz_";

    private static final String SETTINGS = "security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'"
            + " set datestyle = 'ISO' set intervalstyle = 'iso_8601' set extra_float_digits = 1";

    private static final List<String> KINDS =
            List.of("stamp_insert", "stamp_rekey", "stamp_update", "insert", "update", "rekey", "delete", "truncate");

    private static final String GUARD = "guard";
    private static final int LONGEST_ID = 30;

    private final TableModel model;
    private final CqrsSchema schema;
    private final MessageSql messages;
    private final int maxBytes;

    TriggerSql(TableModel model, CqrsSchema schema, int maxBytes) {
        this.model = model;
        this.schema = schema;
        this.messages = new MessageSql(model);
        this.maxBytes = maxBytes;
    }

    /** Returns the statements that make functions and triggers, in their order. */
    List<String> install() {
        List<String> all = new ArrayList<>();
        StampSql stamps = new StampSql(model);
        all.add(function("stamp_insert", StampSql.SETTINGS, stamps.insert()));
        all.add(function("stamp_rekey", StampSql.SETTINGS, stamps.rekey()));
        all.add(function("stamp_update", "", stamps.update()));
        all.add(function("insert", SETTINGS, statement(inserted())));
        all.add(function("update", SETTINGS, statement(updated())));
        all.add(function("rekey", SETTINGS, statement(deleted("(select old.*) k"))));
        all.add(function("delete", SETTINGS, statement(deleted("old_rows"))));
        all.add(function("truncate", SETTINGS, truncated()));
        all.addAll(trigger("stamp_insert", "before insert", "for each row"));
        all.addAll(trigger("stamp_rekey", "before update", "for each row when (" + hasKnownNewKey() + ")"));
        all.addAll(trigger("stamp_update", "before update", "for each row when (" + changed() + ")"));
        all.addAll(trigger("insert", "after insert", "referencing new table as new_rows for each statement"));
        all.addAll(trigger(
                "update",
                "after update",
                "referencing old table as old_rows new table as new_rows for each statement"));
        all.addAll(trigger("rekey", "after update", "for each row when (" + rekeyed() + ")"));
        all.addAll(trigger("delete", "after delete", "referencing old table as old_rows for each statement"));
        all.addAll(trigger("truncate", "before truncate", "for each statement"));
        return all;
    }

    /** Returns the statements that remove what {@link #install} makes, in their order. */
    static List<String> uninstall(CqrsId cqrsId, TableName table, CqrsSchema schema) {
        List<String> all = new ArrayList<>();
        for (String kind : KINDS) {
            all.add("drop trigger if exists " + TableName.quote(triggerName(cqrsId, kind)) + " on " + table.sql());
        }
        all.addAll(dropFunctions(cqrsId, schema));
        return all;
    }

    /** Returns the statements that remove the functions of a table that is gone. */
    static List<String> dropFunctions(CqrsId cqrsId, CqrsSchema schema) {
        return KINDS.stream()
                .map(kind -> "drop function if exists " + functionName(cqrsId, kind, schema) + "()")
                .toList();
    }

    /** Returns the names of the triggers that statements made, maybe of an earlier version. */
    static List<String> triggers(CqrsId cqrsId, String statements) {
        return KINDS.stream()
                .map(kind -> triggerName(cqrsId, kind))
                .filter(name -> statements.contains("create trigger " + TableName.quote(name) + " "))
                .toList();
    }

    /** Returns the statements that have writes refused, for a while. */
    static List<String> guard(CqrsId cqrsId, String table, CqrsSchema schema) {
        String function = functionName(cqrsId, GUARD, schema);
        return List.of(
                "create function " + function + "() returns trigger language plpgsql as " + Concat.literal("""
                        begin
                          raise exception 'these statements write rows of %, which would not be sent: alter it now, and'
                            ' write them afterwards', tg_table_name;
                        end"""),
                "create trigger " + TableName.quote(guardName(cqrsId))
                        + " before insert or update or delete or truncate on " + table
                        + " for each statement execute function " + function + "()");
    }

    /** Returns the name of the trigger that refuses writes. */
    static String guardName(CqrsId cqrsId) {
        return triggerName(cqrsId, GUARD);
    }

    /** Returns the statement that ends it, wherever the trigger is by then. */
    static String dropGuard(CqrsId cqrsId, CqrsSchema schema) {
        return "drop function " + functionName(cqrsId, GUARD, schema) + "() cascade";
    }

    /** A statement that fails where the declaration's filter does, and reads nothing. */
    String check() {
        return "select " + messages.save("n", "SAVE", messages.previousOfChanged("n", "n"), envelope("'null'")) + ", "
                + messages.delete("n", true, envelope("'null'")) + " from "
                + rows(model.table().sql(), "n") + " limit 0";
    }

    /** Who could put it on a table of his own would write messages as he likes; to fire it takes no right. */
    private String function(String kind, String settings, String body) {
        String name = functionName(model.declared().cqrsId(), kind, schema) + "()";
        return "create or replace function " + name + " returns trigger language plpgsql " + settings + " as "
                + Concat.literal(body) + "; revoke all on function " + name + " from public";
    }

    private List<String> trigger(String kind, String when, String how) {
        CqrsId id = model.declared().cqrsId();
        String name = TableName.quote(triggerName(id, kind));
        String table = model.table().sql();
        return List.of(
                "drop trigger if exists " + name + " on " + table,
                "create trigger " + name + " " + when + " on " + table + " " + how + " execute function "
                        + functionName(id, kind, schema) + "()");
    }

    private String statement(String select) {
        return """
                #variable_conflict use_column
                declare
                  cqrs_correlation_ text :=
                    coalesce(to_json(nullif(current_setting('cqrs.correlation_id', true), ''))::text, 'null');
                  cqrs_headers_ text := nullif(current_setting('cqrs.headers', true), '');
                  cqrs_large_ text;
                begin
                  if cqrs_headers_ is not null then
                    if jsonb_typeof(cqrs_headers_::jsonb) <> 'object' or exists (
                        select from jsonb_each(cqrs_headers_::jsonb) as h(n, v)
                        where jsonb_typeof(h.v) <> 'string' or h.n like 'cqrs-%%' or h.n like 'x-%%' or h.n in ('CC', 'BCC')) then
                      raise exception 'cqrs.headers is no JSON object of texts, or names headers that are not yours';
                    end if;
                  end if;
                  with written as (
                    insert into %s (cqrs_id, instance_pk, routing_key, body, headers)
                    %s
                    returning instance_pk, octet_length(body) as size)
                  select instance_pk into cqrs_large_ from written where size > %d limit 1;
                  if found then
                    raise exception 'the message of %s %% has more than the %d bytes that are allowed', cqrs_large_;
                  end if;
                  return null;
                end""".formatted(
                schema.outbox().sql(), select, maxBytes, model.declared().cqrsId(), maxBytes);
    }

    private String inserted() {
        return "select " + columns("n")
                + messages.save("n", "SAVE", messages.previousOfNew("n"), envelope("cqrs_correlation_"))
                + ", cqrs_headers_ from "
                + rows("new_rows", "n") + " where " + passes("n");
    }

    /** An anti join costs a fifth of an outer one: old rows are joined only where their values are wanted. */
    private String updated() {
        MessageSql.Envelope envelope = envelope("cqrs_correlation_");
        boolean deletes = model.declared().whenExcluded() == WhenExcluded.DELETE
                && model.declared().filter() != null;
        String inserted = "select " + columns("n");
        if (model.declared().tracked().isEmpty() && !deletes) {
            return inserted + messages.save("n", "SAVE", "'null'", envelope) + ", cqrs_headers_ from "
                    + rows("new_rows", "n")
                    + " where " + passes("n") + " and not exists (select from old_rows o where "
                    + messages.sameKey("n", "o") + " and " + messages.updatedOf("n") + " = " + messages.updatedOf("o")
                    + ")";
        }
        String save = messages.save("n", "SAVE", messages.previousOfChanged("n", "o"), envelope);
        String body = deletes
                ? "case when " + passes("n") + " then " + save + " else " + messages.delete("n", false, envelope)
                        + " end"
                : save;
        String sent = deletes ? "(" + passes("n") + " or coalesce(" + passes("o") + ", false))" : passes("n");
        return inserted + body + ", cqrs_headers_ from " + rows("new_rows", "n") + " left join " + rows("old_rows", "o")
                + " on "
                + messages.sameKey("n", "o") + " where " + messages.updatedOf("n") + " is distinct from "
                + messages.updatedOf("o") + " and " + sent;
    }

    private String deleted(String from) {
        return "select " + columns("o") + messages.delete("o", true, envelope("cqrs_correlation_"))
                + ", cqrs_headers_ from " + rows(from, "o") + " where " + passes("o");
    }

    private String changed() {
        return "record_image_ne(" + image("old") + ", " + image("new") + ")";
    }

    /**
     * The row as a whole, so that columns that are not sent may come and go; where one is generated, those that are not: a
     * trigger that comes before can't look at generated ones.
     */
    private String image(String row) {
        if (model.written().equals(model.columns())) {
            return row + ".*";
        }
        return model.written().stream()
                .map(column -> row + "." + TableName.quote(column))
                .collect(Collectors.joining(", ", "row(", ")"));
    }

    /** Names what the functions name, too, so that PostgreSQL refuses to drop or retype it: it does not read their text. */
    private String rekeyed() {
        Set<String> named = new LinkedHashSet<>(
                List.of(model.declared().revision(), model.declared().updated()));
        model.fields().values().forEach(column -> named.add(column.name()));
        if (model.declared().filter() != null) {
            named.addAll(model.columns());
        }
        String columns =
                named.stream().map(name -> "new." + TableName.quote(name)).collect(Collectors.joining(", "));
        return hasNewKey() + " or (false and row(" + columns + ") is null)";
    }

    /** A generated column can't be looked at before a row is written. */
    private String hasKnownNewKey() {
        return model.key().stream().anyMatch(TableColumn::generated) ? "false" : hasNewKey();
    }

    private String hasNewKey() {
        return model.key().stream()
                .map(part -> part.of("old") + " is distinct from " + part.of("new"))
                .collect(Collectors.joining(" or "));
    }

    private String truncated() {
        if (model.declared().onTruncate() == MasterTable.OnTruncate.REFUSE) {
            return """
                    begin
                      raise exception '%% is the master of %s: a TRUNCATE is not allowed, use DELETE', tg_table_name;
                    end""".formatted(model.declared().cqrsId());
        }
        // An older snapshot would not see all rows that go.
        return statement(deleted(model.table().sql())).replaceFirst("begin\n", """
                        begin
                          if current_setting('transaction_isolation') <> 'read committed' then
                            raise exception 'a TRUNCATE of a master needs a READ COMMITTED transaction';
                          end if;
                        """);
    }

    private String columns(String row) {
        CqrsId id = model.declared().cqrsId();
        return Concat.literal(id.value()) + ", " + messages.keyText(row) + ", " + Concat.literal(RoutingKeys.toAll(id))
                + ", ";
    }

    /** The rows of a table with whether the filter lets them through: it names columns without a table. */
    private String rows(String from, String alias) {
        return model.declared().filter() == null
                ? "(select * from " + from + ") " + alias
                : "(select *, coalesce((" + model.declared().filter() + "), false) as cqrs_passes from " + from + ") "
                        + alias;
    }

    private String passes(String row) {
        return model.declared().filter() == null ? "true" : row + ".cqrs_passes";
    }

    private MessageSql.Envelope envelope(String correlation) {
        return new MessageSql.Envelope(correlation, MessageSql.expires(model.declared()));
    }

    private static String functionName(CqrsId cqrsId, String kind, CqrsSchema schema) {
        return TableName.quote(schema.name()) + "." + TableName.quote("capture_" + brief(cqrsId) + "_" + kind);
    }

    private static String triggerName(CqrsId cqrsId, String kind) {
        return (kind.startsWith("stamp") ? STAMP_PREFIX : "") + "cqrs_" + brief(cqrsId) + "_" + kind;
    }

    /** PostgreSQL cuts names off after 63 bytes. */
    private static String brief(CqrsId cqrsId) {
        String id = cqrsId.value();
        return id.length() <= LONGEST_ID
                ? id
                : id.substring(0, LONGEST_ID - 9) + "_"
                        + UUID.nameUUIDFromBytes(id.getBytes(StandardCharsets.UTF_8))
                                .toString()
                                .substring(0, 8);
    }
}
