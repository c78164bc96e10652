#include "api/rounds_errands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app_internal.h"
#include "api/rounds_internal.h"
#include "api/rounds_result.h"
#include "api/visit_site.h"
#include "api/visits_room.h"
#include "api/writer_act.h"
#include "engine/base/time.h"

enum { LIMIT_MS = 1500, ITERATIONS = 2000, WEEKS_LEAST = 2 };

#define WEEK_MS INT64_C(604800000)

/* What is wanted in one collection. */
struct errands {
    struct ht_app_context *context;
    const struct ht_visit_wish *wishes;
    const struct ht_collection *const *of; /* by wish; NULL: it is taken, or nowhere */
    size_t count;
    const struct ht_collection *collection;
    int64_t now_ms;
    const bool *cancel;
    struct ht_round_ask ask;
    struct ht_round_wrongs wrongs; /* of the registry; nobody asked */
    struct ht_round_scene scene;
    struct ht_rounds_plan *plan;
    struct ht_round_result result;
    struct ht_visits_decision *decision;
};

/* ---- what is asked ---- */

/* To the last date, and two weeks where there is none. */
static uint32_t weeks_of(const struct errands *e)
{
    int64_t weeks = WEEKS_LEAST;
    for (size_t i = 0; i < e->count; i++) {
        int64_t left_ms = e->wishes[i].by_ms - e->now_ms;
        if (e->of[i] == e->collection && left_ms / WEEK_MS + 1 > weeks) {
            weeks = left_ms / WEEK_MS + 1;
        }
    }
    return weeks > HT_ROUND_WEEKS_MOST ? HT_ROUND_WEEKS_MOST : (uint32_t)weeks;
}

