/* Reading OSM: every format, every way to write the same thing, and every way to break it. */
#include "tests/support/check.h"
#include "tests/support/osm_text.h"
#include "tests/support/pbf.h"

#include <bzlib.h>

#include "geodata/osm.h"

/* --- the small map that most cases read --- */

static const char small_text[] = "n1 121.7200000 29.9500000 highway=traffic_signals\n"
                                 "n2 121.7300000 29.9600000\n"
                                 "n3 -0.0000001 -89.9999999 barrier=gate\n"
                                 "w5 1,2,3 highway=residential name=镇海路\n"
                                 "r7 w5:from,n2:via,w6: restriction=no_u_turn\n";

static const char small_xml[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    "<osm version=\"0.6\" generator=\"test\">\n"
    " <bounds minlat=\"29\" minlon=\"121\" maxlat=\"30\" maxlon=\"122\"/>\n"
    " <node id=\"1\" lat=\"29.95\" lon=\"121.72\" version=\"3\"><tag k=\"highway\" "
    "v=\"traffic_signals\"/></node>\n"
    " <node id=\"2\" visible=\"true\" lat=\"29.96\" lon=\"121.7300000\"/>\n"
    " <node id=\"3\" lat=\"-89.9999999\" lon=\"-1e-7\"><tag k=\"barrier\" v=\"gate\"/></node>\n"
    " <node id=\"4\" visible=\"false\"/>\n"
    " <way id=\"5\"><nd ref=\"1\"/><nd ref=\"2\"/><nd ref=\"3\"/>"
    "<tag k=\"highway\" v=\"residential\"/><tag k=\"name\" v=\"镇海路\"/></way>\n"
    " <way id=\"8\" action=\"delete\"><nd ref=\"1\"/><nd ref=\"2\"/></way>\n"
    " <relation id=\"7\"><member type=\"way\" ref=\"5\" role=\"from\"/><member type=\"node\" "
    "ref=\"2\" role=\"via\"/><member type=\"way\" ref=\"6\"/>"
    "<tag k=\"restriction\" v=\"no_u_turn\"/></relation>\n"
    "</osm>\n";

static const char *const strings[] = {"",     "highway", "traffic_signals", "barrier",
                                      "gate", "name",    "镇海路",          "residential",
                                      "from", "via",     "restriction",     "no_u_turn"};

enum { STRINGS = sizeof strings / sizeof strings[0] };

/* The small map as protobuf-c's objects; cases change what they want to be different. */
struct small {
    ProtobufCBinaryData table[STRINGS];
    char text[STRINGS][32];
    Osmpbf__StringTable strings;
    int64_t ids[3];
    int64_t lats[3];
    int64_t lons[3];
    int32_t keys_values[8];
    protobuf_c_boolean visible[3];
    Osmpbf__DenseInfo info;
    Osmpbf__DenseNodes dense;
    uint32_t node_keys[3];
    uint32_t node_values[3];
    Osmpbf__Node nodes[3];
    Osmpbf__Node *node_list[3];
    int64_t refs[3];
    int64_t way_lats[3];
    int64_t way_lons[3];
    uint32_t way_keys[2];
    uint32_t way_values[2];
    Osmpbf__Way way;
    Osmpbf__Way *way_list[1];
    int32_t roles[3];
    int64_t members[3];
    Osmpbf__Relation__MemberType types[3];
    uint32_t relation_key;
    uint32_t relation_value;
    Osmpbf__Relation relation;
    Osmpbf__Relation *relation_list[1];
    Osmpbf__PrimitiveGroup groups[3];
    Osmpbf__PrimitiveGroup *group_list[3];
    Osmpbf__PrimitiveBlock block;
};

static void init_strings(struct small *s)
{
    Osmpbf__StringTable table = OSMPBF__STRING_TABLE__INIT;
    s->strings = table;
    for (size_t i = 0; i < STRINGS; i++) {
        memcpy(s->text[i], strings[i], strlen(strings[i]) + 1);
        s->table[i] =
            (ProtobufCBinaryData){.len = strlen(strings[i]), .data = (uint8_t *)s->text[i]};
    }
    s->strings.n_s = STRINGS;
    s->strings.s = s->table;
}

static void init_nodes(struct small *s)
{
    static const int64_t lats[] = {299500000, 299600000, -899999999};
    static const int64_t lons[] = {1217200000, 1217300000, -1};
    static const int32_t pairs[] = {1, 2, 0, 0, 3, 4, 0};
    Osmpbf__DenseNodes dense = OSMPBF__DENSE_NODES__INIT;
    Osmpbf__DenseInfo info = OSMPBF__DENSE_INFO__INIT;
    s->dense = dense;
    s->info = info;
    for (size_t i = 0; i < 3; i++) {
        Osmpbf__Node node = OSMPBF__NODE__INIT;
        s->ids[i] = 1;
        s->lats[i] = lats[i] - (i == 0 ? 0 : lats[i - 1]);
        s->lons[i] = lons[i] - (i == 0 ? 0 : lons[i - 1]);
        node.id = (int64_t)i + 1;
        node.lat = lats[i];
        node.lon = lons[i];
        node.n_keys = node.n_vals = i == 1 ? 0 : 1;
        s->node_keys[i] = i == 0 ? 1 : 3;
        s->node_values[i] = i == 0 ? 2 : 4;
        node.keys = &s->node_keys[i];
        node.vals = &s->node_values[i];
        s->nodes[i] = node;
        s->node_list[i] = &s->nodes[i];
        s->visible[i] = 1;
    }
    memcpy(s->keys_values, pairs, sizeof pairs);
    s->dense.n_id = s->dense.n_lat = s->dense.n_lon = 3;
    s->dense.id = s->ids;
    s->dense.lat = s->lats;
    s->dense.lon = s->lons;
    s->dense.n_keys_vals = 7;
    s->dense.keys_vals = s->keys_values;
    s->groups[0].dense = &s->dense;
}

static void init_way(struct small *s)
{
    static const uint32_t keys[] = {1, 5};
    static const uint32_t values[] = {7, 6};
    Osmpbf__Way way = OSMPBF__WAY__INIT;
    s->way = way;
    s->way.id = 5;
    for (size_t i = 0; i < 3; i++) {
        s->refs[i] = 1;
        s->way_lats[i] = s->lats[i];
        s->way_lons[i] = s->lons[i];
    }
    memcpy(s->way_keys, keys, sizeof keys);
    memcpy(s->way_values, values, sizeof values);
    s->way.n_refs = 3;
    s->way.refs = s->refs;
    s->way.n_keys = s->way.n_vals = 2;
    s->way.keys = s->way_keys;
    s->way.vals = s->way_values;
    s->way_list[0] = &s->way;
    s->groups[1].n_ways = 1;
    s->groups[1].ways = s->way_list;
}

static void init_relation(struct small *s)
{
    static const int32_t roles[] = {8, 9, 0};
    static const int64_t members[] = {5, -3, 4};
    static const Osmpbf__Relation__MemberType types[] = {OSMPBF__RELATION__MEMBER_TYPE__WAY,
                                                         OSMPBF__RELATION__MEMBER_TYPE__NODE,
                                                         OSMPBF__RELATION__MEMBER_TYPE__WAY};
    Osmpbf__Relation relation = OSMPBF__RELATION__INIT;
    s->relation = relation;
    s->relation.id = 7;
    memcpy(s->roles, roles, sizeof roles);
    memcpy(s->members, members, sizeof members);
    memcpy(s->types, types, sizeof types);
    s->relation.n_roles_sid = s->relation.n_memids = s->relation.n_types = 3;
    s->relation.roles_sid = s->roles;
    s->relation.memids = s->members;
    s->relation.types = s->types;
    s->relation_key = 10;
    s->relation_value = 11;
    s->relation.n_keys = s->relation.n_vals = 1;
    s->relation.keys = &s->relation_key;
    s->relation.vals = &s->relation_value;
    s->relation_list[0] = &s->relation;
    s->groups[2].n_relations = 1;
    s->groups[2].relations = s->relation_list;
}

static void small_init(struct small *s)
{
    Osmpbf__PrimitiveBlock block = OSMPBF__PRIMITIVE_BLOCK__INIT;
    memset(s, 0, sizeof *s);
    s->block = block;
    for (size_t i = 0; i < 3; i++) {
        Osmpbf__PrimitiveGroup group = OSMPBF__PRIMITIVE_GROUP__INIT;
        s->groups[i] = group;
        s->group_list[i] = &s->groups[i];
    }
    init_strings(s);
    init_nodes(s);
    init_way(s);
    init_relation(s);
    s->block.stringtable = &s->strings;
    s->block.n_primitivegroup = 3;
    s->block.primitivegroup = s->group_list;
}

static const char *const usual[] = {"OsmSchema-V0.6", "DenseNodes", NULL};

static struct pbf_file small_file(const struct small *s, enum pbf_packing packing)
{
    struct pbf_file file = {0};
    pbf_append_header(&file, usual);
    pbf_append_block(&file, &s->block, packing);
    return file;
}

static void check_text(const void *data, size_t size, const char *want)
{
    struct osm_text text;
    struct ht_error error;
    enum ht_status status = osm_text_read(data, size, &text, &error);
    if (status != HT_OK) {
        (void)printf("  %s\n", error.message);
    }
    HT_CHECK_INT(status, HT_OK);
    HT_CHECK_STR(text.data, want);
    free(text.data);
}

static void check_small(struct small *s, enum pbf_packing packing, const char *want)
{
    struct pbf_file file = small_file(s, packing);
    check_text(file.data, file.size, want);
    free(file.data);
}

/* The error that this block ends in. */
static enum ht_status small_error(const struct small *s, struct ht_error *error)
{
    struct pbf_file file = small_file(s, PBF_RAW);
    struct osm_text text;
    enum ht_status status = osm_text_read(file.data, file.size, &text, error);
    free(text.data);
    free(file.data);
    return status;
}

/* --- formats --- */

HT_CASE(every_packing_of_blobs_reads_alike)
{
    struct small s;
    small_init(&s);
    check_small(&s, PBF_RAW, small_text);
    check_small(&s, PBF_ZLIB, small_text);
    check_small(&s, PBF_LZ4, small_text);
    check_small(&s, PBF_ZSTD, small_text);
}

HT_CASE(plain_nodes_read_like_dense_ones)
{
    struct small s;
    small_init(&s);
    s.groups[0].dense = NULL;
    s.groups[0].n_nodes = 3;
    s.groups[0].nodes = s.node_list;
    check_small(&s, PBF_ZLIB, small_text);
}

HT_CASE(dense_nodes_without_any_tags_need_no_list)
{
    struct small s;
    small_init(&s);
    s.dense.n_keys_vals = 0;
    s.block.n_primitivegroup = 1;
    check_small(&s, PBF_RAW,
                "n1 121.7200000 29.9500000\nn2 121.7300000 29.9600000\n"
                "n3 -0.0000001 -89.9999999\n");
}

HT_CASE(locations_on_ways_are_handed_over)
{
    struct small s;
    small_init(&s);
    s.way.n_lat = s.way.n_lon = 3;
    s.way.lat = s.way_lats;
    s.way.lon = s.way_lons;
    s.groups[0] = s.groups[1];
    s.block.n_primitivegroup = 1;
    check_small(&s, PBF_RAW,
                "w5 1@121.7200000/29.9500000,2@121.7300000/29.9600000,3@-0.0000001/-89.9999999 "
                "highway=residential name=镇海路\n");
    s.way.n_lat = 2;
    struct ht_error error;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
}

HT_CASE(deleted_versions_are_dropped)
{
    struct small s;
    small_init(&s);
    s.visible[1] = 0;
    s.dense.denseinfo = &s.info;
    s.info.n_visible = 3;
    s.info.visible = s.visible;
    Osmpbf__Info gone = OSMPBF__INFO__INIT;
    gone.has_visible = 1;
    s.way.info = &gone;
    s.relation.info = &gone;
    check_small(&s, PBF_RAW,
                "n1 121.7200000 29.9500000 highway=traffic_signals\n"
                "n3 -0.0000001 -89.9999999 barrier=gate\n");
}

HT_CASE(granularity_and_offsets_are_applied_and_rounded)
{
    struct small s;
    small_init(&s);
    s.block.has_granularity = s.block.has_lat_offset = s.block.has_lon_offset = 1;
    s.block.granularity = 1000;
    s.block.lat_offset = 51;
    s.block.lon_offset = -49;
    s.dense.n_id = s.dense.n_lat = s.dense.n_lon = 1;
    s.dense.n_keys_vals = 0;
    s.lats[0] = 29950000;
    s.lons[0] = 121720000;
    s.block.n_primitivegroup = 1;
    check_small(&s, PBF_RAW, "n1 121.7200000 29.9500001\n");
}

/* 0 would put all of it on one place, a negative one on the other side of the world. */
HT_CASE(a_granularity_below_one_is_refused)
{
    static const int32_t wrong[] = {0, -100, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct small s;
        small_init(&s);
        s.block.has_granularity = 1;
        s.block.granularity = wrong[i];
        struct pbf_file file = small_file(&s, PBF_RAW);
        struct osm_text text;
        struct ht_error error;
        char want[64];
        (void)snprintf(want, sizeof want, "is damaged: its granularity is %d,", (int)wrong[i]);
        HT_CHECK_INT(osm_text_read(file.data, file.size, &text, &error), HT_SYNTAX);
        HT_CHECK(strstr(error.message, want) != NULL);
        free(text.data);
        free(file.data);
    }
}

HT_CASE(coordinates_that_overflow_are_nowhere_on_earth)
{
    struct small s;
    small_init(&s);
    s.lats[0] = INT64_MAX;
    s.lons[0] = INT64_MIN;
    struct pbf_file file = small_file(&s, PBF_RAW);
    struct osm_text text;
    struct ht_error error;
    HT_CHECK_INT(osm_text_read(file.data, file.size, &text, &error), HT_OK);
    HT_CHECK(strncmp(text.data, "n1 214.7483647 214.7483647", 26) == 0);
    free(text.data);
    free(file.data);
}

HT_CASE(text_that_is_not_utf8_is_cleaned)
{
    static const char bad[] = "\xE9\x95路\xFFx\xED\xA0\x80";
    struct small s;
    small_init(&s);
    memcpy(s.text[6], bad, sizeof bad);
    s.table[6].len = strlen(s.text[6]);
    s.groups[0] = s.groups[1];
    s.block.n_primitivegroup = 1;
    check_small(&s, PBF_RAW, "w5 1,2,3 highway=residential name=??路?x???\n");
}

HT_CASE(several_headers_and_unknown_blobs_are_fine)
{
    struct small s;
    small_init(&s);
    struct pbf_file file = small_file(&s, PBF_ZLIB);
    Osmpbf__Blob blob = OSMPBF__BLOB__INIT;
    pbf_append_blob(&file, "OSMIndex", &blob);
    struct pbf_file again = small_file(&s, PBF_RAW);
    pbf_append(&file, again.data, again.size);
    struct osm_text text;
    struct ht_error error;
    HT_CHECK_INT(osm_text_read(file.data, file.size, &text, &error), HT_OK);
    HT_CHECK_INT(text.size, 2 * strlen(small_text));
    HT_CHECK_INT(text.blocks, 2);
    free(text.data);
    free(again.data);
    free(file.data);
}

HT_CASE(xml_reads_like_pbf)
{
    check_text(small_xml, strlen(small_xml), small_text);
}

static struct pbf_file gzip(const char *text, size_t size)
{
    struct pbf_file out = {.data = pbf_need(malloc(size + 1024))};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    (void)deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = (const Bytef *)text;
    stream.avail_in = (uInt)size;
    stream.next_out = out.data;
    stream.avail_out = (uInt)(size + 1024);
    (void)deflate(&stream, Z_FINISH);
    out.size = stream.total_out;
    (void)deflateEnd(&stream);
    return out;
}

static struct pbf_file bzip2(const char *text, size_t size)
{
    unsigned room = (unsigned)size + 1024;
    struct pbf_file out = {.data = pbf_need(malloc(room))};
    char *copy = pbf_need(malloc(size)); /* it reads only, but asks for a char * */
    memcpy(copy, text, size);
    (void)BZ2_bzBuffToBuffCompress((char *)out.data, &room, copy, (unsigned)size, 1, 0, 0);
    free(copy);
    out.size = room;
    return out;
}

/* As pigz, pbzip2 and cat write them: two members that make one text. */
HT_CASE(packed_xml_of_several_members_reads_as_one)
{
    size_t half = strlen(small_xml) / 2;
    struct pbf_file (*const pack[2])(const char *, size_t) = {gzip, bzip2};
    for (size_t i = 0; i < 2; i++) {
        struct pbf_file file = pack[i](small_xml, half);
        struct pbf_file rest = pack[i](small_xml + half, strlen(small_xml) - half);
        pbf_append(&file, rest.data, rest.size);
        pbf_append(&file, "\0\0\0\0", 4);
        check_text(file.data, file.size, small_text);
        free(rest.data);
        free(file.data);
    }
}

static struct ht_point xml_point(const char *lat, const char *lon, enum ht_status *status)
{
    char text[256];
    int size = snprintf(text, sizeof text, "<osm><node id='1' lat='%s' lon='%s'/></osm>", lat, lon);
    struct osm_text out;
    struct ht_error error;
    *status = osm_text_read(text, (size_t)size, &out, &error);
    char *rest = out.data + (out.size > 3 ? 3 : 0);
    double x = strtod(rest, &rest);
    double y = strtod(rest, &rest);
    free(out.data);
    return (struct ht_point){.lon_e7 = (int32_t)(x * 1e7 + (x < 0 ? -0.5 : 0.5)),
                             .lat_e7 = (int32_t)(y * 1e7 + (y < 0 ? -0.5 : 0.5))};
}

HT_CASE(xml_coordinates_are_read_to_the_last_digit)
{
    static const struct {
        const char *text;
        int32_t e7;
    } good[] = {{"29.9512345", 299512345},
                {"-29.95", -299500000},
                {"29.95123454999", 299512345},
                {"29.95123455", 299512346},
                {"+7", 70000000},
                {"1.5E1", 150000000},
                {"-4.8e-05", -480},
                {".5", 5000000},
                {"0.00000004", 0},
                {"1e-300", 0},
                {"000000000000000000029.5", 295000000}};
    static const char *const bad[] = {"",     "-",    "x",   "1.2.3", "1e",
                                      "1e5x", "0x10", "nan", "1 ",    "1e999"};
    enum ht_status status;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        HT_CHECK_INT(xml_point(good[i].text, "1", &status).lat_e7, good[i].e7);
        HT_CHECK_INT(status, HT_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)xml_point("1", bad[i], &status);
        HT_CHECK_INT(status, HT_SYNTAX);
    }
    HT_CHECK(!ht_point_valid(xml_point("1", "1e30", &status)));
    HT_CHECK_INT(status, HT_OK);
}

