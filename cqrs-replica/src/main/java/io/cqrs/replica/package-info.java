/** The reading side: declares replicas and keeps them current. */
@NullMarked
package io.cqrs.replica;

import org.jspecify.annotations.NullMarked;
