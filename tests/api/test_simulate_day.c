/* Simulated days against a server of its own: what comes of them, that they come out the same, and
 * that the command says what is wrong. */
#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/simulated_town.h"

#define MONDAY "2030-03-04T02:59:00Z"

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
#define STEP "30"
#define HOMES "500" /* fewer, and one late meal is a large share */
#define MIDDAY_END "12:10"
#define SHORT_END "11:15"
#define DAY_END "08:00" /* the night, when fewest are on duty */
enum { ARRIVALS_LEAST = 5, REACHED_LEAST = 10 };
#else
#define STEP "20"
#define HOMES "1000"
#define MIDDAY_END "13:00"
#define SHORT_END "11:35"
#define DAY_END "24:00"
enum { ARRIVALS_LEAST = 50, REACHED_LEAST = 50 };
#endif
enum { ARRIVALS_JUDGED = 50 }; /* of fewer a share says little: whole buildings are late together */

static const struct ht_command_run *simulate(const char *arguments)
{
    char line[512];
    (void)snprintf(line, sizeof line, "simulate --url http://127.0.0.1:%u %.440s", (unsigned)port,
                   arguments);
    return ht_command_run(line);
}

/* What a day has to come to; its table is told where it does not. */
static void day_check(const struct ht_command_run *run, const char *json, long on_time_percent)
{
    int before = ht_case_failures;
    HT_CHECK_INT(run->code, 0);
    HT_CHECK_INT(number_at(json, "server_errors"), 0);
    HT_CHECK_INT(number_at(json, "without_answer"), 0);
    HT_CHECK_INT(number_at(json, "lost"), 0);
    HT_CHECK(number_at(json, "meals_due") > 0 && number_at(json, "meals_refused") == 0);
    HT_CHECK(number_at(json, "meals_in_time") * 100 >=
             number_at(json, "meals_due") * on_time_percent);
    HT_CHECK_INT(number_at(json, "meals_missing"), 0);
    HT_CHECK(number_at(json, "incidents") > 0 && number_at(json, "reached_due") > 0);
    HT_CHECK(number_at(json, "reached_within_ten_minutes") * 100 >=
             number_at(json, "reached_due") * 80);
    HT_CHECK(number_at(json, "visits_done") * 100 >= number_at(json, "visits_due") * 80);
    HT_CHECK(number_at(json, "positions") > 0 && number_at(json, "positions_refused") == 0);
    if (ht_case_failures != before) {
        (void)printf("%s%s", run->out, run->err);
    }
}

HT_CASE(a_midday_in_lockstep_brings_the_meals_and_reaches_who_calls)
{
    char line[256];
    HT_REQUIRE(begin_town(MONDAY ",0"));
    (void)snprintf(line, sizeof line,
                   "--quiet --from 11:00 --to " MIDDAY_END " --alarms 150 --step " STEP
                   " --households " HOMES " --json %s/midday.json",
                   folder);
    const struct ht_command_run *run = simulate(line);
    char *json = file_text("midday.json");
    HT_REQUIRE(json != NULL);
    day_check(run, json, 85);
    HT_CHECK(number_at(json, "visits_due") > 0 && number_at(json, "closures") > 0);
    /* a store that has learned nothing yet; nine of ten are due once it has */
    long told = number_at(json, "arrivals_told");
    long inside = number_at(json, "arrivals_inside");
    (void)printf("  %ld of %ld arrivals in the band of ten minutes before, %ld s wide, %ld s off\n",
                 inside, told, number_at(json, "arrival_band_mean_s"),
                 number_at(json, "arrival_off_mean_s"));
    HT_CHECK(told >= ARRIVALS_LEAST && inside <= told);
    HT_CHECK(inside * 100 >= told * (told < ARRIVALS_JUDGED ? 40 : 75));
    free(json);
    /* the clock is given back, and nothing failed that nobody asked for */
    ht_client_close(&client); /* that connection was idle for too long */
    HT_REQUIRE(ht_client_open(&client, port));
    HT_CHECK_INT(get("/v1/clock"), 200);
    HT_CHECK(ht_json_is(answer.body, "lockstep", "false"));
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(answer.body != NULL &&
             strstr(answer.body, "houtao_planner_failures_total 0\n") != NULL);
    end();
}

