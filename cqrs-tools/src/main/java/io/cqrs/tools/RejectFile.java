package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The lines that could not be loaded, as a dump of their own: made with the first of them. */
final class RejectFile implements AutoCloseable {

    private final @Nullable Path file;
    private @Nullable OutputStream out;

    /**
     * Writes to this file, or nowhere.
     *
     * @throws CqrsConfigurationException if there is one of that name
     */
    RejectFile(@Nullable Path file) {
        if (file != null && Files.exists(file)) {
            throw new CqrsConfigurationException(
                    "file " + file + " exists, and may hold lines that are wanted: name another for the rejects");
        }
        this.file = file;
    }

    void add(CqrsId model, byte[] line) throws IOException {
        if (file == null) {
            return;
        }
        if (out == null) {
            try {
                out = new BufferedOutputStream(PrivateFiles.create(file));
            } catch (IOException e) {
                throw new CqrsConfigurationException("file " + file + " can't be written: " + e, e);
            }
            out.write(model.value().getBytes(StandardCharsets.UTF_8));
        }
        out.write('\n');
        out.write(line);
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            out.close();
        }
    }
}
