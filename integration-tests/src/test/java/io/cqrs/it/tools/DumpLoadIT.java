package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.BulkDump;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.WhenExcluded;
import io.cqrs.replica.BulkLoad;
import io.cqrs.replica.Order;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.transport.JsonText;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.MappedSuperclass;
import jakarta.persistence.Table;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Masters' rows go into dumps, and from there into replicas. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class DumpLoadIT {

    private static final String EARLY = "2026-01-01 00:00:00+00:00";
    private static final String LATE = "2026-01-02 00:00:00+00:00";

    @TempDir
    Path directory;

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestEnvironment.database("dump_load");
        CqrsSchema.standard().migrate(database.dataSource());
    }

    @Test
    void readsTheSameDataBySqlAndThroughJava() throws Exception {
        try (MasterUnit unit = MasterUnit.on(database, Sample.class)) {
            unit.commit(session -> {
                session.persist(Sample.full(1));
                session.persist(new Sample(2));
            });
            List<Object> bySql;
            try (MasterRows rows = MasterRows.of(unit.sessions(), Sample.class)) {
                bySql = lines(dump(rows));
            }
            try (MasterUnit asked = MasterUnit.on(database, AskedSample.class);
                    MasterRows rows = MasterRows.of(asked.sessions(), AskedSample.class)) {
                assertThat(rows.getClass().getSimpleName()).isEqualTo("EntityRows");
                assertThat(lines(dump(rows))).hasSize(2).containsExactlyElementsOf(bySql);
            }
        }
    }

    @Test
    void leavesOutWhatIsNotSentAndTellsWhatCantBe() throws Exception {
        try (MasterUnit unit = MasterUnit.on(database, Chosen.class)) {
            unit.commit(session -> {
                session.persist(new Chosen(1, 1.0));
                session.persist(new Chosen(2, -1.0));
                session.persist(new Chosen(3, 3.0));
            });
            database.execute("update chosen set weight = 'NaN' where id = 3");
            List<String> failed = new ArrayList<>();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (MasterRows rows = MasterRows.of(unit.sessions(), Chosen.class)) {
                BulkDump.Result result = BulkDump.of(rows)
                        .failures((key, error) -> failed.add(key + ": " + error.getMessage()))
                        .to(out);
                assertThat(result).isEqualTo(new BulkDump.Result(1, 1));
            }
            assertThat(failed).singleElement().asString().startsWith("3: ").contains("weight");
            assertThat(out.toString(StandardCharsets.UTF_8))
                    .startsWith("chosen\n{\"id\":1,")
                    .doesNotEndWith("\n");
        }
    }

    @Test
    void loadsWhatIsNewerThanRowsAndDeletes() throws Exception {
        replicaTable();
        database.execute("insert into ref values (1, 'kept', 5, '" + LATE + "'), (2, 'old', 0, '" + EARLY + "')");
        database.execute(
                "insert into cqrs.tombstone (cqrs_id, pk, updated, revision) values ('item', '3', '" + LATE + "', 9)");
        BulkLoad.Result result = store().load()
                .from(dump(
                        line(1, "older", 4, EARLY),
                        line(2, "new", 1, LATE),
                        line(3, "deleted", 8, EARLY),
                        line(4, "twice, old", 0, EARLY),
                        line(4, "twice, new", 1, LATE),
                        line(5, "\\u00e4\\n\\t\\\\ \\\"", 0, EARLY)));
        assertThat(result).isEqualTo(new BulkLoad.Result(3, 3, 0, 0));
        assertThat(database.rows("select id, name, cqrs_revision from ref order by id"))
                .containsExactly("1|kept|5", "2|new|1", "4|twice, new|1", "5|\u00e4\n\t\\ \"|0");
        assertThat(store().load().from(dump(line(5, "again", 0, EARLY))).unchanged())
                .as("the same state again")
                .isOne();
    }

    @Test
    void loadsLinesOfDjangoAndOfOtherShapes() throws Exception {
        replicaTable();
        BulkLoad.Result result = store().load()
                .from(dump(
                        "{\"id\": 1, \"name\": \"M\\u00fcller\", \"cqrs_revision\": 0,"
                                + " \"cqrs_updated\": \"2026-01-01 00:00:00.123456+00:00\", \"unknown\": [1, {}]}",
                        "{\"id\": 2, \"cqrs_revision\": 0, \"cqrs_updated\": \"" + EARLY + "\"}"));
        assertThat(result.written()).isEqualTo(2);
        assertThat(database.rows("select id, name from ref order by id")).containsExactly("1|Müller", "2|none");
    }

    @Test
    void tellsLinesThatCantBeLoadedAndWritesThemAside() throws Exception {
        replicaTable();
        Path dump = Files.writeString(
                directory.resolve("item.dump"),
                String.join(
                        "\n",
                        "item",
                        line(1, "a", 0, EARLY),
                        "no json",
                        "{\"name\": \"no key\", \"cqrs_revision\": 0, \"cqrs_updated\": \"" + EARLY + "\"}",
                        "{\"id\": \"x\", \"name\": \"b\", \"cqrs_revision\": 0, \"cqrs_updated\": \"" + EARLY + "\"}",
                        "{\"id\": 5, \"name\": null, \"cqrs_revision\": 0, \"cqrs_updated\": \"" + EARLY + "\"}",
                        "{\"id\": 6, \"name\": \"nul \\u0000\", \"cqrs_revision\": 0, \"cqrs_updated\": \"" + EARLY
                                + "\"}",
                        "{\"id\": 7, \"name\": \"b\", \"cqrs_revision\": 0}",
                        line(8, "z", 0, EARLY)));
        Path rejects = directory.resolve("rejects");
        CommandRun run = cqrs("bulk-load", "-i", dump.toString(), "--rejects", rejects.toString());
        assertThat(run.code()).isEqualTo(5);
        assertThat(run.err())
                .contains("line 3! the line is not valid JSON")
                .contains("line 4! ")
                .contains("line 5! ")
                .contains("field id does not fit column id, which is bigint")
                .contains("line 6! ")
                .contains("field name does not fit column name, which is text not null")
                .contains("line 7! ")
                .contains("line 8! required key cqrs_updated is missing")
                .contains("2 instance(s) loaded")
                .contains("6 line(s) rejected");
        assertThat(database.rows("select id from ref order by id")).containsExactly("1", "8");
        assertThat(Files.readAllLines(rejects)).hasSize(7).startsWith("item", "no json");
        assertThat(cqrs("bulk-load", "-i", rejects.toString()).err()).contains("6 line(s) rejected");
        CommandRun same = cqrs("bulk-load", "-i", rejects.toString(), "--rejects", rejects.toString());
        assertThat(same.code()).isEqualTo(3);
        assertThat(Files.readAllLines(rejects)).hasSize(7);
    }

    @Test
    void removesWhatTheDumpLacksInOneTransaction() throws Exception {
        replicaTable();
        database.execute("create table child (id int primary key, ref bigint references ref on delete cascade)");
        database.execute("insert into ref values (1, 'newer', 5, '2026-02-01Z'), (2, 'gone', 0, '" + EARLY
                + "'), (5, 'came since', 0, '2026-02-01Z'); insert into child values (1, 1), (2, 2)");
        InputStream broken = new SequenceInputStream(dump(line(1, "x", 0, EARLY), line(9, "x", 0, EARLY)), failing());
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> store().load().clear().batchSize(1).from(broken));
        for (String cut : List.of("", "{", "{\"id\":4,\"name\":\"x\",\"cqrs_revision\":0,\"cqrs_updated\":\"2026")) {
            InputStream dump = cut.isEmpty() ? dump() : dump(line(1, "x", 0, EARLY), cut);
            assertThatExceptionOfType(SerializationException.class)
                    .as(cut)
                    .isThrownBy(() -> store().load().clear().from(dump))
                    .withMessageContaining("nothing was removed");
        }
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> store().load()
                        .clear()
                        .from(new ByteArrayInputStream(
                                ("item\n" + line(1, "x", 0, EARLY) + "\n").getBytes(StandardCharsets.UTF_8))))
                .withMessageContaining("has a line end");
        BulkLoad.Result rejected =
                store().load().clear().from(dump("{bad", line(3, null, 0, EARLY), line(1, "older", 0, EARLY)));
        assertThat(rejected).as("nothing is removed").isEqualTo(new BulkLoad.Result(0, 1, 2, 0));
        assertThat(database.rows("select id, name from ref order by id"))
                .containsExactly("1|newer", "2|gone", "5|came since");
        BulkLoad.Result result = store().load()
                .clear()
                .batchSize(2)
                .from(dump(
                        line(1, "older", 0, EARLY),
                        "{\"id\":6,\"cqrs_revision\":0,\"cqrs_updated\":\"" + EARLY + "\"}",
                        line(4, "b", 0, LATE)));
        assertThat(result).isEqualTo(new BulkLoad.Result(2, 1, 0, 1));
        assertThat(database.rows("select id, name from ref order by id"))
                .containsExactly("1|newer", "4|b", "5|came since", "6|none");
        assertThat(database.rows("select id from child"))
                .as("children of what stays")
                .containsExactly("1");
    }

    @Test
    void doesNotRemoveOldRowsThatItCouldNotCreate() throws Exception {
        replicaTable();
        database.execute("insert into ref values (1, 'old', 0, '" + EARLY + "'), (2, 'old', 0, '" + EARLY + "')");
        database.execute("insert into cqrs.tombstone_horizon values ('item', '" + LATE + "', '2026-02-01Z')");
        BulkLoad.Result result = store().load().clear().from(dump(line(1, "new", 1, EARLY), line(3, "x", 0, EARLY)));
        assertThat(result).isEqualTo(new BulkLoad.Result(1, 0, 1, 0));
        assertThat(database.rows("select id, name from ref order by id")).containsExactly("1|new", "2|old");
    }

    @Test
    void cutsDumpsWithinTheirLines() throws Exception {
        database.execute("create table item (id bigint primary key, name text, "
                + "cqrs_revision bigint not null default" + " 0, cqrs_updated timestamptz not null default now())");
        database.execute("insert into item (id) values (1), (2)");
        List<String> written = new ArrayList<>();
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int one) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                written.add(new String(bytes, offset, length, StandardCharsets.UTF_8));
            }
        };
        try (MasterRows rows =
                MasterRows.of(database.dataSource(), MasterTable.of(CqrsId.of("item"), TableName.parse("item")))) {
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> BulkDump.of(rows)
                            .progress(count -> {
                                if (count == 2) {
                                    throw new IllegalStateException("killed");
                                }
                            })
                            .to(broken));
        }
        assertThat(String.join("", written)).doesNotEndWith("}");
    }

    @Test
    void keepsOutRowsWhoseDeletesItMayHaveForgotten() throws Exception {
        replicaTable();
        database.execute("insert into ref values (2, 'old', 0, '2025-12-01')");
        database.execute("insert into cqrs.tombstone_horizon values ('item', '2026-01-01 12:00Z', '2026-02-01Z')");
        String[] lines = {line(1, "may be deleted", 0, EARLY), line(2, "is here", 1, EARLY), line(3, "later", 0, LATE)};
        List<String> reasons = new ArrayList<>();
        BulkLoad.Result result = store().load()
                .rejects((model, number, line, reason) -> reasons.add(number + " " + reason))
                .from(dump(lines));
        assertThat(result).isEqualTo(new BulkLoad.Result(2, 0, 1, 0));
        assertThat(reasons).singleElement().asString().startsWith("2 ").contains("forgotten");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> store().load()
                        .takenAt(Instant.parse("2026-01-31T00:00:00Z"))
                        .from(dump(lines)))
                .withMessageContaining("2026-02-01T00:00:00Z");
        assertThat(store().load()
                        .takenAt(Instant.parse("2026-02-02T00:00:00Z"))
                        .from(dump(lines))
                        .written())
                .isOne();
        assertThat(database.rows("select id from ref order by id")).containsExactly("1", "2", "3");
    }

    @Test
    void loadsThroughHooks() throws Exception {
        Configuration configuration =
                new Configuration().addAnnotatedClass(HookedRef.class).setProperty("hibernate.hbm2ddl.auto", "update");
        configuration.getProperties().put("hibernate.connection.datasource", database.dataSource());
        try (SessionFactory sessions = configuration.buildSessionFactory()) {
            ReplicaStore store = ReplicaStore.of(sessions, List.of());
            BulkLoad.Result result = store.load()
                    .from(dump(line(1, "a", 0, EARLY), line(2, "refused", 0, EARLY), line(3, "c", 0, EARLY)));
            assertThat(result).isEqualTo(new BulkLoad.Result(2, 0, 1, 0));
            assertThat(database.rows("select id, name from hookedref order by id"))
                    .containsExactly("1|A", "3|C");
            assertThatExceptionOfType(CqrsConfigurationException.class)
                    .isThrownBy(() -> store.load().clear().from(dump()))
                    .withMessageContaining("hooks");
        }
    }

    @Test
    void writesFilesThatAreCompleteOrNotThere() throws Exception {
        database.execute("create table item (id bigint primary key, name text, cqrs_revision bigint not null default 0,"
                + " cqrs_updated timestamptz not null default now())");
        database.execute("insert into item select i, 'n' || i from generate_series(1, 1000) i");
        Path file = directory.resolve("item.dump.gz");
        CommandRun first = cqrs("cqrs_bulk_dump", "-cid", "item", "-o", file.toString());
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err()).contains("Done! 1000 instance(s) saved. 1000 instance(s) processed.");
        assertThat(Files.getPosixFilePermissions(file))
                .as("readers")
                .containsOnly(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
        CommandRun again = cqrs("bulk-dump", "-c", "item", "-o", file.toString());
        assertThat(again.code()).isEqualTo(3);
        assertThat(again.err()).contains("exists: give --force");
        database.execute("alter table item drop column name");
        byte[] before = Files.readAllBytes(file);
        assertThat(cqrs("bulk-dump", "-c", "item", "-f", "-o", file.toString()).code())
                .isNotZero();
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("item.dump.gz", "cqrs.yaml");
        replicaTable();
        CommandRun load = cqrs("bulk-load", "-i", file.toString(), "-b", "300", "-p");
        assertThat(load.code()).as(load.err()).isZero();
        assertThat(database.rows("select count(*), min(name), max(cqrs_revision) from ref"))
                .containsExactly("1000|n1|0");
    }

    @Test
    void refusesWhatIsNoDump() throws Exception {
        replicaTable();
        Path empty = Files.createFile(directory.resolve("empty"));
        assertThat(cqrs("bulk-load", "-i", empty.toString()).err()).contains("the dump is empty");
        assertThat(cqrs("bulk-load", "-i", "/no/such/file").err()).contains("/no/such/file does not exist");
        Path other = Files.writeString(directory.resolve("other"), "other\n{}");
        CommandRun wrong = cqrs("bulk-load", "-i", other.toString());
        assertThat(wrong.code()).isEqualTo(3);
        assertThat(wrong.err()).contains("Wrong CQRS ID: other!").contains("[item]");
        assertThat(cqrs("bulk-dump", "-c", "nothing", "-o", "-").err()).contains("Wrong CQRS ID: nothing!");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> store().load().from(new ByteArrayInputStream(new byte[0])));
    }

    @Test
    void dumpsTablesOfOddNames() throws Exception {
        database.execute(
                "create table \"Odd \"\"T\" (\"select\" bigint primary key, \"Grö'ße\" text, \"a.b?\" numeric(9,3),"
                        + " cqrs_revision int not null default 0, cqrs_updated timestamptz not null default '" + EARLY
                        + "')");
        database.execute("insert into \"Odd \"\"T\" values (7, 'x''y', 1.500)");
        MasterTable table = MasterTable.of(CqrsId.of("item"), new TableName(null, "Odd \"T"))
                .withFilter("\"Grö'ße\" like '%?%' or \"select\" = 7", WhenExcluded.KEEP);
        try (MasterRows rows = MasterRows.of(database.dataSource(), table)) {
            assertThat(rows.count()).isOne();
            assertThat(new String(dump(rows), StandardCharsets.UTF_8))
                    .isEqualTo("item\n{\"select\":7,\"Grö'ße\":\"x'y\",\"a.b?\":1.500,\"cqrs_revision\":0,"
                            + "\"cqrs_updated\":\"" + EARLY + "\"}");
        }
    }

    private CommandRun cqrs(String... arguments) throws IOException {
        Path config = Files.writeString(directory.resolve("cqrs.yaml"), """
                database: { url: "%s" }
                masters: { item: { table: item, fields: [id, name] } }
                replicas: { item: { table: ref } }
                """.formatted(database.url()));
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--config");
        all.add(config.toString());
        return CommandRun.of(all.toArray(String[]::new));
    }

    private void replicaTable() {
        database.execute("create table ref (id bigint primary key, name text not null default 'none',"
                + " cqrs_revision bigint, cqrs_updated timestamptz)");
    }

    private ReplicaStore store() {
        return ReplicaStore.of(
                database.dataSource(),
                List.of(ReplicaDefinition.ofTable(CqrsId.of("item"), TableName.parse("ref"), Map.of(), Order.UPDATED)));
    }

    private static InputStream dump(String... lines) {
        String text = "item" + (lines.length == 0 ? "" : "\n" + String.join("\n", lines));
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String line(long id, String name, long revision, String updated) {
        return "{\"id\":%d,\"name\":%s,\"cqrs_revision\":%d,\"cqrs_updated\":\"%s\"}"
                .formatted(id, name == null ? "null" : "\"" + name + "\"", revision, updated);
    }

    private static InputStream failing() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the stream broke");
            }
        };
    }

    private static byte[] dump(MasterRows rows) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BulkDump.Result unused = BulkDump.of(rows).to(out);
        return out.toByteArray();
    }

    private static List<Object> lines(byte[] dump) {
        return new String(dump, StandardCharsets.UTF_8)
                .lines()
                .skip(1)
                .map(JsonText::read)
                .toList();
    }

    /** What a row has. */
    @MappedSuperclass
    public abstract static class SampleRow extends MasterEntity {
        @Id
        public Long id;

        public String text;
        public BigDecimal price;
        public Instant seen;
        public LocalDate made;
        public byte[] photo;
        public Boolean active;
        public Double weight;
        public UUID token;

        @Enumerated(EnumType.STRING)
        public Thread.State state;

        public String[] words;
    }

    /** A row that SQL can read. */
    @Entity(name = "Sample")
    @Table(name = "sample")
    @Master("sample")
    public static class Sample extends SampleRow {

        protected Sample() {}

        Sample(long id) {
            this.id = id;
        }

        static Sample full(long id) {
            Sample sample = new Sample(id);
            sample.text = "a\"b\\c/\u00e4\u0001\u2028, \t\n";
            sample.price = new BigDecimal("1.50");
            sample.seen = Instant.parse("1969-12-31T23:59:59.123456Z");
            sample.made = LocalDate.parse("2024-02-29");
            sample.photo = new byte[] {0, 1, -1};
            sample.active = true;
            sample.weight = 0.1;
            sample.token = UUID.fromString("00000000-0000-0001-0000-000000000002");
            sample.state = Thread.State.NEW;
            sample.words = new String[] {"a", null, "b,c"};
            return sample;
        }
    }

    /** The same rows, of which Java decides. */
    @Entity(name = "AskedSample")
    @Table(name = "sample")
    @Master("sample")
    public static class AskedSample extends SampleRow {
        @Override
        public boolean isSyncInstance() {
            return true;
        }
    }

    /** A row of which Java decides. */
    @Entity(name = "Chosen")
    @Master("chosen")
    public static class Chosen extends MasterEntity {
        @Id
        public Long id;

        public double weight;

        protected Chosen() {}

        Chosen(long id, double weight) {
            this.id = id;
            this.weight = weight;
        }

        @Override
        public boolean isSyncInstance() {
            return !(weight < 0);
        }
    }

    /** A replica that a hook writes. */
    @Entity(name = "HookedRef")
    @Replica(value = "item", handler = Upper.class)
    public static class HookedRef extends ReplicaEntity {
        @Id
        public Long id;

        public String name;
    }

    /** Writes names in capitals. */
    public static class Upper extends ReplicaHandler<HookedRef> {
        @Override
        public HookedRef create(Change change, ReplicaContext<HookedRef> context) {
            HookedRef row = context.fill(context.newRow());
            if (row.name.equals("refused")) {
                throw new IllegalStateException("refused");
            }
            row.name = row.name.toUpperCase(Locale.ROOT);
            return row;
        }
    }
}
