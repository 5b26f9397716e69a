package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Column;
import jakarta.persistence.Embeddable;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.PersistenceException;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.stat.Statistics;
import org.hibernate.type.SqlTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** Replicas with hooks: entities, and handlers without a table. */
@ExtendWith(TestEnvironment.class)
class HandlerIT {

    private static final CqrsId AUTHOR = CqrsId.of("author");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00.000001Z");

    private static TestDatabase database;
    private static MasterUnit unit;

    private final InMemoryTransport transport = new InMemoryTransport();
    private final Outcomes outcomes = new Outcomes();
    private final Recorder hooks = new Recorder();
    private CqrsReplica replica;
    private int sent;

    @BeforeAll
    static void create() {
        database = TestEnvironment.database("handler");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration =
                MasterUnit.configuration(database, AuthorRef.class, BookRef.class, RawRef.class, Item.class);
        configuration.setProperty("hibernate.generate_statistics", "true");
        unit = MasterUnit.of(configuration);
    }

    @BeforeEach
    void empty() {
        database.empty();
    }

    @AfterEach
    void stop() {
        if (replica != null) {
            replica.close();
        }
        transport.close();
    }

    @AfterAll
    static void close() {
        unit.close();
    }

    @Test
    void createsUpdatesAndDeletesByTheHooksDefaults() throws Exception {
        apply(save(1, 0, 0, "a"), save(1, 1, 1, "b"), save(2, 0, 1, "c"), delete(2, 1, 2));
        assertThat(rows()).containsExactly("1|b|1");
        assertThat(hooks.calls).containsExactly("create 1", "update 1 from a", "create 2", "delete 2");
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(4);
        assertThat(database.rows("select pk, revision from cqrs.tombstone")).containsExactly("2|1");
    }

    @Test
    void fillsEveryTypeAsTheSetPathDoes() throws Exception {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("id", 1L);
        data.put("name", "n");
        data.put("born", "1815-12-10");
        data.put("seen", "2026-11-21 01:16:00.614800+00:00");
        data.put("noted", "2026-11-21 01:16:00.614800");
        data.put("royalty", new BigDecimal("12345678901234567890.12"));
        data.put("kind", "POET");
        data.put("level", 1L);
        data.put("code", "6f1c1a4e-4a54-4c61-8d0c-7b7f6a4f1f10");
        data.put("photo", "AQID");
        data.put("alive", true);
        data.put("tags", List.of("x", "y \"z\""));
        data.put("doc", Map.of("b", List.of(1L, 2L), "a", "t"));
        data.put("home_street", "Elm");
        data.put("home_zip", null);
        data.put("mentor", null);
        start();
        apply(change(Signal.SAVE, 1, 0, 0, data));
        database.execute("create table author_set (like authorref including all)");
        Outcomes sets = new Outcomes();
        try (CqrsReplica other = CqrsReplica.builder(database.dataSource())
                .replica(io.cqrs.replica.ReplicaDefinition.ofTable(
                        AUTHOR,
                        io.cqrs.core.jdbc.TableName.parse("author_set"),
                        Map.of("mentor", "mentor_id", "home_street", "street", "home_zip", "zip"),
                        io.cqrs.replica.Order.UPDATED))
                .transport(transport)
                .queue("sets")
                .listener(sets)
                .build()) {
            other.start();
            await().until(() -> declared("sets"));
            Queues.put(transport, "sets", change(Signal.SAVE, 1, 0, 0, data));
            await().until(() -> sets.ended() == 1);
        }
        assertThat(database.rows("select r::text from authorref r"))
                .isEqualTo(database.rows("select r::text from author_set r"))
                .hasSize(1);
        apply(change(Signal.SAVE, 2, 0, 0, Map.of("id", 2L, "name", "pupil", "mentor", 1L)));
        assertThat(database.rows("select mentor_id from authorref where id = 2"))
                .containsExactly("1");
    }

