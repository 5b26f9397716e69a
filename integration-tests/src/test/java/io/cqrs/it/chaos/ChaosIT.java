package io.cqrs.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.it.support.TestEnvironment;
import io.cqrs.transport.Wire;
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

    private static final int SECONDS = Integer.getInteger("cqrs.chaos.seconds", 60);
    private static final int ROUNDS = Integer.getInteger("cqrs.chaos.rounds", 1);

    @TempDir
    Path directory;

    @Test
    void losesNothingWhateverFails() throws Exception {
        long seed = Long.getLong("cqrs.chaos.seed", System.nanoTime());
        Map<String, Integer> faults = new TreeMap<>();
        int overlapping = 0;
        try (World world = World.open(seed, seed % 2 == 0 ? Wire.SINGLE : Wire.BATCH, directory)) {
            for (int round = 0; round < ROUNDS; round++) {
                System.err.println(
                        "chaos: round " + round + " of seed " + seed + " (again: -Dcqrs.chaos.seed=" + seed + ")");
                Schedule schedule = new Schedule(world, seed + round);
                schedule.run(Duration.ofSeconds(SECONDS));
                System.err.println("chaos: traffic after "
                        + world.awaitTraffic(Duration.ofSeconds(60)).toMillis() + " ms");
                world.requireBounded();
                world.quiet();
                world.requireEqual();
                schedule.counts().forEach((kind, count) -> faults.merge(kind, count, Integer::sum));
                overlapping += schedule.overlapping();
                System.err.println("chaos: " + world.changes() + " changes, "
                        + faults.values().stream().mapToInt(Integer::intValue).sum() + " faults, " + overlapping
                        + " of them while another went on, equal in the end: " + faults);
                world.processes.start(Role.MASTER);
            }
        }
        assertThat(faults).isNotEmpty();
    }
}
