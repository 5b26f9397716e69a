package io.cqrs.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.process.DoomedRelay;
import io.cqrs.it.support.TcpProxy;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.DatabaseServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A master service with two relays, a replica service with two processes and one with hooks that fail, each a process of
 * its own; a broker and two database servers of their own; links between them that can be broken.
 */
final class World implements AutoCloseable {

    static final String EXCHANGE = "chaos";
    /** The first replica's queue: what is declared in a file, and applied in sets. */
    static final String SETS = "chaos_sets";
    /** The second one's, which has hooks. */
    static final String HOOKED = "chaos_hooked";

    private static final Pattern POISON = Pattern.compile("poison-\\d+");
    private static final String ROWS = "select %s from %s order by id";
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long MOST_KB = 700_000;
    private static final long MOST_THREADS = 80;

    final BrokerServer broker;
    final DatabaseServer masterServer;
    final DatabaseServer replicaServer;
    final TestDatabase master;
    final TestDatabase sets;
    final TestDatabase hooked;
    final TcpProxy relayLink;
    final TcpProxy workerLink;
    final TcpProxy masterLink;
    final TcpProxy replicaLink;
    final RabbitTransport transport;
    final Supervisor processes;
    /** How many processes did not get to the step at which they were to die. */
    final AtomicInteger killedElsewhere = new AtomicInteger();

    /** How often a relay took over while the one before was paused, to go on as if it still led. */
    final AtomicInteger ledByTwo = new AtomicInteger();

    final Set<String> poison = new ConcurrentSkipListSet<>();

    private final long seed;
    private final Servers servers;
    private final Path masterConfig;
    private final Path replicaConfig;
    private Wire wire;
    private boolean repaired;
    private Connection replicaLock;
    private final AtomicInteger markers = new AtomicInteger();

    private World(long seed, Servers servers, Path directory) throws Exception {
        this.seed = seed;
        this.wire = seed % 2 == 0 ? Wire.SINGLE : Wire.BATCH;
        this.servers = servers;
        List<BrokerServer> brokers = servers.brokerCluster(1);
        Optional<DatabaseServer> masters = servers.anotherDatabase();
        Optional<DatabaseServer> replicas = servers.anotherDatabase();
        TestEnvironment.require(
                !brokers.isEmpty() && masters.isPresent() && replicas.isPresent(),
                "faults need the binaries of RabbitMQ and PostgreSQL, which are not here");
        broker = brokers.get(0);
        masterServer = masters.get();
        replicaServer = replicas.get();
        master = database(masterServer.createDatabase("master"));
        sets = database(replicaServer.createDatabase("sets"));
        hooked = database(replicaServer.createDatabase("hooked"));
        relayLink = TcpProxy.to("127.0.0.1", port(broker.url()));
        workerLink = TcpProxy.to("127.0.0.1", port(broker.url()));
        masterLink = TcpProxy.to("127.0.0.1", port(master.url()));
        replicaLink = TcpProxy.to("127.0.0.1", port(sets.url()));
        createTables();
        masterConfig = directory.resolve("master.yaml");
        Wire unusedWire = nextWire();
        replicaConfig = Files.writeString(directory.resolve("replica.yaml"), """
                database: { url: "%s" }
                transport: { url: "%s", exchange: %s }
                queue: %s
                max_retries: 2
                replicas: { item: { table: item_ref }, part: { table: part_ref } }
                """.formatted(
                        through(replicaLink, sets.url()), through(workerLink, broker.url()), EXCHANGE, SETS));
        transport = RabbitTransport.of(
                RabbitConfig.builder(broker.url()).exchange(EXCHANGE).build());
        // What was committed before a replica's queue is there it gets by a sync, which is not what this is about.
        List<String> unused = transport.declare(ReplicaQueue.of(SETS, Set.of(CqrsId.of("item"), CqrsId.of("part"))));
        unused = transport.declare(ReplicaQueue.of(HOOKED, Set.of(CqrsId.of("item"))));
        processes = new Supervisor(this::process);
    }

    /** Starts everything, and waits until changes arrive. */
    static World open(long seed, Path directory) throws Exception {
        Servers servers = Servers.forTests();
        try {
            World world = new World(seed, servers, directory);
            try {
                for (Role role : Role.values()) {
                    world.processes.start(role);
                }
                world.awaitTraffic(Duration.ofSeconds(60));
                return world;
            } catch (RuntimeException | Error e) {
                world.close();
                throw e;
            }
        } catch (Exception | Error e) {
            servers.close();
            throw e;
        }
    }

