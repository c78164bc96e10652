/* The least travel of any plan that lacks nothing: the better of two bounds.
 *
 * Degrees: a place must be entered and left on as many days as any of its sites is visited, and by
 * as many inspectors as its visits fill days of; each time at the cost of the nearest neighbour.
 * A way between two places is out of one and into the other, so half of each counts; starts and
 * ends of the tours that the work fills come in likewise.
 *
 * Radius (Haimovich and Rinnooy Kan 1985): a tour is at least as long as there and back to the
 * farthest of its sites, and so as their mean by service, which fills a day at most.
 *
 * Both over shortest ways, made of the matrices (Floyd and Warshall): these need no triangle
 * inequality.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds.h"

enum { PLACES_MOST = 1500, FAR = 1 << 28 };

struct bound {
    const struct ht_rounds_problem *p;
    uint32_t *place; /* [locations] closed up; HT_PLAN_NONE: not used */
    uint32_t *location;
    uint32_t places;
    int32_t *way_s;     /* [places * places] the shortest of all profiles */
    uint32_t *left;     /* [sites] visits that are still to be planned */
    int64_t *entries;   /* [places] */
    int64_t *service_s; /* [places] */
    uint8_t *is_start;
    uint8_t *is_end;
    uint8_t *is_site;
    bool anywhere_start; /* somebody begins at the first site */
    bool anywhere_end;
    int64_t day_s; /* the longest working day */
};

static void place_use(struct bound *b, uint32_t location, uint8_t *mark)
{
    if (location == HT_PLAN_NONE) {
        return;
    }
    if (b->place[location] == HT_PLAN_NONE) {
        b->place[location] = b->places;
        b->location[b->places++] = location;
    }
    mark[b->place[location]] = 1;
}

static void inspectors_read(struct bound *b)
{
    for (uint32_t i = 0; i < b->p->inspector_count; i++) {
        const struct ht_rounds_inspector *who = &b->p->inspectors[i];
        int64_t day_s = 0;
        if (who->shift_count == 0) {
            continue;
        }
        place_use(b, who->start, b->is_start);
        place_use(b, who->underway ? who->here : HT_PLAN_NONE, b->is_start);
        place_use(b, who->end, b->is_end);
        b->anywhere_start = b->anywhere_start || who->start == HT_PLAN_NONE;
        b->anywhere_end = b->anywhere_end || who->end == HT_PLAN_NONE;
        for (uint32_t w = 0; w < who->shift_count; w++) {
            const struct ht_rounds_window *shift = &who->shifts[w];
            day_s = w > 0 && shift[-1].day == shift->day ? day_s : 0;
            day_s += shift->to_s - shift->from_s;
            b->day_s = day_s > b->day_s ? day_s : b->day_s;
        }
    }
}

/* What is past counts for its need. */
static void sites_read(struct bound *b)
{
    const struct ht_rounds_problem *p = b->p;
    for (uint32_t s = 0; s < p->site_count; s++) {
        const struct ht_rounds_site *site = &p->sites[s];
        for (uint32_t n = 0; n < site->need_count; n++) {
            uint32_t past = 0;
            for (uint32_t i = 0; i < p->running_count; i++) {
                const struct ht_rounds_running *run = &p->running[i];
                past += run->state == HT_ROUNDS_PAST && run->site == s &&
                        site->needs[n].first_day <= run->day && run->day <= site->needs[n].last_day;
            }
            b->left[s] += site->needs[n].visits > past ? site->needs[n].visits - past : 0;
        }
        if (b->left[s] > 0) {
            place_use(b, site->location, b->is_site);
        }
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        if (b->left[s] > 0) {
            uint32_t at = b->place[p->sites[s].location];
            int64_t times = (int64_t)b->left[s] * p->sites[s].crew;
            b->entries[at] = times > b->entries[at] ? times : b->entries[at];
            b->service_s[at] += times * p->sites[s].service_s;
        }
    }
    for (uint32_t i = 0; i < b->places && b->day_s > 0; i++) {
        int64_t days = (b->service_s[i] + b->day_s - 1) / b->day_s;
        b->entries[i] = days > b->entries[i] ? days : b->entries[i];
    }
}

static void ways_shorten(struct bound *b)
{
    const struct ht_rounds_problem *p = b->p;
    size_t n = b->places;
    for (size_t i = 0; i < n * n; i++) {
        b->way_s[i] = i / n == i % n ? 0 : FAR;
        for (uint32_t k = 0; k < p->profile_count && i / n != i % n; k++) {
            uint32_t way_s =
                p->profiles[k].duration_s[(size_t)b->location[i / n] * p->location_count +
                                          b->location[i % n]];
            b->way_s[i] = way_s < (uint32_t)b->way_s[i] ? (int32_t)way_s : b->way_s[i];
        }
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            int32_t first_s = b->way_s[i * n + k];
            for (size_t j = 0; first_s < FAR && j < n; j++) {
                int32_t sum_s = first_s + b->way_s[k * n + j];
                b->way_s[i * n + j] = sum_s < b->way_s[i * n + j] ? sum_s : b->way_s[i * n + j];
            }
        }
    }
}

