/* What the inspectors of a round have to do besides: visits of other rounds, and such as no round
 * has. That is time which the round does not have, with a while before and after to get there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/rounds_scene_internal.h"
#include "api/visits_room.h"
#include "engine/base/array.h"

#define BETWEEN_MS (INT64_C(15) * 60 * 1000)

enum { VISITS_MOST = 100000 };

static int by_who(const void *left, const void *right)
{
    const struct ht__round_busy *a = left;
    const struct ht__round_busy *b = right;
    int order = strcmp(a->who, b->who);
    return order != 0 ? order
                      : (a->time.from_ms > b->time.from_ms) - (a->time.from_ms < b->time.from_ms);
}

/* Whether this round has promised to be there with that inspector at the time: the promise stands,
 * whatever was put beside it. */
static bool is_promised(const struct ht_round_making *making, const struct ht_visit *visit,
                        const char *who)
{
    const struct ht_round_before *before = making->before;
    for (size_t i = 0; before != NULL && i < before->visit_count; i++) {
        const struct ht_round_visit *own = &before->visits[i];
        bool theirs = strcmp(own->inspector, who) == 0 || strcmp(own->second, who) == 0;
        if (own->state == HT_VISIT_IS_PROMISED && theirs &&
            own->start_ms < visit->end_ms + BETWEEN_MS &&
            visit->start_ms - BETWEEN_MS < own->end_ms) {
            return true;
        }
    }
    return false;
}

static void busy_add(struct ht__round_work *work, const struct ht_visit *visit, const char *who)
{
    if (who == NULL || is_promised(work->making, visit, who)) {
        return;
    }
    struct ht__round_busy *busy = &work->busy[work->busy_count++];
    (void)snprintf(busy->who, sizeof busy->who, "%s", who);
    busy->time = (struct ht_round_leave){visit->start_ms - BETWEEN_MS, visit->end_ms + BETWEEN_MS};
}

static enum ht_status busy_take(struct ht__round_work *work, const struct ht_visit *const *list,
                                size_t count)
{
    const char *round = work->making->round;
    work->busy = ht_array_new(count * 2, sizeof *work->busy);
    if (work->busy == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i]->round == NULL || round == NULL || strcmp(list[i]->round, round) != 0) {
            busy_add(work, list[i], list[i]->inspector);
            busy_add(work, list[i], list[i]->second);
        }
    }
    if (work->busy_count > 1) {
        qsort(work->busy, work->busy_count, sizeof *work->busy, by_who);
    }
    return HT_OK;
}

enum ht_status ht__round_busy_read(struct ht__round_work *work)
{
    struct ht_visits *visits = ht_visits_room_visits(work->making->context->app->visits);
    const struct ht_round_days *days = &work->scene->days;
    const struct ht_visit_filter ahead = {.states = UINT32_C(1) << HT_VISIT_IS_PLANNED |
                                                    UINT32_C(1) << HT_VISIT_IS_PROMISED,
                                          .from_ms = work->making->since_ms,
                                          .to_ms = ht_round_moment(days, days->count, 0)};
    const struct ht_visit **list = ht_array_new(VISITS_MOST, sizeof(struct ht_visit *));
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = ht_visits_list(visits, &ahead, VISITS_MOST, list);
    enum ht_status status = busy_take(work, list, count);
    for (size_t i = 0; i < count; i++) {
        ht_visit_release(list[i]);
    }
    free((void *)list);
    return status;
}

const struct ht__round_busy *ht__round_busy_of(const struct ht__round_work *work, const char *who,
                                               size_t *count)
{
    size_t low = 0;
    size_t high = work->busy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(work->busy[middle].who, who) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *count = 0;
    while (low + *count < work->busy_count && strcmp(work->busy[low + *count].who, who) == 0) {
        ++*count;
    }
    return work->busy == NULL ? NULL : work->busy + low;
}
