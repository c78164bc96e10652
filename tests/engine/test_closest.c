/* Closest: every answer equals a Dijkstra from each unit, on towns made to be nasty, with mixed
 * profiles, while units move and streets close, also under them, slow down and open. */
#include "engine/live/closest.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/live/closest_internal.h"
#include "engine/live/traffic.h"
#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/order.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"

enum { LAYERS = 3, UNITS = 260, TARGETS = 4 };

struct layer {
    struct ht_random_town *town;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_dijkstra *oracle;
    struct ht_road road; /* as it is now */
    struct ht_traffic *traffic;
    struct ht_live_road *live;
};

struct unit {
    bool placed;
    uint32_t profile;
    struct ht_place place;
};

struct scene {
    struct layer layers[LAYERS];
    const struct ht_road *roads[LAYERS];
    struct ht_pool *pool;
    struct ht_fleet *fleet;
    struct ht_closest *closest;
    struct ht_closest_work *work;
    struct unit units[UNITS];
    uint32_t count;
    int64_t now_ms;
    uint64_t world;
    uint64_t state;
};

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* Streets of some 700 km at 288 km/h at most, no two alike: a way may pass what its key knows of
 * lengths (4,295 km), and so few have one price that none of those differ by half of that. */
static void stretch(struct ht_random_town *town)
{
    for (uint32_t a = 0; a < town->graph.arc_count; a++) {
        struct ht_arc *arc = &town->arcs[a];
        arc->length_mm *= 6000;
        arc->duration_ms = arc->length_mm / 80 + a * 7919 % 1000000;
        arc->weight_ms = arc->duration_ms + arc->weight_ms * 400;
    }
}

static void layer_init(struct layer *l, struct ht_pool *pool, uint32_t width, uint32_t height,
                       uint64_t seed, bool stretched)
{
    struct ht_order_stats stats;
    l->town = ht_random_town_new(width, height, seed);
    if (stretched) {
        stretch(l->town);
    }
    const struct ht_graph *g = &l->town->graph;
    uint32_t *ranks = calloc(g->arc_count + UINT32_C(1), sizeof *ranks);
    need(ranks != NULL);
    need(ht_order_compute(&l->town->network, g, pool, ranks, &stats) == HT_OK);
    need(ht_cch_build(g, ranks, pool, &l->cch, &stats) == HT_OK);
    need(ht_customize(g, ht_cch_view(l->cch), NULL, pool, &l->metric) == HT_OK);
    need(ht_dijkstra_new(g, &l->oracle) == HT_OK);
    free(ranks);
    l->road = (struct ht_road){&l->town->network, g, ht_cch_view(l->cch), ht_metric_view(l->metric),
                               NULL};
    need(ht_traffic_new(&l->road, &l->traffic) == HT_OK);
}

static void layer_deinit(struct layer *l)
{
    ht_dijkstra_free(l->oracle);
    ht_live_road_release(l->live);
    ht_traffic_free(l->traffic);
    ht_metric_free(l->metric);
    ht_cch_owned_free(l->cch);
    ht_random_town_free(l->town);
}

/* Closes, slows and opens some streets, whoever stands on them: the same hierarchy under another
 * metric. */
static void layer_change(struct scene *scene, uint32_t layer)
{
    struct layer *l = &scene->layers[layer];
    struct ht_traffic_change changes[12];
    struct ht_live_road *live = NULL;
    for (size_t i = 0; i < 12; i++) {
        uint32_t luck = ht_random_below(&scene->state, 4);
        changes[i] = (struct ht_traffic_change){
            .arc = ht_random_below(&scene->state, l->town->graph.base_arc_count),
            .segment_end = 1,
            .speed_mps = luck == 0   ? HT_SPEED_CLOSED
                         : luck == 1 ? (float)(1 + ht_random_below(&scene->state, 30))
                                     : HT_SPEED_AS_FILED};
    }
    need(ht_traffic_apply(l->traffic, changes, 12, NULL, scene->pool, &live) == HT_OK);
    ht_live_road_release(l->live);
    l->live = live;
    l->road = live->view.road;
    ht_dijkstra_free(l->oracle);
    need(ht_dijkstra_new(l->road.graph, &l->oracle) == HT_OK);
    scene->world++;
}

