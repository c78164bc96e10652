/* A number out of a store, on whichever engine a test has it: SQLite's file or PostgreSQL's URL.
 *
 * Threading: none. Ownership: none.
 */
#ifndef HT_TESTS_SUPPORT_STORE_NUMBER_H
#define HT_TESTS_SUPPORT_STORE_NUMBER_H

#include "tests/support/pg_cluster.h"
#include "tests/support/sql.h"

static inline int64_t ht_store_number(const char *store, const char *sql)
{
    char text[64];
    if (ht_pg_wanted()) {
        ht_pg_rows(store, sql, ",", text, sizeof text);
        return strtoll(text, NULL, 10);
    }
    return ht_sql_number(store, sql);
}

#endif
