#include "engine/live/progress.h"

#include <math.h>

enum { ACCURACY_MOST_M = 50, NEXT_RATHER_M = 20 };

#define SETS_OFF_MPS 5.0 /* what it goes by, at least, from where it was silent */
#define SLOW_MPS 2.0

static bool same_place(struct ht_point a, struct ht_point b)
{
    return a.lon_e7 == b.lon_e7 && a.lat_e7 == b.lat_e7;
}

/* ---- stops that are past ---- */

/* HT_PROGRESS_REMEMBERED: it is none of them. */
static uint32_t past_find(const struct ht_progress *progress, struct ht_point stop)
{
    uint32_t count = progress->past_count < HT_PROGRESS_REMEMBERED ? progress->past_count
                                                                   : HT_PROGRESS_REMEMBERED;
    uint32_t i = 0;
    while (i < count && !same_place(progress->past[i], stop)) {
        i++;
    }
    return i < count ? i : HT_PROGRESS_REMEMBERED;
}

bool ht_progress_past(const struct ht_progress *progress, struct ht_point stop)
{
    return past_find(progress, stop) < HT_PROGRESS_REMEMBERED;
}

bool ht_progress_skipped(const struct ht_progress *progress, struct ht_point stop)
{
    uint32_t i = past_find(progress, stop);
    return i < HT_PROGRESS_REMEMBERED && (progress->skipped >> i & 1) != 0;
}

static void past_add(struct ht_progress *progress, struct ht_point stop, bool skipped)
{
    uint32_t i = past_find(progress, stop);
    if (i == HT_PROGRESS_REMEMBERED) {
        i = progress->past_count++ % HT_PROGRESS_REMEMBERED;
        progress->past[i] = stop;
    }
    progress->skipped &= ~(UINT32_C(1) << i);
    progress->skipped |= skipped ? UINT32_C(1) << i : 0;
}

/* ---- arriving and leaving ---- */

/* What an event list is filled by. */
struct telling {
    struct ht_progress *progress;
    struct ht_progress_event *events;
    size_t count;
};

static void tell(struct telling *telling, enum ht_progress_kind kind, struct ht_point stop,
                 int64_t at_ms, int64_t since_ms)
{
    if (telling->count < HT_PROGRESS_EVENTS) {
        telling->events[telling->count++] = (struct ht_progress_event){kind, stop, at_ms, since_ms};
    }
}

static void leave(struct telling *telling, int64_t at_ms)
{
    struct ht_progress *progress = telling->progress;
    progress->at = false;
    progress->driven_ms = at_ms;
    tell(telling, HT_PROGRESS_LEFT, progress->stop, at_ms, progress->since_ms);
}

/* Those before it that it was not at are left out; as many as are remembered. */
static void skip_before(struct telling *telling, const struct ht_progress_ahead *ahead,
                        struct ht_point stop, int64_t at_ms)
{
    uint32_t found = 0;
    while (found < ahead->stop_count && !same_place(ahead->stops[found], stop)) {
        found++;
    }
    if (found == ahead->stop_count || found >= HT_PROGRESS_REMEMBERED) {
        return; /* that is no leaving out, that is another plan */
    }
    for (uint32_t i = 0; i < found; i++) {
        if (!ht_progress_past(telling->progress, ahead->stops[i])) {
            past_add(telling->progress, ahead->stops[i], true);
            tell(telling, HT_PROGRESS_SKIPPED, ahead->stops[i], at_ms, 0);
        }
    }
}

static void way_found(struct telling *telling, int64_t at_ms)
{
    struct ht_progress *progress = telling->progress;
    if (progress->off) {
        tell(telling, HT_PROGRESS_ON, progress->point, at_ms, progress->off_ms);
    }
    progress->off = progress->straying = false;
    progress->within = 0;
}

static void arrive(struct telling *telling, const struct ht_progress_ahead *ahead,
                   struct ht_point stop, int64_t at_ms)
{
    struct ht_progress *progress = telling->progress;
    way_found(telling, at_ms);
    skip_before(telling, ahead, stop, at_ms);
    tell(telling, HT_PROGRESS_ARRIVED, stop, at_ms, progress->driven_ms);
    progress->at = true;
    progress->told = false;
    progress->nearing = progress->lingering = false;
    progress->stop = stop;
    progress->since_ms = at_ms;
    progress->near_ms = at_ms;
    past_add(progress, stop, false);
}

/* ---- positions ---- */

static double doubt_m(const struct ht_progress_fix *fix)
{
    return fix->accuracy_m > 0 ? fmin(fix->accuracy_m, ACCURACY_MOST_M) : 0;
}

