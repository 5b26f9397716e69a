package io.cqrs.master.hibernate;

import org.hibernate.boot.SessionFactoryBuilder;
import org.hibernate.boot.spi.MetadataImplementor;
import org.hibernate.boot.spi.SessionFactoryBuilderFactory;
import org.hibernate.boot.spi.SessionFactoryBuilderImplementor;
import org.jspecify.annotations.Nullable;

/** Puts the {@link DmlInspector} before a factory's own statement inspector; Hibernate finds it by itself. */
public final class InspectedFactories implements SessionFactoryBuilderFactory {

    /** Called by Hibernate. */
    public InspectedFactories() {}

    /** Adds to the builder that there is, and leaves it in place: another extension may bring its own. */
    @Override
    public @Nullable SessionFactoryBuilder getSessionFactoryBuilder(
            MetadataImplementor metadata, SessionFactoryBuilderImplementor builder) {
        if (metadata.getEntityBindings().stream().anyMatch(CqrsIntegrator::isMaster)) {
            SessionFactoryBuilder unused = builder.applyStatementInspector(
                    new DmlInspector(builder.buildSessionFactoryOptions().getStatementInspector()));
        }
        return null;
    }
}
