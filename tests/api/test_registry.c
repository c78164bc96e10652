/* The registry over HTTP, as clients meet it: items in and out, roles, two officers at once,
 * answers given twice, audits, a store that is read only. */
#include "tests/support/check.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define ITEMS "/collections/households/items"

static char store[HT_PG_URL];
static char tokens[128];

/* A server on a store of its own; `more`: further options. */
static bool begin_store(const char *more)
{
    static int number;
    char name[32];
    char options[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%d", number++);
    if (!ht_store_place(store, sizeof store, folder, name)) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static const char *feature(const char *id, const char *properties)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":%s}",
                   id, properties);
    return text;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static const char *header(const char *name)
{
    const char *value = ht_answer_header(&answer, name);
    return value == NULL ? "" : value;
}

static bool audit_holds(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    return ht_command_run(line)->code == 0;
}

HT_CASE(an_item_is_made_read_changed_and_taken_out)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{\"residents\":2,\"name\":\"王\",\"x\":1.50}")),
                 201);
    HT_CHECK_STR(header("Location"), ITEMS "/h1");
    HT_CHECK_STR(header("ETag"), "\"1\"");
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{}")), 409);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(says("\"coordinates\":[121.71,29.95]") && says("\"x\":1.50") &&
             says("\"name\":\"王\""));
    HT_CHECK_STR(header("Content-Type"), "application/geo+json");
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"residents\":3,\"x\":null,\"phone\":\"139\"}}"),
                 200);
    HT_CHECK_STR(header("ETag"), "\"2\"");
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", GEO, "{\"id\":\"h3\"}"), 422);
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", GEO, "{\"id\":null}"), 422);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(says("\"residents\":3") && !says("\"x\"") && says("\"phone\":\"139\"") &&
             says("\"name\":\"王\"") && says("121.71"));
    HT_CHECK_INT(send_body("PUT", ITEMS "/h2", GEO, feature("h3", "{}")), 422);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h2", GEO, feature("h2", "{}")), 201);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h2", GEO, feature("h2", "{\"floor\":2}")), 200);
    HT_CHECK_INT(ask("DELETE " ITEMS "/h2" HEADERS "\r\n"), 204);
    HT_CHECK_STR(header("Content-Length"), "");
    HT_CHECK_INT(ask("DELETE " ITEMS "/h2" HEADERS "\r\n"), 404);
    HT_CHECK_INT(get(ITEMS "/h2"), 404);
    HT_CHECK_INT(get("/collections/nothing/items"), 404);
    HT_CHECK_INT(get("/collections/households"), 200);
    HT_CHECK_INT(get("/conformance"), 200);
    HT_CHECK(says("ogcapi-features-1/1.0/conf/core"));
    end();
    HT_CHECK(audit_holds());
}

/* PATCHes h1 and gives what it is then; "" where it is refused. */
static const char *patched(const char *patch, int code)
{
    int got =
        send_body("PATCH", ITEMS "/h1", "Content-Type: application/merge-patch+json\r\n", patch);
    HT_CHECK_INT(got, code);
    if (got != 200 || get(ITEMS "/h1") != 200) {
        return "";
    }
    char *links = strstr(answer.body, ",\"links\"");
    HT_CHECK(links != NULL);
    return links == NULL ? "" : (*links = '\0', answer.body);
}

#define H1(place, properties)                                                                      \
    "{\"type\":\"Feature\",\"id\":\"h1\",\"geometry\":" place ",\"properties\":" properties

