package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.Repeating;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.RelayListener;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.QueueStatus;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A replica whose messages are spread over several queues. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class ShardsIT {

    private static final CqrsId ITEM = CqrsId.of("item");

    private final String name = "shards_" + System.nanoTime();
    private final ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ITEM));
    private final Outcomes outcomes = new Outcomes();
    private TestDatabase database;
    private RabbitTransport transport;

    @BeforeEach
    void start() throws Exception {
        TestEnvironment.require(
                TestEnvironment.broker().isOurs(), "only a broker of our own is known to have the plugin");
        database = TestEnvironment.database("shards");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA);
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
    }

    @AfterEach
    void stop() throws Exception {
        if (transport != null) {
            transport.decommission(queue);
            transport.close();
        }
    }

    @Test
    void spreadsChangesOverItsQueuesAndAppliesAllThatIsInThem() throws Exception {
        database.execute("alter table item_ref add constraint no_bad check (name <> 'bad')");
        assertThat(transport.declare(queue.withShards(4)))
                .containsExactlyElementsOf(queue.withShards(4).names());
        change(1, 2000, "good");
        change(2001, 2001, "bad");
        try (CqrsRelay relay = relay(new RelayListener() {})) {
            relay.start();
            await().until(() -> database.count("cqrs.outbox") == 0);
        }
        for (String shard : queue.withShards(4).names()) {
            assertThat(waiting(shard)).as(shard).isBetween(300L, 900L);
        }
        DeadLetters dead = DeadLetters.of(transport, name);
        try (CqrsReplica replica = replica(4)) {
            replica.start();
            await().until(() -> database.count("item_ref") == 2000 && outcomes.dead() == 1);
            assertThat(outcomes.retried()).isOne();
            database.execute("alter table item_ref drop constraint no_bad");
            assertThat(dead.retry(new DeadLetterFilter("item", "2001", null, null, Long.MAX_VALUE), one -> {}))
                    .isOne();
            await().until(() -> database.count("item_ref") == 2001);
        }
        transport.decommission(queue);
        for (int shard = 0; shard < 4; shard++) {
            assertThat(transport.inspect(queue.shardName(shard))).isNull();
        }
    }

    @Test
    void losesNothingWhileTheNumberOfShardsChangesNorWhenWorkersDisagreeOnIt() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        AtomicInteger written = new AtomicInteger();
        AtomicInteger returned = new AtomicInteger();
        try (CqrsRelay relay = relay(new RelayListener() {
            @Override
            public void returned(String routingKey) {
                returned.incrementAndGet();
            }
        })) {
            transport.declare(queue);
            relay.start();
            try (Repeating unused = Repeating.start(() -> {
                int first = written.get() + 1;
                change(first, first + 9, "n");
                written.addAndGet(10);
            })) {
                for (int phase = 0; phase < 8; phase++) {
                    long before = database.count("item_ref");
                    List<CqrsReplica> replicas = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        replicas.add(replica(1 + random.nextInt(5)));
                    }
                    for (CqrsReplica replica : replicas) {
                        replica.start();
                    }
                    await().alias("phase " + phase + ", seed " + seed)
                            .atMost(Duration.ofSeconds(60))
                            .until(() -> database.count("item_ref") > before + 200);
                    replicas.forEach(CqrsReplica::close);
                }
            }
            await().alias("seed " + seed)
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> database.count("cqrs.outbox") == 0);
        }
        assertThat(returned).as("messages that no queue took, seed %d", seed).hasValue(0);
        assertThat(transport.declare(queue)).as("queues that are left").hasSizeGreaterThan(1);
        try (CqrsReplica last = replica(1)) {
            last.start();
            await().alias("seed " + seed)
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> database.count("item_ref") == written.get());
            await().until(() -> waiting(name) + waiting(queue.shardName(1)) == 0);
        }
        // Once the operator has deleted what is left, one queue is one queue.
        transport.decommission(queue);
        assertThat(transport.declare(queue)).containsExactly(name);
    }

    @Test
    void findsTheShardsOfAWorkerThatWasTakenBackWithoutARestart() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-22T04:00:00Z"));
        InstantSource source = now::get;
        try (CqrsReplica stays =
                        builder(1).clock(source.withZone(ZoneOffset.UTC)).build();
                CqrsRelay relay = relay(new RelayListener() {})) {
            stays.start();
            relay.start();
            change(1, 10, "n");
            await().until(() -> database.count("item_ref") == 10);
            transport.declare(queue.withShards(3));
            change(11, 1000, "n");
            await().until(() -> database.count("cqrs.outbox") == 0);
            await().until(() -> waiting(queue.shardName(1)) > 200 && waiting(queue.shardName(2)) > 200);
            // As where a machine starts with a clock that is wrong, and has it set.
            now.set(Instant.parse("2020-01-01T00:00:00Z"));
            await().until(() -> database.count("item_ref") == 1000);
            transport.declare(queue.withShards(5));
            change(1001, 2000, "n");
            await().until(() -> database.count("cqrs.outbox") == 0);
            await().until(() -> waiting(queue.shardName(3)) > 100 && waiting(queue.shardName(4)) > 100);
            now.set(now.get().plus(Duration.ofMinutes(10)));
            await().until(() -> database.count("item_ref") == 2000);
        }
    }

    @Test
    void deadLettersNothingOfABacklogOfBatchesThatIsMoreThanAWorkerMayHold() throws Exception {
        ReplicaQueue limited =
                new ReplicaQueue(name, ReplicaQueue.deadLettersOf(name), Set.of(ITEM), ReplicaQueue.Type.QUORUM, 4, 3);
        List<String> unused = transport.declare(limited);
        change(1, 30_000, "n");
        Queues.publishOutbox(transport, database, Wire.BATCH);
        try (CqrsReplica replica = replica(4)) {
            replica.start();
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> database.count("item_ref") + waiting(limited.deadLetters()) >= 30_000);
        }
        assertThat(database.count("item_ref")).isEqualTo(30_000);
    }

    private long waiting(String shard) throws InterruptedException {
        QueueStatus status = transport.inspect(shard);
        return status == null ? 0 : status.ready();
    }

    private CqrsRelay relay(RelayListener listener) {
        return CqrsRelay.builder(database.dataSource())
                .transport(transport)
                .listener(listener)
                .build();
    }

    private CqrsReplica replica(int shards) {
        return builder(shards).build();
    }

    private CqrsReplica.Builder builder(int shards) {
        return CqrsReplica.builder(database.dataSource())
                .replica(Item.definition())
                .transport(transport)
                .queue(name)
                .shards(shards)
                .workers(2)
                .retries(new RetryPolicy(1, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes);
    }

    private void change(int first, int last, String text) {
        database.execute("insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body)"
                + " select 'item', i::text, 'item', json_build_object('signal_type', 'SAVE', 'cqrs_id', 'item',"
                + " 'instance_data', json_build_object('id', i, 'name', '" + text
                + "', 'cqrs_revision', 0, 'cqrs_updated', '2026-11-21 01:16:00+00:00'), 'instance_pk', i,"
                + " 'previous_data', null, 'correlation_id', null, 'retries', 0, 'expires', null, 'meta', null)"
                + " from generate_series(" + first + ", " + last + ") i");
    }
}
