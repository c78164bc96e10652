/* houtao serve as a process: answers on a sample town, the swap of its map under load, its end. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <yajl/yajl_tree.h>

#include "api/routes.h"
#include "tests/support/check.h"
#include "tests/support/served.h"

#define ROUTE "/route/v1/car/121.70,29.95;121.73,29.96?overview=full&steps=true"
#define JSON "Content-Type: application/json\r\n"

HT_CASE(server_answers_routes_and_says_how_it_is)
{
    /* a Sunday: no turn is closed by the clock, whose metric would still be made */
    HT_REQUIRE(begin("--clock 2026-03-08T12:00:00+08:00"));
    HT_CHECK_INT(get(ROUTE), 200);
    HT_CHECK(strncmp(answer.body, "{\"code\":\"Ok\"", 12) == 0);
    HT_CHECK_STR(ht_answer_header(&answer, "Access-Control-Allow-Origin"), "*");
    HT_CHECK_INT(get("/route/v1/car/121.70,29.95"), 400);
    HT_CHECK(strstr(answer.body, "\"InvalidOptions\"") != NULL);
    HT_CHECK_INT(get("/route/v1/nobody/121.70,29.95;121.73,29.96"), 400);
    HT_CHECK_INT(get("/healthz"), 200);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(strstr(answer.body, "houtao_requests_total{service=\"route\",code=\"200\"} 1\n") !=
             NULL);
    HT_CHECK(strstr(answer.body, "houtao_requests_total{service=\"route\",code=\"400\"} 2\n") !=
             NULL);
    HT_CHECK(strstr(answer.body, "houtao_request_duration_seconds_count{service=\"route\"} 3\n") !=
             NULL);
    HT_CHECK(strstr(answer.body, "houtao_build_info{version=\"0.") != NULL);
    HT_CHECK(strstr(answer.body, "houtao_network_profiles 1\n") != NULL);
    HT_CHECK(strstr(answer.body, "houtao_connections 1\n") != NULL);
    end();
}

/* A log for machines is all JSON, and says on stderr where the server is: nothing on stdout. */
HT_CASE(log_for_machines_is_json_line_by_line)
{
    static char said[1 << 14];
    char line_of[256];
    struct stat info;
    int log = ht_command_temp();
    int out = ht_command_temp();
    forsake();
    HT_REQUIRE(map_make() && log >= 0 && out >= 0);
    (void)snprintf(line_of, sizeof line_of,
                   "serve --network %s --listen 127.0.0.1:0 --threads 2 --log json", map);
    child = ht_command_start(line_of, out, log);
    for (int i = 0; i < 600 && strstr(said, "\"http://127.0.0.1:") == NULL; i++) {
        (void)usleep(i == 0 ? 0 : 100000);
        ssize_t size = pread(log, said, sizeof said - 1, 0);
        said[size > 0 ? size : 0] = '\0';
    }
    int status = -1;
    HT_CHECK(kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child && status == 0);
    child = -1;
    int lines = 0;
    for (char *line = said; *line != '\0'; lines++) {
        char *end_of_line = line + strcspn(line, "\n");
        char why[256];
        *end_of_line = '\0';
        yajl_val tree = yajl_tree_parse(line, why, sizeof why);
        HT_CHECK(YAJL_IS_OBJECT(tree));
        yajl_tree_free(tree);
        line = end_of_line + 1;
    }
    HT_CHECK(lines >= 2);
    HT_CHECK(fstat(out, &info) == 0 && info.st_size == 0);
    (void)close(out);
    (void)close(log);
}

