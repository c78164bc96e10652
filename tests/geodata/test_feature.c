/* Features: three notations, what they give, and every way of being wrong. */
#include "geodata/feature.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"

struct heard {
    struct ht_text
        text; /* "id|wkt|properties" of each feature, "! line: message" of each problem */
    size_t features;
    size_t sink_after; /* the sink refuses after so many; 0: never */
    bool go_on;
};

static enum ht_status sink(void *user, const struct ht_feature *feature)
{
    struct heard *heard = user;
    heard->features++;
    if (heard->sink_after > 0 && heard->features > heard->sink_after) {
        return HT_IO;
    }
    ht_text_addf(&heard->text, "%s|", feature->id);
    enum ht_status status = ht_geometry_write_wkt(&feature->geometry, NULL, NULL, &heard->text);
    ht_text_addf(&heard->text, "|%s\n", ht_text_string(&feature->properties));
    return heard->text.failed ? HT_NOMEM : status;
}

static bool problem(void *user, const struct ht_error *error)
{
    struct heard *heard = user;
    ht_text_addf(&heard->text, "! %d: %s\n", (int)error->line, error->message);
    return heard->go_on;
}

struct asked {
    enum ht_feature_format format;
    const char *collection;
    const char *crs;
    bool id_optional;
    uint64_t max_features;
};

