package io.cqrs.it.master;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.UnroutablePolicy;
import io.cqrs.transport.memory.InMemoryTransport;
import java.util.stream.LongStream;

/** A service that writes and sends many entities, each time all of them at once. */
public final class LeanMaster {

    private LeanMaster() {}

    public static void main(String[] args) throws Exception {
        long rows = Long.parseLong(args[1]);
        TestDatabase database = new TestDatabase(args[0], UrlDataSource.of(args[0], null, null));
        try (MasterUnit unit = MasterUnit.on(database, BulkIT.Stock.class);
                CqrsMaster master = CqrsMaster.builder(unit.sessions())
                        .dataSource(database.dataSource())
                        .transport(new InMemoryTransport())
                        .unroutable(UnroutablePolicy.DROP)
                        .build()) {
            master.start();
            unit.commit(session -> System.out.println("inserted "
                    + master.bulkInsert(
                            session,
                            () -> LongStream.range(0, rows)
                                    .mapToObj(BulkIT.Stock::new)
                                    .iterator())));
            unit.commit(session -> System.out.println("updated "
                    + master.bulkUpdate(
                            session,
                            BulkIT.Stock.class,
                            (stock, cb) -> cb.ge(stock.get("id"), 0L),
                            (update, stock, cb) -> update.set(stock.<Integer>get("amount"), 1))));
            SyncProgress sent = master.sync(BulkIT.Stock.class).send();
            System.out.println("sent " + sent.sent());
            unit.commit(session -> System.out.println("deleted "
                    + master.bulkDelete(session, BulkIT.Stock.class, (stock, cb) -> cb.ge(stock.get("id"), 0L))));
        }
        System.exit(0);
    }
}
