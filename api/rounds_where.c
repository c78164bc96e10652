/* Where the inspectors are when a round begins within a day, as where it is planned anew at noon:
 * at the last visit of that day that has begun, until it is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/rounds_scene_internal.h"
#include "api/visit_site.h"
#include "api/visits_room.h"
#include "engine/base/array.h"

enum { VISITS_MOST = 100000 };

/* When somebody came, or is to come. */
static int64_t begin_of(const struct ht_visit *visit)
{
    return visit->seen_ms != 0 ? visit->seen_ms : visit->start_ms;
}

/* When it is over: as it was said; where it was reported, then at the latest; else as planned. */
static int64_t end_of(const struct ht_visit *visit)
{
    int64_t begin_ms = begin_of(visit);
    int64_t end_ms = begin_ms + visit->end_ms - visit->start_ms;
    if (visit->until_ms != 0) {
        return visit->until_ms;
    }
    return visit->closed_ms > begin_ms && visit->closed_ms < end_ms ? visit->closed_ms : end_ms;
}

static int by_who(const void *left, const void *right)
{
    const struct ht__round_where *a = left;
    const struct ht__round_where *b = right;
    int order = strcmp(a->who, b->who);
    return order != 0 ? order : (a->begin_ms < b->begin_ms) - (a->begin_ms > b->begin_ms);
}

static void where_add(struct ht__round_work *work, const struct ht_visit *visit, const char *who)
{
    if (who == NULL) {
        return;
    }
    struct ht__round_where *where = &work->wheres[work->where_count++];
    *where = (struct ht__round_where){.begin_ms = begin_of(visit), .end_ms = end_of(visit)};
    (void)snprintf(where->who, sizeof where->who, "%s", who);
    (void)snprintf(where->site, sizeof where->site, "%s", visit->site);
}

/* The last one of each. */
static void wheres_thin(struct ht__round_work *work)
{
    size_t kept = 0;
    if (work->where_count > 1) {
        qsort(work->wheres, work->where_count, sizeof *work->wheres, by_who);
    }
    for (size_t i = 0; i < work->where_count; i++) {
        if (kept == 0 || strcmp(work->wheres[kept - 1].who, work->wheres[i].who) != 0) {
            work->wheres[kept++] = work->wheres[i];
        }
    }
    work->where_count = kept;
}

enum ht_status ht__round_wheres_read(struct ht__round_work *work)
{
    struct ht_visits *visits = ht_visits_room_visits(work->making->context->app->visits);
    int64_t since_ms = work->making->since_ms;
    int64_t day_ms = ht_round_day_begin_ms(since_ms);
    /* by the plan's times; who came late or early is still of that day */
    const struct ht_visit_filter today = {
        .states = ~(UINT32_C(1) << HT_VISIT_IS_MISSED | UINT32_C(1) << HT_VISIT_IS_CANCELLED),
        .from_ms = day_ms - HT_VISIT_GRACE_MS,
        .to_ms = since_ms + HT_VISIT_GRACE_MS};
    const struct ht_visit **list = ht_array_new(VISITS_MOST, sizeof(struct ht_visit *));
    size_t count = list == NULL ? 0 : ht_visits_list(visits, &today, VISITS_MOST, list);
    work->wheres = list == NULL ? NULL : ht_array_new(count * 2, sizeof *work->wheres);
    for (size_t i = 0; i < count; i++) {
        int64_t begin_ms = begin_of(list[i]);
        if (work->wheres != NULL && begin_ms >= day_ms && begin_ms < since_ms) {
            where_add(work, list[i], list[i]->inspector);
            where_add(work, list[i], list[i]->second);
        }
        ht_visit_release(list[i]);
    }
    free((void *)list);
    if (work->wheres == NULL) {
        return HT_NOMEM;
    }
    wheres_thin(work);
    return HT_OK;
}

const struct ht__round_where *ht__round_where_of(const struct ht__round_work *work, const char *who)
{
    size_t low = 0;
    size_t high = work->where_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(work->wheres[middle].who, who) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < work->where_count && strcmp(work->wheres[low].who, who) == 0;
    return found ? &work->wheres[low] : NULL;
}

/* Of a site that the round does not see, as the registry has it; false: it is nowhere. */
static enum ht_status elsewhere(const struct ht__round_work *work, const char *id,
                                struct ht_round_inspector *who)
{
    struct ht_visit_site site;
    enum ht_status status = ht_visit_site_find(work->making->reader, id, &site, NULL);
    who->underway = status == HT_OK && site.placed;
    who->here = site.point;
    ht_visit_site_deinit(&site);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

enum ht_status ht__round_wheres_place(struct ht__round_work *work)
{
    struct ht_round_scene *scene = work->scene;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < scene->inspector_count && status == HT_OK; i++) {
        struct ht_round_inspector *who = &scene->inspectors[i];
        const struct ht__round_where *where = ht__round_where_of(work, who->id);
        if (where == NULL || scene->plan_inspectors[i].shift_count == 0) {
            continue;
        }
        uint32_t site = ht__round_site_find(work, where->site, "");
        if (site != HT_PLAN_NONE) {
            who->here = scene->sites[site].point;
            who->underway = true;
        } else {
            status = elsewhere(work, where->site, who);
        }
    }
    return status;
}
