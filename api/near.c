/* /v1/near: what lies near a place, or in an area, in any collection. */
#include <stdlib.h>
#include <string.h>

#include "api/box.h"
#include "api/command.h"
#include "api/http_answer.h"
#include "api/item_json.h"
#include "api/live_json.h"
#include "api/near_internal.h"
#include "api/persons.h"
#include "api/routes_live.h"

static void near_free(void *data)
{
    struct ht__near *near = data;
    ht_params_deinit(&near->params);
    ht_geometry_deinit(&near->geometry);
    ht_buffer_deinit(&near->plain);
    ht_area_free(near->area);
    free(near->chosen);
    free(near->list);
    free(near);
}

/* ---- what is asked ---- */

static bool in_list(const char *name, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Every other parameter is a property's. NULL, or one that may not be asked by. */
static const char *filters_read(struct ht__near *near)
{
    static const char *const own[] = {"collection", "lon",     "lat",          "k",
                                      "radius_m",   "bbox",    "polygon",      "cell",
                                      "crs",        "out_crs", "access_token", NULL};
    static const char *const live[] = {"kind", "status", "skills", "shift", "max_age_s", NULL};
    for (size_t i = 0; i < near->params.count; i++) {
        const struct ht_param *param = &near->params.list[i];
        const struct ht_property *property =
            ht_collection_property(near->collection, param->name, strlen(param->name));
        bool personal = property != NULL && property->personal;
        if (in_list(param->name, own) || (near->units && in_list(param->name, live))) {
            continue;
        }
        if (personal && !ht_persons_wanted(near->collection, &near->caller)) {
            return param->name;
        }
        near->filters[near->filter_count++] =
            (struct ht_store_filter){param->name, param->value, personal};
    }
    return NULL;
}

static enum ht_status cell_shape(void *user, const struct ht_store_item *item)
{
    return ht_geometry_read_wkb(user, item->wkb, item->wkb_size, NULL);
}

/* The polygons of a cell of the registry. */
static enum ht_status cell_add(struct ht_app_context *context, struct ht_area *area, const char *id,
                               struct ht_error *error)
{
    static const char name[] = "cells";
    struct ht_geometry shape;
    ht_geometry_init(&shape);
    enum ht_status status =
        ht_store_item(context->reader, ht_collection_find(name, sizeof name - 1), id, false,
                      cell_shape, &shape, error);
    if (status == HT_OK) {
        status = ht_area_add(area, &shape, true, error);
    } else if (status == HT_NOT_FOUND) {
        status = ht_error_set(error, HT_INVALID, 0, "there is no cell %.64s", id);
    }
    ht_geometry_deinit(&shape);
    return status;
}

static enum ht_status area_read(struct ht_app_context *context, struct ht__near *near,
                                struct ht_error *error)
{
    const char *bbox = ht_param(&near->params, "bbox");
    const char *polygon = ht_param(&near->params, "polygon");
    const char *cell = ht_param(&near->params, "cell");
    struct ht_box box;
    if (bbox == NULL && polygon == NULL && cell == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_area_new(&near->area);
    if (status == HT_OK && context->crs == NULL) {
        status = ht_crs_work_new(&context->crs);
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    if (bbox != NULL) {
        status = ht_bbox_read(bbox, &near->ask.crs, context->crs, &box, error);
        if (status == HT_OK && box.min.lon_e7 > box.max.lon_e7) {
            status = ht_error_set(error, HT_SYNTAX, 0, "bbox ends before it begins");
        }
        if (status == HT_OK) {
            status = ht_area_add_box(near->area, box, error);
        }
    }
    if (status == HT_OK && polygon != NULL) {
        status = ht_area_read(near->area, polygon, &near->ask.crs, context->crs, error);
    }
    return status == HT_OK && cell != NULL ? cell_add(context, near->area, cell, error) : status;
}

/* ---- the answer ---- */

static enum ht_status units_write(struct ht_app_context *context, const struct ht__near *near,
                                  struct ht_json *json)
{
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    const struct ht_crs_out out = {&near->ask.out_crs, context->crs};
    for (size_t i = 0; i < near->count; i++) {
        struct ht_unit unit;
        if (ht_fleet_get(fleet, near->list[i].unit, near->at_ms, &unit)) {
            ht_live_json_unit(json, fleet, &unit, near->list[i].point, near->list[i].distance_m,
                              &out);
        }
    }
    return HT_OK;
}

static enum ht_status item_write(void *user, const struct ht_store_item *item)
{
    return ht_item_write(user, item);
}

static enum ht_status items_write(struct ht_app_context *context, const struct ht__near *near,
                                  bool personal, struct ht_json *json, struct ht_error *error)
{
    struct ht_item_writer writer;
    enum ht_status status = HT_OK;
    ht_item_writer_init(&writer, json, &near->ask.out_crs, context->crs);
    for (size_t i = 0; status == HT_OK && i < near->count; i++) {
        writer.distance_m = near->list[i].distance_m;
        status = ht_store_item(context->reader, near->collection, near->list[i].id, personal,
                               item_write, &writer, error);
        status = status == HT_NOT_FOUND ? HT_OK : status; /* taken out meanwhile */
    }
    ht_item_writer_deinit(&writer);
    return status;
}

/* Who is in the answer would tell what was asked by: then nobody is. */
static bool asks_by_person(const struct ht__near *near)
{
    bool asks = false;
    for (size_t i = 0; i < near->filter_count; i++) {
        asks = asks || near->filters[i].personal;
    }
    return asks;
}

static enum ht_status answer_write(struct ht_app_context *context, const struct ht__near *near,
                                   bool personal, struct ht_buffer *out, struct ht_error *error)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key(&json, "features");
    ht_json_array(&json);
    enum ht_status status = HT_OK;
    if (near->units) {
        status = units_write(context, near, &json);
    } else if (personal || !asks_by_person(near)) {
        status = items_write(context, near, personal, &json, error);
    }
    ht_json_array_end(&json);
    if (near->more) {
        ht_json_key_bool(&json, "more", true);
    }
    if (near->personal && !personal) {
        ht_json_key_text(&json, "personal", "withheld");
    }
    ht_json_object_end(&json);
    return status;
}

static void answer_head(struct ht_reply *reply)
{
    reply->content_type = "application/geo+json";
}

static enum ht_status near_find(struct ht_app_context *context, struct ht__near *near,
                                struct ht_error *error)
{
    enum ht_status status =
        ht_ask_locate(context, &near->ask, near->ask.pair[0], &near->ask.live.point);
    if (status != HT_OK) {
        return ht_error_set(error, status == HT_NOMEM ? status : HT_SYNTAX, 0,
                            "the place is not on Earth, or its coordinate system is not known");
    }
    status = area_read(context, near, error);
    if (status != HT_OK) {
        return status;
    }
    status = near->units
                 ? ht__near_units(context->app->live, context->live, context->reader, near, error)
                 : ht__near_items(context->reader, near, error);
    near->more = near->all && near->count > HT_ASK_MOST;
    near->count = near->more ? HT_ASK_MOST : near->count;
    return status;
}

/* True: the answer waits for its event. */
static bool near_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht__near *near = data;
    struct ht_error error = {0};
    bool stored = !near->units || near->filter_count > 0 || ht_param(&near->params, "cell") != NULL;
    if (stored && ht_app_reader(context, reply) == NULL) {
        return false;
    }
    if (ht_app_live_work(context) == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    enum ht_status status = near_find(context, near, &error);
    bool noted = near->personal && context->app->commit != NULL;
    if (status == HT_OK) {
        status = answer_write(context, near, noted, &reply->body, &error);
    }
    if (status == HT_OK && noted) {
        status = answer_write(context, near, false, &near->plain, &error);
    }
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        error.status = error.status == HT_OK ? status : error.status;
        ht_reply_status(reply, &error);
        return false;
    }
    answer_head(reply);
    return noted;
}

static void near_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = near_run(user, data, reply);
    (void)note;
}

