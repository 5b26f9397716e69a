/** Looks for what is wrong with a service's database, broker and declarations, and says how to mend it. */
@NullMarked
package io.cqrs.tools.doctor;

import org.jspecify.annotations.NullMarked;
