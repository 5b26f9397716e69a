package io.cqrs.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.transport.Wire;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One fault after the other: traffic flows again by itself, soon, and in the end nothing is lost. */
@ExtendWith(TestEnvironment.class)
@Tag("chaos")
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultsIT {

    private static final Duration RECOVERY = Duration.ofSeconds(15);
    private static final Duration LASTS = Duration.ofSeconds(1);

    @TempDir
    static Path directory;

    private static final Random RANDOM = new Random(7);
    private static World world;

    @BeforeAll
    static void start() throws Exception {
        world = World.open(7, Wire.BATCH, directory);
    }

    @AfterAll
    static void stop() throws Exception {
        if (world != null) {
            world.close();
        }
    }

    static List<Fault> faults() {
        String only = System.getProperty("cqrs.chaos.only", "");
        return Faults.all().stream()
                .filter(fault -> fault.toString().contains(only))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("faults")
    @Order(1)
    void letsTrafficFlowAgainByItselfAfter(Fault fault) throws Exception {
        try {
            fault.begin().run(world, RANDOM);
            boolean unused = new Waiter().await(LASTS);
        } finally {
            fault.end().run(world, RANDOM);
        }
        System.err.println(
                fault + ": traffic after " + world.awaitTraffic(RECOVERY).toMillis() + " ms");
    }

    @Test
    @Order(2)
    void lostNothingByAnyOfThem() {
        world.requireBounded();
        world.quiet();
        world.requireEqual();
        assertThat(world.changes()).isPositive();
        assertThat(world.killedElsewhere)
                .as("processes that did not get to the step at which they were to die")
                .hasValue(0);
        assertThat(world.processes.ended()).as("what ended by itself").isEmpty();
    }

    @Test
    @Order(3)
    void declaresADeletedQueueAnewAndGetsWhatItHeldByTheDiffPipe() throws Exception {
        world.processes.start(Role.MASTER);
        world.processes.kill(Role.WORKER_1);
        world.processes.kill(Role.WORKER_2);
        world.awaitWaiting(World.SETS, 100);
        world.deleteQueue();
        world.processes.start(Role.WORKER_1);
        world.processes.start(Role.WORKER_2);
        System.err.println(
                "queue deleted: traffic after " + world.awaitTraffic(RECOVERY).toMillis() + " ms");
        world.deleteQueue();
        System.err.println("queue deleted under its workers: traffic after "
                + world.awaitTraffic(RECOVERY).toMillis() + " ms");
        world.quiet();
        world.repair();
        world.quiet();
        world.requireEqual();
    }
}
