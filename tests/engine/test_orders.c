/* Orders against a plain model of them: arrays and loops, no events, no versions, no index; what
 * was written is replayed as the same; decisions that are taken back or lost leave no trace. */
#include "engine/live/orders.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { ORDERS = 40, UNITS = 4, KITCHENS = 2, HELD = 6, STEPS = 30000, LOG = 200000 };

#define NOW INT64_C(1772416800000)

struct order {
    bool there;
    enum ht_order_state state;
    int unit; /* -1: none */
    uint32_t sequence;
    int64_t eta_ms;
    enum ht_order_unplanned unplanned;
    enum ht_order_reason reason;
    enum ht_order_next next;
    uint32_t count;
    uint32_t failures;
    bool incident;
    uint64_t version;
    uint32_t meals;
    int kitchen;
    enum ht_order_handover handover;
    int64_t ready_ms;
    int64_t closed_ms;
};

struct model {
    struct order orders[ORDERS];
};

static struct model pending;
static struct model committed;
static struct model before[HELD];
static struct ht_orders_decision *held[HELD];
static size_t held_count;
static struct ht_order_event *written; /* in the order of applying, texts copied */
static size_t written_count;
static char (*texts)[HT_ORDER_ID_MAX + 1];
static size_t text_count;
static struct ht_orders *orders;
static uint64_t dice;
static int64_t now_ms;
static uint64_t refused;

static char ids[ORDERS][16];
static const char *const units[UNITS] = {"v0", "v1", "v2", "v3"};
static const char *const kitchens[KITCHENS] = {"k0", "k1"};

static uint32_t roll(uint32_t bound)
{
    return ht_random_below(&dice, bound);
}

/* ---- the model ---- */

static bool is_open(const struct order *o)
{
    return o->state < HT_ORDER_IS_DELIVERED;
}

static bool is_pinned(const struct order *o)
{
    return o->state == HT_ORDER_IS_LOADED || o->state == HT_ORDER_IS_ENROUTE;
}

static int64_t quarter_of(int64_t at_ms)
{
    return at_ms / HT_ORDER_QUARTER_MS;
}

static uint64_t quarter_meals(const struct model *m, int kitchen, int64_t at_ms)
{
    uint64_t sum = 0;
    for (int i = 0; i < ORDERS; i++) {
        const struct order *o = &m->orders[i];
        if (o->there && o->kitchen == kitchen && quarter_of(o->ready_ms) == quarter_of(at_ms) &&
            o->state != HT_ORDER_IS_CANCELLED) {
            sum += o->meals;
        }
    }
    return sum;
}

static void plan_drop(struct order *o)
{
    o->unit = -1;
    o->sequence = 0;
    o->eta_ms = 0;
    o->unplanned = HT_ORDER_LACKS_NONE;
}

static void receive_again(struct order *o)
{
    o->state = HT_ORDER_IS_RECEIVED;
    o->closed_ms = 0;
    plan_drop(o);
    o->version++;
}

static void end(struct order *o, enum ht_order_state state)
{
    o->state = state;
    o->closed_ms = now_ms;
    o->version++;
}

static bool model_load(struct order *o, int unit)
{
    int onto = unit >= 0 ? unit : o->unit;
    if (o->state > HT_ORDER_IS_PLANNED || onto < 0) {
        return false;
    }
    if (o->unit != onto) {
        plan_drop(o);
    }
    o->unit = onto;
    o->unplanned = HT_ORDER_LACKS_NONE;
    o->state = HT_ORDER_IS_LOADED;
    o->version++;
    return true;
}

static bool model_fail(struct order *o, const struct ht_order_command *c)
{
    bool door = c->reason == HT_ORDER_FOR_NO_ANSWER || c->reason == HT_ORDER_FOR_REFUSED ||
                c->reason == HT_ORDER_FOR_WRONG_ADDRESS;
    bool partly = c->next == HT_ORDER_THEN_PARTLY_DELIVERED;
    bool kept = c->next == HT_ORDER_THEN_NONE || c->next == HT_ORDER_THEN_RETRY;
    if (!is_open(o) || (!is_pinned(o) && (door || !kept)) ||
        (partly ? c->count == 0 || c->count >= o->meals : c->count != 0)) {
        return false;
    }
    o->next = is_pinned(o) && c->next == HT_ORDER_THEN_NONE ? HT_ORDER_THEN_BROUGHT_BACK : c->next;
    o->reason = c->reason;
    o->count = c->count;
    o->failures++;
    o->incident = c->incident != NULL;
    end(o, HT_ORDER_IS_FAILED);
    if (o->next == HT_ORDER_THEN_RETRY) {
        receive_again(o);
    }
    return true;
}