static void scene_init_as(struct scene *s, uint32_t units, uint64_t seed, bool stretched)
{
    static const char *const profiles[LAYERS] = {"car", "foot", "ebike"};
    static const char *const skills[] = {"aid", "lift", "gas"};
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    memset(s, 0, sizeof *s);
    s->state = seed * 977 + 5;
    s->count = units;
    s->now_ms = 1800000000000;
    need(ht_pool_new(1, &s->pool) == HT_OK);
    need(ht_fleet_new(&settings, UNITS, &s->fleet) == HT_OK);
    for (uint32_t i = 0; i < LAYERS; i++) {
        layer_init(&s->layers[i], s->pool, 2 + ht_random_below(&s->state, 15),
                   1 + ht_random_below(&s->state, 12), seed * 10 + i, stretched);
        s->roads[i] = &s->layers[i].road;
    }
    /* many regions in a small town, some, and (as on a real one) one */
    static const uint32_t least[] = {4, 24, HT__CLOSEST_LEAST};
    need(ht__closest_make(s->roads, LAYERS, UNITS, least[seed % 3], &s->closest) == HT_OK);
    s->closest->scan_first = seed % 2 == 0 ? HT__CLOSEST_SCAN : 0;
    need(ht_closest_work_new(s->closest, &s->work) == HT_OK);
    for (uint32_t u = 0; u < units; u++) {
        char id[16];
        uint32_t index = 0;
        uint32_t luck = ht_random_below(&s->state, 12);
        /* the first three make sure that profiles have their layer's number */
        s->units[u].profile = u < LAYERS ? u : luck % LAYERS;
        struct ht_unit_spec spec = {.kind = (enum ht_unit_kind)(luck % 4),
                                    .status = luck == 0 ? HT_UNIT_IDLE : HT_UNIT_BUSY,
                                    .profile = profiles[s->units[u].profile],
                                    .skills = skills,
                                    .skill_count = luck % 4};
        (void)snprintf(id, sizeof id, "u%u", u);
        need(ht_fleet_put(s->fleet, id, &spec, &index) == HT_OK && index == u);
    }
}

static void scene_init(struct scene *s, uint32_t units, uint64_t seed)
{
    scene_init_as(s, units, seed, false);
}

static void scene_deinit(struct scene *s)
{
    ht_closest_work_free(s->work);
    ht_closest_free(s->closest);
    ht_fleet_free(s->fleet);
    for (int i = 0; i < LAYERS; i++) {
        layer_deinit(&s->layers[i]);
    }
    ht_pool_free(s->pool);
}

/* A place as random_town.h makes them, sometimes with one side only, sometimes where another unit
 * is; its costs may be those of yesterday. */
static struct ht_place random_place(struct scene *s, uint32_t profile)
{
    struct ht_place place = ht_town_random_place(&s->layers[profile].town->graph, &s->state);
    uint32_t luck = ht_random_below(&s->state, 6);
    if (luck == 0) {
        const struct unit *other = &s->units[ht_random_below(&s->state, s->count)];
        if (other->placed && other->profile == profile) {
            return other->place;
        }
    }
    if (luck > 0 && luck < 3 && place.side[0].arc != HT_NONE && place.side[1].arc != HT_NONE) {
        place.side[luck - 1].arc = HT_NONE;
    }
    return place;
}

/* A place that is asked for: nobody ends on what is closed. */
static struct ht_place random_target(struct scene *s, uint32_t profile)
{
    struct ht_place place = random_place(s, profile);
    for (int i = 0; i < 2; i++) {
        struct ht_place_side *side = &place.side[i];
        if (side->arc != HT_NONE) {
            *side = ht_place_side_at(s->layers[profile].road.graph, side->arc, side->before_mm);
        }
    }
    return place;
}