/* The promise: ten minutes. Some alarms come when whoever is near is with somebody else. */
HT_CASE(nine_of_ten_alarms_of_a_day_are_answered_within_ten_minutes)
{
    char line[256];
    HT_REQUIRE(begin_town("2030-03-03T16:00:00Z,0"));
    (void)snprintf(line, sizeof line,
                   "--quiet --from 00:00 --to " DAY_END " --alarms 60 --step " STEP
                   " --households 20 --json %s/day.json",
                   folder);
    const struct ht_command_run *run = simulate(line);
    HT_CHECK_INT(run->code, 0);
    char *json = file_text("day.json");
    HT_REQUIRE(json != NULL);
    long due = number_at(json, "reached_due");
    long soon = number_at(json, "reached_within_ten_minutes");
    (void)printf("  %ld of %ld within ten minutes, %ld s at the median\n", soon, due,
                 number_at(json, "response_p50_s"));
    HT_CHECK(due >= REACHED_LEAST && soon <= due);
    HT_CHECK(soon * 10 >= due * 9);
    free(json);
    end();
}

/* One short day with everything that goes wrong; its table, which is the caller's. */
static char *short_day(const char *name, int seed)
{
    char line[256];
    if (!begin_town(MONDAY ",0")) {
        return NULL;
    }
    (void)snprintf(line, sizeof line,
                   "--quiet --from 11:00 --to " SHORT_END
                   " --chaos --storm --step 30 --households 200 "
                   "--seed %d --log %s/%s",
                   seed, folder, name);
    const struct ht_command_run *run = simulate(line);
    HT_CHECK_INT(run->code, 0);
    if (run->code != 0) {
        (void)printf("%s%s", run->out, run->err);
    }
    char *table = strdup(run->out);
    end();
    return table;
}

HT_CASE(the_same_seed_is_the_same_day_to_the_last_byte)
{
    char *tables[3] = {short_day("one.log", 5), short_day("two.log", 5), short_day("other.log", 6)};
    char *logs[3] = {file_text("one.log"), file_text("two.log"), file_text("other.log")};
    for (int i = 0; i < 3; i++) {
        HT_REQUIRE(tables[i] != NULL && logs[i] != NULL && strlen(logs[i]) > 10000);
    }
    HT_CHECK_STR(tables[0], tables[1]);
    HT_CHECK(strstr(tables[0], "nonsense") != NULL && strstr(tables[0], "0 lost") != NULL);
    bool same = strcmp(logs[0], logs[1]) == 0;
    HT_CHECK(same);
    if (!same) {
        size_t at = 0;
        while (logs[0][at] == logs[1][at] && logs[0][at] != '\0') {
            at++;
        }
        at = at < 60 ? 0 : at - 60;
        (void)printf("  %.200s\n  %.200s\n", logs[0] + at, logs[1] + at);
    }
    HT_CHECK(strcmp(logs[0], logs[2]) != 0);
    for (int i = 0; i < 3; i++) {
        free(tables[i]);
        free(logs[i]);
    }
}

/* Half an hour whose devices speak so; its figures, which are the caller's. */
static char *wire_day(const char *options)
{
    char line[512];
    (void)snprintf(line, sizeof line,
                   "--quiet --from 11:00 --to " SHORT_END " --alarms 600 --step 30 "
                   "--households 200 --json %s/wire.json %s",
                   folder, options);
    const struct ht_command_run *run = simulate(line);
    HT_CHECK_INT(run->code, 0);
    if (run->code != 0) {
        (void)printf("%s%s", run->out, run->err);
    }
    char *json = file_text("wire.json");
    HT_CHECK(json != NULL && number_at(json, "positions") > 1000);
    HT_CHECK(json != NULL && number_at(json, "alarms") > 5 && number_at(json, "incidents") > 5);
    HT_CHECK_INT(number_at(json, "positions_refused"), 0);
    HT_CHECK_INT(number_at(json, "lost"), 0);
    ht_client_close(&client); /* that connection was idle for too long */
    HT_CHECK(ht_client_open(&client, port));
    HT_CHECK_INT(get("/metrics"), 200);
    return json;
}

/* A metric of the last answer; -1: there is none. */
static long metric_at(const char *name)
{
    char line[96];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = answer.body == NULL ? NULL : strstr(answer.body, line);
    return at == NULL ? -1 : strtol(at + strlen(line), NULL, 10);
}