static enum ht_status ask_make(struct errands *e)
{
    struct ht_buffer text = {0};
    struct ht_json json;
    char now[HT_TIME_TEXT_SIZE];
    ht_time_format(e->now_ms, now);
    ht_json_begin(&json, &text);
    ht_json_object(&json);
    ht_json_key_text(&json, "from", now);
    ht_json_key_int(&json, "weeks", weeks_of(e));
    ht_json_key_text(&json, "collection", e->collection->name);
    ht_json_key_bool(&json, "tenants", strcmp(e->collection->name, "factories") == 0);
    ht_json_key_int(&json, "visits_per_week", 0);
    ht_json_key(&json, "sites");
    ht_json_array(&json);
    for (size_t i = 0; i < e->count; i++) {
        if (e->of[i] == e->collection) { /* one that comes twice counts once */
            ht_json_text(&json, e->wishes[i].notice->site);
        }
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    enum ht_status status =
        text.failed ? HT_NOMEM : ht_round_ask_read(text.data, text.size, &e->ask, &e->wrongs);
    ht_buffer_deinit(&text);
    return status;
}

/* ---- the plan ---- */

static enum ht_status search(struct errands *e)
{
    struct ht_error error = {0};
    bool lockstep = atomic_load(&e->context->app->lockstep);
    const struct ht_rounds_options options = {.limit_ms = lockstep ? 0 : LIMIT_MS,
                                              .iterations = ITERATIONS,
                                              .seed = e->ask.seed,
                                              .cancel = e->cancel,
                                              .enough = &e->context->app->rounds_enough};
    return ht_rounds_run(&e->scene.problem, &options, &e->plan, &error);
}

static enum ht_status plan_make(struct errands *e)
{
    struct ht_app_context *context = e->context;
    struct ht_error error = {0};
    char id[HT_VISIT_ID_MAX + 1];
    const struct ht_round_making making = {.context = context,
                                           .reader = context->reader,
                                           .world = ht_world_reader_get(&context->world),
                                           .ask = &e->ask,
                                           .since_ms = e->now_ms,
                                           .errands = true,
                                           .cancel = e->cancel,
                                           .wrongs = &e->wrongs};
    enum ht_status status =
        making.world == NULL ? HT_IO : ht_round_scene_make(&making, &e->scene, &error);
    ht_world_reader_rest(&context->world);
    status = status == HT_OK ? search(e) : status;
    status = status == HT_OK ? ht_visits_room_id("v", id) : status;
    const struct ht_round_goal goal = {
        .scene = &e->scene, .plan = e->plan, .since_ms = e->now_ms, .round = id, .next = 1};
    return status == HT_OK ? ht_round_result_make(&goal, &e->result) : status;
}

/* ---- on the writer's thread ---- */

static enum ht_status plan_run(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                               struct ht_error *error)
{
    struct errands *e = user;
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_planning planning = {
        .rows = e->result.rows, .count = e->result.row_count, .now_ms = e->now_ms};
    enum ht_status status =
        e->scene.personal ? ht__round_homes_note(tx, e->now_ms, "rounds", error) : HT_OK;
    if (status == HT_OK) {
        status = ht_visits_plan(ht_visits_room_visits(room), &planning, &e->decision, error);
    }
    if (status == HT_OK) {
        status = ht_visits_room_write(room, tx, e->decision, "rounds", NULL, error);
    }
    if (status != HT_OK && e->decision != NULL) {
        ht_visits_take_back(ht_visits_room_visits(room), e->decision);
        e->decision = NULL;
    }
    return status;
}

static void plan_done(void *user, enum ht_status outcome)
{
    struct errands *e = user;
    struct ht_visits *visits = ht_visits_room_visits(e->context->app->visits);
    if (outcome == HT_OK) {
        ht_visits_apply(visits, e->decision);
    } else {
        ht_visits_drop(visits, e->decision);
    }
    e->decision = NULL;
}

/* ---- one collection, all of them ---- */

static enum ht_status errands_plan(struct errands *e)
{
    const struct ht_writer_act act = {plan_run, plan_done, e};
    enum ht_status status = ask_make(e);
    if (status == HT_OK) {
        status = plan_make(e);
    }
    if (status == HT_OK && e->result.row_count > 0) {
        status = ht_writer_do(e->context->app, &act, NULL);
    }
    ht_round_result_deinit(&e->result);
    ht_rounds_free(e->plan);
    ht_round_scene_deinit(&e->scene);
    ht_round_wrongs_deinit(&e->wrongs);
    ht_round_ask_deinit(&e->ask);
    return status;
}

static const struct ht_collection *collection_of(struct ht_store_reader *reader, const char *id)
{
    struct ht_visit_site site;
    enum ht_status status = ht_visit_site_find(reader, id, &site, NULL);
    const struct ht_collection *collection = status == HT_OK ? site.collection : NULL;
    ht_visit_site_deinit(&site);
    return collection;
}

bool ht__round_errands_plan(struct ht_app_context *context, const struct ht_visit_wish *wishes,
                            const bool *taken, size_t count, const bool *cancel)
{
    static const char *const names[] = {"factories", "facilities", "households"};
    const struct ht_collection **of = calloc(count + 1, sizeof(const struct ht_collection *));
    size_t wanted = 0;
    bool good = of != NULL && (context->crs != NULL || ht_crs_work_new(&context->crs) == HT_OK);
    for (size_t i = 0; i < count && good; i++) {
        of[i] = taken[i] ? NULL : collection_of(context->reader, wishes[i].notice->site);
        wanted += of[i] != NULL ? 1 : 0;
    }
    for (size_t n = 0; n < sizeof names / sizeof names[0] && good && wanted > 0; n++) {
        struct errands e = {.context = context,
                            .wishes = wishes,
                            .of = of,
                            .count = count,
                            .collection = ht_collection_find(names[n], strlen(names[n])),
                            .now_ms = ht_clock_now_ms(&context->app->clock),
                            .cancel = cancel};
        size_t here = 0;
        for (size_t i = 0; i < count && e.collection != NULL; i++) {
            here += of[i] == e.collection ? 1 : 0;
        }
        enum ht_status status = here == 0 ? HT_OK : errands_plan(&e);
        good = status != HT_BUSY && status != HT_NOMEM && status != HT_CANCELLED;
    }
    free((void *)of);
    return good;
}
