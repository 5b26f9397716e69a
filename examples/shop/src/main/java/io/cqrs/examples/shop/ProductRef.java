package io.cqrs.examples.shop;

import io.cqrs.replica.Map;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** What the storefront service knows of a product: the replica. It calls the sku a code. */
@Entity
@Table(name = "product_ref")
@Replica(value = "product", mapping = @Map(master = "sku", replica = "code"))
public class ProductRef extends ReplicaEntity {

    @Id
    private @Nullable Long id;

    private @Nullable String code;
    private @Nullable BigDecimal price;
    private int stock;

    /** Called by Hibernate. */
    protected ProductRef() {}

    /** Returns the product's code. */
    public @Nullable String code() {
        return code;
    }

    /** Returns the price. */
    public @Nullable BigDecimal price() {
        return price;
    }

    /** Returns how many there are. */
    public int stock() {
        return stock;
    }
}
