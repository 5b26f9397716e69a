package io.cqrs.master;

import org.jspecify.annotations.Nullable;

/**
 * How far a sync is.
 *
 * @param sent how many entities are in the outbox, or gone from there to the broker
 * @param skipped how many were found that are not sent: no sync instances
 * @param lastKey the key of the last one that was looked at, as JSON, behind which another sync may go on; null before the
 *     first
 * @param waiting whether it waits for the relay to publish what it has written
 */
public record SyncProgress(
        long sent, long skipped, @Nullable String lastKey, boolean waiting) {}