static void stir(struct scene *s, uint32_t moves)
{
    s->now_ms += 1000;
    for (uint32_t i = 0; i < moves; i++) {
        uint32_t u = ht_random_below(&s->state, s->count);
        struct unit *unit = &s->units[u];
        struct ht_report report = {1.0, 1.0, s->now_ms, s->now_ms, -1, -1, -1, false};
        (void)ht_fleet_accept(s->fleet, NULL, u, &report, NULL, NULL);
        if (ht_random_below(&s->state, 10) == 0) {
            ht_closest_remove(s->closest, u);
            unit->placed = false;
            continue;
        }
        unit->place = random_place(s, unit->profile);
        unit->placed = true;
        HT_CHECK_INT(ht_closest_set(s->closest, u, unit->profile, &unit->place), HT_OK);
    }
}

static int by_duration(const void *a, const void *b)
{
    const struct ht_closest_hit *x = a;
    const struct ht_closest_hit *y = b;
    if (x->cost.duration_ms != y->cost.duration_ms) {
        return x->cost.duration_ms < y->cost.duration_ms ? -1 : 1;
    }
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static struct ht_cost costs[UNITS][TARGETS];

/* From each unit to all targets. */
static void ask_oracle(struct scene *s, struct ht_place targets[LAYERS][TARGETS])
{
    for (uint32_t u = 0; u < s->count; u++) {
        struct layer *l = &s->layers[s->units[u].profile];
        struct ht_place place = s->units[u].place;
        if (s->units[u].placed) {
            ht_place_refresh(l->road.graph, &place);
            need(ht_dijkstra_run(l->oracle, &place, targets[s->units[u].profile], TARGETS, NULL,
                                 costs[u]) == HT_OK);
        }
    }
}

static struct ht_closest_ask random_ask(struct scene *s)
{
    static const uint32_t ks[] = {1, 2, 5, 5, 20, UNITS};
    struct ht_closest_ask ask = {.k = ks[ht_random_below(&s->state, 6)], .max_ms = UINT32_MAX};
    ask.filter.heard_ms = INT64_MIN;
    ask.world = ht_random_below(&s->state, 3) == 0 ? 0 : s->world + 1;
    ask.max_ms =
        ht_random_below(&s->state, 3) == 0 ? ht_random_below(&s->state, 60) * 1000 : UINT32_MAX;
    switch (ht_random_below(&s->state, 6)) {
    case 0:
        ask.fleet = s->fleet;
        ask.filter.kinds = 1 + ht_random_below(&s->state, 15);
        break;
    case 1:
        ask.fleet = s->fleet;
        ask.filter.statuses = 1U << HT_UNIT_IDLE; /* few */
        break;
    case 2:
        ask.fleet = s->fleet;
        ask.filter.skills = 1U << ht_random_below(&s->state, 3);
        ask.filter.heard_ms = s->now_ms - 3000;
        break;
    default:
        break;
    }
    return ask;
}

static bool same_place(const struct ht_place *a, const struct ht_place *b)
{
    return a->side[0].arc == b->side[0].arc && a->side[1].arc == b->side[1].arc &&
           a->side[0].before_mm == b->side[0].before_mm &&
           a->side[1].before_mm == b->side[1].before_mm;
}

static int check_one(struct scene *s, struct ht_place targets[LAYERS][TARGETS], uint32_t t)
{
    struct ht_closest_ask ask = random_ask(s);
    const struct ht_road *roads[LAYERS];
    const struct ht_place *places[LAYERS];
    struct ht_closest_hit want[UNITS];
    uint32_t want_count = 0;
    for (uint32_t i = 0; i < LAYERS; i++) {
        bool there = ht_random_below(&s->state, 8) != 0;
        roads[i] = there ? s->roads[i] : NULL;
        places[i] = ht_random_below(&s->state, 8) != 0 ? &targets[i][t] : NULL;
    }
    ask.roads = roads;
    ask.targets = places;
    for (uint32_t u = 0; u < s->count; u++) {
        uint32_t profile = s->units[u].profile;
        if (s->units[u].placed && roads[profile] != NULL && places[profile] != NULL &&
            costs[u][t].weight_ms < HT_WEIGHT_INF && costs[u][t].duration_ms <= ask.max_ms &&
            (ask.fleet == NULL || ht_fleet_matches(ask.fleet, u, &ask.filter))) {
            want[want_count++] =
                (struct ht_closest_hit){.unit = u, .profile = profile, .cost = costs[u][t]};
        }
    }
    qsort(want, want_count, sizeof *want, by_duration);
    want_count = want_count < ask.k ? want_count : ask.k;
    const struct ht_closest_hit *hits = NULL;
    uint32_t found = 0;
    if (ht_closest_find(s->closest, s->work, &ask, &hits, &found) != HT_OK || found != want_count) {
        return 1;
    }
    int wrong = 0;
    for (uint32_t i = 0; i < found; i++) {
        wrong += hits[i].unit != want[i].unit || hits[i].profile != want[i].profile ||
                 hits[i].cost.weight_ms != want[i].cost.weight_ms ||
                 hits[i].cost.duration_ms != want[i].cost.duration_ms ||
                 hits[i].cost.length_mm != want[i].cost.length_mm ||
                 !same_place(&hits[i].place, &s->units[hits[i].unit].place);
    }
    return wrong;
}

HT_CASE(answers_equal_a_dijkstra_from_each_unit)
{
    int scenes = HT_LONG ? 125 : 13;
    int checks = 0;
    for (int i = 0; i < scenes; i++) {
        static struct scene s;
        scene_init(&s, i % 4 == 0 ? 12 : i % 4 == 1 ? 60 : UNITS, (uint64_t)i + 1);
        stir(&s, 3 * s.count);
        for (int round = 0; round < 20; round++) {
            struct ht_place targets[LAYERS][TARGETS];
            stir(&s, 1 + s.count / 5);
            if (round % 4 == 0) {
                layer_change(&s, (uint32_t)round / 4 % LAYERS);
            }
            for (uint32_t l = 0; l < LAYERS; l++) {
                for (int t = 0; t < TARGETS; t++) {
                    targets[l][t] = random_target(&s, l);
                }
            }
            ask_oracle(&s, targets);
            for (uint32_t t = 0; t < TARGETS; t++, checks++) {
                HT_CHECK_INT(check_one(&s, targets, t), 0);
            }
        }
        scene_deinit(&s);
    }
    HT_CHECK(checks >= 1000);
}

HT_CASE(units_on_one_street_come_before_and_behind)
{
    static struct scene s;
    scene_init(&s, 9, 3);
    const struct ht_graph *g = &s.layers[0].town->graph;
    struct ht_place targets[LAYERS][TARGETS];
    for (uint32_t arc = 0; arc < g->base_arc_count; arc += 1 + g->base_arc_count / 40) {
        uint32_t length = g->arcs[arc].length_mm;
        for (uint32_t u = 0; u < 9; u++) { /* the fourth and fifth stand where the target is */
            s.units[u].profile = 0;
            s.units[u].placed = true;
            s.units[u].place = ht_town_place(g, arc, u < 4 ? length / 8 * (u + 1) : length / 8 * u);
            if (u % 3 == 1) {
                s.units[u].place.side[u & 1].arc = HT_NONE;
            }
            HT_CHECK_INT(ht_closest_set(s.closest, u, 0, &s.units[u].place), HT_OK);
        }
        for (int t = 0; t < TARGETS; t++) {
            for (uint32_t l = 1; l < LAYERS; l++) {
                targets[l][t] = random_place(&s, l);
            }
            targets[0][t] = ht_town_place(g, arc, length / 2);
        }
        targets[0][1].side[0].arc = HT_NONE;
        targets[0][2].side[1].arc = HT_NONE;
        ask_oracle(&s, targets);
        for (uint32_t t = 0; t < TARGETS; t++) {
            HT_CHECK_INT(check_one(&s, targets, t), 0);
        }
    }
    scene_deinit(&s);
}

HT_CASE(long_ways_are_measured_whole)
{
    uint32_t long_ways = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        static struct scene s;
        struct ht_place targets[LAYERS][TARGETS];
        scene_init_as(&s, 60, seed, true);
        stir(&s, 3 * s.count);
        for (uint32_t l = 0; l < LAYERS; l++) {
            for (int t = 0; t < TARGETS; t++) {
                targets[l][t] = random_target(&s, l);
            }
        }
        ask_oracle(&s, targets);
        for (uint32_t t = 0; t < TARGETS; t++) {
            for (uint32_t u = 0; u < s.count; u++) {
                long_ways += s.units[u].placed && costs[u][t].weight_ms < HT_WEIGHT_INF &&
                             costs[u][t].length_mm > UINT32_MAX;
            }
            for (int i = 0; i < 8; i++) {
                HT_CHECK_INT(check_one(&s, targets, t), 0);
            }
        }
        scene_deinit(&s);
    }
    HT_CHECK(long_ways > 100);
}

