/* houtao solve and POST /v1/optimize: VROOM's documents in and out, with matrices and over streets,
 * what is refused and in which words, and who goes away. */
#include <math.h>

#include "api/vroom.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define OPTIMIZE "/v1/optimize"

/* As in VROOM's documentation: jobs with indices in a matrix of one's own. */
#define MATRIX                                                                                     \
    "\"matrices\":{\"car\":{\"durations\":[[0,2104,197,1299],[2103,0,2255,3152],"                  \
    "[197,2256,0,1102],[1299,3153,1102,0]]}}"
#define EXAMPLE                                                                                    \
    "{\"vehicles\":[{\"id\":0,\"start_index\":0,\"end_index\":3}],"                                \
    "\"jobs\":[{\"id\":1414,\"location_index\":1},{\"id\":1515,\"location_index\":2}]," MATRIX

static char path[128];

static const struct ht_command_run *solve(const char *text, const char *options)
{
    static char line[512];
    (void)snprintf(path, sizeof path, "/tmp/houtao-solve-%d.json", (int)getpid());
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
    (void)snprintf(line, sizeof line, "solve %s %s", path, options);
    const struct ht_command_run *run = ht_command_run(line);
    (void)unlink(path);
    return run;
}

static double number(const char *text, const char *at)
{
    return ht_json_number_at(text, at);
}

struct watched {
    bool routed;
    bool early; /* it was solved before that */
};

static void on_routed(void *user)
{
    ((struct watched *)user)->routed = true;
}

static void on_progress(void *user, const struct ht_solve_progress *progress)
{
    struct watched *watched = user;
    (void)progress;
    watched->early = watched->early || !watched->routed;
}

HT_CASE(the_map_is_let_go_before_it_is_solved)
{
    struct watched watched = {0};
    struct ht_buffer out = {0};
    struct ht_error error = {0};
    const char text[] = EXAMPLE "}";
    const struct ht_vroom_call call = {
        .text = text,
        .size = sizeof text - 1,
        .routed = on_routed,
        .routed_user = &watched,
        .options = {.progress = on_progress, .user = &watched, .iterations = 200},
        .threads_most = 1};
    HT_CHECK_INT(ht_vroom_run(&call, false, &out, &error), HT_VROOM_OK);
    HT_CHECK(watched.routed && !watched.early);
    ht_buffer_deinit(&out);
}

HT_CASE(the_documented_matrix_example_is_solved)
{
    const struct ht_command_run *run = solve(EXAMPLE "}", "--iterations 500 --seed 3");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "code"), 0);
    HT_CHECK_INT(number(run->out, "summary.cost"), 5461);
    HT_CHECK_INT(number(run->out, "summary.routes"), 1);
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 0);
    HT_CHECK_INT(number(run->out, "summary.duration"), 5461);
    HT_CHECK_INT(ht_json_count_at(run->out, "routes.0.steps"), 4);
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.0.type", "\"start\""));
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.id"), 1414);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.location_index"), 1);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.arrival"), 2104);
    HT_CHECK_INT(number(run->out, "routes.0.steps.2.id"), 1515);
    HT_CHECK_INT(number(run->out, "routes.0.steps.3.arrival"), 5461);
    HT_CHECK_INT(ht_json_count_at(run->out, "routes.0.steps.1.violations"), 0);
    run = solve(EXAMPLE "}", "--iterations 500 --human");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(strstr(run->out, "job      1414") != NULL);
}

HT_CASE(loads_windows_breaks_and_skills_come_out_as_vroom_has_them)
{
    const struct ht_command_run *run = solve(
        "{\"vehicles\":[{\"id\":7,\"description\":\"van\",\"start_index\":0,\"end_index\":0,"
        "\"capacity\":[4],\"skills\":[1],\"time_window\":[1000,20000],"
        "\"breaks\":[{\"id\":2,\"description\":\"lunch\",\"service\":300,"
        "\"time_windows\":[[9000,9500]]}]}],"
        "\"jobs\":[{\"id\":1,\"location_index\":1,\"service\":60,\"setup\":5,\"delivery\":[1],"
        "\"skills\":[1],\"time_windows\":[[8000,8100]]},"
        "{\"id\":2,\"location_index\":2,\"delivery\":[9]},"
        "{\"id\":3,\"location_index\":2,\"skills\":[4]}],"
        "\"shipments\":[{\"amount\":[3],\"pickup\":{\"id\":1,\"location_index\":2},"
        "\"delivery\":{\"id\":1,\"location_index\":3,\"description\":\"door\"}}]," MATRIX "}",
        "--iterations 500");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 2);
    HT_CHECK(strstr(run->out, "\"reason\":\"capacity\"") != NULL);
    HT_CHECK(strstr(run->out, "\"reason\":\"skills\"") != NULL);
    HT_CHECK(strstr(run->out, "\"type\":\"break\",\"description\":\"lunch\",\"id\":2") != NULL);
    HT_CHECK(strstr(run->out, "\"description\":\"door\"") != NULL);
    HT_CHECK(ht_json_is(run->out, "routes.0.description", "\"van\""));
    HT_CHECK(ht_json_is(run->out, "routes.0.pickup", "[3]"));
    HT_CHECK(ht_json_is(run->out, "routes.0.delivery", "[4]"));
    HT_CHECK_INT(number(run->out, "routes.0.setup"), 5);
    HT_CHECK_INT(number(run->out, "routes.0.service"), 360);
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.0.load", "[1]"));
}

/* A van that holds two of four meals: two trips, each meal at most 40 minutes on the way, one of
 * them late at a price. */
