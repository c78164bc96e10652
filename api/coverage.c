#include "api/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/ask.h"
#include "api/command.h"
#include "api/coverage_internal.h"
#include "api/http_answer.h"
#include "api/persons.h"
#include "engine/base/array.h"

enum { LIST_MOST = 20000, LIST = 100 };

struct question {
    struct ht_ask ask;
    struct ht__promise promise;
    uint32_t list; /* how many of those outside are named */
    struct ht_caller caller;
    bool personal; /* the caller may see who is frail */
    int64_t at_ms;
    uint32_t *outside; /* households, those that are listed first */
    uint32_t outside_count;
    struct ht__counts *within; /* by cell, the last of those in none */
    struct ht__counts *beyond;
    bool told_apart;        /* single households can be told to be frail */
    struct ht_buffer plain; /* the answer without that */
};

static void question_free(void *data)
{
    struct question *q = data;
    free(q->outside);
    free(q->within);
    free(q->beyond);
    ht_buffer_deinit(&q->plain);
    free(q);
}

/* --- counting --------------------------------------------------------------------------------- */

static enum ht_status count_cells(struct question *q, const struct ht_homes *homes,
                                  const uint64_t *reached)
{
    q->within = ht_array_new_zeroed(homes->cell_count + (size_t)1, sizeof *q->within);
    q->beyond = ht_array_new_zeroed(homes->cell_count + (size_t)1, sizeof *q->beyond);
    q->outside = ht_array_new(homes->count, sizeof *q->outside);
    if (q->within == NULL || q->beyond == NULL || q->outside == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < homes->count; i++) {
        bool in = (reached[i / 64] >> i % 64 & 1) != 0;
        ht__counts_add(in ? &q->within[homes->cell[i]] : &q->beyond[homes->cell[i]], homes, i);
        if (!in) {
            q->outside[q->outside_count++] = i;
        }
    }
    return HT_OK;
}

/* A household that is listed, with what it is sorted by. */
struct listed {
    const struct ht_homes *homes;
    uint32_t home;
    bool frail;
};

static int by_need(const void *left, const void *right)
{
    const struct listed *a = left;
    const struct listed *b = right;
    uint32_t residents[2] = {a->homes->residents[a->home], b->homes->residents[b->home]};
    if (a->frail != b->frail) {
        return a->frail ? -1 : 1;
    }
    if (residents[0] != residents[1]) {
        return residents[0] > residents[1] ? -1 : 1;
    }
    return strcmp(a->homes->ids[a->home], b->homes->ids[b->home]);
}

