/* Which incidents there are, and one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/desk_room.h"
#include "api/incident_json.h"
#include "api/incident_past.h"
#include "api/incidents.h"
#include "api/incidents_internal.h"
#include "api/params.h"
#include "api/regime_book.h"
#include "api/telling.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum {
    LIST_DEFAULT = 100,
    LIST_MOST = 1000,
    PAST_MOST = 2000,
    OVERTAKEN_MS = 60000, /* an alarm whose preparation took long has a number behind later ones */
};

bool ht__incidents_stand(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->desk == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return false;
    }
    return true;
}

bool ht__incident_id(const struct ht_http_call *call, char id[HT_DESK_ID_MAX + 1])
{
    const struct ht_http_span *span = &call->params[0];
    if (span->size > HT_DESK_ID_MAX) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such incident");
        return false;
    }
    memcpy(id, call->request->target + span->at, span->size);
    id[span->size] = '\0';
    return true;
}

static void refuse(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 400, "Bad Request", why);
}

/* The system that places are written in. */
static const char *crs_read(const struct ht_params *params, struct ht_crs *out)
{
    const char *text = ht_param(params, "out_crs");
    text = text == NULL ? ht_param(params, "crs") : text;
    *out = (struct ht_crs){0};
    return text == NULL || ht_crs_parse(text, strlen(text), out) == HT_OK
               ? NULL
               : "crs and out_crs are coordinate systems";
}

static const char *crs_ready(struct ht_app_context *context, const struct ht_crs *crs)
{
    if (ht_crs_plain(crs)) {
        return NULL;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        return "out of memory";
    }
    return ht_crs_check(context->crs, crs, NULL) == HT_OK
               ? NULL
               : "crs and out_crs are coordinate systems";
}

/* Where an incident is, into `room`; NULL: not known (any more). */
static const struct ht_incident_place *place_of(struct ht_app_context *context,
                                                const struct ht_incident *incident,
                                                struct ht_store_reader *reader,
                                                struct ht_incident_place *room)
{
    *room = (struct ht_incident_place){.live_eta_ms = 0};
    bool placed =
        ht_incident_places_get(ht_desk_room_places(context->app->desk), incident->id, room) ||
        ht_incident_past_place(reader, incident->id, &room->point) == HT_OK;
    return placed ? room : NULL;
}

/* Whether the caller may know of alarms in that home. */
static bool is_of_home(const struct ht_caller *caller, const char *household)
{
    return ht_access_personal(caller) ||
           (caller->household != NULL && strcmp(caller->household, household) == 0);
}

/* Whether the caller may know in whose home an incident is: officers, the home itself, and who is
 * sent there. */
static bool sees_home(const struct ht_caller *caller, const struct ht_incident *incident)
{
    bool sees = incident->household == NULL || is_of_home(caller, incident->household);
    for (uint32_t i = 0; i < incident->seat_count && caller->unit != NULL; i++) {
        sees = sees || strcmp(caller->unit, incident->seats[i].unit) == 0;
    }
    return sees;
}

/* ---- the list ---- */

struct list {
    struct ht_params params;
    struct ht_desk_filter filter;
    struct ht_crs crs;
    size_t limit;
    uint64_t number; /* those below it */
    struct ht_caller caller;
};

static const char *state_word(int i)
{
    return ht_incident_state_text((enum ht_incident_state)i);
}

static const char *kind_word(int i)
{
    return ht_incident_kind_text((enum ht_incident_kind)i);
}

/* Words with commas between as bits; false: one is none of them. */
static bool bits_read(const char *text, const char *(*word)(int), int count, uint32_t *bits)
{
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        int i = 0;
        while (i < count && (strlen(word(i)) != size || memcmp(word(i), text, size) != 0)) {
            i++;
        }
        if (i == count) {
            return false;
        }
        *bits |= UINT32_C(1) << i;
        text += size + (text[size] == ',');
    }
    return true;
}

static bool severities_read(const char *text, uint32_t *bits)
{
    while (text != NULL && *text != '\0') {
        if (*text < '1' || *text > '4' || (text[1] != '\0' && text[1] != ',')) {
            return false;
        }
        *bits |= UINT32_C(1) << (*text - '0');
        text += text[1] == ',' ? 2 : 1;
    }
    return true;
}

