package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What all workers of a replica share. Immutable.
 *
 * @param queue where messages come from
 * @param definitions the replicas by model, as declared
 * @param entities opens what handlers of entities work with, or null where there are none
 * @param schema the framework's tables
 * @param batchSize most changes a transaction
 * @param batchBytes no further message once a batch reaches so many bytes
 * @param retries how often and how soon a failed change is tried again
 * @param parentPatience how long a row waits for one that it refers to
 * @param statementTimeout after which the database cancels a statement, or null for never
 * @param deadLetterTimeToLive after which a dead letter is dropped, or null for never
 * @param tombstoneRetention how long deleted keys are remembered
 * @param listener who is told
 * @param clock tells what has expired
 */
public record WorkerSettings(
        ReplicaQueue queue,
        Map<CqrsId, ReplicaDefinition> definitions,
        @Nullable EntitySessions entities,
        CqrsSchema schema,
        int batchSize,
        long batchBytes,
        RetryPolicy retries,
        Duration parentPatience,
        @Nullable Duration statementTimeout,
        @Nullable Duration deadLetterTimeToLive,
        Duration tombstoneRetention,
        ReplicaListener listener,
        Clock clock) {}
