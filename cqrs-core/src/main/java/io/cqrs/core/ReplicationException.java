package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** A change could not be applied to a replica. */
public class ReplicationException extends CqrsException {

    private static final long serialVersionUID = 1L;

    /** Creates the error. */
    public ReplicationException(String message) {
        this(message, null);
    }

    /** Creates the error with what caused it. */
    public ReplicationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
