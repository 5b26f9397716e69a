/** The transport within one process, for tests and for the demo without a broker. */
@NullMarked
package io.cqrs.transport.memory;

import org.jspecify.annotations.NullMarked;
