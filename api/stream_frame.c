/* Frames: an event or a position as a chunk of its own, ready for every socket. */
#include <stdlib.h>
#include <string.h>

#include "api/incident_event.h"
#include "api/json.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/order_event.h"
#include "api/stream_internal.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum { SIZE_DIGITS = 8 };

/* ---- chunks ---- */

/* Room for the chunk's size, which is known at its end. */
static size_t chunk_begin(struct ht_buffer *out)
{
    size_t at = out->size;
    ht_buffer_append(out, "00000000\r\n", SIZE_DIGITS + 2);
    return at;
}

static void chunk_end(struct ht_buffer *out, size_t at)
{
    static const char digits[] = "0123456789abcdef";
    if (out->failed) {
        return;
    }
    size_t size = out->size - at - (SIZE_DIGITS + 2);
    for (size_t i = 0; i < SIZE_DIGITS; i++) {
        out->data[at + SIZE_DIGITS - 1 - i] = digits[size >> 4 * i & 15];
    }
    ht_buffer_append(out, "\r\n", 2);
}

void ht__frame_comment(struct ht_buffer *out, const char *text)
{
    size_t at = chunk_begin(out);
    ht_buffer_text(out, ": ");
    ht_buffer_text(out, text);
    ht_buffer_text(out, "\n\n");
    chunk_end(out, at);
}

void ht__frame_retry(struct ht_buffer *out, unsigned retry_ms)
{
    struct ht_json number;
    size_t at = chunk_begin(out);
    ht_buffer_text(out, "retry: ");
    ht_json_begin(&number, out);
    ht_json_int(&number, retry_ms);
    ht_buffer_text(out, "\n\n");
    chunk_end(out, at);
}

void ht__frame_reason(struct ht_buffer *out, const char *event, const char *reason)
{
    struct ht_json json;
    size_t at = chunk_begin(out);
    ht_buffer_text(out, "event: ");
    ht_buffer_text(out, event);
    ht_buffer_text(out, "\ndata: ");
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "reason", reason);
    ht_json_object_end(&json);
    ht_buffer_text(out, "\n\n");
    chunk_end(out, at);
}

/* ---- events ---- */

struct ht__frames *ht__frames_new(int64_t after_seq)
{
    struct ht__frames *frames = calloc(1, sizeof *frames);
    if (frames != NULL) {
        atomic_init(&frames->references, 1);
        frames->after_seq = after_seq;
        frames->last_seq = after_seq;
    }
    return frames;
}

void ht__frames_release(struct ht__frames *frames)
{
    if (frames != NULL && atomic_fetch_sub(&frames->references, 1) == 1) {
        ht_buffer_deinit(&frames->text);
        free(frames->list);
        free(frames);
    }
}

/* A line end would end the event's data; in JSON it is but a space. */
static void body_add(struct ht_json *json, const char *body)
{
    size_t begin = json->out->size;
    ht_json_raw(json, body, strlen(body));
    for (size_t i = begin; !json->out->failed && i < json->out->size; i++) {
        char *c = &json->out->data[i];
        *c = *c == '\n' || *c == '\r' ? ' ' : *c;
    }
}

static void event_add(struct ht_buffer *out, const struct ht_store_event *event,
                      enum ht_topic topic)
{
    char time[HT_TIME_TEXT_SIZE];
    struct ht_json json;
    size_t at = chunk_begin(out);
    ht_buffer_text(out, "id: ");
    ht_json_begin(&json, out);
    ht_json_int(&json, event->seq);
    ht_buffer_text(out, "\nevent: ");
    ht_buffer_text(out, ht_topic_name(topic));
    ht_buffer_text(out, "\ndata: ");
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_int(&json, "seq", event->seq);
    ht_json_key_text(&json, "district", event->district);
    ht_time_format(event->at_ms, time);
    ht_json_key_text(&json, "at", time);
    ht_json_key_text(&json, "kind", event->kind);
    ht_json_key_text(&json, "subject", event->subject);
    ht_json_key(&json, "body");
    if (event->body[0] == '\0') {
        ht_json_null(&json);
    } else {
        body_add(&json, event->body);
    }
    ht_json_object_end(&json);
    ht_buffer_text(out, "\n\n");
    chunk_end(out, at);
}

static enum ht_status frame_add(struct ht__frames *frames, const struct ht_store_event *event,
                                enum ht_topic topic, enum ht__audience audience)
{
    void *list = frames->list;
    size_t at = frames->text.size;
    enum ht_status status =
        ht_array_reserve(&list, &frames->capacity, frames->count + 1, sizeof *frames->list);
    frames->list = list;
    if (status != HT_OK) {
        return status;
    }
    event_add(&frames->text, event, topic);
    if (frames->text.failed || frames->text.size > UINT32_MAX) {
        return HT_NOMEM;
    }
    frames->list[frames->count++] =
        (struct ht__frame){event->seq, (uint32_t)at, (uint32_t)(frames->text.size - at),
                           UINT32_C(1) << topic, audience};
    return HT_OK;
}

