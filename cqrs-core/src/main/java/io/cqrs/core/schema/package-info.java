/** The framework's own database schema. */
@NullMarked
package io.cqrs.core.schema;

import org.jspecify.annotations.NullMarked;
