/* Who can be sent: units that are qualified and on duty, nearest first by travel time. */
#include <string.h>

#include "api/desk_room_internal.h"
#include "api/live.h"

/* Skills joined by ';' as bits. */
static enum ht_status skills_find(struct ht_fleet *fleet, const char *skills, uint64_t *bits)
{
    char name[HT_NAME_MAX + 1];
    const char *names[] = {name};
    enum ht_status status = HT_OK;
    *bits = 0;
    while (*skills != '\0' && status == HT_OK) {
        size_t size = strcspn(skills, ";");
        uint64_t one = 0;
        if (size == 0 || size > HT_NAME_MAX) {
            return HT_NOT_FOUND;
        }
        memcpy(name, skills, size);
        name[size] = '\0';
        status = ht_fleet_skills(fleet, names, 1, &one);
        *bits |= one;
        skills += size + (skills[size] == ';');
    }
    return status;
}

/* What units must be like. HT_NOT_FOUND: a skill that none ever had. */
static enum ht_status filter_make(struct ht_desk_room *room, const struct ht_desk_want *want,
                                  uint32_t unit_kinds, struct ht_unit_filter *out)
{
    *out = (struct ht_unit_filter){.kinds = unit_kinds,
                                   .statuses = UINT32_C(1) << HT_UNIT_IDLE,
                                   .told = !want->idle, /* the desk knows who is engaged */
                                   .heard_ms = INT64_MIN,
                                   .duty = HT_DUTY_ON,
                                   .duty_ms = want->now_ms};
    return skills_find(ht_live_fleet(room->app->live), want->skills, &out->skills);
}

static void candidate_set(struct ht_desk_candidate *out, const char *unit, uint32_t duration_ms,
                          int64_t length_mm)
{
    memset(out, 0, sizeof *out);
    memcpy(out->unit, unit, strlen(unit) + 1);
    out->duration_ms = duration_ms;
    out->length_mm = length_mm < 0 ? 0 : (uint64_t)length_mm;
}

/* The one unit that is asked for. */
static enum ht_status rank_one(const struct ht__room_chooser *chooser,
                               const struct ht_live_ask *ask, const char *id,
                               struct ht_desk_candidate *out, uint32_t *count)
{
    struct ht_app *app = chooser->room->app;
    struct ht_world *world = ht_world_reader_get(&chooser->context->world);
    uint32_t unit = ht_fleet_find(ht_live_fleet(app->live), id, strlen(id));
    uint32_t duration_ms = HT_WEIGHT_INF;
    int64_t length_mm = -1;
    const struct ht_live_many many = {.units = &unit,
                                      .unit_count = 1,
                                      .plain = ask->plain,
                                      .points = &ask->point,
                                      .point_count = 1,
                                      .duration_ms = &duration_ms,
                                      .length_mm = &length_mm};
    if (unit == HT_NONE || !ht_fleet_matches(ht_live_fleet(app->live), unit, &ask->filter)) {
        return HT_OK;
    }
    enum ht_status status = ht_live_matrix(app->live, chooser->context->live, world, &many);
    if (status == HT_OK && duration_ms < HT_WEIGHT_INF) {
        candidate_set(&out[0], id, duration_ms, length_mm);
        *count = 1;
    }
    return status;
}

static enum ht_status rank_all(const struct ht__room_chooser *chooser,
                               const struct ht_live_ask *ask, struct ht_desk_candidate *out,
                               uint32_t *count)
{
    struct ht_app *app = chooser->room->app;
    struct ht_world *world = ht_world_reader_get(&chooser->context->world);
    const struct ht_closest_hit *hits = NULL;
    uint32_t found = 0;
    enum ht_status status =
        ht_live_closest(app->live, chooser->context->live, world, ask, &hits, &found);
    for (uint32_t i = 0; status == HT_OK && i < found; i++) {
        struct ht_unit unit;
        if (ht_fleet_get(ht_live_fleet(app->live), hits[i].unit, 0, &unit)) {
            candidate_set(&out[(*count)++], unit.id, hits[i].cost.duration_ms,
                          hits[i].cost.length_mm);
        }
    }
    return status;
}

/* Whether what was found ahead answers the question. */
static bool ahead_fits(const struct ht__room_chooser *chooser, const struct ht_desk_want *want,
                       uint32_t most)
{
    const struct ht_desk_ahead *ahead = chooser->ahead;
    struct ht_world *world = ht_world_reader_get(&chooser->context->world);
    return ahead != NULL && ahead->made && want->idle && !want->coverage && want->unit == NULL &&
           strcmp(want->incident, chooser->ahead_of) == 0 && world != NULL &&
           ht_world_id(world) == ahead->world &&
           atomic_load(&chooser->room->changes) == ahead->changes &&
           (most <= ahead->asked || ahead->count < ahead->asked);
}

