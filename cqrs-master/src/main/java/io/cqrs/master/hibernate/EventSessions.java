package io.cqrs.master.hibernate;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.hibernate.StatelessSession;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.spi.EventSource;
import org.hibernate.event.spi.PostInsertEvent;
import org.jspecify.annotations.Nullable;

/**
 * Gets at the session of an event. The method's result type changed between Hibernate 6 and 7, so a call that was compiled
 * with one does not link with the other; and those of 6 know no {@link StatelessSession}. Stateless.
 */
final class EventSessions {

    private static final ClassValue<MethodHandle> GETTERS = new ClassValue<>() {
        @Override
        protected MethodHandle computeValue(Class<?> event) {
            try {
                return MethodHandles.publicLookup()
                        .unreflect(event.getMethod("getSession"))
                        .asType(MethodType.methodType(SharedSessionContractImplementor.class, Object.class));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("this Hibernate's " + event.getName() + " knows no session", e);
            }
        }
    };

    private static final boolean TELL_STATELESS = tellStateless();

    private EventSessions() {}

    /** Says whether events of a stateless session would come without it, so that they can't be captured. */
    static boolean missIn(SharedSessionContractImplementor session) {
        return session instanceof StatelessSession && !TELL_STATELESS;
    }

    private static boolean tellStateless() {
        try {
            return PostInsertEvent.class.getMethod("getSession").getReturnType() != EventSource.class;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("this Hibernate's events know no session", e);
        }
    }

    /** Returns the session, or null where the event does not know it. */
    static @Nullable SharedSessionContractImplementor of(Object event) {
        try {
            return (SharedSessionContractImplementor)
                    GETTERS.get(event.getClass()).invokeExact(event);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
