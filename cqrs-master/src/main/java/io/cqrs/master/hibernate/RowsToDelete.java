package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.MasterModel;
import java.util.List;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.spi.PreDeleteEvent;
import org.hibernate.event.spi.PreDeleteEventListener;
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
        if (session == null) {
            // Before the row is gone: nobody can swallow the refusal and commit.
            capture.refuseUncaptured(event.getPersister().getEntityName());
        } else if (model != null && model.produce()) {
            ChangeSet changes = capture.changes(session);
            if (!changes.hasWritten(model, event.getId())) {
                RowLocks.lock(session, model, List.of(event.getId()), RowLocks.DELETE)
                        .forEach(updated -> changes.found(model, event.getId(), updated));
            }
        }
        return false;
    }
}