HT_CASE(xml_locations_on_ways_are_handed_over)
{
    static const char xml[] = "<osm><way id='1'><nd ref='2' lat='1' lon='3'/><nd ref='4' lat='5' "
                              "lon='6'/></way><way id='2'><nd ref='2' lat='1' lon='3'/><nd "
                              "ref='4'/></way></osm>";
    check_text(xml, strlen(xml), "w1 2@3.0000000/1.0000000,4@6.0000000/5.0000000\nw2 2,4\n");
}

/* --- what a handler may ask for --- */

HT_CASE(kinds_that_are_not_wanted_are_left_out)
{
    struct small s;
    small_init(&s);
    struct pbf_file file = small_file(&s, PBF_ZLIB);
    struct {
        const void *data;
        size_t size;
    } inputs[] = {{file.data, file.size}, {small_xml, strlen(small_xml)}};
    for (size_t i = 0; i < 2; i++) {
        struct osm_text text = {0};
        struct ht_osm_handler handler = {.block = osm_text_block, .user = &text, .ways = true};
        HT_CHECK_INT(ht_osm_read_memory(inputs[i].data, inputs[i].size, NULL, &handler, NULL),
                     HT_OK);
        HT_CHECK_STR(text.data, "w5 1,2,3 highway=residential name=镇海路\n");
        free(text.data);
    }
    free(file.data);
}

