package io.cqrs.it.process;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/** An entity of an application that only Hibernate can capture. */
@Entity
@Master("bundle")
class Bundle extends MasterEntity {
    @Id
    Long id;

    @Override
    public boolean isSyncInstance() {
        return id > 0;
    }
}
