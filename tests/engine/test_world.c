/* World: published, read and let go by many threads. */
#include <pthread.h>
#include <stdatomic.h>

#include "engine/live/world.h"
#include "tests/support/check.h"

static struct ht_graph graphs[2] = {{.profile = "car", .class_mask = HT_ARC_TOLL},
                                    {.profile = "foot"}};
static struct ht_network network;

struct owner {
    atomic_int *alive;
    bool gone;
};

static void let_go(void *user)
{
    struct owner *owner = user;
    owner->gone = true;
    (void)atomic_fetch_sub(owner->alive, 1);
}

static struct ht_world *world_make(struct owner *owner)
{
    struct ht_road roads[2] = {{.network = &network, .graph = &graphs[0]},
                               {.network = &network, .graph = &graphs[1]}};
    struct ht_world *world = NULL;
    if (ht_world_new(roads, 2, owner, let_go, &world) != HT_OK) {
        return NULL;
    }
    (void)atomic_fetch_add(owner->alive, 1);
    return world;
}

HT_CASE(profiles_are_found_by_their_own_and_osrm_names)
{
    atomic_int alive = 0;
    struct owner owner = {.alive = &alive};
    struct ht_world *world = world_make(&owner);
    HT_REQUIRE(world != NULL);
    const struct ht_road *road = NULL;
    HT_CHECK_INT(ht_world_road(world, "car", 0, &road), HT_OK);
    HT_CHECK(road != NULL && road->graph == &graphs[0]);
    HT_CHECK_INT(ht_world_road(world, "driving", 0, &road), HT_OK);
    HT_CHECK(road->graph == &graphs[0]);
    HT_CHECK_INT(ht_world_road(world, "walking", 0, &road), HT_OK);
    HT_CHECK(road->graph == &graphs[1]);
    HT_CHECK_INT(ht_world_road(world, "cycling", 0, &road), HT_NOT_FOUND);
    HT_CHECK_INT(ht_world_road(world, "", 0, &road), HT_NOT_FOUND);
    HT_CHECK_INT(ht_world_road(world, "car", HT_ARC_IS_FERRY, &road), HT_INVALID);
    HT_CHECK_INT(ht_world_road_count(world), 2);
    HT_CHECK(ht_world_network(world) == &network);
    ht_world_release(world);
    HT_CHECK_INT(alive, 0);
}

HT_CASE(world_lives_until_its_last_reader_lets_go)
{
    atomic_int alive = 0;
    struct owner first = {.alive = &alive};
    struct owner second = {.alive = &alive};
    struct ht_world_slot *slot = NULL;
    HT_REQUIRE(ht_world_slot_new(&slot) == HT_OK);
    HT_CHECK(ht_world_acquire(slot) == NULL);
    struct ht_world_reader reader;
    ht_world_reader_init(&reader, slot);
    HT_CHECK(ht_world_reader_get(&reader) == NULL);
    ht_world_publish(slot, world_make(&first));
    struct ht_world *held = ht_world_acquire(slot);
    HT_CHECK(ht_world_reader_get(&reader) == held);
    ht_world_publish(slot, world_make(&second));
    HT_CHECK(!first.gone);
    ht_world_release(held);
    HT_CHECK(!first.gone);
    HT_CHECK(ht_world_reader_get(&reader) != held);
    HT_CHECK(first.gone);
    ht_world_publish(slot, NULL);
    HT_CHECK(!second.gone);
    HT_CHECK(ht_world_reader_get(&reader) == NULL);
    HT_CHECK(second.gone);
    ht_world_reader_deinit(&reader);
    ht_world_slot_free(slot);
}

HT_CASE(reader_at_rest_holds_nothing_and_finds_the_same_again)
{
    atomic_int alive = 0;
    struct owner first = {.alive = &alive};
    struct ht_world_slot *slot = NULL;
    HT_REQUIRE(ht_world_slot_new(&slot) == HT_OK);
    struct ht_world_reader reader;
    ht_world_reader_init(&reader, slot);
    ht_world_reader_rest(&reader);
    ht_world_publish(slot, world_make(&first));
    struct ht_world *world = ht_world_reader_get(&reader);
    HT_CHECK(world != NULL);
    ht_world_reader_rest(&reader);
    HT_CHECK(!first.gone);
    HT_CHECK(ht_world_reader_get(&reader) == world);
    ht_world_reader_rest(&reader);
    ht_world_publish(slot, NULL);
    HT_CHECK(first.gone);
    HT_CHECK(ht_world_reader_get(&reader) == NULL);
    ht_world_reader_deinit(&reader);
    ht_world_slot_free(slot);
}

static int loads;