static enum ht_status read_bytes(const struct asked *asked, const char *bytes, size_t size,
                                 struct heard *heard)
{
    struct ht_crs crs;
    struct ht_crs_work *work = NULL;
    struct ht_error error = {0};
    struct ht_feature_options options = {.sink = sink,
                                         .problem = problem,
                                         .user = heard,
                                         .id_optional = asked->id_optional,
                                         .max_features = asked->max_features};
    if (asked->collection != NULL) {
        options.collection = ht_collection_find(asked->collection, strlen(asked->collection));
    }
    if (asked->crs != NULL) {
        if (ht_crs_work_new(&work) != HT_OK ||
            ht_crs_parse(asked->crs, strlen(asked->crs), &crs) != HT_OK) {
            abort();
        }
        options.work = work;
        options.crs = strcmp(asked->crs, "") == 0 ? NULL : &crs;
    }
    char *copy = malloc(size + (size == 0)); /* exact, so that reading past the end is seen */
    if (copy == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    enum ht_status status = ht_feature_read(asked->format, copy, size, &options, &error);
    HT_CHECK_INT(status, error.status);
    free(copy);
    ht_crs_work_free(work);
    return status;
}

/* Reads on after problems; what comes out must be `want`. */
static void reads(struct asked asked, const char *text, const char *want)
{
    struct heard heard = {.go_on = true};
    enum ht_status status = read_bytes(&asked, text, strlen(text), &heard);
    HT_CHECK_STR(ht_text_string(&heard.text), want);
    HT_CHECK((status == HT_OK) == (strchr(want, '!') == NULL));
    ht_text_deinit(&heard.text);
}

#define FEATURE(members) "{\"type\":\"Feature\"," members "}"
#define PLACE "\"geometry\":{\"type\":\"Point\",\"coordinates\":[121.7,29.95]}"
#define COLLECTION(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"
#define GEOMETRY(text) FEATURE("\"id\":\"a\",\"geometry\":" text ",\"properties\":{}")

static const struct asked plain = {0};
static const struct asked units = {.collection = "units"};
static const struct asked households = {.collection = "households"};

/* --- GeoJSON ---------------------------------------------------------------------------------- */

HT_CASE(a_collection_is_read_in_its_order)
{
    reads(plain,
          COLLECTION(
              FEATURE("\"id\":\"a\"," PLACE ",\"properties\":{\"z\":1,\"a\":[true,null]}") "," //
              FEATURE("\"properties\":{\"id\":7},\"geometry\":null")),
          "a|POINT (121.7 29.95)|{\"z\":1,\"a\":[true,null]}\n7|POINT EMPTY|{\"id\":7}\n");
    reads(plain, COLLECTION(""), "");
}

HT_CASE(members_come_in_any_order)
{
    reads(plain,
          "\xef\xbb\xbf {\"features\":[{\"properties\":null,\"bbox\":[1,2,[3]],\"geometry\":"
          "{\"coordinates\":[[1,2],[3,4,5]],\"crs\":{\"a\":{}},\"type\":\"LineString\"},\"x\":{},"
          "\"id\":12,\"type\":\"Feature\"}],\"name\":\"n\",\"type\":\"FeatureCollection\"}",
          "12|LINESTRING (1 2,3 4)|{}\n");
    reads(plain, FEATURE("\"id\":\"one\"," PLACE), "one|POINT (121.7 29.95)|{}\n");
    reads(plain, "{\"properties\":{\"b\":2}," PLACE ",\"id\":\"one\",\"type\":\"Feature\"}",
          "one|POINT (121.7 29.95)|{\"b\":2}\n");
}

HT_CASE(every_type_of_geometry_is_read)
{
    reads(plain,
          GEOMETRY("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[9,0],[9,9],[0,0]],"
                   "[[1,1],[2,1],[2,2]]]}"),
          "a|POLYGON ((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))|{}\n");
    reads(plain,
          GEOMETRY("{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[9,0],[9,9],[0,0]]],"
                   "[[[10,10],[11,10],[11,11],[10,10]]]]}"),
          "a|MULTIPOLYGON (((0 0,9 0,9 9,0 0)),((10 10,11 10,11 11,10 10)))|{}\n");
    reads(plain, GEOMETRY("{\"type\":\"Polygon\",\"coordinates\":[]}"), "a|POINT EMPTY|{}\n");
    reads(plain, GEOMETRY("{\"type\":\"Point\",\"coordinates\":[1e1,-0.5]}"),
          "a|POINT (10 -0.5)|{}\n");
}

HT_CASE(malformed_geometries_are_named)
{
    static const char *const rows[][2] = {
        {"{\"type\":\"MultiPoint\",\"coordinates\":[[1,2]]}",
         "a geometry must be a Point, LineString, Polygon or MultiPolygon"},
        {"{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"Point\"}]}",
         "a geometry must be a Point, LineString, Polygon or MultiPolygon"},
        {"{\"coordinates\":[1,2]}",
         "a geometry must be a Point, LineString, Polygon or MultiPolygon"},
        {"{\"type\":\"Point\"}", "the geometry has no coordinates"},
        {"{\"type\":\"Point\",\"coordinates\":null}", "the geometry has no coordinates"},
        {"{\"type\":\"Point\",\"coordinates\":\"1,2\"}", "the coordinates must be a list"},
        {"{\"type\":\"Point\",\"coordinates\":{\"x\":1}}", "the coordinates must be a list"},
        {"{\"type\":\"Point\",\"coordinates\":[[1,2]]}",
         "the coordinates don't fit the geometry's type"},
        {"{\"type\":\"Polygon\",\"coordinates\":[[1,2],[3,4]]}",
         "the coordinates don't fit the geometry's type"},
        {"{\"type\":\"Point\",\"coordinates\":[1]}", "the coordinates are malformed"},
        {"{\"type\":\"Point\",\"coordinates\":[1,2,3,4,5]}", "the coordinates are malformed"},
        {"{\"type\":\"Point\",\"coordinates\":[1,[2]]}", "the coordinates are malformed"},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],3]}", "the coordinates are malformed"},
        {"{\"type\":\"LineString\",\"coordinates\":[[],[1,2]]}", "the coordinates are malformed"},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],[]]}", "the coordinates are malformed"},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],[[3,4]]]}",
         "the coordinates are malformed"},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[[1,2]]]]]}",
         "the coordinates are malformed"},
        {"{\"type\":\"Point\",\"coordinates\":[1,\"2\"]}", "a coordinate is no number"},
        {"{\"type\":\"Point\",\"coordinates\":[1,null]}", "a coordinate is no number"},
        {"{\"type\":\"Point\",\"coordinates\":[1,{\"a\":[1]}]}", "a coordinate is no number"},
        {"{\"type\":\"Point\",\"coordinates\":[1,true]}", "a coordinate is no number"},
        {"{\"type\":\"Point\",\"coordinates\":[181,2]}", "the point 181 2 is not on Earth"},
        {"{\"type\":\"Point\",\"coordinates\":[1e999,2]}", "the point inf 2 is not on Earth"},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2]]}", "a LineString can't have 1 points"},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[3,4],[1,2]]]}",
         "a ring needs at least four points, the first again as the last"},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[3,4],[5,5],[1,2]],[]]}",
         "a ring needs at least four points, the first again as the last"},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[],[[[1,2],[3,4],[5,5],[1,2]]]]}",
         "the coordinates are malformed"},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1,2],[3,4],[5,5],[1,2]]],[]]}",
         "a polygon has no ring"},
        {"{\"type\":\"Point\",\"coordinates\":[1,2],\"coordinates\":[1,2]}",
         "a member of the feature is there twice"},
        {"[1,2]", "the geometry must be an object"},
        {"\"POINT(1 2)\"", "the geometry must be an object"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ht_text text = {0};
        struct ht_text want = {0};
        /* The feature behind it must be unharmed. */
        ht_text_addf(&text, COLLECTION("\n" GEOMETRY("%s") ",\n" FEATURE("\"id\":\"b\"," PLACE)),
                     rows[i][0]);
        ht_text_addf(&want, "! 2: %s\nb|POINT (121.7 29.95)|{}\n", rows[i][1]);
        reads(plain, text.data, want.data);
        ht_text_deinit(&text);
        ht_text_deinit(&want);
    }
}

