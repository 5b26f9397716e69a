package io.cqrs.transport.rabbit;

import io.cqrs.core.CqrsConfigurationException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A broker's URL, taken apart. Errors repeat neither the text nor their cause: both hold the password.
 *
 * @param nodes as {@code host:port}, one or more
 * @param tls whether its scheme is {@code amqps}
 * @param virtualHost the vhost
 * @param userInfo user and password, or null
 */
record BrokerUrl(
        List<String> nodes,
        boolean tls,
        String virtualHost,
        @Nullable String userInfo) {

    private static final String FORM = "amqp://user:password@host:5672/vhost";
    private static final Pattern URL =
            Pattern.compile("(?<scheme>amqps?)://(?<authority>[^/?#]+)(/(?<path>[^?#]*))?.*");

    /**
     * Takes a URL apart.
     *
     * @throws CqrsConfigurationException if it is none
     */
    static BrokerUrl parse(String text) {
        // By hand, since java.net.URI takes no list of hosts that has an IPv6 address.
        Matcher url = URL.matcher(text);
        if (!url.matches()) {
            throw new CqrsConfigurationException(
                    "the transport's url must start with amqp:// or amqps:// and name a host, as in " + FORM);
        }
        boolean tls = "amqps".equals(url.group("scheme"));
        String authority = url.group("authority");
        int at = authority.lastIndexOf('@');
        List<String> nodes = new ArrayList<>();
        for (String node : authority.substring(at + 1).split(",", -1)) {
            nodes.add(node(node, nodes.size() + 1, tls));
        }
        String path = url.group("path");
        String virtualHost = path == null || path.isEmpty()
                ? "/"
                : uri("amqp://host/" + path).getPath().substring(1);
        return new BrokerUrl(
                List.copyOf(nodes), tls, virtualHost, at < 0 ? null : userInfo(authority.substring(0, at)));
    }

    private static String userInfo(String text) {
        String userInfo = uri("amqp://" + text + "@host").getUserInfo();
        if (userInfo == null) {
            throw new CqrsConfigurationException(
                    "user and password in the transport's url have special characters: write " + FORM
                            + ", special characters percent-encoded");
        }
        return userInfo;
    }

    private static String node(String text, int number, boolean tls) {
        URI node = uri("amqp://" + text);
        if (node.getHost() == null) {
            throw new CqrsConfigurationException("host " + number + " of the transport's url is none: write " + FORM
                    + ", or host:5672,host:5672 for the nodes of a cluster, special characters percent-encoded");
        }
        return node.getHost() + ":" + (node.getPort() >= 0 ? node.getPort() : tls ? 5671 : 5672);
    }

    private static URI uri(String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new CqrsConfigurationException("the transport's url is no URL (" + e.getReason() + "): write " + FORM
                    + ", special characters percent-encoded");
        }
    }
}
