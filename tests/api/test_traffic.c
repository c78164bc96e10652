/* Live roads over HTTP: the next answer obeys, and what was said outlives restart, map and store.
 */
#include <math.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define ROUTE "/route/v1/car/121.70,29.95;121.73,29.96?annotations=nodes,duration&overview=false"

static char store[128];
static char options[256];

static bool begin_town(bool fresh)
{
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/traffic.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s", store);
    if (fresh) {
        (void)unlink(store);
    }
    return begin(options);
}

/* Nodes of the route of now, in order; its duration in *seconds. */
static size_t route_nodes(int64_t *nodes, size_t most, double *seconds)
{
    if (get(ROUTE) != 200) {
        return 0;
    }
    const char *at = strstr(answer.body, "\"nodes\":[");
    size_t count = 0;
    for (at = at == NULL ? "" : at + 9; *at != '\0' && *at != ']' && count < most; count++) {
        char *end = NULL;
        nodes[count] = strtoll(at, &end, 10);
        at = *end == ',' ? end + 1 : end;
    }
    const char *legs = strstr(answer.body, "\"legs\"");
    const char *duration = strstr(answer.body, "\"duration\":");
    while (duration != NULL && legs != NULL && duration[11] == '[') {
        duration = strstr(duration + 1, "\"duration\":");
    }
    *seconds = duration == NULL ? 0 : strtod(duration + 11, NULL);
    return count;
}

static bool passes(const int64_t *nodes, size_t count, int64_t from, int64_t to)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (nodes[i] == from && nodes[i + 1] == to) {
            return true;
        }
    }
    return false;
}

static int say(int64_t from, int64_t to, const char *what)
{
    char body[256];
    (void)snprintf(body, sizeof body, "[{\"osm_from\":%lld,\"osm_to\":%lld,%s}]", (long long)from,
                   (long long)to, what);
    return post("/v1/traffic", JSON, body);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

enum { MOST = 4000 };
static int64_t nodes[MOST];
static int64_t other[MOST];

HT_CASE(the_next_answer_obeys_a_closure_and_its_end)
{
    double before = 0;
    double now = 0;
    HT_REQUIRE(begin_town(true));
    size_t count = route_nodes(nodes, MOST, &before);
    HT_REQUIRE(count > 10);
    int64_t from = nodes[count / 2];
    int64_t to = nodes[count / 2 + 1];
    HT_CHECK_INT(say(from, to, "\"closed\":true"), 200);
    HT_CHECK(says("\"applied\":1,\"unmatched\":0,\"unmatched_items\":[]"));
    HT_CHECK(says("\"metric\":"));
    size_t around = route_nodes(other, MOST, &now);
    HT_CHECK(around > 10 && !passes(other, around, from, to));
    HT_CHECK(now > before);
    HT_CHECK_INT(say(from, to, "\"closed\":false"), 200);
    around = route_nodes(other, MOST, &now);
    HT_CHECK_INT(around, count);
    HT_CHECK(passes(other, around, from, to) && fabs(now - before) < 0.05);
    end();
}

HT_CASE(a_slow_segment_takes_as_long_as_it_says)
{
    double before = 0;
    double now = 0;
    HT_REQUIRE(begin(""));
    HT_REQUIRE(route_nodes(nodes, MOST, &before) > 10);
    /* no way round: every segment of the way at a walk */
    char body[60000];
    size_t size = 0;
    size_t count = route_nodes(nodes, MOST, &before);
    for (size_t i = 0; i + 1 < count && size + 64 < sizeof body; i++) {
        size += (size_t)snprintf(body + size, sizeof body - size, "%lld,%lld,5\n",
                                 (long long)nodes[i], (long long)nodes[i + 1]);
    }
    HT_CHECK_INT(post("/v1/traffic", "Content-Type: text/csv\r\n", body), 200);
    HT_CHECK(says("\"unmatched\":0,"));
    HT_CHECK(route_nodes(other, MOST, &now) > 10);
    HT_CHECK(now > before); /* a way beside it, or the same at a walk */
    end();
}

HT_CASE(what_was_said_outlives_a_restart_and_a_new_map)
{
    double before = 0;
    double closed = 0;
    double now = 0;
    char body[256];
    HT_REQUIRE(begin_town(true));
    size_t count = route_nodes(nodes, MOST, &before);
    HT_REQUIRE(count > 10);
    int64_t from = nodes[count / 2];
    int64_t to = nodes[count / 2 + 1];
    HT_CHECK_INT(say(from, to, "\"closed\":true"), 200);
    HT_CHECK(route_nodes(other, MOST, &closed) > 10);
    HT_CHECK_INT(say(nodes[2], nodes[3], "\"closed\":true,\"until\":\"2020-01-01T00:00:00Z\""),
                 200);
    end();
    HT_REQUIRE(begin(options));
    size_t around = route_nodes(other, MOST, &now);
    HT_CHECK(!passes(other, around, from, to) && passes(other, around, nodes[2], nodes[3]));
    HT_CHECK(fabs(now - closed) < 0.05);
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", map);
    HT_CHECK_INT(post("/v1/network", JSON, body), 200);
    around = route_nodes(other, MOST, &now);
    HT_CHECK(!passes(other, around, from, to) && fabs(now - closed) < 0.05);
    end();
}

HT_CASE(the_same_key_gets_the_first_answer_again)
{
    static const char keyed[] = JSON "Idempotency-Key: street-1\r\n";
    static const char body[] = "[{\"osm_from\":1,\"osm_to\":2,\"closed\":true}]";
    char first[512];
    HT_REQUIRE(begin_town(true));
    HT_CHECK_INT(post("/v1/traffic", keyed, body), 200);
    HT_REQUIRE(says("\"unmatched\":1") && answer.size < sizeof first);
    (void)snprintf(first, sizeof first, "%s", answer.body);
    HT_CHECK_INT(post("/v1/traffic", keyed, body), 200);
    HT_CHECK_STR(answer.body, first);
    HT_CHECK_INT(post("/v1/traffic", keyed, "[]"), 409);
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(post("/v1/traffic", keyed, body), 200);
    HT_CHECK_STR(answer.body, first);
    end();
}

HT_CASE(a_closure_ends_at_its_time)
{
    double seconds = 0;
    HT_REQUIRE(map_make());
    (void)snprintf(options, sizeof options, "--clock 2026-03-02T08:00:00Z,0");
    HT_REQUIRE(begin(options));
    size_t count = route_nodes(nodes, MOST, &seconds);
    HT_REQUIRE(count > 10);
    int64_t from = nodes[count / 2];
    int64_t to = nodes[count / 2 + 1];
    HT_CHECK_INT(say(from, to, "\"closed\":true,\"until\":\"2026-03-02T09:00:00Z\""), 200);
    HT_CHECK(!passes(other, route_nodes(other, MOST, &seconds), from, to));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3599}"), 200);
    HT_CHECK(!passes(other, route_nodes(other, MOST, &seconds), from, to));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":2}"), 200);
    HT_CHECK(passes(other, route_nodes(other, MOST, &seconds), from, to));
    end();
}

