/* POST /v1/assign over HTTP: travel times as closest tells them, given matrices, roles, households,
 * what is refused and why. */
#include <math.h>
#include <stdarg.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define ASSIGN "/v1/assign"

static char store[128];
static char options[512];

static bool begin_town(void)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/assign%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s", store);
    return begin(options);
}

static int unit_add(const char *id, const char *skills, double lon, double lat)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%.6f,%.6f]},\"properties\":{\"kind\":\"responder\","
                   "\"profile\":\"car\",\"skills\":[%s],\"status\":\"idle\"}}",
                   id, lon, lat, skills);
    return post("/collections/units/items", GEO, text);
}

static int traveller_add(const char *id, const char *how, double lon, double lat)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%.6f,%.6f]},\"properties\":{\"kind\":\"volunteer\","
                   "\"status\":\"idle\",%s}}",
                   id, lon, lat, how);
    return post("/collections/units/items", GEO, text);
}

static int assign(const char *body)
{
    return post(ASSIGN, JSON, body);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* The number at a path of the answer. */
static double number(const char *path)
{
    return ht_json_number_at(answer.body, path);
}

/* The travel time of a unit to a place, as closest has it with these parameters. */
static double closest_by(const char *unit, double lon, double lat, const char *more)
{
    char text[256];
    (void)snprintf(text, sizeof text, "/v1/closest?lon=%.6f&lat=%.6f&k=100%s", lon, lat, more);
    if (get(text) != 200) {
        return NAN;
    }
    (void)snprintf(text, sizeof text, "\"unit\":\"%s\",\"duration_s\":", unit);
    const char *at = strstr(answer.body, text);
    return at == NULL ? NAN : strtod(at + strlen(text), NULL);
}

static double closest_s(const char *unit, double lon, double lat)
{
    return closest_by(unit, lon, lat, "");
}

HT_CASE(alarms_are_assigned_together_by_the_times_of_closest)
{
    static const double place[2][2] = {{121.712, 29.952}, {121.725, 29.957}};
    double s[2][2];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(unit_add("a", "", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "", 121.73, 29.96), 201);
    for (int t = 0; t < 2; t++) {
        s[0][t] = closest_s("a", place[t][0], place[t][1]);
        s[1][t] = closest_s("b", place[t][0], place[t][1]);
    }
    bool straight = s[0][0] + s[1][1] < s[0][1] + s[1][0];
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"lon\":121.712,\"lat\":29.952},"
                        "{\"id\":\"y\",\"lon\":121.725,\"lat\":29.957}]}"),
                 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "assignments"), 2);
    HT_CHECK(ht_json_is(answer.body, "assignments.0.task", "\"x\""));
    HT_CHECK(ht_json_is(answer.body, "assignments.0.unit", straight ? "\"a\"" : "\"b\""));
    HT_CHECK(ht_json_is(answer.body, "assignments.1.unit", straight ? "\"b\"" : "\"a\""));
    HT_CHECK(fabs(number("assignments.0.duration_s") - s[straight ? 0 : 1][0]) < 0.0005);
    HT_CHECK(fabs(number("assignments.1.duration_s") - s[straight ? 1 : 0][1]) < 0.0005);
    HT_CHECK(number("assignments.0.distance_m") > 100);
    HT_CHECK_INT(ht_json_count_at(answer.body, "unassigned"), 0);
    HT_CHECK(fabs(number("summary.duration_s") - number("assignments.0.duration_s") -
                  number("assignments.1.duration_s")) < 0.0005);
    /* the same in the coordinates of Chinese maps is elsewhere */
    HT_CHECK_INT(post(ASSIGN "?crs=GCJ02", JSON,
                      "{\"tasks\":[{\"id\":\"x\",\"lon\":121.712,\"lat\":29.952}],"
                      "\"units\":[\"a\"]}"),
                 200);
    HT_CHECK(fabs(number("assignments.0.duration_s") - s[0][0]) > 1);
    HT_CHECK_INT(post(ASSIGN "?crs=moon", JSON, "{}"), 400);
    end();
}

