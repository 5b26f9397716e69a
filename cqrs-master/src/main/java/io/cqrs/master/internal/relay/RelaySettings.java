package io.cqrs.master.internal.relay;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.RelayListener;
import io.cqrs.master.UnroutablePolicy;
import io.cqrs.transport.Wire;
import java.time.Duration;

/**
 * How a relay works.
 *
 * @param schema whose outbox
 * @param pageSize most messages on their way at once, twice
 * @param pageBytes no further message once a page reaches so many bytes
 * @param longestPoll how long an idle relay sleeps at most
 * @param unroutable what to do with messages that no queue is bound for
 * @param wire how they become messages
 * @param listener who is told
 */
public record RelaySettings(
        CqrsSchema schema,
        int pageSize,
        long pageBytes,
        Duration longestPoll,
        UnroutablePolicy unroutable,
        Wire wire,
        RelayListener listener) {}
