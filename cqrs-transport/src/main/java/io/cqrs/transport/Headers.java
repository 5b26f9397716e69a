package io.cqrs.transport;

import java.util.Set;

/** The AMQP headers that this framework reads and writes beside the body. */
public final class Headers {

    /** On a sync that goes below a later state of the replica: {@code true}. */
    public static final String FORCE = "cqrs-force";

    /** On a batch: how many messages it holds. */
    public static final String CHANGES = "cqrs-changes";

    /** On a batch: how many bytes they have, unpacked. */
    public static final String BYTES = "cqrs-bytes";

    /** On a dead letter: the class of the error. */
    public static final String ERROR_CLASS = "cqrs-error-class";

    /** On a dead letter: what went wrong. */
    public static final String ERROR_MESSAGE = "cqrs-error-message";

    /** On a dead letter: where the error came from, a few lines. */
    public static final String ERROR_STACK = "cqrs-error-stack";

    /** On a dead letter that was understood: the model. */
    public static final String MODEL = "cqrs-model";

    /** On a dead letter that was understood: the key, as text. */
    public static final String KEY = "cqrs-key";

    /** On a dead letter: how many attempts were made. */
    public static final String ATTEMPTS = "cqrs-attempts";

    /** On a retried message and a dead letter: when the first attempt failed. */
    public static final String FIRST_FAILURE = "cqrs-first-failure";

    /** On a message that waits for its parent: since when. */
    public static final String PARENT_MISSING_SINCE = "cqrs-parent-missing-since";

    /** On a dead letter: when the last attempt failed. */
    public static final String LAST_FAILURE = "cqrs-last-failure";

    /** On a dead letter: the queue it was taken from. */
    public static final String SOURCE_QUEUE = "cqrs-source-queue";

    /** The trace that a message belongs to (W3C Trace Context). */
    public static final String TRACE_PARENT = "traceparent";

    /** By these the broker would send a message to other queues, too. */
    public static final Set<String> ROUTING = Set.of("CC", "BCC");

    private static final Set<String> OWN = Set.of(
            FORCE,
            CHANGES,
            BYTES,
            ERROR_CLASS,
            ERROR_MESSAGE,
            ERROR_STACK,
            MODEL,
            KEY,
            ATTEMPTS,
            FIRST_FAILURE,
            PARENT_MISSING_SINCE,
            LAST_FAILURE,
            SOURCE_QUEUE,
            TRACE_PARENT);

    /** Says whether a header is one of those above. */
    public static boolean isOwn(String name) {
        return OWN.contains(name);
    }

    private Headers() {}
}
