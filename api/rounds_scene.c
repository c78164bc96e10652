#include "api/rounds_scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/live.h"
#include "api/planner_scene.h"
#include "api/rounds_scene_internal.h"
#include "api/visits_room.h"
#include "api/zone.h"
#include "engine/base/array.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum {
    VISITS_LOOKED_MOST = 200000, /* that were made, to know who saw a site last */
    WISHES_MOST = 10000,
    LAST_DAY_LEAST = -10000,
    DAYS_LEAST = 3, /* that a re-visit may be on */
};

/* ---- places ---- */

struct numbered {
    struct ht_point point;
    uint32_t index; /* of the site; past those the inspector; past those where it is */
};

static int by_point(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    if (a->point.lon_e7 != b->point.lon_e7) {
        return a->point.lon_e7 < b->point.lon_e7 ? -1 : 1;
    }
    if (a->point.lat_e7 != b->point.lat_e7) {
        return a->point.lat_e7 < b->point.lat_e7 ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static void location_set(struct ht_round_scene *scene, uint32_t index, uint32_t location)
{
    if (index < scene->site_count) {
        scene->plan_sites[index].location = location;
        return;
    }
    index -= scene->site_count;
    if (index >= scene->inspector_count) {
        scene->plan_inspectors[index - scene->inspector_count].underway = true;
        scene->plan_inspectors[index - scene->inspector_count].here = location;
        return;
    }
    struct ht_rounds_inspector *inspector = &scene->plan_inspectors[index];
    inspector->start = location;
    inspector->end = location;
}

/* One location for all that lies at one point: the doors of a building, colleagues at an office. */
static enum ht_status places_make(struct ht_round_scene *scene)
{
    size_t most = (size_t)scene->site_count + scene->inspector_count * (size_t)2;
    struct numbered *list = ht_array_new(most, sizeof *list);
    struct ht_planner_scene *ways = scene->ways;
    size_t count = 0;
    ways->points = ht_array_new(most, sizeof *ways->points);
    if (list == NULL || ways->points == NULL) {
        free(list);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < scene->site_count; i++) {
        list[count++] = (struct numbered){scene->sites[i].point, i};
    }
    for (uint32_t i = 0; i < scene->inspector_count; i++) {
        if (scene->inspectors[i].placed) {
            list[count++] = (struct numbered){scene->inspectors[i].home, scene->site_count + i};
        }
        if (scene->inspectors[i].underway) {
            list[count++] = (struct numbered){scene->inspectors[i].here,
                                              scene->site_count + scene->inspector_count + i};
        }
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_point);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || list[i].point.lon_e7 != list[i - 1].point.lon_e7 ||
            list[i].point.lat_e7 != list[i - 1].point.lat_e7) {
            ways->points[ways->point_count++] = list[i].point;
        }
        location_set(scene, list[i].index, ways->point_count - 1);
    }
    free(list);
    return HT_OK;
}

/* The streets of a profile, or of those who go by it with the same permits. HT_PLAN_NONE: there are
 * too many of them already. */
static uint32_t profile_of(struct ht_planner_scene *ways, const char *name, uint32_t lane)
{
    uint32_t profile = 0;
    while (profile < ways->profile_count &&
           (strcmp(ways->profiles[profile], name) != 0 || ways->lanes[profile] != lane)) {
        profile++;
    }
    if (profile == HT_FLEET_PROFILES_MAX) {
        return lane == HT_NONE ? HT_PLAN_NONE /* too many sets of permits: without them */
                               : profile_of(ways, name, HT_NONE);
    }
    if (profile == ways->profile_count) {
        ways->profiles[profile] = name;
        ways->lanes[ways->profile_count++] = lane;
    }
    return profile;
}

