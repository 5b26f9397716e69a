/** Figures of the writing side for Micrometer, which an application brings that wants them. */
@NullMarked
package io.cqrs.master.metrics;

import org.jspecify.annotations.NullMarked;
