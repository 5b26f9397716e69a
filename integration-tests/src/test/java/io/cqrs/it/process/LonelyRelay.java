package io.cqrs.it.process;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.transport.memory.InMemoryTransport;

/** A relay that needs nothing but a database. */
public final class LonelyRelay {

    private LonelyRelay() {}

    public static void main(String[] args) throws Exception {
        DoomedRelay.run(UrlDataSource.of(args[0], null, null), new InMemoryTransport());
    }
}