HT_CASE(what_does_not_fit_is_refused)
{
    static struct scene s;
    scene_init(&s, 3, 8);
    struct ht_place place = random_place(&s, 0);
    const struct ht_place *targets[LAYERS] = {&place};
    const struct ht_road *other[LAYERS] = {s.roads[1]};
    const struct ht_closest_hit *hits = NULL;
    uint32_t found = 9;
    struct ht_closest_ask ask = {.k = 3, .max_ms = UINT32_MAX, .roads = other, .targets = targets};
    HT_CHECK_INT(ht_closest_find(s.closest, s.work, &ask, &hits, &found), HT_INVALID);
    HT_CHECK_INT(found, 0);
    ask.roads = s.roads;
    ask.k = 0;
    HT_CHECK_INT(ht_closest_find(s.closest, s.work, &ask, &hits, &found), HT_OK);
    ask.k = 3;
    HT_CHECK_INT(ht_closest_find(s.closest, s.work, &ask, &hits, &found), HT_OK);
    HT_CHECK_INT(found, 0);
    HT_CHECK_INT(ht_closest_set(s.closest, UNITS, 0, &place), HT_RANGE);
    HT_CHECK_INT(ht_closest_set(s.closest, 0, LAYERS, &place), HT_RANGE);
    ht_closest_remove(s.closest, UNITS);
    ht_closest_remove(s.closest, 1);
    place.side[0].arc = s.layers[0].town->graph.arc_count;
    HT_CHECK_INT(ht_closest_set(s.closest, 0, 0, &place), HT_RANGE);
    size_t streets = 0;
    size_t units = 0;
    ht_closest_bytes(s.closest, &streets, &units);
    HT_CHECK(streets > 0 && units > 0);
    scene_deinit(&s);
}