/* False: nothing changes. */
static bool model_step(struct order *o, const struct ht_order_command *c, int unit)
{
    if (!o->there || (unit >= 0 && o->unit >= 0 && unit != o->unit)) {
        return false;
    }
    switch (c->kind) {
    case HT_ORDER_LOAD:
        return model_load(o, unit);
    case HT_ORDER_GO:
        if (o->state != HT_ORDER_IS_LOADED) {
            return false;
        }
        o->state = HT_ORDER_IS_ENROUTE;
        o->version++;
        return true;
    case HT_ORDER_DELIVER:
        if (o->state != HT_ORDER_IS_ENROUTE) {
            return false;
        }
        end(o, HT_ORDER_IS_DELIVERED);
        return true;
    case HT_ORDER_FAIL:
        return model_fail(o, c);
    case HT_ORDER_CANCEL:
        if (!is_open(o)) {
            return false;
        }
        end(o, HT_ORDER_IS_CANCELLED);
        return true;
    case HT_ORDER_REOPEN:
        if (is_open(o)) {
            return false;
        }
        receive_again(o);
        return true;
    case HT_ORDER_OPEN:
    case HT_ORDER_COMMANDS:
    default:
        return false;
    }
}

/* ---- the same of both ---- */

static void check_order(const struct ht_order *got, const struct order *want)
{
    HT_CHECK(got != NULL);
    if (got == NULL) {
        return;
    }
    HT_CHECK_INT(got->state, want->state);
    HT_CHECK_INT(got->version, want->version);
    HT_CHECK_INT(got->handover, want->handover);
    HT_CHECK((got->unit == NULL) == (want->unit < 0));
    HT_CHECK(got->unit == NULL || want->unit < 0 || strcmp(got->unit, units[want->unit]) == 0);
    HT_CHECK_INT(got->sequence, want->sequence);
    HT_CHECK_INT(got->eta_ms, want->eta_ms);
    HT_CHECK_INT(got->eta_low_ms, want->eta_ms == 0 ? 0 : want->eta_ms - 1000);
    HT_CHECK_INT(got->unplanned, want->unplanned);
    HT_CHECK_INT(got->reason, want->reason);
    HT_CHECK_INT(got->next, want->next);
    HT_CHECK_INT(got->count, want->count);
    HT_CHECK_INT(got->failures, want->failures);
    HT_CHECK_INT(got->closed_ms, want->closed_ms);
    HT_CHECK((got->incident != NULL) == want->incident);
    HT_CHECK(got->incident == NULL || strcmp(got->incident, "i1") == 0);
}

static void check_pending(void)
{
    for (int i = 0; i < ORDERS; i++) {
        const struct ht_order *got = ht_orders_pending(orders, ids[i]);
        if (pending.orders[i].there) {
            check_order(got, &pending.orders[i]);
        } else {
            HT_CHECK(got == NULL);
        }
    }
    for (int k = 0; k < KITCHENS; k++) {
        for (int q = 0; q < 3; q++) {
            int64_t at_ms = NOW + q * (int64_t)HT_ORDER_QUARTER_MS;
            HT_CHECK_INT(ht_orders_quarter(orders, kitchens[k], at_ms),
                         quarter_meals(&pending, k, at_ms));
        }
    }
}

static uint32_t model_stops(const struct model *m, int i)
{
    uint32_t count = 0;
    const struct order *own = &m->orders[i];
    for (uint32_t s = 0; s < own->sequence; s++) {
        bool there = false;
        for (int j = 0; j < ORDERS; j++) {
            const struct order *o = &m->orders[j];
            there = there || (o->there && is_open(o) && o->unit == own->unit && o->sequence == s);
        }
        count += there;
    }
    return count;
}

static void check_units(struct ht_orders *of, const struct model *m)
{
    for (int u = 0; u < UNITS; u++) {
        const struct ht_order *list[ORDERS];
        size_t want = 0;
        size_t got = ht_orders_of_unit(of, units[u], ORDERS, list);
        for (int i = 0; i < ORDERS; i++) {
            const struct order *o = &m->orders[i];
            want += o->there && is_open(o) && o->unit == u;
        }
        HT_CHECK_INT(got, want);
        for (size_t i = 0; i < got; i++) {
            HT_CHECK(i == 0 || list[i - 1]->sequence <= list[i]->sequence);
            ht_order_release(list[i]);
        }
    }
}

