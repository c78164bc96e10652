/* What the event table must say of units, asked by SQL: none is on two incidents.
 *
 * Include it after tests/support/check.h. Threading: none.
 */
#ifndef HT_TESTS_SUPPORT_ENGAGED_H
#define HT_TESTS_SUPPORT_ENGAGED_H

#include <sqlite3.h>

static inline int64_t ht_sql_number(const char *store, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return value;
}

/* Of each unit, an assignment is followed by its end, on the same incident; and nothing ends that
 * has not begun. Gives back how often that is not so. */
static inline int64_t ht_engaged_twice(const char *store)
{
    return ht_sql_number(
        store, "WITH e AS (SELECT seq, kind = 'incident.assigned' AS begins, body->>'unit' AS unit,"
               " body->>'incident' AS incident FROM events WHERE kind IN ('incident.assigned',"
               " 'incident.released', 'incident.declined', 'incident.passed_over')),"
               " n AS (SELECT begins, incident,"
               " lag(begins) OVER (PARTITION BY unit ORDER BY seq) AS before,"
               " lag(incident) OVER (PARTITION BY unit ORDER BY seq) AS there FROM e)"
               " SELECT count(*) FROM n WHERE begins = coalesce(before, 0)"
               " OR (begins = 0 AND incident <> there)");
}

#endif
