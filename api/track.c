/* The way a unit came. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ask.h"
#include "api/command.h"
#include "api/live_json.h"
#include "api/routes_live.h"
#include "engine/base/time.h"

enum { TRACK_DEFAULT = 10000, TRACK_MOST = 100000 };

struct track {
    char id[HT_ID_MAX + 1];
    int64_t from_ms;
    int64_t until_ms;
    int64_t limit;
    int64_t next_ms; /* of the first that did not find room; INT64_MAX: all did */
    char *base;      /* "http://HOST/v1/units/ID/track" */
    struct ht_unit unit;
    struct ht_crs crs;
    struct ht_crs_work *work;
    struct ht_json *json;
    struct ht_buffer times;
    struct ht_json times_json;
    int64_t count;
    struct ht_store_position last;
};

static void track_free(void *data)
{
    struct track *track = data;
    ht_buffer_deinit(&track->times);
    free(track->base);
    free(track);
}

static void point_write(struct track *track)
{
    const struct ht_crs_out out = {&track->crs, track->work};
    char text[HT_TIME_TEXT_SIZE];
    ht_live_json_point(track->json, track->last.point, &out);
    ht_time_format(track->last.ts_ms, text);
    ht_json_text(&track->times_json, text);
}

static enum ht_status track_point(void *user, const struct ht_store_position *position)
{
    struct track *track = user;
    if (track->count++ == track->limit) {
        track->next_ms = position->ts_ms;
        return HT_OK;
    }
    track->last = *position;
    point_write(track);
    return HT_OK;
}

/* The same question from where this answer ends. */
static void next_link(struct ht_json *json, const struct track *track)
{
    char text[HT_TIME_TEXT_SIZE];
    char crs[HT_CRS_NAME_SIZE];
    struct ht_text href = {0};
    ht_time_format(track->next_ms, text);
    ht_text_addf(&href, "%s?limit=%" PRId64 "&from=%s", track->base, track->limit, text);
    if (track->until_ms != INT64_MAX) {
        ht_time_format(track->until_ms, text);
        ht_text_addf(&href, "&to=%s", text);
    }
    if (!ht_crs_plain(&track->crs)) {
        ht_crs_name(&track->crs, crs);
        ht_text_addf(&href, "&crs=%s", crs);
    }
    ht_json_key(json, "links");
    ht_json_array(json);
    ht_json_object(json);
    ht_json_key_text(json, "href", ht_text_string(&href));
    ht_json_key_text(json, "rel", "next");
    ht_json_key_text(json, "type", "application/geo+json");
    ht_json_object_end(json);
    ht_json_array_end(json);
    ht_text_deinit(&href);
}

static enum ht_status track_write(struct ht_app_context *context, struct track *track,
                                  struct ht_json *json, struct ht_error *error)
{
    ht_json_begin(&track->times_json, &track->times);
    track->json = json;
    ht_json_object(json);
    ht_json_key_text(json, "type", "Feature");
    ht_json_key_text(json, "id", track->id);
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "LineString");
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    ht_json_array(&track->times_json);
    enum ht_status status =
        ht_store_track(context->reader, track->id, track->from_ms, track->until_ms,
                       (uint64_t)track->limit + 1, track_point, track, error);
    if (status == HT_OK && (track->count == 1 || (track->count > 1 && track->limit == 1))) {
        point_write(track); /* a line has two positions or more (RFC 7946, 3.1.4) */
    }
    ht_json_array_end(&track->times_json);
    ht_json_array_end(json);
    ht_json_object_end(json);
    ht_json_key(json, "properties");
    ht_json_object(json);
    ht_live_json_members(json, &track->unit);
    ht_json_key(json, "times");
    ht_json_raw(json, track->times.data, track->times.size);
    ht_json_object_end(json);
    if (track->next_ms != INT64_MAX) {
        next_link(json, track);
    }
    ht_json_object_end(json);
    return status;
}

