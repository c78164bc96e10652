/* Which rectifications there are, one of them, what is wanted, and sums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/rectifications.h"
#include "api/visit_site.h"
#include "api/visits_internal.h"
#include "engine/base/array.h"
#include "geodata/members.h"

#define DAY_MS INT64_C(86400000)

static enum ht_status no_such(enum ht_status status, struct ht_error *error)
{
    return status == HT_OK
               ? HT_OK
               : ht_error_set(error, status, 0,
                              status == HT_NOT_FOUND ? "there is no such rectification" : NULL);
}

/* ---- one ---- */

/* A device sees what its unit found, or has a visit for. */
static bool is_seen(struct ht_app_context *context, const struct ht_look *look,
                    struct ht_store_reader *reader, const struct ht_rectification *notice)
{
    if (look->caller.role != HT_ROLE_DEVICE) {
        return !ht__site_is_kept(&look->caller, reader, notice->site);
    }
    return look->caller.unit != NULL &&
           ht_rectification_is_of(ht_visits_room_visits(context->app->visits), notice,
                                  look->caller.unit);
}

enum ht_status ht__rectification_find(struct ht_app_context *context, const struct ht_look *look,
                                      struct ht_store_reader *reader, struct ht_visits **past,
                                      const struct ht_rectification **out)
{
    enum ht_status status = HT_OK;
    *past = NULL;
    *out = ht_rectifications_get(ht_visits_room_visits(context->app->visits), look->id);
    if (*out == NULL) {
        status = ht_visits_room_past(reader, false, look->id, past);
        *out = status == HT_OK ? ht_rectifications_get(*past, look->id) : NULL;
    }
    if (*out != NULL && !is_seen(context, look, reader, *out)) {
        ht_rectification_release(*out);
        *out = NULL;
    }
    return status != HT_OK ? status : *out == NULL ? HT_NOT_FOUND : HT_OK;
}

static enum ht_status notice_write(const struct ht_look *look, struct ht_look_telling *telling,
                                   const struct ht_rectification *notice)
{
    char *text = NULL;
    if (ht__look_site_is_kept(look, telling, notice->site)) {
        return HT_OK;
    }
    enum ht_status status = ht__hazard_text(telling->reader, notice->id, &text);
    telling->any = telling->any || text != NULL;
    if (status == HT_OK) {
        ht__rectification_json(telling->json, notice, telling->personal ? text : NULL, look->at_ms);
    }
    free(text);
    return status;
}

static enum ht_status one_write(struct ht_app_context *context, const struct ht_look *look,
                                struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *past = NULL;
    const struct ht_rectification *notice = NULL;
    enum ht_status status = ht__rectification_find(context, look, telling->reader, &past, &notice);
    if (status == HT_OK && ht__look_site_is_kept(look, telling, notice->site)) {
        ht__look_kept_write(look, telling);
    } else if (status == HT_OK) {
        (void)snprintf(telling->etag, sizeof telling->etag, "%llu",
                       (unsigned long long)notice->version);
        status = notice_write(look, telling, notice);
    }
    ht_rectification_release(notice);
    ht_visits_free(past);
    return no_such(status, error);
}

static enum ht_status history_write(struct ht_app_context *context, const struct ht_look *look,
                                    struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *past = NULL;
    const struct ht_rectification *notice = NULL;
    enum ht_status status = ht__rectification_find(context, look, telling->reader, &past, &notice);
    bool kept = status == HT_OK && ht__look_site_is_kept(look, telling, notice->site);
    ht_rectification_release(notice);
    ht_visits_free(past);
    if (kept) {
        ht__look_kept_write(look, telling);
        return HT_OK;
    }
    return status == HT_OK ? ht__visit_history(telling, false, look->id, error)
                           : no_such(status, error);
}

static void one_start(struct ht_app_context *context, struct ht_http_call *call, bool history)
{
    struct ht_look *look = ht__visits_stand(context, call, "")
                               ? ht_look_begin(context, call, sizeof *look, true)
                               : NULL;
    if (look != NULL) {
        look->write = history ? history_write : one_write;
        look->collection = "rectifications";
        look->how = history ? "history" : "item";
        ht_look_start(call, look);
    }
}

void ht_rectification_get(struct ht_app_context *context, struct ht_http_call *call)
{
    one_start(context, call, false);
}

void ht_rectification_history_get(struct ht_app_context *context, struct ht_http_call *call)
{
    one_start(context, call, true);
}