HT_CASE(front_door_is_a_page_for_browsers_and_json_for_others)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get("/"), 200);
    HT_CHECK(strncmp(ht_answer_header(&answer, "Content-Type"), "application/json", 16) == 0);
    HT_CHECK(strstr(answer.body, "/openapi.json") != NULL);
    HT_CHECK_INT(ask("GET /" HEADERS "Accept: text/html,*/*;q=0.8\r\n\r\n"), 200);
    HT_CHECK(strncmp(ht_answer_header(&answer, "Content-Type"), "text/html", 9) == 0);
    HT_CHECK_INT(get("/nothing/here"), 404);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "application/problem+json");
    HT_CHECK_INT(get("/route?overview=false"), 400); /* a service of OSRM's, cut short */
    HT_CHECK(strstr(answer.body, "\"InvalidUrl\"") != NULL);
    HT_CHECK_INT(get("/tile"), 400);
    HT_CHECK_INT(get("/tiles"), 404);
    HT_CHECK_INT(ask("DELETE /healthz" HEADERS "\r\n"), 405);
    HT_CHECK_STR(ht_answer_header(&answer, "Allow"), "GET, HEAD, OPTIONS");
    HT_CHECK_INT(ask("PUT " ROUTE HEADERS "\r\n"), 405);
    HT_CHECK_INT(ask("OPTIONS " ROUTE HEADERS "\r\n"), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Access-Control-Allow-Origin"), "*");
    HT_CHECK_INT(ask("OPTIONS /v1/network" HEADERS "\r\n"), 200);
    HT_CHECK(ht_answer_header(&answer, "Access-Control-Allow-Origin") == NULL);
    HT_CHECK_INT(ask("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
    end();
}

/* Every row of the table is described with its methods, and nothing is described that is not there.
 */
HT_CASE(description_is_the_route_table)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get("/openapi.json"), 200);
    char why[256];
    yajl_val tree = yajl_tree_parse(answer.body, why, sizeof why);
    const char *root[] = {"paths", NULL};
    yajl_val paths = yajl_tree_get(tree, root, yajl_t_object);
    HT_REQUIRE(YAJL_IS_OBJECT(paths));
    size_t count = 0;
    const struct ht_route *routes = ht_routes(&count);
    for (size_t i = 0; i < count; i++) {
        const struct {
            const char *name;
            const char *allow;
            bool there;
        } methods[] = {{"get", "GET", routes[i].get != NULL},
                       {"post", "POST", routes[i].post != NULL},
                       {"put", "PUT", routes[i].put != NULL},
                       {"patch", "PATCH", routes[i].patch != NULL},
                       {"delete", "DELETE", routes[i].del != NULL}};
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            const char *at[] = {"paths", routes[i].path, methods[m].name, NULL};
            bool described = yajl_tree_get(tree, at, yajl_t_object) != NULL;
            if (described != methods[m].there ||
                (strstr(routes[i].allow, methods[m].allow) != NULL) != methods[m].there) {
                HT_CHECK_STR(routes[i].path, methods[m].name);
            }
        }
    }
    size_t others = 0;
    for (size_t i = 0; i < YAJL_GET_OBJECT(paths)->len; i++) {
        const char *path = YAJL_GET_OBJECT(paths)->keys[i];
        bool found = false;
        for (size_t r = 0; r < count; r++) {
            found = found || strcmp(routes[r].path, path) == 0;
        }
        bool osrm = strstr(path, "/v1/{profile}") != NULL;
        HT_CHECK(found || osrm);
        others += osrm ? 1 : 0;
    }
    HT_CHECK_INT(others, 9);
    yajl_tree_free(tree);
    end();
}

HT_CASE(writes_from_other_origins_are_refused)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(post("/v1/network", JSON "Origin: http://evil.example\r\n", "{\"file\":\"x\"}"),
                 403);
    HT_CHECK_INT(post("/v1/network", JSON "Origin: null\r\n", "{\"file\":\"x\"}"), 403);
    HT_CHECK_INT(post("/v1/network", "Content-Type: text/plain\r\n", "{\"file\":\"x\"}"), 415);
    HT_CHECK_INT(post("/v1/network", JSON, "{\"file\":"), 400);
    HT_CHECK_INT(post("/v1/network", JSON, "[]"), 400);
    HT_CHECK_INT(post("/v1/network", JSON, "{\"file\":\"/dev/null\\u0000x\"}"), 400);
    HT_CHECK_INT(post("/v1/network", JSON, ""), 400);
    HT_CHECK_INT(post("/v1/network", JSON, "{\"file\":7}"), 422);
    HT_CHECK(strstr(answer.body, "file must be a text") != NULL);
    HT_CHECK_INT(post("/v1/network", JSON, "{}"), 422);
    HT_CHECK(strstr(answer.body, "file is missing") != NULL);
    end();
}

enum { NESTED = 1 << 20 };