/* The nearest of the marked places (and of others that have sites), from there or to there. */
static int64_t nearest(const struct bound *b, uint32_t at, const uint8_t *mark, bool from)
{
    int64_t best = FAR;
    for (uint32_t o = 0; o < b->places; o++) {
        int32_t way_s =
            from ? b->way_s[(size_t)o * b->places + at] : b->way_s[(size_t)at * b->places + o];
        bool asked = mark[o] != 0 || (o != at && b->is_site[o] != 0);
        best = asked && way_s < best ? way_s : best;
    }
    return best;
}

/* Twice the bound by degrees. */
static int64_t degrees(const struct bound *b)
{
    int64_t twice = 0;
    int64_t service_s = 0;
    int64_t leave_s = b->anywhere_start ? 0 : FAR;
    int64_t back_s = b->anywhere_end ? 0 : FAR;
    for (uint32_t i = 0; i < b->places; i++) {
        if (b->is_site[i] == 0) {
            continue;
        }
        int64_t in_s = b->anywhere_start ? 0 : nearest(b, i, b->is_start, true);
        int64_t out_s = b->anywhere_end ? 0 : nearest(b, i, b->is_end, false);
        twice += b->entries[i] * (in_s + out_s);
        service_s += b->service_s[i];
        for (uint32_t o = 0; o < b->places; o++) {
            int32_t there_s = b->way_s[(size_t)o * b->places + i];
            int32_t home_s = b->way_s[(size_t)i * b->places + o];
            leave_s = b->is_start[o] != 0 && there_s < leave_s ? there_s : leave_s;
            back_s = b->is_end[o] != 0 && home_s < back_s ? home_s : back_s;
        }
    }
    if (b->day_s > 0 && leave_s < FAR && back_s < FAR) {
        twice += (service_s + b->day_s - 1) / b->day_s * (leave_s + back_s);
    }
    return twice;
}

/* There and back, of whoever lives nearest. */
static int64_t radius(const struct bound *b, uint32_t at)
{
    int64_t best = FAR;
    size_t n = b->places;
    for (uint32_t i = 0; i < b->p->inspector_count; i++) {
        const struct ht_rounds_inspector *who = &b->p->inspectors[i];
        if (who->shift_count > 0) {
            int64_t way_s =
                who->start == HT_PLAN_NONE ? 0 : b->way_s[b->place[who->start] * n + at];
            int64_t here_s = who->underway ? b->way_s[b->place[who->here] * n + at] : FAR;
            way_s = here_s < way_s ? here_s : way_s;
            way_s += who->end == HT_PLAN_NONE ? 0 : b->way_s[at * n + b->place[who->end]];
            best = way_s < best ? way_s : best;
        }
    }
    return best;
}

static int64_t radii(const struct bound *b)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < b->places && b->day_s > 0; i++) {
        int64_t way_s = b->is_site[i] != 0 ? radius(b, i) : 0;
        sum += way_s < FAR ? b->service_s[i] * way_s : 0;
    }
    return b->day_s > 0 ? (sum + b->day_s - 1) / b->day_s : 0;
}

enum ht_status ht_rounds_bound(const struct ht_rounds_problem *problem, int64_t *travel_s)
{
    const struct ht_rounds_problem *p = problem;
    struct bound b = {.p = p};
    *travel_s = 0;
    enum ht_status status = ht_rounds_problem_check(p, NULL);
    if (status != HT_OK) {
        return status;
    }
    b.place = ht_array_new(p->location_count, sizeof *b.place);
    b.location = ht_array_new(p->location_count, sizeof *b.location);
    b.left = ht_array_new_zeroed(p->site_count, sizeof *b.left);
    b.entries = ht_array_new_zeroed(p->location_count, sizeof *b.entries);
    b.service_s = ht_array_new_zeroed(p->location_count, sizeof *b.service_s);
    b.is_start = ht_array_new_zeroed(p->location_count, 1);
    b.is_end = ht_array_new_zeroed(p->location_count, 1);
    b.is_site = ht_array_new_zeroed(p->location_count, 1);
    status = b.place == NULL || b.location == NULL || b.left == NULL || b.entries == NULL ||
                     b.service_s == NULL || b.is_start == NULL || b.is_end == NULL ||
                     b.is_site == NULL
                 ? HT_NOMEM
                 : HT_OK;
    if (status == HT_OK) {
        memset(b.place, 0xff, p->location_count * sizeof *b.place);
        inspectors_read(&b);
        sites_read(&b);
        status = b.places > PLACES_MOST ? HT_TOO_BIG : HT_OK;
    }
    if (status == HT_OK) {
        b.way_s = ht_array_new((size_t)b.places * b.places, sizeof *b.way_s);
        status = b.way_s == NULL ? HT_NOMEM : HT_OK;
    }
    if (status == HT_OK) {
        ways_shorten(&b);
        int64_t by_degrees = (degrees(&b) + 1) / 2;
        int64_t by_radius = radii(&b);
        *travel_s = by_degrees > by_radius ? by_degrees : by_radius;
    }
    free(b.place);
    free(b.location);
    free(b.left);
    free(b.entries);
    free(b.service_s);
    free(b.is_start);
    free(b.is_end);
    free(b.is_site);
    free(b.way_s);
    return status;
}
