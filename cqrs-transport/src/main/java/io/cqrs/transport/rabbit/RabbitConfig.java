package io.cqrs.transport.rabbit;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsConfigurationException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * How to reach RabbitMQ. Immutable.
 *
 * @param uri where, without user and password
 * @param username the user; from the URL unless set, else {@code guest}
 * @param password the password; from the URL unless set, else {@code guest}
 * @param exchange the topic exchange, {@value #DEFAULT_EXCHANGE} unless set
 * @param sslContext whom to trust with {@code amqps}; the JVM's default unless set
 * @param connectTimeout how long one attempt to connect may take, 10 s unless set
 * @param heartbeat after twice this silence a connection counts as lost, 15 s unless set
 * @param reconnect the wait between attempts to connect, 0.5 s doubling up to 15 s unless set
 * @param patience how long to try before giving up with an error, or null for ever, the default
 */
public record RabbitConfig(
        URI uri,
        String username,
        String password,
        String exchange,
        @Nullable SSLContext sslContext,
        Duration connectTimeout,
        Duration heartbeat,
        Backoff reconnect,
        @Nullable Duration patience) {

    /** The exchange that django-cqrs uses unless told otherwise. */
    public static final String DEFAULT_EXCHANGE = "cqrs";

    /**
     * Begins a configuration.
     *
     * @param uri as in {@code amqp://user:password@host:5672/vhost}; no path, or {@code /} alone, is the vhost
     *     {@code /}
     * @throws CqrsConfigurationException if it is no such URL; the message leaves the password out
     */
    public static Builder builder(String uri) {
        return new Builder(uri);
    }

    /** Returns host, port and vhost for people. */
    public String address() {
        return uri.getHost() + ":" + port() + (virtualHost().equals("/") ? "" : "/" + virtualHost());
    }

    boolean tls() {
        return "amqps".equals(uri.getScheme());
    }

    int port() {
        if (uri.getPort() >= 0) {
            return uri.getPort();
        }
        return tls() ? 5671 : 5672;
    }

    String virtualHost() {
        String path = uri.getPath();
        return path == null || path.length() <= 1 ? "/" : path.substring(1);
    }

    /** Leaves the password out. */
    @Override
    public String toString() {
        return "RabbitConfig[" + uri.getScheme() + "://" + username + "@" + address() + ", exchange=" + exchange + "]";
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final URI uri;
        private String username = "guest";
        private String password = "guest";
        private String exchange = DEFAULT_EXCHANGE;
        private @Nullable SSLContext sslContext;
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration heartbeat = Duration.ofSeconds(15);
        private Backoff reconnect = Backoff.exponential(Duration.ofMillis(500), Duration.ofSeconds(15));
        private @Nullable Duration patience;

        private Builder(String text) {
            Objects.requireNonNull(text, "uri");
            URI parsed = parse(text);
            String userInfo = parsed.getUserInfo();
            if (userInfo != null) {
                int colon = userInfo.indexOf(':');
                username = colon < 0 ? userInfo : userInfo.substring(0, colon);
                password = colon < 0 ? password : userInfo.substring(colon + 1);
            }
            uri = withoutCredentials(parsed);
        }

        private static URI parse(String text) {
            URI parsed;
            try {
                parsed = new URI(text);
            } catch (URISyntaxException e) {
                // Neither the text nor the cause is repeated: both hold the password.
                throw new CqrsConfigurationException("the transport's url is no URL (" + e.getReason()
                        + "): write amqp://user:password@host:5672/vhost, special characters percent-encoded");
            }
            boolean amqp = "amqp".equals(parsed.getScheme()) || "amqps".equals(parsed.getScheme());
            if (!amqp || parsed.getHost() == null) {
                throw new CqrsConfigurationException(
                        "the transport's url must start with amqp:// or amqps:// and name a host, as in"
                                + " amqp://user:password@host:5672/vhost");
            }
            return parsed;
        }

        private static URI withoutCredentials(URI parsed) {
            try {
                return new URI(
                        parsed.getScheme(), null, parsed.getHost(), parsed.getPort(), parsed.getPath(), null, null);
            } catch (URISyntaxException e) {
                throw new CqrsConfigurationException("the transport's url is no URL: " + e.getReason());
            }
        }

        /** Sets user and password, in place of the URL's. */
        public Builder credentials(String user, String secret) {
            this.username = Objects.requireNonNull(user, "user");
            this.password = Objects.requireNonNull(secret, "secret");
            return this;
        }

        /** Sets the exchange. */
        public Builder exchange(String name) {
            this.exchange = Objects.requireNonNull(name, "name");
            return this;
        }

        /** Sets whom to trust with {@code amqps}, and with what key to answer the broker. */
        public Builder sslContext(SSLContext context) {
            this.sslContext = Objects.requireNonNull(context, "context");
            return this;
        }

        /** Sets how long one attempt to connect may take. */
        public Builder connectTimeout(Duration timeout) {
            this.connectTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** Sets the heartbeat, in whole seconds. */
        public Builder heartbeat(Duration interval) {
            this.heartbeat = Objects.requireNonNull(interval, "interval");
            return this;
        }

        /** Sets the wait between attempts to connect. */
        public Builder reconnect(Backoff backoff) {
            this.reconnect = Objects.requireNonNull(backoff, "backoff");
            return this;
        }

        /** Sets how long to try to connect before giving up. */
        public Builder patience(Duration limit) {
            this.patience = Objects.requireNonNull(limit, "limit");
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @throws IllegalArgumentException if the exchange is blank or a time out of range
         */
        public RabbitConfig build() {
            if (exchange.isBlank() || exchange.length() > 255) {
                throw new IllegalArgumentException("exchange \"" + exchange + "\" must have 1 to 255 characters");
            }
            requireBetween("connectTimeout", connectTimeout, Duration.ofMillis(1), Duration.ofMinutes(10));
            requireBetween("heartbeat", heartbeat, Duration.ofSeconds(1), Duration.ofHours(1));
            return new RabbitConfig(
                    uri, username, password, exchange, sslContext, connectTimeout, heartbeat, reconnect, patience);
        }

        private static void requireBetween(String name, Duration value, Duration least, Duration most) {
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException(name + " " + value + " must lie between " + least + " and " + most);
            }
        }
    }
}
