package io.cqrs.master.internal.relay;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which transactions are visible: PostgreSQL's {@code pg_snapshot}.
 *
 * @param text its text
 * @param end the first transaction that is not visible, nor any later one ({@code xmax})
 * @param running those before that are not visible ({@code xip})
 */
record Snapshot(String text, long end, Set<Long> running) {

    /** Nothing is visible in it. */
    static final Snapshot NOTHING = parse("1:1:");

    static Snapshot parse(String text) {
        String[] parts = text.split(":", -1);
        Set<Long> running = parts[2].isEmpty()
                ? Set.of()
                : Arrays.stream(parts[2].split(",", -1)).map(Long::valueOf).collect(Collectors.toSet());
        return new Snapshot(text, Long.parseLong(parts[1]), running);
    }

    /** Returns the first transaction that may be visible later and is not visible here. */
    long firstUnseen() {
        return running.stream().reduce(end, Math::min);
    }

    /** Returns the first transaction that may be visible in a later snapshot and is not visible here. */
    long firstSeenBy(Snapshot later) {
        return running.stream().filter(one -> !later.running.contains(one)).reduce(end, Math::min);
    }
}
