#include "api/simulate/curve.h"

#include <stdlib.h>

#include "api/simulate/dice.h"
#include "engine/base/array.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MIN (24 * 60)
#define SHARE_AT_DOOR 0.375 /* of the households of a building where somebody orders */
#define BUILDING_SEED UINT64_C(0x6275696c64)

enum {
    STORM_ALARMS = 40,
    STORM_MIN = 20,
    CLOSURE_EVERY_MIN = 45,
    ZONE_EVERY_MIN = 120,
    STREETS_FROM_MIN = 7 * 60,
    STREETS_TO_MIN = 19 * 60,
};

/* A share of all between two minutes of the day, evenly. */
struct band {
    int from_min;
    int to_min;
    double share;
};

/* A meal of the day. */
struct meal {
    const char *name;
    double share; /* of the households */
    const struct band *ordered;
    size_t ordered_count;
    int due_min[3]; /* begin of the windows */
    double due_share[3];
};

enum { DUE_LENGTH_MIN = 60 };

static const struct band lunch_ordered[] = {
    {450, 510, 0.15}, {510, 570, 0.35}, {570, 600, 0.25}, {600, 630, 0.25}};
static const struct band dinner_ordered[] = {{780, 870, 0.3}, {870, 930, 0.4}, {930, 960, 0.3}};
static const struct band alarm_times[] = {
    {0, 360, 0.14}, {360, 540, 0.2}, {540, 1020, 0.36}, {1020, 1260, 0.2}, {1260, DAY_MIN, 0.1}};

static const struct meal meals[] = {
    {"lunch", 0.055, lunch_ordered, 4, {660, 690, 720}, {0.35, 0.4, 0.25}},
    {"dinner", 0.02, dinner_ordered, 3, {990, 1020, 1020}, {0.5, 0.5, 0}}};

/* The minute below which `share` of them all lie. */
static double band_minute(const struct band *bands, size_t count, double share)
{
    for (size_t i = 0; i < count; i++) {
        if (share < bands[i].share || i + 1 == count) {
            double part = share / bands[i].share;
            return bands[i].from_min +
                   (bands[i].to_min - bands[i].from_min) * (part < 1 ? part : 1);
        }
        share -= bands[i].share;
    }
    return 0;
}

struct making {
    const struct ht_sim_curve *curve;
    struct ht_sim_happening *list;
    size_t count;
    size_t capacity;
    bool failed;
};

static void add(struct making *making, const struct ht_sim_happening *one)
{
    void *list = making->list;
    if (ht_array_reserve(&list, &making->capacity, making->count + 1, sizeof *making->list) !=
        HT_OK) {
        making->failed = true;
        return;
    }
    making->list = list;
    making->list[making->count++] = *one;
}

static bool is_within(const struct ht_sim_curve *curve, int64_t at_ms)
{
    return at_ms >= curve->from_ms && at_ms < curve->to_ms;
}

static void order_add(struct making *making, const struct meal *meal, uint32_t household,
                      struct ht_sim_dice *dice)
{
    const struct ht_sim_curve *curve = making->curve;
    double minute = band_minute(meal->ordered, meal->ordered_count, ht_sim_dice_share(dice));
    double when = ht_sim_dice_share(dice);
    int window = when < meal->due_share[0]                        ? 0
                 : when < meal->due_share[0] + meal->due_share[1] ? 1
                                                                  : 2;
    struct ht_sim_happening order = {.at_ms = curve->day_ms + (int64_t)(minute * (double)MINUTE_MS),
                                     .kind = HT_SIM_ORDER,
                                     .subject = household,
                                     .due_from_ms =
                                         curve->day_ms + meal->due_min[window] * MINUTE_MS,
                                     .load = ht_sim_dice_chance(dice, 0.35) ? 2 : 1};
    order.due_to_ms = order.due_from_ms + DUE_LENGTH_MIN * MINUTE_MS;
    if (order.at_ms < curve->from_ms && order.due_to_ms >= curve->from_ms + HT_SIM_LEAD_MS) {
        order.at_ms = curve->from_ms;
    }
    if (is_within(curve, order.at_ms)) {
        add(making, &order);
    }
}

/* How many meals a household orders on average: none where nobody of its building does today. */
static double meals_wanted(const struct ht_sim_curve *curve, const struct meal *meal, uint32_t h)
{
    double wanted = meal->share * curve->rate;
    double orders = wanted / SHARE_AT_DOOR; /* the share of buildings where somebody does */
    if (orders >= 1) {
        return wanted;
    }
    uint32_t building = curve->building == NULL ? h : curve->building[h];
    struct ht_sim_dice dice = ht_sim_dice_of(curve->seed ^ BUILDING_SEED, meal->name, building);
    return ht_sim_dice_chance(&dice, orders) ? SHARE_AT_DOOR : 0;
}

