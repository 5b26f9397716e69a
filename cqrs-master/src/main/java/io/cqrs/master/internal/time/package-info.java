/** The master database's time, as stamps need it. */
@NullMarked
package io.cqrs.master.internal.time;

import org.jspecify.annotations.NullMarked;