static enum ht_status refuse(void *user, const struct ht_osm_block *block, size_t worker)
{
    size_t *calls = user;
    (void)block;
    (void)worker;
    ++*calls;
    return HT_CANCELLED;
}

HT_CASE(handlers_error_stops_the_read_and_is_returned)
{
    struct small s;
    small_init(&s);
    struct pbf_file file = small_file(&s, PBF_ZLIB);
    for (int i = 0; i < 5; i++) {
        pbf_append_block(&file, &s.block, PBF_RAW);
    }
    size_t calls = 0;
    struct ht_error error;
    struct ht_osm_handler handler = {.block = refuse, .user = &calls, .nodes = true};
    HT_CHECK_INT(ht_osm_read_memory(file.data, file.size, NULL, &handler, &error), HT_CANCELLED);
    HT_CHECK_INT(error.status, HT_CANCELLED);
    HT_CHECK_INT(calls, 1);
    calls = 0;
    HT_CHECK_INT(ht_osm_read_memory(small_xml, strlen(small_xml), NULL, &handler, &error),
                 HT_CANCELLED);
    HT_CHECK_INT(calls, 1);
    free(file.data);
}

/* --- broken input --- */

static enum ht_status read_bytes(const void *data, size_t size, struct ht_error *error)
{
    struct osm_text text;
    enum ht_status status = osm_text_read(data, size, &text, error);
    free(text.data);
    return status;
}

