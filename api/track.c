/* The way a unit came. */
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/live_json.h"
#include "api/routes_live.h"
#include "engine/base/time.h"

struct track {
    char id[HT_ID_MAX + 1];
    int64_t from_ms;
    int64_t until_ms;
    struct ht_json *json;
    struct ht_buffer times;
    struct ht_json times_json;
    size_t count;
};

enum { TRACK_MOST = 100000 };

static enum ht_status track_point(void *user, const struct ht_store_position *position)
{
    struct track *track = user;
    char text[HT_TIME_TEXT_SIZE];
    ht_live_json_point(track->json, position->point, NULL);
    ht_time_format(position->ts_ms, text);
    ht_json_text(&track->times_json, text);
    track->count++;
    return HT_OK;
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
    ht_json_begin(&json, &reply->body);
    ht_json_begin(&track->times_json, &track->times);
    track->json = &json;
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "Feature");
    ht_json_key_text(&json, "id", track->id);
    ht_json_key(&json, "geometry");
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "LineString");
    ht_json_key(&json, "coordinates");
    ht_json_array(&json);
    ht_json_array(&track->times_json);
    enum ht_status status = ht_store_track(context->reader, track->id, track->from_ms,
                                           track->until_ms, TRACK_MOST, track_point, track, &error);
    ht_json_array_end(&track->times_json);
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    ht_json_key(&json, "properties");
    ht_json_object(&json);
    ht_json_key(&json, "times");
    ht_json_raw(&json, track->times.data, track->times.size);
    ht_json_object_end(&json);
    ht_json_object_end(&json);
    reply->content_type = "application/geo+json";
    ht_buffer_deinit(&track->times);
    if (status != HT_OK) {
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

void ht_track_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_params params;
    struct track *track = calloc(1, sizeof *track);
    const char *id = request->target + call->params[0].at;
    (void)context;
    if (track == NULL || ht_params_of(&params, request) != HT_OK) {
        free(track);
        ht_reply_problem(call->reply, 400, "Bad Request", "the query is not well encoded");
        return;
    }
    bool sound = time_param(&params, "from", INT64_MIN, &track->from_ms) &&
                 time_param(&params, "to", INT64_MAX, &track->until_ms);
    ht_params_deinit(&params);
    if (!sound || !ht_id_valid(id, call->params[0].size)) {
        free(track);
        ht_reply_problem(call->reply, sound ? 404 : 400, sound ? "Not Found" : "Bad Request",
                         sound ? "no unit has such an id" : "from and to are times");
        return;
    }
    memcpy(track->id, id, call->params[0].size);
    call->job = (struct ht_http_job){.run = track_run, .free = free, .data = track};
}
