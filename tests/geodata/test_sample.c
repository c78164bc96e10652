/* The sample streets: the same file from the same seed, everything a town has, all of it joined. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "geodata/osm.h"
#include "geodata/osm_import.h"
#include "geodata/sample.h"

static const char town_path[] = "sample-town.osm.pbf";

/* What of the file the cases ask for; the streets that a car may use as a graph on node numbers. */
struct town {
    size_t nodes;
    size_t tagged[32];
    size_t ways;
    size_t named;
    size_t named_roundabouts;
    size_t restrictions;
    size_t via_ways;
    size_t conditional;
    size_t excepts;
    int64_t first_node;
    uint32_t *edges; /* pairs; a one-way once, others twice */
    size_t edge_count;
    size_t edge_capacity;
    bool inside;
    size_t refs_missing;
};

/* "key=value" or "key": counted over nodes, ways and relations. */
static const char *const wanted[] = {
    "barrier=lift_gate",
    "barrier=gate",
    "highway=traffic_signals",
    "highway=stop",
    "junction=roundabout",
    "route=ferry",
    "turn:lanes",
    "bridge=yes",
    "highway=motorway",
    "highway=motorway_link",
    "destination",
    "bus=yes",
    "maxspeed=30 mph",
    "maxspeed=walk",
    "maxspeed=CN:urban",
    "surface=sett",
    "restriction=only_straight_on",
    "restriction=no_left_turn",
    "access=private",
    "access=destination",
    "railway=level_crossing",
    "highway=motorway_junction",
    "oneway=yes",
    "highway=steps",
    "highway=cycleway",
    "highway=living_street",
    "highway=pedestrian",
};

static void count_tags(struct town *town, struct ht_osm_tags tags)
{
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        const char *value = strchr(wanted[w], '=');
        size_t length = value == NULL ? strlen(wanted[w]) : (size_t)(value - wanted[w]);
        for (size_t i = 0; i < tags.count; i++) {
            if (strlen(tags.list[i].key) == length &&
                strncmp(tags.list[i].key, wanted[w], length) == 0 &&
                (value == NULL || strcmp(tags.list[i].value, value + 1) == 0)) {
                town->tagged[w]++;
            }
        }
    }
}

static bool car_may(struct ht_osm_tags tags)
{
    static const char *const no[] = {"footway", "cycleway", "steps", "pedestrian"};
    const char *highway = ht_osm_tag_value(tags, "highway");
    for (size_t i = 0; highway != NULL && i < sizeof no / sizeof no[0]; i++) {
        highway = strcmp(highway, no[i]) == 0 ? NULL : highway;
    }
    const char *motor = ht_osm_tag_value(tags, "motor_vehicle");
    return highway != NULL && (motor == NULL || strcmp(motor, "no") != 0);
}

static void add_edge(struct town *town, int64_t from, int64_t to)
{
    if (from < 0 || to < 0 || (size_t)from >= town->nodes || (size_t)to >= town->nodes) {
        town->refs_missing++;
        return;
    }
    if (town->edge_count + 2 > town->edge_capacity) {
        town->edge_capacity = town->edge_capacity * 2 + 1024;
        town->edges = realloc(town->edges, town->edge_capacity * sizeof *town->edges);
    }
    town->edges[town->edge_count++] = (uint32_t)from;
    town->edges[town->edge_count++] = (uint32_t)to;
}

static void read_way(struct town *town, const struct ht_osm_way *way)
{
    town->ways++;
    count_tags(town, way->tags);
    town->named += ht_osm_tag_value(way->tags, "name:en") != NULL;
    const char *name = ht_osm_tag_value(way->tags, "name");
    town->named_roundabouts += name != NULL && strstr(name, "环岛") != NULL;
    if (!car_may(way->tags)) {
        return;
    }
    const char *oneway = ht_osm_tag_value(way->tags, "oneway");
    const char *junction = ht_osm_tag_value(way->tags, "junction");
    bool one = (oneway != NULL && strcmp(oneway, "yes") == 0) ||
               (junction != NULL && strcmp(junction, "roundabout") == 0);
    for (size_t i = 0; i + 1 < way->ref_count; i++) {
        int64_t a = way->refs[i] - town->first_node;
        int64_t b = way->refs[i + 1] - town->first_node;
        add_edge(town, a, b);
        if (!one) {
            add_edge(town, b, a);
        }
    }
}