HT_CASE(who_does_not_suit_or_is_too_far_stays_and_the_task_says_why)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(unit_add("a", "\"lift\"", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "\"lift\",\"first_aid\"", 121.73, 29.96), 201);
#define TASK(id, more) "{\"id\":\"" id "\",\"lon\":121.712,\"lat\":29.952" more "}"
    HT_CHECK_INT(
        assign("{\"tasks\":[" TASK("x", ",\"needs\":{\"skills\":[\"first_aid\"]}") "," TASK(
            "y", "") "," TASK("z", ",\"priority\":1") "," TASK("w",
                                                               ",\"needs\":{\"skills\":[\"flying\"]"
                                                               "}") "," TASK("v",
                                                                             ",\"needs\":{"
                                                                             "\"kind\":\"van\"}"
                                                                             ",\"units\":2") "]"
                                                                                             "}"),
        200);
    HT_CHECK(says("{\"task\":\"z\",\"unit\":\"a\"") && says("{\"task\":\"x\",\"unit\":\"b\""));
    HT_CHECK(says("{\"task\":\"y\",\"reason\":\"capacity\",\"missing\":1}"));
    HT_CHECK(says("{\"task\":\"w\",\"reason\":\"no_skill\",\"missing\":1}"));
    HT_CHECK(says("{\"task\":\"v\",\"reason\":\"no_skill\",\"missing\":2}"));
    HT_CHECK_INT(number("summary.unassigned"), 3);
    HT_CHECK_INT(assign("{\"max_s\":1,\"tasks\":[" TASK("x", "") "]}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"reason\":\"unreachable\",\"missing\":1}"));
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"lon\":10,\"lat\":10}]}"), 200);
    HT_CHECK(says("\"unassigned\":["));
    HT_CHECK_INT(assign("{\"units\":{\"skills\":[\"first_aid\"]},\"capacity\":5,\"tasks\":[" TASK(
                     "x", "") "," TASK("y", "") "]}"),
                 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"b\"") && says("{\"task\":\"y\",\"unit\":\"b\""));
    HT_CHECK_INT(assign("{\"units\":{\"status\":\"busy\"},\"tasks\":[" TASK("x", "") "]}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"reason\":\"no_skill\",\"missing\":1}"));
#undef TASK
    end();
}

enum { TRAVELLERS = 4 };
static const struct {
    const char *id;
    const char *how;
    double lon;
    double lat;
} travellers[TRAVELLERS] = {
    {"walks", "\"profile\":\"foot\"", 121.711, 29.951},
    {"rides", "\"profile\":\"ebike\"", 121.716, 29.954},
    {"drives", "\"profile\":\"car\"", 121.705, 29.952},
    {"hurries", "\"profile\":\"emergency\",\"profile_plain\":\"foot\"", 121.722, 29.956},
};
static const double doors[TRAVELLERS][2] = {
    {121.712, 29.952}, {121.725, 29.957}, {121.708, 29.951}, {121.719, 29.955}};

/* The town's streets for all of them, instead of cars alone. */
static bool begin_mixed(char before[sizeof map])
{
    char line[512];
    char mixed[sizeof map + 16];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(mixed, sizeof mixed, "%s/mixed.hnet", folder);
    (void)snprintf(line, sizeof line,
                   "import %s/streets.osm.pbf -o %s --profiles car,emergency,ebike,foot", folder,
                   mixed);
    if (strlen(mixed) >= sizeof map || ht_command_run(line)->code != 0) {
        return false;
    }
    memcpy(before, map, sizeof map);
    memcpy(map, mixed, strlen(mixed) + 1);
    return begin_town();
}

