#include "api/rounds_make.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/command.h"
#include "api/http_answer.h"
#include "api/json_merge.h"
#include "engine/base/array.h"
#include "engine/base/text.h"
#include "engine/base/time.h"
#include "geodata/digest.h"

enum {
    NICE = 10,
    LIMIT_MS = 8000,        /* of a search, where nothing is said */
    AGAIN_LIMIT_MS = 1200,  /* of a re-plan's, which has a plan to begin with */
    ITERATIONS = 4000,      /* likewise, and */
    ITERATIONS_EACH = 40,   /* for a visit */
    STEP_ITERATIONS = 2000, /* in lockstep, where no time ends it, and */
    STEP_EACH = 10,
    AGAINS_MOST = 1000,
};

/* ---- refusals ---- */

bool ht__round_deny(struct ht_reply *reply, int code, const char *detail)
{
    ht_reply_problem(reply, code, ht_http_status_text(code), detail);
    return false;
}

bool ht__round_refuse_all(struct ht_reply *reply, enum ht_status status,
                          const struct ht_round_wrongs *wrongs)
{
    int code = status == HT_SYNTAX    ? 400
               : status == HT_TOO_BIG ? 413
               : status == HT_INVALID ? 422
                                      : 503;
    struct ht_buffer *body = &reply->body;
    (void)ht__round_deny(reply, code,
                         wrongs->count > 0 ? wrongs->list[0].detail : ht_status_text(status));
    if (wrongs->count > 0 && !body->failed && body->size > 0 && body->data[body->size - 1] == '}') {
        body->size--; /* within the object */
        struct ht_json json = {.out = body, .comma = true};
        ht_json_key(&json, "errors");
        ht_round_wrongs_write(wrongs, &json);
        ht_json_object_end(&json);
    }
    return false;
}

bool ht__round_deny_status(struct ht_reply *reply, enum ht_status status,
                           const struct ht_error *error)
{
    struct ht_error told = *error;
    told.status = status == HT_EMPTY ? HT_INVALID : status;
    ht_reply_status(reply, &told);
    return false;
}

/* ---- the search ---- */

static unsigned cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

/* What the thread of low priority works with. */
struct low {
    struct ht_app_context *context;
    struct ht_store_reader *reader;
    struct ht__round_making *making;
    enum ht_status status;
    struct ht_error error;
};

static enum ht_status search(struct low *low)
{
    struct ht__round_making *making = low->making;
    uint64_t visits = 0;
    for (uint32_t i = 0; i < making->scene.site_count; i++) {
        const struct ht_rounds_site *site = &making->scene.plan_sites[i];
        for (uint32_t n = 0; n < site->need_count; n++) {
            visits += site->needs[n].visits;
        }
    }
    const struct ht_round_again *last =
        making->again ? &making->agains[making->again_count - 1] : NULL;
    uint32_t limit_ms = last == NULL ? making->ask.limit_ms : last->limit_ms;
    uint32_t iterations = last == NULL ? making->ask.iterations : last->iterations;
    bool lockstep = atomic_load(&low->context->app->lockstep);
    const struct ht_rounds_options options = {
        .limit_ms = limit_ms > 0   ? limit_ms
                    : lockstep     ? 0 /* the machine's time says nothing then */
                    : last == NULL ? LIMIT_MS
                                   : AGAIN_LIMIT_MS,
        .iterations = iterations > 0 ? iterations
                      : lockstep     ? STEP_ITERATIONS + STEP_EACH * visits
                                     : ITERATIONS + ITERATIONS_EACH * visits,
        .seed = making->ask.seed,
        .cancel = making->cancel != NULL ? making->cancel : &making->gone,
        .enough = &low->context->app->rounds_enough};
    return ht_rounds_run(&making->scene.problem, &options, &making->plan, &low->error);
}

static struct ht_round_before before_of(const struct ht__round_making *making)
{
    return (struct ht_round_before){.visits = making->record.visits,
                                    .visit_count = making->record.visit_count,
                                    .owners = making->record.owners,
                                    .owner_count = making->record.owner_count};
}

