package io.cqrs.it.security;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Input that nobody meant. */
final class Mutations {

    private Mutations() {}

    static byte[] noise(Random random) {
        byte[] bytes = new byte[random.nextInt(300)];
        random.nextBytes(bytes);
        return bytes;
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
