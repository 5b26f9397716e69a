/** The cqrs command line. */
@NullMarked
package io.cqrs.tools;

import org.jspecify.annotations.NullMarked;
