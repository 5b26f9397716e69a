package io.cqrs.it.support;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.concurrent.Callable;

/** A connection as some pools wrap them: one method of it is somebody else's. */
public final class OddConnection {

    private OddConnection() {}

    public static Connection of(Connection connection, String name, Callable<?> answer) {
        return (Connection) Proxy.newProxyInstance(
                OddConnection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals(name)) {
                        return answer.call();
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