/* The least sum over all ways to give each door one of them. */
static double best_sum(double s[TRAVELLERS][TRAVELLERS], int door, unsigned taken)
{
    double best = door == TRAVELLERS ? 0 : INFINITY;
    for (int u = 0; door < TRAVELLERS && u < TRAVELLERS; u++) {
        if ((taken >> u & 1) == 0) {
            best = fmin(best, s[u][door] + best_sum(s, door + 1, taken | 1U << u));
        }
    }
    return best;
}

/* One goes on foot, one rides, one drives, and one has a blue light: for a role, too. */
HT_CASE(each_person_goes_by_their_own_profile)
{
    static const char tasks[] = "\"tasks\":[{\"id\":\"t0\",\"lon\":121.712,\"lat\":29.952},"
                                "{\"id\":\"t1\",\"lon\":121.725,\"lat\":29.957},"
                                "{\"id\":\"t2\",\"lon\":121.708,\"lat\":29.951},"
                                "{\"id\":\"t3\",\"lon\":121.719,\"lat\":29.955}]";
    static const char *const light[] = {"", "&blue_light=false"};
    static const char *const body[] = {"", ",\"blue_light\":false"};
    double sums[2] = {0};
    char before[sizeof map];
    HT_REQUIRE(begin_mixed(before));
    for (int u = 0; u < TRAVELLERS; u++) {
        HT_CHECK_INT(traveller_add(travellers[u].id, travellers[u].how, travellers[u].lon,
                                   travellers[u].lat),
                     201);
    }
    for (int way = 0; way < 4; way++) {
        bool roles = way >= 2;
        double s[TRAVELLERS][TRAVELLERS];
        char text[1024];
        for (int u = 0; u < TRAVELLERS; u++) {
            for (int t = 0; t < TRAVELLERS; t++) {
                s[u][t] = closest_by(travellers[u].id, doors[t][0], doors[t][1], light[way % 2]);
            }
        }
        (void)snprintf(text, sizeof text, "{%s%s%s}", tasks, body[way % 2],
                       roles ? ",\"roles\":[{\"role\":\"cadre\"}]" : "");
        HT_CHECK_INT(assign(text), 200);
        HT_CHECK_INT(ht_json_count_at(answer.body, "assignments"), TRAVELLERS);
        for (int t = 0; t < TRAVELLERS; t++) {
            char path[64];
            char unit[32] = "";
            (void)snprintf(path, sizeof path, "assignments.%d.duration_s", t);
            double told_s = number(path);
            (void)snprintf(path, sizeof path, "assignments.%d.unit", t);
            for (int u = 0; u < TRAVELLERS; u++) {
                (void)snprintf(unit, sizeof unit, "\"%s\"", travellers[u].id);
                HT_CHECK(!ht_json_is(answer.body, path, unit) || fabs(told_s - s[u][t]) < 0.0005);
            }
        }
        sums[way % 2] = number("summary.duration_s");
        HT_CHECK(fabs(sums[way % 2] - best_sum(s, 0, 0)) < 0.005);
    }
    HT_CHECK(sums[1] > sums[0] + 1); /* the light is worth something here */
    HT_CHECK_INT(assign("{\"blue_light\":1,\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}]}"), 400);
    end();
    memcpy(map, before, sizeof map);
}

/* As closest has it; who is named goes all the same. */
HT_CASE(who_is_off_shift_stays_at_home_unless_asked_for)
{
#define ONE "\"tasks\":[{\"id\":\"x\",\"lon\":121.712,\"lat\":29.952}]"
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(traveller_add("a", "\"profile\":\"car\",\"shift\":\"off\"", 121.711, 29.951), 201);
    HT_CHECK_INT(traveller_add("b", "\"profile\":\"car\",\"shift\":\"24/7\"", 121.73, 29.96), 201);
    HT_CHECK_INT(assign("{" ONE "}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"b\""));
    HT_CHECK_INT(assign("{\"units\":{\"shift\":\"any\"}," ONE "}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"a\""));
    HT_CHECK_INT(assign("{\"units\":{\"shift\":\"off\",\"kind\":\"volunteer\"}," ONE "}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"a\"") && number("summary.roles.0.units") == 1);
    HT_CHECK_INT(assign("{\"units\":[\"a\"]," ONE "}"), 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"a\""));
    HT_CHECK_INT(assign("{\"units\":{\"shift\":\"soon\"}," ONE "}"), 400);
    HT_CHECK(says("shift is on, off or any"));