HT_CASE(features_that_are_none_are_named)
{
    static const char *const rows[][2] = {
        {"{" PLACE ",\"id\":\"a\"}", "the type must be \"Feature\""},
        {"{\"type\":\"Point\",\"id\":\"a\"," PLACE "}", "the type must be \"Feature\""},
        {"{\"type\":3,\"id\":\"a\"}", "the type must be a text"},
        {FEATURE(PLACE), "an id is missing"},
        {FEATURE("\"id\":null," PLACE), "an id is missing"},
        {FEATURE("\"id\":true," PLACE), "the id must be a text or a number"},
        {FEATURE("\"id\":[1]," PLACE), "the id must be a text or a number"},
        {FEATURE("\"id\":{}," PLACE), "the id must be a text or a number"},
        {FEATURE("\"id\":\"a b\"," PLACE), "\"a b\" is no id: 1 to 64 letters, digits or . _ : -"},
        {FEATURE("\"id\":1e+5," PLACE), "\"1e+5\" is no id: 1 to 64 letters, digits or . _ : -"},
        {FEATURE("\"properties\":{\"id\":\"\xe5\x80\x99\"}," PLACE),
         "\"\xe5\x80\x99\" is no id: 1 to 64 letters, digits or . _ : -"},
        {FEATURE("\"id\":\"a\",\"properties\":[1]"), "the properties must be an object"},
        {FEATURE("\"id\":\"a\",\"properties\":\"x\""), "the properties must be an object"},
        {FEATURE("\"id\":\"a\",\"id\":\"b\""), "a member of the feature is there twice"},
        {FEATURE("\"id\":\"a\",\"properties\":{\"b\":1,\"c\":2,\"b\":3}"),
         "the key \"b\" is there twice"},
        {FEATURE("\"id\":\"a\",\"properties\":{\"b\":[{\"c\":{\"d\":1,\"d\":2}}]}"),
         "the key \"d\" is there twice"},
        {FEATURE("\"id\":\"a\",\"properties\":{\"b\":\"x\\u0000\"}"),
         "a text holds the character NUL"},
        {FEATURE("\"id\":\"a\",\"properties\":{\"b\":\"\\udc00\"}"), "a text is not UTF-8"},
        {FEATURE("\"id\":\"a\",\"properties\":{\"\\u0000\":1}"), "a text holds the character NUL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ht_text text = {0};
        struct ht_text want = {0};
        ht_text_addf(&text, COLLECTION("%s,\n" FEATURE("\"id\":\"b\"," PLACE)), rows[i][0]);
        ht_text_addf(&want, "! 1: %s\nb|POINT (121.7 29.95)|{}\n", rows[i][1]);
        reads(plain, text.data, want.data);
        ht_text_deinit(&text);
        ht_text_deinit(&want);
    }
}

HT_CASE(texts_that_are_no_geojson_are_named)
{
    static const struct asked json = {.format = HT_FORMAT_GEOJSON};
    reads(json, "", "! 1: parse error: premature EOF\n");
    reads(json, "\n\n{\"type\":\n\"Feature\",", "! 4: parse error: premature EOF\n");
    reads(json, "{\"a\":\n1,\n}", "! 3: parse error: invalid object key (must be a string)\n");
    reads(json, FEATURE("\"id\":\"a\"") "\n" FEATURE("\"id\":\"b\""),
          "a|POINT EMPTY|{}\n! 2: parse error: trailing garbage\n");
    reads(json, "[]", "! 1: a Feature or FeatureCollection must be an object\n");
    reads(json, "7", "! 1: a Feature or FeatureCollection must be an object\n");
    reads(json, COLLECTION("7"), "! 1: a Feature or FeatureCollection must be an object\n");
    reads(json, COLLECTION("[7]"), "! 1: a Feature or FeatureCollection must be an object\n");
    reads(json, "{\"type\":\"FeatureCollection\",\"features\":{}}",
          "! 1: \"features\" must be a list\n");
    reads(json, "{\"type\":\"FeatureCollection\",\"features\":null}",
          "! 1: \"features\" must be a list\n");
    reads(json, "{\"features\":[],\"features\":[],\"type\":\"FeatureCollection\"}",
          "! 1: \"features\" is there twice\n");
    reads(json, "{\"type\":\"FeatureCollection\"}",
          "! 1: a FeatureCollection needs \"features\"\n");
    reads(json, "{\"features\":[]}", "! 1: the type must be \"FeatureCollection\"\n");
    reads(json, "{\"type\":\"Topology\",\"objects\":{}}",
          "! 1: the type must be \"Feature\" or \"FeatureCollection\"\n");
    reads(json, FEATURE("\"id\":\"\xff\""), "! 1: lexical error: invalid bytes in UTF8 string.\n");
}

HT_CASE(what_is_nested_too_deep_ends_the_reading)
{
    static const struct asked json = {.format = HT_FORMAT_GEOJSON};
    static const char *const heads[] = {"{\"x\":", "{\"geometry\":{\"coordinates\":",
                                        "{\"properties\":{\"a\":", "{\"crs\":{\"properties\":"};
    for (size_t i = 0; i < 4; i++) {
        struct ht_text text = {0};
        ht_text_add_string(&text, heads[i]);
        for (int k = 0; k < 100000; k++) {
            ht_text_add_char(&text, '[');
        }
        reads(json, text.data, "! 1: nested too deep\n");
        ht_text_deinit(&text);
    }
    struct ht_text text = {0};
    ht_text_add_string(&text, "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{\"a\":");
    for (int k = 0; k < 40; k++) {
        ht_text_add_string(&text, "[");
    }
    for (int k = 0; k < 40; k++) {
        ht_text_add_string(&text, "]");
    }
    ht_text_add_string(&text, "}}");
    reads(json, text.data, "! 1: the properties are nested deeper than 32\n");
    ht_text_deinit(&text);
}

HT_CASE(properties_stay_as_they_were_written)
{
    reads(
        plain,
        FEATURE("\"id\":\"a\",\"properties\": { \"n\" : [ 1.50 , -0 , 1e5 , 12345678901234567890 ],"
                "\"t\":\"\\u5019\\t\\\"\\/\\ud83d\\ude00\", \"o\" : { } , \"l\":[ ] }"),
        "a|POINT EMPTY|{\"n\":[1.50,-0,1e5,12345678901234567890],\"t\":\"\xe5\x80\x99\\t\\\"/"
        "\xf0\x9f\x98\x80\",\"o\":{},\"l\":[]}\n");
}

HT_CASE(sizes_have_limits)
{
    struct ht_text text = {0};
    ht_text_add_string(&text, "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{\"k\":[");
    for (int i = 0; i < HT_FEATURE_BYTES_MAX; i++) {
        ht_text_add_string(&text, "1,");
    }
    ht_text_add_string(&text, "1]}}");
    reads(plain, text.data, "! 1: the properties are larger than 1048576 bytes\n");
    ht_text_clear(&text);
    ht_text_add_string(&text, "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{");
    for (int i = 0; i < 300; i++) {
        ht_text_addf(&text, "%s\"k%d\":1", i > 0 ? "," : "", i);
    }
    ht_text_add_string(&text, "}}");
    reads(plain, text.data, "! 1: an object has more than 256 keys\n");
    ht_text_clear(&text);
    ht_text_add_string(&text, "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{\"n\":1");
    for (int i = 0; i < 500; i++) {
        ht_text_add_char(&text, '0');
    }
    ht_text_add_string(&text, "}}");
    reads(plain, text.data, "! 1: a number has more than 400 digits\n");
    ht_text_deinit(&text);
    struct asked two = {.max_features = 2};
    reads(two, FEATURE("\"id\":1") "\n" FEATURE("\"id\":2") "\n" FEATURE("\"id\":3") "\n",
          "1|POINT EMPTY|{}\n2|POINT EMPTY|{}\n! 3: there are more than 2 features\n");
}

HT_CASE(the_collection_is_obeyed_and_the_item_named)
{
    reads(units,
          COLLECTION(FEATURE("\"id\":\"u1\",\"properties\":{\"status\":\"asleep\"}") ",\n" FEATURE(
              "\"id\":\"u2\",\"properties\":{\"status\":\"idle\",\"home\":[121.7,29.95]}")),
          "! 1: units/u1: status must be one of off, idle, busy\n"
          "u2|POINT EMPTY|{\"status\":\"idle\",\"home\":[121.7,29.95]}\n");
    reads(units, FEATURE("\"properties\":{\n\"skills\":[\"a\",1]},\"id\":\"u1\"") "\n",
          "! 2: units/u1: skills must be a list of texts\n");
    reads(units, FEATURE("\"properties\":{\"skills\":3}"), "! 1: skills must be a list of texts\n");
    reads(households, FEATURE("\"id\":\"h\",\"properties\":{}"),
          "! 1: households/h: geometry must be Point\n");
    reads(households,
          FEATURE("\"id\":\"h\"," PLACE
                  ",\"properties\":{\"contacts\":[{\"name\":\"Li\",\"at\":[1]},\"x\"],\"gate\":"
                  "{\"name\":\"e\",\"hours\":\"08:00-17:00\"},\"lift\":null,\"lift2\":\"?\"}"),
          "h|POINT (121.7 29.95)|{\"contacts\":[{\"name\":\"Li\",\"at\":[1]},\"x\"],\"gate\":"
          "{\"name\":\"e\",\"hours\":\"08:00-17:00\"},\"lift\":null,\"lift2\":\"?\"}\n");
    struct asked factories = {.collection = "factories"};
    reads(
        factories,
        FEATURE("\"id\":\"f\"," PLACE ",\"properties\":{\"tenants\":[{\"id\":\"t\",\"risk\":9}]}"),
        "! 1: factories/f: tenants[0].risk must be a whole number from 1 to 4\n");
}

HT_CASE(ids_may_be_left_to_the_caller)
{
    struct asked asked = {.id_optional = true};
    reads(asked, FEATURE(PLACE), "|POINT (121.7 29.95)|{}\n");
    reads(asked, FEATURE("\"id\":\"\"," PLACE), "|POINT (121.7 29.95)|{}\n");
    reads(asked, FEATURE("\"id\":\"?\"," PLACE),
          "! 1: \"?\" is no id: 1 to 64 letters, digits or . _ : -\n");
}

HT_CASE(points_come_in_any_system)
{
    struct asked asked = {.collection = "households", .crs = "BD09"};
    reads(
        asked,
        FEATURE("\"id\":\"h\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[116.41036949371029,"
                "39.92133699351021]},\"properties\":{\"entrance\":[116.41036949371029,"
                "39.92133699351021],\"gate\":\"e\"}"),
        "h|POINT (116.3977558 "
        "39.9135962)|{\"entrance\":[116.3977558,39.9135962],\"gate\":\"e\"}\n");
    asked.crs = "EPSG:4528";
    reads(asked, FEATURE("\"id\":\"h\",\"geometry\":null,\"properties\":{\"entrance\":[1e9,1e9]}"),
          "! 1: households/h: entrance: the point is not on Earth\n");
    asked.crs = "GCJ02";
    reads(asked, "id,lon,lat\nh,121.7,95\n", "! 2: households/h: a point is not on Earth\n");
    asked.crs = "EPSG:4528";
    asked.collection = "units";
    reads(asked, "id,home\nh,\"[40567500.5,3314000.25]\"\n",
          "h|POINT EMPTY|{\"home\":[120.6991785,29.9429985]}\n");
}

HT_CASE(the_old_crs_member_is_obeyed)
{
#define NAMED(name)                                                                                \
    "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"" name "\",\"x\":{}},\"y\":[]}"
    static const char projected[] = "{\"type\":\"FeatureCollection\"," NAMED(
        "urn:ogc:def:crs:EPSG::4528") ",\"features\":[" //
                                      "{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":"
                                      "\"Point\"," //
                                      "\"coordinates\":[40567500.5,3314000.25]}}]}";
    struct asked asked = {.crs = ""}; /* a work, no system */
    reads(asked, projected, "a|POINT (120.6991785 29.9429985)|{}\n");
    reads(plain, projected, "! 1: only WGS84 is taken here, not what \"crs\" names\n");
    asked.crs = "WGS84"; /* what the caller says goes first */
    reads(asked, projected, "! 1: the point 40567500.5 3314000.25 is not on Earth\n");
    reads(plain,
          "{\"type\":\"FeatureCollection\"," NAMED(
              "urn:ogc:def:crs:OGC:1.3:CRS84") ",\"features\":[]}",
          "");
    reads(plain, "{\"type\":\"FeatureCollection\",\"features\":[]," NAMED("GCJ02") "}",
          "! 1: \"crs\" must come before the features\n");
    reads(plain, "{\"type\":\"FeatureCollection\"," NAMED("mars") ",\"features\":[]}",
          "! 1: the coordinate system named in \"crs\" is unknown\n");
    reads(plain, "{\"crs\":null,\"type\":\"FeatureCollection\",\"features\":[]}", "");
}

/* --- NDJSON ----------------------------------------------------------------------------------- */

HT_CASE(a_broken_line_costs_only_itself)
{
    reads(
        plain,
        FEATURE("\"id\":\"a\"") "\r\n\n" FEATURE("\"id\":\"b\",") "\nx\n" FEATURE("\"id\":2") "\n{",
        "a|POINT EMPTY|{}\n! 3: parse error: invalid object key (must be a string)\n"
        "! 4: lexical error: invalid char in json text.\n2|POINT EMPTY|{}\n"
        "! 6: parse error: premature EOF\n");
}

HT_CASE(text_sequences_are_read)
{
    reads(plain,
          "\x1e{\"type\":\"Feature\",\n\"id\":\"a\"}\n\x1e\x1e{\"type\":\n\"Feature\",\"id\":\"a "
          "b\"}\n"
          "\x1e{\"type\"",
          "a|POINT EMPTY|{}\n! 3: \"a b\" is no id: 1 to 64 letters, digits or . _ : -\n"
          "! 5: parse error: premature EOF\n");
}

HT_CASE(formats_are_told_apart)
{
    static const struct {
        const char *text;
        enum ht_feature_format format;
    } rows[] = {
        {"", HT_FORMAT_CSV},
        {"id,lon,lat\n", HT_FORMAT_CSV},
        {"\xef\xbb\xbfid", HT_FORMAT_CSV},
        {"\xef\xbb\xbf\n {", HT_FORMAT_GEOJSON},
        {"{\"type\":\"Feature\"}", HT_FORMAT_GEOJSON},
        {"{\"type\":\"Feature\"}\n\n", HT_FORMAT_GEOJSON},
        {"{\"type\":\"Feature\",\n\"id\":1}\n{", HT_FORMAT_GEOJSON},
        {"{\"type\":\"Feature\"}\n{\"type\":\"Feature\"}", HT_FORMAT_NDJSON},
        {"{\"a\":\"}\\\"}\"}\r\n{", HT_FORMAT_NDJSON},
        {"{\"a\":{\"features\":1}} {", HT_FORMAT_NDJSON},
        {"{\"type\":\"FeatureCollection\",\"features\":[]}{", HT_FORMAT_GEOJSON},
        {"\x1e{}", HT_FORMAT_NDJSON},
        {"[1]", HT_FORMAT_GEOJSON},
        {"[1] [", HT_FORMAT_GEOJSON},
        {"{\"a\\", HT_FORMAT_GEOJSON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HT_CHECK_INT(ht_feature_detect(rows[i].text, strlen(rows[i].text)), rows[i].format);
    }
}

/* --- CSV -------------------------------------------------------------------------------------- */

HT_CASE(cells_are_typed_by_the_table)
{
    reads(
        households,
        "id,lon,lat,address,residents,frail,contacts,devices,entrance,lift,floor,gate,other\r\n"
        "h1,121.7,29.95,\"a \"\"b\"\", c\",3,是,\"Li 138; ;王\",d1；d2 ,\"[121.7,29.95]\",NO,-1,"
        "\"{\"\"hours\"\":\"\"08:00-17:00\"\"}\",007\r\n"
        "h2, 121.7 ,29.95,,,,\"[{\"\"name\"\":\"\"Li\"\"}]\",,,1,,e, \r\n",
        "h1|POINT (121.7 29.95)|{\"address\":\"a \\\"b\\\", c\",\"residents\":3,\"frail\":true,"
        "\"contacts\":[\"Li 138\",\"王\"],\"devices\":[\"d1\",\"d2\"],\"entrance\":[121.7,29.95],"
        "\"lift\":false,\"floor\":-1,\"gate\":{\"hours\":\"08:00-17:00\"},\"other\":\"007\"}\n"
        "h2|POINT (121.7 29.95)|{\"contacts\":[{\"name\":\"Li\"}],\"lift\":true,\"gate\":\"e\"}\n");
    struct asked factories = {.collection = "factories"};
    reads(
        factories,
        "id,wkt,gap_days,tenants,open,risk\n"
        "f,\"POLYGON((0 0,1 0,1 1))\",2; 5,\"[{\"\"id\"\":\"\"t\"\", \"\"risk\"\": 2}]\","
        "Mo-Fr 08:00-17:00;Sa 08:00-12:00,4\n",
        "f|POLYGON ((0 0,1 0,1 1,0 0))|{\"gap_days\":[2,5],\"tenants\":[{\"id\":\"t\",\"risk\":2}],"
        "\"open\":[\"Mo-Fr 08:00-17:00\",\"Sa 08:00-12:00\"],\"risk\":4}\n");
    reads(units, "ID,X,Y,status,home\nu,1,2, idle ,st-1\nv,,,off,\n",
          "u|POINT (1 2)|{\"status\":\"idle\",\"home\":\"st-1\"}\nv|POINT "
          "EMPTY|{\"status\":\"off\"}\n");
}

HT_CASE(quotes_hold_commas_and_ends_of_line)
{
    reads(plain, "id,a\n1,\"x,\ny\"\"\"\n2,\"\"\n\n,\n3,z",
          "1|POINT EMPTY|{\"a\":\"x,\\ny\\\"\"}\n2|POINT EMPTY|{}\n3|POINT EMPTY|{\"a\":\"z\"}\n");
    reads(plain, "id,a\n1,\"x\ny\"\n,\"b\nad\"\n3,z\n",
          "1|POINT EMPTY|{\"a\":\"x\\ny\"}\n! 4: an id is missing\n3|POINT EMPTY|{\"a\":\"z\"}\n");
}

HT_CASE(broken_cells_are_named_with_their_line)
{
    reads(households,
          "id,lon,lat,residents,lift,contacts,entrance\n"
          "h1,121.7,x,,,,\n"
          "h2,121.7,,,,,\n"
          "h3,,,,,,\n"
          "h4,1,2,3x,,,\n"
          "h5,1,2,03,,,\n"
          "h6,1,2,.5,,,\n"
          "h7,1,2,,maybe,,\n"
          "h8,1,2,,,[1,\n"
          "h9,1,2,,,,1;2\n"
          "h10,1,2,1.5,,,\n"
          "h11,1,2,,,,\"[1]\"\n"
          "h12,1,2\n"
          "h13,1,2,,,,,,\n"
          "h 14,1,2,,,,\n"
          ",1,2,,,,\n"
          "h16,1,2,,,\"[{\"\"a\"\":1,\"\"a\"\":2}]\",\n"
          "h17,1,92,,,,\n"
          "h18,1,2,,,,\n",
          "! 2: households/h1: lat is not a number\n"
          "! 3: households/h2: lat is not a number\n"
          "! 4: households/h3: geometry must be Point\n"
          "! 5: households/h4: residents is not a number\n"
          "! 6: households/h5: residents is not a number\n"
          "! 7: households/h6: residents is not a number\n"
          "! 8: households/h7: lift must be true or false\n"
          "! 9: households/h8: contacts: no JSON: parse error: premature EOF\n"
          "! 10: households/h9: entrance must be [lon, lat]\n"
          "! 11: households/h10: residents must be a whole number from 0 to 10000\n"
          "! 12: households/h11: entrance must be [lon, lat]\n"
          "! 13: households/h12: the row has 3 cells, the header 7\n"
          "! 14: households/h13: the row has 9 cells, the header 7\n"
          "! 15: \"h 14\" is no id: 1 to 64 letters, digits or . _ : -\n"
          "! 16: an id is missing\n"
          "! 17: households/h16: contacts: the key \"a\" is there twice\n"
          "! 18: households/h17: the point 1 92 is not on Earth\n"
          "h18|POINT (1 2)|{}\n");
    reads(plain, "id,wkt\na,POINT (1 2\nb,POINT EMPTY\n",
          "! 2: WKT: \",\" or \")\" is missing at byte 11\nb|POINT EMPTY|{}\n");
}

HT_CASE(broken_rows_and_headers_are_named)
{
    reads(plain, "", "! 1: the header row is missing\n");
    reads(plain, "id,,a\n", "! 1: column 2 has no name\n");
    reads(plain, "id,a,a\n1,2,3\n", "! 1: two columns have one name\n");
    reads(plain, "id,lon\n1,2\n", "! 1: lon and lat must come together\n");
    reads(plain, "id,a\n1,b\"c\n2,\"x\"y\n3,\"z\"\n", "! 2: a quote is not closed\n");
    reads(plain, "id,a\n1,b\"c\"\n2,\"x\"y\n3,\"z\"\n",
          "! 2: a quote stands within a cell\n! 3: a quote stands within a cell\n"
          "3|POINT EMPTY|{\"a\":\"z\"}\n");
    reads(plain, "id,a\n1,\"b", "! 2: a quote is not closed\n");
    struct ht_text text = {0};
    for (int i = 0; i < 300; i++) {
        ht_text_addf(&text, "c%d,", i);
    }
    reads(plain, text.data, "! 1: the row is too long\n");
    ht_text_deinit(&text);
}

HT_CASE(gb18030_is_recognized)
{
    /* 候涛花园3幢, 㐂 (four bytes), 😀 (four bytes) */
#define GB                                                                                         \
    "\xba\xf2\xcc\xce\xbb\xa8\xd4\xb0"                                                             \
    "3\xb4\xb1"
    static const char want[] = "1|POINT EMPTY|{\"名\":\"候涛花园3幢\"}\n";
    reads(plain, "id,\xc3\xfb\n1," GB "\n", want);
    reads(plain, "\x84\x31\x95\x33id,\xc3\xfb\r\n1,\"" GB "\"\r\n", want);
    reads(plain, "\xef\xbb\xbfid,名\n1,候涛花园3幢\n", want);
    reads(plain, "id,a\n1,\x81\x39\xef\x31\x94\x39\xfc\x36\xba\xf2\n",
          "1|POINT EMPTY|{\"a\":\"㐂😀候\"}\n");
    /* What is UTF-8 but for a byte stays UTF-8. */
    reads(plain, "id,a\n1,候涛花园3幢\n2,\xff\n3,b\n",
          "1|POINT EMPTY|{\"a\":\"候涛花园3幢\"}\n! 3: the row is not UTF-8\n"
          "3|POINT EMPTY|{\"a\":\"b\"}\n");
    reads(plain, "\xef\xbb\xbfid,a\n1," GB "\n", "! 2: the row is not UTF-8\n");
    reads(plain, "id,a\n1," GB "\n2,\xff\xff\n3,\x81\n",
          "1|POINT EMPTY|{\"a\":\"候涛花园3幢\"}\n! 3: the row is not GB18030\n"
          "! 4: the row is not GB18030\n");
}

/* --- all -------------------------------------------------------------------------------------- */

HT_CASE(without_a_listener_the_first_problem_ends_it)
{
    static const char text[] = "id,a\n1,b\n?,c\n!,d\n";
    struct heard heard = {0};
    struct ht_error error = {0};
    struct ht_feature_options options = {.sink = sink, .user = &heard};
    HT_CHECK_INT(ht_feature_read(HT_FORMAT_AUTO, text, strlen(text), &options, &error), HT_INVALID);
    HT_CHECK_INT(error.line, 3);
    HT_CHECK_STR(error.message, "\"?\" is no id: 1 to 64 letters, digits or . _ : -");
    HT_CHECK_INT(heard.features, 1);
    HT_CHECK_INT(ht_feature_read(HT_FORMAT_AUTO, text, strlen(text), &options, NULL), HT_INVALID);
    ht_text_deinit(&heard.text);
}

HT_CASE(the_sink_and_the_listener_can_end_it)
{
    static const char *const texts[] = {
        "id\n1\n2\n3\n4\n",
        COLLECTION(FEATURE("\"id\":1") "," FEATURE("\"id\":2") "," FEATURE("\"id\":3")),
        FEATURE("\"id\":1") "\n" FEATURE("\"id\":2") "\n" FEATURE("\"id\":3"),
    };
    static const char *const broken[] = {
        "id\n?\n?\n3\n4\n",
        COLLECTION(FEATURE("\"id\":\"?\"") "," FEATURE("\"id\":2")),
        FEATURE("\"id\":\"?\"") "\n" FEATURE("\"id\":2"),
    };
    for (size_t i = 0; i < 3; i++) {
        struct heard heard = {.sink_after = 1};
        HT_CHECK_INT(read_bytes(&plain, texts[i], strlen(texts[i]), &heard), HT_IO);
        HT_CHECK_INT(heard.features, 2);
        ht_text_deinit(&heard.text);
        heard = (struct heard){0};
        HT_CHECK_INT(read_bytes(&plain, broken[i], strlen(broken[i]), &heard), HT_INVALID);
        HT_CHECK_INT(heard.features, 0);
        ht_text_deinit(&heard.text);
    }
}

HT_CASE(a_feature_is_written_as_it_was_read)
{
    struct ht_text out = {0};
    struct ht_text properties = {0};
    struct ht_feature feature = {.id = "a\"", .properties = properties};
    ht_geometry_init(&feature.geometry);
    HT_CHECK_INT(ht_feature_write_geojson(&feature, NULL, NULL, &out), HT_OK);
    HT_CHECK_STR(out.data,
                 "{\"type\":\"Feature\",\"id\":\"a\\\"\",\"geometry\":null,\"properties\":{}}");
    ht_text_deinit(&out);
}

HT_CASE(memory_does_not_grow_with_the_text)
{
    struct ht_text text = {0};
    for (int i = 0; i < 20000; i++) {
        ht_text_addf(
            &text, FEATURE("\"id\":%d," PLACE ",\"properties\":{\"contacts\":[\"a\",{}]}") "\n", i);
    }
    struct ht_feature_options options = {.collection = ht_collection_find("households", 10)};
    struct heard heard = {.sink_after = 0};
    options.sink = sink;
    options.user = &heard;
    ht_text_add_char(&heard.text, ' ');
    (void)ht_text_reserve(&heard.text, text.size * 2); /* no growth of ours while it reads */
    ht_oom_arm(5000000);
    long before = ht_oom_left;
    HT_CHECK_INT(ht_feature_read(HT_FORMAT_NDJSON, text.data, text.size, &options, NULL), HT_OK);
    long taken = before - ht_oom_left;
    HT_CHECK(!ht_oom_disarm());
    HT_CHECK_INT(heard.features, 20000);
    HT_CHECK(taken < 20000L * 40); /* yajl's few for each line */
    ht_text_deinit(&heard.text);
    ht_text_deinit(&text);
}

HT_CASE(each_refused_allocation_is_reported)
{
    static const char *const texts[] = {
        COLLECTION(FEATURE("\"id\":\"h\\u0031\"," PLACE
                           ",\"properties\":{\"contacts\":[{\"n\":1},\"x\\n\"],\"a\":{\"b\":[]}}")),
        FEATURE("\"id\":1," PLACE) "\n" FEATURE("\"id\":2," PLACE),
        "id,lon,lat,contacts,a\n1,2,3,\"[{\"\"n\"\":1}]\",b\n",
        "id,wkt,a\n1,POINT(1 2)," GB "\n",
    };
    for (size_t i = 0; i < 4; i++) {
        for (int n = 0;; n++) {
            struct heard heard = {0};
            struct ht_error error = {0};
            struct ht_feature_options options = {
                .sink = sink, .user = &heard, .collection = ht_collection_find("households", 10)};
            ht_oom_arm(n);
            enum ht_status status =
                ht_feature_read(HT_FORMAT_AUTO, texts[i], strlen(texts[i]), &options, &error);
            bool refused = ht_oom_disarm();
            ht_text_deinit(&heard.text);
            HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
            HT_CHECK_INT(error.status, status);
            if (!refused || n > 1000) {
                HT_CHECK(n > 8 && n < 200);
                break;
            }
        }
    }
}

HT_MAIN()
