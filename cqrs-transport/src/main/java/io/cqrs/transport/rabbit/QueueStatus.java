package io.cqrs.transport.rabbit;

/**
 * How a queue is.
 *
 * @param ready how many messages wait to be handed over
 * @param consumers how many consume it
 */
public record QueueStatus(long ready, long consumers) {}