HT_CASE(vans_and_kits_of_a_day_speak_mqtt)
{
    char line[128];
    if (!broker_there()) {
        HT_SKIP("mosquitto and mosquitto-clients are not installed");
    }
    HT_REQUIRE(town_make() && broker_begin(folder, ""));
    (void)snprintf(line, sizeof line, MONDAY ",0 --mqtt mqtt://127.0.0.1:%u",
                   (unsigned)broker_port);
    HT_REQUIRE(begin_town(line));
    (void)snprintf(line, sizeof line, "--protocol mqtt --door mqtt://127.0.0.1:%u",
                   (unsigned)broker_port);
    char *json = wire_day(line);
    HT_REQUIRE(json != NULL);
    /* each alarm and each position of a van came by the broker, and was taken; some after the end:
     * a kit is done with what it says when the broker has it */
    for (int i = 0;
         i < 1200 && (metric_at("houtao_mqtt_alarms_total") < number_at(json, "alarms") ||
                      metric_at("houtao_mqtt_alarms_held") > 0);
         i++) {
        (void)usleep(50000);
        HT_CHECK_INT(get("/metrics"), 200);
    }
    HT_CHECK_INT(metric_at("houtao_mqtt_alarms_total"), number_at(json, "alarms"));
    HT_CHECK(metric_at("houtao_mqtt_messages_total{outcome=\"taken\"}") >
             number_at(json, "alarms") + 100);
    HT_CHECK_INT(metric_at("houtao_mqtt_messages_total{outcome=\"refused\"}"), 0);
    HT_CHECK_INT(metric_at("houtao_mqtt_messages_total{outcome=\"unknown\"}"), 0);
    free(json);
    const struct ht_command_run *run =
        simulate("--quiet --speedup 0 --to 23:00 --protocol mqtt --door tcp://127.0.0.1");
    HT_CHECK(run->code == 1 && strstr(run->err, "mqtt") != NULL);
    end();
    broker_end(SIGTERM);
}

HT_CASE(vans_of_a_day_speak_osmand)
{
    char line[128];
    HT_REQUIRE(begin_town(MONDAY ",0"));
    (void)snprintf(line, sizeof line, "--protocol osmand --log %s/wire.log", folder);
    char *json = wire_day(line);
    HT_REQUIRE(json != NULL);
    char *log = file_text("wire.log");
    HT_REQUIRE(log != NULL);
    HT_CHECK(strstr(log, "GET /osmand?id=van-") != NULL);
    HT_CHECK(strstr(log, "[{\"unit\":\"van-") == NULL); /* none by another way */
    free(log);
    free(json);
    end();
}

HT_CASE(a_clock_that_runs_is_gone_along_with)
{
    char line[256];
    HT_REQUIRE(begin_town("2030-03-04T03:00:00Z,60"));
    (void)snprintf(
        line, sizeof line,
        "--quiet --to 11:10 --speedup 60 --alarms 600 --households 300 --json %s/run.json", folder);
    const struct ht_command_run *run = simulate(line);
    HT_CHECK_INT(run->code, 0);
    char *json = file_text("run.json");
    HT_REQUIRE(json != NULL);
    HT_CHECK(number_at(json, "meals_ordered") > 0 && number_at(json, "positions") > 0);
    HT_CHECK_INT(number_at(json, "server_errors"), 0);
    HT_CHECK_INT(number_at(json, "lost"), 0);
    free(json);
    run = simulate("--quiet --speedup 0 --to 23:00");
    HT_CHECK(run->code == 1 && strstr(run->err, "needs a clock that stands") != NULL);
    run = simulate("--quiet --speedup 10 --to 23:00");
    HT_CHECK(run->code == 1 && strstr(run->err, "runs at 60 times") != NULL);
    run = simulate("--quiet --to 03:00");
    HT_CHECK(run->code == 1 && strstr(run->err, "later than --to") != NULL);
    end();
}

/* `load` knows no other clock than the wall's. */
HT_CASE(a_day_before_the_town_was_loaded_takes_positions)
{
    HT_REQUIRE(begin_town("2020-03-02T02:59:00Z,0"));
    HT_CHECK_INT(post("/v1/positions", "Content-Type: application/json\r\n",
                      "[{\"unit\":\"van-01\",\"lon\":121.7123,\"lat\":29.9512}]"),
                 200);
    HT_CHECK(ht_json_is(answer.body, "accepted", "1"));
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.7123&lat=29.9512&k=1&kind=van"), 200);
    HT_CHECK(ht_json_is(answer.body, "features.0.id", "\"van-01\""));
    end();
}

