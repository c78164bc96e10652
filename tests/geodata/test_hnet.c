#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "engine/road/customize.h"
#include "geodata/hnet_internal.h"
#include "geodata/hnet_write.h"
#include "geodata/osm_import.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

/* A town of a few streets with everything that has a section: names, bans over ways and by the
 * clock. */
static const char town[] =
    "<?xml version=\"1.0\"?><osm version=\"0.6\">\n"
    "<node id=\"1\" lon=\"121.70\" lat=\"29.95\"/><node id=\"2\" lon=\"121.701\" lat=\"29.95\"/>\n"
    "<node id=\"3\" lon=\"121.702\" lat=\"29.95\"/><node id=\"4\" lon=\"121.702\" "
    "lat=\"29.951\"/>\n"
    "<node id=\"5\" lon=\"121.701\" lat=\"29.951\"/><node id=\"6\" lon=\"121.703\" lat=\"29.95\">"
    "<tag k=\"highway\" v=\"traffic_signals\"/></node><node id=\"7\" lon=\"121.704\" "
    "lat=\"29.95\"/>\n"
    "<way id=\"10\"><nd ref=\"1\"/><nd ref=\"2\"/><tag k=\"highway\" v=\"residential\"/>"
    "<tag k=\"name\" v=\"候涛路\"/></way>\n"
    "<way id=\"11\"><nd ref=\"2\"/><nd ref=\"3\"/><tag k=\"highway\" v=\"residential\"/></way>\n"
    "<way id=\"12\"><nd ref=\"3\"/><nd ref=\"4\"/><nd ref=\"5\"/><nd ref=\"2\"/>"
    "<tag k=\"highway\" v=\"living_street\"/></way>\n"
    "<way id=\"13\"><nd ref=\"3\"/><nd ref=\"6\"/><nd ref=\"7\"/>"
    "<tag k=\"highway\" v=\"residential\"/></way>\n"
    "<relation id=\"20\"><member type=\"way\" ref=\"10\" role=\"from\"/>"
    "<member type=\"way\" ref=\"11\" role=\"via\"/><member type=\"way\" ref=\"13\" role=\"to\"/>"
    "<tag k=\"type\" v=\"restriction\"/><tag k=\"restriction\" v=\"no_straight_on\"/></relation>\n"
    "<relation id=\"21\"><member type=\"way\" ref=\"11\" role=\"from\"/>"
    "<member type=\"node\" ref=\"3\" role=\"via\"/><member type=\"way\" ref=\"12\" role=\"to\"/>"
    "<tag k=\"restriction:conditional\" v=\"no_left_turn @ (07:00-09:00)\"/></relation></osm>\n";

static char folder[64];
static char file_path[96];
static char other_path[96];

static bool put_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool done = file != NULL && fwrite(data, 1, size, file) == size;
    return file != NULL && fclose(file) == 0 && done;
}

static unsigned char *get_file(const char *path, size_t *size)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL || stat(path, &info) != 0) {
        return NULL;
    }
    *size = (size_t)info.st_size;
    unsigned char *data = malloc(*size + 1);
    if (data != NULL && fread(data, 1, *size, file) != *size) {
        free(data);
        data = NULL;
    }
    (void)fclose(file);
    return data;
}

