/* houtao route: one route on the terminal, as the server would answer it or as a list of turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/cli.h"
#include "api/clock.h"
#include "api/commands.h"
#include "api/osrm.h"
#include "api/osrm_request.h"
#include "api/zone.h"
#include "engine/live/conditions.h"
#include "geodata/hnet.h"

static const char *or_empty(yajl_val value)
{
    const char *text = value == NULL ? NULL : YAJL_GET_STRING(value);
    return text == NULL ? "" : text;
}

static yajl_val member(yajl_val object, const char *first, const char *second)
{
    const char *path[] = {first, second, NULL};
    return object == NULL ? NULL : yajl_tree_get(object, path, yajl_t_any);
}

static double number(yajl_val object, const char *key)
{
    yajl_val value = member(object, key, NULL);
    return value != NULL && YAJL_IS_NUMBER(value) ? YAJL_GET_DOUBLE(value) : 0;
}

static void print_length(char *out, size_t size, double metres)
{
    if (metres < 1000) {
        (void)snprintf(out, size, "%.0f m", metres);
    } else {
        (void)snprintf(out, size, "%.1f km", metres / 1000);
    }
}

static void print_time(char *out, size_t size, double seconds)
{
    long whole = (long)(seconds + 0.5);
    if (whole < 3600) {
        (void)snprintf(out, size, "%ld:%02ld", whole / 60, whole % 60);
    } else {
        (void)snprintf(out, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    }
}

/* "turn left", "roundabout, exit 2", "depart". */
static void print_maneuver(char *out, size_t size, yajl_val maneuver)
{
    const char *type = or_empty(member(maneuver, "type", NULL));
    const char *modifier = or_empty(member(maneuver, "modifier", NULL));
    double exit = number(maneuver, "exit");
    int at = snprintf(out, size, "%s", type);
    if (modifier[0] != '\0' && strcmp(type, "arrive") != 0 && strcmp(type, "depart") != 0) {
        at += snprintf(out + at, size - (size_t)at, " %s", modifier);
    }
    if (exit > 0) {
        (void)snprintf(out + at, size - (size_t)at, ", exit %.0f", exit);
    }
}

static void print_step(yajl_val step, int index)
{
    char what[128];
    char length[32];
    char time[32];
    const char *name = or_empty(member(step, "name", NULL));
    const char *ref = or_empty(member(step, "ref", NULL));
    print_maneuver(what, sizeof what, member(step, "maneuver", NULL));
    print_length(length, sizeof length, number(step, "distance"));
    print_time(time, sizeof time, number(step, "duration"));
    (void)printf("%3d. %-28s %9s %8s  %s%s%s\n", index, what, length, time, name,
                 name[0] != '\0' && ref[0] != '\0' ? ", " : "", ref);
}

static void print_route(yajl_val route, int index)
{
    char length[32];
    char time[32];
    print_length(length, sizeof length, number(route, "distance"));
    print_time(time, sizeof time, number(route, "duration"));
    (void)printf("%sroute: %s, %s\n", index > 0 ? "other " : "", length, time);
    yajl_val legs = member(route, "legs", NULL);
    int step_index = 1;
    for (size_t i = 0; legs != NULL && YAJL_IS_ARRAY(legs) && i < legs->u.array.len; i++) {
        yajl_val steps = member(legs->u.array.values[i], "steps", NULL);
        for (size_t k = 0; steps != NULL && YAJL_IS_ARRAY(steps) && k < steps->u.array.len; k++) {
            print_step(steps->u.array.values[k], step_index++);
        }
    }
}

static int print_human(const struct ht_cli *cli, const struct ht_reply *reply)
{
    char message[256] = "";
    yajl_val tree = yajl_tree_parse(reply->body.data, message, sizeof message);
    if (tree == NULL) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", message);
    }
    yajl_val routes = member(tree, "routes", NULL);
    int code = HT_EXIT_DONE;
    if (reply->status != 200) {
        bool osrm = member(tree, "code", NULL) != NULL;
        code = ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s",
                            or_empty(member(tree, osrm ? "code" : "title", NULL)),
                            or_empty(member(tree, osrm ? "message" : "detail", NULL)));
    }
    for (size_t i = 0; routes != NULL && YAJL_IS_ARRAY(routes) && i < routes->u.array.len; i++) {
        print_route(routes->u.array.values[i], (int)i);
    }
    yajl_tree_free(tree);
    return code;
}

