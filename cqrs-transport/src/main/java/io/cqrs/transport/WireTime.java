package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAccessor;

/**
 * Timestamps as Django writes them: {@code 2026-11-21 01:16:00.614800+00:00}, six digits or none, microseconds
 * truncated. Read with or without {@code T}, fraction and offset; without an offset it is UTC. Stateless.
 */
public final class WireTime {

    private static final DateTimeFormatter READ = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .optionalStart()
            .appendLiteral('T')
            .optionalEnd()
            .optionalStart()
            .appendLiteral(' ')
            .optionalEnd()
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .optionalStart()
            .appendOffset("+HH:MM", "Z")
            .optionalEnd()
            .optionalStart()
            .appendOffset("+HHMM", "Z")
            .optionalEnd()
            .optionalStart()
            .appendOffset("+HH", "Z")
            .optionalEnd()
            .toFormatter();
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
    private static final DateTimeFormatter MICROS = new DateTimeFormatterBuilder()
            .append(SECONDS)
            .appendLiteral('.')
            .appendFraction(ChronoField.MICRO_OF_SECOND, 6, 6, false)
            .toFormatter();
    private static final DateTimeFormatter ISO_SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss");
    private static final DateTimeFormatter TIME_SECONDS = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final DateTimeFormatter TIME_MICROS = DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS");

    private WireTime() {}

    /** Formats a point in time, in UTC with its offset. */
    public static String format(Instant time) {
        return format(LocalDateTime.ofInstant(time, ZoneOffset.UTC)) + "+00:00";
    }

    /** Formats a local date and time, without an offset. */
    public static String format(LocalDateTime time) {
        int year = time.getYear();
        if (year < 0 || year > 9999) {
            LocalDateTime micros = time.truncatedTo(ChronoUnit.MICROS);
            return (micros.getNano() == 0 ? SECONDS : MICROS).format(micros);
        }
        // By hand: a formatter takes as long as all the rest of a message.
        StringBuilder text = new StringBuilder(32);
        digits(text, year, 1000);
        digits(text.append('-'), time.getMonthValue(), 10);
        digits(text.append('-'), time.getDayOfMonth(), 10);
        digits(text.append(' '), time.getHour(), 10);
        digits(text.append(':'), time.getMinute(), 10);
        digits(text.append(':'), time.getSecond(), 10);
        int micros = time.getNano() / 1000;
        if (micros != 0) {
            digits(text.append('.'), micros, 100_000);
        }
        return text.toString();
    }

    private static void digits(StringBuilder text, int number, int highest) {
        for (int unit = highest; unit > 0; unit /= 10) {
            text.append((char) ('0' + number / unit % 10));
        }
    }

    /** Formats a time of day. */
    public static String format(LocalTime time) {
        LocalTime micros = time.truncatedTo(ChronoUnit.MICROS);
        return (micros.getNano() == 0 ? TIME_SECONDS : TIME_MICROS).format(micros);
    }

    /** Formats the time a message expires: with {@code T}, without a fraction. */
    public static String formatExpiry(Instant time) {
        return ISO_SECONDS.format(LocalDateTime.ofInstant(time, ZoneOffset.UTC)) + "+00:00";
    }

    /**
     * Parses a point in time, truncated to microseconds.
     *
     * @throws SerializationException if the text is none
     */
    public static Instant parse(String text) {
        try {
            TemporalAccessor parsed = READ.parseBest(text, OffsetDateTime::from, LocalDateTime::from);
            Instant time = parsed instanceof OffsetDateTime offset
                    ? offset.toInstant()
                    : LocalDateTime.from(parsed).toInstant(ZoneOffset.UTC);
            return time.truncatedTo(ChronoUnit.MICROS);
        } catch (DateTimeException e) {
            throw new SerializationException(
                    "\"" + text + "\" is no timestamp such as 2026-11-21 01:16:00.614800+00:00", e);
        }
    }
}
