/* Why a visit is missing, or not as wished, and what would mend it: rules are looked at one after
 * the other, each with what the ones before leave; the first that leaves too little is the reason.
 */
#include <string.h>

#include "engine/plan/rounds_internal.h"

/* Looking for the least overtime or a quota in the way takes its time. In a plan that lacks very
 * much, the last ones are told the plain answer: one inspector more. */
enum { STEPS = 100000000, LESS_MOST = 400 /* days, by which a gap may be too long */ };

/* One site and one of its needs. */
struct why {
    struct ht__rounds *r;
    const struct ht_rounds_site *site;
    const struct ht_rounds_need *need;
    uint32_t index;  /* of the site */
    uint32_t want;   /* visits, beside those that stay */
    uint64_t fixed;  /* days of visits that stay, of all needs */
    uint64_t within; /* days of the need that can still be planned, without those */
    struct ht_rounds_missing *missing;
};

static uint32_t count_of(uint64_t days)
{
    return (uint32_t)__builtin_popcountll(days);
}

static struct ht_rounds_mend mend_of(enum ht_rounds_hint hint, uint32_t number, uint32_t inspector,
                                     uint32_t day)
{
    return (struct ht_rounds_mend){
        .hint = hint, .number = number, .inspector = inspector, .day = day};
}

static bool tell(struct why *w, enum ht_rounds_reason reason, struct ht_rounds_mend mend)
{
    w->missing->reason = reason;
    w->missing->mend = mend;
    return true;
}

static bool tell_inspector(struct why *w, enum ht_rounds_reason reason, uint64_t skills)
{
    struct ht_rounds_mend mend = mend_of(HT_ROUNDS_HINT_INSPECTOR, 1, HT_PLAN_NONE, HT_PLAN_NONE);
    mend.skills = skills;
    if (w->site->owner_hard && reason != HT_ROUNDS_NOBODY && reason != HT_ROUNDS_CREW) {
        /* one more may not lead there, however able */
        mend = mend_of(HT_ROUNDS_HINT_OTHERS, 1, w->site->owner, HT_PLAN_NONE);
    }
    return tell(w, reason, mend);
}

/* ---- alone ---- */

static bool has_way(const struct ht__rounds *r, uint32_t site, uint32_t inspector)
{
    const struct ht_rounds_inspector *who = &r->problem->inspectors[inspector];
    uint32_t location = r->problem->sites[site].location;
    return ht__rounds_way_s(r, inspector, who->start, location) < HT__ROUNDS_FAR &&
           ht__rounds_way_s(r, inspector, location, who->end) < HT__ROUNDS_FAR;
}

/* When an inspector with nothing else to do can begin a visit; from FAR: never. */
static struct ht_window alone(const struct ht__rounds *r, uint32_t site, uint32_t inspector,
                              uint32_t day)
{
    const struct ht_rounds_inspector *who = &r->problem->inspectors[inspector];
    const struct ht_rounds_site *s = &r->problem->sites[site];
    struct ht_window window = {HT__ROUNDS_FAR, -1};
    if ((r->shift_days[inspector] >> day & 1) == 0 || !has_way(r, site, inspector)) {
        return window;
    }
    int32_t from_s =
        ht__rounds_from_s(r, inspector, day) +
        ht__rounds_way_s(r, inspector, ht__rounds_start(r, inspector, day), s->location);
    int32_t to_s = ht__rounds_to_s(r, inspector, day) -
                   ht__rounds_way_s(r, inspector, s->location, who->end) - (int32_t)s->service_s;
    window.from_s = ht__rounds_next_s(r, site, inspector, day, from_s);
    window.to_s = ht__rounds_last_s(r, site, inspector, day, to_s);
    if (window.from_s > window.to_s) {
        window = (struct ht_window){HT__ROUNDS_FAR, -1};
    }
    return window;
}

