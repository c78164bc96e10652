/* The store on a disk that is full, and on one that can't be written: told with the reason, nothing
 * lost, and it goes on once there is room. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/support/check.h"
#include "tests/support/medium.h"
#include "tests/support/power_vfs.h"
#include "tests/support/store_acts.h"

static struct ht_store *store_open(enum ht_store_mode mode, struct ht_error *error)
{
    const struct ht_store_options options = {.mode = mode};
    struct ht_store *store = NULL;
    *error = (struct ht_error){0};
    error->status = ht_store_open(path, &options, &store, error);
    return store;
}

/* What the write or the commit said. */
static enum ht_status transact(struct ht_store *store, unsigned number, struct ht_error *error)
{
    struct ht_store_tx *tx = NULL;
    enum ht_status status = ht_store_begin(store, &tx, error);
    if (status != HT_OK) {
        return status;
    }
    status = write_all(tx, number);
    if (status != HT_OK) {
        /* as a writer of many commands does, who does not stop at the first that failed */
        HT_CHECK_INT(ht_store_mark(tx, error),
                     sqlite3_get_autocommit(tx->reader.conn.db) == 0 ? HT_OK : status);
        ht_store_rollback(tx);
        return status;
    }
    return ht_store_commit(tx, error);
}

static enum ht_status count_one(void *user, const struct ht_store_item *item)
{
    (void)item;
    (*(int64_t *)user)++;
    return HT_OK;
}

static int64_t items_seen(struct ht_store_reader *reader)
{
    struct ht_store_query query = ht_store_query_default(homes());
    int64_t count = 0;
    return ht_store_items(reader, &query, count_one, &count, NULL, NULL) == HT_OK ? count : -1;
}

static void check_sound(unsigned transactions)
{
    unsigned found = 0;
    if (!look(path, HT_STORE_READ_ONLY, transactions, transactions, &found)) {
        HT_CHECK_STR(why, "sound");
    }
}

