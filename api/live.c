#include "api/live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/devices.h"
#include "api/live_internal.h"
#include "api/live_permits.h"
#include "api/regime_book.h"
#include "api/shifts.h"
#include "engine/base/array.h"
#include "geodata/members.h"

enum { SKILLS_MOST = 64 };

enum ht_status ht_live_new(struct ht_box town, uint32_t capacity, struct ht_live **out)
{
    struct ht_live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        return HT_NOMEM;
    }
    for (int i = 0; i < HT__LIVE_LOCKS; i++) {
        (void)pthread_mutex_init(&live->locks[i], NULL);
    }
    (void)pthread_mutex_init(&live->index_lock, NULL);
    (void)pthread_mutex_init(&live->make_lock, NULL);
    (void)pthread_mutex_init(&live->note_lock, NULL);
    live->capacity = capacity;
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    enum ht_status status = ht_fleet_new(&settings, capacity, &live->fleet);
    if (status == HT_OK) {
        status = ht_shifts_new(live->fleet, &live->shifts);
    }
    if (status == HT_OK) {
        status = ht_devices_new(&live->devices);
    }
    if (status == HT_OK) {
        status = ht_moving_new(town, capacity, &live->moving);
    }
    if (status == HT_OK) {
        live->moved = calloc(capacity / 64 + 1, sizeof *live->moved);
        status = live->moved == NULL ? HT_NOMEM : HT_OK;
    }
    if (status != HT_OK) {
        ht_live_free(live);
        return status;
    }
    *out = live;
    return HT_OK;
}

void ht_live_free(struct ht_live *live)
{
    if (live == NULL) {
        return;
    }
    ht__live_index_release(live->index);
    ht_moving_free(live->moving);
    ht_shifts_free(live->shifts);
    ht_devices_free(live->devices);
    ht_fleet_free(live->fleet);
    for (int i = 0; i < HT__LIVE_LOCKS; i++) {
        (void)pthread_mutex_destroy(&live->locks[i]);
    }
    (void)pthread_mutex_destroy(&live->index_lock);
    (void)pthread_mutex_destroy(&live->make_lock);
    (void)pthread_mutex_destroy(&live->note_lock);
    free(live->notes);
    free(live->sent);
    free(live->moved);
    free(live);
}

enum ht_status ht_live_work_new(struct ht_live *live, struct ht_live_work **out)
{
    struct ht_live_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return HT_NOMEM;
    }
    work->live = live;
    enum ht_status status = ht_follow_new(&work->follow);
    if (status == HT_OK) {
        status = ht_moving_work_new(&work->moving);
    }
    if (status == HT_OK) {
        status = ht_snap_work_new(&work->snap);
    }
    if (status == HT_OK) {
        status = ht_query_new(&work->query);
    }
    if (status != HT_OK) {
        ht_live_work_free(work);
        return status;
    }
    *out = work;
    return HT_OK;
}

static void index_drop(struct ht_live_work *work)
{
    ht_closest_work_free(work->closest);
    work->closest = NULL;
    ht_closest_work_free(work->plain);
    work->plain = NULL;
    ht__live_index_release(work->held);
    work->held = NULL;
}

void ht_live_work_free(struct ht_live_work *work)
{
    if (work != NULL) {
        index_drop(work);
        ht_live_reports_end(work);
        ht_world_release(work->world);
        ht_follow_free(work->follow);
        ht_moving_work_free(work->moving);
        ht_snap_work_free(work->snap);
        ht_query_free(work->query);
        ht_shape_deinit(&work->shape);
        ht__live_lanes_deinit(&work->lanes);
        free(work->hits);
        free(work);
    }
}

void ht_live_work_refresh(struct ht_live_work *work, const struct ht_world *now)
{
    if (work->world != NULL && work->world != now) {
        ht_live_work_rest(work); /* other streets of the same network go on with the index */
    }
}

void ht_live_work_rest(struct ht_live_work *work)
{
    struct ht__live_index *now = ht__live_index_peek(work->live);
    if (work->held != now) {
        index_drop(work);
    }
    ht__live_index_release(now);
    ht_world_release(work->world);
    work->world = NULL;
}

struct ht_fleet *ht_live_fleet(struct ht_live *live)
{
    return live->fleet;
}

