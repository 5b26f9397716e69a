package io.cqrs.it.readme;

import io.cqrs.replica.Map;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;

@Entity
@Replica(value = "product", mapping = @Map(master = "sku", replica = "code"))
class ProductRef extends ReplicaEntity {
    @Id
    Long id;

    String code;
    BigDecimal price;
}