/* Beyond one meal for each household the rest order twice, and so on. */
static void orders_make(struct making *making)
{
    const struct ht_sim_curve *curve = making->curve;
    for (size_t m = 0; m < sizeof meals / sizeof meals[0]; m++) {
        for (uint32_t h = 0; h < curve->households; h++) {
            struct ht_sim_dice dice = ht_sim_dice_of(curve->seed, meals[m].name, h);
            double wanted = meals_wanted(curve, &meals[m], h);
            for (uint32_t n = 0; n < (uint32_t)wanted + 1; n++) {
                if (ht_sim_dice_chance(&dice, wanted - n)) {
                    order_add(making, &meals[m], h, &dice);
                }
            }
        }
    }
}

static void alarms_make(struct making *making)
{
    const struct ht_sim_curve *curve = making->curve;
    uint32_t count = (uint32_t)(curve->alarms * curve->rate + 0.5);
    for (uint32_t i = 0; curve->devices > 0 && i < count; i++) {
        struct ht_sim_dice dice = ht_sim_dice_of(curve->seed, "alarm", i);
        double minute = band_minute(alarm_times, sizeof alarm_times / sizeof alarm_times[0],
                                    ht_sim_dice_share(&dice));
        struct ht_sim_happening alarm = {.at_ms =
                                             curve->day_ms + (int64_t)(minute * (double)MINUTE_MS),
                                         .kind = HT_SIM_ALARM,
                                         .subject = ht_sim_dice_below(&dice, curve->devices)};
        if (is_within(curve, alarm.at_ms)) {
            add(making, &alarm);
        }
    }
}

static void storm_make(struct making *making)
{
    const struct ht_sim_curve *curve = making->curve;
    int64_t begin_ms = curve->from_ms + (curve->to_ms - curve->from_ms) * 2 / 5;
    for (uint32_t i = 0; curve->devices > 0 && i < STORM_ALARMS; i++) {
        struct ht_sim_dice dice = ht_sim_dice_of(curve->seed, "storm", i);
        struct ht_sim_happening alarm = {
            .at_ms = begin_ms + (int64_t)(ht_sim_dice_share(&dice) * STORM_MIN * (double)MINUTE_MS),
            .kind = HT_SIM_ALARM,
            .subject = ht_sim_dice_below(&dice, curve->devices)};
        bool again = ht_sim_dice_chance(&dice, 0.33);
        if (is_within(curve, alarm.at_ms)) {
            add(making, &alarm);
        }
        alarm.at_ms += (int64_t)(ht_sim_dice_within(&dice, 15, 60) * 1000);
        if (again && is_within(curve, alarm.at_ms)) {
            add(making, &alarm);
        }
    }
}

/* Something about streets every so often, for 15 to 40 minutes. */
static void streets_make(struct making *making, enum ht_sim_happening_kind kind, int every_min)
{
    const struct ht_sim_curve *curve = making->curve;
    const char *what = kind == HT_SIM_CLOSURE ? "closure" : "zone";
    uint32_t number = 0;
    for (int minute = STREETS_FROM_MIN; curve->households > 0 && minute < STREETS_TO_MIN;
         minute += every_min) {
        struct ht_sim_dice dice = ht_sim_dice_of(curve->seed, what, number++);
        struct ht_sim_happening one = {
            .at_ms = curve->day_ms + minute * MINUTE_MS +
                     (int64_t)(ht_sim_dice_share(&dice) * every_min * (double)MINUTE_MS / 2),
            .kind = kind,
            .subject = ht_sim_dice_below(&dice, curve->households)};
        one.due_to_ms =
            one.at_ms + (int64_t)(ht_sim_dice_within(&dice, 15, 40) * (double)MINUTE_MS);
        if (is_within(curve, one.at_ms)) {
            add(making, &one);
        }
    }
}

static int by_time(const void *left, const void *right)
{
    const struct ht_sim_happening *a = left;
    const struct ht_sim_happening *b = right;
    if (a->at_ms != b->at_ms) {
        return a->at_ms < b->at_ms ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->subject != b->subject) {
        return a->subject < b->subject ? -1 : 1;
    }
    return a->due_to_ms < b->due_to_ms ? -1 : a->due_to_ms > b->due_to_ms;
}

enum ht_status ht_sim_curve_make(const struct ht_sim_curve *curve, struct ht_sim_happening **out,
                                 size_t *count)
{
    struct making making = {.curve = curve};
    uint32_t numbers[HT_SIM_HAPPENINGS] = {0};
    orders_make(&making);
    alarms_make(&making);
    if (curve->storm) {
        storm_make(&making);
    }
    streets_make(&making, HT_SIM_CLOSURE, CLOSURE_EVERY_MIN);
    streets_make(&making, HT_SIM_ZONE, ZONE_EVERY_MIN);
    if (making.failed) {
        free(making.list);
        return HT_NOMEM;
    }
    if (making.count > 0) {
        qsort(making.list, making.count, sizeof *making.list, by_time);
    }
    for (size_t i = 0; i < making.count; i++) {
        making.list[i].number = numbers[making.list[i].kind]++;
    }
    *out = making.list;
    *count = making.count;
    return HT_OK;
}
