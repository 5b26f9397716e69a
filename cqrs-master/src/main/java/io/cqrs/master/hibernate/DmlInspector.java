package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import io.cqrs.master.hibernate.model.Column;
import io.cqrs.master.hibernate.model.MasterField;
import io.cqrs.master.hibernate.model.MasterModel;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hibernate.resource.jdbc.spi.StatementInspector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices statements of HQL, criteria and native SQL that write masters' tables: they tell no entity, so nothing is sent.
 *
 * <p>Hibernate's statements for entities look the same as many others: who prepares one is told by the stack, once for each
 * text. What is executed on a connection by hand is not seen; triggers see all. Thread-safe.
 */
final class DmlInspector implements StatementInspector {

    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(DmlInspector.class);
    private static final String NAME = "(?:\"(?:[^\"]++|\"\")++\"|[\\w$]+)";
    private static final String TABLE = NAME + "(?:\\s*\\.\\s*" + NAME + ")*";
    /** Several tables has only TRUNCATE. */
    private static final Pattern TARGETS = Pattern.compile(
            "\\b(?:insert\\s+into|update|delete\\s+from|merge\\s+into|truncate(?:\\s+table)?)\\s+((?:only\\s+)?" + TABLE
                    + "(?:\\s*,\\s*(?:only\\s+)?" + TABLE + ")*)",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CHARACTER_CLASS);
    /** A table within those, and its name without a schema. */
    private static final Pattern ONE = Pattern.compile(
            "(?:only\\s+)?(?<table>(?:" + NAME + "\\s*\\.\\s*)*(?<bare>" + NAME + "))",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CHARACTER_CLASS);

    private static final int REMEMBERED = 2000;

    /** Runs what a query says; entities and collections are written by others. */
    private static final String QUERIES = "org.hibernate.sql.exec.";

    private static final String OWN = "io.cqrs.master.";

    private final transient @Nullable StatementInspector next;
    private final transient Map<String, Boolean> harmless = new ConcurrentHashMap<>();
    private transient volatile Set<String> tables = Set.of();
    private transient volatile UncapturedDml policy = UncapturedDml.ALLOW;

    DmlInspector(@Nullable StatementInspector next) {
        this.next = next;
    }

    /**
     * Begins to look.
     *
     * @param related tables of what masters depend on
     */
    void watch(Collection<MasterModel> models, Collection<String> related, UncapturedDml what) {
        Set<String> watched = new HashSet<>();
        related.stream().map(DmlInspector::bare).forEach(watched::add);
        for (MasterModel model : models) {
            watched.add(bare(model.revision().column().table()));
            for (MasterField field : model.fields()) {
                for (MasterField.Single single : field.singles()) {
                    single.columns().stream()
                            .map(Column::table)
                            .map(DmlInspector::bare)
                            .forEach(watched::add);
                }
            }
        }
        tables = Set.copyOf(watched);
        policy = what;
    }

    @Override
    public @Nullable String inspect(String sql) {
        if (policy != UncapturedDml.ALLOW && !harmless.containsKey(sql)) {
            check(sql);
        }
        return next == null ? sql : next.inspect(sql);
    }

    private void check(String sql) {
        @Nullable String table = target(sql);
        if (table == null || !isQuery()) {
            remember(sql);
        } else if (!isOwn()) {
            String what = "a statement writes " + table
                    + ", the table of a master or of what one depends on, past capture: nothing is sent for it. Change entities, use CqrsMaster's bulk"
                    + " writes, or install trigger capture and set cqrs.uncaptured_dml to ALLOW. Statement: " + sql;
            if (policy == UncapturedDml.REFUSE) {
                throw new OutboxException(what, null);
            }
            LOG.warn("{}", what);
            remember(sql);
        }
    }

    private void remember(String sql) {
        if (harmless.size() >= REMEMBERED) {
            harmless.clear();
        }
        harmless.put(sql, true);
    }

    private @Nullable String target(String sql) {
        Matcher targets = TARGETS.matcher(sql);
        while (targets.find()) {
            Matcher one = ONE.matcher(targets.group(1));
            while (one.find()) {
                if (tables.contains(bare(one.group("bare")))) {
                    return one.group("table");
                }
            }
        }
        return null;
    }

    private static boolean isQuery() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(QUERIES)));
    }

    private static boolean isOwn() {
        String self = DmlInspector.class.getName();
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(OWN)
                        && !frame.getClassName().startsWith(self)));
    }

    private static String bare(String table) {
        Matcher one = ONE.matcher(table);
        String last = one.matches() ? one.group("bare") : table;
        return last.replace("\"", "").toLowerCase(Locale.ROOT);
    }
}
