package io.cqrs.examples.shop;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** What the catalogue service sells: the master. */
@Entity
@Master(value = "product", tracked = "price")
public class Product extends MasterEntity {

    @Id
    private @Nullable Long id;

    private @Nullable String sku;
    private @Nullable BigDecimal price;
    private int stock;

    /** Called by Hibernate. */
    protected Product() {}

    /** Creates a product. */
    public Product(long id, String sku, BigDecimal price, int stock) {
        this.id = id;
        this.sku = sku;
        this.price = price;
        this.stock = stock;
    }

    /** Returns what people order it by. */
    public @Nullable String sku() {
        return sku;
    }

    /** Returns the price. */
    public @Nullable BigDecimal price() {
        return price;
    }

    /** Returns how many there are. */
    public int stock() {
        return stock;
    }

    /** Sets the price. */
    public void reprice(BigDecimal newPrice) {
        this.price = newPrice;
    }

    /** Sets how many there are. */
    public void restock(int newStock) {
        this.stock = newStock;
    }
}
