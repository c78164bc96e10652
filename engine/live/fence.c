#include "engine/live/fence.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

#define NONE UINT32_MAX

struct fence {
    char id[HT_FENCE_ID_MAX + 1];
    int64_t dwell_ms;
    int64_t from_ms;
    int64_t until_ms;
};

struct stay {
    uint32_t fence;
    bool dwelt;
    int64_t since_ms;
    int64_t told_ms; /* the time of what was told of it last */
};

/* A unit that was within a fence some time. */
struct unit {
    char id[HT_FENCE_ID_MAX + 1];
    int64_t ts_ms; /* of its last position */
    int64_t received_ms;
    struct stay *stays; /* by fence */
    size_t stay_count;
    size_t stay_capacity;
};

struct ht_fences {
    struct fence *fences; /* by id */
    size_t fence_count;
    struct ht_areas *areas;
    struct unit *units;
    size_t unit_count;
    size_t unit_capacity;
    uint32_t *table; /* units by their id, NONE where there is none; a power of two of them */
    size_t table_size;
    uint32_t *hits; /* fences that hold the position */
    size_t hit_count;
    size_t hit_capacity;
    bool failed; /* no room for a hit */
};

/* What is told by the clock next. */
struct due {
    size_t stay;
    enum ht_fence_kind kind;
    int64_t at_ms;
};

enum ht_status ht_fences_new(struct ht_fences **out)
{
    struct ht_fences *fences = calloc(1, sizeof *fences);
    enum ht_status status = fences == NULL ? HT_NOMEM : ht_areas_new(NULL, 0, &fences->areas);
    if (status != HT_OK) {
        free(fences);
        return status;
    }
    *out = fences;
    return HT_OK;
}

void ht_fences_free(struct ht_fences *fences)
{
    if (fences != NULL) {
        for (size_t i = 0; i < fences->unit_count; i++) {
            free(fences->units[i].stays);
        }
        free(fences->units);
        free(fences->table);
        free(fences->hits);
        free(fences->fences);
        ht_areas_free(fences->areas);
        free(fences);
    }
}

size_t ht_fences_count(const struct ht_fences *fences)
{
    return fences->fence_count;
}

/* --- units by id ------------------------------------------------------------------------------ */

/* FNV-1a. */
static uint64_t hash_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++) {
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 32;
}

/* Where the id stands in the table, or would. The table has room. */
static size_t slot_of(const struct ht_fences *f, const char *id)
{
    size_t slot = (size_t)hash_of(id) & (f->table_size - 1);
    while (f->table[slot] != NONE && strcmp(f->units[f->table[slot]].id, id) != 0) {
        slot = (slot + 1) & (f->table_size - 1);
    }
    return slot;
}

static struct unit *unit_find(const struct ht_fences *f, const char *id)
{
    uint32_t number = f->table_size == 0 ? NONE : f->table[slot_of(f, id)];
    return number == NONE ? NULL : &f->units[number];
}

