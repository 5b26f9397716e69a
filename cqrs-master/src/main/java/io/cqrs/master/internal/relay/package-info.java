/** Reads the outbox and publishes it. */
@NullMarked
package io.cqrs.master.internal.relay;

import org.jspecify.annotations.NullMarked;
