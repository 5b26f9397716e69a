package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsId;
import java.util.List;
import java.util.Set;

/**
 * How entities of one class become messages.
 *
 * @param cqrsId the model
 * @param type the class
 * @param produce whether changes are sent
 * @param idField the id's name on the wire
 * @param fields the attributes to send
 * @param tracked the fields whose old values are sent, by name on the wire
 * @param revision the place of the version among Hibernate's properties
 * @param updated the place of the time among Hibernate's properties
 */
record MasterModel(
        CqrsId cqrsId,
        Class<?> type,
        boolean produce,
        String idField,
        List<MasterField> fields,
        Set<String> tracked,
        int revision,
        int updated) {

    @Override
    public boolean equals(Object other) {
        return other instanceof MasterModel model && model.cqrsId.equals(cqrsId);
    }

    @Override
    public int hashCode() {
        return cqrsId.hashCode();
    }
}
