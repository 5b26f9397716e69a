package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsField;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.Restriction;
import io.cqrs.master.hibernate.UncapturedDml;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Column;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.TransactionRequiredException;
import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.hibernate.annotations.SQLRestriction;
import org.hibernate.stat.Statistics;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Writes of many entities by a few statements. */
@ExtendWith(TestEnvironment.class)
class BulkIT {

    private static TestDatabase database;
    private static MasterUnit unit;
    private static CqrsMaster master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("bulk");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration = MasterUnit.configuration(
                database, Stock.class, Slot.class, Plain.class, Basket.class, Leaflet.class, Good.class, Soft.class);
        configuration.getProperties().put("cqrs.uncaptured_dml", UncapturedDml.REFUSE);
        configuration.setProperty("hibernate.generate_statistics", "true");
        unit = MasterUnit.of(configuration);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
    }

    @BeforeEach
    void empty() {
        database.empty();
    }

    @AfterAll
    static void stop() {
        master.close();
        unit.close();
    }

    @Test
    void insertsManyWithAMessageEachAndFewStatements() {
        Statistics statistics = unit.sessions().getStatistics();
        statistics.clear();
        unit.commit(session -> assertThat(master.bulkInsert(
                        session,
                        () -> LongStream.range(0, 2500).mapToObj(Stock::new).iterator()))
                .isEqualTo(2500));
        assertThat(Sent.all(database)).hasSize(2500).extracting(Sent::revision).containsOnly(0L);
        assertThat(database.count("stock")).isEqualTo(2500);
        assertThat(statistics.getPrepareStatementCount()).isLessThan(20);
    }

    @Test
    void updatesWhatTheRestrictionMeansWithRevisionTimeAndOldValues() {
        insert(2500);
        Statistics statistics = unit.sessions().getStatistics();
        statistics.clear();
        unit.commit(session -> assertThat(master.bulkUpdate(
                        session,
                        Stock.class,
                        (stock, cb) -> cb.lessThan(stock.get("id"), 2200L),
                        (update, stock, cb) ->
                                update.set(stock.<Integer>get("amount"), cb.sum(stock.<Integer>get("amount"), 5))))
                .isEqualTo(2200));
        var sent = Sent.all(database);
        assertThat(sent).hasSize(2199);
        assertThat(sent).extracting(Sent::revision).containsOnly(1L);
        assertThat(sent).extracting(Sent::previous).containsOnly("{\"amount\":1}");
        assertThat(sent).extracting(one -> one.field("amount")).containsOnly("6");
        assertThat(database.rows("select count(*) from stock s join cqrs.outbox o on o.instance_pk = s.id::text"
                        + " where to_char(s.cqrs_updated at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00:00'"
                        + " like replace(o.body::json->'instance_data'->>'cqrs_updated', '+', '%+')"))
                .containsExactly("2199");
        assertThat(statistics.getPrepareStatementCount()).isLessThan(20);
    }

    @Test
    void deletesWhatTheRestrictionMeans() {
        insert(1500);
        unit.commit(session -> assertThat(
                        master.bulkDelete(session, Stock.class, (stock, cb) -> cb.ge(stock.get("id"), 100L)))
                .isEqualTo(1400));
        var sent = Sent.all(database);
        assertThat(sent).hasSize(1400).extracting(Sent::signal).containsOnly("DELETE");
        assertThat(sent).extracting(Sent::revision).containsOnly(1L);
        assertThat(sent.get(0).field("custom")).isEqualTo("{\"amount\":1}");
        assertThat(database.count("stock")).isEqualTo(100);
    }

    @Test
    void sendsTheMastersThatDependOnWhatItWrites() {
        unit.commit(session -> {
            session.persist(new Basket(1));
            session.persist(new Basket(2));
            session.persist(new Good(1, session.getReference(Basket.class, 1L)));
            session.persist(new Good(2, session.getReference(Basket.class, 2L)));
        });
        Sent.take(database);
        unit.commit(session -> master.bulkUpdate(
                session,
                Good.class,
                (good, cb) -> cb.equal(good.get("id"), 1L),
                (update, good, cb) -> update.set(good.get("basket"), session.getReference(Basket.class, 2L))));
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.key())
                .containsExactlyInAnyOrder("good 1", "basket 1", "basket 2");
        unit.commit(session -> master.bulkDelete(session, Good.class, Restriction.all()));
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.key())
                .containsExactlyInAnyOrder("good 1", "good 2", "basket 2");
    }

    @Test
    void leavesAnOwnerThatTheSessionHoldsCurrent() {
        unit.commit(session -> {
            session.persist(new Basket(1));
            session.persist(new Good(1, session.getReference(Basket.class, 1L)));
            session.persist(new Leaflet(1));
        });
        Sent.take(database);
        unit.commit(session -> {
            Basket basket = session.find(Basket.class, 1L);
            master.bulkDelete(session, Good.class, Restriction.all());
            basket.leaflet = session.getReference(Leaflet.class, 1L);
        });
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.revision())
                .containsExactly("good 1", "basket 1");
        assertThat(database.rows("select leaflet_id from basket")).containsExactly("1");
    }

    @Test
    void noticesStatementsThatWriteWhatMastersDependOn() {
        unit.commit(session -> session.persist(new Basket(1)));
        assertThatThrownBy(() -> unit.commit(session ->
                        session.createMutationQuery("delete from Leaflet").executeUpdate()))
                .hasStackTraceContaining("past capture");
    }

    @Test
    void noticesStatementsThatWriteTheCollectionsOfMasters() {
        unit.commit(session -> session.persist(new Soft(1)));
        assertThatThrownBy(() -> unit.commit(session -> session.createNativeMutationQuery(
                                "insert into soft_marks (soft_id, marks) values (1, 'x')")
                        .executeUpdate()))
                .hasStackTraceContaining("past capture");
    }

    @Test
    void refusesAnUpdateOfRowsThatCantBeReadAfterwards() {
        unit.commit(session -> session.persist(new Soft(1)));
        assertThatThrownBy(() -> unit.commit(session -> master.bulkUpdate(
                        session,
                        Soft.class,
                        Restriction.all(),
                        (update, soft, cb) -> update.set(soft.get("gone"), true))))
                .hasStackTraceContaining("1 of the rows of soft can't be read after the bulk update");
        assertThat(database.rows("select gone from soft")).containsExactly("f");
    }

    /** Three rows a basket, which a join brings in no order. */
    @Test
    void takesAnEntityThatAJoinRepeatsOnce() throws Exception {
        unit.commit(session -> {
            for (long id = 0; id < 1500; id++) {
                Basket basket = new Basket(id);
                session.persist(basket);
                for (long i = 0; i < 3; i++) {
                    session.persist(new Good(1500 * i + id, basket));
                }
            }
        });
        Sent.take(database);
        Restriction<Basket> filled = (basket, cb) -> cb.ge(basket.join("goods").<Long>get("id"), 0L);
        unit.commit(session -> assertThat(master.bulkUpdate(
                        session,
                        Basket.class,
                        filled,
                        (update, basket, cb) ->
                                update.set(basket.<Integer>get("price"), cb.sum(basket.<Integer>get("price"), 5))))
                .isEqualTo(1500));
        assertThat(database.rows("select distinct price from basket")).containsExactly("5");
        assertThat(Sent.take(database)).hasSize(1500);
        assertThat(master.sync(Basket.class).where(filled).pageSize(3000).send().sent())
                .isEqualTo(1500);
        assertThat(Sent.take(database)).extracting(Sent::key).hasSize(1500).doesNotHaveDuplicates();
    }

    /** Its collection is not read, and its row is not to be seen any more. */
    @Test
    void sendsAnUpdateThatHidesItsOwnRow() {
        unit.commit(session -> session.persist(new Soft(5)));
        Sent.take(database);
        unit.commit(session -> session.find(Soft.class, 5L).gone = true);
        assertThat(Sent.takeOnly(database).field("gone")).isEqualTo("true");
    }

    @Test
    void sendsWhatItGivesToAColumnThatUpdatesOfInstancesLeave() {
        insert(1);
        unit.commit(session -> master.bulkUpdate(
                session,
                Stock.class,
                Restriction.all(),
                (update, stock, cb) -> update.set(stock.<String>get("author"), "corrected")));
        assertThat(database.rows("select author from stock")).containsExactly("corrected");
        assertThat(Sent.takeOnly(database).field("author")).isEqualTo("\"corrected\"");
    }

    @Test
    void sendsNothingForARollback() {
        insert(10);
        unit.rollBack(session -> master.bulkDelete(session, Stock.class, Restriction.all()));
        assertThat(Sent.all(database)).isEmpty();
        assertThat(database.count("stock")).isEqualTo(10);
    }

    @Test
    void seesWhatTheSessionHasNotFlushedYet() {
        unit.commit(session -> {
            session.persist(new Stock(1));
            master.bulkUpdate(
                    session, Stock.class, Restriction.all(), (update, stock, cb) -> update.set(stock.get("amount"), 9));
        });
        assertThat(database.rows("select amount, cqrs_revision from stock")).containsExactly("9|1");
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(one -> one.field("amount")).containsExactly("1", "9");
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L);
        assertThat(sent).extracting(Sent::previous).containsExactly("{\"amount\":null}", "{\"amount\":1}");
    }

    @Test
    void tellsOfEachMessageWhatWasBeforeItWhereTheSessionChangedTheRowFirst() {
        insert(1);
        unit.commit(session -> {
            session.find(Stock.class, 0L).amount = 5;
            master.bulkUpdate(
                    session, Stock.class, Restriction.all(), (update, stock, cb) -> update.set(stock.get("amount"), 9));
        });
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(one -> one.field("amount")).containsExactly("5", "9");
        assertThat(sent).extracting(Sent::previous).containsExactly("{\"amount\":1}", "{\"amount\":5}");
        assertThat(sent).extracting(Sent::revision).containsExactly(1L, 2L);
    }

    @Test
    void worksWithCompositeKeys() {
        unit.commit(session -> master.bulkInsert(
                session, IntStream.range(0, 30).mapToObj(i -> new Slot(i)).toList()));
        Sent.take(database);
        unit.commit(session -> master.bulkUpdate(
                session,
                Slot.class,
                (slot, cb) -> cb.equal(slot.get("id").get("room"), "r1"),
                (update, slot, cb) -> update.set(slot.get("note"), "x")));
        assertThat(Sent.take(database))
                .hasSize(10)
                .extracting(one -> one.field("note"))
                .containsOnly("\"x\"");
        unit.commit(session -> master.bulkDelete(session, Slot.class, Restriction.all()));
        assertThat(Sent.take(database)).hasSize(30);
    }

    @Test
    void abortsTheTransactionOfAFailedWriteThatWasSwallowed() {
        insert(2);
        assertThatThrownBy(() -> unit.commit(session -> {
                    try {
                        master.bulkUpdate(session, Stock.class, Restriction.all(), (update, stock, cb) -> {
                            throw new IllegalStateException("no idea");
                        });
                    } catch (IllegalStateException swallowed) {
                        session.persist(new Stock(3));
                    }
                }))
                .hasStackTraceContaining("a bulk write failed, roll the transaction back: no idea");
        assertThat(database.count("stock")).isEqualTo(2);
    }

    @Test
    void refusesToSetRevisionOrTime() {
        insert(2);
        for (String stamp : List.of("cqrsRevision", "cqrsUpdated")) {
            assertThatThrownBy(() -> unit.commit(session -> master.bulkUpdate(
                            session,
                            Stock.class,
                            Restriction.all(),
                            (update, stock, cb) -> update.set(stock.<Object>get(stamp), (Object) null))))
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageContaining("sets " + stamp + ", which is set with each bulk update: leave it out");
        }
    }

    @Test
    void refusesOutsideOfATransactionAndForWhatIsNoMaster() {
        try (var session = unit.sessions().openSession()) {
            assertThatThrownBy(() -> master.bulkDelete(session, Stock.class, Restriction.all()))
                    .isInstanceOf(TransactionRequiredException.class);
        }
        assertThatThrownBy(() -> unit.commit(session -> {
                    session.persist(new Plain());
                    master.bulkDelete(session, Plain.class, Restriction.all());
                }))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("is no entity with @Master");
    }

    private void insert(int count) {
        unit.commit(session -> master.bulkInsert(
                session, LongStream.range(0, count).mapToObj(Stock::new).toList()));
        Sent.take(database);
    }

    @Entity(name = "Stock")
    @Master(value = "stock", tracked = "amount")
    static class Stock extends MasterEntity {
        @Id
        Long id;

        int amount = 1;

        @Column(updatable = false)
        String author = "first";

        protected Stock() {}

        Stock(long id) {
            this.id = id;
        }

        @Override
        public boolean isSyncInstance() {
            return id != 7 || amount == 1;
        }

        @Override
        public Map<String, Object> cqrsDeleteData() {
            return Map.of("amount", amount);
        }
    }

    @Embeddable
    record SlotId(String room, int number) implements Serializable {}

    @Entity(name = "Slot")
    @Master("slot")
    static class Slot extends MasterEntity {
        @EmbeddedId
        SlotId id;

        String note;

        protected Slot() {}

        Slot(int i) {
            this.id = new SlotId("r" + i / 10, i);
        }
    }

    @Entity(name = "Basket")
    @Master(
            value = "basket",
            dependsOn = {"goods", "leaflet"})
    static class Basket extends MasterEntity {
        @Id
        Long id;

        @OneToMany(mappedBy = "basket")
        Set<Good> goods = new HashSet<>();

        @ManyToOne
        Leaflet leaflet;

        int price;

        protected Basket() {}

        Basket(long id) {
            this.id = id;
        }
    }

    @Entity(name = "Leaflet")
    static class Leaflet {
        @Id
        Long id;

        protected Leaflet() {}

        Leaflet(long id) {
            this.id = id;
        }
    }

    @Entity(name = "Good")
    @Master("good")
    static class Good extends MasterEntity {
        @Id
        Long id;

        @ManyToOne
        Basket basket;

        protected Good() {}

        Good(long id, Basket basket) {
            this.id = id;
            this.basket = basket;
        }
    }

    @Entity(name = "Soft")
    @Master("soft")
    @SQLRestriction("not gone")
    static class Soft extends MasterEntity {
        @Id
        Long id;

        boolean gone;

        @CqrsField
        @ElementCollection
        Set<String> marks = new HashSet<>();

        protected Soft() {}

        Soft(long id) {
            this.id = id;
        }
    }

    @Entity(name = "Plain")
    static class Plain {
        @Id
        Long id = 1L;
    }
}
