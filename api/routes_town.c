#include "api/routes_town.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yajl/yajl_tree.h>

#include "api/desk_room.h"
#include "api/device_book.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/log.h"
#include "api/planner.h"
#include "api/rounds_keeper.h"
#include "api/teller.h"
#include "api/underway.h"
#include "api/zone.h"

enum { BODY_MAX = 64 * 1024 };

struct network_job {
    char *path;
};

/* A page of another origin can post text without asking first, but not JSON. */
static bool is_json(struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    static const char json[] = "application/json";
    if (request->content_type == NULL || request->content_type_size < sizeof json - 1 ||
        strncasecmp(request->content_type, json, sizeof json - 1) != 0) {
        ht_reply_problem(call->reply, 415, "Unsupported Media Type",
                         "the body has to be application/json");
        return false;
    }
    return true;
}

/* The body as a JSON object; NULL with the answer written when it is none. */
static yajl_val body_parse(struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    if (!is_json(call)) {
        return NULL;
    }
    if (request->body_size > BODY_MAX) {
        ht_reply_problem(call->reply, 413, "Content Too Large", NULL);
        return NULL;
    }
    yajl_val tree = ht_json_tree_read(request->body, request->body_size);
    if (!YAJL_IS_OBJECT(tree)) {
        yajl_tree_free(tree);
        ht_reply_problem(call->reply, 400, "Bad Request", "the body is not a JSON object");
        ht_reply_where(call->reply, "", 0, "the body is not a JSON object");
        return NULL;
    }
    return tree;
}

static void clock_write(struct ht_app *app, struct ht_reply *reply)
{
    struct ht_clock *clock = &app->clock;
    char now[HT_TIME_TEXT_SIZE];
    ht_time_format(ht_clock_now_ms(clock), now);
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "now", now);
    ht_json_key_bool(&json, "virtual", clock->is_virtual);
    ht_json_key_double(&json, "speed", clock->speed, 6);
    ht_json_key_bool(&json, "lockstep", atomic_load(&app->lockstep));
    ht_json_key_text(&json, "zone", ht_zone_name());
    ht_json_object_end(&json);
}

void ht_clock_get(struct ht_app_context *context, struct ht_http_call *call)
{
    clock_write(context->app, call->reply);
}

/* Vans are followed, the day is planned, and they are followed along that; then rounds are planned
 * anew where that is wanted; always in this order. */
static void town_obey(struct ht_app *app)
{
    ht_underway_obey(app->underway);
    if (app->planner != NULL) {
        ht_planner_obey(app->planner);
        ht_underway_obey(app->underway);
    }
    if (app->keeps_rounds != NULL) {
        ht_rounds_keeper_obey(app->keeps_rounds);
    }
}

/* The answer comes when the world obeys the new time. */
static void clock_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    (void)data;
    if (ht_app_refresh(context->app) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        reply->retry_after_s = 1;
        return;
    }
    ht_app_live_save(context->app, true); /* what the clock has to say */
    if (context->app->desk != NULL) {
        ht_desk_room_obey(context->app->desk);
    }
    ht_device_book_obey(context->app->book);
    if (context->app->teller != NULL) {
        ht_teller_changed(context->app->teller);
    }
    if (atomic_load(&context->app->lockstep)) {
        town_obey(context->app);
    }
    clock_write(context->app, reply);
}

void ht_clock_post(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_clock *clock = &context->app->clock;
    yajl_val tree = body_parse(call);
    if (tree == NULL) {
        return;
    }
    yajl_val advance = ht_json_member(tree, "advance_s");
    yajl_val lockstep = ht_json_member(tree, "lockstep");
    bool steps = lockstep == NULL ? atomic_load(&context->app->lockstep) : YAJL_IS_TRUE(lockstep);
    bool readable = lockstep == NULL || YAJL_IS_TRUE(lockstep) || YAJL_IS_FALSE(lockstep);
    double seconds = !YAJL_IS_NUMBER(advance)   ? -1
                     : YAJL_IS_INTEGER(advance) ? (double)YAJL_GET_INTEGER(advance)
                                                : YAJL_GET_DOUBLE(advance);
    yajl_tree_free(tree);
    if (!clock->is_virtual) {
        ht_reply_problem(call->reply, 409, "Conflict", "the clock is not virtual");
    } else if (!readable) {
        ht_reply_problem(call->reply, 400, "Bad Request", "lockstep is true or false");
        ht_reply_where(call->reply, "/lockstep", 0, "true or false");
    } else if (steps && clock->speed != 0) {
        ht_reply_problem(call->reply, 409, "Conflict",
                         "the clock runs by itself: lockstep needs one that stands (speed 0)");
    } else if (!ht_clock_advance(clock, seconds)) {
        ht_reply_problem(call->reply, 422, "Unprocessable Content",
                         "advance_s has to be a number of seconds, not below 0");
        ht_reply_where(call->reply, "/advance_s", 0, "a number of seconds, not below 0");
    } else {
        atomic_store(&context->app->lockstep, steps);
        call->job = (struct ht_http_job){.run = clock_run};
    }
}

static void network_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct network_job *job = data;
    struct ht_error error = {0};
    if (ht_app_network_open(context->app, job->path, true, &error) != HT_OK) {
        ht_reply_problem(reply, 422, "Unprocessable Content", error.message);
        return;
    }
    ht_log(HT_LOG_INFO, "the streets are those of %s now", job->path);
    struct ht_world *world = ht_world_acquire(context->app->slot);
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "file", job->path);
    if (world != NULL) {
        ht_json_key_int(&json, "profiles", ht_world_road_count(world));
    }
    ht_json_object_end(&json);
    ht_world_release(world);
}

static void network_free(void *data)
{
    struct network_job *job = data;
    free(job->path);
    free(job);
}

void ht_network_post(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    yajl_val tree = body_parse(call);
    if (tree == NULL) {
        return;
    }
    const char *keys[] = {"file", NULL};
    yajl_val file = yajl_tree_get(tree, keys, yajl_t_string);
    const char *name = YAJL_GET_STRING(file);
    if (name == NULL) {
        bool missing = yajl_tree_get(tree, keys, yajl_t_any) == NULL;
        const char *what = missing ? "file is missing" : "file must be a text";
        yajl_tree_free(tree);
        ht_reply_problem(call->reply, 422, "Unprocessable Content", what);
        ht_reply_where(call->reply, "/file", 0, what);
        return;
    }
    struct network_job *job = calloc(1, sizeof *job);
    char *path = strdup(name);
    yajl_tree_free(tree);
    if (job == NULL || path == NULL) {
        free(path);
        free(job);
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    job->path = path;
    call->job = (struct ht_http_job){.run = network_run, .free = network_free, .data = job};
}
