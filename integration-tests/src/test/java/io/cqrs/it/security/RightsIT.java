package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Writer, relay and worker in one database, each with the rights that docs/operations.md gives it and no others. */
@ExtendWith(TestEnvironment.class)
@Timeout(240)
class RightsIT {

    private static final List<String> ROLES =
            List.of("writer", "relay", "worker", "dumper", "syncer", "comparer", "viewer");

    @TempDir
    Path directory;

    private final String suffix = "_" + System.nanoTime();
    private TestDatabase database;

    @BeforeEach
    void grant() {
        database = TestEnvironment.database("rights");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA);
        MasterUnit.on(database, Item.class).close();
        for (String role : ROLES) {
            database.execute("create role " + role + suffix + " login password 'x'");
        }
        for (String role : List.of("writer", "relay", "worker", "syncer", "viewer")) {
            database.execute("grant usage on schema cqrs to " + role + suffix);
        }
        grant("select, insert, update, delete", "item", "writer");
        grant("insert", "cqrs.outbox", "writer");
        grant("select", "cqrs.capture", "writer");
        grant("select, delete", "cqrs.outbox", "relay");
        for (String table : List.of("item_ref", "cqrs.tombstone", "cqrs.tombstone_horizon")) {
            grant("select, insert, update, delete", table, "worker");
        }
    }

    @AfterEach
    void drop() {
        for (String role : ROLES) {
            database.execute("drop owned by " + role + suffix + "; drop role " + role + suffix);
        }
    }

    @Test
    void letsEachDoItsWorkAndNothingElse() throws Exception {
        InMemoryTransport transport = new InMemoryTransport();
        transport.declare(ReplicaQueue.of("rights", Set.of(CqrsId.of("item"))));
        try (MasterUnit unit = MasterUnit.on(as("writer"), Item.class);
                CqrsRelay relay = CqrsRelay.builder(as("relay").dataSource())
                        .transport(transport)
                        .build();
                CqrsReplica replica = CqrsReplica.builder(as("worker").dataSource())
                        .replica(Item.definition())
                        .transport(transport)
                        .queue("rights")
                        .build()) {
            relay.start();
            replica.start();
            unit.commit(session -> session.persist(new Item(1, "a").with(1, "1.00")));
            unit.commit(session -> session.persist(new Item(2, "b").with(1, "1.00")));
            unit.commit(session -> session.find(Item.class, 1L).name = "c");
            unit.commit(session -> session.remove(session.find(Item.class, 2L)));
            await().until(() -> database.count("cqrs.outbox") == 0
                    && Item.replicaRows(database).equals(Item.masterRows(database))
                    && database.count("cqrs.tombstone") == 1);
        }
        refused("worker", "select * from cqrs.outbox");
        refused("worker", "select * from item");
        refused(
                "relay",
                "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('a', 'b', 'c', 'd')");
        refused("relay", "update item set name = 'x'");
        refused("relay", "select * from item");
        refused("relay", "delete from item_ref");
        refused("writer", "select * from cqrs.outbox");
        refused("writer", "delete from cqrs.outbox");
        refused("writer", "select * from item_ref");
    }

    @Test
    void letsATablesOwnerCaptureIt() {
        database.execute("create table part (id bigint primary key, name text, cqrs_revision bigint not null default 0,"
                + " cqrs_updated timestamptz not null default now()); alter table part owner to writer" + suffix
                + "; grant create on schema cqrs to writer" + suffix);
        grant("select, insert", "cqrs.outbox", "writer");
        grant("select, insert, update, delete", "cqrs.capture", "writer");
        MasterTable part = MasterTable.of(CqrsId.of("part"), TableName.parse("part"));
        TriggerCapture capture = TriggerCapture.of(as("writer").dataSource());
        capture.install(part);
        capture.alter(List.of(part), "alter table part rename name to title");
        as("writer").execute("insert into part (id, title) values (1, 'a')");
        assertThat(database.count("cqrs.outbox")).isOne();
        assertThat(capture.uninstall(part.cqrsId())).isTrue();
    }

    @Test
    void letsNobodyElsePutTheTriggersOnATableOfHisOwn() {
        database.execute("create table part (id bigint primary key, cqrs_revision bigint not null default 0,"
                + " cqrs_updated timestamptz not null default now()); grant insert on part to writer" + suffix
                + "; grant temporary on database "
                + database.rows("select current_database()").get(0) + " to writer"
                + suffix);
        TriggerCapture.of(database.dataSource()).install(MasterTable.of(CqrsId.of("part"), TableName.parse("part")));
        as("writer").execute("insert into part (id) values (1)");
        assertThat(database.count("cqrs.outbox")).isOne();
        List<String> functions = database.rows(
                "select oid::regprocedure from pg_proc where pronamespace =" + " 'cqrs'::regnamespace and prosecdef");
        assertThat(functions)
                .hasSizeGreaterThan(4)
                .allSatisfy(function -> assertThatThrownBy(() -> as("writer")
                                .execute("create temp table forged (id bigint); create trigger t after insert on forged"
                                        + " for each statement execute function " + function))
                        .hasMessageContaining("permission denied for function"));
    }

    @Test
    void letsEachCommandDoItsWork() throws Exception {
        database.execute("insert into item (id, name, amount, unitPrice, cqrs_revision, cqrs_updated)"
                + " select i, 'n' || i, i, i / 4.0, 0, now() from generate_series(1, 20) i");
        grant("select", "item", "dumper");
        grant("select, update", "item", "syncer");
        grant("select, insert", "cqrs.outbox", "syncer");
        grant("select, insert, update", "cqrs.last_diff", "syncer");
        grant("select", "item_ref", "comparer");
        for (String table : List.of("outbox", "capture", "last_diff")) {
            grant("select", "cqrs." + table, "viewer");
        }
        String name = "rights" + suffix;
        for (String role : ROLES) {
            Files.writeString(directory.resolve(role + ".yaml"), """
                    database: { url: "%s", user: %s, password: x }
                    transport: { url: "%s", exchange: %s }
                    queue: %s
                    masters: { item: { table: item, fields: { id: id, name: name, amount: amount, unitprice: unit_price } } }
                    replicas: { item: { table: item_ref } }
                    """.formatted(
                            bareUrl(), role + suffix, TestEnvironment.broker().url(), name, name));
        }
        try (RabbitTransport transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build())) {
            ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item")));
            transport.declare(queue);
            run(as("bulk-dump -c item -o item.dump", "dumper"));
            run(as("bulk-load -i item.dump", "worker"));
            assertThat(Item.replicaRows(database)).isEqualTo(Item.masterRows(database));
            database.execute("delete from item_ref where id = 3; delete from item where id = 4");
            for (String how : List.of("", " --checksum")) {
                run(as("diff-master -c item" + how, "dumper") + " | " + as("diff-replica --wait PT0S", "comparer")
                        + " | " + as("diff-sync", "syncer"));
            }
            run(as("deleted-diff-replica -c item", "comparer") + " | " + as("deleted-diff-master", "dumper") + " | "
                    + as("deleted-sync-replica", "worker"));
            run(as("sync -c item -f {}", "syncer"));
            assertThat(database.rows(
                            "select body::json->>'signal_type', count(*) from cqrs.outbox group by 1 order by 1"))
                    .containsExactly("DELETE|1", "SYNC|21");
            run(as("status", "viewer"));
            transport.decommission(queue);
        }
        refused(
                "dumper",
                "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('a', 'b', 'c', 'd')");
        refused("syncer", "delete from item");
        refused("comparer", "delete from item_ref");
        refused("viewer", "select * from item");
    }

    private String as(String command, String role) {
        return TestProcess.launcher() + " " + command + " --config " + role + ".yaml";
    }

    private void run(String command) throws Exception {
        TestProcess.runPipe(directory, command);
    }

    private void refused(String role, String sql) {
        long rows = database.count("item");
        assertThatThrownBy(() -> as(role).execute(sql)).as(role + ": " + sql).hasMessageContaining("permission denied");
        assertThat(database.count("item")).isEqualTo(rows);
    }

    private void grant(String rights, String table, String role) {
        database.execute("grant " + rights + " on " + table + " to " + role + suffix);
    }

    private TestDatabase as(String role) {
        String url = bareUrl();
        return new TestDatabase(url, UrlDataSource.of(url, role + suffix, "x"));
    }

    private String bareUrl() {
        return database.url().replaceAll("\\?.*", "");
    }
}