/* Makes the town's file once for all cases. */
static bool ready(void)
{
    static bool made;
    if (made) {
        return true;
    }
    (void)snprintf(folder, sizeof folder, "/tmp/houtao-test-hnet-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    char input[96];
    (void)snprintf(input, sizeof input, "%s/town.osm", folder);
    (void)snprintf(file_path, sizeof file_path, "%s/town.hnet", folder);
    (void)snprintf(other_path, sizeof other_path, "%s/other.hnet", folder);
    const char *inputs[] = {input, input}; /* the second one repeats the first */
    struct ht_import import = {.inputs = inputs,
                               .input_count = 2,
                               .output = file_path,
                               .profiles = "car,foot",
                               .threads = 1};
    struct ht_import_report report;
    struct ht_error error = {.status = HT_OK};
    made = put_file(input, town, sizeof town - 1) && ht_import(&import, &report, &error) == HT_OK &&
           report.counts.duplicate_ways == 4 && report.counts.duplicate_nodes == 7;
    if (!made) {
        (void)printf("  import: %s\n", error.message);
    }
    ht_import_report_deinit(&report);
    return made;
}

__attribute__((destructor)) static void clean(void)
{
    if (folder[0] != '\0') {
        char path[96];
        (void)unlink(file_path);
        (void)unlink(other_path);
        (void)snprintf(path, sizeof path, "%s/town.osm", folder);
        (void)unlink(path);
        (void)rmdir(folder);
    }
}

/* Opens a file and asks for all profiles. */
static enum ht_status open_all(const char *path, struct ht_error *error)
{
    struct ht_hnet *file = NULL;
    enum ht_status status = ht_hnet_open(path, &file, error);
    for (uint32_t i = 0; status == HT_OK && i < ht_hnet_profile_count(file); i++) {
        struct ht_road road;
        status = ht_hnet_road(file, ht_hnet_profile(file, i), NULL, &road, error);
        if (status == HT_OK) {
            status = ht_hnet_check_rest(file, ht_hnet_profile(file, i), NULL, error);
        }
    }
    if (status == HT_OK) {
        const char *json = NULL;
        size_t size = 0;
        status = ht_hnet_info(file, &json, &size, error);
    }
    ht_hnet_close(file);
    return status;
}

static enum ht_status open_bytes(const void *data, size_t size, struct ht_error *error)
{
    if (!put_file(other_path, data, size)) {
        return HT_OK; /* which every caller takes for a failure of the test */
    }
    return open_all(other_path, error);
}

HT_CASE(what_is_written_is_read)
{
    HT_REQUIRE(ready());
    struct ht_hnet *file = NULL;
    struct ht_error error = {.status = HT_OK};
    HT_REQUIRE(ht_hnet_open(file_path, &file, &error) == HT_OK);
    HT_REQUIRE(ht_hnet_profile_count(file) == 2);
    HT_CHECK_STR(ht_hnet_profile(file, 0), "car");
    HT_CHECK_STR(ht_hnet_profile(file, 1), "foot");
    struct ht_road road;
    struct ht_road again;
    HT_CHECK_INT(ht_hnet_road(file, "boat", NULL, &road, &error), HT_NOT_FOUND);
    HT_REQUIRE(ht_hnet_road(file, "car", NULL, &road, &error) == HT_OK);
    HT_REQUIRE(ht_hnet_road(file, "car", NULL, &again, &error) == HT_OK);
    HT_CHECK(road.graph == again.graph && road.snap == again.snap && road.snap != NULL);

    struct ht_profile **profiles = NULL;
    size_t count = 0;
    struct ht_pool *pool = NULL;
    struct ht_network_build *build = NULL;
    struct ht_graph_owned *owned = NULL;
    struct ht_graph_counts counts;
    struct ht_build_input input = {.data = town, .size = sizeof town - 1};
    HT_REQUIRE(ht_profiles_open("car", &profiles, &count, NULL) == HT_OK);
    HT_REQUIRE(ht_pool_new(1, &pool) == HT_OK);
    HT_REQUIRE(ht_network_build_new(profiles, count, pool, &build) == HT_OK);
    HT_REQUIRE(ht_network_build_read(build, &input, 1, NULL, NULL, &error) == HT_OK);
    HT_REQUIRE(ht_network_build_graph(build, 0, &owned, &counts) == HT_OK);
    const struct ht_network *n = ht_network_build_network(build);
    const struct ht_graph *g = ht_graph_owned_view(owned);
    HT_CHECK_INT(counts.copies, 1);
    HT_CHECK(g->condition_count > 0);
    HT_REQUIRE(road.network->node_count == n->node_count &&
               road.network->way_count == n->way_count);
    HT_CHECK(memcmp(road.network->node_point, n->node_point, n->node_count * 8) == 0);
    HT_CHECK(memcmp(road.network->node_osm_id, n->node_osm_id, n->node_count * 8) == 0);
    HT_CHECK_STR(road.network->strings + road.network->ways[0].name, "候涛路");
    HT_REQUIRE(road.graph->arc_count == g->arc_count && road.graph->turn_count == g->turn_count &&
               road.graph->junction_count == g->junction_count &&
               road.graph->condition_count == g->condition_count);
    HT_CHECK(memcmp(road.graph->arcs, g->arcs, g->arc_count * sizeof *g->arcs) == 0);
    for (uint32_t a = 0; a < g->arc_count; a++) {
        for (uint32_t t = g->turn_first[a]; t < g->turn_first[a + 1]; t++) {
            struct ht_turn turn = ht_turn_at(road.graph, a, t);
            HT_CHECK(memcmp(&turn, &g->turns[t], sizeof turn) == 0);
            HT_CHECK_INT(ht_graph_turn(road.graph, a, turn.to), t);
        }
    }
    HT_CHECK(road.graph->turn_listed_count > 0); /* into the copy */
    HT_CHECK(memcmp(road.graph->turn_first, g->turn_first, (g->arc_count + 1) * 4) == 0);
    HT_CHECK_INT(road.graph->class_mask, g->class_mask);
    HT_CHECK_INT(road.cch->vertex_count, g->arc_count);
    const uint32_t *list = NULL;
    HT_CHECK_INT(ht_graph_copies(road.graph, ht_arc_base(g, g->base_arc_count), &list), 1);
    ht_graph_owned_free(owned);
    ht_network_build_free(build);
    ht_profiles_free(profiles, count);
    ht_pool_free(pool);
    ht_hnet_close(file);
}

/* A junction of more exits than a packed turn can count, and more prices than may have numbers. */
HT_CASE(turns_that_do_not_fit_are_listed)
{
    enum { EXITS = 300, PRICES = 5 };
    static struct ht_arc arcs[EXITS + 1];
    static struct ht_turn turns[EXITS + 1];
    static uint32_t turn_first[EXITS + 2];
    static const uint32_t first_out[] = {0, EXITS, EXITS + 1};
    for (uint32_t i = 0; i < EXITS; i++) {
        arcs[i] = (struct ht_arc){.tail = 0, .head = 1};
        turns[i] = (struct ht_turn){i, i % (PRICES + 2), i % (PRICES + 2) / 2};
    }
    arcs[EXITS] = (struct ht_arc){.tail = 1, .head = 0};
    turns[EXITS] = (struct ht_turn){EXITS + 1, 1, 1}; /* not out of its head, as into a copy */
    turn_first[EXITS + 1] = EXITS + 1;
    struct ht_graph plain = {.junction_count = 2,
                             .arc_count = EXITS + 1,
                             .turn_count = EXITS + 1,
                             .junction_first_out = first_out,
                             .arcs = arcs,
                             .turn_first = turn_first,
                             .turns = turns};
    struct ht__hnet_turns packed;
    HT_REQUIRE(ht__hnet_turns_pack(&plain, PRICES, &packed) == HT_OK);
    HT_CHECK_INT(packed.price_count, PRICES);
    HT_CHECK(packed.listed_count > (EXITS - 255) + 255 * 2 / (PRICES + 2));
    HT_CHECK(packed.listed_count < EXITS / 2);
    struct ht_graph graph = plain;
    graph.turns = NULL;
    graph.packed_turns = packed.packed;
    graph.turn_prices = packed.prices;
    graph.turns_listed = packed.listed;
    graph.turn_listed_count = packed.listed_count;
    uint32_t wrong = 0;
    for (uint32_t t = 0; t <= EXITS; t++) {
        struct ht_turn turn = ht_turn_at(&graph, EXITS, t);
        wrong += memcmp(&turn, &turns[t], sizeof turn) != 0;
        wrong += ht_turn_to(&graph, EXITS, t) != turns[t].to;
        wrong += ht_graph_turn(&graph, EXITS, turns[t].to) != t;
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK_INT(ht_graph_turn(&graph, EXITS, EXITS), HT_NONE);
    ht__hnet_turns_free(&packed);
}

HT_CASE(every_damaged_byte_is_noticed)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    struct ht_error error;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    HT_REQUIRE(open_bytes(data, size, &error) == HT_OK);
    size_t step = HT_LONG ? 1 : 37; /* prime to the lines: all places in them are met */
    uint32_t accepted = 0;
    for (size_t i = 0; i < size; i += step) {
        unsigned char old = data[i];
        data[i] ^= (unsigned char)(1U << (i % 8));
        error.message[0] = '\0';
        accepted += open_bytes(data, size, &error) == HT_OK || error.message[0] == '\0';
        data[i] = old;
    }
    HT_CHECK_INT(accepted, 0);
    free(data);
}

HT_CASE(a_file_of_any_other_length_is_refused)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    struct ht_error error;
    HT_CHECK_INT(open_bytes(data, 0, &error), HT_FOREIGN);
    HT_CHECK_INT(open_bytes(data, 63, &error), HT_FOREIGN);
    HT_CHECK_INT(open_bytes(data, 64, &error), HT_TRUNCATED);
    HT_CHECK_INT(open_bytes(data, size / 2, &error), HT_TRUNCATED);
    HT_CHECK(strstr(error.message, "cut short") != NULL);
    HT_CHECK(strstr(error.message, "houtao import") != NULL);
    HT_CHECK_INT(open_bytes(data, size - 1, &error), HT_TRUNCATED);
    HT_CHECK_INT(open_bytes(data, size + 1, &error), HT_CHECKSUM);
    free(data);
}

