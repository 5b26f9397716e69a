package io.cqrs.it.security;

import io.cqrs.transport.Headers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Input that nobody meant. */
final class Mutations {

    private Mutations() {}

    static byte[] noise(Random random) {
        byte[] bytes = new byte[random.nextInt(300)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Has one of our headers, or none of ours, say what nobody meant. */
    static Map<String, Object> headers(Random random, Map<String, Object> meant) {
        List<String> names = List.of(
                Headers.CHANGES,
                Headers.BYTES,
                Headers.FORCE,
                Headers.ATTEMPTS,
                Headers.FIRST_FAILURE,
                Headers.PARENT_MISSING_SINCE,
                Headers.SOURCE_QUEUE,
                Headers.TRACE_PARENT,
                "x-anything");
        List<Object> values = List.of(
                -1,
                0,
                2,
                Long.MAX_VALUE,
                1e300,
                true,
                "",
                "many",
                "00-zz-1",
                "x".repeat(2_000),
                new byte[] {0, -1},
                List.of(1, "a"),
                Map.of("a", Map.of()));
        Map<String, Object> headers = new HashMap<>(meant);
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            String name = names.get(random.nextInt(names.size()));
            if (random.nextInt(4) == 0) {
                headers.remove(name);
            } else {
                headers.put(name, values.get(random.nextInt(values.size())));
            }
        }
        return headers;
    }

    /** Changes, drops, doubles or swaps a few bytes, or a value as a whole. */
    static byte[] mutated(Random random, byte[] message) {
        String[] values = {"null", "true", "-1", "1e400", "\"\"", "[]", "{}", "\"\\u0000\"", "99999999999999999999"};
        if (random.nextInt(3) == 0) {
            String text = new String(message, StandardCharsets.UTF_8);
            int colon = text.indexOf(':', random.nextInt(text.length()));
            int end = colon < 0 ? -1 : text.indexOf(',', colon);
            return end < 0
                    ? message
                    : (text.substring(0, colon + 1) + values[random.nextInt(values.length)] + text.substring(end))
                            .getBytes(StandardCharsets.UTF_8);
        }
        byte[] bytes = message.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = bytes[random.nextInt(bytes.length)];
                default -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
            }
        }
        return bytes;
    }
}
