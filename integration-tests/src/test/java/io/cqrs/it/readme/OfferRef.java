package io.cqrs.it.readme;

import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;

@Entity
@Replica(value = "product", handler = PriceWatch.class)
class OfferRef extends ReplicaEntity {
    @Id
    Long id;

    BigDecimal price;
    BigDecimal lastPrice;
    boolean cheaper;
}
