/** Capture by triggers, and syncs of tables that no entity declares. */
@NullMarked
package io.cqrs.master.internal.table;

import org.jspecify.annotations.NullMarked;
