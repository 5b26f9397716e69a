package io.cqrs.it.chaos;

import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;

/** A row whose hooks fail now and then. */
@Entity
@Table(name = "item_ref")
@Replica(value = "item", handler = HookedWorker.Hooks.class)
class ChaosRef extends ReplicaEntity {

    @Id
    Long id;

    String name;
    Integer amount;
    BigDecimal price;
}
