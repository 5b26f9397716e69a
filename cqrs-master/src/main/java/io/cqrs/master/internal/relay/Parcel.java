package io.cqrs.master.internal.relay;

import io.cqrs.transport.spi.OutgoingMessage;
import java.util.List;

/**
 * A message, and the rows that are in it.
 *
 * @param ids of the rows
 * @param routingKey of all of them, as the outbox has it
 * @param message what is published
 */
record Parcel(List<Long> ids, String routingKey, OutgoingMessage message) {}
