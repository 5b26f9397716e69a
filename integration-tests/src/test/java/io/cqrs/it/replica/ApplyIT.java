package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.replica.WorkerStatus;
import io.cqrs.replica.metrics.ReplicaMetrics;
import io.cqrs.replica.tracing.ReplicaTracing;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.ReplicaQueue;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What becomes of changes at a replica: the guard, odd tables, failures. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class ApplyIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00.000001Z");
    private static TestDatabase database;

    private final InMemoryTransport transport = new InMemoryTransport();
    private final Outcomes outcomes = new Outcomes();
    private final List<ReplicaDefinition> definitions = new ArrayList<>();
    private RetryPolicy retries = new RetryPolicy(2, Backoff.constant(Duration.ofSeconds(1)));
    private Duration timeout = Duration.ofMinutes(1);
    private Duration retention = Duration.ofDays(30);
    private Clock clock = Clock.systemUTC();
    private int workers = 1;
    private ReplicaListener listener = new ReplicaListener() {};
    private CqrsReplica replica;
    private int sent;

    @BeforeEach
    void table() {
        if (database == null) {
            database = TestEnvironment.database("apply");
            CqrsSchema.standard().migrate(database.dataSource());
        }
        database.execute(
                "truncate cqrs.tombstone, cqrs.tombstone_horizon; drop table if exists item_ref, line_ref, \"Odd \"\"Name\" cascade;"
                        + " create table item_ref (id bigint primary key, name text, amount int default 7,"
                        + " price numeric, cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        define("item", "item_ref", Order.UPDATED);
    }

    @AfterEach
    void stop() {
        if (replica != null) {
            replica.close();
        }
        transport.close();
    }

    @Test
    void appliesCreateUpdateAndDelete() throws Exception {
        apply(save(1, 0, 0, "a"), save(1, 1, 1, "b"), save(2, 0, 1, "c"));
        assertThat(rows()).containsExactly("1|b|1", "2|c|0");
        apply(delete(1, 2, 2));
        assertThat(rows()).containsExactly("2|c|0");
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(3);
        assertThat(outcomes.of(Outcome.STALE)).as("folded away").isEqualTo(1);
    }

    @Test
    void ignoresAnOlderStateAndADuplicate() throws Exception {
        apply(save(1, 5, 5, "new"));
        apply(save(1, 4, 4, "old"));
        apply(save(1, 5, 5, "new"));
        assertThat(rows()).containsExactly("1|new|5");
        assertThat(outcomes.of(Outcome.STALE)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.DUPLICATE)).isEqualTo(1);
    }

    @Test
    void neverBringsADeletedEntityBackByALateState() throws Exception {
        apply(delete(1, 3, 3));
        apply(save(1, 2, 2, "late"));
        assertThat(rows()).isEmpty();
        apply(save(1, 0, 4, "next life"));
        assertThat(rows()).containsExactly("1|next life|0");
        apply(delete(1, 3, 3));
        assertThat(rows()).containsExactly("1|next life|0");
    }

    @Test
    void removesTheRowThatASaveOfBeforeItsDeleteCreatesAfterIt() throws Exception {
        // The save has looked for tombstones, and is kept from its row until the delete is committed.
        database.execute("create or replace function held() returns trigger language plpgsql as"
                + " 'begin perform pg_advisory_xact_lock_shared(7); return new; end';"
                + " create trigger held before insert on item_ref for each row execute function held()");
        workers = 2;
        start();
        try (Connection holder = database.dataSource().getConnection();
                Statement statement = holder.createStatement()) {
            statement.execute("select pg_advisory_lock(7)");
            Queues.put(transport, "apply", save(1, 0, 0, "old"));
            await().until(() -> database.rows("select 1 from pg_locks where locktype = 'advisory' and not granted")
                            .size()
                    == 1);
            // One of them goes to the other worker.
            Change[] deletes =
                    IntStream.range(0, 8).mapToObj(i -> delete(1, 1, 1)).toArray(Change[]::new);
            Queues.put(transport, "apply", deletes);
            await().until(() -> database.count("cqrs.tombstone") == 1);
            statement.execute("select pg_advisory_unlock(7)");
        }
        await().until(() -> ended() == 9);
        assertThat(rows()).isEmpty();
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(2);
    }

    @Test
    void tellsAGapFromAChainWithinTheBatch() throws Exception {
        apply(save(1, 0, 0, "a"));
        apply(save(1, 2, 2, "c"), save(1, 1, 1, "b"), save(1, 3, 3, "d"));
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isZero();
        apply(save(1, 6, 6, "g"));
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(1);
    }

    @Test
    void tellsEachOfABatchHowItEnded() throws Exception {
        apply(save(1, 0, 0, "a"), save(2, 0, 0, "a"), save(3, 5, 5, "a"), save(4, 5, 5, "a"), save(5, 5, 5, "a"));
        apply(
                save(6, 0, 0, "new"),
                save(5, 4, 4, "older"),
                save(2, 7, 7, "behind a gap"),
                save(3, 4, 4, "older"),
                save(1, 1, 1, "next"),
                save(4, 5, 5, "again"));
        assertThat(rows()).containsExactly("1|next|1", "2|behind a gap|7", "3|a|5", "4|a|5", "5|a|5", "6|new|0");
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(7);
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.STALE)).isEqualTo(2);
        assertThat(outcomes.of(Outcome.DUPLICATE)).isEqualTo(1);
    }

    @Test
    void tellsTheGapsOfBatchAfterBatch() throws Exception {
        apply(save(1, 0, 0, "a"), save(2, 0, 0, "a"));
        apply(save(1, 2, 2, "b"), save(2, 3, 3, "b"));
        apply(save(1, 3, 3, "c"), save(2, 5, 5, "c"), save(3, 9, 9, "new"));
        apply(save(1, 4, 4, "d"), save(2, 6, 6, "d"));
        apply(save(1, 6, 6, "e"), save(2, 7, 7, "e"));
        assertThat(rows()).containsExactly("1|e|6", "2|e|7", "3|new|9");
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(4);
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(7);
    }

    @Test
    void tellsRowsOfAComposedKeyApart() throws Exception {
        database.execute("drop table item_ref; create table item_ref (id numeric, tag uuid, name text,"
                + " cqrs_revision bigint, cqrs_updated timestamptz, primary key (id, tag))");
        String one = "0b5e1f0a-0000-4000-8000-000000000001";
        String other = "0b5e1f0a-0000-4000-8000-000000000002";
        apply(composed("1.5", one, 3, "a"), composed("1.5", other, 3, "a"), composed("2", one, 3, "a"));
        apply(
                composed("1.50", one, 2, "older"),
                composed("1.50", other, 4, "next"),
                composed("2.0", one, 9, "behind a gap"),
                composed("2", other, 0, "new"));
        assertThat(database.rows("select trim_scale(id), right(tag::text, 1), name from item_ref order by 1, 2"))
                .containsExactly("1.5|1|a", "1.5|2|next", "2|1|behind a gap", "2|2|new");
        assertThat(outcomes.of(Outcome.STALE)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(5);
    }

    private static Change composed(String id, String tag, long revision, String name) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(ITEM, List.of(new BigDecimal(id), tag)),
                Stamp.of(T0.plusSeconds(revision), revision),
                Map.of("id", new BigDecimal(id), "tag", tag, "name", name));
    }

    @Test
    void letsTwoRowsOfABatchSwapWhatIsUnique() throws Exception {
        database.execute("alter table item_ref add unique (name) deferrable");
        apply(save(1, 0, 0, "first"), save(2, 0, 0, "second"));
        apply(save(1, 2, 2, "second"), save(2, 1, 1, "first"));
        assertThat(rows()).containsExactly("1|second|2", "2|first|1");
        assertThat(outcomes.of(Outcome.APPLIED_AFTER_GAP)).isEqualTo(1);
        assertThat(outcomes.dead()).isZero();
    }

    @Test
    void letsThemSwapWhatBecameUniqueMeanwhile() throws Exception {
        apply(save(1, 0, 0, "first"), save(2, 0, 0, "second"));
        database.execute("alter table item_ref add unique (name) deferrable");
        apply(save(1, 2, 2, "second"), save(2, 1, 1, "first"));
        assertThat(rows()).containsExactly("1|second|2", "2|first|1");
        assertThat(outcomes.dead()).isZero();
    }

    @Test
    void rewritesAnEqualRowByASyncButNoLaterOne() throws Exception {
        apply(save(1, 5, 5, "a"));
        database.execute("update item_ref set name = 'drifted'");
        apply(sync(1, 5, 5, "a"));
        assertThat(rows()).containsExactly("1|a|5");
        apply(sync(1, 4, 4, "older"));
        assertThat(rows()).containsExactly("1|a|5");
    }

    @Test
    void goesBelowALaterStateAndATombstoneByForceInTheOrderOfArrival() throws Exception {
        apply(save(1, 9, 9, "before the restore"), delete(2, 9, 9));
        apply(
                save(1, 8, 8, "stale"),
                forced(sync(1, 3, 3, "restored")),
                forced(sync(2, 3, 3, "restored")),
                save(1, 4, 4, "since"));
        assertThat(rows()).containsExactly("1|since|4", "2|restored|3");
    }

    @Test
    void keepsWhatALaterSaveOfItsBatchLacks() throws Exception {
        apply(
                save(1, 0, 0, Map.of("id", 1L, "name", "a", "amount", 1L)),
                save(1, 1, 1, Map.of("id", 1L, "name", "b")),
                save(1, 2, 2, Map.of("id", 1L, "amount", 3L)),
                save(2, 1, 1, Map.of("id", 2L, "name", "newer")),
                save(2, 0, 0, Map.of("id", 2L, "name", "older", "amount", 9L)),
                forced(save(3, 7, 7, Map.of("id", 3L, "name", "a", "amount", 1L))),
                forced(save(3, 5, 5, Map.of("id", 3L, "name", "b"))));
        assertThat(database.rows("select id, name, amount, cqrs_revision from item_ref order by id"))
                .containsExactly("1|b|3|2", "2|newer|7|1", "3|b|1|5");
        assertThat(outcomes.of(Outcome.STALE)).isEqualTo(1);
        assertThat(outcomes.of(Outcome.APPLIED) + outcomes.of(Outcome.APPLIED_AFTER_GAP))
                .isEqualTo(6);
    }

    @Test
    void keepsWhatAMessageLacksAndDefaultsItOnCreate() throws Exception {
        apply(save(1, 0, 0, Map.of("id", 1L, "name", "a")));
        assertThat(database.rows("select name, amount, price from item_ref")).containsExactly("a|7|null");
        apply(save(1, 1, 1, Map.of("id", 1L, "price", new BigDecimal("1.50"), "unknown", List.of(1L))));
        assertThat(database.rows("select name, amount, price from item_ref")).containsExactly("a|7|1.50");
    }

    @Test
    void holdsOrderByRevisionAndTakesEverySyncForADjangoMaster() throws Exception {
        definitions.clear();
        define("item", "item_ref", Order.REVISION);
        apply(save(1, 5, 9, "a"));
        apply(save(1, 6, 2, "its clock went back"));
        assertThat(rows()).containsExactly("1|its clock went back|6");
        apply(save(1, 5, 10, "late"));
        assertThat(rows()).containsExactly("1|its clock went back|6");
        apply(sync(1, 3, 1, "synced down"));
        assertThat(rows()).containsExactly("1|synced down|3");
        apply(delete(1, 4, 11), save(1, 9, 10, "late"));
        assertThat(rows()).isEmpty();
    }

    @Test
    void refusesAStateFromBeforeTheForgottenDeletes() throws Exception {
        retention = Duration.ZERO;
        database.execute(
                "insert into cqrs.tombstone (cqrs_id, pk, updated, revision) values ('item', '1', '" + T0 + "', 3)");
        start();
        await().until(() -> database.count("cqrs.tombstone") == 0);
        apply(save(1, 2, -1, "is it deleted?"), save(2, 0, 1, "newer"));
        assertThat(rows()).containsExactly("2|newer|0");
        assertThat(outcomes.of(Outcome.NEEDS_SYNC)).isEqualTo(1);
        Delivery dead = dead(1).get(0);
        assertThat(dead.headers().get(Headers.ERROR_MESSAGE).toString()).contains("item 1", "sync");
        apply(sync(1, 2, -1, "it is not"));
        assertThat(rows()).containsExactly("1|it is not|2", "2|newer|0");
    }

    @Test
    void worksOnOddNamesAndTypesAndACompositeKey() throws Exception {
        database.execute(
                "create table \"Odd \"\"Name\" (\"select\" text, \"Part 2\" int, tags text[], doc jsonb, raw bytea,"
                        + " u uuid, d date, t time, ts timestamp, label varchar(3), code char(5), made int generated always as (\"Part 2\" + 1)"
                        + " stored, cqrs_revision int not null, cqrs_updated timestamptz not null,"
                        + " primary key (\"Part 2\", \"select\"))");
        define("odd", "\"Odd \"\"Name\"", Order.UPDATED);
        Map<String, Object> data = new HashMap<>();
        data.put("tags", List.of("a,\"b\\", "null", ""));
        data.put("doc", Map.of("b", List.of(1L, new BigDecimal("1.10"))));
        data.put("raw", "AQL/");
        data.put("u", "12345678-1234-5678-1234-567812345678");
        data.put("d", "2024-02-29");
        data.put("t", "01:02:03.000004");
        data.put("ts", "2024-02-29 23:59:59.999999");
        data.put("label", "abc");
        data.put("code", "x".repeat(5));
        EntityKey key = EntityKey.of(CqrsId.of("odd"), List.<Object>of(7L, "k'ey"));
        Change save = Change.of(Signal.SAVE, key, Stamp.of(T0, 0), data);
        apply(save);
        apply(Change.of(Signal.SAVE, key, Stamp.of(T0.plusSeconds(1), 1), data));
        assertThat(database.rows("select * from \"Odd \"\"Name\""))
                .containsExactly("k'ey|7|{\"a,\\\"b\\\\\",\"null\",\"\"}|{\"b\": [1, 1.10]}|\\x0102ff"
                        + "|12345678-1234-5678-1234-567812345678|2024-02-29|01:02:03.000004|2024-02-29 23:59:59.999999"
                        + "|abc|xxxxx|8|1|"
                        + database.rows("select timestamptz '" + T0.plusSeconds(1) + "'")
                                .get(0));
        apply(Change.of(Signal.DELETE, key, Stamp.of(T0.plusSeconds(2), 2), Map.of()));
        apply(save);
        assertThat(database.count("\"Odd \"\"Name\"")).isZero();
    }

    @Test
    void savesParentsBeforeAndDeletesChildrenFirstWithinABatch() throws Exception {
        database.execute("create table line_ref (id bigint primary key, item bigint references item_ref,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        define("line", "line_ref", Order.UPDATED);
        CqrsId line = CqrsId.of("line");
        apply(
                Change.of(Signal.SAVE, EntityKey.of(line, 1L), Stamp.of(T0, 0), Map.of("item", 1L)),
                save(1, 0, 0, "parent"));
        assertThat(database.count("line_ref")).isEqualTo(1);
        apply(
                delete(1, 1, 1),
                Change.of(Signal.DELETE, EntityKey.of(line, 1L), Stamp.of(T0.plusSeconds(1), 1), Map.of()));
        assertThat(database.count("line_ref") + database.count("item_ref")).isZero();
        assertThat(outcomes.retried()).isZero();
    }

    @Test
    void letsAChildWaitForAParentThatComesLaterWithoutSpendingAttempts() throws Exception {
        retries = new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1)));
        database.execute("create table line_ref (id bigint primary key, item_id bigint references item_ref,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        define("line", "line_ref", Order.UPDATED);
        start();
        Change child = Change.of(
                Signal.SAVE, EntityKey.of(CqrsId.of("line"), 1L), Stamp.of(T0, 0), Map.of("id", 1L, "item_id", 7L));
        transport.declare(ReplicaQueue.of("apply", Set.of(ITEM, CqrsId.of("line"))));
        Queues.put(transport, "apply", child);
        await().until(() -> outcomes.retried() >= 2);
        Queues.put(transport, "apply", save(7, 0, 0, "parent"));
        await().atMost(30, TimeUnit.SECONDS).until(() -> database.count("line_ref") == 1);
        assertThat(outcomes.dead()).isZero();
    }

    @Test
    void givesUpOnAParentThatNeverComes() throws Exception {
        database.execute("create table line_ref (id bigint primary key, item_id bigint references item_ref,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        define("line", "line_ref", Order.UPDATED);
        start();
        transport.declare(ReplicaQueue.of("apply", Set.of(ITEM, CqrsId.of("line"))));
        byte[] body = new MessageCodec()
                .encode(Message.of(Change.of(
                        Signal.SAVE,
                        EntityKey.of(CqrsId.of("line"), 1L),
                        Stamp.of(T0, 0),
                        Map.of("id", 1L, "item_id", 7L))));
        String longAgo = Instant.now().minus(Duration.ofHours(2)).toString();
        Queues.putBytes(transport, "apply", Map.of(Headers.PARENT_MISSING_SINCE, longAgo), List.of(body));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("line 1", "refers to a row that has not come", "sync");
    }

    @Test
    void cancelsStatementsAfterTheirTimeoutAndGoesOn() throws Exception {
        timeout = Duration.ofMillis(300);
        retries = new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1)));
        database.execute("create or replace function dawdle() returns trigger language plpgsql as $$ begin"
                + " if new.name = 'slow' then perform pg_sleep(5); end if; return new; end $$;"
                + " create trigger dawdle before insert on item_ref for each row execute function dawdle()");
        apply(save(1, 0, 0, "slow"), save(2, 0, 0, "quick"));
        assertThat(rows()).containsExactly("2|quick|0");
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("statement timeout");
    }

    @Test
    void takesTheKeysPartsInTheOrderThatIsDeclaredAndRefusesAnother() throws Exception {
        database.execute("create table line_ref (line bigint, order_id bigint, name text, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (line, order_id))");
        CqrsId line = CqrsId.of("line");
        ReplicaDefinition definition =
                ReplicaDefinition.ofTable(line, TableName.parse("line_ref"), Map.of(), Order.UPDATED);
        definitions.add(definition.withKey(List.of("order_id", "line")));
        apply(Change.of(
                Signal.SAVE,
                EntityKey.of(line, List.<Object>of(7L, 1L)),
                Stamp.of(T0, 0),
                Map.of("order_id", 7L, "line", 1L, "name", "a")));
        assertThat(database.rows("select order_id, line, name from line_ref")).containsExactly("7|1|a");
        apply(Change.of(
                Signal.SAVE,
                EntityKey.of(line, List.<Object>of(1L, 7L)),
                Stamp.of(T0, 0),
                Map.of("order_id", 7L, "line", 1L, "name", "a")));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("another order_id than its key");
        definitions.set(1, definition.withKey(List.of("order_id")));
        replica.close();
        replica = null;
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(this::start)
                .withMessageContainingAll("line_ref", "primary key", "[order_id]");
    }

    @Test
    void fillsPartitionedTablesWithGeneratedColumns() throws Exception {
        database.execute("create table line_ref (region text, id bigint, name text,"
                + " loud text generated always as (upper(name)) stored, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (region, id)) partition by list (region);"
                + " create table line_north partition of line_ref for values in ('north');"
                + " create table line_rest partition of line_ref default");
        CqrsId line = CqrsId.of("line");
        define("line", "line_ref", Order.UPDATED);
        EntityKey north = EntityKey.of(line, List.<Object>of("north", 1L));
        EntityKey south = EntityKey.of(line, List.<Object>of("south", 1L));
        apply(
                Change.of(Signal.SAVE, north, Stamp.of(T0, 0), Map.of("name", "a", "loud", "ignored")),
                Change.of(Signal.SAVE, south, Stamp.of(T0, 0), Map.of("name", "b")),
                Change.of(Signal.SAVE, south, Stamp.of(T0.plusSeconds(1), 1), Map.of("name", "c")));
        assertThat(database.rows("select region, loud from line_ref order by region"))
                .containsExactly("north|A", "south|C");
        apply(Change.of(Signal.DELETE, north, Stamp.of(T0.plusSeconds(1), 1), Map.of()));
        apply(Change.of(Signal.SAVE, north, Stamp.of(T0, 0), Map.of("name", "late")));
        assertThat(database.rows("select region, loud from line_ref")).containsExactly("south|C");
    }

    @Test
    void goesOnWhateverItsListenersThrow() throws Exception {
        listener = new ReplicaListener() {
            @Override
            public void ended(CqrsId cqrsId, Outcome outcome, int count) {
                throw new IllegalStateException("planted");
            }

            @Override
            public void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {
                throw new IllegalStateException("planted");
            }
        };
        apply(save(1, 0, 0, "a"), save(2, 0, 0, Map.of("amount", "x")));
        assertThat(rows()).containsExactly("1|a|0");
        assertThat(dead(1)).hasSize(1);
        try (Browser left = transport.openBrowser("dead_letter_apply")) {
            assertThat(left.size()).isZero();
        }
    }

    @Test
    void waitsForAParentFromItsOwnFirstMiss() throws Exception {
        database.execute("create table line_ref (id bigint primary key, item bigint references item_ref,"
                + " cqrs_revision bigint, cqrs_updated timestamptz)");
        CqrsId line = CqrsId.of("line");
        define("line", "line_ref", Order.UPDATED);
        Change child = Change.of(Signal.SAVE, EntityKey.of(line, 1L), Stamp.of(T0, 0), Map.of("id", 1L, "item", 5L));
        start();
        Queues.putBytes(
                transport,
                "apply",
                Map.of(Headers.FIRST_FAILURE, Instant.now().minusSeconds(7200).toString()),
                List.of(new MessageCodec().encode(Message.of(child))));
        await().until(() -> outcomes.retried() == 1);
        Queues.put(transport, "apply", save(5, 0, 0, "parent"));
        await().until(() -> database.count("line_ref") == 1);
        assertThat(outcomes.dead()).isZero();
    }

    @Test
    void forgetsNoDeleteTooSoonWhereItsClockIsWrong() throws Exception {
        apply(save(1, 0, 0, "a"), delete(1, 1, 2));
        database.execute("insert into cqrs.tombstone (cqrs_id, pk, updated, revision, received_at)"
                + " values ('item', '2', '2020-01-01', 3, now() - interval '31 days')");
        replica.close();
        clock = Clock.offset(Clock.systemUTC(), Duration.ofDays(60));
        start();
        await().until(() -> database.count("cqrs.tombstone") == 1);
        apply(save(1, 0, 0, "late"));
        assertThat(rows()).isEmpty();
        assertThat(database.count("cqrs.tombstone_horizon where received_before < now()"))
                .isEqualTo(1);
    }

    @Test
    void keepsWhatWasDeletedInTheFutureUntilThen() throws Exception {
        retention = Duration.ZERO;
        database.execute("insert into cqrs.tombstone (cqrs_id, pk, updated, revision)"
                + " values ('item', '1', '2999-01-01', 3), ('item', '2', '2020-01-01', 3)");
        start();
        await().until(() -> database.count("cqrs.tombstone") == 1);
        apply(save(3, 0, 0, "new"));
        assertThat(rows()).containsExactly("3|new|0");
    }

    @Test
    void tellsIdleFromStuckAndFailing() throws Exception {
        start();
        Duration limit = Duration.ofMillis(700);
        await().until(() -> states(limit).equals(List.of(WorkerStatus.State.RUNNING)));
        try (Connection blocker = database.dataSource().getConnection();
                Statement statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("lock table item_ref in access exclusive mode");
            Queues.put(transport, "apply", save(1, 0, 0, "a"));
            await().until(() -> states(limit).equals(List.of(WorkerStatus.State.STUCK)));
            blocker.rollback();
            blocker.setAutoCommit(true);
        }
        await().until(() -> states(limit).equals(List.of(WorkerStatus.State.RUNNING)));
        assertThat(replica.status(limit).get(0).isHealthy()).isTrue();
        replica.close();
        assertThat(states(limit)).containsExactly(WorkerStatus.State.STOPPED);
    }

    private List<WorkerStatus.State> states(Duration stuckAfter) {
        return replica.status(stuckAfter).stream().map(WorkerStatus::state).toList();
    }

    @Test
    void tellsMicrometerWhatBecomesOfChanges() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        ReplicaMetrics metrics = new ReplicaMetrics(registry, "metered");
        try (CqrsReplica metered = CqrsReplica.builder(database.dataSource())
                .replica(definitions.get(0))
                .transport(transport)
                .queue("metered")
                .retries(new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1))))
                .listener(metrics)
                .build()) {
            transport.declare(metered.queue());
            metered.start();
            Queues.put(transport, "metered", save(1, 0, 0, "a"), save(1, 0, 0, "a"), save(2, 0, 0, "b"));
            Queues.putBytes(transport, "metered", Map.of(), List.of(new byte[] {1}));
            await().until(() -> registry.find("cqrs.replica.dead").counter() != null);
        }
        assertThat(registry.get("cqrs.replica.changes")
                        .tags("queue", "metered", "model", "item", "outcome", "applied")
                        .counter()
                        .count())
                .isEqualTo(2);
        assertThat(registry.get("cqrs.replica.changes")
                        .tag("outcome", "duplicate")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get("cqrs.replica.dead")
                        .tag("model", "unknown")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get("cqrs.replica.lag").timer().count()).isEqualTo(2);
        assertThat(registry.get("cqrs.replica.batch").summary().totalAmount()).isEqualTo(4);
    }

    @Test
    void linksItsBatchesToTheTracesOfTheMessages() throws Exception {
        InMemorySpanExporter spans = InMemorySpanExporter.create();
        SdkTracerProvider provider = SdkTracerProvider.builder()
                .addSpanProcessor(SimpleSpanProcessor.create(spans))
                .build();
        OpenTelemetrySdk telemetry =
                OpenTelemetrySdk.builder().setTracerProvider(provider).build();
        try (CqrsReplica traced = CqrsReplica.builder(database.dataSource())
                .replica(definitions.get(0))
                .transport(transport)
                .queue("traced")
                .listener(outcomes)
                .listener(new ReplicaTracing(telemetry, "traced"))
                .build()) {
            transport.declare(traced.queue());
            String trace = "0af7651916cd43dd8448eb211c80319c";
            byte[] body = new MessageCodec().encode(Message.of(save(1, 0, 0, "a")));
            Map<String, Object> headers = Map.of(Headers.TRACE_PARENT, "00-" + trace + "-b7ad6b7169203331-01");
            Queues.putBytes(transport, "traced", headers, List.of(body, body));
            Queues.put(transport, "traced", save(2, 0, 0, "b"));
            Queues.putBytes(transport, "traced", Map.of(Headers.TRACE_PARENT, "nonsense"), List.of(body));
            traced.start();
            await().until(() ->
                    outcomes.ended() == 4 && !spans.getFinishedSpanItems().isEmpty());
            SpanData span = spans.getFinishedSpanItems().get(0);
            assertThat(span.getName()).isEqualTo("process traced");
            assertThat(span.getKind()).isEqualTo(SpanKind.CONSUMER);
            assertThat(span.getLinks())
                    .extracting(link -> link.getSpanContext().getTraceId())
                    .containsExactly(trace);
        } finally {
            telemetry.close();
        }
    }

    @Test
    void isolatesTheOneBadChangeOfABatchAndAppliesTheRest() throws Exception {
        database.execute("alter table item_ref add constraint no_bad check (name <> 'bad')");
        Change[] batch = new Change[40];
        for (int i = 0; i < batch.length; i++) {
            batch[i] = save(i, 0, 0, i == 23 ? "bad" : "good");
        }
        retries = new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1)));
        apply(batch);
        assertThat(database.count("item_ref")).isEqualTo(39);
        Delivery dead = dead(1).get(0);
        assertThat(new MessageCodec().decode(dead.body()).change().key().value())
                .isEqualTo(23L);
        assertThat(dead.headers().get(Headers.ERROR_CLASS).toString()).contains("SQLException");
        assertThat(dead.headers().get(Headers.ATTEMPTS)).isEqualTo(1);
        assertThat(dead.headers().get(Headers.ERROR_MESSAGE).toString()).contains("no_bad");
        assertThat(dead.headers()).containsEntry(Headers.SOURCE_QUEUE, "apply");
    }

    @Test
    void retriesAFailureAndGivesUpAfterThePolicysRetries() throws Exception {
        database.execute("alter table item_ref add constraint no_bad check (name <> 'bad')");
        apply(save(1, 0, 0, "bad"), save(2, 0, 0, "good"));
        Delivery letter = dead(1).get(0);
        assertThat(letter.headers().get(Headers.ATTEMPTS)).isEqualTo(3);
        assertThat(new MessageCodec().decode(letter.body()).retries()).isEqualTo(2);
        assertThat(outcomes.retried()).isEqualTo(2);
        assertThat(rows()).containsExactly("2|good|0");
    }

    @Test
    void appliesAFailedChangeOnceItsReasonIsGone() throws Exception {
        retries = new RetryPolicy(30, Backoff.constant(Duration.ofSeconds(1)));
        database.execute("alter table item_ref add constraint no_bad check (name <> 'bad')");
        start();
        Queues.put(transport, "apply", save(1, 0, 0, "bad"));
        await().until(() -> outcomes.retried() > 0);
        database.execute("alter table item_ref drop constraint no_bad");
        await().atMost(30, TimeUnit.SECONDS).until(() -> outcomes.of(Outcome.APPLIED) == 1);
        assertThat(outcomes.dead()).isZero();
    }

    @Test
    void deadLettersWhatIsNoMessageOrOfNoKnownModelWithItsBytesUntouched() throws Exception {
        start();
        byte[] broken = {1, 2, 3};
        byte[] unknown = new MessageCodec()
                .encode(Message.of(
                        Change.of(Signal.SAVE, EntityKey.of(CqrsId.of("stranger"), 1L), Stamp.of(T0, 0), Map.of())));
        byte[] expired = new MessageCodec()
                .encode(new Message(save(1, 0, 0, "late"), 0, Instant.now().minusSeconds(1)));
        Queues.putBytes(transport, "apply", Map.of(), List.of(broken, unknown, expired));
        List<Delivery> dead = dead(3);
        assertThat(dead).extracting(Delivery::body).containsExactly(broken, unknown, expired);
        assertThat(dead)
                .extracting(one -> one.headers().get(Headers.ERROR_MESSAGE).toString())
                .satisfiesExactly(
                        one -> assertThat(one).contains("not valid JSON"),
                        one -> assertThat(one).contains("stranger"),
                        one -> assertThat(one).contains("expired"));
        assertThat(rows()).isEmpty();
    }

    @Test
    void refusesAValueThatDoesNotFitNamingModelKeyAndField() throws Exception {
        apply(save(1, 0, 0, Map.of("name", Map.of("nested", 1L))), save(2, 0, 0, "good"));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("item 1", "field name");
        assertThat(rows()).containsExactly("2|good|0");
    }

    @Test
    void refusesAValueOfTheWrongFormLengthOrRangeAndANullNamingModelKeyAndField() throws Exception {
        database.execute("alter table item_ref alter name type varchar(5), alter name set not null,"
                + " alter price type numeric(5, 2), add tags varchar(3)[], add code char(2)");
        apply(
                save(1, 0, 0, "abcdef"),
                save(2, 0, 0, "abcde"),
                save(3, 0, 0, Map.of("name", "x", "amount", "many")),
                save(4, 0, 0, Map.of("name", "x", "amount", 1L << 40)),
                save(5, 0, 0, Map.of("name", "x", "price", new BigDecimal("1000.00"))),
                save(6, 0, 0, Map.of("name", "x", "price", new BigDecimal("1.239"), "code", "z")),
                save(7, 0, 0, Map.of("name", "x", "tags", List.of("abc", "abcd"))),
                save(8, 0, 0, Map.of("name", "x", "code", "abc")),
                save(9, 0, 0, Collections.singletonMap("name", null)));
        assertThat(rows()).containsExactly("2|abcde|0", "6|x|0");
        assertThat(dead(7))
                .extracting(one -> one.headers().get(Headers.ERROR_MESSAGE).toString())
                .satisfiesExactlyInAnyOrder(
                        one -> assertThat(one).contains("item 1:", "field name", "character varying(5)", "22001"),
                        one -> assertThat(one).contains("item 3:", "field amount", "integer", "22P02"),
                        one -> assertThat(one).contains("item 4:", "field amount", "22003"),
                        one -> assertThat(one).contains("item 5:", "field price", "numeric(5,2)", "22003"),
                        one -> assertThat(one).contains("item 7:", "field tags", "character varying(3)[]"),
                        one -> assertThat(one).contains("item 8:", "field code", "character(2)"),
                        one -> assertThat(one).contains("item 9:", "field name", "not null", "23502"));
    }

    @Test
    void refusesAStateWithoutAFieldThatIsMapped() throws Exception {
        definitions.set(
                0,
                ReplicaDefinition.ofTable(ITEM, TableName.parse("item_ref"), Map.of("title", "name"), Order.UPDATED));
        apply(save(1, 0, 0, Map.of("title", "a")), save(2, 0, 0, Map.of("amount", 1L)), delete(3, 0, 0));
        assertThat(rows()).containsExactly("1|a|0");
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("item 2", "no field title");
    }

    @Test
    void tellsNoDataInReasons() throws Exception {
        database.execute("alter table item_ref add constraint no_bad check (name <> 'bad'), alter amount type int");
        retries = new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1)));
        apply(
                save(1, 0, 0, "bad"),
                save(2, 0, 0, Map.of("name", "x", "amount", "s3cret")),
                save(3, 0, 0, Map.of("name", "x", "price", "s3cret")));
        Queues.putBytes(transport, "apply", Map.of(), List.of("{\"a\": s3cret}".getBytes(StandardCharsets.UTF_8)));
        assertThat(dead(4))
                .extracting(one -> one.headers().get(Headers.ERROR_MESSAGE).toString())
                .allSatisfy(reason -> assertThat(reason).doesNotContain("s3cret", "Failing row"));
    }

    @Test
    void survivesAMessageThatNobodyThoughtOf() throws Exception {
        String odd = new String(new MessageCodec().encode(Message.of(save(1, 0, 0, "a"))), StandardCharsets.UTF_8)
                .replace("\"instance_pk\":1", "\"instance_pk\":[1,null]");
        start();
        Queues.putBytes(transport, "apply", Map.of(), List.of(odd.getBytes(StandardCharsets.UTF_8)));
        apply(save(2, 0, 0, "good"));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("null");
        assertThat(rows()).containsExactly("2|good|0");
    }

    @Test
    void holdsOneTombstoneForAKeyOfAnyScale() throws Exception {
        database.execute("alter table item_ref alter id type numeric");
        EntityKey scaled = EntityKey.of(ITEM, new BigDecimal("1.00"));
        apply(Change.of(Signal.DELETE, scaled, Stamp.of(T0.plusSeconds(5), 5), Map.of()));
        apply(save(1, 0, 0, "late"));
        assertThat(rows()).isEmpty();
    }

    @Test
    void waitsWhileTheDatabaseRefusesWritesWithoutSpendingAttempts() throws Exception {
        start();
        apply(save(1, 0, 0, "before"));
        database.execute("create sequence if not exists refused");
        database.execute("create function cqrs_refuse() returns trigger language plpgsql as $$ begin"
                + " perform nextval('refused'); raise exception 'no space left on device' using errcode = '53100'; end $$;"
                + " create trigger refuse before insert on item_ref for each row execute function cqrs_refuse()");
        Queues.put(transport, "apply", save(2, 0, 0, "during"));
        await().until(() -> database.rows("select last_value >= 3 from refused").equals(List.of("t")));
        database.execute("drop function cqrs_refuse cascade");
        await().atMost(60, TimeUnit.SECONDS).until(() -> rows().size() == 2);
        assertThat(outcomes.retried() + outcomes.dead()).isZero();
    }

    @Test
    void refusesAKeyOfAnotherShape() throws Exception {
        apply(Change.of(Signal.SAVE, EntityKey.of(ITEM, List.<Object>of(1L, 2L)), Stamp.of(T0, 0), Map.of()));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("2 part(s)");
    }

    @Test
    void refusesAMessageWithoutARequiredField() throws Exception {
        database.execute("alter table item_ref alter name set not null");
        apply(save(1, 0, 0, Map.of("amount", 1L)));
        assertThat(dead(1).get(0).headers().get(Headers.ERROR_MESSAGE).toString())
                .contains("item 1", "no field name", "requires");
    }

    @Test
    void goesOnWhereItWasWhenItsDatabaseConnectionsAreKilled() throws Exception {
        start();
        Queues.put(transport, "apply", save(1, 0, 0, "a"));
        await().until(() -> outcomes.ended() == 1);
        database.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                + " where datname = current_database() and pid <> pg_backend_pid()");
        Queues.put(transport, "apply", save(2, 0, 0, "b"));
        await().atMost(30, TimeUnit.SECONDS).until(() -> rows().size() == 2);
        assertThat(outcomes.dead() + outcomes.retried()).isZero();
    }

    @Test
    void leavesAPooledConnectionAsItWas() throws Exception {
        String before = database.rows("show timezone").get(0);
        start();
        replica.close();
        for (int i = 0; i < 30; i++) {
            assertThat(database.rows("show timezone")).containsExactly(before);
        }
    }

    @Test
    void refusesATableThatDoesNotFitNamingItAndTheWayOut() {
        assertRefused("missing", "missing", "does not exist");
        database.execute("create table if not exists bare (id bigint primary key)");
        assertRefused("bare", "bare", "cqrs_revision");
        database.execute(
                "create table if not exists keyless (id bigint, cqrs_revision bigint, cqrs_updated timestamptz)");
        assertRefused("keyless", "keyless", "primary key");
        database.execute(
                "create table if not exists odd_time (id bigint primary key, cqrs_revision bigint, cqrs_updated timestamp)");
        assertRefused("odd_time", "odd_time", "timestamptz");
    }

    @Test
    void saysWhatToDoWhereTheFrameworksTablesAreMissing() {
        TestDatabase bare = TestEnvironment.database("unmigrated");
        CqrsReplica unmigrated = CqrsReplica.builder(bare.dataSource())
                .replica(definitions.get(0))
                .transport(transport)
                .queue("q")
                .build();
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(unmigrated::start)
                .withMessageContaining("cqrs migrate");
    }

    private void assertRefused(String table, String... words) {
        definitions.clear();
        define("item", table, Order.UPDATED);
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(this::start)
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    private void define(String id, String table, Order order) {
        definitions.add(ReplicaDefinition.ofTable(CqrsId.of(id), TableName.parse(table), Map.of(), order));
    }

    private void start() throws InterruptedException {
        CqrsReplica.Builder builder = CqrsReplica.builder(database.dataSource())
                .transport(transport)
                .queue("apply")
                .workers(workers)
                .retries(retries)
                .statementTimeout(timeout)
                .tombstoneRetention(retention)
                .clock(clock)
                .listener(listener)
                .listener(outcomes);
        definitions.forEach(builder::replica);
        replica = builder.build();
        transport.declare(ReplicaQueue.of("apply", Set.of(ITEM)));
        replica.start();
    }

    /** Puts changes into the queue at once and waits until each has ended. */
    private void apply(Change... changes) throws InterruptedException {
        if (replica == null) {
            start();
        }
        sent += changes.length;
        Queues.put(transport, "apply", changes);
        await().pollInterval(Duration.ofMillis(5)).atMost(30, TimeUnit.SECONDS).until(() -> ended() >= sent);
    }

    /** Those that need a sync, or are rejected, are dead letters too. */
    private int ended() {
        return outcomes.ended() - outcomes.of(Outcome.NEEDS_SYNC) - outcomes.of(Outcome.REJECTED) + outcomes.dead();
    }

    private List<Delivery> dead(int count) {
        return Queues.take(transport, "dead_letter_apply", count);
    }

    private static List<String> rows() {
        return database.rows("select id, name, cqrs_revision from item_ref order by id");
    }

    private static Change save(long id, long revision, long seconds, String name) {
        return save(id, revision, seconds, Map.of("id", id, "name", name));
    }

    private static Change save(long id, long revision, long seconds, Map<String, Object> data) {
        return Change.of(Signal.SAVE, EntityKey.of(ITEM, id), Stamp.of(T0.plusSeconds(seconds), revision), data);
    }

    private static Change sync(long id, long revision, long seconds, String name) {
        return Change.of(
                Signal.SYNC,
                EntityKey.of(ITEM, id),
                Stamp.of(T0.plusSeconds(seconds), revision),
                Map.of("id", id, "name", name));
    }

    private static Change forced(Change change) {
        return change.withForced(true);
    }

    private static Change delete(long id, long revision, long seconds) {
        return Change.of(Signal.DELETE, EntityKey.of(ITEM, id), Stamp.of(T0.plusSeconds(seconds), revision), Map.of());
    }
}
