/* The store on a disk whose power is cut: what was acknowledged is there, whole, and nothing else
 * but what was under way, whole or not at all. */
#include "tests/support/check.h"
#include "tests/support/power_vfs.h"
#include "tests/support/store_acts.h"

enum {
    COPIES_MOST = 8,
    ACTIONS_MOST = 40,
    ROUNDS_OF_A_LIFE = 25, /* then a store is made anew */
};

/* What the test did at the moment of the cut. */
enum action { OPEN, WRITE, BULK, TAKE_BACK, CHECKPOINT, CLOSE, COPY, IDLE, ACTIONS };

/* A copy that was asked for: it has the transactions 1 to `transactions`, or is not there. */
struct copy {
    char path[160];
    bool acknowledged;
    unsigned transactions;
};

struct life {
    uint64_t dice;
    unsigned acknowledged; /* transactions: 1 to this one */
    unsigned tried;        /* the last one that may be there, too */
    enum action action;
    struct copy copies[COPIES_MOST];
    unsigned copy_count;
    unsigned copy_number;
    int synchronous; /* of the writer; -1: as the store has it */
};

static bool copies_look(struct life *life)
{
    bool sound = true;
    for (unsigned i = 0; sound && i < life->copy_count; i++) {
        const struct copy *copy = &life->copies[i];
        unsigned found = 0;
        if (access(copy->path, F_OK) == 0) {
            sound = look(copy->path, HT_STORE_READ_ONLY, copy->transactions, copy->transactions,
                         &found);
            (void)remove(copy->path);
        } else if (copy->acknowledged) {
            sound = wrong("a copy is lost", 0, 1);
        }
    }
    life->copy_count = 0;
    return sound;
}

/* ---- what is done ---- */

static struct ht_store *store_open(struct life *life)
{
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    struct ht_store *store = NULL;
    char sql[64];
    life->action = OPEN;
    if (ht_store_open(path, &options, &store, NULL) == HT_OK && life->synchronous >= 0) {
        (void)snprintf(sql, sizeof sql, "PRAGMA synchronous=%d", life->synchronous);
        (void)sqlite3_exec(store->tx.reader.conn.db, sql, NULL, NULL, NULL);
    }
    return store;
}

/* A transaction that is committed; false: it could not be. */
static bool transact(struct life *life, struct ht_store *store)
{
    struct ht_store_tx *tx = NULL;
    unsigned number = life->acknowledged + 1;
    life->action = is_bulk(number) ? BULK : WRITE;
    if (ht_store_begin(store, &tx, NULL) != HT_OK) {
        return false;
    }
    if (write_all(tx, number) != HT_OK) {
        ht_store_rollback(tx);
        return false;
    }
    life->tried = number;
    if (ht_store_commit(tx, NULL) != HT_OK) {
        return false;
    }
    life->acknowledged = number;
    return true;
}

/* One that is rolled back, or taken back to a mark and then committed with nothing in it. */
static bool take_back(struct life *life, struct ht_store *store, bool mark)
{
    struct ht_store_tx *tx = NULL;
    life->action = TAKE_BACK;
    if (ht_store_begin(store, &tx, NULL) != HT_OK) {
        return false;
    }
    bool done = (!mark || ht_store_mark(tx, NULL) == HT_OK) && item_put(tx, "never", 0) == HT_OK &&
                (!mark || ht_store_unmark(tx, false, NULL) == HT_OK);
    if (done && mark) {
        return ht_store_commit(tx, NULL) == HT_OK;
    }
    ht_store_rollback(tx);
    return done;
}

static bool copy_make(struct life *life)
{
    if (life->copy_count == COPIES_MOST) {
        return true;
    }
    struct copy *copy = &life->copies[life->copy_count++];
    (void)snprintf(copy->path, sizeof copy->path, "%s/copy-%u", folder, life->copy_number++);
    copy->transactions = life->acknowledged;
    life->action = COPY;
    copy->acknowledged = ht_store_backup(path, copy->path, NULL) == HT_OK;
    return copy->acknowledged;
}

static bool act(struct life *life, struct ht_store **store)
{
    switch (ht_random_below(&life->dice, 12)) {
    case 0:
        return take_back(life, *store, false);
    case 1:
        return take_back(life, *store, true);
    case 2:
    case 3:
        life->action = CHECKPOINT;
        return ht_store_checkpoint(*store, NULL) == HT_OK;
    case 4:
        life->action = CLOSE;
        ht_store_close(*store);
        *store = ht_power_is_cut() ? NULL : store_open(life);
        return *store != NULL;
    case 5:
        return copy_make(life);
    default:
        return transact(life, *store);
    }
}

/* Lives until the power is cut, `after` steps from now or when all is done. False: something
 * failed before that. */
