/** The writing side: declares masters, captures their changes and relays them. */
@NullMarked
package io.cqrs.master;

import org.jspecify.annotations.NullMarked;
