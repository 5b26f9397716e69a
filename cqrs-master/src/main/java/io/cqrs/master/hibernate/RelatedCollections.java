package io.cqrs.master.hibernate;

import org.hibernate.collection.spi.PersistentCollection;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.spi.AbstractCollectionEvent;
import org.hibernate.event.spi.PostCollectionRecreateEvent;
import org.hibernate.event.spi.PostCollectionRecreateEventListener;
import org.hibernate.event.spi.PostCollectionRemoveEvent;
import org.hibernate.event.spi.PostCollectionRemoveEventListener;
import org.hibernate.event.spi.PostCollectionUpdateEvent;
import org.hibernate.event.spi.PostCollectionUpdateEventListener;
import org.jspecify.annotations.Nullable;

/**
 * Takes a change of a collection that an entity owns for a change of the entity, for the masters that depend on it: an
 * entity without a version has no update of its own then. Masters have one. Stateless, thread-safe.
 */
final class RelatedCollections
        implements PostCollectionRecreateEventListener,
                PostCollectionUpdateEventListener,
                PostCollectionRemoveEventListener {

    private static final long serialVersionUID = 1L;

    private final transient Capture capture;

    RelatedCollections(Capture capture) {
        this.capture = capture;
    }

    @Override
    public void onPostRecreateCollection(PostCollectionRecreateEvent event) {
        changed(event);
    }

    @Override
    public void onPostUpdateCollection(PostCollectionUpdateEvent event) {
        changed(event);
    }

    @Override
    public void onPostRemoveCollection(PostCollectionRemoveEvent event) {
        changed(event);
    }

    private void changed(AbstractCollectionEvent event) {
        String owner = event.getAffectedOwnerEntityName();
        if (owner == null || !capture.dependencies().concern(owner)) {
            return;
        }
        @Nullable SharedSessionContractImplementor session = EventSessions.of(event);
        if (session == null) {
            capture.refuseUncaptured(owner);
        } else if (!isInverse(event.getCollection(), session)) {
            // Hibernate 6 does not tell the role of a new one.
            @Nullable String role = event.getCollection().getRole();
            capture.changes(session)
                    .relatedCollection(
                            owner,
                            event.getAffectedOwnerIdOrNull(),
                            role == null ? null : role.substring(role.lastIndexOf('.') + 1));
        }
    }

    /** Rows that refer to the owner by themselves are written, and told, by themselves. */
    private static boolean isInverse(PersistentCollection<?> collection, SharedSessionContractImplementor session) {
        String role = collection.getRole();
        return role != null
                && session.getFactory()
                        .getMappingMetamodel()
                        .getCollectionDescriptor(role)
                        .isInverse();
    }
}
