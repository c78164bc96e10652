/* Rounds over HTTP: planned, shown, re-planned, reported, as a calendar, by whom, and what is told
 * of what can't be planned. */
#include <math.h>
#include <unistd.h>

#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define MERGE "Content-Type: application/merge-patch+json\r\n"
#define ROUNDS "/v1/rounds"
#define BASE "\"from\":\"2026-03-02\",\"collection\":\"factories\",\"iterations\":60"

enum { SITES = 6, VISITS_MOST = 4096, MEMBERS_MOST = 160 };

static char options[512];
static int stores;

static bool is(const char *path, const char *want)
{
    bool same = answer.body != NULL && ht_json_is(answer.body, path, want);
    if (!same) {
        (void)printf("  %s is not %s: %.2000s\n", path, want,
                     answer.body == NULL ? "" : answer.body);
    }
    return same;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int count(const char *path)
{
    return answer.body == NULL ? -1 : ht_json_count_at(answer.body, path);
}

static void item_add(const char *collection, const char *id, const double place[2],
                     const char *properties)
{
    char path[96];
    char text[1024];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,%f]},\"properties\":{%s}}",
                   id, place[0], place[1], properties);
    HT_CHECK_INT(post(path, GEO, text), 201);
}

static void inspector_add(const char *id, double lon, const char *more)
{
    char properties[512];
    const double place[2] = {lon, 29.95};
    (void)snprintf(properties, sizeof properties,
                   "\"kind\":\"inspector\",\"profile\":\"car\",\"shift\":[\"Mo-Fr 08:30-17:00\"]%s",
                   more);
    item_add("units", id, place, properties);
}

static void factory_add(int i, const char *properties)
{
    char id[16];
    const double place[2] = {121.7105 + 0.0011 * i, i % 2 == 0 ? 29.951 : 29.948};
    (void)snprintf(id, sizeof id, "f%d", i);
    item_add("factories", id, place, properties);
}

/* `now`: what the clock says, and stands at. */
static bool begin_at(const char *now)
{
    if (!map_make()) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s/rounds%d.sqlite --clock %s,0", folder,
                   stores, now);
    return begin(options);
}

/* It is Sunday noon there, six factories and two inspectors. */
static bool begin_town(void)
{
    stores++;
    if (!begin_at("2026-03-01T04:00:00Z")) {
        return false;
    }
    inspector_add("i1", 121.711, "");
    inspector_add("i2", 121.714, "");
    for (int i = 0; i < SITES; i++) {
        factory_add(i, "\"service_s\":1800");
    }
    return true;
}

/* The text of a member of a visit, without its quotes; "" where it has none. */
static const char *visit_text(const char *body, int i, const char *member)
{
    static char texts[4][MEMBERS_MOST];
    static int turn;
    char path[64];
    char *out = texts[turn++ % 4];
    (void)snprintf(path, sizeof path, "visits.%d.%s", i, member);
    const char *at = ht_json_at(body, path);
    size_t size = at == NULL || *at != '"' ? 0 : strcspn(at + 1, "\"");
    (void)snprintf(out, MEMBERS_MOST, "%.*s", (int)size, at == NULL ? "" : at + 1);
    return out;
}

/* How many visits of the answer have that member so; `member` NULL: all. */
static int visits_with(const char *member, const char *want)
{
    int all = count("visits");
    int found = 0;
    for (int i = 0; i < all; i++) {
        found += member == NULL || strcmp(visit_text(answer.body, i, member), want) == 0 ? 1 : 0;
    }
    return found;
}

/* How many visits of the answer begin on a day (UTC's date, which is the day there by day). */
static int visits_on(const char *site, const char *day)
{
    int all = count("visits");
    int found = 0;
    for (int i = 0; i < all; i++) {
        bool there = site == NULL || strcmp(visit_text(answer.body, i, "site"), site) == 0;
        found += there && strncmp(visit_text(answer.body, i, "start"), day, 10) == 0 ? 1 : 0;
    }
    return found;
}

static int plan(const char *more)
{
    char body[4096];
    (void)snprintf(body, sizeof body, "{" BASE "%s}", more);
    int code = post(ROUNDS, JSON, body);
    if (code != 201 && code != 400 && code != 409 && code != 413 && code != 422) {
        (void)printf("  %d: %.600s\n", code, answer.body == NULL ? "" : answer.body);
    }
    return code;
}

/* ---- a plan ---- */

HT_CASE(a_round_is_planned_shown_and_listed)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":2,\"min_gap_days\":2") ==
               201);
    HT_CHECK(is("id", "\"march\"") && is("unplanned", "[]") && is("errors", "[]"));
    HT_CHECK_INT(count("visits"), SITES * 2 * 2);
    for (int i = 0; i < SITES; i++) {
        char site[16];
        (void)snprintf(site, sizeof site, "f%d", i);
        HT_CHECK_INT(visits_with("site", site), 4);
    }
    HT_CHECK_INT(visits_with("inspector", "i1") + visits_with("inspector", "i2"), SITES * 4);
    HT_CHECK_INT(visits_with("state", "planned"), SITES * 4);
    HT_CHECK_INT(visits_on(NULL, "2026-03-07") + visits_on(NULL, "2026-03-08"), 0);
    for (int i = 0; i < SITES * 4; i++) { /* 08:30 to 17:00 there */
        HT_CHECK(strcmp(visit_text(answer.body, i, "start") + 11, "00:30:00") >= 0);
        HT_CHECK(strcmp(visit_text(answer.body, i, "end") + 11, "09:00:00.001") <= 0);
    }
    HT_CHECK_INT(count("owners"), SITES);
    HT_CHECK(ht_json_number_at(answer.body, "summary.distance_m") > 0);
    char *made = strdup(answer.body);
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_STR(answer.body, made);
    HT_CHECK(strstr(answer.head, "ETag: \"1\"") != NULL);
    HT_CHECK_INT(get(ROUNDS "/march?inspector=i1&day=2026-03-03"), 200);
    HT_CHECK_INT(count("visits"), visits_with("inspector", "i1"));
    HT_CHECK_INT(count("visits"), visits_on(NULL, "2026-03-03"));
    HT_CHECK_INT(get(ROUNDS), 200);
    HT_CHECK(is("rounds.0.id", "\"march\"") && is("rounds.0.collection", "\"factories\""));
    HT_CHECK_INT(get(ROUNDS "/april"), 404);
    HT_CHECK_INT(get(ROUNDS "/march?day=tomorrow"), 400);
    HT_CHECK_INT(get(ROUNDS "?limit=0"), 400);
    HT_CHECK_INT(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1"), 409);
    free(made);
    end();
}

/* One site and two inspectors: however much alike hours are to be, the same one comes each time,
 * but where nobody is to keep a site. Then it is no broken wish that others come. */
HT_CASE(a_site_keeps_its_inspector_unless_told_otherwise)
{
#define ONE_SITE                                                                                   \
    ",\"weeks\":2,\"sites\":[\"f0\"],\"visits_per_week\":5,\"service_s\":14400,\"balance\":1000"
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(ONE_SITE) == 201);
    HT_CHECK_INT(count("visits"), 10);
    int first = visits_with("inspector", "i1");
    HT_CHECK(first == 0 || first == 10);
    HT_CHECK(is("unplanned", "[]") && is("broken", "[]"));
    HT_REQUIRE(plan(ONE_SITE ",\"keep\":false") == 201);
    HT_CHECK_INT(count("visits"), 10);
    first = visits_with("inspector", "i1");
    HT_CHECK(first > 0 && first < 10);
    HT_CHECK(is("unplanned", "[]") && is("broken", "[]"));
    end();
}

HT_CASE(the_same_key_gets_the_same_round)
{
    char headers[128];
    const char *body = "{" BASE ",\"weeks\":1,\"visits_per_week\":1}";
    HT_REQUIRE(begin_town());
    (void)snprintf(headers, sizeof headers, "%s%s", JSON, "Idempotency-Key: k1\r\n");
    HT_REQUIRE(post(ROUNDS, headers, body) == 201);
    char *made = strdup(answer.body);
    HT_CHECK_INT(post(ROUNDS, headers, body), 201);
    HT_CHECK_STR(answer.body, made);
    HT_CHECK_INT(post(ROUNDS, headers, "{" BASE ",\"weeks\":2,\"visits_per_week\":1}"), 409);
    HT_CHECK_INT(get(ROUNDS), 200);
    HT_CHECK_INT(count("rounds"), 1);
    free(made);
    end();
}

