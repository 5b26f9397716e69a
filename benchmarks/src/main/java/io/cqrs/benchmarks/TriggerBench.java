package io.cqrs.benchmarks;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.tools.servers.Servers;
import java.sql.SQLException;
import java.util.List;

/** What trigger capture costs: one UPDATE of all rows, beside a bare pair of triggers that does the least. */
final class TriggerBench implements Bench {

    private static final String TABLE = """
            create table stock (id bigint primary key, name text, description text, price numeric(9,2), amount int,
                active boolean, made date, seen timestamptz, cqrs_revision bigint not null default 0,
                cqrs_updated timestamptz not null default now())""";

    private static final String ROWS = """
            insert into stock select i, 'name of ' || i,
                'a description of some length, as products have one, number ' || i, i * 0.01, i %% 100, i %% 2 = 0,
                '2024-02-29', now(), 0, now()
            from generate_series(1, %d) i""";

    /** The same messages, by PostgreSQL's own functions: nothing is compared, no time is kept in order. */
    private static final String BARE = """
            create function bare_stamp() returns trigger language plpgsql as $$
            begin
              new.cqrs_revision := old.cqrs_revision + 1;
              new.cqrs_updated := clock_timestamp();
              return new;
            end $$;
            create function bare_capture() returns trigger language plpgsql as $$
            begin
              insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body)
              select 'stock', n.id::text, 'stock', json_build_object('signal_type', 'SAVE', 'cqrs_id', 'stock',
                'instance_data', row_to_json(n), 'previous_data', null, 'instance_pk', n.id, 'correlation_id', null,
                'retries', 0, 'expires', null, 'meta', null)::text from new_rows n;
              return null;
            end $$;
            create trigger bare_stamp before update on stock for each row execute function bare_stamp();
            create trigger bare_capture after update on stock referencing new table as new_rows
              for each statement execute function bare_capture()""";

    private final String databaseUrl;
    private final int rows;

    private TriggerBench(String databaseUrl, int rows) {
        this.databaseUrl = databaseUrl;
        this.rows = rows;
    }

    static TriggerBench build(Servers servers, int rows) {
        return new TriggerBench(Databases.create(servers, "bench_triggers"), rows);
    }

    @Override
    public List<Measure> measures() {
        TriggerCapture capture = TriggerCapture.of(UrlDataSource.of(databaseUrl, null, null));
        MasterTable stock = MasterTable.of(CqrsId.of("stock"), TableName.parse("stock"));
        return List.of(new Measure(
                "trigger-update",
                "rows/s",
                List.of(
                        "rows " + rows,
                        "one UPDATE",
                        Databases.durability(databaseUrl),
                        "floor a bare row trigger and a bare statement trigger"),
                () -> update(() -> capture.install(stock)),
                () -> update(() -> execute(BARE))));
    }

    @Override
    public void close() {
        // The database goes with its server.
    }

    private double update(Install triggers) throws SQLException {
        execute("drop table if exists stock; drop function if exists bare_stamp, bare_capture;"
                + " delete from cqrs.capture; truncate cqrs.outbox");
        execute(TABLE);
        execute(ROWS.formatted(rows));
        execute("vacuum analyze stock");
        execute("checkpoint");
        triggers.install();
        long start = System.nanoTime();
        execute("update stock set amount = amount + 1");
        return Round.perSecond(rows, start);
    }

    private void execute(String sql) throws SQLException {
        Databases.execute(databaseUrl, sql);
    }

    /** Makes triggers. */
    private interface Install {
        void install() throws SQLException;
    }
}