static void *low_run(void *user)
{
    struct low *low = user;
    struct ht__round_making *making = low->making;
    const struct ht_round_before before = before_of(making);
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's */
    const struct ht_round_making scene = {.context = low->context,
                                          .reader = low->reader,
                                          .world = ht_world_reader_get(&low->context->world),
                                          .ask = &making->ask,
                                          .round = making->id,
                                          .agains = making->agains,
                                          .again_count = making->again_count,
                                          .crs = &making->crs,
                                          .before = making->again ? &before : NULL,
                                          .since_ms = making->since_ms,
                                          .cancel = making->cancel != NULL ? making->cancel
                                                                           : &making->gone,
                                          .wrongs = &making->wrongs};
    low->status = scene.world == NULL ? ht_error_set(&low->error, HT_IO, 0, "no network is open")
                                      : ht_round_scene_make(&scene, &making->scene, &low->error);
    ht_world_reader_rest(&low->context->world);
    if (low->status == HT_OK) {
        low->status = search(low);
    }
    return NULL;
}

/* A thread of its own, since its low priority can't be taken back. The worker waits meanwhile, so
 * its reader and its view of the world may be used by that thread. */
static bool low_start(struct ht_app_context *context, struct ht__round_making *making,
                      struct ht_reply *reply)
{
    pthread_t thread;
    struct low low = {.context = context, .reader = context->reader, .making = making};
    if (pthread_create(&thread, NULL, low_run, &low) != 0) {
        return ht__round_deny(reply, 503, "no thread to plan with");
    }
    (void)pthread_join(thread, NULL);
    return low.status == HT_OK || ht__round_deny_status(reply, low.status, &low.error);
}

/* So many at a time that a worker stays for others; who has a thread of its own takes none. */
static bool plan_make(struct ht_app_context *context, struct ht__round_making *making,
                      struct ht_reply *reply)
{
    unsigned most = cores() > 1 ? cores() - 1 : 1;
    bool good = false;
    if (making->cancel != NULL) {
        return low_start(context, making, reply);
    }
    if (atomic_fetch_add(&context->app->solving, 1) < most) {
        good = low_start(context, making, reply);
    } else {
        (void)ht__round_deny(reply, 503, "others are being planned for; try again");
    }
    atomic_fetch_sub(&context->app->solving, 1);
    return good;
}

/* ---- the record ---- */

static void again_write(const struct ht__round_making *making, struct ht_json *json)
{
    yajl_val list = ht_json_member(making->record.tree, "again");
    struct ht_text text = {0};
    ht_json_key(json, "again");
    ht_json_array(json);
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        ht_text_clear(&text);
        ht_json_tree_write(&text, list->u.array.values[i]);
        ht_json_raw(json, ht_text_string(&text), text.size);
    }
    if (making->again && making->said.body_size > 0) {
        ht_json_raw(json, making->said.body, making->said.body_size);
    }
    ht_json_array_end(json);
    json->out->failed = json->out->failed || text.failed;
    ht_text_deinit(&text);
}

static void request_write(const struct ht__round_making *making, struct ht_json *json)
{
    struct ht_text text = {0};
    ht_json_key(json, "request");
    if (making->again) {
        ht_json_tree_write(&text, ht_json_member(making->record.tree, "request"));
        ht_json_raw(json, ht_text_string(&text), text.size);
    } else {
        ht_json_raw(json, making->said.body, making->said.body_size);
    }
    json->out->failed = json->out->failed || text.failed;
    ht_text_deinit(&text);
    ht_json_key_text(json, "crs", making->crs_name);
}

static enum ht_status record_make(struct ht__round_making *making)
{
    struct ht_json json;
    const struct ht_round_before before = before_of(making);
    const struct ht_round_goal goal = {.scene = &making->scene,
                                       .plan = making->plan,
                                       .before = making->again ? &before : NULL,
                                       .tours = making->record.tours,
                                       .tour_count = making->record.tour_count,
                                       .since_ms = making->since_ms,
                                       .round = making->id,
                                       .next = making->again ? making->record.next : 1};
    enum ht_status status = ht_round_result_make(&goal, &making->result);
    if (status != HT_OK) {
        return status;
    }
    ht_json_begin(&json, &making->body);
    ht_json_object(&json);
    request_write(making, &json);
    again_write(making, &json);
    ht_json_key_int(&json, "next", making->result.next);
    ht_round_result_write(&goal, &making->result, &making->wrongs, &json);
    ht_json_object_end(&json);
    if (making->body.failed) {
        return HT_NOMEM;
    }
    struct ht_round_record *made = &making->made;
    (void)snprintf(made->id, sizeof made->id, "%s", making->id);
    made->collection = making->ask.collection;
    made->from_ms = ht_round_moment(&making->scene.days, 0, 0);
    made->to_ms = ht_round_moment(&making->scene.days, making->scene.days.count, 0);
    made->made_ms = making->again ? making->record.made_ms : making->said.at_ms;
    made->changed_ms = making->said.at_ms;
    made->number = making->record.number;
    made->version = making->again ? making->record.version + 1 : 1;
    status = ht_round_record_read(making->body.data, making->body.size, made);
    ht_buffer_append(&making->body, "", 1);
    return making->body.failed ? HT_NOMEM : status;
}

