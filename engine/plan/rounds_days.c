/* The days of one site: each day is a tour of its own, so what a visit costs on one day does not
 * depend on the others, and the best pattern is the cheapest way through
 *
 *      (start) --> (day, k) --> (later day, k + 1 of the same need, or 1 of a later one) --> (end)
 *
 * A node is the last visit so far, the k-th of its need; edges carry gaps and what needs lack. Days
 * with a visit that stays are nodes which no way passes by. (Cordeau et al. 1997 choose one of a
 * few given patterns; Vidal et al. 2012, section 4.4, insert so with a given list. Here no list is
 * needed.)
 */
#include <string.h>

#include "engine/plan/rounds_internal.h"

enum { DAYS = HT_ROUNDS_DAYS_MOST, START = 0xff };

struct node {
    int64_t cost;  /* HT__ROUNDS_CANT: no way here */
    uint64_t busy; /* the sum so far */
    uint8_t day;   /* of the node before; START */
    uint8_t k;
};

struct table {
    const struct ht__rounds *r;
    const struct ht_rounds_site *site;
    const int64_t *cost;
    const uint64_t *busy;
    uint64_t kept;
    uint64_t past;
    uint64_t reached;           /* days that there is a way to */
    int64_t missing;            /* price of one */
    uint8_t need[DAYS];         /* that the day lies in; need_count: none */
    uint8_t unpassed[DAYS + 1]; /* the first need that does not end before the day */
    uint8_t most[DAYS];         /* k of a day */
    uint8_t later[DAYS];        /* visits of its need that stay and come behind it */
    struct node nodes[DAYS][DAYS + 1];
};

/* Visits of needs first .. last - 1. */
static int64_t visits_of(const struct ht_rounds_site *site, uint32_t first, uint32_t last)
{
    int64_t sum = 0;
    for (uint32_t n = first; n < last; n++) {
        sum += site->needs[n].visits;
    }
    return sum;
}

static void table_begin(struct table *t, const struct ht__rounds *r, uint32_t site)
{
    uint32_t n = 0;
    t->r = r;
    t->site = &r->problem->sites[site];
    t->kept = r->seen[site];
    t->past = 0;
    t->reached = 0;
    t->missing = HT_ROUNDS_MISSING_S << (t->site->risk - 1);
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1]; v++) {
        if (r->slots[v].lead != HT_PLAN_NONE && r->slots[v].state == HT_ROUNDS_PAST) {
            t->past |= UINT64_C(1) << r->slots[v].day;
        }
    }
    for (uint32_t d = 0; d < r->days; d++) {
        while (n < t->site->need_count && t->site->needs[n].last_day < d) {
            n++;
        }
        bool in = n < t->site->need_count && t->site->needs[n].first_day <= d;
        uint32_t visits = in ? t->site->needs[n].visits : 0;
        t->unpassed[d] = (uint8_t)n;
        t->need[d] = (uint8_t)(in ? n : t->site->need_count);
        t->most[d] = (uint8_t)(visits < r->days ? visits : r->days);
        t->later[d] = 0;
        for (uint32_t e = d + 1; in && e <= t->site->needs[n].last_day; e++) {
            t->later[d] = (uint8_t)(t->later[d] + (t->kept >> e & 1));
        }
    }
    t->unpassed[r->days] = (uint8_t)t->site->need_count;
}

/* What gap and earliness cost where a visit on `day` follows one on `last` (INT64_MIN: none). */
static int64_t edge_cost(const struct table *t, int64_t last, uint32_t day)
{
    const struct ht_rounds_prices *prices = &t->r->problem->prices;
    const struct ht_rounds_site *site = t->site;
    int64_t cost = 0;
    bool from_past = last < 0 || (t->past >> last & 1) != 0;
    if (from_past && (t->past >> day & 1) == 0) {
        cost += ht__rounds_early_s(t->r, site->risk) *
                ((int64_t)day - (int64_t)t->r->problem->first_day);
    }
    if (last == INT64_MIN) {
        return cost;
    }
    int64_t gap = (int64_t)day - last;
    if (site->gap_most_days > 0 && gap > site->gap_most_days) {
        cost += prices->late_s * (gap - site->gap_most_days);
    }
    if (t->most[day] > 0) {
        const struct ht_rounds_need *need = &site->needs[t->need[day]];
        int64_t off = gap * need->visits - (need->last_day - need->first_day + 1);
        cost += prices->spread_s * (off < 0 ? -off : off) / need->visits;
    }
    return cost;
}

/* Relaxes the edge from a node (cost `from`, with k visits of day `last`'s need; START: -1) to a
 * day. */
