package io.cqrs.tools.demo;

import java.math.BigDecimal;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.hibernate.Session;
import org.hibernate.SessionFactory;

/** What the demo's master service does: plain Hibernate code. Belongs to one thread. */
final class Writer {

    private static final int TRANSACTION = 50;

    private final SessionFactory sessions;
    private final SplittableRandom random;
    private int created;
    private int updated;
    private int deleted;
    private int usedAgain;
    private int rolledBack;

    Writer(SessionFactory sessions, long seed) {
        this.sessions = sessions;
        this.random = new SplittableRandom(seed);
    }

    /** Creates rows, changes half of them, deletes a tenth, uses half of those keys again, rolls some work back. */
    void scenario(int rows) {
        inTransactions(1, rows, 1, session -> id -> session.persist(product(id)));
        created += rows;
        inTransactions(1, rows, 2, session -> id -> change(session, id));
        rollBack(rows);
        inTransactions(1, rows, 10, session -> id -> session.remove(session.find(DemoProduct.class, id)));
        inTransactions(1, rows, 20, session -> id -> session.persist(product(id)));
        usedAgain += (rows + 19) / 20;
        deleted += (rows + 9) / 10;
        updated += (rows + 1) / 2;
    }

    /** One transaction on a random key. */
    void step(int keys) {
        long id = 1 + random.nextInt(keys);
        boolean commit = random.nextInt(20) > 0;
        try (Session session = sessions.openSession()) {
            session.beginTransaction();
            DemoProduct product = session.find(DemoProduct.class, id);
            if (product == null) {
                session.persist(product(id));
                created += commit ? 1 : 0;
            } else if (random.nextInt(10) == 0) {
                session.remove(product);
                deleted += commit ? 1 : 0;
            } else {
                change(session, id);
                updated += commit ? 1 : 0;
            }
            if (commit) {
                session.getTransaction().commit();
            } else {
                session.flush();
                session.getTransaction().rollback();
                rolledBack++;
            }
        }
    }

    int changes() {
        return created + updated + deleted + usedAgain;
    }

    String summary() {
        return "created " + created + ", updated " + updated + ", deleted " + deleted + ", keys used again " + usedAgain
                + ", transactions rolled back " + rolledBack;
    }

    private void rollBack(int rows) {
        for (int i = 0; i < 20; i++) {
            try (Session session = sessions.openSession()) {
                session.beginTransaction();
                change(session, 1 + random.nextInt(rows));
                session.persist(product(rows + 1 + i));
                session.flush();
                session.getTransaction().rollback();
                rolledBack++;
            }
        }
    }

    private void inTransactions(int from, int to, int step, Function<Session, Consumer<Long>> work) {
        for (int start = from; start <= to; start += TRANSACTION * step) {
            int begin = start;
            sessions.inTransaction(session -> {
                Consumer<Long> one = work.apply(session);
                for (long id = begin; id <= to && id < begin + (long) TRANSACTION * step; id += step) {
                    one.accept(id);
                }
            });
        }
    }

    private void change(Session session, long id) {
        DemoProduct product = session.find(DemoProduct.class, id);
        product.change(price(), random.nextInt(100));
    }

    private DemoProduct product(long id) {
        return new DemoProduct(id, "sku-" + id, price(), random.nextInt(100));
    }

    private BigDecimal price() {
        return BigDecimal.valueOf(random.nextInt(1, 100_000), 2);
    }
}