/* `work` NULL: nobody has permits. */
static enum ht_status profiles_make(struct ht_round_scene *scene, const struct ht_live_work *work,
                                    struct ht_error *error)
{
    struct ht_planner_scene *ways = scene->ways;
    for (uint32_t i = 0; i < scene->inspector_count; i++) {
        const struct ht_round_inspector *who = &scene->inspectors[i];
        uint32_t lane = work == NULL ? HT_NONE : ht_live_lane_of(work, who->id, who->profile);
        uint32_t profile = profile_of(ways, who->profile, lane);
        if (profile == HT_PLAN_NONE) {
            return ht_error_set(error, HT_TOO_BIG, 0, "more than %d profiles in one round",
                                (int)HT_FLEET_PROFILES_MAX);
        }
        scene->plan_inspectors[i].profile = profile;
    }
    if (ways->profile_count == 0) { /* nobody goes anywhere; a plan wants one all the same */
        (void)profile_of(ways, "car", HT_NONE);
    }
    return HT_OK;
}

/* The thread's live work, with the streets that permits open; `*out` NULL: there is no live town.
 */
static enum ht_status lanes_make(const struct ht_round_making *making, struct ht_live_work **out)
{
    struct ht_app_context *context = making->context;
    *out = context->app->live == NULL || making->world == NULL ? NULL : ht_app_live_work(context);
    return *out == NULL ? HT_OK : ht_live_lanes_make(context->app->live, *out, making->world);
}

/* ---- what was ---- */

static void last_of(struct ht__round_work *work, const struct ht_visit *visit, uint32_t index)
{
    struct ht_round_scene *scene = work->scene;
    int32_t time_s = 0;
    struct ht_rounds_site *site = &scene->plan_sites[index];
    int64_t day = ht_round_day_of(&scene->days,
                                  visit->seen_ms != 0 ? visit->seen_ms : visit->start_ms, &time_s);
    if (day < 0 && (site->last_day == HT_ROUNDS_NEVER || day > site->last_day)) {
        site->last_day = day < LAST_DAY_LEAST ? LAST_DAY_LEAST : (int32_t)day;
        uint32_t who = visit->inspector == NULL
                           ? HT_PLAN_NONE
                           : ht__round_find(&work->inspectors, visit->inspector);
        if (work->making->ask->keep && !work->rates[index].owned && who != HT_PLAN_NONE) {
            site->owner = who;
        }
    }
}

static void last_take(struct ht__round_work *work, const struct ht_visit *visit)
{
    uint32_t index =
        ht__round_site_find(work, visit->site, visit->tenant == NULL ? "" : visit->tenant);
    if (index != HT_PLAN_NONE) {
        last_of(work, visit, index);
    }
}

/* When each site was seen last, and by whom: who knows the place goes on. */
static enum ht_status lasts_find(struct ht__round_work *work)
{
    struct ht_visits *visits = ht_visits_room_visits(work->making->context->app->visits);
    const struct ht_visit_filter filter = {
        .states = UINT32_C(1) << HT_VISIT_IS_DONE | UINT32_C(1) << HT_VISIT_IS_RECTIFY |
                  UINT32_C(1) << HT_VISIT_IS_UPGRADE | UINT32_C(1) << HT_VISIT_IS_SHUT};
    const struct ht_visit **list = ht_array_new(VISITS_LOOKED_MOST, sizeof(struct ht_visit *));
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = ht_visits_list(visits, &filter, VISITS_LOOKED_MOST, list);
    for (size_t i = 0; i < count; i++) {
        last_take(work, list[i]);
        ht_visit_release(list[i]);
    }
    free((void *)list);
    return HT_OK;
}

/* In a re-plan those who had the sites keep them. */
static void owners_keep(struct ht__round_work *work)
{
    const struct ht_round_before *before = work->making->before;
    for (size_t i = 0; before != NULL && work->making->ask->keep && i < before->owner_count; i++) {
        uint32_t index =
            ht__round_site_find(work, before->owners[i].site, before->owners[i].tenant);
        uint32_t who = ht__round_find(&work->inspectors, before->owners[i].inspector);
        if (index != HT_PLAN_NONE && who != HT_PLAN_NONE && !work->rates[index].owned &&
            work->scene->plan_inspectors[who].shift_count > 0) {
            work->scene->plan_sites[index].owner = who;
        }
    }
}

