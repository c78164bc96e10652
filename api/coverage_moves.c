/* POST /v1/coverage/moves: which units should wait elsewhere, or where something should be built.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/access.h"
#include "api/ask.h"
#include "api/command.h"
#include "api/coverage.h"
#include "api/coverage_sites.h"
#include "api/http_answer.h"
#include "api/persons.h"
#include "api/pointer.h"
#include "engine/base/array.h"
#include "engine/plan/cover.h"

enum {
    SEARCH_MS = 500, /* of branch and bound: a worker that others need */
    NODES_MOST = 200000,
    OPTIONS_MOST = 500000,
    SETS_BYTES_MOST = 256 << 20,
};

/* A call, from the loop to the writer. */
struct moves {
    struct ht_crs crs;
    struct ht_crs out_crs;
    struct ht_caller caller;
    bool personal; /* the caller may see who is frail */
    int64_t at_ms;
    bool told_apart;
    struct ht_buffer plain;
    size_t size;
    char text[];
};

/* While it is worked on. */
struct work {
    struct ht_app_context *context;
    struct ht_reply *reply;
    struct moves *call;
    struct ht_coverage_body body;
    struct ht__promise promise;
    struct ht__town town;
    struct ht_sites sites;
    uint32_t profile;  /* of new sites, else that of most units */
    uint32_t *weights; /* NULL: 1 each */
    uint64_t *base;    /* what is covered in any case, where sites are looked for */
    uint64_t *words;   /* of all sets of sites */
    const uint64_t **sets;
    uint32_t set_count;
    uint32_t *set_first;   /* of the sites' sets of a lane (struct ht__town); HT_NONE: none */
    uint32_t *duration_ms; /* [site * units + unit] */
    int64_t *length_mm;
    struct ht_cover_option *options;
    uint32_t *option_site;
    uint32_t option_count;
    uint32_t *kept;
    struct ht_cover_plan plan;
};

static bool refuse(struct work *work, int code, const char *why)
{
    ht_reply_problem(work->reply, code, ht_http_status_text(code), why);
    work->reply->retry_after_s = code == 503 ? 1 : 0;
    return false;
}

/* `pointer`: where in the body. */
static bool refuse_at(struct work *work, int code, const char *pointer, const char *why)
{
    (void)refuse(work, code, why);
    ht_reply_where(work->reply, pointer, 0, why);
    return false;
}

static bool refuse_status(struct work *work, enum ht_status status, const struct ht_error *error)
{
    int code = status == HT_SYNTAX ? 400 : status == HT_TOO_BIG ? 413 : 503;
    return refuse(work, code,
                  error == NULL || error->message[0] == '\0' ? ht_status_text(status)
                                                             : error->message);
}

static size_t words_of(const struct work *work)
{
    return ht_reach_words(work->town.homes->count);
}

/* --- what is asked ---------------------------------------------------------------------------- */

static bool filter_read(struct work *work, struct ht_ask *ask)
{
    struct ht_params params = {0};
    const struct ht_text *query = &work->body.filter;
    if (ht_params_read(&params, ht_text_string(query), query->size) != HT_OK) {
        return refuse(work, 400, "the filter of units can't be read");
    }
    *ask = ht_ask_read(work->context, &params, HT_DUTY_ON);
    if (ht_param(&params, "status") == NULL) {
        ask->live.filter.statuses = UINT32_C(1) << HT_UNIT_IDLE;
    }
    const char *wrong = ask->wrong != NULL ? ask->wrong : ask->wrong_unit;
    if (wrong == NULL) {
        wrong = ht__promise_read(work->context, &params, work->body.limit_ms, ask, &work->promise);
    }
    ht_params_deinit(&params);
    if (wrong == NULL) {
        return true;
    }
    char pointer[64] = "";
    if (ask->wrong_name != NULL) {
        ht_pointer(pointer, sizeof pointer, "", ask->wrong_name);
    }
    return refuse_at(work, 400, pointer, wrong);
}

