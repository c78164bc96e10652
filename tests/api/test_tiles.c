/* The town as tiles, over HTTP: what the registry says lies where it says, for whom, and is not
 * sent twice. */
#include <math.h>
#include <sqlite3.h>

#include "geodata/mvt.h"
#include "tests/support/check.h"
#include "tests/support/mvt_read.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define LON 121.7123
#define LAT 29.9534

enum { ZOOM = 16 };

static char store[128];
static char tokens[128];
static char officer[128]; /* headers */
static char viewer[128];
static struct mvt_tile tile;
static uint32_t tile_x;
static uint32_t tile_y;

static bool begin_town(const char *more)
{
    static int number;
    char options[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/tiles%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static void locate(uint32_t zoom)
{
    double n = ldexp(1, (int)zoom);
    tile_x = (uint32_t)((LON + 180) / 360 * n);
    tile_y = (uint32_t)((1 - asinh(tan(LAT * M_PI / 180)) / M_PI) / 2 * n);
}

/* Asks for the tile of `layer` around the place; `headers`: whole lines. */
static int ask_tile(const char *layer, uint32_t zoom, const char *query, const char *headers)
{
    char text[1024];
    locate(zoom);
    (void)snprintf(text, sizeof text, "GET /tiles/%s/%u/%u/%u.mvt%s" HEADERS "%s\r\n", layer, zoom,
                   tile_x, tile_y, query, headers);
    return ask(text);
}

static const struct mvt_layer *layer_of(const char *name)
{
    mvt_free(&tile);
    HT_CHECK(mvt_read(answer.body, answer.size, &tile));
    return mvt_layer(&tile, name);
}

static const struct mvt_feature *feature_of(const struct mvt_layer *layer, const char *id)
{
    for (uint32_t i = 0; layer != NULL && i < layer->feature_count; i++) {
        if (mvt_is(mvt_get(layer, &layer->features[i], "id").text, id)) {
            return &layer->features[i];
        }
    }
    return NULL;
}

/* Whether its first point is where [lon, lat] lies, to a step of the tile. */
static bool lies_at(const struct mvt_feature *f, uint32_t zoom, double lon, double lat)
{
    const struct ht_mvt_frame frame = ht_mvt_frame(tile_x, tile_y, zoom);
    struct ht_mvt_point at = ht_mvt_place(
        &frame, (struct ht_point){(int32_t)lround(lon * 1e7), (int32_t)lround(lat * 1e7)});
    return abs(f->points[0][0] - at.x) <= 1 && abs(f->points[0][1] - at.y) <= 1;
}

static int put_home(const char *id, double lon, double lat, const char *properties,
                    const char *headers)
{
    char body[1024];
    char path[128];
    char with[256];
    (void)snprintf(path, sizeof path, "/collections/households/items/%s", id);
    (void)snprintf(with, sizeof with, GEO "%s", headers);
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%.7f,%.7f]},\"properties\":%s}",
                   id, lon, lat, properties);
    return send_body("PUT", path, with, body);
}

static const char *tag(void)
{
    static char kept[64];
    const char *value = ht_answer_header(&answer, "ETag");
    (void)snprintf(kept, sizeof kept, "%.60s", value == NULL ? "" : value);
    return kept;
}

