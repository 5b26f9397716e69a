package io.cqrs.tools.demo;

import io.cqrs.replica.Map;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** The demo's replica entity. */
@Entity
@Table(name = "product_ref")
@Replica(value = "product", mapping = @Map(master = "sku", replica = "code"))
class DemoProductRef extends ReplicaEntity {

    @Id
    private @Nullable Long id;

    private @Nullable String code;
    private @Nullable BigDecimal price;
    private int stock;

    protected DemoProductRef() {}

    @Override
    public String toString() {
        return "product " + id + " " + code + " " + price + " " + stock;
    }
}