struct ht_shifts *ht_live_shifts(struct ht_live *live)
{
    return live->shifts;
}

struct ht_devices *ht_live_devices(struct ht_live *live)
{
    return live->devices;
}

/* The position of a text among words; `other` where it is none of them or absent. */
static unsigned word_of(const char *properties, const char *name, const char *const *words,
                        unsigned other)
{
    char text[64];
    struct ht_member member;
    if (ht_member_find(properties, name, &member) && ht_member_text(&member, text, sizeof text)) {
        for (unsigned i = 0; words[i] != NULL; i++) {
            if (strcmp(words[i], text) == 0) {
                return i;
            }
        }
    }
    return other;
}

/* The next text of a list, cut where it is too long; what is none is left empty. False: there is no
 * more. */
static bool text_next(const char **at, const char *end, char *text, size_t size)
{
    if (*at >= end) {
        return false;
    }
    const char *stop = *at + 1;
    while (stop < end && *stop != '"') {
        stop += *stop == '\\' ? 2 : 1;
    }
    const struct ht_member one = {.value = *at, .value_size = (size_t)(stop - *at) + 1};
    if (!ht_member_text(&one, text, size)) {
        text[0] = '\0';
    }
    *at = stop + 1;
    *at += *at < end && **at == ',';
    return true;
}

/* ["a","b"] into texts of their own; returns how many. */
static size_t skills_read(const char *properties, char (*texts)[HT_NAME_MAX + 1],
                          const char **names)
{
    struct ht_member member;
    size_t count = 0;
    if (!ht_member_find(properties, "skills", &member) || member.value[0] != '[') {
        return 0;
    }
    const char *at = member.value + 1;
    const char *end = member.value + member.value_size - 1;
    while (count < SKILLS_MOST && text_next(&at, end, texts[count], sizeof texts[count])) {
        names[count] = texts[count];
        count += texts[count][0] != '\0';
    }
    return count;
}

enum { PERMIT_SIZE = HT_ID_MAX + 2 }; /* one that is too long is seen to be */

/* The zones that a unit may pass; what can't be a zone's id opens nothing. To be freed: both. */
static enum ht_status permits_read(const char *properties, char **texts, const char ***zones,
                                   size_t *count)
{
    struct ht_member member;
    size_t most = 0;
    *texts = NULL;
    *zones = NULL;
    *count = 0;
    if (!ht_member_find(properties, "permits", &member) || member.value[0] != '[') {
        return HT_OK;
    }
    for (size_t i = 0; i < member.value_size; i++) {
        most += member.value[i] == ',';
    }
    most++;
    *texts = ht_array_new(most, PERMIT_SIZE);
    *zones = ht_array_new(most, sizeof(const char *));
    if (*texts == NULL || *zones == NULL) {
        return HT_NOMEM;
    }
    const char *at = member.value + 1;
    const char *end = member.value + member.value_size - 1;
    char *text = *texts;
    while (*count < most && text_next(&at, end, text, PERMIT_SIZE)) {
        if (text[0] != '\0' && strlen(text) <= HT_ID_MAX && strchr(text, ',') == NULL) {
            (*zones)[(*count)++] = text;
            text += PERMIT_SIZE;
        }
    }
    return HT_OK;
}

/* A unit of other profiles has to leave the streets of those before. */
static enum ht_status fleet_put(struct ht_live *live, const char *id,
                                const struct ht_unit_spec *spec, uint32_t *index)
{
    struct ht_unit unit;
    uint32_t known = ht_fleet_find(live->fleet, id, strlen(id));
    bool before = known != HT_NONE && ht_fleet_get(live->fleet, known, 0, &unit);
    uint32_t profile = before ? unit.profile : 0;
    uint32_t plain = before ? unit.plain : 0;
    enum ht_status status = ht_fleet_put(live->fleet, id, spec, index);
    if (status == HT_OK && before && ht_fleet_get(live->fleet, *index, 0, &unit) &&
        (unit.profile != profile || unit.plain != plain)) {
        ht__live_index_refill(live);
    }
    return status;
}

/* A profile by its name; `other` where there is none that can be one. */
static void profile_read(const char *properties, const char *name, const char *other,
                         char profile[HT_NAME_MAX + 1])
{
    struct ht_member member;
    if (!ht_member_find(properties, name, &member) ||
        !ht_member_text(&member, profile, HT_NAME_MAX + 1) || profile[0] == '\0') {
        (void)snprintf(profile, HT_NAME_MAX + 1, "%s", other);
    }
}

