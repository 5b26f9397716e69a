package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Repeating;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The broker stops while the master writes. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class BrokerOutageIT {

    @Test
    void keepsWhatWaitsForItsNextAttemptThroughARestart() throws Exception {
        BrokerServer broker = TestEnvironment.broker();
        TestEnvironment.require(broker.isOurs(), "only a broker of our own may be stopped");
        TestDatabase database = TestEnvironment.database("outage_retry");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA + "; alter table item_ref add constraint no_bad check (name <> 'bad')");
        String name = "outage_retry_" + System.nanoTime();
        Outcomes outcomes = new Outcomes();
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(broker.url()).exchange(name).build());
                CqrsReplica replica = CqrsReplica.builder(database.dataSource())
                        .replica(Item.definition())
                        .transport(transport)
                        .queue(name)
                        .retries(new RetryPolicy(5, Backoff.constant(Duration.ofSeconds(5))))
                        .listener(outcomes)
                        .build()) {
            transport.declare(replica.queue());
            replica.start();
            Queues.put(transport, name, Item.save(1, 0, "bad"));
            await().until(() -> outcomes.retried() == 1);
            broker.stop();
            database.execute("alter table item_ref drop constraint no_bad");
            broker.start();
            await().atMost(Duration.ofSeconds(60)).until(() -> database.count("item_ref") == 1);
            transport.decommission(replica.queue());
        }
    }

    @Test
    void holdsWhatTheBrokerFindsTooLargeAndSendsTheRest() throws Exception {
        BrokerServer broker = TestEnvironment.broker();
        TestEnvironment.require(broker.isOurs(), "only a broker of our own may be told a smaller limit");
        TestDatabase database = TestEnvironment.database("outage_large");
        CqrsSchema.standard().migrate(database.dataSource());
        String name = "outage_large_" + System.nanoTime();
        String most = broker.rabbitmqctl("eval", "application:get_env(rabbit, max_message_size).")
                .replaceAll("\\D", "");
        String unused = broker.rabbitmqctl("eval", "application:set_env(rabbit, max_message_size, 100000).");
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(broker.url()).exchange(name).build());
                CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .build()) {
            ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item"), CqrsId.of("large")));
            assumeTrue(transport.serverVersion().startsWith("3."), "later brokers read that limit when they start");
            transport.declare(queue);
            database.execute("insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values"
                    + " ('large', '1', 'large', repeat('x', 200000)), ('item', '1', 'item', '1'), ('large', '2',"
                    + " 'large', '2')");
            relay.start();
            await().until(() -> database.count("cqrs.outbox where routing_key = 'item'") == 0);
            await().until(() -> relay.failure() == null && relay.status().active());
            assertThat(database.count("cqrs.outbox")).isEqualTo(2);
            database.execute("delete from cqrs.outbox where instance_pk = '1'");
            await().until(() -> database.count("cqrs.outbox") == 0);
            transport.decommission(queue);
        } finally {
            unused = broker.rabbitmqctl("eval", "application:set_env(rabbit, max_message_size, " + most + ").");
        }
    }

    /** RabbitMQ 3.10 confirms nothing more on a channel that such a queue caught amid its messages: it suffers from that, too. */
    @Test
    @Tag("large")
    void sendsOnSoonWhereAQueueIsDeletedAndDeclaredAnewAmidItsMessages() throws Exception {
        TestDatabase database = TestEnvironment.database("outage_queue");
        CqrsSchema.standard().migrate(database.dataSource());
        String name = "outage_queue_" + System.nanoTime();
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item")));
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(TestEnvironment.broker().url())
                                .exchange(name)
                                .build());
                CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .build()) {
            transport.declare(queue);
            relay.start();
            try (Repeating unused = Repeating.start(
                    () -> database.execute(
                            "insert into cqrs.outbox"
                                    + " (cqrs_id, instance_pk, routing_key, body)"
                                    + " select 'item', i, 'item', repeat('x', 300) from generate_series(1, 20) i where (select count(*) from cqrs.outbox) < 2000"))) {
                for (int round = 0; round < 6; round++) {
                    await().alias("messages, round " + round)
                            .atMost(Duration.ofSeconds(40))
                            .until(() -> transport.inspect(name).ready() > 200);
                    transport.decommission(queue);
                    transport.declare(queue);
                }
            }
            await().atMost(Duration.ofSeconds(120)).until(() -> database.count("cqrs.outbox") == 0);
            transport.decommission(queue);
        }
    }

    @Test
    void letsTheMasterWriteOnAndDeliversEverythingOnceTheBrokerIsBack() throws Exception {
        BrokerServer broker = TestEnvironment.broker();
        TestEnvironment.require(broker.isOurs(), "only a broker of our own may be stopped");
        TestDatabase masterDatabase = TestEnvironment.database("outage_master");
        TestDatabase replicaDatabase = TestEnvironment.database("outage_replica");
        CqrsSchema.standard().migrate(replicaDatabase.dataSource());
        replicaDatabase.execute(Item.REPLICA);
        String name = "outage_" + System.nanoTime();
        AtomicLong written = new AtomicLong();
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(broker.url()).exchange(name).build());
                MasterUnit unit = MasterUnit.on(masterDatabase, Item.class);
                CqrsMaster master = CqrsMaster.builder(unit.sessions())
                        .transport(transport)
                        .migrateSchema()
                        .build();
                CqrsReplica replica = CqrsReplica.builder(replicaDatabase.dataSource())
                        .replica(Item.definition())
                        .transport(transport)
                        .queue(name)
                        .workers(2)
                        .build()) {
            replica.start();
            master.start();
            try (Repeating unused = Repeating.start(() -> unit.commit(
                    session -> session.persist(new Item(written.incrementAndGet(), "n").with(1, "1.00"))))) {
                await().until(() -> replicaDatabase.count("item_ref") > 100);
                broker.stop();
                long atStop = written.get();
                await().alias("the writer goes on without a broker").until(() -> written.get() > atStop + 2000);
                assertThat(masterDatabase.count("cqrs.outbox"))
                        .as("waiting in the outbox")
                        .isGreaterThan(1000);
                broker.start();
                await().until(() -> written.get() > atStop + 2500);
            }
            await().atMost(Duration.ofSeconds(90)).until(() -> masterDatabase.count("cqrs.outbox") == 0);
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> replicaDatabase.count("item_ref") == masterDatabase.count("item"));
            assertThat(Item.replicaRows(replicaDatabase)).isEqualTo(Item.masterRows(masterDatabase));
            transport.decommission(replica.queue());
        }
    }
}