static void check_committed(struct ht_orders *of, const struct model *m)
{
    struct ht_orders_totals totals;
    uint64_t states[HT_ORDER_STATES] = {0};
    for (int i = 0; i < ORDERS; i++) {
        const struct order *o = &m->orders[i];
        const struct ht_order *got = ht_orders_get(of, ids[i]);
        if (o->there) {
            check_order(got, o);
            states[o->state]++;
            HT_CHECK_INT(ht_orders_stops_before(of, ids[i]),
                         is_open(o) && o->unit >= 0 ? model_stops(m, i) : UINT32_MAX);
        } else {
            HT_CHECK(got == NULL);
        }
        ht_order_release(got);
    }
    ht_orders_totals(of, &totals);
    for (int s = 0; s < HT_ORDER_STATES; s++) {
        HT_CHECK_INT(totals.states[s], states[s]);
    }
    check_units(of, m);
}

/* ---- moves ---- */

static const char *keep_text(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    (void)snprintf(texts[text_count], sizeof texts[0], "%s", text);
    return texts[text_count++];
}

static void keep_events(const struct ht_orders_decision *decision)
{
    for (size_t i = 0; i < decision->event_count; i++) {
        struct ht_order_event *e = &written[written_count++];
        *e = decision->events[i];
        e->order = keep_text(e->order);
        e->household = keep_text(e->household);
        e->kitchen = keep_text(e->kitchen);
        e->unit = keep_text(e->unit);
        e->incident = keep_text(e->incident);
    }
}

static void apply_all(void)
{
    for (size_t i = 0; i < held_count; i++) {
        keep_events(held[i]);
        ht_orders_apply(orders, held[i]);
    }
    held_count = 0;
    committed = pending;
}

static void drop_all(void)
{
    if (held_count > 0) {
        pending = before[0];
    }
    bool backwards = roll(2) == 0; /* in any order */
    for (size_t i = 0; i < held_count; i++) {
        ht_orders_drop(orders, held[backwards ? held_count - 1 - i : i]);
    }
    held_count = 0;
}

static void take_back_last(void)
{
    if (held_count > 0) {
        held_count--;
        ht_orders_take_back(orders, held[held_count]);
        pending = before[held_count];
    }
}

static void move_open(int i)
{
    struct order *o = &pending.orders[i];
    struct ht_error error = {0};
    uint32_t load[2] = {1 + roll(4), roll(3)};
    const struct ht_order_command c = {.kind = HT_ORDER_OPEN,
                                       .now_ms = now_ms,
                                       .order = ids[i],
                                       .household = roll(2) == 0 ? NULL : "h1",
                                       .kitchen = kitchens[i % KITCHENS],
                                       .load = load,
                                       .load_count = 2,
                                       .service_ms = 60000,
                                       .handover = (enum ht_order_handover)roll(2),
                                       .ready_ms = NOW + roll(3) * HT_ORDER_QUARTER_MS,
                                       .due_from_ms = NOW,
                                       .due_to_ms = NOW + 3600000,
                                       .quarter_most = 20};
    bool full = quarter_meals(&pending, i % KITCHENS, c.ready_ms) + load[0] > c.quarter_most;
    enum ht_status want = o->there ? HT_EXISTS : full ? HT_FULL : HT_OK;
    before[held_count] = pending;
    HT_CHECK_INT(ht_orders_decide(orders, &c, &held[held_count], &error), want);
    HT_CHECK((want == HT_OK) == (error.message[0] == '\0'));
    refused += want != HT_OK;
    if (want == HT_OK) {
        *o = (struct order){.there = true,
                            .unit = -1,
                            .version = 1,
                            .meals = load[0],
                            .kitchen = i % KITCHENS,
                            .handover = c.handover,
                            .ready_ms = c.ready_ms};
        held_count++;
    }
}

static void move_step(int i)
{
    struct ht_error error = {0};
    int unit = (int)roll(UNITS + 3) - 3;
    struct ht_order_command c = {.kind = (enum ht_order_command_kind)(1 + roll(6)),
                                 .now_ms = now_ms,
                                 .order = ids[i],
                                 .unit = unit < 0 ? NULL : units[unit]};
    if (c.kind == HT_ORDER_FAIL) {
        c.reason = (enum ht_order_reason)(1 + roll(HT_ORDER_REASONS - 1));
        c.next = (enum ht_order_next)roll(HT_ORDER_NEXTS);
        c.count = roll(3) == 0 ? roll(4) : c.next == HT_ORDER_THEN_PARTLY_DELIVERED;
        c.incident = roll(3) == 0 ? "i1" : NULL;
    }
    before[held_count] = pending;
    bool possible = model_step(&pending.orders[i], &c, unit);
    enum ht_status status = ht_orders_decide(orders, &c, &held[held_count], &error);
    HT_CHECK((status == HT_OK) == possible);
    HT_CHECK(status == HT_OK || error.message[0] != '\0');
    if (!possible) {
        refused++;
        pending = before[held_count];
    } else if (status == HT_OK) {
        held_count++;
    }
}