static enum ht_status unit_put(struct ht_live *live, const char *id, const char *properties,
                               int64_t now_ms)
{
    static const char *const kinds[] = {"van", "responder", "inspector", "volunteer", NULL};
    static const char *const statuses[] = {"off", "idle", "busy", NULL};
    char texts[SKILLS_MOST][HT_NAME_MAX + 1];
    char *permit_texts = NULL;
    const char *names[SKILLS_MOST];
    char profile[HT_NAME_MAX + 1];
    char plain[HT_NAME_MAX + 1];
    uint32_t index = 0;
    profile_read(properties, "profile", "car", profile);
    profile_read(properties, "profile_plain", strcmp(profile, "emergency") == 0 ? "car" : profile,
                 plain);
    struct ht_unit_spec spec = {
        .kind = (enum ht_unit_kind)word_of(properties, "kind", kinds, HT_UNIT_VAN),
        .status = (enum ht_unit_status)word_of(properties, "status", statuses, HT_UNIT_IDLE),
        .profile = profile,
        .plain = plain,
        .skills = names,
        .skill_count = skills_read(properties, texts, names)};
    const char **zones = NULL;
    enum ht_status status = permits_read(properties, &permit_texts, &zones, &spec.permit_count);
    spec.permits = zones;
    if (status == HT_OK) {
        status = fleet_put(live, id, &spec, &index);
    }
    free(permit_texts);
    free((void *)zones);
    return status == HT_OK ? ht_shifts_put(live->shifts, index, properties, now_ms) : status;
}

void ht_live_set_regimes(struct ht_live *live, struct ht_regime_slot *regimes)
{
    live->regimes = regimes;
}

enum ht_status ht_live_unit_put(struct ht_live *live, const char *id, const char *properties,
                                int64_t now_ms)
{
    struct ht_text text = {0};
    bool on_duty = false;
    if (live->regimes != NULL) {
        struct ht_regime_book *book = ht_regime_slot_book(live->regimes);
        on_duty = ht_regime_book_duty(book, id, properties, &text);
        ht_regime_book_release(book);
    }
    enum ht_status status =
        text.failed ? HT_NOMEM
                    : unit_put(live, id, on_duty ? ht_text_string(&text) : properties, now_ms);
    ht_text_deinit(&text);
    return status;
}

void ht_live_unit_remove(struct ht_live *live, const char *id)
{
    uint32_t unit = ht_fleet_find(live->fleet, id, strlen(id));
    if (unit == HT_NONE) {
        return;
    }
    pthread_mutex_t *lock = &live->locks[unit % HT__LIVE_LOCKS];
    struct ht__live_index *index = ht__live_index_peek(live);
    (void)pthread_mutex_lock(lock);
    if (index != NULL) {
        ht__live_index_remove(index, unit);
    }
    ht_moving_remove(live->moving, unit);
    ht_shifts_remove(live->shifts, unit);
    ht_fleet_remove(live->fleet, unit);
    (void)pthread_mutex_unlock(lock);
    ht__live_index_release(index);
}

/* Needs the unit's lock. */
static enum ht_refusal take(struct ht_live *live, struct ht_live_work *work,
                            struct ht__live_index *index, uint32_t unit,
                            const struct ht_report *report, bool note)
{
    struct ht_fleet_streets streets;
    struct ht_position taken = {0};
    struct ht_unit_life life;
    if (index != NULL) {
        streets = ht__live_streets(index);
    }
    enum ht_refusal refusal = ht_fleet_accept(live->fleet, work->follow, unit, report,
                                              index == NULL ? NULL : &streets, &taken);
    if (refusal != HT_REFUSAL_NONE) {
        return refusal;
    }
    enum ht_status status = ht_moving_set(live->moving, unit, taken.fix.point);
    if (status != HT_OK || !ht_fleet_life(live->fleet, unit, &life)) {
        return HT_REFUSAL_NONE;
    }
    if (index != NULL) {
        status = ht__live_index_set(index, unit, &life, &taken);
    }
    if (note && live->noting && status == HT_OK) {
        const struct ht__live_note one = {.unit = unit,
                                          .generation = life.generation,
                                          .ts_ms = taken.ts_ms,
                                          .received_ms = taken.received_ms,
                                          .fix = taken.fix};
        ht__live_note_add(live, &one);
    }
    (void)atomic_fetch_or(&live->moved[unit / 64], UINT64_C(1) << unit % 64);
    return HT_REFUSAL_NONE;
}