/* A body that begins with `head`, and in it as many lists within lists. */
static int nested(const char *method, const char *path, const char *head)
{
    char filled[128];
    char text[512];
    static char body[2 * NESTED + 64];
    size_t size = strlen(head);
    const char *brace = strchr(path, '{');
    /* whatever the route takes in braces */
    (void)snprintf(filled, sizeof filled, "%s", path);
    if (brace != NULL && strstr(path, "settings") != NULL) {
        (void)snprintf(filled, sizeof filled, "/v1/settings/live");
    } else if (brace != NULL && strstr(path, "collections") != NULL) {
        (void)snprintf(filled, sizeof filled, "/collections/facilities/items%s",
                       strstr(path, "{id}") != NULL ? "/f1" : "");
    }
    memcpy(body, head, size);
    memset(body + size, '[', NESTED);
    memset(body + size + NESTED, ']', NESTED);
    size += 2 * NESTED;
    body[size++] = head[0] == '{' ? '}' : ']';
    (void)snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n" JSON "\r\n",
                   method, filled, size);
    struct ht_client other;
    ht_answer_free(&answer);
    int status = -1;
    if (ht_client_open(&other, port) && ht_client_text(&other, text) &&
        ht_client_send(&other, body, size)) {
        status = ht_client_read(&other, &answer, false);
    }
    ht_client_close(&other);
    return status;
}

/* Every route that takes a body; a comment must not hide brackets from who counts them. */
HT_CASE(lists_within_lists_without_end_are_refused_by_every_route)
{
    static const char *const heads[] = {"[", "{\"a\":", "[/*\"*/", "{/*\"*/\"a\":", "[//\"\n"};
    static char options[256];
    size_t count = 0;
    size_t tried = 0;
    HT_REQUIRE(map_make());
    (void)snprintf(options, sizeof options,
                   "--store %s/nested.sqlite --clock 2026-03-01T08:00:00+08:00,0", folder);
    HT_REQUIRE(begin(options));
    const struct ht_route *routes = ht_routes(&count);
    for (size_t i = 0; i < count; i++) {
        const char *methods[] = {routes[i].post != NULL ? "POST" : NULL,
                                 routes[i].put != NULL ? "PUT" : NULL,
                                 routes[i].patch != NULL ? "PATCH" : NULL};
        for (size_t m = 0; m < 3; m++) {
            for (size_t h = 0; methods[m] != NULL && h < sizeof heads / sizeof *heads; h++) {
                int status = nested(methods[m], routes[i].path, heads[h]);
                if (strcmp(routes[i].path, "/v1/positions") == 0 && h == 1) {
                    HT_CHECK_INT(status, 200); /* one that has no unit */
                } else if (strcmp(routes[i].path, "/v1/nodes/devices") == 0) {
                    HT_CHECK_INT(status, 404); /* of nodes among themselves */
                } else if (strcmp(routes[i].path, "/v1/rounds/{id}/replan") == 0) {
                    HT_CHECK_INT(status, 404); /* read beside its round: see test_rounds.c */
                } else if (status != 400 && status != 413) {
                    HT_CHECK_INT(status, 400);
                    HT_CHECK_STR(routes[i].path, heads[h]);
                }
                tried++;
            }
        }
    }
    HT_CHECK(tried >= 50);
    end();
}

HT_CASE(clock_is_the_machines_unless_asked_otherwise)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get("/v1/clock"), 200);
    HT_CHECK(strstr(answer.body, "\"virtual\":false") != NULL);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":60}"), 409);
    end();
    HT_REQUIRE(begin("--clock 2026-03-01T08:00:00+08:00,0"));
    HT_CHECK_INT(get("/v1/clock"), 200);
    HT_CHECK_STR(
        answer.body,
        "{\"now\":\"2026-03-01T00:00:00.000Z\",\"virtual\":true,\"speed\":0,\"lockstep\":false,"
        "\"zone\":\"Asia/Shanghai\"}");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":90.5}"), 200);
    HT_CHECK_STR(
        answer.body,
        "{\"now\":\"2026-03-01T00:01:30.500Z\",\"virtual\":true,\"speed\":0,\"lockstep\":false,"
        "\"zone\":\"Asia/Shanghai\"}");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":-1}"), 422);
    HT_CHECK_INT(post("/v1/clock", JSON, "{}"), 422);
    HT_CHECK_INT(get(ROUTE), 200);
    end();
}

enum { TRIPS = 1500 };

static const char *trip_profile = "car";

