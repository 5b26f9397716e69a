package io.cqrs.master.hibernate;

import java.util.Collection;
import java.util.List;
import org.hibernate.Filter;
import org.hibernate.engine.spi.LoadQueryInfluencers;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.internal.FilterImpl;

/**
 * Hibernate's filters of a session: they tell what an application sees, not what is sent. One by one, since all of them come
 * checked: one that lacks an argument is nobody's fault before a query needs it. Stateless.
 */
final class Filters {

    private Filters() {}

    /** Returns the filters of a session. */
    static List<Filter> of(SharedSessionContractImplementor session) {
        LoadQueryInfluencers influencers = session.getLoadQueryInfluencers();
        return influencers.getEnabledFilterNames().stream()
                .map(influencers::getEnabledFilter)
                .toList();
    }

    /** Disables all filters, those that enabled themselves too, and returns them. */
    static List<Filter> disable(SharedSessionContractImplementor session) {
        List<Filter> enabled = of(session);
        enabled.forEach(filter -> session.getLoadQueryInfluencers().disableFilter(filter.getName()));
        return enabled;
    }

    /** Enables filters as they are, or were, in this session or another one. */
    static void enable(List<Filter> filters, SharedSessionContractImplementor session) {
        for (Filter filter : filters) {
            Filter copy = session.getLoadQueryInfluencers().enableFilter(filter.getName());
            ((FilterImpl) filter).getParameters().forEach((parameter, value) -> {
                if (value instanceof Collection<?> values) {
                    copy.setParameterList(parameter, values);
                } else {
                    copy.setParameter(parameter, value);
                }
            });
        }
    }
}