HT_CASE(what_the_request_leaves_out_comes_from_the_site)
{
    HT_REQUIRE(begin_town());
    factory_add(10, "\"visits_per_week\":3,\"gap_days\":[1,4],\"service_s\":600");
    factory_add(11, "\"visits_per_week\":1,\"open\":\"We 09:00-11:00\",\"service_s\":900");
    factory_add(12, "\"risk\":4");
    HT_REQUIRE(plan(",\"weeks\":1,\"sites\":[\"f10\",\"f11\",\"f12\",{\"id\":\"f0\","
                    "\"service_s\":300,\"inspector\":\"i2\",\"days\":[\"Fr\"]}]") == 201);
    HT_CHECK(is("unplanned", "[]") && is("errors", "[]"));
    HT_CHECK_INT(visits_with("site", "f10"), 3);
    HT_CHECK_INT(visits_on("f11", "2026-03-04"), 1);
    HT_CHECK_INT(visits_with("site", "f12"), 1); /* once a week, by its risk */
    HT_CHECK_INT(visits_on("f0", "2026-03-06"), 1);
    HT_CHECK_INT(count("visits"), 6);
    for (int i = 0; i < 6; i++) {
        bool ours = strcmp(visit_text(answer.body, i, "site"), "f0") != 0;
        HT_CHECK(ours || strcmp(visit_text(answer.body, i, "inspector"), "i2") == 0);
    }
    HT_REQUIRE(plan(",\"weeks\":1,\"filter\":{\"risk\":4}") == 201); /* all of that risk */
    HT_CHECK_INT(count("visits"), 1);
    HT_CHECK_INT(plan(",\"weeks\":1"), 201); /* f0 to f5 say nothing: nobody wants them seen */
    HT_CHECK(is("summary.sites", "3") && is("summary.not_wanted", "6"));
    end();
}

HT_CASE(holidays_and_days_worked_in_exchange_are_the_offices)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(send_body("PUT", "/v1/settings/calendar", JSON,
                         "{\"holidays\":[{\"from\":\"2026-03-02\",\"to\":\"2026-03-05\"}],"
                         "\"workdays\":[{\"date\":\"2026-03-07\",\"as\":\"We\"}]}") == 200);
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":2") == 201);
    HT_CHECK(is("unplanned", "[]"));
    HT_CHECK_INT(visits_on(NULL, "2026-03-06"), SITES);
    HT_CHECK_INT(visits_on(NULL, "2026-03-07"), SITES);
    /* that Saturday is a Wednesday, also where a site is seen on such days alone */
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"We\"]") == 201);
    HT_CHECK_INT(visits_on(NULL, "2026-03-07"), SITES);
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"Sa\"]") == 201);
    HT_CHECK_INT(count("visits"), 0);
    end();
}

/* ---- what is wrong ---- */

HT_CASE(bad_requests_name_each_mistake)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(post(ROUNDS, JSON, "{\"from\":"), 400);
    HT_CHECK_INT(post(ROUNDS, JSON, "[]"), 400);
    HT_CHECK(is("errors.0.pointer", "\"\""));
    HT_CHECK_INT(post(ROUNDS, JSON, "{\"weeks\":1}"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/from\"") && is("errors.1.pointer", "\"/collection\""));
    HT_CHECK_INT(
        plan(",\"weeks\":9,\"visits_per_week\":99,\"gap_days\":[5,2],\"sites\":[7,\"f1\"]"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/weeks\"") && says("\"/sites/0\"") &&
             says("\"/visits_per_week\"") && says("\"/gap_days\""));
    HT_CHECK_INT(plan(",\"weeks\":9"), 422);
    HT_CHECK_INT(plan(",\"weeks\":1,\"open\":\"sometimes\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/open\""));
    HT_CHECK_INT(plan(",\"weeks\":1,\"filter\":{\"colour\":\"red\"}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/filter/colour\""));
    HT_CHECK_INT(
        post(ROUNDS, JSON, "{\"from\":\"2026-03-02\",\"weeks\":1,\"collection\":\"zones\"}"), 422);
    HT_CHECK_INT(
        post(ROUNDS, JSON, "{\"from\":\"2026-02-02\",\"weeks\":2,\"collection\":\"factories\"}"),
        422);
    HT_CHECK(is("errors.0.pointer", "\"/from\""));
    HT_CHECK_INT(plan(",\"weeks\":1"), 422); /* nothing is to be seen */
    HT_CHECK_INT(post(ROUNDS "?crs=moon", JSON, "{" BASE ",\"weeks\":1}"), 400);
    HT_CHECK_INT(post(ROUNDS "/none/replan", JSON, "{}"), 404);
    HT_CHECK_INT(get(ROUNDS), 200);
    HT_CHECK_STR(answer.body, "{\"rounds\":[]}");
    end();
}

/* Whether the answer has an entry in a list with these two members. */
static bool has_entry(const char *list, const char *member, const char *want, const char *more,
                      const char *value)
{
    int all = count(list);
    for (int i = 0; i < all; i++) {
        char one[96];
        char two[96];
        (void)snprintf(one, sizeof one, "%s.%d.%s", list, i, member);
        (void)snprintf(two, sizeof two, "%s.%d.%s", list, i, more);
        if (ht_json_is(answer.body, one, want) && ht_json_is(answer.body, two, value)) {
            return true;
        }
    }
    (void)printf("  no %s of %s in %s: %.3000s\n", value, want, list, answer.body);
    return false;
}

HT_CASE(what_cant_be_planned_is_named_one_by_one_and_the_rest_planned)
{
    HT_REQUIRE(begin_town());
    inspector_add("i3", 121.712,
                  ",\"home\":\"nowhere\",\"leave\":[\"2026-03-03\","
                  "{\"from\":\"2026-03-02\",\"to\":\"2026-03-04\"}]");
    HT_REQUIRE(
        plan(",\"weeks\":1,\"visits_per_week\":1,"
             "\"sites\":[\"f0\",\"ghost\",{\"id\":\"f1\",\"skills\":[\"magic\"]},"
             "{\"id\":\"f2\",\"visits_per_week\":6},{\"id\":\"f3\",\"open\":\"Su 10:00-11:00\"},"
             "{\"id\":\"f4\",\"service_s\":7200,\"open\":\"Mo-Fr 10:00-11:00\"},\"f5\",\"f5\"],"
             "\"inspectors\":[\"i1\",\"nobody\",{\"id\":\"i2\",\"profile\":\"balloon\"},"
             "\"i3\"]") == 201);
    HT_CHECK(has_entry("unplanned", "site", "\"ghost\"", "reason", "\"unknown\""));
    HT_CHECK(has_entry("unplanned", "site", "\"f1\"", "reason", "\"skills\""));
    HT_CHECK(has_entry("unplanned", "site", "\"f2\"", "visits", "1"));
    HT_CHECK(has_entry("unplanned", "site", "\"f4\"", "reason", "\"short\""));
    HT_CHECK_INT(visits_with("site", "f0"), 1);
    HT_CHECK_INT(visits_with("site", "f2"), 5);
    HT_CHECK_INT(visits_with("site", "f3"), 0);
    HT_CHECK_INT(visits_with("site", "f5"), 1);
    HT_CHECK(says("\"/sites/7\"") && says("comes twice"));
    HT_CHECK(says("\"/inspectors/1\"") && says("there is no unit nobody"));
    HT_CHECK(says("\"/inspectors/2/profile\"") && says("\"/inspectors/3/home\""));
    HT_CHECK(says("\"/inspectors/3/leave\"") && says("overlap"));
    HT_CHECK(has_entry("idle", "inspector", "\"i2\"", "reason", "\"no_way\""));
    HT_CHECK_INT(visits_with("inspector", "i2"), 0);
    end();
}

HT_CASE(members_that_nobody_reads_are_named_and_the_rest_planned)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1,\"tenant\":true,\"sites\":[\"f0\",{\"id\":"
                    "\"f1\",\"visit_per_week\":2,\"crew\":1}],\"inspectors\":[{\"id\":\"i1\","
                    "\"leaves\":[],\"visits_per_day_most\":9}]") == 201);
    HT_CHECK_INT(count("visits"), 2);
    HT_CHECK_INT(count("errors"), 3);
    HT_CHECK(is("errors.0.pointer", "\"/tenant\"") &&
             is("errors.1.pointer", "\"/sites/1/visit_per_week\"") &&
             is("errors.2.pointer", "\"/inspectors/0/leaves\""));
    end();
}

HT_CASE(a_start_in_the_past_is_named_and_the_rest_planned)
{
    stores++;
    HT_REQUIRE(begin_at("2026-03-04T04:00:00Z")); /* Wednesday noon */
    inspector_add("i1", 121.711, "");
    factory_add(0, "\"service_s\":1800");
    factory_add(1, "\"service_s\":1800");
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1") == 201);
    HT_CHECK(is("errors.0.pointer", "\"/from\""));
    HT_CHECK_INT(count("visits"), 2);
    HT_CHECK_INT(visits_on(NULL, "2026-03-02") + visits_on(NULL, "2026-03-03"), 0);
    for (int i = 0; i < 2; i++) {
        HT_CHECK(strcmp(visit_text(answer.body, i, "start"), "2026-03-04T04:00:00") >= 0);
    }
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"from\":\"2026-02-23\",\"collection\":\"factories\",\"iterations\":60,"
                    "\"weeks\":2,\"visits_per_week\":1,\"sites\":[\"f0\"]}") == 201);
    HT_CHECK(is("unplanned.0.reason", "\"over\"") && is("unplanned.0.to", "\"2026-03-01\""));
    HT_CHECK(is("unplanned.0.hint", "\"1 visits more on days to come\""));
    HT_CHECK_INT(count("unplanned"), 1);
    end();
}

