/* Rounds that see each tenant of a factory on its own: what is a stop and how often, who has it,
 * what a re-plan keeps; how evenly the sample town is shared out, and how little moves where one is
 * ill. */
#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"
#define ROUNDS "/v1/rounds"

enum { PEOPLE = 12, FACTORIES = 32, TENANTS = 194, VISITS_MOST = 1024, TEXT = 80 };

static char loaded[160]; /* the town's store, as it is at first */

/* The sample town's sites and inspectors, by their own means of travel. */
static bool town_make(void)
{
    static const char *const collections[] = {"cells", "facilities", "factories", "units"};
    char line[512];
    if (loaded[0] != '\0') {
        return true;
    }
    (void)strcpy(folder, "/tmp/houtao-tenants-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    bool good = ht_command_run(line)->code == 0;
    (void)snprintf(map, sizeof map, "%s/town.hnet", folder);
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s --profiles ebike,foot",
                   folder, map);
    good = good && ht_command_run(line)->code == 0;
    (void)snprintf(loaded, sizeof loaded, "%s/loaded.sqlite", folder);
    for (size_t i = 0; good && i < sizeof collections / sizeof collections[0]; i++) {
        (void)snprintf(line, sizeof line, "load --store %s --collection %s %s/%s.geojson", loaded,
                       collections[i], folder, collections[i]);
        good = ht_command_run(line)->code == 0;
    }
    return good;
}

/* A server on a fresh copy of the town; it is Sunday noon there. */
static bool begin_town(void)
{
    static int number;
    char line[512];
    if (!town_make()) {
        return false;
    }
    (void)snprintf(line, sizeof line, "backup --store %s -o %s/day%d.sqlite", loaded, folder,
                   ++number);
    if (ht_command_run(line)->code != 0) {
        return false;
    }
    (void)snprintf(line, sizeof line, "--store %s/day%d.sqlite --clock 2026-03-01T04:00:00Z,0",
                   folder, number);
    return begin(line);
}

static bool is(const char *path, const char *want)
{
    bool same = answer.body != NULL && ht_json_is(answer.body, path, want);
    if (!same) {
        (void)printf("  %s is not %s: %.1500s\n", path, want,
                     answer.body == NULL ? "" : answer.body);
    }
    return same;
}

/* The text of a member of the i-th in a list, without its quotes; "" where it has none. */
static const char *text_of(const char *list, int i, const char *member)
{
    static char texts[8][TEXT];
    static int turn;
    char path[64];
    char *out = texts[turn++ % 8];
    (void)snprintf(path, sizeof path, "%s.%d.%s", list, i, member);
    const char *at = ht_json_at(answer.body, path);
    size_t size = at == NULL || *at != '"' ? 0 : strcspn(at + 1, "\"");
    (void)snprintf(out, TEXT, "%.*s", (int)size, at == NULL ? "" : at + 1);
    return out;
}

/* How many visits of the answer are to a tenant ("": the site itself). */
static int visits_to(const char *tenant)
{
    int found = 0;
    for (int i = 0; i < ht_json_count_at(answer.body, "visits"); i++) {
        found += strcmp(text_of("visits", i, "tenant"), tenant) == 0 ? 1 : 0;
    }
    return found;
}

static double hours_of(const char *list, int i)
{
    char path[64];
    double seconds = 0;
    static const char *const members[] = {"travel_s", "service_s"};
    for (int m = 0; m < 2; m++) {
        (void)snprintf(path, sizeof path, "%s.%d.%s", list, i, members[m]);
        seconds += ht_json_number_at(answer.body, path);
    }
    return seconds / 3600;
}

static void works_add(void)
{
    HT_CHECK_INT(post("/collections/factories/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"w1\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.7124,29.95]},\"properties\":{\"name\":\"Works\","
                      "\"risk\":2,\"visits_per_week\":0.5,\"service_s\":9000,\"skills\":[\"fire\"],"
                      "\"tenants\":[{\"id\":\"grave\",\"risk\":4,\"skills\":[\"electric\"]},"
                      "{\"id\":\"plain\"},{\"id\":\"often\",\"risk\":1,\"visits_per_week\":2,"
                      "\"gap_days\":[2,5],\"service_s\":1200},{\"name\":\"no id\"}]}}"),
                 201);
}

#define WORKS_ROUND                                                                                \
    "\"from\":\"2026-03-02\",\"weeks\":4,\"collection\":\"factories\",\"sites\":[\"w1\"],"         \
    "\"inspectors\":[\"inspector-001\",\"inspector-002\"],\"iterations\":200"