/* The profile of new sites, or that of most units. */
static bool profile_find(struct work *work)
{
    struct ht_fleet *fleet = ht_live_fleet(work->context->app->live);
    size_t count[HT_FLEET_PROFILES_MAX] = {0};
    uint32_t profiles = ht_fleet_profile_count(fleet);
    work->profile = HT_NONE;
    for (uint32_t p = 0; p < profiles && work->body.profile != NULL; p++) {
        if (strcmp(ht_fleet_profile_name(fleet, p), work->body.profile) == 0) {
            work->profile = p;
        }
    }
    for (size_t i = 0; i < work->town.places.count && work->body.profile == NULL; i++) {
        uint32_t p = work->town.places.list[i].profile;
        count[p]++;
        work->profile =
            work->profile == HT_NONE || count[p] > count[work->profile] ? p : work->profile;
    }
    if (work->profile == HT_NONE && work->body.is_new) {
        return refuse_at(work, 422, "/new/profile",
                         work->body.profile == NULL ? "no unit fits the filter: name new/profile"
                                                    : "no unit has the profile new/profile");
    }
    if (work->profile == HT_NONE) {
        return true;
    }
    enum ht_status status = ht__town_profile(work->context, &work->town, work->profile);
    return status == HT_OK ||
           (status == HT_NOT_FOUND ? refuse(work, 422, "the map has no such profile")
                                   : refuse_status(work, status, NULL));
}

static enum ht_status weights_make(struct work *work)
{
    const struct ht_homes *homes = work->town.homes;
    if (work->body.weigh == HT_WEIGH_HOUSEHOLDS) {
        return HT_OK;
    }
    work->weights = ht_array_new(homes->count, sizeof *work->weights);
    if (work->weights == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < homes->count; i++) {
        work->weights[i] = work->body.weigh == HT_WEIGH_RESIDENTS ? homes->residents[i]
                                                                  : ht_homes_is_frail(homes, i);
    }
    return HT_OK;
}

/* --- whom sites reach ------------------------------------------------------------------------- */

/* The sets of all sites of `list` for a unit of this lane that stands there. */
static enum ht_status sets_fill(struct work *work, uint32_t lane, const struct ht_sites *list,
                                uint64_t *words)
{
    size_t size = words_of(work);
    struct ht_reach *reach = NULL;
    const struct ht_road *road = NULL;
    const struct ht_reach_targets *targets = NULL;
    struct ht_point *points = ht_array_new(list->count, sizeof *points);
    struct ht_place *places = ht_array_new(list->count, sizeof *places);
    uint64_t **sets = ht_array_new(list->count, sizeof(uint64_t *));
    bool hopeless = work->town.hopeless;
    enum ht_status status =
        points == NULL || places == NULL || sets == NULL ? HT_NOMEM : ht_reach_new(&reach);
    for (size_t i = 0; i < list->count && status == HT_OK; i++) {
        points[i] = list->list[i].point;
        sets[i] = words + i * size;
    }
    if (status == HT_OK && hopeless) {
        memset(words, 0, list->count * size * sizeof *words);
    }
    if (status == HT_OK && !hopeless) {
        status = ht__town_lane(&work->town, lane, &road, &targets);
    }
    if (status == HT_OK && !hopeless) {
        ht_coverage_snap(road, points, (uint32_t)list->count, HT_LIVE_STREET_M, NULL, places);
        const struct ht_reach_ask ask = {.road = road,
                                         .targets = targets,
                                         .sources = places,
                                         .source_count = (uint32_t)list->count,
                                         .limit_ms = work->town.limit_ms,
                                         .after_ms = work->town.after_ms};
        status = ht_reach_run(reach, &ask, sets);
    }
    ht_reach_free(reach);
    free(points);
    free(places);
    free((void *)sets);
    return status;
}

