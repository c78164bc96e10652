#include "api/coverage_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/isochrone.h"
#include "api/live.h"
#include "api/map.h"
#include "engine/base/array.h"
#include "engine/live/fleet.h"
#include "engine/road/cut.h"

/* Streets of those with permits. */
struct lane {
    uint32_t profile;
    struct ht_cuts cuts;
    struct ht_reach_targets *targets; /* NULL: not made */
};

/* Where households are on the streets of a map as they are filed. */
struct filed {
    atomic_size_t references;
    uint64_t map; /* its number */
    struct ht_homes *homes;
    pthread_mutex_t lock;
    struct ht_place *places[HT_FLEET_PROFILES_MAX]; /* NULL: not found yet */
};

struct ht_coverage_scene {
    atomic_size_t references;
    uint64_t number;
    struct filed *filed; /* NULL: there is none */
    uint64_t world;
    struct ht_homes *homes;
    struct ht_home_pace pace;
    uint32_t profile_count;
    pthread_mutex_t lock;
    uint32_t *access_ms;                            /* NULL: not made */
    struct ht_place *places[HT_FLEET_PROFILES_MAX]; /* found for that, until targets are made */
    struct ht_reach_targets *targets[HT_FLEET_PROFILES_MAX];
    struct lane *lanes;
    uint32_t lane_count;
    size_t lane_capacity;
};

/* Where places are looked for. */
struct streets {
    struct ht_world *world;
    const struct ht_road *road;
    uint32_t profile; /* of the fleet */
};

struct ht_coverage_scenes {
    pthread_mutex_t lock;
    struct ht_coverage_scene *scene; /* the latest; NULL: none yet */
    uint64_t number;
};

/* ---- as filed ---- */

static void filed_release(struct filed *filed)
{
    if (filed == NULL || atomic_fetch_sub(&filed->references, 1) != 1) {
        return;
    }
    for (int p = 0; p < HT_FLEET_PROFILES_MAX; p++) {
        free(filed->places[p]);
    }
    ht_homes_release(filed->homes);
    (void)pthread_mutex_destroy(&filed->lock);
    free(filed);
}

static struct filed *filed_new(struct ht_homes *homes, uint64_t map)
{
    struct filed *filed = calloc(1, sizeof *filed);
    if (filed == NULL || pthread_mutex_init(&filed->lock, NULL) != 0) {
        free(filed);
        return NULL;
    }
    atomic_init(&filed->references, 1);
    filed->map = map;
    filed->homes = homes;
    ht_homes_retain(homes);
    return filed;
}

/* That of the scene before where it is of the same map and households, with a reference; NULL:
 * there is none to be had, which costs time alone. */
static struct filed *filed_of(const struct ht_coverage_scene *before,
                              const struct ht_coverage_ground *ground)
{
    enum { HOMES_MOST = 200000 }; /* more take too much memory to be kept twice */
    struct filed *filed = before == NULL ? NULL : before->filed;
    struct ht_map *map = ht_map_of(ground->world);
    uint64_t number = map == NULL ? 0 : ht_map_number(map);
    ht_map_release(map);
    if (number == 0 || ground->homes->count > HOMES_MOST) {
        return NULL;
    }
    if (filed == NULL || filed->map != number || filed->homes != ground->homes) {
        return filed_new(ground->homes, number);
    }
    (void)atomic_fetch_add(&filed->references, 1);
    return filed;
}

enum ht_status ht_coverage_scenes_new(struct ht_coverage_scenes **out)
{
    struct ht_coverage_scenes *scenes = calloc(1, sizeof *scenes);
    if (scenes == NULL || pthread_mutex_init(&scenes->lock, NULL) != 0) {
        free(scenes);
        return HT_NOMEM;
    }
    *out = scenes;
    return HT_OK;
}

void ht_coverage_scenes_free(struct ht_coverage_scenes *scenes)
{
    if (scenes != NULL) {
        ht_coverage_scene_release(scenes->scene);
        (void)pthread_mutex_destroy(&scenes->lock);
        free(scenes);
    }
}

