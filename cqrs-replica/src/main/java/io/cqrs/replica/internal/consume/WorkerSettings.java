package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaListener;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What all workers of a replica share. Immutable.
 *
 * @param queue where messages come from
 * @param definitions the replicas
 * @param schema the framework's tables
 * @param batchSize most changes a transaction
 * @param batchBytes no further message once a batch reaches so many bytes
 * @param retries how often and how soon a failed change is tried again
 * @param tombstoneRetention how long deleted keys are remembered
 * @param listener who is told
 * @param clock tells what has expired
 */
public record WorkerSettings(
        ReplicaQueue queue,
        List<ReplicaDefinition> definitions,
        CqrsSchema schema,
        int batchSize,
        long batchBytes,
        RetryPolicy retries,
        Duration tombstoneRetention,
        ReplicaListener listener,
        Clock clock) {

    Set<CqrsId> models() {
        return queue.models();
    }
}
