#include "api/rounds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/command.h"
#include "api/http_answer.h"
#include "api/json_merge.h"
#include "api/rounds_internal.h"
#include "api/visits_room.h"
#include "engine/base/array.h"
#include "engine/base/text.h"
#include "engine/base/time.h"
#include "geodata/digest.h"

enum {
    NICE = 10,
    LIMIT_MS = 10000,     /* of a search, where nothing is said */
    ITERATIONS = 4000,    /* likewise, and */
    ITERATIONS_EACH = 40, /* for a visit */
    AGAINS_MOST = 1000,
};

/* One plan on its way. */
struct making {
    bool gone; /* set by the loop while a worker is at it: read and written atomically */
    bool again;
    char id[HT_ID_MAX + 1];
    struct ht_crs crs;
    char crs_name[64]; /* as it came */
    struct ht_round_ask ask;
    struct ht_round_wrongs wrongs;
    struct ht_round_record record; /* of a re-plan */
    struct ht_round_again *agains; /* those that were, and this one */
    size_t again_count;
    int64_t since_ms;
    struct ht_round_scene scene;
    struct ht_rounds_plan *plan;
    struct ht_round_result result;
    struct ht_buffer body;       /* of the record that will be, NUL-terminated */
    struct ht_round_record made; /* the same, read */
    struct ht_visits_decision *decision;
};

/* ---- refusals ---- */

static bool refuse(struct ht_reply *reply, int code, const char *detail)
{
    ht_reply_problem(reply, code, ht_http_status_text(code), detail);
    return false;
}

/* All that is wrong, each with its place. */
static bool refuse_all(struct ht_reply *reply, enum ht_status status,
                       const struct ht_round_wrongs *wrongs)
{
    int code = status == HT_SYNTAX    ? 400
               : status == HT_TOO_BIG ? 413
               : status == HT_INVALID ? 422
                                      : 503;
    struct ht_buffer *body = &reply->body;
    (void)refuse(reply, code, wrongs->count > 0 ? wrongs->list[0].detail : ht_status_text(status));
    if (wrongs->count > 0 && !body->failed && body->size > 0 && body->data[body->size - 1] == '}') {
        body->size--; /* within the object */
        struct ht_json json = {.out = body, .comma = true};
        ht_json_key(&json, "errors");
        ht_round_wrongs_write(wrongs, &json);
        ht_json_object_end(&json);
    }
    return false;
}

static bool refuse_status(struct ht_reply *reply, enum ht_status status,
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
    struct making *making;
    enum ht_status status;
    struct ht_error error;
};

static enum ht_status search(struct low *low)
{
    struct making *making = low->making;
    uint64_t visits = 0;
    for (uint32_t i = 0; i < making->scene.site_count; i++) {
        const struct ht_rounds_site *site = &making->scene.plan_sites[i];
        for (uint32_t n = 0; n < site->need_count; n++) {
            visits += site->needs[n].visits;
        }
    }
    const struct ht_rounds_options options = {
        .limit_ms = making->ask.limit_ms > 0 ? making->ask.limit_ms : LIMIT_MS,
        .iterations = making->ask.iterations > 0 ? making->ask.iterations
                                                 : ITERATIONS + ITERATIONS_EACH * visits,
        .seed = making->ask.seed,
        .cancel = &making->gone,
        .enough = &low->context->app->rounds_enough};
    return ht_rounds_run(&making->scene.problem, &options, &making->plan, &low->error);
}

static struct ht_round_before before_of(const struct making *making)
{
    return (struct ht_round_before){.visits = making->record.visits,
                                    .visit_count = making->record.visit_count,
                                    .owners = making->record.owners,
                                    .owner_count = making->record.owner_count};
}

