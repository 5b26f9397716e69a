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
            throw malformed("does not start with amqp:// or amqps:// and a host");
        }
        boolean tls = "amqps".equals(url.group("scheme"));
        String authority = url.group("authority");
        int at = authority.lastIndexOf('@');
        List<String> nodes = new ArrayList<>();
        for (String node : authority.substring(at + 1).split(",", -1)) {
            nodes.add(node(node, nodes.size() + 1, tls));
        }
        String path = url.group("path");
        if (path != null && path.indexOf('@') >= 0) {
            // It would be told as the virtual host.
            throw malformed("has a / in user or password, or an @ in its vhost");
        }
        String virtualHost = path == null || path.isEmpty()
                ? "/"
                : uri("amqp://host/" + path).getPath().substring(1);
        return new BrokerUrl(
                List.copyOf(nodes), tls, virtualHost, at < 0 ? null : userInfo(authority.substring(0, at)));
    }

    private static String userInfo(String text) {
        String userInfo = uri("amqp://" + text + "@host").getUserInfo();
        if (userInfo == null) {
            throw malformed("has special characters in user or password");
        }
        return userInfo;
    }

    private static String node(String text, int number, boolean tls) {
        URI node = uri("amqp://" + text);
        if (node.getHost() == null) {
            throw malformed("has no host as host " + number + " of its list");
        }
        return node.getHost() + ":" + (node.getPort() >= 0 ? node.getPort() : tls ? 5671 : 5672);
    }

    private static URI uri(String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw malformed("is no URL (" + e.getReason() + ")");
        }
    }

    private static CqrsConfigurationException malformed(String what) {
        return new CqrsConfigurationException("the transport's url " + what
                + ": write amqp://user:password@host:5672/vhost (host:5672,host:5672 for the nodes of a cluster),"
                + " special characters percent-encoded");
    }
}
