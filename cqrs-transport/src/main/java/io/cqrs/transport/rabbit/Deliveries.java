package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Envelope;
import io.cqrs.transport.spi.Delivery;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes deliveries of what the client hands over. Stateless. */
final class Deliveries {

    private Deliveries() {}

    static Delivery of(Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        return new Delivery(
                envelope.getDeliveryTag(),
                properties.getMessageId(),
                properties.getContentType(),
                envelope.getRoutingKey(),
                plainHeaders(properties.getHeaders()),
                body);
    }

    /** Text comes as the client's LongString; nested tables (x-death) are the broker's own and stay out. */
    private static Map<String, Object> plainHeaders(@Nullable Map<String, Object> headers) {
        if (headers == null || headers.isEmpty()) {
            return Map.of();
        }
        Map<String, Object> plain = new HashMap<>();
        headers.forEach((name, value) -> {
            if (value instanceof Number || value instanceof Boolean) {
                plain.put(name, value);
            } else if (value != null && !(value instanceof List) && !(value instanceof Map)) {
                plain.put(name, value.toString());
            }
        });
        return plain;
    }
}