/* The number in an id. */
static bool number_of(const char *id, uint64_t *out)
{
    size_t digits = id[0] == 'i' ? strspn(id + 1, "0123456789") : 0;
    *out = digits == 0 || digits > 18 ? 0 : strtoull(id + 1, NULL, 10);
    return *out > 0 && id[digits + 1] == '\0';
}

/* NULL, or what is wrong. */
static const char *list_read(struct ht_app_context *context, struct list *list)
{
    const struct ht_params *params = &list->params;
    struct ht_desk_filter *filter = &list->filter;
    const char *since = ht_param(params, "since");
    const char *limit = ht_param(params, "limit");
    const char *before = ht_param(params, "before");
    int64_t most = LIST_DEFAULT;
    filter->unit = ht_param(params, "unit");
    filter->household = ht_param(params, "household");
    if (!bits_read(ht_param(params, "state"), state_word, HT_INCIDENT_STATES, &filter->states)) {
        return "state is one of received, queued, assigned, acknowledged, enroute, onscene, "
               "resolved, evaluated, cancelled";
    }
    if (!bits_read(ht_param(params, "kind"), kind_word, HT_INCIDENT_KINDS, &filter->kinds)) {
        return "kind is one of sos, fall, heart, door, gas, water, request, other";
    }
    if (!severities_read(ht_param(params, "severity"), &filter->severities)) {
        return "severity is 1 to 4";
    }
    if (since != NULL && !ht_time_parse(since, strlen(since), &filter->since_ms)) {
        return "since is a time, like 2026-03-01T08:00:00Z";
    }
    if (limit != NULL && !ht_param_number(limit, 1, LIST_MOST, &most)) {
        return "limit is 1 to 1000";
    }
    list->limit = (size_t)most;
    list->number = ht_desk_room_last(context->app->desk) + 1;
    if (before != NULL && !number_of(before, &list->number)) {
        return "before is the id of an incident";
    }
    return crs_read(params, &list->crs);
}

/* Those that are over may be in the store alone. */
static bool asks_for_past(const struct ht_desk_filter *filter)
{
    const uint32_t over = ~((UINT32_C(1) << HT_INCIDENT_IS_RESOLVED) - 1);
    return filter->unit == NULL && (filter->states == 0 || (filter->states & over) != 0);
}

struct listing {
    const struct list *list;
    struct ht_incident_past past;
    const struct ht_incident **found; /* [list->limit] */
    size_t count;
    uint64_t number; /* the last one that was looked at */
    bool more;
};

/* Goes down the numbers, which are in the order of creation; `PAST_MOST` of them in the store. */
static enum ht_status list_gather(struct ht_desk *desk, struct listing *listing)
{
    const struct ht_desk_filter *filter = &listing->list->filter;
    size_t looked_up = 0;
    bool older = false; /* than what is asked for */
    while (listing->number > 1 && listing->count < listing->list->limit && looked_up < PAST_MOST &&
           !older) {
        char id[HT_DESK_ID_MAX + 1];
        const struct ht_incident *one = NULL;
        (void)snprintf(id, sizeof id, "i%llu", (unsigned long long)--listing->number);
        one = ht_desk_get(desk, id);
        if (one == NULL) {
            looked_up++;
            enum ht_status status = ht_incident_past_find(&listing->past, id, &one);
            if (status != HT_OK && status != HT_NOT_FOUND) {
                return status;
            }
        }
        older = one != NULL && one->opened_ms + OVERTAKEN_MS < filter->since_ms;
        if (one != NULL && ht_desk_filter_passes(filter, one)) {
            listing->found[listing->count++] = one;
        } else {
            ht_incident_release(one);
        }
    }
    listing->more = listing->count == listing->list->limit || (listing->number > 1 && !older);
    return HT_OK;
}

/* By falling number; of as many as are asked for, the highest. Takes `one` over. */
static void live_add(struct listing *listing, const struct ht_incident *one, uint64_t number)
{
    size_t at = listing->count;
    uint64_t other = 0;
    if (at == listing->list->limit && number_of(listing->found[at - 1]->id, &other) &&
        other > number) {
        ht_incident_release(one);
        return;
    }
    if (at == listing->list->limit) {
        ht_incident_release(listing->found[--at]);
    } else {
        listing->count++;
    }
    for (; at > 0 && number_of(listing->found[at - 1]->id, &other) && other < number; at--) {
        listing->found[at] = listing->found[at - 1];
    }
    listing->found[at] = one;
}

