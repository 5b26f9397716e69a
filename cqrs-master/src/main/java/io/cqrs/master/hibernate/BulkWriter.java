package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import io.cqrs.master.Assignment;
import io.cqrs.master.Restriction;
import io.cqrs.master.hibernate.model.MasterModel;
import jakarta.persistence.EntityManager;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.CriteriaDelete;
import jakarta.persistence.criteria.CriteriaQuery;
import jakarta.persistence.criteria.Order;
import jakarta.persistence.criteria.Root;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import org.hibernate.Filter;
import org.hibernate.ScrollMode;
import org.hibernate.ScrollableResults;
import org.hibernate.Session;
import org.hibernate.engine.spi.SessionImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.query.SelectionQuery;
import org.jspecify.annotations.Nullable;

/**
 * Writes many entities within the user's transaction, a statement for each thousand, and sends each of them: what a plain
 * bulk statement would do unseen.
 *
 * <ol>
 *   <li>The keys are read through a cursor, in their order.
 *   <li>A thousand at a time, the rows are locked, and read again with their old state. One that somebody changed meanwhile is
 *       left out where the restriction means it no longer, as a statement that waited for the row would.
 *   <li>They are updated or deleted by one statement, with revision and time.
 *   <li>Updated rows are read again, and their messages are written to the outbox.
 * </ol>
 *
 * <p>It works in a session of its own on the same connection and transaction: the user's session is flushed before, and its
 * instances stay as they are. Stateless, thread-safe.
 */
public final class BulkWriter {

    private static final int CHUNK = 1000;

    private final Capture capture;

    /** Writes through this capture. */
    public BulkWriter(Capture capture) {
        this.capture = capture;
    }

    /**
     * Inserts entities, cascades included.
     *
     * @return how many
     */
    public long insert(EntityManager manager, Iterable<?> entities) {
        // The connection's owner says how statements are batched, for the sessions that share it too.
        Session owner = manager.unwrap(Session.class);
        @Nullable Integer before = owner.getJdbcBatchSize();
        owner.setJdbcBatchSize(CHUNK);
        try {
            return within(manager, (session, changes) -> insert(session, changes, entities));
        } finally {
            owner.setJdbcBatchSize(before);
        }
    }

    private static long insert(Session session, ChangeSet changes, Iterable<?> entities) {
        long count = 0;
        for (Object entity : entities) {
            session.persist(entity);
            count++;
            if (count % CHUNK == 0) {
                flush(session, changes);
            }
        }
        flush(session, changes);
        return count;
    }

    private static void flush(Session session, ChangeSet changes) {
        session.flush();
        changes.drain();
        session.clear();
    }

    /**
     * Updates the entities that a restriction means.
     *
     * @return how many
     */
    public <T> long update(EntityManager manager, Class<T> type, Restriction<T> where, Assignment<T> set) {
        return byTypes(manager, type, (session, changes, one) -> update(session, changes, one, where, set));
    }

    private <T> long update(
            Session session, ChangeSet changes, Class<T> type, Restriction<T> where, Assignment<T> set) {
        StampedUpdate<T> update = new StampedUpdate<>(type, capture.model(type.getName()), set);
        return chunks(session, type, where, RowLocks.UPDATE, before -> {
            Instant now = capture.clock()
                    .next(latest(before), () -> Sessions.connection((SharedSessionContractImplementor) session));
            int written = update.on(session, before.keySet(), now).executeUpdate();
            if (written < before.size()) {
                throw new OutboxException(
                        (before.size() - written) + " of the rows of " + type.getName()
                                + " were kept from the bulk update, as by a trigger, a policy or a filter: change them one"
                                + " by one",
                        null);
            }
            send(session, changes, update.model(), before);
            session.clear();
        });
    }

