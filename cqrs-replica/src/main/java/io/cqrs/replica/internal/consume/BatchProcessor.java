package io.cqrs.replica.internal.consume;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.Pending;
import io.cqrs.replica.internal.apply.TableAlteredException;
import io.cqrs.replica.internal.apply.UnsweptException;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.Delivery;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees each message of a batch through: when it returns, every one is applied, or safe in another queue of the broker.
 *
 * <ol>
 *   <li>Open batches: from here on each change is a message of its own.
 *   <li>Decode; what is not understood, unknown or expired goes to the dead letters.
 *   <li>Apply, no more at once than a transaction is to have: the deletes in one transaction, the rest in another.
 *   <li>Rolled back by contention: the same again, after a short wait, without spending the messages' attempts.
 *   <li>The database refuses writes (disk full, read-only): the same again, for as long as it takes.
 *   <li>The database is gone, or a table was altered: the error ends the session.
 *   <li>Anything else: halve, in the order of arrival, until the one bad change is alone; it is tried again later, or
 *       goes to the dead letters. A row that refers to one that has not come is tried again for an hour.
 * </ol>
 */
final class BatchProcessor {

    private static final Logger LOG = LoggerFactory.getLogger(BatchProcessor.class);
    private static final int CONTENTION_TRIES = 10;
    private static final Backoff CONTENTION = Backoff.exponential(Duration.ofMillis(5), Duration.ofSeconds(1));

