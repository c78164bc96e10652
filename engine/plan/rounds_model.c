/* What is known of a problem of rounds before anything is planned. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"

_Static_assert(HT__ROUNDS_MATES <= HT__ROUNDS_KNOWN, "lists of people near are as long as KNOWN");

static bool bit_at(const uint64_t *row, uint32_t i)
{
    return (row[i / 64] >> (i % 64) & 1) != 0;
}

bool ht__rounds_may_lead(const struct ht__rounds *r, uint32_t site, uint32_t inspector)
{
    return bit_at(r->may_lead + (size_t)site * r->words, inspector);
}

bool ht__rounds_may_come(const struct ht__rounds *r, uint32_t site, uint32_t inspector)
{
    return bit_at(r->may_come + (size_t)site * r->words, inspector);
}

uint32_t ht__rounds_week(const struct ht__rounds *r, uint32_t day)
{
    return (day + r->problem->first_weekday) / 7;
}

uint32_t ht__rounds_need_of(const struct ht_rounds_site *site, uint32_t day)
{
    for (uint32_t i = 0; i < site->need_count && site->needs[i].first_day <= day; i++) {
        if (day <= site->needs[i].last_day) {
            return i;
        }
    }
    return HT_PLAN_NONE;
}

/* at[0 .. days]: where each day's windows begin; the bits of days that have some. */
static uint64_t windows_index(const struct ht_rounds_window *windows, uint32_t count, uint32_t days,
                              uint32_t *at)
{
    uint64_t bits = 0;
    uint32_t i = 0;
    for (uint32_t d = 0; d < days; d++) {
        at[d] = i;
        while (i < count && windows[i].day == d) {
            i++;
        }
        bits |= (uint64_t)(at[d] < i) << d;
    }
    at[days] = i;
    return bits;
}

static uint64_t days_from(uint32_t first, uint32_t days)
{
    uint64_t all = (UINT64_C(1) << days) - 1;
    return first >= days ? 0 : all & ~((UINT64_C(1) << first) - 1);
}

/* ---- arrays ---- */

static bool site_arrays(struct ht__rounds *r)
{
    size_t sites = r->problem->site_count;
    r->open_at = ht_array_new(sites * (r->days + 1), sizeof *r->open_at);
    r->open_days = ht_array_new_zeroed(sites, sizeof *r->open_days);
    r->may_lead = ht_array_new_zeroed(sites * r->words, sizeof *r->may_lead);
    r->may_come = ht_array_new_zeroed(sites * r->words, sizeof *r->may_come);
    r->known = ht_array_new(sites * HT__ROUNDS_KNOWN, sizeof *r->known);
    r->mates = ht_array_new(sites * HT__ROUNDS_MATES, sizeof *r->mates);
    r->slot_first = ht_array_new_zeroed(sites + 1, sizeof *r->slot_first);
    r->run_first = ht_array_new_zeroed(sites + 2, sizeof *r->run_first);
    r->run_list = ht_array_new(r->problem->running_count, sizeof *r->run_list);
    r->by_time = ht_array_new(r->problem->running_count, sizeof *r->by_time);
    r->near = ht_array_new(sites * HT__ROUNDS_NEAR, sizeof *r->near);
    r->cell = ht_array_new(sites, sizeof *r->cell);
    r->owner = ht_array_new(sites, sizeof *r->owner);
    r->seen = ht_array_new_zeroed(sites, sizeof *r->seen);
    r->site_cost = ht_array_new_zeroed(sites, sizeof *r->site_cost);
    r->lost = ht_array_new_zeroed(r->problem->running_count, sizeof *r->lost);
    return r->open_at != NULL && r->open_days != NULL && r->may_lead != NULL &&
           r->may_come != NULL && r->known != NULL && r->mates != NULL && r->slot_first != NULL &&
           r->run_first != NULL && r->run_list != NULL && r->by_time != NULL && r->near != NULL &&
           r->cell != NULL && r->owner != NULL && r->seen != NULL && r->site_cost != NULL &&
           r->lost != NULL;
}

static bool inspector_arrays(struct ht__rounds *r)
{
    size_t inspectors = r->problem->inspector_count;
    size_t tours = inspectors * r->days;
    r->shift_at = ht_array_new(inspectors * (r->days + 1), sizeof *r->shift_at);
    r->shift_days = ht_array_new_zeroed(inspectors, sizeof *r->shift_days);
    r->tours = ht_array_new_zeroed(tours, sizeof *r->tours);
    r->week_visits = ht_array_new_zeroed(inspectors * HT__ROUNDS_WEEKS, sizeof *r->week_visits);
    r->day_visits = ht_array_new_zeroed(tours, sizeof *r->day_visits);
    r->load_s = ht_array_new_zeroed(inspectors, sizeof *r->load_s);
    r->load_cost = ht_array_new_zeroed(inspectors, sizeof *r->load_cost);
    return r->shift_at != NULL && r->shift_days != NULL && r->tours != NULL &&
           r->week_visits != NULL && r->day_visits != NULL && r->load_s != NULL &&
           r->load_cost != NULL;
}

