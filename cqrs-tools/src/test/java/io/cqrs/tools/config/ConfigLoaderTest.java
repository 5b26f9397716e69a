package io.cqrs.tools.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.replica.Order;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        assertThat(config.workers()).isEqualTo(3);
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
    void readsReplicasOfTables() throws IOException {
        Path file =
                file("replicas:\n  product: { table: shop.product_ref, mapping: { sku: code }, order: revision }\n");
        CqrsConfig config = new ConfigLoader(Map.of()).load(file, Map.of());
        assertThat(config.replicas()).singleElement().satisfies(replica -> {
            assertThat(replica.table()).isEqualTo("\"shop\".\"product_ref\"");
            assertThat(replica.fields()).isEqualTo(Map.of("code", "sku"));
            assertThat(replica.order()).isEqualTo(Order.REVISION);
        });
    }

    @Test
    void doesWithoutAFileUnlessOneIsNamed() {
        ConfigLoader loader = new ConfigLoader(Map.of());
        assertThat(loader.load(null, Map.of()).workers()).isEqualTo(1);
        assertRefused(loader, directory.resolve("absent.yaml"), "absent.yaml does not exist");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "quee: a|unknown configuration key quee",
                "transport: { uri: a }|unknown configuration key transport.uri",
                "transport: amqp://h|unknown configuration key transport",
                "queue: [a]|unknown configuration key queue",
                "workers: many|workers is \"many\"",
                "[a, b]|no mapping",
                "a: b: c|is no YAML",
                "database: { password: '${NOPE}' }|variable NOPE is not set",
                "replicas: { product: { tabel: x } }|replicas.product.tabel",
                "replicas: { product: { mapping: {} } }|replicas.product.table is missing",
                "replicas: { product: { table: x, order: newest } }|replicas.product.order is \"newest\"",
                "replicas: { 'a b': { table: x } }|cqrs id \"a b\"",
                "replicas: { product: { table: a.b.c } }|names no table",
            })
    void refusesWhatItDoesNotKnowNamingTheKey(String text, String expected) throws IOException {
        assertRefused(new ConfigLoader(Map.of()), file(text + "\n"), expected);
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
