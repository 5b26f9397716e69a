/** Writes finished messages into the outbox, within the user's transaction. */
@NullMarked
package io.cqrs.master.internal.outbox;

import org.jspecify.annotations.NullMarked;