/* Whether two with nothing else to do can be there together. */
static bool together(const struct ht__rounds *r, uint32_t site, const uint32_t pair[2],
                     uint32_t day)
{
    struct ht_window a = alone(r, site, pair[0], day);
    struct ht_window b = alone(r, site, pair[1], day);
    int64_t to_s = a.to_s < b.to_s ? a.to_s : b.to_s;
    int64_t t_s = a.from_s > b.from_s ? a.from_s : b.from_s;
    while (t_s <= to_s) {
        int32_t next_s = ht__rounds_next_s(r, site, pair[0], day, (int32_t)t_s);
        next_s =
            next_s >= HT__ROUNDS_FAR ? next_s : ht__rounds_next_s(r, site, pair[1], day, next_s);
        if (next_s == t_s) {
            return true;
        }
        t_s = next_s;
    }
    return false;
}

static bool somebody_with(const struct ht__rounds *r, uint32_t site, uint32_t lead, uint32_t day)
{
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        const uint32_t pair[2] = {lead, i};
        if (i != lead && ht__rounds_may_come(r, site, i) && together(r, site, pair, day)) {
            return true;
        }
    }
    return false;
}

/* Days of `days` on which somebody who may lead could come if it were the only visit: alone, or
 * with a second. */
static uint64_t days_alone(const struct why *w, uint64_t days, bool two)
{
    const struct ht__rounds *r = w->r;
    uint64_t can = 0;
    for (uint32_t d = 0; d < r->days; d++) {
        for (uint32_t i = 0; (days >> d & 1) != 0 && i < r->problem->inspector_count; i++) {
            if (ht__rounds_may_lead(r, w->index, i) &&
                alone(r, w->index, i, d).from_s < HT__ROUNDS_FAR &&
                (!two || somebody_with(r, w->index, i, d))) {
                can |= UINT64_C(1) << d;
                break;
            }
        }
    }
    return can;
}

/* ---- overtime ---- */

/* As ht__rounds_next_s, if the last shift of the day had no end. */
static int32_t next_open_end(const struct ht__rounds *r, uint32_t slot, uint32_t site,
                             const uint32_t who_day[2], int32_t t_s)
{
    static const struct ht_rounds_window always = {0, 0, HT_ROUNDS_TIME_MOST_S};
    const struct ht_rounds_site *s = &r->problem->sites[site];
    const struct ht_rounds_window *shift = r->problem->inspectors[who_day[0]].shifts;
    const uint32_t *at = r->shift_at + (size_t)who_day[0] * (r->days + 1) + who_day[1];
    const uint32_t *open_at = r->open_at + (size_t)site * (r->days + 1) + who_day[1];
    uint32_t count = s->open_count == 0 ? 1 : open_at[1] - open_at[0];
    const struct ht_rounds_window *open = s->open_count == 0 ? &always : s->open + open_at[0];
    if (slot != HT_PLAN_NONE && r->slots[slot].begin_s != HT__ROUNDS_FREE) {
        return t_s <= r->slots[slot].begin_s ? r->slots[slot].begin_s : HT__ROUNDS_FAR;
    }
    for (uint32_t i = at[0]; i < at[1]; i++) {
        int32_t shift_to_s = i + 1 == at[1] ? HT_ROUNDS_TIME_MOST_S : shift[i].to_s;
        for (uint32_t o = 0; o < count; o++) {
            int32_t from_s = shift[i].from_s > open[o].from_s ? shift[i].from_s : open[o].from_s;
            int32_t to_s = shift_to_s < open[o].to_s ? shift_to_s : open[o].to_s;
            from_s = t_s > from_s ? t_s : from_s;
            if (from_s <= to_s - (int32_t)s->service_s) {
                return from_s;
            }
        }
    }
    return HT__ROUNDS_FAR;
}

/* When the tour ends with the site before stop `k`. */
static int32_t end_with(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2],
                        uint32_t k)
{
    const struct ht_rounds_problem *p = r->problem;
    const struct ht_rounds_inspector *who = &p->inspectors[who_day[0]];
    size_t tour = (size_t)who_day[0] * r->days + who_day[1];
    const uint32_t *stops = r->stops + tour * r->room;
    uint32_t before = ht__rounds_start(r, who_day[0], who_day[1]);
    int32_t now_s = ht__rounds_from_s(r, who_day[0], who_day[1]);
    for (uint32_t i = 0; i <= r->tours[tour].count; i++) {
        uint32_t slot = i == k ? HT_PLAN_NONE : stops[i > k ? i - 1 : i];
        uint32_t here = i == k ? site : r->slots[slot].site;
        now_s += ht__rounds_way_s(r, who_day[0], before, p->sites[here].location);
        now_s = next_open_end(r, slot, here, who_day, now_s);
        if (now_s >= HT__ROUNDS_FAR) {
            return HT__ROUNDS_FAR;
        }
        now_s += (int32_t)p->sites[here].service_s;
        before = p->sites[here].location;
    }
    int32_t back_s = ht__rounds_way_s(r, who_day[0], before, who->end);
    return back_s >= HT__ROUNDS_FAR ? HT__ROUNDS_FAR : now_s + back_s;
}

