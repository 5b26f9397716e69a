package io.cqrs.master.hibernate;

import java.time.Instant;
import java.util.EnumSet;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.generator.BeforeExecutionGenerator;
import org.hibernate.generator.EventType;
import org.hibernate.generator.EventTypeSets;
import org.jspecify.annotations.Nullable;

/** Gives each written row its time. Works with {@code @DynamicUpdate} too, and leaves clean entities alone. */
public final class UpdatedGenerator implements BeforeExecutionGenerator {

    private static final long serialVersionUID = 1L;

    /** Called by Hibernate. */
    public UpdatedGenerator() {}

    @Override
    public Object generate(
            SharedSessionContractImplementor session,
            @Nullable Object owner,
            @Nullable Object currentValue,
            EventType eventType) {
        // What a new instance was given is no earlier time of this row.
        Instant before = eventType == EventType.UPDATE && currentValue instanceof Instant time ? time : null;
        return Capture.of(session.getFactory()).clock().next(before, () -> Sessions.connection(session));
    }

    @Override
    public EnumSet<EventType> getEventTypes() {
        return EventTypeSets.INSERT_AND_UPDATE;
    }
}
