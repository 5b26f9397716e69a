package io.cqrs.it.process;

import io.cqrs.core.Change;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import org.jspecify.annotations.Nullable;

/** A row whose hook ends the thread that calls it. */
@Entity
@Replica(value = "early", handler = FatalRef.Fatal.class)
class FatalRef extends ReplicaEntity {

    @Id
    Long id;

    /** Fails as the JVM does. */
    static final class Fatal extends ReplicaHandler<FatalRef> {
        @Override
        public @Nullable FatalRef save(@Nullable FatalRef row, Change change, ReplicaContext<FatalRef> context) {
            throw new InternalError("planted");
        }
    }
}