/* Whether there is time for so many more steps. */
static bool may_look(struct ht__rounds *r, uint64_t steps)
{
    r->why_left -= (int64_t)steps;
    return r->why_left > -STEPS;
}

/* By how much longer a day would hold the site, too; FAR: not at all, 0: it does. */
static int32_t overtime(const struct ht__rounds *r, uint32_t site, uint32_t inspector, uint32_t day)
{
    const uint32_t who_day[2] = {inspector, day};
    int32_t best_s = HT__ROUNDS_FAR;
    if ((r->shift_days[inspector] >> day & 1) == 0) {
        return HT__ROUNDS_FAR;
    }
    uint32_t count = r->tours[(size_t)inspector * r->days + day].count;
    for (uint32_t k = 0; k <= count && count < r->room; k++) {
        int32_t end_s = end_with(r, site, who_day, k);
        best_s = end_s < best_s ? end_s : best_s;
    }
    if (best_s >= HT__ROUNDS_FAR) {
        return HT__ROUNDS_FAR;
    }
    int32_t to_s = ht__rounds_to_s(r, inspector, day);
    return best_s > to_s ? best_s - to_s : 0;
}

/* The least of all who may lead; false: nobody's day would be long enough. */
static bool least_overtime(const struct why *w, uint64_t days, struct ht_rounds_mend *mend)
{
    struct ht__rounds *r = w->r;
    int32_t best_s = HT__ROUNDS_FAR;
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        for (uint32_t d = 0; d < r->days && ht__rounds_may_lead(r, w->index, i); d++) {
            uint64_t stops = r->tours[(size_t)i * r->days + d].count + 1;
            bool asked = (days >> d & 1) != 0 && may_look(r, stops * stops);
            int32_t more_s = asked ? overtime(r, w->index, i, d) : HT__ROUNDS_FAR;
            if (more_s > 0 && more_s < best_s) {
                best_s = more_s;
                *mend = mend_of(HT_ROUNDS_HINT_WORK_LONGER, (uint32_t)more_s, i, d);
            }
        }
    }
    return best_s < HT__ROUNDS_FAR;
}

/* ---- one rule after the other ---- */

static bool why_over(struct why *w)
{
    return w->need->last_day < w->r->problem->first_day &&
           tell(w, HT_ROUNDS_OVER,
                mend_of(HT_ROUNDS_HINT_VISITS, w->missing->visits, HT_PLAN_NONE, HT_PLAN_NONE));
}

/* Nobody, skills, off, no way. */
static bool why_people(struct why *w)
{
    const struct ht__rounds *r = w->r;
    uint32_t n[4] = {0};
    uint32_t first = HT_PLAN_NONE;
    uint32_t off = w->site->owner_hard ? w->site->owner : HT_PLAN_NONE;
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        bool may = ht__rounds_may_come(r, w->index, i);
        bool lead = may && ht__rounds_may_lead(r, w->index, i);
        bool works = lead && (r->shift_days[i] & w->within) != 0;
        n[0] += may;
        n[1] += lead;
        n[2] += works;
        n[3] += works && has_way(r, w->index, i);
        first = works && first == HT_PLAN_NONE ? i : first;
    }
    if (n[0] == 0) {
        return tell_inspector(w, HT_ROUNDS_NOBODY, w->site->skills);
    }
    if (n[1] == 0) {
        return tell_inspector(w, HT_ROUNDS_SKILLS, w->site->skills);
    }
    if (n[2] == 0) {
        return w->within != 0 &&
               tell(w, HT_ROUNDS_OFF, mend_of(HT_ROUNDS_HINT_SHIFT, w->want, off, HT_PLAN_NONE));
    }
    return n[3] == 0 &&
           tell(w, HT_ROUNDS_NO_WAY, mend_of(HT_ROUNDS_HINT_WAY, 1, first, HT_PLAN_NONE));
}

