#include "api/territories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/json_merge.h"
#include "api/persons.h"
#include "api/planner_scene.h"
#include "api/rounds_internal.h"
#include "api/rounds_make.h"
#include "api/territories_posts.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"
#include "engine/plan/territory.h"

enum { WEEKS_USUAL = 4, PAIRS_MOST = 10 * 1000 * 1000, FAR_S = 1 << 28 };

/* One question, while it is worked on. */
struct dividing {
    struct ht_caller caller;
    int64_t at_ms;
    struct ht_crs crs;
    char *body; /* as it came */
    size_t body_size;
    struct ht_text text; /* with what was left out */
    struct ht_round_ask ask;
    struct ht_round_wrongs wrongs;
    struct ht_round_scene scene;
    struct ht_posts posts;
    uint32_t sites;   /* real ones, the first of the scene's */
    uint32_t *way_s;  /* [inspectors * sites] there and back; UINT32_MAX: none */
    uint32_t *cost_s; /* [inspectors * sites] of all visits; HT_TERRITORY_CANT */
    uint32_t *load_s; /* [sites] */
    uint32_t *visits; /* [sites] */
    uint32_t *cell;   /* [sites] closed up */
    uint32_t *owner;  /* [sites] */
    int64_t cost;
    struct ht_buffer plain; /* where it can't be noted that who is frail was read */
};

static void dividing_free(void *data)
{
    struct dividing *d = data;
    if (d != NULL) {
        ht_posts_deinit(&d->posts);
        ht_round_scene_deinit(&d->scene);
        ht_round_ask_deinit(&d->ask);
        ht_round_wrongs_deinit(&d->wrongs);
        ht_text_deinit(&d->text);
        ht_buffer_deinit(&d->plain);
        free(d->way_s);
        free(d->cost_s);
        free(d->load_s);
        free(d->visits);
        free(d->cell);
        free(d->owner);
        free(d->body);
        free(d);
    }
}

/* ---- what was asked ---- */

/* The body of a round that begins today, for four weeks, where nothing is said. */
static bool body_fill(struct dividing *d, struct ht_reply *reply)
{
    char day[HT_TIME_TEXT_SIZE];
    char first[96];
    yajl_val tree = ht_json_tree_read(d->body, d->body_size);
    bool object = YAJL_IS_OBJECT(tree);
    bool from = ht_json_member(tree, "from") != NULL;
    bool weeks = ht_json_member(tree, "weeks") != NULL;
    bool empty = object && tree->u.object.len == 0;
    yajl_tree_free(tree);
    if (!object) {
        return ht__round_deny(reply, 400, "the body is not a JSON object");
    }
    ht_time_format(ht_zone_local_ms(d->at_ms), day);
    (void)snprintf(first, sizeof first, "{%s%.10s%s%s%s", from ? "" : "\"from\":\"",
                   from ? "" : day, from ? "" : "\",", weeks ? "" : "\"weeks\":4,",
                   empty ? "\"x\":0" : "");
    const char *rest = strchr(d->body, '{') + 1;
    ht_text_add_string(&d->text, first);
    ht_text_add(&d->text, rest, d->body_size - (size_t)(rest - d->body));
    return !d->text.failed || ht__round_deny(reply, 503, "out of memory");
}

static bool ask_read(struct dividing *d, struct ht_reply *reply)
{
    enum ht_status status =
        body_fill(d, reply)
            ? ht_round_ask_read(ht_text_string(&d->text), d->text.size, &d->ask, &d->wrongs)
            : HT_CANCELLED;
    return status == HT_OK ||
           (status != HT_CANCELLED && ht__round_refuse_all(reply, status, &d->wrongs));
}

/* ---- the town ---- */

