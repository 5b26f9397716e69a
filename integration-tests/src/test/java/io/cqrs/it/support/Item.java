package io.cqrs.it.support;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;

@Entity
@Master("item")
public class Item extends MasterEntity {

    public static final String REPLICA = """
            create table item_ref (id bigint primary key, name text, amount int, unit_price numeric,
                cqrs_revision bigint not null, cqrs_updated timestamptz not null)""";
    public static final String COMPARED = "id, name, amount, unit_price, cqrs_revision, cqrs_updated";
    /** Hibernate names the column without an underscore: the wire has one all the same. */
    public static final String MASTERS = COMPARED.replace("unit_price", "unitPrice");

    @Id
    public Long id;

    public String name;
    public Integer amount;
    public BigDecimal unitPrice;

    protected Item() {}

    public Item(long id, String name) {
        this.id = id;
        this.name = name;
    }

    public Item with(int newAmount, String newPrice) {
        this.amount = newAmount;
        this.unitPrice = new BigDecimal(newPrice);
        return this;
    }
}
