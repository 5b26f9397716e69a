package io.cqrs.it.build;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.tools.Cqrs;
import io.cqrs.tools.config.ConfigLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The compose file against what the commands, the example and the build really take, without a Docker engine. */
class ComposeFileIT {

    private final Path root = TestEnvironment.root();
    private final JsonNode services = new YAMLMapper()
            .readTree(Files.readString(root.resolve("docker-compose.yml")))
            .get("services");

    ComposeFileIT() throws IOException {}

    @Test
    void hasABrokerTwoDatabasesTheShopsMasterItsRelayAndAWorker() {
        assertThat(names(services))
                .containsExactlyInAnyOrder(
                        "rabbitmq",
                        "catalogue-db",
                        "storefront-db",
                        "catalogue",
                        "catalogue-relay",
                        "storefront-migrate",
                        "storefront-worker");
        assertThat(services.at("/rabbitmq/image").asText()).matches("rabbitmq:4\\.\\d+-management");
        assertThat(services.at("/catalogue-db/image").asText()).isEqualTo("postgres:17");
        assertThat(services.at("/storefront-db/image").asText()).isEqualTo("postgres:17");
    }

    @Test
    void checksTheHealthOfEachServerAndWaitsForIt() {
        for (String name : names(services)) {
            JsonNode service = services.get(name);
            if (service.has("image")) {
                assertThat(service.at("/healthcheck/test"))
                        .as("health check of %s", name)
                        .isNotEmpty();
            }
            for (String needed : names(service.path("depends_on"))) {
                assertThat(services.has(needed)).as("%s needs %s", name, needed).isTrue();
                String condition =
                        service.at("/depends_on/" + needed + "/condition").asText();
                assertThat(condition)
                        .isEqualTo(
                                services.get(needed).has("healthcheck")
                                        ? "service_healthy"
                                        : "service_completed_successfully");
            }
        }
        assertThat(names(services.at("/storefront-worker/depends_on"))).contains("rabbitmq", "storefront-migrate");
    }

    @Test
    void setsOnlyVariablesThatTheCommandsAndTheExampleKnow() throws IOException {
        Set<String> known =
                ConfigLoader.KEYS.stream().map(ConfigLoader::variable).collect(Collectors.toSet());
        String example =
                Files.readString(root.resolve("examples/shop/src/main/java/io/cqrs/examples/shop/Catalogue.java"));
        for (String name : names(services)) {
            for (String variable : names(services.get(name).path("environment"))) {
                if (variable.startsWith("CQRS_")) {
                    assertThat(known).contains(variable);
                } else if (variable.startsWith("SHOP_")) {
                    assertThat(example).contains("\"" + variable + "\"");
                } else {
                    assertThat(variable).startsWith("POSTGRES_");
                }
            }
        }
    }

    @Test
    void connectsEachServiceToAServerThatIsThere() {
        Set<String> hosts = new TreeSet<>();
        for (String name : names(services)) {
            services.get(name).path("environment").properties().forEach(variable -> {
                if (variable.getKey().endsWith("_URL")) {
                    hosts.add(variable.getValue().asText().replaceAll(".*(//|@)([a-z-]+)(:\\d+)?(/.*)?$", "$2"));
                }
            });
        }
        assertThat(hosts).containsExactly("catalogue-db", "rabbitmq", "storefront-db");
        assertThat(services.at("/storefront-worker/environment/CQRS_DATABASE_URL")
                        .asText())
                .endsWith("/"
                        + services.at("/storefront-db/environment/POSTGRES_DB").asText());
        assertThat(services.at("/catalogue/environment/SHOP_DATABASE_URL").asText())
                .isEqualTo(services.at("/catalogue-relay/environment/CQRS_DATABASE_URL")
                        .asText())
                .endsWith("/"
                        + services.at("/catalogue-db/environment/POSTGRES_DB").asText());
    }

    @Test
    void runsCommandsThatThereAreWithOptionsThatTheyHave() {
        CommandLine line = Cqrs.commandLine();
        for (String name : names(services)) {
            if (services.get(name).has("command")) {
                List<String> command = new ArrayList<>();
                services.get(name).get("command").forEach(word -> command.add(word.asText()));
                assertThat(line.parseArgs(command.toArray(String[]::new)).hasSubcommand())
                        .isTrue();
            }
        }
    }

    @Test
    void buildsWithAnImageFileThatMatchesTheBuild() throws IOException {
        String image = Files.readString(root.resolve("Dockerfile"));
        assertThat(image).contains("/app/cqrs.jar").contains("/app/shop.jar").contains("USER cqrs");
        assertThat(image).contains("cqrs-tools/target/cqrs.jar");
        assertThat(root.resolve("cqrs-tools/target/cqrs.jar")).exists();
        assertThat(root.resolve(image.replaceAll("(?s).*/src/(examples/\\S+\\.jar).*", "$1")))
                .exists();
        for (JsonNode volume : services.at("/storefront-db/volumes")) {
            assertThat(root.resolve(volume.asText().split(":")[0])).exists();
        }
    }

    private static List<String> names(JsonNode node) {
        return StreamSupport.stream(((Iterable<String>) node::fieldNames).spliterator(), false)
                .toList();
    }
}
