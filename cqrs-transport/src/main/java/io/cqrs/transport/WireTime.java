package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAccessor;
import org.jspecify.annotations.Nullable;

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
            .toFormatter()
            // Else 30 February would be the 28th.
            .withResolverStyle(ResolverStyle.STRICT);
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
    private static final DateTimeFormatter MICROS = new DateTimeFormatterBuilder()
            .append(SECONDS)
            .appendLiteral('.')
            .appendFraction(ChronoField.MICRO_OF_SECOND, 6, 6, false)
            .toFormatter();
    private static final DateTimeFormatter ISO_SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss");
    private static final DateTimeFormatter TIME_SECONDS = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final DateTimeFormatter TIME_MICROS = DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS");

    private static final int SECONDS_LENGTH = "2026-11-21 01:16:00+00:00".length();
    private static final int MICROS_LENGTH = "2026-11-21 01:16:00.614800+00:00".length();

    private WireTime() {}

    /** Formats a point in time, in UTC with its offset. */
    public static String format(Instant time) {
        return format(LocalDateTime.ofInstant(time, ZoneOffset.UTC), "+00:00");
    }

    /** Formats a local date and time, without an offset. */
    public static String format(LocalDateTime time) {
        return format(time, "");
    }

    private static String format(LocalDateTime time, String offset) {
        int year = time.getYear();
        if (year < 0 || year > 9999) {
            LocalDateTime micros = time.truncatedTo(ChronoUnit.MICROS);
            return (micros.getNano() == 0 ? SECONDS : MICROS).format(micros) + offset;
        }
        // By hand: a formatter takes as long as all the rest of a message.
        byte[] text = new byte[MICROS_LENGTH];
        int end = digits(text, 0, year, 4);
        end = digits(text, separated(text, end, '-'), time.getMonthValue(), 2);
        end = digits(text, separated(text, end, '-'), time.getDayOfMonth(), 2);
        end = digits(text, separated(text, end, ' '), time.getHour(), 2);
        end = digits(text, separated(text, end, ':'), time.getMinute(), 2);
        end = digits(text, separated(text, end, ':'), time.getSecond(), 2);
        int micros = time.getNano() / 1000;
        if (micros != 0) {
            end = digits(text, separated(text, end, '.'), micros, 6);
        }
        for (int i = 0; i < offset.length(); i++) {
            text[end++] = (byte) offset.charAt(i);
        }
        return new String(text, 0, end, StandardCharsets.ISO_8859_1);
    }

    private static int separated(byte[] text, int at, char separator) {
        text[at] = (byte) separator;
        return at + 1;
    }

    private static int digits(byte[] text, int at, int number, int count) {
        int left = number;
        for (int i = at + count - 1; i >= at; i--) {
            text[i] = (byte) ('0' + left % 10);
            left /= 10;
        }
        return at + count;
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
        if (text.endsWith("+00:00") && (text.length() == SECONDS_LENGTH || text.length() == MICROS_LENGTH)) {
            @Nullable Instant usual = parseUsual(text);
            if (usual != null) {
                return usual;
            }
        }
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

    /** By hand: a formatter takes as long as all the rest of a message. What it would refuse is left to it. */
    private static @Nullable Instant parseUsual(String text) {
        int year = number(text, 0, 4);
        int month = number(text, 5, 7);
        int day = number(text, 8, 10);
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        int micros = text.length() == MICROS_LENGTH ? number(text, 20, 26) : 0;
        char between = text.charAt(10);
        boolean separated = text.charAt(4) == '-'
                && text.charAt(7) == '-'
                && (between == ' ' || between == 'T')
                && text.charAt(13) == ':'
                && text.charAt(16) == ':'
                && (text.length() == SECONDS_LENGTH || text.charAt(19) == '.');
        boolean numbers = (year | month | day | hour | minute | second | micros) >= 0;
        if (!separated || !numbers || year == 0 || month < 1 || month > 12 || day < 1 || day > 31) {
            return null;
        }
        if (hour > 23 || minute > 59 || second > 59) {
            return null;
        }
        if (day > 28 && day > YearMonth.of(year, month).lengthOfMonth()) {
            return null;
        }
        long seconds = LocalDate.of(year, month, day).toEpochDay() * 86_400 + hour * 3600L + minute * 60L + second;
        return Instant.ofEpochSecond(seconds, micros * 1000L);
    }

    /** Returns the number that digits make, or -1. */
    private static int number(String text, int from, int to) {
        int number = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = 10 * number + digit;
        }
        return number;
    }
}