HT_CASE(what_the_command_line_lacks_or_has_wrong_is_named)
{
    static const char *const wrong[][2] = {
        {"simulate", "--url URL is needed"},
        {"simulate --url http://127.0.0.1:1 --from 25:00", "--from takes a time of the day"},
        {"simulate --url http://127.0.0.1:1 --to noon", "--to takes a time of the day"},
        {"simulate --url http://127.0.0.1:1 --rate -1", "--rate takes a number"},
        {"simulate --url http://127.0.0.1:1 --seed x", "--seed takes a number"},
        {"simulate --url http://127.0.0.1:1 --step 0.5", "--step takes a second or more"},
        {"simulate --url http://127.0.0.1:1 --protocol smoke", "--protocol takes http, osmand,"},
        {"simulate --url http://127.0.0.1:1 --protocol jt808", "--door HOST:PORT go together"},
        {"simulate --url http://127.0.0.1:1 --protocol mqtt", "--door mqtt://HOST go together"},
        {"simulate --url http://127.0.0.1:1 --protocol osmand --door x", "--door is for"},
        {"simulate --url http://127.0.0.1:1 more", "takes options only"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct ht_command_run *run = ht_command_run(wrong[i][0]);
        HT_CHECK_INT(run->code, 2);
        HT_CHECK(strstr(run->err, wrong[i][1]) != NULL);
    }
    const struct ht_command_run *run = ht_command_run("simulate --url ftp://here --to 12:00");
    HT_CHECK(run->code == 1 && strstr(run->err, "begins with http://") != NULL);
    run = ht_command_run("simulate --url http://127.0.0.1:1 --to 12:00");
    HT_CHECK(run->code == 1 && strstr(run->err, "status 0") != NULL);
    run = ht_command_run("help simulate");
    HT_CHECK(run->code == 0 && strstr(run->out, "--speedup N") != NULL);
}

/* Waits until the unit stands within 80 m of it; up to a minute. */
static bool comes_near(const char *unit, double lon, double lat)
{
    char path[160];
    char quoted[64];
    (void)snprintf(path, sizeof path,
                   "/v1/near?collection=units&kind=responder&lon=%.7f&lat=%.7f&radius_m=80&k=40",
                   lon, lat);
    (void)snprintf(quoted, sizeof quoted, "\"id\":\"%s\"", unit);
    for (int i = 0; i < 300; i++) {
        if (get(path) == 200 && strstr(answer.body, quoted) != NULL) {
            return true;
        }
        (void)usleep(200000);
    }
    return false;
}

static bool where_is(const char *item, double *lon, double *lat)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/collections/%s", item);
    if (get(path) != 200) {
        return false;
    }
    *lon = ht_json_number_at(answer.body, "geometry.coordinates.0");
    *lat = ht_json_number_at(answer.body, "geometry.coordinates.1");
    return true;
}

static void wait_at(const char *home)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"properties\":{\"home\":%s}}", home);
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/responder-02",
                           "Content-Type: application/merge-patch+json\r\n", body),
                 200);
}

HT_CASE(who_is_moved_waits_at_the_new_place)
{
    char line[512];
    char place[64];
    double lon = 0;
    double lat = 0;
    double home_lon = 0;
    double home_lat = 0;
    HT_REQUIRE(begin_town("2030-03-04T02:59:30Z,60"));
    HT_REQUIRE(where_is("units/items/responder-02", &home_lon, &home_lat));
    HT_REQUIRE(where_is("facilities/items/station-1", &lon, &lat));
    (void)snprintf(line, sizeof line,
                   "simulate --url http://127.0.0.1:%u --quiet --speedup 60 --alarms 0 "
                   "--households 20 --to 20:00",
                   (unsigned)port);
    pid_t simulator = ht_command_start(line, STDOUT_FILENO, STDERR_FILENO);
    HT_CHECK(comes_near("responder-02", home_lon, home_lat));
    (void)sleep(3); /* three minutes there: the simulator has seen the old home */
    wait_at("\"station-1\"");
    HT_CHECK(comes_near("responder-02", lon, lat));
    (void)snprintf(place, sizeof place, "[%.7f,%.7f]", home_lon, home_lat);
    wait_at(place);
    HT_CHECK(comes_near("responder-02", home_lon, home_lat));
    (void)kill(simulator, SIGTERM);
    (void)waitpid(simulator, NULL, 0);
    end();
}

int main(int argc, char **argv)
{
    int code = ht_run_cases(argc > 1 ? argv[1] : NULL);
    forsake();
    broker_end(SIGKILL);
    ht_answer_free(&answer);
    map_remove();
    return code;
}
