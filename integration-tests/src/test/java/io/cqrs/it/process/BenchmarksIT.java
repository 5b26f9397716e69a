package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The harness measures and reports; what it measures is for people to judge. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class BenchmarksIT {

    @Test
    void comparesAMeasureWithItsFloorAndSaysUnderWhichConditions(@TempDir Path directory) throws Exception {
        TestEnvironment.broker();
        Path json = directory.resolve("measures.ndjson");
        try (TestProcess run = TestProcess.of(
                        "benchmarks/run",
                        "apply-1",
                        "--rows",
                        "1000",
                        "--rounds",
                        "1",
                        "--warm-up",
                        "1",
                        "--json",
                        json.toString())
                .start()) {
            assertThat(run.awaitExit()).as(run.output()).isZero();
            assertThat(run.output())
                    .contains("servers: ", "floor", "ratio", "prefetch 1000", "fsync on")
                    .doesNotContain("not asked for");
        }
        List<String> lines = Files.readAllLines(json);
        assertThat(lines).hasSize(1);
        JsonNode line = new JsonMapper().readTree(lines.get(0));
        assertThat(line.get("measure").asText()).isEqualTo("apply-1");
        assertThat(line.get("rounds").asInt()).isEqualTo(1);
        assertThat(line.get("value").asDouble()).isPositive();
        assertThat(line.get("ratio").asDouble())
                .isEqualTo(line.get("value").asDouble() / line.get("floor").asDouble());
    }

    @Test
    void refusesAMeasureThatThereIsNot() throws Exception {
        try (TestProcess run = TestProcess.of("benchmarks/run", "speed").start()) {
            assertThat(run.awaitExit()).isEqualTo(2);
            assertThat(run.output()).contains("apply-1, apply-2");
        }
    }
}