/* What a row does to the model; false: it is passed over. */
static bool model_plan(struct order *o, const struct ht_order_plan *row, int unit, int64_t step_ms)
{
    if (unit < 0) {
        if (!o->there || o->state > HT_ORDER_IS_PLANNED || row->unplanned == HT_ORDER_LACKS_NONE) {
            return false;
        }
        if (o->state == HT_ORDER_IS_RECEIVED && o->unplanned == row->unplanned) {
            return true;
        }
        o->state = HT_ORDER_IS_RECEIVED;
        plan_drop(o);
        o->unplanned = row->unplanned;
        o->version++;
        return true;
    }
    if (!o->there || !is_open(o) || (is_pinned(o) && o->unit != unit)) {
        return false;
    }
    int64_t shift_ms = llabs(row->eta_ms - o->eta_ms);
    if (o->state != HT_ORDER_IS_RECEIVED && o->unit == unit && o->sequence == row->sequence &&
        (shift_ms == 0 || shift_ms < step_ms)) { /* bands keep their width here */
        return true;
    }
    o->state = is_pinned(o) ? o->state : HT_ORDER_IS_PLANNED;
    o->unit = unit;
    o->sequence = row->sequence;
    o->eta_ms = row->eta_ms;
    o->unplanned = HT_ORDER_LACKS_NONE;
    o->version++;
    return true;
}

static void move_plan(void)
{
    struct ht_order_plan rows[8];
    size_t passed_over = 0;
    size_t count = 1 + roll(8);
    int64_t step_ms = roll(2) == 0 ? 0 : 6000; /* as much as some shift by */
    before[held_count] = pending;
    for (size_t r = 0; r < count; r++) {
        int i = (int)roll(ORDERS);
        int unit = (int)roll(UNITS + 1) - 1;
        int64_t eta_ms = NOW + roll(4) * INT64_C(3000);
        rows[r] = (struct ht_order_plan){
            .order = ids[i],
            .unit = unit < 0 ? NULL : units[unit],
            .sequence = roll(6),
            .eta_ms = eta_ms,
            .eta_low_ms = eta_ms - 1000,
            .eta_high_ms = eta_ms + 1000,
            .unplanned = (enum ht_order_unplanned)roll(HT_ORDER_UNPLANNED_REASONS)};
        passed_over += !model_plan(&pending.orders[i], &rows[r], unit, step_ms);
    }
    HT_REQUIRE(ht_orders_plan(orders, rows, count, now_ms, step_ms, &held[held_count]) == HT_OK);
    HT_CHECK_INT(held[held_count]->passed_over, passed_over);
    held_count++;
}

static void begin_model(uint64_t seed)
{
    dice = seed;
    now_ms = NOW;
    memset(&pending, 0, sizeof pending);
    memset(&committed, 0, sizeof committed);
    held_count = written_count = text_count = 0;
    for (int i = 0; i < ORDERS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "o%d", i);
    }
}

/* Replays what was written into new ones. */
static struct ht_orders *replayed(void)
{
    struct ht_orders *again = NULL;
    HT_CHECK_INT(ht_orders_new(&again), HT_OK);
    for (size_t i = 0; i < written_count && again != NULL; i++) {
        HT_CHECK_INT(ht_orders_replay(again, &written[i]), HT_OK);
    }
    return again;
}

HT_CASE(orders_go_as_a_plain_model_of_them_and_are_replayed_as_the_same)
{
    written = malloc(LOG * sizeof *written);
    texts = malloc(LOG * 3 * sizeof *texts);
    HT_REQUIRE(written != NULL && texts != NULL);
    for (uint64_t seed = 1; seed <= 3 && ht_case_failures == 0; seed++) {
        begin_model(seed);
        HT_REQUIRE(ht_orders_new(&orders) == HT_OK);
        for (int step = 0; step < STEPS && ht_case_failures == 0; step++) {
            uint32_t what = roll(20);
            now_ms += roll(1000);
            if (what < 3) {
                move_open((int)roll(ORDERS));
            } else if (what < 16) {
                move_step((int)roll(ORDERS));
            } else {
                move_plan();
            }
            check_pending();
            uint32_t then = roll(10);
            if (held_count == HELD || then < 3) {
                apply_all();
            } else if (then == 3) {
                drop_all();
            } else if (then == 4) {
                take_back_last();
            }
            if (step % 16 == 0) {
                check_pending();
                check_committed(orders, &committed);
            }
        }
        apply_all();
        check_committed(orders, &committed);
        struct ht_orders *again = replayed();
        HT_REQUIRE(again != NULL);
        check_committed(again, &committed);
        ht_orders_free(again);
        ht_orders_free(orders);
        HT_CHECK(refused > 1000 && written_count > 1000);
    }
    free(written);
    free(texts);
}

/* ---- by hand ---- */

