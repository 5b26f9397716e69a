package io.cqrs.transport;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.cqrs.core.SerializationException;
import java.io.IOException;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/** Single wire values as JSON text, for json columns and stored headers. Stateless. */
public final class JsonText {

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .streamReadConstraints(JsonValues.LIMITS)
            .build();

    private JsonText() {}

    /**
     * Reads a value, every digit kept.
     *
     * @throws SerializationException if the text is no JSON, without quoting it
     */
    public static @Nullable Object read(String text) {
        try (JsonParser parser = JSON.createParser(text)) {
            Object value = JsonValues.read(parser, parser.nextToken());
            if (parser.nextToken() != null) {
                throw new SerializationException("the JSON text goes on after its value");
            }
            return value;
        } catch (IOException e) {
            throw new SerializationException("the text is no JSON", e);
        }
    }

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