/* Asks for a trip across the town; its answer as a number, 0: there was none. */
static uint64_t trip_ask(int trip)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)trip + 5);
    char path[256];
    double at[4];
    for (int c = 0; c < 4; c++) {
        at[c] = (c % 2 == 0 ? 121.68 : 29.91) + ht_random_below(&state, 80000) * 1e-6;
    }
    (void)snprintf(path, sizeof path,
                   "/route/v1/%s/%.6f,%.6f;%.6f,%.6f?overview=false&generate_hints=false",
                   trip_profile, at[0], at[1], at[2], at[3]);
    if (get(path) != 200) {
        return 0;
    }
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t b = 0; b < answer.size; b++) {
        hash = (hash ^ (unsigned char)answer.body[b]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* Asks for the same trips each time; how many answers differ from those in `before` (where they are
 * to be compared), which gets the new ones. */
static int trips_ask(uint64_t *before, bool compare)
{
    int differ = 0;
    for (int i = 0; i < TRIPS; i++) {
        uint64_t hash = trip_ask(i);
        if (hash == 0) {
            return -1;
        }
        differ += compare && before[i] != hash ? 1 : 0;
        before[i] = hash;
    }
    return differ;
}

/* The sample has turns that are forbidden on weekday mornings. */
HT_CASE(conditional_turns_obey_the_clock)
{
    static uint64_t answers[TRIPS];
    HT_REQUIRE(begin("--clock 2026-03-02T03:00:00+08:00,0"));
    HT_CHECK_INT(trips_ask(answers, false), 0);
    HT_CHECK_INT(trips_ask(answers, true), 0);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":18000}"), 200);
    HT_CHECK(trips_ask(answers, true) > 0);
    HT_CHECK_INT(trips_ask(answers, true), 0);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":68400}"), 200);
    HT_CHECK(trips_ask(answers, true) > 0);
    end();
}

static int put_holidays(const char *holidays)
{
    char request[256];
    char body[64];
    int size = snprintf(body, sizeof body, "{\"holidays\":[%.32s]}", holidays);
    (void)snprintf(request, sizeof request,
                   "PUT /v1/settings/calendar" HEADERS JSON "Content-Length: %d\r\n\r\n%s", size,
                   body);
    return ask(request);
}

/* PH off: a holiday of the office's calendar has no such morning, until it is struck out. */
HT_CASE(conditional_turns_obey_the_calendar)
{
    static uint64_t answers[TRIPS];
    static char options[256];
    HT_REQUIRE(map_make());
    (void)snprintf(options, sizeof options,
                   "--store %s/holidays.sqlite --clock 2026-03-02T03:00:00+08:00,0", folder);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(put_holidays("\"2026-03-02\""), 200);
    HT_CHECK_INT(trips_ask(answers, false), 0);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":18000}"), 200);
    HT_CHECK_INT(trips_ask(answers, true), 0);
    HT_CHECK_INT(put_holidays(""), 200);
    int changed = 0;
    for (int i = 0; i < 600 && changed == 0; i++) { /* the keeper makes the metric */
        (void)usleep(i == 0 ? 0 : 100000);
        changed = trips_ask(answers, true);
    }
    HT_CHECK(changed > 0);
    end();
}

/* How many of the trips that the hour changes have not the answers that they are to have. */
static int trips_wrong(const uint64_t *wanted, const uint64_t *other)
{
    int wrong = 0;
    for (int i = 0; i < TRIPS; i++) {
        wrong += wanted[i] != other[i] && trip_ask(i) != wanted[i] ? 1 : 0;
    }
    return wrong;
}

static const char *const hours[2] = {"--clock 2026-03-02T03:00:00+08:00,0",
                                     "--clock 2026-03-02T08:00:00+08:00,0"};

/* From the one hour to the other, either way round. */
static int clock_turn(int from)
{
    return post("/v1/clock", JSON, from == 0 ? "{\"advance_s\":18000}" : "{\"advance_s\":68400}");
}

static void first_answers_check(void)
{
    static uint64_t answers[2][TRIPS];
    HT_REQUIRE(begin(hours[0]));
    HT_CHECK_INT(trips_ask(answers[0], false), 0);
    HT_CHECK_INT(clock_turn(0), 200);
    HT_CHECK_INT(trips_ask(answers[1], false), 0);
    end();
    int changed = 0;
    for (int i = 0; i < TRIPS; i++) {
        changed += answers[0][i] != answers[1][i];
    }
    HT_CHECK(changed > 0);
    for (int from = 0; from < 2; from++) {
        int first = 0;
        while (first < TRIPS - 1 && answers[0][first] == answers[1][first]) {
            first++;
        }
        HT_REQUIRE(begin(hours[from]));
        HT_CHECK(trip_ask(first) == answers[from][first]);
        HT_CHECK_INT(clock_turn(from), 200);
        HT_CHECK(trip_ask(first) == answers[1 - from][first]);
        HT_CHECK_INT(trips_wrong(answers[1 - from], answers[from]), 0);
        end();
        HT_REQUIRE(begin(hours[from]));
        HT_CHECK_INT(trips_wrong(answers[from], answers[1 - from]), 0);
        end();
    }
}

