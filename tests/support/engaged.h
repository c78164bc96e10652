/* What the event table must say of units, asked by SQL: none is on two incidents.
 *
 * Include it after tests/support/check.h. Threading: none.
 */
#ifndef HT_TESTS_SUPPORT_ENGAGED_H
#define HT_TESTS_SUPPORT_ENGAGED_H

#include "tests/support/sql.h"

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
