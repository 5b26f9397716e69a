/** What a replica answers to a master that compares it. */
@NullMarked
package io.cqrs.replica.internal.diff;

import org.jspecify.annotations.NullMarked;
