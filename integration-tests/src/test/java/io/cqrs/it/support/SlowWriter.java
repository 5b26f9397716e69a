package io.cqrs.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.util.function.IntFunction;

/** A transaction that holds a row for long. */
public final class SlowWriter {

    private SlowWriter() {}

    /** Fails unless work that waits for the row leaves others to live writers meanwhile, and ends once the row is let go. */
    public static void requireYielding(TestDatabase database, String slowly, IntFunction<String> lively, Thread work)
            throws Exception {
        try (Connection slow = database.dataSource().getConnection();
                Connection live = database.dataSource().getConnection()) {
            slow.setAutoCommit(false);
            slow.createStatement().execute(slowly);
            work.start();
            live.createStatement().execute("set lock_timeout = '5s'");
            for (int change = 0; change < 30; change++) {
                await().until(() -> database.count(
                                "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                        == 1);
                live.createStatement().execute(lively.apply(change));
            }
            assertThat(work.isAlive()).isTrue();
            slow.commit();
        }
        work.join();
    }
}
