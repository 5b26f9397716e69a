/** Filling replicas from dumps. */
@NullMarked
package io.cqrs.replica.internal.load;

import org.jspecify.annotations.NullMarked;