static void *low_run(void *user)
{
    struct low *low = user;
    struct making *making = low->making;
    const struct ht_round_before before = before_of(making);
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's */
    const struct ht_round_making scene = {.context = low->context,
                                          .reader = low->reader,
                                          .world = ht_world_reader_get(&low->context->world),
                                          .ask = &making->ask,
                                          .agains = making->agains,
                                          .again_count = making->again_count,
                                          .crs = &making->crs,
                                          .before = making->again ? &before : NULL,
                                          .since_ms = making->since_ms,
                                          .cancel = &making->gone,
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
static bool plan_make(struct ht_app_context *context, struct making *making, struct ht_reply *reply)
{
    pthread_t thread;
    unsigned most = cores() > 1 ? cores() - 1 : 1;
    struct low low = {.context = context, .reader = context->reader, .making = making};
    if (atomic_fetch_add(&context->app->solving, 1) >= most) {
        atomic_fetch_sub(&context->app->solving, 1);
        return refuse(reply, 503, "others are being planned for; try again");
    }
    bool began = pthread_create(&thread, NULL, low_run, &low) == 0;
    if (began) {
        (void)pthread_join(thread, NULL);
    }
    atomic_fetch_sub(&context->app->solving, 1);
    if (!began) {
        return refuse(reply, 503, "no thread to plan with");
    }
    return low.status == HT_OK || refuse_status(reply, low.status, &low.error);
}

/* ---- the record ---- */

static void again_write(const struct making *making, const struct ht_command *command,
                        struct ht_json *json)
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
    if (making->again && command->body_size > 0) {
        ht_json_raw(json, command->body, command->body_size);
    }
    ht_json_array_end(json);
    json->out->failed = json->out->failed || text.failed;
    ht_text_deinit(&text);
}

static void request_write(const struct making *making, const struct ht_command *command,
                          struct ht_json *json)
{
    struct ht_text text = {0};
    ht_json_key(json, "request");
    if (making->again) {
        ht_json_tree_write(&text, ht_json_member(making->record.tree, "request"));
        ht_json_raw(json, ht_text_string(&text), text.size);
    } else {
        ht_json_raw(json, command->body, command->body_size);
    }
    json->out->failed = json->out->failed || text.failed;
    ht_text_deinit(&text);
    ht_json_key_text(json, "crs", making->crs_name);
}

static enum ht_status record_make(struct making *making, const struct ht_command *command)
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
    request_write(making, command, &json);
    again_write(making, command, &json);
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
    made->made_ms = making->again ? making->record.made_ms : command->at_ms;
    made->changed_ms = command->at_ms;
    made->number = making->record.number;
    made->version = making->again ? making->record.version + 1 : 1;
    status = ht_round_record_read(making->body.data, making->body.size, made);
    ht_buffer_append(&making->body, "", 1);
    return making->body.failed ? HT_NOMEM : status;
}

/* ---- prepare ---- */

/* The coordinate system of the request, or of the one that the round began with. */
static bool crs_read(struct ht_app_context *context, const struct ht_command *command,
                     struct making *making, struct ht_reply *reply)
{
    const char *name = ht_param(&command->query, "crs");
    const char *before = YAJL_GET_STRING(ht_json_member(making->record.tree, "crs"));
    name = name != NULL ? name : before != NULL ? before : "";
    (void)snprintf(making->crs_name, sizeof making->crs_name, "%s", name);
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        return refuse(reply, 503, "out of memory");
    }
    if (ht_crs_parse(name, strlen(name), &making->crs) != HT_OK ||
        ht_crs_check(context->crs, &making->crs, NULL) != HT_OK) {
        return refuse(reply, 400, "crs is not a coordinate system that is known here");
    }
    return true;
}

static enum ht_status id_make(struct making *making)
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
static bool since_find(struct making *making, int64_t now_ms, int64_t from_ms,
                       struct ht_reply *reply)
{
    struct ht_round_days days = {.calendar = NULL};
    char text[HT_TIME_TEXT_SIZE];
    making->since_ms = from_ms < now_ms ? now_ms : from_ms;
    ht_round_days_init(&days, making->ask.from_ms, making->ask.weeks, making->since_ms);
    if (days.first_day >= days.count) {
        static const char over[] = "the days of this round are over";
        (void)refuse(reply, 422, over);
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

static bool solve(struct ht_app_context *context, struct ht_command *command,
                  struct ht_reply *reply)
{
    struct making *making = command->parsed;
    if (!plan_make(context, making, reply)) {
        return false;
    }
    enum ht_status status = record_make(making, command);
    return status == HT_OK || refuse(reply, 503, ht_status_text(status));
}

static bool make_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct making *making = command->parsed;
    if (ht_app_reader(context, reply) == NULL || !crs_read(context, command, making, reply)) {
        return false;
    }
    enum ht_status status =
        ht_round_ask_read(command->body, command->body_size, &making->ask, &making->wrongs);
    if (status != HT_OK) {
        return refuse_all(reply, status, &making->wrongs);
    }
    if (id_make(making) != HT_OK) {
        return refuse(reply, 503, "no id by chance can be had");
    }
    return since_find(making, command->at_ms, making->ask.from_ms, reply) &&
           solve(context, command, reply);
}

/* ---- prepare a re-plan ---- */

static enum ht_status ask_again(struct making *making)
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

static enum ht_status agains_read(struct making *making, const struct ht_command *command)
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
        status = ht_round_again_read(command->body, command->body_size,
                                     &making->agains[making->again_count++], &making->wrongs);
    }
    ht_round_wrongs_deinit(&unsaid);
    ht_text_deinit(&text);
    return status;
}

