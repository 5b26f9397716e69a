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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A private RabbitMQ node from binaries on this machine, with ports, data and an epmd of its own. */
final class LocalRabbit implements ServerControl {

    private static final Logger LOG = LoggerFactory.getLogger(LocalRabbit.class);
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final int STOP_SECONDS = 30;

    private final Path program;
    private final RabbitNode node;
    private @Nullable Process process;

    private LocalRabbit(Path program, RabbitNode node) {
        this.program = program;
        this.node = node;
    }

    /** Starts nodes that are one broker; none where there are no binaries. */
    static List<BrokerServer> open(Supplier<List<RabbitNode>> prepared, Consumer<AutoCloseable> started) {
        // The program itself: the package's wrapper in sbin changes the user and fixes the paths.
        Optional<Path> program =
                Shell.find("rabbitmq-server", "/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin");
        if (program.isEmpty()) {
            return List.of();
        }
        List<LocalRabbit> nodes = new ArrayList<>();
        for (RabbitNode node : prepared.get()) {
            LocalRabbit rabbit = new LocalRabbit(program.get(), node);
            started.accept(rabbit::close);
            nodes.add(rabbit);
        }
        nodes.forEach(LocalRabbit::launch);
        nodes.forEach(LocalRabbit::awaitAnswer);
        return nodes.stream()
                .map(rabbit -> new BrokerServer(
                        rabbit.node.url(),
                        "private RabbitMQ from " + program.get() + " on port " + rabbit.node.port(),
                        rabbit,
                        rabbit::rabbitmqctl))
                .toList();
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
    public synchronized void kill() {
        List<ProcessHandle> all = processes();
        process = null;
        LocalProcesses.kill(all);
    }

    @Override
    public synchronized void pause() {
        LocalProcesses.pause(node.directory().path(), processes());
    }

    @Override
    public synchronized void resume() {
        LocalProcesses.resume(node.directory().path(), processes());
    }

    private List<ProcessHandle> processes() {
        return process == null ? List.of() : LocalProcesses.tree(process.toHandle());
    }

    private String rabbitmqctl(List<String> arguments) {
        List<String> command =
                new ArrayList<>(List.of(program.resolveSibling("rabbitmqctl").toString()));
        command.addAll(arguments);
        return Shell.run(node.directory().path(), node.environment(), command);
    }

    @Override
    public void start() {
        launch();
        awaitAnswer();
    }

    private synchronized void launch() {
        List<String> command = new ArrayList<>();
        // In a session of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
        Shell.find("setsid").map(Path::toString).ifPresent(command::add);
        command.add(program.toString());
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(node.directory().path().toFile());
        builder.environment().putAll(node.environment());
        builder.redirectErrorStream(true).redirectOutput(output().toFile());
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new ServerException("RabbitMQ could not be started: " + e.getMessage(), e);
        }
    }

    private Path output() {
        return node.directory().path().resolve("startup.out");
    }

    private void close() {
        stop();
        Shell.find("epmd").ifPresent(epmd -> {
            try {
                String unused = Shell.run(
                        node.directory().path(),
                        Map.of(),
                        List.of(epmd.toString(), "-port", "" + node.epmdPort(), "-kill"));
            } catch (ServerException e) {
                // It ends by itself when its last node is gone, or was never started.
                LOG.debug("epmd was gone", e);
            }
        });
        node.directory().delete();
    }

    private void awaitAnswer() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        Waiter waiter = new Waiter();
        try {
            while (!listens()) {
                if (!isAlive() || System.nanoTime() > deadline) {
                    throw new ServerException("RabbitMQ did not start: " + Files.readString(output()), null);
                }
                boolean unused = waiter.await(Duration.ofMillis(200));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("interrupted while RabbitMQ starts", e);
        }
    }

    private synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** The port opens last, when the node is ready. */
    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", node.port()), 1_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