HT_CASE(empty_foreign_and_missing_files_say_so)
{
    struct ht_error error;
    struct ht_osm_handler handler = {.block = refuse};
    HT_CHECK_INT(read_bytes("", 0, &error), HT_EMPTY);
    HT_CHECK_INT(read_bytes("SQLite format 3", 16, &error), HT_FOREIGN);
    HT_CHECK(strstr(error.message, "53 51 4c 69") != NULL);
    HT_CHECK_INT(read_bytes("<html><body/></html>", 20, &error), HT_FOREIGN);
    HT_CHECK_INT(read_bytes("<osmChange/>", 12, &error), HT_UNSUPPORTED);
    HT_CHECK_INT(ht_osm_read("/no/such/file.osm.pbf", NULL, &handler, &error), HT_IO);
    HT_CHECK_INT(ht_osm_read("/", NULL, &handler, &error), HT_IO);
    struct pbf_file packed = gzip("hello, world", 12);
    HT_CHECK_INT(read_bytes(packed.data, packed.size, &error), HT_FOREIGN);
    free(packed.data);
}

HT_CASE(unknown_required_feature_is_named)
{
    static const char *const features[] = {"OsmSchema-V0.6", "Warp-Drive", NULL};
    static const char *const known[] = {"HistoricalInformation", "LocationsOnWays", NULL};
    struct pbf_file file = {0};
    struct ht_error error;
    pbf_append_header(&file, known);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_OK);
    pbf_append_header(&file, features);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_UNSUPPORTED);
    HT_CHECK(strstr(error.message, "Warp-Drive") != NULL);
    free(file.data);
}

