/* Coverage scenes: the households on the streets of each profile, as they are now.
 *
 * Made when first asked for and kept until households or streets are others: each household is put
 * on a street (some 20 ms of one core for 20,000 and a profile). A scene holds no map: what it
 * keeps is its own, so that it keeps none in memory and no metric from being renewed.
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

/* The scene of these households in this world, with a reference for the caller. */
HT_MUST_CHECK enum ht_status ht_coverage_scene_get(struct ht_coverage_scenes *scenes,
                                                   struct ht_homes *homes,
                                                   const struct ht_world *world,
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
