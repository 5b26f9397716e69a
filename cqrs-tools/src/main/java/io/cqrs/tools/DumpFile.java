package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.GZIPOutputStream;

/**
 * A file that gets its name once it is complete: until then it is called {@code .part}, and a process that is killed leaves
 * nothing that looks whole.
 */
final class DumpFile implements AutoCloseable {

    private final Path file;
    private final Path part;
    private final OutputStream out;
    private boolean complete;

    private DumpFile(Path file, Path part, OutputStream out) {
        this.file = file;
        this.part = part;
        this.out = out;
    }

    /**
     * Begins a file, packed where it is called {@code .gz}.
     *
     * @param overwrite whether one of that name may be there
     * @throws CqrsConfigurationException if one is there, or none can be made
     */
    static DumpFile create(Path file, boolean overwrite) throws IOException {
        if (Files.exists(file) && !overwrite) {
            throw new CqrsConfigurationException("file " + file + " exists: give --force to replace it");
        }
        Path part = file.resolveSibling(file.getFileName() + ".part");
        OutputStream bytes;
        try {
            boolean unused = Files.deleteIfExists(part);
            bytes = PrivateFiles.create(part);
        } catch (IOException e) {
            throw new CqrsConfigurationException("file " + part + " can't be written: " + e, e);
        }
        boolean packed = file.toString().endsWith(".gz");
        return new DumpFile(file, part, packed ? new GZIPOutputStream(bytes, 1 << 16) : bytes);
    }

    OutputStream out() {
        return out;
    }

    /** Gives the file its name. */
    void complete() throws IOException {
        out.close();
        Path unused = Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        complete = true;
    }

    @Override
    public void close() throws IOException {
        if (!complete) {
            try {
                out.close();
            } finally {
                Files.deleteIfExists(part);
            }
        }
    }
}
