/** What a master does about replicas that differ from it. */
@NullMarked
package io.cqrs.master.internal.diff;

import org.jspecify.annotations.NullMarked;
