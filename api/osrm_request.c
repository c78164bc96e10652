#include "api/osrm_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/osrm_steps.h"
#include "engine/base/array.h"

enum ht_status ht_osrm_request_new(struct ht_osrm_request **out)
{
    struct ht_osrm_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&request->state, HT_OSRM_BUSY);
    ht_osrm_request_reset(request);
    *out = request;
    return HT_OK;
}

void ht_osrm_request_destroy(struct ht_osrm_request *request)
{
    if (request == NULL) {
        return;
    }
    struct ht_osrm_list *lists[] = {
        &request->text,     &request->coordinates,  &request->points,    &request->radiuses,
        &request->bearings, &request->approaches,   &request->hints,     &request->exclude,
        &request->sources,  &request->destinations, &request->waypoints, &request->timestamps,
        &request->scratch,
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        free(lists[i]->data);
    }
    free(request);
}

static void list_clear(struct ht_osrm_list *list)
{
    list->count = 0;
}

void ht_osrm_request_reset(struct ht_osrm_request *request)
{
    request->service = HT_OSRM_ROUTE;
    request->profile[0] = '\0';
    request->crs[0] = '\0';
    request->out_crs[0] = '\0';
    list_clear(&request->text);
    list_clear(&request->coordinates);
    list_clear(&request->points);
    list_clear(&request->radiuses);
    list_clear(&request->bearings);
    list_clear(&request->approaches);
    list_clear(&request->hints);
    list_clear(&request->exclude);
    list_clear(&request->sources);
    list_clear(&request->destinations);
    list_clear(&request->waypoints);
    list_clear(&request->timestamps);
    request->generate_hints = true;
    request->skip_waypoints = false;
    request->any_street = false;
    request->flatbuffers = false;
    request->departs = false;
    request->avoids = false;
    request->avoid = (struct ht_osrm_piece){0};
    request->coordinates_wide = false;
    request->coordinates_broken = false;
    request->alternatives = 0;
    request->steps = false;
    request->annotate = false;
    request->annotations = 0;
    request->geometry = HT_OSRM_POLYLINE;
    request->overview = HT_OSRM_OVERVIEW_SIMPLIFIED;
    request->continue_straight = HT_OSRM_STRAIGHT_DEFAULT;
    request->fallback_speed = NAN;
    request->fallback_snapped = false;
    request->scale_factor = 1;
    request->number = 1;
    request->roundtrip = true;
    request->source_first = false;
    request->destination_last = false;
    request->gaps_ignore = false;
    request->tidy = false;
    request->tile_x = 0;
    request->tile_y = 0;
    request->tile_z = 0;
}

bool ht_osrm_list_add(struct ht_osrm_list *list, const void *item, size_t size)
{
    if (list->count == list->capacity &&
        ht_array_reserve(&list->data, &list->capacity, list->count + 1, size) != HT_OK) {
        return false;
    }
    memcpy((char *)list->data + list->count * size, item, size);
    list->count++;
    return true;
}

void ht_osrm_error(struct ht_reply *reply, const char *code, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ht_reply_reset(reply);
    reply->status = 400;
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", code);
    ht_json_key_text(&json, "message", message);
    ht_json_object_end(&json);
}
