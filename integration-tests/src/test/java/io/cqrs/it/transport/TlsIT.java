package io.cqrs.it.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.cqrs.core.Backoff;
import io.cqrs.core.TransportException;
import io.cqrs.it.support.TestProcess;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whom the transport talks to over TLS, and whom not: seen by a server that only counts handshakes. */
@Timeout(60)
class TlsIT {

    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    Path directory;

    @Test
    void talksToATrustedBrokerOfTheRightName() throws Exception {
        Path store = keyStore("localhost");
        try (Handshakes server = Handshakes.with(context(store))) {
            Throwable error = connect(server.port(), context(store));
            assertThat(server.done()).isPositive();
            assertThat(error).hasMessageNotContaining("name");
        }
    }

    @Test
    void refusesATrustedBrokerOfAnotherName() throws Exception {
        Path store = keyStore("other.example");
        try (Handshakes server = Handshakes.with(context(store))) {
            Throwable error = connect(server.port(), context(store));
            assertThat(error).isInstanceOf(TransportException.class).hasMessageContaining("localhost");
            assertThat(error).hasMessageContaining("No subject alternative DNS name matching localhost");
        }
    }

    @Test
    void refusesABrokerThatNobodyItTrustsVouchesFor() throws Exception {
        try (Handshakes server = Handshakes.with(context(keyStore("localhost")))) {
            Throwable error = connect(server.port(), SSLContext.getDefault());
            assertThat(error).isInstanceOf(TransportException.class).hasMessageContaining("certification path");
            assertThat(server.done()).isZero();
        }
    }

    private static Throwable connect(int port, SSLContext trust) {
        RabbitConfig config = RabbitConfig.builder("amqps://localhost:" + port)
                .sslContext(trust)
                .connectTimeout(Duration.ofSeconds(5))
                .reconnect(Backoff.constant(Duration.ofSeconds(1)))
                .patience(Duration.ofMillis(1))
                .build();
        try (RabbitTransport transport = RabbitTransport.of(config)) {
            return catchThrowable(transport::openPublisher);
        }
    }

    private Path keyStore(String name) throws Exception {
        Path store = directory.resolve(name + ".p12");
        try (TestProcess keytool = TestProcess.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "RSA",
                        "-alias",
                        "broker",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "SAN=dns:" + name,
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .start()) {
            assertThat(keytool.awaitExit()).as(keytool.output()).isZero();
        }
        return store;
    }

    private static SSLContext context(Path store) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("broker", keys.getCertificate("broker"));
        trusted.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    /** Counts handshakes that were completed and data that was sent after them, and hangs up. */
    private record Handshakes(SSLServerSocket server, AtomicInteger completed) implements AutoCloseable {

        static Handshakes with(SSLContext context) throws IOException {
            SSLServerSocket server = (SSLServerSocket)
                    context.getServerSocketFactory().createServerSocket(0, 10, InetAddress.getLoopbackAddress());
            Handshakes handshakes = new Handshakes(server, new AtomicInteger());
            Thread thread = new Thread(handshakes::accept, "handshakes");
            thread.setDaemon(true);
            thread.start();
            return handshakes;
        }

        int port() {
            return server.getLocalPort();
        }

        int done() {
            return completed.get();
        }

        private void accept() {
            while (!server.isClosed()) {
                try (SSLSocket socket = (SSLSocket) server.accept()) {
                    socket.startHandshake();
                    if (socket.getInputStream().read() >= 0) {
                        completed.incrementAndGet();
                    }
                } catch (IOException e) {
                    continue; // the client refused
                }
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }
}