HT_CASE(trips_rides_and_prices_of_time_come_out)
{
    const struct ht_command_run *run =
        solve("{\"vehicles\":[{\"id\":7,\"start_index\":0,\"end_index\":0,\"capacity\":[2],"
              "\"max_trips\":2,\"reloads\":[{\"location_index\":0,\"service\":120}],"
              "\"costs\":{\"per_task_hour\":7200}}],"
              "\"jobs\":[{\"id\":1,\"location_index\":1,\"service\":60,\"delivery\":[1],"
              "\"max_ride_time\":2400},{\"id\":2,\"location_index\":1,\"delivery\":[1],"
              "\"late\":{\"after\":10,\"per_hour\":3600}},{\"id\":3,\"location_index\":2,"
              "\"delivery\":[1]},{\"id\":4,\"location_index\":2,\"delivery\":[1]}]," MATRIX "}",
              "--iterations 500 --seed 1");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 0);
    HT_CHECK(strstr(run->out, "\"type\":\"reload\",\"location_index\":0") != NULL);
    /* both at 1 first: 2104 on the way, 2094 late, 60 of work and 120 of loading at twice a second
     */
    HT_CHECK_INT(number(run->out, "summary.cost"), 2104 + 2103 + 197 + 197 + 2094 + 2 * 180);
    run = solve(
        "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"end_index\":0,\"capacity\":[1],"
        "\"breaks\":[{\"id\":1,\"service\":10,\"time_windows\":[[0,3000]],\"max_load\":[0]}]}],"
        "\"jobs\":[{\"id\":1,\"location_index\":1,\"delivery\":[1]}]," MATRIX "}",
        "--iterations 50");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.2.type", "\"break\"")); /* once it is empty */
}

/* Late at the second, since the first is forced; more on board than it holds. */
HT_CASE(plan_mode_keeps_the_steps_and_names_what_they_break)
{
    const char *text =
        "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"end_index\":3,\"capacity\":[1],"
        "\"time_window\":[0,20000],\"breaks\":[{\"id\":4}],\"steps\":[{\"type\":\"start\"},"
        "{\"type\":\"job\",\"id\":1515,\"service_at\":%d},{\"type\":\"job\",\"id\":1414}]}],"
        "\"jobs\":[{\"id\":1414,\"location_index\":1,\"delivery\":[1],\"time_windows\":[[0,3000]]},"
        "{\"id\":1515,\"location_index\":2,\"delivery\":[1]},{\"id\":3,\"location_index\":2}],"
        "\"options\":{\"c\":true}," MATRIX "}";
    char body[2048];
    (void)snprintf(body, sizeof body, text, 1000);
    const struct ht_command_run *run = solve(body, "");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "routes.0.steps.0.arrival"), 803);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.id"), 1515);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.arrival"), 1000);
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.2.violations",
                        "[{\"cause\":\"delay\",\"duration\":256}]"));
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.0.violations", "[{\"cause\":\"load\"}]"));
    HT_CHECK(ht_json_is(run->out, "summary.violations",
                        "[{\"cause\":\"delay\",\"duration\":256},{\"cause\":\"load\"},"
                        "{\"cause\":\"missing_break\"}]"));
    HT_CHECK_INT(number(run->out, "unassigned.0.id"), 3);
    /* before it can be there: no vehicle starts before 0 */
    (void)snprintf(body, sizeof body, text, 0);
    run = solve(body, "");
    HT_CHECK_INT(run->code, 1);
    HT_CHECK_STR(run->out, "{\"code\":2,\"error\":\"Infeasible route for vehicle 7.\"}\n");
    run = solve(
        "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"job\",\"id\":1}]}],"
        "\"jobs\":[{\"id\":1,\"location_index\":2,\"time_windows\":[[0,50]]}],"
        "\"options\":{\"c\":true}," MATRIX "}",
        "");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "routes.0.steps.0.arrival"), 0);
    HT_CHECK(
        ht_json_is(run->out, "summary.violations", "[{\"cause\":\"delay\",\"duration\":147}]"));
    run = solve(
        "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"start\","
        "\"service_at\":5},{\"type\":\"job\",\"id\":1,\"service_at\":6}]}],\"jobs\":[{\"id\":1,"
        "\"location_index\":1}],\"options\":{\"c\":true}," MATRIX "}",
        "");
    HT_CHECK_INT(run->code, 1);
    HT_CHECK_STR(run->out, "{\"code\":2,\"error\":\"Infeasible route for vehicle 7.\"}\n");
}

/* 97 late in the earlier window is less than what waiting for the other costs the second job. */
HT_CASE(plan_mode_takes_the_windows_with_the_least_violations)
{
    const struct ht_command_run *run = solve(
        "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"job\",\"id\":1},"
        "{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":2,\"time_windows\":"
        "[[0,100],[5000,6000]]},{\"id\":2,\"location_index\":3,\"time_windows\":[[0,1300]]}],"
        "\"options\":{\"c\":true}," MATRIX "}",
        "");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(ht_json_is(run->out, "summary.violations", "[{\"cause\":\"delay\",\"duration\":97}]"));
}

HT_CASE(ids_have_64_bits_without_a_sign)
{
    const struct ht_command_run *run =
        solve("{\"vehicles\":[{\"id\":18446744073709551614,\"start_index\":0,\"steps\":[{\"type\":"
              "\"job\","
              "\"id\":18446744073709551615}]}],\"jobs\":[{\"id\":18446744073709551615,"
              "\"location_index\":1},{\"id\":9223372036854775808,\"location_index\":2,\"skills\":["
              "1]}]," MATRIX "}",
              "--iterations 10");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(ht_json_is(run->out, "routes.0.vehicle", "18446744073709551614"));
    HT_CHECK(ht_json_is(run->out, "routes.0.steps.1.id", "18446744073709551615"));
    HT_CHECK(ht_json_is(run->out, "unassigned.0.id", "9223372036854775808"));
    run =
        solve("{\"vehicles\":[{\"id\":1,\"start_index\":0}],\"jobs\":[{\"id\":18446744073709551616,"
              "\"location_index\":1}]," MATRIX "}",
              "--iterations 10");
    HT_CHECK(strstr(run->out, "Invalid or missing id for job.") != NULL);
}

