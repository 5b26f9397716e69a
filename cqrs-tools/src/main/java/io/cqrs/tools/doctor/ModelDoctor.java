package io.cqrs.tools.doctor;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.CaptureStatus;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.ReplicaStore;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Looks at declarations: whether tables fit them, and triggers are as declared. */
public final class ModelDoctor {

    private final DataSource dataSource;

    /** Looks at this database. */
    public ModelDoctor(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Returns what it found of masters. */
    public List<Finding> masters(List<MasterTable> masters) {
        List<Finding> findings = new ArrayList<>();
        for (MasterTable master : masters) {
            try (MasterRows unused = MasterRows.of(dataSource, master)) {
                for (CaptureStatus status : TriggerCapture.of(dataSource).status(List.of(master))) {
                    if (status.cqrsId().equals(master.cqrsId())) {
                        findings.add(capture(status));
                    }
                }
            } catch (CqrsException e) {
                findings.add(wrong("master " + master.cqrsId(), e));
            }
        }
        return findings;
    }

    private static Finding capture(CaptureStatus status) {
        String text =
                "master " + status.cqrsId() + ", triggers: " + status.state().text();
        return switch (status.state()) {
            case INSTALLED -> Finding.ok(text);
            case DISABLED -> Finding.fail(text, "do so: writes fail, or changes are lost");
            default -> Finding.warn(text, "do so, unless Hibernate captures it");
        };
    }

    /** Returns what it found of replicas. */
    public List<Finding> replicas(ReplicaStore replicas) {
        List<Finding> findings = new ArrayList<>();
        for (CqrsId cqrsId : replicas.models()) {
            try {
                replicas.check(cqrsId);
                findings.add(Finding.ok("replica " + cqrsId + ": its table fits"));
            } catch (CqrsException e) {
                findings.add(wrong("replica " + cqrsId, e));
            }
        }
        return findings;
    }

    private static Finding wrong(String what, CqrsException error) {
        String message = String.valueOf(error.getMessage());
        return Finding.fail(
                message.startsWith(what) ? message : what + ": " + message,
                error instanceof CqrsConfigurationException
                        ? "mend the declaration or the table as it says"
                        : "see what the database says");
    }
}
