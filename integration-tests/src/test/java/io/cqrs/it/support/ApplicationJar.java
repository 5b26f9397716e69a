package io.cqrs.it.support;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;

/** Jars of an application, made of classes of tests. */
public final class ApplicationJar {

    private ApplicationJar() {}

    /** Writes a jar at once, so that whoever watches it sees the old one or the new one. */
    public static void write(Path jar, Class<?>... classes) throws IOException {
        write(jar, "", classes);
    }

    /** The same, its classes in a folder, as executable jars have them. */
    public static void write(Path jar, String folder, Class<?>... classes) throws IOException {
        Path next = jar.resolveSibling("next.jar");
        try (OutputStream file = Files.newOutputStream(next);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Class<?> one : classes) {
                String path = one.getName().replace('.', '/') + ".class";
                out.putNextEntry(new ZipEntry(folder + path));
                try (var bytes = Objects.requireNonNull(one.getClassLoader().getResourceAsStream(path))) {
                    long unused = bytes.transferTo(out);
                }
            }
        }
        Path unused = Files.move(next, jar, StandardCopyOption.REPLACE_EXISTING);
    }
}
