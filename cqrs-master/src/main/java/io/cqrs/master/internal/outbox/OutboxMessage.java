package io.cqrs.master.internal.outbox;

import io.cqrs.transport.Message;
import java.util.Map;

/**
 * A finished message for the outbox.
 *
 * @param message what is sent
 * @param routingKey where to
 * @param headers what travels beside it: text, numbers and flags by name
 */
public record OutboxMessage(Message message, String routingKey, Map<String, ?> headers) {}