/* The URL of the request that the arguments stand for. */
static void write_url(struct ht_buffer *url, const char *profile, char **coordinates, int count,
                      const char *options, bool human)
{
    ht_buffer_text(url, "/route/v1/");
    ht_buffer_text(url, profile);
    for (int i = 0; i < count; i++) {
        ht_buffer_text(url, i == 0 ? "/" : ";");
        ht_buffer_text(url, coordinates[i]);
    }
    if (options != NULL && options[0] != '\0') {
        ht_buffer_text(url, "?");
        ht_buffer_text(url, options);
    }
    if (human) {
        ht_buffer_text(url, options != NULL && options[0] != '\0' ? "&" : "?");
        ht_buffer_text(url, "steps=true&overview=false");
    }
}

static enum ht_status answer(struct ht_world *world, const struct ht_buffer *url,
                             struct ht_reply *reply)
{
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    struct ht_osrm *osrm = NULL;
    struct ht_osrm_request *request = NULL;
    enum ht_status status = ht_osrm_new(&limits, &osrm);
    if (status != HT_OK) {
        return status;
    }
    if (ht_osrm_parse(osrm, url->data, url->size, NULL, 0, reply, &request)) {
        ht_osrm_run(osrm, request, world, NULL, reply);
        ht_osrm_request_free(request);
    }
    ht_osrm_free(osrm);
    return reply->body.failed ? HT_NOMEM : HT_OK;
}

/* The local moment that the request is about: what depart= says, else now. What is wrong with the
 * request is told when it is answered. */
static int64_t moment_ms(const struct ht_buffer *url)
{
    struct ht_clock clock;
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    struct ht_osrm *osrm = NULL;
    struct ht_osrm_request *request = NULL;
    struct ht_reply reply = {0};
    ht_clock_real(&clock);
    ht_reply_reset(&reply);
    int64_t utc_ms = ht_clock_now_ms(&clock);
    if (!url->failed && ht_osrm_new(&limits, &osrm) == HT_OK) {
        if (ht_osrm_parse(osrm, url->data, url->size, NULL, 0, &reply, &request)) {
            utc_ms = request->departs ? request->depart_ms : utc_ms;
            ht_osrm_request_free(request);
        }
        ht_osrm_free(osrm);
    }
    ht_reply_deinit(&reply);
    return ht_zone_local_ms(utc_ms);
}

/* The road of one profile, as of one moment. */
struct trip {
    struct ht_hnet *file;
    struct ht_pool *pool; /* checks the file; one thread does as well */
    const char *profile;
    int64_t local_ms;
    struct ht_conditions *conditions;
    struct ht_road_behind behind; /* what most questions want */
    struct ht_live_road *live;    /* made where one wants more */
};

static void trip_free(void *user)
{
    struct trip *trip = user;
    ht_live_road_release(trip->live);
    ht_road_behind_deinit(&trip->behind);
    ht_conditions_free(trip->conditions);
    ht_pool_free(trip->pool);
    ht_hnet_close(trip->file);
    free(trip);
}

static const char *own_name(const char *profile)
{
    static const char *const aliases[][2] = {
        {"driving", "car"}, {"walking", "foot"}, {"cycling", "ebike"}};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(profile, aliases[i][0]) == 0) {
            return aliases[i][1];
        }
    }
    return profile;
}

/* `excludes`: a metric without some streets is to come. */
static enum ht_status trip_open(struct trip *trip, const char *path, bool excludes,
                                struct ht_error *error)
{
    struct ht_road road;
    enum ht_status status = ht_hnet_open(path, &trip->file, error);
    if (status != HT_OK) {
        return status;
    }
    if (ht_pool_new(0, &trip->pool) != HT_OK) {
        trip->pool = NULL;
    }
    status = ht_hnet_road(trip->file, trip->profile, trip->pool, &road, error);
    if (status == HT_OK) {
        status = ht_conditions_new(&road, NULL, &trip->conditions, NULL);
    }
    if (status == HT_OK && excludes) {
        status = ht_hnet_check_rest(trip->file, trip->profile, trip->pool, error);
    }
    return status == HT_OK ? ht_conditions_behind(trip->conditions, trip->local_ms, &trip->behind)
                           : status;
}

static enum ht_status trip_behind(void *user, uint32_t index, const struct ht_road **out)
{
    struct trip *trip = user;
    (void)index; /* the only one */
    *out = &trip->behind.road;
    return HT_OK;
}