static void do_all(struct ht_orders *o, const char *id, const enum ht_order_command_kind *kinds,
                   size_t count)
{
    static const uint32_t load[1] = {2};
    for (size_t i = 0; i < count; i++) {
        struct ht_orders_decision *decision = NULL;
        const struct ht_order_command c = {.kind = kinds[i],
                                           .now_ms = NOW + (int64_t)i,
                                           .order = id,
                                           .unit = kinds[i] == HT_ORDER_LOAD ? "v0" : NULL,
                                           .kitchen = "k0",
                                           .load = load,
                                           .load_count = 1,
                                           .due_from_ms = NOW,
                                           .due_to_ms = NOW + 1000};
        HT_REQUIRE(ht_orders_decide(o, &c, &decision, NULL) == HT_OK);
        ht_orders_apply(o, decision);
    }
}

#define DO(o, id, ...)                                                                             \
    do_all(o, id, (const enum ht_order_command_kind[]){__VA_ARGS__},                               \
           sizeof((const enum ht_order_command_kind[]){__VA_ARGS__}) /                             \
               sizeof(enum ht_order_command_kind))

/* Against the words of the header, for all shifts of a small band. */
HT_CASE(news_is_what_comes_later_or_reaches_farther_or_is_known_better)
{
    enum { ETA = 100, LOW = 90, HIGH = 110, STEP = 4, MOST = 16 };
    const struct ht_order order = {.eta_ms = ETA, .eta_low_ms = LOW, .eta_high_ms = HIGH};
    int news = 0;
    for (int low = LOW - MOST; low <= LOW + MOST; low++) {
        for (int high = low; high <= HIGH + MOST; high++) {
            for (int eta = low; eta <= high; eta++) {
                const struct ht_order_times times = {NULL, eta, low, high};
                bool farther = low <= LOW - STEP || high >= HIGH + STEP;
                bool halved = 2 * (high - low) <= HIGH - LOW;
                bool moved = abs(eta - ETA) >= STEP;
                bool same = low == LOW && high == HIGH && eta == ETA;
                HT_CHECK_INT(ht_order_shifts(&order, &times, STEP), moved || farther || halved);
                HT_CHECK_INT(ht_order_shifts(&order, &times, 0), !same);
                news += moved || farther || halved;
            }
        }
    }
    HT_CHECK(news > 0);
}

HT_CASE(what_is_over_leaves_memory_and_comes_back_to_be_reopened)
{
    struct ht_orders *o = NULL;
    struct ht_orders_totals totals;
    struct ht_orders_decision *decision = NULL;
    HT_REQUIRE(ht_orders_new(&o) == HT_OK);
    DO(o, "a", HT_ORDER_OPEN, HT_ORDER_LOAD, HT_ORDER_GO, HT_ORDER_DELIVER);
    DO(o, "b", HT_ORDER_OPEN);
    const struct ht_order *seen = ht_orders_get(o, "a");
    HT_CHECK_INT(ht_orders_forget(o, NOW + 3, SIZE_MAX, NULL, NULL), 0);
    HT_CHECK_INT(ht_orders_forget(o, NOW + 4, SIZE_MAX, NULL, NULL), 1);
    HT_CHECK(ht_orders_get(o, "a") == NULL);
    HT_CHECK_INT(ht_orders_quarter(o, "k0", 0), 2);
    HT_CHECK_INT(seen->state, HT_ORDER_IS_DELIVERED); /* a reader's stays */
    ht_order_release(seen);
    ht_orders_totals(o, &totals);
    HT_CHECK_INT(totals.held, 1);
    HT_CHECK_INT(totals.states[HT_ORDER_IS_DELIVERED], 1);
    HT_CHECK_INT(totals.meals, 2);
    const struct ht_order_event events[] = {
        {.kind = HT_ORDER_RECEIVED, .order = "a", .kitchen = "k0", .load = {2}, .load_count = 1},
        {.kind = HT_ORDER_LOADED, .order = "a", .unit = "v0"},
        {.kind = HT_ORDER_ENROUTE, .order = "a"},
        {.kind = HT_ORDER_DELIVERED, .order = "a", .at_ms = NOW + 3}};
    ht_orders_recall(o, true);
    for (size_t i = 0; i < 4; i++) {
        HT_CHECK_INT(ht_orders_replay(o, &events[i]), HT_OK);
    }
    ht_orders_recall(o, false);
    ht_orders_totals(o, &totals);
    HT_CHECK_INT(totals.states[HT_ORDER_IS_DELIVERED], 1);
    HT_CHECK_INT(totals.meals, 2);
    const struct ht_order_command reopen = {
        .kind = HT_ORDER_REOPEN, .now_ms = NOW + 9, .order = "a"};
    HT_REQUIRE(ht_orders_decide(o, &reopen, &decision, NULL) == HT_OK);
    HT_CHECK_INT(ht_orders_forget(o, NOW + 100, SIZE_MAX, NULL, NULL),
                 0); /* something is decided */
    ht_orders_apply(o, decision);
    ht_orders_totals(o, &totals);
    HT_CHECK_INT(totals.states[HT_ORDER_IS_RECEIVED], 2);
    HT_CHECK_INT(totals.meals, 0);
    ht_orders_free(o);
}

