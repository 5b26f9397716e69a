package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Pipes of real processes, between real databases. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class PipesIT {

    private static final String ROWS = "select * from %s order by id";
    private static final String COLUMNS = "(id bigint primary key, name text, price numeric, cqrs_revision bigint not"
            + " null default 0, cqrs_updated timestamptz not null default '2026-01-01Z')";

    @TempDir
    Path directory;

    private TestDatabase master;
    private TestDatabase replica;
    private String queue;
    private Path catalogue;
    private Path storefront;

    @BeforeEach
    void create() throws IOException {
        master = TestEnvironment.database("pipe_master");
        replica = TestEnvironment.database("pipe_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
        master.execute("create table item " + COLUMNS);
        master.execute("insert into item select i, 'name ' || i, i / 7.0 from generate_series(1, 20000) i");
        replica.execute("create table ref " + COLUMNS);
        queue = "pipes_" + System.nanoTime();
        catalogue = Files.writeString(directory.resolve("catalogue.yaml"), """
                transport: { url: "%s", exchange: %s }
                database: { url: "%s" }
                masters: { item: { table: item } }
                """.formatted(
                        TestEnvironment.broker().url(), queue, master.url()));
        storefront = Files.writeString(directory.resolve("storefront.yaml"), """
                transport: { url: "%s", exchange: %s }
                database: { url: "%s" }
                queue: %s
                replicas: { item: { table: ref } }
                """.formatted(
                        TestEnvironment.broker().url(), queue, replica.url(), queue));
    }

    @AfterEach
    void clean() throws Exception {
        try (RabbitTransport transport =
                RabbitTransport.connect(TestEnvironment.broker().url())) {
            transport.decommission(ReplicaQueue.of(queue, Set.of(CqrsId.of("item"))));
        }
    }

    @Test
    void fillsComparesAndMends() throws Exception {
        assertThat(pipe(onMaster("bulk-dump -c item -o -"), onReplica("bulk-load -i -")))
                .as("dump and load")
                .isEqualTo(0);
        assertThat(replica.rows(ROWS.formatted("ref"))).isEqualTo(master.rows(ROWS.formatted("item")));
        assertThat(checksums("--check")).isZero();
        replica.execute(
                "delete from ref where id in (7, 20000); update ref set name = 'x' where id = 8;"
                        + " update ref set cqrs_updated = '2025-01-01Z' where id = 9; insert into ref values (-1, 'only here')");
        assertThat(checksums("--check")).isEqualTo(10);
        assertThat(checksums("--check --json")).isEqualTo(10);
        try (TestProcess relay = TestProcess.cqrs("relay", "--config", catalogue.toString())
                        .start();
                TestProcess worker = TestProcess.cqrs("consume", "--config", storefront.toString())
                        .start()) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> worker.output().contains("connected")
                            && relay.output().contains("active"));
            assertThat(checksums("")).isZero();
            awaitEqual();
            replica.execute("delete from ref where id in (17, 18); insert into ref values (-2, 'only here')");
            assertThat(pipe(
                            onMaster("cqrs_diff_master -cid item -b 1000"),
                            onReplica("cqrs_diff_replica"),
                            onMaster("cqrs_diff_sync")))
                    .isZero();
            assertThat(pipe(
                            onReplica("cqrs_deleted_diff_replica -cid item"),
                            onMaster("cqrs_deleted_diff_master"),
                            onReplica("cqrs_deleted_sync_replica")))
                    .isZero();
            awaitEqual();
            assertThat(checksums("--check")).isZero();
        }
    }

    @Test
    void failsAsAWholeWhereAStageIsKilled() throws Exception {
        // A job in the background reads nothing unless it is told to.
        String second = "( exec 3<&0; " + onReplica("diff-replica --wait PT1H") + " <&3 & echo $! > " + directory
                + "/pid; wait $! )";
        String script =
                String.join(" | ", onMaster("diff-master -c item --checksum -b 100"), second, onMaster("diff-sync"));
        try (TestProcess pipe = bash(script).start()) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> Files.exists(directory.resolve("pid"))
                            && !replica.rows("select 1 from pg_stat_activity where datname = current_database() and"
                                            + " query like '%array_agg%' and pid <> pg_backend_pid()")
                                    .isEmpty());
            long pid = Long.parseLong(Files.readString(directory.resolve("pid")).strip());
            assertThat(ProcessHandle.of(pid).orElseThrow().destroyForcibly()).isTrue();
            assertThat(pipe.awaitExit()).isNotZero();
            assertThat(pipe.output())
                    .containsPattern("(the end is missing after line 1|line \\d+ is cut short)")
                    .doesNotContain("\tat ");
        }
        assertThat(master.count("cqrs.outbox")).isZero();
    }

    @Test
    void saysThatNobodyReadsWithoutAStackTrace() throws Exception {
        try (TestProcess pipe =
                bash(onMaster("bulk-dump -c item -o -") + " | head -c 100").start()) {
            assertThat(pipe.awaitExit()).isOne();
            assertThat(pipe.output())
                    .contains("item\n{\"id\":1,")
                    .contains("cqrs: nobody reads what is written any more")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void watchesNoLongerThanSomebodyReads() throws Exception {
        try (TestProcess pipe =
                bash(onMaster("status --watch 1") + " | head -1").start()) {
            assertThat(pipe.awaitExit()).isOne();
            assertThat(pipe.output()).contains("outbox   0 waiting").contains("nobody reads");
        }
    }

    @Test
    void removesNothingByADumpThatIsCut() throws Exception {
        assertThat(pipe(onMaster("bulk-dump -c item -o " + directory + "/item.dump")))
                .isZero();
        replica.execute("insert into ref values (-1, 'only here')");
        for (int lines : new int[] {2, 15000}) {
            try (TestProcess cut = bash("head -n " + lines + " " + directory + "/item.dump | "
                            + onReplica("bulk-load -i - --clear"))
                    .start()) {
                assertThat(cut.awaitExit()).isOne();
                assertThat(cut.output()).contains("nothing was removed").doesNotContain("\tat ");
            }
        }
        assertThat(replica.rows("select id from ref")).containsExactly("-1");
    }

    private int checksums(String last) throws Exception {
        return pipe(
                onMaster("diff-master -c item --checksum -b 1000"),
                onReplica("diff-replica --wait PT0.1S"),
                onMaster("diff-sync " + last));
    }

    private void awaitEqual() {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> replica.rows(ROWS.formatted("ref")).equals(master.rows(ROWS.formatted("item"))));
    }

    private static int pipe(String... stages) throws Exception {
        try (TestProcess pipe =
                bash(Stream.of(stages).collect(Collectors.joining(" | "))).start()) {
            int code = pipe.awaitExit();
            assertThat(pipe.output()).doesNotContain("\tat ");
            assertThat(code).as(pipe.output()).isIn(0, 10);
            return code;
        }
    }

    private static TestProcess bash(String script) {
        return TestProcess.of("bash", "-o", "pipefail", "-c", script);
    }

    private String onMaster(String command) {
        return cqrs(command, catalogue);
    }

    private String onReplica(String command) {
        return cqrs(command, storefront);
    }

    private static String cqrs(String command, Path config) {
        return TestProcess.launcher() + " " + command + " --config " + config;
    }
}
