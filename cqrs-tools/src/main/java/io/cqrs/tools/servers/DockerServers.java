package io.cqrs.tools.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.rabbitmq.RabbitMQContainer;
import org.testcontainers.utility.DockerImageName;

/** Servers in containers, where a Docker engine answers. Stateless. */
final class DockerServers {

    private static final String RABBITMQ = "rabbitmq:4.1-management";
    private static final String POSTGRES = "postgres:17";

    private DockerServers() {}

    static Optional<BrokerServer> rabbit(Consumer<AutoCloseable> started) {
        if (!available()) {
            return Optional.empty();
        }
        RabbitMQContainer container = new RabbitMQContainer(DockerImageName.parse(RABBITMQ))
                .withCopyToContainer(
                        Transferable.of("[rabbitmq_management, rabbitmq_consistent_hash_exchange]."),
                        "/etc/rabbitmq/enabled_plugins");
        started.accept(container::stop);
        container.start();
        return Optional.of(new BrokerServer(
                container.getAmqpUrl(),
                "RabbitMQ in Docker (" + RABBITMQ + ")",
                new ContainerControl(container),
                arguments -> rabbitmqctl(container, arguments)));
    }

    static Optional<DatabaseServer> postgres(Consumer<AutoCloseable> started) {
        if (!available()) {
            return Optional.empty();
        }
        PostgreSQLContainer container = new PostgreSQLContainer(DockerImageName.parse(POSTGRES))
                .withCommand("postgres", "-c", "max_connections=200");
        started.accept(container::stop);
        container.start();
        String url = container.getJdbcUrl();
        String separator = url.contains("?") ? "&" : "?";
        return Optional.of(new DatabaseServer(
                url + separator + "user=" + container.getUsername() + "&password=" + container.getPassword(),
                "PostgreSQL in Docker (" + POSTGRES + ")",
                new ContainerControl(container)));
    }

    private static String rabbitmqctl(RabbitMQContainer container, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("rabbitmqctl"));
        command.addAll(arguments);
        try {
            Container.ExecResult result = container.execInContainer(command.toArray(String[]::new));
            if (result.getExitCode() != 0) {
                throw new ServerException(String.join(" ", command) + " failed: " + result.getStderr(), null);
            }
            return result.getStdout();
        } catch (IOException e) {
            throw new ServerException(String.join(" ", command) + " could not be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("interrupted while running " + String.join(" ", command), e);
        }
    }

    /** A look at where engines listen comes first: loading the client takes over a second. */
    private static boolean available() {
        String home = System.getProperty("user.home");
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        boolean maybe = System.getenv("DOCKER_HOST") != null
                || Stream.of(
                                "/var/run/docker.sock",
                                home + "/.docker/run/docker.sock",
                                home + "/.testcontainers.properties",
                                runtime + "/docker.sock")
                        .anyMatch(path -> Files.exists(Path.of(path)));
        return maybe && DockerClientFactory.instance().isDockerAvailable();
    }

    /** A container that were started again would get another port: so each outage is a pause. */
    private record ContainerControl(GenericContainer<?> container) implements ServerControl {

        @Override
        public void stop() {
            pause();
        }

        @Override
        public void kill() {
            pause();
        }

        @Override
        public void start() {
            resume();
        }

        @Override
        public void pause() {
            DockerClientFactory.instance()
                    .client()
                    .pauseContainerCmd(container.getContainerId())
                    .exec();
        }

        @Override
        public void resume() {
            DockerClientFactory.instance()
                    .client()
                    .unpauseContainerCmd(container.getContainerId())
                    .exec();
        }
    }
}