static enum ht_status table_grow(struct ht_fences *f)
{
    size_t size = f->table_size == 0 ? 64 : 2 * f->table_size;
    uint32_t *table = ht_array_new(size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    memset(table, 0xff, size * sizeof *table);
    free(f->table);
    f->table = table;
    f->table_size = size;
    for (size_t i = 0; i < f->unit_count; i++) {
        table[slot_of(f, f->units[i].id)] = (uint32_t)i;
    }
    return HT_OK;
}

static enum ht_status unit_get(struct ht_fences *f, const char *id, struct unit **out)
{
    *out = unit_find(f, id);
    if (*out != NULL) {
        return HT_OK;
    }
    size_t size = strlen(id);
    if (size > HT_FENCE_ID_MAX) {
        return HT_INVALID;
    }
    void *units = f->units;
    enum ht_status status =
        ht_array_reserve(&units, &f->unit_capacity, f->unit_count + 1, sizeof *f->units);
    f->units = units;
    if (status == HT_OK && 2 * (f->unit_count + 1) > f->table_size) {
        status = table_grow(f);
    }
    if (status != HT_OK) {
        return status;
    }
    f->table[slot_of(f, id)] = (uint32_t)f->unit_count;
    *out = &f->units[f->unit_count++];
    **out = (struct unit){.ts_ms = INT64_MIN};
    memcpy((*out)->id, id, size + 1);
    return HT_OK;
}

/* --- stays ------------------------------------------------------------------------------------ */

/* The first stay whose fence is not before `fence`. */
static size_t stay_at(const struct unit *unit, uint32_t fence)
{
    size_t at = 0;
    while (at < unit->stay_count && unit->stays[at].fence < fence) {
        at++;
    }
    return at;
}

static enum ht_status stay_add(struct unit *unit, const struct stay *stay)
{
    void *stays = unit->stays;
    enum ht_status status =
        ht_array_reserve(&stays, &unit->stay_capacity, unit->stay_count + 1, sizeof *unit->stays);
    unit->stays = stays;
    if (status == HT_OK) {
        size_t at = stay_at(unit, stay->fence);
        memmove(unit->stays + at + 1, unit->stays + at,
                (unit->stay_count - at) * sizeof *unit->stays);
        unit->stays[at] = *stay;
        unit->stay_count++;
    }
    return status;
}

static enum ht_status tell(const struct ht_fences *f, const struct unit *unit,
                           const struct stay *stay, enum ht_fence_kind kind, enum ht_fence_why why,
                           const struct ht_fence_sink *sink)
{
    const struct ht_fence_event event = {.kind = kind,
                                         .why = why,
                                         .unit = unit->id,
                                         .fence = f->fences[stay->fence].id,
                                         .at_ms = stay->told_ms,
                                         .since_ms = stay->since_ms};
    return sink->event(sink->user, &event);
}

/* Ends a stay at a time, but not before what was told of it. */
static enum ht_status leave(const struct ht_fences *f, struct unit *unit, size_t at,
                            int64_t time_ms, enum ht_fence_why why,
                            const struct ht_fence_sink *sink)
{
    struct stay stay = unit->stays[at];
    stay.told_ms = time_ms > stay.told_ms ? time_ms : stay.told_ms;
    unit->stay_count--;
    memmove(unit->stays + at, unit->stays + at + 1, (unit->stay_count - at) * sizeof *unit->stays);
    return tell(f, unit, &stay, HT_FENCE_EXIT, why, sink);
}

/* --- by the clock ----------------------------------------------------------------------------- */

/* a + b, or the end of time. */
static int64_t add(int64_t a, int64_t b)
{
    int64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}

/* What comes first of what a stay will have told by the clock. */
static struct due due_of(const struct ht_fences *f, const struct unit *unit, size_t at)
{
    const struct stay *stay = &unit->stays[at];
    const struct fence *fence = &f->fences[stay->fence];
    struct due due = {at, HT_FENCE_EXIT, fence->until_ms};
    if (!stay->dwelt && fence->dwell_ms >= 0) {
        int64_t dwell_ms = add(stay->since_ms, fence->dwell_ms);
        if (dwell_ms <= fence->until_ms) {
            due = (struct due){at, HT_FENCE_DWELL, dwell_ms};
        }
    }
    return due;
}

/* Whether something is to be told of a stay, and what. One that is over has not dwelt who had not.
 */
static bool ripe(const struct ht_fences *f, const struct unit *unit, struct due *due,
                 int64_t device_ms, int64_t now_ms)
{
    int64_t until_ms = f->fences[unit->stays[due->stay].fence].until_ms;
    *due = due_of(f, unit, due->stay);
    if (due->kind == HT_FENCE_DWELL && device_ms >= due->at_ms) {
        return true;
    }
    due->kind = HT_FENCE_EXIT;
    due->at_ms = until_ms;
    return until_ms != INT64_MAX && (device_ms >= until_ms || now_ms >= until_ms);
}

static enum ht_status due_tell(const struct ht_fences *f, struct unit *unit, const struct due *due,
                               const struct ht_fence_sink *sink)
{
    struct stay *stay = &unit->stays[due->stay];
    if (due->kind == HT_FENCE_EXIT) {
        return leave(f, unit, due->stay, due->at_ms, HT_FENCE_CLOSED, sink);
    }
    stay->dwelt = true;
    stay->told_ms = due->at_ms;
    return tell(f, unit, stay, HT_FENCE_DWELL, HT_FENCE_MOVED, sink);
}

/* Tells what is due, by time, where the device's clock shows `device_ms`, the server's `now_ms`. */
static enum ht_status settle(const struct ht_fences *f, struct unit *unit, int64_t device_ms,
                             int64_t now_ms, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    bool any = true;
    while (status == HT_OK && any) {
        struct due next = {.at_ms = INT64_MAX};
        any = false;
        for (size_t i = 0; i < unit->stay_count; i++) {
            struct due due = {.stay = i};
            if (ripe(f, unit, &due, device_ms, now_ms) && (!any || due.at_ms < next.at_ms)) {
                next = due;
                any = true;
            }
        }
        if (any) {
            status = due_tell(f, unit, &next, sink);
        }
    }
    return status;
}

/* What the device's clock shows when the server's shows `now_ms`. */
static int64_t device_time(const struct unit *unit, int64_t now_ms)
{
    return now_ms <= unit->received_ms ? unit->ts_ms : add(unit->ts_ms, now_ms - unit->received_ms);
}

enum ht_status ht_fences_tick(struct ht_fences *fences, int64_t now_ms,
                              const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < fences->unit_count; i++) {
        struct unit *unit = &fences->units[i];
        status = settle(fences, unit, device_time(unit, now_ms), now_ms, sink);
    }
    return status;
}