static void run_at_fill(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    for (size_t i = 0; i < (size_t)p->site_count * r->days; i++) {
        r->run_at[i] = HT_PLAN_NONE;
    }
    for (uint32_t i = 0; i < r->run_first[p->site_count]; i++) {
        const struct ht_rounds_running *v = &p->running[r->run_list[i]];
        r->run_at[(size_t)v->site * r->days + v->day] = r->run_list[i];
    }
}

/* Slots and tours, once it is known how many and how long. */
static bool plan_arrays(struct ht__rounds *r)
{
    size_t tours = (size_t)r->problem->inspector_count * r->days;
    r->room = r->slot_count < HT_ROUNDS_STOPS_MOST ? r->slot_count : HT_ROUNDS_STOPS_MOST;
    r->slots = ht_array_new_zeroed(r->slot_count, sizeof *r->slots);
    r->stops = ht_array_new(tours * r->room, sizeof *r->stops);
    r->begin_s = ht_array_new(tours * r->room, sizeof *r->begin_s);
    r->latest_s = ht_array_new(tours * r->room, sizeof *r->latest_s);
    if (r->run_first[r->problem->site_count] > 0) {
        r->kept_s = ht_array_new_zeroed(tours * r->room, sizeof *r->kept_s);
        r->run_at = ht_array_new((size_t)r->problem->site_count * r->days, sizeof *r->run_at);
        if (r->kept_s == NULL || r->run_at == NULL) {
            return false;
        }
        run_at_fill(r);
    }
    if (r->problem->prices.cell_s > 0) {
        r->cell_sites = ht_array_new_zeroed((size_t)r->problem->inspector_count * r->cell_count,
                                            sizeof *r->cell_sites);
    }
    return r->slots != NULL && r->stops != NULL && r->begin_s != NULL && r->latest_s != NULL &&
           (r->cell_sites != NULL || r->problem->prices.cell_s == 0);
}

void ht__rounds_deinit(struct ht__rounds *r)
{
    free(r->open_at);
    free(r->open_days);
    free(r->may_lead);
    free(r->may_come);
    free(r->known);
    free(r->mates);
    free(r->slot_first);
    free(r->run_first);
    free(r->run_list);
    free(r->run_at);
    free(r->by_time);
    free(r->near);
    free(r->cell);
    free(r->owner);
    free(r->seen);
    free(r->site_cost);
    free(r->lost);
    free(r->shift_at);
    free(r->shift_days);
    free(r->tours);
    free(r->week_visits);
    free(r->day_visits);
    free(r->load_s);
    free(r->load_cost);
    free(r->slots);
    free(r->stops);
    free(r->begin_s);
    free(r->latest_s);
    free(r->kept_s);
    free(r->cell_sites);
    free(r->steps);
}

/* ---- who and when ---- */

/* Load above the fair one from which a second more costs hardly more than the last: else, where few
 * people have nearly all of the work, a day of theirs would be worth any owner. */
static int64_t steep_s(const struct ht_rounds_problem *p, int64_t fair_s)
{
    int64_t price = p->prices.owner_s > 0 ? p->prices.owner_s : HT_ROUNDS_PRICE_MOST;
    int64_t longest_s = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        longest_s = p->sites[s].service_s > longest_s ? p->sites[s].service_s : longest_s;
    }
    if (p->prices.balance == 0) {
        return HT_ROUNDS_STEEP_MOST_S;
    }
    int64_t k = 75 * price * fair_s / (p->prices.balance * (longest_s + 3600));
    k = k < 1 ? 1 : k;
    return k < HT_ROUNDS_STEEP_MOST_S ? k : HT_ROUNDS_STEEP_MOST_S;
}

static void inspectors_read(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    uint64_t from = days_from(p->first_day, r->days);
    int64_t service_s = 0;
    int64_t working = 0;
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        const struct ht_rounds_inspector *who = &p->inspectors[i];
        uint64_t days = windows_index(who->shifts, who->shift_count, r->days,
                                      r->shift_at + (size_t)i * (r->days + 1));
        r->shift_days[i] = days & from;
        working += days != 0;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        for (uint32_t n = 0; n < p->sites[s].need_count; n++) {
            service_s +=
                (int64_t)p->sites[s].needs[n].visits * p->sites[s].service_s * p->sites[s].crew;
        }
    }
    r->fair_s = working == 0 ? 0 : service_s / working;
    r->fair_s = r->fair_s < 3600 ? 3600 : r->fair_s;
    r->steep_s = steep_s(p, r->fair_s);
}