HT_CASE(a_patch_changes_what_it_names_in_both_halves)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, GEO,
                      feature("h1", "{\"residents\":2,\"name\":\"王\",\"x\":{\"a\":1.50,\"b\":{"
                                    "\"c\":1}},\"contacts\":[{\"name\":\"李\"}]}")),
                 201);
    HT_CHECK_STR(patched("{}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.71,29.95]}",
                    "{\"residents\":2,\"x\":{\"a\":1.50,\"b\":{\"c\":1}},\"name\":\"王\","
                    "\"contacts\":[{\"name\":\"李\"}]}"));
    /* nested, open and personal, taken out and put in */
    HT_CHECK_STR(patched("{\"properties\":{\"x\":{\"b\":{\"c\":null,\"d\":[null]},\"e\":null},"
                         "\"name\":null,\"phone\":\"139\",\"nothing\":null}}",
                         200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.71,29.95]}",
                    "{\"residents\":2,\"x\":{\"a\":1.50,\"b\":{\"d\":[null]}},"
                    "\"contacts\":[{\"name\":\"李\"}],\"phone\":\"139\"}"));
    /* the last of a half */
    HT_CHECK_STR(patched("{\"properties\":{\"residents\":null,\"x\":null}}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.71,29.95]}",
                    "{\"contacts\":[{\"name\":\"李\"}],\"phone\":\"139\"}"));
    HT_CHECK_STR(patched("{\"geometry\":{\"coordinates\":[121.72,29.96]}}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.72,29.96]}",
                    "{\"contacts\":[{\"name\":\"李\"}],\"phone\":\"139\"}"));
    HT_CHECK_STR(patched("{\"properties\":{\"contacts\":null,\"phone\":null,\"floor\":3}}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.72,29.96]}", "{\"floor\":3}"));
    HT_CHECK_STR(patched("{\"properties\":{\"floor\":\"high\"}}", 422), "");
    HT_CHECK_STR(patched("{\"properties\":null}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.72,29.96]}", "{}"));
    HT_CHECK_STR(patched("{\"properties\":{\"a\":1}}", 200),
                 H1("{\"type\":\"Point\",\"coordinates\":[121.72,29.96]}", "{\"a\":1}"));
    end();
}

HT_CASE(many_come_together_or_not_at_all)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, "Content-Type: text/csv\r\n",
                      "id,lon,lat,residents\na,121.7,29.9,2\nb,121.8,29.9,x\nc,921,29.9,1\n"),
                 400);
    HT_CHECK(says("\"line\":3") && says("\"line\":4"));
    HT_CHECK_INT(get(ITEMS), 200);
    HT_CHECK(says("\"numberMatched\":0"));
    HT_CHECK_INT(post(ITEMS, "Content-Type: text/csv\r\n",
                      "id,lon,lat,residents\na,121.7,29.9,2\nb,121.8,29.9,3\na,121.8,29.9,3\n"),
                 409);
    HT_CHECK(says("\"line\":4"));
    HT_CHECK_INT(post(ITEMS, "Content-Type: text/csv\r\n",
                      "id,lon,lat,residents\na,121.7,29.9,2\nb,121.8,29.9,3\n"),
                 201);
    HT_CHECK(says("\"created\":2"));
    HT_CHECK_INT(get(ITEMS "?limit=1"), 200);
    HT_CHECK(says("\"numberMatched\":2") && says("offset=1") && says("\"rel\":\"next\""));
    HT_CHECK_INT(get(ITEMS "?limit=1&offset=1"), 200);
    HT_CHECK(says("\"id\":\"b\"") && !says("\"rel\":\"next\""));
    HT_CHECK_INT(get(ITEMS "?bbox=121.75,29,122,30"), 200);
    HT_CHECK(says("\"numberMatched\":1") && says("\"id\":\"b\""));
    HT_CHECK_INT(get(ITEMS "?residents=2"), 200);
    HT_CHECK(says("\"numberMatched\":1") && says("\"id\":\"a\""));
    HT_CHECK_INT(get(ITEMS "?bbox=1,2,3"), 400);
    HT_CHECK_INT(get(ITEMS "?limit=0"), 400);
    HT_CHECK_INT(get(ITEMS "?crs=EPSG:99999"), 400);
    HT_CHECK_INT(get(ITEMS "?x=%zz"), 400);
    HT_CHECK_INT(post(ITEMS, "Content-Type: text/plain\r\n", "x"), 415);
    HT_CHECK_INT(post(ITEMS, GEO, "{\"type\":\"Feature\""), 400);
    end();
    HT_CHECK(audit_holds());
}

