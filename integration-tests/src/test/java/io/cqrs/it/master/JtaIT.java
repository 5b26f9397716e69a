package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.JtaUnit;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsField;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterSerializer;
import io.cqrs.master.Restriction;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Column;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.MappedSuperclass;
import jakarta.transaction.RollbackException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.assertj.core.util.Throwables;
import org.hibernate.Hibernate;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.StatelessSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Where a container coordinates transactions, each is committed with its messages, or neither is. */
@ExtendWith(TestEnvironment.class)
class JtaIT {

    private static TestDatabase database;
    private static JtaUnit unit;
    private static CqrsMaster master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("jta");
        CqrsSchema.standard().migrate(database.dataSource());
        unit = JtaUnit.on(database, Item.class, Label.class, Tagged.class, Shelf.class, Rack.class);
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
    void sendsWhatTheContainerCommits() throws Exception {
        unit.commit(session -> session.persist(new Item(1, "first")));
        unit.commit(session -> session.find(Item.class, 1L).with(5, "1.50"));
        unit.commit(session -> session.remove(session.find(Item.class, 1L)));
        assertThat(Sent.take(database)).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "DELETE");
    }

    @Test
    void sendsNothingOfWhatTheContainerRollsBack() throws Exception {
        unit.manager().begin();
        try (Session session = unit.sessions().openSession()) {
            session.persist(new Item(1, "gone"));
            session.flush();
        }
        unit.manager().setRollbackOnly();
        assertThat(catchThrowable(() -> unit.manager().commit())).isNotNull();
        assertCommitted();
    }

    @Test
    void sendsWhatSeveralSessionsOfOneTransactionWrite() throws Exception {
        unit.commit(session -> {
            session.persist(new Item(1, "first"));
            try (Session other = unit.sessions().openSession()) {
                other.persist(new Item(2, "second"));
                other.flush();
            }
        });
        assertCommitted("1", "2");
    }

    @Test
    void sendsWhatIsFlushedByTheCommitAlone() throws Exception {
        unit.manager().begin();
        Session session = unit.sessions().openSession();
        session.persist(new Item(1, "unflushed"));
        unit.manager().commit();
        session.close();
        assertCommitted("1");
    }

    @Test
    void sendsWhatSerializersReadWithinTheTransaction() throws Exception {
        unit.commit(session -> {
            Item item = new Item(1, "first");
            session.persist(item);
            Label label = new Label();
            label.item = item;
            session.persist(label);
        });
        assertThat(Sent.take(database).get(1).field("text")).isEqualTo("\"of first\"");
    }

    @Test
    void sendsWhatALargeTransactionWrites() throws Exception {
        unit.commit(session -> LongStream.range(0, 3500).forEach(id -> session.persist(new Item(id, "x"))));
        assertThat(Sent.take(database)).hasSize(3500);
    }

    @Test
    void refusesASessionThatIsGoneBeforeTheCommit() throws Exception {
        try (SessionFactory plain = unit.withoutJpa(Item.class)) {
            unit.manager().begin();
            try (Session session = plain.openSession()) {
                session.persist(new Item(1, "unsent"));
                session.flush();
            }
            assertThatThrownBy(() -> unit.manager().commit())
                    .hasStackTraceContaining("was closed before its transaction was committed");
        }
        assertCommitted();
    }

    @Test
    void sendsBulkWrites() throws Exception {
        unit.commit(session -> assertThat(master.bulkInsert(
                        session,
                        () -> LongStream.range(0, 1500)
                                .mapToObj(id -> new Item(id, "x"))
                                .iterator()))
                .isEqualTo(1500));
        unit.commit(session -> assertThat(master.bulkUpdate(
                        session,
                        Item.class,
                        (item, cb) -> cb.lessThan(item.get("id"), 1200L),
                        (update, item, cb) -> update.set(item.<String>get("name"), "y")))
                .isEqualTo(1200));
        unit.commit(session -> assertThat(
                        master.bulkDelete(session, Item.class, (item, cb) -> cb.lt(item.get("id"), 1100L)))
                .isEqualTo(1100));
        assertThat(Sent.take(database)).hasSize(1500 + 1200 + 1100);
    }

    @Test
    @Timeout(60)
    void syncsInTransactionsOfItsOwn() throws Exception {
        unit.commit(session -> session.persist(new Item(1, "first")));
        database.execute("truncate cqrs.outbox");
        assertThat(master.sync(Item.class).send().sent()).isOne();
        assertThat(Sent.takeOnly(database).signal()).isEqualTo("SYNC");
    }

    @Test
    void sendsAFirstChangeThatComesAfterHibernateWasToldOfTheCommit() throws Exception {
        unit.manager().begin();
        Session session = unit.sessions().openSession();
        MasterUnit.beforeCommit(session, () -> {
            session.persist(new Item(1, "late"));
            session.flush();
        });
        unit.manager().commit();
        session.close();
        assertCommitted("1");
    }

    @Test
    void refusesToCommitPartOfABulkWriteWhoeverSwallowsTheError() throws Exception {
        unit.commit(session -> session.persist(new Item(1, "first")));
        database.execute("truncate cqrs.outbox");
        unit.manager().begin();
        try (Session session = unit.sessions().openSession()) {
            session.find(Item.class, 1L).name = "changed";
            Throwable unused = catchThrowable(
                    () -> master.bulkUpdate(session, Item.class, Restriction.all(), (update, item, cb) -> {
                        throw new IllegalStateException("not this one");
                    }));
        }
        assertThatThrownBy(() -> unit.manager().commit()).isInstanceOf(RollbackException.class);
        assertThat(database.rows("select name from item")).containsExactly("first");
        assertThat(database.count("cqrs.outbox")).isZero();
    }

    @Test
    void keepsItsConnectionWhileItLoadsWhatItSends() throws Exception {
        unit.commit(session -> LongStream.range(0, 40).forEach(id -> session.persist(new Tagged(id))));
        database.execute("truncate cqrs.outbox");
        unit.commit(session -> session.createSelectionQuery("from Tagged", Tagged.class)
                .getResultList()
                .forEach(tagged -> tagged.text = "y".repeat(300_000)));
        assertThat(Sent.take(database))
                .hasSize(40)
                .extracting(sent -> sent.field("tags"))
                .containsOnly("[\"a\"]");
    }

    @Test
    void sendsOwnersWhoseAnswersAreLoaded() throws Exception {
        unit.commit(session -> {
            Item item = new Item(1, "first");
            session.persist(item);
            session.persist(new Shelf(item));
            session.persist(new Rack(item));
        });
        database.execute("truncate cqrs.outbox");
        unit.commit(session -> session.find(Item.class, 1L).name = "changed");
        assertThat(Sent.take(database)).extracting(Sent::model).containsExactlyInAnyOrder("item", "shelf", "rack");
    }

    @Test
    void sendsAllUnderAManagerThatTellsOfTheCommitInReverse() throws Exception {
        try (SessionFactory reversed = unit.inReverse(Item.class, Shelf.class, Rack.class)) {
            unit.manager().begin();
            Session session = reversed.openSession();
            Item item = new Item(1, "first");
            session.persist(item);
            session.persist(new Shelf(item));
            session.flush();
            item.name = "changed";
            session.persist(new Item(2, "second"));
            unit.manager().commit();
            session.close();
        }
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::model).containsExactlyInAnyOrder("item", "shelf", "item");
        assertThat(sent.get(0).field("name")).isEqualTo("\"changed\"");
        assertThat(database.rows("select name from item order by id")).containsExactly("changed", "second");
    }

    @Test
    void commitsABulkWriteOfASessionThatIsGone() throws Exception {
        try (SessionFactory plain = unit.withoutJpa(Item.class);
                CqrsMaster bulk = CqrsMaster.builder(plain)
                        .transport(new InMemoryTransport())
                        .build()) {
            unit.manager().begin();
            try (Session session = plain.openSession()) {
                assertThat(bulk.bulkInsert(session, List.of(new Item(1, "first"))))
                        .isOne();
            }
            unit.manager().commit();
        }
        assertCommitted("1");
    }

    @Test
    void neverCommitsUnsentWhatAnotherSessionWritesAtTheLastMoment() throws Exception {
        assumeFalse(MasterUnit.onHibernate6(), "its stateless sessions tell nothing, and are refused");
        unit.manager().begin();
        Session session = unit.sessions().openSession();
        session.persist(new Item(1, "first"));
        session.flush();
        MasterUnit.beforeCommit(session, () -> {
            try (StatelessSession other = unit.sessions().openStatelessSession()) {
                Throwable unused = catchThrowable(() -> other.insert(new Item(2, "late")));
            }
        });
        Throwable unused = catchThrowable(() -> unit.manager().commit());
        session.close();
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .isEqualTo(database.rows("select id from item order by id"));
    }

    @Test
    void neverCommitsUnsentWhatAStatelessSessionWritesAfterItsChangesWereWritten() throws Exception {
        assumeFalse(MasterUnit.onHibernate6(), "its stateless sessions tell nothing, and are refused");
        unit.manager().begin();
        StatelessSession session = unit.sessions().openStatelessSession();
        session.insert(new Item(1, "first"));
        MasterUnit.beforeCommit(session, () -> {
            Throwable unused = catchThrowable(() -> session.insert(new Item(2, "too late")));
        });
        assertThat(catchThrowable(() -> unit.manager().commit())).isNotNull();
        session.close();
        assertCommitted();
    }

    @Test
    void refusesToCommitWhatCanNotBeSent() throws Exception {
        database.withoutOutbox(() -> assertThat(
                        catchThrowable(() -> unit.commit(session -> session.persist(new Item(1, "lost")))))
                .isNotNull());
        assertCommitted();
    }

    @Test
    void tellsWhatFailedWhereTheCommitsFlushFails() throws Exception {
        unit.commit(session -> session.persist(new Item(1, "first")));
        unit.manager().begin();
        Session session = unit.sessions().openSession();
        session.persist(new Item(2, "second"));
        session.flush();
        session.persist(new Item(1, "again"));
        Throwable failure = catchThrowable(() -> unit.manager().commit());
        session.close();
        assertThat(Throwables.getStackTrace(failure))
                .contains("ConstraintViolationException")
                .doesNotContain("OutboxException");
        assertCommitted("1");
    }

    private static void assertCommitted(String... ids) {
        assertThat(database.rows("select id from item order by id")).containsExactly(ids);
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .containsExactly(ids);
    }

    @Entity(name = "Tagged")
    @Master("jta_tagged")
    static class Tagged extends MasterEntity {
        @Id
        Long id;

        @Column(length = 400_000)
        String text = "x";

        @CqrsField
        @ElementCollection
        Set<String> tags = new HashSet<>(Set.of("a"));

        protected Tagged() {}

        Tagged(long id) {
            this.id = id;
        }
    }

    @MappedSuperclass
    abstract static class Keeper extends MasterEntity {
        @Id
        Long id = 1L;

        @ManyToOne(fetch = FetchType.LAZY)
        Item item;

        /** Where another session asks, it is loaded there. */
        @Override
        public boolean isSyncInstance() {
            return Hibernate.unproxy(item, Item.class).name != null;
        }
    }

    @Entity(name = "Shelf")
    @Master(value = "shelf", dependsOn = "item")
    static class Shelf extends Keeper {
        protected Shelf() {}

        Shelf(Item item) {
            this.item = item;
        }
    }

    @Entity(name = "Rack")
    @Master(value = "rack", dependsOn = "item")
    static class Rack extends Keeper {
        protected Rack() {}

        Rack(Item item) {
            this.item = item;
        }
    }

    @Entity(name = "Label")
    @Master(value = "label", serializer = LabelSerializer.class)
    static class Label extends MasterEntity {
        @Id
        Long id = 1L;

        @ManyToOne
        Item item;
    }

    static class LabelSerializer implements MasterSerializer<Label> {
        @Override
        public Object serialize(Label label) {
            return Map.of("id", label.id, "text", "of " + Hibernate.unproxy(label.item, Item.class).name);
        }
    }
}
