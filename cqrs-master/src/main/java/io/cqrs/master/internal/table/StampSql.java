package io.cqrs.master.internal.table;

import io.cqrs.core.jdbc.TableName;

/**
 * The bodies of the row triggers that give revision and time. A revision that is given is kept, but for a negative one, which
 * no replica would take.
 *
 * <p>A time that a row has had says nothing of the row that is written now: one that was deleted comes back with its own from
 * an archive, and would be older than its delete. So it counts only where {@code cqrs.keep_stamps} says that rows keep theirs: all
 * ({@code on}), or those of tables by their oids, as replicas do, whose rows are ordered by another master.
 *
 * <p>Before a key comes to be, by an insert or a change of key, a transaction that is deleting it is waited for, so that the
 * time comes after that; the lock is the one that an upsert takes, a weaker one would deadlock with the delete.
 */
final class StampSql {

    /** Functions that look keys up do so by the index, whatever the plan would be while the table is small. */
    static final String SETTINGS =
            "security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off";

    private static final String KEEPS =
            "string_to_array(coalesce(current_setting('cqrs.keep_stamps', true), ''), ',') && array['on', tg_relid::text]";

    private final String table;
    private final String sameKey;
    private final String revision;
    private final String updated;

    StampSql(TableModel model) {
        this.table = model.table().sql();
        this.sameKey = new MessageSql(model).sameKey("t", "new");
        this.revision = TableName.quote(model.declared().revision());
        this.updated = TableName.quote(model.declared().updated());
    }

    String insert() {
        return """
                begin
                  new.%1$s := greatest(new.%1$s, 0);
                %2$s
                  if new.%3$s is null or (new.%3$s < clock_timestamp() and not (%4$s)) then
                    new.%3$s := clock_timestamp();
                  end if;
                  return new;
                end""".formatted(revision, waitForDelete(), updated, KEEPS);
    }

    /** Comes before {@link #update}, by the triggers' names. */
    String rekey() {
        return """
                begin
                %1$s
                  if new.%2$s < clock_timestamp() and not (%3$s) then
                    new.%2$s := null;
                  end if;
                  return new;
                end""".formatted(waitForDelete(), updated, KEEPS);
    }

    String update() {
        return """
                begin
                  if new.%1$s is null or new.%1$s = old.%1$s or new.%1$s < 0 then
                    new.%1$s := old.%1$s + 1;
                  end if;
                  if new.%2$s is null or not new.%2$s > old.%2$s then
                    new.%2$s := greatest(clock_timestamp(), old.%2$s + interval '1 microsecond');
                  end if;
                  return new;
                end""".formatted(revision, updated);
    }

    private String waitForDelete() {
        return """
                  perform from %1$s t where %2$s;
                  if found then
                    perform from %1$s t where %2$s for no key update;
                  end if;""".formatted(table, sameKey);
    }
}
