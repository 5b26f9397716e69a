package io.cqrs.tools.doctor;

/**
 * What was looked at, and how it is.
 *
 * @param level how bad it is
 * @param what what was found
 * @param fix what to do about it; empty where nothing has to be done
 */
public record Finding(Level level, String what, String fix) {

    /** How bad something is. */
    public enum Level {
        /** As it should be. */
        OK,
        /** It works, but may not be what is meant. */
        WARN,
        /** It does not work. */
        FAIL
    }

    static Finding ok(String what) {
        return new Finding(Level.OK, what, "");
    }

    static Finding warn(String what, String fix) {
        return new Finding(Level.WARN, what, fix);
    }

    static Finding fail(String what, String fix) {
        return new Finding(Level.FAIL, what, fix);
    }
}
