package io.cqrs.master.hibernate;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.hibernate.model.Column;
import io.cqrs.master.hibernate.model.MasterModel;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.spi.PreDeleteEvent;
import org.hibernate.event.spi.PreDeleteEventListener;
import org.hibernate.metamodel.mapping.JdbcMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/**
 * Asks each row that is about to be deleted for its time, and holds it until it is.
 *
 * <p>The loaded instance may be of an earlier life of the key: where others deleted the row and created it anew meanwhile,
 * its revision may be the same again, and Hibernate's check of the version lets the delete pass. A delete that is no later
 * than the instance would leave the new life at the replicas. Stateless, thread-safe.
 */
final class RowsToDelete implements PreDeleteEventListener {

    private static final long serialVersionUID = 1L;

    private final transient Capture capture;

    RowsToDelete(Capture capture) {
        this.capture = capture;
    }

    @Override
    public boolean onPreDelete(PreDeleteEvent event) {
        @Nullable SharedSessionContractImplementor session = EventSessions.of(event);
        MasterModel model = capture.models().get(event.getPersister().getEntityName());
        // Where the event knows no session, the one after it refuses the delete.
        if (session != null && model != null && model.produce()) {
            ChangeSet changes = capture.changes(session);
            if (!changes.hasWritten(model, event.getId())) {
                @Nullable Instant updated = updated(session, event.getPersister(), model, event.getId());
                if (updated != null) {
                    changes.found(model, event.getId(), updated);
                }
            }
        }
        return false;
    }

    /** Returns the row's time, or null where it is gone or has none, or is kept apart from the key. */
    private static @Nullable Instant updated(
            SharedSessionContractImplementor session, EntityPersister persister, MasterModel model, Object id) {
        Column column = model.updated().column();
        if (!column.table().equals(persister.getIdentifierTableDetails().getTableName())) {
            return null;
        }
        List<String> names = new ArrayList<>();
        List<Parameter> key = new ArrayList<>();
        int unused = persister
                .getIdentifierMapping()
                .breakDownJdbcValues(
                        id,
                        (index, value, part) -> {
                            names.add(part.getSelectionExpression() + " = ?");
                            key.add(new Parameter(part.getJdbcMapping(), value));
                        },
                        session);
        String sql = "select " + TableName.quote(column.name()) + " from " + column.table() + " where "
                + String.join(" and ", names) + " for update";
        JdbcMapping type =
                (JdbcMapping) persister.getPropertyTypes()[model.updated().index()];
        try (PreparedStatement select = Sessions.connection(session).prepareStatement(sql)) {
            for (int i = 0; i < key.size(); i++) {
                key.get(i).bind(select, i + 1, session);
            }
            @Nullable Instant found = read(select, type, session);
            // A row that was deleted and created anew while this one waited is none of that statement's moment.
            return found == null ? read(select, type, session) : found;
        } catch (SQLException e) {
            throw session.getJdbcServices()
                    .getSqlExceptionHelper()
                    .convert(e, "the row of " + model.cqrsId() + " that is to be deleted could not be read", sql);
        }
    }

    private static @Nullable Instant read(
            PreparedStatement select, JdbcMapping type, SharedSessionContractImplementor session) throws SQLException {
        try (ResultSet row = select.executeQuery()) {
            return row.next()
                    ? (Instant) type.convertToDomainValue(
                            type.getJdbcValueExtractor().extract(row, 1, session))
                    : null;
        }
    }

    /** A column of the key, and its value. */
    private record Parameter(JdbcMapping type, Object value) {
        @SuppressWarnings("unchecked") // Hibernate's own value for its own column
        void bind(PreparedStatement statement, int index, SharedSessionContractImplementor session)
                throws SQLException {
            type.getJdbcValueBinder().bind(statement, value, index, session);
        }
    }
}