/* What is covered in any case, where sites are looked for. */
static enum ht_status base_make(struct work *work, struct ht_error *error)
{
    size_t size = words_of(work);
    struct ht_sites existing = {0};
    enum ht_status status = HT_OK;
    work->base = ht_array_new_zeroed(size, sizeof *work->base);
    if (work->base == NULL) {
        return HT_NOMEM;
    }
    if (!work->body.is_new || work->body.beside == HT_BESIDE_UNITS) {
        memcpy(work->base, ht_coverage_all(work->context->coverage), size * sizeof *work->base);
        return HT_OK;
    }
    if (work->body.beside == HT_BESIDE_SITES) {
        status = ht_sites_facilities(&existing, work->body.kinds, work->context->reader, error);
    }
    uint64_t *words = ht_array_new(size * existing.count, sizeof *words);
    status = status == HT_OK && words == NULL ? HT_NOMEM : status;
    if (status == HT_OK) {
        status = sets_fill(work, work->profile, &existing, words);
    }
    for (size_t w = 0; w < size * existing.count && status == HT_OK; w++) {
        work->base[w % size] |= words[w];
    }
    free(words);
    ht_sites_deinit(&existing);
    return status;
}

static bool sites_find(struct work *work)
{
    struct ht_error error = {0};
    struct ht_app_context *context = work->context;
    enum ht_status status = context->crs == NULL ? ht_crs_work_new(&context->crs) : HT_OK;
    if (status == HT_OK && (ht_crs_check(context->crs, &work->call->crs, NULL) != HT_OK ||
                            ht_crs_check(context->crs, &work->call->out_crs, NULL) != HT_OK)) {
        return refuse(work, 400, "crs is not a coordinate system that is known here");
    }
    if (status == HT_OK) {
        status = base_make(work, &error);
    }
    if (status == HT_OK && !work->body.is_new) {
        status = ht_sites_facilities(&work->sites, work->body.kinds, context->reader, &error);
    }
    if (status == HT_OK) {
        status = ht_sites_named(&work->sites, &work->body, &work->call->crs, context->crs, &error);
    }
    if (status == HT_OK && work->profile != HT_NONE) {
        status = ht_sites_corners(&work->sites, work->town.roads[work->profile], work->town.homes,
                                  work->base, work->weights, work->body.corners);
    }
    if (status == HT_SYNTAX) { /* the path comes first */
        char pointer[64];
        (void)snprintf(pointer, sizeof pointer, "/%.*s", (int)strcspn(error.message, " "),
                       error.message);
        return refuse_at(work, 400, pointer, error.message);
    }
    return status == HT_OK || refuse_status(work, status, &error);
}

/* Numbers the sets of the lanes that need sites: those of the units, or the one of new sites.
 * Returns how many lanes. */
static uint32_t lanes_number(struct work *work, uint32_t units)
{
    uint32_t lanes = 0;
    for (uint32_t l = 0; l < work->town.lane_count; l++) {
        bool wanted = work->body.is_new && work->profile == l;
        for (uint32_t u = 0; u < units && !wanted; u++) {
            wanted = work->town.units[u].profile == l;
        }
        work->set_first[l] = wanted ? lanes++ * (uint32_t)work->sites.count : HT_NONE;
    }
    return lanes;
}