int64_t ht_fences_due_ms(const struct ht_fences *fences)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < fences->unit_count; i++) {
        const struct unit *unit = &fences->units[i];
        for (size_t s = 0; s < unit->stay_count; s++) {
            struct due due = due_of(fences, unit, s);
            int64_t until_ms = fences->fences[unit->stays[s].fence].until_ms;
            int64_t at_ms = due.kind == HT_FENCE_DWELL
                                ? add(unit->received_ms, due.at_ms - unit->ts_ms)
                                : until_ms;
            at_ms = at_ms < until_ms ? at_ms : until_ms;
            first = at_ms < first ? at_ms : first;
        }
    }
    return first;
}

/* --- positions -------------------------------------------------------------------------------- */

static void hit_note(void *user, uint32_t fence)
{
    struct ht_fences *f = user;
    void *hits = f->hits;
    enum ht_status status =
        ht_array_reserve(&hits, &f->hit_capacity, f->hit_count + 1, sizeof *f->hits);
    f->hits = hits;
    if (status != HT_OK) {
        f->failed = true;
        return;
    }
    size_t at = f->hit_count++; /* few: each into its place */
    while (at > 0 && f->hits[at - 1] > fence) {
        f->hits[at] = f->hits[at - 1];
        at--;
    }
    f->hits[at] = fence;
}

/* The fences that hold the position, by number. */
static enum ht_status hits_find(struct ht_fences *f, const struct ht_fence_position *p)
{
    f->hit_count = 0;
    f->failed = false;
    ht_areas_visit(f->areas, p->point, hit_note, f);
    size_t open = 0;
    for (size_t i = 0; i < f->hit_count; i++) {
        const struct fence *fence = &f->fences[f->hits[i]];
        if (p->ts_ms >= fence->from_ms && p->ts_ms < fence->until_ms &&
            (p->received_ms < fence->until_ms || fence->until_ms == INT64_MAX)) {
            f->hits[open++] = f->hits[i];
        }
    }
    f->hit_count = open;
    return f->failed ? HT_NOMEM : HT_OK;
}

static bool hit_has(const struct ht_fences *f, uint32_t fence)
{
    for (size_t i = 0; i < f->hit_count; i++) {
        if (f->hits[i] == fence) {
            return true;
        }
    }
    return false;
}

static enum ht_status leave_those_behind(const struct ht_fences *f, struct unit *unit,
                                         int64_t ts_ms, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < unit->stay_count;) {
        if (hit_has(f, unit->stays[i].fence)) {
            i++;
        } else {
            status = leave(f, unit, i, ts_ms, HT_FENCE_MOVED, sink);
        }
    }
    return status;
}

static enum ht_status enter_those_ahead(const struct ht_fences *f, struct unit *unit, int64_t ts_ms,
                                        const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < f->hit_count; i++) {
        const struct stay stay = {.fence = f->hits[i], .since_ms = ts_ms, .told_ms = ts_ms};
        size_t at = stay_at(unit, stay.fence);
        if (at == unit->stay_count || unit->stays[at].fence != stay.fence) {
            status = stay_add(unit, &stay);
            if (status == HT_OK) {
                status = tell(f, unit, &stay, HT_FENCE_ENTER, HT_FENCE_MOVED, sink);
            }
        }
    }
    return status;
}

enum ht_status ht_fences_move(struct ht_fences *fences, const struct ht_fence_position *position,
                              const struct ht_fence_sink *sink)
{
    struct unit *unit = unit_find(fences, position->unit);
    enum ht_status status = hits_find(fences, position);
    if (status != HT_OK || (unit == NULL && fences->hit_count == 0)) {
        return status;
    }
    if (unit == NULL) {
        status = unit_get(fences, position->unit, &unit);
    } else if (unit->stay_count > 0) {
        int64_t device_ms = device_time(unit, position->received_ms);
        device_ms = device_ms > position->ts_ms ? device_ms : position->ts_ms;
        status = settle(fences, unit, device_ms, position->received_ms, sink);
    }
    if (status == HT_OK) {
        status = leave_those_behind(fences, unit, position->ts_ms, sink);
    }
    if (status == HT_OK) {
        status = enter_those_ahead(fences, unit, position->ts_ms, sink);
    }
    if (status == HT_OK) {
        unit->ts_ms = position->ts_ms;
        unit->received_ms = position->received_ms;
    }
    return status;
}

