package io.cqrs.replica.internal.load;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.lifecycle.ContentionRetry;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.BulkLoad;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.replica.internal.apply.Pending;
import io.cqrs.replica.internal.apply.SessionSql;
import io.cqrs.replica.internal.apply.StageLoader;
import io.cqrs.replica.internal.apply.StagedState;
import io.cqrs.replica.internal.load.DumpReader.Line;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.pipe.LineReader;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Loads lines of states under the guard, a batch at once; one that fails is halved until the lines that can't be loaded are
 * alone. Use once, by one thread.
 */
public final class Loader {

    private static final String BEYOND_HORIZON = "it is older than deletes that this replica has forgotten, and may be"
            + " deleted: say when the dump was taken, or use the diff";

    private final Connection connection;
    private final ReplicaDefinition definition;
    private final CqrsSchema schema;
    private final @Nullable EntitySessions entities;
    private final BulkLoad.Options options;
    private final MessageCodec codec = new MessageCodec();
    private final List<Reject> rejects = new ArrayList<>();
    private long written;
    private long unchanged;
    private long rejected;
    private long removed;
    private @Nullable Line<?> last;

    /** Works on this connection. */
    public Loader(
            Connection connection,
            ReplicaDefinition definition,
            CqrsSchema schema,
            @Nullable EntitySessions entities,
            BulkLoad.Options options) {
        this.connection = connection;
        this.definition = definition;
        this.schema = schema;
        this.entities = entities;
        this.options = options;
    }

    /**
     * Loads the lines.
     *
     * @throws CqrsConfigurationException if the table does not fit its declaration, or the dump is too old
     */
    public BulkLoad.Result load(LineReader lines) throws SQLException, IOException, InterruptedException {
        boolean hooks = definition.handler() != null;
        if (definition.table() == null) {
            throw new CqrsConfigurationException(
                    "replica " + definition.cqrsId() + " has a handler and no table that could be loaded");
        }
        if (hooks && options.clear()) {
            throw new CqrsConfigurationException("replica " + definition.cqrsId()
                    + " has hooks, which commit as they go: it can't be cleared and loaded at once. Delete its rows first,"
                    + " or load without clearing and run the diff");
        }
        try (SessionSettings session = SessionSettings.set(connection, SessionSql.SETTINGS);
                StageLoader stage = StageLoader.open(connection, definition, schema)) {
            boolean surely = isSure(stage);
            Function<byte[], Change> decoder = line -> codec.decodeData(definition.cqrsId(), stage.keyFields(), line);
            if (hooks) {
                withHooks(lines, decoder, surely);
            } else {
                staged(lines, decoder, stage, surely);
            }
            session.close();
        }
        return new BulkLoad.Result(written, unchanged, rejected, removed);
    }

    /** Whether all deletes since the dump was taken are still known. */
    private boolean isSure(StageLoader stage) throws SQLException {
        @Nullable Instant forgotten = stage.forgottenUpTo();
        @Nullable Instant takenAt = options.takenAt();
        if (takenAt != null && forgotten != null && !takenAt.isAfter(forgotten)) {
            throw new CqrsConfigurationException("the dump was taken at " + takenAt + ", and deletes of "
                    + definition.cqrsId() + " up to " + forgotten
                    + " are forgotten here: it may hold rows that are deleted. Take a new dump, or run the diff");
        }
        return takenAt != null;
    }

    private void withHooks(LineReader lines, Function<byte[], Change> decoder, boolean surely)
            throws SQLException, IOException, InterruptedException {
        try (BatchApplier applier = BatchApplier.open(connection, List.of(definition), schema, entities, null);
                DumpReader<Change> reader = new DumpReader<>(lines, decoder, options.batchSize())) {
            each(
                    reader,
                    states -> hooked(applier, states, surely),
                    (line, error) -> String.valueOf(error.getMessage()));
        }
    }

    private void staged(LineReader lines, Function<byte[], Change> decoder, StageLoader stage, boolean surely)
            throws SQLException, IOException, InterruptedException {
        Function<byte[], StagedState> staging = line -> stage.stage(decoder.apply(line));
        try (DumpReader<StagedState> reader = new DumpReader<>(lines, staging, options.batchSize())) {
            Explainer explainer = (line, error) -> reason(stage, decoder.apply(line), error);
            if (!options.clear()) {
                each(reader, states -> Transactions.run(connection, same -> stage.load(states, surely)), explainer);
                return;
            }
            connection.setAutoCommit(false);
            try {
                stage.noteKeys();
                each(reader, states -> saved(stage, states, surely), explainer);
                requireWhole(lines);
                // A line that can't be loaded says that its row is there.
                removed = rejected > 0 ? 0 : stage.removeOthers();
                connection.commit();
            } finally {
                // Nothing to roll back once it is committed.
                connection.rollback();
                connection.setAutoCommit(true);
            }
        }
    }

