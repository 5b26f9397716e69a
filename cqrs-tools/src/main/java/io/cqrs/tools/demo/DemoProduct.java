package io.cqrs.tools.demo;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** The demo's master entity. */
@Entity
@Table(name = "product")
@Master(value = "product", tracked = "price")
class DemoProduct extends MasterEntity {

    @Id
    private @Nullable Long id;

    private @Nullable String sku;
    private @Nullable BigDecimal price;
    private int stock;

    protected DemoProduct() {}

    DemoProduct(long id, String sku, BigDecimal price, int stock) {
        this.id = id;
        this.sku = sku;
        this.price = price;
        this.stock = stock;
    }

    void change(BigDecimal newPrice, int newStock) {
        this.price = newPrice;
        this.stock = newStock;
    }

    @Override
    public String toString() {
        return "product " + id + " " + sku + " " + price + " " + stock;
    }
}