enum ht_status ht_fences_sweep(struct ht_fences *fences,
                               bool (*known)(void *user, const char *unit), void *user,
                               int64_t now_ms, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < fences->unit_count; i++) {
        struct unit *unit = &fences->units[i];
        bool gone = unit->stay_count > 0 && !known(user, unit->id);
        while (status == HT_OK && gone && unit->stay_count > 0) {
            status = leave(fences, unit, 0, now_ms, HT_FENCE_UNIT, sink);
        }
    }
    return status;
}

/* --- the set of fences ------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
    const struct ht_fence *x = a;
    const struct ht_fence *y = b;
    return strcmp(x->id, y->id);
}

/* The number of a fence; NONE. */
static uint32_t fence_find(const struct fence *fences, size_t count, const char *id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(fences[middle].id, id);
        if (order == 0) {
            return (uint32_t)middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NONE;
}

/* Ends the stays in fences that are not among the new ones; the others are numbered anew. */
static enum ht_status stays_carry(struct ht_fences *f, const struct fence *fences, size_t count,
                                  int64_t now_ms, const struct ht_fence_sink *sink)
{
    enum ht_status status = HT_OK;
    for (size_t u = 0; u < f->unit_count; u++) {
        struct unit *unit = &f->units[u];
        for (size_t i = 0; status == HT_OK && i < unit->stay_count;) {
            if (fence_find(fences, count, f->fences[unit->stays[i].fence].id) == NONE) {
                status = leave(f, unit, i, now_ms, HT_FENCE_GONE, sink);
            } else {
                i++;
            }
        }
        for (size_t i = 0; status == HT_OK && i < unit->stay_count; i++) {
            struct stay *stay = &unit->stays[i]; /* both are by id, so their order stays */
            stay->fence = fence_find(fences, count, f->fences[stay->fence].id);
        }
    }
    return status;
}

static enum ht_status set_sorted(struct ht_fences *f, const struct ht_fence *list, size_t count,
                                 int64_t now_ms, const struct ht_fence_sink *sink)
{
    struct fence *fences = ht_array_new(count, sizeof *fences);
    struct ht_area *areas = ht_array_new(count, sizeof *areas);
    struct ht_areas *index = NULL;
    enum ht_status status = fences == NULL || areas == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        if (strlen(list[i].id) > HT_FENCE_ID_MAX ||
            (i > 0 && strcmp(list[i - 1].id, list[i].id) == 0)) {
            status = HT_INVALID;
            break;
        }
        fences[i] = (struct fence){
            .dwell_ms = list[i].dwell_ms, .from_ms = list[i].from_ms, .until_ms = list[i].until_ms};
        memcpy(fences[i].id, list[i].id, strlen(list[i].id) + 1);
        areas[i] = list[i].area;
    }
    if (status == HT_OK) {
        status = ht_areas_new(areas, count, &index);
    }
    if (status == HT_OK) {
        status = stays_carry(f, fences, count, now_ms, sink);
    }
    free(areas);
    if (status != HT_OK) {
        ht_areas_free(index);
        free(fences);
        return status;
    }
    free(f->fences);
    ht_areas_free(f->areas);
    f->fences = fences;
    f->fence_count = count;
    f->areas = index;
    return HT_OK;
}

enum ht_status ht_fences_set(struct ht_fences *fences, const struct ht_fence *list, size_t count,
                             int64_t now_ms, const struct ht_fence_sink *sink)
{
    struct ht_fence *sorted = ht_array_new(count, sizeof *sorted);
    if (sorted == NULL) {
        return HT_NOMEM;
    }
    if (count > 0) {
        memcpy(sorted, list, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_id);
    }
    enum ht_status status = set_sorted(fences, sorted, count, now_ms, sink);
    free(sorted);
    return status;
}

enum ht_status ht_fences_restore(struct ht_fences *fences, const struct ht_fence_stay *kept)
{
    struct unit *unit = NULL;
    const struct stay stay = {.fence = fence_find(fences->fences, fences->fence_count, kept->fence),
                              .since_ms = kept->since_ms,
                              .told_ms = kept->told_ms,
                              .dwelt = kept->dwelt};
    if (stay.fence == NONE) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = unit_get(fences, kept->unit, &unit);
    if (status != HT_OK) {
        return status;
    }
    size_t at = stay_at(unit, stay.fence);
    if (at < unit->stay_count && unit->stays[at].fence == stay.fence) {
        return HT_EXISTS;
    }
    if (unit->ts_ms < kept->since_ms) { /* until ht_fences_restore_time knows better */
        unit->ts_ms = kept->since_ms;
        unit->received_ms = kept->since_ms;
    }
    return stay_add(unit, &stay);
}

void ht_fences_restore_time(struct ht_fences *fences, const char *id, int64_t ts_ms,
                            int64_t received_ms)
{
    struct unit *unit = unit_find(fences, id);
    if (unit != NULL) {
        unit->ts_ms = ts_ms;
        unit->received_ms = received_ms;
    }
}
