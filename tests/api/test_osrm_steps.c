/* The JSON of steps, byte by byte, as OSRM 6.0 writes it. */
#include "api/osrm_line.h"
#include "api/osrm_out.h"
#include "api/osrm_steps.h"

#include "tests/support/check.h"
#include "tests/support/tiny.h"

#define WAYS(ways) ways, sizeof(ways) / sizeof((ways)[0])

struct scene {
    struct ht_tiny *town;
    struct ht_guide *guide;
    struct ht_place source;
    struct ht_place target;
    uint32_t arcs[64];
    struct ht_guide_steps steps;
    struct ht_buffer buffer;
    struct ht_json json;
};

static bool scene_begin(struct scene *s, struct ht_tiny *town, const char *walk)
{
    size_t n = strlen(walk);
    *s = (struct scene){.town = town};
    uint32_t count = ht_tiny_path(town, walk, s->arcs, 64);
    s->source = ht_tiny_place(town, walk[0], walk[1], 0.5);
    s->target = ht_tiny_place(town, walk[n - 2], walk[n - 1], 0.5);
    struct ht_guide_leg leg = {
        .network = &town->network,
        .graph = &town->graph,
        .source = &s->source,
        .target = &s->target,
        .source_side = s->source.side[0].arc == s->arcs[0] ? 0 : 1,
        .target_side = s->target.side[0].arc == s->arcs[count - 1] ? 0 : 1,
        .arcs = s->arcs,
        .arc_count = count,
    };
    ht_json_begin(&s->json, &s->buffer);
    return ht_guide_new(&s->guide) == HT_OK && ht_guide_run(s->guide, &leg, &s->steps) == HT_OK;
}

static const char *scene_text(struct scene *s)
{
    ht_buffer_append(&s->buffer, "", 1);
    return s->buffer.failed ? "" : s->buffer.data;
}

static void scene_end(struct scene *s)
{
    ht_guide_free(s->guide);
    ht_buffer_deinit(&s->buffer);
    ht_tiny_free(s->town);
}

HT_CASE(steps_are_written_as_osrm_does)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc",
                                               .name = "First",
                                               .ref = "R 1",
                                               .lanes = "left|through;right",
                                               .classes = HT_ARC_TOLL},
                                              {.nodes = "dbe",
                                               .name = "Second \"S\"",
                                               .destinations = "B 2: Town",
                                               .exits = "7",
                                               .pronunciation = "sek"}};
    struct scene s;
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    HT_REQUIRE(scene_begin(&s, t, "abd"));
    const struct ht_osrm_steps_options options = {.geometry = HT_OSRM_GEOJSON};
    ht_osrm_write_steps(&s.json, &t->network, &s.steps, &options);
    HT_CHECK_STR(
        scene_text(&s),
        "[{\"distance\":100.1,\"duration\":10,\"weight\":10,\"name\":\"First\",\"ref\":\"R "
        "1\",\"mode\""
        ":\"driving\",\"maneuver\":{\"type\":\"depart\",\"location\":[1.000899,0.998202],\"bearing"
        "_before\":0,\"bearing_after\":90},\"geometry\":{\"coordinates\":[[1.000899,0.998202],"
        "[1.001798,0.998202]],\"type\":\"LineString\"},\"driving_side\":\"right\",\"intersection"
        "s\":[{\"location\":[1.000899,0.998202],\"bearings\":[90],\"entry\":[true],\"out\":0,\"cl"
        "asses\":[\"toll\"]}]},{\"distance\":99.4,\"duration\":9.9,\"weight\":9.9,\"name\":\"Second"
        " \\\"S\\\"\",\"pronunciation\":\"sek\",\"destinations\":\"B 2: "
        "Town\",\"exits\":\"7\",\"mode\":\"d"
        "riving\",\"maneuver\":{\"type\":\"turn\",\"modifier\":\"left\",\"location\":[1.001798,0."
        "998"
        "202],\"bearing_before\":90,\"bearing_after\":0},\"geometry\":{\"coordinates\":[[1.0017"
        "98,0.998202],[1.001798,0.999101]],\"type\":\"LineString\"},\"driving_side\":\"right\","
        "\"intersections\":[{\"location\":[1.001798,0.998202],\"bearings\":[0,90,180,270],\"en"
        "try\":[true,true,true,false],\"in\":3,\"out\":0,\"lanes\":[{\"valid\":true,\"indications"
        "\":[\"left\"]},{\"valid\":false,\"indications\":[\"straight\",\"right\"]}]}]},{"
        "\"distance\""
        ":0,\"duration\":0,\"weight\":0,\"name\":\"Second "
        "\\\"S\\\"\",\"pronunciation\":\"sek\",\"destin"
        "ations\":\"B 2: "
        "Town\",\"exits\":\"7\",\"mode\":\"driving\",\"maneuver\":{\"type\":\"arrive\",\""
        "location\":[1.001798,0.999101],\"bearing_before\":0,\"bearing_after\":0},\"geometry\""
        ":{\"coordinates\":[[1.001798,0.999101],[1.001798,0.999101]],\"type\":\"LineString\"}"
        ",\"driving_side\":\"right\",\"intersections\":[{\"location\":[1.001798,0.999101],\"bear"
        "ings\":[180],\"entry\":[true],\"in\":0}]}]");
    scene_end(&s);
}