/* Sets of all sites for all lanes that need them, then those of the units, then the base. */
static enum ht_status sets_make(struct work *work)
{
    size_t size = words_of(work);
    uint32_t units = work->body.is_new ? 0 : (uint32_t)work->town.places.count;
    work->set_first = ht_array_new(work->town.lane_count, sizeof *work->set_first);
    if (work->set_first == NULL) {
        return HT_NOMEM;
    }
    uint32_t of_sites = lanes_number(work, units) * (uint32_t)work->sites.count;
    if ((uint64_t)of_sites * size * sizeof *work->words > SETS_BYTES_MOST) {
        return HT_TOO_BIG;
    }
    work->set_count = of_sites + units + 1;
    work->words = ht_array_new(of_sites * size, sizeof *work->words);
    work->sets = ht_array_new(work->set_count, sizeof(const uint64_t *));
    if (work->words == NULL || work->sets == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = HT_OK;
    for (uint32_t l = 0; l < work->town.lane_count && status == HT_OK; l++) {
        if (work->set_first[l] != HT_NONE) {
            status = sets_fill(work, l, &work->sites, work->words + work->set_first[l] * size);
        }
    }
    for (uint32_t i = 0; i < of_sites; i++) {
        work->sets[i] = work->words + i * size;
    }
    for (uint32_t u = 0; u < units; u++) {
        work->sets[of_sites + u] = ht_coverage_set(work->context->coverage, u);
    }
    work->sets[of_sites + units] = work->base;
    return status;
}

/* --- what can be chosen ----------------------------------------------------------------------- */

static enum ht_status travel_find(struct work *work)
{
    struct ht_app *app = work->context->app;
    size_t units = work->town.places.count;
    size_t sites = work->sites.count;
    uint32_t *numbers = ht_array_new(units, sizeof *numbers);
    struct ht_point *points = ht_array_new(sites, sizeof *points);
    work->duration_ms = ht_array_new(units * sites, sizeof *work->duration_ms);
    work->length_mm = ht_array_new(units * sites, sizeof *work->length_mm);
    enum ht_status status =
        numbers == NULL || points == NULL || work->duration_ms == NULL || work->length_mm == NULL
            ? HT_NOMEM
            : HT_OK;
    for (size_t u = 0; u < units && status == HT_OK; u++) {
        numbers[u] = work->town.places.list[u].unit;
    }
    for (size_t s = 0; s < sites && status == HT_OK; s++) {
        points[s] = work->sites.list[s].point;
    }
    if (status == HT_OK && units > 0 && sites > 0) {
        const struct ht_live_many many = {.units = numbers,
                                          .unit_count = units,
                                          .points = points,
                                          .point_count = sites,
                                          .plain = work->promise.plain,
                                          .duration_ms = work->duration_ms,
                                          .length_mm = work->length_mm};
        status = ht_live_matrix(app->live, work->context->live, work->town.world, &many);
    }
    free(numbers);
    free(points);
    return status;
}

static void option_add(struct work *work, uint32_t group, uint32_t site, uint32_t lane,
                       uint32_t cost)
{
    work->options[work->option_count] =
        (struct ht_cover_option){group, work->set_first[lane] + site, cost};
    work->option_site[work->option_count++] = site;
}

static enum ht_status options_make(struct work *work)
{
    size_t units = work->town.places.count;
    size_t sites = work->sites.count;
    size_t most = work->body.is_new ? sites : units * sites;
    if (most > OPTIONS_MOST) {
        return HT_TOO_BIG;
    }
    work->options = ht_array_new(most, sizeof *work->options);
    work->option_site = ht_array_new(most, sizeof *work->option_site);
    work->kept = ht_array_new(units, sizeof *work->kept);
    if (work->options == NULL || work->option_site == NULL || work->kept == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t s = 0; s < sites && work->body.is_new; s++) {
        option_add(work, s, s, work->profile, 0);
    }
    enum ht_status status = work->body.is_new ? HT_OK : travel_find(work);
    for (uint32_t u = 0; u < units && status == HT_OK && !work->body.is_new; u++) {
        work->kept[u] = work->set_count - 1 - (uint32_t)units + u;
        for (uint32_t s = 0; s < sites; s++) {
            uint32_t cost = work->duration_ms[s * units + u];
            if (cost < HT_WEIGHT_INF && cost <= work->body.travel_ms) {
                option_add(work, u, s, work->town.units[u].profile, cost);
            }
        }
    }
    return status;
}

static struct ht_cover_problem problem_of(const struct work *work)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    bool is_new = work->body.is_new;
    return (struct ht_cover_problem){
        .item_count = work->town.homes->count,
        .weights = work->weights,
        .sets = work->sets,
        .set_count = work->set_count,
        .base = is_new ? work->set_count - 1 : HT_COVER_NONE,
        .group_count = (uint32_t)(is_new ? work->sites.count : work->town.places.count),
        .kept = is_new ? NULL : work->kept,
        .options = work->options,
        .option_count = work->option_count,
        .most = work->body.most,
        .nodes_most = NODES_MOST,
        .deadline_ns =
            (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + SEARCH_MS * INT64_C(1000000),
    };
}

/* --- the answer ------------------------------------------------------------------------------- */

struct writer {
    struct work *work;
    struct ht_json json;
    bool frail;
    bool apart; /* some count tells of a single household */
};

static void counts_write(struct writer *w, const char *key, const uint64_t *a, const uint64_t *b)
{
    struct ht__counts counts = ht__counts_of(w->work->town.homes, a, b);
    w->apart = w->apart || (counts.frail > 0 && counts.frail == counts.households);
    ht__counts_write(&w->json, key, &counts, w->frail);
}

static enum ht_status site_write(struct writer *w, const struct ht_site *site)
{
    static const char *const from[] = {"facility", "candidate", "corner"};
    const struct ht_crs *crs = &w->work->call->out_crs;
    double pair[1][2] = {{site->point.lon_e7 / 1e7, site->point.lat_e7 / 1e7}};
    enum ht_status status =
        ht_crs_plain(crs) ? HT_OK : ht_crs_from_wgs84(w->work->context->crs, crs, pair, 1);
    ht_json_object(&w->json);
    ht_json_key_text(&w->json, "id", site->id);
    ht_json_key_text(&w->json, "from", from[site->from]);
    ht_json_key_double(&w->json, "lon", pair[0][0], 7);
    ht_json_key_double(&w->json, "lat", pair[0][1], 7);
    ht_json_object_end(&w->json);
    return status;
}

/* Move or site number `i`, with what it changes after those before it. */
static enum ht_status choice_write(struct writer *w, const struct ht_cover_problem *problem,
                                   uint32_t i, uint64_t *before, uint64_t *after)
{
    struct work *work = w->work;
    const uint32_t *chosen = work->plan.chosen;
    uint32_t site = work->option_site[chosen[i]];
    uint32_t unit = work->options[chosen[i]].group;
    ht_cover_union(problem, chosen, i, before);
    ht_cover_union(problem, chosen, i + 1, after);
    ht_json_object(&w->json);
    if (!work->body.is_new) {
        size_t at = site * work->town.places.count + unit;
        ht_json_key_text(&w->json, "unit", work->town.places.list[unit].id);
        ht_json_key_double(&w->json, "duration_s", work->duration_ms[at] / 1000.0, 3);
        ht_json_key_double(&w->json, "distance_m", (double)work->length_mm[at] / 1000.0, 3);
        ht_json_key(&w->json, "to");
    } else {
        ht_json_key(&w->json, "site");
    }
    enum ht_status status = site_write(w, &work->sites.list[site]);
    counts_write(w, "gains", after, before);
    if (!work->body.is_new) {
        counts_write(w, "loses", before, after);
    }
    ht_json_object_end(&w->json);
    return status;
}

static void proof_write(struct writer *w)
{
    static const char *const kinds[] = {"exact", "greedy", "half", "bound"};
    const struct ht_cover_plan *plan = &w->work->plan;
    ht_json_key(&w->json, "proof");
    ht_json_object(&w->json);
    ht_json_key_text(&w->json, "kind", kinds[plan->proof]);
    ht_json_key_int(&w->json, "before", plan->before);
    ht_json_key_int(&w->json, "value", plan->value);
    ht_json_key_int(&w->json, "at_most", plan->at_most);
    ht_json_object_end(&w->json);
}

static enum ht_status answer_write(struct work *work, bool frail, struct ht_buffer *out,
                                   bool *apart)
{
    struct writer w = {.work = work, .frail = frail};
    const struct ht_cover_problem problem = problem_of(work);
    size_t size = words_of(work);
    uint64_t *before = ht_array_new(size, sizeof *before);
    uint64_t *after = ht_array_new(size, sizeof *after);
    enum ht_status status = before == NULL || after == NULL ? HT_NOMEM : HT_OK;
    ht_json_begin(&w.json, out);
    ht_json_object(&w.json);
    ht__promise_write(&w.json, &work->promise);
    ht_json_key_text(&w.json, "weigh", ht_coverage_weighs[work->body.weigh]);
    ht_json_key_int(&w.json, "units", (int64_t)work->town.places.count);
    ht_json_key_int(&w.json, "candidates", (int64_t)work->sites.count);
    if (status == HT_OK) {
        ht_cover_union(&problem, NULL, 0, before);
        counts_write(&w, "before", before, NULL);
        ht_cover_union(&problem, work->plan.chosen, work->plan.count, after);
        counts_write(&w, "after", after, NULL);
    }
    ht_json_key(&w.json, work->body.is_new ? "sites" : "moves");
    ht_json_array(&w.json);
    for (uint32_t i = 0; i < work->plan.count && status == HT_OK; i++) {
        status = choice_write(&w, &problem, i, before, after);
    }
    ht_json_array_end(&w.json);
    proof_write(&w);
    if (work->call->personal && !frail) {
        ht_json_key_text(&w.json, "personal", "withheld");
    }
    ht_json_object_end(&w.json);
    *apart = w.apart;
    free(before);
    free(after);
    return status;
}

/* Both answers, where the one with frail households has to be noted. A choice that was made for
 * them tells of them, too: then nothing is left without. */
static enum ht_status answers_write(struct work *work)
{
    struct moves *call = work->call;
    bool frail = call->personal && work->context->app->commit != NULL;
    bool apart = false;
    bool ignored = false;
    enum ht_status status = answer_write(work, frail, &work->reply->body, &apart);
    call->told_apart = frail && (apart || work->body.weigh == HT_WEIGH_FRAIL);
    if (status == HT_OK && call->told_apart && work->body.weigh == HT_WEIGH_FRAIL) {
        ht_buffer_text(&call->plain, "{\"personal\":\"withheld\"}");
    } else if (status == HT_OK && call->told_apart) {
        status = answer_write(work, false, &call->plain, &ignored);
    }
    return status;
}

static bool work_run(struct work *work)
{
    struct ht_ask ask;
    if (!filter_read(work, &ask)) {
        return false;
    }
    if (!ht__town_open(work->context, ask.nobody ? NULL : &ask.live.filter, &work->promise,
                       &work->town, work->reply) ||
        !profile_find(work)) {
        return false;
    }
    enum ht_status status = weights_make(work);
    if (status != HT_OK) {
        return refuse_status(work, status, NULL);
    }
    if (!sites_find(work)) {
        return false;
    }
    status = sets_make(work);
    if (status == HT_OK) {
        status = options_make(work);
    }
    if (status == HT_OK) {
        const struct ht_cover_problem problem = problem_of(work);
        status = ht_cover_solve(&problem, &work->plan);
    }
    if (status == HT_OK) {
        status = answers_write(work);
    }
    if (status == HT_OK) {
        return work->call->told_apart;
    }
    ht_buffer_clear(&work->reply->body);
    return status == HT_TOO_BIG ? refuse(work, 413, "too many units and candidates")
           : status == HT_RANGE ? refuse(work, 400, "places don't fit into out_crs")
                                : refuse_status(work, status, NULL);
}

/* True: the answer waits for its event. */
static bool moves_run(void *user, void *data, struct ht_reply *reply)
{
    struct moves *call = data;
    struct work work = {.context = user, .reply = reply, .call = call};
    struct ht_error error = {0};
    bool note = false;
    enum ht_status status = ht_coverage_body_read(call->text, call->size, &work.body, &error);
    if (status != HT_OK) {
        (void)refuse_status(&work, status, &error);
        if (status == HT_SYNTAX || status == HT_TOO_BIG) {
            ht_reply_where(work.reply, work.body.wrong_at, 0, error.message);
        }
    } else if (work.body.weigh == HT_WEIGH_FRAIL &&
               (!call->personal || work.context->app->commit == NULL)) {
        (void)refuse(&work, 403, "who is frail is personal: it can't be weighed here");
    } else {
        note = work_run(&work);
    }
    ht_coverage_body_deinit(&work.body);
    ht__town_close(&work.town);
    ht_sites_deinit(&work.sites);
    ht_cover_plan_deinit(&work.plan);
    free(work.weights);
    free(work.base);
    free(work.words);
    free(work.set_first);
    free((void *)work.sets);
    free(work.duration_ms);
    free(work.length_mm);
    free(work.options);
    free(work.option_site);
    free(work.kept);
    return note;
}

static void moves_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = moves_run(user, data, reply);
    (void)note;
}

