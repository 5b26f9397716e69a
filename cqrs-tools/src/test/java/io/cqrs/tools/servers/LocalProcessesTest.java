package io.cqrs.tools.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalProcessesTest {

    /** Beyond any that Linux gives out. */
    private static final long NOBODY = 1L << 30;

    @TempDir
    Path directory;

    @Test
    void tellsTheOthersWhereOneEndsMeanwhile() throws Exception {
        Process sleeper = new ProcessBuilder("sleep", "60").start();
        try {
            LocalProcesses.pause(directory, List.of(process(1), sleeper.toHandle()));
            assertThat(state(sleeper)).startsWith("T");
            LocalProcesses.resume(directory, List.of(process(1), sleeper.toHandle()));
            assertThat(state(sleeper)).startsWith("S");
        } finally {
            LocalProcesses.kill(List.of(sleeper.toHandle()));
        }
    }

    @Test
    void failsWhereOneThatIsThereCanNotBeTold() {
        assertThatThrownBy(() -> LocalProcesses.pause(directory, List.of(process(Integer.MAX_VALUE))))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("kill -STOP " + NOBODY);
    }

    private String state(Process process) {
        return Shell.run(directory, Map.of(), List.of("ps", "-o", "stat=", "-p", Long.toString(process.pid())))
                .strip();
    }

    /** One that is there as often as it is asked, and gone then. */
    private static ProcessHandle process(int times) {
        AtomicInteger left = new AtomicInteger(times);
        return (ProcessHandle) Proxy.newProxyInstance(
                LocalProcessesTest.class.getClassLoader(),
                new Class<?>[] {ProcessHandle.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "isAlive" -> left.getAndDecrement() > 0;
                    case "pid" -> NOBODY;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}
