/* Inspectors: a round is planned where there is none for today, and everybody does the visits of
 * his list: goes there, checks in, says what he found.
 */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum { VISITS_MOST = 1000, LEAVES_MS = 15 * 60000, ROUND_ITERATIONS = 2000 };

enum phase { RESTS, GOES, SEES };

struct ht_sim_visit {
    char id[HT_SIM_ID];
    char site[HT_SIM_ID];
    uint32_t inspector;
    struct ht_point point;
    int64_t start_ms;
    int64_t end_ms;
    bool over;
    bool done;  /* the server has its result */
    bool found; /* at the end */
};

struct ht_sim_inspector {
    struct ht_sim_mover *mover;
    enum phase phase;
    struct ht_sim_visit *visit;
    int64_t came_ms;
    int64_t until_ms;
};

void ht_sim_inspectors_make(struct ht_sim *sim)
{
    sim->inspectors = ht_array_new_zeroed(sim->mover_count, sizeof *sim->inspectors);
    sim->failed = sim->failed || sim->inspectors == NULL;
    for (size_t i = 0; sim->inspectors != NULL && i < sim->mover_count; i++) {
        if (sim->movers[i].unit->kind == HT_SIM_INSPECTOR) {
            sim->inspectors[sim->inspector_count++].mover = &sim->movers[i];
        }
    }
}

void ht_sim_inspectors_free(struct ht_sim *sim)
{
    free(sim->inspectors);
    free(sim->visits);
}

/* ---- today's list ---- */

static uint32_t inspector_of(const struct ht_sim *sim, const char *unit)
{
    uint32_t i = 0;
    while (i < sim->inspector_count && strcmp(sim->inspectors[i].mover->unit->id, unit) != 0) {
        i++;
    }
    return i;
}

static const struct ht_sim_site *site_of(const struct ht_sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->town.site_count; i++) {
        if (strcmp(sim->town.sites[i].id, id) == 0) {
            return &sim->town.sites[i];
        }
    }
    return NULL;
}

static void visit_add(struct ht_sim *sim, yajl_val value)
{
    const char *id = ht_sim_text(value, "id");
    const char *site = ht_sim_text(value, "site");
    const char *inspector = ht_sim_text(value, "inspector");
    void *visits = sim->visits;
    if (id == NULL || site == NULL || inspector == NULL) {
        return;
    }
    const struct ht_sim_site *where = site_of(sim, site);
    struct ht_sim_visit visit = {.inspector = inspector_of(sim, inspector),
                                 .start_ms = ht_sim_moment_ms(value, "start"),
                                 .end_ms = ht_sim_moment_ms(value, "end")};
    bool today = visit.start_ms >= sim->now_ms && visit.end_ms < sim->day_ms + DAY_MS;
    if (where == NULL || visit.inspector == sim->inspector_count || !today) {
        return;
    }
    if (ht_array_reserve(&visits, &sim->visit_capacity, sim->visit_count + 1,
                         sizeof *sim->visits) != HT_OK) {
        sim->failed = true;
        return;
    }
    sim->visits = visits;
    visit.point = where->point;
    (void)snprintf(visit.id, sizeof visit.id, "%s", id);
    (void)snprintf(visit.site, sizeof visit.site, "%s", site);
    sim->visits[sim->visit_count++] = visit;
}

static int by_start(const void *left, const void *right)
{
    const struct ht_sim_visit *a = left;
    const struct ht_sim_visit *b = right;
    return a->start_ms != b->start_ms ? (a->start_ms < b->start_ms ? -1 : 1) : strcmp(a->id, b->id);
}

static void visits_taken(void *user, const struct ht_sim_ask *ask,
                         const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    size_t count = 0;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    yajl_val list = ht_sim_list(tree, "visits", &count);
    (void)ask;
    for (size_t i = 0; i < count; i++) {
        visit_add(sim, ht_sim_item(list, i));
    }
    if (sim->visit_count > 0) {
        qsort(sim->visits, sim->visit_count, sizeof *sim->visits, by_start);
    }
    yajl_tree_free(tree);
}

static void visits_look(struct ht_sim *sim, void (*done)(void *, const struct ht_sim_ask *,
                                                         const struct ht_sim_answer *))
{
    char from[HT_TIME_TEXT_SIZE];
    char to[HT_TIME_TEXT_SIZE];
    ht_time_format(sim->now_ms, from);
    ht_time_format(sim->day_ms + DAY_MS, to);
    struct ht_sim_ask *ask = ht_sim_ask_new(
        sim->client, HT_SIM_CALL_VISIT_LOOK, "GET",
        "/v1/visits?state=planned,promised&from=%s&to=%s&limit=%d", from, to, VISITS_MOST);
    ask->done = done;
    ask->user = sim;
    ht_sim_ask_send(sim->client, ask);
}

/* It is planned, or can't be: either way today's list says what there is. */
static void round_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    (void)ask;
    (void)answer;
    visits_look(user, visits_taken);
}

static void today_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    visits_taken(user, ask, answer);
    if (sim->visit_count > 0 || sim->town.site_count == 0 || answer->status != 200) {
        return;
    }
    struct ht_sim_ask *round = ht_sim_ask_new(sim->client, HT_SIM_CALL_ROUND, "POST", "/v1/rounds");
    ht_text_addf(&round->body, "{\"id\":\"%s-r\",\"from\":", sim->run);
    ht_sim_add_moment(&round->body, sim->now_ms);
    ht_text_addf(&round->body,
                 ",\"weeks\":1,\"collection\":\"facilities\",\"seed\":%u,\"iterations\":%d,\"limit_"
                 "ms\":60000}",
                 (unsigned)(sim->options->seed % 1000000), ROUND_ITERATIONS);
    round->done = round_taken;
    round->user = sim;
    ht_sim_ask_send(sim->client, round);
}