struct ht_live_unit ht_live_unit_find(struct ht_live *live, const char *id, size_t size)
{
    struct ht_unit_life life = {0};
    uint32_t number = ht_fleet_find_life(live->fleet, id, size, &life);
    return (struct ht_live_unit){number, life.generation};
}

/* The index that reports go to, which the work keeps while it is the one of the moment. NULL: none.
 */
static struct ht__live_index *report_index(struct ht_live *live, struct ht_live_work *work,
                                           struct ht_world *world)
{
    struct ht__live_index *index = work->reporting;
    if (world == NULL) {
        return NULL;
    }
    if (index != NULL &&
        atomic_load_explicit(&live->published, memory_order_acquire) == index->number &&
        ht__live_index_fits(live, index, world)) {
        return index;
    }
    ht_live_reports_end(work);
    if (ht__live_index_get(live, work, world, &index) == HT_OK) {
        work->reporting = index;
    }
    return work->reporting;
}

void ht_live_reports_end(struct ht_live_work *work)
{
    ht__live_index_release(work->reporting);
    work->reporting = NULL;
}

enum ht_refusal ht_live_report(struct ht_live *live, struct ht_live_work *work,
                               struct ht_world *world, struct ht_live_unit unit,
                               const struct ht_report *report)
{
    struct ht_unit_life life;
    struct ht__live_index *index = report_index(live, work, world);
    pthread_mutex_t *lock = &live->locks[unit.number % HT__LIVE_LOCKS];
    (void)pthread_mutex_lock(lock);
    /* units go under their lock only: now it is this one's number, not that of who came after it */
    bool there =
        ht_fleet_life(live->fleet, unit.number, &life) && life.generation == unit.generation;
    enum ht_refusal refusal = take(live, work, index, there ? unit.number : HT_NONE, report, true);
    (void)pthread_mutex_unlock(lock);
    return refusal;
}

void ht_live_unit_place(struct ht_live *live, struct ht_live_work *work, struct ht_world *world,
                        const char *id, struct ht_point point, int64_t told_ms)
{
    struct ht_unit copy;
    struct ht__live_index *index = NULL;
    uint32_t unit = ht_fleet_find(live->fleet, id, strlen(id));
    if (unit == HT_NONE ||
        (world != NULL && ht__live_index_get(live, work, world, &index) != HT_OK)) {
        return;
    }
    pthread_mutex_t *lock = &live->locks[unit % HT__LIVE_LOCKS];
    (void)pthread_mutex_lock(lock);
    if (ht_fleet_get(live->fleet, unit, 0, &copy) && !copy.positioned) {
        const struct ht_report report = {.lon_deg = point.lon_e7 / 1e7,
                                         .lat_deg = point.lat_e7 / 1e7,
                                         .ts_ms = told_ms - HT_LIVE_PLACE_AGE_MS,
                                         .received_ms = told_ms - HT_LIVE_PLACE_AGE_MS,
                                         .speed_mps = -1,
                                         .bearing_deg = -1,
                                         .accuracy_m = -1,
                                         .told = true};
        enum ht_refusal refusal = take(live, work, index, unit, &report, false);
        (void)refusal; /* 0, 0 and the like: it stays without a place */
    }
    (void)pthread_mutex_unlock(lock);
    ht__live_index_release(index);
}

/* It may have been loaded by another clock: later than now is no time to have been seen. */
static void place_of(struct ht_live *live, struct ht_live_work *work, struct ht_world *world,
                     const struct ht_store_item *item, int64_t now_ms)
{
    double pair[2];
    if (item->wkb_size == 21) {
        memcpy(pair, (const char *)item->wkb + 5, sizeof pair);
        ht_live_unit_place(
            live, work, world, item->id,
            (struct ht_point){(int32_t)lround(pair[0] * 1e7), (int32_t)lround(pair[1] * 1e7)},
            item->changed_ms < now_ms ? item->changed_ms : now_ms);
    }
}