/* Of those that are in memory alone: the desk's own list, which is by number but for those that
 * were reopened. */
static void live_gather(struct ht_desk *desk, struct listing *listing)
{
    enum { PAGE = 64 };
    const struct ht_incident *page[PAGE];
    struct ht_desk_filter filter = listing->list->filter;
    size_t count = PAGE;
    while (count == PAGE) {
        count = ht_desk_list(desk, &filter, PAGE, page);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = 0;
            filter.before_order = page[i]->order;
            if (number_of(page[i]->id, &number) && number < listing->list->number) {
                live_add(listing, page[i], number);
            } else {
                ht_incident_release(page[i]);
            }
        }
    }
    listing->more = listing->count == listing->list->limit;
    if (listing->more) {
        (void)number_of(listing->found[listing->count - 1]->id, &listing->number);
    }
}

static void list_write(struct ht_app_context *context, const struct listing *listing,
                       struct ht_reply *reply)
{
    const struct ht_crs_out out = {&listing->list->crs, context->crs};
    struct ht_incident_place room;
    char id[HT_DESK_ID_MAX + 1];
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "incidents");
    ht_json_array(&json);
    for (size_t i = 0; i < listing->count; i++) {
        const struct ht_incident *incident = listing->found[i];
        ht_incident_json(&json, incident, place_of(context, incident, context->reader, &room), &out,
                         sees_home(&listing->list->caller, incident));
    }
    ht_json_array_end(&json);
    if (listing->more) { /* perhaps there are more */
        (void)snprintf(id, sizeof id, "i%llu", (unsigned long long)listing->number);
        ht_json_key_text(&json, "before", id);
    }
    ht_json_object_end(&json);
}

static void list_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const struct list *list = data;
    struct ht_error error = {0};
    const char *wrong = crs_ready(context, &list->crs);
    if (wrong != NULL) {
        ht_reply_problem(reply, 400, "Bad Request", wrong);
        return;
    }
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    const struct ht_incident **found = ht_array_new(list->limit, sizeof(struct ht_incident *));
    if (found == NULL || reader == NULL) {
        free((void *)found);
        if (reader != NULL) {
            ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        }
        return;
    }
    struct listing listing = {.list = list, .number = list->number, .found = found};
    ht_incident_past_init(&listing.past, reader);
    if (asks_for_past(&list->filter)) {
        error.status = list_gather(ht_desk_room_desk(context->app->desk), &listing);
    } else {
        live_gather(ht_desk_room_desk(context->app->desk), &listing);
    }
    if (error.status == HT_OK) {
        list_write(context, &listing, reply);
    } else {
        (void)ht_error_set(&error, error.status, 0, NULL);
        ht_reply_status(reply, &error);
    }
    for (size_t i = 0; i < listing.count; i++) {
        ht_incident_release(found[i]);
    }
    ht_incident_past_deinit(&listing.past);
    free((void *)found);
}

static void list_free(void *data)
{
    struct list *list = data;
    ht_params_deinit(&list->params);
    free(list);
}

void ht_incidents_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct list *list = ht__incidents_stand(context, call) ? calloc(1, sizeof *list) : NULL;
    if (list == NULL) {
        if (call->reply->status == 200) {
            ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        }
        return;
    }
    const char *wrong = ht_params_of(&list->params, call->request) == HT_OK
                            ? list_read(context, list)
                            : "the query is not well encoded";
    list->caller = *context->caller;
    if (wrong != NULL) {
        list_free(list);
        refuse(call->reply, wrong);
        return;
    }
    if (list->filter.household != NULL && !is_of_home(&list->caller, list->filter.household)) {
        list_free(list);
        ht_reply_problem(call->reply, 403, "Forbidden",
                         "in whose home an alarm was is for dispatchers");
        return;
    }
    call->job = (struct ht_http_job){.run = list_run, .free = list_free, .data = list};
}