HT_CASE(live_times_hold_until_the_plan_says_others)
{
    struct ht_orders *o = NULL;
    struct ht_orders_decision *decision = NULL;
    struct ht_order_times times = {"v1", NOW + 50, NOW + 40, NOW + 60};
    struct ht_order_plan row = {"a", "v1", NOW + 10, NOW + 5, NOW + 20, 3, HT_ORDER_LACKS_NONE};
    HT_REQUIRE(ht_orders_new(&o) == HT_OK);
    DO(o, "a", HT_ORDER_OPEN);
    HT_CHECK(!ht_orders_tell(o, "a", &times)); /* it is on no unit */
    HT_CHECK(!ht_orders_times(o, "a", &times));
    HT_REQUIRE(ht_orders_plan(o, &row, 1, NOW, 0, &decision) == HT_OK);
    HT_CHECK_INT(decision->event_count, 1);
    ht_orders_apply(o, decision);
    HT_CHECK(ht_orders_times(o, "a", &times) && times.eta_ms == NOW + 10);
    times = (struct ht_order_times){"v2", NOW + 50, NOW + 40, NOW + 60};
    HT_CHECK(!ht_orders_tell(o, "a", &times)); /* another unit */
    times.unit = "v1";
    HT_CHECK(ht_orders_tell(o, "a", &times));
    HT_CHECK(ht_orders_times(o, "a", &times) && times.eta_ms == NOW + 50);
    DO(o, "a", HT_ORDER_CANCEL, HT_ORDER_REOPEN);
    HT_CHECK(!ht_orders_times(o, "a", &times));
    HT_REQUIRE(ht_orders_plan(o, &row, 1, NOW, 0, &decision) == HT_OK);
    ht_orders_apply(o, decision);
    times = (struct ht_order_times){"v1", NOW + 50, NOW + 40, NOW + 60};
    HT_CHECK(ht_orders_tell(o, "a", &times));
    row.eta_ms += 2; /* less than the step: what was told stays */
    HT_REQUIRE(ht_orders_plan(o, &row, 1, NOW, 1000, &decision) == HT_OK);
    HT_CHECK_INT(decision->event_count, 0);
    ht_orders_apply(o, decision);
    HT_CHECK(ht_orders_times(o, "a", &times) && times.eta_ms == NOW + 50);
    HT_REQUIRE(ht_orders_plan(o, &row, 1, NOW, 1, &decision) == HT_OK);
    ht_orders_apply(o, decision);
    HT_CHECK(ht_orders_times(o, "a", &times) && times.eta_ms == NOW + 12);
    ht_orders_free(o);
}

HT_CASE(a_list_is_filtered_and_read_on_from_the_newest)
{
    struct ht_orders *o = NULL;
    const struct ht_order *list[8];
    HT_REQUIRE(ht_orders_new(&o) == HT_OK);
    DO(o, "a", HT_ORDER_OPEN);
    DO(o, "b", HT_ORDER_OPEN, HT_ORDER_LOAD);
    DO(o, "c", HT_ORDER_OPEN);
    struct ht_order_filter filter = {.kitchen = "k0"};
    HT_CHECK_INT(ht_orders_list(o, &filter, 2, list), 2);
    HT_CHECK_STR(list[0]->id, "c");
    HT_CHECK_STR(list[1]->id, "b");
    filter.before_order = list[1]->order;
    ht_order_release(list[0]);
    ht_order_release(list[1]);
    HT_CHECK_INT(ht_orders_list(o, &filter, 2, list), 1);
    HT_CHECK_STR(list[0]->id, "a");
    ht_order_release(list[0]);
    filter = (struct ht_order_filter){.unit = "v0"};
    HT_CHECK_INT(ht_orders_list(o, &filter, 8, list), 1);
    ht_order_release(list[0]);
    filter = (struct ht_order_filter){.states = 1U << HT_ORDER_IS_RECEIVED};
    HT_CHECK_INT(ht_orders_list(o, &filter, 8, list), 2);
    ht_order_release(list[0]);
    ht_order_release(list[1]);
    filter = (struct ht_order_filter){.due_from_ms = NOW + 1001};
    HT_CHECK_INT(ht_orders_list(o, &filter, 8, list), 0);
    filter = (struct ht_order_filter){.due_to_ms = NOW - 1};
    HT_CHECK_INT(ht_orders_list(o, &filter, 8, list), 0);
    filter = (struct ht_order_filter){.household = "h1"};
    HT_CHECK_INT(ht_orders_list(o, &filter, 8, list), 0);
    ht_orders_free(o);
}

