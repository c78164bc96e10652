#include "api/rounds_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/visits_room.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static yajl_val list_of(yajl_val tree, const char *name, size_t *count)
{
    yajl_val list = ht_json_member(tree, name);
    *count = YAJL_IS_ARRAY(list) ? list->u.array.len : 0;
    return list;
}

static void id_read(yajl_val object, const char *name, char out[HT_ID_MAX + 1])
{
    const char *text = YAJL_GET_STRING(ht_json_member(object, name));
    (void)snprintf(out, HT_ID_MAX + 1, "%s", text == NULL ? "" : text);
}

static int64_t whole_read(yajl_val object, const char *name)
{
    yajl_val value = ht_json_member(object, name);
    return YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
}

static int64_t moment_read(yajl_val object, const char *name)
{
    const char *text = YAJL_GET_STRING(ht_json_member(object, name));
    int64_t utc_ms = 0;
    return text != NULL && ht_time_parse(text, strlen(text), &utc_ms) ? utc_ms : 0;
}

static enum ht_visit_purpose purpose_read(yajl_val object)
{
    const char *text = YAJL_GET_STRING(ht_json_member(object, "purpose"));
    for (int i = 0; text != NULL && i < HT_VISIT_PURPOSES; i++) {
        if (strcmp(ht_visit_purpose_text((enum ht_visit_purpose)i), text) == 0) {
            return (enum ht_visit_purpose)i;
        }
    }
    return HT_VISIT_FOR_ROUND;
}

static void visit_read(yajl_val object, struct ht_round_visit *out)
{
    *out = (struct ht_round_visit){.purpose = purpose_read(object),
                                   .state = HT_VISIT_IS_PLANNED,
                                   .start_ms = whole_read(object, "start_ms"),
                                   .end_ms = whole_read(object, "end_ms"),
                                   .stop = (uint32_t)whole_read(object, "stop")};
    out->made_up = YAJL_IS_TRUE(ht_json_member(object, "made_up"));
    id_read(object, "id", out->id);
    id_read(object, "site", out->site);
    id_read(object, "tenant", out->tenant);
    id_read(object, "inspector", out->inspector);
    id_read(object, "second", out->second);
    id_read(object, "rectification", out->rectification);
}

static enum ht_status visits_read(struct ht_round_record *record)
{
    size_t count = 0;
    yajl_val list = list_of(record->tree, "visits", &count);
    record->visits = ht_array_new(count, sizeof *record->visits);
    if (record->visits == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        visit_read(list->u.array.values[i], &record->visits[record->visit_count++]);
    }
    return HT_OK;
}

static enum ht_status owners_read(struct ht_round_record *record)
{
    size_t count = 0;
    yajl_val list = list_of(record->tree, "owners", &count);
    record->owners = ht_array_new(count, sizeof *record->owners);
    if (record->owners == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct ht_round_owner *owner = &record->owners[record->owner_count++];
        id_read(list->u.array.values[i], "site", owner->site);
        id_read(list->u.array.values[i], "tenant", owner->tenant);
        id_read(list->u.array.values[i], "inspector", owner->inspector);
    }
    return HT_OK;
}

/* The number of a date among the days of the round; 0: before them, or none. */
static uint32_t day_read(const struct ht_round_record *record, yajl_val object)
{
    const char *text = YAJL_GET_STRING(ht_json_member(object, "day"));
    int64_t at_ms = 0;
    bool day = false;
    struct ht_round_days days = {.calendar = NULL};
    int32_t time_s = 0;
    if (text == NULL || !ht_round_time_read(text, &at_ms, &day)) {
        return 0;
    }
    ht_round_days_init(&days, record->from_ms, 1, record->from_ms);
    int64_t number = ht_round_day_of(&days, at_ms, &time_s);
    return number < 0 ? 0 : (uint32_t)number;
}

static enum ht_status tours_read(struct ht_round_record *record)
{
    size_t count = 0;
    yajl_val list = list_of(record->tree, "tours", &count);
    record->tours = ht_array_new(count, sizeof *record->tours);
    if (record->tours == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        yajl_val object = list->u.array.values[i];
        struct ht_round_tour *tour = &record->tours[record->tour_count++];
        *tour = (struct ht_round_tour){.day = day_read(record, object),
                                       .start_ms = moment_read(object, "start"),
                                       .end_ms = moment_read(object, "end"),
                                       .travel_s = (uint32_t)whole_read(object, "travel_s"),
                                       .service_s = (uint32_t)whole_read(object, "service_s"),
                                       .distance_m = (uint32_t)whole_read(object, "distance_m"),
                                       .visits = (uint32_t)whole_read(object, "visits")};
        id_read(object, "inspector", tour->inspector);
    }
    return HT_OK;
}

