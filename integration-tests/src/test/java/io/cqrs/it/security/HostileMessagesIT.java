package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.DeadLetter;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Random bytes, real messages with bytes or headers changed, and batches of them, amid good ones: each ends, none ends the worker, none is lost. */
@ExtendWith(TestEnvironment.class)
class HostileMessagesIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00Z");
    private static final long FIRST_GOOD = 1_000_000;
    private static final int GOOD_EVERY = 50;
    private static final Destination QUEUE = new Destination.Queue("fuzz");

    @Test
    void seesEveryHostileMessageThrough() throws Exception {
        fuzz(Long.getLong("cqrs.fuzz.seed", 42), 8_000);
    }

    @Test
    @Tag("large")
    void seesManyMoreHostileMessagesThrough() throws Exception {
        fuzz(Long.getLong("cqrs.fuzz.seed", 43), 100_000);
    }

    private static void fuzz(long seed, int count) throws Exception {
        Random random = new Random(seed);
        TestDatabase database = TestEnvironment.database("fuzz");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table item_ref (id bigint primary key, name varchar(40), amount int, active boolean,"
                + " price numeric(12,2), made date, seen timestamptz, doc jsonb, tags text[],"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        Outcomes outcomes = new Outcomes();
        InMemoryTransport transport = new InMemoryTransport();
        try (CqrsReplica replica = CqrsReplica.builder(database.dataSource())
                .replica(Item.definition())
                .transport(transport)
                .queue("fuzz")
                .retries(new RetryPolicy(0, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes)
                .build()) {
            transport.declare(replica.queue());
            replica.start();
            int good = 0;
            int expected = 0;
            for (int done = 0; done < count; ) {
                List<OutgoingMessage> page = new ArrayList<>();
                for (int i = 0; i < 2_000 && done < count; i++, done++) {
                    page.add(hostile(random, done));
                    if (done % GOOD_EVERY == 0 || done == count - 1 || i == 1_999) {
                        page.add(single(Map.of(), message(FIRST_GOOD + good++, 0)));
                    }
                }
                Queues.put(transport, "fuzz", page);
                expected += page.stream().mapToInt(HostileMessagesIT::ends).sum();
                // One worker takes one after the other, and this is the last.
                long last = FIRST_GOOD + good - 1;
                await().alias("all messages ended, seed " + seed)
                        .atMost(Duration.ofSeconds(120))
                        .until(() -> database.count("item_ref where id = " + last) == 1);
            }
            replica.close();
            assertThat(database.count("item_ref where id >= " + FIRST_GOOD))
                    .as("good ones, seed " + seed)
                    .isEqualTo(good);
            List<DeadLetter> silent = new ArrayList<>();
            long dead = DeadLetters.of(transport, "fuzz").forEach(DeadLetterFilter.ALL, letter -> {
                if (letter.error() == null || letter.error().isBlank() || letter.errorClass() == null) {
                    silent.add(letter);
                }
            });
            assertThat(dead).isEqualTo(outcomes.dead());
            assertThat(silent).as("dead letters without a reason, seed " + seed).isEmpty();
            assertThat(outcomes.retried()).isZero();
            assertThat(ended(outcomes))
                    .as("an end of each message, and of each in a batch, seed " + seed)
                    .isEqualTo(expected);
            System.err.printf("fuzz: seed %d, %d messages, %s%n", seed, count, outcomes);
        }
    }

    private static int ended(Outcomes outcomes) {
        return outcomes.ended() - outcomes.of(Outcome.NEEDS_SYNC) - outcomes.of(Outcome.REJECTED) + outcomes.dead();
    }

    /** A batch that can't be opened ends as one. */
    private static int ends(OutgoingMessage message) {
        try {
            return MessageBatch.open(new Delivery(
                            1, message.messageId(), message.contentType(), "fuzz", message.headers(), message.body()))
                    .size();
        } catch (SerializationException e) {
            return 1;
        }
    }

    /** In equal parts noise, a message with a few bytes changed, one with headers that nobody meant, and batches of all that. */
    private static OutgoingMessage hostile(Random random, int done) {
        byte[] mutated = Mutations.mutated(random, message(random.nextInt(500), done));
        return switch (done % 4) {
            case 0 -> single(Map.of(), Mutations.noise(random));
            case 1 -> single(Map.of(), mutated);
            case 2 -> single(Mutations.headers(random, Map.of()), message(random.nextInt(500), done));
            default -> {
                List<byte[]> bodies = new ArrayList<>(List.of(mutated, Mutations.noise(random)));
                for (int i = random.nextInt(30); i > 0; i--) {
                    bodies.add(message(random.nextInt(500), done));
                }
                OutgoingMessage batch = MessageBatch.pack(QUEUE, "batch", Map.of(), bodies);
                yield new OutgoingMessage(
                        QUEUE,
                        "batch",
                        batch.contentType(),
                        random.nextBoolean() ? batch.headers() : Mutations.headers(random, batch.headers()),
                        random.nextBoolean() ? batch.body() : Mutations.mutated(random, batch.body()));
            }
        };
    }

    private static OutgoingMessage single(Map<String, Object> headers, byte[] body) {
        return new OutgoingMessage(QUEUE, "single", OutgoingMessage.SINGLE, headers, body);
    }

    private static byte[] message(long id, long seconds) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("id", id);
        data.put("name", "name of " + id);
        data.put("amount", 7L);
        data.put("active", true);
        data.put("price", new BigDecimal("12.50"));
        data.put("made", "2024-02-29");
        data.put("seen", "2026-11-21 01:16:00.614800+00:00");
        data.put("doc", Map.of("a", List.of(1L, 2L)));
        data.put("tags", List.of("x", "y"));
        Change change =
                Change.of(Signal.SAVE, EntityKey.of(ITEM, id), Stamp.of(T0.plusSeconds(seconds), seconds), data);
        return new MessageCodec().encode(Message.of(change));
    }
}