    /** Within the sessions of the instances, which are asked about themselves. */
    private void send(Session session, ChangeSet changes, MasterModel any, Map<Object, Row> before) {
        SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
        try (Instances instances = new Instances(implementor)) {
            Map<Object, Object> now = instances.load(any, before.keySet());
            if (now.size() < before.size()) {
                throw new OutboxException(
                        (before.size() - now.size()) + " of the rows of " + any.cqrsId()
                                + " can't be read after the bulk"
                                + " update, as by an @SQLRestriction or under a new id: change them one by one",
                        null);
            }
            now.forEach((id, entity) -> {
                Row old = Objects.requireNonNull(before.get(id), "row");
                Object[] state = instances.state(entity);
                changes.rewritten(old.model(), id, entity, old.state(), state);
                capture.related(old.model().entityName(), id, old.state(), state, true, implementor);
            });
            changes.drain();
        }
    }

    /**
     * Deletes the entities that a restriction means; nothing cascades but what the database does.
     *
     * @return how many
     */
    public <T> long delete(EntityManager manager, Class<T> type, Restriction<T> where) {
        return byTypes(manager, type, (session, changes, one) -> delete(session, changes, one, where));
    }

    private <T> long delete(Session session, ChangeSet changes, Class<T> type, Restriction<T> where) {
        KeyOrder keys = KeyOrder.of(((SharedSessionContractImplementor) session).getFactory(), type);
        return chunks(session, type, where, RowLocks.DELETE, before -> {
            before.forEach((id, row) -> {
                changes.deleted(row.model(), id, row.entity(), row.state());
                capture.related(
                        row.model().entityName(), id, row.state(), null, true, (SharedSessionContractImplementor)
                                session);
            });
            CriteriaBuilder builder = session.getCriteriaBuilder();
            CriteriaDelete<T> delete = builder.createCriteriaDelete(type);
            delete.where(keys.in(delete.from(type), builder, before.keySet()));
            // Which rows are meant is decided: a filter must not decide again, and otherwise.
            List<Filter> filters = Filters.disable((SharedSessionContractImplementor) session);
            int unused = session.createMutationQuery(delete).executeUpdate();
            changes.drain();
            Filters.enable(filters, (SharedSessionContractImplementor) session);
            session.clear();
        });
    }

    @SuppressWarnings("unchecked") // what holds for a class holds for its subclasses
    private <T> long byTypes(EntityManager manager, Class<T> type, TypedBulk<T> bulk) {
        List<Class<? extends T>> types = LockableTypes.of(session(manager).getFactory(), type);
        List<Filter> filters = Filters.of(session(manager));
        return within(manager, (session, changes) -> {
            // As a statement of the user's session: what its filters hide is not written.
            Filters.enable(filters, (SharedSessionContractImplementor) session);
            long count = 0;
            for (Class<? extends T> one : types) {
                count += bulk.run(session, changes, (Class<T>) one);
            }
            return count;
        });
    }

    private <T> long chunks(Session session, Class<T> type, Restriction<T> where, String lock, Work work) {
        long count = 0;
        try (ScrollableResults<T> rows =
                inOrder(session, type, where).setFetchSize(CHUNK).scroll(ScrollMode.FORWARD_ONLY)) {
            Map<Object, Version> seen = new LinkedHashMap<>();
            while (rows.next()) {
                T entity = rows.get();
                Object id = session.getIdentifier(entity);
                Version version = row(session, entity).version();
                if (seen.size() == CHUNK && !seen.containsKey(id)) {
                    count += chunk(session, type, where, seen, lock, work);
                    seen.clear();
                }
                seen.putIfAbsent(id, version);
            }
            if (!seen.isEmpty()) {
                count += chunk(session, type, where, seen, lock, work);
            }
        }
        return count;
    }