static enum ht_status needs_make(struct ht__round_work *work, uint64_t *visits)
{
    struct ht_round_scene *scene = work->scene;
    enum ht_status status = HT_OK;
    *visits = 0;
    for (uint32_t i = 0; i < scene->site_count && status == HT_OK; i++) {
        struct ht_round_need_list needs = {.list = NULL};
        const struct ht_round_wish wish = {.visits_per_week = work->rates[i].per_week,
                                           .visits_per_month = work->rates[i].per_month};
        struct ht_rounds_site *site = &scene->plan_sites[i];
        status = ht_round_needs(&scene->days, &wish, site->last_day, &needs);
        site->needs = needs.list;
        site->need_count = needs.count;
        for (uint32_t n = 0; n < needs.count; n++) {
            *visits += needs.list[n].visits;
        }
    }
    return status;
}

/* ---- notices ---- */

/* A notice's visit. */
struct errand {
    const char *site;
    const char *tenant; /* whose notice it is; "": the site's own */
    const char *rectification;
    enum ht_visit_purpose purpose;
    int64_t begun_ms; /* when the notice was; 0: at any time */
    int64_t by_ms;    /* 0: when there is time */
};

int64_t ht_round_revisit_from_ms(int64_t begun_ms, int64_t by_ms)
{
    return by_ms <= begun_ms ? 0 : begun_ms + (by_ms - begun_ms) / 2;
}

/* The day of a date, or the last; what is late already is due at once. */
static uint32_t by_day_of(const struct ht_round_days *days, int64_t by_ms)
{
    int32_t time_s = 0;
    int64_t last = (int64_t)days->count - 1;
    int64_t by = by_ms == 0 ? last : ht_round_day_of(days, by_ms, &time_s);
    by = by > last ? last : by;
    return by < days->first_day ? days->first_day : (uint32_t)by;
}

/* On which days somebody works and a site is open. */
static uint64_t worked_days(const struct ht_round_scene *scene, const struct ht_rounds_site *site)
{
    uint64_t worked = 0;
    uint64_t open = site->open_count == 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < scene->inspector_count; i++) {
        const struct ht_rounds_inspector *who = &scene->plan_inspectors[i];
        for (uint32_t s = 0; s < who->shift_count; s++) {
            worked |= UINT64_C(1) << who->shifts[s].day;
        }
    }
    for (uint32_t i = 0; i < site->open_count; i++) {
        open |= UINT64_C(1) << site->open[i].day;
    }
    return worked & open & site->days;
}

static int days_within(uint64_t days, uint32_t first, uint32_t last)
{
    return __builtin_popcountll(days >> first & (UINT64_MAX >> (63 - (last - first))));
}

/* On which days: not too soon, unless there are too few then; on the day itself on which it was
 * found only where no other is left; where there is none before its date, by the first one behind
 * it. */
static enum ht_status errand_need(struct ht__round_work *work, const struct errand *errand,
                                  const struct ht_rounds_site *site, struct ht_round_need_list *out)
{
    struct ht_round_days *days = &work->scene->days;
    uint64_t worked = worked_days(work->scene, site);
    int32_t time_s = 0;
    uint32_t last = by_day_of(days, errand->by_ms);
    int64_t from_ms = ht_round_revisit_from_ms(errand->begun_ms, errand->by_ms);
    int64_t from = from_ms == 0 ? 0 : ht_round_day_of(days, from_ms, &time_s);
    int64_t found = from_ms == 0 ? -1 : ht_round_day_of(days, errand->begun_ms, &time_s);
    uint32_t first = from < days->first_day ? days->first_day : from > last ? last : (uint32_t)from;
    while (first > days->first_day && days_within(worked, first, last) < DAYS_LEAST &&
           ((int64_t)first > found + 1 || days_within(worked, first, last) == 0)) {
        first--;
    }
    while (last + 1 < days->count && days_within(worked, first, last) == 0) {
        last++;
    }
    return ht_round_need_once(days, first, last, out);
}

