package io.cqrs.master;

import io.cqrs.core.CqrsId;

/**
 * How the trigger capture of a model is.
 *
 * @param cqrsId the model
 * @param table its table, quoted as in SQL
 * @param state how it is
 */
public record CaptureStatus(CqrsId cqrsId, String table, State state) {

    /** How a model's triggers are. */
    public enum State {
        /** They are what is declared. */
        INSTALLED("installed"),
        /** They were made from another declaration, another table or another version: install them again. */
        OUTDATED("outdated: run `cqrs capture install`"),
        /** Some are missing or disabled, so that changes are lost: install them again, or enable them. */
        DISABLED("triggers missing or disabled: run `cqrs capture install`, then a sync"),
        /** The table is gone, the declaration of its triggers not: uninstall it. */
        TABLE_GONE("the table is gone: run `cqrs capture uninstall`"),
        /** They are there, but nothing here declares them. */
        NOT_DECLARED("installed, not declared here"),
        /** They are declared, but not there. */
        NOT_INSTALLED("not installed: run `cqrs capture install`"),
        /** Their removal was begun and not finished: uninstall it again. */
        UNINSTALLING("half uninstalled: run `cqrs capture uninstall` again");

        private final String text;

        State(String text) {
            this.text = text;
        }

        /** Says it in words, with what to do. */
        public String text() {
            return text;
        }
    }
}