#undef ONE
    end();
}

HT_CASE(households_are_found_by_id_and_nothing_of_them_is_told)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(unit_add("a", "", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "", 121.73, 29.96), 201);
    HT_CHECK_INT(post("/collections/households/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"h1\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.712,29.952]},\"properties\":{\"name\":\"Zhang San\","
                      "\"address\":\"1 Harbour Lane\"}}"),
                 201);
    HT_CHECK_INT(post("/collections/households/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"h2\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.712,29.952]},\"properties\":{"
                      "\"entrance\":[121.7295,29.9598]}}"),
                 201);
    double a = closest_s("a", 121.712, 29.952);
    double b = closest_s("b", 121.7295, 29.9598);
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"household\":\"h1\"},"
                        "{\"id\":\"y\",\"household\":\"h2\"}]}"),
                 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"a\"") && says("{\"task\":\"y\",\"unit\":\"b\""));
    HT_CHECK(fabs(number("assignments.0.duration_s") - a) < 0.0005);
    HT_CHECK(fabs(number("assignments.1.duration_s") - b) < 0.0005);
    HT_CHECK(!says("Zhang") && !says("Harbour") && !says("121.7"));
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"household\":\"h9\"}]}"), 422);
    HT_CHECK(says("there is no household h9"));
    end();
}

/* Five roles for two households; the doctor that speaks the dialect is the far one. */
HT_CASE(each_household_gets_one_of_each_role)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(
        assign("{\"balanced\":true,\"tasks\":[{\"id\":\"h1\"},{\"id\":\"h2\",\"needs\":{\"roles\":"
               "{\"doctor\":{\"skills\":[\"dialect\"]}}}},{\"id\":\"h3\"}],\"roles\":["
               "{\"role\":\"cadre\",\"units\":[\"c1\"],\"capacity\":2,"
               "\"matrix\":{\"durations\":[[30,20,10]]}},"
               "{\"role\":\"doctor\",\"units\":[{\"id\":\"d1\",\"capacity\":3},"
               "{\"id\":\"d2\",\"capacity\":3,\"skills\":[\"dialect\"]}],"
               "\"matrix\":{\"durations\":[[5,5,5.25],[50,50,null]],"
               "\"distances\":[[1,2,3.5],[4,5,null]]}},"
               "{\"role\":\"police\",\"units\":[],\"matrix\":{\"durations\":[]}}]}"),
        200);
    const char *want =
        "{\"assignments\":["
        "{\"task\":\"h1\",\"role\":\"doctor\",\"unit\":\"d1\",\"duration_s\":5,"
        "\"distance_m\":1},"
        "{\"task\":\"h2\",\"role\":\"cadre\",\"unit\":\"c1\",\"duration_s\":20},"
        "{\"task\":\"h2\",\"role\":\"doctor\",\"unit\":\"d2\",\"duration_s\":50,"
        "\"distance_m\":5},"
        "{\"task\":\"h3\",\"role\":\"cadre\",\"unit\":\"c1\",\"duration_s\":10},"
        "{\"task\":\"h3\",\"role\":\"doctor\",\"unit\":\"d1\",\"duration_s\":5.25,"
        "\"distance_m\":3.5}],\"unassigned\":["
        "{\"task\":\"h1\",\"role\":\"cadre\",\"reason\":\"capacity\",\"missing\":1},"
        "{\"task\":\"h1\",\"role\":\"police\",\"reason\":\"no_skill\",\"missing\":1},";
    HT_CHECK(strncmp(answer.body, want, strlen(want)) == 0);
    HT_CHECK_INT(number("summary.roles.1.load_most"), 2);
    HT_CHECK_INT(number("summary.unassigned"), 4);
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"h1\"}],\"roles\":["
                        "{\"role\":\"cadre\",\"units\":[\"c1\"],\"matrix\":{\"durations\":[[1]]}},"
                        "{\"role\":\"doctor\",\"units\":[\"c1\"],"
                        "\"matrix\":{\"durations\":[[1]]}}]}"),
                 422);
    HT_CHECK(says("unit c1 comes twice"));
    end();
}

