package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.replica.DeadLetter;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two worker processes with hooks that fail at random, one of which is killed amid the changes. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class WorkerCrashIT {

    private static final CqrsId FLAKY = CqrsId.of("flaky");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00.000001Z");
    private static final int CHANGES = 50_000;
    private static final int KEYS = 8_000;

    private final String name = "flaky_" + System.nanoTime();
    private final Map<Long, String> expected = new TreeMap<>();
    private final Set<String> doomed = new TreeSet<>();

    @Test
    void endsEqualWithTheDeadLettersThatMustBeWhenAWorkerIsKilledAmidFailingHooks() throws Exception {
        long seed = Long.getLong("cqrs.crash.seed", System.nanoTime());
        System.out.println("seed of the changes: " + seed + " (again: -Dcqrs.crash.seed=" + seed + ")");
        TestDatabase database = TestEnvironment.database("flaky");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table flakyref (id bigint primary key, name text, cqrs_revision bigint not null,"
                + " cqrs_updated timestamptz not null)");
        try (RabbitTransport transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build())) {
            ReplicaQueue queue = ReplicaQueue.of(name, Set.of(FLAKY));
            transport.declare(queue);
            try {
                List<Change> changes = changes(new Random(seed));
                for (int from = 0; from < CHANGES; from += 5000) {
                    Queues.put(
                            transport, name, changes.subList(from, from + 5000).toArray(Change[]::new));
                }
                run(database, transport);
            } finally {
                transport.decommission(queue);
            }
        }
    }

    private void run(TestDatabase database, RabbitTransport transport) throws Exception {
        try (TestProcess survivor = worker(database, 1)) {
            try (TestProcess victim = worker(database, 2)) {
                await().atMost(Duration.ofSeconds(60)).until(() -> database.count("flakyref") > KEYS / 4);
                assertThat(victim.isAlive()).as(victim.output()).isTrue();
            }
            await().atMost(Duration.ofSeconds(150))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> rows(database).equals(List.copyOf(expected.values()))
                            && dead(transport).equals(doomed));
            assertThat(survivor.isAlive()).as(survivor.output()).isTrue();
        }
        assertThat(rows(database)).containsExactlyElementsOf(expected.values());
        assertThat(dead(transport)).isEqualTo(doomed);
    }

    /** Closing it is a SIGKILL. */
    private TestProcess worker(TestDatabase database, int number) {
        return TestProcess.main(
                        FlakyWorker.class,
                        database.url(),
                        TestEnvironment.broker().url(),
                        name)
                .with("JAVA_TOOL_OPTIONS", "-Dseed=" + number)
                .start();
    }

    /** Histories of keys in the order of a master's commits. */
    private List<Change> changes(Random random) {
        Map<Long, Long> revisions = new TreeMap<>();
        List<Change> changes = new ArrayList<>();
        for (int i = 0; i < CHANGES; i++) {
            long id = random.nextInt(KEYS);
            boolean delete = expected.containsKey(id) && random.nextInt(20) == 0;
            long revision = revisions.merge(id, 1L, Long::sum) - 1;
            Stamp stamp = Stamp.of(T0.plusMillis(i), revision);
            EntityKey key = EntityKey.of(FLAKY, id);
            if (delete) {
                changes.add(Change.of(Signal.DELETE, key, stamp, Map.of()));
                expected.remove(id);
                revisions.remove(id);
            } else {
                changes.add(Change.of(Signal.SAVE, key, stamp, Map.of("id", id, "name", "n" + i)));
                expected.put(id, id + "|n" + i + "|" + revision);
            }
            if (FlakyWorker.isPoison(id)) {
                doomed.add(id + " " + stamp);
                expected.remove(id);
            }
        }
        return changes;
    }

    private static List<String> rows(TestDatabase database) {
        return database.rows("select id, name, cqrs_revision from flakyref order by id");
    }

    private Set<String> dead(RabbitTransport transport) {
        Set<String> dead = new TreeSet<>();
        try {
            long unused =
                    DeadLetters.of(transport, name).forEach(DeadLetterFilter.ALL, letter -> dead.add(text(letter)));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return dead;
    }

    private static String text(DeadLetter letter) {
        Change change = new MessageCodec().decode(letter.body()).change();
        return change.key().text() + " " + change.stamp();
    }
}