/* The longest of the site's windows on a day. */
static int32_t longest_s(const struct why *w, uint32_t day)
{
    const uint32_t *at = w->r->open_at + (size_t)w->index * (w->r->days + 1) + day;
    int32_t longest = w->site->open_count == 0 ? HT_ROUNDS_TIME_MOST_S : 0;
    for (uint32_t o = at[0]; w->site->open_count > 0 && o < at[1]; o++) {
        int32_t length_s = w->site->open[o].to_s - w->site->open[o].from_s;
        longest = length_s > longest ? length_s : longest;
    }
    return longest;
}

/* The fewest closed days that would have to open for all the visits, with their gap; HT_PLAN_NONE:
 * however many do, the gap lets too few in. By dynamic programming over (visits, last day). */
static uint32_t days_lacking(const struct why *w, uint64_t open, uint32_t gap)
{
    uint8_t most[HT_ROUNDS_DAYS_MOST + 1][HT_ROUNDS_DAYS_MOST];
    uint32_t found = 0;
    if (w->want > w->r->days) {
        return HT_PLAN_NONE;
    }
    memset(most, 0, sizeof most); /* 0: none, else one more than the open days among them */
    for (uint32_t d = 0; d < w->r->days; d++) {
        bool may = (w->within >> d & 1) != 0 && (w->site->last_day == HT_ROUNDS_NEVER ||
                                                 (int64_t)d - w->site->last_day >= (int64_t)gap);
        for (uint32_t e = 0; e < w->r->days && may; e++) {
            may = (w->fixed >> e & 1) == 0 || (e > d ? e - d : d - e) >= gap;
        }
        uint8_t own = (uint8_t)(open >> d & 1);
        most[1][d] = may ? (uint8_t)(1 + own) : 0;
        for (uint32_t k = 2; k <= w->want && may; k++) {
            uint8_t best = 0;
            for (uint32_t e = 0; e + gap <= d; e++) {
                best = most[k - 1][e] > best ? most[k - 1][e] : best;
            }
            most[k][d] = best == 0 ? 0 : (uint8_t)(best + own);
        }
        found = most[w->want][d] > found ? most[w->want][d] : found;
    }
    return found == 0 ? HT_PLAN_NONE : w->want - (found - 1);
}

/* Too few open days; but more of them are no help where the gap is in the way as well. */
static bool tell_closed(struct why *w, uint64_t open)
{
    uint32_t gap = w->site->gap_least_days < 1 ? 1 : w->site->gap_least_days;
    uint32_t days = days_lacking(w, open, gap);
    for (uint32_t less = 1; days == HT_PLAN_NONE && less < gap; less++) {
        if (days_lacking(w, open, gap - less) != HT_PLAN_NONE) {
            return tell(w, HT_ROUNDS_GAP,
                        mend_of(HT_ROUNDS_HINT_GAP, less, HT_PLAN_NONE, HT_PLAN_NONE));
        }
    }
    days = days == HT_PLAN_NONE ? w->want - count_of(open) : days;
    return tell(w, HT_ROUNDS_CLOSED,
                mend_of(HT_ROUNDS_HINT_DAYS, days, HT_PLAN_NONE, HT_PLAN_NONE));
}

