package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.replica.Order;
import java.util.List;
import java.util.Set;

/**
 * A replica table as the catalogue knows it.
 *
 * @param cqrsId whose replica it is
 * @param oid tells tables apart
 * @param shape of the table, see {@link TableShapes}
 * @param name the table
 * @param key the primary key's columns in its order, filled from the message's key
 * @param columns the other columns, filled from the message's data
 * @param order what decides which of two states is the newer one
 * @param atOnce whether a batch is to be one statement, because other columns may have to be unique, too: rows may swap
 *     such values
 * @param parents the oids of tables that this one refers to
 */
record ReplicaTable(
        CqrsId cqrsId,
        long oid,
        long shape,
        TableName name,
        List<ReplicaColumn> key,
        List<ReplicaColumn> columns,
        Order order,
        boolean atOnce,
        Set<Long> parents) {

    static final String REVISION = "cqrs_revision";
    static final String UPDATED = "cqrs_updated";
}
