package io.cqrs.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.it.support.TestEnvironment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
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

/**
 * One fault after the other: traffic flows again by itself, soon, and in the end nothing is lost. Eight kinds by chance,
 * or {@code -Dcqrs.chaos.only} those with this text in their name, all with an empty one.
 */
@ExtendWith(TestEnvironment.class)
@Tag("chaos")
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultsIT {

    private static final int KINDS = 8;
    private static final Duration RECOVERY = Duration.ofSeconds(15);
    private static final Duration LASTS = Duration.ofSeconds(1);

    @TempDir
    static Path directory;

    private static final long SEED = Long.getLong("cqrs.chaos.seed", System.nanoTime());
    private static final Random RANDOM = new Random(SEED);
    private static final Set<String> BEGUN = new HashSet<>();
    private static World world;

    @BeforeAll
    static void start() throws Exception {
        world = World.open(SEED, directory);
    }

    @AfterAll
    static void stop() throws Exception {
        if (world != null) {
            world.close();
        }
    }

    /** Of different kinds, where others are not asked for. */
    static List<Fault> faults() {
        List<Fault> all = new ArrayList<>(Faults.all());
        String only = System.getProperty("cqrs.chaos.only");
        if (only != null) {
            return all.stream().filter(fault -> fault.toString().contains(only)).toList();
        }
        System.err.println("chaos: faults of seed " + SEED + " (again: -Dcqrs.chaos.seed=" + SEED + ")");
        Collections.shuffle(all, RANDOM);
        Set<String> kinds = new HashSet<>();
        return all.stream()
                .filter(fault -> kinds.add(fault.kind()))
                .limit(KINDS)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("faults")
    @Order(1)
    void letsTrafficFlowAgainByItselfAfter(Fault fault) throws Exception {
        BEGUN.add(fault.kind());
        try {
            fault.begin().run(world, RANDOM);
            boolean unused = new Waiter().await(LASTS);
        } finally {
            fault.end().run(world, RANDOM);
            // How long a JVM takes to start is the machine's affair.
            world.processes.awaitRunning(Duration.ofSeconds(60));
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
        assertThat(world.ledByTwo.get() > 0).as("two relays led at once").isEqualTo(BEGUN.contains("two-relays-lead"));
    }
}