static enum ht_status scene_read(struct ht_app_context *context, struct dividing *d,
                                 struct ht_error *error)
{
    int64_t since_ms = d->ask.from_ms < d->at_ms ? d->at_ms : d->ask.from_ms;
    const struct ht_round_making making = {.context = context,
                                           .reader = context->reader,
                                           .world = ht_world_reader_get(&context->world),
                                           .ask = &d->ask,
                                           .round = "",
                                           .crs = &d->crs,
                                           .since_ms = since_ms,
                                           .wrongs = &d->wrongs};
    enum ht_status status = making.world == NULL
                                ? ht_error_set(error, HT_IO, 0, "no network is open")
                                : ht_round_scene_make(&making, &d->scene, error);
    ht_world_reader_rest(&context->world);
    while (status == HT_OK && d->sites < d->scene.site_count &&
           d->scene.sites[d->sites].purpose == HT_VISIT_FOR_ROUND) {
        d->sites++;
    }
    if (status == HT_OK && (uint64_t)d->sites * d->scene.inspector_count > PAIRS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d pairs of an inspector and a site",
                            (int)PAIRS_MOST);
    }
    return status;
}

static bool arrays_new(struct dividing *d)
{
    size_t pairs = (size_t)d->sites * d->scene.inspector_count;
    d->way_s = ht_array_new(pairs, sizeof *d->way_s);
    d->cost_s = ht_array_new(pairs, sizeof *d->cost_s);
    d->load_s = ht_array_new(d->sites, sizeof *d->load_s);
    d->visits = ht_array_new(d->sites, sizeof *d->visits);
    d->cell = ht_array_new(d->sites, sizeof *d->cell);
    d->owner = ht_array_new(d->sites, sizeof *d->owner);
    return d->way_s != NULL && d->cost_s != NULL && d->load_s != NULL && d->visits != NULL &&
           d->cell != NULL && d->owner != NULL;
}

/* There and back; UINT32_MAX: there is no way. */
static uint32_t way_of(const struct dividing *d, uint32_t who, uint32_t site)
{
    const struct ht_rounds_inspector *inspector = &d->scene.plan_inspectors[who];
    uint32_t places = d->scene.ways->point_count;
    const uint32_t *duration_s = d->scene.ways->matrices[inspector->profile].duration_s;
    uint32_t at = d->scene.plan_sites[site].location;
    if (inspector->start == HT_PLAN_NONE || inspector->start == at) {
        return 0;
    }
    uint32_t there_s = duration_s[(size_t)inspector->start * places + at];
    uint32_t back_s = duration_s[(size_t)at * places + inspector->end];
    return there_s >= FAR_S || back_s >= FAR_S ? UINT32_MAX : there_s + back_s;
}

static void sites_fill(struct dividing *d)
{
    for (uint32_t s = 0; s < d->sites; s++) {
        const struct ht_rounds_site *site = &d->scene.plan_sites[s];
        uint32_t first = 0;
        d->visits[s] = 0;
        for (uint32_t n = 0; n < site->need_count; n++) {
            d->visits[s] += site->needs[n].visits;
        }
        d->load_s[s] = d->visits[s] * site->service_s;
        while (first < s && d->scene.plan_sites[first].cell != site->cell) {
            first++;
        }
        d->cell[s] = site->cell == HT_PLAN_NONE ? HT_TERRITORY_NONE : first;
        d->owner[s] = site->owner_hard ? site->owner : HT_TERRITORY_NONE;
    }
}

/* Visits that share a day's way, about. */
static uint32_t tour_share(const struct dividing *d)
{
    uint64_t all = 0;
    uint32_t most = 1;
    for (uint32_t s = 0; s < d->sites; s++) {
        all += d->visits[s];
        most = d->visits[s] > most ? d->visits[s] : most;
    }
    uint64_t days = (uint64_t)d->scene.inspector_count * most;
    return days == 0 || all / days < 1 ? 1 : (uint32_t)(all / days);
}

static bool may_have(const struct dividing *d, uint32_t who, uint32_t s)
{
    const struct ht_rounds_site *site = &d->scene.plan_sites[s];
    const struct ht_rounds_inspector *inspector = &d->scene.plan_inspectors[who];
    return (site->skills & ~inspector->skills) == 0 && inspector->shift_count > 0;
}

static void pairs_fill(struct dividing *d)
{
    uint32_t together = tour_share(d);
    for (uint32_t i = 0; i < d->scene.inspector_count; i++) {
        for (uint32_t s = 0; s < d->sites; s++) {
            size_t at = (size_t)i * d->sites + s;
            d->way_s[at] = way_of(d, i, s);
            d->cost_s[at] = d->way_s[at] == UINT32_MAX || !may_have(d, i, s)
                                ? HT_TERRITORY_CANT
                                : d->way_s[at] / together * d->visits[s];
        }
    }
}