/* Those outside: frail ones first (where the answer may tell), then those of most residents. */
static enum ht_status sort_outside(struct question *q, const struct ht_homes *homes, bool frail)
{
    if (q->list == 0) {
        return HT_OK;
    }
    struct listed *list = ht_array_new(q->outside_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < q->outside_count; i++) {
        list[i] =
            (struct listed){homes, q->outside[i], frail && ht_homes_is_frail(homes, q->outside[i])};
    }
    if (q->outside_count > 0) {
        qsort(list, q->outside_count, sizeof *list, by_need);
    }
    for (uint32_t i = 0; i < q->outside_count; i++) {
        q->outside[i] = list[i].home;
    }
    free(list);
    return HT_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void cells_write(const struct question *q, const struct ht_homes *homes, bool frail,
                        struct ht_json *json)
{
    ht_json_key(json, "cells");
    ht_json_array(json);
    for (uint32_t c = 0; c <= homes->cell_count; c++) {
        if (q->within[c].households + q->beyond[c].households == 0) {
            continue;
        }
        ht_json_object(json);
        ht_json_key(json, "cell");
        if (c < homes->cell_count) {
            ht_json_text(json, homes->cells[c]);
        } else {
            ht_json_null(json);
        }
        ht__counts_write(json, "covered", &q->within[c], frail);
        ht__counts_write(json, "uncovered", &q->beyond[c], frail);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static enum ht_status outside_write(struct ht_app_context *context, const struct question *q,
                                    const struct ht_homes *homes, bool frail, struct ht_json *json)
{
    enum ht_status status = HT_OK;
    ht_json_key(json, "outside");
    ht_json_array(json);
    for (uint32_t i = 0; i < q->outside_count && i < q->list && status == HT_OK; i++) {
        uint32_t home = q->outside[i];
        double pair[1][2] = {{homes->points[home].lon_e7 / 1e7, homes->points[home].lat_e7 / 1e7}};
        if (!ht_crs_plain(&q->ask.out_crs)) {
            status = ht_crs_from_wgs84(context->crs, &q->ask.out_crs, pair, 1);
        }
        ht_json_object(json);
        ht_json_key_text(json, "household", homes->ids[home]);
        ht_json_key_double(json, "lon", pair[0][0], 7);
        ht_json_key_double(json, "lat", pair[0][1], 7);
        ht_json_key_int(json, "residents", homes->residents[home]);
        if (homes->cell[home] < homes->cell_count) {
            ht_json_key_text(json, "cell", homes->cells[homes->cell[home]]);
        }
        if (frail) {
            ht_json_key_bool(json, "frail", ht_homes_is_frail(homes, home));
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
    return status;
}

static enum ht_status answer_write(struct ht_app_context *context, struct question *q,
                                   const struct ht__town *town, bool frail, struct ht_buffer *out)
{
    struct ht_json json;
    struct ht__counts within = {0};
    struct ht__counts beyond = {0};
    for (uint32_t c = 0; c <= town->homes->cell_count; c++) {
        within.households += q->within[c].households;
        within.residents += q->within[c].residents;
        within.frail += q->within[c].frail;
        beyond.households += q->beyond[c].households;
        beyond.residents += q->beyond[c].residents;
        beyond.frail += q->beyond[c].frail;
    }
    enum ht_status status = sort_outside(q, town->homes, frail);
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht__promise_write(&json, &q->promise);
    ht_json_key_int(&json, "units", (int64_t)town->places.count);
    ht_json_key_int(&json, "units_without_place", (int64_t)town->places.placeless);
    ht__counts_write(&json, "covered", &within, frail);
    ht__counts_write(&json, "uncovered", &beyond, frail);
    cells_write(q, town->homes, frail, &json);
    if (status == HT_OK) {
        status = outside_write(context, q, town->homes, frail, &json);
    }
    if (q->personal && !frail) {
        ht_json_key_text(&json, "personal", "withheld");
    }
    ht_json_object_end(&json);
    return status;
}

/* Whether somebody who reads the answer knows of one household that it is frail. */
static bool tells_apart(const struct question *q, const struct ht_homes *homes)
{
    bool apart = q->list > 0 && q->outside_count > 0;
    for (uint32_t c = 0; c <= homes->cell_count; c++) {
        apart = apart || (q->within[c].frail > 0 && q->within[c].frail == q->within[c].households);
        apart = apart || (q->beyond[c].frail > 0 && q->beyond[c].frail == q->beyond[c].households);
    }
    return apart;
}

static enum ht_status crs_ready(struct ht_app_context *context, const struct question *q)
{
    enum ht_status status = context->crs == NULL && !ht_crs_plain(&q->ask.out_crs)
                                ? ht_crs_work_new(&context->crs)
                                : HT_OK;
    if (status == HT_OK && !ht_crs_plain(&q->ask.out_crs) &&
        ht_crs_check(context->crs, &q->ask.out_crs, NULL) != HT_OK) {
        status = HT_RANGE;
    }
    return status;
}

/* True: the answer waits for its event. */
static bool coverage_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct question *q = data;
    struct ht__town town = {0};
    enum ht_status status = crs_ready(context, q);
    if (status == HT_OK && !ht__town_open(context, q->ask.nobody ? NULL : &q->ask.live.filter,
                                          &q->promise, &town, reply)) {
        ht__town_close(&town);
        return false;
    }
    bool frail = q->personal && context->app->commit != NULL;
    if (status == HT_OK) {
        status = count_cells(q, town.homes, ht_coverage_all(context->coverage));
    }
    if (status == HT_OK) {
        q->told_apart = frail && tells_apart(q, town.homes);
        status = answer_write(context, q, &town, frail, &reply->body);
    }
    if (status == HT_OK && q->told_apart) {
        status = answer_write(context, q, &town, false, &q->plain);
    }
    ht__town_close(&town);
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        if (status == HT_RANGE) {
            ht_ask_refuse(reply, "places don't fit into out_crs, or it is not known");
        } else {
            ht__coverage_refuse(reply, status);
        }
        return false;
    }
    return q->told_apart;
}

static void coverage_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = coverage_run(user, data, reply);
    (void)note;
}

static void coverage_note(void *user, void *data, struct ht_reply *reply)
{
    const struct question *q = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "coverage",
                                         .limit = q->list,
                                         .caller = &q->caller,
                                         .at_ms = q->at_ms,
                                         .plain = &q->plain};
    ht_persons_note(user, &read, reply);
}

static void coverage_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct question *q = data;
    (void)user;
    (void)why;
    ht_reply_reset(reply);
    ht_buffer_append(&reply->body, q->plain.data, q->plain.size);
}

/* --- the loop's part -------------------------------------------------------------------------- */

/* NULL, or what is wrong. */
static const char *question_read(struct ht_app_context *context, struct question *q,
                                 const struct ht_params *params)
{
    const char *list = ht_param(params, "limit");
    int64_t number = LIST;
    q->ask = ht_ask_read(context, params, HT_DUTY_ON);
    if (q->ask.wrong != NULL || q->ask.wrong_unit != NULL) {
        return q->ask.wrong != NULL ? q->ask.wrong : q->ask.wrong_unit;
    }
    const char *wrong = ht__promise_read(context, params, 0, &q->ask, &q->promise);
    if (wrong != NULL) {
        return wrong;
    }
    if (list != NULL && !ht_param_number(list, 0, LIST_MOST, &number)) {
        return "limit is a whole number up to 20000";
    }
    if (ht_param(params, "status") == NULL) {
        q->ask.live.filter.statuses = UINT32_C(1) << HT_UNIT_IDLE;
    }
    q->list = (uint32_t)number;
    return NULL;
}

void ht_coverage_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    struct question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    if (ht_params_of(&params, call->request) != HT_OK) {
        question_free(q);
        ht_ask_refuse(call->reply, "the query is not well encoded");
        return;
    }
    const char *wrong = question_read(context, q, &params);
    ht_params_deinit(&params);
    if (wrong != NULL) {
        question_free(q);
        ht_ask_refuse(call->reply, wrong);
        return;
    }
    q->caller = *context->caller;
    q->at_ms = ht_clock_now_ms(&context->app->clock);
    q->personal = ht_access_personal(&q->caller);
    call->job = q->personal && context->app->commit != NULL
                    ? (struct ht_http_job){.prepare = coverage_run,
                                           .run = coverage_note,
                                           .lost = coverage_withheld,
                                           .writes = true}
                    : (struct ht_http_job){.run = coverage_plain};
    call->job.free = question_free;
    call->job.data = q;
}
