package io.cqrs.tools;

import io.cqrs.core.FieldFilter;
import io.cqrs.transport.FieldFilters;
import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that say whose rows a comparison begins with, and how many go into a line. */
final class RowOptions {

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            required = true,
            paramLabel = "ID",
            description = "The model.")
    private String id;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "JSON",
            defaultValue = "{}",
            description =
                    "Which rows: a JSON object of field or field__lookup and value. Default: {}, which means all.")
    private String filter;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            defaultValue = "10000",
            description = "Rows a line. Default: 10000.")
    private int batch;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    RowOptions() {}

    String id() {
        return id;
    }

    /**
     * Returns which rows are chosen.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if the filter is none
     */
    FieldFilter filter() {
        return FieldFilters.parse(filter);
    }

    /**
     * Writes the chosen rows, and says so where there are none.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if the filter is none, or a value of it does not fit its field
     */
    void write(CommandLine line, Writing writing) throws IOException {
        try {
            if (writing.write(filter()) == 0) {
                line.getErr().println("No objects found for filter " + filter);
            }
        } catch (RuntimeException e) {
            FilterValues.requireFit(e);
            throw e;
        }
    }

    /**
     * Returns how many rows a line has.
     *
     * @throws ParameterException if it is below 1
     */
    int batch(CommandLine line) {
        if (batch < 1) {
            throw new ParameterException(line, "--batch is " + batch + ": it must be 1 or more");
        }
        return batch;
    }

    /** Writes rows, and returns how many. */
    @FunctionalInterface
    interface Writing {
        long write(FieldFilter filter) throws IOException;
    }
}
