#include "api/rounds_result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/rounds_hint.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

/* ---- visits ---- */

struct making {
    const struct ht_round_goal *goal;
    struct ht_round_result *out;
    bool *used;                             /* by visit of `before`: its id went on */
    uint32_t *stop;                         /* by visit of the plan: its number in the day */
    const struct ht_rounds_running **overs; /* of the first day that is planned: over, by moment */
    uint32_t over_count;
};

/* What of the running plan went on under its own id. What was missed stays on its day under its id,
 * so that it is not forgotten; what makes up for it is another visit. */
static const struct ht_round_visit *forerunner(struct making *making,
                                               const struct ht_rounds_visit *visit)
{
    const struct ht_round_goal *goal = making->goal;
    const struct ht_round_before *before = goal->before;
    if (before == NULL) {
        return NULL;
    }
    if (visit->running != HT_PLAN_NONE) {
        const struct ht_round_visit *was = goal->scene->running_visits[visit->running];
        making->used[was - before->visits] = true;
        return was;
    }
    return NULL;
}

static void visit_add(struct making *making, uint32_t index)
{
    const struct ht_round_goal *goal = making->goal;
    const struct ht_round_scene *scene = goal->scene;
    const struct ht_rounds_visit *visit = &goal->plan->visits[index];
    const struct ht_round_site *site = &scene->sites[visit->site];
    const struct ht_round_visit *was = forerunner(making, visit);
    struct ht_round_visit *out = &making->out->visits[making->out->visit_count++];
    *out = (struct ht_round_visit){
        .purpose = site->purpose,
        .state = visit->state == HT_ROUNDS_PROMISED ? HT_VISIT_IS_PROMISED : HT_VISIT_IS_PLANNED,
        .start_ms = ht_round_moment(&scene->days, visit->day, visit->begin_s),
        .end_ms = ht_round_moment(&scene->days, visit->day, visit->end_s),
        .stop = making->stop[index]};
    if (was == NULL) {
        (void)snprintf(out->id, sizeof out->id, "%.48s-%" PRIu32, goal->round, making->out->next++);
    } else {
        memcpy(out->id, was->id, sizeof out->id);
        out->let_down = was->state == HT_VISIT_IS_PROMISED && out->state == HT_VISIT_IS_PLANNED;
    }
    memcpy(out->site, site->id, sizeof out->site);
    memcpy(out->tenant, site->tenant, sizeof out->tenant);
    memcpy(out->rectification, site->rectification, sizeof out->rectification);
    memcpy(out->inspector, scene->inspectors[visit->inspector].id, sizeof out->inspector);
    if (visit->second != HT_PLAN_NONE) {
        memcpy(out->second, scene->inspectors[visit->second].id, sizeof out->second);
    }
}

/* All but what the plan speaks of, and what was cancelled. */
static void before_add(struct making *making)
{
    const struct ht_round_before *before = making->goal->before;
    for (size_t i = 0; before != NULL && i < before->visit_count; i++) {
        const struct ht_round_visit *was = &before->visits[i];
        bool given_up =
            was->state == HT_VISIT_IS_PLANNED && was->start_ms >= making->goal->since_ms;
        if (!making->used[i] && !given_up && was->state != HT_VISIT_IS_CANCELLED) {
            struct ht_round_visit *out = &making->out->visits[making->out->visit_count++];
            *out = *was;
            out->made_up = ht_round_visit_is_missed(was, making->goal->scene->today_ms);
        }
    }
}

/* ---- the order of doors ---- */

struct door {
    const struct ht_round_site *site;
    uint32_t index;
};

static int by_door(const void *left, const void *right)
{
    const struct ht_round_site *a = ((const struct door *)left)->site;
    const struct ht_round_site *b = ((const struct door *)right)->site;
    int order =
        a->floor != b->floor ? (a->floor > b->floor) - (a->floor < b->floor) : strcmp(a->id, b->id);
    return order != 0 ? order : strcmp(a->tenant, b->tenant);
}

