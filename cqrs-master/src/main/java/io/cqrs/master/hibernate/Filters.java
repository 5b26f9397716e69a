package io.cqrs.master.hibernate;

import java.util.Collection;
import java.util.Map;
import org.hibernate.Filter;
import org.hibernate.engine.spi.LoadQueryInfluencers;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.internal.FilterImpl;

/** Hibernate's filters of a session: they tell what an application sees, not what is sent. Stateless. */
final class Filters {

    private Filters() {}

    /** Disables all filters, those that enabled themselves too, and returns them. */
    static Map<String, Filter> disable(SharedSessionContractImplementor session) {
        LoadQueryInfluencers influencers = session.getLoadQueryInfluencers();
        Map<String, Filter> enabled = of(session);
        enabled.keySet().forEach(influencers::disableFilter);
        return enabled;
    }

    /** Enables filters as they are, or were, in this session or another one. */
    static void enable(Map<String, Filter> filters, SharedSessionContractImplementor session) {
        filters.forEach((name, filter) -> {
            Filter copy = session.getLoadQueryInfluencers().enableFilter(name);
            ((FilterImpl) filter).getParameters().forEach((parameter, value) -> {
                if (value instanceof Collection<?> values) {
                    copy.setParameterList(parameter, values);
                } else {
                    copy.setParameter(parameter, value);
                }
            });
        });
    }

    /** Returns the filters of a session. */
    static Map<String, Filter> of(SharedSessionContractImplementor session) {
        return Map.copyOf(session.getLoadQueryInfluencers().getEnabledFilters());
    }
}