/* The town with one factory more, and a round over that alone. */
static bool begin_works(void)
{
    if (!begin_town()) {
        return false;
    }
    works_add();
    return post(ROUNDS, JSON, "{\"id\":\"own\"," WORKS_ROUND ",\"tenants\":true}") == 201;
}

HT_CASE(each_tenant_is_a_stop_of_its_own)
{
    HT_REQUIRE(begin_works());
    HT_CHECK(is("unplanned", "[]") && is("summary.sites", "4") && is("summary.missing", "0"));
    HT_CHECK_INT(visits_to(""), 2);      /* as it says itself */
    HT_CHECK_INT(visits_to("grave"), 4); /* by its risk */
    HT_CHECK_INT(visits_to("plain"), 1); /* by the factory's risk */
    HT_CHECK_INT(visits_to("often"), 8); /* as it says */
    HT_CHECK_INT(ht_json_count_at(answer.body, "owners"), 4);
    for (int i = 0; i < 15; i++) {
        const char *tenant = text_of("visits", i, "tenant");
        HT_CHECK_STR(text_of("visits", i, "site"), "w1");
        if (strcmp(tenant, "grave") == 0) { /* it takes a skill of its own */
            HT_CHECK_STR(text_of("visits", i, "inspector"), "inspector-001");
        }
    }
    /* 9000 s less two times half an hour, less 1200 */
    HT_CHECK_INT(ht_json_number_at(answer.body, "summary.service_s"),
                 2 * 4200 + 4 * 1800 + 1800 + 8 * 1200);
    char *made = strdup(answer.body);
    HT_CHECK_INT(get(ROUNDS "/own"), 200);
    HT_CHECK_STR(answer.body, made);
    HT_CHECK_INT(get("/v1/visits?round=own&tenant=often"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 8);
    free(made);
    end();
}

HT_CASE(a_replan_keeps_tenants_visits_and_their_ids)
{
    char ids[VISITS_MOST][TEXT];
    HT_REQUIRE(begin_works());
    int before = ht_json_count_at(answer.body, "visits");
    for (int i = 0; i < before && i < VISITS_MOST; i++) {
        (void)snprintf(ids[i], TEXT, "%s %s", text_of("visits", i, "id"),
                       text_of("visits", i, "tenant"));
    }
    HT_REQUIRE(post(ROUNDS "/own/replan", JSON, "{\"iterations\":100}") == 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), before);
    HT_CHECK(is("summary.kept", "15") && is("summary.moved", "0"));
    for (int i = 0; i < before; i++) {
        char now[TEXT * 2];
        (void)snprintf(now, sizeof now, "%s %s", text_of("visits", i, "id"),
                       text_of("visits", i, "tenant"));
        HT_CHECK_STR(now, ids[i]);
    }
    end();
}

/* The one visit of the answer that sees a tenant (or "": the site itself) again; -1: there is none,
 * or more than one. */
static int revisit_to(const char *tenant)
{
    int at = -1;
    for (int i = 0; i < ht_json_count_at(answer.body, "visits"); i++) {
        bool there = strcmp(text_of("visits", i, "purpose"), "revisit") == 0 &&
                     strcmp(text_of("visits", i, "tenant"), tenant) == 0;
        at = there ? (at == -1 ? i : -2) : at;
    }
    return at < 0 ? -1 : at;
}

static int64_t seconds_of(int i)
{
    int64_t moments[2] = {0, 0};
    const char *const texts[2] = {text_of("visits", i, "start"), text_of("visits", i, "end")};
    for (int k = 0; k < 2; k++) {
        HT_CHECK(ht_time_parse(texts[k], strlen(texts[k]), &moments[k]));
    }
    return (moments[1] - moments[0]) / 1000;
}

