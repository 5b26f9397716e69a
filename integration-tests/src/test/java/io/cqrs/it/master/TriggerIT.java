package io.cqrs.it.master;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.SlowWriter;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.MasterTable;
import io.cqrs.master.MasterTable.OnTruncate;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.TriggerCapture;
import io.cqrs.master.WhenExcluded;
import io.cqrs.replica.BulkLoad;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.transport.FieldFilters;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Writes that no ORM sees. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class TriggerIT {

    private static final CqrsId PRODUCT = CqrsId.of("product");
    private static final MasterTable TABLE = MasterTable.of(PRODUCT, TableName.parse("product"));

    private static final int AMID_WRITERS = 4;
    private static final int AMID_ROWS = 20;

    private TestDatabase database;
    private TriggerCapture capture;

    @BeforeEach
    void create() {
        database = TestEnvironment.database("triggers");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table product (id bigint primary key, name text, price numeric(9,2), active boolean"
                + " not null default true)");
        capture = TriggerCapture.of(database.dataSource());
        capture.addColumns(TABLE.table());
    }

    @Test
    void sendsInsertUpdateAndDeleteOfWhoeverWrites() {
        capture.install(TABLE);
        database.execute("insert into product (id, name, price) values (1, 'a\"\\ä', 1.5)");
        database.execute("update product set price = 2 where id = 1");
        database.execute("delete from product where id = 1");
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "DELETE");
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L, 2L);
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
        assertThat(sent.get(0).field("name")).isEqualTo("\"a\\\"\\\\ä\"");
        assertThat(sent.get(1).field("price")).isEqualTo("2.00");
        assertThat(sent.get(2).field("id")).isEqualTo("1");
        assertThat(database.rows("select distinct cqrs_id, instance_pk, routing_key from cqrs.outbox"))
                .containsExactly("product|1|product");
    }

    @Test
    void sendsWhatACopyBringsAndWhatAMergeDoes() throws Exception {
        capture.install(TABLE);
        try (Connection connection = database.dataSource().getConnection()) {
            long copied = connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("copy product (id, name) from stdin", new StringReader("1\ta\n2\tb\n3\tc\n"));
            assertThat(copied).isEqualTo(3);
        }
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key() + " " + one.field("name"))
                .containsExactlyInAnyOrder("SAVE 1 \"a\"", "SAVE 2 \"b\"", "SAVE 3 \"c\"");
        database.execute("""
                merge into product p using (values (1, 'a'), (2, 'gone'), (3, 'new'), (4, 'more')) v (id, name) on p.id = v.id
                when matched and v.name = 'gone' then delete
                when matched then update set name = v.name
                when not matched then insert (id, name) values (v.id, v.name)""");
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key() + " " + one.field("name") + " " + one.revision())
                .containsExactlyInAnyOrder("DELETE 2 null 1", "SAVE 3 \"new\" 1", "SAVE 4 \"more\" 0");
    }

    @Test
    void sendsOneMessageForEachRowThatReallyChanged() {
        database.execute("insert into product (id, name) select i, 'n' from generate_series(1, 10) i");
        capture.install(TABLE);
        database.execute("update product set name = case when id <= 3 then 'new' else name end");
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactlyInAnyOrder("1", "2", "3");
        assertThat(database.rows("select count(*) from product where cqrs_revision = 1"))
                .containsExactly("3");
    }

    @Test
    void keepsRevisionAndTimeOfAWriterThatKnowsThemAndSaysSo() {
        capture.install(TABLE);
        String keep = "set cqrs.keep_stamps = 'on'; ";
        database.execute(
                keep + "insert into product (id, name, cqrs_revision, cqrs_updated) values (1, 'a', 0, '2024-01-01Z')");
        database.execute(keep + "update product set name = 'b', cqrs_revision = 7, cqrs_updated = '2024-01-02Z'");
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 7L);
        assertThat(sent)
                .extracting(Sent::updated)
                .containsExactly("2024-01-01 00:00:00+00:00", "2024-01-02 00:00:00+00:00");
        database.execute("update product set name = 'c', cqrs_updated = '2023-01-02Z'");
        assertThat(Sent.all(database).get(2).updated()).isGreaterThan("2024-01-02 00:00:00+00:00");
    }

    /** No replica could take it. */
    @Test
    void countsOnWhereAWriterGivesANegativeRevision() {
        capture.install(TABLE);
        database.execute("insert into product (id, name, cqrs_revision) values (1, 'a', -5)");
        database.execute("update product set name = 'b', cqrs_revision = -7");
        database.execute("update product set name = 'c'");
        assertThat(Sent.all(database)).extracting(Sent::revision).containsExactly(0L, 1L, 2L);
    }

    /** With the time that it had, it would be older than its delete at every replica. */
    @ParameterizedTest
    @ValueSource(strings = {"insert into product select * from archive", "update product set id = 1 where id = 2"})
    void sendsAKeyThatComesBackWithTheTimeItHadAsNewer(String back) {
        capture.install(TABLE);
        database.execute("insert into product (id, name) values (2, 'other')");
        database.execute("insert into product (id, name) values (1, 'a')");
        database.execute("create table archive as select * from product where id = 1");
        database.execute("delete from product where id = 1");
        database.execute(back);
        List<Sent> sent =
                Sent.all(database).stream().filter(one -> one.key().equals("1")).toList();
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void keepsTheStampsOfReplicatedRowsForReplicasOfTheirOwn() throws Exception {
        capture.install(TABLE);
        String row = "{\"id\":1,\"name\":\"a\",\"price\":null,\"active\":true,\"cqrs_revision\":3,"
                + "\"cqrs_updated\":\"2024-01-01 00:00:00+00:00\"}";
        ReplicaDefinition replica =
                ReplicaDefinition.ofTable(CqrsId.of("upstream"), TABLE.table(), Map.of(), Order.UPDATED);
        BulkLoad.Result unused = ReplicaStore.of(database.dataSource(), List.of(replica))
                .load()
                .from(new ByteArrayInputStream(("upstream\n" + row).getBytes(UTF_8)));
        Sent sent = Sent.takeOnly(database);
        assertThat(sent.revision()).isEqualTo(3);
        assertThat(sent.updated()).isEqualTo("2024-01-01 00:00:00+00:00");
        database.execute(
                "set cqrs.keep_stamps = '1,2'; insert into product (id, cqrs_updated) values (2, '2024-01-01Z')");
        assertThat(Sent.takeOnly(database).updated()).as("of another table").isGreaterThan("2025-01-01");
    }

    @Test
    void capturesATableWhoseKeyIsGenerated() {
        database.execute("create table document (doc jsonb not null, id text generated always as (doc->>'id') stored"
                + " primary key)");
        MasterTable document = MasterTable.of(CqrsId.of("document"), TableName.parse("document"));
        capture.addColumns(document.table());
        capture.install(document);
        database.execute("insert into document values ('{\"id\": \"a\"}')");
        database.execute("update document set doc = '{\"id\": \"b\"}'");
        assertThat(Sent.take(database)).extracting(Sent::signal).containsExactlyInAnyOrder("SAVE", "DELETE", "SAVE");
    }

    @Test
    void looksKeysUpByTheirIndexHoweverSmallTheTableWas() {
        database.execute("insert into product (id, name) values (1, 'first'); analyze product");
        capture.install(TABLE);
        long before = scanned();
        database.execute("insert into product (id, name) select i, 'n' from generate_series(2, 3000) i");
        assertThat(database.count("product")).isEqualTo(3000);
        await().untilAsserted(() -> assertThat(scanned()).isGreaterThan(before));
        assertThat(scanned() - before).isLessThan(100_000);
    }

    /** Rows that were read one after the other, as the server has counted so far: the count above reads each once. */
    private long scanned() {
        return Long.parseLong(
                database.rows("select coalesce(seq_tup_read, 0) from pg_stat_user_tables where relname = 'product'")
                        .get(0));
    }

    @Test
    void capturesTypesWithoutAnEquality() {
        database.execute("alter table product add j json, add x xml, add p point, add jb jsonb, add a int[]");
        capture.install(TABLE.withTracked(Set.of("j", "p")));
        database.execute("insert into product (id, j, x, p) values (1, '{\"a\": 1, \"a\": 2}', '<a/>', '(1,2)')");
        database.execute("update product set p = '(1,2)'");
        database.execute("update product set p = '(1,3)', j = '[1.50]', a = '{1,null}'");
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L);
        assertThat(sent.get(0).field("j")).isEqualTo("{\"a\":2}");
        assertThat(sent.get(0).field("x")).isEqualTo("\"<a/>\"");
        assertThat(sent.get(1).field("j")).isEqualTo("[1.50]");
        assertThat(sent.get(1).field("a")).isEqualTo("[1,null]");
        assertThat(sent.get(1).previous()).isEqualTo("{\"j\":{\"a\":2},\"p\":\"(1,2)\"}");
    }

    @Test
    void capturesColumnsOfAnyNameAndGeneratedOnes() {
        database.execute(
                "alter table product add header text default 'h', add correlation text, add large text default 'l',"
                        + " add twice numeric generated always as (price * 2) stored");
        capture.install(TABLE.withFilter("large = 'l' and header is not null", WhenExcluded.KEEP));
        database.execute("insert into product (id, price) values (1, 2)");
        database.execute("update product set correlation = 'x'");
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(one -> one.field("header")).containsExactly("\"h\"", "\"h\"");
        assertThat(sent.get(1).field("twice")).isEqualTo("4.00");
        assertThat(database.rows("select distinct headers is null from cqrs.outbox"))
                .containsExactly("t");
    }

    @Test
    void letsColumnsThatAreNotSentComeAndGoAndKeepsThoseThatAre() {
        capture.install(TABLE.withFields(Map.of("id", "id", "name", "name")));
        database.execute("insert into product (id, name, price) values (1, 'a', 1)");
        database.execute("alter table product add color text, drop active, alter price type text");
        database.execute("update product set color = 'red'");
        database.execute("update product set color = 'red'");
        assertThat(Sent.all(database)).extracting(Sent::revision).containsExactly(0L, 1L);
        for (String sent : List.of(
                "drop name",
                "alter name type varchar(9)",
                "alter id type text",
                "drop cqrs_updated",
                "drop cqrs_revision")) {
            assertThatThrownBy(() -> database.execute("alter table product " + sent))
                    .as(sent)
                    .hasMessageContaining("trigger");
        }
        capture.install(TABLE.withFields(Map.of("id", "id")).withFilter("color = 'red'", WhenExcluded.KEEP));
        assertThatThrownBy(() -> database.execute("alter table product drop color"))
                .hasMessageContaining("trigger");
    }

    @Test
    void altersTablesUnderTheirTriggersSoThatNoWriteEscapes() throws Exception {
        capture.install(TABLE);
        try (Connection writer = database.dataSource().getConnection();
                Statement statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("insert into product (id, name) values (1, 'before')");
            CompletableFuture<Void> altering = CompletableFuture.runAsync(() -> capture.alter(
                    List.of(TABLE),
                    "alter table product rename name to title; alter table product alter id type text, drop price"));
            await().until(() -> database.waiting() == 1);
            Thread late = new Thread(() -> database.execute("insert into product (id, title) values (2, 'after')"));
            late.start();
            await().until(() -> database.waiting() == 2);
            writer.commit();
            altering.get(20, TimeUnit.SECONDS);
            late.join();
        }
        database.execute("update product set title = 'later'");
        database.execute("update product set id = '3' where id = '2'");
        database.execute("delete from product where id = '3'");
        List<Sent> sent = Sent.all(database);
        assertThat(sent)
                .extracting(one -> one.signal() + " " + one.key())
                .startsWith("SAVE 1", "SAVE \"2\"")
                .containsOnlyOnce("DELETE \"2\"", "SAVE \"3\"")
                .endsWith("DELETE \"3\"");
        assertThat(sent.get(1).field("title")).isEqualTo("\"after\"");
        assertThat(sent.get(2).field("title")).isEqualTo("\"later\"");
        assertThat(states(TABLE)).containsExactly("product INSTALLED");
    }

    @Test
    void altersSeveralTablesWhereTheSessionFindsThem() {
        database.execute(
                "create schema other; create table other.part (id bigint primary key, twice int generated always as"
                        + " (4) stored)");
        MasterTable part = MasterTable.of(CqrsId.of("part"), TableName.parse("part"));
        String path = "?options=-c%20search_path=public,other";
        TestDatabase session = new TestDatabase(
                database.url(), UrlDataSource.of(database.url().replaceAll("\\?", path + "&"), null, null));
        TriggerCapture both = TriggerCapture.of(session.dataSource());
        both.addColumns(part.table());
        both.install(part);
        both.install(TABLE);
        both.alter(
                List.of(part, TABLE),
                "set search_path = pg_catalog; alter table other.part add more text; alter table public.product rename to"
                        + " goods; alter table public.goods rename to product");
        session.execute("insert into part (id, more) values (1, 'm'); insert into product (id) values (2)");
        session.execute("update part set more = 'n'");
        assertThat(Sent.all(database)).extracting(Sent::key).containsExactly("1", "2", "1");
    }

    @Test
    void altersNothingWhereStatementsOrDeclarationsAreWrong() {
        capture.install(TABLE);
        assertThatThrownBy(() -> capture.alter(List.of(TABLE), "alter table product drop name; commit"))
                .isInstanceOf(OutboxException.class)
                .hasMessageContaining("transaction commands")
                .hasMessageContaining("what ends a transaction")
                .hasMessageContaining("nothing was altered");
        database.execute("insert into product (id, name) values (0, 'there')");
        assertThatThrownBy(() -> capture.alter(List.of(TABLE), "update product set name = 'x'"))
                .isInstanceOf(OutboxException.class)
                .hasMessageContaining("these statements write rows of product");
        assertThatThrownBy(() -> capture.alter(List.of(TABLE), "truncate product"))
                .isInstanceOf(OutboxException.class)
                .hasMessageContaining("these statements write rows of product");
        assertThatThrownBy(() -> capture.alter(
                        List.of(TABLE),
                        "alter table product rename to former; create table product (like former including all)"))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("is not the one that was captured before");
        assertThatThrownBy(() -> capture.alter(
                        List.of(TABLE, MasterTable.of(CqrsId.of("other"), TABLE.table())),
                        "alter table product add x int"))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("master other has no triggers");
        assertThatThrownBy(() -> capture.alter(List.of(TABLE), "alter table product drop nothing"))
                .isInstanceOf(OutboxException.class)
                .hasMessageContaining("\"nothing\"");
        assertThatThrownBy(() -> capture.alter(
                        List.of(TABLE.withTracked(Set.of("name"))), "alter table product rename name to title"))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("has no column name, which is named in tracked");
        database.execute("insert into product (id, name) values (1, 'still')");
        assertThat(database.rows("select name from product order by id")).containsExactly("there", "still");
        assertThat(Sent.all(database)).extracting(Sent::key).containsExactly("0", "1");
    }

    @Test
    void refusesHeadersThatAreNoneOrNotTheWriters() {
        capture.install(TABLE);
        for (String headers : List.of("[1]", "abc", "{\"cqrs-force\": \"true\"}", "{\"a\": 1}")) {
            assertThatThrownBy(() -> database.execute("select set_config('cqrs.headers', '" + headers
                            + "', false); insert into product (id) values (1)"))
                    .as(headers)
                    .hasMessageContaining("insert into product");
        }
        assertThat(database.count("product")).isZero();
    }

    @Test
    void refusesAPartitionedTable() {
        database.execute("create table parted (id int primary key, cqrs_revision int, cqrs_updated timestamptz)"
                + " partition by hash (id)");
        assertThatThrownBy(() -> capture.install(MasterTable.of(PRODUCT, TableName.parse("parted"))))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("is partitioned");
    }

    @Test
    void refusesATableWhoseRowsAreWrittenThroughAnother() {
        String columns = " (id int primary key, cqrs_revision int, cqrs_updated timestamptz)";
        database.execute(
                "create table whole" + columns + " partition by hash (id); create table part partition of whole"
                        + " for values with (modulus 1, remainder 0); create table parent" + columns
                        + "; create table child (primary key (id)) inherits (parent)");
        for (String table : List.of("part", "child")) {
            assertThatThrownBy(() -> capture.install(MasterTable.of(PRODUCT, TableName.parse(table))))
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageContaining("inherits from " + (table.equals("part") ? "whole" : "parent"));
        }
        assertThatThrownBy(() -> capture.install(MasterTable.of(PRODUCT, TableName.parse("parent"))))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("has the child child");
    }

    @Test
    void refusesTimesThatTheirColumnRounds() {
        database.execute("create table coarse (id int primary key, cqrs_revision int, cqrs_updated timestamptz(3))");
        assertThatThrownBy(() -> capture.install(MasterTable.of(PRODUCT, TableName.parse("coarse"))))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining("timestamp(3) with time zone, which rounds: alter table \"coarse\" alter");
    }

    @Test
    void refusesAKeyThatSeveralRowsMayHaveOrNone() {
        database.execute("create table loose (name text, code text not null, id int not null,"
                + " cqrs_revision int, cqrs_updated timestamptz);"
                + " create unique index on loose (name); create unique index on loose (lower(code));"
                + " create unique index on loose (code) where id > 0; create unique index on loose (code, id);"
                + " alter table loose add unique (code) deferrable");
        MasterTable loose = MasterTable.of(PRODUCT, TableName.parse("loose"));
        assertThatThrownBy(() -> capture.install(loose.withKey(List.of("name"))))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining(
                        "has name in its key, which may be null: alter table \"loose\" alter \"name\" set");
        assertThatThrownBy(() -> capture.install(loose.withKey(List.of("code"))))
                .isInstanceOf(CqrsConfigurationException.class)
                .hasMessageContaining(
                        "may have several rows of one key [code], with no unique index that is checked at once: alter table \"loose\" add unique (\"code\")");
        capture.install(MasterTable.of(CqrsId.of("named"), loose.table())
                .withKey(List.of("name"))
                .withFilter("name is not null", WhenExcluded.KEEP));
        capture.install(loose.withKey(List.of("id", "code")));
        capture.alter(List.of(loose.withKey(List.of("code"))), "alter table loose add unique (code)");
        database.execute("insert into loose values ('a', 'b', 1, 0, now())");
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactlyInAnyOrder("\"a\"", "\"b\"");
    }

    @Test
    void installsAgainWhatWasHalfUninstalled() {
        capture.install(TABLE);
        database.execute("update cqrs.capture set cqrs_id = 'uninstalling product'");
        assertThat(states(TABLE)).contains("product UNINSTALLING");
        capture.install(TABLE);
        assertThat(states(TABLE)).containsExactly("product INSTALLED");
        assertThat(capture.uninstall(PRODUCT)).isTrue();
        assertThat(capture.uninstall(PRODUCT)).isFalse();
    }

    @Test
    void keepsTheTriggersForTransactionsThatBeganBeforeTheUninstall() throws Exception {
        capture.install(TABLE);
        Thread uninstall = new Thread(() -> capture.uninstall(PRODUCT));
        try (Connection before = database.dataSource().getConnection();
                Statement statement = before.createStatement()) {
            before.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            before.setAutoCommit(false);
            statement.execute("select count(*) from cqrs.capture");
            uninstall.start();
            await().until(() -> states(TABLE).contains("product UNINSTALLING"));
            statement.execute("insert into product (id, name) values (1, 'a')");
            before.commit();
            before.setAutoCommit(true);
            before.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        }
        uninstall.join();
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("1");
        assertThat(states(TABLE)).containsExactly("product NOT_INSTALLED");
        database.execute("insert into product (id, name) values (2, 'b')");
        assertThat(Sent.all(database)).isEmpty();
    }

    @Test
    void sendsAChangedKeyAsADeleteAndASave() {
        capture.install(TABLE.withTracked(Set.of("name")));
        database.execute("insert into product (id, name) values (1, 'a'), (2, 'b')");
        Sent.take(database);
        database.execute("update product set id = id + 10");
        List<Sent> sent = Sent.take(database);
        assertThat(sent)
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 2", "SAVE 11", "SAVE 12");
        assertThat(sent)
                .filteredOn(one -> one.key().equals("11"))
                .extracting(Sent::previous)
                .containsExactly("{\"name\":null}");
    }

    @Test
    void sendsTrackedColumnsWithTheirOldValues() {
        capture.install(TABLE.withTracked(Set.of("price", "name")));
        database.execute("insert into product (id, price) values (1, 1)");
        database.execute("update product set price = 2, name = 'x'");
        database.execute("update product set active = false");
        assertThat(Sent.all(database))
                .extracting(Sent::previous)
                .containsExactly("{\"price\":null}", "{\"name\":null,\"price\":1.00}", "{}");
    }

    @Test
    void sendsWhatTheFilterLetsThrough() {
        capture.install(TABLE.withFilter("active and name is not null", WhenExcluded.KEEP));
        database.execute(
                "insert into product (id, name, active) values (1, 'a', true), (2, 'b', false), (3, null, true)");
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("1");
        database.execute("update product set active = not active");
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("2");
        database.execute("delete from product");
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("2");
    }

    @Test
    void deletesReplicasOfARowThatTheFilterNoLongerLetsThroughWhereAsked() {
        capture.install(TABLE.withFilter("active", WhenExcluded.DELETE));
        database.execute("insert into product (id, active) values (1, true), (2, false)");
        database.execute("update product set active = false");
        database.execute("update product set name = 'silent'");
        database.execute("update product set active = true where id = 1");
        List<Sent> sent = Sent.all(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L, 3L);
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void sendsATruncateAsDeletesOrRefusesIt() {
        capture.install(TABLE);
        database.execute("insert into product (id) values (1), (2)");
        Sent.take(database);
        database.execute("truncate product");
        assertThat(Sent.take(database)).extracting(Sent::signal).containsExactly("DELETE", "DELETE");
        capture.install(TABLE.withOnTruncate(OnTruncate.REFUSE));
        database.execute("insert into product (id) values (1)");
        assertThatThrownBy(() -> database.execute("truncate product"))
                .hasMessageContaining("product is the master of product: a TRUNCATE is not allowed");
        assertThat(database.count("product")).isEqualTo(1);
    }

    @Test
    void sendsWhatACascadingTruncateEmptiesOrRefusesAllOfIt() {
        MasterTable review = MasterTable.of(CqrsId.of("review"), TableName.parse("review"));
        database.execute("create table review (id bigint primary key, product bigint references product)");
        capture.addColumns(review.table());
        capture.install(TABLE);
        capture.install(review);
        database.execute("insert into product (id) values (1)");
        database.execute("insert into review (id, product) values (5, 1), (6, 1)");
        Sent.take(database);
        database.execute("truncate product cascade");
        assertThat(Sent.take(database))
                .extracting(sent -> sent.signal() + " " + sent.message().get("cqrs_id") + " " + sent.key())
                .containsExactlyInAnyOrder("DELETE \"product\" 1", "DELETE \"review\" 5", "DELETE \"review\" 6");
        capture.install(review.withOnTruncate(OnTruncate.REFUSE));
        database.execute("insert into product (id) values (1)");
        database.execute("insert into review (id, product) values (5, 1)");
        Sent.take(database);
        assertThatThrownBy(() -> database.execute("truncate product cascade"))
                .hasMessageContaining("review is the master of review: a TRUNCATE is not allowed");
        assertThat(database.rows("select (select count(*) from product), (select count(*) from review)"))
                .containsExactly("1|1");
        assertThat(Sent.all(database)).isEmpty();
    }

    @Test
    void sendsNothingOfARollbackToASavepoint() throws Exception {
        capture.install(TABLE);
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("insert into product (id, name) values (1, 'kept')");
            Savepoint savepoint = connection.setSavepoint();
            statement.execute("insert into product (id, name) values (2, 'gone')");
            statement.execute("update product set name = 'gone'");
            connection.rollback(savepoint);
            connection.commit();
            connection.setAutoCommit(true);
        }
        Sent only = Sent.takeOnly(database);
        assertThat(only.field("name")).isEqualTo("\"kept\"");
    }

    @Test
    void seesCopyUpsertMergeCascadesAndPlainSql() {
        database.execute(
                "create table part (id int primary key, product bigint references product on delete cascade"
                        + " on update cascade, cqrs_revision int not null default 0, cqrs_updated timestamptz not null default now())");
        capture.install(TABLE);
        capture.install(MasterTable.of(CqrsId.of("part"), TableName.parse("public.part")));
        database.execute("insert into product (id) values (1)"
                + " ; insert into product (id, name) values (1, 'x'), (2, 'y')"
                + " on conflict (id) do update set name = excluded.name");
        database.execute("insert into part (id, product) values (1, 1), (2, 2)");
        database.execute("with gone as (delete from product where id = 1 returning id) select * from gone");
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.signal() + " " + one.key())
                .containsExactlyInAnyOrder(
                        "product SAVE 1",
                        "product SAVE 2",
                        "product SAVE 1",
                        "part SAVE 1",
                        "part SAVE 2",
                        "product DELETE 1",
                        "part DELETE 1");
    }

    @Test
    void writesNoMessageTwiceWhereHibernateSeesTheSameRow() {
        TestDatabase shared = TestEnvironment.database("triggers_hibernate");
        CqrsSchema.standard().migrate(shared.dataSource());
        try (MasterUnit unit = MasterUnit.on(shared, Item.class)) {
            List<MasterTable> tables = TriggerCapture.tablesOf(unit.sessions());
            TriggerCapture triggers = TriggerCapture.of(shared.dataSource());
            triggers.install(tables.get(0));
            unit.commit(session -> session.persist(new Item(1, "a").with(2, "1.50")));
            unit.commit(session -> session.find(Item.class, 1L).name = "b");
            shared.execute("update item set name = 'by hand'");
            unit.commit(session -> session.find(Item.class, 1L).name = "c");
            List<Sent> sent = Sent.take(shared);
            assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L, 2L, 3L);
            assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
            assertThat(sent.get(0).field("unit_price")).isEqualTo("1.50");
            assertThat(triggers.uninstall(CqrsId.of("item"))).isTrue();
            unit.commit(session -> session.remove(session.find(Item.class, 1L)));
            assertThat(Sent.takeOnly(shared).signal()).isEqualTo("DELETE");
            assertThat(triggers.uninstall(CqrsId.of("item"))).isFalse();
        }
    }

    /** Each commit of a row counts its revision: so the revisions of its messages must do, whoever captured it, or both. */
    @Test
    void takesOverFromHibernateAndGivesBackAmidItsWrites() throws Exception {
        TestDatabase shared = TestEnvironment.database("triggers_amid");
        CqrsSchema.standard().migrate(shared.dataSource());
        try (MasterUnit unit = MasterUnit.on(shared, Item.class)) {
            unit.commit(session -> {
                for (long id = 0; id < AMID_ROWS; id++) {
                    session.persist(new Item(id, "n").with(0, "1.50"));
                }
            });
            MasterTable item = TriggerCapture.tablesOf(unit.sessions()).get(0);
            TriggerCapture triggers = TriggerCapture.of(shared.dataSource());
            AtomicBoolean stopping = new AtomicBoolean();
            AtomicInteger commits = new AtomicInteger();
            ExecutorService writers = Executors.newFixedThreadPool(AMID_WRITERS);
            try {
                List<Future<?>> running = new ArrayList<>();
                for (int writer = 0; writer < AMID_WRITERS; writer++) {
                    long mine = writer;
                    running.add(writers.submit(() -> {
                        for (int change = 1; !stopping.get(); change++) {
                            int amount = change;
                            long first = mine + AMID_WRITERS * (change % (AMID_ROWS / AMID_WRITERS));
                            unit.commit(
                                    session -> session.find(Item.class, first).with(amount, "2.50"));
                            commits.incrementAndGet();
                        }
                    }));
                }
                for (int turn = 1; turn <= 6; turn++) {
                    int from = commits.get();
                    await().until(() -> commits.get() > from + 100);
                    triggers.install(item);
                    triggers.install(item.withTracked(Set.of("amount")));
                    int installed = commits.get();
                    await().until(() -> commits.get() > installed + 100);
                    assertThat(triggers.uninstall(item.cqrsId())).isTrue();
                }
                stopping.set(true);
                for (Future<?> one : running) {
                    Object unused = one.get();
                }
            } finally {
                stopping.set(true);
                writers.shutdownNow();
            }
            Map<String, Set<Long>> revisions = Sent.all(shared).stream()
                    .collect(groupingBy(Sent::key, TreeMap::new, mapping(Sent::revision, toCollection(TreeSet::new))));
            Map<String, Set<Long>> counted = new TreeMap<>();
            for (String row : shared.rows("select id, cqrs_revision from item")) {
                String[] parts = row.split("\\|");
                counted.put(
                        parts[0],
                        LongStream.rangeClosed(0, Long.parseLong(parts[1]))
                                .boxed()
                                .collect(toCollection(TreeSet::new)));
            }
            assertThat(revisions).isEqualTo(counted);
            assertThat(counted.values().stream().mapToInt(Set::size).sum()).isEqualTo(AMID_ROWS + commits.get());
        }
    }

    @Test
    void takesTheMastersItCanWhereOthersNeedJava() {
        TestDatabase shared = TestEnvironment.database("triggers_some");
        CqrsSchema.standard().migrate(shared.dataSource());
        try (MasterUnit unit = MasterUnit.on(shared, Item.class, BulkIT.Stock.class)) {
            assertThatThrownBy(() -> TriggerCapture.tablesOf(unit.sessions()))
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageContaining("has a cqrsMeta or cqrsDeleteData of its own");
            assertThat(TriggerCapture.tablesOf(unit.sessions(), id -> id.value().equals("item")))
                    .singleElement()
                    .extracting(one -> one.table().toString())
                    .isEqualTo("item");
        }
    }

    @Test
    void addsTheColumnsThatAMasterDeclares() {
        database.execute("create table old (id int primary key)");
        MasterTable old =
                MasterTable.of(CqrsId.of("old"), TableName.parse("old")).withStamp("rev", "Changed At");
        assertThat(capture.addColumns(old)).isTrue();
        assertThat(capture.addColumns(old)).isFalse();
        capture.install(old);
        database.execute("insert into old (id) values (1)");
        assertThat(Sent.takeOnly(database).revision()).isZero();
        assertThat(TriggerCapture.addColumnsSql(old)).contains("\"rev\" bigint", "\"Changed At\" timestamptz");
    }

    @Test
    void writesEveryTypeAsHibernatesCaptureDoes() {
        TestDatabase shared = TestEnvironment.database("triggers_types");
        CqrsSchema.standard().migrate(shared.dataSource());
        try (MasterUnit unit = MasterUnit.on(shared, TypesIT.Wide.class)) {
            TypesIT.Wide wide = TypesIT.full();
            unit.commit(session -> session.persist(wide));
            Sent hibernate = Sent.takeOnly(shared);
            TriggerCapture triggers = TriggerCapture.of(shared.dataSource());
            triggers.install(TriggerCapture.tablesOf(unit.sessions()).get(0));
            shared.execute("update wide set cqrs_revision = cqrs_revision + 1");
            Sent trigger = Sent.takeOnly(shared);
            hibernate.data().fieldNames().forEachRemaining(name -> {
                // Hibernate keeps no offset with it, and writes it in the zone of the JVM.
                if (!name.startsWith("cqrs_") && !name.equals("offset_time")) {
                    assertThat(trigger.field(name)).as(name).isEqualTo(hibernate.field(name));
                }
            });
            assertThat(trigger.data().size()).isEqualTo(hibernate.data().size());
            assertThat(trigger.message().fieldNames())
                    .toIterable()
                    .containsExactlyInAnyOrderElementsOf(
                            () -> hibernate.message().fieldNames());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "insert into product (id, name) values (1, 'second life')",
                "insert into product (id, name, cqrs_updated) values (1, 'second life', clock_timestamp())"
            })
    void losesNoInsertThatWaitedForADeleteWithUpdatesBeforeIt(String insert) throws Exception {
        capture.install(TABLE);
        database.execute("insert into product (id, name) values (1, 'first life')");
        List<Sent> sent = sentAround(insert);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void losesNoChangeOfAKeyThatWaitedForADeleteWithUpdatesBeforeIt() throws Exception {
        capture.install(TABLE);
        database.execute("insert into product (id, name) values (1, 'first life'), (2, 'other')");
        List<Sent> sent = sentAround("update product set id = 1 where id = 2").stream()
                .filter(one -> one.key().equals("1"))
                .toList();
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "SAVE", "DELETE", "SAVE");
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
    }

    /** Row 1 is updated and deleted by a transaction that the statement waits for. */
    private List<Sent> sentAround(String statement) throws Exception {
        Thread waiting;
        try (Connection connection = database.dataSource().getConnection();
                Statement change = connection.createStatement()) {
            connection.setAutoCommit(false);
            change.execute("update product set name = 'b' where id = 1");
            waiting = new Thread(() -> database.execute(statement));
            waiting.start();
            await().until(() -> database.waiting() > 0);
            change.execute("update product set name = 'c' where id = 1");
            change.execute("delete from product where id = 1");
            connection.commit();
            connection.setAutoCommit(true);
        }
        waiting.join();
        return Sent.all(database);
    }

    @Test
    void needsNoRightOfTheWriterOnTheOutbox() {
        capture.install(TABLE);
        database.execute("drop role if exists cqrs_test_writer; create role cqrs_test_writer;"
                + " grant select, insert, update, delete on product to cqrs_test_writer;"
                + " grant usage on schema public to cqrs_test_writer");
        database.execute("set role cqrs_test_writer; insert into product (id) values (1);"
                + " update product set name = 'x'; delete from product; reset role");
        assertThat(Sent.take(database)).hasSize(3);
        assertThatThrownBy(() -> database.execute("set role cqrs_test_writer; select * from cqrs.outbox"))
                .hasMessageContaining("permission denied");
        database.execute("reset role; drop owned by cqrs_test_writer; drop role cqrs_test_writer");
    }

    @Test
    void carriesTheCallersCorrelationIdAndTraceContext() {
        capture.install(TABLE.withExpiry(Duration.ofHours(1)));
        database.execute(
                "begin; set local cqrs.correlation_id = 'a \"b\"';"
                        + " set local cqrs.headers = '{\"traceparent\": \"00-1\"}'; insert into product (id) values (1); commit");
        Sent sent = Sent.all(database).get(0);
        assertThat(sent.message().get("correlation_id").asText()).isEqualTo("a \"b\"");
        assertThat(sent.message().get("expires").asText()).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\+00:00");
        assertThat(database.rows("select headers from cqrs.outbox")).containsExactly("{\"traceparent\": \"00-1\"}");
        database.execute("insert into product (id) values (2)");
        assertThat(Sent.all(database).get(1).message().get("correlation_id").isNull())
                .isTrue();
    }

    @Test
    void refusesAMessageThatIsTooLargeNamingTheRow() {
        capture.install(TABLE);
        assertThatThrownBy(() -> database.execute("insert into product (id, name) values (5, repeat('x', 17000000))"))
                .hasMessageContaining("the message of product 5 has more than the 16777216 bytes");
        assertThat(database.count("product")).isZero();
    }

    @Test
    void tellsHowDeclarationsAndTriggersMatch() {
        MasterTable second = MasterTable.of(CqrsId.of("second"), TableName.parse("product"));
        assertThat(states(TABLE)).containsExactly("product NOT_INSTALLED");
        capture.install(TABLE);
        capture.install(TABLE);
        capture.install(second);
        assertThat(states(TABLE, second)).containsExactly("product INSTALLED", "second INSTALLED");
        assertThat(states(TABLE.withTracked(Set.of("name"))))
                .containsExactly("product OUTDATED", "second NOT_DECLARED");
        database.execute("drop trigger zz_cqrs_product_stamp_rekey on product; update cqrs.capture set definition ="
                + " replace(definition, 'stamp_rekey', 'none_then') where cqrs_id = 'product'");
        assertThat(states(TABLE)).as("of an earlier version").contains("product OUTDATED");
        capture.install(TABLE);
        database.execute("alter table product add column more int");
        assertThat(states(TABLE)).contains("product OUTDATED");
        database.execute("alter table product disable trigger cqrs_product_update");
        assertThat(states(TABLE)).contains("product DISABLED");
        database.execute("drop table product");
        assertThat(states(TABLE)).contains("product TABLE_GONE");
        assertThat(capture.uninstall(PRODUCT)).isTrue();
        assertThat(database.rows("select count(*) from pg_proc where proname like 'capture_product%'"))
                .containsExactly("0");
    }

    @Test
    void refusesWrongDeclarationsNamingTheWayOut() {
        database.execute("create table bare (id int primary key); create table keyless (id int, cqrs_revision int,"
                + " cqrs_updated timestamptz)");
        for (Map.Entry<MasterTable, String> wrong : Map.of(
                        MasterTable.of(PRODUCT, TableName.parse("nowhere")), "table nowhere does not exist",
                        MasterTable.of(PRODUCT, TableName.parse("bare")), "run `cqrs migrate --entity product`",
                        MasterTable.of(PRODUCT, TableName.parse("keyless")), "has no primary key",
                        TABLE.withKey(List.of("nix")), "has no column nix, which is named in key",
                        TABLE.withFields(Map.of("name", "name")), "has id in its key but not among its fields",
                        TABLE.withTracked(Set.of("nix")), "has no column nix, which is named in tracked",
                        TABLE.withTracked(Set.of("id")), "has id of its key tracked, which never changes",
                        TABLE.withFilter("activ", WhenExcluded.KEEP), "the filter \"activ\" is no condition")
                .entrySet()) {
            assertThatThrownBy(() -> capture.install(wrong.getKey()))
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageContaining(wrong.getValue());
        }
        assertThat(database.rows("select tgname from pg_trigger where not tgisinternal"))
                .isEmpty();
    }

    @Test
    void addsTheColumnsOnceAndLeavesRowsAsTheyAre() {
        database.execute("create table old (id int primary key); insert into old values (1)");
        TableName old = TableName.parse("old");
        assertThat(capture.addColumns(old)).isTrue();
        assertThat(capture.addColumns(old)).isFalse();
        assertThat(database.rows("select cqrs_revision, cqrs_updated <= clock_timestamp() from old"))
                .containsExactly("0|t");
        assertThatThrownBy(() -> capture.addColumns(TableName.parse("nowhere")))
                .hasMessageContaining("table nowhere does not exist");
    }

    @Test
    void sendsATablesRowsAgainByFilter() {
        database.execute("insert into product (id, name, price) select i, 'n%' || i, i from generate_series(1, 25) i");
        List<SyncProgress> told = new ArrayList<>();
        SyncProgress done = capture.sync(TABLE.withFilter("active", WhenExcluded.KEEP))
                .where(FieldFilters.parse("{\"id__gt\": 5, \"name__contains\": \"%1\", \"price__lte\": 18.5}"))
                .to("storefront")
                .force()
                .pageSize(20)
                .listener(told::add)
                .send();
        assertThat(done.sent()).isEqualTo(9);
        assertThat(done.lastKey()).isEqualTo("18");
        assertThat(Sent.all(database)).extracting(Sent::signal).containsOnly("SYNC");
        assertThat(database.rows("select distinct routing_key, headers from cqrs.outbox"))
                .containsExactly("cqrs.storefront.product|{\"cqrs-force\":true}");
        assertThat(capture.sync(TABLE).afterKey("18").send().sent()).isEqualTo(7);
        database.execute("update product set cqrs_updated = '2020-01-01Z' where id < 4");
        assertThat(capture.sync(TABLE)
                        .where(FieldFilters.parse("{\"cqrs_updated__lt\": \"2020-06-01 00:00:00+00:00\"}"))
                        .send()
                        .sent())
                .isEqualTo(3);
    }

    @Test
    void syncHoldsUpNoWriterOfOtherRowsWhileItWaitsForOne() throws Exception {
        database.execute("insert into product (id, name) select i, 'n' from generate_series(1, 10) i");
        AtomicReference<SyncProgress> done = new AtomicReference<>();
        Thread sync = new Thread(() -> done.set(capture.sync(TABLE).send()));
        SlowWriter.requireYielding(
                database,
                "update product set name = 'slow' where id = 9",
                change -> "update product set price = " + change + " where id = 1",
                sync);
        assertThat(done.get().sent()).isEqualTo(10);
    }

    @Test
    void syncSkipsNoRowWhereItWaitedForOneWhoseKeyWasChanged() throws Exception {
        database.execute("insert into product (id, name) select i, 'n' from generate_series(1, 15) i");
        AtomicReference<SyncProgress> done = new AtomicReference<>();
        Thread sync = new Thread(() -> done.set(capture.sync(TABLE).pageSize(10).send()));
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("update product set id = 99 where id = 5");
            sync.start();
            await().until(() -> database.waiting() > 0);
            connection.commit();
            connection.setAutoCommit(true);
        }
        sync.join();
        assertThat(done.get().sent()).isEqualTo(15);
        assertThat(Sent.take(database)).extracting(Sent::key).contains("6", "15", "99");
    }

    @Test
    void pagesByACompositeKey() {
        database.execute(
                "create table cell (r int, c text, primary key (c, r)); insert into cell select i / 5, 'c' || i % 5"
                        + " from generate_series(0, 24) i");
        MasterTable cell =
                MasterTable.of(CqrsId.of("cell"), TableName.parse("cell")).withKey(List.of("r", "c"));
        capture.addColumns(cell.table());
        SyncProgress done = capture.sync(cell).pageSize(20).send();
        assertThat(done.sent()).isEqualTo(25);
        assertThat(Sent.take(database))
                .extracting(Sent::key)
                .hasSize(25)
                .isSorted()
                .startsWith("[0,\"c0\"]");
        assertThat(capture.sync(cell).afterKey("[4, \"c3\"]").send().sent()).isEqualTo(1);
        assertThatThrownBy(() -> capture.sync(cell).afterKey("4").send()).hasMessageContaining("with 2 parts");
    }

    @Test
    void pagesByAKeyOfBytes() {
        database.execute("create table token (id bytea primary key);"
                + " insert into token select sha256(i::text::bytea) from generate_series(1, 25) i");
        MasterTable token =
                MasterTable.of(CqrsId.of("token"), TableName.parse("token")).withKey(List.of("id"));
        capture.addColumns(token.table());
        SyncProgress done = capture.sync(token).pageSize(20).send();
        assertThat(done.sent()).isEqualTo(25);
        assertThat(Sent.take(database)).extracting(Sent::key).doesNotHaveDuplicates();
        assertThat(capture.sync(token)
                        .afterKey(database.rows("select '\"' || replace(encode(id, 'base64'), E'\\n', '') || '\"'"
                                        + " from token order by id offset 22 limit 1")
                                .get(0))
                        .send()
                        .sent())
                .isEqualTo(2);
    }

    @Test
    void comparesByEveryLookup() {
        database.execute("insert into product (id, name, price) values (1, 'Abc', 1), (2, 'abd', 2), (3, null, 3)");
        Map<String, Integer> expected = Map.ofEntries(
                Map.entry("{}", 3),
                Map.entry("{\"id\": 1}", 1),
                Map.entry("{\"id__in\": [1, 3]}", 2),
                Map.entry("{\"price__gte\": 2}", 2),
                Map.entry("{\"price__lt\": 2}", 1),
                Map.entry("{\"name__isnull\": true}", 1),
                Map.entry("{\"name__isnull\": false}", 2),
                Map.entry("{\"name\": null}", 1),
                Map.entry("{\"price__range\": [1, 2]}", 2),
                Map.entry("{\"name__startswith\": \"ab\"}", 1),
                Map.entry("{\"name__istartswith\": \"ab\"}", 2),
                Map.entry("{\"name__iendswith\": \"BC\"}", 1),
                Map.entry("{\"name__iexact\": \"ABC\"}", 1),
                Map.entry("{\"name__icontains\": \"B\"}", 2),
                Map.entry("{\"name__endswith\": \"d\", \"id\": 2}", 1));
        expected.forEach((filter, count) -> assertThat(capture.sync(TABLE)
                        .where(FieldFilters.parse(filter))
                        .send()
                        .sent())
                .as(filter)
                .isEqualTo((long) count));
    }

    @Test
    void refusesWrongFiltersNamingThem() {
        for (String wrong : List.of(
                "nix",
                "[1]",
                "{\"id__like\": 1}",
                "{\"id__in\": 1}",
                "{\"id\": [1]}",
                "{\"id__range\": [1]}",
                "{\"id__gt\": null}",
                "{\"name__contains\": 1}",
                "{\"name__isnull\": 1}",
                "{\"nix\": 1}")) {
            assertThatThrownBy(() ->
                            capture.sync(TABLE).where(FieldFilters.parse(wrong)).send())
                    .as(wrong)
                    .isInstanceOf(CqrsConfigurationException.class)
                    .hasMessageStartingWith("Bad filter kwargs!");
        }
    }

    private List<String> states(MasterTable... declared) {
        return capture.status(List.of(declared)).stream()
                .map(one -> one.cqrsId() + " " + one.state())
                .toList();
    }
}
