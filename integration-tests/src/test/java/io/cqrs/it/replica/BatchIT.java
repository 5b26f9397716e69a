package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.Signal;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.DeadLetter;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many changes a message, from the outbox to the replica: whatever becomes of one becomes of it alone. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class BatchIT {

    private static final CqrsId ITEM = CqrsId.of("item");

    private final String name = "batch_" + System.nanoTime();
    private final ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ITEM));
    private final ReplicaQueue spy = ReplicaQueue.of(name + "_spy", Set.of(ITEM));
    private final Outcomes outcomes = new Outcomes();
    private final MessageCodec codec = new MessageCodec();
    private TestDatabase database;
    private RabbitTransport transport;

    @BeforeEach
    void start() throws Exception {
        database = TestEnvironment.database("batch");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA + "; alter table item_ref add constraint no_bad check (name <> 'bad')");
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
        transport.declare(queue);
        transport.declare(spy);
    }

    @AfterEach
    void stop() throws Exception {
        transport.decommission(spy);
        transport.decommission(queue);
        transport.close();
    }

    @Test
    void appliesAllButTheBadOnesWhichGoTheirWayAlone() throws Exception {
        List<byte[]> bodies = new ArrayList<>();
        for (long id = 1; id <= 1300; id++) {
            bodies.add(body(Item.save(id, 0, id == 650 ? "bad" : "good")));
        }
        bodies.add(700, "no message".getBytes(StandardCharsets.UTF_8));
        put(bodies);
        try (CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .wire(Wire.BATCH)
                        .build();
                CqrsReplica replica = replica().build()) {
            relay.start();
            await().until(() -> database.count("cqrs.outbox") == 0);
            // As from a Django service, amid the batches.
            Queues.put(transport, name, Item.save(2000, 0, "single"), Item.save(1, 1, "later"));
            put(List.of(body(Item.save(2001, 0, "behind")), body(Item.save(2002, 0, "behind"))));
            await().until(() -> database.count("cqrs.outbox") == 0);
            replica.start();
            await().untilAsserted(() -> assertThat(database.count("item_ref")).isEqualTo(1302));
            await().until(() -> outcomes.dead() == 2);
        }
        assertThat(Queues.takeAll(transport, spy.name(), 3)).hasSizeLessThan(10);
        assertThat(database.rows("select name from item_ref where id in (1, 2, 2000) order by id"))
                .containsExactly("later", "good", "single");
        List<DeadLetter> letters = new ArrayList<>();
        DeadLetters dead = DeadLetters.of(transport, name);
        dead.forEach(DeadLetterFilter.ALL, letters::add);
        assertThat(letters).extracting(DeadLetter::key).containsExactlyInAnyOrder("650", null);
        assertThat(letters)
                .extracting(one -> new String(one.body(), StandardCharsets.UTF_8))
                .anySatisfy(text -> assertThat(text).isEqualTo("no message"))
                .anySatisfy(text -> assertThat(text).contains("\"retries\":1", "\"bad\""));

        database.execute("alter table item_ref drop constraint no_bad");
        try (CqrsReplica replica = replica().build()) {
            replica.start();
            assertThat(dead.retry(new DeadLetterFilter("item", "650", null, null, Long.MAX_VALUE), one -> {}))
                    .isOne();
            await().untilAsserted(() -> assertThat(database.count("item_ref")).isEqualTo(1303));
        }
    }

    @Test
    void keepsExpiryForceAndTraceOfEachChange() throws Exception {
        String trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        database.execute(
                "insert into item_ref select i, 'later', null, null, 9, '2026-11-22' from generate_series(21, 30) i");
        List<byte[]> bodies = new ArrayList<>();
        for (long id = 1; id <= 20; id++) {
            Instant expires = id == 7 ? Instant.EPOCH : id == 8 ? Instant.now().plusSeconds(3600) : null;
            bodies.add(codec.encode(new Message(Item.save(id, 0, "good"), 0, expires)));
        }
        put(bodies);
        put(
                "{\"cqrs-force\": true}",
                LongStream.rangeClosed(21, 30)
                        .mapToObj(BatchIT::sync)
                        .map(this::body)
                        .toList());
        put(
                "{\"traceparent\": \"" + trace + "\"}",
                List.of(body(Item.save(31, 0, "good")), body(Item.save(32, 0, "bad")), body(Item.save(33, 0, "good"))));
        Queues.publishOutbox(transport, database, Wire.BATCH);
        try (CqrsReplica replica = replica().build()) {
            replica.start();
            await().untilAsserted(() ->
                    assertThat(outcomes.toString()).contains("APPLIED=31").endsWith("dead 2"));
        }
        assertThat(Queues.take(transport, spy.name(), 3))
                .extracting(one -> MessageBatch.open(one).size())
                .containsExactly(20, 10, 3);
        assertThat(database.rows(
                        "select string_agg(id::text, ' ' order by id), name from item_ref group by name order by 2"))
                .containsExactly(
                        "1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18 19 20 31 33|good",
                        "21 22 23 24 25 26 27 28 29 30|synced");
        assertThat(Queues.take(transport, queue.deadLetters(), 2))
                .extracting(
                        one -> one.headers().get(Headers.KEY),
                        one -> one.headers().get(Headers.TRACE_PARENT))
                .containsExactlyInAnyOrder(tuple("7", null), tuple("32", trace));
    }

    @Test
    void sendsALargeChangeAloneInItsPlaceAmongSmallOnes() throws Exception {
        List<byte[]> bodies = new ArrayList<>();
        for (long id = 1; id <= 10; id++) {
            bodies.add(body(Item.save(id, 0, "small")));
        }
        bodies.add(body(Item.save(5, 1, "x".repeat(1 << 20))));
        for (long id = 4; id <= 9; id++) {
            bodies.add(body(Item.save(id, 2, "behind")));
        }
        put(bodies);
        Queues.publishOutbox(transport, database, Wire.BATCH);
        try (CqrsReplica replica = replica().build()) {
            replica.start();
            await().until(() -> outcomes.ended() == 17);
        }
        assertThat(Queues.take(transport, spy.name(), 3))
                .extracting(one -> MessageBatch.open(one).size())
                .containsExactly(10, 1, 6);
        assertThat(database.rows(
                        "select string_agg(id::text, ' ' order by id), name from item_ref group by name order by 2"))
                .containsExactly("4 5 6 7 8 9|behind", "1 2 3 10|small");
    }

    @Test
    void writesNoMoreChangesATransactionThanItIsTold() throws Exception {
        List<byte[]> bodies = new ArrayList<>();
        for (long id = 1; id <= 450; id++) {
            bodies.add(body(Item.save(id, 0, "good")));
        }
        try (CqrsReplica replica = replica().batchSize(100).build();
                Publisher publisher = transport.openPublisher()) {
            replica.start();
            assertThat(publisher
                            .send(List.of(MessageBatch.pack(new Destination.Queue(name), "large", Map.of(), bodies)))
                            .await(Duration.ofSeconds(20)))
                    .containsExactly(PublishOutcome.CONFIRMED);
            await().until(() -> database.count("item_ref") == 450);
        }
        assertThat(database.rows("select count(*) from item_ref group by xmin::text"))
                .hasSize(5)
                .containsOnly("90");
    }

    @Test
    void deadLettersABatchThatCantBeUnpackedWithItsBytes() throws Exception {
        OutgoingMessage whole = MessageBatch.pack(
                new Destination.Queue(name), "half", Map.of(), Collections.nCopies(500, body(Item.save(1, 0, "good"))));
        byte[] half = Arrays.copyOf(whole.body(), whole.body().length / 2);
        try (CqrsReplica replica = replica().build();
                Publisher publisher = transport.openPublisher()) {
            replica.start();
            OutgoingMessage message =
                    new OutgoingMessage(whole.destination(), "half", whole.contentType(), whole.headers(), half);
            assertThat(publisher.send(List.of(message)).await(Duration.ofSeconds(20)))
                    .containsExactly(PublishOutcome.CONFIRMED);
            await().until(() -> outcomes.dead() == 1);
        }
        List<DeadLetter> letters = new ArrayList<>();
        long unused = DeadLetters.of(transport, name).forEach(DeadLetterFilter.ALL, letters::add);
        assertThat(letters.get(0).body()).isEqualTo(half);
        assertThat(letters.get(0).error()).contains("cut short");
    }

    @Test
    void deadLettersABatchThatIsNotWhatItsHeadersSay() throws Exception {
        OutgoingMessage whole = MessageBatch.pack(
                new Destination.Queue(name),
                "lying",
                Map.of(),
                Collections.nCopies(500, body(Item.save(1, 0, "good"))));
        String plain = "application/vnd.cqrs.batch+ndjson";
        Map<String, Object> many = new HashMap<>(whole.headers());
        many.put("cqrs-changes", 3);
        Map<String, Object> small = new HashMap<>(whole.headers());
        small.put("cqrs-bytes", 10);
        try (CqrsReplica replica = replica().build();
                Publisher publisher = transport.openPublisher()) {
            replica.start();
            for (OutgoingMessage lying : List.of(
                    message(whole.contentType(), many, whole.body()),
                    message(whole.contentType(), small, whole.body()),
                    message(whole.contentType(), Map.of(), whole.body()),
                    message(plain, Map.of(), "\n".repeat(1_000_000).getBytes(StandardCharsets.UTF_8)))) {
                assertThat(publisher.send(List.of(lying)).await(Duration.ofSeconds(20)))
                        .containsExactly(PublishOutcome.CONFIRMED);
            }
            assertThat(publisher
                            .send(List.of(message(plain, Map.of(), body(Item.save(2, 0, "good")))))
                            .await(Duration.ofSeconds(20)))
                    .containsExactly(PublishOutcome.CONFIRMED);
            await().untilAsserted(() ->
                    assertThat(database.rows("select id from item_ref")).containsExactly("2"));
            await().until(() -> outcomes.dead() == 4);
        }
        List<String> errors = new ArrayList<>();
        long unused = DeadLetters.of(transport, name).forEach(DeadLetterFilter.ALL, one -> errors.add(one.error()));
        assertThat(errors)
                .satisfiesExactlyInAnyOrder(
                        error -> assertThat(error).contains("has 500 messages, not the number of its header"),
                        error -> assertThat(error).contains("has more than the 10 bytes of its header"),
                        error -> assertThat(error).contains("has no header cqrs-bytes"),
                        error -> assertThat(error).contains("has more than 10000 messages"));
    }

    @Test
    void refusesAMessageOfMoreValuesThanTheMemoryIsMeantFor() throws Exception {
        String amplified = "{\"signal_type\": \"SAVE\", \"x\": [" + "[],".repeat(1_500_000) + "[]]}";
        try (CqrsReplica replica = replica().build();
                Publisher publisher = transport.openPublisher()) {
            replica.start();
            assertThat(publisher
                            .send(List.of(message("text/plain", Map.of(), amplified.getBytes(StandardCharsets.UTF_8))))
                            .await(Duration.ofSeconds(20)))
                    .containsExactly(PublishOutcome.CONFIRMED);
            await().until(() -> outcomes.dead() == 1);
        }
    }

    @Test
    void deadLettersAMessageOfAsManyHeadersAsAmqpTakes() throws Exception {
        Map<String, Object> headers = new HashMap<>(Map.of("mine", "x".repeat(126_000), "traceparent", "00-1-2-3"));
        try (CqrsReplica replica = replica().build();
                Publisher publisher = transport.openPublisher()) {
            replica.start();
            assertThat(publisher
                            .send(List.of(
                                    message("text/plain", headers, "no message".getBytes(StandardCharsets.UTF_8)),
                                    message("text/plain", Map.of(), body(Item.save(3, 0, "good")))))
                            .await(Duration.ofSeconds(20)))
                    .containsOnly(PublishOutcome.CONFIRMED);
            await().until(() -> outcomes.dead() == 1 && database.count("item_ref") == 1);
        }
    }

    private OutgoingMessage message(String contentType, Map<String, Object> headers, byte[] body) {
        return new OutgoingMessage(new Destination.Queue(name), "m" + body.length, contentType, headers, body);
    }

    private CqrsReplica.Builder replica() {
        return CqrsReplica.builder(database.dataSource())
                .replica(Item.definition())
                .transport(transport)
                .queue(name)
                .retries(new RetryPolicy(1, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes);
    }

    private static Change sync(long id) {
        Change save = Item.save(id, 0, "synced");
        return Change.of(Signal.SYNC, save.key(), save.stamp(), save.data());
    }

    private void put(List<byte[]> bodies) throws SQLException {
        put(null, bodies);
    }

    private void put(@Nullable String headers, List<byte[]> bodies) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                PreparedStatement insert = connection.prepareStatement(
                        "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body, headers)"
                                + " select 'item', i::text, 'item', b, ? from unnest(?) with ordinality u(b, i)")) {
            String[] texts = bodies.stream()
                    .map(body -> new String(body, StandardCharsets.UTF_8))
                    .toArray(String[]::new);
            insert.setString(1, headers);
            insert.setArray(2, connection.createArrayOf("text", texts));
            insert.executeUpdate();
        }
    }

    private byte[] body(Change change) {
        return codec.encode(Message.of(change));
    }
}
