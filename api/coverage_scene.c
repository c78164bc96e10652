#include "api/coverage_scene.h"

#include <stdlib.h>
#include <string.h>

#include "api/isochrone.h"
#include "api/live.h"
#include "engine/base/array.h"
#include "engine/live/fleet.h"
#include "engine/road/cut.h"

/* Streets of those with permits. */
struct lane {
    uint32_t profile;
    struct ht_cuts cuts;
    struct ht_reach_targets *targets; /* NULL: not made */
};

struct ht_coverage_scene {
    atomic_size_t references;
    uint64_t number;
    uint64_t world;
    struct ht_homes *homes;
    pthread_mutex_t lock;
    struct ht_reach_targets *targets[HT_FLEET_PROFILES_MAX];
    struct lane *lanes;
    uint32_t lane_count;
    size_t lane_capacity;
};

struct ht_coverage_scenes {
    pthread_mutex_t lock;
    struct ht_coverage_scene *scene; /* the latest; NULL: none yet */
    uint64_t number;
};

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
    }
    for (uint32_t i = 0; i < scene->lane_count; i++) {
        ht_reach_targets_free(scene->lanes[i].targets);
        ht_cuts_deinit(&scene->lanes[i].cuts);
    }
    free(scene->lanes);
    ht_homes_release(scene->homes);
    (void)pthread_mutex_destroy(&scene->lock);
    free(scene);
}

uint64_t ht_coverage_scene_number(const struct ht_coverage_scene *scene)
{
    return scene->number;
}

static struct ht_coverage_scene *scene_new(struct ht_homes *homes, uint64_t world, uint64_t number)
{
    struct ht_coverage_scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL || pthread_mutex_init(&scene->lock, NULL) != 0) {
        free(scene);
        return NULL;
    }
    atomic_init(&scene->references, 1);
    ht_homes_retain(homes);
    scene->homes = homes;
    scene->world = world;
    scene->number = number;
    return scene;
}

enum ht_status ht_coverage_scene_get(struct ht_coverage_scenes *scenes, struct ht_homes *homes,
                                     const struct ht_world *world, struct ht_coverage_scene **out)
{
    struct ht_coverage_scene *old = NULL;
    (void)pthread_mutex_lock(&scenes->lock);
    struct ht_coverage_scene *scene = scenes->scene;
    if (scene == NULL || scene->homes != homes || scene->world != ht_world_id(world)) {
        old = scene;
        scene = scene_new(homes, ht_world_id(world), ++scenes->number);
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

static enum ht_status targets_make(struct ht_coverage_scene *scene, struct ht_app *app,
                                   struct ht_world *world, const struct ht_road *road,
                                   struct ht_reach_targets **out)
{
    struct ht_isochrone_map *map = NULL;
    const struct ht_isochrone_streets *streets = NULL;
    const struct ht_homes *homes = scene->homes;
    struct ht_place *places = ht_array_new(homes->count, sizeof *places);
    if (places == NULL) {
        return HT_NOMEM;
    }
    /* one answer at a time gets the pool; the others make do with their own thread */
    bool shared = pthread_mutex_trylock(&app->pool.lock) == 0;
    enum ht_status status = ht_coverage_snap(road, homes->points, homes->count, HT_LIVE_STREET_M,
                                             shared ? app->pool.pool : NULL, places);
    if (shared) {
        (void)pthread_mutex_unlock(&app->pool.lock);
    }
    if (status == HT_OK) {
        status = ht_isochrone_streets_get(app->isochrones, world, road, &map, &streets);
    }
    if (status == HT_OK) {
        status =
            ht_reach_targets_new(road, ht_isochrone_regions(streets), places, homes->count, out);
        ht_isochrone_map_release(map);
    }
    free(places);
    return status;
}

enum ht_status ht_coverage_scene_targets(struct ht_coverage_scene *scene, struct ht_app *app,
                                         struct ht_world *world, const struct ht_road *road,
                                         uint32_t profile, const struct ht_reach_targets **out)
{
    enum ht_status status = HT_OK;
    if (profile >= HT_FLEET_PROFILES_MAX) {
        return HT_RANGE;
    }
    (void)pthread_mutex_lock(&scene->lock);
    if (scene->targets[profile] == NULL) {
        status = targets_make(scene, app, world, road, &scene->targets[profile]);
    }
    *out = scene->targets[profile];
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
        status = targets_make(scene, app, world, road, &lane->targets);
    }
    *out = lane == NULL ? NULL : lane->targets;
    (void)pthread_mutex_unlock(&scene->lock);
    return lane == NULL ? HT_RANGE : status;
}