    /** Works on the rows that are still meant once they are locked. */
    private <T> long chunk(
            Session session, Class<T> type, Restriction<T> where, Map<Object, Version> seen, String lock, Work work) {
        SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
        KeyOrder keys = KeyOrder.of(implementor.getFactory(), type);
        session.clear();
        List<Instant> unused = RowLocks.lock(implementor, capture.model(type.getName()), seen.keySet(), lock);
        Map<Object, Row> rows = rows(session, query(session, type, (row, cb) -> keys.in(row, cb, seen.keySet())));
        Set<Object> changed = new HashSet<>();
        rows.forEach((id, row) -> {
            if (!row.version().equals(seen.get(id))) {
                changed.add(id);
            }
        });
        if (!changed.isEmpty()) {
            Restriction<T> still = (row, cb) -> cb.and(where.on(row, cb), keys.in(row, cb, changed));
            changed.removeAll(rows(session, query(session, type, still)).keySet());
            rows.keySet().removeAll(changed);
        }
        if (!rows.isEmpty()) {
            work.on(rows);
        }
        return rows.size();
    }

    private Map<Object, Row> rows(Session session, SelectionQuery<?> query) {
        Map<Object, Row> rows = new LinkedHashMap<>();
        for (Object entity : query.getResultList()) {
            rows.put(session.getIdentifier(entity), row(session, entity));
        }
        return rows;
    }

    private static <T> SelectionQuery<T> query(Session session, Class<T> type, Restriction<T> where) {
        return query(session, type, where, (row, cb) -> List.of());
    }

    /** One that a join repeats must not come again behind its chunk, and two bulk writes are to lock rows in one order. */
    private static <T> SelectionQuery<T> inOrder(Session session, Class<T> type, Restriction<T> where) {
        KeyOrder keys = KeyOrder.of(((SharedSessionContractImplementor) session).getFactory(), type);
        return query(session, type, where, keys::ascending);
    }

    private static <T> SelectionQuery<T> query(
            Session session,
            Class<T> type,
            Restriction<T> where,
            BiFunction<Root<T>, CriteriaBuilder, List<Order>> order) {
        CriteriaBuilder builder = session.getCriteriaBuilder();
        CriteriaQuery<T> query = builder.createQuery(type);
        Root<T> root = query.from(type);
        query.select(root).where(where.on(root, builder)).orderBy(order.apply(root, builder));
        return session.createSelectionQuery(query);
    }

    private Row row(Session session, Object result) {
        Object entity = Instances.unproxied(result);
        SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
        Object[] state = implementor.getEntityPersister(null, entity).getValues(entity);
        return new Row(capture.model(entity, implementor), entity, state);
    }

    private static @Nullable Instant latest(Map<Object, Row> rows) {
        return rows.values().stream()
                .map(row -> row.version().updated())
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse(null);
    }

    private long within(EntityManager manager, Bulk bulk) {
        SharedSessionContractImplementor user = session(manager);
        manager.flush();
        user.getJdbcCoordinator().executeBatch();
        ChangeSet own = capture.changes(user);
        try {
            // What was changed before is sent as it is now: the bulk write may change or delete it again.
            own.drain();
            try (Session session = Sessions.openWithin(manager.unwrap(SessionImplementor.class))) {
                ChangeSet changes = capture.open((SharedSessionContractImplementor) session, own);
                long count = bulk.run(session, changes);
                changes.end();
                own.joined(changes);
                return count;
            }
        } catch (RuntimeException | Error e) {
            // Part of it may be written: the transaction must not be committed, whoever swallows the error.
            own.refuse("a bulk write failed, roll the transaction back: " + e.getMessage());
            throw e;
        }
    }

    private static SharedSessionContractImplementor session(EntityManager manager) {
        return manager.unwrap(SharedSessionContractImplementor.class);
    }

    private record Row(MasterModel model, Object entity, Object[] state) {
        Version version() {
            return new Version(
                    (Instant) state[model.updated().index()],
                    state[model.revision().index()]);
        }
    }

    /** Which state of a row it is: a change may leave one of both. */
    private record Version(
            @Nullable Instant updated, @Nullable Object revision) {}

    /** What is done in the session of the bulk write. */
    private interface Bulk {
        long run(Session session, ChangeSet changes);
    }

    /** What is done in it with the rows of one class. */
    private interface TypedBulk<T> {
        long run(Session session, ChangeSet changes, Class<T> type);
    }

    /** What is done with a chunk of rows, by id. */
    private interface Work {
        void on(Map<Object, Row> chunk);
    }
}