static void cache_set(struct ht_store *store, int pages)
{
    struct ht_store_tx *tx = NULL;
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA cache_size=%d", pages);
    HT_CHECK_INT(ht_store_begin(store, &tx, NULL), HT_OK); /* so that the writer is there */
    ht_store_rollback(tx);
    HT_CHECK_INT(sqlite3_exec(store->tx.reader.conn.db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* The n-th write of each transaction finds no room, for each n, until none is left to fail.
 * `cache`: pages; so few that they go to the disk within statements, or enough. */
static void full_at_each_write(int cache)
{
    struct ht_error error;
    struct ht_store_reader *reader = NULL;
    long refusals = 0;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    HT_REQUIRE(store != NULL && ht_store_reader_new(store, &reader, NULL) == HT_OK);
    for (unsigned number = 1; number <= 5 && ht_case_failures == 0; number++) {
        enum ht_status status = HT_FULL;
        for (long n = 1; status != HT_OK && ht_case_failures == 0; n++) {
            cache_set(store, cache);
            ht_power_full_after(n);
            status = transact(store, number, &error);
            if (status != HT_OK) {
                /* SpatiaLite's functions that make the index do not say why they failed */
                HT_CHECK(status == HT_FULL || (status == HT_IO && is_bulk(number)));
                HT_CHECK(ht_power_was_full());
                HT_CHECK(items_seen(reader) == items_after(number - 1));
                refusals++;
            }
            ht_power_full_after(0);
        }
        HT_CHECK(items_seen(reader) == items_after(number));
    }
    HT_CHECK(refusals > 20);
    ht_store_reader_free(reader);
    ht_store_close(store);
    check_sound(5);
}

#ifdef __SANITIZE_ADDRESS__
/* Where its own statements fail, SpatiaLite keeps SQLite's messages and tables of answers for good.
 * We ask SQLite for neither; what else of ours could leak, the other tests of the store show. */
const char *__lsan_default_suppressions(void); // NOLINT(bugprone-reserved-identifier)
const char *__lsan_default_suppressions(void)  // NOLINT(bugprone-reserved-identifier)
{
    return "leak:libsqlite3.so";
}
#endif

HT_CASE(a_full_disk_refuses_the_transaction_and_loses_nothing)
{
    full_at_each_write(1000);
}

HT_CASE(so_it_does_in_the_middle_of_a_statement)
{
    full_at_each_write(4);
}

HT_CASE(a_full_disk_says_so_with_the_name_of_the_file)
{
    struct ht_error error;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    struct ht_store_tx *tx = NULL;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(write_all(tx, 1), HT_OK);
    ht_power_full_after(1);
    HT_CHECK_INT(ht_store_commit(tx, &error), HT_FULL);
    HT_CHECK(strstr(error.message, "town.sqlite: no room left on the disk") != NULL);
    ht_power_full_after(0);
    ht_store_close(store);
}

HT_CASE(a_store_is_not_half_made_where_there_is_no_room)
{
    struct ht_error error;
    long apart = HT_LONG ? 1 : 11;
    bool made = false;
    long n = 1;
    HT_REQUIRE(folder_make());
    for (; !made && ht_case_failures == 0; n += apart) {
        folder_empty();
        ht_power_full_after(n);
        struct ht_store *store = store_open(HT_STORE_CREATE, &error);
        made = store != NULL;
        HT_CHECK(made || error.status == HT_FULL);
        ht_store_close(store);
        ht_power_full_after(0);
        store = store_open(HT_STORE_CREATE, &error);
        HT_REQUIRE(store != NULL);
        HT_CHECK_INT(transact(store, 1, &error), HT_OK);
        ht_store_close(store);
        check_sound(1);
    }
    HT_CHECK(n > 50);
}

HT_CASE(a_log_that_finds_no_room_in_the_file_is_kept)
{
    struct ht_error error;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    HT_REQUIRE(store != NULL);
    HT_CHECK_INT(transact(store, 1, &error), HT_OK);
    bool whole = false;
    for (long n = 1; !whole && ht_case_failures == 0; n++) {
        ht_power_full_after(n);
        enum ht_status status = ht_store_checkpoint(store, &error);
        whole = !ht_power_was_full();
        HT_CHECK_INT(status, whole ? HT_OK : HT_FULL);
        ht_power_full_after(0);
        check_sound(1);
    }
    HT_CHECK_INT(transact(store, 2, &error), HT_OK);
    ht_store_close(store);
    check_sound(2);
}

static int files_named(const char *part)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    int count = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        count += strstr(entry->d_name, part) != NULL;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return count;
}

HT_CASE(a_copy_without_room_leaves_nothing_behind)
{
    struct ht_error error;
    char copy[160];
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    HT_REQUIRE(store != NULL);
    HT_CHECK_INT(transact(store, 1, &error), HT_OK);
    (void)snprintf(copy, sizeof copy, "%s/copy", folder);
    for (long n = 1; n < 40; n += 3) {
        ht_power_full_after(n);
        HT_CHECK_INT(ht_store_backup(path, copy, &error), HT_FULL);
        HT_CHECK(strstr(error.message, "copy") != NULL);
        HT_CHECK_INT(files_named("copy"), 0);
    }
    ht_power_full_after(0);
    HT_CHECK_INT(ht_store_backup(path, copy, &error), HT_OK);
    ht_store_close(store);
}

/* A limit of the process counts as a full disk, also where the log's index grows. */
HT_CASE(a_limit_of_file_size_is_a_full_disk)
{
    struct ht_error error;
    struct rlimit limit;
    HT_REQUIRE(folder_make() && getrlimit(RLIMIT_FSIZE, &limit) == 0);
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    HT_REQUIRE(store != NULL);
    struct rlimit little = limit;
    HT_CHECK_INT(transact(store, 1, &error), HT_OK);
    HT_CHECK_INT(ht_store_checkpoint(store, &error), HT_OK);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    little.rlim_cur = 1024;
    HT_CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    HT_CHECK_INT(transact(store, 2, &error), HT_FULL);
    ht_store_close(store);
    HT_CHECK(store_open(HT_STORE_WRITE, &error) == NULL); /* no room for the index */
    HT_CHECK_INT(error.status, HT_FULL);
    HT_CHECK(strstr(error.message, "no room") != NULL);
    HT_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    (void)signal(SIGXFSZ, before);
    check_sound(1);
    store = store_open(HT_STORE_WRITE, &error);
    HT_REQUIRE(store != NULL);
    HT_CHECK_INT(transact(store, 2, &error), HT_OK);
    ht_store_close(store);
}

/* ---- media that can't be written ---- */

/* What is true of a medium that can't be written, with 2 transactions in the store. */
static int medium_check(void)
{
    struct ht_error error;
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *readers[2] = {NULL, NULL};
    if (!ht_medium_read_only(folder)) {
        return 77;
    }
    HT_CHECK(store_open(HT_STORE_CREATE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_READ_ONLY);
    HT_CHECK(store_open(HT_STORE_WRITE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_READ_ONLY);
    struct ht_store *store = store_open(HT_STORE_READ_ONLY, &error);
    if (store == NULL) {
        HT_CHECK_STR(error.message, "open");
        return 1;
    }
    HT_CHECK_INT(ht_store_begin(store, &tx, &error), HT_READ_ONLY);
    for (int i = 0; i < 2; i++) { /* two at once */
        HT_CHECK_INT(ht_store_reader_new(store, &readers[i], &error), HT_OK);
    }
    for (int i = 0; i < 2 && readers[i] != NULL; i++) {
        struct ht_store_audit audit = {0};
        HT_CHECK(items_seen(readers[i]) == items_after(2));
        HT_CHECK_INT(ht_store_audit(readers[i], &audit, &error), HT_OK);
        HT_CHECK(audit.events == 2 && audit.broken_seq == 0);
    }
    ht_store_reader_free(readers[0]);
    ht_store_reader_free(readers[1]);
    ht_store_close(store);
    char copy[] = "/tmp/ht-medium-XXXXXX";
    HT_CHECK(mkdtemp(copy) != NULL);
    char to[64];
    (void)snprintf(to, sizeof to, "%s/copy", copy);
    HT_CHECK_INT(ht_store_backup(path, to, &error), HT_OK); /* with all of the log in it */
    unsigned found = 0;
    HT_CHECK(look(to, HT_STORE_READ_ONLY, 2, 2, &found));
    (void)remove(to);
    (void)rmdir(copy);
    return ht_case_failures > 0 ? 1 : 0;
}

/* Leaves a store as a machine that stopped would: with a log. `index`: with its index. */
static int store_leave(bool index)
{
    struct ht_error error;
    char name[160];
    struct ht_store *store = store_open(HT_STORE_CREATE, &error);
    bool done = store != NULL && transact(store, 1, &error) == HT_OK &&
                ht_store_checkpoint(store, &error) == HT_OK && transact(store, 2, &error) == HT_OK;
    (void)snprintf(name, sizeof name, "%s-shm", path);
    if (!index) {
        (void)remove(name);
    }
    return done ? 0 : 1; /* and ends without closing it */
}

static int in_child(int (*run)(void), int (*run_with)(bool), bool with)
{
    int status = -1;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int code = run != NULL ? run() : run_with(with);
        (void)fflush(stdout);
        _exit(code);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void medium_case(bool closed, bool index, const char *name)
{
    HT_REQUIRE(folder_make());
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    HT_REQUIRE(in_child(NULL, store_leave, index) == 0);
    if (closed) {
        struct ht_error error;
        ht_store_close(store_open(HT_STORE_WRITE, &error));
        HT_CHECK_INT(files_named("-wal"), 0);
    } else {
        HT_CHECK_INT(files_named("-wal"), 1);
        HT_CHECK_INT(files_named("-shm"), index ? 1 : 0);
    }
    int code = in_child(medium_check, NULL, false);
    (void)snprintf(path, sizeof path, "%s/town.sqlite", folder);
    if (code == 77) {
        HT_SKIP("no mounts of our own here");
    }
    HT_CHECK_INT(code, 0);
}

HT_CASE(a_medium_that_cannot_be_written_is_read)
{
    medium_case(true, true, "town.sqlite");
}

HT_CASE(a_name_with_marks_of_uris_is_a_name_there)
{
    medium_case(true, true, "a b?c#%41&.sqlite");
}

HT_CASE(a_log_on_such_a_medium_is_read_with_its_index)
{
    medium_case(false, true, "town.sqlite");
}

HT_CASE(a_log_on_such_a_medium_is_read_without_an_index)
{
    medium_case(false, false, "town.sqlite");
}

HT_MAIN()
