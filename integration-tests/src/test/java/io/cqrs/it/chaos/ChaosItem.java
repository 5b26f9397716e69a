package io.cqrs.it.chaos;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;

/** A row that Hibernate captures. */
@Entity
@Table(name = "item")
@Master("item")
class ChaosItem extends MasterEntity {

    static final String COLUMNS = "id, name, amount, price, cqrs_revision, cqrs_updated";
    static final String TABLE = """
            create table %s (id bigint primary key, name text, amount int, price numeric,
                cqrs_revision bigint not null, cqrs_updated timestamptz not null)""";

    @Id
    Long id;

    String name;
    Integer amount;
    BigDecimal price;

    protected ChaosItem() {}

    ChaosItem(long id) {
        this.id = id;
    }

    ChaosItem with(String newName, int newAmount) {
        this.name = newName;
        this.amount = newAmount;
        this.price = BigDecimal.valueOf(newAmount, 2);
        return this;
    }
}
