package io.cqrs.tools;

import java.io.PrintWriter;
import java.util.Locale;

/** Tells once a second how far something is, how fast, and how long it will take. Not thread-safe. */
final class Progress {

    private static final long SECOND = 1_000_000_000L;

    private final PrintWriter err;
    private final String what;
    private final long total;
    private final long start = System.nanoTime();
    private long told = start;

    /**
     * Begins.
     *
     * @param total how many there are, or 0 where nobody knows
     */
    Progress(PrintWriter err, String what, long total) {
        this.err = err;
        this.what = what;
        this.total = total;
    }

    void at(long count) {
        long now = System.nanoTime();
        if (now - told < SECOND) {
            return;
        }
        told = now;
        double rate = count / ((now - start) / (double) SECOND);
        StringBuilder line = new StringBuilder(what).append(": ").append(count);
        if (total > 0) {
            line.append(" of ").append(total);
        }
        line.append(String.format(Locale.ROOT, ", %,.0f/s", rate));
        if (total > count && rate > 0) {
            line.append(String.format(Locale.ROOT, ", %,.0f s left", (total - count) / rate));
        }
        err.println(line);
        err.flush();
    }
}
