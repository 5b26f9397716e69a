package io.cqrs.it.chaos;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.MasterTable;

/** A table that triggers capture. */
final class ChaosPart {

    static final String COLUMNS = "id, name, amount, cqrs_revision, cqrs_updated";
    static final String TABLE = """
            create table %s (id bigint primary key, name text, amount int,
                cqrs_revision bigint not null default 0, cqrs_updated timestamptz not null default now())""";
    static final MasterTable MASTER = MasterTable.of(CqrsId.of("part"), TableName.parse("part"));

    private ChaosPart() {}
}
