package io.cqrs.master;

import io.cqrs.core.Signal;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a master entity may say about its own replication. Called once a change, before the commit, in the thread that
 * commits; an exception aborts the commit.
 *
 * <p>What it refers to lazily can be read, as long as its session was not cleared since: what was not loaded by then is out
 * of reach. Where an answer comes of another row, {@link Master#dependsOn} makes a change of that row ask again.
 */
public interface MasterMixin {

    /** Says whether this instance is replicated. Its revision counts on either way. True unless overridden. */
    default boolean isSyncInstance() {
        return true;
    }

    /**
     * Returns what travels beside the data as {@code meta}; nothing unless overridden.
     *
     * @param signal what is sent
     */
    default @Nullable Map<String, @Nullable Object> cqrsMeta(Signal signal) {
        return null;
    }

    /** Returns what a delete carries as {@code custom}; nothing unless overridden. */
    default @Nullable Map<String, @Nullable Object> cqrsDeleteData() {
        return null;
    }
}