HT_CASE(steps_begin_the_search_and_pinned_ones_stay)
{
    const struct ht_command_run *run = solve(
        "{\"vehicles\":[{\"id\":0,\"start_index\":0,\"end_index\":3,\"pinned\":1,\"steps\":["
        "{\"type\":\"start\"},{\"type\":\"job\",\"id\":1515},{\"type\":\"job\",\"id\":1414}]}"
        "],\"jobs\":[{\"id\":1414,\"location_index\":1},{\"id\":1515,\"location_index\":2}]," MATRIX
        "}",
        "--iterations 500");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.id"), 1515);
    HT_CHECK_INT(number(run->out, "summary.cost"), 197 + 2256 + 3152);
    /* what is not pinned is a wish: it is left where it can't be */
    run = solve(
        "{\"vehicles\":[{\"id\":0,\"start_index\":0,\"pinned\":1,\"steps\":["
        "{\"type\":\"job\",\"id\":1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,"
        "\"location_index\":1},{\"id\":2,\"location_index\":2,\"time_windows\":[[0,200]]}]," MATRIX
        "}",
        "--iterations 500");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "unassigned.0.id"), 2);
}

/* 0 is the depot, 1 where one parks, 2 and 3 doors there. */
#define DOORS                                                                                      \
    "\"matrices\":{\"car\":{\"durations\":[[0,100,900,900],[100,0,900,900],[900,900,0,900],"       \
    "[900,900,900,0]]},\"foot\":{\"durations\":[[0,900,900,900],[900,0,30,45],[900,50,0,20],"      \
    "[900,40,20,0]]}}}"
#define DOOR(id, at, more)                                                                         \
    "{\"id\":" #id ",\"location_index\":" #at ",\"setup\":60,\"service\":10" more "}"
#define PARKING ",\"parking\":{\"location_index\":1}"

HT_CASE(doors_of_one_parking_place_are_served_on_foot)
{
    const struct ht_command_run *run =
        solve("{\"vehicles\":[{\"id\":1,\"start_index\":0,\"end_index\":0}],\"jobs\":[" DOOR(
                  8, 3, PARKING) "," DOOR(7, 2, PARKING) "]," DOORS,
              "--iterations 300");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "summary.duration"), 100 + 30 + 20 + 40 + 100);
    HT_CHECK_INT(number(run->out, "summary.setup"), 60);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.id"), 7);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.arrival"), 130);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.parking.location_index"), 1);
    HT_CHECK_INT(number(run->out, "routes.0.steps.2.arrival"), 130 + 60 + 10 + 20);
    HT_CHECK_INT(number(run->out, "routes.0.steps.2.setup"), 0);
    /* one that drives up to its door does not */
    run = solve("{\"vehicles\":[{\"id\":1,\"start_index\":0,\"end_index\":0}],\"jobs\":[" DOOR(
                    8, 3, "") "," DOOR(7, 2, PARKING) "]," DOORS,
                "--iterations 300");
    HT_CHECK_INT(number(run->out, "summary.setup"), 120);
    run = solve("{\"vehicles\":[{\"id\":1,\"start_index\":0}],\"jobs\":[" DOOR(
                    8, 2, PARKING) "," DOOR(7, 2, "") "]," DOORS,
                "--iterations 300");
    HT_CHECK(strstr(run->out, "Inconsistent parking for task 7.") != NULL);
    run = solve("{\"vehicles\":[{\"id\":1,\"start_index\":0}],\"jobs\":[" DOOR(
                    8, 2, ",\"parking\":4") "]," DOORS,
                "");
    HT_CHECK(strstr(run->out, "Invalid parking for job 8.") != NULL);
}

#define LONG_JOB(id) "{\"id\":" #id ",\"location_index\":1,\"service\":1000}"
#define LONG_JOBS                                                                                  \
    "{\"vehicles\":[{\"id\":1,\"start_index\":0,\"end_index\":0},{\"id\":2,\"start_index\":0,"     \
    "\"end_index\":0}],\"jobs\":[" LONG_JOB(1) "," LONG_JOB(2) "," LONG_JOB(3) "," LONG_JOB(       \
        4) "],\"matrices\":{\"car\":{\"durations\":[[0,10],[10,0]]}}"

HT_CASE(work_is_shared_out_where_balance_is_asked_for)
{
    const struct ht_command_run *run = solve(LONG_JOBS "}", "--iterations 300");
    HT_CHECK_INT(number(run->out, "summary.routes"), 1);
    run = solve(LONG_JOBS ",\"options\":{\"balance\":1000}}", "--iterations 300");
    HT_CHECK_INT(number(run->out, "summary.routes"), 2);
    HT_CHECK_INT(number(run->out, "routes.0.service"), 2000);
    /* 1000 for the square of 2020 s as hours, and the way */
    HT_CHECK_INT(number(run->out, "routes.0.cost"), 20 + 315);
    run = solve(LONG_JOBS ",\"options\":{\"balance\":-1}}", "");
    HT_CHECK(strstr(run->out, "Invalid balance value.") != NULL);
}

struct wrong {
    const char *text;
    int code;
    const char *error;
};

/* One job, at 60 s, with the end of its window, the vehicle's costs, and how much it is. */
#define WHOLE(end, costs, amount)                                                                  \
    "{\"jobs\":[{\"id\":5,\"location_index\":1,\"delivery\":[" amount                              \
    "],\"time_windows\":[[0," end                                                                  \
    "]]}],\"vehicles\":[{\"id\":1,\"start_index\":0,\"capacity\":[4294967295],\"costs\":{" costs   \
    "}}],\"matrices\":{\"car\":{\"durations\":[[0,60],[60,0]]}}}"