static bool again_prepare(struct ht_app_context *context, struct ht_command *command,
                          struct ht_reply *reply)
{
    struct making *making = command->parsed;
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    (void)snprintf(making->id, sizeof making->id, "%s", command->params[0]);
    enum ht_status status = ht_round_record_get(reader, making->id, &making->record, &error);
    if (status != HT_OK) {
        return refuse_status(reply, status, &error);
    }
    if (!crs_read(context, command, making, reply)) {
        return false;
    }
    status = agains_read(making, command);
    if (status != HT_OK) {
        return refuse_all(reply, status, &making->wrongs);
    }
    status = ask_again(making);
    if (status == HT_OK) {
        status = ht_round_record_live(&making->record, context, reader);
    }
    if (status != HT_OK) {
        return refuse(reply, 503, ht_status_text(status));
    }
    int64_t from_ms = making->agains[making->again_count - 1].from_ms;
    from_ms = from_ms == INT64_MIN ? command->at_ms : from_ms;
    from_ms = from_ms < making->ask.from_ms ? making->ask.from_ms : from_ms;
    return since_find(making, command->at_ms, from_ms, reply) && solve(context, command, reply);
}

/* ---- on the writer's thread ---- */

static enum ht_status version_take(void *user, const struct ht_store_round *round)
{
    int64_t *version = user;
    *version = round->version;
    return HT_OK;
}

/* That the round is new, or still the one that was planned on. */
static enum ht_status round_check(const struct making *making, struct ht_store_tx *tx,
                                  struct ht_error *error)
{
    int64_t version = 0;
    enum ht_status status =
        ht_store_round_get(ht_store_tx_reader(tx), making->id, version_take, &version, error);
    if (!making->again) {
        return status == HT_NOT_FOUND ? HT_OK
               : status != HT_OK      ? status
                                      : ht_error_set(error, HT_EXISTS, 0,
                                                     "there is a round %.64s already", making->id);
    }
    return status == HT_OK && version != making->record.version
               ? ht_error_set(error, HT_CONFLICT, 0, "the round was re-planned meanwhile")
               : status;
}

static enum ht_status event_write(struct making *making, const struct ht_command *command,
                                  struct ht_store_tx *tx, struct ht_error *error)
{
    char subject[HT_ID_MAX + 16];
    char digest[HT_DIGEST_TEXT];
    struct ht_buffer body = {0};
    struct ht_json json;
    int64_t seq = 0;
    enum ht_status status = ht_digest_of(making->body.data, making->body.size - 1, digest);
    (void)snprintf(subject, sizeof subject, "rounds/%s", making->id);
    ht_json_begin(&json, &body);
    ht_json_object(&json);
    ht_json_key_text(&json, "round", making->id);
    ht_json_key_text(&json, "collection", making->ask.collection->name);
    ht_json_key_int(&json, "from_ms", making->made.from_ms);
    ht_json_key_int(&json, "to_ms", making->made.to_ms);
    ht_json_key_int(&json, "visits", (int64_t)making->result.visit_count);
    ht_json_key_int(&json, "missing", making->plan->missing_visits);
    ht_json_key_text(&json, "sha256", digest);
    ht_json_object_end(&json);
    ht_buffer_append(&body, "", 1);
    if (status == HT_OK && body.failed) {
        status = HT_NOMEM;
    }
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind =
                                             making->again ? "round.replanned" : "round.planned",
                                         .subject = subject,
                                         .body = body.data};
    if (status == HT_OK) {
        status = ht_store_event_append(tx, &event, &seq, error);
    }
    ht_buffer_deinit(&body);
    making->made.number = making->again ? making->record.number : seq;
    return status == HT_OK || error->message[0] != '\0' ? status
                                                        : ht_error_set(error, status, 0, NULL);
}

/* A round of households was made by looking at who is frail. */
static enum ht_status audit_write(const struct making *making, const struct ht_command *command,
                                  struct ht_store_tx *tx, struct ht_error *error)
{
    const struct ht_store_event event = {
        .at_ms = command->at_ms,
        .actor = command->caller.name,
        .kind = "personal.read",
        .subject = "households/",
        .body = "{\"collection\":\"households\",\"by\":\"rounds\",\"offset\":0}"};
    return making->scene.personal ? ht_store_event_append(tx, &event, NULL, error) : HT_OK;
}

