package io.cqrs.replica;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.replica.internal.apply.Pending;
import io.cqrs.replica.internal.apply.ReplicaStates;
import io.cqrs.replica.internal.apply.SessionSql;
import io.cqrs.replica.internal.diff.RangeAnswer;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.WireTime;
import io.cqrs.transport.pipe.DiffStream;
import io.cqrs.transport.pipe.LineWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The replica's stages of being compared with its master. Streams are those of django-cqrs, a stage of which may stand
 * before or behind, or of checksums; docs/protocol.md tells both. Memory holds a page. Thread-safe.
 */
public final class ReplicaDiff {

    private static final int DELETES = 500;

    private final DataSource dataSource;
    private final Function<String, ReplicaDefinition> replicas;
    private final @Nullable EntitySessions entities;
    private final CqrsSchema schema;

    ReplicaDiff(
            DataSource dataSource,
            Function<String, ReplicaDefinition> replicas,
            @Nullable EntitySessions entities,
            CqrsSchema schema) {
        this.dataSource = dataSource;
        this.replicas = replicas;
        this.entities = entities;
        this.schema = schema;
    }

    /**
     * The second stage: of the master's keys and revisions it writes the keys that this replica lacks or has otherwise; of
     * its ranges, those that are otherwise here, and what is here.
     *
     * @param in what the master wrote
     * @param queue where the master is to send what is needed
     * @param patience how long what differs may be on its way: ranges are looked at again after it
     * @param told takes what there is to tell a person
     * @return how many keys were written, or rows of ranges
     * @throws io.cqrs.core.CqrsConfigurationException if there is no such replica, or it can't be compared
     * @throws SerializationException if the stream is wrong or ends early
     * @throws ReplicationException if the database refuses or is gone
     * @throws IOException if a stream can't be read or written
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public long answer(DiffStream in, String queue, Duration patience, OutputStream out, Consumer<String> told)
            throws IOException, InterruptedException {
        ReplicaDefinition replica = replicas.apply(in.cqrsId().value());
        try (Connection connection = dataSource.getConnection();
                SessionSettings session = SessionSettings.set(connection, SessionSql.SETTINGS)) {
            ReplicaStates states = ReplicaStates.open(connection, replica);
            long count = in.isOfChecksums()
                    ? new RangeAnswer(dataSource, states.compared(), in, told).write(queue, patience, out)
                    : answerKeys(in, states, queue, out, told);
            session.close();
            return count;
        } catch (SQLException e) {
            throw refused(replica.cqrsId(), e);
        }
    }

    private static long answerKeys(
            DiffStream in, ReplicaStates states, String queue, OutputStream out, Consumer<String> told)
            throws SQLException, IOException {
        LineWriter lines = new LineWriter(out);
        lines.write(in.cqrsId() + "," + WireTime.format(in.at()) + "," + queue);
        long count = 0;
        for (List<?> page = in.next(); page != null; page = in.next()) {
            List<Object> keys = new ArrayList<>();
            List<String> revisions = new ArrayList<>();
            for (Object one : page) {
                if (!(one instanceof List<?> pair) || pair.size() != 2 || !(pair.get(1) instanceof Long revision)) {
                    throw new SerializationException("line " + in.line() + " is no list of keys and revisions");
                }
                keys.add(pair.get(0));
                revisions.add(revision.toString());
            }
            List<?> different = states.different(keys.stream().map(in::key).toList(), revisions).stream()
                    .map(keys::get)
                    .toList();
            if (!different.isEmpty()) {
                String line = JsonText.write(different);
                lines.write(line);
                told.accept("PK to resync: " + line);
                count += different.size();
            }
        }
        return count;
    }

    /**
     * The first stage of looking for rows that only a replica has: writes its keys.
     *
     * @param pageSize how many a line
     * @return how many keys were written
     * @throws io.cqrs.core.CqrsConfigurationException if there is no such replica, or the filter does not fit
     * @throws ReplicationException if the database refuses or is gone
     * @throws IOException if the stream can't be written
     */
    public long keys(CqrsId cqrsId, FieldFilter filter, int pageSize, OutputStream out) throws IOException {
        ReplicaDefinition replica = replicas.apply(cqrsId.value());
        try (Connection connection = dataSource.getConnection();
                SessionSettings session = SessionSettings.set(connection, SessionSql.SETTINGS)) {
            ReplicaStates states = ReplicaStates.open(connection, replica);
            LineWriter lines = new LineWriter(out);
            String first = cqrsId + "," + WireTime.format(states.now());
            long count = 0;
            List<Object> page = states.keys(filter, null, pageSize);
            if (!page.isEmpty()) {
                lines.write(first);
            }
            while (!page.isEmpty()) {
                lines.write(JsonText.write(page));
                count += page.size();
                page = page.size() < pageSize ? List.of() : states.keys(filter, page.get(page.size() - 1), pageSize);
            }
            session.close();
            return count;
        } catch (SQLException e) {
            throw refused(cqrsId, e);
        }
    }

    /**
     * The last stage of it: deletes the rows with the keys that the master no longer has, as a message of the delete would;
     * rows that were written since the first stage stay.
     *
     * @param in what the master wrote
     * @return how many were deleted
     * @throws io.cqrs.core.CqrsConfigurationException if there is no such replica
     * @throws SerializationException if the stream is wrong or ends early
     * @throws ReplicationException if the database refuses or is gone
     * @throws IOException if the stream can't be read
     */
    public long delete(DiffStream in) throws IOException {
        ReplicaDefinition replica = replicas.apply(in.cqrsId().value());
        long deleted = 0;
        try (Connection connection = dataSource.getConnection();
                BatchApplier applier = BatchApplier.open(connection, List.of(replica), schema, entities, null)) {
            ReplicaStates states = ReplicaStates.open(connection, replica);
            for (List<?> page = in.next(); page != null; page = in.next()) {
                for (int from = 0; from < page.size(); from += DELETES) {
                    List<Change> changes =
                            states.deletes(page.subList(from, Math.min(from + DELETES, page.size())), in.at());
                    List<Pending> batch = changes.stream().map(Pending::new).toList();
                    applier.apply(batch);
                    deleted += batch.stream()
                            .filter(one -> one.outcome() == Outcome.APPLIED)
                            .count();
                }
            }
        } catch (SQLException e) {
            throw refused(replica.cqrsId(), e);
        }
        return deleted;
    }

    private static ReplicationException refused(CqrsId cqrsId, SQLException error) {
        return new ReplicationException("the database refused to compare " + cqrsId + ": " + error.getMessage(), error);
    }
}
