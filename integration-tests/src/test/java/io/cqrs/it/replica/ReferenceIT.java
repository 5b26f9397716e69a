package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Restriction;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Delivery;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the integration tests of django-cqrs show of it, shown of a master, a relay, RabbitMQ and replicas here. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class ReferenceIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final CqrsId EVENT = CqrsId.of("event");

    private static TestDatabase masters;
    private static TestDatabase replicas;
    private static MasterUnit unit;

    private final String name = "reference_" + System.nanoTime();
    private final List<CqrsReplica> running = new ArrayList<>();
    private final Outcomes outcomes = new Outcomes();
    /** The keys that the other replica was told of, once a message. */
    private final List<EntityKey> seen = Collections.synchronizedList(new ArrayList<>());

    private RabbitTransport transport;
    private CqrsMaster master;

    @BeforeEach
    void start() throws Exception {
        if (unit == null) {
            masters = TestEnvironment.database("reference_master");
            replicas = TestEnvironment.database("reference_replica");
            CqrsSchema.standard().migrate(masters.dataSource());
            CqrsSchema.standard().migrate(replicas.dataSource());
            replicas.execute(Item.REPLICA);
            unit = MasterUnit.on(masters, Item.class);
        }
        masters.execute("truncate item, cqrs.outbox");
        replicas.execute("truncate item_ref, cqrs.tombstone");
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
        master = CqrsMaster.builder(unit.sessions()).transport(transport).build();
        master.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (CqrsReplica one : running) {
            one.close();
            transport.decommission(one.queue());
        }
        master.close();
        transport.close();
    }

    @Test
    void singleInstancesAreCreatedUpdatedAndDeletedWithEqualValuesAndRevisions() throws Exception {
        replica(name, false);
        unit.commit(session -> session.persist(new Item(1, "a").with(1, "1.00")));
        awaitEqual(1);
        unit.commit(session -> session.find(Item.class, 1L).with(2, "2.50"));
        awaitEqual(1);
        assertThat(replicas.rows("select cqrs_revision from item_ref")).containsExactly("1");
        unit.commit(session -> session.remove(session.find(Item.class, 1L)));
        awaitEqual(0);
    }

    @Test
    void manyInstancesAreCreatedUpdatedAndDeletedInBulk() throws Exception {
        replica(name, false);
        unit.commit(session -> master.bulkInsert(
                session,
                () -> LongStream.range(0, 500)
                        .mapToObj(id -> new Item(id, "n" + id).with(1, "1.00"))
                        .iterator()));
        awaitEqual(500);
        unit.commit(session -> master.bulkUpdate(
                session,
                Item.class,
                (item, cb) -> cb.lessThan(item.get("id"), 250L),
                (update, item, cb) -> update.set(item.<String>get("name"), "many")));
        awaitEqual(500);
        unit.commit(session -> master.bulkDelete(session, Item.class, Restriction.all()));
        awaitEqual(0);
    }

    @Test
    void aSyncReachesTheQueueItIsMeantForOrAll() throws Exception {
        replica(name, false);
        replica(name + "_other", true);
        unit.commit(session -> session.persist(new Item(1, "a").with(1, "1.00")));
        await().until(() -> outcomes.of(Outcome.APPLIED) == 1 && outcomes.of(Outcome.SKIPPED) == 0);
        replicas.execute("update item_ref set name = 'drifted'");
        long unused = master.sync(Item.class).to(name + "_other").send().sent();
        await().until(() -> seen.size() == 2);
        assertThat(replicas.rows("select name from item_ref")).containsExactly("drifted");
        unused = master.sync(Item.class).to(name).send().sent();
        await().until(() -> replicas.rows("select name from item_ref").equals(List.of("a")));
        replicas.execute("update item_ref set name = 'drifted'");
        unused = master.sync(Item.class).send().sent();
        await().until(() -> replicas.rows("select name from item_ref").equals(List.of("a")) && seen.size() == 3);
    }

    @Test
    void twoWorkersBothConsume() throws Exception {
        Set<String> workers = ConcurrentHashMap.newKeySet();
        CqrsReplica replica = build(CqrsReplica.builder(replicas.dataSource())
                .workers(2)
                .batchSize(5)
                .handler(EVENT.value(), new ReplicaHandler<Object>() {
                    @Override
                    public Object save(@Nullable Object row, Change change, ReplicaContext<Object> context) {
                        workers.add(Thread.currentThread().getName());
                        return change;
                    }
                }));
        Queues.put(
                transport,
                name,
                IntStream.range(0, 200).mapToObj(id -> save(EVENT, id)).toArray(Change[]::new));
        assertThat(replica.queue().models()).containsExactly(EVENT);
        await().until(() -> workers.size() == 2 && outcomes.of(Outcome.APPLIED) >= 200);
        assertThat(outcomes.retried()).isZero();
    }

    @Test
    void tenDuplicatesOfOneMessageLeaveOneRow() throws Exception {
        replica(name, false);
        Queues.put(transport, name, Collections.nCopies(10, save(ITEM, 1)).toArray(Change[]::new));
        await().until(() -> outcomes.ended() == 10);
        assertThat(replicas.count("item_ref")).isEqualTo(1);
        assertThat(outcomes.of(Outcome.APPLIED)).isEqualTo(1);
    }

    @Test
    void aFailingModelIsRetriedTwiceAndEndsInTheDeadLetters() throws Exception {
        CqrsReplica replica = build(CqrsReplica.builder(replicas.dataSource())
                .retries(new RetryPolicy(2, Backoff.constant(Duration.ofSeconds(1))))
                .handler(EVENT.value(), new Failing()));
        Queues.put(transport, name, save(EVENT, 1));
        await().until(() -> outcomes.dead() == 1);
        assertThat(outcomes.retried()).isEqualTo(2);
        Delivery dead = Queues.take(transport, replica.queue().deadLetters(), 1).get(0);
        assertThat(new MessageCodec().decode(dead.body()).retries()).isEqualTo(2);
    }

    @Test
    void aDeadLetterExpiresAfterItsTimeToLive() throws Exception {
        CqrsReplica replica = build(CqrsReplica.builder(replicas.dataSource())
                .retries(new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1))))
                .deadLetterTimeToLive(Duration.ofSeconds(5))
                .handler(EVENT.value(), new Failing()));
        Queues.put(transport, name, save(EVENT, 1));
        DeadLetters dead = DeadLetters.of(transport, name, replica.queue().deadLetters());
        await().until(() -> dead.forEach(DeadLetterFilter.ALL, one -> {}) == 1);
        await().until(() -> dead.forEach(DeadLetterFilter.ALL, one -> {}) == 0);
    }

    private void replica(String queue, boolean other) throws InterruptedException {
        CqrsReplica.Builder builder =
                CqrsReplica.builder(replicas.dataSource()).transport(transport).queue(queue);
        if (other) {
            builder.handler(ITEM.value(), new ReplicaHandler<Object>() {
                @Override
                public Object save(@Nullable Object row, Change change, ReplicaContext<Object> context) {
                    seen.add(change.key());
                    return change;
                }
            });
        } else {
            builder.listener(outcomes).replica(Item.definition());
        }
        start(builder.build());
    }

    private CqrsReplica build(CqrsReplica.Builder builder) throws InterruptedException {
        return start(builder.transport(transport).queue(name).listener(outcomes).build());
    }

    private CqrsReplica start(CqrsReplica replica) throws InterruptedException {
        transport.declare(replica.queue());
        running.add(replica);
        replica.start();
        return replica;
    }

    private static void awaitEqual(int rows) {
        await().until(() ->
                masters.count("cqrs.outbox") == 0 && Item.replicaRows(replicas).equals(Item.masterRows(masters)));
        assertThat(replicas.count("item_ref")).isEqualTo(rows);
    }

    private static Change save(CqrsId model, long id) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(model, id),
                Stamp.of(Instant.parse("2026-11-21T01:16:00.000001Z"), 0),
                Map.of("id", id, "name", "n"));
    }

    /** Never succeeds. */
    private static final class Failing extends ReplicaHandler<Object> {
        @Override
        public Object save(@Nullable Object row, Change change, ReplicaContext<Object> context) {
            throw new IllegalStateException("it fails");
        }
    }
}
