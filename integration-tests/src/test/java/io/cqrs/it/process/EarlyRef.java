package io.cqrs.it.process;

import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** In the first version of an application. */
@Entity
@Replica("early")
class EarlyRef extends ReplicaEntity {
    @Id
    Long id;

    String name;
}