HT_CASE(what_makes_no_sense_is_refused_and_nothing_changes)
{
    static const struct {
        const char *body;
        int status;
    } wrong[] = {
        {"", 400},
        {"{}", 400},
        {"[", 400},
        {"[7]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2}]", 422},
        {"[{\"osm_from\":1,\"closed\":true}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"closed\":1}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"speed_kmh\":-1}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"speed_kmh\":1e9}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"speed_kmh\":5,\"closed\":true}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"until\":\"soon\"}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"profiles\":[]}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"profiles\":[\"a,b\"]}]", 422},
        {"[{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"profiles\":[\"car\",\"carr\"]}]", 422},
    };
    HT_REQUIRE(begin_town(true));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int status = post("/v1/traffic", JSON, wrong[i].body);
        if (status != wrong[i].status) {
            (void)printf("  %s: %d\n", wrong[i].body, status);
        }
        HT_CHECK_INT(status, wrong[i].status);
    }
    HT_CHECK_INT(post("/v1/traffic", "Content-Type: text/csv\r\n", "1,2\n"), 400);
    HT_CHECK(says("line 1") && says("\"errors\":[{\"line\":1,\"detail\":"));
    HT_CHECK_INT(post("/v1/traffic", "Content-Type: text/csv\r\n", "1,2,30\n1,2,x\n"), 400);
    HT_CHECK(says("line 2"));
    HT_CHECK_INT(post("/v1/traffic", JSON, "[{\"osm_from\":1,\"osm_to\":2,\"closed\":true},7]"),
                 422);
    HT_CHECK(says("\"errors\":[{\"pointer\":\"/1\",\"detail\":"));
    HT_CHECK_INT(post("/v1/traffic", "Content-Type: text/plain\r\n", "1,2,30\n"), 415);
    HT_CHECK_INT(post("/v1/traffic", JSON,
                      "[{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"profiles\":[\"driving\"]},"
                      "{\"osm_from\":1,\"osm_to\":2,\"closed\":true,\"profiles\":[\"horse\"]}]"),
                 422);
    HT_CHECK(says("\"errors\":[{\"pointer\":\"/1/profiles\",\"detail\":") && says("horse"));
    HT_CHECK_INT(post("/v1/traffic", JSON, "[]"), 200);
    HT_CHECK_INT(say(1, 2, "\"closed\":true"), 200); /* nodes that no street has */
    HT_CHECK(says("\"applied\":0,\"unmatched\":1,\"unmatched_items\":[0]"));
    end();
}

HT_SERVED_MAIN()
