/* What guidance remembers of turns: told again as it was told, or not known. */
#include "engine/road/guide_memory_internal.h"
#include "tests/support/check.h"

/* Arcs of one way with turn:lanes texts; the only turn in the graph is dear. */
static const struct ht_way ways[1] = {{.lanes_forward = 7, .lanes_backward = 9}};
static const struct ht_arc arcs[4] = {
    {.flags = HT_ARC_FORWARD}, {.flags = 0}, {.flags = HT_ARC_FORWARD}, {.flags = 0}};
static const uint32_t turn_first[5] = {0, 1, 1, 1, 1};
static const struct ht_turn turns[1] = {{.to = 1, .weight_ms = 70000, .duration_ms = 90000}};
static const struct ht_network network = {.ways = ways};
static const struct ht_graph graph = {.arcs = arcs, .turn_first = turn_first, .turns = turns};
static const struct ht_graph other_graph = {.arcs = arcs};
static const struct ht__map map = {.network = &network, .graph = &graph};

static struct ht__turn random_turn(uint64_t *seed, uint32_t in, uint32_t out)
{
    struct ht__turn turn = {
        .in = in,
        .out = out,
        .weight_ms = ht_random_below(seed, UINT16_MAX),
        .duration_ms = ht_random_below(seed, UINT16_MAX),
        .before = (uint16_t)ht_random_below(seed, 360),
        .after = (uint16_t)ht_random_below(seed, 360),
        .type = (uint8_t)ht_random_below(seed, HT__TYPE_COUNT),
        .modifier = (uint8_t)ht_random_below(seed, HT_MODIFIER_NONE + 1),
        .road_count = (uint8_t)ht_random_below(seed, HT__ROADS_KEPT + 1),
        .lane_first = (uint8_t)ht_random_below(seed, 32),
        .segregated = ht_random_below(seed, 2) == 1,
    };
    turn.in_road = (uint8_t)ht_random_below(seed, turn.road_count + 1U);
    turn.out_road = (uint8_t)ht_random_below(seed, turn.road_count + 1U);
    for (uint32_t i = 0; i < turn.road_count; i++) {
        turn.roads[i] = (uint16_t)ht_random_below(seed, 720);
    }
    return turn;
}

static void check_same(const struct ht__turn *a, const struct ht__turn *b)
{
    HT_CHECK_INT(a->in, b->in);
    HT_CHECK_INT(a->out, b->out);
    HT_CHECK_INT(a->weight_ms, b->weight_ms);
    HT_CHECK_INT(a->duration_ms, b->duration_ms);
    HT_CHECK_INT(a->lanes, b->lanes);
    HT_CHECK_INT(a->before, b->before);
    HT_CHECK_INT(a->after, b->after);
    HT_CHECK_INT(a->type, b->type);
    HT_CHECK_INT(a->modifier, b->modifier);
    HT_CHECK_INT(a->in_road, b->in_road);
    HT_CHECK_INT(a->out_road, b->out_road);
    HT_CHECK_INT(a->road_count, b->road_count);
    HT_CHECK_INT(a->lane_first, b->lane_first);
    HT_CHECK_INT(a->lane_valid, b->lane_valid);
    HT_CHECK_INT(a->lanes_before, b->lanes_before);
    HT_CHECK_INT(a->lanes_beside, b->lanes_beside);
    HT_CHECK_INT(a->segregated, b->segregated);
    HT_CHECK(memcmp(a->roads, b->roads, a->road_count * sizeof a->roads[0]) == 0);
}

HT_CASE(guide_memory_tells_what_it_was_told)
{
    static struct ht__turn kept[2000];
    struct ht__memory memory;
    struct ht__turn turn;
    uint64_t seed = 11;
    HT_REQUIRE(ht__memory_init(&memory) == HT_OK);
    ht__memory_begin(&memory, &graph, 5);
    for (uint32_t i = 0; i < 2000; i++) { /* ten to a set: some are forgotten */
        uint32_t in = 4 + i % 200 + (i / 400) * HT__SETS;
        kept[i] = random_turn(&seed, in, 4 + i);
        HT_CHECK(!ht__memory_find(&memory, &map, in, 4 + i, &turn));
        ht__memory_keep(&memory, &kept[i]);
        HT_REQUIRE(ht__memory_find(&memory, &map, in, 4 + i, &turn));
        check_same(&turn, &kept[i]);
    }
    uint32_t found = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        if (ht__memory_find(&memory, &map, kept[i].in, kept[i].out, &turn)) {
            check_same(&turn, &kept[i]);
            found++;
        }
    }
    HT_CHECK_INT(found, 200 * HT__WAYS);
    ht__memory_begin(&memory, &other_graph, 5);
    HT_CHECK(!ht__memory_find(&memory, &map, kept[1999].in, kept[1999].out, &turn));
    ht__memory_begin(&memory, &graph, 5);
    HT_CHECK(ht__memory_find(&memory, &map, kept[1999].in, kept[1999].out, &turn));
    ht__memory_begin(&memory, &graph, 6);
    HT_CHECK(!ht__memory_find(&memory, &map, kept[1999].in, kept[1999].out, &turn));
    ht__memory_deinit(&memory);
}