/* Only between two blobs may a file end; everywhere else it is known to be cut. */
HT_CASE(pbf_cut_at_any_byte_is_known)
{
    struct small s;
    small_init(&s);
    struct pbf_file file = {0};
    pbf_append_header(&file, usual);
    size_t whole = file.size;
    pbf_append_block(&file, &s.block, PBF_ZLIB);
    for (size_t size = 1; size < file.size; size++) {
        struct ht_error error;
        /* A block of its own size, so that a sanitizer sees every read past the end. */
        uint8_t *cut = pbf_need(malloc(size));
        memcpy(cut, file.data, size);
        enum ht_status status = read_bytes(cut, size, &error);
        HT_CHECK_INT(status, size == whole ? HT_OK : HT_TRUNCATED);
        free(cut);
    }
    free(file.data);
}

HT_CASE(xml_cut_at_any_byte_is_known)
{
    size_t size = strlen(small_xml);
    struct pbf_file packed[3] = {{.size = size}, gzip(small_xml, size), bzip2(small_xml, size)};
    packed[0].data = pbf_need(malloc(size));
    memcpy(packed[0].data, small_xml, size);
    for (size_t i = 0; i < 3; i++) {
        size_t last = i == 0 ? packed[i].size - 2 : packed[i].size - 1;
        for (size_t cut = 4; cut <= last; cut++) {
            struct ht_error error = {0};
            uint8_t *data = pbf_need(malloc(cut));
            memcpy(data, packed[i].data, cut);
            enum ht_status status = read_bytes(data, cut, &error);
            if (status != HT_TRUNCATED) {
                (void)printf("  format %zu cut at %zu: %s\n", i, cut, error.message);
            }
            HT_CHECK_INT(status, HT_TRUNCATED);
            free(data);
        }
        free(packed[i].data);
    }
}