/* Who has a post has its sites, and those that are in none; who has none, the latter alone. */
static void posts_apply(struct dividing *d)
{
    for (uint32_t p = 0; p < d->posts.count; p++) {
        const struct ht_post *post = &d->posts.list[p];
        for (uint32_t k = 0; k < post->site_count; k++) {
            for (uint32_t i = 0; i < d->scene.inspector_count; i++) {
                if (d->posts.post_of[i] != p) {
                    d->cost_s[(size_t)i * d->sites + post->sites[k]] = HT_TERRITORY_CANT;
                }
            }
        }
    }
}

/* ---- dividing ---- */

static enum ht_status divide(struct dividing *d)
{
    struct ht_rounds_prices prices = ht_rounds_prices_usual();
    const struct ht_territory_problem problem = {.site_count = d->sites,
                                                 .inspector_count = d->scene.inspector_count,
                                                 .cost_s = d->cost_s,
                                                 .load_s = d->load_s,
                                                 .cell = d->cell,
                                                 .cell_s = prices.cell_s,
                                                 .balance = d->ask.balance};
    for (uint32_t s = 0; s < d->sites; s++) { /* a given one who can't is told, and not taken */
        uint32_t who = d->owner[s];
        if (who != HT_TERRITORY_NONE &&
            d->cost_s[(size_t)who * d->sites + s] == HT_TERRITORY_CANT) {
            ht_round_wrong_add(&d->wrongs, "", "%s: inspector %s, who has it, can't",
                               d->scene.sites[s].id, d->scene.inspectors[who].id);
            d->owner[s] = HT_TERRITORY_NONE;
        }
    }
    enum ht_status status =
        d->scene.inspector_count == 0 ? HT_OK : ht_territory_run(&problem, d->owner);
    return status == HT_OK && d->scene.inspector_count > 0
               ? ht_territory_cost(&problem, d->owner, &d->cost)
               : status;
}

/* ---- why ---- */

static const char *why(const struct dividing *d, uint32_t s)
{
    uint32_t who = d->owner[s];
    uint32_t own_s = d->cost_s[(size_t)who * d->sites + s];
    uint32_t others = 0;
    bool nearest = true;
    if (d->scene.plan_sites[s].owner_hard) {
        return "given";
    }
    for (uint32_t i = 0; i < d->scene.inspector_count; i++) {
        uint32_t cost_s = d->cost_s[(size_t)i * d->sites + s];
        others += i != who && cost_s != HT_TERRITORY_CANT ? 1 : 0;
        nearest = nearest && cost_s >= own_s;
    }
    if (others == 0 || nearest) {
        return others == 0 ? "only" : "nearest";
    }
    for (uint32_t t = 0; t < d->sites && d->cell[s] != HT_TERRITORY_NONE; t++) {
        if (t != s && d->owner[t] == who && d->cell[t] == d->cell[s]) {
            return "cell";
        }
    }
    return "balance";
}

/* Why nobody has it: the first rule that keeps all away. */
static const char *why_not(const struct dividing *d, uint32_t s)
{
    bool may = false;
    bool way = false;
    for (uint32_t i = 0; i < d->scene.inspector_count; i++) {
        may = may || may_have(d, i, s);
        way = way || (may_have(d, i, s) && d->way_s[(size_t)i * d->sites + s] != UINT32_MAX);
    }
    return d->scene.inspector_count == 0 ? "nobody"
           : !may                        ? "skills"
           : !way                        ? "no_way"
                                         : "post"; /* it is of one that nobody got */
}

/* ---- JSON ---- */

static int64_t load_of(const struct dividing *d, uint32_t who, int64_t *way_s)
{
    int64_t load_s = 0;
    *way_s = 0;
    for (uint32_t s = 0; s < d->sites; s++) {
        if (d->owner[s] == who) {
            *way_s += d->cost_s[(size_t)who * d->sites + s];
            load_s += d->load_s[s];
        }
    }
    return load_s;
}