HT_CASE(guide_memory_knows_lanes_and_dear_turns_from_the_graph)
{
    struct ht__memory memory;
    struct ht__turn turn;
    uint64_t seed = 12;
    HT_REQUIRE(ht__memory_init(&memory) == HT_OK);
    ht__memory_begin(&memory, &graph, 5);
    struct ht__turn dear = random_turn(&seed, 0, 1);
    dear.weight_ms = turns[0].weight_ms;
    dear.duration_ms = turns[0].duration_ms;
    dear.lane_valid = 2;
    dear.lanes = ways[0].lanes_forward;
    ht__memory_keep(&memory, &dear);
    HT_REQUIRE(ht__memory_find(&memory, &map, 0, 1, &turn));
    check_same(&turn, &dear);
    struct ht__turn back = random_turn(&seed, 1, 2);
    back.lane_valid = 1;
    back.lanes = ways[0].lanes_backward;
    ht__memory_keep(&memory, &back);
    HT_REQUIRE(ht__memory_find(&memory, &map, 1, 2, &turn));
    check_same(&turn, &back);
    struct ht__turn wide = random_turn(&seed, 2, 3);
    wide.road_count = HT__ROADS_KEPT + 1;
    ht__memory_keep(&memory, &wide);
    HT_CHECK(!ht__memory_find(&memory, &map, 2, 3, &turn));
    ht__memory_deinit(&memory);
}

HT_CASE(guide_memory_without_a_network_forgets_at_once)
{
    struct ht__memory memory;
    struct ht__turn turn;
    uint64_t seed = 13;
    HT_REQUIRE(ht__memory_init(&memory) == HT_OK);
    for (uint32_t round = 0; round < 70000; round++) { /* past 16 bits */
        ht__memory_begin(&memory, &graph, 0);
        HT_REQUIRE(!ht__memory_find(&memory, &map, 3, 9, &turn));
        struct ht__turn kept = random_turn(&seed, 3, 9);
        ht__memory_keep(&memory, &kept);
        HT_REQUIRE(ht__memory_find(&memory, &map, 3, 9, &turn));
    }
    ht__memory_deinit(&memory);
}

/* A turn that all threads tell alike: what it is follows from its arcs and the network. */
static struct ht__turn shared_turn(uint64_t network_id, uint32_t in, uint32_t out)
{
    uint64_t seed = network_id << 40 | (uint64_t)in << 20 | out;
    return random_turn(&seed, in, out);
}

struct sharer {
    struct ht_guide_memory *table;
    uint64_t seed;
    uint32_t found;
    uint32_t wrong;
};

/* Few sets and many turns: threads write over what others read all the time. */
static void *share_on(void *user)
{
    struct sharer *sharer = user;
    struct ht__memory memory;
    struct ht__turn turn;
    if (ht__memory_init(&memory) != HT_OK) {
        return user;
    }
    ht__memory_share(&memory, sharer->table);
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t network_id = 1 + ht_random_below(&sharer->seed, 2);
        uint32_t in = 4 + ht_random_below(&sharer->seed, 2);
        uint32_t out = 4 + ht_random_below(&sharer->seed, 6);
        const struct ht__turn want = shared_turn(network_id, in, out);
        ht__memory_begin(&memory, &graph, network_id);
        if (!ht__memory_find(&memory, &map, in, out, &turn)) {
            ht__memory_keep(&memory, &want);
            continue;
        }
        sharer->found++;
        sharer->wrong +=
            turn.weight_ms != want.weight_ms || turn.duration_ms != want.duration_ms ||
            turn.before != want.before || turn.after != want.after || turn.type != want.type ||
            turn.road_count != want.road_count ||
            memcmp(turn.roads, want.roads, want.road_count * sizeof want.roads[0]) != 0;
    }
    ht__memory_deinit(&memory);
    return NULL;
}

HT_CASE(guide_memory_of_many_threads_never_mixes_turns)
{
    enum { THREADS = 4 };
    struct sharer sharers[THREADS];
    pthread_t threads[THREADS];
    struct ht_guide_memory *table = NULL;
    HT_REQUIRE(ht_guide_memory_new(&table) == HT_OK);
    for (int i = 0; i < THREADS; i++) {
        sharers[i] = (struct sharer){.table = table, .seed = 100 + (uint64_t)i};
        HT_REQUIRE(pthread_create(&threads[i], NULL, share_on, &sharers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        HT_CHECK(pthread_join(threads[i], &failed) == 0 && failed == NULL);
        HT_CHECK(sharers[i].found > 1000);
        HT_CHECK_INT(sharers[i].wrong, 0);
    }
    ht_guide_memory_free(table);
}

HT_CASE(guide_memory_shared_is_known_to_the_next)
{
    struct ht_guide_memory *table = NULL;
    struct ht__memory one;
    struct ht__memory two;
    struct ht__turn turn;
    HT_REQUIRE(ht_guide_memory_new(&table) == HT_OK);
    HT_REQUIRE(ht__memory_init(&one) == HT_OK && ht__memory_init(&two) == HT_OK);
    ht__memory_share(&one, table);
    ht__memory_share(&two, table);
    const struct ht__turn kept = shared_turn(1, 4, 5);
    ht__memory_begin(&one, &graph, 1);
    ht__memory_keep(&one, &kept);
    ht__memory_begin(&two, &graph, 1);
    HT_REQUIRE(ht__memory_find(&two, &map, 4, 5, &turn));
    check_same(&turn, &kept);
    ht__memory_begin(&two, &graph, 2);
    HT_CHECK(!ht__memory_find(&two, &map, 4, 5, &turn));
    ht__memory_deinit(&one);
    ht__memory_deinit(&two);
    ht_guide_memory_free(table);
}

HT_MAIN()