/* A metric that obeys is made of more of the file. */
static enum ht_status trip_road(void *user, uint32_t index, struct ht_world_road *out)
{
    struct trip *trip = user;
    (void)index;
    struct ht_error error = {.status = HT_OK};
    enum ht_status status = ht_conditions_any(trip->conditions, trip->local_ms)
                                ? ht_hnet_check_rest(trip->file, trip->profile, trip->pool, &error)
                                : HT_OK;
    if (status == HT_OK) {
        status = ht_conditions_live(trip->conditions, trip->local_ms, trip->pool, &trip->live);
    }
    if (status == HT_OK) {
        *out = trip->live->view;
    }
    return status;
}

/* A world of one profile, as of `local_ms`; `*profile` is borrowed until the world is gone. */
static enum ht_status open_world(const char *path, const char **profile, int64_t local_ms,
                                 bool excludes, struct ht_world **world, struct ht_error *error)
{
    struct trip *trip = calloc(1, sizeof *trip);
    if (trip == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    *profile = own_name(*profile);
    trip->profile = *profile;
    trip->local_ms = local_ms;
    const struct ht_world_source source = {
        .count = 1, .profiles = profile, .load = trip_road, .behind = trip_behind};
    enum ht_status status = trip_open(trip, path, excludes, error);
    if (status == HT_OK) {
        status = ht_world_new_lazy(&source, trip, trip_free, world);
    }
    if (status != HT_OK) {
        trip_free(trip);
        if (error->status == HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    return status;
}

static int route(const struct ht_cli *cli, struct ht_world *world, const struct ht_buffer *url,
                 bool human)
{
    struct ht_reply reply = {0};
    int code = HT_EXIT_DONE;
    ht_reply_reset(&reply);
    enum ht_status status = url->failed ? HT_NOMEM : answer(world, url, &reply);
    if (status == HT_OK) {
        ht_buffer_append(&reply.body, "", 1);
        status = reply.body.failed ? HT_NOMEM : HT_OK;
    }
    if (status != HT_OK) {
        code = ht_cli_error(cli, HT_EXIT_FAILED, "%s", ht_status_text(status));
    } else if (human) {
        code = print_human(cli, &reply);
    } else {
        (void)printf("%s\n", reply.body.data);
        code = reply.status == 200 ? HT_EXIT_DONE : print_human(cli, &reply);
    }
    ht_reply_deinit(&reply);
    return code;
}

int ht_cmd_route(int argc, char **argv)
{
    const char *profile = NULL;
    const char *query = NULL;
    const char *zone = HT_ZONE_DEFAULT;
    bool human = false;
    const struct ht_cli_option options[] = {
        {.name = "profile", .letter = 'p', .value = "NAME", .help = "who drives", .text = &profile},
        {.name = "options",
         .value = "QUERY",
         .help = "OSRM's route options, steps=true&overview=full",
         .text = &query},
        {.name = "tz",
         .value = "ZONE",
         .help = "whose clock conditional turns go by (" HT_ZONE_DEFAULT ")",
         .text = &zone},
        {.name = "human", .help = "a list of turns instead of JSON", .flag = &human},
    };
    const struct ht_cli cli = {.command = "route",
                               .arguments = "FILE.hnet --profile NAME LON,LAT LON,LAT...",
                               .summary = "one route on the terminal",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result go = ht_cli_parse(&cli, argc, argv, &count);
    if (go != HT_CLI_GO) {
        return go == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (profile == NULL || count < 3) {
        return ht_cli_error(&cli, HT_EXIT_USAGE,
                            "FILE.hnet, --profile and at least two LON,LAT are needed");
    }
    int code = ht_zone_set(&cli, zone);
    if (code != HT_EXIT_DONE) {
        return code;
    }
    ht_hnet_guard_sigbus();
    struct ht_error error = {.status = HT_OK};
    struct ht_world *world = NULL;
    struct ht_buffer url = {0};
    write_url(&url, own_name(profile), argv + 1, count - 1, query, human);
    if (open_world(argv[0], &profile, moment_ms(&url),
                   query != NULL && strstr(query, "exclude") != NULL, &world, &error) != HT_OK) {
        ht_buffer_deinit(&url);
        return ht_cli_error(&cli, HT_EXIT_FAILED, "%s",
                            error.message[0] != '\0' ? error.message
                                                     : ht_status_text(error.status));
    }
    code = route(&cli, world, &url, human);
    ht_buffer_deinit(&url);
    ht_world_release(world);
    return code;
}
