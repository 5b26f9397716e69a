package io.cqrs.it.master;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.TestDatabase;

/** Inserts many entities in one transaction, as Hibernate's guide has it: flushed and cleared now and then. */
final class LeanWriter {

    private LeanWriter() {}

    public static void main(String[] arguments) {
        String url = arguments[0];
        long rows = Long.parseLong(arguments[1]);
        var configuration =
                MasterUnit.configuration(new TestDatabase(url, UrlDataSource.of(url, null, null)), Item.class);
        configuration.setProperty("hibernate.jdbc.batch_size", "500");
        try (MasterUnit unit = MasterUnit.of(configuration)) {
            unit.commit(session -> {
                for (long id = 0; id < rows; id++) {
                    session.persist(new Item(id, "lean"));
                    if (id % 500 == 499) {
                        session.flush();
                        session.clear();
                    }
                }
            });
        }
    }
}
