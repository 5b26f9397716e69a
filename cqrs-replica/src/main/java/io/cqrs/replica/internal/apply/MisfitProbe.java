package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the value that the database refused, which its error does not name: tries each with its column's type. */
final class MisfitProbe {

    /** A cast cuts these off silently, where an assignment refuses them. */
    private static final Set<String> CUT = Set.of("varchar", "bpchar", "bit", "varbit", "_varchar", "_bpchar");

    private final Connection connection;
    private final ReplicaTable table;

    MisfitProbe(Connection connection, ReplicaTable table) {
        this.connection = connection;
        this.table = table;
    }

    /**
     * Returns what is wrong with a change.
     *
     * @param cause the database's error
     * @return null where every value fits its column
     */
    @Nullable
    ReplicationException find(Change change, SQLException cause) throws SQLException {
        List<?> key = change.key().parts();
        for (int i = 0; i < Math.min(key.size(), table.key().size()); i++) {
            if (!fits(table.key().get(i), key.get(i))) {
                return misfit(change, table.key().get(i), cause);
            }
        }
        for (ReplicaColumn column : table.columns()) {
            boolean sent = change.data().containsKey(column.field());
            if (sent && !fits(column, change.data().get(column.field()))) {
                return misfit(change, column, cause);
            }
        }
        return null;
    }

    private boolean fits(ReplicaColumn column, @Nullable Object value) throws SQLException {
        if (value == null) {
            return !column.notNull();
        }
        String cut = CUT.contains(column.type())
                ? "(?::text::%s)::text = (?::text::%s)::text".formatted(column.exact(), column.declared())
                : "?::text::%1$s is not null or ?::text::%1$s is null".formatted(column.exact());
        try (PreparedStatement statement = connection.prepareStatement("select " + cut)) {
            statement.setString(1, column.text(value));
            statement.setString(2, column.text(value));
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        } catch (SerializationException e) {
            // Only a hook knows what it means.
            return true;
        } catch (SQLException e) {
            if (SqlStates.isMisfit(e)) {
                return false;
            }
            throw e;
        }
    }

    private static ReplicationException misfit(Change change, ReplicaColumn column, SQLException cause) {
        return new ReplicationException(
                "the change of " + change.key() + ": field " + column.field() + " does not fit column " + column.name()
                        + ", which is " + column.exact() + (column.notNull() ? " not null" : "") + " (SQLSTATE "
                        + SqlStates.state(cause) + ")",
                cause);
    }
}