HT_CASE(too_much_is_refused_before_it_is_worked_on)
{
    enum { MANY = 10001, EACH = 9 };
    HT_REQUIRE(begin_town());
    char *body = malloc((size_t)MANY * EACH + 1024);
    char *request = malloc((size_t)MANY * EACH + 2048);
    HT_REQUIRE(body != NULL && request != NULL);
    size_t size = (size_t)sprintf(body, "{" BASE ",\"weeks\":8,\"sites\":[");
    for (int i = 0; i < MANY; i++) {
        size += (size_t)sprintf(body + size, "%s\"s%d\"", i == 0 ? "" : ",", i);
    }
    size += (size_t)sprintf(body + size, "]}");
    (void)sprintf(request,
                  "POST " ROUNDS " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n" JSON
                  "Content-Length: %zu\r\n\r\n%s",
                  (unsigned)port, size, body);
    HT_CHECK_INT(ask(request), 413);
    HT_CHECK(is("errors.0.pointer", "\"/sites\""));
    HT_CHECK_INT(get(ROUNDS), 200);
    free(body);
    free(request);
    end();
}

HT_CASE(more_places_than_ways_fit_for_are_refused_before_memory_is_taken)
{
    enum { MANY = 6000 };
    char csv[128];
    char line[512];
    HT_REQUIRE(map_make());
    stores++;
    (void)snprintf(csv, sizeof csv, "%s/many.csv", folder);
    FILE *file = fopen(csv, "w");
    HT_REQUIRE(file != NULL);
    (void)fprintf(file, "id,lon,lat,visits_per_week\n");
    for (int i = 0; i < MANY; i++) {
        const int row = i / 100;
        (void)fprintf(file, "m%d,%.6f,%.6f,1\n", i, 121.70 + i % 100 * 0.0002,
                      29.94 + row * 0.0002);
    }
    (void)fclose(file);
    (void)snprintf(line, sizeof line, "load --store %s/rounds%d.sqlite --collection factories %s",
                   folder, stores, csv);
    HT_REQUIRE(ht_command_run(line)->code == 0);
    HT_REQUIRE(begin_at("2026-03-01T04:00:00Z"));
    inspector_add("i1", 121.711, "");
    HT_CHECK_INT(plan(",\"weeks\":8"), 413);
    HT_CHECK(says("too many"));
    HT_CHECK_INT(plan(",\"weeks\":1,\"sites\":[\"m0\",\"m1\"]"), 201);
    HT_CHECK_INT(count("visits"), 2);
    end();
}

/* ---- territories ---- */

#define TERRITORIES "/v1/territories"

HT_CASE(sites_are_divided_by_way_load_and_wishes)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(post(TERRITORIES, JSON, "{\"collection\":\"factories\",\"visits_per_week\":1}") ==
               200);
    int all = count("territories.0.sites") + count("territories.1.sites");
    HT_CHECK_INT(all, SITES);
    HT_CHECK(count("territories.0.sites") > 0 && count("territories.1.sites") > 0);
    HT_CHECK(is("unassigned", "[]") && is("errors", "[]") && is("summary.inspectors", "2"));
    HT_CHECK(is("territories.0.sites.0.visits", "4"));
    HT_CHECK(says("\"why\":\"nearest\"") || says("\"why\":\"balance\""));
    /* skills that nobody has, and one who is given */
    HT_REQUIRE(post(TERRITORIES, JSON,
                    "{\"collection\":\"factories\",\"visits_per_week\":1,\"sites\":[{\"id\":\"f0\","
                    "\"skills\":[\"magic\"]},{\"id\":\"f1\",\"inspector\":\"i2\"},\"ghost\"]}") ==
               200);
    HT_CHECK(is("territories.0.sites", "[]") && is("territories.1.sites.0.why", "\"given\""));
    HT_CHECK(is("unassigned.0.reason", "\"skills\"") && is("unassigned.1.site", "\"ghost\""));
    end();
}

HT_CASE(posts_are_matched_so_that_nobody_would_rather_swap)
{
    HT_REQUIRE(begin_town());
    inspector_add("i3", 121.712, "");
    HT_REQUIRE(
        post(TERRITORIES, JSON,
             "{\"collection\":\"factories\",\"visits_per_week\":1,\"posts\":[{\"id\":\"east\","
             "\"wanted\":[\"i2\",\"i1\",\"i3\"],\"sites\":[\"f0\",\"f1\"]},{\"id\":\"west\","
             "\"wanted\":[\"i1\",\"i3\"],\"sites\":[\"f2\"]}],\"inspectors\":[{\"id\":"
             "\"i1\",\"wanted\":[\"east\",\"west\"]},{\"id\":\"i2\",\"wanted\":[\"east\"]},"
             "{\"id\":\"i3\",\"wanted\":[\"west\",\"east\"]}]}") == 200);
    HT_CHECK(is("matches.0.inspector", "\"i1\"") && is("matches.0.post", "\"west\"") &&
             is("matches.0.wish", "2") && is("matches.0.rank", "1"));
    HT_CHECK(is("matches.1.inspector", "\"i2\"") && is("matches.1.post", "\"east\"") &&
             is("without", "[\"i3\"]"));
    HT_CHECK(says("{\"site\":\"f2\"") && is("unassigned", "[]"));
    for (int s = 0; s < count("territories.2.sites"); s++) { /* i3 has none of a post's */
        char path[64];
        (void)snprintf(path, sizeof path, "territories.2.sites.%d.site", s);
        HT_CHECK(!ht_json_is(answer.body, path, "\"f0\"") &&
                 !ht_json_is(answer.body, path, "\"f1\"") &&
                 !ht_json_is(answer.body, path, "\"f2\""));
    }
    HT_CHECK_INT(post(TERRITORIES, JSON, "[]"), 400);
    HT_CHECK_INT(post(TERRITORIES, JSON, "{}"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/collection\""));
    HT_CHECK_INT(
        post(TERRITORIES, JSON,
             "{\"collection\":\"factories\",\"visits_per_week\":1,\"posts\":[{\"id\":\"p\","
             "\"wanted\":[\"i9\",\"i1\",\"i1\"],\"sites\":[\"f77\"],\"places\":0}]}"),
        422);
    HT_CHECK(is("errors.0.pointer", "\"/posts/0/places\"") &&
             is("errors.1.pointer", "\"/posts/0/wanted/0\"") &&
             is("errors.2.pointer", "\"/posts/0/wanted/2\"") &&
             is("errors.3.pointer", "\"/posts/0/sites/0\""));
    end();
}

/* ---- over time ---- */

static int replan(const char *body)
{
    return post(ROUNDS "/march/replan", JSON, body);
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
}

static int report_visit(const char *id, const char *more)
{
    char path[MEMBERS_MOST + 32];
    (void)snprintf(path, sizeof path, "/v1/visits/%s/result", id);
    return post(path, JSON, more);
}

/* Reports all visits of the answer that begin on a day as done, or as `outcome` says. */
static int report_day(const char *day, const char *outcome)
{
    int reported = 0;
    char *body = strdup(answer.body);
    int all = count("visits");
    for (int i = 0; i < all; i++) {
        char text[256];
        char id[MEMBERS_MOST];
        if (strncmp(visit_text(body, i, "start"), day, 10) != 0) {
            continue;
        }
        (void)snprintf(id, sizeof id, "%s", visit_text(body, i, "id"));
        (void)snprintf(text, sizeof text,
                       "{\"outcome\":\"%s\",\"at\":\"%s\",\"reason\":\"phone was out\"}", outcome,
                       visit_text(body, i, "start"));
        int code = report_visit(id, text);
        HT_CHECK_INT(code, 200);
        reported += code == 200 ? 1 : 0;
    }
    free(body);
    return reported;
}

HT_CASE(a_round_survives_kill_9)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":2") == 201);
    char *made = strdup(answer.body);
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    child = -1;
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_STR(answer.body, made);
    HT_CHECK_INT(replan("{}"), 200);
    HT_CHECK(is("version", "2") && is("summary.moved", "0"));
    HT_CHECK_INT(count("visits"), SITES * 2);
    free(made);
    end();
}

