package io.cqrs.master.internal.relay;

import java.util.ArrayList;
import java.util.List;

/**
 * From which id on rows of the outbox may be new.
 *
 * <p>A mark says that an id was seen before a transaction of ours began. Whichever began later has later ids only, since
 * the outbox has a transaction begin before it takes an id. So a tick begins at the mark before the first transaction that
 * may be new in it, and one that stays open for hours costs nothing until it ends. Belongs to the relay's thread.
 */
final class LowWater {

    /** A lower mark than need be is right, too: there are only fewer rows to pass. */
    private static final int MOST = 1000;

    private final List<Mark> marks = new ArrayList<>();
    private long highest;

    /** Takes note of an id that was read. */
    void read(long id) {
        highest = Math.max(highest, id);
    }

    /** Says whether ids were read since the last mark. */
    boolean isRising() {
        return highest > (marks.isEmpty() ? 0 : marks.get(marks.size() - 1).id());
    }

    /** Takes note of a transaction that began after all that was read. */
    void mark(long transaction) {
        if (marks.size() == MOST) {
            thinOut();
        }
        marks.add(new Mark(transaction, highest));
    }

    /** Returns the id behind which all is that is visible in the later snapshot and not in the one before. */
    long below(Snapshot before, Snapshot later) {
        forget(before.firstUnseen());
        return under(before.firstSeenBy(later));
    }

    private long under(long transaction) {
        for (int i = marks.size() - 1; i >= 0; i--) {
            if (marks.get(i).transaction() < transaction) {
                return marks.get(i).id();
            }
        }
        return 0;
    }

    /** Forgets what is under the mark that is under this transaction: none before it can become visible. */
    private void forget(long transaction) {
        while (marks.size() > 1 && marks.get(1).transaction() < transaction) {
            Mark unused = marks.remove(0);
        }
    }

    private void thinOut() {
        for (int i = marks.size() - 2; i > 0; i -= 2) {
            Mark unused = marks.remove(i);
        }
    }

    private record Mark(long transaction, long id) {}
}