    private static TestDatabase database(String url) {
        return new TestDatabase(url, UrlDataSource.of(url, null, null));
    }

    private static int port(String url) {
        return Integer.parseInt(url.replaceAll("(?s).*127\\.0\\.0\\.1:(\\d+).*", "$1"));
    }

    private static String through(TcpProxy link, String url) {
        return url.replaceAll("127\\.0\\.0\\.1:\\d+", "127.0.0.1:" + link.port());
    }

    private void createTables() {
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(sets.dataSource());
        CqrsSchema.standard().migrate(hooked.dataSource());
        master.execute(ChaosItem.TABLE.formatted("item"));
        master.execute(ChaosPart.TABLE.formatted("part"));
        TriggerCapture.of(master.dataSource()).install(ChaosPart.MASTER);
        sets.execute(ChaosItem.TABLE.formatted("item_ref"));
        sets.execute(ChaosPart.TABLE.formatted("part_ref"));
        hooked.execute(ChaosItem.TABLE.formatted("item_ref"));
        Regressions.watch(sets, "item_ref", "part_ref");
        Regressions.watch(hooked, "item_ref");
        Regressions.watchDeleted(hooked, "item_ref", "item");
    }

    private TestProcess process(Role role) {
        return (switch (role) {
                    case MASTER ->
                        TestProcess.main(
                                ChaosMaster.class,
                                through(masterLink, master.url()),
                                Long.toString(seed + 100L * markers.incrementAndGet()));
                    case RELAY_1, RELAY_2 ->
                        TestProcess.cqrs("relay", "--config", masterConfig.toString())
                                .with(
                                        "CQRS_DATABASE_URL",
                                        through(masterLink, master.url()) + "&ApplicationName=" + role);
                    case WORKER_1 -> TestProcess.cqrs("consume", "-w", "2", "--config", replicaConfig.toString());
                    case WORKER_2 -> TestProcess.cqrs("consume", "-w", "1", "--config", replicaConfig.toString());
                    case HOOKS ->
                        TestProcess.main(
                                HookedWorker.class,
                                through(replicaLink, hooked.url()),
                                through(workerLink, broker.url()),
                                EXCHANGE,
                                HOOKED,
                                Long.toString(seed));
                })
                .with("JAVA_TOOL_OPTIONS", "-Xmx160m");
    }

    /** One after the other, as an operator would. */
    void restartRelays() {
        for (Role relay : List.of(Role.RELAY_1, Role.RELAY_2)) {
            processes.kill(relay);
            processes.start(relay);
        }
    }

    /** Has the relays that start from now on send the other way. */
    Wire nextWire() throws IOException {
        wire = wire == Wire.BATCH ? Wire.SINGLE : Wire.BATCH;
        Path unused = Files.writeString(masterConfig, """
                database: { url: "%s" }
                transport: { url: "%s", exchange: %s, wire: %s }
                masters:
                  item: { table: item, fields: [id, name, amount, price] }
                  part: { table: part, fields: [id, name, amount] }
                """.formatted(
                        through(masterLink, master.url()),
                        through(relayLink, broker.url()),
                        EXCHANGE,
                        wire.name().toLowerCase(Locale.ROOT)));
        return wire;
    }

    /** Returns a relay that dies at a step, not started. */
    TestProcess doomedRelay(DoomedRelay.Step step) {
        return TestProcess.main(
                DoomedRelay.class,
                through(masterLink, master.url()),
                through(relayLink, broker.url()),
                EXCHANGE,
                step.name());
    }

    /** Returns a worker that dies at a step, not started. */
    TestProcess doomedWorker(DoomedWorker.Step step) {
        return TestProcess.main(
                DoomedWorker.class,
                through(replicaLink, sets.url()),
                through(workerLink, broker.url()),
                EXCHANGE,
                SETS,
                step.name());
    }

