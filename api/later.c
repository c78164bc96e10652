#include "api/later.h"

#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/calendar.h"
#include "api/learning.h"
#include "api/traffic.h"
#include "api/zone.h"
#include "api/zones.h"

enum { ROADS = 4, TURNS_MOST = 64 };

#define QUARTER_MS INT64_C(900000)

/* What a road was made of, besides its time. */
struct state {
    uint64_t said;   /* traffic and zones */
    uint64_t speeds; /* what is learned */
    uint64_t days;   /* what the office's calendar says */
};

struct entry {
    struct ht_map *map;        /* held; NULL: free */
    struct ht_live_road *road; /* held */
    int64_t from_ms;           /* UTC: it holds from the one */
    int64_t until_ms;          /* until before the other */
    struct state state;
    uint64_t asked; /* when, by a count */
    uint32_t index; /* of the profile */
    bool rested;    /* nobody asked since the last rest */
};

struct ht_later {
    struct ht_app *app;
    pthread_mutex_t make_lock; /* taken before the other */
    pthread_mutex_t lock;      /* what follows; never for long */
    struct entry list[ROADS];
    uint64_t asked;
};

enum ht_status ht_later_new(struct ht_app *app, struct ht_later **out)
{
    struct ht_later *later = calloc(1, sizeof *later);
    if (later == NULL) {
        return HT_NOMEM;
    }
    later->app = app;
    (void)pthread_mutex_init(&later->make_lock, NULL);
    (void)pthread_mutex_init(&later->lock, NULL);
    *out = later;
    return HT_OK;
}

static void entry_empty(struct entry *entry)
{
    ht_live_road_release(entry->road);
    ht_map_release(entry->map);
    *entry = (struct entry){0};
}

void ht_later_free(struct ht_later *later)
{
    if (later != NULL) {
        for (int i = 0; i < ROADS; i++) {
            entry_empty(&later->list[i]);
        }
        (void)pthread_mutex_destroy(&later->make_lock);
        (void)pthread_mutex_destroy(&later->lock);
        free(later);
    }
}

static struct state state_now(const struct ht_later *later)
{
    const struct ht_learning *learning = __atomic_load_n(&later->app->learning, __ATOMIC_ACQUIRE);
    return (struct state){.said = atomic_load(&later->app->streets_said),
                          .speeds = ht_learning_version(learning),
                          .days = ht_calendar_version(later->app->calendar)};
}

static bool same_state(const struct state *a, const struct state *b)
{
    return a->said == b->said && a->speeds == b->speeds && a->days == b->days;
}

/* What is asked for. */
struct ask {
    struct ht_map *map; /* only compared */
    uint32_t index;
    int64_t at_ms;
    struct state state;
};

/* The entry that answers; NULL: none does. Needs the lock. */
static struct entry *entry_find(struct ht_later *later, const struct ask *ask)
{
    for (int i = 0; i < ROADS; i++) {
        struct entry *entry = &later->list[i];
        if (entry->map != NULL && entry->map == ask->map && entry->index == ask->index &&
            entry->from_ms <= ask->at_ms && ask->at_ms < entry->until_ms &&
            same_state(&entry->state, &ask->state)) {
            entry->asked = ++later->asked;
            entry->rested = false;
            return entry;
        }
    }
    return NULL;
}

static enum ht_status ask_make(struct ht_later *later, struct ht_world *world, const char *profile,
                               int64_t at_ms, struct ask *out)
{
    const struct ht_world_road *now = NULL;
    *out = (struct ask){.map = ht_map_of(world), .at_ms = at_ms, .state = state_now(later)};
    if (out->map == NULL) {
        return HT_UNSUPPORTED;
    }
    ht_map_release(out->map); /* the world holds it */
    return ht_world_base(world, profile, &now, &out->index);
}

bool ht_later_ready(struct ht_later *later, struct ht_world *world, const char *profile,
                    int64_t at_ms)
{
    struct ask ask;
    if (!ht_world_ready(world, profile, 0) ||
        ask_make(later, world, profile, at_ms, &ask) != HT_OK) {
        return false;
    }
    (void)pthread_mutex_lock(&later->lock);
    bool ready = entry_find(later, &ask) != NULL;
    (void)pthread_mutex_unlock(&later->lock);
    return ready;
}

/* ---- making one ---- */

/* From when until when turns are as they are at `at_ms`, within the quarter. */
static enum ht_status turns_span(struct ht_world *world, const char *profile, struct entry *entry,
                                 int64_t at_ms)
{
    int64_t off_ms = ht_zone_local_ms(at_ms) - at_ms;
    int64_t local_ms = entry->from_ms + off_ms;
    for (int i = 0; i < TURNS_MOST; i++) {
        int64_t next_ms = INT64_MAX;
        enum ht_status status = ht_map_turns_next(world, profile, local_ms, &next_ms);
        if (status != HT_OK) {
            return status;
        }
        if (next_ms - off_ms > at_ms) { /* also INT64_MAX */
            entry->until_ms =
                next_ms - off_ms < entry->until_ms ? next_ms - off_ms : entry->until_ms;
            return HT_OK;
        }
        local_ms = next_ms;
        entry->from_ms = next_ms - off_ms;
    }
    entry->from_ms = at_ms; /* more than so many in a quarter: for this moment alone */
    entry->until_ms = at_ms + 1;
    return HT_OK;
}