/* Of two profiles the one that nobody needs before it is asked for: its first answers come before
 * its streets are made, and the clock moves before they are. */
HT_CASE(turns_obey_the_clock_from_the_first_answer_on)
{
    char line[512];
    char own[sizeof map];
    HT_REQUIRE(map_make());
    (void)snprintf(own, sizeof own, "%s", map);
    (void)snprintf(map, sizeof map, "%s/two.hnet", folder);
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s --profiles foot,van", folder,
                   map);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    trip_profile = "van";
    first_answers_check();
    trip_profile = "car";
    (void)snprintf(map, sizeof map, "%s", own);
}

struct asker {
    pthread_t thread;
    atomic_bool *stop;
    atomic_int answered;
    atomic_int wrong;
    char *first; /* every answer has to be this one */
};

static void *ask_on(void *user)
{
    struct asker *asker = user;
    struct ht_client *own = malloc(sizeof *own);
    if (own == NULL || !ht_client_open(own, port)) {
        asker->wrong++;
        free(own);
        return NULL;
    }
    while (!atomic_load(asker->stop)) {
        struct ht_answer got = {0};
        bool sent = ht_client_text(own, "GET " ROUTE HEADERS "\r\n");
        if (!sent || ht_client_read(own, &got, false) != 200) {
            asker->wrong++;
            ht_answer_free(&got);
            break;
        }
        (void)atomic_fetch_add(&asker->answered, 1);
        if (asker->first == NULL) {
            asker->first = strdup(got.body);
        }
        asker->wrong += asker->first == NULL || strcmp(asker->first, got.body) != 0 ? 1 : 0;
        ht_answer_free(&got);
    }
    ht_client_close(own);
    free(own);
    return NULL;
}

/* How often the child has the map in its memory. */
static int maps_of_child(void)
{
    char path[64];
    char line[512];
    int count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)child);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, ".hnet") != NULL ? 1 : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

HT_CASE(map_is_swapped_under_load_and_the_old_one_freed)
{
    enum { ASKERS = 4, SWAPS = 10 };
    HT_REQUIRE(begin(""));
    struct asker askers[ASKERS] = {0};
    atomic_bool stop = false;
    char body[256];
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", map);
    for (int i = 0; i < ASKERS; i++) {
        askers[i].stop = &stop;
        HT_REQUIRE(pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) == 0);
    }
    for (int i = 0; i < SWAPS; i++) {
        HT_CHECK_INT(post("/v1/network", JSON, body), 200);
        HT_CHECK_INT(post("/v1/network", JSON, "{\"file\":\"/dev/null\"}"), 422);
        HT_CHECK(strstr(answer.body, "/dev/null") != NULL);
    }
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(strstr(answer.body, "houtao_network_swaps_total 11\n") != NULL);
    for (int i = 0; i < ASKERS; i++) { /* also one that the machine had no time for until now */
        while (atomic_load(&askers[i].answered) == 0 && atomic_load(&askers[i].wrong) == 0) {
            (void)usleep(1000);
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < ASKERS; i++) {
        HT_CHECK(pthread_join(askers[i].thread, NULL) == 0);
        HT_CHECK(askers[i].answered > 0);
        HT_CHECK_INT(askers[i].wrong, 0);
        free(askers[i].first);
    }
    /* Idle loops let go of the old map within a tick or two. */
    int maps = maps_of_child();
    for (int i = 0; i < 500 && maps > 1; i++) {
        (void)usleep(20000);
        maps = maps_of_child();
    }
    HT_CHECK_INT(maps, 1);
    HT_CHECK_INT(get(ROUTE), 200);
    end();
}