/* What is not for everybody's eyes: an order that somebody is sent for, and in whose home an alarm
 * was. */
static bool conceal(const struct ht_store_event *event, enum ht_topic topic, struct ht_text *out)
{
    return (topic == HT_TOPIC_ORDERS && ht_order_event_conceal(event->body, out)) ||
           (topic == HT_TOPIC_INCIDENTS && ht_incident_event_conceal(event->body, out));
}

/* An event, and as others see it. */
static enum ht_status both_add(struct ht__frames *frames, const struct ht_store_event *event,
                               enum ht_topic topic)
{
    struct ht_text body = {0};
    struct ht_store_event shown = *event;
    bool conceals = conceal(event, topic, &body);
    enum ht_status status =
        frame_add(frames, event, topic, conceals ? HT__FOR_OFFICERS : HT__FOR_ALL);
    if (status == HT_OK && conceals) {
        shown.body = body.failed ? "{}" : ht_text_string(&body);
        status = frame_add(frames, &shown, topic, HT__FOR_OTHERS);
    }
    ht_text_deinit(&body);
    return status;
}

enum ht_status ht__frames_add(struct ht__frames *frames, const struct ht_store_event *event,
                              uint32_t topics)
{
    enum ht_topic topic = ht_topic_of_event(event->kind, event->subject);
    if ((topics & UINT32_C(1) << topic) != 0) {
        enum ht_status status = both_add(frames, event, topic);
        if (status != HT_OK) {
            return status;
        }
    }
    frames->last_seq = event->seq;
    return HT_OK;
}

/* ---- positions ---- */

void ht__moves_release(struct ht__moves *moves)
{
    if (moves != NULL && atomic_fetch_sub(&moves->references, 1) == 1) {
        for (int i = 0; i < HT__STREAM_VIEWS; i++) {
            ht_buffer_deinit(&moves->views[i].text);
            free(moves->views[i].at);
        }
        free(moves->units);
        free(moves->points);
        free(moves);
    }
}

/* Where the unit is, in the view's coordinates; false: they have no place for it. */
static bool place_add(struct ht_json *json, struct ht_point point, const struct ht__view *view,
                      struct ht_crs_work *work)
{
    double pair[1][2] = {{point.lon_e7 / 1e7, point.lat_e7 / 1e7}};
    if (ht_crs_plain(&view->crs)) {
        ht_json_key(json, "lon");
        ht_json_fixed(json, point.lon_e7, 7);
        ht_json_key(json, "lat");
        ht_json_fixed(json, point.lat_e7, 7);
        return true;
    }
    if (work == NULL || ht_crs_from_wgs84(work, &view->crs, pair, 1) != HT_OK) {
        return false;
    }
    if (!view->projected) {
        ht_json_key_double(json, "lon", pair[0][view->crs.authority_order ? 1 : 0], 7);
        ht_json_key_double(json, "lat", pair[0][view->crs.authority_order ? 0 : 1], 7);
        return true;
    }
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "Point");
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    ht_json_double(json, pair[0][0], 3);
    ht_json_double(json, pair[0][1], 3);
    ht_json_array_end(json);
    ht_json_object_end(json);
    return true;
}

/* As it was reported; where only the registry knows a place for it, there is no time. */
static void heard_add(struct ht_json *json, const struct ht_unit *unit)
{
    char time[HT_TIME_TEXT_SIZE];
    const struct ht_position *position = &unit->position;
    if (!position->told) {
        ht_time_format(position->ts_ms, time);
        ht_json_key_text(json, "ts", time);
    }
    if (position->fix.speed_mps >= 0) {
        ht_json_key_double(json, "speed_mps", position->fix.speed_mps, 2);
    }
    if (position->fix.bearing_deg >= 0) {
        ht_json_key_double(json, "bearing_deg", position->fix.bearing_deg, 1);
    }
    if (position->fix.accuracy_m >= 0) {
        ht_json_key_double(json, "accuracy_m", position->fix.accuracy_m, 1);
    }
    ht_json_key_bool(json, "stale", unit->stale);
}

void ht__frame_position(struct ht_buffer *out, struct ht_fleet *fleet, const struct ht_unit *unit,
                        const struct ht__view *view, struct ht_crs_work *work)
{
    const char *profile = ht_fleet_profile_name(fleet, unit->profile);
    struct ht_json json;
    size_t at = chunk_begin(out);
    ht_buffer_text(out, "event: positions\ndata: ");
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "unit", unit->id);
    if (!place_add(&json, unit->position.fix.point, view, work)) {
        out->size = at;
        return;
    }
    heard_add(&json, unit);
    ht_json_key_text(&json, "kind", ht_unit_kinds[unit->kind]);
    ht_json_key_text(&json, "status", ht_unit_statuses[unit->status]);
    if (profile != NULL) {
        ht_json_key_text(&json, "profile", profile);
    }
    ht_json_object_end(&json);
    ht_buffer_text(out, "\n\n");
    chunk_end(out, at);
}