/* The stop beside which it is made: the tenant's; where tenants are not seen on their own, the
 * site; where the site is seen in its tenants alone, one of these. HT_PLAN_NONE: the round does not
 * see that site. */
static uint32_t errand_stop(const struct ht__round_work *work, const struct errand *errand)
{
    uint32_t stop = ht__round_site_find(work, errand->site, errand->tenant);
    if (stop == HT_PLAN_NONE && errand->tenant[0] != '\0') {
        stop = ht__round_site_find(work, errand->site, "");
    }
    bool known = ht_names_find(&work->sites, errand->site) != NULL;
    for (uint32_t i = 0; known && stop == HT_PLAN_NONE && i < work->real_count; i++) {
        stop = strcmp(work->scene->sites[i].id, errand->site) == 0 ? i : stop;
    }
    return stop;
}

/* One re-visit sees all that was found at a tenant's, or of the site itself: that of the others.
 * HT_PLAN_NONE: there is none yet. */
static uint32_t errand_find(const struct ht__round_work *work, const struct errand *errand)
{
    const struct ht_round_scene *scene = work->scene;
    for (uint32_t i = work->real_count; i < scene->site_count; i++) {
        const struct ht_round_site *site = &scene->sites[i];
        if (site->purpose == errand->purpose && strcmp(site->id, errand->site) == 0 &&
            strcmp(site->tenant, errand->tenant) == 0 &&
            (errand->purpose == HT_VISIT_FOR_REVISIT ||
             strcmp(site->rectification, errand->rectification) == 0)) {
            return i;
        }
    }
    return HT_PLAN_NONE;
}

/* Another one that is looked after with others: the first date counts. */
static enum ht_status errand_join(struct ht__round_work *work, const struct errand *errand,
                                  uint32_t index)
{
    struct ht_round_scene *scene = work->scene;
    struct ht_rounds_site *plan = &scene->plan_sites[index];
    struct ht_round_need_list needs = {.list = NULL};
    enum ht_status status = errand_need(work, errand, plan, &needs);
    if (status != HT_OK || plan->needs[0].last_day <= needs.list[0].last_day) {
        return status;
    }
    plan->needs = needs.list;
    plan->need_count = needs.count;
    (void)snprintf(scene->sites[index].rectification, sizeof scene->sites[index].rectification,
                   "%s", errand->rectification);
    return status;
}

/* One more site where another one is, to be seen once before a date; or the one that is there for
 * others. `*out` HT_PLAN_NONE: the round does not see that site. */
static enum ht_status notice_site(struct ht__round_work *work, const struct errand *errand,
                                  uint32_t *out)
{
    struct ht_round_scene *scene = work->scene;
    struct ht_round_need_list needs = {.list = NULL};
    uint32_t real = errand_stop(work, errand);
    *out = real == HT_PLAN_NONE ? HT_PLAN_NONE : errand_find(work, errand);
    if (real == HT_PLAN_NONE || *out != HT_PLAN_NONE) {
        return *out == HT_PLAN_NONE ? HT_OK : errand_join(work, errand, *out);
    }
    enum ht_status status = ht__round_site_room(work);
    if (status == HT_OK) {
        status = errand_need(work, errand, &scene->plan_sites[real], &needs);
    }
    if (status != HT_OK) {
        return status;
    }
    *out = scene->site_count;
    struct ht_round_site *own = &scene->sites[scene->site_count];
    struct ht_rounds_site *plan = &scene->plan_sites[scene->site_count];
    *own = scene->sites[real];
    own->purpose = errand->purpose;
    (void)snprintf(own->tenant, sizeof own->tenant, "%s", errand->tenant);
    (void)snprintf(own->rectification, sizeof own->rectification, "%s", errand->rectification);
    *plan = scene->plan_sites[real];
    if (strcmp(scene->sites[real].tenant, errand->tenant) != 0 &&
        plan->service_s > HT__ROUND_SERVICE_S) {
        plan->service_s = HT__ROUND_SERVICE_S; /* what takes longer is to see all of it */
    }
    plan->needs = needs.list;
    plan->need_count = needs.count;
    plan->gap_least_days = plan->gap_most_days = 0;
    plan->last_day = HT_ROUNDS_NEVER;
    plan->risk = HT_ROUNDS_RISK_MOST; /* it has a date */
    work->rates[scene->site_count] = (struct ht__round_rate){-1, -1, true};
    scene->site_count++;
    return HT_OK;
}

