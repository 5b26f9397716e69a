package io.cqrs.it.process;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;

/** An entity of an application whose naming strategy makes {@code unit_price} of {@code unitPrice}. */
@Entity
@Master("line_item")
class LineItem extends MasterEntity {
    @Id
    Long lineItemId;

    BigDecimal unitPrice;
}
