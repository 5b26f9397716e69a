package io.cqrs.it.process;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.RelayListener;
import io.cqrs.transport.memory.InMemoryTransport;
import java.util.concurrent.CountDownLatch;

/** A relay that needs nothing but a database. */
public final class LonelyRelay {

    private LonelyRelay() {}

    public static void main(String[] args) throws Exception {
        CqrsRelay relay = CqrsRelay.builder(UrlDataSource.of(args[0], null, null))
                .transport(new InMemoryTransport())
                .listener(new RelayListener() {
                    @Override
                    public void leading(boolean active) {
                        System.out.println(active ? "active" : "inactive");
                    }
                })
                .build();
        relay.start();
        new CountDownLatch(1).await();
    }
}