    @Test
    void losesNoValueOfAColumnThatAppearsWhileABatchOfHooksAndSetsIsOnItsWay() throws Exception {
        database.execute(Item.REPLICA);
        replica = builder().replica(Item.definition()).build();
        transport.declare(replica.queue());
        replica.start();
        apply(save(1, 0, 0, "a"));
        database.execute("alter table item_ref add extra text");
        Change item = Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("item"), 1L),
                Stamp.of(T0, 0),
                Map.of("id", 1L, "name", "n", "extra", "kept"));
        apply(save(1, 1, 1, "b"), item, save(2, 0, 1, "c"));
        assertThat(database.rows("select extra from item_ref")).containsExactly("kept");
        assertThat(rows()).containsExactly("1|b|1", "2|c|0");
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(4);
    }

    @Test
    void holdsTheGuard() throws Exception {
        apply(save(1, 5, 5, "new"), save(1, 4, 4, "old"), save(1, 5, 5, "new"), save(1, 9, 9, "newer"));
        assertThat(rows()).containsExactly("1|newer|9");
        assertThat(outcomes.of(Outcome.STALE)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.DUPLICATE)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(1);
        apply(delete(1, 10, 10));
        apply(save(1, 9, 9, "zombie"), delete(1, 10, 10));
        assertThat(rows()).isEmpty();
        assertThat(outcomes.of(Outcome.DUPLICATE)).isEqualTo(2);
        apply(save(1, 0, 11, "next life"), delete(1, 10, 10));
        assertThat(rows()).containsExactly("1|next life|0");
        apply(save(1, 0, 1, "restored").withForced(true));
        assertThat(rows()).containsExactly("1|restored|0");
        assertThat(database.count("cqrs.tombstone")).isZero();
    }

    @Test
    void createsAKeyAgainThatItDeletesInTheSameBatch() throws Exception {
        apply(save(1, 0, 0, "a"));
        apply(delete(1, 1, 1), save(1, 0, 2, "b"), delete(1, 1, 3), save(1, 0, 4, "c"));
        assertThat(rows()).containsExactly("1|c|0");
    }

    @Test
    void loadsAndWritesTheRowsOfABatchTogether() throws Exception {
        start();
        Change[] creates =
                LongStream.range(0, 400).mapToObj(id -> save(id, 0, 0, "n")).toArray(Change[]::new);
        apply(creates);
        Statistics statistics = unit.sessions().getStatistics();
        statistics.clear();
        Change[] updates =
                LongStream.range(0, 400).mapToObj(id -> save(id, 1, 1, "m")).toArray(Change[]::new);
        apply(updates);
        assertThat(database.count("authorref where name = 'm'")).isEqualTo(400);
        assertThat(statistics.getPrepareStatementCount()).isLessThanOrEqualTo(2 * statistics.getTransactionCount());
        assertThat(statistics.getEntityLoadCount()).isEqualTo(400);
    }

    @Test
    void failsAChangeWhoseHookThrowsOrReturnsNothingAndCommitsTheRest() throws Exception {
        hooks.failing.addAll(List.of("throws", "null"));
        apply(save(1, 0, 0, "a"), save(2, 0, 0, "throws"), save(3, 0, 0, "null"), save(4, 0, 0, "d"));
        assertThat(rows()).containsExactly("1|a|0", "4|d|0");
        List<Delivery> dead = Queues.take(transport, "dead_letter_authors", 2);
        assertThat(dead)
                .extracting(one -> one.headers().get(Headers.ERROR_MESSAGE).toString())
                .anySatisfy(reason ->
                        assertThat(reason).contains("Recorder.save", "author 2", "IllegalStateException", "planted"))
                .anySatisfy(reason -> assertThat(reason).contains("Recorder.save", "author 3", "returned no row"));
        assertThat(dead).extracting(one -> one.headers().get(Headers.ATTEMPTS)).containsOnly(2);
        assertThat(hooks.retries).containsOnly(0, 1).hasSize(4);
    }

    @Test
    void appliesWhatItsHookFailedOnOnceThatWorksAgain() throws Exception {
        hooks.patient = true;
        hooks.failing.add("throws");
        start();
        Queues.put(transport, "authors", save(1, 0, 0, "throws"));
        await().until(() -> outcomes.retried() > 0);
        hooks.failing.clear();
        await().atMost(20, TimeUnit.SECONDS).until(() -> outcomes.of(Outcome.APPLIED) == 1);
        assertThat(rows()).containsExactly("1|throws|0");
    }

    @Test
    void tellsOfWhatIsCommittedOnceAndNeverOfWhatIsNot() throws Exception {
        hooks.failing.addAll(List.of("throws", "after"));
        apply(save(1, 0, 0, "a"), save(1, 0, 0, "a"), save(2, 0, 0, "throws"), save(3, 0, 0, "after"), delete(1, 1, 1));
        await().until(() -> hooks.committed.size() == 3);
        assertThat(hooks.committed).containsExactly("SAVE 1", "SAVE 3", "DELETE 1");
        assertThat(outcomes.dead()).as("the failing hook alone").isEqualTo(1);
    }

    @Test
    void givesHooksDataAndOldValuesByTheReplicasNames() throws Exception {
        Change change = change(Signal.SAVE, 1, 0, 0, Map.of("id", 1L, "name", "n", "strange", 1L))
                .withPrevious(Map.of("name", "before"));
        apply(change);
        assertThat(hooks.data.get(0)).containsOnlyKeys("id", "title").containsEntry("title", "n");
        assertThat(hooks.previous.get(0)).isEqualTo(Map.of("title", "before"));
    }

    @Test
    void keepsARowWhoseHookRefusesToRemoveIt() throws Exception {
        hooks.keeping = true;
        apply(save(1, 0, 0, "a"), delete(1, 1, 1));
        assertThat(rows()).containsExactly("1|gone|0");
        apply(save(1, 0, 0, "late"), delete(1, 1, 1));
        assertThat(rows()).containsExactly("1|gone|0");
        apply(save(1, 0, 2, "back"));
        assertThat(rows()).containsExactly("1|back|0");
    }

    @Test
    void commitsWhatAHookWritesBesideAndSendsItOnWhereThatIsAMaster() throws Exception {
        hooks.writesItems = true;
        apply(save(1, 0, 0, "a"), save(2, 0, 0, "throws"));
        assertThat(Sent.all(database)).hasSize(2).extracting(Sent::signal).containsOnly("SAVE");
        hooks.failing.add("throws");
        apply(save(3, 0, 0, "throws"));
        assertThat(Sent.all(database)).hasSize(2);
    }

    @Test
    void callsAHandlerWithoutATableForEveryMessage() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        replica = builder()
                .handler("price", new ReplicaHandler<Price>() {
                    @Override
                    public Price save(Price none, Change change, ReplicaContext<Price> context) {
                        Price price = context.dataAs(Price.class);
                        seen.add(price.toString());
                        return price;
                    }

                    @Override
                    public boolean delete(Price none, Change change, ReplicaContext<Price> context) {
                        seen.add("gone " + change.key());
                        return true;
                    }
                })
                .build();
        CqrsId price = CqrsId.of("price");
        transport.declare(ReplicaQueue.of("authors", Set.of(AUTHOR, price)));
        replica.start();
        Change first = Change.of(
                Signal.SAVE,
                EntityKey.of(price, 1L),
                Stamp.of(T0, 0),
                Map.of("unit_price", new BigDecimal("1.10"), "valid_from", "2026-01-02", "unknown", 1L));
        Change gone = Change.of(Signal.DELETE, EntityKey.of(price, 1L), Stamp.of(T0, 1), Map.of());
        Queues.put(transport, "authors", first, first, gone);
        await().until(() -> seen.size() == 3);
        assertThat(seen)
                .containsExactly(
                        "Price[unitPrice=1.10, validFrom=2026-01-02, note=null]",
                        "Price[unitPrice=1.10, validFrom=2026-01-02, note=null]",
                        "gone price 1");
    }

    @Test
    void leavesACustomSerializationToItsHandler() throws Exception {
        start();
        transport.declare(ReplicaQueue.of("authors", Set.of(AUTHOR, CqrsId.of("raw"))));
        Queues.put(
                transport,
                "authors",
                Change.of(
                        Signal.SAVE,
                        EntityKey.of(CqrsId.of("raw"), "k"),
                        Stamp.of(T0, 3),
                        Map.of("nested", Map.of("deep", "value"))));
        await().until(() -> outcomes.of(Outcome.APPLIED) == 1);
        assertThat(database.rows("select id, inner_text, cqrs_revision from rawref"))
                .containsExactly("k|value|3");
    }

    @Test
    void skipsSyncsToAllWhereOnlyDirectOnesAreWanted() throws Exception {
        start();
        CqrsId raw = CqrsId.of("raw");
        transport.declare(ReplicaQueue.of("authors", Set.of(AUTHOR, raw)));
        Change sync = Change.of(
                Signal.SYNC, EntityKey.of(raw, "k"), Stamp.of(T0, 3), Map.of("nested", Map.of("deep", "value")));
        publish(sync, RoutingKeys.toAll(raw));
        await().until(() -> outcomes.of(Outcome.SKIPPED) == 1);
        assertThat(database.count("rawref")).isZero();
        publish(sync, RoutingKeys.toQueue("authors", raw));
        await().until(() -> outcomes.of(Outcome.APPLIED) == 1);
        assertThat(database.count("rawref")).isEqualTo(1);
    }

    @Test
    void refusesAValueThatDoesNotFitItsAttributeNamingModelKeyAndField() throws Exception {
        apply(change(Signal.SAVE, 1, 0, 0, Map.of("id", 1L, "name", "n", "born", "soon")));
        assertThat(Queues.take(transport, "dead_letter_authors", 1).get(0).headers())
                .extractingByKey(Headers.ERROR_MESSAGE)
                .asString()
                .contains("author 1", "field born", "LocalDate")
                .doesNotContain("soon");
    }

    @Test
    void refusesANullThatAnAttributeMayNotHaveAtOnce() throws Exception {
        CqrsId strict = CqrsId.of("strict");
        try (MasterUnit other = MasterUnit.on(database, StrictRef.class);
                CqrsReplica refusing = CqrsReplica.builder(other.sessions())
                        .dataSource(database.dataSource())
                        .transport(transport)
                        .queue("strict")
                        .listener(outcomes)
                        .build()) {
            transport.declare(refusing.queue());
            refusing.start();
            Map<String, Object> data = new HashMap<>(Map.of("id", 1L));
            data.put("name", null);
            Queues.put(
                    transport,
                    "strict",
                    Change.of(Signal.SAVE, EntityKey.of(strict, 1L), Stamp.of(T0, 0), data),
                    Change.of(Signal.SAVE, EntityKey.of(strict, 2L), Stamp.of(T0, 0), Map.of("name", "b")),
                    Change.of(Signal.SAVE, EntityKey.of(strict, 3L), Stamp.of(T0, 0), Map.of("id", 3L)));
            await().until(() -> outcomes.dead() == 2 && database.count("strictref") == 1);
            assertThat(outcomes.retried()).isZero();
            assertThat(Queues.take(transport, "dead_letter_strict", 2))
                    .allSatisfy(dead -> assertThat(
                                    dead.headers().get(Headers.ERROR_MESSAGE).toString())
                            .contains("attribute name of", "StrictRef is null"));
        }
    }

    @Test
    void fillsTheRowItselfWhereARelatedOneWasLoadedFirst() throws Exception {
        apply(save(2, 0, 0, "b"), save(1, 0, 0, "a"));
        apply(change(Signal.SAVE, 2, 1, 1, Map.of("id", 2L, "name", "b2", "mentor", 1L)));
        // Row 2 comes first, and makes a proxy of 1.
        database.execute("update authorref set alive = true where id = 1");
        apply(
                change(Signal.SAVE, 2, 2, 2, Map.of("id", 2L, "name", "b3", "mentor", 1L)),
                change(Signal.SAVE, 1, 1, 2, Map.of("id", 1L, "name", "a2")));
        assertThat(rows()).containsExactly("1|a2|1", "2|b3|2");
        hooks.peeking = true;
        apply(save(2, 3, 3, "peek"), save(1, 2, 3, "a3"));
        assertThat(rows()).containsExactly("1|a3|2", "2|peek|3");
    }

    @Test
    void surviveErrorsOfHooks() throws Exception {
        hooks.failing.add("error");
        apply(save(1, 0, 0, "error"), save(2, 0, 0, "b"));
        assertThat(rows()).containsExactly("2|b|0");
        assertThat(Queues.take(transport, "dead_letter_authors", 1).get(0).headers())
                .extractingByKey(Headers.ERROR_MESSAGE)
                .asString()
                .contains("NoClassDefFoundError", "planted");
    }

    @Test
    void namesTheConstraintThatARowBreaks() throws Exception {
        database.execute("alter table authorref add constraint no_bad check (name <> 'bad')");
        try {
            apply(save(1, 0, 0, "bad"), save(2, 0, 0, "good"));
        } finally {
            database.execute("alter table authorref drop constraint no_bad");
        }
        assertThat(rows()).containsExactly("2|good|0");
        assertThat(Queues.take(transport, "dead_letter_authors", 1).get(0).headers())
                .extractingByKey(Headers.ERROR_MESSAGE)
                .asString()
                .contains("no_bad");
    }

    @Test
    void triesAgainWhatAHookLostItsConnectionOverWithoutSpendingAttempts() throws Exception {
        hooks.failing.add("kills");
        Logger log = (Logger) LoggerFactory.getLogger("io.cqrs");
        ListAppender<ILoggingEvent> told = new ListAppender<>();
        told.start();
        log.addAppender(told);
        try {
            apply(save(1, 0, 0, "kills"), save(2, 0, 0, "b"));
        } finally {
            log.detachAppender(told);
        }
        assertThat(List.copyOf(told.list)).extracting(HandlerIT::text).anyMatch(text -> text.contains("was lost"));
        assertThat(List.copyOf(told.list)).extracting(HandlerIT::text).noneMatch(text -> text.contains("its data"));
        assertThat(rows()).containsExactly("1|kills|0", "2|b|0");
        assertThat(outcomes.retried()).isZero();
        assertThat(outcomes.dead()).isZero();
    }

    private static String text(ILoggingEvent event) {
        return event.getFormattedMessage() + ThrowableProxyUtil.asString(event.getThrowableProxy());
    }

    @Test
    void takesTroubleOfAnotherDatabaseForTheHooksOwn() throws Exception {
        hooks.failing.add("elsewhere");
        apply(save(1, 0, 0, "elsewhere"), save(2, 0, 0, "b"));
        assertThat(rows()).containsExactly("2|b|0");
        assertThat(outcomes.retried()).isEqualTo(1);
        assertThat(outcomes.dead()).isEqualTo(1);
    }

    @Test
    void refusesTimesThatTheServersCannotHold() {
        assertThatThrownBy(() ->
                        builder().deadLetterTimeToLive(Duration.ofDays(60)).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("deadLetterTimeToLive");
        assertThatThrownBy(() -> builder().statementTimeout(Duration.ZERO).build())
                .hasMessageContaining("statementTimeout");
    }

    @Test
    void refusesWrongDeclarationsNamingClassAndFix() {
        assertRefused(NoMaker.class, "NoMakerHandler", "constructor without parameters");
        assertRefused(CustomAlone.class, "CustomAlone", "handler");
        assertRefused(WrongMap.class, "WrongMap", "nothing", "title");
        assertRefused(Frozen.class, "Frozen", "immutable");
        assertRefused(Counted.class, "Counted", "@Version");
        assertRefused(Generated.class, "Generated", "generated id");
        assertRefused(ReadOnly.class, "ReadOnly", "title", "not insertable and updatable");
        assertRefused(NoStamps.class, "NoStamps", "cqrs_revision", "extend ReplicaEntity");
    }

    private void assertRefused(Class<?> entity, String... words) {
        try (MasterUnit wrong = MasterUnit.on(database, entity)) {
            assertThatThrownBy(() -> CqrsReplica.builder(wrong.sessions())
                            .transport(transport)
                            .queue("authors")
                            .build())
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageContainingAll(words);
        }
    }

    private boolean declared(String queue) {
        try {
            transport.openReceiver(queue, 1).close();
            return true;
        } catch (Exception e) {
            return false;
        }
    }

    private void publish(Change change, String routingKey) throws Exception {
        byte[] body = new MessageCodec().encode(Message.of(change));
        try (Publisher publisher = transport.openPublisher()) {
            var unused = publisher
                    .send(List.of(new OutgoingMessage(
                            new Destination.Exchange(routingKey), "m", OutgoingMessage.SINGLE, Map.of(), body)))
                    .await(Duration.ofSeconds(20));
        }
    }

    private CqrsReplica.Builder builder() {
        return CqrsReplica.builder(unit.sessions())
                .dataSource(database.dataSource())
                .handlers(type -> type == Recorder.class ? hooks : new RawHandler())
                .transport(transport)
                .queue("authors")
                .retries(new RetryPolicy(1, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes);
    }

    private void start() throws InterruptedException {
        replica = builder().build();
        transport.declare(replica.queue());
        replica.start();
    }

    private void apply(Change... changes) throws InterruptedException {
        if (replica == null) {
            start();
        }
        sent += changes.length;
        Queues.put(transport, "authors", changes);
        await().pollInterval(Duration.ofMillis(5))
                .atMost(30, TimeUnit.SECONDS)
                .until(() -> outcomes.ended() - outcomes.of(Outcome.REJECTED) + outcomes.dead() >= sent);
    }

    private List<String> rows() {
        return database.rows("select id, name, cqrs_revision from authorref order by id");
    }

    private static Change save(long id, long revision, long seconds, String name) {
        return change(Signal.SAVE, id, revision, seconds, Map.of("id", id, "name", name));
    }

    private static Change delete(long id, long revision, long seconds) {
        return change(Signal.DELETE, id, revision, seconds, Map.of());
    }

    private static Change change(Signal signal, long id, long revision, long seconds, Map<String, Object> data) {
        return Change.of(signal, EntityKey.of(AUTHOR, id), Stamp.of(T0.plusSeconds(seconds), revision), data);
    }

    /** Its name may not be null. */
    @Entity(name = "strictref")
    @Replica(value = "strict", handler = StrictHandler.class)
    static class StrictRef extends ReplicaEntity {
        @Id
        Long id;

        @Column(nullable = false)
        String name;
    }

    /** Does what hooks do by default. */
    static class StrictHandler extends ReplicaHandler<StrictRef> {}

    record Price(BigDecimal unitPrice, LocalDate validFrom, String note) {}

    /** Does what hooks do, writes it down, and fails where it is told to. */
    static class Recorder extends ReplicaHandler<AuthorRef> {
        final List<String> calls = new CopyOnWriteArrayList<>();
        final List<String> committed = new CopyOnWriteArrayList<>();
        final List<Integer> retries = new CopyOnWriteArrayList<>();
        final List<Map<String, Object>> data = new CopyOnWriteArrayList<>();
        final List<Map<String, Object>> previous = new CopyOnWriteArrayList<>();
        final List<String> failing = new CopyOnWriteArrayList<>();
        final AtomicInteger items = new AtomicInteger();
        volatile boolean keeping;
        volatile boolean peeking;
        volatile boolean patient;
        volatile boolean writesItems;

        @Override
        public AuthorRef save(AuthorRef row, Change change, ReplicaContext<AuthorRef> context) throws Exception {
            data.add(context.data());
            previous.add(context.previousData());
            if (writesItems) {
                context.entityManager().persist(new Item(items.incrementAndGet(), "beside"));
            }
            Object name = change.data().get("name");
            if ("error".equals(name) && failing.contains("error")) {
                throw new NoClassDefFoundError("planted");
            }
            if ("kills".equals(name) && failing.remove("kills")) {
                try {
                    Object unused = context.entityManager()
                            .createNativeQuery("select pg_terminate_backend(pg_backend_pid())")
                            .getResultList();
                } catch (PersistenceException e) {
                    throw new IllegalStateException("planted: it tells its data, but not why");
                }
            }
            if ("elsewhere".equals(name)) {
                throw new IllegalStateException(new SQLException("too many clients, there", "53300"));
            }
            if ("peek".equals(name) && peeking) {
                context.entityManager().find(AuthorRef.class, 1L);
            }
            if ("throws".equals(name) && failing.contains("throws")) {
                throw new IllegalStateException("planted");
            }
            return "null".equals(name) && failing.contains("null") ? null : super.save(row, change, context);
        }

        @Override
        public AuthorRef create(Change change, ReplicaContext<AuthorRef> context) throws Exception {
            calls.add("create " + change.key().text());
            return super.create(change, context);
        }

        @Override
        public AuthorRef update(AuthorRef row, Change change, ReplicaContext<AuthorRef> context) throws Exception {
            calls.add("update " + change.key().text() + " from " + row.title);
            return super.update(row, change, context);
        }

        @Override
        public boolean delete(AuthorRef row, Change change, ReplicaContext<AuthorRef> context) throws Exception {
            calls.add("delete " + change.key().text());
            if (keeping && row != null) {
                row.title = "gone";
                return true;
            }
            return super.delete(row, change, context);
        }

        @Override
        public boolean shouldRetry(int count, Exception error, RetryPolicy policy) {
            retries.add(count);
            return patient || super.shouldRetry(count, error, policy);
        }

        @Override
        public Duration retryDelay(int retry, RetryPolicy policy) {
            return Duration.ofSeconds(1);
        }

        @Override
        public void afterCommit(Change change) {
            committed.add(change.signal() + " " + change.key().text());
            if (failing.contains("after")) {
                throw new IllegalStateException("planted");
            }
        }
    }

    static class RawHandler extends ReplicaHandler<RawRef> {
        @Override
        public RawRef save(RawRef row, Change change, ReplicaContext<RawRef> context) {
            RawRef raw = row == null ? context.newRow() : row;
            raw.innerText =
                    ((Map<?, ?>) context.data().get("nested")).get("deep").toString();
            return raw;
        }
    }

    enum Kind {
        NOVELIST,
        POET
    }

    @Embeddable
    static class Home {
        String street;
        String zip;
    }

    @Entity(name = "AuthorRef")
    @Replica(
            value = "author",
            mapping = @io.cqrs.replica.Map(master = "name", replica = "title"),
            handler = Recorder.class)
    static class AuthorRef extends ReplicaEntity {
        @Id
        Long id;

        @Column(name = "name")
        String title;

        LocalDate born;
        Instant seen;
        LocalDateTime noted;

        @Column(precision = 30, scale = 2)
        BigDecimal royalty;

        @jakarta.persistence.Enumerated(jakarta.persistence.EnumType.STRING)
        Kind kind;

        Kind level;
        UUID code;
        byte[] photo;
        Boolean alive;
        String[] tags;

        @JdbcTypeCode(SqlTypes.JSON)
        Map<String, Object> doc;

        Home home;

        @ManyToOne(fetch = FetchType.LAZY)
        AuthorRef mentor;
    }

    @Entity(name = "BookRef")
    @Replica("book")
    static class BookRef extends ReplicaEntity {
        @Id
        Long id;

        Home shelf;
    }

    @Entity(name = "RawRef")
    @Replica(value = "raw", handler = RawHandler.class, customSerialization = true, onlyDirectSyncs = true)
    static class RawRef extends ReplicaEntity {
        @Id
        String id;

        @Column(name = "inner_text", nullable = false)
        String innerText;
    }

    static class NoMakerHandler extends ReplicaHandler<NoMaker> {
        NoMakerHandler(String needed) {}
    }

    @Entity(name = "NoMaker")
    @Replica(value = "wrong", handler = NoMakerHandler.class)
    static class NoMaker extends ReplicaEntity {
        @Id
        Long id;
    }

    @Entity(name = "CustomAlone")
    @Replica(value = "wrong", customSerialization = true)
    static class CustomAlone extends ReplicaEntity {
        @Id
        Long id;
    }

    @Entity(name = "WrongMap")
    @Replica(value = "wrong", mapping = @io.cqrs.replica.Map(master = "a", replica = "nothing"))
    static class WrongMap extends ReplicaEntity {
        @Id
        Long id;

        String title;
    }

    @Entity(name = "Frozen")
    @org.hibernate.annotations.Immutable
    @Replica(value = "wrong", handler = RawHandler.class)
    static class Frozen extends ReplicaEntity {
        @Id
        Long id;
    }

    @Entity(name = "Counted")
    @Replica(value = "wrong", handler = RawHandler.class)
    static class Counted extends ReplicaEntity {
        @Id
        Long id;

        @jakarta.persistence.Version
        long version;
    }

    @Entity(name = "Generated")
    @Replica(value = "wrong", handler = RawHandler.class)
    static class Generated extends ReplicaEntity {
        @Id
        @jakarta.persistence.GeneratedValue
        Long id;
    }

    @Entity(name = "ReadOnly")
    @Replica(value = "wrong", handler = RawHandler.class)
    static class ReadOnly extends ReplicaEntity {
        @Id
        Long id;

        @Column(updatable = false)
        String title;
    }

    @Entity(name = "NoStamps")
    @Replica(value = "wrong", handler = RawHandler.class)
    static class NoStamps {
        @Id
        Long id;
    }
}