HT_CASE(a_replan_keeps_what_was_and_moves_what_a_sick_inspector_had)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":2") == 201);
    int monday = visits_on(NULL, "2026-03-02");
    HT_REQUIRE(monday > 0);
    advance(3600 * (24 + 11)); /* Monday night there */
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_INT(report_day("2026-03-02", "done"), monday);
    advance(3600); /* Tuesday */
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    char *before = strdup(answer.body);
    HT_REQUIRE(replan("{\"inspectors\":[{\"id\":\"i1\",\"leave\":[{\"from\":\"2026-03-03\",\"to\":"
                      "\"2026-03-04\"}]}]}") == 200);
    HT_CHECK_INT(count("visits"), SITES * 4);
    HT_CHECK_INT(visits_with("state", "done"), monday);
    for (int i = 0; i < SITES * 4; i++) {
        const char *start = visit_text(answer.body, i, "start");
        bool off = strncmp(start, "2026-03-03", 10) == 0 || strncmp(start, "2026-03-04", 10) == 0;
        HT_CHECK(!off || strcmp(visit_text(answer.body, i, "inspector"), "i1") != 0);
    }
    HT_CHECK(ht_json_number_at(answer.body, "summary.kept") > 0);
    char *after = strdup(answer.body);
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_STR(answer.body, after);
    HT_CHECK_INT(replan(""), 200); /* the leave is remembered */
    HT_CHECK(is("version", "3") && is("summary.moved", "0"));
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, "{\"from\":7}"), 400);
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, "{\"sites\":[\"f1\"],\"inspecters\":[]}"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/sites\"") && is("errors.1.pointer", "\"/inspecters\""));
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON,
                      "{\"inspectors\":[{\"id\":\"i7\",\"leave\":[\"2026-03-05\"]}]}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/inspectors/0\"") && says("there is no unit i7"));
    static char nested[20000] = "{\"from\":";
    memset(nested + 8, '[', sizeof nested - 9);
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, nested), 400);
    advance(3600 * 24 * 30);
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, "{}"), 422);
    free(before);
    free(after);
    end();
}

HT_CASE(what_was_missed_is_planned_anew_and_keeps_its_place_in_the_report)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"Mo\",\"Tu\","
                    "\"We\"],\"inspectors\":[\"i1\"]") == 201);
    int monday = visits_on(NULL, "2026-03-02");
    int tuesday = visits_on(NULL, "2026-03-03");
    int wednesday = visits_on(NULL, "2026-03-04");
    HT_CHECK_INT(monday + tuesday + wednesday, SITES);
    HT_REQUIRE(monday > 0);
    advance(3600 * (24 + 12)); /* Tuesday, midnight there */
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_INT(report_day("2026-03-02", "missed"), monday);
    HT_REQUIRE(replan("{}") == 200);
    HT_CHECK_INT(count("visits"), SITES + monday);
    HT_CHECK_INT(visits_with("state", "missed"), monday);
    HT_CHECK_INT(get(ROUNDS "/march/report"), 200);
    char want[16];
    (void)snprintf(want, sizeof want, "%d", monday);
    HT_CHECK(is("totals.missed", want) && is("totals.done", "0"));
    (void)snprintf(want, sizeof want, "%d", SITES);
    HT_CHECK(is("totals.ahead", want) && is("totals.overdue", "0"));
    end();
}

static int64_t seconds_of(const char *text)
{
    int64_t ms = 0;
    return ht_time_parse(text, strlen(text), &ms) ? ms / 1000 : -1;
}

/* One that lives far away, all of whose visits are near each other: what is left of Monday begins
 * there, so nothing moves, nobody drives home at noon, and no way counts twice. */
HT_CASE(a_day_that_is_planned_anew_at_noon_goes_on_from_where_the_inspector_is)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"Mo\"],"
                    "\"inspectors\":[{\"id\":\"i1\",\"home\":[121.75,29.98]}]") == 201);
    HT_REQUIRE(visits_on(NULL, "2026-03-02") == SITES);
    HT_CHECK_INT(count("tours"), 1);
    double km = ht_json_number_at(answer.body, "summary.distance_m");
    double travel_s = ht_json_number_at(answer.body, "summary.travel_s");
    char *before = strdup(answer.body);
    /* in the middle of the third visit */
    int64_t third_s = seconds_of(visit_text(before, 2, "start"));
    advance((int)(third_s + 600 - seconds_of("2026-03-01T04:00:00Z")));
    for (int i = 0; i < 2; i++) {
        char text[256];
        (void)snprintf(
            text, sizeof text,
            "{\"outcome\":\"done\",\"at\":\"%s\",\"until\":\"%s\",\"reason\":\"no gps\"}",
            visit_text(before, i, "start"), visit_text(before, i, "end"));
        HT_CHECK_INT(report_visit(visit_text(before, i, "id"), text), 200);
    }
    HT_REQUIRE(replan("{}") == 200);
    HT_CHECK(is("summary.moved", "0") && is("unplanned", "[]"));
    HT_CHECK_INT(count("visits"), SITES);
    for (int i = 0; i < SITES; i++) {
        HT_CHECK_STR(visit_text(answer.body, i, "start"), visit_text(before, i, "start"));
        HT_CHECK_STR(visit_text(answer.body, i, "site"), visit_text(before, i, "site"));
    }
    HT_CHECK_INT((int)ht_json_number_at(answer.body, "summary.distance_m"), (int)km);
    HT_CHECK_INT((int)ht_json_number_at(answer.body, "summary.travel_s"), (int)travel_s);
    HT_CHECK_INT(count("tours"), 2);
    HT_CHECK(is("tours.0.visits", "3") && is("tours.1.visits", "3"));
    HT_REQUIRE(replan("{}") == 200); /* and again: the same */
    HT_CHECK_INT((int)ht_json_number_at(answer.body, "summary.distance_m"), (int)km);
    HT_CHECK_INT(get(ROUNDS "/march/report"), 200);
    HT_CHECK_INT(lround(ht_json_number_at(answer.body, "totals.km_planned") * 10),
                 lround(km / 100));
    free(before);
    end();
}

/* Who comes second goes on from what the first made. */
HT_CASE(two_who_replan_at_once_are_both_heard)
{
    static const char leave[] =
        "{\"iterations\":1000000000,\"limit_ms\":1500,\"inspectors\":[{\"id\":"
        "\"i1\",\"leave\":[\"2026-03-03\"]}]}";
    char text[512];
    struct ht_client other;
    struct ht_answer heard = {.body = NULL};
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":8,\"visits_per_week\":5") == 201);
    HT_REQUIRE(ht_client_open(&other, port));
    (void)snprintf(text, sizeof text,
                   "POST " ROUNDS "/march/replan HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n" JSON
                   "Content-Length: %zu\r\n\r\n%s",
                   (unsigned)port, strlen(leave), leave);
    HT_CHECK(ht_client_text(&other, text));
    (void)usleep(300000);
    HT_CHECK_INT(replan("{\"iterations\":10}"), 200);
    int version = (int)ht_json_number_at(answer.body, "version");
    HT_CHECK_INT(ht_client_read(&other, &heard, false), 200);
    HT_CHECK_INT(version + (int)ht_json_number_at(heard.body, "version"), 2 + 3);
    ht_answer_free(&heard);
    ht_client_close(&other);
    HT_CHECK_INT(get(ROUNDS "/march?inspector=i1&day=2026-03-03"), 200);
    HT_CHECK_INT(count("visits"), 0); /* whoever was first */
    end();
}

/* ---- by itself ---- */

/* Whether the round comes to have a visit for such a purpose; that it takes long is no failure. */
static int visit_comes(const char *path, const char *purpose)
{
    for (int waited = 0; waited < 60000; waited += 100) {
        if (get(path) == 200) {
            for (int i = 0; i < count("visits"); i++) {
                if (strcmp(visit_text(answer.body, i, "purpose"), purpose) == 0) {
                    return i;
                }
            }
        }
        (void)usleep(100000);
    }
    return -1;
}

/* Whether the round march comes to have so many. */
static bool visits_come(int want)
{
    int found = -1;
    for (int waited = 0; waited < 60000 && found != want; waited += 100) {
        found = get(ROUNDS "/march") == 200 ? count("visits") : -1;
        (void)usleep(found == want ? 0 : 100000);
    }
    if (found != want) {
        (void)printf("  %d visits, not %d\n", found, want);
    }
    return found == want;
}

HT_CASE(what_nobody_reported_is_planned_anew_by_the_clock_alone)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"Mo\",\"Tu\","
                    "\"We\"],\"inspectors\":[\"i1\"]") == 201);
    int monday = visits_on(NULL, "2026-03-02");
    HT_REQUIRE(monday > 0);
    advance(3600 * (24 + 12)); /* Tuesday, midnight there, and nobody says a word */
    HT_REQUIRE(visits_come(SITES + monday));
    HT_CHECK_INT(visits_on(NULL, "2026-03-02"), monday);
    HT_CHECK(is("version", "2"));
    (void)usleep(2500000); /* and that is all: it is not planned again and again */
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK(is("version", "2"));
    end();
}

