package io.cqrs.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Names the classes of a jar that most commands need, for the launcher's class data archive: what no training run loads,
 * since it has no database to speak to.
 */
public final class ClassNames {

    private static final List<String> PACKAGES = List.of("io/cqrs/", "org/postgresql/", "picocli/");

    private ClassNames() {}

    /**
     * Prints a name a line, as {@code -XX:SharedClassListFile} reads them.
     *
     * @param args the jar
     * @throws IOException if it can't be read
     */
    public static void main(String[] args) throws IOException {
        PrintStream out = System.out;
        try (JarFile jar = new JarFile(args[0])) {
            jar.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.endsWith(".class") && PACKAGES.stream().anyMatch(name::startsWith))
                    .forEach(name -> out.println(name.substring(0, name.length() - ".class".length())));
        }
    }
}
