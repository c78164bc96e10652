/* The store when memory runs out, in our own calls and in SQLite's: a status, nothing half done,
 * and it goes on when there is memory again. */
#include <malloc.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/store_acts.h"

/* SQLite's memory from where ours comes from, which can be refused. */
static void *memory_new(int size)
{
    return malloc((size_t)size);
}

static void *memory_grow(void *block, int size)
{
    return realloc(block, (size_t)size);
}

static int memory_size(void *block)
{
    return (int)malloc_usable_size(block);
}

static int memory_round(int size)
{
    return (size + 7) & ~7;
}

static int memory_begin(void *user)
{
    (void)user;
    return SQLITE_OK;
}

static void memory_end(void *user)
{
    (void)user;
}

__attribute__((constructor)) static void memory_set(void)
{
    static const sqlite3_mem_methods methods = {.xMalloc = memory_new,
                                                .xFree = free,
                                                .xRealloc = memory_grow,
                                                .xSize = memory_size,
                                                .xRoundup = memory_round,
                                                .xInit = memory_begin,
                                                .xShutdown = memory_end};
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) {
        abort();
    }
}

static struct ht_store *store_open(enum ht_store_mode mode)
{
    const struct ht_store_options options = {.mode = mode};
    struct ht_store *store = NULL;
    return ht_store_open(path, &options, &store, NULL) == HT_OK ? store : NULL;
}

static enum ht_status transact(struct ht_store *store, unsigned number)
{
    struct ht_store_tx *tx = NULL;
    enum ht_status status = ht_store_begin(store, &tx, NULL);
    if (status != HT_OK) {
        return status;
    }
    status = write_all(tx, number);
    if (status != HT_OK) {
        ht_store_rollback(tx);
        return status;
    }
    return ht_store_commit(tx, NULL);
}

/* Each allocation in the long measure; else each at first, then fewer. */
static long next_of(long n)
{
    return HT_LONG ? n + 1 : n + 1 + n / 16;
}

static enum ht_status count_one(void *user, const struct ht_store_item *item)
{
    (void)item;
    (*(int64_t *)user)++;
    return HT_OK;
}

static void check_sound(unsigned transactions)
{
    unsigned found = 0;
    if (!look(path, HT_STORE_WRITE, transactions, transactions, &found)) {
        HT_CHECK_STR(why, "sound");
    }
}

HT_CASE(each_refused_allocation_leaves_a_transaction_whole_or_undone)
{
    /* None in bulk: SpatiaLite 5.0's DisableSpatialIndex tries again for as long as memory is
     * short.
     */
    enum { TRANSACTIONS = 3 };
    unsigned refusals = 0;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE);
    HT_REQUIRE(store != NULL);
    for (unsigned number = 1; number <= TRANSACTIONS; number++) {
        enum ht_status status = HT_NOMEM;
        for (long n = 0; status != HT_OK && ht_case_failures == 0; n = next_of(n)) {
            ht_oom_arm(n);
            status = transact(store, number);
            bool refused = ht_oom_disarm();
            HT_CHECK(status == HT_OK || (refused && status == HT_NOMEM));
            refusals += status != HT_OK ? 1 : 0;
        }
    }
    HT_CHECK(refusals > 20);
    ht_store_close(store);
    check_sound(TRANSACTIONS);
}

/* A question of each kind; the answers that were got in full are right. */
static enum ht_status read_all(struct ht_store_reader *reader, unsigned transactions)
{
    struct ht_store_query query = ht_store_query_default(homes());
    struct ht_box box = {{1210000000, 290000000}, {1220000000, 300000000}};
    struct ht_store_filter filter = {"name", "王小明", true};
    struct ht_store_audit audit;
    int64_t seen = 0;
    uint64_t matched = 0;
    query.box = &box;
    query.filters = &filter;
    query.filter_count = 1;
    query.personal = true;
    enum ht_status status = ht_store_items(reader, &query, count_one, &seen, &matched, NULL);
    if (status == HT_OK) {
        HT_CHECK_INT(seen, items_after(transactions));
        HT_CHECK_INT(matched, items_after(transactions));
        seen = 0;
        status = ht_store_item(reader, homes(), "each", true, count_one, &seen, NULL);
    }
    if (status == HT_OK) {
        HT_CHECK_INT(seen, 1);
        status = ht_store_audit(reader, &audit, NULL);
    }
    if (status == HT_OK) {
        HT_CHECK_INT(audit.events, transactions);
        HT_CHECK_INT(audit.broken_seq, 0);
    }
    return status;
}

HT_CASE(each_refused_allocation_is_told_by_a_reader)
{
    unsigned number = 0;
    unsigned refusals = 0;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE);
    HT_REQUIRE(store != NULL);
    while (number < 6) {
        HT_CHECK_INT(transact(store, ++number), HT_OK);
    }
    bool refused = true;
    for (long n = 0; refused && ht_case_failures == 0; n = next_of(n)) {
        struct ht_store_reader *reader = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_store_reader_new(store, &reader, NULL);
        if (status == HT_OK) {
            status = read_all(reader, number);
        }
        refused = ht_oom_disarm();
        HT_CHECK(status == HT_OK || (refused && status == HT_NOMEM));
        refusals += status != HT_OK ? 1 : 0;
        if (reader != NULL && number < 60) { /* with memory again, it sees what comes */
            HT_CHECK_INT(transact(store, ++number), HT_OK);
            HT_CHECK_INT(read_all(reader, number), HT_OK);
        }
        ht_store_reader_free(reader);
    }
    HT_CHECK(refusals > 20);
    ht_store_close(store);
}

HT_CASE(each_refused_allocation_of_an_opening_is_told)
{
    unsigned refusals = 0;
    HT_REQUIRE(folder_make());
    struct ht_store *store = store_open(HT_STORE_CREATE);
    HT_REQUIRE(store != NULL);
    HT_CHECK_INT(transact(store, 1), HT_OK);
    ht_store_close(store);
    for (int mode = HT_STORE_CREATE; mode <= HT_STORE_READ_ONLY; mode++) {
        bool refused = true;
        for (long n = 0; refused && ht_case_failures == 0; n = next_of(n)) {
            ht_oom_arm(n);
            store = store_open((enum ht_store_mode)mode);
            refused = ht_oom_disarm();
            HT_CHECK(refused || store != NULL);
            refusals += store == NULL ? 1 : 0;
            ht_store_close(store);
        }
    }
    HT_CHECK(refusals > 20);
    check_sound(1);
}

HT_MAIN()
