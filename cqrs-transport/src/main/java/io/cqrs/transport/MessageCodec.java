package io.cqrs.transport;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.SerializedString;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads messages in the format of django-cqrs 27, one JSON object each (docs/protocol.md).
 *
 * <p>Numbers keep every digit, unknown keys are ignored, nesting is limited to {@value JsonValues#MAX_NESTING} levels, values and
 * names to {@value JsonValues#MAX_TOKENS}, and no Java type is ever named in a message. Thread-safe.
 */
public final class MessageCodec {

    private static final String REVISION = "cqrs_revision";
    private static final String UPDATED = "cqrs_updated";

    private final JsonFactory json = JsonFactory.builder()
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .streamReadConstraints(JsonValues.LIMITS)
            .build();

    /**
     * Writes a message, in UTF-8.
     *
     * @throws SerializationException if a value is none that JSON can hold
     */
    public byte[] encode(Message message) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
        try (JsonGenerator generator = json.createGenerator(out)) {
            write(generator, message);
        } catch (IOException e) {
            throw new SerializationException(
                    "the change of " + message.change().key() + " could not be written: " + e.getMessage(), e);
        }
        return out.toByteArray();
    }

    /**
     * Writes the data of a change alone, as a dump has it, in UTF-8.
     *
     * @throws SerializationException if a value is none that JSON can hold
     */
    public byte[] encodeData(Change change) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
        try (JsonGenerator generator = json.createGenerator(out)) {
            writeInstanceData(generator, change);
        } catch (IOException e) {
            throw new SerializationException(
                    "the data of " + change.key() + " could not be written: " + e.getMessage(), e);
        }
        return out.toByteArray();
    }

    /**
     * Reads the data of an entity, a line of a dump.
     *
     * @param keyFields the fields of its key, in the order of the parts; a single one may also be called {@code id}
     * @throws SerializationException if it is no JSON object, or lacks revision, time or key; the message says which
     */
    public Change decodeData(CqrsId cqrsId, List<String> keyFields, byte[] line) {
        Map<String, @Nullable Object> data = readObject(line, "line");
        Fields fields = new Fields(data);
        try {
            List<Object> parts = new ArrayList<>();
            for (String field : keyFields) {
                boolean called = data.containsKey(field) || keyFields.size() > 1;
                parts.add(fields.required(called ? field : "id"));
            }
            EntityKey key = EntityKey.of(cqrsId, parts.size() == 1 ? parts.get(0) : parts);
            Stamp stamp = Stamp.of(WireTime.parse(fields.text(UPDATED)), fields.integer(REVISION));
            data.remove(UPDATED);
            data.remove(REVISION);
            return Change.of(Signal.SAVE, key, stamp, data);
        } catch (IllegalArgumentException e) {
            throw new SerializationException("the line's key or stamp: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a message. Where the change is a forced one is not in the body but in a header.
     *
     * @throws SerializationException if the bytes are no JSON object, a required key is missing or of a wrong type, or
     *     the signal is unknown; the message says which
     */
    public Message decode(byte[] body) {
        return toMessage(new Fields(readObject(body, "message")));
    }

    private Map<String, @Nullable Object> readObject(byte[] body, String what) {
        try (JsonParser parser = json.createParser(body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new SerializationException("the " + what + " is no JSON object");
            }
            Map<String, @Nullable Object> fields = JsonValues.readObject(parser);
            if (parser.nextToken() != null) {
                throw new SerializationException("the " + what + " goes on after its JSON object");
            }
            return fields;
        } catch (IOException e) {
            throw new SerializationException("the " + what + " is not valid JSON" + place(e));
        }
    }

    /** The parser's own words quote the message: its place says enough, and no payload gets into logs. */
    private static String place(IOException error) {
        JsonLocation location = error instanceof JsonProcessingException known ? known.getLocation() : null;
        return location == null ? "" : " at byte " + location.getByteOffset();
    }

    private static void write(JsonGenerator generator, Message message) throws IOException {
        Change change = message.change();
        generator.writeStartObject();
        generator.writeFieldName(Name.SIGNAL_TYPE);
        generator.writeString(change.signal().name());
        generator.writeFieldName(Name.CQRS_ID);
        generator.writeString(change.key().cqrsId().value());
        generator.writeFieldName(Name.INSTANCE_DATA);
        writeInstanceData(generator, change);
        generator.writeFieldName(Name.PREVIOUS_DATA);
        JsonValues.write(generator, change.previous());
        generator.writeFieldName(Name.INSTANCE_PK);
        JsonValues.write(generator, change.key().value());
        generator.writeFieldName(Name.CORRELATION_ID);
        generator.writeString(change.correlationId());
        generator.writeFieldName(Name.RETRIES);
        generator.writeNumber(message.retries());
        Instant expires = message.expires();
        generator.writeFieldName(Name.EXPIRES);
        generator.writeString(expires == null ? null : WireTime.formatExpiry(expires));
        generator.writeFieldName(Name.META);
        JsonValues.write(generator, change.meta());
        generator.writeEndObject();
    }

    private static void writeInstanceData(JsonGenerator generator, Change change) throws IOException {
        generator.writeStartObject();
        if (change.signal() == Signal.DELETE) {
            generator.writeFieldName("id");
            JsonValues.write(generator, change.key().value());
        }
        for (Map.Entry<String, @Nullable Object> field : change.data().entrySet()) {
            if (!isOurs(change, field.getKey())) {
                generator.writeFieldName(field.getKey());
                JsonValues.write(generator, field.getValue());
            }
        }
        generator.writeFieldName(Name.REVISION);
        generator.writeNumber(change.stamp().revision().value());
        generator.writeFieldName(Name.UPDATED);
        generator.writeString(WireTime.format(change.stamp().updated()));
        generator.writeEndObject();
    }

    /** What the change itself says is written once, whatever a serializer made of it. */
    private static boolean isOurs(Change change, String name) {
        return name.equals(REVISION) || name.equals(UPDATED) || (change.signal() == Signal.DELETE && name.equals("id"));
    }

    private static Message toMessage(Fields fields) {
        Signal signal = signal(fields.text("signal_type"));
        EntityKey key = key(fields);
        Map<String, @Nullable Object> data = fields.object("instance_data");
        Fields instance = new Fields(data);
        try {
            Stamp stamp = Stamp.of(WireTime.parse(instance.text(UPDATED)), instance.integer(REVISION));
            data.remove(UPDATED);
            data.remove(REVISION);
            if (signal == Signal.DELETE) {
                data.remove("id");
            }
            Change change = new Change(
                    signal,
                    key,
                    stamp,
                    data,
                    fields.objectOrNull("previous_data"),
                    fields.textOrNull("correlation_id"),
                    fields.objectOrNull("meta"),
                    false);
            String expires = fields.textOrNull("expires");
            return new Message(change, fields.retries(), expires == null ? null : WireTime.parse(expires));
        } catch (SerializationException | IllegalArgumentException e) {
            throw new SerializationException("the message of " + key + ": " + e.getMessage(), e);
        }
    }

    private static EntityKey key(Fields fields) {
        try {
            return EntityKey.of(CqrsId.of(fields.text("cqrs_id")), fields.required("instance_pk"));
        } catch (IllegalArgumentException e) {
            throw new SerializationException("the message's key: " + e.getMessage(), e);
        }
    }

    private static Signal signal(String name) {
        for (Signal signal : Signal.values()) {
            if (signal.name().equals(name)) {
                return signal;
            }
        }
        throw new SerializationException("the signal_type is not known: it is one of " + List.of(Signal.values()));
    }

    /** Names of each message, quoted and encoded once. */
    private static final class Name {
        private static final SerializedString SIGNAL_TYPE = new SerializedString("signal_type");
        private static final SerializedString CQRS_ID = new SerializedString("cqrs_id");
        private static final SerializedString INSTANCE_DATA = new SerializedString("instance_data");
        private static final SerializedString PREVIOUS_DATA = new SerializedString("previous_data");
        private static final SerializedString INSTANCE_PK = new SerializedString("instance_pk");
        private static final SerializedString CORRELATION_ID = new SerializedString("correlation_id");
        private static final SerializedString RETRIES = new SerializedString("retries");
        private static final SerializedString EXPIRES = new SerializedString("expires");
        private static final SerializedString META = new SerializedString("meta");
        private static final SerializedString REVISION = new SerializedString(MessageCodec.REVISION);
        private static final SerializedString UPDATED = new SerializedString(MessageCodec.UPDATED);

        private Name() {}
    }
}