static enum ht_status visits_plan(struct ht_app_context *context, struct making *making,
                                  const struct ht_command *command, struct ht_store_tx *tx,
                                  struct ht_error *error)
{
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_planning planning = {.round = making->id,
                                               .rows = making->result.rows,
                                               .count = making->result.row_count,
                                               .now_ms = command->at_ms,
                                               .whole = true,
                                               .from_ms = making->since_ms};
    enum ht_status status =
        ht_visits_plan(ht_visits_room_visits(room), &planning, &making->decision, error);
    return status == HT_OK
               ? ht_visits_room_write(room, tx, making->decision, command->caller.name, NULL, error)
               : status;
}

static void answer(struct ht_app_context *context, struct making *making, struct ht_reply *reply)
{
    const struct ht__round_part all = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct ht_json json;
    ht_round_record_pending(&making->made, ht_visits_room_visits(context->app->visits));
    ht_json_begin(&json, &reply->body);
    ht__round_write(&making->made, &all, &json);
    reply->status = making->again ? 200 : 201;
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)making->made.version);
    if (!making->again) {
        (void)snprintf(reply->location, sizeof reply->location, "/v1/rounds/%s", making->id);
    }
}

static void make_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct making *making = command->parsed;
    struct ht_error error = {0};
    enum ht_status status = round_check(making, tx, &error);
    if (status == HT_OK && making->again &&
        !ht_command_expects(command, (uint64_t)making->record.version)) {
        status = ht_error_set(&error, HT_CHANGED, 0, "the round has another version");
    }
    if (status == HT_OK) {
        status = audit_write(making, command, tx, &error);
    }
    if (status == HT_OK) {
        status = event_write(making, command, tx, &error);
    }
    if (status == HT_OK) {
        status = visits_plan(context, making, command, tx, &error);
    }
    if (status == HT_OK) {
        const struct ht_store_round round = {.id = making->id,
                                             .number = making->made.number,
                                             .collection = making->ask.collection->name,
                                             .from_ms = making->made.from_ms,
                                             .to_ms = making->made.to_ms,
                                             .made_ms = making->made.made_ms,
                                             .changed_ms = making->made.changed_ms,
                                             .version = making->made.version,
                                             .body = making->body.data};
        status = ht_store_round_put(tx, &round, &error);
    }
    if (status == HT_OK) {
        answer(context, making, reply);
    } else {
        (void)refuse_status(reply, status, &error);
    }
}

static void make_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct making *making = command->parsed;
    (void)reply;
    ht_visits_apply(ht_visits_room_visits(context->app->visits), making->decision);
    making->decision = NULL;
}

static void make_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct making *making = command->parsed;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    if (lost) {
        ht_visits_drop(visits, making->decision);
    } else {
        ht_visits_take_back(visits, making->decision);
    }
    making->decision = NULL;
}

static void make_free(struct ht_command *command)
{
    struct making *making = command->parsed;
    if (making == NULL) {
        return;
    }
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

static const struct ht_command_kind make_kind = {.prepare = make_prepare,
                                                 .run = make_run,
                                                 .applied = make_applied,
                                                 .free = make_free,
                                                 .undone = make_undone};

static const struct ht_command_kind again_kind = {.prepare = again_prepare,
                                                  .run = make_run,
                                                  .applied = make_applied,
                                                  .free = make_free,
                                                  .undone = make_undone};

/* ---- the door ---- */

bool ht__rounds_stand(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->visits == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return false;
    }
    return true;
}

static void command_gone(void *data)
{
    const struct ht_command *command = data;
    struct making *making = command->parsed;
    __atomic_store_n(&making->gone, true, __ATOMIC_RELAXED);
}

static void start(struct ht_app_context *context, struct ht_http_call *call,
                  const struct ht_command_kind *kind)
{
    if (!ht__rounds_stand(context, call)) {
        return;
    }
    if (call->request->body_size > HT_ROUND_BODY_MOST) {
        (void)refuse(call->reply, 413, "a body of more than 4 MiB");
        return;
    }
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL) {
        (void)refuse(call->reply, 503, "out of memory");
        return;
    }
    making->again = kind == &again_kind;
    ht_command_start(context, call, kind);
    if (call->job.data == NULL) {
        free(making);
        return;
    }
    struct ht_command *command = call->job.data;
    command->parsed = making;
    call->job.gone = command_gone;
}

void ht_rounds_post(struct ht_app_context *context, struct ht_http_call *call)
{
    start(context, call, &make_kind);
}

void ht_round_replan(struct ht_app_context *context, struct ht_http_call *call)
{
    start(context, call, &again_kind);
}