    /** Waits until changes that were committed from now on arrive at both replicas, of both ways of capture. */
    Duration awaitTraffic(Duration limit) {
        long start = System.nanoTime();
        String now = await().atMost(limit)
                .ignoreExceptions()
                .until(() -> master.rows("select now()").get(0), text -> true);
        String since = " where cqrs_updated > timestamptz '" + now + "'";
        try {
            Duration left = limit.minusNanos(System.nanoTime() - start);
            await().alias("traffic, after " + now)
                    .atMost(left.compareTo(SECOND) > 0 ? left : SECOND)
                    .pollInterval(Duration.ofMillis(100))
                    .ignoreExceptions()
                    .until(() -> sets.count("item_ref" + since) > 0
                            && sets.count("part_ref" + since) > 0
                            && hooked.count("item_ref" + since) > 0);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(e.getMessage() + whereItStands(since) + processes.said(), e);
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Returns where changes still go and where they are stuck. */
    private String whereItStands(String since) {
        return "\nitems in the first replica " + sets.count("item_ref" + since) + ", parts "
                + sets.count("part_ref" + since)
                + ", items in the one with hooks " + hooked.count("item_ref" + since) + "; in the outbox "
                + master.count("cqrs.outbox") + "; queues:\n"
                + broker.rabbitmqctl("-q", "list_queues", "name", "state", "messages", "consumers");
    }

    /** Returns how many consumers the first replica's queue has. */
    long consumers() throws InterruptedException {
        return transport.inspect(SETS).consumers();
    }

    /** Has the first replica's workers wait for a table. */
    void lockReplica(Random random) throws SQLException {
        replicaLock = sets.dataSource().getConnection();
        replicaLock.setAutoCommit(false);
        try (Statement lock = replicaLock.createStatement()) {
            lock.execute("lock table item_ref in exclusive mode");
        }
    }

    void unlockReplica(Random random) throws SQLException {
        Connection held = replicaLock;
        replicaLock = null;
        if (held != null) {
            held.close();
        }
    }

    /** Waits until a queue holds so many messages. */
    void awaitWaiting(String queue, long count) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> transport.inspect(queue).ready() >= count);
    }

    /** Has the writers end, and waits until there is nothing under way. */
    void quiet() {
        stopWriting();
        awaitEmpty();
    }

    /** Has the writers end. */
    void stopWriting() {
        processes.start(Role.MASTER);
        TestProcess writing = processes.letGo(Role.MASTER);
        await().atMost(Duration.ofSeconds(30)).until(() -> writing.output().contains("writing") || !writing.isAlive());
        if (writing.isAlive()) {
            writing.tell("stop");
            await().atMost(Duration.ofSeconds(60)).until(() -> !writing.isAlive());
        }
        assertThat(writing.output()).doesNotContain("VIOLATION");
    }