static void exits_mark(const struct ht_cch_side *side, uint32_t v, uint32_t below, uint8_t *is_exit)
{
    for (uint32_t e = side->first[v]; e < side->first[v + 1]; e++) {
        is_exit[side->depth[e]] |= side->depth[e] < below;
    }
}

/* Each exit is an ancestor that an edge from within leads to (or comes from, by `ways`), and each
 * such ancestor is one. */
static int wrong_exits(const struct ht_regions *regions, const struct ht_cch *cch, uint32_t number,
                       unsigned ways)
{
    const struct ht_region *region = &regions->list[number];
    uint8_t is_exit[UINT16_MAX + 1] = {0};
    int wrong = 0;
    for (uint32_t v = region->low; v <= region->root; v++) {
        if ((ways & HT_REGION_OUT) != 0) {
            exits_mark(&cch->out, v, cch->depth[region->root], is_exit);
        }
        if ((ways & HT_REGION_IN) != 0) {
            exits_mark(&cch->in, v, cch->depth[region->root], is_exit);
        }
    }
    for (uint32_t i = 0; i < region->exit_count; i++) {
        wrong += is_exit[regions->exits[region->first_exit + i]]++ != 1;
    }
    for (uint32_t d = 0; d <= UINT16_MAX; d++) {
        wrong += is_exit[d] == 1;
    }
    return wrong;
}

