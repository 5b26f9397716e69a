package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.master.LeanMaster;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.UnroutablePolicy;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Memory stays bounded whatever a table's size. */
@ExtendWith(TestEnvironment.class)
@Timeout(900)
class ScaleIT {

    private static final String COLUMNS = "(id bigint primary key, name text, description text, price numeric(12, 2),"
            + " amount int, active boolean, made date, seen timestamptz, cqrs_revision bigint not null, cqrs_updated"
            + " timestamptz not null)";

    @TempDir
    Path directory;

    @Test
    @Tag("large")
    void handlesAMillionRowsInLittleMemory() throws Exception {
        handles(1_000_000, "128m");
    }

    @Test
    void handlesManyRowsInLessMemory() throws Exception {
        handles(60_000, "40m");
    }

    @Test
    void writesAndSyncsManyEntitiesInLittleMemory() throws Exception {
        int rows = 50_000;
        TestDatabase master = TestEnvironment.database("scale_entities");
        CqrsSchema.standard().migrate(master.dataSource());
        try (TestProcess process = TestProcess.main(LeanMaster.class, master.url(), Integer.toString(rows))
                .with("JAVA_TOOL_OPTIONS", "-Xmx64m")
                .start()) {
            assertThat(process.awaitExit()).as(process.output()).isZero();
            for (String done : List.of("inserted ", "updated ", "sent ", "deleted ")) {
                assertThat(process.output()).contains(done + rows);
            }
        }
    }

    @Test
    void relaysLargeMessagesInLittleMemory() throws Exception {
        relays(60, "repeat('x', 4000000)", Wire.SINGLE);
    }

    @Test
    @Tag("large")
    void relaysFiveMillionMessagesInLittleMemory() throws Exception {
        relays(5_000_000, "i::text", Wire.BATCH);
    }

    private void relays(int rows, String body, Wire wire) throws Exception {
        TestDatabase master = TestEnvironment.database("scale_relay");
        CqrsSchema.standard().migrate(master.dataSource());
        master.execute("insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body)"
                + " select 'item', i::text, 'item', " + body + " from generate_series(1, " + rows + ") i");
        String name = "scale_relay_" + System.nanoTime();
        Path config = Files.writeString(
                directory.resolve("relay.yaml"),
                "transport: { url: \"%s\", exchange: %s, wire: %s }\ndatabase: { url: \"%s\" }\n"
                        .formatted(
                                TestEnvironment.broker().url(),
                                name,
                                wire.name().toLowerCase(Locale.ROOT),
                                master.url()));
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item")));
        String java = TestProcess.java();
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(TestEnvironment.broker().url())
                                .exchange(name)
                                .build());
                TestProcess relay = TestProcess.of(
                                java,
                                "-Xmx96m",
                                "-jar",
                                TestProcess.jar().toString(),
                                "relay",
                                "--config",
                                config.toString())
                        .start()) {
            transport.declare(queue);
            await().atMost(Duration.ofMinutes(10))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> master.count("(select from cqrs.outbox limit 1) first") == 0 || !relay.isAlive());
            assertThat(relay.isAlive()).as(relay.output()).isTrue();
            assertThat(relay.output()).doesNotContain("OutOfMemory");
            transport.decommission(queue);
        }
    }

    private void handles(int rows, String heap) throws Exception {
        TestDatabase master = TestEnvironment.database("scale_master");
        TestDatabase replica = TestEnvironment.database("scale_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
        master.execute("create table item " + COLUMNS);
        replica.execute("create table item " + COLUMNS);
        master.execute(
                "insert into item select i, 'name of ' || i, 'a description of some length, number ' || i, i / 7.0,"
                        + " i % 100, i % 2 = 0, date '2024-01-01' + (i % 300)::int, now(), i % 5, now()"
                        + " from generate_series(1, " + rows + ") i");
        String name = "scale_" + System.nanoTime();
        String broker = TestEnvironment.broker().url();
        String common = "transport: { url: \"%s\", exchange: %s }\ndatabase: { url: \"%s\" }\n";
        Files.writeString(
                directory.resolve("master.yaml"),
                common.formatted(broker, name, master.url()) + "masters: { item: { table: item } }\n");
        Files.writeString(
                directory.resolve("replica.yaml"),
                common.formatted(broker, name, replica.url()) + "queue: " + name
                        + "\nreplicas: { item: { table: item } }\n");
        String cqrs = TestProcess.java() + " -Xmx" + heap + " -XX:+UseSerialGC -jar " + TestProcess.jar() + " ";
        run(cqrs + "bulk-dump -c item -o item.dump --config master.yaml");
        run(cqrs + "bulk-load -i item.dump --config replica.yaml");
        assertThat(replica.count("item")).isEqualTo(rows);
        String rest = " --config master.yaml | " + cqrs + "diff-replica --wait PT0S --config replica.yaml | " + cqrs
                + "diff-sync --check --config master.yaml";
        run(cqrs + "diff-master -c item" + rest);
        run(cqrs + "diff-master -c item --checksum" + rest);
        replica.execute("truncate item");
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(broker).exchange(name).build());
                CqrsRelay relay = CqrsRelay.builder(master.dataSource())
                        .transport(transport)
                        .unroutable(UnroutablePolicy.DROP)
                        .build()) {
            relay.start();
            run(cqrs + "diff-master -c item --checksum" + rest.replace("--check ", ""));
            run(cqrs + "sync -c item -f {} --config master.yaml");
        }
        assertThat(master.rows("select missing, sent from cqrs.last_diff")).containsExactly(rows + "|" + rows);
    }

    private void run(String command) throws Exception {
        TestProcess.runPipe(directory, command);
    }
}