static void sites_write(const struct dividing *d, uint32_t who, struct ht_json *json)
{
    ht_json_key(json, "sites");
    ht_json_array(json);
    for (uint32_t s = 0; s < d->sites; s++) {
        if (d->owner[s] == who) {
            ht_json_object(json);
            ht_json_key_text(json, "site", d->scene.sites[s].id);
            ht_json_key_int(json, "visits", d->visits[s]);
            ht_json_key_int(json, "load_s", d->load_s[s]);
            ht_json_key_int(json, "way_s", d->way_s[(size_t)who * d->sites + s]);
            ht_json_key_text(json, "why", why(d, s));
            ht_json_object_end(json);
        }
    }
    ht_json_array_end(json);
}

static void territories_write(const struct dividing *d, struct ht_json *json)
{
    ht_json_key(json, "territories");
    ht_json_array(json);
    for (uint32_t i = 0; i < d->scene.inspector_count; i++) {
        int64_t way_s = 0;
        int64_t load_s = load_of(d, i, &way_s);
        ht_json_object(json);
        ht_json_key_text(json, "inspector", d->scene.inspectors[i].id);
        ht_json_key_double(json, "hours", (double)(load_s + way_s) / 3600, 2);
        ht_json_key_int(json, "way_s", way_s);
        sites_write(d, i, json);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
    ht_json_key(json, "unassigned");
    ht_json_array(json);
    for (uint32_t s = 0; s < d->sites; s++) {
        if (d->owner[s] == HT_TERRITORY_NONE) {
            ht_json_object(json);
            ht_json_key_text(json, "site", d->scene.sites[s].id);
            ht_json_key_text(json, "reason", why_not(d, s));
            ht_json_object_end(json);
        }
    }
    for (size_t i = 0; i < d->scene.refused_count; i++) {
        ht_json_object(json);
        ht_json_key_text(json, "site", d->scene.refused[i].site);
        ht_json_key_text(json, "reason", d->scene.refused[i].reason);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void posts_write(const struct dividing *d, struct ht_json *json)
{
    const struct ht_posts *posts = &d->posts;
    ht_json_key(json, "matches");
    ht_json_array(json);
    for (uint32_t i = 0; i < posts->inspector_count; i++) {
        uint32_t p = posts->post_of[i];
        if (p != HT_PLAN_NONE) {
            const struct ht_post *post = &posts->list[p];
            ht_json_object(json);
            ht_json_key_text(json, "inspector", d->scene.inspectors[i].id);
            ht_json_key_text(json, "post", post->id);
            ht_json_key_int(json, "wish",
                            ht_posts_rank(posts->wanted[i], posts->wanted_count[i], p));
            ht_json_key_int(json, "rank", ht_posts_rank(post->wanted, post->wanted_count, i));
            ht_json_object_end(json);
        }
    }
    ht_json_array_end(json);
    ht_json_key(json, "without");
    ht_json_array(json);
    for (uint32_t i = 0; i < posts->inspector_count; i++) {
        if (posts->post_of[i] == HT_PLAN_NONE) {
            ht_json_text(json, d->scene.inspectors[i].id);
        }
    }
    ht_json_array_end(json);
}

static void summary_write(const struct dividing *d, struct ht_json *json)
{
    int64_t *hours = ht_array_new(d->scene.inspector_count, sizeof *hours);
    uint32_t count = 0;
    for (uint32_t i = 0; hours != NULL && i < d->scene.inspector_count; i++) {
        int64_t way_s = 0;
        int64_t load_s = load_of(d, i, &way_s);
        if (load_s + way_s > 0) {
            hours[count++] = load_s + way_s;
        }
    }
    ht_json_key(json, "summary");
    ht_json_object(json);
    ht_json_key_int(json, "sites", d->sites);
    ht_json_key_int(json, "inspectors", d->scene.inspector_count);
    ht_json_key_double(json, "gini", count == 0 ? 0 : ht_rounds_gini_ppm(hours, count) / 1e6, 4);
    ht_json_key_int(json, "cost", d->cost);
    ht_json_object_end(json);
    json->out->failed = json->out->failed || hours == NULL;
    free(hours);
}

static void answer_write(const struct dividing *d, struct ht_reply *reply)
{
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    territories_write(d, &json);
    if (d->posts.count > 0) {
        posts_write(d, &json);
    }
    ht_json_key(&json, "errors");
    ht_round_wrongs_write(&d->wrongs, &json);
    summary_write(d, &json);
    ht_json_object_end(&json);
}

/* ---- the job ---- */

static bool divide_all(struct ht_app_context *context, struct dividing *d, struct ht_reply *reply)
{
    struct ht_error error = {0};
    enum ht_status status = scene_read(context, d, &error);
    if (status != HT_OK) {
        return ht__round_deny_status(reply, status, &error);
    }
    if (!arrays_new(d)) {
        return ht__round_deny(reply, 503, "out of memory");
    }
    sites_fill(d);
    pairs_fill(d);
    const struct ht_posts_town town = {&d->scene, d->way_s, d->sites};
    status = ht_posts_match(d->ask.tree, &town, &d->wrongs, &d->posts);
    if (status != HT_OK) {
        return ht__round_refuse_all(reply, status, &d->wrongs);
    }
    posts_apply(d);
    status = divide(d);
    return status == HT_OK || ht__round_deny(reply, 503, ht_status_text(status));
}

/* True: who is frail had a part in it, which the writer has to note. */
static bool divide_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct dividing *d = data;
    struct ht_json json;
    if (ht_app_reader(context, reply) == NULL) {
        return false;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        return ht__round_deny(reply, 503, "out of memory");
    }
    if (ht_crs_check(context->crs, &d->crs, NULL) != HT_OK) {
        return ht__round_deny(reply, 400, "crs is not a coordinate system that is known here");
    }
    if (!ask_read(d, reply) || !divide_all(context, d, reply)) {
        return false;
    }
    answer_write(d, reply);
    ht_json_begin(&json, &d->plain);
    ht_json_object(&json);
    ht_json_key_text(&json, "personal", "withheld");
    ht_json_object_end(&json);
    return d->scene.personal;
}

static void withhold(const struct dividing *d, struct ht_reply *reply)
{
    ht_reply_reset(reply);
    ht_buffer_append(&reply->body, d->plain.data, d->plain.size);
}

static void divide_plain(void *user, void *data, struct ht_reply *reply)
{
    if (divide_run(user, data, reply)) { /* a store that can't be written: nothing is noted */
        withhold(data, reply);
    }
}

static void divide_note(void *user, void *data, struct ht_reply *reply)
{
    const struct dividing *d = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "territories",
                                         .limit = 1,
                                         .caller = &d->caller,
                                         .at_ms = d->at_ms,
                                         .plain = &d->plain};
    ht_persons_note(user, &read, reply);
}

static void divide_lost(void *user, void *data, enum ht_status status, struct ht_reply *reply)
{
    (void)user;
    (void)status;
    if (reply->status == 200) {
        withhold(data, reply);
    }
}

/* ---- the door ---- */

static bool crs_read(const struct ht_http_request *request, struct ht_crs *crs)
{
    struct ht_params params;
    if (ht_params_of(&params, request) != HT_OK) {
        return false;
    }
    const char *name = ht_param(&params, "crs");
    name = name == NULL ? "" : name;
    bool good = ht_crs_parse(name, strlen(name), crs) == HT_OK;
    ht_params_deinit(&params);
    return good;
}

void ht_territories_post(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    if (!ht__rounds_stand(context, call, "")) {
        return;
    }
    if (request->body_size > HT_ROUND_BODY_MOST) {
        (void)ht__round_deny(call->reply, 413, "a body of more than 4 MiB");
        return;
    }
    struct dividing *d = calloc(1, sizeof *d);
    char *body = malloc(request->body_size + 1);
    if (d == NULL || body == NULL) {
        free(d);
        free(body);
        (void)ht__round_deny(call->reply, 503, "out of memory");
        return;
    }
    if (request->body_size > 0) {
        memcpy(body, request->body, request->body_size);
    }
    body[request->body_size] = '\0';
    d->body = body;
    d->body_size = request->body_size;
    d->caller = *context->caller;
    d->at_ms = ht_clock_now_ms(&context->app->clock);
    if (!crs_read(request, &d->crs)) {
        (void)ht__round_deny(call->reply, 400, "crs is not a coordinate system");
        dividing_free(d);
        return;
    }
    call->job = context->app->commit != NULL ? (struct ht_http_job){.prepare = divide_run,
                                                                    .run = divide_note,
                                                                    .lost = divide_lost,
                                                                    .writes = true}
                                             : (struct ht_http_job){.run = divide_plain};
    call->job.free = dividing_free;
    call->job.data = d;
}
