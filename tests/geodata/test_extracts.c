/* Real streets: every extract beside the project is imported for every profile, and fast answers
 * are held against the oracle: 100 sources to 100 targets each; of the large synthetic city not by
 * sanitized programs, and what follows last for `car` alone. The long measure takes 10,000 random
 * pairs as well, of the city 1,000 sources to 10 targets each, since one run of the oracle answers
 * for all targets of a source (a run for each pair would take an hour a profile there). Weight and
 * time equal to the millisecond, length to the millimetre, and each unpacked way is legal turn by
 * turn and adds up. The same for turns that are closed though the metric has them open; and what
 * alternative ways promise. The sample town likewise, which needs no folder.
 *
 * The first argument may name a part of an extract's file name, the second a profile: ctest runs
 * one extract at a time, of the city one profile.
 */
#include <dirent.h>

#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "geodata/hnet.h"
#include "geodata/osm_import.h"
#include "geodata/sample.h"
#include "tests/support/alternatives.h"
#include "tests/support/check.h"
#include "tests/support/random_town.h"

/* Sanitized programs are several times slower: fewer sources there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SOURCES = 8, SANITIZED = 1 };
#else
enum { SOURCES = 100, SANITIZED = 0 };
#endif
enum { TARGETS = 100, PAIRS = 10000, CITY_ARCS = 1000000, FEW_PAIRS = 2 };

static bool same_cost(struct ht_cost a, struct ht_cost b)
{
    return a.weight_ms == b.weight_ms &&
           (a.weight_ms == HT_WEIGHT_INF ||
            (a.duration_ms == b.duration_ms && a.length_mm == b.length_mm));
}

static bool is_legal(const struct ht_graph *g, const struct ht_place *source,
                     const struct ht_place *target, const struct ht_way_found *way)
{
    const struct ht_place_side *from = &source->side[way->source_side];
    const struct ht_place_side *to = &target->side[way->target_side];
    if (way->arc_count == 0 || way->arcs[0] != from->arc ||
        ht_arc_base(g, way->arcs[way->arc_count - 1]) != to->arc) {
        return false;
    }
    struct ht_cost sum = from->after;
    for (uint32_t i = 0; i + 1 < way->arc_count; i++) {
        uint32_t number = ht_graph_turn(g, way->arcs[i], way->arcs[i + 1]);
        const struct ht_arc *next = &g->arcs[way->arcs[i + 1]];
        bool last = i + 2 == way->arc_count;
        if (number == HT_NONE || g->arcs[way->arcs[i]].head != next->tail) {
            return false;
        }
        struct ht_turn turn = ht_turn_at(g, way->arcs[i], number);
        sum.weight_ms += turn.weight_ms + (last ? to->before.weight_ms : next->weight_ms);
        sum.duration_ms += turn.duration_ms + (last ? to->before.duration_ms : next->duration_ms);
        sum.length_mm += last ? to->before_mm : next->length_mm;
    }
    if (way->arc_count == 1) {
        return from->before_mm <= to->before_mm &&
               same_cost(ht_arc_cost(g, from->arc, from->before_mm, to->before_mm), way->cost);
    }
    return same_cost(sum, way->cost);
}

struct tools {
    struct ht_query *query;
    struct ht_matrix *matrix;
    struct ht_dijkstra *oracle;
};

/* Half of the places come through the snap index, as a request's do. */
static struct ht_place random_place(const struct ht_road *road, struct ht_snap_work *work,
                                    uint64_t *state)
{
    struct ht_place place = ht_town_random_place(road->graph, state);
    if (ht_random_below(state, 2) == 0) {
        return place;
    }
    uint32_t junction = ht_random_below(state, road->graph->junction_count);
    struct ht_point p = road->network->node_point[road->graph->junction_node[junction]];
    p.lon_e7 += (int32_t)ht_random_below(state, 2000) - 1000;
    p.lat_e7 += (int32_t)ht_random_below(state, 2000) - 1000;
    struct ht_place two[2];
    uint32_t found = 0;
    struct ht_snap_options options = ht_snap_options_default();
    return ht_snap_trip(road->snap, work, p, &options, two, &found) == HT_OK ? two[found - 1]
                                                                             : place;
}