HT_CASE(a_foreign_table_is_refused_row_by_row)
{
    struct ht_orders *o = NULL;
    HT_REQUIRE(ht_orders_new(&o) == HT_OK);
    const struct ht_order_event wrong[] = {
        {.kind = HT_ORDER_RECEIVED, .kitchen = "k", .load = {1}, .load_count = 1},
        {.kind = HT_ORDER_RECEIVED, .order = "", .kitchen = "k", .load = {1}, .load_count = 1},
        {.kind = HT_ORDER_RECEIVED, .order = "a", .load = {1}, .load_count = 1},
        {.kind = HT_ORDER_RECEIVED, .order = "a", .kitchen = "k", .load = {0}, .load_count = 1},
        {.kind = HT_ORDER_RECEIVED, .order = "a", .kitchen = "k", .load = {1}, .load_count = 9},
        {.kind = HT_ORDER_RECEIVED,
         .order = "a",
         .kitchen = "k",
         .load = {1},
         .load_count = 1,
         .due_from_ms = 2,
         .due_to_ms = 1},
        {.kind = HT_ORDER_RECEIVED,
         .order = "a",
         .kitchen = "k",
         .load = {1},
         .load_count = 1,
         .handover = HT_ORDER_HANDOVERS},
        {.kind = HT_ORDER_PLANNED, .order = "a", .unit = "v0"},
        {.kind = HT_ORDER_EVENT_KINDS, .order = "a"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HT_CHECK_INT(ht_orders_replay(o, &wrong[i]), HT_INVALID);
    }
    DO(o, "a", HT_ORDER_OPEN, HT_ORDER_LOAD);
    const struct ht_order_event later[] = {
        {.kind = HT_ORDER_RECEIVED, .order = "a", .kitchen = "k", .load = {1}, .load_count = 1},
        {.kind = HT_ORDER_PLANNED, .order = "a", .unit = "v1"}, /* pinned to another */
        {.kind = HT_ORDER_PLANNED, .order = "a", .unit = "v0", .eta_ms = 1, .eta_low_ms = 2},
        {.kind = HT_ORDER_PLANNED, .order = "a"},
        {.kind = HT_ORDER_UNPLANNED, .order = "a", .unplanned = HT_ORDER_LACKS_WINDOW},
        {.kind = HT_ORDER_DELIVERED, .order = "a"},
        {.kind = HT_ORDER_REOPENED, .order = "a"},
        {.kind = HT_ORDER_FAILED, .order = "a"},
        {.kind = HT_ORDER_FAILED, .order = "a", .reason = HT_ORDER_REASONS},
        {.kind = HT_ORDER_FAILED, .order = "a", .reason = 1, .next = HT_ORDER_NEXTS},
        {.kind = HT_ORDER_FAILED, .order = "a", .reason = 1, .count = 2}};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        HT_CHECK_INT(ht_orders_replay(o, &later[i]), HT_INVALID);
    }
    HT_CHECK_INT(ht_orders_pending(o, "a")->version, 2);
    HT_CHECK_STR(ht_order_state_text(HT_ORDER_STATES), "");
    HT_CHECK_STR(ht_order_event_text(HT_ORDER_UNPLANNED), "unplanned");
    ht_orders_free(o);
}

/* ---- beside the writer ---- */

struct reading {
    struct ht_orders *orders;
    atomic_bool stop;
    atomic_uint seen;
    atomic_uint torn; /* versions that were not whole */
};

/* A planned order of the writer below has its sequence and its times from one number. */
static bool is_whole(const struct ht_order *order)
{
    return order->unit == NULL
               ? order->state == HT_ORDER_IS_RECEIVED && order->eta_ms == 0
               : order->eta_ms == NOW + order->sequence && order->eta_low_ms == order->eta_ms - 1;
}

static void *read_on(void *user)
{
    struct reading *reading = user;
    const struct ht_order *list[16];
    struct ht_order_times times;
    const struct ht_order_filter filter = {.kitchen = "k0"};
    while (!atomic_load(&reading->stop)) {
        size_t count = ht_orders_list(reading->orders, &filter, 8, list);
        count += ht_orders_of_unit(reading->orders, "v0", 8, list + count);
        for (size_t i = 0; i < count; i++) {
            (void)atomic_fetch_add(&reading->seen, 1);
            (void)atomic_fetch_add(&reading->torn, !is_whole(list[i]));
            ht_order_release(list[i]);
        }
        (void)ht_orders_stops_before(reading->orders, "a");
        const struct ht_order_times told = {"v0", NOW + 5, NOW, NOW + 9};
        (void)ht_orders_tell(reading->orders, "b", &told);
        (void)ht_orders_times(reading->orders, "b", &times);
        const struct ht_order *one = ht_orders_get(reading->orders, "c");
        (void)atomic_fetch_add(&reading->torn, one != NULL && !is_whole(one));
        ht_order_release(one);
    }
    return NULL;
}