void ht_coverage_scene_release(struct ht_coverage_scene *scene)
{
    if (scene == NULL || atomic_fetch_sub(&scene->references, 1) != 1) {
        return;
    }
    for (int p = 0; p < HT_FLEET_PROFILES_MAX; p++) {
        ht_reach_targets_free(scene->targets[p]);
        free(scene->places[p]);
    }
    free(scene->access_ms);
    for (uint32_t i = 0; i < scene->lane_count; i++) {
        ht_reach_targets_free(scene->lanes[i].targets);
        ht_cuts_deinit(&scene->lanes[i].cuts);
    }
    free(scene->lanes);
    filed_release(scene->filed);
    ht_homes_release(scene->homes);
    (void)pthread_mutex_destroy(&scene->lock);
    free(scene);
}

uint64_t ht_coverage_scene_number(const struct ht_coverage_scene *scene)
{
    return scene->number;
}

static struct ht_coverage_scene *scene_new(const struct ht_coverage_scene *before,
                                           const struct ht_coverage_ground *ground, uint64_t number)
{
    struct ht_coverage_scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL || pthread_mutex_init(&scene->lock, NULL) != 0) {
        free(scene);
        return NULL;
    }
    atomic_init(&scene->references, 1);
    ht_homes_retain(ground->homes);
    scene->homes = ground->homes;
    scene->filed = filed_of(before, ground);
    scene->world = ht_world_id(ground->world);
    scene->pace = ground->pace;
    scene->profile_count = ground->profile_count;
    scene->number = number;
    return scene;
}

static bool is_of(const struct ht_coverage_scene *scene, const struct ht_coverage_ground *ground)
{
    return scene->homes == ground->homes && scene->world == ht_world_id(ground->world) &&
           scene->profile_count == ground->profile_count &&
           scene->pace.walk_mps == ground->pace.walk_mps &&
           scene->pace.stairs_ms == ground->pace.stairs_ms &&
           scene->pace.lift_ms == ground->pace.lift_ms;
}

enum ht_status ht_coverage_scene_get(struct ht_coverage_scenes *scenes,
                                     const struct ht_coverage_ground *ground,
                                     struct ht_coverage_scene **out)
{
    struct ht_coverage_scene *old = NULL;
    (void)pthread_mutex_lock(&scenes->lock);
    struct ht_coverage_scene *scene = scenes->scene;
    if (scene == NULL || !is_of(scene, ground)) {
        old = scene;
        scene = scene_new(old, ground, ++scenes->number);
        scenes->scene = scene;
    }
    if (scene != NULL) {
        (void)atomic_fetch_add(&scene->references, 1);
    }
    (void)pthread_mutex_unlock(&scenes->lock);
    ht_coverage_scene_release(old);
    *out = scene;
    return scene == NULL ? HT_NOMEM : HT_OK;
}

static void snap(const struct ht_homes *homes, struct ht_app *app, const struct ht_road *road,
                 struct ht_place *out)
{
    /* one answer at a time gets the pool; the others make do with their own thread */
    bool shared = pthread_mutex_trylock(&app->pool.lock) == 0;
    ht_coverage_snap(road, homes->points, homes->count, HT_LIVE_STREET_M,
                     shared ? app->pool.pool : NULL, out);
    if (shared) {
        (void)pthread_mutex_unlock(&app->pool.lock);
    }
}

/* Where the households are on the streets as they are filed; NULL: not known. */
static const struct ht_place *filed_places(struct ht_coverage_scene *scene, struct ht_app *app,
                                           const struct streets *on)
{
    struct filed *filed = scene->filed;
    const struct ht_road *road = NULL;
    const char *name = ht_fleet_profile_name(ht_live_fleet(app->live), on->profile);
    if (filed == NULL || on->profile >= HT_FLEET_PROFILES_MAX ||
        ht_map_filed(on->world, name, &road) != HT_OK || road == NULL) {
        return NULL;
    }
    (void)pthread_mutex_lock(&filed->lock);
    if (filed->places[on->profile] == NULL) {
        filed->places[on->profile] =
            ht_array_new(scene->homes->count, sizeof *filed->places[on->profile]);
        if (filed->places[on->profile] != NULL) {
            snap(scene->homes, app, road, filed->places[on->profile]);
        }
    }
    const struct ht_place *places = filed->places[on->profile];
    (void)pthread_mutex_unlock(&filed->lock);
    return places;
}