/* A square cell with corners given in thousandths of a degree beyond 121, 29. */
static const char *square(const char *id, int west, int south, int east, int north)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                   "\"coordinates\":[[[121.%03d,29.%03d],[121.%03d,29.%03d],[121.%03d,29.%03d],"
                   "[121.%03d,29.%03d],[121.%03d,29.%03d]]]},\"properties\":{\"kind\":\"grid\"}}",
                   id, west, south, east, south, east, north, west, north, west, south);
    return text;
}

HT_CASE(households_know_their_cell_and_follow_its_border)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{}")), 201); /* at 121.71, 29.95 */
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(!says("\"cell\""));
    HT_CHECK_INT(post("/collections/cells/items", GEO, square("c1", 700, 940, 720, 960)), 201);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(says("\"cell\":\"c1\""));
    HT_CHECK_INT(post(ITEMS, GEO, feature("h2", "{}")), 201);
    HT_CHECK_INT(post(ITEMS, GEO, feature("h3", "{\"cell\":\"own\"}")), 201);
    HT_CHECK_INT(get(ITEMS "?cell=c1"), 200);
    HT_CHECK(says("\"numberMatched\":2"));
    HT_CHECK_INT(post("/collections/cells/items", GEO, square("c2", 705, 945, 715, 955)), 201);
    HT_CHECK_INT(get(ITEMS "?cell=c2"), 200);
    HT_CHECK(says("\"numberMatched\":2"));
    HT_CHECK_INT(
        send_body("PUT", "/collections/cells/items/c2", GEO, square("c2", 800, 945, 815, 955)),
        200);
    HT_CHECK_INT(get(ITEMS "?cell=c1"), 200);
    HT_CHECK(says("\"numberMatched\":2"));
    HT_CHECK_INT(ask("DELETE /collections/cells/items/c1" HEADERS "\r\n"), 204);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(!says("\"cell\""));
    HT_CHECK_INT(get(ITEMS "/h3"), 200);
    HT_CHECK(says("\"cell\":\"own\""));
    end();
}

HT_CASE(a_polygon_that_crosses_itself_is_refused_with_the_place_or_mended)
{
    static const char bow[] =
        "{\"type\":\"Feature\",\"id\":\"z\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
        "[[[121.70,29.94],[121.72,29.96],[121.72,29.94],[121.70,29.96],[121.70,29.94]]]},"
        "\"properties\":{\"kind\":\"grid\"}}";
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post("/collections/cells/items", GEO, bow), 422);
    HT_CHECK(says("121.71 29.95"));
    HT_CHECK_INT(get("/collections/cells/items/z"), 404);
    HT_CHECK_INT(post("/collections/cells/items?repair=1", GEO, bow), 201);
    HT_CHECK(says("\"repaired\":true"));
    HT_CHECK_INT(get("/collections/cells/items/z"), 200);
    HT_CHECK(says("MultiPolygon"));
    end();
}

HT_CASE(of_two_officers_the_second_is_told)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{}")), 201);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO "If-Match: \"1\"\r\n", feature("h1", "{}")),
                 200);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO "If-Match: \"1\"\r\n", feature("h1", "{}")),
                 412);
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", GEO "If-Match: \"1\"\r\n", "{}"), 412);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1", "If-Match: \"1\"\r\n", ""), 412);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=1", "If-Match: \"1\"\r\n", ""), 412);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h9", GEO "If-Match: *\r\n", feature("h9", "{}")), 412);
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO "If-Match: x\r\n", feature("h1", "{}")), 400);
    /* one of several is enough, a weak one never is */
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO "If-Match: W/\"2\"\r\n", feature("h1", "{}")),
                 412);
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", GEO "If-Match: \"1\", \"x\"\r\n", "{}"), 412);
    HT_CHECK_INT(send_body("PATCH", ITEMS "/h1", GEO "If-Match: \"1\", \"2\"\r\n", "{}"), 200);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h9", "If-Match: \"3\"\r\n", ""), 404);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1", "If-Match: W/\"3\",\"3\"\r\n", ""), 204);
    /* whoever knew the item of that id before it went knows nothing of the one that came after */
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO, feature("h1", "{}")), 201);
    for (int i = 1; i <= 3; i++) {
        char match[128];
        (void)snprintf(match, sizeof match, GEO "If-Match: \"%d\"\r\n", i);
        HT_CHECK_INT(send_body("PUT", ITEMS "/h1", match, feature("h1", "{}")), 412);
    }
    HT_CHECK_INT(send_body("PUT", ITEMS "/h1", GEO "If-Match: \"4\"\r\n", feature("h1", "{}")),
                 200);
    end();
}

