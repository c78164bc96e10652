#include <stdlib.h>
#include <string.h>

#include "api/app_internal.h"
#include "api/command.h"
#include "api/coverage.h"
#include "api/coverage_internal.h"
#include "api/desk_room.h"
#include "api/http_answer.h"
#include "engine/base/array.h"

void ht__coverage_refuse(struct ht_reply *reply, enum ht_status status)
{
    int code = status == HT_TOO_BIG ? 413 : 503;
    ht_reply_problem(reply, code, ht_http_status_text(code),
                     status == HT_TOO_BIG ? "more than 5,000 units fit the filter"
                                          : ht_status_text(status));
    reply->retry_after_s = code == 503 ? 1 : 0;
}

enum ht_status ht__town_profile(struct ht_app_context *context, struct ht__town *town,
                                uint32_t profile)
{
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    if (profile >= HT_FLEET_PROFILES_MAX) {
        return HT_NOT_FOUND;
    }
    if (town->roads[profile] != NULL) {
        return HT_OK;
    }
    const struct ht_road *road = NULL;
    enum ht_status status =
        ht_world_road(town->world, ht_fleet_profile_name(fleet, profile), 0, &road);
    if (status == HT_OK) {
        status = ht_coverage_scene_targets(town->scene, context->app, town->world, road, profile,
                                           &town->targets[profile]);
    }
    if (status == HT_OK) {
        town->roads[profile] = road;
        town->profile_count = profile < town->profile_count ? town->profile_count : profile + 1;
    }
    return status;
}

static void lent_back(struct ht__town *town)
{
    ht_detour_release(town->lent);
    town->lent = NULL;
}

enum ht_status ht__town_lane(void *user, uint32_t lane, const struct ht_road **road,
                             const struct ht_reach_targets **targets)
{
    struct ht__town *town = user;
    if (lane < HT_FLEET_PROFILES_MAX) {
        *road = town->roads[lane];
        *targets = town->targets[lane];
        return HT_OK;
    }
    uint32_t number = lane - HT_FLEET_PROFILES_MAX;
    lent_back(town);
    if (lane >= town->lane_count || town->lane_live[number] == HT_NONE) {
        return HT_RANGE;
    }
    enum ht_status status =
        ht_live_lane_road(town->context->live, town->world, town->lane_live[number], &town->lent);
    if (status == HT_OK) {
        *road = ht_detour_road(town->lent);
        status = ht_coverage_scene_lane_targets(town->scene, town->context->app, town->world, *road,
                                                number, targets);
    }
    return status;
}

/* The lane of a place, which may be new. */
static enum ht_status lane_find(struct ht__town *town, const struct ht_live_place *place,
                                uint32_t *lane)
{
    *lane = place->profile;
    if (place->part == 0) {
        return HT_OK;
    }
    uint32_t number = 0;
    const struct ht_live_lane own = ht_live_lane(town->context->live, place->part - 1);
    enum ht_status status = ht_coverage_scene_lane(town->scene, &own, &number);
    uint32_t *live = town->lane_live;
    uint32_t count = town->lane_count - HT_FLEET_PROFILES_MAX;
    if (status == HT_OK && number >= count) {
        live = realloc(town->lane_live, (number + (size_t)1) * sizeof *live);
        status = live == NULL ? HT_NOMEM : HT_OK;
    }
    if (status == HT_OK) {
        town->lane_live = live;
        for (; count <= number; count++) {
            live[count] = HT_NONE;
        }
        live[number] = place->part - 1;
        town->lane_count = HT_FLEET_PROFILES_MAX + count;
        *lane = HT_FLEET_PROFILES_MAX + number;
    }
    return status;
}

/* The turnout is longer than the promise: empty sets. No scene has that number. */
static enum ht_status reach_none(struct ht_app_context *context, struct ht__town *town)
{
    static const struct ht_road *const roads[HT_FLEET_PROFILES_MAX];
    static const struct ht_reach_targets *const targets[HT_FLEET_PROFILES_MAX];
    const struct ht_coverage_ask ask = {.scene = UINT64_MAX,
                                        .profile_count = HT_FLEET_PROFILES_MAX,
                                        .roads = roads,
                                        .targets = targets,
                                        .place_count = town->homes->count,
                                        .units = town->units,
                                        .unit_count = (uint32_t)town->places.count};
    for (size_t i = 0; i < town->places.count; i++) {
        const struct ht_live_place *place = &town->places.list[i];
        town->units[i] = (struct ht_coverage_unit){place->unit, place->profile, place->place};
    }
    return ht_coverage_run(context->coverage, &ask);
}

/* Everybody's streets, then everybody's sets. */
static enum ht_status reach_all(struct ht_app_context *context, struct ht__town *town)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < town->places.count && status == HT_OK; i++) {
        const struct ht_live_place *place = &town->places.list[i];
        town->units[i] = (struct ht_coverage_unit){place->unit, place->profile, place->place};
        status = ht__town_profile(context, town, place->profile);
        if (status == HT_OK) {
            status = lane_find(town, place, &town->units[i].profile);
        }
    }
    /* sets with the way to the door are others than those without */
    uint64_t scene = ht_coverage_scene_number(town->scene) * 2 + (town->after_ms != NULL);
    const struct ht_coverage_ask ask = {.scene = scene,
                                        .limit_ms = town->limit_ms,
                                        .after_ms = town->after_ms,
                                        .profile_count = HT_FLEET_PROFILES_MAX,
                                        .roads = town->roads,
                                        .targets = town->targets,
                                        .lent_count = town->lane_count - HT_FLEET_PROFILES_MAX,
                                        .lend = ht__town_lane,
                                        .user = town,
                                        .place_count = town->homes->count,
                                        .units = town->units,
                                        .unit_count = (uint32_t)town->places.count};
    if (status == HT_OK) {
        status = ht_coverage_run(context->coverage, &ask);
    }
    lent_back(town);
    return status;
}