/* Weights decide where two want the same; a task may want several. */
HT_CASE(given_matrices_need_no_places)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"weight\":1},{\"id\":\"y\",\"weight\":5}],"
                        "\"units\":[\"u\",\"v\"],\"matrix\":{\"durations\":[[10,10],[30,30]]}}"),
                 200);
    HT_CHECK(says("{\"task\":\"x\",\"unit\":\"v\",\"duration_s\":30}"));
    HT_CHECK(says("{\"task\":\"y\",\"unit\":\"u\",\"duration_s\":10}"));
    HT_CHECK_INT(number("summary.roles.0.weighted_s"), 80);
    HT_CHECK_INT(assign("{\"tasks\":[{\"id\":\"x\",\"units\":2},{\"id\":\"y\"}],"
                        "\"units\":[\"u\",\"v\"],\"matrix\":{\"durations\":[[10,null],[30,1]]}}"),
                 200);
    HT_CHECK_INT(number("summary.assigned"), 2);
    HT_CHECK_INT(number("summary.duration_s"), 11);
    end();
}

static const struct {
    const char *body;
    int code;
    const char *says;
} wrong[] = {
    {"", 400, "not a JSON object"},
    {"[]", 400, "not a JSON object"},
    {"{\"tasks\":[{\"id\":\"x\"", 400, "not a JSON object"},
    {"{}", 400, "tasks must be a list"},
    {"{\"tasks\":[]}", 400, "not empty"},
    {"{\"tasks\":[7]}", 400, "tasks/0/must be an object"},
    {"{\"tasks\":[{\"lon\":1,\"lat\":2}]}", 400, "id is missing"},
    {"{\"tasks\":[{\"id\":\"x y\",\"lon\":1,\"lat\":2}]}", 400, "tasks/0/id"},
    {"{\"tasks\":[{\"id\":\"x\"}]}", 400, "tasks/0: lon and lat, or household"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1}]}", 400, "lon and lat come together"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":\"1\",\"lat\":2}]}", 400, "lon must be a number"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":99}]}", 400, "no place on Earth"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"household\":\"h\"}]}", 400, "not both"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"units\":1.5}]}", 400, "whole number"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"priority\":101}]}", 400, "priority"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"weight\":-1}]}", 400, "weight"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"needs\":[]}]}", 400, "needs"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"needs\":{\"kind\":\"tank\"}}]}", 400, "kind"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2,\"needs\":{\"skills\":[1]}}]}", 400, "skills"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2},{\"id\":\"x\",\"lon\":1,\"lat\":2}]}", 422,
     "two tasks have the id x"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}],\"units\":[\"nobody\"]}", 422,
     "there is no unit nobody"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}],\"units\":7}", 400, "units must be"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}],\"units\":[7]}", 400, "units/0/"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"matrix\":{\"durations\":[[1]]}}", 400, "list of units"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[\"u\"],\"matrix\":{\"durations\":[]}}", 422, "1 rows"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[\"u\"],\"matrix\":{\"durations\":[[1,2]]}}", 422,
     "row 0"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[\"u\"],\"matrix\":{\"durations\":[[-1]]}}", 400,
     "0/0"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[\"u\"],\"matrix\":{}}", 400, "durations"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[\"u\",\"u\"],\"matrix\":{\"durations\":[[1],[1]]}"
     "}",
     422, "comes twice"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"roles\":[]}", 400, "roles must be"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"roles\":[{}]}", 400, "role is missing"},
    {"{\"tasks\":[{\"id\":\"x\"}],\"units\":[],\"roles\":[{\"role\":\"a\"}]}", 400,
     "those of each role"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}],\"roles\":[{\"role\":\"a\"},"
     "{\"role\":\"a\"}]}",
     422, "came before"},
    {"{\"tasks\":[{\"id\":\"x\",\"lon\":1,\"lat\":2}],\"balanced\":1}", 400, "balanced"},
};

HT_CASE(what_can_not_be_read_is_refused_with_its_place)
{
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int code = assign(wrong[i].body);
        bool good = code == wrong[i].code && says(wrong[i].says);
        HT_CHECK(good);
        if (!good) {
            (void)printf("  %s\n  -> %d %s\n", wrong[i].body, code, answer.body);
        }
    }
    HT_CHECK_INT(get(ASSIGN), 405);
    end();
}

