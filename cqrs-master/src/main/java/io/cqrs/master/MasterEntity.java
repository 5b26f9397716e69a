package io.cqrs.master;

import io.cqrs.master.hibernate.CqrsUpdated;
import jakarta.persistence.Column;
import jakarta.persistence.MappedSuperclass;
import jakarta.persistence.Version;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Brings the two columns that every master table needs: the revision, which is the entity's {@code @Version}, and the
 * time of its last change. Entities are not thread-safe.
 */
@MappedSuperclass
public abstract class MasterEntity implements MasterMixin {

    @Version
    @Column(name = "cqrs_revision", nullable = false)
    private @Nullable Long cqrsRevision;

    @CqrsUpdated
    @Column(name = "cqrs_updated", nullable = false)
    private @Nullable Instant cqrsUpdated;

    /** Creates the entity; Hibernate keeps its columns. */
    protected MasterEntity() {}

    /** Returns how many commits changed the entity since its creation, or null before it was saved. */
    public @Nullable Long cqrsRevision() {
        return cqrsRevision;
    }

    /** Returns the database's time of the last change, or null before the entity was saved. */
    public @Nullable Instant cqrsUpdated() {
        return cqrsUpdated;
    }
}
