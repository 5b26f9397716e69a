package io.cqrs.it.chaos;

import io.cqrs.it.support.TestDatabase;
import java.util.List;

/** Has a replica's database note what may never happen to a row, though a later change may mend it. */
final class Regressions {

    private static final String NOTE = """
            create function note_%1$s_%2$s() returns trigger language plpgsql as $$
            begin
                if %3$s then
                    insert into regression values ('%1$s ' || %4$s || to_jsonb(new)::text);
                end if;
                return null;
            end $$;
            create trigger note_%2$s after %2$s on %1$s for each row execute function note_%1$s_%2$s()""";

    private Regressions() {}

    /** Notes rows of these tables that go back to an earlier state, or get the one that they have once more. */
    static void watch(TestDatabase replica, String... tables) {
        replica.execute("create table regression (what text not null)");
        for (String table : tables) {
            replica.execute(NOTE.formatted(
                    table,
                    "update",
                    "(new.cqrs_updated, new.cqrs_revision) <= (old.cqrs_updated, old.cqrs_revision)",
                    "to_jsonb(old)::text || ' to '"));
        }
    }

    /** Notes rows that come though they are known to be deleted; where statements are swept, they may for a moment. */
    static void watchDeleted(TestDatabase replica, String table, String model) {
        replica.execute(NOTE.formatted(
                table,
                "insert",
                "exists (select from cqrs.tombstone t where t.cqrs_id = '" + model
                        + "' and t.pk = new.id::text and t.updated >= new.cqrs_updated)",
                "'deleted, and again '"));
    }

    /** Forgets what a sync repeated. */
    static void forget(TestDatabase replica) {
        replica.execute("delete from regression");
    }

    /** Returns what was noted. */
    static List<String> of(TestDatabase replica) {
        return replica.rows("select what from regression");
    }
}