static enum ht_status places_find(struct ht_coverage_scene *scene, struct ht_app *app,
                                  const struct streets *on, struct ht_place **out)
{
    const struct ht_homes *homes = scene->homes;
    struct ht_place *places = ht_array_new(homes->count, sizeof *places);
    if (places == NULL) {
        return HT_NOMEM;
    }
    const struct ht_place *filed = filed_places(scene, app, on);
    if (filed != NULL) {
        ht_coverage_snap_again(on->road, homes->points, homes->count, HT_LIVE_STREET_M, filed,
                               places);
    } else {
        snap(homes, app, on->road, places);
    }
    *out = places;
    return HT_OK;
}

/* `kept` (NULL: none): the places where they were found before; given up. */
static enum ht_status targets_make(struct ht_coverage_scene *scene, struct ht_app *app,
                                   const struct streets *on, struct ht_place **kept,
                                   struct ht_reach_targets **out)
{
    struct ht_isochrone_map *map = NULL;
    const struct ht_isochrone_streets *streets = NULL;
    const struct ht_homes *homes = scene->homes;
    struct ht_place *places = kept == NULL ? NULL : *kept;
    enum ht_status status = places == NULL ? places_find(scene, app, on, &places) : HT_OK;
    if (kept != NULL) {
        *kept = NULL;
    }
    if (status == HT_OK) {
        status = ht_isochrone_streets_get(app->isochrones, on->world, on->road, &map, &streets);
    }
    if (status == HT_OK) {
        status = ht_reach_targets_new(on->road, ht_isochrone_regions(streets), places, homes->count,
                                      out);
        ht_isochrone_map_release(map);
    }
    free(places);
    return status;
}

enum ht_status ht_coverage_scene_targets(struct ht_coverage_scene *scene, struct ht_app *app,
                                         struct ht_world *world, const struct ht_road *road,
                                         uint32_t profile, const struct ht_reach_targets **out)
{
    const struct streets on = {world, road, profile};
    enum ht_status status = HT_OK;
    if (profile >= HT_FLEET_PROFILES_MAX) {
        return HT_RANGE;
    }
    (void)pthread_mutex_lock(&scene->lock);
    if (scene->targets[profile] == NULL) {
        status = targets_make(scene, app, &on, &scene->places[profile], &scene->targets[profile]);
    }
    *out = scene->targets[profile];
    (void)pthread_mutex_unlock(&scene->lock);
    return status;
}

/* How far each household is from the nearest street of a profile, where that is less. */
static enum ht_status nearer(struct ht_coverage_scene *scene, struct ht_app *app,
                             struct ht_world *world, uint32_t profile, double *street_m)
{
    const struct ht_road *road = NULL;
    struct ht_place *places = NULL;
    const char *name = ht_fleet_profile_name(ht_live_fleet(app->live), profile);
    enum ht_status status = ht_world_road(world, name, 0, &road);
    if (status == HT_OK) {
        const struct streets on = {world, road, profile};
        status = places_find(scene, app, &on, &places);
    }
    if (status != HT_OK) {
        return status == HT_NOT_FOUND ? HT_OK : status; /* the map has no such profile */
    }
    for (uint32_t i = 0; i < scene->homes->count; i++) {
        bool usable = places[i].side[0].arc != HT_NONE || places[i].side[1].arc != HT_NONE;
        if (usable && !(places[i].distance_m >= street_m[i])) {
            street_m[i] = places[i].distance_m;
        }
    }
    free(scene->places[profile]);
    scene->places[profile] = NULL;
    if (scene->targets[profile] == NULL) {
        scene->places[profile] = places;
    } else {
        free(places);
    }
    return HT_OK;
}

