package io.cqrs.replica.internal.consume;

import io.cqrs.replica.internal.apply.Pending;
import io.cqrs.transport.Message;
import io.cqrs.transport.spi.Delivery;

/** A delivery that was understood. */
record Incoming(Delivery delivery, Message message, Pending pending) {}
