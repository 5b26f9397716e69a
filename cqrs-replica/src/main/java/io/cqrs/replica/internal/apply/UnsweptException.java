package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsException;

/** Deletes are committed, but transactions that may not have seen them do not end: they must be seen to again, later. */
public final class UnsweptException extends CqrsException {

    private static final long serialVersionUID = 1L;

    UnsweptException(String message) {
        super(message, null);
    }
}