/* ---- many ---- */

struct list_look {
    struct ht_look look;
    struct ht_rectification_filter filter;
};

static const char *state_word(int i)
{
    return ht_rectification_state_text((enum ht_rectification_state)i);
}

/* "7..", "..30", "7..30", "7": days since it was opened. */
static bool age_read(const char *text, int64_t now_ms, struct ht_rectification_filter *filter)
{
    char least[16];
    const char *dots = strstr(text, "..");
    size_t size = dots == NULL ? strlen(text) : (size_t)(dots - text);
    const char *most = dots == NULL ? text : dots + 2;
    int64_t days = 0;
    if (size >= sizeof least || (size == 0 && most[0] == '\0')) {
        return false;
    }
    memcpy(least, text, size);
    least[size] = '\0';
    if (size > 0) {
        if (!ht_param_number(least, 0, 36500, &days)) {
            return false;
        }
        filter->opened_to_ms = now_ms - days * DAY_MS;
    }
    if (most[0] != '\0') {
        if (!ht_param_number(most, 0, 36500, &days)) {
            return false;
        }
        filter->opened_from_ms = now_ms - (days + 1) * DAY_MS + 1;
    }
    return true;
}

#define LIST_KNOWS "site tenant inspector state overdue age limit before"

/* NULL, or what is wrong. */
static const char *list_read(struct list_look *look)
{
    const struct ht_params *params = &look->look.params;
    struct ht_rectification_filter *filter = &look->filter;
    const char *age = ht_param(params, "age");
    bool overdue = false;
    filter->site = ht_param(params, "site");
    filter->tenant = ht_param(params, "tenant");
    filter->inspector = ht_param(params, "inspector");
    filter->now_ms = look->look.at_ms;
    if (!ht__visits_words_read(ht_param(params, "state"), state_word, HT_RECTIFICATION_STATES,
                               &filter->states)) {
        return "state is open or closed";
    }
    if (!ht_param_flag(params, "overdue", &overdue)) {
        return "overdue is true or false";
    }
    if (ht_param(params, "overdue") != NULL) {
        filter->overdue = overdue ? 1 : -1;
    }
    if (age != NULL && !age_read(age, look->look.at_ms, filter)) {
        return "age is days since it was opened, like 7.. or ..30 or 7..30";
    }
    return ht__visits_page_read(&look->look, &filter->before_order);
}

static enum ht_status list_write(struct ht_app_context *context, const struct ht_look *look,
                                 struct ht_look_telling *telling, struct ht_error *error)
{
    const struct list_look *list = (const struct list_look *)look;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    struct ht_rectification_filter filter = list->filter;
    const struct ht_rectification **found =
        ht_array_new(look->limit + 1, sizeof(struct ht_rectification *));
    if (found == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (look->caller.role == HT_ROLE_DEVICE) {
        filter.unit = look->caller.unit == NULL ? "" : look->caller.unit;
    }
    size_t count = ht_rectifications_list(visits, &filter, look->limit + 1, found);
    size_t shown = count > look->limit ? look->limit : count;
    enum ht_status status = HT_OK;
    ht_json_object(telling->json);
    ht_json_key(telling->json, "rectifications");
    ht_json_array(telling->json);
    for (size_t i = 0; i < shown && status == HT_OK; i++) {
        status = notice_write(look, telling, found[i]);
    }
    ht_json_array_end(telling->json);
    if (count > shown && shown > 0) {
        ht_json_key_int(telling->json, "before", (int64_t)found[shown - 1]->order);
    }
    ht_look_withheld(telling);
    ht_json_object_end(telling->json);
    for (size_t i = 0; i < count; i++) {
        ht_rectification_release(found[i]);
    }
    free((void *)found);
    return no_such(status, error);
}

void ht_rectifications_get_list(struct ht_app_context *context, struct ht_http_call *call)
{
    struct list_look *look = ht__visits_stand(context, call, LIST_KNOWS)
                                 ? ht_look_begin(context, call, sizeof *look, false)
                                 : NULL;
    if (look == NULL) {
        return;
    }
    const char *wrong = list_read(look);
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht_look_free(look);
        return;
    }
    look->look.write = list_write;
    look->look.collection = "rectifications";
    look->look.how = "items";
    ht_look_start(call, &look->look);
}

/* ---- what is wanted ---- */

enum { WANTED_MOST = 10000 };