static enum ht_status read_block(void *user, const struct ht_osm_block *block, size_t worker)
{
    struct town *town = user;
    (void)worker;
    for (size_t i = 0; i < block->node_count; i++) {
        const struct ht_osm_node *node = &block->nodes[i];
        town->first_node = town->nodes == 0 ? node->id : town->first_node;
        town->inside = town->inside && ht_point_valid(node->point) &&
                       node->point.lon_e7 > 1213000000 && node->point.lon_e7 < 1221000000;
        town->nodes++;
        count_tags(town, node->tags);
    }
    for (size_t i = 0; i < block->way_count; i++) {
        read_way(town, &block->ways[i]);
    }
    for (size_t i = 0; i < block->relation_count; i++) {
        const struct ht_osm_relation *relation = &block->relations[i];
        count_tags(town, relation->tags);
        town->restrictions++;
        town->via_ways += relation->member_count == 3 && relation->members[1].type == HT_OSM_WAY;
        town->conditional += ht_osm_tag_value(relation->tags, "restriction:conditional") != NULL;
        town->excepts += ht_osm_tag_value(relation->tags, "except") != NULL;
    }
    return HT_OK;
}

static bool read_town(const char *path, struct town *town)
{
    memset(town, 0, sizeof *town);
    town->inside = true;
    struct ht_osm_handler handler = {
        .block = read_block, .user = town, .nodes = true, .ways = true, .relations = true};
    struct ht_error error;
    if (ht_osm_read(path, NULL, &handler, &error) != HT_OK) {
        (void)printf("  %s: %s\n", path, error.message);
        return false;
    }
    return true;
}

/* Nodes that can be reached along the edges, or against them. */
static size_t reach(const struct town *town, uint32_t start, bool along)
{
    uint32_t *first = calloc(town->nodes + 2, sizeof *first);
    uint32_t *heads = malloc((town->edge_count + 2) / 2 * sizeof *heads);
    uint32_t *queue = malloc((town->nodes + 1) * sizeof *queue);
    uint8_t *seen = calloc(town->nodes + 1, 1);
    size_t from = along ? 0 : 1;
    for (size_t e = 0; e < town->edge_count; e += 2) {
        first[town->edges[e + from] + 2]++;
    }
    for (size_t i = 2; i < town->nodes + 2; i++) {
        first[i] += first[i - 1];
    }
    for (size_t e = 0; e < town->edge_count; e += 2) {
        heads[first[town->edges[e + from] + 1]++] = town->edges[e + 1 - from];
    }
    size_t count = 1;
    queue[0] = start;
    seen[start] = 1;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t h = first[queue[i]]; h < first[queue[i] + 1]; h++) {
            if (!seen[heads[h]]) {
                seen[heads[h]] = 1;
                queue[count++] = heads[h];
            }
        }
    }
    free(first);
    free(heads);
    free(queue);
    free(seen);
    return count;
}

struct degrees {
    size_t on_streets;
    size_t junctions; /* three streets or more */
    size_t dead_ends;
};

/* Neighbours of each node, whatever the direction. */
static struct degrees count_degrees(const struct town *town)
{
    uint8_t *degree = calloc(town->nodes + 1, 1);
    struct degrees out = {0};
    for (size_t e = 0; e < town->edge_count; e += 2) {
        uint32_t a = town->edges[e];
        uint32_t b = town->edges[e + 1];
        bool back = e >= 2 && town->edges[e - 2] == b && town->edges[e - 1] == a;
        if (!back) {
            degree[a]++;
            degree[b]++;
        }
    }
    for (size_t i = 0; i < town->nodes; i++) {
        out.on_streets += degree[i] > 0;
        out.junctions += degree[i] >= 3;
        out.dead_ends += degree[i] == 1;
    }
    free(degree);
    return out;
}

static void free_town(struct town *town)
{
    free(town->edges);
}

static uint64_t hash_file(const char *path, size_t *size)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (file == NULL) {
        return 0;
    }
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        hash = (hash ^ (uint64_t)c) * UINT64_C(1099511628211);
        ++*size;
    }
    (void)fclose(file);
    return hash;
}