/* Whether two visits that follow each other in a tour may change places: doors of one building, of
 * the same length, at any time. */
static bool alike(const struct ht_round_goal *goal, uint32_t a, uint32_t b)
{
    const struct ht_rounds_visit *one = &goal->plan->visits[a];
    const struct ht_rounds_visit *two = &goal->plan->visits[b];
    const struct ht_rounds_site *site = &goal->scene->plan_sites[one->site];
    const struct ht_rounds_site *other = &goal->scene->plan_sites[two->site];
    return site->location == other->location && site->service_s == other->service_s &&
           site->open_count == 0 && other->open_count == 0 && one->second == HT_PLAN_NONE &&
           two->second == HT_PLAN_NONE && one->state == HT_ROUNDS_PLANNED &&
           two->state == HT_ROUNDS_PLANNED;
}

/* The visits of a tour in the order of doors; each takes the time of the one whose place it has. */
static void doors_sort(const struct ht_round_goal *goal, const struct ht_rounds_tour *tour,
                       struct door *doors)
{
    for (uint32_t i = 0; i < tour->count; i++) {
        doors[i] = (struct door){&goal->scene->sites[goal->plan->visits[tour->visits[i]].site],
                                 tour->visits[i]};
    }
    for (uint32_t begin = 0; begin < tour->count;) {
        uint32_t end = begin + 1;
        while (end < tour->count && alike(goal, tour->visits[begin], tour->visits[end])) {
            end++;
        }
        qsort(&doors[begin], end - begin, sizeof *doors, by_door);
        begin = end;
    }
}

/* ---- tours ---- */

static void tour_visits(struct making *making, const struct ht_rounds_tour *tour,
                        const struct door *doors)
{
    const struct ht_round_goal *goal = making->goal;
    const struct ht_rounds_visit *visits = goal->plan->visits;
    for (uint32_t i = 0; i < tour->count; i++) {
        const struct ht_rounds_visit *place = &visits[tour->visits[i]];
        if (visits[doors[i].index].inspector != tour->inspector) {
            continue; /* the second's tour; the visit stands in the first's */
        }
        making->stop[doors[i].index] = i + 1;
        visit_add(making, doors[i].index);
        struct ht_round_visit *visit = &making->out->visits[making->out->visit_count - 1];
        visit->start_ms = ht_round_moment(&goal->scene->days, place->day, place->begin_s);
        visit->end_ms = ht_round_moment(&goal->scene->days, place->day, place->end_s);
    }
}

static void tour_add(struct making *making, const struct ht_rounds_tour *tour)
{
    const struct ht_round_scene *scene = making->goal->scene;
    struct ht_round_tour *out = &making->out->tours[making->out->tour_count++];
    *out =
        (struct ht_round_tour){.day = tour->day,
                               .start_ms = ht_round_moment(&scene->days, tour->day, tour->start_s),
                               .end_ms = ht_round_moment(&scene->days, tour->day, tour->end_s),
                               .travel_s = tour->travel_s,
                               .distance_m = tour->distance_m,
                               .visits = tour->count};
    memcpy(out->inspector, scene->inspectors[tour->inspector].id, sizeof out->inspector);
    for (uint32_t i = 0; i < tour->count; i++) {
        const struct ht_rounds_visit *visit = &making->goal->plan->visits[tour->visits[i]];
        out->service_s += (uint32_t)(visit->end_s - visit->begin_s);
    }
}

/* Visits of the round that are over, or have begun, on the first day that was planned anew, by that
 * inspector: no tour of the new plan has them. */
static uint32_t over_on(const struct ht_round_goal *goal, const struct ht_round_tour *tour)
{
    uint32_t count = 0;
    for (size_t i = 0; goal->before != NULL && i < goal->before->visit_count; i++) {
        const struct ht_round_visit *visit = &goal->before->visits[i];
        int32_t time_s = 0;
        int64_t day = ht_round_day_of(&goal->scene->days, visit->start_ms, &time_s);
        bool theirs = strcmp(visit->inspector, tour->inspector) == 0 ||
                      strcmp(visit->second, tour->inspector) == 0;
        bool begun = ht_visit_is_outcome(visit->state) ||
                     (visit->state != HT_VISIT_IS_CANCELLED && visit->start_ms < goal->since_ms);
        count += begun && day == tour->day && theirs ? 1 : 0;
    }
    return count;
}

