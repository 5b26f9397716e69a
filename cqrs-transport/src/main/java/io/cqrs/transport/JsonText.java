package io.cqrs.transport;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.cqrs.core.SerializationException;
import java.io.IOException;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/** Single wire values as JSON text, for json columns. Stateless. */
public final class JsonText {

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .build();

    private JsonText() {}

    /**
     * Writes a value.
     *
     * @throws SerializationException if it is none that JSON can hold
     */
    public static String write(@Nullable Object value) {
        StringWriter out = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(out)) {
            JsonValues.write(generator, value);
        } catch (IOException e) {
            throw new SerializationException("a value could not be written as JSON: " + e.getMessage(), e);
        }
        return out.toString();
    }
}
