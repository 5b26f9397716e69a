package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.MasterDiff;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.tools.config.ConfigLoader;
import io.cqrs.transport.pipe.DiffStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Dumps, comparisons and configuration with bytes changed: they are refused by an error of ours, and do nothing else. */
@ExtendWith(TestEnvironment.class)
@Timeout(1_800)
class HostileFilesIT {

    private static final long GOOD = 1_000_000;
    private static final MasterTable ITEM = MasterTable.of(CqrsId.of("item"), TableName.parse("item"));
    private static final String CONFIG = """
            database: { url: "jdbc:postgresql://localhost/shop", user: shop, password: "${PASSWORD:-secret}" }
            transport: { url: "amqp://guest:guest@localhost:5672/", exchange: cqrs, wire: batch }
            queue: storefront
            workers: 4
            batch_size: 500
            max_retries: 30
            statement_timeout: PT30S
            masters:
              product: { table: public.product, fields: { id: id, sku: code }, tracked: [price], filter: active }
            replicas:
              product: { table: product_ref, mapping: { sku: code }, key: [id], order: updated }
            """;

    private static TestDatabase database;

    private final long seed = Long.getLong("cqrs.fuzz.seed", 44);
    private final Random random = new Random(seed);

    @TempDir
    Path directory;

    @BeforeAll
    static void create() {
        database = TestEnvironment.database("hostile");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table item (id bigint primary key, name text, amount int)");
        database.execute("create table item_ref (id bigint primary key, name text, amount int,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        TriggerCapture capture = TriggerCapture.of(database.dataSource());
        assertThat(capture.addColumns(ITEM.table())).isTrue();
        capture.install(ITEM);
    }

    @BeforeEach
    void fill() {
        database.execute("truncate item_ref; delete from item; delete from cqrs.tombstone;"
                + " insert into item select i, 'n' || i, i from generate_series(1, 50) i; delete from cqrs.outbox");
    }

    @Test
    void loadsWhatIsGoodOfADump() throws Exception {
        loads(4_000);
    }

    @Test
    @Tag("large")
    void loadsWhatIsGoodOfALargeDump() throws Exception {
        loads(500_000);
    }

    @Test
    void refusesComparisons() throws Exception {
        compares(400);
    }

    @Test
    @Tag("large")
    void refusesManyComparisons() throws Exception {
        compares(50_000);
    }

    @Test
    void refusesConfiguration() throws Exception {
        configures(3_000);
    }

    @Test
    @Tag("large")
    void refusesMuchConfiguration() throws Exception {
        configures(250_000);
    }

    @Test
    void refusesConfigurationThatUnfoldsBeyondMeasure() throws Exception {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++) {
            String last = "*a" + (i - 1);
            bomb.append("a" + i + ": &a" + i + " [" + String.join(", ", List.of(last, last, last, last, last)) + "]\n");
        }
        Path file = Files.writeString(directory.resolve("bomb.yaml"), bomb);
        assertThatExceptionOfType(CqrsException.class)
                .isThrownBy(() -> new ConfigLoader(Map.of()).load(file, Map.of()));
    }

    private void loads(int lines) throws Exception {
        ByteArrayOutputStream dump = new ByteArrayOutputStream();
        dump.write("item\n".getBytes(StandardCharsets.UTF_8));
        int good = 0;
        for (int i = 0; i < lines; i++) {
            dump.write(i % 2 == 0 ? Mutations.noise(random) : Mutations.mutated(random, line(1 + random.nextInt(500))));
            dump.write('\n');
            if (i % 50 == 0) {
                dump.write(line(GOOD + good++));
                dump.write('\n');
            }
        }
        long rejected = store().load()
                .from(new ByteArrayInputStream(dump.toByteArray()))
                .rejected();
        assertThat(database.count("item_ref where id >= " + GOOD + " and name = 'n' and amount = 1"))
                .as("good lines, seed %d", seed)
                .isEqualTo(good);
        assertThat(rejected).as("refused, seed %d", seed).isGreaterThan(lines / 2);
        System.err.printf("hostile dump: seed %d, %d lines, %d refused%n", seed, lines, rejected);
    }