HT_CASE(streets_are_drawn_once_and_asked_for_with_etags)
{
    char had[128];
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", ""), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "application/vnd.mapbox-vector-tile");
    HT_CHECK_STR(ht_answer_header(&answer, "Cache-Control"), "private, no-cache");
    const struct mvt_layer *layer = layer_of("streets");
    HT_REQUIRE(layer != NULL && layer->feature_count > 0);
    HT_CHECK(mvt_get(layer, &layer->features[0], "class").field == 1);
    size_t size = answer.size;
    (void)snprintf(had, sizeof had, "If-None-Match: \"x\", W/%s\r\n", tag());
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", had), 304);
    HT_CHECK_INT(answer.size, 0);
    HT_CHECK(strstr(had, tag()) != NULL);
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", ""), 200);
    HT_CHECK_INT(answer.size, size);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(strstr(answer.body, "houtao_tiles_cached 1\n") != NULL);
    HT_CHECK_INT(ask_tile("streets", 12, "", "Accept-Encoding: gzip\r\n"), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Encoding"), "gzip");
    HT_CHECK_INT(get("/tiles/streets/3/0/0.mvt"), 200); /* far away */
    HT_CHECK_INT(answer.size, 0);
    end();
}

HT_CASE(an_item_is_where_the_registry_says_and_moves_with_it)
{
    char had[128];
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(put_home("h1", LON, LAT, "{\"residents\":3,\"name\":\"王\",\"frail\":true}", ""),
                 201);
    HT_CHECK_INT(ask_tile("households", ZOOM, "", ""), 200);
    const struct mvt_layer *layer = layer_of("households");
    const struct mvt_feature *f = feature_of(layer, "h1");
    HT_REQUIRE(f != NULL);
    HT_CHECK(lies_at(f, ZOOM, LON, LAT));
    HT_CHECK(mvt_get(layer, f, "residents").number == 3);
    HT_CHECK_INT(f->tag_count, 2); /* and nothing that is personal */
    (void)snprintf(had, sizeof had, "If-None-Match: %s\r\n", tag());
    HT_CHECK_INT(ask_tile("households", ZOOM, "", had), 304);
    HT_CHECK_INT(put_home("h1", LON + 0.0004, LAT, "{\"residents\":4}", ""), 200);
    HT_CHECK_INT(ask_tile("households", ZOOM, "", had), 200);
    layer = layer_of("households");
    f = feature_of(layer, "h1");
    HT_REQUIRE(f != NULL);
    HT_CHECK(lies_at(f, ZOOM, LON + 0.0004, LAT));
    HT_CHECK(mvt_get(layer, f, "residents").number == 4);
    HT_CHECK_INT(ask("DELETE /collections/households/items/h1" HEADERS "\r\n"), 204);
    HT_CHECK_INT(ask_tile("households", ZOOM, "", ""), 200);
    HT_CHECK_INT(answer.size, 0);
    HT_CHECK_INT(ask_tile("households", 12, "", ""), 200); /* too small to be seen */
    HT_CHECK_INT(answer.size, 0);
    end();
}

HT_CASE(areas_and_sites_have_their_tiles)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(
        post("/collections/zones/items", GEO,
             "{\"type\":\"Feature\",\"id\":\"z1\",\"geometry\":{\"type\":\"Polygon\","
             "\"coordinates\":"
             "[[[121.7,29.9],[121.8,29.9],[121.8,30],[121.7,30],[121.7,29.9]]]},\"properties\":"
             "{\"name\":\"封控区\",\"kind\":\"closed\",\"from\":\"2090-01-01T00:00:00Z\"}}"),
        201);
    HT_CHECK_INT(
        post("/collections/factories/items", GEO,
             "{\"type\":\"Feature\",\"id\":\"f1\",\"geometry\":{\"type\":\"Point\","
             "\"coordinates\":[121.7123,29.9534]},\"properties\":{\"name\":\"园\",\"risk\":3,"
             "\"tenants\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}"),
        201);
    HT_CHECK_INT(ask_tile("zones", ZOOM, "", ""), 200);
    const struct mvt_layer *layer = layer_of("zones");
    const struct mvt_feature *f = feature_of(layer, "z1");
    HT_REQUIRE(f != NULL);
    HT_CHECK_INT(f->type, 3);
    HT_CHECK_INT(f->point_count, 4); /* it covers the tile, so this is its border */
    HT_CHECK(mvt_is(mvt_get(layer, f, "kind").text, "closed"));
    HT_CHECK(mvt_is(mvt_get(layer, f, "name").text, "封控区"));
    HT_CHECK(mvt_is(mvt_get(layer, f, "from").text, "2090-01-01T00:00:00Z"));
    HT_CHECK_INT(ask_tile("factories", 10, "", ""), 200);
    layer = layer_of("factories");
    f = feature_of(layer, "f1");
    HT_REQUIRE(f != NULL);
    HT_CHECK(lies_at(f, 10, LON, LAT));
    HT_CHECK(mvt_get(layer, f, "risk").number == 3 && mvt_get(layer, f, "tenants").number == 2);
    end();
}

HT_CASE(households_of_one_pixel_are_one_but_for_the_frail)
{
    char id[16];
    HT_REQUIRE(begin_town(""));
    for (int i = 0; i < 6; i++) {
        (void)snprintf(id, sizeof id, "h%d", i);
        HT_CHECK_INT(put_home(id, LON, LAT, i == 4 ? "{\"frail\":true}" : "{}", ""), 201);
    }
    HT_CHECK_INT(ask_tile("households", 14, "", ""), 200);
    const struct mvt_layer *layer = layer_of("households");
    HT_REQUIRE(layer != NULL);
    HT_CHECK_INT(layer->feature_count, 1);
    HT_CHECK_INT(ask_tile("households", 14, "?frail=true", ""), 200);
    layer = layer_of("households");
    HT_REQUIRE(layer != NULL);
    HT_CHECK_INT(layer->feature_count, 2);
    HT_CHECK(feature_of(layer, "h4") != NULL);
    HT_CHECK_INT(ask_tile("households", ZOOM, "", ""), 200);
    layer = layer_of("households");
    HT_REQUIRE(layer != NULL);
    HT_CHECK_INT(layer->feature_count, 6);
    end();
}

static bool token_make(const char *name, const char *role, char headers[128])
{
    char line[256];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", tokens, name, role);
    const struct ht_command_run *run = ht_command_run(line);
    (void)snprintf(headers, 128, "Authorization: Bearer %.*s\r\n", (int)strcspn(run->out, "\n"),
                   run->out);
    return run->code == 0;
}

static bool begin_guarded(void)
{
    char more[256];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/tiles.tokens", folder);
    (void)unlink(tokens);
    (void)snprintf(more, sizeof more, "--tokens %s", tokens);
    return token_make("officer", "dispatcher", officer) && token_make("guest", "viewer", viewer) &&
           begin_town(more);
}

