package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CaptureStatus;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A master's database that is dumped and restored elsewhere. */
@ExtendWith(TestEnvironment.class)
class DumpRestoreIT {

    @Test
    void goesOnCapturingByTriggersInARestoredDatabase(@TempDir Path directory) throws Exception {
        TestDatabase original = TestEnvironment.database("dumped");
        TestDatabase restored = TestEnvironment.database("restored");
        int server = Integer.parseInt(original.rows("select current_setting('server_version_num')::int / 10000")
                .get(0));
        TestEnvironment.require(dumps(server), "no pg_dump of version " + server + " or later on the path");
        CqrsSchema.standard().migrate(original.dataSource());
        original.execute("create table product (id bigint primary key, name text)");
        MasterTable table = MasterTable.of(CqrsId.of("product"), TableName.parse("product"));
        TriggerCapture capture = TriggerCapture.of(original.dataSource());
        capture.addColumns(table.table());
        capture.install(table);
        original.execute("insert into product (id, name) values (1, 'a')");
        Path dump = directory.resolve("dump.sql");
        run("pg_dump", "--dbname", libpq(original), "--file", dump.toString());
        run("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", libpq(restored), "--file", dump.toString());
        assertThat(Sent.take(restored))
                .as("what waited in the outbox waits still")
                .hasSize(1);
        restored.execute("update product set name = 'b'; insert into product (id) values (2)");
        assertThat(Sent.take(restored)).extracting(Sent::revision).containsExactly(1L, 0L);
        assertThat(TriggerCapture.of(restored.dataSource()).status(List.of(table)))
                .extracting(CaptureStatus::state)
                .containsExactly(CaptureStatus.State.INSTALLED);
    }

    private static void run(String... command) throws InterruptedException {
        try (TestProcess process = TestProcess.of(command).start()) {
            assertThat(process.awaitExit()).as(process.output()).isZero();
        }
    }

    private static boolean dumps(int server) throws InterruptedException {
        boolean there = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> new File(folder, "pg_dump").canExecute() && new File(folder, "psql").canExecute());
        if (!there) {
            return false;
        }
        try (TestProcess version = TestProcess.of("pg_dump", "--version").start()) {
            int code = version.awaitExit();
            String number = version.output().replaceAll("(?s).*?(\\d+)\\..*", "$1");
            return code == 0 && Integer.parseInt(number) >= server;
        }
    }

    /** The same database for PostgreSQL's own tools. */
    private static String libpq(TestDatabase database) {
        return database.url().substring("jdbc:".length());
    }
}