HT_CASE(in_lockstep_what_was_missed_is_planned_anew_within_the_clock)
{
    char *made[2] = {NULL, NULL};
    for (int day = 0; day < 2; day++) { /* the same day gives the same plans */
        HT_REQUIRE(begin_town());
        HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":0,\"lockstep\":true}"), 200);
        HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"days\":[\"Mo\","
                        "\"Tu\",\"We\"],\"inspectors\":[\"i1\"]") == 201);
        int monday = visits_on(NULL, "2026-03-02");
        HT_REQUIRE(monday > 0);
        advance(3600 * (24 + 12)); /* Tuesday, midnight there: it is planned when that answers */
        HT_CHECK_INT(get(ROUNDS "/march"), 200);
        HT_CHECK_INT(count("visits"), SITES + monday);
        HT_CHECK(is("version", "2"));
        HT_CHECK_INT(get(ROUNDS "/march?day=2026-03-04"), 200);
        const char *at = ht_json_at(answer.body, "visits");
        made[day] = at == NULL ? NULL : strndup(at, strcspn(at, "]"));
        advance(60);
        HT_CHECK_INT(get(ROUNDS "/march"), 200);
        HT_CHECK(is("version", "2")); /* and that is all */
        end();
    }
    HT_CHECK(made[0] != NULL && made[1] != NULL && strcmp(made[0], made[1]) == 0);
    free(made[0]);
    free(made[1]);
}

static int find_two(const char *id)
{
    return report_visit(id, "{\"outcome\":\"rectify\",\"reason\":\"phone was out\",\"hazards\":["
                            "{\"text\":\"door blocked\",\"severity\":3,\"due\":\"2026-03-12\"},"
                            "{\"text\":\"wires\",\"severity\":2,\"due\":\"2026-03-10\"}]}");
}

HT_CASE(one_re_visit_sees_all_that_was_found_at_a_site)
{
    char id[MEMBERS_MOST];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":1,\"sites\":[\"f0\"]") ==
               201);
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, 0, "id"));
    advance(3600 * (24 + 11));
    HT_REQUIRE(find_two(id) == 200);
    int at = visit_comes(ROUNDS "/march", "revisit");
    HT_REQUIRE(at >= 0);
    HT_CHECK(strcmp(visit_text(answer.body, at, "end"), "2026-03-10T16:00:00") < 0);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 1);
    (void)snprintf(id, sizeof id, "\"%s\"", visit_text(answer.body, at, "id"));
    HT_CHECK_INT(get("/v1/rectifications"), 200);
    HT_CHECK(is("rectifications.0.revisit", id) && is("rectifications.1.revisit", id));
    HT_CHECK_INT(get("/v1/rectifications/wanted"), 200);
    HT_CHECK_INT(count("wanted"), 0);
    end();
}

/* It is Monday, ten to nine, and Tuesday night is the date: Tuesday is left to see it again, which
 * leaves a day to mend it. */
HT_CASE(what_has_a_short_date_is_not_seen_again_on_its_day)
{
    char id[MEMBERS_MOST];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"sites\":[\"f0\"]") ==
               201);
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, 0, "id"));
    advance(3600 * 20 + 3000);
    HT_REQUIRE(report_visit(id, "{\"outcome\":\"rectify\",\"reason\":\"phone was out\",\"hazards\":"
                                "[{\"text\":\"door blocked\",\"severity\":4,\"due\":"
                                "\"2026-03-03\"}]}") == 200);
    int at = visit_comes(ROUNDS "/march", "revisit");
    HT_REQUIRE(at >= 0);
    HT_CHECK(strncmp(visit_text(answer.body, at, "start"), "2026-03-03", 10) == 0);
    end();
}

/* Whether two visits of an inspector, one of the answer and one of another, are at one time. */
static bool overlap(const char *other)
{
    int all = count("visits");
    int others = ht_json_count_at(other, "visits");
    for (int i = 0; i < all; i++) {
        for (int k = 0; k < others; k++) {
            char who[MEMBERS_MOST];
            char from[MEMBERS_MOST];
            char to[MEMBERS_MOST];
            (void)snprintf(who, sizeof who, "%s", visit_text(answer.body, i, "inspector"));
            (void)snprintf(from, sizeof from, "%s", visit_text(answer.body, i, "start"));
            (void)snprintf(to, sizeof to, "%s", visit_text(answer.body, i, "end"));
            if (strcmp(who, visit_text(other, k, "inspector")) == 0 &&
                strcmp(visit_text(other, k, "start"), to) < 0 &&
                strcmp(from, visit_text(other, k, "end")) < 0) {
                return true;
            }
        }
    }
    return false;
}

HT_CASE(rounds_that_share_inspectors_leave_each_other_their_hours)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":3,\"days\":[\"Mo\",\"Tu\","
                    "\"We\"],\"service_s\":3600,\"inspectors\":[\"i1\"]") == 201);
    HT_CHECK_INT(count("visits"), SITES * 3);
    char *first = strdup(answer.body);
    HT_REQUIRE(plan(",\"id\":\"more\",\"weeks\":1,\"visits_per_week\":3,\"days\":[\"Mo\",\"Tu\","
                    "\"We\"],\"service_s\":3600,\"inspectors\":[\"i1\"]") == 201);
    HT_CHECK(count("visits") > 0 && count("visits") < SITES * 3);
    HT_CHECK(count("unplanned") > 0);
    HT_CHECK(!overlap(first));
    HT_CHECK_INT(post(ROUNDS "/more/replan", JSON, "{}"), 200);
    HT_CHECK(!overlap(first));
    free(first);
    end();
}

/* Promised visits, too: nobody else would know that he is to go. */
HT_CASE(what_an_ill_inspector_promised_is_somebody_elses)
{
    char path[MEMBERS_MOST + 32];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":2") == 201);
    int all = count("visits");
    int mine = 0;
    while (mine < all && strcmp(visit_text(answer.body, mine, "inspector"), "i1") != 0) {
        mine++;
    }
    HT_REQUIRE(mine < all);
    (void)snprintf(path, sizeof path, "/v1/visits/%s", visit_text(answer.body, mine, "id"));
    (void)strcat(path, "/events");
    HT_CHECK_INT(post(path, JSON, "{\"event\":\"promise\"}"), 200);
    HT_REQUIRE(replan("{\"inspectors\":[{\"id\":\"i1\",\"leave\":[{\"from\":\"2026-03-01\",\"to\":"
                      "\"2026-03-31\"}]}]}") == 200);
    HT_CHECK(says("\"promise\"")); /* that wish is named as broken */
    for (int i = 0; i < count("visits"); i++) {
        HT_CHECK(strcmp(visit_text(answer.body, i, "inspector"), "i1") != 0);
    }
    path[strlen(path) - strlen("/events")] = '\0';
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(is("inspector", "\"i2\"") && is("state", "\"planned\""));
    HT_CHECK_INT(replan(""), 200);
    HT_CHECK(is("summary.moved", "0"));
    end();
}

HT_CASE(a_round_is_withdrawn_and_what_was_stays)
{
    char id[MEMBERS_MOST];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":2") == 201);
    int all = count("visits");
    int monday = visits_on(NULL, "2026-03-02");
    HT_REQUIRE(monday > 0);
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, all - 1, "id"));
    char path[MEMBERS_MOST + 32];
    (void)snprintf(path, sizeof path, "/v1/visits/%s/events", id);
    HT_CHECK_INT(post(path, JSON, "{\"event\":\"promise\"}"), 200);
    advance(3600 * (24 + 11));
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_INT(report_day("2026-03-02", "done"), monday);
    HT_CHECK_INT(send_body("DELETE", ROUNDS "/april", "", ""), 404);
    HT_CHECK_INT(send_body("DELETE", ROUNDS "/march", "If-Match: \"7\"\r\n", ""), 412);
    HT_CHECK_INT(send_body("DELETE", ROUNDS "/march", "", ""), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "cancelled"), all - monday);
    HT_CHECK_INT(send_body("DELETE", ROUNDS "/march", "", ""), 409);
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK(says("\"withdrawn_at\":\"2026-03-02T15:00:00.000Z\""));
    HT_CHECK_INT(visits_with("state", "done"), monday);
    HT_CHECK_INT(visits_with("state", "cancelled"), all - monday);
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, "{}"), 409);
    /* the hours are free again */
    HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1") == 201);
    HT_CHECK(is("unplanned", "[]"));
    end();
}

HT_CASE(a_van_is_no_inspector)
{
    const double place[2] = {121.711, 29.95};
    HT_REQUIRE(begin_town());
    item_add("units", "v1", place, "\"kind\":\"van\",\"profile\":\"van\",\"status\":\"idle\"");
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"inspectors\":[\"i1\","
                    "\"v1\"]") == 201);
    HT_CHECK(is("errors.0.pointer", "\"/inspectors/1\"") && says("is a van"));
    HT_CHECK_INT(visits_with("inspector", "i1"), SITES);
    HT_CHECK_INT(post(ROUNDS "/march/replan", JSON, "{\"inspectors\":[\"v1\"]}"), 422);
    end();
}