static enum ht_status wanted_write(struct ht_app_context *context, const struct ht_look *look,
                                   struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    struct ht_visit_wish *wishes = ht_array_new(WANTED_MOST, sizeof *wishes);
    struct ht_json *json = telling->json;
    if (wishes == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    size_t count = ht_visits_wanted(visits, look->at_ms, WANTED_MOST, wishes);
    ht_json_object(json);
    ht_json_key(json, "wanted");
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        const struct ht_visit_wish *wish = &wishes[i];
        if (ht__look_site_is_kept(look, telling, wish->notice->site)) {
            ht_rectification_release(wish->notice);
            continue;
        }
        ht_json_object(json);
        ht_json_key_text(json, "purpose", ht_visit_purpose_text(wish->purpose));
        if (wish->by != NULL) {
            ht_json_key_text(json, "by", wish->by);
        }
        if (wish->not_by != NULL) {
            ht_json_key_text(json, "not_by", wish->not_by);
        }
        if (wish->not_by_second != NULL) {
            ht_json_key_text(json, "not_by_second", wish->not_by_second);
        }
        ht_json_key(json, "rectification");
        ht__rectification_json(json, wish->notice, NULL, look->at_ms);
        ht_json_object_end(json);
        ht_rectification_release(wish->notice);
    }
    ht_json_array_end(json);
    ht_look_withheld(telling);
    ht_json_object_end(json);
    free(wishes);
    return HT_OK;
}

/* ---- sums ---- */

struct sum {
    char id[HT_ID_MAX + 1]; /* "" none */
    bool village;
    uint32_t open;
    uint32_t closed;
    uint32_t overdue;
    uint32_t reopened;
};

struct summing {
    struct ht_store_reader *reader;
    const struct ht_caller *caller;
    int64_t now_ms;
    struct sum *sums;
    size_t count;
    size_t room;
    char site[HT_ID_MAX + 1]; /* the last one that was looked up */
    char cell[HT_ID_MAX + 1];
    char village[HT_ID_MAX + 1];
    bool kept; /* it is a household, and the caller may not know */
};

static enum ht_status add(struct summing *summing, const char *id, bool village,
                          const struct ht_rectification *n)
{
    void *list = summing->sums;
    size_t i = 0;
    while (i < summing->count &&
           (summing->sums[i].village != village || strcmp(summing->sums[i].id, id) != 0)) {
        i++;
    }
    enum ht_status status =
        ht_array_reserve(&list, &summing->room, summing->count + 1, sizeof *summing->sums);
    summing->sums = list;
    if (status != HT_OK) {
        return status;
    }
    if (i == summing->count) {
        summing->sums[summing->count++] = (struct sum){.village = village};
        (void)snprintf(summing->sums[i].id, sizeof summing->sums[i].id, "%s", id);
    }
    bool open = n->state == HT_RECTIFICATION_IS_OPEN;
    summing->sums[i].open += open ? 1 : 0;
    summing->sums[i].closed += open ? 0 : 1;
    summing->sums[i].overdue += ht_rectification_is_overdue(n, summing->now_ms) ? 1 : 0;
    summing->sums[i].reopened += n->reopened > 0 ? 1 : 0;
    return HT_OK;
}

struct up {
    char kind[24];
    char parent[HT_ID_MAX + 1];
};

static enum ht_status up_take(void *user, const struct ht_store_item *item)
{
    struct up *up = user;
    struct ht_member member;
    up->kind[0] = up->parent[0] = '\0';
    if (ht_member_find(item->properties, "kind", &member)) {
        (void)ht_member_text(&member, up->kind, sizeof up->kind);
    }
    if (ht_member_find(item->properties, "parent", &member)) {
        (void)ht_member_text(&member, up->parent, sizeof up->parent);
    }
    return HT_OK;
}

/* The community or village that a cell lies in, on the way up its parents; "" none. */
static enum ht_status village_find(struct summing *summing)
{
    struct up up = {{0}, {0}};
    char at[HT_ID_MAX + 1];
    enum ht_status status = HT_OK;
    (void)snprintf(at, sizeof at, "%s", summing->cell);
    summing->village[0] = '\0';
    for (int steps = 0; steps < 8 && status == HT_OK && at[0] != '\0'; steps++) {
        status = ht_store_item(summing->reader, ht_collection_find("cells", 5), at, false, up_take,
                               &up, NULL);
        if (status == HT_OK &&
            (strcmp(up.kind, "community") == 0 || strcmp(up.kind, "village") == 0)) {
            (void)snprintf(summing->village, sizeof summing->village, "%s", at);
            return HT_OK;
        }
        (void)snprintf(at, sizeof at, "%s", up.parent);
    }
    return status == HT_NOT_FOUND ? HT_OK : status;
}

