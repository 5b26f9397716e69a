package io.cqrs.master.hibernate;

import io.cqrs.core.EntityKey;
import io.cqrs.core.OutboxException;
import io.cqrs.master.hibernate.model.Dependencies.Dependency;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.Turns.Turn;
import io.cqrs.master.internal.outbox.JdbcOutbox;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.outbox.OutboxPipe;
import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/** What one transaction changed, by entity, in the order of each one's first change. Belongs to its session. */
final class ChangeSet {

    /** Threads exist only while large transactions are written. */
    private static final Executor HELPER = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "cqrs-outbox");
        thread.setDaemon(true);
        return thread;
    });

    private final SharedSessionContractImplementor session;
    private final Capture capture;
    private final Map<RowId, RowHistory> rows = new LinkedHashMap<>();
    private final RelatedChanges related;
    private final OutboxCommits.Ending ending;
    private boolean closed;
    private boolean sent;
    private @Nullable OutboxException refusal;

    ChangeSet(SharedSessionContractImplementor session, Capture capture) {
        this(session, capture, new RelatedChanges());
        ending.expect(this);
    }

    private ChangeSet(SharedSessionContractImplementor session, Capture capture, RelatedChanges related) {
        this.session = session;
        this.capture = capture;
        this.related = related;
        this.ending = OutboxCommits.of(session);
    }

    /** Returns one for a session within the same transaction, which leaves the masters that depend on its rows to this one. */
    ChangeSet within(SharedSessionContractImplementor other) {
        return new ChangeSet(other, capture, related);
    }

    void inserted(MasterModel model, Object id, Object entity, Object[] state) {
        history(model, id, false).inserted(model, entity, state);
    }

    void updated(MasterModel model, Object id, Object entity, Object @Nullable [] oldState, Object[] state) {
        history(model, id, true).updated(model, entity, oldState, state);
    }

    /** Takes note that a statement wrote the row, which was read before and behind it. */
    void rewritten(MasterModel model, Object id, Object entity, Object[] oldState, Object[] state) {
        history(model, id, true).rewritten(model, entity, oldState, state);
    }

    /** Takes note of the time that a row has, which is about to be deleted, whatever the instance has. */
    void found(MasterModel model, Object id, Instant updated) {
        history(model, id, true).found(updated);
    }

    /** Says whether the transaction wrote a row that it has not sent yet. */
    boolean hasWritten(MasterModel model, Object id) {
        RowHistory known = rows.get(new RowId(model, id));
        return known != null && known.hasBegun();
    }

    void deleted(MasterModel model, Object id, Object entity, Object[] state) {
        history(model, id, true).deleted(model, entity, state);
    }

    /**
     * Takes note that a row was written, for the masters that depend on it or on what it refers to; an old state that nobody knows
     * is refused.
     *
     * @param before its state before, or null for a new row
     * @param after its state after, or null where it is gone, or that is not told
     */
    void related(String name, Object id, Object @Nullable [] before, Object @Nullable [] after, boolean known) {
        if (closed) {
            throw lateChange("a row that masters depend on");
        }
        List<Dependency> here = capture.dependencies().on(name);
        if (!known && here.stream().anyMatch(one -> one.backReference() >= 0)) {
            throw refuse("a write of " + name
                    + " tells not what the row was, nor so which masters depended on it: load it in a Session, and change"
                    + " it there");
        }
        related.add(here, id, before, session);
        related.touch(here, name, id, before, after, session);
        for (Turn turn : capture.dependencies().turns().from(name)) {
            if (turn.isMadeBy(before, after, session)) {
                related.turn(turn, id);
            }
        }
    }

    /** Takes note that a collection of a row was changed, of this property where that is known. */
    void relatedCollection(String name, Object id, @Nullable String property) {
        related(name, id, null, null, true);
        for (Turn turn : capture.dependencies().turns().from(name)) {
            if (property == null ? turn.reference() < 0 : turn.property().equals(property)) {
                related.turn(turn, id);
            }
        }
    }

    /** Says whether a row of these is to be sent already. */
    boolean saves(MasterModel model, Object id) {
        RowHistory known = rows.get(new RowId(model, id));
        return known != null && known.savedState() != null;
    }

    /** Takes note that a row is sent again for what it depends on; the change differs in nothing that can be tracked. */
    void updatedByRelated(MasterModel model, Object id, Object entity, Object[] state) {
        RowHistory history = history(model, id, true);
        history.updated(model, entity, state, state);
        // Its class may be a master of its own, which declares no such path.
        history.forgetBefore();
    }

    /** Writes the last messages of the transaction, or leaves them to its commit; nothing may be recorded from here on. */
    void close() {
        if (refusal != null) {
            throw refusal;
        }
        session.getJdbcCoordinator().executeBatch();
        if (!rows.isEmpty() || !related.isEmpty()) {
            if (!session.getJdbcCoordinator().getLogicalConnection().isOpen()) {
                throw refuse(
                        "a session was closed before its transaction was committed, with changes that are not written to the"
                                + " outbox yet: close it behind the commit, as an EntityManager does by itself");
            }
            writeLastHoldingConnection();
        }
        closed = true;
        ending.closed(this);
    }

    private void writeLastHoldingConnection() {
        try {
            Sessions.holdingConnection(session, this::writeLast);
        } catch (RuntimeException | Error e) {
            if (!ending.commits()) {
                // A container may go on telling others of the commit, whatever one of them throws.
                OutboxException unused =
                        refuse("the changes could not be sent, roll the transaction back: " + e.getMessage());
            }
            throw e;
        }
    }

    private void writeLast() {
        try (RelatedChanges owners = related) {
            owners.saveOwners(session, this, capture);
            owners.share(session);
            closed = true;
            drain(this::writeLast);
        }
    }

    /** Says whether the commit is Hibernate's own, which has it closed, however late it was begun. */
    boolean isCommittedByHibernate() {
        return ending.commits();
    }

    /** Says whether there is nothing to close: it is, without a refusal, or its transaction is over or bound to be rolled back. */
    boolean isDone() {
        return refusal == null && (closed || ContainerGuard.isRollbackOnly(session)) || ending.isOver();
    }

    /** Says whether its transaction is over, whoever was told of that, where Hibernate commits: a container's is forgotten. */
    boolean isOver() {
        return ending.isOver();
    }

    /** Writes its last messages but for those of masters that depend on its rows. */
    void end() {
        closed = true;
        drain();
    }

    /** Writes the messages of what is recorded so far, and forgets it. */
    void drain() {
        Sessions.holdingConnection(session, () -> {
            related.lockOwners(session);
            related.share(session);
            drain(this::writeNow);
        });
    }

    private void drain(Consumer<List<OutboxMessage>> few) {
        ending.writeLeft();
        if (rows.isEmpty()) {
            return;
        }
        OutboxPipe pipe = capture.outbox().openPipe(Sessions.connection(session), HELPER);
        try {
            write(pipe);
            sent |= pipe.end(few);
        } finally {
            // Its own error is the first cause of any other.
            pipe.close();
        }
        rows.clear();
    }

    private void writeNow(List<OutboxMessage> messages) {
        capture.outbox().writeCaptured(Sessions.connection(session), messages);
    }

    /** Together with the commit, where that is Hibernate's and the driver's own. */
    private void writeLast(List<OutboxMessage> messages) {
        Connection connection = Sessions.connection(session);
        if (ending.takes(connection)) {
            ending.leave(capture.outbox().prepareLast(connection, messages));
        } else {
            writeNow(messages);
        }
    }

    private void write(OutboxPipe outbox) {
        MessageFactory factory = capture.messages(session);
        List<Map.Entry<RowId, RowHistory>> all = new ArrayList<>(rows.entrySet());
        try (Loader loader = new Loader(session)) {
            for (int from = 0; from < all.size(); from += JdbcOutbox.CHUNK) {
                var chunk = all.subList(from, Math.min(from + JdbcOutbox.CHUNK, all.size()));
                Map<EntityKey, Object> loaded = loader.load(factory, chunk);
                for (Map.Entry<RowId, RowHistory> row : chunk) {
                    RowId id = row.getKey();
                    // Nobody finds what a row that is gone, or turned to others, depended on.
                    if (related.concern(id.model())) {
                        row.getValue().forgetBefore();
                    }
                    factory.messages(id.id(), row.getValue(), loaded(factory, id, loaded))
                            .forEach(outbox::add);
                }
            }
        }
    }

    /** By key: the id of a row may have other digits than the one that it was written with. */
    private static @Nullable Object loaded(MessageFactory factory, RowId row, Map<EntityKey, Object> loaded) {
        return loaded.isEmpty() ? null : loaded.get(factory.key(row.model(), row.id()));
    }

    /** Takes note that another change set wrote on behalf of the same transaction. */
    void joined(ChangeSet other) {
        sent |= other.sent;
    }

    /** Says whether anything was written, or is left to the commit. */
    boolean hasSent() {
        return sent;
    }

    /** Makes sure that the transaction is not committed, whoever swallows the error. */
    OutboxException refuse(String reason) {
        refusal = new OutboxException(reason, null);
        ending.refuse(this, session);
        return refusal;
    }

    private RowHistory history(MasterModel model, Object id, boolean existsNow) {
        if (closed) {
            throw lateChange("an entity of " + model.cqrsId());
        }
        return rows.computeIfAbsent(new RowId(model, id), row -> new RowHistory(existsNow));
    }

    private OutboxException lateChange(String what) {
        return refuse(what
                + " was changed after the transaction's changes were written to the outbox: change it before"
                + " the commit begins, not in a synchronization or a callback of it");
    }

    record RowId(MasterModel model, Object id) {}

    /** Loads what serializers need, and rows of which not all is known, only if there are such. */
    private static final class Loader implements AutoCloseable {

        private final SharedSessionContractImplementor session;
        private @Nullable Instances instances;

        private Loader(SharedSessionContractImplementor session) {
            this.session = session;
        }

        Map<EntityKey, Object> load(MessageFactory factory, List<Map.Entry<RowId, RowHistory>> chunk) {
            Map<MasterModel, List<Object>> ids = new LinkedHashMap<>();
            for (Map.Entry<RowId, RowHistory> row : chunk) {
                @Nullable MasterModel model = row.getValue().savedModel();
                if (model != null
                        && (model.serialization() != null || row.getValue().lacksValues())
                        && factory.saves(row.getKey().id(), row.getValue())) {
                    ids.computeIfAbsent(model, one -> new ArrayList<>())
                            .add(row.getKey().id());
                }
            }
            if (instances != null) {
                instances.clear();
            }
            Map<EntityKey, Object> loaded = new LinkedHashMap<>();
            ids.forEach((model, wanted) -> instances()
                    .load(model, wanted)
                    .forEach((id, entity) -> loaded.put(factory.key(model, id), entity)));
            return loaded;
        }

        private Instances instances() {
            if (instances == null) {
                instances = new Instances(session);
            }
            return instances;
        }

        @Override
        public void close() {
            if (instances != null) {
                instances.close();
            }
        }
    }
}
