/* What the desk is told of visits, streets and zones, its followers answer by out of their own
 * memory: before it dies, while nobody is the desk, and as the desk. What is personal they ask it.
 */
#include <math.h>

#include "tests/support/check.h"
#include "tests/support/cluster_acts.h"

/* A way across the town, and one into the zone that is closed. */
#define ACROSS "/route/v1/car/121.70,29.95;121.73,29.96?annotations=nodes&overview=false"
#define INTO "/route/v1/car/121.700,29.950;121.713,29.952?overview=false"
#define ZONE                                                                                       \
    "{\"type\":\"Feature\",\"properties\":{\"kind\":\"%s\"},\"geometry\":{\"type\":\"Polygon\","   \
    "\"coordinates\":[[[121.708,29.948],[121.718,29.948],[121.718,29.956],[121.708,29.956],"       \
    "[121.708,29.948]]]}}"

/* The desk, and two that follow it. */
static const struct node *desk;
static const struct node *one;
static const struct node *two;

static bool cluster_stands(void)
{
    if (!cluster_begin()) {
        return false;
    }
    int at = desk_find();
    if (at < 0) {
        return false;
    }
    desk = &nodes[at];
    one = &nodes[other_than(at)];
    two = &nodes[other_than(other_than(at))];
    return role_wait(one, "\"follower\"") && role_wait(two, "\"follower\"");
}

/* The desk is gone; who asks a follower now is answered by its own memory. */
static void desk_kill(void)
{
    node_kill(&nodes[desk - nodes], SIGKILL);
}

/* A way of `path` as a node knows it: "" there is none. */
static const char *way(const struct node *node, const char *path)
{
    int status = node_get(node, path, viewer);
    bool none = status == 400 && told_has("\"NoRoute\"");
    HT_CHECK(status == 200 || none);
    return none || told.body == NULL ? "" : told.body;
}

/* Whether a node comes to know another way than that. */
static bool comes_to_know(const struct node *node, const char *path, const char *than, bool other)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if ((strcmp(way(node, path), than) != 0) == other) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

/* Two OSM nodes in the middle of an answer's way, "A,B"; "": it has none. */
static void middle_of(const char *body, char out[64])
{
    const char *at = strstr(body, "\"nodes\":[");
    const char *end = at == NULL ? NULL : strchr(at, ']');
    out[0] = '\0';
    if (end == NULL) {
        return;
    }
    at += (end - at) / 2;
    at += strcspn(at, ",") + 1;
    size_t first = strcspn(at, ",]");
    size_t size = at[first] == ',' ? first + 1 + strcspn(at + first + 1, ",]") : 0;
    (void)snprintf(out, 64, "%.*s", (int)size, at);
}

static int street_say(const struct node *node, const char *pair, bool closed)
{
    char body[160];
    const char *comma = strchr(pair, ',');
    (void)snprintf(body, sizeof body, "[{\"osm_from\":%.*s,\"osm_to\":%s,\"closed\":%s}]",
                   (int)(comma - pair), pair, comma + 1, closed ? "true" : "false");
    return node_insist(node, "POST", "/v1/traffic", as(admin, JSON), body);
}

HT_CASE(streets_that_are_closed_at_one_node_are_closed_at_all)
{
    char pair[64];
    HT_REQUIRE(cluster_stands());
    char *before = strdup(way(two, ACROSS));
    middle_of(before, pair);
    HT_REQUIRE(strchr(pair, ',') != NULL && strstr(before, pair) != NULL);
    HT_CHECK_INT(street_say(one, pair, true), 200);
    HT_CHECK(told_has("\"applied\":1,\"unmatched\":0"));
    HT_CHECK(comes_to_know(two, ACROSS, before, true));
    HT_CHECK(strstr(told.body, pair) == NULL);
    HT_CHECK(comes_to_know(one, ACROSS, before, true));
    HT_CHECK_INT(street_say(two, pair, false), 200);
    HT_CHECK(comes_to_know(one, ACROSS, before, false));
    HT_CHECK(comes_to_know(two, ACROSS, before, false));
    HT_CHECK_INT(street_say(desk, pair, true), 200);
    HT_CHECK(comes_to_know(one, ACROSS, before, true));
    HT_CHECK(comes_to_know(two, ACROSS, before, true));
    desk_kill();
    HT_CHECK(strstr(way(one, ACROSS), pair) == NULL);
    HT_CHECK(desk_find() >= 0);
    HT_CHECK(strstr(way(one, ACROSS), pair) == NULL && strstr(way(two, ACROSS), pair) == NULL);
    free(before);
    record_check();
}

static int zone_put(const struct node *node, const char *kind)
{
    char body[TEXT];
    (void)snprintf(body, sizeof body, ZONE, kind);
    return node_insist(node, "PUT", "/collections/zones/items/a", as(admin, GEO), body);
}