static enum ht_status wish_take(struct ht__round_work *work, const struct ht_visit_wish *wish)
{
    struct ht_round_scene *scene = work->scene;
    const struct ht_rectification *notice = wish->notice;
    const struct errand errand = {.site = notice->site,
                                  .tenant = notice->tenant == NULL ? "" : notice->tenant,
                                  .rectification = notice->id,
                                  .purpose = wish->purpose,
                                  .begun_ms = notice->begun_ms,
                                  .by_ms = wish->by_ms};
    const char *not_by[2] = {wish->not_by, wish->not_by_second};
    uint32_t before = scene->site_count;
    uint32_t index = HT_PLAN_NONE;
    if (ht_round_revisit_from_ms(notice->begun_ms, wish->by_ms) >=
        ht_round_moment(&scene->days, scene->days.count, 0)) {
        return HT_OK; /* these days come too soon */
    }
    enum ht_status status = notice_site(work, &errand, &index);
    if (status == HT_OK && scene->site_count > before) {
        struct ht_rounds_site *plan = &scene->plan_sites[index];
        struct ht_round_site *site = &scene->sites[index];
        uint32_t who =
            wish->by == NULL ? HT_PLAN_NONE : ht__round_find(&work->inspectors, wish->by);
        plan->owner = who;
        plan->owner_hard = false;
        for (int i = 0, k = 0; i < 2; i++) {
            uint32_t barred =
                not_by[i] == NULL ? HT_PLAN_NONE : ht__round_find(&work->inspectors, not_by[i]);
            if (barred != HT_PLAN_NONE) {
                site->barred[k++] = barred;
            }
        }
    }
    return status;
}

static enum ht_status wishes_take(struct ht__round_work *work)
{
    struct ht_visits *visits = ht_visits_room_visits(work->making->context->app->visits);
    struct ht_visit_wish *wishes = ht_array_new(WISHES_MOST, sizeof *wishes);
    /* as of now, wherever the round begins: what another round has ahead is not taken from it */
    int64_t now_ms = ht_clock_now_ms(&work->making->context->app->clock);
    enum ht_status status = HT_OK;
    if (wishes == NULL) {
        return HT_NOMEM;
    }
    size_t count = ht_visits_wanted(visits, now_ms, WISHES_MOST, wishes);
    for (size_t i = 0; i < count; i++) {
        if (status == HT_OK) {
            status = wish_take(work, &wishes[i]);
        }
        ht_rectification_release(wishes[i].notice);
    }
    free(wishes);
    return status;
}

/* ---- the running plan ---- */

int64_t ht_round_day_begin_ms(int64_t utc_ms)
{
    int64_t local_ms = ht_zone_local_ms(utc_ms);
    return ht_zone_utc_ms(local_ms - local_ms % DAY_MS); /* never before 1970 */
}

static bool is_open(const struct ht_round_visit *visit)
{
    return visit->state == HT_VISIT_IS_PLANNED || visit->state == HT_VISIT_IS_PROMISED;
}

bool ht_round_visit_is_missed(const struct ht_round_visit *visit, int64_t today_ms)
{
    return visit->state == HT_VISIT_IS_MISSED || visit->state == HT_VISIT_IS_REFUSED ||
           (is_open(visit) && visit->start_ms < today_ms);
}

static bool is_over(const struct ht_round_visit *visit)
{
    return visit->state == HT_VISIT_IS_DONE || visit->state == HT_VISIT_IS_RECTIFY ||
           visit->state == HT_VISIT_IS_UPGRADE || visit->state == HT_VISIT_IS_SHUT;
}