static void site_people(struct ht__rounds *r, uint32_t s)
{
    const struct ht_rounds_site *site = &r->problem->sites[s];
    uint64_t *lead = r->may_lead + (size_t)s * r->words;
    uint64_t *come = r->may_come + (size_t)s * r->words;
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        come[i / 64] |= UINT64_C(1) << (i % 64);
    }
    for (uint32_t b = 0; b < site->barred_count; b++) {
        come[site->barred[b] / 64] &= ~(UINT64_C(1) << (site->barred[b] % 64));
    }
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        bool skilled = (site->skills & ~r->problem->inspectors[i].skills) == 0;
        bool owned = !site->owner_hard || site->owner == i;
        if (skilled && owned && bit_at(come, i)) {
            lead[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
}

static void site_days(struct ht__rounds *r, uint32_t s)
{
    const struct ht_rounds_site *site = &r->problem->sites[s];
    uint64_t needed = 0;
    uint64_t open = windows_index(site->open, site->open_count, r->days,
                                  r->open_at + (size_t)s * (r->days + 1));
    for (uint32_t n = 0; n < site->need_count; n++) {
        if (site->needs[n].visits > 0) {
            needed |= days_from(site->needs[n].first_day, r->days) &
                      ~days_from(site->needs[n].last_day + 1, r->days);
        }
    }
    open = site->open_count == 0 ? UINT64_MAX : open;
    r->open_days[s] = open & site->days & needed & days_from(r->problem->first_day, r->days);
}

/* From start to the site and back to the end, alone. */
static int64_t round_trip(const struct ht__rounds *r, uint32_t site, uint32_t inspector)
{
    const struct ht_rounds_inspector *who = &r->problem->inspectors[inspector];
    uint32_t location = r->problem->sites[site].location;
    return (int64_t)ht__rounds_way_s(r, inspector, who->start, location) +
           ht__rounds_way_s(r, inspector, location, who->end);
}

/* The nearest of those who work on one of the site's days and may lead there, or come. */
static void site_near_people(const struct ht__rounds *r, uint32_t s, bool lead, uint32_t most,
                             uint32_t *list)
{
    int64_t far_s[HT__ROUNDS_KNOWN];
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        bool may = lead ? ht__rounds_may_lead(r, s, i) : ht__rounds_may_come(r, s, i);
        uint32_t at = count;
        if (!may || (r->shift_days[i] & r->open_days[s]) == 0) {
            continue;
        }
        int64_t way_s = round_trip(r, s, i);
        while (at > 0 && far_s[at - 1] > way_s) {
            if (at < most) {
                far_s[at] = far_s[at - 1];
                list[at] = list[at - 1];
            }
            at--;
        }
        if (at < most) {
            far_s[at] = way_s;
            list[at] = i;
            count += count < most;
        }
    }
    for (; count < most; count++) {
        list[count] = HT_PLAN_NONE;
    }
}

static void site_known(struct ht__rounds *r, uint32_t s)
{
    uint32_t *mates = r->mates + (size_t)s * HT__ROUNDS_MATES;
    site_near_people(r, s, true, HT__ROUNDS_KNOWN, r->known + (size_t)s * HT__ROUNDS_KNOWN);
    if (r->problem->sites[s].crew > 1) {
        site_near_people(r, s, false, HT__ROUNDS_MATES, mates);
    }
}

/* ---- slots and the running plan ---- */

static void running_read(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    for (uint32_t i = 0; i < p->running_count; i++) {
        if (p->running[i].state != HT_ROUNDS_PAST) {
            r->run_first[p->running[i].site + 2]++;
        }
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        r->run_first[s + 2] += r->run_first[s + 1];
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        if (p->running[i].state != HT_ROUNDS_PAST) {
            r->run_list[r->run_first[p->running[i].site + 1]++] = i;
        }
    }
}

/* A slot for each visit that is needed on different days, and for each that stays. */
static void slots_count(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    for (uint32_t s = 0; s < p->site_count; s++) {
        for (uint32_t n = 0; n < p->sites[s].need_count; n++) {
            const struct ht_rounds_need *need = &p->sites[s].needs[n];
            uint32_t days = need->last_day - need->first_day + 1;
            r->slot_first[s + 1] += need->visits < days ? need->visits : days;
        }
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        r->slot_first[p->running[i].site + 1] += p->running[i].state != HT_ROUNDS_PLANNED;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        r->slot_first[s + 1] += r->slot_first[s];
    }
    r->slot_count = r->slot_first[p->site_count];
}