static int compare_one(const struct tools *tools, const struct ht_road *road,
                       const struct ht_place *source, const struct ht_place *target,
                       struct ht_cost want)
{
    struct ht_way_found way;
    enum ht_status status =
        ht_query_cost(tools->query, road, source, HT_SIDES_BOTH, target, HT_SIDES_BOTH, &way);
    int wrong = status == HT_NO_ROUTE ? want.weight_ms != HT_WEIGHT_INF
                                      : status != HT_OK || !same_cost(way.cost, want);
    status = ht_query_path(tools->query, road, source, HT_SIDES_BOTH, target, HT_SIDES_BOTH, &way);
    if (status == HT_NO_ROUTE) {
        return wrong + (want.weight_ms != HT_WEIGHT_INF);
    }
    return wrong + (status != HT_OK || !same_cost(way.cost, want) ||
                    !is_legal(road->graph, source, target, &way));
}

/* Wrong answers of one profile. */
static int compare(const struct ht_road *road, size_t sources, size_t targets, uint64_t seed)
{
    struct tools tools = {0};
    struct ht_snap_work *work = NULL;
    struct ht_place *places = calloc(sources + targets, sizeof *places);
    struct ht_cost *table = calloc(sources * targets, sizeof *table);
    struct ht_cost *want = calloc(targets, sizeof *want);
    uint64_t state = seed;
    int wrong = 0;
    if (places == NULL || table == NULL || want == NULL || ht_snap_work_new(&work) != HT_OK ||
        ht_query_new(&tools.query) != HT_OK || ht_matrix_new(&tools.matrix) != HT_OK ||
        ht_dijkstra_new(road->graph, &tools.oracle) != HT_OK) {
        abort();
    }
    for (size_t i = 0; i < sources + targets; i++) {
        places[i] = random_place(road, work, &state);
    }
    if (ht_matrix_run(tools.matrix, road, NULL, places, sources, places + sources, targets, table,
                      NULL) != HT_OK) {
        abort();
    }
    for (size_t s = 0; s < sources; s++) {
        if (ht_dijkstra_run(tools.oracle, &places[s], places + sources, targets, NULL, want) !=
            HT_OK) {
            abort();
        }
        for (size_t t = 0; t < targets; t++) {
            wrong += !same_cost(table[s * targets + t], want[t]);
            wrong += compare_one(&tools, road, &places[s], &places[sources + t], want[t]);
        }
    }
    free(places);
    free(table);
    free(want);
    ht_snap_work_free(work);
    ht_query_free(tools.query);
    ht_matrix_free(tools.matrix);
    ht_dijkstra_free(tools.oracle);
    return wrong;
}

/* One turn in 50 is closed, of which the metric knows nothing. */
static int compare_behind(const struct ht_road *road, uint64_t seed)
{
    enum { FEW = 2 };
    uint64_t state = seed;
    struct ht_graph graph = *road->graph;
    struct ht_road behind = *road;
    uint8_t *closed = calloc(graph.turn_count + UINT32_C(1), 1);
    uint64_t *above = NULL;
    struct ht_live_arcs live = {.turn_closed = closed, .metric_behind = true};
    struct ht_place targets[TARGETS];
    struct ht_cost want[TARGETS];
    struct tools tools = {0};
    int wrong = 0;
    if (closed == NULL || ht_query_new(&tools.query) != HT_OK ||
        ht_dijkstra_new(&graph, &tools.oracle) != HT_OK) {
        abort();
    }
    for (uint32_t t = 0; t < graph.turn_count; t++) {
        closed[t] = ht_random_below(&state, 50) == 0;
    }
    if (ht_closed_above(road, closed, &above) != HT_OK) {
        abort();
    }
    live.closed_above = above;
    graph.live = &live;
    behind.graph = &graph;
    for (int s = 0; s < FEW; s++) {
        struct ht_place source = ht_town_random_place(&graph, &state);
        for (int t = 0; t < TARGETS; t++) {
            targets[t] = ht_town_random_place(&graph, &state);
        }
        if (ht_dijkstra_run(tools.oracle, &source, targets, TARGETS, NULL, want) != HT_OK) {
            abort();
        }
        for (int t = 0; t < TARGETS; t++) {
            wrong += compare_one(&tools, &behind, &source, &targets[t], want[t]);
        }
    }
    free(closed);
    free(above);
    ht_query_free(tools.query);
    ht_dijkstra_free(tools.oracle);
    return wrong;
}