HT_CASE(a_zone_that_is_put_at_one_node_closes_the_way_at_all)
{
    HT_REQUIRE(cluster_stands());
    char *before = strdup(way(two, INTO));
    HT_REQUIRE(before[0] != '\0');
    HT_CHECK_INT(zone_put(one, "closed"), 201);
    HT_CHECK(comes_to_know(two, INTO, "", false));
    HT_CHECK(comes_to_know(one, INTO, "", false));
    HT_CHECK_INT(zone_put(two, "watched"), 200);
    HT_CHECK(comes_to_know(one, INTO, before, false));
    HT_CHECK_INT(zone_put(one, "closed"), 200);
    HT_CHECK(comes_to_know(two, INTO, "", false));
    HT_CHECK_INT(node_insist(two, "DELETE", "/collections/zones/items/a", admin, ""), 204);
    HT_CHECK(comes_to_know(one, INTO, before, false));
    HT_CHECK(comes_to_know(two, INTO, before, false));
    HT_CHECK_INT(zone_put(desk, "closed"), 201);
    HT_CHECK(comes_to_know(one, INTO, "", false) && comes_to_know(two, INTO, "", false));
    desk_kill();
    HT_CHECK(way(one, INTO)[0] == '\0');
    HT_CHECK(desk_find() >= 0);
    HT_CHECK(way(one, INTO)[0] == '\0' && way(two, INTO)[0] == '\0');
    free(before);
    record_check();
}

static int visit_send(const struct node *node, const char *what, const char *body)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/v1/visits%s", what);
    return node_insist(node, "POST", path, as(admin, JSON), body);
}

HT_CASE(visits_and_what_they_find_are_followed)
{
    char path[96];
    HT_REQUIRE(cluster_stands());
    HT_CHECK_INT(node_insist(one, "PUT", "/collections/factories/items/f1", as(admin, GEO),
                             "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                             "\"coordinates\":[121.713,29.95]},\"properties\":{\"risk\":3}}"),
                 201);
    HT_CHECK_INT(node_insist(one, "PUT", "/collections/units/items/i1", as(admin, GEO),
                             "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                             "\"coordinates\":[121.712,29.95]},\"properties\":{\"kind\":"
                             "\"inspector\",\"profile\":\"car\",\"status\":\"idle\"}}"),
                 201);
    HT_CHECK_INT(visit_send(one, "", "{\"id\":\"v1\",\"site\":\"f1\",\"inspector\":\"i1\"}"), 201);
    HT_CHECK(node_sees(two, "/v1/visits/v1", viewer, "\"state\":\"planned\""));
    HT_CHECK_INT(visit_send(two, "/v1/events", "{\"event\":\"promise\"}"), 200);
    HT_CHECK(node_sees(one, "/v1/visits/v1", viewer, "\"state\":\"promised\""));
    HT_CHECK_INT(visit_send(one, "/v1/result",
                            "{\"outcome\":\"rectify\",\"lon\":121.713,\"lat\":29.95,\"hazards\":"
                            "[{\"text\":\"a loose wire\",\"severity\":3}]}"),
                 200);
    const char *id = ht_json_at(told.body, "rectifications.0.id");
    HT_REQUIRE(id != NULL);
    (void)snprintf(path, sizeof path, "/v1/rectifications/%.*s", (int)strcspn(id + 1, "\""),
                   id + 1);
    HT_CHECK(node_sees(two, "/v1/visits/v1", viewer, "\"outcome\":\"rectify\""));
    HT_CHECK(node_sees(two, path, viewer, "\"state\":\"open\""));
    HT_CHECK(node_sees(one, path, viewer, "\"state\":\"open\""));
    /* lists are made of memory alone */
    HT_CHECK(node_sees(one, "/v1/visits?site=f1", viewer, "\"outcome\":\"rectify\""));
    HT_CHECK(node_sees(two, "/v1/rectifications?site=f1", viewer, "\"state\":\"open\""));
    desk_kill();
    HT_CHECK_INT(node_get(one, "/v1/visits?site=f1", viewer), 200);
    HT_CHECK(told_has("\"outcome\":\"rectify\""));
    HT_CHECK_INT(node_get(two, "/v1/rectifications?site=f1", viewer), 200);
    HT_CHECK(told_has("\"state\":\"open\""));
    HT_CHECK(desk_find() >= 0);
    HT_CHECK_INT(visit_send(one, "", "{\"id\":\"v1\",\"site\":\"f1\",\"inspector\":\"i1\"}"), 409);
    HT_CHECK_INT(visit_send(one, "", "{\"id\":\"v2\",\"site\":\"f1\",\"inspector\":\"i1\"}"), 201);
    HT_CHECK(node_sees(two, "/v1/visits/v2", viewer, "\"state\":\"planned\""));
    record_check();
}

HT_CASE(what_officers_read_of_persons_at_a_follower_leaves_its_row)
{
    static const char home[] = "/collections/households/items/h1";
    static const char rows[] = "SELECT count(*) FROM events WHERE kind = 'personal.read'";
    HT_REQUIRE(cluster_stands());
    HT_CHECK_INT(node_insist(two, "PUT", home, as(admin, GEO),
                             "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                             "\"coordinates\":[121.71,29.95]},\"properties\":{\"name\":\"Wang\"}}"),
                 201);
    HT_CHECK(node_sees(one, home, viewer, "\"h1\""));
    HT_CHECK(!told_has("Wang"));
    HT_CHECK_INT(record_number(rows), 0);
    HT_CHECK_INT(node_insist(one, "GET", home, admin, ""), 200);
    HT_CHECK(told_has("Wang"));
    HT_CHECK_INT(record_number(rows), 1);
    record_check();
}

HT_CLUSTER_MAIN()
