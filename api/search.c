#include "api/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/finder.h"
#include "api/item_json.h"
#include "api/persons.h"
#include "engine/base/text.h"

enum { LIMIT_DEFAULT = 10 };

#define EVERY_KIND ((UINT32_C(1) << HT_GAZETTEER_KINDS) - 1)
#define HOUSEHOLDS (UINT32_C(1) << HT_GAZETTEER_HOUSEHOLDS)

/* A question, from the loop to a worker and, where it may read persons, on to the writer. */
struct asked {
    struct ht_caller caller;
    struct ht_params params;
    struct ht_gazetteer_ask ask;
    struct ht_crs crs; /* of the answer */
    char crs_name[HT_CRS_NAME_SIZE + 2];
    bool personal;
    struct ht_buffer plain; /* the answer without persons */
    int64_t at_ms;
};

static void asked_free(void *data)
{
    struct asked *asked = data;
    ht_params_deinit(&asked->params);
    ht_buffer_deinit(&asked->plain);
    free(asked);
}

static enum ht_status wrong(struct ht_error *error, const char *what)
{
    return ht_error_set(error, HT_SYNTAX, 0, "%s", what);
}

/* ---- what is asked ---- */

static bool is_known(const char *name)
{
    static const char *const known[] = {"q",   "limit", "collection", "lon",
                                        "lat", "crs",   "out_crs",    "access_token"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* What can be said without a worker. */
static const char *plain_read(struct asked *asked)
{
    const struct ht_params *params = &asked->params;
    const char *limit = ht_param(params, "limit");
    const char *collection = ht_param(params, "collection");
    enum ht_gazetteer_kind kind = HT_GAZETTEER_KINDS;
    int64_t number = LIMIT_DEFAULT;
    for (size_t i = 0; i < params->count; i++) {
        if (!is_known(params->list[i].name)) {
            return "q, limit, collection, lon, lat, crs and out_crs are known here";
        }
    }
    asked->ask.query = ht_param(params, "q");
    if (asked->ask.query == NULL) {
        return "q is missing";
    }
    if (limit != NULL && !ht_param_number(limit, 1, INT64_MAX, &number)) {
        return "limit is a whole number from 1 on";
    }
    if (collection != NULL && !ht_gazetteer_kind_find(collection, &kind)) {
        return "collection is households, facilities, factories or streets";
    }
    if ((ht_param(params, "lon") == NULL) != (ht_param(params, "lat") == NULL)) {
        return "lon and lat come together";
    }
    asked->ask.size = strlen(asked->ask.query);
    asked->ask.limit = number < HT_GAZETTEER_LIMIT ? (uint32_t)number : HT_GAZETTEER_LIMIT;
    asked->ask.kinds = kind == HT_GAZETTEER_KINDS ? EVERY_KIND : UINT32_C(1) << kind;
    asked->ask.near = ht_param(params, "lon") != NULL;
    return NULL;
}

static enum ht_status crs_read(const struct asked *asked, struct ht_crs_work *work,
                               const char *name, struct ht_crs *crs, struct ht_error *error)
{
    const char *text = ht_param(&asked->params, name);
    enum ht_status status =
        ht_crs_parse(text == NULL ? "" : text, text == NULL ? 0 : strlen(text), crs);
    status = status == HT_OK ? ht_crs_check(work, crs, NULL) : status;
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, HT_SYNTAX, 0,
                                          "%s is not a coordinate system that is known here", name);
}

static enum ht_status place_read(struct asked *asked, struct ht_crs_work *work,
                                 struct ht_error *error)
{
    struct ht_crs crs = {0};
    double pair[2] = {0, 0};
    enum ht_status status = crs_read(asked, work, "crs", &crs, error);
    asked->crs = crs;
    if (status == HT_OK && ht_param(&asked->params, "out_crs") != NULL) {
        status = crs_read(asked, work, "out_crs", &asked->crs, error);
    }
    if (status != HT_OK || !asked->ask.near) {
        return status;
    }
    if (!ht_param_doubles(ht_param(&asked->params, "lon"), &pair[0], 1) ||
        !ht_param_doubles(ht_param(&asked->params, "lat"), &pair[1], 1) ||
        ht_crs_point(work, &crs, pair, &asked->ask.point) != HT_OK ||
        !ht_point_valid(asked->ask.point)) {
        return wrong(error, "lon and lat are a place on Earth");
    }
    return HT_OK;
}

/* ---- the answer ---- */

static enum ht_status feature_write(void *user, const struct ht_store_item *item)
{
    return ht_item_write(user, item);
}

/* A street is of the network, not of the store: its label is its properties. */
static enum ht_status street_write(struct ht_item_writer *writer,
                                   const struct ht_gazetteer_hit *hit)
{
    unsigned char wkb[21] = {1, 1, 0, 0, 0};
    const double pair[2] = {hit->point.lon_e7 / 1e7, hit->point.lat_e7 / 1e7};
    memcpy(wkb + 5, pair, sizeof pair);
    const struct ht_store_item item = {.id = hit->id,
                                       .wkb = wkb,
                                       .wkb_size = sizeof wkb,
                                       .properties = hit->label == NULL ? "{}" : hit->label};
    return ht_item_write(writer, &item);
}

static enum ht_status hit_write(struct ht_app_context *context, struct ht_item_writer *writer,
                                const struct asked *asked, bool personal,
                                const struct ht_gazetteer_hit *hit)
{
    const char *name = ht_gazetteer_kind_name(hit->kind);
    writer->collection = name;
    writer->distance_m =
        asked->ask.near && hit->placed ? ht_distance_m(asked->ask.point, hit->point) : -1;
    if (hit->kind == HT_GAZETTEER_STREETS) {
        return street_write(writer, hit);
    }
    enum ht_status status = ht_store_item(context->reader, ht_collection_find(name, strlen(name)),
                                          hit->id, personal, feature_write, writer, NULL);
    return status == HT_NOT_FOUND ? HT_OK : status; /* taken out meanwhile */
}

static enum ht_status answer_write(struct ht_app_context *context, const struct asked *asked,
                                   bool personal, struct ht_buffer *out, struct ht_error *error)
{
    struct ht_item_writer writer;
    struct ht_json json;
    struct ht_gazetteer_ask ask = asked->ask;
    const struct ht_gazetteer_hit *hits = NULL;
    size_t count = 0;
    ask.personal = personal;
    enum ht_status status = ht_gazetteer_find(ht_finder_search(context->app->finder),
                                              context->search, &ask, &hits, &count);
    if (status != HT_OK) {
        return ht_error_set(error, status == HT_NOMEM ? status : HT_SYNTAX, 0, "%s",
                            status == HT_NOMEM ? ht_status_text(status)
                                               : "q is one to eight words of 1,024 bytes at most");
    }
    ht_json_begin(&json, out);
    ht_item_writer_init(&writer, &json, &asked->crs, context->crs);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key(&json, "features");
    ht_json_array(&json);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        status = hit_write(context, &writer, asked, personal, &hits[i]);
    }
    ht_json_array_end(&json);
    if (asked->personal && !personal) {
        ht_json_key_text(&json, "personal", "withheld");
    }
    ht_json_object_end(&json);
    ht_item_writer_deinit(&writer);
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

static void answer_head(const struct asked *asked, struct ht_reply *reply)
{
    reply->content_type = "application/geo+json";
    reply->content_crs = asked->crs_name;
}

static enum ht_status context_ready(struct ht_app_context *context)
{
    enum ht_status status = HT_OK;
    if (context->search == NULL) {
        status = ht_gazetteer_work_new(&context->search);
    }
    if (status == HT_OK && context->crs == NULL) {
        status = ht_crs_work_new(&context->crs);
    }
    return status;
}

/* True: the answer waits for its event. */
static bool asked_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct asked *asked = data;
    struct ht_error error = {0};
    char name[HT_CRS_NAME_SIZE];
    if (context->app->store != NULL && ht_app_reader(context, reply) == NULL) {
        return false;
    }
    enum ht_status status = context_ready(context);
    if (status != HT_OK) {
        status = ht_error_set(&error, status, 0, NULL);
    } else {
        status = place_read(asked, context->crs, &error);
    }
    bool noted = asked->personal && context->app->commit != NULL;
    if (status == HT_OK) {
        status = answer_write(context, asked, noted, &reply->body, &error);
    }
    if (status == HT_OK && noted) {
        status = answer_write(context, asked, false, &asked->plain, &error);
    }
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
        return false;
    }
    ht_crs_name(&asked->crs, name);
    (void)snprintf(asked->crs_name, sizeof asked->crs_name, "<%s>", name);
    answer_head(asked, reply);
    return noted;
}

