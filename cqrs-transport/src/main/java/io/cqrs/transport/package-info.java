/** The message format and its codec. */
@NullMarked
package io.cqrs.transport;

import org.jspecify.annotations.NullMarked;