/* The scene, the units in it and whom they reach. */
static enum ht_status town_fill(struct ht__town *town, const struct ht_unit_filter *filter,
                                const struct ht__promise *promise)
{
    struct ht_app_context *context = town->context;
    struct ht_app *app = context->app;
    const struct ht_coverage_ground ground = {
        .homes = town->homes,
        .world = town->world,
        .pace = ht_desk_room_kind(app->desk, HT_INCIDENT_SOS).pace,
        .profile_count = ht_fleet_profile_count(ht_live_fleet(app->live))};
    enum ht_status status = ht_coverage_scene_get(app->coverage, &ground, &town->scene);
    if (status == HT_OK && !promise->travel) {
        status = ht_coverage_scene_access(town->scene, app, town->world, &town->after_ms);
    }
    if (status == HT_OK && filter != NULL) {
        const struct ht_live_places_ask ask = {filter, HT__COVERAGE_UNITS_MOST, promise->plain};
        status = ht_live_places_find(app->live, context->live, town->world, &ask, &town->places);
    }
    if (status == HT_OK) {
        town->units = ht_array_new(town->places.count, sizeof *town->units);
        status = town->units == NULL ? HT_NOMEM : HT_OK;
    }
    if (status == HT_OK && context->coverage == NULL) {
        status = ht_coverage_new(&context->coverage);
    }
    if (status != HT_OK) {
        return status;
    }
    return town->hopeless ? reach_none(context, town) : reach_all(context, town);
}

bool ht__town_open(struct ht_app_context *context, const struct ht_unit_filter *filter,
                   const struct ht__promise *promise, struct ht__town *town, struct ht_reply *reply)
{
    struct ht_app *app = context->app;
    struct ht_error error = {0};
    struct ht_live_work *work = ht_app_live_work(context);
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    *town = (struct ht__town){.world = ht_world_reader_get(&context->world),
                              .context = context,
                              .hopeless = promise->turnout_ms > promise->limit_ms,
                              .limit_ms = promise->limit_ms - promise->turnout_ms,
                              .lane_count = HT_FLEET_PROFILES_MAX};
    if (reader == NULL) {
        return false;
    }
    if (town->world == NULL || work == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable",
                         work == NULL ? "out of memory" : "no network is open");
        reply->retry_after_s = 1;
        return false;
    }
    if (ht_homes_get(app->homes, reader, &town->homes, &error) != HT_OK) {
        ht_reply_status(reply, &error);
        return false;
    }
    enum ht_status status = town_fill(town, filter, promise);
    if (status != HT_OK) {
        ht__coverage_refuse(reply, status);
    }
    return status == HT_OK;
}

void ht__town_close(struct ht__town *town)
{
    ht_coverage_scene_release(town->scene);
    ht_homes_release(town->homes);
    ht_live_places_deinit(&town->places);
    lent_back(town);
    free(town->lane_live);
    free(town->units);
}

static bool is_worth_warming(struct ht_app_context *context, struct ht_reply *reply)
{
    enum { HOMES_MOST = 200000 }; /* some hundred bytes each, for each profile */
    struct ht_homes *homes = NULL;
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    bool worth = reader != NULL &&
                 ht_homes_get(context->app->homes, reader, &homes, &error) == HT_OK &&
                 homes->count > 0 && homes->count <= HOMES_MOST;
    ht_homes_release(homes);
    return worth;
}

void ht_coverage_warm(struct ht_app *app)
{
    const struct ht_unit_filter all = {.heard_ms = INT64_MIN};
    const struct ht__promise promise = {.limit_ms = 1000};
    struct ht_reply reply = {0}; /* which nobody reads */
    struct ht__town town = {0};
    void *context = NULL;
    if (app->store == NULL || app->desk == NULL || ht__app_context_new(app, &context) != HT_OK) {
        return;
    }
    if (is_worth_warming(context, &reply)) {
        bool made = ht__town_open(context, &all, &promise, &town, &reply);
        (void)made;
        ht__town_close(&town);
    }
    ht_reply_deinit(&reply);
    ht__app_context_free(context);
}

struct ht__counts ht__counts_of(const struct ht_homes *homes, const uint64_t *a, const uint64_t *b)
{
    struct ht__counts counts = {0};
    for (size_t w = 0; w < ht_reach_words(homes->count); w++) {
        uint64_t bits = b == NULL ? a[w] : a[w] & ~b[w];
        for (; bits != 0; bits &= bits - 1) {
            ht__counts_add(&counts, homes, (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits));
        }
    }
    return counts;
}

void ht__counts_write(struct ht_json *json, const char *key, const struct ht__counts *counts,
                      bool frail)
{
    ht_json_key(json, key);
    ht_json_object(json);
    ht_json_key_int(json, "households", counts->households);
    ht_json_key_int(json, "residents", counts->residents);
    if (frail) {
        ht_json_key_int(json, "frail", counts->frail);
    }
    ht_json_object_end(json);
}