/* Closed, off, short; `days` is left with those that are open, worked on and long enough. */
static bool why_days(struct why *w, uint64_t *days)
{
    const struct ht__rounds *r = w->r;
    uint64_t worked = 0;
    uint64_t enough = 0;
    int32_t longest = -1;
    uint32_t longest_on = HT_PLAN_NONE;
    *days = r->open_days[w->index] & w->within;
    if (count_of(*days) < w->want) {
        return tell_closed(w, *days);
    }
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        worked |= ht__rounds_may_lead(r, w->index, i) ? r->shift_days[i] : 0;
    }
    *days &= worked;
    if (count_of(*days) < w->want) {
        uint32_t who = w->site->owner_hard ? w->site->owner : HT_PLAN_NONE;
        return tell(w, HT_ROUNDS_OFF,
                    mend_of(HT_ROUNDS_HINT_SHIFT, w->want - count_of(*days), who, HT_PLAN_NONE));
    }
    for (uint32_t d = 0; d < r->days; d++) {
        if ((*days >> d & 1) == 0) {
            continue;
        }
        if (longest_s(w, d) >= (int32_t)w->site->service_s) {
            enough |= UINT64_C(1) << d;
        } else if (longest_s(w, d) > longest) {
            longest = longest_s(w, d);
            longest_on = d;
        }
    }
    *days = enough;
    return count_of(enough) < w->want &&
           tell(w, HT_ROUNDS_SHORT,
                mend_of(HT_ROUNDS_HINT_OPEN_LONGER, w->site->service_s - (uint32_t)longest,
                        HT_PLAN_NONE, longest_on));
}

/* So many visits fit on some days with a gap: each as early as it can. */
static uint32_t fit(const struct why *w, uint64_t days, uint32_t gap)
{
    uint32_t count = 0;
    int64_t last = w->site->last_day == HT_ROUNDS_NEVER ? INT32_MIN : w->site->last_day;
    for (uint32_t d = 0; d < w->r->days; d++) {
        if ((w->fixed >> d & 1) != 0) {
            last = d;
            continue;
        }
        bool before_fixed = false;
        for (uint32_t e = d + 1; e < w->r->days && e < d + gap; e++) {
            before_fixed = before_fixed || (w->fixed >> e & 1) != 0;
        }
        if ((days >> d & 1) != 0 && (int64_t)d - last >= gap && !before_fixed) {
            last = d;
            count++;
        }
    }
    return count;
}

static bool why_gap(struct why *w, uint64_t days)
{
    uint32_t gap = w->site->gap_least_days < 1 ? 1 : w->site->gap_least_days;
    if (fit(w, days, gap) >= w->want) {
        return false;
    }
    for (uint32_t less = 1; less < gap; less++) {
        if (fit(w, days, gap - less) >= w->want) {
            return tell(w, HT_ROUNDS_GAP,
                        mend_of(HT_ROUNDS_HINT_GAP, less, HT_PLAN_NONE, HT_PLAN_NONE));
        }
    }
    return tell(
        w, HT_ROUNDS_GAP,
        mend_of(HT_ROUNDS_HINT_DAYS, w->want - fit(w, days, gap), HT_PLAN_NONE, HT_PLAN_NONE));
}

/* Visits of all needs that fit on some days with a gap: each as early as it can. */
static uint32_t fit_all(const struct why *w, uint64_t days, uint32_t gap)
{
    uint32_t has[HT_ROUNDS_DAYS_MOST] = {0}; /* by need */
    uint32_t count = 0;
    int64_t last = w->site->last_day == HT_ROUNDS_NEVER ? INT32_MIN : w->site->last_day;
    for (uint32_t d = 0; d < w->r->days; d++) {
        uint32_t n = ht__rounds_need_of(w->site, d);
        bool fixed = (w->fixed >> d & 1) != 0;
        uint32_t near = gap > HT_ROUNDS_DAYS_MOST ? HT_ROUNDS_DAYS_MOST : gap - 1;
        uint64_t soon = ~(UINT64_MAX << near) << d << 1; /* days behind it within the gap */
        bool fits = (days >> d & 1) != 0 && (int64_t)d - last >= gap && (w->fixed & soon) == 0;
        if (n != HT_PLAN_NONE && (fixed || (fits && has[n] < w->site->needs[n].visits))) {
            count += !fixed;
            has[n]++;
            last = d;
        }
    }
    return count;
}

/* A need may have room for its visits by itself, but not beside those of the needs before and
 * behind it. */
static bool why_gap_all(struct why *w)
{
    uint32_t gap = w->site->gap_least_days < 1 ? 1 : w->site->gap_least_days;
    uint64_t days = days_alone(w, w->r->open_days[w->index] & ~w->fixed, w->site->crew > 1);
    uint32_t most = fit_all(w, days, 1);
    uint32_t less = 0;
    while (less + 1 < gap && less < LESS_MOST && fit_all(w, days, gap - less) < most) {
        less++;
    }
    return less > 0 && less < LESS_MOST &&
           tell(w, HT_ROUNDS_GAP, mend_of(HT_ROUNDS_HINT_GAP, less, HT_PLAN_NONE, HT_PLAN_NONE));
}

