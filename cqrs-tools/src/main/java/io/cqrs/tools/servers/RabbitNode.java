package io.cqrs.tools.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Where a private RabbitMQ node lives.
 *
 * @param directory all of its files
 * @param port for clients
 * @param distPort for its peers
 * @param epmdPort where it registers, and finds the others of its cluster
 * @param cluster the names of the nodes that begin together, its own among them
 */
record RabbitNode(ServerDirectory directory, int port, int distPort, int epmdPort, List<String> cluster) {

    /** After which nodes give up one that says nothing: the default of a minute is for networks, this is one machine. */
    private static final int TICK_SECONDS = 12;

    /** Makes nodes that form a cluster when they start, or one alone; their epmd is started with the first. */
    static List<RabbitNode> prepare(int count) {
        List<Integer> ports = ServerDirectory.freePorts(2 * count + 1);
        return prepare(ports, Collections.nCopies(count, ports.get(2 * count)));
    }

    /** Makes as many nodes as there are ports of an epmd. */
    static List<RabbitNode> prepare(List<Integer> epmdPorts) {
        return prepare(ServerDirectory.freePorts(2 * epmdPorts.size()), epmdPorts);
    }

    private static List<RabbitNode> prepare(List<Integer> ports, List<Integer> epmdPorts) {
        int count = epmdPorts.size();
        // What lets others in: nobody else's to know.
        String cookie = UUID.randomUUID().toString();
        List<String> cluster =
                ports.subList(0, count).stream().map(RabbitNode::name).toList();
        List<RabbitNode> nodes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            RabbitNode node = new RabbitNode(
                    ServerDirectory.create("rabbitmq"), ports.get(i), ports.get(count + i), epmdPorts.get(i), cluster);
            node.write(cookie);
            nodes.add(node);
        }
        return nodes;
    }

    private static String name(int port) {
        return "cqrs" + port + "@localhost";
    }

    String url() {
        return "amqp://guest:guest@127.0.0.1:" + port;
    }

    private void write(String secret) {
        Path at = directory.path();
        try {
            for (String name : List.of("home", "mnesia", "log", "gen")) {
                Files.createDirectory(at.resolve(name));
            }
            Path cookie = Files.writeString(at.resolve("home/.erlang.cookie"), secret);
            Files.setPosixFilePermissions(cookie, PosixFilePermissions.fromString("r--------"));
            Files.writeString(at.resolve("enabled_plugins"), "[rabbitmq_consistent_hash_exchange].\n");
            StringBuilder config = new StringBuilder("loopback_users = none\ndisk_free_limit.absolute = 50MB\n");
            if (cluster.size() > 1) {
                config.append("cluster_formation.peer_discovery_backend = classic_config\n");
                // A node that was cut off stops, and comes back as one of the majority.
                config.append("cluster_partition_handling = pause_minority\n");
                for (int i = 0; i < cluster.size(); i++) {
                    config.append("cluster_formation.classic_config.nodes." + (i + 1) + " = " + cluster.get(i) + "\n");
                }
            }
            Files.writeString(at.resolve("rabbitmq.conf"), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Map<String, String> environment() {
        Path at = directory.path();
        Map<String, String> environment = new HashMap<>();
        environment.put("HOME", at.resolve("home").toString());
        environment.put("ERL_EPMD_PORT", Integer.toString(epmdPort));
        environment.put("ERL_EPMD_ADDRESS", "127.0.0.1");
        environment.put("RABBITMQ_NODENAME", name(port));
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
        environment.put(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1}"
                        + (cluster.size() > 1
                                ? " prevent_overlapping_partitions false net_ticktime " + TICK_SECONDS
                                : ""));
        return environment;
    }
}
