package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** A change could not be written to the outbox: the caller's transaction is aborted, nothing is sent. */
public class OutboxException extends CqrsException {

    private static final long serialVersionUID = 1L;

    /** Creates the error with what caused it. */
    public OutboxException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