/* The scene's site of a visit, one of its own for that of a notice; HT_PLAN_NONE: gone. */
static enum ht_status running_site(struct ht__round_work *work, const struct ht_round_visit *visit,
                                   bool over, uint32_t *out)
{
    struct ht_visits *visits = ht_visits_room_visits(work->making->context->app->visits);
    struct errand errand = {.site = visit->site,
                            .tenant = visit->tenant,
                            .rectification = visit->rectification,
                            .purpose = visit->purpose};
    *out = ht__round_site_find(work, visit->site, visit->tenant);
    if (visit->rectification[0] == '\0' || over) {
        return HT_OK; /* what was seen there was seen, whatever for */
    }
    struct ht_visit_term term = {0, 0};
    if (!ht_visits_is_counted_on(visits, visit->id, &term) && visit->state == HT_VISIT_IS_PLANNED) {
        *out = HT_PLAN_NONE; /* what it was made for was seen otherwise */
        return HT_OK;
    }
    errand.begun_ms = term.begun_ms;
    errand.by_ms = term.by_ms;
    return notice_site(work, &errand, out);
}

/* A re-visit that is planned sooner than it would be now may stay there; a promise to one inspector
 * is one's. */
static enum ht_status running_suit(struct ht__round_work *work, const struct ht_round_visit *visit,
                                   uint32_t site, uint32_t day)
{
    struct ht_round_scene *scene = work->scene;
    struct ht_rounds_site *plan = &scene->plan_sites[site];
    struct ht_round_need_list needs = {.list = NULL};
    enum ht_status status = HT_OK;
    if (visit->state == HT_VISIT_IS_PROMISED && visit->second[0] == '\0') {
        plan->crew = 1;
    }
    if (day >= scene->days.first_day && day < plan->needs[0].first_day) {
        status = ht_round_need_once(&scene->days, day, plan->needs[0].last_day, &needs);
        plan->needs = status == HT_OK ? needs.list : plan->needs;
    }
    return status;
}

/* Whether one re-visit is enough: there is another one of the site, which is joined. */
static bool is_joined(const struct ht_round_scene *scene, const struct ht_round_visit *visit,
                      uint32_t site, int64_t day)
{
    for (uint32_t i = 0; i < scene->running_count; i++) {
        if (scene->running[i].site == site &&
            (visit->state == HT_VISIT_IS_PLANNED || scene->running[i].day == day)) {
            return true;
        }
    }
    return false;
}

static enum ht_status running_add(struct ht__round_work *work, const struct ht_round_visit *visit,
                                  uint64_t *seen)
{
    struct ht_round_scene *scene = work->scene;
    int64_t since_ms = work->making->since_ms;
    uint32_t site = HT_PLAN_NONE;
    int32_t time_s = 0;
    /* what was planned for earlier today may still be done; from tomorrow on it was missed */
    bool missed = ht_round_visit_is_missed(visit, scene->today_ms);
    bool over = is_over(visit) || (is_open(visit) && visit->start_ms < since_ms);
    if (missed || (!over && !is_open(visit))) {
        return HT_OK;
    }
    enum ht_status status = running_site(work, visit, over, &site);
    uint32_t who = ht__round_find(&work->inspectors, visit->inspector);
    int64_t begin_ms = over && visit->seen_ms != 0 ? visit->seen_ms : visit->start_ms;
    int64_t day = ht_round_day_of(&scene->days, begin_ms, &time_s);
    if (over && day > scene->days.first_day) {
        day = scene->days.first_day; /* a clock that goes before */
    }
    if (status != HT_OK || site == HT_PLAN_NONE || who == HT_PLAN_NONE || day < 0 ||
        day >= scene->days.count) {
        return status;
    }
    if (visit->rectification[0] == '\0' || over) {
        if ((seen[site] >> day & 1) != 0) {
            return HT_OK; /* once a day counts */
        }
        seen[site] |= UINT64_C(1) << day;
    } else if (is_joined(scene, visit, site, day)) {
        return HT_OK;
    } else {
        status = running_suit(work, visit, site, (uint32_t)day);
    }
    int64_t length_s = (visit->end_ms - visit->start_ms) / 1000;
    uint32_t second =
        visit->second[0] == '\0' ? HT_PLAN_NONE : ht__round_find(&work->inspectors, visit->second);
    scene->running_visits[scene->running_count] = visit;
    scene->running[scene->running_count++] = (struct ht_rounds_running){
        .site = site,
        .day = (uint32_t)day,
        .begin_s = time_s,
        .end_s = time_s + (int32_t)length_s,
        .inspector = who,
        .second = second == who ? HT_PLAN_NONE : second,
        .state = over                                   ? HT_ROUNDS_PAST
                 : visit->state == HT_VISIT_IS_PROMISED ? HT_ROUNDS_PROMISED
                                                        : HT_ROUNDS_PLANNED};
    return status;
}