/* ---- one ---- */

struct one {
    char id[HT_DESK_ID_MAX + 1];
    struct ht_crs crs;
    struct ht_caller caller;
};

/* Who answers for where it is, as the registry and the regimes have it now. */
static enum ht_status answers_find(struct ht_app_context *context,
                                   const struct ht_incident *incident,
                                   const struct ht_incident_place *place, struct ht_answers *out,
                                   struct ht_error *error)
{
    struct ht_regime_book *book = ht_regime_slot_book(context->app->regimes);
    const struct ht_answers_over over = ht_regime_book_answers(book);
    enum ht_status status =
        ht_answers_find(context->reader, incident->household, place == NULL ? NULL : &place->point,
                        &over, out, error);
    ht_regime_book_release(book);
    return status;
}

/* The incident, who answers for where it is, and who was told of it. */
static enum ht_status one_write(struct ht_app_context *context, struct ht_json *json,
                                const struct ht_incident *incident, const struct one *one,
                                struct ht_error *error)
{
    struct ht_incident_place room;
    struct ht_answers answers;
    const struct ht_crs_out out = {&one->crs, context->crs};
    const struct ht_incident_place *place = place_of(context, incident, context->reader, &room);
    enum ht_status status = answers_find(context, incident, place, &answers, error);
    if (status == HT_OK) {
        ht_json_object(json);
        ht_incident_json_members(json, incident, place, &out, sees_home(&one->caller, incident));
        ht_incident_json_answers(json, incident, &answers);
        status = ht_tellings_write(json, context->reader, incident->id, error);
        ht_json_object_end(json);
    }
    return status;
}

/* A counted reference: from memory, or from the store, or back in memory meanwhile. */
static enum ht_status one_find(struct ht_app_context *context, struct ht_incident_past *past,
                               const char *id, const struct ht_incident **out)
{
    struct ht_desk *desk = ht_desk_room_desk(context->app->desk);
    enum ht_status status = HT_OK;
    *out = ht_desk_get(desk, id);
    if (*out == NULL) {
        status = ht_incident_past_find(past, id, out);
    }
    if (status == HT_NOT_FOUND) {
        *out = ht_desk_get(desk, id);
        status = *out == NULL ? HT_NOT_FOUND : HT_OK;
    }
    return status;
}

/* In a worker: it reads the disk, and another system's first projection takes long. */
static void one_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const struct one *one = data;
    struct ht_incident_past past;
    struct ht_error error = {0};
    struct ht_json json;
    const struct ht_incident *incident = NULL;
    const char *wrong = crs_ready(context, &one->crs);
    if (wrong != NULL) {
        refuse(reply, wrong);
        return;
    }
    ht_incident_past_init(&past, ht_app_reader(context, reply));
    if (past.reader == NULL) {
        return;
    }
    enum ht_status status = one_find(context, &past, one->id, &incident);
    if (status == HT_OK) {
        (void)snprintf(reply->etag, sizeof reply->etag, "%llu",
                       (unsigned long long)incident->version);
        ht_json_begin(&json, &reply->body);
        status = one_write(context, &json, incident, one, &error);
        ht_incident_release(incident);
    }
    if (status == HT_NOT_FOUND) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such incident");
    } else if (status != HT_OK) {
        error.status = status;
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
    }
    ht_incident_past_deinit(&past);
}

void ht_incident_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    struct one one;
    if (!ht__incidents_stand(context, call) || !ht__incident_id(call, one.id)) {
        return;
    }
    if (ht_params_of(&params, call->request) != HT_OK) {
        refuse(call->reply, "the query is not well encoded");
        return;
    }
    const char *wrong = crs_read(&params, &one.crs);
    one.caller = *context->caller;
    ht_params_deinit(&params);
    struct one *kept = wrong == NULL ? malloc(sizeof *kept) : NULL;
    if (kept == NULL) {
        ht_reply_problem(call->reply, wrong == NULL ? 503 : 400,
                         wrong == NULL ? "Service Unavailable" : "Bad Request",
                         wrong == NULL ? "out of memory" : wrong);
        return;
    }
    *kept = one;
    call->job = (struct ht_http_job){.run = one_run, .free = free, .data = kept};
}