static int by_begin(const void *left, const void *right)
{
    const struct ht_rounds_running *a = *(const struct ht_rounds_running *const *)left;
    const struct ht_rounds_running *b = *(const struct ht_rounds_running *const *)right;
    return (a->begin_s > b->begin_s) - (a->begin_s < b->begin_s);
}

/* What of the first day is over, by moment. */
static enum ht_status overs_find(struct making *making)
{
    const struct ht_round_scene *scene = making->goal->scene;
    making->overs = ht_array_new(scene->running_count, sizeof(struct ht_rounds_running *));
    if (making->overs == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < scene->running_count; i++) {
        const struct ht_rounds_running *run = &scene->running[i];
        if (run->state == HT_ROUNDS_PAST && run->day == scene->days.first_day) {
            making->overs[making->over_count++] = run;
        }
    }
    if (making->over_count > 1) {
        qsort((void *)making->overs, making->over_count, sizeof(const struct ht_rounds_running *),
              by_begin);
    }
    return HT_OK;
}

static uint32_t inspector_find(const struct ht_round_scene *scene, const char *id)
{
    uint32_t i = 0;
    while (i < scene->inspector_count && strcmp(scene->inspectors[i].id, id) != 0) {
        i++;
    }
    return i < scene->inspector_count ? i : HT_PLAN_NONE;
}

/* Adds the way between two places; false: there is none that is known. */
static bool leg_add(const struct ht_round_scene *scene, const struct ht_rounds_inspector *who,
                    const uint32_t ends[2], struct ht_round_tour *tour)
{
    const struct ht_plan_profile *profile = &scene->problem.profiles[who->profile];
    size_t at = (size_t)ends[0] * scene->problem.location_count + ends[1];
    if (ends[0] == HT_PLAN_NONE || ends[1] == HT_PLAN_NONE || ends[0] == ends[1]) {
        return true;
    }
    tour->travel_s += profile->duration_s[at];
    tour->distance_m += profile->distance_m == NULL ? 0 : profile->distance_m[at];
    return profile->duration_s[at] < HT_PLAN_NO_WAY;
}

/* Whether the new plan goes on with that day where the inspector is. */
static bool goes_on(const struct ht_round_goal *goal, uint32_t inspector)
{
    bool found = false;
    for (uint32_t t = 0; t < goal->plan->tour_count; t++) {
        const struct ht_rounds_tour *tour = &goal->plan->tours[t];
        found = found || (tour->inspector == inspector && tour->day == goal->scene->days.first_day);
    }
    return found && goal->scene->plan_inspectors[inspector].underway;
}

/* The part of the first day's tour that is over, from home to its last visit; what is planned now
 * goes on from there, so that each way counts once, or home. False: not all of its `visits` are
 * known to the plan, or a way is not. */
static bool over_tour(const struct making *making, uint32_t visits, struct ht_round_tour *tour)
{
    const struct ht_round_scene *scene = making->goal->scene;
    uint32_t index = inspector_find(scene, tour->inspector);
    const struct ht_rounds_inspector *who =
        index == HT_PLAN_NONE ? NULL : &scene->plan_inspectors[index];
    uint32_t ends[2] = {who == NULL ? HT_PLAN_NONE : who->start, HT_PLAN_NONE};
    bool known = who != NULL;
    tour->visits = tour->travel_s = tour->service_s = tour->distance_m = 0;
    for (uint32_t i = 0; i < making->over_count && known; i++) {
        const struct ht_rounds_running *run = making->overs[i];
        if (run->inspector == index || run->second == index) {
            ends[1] = scene->plan_sites[run->site].location;
            known = leg_add(scene, who, ends, tour);
            ends[0] = ends[1];
            tour->service_s += (uint32_t)(run->end_s - run->begin_s);
            tour->end_ms = ht_round_moment(&scene->days, run->day, run->end_s);
            tour->visits++;
        }
    }
    if (known && !goes_on(making->goal, index)) {
        uint32_t before_s = tour->travel_s;
        ends[1] = who->end;
        known = leg_add(scene, who, ends, tour);
        tour->end_ms += (tour->travel_s - before_s) * INT64_C(1000);
    }
    return known && tour->visits == visits;
}