static void track_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct track *track = data;
    struct ht_error error = {0};
    struct ht_json json;
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    track->work = context->crs;
    if (ht_crs_check(track->work, &track->crs, NULL) != HT_OK) {
        ht_ask_refuse(reply, "crs is not a coordinate system that is known here");
        return;
    }
    ht_json_begin(&json, &reply->body);
    reply->content_type = "application/geo+json";
    if (track_write(context, track, &json, &error) != HT_OK) {
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
    }
}

static bool time_param(const struct ht_params *params, const char *name, int64_t other,
                       int64_t *out)
{
    const char *text = ht_param(params, name);
    *out = other;
    return text == NULL || ht_time_parse(text, strlen(text), out);
}

/* NULL, or what makes no sense. */
static const char *track_read(struct track *track, const struct ht_params *params)
{
    const char *limit = ht_param(params, "limit");
    const char *crs = ht_param(params, "crs");
    track->limit = TRACK_DEFAULT;
    track->next_ms = INT64_MAX;
    if (!time_param(params, "from", INT64_MIN, &track->from_ms) ||
        !time_param(params, "to", INT64_MAX, &track->until_ms)) {
        return "from and to are times";
    }
    if (track->from_ms > track->until_ms) {
        return "from is after to";
    }
    if (limit != NULL && !ht_param_number(limit, 1, INT64_MAX, &track->limit)) {
        return "limit is a whole number from 1 on";
    }
    track->limit = track->limit < TRACK_MOST ? track->limit : TRACK_MOST;
    return crs != NULL && ht_crs_parse(crs, strlen(crs), &track->crs) != HT_OK
               ? "crs is not a coordinate system"
               : NULL;
}

void ht_track_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    const char *id = request->target + call->params[0].at;
    size_t size = call->params[0].size;
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    struct ht_params params;
    struct ht_text base = {0};
    struct track *track = calloc(1, sizeof *track);
    if (track == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    if (ht_params_of(&params, request) != HT_OK) {
        track_free(track);
        ht_ask_refuse(call->reply, "the query is not well encoded");
        return;
    }
    const char *wrong = track_read(track, &params);
    ht_params_deinit(&params);
    ht_text_addf(&base, "http://%.*s%.*s", (int)request->host_size,
                 request->host == NULL ? "" : request->host, (int)request->path_size,
                 request->target);
    track->base = base.data;
    if (wrong != NULL) {
        ht_ask_refuse(call->reply, wrong);
    } else if (base.failed) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
    } else if (!ht_fleet_get(fleet, ht_fleet_find(fleet, id, size),
                             ht_clock_now_ms(&context->app->clock), &track->unit)) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such unit");
    } else {
        memcpy(track->id, id, size);
        call->job = (struct ht_http_job){.run = track_run, .free = track_free, .data = track};
        return;
    }
    track_free(track);
}

/* ---- DELETE: what the law on personal information lets the person ask for ---- */

static void erase_run(struct ht_app_context *context, struct ht_command *command,
                      struct ht_store_tx *tx, struct ht_reply *reply)
{
    char subject[HT_ID_MAX + 8];
    char body[HT_ID_MAX + 16];
    struct ht_error error = {0};
    const char *id = command->params[0];
    (void)context;
    (void)snprintf(subject, sizeof subject, "units/%s", id);
    (void)snprintf(body, sizeof body, "{\"unit\":\"%s\"}", id);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = "track.erased",
                                         .subject = subject,
                                         .body = body};
    enum ht_status status = ht_store_positions_erase(tx, id, &error);
    if (status == HT_OK) {
        status = ht_store_event_append(tx, &event, NULL, &error);
    }
    if (status == HT_OK) {
        reply->status = 204;
    } else {
        ht_reply_status(reply, &error);
    }
}

static const struct ht_command_kind erase_kind = {.run = erase_run};

void ht_track_delete(struct ht_app_context *context, struct ht_http_call *call)
{
    if (!ht_id_valid(call->request->target + call->params[0].at, call->params[0].size)) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such unit");
        return;
    }
    ht_app_live_save(context->app, true); /* what came up to now goes, too */
    ht_command_start(context, call, &erase_kind);
}
