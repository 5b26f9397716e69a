package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Repeating;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.TriggerCapture;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.MappedSuperclass;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tables change on both sides, in either order, while changes of them are on their way. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class UpgradeIT {

    private static final String MIGRATIONS = "classpath:io/cqrs/migrations";
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final String name = "upgrade_" + System.nanoTime();
    private final AtomicLong next = new AtomicLong();

    @TempDir
    Path directory;

    private TestDatabase master;
    private TestDatabase replica;
    private Path catalogue;
    private Path storefront;
    private RabbitTransport transport;

    /** What the writer runs: with the number of the row. */
    private volatile String insert = "insert into item (id, name, amount, note) values (%1$d, 'n%1$d', %1$d, 'x')";

    private volatile String update = "update item set name = name || '.', amount = amount + 1 where id = %d";

    @BeforeEach
    void create() throws IOException {
        master = TestEnvironment.database("upgrade_master");
        replica = TestEnvironment.database("upgrade_replica");
        master.execute("create table item (id int primary key, name text, amount int, note text)");
        replica.execute("create table item_ref (id int primary key, name text, amount int, note text,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        catalogue("fields: [id, name, amount, note]");
        storefront("");
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
    }

    @AfterEach
    void decommission() throws Exception {
        transport.decommission(ReplicaQueue.of(name, Set.of(CqrsId.of("item"))));
        transport.close();
    }

    @Test
    void followsColumnsThatAreAddedWidenedRenamedAndDroppedAmidTraffic() throws Exception {
        prepare();
        Path dump = directory.resolve("before.dump");
        try (TestProcess relay = cqrs("relay", catalogue);
                Repeating writer = Repeating.start(this::write)) {
            try (TestProcess worker = cqrs("consume", storefront)) {
                await().atMost(LIMIT).until(() -> replica.count("item_ref") > 20);
                run(0, "bulk-dump", "-c", "item", "-o", dump.toString(), "--config", catalogue.toString());

                // Added, at the replica first: its workers stay, and miss no value of it.
                replica.execute("alter table item_ref add color text");
                catalogue("fields: [id, name, amount, note, color]");
                alter("alter table item add color text default 'red'");
                run(0, "sync", "-c", "item", "-f", "{}", "-q", name, "--config", catalogue.toString());
                await().atMost(LIMIT).until(() -> replica.count("item_ref where color is null") == 0);

                // Widened, at the replica first.
                replica.execute("alter table item_ref alter id type bigint, alter amount type bigint");
                alter("alter table item alter id type bigint, alter amount type bigint");
                insert = "insert into item (id, name, amount) values (3000000000 + %1$d, 'n%1$d', 4000000000)";
                update = "update item set name = name || '.', amount = amount + 1 where id = 3000000000 + %d";
                await().atMost(LIMIT).until(() -> replica.count("item_ref where amount > 4000000000 - 1") > 20);

                // Renamed at the master: the name on the wire stays.
                catalogue("fields: { id: id, title: name, amount: amount, note: note, color: color }");
                alter("alter table item rename name to title");
                insert = "insert into item (id, title, amount) values (3000000000 + %1$d, 't%1$d', 1)";
                update = "update item set title = title || '!' where id = 3000000000 + %d";
                await().atMost(LIMIT).until(() -> replica.count("item_ref where name like 't%!'") > 20);

                // Dropped, at the replica first.
                replica.execute("alter table item_ref drop note");
                catalogue("fields: { id: id, title: name, amount: amount, color: color }");
                alter("alter table item drop note");
                assertThat(worker.isAlive()).as(worker.output()).isTrue();
                worker.terminate();
                assertThat(worker.awaitExit()).isEqualTo(143);
            }
            // Renamed at the replica: what holds the wire's name under another one has to be told so.
            replica.execute("alter table item_ref rename name to heading");
            storefront("mapping: { name: heading }");
            try (TestProcess worker = cqrs("consume", storefront)) {
                await().atMost(LIMIT).until(() -> transport.inspect(name).consumers() == 2);
                writer.close();
                awaitEqual("id, title, amount, color", "id, heading, amount, color");
                assertThat(worker.isAlive()).as(worker.output()).isTrue();
                assertThat(relay.isAlive()).as(relay.output()).isTrue();
            }
        }
        assertThat(transport.inspect(ReplicaQueue.deadLettersOf(name)).ready()).isZero();
        // What was dumped before any of this is older than all there is, and fits where nothing is.
        long rows = replica.count("item_ref");
        List<String> newest = replica.rows("select * from item_ref order by id");
        run(0, "bulk-load", "-i", dump.toString(), "--config", storefront.toString());
        assertThat(replica.rows("select * from item_ref order by id")).isEqualTo(newest);
        replica.execute("delete from item_ref; delete from cqrs.tombstone");
        run(0, "bulk-load", "-i", dump.toString(), "--config", storefront.toString());
        assertThat(replica.count("item_ref where heading like 'n%' and color is null"))
                .isBetween(20L, rows);
    }

    @Test
    void keepsWhatANewMasterSendsUntilTheReplicaTakesIt() throws Exception {
        prepare();
        master.execute("insert into item (id, note) values (-1, 'x')");
        try (TestProcess relay = cqrs("relay", catalogue);
                TestProcess worker = cqrs("consume", storefront);
                Repeating writer = Repeating.start(this::write)) {
            await().atMost(LIMIT).until(() -> replica.count("item_ref") > 20);

            // Added and dropped: neither is the old replica's concern.
            catalogue("fields: [id, name, amount, color]");
            alter("alter table item add color text default 'red', drop note");
            insert = "insert into item (id, name, amount) values (%1$d, 'new%1$d', %1$d)";
            await().atMost(LIMIT).until(() -> replica.count("item_ref where name like 'new%'") > 20);

            // Widened: what does not fit waits among the dead letters.
            alter("alter table item alter amount type bigint");
            insert = "insert into item (id, name, amount) values (%1$d, 'wide', 4000000000)";
            await().atMost(LIMIT)
                    .until(() ->
                            transport.inspect(ReplicaQueue.deadLettersOf(name)).ready() > 5);
            replica.execute("alter table item_ref alter amount type bigint");
            await().atMost(LIMIT).until(() -> replica.count("item_ref where name like 'wide%'") > 20);
            writer.close();
            awaitQuiet();
            run(0, "dead-letters", "retry", "-c", "item", "--config", storefront.toString());
            awaitEqual("id, name, amount", "id, name, amount");
            assertThat(replica.rows("select note from item_ref where id = -1")).containsExactly("x");
            assertThat(worker.isAlive()).as(worker.output()).isTrue();
            assertThat(relay.isAlive()).as(relay.output()).isTrue();
        }
    }

    @Test
    void migratesItsOwnTablesAmidTraffic() throws Exception {
        migrate(flyway(master, MIGRATIONS).target("2"));
        migrate(flyway(replica, MIGRATIONS).target("1"));
        assertThat(TriggerCapture.of(master.dataSource()).addColumns(TableName.parse("item")))
                .isTrue();
        run(0, "capture", "install", "--config", catalogue.toString());
        try (TestProcess relay = cqrs("relay", catalogue);
                TestProcess worker = cqrs("consume", storefront);
                Repeating writer = Repeating.start(this::write)) {
            // Nothing is lost while the relay waits for its schema.
            await().atMost(LIMIT).until(() -> master.count("cqrs.outbox") > 20);
            assertThat(replica.count("item_ref")).isZero();
            run(0, "migrate", "--config", catalogue.toString());
            await().atMost(LIMIT).until(() -> replica.count("item_ref") > 20);
            run(0, "migrate", "--config", storefront.toString());
            long before = replica.count("item_ref");
            await().atMost(LIMIT).until(() -> replica.count("item_ref") > before + 20);

            // As a version yet to come would: what runs goes on, and may be started anew.
            Path later = Files.createDirectory(directory.resolve("later"));
            Path unused = Files.writeString(later.resolve("V1000__later.sql"), """
                    alter table cqrs.outbox add later text;
                    create index on cqrs.outbox (later);
                    alter table cqrs.tombstone add later int default 7;
                    """);
            for (TestDatabase side : List.of(master, replica)) {
                migrate(flyway(side, MIGRATIONS, "filesystem:" + later));
            }
            long between = replica.count("item_ref");
            await().atMost(LIMIT).until(() -> replica.count("item_ref") > between + 20);
            assertThat(run(0, "migrate", "--config", catalogue.toString()).err())
                    .contains("up to date");
            writer.close();
            awaitEqual("id, name, amount, note", "id, name, amount, note");
            assertThat(worker.isAlive()).as(worker.output()).isTrue();
            assertThat(relay.isAlive()).as(relay.output()).isTrue();
        }
    }

    /** Of two releases of a service, each of whose entities writes and sends what it knows. */
    @Test
    void letsTwoVersionsOfAnEntityWriteSideBySide() throws Exception {
        prepare();
        run(0, "capture", "uninstall", "--config", catalogue.toString());
        replica.execute("alter table item_ref alter amount type bigint");
        master.execute("alter table item alter amount type bigint");
        Path oneWorker = Files.writeString(
                directory.resolve("one-worker.yaml"),
                Files.readString(storefront).replace("workers: 2", "workers: 1"));
        try (MasterUnit before = MasterUnit.on(master, Before.class);
                CqrsMaster relaying = CqrsMaster.builder(before.sessions())
                        .transport(transport)
                        .build();
                TestProcess worker = cqrs("consume", oneWorker);
                Repeating old = Repeating.start(() -> write(before, new Before(), row -> row.name += "."))) {
            relaying.start();
            await().atMost(LIMIT).until(() -> replica.count("item_ref") > 20);
            replica.execute("alter table item_ref add color text");
            master.execute("alter table item add color text");
            try (MasterUnit after = MasterUnit.on(master, After.class);
                    Repeating recent = Repeating.start(() -> write(after, new After(), row -> row.color = "red"))) {
                await().atMost(LIMIT)
                        .until(() -> replica.count("item_ref where color = 'red' and name like '%.'") > 50);
                old.close();
                recent.close();
            }
            awaitEqual("id, name, amount, note, color", "id, name, amount, note, color");
            assertThat(worker.isAlive()).as(worker.output()).isTrue();
        }
        assertThat(transport.inspect(ReplicaQueue.deadLettersOf(name)).ready()).isZero();
    }

    /** A new row, and changes of two that were new some time before, each of which another may change, too. */
    private <T extends Named> void write(MasterUnit unit, T row, Consumer<T> change) {
        int id = (int) next.incrementAndGet();
        row.id = id;
        @SuppressWarnings("unchecked")
        Class<T> version = (Class<T>) row.getClass();
        try {
            unit.commit(session -> {
                session.persist(row);
                Stream.of(id - 5, id - 8)
                        .map(earlier -> session.find(version, earlier))
                        .filter(Objects::nonNull)
                        .forEach(change);
            });
        } catch (OptimisticLockException e) {
            // The other release was faster.
        }
    }

    @MappedSuperclass
    abstract static class Named extends MasterEntity {
        @Id
        Integer id;

        String name = "n";
    }

    @Entity(name = "Before")
    @Table(name = "item")
    @Master("item")
    static class Before extends Named {
        Integer amount = 1;
        String note = "x";
    }

    @Entity(name = "After")
    @Table(name = "item")
    @Master("item")
    static class After extends Named {
        Long amount = 2L;
        String color;
    }

    @Test
    void neverGivesANumberOfTheOutboxTwiceAndKeepsRights() {
        migrate(flyway(master, MIGRATIONS).target("4"));
        String writer = "writer_" + System.nanoTime();
        master.execute("""
                create role %1$s;
                grant usage on schema cqrs to %1$s;
                grant insert on cqrs.outbox to %1$s;
                grant select on cqrs.capture to %1$s""".formatted(writer));
        String insert =
                "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('a', '1', 'a', '{}')";
        try {
            master.execute(insert + "; " + insert + "; delete from cqrs.outbox");
            assertThat(CqrsSchema.standard().migrate(master.dataSource())).isPositive();
            master.execute("set role " + writer + "; " + insert + "; reset role");
            assertThat(master.rows("select id > 2, xid is not null from cqrs.outbox"))
                    .containsExactly("t|t");
        } finally {
            master.execute("drop owned by " + writer + "; drop role " + writer);
        }
    }

    private static void migrate(FluentConfiguration flyway) {
        assertThat(flyway.load().migrate().success).isTrue();
    }

    private static FluentConfiguration flyway(TestDatabase side, String... locations) {
        return Flyway.configure()
                .dataSource(side.dataSource())
                .schemas("cqrs")
                .table("flyway_schema_history_cqrs")
                .baselineOnMigrate(true)
                .baselineVersion(MigrationVersion.fromVersion("0"))
                .locations(locations);
    }

    private void prepare() {
        run(0, "migrate", "--config", catalogue.toString());
        run(0, "migrate", "--entity", "item", "--config", catalogue.toString());
        run(0, "migrate", "--config", storefront.toString());
        run(0, "capture", "install", "--config", catalogue.toString());
    }

    /** A row, its update, the end of another. A statement of yesterday may meet a table of today: then nothing is written. */
    private void write() {
        long id = next.incrementAndGet();
        for (String statement :
                List.of(insert.formatted(id), update.formatted(id - 5), "delete from item where id = " + id / 2)) {
            try (Connection connection = master.dataSource().getConnection();
                    Statement one = connection.createStatement()) {
                int unused = one.executeUpdate(statement);
            } catch (SQLException e) {
                if (!"42703".equals(e.getSQLState())) {
                    throw new IllegalStateException(statement, e);
                }
            }
        }
    }

    private void alter(String statements) throws IOException {
        Path file = Files.writeString(directory.resolve("alter.sql"), statements + ";\n");
        run(0, "capture", "alter", "-c", "item", "--file", file.toString(), "--config", catalogue.toString());
        run(0, "capture", "status", "--check", "--config", catalogue.toString());
    }

    private void awaitEqual(String columns, String replicaColumns) {
        String stamp = ", cqrs_revision, cqrs_updated from ";
        await().atMost(LIMIT)
                .untilAsserted(
                        () -> assertThat(replica.rows("select " + replicaColumns + stamp + "item_ref order by id"))
                                .isEqualTo(master.rows("select " + columns + stamp + "item order by id")));
    }

    private void awaitQuiet() {
        await().atMost(LIMIT)
                .until(() -> master.count("cqrs.outbox") == 0
                        && transport.inspect(name).ready() == 0);
    }

    private TestProcess cqrs(String command, Path config) {
        return TestProcess.cqrs(command, "--config", config.toString()).start();
    }

    private static CommandRun run(int code, String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertThat(run.code())
                .as(String.join(" ", arguments) + ": " + run.err())
                .isEqualTo(code);
        return run;
    }

    private void catalogue(String declaration) throws IOException {
        catalogue = Files.writeString(directory.resolve("catalogue.yaml"), """
                database: { url: "%s" }
                transport: { url: "%s", exchange: %s }
                masters:
                  item:
                    table: item
                    %s
                """.formatted(
                        master.url(), TestEnvironment.broker().url(), name, declaration));
    }

    private void storefront(String declaration) throws IOException {
        storefront = Files.writeString(directory.resolve("storefront.yaml"), """
                database: { url: "%s" }
                transport: { url: "%s", exchange: %s }
                queue: %s
                max_retries: 0
                workers: 2
                replicas:
                  item:
                    table: item_ref
                    %s
                """.formatted(
                        replica.url(), TestEnvironment.broker().url(), name, name, declaration));
    }
}