/* The stop that it is near; false: none. */
static bool stop_near(const struct ht_progress *progress, const struct ht_progress_fix *fix,
                      const struct ht_progress_ahead *ahead, struct ht_point *out)
{
    double most_m = HT_PROGRESS_NEAR_M + doubt_m(fix);
    double best_m = INFINITY;
    for (uint32_t i = 0; i < ahead->stop_count; i++) {
        double far_m = ht_distance_m(fix->point, ahead->stops[i]);
        bool left = progress->lingering && same_place(progress->stop, ahead->stops[i]);
        if (!left && far_m <= most_m && far_m < best_m) {
            *out = ahead->stops[i];
            best_m = i == 0 ? far_m - NEXT_RATHER_M : far_m;
        }
    }
    return best_m < INFINITY;
}

/* Whether it stands near that stop for long enough; since `candidate_ms` then. */
static bool dwells(struct ht_progress *progress, const struct ht_progress_fix *fix,
                   struct ht_point stop)
{
    bool moves = fix->speed_mps >= SLOW_MPS ||
                 ht_distance_m(progress->stays, fix->point) > HT_PROGRESS_STAY_M + doubt_m(fix);
    if (!progress->nearing || moves || !same_place(progress->candidate, stop)) {
        progress->nearing = true;
        progress->candidate = stop;
        progress->stays = fix->point;
        progress->candidate_ms = fix->ts_ms;
    }
    return fix->ts_ms - progress->candidate_ms >= HT_PROGRESS_DWELL_MS;
}

static bool is_ahead(const struct ht_progress_ahead *ahead, struct ht_point stop)
{
    uint32_t i = 0;
    while (i < ahead->stop_count && !same_place(ahead->stops[i], stop)) {
        i++;
    }
    return i < ahead->stop_count;
}

/* It is at the stop that it was near, and no more where it was before. */
static void come(struct telling *telling, const struct ht_progress_ahead *ahead, int64_t near_ms)
{
    struct ht_progress *progress = telling->progress;
    struct ht_point stop = progress->candidate;
    int64_t came_ms = progress->candidate_ms;
    if (progress->at) {
        leave(telling, came_ms > progress->since_ms ? came_ms : progress->since_ms);
    }
    arrive(telling, ahead, stop, came_ms);
    progress->near_ms = near_ms;
}

static void look_for_stop(struct telling *telling, const struct ht_progress_fix *fix,
                          const struct ht_progress_ahead *ahead)
{
    struct ht_progress *progress = telling->progress;
    struct ht_point stop = {0, 0};
    if (!stop_near(progress, fix, ahead, &stop)) {
        progress->nearing = false;
    } else if (dwells(progress, fix, stop)) {
        come(telling, ahead, fix->ts_ms);
    }
}

/* A device that tells nothing while it stands. */
static void look_at_silence(struct telling *telling, const struct ht_progress_fix *fix,
                            const struct ht_progress_ahead *ahead)
{
    const struct ht_progress *progress = telling->progress;
    double way_ms = ht_distance_m(progress->point, fix->point) / SETS_OFF_MPS * 1000;
    int64_t until_ms = fix->ts_ms - (int64_t)way_ms;
    if (progress->nearing && progress->slow &&
        until_ms - progress->candidate_ms >= HT_PROGRESS_DWELL_MS) {
        come(telling, ahead, until_ms);
    }
}

/* What was to be done here is done, and it has moved on to one that is hardly farther off than this
 * one is left by. */
static void look_for_next(struct telling *telling, const struct ht_progress_fix *fix,
                          const struct ht_progress_ahead *ahead, double far_m)
{
    struct ht_progress *progress = telling->progress;
    struct ht_point stop = {0, 0};
    bool nearer = stop_near(progress, fix, ahead, &stop) &&
                  ht_distance_m(fix->point, stop) + HT_PROGRESS_STAY_M + doubt_m(fix) < far_m;
    if (!nearer) {
        progress->nearing = false;
    } else if (dwells(progress, fix, stop)) {
        come(telling, ahead, fix->ts_ms);
    }
}

/* Still there, gone, or at the next one already. */
static void look_at_stop(struct telling *telling, const struct ht_progress_fix *fix,
                         const struct ht_progress_ahead *ahead)
{
    struct ht_progress *progress = telling->progress;
    double far_m = ht_distance_m(fix->point, progress->stop);
    if (far_m <= HT_PROGRESS_NEAR_M + doubt_m(fix) && fix->ts_ms > progress->near_ms) {
        progress->near_ms = fix->ts_ms; /* older ones come late: he said that he was there */
    }
    if (far_m > HT_PROGRESS_LEAVE_M + doubt_m(fix)) {
        leave(telling, progress->near_ms);
        look_for_stop(telling, fix, ahead);
    } else if (!is_ahead(ahead, progress->stop)) {
        look_for_next(telling, fix, ahead, far_m);
    }
}

/* ---- the way ---- */

