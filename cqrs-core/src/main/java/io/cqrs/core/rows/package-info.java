/** The rows of masters and replicas as both sides compare them: filters, key ranges, digests. */
@NullMarked
package io.cqrs.core.rows;

import org.jspecify.annotations.NullMarked;
