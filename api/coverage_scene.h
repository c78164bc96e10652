/* Coverage scenes: the households on the streets of each profile, as they are now, and how far it
 * is from there to their doors.
 *
 * Made when first asked for and kept until households, streets or the pace of walking are others.
 * Each household is put on a street as that is filed (some 20 ms of one core for 20,000 and a
 * profile), once for a map and a list of households; when streets change, those whose own street
 * does are put anew. A scene holds no map: what it keeps is its own, so that it keeps none in
 * memory and no metric from being renewed.
 *
 * Threading: any thread; one makes what all want. Ownership: references.
 */
#ifndef HT_API_COVERAGE_SCENE_H
#define HT_API_COVERAGE_SCENE_H

#include "api/app.h"
#include "api/homes.h"
#include "api/live.h"
#include "engine/live/coverage.h"

struct ht_coverage_scenes;
struct ht_coverage_scene;

HT_MUST_CHECK enum ht_status ht_coverage_scenes_new(struct ht_coverage_scenes **out);
void ht_coverage_scenes_free(struct ht_coverage_scenes *scenes);

/* What a scene is made of. */
struct ht_coverage_ground {
    struct ht_homes *homes;
    const struct ht_world *world;
    struct ht_home_pace pace;
    uint32_t profile_count; /* of the fleet */
};

/* The scene of that, with a reference for the caller. */
HT_MUST_CHECK enum ht_status ht_coverage_scene_get(struct ht_coverage_scenes *scenes,
                                                   const struct ht_coverage_ground *ground,
                                                   struct ht_coverage_scene **out);
void ht_coverage_scene_release(struct ht_coverage_scene *scene);
/* Its number among all that ever were. */
uint64_t ht_coverage_scene_number(const struct ht_coverage_scene *scene);

/* The households on the streets of a profile (its number in the fleet); `road`: of the scene's
 * world. HT_RANGE: no such number. */
HT_MUST_CHECK enum ht_status ht_coverage_scene_targets(struct ht_coverage_scene *scene,
                                                       struct ht_app *app, struct ht_world *world,
                                                       const struct ht_road *road, uint32_t profile,
                                                       const struct ht_reach_targets **out);

/* By household, from the nearest street that any unit's profile may use to the door: what the
 * promise to an alarm from there counts (api/incidents.h). */
HT_MUST_CHECK enum ht_status ht_coverage_scene_access(struct ht_coverage_scene *scene,
                                                      struct ht_app *app, struct ht_world *world,
                                                      const uint32_t **out_ms);

/* A lane (api/live.h) of the scene's world: its number in the scene, the same as long as that
 * lives. */
HT_MUST_CHECK enum ht_status ht_coverage_scene_lane(struct ht_coverage_scene *scene,
                                                    const struct ht_live_lane *lane,
                                                    uint32_t *number);
/* How many there are; what each of them is, copied by the scene. */
uint32_t ht_coverage_scene_lane_count(struct ht_coverage_scene *scene);
/* The households on the streets of a lane, whose road that is. */
HT_MUST_CHECK enum ht_status
ht_coverage_scene_lane_targets(struct ht_coverage_scene *scene, struct ht_app *app,
                               struct ht_world *world, const struct ht_road *road, uint32_t number,
                               const struct ht_reach_targets **out);

#endif
