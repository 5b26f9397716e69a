package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.it.support.TestEnvironment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that builds the command line before it runs it. */
class LauncherIT {

    @TempDir
    private Path directory;

    @Test
    void leavesTheWayFreeWhereItsBuildIsEndedByASignal() throws Exception {
        Path script = Files.copy(TestEnvironment.root().resolve("cqrs"), directory.resolve("cqrs"));
        Files.createFile(directory.resolve("pom.xml"));
        Path builder = directory.resolve("builder");
        Path build = directory.resolve("mvnw");
        Files.writeString(build, "#!/bin/sh\necho $$ > " + builder + "\nexec sleep 600\n");
        assertThat(build.toFile().setExecutable(true)).isTrue();
        Process run = new ProcessBuilder("sh", script.toString(), "--version")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
        await().atMost(Duration.ofSeconds(30)).until(() -> Files.exists(builder) && Files.size(builder) > 1);
        assertThat(directory.resolve(".cqrs-building")).exists();
        // As a terminal does it: all of them hear of it.
        assertThat(run.toHandle().destroy()).isTrue();
        assertThat(ProcessHandle.of(Long.parseLong(Files.readString(builder).strip()))
                        .orElseThrow()
                        .destroy())
                .isTrue();
        assertThat(run.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(run.exitValue()).isEqualTo(143);
        assertThat(directory.resolve(".cqrs-building")).doesNotExist();
    }
}
