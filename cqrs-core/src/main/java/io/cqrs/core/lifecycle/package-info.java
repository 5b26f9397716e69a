/** Threads that can be started, woken and stopped. */
@NullMarked
package io.cqrs.core.lifecycle;

import org.jspecify.annotations.NullMarked;