enum ht_status ht_live_unit_take(struct ht_live *live, struct ht_live_work *work,
                                 struct ht_world *world, const struct ht_store_item *item,
                                 int64_t now_ms)
{
    enum ht_status status = ht_live_unit_put(live, item->id, item->properties, now_ms);
    if (status == HT_OK) {
        place_of(live, work, world, item, now_ms);
    }
    return status;
}

/* ---- at start ---- */

struct loading {
    struct ht_live *live;
    struct ht_live_work *work;
    int64_t now_ms;
};

static enum ht_status load_unit(void *user, const struct ht_store_item *item)
{
    struct loading *loading = user;
    return ht_live_unit_put(loading->live, item->id, item->properties, loading->now_ms);
}

static enum ht_status load_device(void *user, const struct ht_store_item *item)
{
    struct loading *loading = user;
    return ht_devices_put(loading->live->devices, item->id, item->properties, item->personal);
}

/* One that came by a clock that was ahead of today's: where is known, when is not, and what comes
 * next is later. */
static enum ht_status load_position(void *user, const struct ht_store_position *position)
{
    struct loading *loading = user;
    struct ht_live *live = loading->live;
    int64_t long_ago_ms = loading->now_ms - HT_LIVE_PLACE_AGE_MS;
    bool ahead = position->received_ms > loading->now_ms;
    const struct ht_report report = {.lon_deg = position->point.lon_e7 / 1e7,
                                     .lat_deg = position->point.lat_e7 / 1e7,
                                     .ts_ms = ahead ? long_ago_ms : position->ts_ms,
                                     .received_ms = ahead ? long_ago_ms : position->received_ms,
                                     .told = ahead,
                                     .speed_mps = position->speed_mps,
                                     .bearing_deg = position->bearing_deg,
                                     .accuracy_m = position->accuracy_m};
    uint32_t unit = ht_fleet_find(live->fleet, position->unit, strlen(position->unit));
    enum ht_refusal refusal = take(live, loading->work, NULL, unit, &report, false);
    (void)refusal; /* counted by the fleet */
    return HT_OK;
}

static enum ht_status load_seen(void *user, const struct ht_store_device_seen *seen)
{
    const struct loading *loading = user;
    const struct ht_device_heard heard = {
        .seen_ms = seen->seen_ms, .battery = seen->battery, .silent = seen->silent};
    ht_devices_seen_set(loading->live->devices, seen->device, &heard);
    return HT_OK;
}

static enum ht_status load_place(void *user, const struct ht_store_item *item)
{
    const struct loading *loading = user;
    place_of(loading->live, loading->work, NULL, item, loading->now_ms);
    return HT_OK;
}

enum ht_status ht_live_load(struct ht_live *live, struct ht_live_work *work, int64_t now_ms,
                            struct ht_store_reader *reader, struct ht_error *error)
{
    struct loading loading = {live, work, now_ms};
    struct ht_store_query query =
        ht_store_query_default(ht_collection_find("units", strlen("units")));
    struct ht_store_query devices =
        ht_store_query_default(ht_collection_find("devices", strlen("devices")));
    devices.personal = true; /* whose they are stays in memory */
    enum ht_status status = ht_store_items(reader, &query, load_unit, &loading, NULL, error);
    if (status == HT_OK) {
        status = ht_store_items(reader, &devices, load_device, &loading, NULL, error);
    }
    if (status == HT_OK) {
        status = ht_store_devices_seen(reader, load_seen, &loading, error);
    }
    if (status == HT_OK) {
        status = ht_store_positions_last(reader, load_position, &loading, error);
    }
    if (status == HT_OK) {
        status = ht_store_items(reader, &query, load_place, &loading, NULL, error);
    }
    return status;
}

void ht_live_moved_take(struct ht_live *live, void (*sink)(void *user, uint32_t unit), void *user)
{
    uint32_t end = ht_fleet_end(live->fleet);
    for (uint32_t word = 0; word * 64 < end; word++) {
        if (atomic_load_explicit(&live->moved[word], memory_order_relaxed) == 0) {
            continue;
        }
        uint64_t bits = atomic_exchange(&live->moved[word], 0);
        for (; bits != 0; bits &= bits - 1) {
            sink(user, word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
}