/* ---- files whose checksums are right ---- */

static struct ht__hnet_header *header_of(unsigned char *data)
{
    return (struct ht__hnet_header *)(void *)data;
}

static struct ht__hnet_section *table_of(unsigned char *data)
{
    return (struct ht__hnet_section *)(void *)(data + header_of(data)->table_offset);
}

static void seal(unsigned char *data)
{
    struct ht__hnet_header *header = header_of(data);
    struct ht__hnet_section *table = table_of(data);
    for (uint32_t i = 0; i < header->section_count; i++) {
        /* all of the town's sections are of one chunk */
        uint64_t hash = ht__hnet_hash(data + table[i].offset, (size_t)table[i].size);
        if (table[i].size > 0) {
            table[i].checksum = hash;
        }
    }
    header->table_checksum = ht__hnet_hash(table, header->section_count * sizeof *table);
    header->header_checksum =
        ht__hnet_hash(header, offsetof(struct ht__hnet_header, header_checksum));
}

HT_CASE(older_newer_and_foreign_files_are_named)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    struct ht_error error;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    header_of(data)->version = 0;
    seal(data);
    HT_CHECK_INT(open_bytes(data, size, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "older") != NULL && strstr(error.message, "import") != NULL);
    header_of(data)->version = HT__HNET_VERSION + 1;
    seal(data);
    HT_CHECK_INT(open_bytes(data, size, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "newer") != NULL);
    header_of(data)->version = HT__HNET_VERSION;
    header_of(data)->endian = UINT32_C(0x04030201);
    seal(data);
    HT_CHECK_INT(open_bytes(data, size, &error), HT_FOREIGN);
    memcpy(data, "\x89PNG\r\n\x1a\n", 8);
    HT_CHECK_INT(open_bytes(data, size, &error), HT_FOREIGN);
    HT_CHECK_INT(open_all("/nonexistent/x.hnet", &error), HT_IO);
    HT_CHECK_INT(open_all("/", &error), HT_FOREIGN);
    free(data);
}

