/** Meters for Micrometer. */
@NullMarked
package io.cqrs.replica.metrics;

import org.jspecify.annotations.NullMarked;