/* One job, so far away, with no way or one back, by a vehicle that could not cost more an hour. */
#define DEAR(more, away, back)                                                                     \
    "{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"       \
    "\"costs\":{\"per_hour\":4294967295}" more "}],\"matrices\":{\"car\":{\"durations\":[[0," away \
    "],[" back ",0]]}}}"

static const struct wrong wrongs[] = {
    {"", 2, "The document is empty. (offset: 0)"},
    {"{", 2, "Missing a name for object member. (offset: 1)"},
    {"{\"jobs\":[}", 2, "Invalid value. (offset: 9)"},
    {"{} {}", 2, "The document root must not be followed by other values. (offset: 3)"},
    {"[]", 2, "Input root is not an object."},
    {"{}", 2, "Invalid vehicles."},
    {"{\"vehicles\":[{\"id\":1,\"start_index\":0}]}", 2, "No task defined."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":0}],\"vehicles\":[]}", 2, "No vehicle defined."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":0}],\"vehicles\":[{}]}", 2,
     "Invalid or missing id for vehicle."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":0}],\"vehicles\":[{\"id\":1}]}", 2,
     "No start or end specified for vehicle 1."},
    {EXAMPLE ",\"shipments\":[{\"pickup\":{\"id\":1,\"location_index\":1}}]}", 2,
     "Missing delivery for shipment."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":1,\"location_index\":1}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Duplicate job id: 1."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":9}],\"vehicles\":[{\"id\":1,\"start_index\":0}]"
     "," MATRIX "}",
     2, "location_index exceeding durations matrix size for car profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":60000}],\"vehicles\":[{\"id\":1,\"start_index\":0}]"
     "," MATRIX "}",
     4, "Too many locations (60001) in query for 1 profiles."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"durations\":[[0,1],[1]]}}}",
     2, "Unexpected matrix line length."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"durations\":[[0,1],[1,0]],"
     "\"costs\":[[0,1,1],[1,0,1],[1,1,0]]}}}",
     2, "Inconsistent costs matrix size for car profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"durations\":[[0,1,1],[1,0,1],[1,1,0]],"
     "\"distances\":[[0,1],[1,0]]}}}",
     2, "Inconsistent distances matrix size for car profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"end_index\":0}],\"matrices\":{\"car\":{\"durations\":[[0,3000000000],[3000000000,0]]}}}",
     2, "Too high cost values, stopping to avoid overflowing."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"speed_factor\":0.1}],\"matrices\":{\"car\":{\"durations\":[[0,1000000000],[1,0]]}}}",
     2, "Too high cost values, stopping to avoid overflowing."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"durations\":[[0,-1],[1,0]]}}}",
     2, "Invalid matrix entry."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"profile\":\"van\"}]," MATRIX "}",
     2, "Missing coordinates for routing engine."},
    {"{\"jobs\":[{\"id\":1,\"location\":[121.7,29.95]}],\"vehicles\":[{\"id\":1,\"start_index\":0}]"
     "," MATRIX "}",
     2, "Missing location index."},
    {"{\"jobs\":[{\"id\":1,\"location\":[121.7,29.95]}],"
     "\"vehicles\":[{\"id\":1,\"start\":[121.7,29.95]}]}",
     3, "No network is open to route with."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"time_windows\":[[5,4]]}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Invalid time window: [5, 4]"},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"time_windows\":[[1,4],[3,9]]}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Unsorted or overlapping time-windows for job 1."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"delivery\":[-1]}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0,\"capacity\":[1]}]," MATRIX "}",
     2, "Invalid delivery value."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"delivery\":[1]}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0,\"capacity\":[1,2]}]," MATRIX "}",
     2, "Inconsistent delivery length: 1 instead of 2."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"delivery\":[1]}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Inconsistent delivery length: 1 instead of 0."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"priority\":101}],"
     "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Invalid priority value."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"capacity\":4}]," MATRIX "}",
     2, "Invalid capacity array."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"costs\":3}]," MATRIX "}",
     2, "Invalid costs for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"costs\":{\"per_task_hour\":-1}}]," MATRIX "}",
     2, "Invalid per_task_hour cost for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"breaks\":[{\"id\":2,\"max_load\":[1]}]}]," MATRIX "}",
     2, "Inconsistent break max_load size for break 2."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"breaks\":[{\"id\":2},{\"id\":2}]}]," MATRIX "}",
     2, "Duplicate break id: 2."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"job\"}]}]," MATRIX "}",
     2, "Invalid id in steps for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"jump\",\"id\":1}]}]," MATRIX "}",
     2, "Invalid type in steps for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"job\",\"id\":6}]}]," MATRIX "}",
     2, "Invalid job id 6 for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"job\",\"id\":5},{\"type\":\"job\",\"id\":5}]}]," MATRIX "}",
     2, "Duplicate job id 5 in input steps for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"end\"},{\"type\":\"job\",\"id\":5}]}]," MATRIX "}",
     2, "Unexpected end in input steps for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"steps\":[{\"type\":\"job\",\"id\":5,\"service_at\":\"noon\"}]}]," MATRIX "}",
     2, "Invalid service_at value."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"reloads\":7}]," MATRIX "}",
     2, "Invalid reloads for vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"reloads\":[{}]}]," MATRIX "}",
     2, "Invalid location for reload of vehicle 1."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,\"max_"
     "trips\":0}]," MATRIX "}",
     2, "Invalid max_trips value."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"description\":3}]," MATRIX "}",
     2, "Invalid description value."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"time_windows\":[]}],\"vehicles\":[{\"id\":1,"
     "\"start_index\":0}]," MATRIX "}",
     2, "Empty time windows for job 5."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"time_windows\":3}],\"vehicles\":[{\"id\":1,"
     "\"start_index\":0}]," MATRIX "}",
     2, "Invalid time_windows array for job 5."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"setup_per_type\":3}],\"vehicles\":[{\"id\":1,"
     "\"start_index\":0}]," MATRIX "}",
     2, "Invalid setup_per_type for job 5."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"service_per_type\":{\"van\":-1}}],\"vehicles\":[{"
     "\"id\":1,\"start_index\":0}]," MATRIX "}",
     2, "Invalid value in service_per_type for job 5."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"max_ride_time\":0}],\"vehicles\":[{\"id\":1,"
     "\"start_index\":0}]," MATRIX "}",
     2, "Invalid max_ride_time value."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":1,\"late\":{\"after\":3}}],\"vehicles\":[{\"id\":1,"
     "\"start_index\":0}]," MATRIX "}",
     2, "Invalid late value for task 5."},
    {"{\"jobs\":[{\"id\":5,\"location_index\":-1}],\"vehicles\":[{\"id\":1,\"start_index\":0}]"
     "," MATRIX "}",
     2, "Invalid location_index for job 5."},
    {WHOLE("4294967296", "", "0"), 2, "Invalid time-window."},
    {WHOLE("4294967295", "\"per_hour\":4294967296", "0"), 2,
     "Invalid per_hour cost for vehicle 1."},
    {WHOLE("4294967295", "\"fixed\":4294967296", "0"), 2, "Invalid fixed cost for vehicle 1."},
    {WHOLE("4294967295", "", "4294967296"), 2, "Invalid delivery value."},
    {DEAR("", "100000000", "0"), 2, "Too high cost values, stopping to avoid overflowing."},
    {DEAR("", "60", "null"), 2, "Too high cost values, stopping to avoid overflowing."},
    {DEAR(",\"steps\":[{\"type\":\"job\",\"id\":5}]", "100000000", "0"), 2,
     "Too high cost values, stopping to avoid overflowing."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"distances\":[[0,1],[1,0]]}}}",
     2, "Custom matrix provided for distances but not for durations for car profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0}],"
     "\"matrices\":{\"car\":{\"durations\":[[0,4294967295],[1,0]]}}}",
     2, "Too high cost values, stopping to avoid overflowing."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0},{"
     "\"id\":2,\"start_index\":0,\"profile\":\"bike\"}],\"matrices\":{\"car\":{\"durations\":[[0,1]"
     ",[1,0]],\"distances\":[[0,1],[1,0]]},\"bike\":{\"durations\":[[0,1],[1,0]]}}}",
     2, "Missing distances matrix for bike profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,"
     "\"costs\":{\"per_km\":5}}],\"matrices\":{\"car\":{\"durations\":[[0,1],[1,0]]}}}",
     2, "Missing coordinates for routing engine."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1}],\"vehicles\":[{\"id\":1,\"start_index\":0,\"max_"
     "distance\":5}],\"matrices\":{\"car\":{\"durations\":[[0,1],[1,0]]}}}",
     2, "Missing distances matrix for car profile."},
    {"{\"jobs\":[{\"id\":1,\"location_index\":1,\"location\":[121.7,29.95]}],\"vehicles\":[{\"id\":"
     "1,\"start_index\":0,\"start\":[121.7,29.95]}]}",
     2, "Unexpected location index while no custom matrices provided."},
    {"{\"jobs\":[{\"id\":1,\"location\":[121.7,29.95]}],\"vehicles\":[{\"id\":1,\"start\":[121.7,"
     "29.95]"
     "}]," MATRIX "}",
     2, "Missing location index."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"capacity\":[1],\"steps\":[{\"type\":\"job\","
     "\"id\":1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1,"
     "\"delivery\":[1]},{\"id\":2,\"location_index\":2,\"delivery\":[1]}]," MATRIX "}",
     2, "Route over capacity for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"capacity\":[1],\"steps\":[{\"type\":\"job\","
     "\"id\":1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1,\"pickup\":"
     "[1]},{\"id\":2,\"location_index\":2,\"pickup\":[1]}]," MATRIX "}",
     2, "Route over capacity for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"job\",\"id\":1},{\"type\":"
     "\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":2,\"location_index\":"
     "2,\"skills\":[3]}]," MATRIX "}",
     2, "Missing skill or step out of reach for vehicle 7 and job 2."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"job\",\"id\":1},{\"type\":"
     "\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":2,\"location_index\":"
     "2,\"time_windows\":[[0,196]]}]," MATRIX "}",
     2, "Missing skill or step out of reach for vehicle 7 and job 2."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"max_travel_time\":4000,\"steps\":[{\"type\":"
     "\"job\",\"id\":1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{"
     "\"id\":2,\"location_index\":2}]," MATRIX "}",
     2, "Route over max_travel_time for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"max_tasks\":1,\"steps\":[{\"type\":\"job\","
     "\"id\":1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":2,"
     "\"location_index\":2}]," MATRIX "}",
     2, "Too many tasks for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"job\",\"id\":1},{\"type\":"
     "\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":2,\"location_index\":"
     "2,\"time_windows\":[[0,200]]}]," MATRIX "}",
     2, "Infeasible route for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"pinned\":2,\"steps\":[{\"type\":\"job\",\"id\":"
     "1},{\"type\":\"job\",\"id\":2}]}],\"jobs\":[{\"id\":1,\"location_index\":1},{\"id\":2,"
     "\"location_index\":2,\"time_windows\":[[0,200]]}]," MATRIX "}",
     2, "Infeasible route for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"delivery\",\"id\":6},{"
     "\"type\":\"pickup\",\"id\":5}]}],\"shipments\":[{\"pickup\":{\"id\":5,\"location_index\":1},"
     "\"delivery\":{\"id\":6,\"location_index\":2}}]," MATRIX "}",
     2, "Invalid shipment in route for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"steps\":[{\"type\":\"pickup\",\"id\":5}]}],"
     "\"shipments\":[{\"pickup\":{\"id\":5,\"location_index\":1},\"delivery\":{\"id\":6,\"location_"
     "index\":2}}]," MATRIX "}",
     2, "Invalid shipment in route for vehicle 7."},
    {"{\"vehicles\":[{\"id\":7,\"start_index\":0,\"pinned\":1,\"steps\":[{\"type\":\"pickup\","
     "\"id\":5},{\"type\":\"delivery\",\"id\":6}]}],\"shipments\":[{\"pickup\":{\"id\":5,"
     "\"location_index\":1},\"delivery\":{\"id\":6,\"location_index\":2}}]," MATRIX "}",
     2, "Pinned stops hold half of a shipment for vehicle 7."},
    {EXAMPLE ",\"options\":{\"g\":true}}", 2, "Route geometry request with missing coordinates."},
    {EXAMPLE ",\"options\":{\"g\":3}}", 2, "Invalid g value."},
};

