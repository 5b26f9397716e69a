package io.cqrs.it.support;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The network between the nodes of an Erlang cluster: a port mapper for each, which registers it, and names proxies to it
 * where the others look it up. What is cut off says nothing and hears nothing; no connection ends.
 *
 * <p>The protocol: Erlang's "Distribution Protocol", chapter EPMD protocol.
 */
public final class ClusterNetwork implements AutoCloseable {

    private static final int REGISTER = 120;
    private static final int REGISTERED = 118;
    private static final int LOOK_UP = 122;
    private static final int FOUND = 119;
    private static final int NAMES = 110;

    private final List<ServerSocket> mappers = new ArrayList<>();
    private final Map<String, Registration> registered = new ConcurrentHashMap<>();
    private final Map<Pair, TcpProxy> proxies = new ConcurrentHashMap<>();
    private final Set<Integer> cutOff = ConcurrentHashMap.newKeySet();

    private ClusterNetwork() {}

    public static ClusterNetwork of(int nodes) throws IOException {
        ClusterNetwork network = new ClusterNetwork();
        for (int node = 0; node < nodes; node++) {
            ServerSocket mapper = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            int index = node;
            network.mappers.add(mapper);
            start(() -> network.accept(index, mapper));
        }
        return network;
    }

    /** Returns where each node registers, in their order. */
    public List<Integer> epmdPorts() {
        return mappers.stream().map(ServerSocket::getLocalPort).toList();
    }

    /** Keeps back all that a node and the others say to each other. */
    public synchronized void cutOff(int node) {
        cutOff.add(node);
        proxies.forEach((pair, proxy) -> {
            if (pair.isCut(cutOff)) {
                proxy.hold();
            }
        });
    }

    /** Lets through what was kept back, and all that follows. */
    public synchronized void mend() {
        cutOff.clear();
        proxies.values().forEach(TcpProxy::mend);
    }

    @Override
    public void close() throws IOException {
        for (ServerSocket mapper : mappers) {
            mapper.close();
        }
        for (TcpProxy proxy : proxies.values()) {
            proxy.close();
        }
    }

    private void accept(int node, ServerSocket mapper) {
        try {
            while (!mapper.isClosed()) {
                Socket client = mapper.accept();
                start(() -> serve(node, client));
            }
        } catch (IOException e) {
            // It was closed.
        }
    }

    private void serve(int node, Socket client) {
        try (client;
                DataInputStream in = new DataInputStream(client.getInputStream());
                DataOutputStream out = new DataOutputStream(client.getOutputStream())) {
            byte[] request = new byte[in.readUnsignedShort()];
            in.readFully(request);
            DataInputStream fields = new DataInputStream(new ByteArrayInputStream(request));
            switch (fields.readUnsignedByte()) {
                case REGISTER -> register(node, fields, in, out);
                case LOOK_UP -> lookUp(node, new String(fields.readAllBytes(), StandardCharsets.UTF_8), out);
                case NAMES -> names(node, out);
                default -> {
                    // Nobody ends this one from afar.
                }
            }
        } catch (IOException e) {
            // Whoever asked is gone.
        }
    }

    /** As long as the connection lasts. */
    private void register(int node, DataInputStream fields, DataInputStream in, DataOutputStream out)
            throws IOException {
        int port = fields.readUnsignedShort();
        // Type, protocol, highest and lowest version.
        fields.skipNBytes(6);
        String name = text(fields);
        Registration registration = new Registration(node, port);
        registered.put(name, registration);
        try {
            out.writeByte(REGISTERED);
            out.writeByte(0);
            // Another one each time, so that nobody takes a node for the one that it was before.
            out.writeInt((int) (System.nanoTime() >>> 10) | 4);
            out.flush();
            in.readAllBytes();
        } finally {
            registered.remove(name, registration);
        }
    }

    private void lookUp(int asking, String name, DataOutputStream out) throws IOException {
        Registration found = registered.get(name);
        out.writeByte(FOUND);
        if (found == null) {
            out.writeByte(1);
            return;
        }
        out.writeByte(0);
        out.writeShort(
                found.node() == asking ? found.port() : proxy(asking, found).port());
        // A node of TCP over IPv4, of the versions 5 to 6 of the distribution.
        out.writeByte(77);
        out.writeByte(0);
        out.writeShort(6);
        out.writeShort(5);
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        out.writeShort(bytes.length);
        out.write(bytes);
        out.writeShort(0);
    }

    private void names(int node, DataOutputStream out) throws IOException {
        out.writeInt(mappers.get(node).getLocalPort());
        for (Map.Entry<String, Registration> one : registered.entrySet()) {
            out.write(("name " + one.getKey() + " at port " + one.getValue().port() + "\n")
                    .getBytes(StandardCharsets.UTF_8));
        }
    }

    private synchronized TcpProxy proxy(int from, Registration to) {
        return proxies.computeIfAbsent(new Pair(from, to.node(), to.port()), pair -> {
            try {
                TcpProxy proxy = TcpProxy.to("localhost", to.port());
                if (pair.isCut(cutOff)) {
                    proxy.hold();
                }
                return proxy;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static String text(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readUnsignedShort()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "epmd");
        thread.setDaemon(true);
        thread.start();
    }

    private record Registration(int node, int port) {}

    private record Pair(int from, int to, int port) {
        boolean isCut(Set<Integer> cutOff) {
            return cutOff.contains(from) || cutOff.contains(to);
        }
    }
}