HT_CASE(any_flipped_byte_is_survived)
{
    struct small s;
    small_init(&s);
    size_t refused = 0;
    for (enum pbf_packing packing = PBF_RAW; packing <= PBF_ZSTD; packing++) {
        struct pbf_file file = small_file(&s, packing);
        for (size_t i = 0; i < file.size * 255; i++) {
            uint8_t kept = file.data[i / 255];
            struct ht_error error = {.status = HT_OK};
            file.data[i / 255] = (uint8_t)(kept ^ (i % 255 + 1));
            enum ht_status status = read_bytes(file.data, file.size, &error);
            HT_CHECK_INT(error.status, status);
            refused += status != HT_OK;
            file.data[i / 255] = kept;
        }
        free(file.data);
    }
    HT_CHECK(refused > 1000);
}

HT_CASE(zip_bombs_are_refused)
{
    enum { BOMB = 33 * 1024 * 1024 };
    uint8_t *zeros = pbf_need(calloc(1, BOMB));
    struct ht_error error;
    for (enum pbf_packing packing = PBF_RAW; packing <= PBF_ZSTD; packing++) {
        struct pbf_file file = {0};
        pbf_append_header(&file, usual);
        pbf_append_packed(&file, "OSMData", zeros, BOMB, packing);
        HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_TOO_BIG);
        free(file.data);
    }
    /* It says 1 MB and has more. */
    uLongf size = compressBound(BOMB);
    uint8_t *packed = pbf_need(malloc(size));
    (void)compress(packed, &size, zeros, BOMB);
    Osmpbf__Blob blob = OSMPBF__BLOB__INIT;
    blob.has_raw_size = blob.has_zlib_data = 1;
    blob.raw_size = 1000000;
    blob.zlib_data = (ProtobufCBinaryData){.data = packed, .len = size};
    struct pbf_file file = {0};
    pbf_append_header(&file, usual);
    pbf_append_blob(&file, "OSMData", &blob);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_TOO_BIG);
    blob.has_raw_size = 0;
    free(file.data);
    file = (struct pbf_file){0};
    pbf_append_header(&file, usual);
    pbf_append_blob(&file, "OSMData", &blob);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_TOO_BIG);
    free(file.data);
    free(packed);
    free(zeros);
}