/* Also in a round that sees whole factories. */
HT_CASE(what_was_found_at_a_tenants_is_seen_again_at_that_tenants)
{
    static const char *const whose[] = {"grave", "plain", ""};
    for (int apart = 0; apart < 2; apart++) {
        HT_REQUIRE(begin_town());
        works_add();
        HT_REQUIRE(post(ROUNDS, JSON,
                        apart == 1 ? "{\"id\":\"own\"," WORKS_ROUND ",\"tenants\":true}"
                                   : "{\"id\":\"own\"," WORKS_ROUND "}") == 201);
        HT_REQUIRE(post("/v1/visits", JSON,
                        "{\"id\":\"v1\",\"site\":\"w1\",\"inspector\":\"inspector-001\"}") == 201);
        HT_REQUIRE(post("/v1/visits/v1/result", JSON,
                        "{\"outcome\":\"rectify\",\"reason\":\"phone was out\",\"hazards\":["
                        "{\"text\":\"a\",\"severity\":3,\"tenant\":\"grave\"},"
                        "{\"text\":\"b\",\"severity\":3,\"tenant\":\"plain\"},"
                        "{\"text\":\"c\",\"severity\":2,\"tenant\":\"grave\"},"
                        "{\"text\":\"d\",\"severity\":3}]}") == 200);
        int code = 409;
        for (int tries = 0; tries < 100 && code == 409; tries++) { /* it may plan by itself first */
            code = post(ROUNDS "/own/replan", JSON, "{\"iterations\":100}");
        }
        HT_REQUIRE(code == 200);
        char ids[3][TEXT];
        for (int i = 0; i < 3; i++) {
            int at = revisit_to(whose[i]);
            HT_REQUIRE(at >= 0);
            (void)snprintf(ids[i], TEXT, "%s", text_of("visits", at, "id"));
            HT_CHECK_INT(seconds_of(at), i < 2 ? 1800 : apart == 1 ? 4200 : 9000);
            HT_CHECK(strcmp(text_of("visits", at, "end"), "2026-03-08T16:00:00") < 0);
        }
        HT_CHECK_INT(get("/v1/rectifications?site=w1"), 200);
        HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 4);
        for (int i = 0; i < 4; i++) { /* each is looked after where it was found */
            const char *tenant = text_of("rectifications", i, "tenant");
            int which = strcmp(tenant, "grave") == 0 ? 0 : strcmp(tenant, "plain") == 0 ? 1 : 2;
            HT_CHECK_STR(text_of("rectifications", i, "revisit"), ids[which]);
        }
        HT_CHECK_INT(get("/v1/rectifications/wanted"), 200);
        HT_CHECK(is("wanted", "[]"));
        end();
    }
}

HT_CASE(tenants_are_of_factories_and_true_or_false)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(post(ROUNDS, JSON,
                      "{\"from\":\"2026-03-02\",\"weeks\":1,\"collection\":\"factories\","
                      "\"tenants\":1}"),
                 400);
    HT_CHECK(is("errors.0.pointer", "\"/tenants\""));
    HT_CHECK_INT(post(ROUNDS, JSON,
                      "{\"from\":\"2026-03-02\",\"weeks\":1,\"collection\":\"facilities\","
                      "\"tenants\":true}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/tenants\""));
    end();
}

/* Gini's coefficient. */
static double gini(const double *hours, int count)
{
    double sum = 0;
    double apart = 0;
    for (int i = 0; i < count; i++) {
        sum += hours[i];
        for (int k = 0; k < count; k++) {
            apart += hours[i] > hours[k] ? hours[i] - hours[k] : 0;
        }
    }
    return sum == 0 ? 0 : apart / (count * sum);
}

/* A round of four weeks over all factories, with the first twelve inspectors. */
static int round_plan(const char *more)
{
    char body[1024];
    size_t size =
        (size_t)snprintf(body, sizeof body,
                         "{\"from\":\"2026-03-02\",\"weeks\":4,\"collection\":\"factories\","
                         "\"limit_ms\":60000%s,\"inspectors\":[",
                         more);
    for (int i = 0; i < PEOPLE; i++) {
        size += (size_t)snprintf(body + size, sizeof body - size, "%s\"inspector-%03d\"",
                                 i == 0 ? "" : ",", i + 1);
    }
    (void)snprintf(body + size, sizeof body - size, "]}");
    return post(ROUNDS, JSON, body);
}

/* Visits of the second week that an inspector has, alone or with another one. */
static int in_second_week(const char *inspector)
{
    int found = 0;
    for (int i = 0; i < ht_json_count_at(answer.body, "visits"); i++) {
        const char *start = text_of("visits", i, "start");
        bool theirs = strcmp(text_of("visits", i, "inspector"), inspector) == 0 ||
                      strcmp(text_of("visits", i, "second"), inspector) == 0;
        found +=
            theirs && strncmp(start, "2026-03-09", 10) >= 0 && strncmp(start, "2026-03-14", 10) < 0
                ? 1
                : 0;
    }
    return found;
}

