package io.cqrs.it.readme;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;

@Entity
@Master("product")
class Product extends MasterEntity {
    @Id
    Long id;

    String sku;
    BigDecimal price;
}
