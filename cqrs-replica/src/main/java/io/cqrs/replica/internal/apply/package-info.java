/** Applies changes to replica tables under the guard. */
@NullMarked
package io.cqrs.replica.internal.apply;

import org.jspecify.annotations.NullMarked;