static bool live(struct life *life, long after)
{
    ht_power_begin(folder, ht_random(&life->dice));
    ht_power_lie(life->synchronous == -2);
    ht_power_cut_after(after);
    struct ht_store *store = store_open(life);
    bool fine = store != NULL;
    for (int i = 0; fine && i < ACTIONS_MOST; i++) {
        fine = act(life, &store);
    }
    bool cut = ht_power_is_cut();
    life->action = cut ? life->action : IDLE;
    ht_power_cut_now();
    ht_store_close(store);
    ht_power_restore();
    return fine || cut;
}

/* The machine is on again: true where everything is as it has to be. */
static bool wake(struct life *life)
{
    unsigned found = 0;
    bool sound =
        look(path, HT_STORE_CREATE, life->acknowledged, life->tried, &found) && copies_look(life);
    life->acknowledged = life->tried = found;
    return sound;
}

static void life_begin(struct life *life, uint64_t seed)
{
    *life = (struct life){.dice = seed * 77 + 1, .synchronous = -1};
    (void)folder_make();
}

HT_CASE(a_store_is_made_whole_or_not_at_all)
{
    struct life life;
    long apart = HT_LONG ? 1 : 23; /* of a step out of so many */
    long at = 1;
    for (bool cut = true; cut && ht_case_failures == 0; at += apart) {
        life_begin(&life, (uint64_t)at);
        ht_power_begin(folder, (uint64_t)at);
        ht_power_cut_after(at);
        struct ht_store *store = store_open(&life);
        bool made = store != NULL && transact(&life, store);
        cut = ht_power_is_cut();
        HT_CHECK(cut || made);
        ht_power_cut_now();
        ht_store_close(store);
        ht_power_restore();
        if (!wake(&life)) {
            HT_CHECK_STR(why, "sound");
            (void)printf("  cut at step %ld\n", at);
        }
    }
    HT_CHECK(at > 100);
}

HT_CASE(what_was_acknowledged_outlives_the_power)
{
    struct life life = {0};
    unsigned cuts[ACTIONS] = {0};
    unsigned rounds = HT_LONG ? 10000 : 200;
    unsigned kept = 0; /* transactions that were committed in all */
    for (unsigned round = 0; round < rounds && ht_case_failures == 0; round++) {
        if (round % ROUNDS_OF_A_LIFE == 0) {
            life_begin(&life, 1 + round);
        }
        unsigned before = life.acknowledged;
        long after = 1 + (long)ht_random_below(&life.dice, round % 2 == 0 ? 100 : 1500);
        HT_CHECK(live(&life, after));
        cuts[life.action]++;
        if (!wake(&life)) {
            HT_CHECK_STR(why, "sound");
            (void)printf("  round %u, cut while %d\n", round, (int)life.action);
        }
        kept += life.acknowledged - before;
    }
    for (int action = 0; action < ACTIONS; action++) {
        HT_CHECK(cuts[action] > 0); /* each was cut */
    }
    HT_CHECK(kept > rounds);
}

/* Whether lives with such a writer lose something that was acknowledged. */
static bool loses(int synchronous)
{
    struct life life;
    bool lost = false;
    for (unsigned round = 0; round < 20 && !lost; round++) {
        life_begin(&life, 1 + round);
        life.synchronous = -1;
        HT_CHECK(live(&life, 0) && wake(&life));
        life.synchronous = synchronous;
        HT_CHECK(live(&life, 200));
        lost = !wake(&life);
    }
    return lost;
}

/* The test of the test: it would tell. */
HT_CASE(a_writer_that_does_not_sync_is_found_out)
{
    HT_CHECK(loses(0));   /* synchronous=OFF */
    HT_CHECK(loses(1));   /* NORMAL, which syncs checkpoints only */
    HT_CHECK(loses(-2));  /* a disk that only says that it synced */
    HT_CHECK(!loses(-1)); /* as the store has it */
}

HT_CASE(a_copy_is_whole_or_not_there_at_each_step)
{
    struct life life;
    unsigned there = 0;
    long at = 1;
    life_begin(&life, 5);
    struct ht_store *store = store_open(&life);
    for (int i = 0; i < 12; i++) {
        HT_CHECK(transact(&life, store));
    }
    long apart = HT_LONG ? 1 : 7;
    for (bool cut = true; cut && ht_case_failures == 0; at += apart) {
        ht_power_begin(folder, (uint64_t)at);
        ht_power_cut_after(at);
        bool made = copy_make(&life);
        cut = ht_power_is_cut();
        HT_CHECK(cut || made);
        ht_power_cut_now();
        ht_store_close(store);
        ht_power_restore();
        there += access(life.copies[0].path, F_OK) == 0;
        if (!wake(&life)) {
            HT_CHECK_STR(why, "sound");
            (void)printf("  cut at step %ld\n", at);
        }
        store = store_open(&life);
    }
    ht_store_close(store);
    HT_CHECK(there > 0);
    HT_CHECK(at > 50);
}

HT_MAIN()
