package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.TableName;
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
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.type.BasicType;
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

    /** Returns the row's time, or null where it is gone or has none. */
    private static @Nullable Instant updated(
            SharedSessionContractImplementor session, EntityPersister persister, MasterModel model, Object id) {
        List<String> key = new ArrayList<>();
        persister
                .getIdentifierMapping()
                .forEachSelectable((index, column) -> key.add(column.getSelectionExpression() + " = ?"));
        String sql = "select " + TableName.quote(model.updated().column().name()) + " from "
                + model.updated().column().table() + " where " + String.join(" and ", key) + " for update";
        try (PreparedStatement select = Sessions.connection(session).prepareStatement(sql)) {
            persister.getIdentifierType().nullSafeSet(select, id, 1, session);
            try (ResultSet row = select.executeQuery()) {
                BasicType<?> type = (BasicType<?>)
                        persister.getPropertyTypes()[model.updated().index()];
                return row.next() ? (Instant) type.getJdbcValueExtractor().extract(row, 1, session) : null;
            }
        } catch (SQLException e) {
            throw new OutboxException(
                    "the row of " + model.cqrsId() + " that is to be deleted could not be read: " + e.getMessage(), e);
        }
    }
}
