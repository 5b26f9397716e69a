package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.time.StampClock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/** What one transaction changed, by entity, in the order of each one's first change. Belongs to its session. */
final class ChangeSet {

    private final SharedSessionContractImplementor session;
    private final StampClock clock;
    private final Map<RowId, RowHistory> rows = new LinkedHashMap<>();
    private boolean folded;
    private @Nullable OutboxException refusal;

    ChangeSet(SharedSessionContractImplementor session, StampClock clock) {
        this.session = session;
        this.clock = clock;
    }

    void inserted(MasterModel model, Object id, Object entity, Object[] state) {
        history(model, id, false).saved(entity, null, state);
    }

    void updated(MasterModel model, Object id, Object entity, Object @Nullable [] oldState, Object[] state) {
        history(model, id, true).saved(entity, oldState, state);
    }

    void deleted(MasterModel model, Object id, Object entity, Object[] state) {
        history(model, id, true).deleted(entity, state);
    }

    /** Returns the messages of the transaction; nothing may be recorded from here on. */
    List<OutboxMessage> fold() {
        folded = true;
        if (refusal != null) {
            throw refusal;
        }
        List<OutboxMessage> messages = new ArrayList<>(rows.size());
        MessageFactory factory = new MessageFactory(session, clock);
        rows.forEach((row, history) -> messages.addAll(factory.messages(row.model(), row.id(), history)));
        return messages;
    }

    /** Makes sure that the transaction is not committed, whoever swallows the error. */
    OutboxException refuse(String reason) {
        refusal = new OutboxException(reason, null);
        return refusal;
    }

    private RowHistory history(MasterModel model, Object id, boolean existsNow) {
        if (folded) {
            throw new OutboxException(
                    "an entity of " + model.cqrsId()
                            + " was changed after the transaction's changes were written to the outbox: change it before"
                            + " the commit begins, not in a synchronization or a callback of it",
                    null);
        }
        return rows.computeIfAbsent(new RowId(model, id), row -> new RowHistory(existsNow));
    }

    private record RowId(MasterModel model, Object id) {}
}
