package io.cqrs.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.it.support.TestEnvironment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults of all kinds amid traffic, several at a time, then quiet, then the check: nothing lost, nothing doubled, nothing
 * wrong. {@code -Dcqrs.chaos.seconds} a round and {@code -Dcqrs.chaos.rounds} say how much of it, {@code -Dcqrs.chaos.seed}
 * repeats the mix, though not its moments.
 */
@ExtendWith(TestEnvironment.class)
@Tag("chaos")
@Timeout(7_200)
class ChaosIT {

    private static final int SECONDS = Integer.getInteger("cqrs.chaos.seconds", 20);
    private static final int ROUNDS = Integer.getInteger("cqrs.chaos.rounds", 1);

    private static final Duration RECOVERY = Duration.ofSeconds(15);

    @TempDir
    Path directory;

    @Test
    void losesNothingWhateverFails() throws Exception {
        long seed = Long.getLong("cqrs.chaos.seed", System.nanoTime());
        Map<String, Integer> faults = new TreeMap<>();
        int overlapping = 0;
        try (World world = World.open(seed, directory)) {
            for (int round = 0; round < ROUNDS; round++) {
                System.err.println("chaos: round " + round + " of seed " + seed + " (again: -Dcqrs.chaos.seed=" + seed
                        + "), wire " + world.nextWire());
                world.restartRelays();
                Schedule schedule = new Schedule(world, seed + round);
                schedule.run(Duration.ofSeconds(SECONDS));
                // Behind all that waits by now for the slow hooks, where the machine is slow, too.
                report("all mended", world.awaitTraffic(Duration.ofMinutes(3)));
                world.requireBounded();
                dieOverTheLastChanges(world);
                world.requireEqual();
                assertThat(schedule.counts()).isNotEmpty();
                schedule.counts().forEach((kind, count) -> faults.merge(kind, count, Integer::sum));
                overlapping += schedule.overlapping();
                deleteQueueTwice(world);
                faults.merge("queue-deleted", 2, Integer::sum);
                System.err.println("chaos: " + world.changes() + " changes, "
                        + faults.values().stream().mapToInt(Integer::intValue).sum() + " faults, " + overlapping
                        + " of them while another went on, equal in the end: " + faults + ", led by two relays "
                        + world.ledByTwo + " times");
                world.processes.start(Role.MASTER);
            }
        }
    }

    /** Nobody writes once more what is lost of these. */
    private static void dieOverTheLastChanges(World world) {
        world.processes.kill(Role.WORKER_1);
        world.processes.kill(Role.WORKER_2);
        world.awaitWaiting(World.SETS, 400);
        world.stopWriting();
        int killedElsewhere = world.killedElsewhere.get();
        for (DoomedWorker.Step step : DoomedWorker.Step.values()) {
            Faults.workerDies(world, step);
        }
        assertThat(world.killedElsewhere)
                .as("workers that did not get to the step at which they were to die")
                .hasValue(killedElsewhere);
        world.processes.start(Role.WORKER_1);
        world.processes.start(Role.WORKER_2);
        world.awaitEmpty();
    }

    /** The one fault that loses something: the queue comes back by itself, what it held by the diff pipe. */
    private static void deleteQueueTwice(World world) throws Exception {
        world.processes.start(Role.MASTER);
        world.processes.kill(Role.WORKER_1);
        world.processes.kill(Role.WORKER_2);
        world.awaitWaiting(World.SETS, 100);
        world.deleteQueue();
        world.processes.start(Role.WORKER_1);
        world.processes.start(Role.WORKER_2);
        // How long a JVM takes to start is the machine's affair.
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> world.consumers() == 3);
        report("queue deleted while nobody took from it", world.awaitTraffic(RECOVERY));
        world.deleteQueue();
        report("queue deleted under its workers", world.awaitTraffic(RECOVERY));
        world.quiet();
        world.repair();
        world.quiet();
        world.requireEqual();
        world.forgetDeletes();
    }

    private static void report(String after, Duration recovered) {
        System.err.println("chaos: " + after + ": traffic after " + recovered.toMillis() + " ms");
    }
}
