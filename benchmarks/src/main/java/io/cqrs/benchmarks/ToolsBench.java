package io.cqrs.benchmarks;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.tools.servers.Servers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The command line's bulk commands as whole processes, beside PostgreSQL's own client. */
final class ToolsBench implements Bench {

    private static final String TABLE = """
            create table %s (id bigint primary key, name text, description text, price numeric(12, 2), amount int,
                active boolean, made date, seen timestamptz, cqrs_revision bigint not null,
                cqrs_updated timestamptz not null)""";

    private final String master;
    private final String replica;
    private final Path directory;
    private final int rows;

    private ToolsBench(String master, String replica, Path directory, int rows) {
        this.master = master;
        this.replica = replica;
        this.directory = directory;
        this.rows = rows;
    }

    static ToolsBench build(Servers servers, int rows) throws Exception {
        String master = servers.database().createDatabase("bench_tools_master");
        String replica = servers.database().createDatabase("bench_tools_replica");
        for (String url : List.of(master, replica)) {
            int unused = CqrsSchema.standard().migrate(UrlDataSource.of(url, null, null));
        }
        Path directory = Files.createTempDirectory("cqrs-bench-");
        ToolsBench bench = new ToolsBench(master, replica, directory, rows);
        execute(master, TABLE.formatted("item"));
        execute(master, """
                insert into item select i, 'name of ' || i, 'a description of some length, number ' || i, i / 7.0,
                    i %% 100, i %% 2 = 0, date '2024-01-01' + (i %% 300)::int, '2026-01-01Z'::timestamptz + i * interval '1 s',
                    i %% 5, now()
                from generate_series(1, %d) i""".formatted(rows));
        execute(master, "vacuum analyze item");
        execute(replica, TABLE.formatted("item"));
        execute(replica, TABLE.formatted("bare"));
        bench.config("master", master, "masters: { item: { table: item } }");
        bench.config("replica", replica, "queue: bench\nreplicas: { item: { table: item } }");
        bench.psql(master, "\\copy item to '" + directory + "/item.csv'");
        bench.cqrs("bulk-dump -c item -o item.dump --config master.yaml");
        bench.cqrs("bulk-load -i item.dump --config replica.yaml");
        execute(replica, "vacuum analyze item");
        return bench;
    }

    private void config(String name, String url, String models) throws IOException {
        Files.writeString(directory.resolve(name + ".yaml"), "database: { url: \"" + url + "\" }\n" + models + "\n");
    }

    @Override
    public List<Measure> measures() {
        String pipe = "%s --config master.yaml | " + launcher() + " diff-replica --config replica.yaml | " + launcher()
                + " diff-sync --config master.yaml";
        return List.of(
                new Tool(
                        "dump",
                        "floor psql COPY of row_to_json to a file",
                        () -> cqrs("bulk-dump -c item -f -o item.dump --config master.yaml"),
                        () -> psql(
                                master, "\\copy (select row_to_json(i) from item i) to '" + directory + "/item.json'")),
                new Tool(
                        "load",
                        "into the empty table, floor psql COPY into a bare one",
                        () -> cqrs("bulk-load -i item.dump --config replica.yaml"),
                        () -> psql(replica, "\\copy bare from '" + directory + "/item.csv'")),
                new Tool(
                        "diff",
                        "three stages, equal tables, floor psql COPY of key and revision of both",
                        () -> cqrs(pipe.formatted("diff-master -c item")),
                        () -> {
                            for (String url : List.of(master, replica)) {
                                psql(url, "\\copy (select id, cqrs_revision from item) to '" + directory + "/keys'");
                            }
                        }),
                new Tool(
                        "checksum",
                        "three stages, equal tables, floor two counts and sums of hashtext",
                        () -> cqrs(pipe.formatted("diff-master -c item --checksum")),
                        () -> {
                            for (String url : List.of(master, replica)) {
                                psql(url, "select count(*), sum(hashtext(t::text)) from item t");
                            }
                        }));
    }

    @Override
    public void close() throws IOException {
        List<Path> paths;
        try (Stream<Path> all = Files.walk(directory)) {
            paths = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }

    private static String launcher() {
        return Path.of(System.getProperty("cqrs.root", "."), "cqrs")
                .toAbsolutePath()
                .toString();
    }

    private void cqrs(String arguments) throws IOException, InterruptedException {
        run(List.of("bash", "-o", "pipefail", "-c", launcher() + " " + arguments));
    }

    private void psql(String url, String command) throws IOException, InterruptedException {
        run(List.of("psql", "-q", "-d", url.substring("jdbc:".length()), "-c", command));
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        int code = new ProcessBuilder(new ArrayList<>(command))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + code + ": " + Files.readString(output));
        }
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Runs a process. */
    private interface Step {
        void run() throws Exception;
    }

    /** One command beside one of psql's. */
    private final class Tool implements Measure {

        private final String name;
        private final String condition;
        private final Step command;
        private final Step floor;

        private Tool(String name, String condition, Step command, Step floor) {
            this.name = name;
            this.condition = condition;
            this.command = command;
            this.floor = floor;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String unit() {
            return "rows/s";
        }

        @Override
        public List<String> conditions() {
            return List.of("rows " + rows, "10 columns", "whole processes, their start included", condition);
        }

        @Override
        public double run() throws Exception {
            return rate(command);
        }

        @Override
        public double runFloor() throws Exception {
            return rate(floor);
        }

        private double rate(Step step) throws Exception {
            if (name.equals("load")) {
                execute(replica, "truncate item, bare");
            }
            long start = System.nanoTime();
            step.run();
            return rows / ((System.nanoTime() - start) / 1e9);
        }
    }
}