HT_CASE(what_is_wrong_is_said_in_vrooms_words)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        char want[256];
        const struct ht_command_run *run = solve(wrongs[i].text, "--iterations 10");
        HT_CHECK_INT(run->code, 1);
        (void)snprintf(want, sizeof want, "{\"code\":%d,\"error\":\"%s\"}\n", wrongs[i].code,
                       wrongs[i].error);
        HT_CHECK_STR(run->out, want);
        HT_CHECK(strstr(run->err, wrongs[i].error) != NULL);
    }
    HT_CHECK_INT(ht_command_run("solve")->code, 2);
    HT_CHECK_INT(ht_command_run("solve /nowhere.json")->code, 1);
    HT_CHECK_INT(ht_command_run("solve x --limit soon")->code, 2);
}

#define STREETS                                                                                    \
    "{\"vehicles\":[{\"id\":1,\"start\":[121.70,29.95],\"end\":[121.70,29.95],\"capacity\":[2]},"  \
    "{\"id\":2,\"start\":[121.73,29.96],\"capacity\":[2]}],\"jobs\":["                             \
    "{\"id\":1,\"location\":[121.712,29.952],\"delivery\":[1]},"                                   \
    "{\"id\":2,\"location\":[121.725,29.957],\"delivery\":[1]},"                                   \
    "{\"id\":3,\"location\":[121.715,29.952],\"delivery\":[1]}]"