/* A block of nothing but empty groups (or, in its table, strings): two bytes each. */
static void check_empties(size_t count, bool table, enum ht_status want, const char *text)
{
    size_t size = count * 2 + 16;
    uint8_t *bytes = pbf_need(calloc(1, size));
    size_t at = 0;
    if (table) {
        bytes[at++] = 1 << 3 | 2;
        size_t left = count * 2;
        for (; left >= 0x80; left >>= 7) {
            bytes[at++] = (uint8_t)(left | 0x80);
        }
        bytes[at++] = (uint8_t)left;
    }
    for (size_t i = 0; i < count; i++) {
        bytes[at++] = table ? 1 << 3 | 2 : 2 << 3 | 2;
        bytes[at++] = 0;
    }
    struct ht_error error = {.message = ""};
    struct pbf_file file = {0};
    pbf_append_header(&file, usual);
    pbf_append_packed(&file, "OSMData", bytes, at, PBF_ZLIB);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), want);
    if (want != HT_OK) {
        HT_CHECK(strstr(error.message, text) != NULL && error.line > 0);
    }
    free(file.data);
    free(bytes);
}

HT_CASE(blocks_of_empty_groups_or_strings_are_bombs_too)
{
    check_empties(16000000, false, HT_TOO_BIG, "holds more than 65536 groups");
    check_empties(15000000, true, HT_TOO_BIG, "holds more than 1048576 strings");
    check_empties(65537, false, HT_TOO_BIG, "holds more than 65536 groups");
    check_empties(1048577, true, HT_TOO_BIG, "holds more than 1048576 strings");
    check_empties(65536, false, HT_OK, "");
    check_empties(1048576, true, HT_OK, "");
}

HT_CASE(lzma_and_empty_blobs_are_refused_by_name)
{
    uint8_t byte = 0;
    struct ht_error error;
    Osmpbf__Blob blob = OSMPBF__BLOB__INIT;
    struct pbf_file file = {0};
    pbf_append_header(&file, usual);
    pbf_append_blob(&file, "OSMData", &blob);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_SYNTAX);
    free(file.data);
    file = (struct pbf_file){0};
    blob.has_lzma_data = 1;
    blob.lzma_data = (ProtobufCBinaryData){.data = &byte, .len = 1};
    pbf_append_header(&file, usual);
    pbf_append_blob(&file, "OSMData", &blob);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_UNSUPPORTED);
    HT_CHECK(strstr(error.message, "lzma") != NULL);
    free(file.data);
}

HT_CASE(lists_that_do_not_fit_together_are_refused)
{
    struct ht_error error;
    struct small s;
    small_init(&s);
    s.dense.n_lat = 2;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
    HT_CHECK(error.line > 0);
    small_init(&s);
    s.keys_values[1] = STRINGS;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
    small_init(&s);
    s.way_values[0] = STRINGS;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
    small_init(&s);
    s.way.n_vals = 1;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
    small_init(&s);
    s.relation.n_roles_sid = 2;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
    small_init(&s);
    s.roles[0] = -1;
    HT_CHECK_INT(small_error(&s, &error), HT_SYNTAX);
}

/* A list whose last number lacks its end: no entity may come of it. Found by the fuzzer. */
HT_CASE(list_that_ends_within_a_number_is_refused)
{
    static const uint8_t block[] = {0x0A, 0x02, 0x0A, 0x00, /* strings: one, empty */
                                    0x12, 0x0B, 0x12, 0x09, /* group, dense nodes */
                                    0x0A, 0x01, 0xFF,       /* ids */
                                    0x42, 0x01, 0x02, 0x4A, 0x01, 0x02};
    struct pbf_file file = {0};
    struct ht_error error;
    pbf_append_header(&file, usual);
    pbf_append_packed(&file, "OSMData", block, sizeof block, PBF_RAW);
    HT_CHECK_INT(read_bytes(file.data, file.size, &error), HT_SYNTAX);
    free(file.data);
}

HT_CASE(xml_errors_name_the_line)
{
    static const struct {
        const char *text;
        enum ht_status status;
        int64_t line;
    } broken[] = {
        {"<osm>\n<node id='x' lat='1' lon='1'/>\n</osm>", HT_SYNTAX, 2},
        {"<osm>\n\n<node id='1' lat='a' lon='1'/></osm>", HT_SYNTAX, 3},
        {"<osm>\n<way id='1'>\n<nd/></way></osm>", HT_SYNTAX, 3},
        {"<osm>\n<way id='1'><tag k='a'/></way></osm>", HT_SYNTAX, 2},
        {"<osm>\n<relation id='1'>\n<member type='x' ref='1'/></relation></osm>", HT_SYNTAX, 3},
        {"<osm>\n<way id='99999999999999999999'/></osm>", HT_SYNTAX, 2},
        {"<osm>\n</node></osm>", HT_SYNTAX, 2},
        {"<osm>\n<node id='1' lat='1' lon='1'><tag k='a' v='\xFF'/></node></osm>", HT_SYNTAX, 2},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct ht_error error;
        HT_CHECK_INT(read_bytes(broken[i].text, strlen(broken[i].text), &error), broken[i].status);
        HT_CHECK_INT(error.line, broken[i].line);
        HT_CHECK(strstr(error.message, "line ") != NULL);
    }
}

