/* What a store says when it is asked itself, by SQL, beside a server that has it open.
 *
 * Threading: none.
 */
#ifndef HT_TESTS_SUPPORT_SQL_H
#define HT_TESTS_SUPPORT_SQL_H

#include <sqlite3.h>
#include <stdint.h>

/* The number in the first column of the first row; -1: there is none. */
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

#endif
