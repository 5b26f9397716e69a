package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.ApplicationJar;
import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code cqrs consume} as a process: signals, models, new versions of its jar, memory. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class ConsumeIT {

    private static final CqrsId EARLY = CqrsId.of("early");
    private static final CqrsId LATE = CqrsId.of("late");
    private static final String COLUMNS = " (id bigint primary key, name text, cqrs_revision bigint not null,"
            + " cqrs_updated timestamptz not null);";

    private static TestDatabase database;

    @TempDir
    private Path directory;

    private String name;
    private RabbitTransport transport;

    @BeforeEach
    void tables() {
        if (database == null) {
            database = TestEnvironment.database("consume");
            CqrsSchema.standard().migrate(database.dataSource());
        }
        database.execute("drop table if exists earlyref, lateref; create table earlyref" + COLUMNS
                + " create table lateref" + COLUMNS);
        name = "consume_" + System.nanoTime();
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
    }

    @AfterEach
    void decommission() throws Exception {
        transport.decommission(queue());
        transport.close();
    }

    @Test
    void finishesWhatItHasInHandAtTheFirstSignal() throws Exception {
        transport.declare(queue());
        try (TestProcess consumer = consumer(tables("early"));
                Connection holder = database.dataSource().getConnection();
                Statement statement = holder.createStatement()) {
            terminateAmidABatch(consumer, statement);
            holder.rollback();
            assertThat(consumer.awaitExit()).isEqualTo(143);
        }
        assertThat(database.count("earlyref")).isEqualTo(1);
        try (var left = transport.openBrowser(name)) {
            assertThat(left.size()).isZero();
        }
    }

    @Test
    void endsAtOnceAtTheSecondSignalAndLosesNothing() throws Exception {
        transport.declare(queue());
        try (TestProcess consumer = consumer(tables("early"));
                Connection holder = database.dataSource().getConnection();
                Statement statement = holder.createStatement()) {
            terminateAmidABatch(consumer, statement);
            consumer.terminate();
            assertThat(consumer.awaitExit()).isEqualTo(143);
            assertThat(consumer.output()).contains("second signal, ending at once");
            holder.rollback();
        }
        try (TestProcess next = consumer(tables("early"))) {
            await().atMost(Duration.ofSeconds(30)).until(() -> database.count("earlyref") == 1);
            assertThat(next.isAlive()).isTrue();
        }
    }

    @Test
    void worksAsItsFileSays() throws Exception {
        Path config = tables("early");
        String more = "max_retries: 0\nstatement_timeout: PT30S\nbatch_size: 7\ndead_letter_queue: odd_" + name
                + "\nqueue_type: classic\ndead_letter_ttl: PT1H\n";
        Path unused = Files.writeString(config, more, StandardOpenOption.APPEND);
        database.execute("alter table earlyref add constraint no_bad check (name <> 'bad')");
        try (TestProcess consumer = consumer(config)) {
            await().atMost(Duration.ofSeconds(30)).until(() -> isTaken("early"));
            assertThat(consumer.output()).contains("batches of 7");
            Queues.put(transport, name, save(EARLY, 1, "bad"));
            CommandRun list = CommandRun.of(
                    "dead-letters",
                    "list",
                    "-c",
                    "early",
                    "--key",
                    "1",
                    "--config",
                    config.toString(),
                    "--transport-url",
                    TestEnvironment.broker().url());
            assertThat(list.code()).isZero();
            assertThat(list.err()).contains("dead letter(s) in odd_" + name);
        } finally {
            transport.decommission(new ReplicaQueue(
                    name,
                    "odd_" + name,
                    Set.of(EARLY),
                    ReplicaQueue.Type.CLASSIC,
                    1,
                    ReplicaQueue.DEFAULT_DELIVERY_LIMIT));
        }
    }

    @Test
    void endsOnceItsWorkersHaveEndedByAnError() throws Exception {
        transport.declare(queue());
        database.execute("drop table if exists fatalref; create table fatalref" + COLUMNS);
        Path jar = directory.resolve("fatal.jar");
        ApplicationJar.write(jar, FatalRef.class, FatalRef.Fatal.class);
        try (TestProcess consumer = consumer(config(""), "--app", jar.toString())) {
            Queues.put(transport, name, save(EARLY, 1, "a"));
            assertThat(consumer.awaitExit()).isEqualTo(1);
            assertThat(consumer.output()).contains("InternalError: planted", "ended by an error, see above");
        }
    }

    @Test
    void bindsItsQueueToTheModelsThatAreChosenAndAppliesWhatItHoldsOfOthers() throws Exception {
        transport.declare(new ReplicaQueue(
                name,
                "dead_letter_" + name,
                Set.of(LATE),
                ReplicaQueue.Type.QUORUM,
                1,
                ReplicaQueue.DEFAULT_DELIVERY_LIMIT));
        Queues.put(transport, name, save(LATE, 1, "bound before"));
        try (TestProcess consumer = consumer(tables("early", "late"), "-c", "early")) {
            await().atMost(Duration.ofSeconds(30)).until(() -> isTaken("early") && database.count("lateref") == 1);
            assertThat(isTaken("never")).isFalse();
            assertThat(consumer.output()).contains("models [early]");
        }
        CommandRun unknown = CommandRun.of(
                "consume",
                "-c",
                "product",
                "-q",
                name,
                "--config",
                tables("early").toString(),
                "--transport-url",
                TestEnvironment.broker().url());
        assertThat(unknown.code()).isEqualTo(3);
        assertThat(unknown.err()).contains("no replica of product is declared, only of [early]");
    }

    @Test
    void opensItsJarAnewWhenItChangesAndOnHangUpAndKeepsTheOldOneWhereItCannot() throws Exception {
        transport.declare(queue());
        Path jar = directory.resolve("app.jar");
        ApplicationJar.write(jar, EarlyRef.class);
        Path config = config("");
        try (TestProcess consumer = consumer(config, "--reload", "--app", jar.toString())) {
            Queues.put(transport, name, save(EARLY, 1, "a"));
            await().atMost(Duration.ofSeconds(30)).until(() -> database.count("earlyref") == 1);

            ApplicationJar.write(jar, EarlyRef.class, LateRef.class);
            awaitReloads(consumer, 1);
            Queues.put(transport, name, save(LATE, 1, "a"));
            await().atMost(Duration.ofSeconds(30)).until(() -> database.count("lateref") == 1);

            Files.writeString(jar, "no jar");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> consumer.output().contains("not reloaded, going on as before: application jar"));
            Queues.put(transport, name, save(LATE, 2, "b"));
            await().until(() -> database.count("lateref") == 2);

            ApplicationJar.write(jar, EarlyRef.class, LateRef.class);
            awaitReloads(consumer, 2);
            consumer.hangUp();
            awaitReloads(consumer, 3);
            Queues.put(transport, name, save(LATE, 3, "c"));
            await().until(() -> database.count("lateref") == 3);
            consumer.terminate();
            assertThat(consumer.awaitExit()).isEqualTo(143);
        }
    }

    @Test
    void appliesMessagesOfAMegabyteEachInASmallHeap() throws Exception {
        transport.declare(queue());
        String text = "0123456789abcdef".repeat(1 << 16);
        for (int from = 1; from <= 300; from += 20) {
            Queues.put(
                    transport,
                    name,
                    IntStream.range(from, from + 20)
                            .mapToObj(id -> save(EARLY, id, text))
                            .toArray(Change[]::new));
        }
        try (TestProcess consumer = TestProcess.cqrs(
                        "consume", "-w", "2", "--config", tables("early").toString())
                .with("CQRS_TRANSPORT_URL", TestEnvironment.broker().url())
                .with("CQRS_TRANSPORT_EXCHANGE", name)
                .with("JAVA_TOOL_OPTIONS", "-Xmx256m")
                .start()) {
            await().atMost(Duration.ofSeconds(90))
                    .until(() -> database.count("earlyref where length(name) = 1048576") == 300);
            assertThat(consumer.isAlive()).isTrue();
            assertThat(consumer.output()).doesNotContain("OutOfMemory");
        }
    }

    /** Its batch waits for the holder's transaction. */
    private void terminateAmidABatch(TestProcess consumer, Statement holder) throws SQLException {
        holder.getConnection().setAutoCommit(false);
        holder.execute("lock table earlyref in exclusive mode");
        Queues.put(transport, name, save(EARLY, 1, "a"));
        awaitBlocked();
        consumer.terminate();
        await().until(() -> consumer.output().contains("ending, once what is in hand is done"));
    }

    private static void awaitReloads(TestProcess consumer, int count) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(consumer.output().split("\\[cqrs-reload] reloaded", -1))
                        .as(consumer.output())
                        .hasSize(count + 1));
    }

    private static void awaitBlocked() {
        await().atMost(Duration.ofSeconds(30))
                .until(() ->
                        database.rows("select 1 from pg_locks where relation = 'earlyref'::regclass and not granted")
                                        .size()
                                == 1);
    }

    private boolean isTaken(String routingKey) throws Exception {
        try (Publisher publisher = transport.openPublisher()) {
            OutgoingMessage message = new OutgoingMessage(
                    new Destination.Exchange(routingKey), "m", OutgoingMessage.SINGLE, Map.of(), new byte[] {'x'});
            return publisher
                    .send(List.of(message))
                    .await(Duration.ofSeconds(10))
                    .get(0)
                    .isConfirmed();
        }
    }

    private TestProcess consumer(Path config, String... options) {
        List<String> arguments = new ArrayList<>(List.of("consume", "--config", config.toString()));
        arguments.addAll(List.of(options));
        return TestProcess.cqrs(arguments.toArray(String[]::new))
                .with("CQRS_TRANSPORT_URL", TestEnvironment.broker().url())
                .with("CQRS_TRANSPORT_EXCHANGE", name)
                .start();
    }

    private Path tables(String... models) throws IOException {
        StringBuilder replicas = new StringBuilder("replicas:\n");
        for (String model : models) {
            replicas.append("  %1$s: { table: %1$sref }\n".formatted(model));
        }
        return config(replicas.toString());
    }

    private Path config(String replicas) throws IOException {
        return Files.writeString(
                directory.resolve("cqrs.yaml"),
                "database: { url: \"%s\" }\nqueue: %s\n%s".formatted(database.url(), name, replicas));
    }

    /** A jar of test classes, put in its place at once. */
    private ReplicaQueue queue() {
        return ReplicaQueue.of(name, Set.of(EARLY, LATE));
    }

    private static Change save(CqrsId model, long id, String text) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(model, id),
                Stamp.of(Instant.parse("2026-11-21T01:16:00.000001Z"), 0),
                Map.of("id", id, "name", text));
    }
}
