package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.transport.pipe.DiffStream;
import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** The streams between the stages of a pipe, and the files in their places. Stateless. */
final class Pipes {

    private Pipes() {}

    /** Returns standard output as it is: errors are told, not swallowed. */
    static OutputStream out() {
        return new FileOutputStream(FileDescriptor.out);
    }

    /** Returns standard input. */
    static InputStream in() {
        return new FileInputStream(FileDescriptor.in);
    }

    /**
     * Opens a file, unpacked where it is called {@code .gz}, or for {@code -} standard input.
     *
     * @throws CqrsConfigurationException if it can't be opened
     */
    static InputStream open(String name) throws IOException {
        if (name.equals("-")) {
            return in();
        }
        Path file = Path.of(name);
        if (!Files.isRegularFile(file)) {
            throw new CqrsConfigurationException("file " + name + " does not exist");
        }
        InputStream bytes = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        return name.endsWith(".gz") ? new GZIPInputStream(bytes, 1 << 16) : bytes;
    }

    /**
     * Reads what the stage before wrote.
     *
     * @return null where it wrote nothing: nothing was selected
     */
    static @Nullable DiffStream diff() throws IOException {
        return DiffStream.open(in());
    }

    /** Says whether an error means that the next stage has ended. */
    static boolean isBroken(Throwable error) {
        return error instanceof IOException
                && error.getMessage() != null
                && (error.getMessage().contains("Broken pipe")
                        || error.getMessage().contains("Pipe closed"));
    }
}
