package io.cqrs.it.process;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.SelfKill;
import io.cqrs.it.support.TestDatabase;
import org.hibernate.SessionFactory;

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
            SelfKill.afterCommitOf(sessions);
        }
        sessions.inTransaction(session -> {
            session.persist(new Item(2, "doomed"));
            session.flush();
            if (step == Step.BEFORE_COMMIT) {
                MasterUnit.beforeCommit(session, SelfKill::now);
            }
        });
    }
}
