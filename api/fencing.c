#include "api/fencing.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/regime_book.h"
#include "api/zone_watch.h"
#include "engine/base/array.h"
#include "engine/base/time.h"
#include "engine/live/fence.h"
#include "geodata/members.h"

struct ht_fencing {
    struct ht_zone_watch town;
    struct ht_fleet *fleet;
    struct ht_regime_slot *regimes;
    struct ht_regime_book *book; /* of the run */
    struct ht_fences *fences;    /* NULL: to be read from the store */
    struct ht_text body;
    atomic_bool zones_changed;
    atomic_bool units_changed;
    atomic_bool active;
    atomic_int_least64_t due_ms;
    int64_t watch_ms;       /* when closed zones are to be looked at again */
    struct ht_store_tx *tx; /* of the run */
    int64_t now_ms;
    struct ht_error *error;
};

enum ht_status ht_fencing_new(const struct ht_zone_watch *town, struct ht_regime_slot *regimes,
                              struct ht_fencing **out)
{
    struct ht_fencing *fencing = calloc(1, sizeof *fencing);
    if (fencing == NULL) {
        return HT_NOMEM;
    }
    fencing->town = *town;
    fencing->fleet = town->fleet;
    fencing->regimes = regimes;
    atomic_store(&fencing->zones_changed, true);
    *out = fencing;
    return HT_OK;
}

void ht_fencing_free(struct ht_fencing *fencing)
{
    if (fencing != NULL) {
        ht_fences_free(fencing->fences);
        ht_text_deinit(&fencing->body);
        free(fencing);
    }
}

void ht_fencing_zones_changed(struct ht_fencing *fencing)
{
    atomic_store(&fencing->zones_changed, true);
}

void ht_fencing_units_changed(struct ht_fencing *fencing)
{
    atomic_store(&fencing->units_changed, true);
}

bool ht_fencing_due(const struct ht_fencing *fencing, int64_t now_ms)
{
    return atomic_load(&fencing->zones_changed) || atomic_load(&fencing->units_changed) ||
           atomic_load(&fencing->due_ms) <= now_ms;
}

bool ht_fencing_active(const struct ht_fencing *fencing)
{
    return atomic_load(&fencing->active);
}

void ht_fencing_lost(struct ht_fencing *fencing)
{
    ht_fences_free(fencing->fences);
    fencing->fences = NULL;
    atomic_store(&fencing->zones_changed, true);
}

/* ---- what is told ---- */

/* A watched zone is kept as a fence whose id has this before it, which no id of the registry has:
 * one that becomes a fence, or is none any more, is another. */
#define WATCHED_MARK '~'

static enum ht_status stay_write(struct ht_fencing *fencing, const struct ht_fence_event *event)
{
    const struct ht_store_stay stay = {.unit = event->unit,
                                       .fence = event->fence,
                                       .since_ms = event->since_ms,
                                       .told_ms = event->at_ms,
                                       .dwelt = event->kind == HT_FENCE_DWELL};
    return event->kind == HT_FENCE_EXIT
               ? ht_store_stay_end(fencing->tx, event->unit, event->fence, fencing->error)
               : ht_store_stay_put(fencing->tx, &stay, fencing->error);
}

/* Ids are letters, digits and ._:-, so none needs an escape. */
static enum ht_status event_write(void *user, const struct ht_fence_event *event)
{
    static const char *const kinds[] = {"enter", "exit", "dwell"};
    static const char *const whys[2][4] = {{"moved", "closed", "fence_gone", "unit_gone"},
                                           {"moved", "closed", "zone_gone", "unit_gone"}};
    struct ht_fencing *fencing = user;
    bool watched = event->fence[0] == WATCHED_MARK;
    const char *what = watched ? "zone" : "fence";
    char kind[16];
    char subject[HT_ID_MAX + 8];
    char at[HT_TIME_TEXT_SIZE];
    char since[HT_TIME_TEXT_SIZE];
    (void)snprintf(subject, sizeof subject, "units/%s", event->unit);
    (void)snprintf(kind, sizeof kind, "%s.%s", what, kinds[event->kind]);
    ht_time_format(event->at_ms, at);
    ht_time_format(event->since_ms, since);
    ht_text_clear(&fencing->body);
    ht_text_addf(&fencing->body, "{\"unit\":\"%s\",\"%s\":\"%s\",\"at\":\"%s\",\"since\":\"%s\"",
                 event->unit, what, event->fence + (watched ? 1 : 0), at, since);
    if (event->kind == HT_FENCE_EXIT) {
        ht_text_addf(&fencing->body, ",\"why\":\"%s\"", whys[watched][event->why]);
    }
    ht_text_add_char(&fencing->body, '}');
    if (fencing->body.failed) {
        return ht_error_set(fencing->error, HT_NOMEM, 0, NULL);
    }
    const struct ht_store_event row = {.at_ms = fencing->now_ms,
                                       .actor = "houtao",
                                       .kind = kind,
                                       .subject = subject,
                                       .body = fencing->body.data};
    enum ht_status status = ht_store_event_append(fencing->tx, &row, NULL, fencing->error);
    return status == HT_OK ? stay_write(fencing, event) : status;
}

