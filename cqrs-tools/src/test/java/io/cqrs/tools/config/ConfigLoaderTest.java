package io.cqrs.tools.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.master.MasterTable;
import io.cqrs.master.WhenExcluded;
import io.cqrs.replica.Order;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {

    @TempDir
    Path directory;

    @Test
    void letsVariablesOverrideTheFileAndOptionsOverrideBoth() throws IOException {
        Path file = file("transport: { url: 'amqp://file', exchange: file }\nqueue: file\nworkers: 1\n");
        ConfigLoader loader = new ConfigLoader(Map.of("CQRS_QUEUE", "variable", "CQRS_WORKERS", "2"));
        CqrsConfig config = loader.load(file, Map.of("workers", "3"));
        assertThat(config.exchange()).isEqualTo("file");
        assertThat(config.queue()).isEqualTo("variable");
        assertThat(config.workers().settings()).containsEntry("workers", "3");
    }

    @Test
    void putsVariablesIntoTheFileWithTheirDefaults() throws IOException {
        Path file = file("database: { url: '${URL:-jdbc:postgresql://h/d}', user: '${NAME}', password: \"${PW}\" }\n");
        CqrsConfig config = new ConfigLoader(Map.of("NAME", "shop", "PW", "a$1\\b\n\"queue: x")).load(file, Map.of());
        assertThat(config.databaseUrl()).isEqualTo("jdbc:postgresql://h/d");
        assertThat(config.databaseUser()).isEqualTo("shop");
        assertThat(config.databasePassword()).isEqualTo("a$1\\b\n\"queue: x");
        assertThat(config.queue()).isNull();
        assertThat(config.toString()).doesNotContain("a$1");
    }

    @Test
    void readsMastersOfTables() throws IOException {
        Path file = file("""
                masters:
                  product:
                    table: shop.product
                    key: [a, b]
                    fields: { a: a, b: b, unit_price: price }
                    tracked: unit_price
                    filter: active
                    when_excluded: delete
                    on_truncate: refuse
                    expiry: PT1H
                    revision: version
                    updated: changed
                  plain: { table: plain, fields: [id, name] }
                """);
        var masters = new ConfigLoader(Map.of()).load(file, Map.of()).masters();
        MasterTable product = masters.get(0);
        assertThat(product.table().toString()).isEqualTo("shop.product");
        assertThat(product.key()).containsExactly("a", "b");
        assertThat(product.fields())
                .containsExactly(Map.entry("a", "a"), Map.entry("b", "b"), Map.entry("unit_price", "price"));
        assertThat(product.tracked()).containsExactly("unit_price");
        assertThat(product.filter()).isEqualTo("active");
        assertThat(product.whenExcluded()).isEqualTo(WhenExcluded.DELETE);
        assertThat(product.onTruncate()).isEqualTo(MasterTable.OnTruncate.REFUSE);
        assertThat(product.expiry()).isEqualTo(Duration.ofHours(1));
        assertThat(product.revision() + " " + product.updated()).isEqualTo("version changed");
        assertThat(masters.get(1).fields()).containsExactly(Map.entry("id", "id"), Map.entry("name", "name"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "masters: [{ p: { table: t } }]|masters is no mapping",
                "masters: { p: t }|masters.p is no mapping",
                "masters: { p: { table: t, filter: [a] } }|masters.p.filter is a list",
                "masters: { p: { table: t, fields: { a: { b: c } } } }|masters.p.fields.a is a mapping",
                "masters: { p: { key: id } }|masters.p.table is missing",
                "masters: { p: { table: t, tabel: t } }|unknown configuration key masters.p.tabel",
                "masters: { p: { table: t, when_excluded: drop } }|masters.p.when_excluded is \"drop\": it is one of [keep, delete]",
                "masters: { p: { table: t, expiry: soon } }|masters.p.expiry is \"soon\"",
                "masters: { p: { table: t, fields: id } }|masters.p.fields is no list of columns",
                "masters: { p: { table: t, key: { a: b } } }|masters.p.key is no column",
                "masters: { 'a b': { table: t } }|masters.a b: cqrs id"
            })
    void refusesWrongMastersNamingThem(String yaml, String expected) throws IOException {
        Path file = file(yaml + "\n");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> new ConfigLoader(Map.of()).load(file, Map.of()))
                .withMessageContaining(expected);
    }

    @Test
    void readsReplicasOfTables() throws IOException {
        Path file = file("replicas:\n  product: { table: shop.product_ref, mapping: { sku: code }, order: revision,"
                + " only_direct_syncs: true }\n");
        CqrsConfig config = new ConfigLoader(Map.of()).load(file, Map.of());
        assertThat(config.replicas()).singleElement().satisfies(replica -> {
            assertThat(replica.table()).isEqualTo("\"shop\".\"product_ref\"");
            assertThat(replica.fields()).isEqualTo(Map.of("code", "sku"));
            assertThat(replica.mapped()).containsExactly("sku");
            assertThat(replica.order()).isEqualTo(Order.REVISION);
            assertThat(replica.onlyDirectSyncs()).isTrue();
        });
    }

    @Test
    void takesAKeyWithoutAValueForNone() throws IOException {
        Path file =
                file("queue:\ndatabase: { password: ~ }\nmasters:\nreplicas: { p: { table: t, mapping: , order: } }\n");
        CqrsConfig config = new ConfigLoader(Map.of()).load(file, Map.of());
        assertThat(config.queue()).isNull();
        assertThat(config.databasePassword()).isNull();
        assertThat(config.masters()).isEmpty();
        assertThat(config.replicas())
                .singleElement()
                .satisfies(replica -> assertThat(replica.order()).isEqualTo(Order.UPDATED));
    }

    @Test
    void doesWithoutAFileUnlessOneIsNamed() {
        ConfigLoader loader = new ConfigLoader(Map.of());
        assertThat(loader.load(null, Map.of()).workers().settings()).isEmpty();
        assertRefused(loader, directory.resolve("absent.yaml"), "absent.yaml does not exist");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "properties: { spring.jpa.open-in-view: false }|properties.spring.jpa.open-in-view is no property of a"
                        + " persistence unit",
                "properties: { hibernate.hbm2ddl.auto: update }|properties.hibernate.hbm2ddl.auto is not taken",
                "properties: { hibernate.connection.url: a }|properties.hibernate.connection.url is not taken",
                "properties: { hibernate: { jdbc.time_zone: UTC } }|properties.hibernate is a mapping",
                "quee: a|unknown configuration key quee",
                "transport: { uri: a }|unknown configuration key transport.uri",
                "transport: amqp://h|transport is no mapping",
                "queue: [a]|queue is a list: it takes a single value",
                "'workers: 1\nworkers: 5'|Duplicate field",
                "replicas: [{ product: { table: x } }]|replicas is no mapping",
                "replicas: { product: x }|replicas.product is no mapping",
                "replicas: { product: { table: x, mapping: code } }|replicas.product.mapping is no mapping",
                "replicas: { product: { table: x, mapping: { a: [c] } } }|replicas.product.mapping.a is a list",
                "replicas: { product: { table: x, order: [updated] } }|replicas.product.order is a list",
                "replicas: { product: { table: x, key: [[a]] } }|replicas.product.key is a list",
                "workers: many|workers is \"many\"",
                "statement_timeout: 30|statement_timeout is \"30\", which is no duration, as PT30S",
                "queue_type: stream|queue_type is \"stream\"",
                "transport: { wire: packed }|transport.wire is \"packed\": it is single or batch",
                "transport: { unroutable: lose }|transport.unroutable is \"lose\": it is hold or drop",
                "max_retries: -1|max_retries is \"-1\"",
                "[a, b]|no mapping",
                "a: b: c|is no YAML",
                "database: { password: '${NOPE}' }|variable NOPE is not set",
                "replicas: { product: { tabel: x } }|replicas.product.tabel",
                "replicas: { product: { mapping: {} } }|replicas.product.table is missing",
                "replicas: { product: { table: x, order: newest } }|replicas.product.order is \"newest\"",
                "replicas: { product: { table: x, only_direct_syncs: maybe } }|only_direct_syncs is \"maybe\"",
                "replicas: { product: { table: x, mapping: { a: c, b: c } } }|column c is mapped twice",
                "replicas: { 'a b': { table: x } }|cqrs id \"a b\"",
                "replicas: { product: { table: a.b.c } }|names no table",
            })
    void refusesWhatItDoesNotKnowNamingTheKey(String text, String expected) throws IOException {
        assertRefused(new ConfigLoader(Map.of()), file(text + "\n"), expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"password: secret: x", "password: \"secret", "password: 'secret' x", "password: @secret"})
    void saysWhereItIsNoYamlWithoutWhatStandsThere(String line) throws IOException {
        Path file = file("database:\n  user: u\n  " + line + "\n");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> new ConfigLoader(Map.of()).load(file, Map.of()))
                .withMessageContaining("is no YAML at line ")
                .withNoCause()
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"));
    }

    @Test
    void saysWhereAMissingSettingMayBeGiven() {
        CqrsConfig config = new ConfigLoader(Map.of()).load(null, Map.of("database.url", "mysql://x"));
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(config::transport)
                .withMessageContaining("transport.url")
                .withMessageContaining("CQRS_TRANSPORT_URL");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(config::database)
                .withMessageContaining("jdbc:postgresql:");
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(config::requireQueue)
                .withMessageContaining("CQRS_QUEUE");
    }

    private static void assertRefused(ConfigLoader loader, Path file, String expected) {
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> loader.load(file, Map.of()))
                .withMessageContaining(expected);
    }

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("cqrs.yaml"), text);
    }
}