/* A server's job that waits for a writer never ends, and the server waits for its jobs. */
HT_CASE(a_fifo_is_refused_at_once)
{
    HT_REQUIRE(ready());
    struct ht_error error;
    char fifo[96];
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    HT_REQUIRE(mkfifo(fifo, 0600) == 0);
    (void)alarm(10); /* instead of hanging */
    HT_CHECK_INT(open_all(fifo, &error), HT_FOREIGN);
    const char *inputs[] = {fifo};
    struct ht_import import = {
        .inputs = inputs, .input_count = 1, .output = other_path, .profiles = "foot", .threads = 1};
    struct ht_import_report report;
    HT_CHECK_INT(ht_import(&import, &report, &error), HT_IO);
    HT_CHECK(strstr(error.message, "regular") != NULL);
    ht_import_report_deinit(&report);
    (void)alarm(0);
    (void)unlink(fifo);
}

HT_CASE(a_good_checksum_does_not_replace_range_checks)
{
    static const char *const harmless[] = {"info",        "out_depth", "in_depth",  "strings",
                                           "out_length",  "in_length", "turn_edge", "node_osm_id",
                                           "node_point",  "out_time",  "in_time",   "out_up_first",
                                           "in_up_first", "snap",      "street",    "out_up_depth",
                                           "in_up_depth", "out_step",  "in_step"};
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    seal(data);
    struct ht_error error;
    HT_REQUIRE(open_bytes(data, size, &error) == HT_OK);
    struct ht__hnet_section *table = table_of(data);
    uint32_t tried = 0;
    for (uint32_t i = 0; i < header_of(data)->section_count; i++) {
        bool skip = table[i].size == 0;
        for (size_t k = 0; k < sizeof harmless / sizeof *harmless; k++) {
            skip |= strcmp(table[i].name, harmless[k]) == 0;
        }
        if (skip) {
            continue;
        }
        /* the last item, as if it pointed far away; of structs, every field at once */
        size_t at = (size_t)(table[i].offset + table[i].size - table[i].item);
        unsigned char old[256];
        memcpy(old, data + at, table[i].item);
        memset(data + at, 0xFE, table[i].item);
        seal(data);
        if (open_bytes(data, size, &error) != HT_RANGE) {
            HT_CHECK_STR(table[i].name, "refused");
        }
        tried++;
        memcpy(data + at, old, table[i].item);
    }
    HT_CHECK(tried > 40);
    free(data);
}

