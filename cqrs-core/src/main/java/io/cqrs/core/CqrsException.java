package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** The root of all errors of this framework; each subclass says what the caller can do about it. */
public abstract class CqrsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Creates the error with a message that names the thing and the way out. */
    protected CqrsException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Says whether the same call may succeed later without anybody changing anything. False unless overridden. */
    public boolean isTransient() {
        return false;
    }
}
