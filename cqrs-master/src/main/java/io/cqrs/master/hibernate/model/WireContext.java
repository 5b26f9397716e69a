package io.cqrs.master.hibernate.model;

import org.hibernate.engine.spi.SharedSessionContractImplementor;

/**
 * What a value is read with.
 *
 * @param session whose transaction it belongs to
 * @param digits how many digits the columns keep
 */
public record WireContext(SharedSessionContractImplementor session, ColumnDigits digits) {}
