/** How entities are declared as masters, and how their attributes become fields. */
@NullMarked
package io.cqrs.master.hibernate.model;

import org.jspecify.annotations.NullMarked;
