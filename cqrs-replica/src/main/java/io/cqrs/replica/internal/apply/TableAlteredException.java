package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsException;

/** A table is no longer what it was when it was read: nothing is lost, it has to be read anew. */
public final class TableAlteredException extends CqrsException {

    private static final long serialVersionUID = 1L;

    TableAlteredException(ReplicaTable table) {
        super("table " + table.name() + " of replica " + table.cqrsId() + " was altered", null);
    }
}
