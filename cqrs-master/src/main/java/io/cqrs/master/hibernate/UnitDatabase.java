package io.cqrs.master.hibernate;

import io.cqrs.core.jdbc.UrlDataSource;
import jakarta.persistence.EntityManagerFactory;
import javax.sql.DataSource;
import org.hibernate.engine.config.spi.ConfigurationService;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.jspecify.annotations.Nullable;

/** Finds the database of a persistence unit. Stateless. */
public final class UnitDatabase {

    private UnitDatabase() {}

    /**
     * Returns what a persistence unit connects with: a data source that it was given, or its URL, user and password.
     *
     * @return null where it names neither
     */
    public static @Nullable DataSource of(EntityManagerFactory factory) {
        // The factory's own properties have user and password masked.
        return UrlDataSource.fromPersistenceProperties(factory.unwrap(SessionFactoryImplementor.class)
                .getServiceRegistry()
                .requireService(ConfigurationService.class)
                .getSettings());
    }
}