void ht_sim_inspectors_begin(struct ht_sim *sim)
{
    if (sim->inspector_count == 0) {
        return;
    }
    sim->visit_count = 0;
    for (size_t i = 0; i < sim->inspector_count; i++) {
        sim->inspectors[i].visit = NULL;
        sim->inspectors[i].phase = RESTS;
    }
    visits_look(sim, today_taken);
}

/* ---- visits ---- */

static void result_taken(void *user, const struct ht_sim_ask *ask,
                         const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_visit *visit = ask->about;
    size_t notices = 0;
    if (answer->status == 200) {
        yajl_val tree = ht_json_tree_read(answer->body, answer->size);
        (void)ht_sim_list(tree, "rectifications", &notices);
        sim->tally->notices += (uint32_t)notices;
        visit->done = true;
        yajl_tree_free(tree);
    }
}

static void result_say(struct ht_sim *sim, const struct ht_sim_inspector *one)
{
    struct ht_sim_visit *visit = one->visit;
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "result", visit->id);
    struct ht_sim_chaos chaos = {.on = sim->options->chaos};
    struct ht_point seen = ht_sim_point_off(visit->point, 8 * ht_sim_dice_normal(&dice),
                                            8 * ht_sim_dice_normal(&dice));
    double share = ht_sim_dice_share(&dice);
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_VISIT_RESULT, "POST",
                                            "/v1/visits/%s/result", visit->id);
    ht_text_addf(&ask->body, "{\"outcome\":\"%s\",\"at\":",
                 share < 0.9    ? "done"
                 : share < 0.97 ? "rectify"
                                : "refused");
    ht_sim_add_moment(&ask->body, one->came_ms);
    ht_text_addf(&ask->body, ",\"lon\":%.7f,\"lat\":%.7f", seen.lon_e7 / 1e7, seen.lat_e7 / 1e7);
    if (share >= 0.97) {
        ht_text_add_string(&ask->body, ",\"reason\":\"nobody opened\"");
    } else if (share >= 0.9) {
        ht_text_addf(&ask->body, ",\"hazards\":[{\"text\":\"fire door blocked\",\"severity\":%u}]",
                     1 + ht_sim_dice_below(&dice, 4));
    }
    ht_text_add_char(&ask->body, '}');
    ask->lane = one->mover->lane;
    ask->done = result_taken;
    ask->user = sim;
    ask->about = visit;
    ht_sim_send_keyed(sim, ask, &chaos, &dice);
}

static struct ht_sim_visit *next_visit(struct ht_sim *sim, const struct ht_sim_inspector *one)
{
    uint32_t number = (uint32_t)(one - sim->inspectors);
    for (size_t i = 0; i < sim->visit_count; i++) {
        if (sim->visits[i].inspector == number && !sim->visits[i].over) {
            return &sim->visits[i];
        }
    }
    return NULL;
}

static void inspector_step(struct ht_sim *sim, struct ht_sim_inspector *one)
{
    bool there = !one->mover->drives && !one->mover->asks;
    if (one->phase == RESTS) {
        struct ht_sim_visit *visit = next_visit(sim, one);
        if (visit != NULL && sim->now_ms >= visit->start_ms - LEAVES_MS) {
            one->visit = visit;
            one->phase = GOES;
            ht_sim_go(sim, one->mover, visit->point);
        }
    } else if (one->phase == GOES && there && sim->now_ms >= one->visit->start_ms) {
        int64_t length_ms = one->visit->end_ms - one->visit->start_ms;
        one->came_ms = sim->now_ms;
        one->phase = SEES;
        one->until_ms = sim->now_ms + (int64_t)((double)length_ms *
                                                ht_sim_dice_within(&one->mover->dice, 0.85, 1.0));
    } else if (one->phase == SEES && sim->now_ms >= one->until_ms) {
        result_say(sim, one);
        one->visit->over = true;
        one->phase = RESTS;
    }
}

void ht_sim_inspectors_step(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->inspector_count; i++) {
        inspector_step(sim, &sim->inspectors[i]);
    }
}

/* ---- at the end ---- */

static void visit_found(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim_visit *visit = ask->about;
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    (void)user;
    visit->found = answer->status == 200 && ht_sim_text(tree, "outcome") != NULL;
    yajl_tree_free(tree);
}

void ht_sim_visits_check(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->visit_count; i++) {
        struct ht_sim_visit *visit = &sim->visits[i];
        if (visit->done) {
            struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_VISIT_LOOK, "GET",
                                                    "/v1/visits/%s", visit->id);
            ask->lane = visit->inspector;
            ask->done = visit_found;
            ask->user = sim;
            ask->about = visit;
            ht_sim_ask_send(sim->client, ask);
        }
    }
}

void ht_sim_visits_count(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->visit_count; i++) {
        const struct ht_sim_visit *visit = &sim->visits[i];
        sim->tally->visits_due += visit->end_ms <= sim->now_ms;
        sim->tally->visits_done += visit->done;
        sim->tally->lost += visit->done && !visit->found;
    }
}
