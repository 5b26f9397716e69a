package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.ClusterNetwork;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Repeating;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.hibernate.Session;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A broker of three nodes, and a replica whose queue is spread over them: each node leads a shard. Whatever happens to a
 * node, changes made meanwhile arrive, and in the end nothing is lost.
 */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class ClusterIT {

    /** The others give up a node that says nothing after the tick time of Erlang, twelve seconds here. */
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static final AtomicLong WRITTEN = new AtomicLong();

    private static ClusterNetwork network;
    private static Servers servers;
    private static List<BrokerServer> nodes;
    private static TestDatabase masterDatabase;
    private static TestDatabase replicaDatabase;
    private static RabbitTransport transport;
    private static MasterUnit unit;
    private static CqrsMaster master;
    private static CqrsReplica replica;

    private Repeating writer;

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.forTests();
        network = ClusterNetwork.of(3);
        nodes = servers.brokerCluster(network.epmdPorts());
        TestEnvironment.require(!nodes.isEmpty(), "a cluster is made of the binaries of RabbitMQ, which are not here");
        masterDatabase = TestEnvironment.database("cluster_master");
        replicaDatabase = TestEnvironment.database("cluster_replica");
        CqrsSchema.standard().migrate(replicaDatabase.dataSource());
        replicaDatabase.execute(Item.REPLICA);
        transport = RabbitTransport.of(RabbitConfig.builder(url()).build());
        unit = MasterUnit.on(masterDatabase, Item.class);
        master = CqrsMaster.builder(unit.sessions())
                .transport(transport)
                .wire(Wire.BATCH)
                .migrateSchema()
                .build();
        replica = CqrsReplica.builder(replicaDatabase.dataSource())
                .replica(Item.definition())
                .transport(transport)
                .queue("cluster")
                .shards(3)
                .workers(2)
                .build();
        replica.start();
        master.start();
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable one : new AutoCloseable[] {replica, master, unit, transport, servers, network}) {
            if (one != null) {
                one.close();
            }
        }
    }

    @BeforeEach
    void write() {
        writer = Repeating.start(() -> unit.commit(ClusterIT::change));
        awaitChanges("traffic");
    }

    /** A row that stays and one, of a key below zero, that goes again; updates of both kinds. */
    private static void change(Session session) {
        long id = WRITTEN.incrementAndGet();
        session.persist(new Item(id, "n").with(1, "1.00"));
        session.persist(new Item(-id, "goes").with(1, "1.00"));
        Item earlier = session.find(Item.class, id - 3);
        if (earlier != null) {
            earlier.amount++;
            session.find(Item.class, 3 - id).amount++;
        }
        Item old = session.find(Item.class, 50 - id);
        if (id > 50 && old != null) {
            session.remove(old);
        }
    }

    @AfterEach
    void requireThatNothingIsLost() throws Exception {
        writer.close();
        await().atMost(LIMIT).until(() -> masterDatabase.count("cqrs.outbox") == 0);
        await().atMost(LIMIT)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(
                        () -> assertThat(Item.replicaRows(replicaDatabase)).isEqualTo(Item.masterRows(masterDatabase)));
    }

    @Test
    void goesOnWhenTheNodeOfALeaderIsKilled() {
        oneAfterTheOther(List.of(leader()), BrokerServer::kill, "killed");
    }

    @Test
    @Tag("large")
    void goesOnWhenOneNodeAfterTheOtherIsKilled() {
        oneAfterTheOther(nodes, BrokerServer::kill, "killed");
    }

    @Test
    @Tag("large")
    void goesOnWhenOneNodeAfterTheOtherIsRestarted() {
        oneAfterTheOther(nodes, BrokerServer::stop, "stopped");
    }

    private static void oneAfterTheOther(List<BrokerServer> chosen, Consumer<BrokerServer> end, String what) {
        for (BrokerServer node : chosen) {
            end.accept(node);
            awaitChanges(node.description() + " was " + what);
            node.start();
            awaitRunning(3);
        }
    }

    @Test
    @Tag("large")
    void goesOnWhileTheNodeOfALeaderIsFrozen() {
        BrokerServer node = leader();
        node.pause();
        try {
            awaitChanges(node.description() + " was frozen");
        } finally {
            node.resume();
        }
        awaitChanges(node.description() + " came back");
        // It may think for minutes that the others are gone.
        node.kill();
        node.start();
        awaitRunning(3);
    }

    @Test
    void goesOnWhileTheNodeOfALeaderIsCutOffFromTheOthers() {
        BrokerServer node = leader();
        BrokerServer other =
                nodes.stream().filter(one -> one != node).findFirst().orElseThrow();
        network.cutOff(nodes.indexOf(node));
        try {
            awaitChanges(node.description() + " was cut off");
            await().atMost(LIMIT).ignoreExceptions().until(() -> running(other) == 2);
            awaitChanges(node.description() + " was given up by the others");
        } finally {
            network.mend();
        }
        awaitChanges(node.description() + " was let in again");
        awaitRunning(3);
    }

    /** Returns the node that leads the first shard. */
    private static BrokerServer leader() {
        String queues = nodes.get(0).rabbitmqctl("-q", "list_queues", "name", "leader");
        return nodes.stream()
                .filter(node -> queues.lines()
                        .filter(line -> line.startsWith("cluster\t"))
                        .anyMatch(line -> line.endsWith(name(node))))
                .findFirst()
                .orElseThrow();
    }

    private static void awaitRunning(int count) {
        for (BrokerServer node : nodes) {
            await().atMost(LIMIT).ignoreExceptions().until(() -> running(node) == count);
        }
    }

    private static int running(BrokerServer node) {
        return Integer.parseInt(
                node.rabbitmqctl("eval", "length(rabbit_nodes:all_running()).").strip());
    }

    /** Changes made from now on: a hundred, none left out. */
    private static void awaitChanges(String after) {
        long start = System.nanoTime();
        long first = WRITTEN.get() + 1;
        await().alias("changes made after " + after)
                .atMost(LIMIT)
                .until(() ->
                        replicaDatabase.count("item_ref where id between " + first + " and " + (first + 99)) == 100);
        System.err.println("cluster: " + after + ": changes after "
                + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms");
    }

    private static String name(BrokerServer node) {
        return node.rabbitmqctl("eval", "node().").strip().replace("'", "");
    }

    private static String url() {
        return nodes.stream()
                .map(node -> node.url().replaceAll(".*@", ""))
                .collect(Collectors.joining(",", "amqp://guest:guest@", ""));
    }
}