/* Alternative ways that break a promise (tests/support/alternatives.h). */
static int check_alternatives(const struct ht_road *road, uint64_t seed)
{
    uint32_t pairs = road->graph->arc_count > CITY_ARCS ? FEW_PAIRS : SOURCES;
    uint64_t state = seed;
    struct ht_promises promises = ht_promises_new(road->graph);
    struct ht_query *query = NULL;
    uint32_t others = 0;
    if (ht_query_new(&query) != HT_OK) {
        abort();
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct ht_place from = ht_town_random_place(road->graph, &state);
        struct ht_place to = ht_town_random_place(road->graph, &state);
        struct ht_way_found ways[4];
        uint32_t found = 0;
        if (ht_query_alternatives(query, road, &from, &to, 3, ways, &found) == HT_OK) {
            ht_promises_check(&promises, &from, &to, ways, found);
            others += found - 1;
        }
    }
    (void)printf(
        "  %u alternatives for %u pairs, %zu pieces of them; broken: %d stretch, %d sharing, "
        "%d cheapest pieces\n",
        others, pairs, promises.pieces, promises.stretched, promises.shared, promises.detours);
    int broken = promises.stretched + promises.shared + promises.detours;
    broken += pairs >= TARGETS && others == 0; /* few pairs may have none */
    ht_promises_free(&promises);
    ht_query_free(query);
    return broken;
}

static int compare_all(const struct ht_road *road, uint32_t profile)
{
    int wrong = compare(road, SOURCES, TARGETS, 99 + profile);
    uint32_t each = road->graph->arc_count > CITY_ARCS ? 10 : 1;
    for (uint32_t pair = 0; HT_LONG && pair < PAIRS; pair += each) {
        wrong += compare(road, 1, each, (uint64_t)profile << 32 | pair);
    }
    if (road->graph->arc_count > CITY_ARCS && !HT_LONG &&
        strcmp(road->graph->profile, "car") != 0) {
        return wrong;
    }
    return wrong + compare_behind(road, 7 + profile) + check_alternatives(road, 31 + profile);
}

/* `profiles`: NULL, all of them. */
static void check_extract(const char *path, const char *profiles)
{
    char output[128];
    struct ht_import_report report = {0};
    struct ht_error error = {0};
    struct ht_hnet *file = NULL;
    (void)snprintf(output, sizeof output, "/tmp/houtao-extract-%ld.hnet", (long)getpid());
    struct ht_import import = {
        .inputs = &path, .input_count = 1, .output = output, .profiles = profiles, .threads = 2};
    enum ht_status status = ht_import(&import, &report, &error);
    if (status == HT_OK) {
        status = ht_hnet_open(output, &file, &error);
    }
    (void)unlink(output);
    if (status != HT_OK) {
        (void)printf("  %s: %s\n", path, error.message);
        HT_CHECK_INT(status, HT_OK);
    }
    for (uint32_t p = 0; status == HT_OK && p < ht_hnet_profile_count(file); p++) {
        struct ht_road road;
        HT_REQUIRE(ht_hnet_road(file, ht_hnet_profile(file, p), NULL, &road, &error) == HT_OK);
        int wrong = compare_all(&road, p);
        (void)printf("  %s, %s: %u arcs, %d wrong\n", strrchr(path, '/') + 1,
                     ht_hnet_profile(file, p), road.graph->arc_count, wrong);
        HT_CHECK_INT(wrong, 0);
    }
    ht_hnet_close(file);
    ht_import_report_deinit(&report);
}

static const char *wanted = "";
static const char *wanted_profile; /* NULL: all */

HT_CASE(every_profile_of_every_extract_equals_the_oracle)
{
    char folder[512];
    int seen = 0;
    if (ht_data_dir() == NULL) {
        HT_SKIP("the folder of real extracts is missing (HOUTAO_DATA)");
    }
    (void)snprintf(folder, sizeof folder, "%s/osm", ht_data_dir());
    DIR *dir = opendir(folder);
    HT_REQUIRE(dir != NULL);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        bool extract = strstr(entry->d_name, ".osm") != NULL;
        bool city = strncmp(entry->d_name, "synthetic", 9) == 0;
        if (extract && strstr(entry->d_name, wanted) != NULL && !(city && SANITIZED)) {
            char path[1024];
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            check_extract(path, wanted_profile);
            seen++;
        }
    }
    (void)closedir(dir);
    if (seen == 0) {
        HT_SKIP("no such extract, or the city, which is too large for sanitizers");
    }
}

HT_CASE(every_profile_of_the_sample_town_equals_the_oracle)
{
    char path[128];
    struct ht_error error;
    if (strstr("sample", wanted) == NULL) {
        HT_SKIP("an extract is asked for");
    }
    (void)snprintf(path, sizeof path, "/tmp/houtao-extract-sample-%ld.osm.pbf", (long)getpid());
    HT_REQUIRE(ht_sample_streets(path, HT_SAMPLE_TOWN, 1, &error) == HT_OK);
    check_extract(path, NULL);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? argv[1] : "";
    wanted_profile = argc > 2 ? argv[2] : NULL;
    return ht_run_cases(NULL);
}