HT_CASE(a_notice_has_its_re_visit_planned_by_itself_before_its_date)
{
    char id[MEMBERS_MOST];
    char site[MEMBERS_MOST];
    char path[MEMBERS_MOST + 32];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":1") == 201);
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, 0, "id"));
    (void)snprintf(site, sizeof site, "%s", visit_text(answer.body, 0, "site"));
    int monday = visits_on(NULL, "2026-03-02");
    HT_REQUIRE(monday > 1);
    advance(3600 * (24 + 11)); /* Monday night there */
    HT_REQUIRE(report_visit(id, "{\"outcome\":\"rectify\",\"at\":\"2026-03-02T02:00:00Z\","
                                "\"reason\":\"phone was out\",\"hazards\":[{\"text\":\"door "
                                "blocked\",\"severity\":3,\"due\":\"2026-03-12\"}]}") == 200);
    int at = visit_comes(ROUNDS "/march", "revisit");
    HT_REQUIRE(at >= 0);
    HT_CHECK_STR(visit_text(answer.body, at, "site"), site);
    HT_CHECK(strcmp(visit_text(answer.body, at, "start"), "2026-03-07") > 0); /* time to mend it */
    HT_CHECK(strcmp(visit_text(answer.body, at, "end"), "2026-03-12T16:00:00") < 0);
    (void)snprintf(path, sizeof path, "/v1/visits/%s", visit_text(answer.body, at, "id"));
    HT_CHECK_INT(count("visits"), SITES * 2 + 1);
    advance(3600); /* what else was missed on Monday stays there, and is made up for by itself */
    HT_CHECK(visits_come(SITES * 2 + 1 + monday - 1));
    HT_CHECK_INT(visits_on(NULL, "2026-03-02"), monday);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(is("purpose", "\"revisit\"") && is("round", "\"march\""));
    HT_CHECK_INT(get(ROUNDS "/march/report"), 200);
    HT_CHECK(is("totals.hazards_found", "1") && is("totals.hazards_mended", "0"));
    HT_CHECK(!is("totals.overdue", "0"));
    advance(3600 * 24 * 10); /* it was missed, and its date is over: it is wanted all the same */
    HT_CHECK_INT(replan("{}"), 200);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 2);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(is("state", "\"planned\"")); /* and the missed one is not forgotten */
    end();
}

HT_CASE(what_no_round_has_is_seen_again_all_the_same)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(post("/v1/visits", JSON, "{\"id\":\"v1\",\"site\":\"f0\",\"inspector\":\"i2\"}") ==
               201);
    HT_REQUIRE(find_two("v1") == 200);
    int at = visit_comes("/v1/visits?site=f0", "revisit");
    HT_REQUIRE(at >= 0);
    HT_CHECK_STR(visit_text(answer.body, at, "inspector"), "i2"); /* who knows it */
    HT_CHECK_STR(visit_text(answer.body, at, "round"), "");
    /* there is time to mend it first, from Sunday to half of the way to the 10th */
    HT_CHECK(strcmp(visit_text(answer.body, at, "start"), "2026-03-06T00:30") >= 0);
    HT_CHECK(strcmp(visit_text(answer.body, at, "end"), "2026-03-10T16:00:00") < 0);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 1);
    HT_CHECK_INT(get("/v1/rectifications/wanted"), 200);
    HT_CHECK_INT(count("wanted"), 0);
    advance(3600 * 24 * 10); /* nobody went there: it is late, and wanted at once */
    bool again = false;
    for (int waited = 0; waited < 60000 && !again; waited += 100) {
        again = get("/v1/visits?site=f0") == 200 && visits_with("purpose", "revisit") == 2;
        (void)usleep(again ? 0 : 100000);
    }
    HT_CHECK(again);
    HT_CHECK_INT(visits_on(NULL, "2026-03-11"), 1);
    /* where the office wants it, nothing is planned beside rounds */
    HT_REQUIRE(send_body("PUT", "/v1/settings/visits", JSON, "{\"revisits\":false}") == 200);
    HT_REQUIRE(post("/v1/visits", JSON, "{\"id\":\"v2\",\"site\":\"f1\",\"inspector\":\"i2\"}") ==
               201);
    HT_REQUIRE(
        report_visit("v2",
                     "{\"outcome\":\"rectify\",\"reason\":\"phone was out\","
                     "\"hazards\":[{\"text\":\"gas\",\"severity\":3,\"due\":\"2026-03-31\"}]}") ==
        200);
    (void)usleep(2500000);
    HT_CHECK_INT(get("/v1/rectifications/wanted"), 200);
    HT_CHECK_INT(count("wanted"), 1);
    /* a round that is over before it can be mended leaves it alone, one that is not takes it */
    HT_REQUIRE(plan(",\"weeks\":2,\"visits_per_week\":1,\"sites\":[\"f1\"]") == 201);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 0);
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"from\":\"2026-03-16\",\"collection\":\"factories\",\"iterations\":60,"
                    "\"weeks\":1,\"visits_per_week\":1,\"sites\":[\"f1\"]}") == 201);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 1);
    end();
}

HT_CASE(the_round_that_is_in_time_sees_what_was_found)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"now\",\"weeks\":2,\"visits_per_week\":1") == 201);
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"id\":\"next\",\"from\":\"2026-03-30\",\"weeks\":2,\"collection\":"
                    "\"factories\",\"visits_per_week\":1}") == 201);
    HT_REQUIRE(get(ROUNDS "/now") == 200);
    char id[MEMBERS_MOST];
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, 0, "id"));
    advance(3600 * (24 + 12));
    HT_REQUIRE(report_visit(id, "{\"outcome\":\"rectify\",\"reason\":\"phone was out\","
                                "\"hazards\":[{\"text\":\"door blocked\",\"severity\":3,"
                                "\"due\":\"2026-03-12\"}]}") == 200);
    HT_CHECK(visit_comes(ROUNDS "/now", "revisit") >= 0);
    HT_CHECK_INT(get(ROUNDS "/next"), 200);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 0);
    /* a round that is made later does not take it over */
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"id\":\"may\",\"from\":\"2026-05-04\",\"weeks\":1,\"collection\":"
                    "\"factories\",\"visits_per_week\":1}") == 201);
    HT_CHECK_INT(visits_with("purpose", "revisit"), 0);
    end();
}

HT_CASE(two_go_where_one_must_not_go_alone)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":1,\"crew\":2,\"sites\":"
                    "[\"f0\",\"f1\"]") == 201);
    HT_CHECK_INT(count("visits"), 2);
    for (int i = 0; i < 2; i++) {
        const char *first = visit_text(answer.body, i, "inspector");
        const char *second = visit_text(answer.body, i, "second");
        HT_CHECK((strcmp(first, "i1") == 0 && strcmp(second, "i2") == 0) ||
                 (strcmp(first, "i2") == 0 && strcmp(second, "i1") == 0));
    }
    for (int i = 1; i <= 2; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/v1/inspectors/i%d.ics", i);
        HT_CHECK_INT(get(path), 200);
        HT_CHECK(says("Visit f0") && says("Visit f1"));
    }
    HT_CHECK_INT(replan("{}"), 200);
    HT_CHECK(is("summary.moved", "0"));
    HT_CHECK_INT(plan(",\"weeks\":1,\"visits_per_week\":1,\"crew\":2,\"sites\":[\"f0\"],"
                      "\"inspectors\":[\"i1\"]"),
                 201);
    HT_CHECK(is("unplanned.0.reason", "\"crew\"") && count("visits") == 0);
    end();
}

HT_CASE(two_go_to_see_again_where_one_must_not_go_alone)
{
    char id[MEMBERS_MOST];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":1,\"crew\":2,\"sites\":"
                    "[\"f0\"]") == 201);
    (void)snprintf(id, sizeof id, "%s", visit_text(answer.body, 0, "id"));
    advance(3600 * (24 + 11));
    HT_REQUIRE(find_two(id) == 200);
    int at = visit_comes(ROUNDS "/march", "revisit");
    HT_REQUIRE(at >= 0);
    HT_CHECK(visit_text(answer.body, at, "inspector")[0] == 'i');
    HT_CHECK(visit_text(answer.body, at, "second")[0] == 'i');
    end();
}

/* Around f5. */
static void zone_close(void)
{
    HT_CHECK_INT(post("/collections/zones/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"z\",\"geometry\":{\"type\":\"Polygon\","
                      "\"coordinates\":[[[121.7155,29.945],[121.7165,29.945],[121.7165,29.953],"
                      "[121.7155,29.953],[121.7155,29.945]]]},\"properties\":{\"kind\":"
                      "\"closed\"}}"),
                 201);
}

