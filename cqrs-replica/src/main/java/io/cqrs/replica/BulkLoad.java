package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.ReplicationException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Loads a dump of a master's rows into a replica, beside live traffic: what is older than what the replica has, or than a
 * delete that it knows of, changes nothing. Lines that can't be loaded are told, the rest goes on. Not thread-safe; use
 * once.
 */
public final class BulkLoad {

    private final Sender sender;
    private boolean clear;
    private int batchSize = 10_000;
    private @Nullable Instant takenAt;
    private Rejects rejects = (model, number, line, reason) -> {};
    private LongConsumer progress = count -> {};

    BulkLoad(Sender sender) {
        this.sender = sender;
    }

    /** Carries a load out. */
    @FunctionalInterface
    interface Sender {
        Result load(InputStream in, Options options) throws IOException, InterruptedException;
    }

    /** Takes lines that could not be loaded. */
    @FunctionalInterface
    public interface Rejects {
        /**
         * Takes one.
         *
         * @param model whose state it would have been
         * @param number its number, from 1
         * @param line the line itself
         * @param reason what is wrong with it
         */
        void rejected(CqrsId model, long number, byte[] line, String reason) throws IOException;
    }

    /**
     * Has rows removed that the dump does not have, in the same transaction: readers see the old rows or the new ones. Rows
     * that are newer than all of the dump's stay: they came since it was taken. Deletes of live traffic wait meanwhile.
     *
     * <p>A dump without rows, or whose last line can't be read or has a line end, then changes nothing: it may be cut short.
     * Where lines are rejected nothing is removed.
     *
     * @throws CqrsConfigurationException when it is loaded, if the replica has hooks, which commit as they go
     */
    public BulkLoad clear() {
        this.clear = true;
        return this;
    }

    /**
     * Sets how many lines are written at once; 10,000 unless set.
     *
     * @throws IllegalArgumentException if it is not between 1 and 100,000
     */
    public BulkLoad batchSize(int count) {
        Checks.requireBetween("batchSize", count, 1, 100_000);
        this.batchSize = count;
        return this;
    }

    /**
     * Says when the dump was taken: rows that were not deleted since are then created however old they are. Unless set,
     * rows from before the deletes that the replica has forgotten are rejected where they are not there.
     *
     * @throws CqrsConfigurationException when it is loaded, if deletes from after that time are forgotten
     */
    public BulkLoad takenAt(Instant time) {
        this.takenAt = Objects.requireNonNull(time, "takenAt");
        return this;
    }

    /** Sets who takes lines that can't be loaded. */
    public BulkLoad rejects(Rejects value) {
        this.rejects = Objects.requireNonNull(value, "rejects");
        return this;
    }

    /** Sets who is told how many lines are done, after each batch. */
    public BulkLoad progress(LongConsumer value) {
        this.progress = Objects.requireNonNull(value, "progress");
        return this;
    }

    /**
     * Loads a stream, whose first line was read before: it names the model.
     *
     * @throws CqrsConfigurationException if the table does not fit its declaration, or the dump is too old
     * @throws io.cqrs.core.SerializationException if the dump is empty, or with {@link #clear} has no rows or ends within one
     * @throws ReplicationException if the database is gone or refuses for good; batches that were told are loaded
     * @throws IOException if the stream can't be read
     * @throws InterruptedException if the thread is interrupted
     */
    public Result from(InputStream in) throws IOException, InterruptedException {
        return sender.load(in, new Options(clear, batchSize, takenAt, rejects, progress));
    }

    /**
     * What became of the lines.
     *
     * @param written how many changed the replica
     * @param unchanged how many were not newer than what it had, or than a delete
     * @param rejected how many could not be loaded
     * @param removed how many rows were removed that the dump does not have
     */
    public record Result(long written, long unchanged, long rejected, long removed) {

        /** Returns how many lines were loaded, whether they changed anything or not. */
        public long loaded() {
            return written + unchanged;
        }
    }

    /**
     * How a load is done.
     *
     * @param clear whether rows are removed that the dump does not have
     * @param batchSize how many lines are written at once
     * @param takenAt when the dump was taken, or null where nobody knows
     * @param rejects who takes lines that can't be loaded
     * @param progress who is told how many lines are done
     */
    public record Options(
            boolean clear, int batchSize, @Nullable Instant takenAt, Rejects rejects, LongConsumer progress) {}
}