static enum ht_status running_make(struct ht__round_work *work)
{
    const struct ht_round_before *before = work->making->before;
    struct ht_round_scene *scene = work->scene;
    if (before == NULL) {
        return HT_OK;
    }
    uint64_t *seen = ht_array_new_zeroed(scene->site_count, sizeof *seen);
    scene->running = ht_array_new(before->visit_count, sizeof *scene->running);
    scene->running_visits = ht_array_new(before->visit_count, sizeof(struct ht_round_visit *));
    enum ht_status status =
        seen == NULL || scene->running == NULL || scene->running_visits == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; i < before->visit_count && status == HT_OK; i++) {
        status = running_add(work, &before->visits[i], seen);
    }
    free(seen);
    return status;
}

/* ---- the whole ---- */

static void problem_fill(struct ht_round_scene *scene, const struct ht_round_ask *ask)
{
    for (uint32_t i = 0; i < scene->site_count; i++) {
        const uint32_t *barred = scene->sites[i].barred;
        uint32_t count = barred[0] == HT_PLAN_NONE ? 0 : barred[1] == HT_PLAN_NONE ? 1 : 2;
        scene->plan_sites[i].barred = count == 0 ? NULL : barred;
        scene->plan_sites[i].barred_count = count;
    }
    scene->problem = (struct ht_rounds_problem){.weeks = scene->days.weeks,
                                                .first_weekday = scene->days.first_weekday,
                                                .first_day = scene->days.first_day,
                                                .location_count = scene->ways->point_count,
                                                .profile_count = scene->ways->profile_count,
                                                .profiles = scene->ways->matrices,
                                                .site_count = scene->site_count,
                                                .sites = scene->plan_sites,
                                                .inspector_count = scene->inspector_count,
                                                .inspectors = scene->plan_inspectors,
                                                .running_count = scene->running_count,
                                                .running = scene->running,
                                                .prices = ht_rounds_prices_usual()};
    /* what a move costs goes with what unequal hours do: else whoever was planned for is moved to
     * make hours alike */
    uint32_t move_s = scene->problem.prices.move_s;
    uint32_t usual = scene->problem.prices.balance;
    scene->problem.prices.move_s = ask->balance > usual ? move_s * ask->balance / usual : move_s;
    scene->problem.prices.balance = ask->balance;
    if (!ask->keep) {
        scene->problem.prices.owner_s = 0;
    }
}

/* Before memory is taken for the ways: the check doesn't look into them. */
static enum ht_status problem_check(const struct ht_round_scene *scene, struct ht_error *error)
{
    static const uint32_t no_matter = 0;
    struct ht_plan_profile profiles[HT_FLEET_PROFILES_MAX];
    struct ht_rounds_problem problem = scene->problem;
    for (uint32_t i = 0; i < problem.profile_count; i++) {
        profiles[i] = (struct ht_plan_profile){.duration_s = &no_matter};
    }
    problem.profiles = profiles;
    return ht_rounds_problem_check(&problem, error);
}

