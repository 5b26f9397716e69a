package io.cqrs.master.hibernate;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.core.rows.RowDigest;
import io.cqrs.master.DiffReport;
import io.cqrs.master.MasterRows;
import io.cqrs.master.Restriction;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.internal.outbox.OutboxWindow;
import io.cqrs.master.internal.table.TableRows;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.MessageCodec;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.hibernate.Session;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a master whose data Java makes, or of which Java decides whether they are sent. What is compared of them is
 * what their table has of keys and revisions.
 */
public final class EntityRows implements MasterRows {

    private static final int PAGE = 1000;

    private final SessionFactoryImplementor factory;
    private final Capture capture;
    private final SyncSender syncs;
    private final OutboxWindow window;
    private final Class<?> type;
    private final TableRows keys;

    private EntityRows(SessionFactoryImplementor factory, Class<?> type, TableRows keys) {
        this.factory = factory;
        this.capture = Capture.of(factory);
        this.syncs = SyncSender.of(factory);
        this.window = new OutboxWindow(capture.schema());
        this.type = type;
        this.keys = keys;
    }

    /**
     * Opens the rows of an entity, as a table's where its columns hold all that is sent.
     *
     * @throws CqrsConfigurationException if the type is no master, or the persistence unit names no database
     */
    public static MasterRows open(EntityManagerFactory factory, Class<?> type) {
        SessionFactoryImplementor sessions = factory.unwrap(SessionFactoryImplementor.class);
        Capture capture = Capture.of(sessions);
        CqrsId cqrsId = capture.model(type.getName()).cqrsId();
        DataSource dataSource = UnitDatabase.of(factory);
        if (dataSource == null) {
            throw new CqrsConfigurationException("the persistence unit of " + cqrsId + " names no database");
        }
        try {
            return TableRows.open(dataSource, capture.schema(), EntityTables.of(factory, cqrsId));
        } catch (CqrsConfigurationException needsJava) {
            return new EntityRows(
                    sessions, type, TableRows.open(dataSource, capture.schema(), EntityTables.rowsOf(factory, cqrsId)));
        }
    }

    @Override
    public CqrsId cqrsId() {
        return keys.cqrsId();
    }

    @Override
    public Instant now() {
        return keys.now();
    }

    @Override
    public long count() {
        return keys.count();
    }

    /** All pages are read in one transaction, of one moment; of a hierarchy of a table per class, in one for each. */
    @Override
    public void dump(DumpSink sink) throws IOException {
        MessageCodec codec = new MessageCodec();
        pages(FieldFilter.all(), PAGE, (rows, messages) -> {
            for (Row row : rows) {
                byte[] data;
                try {
                    Change change = messages.current(row.model(), row.id(), row.instance(), row.state());
                    data = codec.encodeData(change);
                } catch (RuntimeException e) {
                    if (SqlStates.find(e) != null) {
                        throw e;
                    }
                    sink.failed(String.valueOf(row.id()), e);
                    continue;
                }
                sink.row(data, data.length);
            }
        });
    }

    @Override
    public void states(FieldFilter filter, int pageSize, PageSink sink) throws IOException {
        pages(filter, pageSize, (rows, messages) -> {
            StringJoiner page = new StringJoiner(",", "[", "]");
            for (Row row : rows) {
                Change change = messages.identify(row.model(), row.id(), row.state());
                page.add("[" + JsonText.write(change.key().value()) + ","
                        + change.stamp().revision() + "]");
            }
            if (!rows.isEmpty()) {
                sink.page(page.toString());
            }
        });
    }

    private void pages(FieldFilter filter, int pageSize, RowsSink sink) throws IOException {
        for (Class<?> one : EntityPages.types(factory, capture, type)) {
            pagesOf(one, filter, pageSize, sink);
        }
    }

    private <T> void pagesOf(Class<T> one, FieldFilter filter, int pageSize, RowsSink sink) throws IOException {
        EntityPages<T> pages = new EntityPages<>(factory, capture, one);
        SyncRequest.Settings<T> settings = new SyncRequest.Settings<>(
                Restriction.all(), filter, null, null, false, null, pageSize, progress -> {});
        try (Session session = Sessions.openReader(factory)) {
            session.beginTransaction();
            session.doWork(EntityRows::readOneMoment);
            MessageFactory messages = capture.messages((SharedSessionContractImplementor) session);
            Restriction<T> behind = Restriction.all();
            EntityPages.Page page;
            do {
                page = pages.read(session, settings, behind);
                List<Row> rows = new ArrayList<>();
                pages.visit(
                        session,
                        page.entities(),
                        messages,
                        (model, id, instance, state) -> rows.add(new Row(model, id, instance, state)));
                sink.rows(rows, messages);
                for (Object id : page.entities().keySet()) {
                    behind = pages.behind(id);
                }
                session.clear();
            } while (page.full());
            session.getTransaction().rollback();
        }
    }

    private static void readOneMoment(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("set transaction isolation level repeatable read, read only");
        }
    }

    @Override
    public List<Integer> missing(List<List<String>> wanted) {
        return keys.missing(wanted);
    }

    @Override
    public SyncProgress sync(
            List<List<String>> wanted, @Nullable String queue, boolean forced, Consumer<SyncProgress> listener)
            throws InterruptedException {
        long sent = 0;
        long skipped = 0;
        for (int from = 0; from < wanted.size(); from += PAGE) {
            List<List<String>> chunk = wanted.subList(from, Math.min(from + PAGE, wanted.size()));
            SyncProgress done = sync(type, chunk, queue, forced, listener);
            sent += done.sent();
            skipped += done.skipped();
        }
        return new SyncProgress(sent, skipped, null, false);
    }

    private <T> SyncProgress sync(
            Class<T> one,
            List<List<String>> chunk,
            @Nullable String queue,
            boolean forced,
            Consumer<SyncProgress> listener)
            throws InterruptedException {
        KeyFilter<T> filter = new KeyFilter<>(factory, capture.model(type.getName()));
        return syncs.send(
                one,
                new SyncRequest.Settings<>(
                        filter.of(chunk), FieldFilter.all(), null, queue, forced, null, PAGE + 1, listener),
                window);
    }

    @Override
    public long delete(List<RowDigest> rows, @Nullable String queue) {
        return keys.delete(rows, queue);
    }

    @Override
    public ComparedTable compared() {
        return keys.compared();
    }

    @Override
    public RangeReader ranges(List<String> fields) {
        return keys.ranges(fields);
    }

    @Override
    public void note(DiffReport report) {
        keys.note(report);
    }

    @Override
    public void close() {
        keys.close();
    }

    /** An entity that is sent. */
    private record Row(MasterModel model, Object id, Object instance, Object[] state) {}

    /** Takes a page of entities. */
    private interface RowsSink {
        void rows(List<Row> rows, MessageFactory messages) throws IOException;
    }
}
