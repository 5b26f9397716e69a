/** Reads replica declarations from Hibernate entities. */
@NullMarked
package io.cqrs.replica.hibernate;

import org.jspecify.annotations.NullMarked;