/* Hours and crew: days on which it could be done, if nothing else were. */
static bool why_hours(struct why *w, uint64_t *days)
{
    struct ht_rounds_mend mend;
    uint64_t open = *days;
    *days = days_alone(w, open, false);
    if (count_of(*days) < w->want) {
        return least_overtime(w, open & ~*days, &mend)
                   ? tell(w, HT_ROUNDS_HOURS, mend)
                   : tell_inspector(w, HT_ROUNDS_HOURS, w->site->skills);
    }
    if (w->site->crew > 1) {
        *days = days_alone(w, *days, true);
        if (count_of(*days) < w->want) {
            return tell_inspector(w, HT_ROUNDS_CREW, 0);
        }
    }
    return false;
}

/* Days that keep the gap to all visits that are planned now. */
static uint64_t days_apart(const struct why *w)
{
    uint32_t gap = w->site->gap_least_days < 1 ? 1 : w->site->gap_least_days;
    uint64_t days = 0;
    for (uint32_t d = 0; d < w->r->days; d++) {
        bool apart =
            w->site->last_day == HT_ROUNDS_NEVER || (int64_t)d - w->site->last_day >= (int64_t)gap;
        for (uint32_t e = 0; e < w->r->days && apart; e++) {
            apart = (w->r->seen[w->index] >> e & 1) == 0 || (e > d ? e - d : d - e) >= gap;
        }
        days |= (uint64_t)apart << d;
    }
    return days;
}

static bool why_quota(struct why *w, uint64_t days)
{
    struct ht__rounds *r = w->r;
    struct ht__rounds_offer offer;
    bool told = false;
    for (uint32_t i = 0; i < r->problem->inspector_count && !told; i++) {
        for (uint32_t d = 0; d < r->days && !told; d++) {
            bool asked = (days & r->shift_days[i]) >> d & 1;
            if (!asked || !ht__rounds_may_lead(r, w->index, i) ||
                (w->site->crew == 1 && ht__rounds_has_room(r, i, d)) || !may_look(r, 64)) {
                continue;
            }
            r->no_quota = true;
            r->thorough = true;
            ht__rounds_offer(r, w->index, i, d, &offer);
            r->no_quota = false;
            r->thorough = false;
            if (offer.cost != HT__ROUNDS_CANT) {
                uint32_t who = ht__rounds_has_room(r, i, d) && offer.place.second != HT_PLAN_NONE
                                   ? offer.place.second
                                   : i;
                told = tell(w, HT_ROUNDS_QUOTA, mend_of(HT_ROUNDS_HINT_QUOTA, 1, who, d));
            }
        }
    }
    return told;
}

void ht__rounds_why_missing(struct ht__rounds *r, struct ht_rounds_missing *missing)
{
    const struct ht_rounds_site *site = &r->problem->sites[missing->site];
    struct why w = {.r = r,
                    .site = site,
                    .need = &site->needs[missing->need],
                    .index = missing->site,
                    .missing = missing};
    struct ht_rounds_mend mend;
    uint64_t days = 0;
    for (uint32_t v = r->slot_first[w.index]; v < r->slot_first[w.index + 1]; v++) {
        const struct ht__rounds_slot *slot = &r->slots[v];
        bool fixed = slot->lead != HT_PLAN_NONE && slot->state != HT_ROUNDS_PLANNED;
        w.fixed |= fixed ? UINT64_C(1) << slot->day : 0;
    }
    for (uint32_t d = w.need->first_day; d <= w.need->last_day; d++) {
        bool fixed = (w.fixed >> d & 1) != 0;
        w.within |= !fixed && d >= r->problem->first_day ? UINT64_C(1) << d : 0;
        w.want += fixed;
    }
    w.want = w.need->visits > w.want ? w.need->visits - w.want : 0;
    if (why_over(&w) || why_people(&w) || why_days(&w, &days) || why_gap(&w, days) ||
        why_hours(&w, &days) || why_gap(&w, days) || why_gap_all(&w)) {
        return;
    }
    uint64_t free_days = days & days_apart(&w);
    if (why_quota(&w, free_days)) {
        return;
    }
    if (site->crew == 1 && least_overtime(&w, free_days, &mend)) {
        (void)tell(&w, HT_ROUNDS_FULL, mend);
    } else {
        (void)tell_inspector(&w, HT_ROUNDS_FULL, site->skills);
    }
}