static enum ht_status town_read(struct ht__round_work *work)
{
    uint64_t visits = 0;
    enum ht_status status = ht__round_busy_read(work);
    if (status == HT_OK) {
        status = ht__round_wheres_read(work);
    }
    if (status == HT_OK) {
        status = ht__round_inspectors_read(work);
    }
    if (status == HT_OK) {
        status = ht__round_sites_read(work);
        work->real_count = work->scene->site_count;
    }
    if (status == HT_OK && work->scene->site_count == 0 && work->scene->refused_count == 0) {
        return ht_error_set(work->error, HT_EMPTY, 0,
                            "nothing is to be seen: no site of the collection says how often, and "
                            "neither does the request");
    }
    if (status == HT_OK) {
        status = lasts_find(work);
    }
    if (status == HT_OK) {
        owners_keep(work);
        status = needs_make(work, &visits);
    }
    if (status == HT_OK && visits > HT_ROUNDS_VISITS_MOST) {
        return ht_error_set(work->error, HT_TOO_BIG, 0, "%llu visits; a round has %d at most",
                            (unsigned long long)visits, (int)HT_ROUNDS_VISITS_MOST);
    }
    if (status == HT_OK) {
        status = wishes_take(work);
    }
    return status == HT_OK ? running_make(work) : status;
}

static enum ht_status scene_make(struct ht__round_work *work)
{
    struct ht_round_scene *scene = work->scene;
    const struct ht_round_making *making = work->making;
    struct ht_live_work *live = NULL;
    enum ht_status status = town_read(work);
    if (status == HT_OK) {
        status = ht__round_wheres_place(work);
    }
    if (status == HT_OK) {
        status = places_make(scene);
    }
    if (status == HT_OK) {
        status = lanes_make(making, &live);
    }
    if (status == HT_OK) {
        status = profiles_make(scene, live, work->error);
    }
    if (status == HT_OK) {
        problem_fill(scene, making->ask);
        status = problem_check(scene, work->error);
    }
    const struct ht_planner_sources sources = {
        .world = making->world, .work = live, .cancel = making->cancel};
    status = status == HT_OK ? ht_planner_ways(scene->ways, &sources, work->error) : status;
    if (live != NULL) {
        ht_live_work_rest(live);
    }
    return status;
}

enum ht_status ht_round_scene_make(const struct ht_round_making *making, struct ht_round_scene *out,
                                   struct ht_error *error)
{
    struct ht__round_work work = {.making = making, .scene = out, .error = error};
    *out = (struct ht_round_scene){.days = {.calendar = making->context->app->calendar}};
    ht_round_days_init(&out->days, making->ask->from_ms, making->ask->weeks, making->since_ms);
    out->today_ms = ht_round_day_begin_ms(ht_clock_now_ms(&making->context->app->clock));
    out->ways = calloc(1, sizeof *out->ways);
    enum ht_status status = out->ways == NULL ? HT_NOMEM : scene_make(&work);
    ht__round_names_free(&work.sites);
    ht__round_names_free(&work.inspectors);
    free(work.rates);
    free(work.busy);
    free(work.wheres);
    if (status != HT_OK && error->message[0] == '\0') {
        return ht_error_set(error, status, 0, NULL);
    }
    return status;
}

void ht_round_scene_deinit(struct ht_round_scene *scene)
{
    ht_round_days_deinit(&scene->days);
    free(scene->sites);
    free(scene->plan_sites);
    free(scene->inspectors);
    free(scene->plan_inspectors);
    free(scene->running);
    free((void *)scene->running_visits);
    free(scene->refused);
    if (scene->ways != NULL) {
        ht_planner_scene_deinit(scene->ways);
        free(scene->ways);
    }
    *scene = (struct ht_round_scene){.sites = NULL};
}

void ht_round_skills_text(const struct ht_round_scene *scene, uint64_t skills, char *out,
                          size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < scene->skill_count && at < size; i++) {
        if ((skills >> i & 1) != 0) {
            int length =
                snprintf(out + at, size - at, "%s%s", at == 0 ? "" : ", ", scene->skills[i]);
            at += length < 0 ? size : (size_t)length;
        }
    }
}
