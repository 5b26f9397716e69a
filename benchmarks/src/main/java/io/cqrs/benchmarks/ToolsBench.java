package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        String master = Databases.create(servers, "bench_tools_master");
        String replica = Databases.create(servers, "bench_tools_replica");
        Path directory = Files.createTempDirectory("cqrs-bench-");
        ToolsBench bench = new ToolsBench(master, replica, directory, rows);
        Databases.execute(master, TABLE.formatted("item"));
        Databases.execute(master, """
                insert into item select i, 'name of ' || i, 'a description of some length, number ' || i, i / 7.0,
                    i %% 100, i %% 2 = 0, date '2024-01-01' + (i %% 300)::int, '2026-01-01Z'::timestamptz + i * interval '1 s',
                    i %% 5, now()
                from generate_series(1, %d) i""".formatted(rows));
        Databases.execute(master, "vacuum analyze item");
        Databases.execute(replica, TABLE.formatted("item"));
        Databases.execute(replica, TABLE.formatted("bare"));
        bench.config("master", master, "masters: { item: { table: item } }");
        bench.config("replica", replica, "queue: bench\nreplicas: { item: { table: item } }");
        bench.psql(master, "\\copy item to '" + directory + "/item.csv'");
        bench.cqrs("bulk-dump -c item -o item.dump --config master.yaml");
        bench.cqrs("bulk-load -i item.dump --config replica.yaml");
        Databases.execute(replica, "vacuum analyze item");
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
                tool(
                        "dump",
                        "floor psql COPY of row_to_json to a file",
                        () -> cqrs("bulk-dump -c item -f -o item.dump --config master.yaml"),
                        () -> psql(
                                master, "\\copy (select row_to_json(i) from item i) to '" + directory + "/item.json'")),
                measure(
                        "load",
                        "into the empty table, floor psql COPY into a bare one",
                        () -> loadRate("item", () -> cqrs("bulk-load -i item.dump --config replica.yaml")),
                        () -> loadRate("bare", () -> psql(replica, "\\copy bare from '" + directory + "/item.csv'"))),
                tool(
                        "diff",
                        "three stages, equal tables, floor psql COPY of key and revision of both",
                        () -> cqrs(pipe.formatted("diff-master -c item")),
                        () -> {
                            for (String url : List.of(master, replica)) {
                                psql(url, "\\copy (select id, cqrs_revision from item) to '" + directory + "/keys'");
                            }
                        }),
                tool(
                        "checksum",
                        "three stages, equal tables, floor two counts and sums of hashtext",
                        () -> cqrs(pipe.formatted("diff-master -c item --checksum")),
                        () -> {
                            for (String url : List.of(master, replica)) {
                                psql(url, "select count(*), sum(hashtext(t::text)) from item t");
                            }
                        }));
    }

    /** One command beside one of psql's. */
    private Measure tool(String name, String condition, Step command, Step floor) {
        return measure(name, condition, () -> rate(command), () -> rate(floor));
    }

    private Measure measure(String name, String condition, Round framework, Round floor) {
        return new Measure(
                name,
                "rows/s",
                List.of(
                        "rows " + rows,
                        "10 columns",
                        "whole processes, their start included",
                        Databases.durability(replica),
                        condition),
                framework,
                floor);
    }

    /** Empties the step's own table only: diff and checksum need {@code item} as it was loaded last. */
    private double loadRate(String table, Step step) throws Exception {
        Databases.execute(replica, "truncate " + table);
        return rate(step);
    }

    private double rate(Step step) throws Exception {
        long start = System.nanoTime();
        step.run();
        return Round.perSecond(rows, start);
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

    /** Something that is run as processes. */
    private interface Step {
        void run() throws Exception;
    }
}