HT_CASE(sites_that_nobody_may_enter_are_named)
{
    HT_REQUIRE(begin_town());
    zone_close();
    bool closed = false;
    for (int waited = 0; waited < 60000 && !closed; waited += 200) { /* streets obey soon */
        HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1") == 201);
        closed = strstr(answer.body, "{\"site\":\"f5\",\"reason\":\"no_way\"") != NULL;
        (void)usleep(closed ? 0 : 200000);
    }
    HT_CHECK(closed);
    HT_CHECK_INT(visits_with("site", "f5"), 0);
    HT_CHECK_INT(visits_with("site", "f0"), 1);
    end();
}

HT_CASE(who_may_pass_a_zone_sees_what_lies_in_it)
{
    HT_REQUIRE(begin_town());
    zone_close();
    inspector_add("i3", 121.7135, ",\"permits\":[\"z\"]");
    bool closed = false;
    for (int waited = 0; waited < 60000 && !closed; waited += 200) { /* streets obey soon */
        HT_REQUIRE(plan(",\"weeks\":1,\"visits_per_week\":1,\"inspectors\":[\"i1\",\"i2\"]") ==
                   201);
        closed = strstr(answer.body, "{\"site\":\"f5\",\"reason\":\"no_way\"") != NULL;
        (void)usleep(closed ? 0 : 200000);
    }
    HT_CHECK(closed);
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"from\":\"2026-03-09\",\"collection\":\"factories\",\"iterations\":60,"
                    "\"weeks\":1,\"visits_per_week\":1}") == 201);
    HT_CHECK(is("unplanned", "[]"));
    for (int i = 0; i < count("visits"); i++) {
        if (strcmp(visit_text(answer.body, i, "site"), "f5") == 0) {
            HT_CHECK_STR(visit_text(answer.body, i, "inspector"), "i3");
        }
    }
    HT_CHECK_INT(visits_with("site", "f5"), 1);
    end();
}

/* ---- what is told ---- */

HT_CASE(the_report_counts_by_week_and_inspector)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(plan(",\"id\":\"march\",\"weeks\":2,\"visits_per_week\":2") == 201);
    int monday = visits_on(NULL, "2026-03-02");
    HT_REQUIRE(monday > 0);
    advance(3600 * (24 + 11)); /* Monday night there */
    HT_CHECK_INT(get(ROUNDS "/march"), 200);
    HT_CHECK_INT(report_day("2026-03-02", "done"), monday);
    advance(3600 * 24 * 5); /* Saturday night */
    HT_CHECK_INT(get(ROUNDS "/march/report"), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "weeks.0.planned"), SITES * 2);
    HT_CHECK_INT(ht_json_number_at(answer.body, "weeks.0.done"), monday);
    HT_CHECK_INT(ht_json_number_at(answer.body, "weeks.0.overdue"), SITES * 2 - monday);
    HT_CHECK_INT(ht_json_number_at(answer.body, "weeks.1.ahead"), SITES * 2);
    HT_CHECK(is("weeks.1.from", "\"2026-03-09\""));
    HT_CHECK_INT(ht_json_number_at(answer.body, "totals.planned"), SITES * 4);
    HT_CHECK(ht_json_number_at(answer.body, "totals.hours_planned") >= SITES * 4 * 0.5);
    HT_CHECK(ht_json_number_at(answer.body, "totals.hours") >= monday * 0.5);
    HT_CHECK(ht_json_number_at(answer.body, "totals.hours") < monday * 0.5 + 3);
    HT_CHECK(ht_json_number_at(answer.body, "totals.km") > 0);
    HT_CHECK(ht_json_number_at(answer.body, "totals.km") <
             ht_json_number_at(answer.body, "totals.km_planned"));
    HT_CHECK(is("weeks.1.hours", "0"));
    HT_CHECK(ht_json_number_at(answer.body, "fairness.gini") >= 0 &&
             ht_json_number_at(answer.body, "fairness.gini") < 0.5);
    HT_CHECK_INT(get(ROUNDS "/march/report?format=csv"), 200);
    HT_CHECK(strstr(answer.head, "text/csv") != NULL);
    HT_CHECK(strncmp(answer.body, "week,from,inspector,planned,done,", 33) == 0);
    HT_CHECK(says("\r\n1,2026-03-02,i1,") && says("\r\n2,2026-03-09,i2,"));
    HT_CHECK_INT(ask("GET " ROUNDS "/march/report" HEADERS "Accept: text/csv\r\n\r\n"), 200);
    HT_CHECK(strstr(answer.head, "text/csv") != NULL);
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/i2", MERGE,
                           "{\"properties\":{\"name\":\"吴<雨>\"}}"),
                 200);
    HT_CHECK_INT(get(ROUNDS "/march/report?format=html&lang=zh"), 200);
    HT_CHECK(strstr(answer.head, "text/html") != NULL);
    HT_CHECK(says("lang=\"zh-CN\"") && says("巡查报告 march") && says("</html>"));
    HT_CHECK(says("<th>i1</th>") && says("<th>吴&lt;雨&gt; (i2)</th>"));
    HT_CHECK_INT(ask("GET " ROUNDS "/march/report" HEADERS
                     "Accept: text/html\r\nAccept-Language: en\r\n\r\n"),
                 200);
    HT_CHECK(says("Report of round march") && !says("http"));
    HT_CHECK_INT(get(ROUNDS "/march/report?format=pdf"), 400);
    HT_CHECK_INT(get(ROUNDS "/march/report?lang=fr"), 400);
    HT_CHECK_INT(get(ROUNDS "/april/report"), 404);
    end();
}

/* ---- the calendar ---- */

/* Unfolds the answer's lines in place (RFC 5545, 3.1); -1: a line is too long or ends otherwise. */
static int ics_unfold(char *text)
{
    int lines = 0;
    char *out = text;
    for (char *at = text; *at != '\0';) {
        char *eol = strstr(at, "\r\n");
        if (eol == NULL || eol - at > 75 || memchr(at, '\n', (size_t)(eol - at)) != NULL) {
            return -1;
        }
        if (*at == ' ' && out > text) {
            at++;
            out--; /* the line goes on */
        } else {
            lines++;
        }
        memmove(out, at, (size_t)(eol - at));
        out += eol - at;
        *out++ = '\n';
        at = eol + 2;
    }
    *out = '\0';
    return lines;
}

/* How many lines begin so. */
static int ics_lines(const char *text, const char *begin)
{
    int found = 0;
    for (const char *at = text; at != NULL && *at != '\0';) {
        found += strncmp(at, begin, strlen(begin)) == 0 ? 1 : 0;
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return found;
}

HT_CASE(an_inspectors_visits_are_a_calendar_that_a_parser_takes)
{
    HT_REQUIRE(begin_town());
    factory_add(20, "\"service_s\":1800,\"name\":\"北仑第一精密机械制造有限公司, 二号厂房; 东门\\\\"
                    "西门 and some more of a long name\"");
    HT_REQUIRE(
        plan(",\"id\":\"march\",\"weeks\":1,\"visits_per_week\":2,\"inspectors\":[\"i1\"]") == 201);
    int visits = count("visits");
    HT_CHECK_INT(get("/v1/inspectors/i1.ics"), 200);
    HT_CHECK(strstr(answer.head, "text/calendar") != NULL);
    char *text = strdup(answer.body);
    HT_CHECK(ics_unfold(text) > 0);
    HT_CHECK(strncmp(text, "BEGIN:VCALENDAR\nVERSION:2.0\n", 28) == 0);
    HT_CHECK_INT(ics_lines(text, "BEGIN:VEVENT\n"), visits);
    HT_CHECK_INT(ics_lines(text, "END:VEVENT\n"), visits);
    HT_CHECK_INT(ics_lines(text, "UID:march-"), visits);
    HT_CHECK_INT(ics_lines(text, "DTSTART:2026030"), visits);
    HT_CHECK_INT(ics_lines(text, "DTEND:2026030"), visits);
    HT_CHECK_INT(ics_lines(text, "DTSTAMP:20260301T040000Z\n"), visits);
    HT_CHECK_INT(ics_lines(text, "SUMMARY:Visit f20 北仑第一精密机械制造有限公司\\, 二号厂房\\; "
                                 "东门\\\\西门 and some more of a long name\n"),
                 2);
    HT_CHECK_INT(ics_lines(text, "GEO:29.9"), visits);
    HT_CHECK_INT(ics_lines(text, "END:VCALENDAR\n"), 1);
    char *first = strdup(answer.body);
    HT_CHECK_INT(replan("{}"), 200);
    HT_CHECK_INT(get("/v1/inspectors/i1.ics"), 200);
    HT_CHECK_STR(answer.body, first); /* nothing moved: the same byte for byte */
    HT_CHECK_INT(get("/v1/inspectors/i1.ics?from=2026-03-09&weeks=1&lang=zh"), 200);
    HT_CHECK(!says("BEGIN:VEVENT") && says("X-WR-CALNAME:巡查 i1"));
    HT_CHECK_INT(get("/v1/inspectors/i2.ics"), 200);
    HT_CHECK(!says("BEGIN:VEVENT"));
    HT_CHECK_INT(get("/v1/inspectors/nobody.ics"), 404);
    HT_CHECK_INT(get("/v1/inspectors/i1.ics?weeks=x"), 400);
    HT_CHECK_INT(get("/v1/inspectors/i1"), 404);
    HT_CHECK_INT(get("/v1/inspectors/.ics"), 404);
    free(first);
    free(text);
    end();
}

/* ---- homes, and who may what ---- */

static char bearer[4][160];
static char token[4][64];
enum { VIEWER, DISPATCHER, PHONE, ADMIN };

static bool begin_guarded(void)
{
    static const char *const who[] = {"--name v --role viewer", "--name d --role dispatcher",
                                      "--name p --role device --unit i1", "--name a --role admin"};
    char line[512];
    char tokens[192];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/rounds.tokens", folder);
    (void)unlink(tokens);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(line, sizeof line, "token add %s %s", tokens, who[i]);
        const struct ht_command_run *run = ht_command_run(line);
        if (run->code != 0) {
            return false;
        }
        (void)snprintf(token[i], sizeof token[i], "%.*s", (int)strcspn(run->out, "\n"), run->out);
        (void)snprintf(bearer[i], sizeof bearer[i], "Authorization: Bearer %.63s\r\n", token[i]);
    }
    (void)snprintf(options, sizeof options,
                   "--store %s/rounds%d.sqlite --clock 2026-03-01T04:00:00Z,0 --tokens %s", folder,
                   ++stores, tokens);
    return begin(options);
}

