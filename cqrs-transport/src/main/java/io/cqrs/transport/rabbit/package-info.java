/** The transport over RabbitMQ; the only place that knows its client. */
@NullMarked
package io.cqrs.transport.rabbit;

import org.jspecify.annotations.NullMarked;
