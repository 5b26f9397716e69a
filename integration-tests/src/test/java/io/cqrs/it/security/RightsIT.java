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
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Writer, relay and worker in one database, each with the rights that docs/operations.md gives it and no others. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class RightsIT {

    private static final List<String> ROLES = List.of("writer", "relay", "worker");

    private final String suffix = "_" + System.nanoTime();
    private TestDatabase database;

    @BeforeEach
    void grant() {
        database = TestEnvironment.database("rights");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA);
        MasterUnit.on(database, Item.class).close();
        for (String role : ROLES) {
            database.execute("create role " + role + suffix + " login password 'x'; grant usage on schema cqrs to "
                    + role + suffix);
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

    private void refused(String role, String sql) {
        assertThatThrownBy(() -> as(role).execute(sql)).as(role + ": " + sql).hasMessageContaining("permission denied");
        assertThat(database.count("item")).isOne();
    }

    private void grant(String rights, String table, String role) {
        database.execute("grant " + rights + " on " + table + " to " + role + suffix);
    }

    private TestDatabase as(String role) {
        String url = database.url().replaceAll("\\?.*", "");
        return new TestDatabase(url, UrlDataSource.of(url, role + suffix, "x"));
    }
}
