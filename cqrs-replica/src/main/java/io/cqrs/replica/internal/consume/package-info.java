/** Takes messages off the queue and sees each through. */
@NullMarked
package io.cqrs.replica.internal.consume;

import org.jspecify.annotations.NullMarked;
