package io.cqrs.examples.shop;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.PersistenceException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.hibernate.exception.ConstraintViolationException;
import org.jspecify.annotations.Nullable;

/**
 * The catalogue service: several writers that create, change and delete products with plain Hibernate code.
 *
 * <p>Environment: {@code SHOP_DATABASE_URL} (JDBC, {@code jdbc:postgresql://localhost/shop} unless
 * set), {@code SHOP_DATABASE_USER}, {@code
 * SHOP_DATABASE_PASSWORD}, {@code SHOP_CHANGES} (stops after so many transactions; never unless set), {@code
 * SHOP_PRODUCTS} (how many keys, 500), {@code SHOP_WRITERS} (8), {@code SHOP_SEED} (1), {@code SHOP_PAUSE_MILLIS} (0).
 */
public final class Catalogue {

    private final SessionFactory sessions;
    private final int products;
    private final int pauseMillis;

    private Catalogue(SessionFactory sessions, int products, int pauseMillis) {
        this.sessions = sessions;
        this.products = products;
        this.pauseMillis = pauseMillis;
    }

    /**
     * Runs the service until its changes are made, or it is stopped.
     *
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] args) throws Exception {
        Map<String, String> environment = System.getenv();
        DataSource database = UrlDataSource.of(
                environment.getOrDefault("SHOP_DATABASE_URL", "jdbc:postgresql://localhost/shop"),
                environment.get("SHOP_DATABASE_USER"),
                environment.get("SHOP_DATABASE_PASSWORD"));
        int unused = CqrsSchema.standard().migrate(database);
        try (SessionFactory sessions = sessions(environment)) {
            Catalogue catalogue = new Catalogue(sessions, number("SHOP_PRODUCTS", 500), number("SHOP_PAUSE_MILLIS", 0));
            catalogue.work(
                    number("SHOP_WRITERS", 8), number("SHOP_CHANGES", Integer.MAX_VALUE), number("SHOP_SEED", 1));
        }
    }

    private static SessionFactory sessions(Map<String, String> environment) {
        Configuration configuration = new Configuration()
                .addAnnotatedClass(Product.class)
                .setProperty(
                        "jakarta.persistence.jdbc.url",
                        environment.getOrDefault("SHOP_DATABASE_URL", "jdbc:postgresql://localhost/shop"))
                .setProperty("hibernate.hbm2ddl.auto", "update")
                .setProperty("hibernate.connection.pool_size", "20");
        set(configuration, "jakarta.persistence.jdbc.user", environment.get("SHOP_DATABASE_USER"));
        set(configuration, "jakarta.persistence.jdbc.password", environment.get("SHOP_DATABASE_PASSWORD"));
        return configuration.buildSessionFactory();
    }

    private static void set(Configuration configuration, String property, @Nullable String value) {
        if (value != null) {
            configuration.setProperty(property, value);
        }
    }

    private static int number(String variable, int otherwise) {
        String value = System.getenv(variable);
        return value == null ? otherwise : Integer.parseInt(value);
    }

    private void work(int writers, int changes, int seed) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try {
            List<Future<?>> running = IntStream.range(0, writers)
                    .<Future<?>>mapToObj(writer -> threads.submit(() -> {
                        write(changes / writers, new SplittableRandom(seed * 1000L + writer));
                        return null;
                    }))
                    .toList();
            for (Future<?> one : running) {
                Object unused = one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        System.out.println("changes made: " + changes);
    }

    /** Writers share the products: a transaction that another one was faster than is made again. */
    private void write(int changes, SplittableRandom random) throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        int change = 0;
        while (change < changes) {
            if (transact(random)) {
                change++;
            }
            if (pauseMillis > 0) {
                boolean unused = never.await(pauseMillis, TimeUnit.MILLISECONDS);
            }
        }
    }

    private boolean transact(SplittableRandom random) {
        long id = random.nextInt(products);
        boolean commit = random.nextInt(20) > 0;
        try (Session session = sessions.openSession()) {
            session.beginTransaction();
            try {
                write(session, id, random);
                session.flush();
                if (commit) {
                    session.getTransaction().commit();
                } else {
                    session.getTransaction().rollback();
                }
                return true;
            } catch (PersistenceException e) {
                session.getTransaction().rollback();
                if (isLostRace(e)) {
                    return false;
                }
                throw e;
            }
        }
    }

    private static boolean isLostRace(PersistenceException e) {
        return e instanceof OptimisticLockException || e instanceof ConstraintViolationException;
    }

    private static void write(Session session, long id, SplittableRandom random) {
        BigDecimal price = BigDecimal.valueOf(random.nextInt(1, 100_000), 2);
        Product product = session.find(Product.class, id);
        if (product == null) {
            session.persist(new Product(id, "sku-" + id, price, random.nextInt(100)));
        } else if (random.nextInt(10) == 0) {
            session.remove(product);
        } else {
            product.reprice(price);
            product.restock(random.nextInt(100));
        }
    }
}