/* ---- from the store ---- */

/* The fences as they are read, with what they point to. */
struct zones {
    const struct ht_regime_book *book;
    struct ht_fence *fences;
    size_t fence_capacity;
    struct ht_geometry *shapes;
    size_t shape_capacity;
    char (*ids)[HT_ID_MAX + 2]; /* with a mark */
    size_t id_capacity;
    size_t count;
    bool watched; /* those that are read now are */
};

static void zones_deinit(struct zones *zones)
{
    for (size_t i = 0; i < zones->count; i++) {
        ht_geometry_deinit(&zones->shapes[i]);
    }
    free(zones->fences);
    free(zones->shapes);
    free(zones->ids);
}

static enum ht_status zones_grow(struct zones *zones)
{
    void *fences = zones->fences;
    void *shapes = zones->shapes;
    void *ids = zones->ids;
    size_t want = zones->count + 1;
    enum ht_status status =
        ht_array_reserve(&fences, &zones->fence_capacity, want, sizeof *zones->fences);
    zones->fences = fences;
    if (status == HT_OK) {
        status = ht_array_reserve(&shapes, &zones->shape_capacity, want, sizeof *zones->shapes);
        zones->shapes = shapes;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&ids, &zones->id_capacity, want, sizeof *zones->ids);
        zones->ids = ids;
    }
    return status;
}

static int64_t dwell_of(const char *properties)
{
    struct ht_member member;
    double seconds = 0;
    return ht_member_find(properties, "dwell_s", &member) &&
                   ht_number_read(member.value, member.value_size, &seconds) > 0 && seconds >= 0
               ? llround(fmin(seconds, 1e9) * 1000)
               : -1;
}

static enum ht_status zone_take(void *user, const struct ht_store_item *item)
{
    struct zones *zones = user;
    if (item->wkb_size == 0 || strlen(item->id) > HT_ID_MAX ||
        ht_regime_book_dormant(zones->book, item->id)) {
        return HT_OK;
    }
    enum ht_status status = zones_grow(zones);
    if (status != HT_OK) {
        return status;
    }
    struct ht_geometry *shape = &zones->shapes[zones->count];
    ht_geometry_init(shape);
    status = ht_geometry_read_wkb(shape, item->wkb, item->wkb_size, NULL);
    if (status != HT_OK) {
        ht_geometry_deinit(shape);
        return status == HT_NOMEM ? status : HT_OK; /* what is no polygon holds nobody */
    }
    char *id = zones->ids[zones->count];
    id[0] = WATCHED_MARK;
    memcpy(id + (zones->watched ? 1 : 0), item->id, strlen(item->id) + 1);
    zones->fences[zones->count] =
        (struct ht_fence){.dwell_ms = dwell_of(item->properties),
                          .from_ms = ht_member_time(item->properties, "from", INT64_MIN),
                          .until_ms = ht_member_time(item->properties, "until", INT64_MAX)};
    zones->count++;
    return HT_OK;
}

/* The zones of a kind. */
static enum ht_status kind_read(struct ht_fencing *fencing, const char *kind, struct zones *zones)
{
    const struct ht_store_filter filter = {.name = "kind", .value = kind};
    struct ht_store_query query =
        ht_store_query_default(ht_collection_find("zones", strlen("zones")));
    query.filters = &filter;
    query.filter_count = 1;
    return ht_store_items(ht_store_tx_reader(fencing->tx), &query, zone_take, zones, NULL,
                          fencing->error);
}

/* The fences of the registry from now on, and what is watched. */
static enum ht_status zones_read(struct ht_fencing *fencing, const struct ht_fence_sink *sink)
{
    struct zones zones = {.book = fencing->book};
    enum ht_status status = kind_read(fencing, "fence", &zones);
    zones.watched = true;
    status = status == HT_OK ? kind_read(fencing, "watched", &zones) : status;
    for (size_t i = 0; i < zones.count; i++) {
        const struct ht_geometry *shape = &zones.shapes[i];
        zones.fences[i].id = zones.ids[i];
        zones.fences[i].area = (struct ht_area){shape->points, shape->ring_ends,
                                                shape->polygon_count == 0 ? 0 : shape->ring_count};
    }
    if (status == HT_OK) {
        status = ht_fences_set(fencing->fences, zones.fences, zones.count, fencing->now_ms, sink);
    }
    zones_deinit(&zones);
    return status;
}

