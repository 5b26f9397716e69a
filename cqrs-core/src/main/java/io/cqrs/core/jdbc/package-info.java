/** Small helpers over plain JDBC: named parameters, checked identifiers, transactions. */
@NullMarked
package io.cqrs.core.jdbc;

import org.jspecify.annotations.NullMarked;
