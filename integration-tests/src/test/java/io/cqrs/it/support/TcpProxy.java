package io.cqrs.it.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A TCP proxy that does what networks do: it cuts connections, holds what they carry, is slow, or forgets them. */
public final class TcpProxy implements AutoCloseable {

    private final ServerSocket server;
    private final String host;
    private final int target;
    private final Set<Link> open = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile boolean cut;
    private volatile boolean held;
    private volatile Duration delay = Duration.ZERO;

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
        open.forEach(Link::close);
    }

    /** Keeps back what all connections carry, until it is mended. */
    public void hold() {
        held = true;
    }

    /** Forgets the connections there are: both ends stay open and never hear of each other again. New ones work. */
    public void strand() {
        open.forEach(link -> link.stranded = true);
    }

    /** Has each piece of data take so long. */
    public void slow(Duration each) {
        delay = each;
    }

    /** All is well again; what was stranded hears that its other end is gone. */
    public void mend() {
        open.stream().filter(link -> link.stranded).forEach(Link::close);
        lock.lock();
        try {
            cut = false;
            held = false;
            delay = Duration.ZERO;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        mend();
        open.forEach(Link::close);
    }

    private void accept() {
        try {
            while (!server.isClosed()) {
                Socket client = server.accept();
                try {
                    if (cut) {
                        client.close();
                    } else {
                        Link link = new Link(client, new Socket(host, target));
                        open.add(link);
                        if (cut) {
                            link.close();
                        }
                        start("out", () -> pump(link, link.client, link.server));
                        start("in", () -> pump(link, link.server, link.client));
                    }
                } catch (IOException e) {
                    // The server is down: a client sees its connection refused, as without a proxy.
                    client.close();
                }
            }
        } catch (IOException e) {
            open.forEach(Link::close);
        }
    }

    private void pump(Link link, Socket from, Socket to) {
        byte[] buffer = new byte[16 << 10];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                awaitPassage();
                if (!link.stranded) {
                    out.write(buffer, 0, count);
                }
            }
        } catch (IOException e) {
            // Ended by one of its ends: the other one hears of it below.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // Neither end of a stranded link hears of what becomes of the other.
        if (!link.stranded) {
            link.close();
        }
    }

    private void awaitPassage() throws InterruptedException {
        if (!held && delay.isZero()) {
            return;
        }
        long until = System.nanoTime() + delay.toNanos();
        lock.lockInterruptibly();
        try {
            while (held) {
                changed.await();
            }
            for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
                long unused = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, "proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    private final class Link {

        private final Socket client;
        private final Socket server;
        private volatile boolean stranded;

        private Link(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        private void close() {
            open.remove(this);
            close(client);
            close(server);
        }

        private static void close(Socket socket) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
