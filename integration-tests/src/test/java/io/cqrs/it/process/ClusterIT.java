package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.cqrs.core.schema.CqrsSchema;
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
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A broker of three nodes, and a replica whose queue is spread over them. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class ClusterIT {

    @Test
    void goesOnByItselfAndLosesNothingWhenOneNodeAfterTheOtherIsKilled() throws Exception {
        TestDatabase masterDatabase = TestEnvironment.database("cluster_master");
        TestDatabase replicaDatabase = TestEnvironment.database("cluster_replica");
        CqrsSchema.standard().migrate(replicaDatabase.dataSource());
        replicaDatabase.execute(Item.REPLICA);
        AtomicLong written = new AtomicLong();
        try (Servers servers = Servers.forTests()) {
            List<BrokerServer> nodes = servers.brokerCluster(3);
            assumeFalse(nodes.isEmpty(), "a cluster is made of the binaries of RabbitMQ, which are not here");
            try (RabbitTransport transport =
                            RabbitTransport.of(RabbitConfig.builder(url(nodes)).build());
                    MasterUnit unit = MasterUnit.on(masterDatabase, Item.class);
                    CqrsMaster master = CqrsMaster.builder(unit.sessions())
                            .transport(transport)
                            .wire(Wire.BATCH)
                            .migrateSchema()
                            .build();
                    CqrsReplica replica = CqrsReplica.builder(replicaDatabase.dataSource())
                            .replica(Item.definition())
                            .transport(transport)
                            .queue("cluster")
                            .shards(3)
                            .workers(2)
                            .build()) {
                replica.start();
                master.start();
                try (Repeating unused = Repeating.start(() -> unit.commit(
                        session -> session.persist(new Item(written.incrementAndGet(), "n").with(1, "1.00"))))) {
                    await().until(() -> replicaDatabase.count("item_ref") > 100);
                    for (BrokerServer node : nodes) {
                        node.kill();
                        long sinceThen = written.get();
                        await().alias("changes made after " + node.description() + " was killed arrive")
                                .atMost(Duration.ofSeconds(45))
                                .until(() -> replicaDatabase.count(
                                                "item_ref where id > " + sinceThen + " and id <= " + (sinceThen + 100))
                                        == 100);
                        node.start();
                    }
                }
                await().atMost(Duration.ofSeconds(60)).until(() -> masterDatabase.count("cqrs.outbox") == 0);
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> replicaDatabase.count("item_ref") == masterDatabase.count("item"));
                assertThat(Item.replicaRows(replicaDatabase)).isEqualTo(Item.masterRows(masterDatabase));
            }
        }
    }

    private static String url(List<BrokerServer> nodes) {
        return nodes.stream()
                .map(node -> node.url().replaceAll(".*@", ""))
                .collect(Collectors.joining(",", "amqp://guest:guest@", ""));
    }
}