static void near_note(void *user, void *data, struct ht_reply *reply)
{
    const struct ht__near *near = data;
    const struct ht_persons_read read = {.collection = near->collection->name,
                                         .id = "",
                                         .how = "near",
                                         .limit = near->count,
                                         .caller = &near->caller,
                                         .at_ms = near->at_ms,
                                         .plain = &near->plain};
    ht_persons_note(user, &read, reply);
}

static void near_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct ht__near *near = data;
    (void)user;
    (void)why;
    ht_reply_reset(reply);
    answer_head(reply);
    ht_buffer_append(&reply->body, near->plain.data, near->plain.size);
}

/* ---- the loop's part ---- */

static bool has_area(const struct ht__near *near)
{
    return ht_param(&near->params, "bbox") != NULL || ht_param(&near->params, "polygon") != NULL ||
           ht_param(&near->params, "cell") != NULL;
}

/* NULL, or why not; `*status` for the client. */
static const char *near_read(struct ht_app_context *context, struct ht__near *near, int *status)
{
    const char *name = ht_param(&near->params, "collection");
    bool area = has_area(near);
    *status = 400;
    near->collection = name == NULL ? NULL : ht_collection_find(name, strlen(name));
    near->units = near->collection != NULL && strcmp(name, "units") == 0;
    if (near->ask.wrong != NULL) {
        return near->ask.wrong;
    }
    if (near->collection == NULL) {
        return name == NULL ? "collection is missing" : "no such collection";
    }
    if (near->units && near->ask.wrong_unit != NULL) {
        return near->ask.wrong_unit;
    }
    if (!near->ask.pointed && (!area || near->ask.live.radius_m >= 0)) {
        return area ? "a radius is around lon and lat, which are missing"
                    : "lon and lat are missing, or an area: bbox, polygon or cell";
    }
    /* who says how far, but not how many, wants all */
    if (!near->ask.numbered && (area || near->ask.live.radius_m >= 0)) {
        near->all = true;
        near->ask.live.k = HT_ASK_MOST + 1;
    }
    near->personal = ht_persons_wanted(near->collection, context->caller);
    *status = 403;
    return filters_read(near) != NULL ? "a personal property can't be asked by" : NULL;
}

void ht_near_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht__near *near = calloc(1, sizeof *near);
    int status = 503;
    if (near == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    if (ht_params_of(&near->params, call->request) != HT_OK) {
        near_free(near);
        ht_ask_refuse(call->reply, "the query is not well encoded");
        return;
    }
    near->caller = *context->caller;
    near->at_ms = ht_clock_now_ms(&context->app->clock);
    near->ask = ht_ask_read(context, &near->params, HT_DUTY_ANY);
    ht_geometry_init(&near->geometry);
    const char *wrong = near_read(context, near, &status);
    if (wrong != NULL) {
        near_free(near);
        ht_reply_problem(call->reply, status, ht_http_status_text(status), wrong);
        return;
    }
    if (near->units && !has_area(near) && near->filter_count == 0 && !ht_ask_slow(&near->ask)) {
        near_plain(context, near, call->reply); /* memory alone */
        near_free(near);
        return;
    }
    call->job = near->personal && context->app->commit != NULL
                    ? (struct ht_http_job){.prepare = near_run,
                                           .run = near_note,
                                           .lost = near_withheld,
                                           .writes = true}
                    : (struct ht_http_job){.run = near_plain};
    call->job.free = near_free;
    call->job.data = near;
}