/* The section of a profile by name. */
static struct ht__hnet_section *section_of(unsigned char *data, const char *name)
{
    struct ht__hnet_section *table = table_of(data);
    for (uint32_t i = 0; i < header_of(data)->section_count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* What is read is checked before the mapping is looked at. */
HT_CASE(a_file_cut_after_it_was_opened_is_an_error_and_no_signal)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL && put_file(other_path, data, size));
    off_t cut = (off_t)section_of(data, "node_point")->offset + 1;
    free(data);
    struct ht_error error;
    struct ht_hnet *file = NULL;
    HT_REQUIRE(ht_hnet_open(other_path, &file, &error) == HT_OK);
    HT_REQUIRE(truncate(other_path, cut) == 0);
    struct ht_road road;
    enum ht_status status = ht_hnet_road(file, "foot", NULL, &road, &error);
    HT_CHECK_INT(status, HT_TRUNCATED);
    HT_CHECK(strstr(error.message, "cut short") != NULL);
    ht_hnet_close(file);
}

static enum ht_status with_u32(unsigned char *data, size_t size, const char *section, size_t index,
                               uint32_t value)
{
    struct ht_error error;
    struct ht__hnet_section *s = section_of(data, section);
    uint32_t old = 0;
    unsigned char *at = data + s->offset + index * 4;
    memcpy(&old, at, 4);
    memcpy(at, &value, 4);
    seal(data);
    enum ht_status status = open_bytes(data, size, &error);
    memcpy(at, &old, 4);
    return status;
}

HT_CASE(rows_and_trees_must_hang_together)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    const uint32_t *first_out =
        (const uint32_t *)(const void *)(data + section_of(data, "first_out")->offset);
    HT_CHECK_INT(with_u32(data, size, "first_out", 0, 1), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "first_out", 1, first_out[2] + 1), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "out_up_first", 0, 1), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "turn_edge", 0, 1U << 30), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "node_point", 1, 1900000000), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "out_brief", 1, HT_BRIEF_WIDE + 1), HT_RANGE);
    HT_CHECK_INT(
        with_u32(data, size, "strings", section_of(data, "strings")->size / 4 - 1, 0x61616161),
        section_of(data, "strings")->size % 4 == 0 ? HT_RANGE : HT_OK);
    /* a parent below its child, an upper end that does not lie above */
    const uint32_t *parent =
        (const uint32_t *)(const void *)(data + section_of(data, "parent")->offset);
    HT_REQUIRE(parent[0] != HT_NONE);
    HT_CHECK_INT(with_u32(data, size, "parent", 0, 0), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "out_up", 0, 0), HT_RANGE);
    /* the same where searches climb, and their rows */
    const struct ht_climb *climb =
        (const struct ht_climb *)(const void *)(data + section_of(data, "climb")->offset);
    HT_REQUIRE(climb[0].up == parent[0] && climb[0].depth > 0);
    const uint32_t depth = climb[0].depth;
    HT_CHECK_INT(with_u32(data, size, "climb", 2, depth), HT_RANGE); /* no root */
    HT_CHECK_INT(with_u32(data, size, "climb", 2, depth | UINT32_C(0xfffe0000)), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "climb", 2, depth | UINT32_C(0xffff0000)), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "climb", 0, 1), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "climb", 1, 1), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "climb", 2, (depth + 1) | (uint32_t)climb[0].up << 16),
                 HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "climb", 3 + 0, 1U << 30), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "rank", 0, 1U << 29), HT_RANGE);
    free(data);
}