static void write_on(struct ht_orders *o, uint32_t step)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct ht_order_plan rows[4];
    struct ht_orders_decision *decision = NULL;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t sequence = 2 + (step * 7 + i) % 50;
        rows[i] = (struct ht_order_plan){.order = names[i],
                                         .unit = (step + i) % 5 == 0 ? NULL : units[i % 2],
                                         .eta_ms = NOW + sequence,
                                         .eta_low_ms = NOW + sequence - 1,
                                         .eta_high_ms = NOW + sequence + 1,
                                         .sequence = sequence,
                                         .unplanned = HT_ORDER_LACKS_CAPACITY};
    }
    HT_REQUIRE(ht_orders_plan(o, rows, 4, NOW, 0, &decision) == HT_OK);
    if (step % 3 == 0) {
        ht_orders_drop(o, decision);
    } else {
        ht_orders_apply(o, decision);
    }
}

HT_CASE(readers_see_whole_versions_while_it_decides)
{
    struct reading reading = {.stop = false};
    pthread_t threads[2];
    HT_REQUIRE(ht_orders_new(&reading.orders) == HT_OK);
    DO(reading.orders, "a", HT_ORDER_OPEN);
    DO(reading.orders, "b", HT_ORDER_OPEN);
    DO(reading.orders, "c", HT_ORDER_OPEN);
    DO(reading.orders, "d", HT_ORDER_OPEN);
    for (int i = 0; i < 2; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, read_on, &reading) == 0);
    }
    for (uint32_t step = 0; step < 20000 || atomic_load(&reading.seen) < 1000; step++) {
        write_on(reading.orders, step);
    }
    atomic_store(&reading.stop, true);
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    HT_CHECK_INT(atomic_load(&reading.torn), 0);
    ht_orders_free(reading.orders);
}

/* One decision of each kind, of which the n-th allocation fails. */
static enum ht_status act(struct ht_orders *o, int which)
{
    static const uint32_t load[1] = {2};
    struct ht_orders_decision *decision = NULL;
    const struct ht_order_plan rows[] = {{"b", "v7", NOW, NOW, NOW, 1, HT_ORDER_LACKS_NONE},
                                         {"c", NULL, 0, 0, 0, 0, HT_ORDER_LACKS_WINDOW}};
    const struct ht_order_command open = {
        .kind = HT_ORDER_OPEN, .order = "new", .kitchen = "k9", .load = load, .load_count = 1};
    const struct ht_order_command fail = {.kind = HT_ORDER_FAIL,
                                          .order = "a",
                                          .reason = HT_ORDER_FOR_NO_ANSWER,
                                          .next = HT_ORDER_THEN_RETRY,
                                          .incident = "i1"};
    enum ht_status status = which == 0   ? ht_orders_decide(o, &open, &decision, NULL)
                            : which == 1 ? ht_orders_decide(o, &fail, &decision, NULL)
                                         : ht_orders_plan(o, rows, 2, NOW, 0, &decision);
    ht_orders_take_back(o, decision);
    return status;
}

HT_CASE(orders_that_run_out_of_memory_are_as_before)
{
    for (int which = 0; which < 3; which++) {
        for (long n = 0;; n++) {
            struct ht_orders *o = NULL;
            HT_REQUIRE(ht_orders_new(&o) == HT_OK);
            DO(o, "a", HT_ORDER_OPEN, HT_ORDER_LOAD);
            DO(o, "b", HT_ORDER_OPEN);
            DO(o, "c", HT_ORDER_OPEN);
            ht_oom_arm(n);
            enum ht_status status = act(o, which);
            bool failed = ht_oom_disarm();
            HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
            HT_CHECK(ht_orders_pending(o, "new") == NULL);
            HT_CHECK_INT(ht_orders_pending(o, "a")->version, 2);
            HT_CHECK_INT(ht_orders_pending(o, "b")->version, 1);
            HT_CHECK_INT(ht_orders_quarter(o, "k9", 0), 0);
            HT_CHECK_INT(ht_orders_quarter(o, "k0", 0), 6);
            DO(o, "new", HT_ORDER_OPEN); /* it goes on */
            ht_orders_free(o);
            if (!failed) {
                break;
            }
        }
    }
}

HT_MAIN()
