/** Captures changes through Hibernate; the only place that knows it. */
@NullMarked
package io.cqrs.master.hibernate;

import org.jspecify.annotations.NullMarked;
