package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Column;
import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.DiscriminatorValue;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.hibernate.Hibernate;
import org.hibernate.Session;
import org.hibernate.annotations.DynamicUpdate;
import org.hibernate.annotations.OptimisticLock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What reaches the outbox when plain Hibernate code changes master entities. */
@ExtendWith(TestEnvironment.class)
class CaptureIT {

    private static TestDatabase database;
    private static MasterUnit master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("capture");
        CqrsSchema.standard().migrate(database.dataSource());
        master = MasterUnit.on(database, Item.class, Author.class, Book.class, Reading.class);
    }

    @AfterAll
    static void stop() {
        master.close();
    }

    @AfterEach
    void empty() {
        database.execute("delete from cqrs.outbox");
    }

    @Test
    void sendsASaveOfRevisionZeroForANewEntity() {
        master.commit(session -> session.persist(new Item(1, "näme \" \\ 😀").with(3, "1.50")));
        JsonNode sent = onlyMessage();
        assertThat(sent.get("signal_type").asText()).isEqualTo("SAVE");
        assertThat(sent.get("cqrs_id").asText()).isEqualTo("item");
        assertThat(sent.get("instance_pk").asLong()).isEqualTo(1);
        JsonNode data = sent.get("instance_data");
        assertThat(data.get("cqrs_revision").asLong()).isZero();
        assertThat(data.get("id").asLong()).isEqualTo(1);
        assertThat(data.get("name").asText()).isEqualTo("näme \" \\ 😀");
        assertThat(database.rows("select body from cqrs.outbox").get(0)).contains("\"unit_price\":1.50,");
        assertThat(data.get("cqrs_updated").asText())
                .isEqualTo(database.rows(
                                "select to_char(cqrs_updated at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00:00'"
                                        + " from item where id = 1")
                        .get(0));
        assertThat(database.rows("select cqrs_id, instance_pk, routing_key from cqrs.outbox"))
                .containsExactly("item|1|item");
    }

    @Test
    void countsTheRevisionUpWithEachCommitAndTimeForward() {
        master.commit(session -> session.persist(new Item(2, "a")));
        master.commit(session -> session.find(Item.class, 2L).name = "b");
        master.commit(session -> session.find(Item.class, 2L).name = "c");
        List<JsonNode> sent = messages();
        assertThat(sent).extracting(CaptureIT::revision).containsExactly(0L, 1L, 2L);
        assertThat(sent).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void sendsOneMessageForSeveralFlushesOfATransactionWithTheFinalState() {
        master.commit(session -> session.persist(new Item(3, "a")));
        empty();
        master.commit(session -> {
            Item item = session.find(Item.class, 3L);
            item.name = "b";
            session.flush();
            item.name = "c";
            session.flush();
            item.name = "d";
        });
        JsonNode sent = onlyMessage();
        assertThat(sent.get("instance_data").get("name").asText()).isEqualTo("d");
        assertThat(revision(sent)).isEqualTo(3);
    }

    @Test
    void sendsNothingForARollback() {
        master.rollBack(session -> session.persist(new Item(4, "a")));
        assertThat(messages()).isEmpty();
    }

    @Test
    void sendsNothingOfARolledBackTransactionWithTheNextOneOfItsSession() {
        try (var session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(5, "rolled back"));
            session.flush();
            session.getTransaction().rollback();
            session.clear();
            session.beginTransaction();
            session.persist(new Item(6, "committed"));
            session.getTransaction().commit();
        }
        assertThat(onlyMessage().get("instance_pk").asLong()).isEqualTo(6);
    }

    @Test
    void sendsNothingForARowThatCameAndWentInOneTransaction() {
        master.commit(session -> {
            Item item = new Item(7, "a");
            session.persist(item);
            session.flush();
            session.remove(item);
        });
        assertThat(messages()).isEmpty();
    }

    @Test
    void sendsADeleteLaterThanItsRow() {
        master.commit(session -> session.persist(new Item(8, "a")));
        master.commit(session -> session.remove(session.find(Item.class, 8L)));
        List<JsonNode> sent = messages();
        assertThat(sent.get(1).get("signal_type").asText()).isEqualTo("DELETE");
        assertThat(sent.get(1).get("instance_data").get("id").asLong()).isEqualTo(8);
        assertThat(revision(sent.get(1))).isEqualTo(1);
        assertThat(updated(sent.get(1))).isGreaterThan(updated(sent.get(0)));
    }

    /** Hibernate takes the row for the one that it loaded, since both are of revision 0. */
    @Test
    void sendsADeleteLaterThanALifeOfTheKeyThatBeganAfterItsInstanceWasLoaded() {
        master.commit(session -> session.persist(new Item(54, "first life")));
        master.commit(session -> {
            Item loaded = session.find(Item.class, 54L);
            master.commit(other -> other.remove(other.find(Item.class, 54L)));
            master.commit(other -> other.persist(new Item(54, "second life")));
            session.remove(loaded);
        });
        requireTwoLivesOneAfterTheOther(54);
    }

    @Test
    void sendsADeleteLaterThanALifeOfTheKeyThatItsDeleteWaitedFor() throws Exception {
        master.commit(session -> session.persist(new Item(56, "first life")));
        Thread deleting = new Thread(() -> master.commit(session -> session.remove(session.find(Item.class, 56L))));
        master.commit(session -> {
            session.remove(session.find(Item.class, 56L));
            session.flush();
            session.persist(new Item(56, "second life"));
            session.flush();
            deleting.start();
            org.awaitility.Awaitility.await()
                    .until(() -> database.count("pg_stat_activity where datname = current_database()"
                                    + " and wait_event_type = 'Lock'")
                            > 0);
        });
        deleting.join();
        requireTwoLivesOneAfterTheOther(56);
    }

    private static void requireTwoLivesOneAfterTheOther(long id) {
        List<JsonNode> sent = messages();
        assertThat(sent)
                .extracting(one -> one.get("signal_type").asText())
                .containsExactly("SAVE", "DELETE", "SAVE", "DELETE");
        assertThat(sent).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
        assertThat(database.count("item where id = " + id)).isZero();
    }

    @Test
    void sendsADeleteOfALaterLifeThatWasSentThoughItsInstanceWasNot() {
        master.commit(session -> session.persist(new Author(55L, "secret")));
        master.commit(session -> {
            Author loaded = session.find(Author.class, 55L);
            master.commit(other -> other.remove(other.find(Author.class, 55L)));
            master.commit(other -> other.persist(new Author(55L, "known")));
            session.remove(loaded);
        });
        assertThat(messages())
                .extracting(one -> one.get("signal_type").asText())
                .containsExactly("SAVE", "DELETE");
    }

    @Test
    void sendsBothForADeleteAndInsertOfOneKeyInOneTransaction() {
        master.commit(session -> session.persist(new Item(9, "first life")));
        empty();
        master.commit(session -> {
            session.remove(session.find(Item.class, 9L));
            session.flush();
            session.persist(new Item(9, "second life"));
        });
        List<JsonNode> sent = messages();
        assertThat(sent).extracting(one -> one.get("signal_type").asText()).containsExactly("DELETE", "SAVE");
        assertThat(revision(sent.get(1))).isZero();
        assertThat(updated(sent.get(1))).isGreaterThan(updated(sent.get(0)));
    }

    @Test
    void makesTheNextLifeOfAKeyLaterEvenWhenItsRowWasWrittenByAClockInTheFuture() {
        master.commit(session -> session.persist(new Item(10, "a")));
        database.execute("update item set cqrs_updated = now() + interval '500 milliseconds' where id = 10");
        master.commit(session -> session.remove(session.find(Item.class, 10L)));
        master.commit(session -> session.persist(new Item(10, "b")));
        assertThat(messages()).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void sendsNothingForACleanEntity() {
        master.commit(session -> session.persist(new Item(11, "a")));
        empty();
        master.commit(session -> session.find(Item.class, 11L).name = "a");
        assertThat(messages()).isEmpty();
    }

    @Test
    void keepsTheOrderOfFirstChangesWithinATransaction() {
        master.commit(session -> {
            for (long id = 100; id < 2200; id++) {
                session.persist(new Item(id, "n" + id));
            }
        });
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .hasSize(2100)
                .isSortedAccordingTo((a, b) -> Long.compare(Long.parseLong(a), Long.parseLong(b)));
    }

    @Test
    void sendsAReferenceAsItsKeyWithoutLoadingIt() {
        master.commit(session -> session.persist(new Author(1L, "someone")));
        empty();
        master.commit(session -> {
            Author author = session.getReference(Author.class, 1L);
            session.persist(new Book(1L, author, "t"));
            session.flush();
            assertThat(Hibernate.isInitialized(author)).isFalse();
        });
        JsonNode data = onlyMessage().get("instance_data");
        assertThat(data.get("author").asLong()).isEqualTo(1);
        assertThat(data.get("book_title").asText()).isEqualTo("t");
    }

    @Test
    void sendsTrackedFieldsWithTheirOldValues() {
        master.commit(session -> session.persist(new Author(2L, "a")));
        master.commit(session -> {
            session.find(Author.class, 2L).name = "b";
            session.flush();
            session.find(Author.class, 2L).name = "c";
        });
        master.commit(session -> session.find(Author.class, 2L).fans = 1);
        List<JsonNode> sent = messages();
        assertThat(sent.get(0).get("previous_data").toString()).isEqualTo("{\"name\":null}");
        assertThat(sent.get(1).get("previous_data").toString()).isEqualTo("{\"name\":\"a\"}");
        assertThat(sent.get(2).get("previous_data").toString()).isEqualTo("{}");
    }

    @Test
    void sendsOfANewEntityTheTrackedFieldsThatAreNotNull() {
        master.commit(session -> session.persist(new Reading(3L, 1.5)));
        assertThat(onlyMessage().get("previous_data").toString()).isEqualTo("{\"celsius\":null}");
    }

    @Test
    void sendsADeleteOfARowWhoseOldStateNobodyKnowsWhateverItIsNow() {
        assumeFalse(MasterUnit.onHibernate6(), "its stateless sessions tell nothing, and are refused");
        Author author = new Author(57L, "known");
        master.commit(session -> session.persist(author));
        author.name = "secret";
        master.sessions().inStatelessTransaction(session -> {
            session.update(author);
            session.delete(author);
        });
        assertThat(messages())
                .extracting(one -> one.get("signal_type").asText())
                .containsExactly("SAVE", "DELETE");
    }

    @Test
    void asksTheEntityWhetherItIsSentAndCountsItsRevisionOnAllTheSame() {
        master.commit(session -> session.persist(new Author(3L, "secret")));
        assertThat(messages()).isEmpty();
        master.commit(session -> session.find(Author.class, 3L).name = "known");
        assertThat(revision(onlyMessage())).isEqualTo(1);
    }

    @Test
    void asksAboutTheRowThatWasWrittenWhateverTheInstanceHoldsSince() {
        master.commit(session -> {
            Author open = new Author(31L, "known");
            Author hidden = new Author(32L, "secret");
            session.persist(open);
            session.persist(hidden);
            session.flush();
            session.detach(open);
            session.detach(hidden);
            open.name = "secret";
            hidden.name = "known";
        });
        assertThat(onlyMessage().get("instance_data").get("name").asText()).isEqualTo("known");
        assertThat(onlyMessage().get("instance_pk").asLong()).isEqualTo(31);
    }

    @Test
    void sendsNoDeleteOfARowThatNeverWasSent() {
        master.commit(session -> session.persist(new Author(5L, "secret")));
        master.commit(session -> session.find(Author.class, 5L).fans = 1);
        master.commit(session -> session.remove(session.find(Author.class, 5L)));
        assertThat(messages()).isEmpty();
    }

    @Test
    void countsEachOfManyConcurrentSavesOfOneRowOnce() throws Exception {
        int writers = 6;
        int saves = 20;
        master.commit(session -> session.persist(new Item(90, "a").with(0, "1")));
        Callable<Void> writer = () -> {
            for (int save = 0; save < saves; ) {
                try {
                    master.commit(session -> session.find(Item.class, 90L).amount++);
                    save++;
                } catch (OptimisticLockException another) {
                    // Another's save came first: once more, from the row as it is now.
                }
            }
            return null;
        };
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try {
            for (Future<Void> done : threads.invokeAll(Collections.nCopies(writers, writer))) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
        List<JsonNode> sent = messages();
        assertThat(sent)
                .extracting(CaptureIT::revision)
                .isEqualTo(LongStream.rangeClosed(0, writers * saves).boxed().toList());
        assertThat(sent).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
        assertThat(sent)
                .extracting(
                        message -> message.get("instance_data").get("amount").asLong())
                .isEqualTo(LongStream.rangeClosed(0, writers * saves).boxed().toList());
    }

    @Test
    void sendsMetaAndDeleteDataOfTheEntity() {
        master.commit(session -> session.persist(new Author(4L, "a")));
        master.commit(session -> session.remove(session.find(Author.class, 4L)));
        List<JsonNode> sent = messages();
        assertThat(sent.get(0).get("meta").toString()).isEqualTo("{\"why\":\"SAVE\"}");
        assertThat(sent.get(1).get("instance_data").get("custom").toString()).isEqualTo("{\"name\":\"a\"}");
    }

    @Test
    void sendsNothingOfARowThatStoppedBeingSentUntilItIsSentAgain() {
        master.commit(session -> session.persist(new Author(6L, "a")));
        master.commit(session -> session.find(Author.class, 6L).name = "secret");
        master.commit(session -> session.find(Author.class, 6L).fans = 1);
        assertThat(messages()).extracting(CaptureIT::revision).containsExactly(0L);
        master.commit(session -> session.find(Author.class, 6L).name = "b");
        master.commit(session -> session.find(Author.class, 6L).name = "secret");
        master.commit(session -> session.remove(session.find(Author.class, 6L)));
        assertThat(messages()).extracting(CaptureIT::revision).containsExactly(0L, 3L);
    }

    @Test
    void givesRevisionAndTimeToADynamicUpdateToo() {
        master.commit(session -> session.persist(new Book(2L, null, "a")));
        master.commit(session -> session.find(Book.class, 2L).title = "b");
        List<JsonNode> sent = messages();
        assertThat(revision(sent.get(1))).isEqualTo(1);
        assertThat(database.rows("select book_title, cqrs_revision from book where id = 2"))
                .containsExactly("b|1");
        assertThat(updated(sent.get(1))).isGreaterThan(updated(sent.get(0)));
    }

    @Test
    void sendsATimeAsItsRowHasIt() {
        for (int nanos : new int[] {123_456_499, 123_456_500, 999_999_999}) {
            Reading reading = new Reading(100L + nanos, 1);
            reading.taken = Instant.ofEpochSecond(1_700_000_000, nanos);
            reading.time = java.time.LocalTime.of(1, 2, 3, nanos);
            reading.zoned = reading.taken.atZone(java.time.ZoneId.of("Asia/Kathmandu"));
            reading.local = java.time.LocalDateTime.ofInstant(reading.taken, java.time.ZoneOffset.UTC);
            master.commit(session -> session.persist(reading));
        }
        assertThat(messages())
                .extracting(one -> one.get("instance_data").get("taken").asText())
                .isEqualTo(
                        database.rows("select to_char(taken at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || coalesce("
                                + "nullif(to_char(taken, '.US'), '.000000'), '') || '+00:00' from reading where taken is not null"
                                + " order by id"));
        assertThat(messages())
                .extracting(one -> java.time.LocalTime.parse(
                        one.get("instance_data").get("time").asText()))
                .isEqualTo(database.rows("select time::text from reading where taken is not null order by id").stream()
                        .map(java.time.LocalTime::parse)
                        .toList());
        assertThat(messages())
                .extracting(one -> one.get("instance_data").get("local").asText())
                .isEqualTo(database.rows("select local::text from reading where taken is not null order by id"));
        assertThat(messages())
                .extracting(one -> one.get("instance_data").get("zoned").asText())
                .isEqualTo(messages().stream()
                        .map(one -> one.get("instance_data").get("taken").asText())
                        .toList());
    }

    @Test
    void refusesAnUpsertThatItCannotSeeAndTheCommitWithIt() {
        Item item = new Item(50, "a");
        String reason = MasterUnit.onHibernate6() ? "a StatelessSession of this version" : "upsert of item";
        assertThatThrownBy(() -> master.sessions().inStatelessTransaction(session -> session.upsert(item)))
                .hasStackTraceContaining(reason);
        if (!MasterUnit.onHibernate6()) {
            assertThatThrownBy(() -> master.sessions().inStatelessTransaction(session -> {
                        try {
                            session.upsert(item);
                        } catch (OutboxException swallowed) {
                            assertThat(swallowed).hasMessageContaining(reason);
                        }
                    }))
                    .hasStackTraceContaining(reason);
        }
        assertThat(database.rows("select id from item where id = 50")).isEmpty();
        assertThat(messages()).isEmpty();
    }

    @Test
    void capturesAStatelessSessionOrRefusesItWhereHibernateTellsTooLittle() {
        if (MasterUnit.onHibernate6()) {
            assertThatThrownBy(() -> master.sessions().inStatelessTransaction(session -> {
                        try {
                            session.insert(new Item(51, "a"));
                        } catch (OutboxException swallowed) {
                            assertThat(swallowed).hasMessageContaining("a StatelessSession of this version");
                            throw swallowed;
                        }
                    }))
                    .hasStackTraceContaining("can't be captured, and writes ");
            assertThat(database.rows("select id from item where id = 51")).isEmpty();
            master.commit(session -> session.persist(new Item(51, "a")));
            Item there = master.sessions().fromTransaction(session -> session.find(Item.class, 51L));
            master.sessions().inStatelessTransaction(session -> {
                try {
                    session.delete(there);
                } catch (OutboxException swallowed) {
                    assertThat(swallowed).hasMessageContaining("a StatelessSession of this version");
                }
            });
            assertThat(database.count("item where id = 51")).isOne();
            return;
        }
        Item item = new Item(51, "a");
        master.sessions().inStatelessTransaction(session -> session.insert(item));
        item.name = "b";
        master.sessions().inStatelessTransaction(session -> session.update(item));
        master.sessions().inStatelessTransaction(session -> session.delete(item));
        assertThat(messages()).extracting(CaptureIT::revision).containsExactly(0L, 1L, 2L);
        assertThat(messages()).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void keepsTheTimeOfTheRowWhateverADetachedInstanceBrings() {
        master.commit(session -> session.persist(new Item(52, "a")));
        Item detached = master.sessions().fromTransaction(session -> session.find(Item.class, 52L));
        for (String text : new String[] {null, "2999-01-01T00:00:00Z"}) {
            try {
                var field = MasterEntity.class.getDeclaredField("cqrsUpdated");
                field.setAccessible(true);
                field.set(detached, text == null ? null : Instant.parse(text));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
            detached.name += "b";
            Item merged = master.sessions().fromTransaction(session -> session.merge(detached));
            try {
                var version = MasterEntity.class.getDeclaredField("cqrsRevision");
                version.setAccessible(true);
                version.set(detached, merged.cqrsRevision());
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        assertThat(messages())
                .hasSize(3)
                .extracting(CaptureIT::updated)
                .isSorted()
                .doesNotHaveDuplicates()
                .allSatisfy(time -> assertThat(time).doesNotStartWith("2999"));
    }

    @Test
    void refusesTimesThatTheirColumnRoundsOrShifts() {
        TestDatabase coarse = TestEnvironment.database("coarse");
        CqrsSchema.standard().migrate(coarse.dataSource());
        try (MasterUnit unit = MasterUnit.on(coarse, Item.class)) {
            coarse.execute("alter table item alter cqrs_updated type timestamptz(3)");
            assertThatThrownBy(() -> unit.commit(session -> session.persist(new Item(1, "a"))))
                    .hasStackTraceContaining("keeps 3 digits of a second");
            assertThat(coarse.count("item")).isZero();
        }
        coarse.execute("alter table item alter cqrs_updated type timestamp");
        try (MasterUnit unit = MasterUnit.on(coarse, Item.class)) {
            assertThatThrownBy(() -> unit.commit(session -> session.persist(new Item(1, "a"))))
                    .hasStackTraceContaining("column cqrs_updated of Item is a timestamp without time zone")
                    .hasStackTraceContaining("alter it to timestamptz");
            assertThat(coarse.count("item")).isZero();
        }
    }

    @Test
    void losesNoInsertThatWaitedForADeleteWithUpdatesBeforeIt() throws Exception {
        master.commit(session -> session.persist(new Item(53, "first life")));
        java.util.concurrent.CountDownLatch updated = new java.util.concurrent.CountDownLatch(1);
        Thread second = new Thread(() -> {
            try {
                updated.await();
                master.commit(session -> session.persist(new Item(53, "second life")));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        second.start();
        master.commit(session -> {
            Item item = session.find(Item.class, 53L);
            item.name = "b";
            session.flush();
            updated.countDown();
            org.awaitility.Awaitility.await()
                    .until(() -> database.count(
                                    "pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into%'")
                            > 0);
            item.name = "c";
            session.flush();
            session.remove(item);
        });
        second.join();
        List<JsonNode> sent = messages();
        assertThat(sent).extracting(one -> one.get("signal_type").asText()).containsExactly("SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void losesNoInsertThatWaitedForADeleteOfARowWhoseOldStateNobodyKnows() throws Exception {
        assumeFalse(MasterUnit.onHibernate6(), "its stateless sessions tell nothing, and are refused");
        Item item = new Item(58, "first life");
        master.commit(session -> session.persist(item));
        Thread second = new Thread(() -> master.commit(session -> session.persist(new Item(58, "second life"))));
        master.sessions().inStatelessTransaction(session -> {
            session.update(item);
            second.start();
            await().until(() -> database.waiting() > 0);
            session.update(item);
            session.delete(item);
        });
        second.join();
        List<JsonNode> sent = messages();
        assertThat(sent).extracting(one -> one.get("signal_type").asText()).containsExactly("SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(CaptureIT::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void forgetsASessionThatIsClosedInTheMidstOfItsTransaction() {
        WeakReference<Session> closed = closedAmidItsTransaction();
        await().until(() -> {
            System.gc();
            return closed.get() == null;
        });
        master.commit(session -> session.persist(new Item(55, "committed")));
        assertThat(onlyMessage().get("instance_pk").asLong()).isEqualTo(55);
    }

    private static WeakReference<Session> closedAmidItsTransaction() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(54, "never committed"));
            session.flush();
            return new WeakReference<>(session);
        }
    }

    @Test
    void abortsTheCommitWhenAValueHasNoFormNamingEntityAndField() {
        Throwable error = catchThrowable(() -> master.commit(session -> session.persist(new Reading(1L, Double.NaN))));
        assertThat(error)
                .hasStackTraceContaining(SerializationException.class.getName())
                .hasStackTraceContaining("Reading.celsius of reading 1")
                .hasStackTraceContaining("NaN");
        assertThat(database.rows("select id from reading where id = 1")).isEmpty();
        assertThat(messages()).isEmpty();
    }

    @Test
    void abortsTheCommitWhenTheOutboxIsMissingSayingWhatToDo() {
        TestDatabase bare = TestEnvironment.database("no_outbox");
        try (MasterUnit unit = MasterUnit.on(bare, Item.class)) {
            Throwable error = catchThrowable(() -> unit.commit(session -> session.persist(new Item(1, "a"))));
            assertThat(error).hasStackTraceContaining(OutboxException.class.getName());
            assertThat(error).hasStackTraceContaining("cqrs migrate");
            assertThat(bare.count("item")).isZero();
        }
    }

    @Test
    void sendsNothingWhereProduceIsOff() {
        TestDatabase other = TestEnvironment.database("silent");
        CqrsSchema.standard().migrate(other.dataSource());
        try (MasterUnit unit = MasterUnit.on(other, Silent.class)) {
            unit.commit(session -> session.persist(new Silent()));
            assertThat(other.count("cqrs.outbox")).isZero();
            assertThat(other.count("silent")).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                NoVersion.class,
                UnknownField.class,
                FieldTwice.class,
                IdNotListed.class,
                TrackedNotSent.class,
                NoWireForm.class,
                Unversioned.class,
                BadId.class,
                NoId.class,
                KeyPartNotListed.class,
                NullKind.class
            })
    void refusesAWrongDeclarationAtStartUpNamingTheClassAndTheWayOut(Class<?> entity) {
        String expected = entity.getAnnotation(Fails.class).value();
        assertThatThrownBy(() -> MasterUnit.on(database, entity).close())
                .hasStackTraceContaining(CqrsConfigurationException.class.getName())
                .hasStackTraceContaining(entity.getName())
                .hasStackTraceContaining(expected);
    }

    @Test
    void refusesTwoMastersOfOneId() {
        assertThatThrownBy(() ->
                        MasterUnit.on(database, Item.class, SecondItem.class).close())
                .hasStackTraceContaining("both have the cqrs id item");
    }

    private static List<JsonNode> messages() {
        return database.rows("select body from cqrs.outbox order by id").stream()
                .map(CaptureIT::tree)
                .toList();
    }

    private static JsonNode onlyMessage() {
        assertThat(messages()).hasSize(1);
        return messages().get(0);
    }

    private static long revision(JsonNode message) {
        return message.get("instance_data").get("cqrs_revision").asLong();
    }

    private static String updated(JsonNode message) {
        return message.get("instance_data").get("cqrs_updated").asText();
    }

    private static JsonNode tree(String json) {
        try {
            return JsonMapper.builder()
                    .enable(com.fasterxml.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .build()
                    .readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The words that the refusal of an entity must hold. */
    @java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy.RUNTIME)
    @interface Fails {
        String value();
    }

    @Entity(name = "Author")
    @Master(value = "author", tracked = "name")
    static class Author extends MasterEntity {
        @Id
        Long id;

        String name;
        int fans;

        protected Author() {}

        Author(Long id, String name) {
            this.id = id;
            this.name = name;
        }

        @Override
        public boolean isSyncInstance() {
            return !name.equals("secret");
        }

        @Override
        public Map<String, Object> cqrsMeta(Signal signal) {
            return Map.of("why", signal);
        }

        @Override
        public Map<String, Object> cqrsDeleteData() {
            return Map.of("name", name);
        }
    }

    @Entity(name = "Book")
    @Master("book")
    @DynamicUpdate
    static class Book extends MasterEntity {
        @Id
        Long id;

        @ManyToOne(fetch = FetchType.LAZY)
        Author author;

        @Column(name = "book_title")
        String title;

        protected Book() {}

        Book(Long id, Author author, String title) {
            this.id = id;
            this.author = author;
            this.title = title;
        }
    }

    @Entity(name = "Reading")
    @Master(value = "reading", tracked = Master.ALL)
    static class Reading extends MasterEntity {
        @Id
        Long id;

        double celsius;
        Instant taken;
        java.time.LocalDateTime local;
        java.time.LocalTime time;
        java.time.ZonedDateTime zoned;

        protected Reading() {}

        Reading(Long id, double celsius) {
            this.id = id;
            this.celsius = celsius;
        }
    }

    @Entity(name = "Silent")
    @Master(value = "silent", produce = false)
    static class Silent extends MasterEntity {
        @Id
        Long id = 1L;
    }

    @Entity(name = "NoVersion")
    @Master("no_version")
    @Fails("no integer @Version")
    static class NoVersion {
        @Id
        Long id;

        @Version
        Instant version;
    }

    @Entity(name = "UnknownField")
    @Master(
            value = "unknown_field",
            fields = {"id", "nam"})
    @Fails(".nam is listed in fields but does not exist")
    static class UnknownField extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "FieldTwice")
    @Master(
            value = "field_twice",
            fields = {"id", "name", "name"})
    @Fails(".name is listed twice")
    static class FieldTwice extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "IdNotListed")
    @Master(value = "id_not_listed", fields = "name")
    @Fails(".id is the id but not listed")
    static class IdNotListed extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "TrackedNotSent")
    @Master(value = "tracked_not_sent", fields = "id", tracked = "name")
    @Fails(".name is tracked but not sent")
    static class TrackedNotSent extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "NoWireForm")
    @Master("no_wire_form")
    @Fails(".settings is a io.cqrs.it.master.CaptureIT$Settings, which has no form on the wire")
    static class NoWireForm extends MasterEntity {
        @Id
        Long id;

        Settings settings;
    }

    static final class Settings implements java.io.Serializable {
        private static final long serialVersionUID = 1L;
    }

    @Entity(name = "Unversioned")
    @Master("unversioned")
    @Fails(".name can change without a new revision")
    static class Unversioned extends MasterEntity {
        @Id
        Long id;

        @OptimisticLock(excluded = true)
        String name;
    }

    @Entity(name = "BadId")
    @Master("bad id")
    @Fails("cqrs id \"bad id\" is not allowed")
    static class BadId extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "NoId")
    @Master("")
    @Fails("cqrs id \"\" is not allowed")
    static class NoId extends MasterEntity {
        @Id
        Long id;
    }

    record SeatId(int hall, int number) implements java.io.Serializable {}

    @Entity(name = "KeyPartNotListed")
    @IdClass(SeatId.class)
    @Master(
            value = "key_part_not_listed",
            fields = {"hall", "guest"})
    @Fails(".number is the id but not listed in fields")
    static class KeyPartNotListed extends MasterEntity {
        @Id
        int hall;

        @Id
        int number;

        String guest;
    }

    @Entity(name = "NullKind")
    @DiscriminatorValue("null")
    @DiscriminatorColumn(name = "kind")
    @Master("null_kind")
    @Fails("@DiscriminatorValue(\"null\"), which is no value to tell replicas")
    static class NullKind extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "SecondItem")
    @Master("item")
    static class SecondItem extends MasterEntity {
        @Id
        Long id;
    }
}