/* Only what an inspector who is ill for a week had moves, and little besides. */
HT_CASE(little_moves_where_one_is_ill)
{
    static const char *const ill[] = {"inspector-001", "inspector-003", "inspector-006",
                                      "inspector-007", "inspector-012"};
    int all_hit = 0;
    int all_moved = 0;
    for (size_t i = 0; i < sizeof ill / sizeof ill[0]; i++) {
        char body[256];
        HT_REQUIRE(begin_town());
        HT_REQUIRE(round_plan(",\"id\":\"march\",\"iterations\":1500") == 201);
        int hit = in_second_week(ill[i]);
        (void)snprintf(body, sizeof body,
                       "{\"from\":\"2026-03-09\",\"iterations\":3000,\"limit_ms\":60000,"
                       "\"inspectors\":[{\"id\":\"%s\",\"leave\":[{\"from\":\"2026-03-09\","
                       "\"to\":\"2026-03-13\"}]}]}",
                       ill[i]);
        HT_REQUIRE(post(ROUNDS "/march/replan", JSON, body) == 200);
        double moved = ht_json_number_at(answer.body, "summary.moved");
        HT_CHECK(is("summary.missing", "0"));
        HT_CHECK(moved >= hit && moved <= hit + 3);
        HT_CHECK(moved < 0.1 * ht_json_number_at(answer.body, "summary.visits"));
        HT_CHECK_INT(in_second_week(ill[i]), 0);
        all_hit += hit;
        all_moved += (int)moved;
        end();
    }
    HT_CHECK(all_hit > 10 && all_moved * 2 <= all_hit * 3);
}

/* How many visits of the answer begin on a day (UTC's date, which is the day there by day). */
static int visits_on(const char *day)
{
    int found = 0;
    for (int i = 0; i < ht_json_count_at(answer.body, "visits"); i++) {
        found += strncmp(text_of("visits", i, "start"), day, 10) == 0 ? 1 : 0;
    }
    return found;
}

/* Where no way is the longer for it. */
HT_CASE(visits_are_spread_over_the_days_of_a_week)
{
    static const char *const days[] = {"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05",
                                       "2026-03-06"};
    HT_REQUIRE(begin_town());
    HT_REQUIRE(post(ROUNDS, JSON,
                    "{\"from\":\"2026-03-02\",\"weeks\":1,\"collection\":\"facilities\","
                    "\"limit_ms\":60000,\"iterations\":1500}") == 201);
    HT_CHECK(is("summary.visits", "184") && is("summary.missing", "0"));
    int used = 0;
    for (int d = 0; d < 5; d++) {
        int there = visits_on(days[d]);
        HT_CHECK(there < 184 / 3);
        used += there > 184 / 10 ? 1 : 0;
    }
    HT_CHECK(used >= 4);
    end();
}

/* Of "inspector-007" 7; 0: it is none of these. */
static int number_of(const char *inspector)
{
    return strncmp(inspector, "inspector-", 10) == 0 ? (int)strtol(inspector + 10, NULL, 10) : 0;
}

HT_CASE(the_sample_towns_factories_are_shared_out_evenly)
{
    double hours[PEOPLE] = {0};
    bool holds[PEOPLE] = {false};
    HT_REQUIRE(begin_town());
    HT_REQUIRE(round_plan(",\"tenants\":true,\"iterations\":4000") == 201);
    HT_CHECK(is("summary.missing", "0") && is("summary.sites", "226"));
    for (int i = 0; i < ht_json_count_at(answer.body, "tours"); i++) {
        int who = number_of(text_of("tours", i, "inspector"));
        HT_REQUIRE(who >= 1 && who <= PEOPLE);
        hours[who - 1] += hours_of("tours", i);
    }
    for (int i = 0; i < ht_json_count_at(answer.body, "owners"); i++) {
        int who = number_of(text_of("owners", i, "inspector"));
        HT_REQUIRE(who >= 1 && who <= PEOPLE);
        holds[who - 1] = true;
    }
    int count = 0;
    for (int i = 0; i < PEOPLE; i++) {
        hours[count] = hours[i];
        count += holds[i] ? 1 : 0;
    }
    HT_CHECK_INT(count, PEOPLE); /* so that nobody is left out of it */
    HT_CHECK(gini(hours, count) < 0.1);
    HT_CHECK(ht_json_number_at(answer.body, "summary.gini") < 0.1);
    end();
}

HT_SERVED_MAIN()
