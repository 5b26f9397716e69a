/** What a transport offers to the relay and to the consumer. */
@NullMarked
package io.cqrs.transport.spi;

import org.jspecify.annotations.NullMarked;