/* From a junction to a junction of the sample town: whichever of the streets that meet there suits
 * best is taken, as a route does, also for the line that is drawn. */
HT_CASE(at_junctions_the_times_are_those_of_a_route)
{
    static const char *const pairs[][2] = {{"121.7008970,29.9420895", "121.6905292,29.9448856"},
                                           {"121.7379324,29.9599780", "121.7010109,29.9335306"},
                                           {"121.7596589,29.9584673", "121.6825534,29.9305942"},
                                           {"121.6827035,29.9976220", "121.7146329,29.9164454"}};
    char text[256];
    HT_REQUIRE(begin(""));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        (void)snprintf(text, sizeof text, "/route/v1/car/%s;%s?geometries=polyline&overview=full",
                       pairs[i][0], pairs[i][1]);
        HT_CHECK_INT(get(text), 200);
        double duration = number(answer.body, "routes.0.duration");
        double distance = number(answer.body, "routes.0.distance");
        char line[8192] = "";
        const char *at = ht_json_at(answer.body, "routes.0.geometry");
        HT_REQUIRE(at != NULL);
        (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
        (void)snprintf(text, sizeof text,
                       "{\"vehicles\":[{\"id\":1,\"start\":[%s]}],\"jobs\":[{\"id\":1,\"location\":"
                       "[%s]}],\"options\":{\"g\":true,\"iterations\":10}}",
                       pairs[i][0], pairs[i][1]);
        HT_CHECK_INT(post(OPTIMIZE, JSON, text), 200);
        HT_CHECK(fabs(number(answer.body, "summary.duration") - duration) <= 0.6);
        HT_CHECK(fabs(number(answer.body, "routes.0.distance") - distance) <= 0.6);
        HT_CHECK(strstr(answer.body, line) != NULL);
    }
    end();
}

HT_CASE(over_streets_the_times_are_those_of_table)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(post(OPTIMIZE, JSON, STREETS ",\"options\":{\"iterations\":400}}"), 200);
    HT_CHECK_INT(number(answer.body, "code"), 0);
    HT_CHECK_INT(number(answer.body, "summary.unassigned"), 0);
    HT_CHECK(number(answer.body, "summary.distance") > 100);
    double from[2] = {number(answer.body, "routes.0.steps.0.location.0"),
                      number(answer.body, "routes.0.steps.0.location.1")};
    double arrival = number(answer.body, "routes.0.steps.1.arrival");
    double lon = number(answer.body, "routes.0.steps.1.location.0");
    double lat = number(answer.body, "routes.0.steps.1.location.1");
    char table[256];
    (void)snprintf(table, sizeof table, "/table/v1/car/%.6f,%.6f;%.6f,%.6f", from[0], from[1], lon,
                   lat);
    HT_CHECK_INT(get(table), 200);
    HT_CHECK(fabs(number(answer.body, "durations.0.1") - arrival) <= 0.6);
    /* the command says the same over the same streets */
    char options[256];
    (void)snprintf(options, sizeof options, "--network %s --iterations 400", map);
    const struct ht_command_run *run = solve(STREETS "}", options);
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "routes.0.steps.1.arrival"), arrival);
    /* elsewhere in the coordinates of Chinese maps */
    HT_CHECK_INT(post(OPTIMIZE "?crs=GCJ02", JSON, STREETS ",\"options\":{\"iterations\":400}}"),
                 200);
    HT_CHECK(number(answer.body, "routes.0.steps.1.arrival") != arrival);
    HT_CHECK_INT(post(OPTIMIZE "?crs=moon", JSON, STREETS "}"), 400);
    HT_CHECK_INT(number(answer.body, "code"), 2);
    end();
}

