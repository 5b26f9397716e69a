package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterRows;
import io.cqrs.replica.hibernate.UnitDatabase;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Life within an application: started, stopped, started again, several in one. */
@ExtendWith(TestEnvironment.class)
class EmbeddingIT {

    @Test
    void keepsSeveralFactoriesAndSchemasOfOneDatabaseApart() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding");
        try (MasterUnit first = unit(database, "first");
                MasterUnit second = unit(database, "second Schema");
                InMemoryTransport one = new InMemoryTransport();
                InMemoryTransport two = new InMemoryTransport();
                CqrsMaster firstMaster = master(first, one);
                CqrsMaster secondMaster = master(second, two)) {
            one.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            two.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            firstMaster.start();
            secondMaster.start();
            first.commit(session -> session.persist(new Item(1, "of the first")));
            second.commit(session -> session.persist(new Item(2, "of the second")));
            assertThat(new String(Queues.take(one, "q", 1).get(0).body(), StandardCharsets.UTF_8))
                    .contains("of the first");
            assertThat(new String(Queues.take(two, "q", 1).get(0).body(), StandardCharsets.UTF_8))
                    .contains("of the second");
            await().until(() ->
                    firstMaster.status().active() && secondMaster.status().active());
        }
    }

    @Test
    void connectsAsTheUserOfThePersistenceUnit() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding_user");
        String user = "embedding_user_" + System.nanoTime();
        database.execute("create role " + user + " login superuser password 'its own'");
        try {
            connectsAs(user, database);
        } finally {
            database.execute("drop owned by " + user + " cascade; drop role " + user);
        }
    }

    private static void connectsAs(String user, TestDatabase database) throws Exception {
        Configuration configuration = MasterUnit.configuration(database, Item.class)
                .setProperty("jakarta.persistence.jdbc.url", database.url().replaceAll("\\?.*", ""))
                .setProperty("jakarta.persistence.jdbc.user", user)
                .setProperty("jakarta.persistence.jdbc.password", "its own");
        configuration.getProperties().remove("hibernate.connection.datasource");
        try (MasterUnit unit = MasterUnit.of(configuration);
                InMemoryTransport transport = new InMemoryTransport();
                CqrsMaster master = CqrsMaster.builder(unit.sessions())
                        .transport(transport)
                        .migrateSchema()
                        .build()) {
            transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            master.start();
            unit.commit(session -> session.persist(new Item(1, "a")));
            assertThat(Queues.take(transport, "q", 1)).hasSize(1);
            try (MasterRows rows = MasterRows.of(unit.sessions(), Item.class)) {
                assertThat(rows.count()).isOne();
            }
            try (Connection replica =
                    Objects.requireNonNull(UnitDatabase.of(unit.sessions())).getConnection()) {
                assertThat(replica.getMetaData().getUserName()).isEqualTo(user);
            }
            assertThat(database.rows("select distinct usename from pg_stat_activity"
                            + " where datname = current_database() and pid <> pg_backend_pid()"
                            + " and application_name = 'cqrs'"))
                    .containsExactly(user);
        }
    }

    @Test
    void startsAndStopsAgainAndLeavesNoThreadBehind() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding_again");
        try (MasterUnit unit = unit(database, CqrsSchema.DEFAULT_NAME);
                InMemoryTransport transport = new InMemoryTransport()) {
            transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            for (long round = 1; round <= 3; round++) {
                long id = round;
                try (CqrsMaster master = master(unit, transport)) {
                    master.start();
                    unit.commit(session -> session.persist(new Item(id, "round " + id)));
                    assertThat(Queues.take(transport, "q", 1)).hasSize(1);
                }
                assertThat(threads("cqrs-relay")).isZero();
                // Without a relay, commits go on, and what they send waits.
                unit.commit(session -> session.find(Item.class, id).name = "changed");
                assertThat(database.count("cqrs.outbox")).isEqualTo(1);
                try (CqrsMaster master = master(unit, transport)) {
                    master.start();
                    assertThat(Queues.take(transport, "q", 1)).hasSize(1);
                    await().until(() -> database.count("cqrs.outbox") == 0);
                }
            }
        }
        await().until(() -> threads("cqrs-notify") == 0);
    }

    @Test
    void capturesMastersOfAnotherSchemaThanTheSessions() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding_schema");
        database.execute("create schema \"the Sales\"");
        CqrsSchema.standard().migrate(database.dataSource());
        try (MasterUnit unit = MasterUnit.on(database, Sale.class);
                InMemoryTransport transport = new InMemoryTransport();
                CqrsMaster master =
                        CqrsMaster.builder(unit.sessions()).transport(transport).build()) {
            unit.commit(session -> session.persist(new Sale(1)));
            unit.commit(session -> session.find(Sale.class, 1L).total = 2);
            unit.commit(session -> master.bulkInsert(
                    session, () -> List.of(new Sale(2), new Sale(3)).iterator()));
            unit.commit(session -> master.bulkUpdate(
                    session,
                    Sale.class,
                    (sale, cb) -> cb.equal(sale.get("id"), 2L),
                    (update, sale, cb) -> update.set(sale.<Integer>get("total"), 7)));
            unit.commit(session -> master.bulkDelete(session, Sale.class, (sale, cb) -> cb.equal(sale.get("id"), 3L)));
            master.sync(Sale.class).send();
            unit.commit(session -> session.remove(session.find(Sale.class, 1L)));
            assertThat(Sent.all(database))
                    .extracting(sent -> sent.signal() + " " + sent.key() + " " + sent.revision())
                    .containsExactly(
                            "SAVE 1 0",
                            "SAVE 1 1",
                            "SAVE 2 0",
                            "SAVE 3 0",
                            "SAVE 2 1",
                            "DELETE 3 1",
                            "SYNC 1 1",
                            "SYNC 2 1",
                            "DELETE 1 2");
        }
    }

    @Entity(name = "Sale")
    @Table(schema = "`the Sales`")
    @Master("sale")
    static class Sale extends MasterEntity {
        @Id
        Long id;

        int total = 1;

        protected Sale() {}

        Sale(long id) {
            this.id = id;
        }
    }

    private static long threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(prefix))
                .count();
    }

    private static MasterUnit unit(TestDatabase database, String schema) {
        Configuration configuration = MasterUnit.configuration(database, Item.class);
        configuration.getProperties().put("cqrs.schema", schema);
        return MasterUnit.of(configuration);
    }

    private static CqrsMaster master(MasterUnit unit, InMemoryTransport transport) {
        return CqrsMaster.builder(unit.sessions())
                .transport(transport)
                .migrateSchema()
                .build();
    }
}
