package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;

/** Applies changes without hooks: folded, a statement for all deletes and, mostly, one for all saves. */
final class SetApplier implements ModelApplier {

    private final TableApplier rows;

    SetApplier(TableApplier rows) {
        this.rows = rows;
    }

    @Override
    public CqrsId cqrsId() {
        return rows.table().cqrsId();
    }

    @Override
    public ReplicaTable table() {
        return rows.table();
    }

    @Override
    public boolean sweeps() {
        return true;
    }

    @Override
    public void sweep(List<Change> deletes) throws SQLException {
        rows.sweep(deletes);
    }

    @Override
    public Work begin(Batch batch) {
        Fold fold = new Fold(table(), batch.forced());
        batch.changes().forEach(fold::add);
        return new Work() {
            @Override
            public void delete() throws SQLException {
                rows.delete(fold.deletes());
            }

            @Override
            public void save() throws SQLException {
                for (Collection<Fold.Newest> saves : fold.saves()) {
                    if (batch.forced()) {
                        rows.forget(saves.stream().map(Fold.Newest::change).toList());
                    }
                    rows.save(saves, batch.forced());
                }
            }
        };
    }

    @Override
    public void close() throws SQLException {
        rows.close();
    }
}
