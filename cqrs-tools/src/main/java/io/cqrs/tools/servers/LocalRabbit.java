package io.cqrs.tools.servers;

import io.cqrs.core.lifecycle.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A private RabbitMQ node from binaries on this machine, with ports, data and an epmd of its own. */
final class LocalRabbit implements BrokerServer.Control {

    private static final Logger LOG = LoggerFactory.getLogger(LocalRabbit.class);
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final int STOP_SECONDS = 30;

    private final Path program;
    private final ServerDirectory directory;
    private final int port;
    private final int distPort;
    private final int epmdPort;
    private @Nullable Process process;

    private LocalRabbit(Path program, ServerDirectory directory, List<Integer> ports) {
        this.program = program;
        this.directory = directory;
        this.port = ports.get(0);
        this.distPort = ports.get(1);
        this.epmdPort = ports.get(2);
    }

    static Optional<BrokerServer> open(Consumer<AutoCloseable> started) {
        // The program itself: the package's wrapper in sbin changes the user and fixes the paths.
        Optional<Path> program =
                Shell.find("rabbitmq-server", "/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin");
        if (program.isEmpty()) {
            return Optional.empty();
        }
        LocalRabbit rabbit =
                new LocalRabbit(program.get(), ServerDirectory.create("rabbitmq"), ServerDirectory.freePorts(3));
        started.accept(rabbit::close);
        rabbit.prepare();
        rabbit.start();
        return Optional.of(new BrokerServer(
                rabbit.url(), "private RabbitMQ from " + program.get() + " on port " + rabbit.port, rabbit));
    }

    @Override
    public synchronized void stop() {
        Process running = process;
        if (running != null) {
            process = null;
            running.destroy();
            try {
                if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    running.descendants().forEach(ProcessHandle::destroyForcibly);
                    running.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void start() {
        try {
            Path out = directory.path().resolve("startup.out");
            awaitAnswer(launch(out), out);
        } catch (IOException e) {
            throw new ServerException("RabbitMQ could not be started: " + e.getMessage(), e);
        }
    }

    private synchronized Process launch(Path out) throws IOException {
        List<String> command = new ArrayList<>();
        // In a session of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
        Shell.find("setsid").map(Path::toString).ifPresent(command::add);
        command.add(program.toString());
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.path().toFile());
        builder.environment().putAll(environment());
        builder.redirectErrorStream(true).redirectOutput(out.toFile());
        Process launched = builder.start();
        process = launched;
        return launched;
    }

    private void close() {
        stop();
        Shell.find("epmd").ifPresent(epmd -> {
            try {
                Shell.run(directory.path(), Map.of(), List.of(epmd.toString(), "-port", "" + epmdPort, "-kill"));
            } catch (ServerException e) {
                // It ends by itself when its last node is gone, or was never started.
                LOG.debug("epmd was gone", e);
            }
        });
        directory.delete();
    }

    private String url() {
        return "amqp://guest:guest@127.0.0.1:" + port;
    }

    private void prepare() {
        try {
            for (String name : List.of("home", "mnesia", "log", "gen")) {
                Files.createDirectory(directory.path().resolve(name));
            }
            Files.writeString(directory.path().resolve("enabled_plugins"), "[].\n");
            Files.writeString(
                    directory.path().resolve("rabbitmq.conf"),
                    "loopback_users = none\ndisk_free_limit.absolute = 50MB\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, String> environment() {
        Path at = directory.path();
        Map<String, String> environment = new HashMap<>();
        environment.put("HOME", at.resolve("home").toString());
        environment.put("ERL_EPMD_PORT", Integer.toString(epmdPort));
        environment.put("ERL_EPMD_ADDRESS", "127.0.0.1");
        environment.put("RABBITMQ_NODENAME", "cqrs" + port + "@localhost");
        environment.put("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
        environment.put("RABBITMQ_NODE_PORT", Integer.toString(port));
        environment.put("RABBITMQ_DIST_PORT", Integer.toString(distPort));
        environment.put("RABBITMQ_MNESIA_BASE", at.resolve("mnesia").toString());
        environment.put("RABBITMQ_LOG_BASE", at.resolve("log").toString());
        environment.put("RABBITMQ_PID_FILE", at.resolve("pid").toString());
        environment.put(
                "RABBITMQ_ENABLED_PLUGINS_FILE", at.resolve("enabled_plugins").toString());
        environment.put("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        environment.put("RABBITMQ_CONFIG_FILE", at.resolve("rabbitmq").toString());
        environment.put("RABBITMQ_ADVANCED_CONFIG_FILE", at.resolve("advanced").toString());
        environment.put("RABBITMQ_GENERATED_CONFIG_DIR", at.resolve("gen").toString());
        environment.put("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
        return environment;
    }

    private void awaitAnswer(Process started, Path out) throws IOException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        Waiter waiter = new Waiter();
        try {
            while (!listens()) {
                if (!started.isAlive() || System.nanoTime() > deadline) {
                    throw new ServerException("RabbitMQ did not start: " + Files.readString(out), null);
                }
                boolean unused = waiter.await(Duration.ofMillis(200));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("interrupted while RabbitMQ starts", e);
        }
    }

    /** The port opens last, when the node is ready. */
    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