/* ---- prepare ---- */

/* The coordinate system of the request, or of the one that the round began with. */
static bool crs_read(struct ht_app_context *context, struct ht__round_making *making,
                     struct ht_reply *reply)
{
    const char *name = making->said.crs;
    const char *before = YAJL_GET_STRING(ht_json_member(making->record.tree, "crs"));
    name = name != NULL ? name : before != NULL ? before : "";
    (void)snprintf(making->crs_name, sizeof making->crs_name, "%s", name);
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        return ht__round_deny(reply, 503, "out of memory");
    }
    if (ht_crs_parse(name, strlen(name), &making->crs) != HT_OK ||
        ht_crs_check(context->crs, &making->crs, NULL) != HT_OK) {
        return ht__round_deny(reply, 400, "crs is not a coordinate system that is known here");
    }
    return true;
}

static enum ht_status id_make(struct ht__round_making *making)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char chance[8];
    if (making->ask.id != NULL) {
        (void)snprintf(making->id, sizeof making->id, "%s", making->ask.id);
        return HT_OK;
    }
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    if (status == HT_OK) {
        memcpy(making->id, "round-", 6);
        for (size_t i = 0; i < sizeof chance; i++) {
            making->id[6 + i] = letters[chance[i] % 32];
        }
        making->id[6 + sizeof chance] = '\0';
    }
    return status;
}

/* From when on there can be new visits; false: never. */
static bool since_find(struct ht__round_making *making, int64_t now_ms, int64_t from_ms,
                       struct ht_reply *reply)
{
    struct ht_round_days days = {.calendar = NULL};
    char text[HT_TIME_TEXT_SIZE];
    making->since_ms = from_ms < now_ms ? now_ms : from_ms;
    ht_round_days_init(&days, making->ask.from_ms, making->ask.weeks, making->since_ms);
    if (days.first_day >= days.count) {
        static const char over[] = "the days of this round are over";
        (void)ht__round_deny(reply, 422, over);
        ht_reply_where(reply, making->again ? "" : "/from", 0, over);
        return false;
    }
    int32_t time_s = 0;
    if (ht_round_day_of(&days, now_ms, &time_s) > ht_round_day_of(&days, from_ms, &time_s)) {
        ht_time_format(days.begin_local_ms + days.first_day * INT64_C(86400000), text);
        ht_round_wrong_add(&making->wrongs, "/from", "from is in the past; planned from %.10s on",
                           text);
    }
    return true;
}

static bool solve(struct ht_app_context *context, struct ht__round_making *making,
                  struct ht_reply *reply)
{
    if (!plan_make(context, making, reply)) {
        return false;
    }
    enum ht_status status = record_make(making);
    return status == HT_OK || ht__round_deny(reply, 503, ht_status_text(status));
}

bool ht__round_prepare(struct ht_app_context *context, struct ht__round_making *making,
                       struct ht_reply *reply)
{
    if (ht_app_reader(context, reply) == NULL || !crs_read(context, making, reply)) {
        return false;
    }
    enum ht_status status =
        ht_round_ask_read(making->said.body, making->said.body_size, &making->ask, &making->wrongs);
    if (status != HT_OK) {
        return ht__round_refuse_all(reply, status, &making->wrongs);
    }
    ht_round_ask_members(&making->ask, &making->wrongs);
    if (id_make(making) != HT_OK) {
        return ht__round_deny(reply, 503, "no id by chance can be had");
    }
    return since_find(making, making->said.at_ms, making->ask.from_ms, reply) &&
           solve(context, making, reply);
}

/* ---- prepare a re-plan ---- */

static enum ht_status ask_again(struct ht__round_making *making)
{
    struct ht_text text = {0};
    struct ht_round_wrongs wrongs = {.list = NULL};
    ht_json_tree_write(&text, ht_json_member(making->record.tree, "request"));
    enum ht_status status =
        text.failed ? HT_NOMEM
                    : ht_round_ask_read(ht_text_string(&text), text.size, &making->ask, &wrongs);
    ht_text_deinit(&text);
    ht_round_wrongs_deinit(&wrongs);
    return status;
}