static enum ht_status stay_take(void *user, const struct ht_store_stay *kept)
{
    struct ht_fencing *fencing = user;
    const struct ht_fence_stay stay = {kept->unit, kept->fence, kept->since_ms, kept->told_ms,
                                       kept->dwelt};
    enum ht_status status = ht_fences_restore(fencing->fences, &stay);
    if (status != HT_NOT_FOUND) {
        return status;
    }
    /* the fence went while nobody looked */
    const struct ht_fence_event event = {.kind = HT_FENCE_EXIT,
                                         .why = HT_FENCE_GONE,
                                         .unit = kept->unit,
                                         .fence = kept->fence,
                                         .at_ms = fencing->now_ms > kept->told_ms ? fencing->now_ms
                                                                                  : kept->told_ms,
                                         .since_ms = kept->since_ms};
    return event_write(fencing, &event);
}

static enum ht_status last_take(void *user, const struct ht_store_position *position)
{
    struct ht_fencing *fencing = user;
    ht_fences_restore_time(fencing->fences, position->unit, position->ts_ms, position->received_ms);
    return HT_OK;
}

static enum ht_status state_read(struct ht_fencing *fencing, const struct ht_fence_sink *sink)
{
    struct ht_store_reader *reader = ht_store_tx_reader(fencing->tx);
    enum ht_status status = ht_fences_new(&fencing->fences);
    if (status == HT_OK) {
        status = zones_read(fencing, sink);
    }
    if (status == HT_OK) {
        status = ht_store_stays(reader, stay_take, fencing, fencing->error);
    }
    if (status == HT_OK) {
        status = ht_store_positions_last(reader, last_take, fencing, fencing->error);
    }
    atomic_store(&fencing->units_changed, true); /* some may have gone, too */
    return status;
}

/* ---- a run ---- */

static bool unit_known(void *user, const char *unit)
{
    struct ht_fencing *fencing = user;
    return ht_fleet_find(fencing->fleet, unit, strlen(unit)) != HT_NONE;
}

/* Brings the fences up to date with the registry. */
static enum ht_status follow(struct ht_fencing *fencing, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    bool zones_changed = atomic_exchange(&fencing->zones_changed, false);
    if (fencing->fences == NULL) {
        status = state_read(fencing, sink);
    } else if (zones_changed) {
        status = zones_read(fencing, sink);
    }
    if (status == HT_OK && atomic_exchange(&fencing->units_changed, false)) {
        status = ht_fences_sweep(fencing->fences, unit_known, fencing, fencing->now_ms, sink);
    }
    return status;
}

static enum ht_status judge(struct ht_fencing *fencing, const struct ht_store_position *positions,
                            size_t count, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const struct ht_fence_position position = {positions[i].unit, positions[i].point,
                                                   positions[i].ts_ms, positions[i].received_ms};
        status = ht_fences_move(fencing->fences, &position, sink);
    }
    return status;
}

/* Closed zones that begin: first, since it looks at whether zones were changed. */
static enum ht_status watch_run(struct ht_fencing *fencing)
{
    if (!atomic_load(&fencing->zones_changed) && fencing->now_ms < fencing->watch_ms) {
        return HT_OK;
    }
    fencing->town.book = fencing->book;
    return ht_zone_watch_run(fencing->tx, &fencing->town, fencing->now_ms, &fencing->watch_ms,
                             fencing->error);
}

static enum ht_status run(struct ht_fencing *fencing, const struct ht_fencing_batch *batch)
{
    const struct ht_fence_sink sink = {event_write, fencing};
    enum ht_status status = watch_run(fencing);
    if (status == HT_OK && fencing->fences == NULL) {
        status = follow(fencing, &sink);
    }
    if (status == HT_OK) {
        status = judge(fencing, batch->positions, batch->before, &sink);
    }
    status = status == HT_OK ? follow(fencing, &sink) : status;
    if (status == HT_OK) {
        const struct ht_store_position *rest =
            batch->count == batch->before ? NULL : &batch->positions[batch->before];
        status = judge(fencing, rest, batch->count - batch->before, &sink);
    }
    return status == HT_OK ? ht_fences_tick(fencing->fences, fencing->now_ms, &sink) : status;
}

enum ht_status ht_fencing_run(struct ht_fencing *fencing, struct ht_store_tx *tx,
                              const struct ht_fencing_batch *batch, int64_t now_ms,
                              struct ht_error *error)
{
    fencing->tx = tx;
    fencing->now_ms = now_ms;
    fencing->error = error;
    fencing->book = ht_regime_slot_book(fencing->regimes);
    enum ht_status status = run(fencing, batch);
    ht_regime_book_release(fencing->book);
    fencing->book = NULL;
    if (status != HT_OK) {
        ht_fencing_lost(fencing);
        return status;
    }
    atomic_store(&fencing->active, ht_fences_count(fencing->fences) > 0);
    int64_t due_ms = ht_fences_due_ms(fencing->fences);
    atomic_store(&fencing->due_ms, due_ms < fencing->watch_ms ? due_ms : fencing->watch_ms);
    return HT_OK;
}
