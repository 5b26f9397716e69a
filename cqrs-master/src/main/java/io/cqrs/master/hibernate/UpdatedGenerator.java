package io.cqrs.master.hibernate;

import java.lang.reflect.Member;
import java.time.Instant;
import java.util.EnumSet;
import org.hibernate.engine.spi.EntityEntry;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.generator.BeforeExecutionGenerator;
import org.hibernate.generator.EventType;
import org.hibernate.generator.EventTypeSets;
import org.hibernate.generator.GeneratorCreationContext;
import org.jspecify.annotations.Nullable;

/** Gives each written row its time. Works with {@code @DynamicUpdate} too, and leaves clean entities alone. */
public final class UpdatedGenerator implements BeforeExecutionGenerator {

    private static final long serialVersionUID = 1L;

    private final String property;
    private final String entityName;
    /** Of the factory that asked last: Hibernate looks its listeners up by services, for each row. */
    private transient volatile @Nullable Found found;

    /** Called by Hibernate. */
    public UpdatedGenerator(CqrsUpdated annotation, Member member, GeneratorCreationContext context) {
        this.property = context.getProperty().getName();
        this.entityName = context.getPersistentClass() == null
                ? ""
                : context.getPersistentClass().getEntityName();
    }

    @Override
    public Object generate(
            SharedSessionContractImplementor session,
            @Nullable Object owner,
            @Nullable Object currentValue,
            EventType eventType) {
        Sessions.requireTransaction(session);
        if (EventSessions.missIn(session)) {
            // Before the row is written: nobody can swallow the refusal and commit.
            capture(session).refuseUncaptured(entityName);
        }
        // What a new instance was given is no earlier time of this row.
        Object known = eventType == EventType.UPDATE ? loaded(session, owner, currentValue) : null;
        Instant before = known instanceof Instant time ? time : null;
        return capture(session).clock().next(before, () -> Sessions.connection(session));
    }

    private Capture capture(SharedSessionContractImplementor session) {
        SessionFactoryImplementor factory = session.getFactory();
        Found known = found;
        if (known == null || known.factory != factory) {
            known = new Found(factory, Capture.of(factory));
            found = known;
        }
        return known.capture;
    }

    /** The row's own time: a detached instance that is merged may bring any. */
    private @Nullable Object loaded(
            SharedSessionContractImplementor session, @Nullable Object owner, @Nullable Object currentValue) {
        EntityEntry entry =
                owner == null ? null : session.getPersistenceContextInternal().getEntry(owner);
        return entry == null || entry.getLoadedState() == null ? currentValue : entry.getLoadedValue(property);
    }

    @Override
    public EnumSet<EventType> getEventTypes() {
        return EventTypeSets.INSERT_AND_UPDATE;
    }

    private record Found(SessionFactoryImplementor factory, Capture capture) {}
}
