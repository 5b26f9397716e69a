package io.cqrs.tools.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs the servers' own programs. Stateless. */
final class Shell {

    private static final int LIMIT_SECONDS = 120;

    private Shell() {}

    /** Finds a program in a directory pattern's newest match, or on the PATH. */
    static Optional<Path> find(String program, String... places) {
        List<Path> directories = new ArrayList<>();
        for (String place : places) {
            directories.addAll(expand(place));
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        Arrays.stream(path.split(":"))
                .filter(one -> !one.isEmpty())
                .map(Path::of)
                .forEach(directories::add);
        return directories.stream()
                .map(directory -> directory.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static List<Path> expand(String place) {
        int star = place.indexOf("*");
        if (star < 0) {
            return List.of(Path.of(place));
        }
        Path parent = Path.of(place.substring(0, star));
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(parent)) {
            return children.sorted(Comparator.comparing(Shell::number).reversed())
                    .map(child -> Path.of(child + place.substring(star + 1)))
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static int number(Path versioned) {
        String digits = versioned.getFileName().toString().replaceAll("\\D", "");
        return digits.isEmpty() ? 0 : Integer.parseInt(digits.substring(0, Math.min(8, digits.length())));
    }

    static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /**
     * Runs a program to its end.
     *
     * @return what it printed
     */
    static String run(Path directory, Map<String, String> environment, List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
            builder.environment().putAll(environment);
            Path output = Files.createTempFile("cqrs-", ".out");
            try {
                builder.redirectErrorStream(true).redirectOutput(output.toFile());
                Process process = builder.start();
                if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    process.destroyForcibly();
                    throw new ServerException(
                            String.join(" ", command) + " failed: "
                                    + Files.readString(output).strip(),
                            null);
                }
                return Files.readString(output);
            } finally {
                Files.deleteIfExists(output);
            }
        } catch (IOException e) {
            throw new ServerException(String.join(" ", command) + " could not be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("interrupted while running " + String.join(" ", command), e);
        }
    }
}
