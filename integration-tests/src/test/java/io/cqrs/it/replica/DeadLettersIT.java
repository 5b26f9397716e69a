package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.TransportException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.CommandRun;
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
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is done with messages that could not be applied: by the library, and by {@code cqrs dead-letters}. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class DeadLettersIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00Z");
    private static final byte[] BROKEN = {1, 2, (byte) 0xff, '\n'};

    private final String name = "letters_" + System.nanoTime();
    private final ReplicaQueue queue = ReplicaQueue.of(name, Set.of(ITEM));
    private final Outcomes outcomes = new Outcomes();
    private TestDatabase database;
    private RabbitTransport transport;
    private CqrsReplica replica;

    @BeforeEach
    void start() throws Exception {
        database = TestEnvironment.database("letters");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA + "; alter table item_ref add constraint no_bad check (name <> 'bad')");
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
        transport.declare(queue);
    }

    @AfterEach
    void stop() throws Exception {
        if (replica != null) {
            replica.close();
        }
        transport.decommission(queue);
        transport.close();
    }

    @Test
    void listsDumpsSendsAgainAndRemovesWhatAFilterMeans() throws Exception {
        List<byte[]> bodies = new ArrayList<>();
        for (long id = 1; id <= 3; id++) {
            bodies.add(body(new Message(bad(id, 0), 1, null)));
        }
        bodies.add(BROKEN);
        bodies.add(body(Message.of(
                Change.of(Signal.SAVE, EntityKey.of(CqrsId.of("stranger"), "x"), Stamp.of(T0, 0), Map.of()))));
        replicaWith(1, null);
        Queues.putBytes(transport, name, Map.of(), bodies);
        await().until(() -> outcomes.dead() == 5);

        CommandRun list = cqrs("list");
        assertThat(list.out().lines()).hasSize(5);
        assertThat(list.err()).contains("5 dead letter(s) in dead_letter_" + name);
        assertThat(list.out()).contains("\titem\t2\t2\t", "no_bad", "\tstranger\tx\t1\t", "not valid JSON");
        assertThat(cqrs("list", "-c", "item").out().lines()).hasSize(3);
        assertThat(cqrs("list", "-c", "item", "--key", "2").out().lines()).hasSize(1);
        assertThat(cqrs("list", "--error", "NO_BAD", "--limit", "2").out().lines())
                .hasSize(2);
        assertThat(cqrs("list", "--error", "psqlexception").out().lines()).hasSize(3);
        assertThat(cqrs("list", "--since", "PT1H").out().lines()).hasSize(5);
        assertThat(cqrs("list", "--since", "2999-01-01T00:00:00Z").out()).isEmpty();
        assertThat(cqrs("list", "--key", "2", "--json").out())
                .contains("\"attempts\":2", "\"error_class\":\"org.postgresql.util.PSQLException\"", "\"stack\":\"org.")
                .contains("\"source_queue\":\"" + name + "\"");

        CommandRun dump = cqrs("dump");
        assertThat(dump.out().lines()).hasSize(5).contains("{\"base64\":\"AQL/Cg==\"}", text(bodies.get(4)));

        CommandRun planned = cqrs("retry", "-c", "item", "--dry-run");
        assertThat(planned.out()).startsWith("Total dead letters: 3\nWould retry: 1/3\n");
        assertThat(cqrs("list").out().lines()).hasSize(5);

        database.execute("alter table item_ref drop constraint no_bad");
        CommandRun retry = cqrs("retry", "-c", "item");
        assertThat(retry.out()).startsWith("Total dead letters: 3\nRetrying: 1/3\n{");
        await().until(() -> database.count("item_ref") == 3);
        assertThat(cqrs("list").out().lines()).hasSize(2);

        assertThat(cqrs("purge", "--dry-run").out()).isEqualTo("Would purge: 2\n");
        assertThat(cqrs("purge", "-c", "stranger", "--yes").err()).contains("1 dead letter(s) removed");
        assertThat(cqrs("purge").out()).isEqualTo("Purged\n");
        assertThat(cqrs("list").out()).isEmpty();
    }

    @Test
    void sendsAgainInOrderAsFirstAttemptsAndDropsNoneThatArrivesMeanwhile() throws Exception {
        // The constraint stays: every letter that is sent again comes back, behind those that are still to be sent.
        replicaWith(0, null);
        Change[] changes =
                IntStream.range(0, 250).mapToObj(i -> bad(1 + i % 3, i)).toArray(Change[]::new);
        Queues.put(transport, name, changes);
        await().until(() -> outcomes.dead() >= 250);
        DeadLetters dead = DeadLetters.of(transport, name);
        Set<Long> revisions = new LinkedHashSet<>();
        long sent = dead.retry(DeadLetterFilter.ALL, letter -> revisions.add(revision(letter)));
        // A broker may deliver a message twice, so there may be a few more letters than messages.
        assertThat(sent).isBetween(250L, 400L);
        assertThat(revisions).hasSize(250);
        await().until(() -> outcomes.dead() >= 250 + sent);
        Map<Long, Integer> attempts = new LinkedHashMap<>();
        dead.forEach(DeadLetterFilter.ALL, letter -> attempts.putIfAbsent(revision(letter), letter.attempts()));
        assertThat(attempts.keySet()).containsExactlyElementsOf(revisions);
        assertThat(attempts.values()).containsOnly(1);
    }

    @Test
    void keepsWhatCannotBeSentAgain() throws Exception {
        Queues.put(transport, queue.deadLetters(), bad(1, 0), bad(2, 0));
        DeadLetters dead = DeadLetters.of(transport, name + "_gone", queue.deadLetters());
        assertThatExceptionOfType(TransportException.class)
                .isThrownBy(() -> dead.retry(DeadLetterFilter.ALL, letter -> {}))
                .withMessageContainingAll("item 1", "stays in dead_letter_" + name);
        assertThat(dead.forEach(DeadLetterFilter.ALL, letter -> {})).isEqualTo(2);
    }

    @Test
    void takesOutAllThatWereSentBesideOneThatCannotBe() throws Exception {
        List<byte[]> letters = List.of(body(Message.of(bad(2, 0))));
        Queues.put(transport, queue.deadLetters(), bad(1, 0));
        Queues.putBytes(transport, queue.deadLetters(), Map.of(Headers.SOURCE_QUEUE, name + "_gone"), letters);
        Queues.put(transport, queue.deadLetters(), bad(3, 0));
        DeadLetters dead = DeadLetters.of(transport, name);
        assertThatExceptionOfType(TransportException.class)
                .isThrownBy(() -> dead.retry(DeadLetterFilter.ALL, letter -> {}))
                .withMessageContaining("item 2");
        List<String> left = new ArrayList<>();
        long unused = dead.forEach(DeadLetterFilter.ALL, letter -> left.add(letter.key()));
        assertThat(left).containsExactly("2");
    }

    @Test
    void givesWhatExpiredAnotherDayAndTellsWhatNobodyGaveAReasonFor() throws Exception {
        byte[] expired = body(new Message(save(1, 0), 7, Instant.now().minusSeconds(5)));
        Queues.putBytes(transport, queue.deadLetters(), Map.of(), List.of(expired));
        assertThat(cqrs("list").out()).isEqualTo("-\titem\t1\t0\t-\n");
        replicaWith(0, null);
        assertThat(cqrs("retry").code()).isZero();
        await().until(() -> outcomes.of(Outcome.APPLIED) == 1);
    }

    @Test
    void dropsDeadLettersAfterTheirTimeWhereThatIsAsked() throws Exception {
        replicaWith(0, Duration.ofSeconds(3));
        DeadLetters dead = DeadLetters.of(transport, name);
        Queues.put(transport, name, bad(1, 0));
        await().pollInterval(Duration.ofMillis(50)).until(() -> dead.forEach(DeadLetterFilter.ALL, one -> {}) == 1);
        await().until(() -> dead.forEach(DeadLetterFilter.ALL, one -> {}) == 0);
    }

    @Test
    void saysWhatIsWrong() {
        CommandRun absent = CommandRun.of(
                "dead-letters",
                "list",
                "-q",
                "no_such",
                "--transport-url",
                TestEnvironment.broker().url());
        assertThat(absent.code()).isEqualTo(1);
        assertThat(absent.err()).isEqualTo("cqrs: queue dead_letter_no_such does not exist, or can't be read\n");
        CommandRun unreachable =
                CommandRun.of("dead-letters", "list", "-q", "x", "--transport-url", "amqp://localhost:1");
        assertThat(unreachable.code()).as(unreachable.err()).isEqualTo(4);
        assertThat(cqrs("list", "--since", "yesterday").err()).contains("--since is \"yesterday\"", "PT2H");
        assertThat(cqrs("list", "--limit", "0").code()).isEqualTo(2);
    }

    private void replicaWith(int maxRetries, Duration timeToLive) throws Exception {
        CqrsReplica.Builder builder = CqrsReplica.builder(database.dataSource())
                .replica(Item.definition())
                .transport(transport)
                .queue(name)
                .retries(new RetryPolicy(maxRetries, Backoff.constant(Duration.ofSeconds(1))))
                .listener(outcomes);
        replica = (timeToLive == null ? builder : builder.deadLetterTimeToLive(timeToLive)).build();
        replica.start();
    }

    private CommandRun cqrs(String command, String... options) {
        List<String> all = new ArrayList<>(List.of("dead-letters", command));
        all.addAll(List.of(options));
        all.addAll(
                List.of("-q", name, "--transport-url", TestEnvironment.broker().url(), "--exchange", name));
        return CommandRun.of(all.toArray(String[]::new));
    }

    private static Change bad(long id, long revision) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(ITEM, id),
                Stamp.of(T0.plusSeconds(revision), revision),
                Map.of("id", id, "name", "bad"));
    }

    private static Change save(long id, long revision) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(ITEM, id),
                Stamp.of(T0.plusSeconds(revision), revision),
                Map.of("id", id, "name", "good"));
    }

    private static long revision(DeadLetter letter) {
        return new MessageCodec()
                .decode(letter.body())
                .change()
                .stamp()
                .revision()
                .value();
    }

    private static byte[] body(Message message) {
        return new MessageCodec().encode(message);
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.UTF_8);
    }
}
