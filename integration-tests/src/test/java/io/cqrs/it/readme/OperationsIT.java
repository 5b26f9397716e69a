package io.cqrs.it.readme;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What docs/operations.md shows is run here, in its order. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class OperationsIT {

    private static final String COLUMNS =
            "cqrs_revision bigint not null default 0, cqrs_updated timestamptz not null" + " default now())";

    @TempDir
    Path directory;

    @Test
    void showsNoCommandThatDoesNotRun() throws Exception {
        TestDatabase master = TestEnvironment.database("operations_master");
        TestDatabase replica = TestEnvironment.database("operations_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
        master.execute("create table product (id bigint primary key, sku text, price numeric, " + COLUMNS);
        master.execute("insert into product select i, 'sku' || i, i from generate_series(1, 20) i");
        TriggerCapture.of(master.dataSource())
                .install(MasterTable.of(CqrsId.of("product"), TableName.parse("product")));
        replica.execute("create table product_ref (id bigint primary key, code text, price numeric, " + COLUMNS);
        String name = "operations_" + System.nanoTime();
        String broker = TestEnvironment.broker().url();
        Files.writeString(directory.resolve("catalogue.yaml"), """
                transport: { url: "%s", exchange: %s }
                database: { url: "%s" }
                masters: { product: { table: product } }
                """.formatted(broker, name, master.url()));
        Files.writeString(directory.resolve("storefront.yaml"), """
                transport: { url: "%s", exchange: %s }
                database: { url: "%s" }
                queue: %s
                replicas: { product: { table: product_ref, mapping: { sku: code } } }
                """.formatted(broker, name, replica.url(), name));
        Files.writeString(directory.resolve("V7__sku.sql"), "alter table product alter sku type varchar(200)");
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("product")));
        try (RabbitTransport transport =
                RabbitTransport.of(RabbitConfig.builder(broker).exchange(name).build())) {
            transport.declare(queue);
            try {
                for (String command : commands()) {
                    run(command);
                }
            } finally {
                transport.decommission(queue);
            }
        }
        assertThat(replica.rows("select id, code, price, cqrs_revision, cqrs_updated from product_ref order by id"))
                .isEqualTo(master.rows("select id, sku, price, cqrs_revision, cqrs_updated from product order by id"));
        assertThat(master.count("cqrs.outbox")).as("what `cqrs sync` sent").isEqualTo(20);
    }

    private void run(String command) throws Exception {
        String here = command.replaceAll("(docker compose exec -T \\S+|kubectl exec -i \\S+ --) cqrs ", "./cqrs ")
                .replace("./cqrs ", TestEnvironment.root().resolve("cqrs") + " ");
        try (TestProcess process = TestProcess.of("bash", "-o", "pipefail", "-c", "cd " + directory + "; " + here)
                .start()) {
            assertThat(process.awaitExit())
                    .as(command + "\n" + process.output())
                    .isZero();
        }
    }

    private static List<String> commands() throws Exception {
        Matcher matcher = Pattern.compile("```sh\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(TestEnvironment.root().resolve("docs/operations.md")));
        List<String> commands = new ArrayList<>();
        while (matcher.find()) {
            commands.addAll(matcher.group(1).lines().toList());
        }
        assertThat(commands).hasSizeGreaterThan(10);
        return commands;
    }
}