enum ht_status ht_round_record_read(const char *body, size_t size, struct ht_round_record *out)
{
    out->tree = ht_json_tree_read(body, size);
    if (!YAJL_IS_OBJECT(out->tree)) {
        return HT_INVALID;
    }
    out->next = (uint32_t)whole_read(out->tree, "next");
    out->withdrawn_ms = whole_read(out->tree, HT_ROUND_WITHDRAWN);
    enum ht_status status = visits_read(out);
    if (status == HT_OK) {
        status = owners_read(out);
    }
    return status == HT_OK ? tours_read(out) : status;
}

static enum ht_status row_take(void *user, const struct ht_store_round *row)
{
    struct ht_round_record *record = user;
    (void)snprintf(record->id, sizeof record->id, "%s", row->id);
    record->collection = ht_collection_find(row->collection, strlen(row->collection));
    record->number = row->number;
    record->from_ms = row->from_ms;
    record->to_ms = row->to_ms;
    record->made_ms = row->made_ms;
    record->changed_ms = row->changed_ms;
    record->version = row->version;
    return record->collection == NULL ? HT_INVALID
                                      : ht_round_record_read(row->body, strlen(row->body), record);
}

enum ht_status ht_round_record_get(struct ht_store_reader *reader, const char *id,
                                   struct ht_round_record *out, struct ht_error *error)
{
    *out = (struct ht_round_record){.tree = NULL};
    enum ht_status status = ht_store_round_get(reader, id, row_take, out, error);
    return status == HT_INVALID
               ? ht_error_set(error, HT_IO, 0, "what the store has of round %.64s can't be read",
                              id)
               : status;
}

void ht_round_record_deinit(struct ht_round_record *record)
{
    yajl_tree_free(record->tree);
    free(record->visits);
    free(record->owners);
    free(record->tours);
    *record = (struct ht_round_record){.tree = NULL};
}

/* ---- what became of them ---- */

static void live_take(struct ht_round_visit *out, const struct ht_visit *visit)
{
    out->state = visit->state;
    out->purpose = visit->purpose;
    out->start_ms = visit->start_ms;
    out->end_ms = visit->end_ms;
    out->seen_ms = visit->seen_ms;
    out->until_ms = visit->until_ms;
    (void)snprintf(out->inspector, sizeof out->inspector, "%s",
                   visit->inspector == NULL ? "" : visit->inspector);
    (void)snprintf(out->second, sizeof out->second, "%s",
                   visit->second == NULL ? "" : visit->second);
    (void)snprintf(out->rectification, sizeof out->rectification, "%s",
                   visit->rectification == NULL ? "" : visit->rectification);
}

/* One that left memory. */
static enum ht_status past_take(struct ht_store_reader *reader, struct ht_round_visit *out)
{
    struct ht_visits *past = NULL;
    enum ht_status status = ht_visits_room_past(reader, true, out->id, &past);
    if (status != HT_OK) {
        return status == HT_NOT_FOUND ? HT_OK : status;
    }
    const struct ht_visit *visit = ht_visits_get(past, out->id);
    if (visit != NULL) {
        live_take(out, visit);
        ht_visit_release(visit);
    }
    ht_visits_free(past);
    return HT_OK;
}

enum ht_status ht_round_record_live(struct ht_round_record *record, struct ht_app_context *context,
                                    struct ht_store_reader *reader)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < record->visit_count && status == HT_OK; i++) {
        const struct ht_visit *visit = ht_visits_get(visits, record->visits[i].id);
        if (visit == NULL) {
            status = past_take(reader, &record->visits[i]);
            continue;
        }
        live_take(&record->visits[i], visit);
        ht_visit_release(visit);
    }
    return status;
}

void ht_round_record_pending(struct ht_round_record *record, const struct ht_visits *visits)
{
    for (size_t i = 0; i < record->visit_count; i++) {
        const struct ht_visit *visit = ht_visits_pending(visits, record->visits[i].id);
        if (visit != NULL) {
            live_take(&record->visits[i], visit);
        }
    }
}