    private void compares(int streams) throws Exception {
        List<String> before = database.rows("select * from item order by id");
        ByteArrayOutputStream states = new ByteArrayOutputStream();
        ByteArrayOutputStream ranges = new ByteArrayOutputStream();
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        int refused = 0;
        try (MasterRows rows = MasterRows.of(database.dataSource(), ITEM)) {
            MasterDiff.of(rows).ranges(10, ranges);
            long unused = MasterDiff.of(rows).states(FieldFilter.all(), 10, states);
            unused = store().diff().answer(stream(ranges.toByteArray()), "q", Duration.ZERO, answer, told -> {});
            for (int i = 0; i < streams; i++) {
                byte[] toReplica = Mutations.mutated(random, (random.nextBoolean() ? states : ranges).toByteArray());
                refused += refuses(
                        toReplica,
                        in -> store().diff().answer(in, "q", Duration.ZERO, new ByteArrayOutputStream(), told -> {}));
                byte[] toMaster = Mutations.mutated(random, answer.toByteArray());
                refused += refuses(
                        toMaster,
                        in -> MasterDiff.of(rows)
                                .repair(in, new MasterDiff.Options(false, false, (what, key) -> {}, waiting -> {})));
                byte[] deleted = Mutations.mutated(random, states.toByteArray());
                refused += refuses(deleted, in -> MasterDiff.of(rows).deleted(in, new ByteArrayOutputStream()));
            }
        }
        assertThat(refused).as("refused, seed %d", seed).isGreaterThan(streams);
        assertThat(database.rows("select * from item order by id")).isEqualTo(before);
        assertThat(database.count("item_ref")).isZero();
        assertThat(database.count("cqrs.outbox where cqrs_id <> 'item'")).isZero();
        System.err.printf("hostile comparisons: seed %d, %d, %d refused%n", seed, 3 * streams, refused);
    }

    private void configures(int files) throws Exception {
        Path file = directory.resolve("hostile.yaml");
        byte[] good = CONFIG.getBytes(StandardCharsets.UTF_8);
        assertThat(new ConfigLoader(Map.of()).load(Files.write(file, good), Map.of()))
                .isNotNull();
        int refused = 0;
        for (int i = 0; i < files; i++) {
            Path hostile = Files.write(file, Mutations.mutated(random, good));
            refused += refuses(() -> new ConfigLoader(Map.of()).load(hostile, Map.of()));
        }
        assertThat(refused).isGreaterThan(files / 10);
        System.err.printf("hostile configuration: seed %d, %d files, %d refused%n", seed, files, refused);
    }

    /** Whatever else is thrown ends the test. */
    private static int refuses(Action action) throws Exception {
        try {
            Object unused = action.run();
            return 0;
        } catch (CqrsException e) {
            assertThat(e.getMessage()).isNotBlank();
            return 1;
        }
    }

    /** A stream with nothing in it compares nothing. */
    private static int refuses(byte[] stream, Comparing action) throws Exception {
        return refuses(() -> {
            DiffStream in = stream(stream);
            return in == null ? 0 : action.run(in);
        });
    }

    private static DiffStream stream(byte[] bytes) throws IOException {
        return DiffStream.open(new ByteArrayInputStream(bytes));
    }

    private static byte[] line(long id) {
        return ("{\"id\":" + id + ",\"name\":\"n\",\"amount\":1,\"cqrs_revision\":0,"
                        + "\"cqrs_updated\":\"2026-11-22 04:00:00.000000+00:00\"}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static ReplicaStore store() {
        return ReplicaStore.of(
                database.dataSource(),
                List.of(ReplicaDefinition.ofTable(
                        CqrsId.of("item"), TableName.parse("item_ref"), Map.of(), Order.UPDATED)));
    }

    @FunctionalInterface
    private interface Action {
        Object run() throws Exception;
    }

    @FunctionalInterface
    private interface Comparing {
        Object run(DiffStream in) throws Exception;
    }
}
