package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Status and doctor tell how things are, and what to do. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class DoctorIT {

    private final String name = "doctor_" + System.nanoTime();

    @TempDir
    Path directory;

    @Test
    void findsWhatIsWrongAndSaysHowToMendIt() throws Exception {
        TestDatabase database = TestEnvironment.database("doctor");
        CommandRun bare = run(database.url(), "doctor");
        assertThat(bare.code()).isOne();
        assertThat(bare.out())
                .contains("ok   database: PostgreSQL")
                .contains("fail table cqrs.outbox does not exist")
                .contains("-> run `cqrs migrate`")
                .contains("fail queue " + name + " does not exist")
                .contains("-> run `cqrs consume --bind-only`");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table ref (id bigint primary key)");
        CommandRun misfit = run(database.url(), "doctor");
        assertThat(misfit.out())
                .contains("fail master item: table item does not exist")
                .contains("fail replica item: table \"ref\" has no column cqrs_revision");
        database.execute(
                "create table item (id bigint primary key, cqrs_revision bigint not null default 0, cqrs_updated"
                        + " timestamptz not null default now()); alter table ref add cqrs_revision bigint, add cqrs_updated"
                        + " timestamptz");
        ReplicaQueue classic = new ReplicaQueue(
                name,
                ReplicaQueue.deadLettersOf(name),
                Set.of(CqrsId.of("item")),
                ReplicaQueue.Type.CLASSIC,
                1,
                ReplicaQueue.DEFAULT_DELIVERY_LIMIT);
        try (RabbitTransport transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build())) {
            transport.declare(classic);
            CommandRun well = run(database.url(), "doctor");
            assertThat(well.code()).as(well.out()).isZero();
            assertThat(well.out())
                    .contains("warn master item, triggers: not installed")
                    .contains("ok   replica item: its table fits")
                    .contains("0 waiting, 0 worker(s)")
                    .contains("has another type or other arguments than it would get here (QUORUM)");
            transport.decommission(classic);
            assertThat(run(database.url(), "consume", "--bind-only").code()).isZero();
            assertThat(run(database.url(), "doctor").out()).contains("ok   queues: declared as they would be here");
            transport.decommission(ReplicaQueue.of(name, Set.of(CqrsId.of("item"))));
        }
    }

    @Test
    void failsWhereATriggerIsGone() throws Exception {
        TestDatabase database = TestEnvironment.database("doctor_triggers");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table item (id bigint primary key, extra int, cqrs_revision bigint not null default 0,"
                + " cqrs_updated timestamptz not null default now())");
        assertThat(run(database.url(), "capture", "install").code()).isZero();
        assertThat(run(database.url(), "doctor").out()).contains("ok   master item, triggers: installed");
        database.execute("alter table item drop extra cascade");
        CommandRun broken = run(database.url(), "doctor");
        assertThat(broken.code()).isOne();
        assertThat(broken.out()).contains("fail master item, triggers: triggers missing or disabled");
    }

    @Test
    void refusesAFileThatAltersNothing() throws Exception {
        TestDatabase database = TestEnvironment.database("doctor_alter");
        Path file = directory.resolve("alter.sql");
        CommandRun absent = run(database.url(), "capture", "alter", "-c", "item", "--file", file.toString());
        assertThat(absent.code()).isEqualTo(3);
        assertThat(absent.err()).contains("alter.sql does not exist");
        CommandRun empty = run(
                database.url(),
                "capture",
                "alter",
                "-c",
                "item",
                "--file",
                Files.writeString(file, "\n").toString());
        assertThat(empty.code()).isEqualTo(3);
        assertThat(empty.err()).contains("alter.sql holds no statement");
    }

    @Test
    void tellsServersThatCantBeReached() throws Exception {
        CommandRun doctor = run("jdbc:postgresql://127.0.0.1:1/none", "doctor", "--json");
        assertThat(doctor.code()).isOne();
        assertThat(doctor.out()).contains("\"level\":\"fail\"").contains("correct database.url");
        assertThat(run("jdbc:postgresql://127.0.0.1:1/none", "status").code()).isEqualTo(4);
        String missing = TestEnvironment.database("doctor_none").url().replace("doctor_none", "doctor_missing");
        assertThat(run(missing, "status").code()).isEqualTo(4);
    }

    @Test
    void tellsWhatTheUserMayDo() throws Exception {
        TestDatabase database = TestEnvironment.database("doctor_rights");
        CqrsSchema.standard().migrate(database.dataSource());
        String role = "doctor_" + System.nanoTime();
        database.execute("create role " + role + " login password 'x'; grant usage on schema cqrs to " + role
                + "; grant select on cqrs.outbox to " + role);
        try {
            String url = database.url().replaceAll("\\?.*", "") + "?user=" + role + "&password=x";
            assertThat(run(url, "doctor").out())
                    .contains("ok   table cqrs.outbox: this user may select (")
                    .contains("ok   table cqrs.tombstone: this user may do nothing with it (")
                    .contains("relay: none is at work");
            CommandRun status = run(url, "status");
            assertThat(status.code()).as(status.err()).isZero();
            assertThat(status.out()).contains("outbox   0 waiting").contains("relay    none is at work");
            database.execute("revoke select on cqrs.outbox from " + role);
            CommandRun blind = run(url, "status");
            assertThat(blind.code()).as(blind.err()).isZero();
            assertThat(blind.out())
                    .contains("outbox   not for this user to read")
                    .doesNotContain("relay ");
            assertThat(run(url, "doctor").out()).doesNotContain("relay: none");
            database.execute("revoke usage on schema cqrs from " + role);
            assertThat(run(url, "doctor").out()).contains("fail").contains("-> grant usage on schema \"cqrs\" to this");
        } finally {
            database.execute("drop owned by " + role + "; drop role " + role);
        }
    }

    @Test
    void tellsWhatWaitsAndWhatComparisonsFound() throws Exception {
        TestDatabase database = TestEnvironment.database("status");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(
                "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body, created_at) values ('item', '1',"
                        + " 'item', '{}', now() - interval '90 s'); insert into cqrs.last_diff values ('item', 'q', now(), 1, 2, 3,"
                        + " 4, 5, 6, 7)");
        assertThat(run(database.url(), "status").out())
                .containsPattern("outbox   1 waiting, the oldest for \\d{2,3} s")
                .contains("\"missing\":1,\"stale\":2,\"ahead\":3,\"drifted\":4,\"surplus\":5,\"sent\":6,\"deleted\":7")
                .contains("late     item: 1 for more than a minute")
                .contains("queue    " + name + ": does not exist");
        assertThat(run(database.url(), "doctor").out()).contains("relay: none is at work");
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(TestEnvironment.broker().url())
                                .exchange(name)
                                .build());
                CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .build()) {
            relay.start();
            await().untilAsserted(() -> assertThat(run(database.url(), "doctor").out())
                    .contains("warn bindings: 1 change(s) for routing key item have waited")
                    .contains("-> look again: if they stay, run `cqrs consume --bind-only`"));
        }
        assertThat(run(database.url(), "status", "--json").out()).contains("\"outbox_waiting\":1,");
    }

    @Test
    void tellsWhatFailedAndWillBeTriedAgain() throws Exception {
        TestDatabase database = TestEnvironment.database("status_retries");
        database.execute("create table ref (id bigint primary key, name text check (name <> 'bad'),"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        CqrsSchema.standard().migrate(database.dataSource());
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item")));
        try (RabbitTransport transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build())) {
            try (CqrsReplica replica = CqrsReplica.builder(database.dataSource())
                    .replica(ReplicaDefinition.ofTable(
                            CqrsId.of("item"), TableName.parse("ref"), Map.of(), Order.UPDATED))
                    .transport(transport)
                    .queue(name)
                    .retries(new RetryPolicy(5, Backoff.constant(Duration.ofMinutes(15))))
                    .build()) {
                replica.start();
                await().until(() -> transport.inspect(name) != null);
                assertThat(run(database.url(), "status", "--json").out()).contains("\"queue_retrying\":0");
                Queues.put(transport, name, Item.save(1, 0, "bad"));
                await().untilAsserted(
                                () -> assertThat(run(database.url(), "status").out())
                                        .contains("retries  1 failed, and will be tried again"));
            } finally {
                transport.decommission(queue);
            }
        }
    }

    @Test
    void completesCommands() {
        CommandRun completion = CommandRun.of("completion");
        assertThat(completion.code()).isZero();
        assertThat(completion.out()).contains("complete ").contains("bulk-dump").contains("--checksum");
    }

    private CommandRun run(String database, String... arguments) throws IOException {
        Path config = Files.writeString(directory.resolve("cqrs.yaml"), """
                transport: { url: "%s", exchange: %s }
                database: { url: "%s" }
                queue: %s
                masters: { item: { table: item } }
                replicas: { item: { table: ref } }
                """.formatted(
                        TestEnvironment.broker().url(), name, database, name));
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--config", config.toString()));
        return CommandRun.of(all.toArray(String[]::new));
    }
}