HT_CASE(regions_nest_and_know_their_exits)
{
    static struct scene s;
    int inner = 0;
    for (uint64_t seed = 1; seed < 7; seed++) {
        scene_init(&s, 3, seed);
        struct ht_regions regions;
        const struct ht_cch *cch = s.roads[0]->cch;
        unsigned ways = 1 + (unsigned)(seed % 3); /* out, in, both */
        HT_REQUIRE(ht_regions_init(&regions, cch, 3 + (uint32_t)seed, ways) == HT_OK);
        int wrong = 0;
        for (uint32_t i = 0; i < regions.count; i++) {
            const struct ht_region *region = &regions.list[i];
            const struct ht_region *around =
                region->around == HT_NONE ? NULL : &regions.list[region->around];
            wrong += wrong_exits(&regions, cch, i, ways);
            wrong += (around == NULL) != (cch->parent[region->root] == HT_NONE);
            wrong += around != NULL && (region->around >= i || region->low < around->low ||
                                        region->root >= around->root);
        }
        for (uint32_t v = 0; v < regions.vertex_count; v++) {
            const struct ht_region *of = &regions.list[regions.of[v]];
            uint32_t parent = cch->parent[v];
            wrong += v < of->low || v > of->root;
            wrong += v != of->root && regions.of[parent] != regions.of[v];
        }
        HT_CHECK_INT(wrong, 0);
        inner += regions.list[regions.count - 1].around == HT_NONE ? 0 : 1;
        ht_regions_deinit(&regions);
        scene_deinit(&s);
    }
    HT_CHECK(inner > 2);
}

HT_CASE(bitmap_finds_the_next_of_a_range)
{
    static const uint32_t sizes[] = {1, 64, 65, 5000, 300000};
    uint64_t state = 3;
    for (int i = 0; i < 5; i++) {
        struct ht__bits bits;
        uint8_t *model = calloc(sizes[i] + UINT32_C(1), 1);
        need(model != NULL && ht__bits_init(&bits, sizes[i]) == HT_OK);
        for (int round = 0; round < 2000; round++) {
            uint32_t at = ht_random_below(&state, sizes[i]);
            if (ht_random_below(&state, 2) == 0) {
                ht__bits_set(&bits, at);
                model[at] = 1;
            } else {
                ht__bits_clear(&bits, at);
                model[at] = 0;
            }
            uint32_t from = ht_random_below(&state, sizes[i]);
            uint32_t last = from + ht_random_below(&state, sizes[i] - from);
            uint32_t want = from;
            while (want <= last && model[want] == 0) {
                want++;
            }
            HT_CHECK_INT(ht__bits_next(&bits, from, last), want <= last ? want : HT_NONE);
        }
        ht__bits_deinit(&bits);
        free(model);
    }
}

/* Units that jump between two places of theirs, among others that rest, and one layer: whatever
 * happens during a query, each unit is in its answer once, from one of its places. */
enum { JUMPERS = 40, ALL = 120, QUERIERS = 2 };

static struct scene scene;
static struct ht_place homes[ALL][2];
static struct ht_cost home_costs[ALL][2];
static struct ht_place goal;
static atomic_bool stop;

static void *jump(void *user)
{
    int *wrong = user;
    for (uint32_t side = 1; !atomic_load(&stop); side = 1 - side) {
        for (uint32_t u = 0; u < JUMPERS; u++) {
            *wrong += ht_closest_set(scene.closest, u, 0, &homes[u][side]) != HT_OK;
        }
    }
    return NULL;
}

struct querier {
    int rounds;
    int wrong;
};

static bool same(struct ht_cost a, struct ht_cost b)
{
    return a.weight_ms == b.weight_ms && a.duration_ms == b.duration_ms &&
           a.length_mm == b.length_mm;
}