static int as(int who, const char *method, const char *path, const char *body)
{
    char headers[320];
    (void)snprintf(headers, sizeof headers, "%s%s",
                   strcmp(method, "POST") == 0 && strstr(path, "/items") != NULL ? GEO : JSON,
                   bearer[who]);
    return send_body(method, path, headers, body);
}

static int get_as(int who, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, bearer[who]);
    return ask(text);
}

static void feature_as_admin(const char *collection, const char *id, const double place[2],
                             const char *properties)
{
    char path[96];
    char text[512];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,%f]},\"properties\":{%s}}",
                   id, place[0], place[1], properties);
    HT_CHECK_INT(as(ADMIN, "POST", path, text), 201);
}

static void guarded_fill(void)
{
    const double office[2] = {121.711, 29.95};
    for (int i = 1; i <= 2; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", i);
        feature_as_admin("units", id, office,
                         "\"kind\":\"inspector\",\"profile\":\"car\",\"shift\":[\"Mo-Fr "
                         "08:30-17:00\"]");
    }
    for (int i = 0; i < 6; i++) { /* three doors in each of two buildings, one after the other */
        char id[16];
        char properties[96];
        const double place[2] = {i < 3 ? 121.7105 : 121.7138, 29.951};
        (void)snprintf(id, sizeof id, "h%d", i);
        (void)snprintf(properties, sizeof properties, "\"frail\":%s,\"floor\":%d",
                       i == 5 ? "false" : "true", 9 - 2 * (i % 3));
        feature_as_admin("households", id, place, properties);
    }
}

#define HOMES_ROUND                                                                                \
    "{\"id\":\"homes\",\"from\":\"2026-03-02\",\"weeks\":2,\"collection\":\"households\","         \
    "\"inspectors\":[\"i1\"],\"iterations\":60}"

HT_CASE(frail_households_are_seen_weekly_in_the_order_of_doors)
{
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_REQUIRE(as(DISPATCHER, "POST", ROUNDS, HOMES_ROUND) == 201);
    HT_CHECK_INT(count("visits"), 5 * 2);
    HT_CHECK_INT(visits_with("site", "h5"), 0);
    for (int i = 0; i < 5; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "h%d", i);
        HT_CHECK_INT(visits_with("site", id), 2);
    }
    for (int i = 1; i < 10; i++) { /* of those that follow each other in a building: upwards */
        const char *a = visit_text(answer.body, i - 1, "site");
        const char *b = visit_text(answer.body, i, "site");
        bool day = strncmp(visit_text(answer.body, i - 1, "start"),
                           visit_text(answer.body, i, "start"), 10) == 0;
        bool building = (a[1] < '3') == (b[1] < '3');
        HT_CHECK(!day || !building || a[1] > b[1]);
    }
    end();
}

/* A device reads of a round what its own inspector does, and nothing of the others. */
HT_CASE(a_device_sees_of_a_round_its_own_visits_alone)
{
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_REQUIRE(as(DISPATCHER, "POST", ROUNDS,
                  "{\"id\":\"two\",\"from\":\"2026-03-02\",\"weeks\":1,\"collection\":"
                  "\"households\",\"iterations\":60,\"sites\":[{\"id\":\"h0\",\"inspector\":"
                  "\"i1\"},{\"id\":\"h3\",\"inspector\":\"i2\"}]}") == 201);
    HT_CHECK_INT(count("visits"), 2);
    for (int i = 0; i < 2; i++) { /* asking for another's is no help */
        HT_CHECK_INT(get_as(PHONE, i == 0 ? ROUNDS "/two" : ROUNDS "/two?inspector=i2"), 200);
        HT_CHECK_INT(count("visits"), 1);
        HT_CHECK_INT(count("tours"), 1);
        HT_CHECK(says("\"h0\"") && !says("\"i2\"") && !says("\"h3\""));
        HT_CHECK(ht_json_at(answer.body, "owners") == NULL &&
                 ht_json_at(answer.body, "summary") == NULL &&
                 ht_json_at(answer.body, "unplanned") == NULL);
    }
    HT_CHECK_INT(get_as(DISPATCHER, ROUNDS "/two"), 200);
    HT_CHECK(says("\"h3\"") && ht_json_at(answer.body, "owners") != NULL);
    end();
}

HT_CASE(who_may_see_and_make_rounds)
{
    char path[128];
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_CHECK_INT(as(VIEWER, "POST", ROUNDS, HOMES_ROUND), 403);
    HT_CHECK_INT(as(PHONE, "POST", ROUNDS, HOMES_ROUND), 403);
    HT_CHECK_INT(get(ROUNDS), 401);
    HT_REQUIRE(as(DISPATCHER, "POST", ROUNDS, HOMES_ROUND) == 201);
    HT_CHECK_INT(get_as(VIEWER, ROUNDS), 200);
    HT_CHECK_INT(get_as(VIEWER, ROUNDS "/homes"), 403); /* it tells who is frail */
    HT_CHECK(!says("h1"));
    HT_CHECK_INT(get_as(VIEWER, ROUNDS "/homes/report"), 403);
    HT_CHECK_INT(get_as(DISPATCHER, ROUNDS "/homes"), 200);
    HT_CHECK_INT(count("visits"), 10);
    HT_CHECK_INT(get_as(PHONE, ROUNDS "/homes"), 200); /* its own week */
    HT_CHECK_INT(count("visits"), visits_with("inspector", "i1"));
    HT_CHECK(ht_json_at(answer.body, "summary") == NULL);
    HT_CHECK_INT(get_as(PHONE, ROUNDS "/homes/report"), 403);
    (void)snprintf(path, sizeof path, "/v1/inspectors/i1.ics?access_token=%s", token[PHONE]);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(says("SUMMARY:Visit h1"));
    (void)snprintf(path, sizeof path, "/v1/inspectors/i2.ics?access_token=%s", token[PHONE]);
    HT_CHECK_INT(get(path), 404); /* another's */
    HT_CHECK_INT(get("/v1/inspectors/i1.ics?access_token=guessed"), 401);
    HT_CHECK_INT(get_as(VIEWER, "/v1/inspectors/i1.ics"), 200);
    HT_CHECK(says("BEGIN:VCALENDAR") && !says("h1"));
    HT_CHECK_INT(get_as(DISPATCHER, "/v1/inspectors/i1.ics"), 200);
    HT_CHECK(says("SUMMARY:Visit h1"));
    HT_CHECK_INT(as(VIEWER, "POST", TERRITORIES, "{\"collection\":\"households\"}"), 403);
    HT_CHECK_INT(as(DISPATCHER, "POST", TERRITORIES, "{\"collection\":\"households\"}"), 200);
    HT_CHECK(says("\"h1\""));
    HT_CHECK_INT(as(VIEWER, "DELETE", ROUNDS "/homes", ""), 403);
    HT_CHECK_INT(as(VIEWER, "POST", ROUNDS "/homes/replan", "{}"), 403);
    HT_CHECK_INT(as(DISPATCHER, "POST", ROUNDS "/homes/replan", "{}"), 200);
    end();
}

HT_SERVED_MAIN()