static void asked_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = asked_run(user, data, reply);
    (void)note;
}

static void asked_note(void *user, void *data, struct ht_reply *reply)
{
    const struct asked *asked = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "search",
                                         .limit = asked->ask.limit,
                                         .caller = &asked->caller,
                                         .at_ms = asked->at_ms,
                                         .plain = &asked->plain};
    ht_persons_note(user, &read, reply);
}

static void asked_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    (void)why;
    const struct asked *asked = data;
    (void)user;
    ht_reply_reset(reply);
    answer_head(asked, reply);
    ht_buffer_append(&reply->body, asked->plain.data, asked->plain.size);
}

/* ---- the loop's part ---- */

void ht_search_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    struct ht_app *app = context->app;
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL || app->finder == NULL) {
        free(asked);
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    bool read = ht_params_read(&asked->params, request->target + skip,
                               request->target_size - skip) == HT_OK;
    const char *why = read ? plain_read(asked) : "the query is not well encoded";
    if (why != NULL || !ht_finder_ready(app->finder)) {
        if (why != NULL) {
            ht_reply_problem(call->reply, 400, "Bad Request", why);
        } else {
            ht_reply_problem(call->reply, 503, "Service Unavailable",
                             "the index is still being made");
            call->reply->retry_after_s = 1;
        }
        asked_free(asked);
        return;
    }
    asked->caller = *context->caller;
    asked->at_ms = ht_clock_now_ms(&app->clock);
    asked->personal = app->store != NULL && (asked->ask.kinds & HOUSEHOLDS) != 0 &&
                      ht_access_personal(context->caller);
    call->job = asked->personal && app->commit != NULL
                    ? (struct ht_http_job){.prepare = asked_run,
                                           .run = asked_note,
                                           .lost = asked_withheld,
                                           .writes = true}
                    : (struct ht_http_job){.run = asked_plain};
    call->job.free = asked_free;
    call->job.data = asked;
}
