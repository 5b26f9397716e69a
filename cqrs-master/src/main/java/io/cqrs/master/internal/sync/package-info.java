/** What syncs of entities and of tables have in common. */
@NullMarked
package io.cqrs.master.internal.sync;

import org.jspecify.annotations.NullMarked;
