package io.cqrs.it.chaos;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.cqrs.core.OutboxException;
import io.cqrs.it.support.JumpingClock;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.SelfKill;
import io.cqrs.it.support.TestDatabase;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.hibernate.Session;
import org.hibernate.cfg.Configuration;

/**
 * The master service: eight writers, six by Hibernate and two by SQL. Arguments: database, seed. It is told on its input
 * {@code clock MILLIS}, {@code long SECONDS}, {@code oversize}, {@code die STEP} and {@code stop}.
 */
final class ChaosMaster {

    /** Where it dies when it is told to. */
    enum Step {
        BEFORE_COMMIT,
        AFTER_COMMIT
    }

    private static final int KEYS = 2_000;
    private static final long LONG_KEYS = 1_000_000;
    private static final int LIMIT_BYTES = 100_000;

    private final HikariDataSource pool;
    private final MasterUnit unit;
    private final JumpingClock clock = new JumpingClock();
    private volatile boolean stopping;
    private volatile Step doom;

    private ChaosMaster(String url) {
        HikariConfig config = new HikariConfig();
        // A service on its own guards itself against a network that says nothing.
        config.setJdbcUrl(url + "&socketTimeout=10");
        config.setMaximumPoolSize(12);
        config.setConnectionTimeout(5_000);
        pool = new HikariDataSource(config);
        Configuration configuration = MasterUnit.configuration(new TestDatabase(url, pool), ChaosItem.class);
        configuration.getProperties().put("cqrs.clock", clock);
        configuration.setProperty("cqrs.max_message_bytes", Integer.toString(LIMIT_BYTES));
        unit = MasterUnit.of(configuration);
    }

    public static void main(String[] args) throws Exception {
        ChaosMaster master = new ChaosMaster(args[0]);
        long seed = Long.parseLong(args[1]);
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Random random = new Random(seed + i);
            Work work = i < 6 ? master::writeItems : master::writeParts;
            writers.add(new Thread(() -> master.repeat(random, work), "writer-" + i));
        }
        writers.forEach(Thread::start);
        System.out.println("writing");
        BufferedReader told = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = told.readLine(); line != null && !line.equals("stop"); line = told.readLine()) {
            master.obey(line.split(" "));
        }
        master.stopping = true;
        for (Thread writer : writers) {
            writer.join();
        }
        System.out.println("stopped");
        System.exit(0);
    }

    private void obey(String[] words) {
        switch (words[0]) {
            case "clock" -> clock.jump(Duration.ofMillis(Long.parseLong(words[1])));
            case "long" -> new Thread(() -> writeForLong(Integer.parseInt(words[1]))).start();
            case "oversize" -> writeOversize();
            case "die" -> doom = Step.valueOf(words[1]);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private void repeat(Random random, Work work) {
        while (!stopping) {
            try {
                work.run(random);
                pause(5 + random.nextInt(20));
            } catch (RuntimeException | SQLException e) {
                // Conflicts among writers, or the database is away: whether it was committed is for the rows to say.
                pause(100);
            }
        }
    }

    private void writeItems(Random random) {
        boolean rollBack = random.nextInt(20) == 0;
        int changes = 1 + random.nextInt(4);
        if (rollBack) {
            unit.rollBack(session -> writeItems(session, random, changes));
            return;
        }
        unit.commit(session -> {
            writeItems(session, random, changes);
            Step dies = doom;
            if (dies == Step.BEFORE_COMMIT) {
                MasterUnit.beforeCommit(session, SelfKill::now);
            } else if (dies == Step.AFTER_COMMIT) {
                SelfKill.afterCommitOf(unit.sessions());
            }
        });
    }

    private static void writeItems(Session session, Random random, int changes) {
        for (int i = 0; i < changes; i++) {
            // A few keys are in everybody's hands.
            long id = random.nextBoolean() ? random.nextInt(20) : random.nextInt(KEYS);
            ChaosItem item = session.find(ChaosItem.class, id);
            String name = "n" + random.nextInt(1_000_000);
            if (item == null) {
                session.persist(new ChaosItem(id).with(name, random.nextInt(10_000)));
            } else if (random.nextInt(4) == 0) {
                session.remove(item);
            } else {
                item.with(name, random.nextInt(10_000));
            }
            session.flush();
        }
    }

    private void writeParts(Random random) throws SQLException {
        int from = random.nextInt(KEYS);
        int to = from + random.nextInt(8);
        String range = " where id between " + from + " and " + to;
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            Savepoint savepoint = connection.setSavepoint();
            int unused = statement.executeUpdate("update part set amount = -1" + range);
            connection.rollback(savepoint);
            unused = statement.executeUpdate(
                    switch (random.nextInt(4)) {
                        case 0 -> "delete from part" + range;
                        case 1 -> "update part set amount = amount + 1" + range;
                        default ->
                            "insert into part (id, name, amount) select i, 'p" + random.nextInt(1_000_000)
                                    + "', 0 from generate_series(" + from + ", " + to
                                    + ") i on conflict (id) do update set name = excluded.name";
                    });
            connection.commit();
        }
    }

    /** Commits after all that was begun meanwhile. */
    private void writeForLong(int seconds) {
        try {
            unit.commit(session -> {
                for (long id = LONG_KEYS; id < LONG_KEYS + 5; id++) {
                    ChaosItem item = session.find(ChaosItem.class, id);
                    if (item == null) {
                        session.persist(new ChaosItem(id).with("long", seconds));
                    } else {
                        item.with("longer", item.amount + 1);
                    }
                }
                session.flush();
                pause(seconds * 1000L);
            });
            System.out.println("long transaction committed");
        } catch (RuntimeException e) {
            System.out.println("long transaction failed: " + e);
        }
    }

    private void writeOversize() {
        try {
            unit.commit(session -> session.persist(new ChaosItem(LONG_KEYS + 10).with("x".repeat(2 * LIMIT_BYTES), 1)));
            System.out.println("VIOLATION: an oversize message was committed");
        } catch (RuntimeException e) {
            System.out.println(isTooLarge(e) ? "oversize refused" : "oversize failed otherwise: " + e);
        }
    }

    private static boolean isTooLarge(Throwable error) {
        return error != null
                && (error instanceof OutboxException && error.getMessage().contains("that are allowed")
                        || isTooLarge(error.getCause()));
    }

    private static void pause(long millis) {
        LockSupport.parkNanos(Duration.ofMillis(millis).toNanos());
    }

    @FunctionalInterface
    private interface Work {
        void run(Random random) throws SQLException;
    }
}
