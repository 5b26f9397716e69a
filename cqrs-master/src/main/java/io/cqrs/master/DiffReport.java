package io.cqrs.master;

import io.cqrs.core.CqrsId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison of a replica with its master found.
 *
 * @param cqrsId the model
 * @param queue the replica's queue, or null where it was not told
 * @param at when it began, by the master database's clock
 * @param missing rows that the replica lacks
 * @param stale rows whose state is older on the replica
 * @param ahead rows whose state is later on the replica: the master went back, as after a restore
 * @param drifted rows of the same state, but with other values
 * @param surplus rows that only the replica has
 * @param sent how many rows were sent
 * @param deleted how many deletes were sent
 */
public record DiffReport(
        CqrsId cqrsId,
        @Nullable String queue,
        Instant at,
        long missing,
        long stale,
        long ahead,
        long drifted,
        long surplus,
        long sent,
        long deleted) {

    /** Says whether the replica is as the master is. */
    public boolean isEqual() {
        return missing + stale + ahead + drifted + surplus == 0;
    }
}
