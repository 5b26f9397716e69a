package io.cqrs.it.process;

import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** A row whose hooks fail. */
@Entity
@Replica(value = "flaky", handler = FlakyWorker.Flaky.class)
class FlakyRef extends ReplicaEntity {

    @Id
    Long id;

    String name;
}
