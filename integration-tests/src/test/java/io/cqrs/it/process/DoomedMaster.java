package io.cqrs.it.process;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.SelfKill;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.master.hibernate.Capture;
import jakarta.transaction.Synchronization;
import org.hibernate.SessionFactory;
import org.hibernate.engine.spi.SharedSessionContractImplementor;

/** A master that kills its own process around the commit of its second entity. */
final class DoomedMaster {

    /** Where it dies. */
    enum Step {
        BEFORE_COMMIT,
        AFTER_COMMIT
    }

    private DoomedMaster() {}

    public static void main(String[] args) {
        Step step = Step.valueOf(args[1]);
        String url = args[0] + (args[0].contains("?") ? "&" : "?") + "ApplicationName=doomed";
        TestDatabase database = new TestDatabase(url, UrlDataSource.of(url, null, null));
        SessionFactory sessions = MasterUnit.on(database, Item.class).sessions();
        sessions.inTransaction(session -> session.persist(new Item(1, "committed")));
        if (step == Step.AFTER_COMMIT) {
            Capture.of(sessions).addAfterCommit(() -> {
                SelfKill.now();
                return true;
            });
        }
        sessions.inTransaction(session -> {
            session.persist(new Item(2, "doomed"));
            session.flush();
            if (step == Step.BEFORE_COMMIT) {
                // Registered after the capture's own: it runs when the outbox is written.
                ((SharedSessionContractImplementor) session)
                        .getTransactionCoordinator()
                        .getLocalSynchronizations()
                        .registerSynchronization(new Synchronization() {
                            @Override
                            public void beforeCompletion() {
                                SelfKill.now();
                            }

                            @Override
                            public void afterCompletion(int status) {}
                        });
            }
        });
    }
}