/* A body of some thousand tasks or units, piece by piece. */
struct body {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void body_add(struct body *body, const char *format,
                                                           ...)
{
    va_list list;
    va_start(list, format);
    body->size += (size_t)vsnprintf(body->text + body->size, 128, format, list);
    va_end(list);
}

static int body_post(struct body *body)
{
    char head[256];
    (void)snprintf(head, sizeof head,
                   "POST " ASSIGN " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n" JSON
                   "\r\n",
                   body->size);
    ht_answer_free(&answer);
    bool sent = ht_client_text(&client, head) && ht_client_send(&client, body->text, body->size);
    return sent ? ht_client_read(&client, &answer, false) : -1;
}

HT_CASE(what_is_too_much_is_refused_and_what_is_not_is_done)
{
    struct body body = {.text = calloc(1, 8 << 20)};
    HT_REQUIRE(body.text != NULL);
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(unit_add("a", "", 121.70, 29.95), 201);
    body_add(&body, "{\"capacity\":10000,\"tasks\":[");
    for (int t = 0; t < 10000; t++) {
        body_add(&body, "%s{\"id\":\"t%d\",\"lon\":%.4f,\"lat\":29.95}", t == 0 ? "" : ",", t,
                 121.70 + t % 300 * 0.0001);
    }
    size_t kept = body.size;
    body_add(&body, "]}");
    HT_CHECK_INT(body_post(&body), 200);
    HT_CHECK_INT(number("summary.assigned"), 10000);
    body.size = kept;
    body_add(&body, ",{\"id\":\"more\",\"lon\":121.7,\"lat\":29.95}]}");
    HT_CHECK_INT(body_post(&body), 413);
    HT_CHECK(says("tasks: more than 10000"));
    body.size = 0;
    body_add(&body, "{\"tasks\":[");
    for (int t = 0; t < 3000; t++) {
        body_add(&body, "%s{\"id\":\"t%d\"}", t == 0 ? "" : ",", t);
    }
    body_add(&body, "],\"units\":[");
    for (int u = 0; u < 1000; u++) {
        body_add(&body, "%s\"u%d\"", u == 0 ? "" : ",", u);
    }
    body_add(&body, "],\"matrix\":{\"durations\":[]}}");
    HT_CHECK_INT(body_post(&body), 413);
    HT_CHECK(says("pairs of task and unit"));
    memset(body.text, '[', 1 << 20); /* a tree this deep can't be freed */
    memset(body.text + (1 << 20), ']', 1 << 20);
    body.size = 2 << 20;
    HT_CHECK_INT(body_post(&body), 400);
    body.size = 5 << 20;
    memset(body.text, ' ', body.size);
    HT_CHECK_INT(body_post(&body), 413);
    free(body.text);
    end();
}

HT_SERVED_MAIN()