/* Depths that a workspace is made for, lists of lower ends that no row answers to, shortcuts that
 * stand for more than there is: what passes the checks must do no harm. */
HT_CASE(a_forged_hierarchy_is_refused_or_harmless)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    struct ht_error error;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    HT_CHECK_INT(with_u32(data, size, "cch", 1, UINT32_MAX), HT_RANGE);
    HT_CHECK_INT(with_u32(data, size, "cch", 1, 0), HT_RANGE);
    for (int side = 0; side < 2; side++) {
        struct ht__hnet_section *down = section_of(data, side == 0 ? "out_down" : "in_down");
        memset(data + down->offset, 0, (size_t)down->size);
    }
    seal(data);
    HT_REQUIRE(put_file(other_path, data, size));
    free(data);
    struct ht_hnet *file = NULL;
    struct ht_road road;
    struct ht_metric_owned *metric = NULL;
    HT_REQUIRE(ht_hnet_open(other_path, &file, &error) == HT_OK);
    const char *profile = ht_hnet_profile(file, 0);
    HT_REQUIRE(ht_hnet_road(file, profile, NULL, &road, &error) == HT_OK &&
               ht_hnet_check_rest(file, profile, NULL, &error) == HT_OK);
    HT_CHECK_INT(ht_customize(road.graph, road.cch, NULL, NULL, &metric), HT_OK);
    HT_CHECK_INT(ht_metric_trim(road.cch, NULL, metric), HT_OK);
    ht_metric_free(metric);
    ht_hnet_close(file);
}

HT_CASE(sizes_must_agree_with_counts)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL);
    struct ht__hnet_graph *graph =
        (struct ht__hnet_graph *)(void *)(data + section_of(data, "graph")->offset);
    struct ht_error error;
    for (size_t at = 64; at + 4 <= sizeof *graph - 4; at += 4) {
        uint32_t old = 0;
        uint32_t more = 0;
        unsigned char *field = (unsigned char *)graph + at;
        memcpy(&old, field, 4);
        more = old + 1;
        memcpy(field, &more, 4);
        seal(data);
        if (at != offsetof(struct ht__hnet_graph, class_mask)) {
            HT_CHECK_INT(open_bytes(data, size, &error), HT_RANGE);
        }
        memcpy(field, &old, 4);
    }
    memset(graph->name, 'x', sizeof graph->name);
    seal(data);
    HT_CHECK_INT(open_bytes(data, size, &error), HT_RANGE);
    free(data);
}

HT_CASE(no_room_on_the_disk_is_said_and_nothing_is_left)
{
    HT_REQUIRE(ready());
    char temporary[104];
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", other_path);
    (void)unlink(other_path);
    struct rlimit old;
    HT_REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = old.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    HT_REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    char input[96];
    (void)snprintf(input, sizeof input, "%s/town.osm", folder);
    const char *inputs[] = {input};
    struct ht_import import = {
        .inputs = inputs, .input_count = 1, .output = other_path, .profiles = "car", .threads = 1};
    struct ht_import_report report;
    struct ht_error error = {.status = HT_OK};
    enum ht_status status = ht_import(&import, &report, &error);
    (void)setrlimit(RLIMIT_FSIZE, &old);
    (void)signal(SIGXFSZ, handler);
    HT_CHECK_INT(status, HT_IO);
    HT_CHECK(strstr(error.message, "other.hnet") != NULL);
    HT_CHECK(access(other_path, F_OK) != 0 && access(temporary, F_OK) != 0);
    ht_import_report_deinit(&report);
}

HT_CASE(a_failed_import_leaves_the_old_file)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    size_t after = 0;
    unsigned char *before = get_file(file_path, &size);
    const char *inputs[] = {file_path}; /* not an extract */
    struct ht_import import = {
        .inputs = inputs, .input_count = 1, .output = file_path, .profiles = "car", .threads = 1};
    struct ht_import_report report;
    struct ht_error error = {.status = HT_OK};
    HT_CHECK(ht_import(&import, &report, &error) != HT_OK);
    HT_CHECK(error.message[0] != '\0');
    ht_import_report_deinit(&report);
    unsigned char *now = get_file(file_path, &after);
    HT_REQUIRE(before != NULL && now != NULL);
    HT_CHECK(size == after && memcmp(before, now, size) == 0);
    free(before);
    free(now);
}