static enum ht_status load(void *owner, uint32_t index, struct ht_world_road *out)
{
    (void)owner;
    loads++;
    if (index == 1) {
        return HT_CHECKSUM;
    }
    *out = (struct ht_world_road){.road = {.network = &network, .graph = &graphs[index]}};
    return HT_OK;
}

HT_CASE(lazy_roads_are_loaded_once_and_failures_stay)
{
    static const char *const profiles[] = {"car", "foot"};
    const struct ht_world_source source = {.count = 2, .profiles = profiles, .load = load};
    struct ht_world *world = NULL;
    const struct ht_road *road = NULL;
    HT_REQUIRE(ht_world_new_lazy(&source, NULL, NULL, &world) == HT_OK);
    HT_CHECK_INT(loads, 0);
    HT_CHECK(ht_world_network(world) == NULL);
    HT_CHECK(!ht_world_ready(world, "driving", 0));
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(ht_world_road(world, "driving", 0, &road), HT_OK);
        HT_CHECK(road->graph == &graphs[0]);
        HT_CHECK_INT(ht_world_road(world, "foot", 0, &road), HT_CHECKSUM);
        HT_CHECK_INT(ht_world_road(world, "van", 0, &road), HT_NOT_FOUND);
    }
    HT_CHECK_INT(loads, 2);
    HT_CHECK(ht_world_ready(world, "car", 0));
    HT_CHECK(ht_world_network(world) == &network);
    ht_world_release(world);
}

static struct ht_road soon = {.network = &network};

static enum ht_status behind(void *owner, uint32_t index, const struct ht_road **out)
{
    (void)owner;
    *out = &soon;
    return index == 0 ? HT_OK : HT_BUSY;
}

HT_CASE(a_road_that_is_behind_serves_until_the_road_is_ready)
{
    static const char *const profiles[] = {"car", "foot"};
    const struct ht_world_source source = {
        .count = 2, .profiles = profiles, .load = load, .behind = behind};
    struct ht_world *world = NULL;
    const struct ht_road *road = NULL;
    HT_REQUIRE(ht_world_new_lazy(&source, NULL, NULL, &world) == HT_OK);
    HT_CHECK_INT(ht_world_road_soon(world, "driving", &road), HT_OK);
    HT_CHECK(road == &soon);
    HT_CHECK(!ht_world_ready(world, "car", 0)); /* nothing was made for it */
    HT_CHECK(ht_world_ready_soon(world, "car") && !ht_world_ready_soon(world, "foot"));
    HT_CHECK(ht_world_network(world) == &network);
    HT_CHECK_INT(ht_world_road_soon(world, "walking", &road), HT_CHECKSUM); /* has none */
    HT_CHECK_INT(ht_world_road_soon(world, "van", &road), HT_NOT_FOUND);
    HT_CHECK_INT(ht_world_road(world, "car", 0, &road), HT_OK);
    HT_CHECK_INT(ht_world_road_soon(world, "car", &road), HT_OK);
    HT_CHECK(road->graph == &graphs[0]);
    ht_world_release(world);
}

static atomic_bool stop;

static void *read_on(void *slot)
{
    struct ht_world_reader reader;
    ht_world_reader_init(&reader, slot);
    unsigned wrong = 0;
    while (!atomic_load(&stop)) {
        const struct ht_road *road = NULL;
        struct ht_world *world = ht_world_reader_get(&reader);
        wrong += world == NULL || ht_world_road(world, "foot", 0, &road) != HT_OK ? 1U : 0U;
        struct ht_world *own = ht_world_acquire(slot);
        wrong += own == NULL || ht_world_road_count(own) != 2 ? 1U : 0U;
        ht_world_release(own);
    }
    ht_world_reader_deinit(&reader);
    return wrong > 0 ? slot : NULL;
}

HT_CASE(swaps_under_readers_lose_nothing)
{
    enum { THREADS = 3, SWAPS = 2000 };
    static struct owner owners[SWAPS + 1];
    atomic_int alive = 0;
    struct ht_world_slot *slot = NULL;
    HT_REQUIRE(ht_world_slot_new(&slot) == HT_OK);
    owners[SWAPS].alive = &alive;
    ht_world_publish(slot, world_make(&owners[SWAPS]));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, read_on, slot) == 0);
    }
    for (int i = 0; i < SWAPS; i++) {
        owners[i].alive = &alive;
        ht_world_publish(slot, world_make(&owners[i]));
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        HT_CHECK(pthread_join(threads[i], &wrong) == 0);
        HT_CHECK(wrong == NULL);
    }
    HT_CHECK_INT(alive, 1);
    ht_world_slot_free(slot);
    HT_CHECK_INT(alive, 0);
}

HT_MAIN()
