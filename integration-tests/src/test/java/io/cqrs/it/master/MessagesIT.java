package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.OutboxException;
import io.cqrs.core.Signal;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.WhenExcluded;
import io.cqrs.master.hibernate.UncapturedDml;
import io.cqrs.master.spi.MessageContext;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/** What travels with a change, and what the persistence unit's settings make of it. */
@ExtendWith(TestEnvironment.class)
class MessagesIT {

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestEnvironment.database("messages");
        CqrsSchema.standard().migrate(database.dataSource());
    }

    @Test
    void addsWhatTheApplicationsContextGives() {
        try (MasterUnit master = unit("cqrs.context", Context.class.getName())) {
            master.commit(session -> session.persist(new Item(1, "a")));
            Sent sent = Sent.all(database).get(0);
            assertThat(sent.message().get("correlation_id").asText()).isEqualTo("SAVE of item 1");
            assertThat(sent.message().get("meta").toString()).isEqualTo("{\"by\":\"context\"}");
            assertThat(database.rows("select headers from cqrs.outbox"))
                    .containsExactly("{\"traceparent\":\"00-1-2-01\"}");
        }
    }

    @Test
    void carriesHeadersToTheQueue() throws Exception {
        try (MasterUnit master = unit("cqrs.context", new Context());
                InMemoryTransport transport = new InMemoryTransport();
                CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .build()) {
            transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            relay.start();
            master.commit(session -> session.persist(new Item(1, "a")));
            List<Delivery> delivered = Queues.take(transport, "q", 1);
            assertThat(delivered.get(0).headers()).containsEntry("traceparent", "00-1-2-01");
        }
    }

    @Test
    void refusesHeadersThatAreNotTheApplications() {
        MessageContext wrong = new MessageContext() {
            @Override
            public Map<String, String> headers() {
                return Map.of("cqrs-force", "true");
            }
        };
        try (MasterUnit master = unit("cqrs.context", wrong)) {
            assertThatThrownBy(() -> master.commit(session -> session.persist(new Item(1, "a"))))
                    .hasStackTraceContaining("header cqrs-force of the message context is not allowed");
            assertThat(database.count("item")).isZero();
        }
    }

    @Test
    void letsMessagesExpireWhereAsked() {
        try (MasterUnit master = unit("cqrs.expiry", "PT24H")) {
            master.commit(session -> {
                session.persist(new Item(1, "a"));
                session.persist(new Offer(1));
            });
            List<Sent> sent = Sent.all(database);
            assertThat(lifetime(sent.get(0))).isBetween(Duration.ofHours(24).minusSeconds(61), Duration.ofHours(24));
            assertThat(lifetime(sent.get(1))).isBetween(Duration.ofSeconds(0), Duration.ofSeconds(90));
        }
    }

    @Test
    void neverLetsMessagesExpireUnlessAsked() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            master.commit(session -> session.persist(new Item(1, "a")));
            assertThat(Sent.all(database).get(0).message().get("expires").isNull())
                    .isTrue();
        }
    }

    @Test
    void addsToASyncWhatItAddsToASave() throws Exception {
        Configuration configuration = MasterUnit.configuration(database, Item.class, Offer.class);
        configuration.getProperties().put("cqrs.context", new Context());
        configuration.getProperties().put("cqrs.expiry", "PT24H");
        try (MasterUnit unit = MasterUnit.of(configuration);
                InMemoryTransport transport = new InMemoryTransport();
                CqrsMaster master =
                        CqrsMaster.builder(unit.sessions()).transport(transport).build()) {
            unit.commit(session -> {
                session.persist(new Item(1, "a"));
                session.persist(new Offer(1));
            });
            Sent.take(database);
            assertThat(master.sync(Item.class).send().sent()).isEqualTo(1);
            assertThat(master.sync(Offer.class).to("q").force().send().sent()).isEqualTo(1);
            assertThat(database.rows(
                            "select headers::json->>'traceparent', coalesce(headers::json->>'cqrs-force', 'unforced')"
                                    + " from cqrs.outbox order by id"))
                    .containsExactly("00-1-2-01|unforced", "00-1-2-01|true");
            List<Sent> sent = Sent.all(database);
            assertThat(sent)
                    .extracting(one -> one.message().get("correlation_id").asText())
                    .containsExactly("SYNC of item 1", "SYNC of offer 1 to q");
            assertThat(sent)
                    .extracting(one -> one.message().get("meta").toString())
                    .containsOnly("{\"by\":\"context\"}");
            assertThat(lifetime(sent.get(0))).isBetween(Duration.ofHours(24).minusSeconds(61), Duration.ofHours(24));
            assertThat(lifetime(sent.get(1))).isBetween(Duration.ofSeconds(0), Duration.ofSeconds(90));
        }
    }

    @Test
    void refusesAMessageThatIsTooLargeBeforeTheCommitNamingTheEntity() {
        try (MasterUnit master = unit("cqrs.max_message_bytes", "2000")) {
            database.execute("alter table item alter name type text");
            master.commit(session -> session.persist(new Item(1, "x".repeat(1500))));
            assertThatThrownBy(() -> master.commit(session -> session.persist(new Item(2, "ä".repeat(1000)))))
                    .hasStackTraceContaining(OutboxException.class.getName())
                    .hasStackTraceContaining("the message of item 2 has 2")
                    .hasStackTraceContaining("more than the 2000 that are allowed");
            assertThat(database.rows("select id from item")).containsExactly("1");
        }
    }

    @Test
    void refusesWrongSettingsNamingThem() {
        for (Map.Entry<String, Object> wrong : Map.<String, Object>of(
                        "cqrs.expiry", "soon",
                        "cqrs.max_message_bytes", "12",
                        "cqrs.context", "no.such.Class",
                        "cqrs.clock", "java.lang.String",
                        "cqrs.uncaptured_dml", "maybe",
                        "cqrs.expiries", "PT1S")
                .entrySet()) {
            assertThatThrownBy(() -> unit(wrong.getKey(), wrong.getValue()).close())
                    .hasStackTraceContaining(CqrsConfigurationException.class.getName())
                    .hasStackTraceContaining("property " + wrong.getKey());
        }
    }

    @Test
    void deletesReplicasOfARowThatIsNoLongerSentWhereAsked() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            master.commit(session -> session.persist(new Offer(1)));
            master.commit(session -> session.find(Offer.class, 1L).open = false);
            master.commit(session -> session.find(Offer.class, 1L).price = 5);
            master.commit(session -> session.find(Offer.class, 1L).open = true);
            List<Sent> sent = Sent.all(database);
            assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "DELETE", "SAVE");
            assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L, 3L);
            assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
        }
    }

    @Test
    void deletesReplicasOfARowThatStopsBeingSentInTheTransactionThatDeletesIt() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            master.commit(session -> session.persist(new Offer(1)));
            Sent.take(database);
            master.commit(session -> {
                Offer offer = session.find(Offer.class, 1L);
                offer.open = false;
                session.flush();
                session.remove(offer);
            });
            assertThat(Sent.takeOnly(database).signal()).isEqualTo("DELETE");
        }
    }

    @Test
    void refusesAWriteOutsideOfATransaction() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            assertThatThrownBy(() -> {
                        try (var session = master.sessions().openStatelessSession()) {
                            session.insert(new Item(1, "a"));
                        }
                    })
                    .hasStackTraceContaining("outside of a transaction");
            assertThat(database.count("item")).isZero();
        }
    }

    @Test
    void sendsNothingForARowThatNeverWasSent() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            Offer offer = new Offer(1);
            offer.open = false;
            master.commit(session -> session.persist(offer));
            master.commit(session -> session.find(Offer.class, 1L).price = 5);
            assertThat(Sent.all(database)).isEmpty();
        }
    }

    @Test
    void refusesStatementsThatWritePastCaptureWhereAsked() {
        try (MasterUnit master = unit("cqrs.uncaptured_dml", UncapturedDml.REFUSE)) {
            master.commit(session -> {
                session.persist(new Item(1, "a"));
                session.persist(new Item(2, "a"));
            });
            for (String hql : List.of(
                    "update Item set name = 'b'",
                    "delete from Item where id = 1",
                    "insert into Item (id, name, cqrsRevision, cqrsUpdated) values (3L, 'c', 0L, instant)")) {
                assertThatThrownBy(() -> master.commit(
                                session -> session.createMutationQuery(hql).executeUpdate()))
                        .as(hql)
                        .hasStackTraceContaining("past capture");
            }
            for (String sql : List.of(
                    "update item set name = 'b'",
                    "with x as (select 1) delete from public.item",
                    "UPDATE \"item\" SET name = ? where id = 1",
                    "truncate table offer, item")) {
                assertThatThrownBy(() -> master.commit(session -> {
                            var query = session.createNativeMutationQuery(sql);
                            if (sql.contains("?")) {
                                query.setParameter(1, "x");
                            }
                            query.executeUpdate();
                        }))
                        .as(sql)
                        .hasStackTraceContaining("past capture");
            }
            master.commit(session -> session.find(Item.class, 1L).name = "by entity");
            master.commit(session -> session.remove(session.find(Item.class, 2L)));
            assertThat(database.rows("select id, name from item")).containsExactly("1|by entity");
        }
    }

    @Test
    void letsStatementsPassUnlessAsked() {
        try (MasterUnit master = unit("cqrs.schema", "cqrs")) {
            master.commit(session -> session.persist(new Item(1, "a")));
            master.commit(session ->
                    session.createMutationQuery("update Item set name = 'b'").executeUpdate());
            assertThat(database.rows("select name from item")).containsExactly("b");
        }
    }

    @Test
    void warnsOnceOfAStatementThatWritesPastCapture() {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger("io.cqrs.master.hibernate.DmlInspector");
        log.start();
        logger.addAppender(log);
        try (MasterUnit master = unit("cqrs.uncaptured_dml", UncapturedDml.WARN)) {
            master.commit(session -> session.persist(new Item(1, "a")));
            for (int i = 0; i < 3; i++) {
                master.commit(session -> session.createMutationQuery("update Item set name = 'b'")
                        .executeUpdate());
            }
            assertThat(database.rows("select name from item")).containsExactly("b");
        } finally {
            logger.detachAppender(log);
        }
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .singleElement()
                .asString()
                .containsIgnoringCase("a statement writes item")
                .contains("past capture")
                .containsIgnoringCase("Statement: update item");
    }

    @Test
    void notifiesARelayInAnotherProcessOfEachCommitThatSends() throws Exception {
        try (MasterUnit master = unit("cqrs.schema", "cqrs");
                Connection listening = database.dataSource().getConnection();
                Statement listen = listening.createStatement()) {
            listen.execute("listen \"cqrs_outbox:cqrs\"");
            PGConnection notified = listening.unwrap(PGConnection.class);
            for (long id = 1; id <= 3; id++) {
                Item item = new Item(id, "a");
                master.commit(session -> session.persist(item));
                await().until(() -> notified.getNotifications(100).length > 0);
            }
            for (long id = 10; id < 60; id++) {
                Item item = new Item(id, "a");
                master.commit(session -> session.persist(item));
            }
            await().until(() -> notified.getNotifications(100).length > 0);
            listen.execute("unlisten *");
        }
    }

    private MasterUnit unit(String property, Object value) {
        Configuration configuration = MasterUnit.configuration(database, Item.class, Offer.class);
        configuration.getProperties().put(property, value);
        return MasterUnit.of(configuration);
    }

    private Duration lifetime(Sent sent) {
        OffsetDateTime now = OffsetDateTime.parse(
                database.rows("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
                        .get(0));
        return Duration.between(
                now, OffsetDateTime.parse(sent.message().get("expires").asText()));
    }

    public static class Context implements MessageContext {
        @Override
        public String correlationId(Signal signal, EntityKey key, String queue) {
            return signal + " of " + key + (queue == null ? "" : " to " + queue);
        }

        @Override
        public Map<String, Object> meta(Signal signal, EntityKey key) {
            return Map.of("by", "context");
        }

        @Override
        public Map<String, String> headers() {
            return Map.of("traceparent", "00-1-2-01");
        }
    }

    @Entity(name = "Offer")
    @Master(value = "offer", whenExcluded = WhenExcluded.DELETE, expirySeconds = 90)
    static class Offer extends MasterEntity {
        @Id
        Long id;

        boolean open = true;
        int price;

        protected Offer() {}

        Offer(long id) {
            this.id = id;
        }

        @Override
        public boolean isSyncInstance() {
            return open;
        }
    }
}