HT_CASE(two_imports_do_not_write_one_file)
{
    HT_REQUIRE(ready());
    struct ht_hnet_writer *first = NULL;
    struct ht_hnet_writer *second = NULL;
    struct ht_error error = {.status = HT_OK};
    HT_REQUIRE(ht_hnet_writer_open(other_path, &first, &error) == HT_OK);
    HT_CHECK_INT(ht_hnet_writer_open(other_path, &second, &error), HT_IO);
    HT_CHECK(strstr(error.message, "another import") != NULL);
    char temporary[104];
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", other_path);
    HT_CHECK(access(temporary, F_OK) == 0);
    HT_CHECK_INT(ht_hnet_writer_close(first, false, &error), HT_OK);
    HT_CHECK(access(temporary, F_OK) != 0);
    HT_REQUIRE(ht_hnet_writer_open(other_path, &second, &error) == HT_OK);
    HT_CHECK_INT(ht_hnet_writer_close(second, false, &error), HT_OK);
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    HT_REQUIRE(ready());
    char input[96];
    (void)snprintf(input, sizeof input, "%s/town.osm", folder);
    const char *inputs[] = {input};
    struct ht_import import = {
        .inputs = inputs, .input_count = 1, .output = other_path, .profiles = "car", .threads = 1};
    bool failed = true;
    long rounds = 0;
    for (long n = 0; failed; n++, rounds++) {
        struct ht_import_report report;
        struct ht_error error = {.status = HT_OK};
        ht_oom_arm(n);
        enum ht_status status = ht_import(&import, &report, &error);
        failed = ht_oom_disarm();
        ht_import_report_deinit(&report);
        if (status != (failed ? HT_NOMEM : HT_OK) || (failed && error.message[0] == '\0')) {
            HT_CHECK_INT(n, -1);
            HT_CHECK_STR(error.message, "out of memory");
            break;
        }
    }
    HT_CHECK(rounds > 100);
    failed = true;
    for (long n = 0; failed; n++) {
        struct ht_error error = {.status = HT_OK};
        ht_oom_arm(n);
        enum ht_status status = open_all(other_path, &error);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
    }
}

HT_CASE(a_file_cut_while_it_is_mapped_ends_with_a_line_and_code_1)
{
    HT_REQUIRE(ready());
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    HT_REQUIRE(data != NULL && put_file(other_path, data, size));
    free(data);
    (void)fflush(stdout);
    int line[2];
    HT_REQUIRE(pipe(line) == 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(line[1], STDERR_FILENO);
        ht_hnet_guard_sigbus();
        struct ht_hnet *file = NULL;
        struct ht_road road;
        struct ht_error error;
        if (ht_hnet_open(other_path, &file, &error) == HT_OK &&
            ht_hnet_road(file, ht_hnet_profile(file, 0), NULL, &road, &error) == HT_OK &&
            truncate(other_path, 64) == 0) {
            _exit(road.cch->in.down[0] == 0 ? 4 : 3); /* behind the first page */
        }
        _exit(5);
    }
    int result = 0;
    char text[128] = "";
    (void)close(line[1]);
    HT_REQUIRE(child > 0 && waitpid(child, &result, 0) == child);
    ssize_t got = read(line[0], text, sizeof text - 1);
    (void)close(line[0]);
    HT_CHECK(got > 0 && strstr(text, "network file was cut") != NULL);
    HT_CHECK_INT(WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result), 1);
}

/* Flips a byte of the last profile's arcs in place; `quietly`: and sets the time of writing back.
 */
static bool flip(const char *path, bool quietly)
{
    struct stat info;
    unsigned char byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct ht__hnet_header h;
    struct ht__hnet_section s = {.offset = 0};
    bool good = fd >= 0 && fstat(fd, &info) == 0 && pread(fd, &h, sizeof h, 0) == sizeof h;
    for (uint32_t i = 0; good && i < h.section_count && strcmp(s.name, "arc") != 0; i++) {
        off_t at = (off_t)(h.table_offset + i * sizeof s);
        good = pread(fd, &s, sizeof s, at) == sizeof s;
    }
    good = good && strcmp(s.name, "arc") == 0 && pread(fd, &byte, 1, (off_t)s.offset) == 1;
    byte ^= 1;
    good = good && pwrite(fd, &byte, 1, (off_t)s.offset) == 1;
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    good = good && (!quietly || futimens(fd, times) == 0);
    (void)close(fd);
    return good;
}

