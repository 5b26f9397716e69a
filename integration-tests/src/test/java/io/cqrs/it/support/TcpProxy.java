package io.cqrs.it.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A TCP proxy whose connections can be cut. */
public final class TcpProxy implements AutoCloseable {

    private final ServerSocket server;
    private final String host;
    private final int target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;

    private TcpProxy(ServerSocket server, String host, int target) {
        this.server = server;
        this.host = host;
        this.target = target;
    }

    public static TcpProxy to(String host, int port) throws IOException {
        TcpProxy proxy = new TcpProxy(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), host, port);
        start("accept", proxy::accept);
        return proxy;
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Cuts all connections, and new ones as they come. */
    public void cut() {
        cut = true;
        open.forEach(TcpProxy::close);
    }

    public void mend() {
        cut = false;
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }

    private void accept() {
        try {
            while (!server.isClosed()) {
                Socket client = server.accept();
                open.add(client);
                if (cut) {
                    close(client);
                    continue;
                }
                Socket broker = new Socket(host, target);
                open.add(broker);
                start("out", () -> pump(client, broker));
                start("in", () -> pump(broker, client));
            }
        } catch (IOException e) {
            cut();
        }
    }

    private static void pump(Socket from, Socket to) {
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            in.transferTo(out);
        } catch (IOException e) {
            close(from);
        } finally {
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, "proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}
