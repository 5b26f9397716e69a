package io.cqrs.it.servers;

import io.cqrs.tools.servers.DatabaseServer;
import io.cqrs.tools.servers.Servers;
import java.util.concurrent.CountDownLatch;

/** A run that starts a server and never ends by itself. */
public final class KilledRun {

    public static void main(String[] args) throws Exception {
        DatabaseServer database = Servers.forTests().database();
        System.out.println(database.description() + " url=" + database.createDatabase("killed"));
        new CountDownLatch(1).await();
    }
}