static enum ht_status check_whole(const char *path)
{
    struct ht_hnet *file = NULL;
    struct ht_error error;
    enum ht_status status = ht_hnet_open(path, &file, &error);
    if (status == HT_OK) {
        status = ht_hnet_check_whole(file, NULL, &error);
    }
    ht_hnet_close(file);
    return status;
}

static bool is_stamped(const char *path)
{
    struct ht_hnet *file = NULL;
    bool stamped = ht_hnet_open(path, &file, NULL) == HT_OK && ht_hnet_stamped(file);
    ht_hnet_close(file);
    return stamped;
}

/* Stamps whatever is in it. */
static bool forge(const char *path)
{
    struct stat info;
    struct ht__hnet_header h;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &info) == 0 && pread(fd, &h, sizeof h, 0) == sizeof h;
    if (good) {
        ht__hnet_stamp(fd, &info, &h);
    }
    (void)close(fd);
    return good;
}

/* The moment that lies between a stamp and what it knows. */
static void pass_a_moment(void)
{
    const struct timespec nap = {.tv_nsec = 20000000};
    (void)nanosleep(&nap, NULL);
}

static bool other_is_copy(void)
{
    size_t size = 0;
    unsigned char *data = get_file(file_path, &size);
    bool good = data != NULL && put_file(other_path, data, size);
    free(data);
    return good;
}

HT_CASE(a_file_that_was_checked_is_not_checked_again_until_somebody_writes_to_it)
{
    HT_REQUIRE(ready());
    struct ht_error error;
    HT_REQUIRE(other_is_copy());
    if (setxattr(other_path, "user.houtao.test", "", 0, 0) != 0) {
        HT_SKIP("this file system keeps no attributes");
    }
    HT_CHECK(!is_stamped(other_path));
    HT_REQUIRE(check_whole(other_path) == HT_OK);
    HT_CHECK(is_stamped(other_path));
    pass_a_moment();
    HT_REQUIRE(flip(other_path, false)); /* as any write does */
    HT_CHECK(!is_stamped(other_path));
    HT_CHECK_INT(open_all(other_path, &error), HT_CHECKSUM);
    HT_REQUIRE(forge(other_path)); /* what is stamped is taken as it is */
    HT_CHECK(is_stamped(other_path));
    HT_CHECK_INT(open_all(other_path, &error), HT_OK);
    HT_CHECK_INT(check_whole(other_path), HT_CHECKSUM);
}

HT_CASE(a_write_that_hides_its_time_is_seen)
{
    HT_REQUIRE(ready());
    struct ht_error error;
    HT_REQUIRE(other_is_copy());
    if (setxattr(other_path, "user.houtao.test", "", 0, 0) != 0) {
        HT_SKIP("this file system keeps no attributes");
    }
    HT_REQUIRE(check_whole(other_path) == HT_OK && is_stamped(other_path));
    pass_a_moment();
    HT_REQUIRE(flip(other_path, true));
    HT_CHECK(!is_stamped(other_path));
    HT_CHECK_INT(open_all(other_path, &error), HT_CHECKSUM);
    HT_REQUIRE(flip(other_path, true));
    HT_CHECK_INT(check_whole(other_path), HT_OK);
    HT_CHECK(is_stamped(other_path));
    pass_a_moment();
    HT_REQUIRE(chmod(other_path, 0640) == 0); /* looks like one */
    HT_CHECK(!is_stamped(other_path));
    HT_CHECK_INT(open_all(other_path, &error), HT_OK);
}

HT_CASE(an_import_leaves_a_checked_file)
{
    HT_REQUIRE(ready());
    struct ht_error error;
    HT_REQUIRE(open_all(file_path, &error) == HT_OK);
    bool stamped = is_stamped(file_path); /* though renamed since its check */
    if (setxattr(file_path, "user.houtao.test", "", 0, 0) != 0) {
        HT_SKIP("this file system keeps no attributes");
    }
    HT_CHECK(stamped);
}

HT_MAIN()
