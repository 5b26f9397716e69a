package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SqlArrays;
import io.cqrs.transport.WireTime;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns changes into one array a column and binds them: a statement's plan serves batches of any size. */
final class RowArrays {

    private RowArrays() {}

    /**
     * Binds key, columns, time and revision of all changes, from the first parameter on.
     *
     * @return the index of the next parameter
     * @throws ReplicationException if a value can't be the column's, naming model, key and field
     */
    static int bind(
            PreparedStatement statement, List<Change> changes, List<ReplicaColumn> key, List<ReplicaColumn> columns)
            throws SQLException {
        int parameter = 1;
        for (int i = 0; i < key.size(); i++) {
            SqlArrays.setTexts(statement, parameter++, keyTexts(changes, key, i));
        }
        for (ReplicaColumn column : columns) {
            SqlArrays.setTexts(statement, parameter++, columnTexts(changes, column));
        }
        List<String> updated = new ArrayList<>(changes.size());
        List<Long> revisions = new ArrayList<>(changes.size());
        for (Change change : changes) {
            updated.add(WireTime.format(change.stamp().updated()));
            revisions.add(change.stamp().revision().value());
        }
        SqlArrays.setTexts(statement, parameter++, updated);
        SqlArrays.setLongs(statement, parameter++, revisions);
        return parameter;
    }

    private static List<@Nullable String> keyTexts(List<Change> changes, List<ReplicaColumn> key, int part) {
        List<@Nullable String> texts = new ArrayList<>(changes.size());
        for (Change change : changes) {
            texts.add(keyText(change, key, part));
        }
        return texts;
    }

    /**
     * Returns the text of a part of a change's key.
     *
     * @throws ReplicationException if the key does not fit the table's
     */
    static @Nullable String keyText(Change change, List<ReplicaColumn> key, int part) {
        List<?> parts = change.key().parts();
        if (parts.size() != key.size()) {
            throw new ReplicationException("the key of " + change.key() + " has " + parts.size()
                    + " part(s), the replica's primary key has " + key.size());
        }
        @Nullable String text = text(change, key.get(part), parts.get(part));
        requireInOrder(change, key, part, text);
        return text;
    }

    /** Each part of a key is a field, too: that tells parts that come in another order. */
    private static void requireInOrder(Change change, List<ReplicaColumn> key, int part, @Nullable String text) {
        ReplicaColumn column = key.get(part);
        @Nullable Object field = change.data().get(column.field());
        if (key.size() > 1 && field != null && !Objects.equals(text(change, column, field), text)) {
            throw new ReplicationException("the change of " + change.key() + " has another " + column.field()
                    + " than its key: declare the key's columns in the order of the master's parts");
        }
    }

    private static List<@Nullable String> columnTexts(List<Change> changes, ReplicaColumn column) {
        List<@Nullable String> texts = new ArrayList<>(changes.size());
        for (Change change : changes) {
            texts.add(text(change, column, change.data().get(column.field())));
        }
        return texts;
    }

    /**
     * Returns the text of a value.
     *
     * @throws ReplicationException if it can't be the column's, naming model, key and field
     */
    static @Nullable String text(Change change, ReplicaColumn column, @Nullable Object value) {
        try {
            return column.text(value);
        } catch (SerializationException e) {
            throw new ReplicationException("the change of " + change.key() + ": " + e.getMessage(), e);
        }
    }
}
