package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.it.support.TestProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Vouches for servers, whoever trusts it. What it writes is in one directory, in the forms that servers and JVMs take. */
final class Authority {

    static final String PASSWORD = "changeit";

    private final Path directory;
    private final String name;

    /** Makes a new one, by the JDK's own keytool. */
    Authority(Path directory, String name) throws Exception {
        this.directory = directory;
        this.name = name;
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=" + name, "-ext", "bc:c");
        Certificate own = keys().getCertificate("ca");
        Files.writeString(certificate(), pem("CERTIFICATE", own.getEncoded()));
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry("ca", own);
        try (var out = Files.newOutputStream(trustStore())) {
            trust.store(out, PASSWORD.toCharArray());
        }
    }

    /** What the driver of PostgreSQL reads. */
    Path certificate() {
        return directory.resolve(name + ".crt");
    }

    /** What a JVM reads. */
    Path trustStore() {
        return directory.resolve(name + ".trust");
    }

    /** Returns a new identity of a server that is reached as {@code localhost}. */
    Identity vouch(String server, String... validity) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "-genkeypair",
                "-alias",
                server,
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost",
                "-signer",
                "ca"));
        arguments.addAll(List.of(validity));
        keytool(arguments.toArray(String[]::new));
        KeyStore keys = keys();
        return new Identity(
                pem("CERTIFICATE", keys.getCertificate(server).getEncoded()),
                pem("PRIVATE KEY", keys.getKey(server, PASSWORD.toCharArray()).getEncoded()));
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of(
                "-keyalg", "RSA", "-storetype", "PKCS12", "-keystore", store().toString(), "-storepass", PASSWORD));
        try (TestProcess keytool =
                TestProcess.of(command.toArray(String[]::new)).start()) {
            assertThat(keytool.awaitExit()).as(keytool.output()).isZero();
        }
    }

    private KeyStore keys() throws GeneralSecurityException, IOException {
        return KeyStore.getInstance(store().toFile(), PASSWORD.toCharArray());
    }

    private Path store() {
        return directory.resolve(name + ".p12");
    }

    private static String pem(String kind, byte[] content) {
        return "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content) + "\n-----END " + kind
                + "-----\n";
    }

    /** A server's certificate and its key, as PEM. */
    record Identity(String certificate, String key) {}
}
