package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.SlowWriter;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.SyncRequest;
import io.cqrs.transport.FieldFilters;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Column;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Entities sent again as they are. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class SyncIT {

    private static TestDatabase database;
    private static MasterUnit unit;

    private final InMemoryTransport transport = new InMemoryTransport();
    private CqrsMaster master;

    @BeforeAll
    static void create() {
        database = TestEnvironment.database("sync");
        CqrsSchema.standard().migrate(database.dataSource());
        unit = MasterUnit.on(database, Item.class, Cell.class, Draft.class);
    }

    @BeforeEach
    void start() {
        database.empty();
        master = CqrsMaster.builder(unit.sessions()).transport(transport).build();
    }

    @AfterEach
    void stop() {
        master.close();
        transport.close();
    }

    @AfterAll
    static void close() {
        unit.close();
    }

    @Test
    void sendsTheStateThatIsInTheDatabaseNow() throws Exception {
        items(3);
        database.execute("update item set name = 'by hand' where id = 2");
        SyncProgress done = master.sync(Item.class).keys(List.of(2L)).send();
        assertThat(done.sent()).isEqualTo(1);
        Sent sent = Sent.takeOnly(database);
        assertThat(sent.signal()).isEqualTo("SYNC");
        assertThat(sent.field("name")).isEqualTo("\"by hand\"");
        assertThat(sent.revision()).isZero();
        assertThat(database.rows("select cqrs_revision from item where id = 2")).containsExactly("0");
    }

    @Test
    void sendsNothingForAnEntityThatVanished() throws Exception {
        assertThat(master.sync(Item.class).keys(List.of(99L)).send().sent()).isZero();
        assertThat(Sent.all(database)).isEmpty();
    }

    @Test
    void sendsToOneQueueByForceAndByACriteria() throws Exception {
        items(10);
        SyncProgress done = master.sync(Item.class)
                .where((item, cb) -> cb.greaterThan(item.get("id"), 7L))
                .to("storefront")
                .force()
                .send();
        assertThat(done.sent()).isEqualTo(2);
        assertThat(database.rows("select distinct routing_key, headers from cqrs.outbox"))
                .containsExactly("cqrs.storefront.item|{\"cqrs-force\":true}");
    }

    @Test
    void goesByPagesInTheOrderOfTheKeyAndTellsHowFarItIs() throws Exception {
        cells();
        List<SyncProgress> told = new ArrayList<>();
        master.start();
        transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("cell"))));
        SyncProgress done =
                master.sync(Cell.class).pageSize(4).listener(told::add).send();
        assertThat(done.sent()).isEqualTo(25);
        assertThat(done.lastKey()).isEqualTo("[4,4]");
        assertThat(told).extracting(SyncProgress::sent).startsWith(4L, 8L, 12L).endsWith(25L);
        List<String> keys = Queues.take(transport, "q", 25).stream()
                .map(one -> Sent.parse(new String(one.body(), StandardCharsets.UTF_8))
                        .key())
                .toList();
        assertThat(keys).isSorted().hasSize(25).doesNotHaveDuplicates();
    }

    @Test
    void holdsUpNoWriterOfOtherRowsWhileItWaitsForOne() throws Exception {
        items(10);
        AtomicReference<SyncProgress> done = new AtomicReference<>();
        Thread sync = new Thread(() -> {
            try {
                done.set(master.sync(Item.class).send());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        SlowWriter.requireYielding(
                database,
                "update item set name = 'slow' where id = 9",
                change -> "update item set amount = " + change + " where id = 1",
                sync);
        assertThat(done.get().sent()).isEqualTo(10);
        assertThat(Sent.all(database))
                .filteredOn(one -> one.key().equals("9"))
                .extracting(one -> one.field("name"))
                .containsExactly("\"slow\"");
    }

    @Test
    void goesOnBehindAKey() throws Exception {
        items(10);
        assertThat(master.sync(Item.class).after(6L).send().sent()).isEqualTo(3);
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("7", "8", "9");
        assertThat(master.sync(Item.class).afterKey("7").send().sent()).isEqualTo(2);
        assertThat(Sent.all(database)).extracting(Sent::key).containsExactly("8", "9");
        assertThatThrownBy(() -> master.sync(Item.class).afterKey("x"))
                .hasMessageContaining("'x' is no key of item to go on behind, which is JSON like 5 or \"a\"");
        assertThatThrownBy(() -> master.sync(Item.class).afterKey("\"x\""))
                .hasMessageContaining("id is a Long, which \"x\" is not");
    }

    @Test
    void goesOnBehindAKeyOfSeveralPartsWhereItEnded() throws Exception {
        cells();
        AtomicReference<String> last = new AtomicReference<>();
        assertThatThrownBy(() -> master.sync(Cell.class)
                        .pageSize(7)
                        .listener(progress -> {
                            last.set(progress.lastKey());
                            throw new IllegalStateException("ended");
                        })
                        .send())
                .hasMessage("ended");
        assertThat(last).hasValue("[1,1]");
        assertThat(master.sync(Cell.class).afterKey(last.get()).send().sent()).isEqualTo(18);
        assertThat(Sent.all(database))
                .extracting(Sent::key)
                .isSorted()
                .hasSize(25)
                .doesNotHaveDuplicates();
        assertThatThrownBy(() -> master.sync(Cell.class).afterKey("1"))
                .hasMessageContaining(
                        "'1' is no key of cell to go on behind, which is JSON like [5, \"a\"], with 2 parts");
        assertThatThrownBy(() -> master.sync(Cell.class).afterKey("[1, \"x\"]"))
                .hasMessageContaining("which \"x\" is not");
    }

    @Test
    void comparesByEveryLookup() throws Exception {
        unit.commit(session -> {
            session.persist(new Item(1, "Abc").with(1, "1.50"));
            session.persist(new Item(2, "ab_d").with(2, "2.50"));
            session.persist(new Item(3, null));
        });
        Sent.take(database);
        String time = database.rows("select max(cqrs_updated) at time zone 'UTC' from item")
                .get(0);
        Map<String, Integer> expected = Map.ofEntries(
                Map.entry("{}", 3),
                Map.entry("{\"id\": 1}", 1),
                Map.entry("{\"id__in\": [1, 3]}", 2),
                Map.entry("{\"id__in\": []}", 0),
                Map.entry("{\"unit_price__gte\": 2.5}", 1),
                Map.entry("{\"unitPrice__lt\": 2}", 1),
                Map.entry("{\"amount__gt\": 1}", 1),
                Map.entry("{\"amount__lte\": 1}", 1),
                Map.entry("{\"name__isnull\": true}", 1),
                Map.entry("{\"name\": null}", 1),
                Map.entry("{\"id__range\": [2, 3]}", 2),
                Map.entry("{\"name__contains\": \"_\"}", 1),
                Map.entry("{\"name__startswith\": \"ab\"}", 1),
                Map.entry("{\"name__istartswith\": \"AB\"}", 2),
                Map.entry("{\"name__iexact\": \"aBC\"}", 1),
                Map.entry("{\"name__endswith\": \"d\"}", 1),
                Map.entry("{\"cqrs_updated__lte\": \"" + time + "\"}", 3),
                Map.entry("{\"cqrs_updated__lt\": \"2020-01-01\"}", -1));
        for (Map.Entry<String, Integer> one : expected.entrySet()) {
            if (one.getValue() < 0) {
                assertThatThrownBy(() -> sync(one.getKey())).hasMessageContaining("cqrs_updated is a Instant, which");
            } else {
                assertThat(sync(one.getKey())).as(one.getKey()).isEqualTo((long) one.getValue());
            }
        }
        assertThatThrownBy(() -> sync("{\"nix\": 1}")).hasMessageContaining("item has no field nix: there are");
    }

    @Test
    void takesTruthAndPartsOfEmbeddablesAsTheWireHasThem() throws Exception {
        cells();
        unit.commit(session -> {
            for (long id = 0; id < 3; id++) {
                session.persist(new Draft(id));
            }
        });
        Sent.take(database);
        for (Map.Entry<String, Long> one : Map.of(
                        "{\"open\": 1}", 1L,
                        "{\"open\": true}", 1L,
                        "{\"open\": 0, \"id__gt\": 0}", 1L)
                .entrySet()) {
            SyncProgress done = master.sync(Draft.class)
                    .where(FieldFilters.parse(one.getKey()))
                    .send();
            assertThat(done.sent() + done.skipped()).as(one.getKey()).isEqualTo(one.getValue());
        }
        assertThatThrownBy(() -> master.sync(Draft.class)
                        .where(FieldFilters.parse("{\"open\": \"x\"}"))
                        .send())
                .hasMessageContaining("open is a Boolean, which \"x\" is not");
        for (String row : List.of("id.row", "id_row")) {
            assertThat(master.sync(Cell.class)
                            .where(FieldFilters.parse("{\"" + row + "__lt\": 2}"))
                            .send()
                            .sent())
                    .isEqualTo(10);
        }
    }

    private long sync(String filter) throws InterruptedException {
        return master.sync(Item.class).where(FieldFilters.parse(filter)).send().sent();
    }

    @Test
    void skipsWhatIsNoSyncInstance() throws Exception {
        unit.commit(session -> {
            for (long id = 0; id < 4; id++) {
                session.persist(new Draft(id));
            }
        });
        Sent.take(database);
        SyncProgress done = master.sync(Draft.class).send();
        assertThat(List.of(done.sent(), done.skipped())).containsExactly(2L, 2L);
        assertThat(Sent.all(database)).extracting(Sent::key).containsExactly("1", "3");
    }

    @Test
    void writesNoFurtherPageBeforeTheRelayHasPublishedAllButTheLastTwo() throws Exception {
        items(50);
        CountDownLatch third = new CountDownLatch(2);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread sync = new Thread(() -> {
            try {
                master.sync(Item.class)
                        .pageSize(10)
                        .listener(progress -> third.countDown())
                        .send();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        sync.start();
        third.await();
        await().until(() -> database.count("cqrs.outbox") == 20);
        unit.commit(session -> session.persist(new Item(100, "live")));
        transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
        master.start();
        List<Delivery> all = Queues.take(transport, "q", 51);
        sync.join();
        assertThat(failure.get()).isNull();
        List<String> keys = all.stream()
                .map(one -> Sent.parse(new String(one.body(), StandardCharsets.UTF_8))
                        .key())
                .toList();
        assertThat(keys.indexOf("100"))
                .as("the live change waits behind two pages at most")
                .isLessThanOrEqualTo(20);
        await().until(() -> database.count("cqrs.outbox") == 0);
    }

    @Test
    void goesOnOverConnectionsWhoseTransactionsSeeOneMoment() throws Exception {
        DataSource pool = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(database.dataSource(), arguments);
                    if (result instanceof Connection connection) {
                        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                        connection.setAutoCommit(false);
                    }
                    return result;
                });
        items(50);
        Sent.take(database);
        transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
        master.start();
        var configuration = MasterUnit.configuration(database, Item.class);
        configuration.getProperties().put("hibernate.connection.datasource", pool);
        configuration.setProperty("hibernate.connection.provider_disables_autocommit", "true");
        try (MasterUnit other = MasterUnit.of(configuration)) {
            assertThat(SyncRequest.of(other.sessions(), Item.class)
                            .pageSize(10)
                            .send()
                            .sent())
                    .isEqualTo(50);
        }
        assertThat(Queues.take(transport, "q", 50)).hasSize(50);
    }

    @Test
    void waitsForARowThatSomebodyIsChangingAndSendsBothInOrder() throws Exception {
        items(1);
        Thread sync;
        try (var session = unit.sessions().openSession()) {
            session.beginTransaction();
            session.find(Item.class, 0L).name = "changed";
            session.flush();
            sync = new Thread(() -> {
                try {
                    master.sync(Item.class).send();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            sync.start();
            await().until(() -> database.count("pg_stat_activity where wait_event_type = 'Lock'") > 0);
            session.getTransaction().commit();
        }
        sync.join();
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SYNC");
        assertThat(sent.get(1).field("name")).isEqualTo("\"changed\"");
        assertThat(sent.get(1).revision()).isEqualTo(1);
    }

    @Test
    void sendsAPageAgainWhoseCommitContentionEnded() throws Exception {
        items(8);
        Sent.take(database);
        database.execute("create sequence commits; create function fail_once() returns trigger language plpgsql as"
                + " 'begin if nextval(''commits'') = 3 then raise exception ''no'' using errcode = ''40001''; end if;"
                + " return null; end'; create constraint trigger fail_once after insert on cqrs.outbox"
                + " deferrable initially deferred for each row execute function fail_once()");
        try {
            assertThat(master.sync(Item.class).pageSize(5).send().sent()).isEqualTo(8);
        } finally {
            database.execute("drop trigger fail_once on cqrs.outbox; drop function fail_once; drop sequence commits");
        }
        assertThat(Sent.all(database))
                .extracting(Sent::key)
                .doesNotHaveDuplicates()
                .hasSize(8);
    }

    @Test
    void refusesWhatIsNoMasterAndWrongNumbers() {
        assertThatThrownBy(() -> master.sync(String.class).send())
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("java.lang.String is no entity with @Master");
        assertThatThrownBy(() -> master.sync(Item.class).pageSize(0)).hasMessageContaining("pageSize 0");
    }

    /** Five rows and five columns. */
    private void cells() {
        unit.commit(session -> {
            for (int row = 0; row < 5; row++) {
                for (int column = 0; column < 5; column++) {
                    session.persist(new Cell(row, column));
                }
            }
        });
        Sent.take(database);
    }

    private void items(int count) {
        unit.commit(session -> {
            for (long id = 0; id < count; id++) {
                session.persist(new Item(id, "n" + id));
            }
        });
        Sent.take(database);
    }

    @Embeddable
    record CellId(
            @Column(name = "r") int row, @Column(name = "c") int column) implements Serializable {}

    @Entity(name = "Cell")
    @Master("cell")
    static class Cell extends MasterEntity {
        @EmbeddedId
        CellId id;

        protected Cell() {}

        Cell(int row, int column) {
            this.id = new CellId(row, column);
        }
    }

    @Entity(name = "Draft")
    @Master("draft")
    static class Draft extends MasterEntity {
        @Id
        Long id;

        Boolean open;

        protected Draft() {}

        Draft(long id) {
            this.id = id;
            this.open = id == 1;
        }

        @Override
        public boolean isSyncInstance() {
            return id % 2 == 1;
        }
    }
}