/* Of the running plan: days that are past, and the part of today's that is over. Today may have
 * been planned anew before: then an inspector has several tours, and what is over is of the first
 * ones. */
static void tours_before(struct making *making)
{
    const struct ht_round_goal *goal = making->goal;
    uint32_t first_day = goal->scene->days.first_day;
    uint32_t used = 0;
    for (size_t i = 0; i < goal->tour_count; i++) {
        const struct ht_round_tour *tour = &goal->tours[i];
        bool again =
            i > 0 && tour[-1].day == tour->day && strcmp(tour[-1].inspector, tour->inspector) == 0;
        uint32_t over = tour->day == first_day ? over_on(goal, tour) : 0;
        struct ht_round_tour whole = *tour;
        used = again ? used : 0;
        if (over > used && used == 0 && over_tour(making, over, &whole)) {
            making->out->tours[making->out->tour_count++] = whole;
            used = UINT32_MAX; /* of all of that day */
            continue;
        }
        over = over > used ? over - used : 0;
        used += over < tour->visits ? over : tour->visits;
        if (tour->day > first_day || (tour->day == first_day && over == 0)) {
            continue;
        }
        struct ht_round_tour *out = &making->out->tours[making->out->tour_count++];
        *out = *tour;
        if (tour->day == first_day && over < tour->visits) {
            out->travel_s = (uint32_t)((uint64_t)tour->travel_s * over / tour->visits);
            out->service_s = (uint32_t)((uint64_t)tour->service_s * over / tour->visits);
            out->distance_m = (uint32_t)((uint64_t)tour->distance_m * over / tour->visits);
            out->visits = over;
        }
    }
}