/* ---- a given inspector, a given day ---- */

bool ht__rounds_why_not(struct ht__rounds *r, uint32_t site, uint32_t inspector, uint32_t day,
                        struct ht_rounds_mend *mend)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    const uint32_t *at = r->open_at + (size_t)site * (r->days + 1) + day;
    bool open = (s->days >> day & 1) != 0 && (s->open_count == 0 || at[0] < at[1]);
    *mend = mend_of(HT_ROUNDS_HINT_INSPECTOR, 1, inspector, day);
    if (!ht__rounds_may_lead(r, site, inspector)) {
        return false;
    }
    if ((r->shift_days[inspector] >> day & 1) == 0) {
        mend->hint = HT_ROUNDS_HINT_SHIFT;
        return true;
    }
    if (!has_way(r, site, inspector)) {
        mend->hint = HT_ROUNDS_HINT_WAY;
        return true;
    }
    if (!open) {
        mend->hint = HT_ROUNDS_HINT_DAYS;
        mend->inspector = HT_PLAN_NONE;
        return true;
    }
    if (!ht__rounds_has_room(r, inspector, day)) {
        mend->hint = HT_ROUNDS_HINT_QUOTA;
        return true;
    }
    int32_t more_s = overtime(r, site, inspector, day);
    if (more_s == 0 || more_s >= HT__ROUNDS_FAR) {
        return false;
    }
    mend->hint = HT_ROUNDS_HINT_WORK_LONGER;
    mend->number = (uint32_t)more_s;
    return true;
}

bool ht__rounds_why_not_at(struct ht__rounds *r, const struct ht_rounds_running *run,
                           struct ht_rounds_mend *mend)
{
    uint32_t i = run->inspector;
    const struct ht_rounds_site *s = &r->problem->sites[run->site];
    if ((r->shift_days[i] >> run->day & 1) != 0 && ht__rounds_may_lead(r, run->site, i) &&
        has_way(r, run->site, i)) {
        int32_t back_s = run->begin_s + (int32_t)s->service_s +
                         ht__rounds_way_s(r, i, s->location, r->problem->inspectors[i].end);
        int32_t to_s = ht__rounds_to_s(r, i, run->day);
        if (back_s > to_s) {
            *mend = mend_of(HT_ROUNDS_HINT_WORK_LONGER, (uint32_t)(back_s - to_s), i, run->day);
            return true;
        }
    }
    return ht__rounds_why_not(r, run->site, i, run->day, mend);
}

enum ht_rounds_idle_reason ht__rounds_why_idle(const struct ht__rounds *r, uint32_t inspector)
{
    enum ht_rounds_idle_reason reason = HT_ROUNDS_IDLE_NO_SKILLS;
    if (r->shift_days[inspector] == 0) {
        return HT_ROUNDS_IDLE_NO_SHIFT;
    }
    for (uint32_t s = 0; s < r->problem->site_count; s++) {
        bool second = r->problem->sites[s].crew > 1 && ht__rounds_may_come(r, s, inspector);
        if (!second && !ht__rounds_may_lead(r, s, inspector)) {
            continue;
        }
        reason = reason == HT_ROUNDS_IDLE_NO_SKILLS ? HT_ROUNDS_IDLE_NO_WAY : reason;
        if (!has_way(r, s, inspector)) {
            continue;
        }
        reason = HT_ROUNDS_IDLE_HOURS;
        for (uint32_t d = 0; d < r->days; d++) {
            if ((r->open_days[s] >> d & 1) != 0 &&
                alone(r, s, inspector, d).from_s < HT__ROUNDS_FAR) {
                return HT_ROUNDS_IDLE_FREE;
            }
        }
    }
    return reason;
}
