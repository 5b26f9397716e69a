/** Each measure beside its floor, alternated in one run. */
@NullMarked
package io.cqrs.benchmarks;

import org.jspecify.annotations.NullMarked;
