package io.cqrs.it.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A host of its own as far as the network goes: a namespace of Linux with one cable to this one, whose local servers are
 * there at the same addresses as here. Pulling the cable leaves connections that nobody ever ends.
 */
public final class NetworkHost implements AutoCloseable {

    /** What servers see its connections come from. */
    public static final String ADDRESSES = "10.231.0.0/16";

    private static final long PID = ProcessHandle.current().pid();
    // What a killed run left behind has another number.
    private static final String NETWORK = "10.231." + PID / 64 % 256 + ".";
    private static final String HERE = NETWORK + (PID % 64 * 4 + 1);
    private static final String THERE = NETWORK + (PID % 64 * 4 + 2);

    private final String name = "cqrs" + PID;
    private final String cable = "c" + PID;

    private NetworkHost() {}

    /** Says whether this machine can have one: it takes root, and the programs of iproute2 and procps. */
    public static boolean isPossible() {
        try {
            open().close();
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    public static NetworkHost open() {
        NetworkHost host = new NetworkHost();
        try {
            host.connect();
            return host;
        } catch (IllegalStateException e) {
            try {
                host.close();
            } catch (IllegalStateException unclosed) {
                e.addSuppressed(unclosed);
            }
            throw e;
        }
    }

    private void connect() {
        String end = cable + "n";
        run("ip", "netns", "add", name);
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", end);
        run("ip", "link", "set", end, "netns", name);
        run("ip", "addr", "add", HERE + "/30", "dev", cable);
        run("ip", "link", "set", cable, "up");
        // The namespace has no loopback of its own: 127.0.0.1 is across the cable.
        run("sysctl", "-w", "net.ipv4.conf." + cable + ".route_localnet=1");
        within("ip", "addr", "add", THERE + "/30", "dev", end);
        within("ip", "link", "set", end, "up");
        within("sysctl", "-w", "net.ipv4.conf." + end + ".route_localnet=1");
        within("ip", "route", "add", "default", "via", HERE);
    }

    /** Returns what starts a program there. */
    public String[] starter() {
        return new String[] {"ip", "netns", "exec", name};
    }

    /** Nothing gets through from now on, and nobody is told. */
    public void vanish() {
        run("ip", "link", "set", cable, "down");
    }

    @Override
    public void close() {
        run("ip", "netns", "del", name);
    }

    private void within(String... command) {
        run(Stream.of(starter(), command).flatMap(Arrays::stream).toArray(String[]::new));
    }

    private static void run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(List.of(command) + ": " + said);
            }
        } catch (IOException e) {
            throw new IllegalStateException(List.of(command) + " can't be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