static void relax(struct table *t, int32_t last, uint32_t k, int64_t from, uint32_t day)
{
    const struct ht_rounds_site *site = t->site;
    bool kept = (t->kept >> day & 1) != 0;
    bool same = last >= 0 && t->most[last] > 0 && t->need[last] == t->need[day];
    uint32_t next = t->most[day] == 0 ? 0 : 1;
    int64_t lacks = 0;
    if (same) {
        next = k + 1;
        next = kept && next > t->most[day] ? t->most[day] : next;
    } else {
        uint32_t first = 0;
        if (last >= 0) {
            bool in = t->need[last] < site->need_count;
            first = in ? t->need[last] + 1U : t->unpassed[last];
            lacks = in ? (int64_t)site->needs[t->need[last]].visits - k : 0;
        }
        lacks += first < t->unpassed[day] ? visits_of(site, first, t->unpassed[day]) : 0;
    }
    if (!kept && (next == 0 || next + t->later[day] > t->most[day])) {
        return;
    }
    int64_t before = last < 0 && site->last_day == HT_ROUNDS_NEVER ? INT64_MIN
                     : last < 0                                    ? site->last_day
                                                                   : last;
    bool both = kept && (last < 0 || (t->kept >> last & 1) != 0);
    if (!both && before != INT64_MIN && (int64_t)day - before < site->gap_least_days) {
        return;
    }
    int64_t cost =
        from + edge_cost(t, before, day) + lacks * t->missing + (kept ? 0 : t->cost[day]);
    struct node *node = &t->nodes[day][next];
    uint64_t busy = (last < 0 ? 0 : t->nodes[last][k].busy) + (kept ? 0 : t->busy[day]);
    if (cost < node->cost || (cost == node->cost && busy < node->busy)) {
        t->reached |= UINT64_C(1) << day;
        *node = (struct node){cost, busy, (uint8_t)(last < 0 ? START : last), (uint8_t)k};
    }
}

static void day_relax(struct table *t, uint32_t day)
{
    uint64_t before = (UINT64_C(1) << day) - 1;
    uint64_t kept_before = t->kept & before;
    uint32_t first = kept_before == 0 ? 0 : 63 - (uint32_t)__builtin_clzll(kept_before);
    for (uint32_t k = 0; k <= t->most[day]; k++) {
        t->nodes[day][k] = (struct node){.cost = HT__ROUNDS_CANT};
    }
    if (t->cost[day] == HT__ROUNDS_CANT && (t->kept >> day & 1) == 0) {
        return;
    }
    if (kept_before == 0) {
        relax(t, -1, 0, 0, day);
    }
    for (uint64_t days = t->reached & before & ~((UINT64_C(1) << first) - 1); days != 0;
         days &= days - 1) {
        uint32_t last = (uint32_t)__builtin_ctzll(days);
        for (uint32_t k = 0; k <= t->most[last]; k++) {
            if (t->nodes[last][k].cost != HT__ROUNDS_CANT) {
                relax(t, (int32_t)last, k, t->nodes[last][k].cost, day);
            }
        }
    }
}

void ht__rounds_days_find(const struct ht__rounds *r, uint32_t site, const int64_t *cost,
                          const uint64_t *busy, struct ht__rounds_days *out)
{
    struct table t;
    uint32_t first = 0;
    uint64_t least = UINT64_MAX; /* busy of the best */
    uint8_t day = START;
    uint8_t k = 0;
    table_begin(&t, r, site);
    t.cost = cost;
    t.busy = busy;
    for (uint32_t d = 0; d < r->days; d++) {
        day_relax(&t, d);
    }
    out->chosen = 0;
    out->cost = HT__ROUNDS_CANT;
    if (t.kept == 0) {
        out->cost = visits_of(t.site, 0, t.site->need_count) * t.missing;
    } else {
        first = 63 - (uint32_t)__builtin_clzll(t.kept);
    }
    for (uint64_t left = t.reached & ~((UINT64_C(1) << first) - 1); left != 0; left &= left - 1) {
        uint32_t d = (uint32_t)__builtin_ctzll(left);
        bool in = t.need[d] < t.site->need_count;
        for (uint32_t i = 0; i <= t.most[d]; i++) {
            if (t.nodes[d][i].cost == HT__ROUNDS_CANT) {
                continue;
            }
            int64_t lacks = in ? (int64_t)t.site->needs[t.need[d]].visits - i : 0;
            lacks += visits_of(t.site, in ? t.need[d] + 1U : t.unpassed[d], t.site->need_count);
            int64_t all = t.nodes[d][i].cost + lacks * t.missing;
            if (all < out->cost || (all == out->cost && t.nodes[d][i].busy < least)) {
                out->cost = all;
                least = t.nodes[d][i].busy;
                day = (uint8_t)d;
                k = (uint8_t)i;
            }
        }
    }
    while (day != START) {
        const struct node *node = &t.nodes[day][k];
        out->chosen |= (t.kept >> day & 1) == 0 ? UINT64_C(1) << day : 0;
        day = node->day;
        k = node->k;
    }
}
