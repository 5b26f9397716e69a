package io.cqrs.master.hibernate.model;

import org.hibernate.engine.spi.SharedSessionContractImplementor;

/**
 * What a value is read with.
 *
 * @param session whose transaction it belongs to
 * @param stored what the columns make of values
 */
public record WireContext(SharedSessionContractImplementor session, StoredValues stored) {}