HT_CASE(steps_sum_up_and_lanes_are_listed)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "in", .lanes = "left|through;right"},
        {.nodes = "bc", .name = "in"},
        {.nodes = "dbe", .name = "cross"}};
    struct scene s;
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    HT_REQUIRE(scene_begin(&s, t, "abd"));
    const struct ht_osrm_steps_options options = {.geometry = HT_OSRM_POLYLINE};
    ht_osrm_write_steps(&s.json, &t->network, &s.steps, &options);
    HT_CHECK(strstr(scene_text(&s), "\"lanes\":[{\"valid\":true,\"indications\":[\"left\"]},"
                                    "{\"valid\":false,\"indications\":[\"straight\","
                                    "\"right\"]}]") != NULL);
    scene_end(&s);
}

HT_CASE(steps_choose_the_language)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "中山路", .name_en = "Zhongshan Road", .ref = "S1"},
        {.nodes = "bc", .ref = "G15"}};
    struct scene s;
    struct ht_tiny *t = ht_tiny_new("a   b   c", 100, WAYS(ways), NULL);
    HT_REQUIRE(scene_begin(&s, t, "abc"));
    HT_CHECK_STR(ht_osrm_way_name(&t->network, 0, HT_OSRM_LANGUAGE_LOCAL), "中山路");
    HT_CHECK_STR(ht_osrm_way_name(&t->network, 0, HT_OSRM_LANGUAGE_ZH), "中山路");
    HT_CHECK_STR(ht_osrm_way_name(&t->network, 0, HT_OSRM_LANGUAGE_EN), "Zhongshan Road");
    HT_CHECK_STR(ht_osrm_way_name(&t->network, 1, HT_OSRM_LANGUAGE_EN), "");
    static const uint32_t both[2] = {0, 1};
    ht_osrm_write_summary(&s.json, &t->network, both, 2, HT_OSRM_LANGUAGE_EN);
    HT_CHECK_STR(scene_text(&s), "\"Zhongshan Road, G15\"");
    scene_end(&s);
}

HT_CASE(steps_escape_polylines_and_double_single_points)
{
    struct ht_buffer buffer = {0};
    struct ht_json json;
    /* 0.00030 north is 30 * 2 = 60 -> two characters, 60 & 31 | 32 = 60 + 63 = '{', 1 + 63 = '@';
     * -0.00015 -> ~(-30) = 29 + 63 = '\\'. */
    static const struct ht_point line[2] = {{0, 3000}, {-1500, 3000}};
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    ht_osrm_out_geometry(NULL, &json, line, 2, HT_OSRM_POLYLINE);
    ht_osrm_out_geometry(NULL, &json, line, 1, HT_OSRM_POLYLINE);
    ht_osrm_out_geometry(NULL, &json, line, 1, HT_OSRM_GEOJSON);
    ht_json_array_end(&json);
    ht_buffer_append(&buffer, "", 1);
    HT_REQUIRE(!buffer.failed);
    HT_CHECK_STR(buffer.data, "[\"{@??\\\\\",\"{@???\",{\"coordinates\":[[0,0.0003],[0,0.0003]],"
                              "\"type\":\"LineString\"}]");
    ht_buffer_deinit(&buffer);
}

HT_CASE(steps_cut_lines_out_of_the_overview)
{
    uint64_t seed = 7;
    struct ht_osrm_line line = {0};
    struct ht_buffer buffer = {0};
    struct ht_json json;
    for (int round = 0; round < 500; round++) {
        struct ht_point points[20];
        int precision = 5 + round % 2;
        uint32_t count = 2 + ht_random_below(&seed, 19);
        uint32_t first = ht_random_below(&seed, count - 1);
        uint32_t some = 2 + ht_random_below(&seed, count - first - 1);
        for (size_t i = 0; i < count; i++) { /* near each other, so that backslashes are common */
            points[i] = (struct ht_point){(int32_t)ht_random_below(&seed, 9000) - 4500,
                                          (int32_t)ht_random_below(&seed, 9000) - 4500};
        }
        ht_buffer_clear(&buffer);
        ht_json_begin(&json, &buffer);
        ht_osrm_line_write(&json, points, count, precision, &line);
        size_t begin = buffer.size + 1; /* the comma */
        HT_REQUIRE(ht_osrm_line_cut(&json, &line, first, points + first, some));
        size_t middle = buffer.size;
        HT_REQUIRE(middle > begin);
        ht_osrm_line_write(&json, points + first, some, precision, NULL);
        HT_REQUIRE(!buffer.failed);
        HT_REQUIRE(buffer.size - middle == middle - begin + 1);
        HT_CHECK(memcmp(buffer.data + begin, buffer.data + middle + 1, middle - begin) == 0);
        const struct ht_point moved[2] = {{1, 2}, {3, 4}};
        HT_CHECK(!ht_osrm_line_cut(&json, &line, first, moved, 2));
        HT_CHECK(!ht_osrm_line_cut(&json, &line, count - 1, points + count - 2, 2));
        HT_CHECK(!ht_osrm_line_cut(&json, &line, SIZE_MAX, points, 2));
    }
    ht_osrm_line_deinit(&line);
    ht_buffer_deinit(&buffer);
}

HT_CASE(steps_stop_at_the_cap_of_the_buffer)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "bd", .name = "bd"}};
    struct scene s;
    struct ht_tiny *t = ht_tiny_new("a b c\n\n  d", 100, WAYS(ways), NULL);
    HT_REQUIRE(scene_begin(&s, t, "abd"));
    s.buffer.limit = 300;
    const struct ht_osrm_steps_options options = {.geometry = HT_OSRM_POLYLINE6};
    ht_osrm_write_steps(&s.json, &t->network, &s.steps, &options);
    HT_CHECK(s.buffer.failed);
    HT_CHECK(s.buffer.size <= 300);
    scene_end(&s);
}

HT_MAIN()
