package io.cqrs.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/** A persistence unit of {@link Stock}, over a pool of connections. */
record StockUnit(HikariDataSource pool, SessionFactory sessions) implements AutoCloseable {

    static final int JDBC_BATCH = 500;

    static StockUnit open(String databaseUrl, int connections) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(databaseUrl);
        config.setMaximumPoolSize(connections);
        HikariDataSource pool = new HikariDataSource(config);
        Configuration configuration = new Configuration()
                .setProperty("hibernate.hbm2ddl.auto", "update")
                .setProperty("hibernate.jdbc.batch_size", Integer.toString(JDBC_BATCH))
                .setProperty("hibernate.order_inserts", "true")
                .addAnnotatedClass(Stock.Captured.class)
                .addAnnotatedClass(Stock.Plain.class);
        configuration.getProperties().put("hibernate.connection.datasource", pool);
        return new StockUnit(pool, configuration.buildSessionFactory());
    }

    @Override
    public void close() {
        sessions.close();
        pool.close();
    }
}
