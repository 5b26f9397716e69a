package io.cqrs.it.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cqrs.it.support.TestProcess;
import io.cqrs.tools.servers.Servers;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers for tests and the demo. */
@Timeout(180)
class ServersIT {

    @Test
    void sweepsWhatAKilledRunLeftAndLeavesAlone() throws Exception {
        try (TestProcess living = TestProcess.main(KilledRun.class).start();
                TestProcess killed = TestProcess.main(KilledRun.class).start()) {
            String left = url(killed);
            String kept = url(living);
            assumeTrue(killed.output().contains("private PostgreSQL"), "only private servers are swept");
            killed.close();
            assertThat(answers(left)).as("the server outlives its killed run").isTrue();
            try (Servers next = Servers.forTests()) {
                assertThat(next.database().createDatabase("next")).isNotEmpty();
                await().until(() -> !answers(left));
                assertThat(answers(kept)).as("the server of a run that lives").isTrue();
            }
        }
        try (Servers sweeping = Servers.forTests()) {
            assertThat(sweeping.database().description()).isNotEmpty();
        }
    }

    @Test
    void stopsWhatItStartedAndDropsWhatItMade() throws Exception {
        String url;
        try (Servers servers = Servers.forTests()) {
            url = servers.database().createDatabase("gone");
            assertThat(answers(url)).isTrue();
            assertThat(servers.database()).isSameAs(servers.database());
            assertThat(servers.describe()).contains("PostgreSQL");
        }
        assertThat(answers(url)).isFalse();
    }

    private static String url(TestProcess run) {
        await().atMost(Duration.ofSeconds(60)).until(() -> run.output().contains("url="));
        return run.output().replaceAll("(?s).*url=(\\S+).*", "$1");
    }

    private static boolean answers(String url) {
        try {
            DriverManager.getConnection(url).close();
            return true;
        } catch (SQLException e) {
            return false;
        }
    }
}