/* The header is whole, so the server starts; a byte of the last profile is not. */
HT_CASE(damaged_map_ends_the_server_with_the_reason)
{
    char line[512];
    HT_REQUIRE(map_make());
    (void)snprintf(line, sizeof line, "cp '%s' '%s/damaged.hnet'", map, folder);
    HT_REQUIRE(system(line) == 0);
    (void)snprintf(line, sizeof line, "%s/damaged.hnet", folder);
    FILE *file = fopen(line, "r+b");
    HT_REQUIRE(file != NULL && fseek(file, -1000, SEEK_END) == 0);
    int byte = fgetc(file);
    HT_CHECK(fseek(file, -1000, SEEK_END) == 0 && fputc(byte ^ 1, file) != EOF);
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line, "serve --network %s/damaged.hnet --listen 127.0.0.1:0",
                   folder);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 1);
    HT_CHECK(strstr(run->err, "damaged.hnet") != NULL);
    HT_CHECK(strstr(run->err, "houtao import") != NULL);
    /* as long as it lives, it is not ready */
    (void)snprintf(line, sizeof line, "--network %s/damaged.hnet", folder);
    int code = begin(line) ? 503 : -1;
    while (code == 503) {
        code = get("/readyz");
        (void)usleep(1000);
    }
    HT_CHECK(code <= 0); /* reset, or closed before we asked */
    int status = -1;
    HT_CHECK(waitpid(child, &status, 0) == child);
    HT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    ht_client_close(&client);
    child = -1;
}

/* A copy has no stamp. */
HT_CASE(server_is_ready_once_its_map_is_trusted)
{
    char line[512];
    char path[512];
    HT_REQUIRE(map_make());
    (void)snprintf(line, sizeof line, "cp '%s' '%s/copy.hnet'", map, folder);
    HT_REQUIRE(system(line) == 0);
    (void)snprintf(line, sizeof line, "--network %s/copy.hnet", folder);
    HT_REQUIRE(begin(line));
    HT_CHECK_INT(get(ROUTE), 200);
    int code = get("/readyz");
    for (int i = 0; i < 600 && code == 503; i++) {
        HT_CHECK(strstr(answer.body, "being checked") != NULL);
        HT_CHECK_STR(ht_answer_header(&answer, "Retry-After"), "1");
        (void)usleep(100000);
        code = get("/readyz");
    }
    HT_CHECK_INT(code, 200);
    end();
    /* that check has stamped it, where files can be */
    (void)snprintf(path, sizeof path, "%s/copy.hnet", folder);
    bool stamped = getxattr(path, "user.houtao.checked", NULL, 0) > 0;
    HT_REQUIRE(begin(line));
    code = get("/readyz");
    HT_CHECK(code == 200 || (code == 503 && !stamped));
    end();
}

/* With code 1 and a line on stderr, not by a signal. */
HT_CASE(map_that_is_cut_under_the_server_ends_it)
{
    char line[512];
    HT_REQUIRE(map_make());
    (void)snprintf(line, sizeof line, "cp '%s' '%s/cut.hnet'", map, folder);
    HT_REQUIRE(system(line) == 0);
    (void)snprintf(line, sizeof line, "--network %s/cut.hnet", folder);
    HT_REQUIRE(begin(line));
    HT_CHECK_INT(get(ROUTE), 200);
    (void)snprintf(line, sizeof line, "%s/cut.hnet", folder);
    HT_REQUIRE(truncate(line, 4096) == 0);
    int result = -1;
    for (int i = 0; i < 1000 && waitpid(child, &result, WNOHANG) == 0; i++) {
        (void)get("/route/v1/car/121.70,29.95;121.73,29.96?steps=true");
        (void)usleep(10000);
    }
    child = -1;
    ht_client_close(&client);
    HT_CHECK_INT(WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result), 1);
}

HT_CASE(big_tables_do_not_hold_up_small_questions)
{
    enum { PLACES = 400 };
    HT_REQUIRE(begin(""));
    static char table[PLACES * 32 + 256];
    size_t size = (size_t)sprintf(table, "GET /table/v1/car/");
    for (int i = 0; i < PLACES; i++) {
        size += (size_t)sprintf(table + size, "%s%.4f,%.4f", i == 0 ? "" : ";",
                                121.68 + i % 20 * 0.004, 29.93 + i * 0.00015);
    }
    (void)sprintf(table + size, HEADERS "\r\n");
    struct ht_client big;
    HT_REQUIRE(ht_client_open(&big, port));
    HT_CHECK(ht_client_text(&big, table));
    for (int i = 0; i < 20; i++) {
        HT_CHECK_INT(get("/nearest/v1/car/121.71,29.95"), 200);
    }
    struct ht_answer got;
    HT_CHECK_INT(ht_client_read(&big, &got, false), 200);
    HT_CHECK(got.body != NULL && strncmp(got.body, "{\"code\":\"Ok\"", 12) == 0);
    ht_answer_free(&got);
    ht_client_close(&big);
    end();
}

HT_SERVED_MAIN()