    private static final Backoff REFUSED = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(10));

    private final WorkerSettings settings;
    private final BatchApplier applier;
    private final FailedMessages failed;
    private final SessionLoop.Control control;
    private final MessageCodec codec = new MessageCodec();
    /** Of the batch in hand. */
    private final Set<Pending> told = Collections.newSetFromMap(new IdentityHashMap<>());

    BatchProcessor(WorkerSettings settings, BatchApplier applier, FailedMessages failed, SessionLoop.Control control) {
        this.settings = settings;
        this.applier = applier;
        this.failed = failed;
        this.control = control;
    }

    void process(List<Delivery> deliveries) throws SQLException, InterruptedException {
        long start = System.nanoTime();
        List<Delivery> messages = new ArrayList<>(deliveries.size());
        deliveries.forEach(delivery -> open(delivery, messages));
        List<Incoming> batch = new ArrayList<>(messages.size());
        for (Delivery message : messages) {
            decode(message, batch);
            failed.flushMany();
        }
        told.clear();
        try {
            for (List<Incoming> part : parts(batch, settings.batchSize())) {
                apply(part);
            }
        } catch (SQLException | TableAlteredException e) {
            // What comes again is a duplicate: nobody else will tell of it.
            tell(batch.stream().filter(one -> one.pending().isCommitted()).toList());
            throw e;
        }
        failed.flush();
        settings.listener()
                .batch(messages.size(), Duration.ofNanos(System.nanoTime() - start), traceParents(deliveries));
    }

    /** One message may hold more changes than a transaction is to have. */
    private static List<List<Incoming>> parts(List<Incoming> batch, int most) {
        int count = (batch.size() + most - 1) / most;
        List<List<Incoming>> parts = new ArrayList<>(count);
        for (int part = 0; part < count; part++) {
            parts.add(batch.subList(part * batch.size() / count, (part + 1) * batch.size() / count));
        }
        return parts;
    }

    private static Set<String> traceParents(List<Delivery> deliveries) {
        Set<String> traceParents = new LinkedHashSet<>();
        for (Delivery delivery : deliveries) {
            if (delivery.headers().get(Headers.TRACE_PARENT) instanceof String traceParent) {
                traceParents.add(traceParent);
            }
        }
        return traceParents;
    }

    /** From here on each change of a batch is a message of its own: whatever becomes of it becomes of it alone. */
    private void open(Delivery delivery, List<Delivery> messages) {
        try {
            messages.addAll(MessageBatch.open(delivery));
        } catch (SerializationException e) {
            failed.deadLetter(delivery, null, 1, e);
        }
    }

    private void decode(Delivery delivery, List<Incoming> batch) {
        @Nullable EntityKey key = null;
        int attempts = 1;
        try {
            Message message = codec.decode(delivery.body());
            attempts = message.retries() + 1;
            key = message.change().key();
            ReplicaDefinition definition = settings.definitions().get(key.cqrsId());
            if (definition == null) {
                throw new SerializationException("no replica of " + key.cqrsId() + " is declared here");
            }
            if (message.isExpiredAt(settings.clock().instant())) {
                throw new ReplicationException("the message of " + key + " expired at " + message.expires());
            }
            if (definition.onlyDirectSyncs() && isSyncToAll(message, delivery)) {
                settings.listener().ended(definition.cqrsId(), Outcome.SKIPPED, 1);
                return;
            }
            requireMapped(message.change(), definition);
            boolean forced = Boolean.TRUE.equals(delivery.headers().get(Headers.FORCE));
            batch.add(
                    new Incoming(delivery, message, new Pending(message.change().withForced(forced))));
        } catch (RuntimeException e) {
            if (key != null && settings.definitions().containsKey(key.cqrsId())) {
                failed.reject(delivery, key, attempts, e);
            } else {
                failed.deadLetter(delivery, key, attempts, e);
            }
        }
    }

    private static void requireMapped(Change change, ReplicaDefinition definition) {
        for (String field : definition.mapped()) {
            if (change.signal() != Signal.DELETE && !change.data().containsKey(field)) {
                throw new ReplicationException("the change of " + change.key() + " has no field " + field
                        + ", which the replica maps: let the master send it, or take it out of the mapping");
            }
        }
    }

    private static boolean isSyncToAll(Message message, Delivery delivery) {
        Change change = message.change();
        return change.signal() == Signal.SYNC
                && RoutingKeys.isToAll(delivery.routingKey(), change.key().cqrsId());
    }

    private void apply(List<Incoming> batch) throws SQLException, InterruptedException {
        try {
            applyThroughContention(batch);
        } catch (TableAlteredException e) {
            throw e;
        } catch (SQLException e) {
            if (SqlStates.isUnavailable(e) || SqlStates.isRefusing(e)) {
                throw e;
            }
            isolate(batch, e);
            return;
        } catch (RuntimeException e) {
            isolate(batch, e);
            return;
        }
        report(batch);
    }

    private void isolate(List<Incoming> batch, Exception error) throws SQLException, InterruptedException {
        applier.requireConnection(error);
        if (batch.size() > 1) {
            int middle = batch.size() / 2;
            apply(batch.subList(0, middle));
            apply(batch.subList(middle, batch.size()));
            return;
        }
        Incoming one = batch.get(0);
        // A change that does not fit the table as it was may fit the table as it is.
        applier.requireUnaltered(one.message().change().key().cqrsId());
        LOG.debug("{} failed", one.message().change(), error);
        if (error instanceof ReplicationException || error instanceof SerializationException) {
            failed.reject(one, error);
        } else if (error instanceof SQLException sql
                && SqlStates.isMissingParent(sql)
                && one.message().change().signal() != Signal.DELETE) {
            failed.awaitParent(one, error);
        } else {
            boolean innocent = error instanceof UnsweptException
                    || (error instanceof SQLException sql && SqlStates.isContention(sql));
            failed.retryOrDeadLetter(one, error, !innocent);
        }
    }

    private void applyThroughContention(List<Incoming> batch) throws SQLException, InterruptedException {
        List<Pending> pending = batch.stream().map(Incoming::pending).toList();
        for (int attempt = 1; ; attempt++) {
            try {
                applier.apply(pending);
                return;
            } catch (SQLException e) {
                boolean contention = SqlStates.isContention(e) && attempt < CONTENTION_TRIES;
                if (control.stopping() || (!contention && !SqlStates.isRefusing(e))) {
                    throw e;
                }
                if (!contention) {
                    LOG.warn("the replica's database refuses writes for now, waiting: {}", Reasons.of(e));
                }
                control.pause((contention ? CONTENTION : REFUSED).delay(attempt));
            }
        }
    }

    private void report(List<Incoming> batch) {
        for (Incoming one : batch) {
            if (one.pending().outcome() == Outcome.NEEDS_SYNC) {
                failed.deadLetter(
                        one.delivery(),
                        one.message().change().key(),
                        one.message().retries() + 1,
                        new ReplicationException(one.message().change()
                                + " is older than the deletes remembered here: sync the entity from its master"));
            }
        }
        tell(batch);
    }

    private void tell(List<Incoming> done) {
        List<Incoming> batch =
                done.stream().filter(one -> told.add(one.pending())).toList();
        Instant now = settings.clock().instant();
        batch.stream().filter(BatchProcessor::isApplied).forEach(one -> tellApplied(one, now));
        BatchApplier.count(batch.stream().map(Incoming::pending).toList())
                .forEach((cqrsId, counts) ->
                        counts.forEach((outcome, count) -> settings.listener().ended(cqrsId, outcome, count)));
    }

    private static boolean isApplied(Incoming one) {
        Outcome outcome = one.pending().outcome();
        return outcome == Outcome.APPLIED || outcome == Outcome.APPLIED_AFTER_GAP;
    }

    private void tellApplied(Incoming one, Instant now) {
        Change change = one.message().change();
        CqrsId cqrsId = change.key().cqrsId();
        settings.listener().applied(cqrsId, Duration.between(change.stamp().updated(), now));
        ReplicaDefinition definition = settings.definitions().get(cqrsId);
        if (definition != null && definition.handler() != null) {
            try {
                definition.handler().afterCommit(change);
            } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
                LOG.error("afterCommit of {} failed, the change is applied all the same", change, e);
            }
        }
    }
}
