package io.cqrs.tools.servers;

import io.cqrs.core.CqrsException;
import org.jspecify.annotations.Nullable;

/** A server for a test or a demo could not be found, started or stopped. */
public final class ServerException extends CqrsException {

    private static final long serialVersionUID = 1L;

    ServerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
