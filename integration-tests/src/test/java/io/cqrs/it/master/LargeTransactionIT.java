package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.OddConnection;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.sql.Connection;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.hibernate.Session;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Transactions of thousands of rows, whose messages are written a chunk at a time, while the next are made. */
@ExtendWith(TestEnvironment.class)
class LargeTransactionIT {

    private static final int ROWS = 2500;
    private static final int MAX_MESSAGE_BYTES = 400_000;

    private static TestDatabase database;
    private static MasterUnit unit;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("large");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration = MasterUnit.configuration(database, Item.class, Page.class);
        configuration.setProperty("hibernate.jdbc.batch_size", "500");
        configuration.setProperty("cqrs.max_message_bytes", Integer.toString(MAX_MESSAGE_BYTES));
        unit = MasterUnit.of(configuration);
    }

    @BeforeEach
    void empty() {
        database.empty();
    }

    @AfterAll
    static void stop() {
        unit.close();
    }

    private static void persist(Session session, LongFunction<Object> entity) {
        LongStream.range(0, ROWS).mapToObj(entity).forEach(session::persist);
    }

    /** Of two kinds, some of them large. */
    private static Object mixed(long id) {
        return id % 2 == 0 ? new Item(id, "\u00e4\"\\\n\u0001 " + id) : new Page(id, id % 500 == 1 ? 300_000 : 10);
    }

    @Test
    @Timeout(60)
    void writesLargeMessagesFewAtATime() throws Exception {
        unit.commit(session -> LongStream.range(0, 100).forEach(id -> session.persist(new Page(id, 300_000))));
        assertWrittenInChunks();
        database.execute("truncate cqrs.outbox");
        try (CqrsMaster master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build()) {
            assertThat(master.sync(Page.class).send().sent()).isEqualTo(100);
        }
        assertWrittenInChunks();
    }

    /** Each statement of a transaction has a number there. */
    private static void assertWrittenInChunks() {
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .isEqualTo(LongStream.range(0, 100).mapToObj(Long::toString).toList());
        assertThat(database.rows("select count(distinct xmin::text), count(distinct cmin::text) from cqrs.outbox"))
                .containsExactly("1|4");
    }

    @Test
    void sendsTheSameAsSmallOnesInTheOrderOfTheChanges() {
        unit.commit(session -> persist(session, LargeTransactionIT::mixed));
        List<String> large = messages();
        assertThat(large).hasSize(ROWS);
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .isEqualTo(LongStream.range(0, ROWS).mapToObj(Long::toString).toList());
        database.empty();
        for (long id = 0; id < ROWS; id += 500) {
            long from = id;
            unit.commit(session -> LongStream.range(from, from + 500)
                    .mapToObj(LargeTransactionIT::mixed)
                    .forEach(session::persist));
        }
        assertThat(large).isEqualTo(messages());
    }

    /** All that does not tell one commit from another. */
    private static List<String> messages() {
        return database.rows("select cqrs_id, instance_pk, routing_key, headers, body::jsonb #- '{expires}'"
                + " #- '{instance_data,cqrs_updated}' from cqrs.outbox order by id");
    }

    @Test
    void sendsOverAConnectionThatHidesTheDriversToo() throws Exception {
        try (Connection connection = database.dataSource().getConnection()) {
            Connection hiding = OddConnection.of(connection, "isWrapperFor", () -> false);
            try (Session session =
                    unit.sessions().withOptions().connection(hiding).openSession()) {
                session.beginTransaction();
                persist(session, id -> new Item(id, "hidden"));
                session.getTransaction().commit();
            }
        }
        assertThat(Sent.take(database))
                .extracting(Sent::key)
                .isEqualTo(LongStream.range(0, ROWS).mapToObj(Long::toString).toList());
    }

    @Test
    void leavesToTriggersWhatTheyCapture() {
        List<MasterTable> tables = TriggerCapture.tablesOf(unit.sessions());
        TriggerCapture triggers = TriggerCapture.of(database.dataSource());
        MasterTable items = tables.stream()
                .filter(one -> one.cqrsId().value().equals("item"))
                .findFirst()
                .orElseThrow();
        triggers.install(items);
        try {
            unit.commit(session -> persist(session, LargeTransactionIT::mixed));
        } finally {
            assertThat(triggers.uninstall(items.cqrsId())).isTrue();
        }
        assertThat(database.rows("select cqrs_id, count(*) from cqrs.outbox group by 1 order by 1"))
                .containsExactly("item|" + ROWS / 2, "page|" + ROWS / 2);
    }

    @Test
    void refusesAMessageThatIsTooLargeNamingTheEntity() {
        assertThatThrownBy(() -> unit.commit(session ->
                        persist(session, id -> new Page(id, id == 2000 ? MAX_MESSAGE_BYTES : 10))))
                .hasStackTraceContaining("the message of page 2000 has 400")
                .hasStackTraceContaining("more than the 400000 that are allowed");
        assertThat(database.count("page")).isZero();
        assertThat(Sent.all(database)).isEmpty();
    }

    @Test
    void abortsTheCommitWhereTheOutboxTakesNoMoreAndGoesOnWithTheNext() {
        database.execute("alter table cqrs.outbox add constraint full_up check (instance_pk <> '2000')");
        try (Session session = unit.sessions().openSession()) {
            session.beginTransaction();
            persist(session, id -> new Item(id, "lost"));
            assertThatThrownBy(session.getTransaction()::commit)
                    .hasStackTraceContaining("the outbox cqrs.outbox could not be written")
                    .hasStackTraceContaining("full_up");
            session.getTransaction().rollback();
            session.clear();
            session.beginTransaction();
            session.persist(new Item(1, "next"));
            session.getTransaction().commit();
        } finally {
            database.execute("alter table cqrs.outbox drop constraint full_up");
        }
        assertThat(database.rows("select id, name from item")).containsExactly("1|next");
        assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
    }

    @Test
    void tellsWhatToDoWhereTheOutboxIsMissing() {
        database.withoutOutbox(() -> assertThatThrownBy(() ->
                        unit.commit(session -> persist(session, id -> new Item(id, "lost"))))
                .hasStackTraceContaining("run `cqrs migrate` on this database first"));
        assertThat(database.count("item")).isZero();
    }

    @Entity(name = "Page")
    @Master("page")
    static class Page extends MasterEntity {
        @Id
        Long id;

        @Column(columnDefinition = "text")
        String text;

        protected Page() {}

        Page(long id, int length) {
            this.id = id;
            this.text = "x".repeat(length);
        }
    }
}
