package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** A declaration, a setting or a schema is wrong: somebody has to change it, and the message says how. */
public class CqrsConfigurationException extends CqrsException {

    private static final long serialVersionUID = 1L;

    /** Creates the error. */
    public CqrsConfigurationException(String message) {
        this(message, null);
    }

    /** Creates the error with what caused it. */
    public CqrsConfigurationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