static void *query(void *user)
{
    struct querier *q = user;
    struct ht_closest_work *work = NULL;
    const struct ht_place *targets[LAYERS] = {&goal};
    struct ht_closest_ask ask = {
        .k = ALL, .max_ms = UINT32_MAX, .roads = scene.roads, .targets = targets};
    if (ht_closest_work_new(scene.closest, &work) != HT_OK) {
        q->wrong++;
        return NULL;
    }
    for (int i = 0; i < q->rounds; i++) {
        uint8_t seen[ALL] = {0};
        const struct ht_closest_hit *hits = NULL;
        uint32_t found = 0;
        ask.k = i % 3 == 0 ? 5 : ALL;
        ask.world = (uint64_t)(i / 50 % 2); /* with kept labels, and without */
        q->wrong += ht_closest_find(scene.closest, work, &ask, &hits, &found) != HT_OK;
        for (uint32_t h = 0; h < found; h++) {
            uint32_t u = hits[h].unit;
            q->wrong += seen[u]++ != 0;
            q->wrong +=
                !same(hits[h].cost, home_costs[u][0]) && !same(hits[h].cost, home_costs[u][1]);
            q->wrong += h > 0 && by_duration(&hits[h - 1], &hits[h]) >= 0;
        }
        for (uint32_t u = 0; u < ALL && ask.k == ALL; u++) {
            q->wrong += seen[u] == 0 && home_costs[u][0].weight_ms < HT_WEIGHT_INF &&
                        home_costs[u][1].weight_ms < HT_WEIGHT_INF;
        }
    }
    ht_closest_work_free(work);
    return NULL;
}

HT_CASE(no_unit_is_lost_or_seen_twice_while_units_move)
{
    pthread_t threads[QUERIERS + 1];
    struct querier queriers[QUERIERS] = {0};
    int wrong = 0;
    scene_init(&scene, ALL, 21);
    goal = ht_town_random_place(&scene.layers[0].town->graph, &scene.state);
    for (uint32_t u = 0; u < ALL; u++) {
        for (int side = 0; side < 2; side++) {
            homes[u][side] = u >= JUMPERS && side == 1 ? homes[u][0] : random_place(&scene, 0);
            need(ht_dijkstra_run(scene.layers[0].oracle, &homes[u][side], &goal, 1, NULL,
                                 &home_costs[u][side]) == HT_OK);
        }
        need(ht_closest_set(scene.closest, u, 0, &homes[u][0]) == HT_OK);
    }
    atomic_store(&stop, false);
    HT_REQUIRE(pthread_create(&threads[QUERIERS], NULL, jump, &wrong) == 0);
    for (int i = 0; i < QUERIERS; i++) {
        queriers[i].rounds = HT_LONG ? 10000 : 1000;
        HT_REQUIRE(pthread_create(&threads[i], NULL, query, &queriers[i]) == 0);
    }
    for (int i = 0; i < QUERIERS; i++) {
        (void)pthread_join(threads[i], NULL);
        HT_CHECK_INT(queriers[i].wrong, 0);
    }
    atomic_store(&stop, true);
    (void)pthread_join(threads[QUERIERS], NULL);
    HT_CHECK_INT(wrong, 0);
    scene_deinit(&scene);
}

static enum ht_status make_all(struct scene *s, const struct ht_place *place)
{
    struct ht_closest *closest = NULL;
    struct ht_closest_work *work = NULL;
    const struct ht_place *targets[LAYERS] = {place, place, place};
    const struct ht_closest_hit *hits = NULL;
    uint32_t found = 0;
    struct ht_closest_ask ask = {
        .k = 20, .max_ms = UINT32_MAX, .world = 1, .roads = s->roads, .targets = targets};
    enum ht_status status = ht_closest_new(s->roads, 1, UNITS, &closest);
    if (status == HT_OK) {
        status = ht_closest_work_new(closest, &work);
    }
    for (uint32_t u = 0; u < 30 && status == HT_OK; u++) {
        status = ht_closest_set(closest, u, 0, &s->units[u].place);
    }
    for (int i = 0; i < 10 && status == HT_OK; i++) { /* until labels of all are kept */
        status = ht_closest_find(closest, work, &ask, &hits, &found);
    }
    ht_closest_work_free(work);
    ht_closest_free(closest);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    static struct scene s;
    scene_init(&s, 30, 4);
    struct ht_place place = random_place(&s, 0);
    for (uint32_t u = 0; u < 30; u++) {
        s.units[u].place = random_place(&s, 0);
    }
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all(&s, &place);
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 20);
    scene_deinit(&s);
}

HT_MAIN()