static enum ht_status agains_read(struct ht__round_making *making)
{
    yajl_val list = ht_json_member(making->record.tree, "again");
    size_t before = YAJL_IS_ARRAY(list) ? list->u.array.len : 0;
    struct ht_text text = {0};
    struct ht_round_wrongs unsaid = {.list = NULL};
    enum ht_status status = HT_OK;
    if (before >= AGAINS_MOST) {
        ht_round_wrong_add(&making->wrongs, "", "a round is re-planned %d times at most",
                           (int)AGAINS_MOST);
        return HT_INVALID;
    }
    making->agains = ht_array_new_zeroed(before + 1, sizeof *making->agains);
    if (making->agains == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < before && status == HT_OK; i++) {
        ht_text_clear(&text);
        ht_json_tree_write(&text, list->u.array.values[i]);
        status = text.failed ? HT_NOMEM
                             : ht_round_again_read(ht_text_string(&text), text.size,
                                                   &making->agains[making->again_count++], &unsaid);
    }
    if (status == HT_OK) {
        status = ht_round_again_read(making->said.body, making->said.body_size,
                                     &making->agains[making->again_count++], &making->wrongs);
    }
    if (status == HT_OK) {
        status = ht_round_again_members(&making->agains[before], &making->wrongs);
    }
    ht_round_wrongs_deinit(&unsaid);
    ht_text_deinit(&text);
    return status;
}

/* Leave of somebody who is not there would be no leave: those who are named have to be. */
static enum ht_status names_check(struct ht__round_making *making, struct ht_store_reader *reader)
{
    const struct ht_round_again *again = &making->agains[making->again_count - 1];
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < again->inspector_count && status == HT_OK; i++) {
        bool van = false;
        const char *id = again->inspectors[i].id;
        enum ht_status found = ht__round_unit_look(reader, id, &van);
        status = found == HT_NOT_FOUND || found == HT_OK ? HT_OK : found;
        if (found == HT_NOT_FOUND || van) {
            char pointer[40];
            (void)snprintf(pointer, sizeof pointer, "/inspectors/%zu", i);
            ht_round_wrong_add(&making->wrongs, pointer,
                               van ? "unit %.64s is a van, no inspector" : "there is no unit %.64s",
                               id);
        }
    }
    return status == HT_OK && making->wrongs.count > 0 ? HT_INVALID : status;
}

bool ht__round_prepare_again(struct ht_app_context *context, struct ht__round_making *making,
                             struct ht_reply *reply)
{
    struct ht_error error = {0};
    const bool *cancel = making->cancel != NULL ? making->cancel : &making->gone;
    if (!ht_round_turn_take(&making->turn, context->app, making->id, cancel)) {
        return ht__round_deny(reply, 503, "nobody waits for it any more");
    }
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    enum ht_status status = ht_round_record_get(reader, making->id, &making->record, &error);
    if (status != HT_OK) {
        return ht__round_deny_status(reply, status, &error);
    }
    if (making->record.withdrawn_ms != 0) {
        return ht__round_deny(reply, 409, "the round was withdrawn");
    }
    if (!crs_read(context, making, reply)) {
        return false;
    }
    status = agains_read(making);
    status = status == HT_OK ? names_check(making, reader) : status;
    if (status != HT_OK) {
        return ht__round_refuse_all(reply, status, &making->wrongs);
    }
    status = ask_again(making);
    if (status == HT_OK) {
        status = ht_round_record_live(&making->record, context, reader);
    }
    if (status != HT_OK) {
        return ht__round_deny(reply, 503, ht_status_text(status));
    }
    int64_t from_ms = making->agains[making->again_count - 1].from_ms;
    from_ms = from_ms == INT64_MIN ? making->said.at_ms : from_ms;
    from_ms = from_ms < making->ask.from_ms ? making->ask.from_ms : from_ms;
    return since_find(making, making->said.at_ms, from_ms, reply) && solve(context, making, reply);
}

void ht__round_making_free(struct ht__round_making *making)
{
    if (making == NULL) {
        return;
    }
    ht_round_turn_give(&making->turn);
    for (size_t i = 0; i < making->again_count; i++) {
        ht_round_again_deinit(&making->agains[i]);
    }
    free(making->agains);
    ht_round_result_deinit(&making->result);
    ht_rounds_free(making->plan);
    ht_round_scene_deinit(&making->scene);
    ht_round_record_deinit(&making->record);
    ht_round_record_deinit(&making->made);
    ht_round_ask_deinit(&making->ask);
    ht_round_wrongs_deinit(&making->wrongs);
    ht_buffer_deinit(&making->body);
    free(making);
}
