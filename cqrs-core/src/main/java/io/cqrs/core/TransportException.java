package io.cqrs.core;

import org.jspecify.annotations.Nullable;

/** The broker can't be reached, closed the channel or refused an operation. */
public class TransportException extends CqrsException {

    private static final long serialVersionUID = 1L;

    private final boolean permanent;

    private TransportException(String message, @Nullable Throwable cause, boolean permanent) {
        super(message, cause);
        this.permanent = permanent;
    }

    /** Returns an error that a new connection or channel may cure. */
    public static TransportException lost(String message, @Nullable Throwable cause) {
        return new TransportException(message, cause, false);
    }

    /** Returns an error that stays until somebody changes something. */
    public static TransportException refused(String message, @Nullable Throwable cause) {
        return new TransportException(message, cause, true);
    }

    @Override
    public boolean isTransient() {
        return !permanent;
    }
}
