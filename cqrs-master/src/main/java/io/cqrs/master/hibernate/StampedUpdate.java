package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.master.Assignment;
import io.cqrs.master.hibernate.model.MasterModel;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.CriteriaUpdate;
import jakarta.persistence.criteria.Root;
import java.time.Instant;
import java.util.Collection;
import org.hibernate.Session;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.query.MutationQuery;
import org.hibernate.query.criteria.JpaCriteriaUpdate;
import org.hibernate.query.sqm.tree.domain.SqmPath;
import org.hibernate.query.sqm.tree.update.SqmAssignment;
import org.hibernate.query.sqm.tree.update.SqmUpdateStatement;

/**
 * A statement that sets what a user assigns, and revision and time besides.
 *
 * @param type the entity that the user names
 * @param model the master that it is
 * @param set what the user assigns
 */
record StampedUpdate<T>(Class<T> type, MasterModel model, Assignment<T> set) {

    /**
     * Returns the statement for some rows.
     *
     * @throws CqrsConfigurationException if the user sets revision or time
     */
    MutationQuery on(Session session, Collection<?> ids, Instant now) {
        CriteriaBuilder builder = session.getCriteriaBuilder();
        CriteriaUpdate<T> update = builder.createCriteriaUpdate(type);
        Root<T> root = update.from(type);
        set.on(update, root, builder);
        refuseStamp((SqmUpdateStatement<T>) update, root);
        update.set(model.updated().property(), now);
        update.where(KeyOrder.of(((SharedSessionContractImplementor) session).getFactory(), type)
                .in(root, builder, ids));
        return session.createMutationQuery(((JpaCriteriaUpdate<T>) update).versioned());
    }

    /** The database would say that a column is assigned twice, not by whom. */
    private void refuseStamp(SqmUpdateStatement<T> update, Root<T> root) {
        if (update.getSetClause() == null) {
            return;
        }
        for (SqmAssignment<?> one : update.getSetClause().getAssignments()) {
            SqmPath<?> path = one.getTargetPath();
            String name = path.getReferencedPathSource().getPathName();
            if (path.getLhs() == root
                    && (name.equals(model.revision().property())
                            || name.equals(model.updated().property()))) {
                throw new CqrsConfigurationException("bulkUpdate of " + type.getName() + " sets " + name
                        + ", which is set with each bulk update: leave it out of the assignment");
            }
        }
    }
}
