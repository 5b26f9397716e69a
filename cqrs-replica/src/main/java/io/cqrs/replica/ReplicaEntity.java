package io.cqrs.replica;

import jakarta.persistence.Column;
import jakarta.persistence.MappedSuperclass;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Brings the two columns that every replica table needs. Entities are not thread-safe. */
@MappedSuperclass
public abstract class ReplicaEntity {

    @Column(name = "cqrs_revision", nullable = false)
    private @Nullable Long cqrsRevision;

    @Column(name = "cqrs_updated", nullable = false)
    private @Nullable Instant cqrsUpdated;

    /** Creates the entity; JPA and the framework fill it. */
    protected ReplicaEntity() {}

    /** Returns the master's revision of this state, or null before it was loaded. */
    public @Nullable Long cqrsRevision() {
        return cqrsRevision;
    }

    /** Returns the master's time of this state, or null before it was loaded. */
    public @Nullable Instant cqrsUpdated() {
        return cqrsUpdated;
    }
}
