package io.cqrs.it.process;

import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** From the second version of an application on. */
@Entity
@Replica("late")
class LateRef extends ReplicaEntity {
    @Id
    Long id;

    String name;
}