static void moves_note(void *user, void *data, struct ht_reply *reply)
{
    const struct moves *call = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "coverage/moves",
                                         .caller = &call->caller,
                                         .at_ms = call->at_ms,
                                         .plain = &call->plain};
    ht_persons_note(user, &read, reply);
}

static void moves_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct moves *call = data;
    (void)user;
    (void)why;
    ht_reply_reset(reply);
    ht_buffer_append(&reply->body, call->plain.data, call->plain.size);
}

static void moves_free(void *data)
{
    struct moves *call = data;
    ht_buffer_deinit(&call->plain);
    free(call);
}

/* --- the loop's part -------------------------------------------------------------------------- */

static bool crs_read(const struct ht_http_request *request, struct ht_crs *crs,
                     struct ht_crs *out_crs)
{
    struct ht_params params;
    if (ht_params_of(&params, request) != HT_OK) {
        return false;
    }
    const char *name = ht_param(&params, "crs");
    const char *out = ht_param(&params, "out_crs");
    name = name == NULL ? "" : name;
    out = out == NULL ? name : out;
    bool good = ht_crs_parse(name, strlen(name), crs) == HT_OK &&
                ht_crs_parse(out, strlen(out), out_crs) == HT_OK;
    ht_params_deinit(&params);
    return good;
}

void ht_coverage_moves_post(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_crs crs;
    struct ht_crs out_crs;
    if (!crs_read(request, &crs, &out_crs)) {
        ht_reply_problem(call->reply, 400, "Bad Request", "crs is not a coordinate system");
        return;
    }
    if (request->body_size > HT_COVERAGE_BODY_MOST) {
        ht_reply_problem(call->reply, 413, ht_http_status_text(413), "a body of more than 1 MiB");
        return;
    }
    struct moves *moves = calloc(1, sizeof *moves + request->body_size + 1);
    if (moves == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    moves->crs = crs;
    moves->out_crs = out_crs;
    moves->caller = *context->caller;
    moves->personal = ht_access_personal(context->caller);
    moves->at_ms = ht_clock_now_ms(&context->app->clock);
    moves->size = request->body_size;
    if (request->body_size > 0) {
        memcpy(moves->text, request->body, request->body_size);
    }
    call->job = moves->personal && context->app->commit != NULL
                    ? (struct ht_http_job){.prepare = moves_run,
                                           .run = moves_note,
                                           .lost = moves_withheld,
                                           .writes = true}
                    : (struct ht_http_job){.run = moves_plain};
    call->job.free = moves_free;
    call->job.data = moves;
}
