package io.cqrs.replica.internal.consume;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.Headers;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.OutgoingMessage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Opens batches. Stateless. */
final class Batches {

    private Batches() {}

    /**
     * Adds a batch's messages, in their order, as if each had come alone.
     *
     * @throws SerializationException if it can't be unpacked
     */
    static void open(Delivery batch, List<Delivery> messages) {
        Map<String, Object> headers = new HashMap<>(batch.headers());
        Object unusedCount = headers.remove(Headers.CHANGES);
        Object unusedSize = headers.remove(Headers.BYTES);
        for (byte[] body : new MessageBatch(String.valueOf(batch.contentType()), batch.body()).bodies()) {
            messages.add(new Delivery(
                    batch.tag(), batch.messageId(), OutgoingMessage.SINGLE, batch.routingKey(), headers, body));
        }
    }
}
