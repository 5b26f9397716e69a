package io.cqrs.master.internal.relay;

/**
 * A row of the outbox.
 *
 * @param id its number; those of one entity are in the order of its commits
 * @param routingKey where it goes
 * @param body the finished message
 */
record OutboxRow(long id, String routingKey, byte[] body) {}
