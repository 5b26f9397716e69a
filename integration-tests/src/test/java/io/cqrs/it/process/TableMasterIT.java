package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.it.support.ApplicationJar;
import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A master and a replica that are tables and nothing else: no Java in either service. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class TableMasterIT {

    private static final String MASTER_ROWS =
            "select id, sku, price, cqrs_revision, cqrs_updated from product where active order by id";
    private static final String REPLICA_ROWS =
            "select id, code, price, cqrs_revision, cqrs_updated from product_ref order by id";

    @TempDir
    Path directory;

    private TestDatabase master;
    private Path config;

    @BeforeEach
    void create() throws IOException {
        master = TestEnvironment.database("table_master");
        master.execute(
                "create table product (id bigint primary key, sku text, price numeric, secret text, active boolean"
                        + " not null default true)");
        config = Files.writeString(directory.resolve("catalogue.yaml"), """
                database: { url: "%s" }
                masters:
                  product:
                    table: public.product
                    fields: [id, sku, price, active]
                    tracked: [price]
                    filter: active
                    when_excluded: delete
                """.formatted(master.url()));
    }

    @Test
    void keepsWhatNoQueueIsBoundForUnlessToldToDropIt() throws Exception {
        run("migrate", "--config", config.toString());
        master.execute("insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('product', '1',"
                + " 'product', '{}')");
        String held = "cqrs.outbox where cqrs_id = 'product'";
        try (TestProcess relay = relay("hold")) {
            await().atMost(Duration.ofSeconds(60)).until(() -> relay.output().contains("routing key product is held"));
            assertThat(master.count(held)).isOne();
        }
        try (TestProcess relay = relay("drop")) {
            await().atMost(Duration.ofSeconds(60)).until(() -> master.count(held) == 0);
            assertThat(relay.isAlive()).as(relay.output()).isTrue();
        }
    }

    private TestProcess relay(String unroutable) {
        return TestProcess.cqrs("relay", "--config", config.toString())
                .with("CQRS_TRANSPORT_URL", TestEnvironment.broker().url())
                .with("CQRS_TRANSPORT_EXCHANGE", "unbound_" + System.nanoTime())
                .with("CQRS_TRANSPORT_UNROUTABLE", unroutable)
                .start();
    }

    @Test
    void keepsAReplicaOfATableCurrentWithoutAnyJava() throws Exception {
        String broker = TestEnvironment.broker().url();
        TestDatabase replica = TestEnvironment.database("table_replica");
        replica.execute("create table product_ref (id bigint primary key, code text, price numeric, active boolean,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        String name = "tables_" + System.nanoTime();
        Path storefront = Files.writeString(directory.resolve("storefront.yaml"), """
                database: { url: "%s" }
                queue: %s
                replicas: { product: { table: product_ref, mapping: { sku: code } } }
                """.formatted(replica.url(), name));
        assertThat(cqrs("migrate", "--table", "public.product").err()).contains("table public.product: columns added");
        assertThat(cqrs("migrate", "--entity", "product").err()).contains("table public.product has its columns");
        run("migrate", "--config", storefront.toString());
        assertThat(cqrs("capture", "status", "--check").code()).isEqualTo(10);
        assertThat(cqrs("capture", "install").err()).contains("product: triggers installed on public.product");
        CommandRun status = cqrs("capture", "status", "--check");
        assertThat(status.code()).isZero();
        assertThat(status.out()).isEqualTo("product\t\"public\".\"product\"\tinstalled\n");
        try (TestProcess relay = TestProcess.cqrs("relay", "--config", config.toString())
                        .with("CQRS_TRANSPORT_URL", broker)
                        .with("CQRS_TRANSPORT_EXCHANGE", name)
                        .start();
                TestProcess worker = TestProcess.cqrs("consume", "-w", "2", "--config", storefront.toString())
                        .with("CQRS_TRANSPORT_URL", broker)
                        .with("CQRS_TRANSPORT_EXCHANGE", name)
                        .start()) {
            master.execute(
                    "insert into product select i, 's' || i, i * 1.5, 'x', i % 10 > 0 from generate_series(1, 3000) i");
            master.execute("update product set price = price + 1 where id % 3 = 0");
            master.execute("delete from product where id % 7 = 0");
            master.execute("update product set active = not active where id % 100 < 20");
            await().atMost(Duration.ofSeconds(90))
                    .until(() -> master.count("cqrs.outbox") == 0
                            && replica.rows(REPLICA_ROWS).equals(master.rows(MASTER_ROWS)));
            replica.execute("update product_ref set price = 0; delete from product_ref where id < 50;"
                    + " delete from cqrs.tombstone");
            assertWrongFilter("sync", config);
            assertWrongFilter("diff-master", config);
            assertWrongFilter("deleted-diff-replica", storefront);
            CommandRun sync = cqrs("sync", "-c", "product", "-f", "{}", "-q", name, "-b", "500", "-p");
            assertThat(sync.err())
                    .contains(master.count("product where active") + " sent")
                    .contains("product: 500 sent, 0 skipped, up to key");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> replica.rows(REPLICA_ROWS).equals(master.rows(MASTER_ROWS)));
            assertThat(relay.isAlive()).as(relay.output()).isTrue();
            assertThat(worker.isAlive()).as(worker.output()).isTrue();
        } finally {
            try (RabbitTransport cleaning = RabbitTransport.of(
                    RabbitConfig.builder(broker).exchange(name).build())) {
                cleaning.decommission(ReplicaQueue.of(name, Set.of(CqrsId.of("product"))));
            }
        }
        assertThat(cqrs("capture", "uninstall").err()).contains("product: triggers removed");
        assertThat(cqrs("capture", "uninstall", "-c", "product").err()).contains("product: no triggers were installed");
    }

    @Test
    void printsTheStatementForATableInsteadOfRunningIt() {
        CommandRun run = cqrs("migrate", "--table", "public.product", "--dry-run");
        assertThat(run.out())
                .isEqualTo("alter table \"public\".\"product\" add column if not exists cqrs_revision bigint not null"
                        + " default 0, add column if not exists cqrs_updated timestamptz not null default now();\n");
        assertThat(master.rows("select count(*) from pg_namespace where nspname = 'cqrs'"))
                .containsExactly("0");
    }

    @Test
    void capturesAndSyncsTheMastersOfAnApplication() {
        TestDatabase shop = TestEnvironment.database("shop_triggers");
        shop.execute("create table product (id bigint primary key, sku text, price numeric(9,2), stock int)");
        String[] app = {"--app", TestProcess.shop().toString(), "--database-url", shop.url()};
        assertThat(run("migrate", "--entity", "product", app[0], app[1], app[2], app[3])
                        .err())
                .contains("product: columns added");
        assertThat(run("capture", "install", app[0], app[1], app[2], app[3]).err())
                .contains("product: triggers installed");
        shop.execute("insert into product (id, sku, price, stock) values (1, 'a', 1, 1), (2, 'b', 2, 2)");
        assertThat(shop.count("cqrs.outbox")).isEqualTo(2);
        assertThat(run("sync", "-c", "product", "-f", "{\"price__gt\": 1.5}", app[0], app[1], app[2], app[3])
                        .err())
                .contains("product: 1 sent");
        assertThat(run("sync", "-c", "product", "-f", "{}", "--after", "1", app[0], app[1], app[2], app[3])
                        .err())
                .contains("product: 1 sent");
        assertThat(shop.count("cqrs.outbox")).isEqualTo(4);
    }

    @Test
    void readsAnExecutableJarWithThePropertiesOfItsPersistenceUnit() throws Exception {
        TestDatabase orders = TestEnvironment.database("executable_jar");
        orders.execute("create table line_item (line_item_id bigint primary key, unit_price numeric(9,2));"
                + " insert into line_item values (1, 9.99), (2, 8.88)");
        Path jar = directory.resolve("orders.jar");
        ApplicationJar.write(jar, "BOOT-INF/classes/", LineItem.class);
        Path file = Files.writeString(directory.resolve("orders.yaml"), """
                database: { url: "%s" }
                properties:
                  hibernate.physical_naming_strategy: org.hibernate.boot.model.naming.CamelCaseToUnderscoresNamingStrategy
                """.formatted(orders.url()));
        for (String[] command : new String[][] {
            {"migrate", "--entity", "line_item"},
            {"sync", "-c", "line_item", "-f", "{\"unit_price__gt\": 9}"},
            {"capture", "install"}
        }) {
            String unused = runApp(0, jar, file, command);
        }
        orders.execute("update line_item set unit_price = 7.77 where line_item_id = 2");
        assertThat(orders.rows("select instance_pk, body::json -> 'instance_data' ->> 'unit_price' from cqrs.outbox"
                        + " order by instance_pk"))
                .containsExactly("1|9.99", "2|7.77");
    }

    @Test
    void tellsTheStatusOfThoseMastersOfAnApplicationThatTriggersCanCapture() throws Exception {
        TestDatabase orders = TestEnvironment.database("mixed_jar");
        orders.execute("create table line_item (line_item_id bigint primary key, unit_price numeric(9,2))");
        Path jar = directory.resolve("mixed.jar");
        ApplicationJar.write(jar, LineItem.class, Bundle.class);
        Path file = Files.writeString(directory.resolve("mixed.yaml"), """
                database: { url: "%s" }
                properties:
                  hibernate.physical_naming_strategy: org.hibernate.boot.model.naming.CamelCaseToUnderscoresNamingStrategy
                """.formatted(orders.url()));
        String left = "Bundle can't be captured by triggers as it is: it has an isSyncInstance of its own";
        assertThat(runApp(0, jar, file, "migrate", "--entity", "line_item")).contains("columns added");
        assertThat(runApp(3, jar, file, "capture", "install")).contains(left);
        assertThat(runApp(0, jar, file, "capture", "install", "-c", "line_item"))
                .contains("triggers installed");
        assertThat(runApp(0, jar, file, "capture", "status", "--check"))
                .contains("line_item\t\"public\".\"line_item\"\tinstalled", left);
        assertThat(runApp(3, jar, file, "capture", "status", "-c", "bundle")).contains(left);
        // Its triggers are from before it had what they can't know.
        orders.execute("create table bundle (id bigint primary key)");
        Path before = Files.writeString(directory.resolve("before.yaml"), """
                database: { url: "%s" }
                masters: { bundle: { table: bundle } }
                """.formatted(orders.url()));
        run("migrate", "--table", "bundle", "--config", before.toString());
        run("capture", "install", "--config", before.toString());
        assertThat(runApp(10, jar, file, "capture", "status", "--check"))
                .contains("bundle: its triggers send what only Hibernate can capture");
    }

    /** Runs a command in a JVM of its own, since only that has the application's classes from its jar. */
    private static String runApp(int code, Path jar, Path config, String... command) throws Exception {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(List.of("--app", jar.toString(), "--config", config.toString()));
        try (TestProcess run = TestProcess.cqrs(all.toArray(String[]::new)).start()) {
            assertThat(run.awaitExit()).as(run.output()).isEqualTo(code);
            return run.output();
        }
    }

    private static void assertWrongFilter(String command, Path config) {
        CommandRun wrong = CommandRun.of(
                command, "-c", "product", "-f", "{\"price__gt\": \"cheap\"}", "--config", config.toString());
        assertThat(wrong.code()).as(wrong.err()).isEqualTo(3);
        assertThat(wrong.err())
                .contains("Bad filter kwargs! A value does not fit its field")
                .contains("cheap");
    }

    private CommandRun cqrs(String... arguments) {
        String[] all = Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "--config";
        all[arguments.length + 1] = config.toString();
        return run(all);
    }

    private static CommandRun run(String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertThat(run.code()).as(run.err()).isIn(0, 10);
        return run;
    }
}