HT_CASE(entities_do_not_laugh)
{
    static const char xml[] = "<?xml version='1.0'?><!DOCTYPE osm [<!ENTITY a 'haha'><!ENTITY b "
                              "'&a;&a;&a;&a;'>]><osm><node id='1' lat='1' lon='1'><tag k='a' "
                              "v='&b;'/></node></osm>";
    struct ht_error error;
    HT_CHECK_INT(read_bytes(xml, strlen(xml), &error), HT_UNSUPPORTED);
}

HT_CASE(one_endless_xml_tag_is_refused)
{
    enum { SIZE = 12 * 1024 * 1024 };
    char *xml = pbf_need(malloc(SIZE));
    memset(xml, 'x', SIZE);
    memcpy(xml, "<osm><node id='1' lat='1' lon='1'><tag k='", 42);
    struct ht_error error;
    HT_CHECK_INT(read_bytes(xml, SIZE, &error), HT_TOO_BIG);
    free(xml);
}

/* --- real files --- */

struct tally {
    size_t nodes;
    size_t ways;
    size_t relations;
    size_t bad_points;
    size_t refs;
    uint64_t done;
    uint64_t total;
    struct tally *workers; /* one for each, added up at the end */
};

static enum ht_status tally_block(void *user, const struct ht_osm_block *block, size_t worker)
{
    struct tally *tally = &((struct tally *)user)->workers[worker];
    tally->nodes += block->node_count;
    tally->ways += block->way_count;
    tally->relations += block->relation_count;
    for (size_t i = 0; i < block->node_count; i++) {
        tally->bad_points += !ht_point_valid(block->nodes[i].point);
    }
    for (size_t i = 0; i < block->way_count; i++) {
        tally->refs += block->ways[i].ref_count;
    }
    return HT_OK;
}

static void tally_progress(void *user, uint64_t done, uint64_t total)
{
    struct tally *tally = user;
    tally->done = done;
    tally->total = total;
}

/* Counts of `osmium fileinfo -e`. */
static const struct {
    const char *name;
    size_t nodes;
    size_t ways;
    size_t relations;
} real[] = {
    {"andorra.osm.pbf", 256677, 13133, 289},
    {"baltimore.osm.pbf", 51385, 7230, 168},
    {"copenhagen-kbh.osm.pbf", 132142, 15597, 379},
    {"jinan.osm.pbf", 40738, 18118, 0},
    {"milan_italy_small.osm.pbf", 262352, 69043, 2350},
    {"monaco.osm.pbf", 180118, 27377, 212},
    {"portland_small.osm.pbf", 124714, 16458, 1003},
    {"reisterstown.osm.pbf", 375263, 37292, 198},
    {"synthetic-city.osm.pbf", 2783504, 511014, 7152},
    {"north-bayreuth.osm.gz", 58631, 7801, 179},
    {"victoria.osm.bz2", 45269, 3329, 21},
};

HT_CASE(every_real_file_has_the_counts_that_osmium_gives)
{
    const char *dir = ht_data_dir();
    if (dir == NULL) {
        HT_SKIP("the data folder is missing");
    }
    struct ht_pool *pool = NULL;
    HT_REQUIRE(ht_pool_new(3, &pool) == HT_OK);
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/osm/%s", dir, real[i].name);
        struct tally workers[3] = {{0}};
        struct tally tally = {.workers = workers};
        struct ht_osm_handler handler = {.block = tally_block,
                                         .progress = tally_progress,
                                         .user = &tally,
                                         .nodes = true,
                                         .ways = true,
                                         .relations = true};
        struct ht_error error;
        if (ht_osm_read(path, i % 2 == 0 ? pool : NULL, &handler, &error) != HT_OK) {
            (void)printf("  %s: %s\n", real[i].name, error.message);
            HT_CHECK(false);
            continue;
        }
        for (size_t w = 0; w < 3; w++) {
            tally.nodes += workers[w].nodes;
            tally.ways += workers[w].ways;
            tally.relations += workers[w].relations;
            tally.bad_points += workers[w].bad_points;
            tally.refs += workers[w].refs;
        }
        HT_CHECK_INT(tally.nodes, real[i].nodes);
        HT_CHECK_INT(tally.ways, real[i].ways);
        HT_CHECK_INT(tally.relations, real[i].relations);
        HT_CHECK_INT(tally.bad_points, 0);
        HT_CHECK(tally.refs > 2 * tally.ways);
        HT_CHECK(tally.done <= tally.total && tally.done > tally.total * 9 / 10);
    }
    ht_pool_free(pool);
}

HT_MAIN()