HT_CASE(what_is_erased_of_an_item_is_said_clearly_or_nothing_is)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{\"phone\":\"13800001234\"}")), 201);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=true", "", ""), 400);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=", "", ""), 400);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(says("13800001234"));
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=1", "If-Match: \"1\"\r\n", ""), 204);
    HT_CHECK_INT(get(ITEMS "/h1"), 200);
    HT_CHECK(!says("13800001234"));
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=0", "", ""), 204);
    HT_CHECK_INT(get(ITEMS "/h1"), 404);
    end();
}

HT_CASE(the_same_key_gets_the_same_answer_also_after_a_restart)
{
    HT_REQUIRE(begin_store(""));
    const char *key = GEO "Idempotency-Key: k1\r\n";
    HT_CHECK_INT(post(ITEMS, key, feature("h1", "{}")), 201);
    HT_CHECK_INT(post(ITEMS, key, feature("h1", "{}")), 201);
    HT_CHECK_STR(header("ETag"), "\"1\"");
    HT_CHECK_INT(post(ITEMS, key, feature("h2", "{}")), 409);
    HT_CHECK_INT(get(ITEMS "/h2"), 404);
    end();
    char options[256];
    (void)snprintf(options, sizeof options, "--store %s", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(post(ITEMS, key, feature("h1", "{}")), 201);
    HT_CHECK_STR(header("Location"), ITEMS "/h1");
    end();
}

/* Adds a token to the file and gives its header line. */
static const char *token_for(const char *name, const char *role, const char *more)
{
    static char lines[4][128];
    static int next;
    char line[512];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s %s", tokens, name, role,
                   more);
    const char *token = ht_command_run(line)->out;
    char *out = lines[next++ % 4];
    (void)snprintf(out, sizeof lines[0], "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(token, "\n"), token);
    return out;
}

static int get_as(const char *token, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", path, token);
    return ask(text);
}

HT_CASE(each_role_sees_and_does_what_is_its_own)
{
    char options[256];
    char headers[256];
    HT_REQUIRE(map_make());
    (void)snprintf(tokens, sizeof tokens, "%s/tokens", folder);
    const char *viewer = token_for("v", "viewer", "");
    const char *officer = token_for("o", "dispatcher", "");
    const char *van = token_for("d", "device", "--unit van1");
    const char *other = token_for("n", "admin", "--district next-door");
    (void)snprintf(options, sizeof options, "--tokens %s", tokens);
    HT_REQUIRE(begin_store(options));
    HT_CHECK_INT(get("/healthz"), 200);
    HT_CHECK_INT(get(ITEMS), 401);
    HT_CHECK_STR(header("WWW-Authenticate"), "Bearer");
    HT_CHECK_INT(get("/v1/me"), 401);
    HT_CHECK_INT(get_as(viewer, "/v1/me"), 200);
    HT_CHECK_STR(answer.body, "{\"name\":\"v\",\"role\":\"viewer\",\"token\":true}");
    HT_CHECK_INT(get_as(van, "/v1/me"), 200);
    HT_CHECK(says("\"role\":\"device\"") && says("\"unit\":\"van1\""));
    HT_CHECK_INT(get_as("Authorization: Bearer ht_wrong\r\n", ITEMS), 401);
    HT_CHECK_INT(get_as(other, ITEMS), 403); /* an office of another district */
    HT_CHECK(says("another district"));
    HT_CHECK_INT(get_as(other, "/v1/near?collection=units&lon=121.7&lat=29.95"), 403);
    HT_CHECK_INT(get_as(other, "/v1/events"), 403);
    HT_CHECK_INT(get_as(other, "/healthz"), 200);
    HT_CHECK_INT(get("/route/v1/car/121.70,29.95;121.73,29.96"), 401);
    HT_CHECK_INT(get_as(viewer, "/route/v1/car/121.70,29.95;121.73,29.96"), 200);
    (void)snprintf(headers, sizeof headers, GEO "%s", viewer);
    HT_CHECK_INT(post(ITEMS, headers, feature("h1", "{}")), 403);
    (void)snprintf(headers, sizeof headers, GEO "%s", van);
    HT_CHECK_INT(post(ITEMS, headers, feature("h1", "{}")), 403);
    (void)snprintf(headers, sizeof headers, GEO "%s", officer);
    HT_CHECK_INT(
        post(ITEMS, headers, feature("h1", "{\"floor\":2,\"name\":\"王\",\"frail\":true}")), 201);
    HT_CHECK_INT(get_as(viewer, ITEMS "/h1"), 200);
    HT_CHECK(says("\"floor\"") && !says("王") && !says("frail"));
    HT_CHECK_INT(get_as(viewer, ITEMS "?frail=true"), 403);
    HT_CHECK_INT(get_as(officer, ITEMS "?frail=true"), 200);
    HT_CHECK(says("王"));
    HT_CHECK_INT(get_as(officer, "/collections/units/items"), 200);
    /* a device writes its own unit: another's is not its to write, an unknown own one is a mistake
     */
    HT_CHECK_INT(get_as(van, "/osmand?id=van2&lon=121.71&lat=29.95"), 403);
    HT_CHECK(says("another unit's"));
    HT_CHECK_INT(get_as(van, "/osmand?id=van1&lon=121.71&lat=29.95"), 400);
    HT_CHECK_INT(send_body("DELETE", ITEMS "/h1?personal=1", officer, ""), 204);
    HT_CHECK_INT(get_as(officer, ITEMS "/h1"), 200);
    HT_CHECK(says("\"floor\"") && !says("王"));
    char query[256];
    (void)snprintf(query, sizeof query, ITEMS "?access_token=%.46s", viewer + 22);
    HT_CHECK_INT(get(query), 200);
    end();
    HT_CHECK(audit_holds());
}

HT_CASE(what_has_no_place_lies_in_no_box)
{
    HT_REQUIRE(begin_store(""));
    HT_CHECK_INT(post("/collections/devices/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"d1\",\"geometry\":null,"
                      "\"properties\":{\"protocol\":\"mqtt\"}}"),
                 201);
    HT_CHECK_INT(get("/collections/devices/items?bbox=121,29,122,30"), 200);
    HT_CHECK(strstr(answer.body, "\"numberMatched\":0") != NULL);
    HT_CHECK_INT(get("/collections/devices/items"), 200);
    HT_CHECK(strstr(answer.body, "\"numberMatched\":1") != NULL);
    HT_CHECK_INT(get("/v1/near?collection=devices&lon=121.7&lat=29.95"), 200);
    HT_CHECK(strstr(answer.body, "\"features\":[]") != NULL);
    end();
}

HT_CASE(without_a_store_the_streets_go_on)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get(ITEMS), 503);
    HT_CHECK_INT(post(ITEMS, GEO, feature("h1", "{}")), 503);
    HT_CHECK_INT(get("/nearest/v1/car/121.71,29.95"), 200);
    end();
}

HT_SERVED_MAIN_AFTER(HT_PG_OR_SKIP())