    /** What a dump does not have is removed: so it has to be one, and whole. */
    private void requireWhole(LineReader lines) {
        if (last == null) {
            throw new SerializationException("the dump has no rows: nothing was removed or loaded");
        }
        if (lines.hadEnd()) {
            throw new SerializationException(
                    "line " + last.number() + ", the last one, has a line end, which a whole dump's"
                            + " has not: it may be cut short, and nothing was removed or loaded");
        }
        if (last.reason() != null) {
            throw new SerializationException("line " + last.number() + ", the last one, can't be read (" + last.reason()
                    + "): the dump may be cut short, and nothing was removed or loaded");
        }
    }

    private <S> void each(DumpReader<S> reader, Writer<S> writer, Explainer explainer)
            throws SQLException, IOException, InterruptedException {
        for (List<Line<S>> batch = reader.next(); !batch.isEmpty(); batch = reader.next()) {
            load(batch.stream().filter(line -> line.state() != null).toList(), writer, explainer);
            for (Line<S> line : batch) {
                if (line.reason() != null) {
                    reject(line, line.reason());
                }
            }
            tellRejected();
            last = batch.get(batch.size() - 1);
            options.progress().accept(written + unchanged + rejected);
        }
    }

    /** Writes lines, or halves of them, until those that can't be written are alone. */
    private <S> void load(List<Line<S>> lines, Writer<S> writer, Explainer explainer)
            throws SQLException, InterruptedException {
        if (lines.isEmpty()) {
            return;
        }
        List<S> states = lines.stream()
                .map(line -> Objects.requireNonNull(line.state(), "state"))
                .toList();
        try {
            StageLoader.Loaded loaded = ContentionRetry.run(() -> writer.write(states));
            for (int place : loaded.beyondHorizon()) {
                reject(lines.get(place), BEYOND_HORIZON);
            }
            written += loaded.written();
            unchanged +=
                    lines.size() - loaded.written() - loaded.beyondHorizon().size();
        } catch (SQLException | RuntimeException e) {
            @Nullable SQLException sql = SqlStates.find(e);
            if (sql != null && (SqlStates.isUnavailable(sql) || SqlStates.isRefusing(sql))) {
                throw e;
            }
            if (lines.size() == 1) {
                reject(lines.get(0), explainer.explain(lines.get(0).text(), e));
                return;
            }
            load(lines.subList(0, lines.size() / 2), writer, explainer);
            load(lines.subList(lines.size() / 2, lines.size()), writer, explainer);
        }
    }

    private String reason(StageLoader stage, Change state, Exception error) throws SQLException {
        if (!(error instanceof SQLException sql)) {
            return String.valueOf(error.getMessage());
        }
        if (connection.getAutoCommit()) {
            return stage.explain(state, sql);
        }
        Savepoint before = connection.setSavepoint();
        try {
            return stage.explain(state, sql);
        } finally {
            connection.rollback(before);
        }
    }

    private void reject(Line<?> line, String reason) {
        rejects.add(new Reject(line, reason));
    }

    /** In the order of the lines, whatever the order in which they were found out. */
    private void tellRejected() throws IOException {
        rejects.sort(Comparator.comparingLong(one -> one.line().number()));
        for (Reject one : rejects) {
            options.rejects()
                    .rejected(
                            definition.cqrsId(), one.line().number(), one.line().text(), one.reason());
        }
        rejected += rejects.size();
        rejects.clear();
    }

    private StageLoader.Loaded saved(StageLoader stage, List<StagedState> states, boolean surely) throws SQLException {
        Savepoint before = connection.setSavepoint();
        try {
            StageLoader.Loaded loaded = stage.load(states, surely);
            connection.releaseSavepoint(before);
            return loaded;
        } catch (SQLException | RuntimeException e) {
            connection.rollback(before);
            throw e;
        }
    }

    private static StageLoader.Loaded hooked(BatchApplier applier, List<Change> states, boolean surely)
            throws SQLException {
        List<Pending> batch = states.stream().map(Pending::new).toList();
        applier.apply(batch);
        List<Integer> beyond = new ArrayList<>();
        List<Pending> unsure = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            if (batch.get(i).outcome() == Outcome.NEEDS_SYNC) {
                beyond.add(i);
                Change state = batch.get(i).change();
                unsure.add(new Pending(Change.of(Signal.SYNC, state.key(), state.stamp(), state.data())));
            }
        }
        long changed = changed(batch);
        if (surely && !unsure.isEmpty()) {
            // There are no rows of these that a sync could turn back.
            applier.apply(unsure);
            beyond.clear();
            changed += changed(unsure);
        }
        return new StageLoader.Loaded(changed, beyond);
    }

    private static long changed(List<Pending> batch) {
        return batch.stream()
                .filter(one -> one.outcome() == Outcome.APPLIED || one.outcome() == Outcome.APPLIED_AFTER_GAP)
                .count();
    }

    /** A line that can't be loaded. */
    private record Reject(Line<?> line, String reason) {}

    /** Writes states. */
    private interface Writer<S> {
        StageLoader.Loaded write(List<S> states) throws SQLException;
    }

    /** Says what is wrong with a line that could not be written. */
    private interface Explainer {
        String explain(byte[] line, Exception error) throws SQLException;
    }
}
