/** Spans for OpenTelemetry. */
@NullMarked
package io.cqrs.replica.tracing;

import org.jspecify.annotations.NullMarked;