/* Needs the lock. */
static enum ht_status access_make(struct ht_coverage_scene *scene, struct ht_app *app,
                                  struct ht_world *world)
{
    const struct ht_homes *homes = scene->homes;
    double *street_m = ht_array_new(homes->count, sizeof *street_m);
    uint32_t *access_ms = ht_array_new(homes->count, sizeof *access_ms);
    enum ht_status status = street_m == NULL || access_ms == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t i = 0; i < homes->count && status == HT_OK; i++) {
        street_m[i] = NAN;
    }
    for (uint32_t p = 0; p < scene->profile_count && status == HT_OK; p++) {
        status = nearer(scene, app, world, p, street_m);
    }
    for (uint32_t i = 0; i < homes->count && status == HT_OK; i++) {
        access_ms[i] = ht_home_access_ms(&scene->pace, &homes->inside[i],
                                         isnan(street_m[i]) ? 0 : street_m[i]);
    }
    free(street_m);
    if (status != HT_OK) {
        free(access_ms);
        return status;
    }
    scene->access_ms = access_ms;
    return HT_OK;
}

enum ht_status ht_coverage_scene_access(struct ht_coverage_scene *scene, struct ht_app *app,
                                        struct ht_world *world, const uint32_t **out_ms)
{
    (void)pthread_mutex_lock(&scene->lock);
    enum ht_status status = scene->access_ms == NULL ? access_make(scene, app, world) : HT_OK;
    *out_ms = scene->access_ms;
    (void)pthread_mutex_unlock(&scene->lock);
    return status;
}

static bool is_lane(const struct lane *own, const struct ht_live_lane *lane)
{
    return own->profile == lane->profile && own->cuts.count == lane->cuts->count &&
           (own->cuts.count == 0 || memcmp(own->cuts.list, lane->cuts->list,
                                           own->cuts.count * sizeof *own->cuts.list) == 0);
}

/* Needs the lock. */
static enum ht_status lane_get(struct ht_coverage_scene *scene, const struct ht_live_lane *lane,
                               uint32_t *number)
{
    *number = 0;
    while (*number < scene->lane_count && !is_lane(&scene->lanes[*number], lane)) {
        ++*number;
    }
    if (*number < scene->lane_count) {
        return HT_OK;
    }
    void *list = scene->lanes;
    struct lane own = {.profile = lane->profile};
    enum ht_status status =
        ht_array_reserve(&list, &scene->lane_capacity, *number + (size_t)1, sizeof own);
    scene->lanes = list;
    if (status == HT_OK) {
        status = ht_cuts_add(&own.cuts, lane->cuts->list, lane->cuts->count);
    }
    if (status == HT_OK) {
        scene->lanes[scene->lane_count++] = own;
    }
    return status;
}

enum ht_status ht_coverage_scene_lane(struct ht_coverage_scene *scene,
                                      const struct ht_live_lane *lane, uint32_t *number)
{
    (void)pthread_mutex_lock(&scene->lock);
    enum ht_status status = lane_get(scene, lane, number);
    (void)pthread_mutex_unlock(&scene->lock);
    return status;
}

uint32_t ht_coverage_scene_lane_count(struct ht_coverage_scene *scene)
{
    (void)pthread_mutex_lock(&scene->lock);
    uint32_t count = scene->lane_count;
    (void)pthread_mutex_unlock(&scene->lock);
    return count;
}

enum ht_status ht_coverage_scene_lane_targets(struct ht_coverage_scene *scene, struct ht_app *app,
                                              struct ht_world *world, const struct ht_road *road,
                                              uint32_t number, const struct ht_reach_targets **out)
{
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&scene->lock);
    struct lane *lane = number < scene->lane_count ? &scene->lanes[number] : NULL;
    if (lane != NULL && lane->targets == NULL) {
        const struct streets on = {world, road, lane->profile};
        status = targets_make(scene, app, &on, NULL, &lane->targets);
    }
    *out = lane == NULL ? NULL : lane->targets;
    (void)pthread_mutex_unlock(&scene->lock);
    return lane == NULL ? HT_RANGE : status;
}