/* Within a plane around the point, which is as good as exact for a hundred metres. */
static double segment_m(struct ht_point p, struct ht_point a, struct ht_point b)
{
    struct ht_scale scale = ht_scale_at(p.lat_e7);
    double ax = ((double)a.lon_e7 - p.lon_e7) / 1e7 * scale.lon_m;
    double ay = ((double)a.lat_e7 - p.lat_e7) / 1e7 * scale.lat_m;
    double bx = ((double)b.lon_e7 - p.lon_e7) / 1e7 * scale.lon_m;
    double by = ((double)b.lat_e7 - p.lat_e7) / 1e7 * scale.lat_m;
    double length = (bx - ax) * (bx - ax) + (by - ay) * (by - ay);
    double part = length > 0 ? -(ax * (bx - ax) + ay * (by - ay)) / length : 0;
    part = fmax(0, fmin(part, 1));
    return hypot(ax + part * (bx - ax), ay + part * (by - ay));
}

static bool is_within(const struct ht_progress_fix *fix, const struct ht_progress_ahead *ahead)
{
    double most_m = HT_PROGRESS_OFF_M + doubt_m(fix);
    bool within = false;
    for (size_t i = 0; i < ahead->way_count && !within; i++) {
        size_t next = i + 1 < ahead->way_count ? i + 1 : i;
        within = segment_m(fix->point, ahead->way[i], ahead->way[next]) <= most_m;
    }
    return within;
}

static void look_at_way(struct telling *telling, const struct ht_progress_fix *fix,
                        const struct ht_progress_ahead *ahead)
{
    struct ht_progress *progress = telling->progress;
    if (ahead->way_count == 0 || progress->at) {
        return;
    }
    if (is_within(fix, ahead)) {
        progress->straying = false;
        progress->within++;
        if (progress->off && progress->within >= 2) {
            way_found(telling, fix->ts_ms);
        }
        return;
    }
    progress->within = 0;
    if (!progress->off && !progress->straying) {
        progress->straying = true;
        progress->off_ms = fix->ts_ms;
    }
    if (!progress->off && fix->ts_ms - progress->off_ms >= HT_PROGRESS_OFF_MS) {
        progress->off = true;
        tell(telling, HT_PROGRESS_OFF, fix->point, progress->off_ms, 0);
    }
}

/* ---- the door ---- */

size_t ht_progress_see(struct ht_progress *progress, const struct ht_progress_fix *fix,
                       const struct ht_progress_ahead *ahead, struct ht_progress_event *events)
{
    struct telling telling = {progress, events, 0};
    if (progress->ts_ms != 0 && fix->ts_ms <= progress->ts_ms) {
        return 0;
    }
    if (progress->lingering &&
        ht_distance_m(fix->point, progress->stop) > HT_PROGRESS_LEAVE_M + doubt_m(fix)) {
        progress->lingering = false;
    }
    look_at_silence(&telling, fix, ahead);
    if (progress->at) {
        look_at_stop(&telling, fix, ahead);
    } else {
        look_for_stop(&telling, fix, ahead);
    }
    look_at_way(&telling, fix, ahead);
    progress->ts_ms = fix->ts_ms;
    progress->point = fix->point;
    progress->slow = fix->speed_mps >= 0 && fix->speed_mps < SLOW_MPS;
    return telling.count;
}

size_t ht_progress_told(struct ht_progress *progress, struct ht_point stop, int64_t at_ms,
                        const struct ht_progress_ahead *ahead, struct ht_progress_event *events)
{
    struct telling telling = {progress, events, 0};
    if (progress->at && same_place(progress->stop, stop)) {
        progress->told = true;
        return 0;
    }
    if (progress->at) {
        leave(&telling, at_ms < progress->near_ms ? at_ms : progress->near_ms);
    }
    arrive(&telling, ahead, stop, at_ms);
    progress->told = true;
    return telling.count;
}

size_t ht_progress_told_left(struct ht_progress *progress, int64_t at_ms,
                             struct ht_progress_event *events)
{
    struct telling telling = {progress, events, 0};
    if (progress->at) {
        leave(&telling, at_ms < progress->since_ms ? progress->since_ms : at_ms);
        progress->lingering = true;
    }
    return telling.count;
}

bool ht_progress_told_skip(struct ht_progress *progress, struct ht_point stop)
{
    if (ht_progress_past(progress, stop)) {
        return false;
    }
    past_add(progress, stop, true);
    return true;
}

void ht_progress_recall(struct ht_progress *progress, const struct ht_progress_event *event,
                        bool by_driver)
{
    switch (event->kind) {
    case HT_PROGRESS_ARRIVED:
        progress->at = true;
        progress->told = by_driver;
        progress->lingering = false;
        progress->stop = event->stop;
        progress->since_ms = progress->near_ms = event->at_ms;
        past_add(progress, event->stop, false);
        break;
    case HT_PROGRESS_LEFT:
        progress->at = false;
        progress->lingering = by_driver;
        progress->stop = event->stop;
        progress->driven_ms = event->at_ms;
        break;
    case HT_PROGRESS_SKIPPED:
        past_add(progress, event->stop, true);
        break;
    case HT_PROGRESS_OFF:
        progress->off = true;
        progress->off_ms = event->at_ms;
        break;
    case HT_PROGRESS_ON:
    default:
        progress->off = false;
        break;
    }
}
