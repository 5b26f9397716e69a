/** What an application can plug into the writing side. */
@NullMarked
package io.cqrs.master.spi;

import org.jspecify.annotations.NullMarked;
