package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Random histories of real masters, their messages shuffled, doubled and partly in batches, through four real workers: the replica must end
 * equal to the master, whatever the order. It goes red without the sweep, without the tombstones, and with a
 * guard that compares anything less.
 */
@ExtendWith(TestEnvironment.class)
class ConvergenceIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final int SEEDS = Integer.getInteger("cqrs.convergence.seeds", 200);
    private static final long FIRST_SEED = Long.getLong("cqrs.convergence.first", 1);
    private static final int KEYS = 6;
    private static final int KEYS_A_SEED = 1000;

    private static TestDatabase master;
    private static TestDatabase replica;
    private static MasterUnit early;
    private static MasterUnit late;

    @BeforeAll
    static void start() {
        master = TestEnvironment.database("converge_master");
        replica = TestEnvironment.database("converge_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
        replica.execute(Item.REPLICA);
        early = unitWithClock(Duration.ofMinutes(-7));
        late = unitWithClock(Duration.ofMinutes(5));
    }

    @AfterAll
    static void stop() {
        early.close();
        late.close();
    }

    @Test
    void endsEqualToTheMasterWhateverTheOrderOfArrival() throws Exception {
        converge(FIRST_SEED, SEEDS, sets());
    }

    @Test
    @Tag("large")
    void endsEqualToTheMasterInManyMoreHistories() throws Exception {
        converge(10_000, 2_000, sets());
    }

    private static void converge(long firstSeed, int seeds, CqrsReplica.Builder begun) throws Exception {
        Transport transport = new InMemoryTransport();
        Outcomes outcomes = new Outcomes();
        try (CqrsReplica workers = replica(begun, transport, "converge", outcomes)) {
            workers.start();
            int sent = 0;
            for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
                List<String> messages = shuffled(history(seed), new Random(seed));
                publish(transport, messages);
                sent += messages.size();
                awaitEnded(outcomes, sent, seed);
                assertEqual(seed);
            }
            assertThat(outcomes.dead()).as("dead letters").isZero();
            System.err.printf("convergence: seeds %d to %d equal, %s%n", firstSeed, firstSeed + seeds - 1, outcomes);
        }
    }

    @Test
    void endsEqualToTheMasterThroughHooks() throws Exception {
        try (MasterUnit unit = MasterUnit.on(replica, ItemRef.class)) {
            converge(5_000, SEEDS / 4, CqrsReplica.builder(unit.sessions()).dataSource(replica.dataSource()));
        }
    }

    @Test
    void endsEqualToTheMasterThroughRabbitMqWithFailuresAndRetries() throws Exception {
        String url = TestEnvironment.broker().url();
        replica.execute("drop function if exists fail_sometimes cascade");
        replica.execute("""
                create function fail_sometimes() returns trigger language plpgsql as $$
                begin
                    if random() < 0.4 then raise exception 'planted failure'; end if;
                    return new;
                end $$""");
        replica.execute("create trigger fail_sometimes before insert or update on item_ref"
                + " for each row execute function fail_sometimes()");
        Outcomes outcomes = new Outcomes();
        try (RabbitTransport transport = RabbitTransport.connect(url);
                CqrsReplica workers = replica(sets(), transport, "converge_" + System.nanoTime(), outcomes)) {
            workers.start();
            List<String> messages = new ArrayList<>();
            long first = 1_000_000;
            for (long seed = first; seed < first + 10; seed++) {
                messages.addAll(shuffled(history(seed), new Random(seed)));
            }
            publish(transport, messages, workers.queue());
            awaitEnded(outcomes, messages.size(), first);
            for (long seed = first; seed < first + 10; seed++) {
                assertEqual(seed);
            }
            assertThat(outcomes.retried()).as("retries").isPositive();
            assertThat(outcomes.dead()).as("dead letters").isZero();
            transport.decommission(workers.queue());
        } finally {
            replica.execute("drop function fail_sometimes cascade");
        }
    }

    private static MasterUnit unitWithClock(Duration offset) {
        Configuration configuration = MasterUnit.configuration(master, Item.class);
        InstantSource clock = Clock.offset(Clock.systemUTC(), offset);
        configuration.getProperties().put("cqrs.clock", clock);
        return MasterUnit.of(configuration);
    }

    private static CqrsReplica.Builder sets() {
        return CqrsReplica.builder(replica.dataSource()).replica(Item.definition());
    }

    private static CqrsReplica replica(
            CqrsReplica.Builder begun, Transport transport, String queue, Outcomes outcomes) {
        return begun.transport(transport)
                .queue(queue)
                .workers(4)
                .batchSize(7)
                .retries(new RetryPolicy(1000, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes)
                .build();
    }

    /** Commits a random history by two masters in turn and returns its messages in their order. */
    private static List<String> history(long seed) {
        Random random = new Random(seed);
        int transactions = 20 + random.nextInt(40);
        for (int i = 0; i < transactions; i++) {
            MasterUnit unit = random.nextBoolean() ? early : late;
            if (random.nextInt(10) == 0) {
                unit.rollBack(session -> change(session, seed, random));
            } else {
                unit.commit(session -> {
                    for (int n = 1 + random.nextInt(2); n > 0; n--) {
                        change(session, seed, random);
                        session.flush();
                    }
                });
            }
        }
        return master.rows(
                "with gone as (delete from cqrs.outbox returning id, body) select body from gone order by id");
    }

    private static void change(org.hibernate.Session session, long seed, Random random) {
        long id = seed * KEYS_A_SEED + random.nextInt(KEYS);
        Item item = session.find(Item.class, id);
        if (item == null) {
            session.persist(new Item(id, "n" + random.nextInt(1000)));
        } else if (random.nextInt(3) == 0) {
            session.remove(item);
        } else {
            item.with(random.nextInt(1000), random.nextInt(100) + "." + (10 + random.nextInt(90)));
        }
    }

    /** Doubles a third, turns some into syncs, and shuffles. */
    private static List<String> shuffled(List<String> history, Random random) {
        List<String> messages = new ArrayList<>(history);
        for (String message : history) {
            if (random.nextInt(3) == 0) {
                messages.add(message);
            }
            if (random.nextInt(5) == 0) {
                messages.add(message.replace("\"signal_type\":\"SAVE\"", "\"signal_type\":\"SYNC\""));
            }
        }
        Collections.shuffle(messages, random);
        return messages;
    }

    private static void publish(Transport transport, List<String> messages) throws Exception {
        publish(transport, messages, ReplicaQueue.of("converge", Set.of(ITEM)));
    }

    private static void publish(Transport transport, List<String> messages, ReplicaQueue queue) throws Exception {
        transport.declare(queue);
        try (Publisher publisher = transport.openPublisher()) {
            List<OutgoingMessage> outgoing = new ArrayList<>();
            Random random = new Random(messages.size());
            for (int from = 0; from < messages.size(); ) {
                int to = Math.min(messages.size(), from + (random.nextBoolean() ? 1 : 2 + random.nextInt(4)));
                outgoing.add(message(queue, "m" + from, messages.subList(from, to)));
                from = to;
            }
            assertThat(publisher.send(outgoing).await(Duration.ofSeconds(30))).allMatch(PublishOutcome::isConfirmed);
        }
    }

    /** One alone as it is, more as a batch. */
    private static OutgoingMessage message(ReplicaQueue queue, String id, List<String> texts) {
        List<byte[]> bodies = texts.stream()
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toList();
        return MessageBatch.pack(new Destination.Queue(queue.name()), id, Map.of(), bodies);
    }

    private static void awaitEnded(Outcomes outcomes, int sent, long seed) {
        await().alias("all changes ended, seed " + seed)
                .pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(120))
                .until(() -> outcomes.ended() + outcomes.dead() >= sent);
    }

    private static void assertEqual(long seed) {
        long from = seed * KEYS_A_SEED;
        assertThat(Item.replicaRows(replica, from, from + KEYS))
                .as(
                        "replica of seed %d (run it alone: -Dcqrs.convergence.first=%d -Dcqrs.convergence.seeds=1)",
                        seed, seed)
                .isEqualTo(Item.masterRows(master, from, from + KEYS));
    }

    /** Hooks that do what is done without them. */
    static final class ItemHandler extends ReplicaHandler<ItemRef> {}

    @Entity(name = "ItemRef")
    @Table(name = "item_ref")
    @Replica(value = "item", handler = ItemHandler.class)
    static class ItemRef extends ReplicaEntity {
        @Id
        Long id;

        String name;
        Integer amount;

        @Column(name = "unit_price")
        BigDecimal price;
    }
}
