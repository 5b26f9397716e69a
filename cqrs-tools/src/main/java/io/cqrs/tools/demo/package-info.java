/** A master and a replica at work, to watch. */
@NullMarked
package io.cqrs.tools.demo;

import org.jspecify.annotations.NullMarked;
