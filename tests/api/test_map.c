/* Maps: while turns are closed by the clock, a profile that nobody asked a table of has no metric
 * of its own; from its first table on it has one of each hour. */
#include "api/map.h"
#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/served.h"

/* Monday, 2 March 2026, in the town's own hours. */
static int64_t hour(int h)
{
    return INT64_C(1772409600000) + (int64_t)h * 3600000;
}

static struct ht_world *world_of(struct ht_map *town, int h)
{
    struct ht_world *world = NULL;
    return ht_map_world(town, hour(h), &world) == HT_OK ? world : NULL;
}

HT_CASE(a_metric_is_made_where_one_was_asked_for)
{
    struct ht_shared_pool pool = {.pool = NULL};
    struct ht_map *town = NULL;
    struct ht_error error = {0};
    const struct ht_road *road = NULL;
    HT_REQUIRE(map_make());
    HT_REQUIRE(pthread_mutex_init(&pool.lock, NULL) == 0);
    HT_REQUIRE(ht_map_open(map, &pool, NULL, &town, &error) == HT_OK);
    HT_REQUIRE(ht_map_check(town, &error) == HT_OK);
    struct ht_world *night = world_of(town, 3);
    HT_CHECK(night != NULL && ht_world_ready(night, "car", 0)); /* the file's own */
    struct ht_world *morning = world_of(town, 8);
    HT_REQUIRE(morning != NULL);
    HT_CHECK(!ht_world_ready(morning, "car", 0) && ht_world_ready_soon(morning, "car"));
    HT_CHECK(ht_world_network(morning) == ht_world_network(night)); /* positions and isochrones */
    HT_CHECK(ht_world_road_soon(morning, "car", &road) == HT_OK && road->graph->live != NULL);
    HT_CHECK(world_of(town, 8) == NULL);
    struct ht_world *noon = world_of(town, 12);
    HT_CHECK(noon != NULL && ht_world_ready(noon, "car", 0));
    struct ht_world *next = world_of(town, 24 + 8);
    HT_REQUIRE(next != NULL && !ht_world_ready(next, "car", 0));
    HT_CHECK(ht_world_road(next, "car", 0, &road) == HT_OK && road->graph->live == NULL);
    struct ht_world *free_again = world_of(town, 36);
    HT_CHECK(free_again != NULL);
    struct ht_world *after = world_of(town, 48 + 8);
    HT_CHECK(after != NULL && ht_world_ready(after, "car", 0));
    ht_world_release(after);
    ht_world_release(free_again);
    ht_world_release(next);
    ht_world_release(noon);
    ht_world_release(morning);
    ht_world_release(night);
    ht_map_release(town);
    (void)pthread_mutex_destroy(&pool.lock);
}

HT_SERVED_MAIN()