/* Numbers are whole ones of 32 bits without a sign, all of them. */
HT_CASE(the_largest_numbers_are_as_good_as_others)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(post(OPTIMIZE, JSON, WHOLE("4294967295", "\"fixed\":4294967295", "4294967295")),
                 200);
    HT_CHECK_INT(number(answer.body, "summary.unassigned"), 0);
    HT_CHECK(number(answer.body, "summary.cost") == 4294967295.0 + 60);
    HT_CHECK_INT(post(OPTIMIZE, JSON, DEAR("", "3600", "0")), 200);
    HT_CHECK(number(answer.body, "summary.cost") == 4294967295.0);
    HT_CHECK_INT(number(answer.body, "routes.0.duration"), 3600);
    HT_CHECK_INT(
        post(OPTIMIZE, JSON, DEAR(",\"steps\":[{\"type\":\"job\",\"id\":5}]", "7200", "0")), 200);
    HT_CHECK(number(answer.body, "summary.cost") == 2 * 4294967295.0);
    end();
}

#define INDEXED(more, matrices)                                                                    \
    "{\"vehicles\":[{\"id\":1,\"start_index\":1,\"start\":[121.70,29.95]" more "}],\"jobs\":["     \
    "{\"id\":1,\"location_index\":0,\"location\":[121.712,29.952]}],\"matrices\":{\"car\":"        \
    "{" matrices "}},\"options\":{\"iterations\":10%s}}"

/* What is not given of a profile is routed, also beside what is. */
HT_CASE(streets_fill_in_what_the_matrices_lack)
{
    char text[1024];
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get("/table/v1/car/121.70,29.95;121.712,29.952?annotations=duration,distance"),
                 200);
    double way_s = number(answer.body, "durations.0.1");
    double way_m = number(answer.body, "distances.0.1");
    (void)snprintf(text, sizeof text, INDEXED("", "\"durations\":[[0,77],[66,0]]"), ",\"g\":true");
    HT_CHECK_INT(post(OPTIMIZE, JSON, text), 200);
    HT_CHECK_INT(number(answer.body, "routes.0.duration"), 66);
    HT_CHECK(fabs(number(answer.body, "routes.0.distance") - way_m) <= 0.6);
    (void)snprintf(
        text, sizeof text,
        INDEXED(",\"costs\":{\"per_hour\":0,\"per_km\":1000}", "\"durations\":[[0,77],[66,0]]"),
        "");
    HT_CHECK_INT(post(OPTIMIZE, JSON, text), 200);
    HT_CHECK_INT(number(answer.body, "routes.0.duration"), 66);
    HT_CHECK(fabs(number(answer.body, "summary.cost") - way_m) <= 1);
    (void)snprintf(text, sizeof text, INDEXED("", "\"costs\":[[0,5],[9,0]]"), "");
    HT_CHECK_INT(post(OPTIMIZE, JSON, text), 200);
    HT_CHECK_INT(number(answer.body, "summary.cost"), 9);
    HT_CHECK(fabs(number(answer.body, "routes.0.duration") - way_s) <= 0.6);
    end();
}

#define DRAWN                                                                                      \
    "{\"vehicles\":[{\"id\":1,\"start\":[121.70,29.95]}],\"jobs\":[{\"id\":1,\"location\":"        \
    "[121.712,29.952]}],\"options\":{\"g\":true,\"iterations\":9}}"

HT_CASE(the_geometry_is_that_of_the_route_service)
{
    static char line[8192];
    const char *at = NULL;
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(post(OPTIMIZE, JSON, DRAWN), 200);
    at = ht_json_at(answer.body, "routes.0.geometry");
    HT_REQUIRE(at != NULL);
    (void)snprintf(line, sizeof line, "%.*s", (int)(ht_json_skip(at) - at), at);
    HT_CHECK(strlen(line) > 20);
    HT_CHECK_INT(get("/route/v1/car/121.70,29.95;121.712,29.952?overview=full"), 200);
    HT_CHECK(ht_json_is(answer.body, "routes.0.geometry", line));
    /* in the coordinates that it was asked in; metres have no polyline */
    HT_CHECK_INT(post(OPTIMIZE "?crs=GCJ02", JSON, DRAWN), 200);
    HT_CHECK(!ht_json_is(answer.body, "routes.0.geometry", line));
    HT_CHECK_INT(get("/route/v1/car/121.70,29.95;121.712,29.952?overview=full&crs=GCJ02"), 200);
    at = ht_json_at(answer.body, "routes.0.geometry");
    HT_REQUIRE(at != NULL);
    (void)snprintf(line, sizeof line, "%.*s", (int)(ht_json_skip(at) - at), at);
    HT_CHECK_INT(post(OPTIMIZE "?crs=GCJ02", JSON, DRAWN), 200);
    HT_CHECK(ht_json_is(answer.body, "routes.0.geometry", line));
    end();
}

/* Two routes of one job each, of which both have to go to make the best of it: priorities are
 * equal, so a job more is not, but 869 is less than 1027. */
