package io.cqrs.transport.rabbit;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsConfigurationException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * How to reach RabbitMQ. Immutable.
 *
 * @param nodes the broker's nodes, as {@code host:port}: any of them is connected to
 * @param tls whether connections are encrypted, and certificate and host name verified
 * @param virtualHost the vhost
 * @param username the user; from the URL unless set, else {@code guest}
 * @param password the password; from the URL unless set, else {@code guest}
 * @param exchange the topic exchange, {@value #DEFAULT_EXCHANGE} unless set
 * @param sslContext whom to trust with {@code amqps}; the JVM's default unless set
 * @param connectTimeout how long one attempt to connect may take, 10 s unless set
 * @param heartbeat after twice this silence a connection counts as lost, 5 s unless set
 * @param reconnect the wait between attempts to connect, 0.5 s doubling up to 3 s unless set
 * @param patience how long to try before giving up with an error, or null for ever, the default
 */
public record RabbitConfig(
        List<String> nodes,
        boolean tls,
        String virtualHost,
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
     *     {@code /}. A cluster's nodes follow each other, as in {@code amqp://user:password@one:5672,two:5672/vhost}
     * @throws CqrsConfigurationException if it is no such URL; the message leaves the password out
     */
    public static Builder builder(String uri) {
        return new Builder(uri);
    }

    /** Returns hosts, ports and vhost for people. */
    public String address() {
        return String.join(",", nodes) + (virtualHost.equals("/") ? "" : "/" + virtualHost);
    }

    /** Leaves the password out. */
    @Override
    public String toString() {
        return "RabbitConfig[" + (tls ? "amqps" : "amqp") + "://" + username + "@" + address() + ", exchange="
                + exchange + "]";
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final List<String> nodes;
        private final boolean tls;
        private final String virtualHost;
        private String username = "guest";
        private String password = "guest";
        private String exchange = DEFAULT_EXCHANGE;
        private @Nullable SSLContext sslContext;
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration heartbeat = Duration.ofSeconds(5);
        private Backoff reconnect = Backoff.exponential(Duration.ofMillis(500), Duration.ofSeconds(3));
        private @Nullable Duration patience;

        private Builder(String text) {
            BrokerUrl url = BrokerUrl.parse(Objects.requireNonNull(text, "uri"));
            this.nodes = url.nodes();
            this.tls = url.tls();
            this.virtualHost = url.virtualHost();
            String userInfo = url.userInfo();
            if (userInfo != null) {
                int colon = userInfo.indexOf(':');
                username = colon < 0 ? userInfo : userInfo.substring(0, colon);
                password = colon < 0 ? password : userInfo.substring(colon + 1);
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
                    nodes,
                    tls,
                    virtualHost,
                    username,
                    password,
                    exchange,
                    sslContext,
                    connectTimeout,
                    heartbeat,
                    reconnect,
                    patience);
        }

        private static void requireBetween(String name, Duration value, Duration least, Duration most) {
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException(name + " " + value + " must lie between " + least + " and " + most);
            }
        }
    }
}
