/** Values, errors and policies shared by both sides. */
@NullMarked
package io.cqrs.core;

import org.jspecify.annotations.NullMarked;
