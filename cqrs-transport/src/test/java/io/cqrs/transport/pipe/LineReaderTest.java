package io.cqrs.transport.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lines of bytes. */
class LineReaderTest {

    @Test
    void readsLinesOfAnyLengthAndKnowsTheirNumbersAndEnds() throws IOException {
        String large = "x".repeat(200_000);
        LineReader reader = reader("a\n\n" + large + "\nä\nlast");
        assertThat(all(reader)).containsExactly("a", "", large, "ä", "last");
        assertThat(reader.number()).isEqualTo(5);
        assertThat(reader.hadEnd()).isFalse();
        LineReader ended = reader("a\nb\n");
        assertThat(all(ended)).containsExactly("a", "b");
        assertThat(ended.hadEnd()).isTrue();
        assertThat(all(reader(""))).isEmpty();
    }

    private static LineReader reader(String text) {
        return new LineReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static List<String> all(LineReader reader) throws IOException {
        List<String> lines = new ArrayList<>();
        byte[] line = reader.next();
        while (line != null) {
            lines.add(new String(line, StandardCharsets.UTF_8));
            line = reader.next();
        }
        return lines;
    }
}