/* How many rows of the table of events tell that tiles with persons were read. */
static int reads(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int count = -1;
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT count(*) FROM events WHERE kind = 'personal.read' AND "
                           "actor = 'officer' AND body LIKE '%\"by\":\"tile\"%'",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        count = sqlite3_column_int(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return count;
}

HT_CASE(who_is_frail_is_told_to_officers_and_noted)
{
    char had[256];
    HT_REQUIRE(begin_guarded());
    HT_CHECK_INT(put_home("h1", LON, LAT, "{\"frail\":true}", officer), 201);
    HT_CHECK_INT(put_home("h2", LON + 0.0003, LAT, "{\"frail\":false}", officer), 201);
    HT_CHECK_INT(ask_tile("households", ZOOM, "?frail=true", officer), 200);
    const struct mvt_layer *layer = layer_of("households");
    const struct mvt_feature *f = feature_of(layer, "h1");
    const struct mvt_feature *other = feature_of(layer, "h2");
    HT_REQUIRE(f != NULL && other != NULL);
    HT_CHECK(mvt_get(layer, f, "frail").number == 1);
    HT_CHECK_INT(mvt_get(layer, other, "frail").field, 0);
    HT_CHECK_INT(reads(), 1);
    (void)snprintf(had, sizeof had, "%sIf-None-Match: %s\r\n", officer, tag());
    HT_CHECK_INT(ask_tile("households", ZOOM, "?frail=true", had), 304);
    HT_CHECK_INT(reads(), 1); /* nothing was read */
    HT_CHECK_INT(ask_tile("households", ZOOM, "?frail=true", officer), 200);
    HT_CHECK_INT(reads(), 2); /* from the cache, and noted all the same */
    /* What an officer was given is not in the way of others. */
    HT_CHECK_INT(ask_tile("households", ZOOM, "", viewer), 200);
    layer = layer_of("households");
    f = feature_of(layer, "h1");
    HT_REQUIRE(f != NULL);
    HT_CHECK_INT(mvt_get(layer, f, "frail").field, 0);
    HT_CHECK_INT(ask_tile("households", ZOOM, "?frail=true", viewer), 403);
    HT_CHECK_INT(ask_tile("households", ZOOM, "?frail=true", ""), 401);
    HT_CHECK_INT(ask_tile("households", ZOOM, "", ""), 401);
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", ""), 401);
    HT_CHECK_INT(reads(), 2);
    end();
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

HT_CASE(what_is_no_tile_is_said_to_be_none)
{
    static const struct {
        const char *path;
        int status;
    } asked[] = {
        {"/tiles/units/1/0/0.mvt", 404},
        {"/tiles/devices/1/0/0.mvt", 404},
        {"/tiles/nothing/1/0/0.mvt", 404},
        {"/tiles/streets/1/2/0.mvt", 404},
        {"/tiles/streets/1/0/2.mvt", 404},
        {"/tiles/streets/23/0/0.mvt", 404},
        {"/tiles/streets/22/4194304/0.mvt", 404},
        {"/tiles/streets/22/4194303/0.mvt", 200},
        {"/tiles/streets/0/0/0.mvt", 200},
        {"/tiles/streets/00/0/0.mvt", 404},
        {"/tiles/streets/1/-1/0.mvt", 404},
        {"/tiles/streets/1/0/x.mvt", 404},
        {"/tiles/streets/1/0/99999999999999999999.mvt", 404},
        {"/tiles/streets/1/0/0.png", 404},
        {"/tiles/streets/1/0/.mvt", 404},
        {"/tiles/households/1/0/0.mvt?frail=perhaps", 400},
        {"/tiles/streets/1/0/0.mvt?frail=true", 400},
        {"/tiles/cells/1/0/0.mvt?frail=true", 400},
        {"/tiles/cells/1/0/0.mvt?frail=false", 200},
        {"/tiles/cells/1/0/0.mvt?%zz", 400},
    };
    HT_REQUIRE(begin_town(""));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        int status = get(asked[i].path);
        if (status != asked[i].status) {
            HT_CHECK_STR(asked[i].path, "as expected");
            HT_CHECK_INT(status, asked[i].status);
        }
    }
    end();
    HT_REQUIRE(begin("")); /* no store: streets alone */
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", ""), 200);
    HT_CHECK_INT(ask_tile("cells", ZOOM, "", ""), 503);
    end();
}

HT_CASE(another_map_has_other_streets)
{
    char body[256];
    char had[128];
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", ""), 200);
    (void)snprintf(had, sizeof had, "If-None-Match: %s\r\n", tag());
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", map);
    HT_CHECK_INT(post("/v1/network", "Content-Type: application/json\r\n", body), 200);
    HT_CHECK_INT(ask_tile("streets", ZOOM, "", had), 304); /* the same streets, made anew */
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(strstr(answer.body, "houtao_tiles_cached 2\n") != NULL);
    end();
}

int main(int argc, char **argv)
{
    int code = ht_run_cases(argc > 1 ? argv[1] : NULL);
    forsake();
    ht_answer_free(&answer);
    mvt_free(&tile);
    map_remove();
    return code;
}
