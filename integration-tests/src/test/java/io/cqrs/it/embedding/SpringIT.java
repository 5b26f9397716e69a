package io.cqrs.it.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.cqrs.it.support.Item;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Transport;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.PersistenceContext;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.orm.jpa.vendor.HibernateJpaVendorAdapter;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** Master and replica as beans of a Spring application, with its transactions. */
@ExtendWith(TestEnvironment.class)
class SpringIT {

    private static TestDatabase database;

    @Test
    void runsAsBeansWithinSpringsTransactions() {
        database = TestEnvironment.database("spring");
        database.execute(Item.REPLICA);
        try (var context = new AnnotationConfigApplicationContext(Application.class)) {
            Items items = context.getBean(Items.class);
            items.add(1, "committed");
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> items.fail(2));
            items.addBeforeCommit(3);
            await().until(() -> database.count("item_ref") == 2 && database.count("cqrs.outbox") == 0);
            assertThat(database.rows("select id, name from item_ref order by id"))
                    .containsExactly("1|committed", "3|before commit");
            assertThat(context.getBean(CqrsMaster.class).status().active()).isTrue();
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("cqrs-relay") || name.startsWith("cqrs-worker"));
    }

    /** The application. */
    @Configuration
    @EnableTransactionManagement
    static class Application {

        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory() {
            LocalContainerEntityManagerFactoryBean factory = new LocalContainerEntityManagerFactoryBean();
            factory.setDataSource(database.dataSource());
            factory.setPackagesToScan("none.at.all");
            factory.setPersistenceUnitPostProcessors(unit -> unit.addManagedClassName(Item.class.getName()));
            factory.setJpaVendorAdapter(new HibernateJpaVendorAdapter());
            factory.setJpaPropertyMap(Map.of("hibernate.hbm2ddl.auto", "update"));
            return factory;
        }

        @Bean
        JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }

        @Bean
        Transport transport() {
            return new InMemoryTransport();
        }

        @Bean(initMethod = "start")
        CqrsMaster master(EntityManagerFactory factory, Transport transport) {
            return CqrsMaster.builder(factory)
                    .transport(transport)
                    .migrateSchema()
                    .build();
        }

        @Bean(initMethod = "start")
        CqrsReplica replica(EntityManagerFactory factory, Transport transport, CqrsMaster master) {
            return CqrsReplica.builder(database.dataSource())
                    .replica(Item.definition())
                    .transport(transport)
                    .queue("spring")
                    .build();
        }

        @Bean
        Items items() {
            return new Items();
        }
    }

    /** A service of the application. */
    static class Items {

        @PersistenceContext
        private EntityManager manager;

        @Transactional
        public void add(long id, String name) {
            manager.persist(new Item(id, name).with(1, "1.00"));
        }

        @Transactional
        public void fail(long id) {
            add(id, "rolled back");
            manager.flush();
            throw new IllegalStateException("no");
        }

        @Transactional
        public void addBeforeCommit(long id) {
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void beforeCommit(boolean readOnly) {
                    add(id, "before commit");
                }
            });
        }
    }
}