    /** Waits until there is nothing under way. */
    void awaitEmpty() {
        await().alias("the outbox is empty")
                .atMost(Duration.ofSeconds(120))
                .ignoreExceptions()
                .until(() -> master.count("cqrs.outbox") == 0);
        await().alias("the queues are empty, and nothing waits for another attempt")
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofSeconds(1))
                // The broker counts what its queues hold every five seconds.
                .during(Duration.ofSeconds(6))
                .ignoreExceptions()
                .until(() -> waiting().isEmpty());
    }

    /** Fails unless both replicas are as the master, column by column, and only poison is in the dead letters. */
    void requireEqual() {
        List<String> items = master.rows(ROWS.formatted(ChaosItem.COLUMNS, "item"));
        assertThat(differences(sets.rows(ROWS.formatted(ChaosItem.COLUMNS, "item_ref")), items))
                .as("items of the first replica, and what the master has instead")
                .isEmpty();
        assertThat(differences(hooked.rows(ROWS.formatted(ChaosItem.COLUMNS, "item_ref")), items))
                .as("items of the replica with hooks, and what the master has instead")
                .isEmpty();
        assertThat(differences(
                        sets.rows(ROWS.formatted(ChaosPart.COLUMNS, "part_ref")),
                        master.rows(ROWS.formatted(ChaosPart.COLUMNS, "part"))))
                .as("parts of the first replica, and what the master has instead")
                .isEmpty();
        assertThat(resurrected(sets, "item", "item_ref")).isEmpty();
        assertThat(resurrected(sets, "part", "part_ref")).isEmpty();
        assertThat(resurrected(hooked, "item", "item_ref")).isEmpty();
        if (!repaired) {
            assertThat(Regressions.of(sets))
                    .as("rows of the first replica that went back, or were written twice")
                    .isEmpty();
            assertThat(Regressions.of(hooked))
                    .as("rows of the replica with hooks that went back, or were written twice")
                    .isEmpty();
            assertThat(differences(tombstones(hooked), tombstones(sets)))
                    .as("what the replica with hooks knows of deleted items, and the first one instead")
                    .isEmpty();
        }
        assertThat(deadLetters()).as("dead letters").isEqualTo(new TreeSet<>(poison));
    }

    /** Has both replicas forget the deletes, once nothing is under way that could bring a row back. */
    void forgetDeletes() {
        for (TestDatabase replica : List.of(sets, hooked)) {
            replica.execute("delete from cqrs.tombstone");
            Regressions.forget(replica);
        }
        repaired = false;
    }

    /** Returns rows that are there though they are no newer than what is known of their delete. */
    private static List<String> resurrected(TestDatabase replica, String model, String table) {
        return replica.rows(
                "select t.pk, t.updated, t.revision, r.cqrs_updated, r.cqrs_revision from cqrs.tombstone t join "
                        + table + " r on r.id::text = t.pk where t.cqrs_id = '" + model
                        + "' and (r.cqrs_updated, r.cqrs_revision) <= (t.updated, t.revision)");
    }

    /** Returns what is known of items that are deleted still. */
    private static List<String> tombstones(TestDatabase replica) {
        return replica.rows("select pk, updated, revision from cqrs.tombstone t where cqrs_id = 'item'"
                + " and not exists (select from item_ref r where r.id::text = t.pk) order by pk");
    }

    /** Returns what is only here, marked with a minus, and what is only there. */
    private static List<String> differences(List<String> here, List<String> there) {
        Set<String> both = new HashSet<>(here);
        both.retainAll(new HashSet<>(there));
        return Stream.concat(here.stream().map(row -> "-" + row), there.stream().map(row -> "+" + row))
                .filter(row -> !both.contains(row.substring(1)))
                .sorted(Comparator.comparing(row -> row.substring(1)))
                .toList();
    }

    /** Fails where a process has grown beyond what it may need. */
    void requireBounded() {
        assertThat(processes.ended()).doesNotContain("OutOfMemoryError").doesNotContain("VIOLATION");
        for (Role role : Role.values()) {
            assertThat(processes.most(role, Supervisor.MOST_MEMORY))
                    .as(role + ": most KB in memory")
                    .isBetween(1L, MOST_KB);
            assertThat(processes.most(role, Supervisor.THREADS))
                    .as(role + ": threads")
                    .isBetween(1L, MOST_THREADS);
            assertThat(processes.get(role).output())
                    .doesNotContain("OutOfMemoryError")
                    .doesNotContain("VIOLATION");
        }
    }

    /** Returns how many changes the master has sent so far. */
    long changes() {
        return Long.parseLong(
                master.rows("select last_value - 1 from cqrs.outbox_id_seq").get(0));
    }

    /** Returns the queues that hold something, but for the dead letters'. */
    private List<String> waiting() {
        return broker.rabbitmqctl("-q", "list_queues", "name", "messages")
                .lines()
                .filter(line -> line.startsWith(EXCHANGE) || line.startsWith("cqrs."))
                .filter(line -> !line.endsWith("\t0"))
                .toList();
    }

    private Set<String> deadLetters() {
        Set<String> dead = new TreeSet<>();
        for (String queue : List.of(SETS, HOOKED)) {
            try {
                long unused = DeadLetters.of(transport, queue)
                        .forEach(
                                DeadLetterFilter.ALL,
                                letter -> dead.add(
                                        queue + " " + mark(new String(letter.body(), StandardCharsets.UTF_8))));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return dead;
    }

    /** What is no poison shows as it is. */
    private static String mark(String body) {
        Matcher mark = POISON.matcher(body);
        return mark.find() ? mark.group() : body;
    }

    /** Deletes the queue of the first replica with all that is in it. */
    void deleteQueue() {
        String unused = broker.rabbitmqctl("delete_queue", SETS);
    }

    /** Sends what the first replica lacks, by the pipe of the command line. */
    void repair() throws Exception {
        // What was created and deleted in the lost queue the first replica has never known.
        repaired = true;
        for (String model : List.of("item", "part")) {
            String stages = "./cqrs diff-master -c " + model + " --checksum --config " + masterConfig
                    + " | ./cqrs diff-replica --config " + replicaConfig + " | ./cqrs diff-sync --config "
                    + masterConfig;
            try (TestProcess pipe = TestProcess.of("sh", "-c", stages).start()) {
                assertThat(pipe.awaitExit()).as(pipe.output()).isIn(0, 10);
            }
        }
    }

    @Override
    public void close() throws IOException {
        processes.close();
        for (TcpProxy link : List.of(relayLink, workerLink, masterLink, replicaLink)) {
            link.close();
        }
        transport.close();
        servers.close();
    }
}
