package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.DiffReport;
import io.cqrs.master.Master;
import io.cqrs.master.MasterDiff;
import io.cqrs.master.MasterDiff.Difference;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.WhenExcluded;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.transport.pipe.DiffStream;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Replicas are compared with their masters by streams from stage to stage, and mended. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class DiffIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final String STAMP =
            "cqrs_revision bigint not null default 0, cqrs_updated timestamptz not null" + " default '2026-01-01Z'";

    private TestDatabase master;
    private TestDatabase replica;

    @BeforeEach
    void create() {
        master = TestEnvironment.database("diff_master");
        replica = TestEnvironment.database("diff_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
    }

    @Test
    void findsAllKindsOfDifferencesByRanges() throws Exception {
        tables("bigint", "i");
        damage();
        List<String> found = new ArrayList<>();
        DiffReport report = compare(master(), replica(), 7, found, false, false);
        assertThat(new TreeSet<>(found))
                .containsExactly("DRIFTED 33", "MISSING 1", "MISSING 100", "STALE 20", "SURPLUS 1000", "SURPLUS 55");
        assertThat(report.sent()).isEqualTo(4);
        assertThat(report.deleted()).isEqualTo(2);
        assertThat(Sent.take(master))
                .extracting(sent -> sent.signal() + " " + sent.key())
                .containsExactlyInAnyOrder("SYNC 1", "SYNC 20", "SYNC 33", "SYNC 100", "DELETE 55", "DELETE 1000");
        assertThat(master.rows("select cqrs_id, queue, missing, stale, ahead, drifted, surplus, sent, deleted"
                        + " from cqrs.last_diff"))
                .containsExactly("item|q|2|1|0|1|2|4|2");
    }

    @Test
    void findsThemWhateverTheKeyIs() throws Exception {
        for (String type : List.of("uuid", "numeric(20,3)", "text", "date", "bytea", "varchar(50) collate \"C\"")) {
            String value = switch (type) {
                case "uuid" -> "md5(i::text)::uuid";
                case "numeric(20,3)" -> "i / 8.0";
                case "date" -> "date '2024-01-01' + i";
                case "bytea" -> "sha256(i::text::bytea)";
                default -> "case when i % 2 = 0 then 'Ä' else 'b' end || i || ' \"x\", '";
            };
            tables(type, value);
            assertThat(compare(master(), replica(), 9, new ArrayList<>(), true, false)
                            .isEqual())
                    .as(type)
                    .isTrue();
            replica.execute("delete from ref where i = 5; update ref set a = 'x' where i = 60");
            List<String> found = new ArrayList<>();
            DiffReport report = compare(master(), replica(), 9, found, false, false);
            assertThat(List.of(report.missing(), report.drifted(), report.surplus(), report.sent()))
                    .as(type)
                    .containsExactly(1L, 1L, 0L, 2L);
        }
    }

    @Test
    void comparesTextKeysAlikeWhateverTheCollations() throws Exception {
        assumeTrue(
                !master.rows("select 1 from pg_collation where collname = 'und-x-icu'")
                        .isEmpty(),
                "this PostgreSQL has no ICU");
        tables("text collate \"und-x-icu\"", "case when i % 2 = 0 then 'Z' when i % 3 = 0 then 'ä' else 'a' end || i");
        replica.execute("alter table ref alter k type text collate \"C\"; delete from ref where i = 9");
        DiffReport report = compare(master(), replica(), 10, new ArrayList<>(), true, false);
        assertThat(List.of(report.missing(), report.stale(), report.drifted(), report.surplus()))
                .containsExactly(1L, 0L, 0L, 0L);
    }

    @Test
    void comparesKeysOfSeveralPartsAndOddNames() throws Exception {
        String columns = "(\"Grö\"\"ße\" text, \"select\" int, \"a.b\" text, " + STAMP
                + ", primary key (\"select\", \"Grö\"\"ße\"))";
        String rows = " select 'g' || i % 3, i, 'v', 0, '2026-01-01Z' from generate_series(1, 30) i";
        master.execute("create table \"Odd T\" " + columns + "; insert into \"Odd T\"" + rows);
        replica.execute("create table \"odd ref\" " + columns + "; insert into \"odd ref\"" + rows);
        replica.execute("delete from \"odd ref\" where \"select\" = 4; update \"odd ref\" set \"a.b\" = 'w' where"
                + " \"select\" = 5; insert into \"odd ref\" values ('g', 77, 'v', 0, '2026-01-01Z')");
        MasterTable table = MasterTable.of(ITEM, new TableName(null, "Odd T")).withKey(List.of("Grö\"ße", "select"));
        ReplicaStore store = ReplicaStore.of(
                replica.dataSource(),
                List.of(ReplicaDefinition.ofTable(ITEM, new TableName(null, "odd ref"), Map.of(), Order.UPDATED)
                        .withKey(List.of("Grö\"ße", "select"))));
        List<String> found = new ArrayList<>();
        DiffReport unused = compare(table, store, 4, found, false, false);
        assertThat(found).containsExactlyInAnyOrder("MISSING g1,4", "DRIFTED g2,5", "SURPLUS g,77");
        assertThat(Sent.take(master)).hasSize(3);
        List<String> lines = keys(table, store, 10);
        assertThat(lines).hasSize(2);
        assertThat(lines.get(1)).isEqualTo("[[\"g1\",4]]");
        byte[] gone = deleted(table, store, FieldFilter.all());
        assertThat(text(gone)).hasSize(2).last().isEqualTo("[[\"g\",77]]");
        assertThat(store.diff().delete(stream(gone))).isOne();
        assertThat(replica.rows("select count(*) from \"odd ref\" where \"select\" = 77"))
                .containsExactly("0");
    }

    @Test
    void comparesValuesNotTheirLooks() throws Exception {
        master.execute("create domain moment as timestamptz; create domain yes as boolean");
        master.execute("create table item (id int primary key, price numeric(12,4), at moment, doc jsonb, name"
                + " varchar(300), flag yes, raw bytea, rate float4, words text[], only_here text, kind text, "
                + STAMP
                + ")");
        replica.execute(
                "create table ref (id bigint primary key, cost numeric, at timestamptz, doc json, name text, flag"
                        + " boolean, raw bytea, rate float8, words text[], kind jsonb, " + STAMP + ")");
        String values = "(1, 1.50, '2026-01-01 00:00:00.5Z', '{\"b\": 1.10, \"a\": [1, 2]}', 'x', true, '\\x00ff', 0.1,"
                + " '{a,NULL}', %s '1'), (2, null, null, null, '', null, '', null, '{}', %s null), (3, 0, '2026-01-01Z',"
                + " '{}', repeat('ä', 150), false, null, 1, null, %s '3')";
        master.execute("insert into item (id, price, at, doc, name, flag, raw, rate, words, only_here, kind) values "
                + values.formatted("'x',", "'y',", "'z',"));
        replica.execute("insert into ref (id, cost, at, doc, name, flag, raw, rate, words, kind) values "
                + values.formatted("", "", "").replace("{\"b\": 1.10, \"a\": [1, 2]}", "{\"a\":[1,2],\"b\":1.10}"));
        ReplicaStore store = ReplicaStore.of(
                replica.dataSource(),
                List.of(ReplicaDefinition.ofTable(
                        ITEM, TableName.parse("ref"), Map.of("price", "cost"), Order.UPDATED)));
        List<String> told = new ArrayList<>();
        byte[] ranges = ranges(master(), 10);
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        assertThat(store.diff().answer(stream(ranges), "q", Duration.ZERO, answer, told::add))
                .as(answer.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(told)
                .containsExactly("field kind is not compared: it is of kind text at the master, column kind is of kind"
                        + " json");
        for (String change : List.of(
                "cost = 1.5001 where id = 1",
                "at = at + interval '1 microsecond' where id = 1",
                "doc = '{\"a\":[2,1],\"b\":1.10}' where id = 1",
                "name = null where id = 2",
                "name = repeat('ä', 149) || 'b' where id = 3",
                "raw = null where id = 2",
                "rate = 0.2 where id = 1",
                "words = '{a,\"NULL\"}' where id = 1",
                "flag = false where id = 2")) {
            String column = change.substring(0, change.indexOf(' '));
            String id = change.substring(change.indexOf("where"));
            String before = replica.rows("select coalesce(" + column + "::text, 'NULL') from ref " + id)
                    .get(0);
            replica.execute("update ref set " + change);
            DiffReport report = compare(master(), store, 2, new ArrayList<>(), true, false);
            assertThat(report.drifted()).as(change).isOne();
            replica.execute("update ref set " + column + " = " + (before.equals("NULL") ? "null" : "'" + before + "'")
                    + " " + id);
        }
    }

    @Test
    void takesNullsAndNumbersForWhatTheyMean() throws Exception {
        String columns = "(k int primary key, doc jsonb, rate %s, price %s, " + STAMP + ")";
        master.execute("create table item " + columns.formatted("float4", "float8"));
        replica.execute("create table ref " + columns.formatted("float8", "float4"));
        master.execute("insert into item values (1, 'null', 1e6, -0.0), (2, '{\"a\": null}', 'NaN', '-Infinity')");
        replica.execute("insert into ref values (1, null, 1000000, 0), (2, '{\"a\": null}', 'NaN', '-Infinity')");
        assertThat(compare(master(), replica(), 10, new ArrayList<>(), true, false)
                        .isEqual())
                .isTrue();
    }

    @Test
    void leavesToHooksWhatTheyWrite() throws Exception {
        tables("bigint", "i");
        replica.execute("update ref set a = upper(a)");
        ReplicaDefinition hooked = ReplicaDefinition.ofTable(ITEM, TableName.parse("ref"), Map.of(), Order.UPDATED);
        ReplicaStore store = ReplicaStore.of(
                replica.dataSource(),
                List.of(new ReplicaDefinition(
                        hooked.cqrsId(),
                        hooked.table(),
                        hooked.key(),
                        hooked.fields(),
                        hooked.mapped(),
                        true,
                        Order.UPDATED,
                        false,
                        new ReplicaHandler<Object>() {})));
        assertThat(compare(master(), store, 10, new ArrayList<>(), true, false).isEqual())
                .isTrue();
    }

    @Test
    void refusesMastersOfSeveralTables() {
        try (MasterUnit unit = MasterUnit.on(master, Shape.class, Circle.class, Square.class)) {
            assertThatExceptionOfType(CqrsConfigurationException.class)
                    .isThrownBy(
                            () -> MasterRows.of(unit.sessions(), Shape.class).close())
                    .withMessageContaining("under masters in cqrs.yaml");
        }
    }

    /** Rows of several tables. */
    @Entity(name = "Shape")
    @Master("shape")
    @Inheritance(strategy = InheritanceType.TABLE_PER_CLASS)
    public abstract static class Shape extends MasterEntity {
        @Id
        public Long id;
    }

    /** Rows of the first. */
    @Entity(name = "Circle")
    public static class Circle extends Shape {}

    /** Rows of the second. */
    @Entity(name = "Square")
    public static class Square extends Shape {}

    @Test
    void looksAgainAtWhatMayBeOnItsWay() throws Exception {
        tables("bigint", "i");
        replica.execute("delete from ref where i = 50");
        List<String> lines = text(ranges(master(), 1000));
        InputStream slow = new InputStream() {
            private int next;
            private byte[] line = {};
            private int position;

            @Override
            public int read(byte[] into, int offset, int length) {
                if (position == line.length) {
                    if (next == lines.size()) {
                        return -1;
                    }
                    if (next == 2) {
                        // The first look is done: the row comes now.
                        replica.execute("insert into ref select 50, 50, 'a50', 'b50', 50, 0, '2026-01-01Z'");
                    }
                    line = (lines.get(next++) + "\n").getBytes(StandardCharsets.UTF_8);
                    position = 0;
                }
                int count = Math.min(length, line.length - position);
                System.arraycopy(line, position, into, offset, count);
                position += count;
                return count;
            }

            @Override
            public int read() {
                throw new UnsupportedOperationException();
            }
        };
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(replica().diff().answer(DiffStream.open(slow), "q", Duration.ofMillis(1), out, told -> {}))
                .isZero();
        assertThat(text(out.toByteArray())).hasSize(2).last().isEqualTo("{\"end\":0}");
    }

    @Test
    void leavesWhatChangedSinceToTheLiveTraffic() throws Exception {
        tables("bigint", "i");
        byte[] ranges = ranges(master(), 10);
        master.execute(
                "update item set a = 'later', cqrs_revision = 1, cqrs_updated = now() + interval '1 s' where i = 3;"
                        + " insert into item values (500, 500, 'n', 'n', 5, 0, now() + interval '1 s')");
        replica.execute("update ref set a = 'damaged' where i = 4; delete from ref where i = 3");
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        long unused = replica().diff().answer(stream(ranges), "q", Duration.ZERO, answer, told -> {});
        List<String> found = new ArrayList<>();
        DiffReport report = repair(master(), answer.toByteArray(), found, false, false);
        assertThat(found).containsExactly("DRIFTED 4");
        assertThat(report.sent()).isOne();
    }

    @Test
    void sendsOverLaterStatesOnlyWhereTold() throws Exception {
        tables("bigint", "i");
        replica.execute("update ref set a = 'lost', cqrs_revision = 7, cqrs_updated = '2026-03-01Z' where i in (4, 5)");
        List<String> found = new ArrayList<>();
        DiffReport told = compare(master(), replica(), 50, found, false, false);
        assertThat(found).containsExactly("AHEAD 4", "AHEAD 5");
        assertThat(told.sent()).isZero();
        assertThat(Sent.take(master)).isEmpty();
        assertThat(compare(master(), replica(), 50, new ArrayList<>(), false, true)
                        .sent())
                .isEqualTo(2);
        assertThat(master.rows("select distinct headers from cqrs.outbox")).containsExactly("{\"cqrs-force\":true}");
    }

    @Test
    void speaksTheReferencesStreams() throws Exception {
        tables("bigint", "i");
        damage();
        List<String> lines = text(states(master(), FieldFilter.of(Map.of("k__lte", 60)), 25));
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).matches("item,\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(\\.\\d{6})?\\+00:00");
        assertThat(lines.get(1)).startsWith("[[1,0],[2,0],");
        List<String> told = new ArrayList<>();
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        // As Python writes it.
        String python = String.join("\n", lines).replace(",[", ", [").replace(",0]", ", 0]") + "\n";
        long count = replica()
                .diff()
                .answer(stream(python.getBytes(StandardCharsets.UTF_8)), "q", Duration.ZERO, answer, told::add);
        assertThat(count).isEqualTo(2);
        assertThat(told).containsExactly("PK to resync: [1,20]");
        assertThat(text(answer.toByteArray())).containsExactly(lines.get(0) + ",q", "[1,20]");
        DiffReport report = repair(master(), answer.toByteArray(), new ArrayList<>(), false, false);
        assertThat(report.sent()).isEqualTo(2);
        assertThat(master.rows("select distinct routing_key from cqrs.outbox")).containsExactly("cqrs.q.item");
        assertThat(Sent.take(master)).extracting(Sent::key).containsExactly("1", "20");
        String toAll = "item,2026-01-01 00:00:00+00:00,None\n[3, 4]\n";
        assertThat(repair(master(), toAll.getBytes(StandardCharsets.UTF_8), new ArrayList<>(), false, false)
                        .sent())
                .isEqualTo(2);
        assertThat(master.rows("select distinct routing_key from cqrs.outbox")).containsExactly("item");
        assertThat(states(master(), FieldFilter.of(Map.of("k__gt", 100_000)), 25))
                .isEmpty();
    }

    @Test
    void deletesWhatOnlyTheReplicaHas() throws Exception {
        tables("bigint", "i");
        damage();
        byte[] gone = deleted(master(), replica(), FieldFilter.of(Map.of("k__gte", 50)));
        assertThat(text(gone).subList(1, text(gone).size())).containsExactly("[55]", "[1000]");
        replica.execute("update ref set cqrs_updated = now() + interval '1 hour' where k = 55");
        assertThat(replica().diff().delete(stream(gone))).isOne();
        assertThat(replica.rows("select k from ref where k in (55, 1000)"))
                .as("a row that was written since stays")
                .containsExactly("55");
        assertThat(replica.rows("select pk, updated = '2026-01-01Z', revision from cqrs.tombstone"))
                .containsExactly("1000|t|1");
    }

    @Test
    void deletesByKeysOfBytesWhatOnlyTheReplicaHas() throws Exception {
        tables("bytea", "sha256(i::text::bytea)");
        master.execute("delete from item where i in (5, 50)");
        byte[] gone = deleted(master(), replica(), FieldFilter.all());
        assertThat(replica().diff().delete(stream(gone))).isEqualTo(2);
        assertThat(replica.rows("select count(*) from ref where i in (5, 50)")).containsExactly("0");
        replica.execute("update ref set cqrs_revision = 7 where i = 60");
        assertThat(keys(master(), replica(), 10)).hasSize(2);
    }

    @Test
    void tellsExcludedRowsByWhatTheirEndIs() throws Exception {
        tables("bigint", "i");
        MasterTable kept = master().withFilter("i <> 3", WhenExcluded.KEEP);
        assertThat(compare(kept, replica(), 10, new ArrayList<>(), true, false).isEqual())
                .isTrue();
        MasterTable deleted = master().withFilter("i <> 3", WhenExcluded.DELETE);
        List<String> found = new ArrayList<>();
        DiffReport unused = compare(deleted, replica(), 10, found, true, false);
        assertThat(found).containsExactly("SURPLUS 3");
    }

    @Test
    void refusesStreamsThatAreCutShortAnywhere() throws Exception {
        tables("bigint", "i");
        damage();
        byte[] ranges = ranges(master(), 30);
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        long unused = replica().diff().answer(stream(ranges), "q", Duration.ZERO, answer, told -> {});
        for (byte[] whole : List.of(ranges, answer.toByteArray())) {
            for (int length = 1; length < whole.length; length += 97) {
                byte[] cut = Arrays.copyOf(whole, length);
                assertThatExceptionOfType(SerializationException.class)
                        .as("%d of %d bytes", length, whole.length)
                        .isThrownBy(() -> drain(cut))
                        .withMessageMatching("(?s).*(cut short|end is missing).*");
            }
        }
        byte[] keys = "item,2026-01-01 00:00:00+00:00\n[[1,0],[2,0]]\n[[3,0".getBytes(StandardCharsets.UTF_8);
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> drain(keys))
                .withMessageContaining("line 3 is cut short");
    }

    @Test
    void refusesWhatIsNoStream() throws Exception {
        tables("bigint", "i");
        for (String wrong : List.of(
                "nothing\n",
                "{\"diff\":\"other\"}\n",
                "a,b\n",
                "item,2026-01-01 00:00:00+00:00,q,x\n",
                "item,2026-01-01 00:00:00+00:00\n{}\n",
                "item,2026-01-01 00:00:00+00:00\n[[1]]\n",
                "item,2026-01-01 00:00:00+00:00\n[[[],0]]\n",
                "item,2026-01-01 00:00:00+00:00\n[[1,\"x\"]]\n")) {
            assertThatExceptionOfType(SerializationException.class)
                    .as(wrong)
                    .isThrownBy(() -> replica()
                            .diff()
                            .answer(
                                    stream(wrong.getBytes(StandardCharsets.UTF_8)),
                                    "q",
                                    Duration.ZERO,
                                    new ByteArrayOutputStream(),
                                    told -> {}))
                    .withMessageContaining("line ");
        }
        String composite = "item,2026-01-01 00:00:00+00:00\n[[[1,2],0]]\n";
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> replica()
                        .diff()
                        .answer(
                                stream(composite.getBytes(StandardCharsets.UTF_8)),
                                "q",
                                Duration.ZERO,
                                new ByteArrayOutputStream(),
                                told -> {}))
                .withMessageContaining("2 part(s)");
    }

    @Test
    void neverTakesFiltersAsSql() throws Exception {
        tables("bigint", "i");
        for (Map<String, ?> filter : List.<Map<String, ?>>of(
                Map.of("a", "'; drop table item; --"),
                Map.of("a__in", List.of("') or true or ('", "x")),
                Map.of("a__contains", "' or true --"))) {
            assertThat(states(master(), FieldFilter.of(filter), 10)).isEmpty();
            assertThat(deleted(master(), replica(), FieldFilter.of(filter))).isEmpty();
        }
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> states(master(), FieldFilter.of(Map.of("a\" = '' or true --", 1)), 10))
                .withMessageContaining("Bad filter kwargs!");
        assertThat(master.count("item")).isEqualTo(100);
    }

    @Test
    void comparesMastersOfWhichJavaDecides() throws Exception {
        try (MasterUnit unit = MasterUnit.on(master, Asked.class)) {
            unit.commit(session -> {
                for (int i = 1; i <= 20; i++) {
                    session.persist(new Asked("t" + i % 2, i, i % 5 != 0));
                }
            });
            master.execute("delete from cqrs.outbox");
            replica.execute("create table ref (tenant text, number int, sent boolean, " + STAMP
                    + ", primary key (tenant, number))");
            ReplicaStore store = ReplicaStore.of(
                    replica.dataSource(),
                    List.of(ReplicaDefinition.ofTable(
                            CqrsId.of("asked"), TableName.parse("ref"), Map.of(), Order.UPDATED)));
            try (MasterRows rows = MasterRows.of(unit.sessions(), Asked.class)) {
                ByteArrayOutputStream states = new ByteArrayOutputStream();
                long pages = MasterDiff.of(rows).states(FieldFilter.all(), 6, states);
                assertThat(pages).isPositive();
                ByteArrayOutputStream answer = new ByteArrayOutputStream();
                assertThat(store.diff().answer(stream(states.toByteArray()), "q", Duration.ZERO, answer, told -> {}))
                        .isEqualTo(16);
                DiffReport sent =
                        MasterDiff.of(rows).repair(stream(answer.toByteArray()), MasterDiff.Options.standard());
                assertThat(sent.sent()).isEqualTo(16);
                assertThat(Sent.take(master)).hasSize(16);
                ByteArrayOutputStream ranges = new ByteArrayOutputStream();
                MasterDiff.of(rows).ranges(6, ranges);
                ByteArrayOutputStream ranged = new ByteArrayOutputStream();
                long unused = store.diff().answer(stream(ranges.toByteArray()), "q", Duration.ZERO, ranged, told -> {});
                DiffReport report =
                        MasterDiff.of(rows).repair(stream(ranged.toByteArray()), MasterDiff.Options.standard());
                assertThat(report.sent()).as("what Java leaves out is not sent").isEqualTo(16);
                assertThat(report.missing()).as("nor missed").isEqualTo(16);
            }
        }
    }

    /** A hundred rows, alike on both sides. */
    private void tables(String keyType, String key) {
        String columns =
                " (k " + keyType + " primary key, i int, a text, b varchar(20), c numeric(9,2), " + STAMP + ")";
        String rows = " select " + key + ", i, 'a' || i, 'b' || i, i, 0, '2026-01-01Z' from generate_series(1, 100) i";
        master.execute("drop table if exists item; create table item" + columns + "; insert into item" + rows);
        replica.execute("drop table if exists ref; create table ref" + columns + "; insert into ref" + rows);
    }

    private void damage() {
        replica.execute("delete from ref where k in (1, 100); update ref set b = 'x' where k = 33");
        master.execute("delete from item where k = 55; update item set a = 'new', cqrs_revision = 1,"
                + " cqrs_updated = '2026-01-02Z' where k = 20");
        replica.execute("insert into ref select 1000, 1000, 'a', 'b', 1, 0, '2026-01-01Z'");
    }

    private static MasterTable master() {
        return MasterTable.of(ITEM, TableName.parse("item"));
    }

    private ReplicaStore replica() {
        return ReplicaStore.of(
                replica.dataSource(),
                List.of(ReplicaDefinition.ofTable(ITEM, TableName.parse("ref"), Map.of(), Order.UPDATED)));
    }

    private DiffReport compare(
            MasterTable table, ReplicaStore store, int size, List<String> found, boolean checkOnly, boolean force)
            throws Exception {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        long unused = store.diff().answer(stream(ranges(table, size)), "q", Duration.ZERO, answer, told -> {});
        return repair(table, answer.toByteArray(), found, checkOnly, force);
    }

    private byte[] ranges(MasterTable table, int size) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (MasterRows rows = MasterRows.of(master.dataSource(), table)) {
            MasterDiff.of(rows).ranges(size, out);
        }
        return out.toByteArray();
    }

    private byte[] states(MasterTable table, FieldFilter filter, int size) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (MasterRows rows = MasterRows.of(master.dataSource(), table)) {
            long unused = MasterDiff.of(rows).states(filter, size, out);
        }
        return out.toByteArray();
    }

    private List<String> keys(MasterTable table, ReplicaStore store, int size) throws Exception {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        long unused = store.diff()
                .answer(stream(states(table, FieldFilter.all(), size)), "q", Duration.ZERO, answer, t -> {});
        return text(answer.toByteArray());
    }

    private byte[] deleted(MasterTable table, ReplicaStore store, FieldFilter filter) throws Exception {
        ByteArrayOutputStream keys = new ByteArrayOutputStream();
        if (store.diff().keys(ITEM, filter, 30, keys) == 0) {
            return keys.toByteArray();
        }
        ByteArrayOutputStream gone = new ByteArrayOutputStream();
        try (MasterRows rows = MasterRows.of(master.dataSource(), table)) {
            long unused = MasterDiff.of(rows).deleted(stream(keys.toByteArray()), gone);
        }
        return gone.toByteArray();
    }

    private DiffReport repair(MasterTable table, byte[] answer, List<String> found, boolean checkOnly, boolean force)
            throws Exception {
        try (MasterRows rows = MasterRows.of(master.dataSource(), table)) {
            return MasterDiff.of(rows)
                    .repair(
                            stream(answer),
                            new MasterDiff.Options(
                                    checkOnly,
                                    force,
                                    (Difference what, List<String> key) ->
                                            found.add(what + " " + String.join(",", key)),
                                    waiting -> {}));
        }
    }

    private static void drain(byte[] bytes) throws Exception {
        DiffStream stream = stream(bytes);
        List<?> line = stream.next();
        while (line != null) {
            line = stream.next();
        }
    }

    private static DiffStream stream(byte[] bytes) throws Exception {
        return DiffStream.open(new ByteArrayInputStream(bytes));
    }

    private static List<String> text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    }

    /** A row of which Java decides, with a key of two parts. */
    @Entity(name = "Asked")
    @Master("asked")
    @IdClass(Asked.Key.class)
    public static class Asked extends MasterEntity {
        @Id
        public String tenant;

        @Id
        public Integer number;

        public boolean sent;

        protected Asked() {}

        Asked(String tenant, int number, boolean sent) {
            this.tenant = tenant;
            this.number = number;
            this.sent = sent;
        }

        @Override
        public boolean isSyncInstance() {
            return sent;
        }

        /** Its key. */
        public record Key(String tenant, Integer number) implements Serializable {}
    }
}
