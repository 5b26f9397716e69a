package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** A value has no form on the wire, or bytes from the wire are not a message. Trying again does not help. */
public class SerializationException extends CqrsException {

    private static final long serialVersionUID = 1L;

    /** Creates the error. */
    public SerializationException(String message) {
        this(message, null);
    }

    /** Creates the error with what caused it. */
    public SerializationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