static void slots_clear(struct ht__rounds *r)
{
    for (uint32_t s = 0; s < r->problem->site_count; s++) {
        for (uint32_t v = r->slot_first[s]; v < r->slot_first[s + 1]; v++) {
            r->slots[v] = (struct ht__rounds_slot){.site = s,
                                                   .lead = HT_PLAN_NONE,
                                                   .second = HT_PLAN_NONE,
                                                   .begin_s = HT__ROUNDS_FREE,
                                                   .running = HT_PLAN_NONE,
                                                   .state = HT_ROUNDS_PLANNED};
        }
    }
}

struct numbered {
    uint32_t value;
    uint32_t item;
};

static int by_number(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    return a->value != b->value ? (a->value < b->value ? -1 : 1)
                                : (a->item > b->item) - (a->item < b->item);
}

/* Numbers of cells, closed up. */
static enum ht_status cells_read(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    struct numbered *list = ht_array_new(p->site_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        list[s] = (struct numbered){p->sites[s].cell, s};
    }
    if (p->site_count > 1) {
        qsort(list, p->site_count, sizeof *list, by_number);
    }
    for (uint32_t i = 0; i < p->site_count; i++) {
        bool none = list[i].value == HT_PLAN_NONE;
        r->cell_count += !none && (i == 0 || list[i - 1].value != list[i].value);
        r->cell[list[i].item] = none ? HT_PLAN_NONE : r->cell_count - 1;
    }
    free(list);
    return HT_OK;
}

/* Running visits by day and begin. */
static enum ht_status times_read(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    struct numbered *list = ht_array_new(p->running_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        const struct ht_rounds_running *v = &p->running[i];
        uint32_t begin = v->day * (HT_ROUNDS_TIME_MOST_S + 1) + (uint32_t)v->begin_s;
        list[i] = (struct numbered){begin, i};
    }
    if (p->running_count > 1) {
        qsort(list, p->running_count, sizeof *list, by_number);
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        r->by_time[i] = list[i].item;
    }
    free(list);
    return HT_OK;
}

enum ht_status ht__rounds_init(struct ht__rounds *r, const struct ht_rounds_problem *problem)
{
    memset(r, 0, sizeof *r);
    r->problem = problem;
    r->days = problem->weeks * 7;
    r->words = (problem->inspector_count + 63) / 64;
    if (!site_arrays(r) || !inspector_arrays(r) || cells_read(r) != HT_OK ||
        times_read(r) != HT_OK) {
        return HT_NOMEM;
    }
    inspectors_read(r);
    running_read(r);
    slots_count(r);
    if (!plan_arrays(r)) {
        return HT_NOMEM;
    }
    slots_clear(r);
    for (uint32_t s = 0; s < problem->site_count; s++) {
        site_people(r, s);
        site_days(r, s);
        site_known(r, s);
        r->near[(size_t)s * HT__ROUNDS_NEAR] = HT_PLAN_NONE;
        r->owner[s] = problem->sites[s].owner;
    }
    return HT_OK;
}

/* ---- near sites ---- */

const uint32_t *ht__rounds_near(struct ht__rounds *r, uint32_t site)
{
    const struct ht_rounds_problem *p = r->problem;
    uint32_t *near = r->near + (size_t)site * HT__ROUNDS_NEAR;
    int64_t far_s[HT__ROUNDS_NEAR];
    uint32_t count = 0;
    if (near[0] != HT_PLAN_NONE) {
        return near;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        uint32_t a = p->sites[site].location;
        uint32_t b = p->sites[s].location;
        if (s == site || p->inspector_count == 0) {
            continue;
        }
        int64_t way_s = (int64_t)ht__rounds_way_s(r, 0, a, b) + ht__rounds_way_s(r, 0, b, a);
        uint32_t at = count;
        while (at > 0 && far_s[at - 1] > way_s) {
            if (at < HT__ROUNDS_NEAR) {
                far_s[at] = far_s[at - 1];
                near[at] = near[at - 1];
            }
            at--;
        }
        if (at < HT__ROUNDS_NEAR) {
            far_s[at] = way_s;
            near[at] = s;
            count += count < HT__ROUNDS_NEAR;
        }
    }
    for (; count < HT__ROUNDS_NEAR; count++) {
        near[count] = HT_PLAN_NONE;
    }
    return near;
}