/* The quarter that a time lies in, by the local clock. */
static void quarter_span(struct entry *entry, int64_t at_ms)
{
    int64_t off_ms = ht_zone_local_ms(at_ms) - at_ms;
    int64_t local_ms = at_ms + off_ms;
    int64_t into_ms = (local_ms % QUARTER_MS + QUARTER_MS) % QUARTER_MS;
    entry->from_ms = at_ms - into_ms;
    entry->until_ms = entry->from_ms + QUARTER_MS;
}

static enum ht_status entry_make(struct ht_later *later, struct ht_world *world,
                                 const char *profile, const struct ask *ask, struct ht_pool *pool,
                                 struct entry *entry)
{
    struct ht_app *app = later->app;
    struct ht_traffic_then traffic = {0};
    struct ht_zones_then zones = {0};
    int64_t local_ms = ht_zone_local_ms(ask->at_ms);
    struct ht_learning_then learned = {
        app->learning, ht_speeds_quarter(ht_calendar_like_ms(app->calendar, ask->at_ms))};
    const struct ht_map_learn learn = {ht_learning_fill, &learned};
    *entry = (struct entry){.index = ask->index, .state = ask->state};
    quarter_span(entry, ask->at_ms);
    enum ht_status status = turns_span(world, profile, entry, ask->at_ms);
    status = status == HT_OK ? ht_traffic_at(app, ask->at_ms, &traffic) : status;
    status = status == HT_OK ? ht_zones_at(app, ask->at_ms, &zones) : status;
    if (status == HT_OK) {
        const struct ht_map_then then = {.local_ms = local_ms,
                                         .pieces = traffic.pieces,
                                         .piece_count = traffic.count,
                                         .zones = zones.list,
                                         .zone_count = zones.count,
                                         .followed =
                                             ht_learning_follows(app->learning, learned.quarter),
                                         .learn = &learn};
        status = ht_map_then(world, profile, &then, pool, &entry->road);
    }
    if (status == HT_OK) {
        entry->until_ms = traffic.until_ms < entry->until_ms ? traffic.until_ms : entry->until_ms;
        entry->until_ms = zones.until_ms < entry->until_ms ? zones.until_ms : entry->until_ms;
        entry->from_ms = zones.from_ms > entry->from_ms ? zones.from_ms : entry->from_ms;
        entry->map = ht_map_of(world);
    }
    free(traffic.pieces);
    ht_zones_then_deinit(&zones);
    return status;
}

/* Puts it in the place of the one that was asked for least recently, which is given back. */
static struct entry entry_keep(struct ht_later *later, const struct entry *made)
{
    struct entry *place = &later->list[0];
    (void)pthread_mutex_lock(&later->lock);
    for (int i = 1; i < ROADS; i++) {
        place = later->list[i].asked < place->asked ? &later->list[i] : place;
    }
    struct entry before = *place;
    *place = *made;
    place->asked = ++later->asked;
    (void)pthread_mutex_unlock(&later->lock);
    return before;
}

static bool road_get(struct ht_later *later, const struct ask *ask, struct ht_live_road **out)
{
    (void)pthread_mutex_lock(&later->lock);
    struct entry *entry = entry_find(later, ask);
    if (entry != NULL) {
        ht_live_road_retain(entry->road);
        *out = entry->road;
    }
    (void)pthread_mutex_unlock(&later->lock);
    return entry != NULL;
}

enum ht_status ht_later_road(struct ht_later *later, struct ht_world *world, const char *profile,
                             int64_t at_ms, struct ht_pool *pool, struct ht_live_road **out)
{
    struct ask ask;
    struct entry made;
    enum ht_status status = ask_make(later, world, profile, at_ms, &ask);
    if (status != HT_OK || road_get(later, &ask, out)) {
        return status;
    }
    (void)pthread_mutex_lock(&later->make_lock);
    if (!road_get(later, &ask, out)) { /* else somebody made it meanwhile */
        status = entry_make(later, world, profile, &ask, pool, &made);
        if (status == HT_OK) {
            ht_live_road_retain(made.road);
            *out = made.road;
            struct entry before = entry_keep(later, &made);
            entry_empty(&before);
        }
    }
    (void)pthread_mutex_unlock(&later->make_lock);
    return status;
}

void ht_later_rest(struct ht_later *later)
{
    struct entry gone[ROADS];
    struct state state = state_now(later);
    int count = 0;
    (void)pthread_mutex_lock(&later->lock);
    for (int i = 0; i < ROADS; i++) {
        struct entry *entry = &later->list[i];
        if (entry->map != NULL && (entry->rested || !same_state(&entry->state, &state))) {
            gone[count++] = *entry;
            *entry = (struct entry){0};
        } else {
            entry->rested = true;
        }
    }
    (void)pthread_mutex_unlock(&later->lock);
    for (int i = 0; i < count; i++) {
        entry_empty(&gone[i]);
    }
}
