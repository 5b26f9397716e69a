package io.cqrs.replica.internal.consume;

import io.cqrs.transport.Headers;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.OutgoingMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Opens batches, so that whatever becomes of a change becomes of it alone. Stateless. */
final class Batches {

    private Batches() {}

    /** Returns all messages, in their order: those of a batch as if each had come alone. */
    static List<Delivery> opened(List<Delivery> deliveries) {
        List<Delivery> messages = new ArrayList<>(deliveries.size());
        for (Delivery delivery : deliveries) {
            if (MessageBatch.CONTENT_TYPE.equals(delivery.contentType())) {
                open(delivery, messages);
            } else {
                messages.add(delivery);
            }
        }
        return messages;
    }

    private static void open(Delivery batch, List<Delivery> messages) {
        Map<String, Object> headers = new HashMap<>(batch.headers());
        Object unused = headers.remove(Headers.CHANGES);
        for (byte[] body : MessageBatch.unpack(batch.body())) {
            messages.add(new Delivery(
                    batch.tag(), batch.messageId(), OutgoingMessage.SINGLE, batch.routingKey(), headers, body));
        }
    }
}
