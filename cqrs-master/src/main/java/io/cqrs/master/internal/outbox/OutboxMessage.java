package io.cqrs.master.internal.outbox;

import io.cqrs.transport.Message;

/**
 * A finished message for the outbox.
 *
 * @param message what is sent
 * @param routingKey where to
 */
public record OutboxMessage(Message message, String routingKey) {}