static enum ht_status site_look(struct summing *summing, const char *id)
{
    struct ht_visit_site site;
    if (strcmp(summing->site, id) == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_visit_site_find(summing->reader, id, &site, NULL);
    (void)snprintf(summing->cell, sizeof summing->cell, "%s", status == HT_OK ? site.cell : "");
    ht_visit_site_deinit(&site);
    summing->kept = ht__site_is_kept(summing->caller, summing->reader, id);
    (void)snprintf(summing->site, sizeof summing->site, "%s", id);
    status = status == HT_NOT_FOUND ? HT_OK : status;
    return status == HT_OK ? village_find(summing) : status;
}

static int by_site(const void *a, const void *b)
{
    const struct ht_rectification *const *left = a;
    const struct ht_rectification *const *right = b;
    return strcmp((*left)->site, (*right)->site);
}

static void sums_write(struct ht_json *json, const struct summing *summing, bool village)
{
    ht_json_array(json);
    for (size_t i = 0; i < summing->count; i++) {
        const struct sum *sum = &summing->sums[i];
        if (sum->village != village) {
            continue;
        }
        ht_json_object(json);
        ht_json_key(json, village ? "village" : "cell");
        if (sum->id[0] == '\0') {
            ht_json_null(json);
        } else {
            ht_json_text(json, sum->id);
        }
        ht_json_key_int(json, "open", sum->open);
        ht_json_key_int(json, "overdue", sum->overdue);
        ht_json_key_int(json, "closed", sum->closed);
        ht_json_key_int(json, "reopened", sum->reopened);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

enum { SUMS_MOST = 200000 };

static enum ht_status sums_gather(struct ht_visits *visits, struct summing *summing)
{
    const struct ht_rectification_filter all = {.states = 0};
    const struct ht_rectification **list =
        ht_array_new(SUMS_MOST, sizeof(struct ht_rectification *));
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = ht_rectifications_list(visits, &all, SUMS_MOST, list);
    enum ht_status status = HT_OK;
    if (count > 0) {
        qsort((void *)list, count, sizeof(struct ht_rectification *), by_site);
    }
    for (size_t i = 0; i < count; i++) {
        status = status == HT_OK ? site_look(summing, list[i]->site) : status;
        bool counts = status == HT_OK && !summing->kept;
        status = counts ? add(summing, summing->cell, false, list[i]) : status;
        status = status == HT_OK && counts ? add(summing, summing->village, true, list[i]) : status;
        ht_rectification_release(list[i]);
    }
    free((void *)list);
    return status;
}

static enum ht_status sums_answer(struct ht_app_context *context, const struct ht_look *look,
                                  struct ht_look_telling *telling, struct ht_error *error)
{
    struct summing summing = {
        .reader = telling->reader, .caller = &look->caller, .now_ms = look->at_ms};
    enum ht_status status = sums_gather(ht_visits_room_visits(context->app->visits), &summing);
    ht_json_object(telling->json);
    ht_json_key(telling->json, "cells");
    sums_write(telling->json, &summing, false);
    ht_json_key(telling->json, "villages");
    sums_write(telling->json, &summing, true);
    ht_json_object_end(telling->json);
    free(summing.sums);
    return no_such(status, error);
}

/* Sums tell nothing personal; what is wanted at homes is. */
static void plain_start(struct ht_app_context *context, struct ht_http_call *call, bool sums)
{
    if (context->caller->role == HT_ROLE_DEVICE) {
        ht_reply_problem(call->reply, 403, "Forbidden", "a unit's token sees what is its own");
        return;
    }
    struct ht_look *look = ht__visits_stand(context, call, "")
                               ? ht_look_begin(context, call, sizeof *look, false)
                               : NULL;
    if (look != NULL) {
        look->write = sums ? sums_answer : wanted_write;
        look->collection = "rectifications";
        look->how = "items";
        look->personal = look->personal && !sums;
        ht_look_start(call, look);
    }
}

void ht_rectification_sums_get(struct ht_app_context *context, struct ht_http_call *call)
{
    plain_start(context, call, true);
}

void ht_rectifications_wanted_get(struct ht_app_context *context, struct ht_http_call *call)
{
    plain_start(context, call, false);
}