static bool make(const char *path, enum ht_sample_scale scale, uint64_t seed)
{
    struct ht_error error = {0};
    if (ht_sample_streets(path, scale, seed, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
        return false;
    }
    return true;
}

HT_CASE(same_seed_gives_the_same_bytes)
{
    size_t size[3];
    HT_REQUIRE(make("sample-a.osm.pbf", HT_SAMPLE_TOWN, 7));
    HT_REQUIRE(make("sample-b.osm.pbf", HT_SAMPLE_TOWN, 7));
    HT_REQUIRE(make("sample-c.osm.pbf", HT_SAMPLE_TOWN, 8));
    uint64_t a = hash_file("sample-a.osm.pbf", &size[0]);
    uint64_t b = hash_file("sample-b.osm.pbf", &size[1]);
    uint64_t c = hash_file("sample-c.osm.pbf", &size[2]);
    HT_CHECK(size[0] > 100000);
    HT_CHECK_INT(size[0], size[1]);
    HT_CHECK(a == b);
    HT_CHECK(a != c);
    (void)unlink("sample-a.osm.pbf");
    (void)unlink("sample-b.osm.pbf");
    (void)unlink("sample-c.osm.pbf");
}

HT_CASE(town_has_what_a_town_has)
{
    HT_REQUIRE(make(town_path, HT_SAMPLE_TOWN, 1));
    struct town town;
    HT_REQUIRE(read_town(town_path, &town));
    HT_CHECK(town.inside);
    HT_CHECK_INT(town.refs_missing, 0);
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        if (town.tagged[w] == 0) {
            (void)printf("  no %s\n", wanted[w]);
        }
        HT_CHECK(town.tagged[w] > 0);
    }
    HT_CHECK(town.tagged[0] + town.tagged[1] >= HT_SAMPLE_COMPOUNDS);
    HT_CHECK(town.named > town.ways / 4);
    HT_CHECK(town.named_roundabouts > 0);
    HT_CHECK(town.restrictions > 50);
    HT_CHECK(town.via_ways > 10);
    HT_CHECK(town.conditional > 0);
    HT_CHECK(town.excepts > 0);
    free_town(&town);
    (void)unlink(town_path);
}

static void check_joined(const struct town *town, size_t least, size_t most)
{
    struct degrees degrees = count_degrees(town);
    uint32_t start = town->edges[0];
    size_t out = reach(town, start, true);
    size_t in = reach(town, start, false);
    (void)printf("  %zu nodes, %zu on streets, %zu junctions, %zu dead ends, %zu out, %zu in\n",
                 town->nodes, degrees.on_streets, degrees.junctions, degrees.dead_ends, out, in);
    HT_CHECK(degrees.junctions >= least);
    HT_CHECK(degrees.junctions <= most);
    HT_CHECK(out > degrees.on_streets - degrees.on_streets / 200);
    HT_CHECK(in > degrees.on_streets - degrees.on_streets / 200);
}

HT_CASE(town_hangs_together_for_several_seeds)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct town town;
        HT_REQUIRE(make(town_path, HT_SAMPLE_TOWN, seed));
        HT_REQUIRE(read_town(town_path, &town));
        check_joined(&town, 10000, 20000);
        free_town(&town);
    }
    (void)unlink(town_path);
}

HT_CASE(city_has_half_a_million_junctions)
{
    for (uint64_t seed = 1; seed <= (HT_LONG ? 8 : 1); seed++) {
        struct town town;
        HT_REQUIRE(make("sample-city.osm.pbf", HT_SAMPLE_CITY, seed));
        HT_REQUIRE(read_town("sample-city.osm.pbf", &town));
        check_joined(&town, 500000, 600000);
        free_town(&town);
    }
    (void)unlink("sample-city.osm.pbf");
}

/* How many streets the first cut crosses, and how deep the order is: as of real cities this size.
 */
HT_CASE(city_is_cut_as_real_ones_are)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    HT_SKIP("its order takes sanitized programs minutes");
#endif
    static const char *const input = "sample-city.osm.pbf";
    struct ht_import import = {.inputs = &input,
                               .input_count = 1,
                               .output = "sample-city.hnet",
                               .profiles = "car",
                               .threads = 2};
    for (uint64_t seed = 1; seed <= (HT_LONG ? 8 : 1); seed++) {
        struct ht_import_report report = {0};
        struct ht_error error = {0};
        HT_REQUIRE(make(input, HT_SAMPLE_CITY, seed));
        HT_REQUIRE(ht_import(&import, &report, &error) == HT_OK);
        HT_REQUIRE(report.profile_count == 1);
        const struct ht_order_stats *order = &report.profiles[0].order;
        (void)printf("  seed %d: %u streets, depth %.0f\n", (int)seed, order->top_cut_streets,
                     order->depth_mean);
        HT_CHECK(order->top_cut_streets >= 30 && order->top_cut_streets <= 150);
        HT_CHECK(order->depth_mean >= 300.0 && order->depth_mean <= 500.0);
        ht_import_report_deinit(&report);
    }
    (void)unlink("sample-city.hnet");
    (void)unlink(input);
}

HT_CASE(unwritable_path_is_an_error_with_its_name)
{
    struct ht_error error;
    HT_CHECK_INT(ht_sample_streets("/no/such/folder/x.osm.pbf", HT_SAMPLE_TOWN, 1, &error), HT_IO);
    HT_CHECK(strstr(error.message, "/no/such/folder/x.osm.pbf") != NULL);
}

HT_MAIN()