#define SWAP                                                                                       \
    "{\"vehicles\":[{\"id\":0,\"capacity\":[3],\"start_index\":2,\"end_index\":5,\"time_window\":" \
    "[3,1196],\"costs\":{\"fixed\":500}},{\"id\":1,\"capacity\":[3],\"end_index\":5,"              \
    "\"time_window\":[75,978]}],\"jobs\":[{\"id\":0,\"location_index\":3,\"delivery\":[3]},"       \
    "{\"id\":1,\"location_index\":0,\"service\":34,\"delivery\":[3],\"priority\":10},"             \
    "{\"id\":2,\"location_index\":5,\"service\":1,\"delivery\":[3]}],\"matrices\":{\"car\":{"      \
    "\"durations\":[[0,221,89,314,131,280],[215,0,194,152,126,105],[89,168,0,301,155,247],"        \
    "[310,160,306,0,182,64],[148,134,146,179,0,167],[274,103,258,68,166,0]]}}}"

/* Job 1 may ride 134 s: from the start it is 155, from the second reload 18. */
#define NEARER                                                                                     \
    "{\"vehicles\":[{\"id\":0,\"capacity\":[3],\"start_index\":0,\"end_index\":0,\"reloads\":["    \
    "{\"location_index\":0,\"service\":20},{\"location_index\":2}]}],\"jobs\":[%s"                 \
    "{\"id\":1,\"location_index\":1,\"delivery\":[3],\"max_ride_time\":134}],\"matrices\":{"       \
    "\"car\":{"                                                                                    \
    "\"durations\":[[0,155,140,79],[155,0,18,169],[140,18,0,161],[79,169,161,0]]}}}"

HT_CASE(of_a_few_jobs_all_are_taken_out_at_once)
{
    const struct ht_command_run *run = solve(SWAP, "--iterations 2000 --threads 1");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "summary.cost"), 869);
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 1);
}

HT_CASE(what_rides_too_long_from_the_start_is_loaded_nearer)
{
    char text[1024];
    (void)snprintf(text, sizeof text, NEARER, "");
    const struct ht_command_run *run = solve(text, "--iterations 200 --threads 1");
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 0);
    HT_CHECK_INT(number(run->out, "summary.cost"), 140 + 18 + 155);
    (void)snprintf(text, sizeof text, NEARER,
                   "{\"id\":3,\"location_index\":3,\"delivery\":[3],\"max_ride_time\":192},");
    run = solve(text, "--iterations 400 --threads 1");
    HT_CHECK_INT(number(run->out, "summary.unassigned"), 0);
    HT_CHECK_INT(number(run->out, "summary.cost"), 79 + 161 + 18 + 155);
}

HT_CASE(errors_have_a_status_and_vrooms_form)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(post(OPTIMIZE, JSON, "{}"), 400);
    HT_CHECK_STR(answer.body, "{\"code\":2,\"error\":\"Invalid vehicles.\"}");
    HT_CHECK_INT(post(OPTIMIZE, JSON, EXAMPLE ",\"options\":{\"iterations\":100}}"), 200);
    HT_CHECK_INT(number(answer.body, "summary.cost"), 5461);
    HT_CHECK_INT(post(OPTIMIZE, JSON,
                      "{\"jobs\":[{\"id\":1,\"location\":[121.7,29.95]}],\"vehicles\":[{\"id\":1,"
                      "\"profile\":\"hovercraft\",\"start\":[121.7,29.95]}]}"),
                 400);
    HT_CHECK_STR(answer.body, "{\"code\":2,\"error\":\"Invalid profile: hovercraft.\"}");
    HT_CHECK_INT(post(OPTIMIZE, JSON,
                      "{\"jobs\":[{\"id\":1,\"location\":[121.7,99]}],\"vehicles\":[{\"id\":1,"
                      "\"start\":[121.7,29.95]}]}"),
                 400);
    HT_CHECK_STR(answer.body, "{\"code\":2,\"error\":\"Invalid coordinates [121.7;99].\"}");
    HT_CHECK_INT(post(OPTIMIZE, JSON,
                      "{\"jobs\":[{\"id\":1,\"location_index\":50000}],"
                      "\"vehicles\":[{\"id\":1,\"start_index\":0}]," MATRIX "}"),
                 413);
    end();
}

HT_CASE(who_goes_away_ends_the_search)
{
    HT_REQUIRE(begin(""));
    long most = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    most = most < 1 ? 1 : most;
    /* as many as may run at a time, each for the minute that is the most; then all are gone */
    static struct ht_client many[64];
    HT_REQUIRE(most <= 64);
    for (long i = 0; i < most; i++) {
        char text[2048];
        const char *body = EXAMPLE ",\"options\":{\"limit_ms\":60000}}";
        (void)snprintf(text, sizeof text, "POST " OPTIMIZE HEADERS "Content-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
        HT_REQUIRE(ht_client_open(&many[i], port) && ht_client_text(&many[i], text));
    }
    char running[64];
    (void)snprintf(running, sizeof running, "\nhoutao_jobs_running %ld\n", most);
    for (int i = 0; i < 2000; i++) {
        if (get("/metrics") == 200 && strstr(answer.body, running) != NULL) {
            break;
        }
        (void)usleep(10000);
    }
    int status = post(OPTIMIZE, JSON, EXAMPLE ",\"options\":{\"iterations\":1}}");
    HT_CHECK_INT(status, 503); /* no more at a time */
    for (long i = 0; i < most; i++) {
        ht_client_close(&many[i]);
    }
    for (int i = 0; i < 2000 && status != 200; i++) {
        (void)usleep(10000);
        status = post(OPTIMIZE, JSON, EXAMPLE ",\"options\":{\"iterations\":1}}");
    }
    HT_CHECK_INT(status, 200); /* and have ended well before their minute */
    end();
}

HT_SERVED_MAIN()