enum ht_status ht__room_rank(void *user, const struct ht_desk_want *want,
                             struct ht_desk_candidate *out, uint32_t most, uint32_t *count)
{
    const struct ht__room_chooser *chooser = user;
    struct ht_live_ask ask = {.k = most,
                              .radius_m = -1,
                              .max_ms = want->max_ms == 0 ? UINT32_MAX : want->max_ms,
                              .plain = !want->blue_light};
    struct ht_incident_place place;
    *count = 0;
    uint32_t unit_kinds = chooser->room->rules->kinds[want->kind].unit_kinds;
    if (ahead_fits(chooser, want, most)) {
        *count = chooser->ahead->count < most ? chooser->ahead->count : most;
        memcpy(out, chooser->ahead->list, *count * sizeof *out);
        return HT_OK;
    }
    enum ht_status status = filter_make(chooser->room, want, unit_kinds, &ask.filter);
    if (status == HT_NOT_FOUND || ht_world_reader_get(&chooser->context->world) == NULL ||
        !ht_incident_places_get(chooser->room->places, want->incident, &place)) {
        return HT_OK; /* nobody has the skill; no streets are known; its place was erased */
    }
    if (ht_app_live_work(chooser->context) == NULL) {
        return HT_NOMEM;
    }
    ask.point = place.point;
    status = want->unit != NULL ? rank_one(chooser, &ask, want->unit, out, count)
                                : rank_all(chooser, &ask, out, count);
    if (status == HT_OK && want->coverage && *count > 1) {
        ht__room_losses(chooser, want, &ask.filter, out, *count);
    }
    return status == HT_NO_SEGMENT ? HT_OK : status; /* no street leads there */
}

/* ---- ahead ---- */

/* What the rules say of an alarm. False: it is not dispatched at once, or what is uncovered counts.
 */
static bool ahead_want(struct ht_desk_room *room, const struct ht_desk_command *open,
                       char skills[HT_DESK_SKILLS_MAX + 1], struct ht_desk_want *want,
                       struct ht_desk_ahead *out, uint32_t *unit_kinds)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    const struct ht_desk_rules *rules = &room->rules->desk;
    const struct ht_desk_rule *rule = &rules->rule[open->incident_kind][open->severity - 1];
    *want = (struct ht_desk_want){.kind = open->incident_kind,
                                  .severity = open->severity,
                                  .blue_light = rule->blue_light,
                                  .idle = true,
                                  .skills = open->skills != NULL ? open->skills : skills,
                                  .now_ms = open->now_ms};
    memcpy(skills, rule->skills, HT_DESK_SKILLS_MAX + 1);
    *unit_kinds = room->rules->kinds[open->incident_kind].unit_kinds;
    uint32_t need = open->units != 0 ? open->units : rule->units;
    out->asked = need < HT_AHEAD_MOST ? need + 1 : HT_AHEAD_MOST;
    bool plain = rule->confirm_ms == 0 && rules->choice == HT_DESK_CLOSEST;
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return plain;
}

void ht_desk_room_ahead(struct ht_desk_room *room, struct ht_app_context *context,
                        const struct ht_desk_command *open, struct ht_point point,
                        struct ht_desk_ahead *out)
{
    const struct ht__room_chooser chooser = {.room = room, .context = context};
    struct ht_live_ask ask = {.radius_m = -1, .max_ms = UINT32_MAX, .point = point};
    struct ht_world *world = ht_world_reader_get(&context->world);
    struct ht_desk_want want;
    char skills[HT_DESK_SKILLS_MAX + 1];
    uint32_t unit_kinds = 0;
    out->changes = atomic_load(&room->changes); /* before all that is looked at */
    out->count = 0;
    if (world == NULL || open->severity < 1 || open->severity > HT_DESK_SEVERITIES ||
        !ahead_want(room, open, skills, &want, out, &unit_kinds) ||
        ht_app_live_work(context) == NULL ||
        filter_make(room, &want, unit_kinds, &ask.filter) != HT_OK) {
        return;
    }
    ask.k = out->asked;
    ask.plain = !want.blue_light;
    out->world = ht_world_id(world);
    out->made = rank_all(&chooser, &ask, out->list, &out->count) == HT_OK;
}