static int by_tour(const void *left, const void *right)
{
    const struct ht_round_tour *a = left;
    const struct ht_round_tour *b = right;
    int order = strcmp(a->inspector, b->inspector);
    if (order == 0) {
        order = (a->day > b->day) - (a->day < b->day);
    }
    return order != 0 ? order : (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

static int by_moment(const void *left, const void *right)
{
    const struct ht_round_visit *a = left;
    const struct ht_round_visit *b = right;
    if (a->start_ms != b->start_ms) {
        return a->start_ms < b->start_ms ? -1 : 1;
    }
    int order = strcmp(a->inspector, b->inspector);
    return order != 0 ? order : strcmp(a->id, b->id);
}

/* ---- rows ---- */

static void rows_make(struct ht_round_result *out, int64_t since_ms)
{
    for (size_t i = 0; i < out->visit_count; i++) {
        const struct ht_round_visit *visit = &out->visits[i];
        if (visit->state != HT_VISIT_IS_PLANNED || visit->start_ms < since_ms) {
            continue;
        }
        struct ht_visit_row row = {.id = visit->id,
                                   .site = visit->site,
                                   .inspector = visit->inspector,
                                   .purpose = visit->purpose,
                                   .start_ms = visit->start_ms,
                                   .end_ms = visit->end_ms,
                                   .let_down = visit->let_down};
        row.tenant = visit->tenant[0] == '\0' ? NULL : visit->tenant;
        row.second = visit->second[0] == '\0' ? NULL : visit->second;
        row.rectification = visit->rectification[0] == '\0' ? NULL : visit->rectification;
        out->rows[out->row_count++] = row;
    }
}

static enum ht_status lists_new(struct making *making)
{
    const struct ht_round_goal *goal = making->goal;
    struct ht_round_result *out = making->out;
    size_t before = goal->before == NULL ? 0 : goal->before->visit_count;
    size_t visits = before + goal->plan->visit_count;
    out->visits = ht_array_new(visits, sizeof *out->visits);
    out->rows = ht_array_new(visits, sizeof *out->rows);
    out->tours = ht_array_new(goal->plan->tour_count + goal->tour_count, sizeof *out->tours);
    making->used = ht_array_new_zeroed(before, sizeof *making->used);
    making->stop = ht_array_new_zeroed(goal->plan->visit_count, sizeof *making->stop);
    return out->visits == NULL || out->rows == NULL || out->tours == NULL || making->used == NULL ||
                   making->stop == NULL
               ? HT_NOMEM
               : HT_OK;
}

enum ht_status ht_round_result_make(const struct ht_round_goal *goal, struct ht_round_result *out)
{
    struct making making = {.goal = goal, .out = out};
    struct door doors[HT_ROUNDS_STOPS_MOST];
    *out = (struct ht_round_result){.next = goal->next};
    enum ht_status status = lists_new(&making);
    if (status == HT_OK) {
        status = overs_find(&making);
    }
    if (status == HT_OK) {
        tours_before(&making);
        for (uint32_t t = 0; t < goal->plan->tour_count; t++) {
            const struct ht_rounds_tour *tour = &goal->plan->tours[t];
            doors_sort(goal, tour, doors);
            tour_visits(&making, tour, doors);
            tour_add(&making, tour);
        }
        before_add(&making);
        if (out->visit_count > 0) {
            qsort(out->visits, out->visit_count, sizeof *out->visits, by_moment);
        }
        if (out->tour_count > 0) {
            qsort(out->tours, out->tour_count, sizeof *out->tours, by_tour);
        }
        rows_make(out, goal->since_ms);
    }
    free(making.used);
    free(making.stop);
    free((void *)making.overs);
    return status;
}

void ht_round_result_deinit(struct ht_round_result *result)
{
    free(result->visits);
    free(result->rows);
    free(result->tours);
    *result = (struct ht_round_result){.visits = NULL};
}

/* ---- JSON ---- */

static void date_write(const struct ht_round_goal *goal, struct ht_json *json, const char *key,
                       uint32_t day)
{
    char text[HT_TIME_TEXT_SIZE];
    ht_time_format(goal->scene->days.begin_local_ms + day * INT64_C(86400000), text);
    ht_json_key(json, key);
    ht_json_text_n(json, text, 10);
}

static void text_write(struct ht_json *json, const char *key, const char *text)
{
    if (text[0] != '\0') {
        ht_json_key_text(json, key, text);
    }
}

static void visits_write(const struct ht_round_result *result, struct ht_json *json)
{
    ht_json_key(json, "visits");
    ht_json_array(json);
    for (size_t i = 0; i < result->visit_count; i++) {
        const struct ht_round_visit *visit = &result->visits[i];
        ht_json_object(json);
        ht_json_key_text(json, "id", visit->id);
        ht_json_key_text(json, "site", visit->site);
        text_write(json, "tenant", visit->tenant);
        text_write(json, "inspector", visit->inspector);
        text_write(json, "second", visit->second);
        ht_json_key_int(json, "start_ms", visit->start_ms);
        ht_json_key_int(json, "end_ms", visit->end_ms);
        ht_json_key_text(json, "purpose", ht_visit_purpose_text(visit->purpose));
        text_write(json, "rectification", visit->rectification);
        ht_json_key_int(json, "stop", visit->stop);
        if (visit->made_up) {
            ht_json_key_bool(json, "made_up", true);
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void tours_write(const struct ht_round_goal *goal, const struct ht_round_result *result,
                        struct ht_json *json)
{
    ht_json_key(json, "tours");
    ht_json_array(json);
    for (size_t i = 0; i < result->tour_count; i++) {
        const struct ht_round_tour *tour = &result->tours[i];
        ht_json_object(json);
        ht_json_key_text(json, "inspector", tour->inspector);
        date_write(goal, json, "day", tour->day);
        ht_incident_json_moment(json, "start", tour->start_ms);
        ht_incident_json_moment(json, "end", tour->end_ms);
        ht_json_key_int(json, "visits", tour->visits);
        ht_json_key_int(json, "travel_s", tour->travel_s);
        ht_json_key_int(json, "service_s", tour->service_s);
        ht_json_key_int(json, "distance_m", tour->distance_m);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

/* ---- what is missing ---- */

static const char *inspector_id(const struct ht_round_goal *goal, uint32_t inspector)
{
    return inspector == HT_PLAN_NONE ? "" : goal->scene->inspectors[inspector].id;
}

static void mend_write(const struct ht_round_goal *goal, const struct ht_rounds_mend *mend,
                       struct ht_json *json)
{
    char text[HT_ROUND_HINT_TEXT];
    ht_round_hint_text(goal->scene, mend, false, text);
    text_write(json, "hint", text);
    ht_round_hint_text(goal->scene, mend, true, text);
    text_write(json, "hint_zh", text);
    ht_json_key(json, "mend");
    ht_json_object(json);
    ht_json_key_text(json, "by", ht_rounds_hint_name(mend->hint));
    ht_json_key_int(json, "number", mend->number);
    text_write(json, "inspector", inspector_id(goal, mend->inspector));
    if (mend->day != HT_PLAN_NONE) {
        date_write(goal, json, "day", mend->day);
    }
    ht_json_object_end(json);
}

static void unplanned_write(const struct ht_round_goal *goal, struct ht_json *json)
{
    const struct ht_round_scene *scene = goal->scene;
    ht_json_key(json, "unplanned");
    ht_json_array(json);
    for (size_t i = 0; i < scene->refused_count; i++) {
        ht_json_object(json);
        ht_json_key_text(json, "site", scene->refused[i].site);
        text_write(json, "tenant", scene->refused[i].tenant);
        ht_json_key_text(json, "reason", scene->refused[i].reason);
        ht_json_key_text(json, "hint", scene->refused[i].hint);
        text_write(json, "hint_zh", ht_round_hint_refused(scene->refused[i].reason));
        ht_json_object_end(json);
    }
    for (uint32_t i = 0; i < goal->plan->missing_count; i++) {
        const struct ht_rounds_missing *missing = &goal->plan->missing[i];
        const struct ht_rounds_need *need = &scene->plan_sites[missing->site].needs[missing->need];
        ht_json_object(json);
        ht_json_key_text(json, "site", scene->sites[missing->site].id);
        text_write(json, "tenant", scene->sites[missing->site].tenant);
        text_write(json, "rectification", scene->sites[missing->site].rectification);
        ht_json_key_text(json, "reason", ht_rounds_reason_name(missing->reason));
        ht_json_key_int(json, "visits", missing->visits);
        date_write(goal, json, "from", need->first_day);
        date_write(goal, json, "to", need->last_day);
        mend_write(goal, &missing->mend, json);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void broken_write(const struct ht_round_goal *goal, struct ht_json *json)
{
    ht_json_key(json, "broken");
    ht_json_array(json);
    for (uint32_t i = 0; i < goal->plan->broken_count; i++) {
        const struct ht_rounds_broken *broken = &goal->plan->broken[i];
        if (broken->wish == HT_ROUNDS_WISH_OWNER && goal->scene->problem.prices.owner_s == 0) {
            continue; /* nobody is to keep a site: nobody wished it */
        }
        ht_json_object(json);
        ht_json_key_text(json, "wish", ht_rounds_wish_name(broken->wish));
        ht_json_key_text(json, "site", goal->scene->sites[broken->site].id);
        text_write(json, "tenant", goal->scene->sites[broken->site].tenant);
        if (broken->visit != HT_PLAN_NONE) {
            date_write(goal, json, "day", goal->plan->visits[broken->visit].day);
        }
        if (broken->running != HT_PLAN_NONE) {
            ht_json_key_text(json, "visit", goal->scene->running_visits[broken->running]->id);
        }
        if (broken->wish == HT_ROUNDS_WISH_GAP) {
            ht_json_key_int(json, "days_late", broken->number);
        }
        if (broken->mendable) {
            mend_write(goal, &broken->mend, json);
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void idle_write(const struct ht_round_goal *goal, struct ht_json *json)
{
    ht_json_key(json, "idle");
    ht_json_array(json);
    for (uint32_t i = 0; i < goal->plan->idle_count; i++) {
        const struct ht_rounds_idle *idle = &goal->plan->idle[i];
        ht_json_object(json);
        ht_json_key_text(json, "inspector", inspector_id(goal, idle->inspector));
        ht_json_key_text(json, "reason", ht_rounds_idle_name(idle->reason));
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void owners_write(const struct ht_round_goal *goal, struct ht_json *json)
{
    const struct ht_round_scene *scene = goal->scene;
    ht_json_key(json, "owners");
    ht_json_array(json);
    for (uint32_t i = 0; i < scene->site_count; i++) {
        if (scene->sites[i].rectification[0] == '\0' && goal->plan->owner[i] != HT_PLAN_NONE) {
            ht_json_object(json);
            ht_json_key_text(json, "site", scene->sites[i].id);
            text_write(json, "tenant", scene->sites[i].tenant);
            ht_json_key_text(json, "inspector", inspector_id(goal, goal->plan->owner[i]));
            ht_json_object_end(json);
        }
    }
    ht_json_array_end(json);
}

void ht_round_wrongs_write(const struct ht_round_wrongs *wrongs, struct ht_json *json)
{
    ht_json_array(json);
    for (size_t i = 0; i < wrongs->count; i++) {
        ht_json_object(json);
        ht_json_key_text(json, "pointer", wrongs->list[i].pointer);
        ht_json_key_text(json, "detail", wrongs->list[i].detail);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void summary_write(const struct ht_round_goal *goal, const struct ht_round_result *result,
                          struct ht_json *json)
{
    const struct ht_rounds_plan *plan = goal->plan;
    int64_t travel_s = 0;
    int64_t service_s = 0;
    int64_t distance_m = 0;
    for (size_t i = 0; i < result->tour_count; i++) {
        travel_s += result->tours[i].travel_s;
        service_s += result->tours[i].service_s;
        distance_m += result->tours[i].distance_m;
    }
    ht_json_key(json, "summary");
    ht_json_object(json);
    ht_json_key_int(json, "sites", goal->scene->site_count);
    ht_json_key_int(json, "not_wanted", goal->scene->passed);
    ht_json_key_int(json, "inspectors", goal->scene->inspector_count);
    ht_json_key_int(json, "visits", (int64_t)result->visit_count);
    ht_json_key_int(json, "missing", plan->missing_visits);
    ht_json_key_int(json, "kept", plan->kept);
    ht_json_key_int(json, "moved", plan->moved);
    ht_json_key_int(json, "tours", (int64_t)result->tour_count);
    ht_json_key_int(json, "travel_s", travel_s);
    ht_json_key_int(json, "service_s", service_s);
    ht_json_key_int(json, "distance_m", distance_m);
    ht_json_key_double(json, "gini", plan->gini_ppm / 1e6, 4);
    ht_json_key_int(json, "cost", plan->cost.sum);
    ht_json_key_int(json, "iterations", (int64_t)plan->iterations);
    ht_json_key_int(json, "time_ms", plan->time_ms);
    ht_json_object_end(json);
}

void ht_round_result_write(const struct ht_round_goal *goal, const struct ht_round_result *result,
                           const struct ht_round_wrongs *wrongs, struct ht_json *json)
{
    visits_write(result, json);
    unplanned_write(goal, json);
    broken_write(goal, json);
    idle_write(goal, json);
    ht_json_key(json, "errors");
    ht_round_wrongs_write(wrongs, json);
    owners_write(goal, json);
    tours_write(goal, result, json);
    summary_write(goal, result, json);
}
