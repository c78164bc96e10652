/* From nothing, or from the running plan, to a good plan: ruin and recreate over whole sites and
 * whole days. What leaves: all visits of some sites that lie near each other, or of some that one
 * inspector sees, or all stops of a tour. What comes back: each site with its best inspector and
 * its best days at once (rounds_fill). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"
#include "engine/plan/territory.h"

enum {
    RUIN_MOST = 10, /* sites at once */
    TOUR_MOST = 24, /* stops of ruined tours */
    SHARE = 1024,
    TERRITORY_MOST = 1 << 19, /* pairs */
    IDLE_LEAST = 20000,       /* iterations without a better plan, after which it is enough */
    IDLE_EACH = 1000,
    SMALL = 64,        /* visits; of so few a re-plan looks as far as a first plan */
    WARM_LEAST = 2000, /* the same of a re-plan, which is near its end when it begins */
    WARM_EACH = 20
};

static const double WALK_SHARE = 0.97; /* of the time; the rest is for what lacks visits then */

struct search {
    struct ht__rounds *r;
    const struct ht_rounds_options *options;
    int64_t begun_ns;
    uint32_t *active; /* sites with something to plan */
    uint32_t active_count;
    uint32_t *torn; /* of those the ones whose running visits could not stay, or that lack some */
    uint32_t torn_count;
    uint32_t out[RUIN_MOST + TOUR_MOST];
    uint32_t out_count;
    uint32_t hand_to; /* who is to have what is out; HT_PLAN_NONE: whoever suits */
    int64_t heat;
    bool warm;
    /* the best plan so far */
    struct ht__rounds_slot *slots;
    uint32_t *owner;
    uint32_t *counts;
    uint32_t *stops;
    int64_t best;
    uint64_t iterations;
    uint64_t better_at;
};

static int64_t now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_set(const bool *flag)
{
    return flag != NULL && __atomic_load_n(flag, __ATOMIC_RELAXED);
}

/* ---- the best so far ---- */

static size_t tours_of(const struct ht__rounds *r)
{
    return (size_t)r->problem->inspector_count * r->days;
}

static void best_keep(struct search *s)
{
    struct ht__rounds *r = s->r;
    memcpy(s->slots, r->slots, r->slot_count * sizeof *s->slots);
    memcpy(s->owner, r->owner, r->problem->site_count * sizeof *s->owner);
    for (size_t t = 0; t < tours_of(r); t++) {
        s->counts[t] = r->tours[t].count;
        memcpy(s->stops + t * r->room, r->stops + t * r->room, s->counts[t] * sizeof *s->stops);
    }
    s->best = r->cost;
    s->better_at = s->iterations;
}

static void best_restore(struct search *s)
{
    struct ht__rounds *r = s->r;
    if (r->cost == s->best) {
        return;
    }
    memcpy(r->slots, s->slots, r->slot_count * sizeof *s->slots);
    memcpy(r->owner, s->owner, r->problem->site_count * sizeof *s->owner);
    for (size_t t = 0; t < tours_of(r); t++) {
        r->tours[t].count = s->counts[t];
        memcpy(r->stops + t * r->room, s->stops + t * r->room, s->counts[t] * sizeof *s->stops);
    }
    ht__rounds_reckon(r);
}

/* ---- ruin ---- */

static bool is_out(const struct search *s, uint32_t site)
{
    for (uint32_t i = 0; i < s->out_count; i++) {
        if (s->out[i] == site) {
            return true;
        }
    }
    return false;
}

static void note_out(struct search *s, uint32_t site)
{
    if (s->out_count < sizeof s->out / sizeof *s->out && !is_out(s, site)) {
        s->out[s->out_count++] = site;
    }
}

/* All visits of a site that may move; without any that stays it has no owner then but a given
 * one. */
static void site_out(struct search *s, uint32_t site)
{
    struct ht__rounds *r = s->r;
    bool stays = false;
    note_out(s, site);
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1]; v++) {
        if (r->slots[v].lead == HT_PLAN_NONE) {
            continue;
        }
        stays = stays || r->slots[v].state == HT_ROUNDS_PROMISED;
        if (r->slots[v].state == HT_ROUNDS_PLANNED) {
            ht__rounds_take(r, v);
        }
    }
    if (!stays && r->problem->sites[site].owner == HT_PLAN_NONE) {
        ht__rounds_own(r, site, HT_PLAN_NONE);
    }
}

static void ruin_near(struct search *s, uint32_t seed)
{
    uint32_t most = 1 + ht__rounds_below(s->r, RUIN_MOST);
    const uint32_t *near = ht__rounds_near(s->r, seed);
    site_out(s, seed);
    for (uint32_t i = 0; i < HT__ROUNDS_NEAR && s->out_count < most; i++) {
        if (near[i] != HT_PLAN_NONE && ht__rounds_below(s->r, 4) != 0) {
            site_out(s, near[i]);
        }
    }
}

static void tour_out(struct search *s, uint32_t inspector, uint32_t day)
{
    struct ht__rounds *r = s->r;
    size_t tour = (size_t)inspector * r->days + day;
    for (uint32_t k = r->tours[tour].count; k-- > 0 && s->out_count < TOUR_MOST;) {
        uint32_t slot = r->stops[tour * r->room + k];
        if (r->slots[slot].state == HT_ROUNDS_PLANNED) {
            note_out(s, r->slots[slot].site);
            ht__rounds_take(r, slot);
        }
    }
}

/* Who visits the seed (of two either), on one of its days: this tour, and maybe another of the same
 * day or of the same inspector. */
static void ruin_tours(struct search *s, uint32_t seed)
{
    struct ht__rounds *r = s->r;
    uint32_t first = r->slot_first[seed];
    uint32_t count = r->slot_first[seed + 1] - first;
    uint32_t slot = count == 0 ? HT_PLAN_NONE : first + ht__rounds_below(r, count);
    if (slot == HT_PLAN_NONE || r->slots[slot].lead == HT_PLAN_NONE) {
        ruin_near(s, seed);
        return;
    }
    bool along = r->slots[slot].second != HT_PLAN_NONE && ht__rounds_below(r, 2) == 0;
    uint32_t who = along ? r->slots[slot].second : r->slots[slot].lead;
    uint32_t day = r->slots[slot].day;
    note_out(s, seed);
    tour_out(s, who, day);
    if (ht__rounds_below(r, 2) == 0) {
        tour_out(s, who, ht__rounds_below(r, r->days));
    } else if (ht__rounds_below(r, 2) == 0) {
        tour_out(s, ht__rounds_below(r, r->problem->inspector_count), day);
    }
}

/* Sites that one inspector sees: of two, the one with more to do. */
static void ruin_inspector(struct search *s, uint32_t seed)
{
    struct ht__rounds *r = s->r;
    uint32_t who = ht__rounds_below(r, r->problem->inspector_count);
    uint32_t other = ht__rounds_below(r, r->problem->inspector_count);
    uint32_t most = 1 + ht__rounds_below(r, RUIN_MOST / 2);
    who = r->load_s[other] > r->load_s[who] ? other : who;
    uint32_t from = ht__rounds_below(r, r->days);
    for (uint32_t d = 0; d < r->days && s->out_count < most; d++) {
        size_t tour = (size_t)who * r->days + (from + d) % r->days;
        uint32_t count = r->tours[tour].count;
        if (count > 0) {
            uint32_t slot = r->stops[tour * r->room + ht__rounds_below(r, count)];
            site_out(s, r->slots[slot].site);
        }
    }
    if (s->out_count == 0) {
        ruin_near(s, seed);
    } else {
        const uint32_t *near = ht__rounds_near(r, s->out[0]);
        uint32_t last = near[ht__rounds_below(r, HT__ROUNDS_NEAR)];
        site_out(s, last == HT_PLAN_NONE ? seed : last);
    }
}

/* Sites of one inspector that lie together go to another, all of them: one by one none would, since
 * each alone asks for tours of its own. From who has much to who has little, or lives near. */
static void ruin_hand_over(struct search *s, uint32_t seed)
{
    struct ht__rounds *r = s->r;
    uint32_t most = 1 + ht__rounds_below(r, RUIN_MOST);
    const uint32_t *near = ht__rounds_near(r, seed);
    uint32_t from = r->owner[seed];
    const uint32_t *known = r->known + (size_t)seed * HT__ROUNDS_KNOWN;
    uint32_t count = 0;
    while (count < HT__ROUNDS_KNOWN && known[count] != HT_PLAN_NONE) {
        count++;
    }
    s->hand_to = count == 0 ? HT_PLAN_NONE : known[ht__rounds_below(r, count)];
    if (s->hand_to == HT_PLAN_NONE || ht__rounds_below(r, 2) == 0) {
        s->hand_to = ht__rounds_below(r, r->problem->inspector_count);
        for (int i = 0; i < 2; i++) {
            uint32_t other = ht__rounds_below(r, r->problem->inspector_count);
            s->hand_to = r->load_s[other] < r->load_s[s->hand_to] ? other : s->hand_to;
        }
    }
    site_out(s, seed);
    for (uint32_t i = 0; i < HT__ROUNDS_NEAR && s->out_count < most; i++) {
        if (near[i] != HT_PLAN_NONE && r->owner[near[i]] == from) {
            site_out(s, near[i]);
        }
    }
}

static void hand_over(struct search *s)
{
    for (uint32_t i = 0; i < s->out_count && s->hand_to != HT_PLAN_NONE; i++) {
        if (s->r->owner[s->out[i]] == HT_PLAN_NONE &&
            ht__rounds_may_lead(s->r, s->out[i], s->hand_to)) {
            ht__rounds_own(s->r, s->out[i], s->hand_to);
        }
    }
}

static void ruin(struct search *s)
{
    struct ht__rounds *r = s->r;
    bool torn = s->torn_count > 0 && ht__rounds_below(r, 4) != 0; /* there a re-plan has its work */
    uint32_t seed = torn ? s->torn[ht__rounds_below(r, s->torn_count)]
                         : s->active[ht__rounds_below(r, s->active_count)];
    s->out_count = 0;
    s->hand_to = HT_PLAN_NONE;
    for (int i = 0; i < 8 && ht__rounds_below(r, 2) == 0; i++) { /* what lacks visits comes first */
        uint32_t other = s->active[ht__rounds_below(r, s->active_count)];
        seed = ht__rounds_lacks(r, other) > 0 ? other : seed;
    }
    switch (ht__rounds_below(r, 8)) {
    case 0:
    case 1:
        ruin_tours(s, seed);
        break;
    case 2:
        ruin_inspector(s, seed);
        break;
    case 3:
        site_out(s, seed);
        break;
    case 4:
    case 5:
        ruin_hand_over(s, seed);
        break;
    default:
        ruin_near(s, seed);
        break;
    }
}

/* ---- recreate ---- */

static void shuffle(struct search *s)
{
    const struct ht_rounds_site *sites = s->r->problem->sites;
    for (uint32_t i = s->out_count; i-- > 1;) {
        uint32_t j = ht__rounds_below(s->r, i + 1);
        uint32_t site = s->out[i];
        s->out[i] = s->out[j];
        s->out[j] = site;
    }
    if (ht__rounds_below(s->r, 2) == 0) { /* by risk */
        for (uint32_t i = 1; i < s->out_count; i++) {
            uint32_t site = s->out[i];
            uint32_t k = i;
            for (; k > 0 && sites[s->out[k - 1]].risk < sites[site].risk; k--) {
                s->out[k] = s->out[k - 1];
            }
            s->out[k] = site;
        }
    }
}

/* -ln of a random number between 0 and 1, in thousandths; whole numbers, the same everywhere. */
static int64_t random_log(struct ht__rounds *r)
{
    uint64_t x = ht__rounds_random(r) | 1;
    int zeros = __builtin_clzll(x);
    int64_t part = (int64_t)((x << zeros) >> 53 & 1023); /* behind the leading one */
    return (693 * ((int64_t)zeros * 1024 + 1024 - part)) >> 10;
}

static bool step(struct search *s, int64_t heat)
{
    struct ht__rounds *r = s->r;
    int64_t before = r->cost;
    r->step_count = 0;
    ruin(s);
    hand_over(s);
    shuffle(s);
    r->blinks = true;
    for (uint32_t i = 0; i < s->out_count; i++) {
        ht__rounds_fill(r, s->out[i], false);
    }
    r->blinks = false;
    if (r->full) {
        return false;
    }
    if (r->cost >= before + 1 + heat * random_log(r) / 1000) {
        ht__rounds_back(r, 0);
    } else if (r->cost < s->best) {
        best_keep(s);
    }
    return true;
}

/* ---- a first plan ---- */

struct ranked {
    uint32_t site;
    uint32_t risk;
    uint32_t slack; /* days that it could be seen on, for each visit */
};

static int by_rank(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if (a->risk != b->risk) {
        return a->risk > b->risk ? -1 : 1;
    }
    return a->slack != b->slack ? (a->slack < b->slack ? -1 : 1)
                                : (a->site > b->site) - (a->site < b->site);
}

/* The order in which sites find their place at first. */
static enum ht_status rank(struct search *s)
{
    struct ht__rounds *r = s->r;
    struct ranked *list = ht_array_new(r->problem->site_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < r->problem->site_count; i++) {
        uint32_t slots = r->slot_first[i + 1] - r->slot_first[i];
        if (r->open_days[i] != 0 && slots > 0) {
            uint32_t days = (uint32_t)__builtin_popcountll(r->open_days[i]);
            list[s->active_count++] =
                (struct ranked){i, r->problem->sites[i].risk, days * 64 / slots};
        }
    }
    if (s->active_count > 1) {
        qsort(list, s->active_count, sizeof *list, by_rank);
    }
    for (uint32_t i = 0; i < s->active_count; i++) {
        s->active[i] = list[i].site;
    }
    free(list);
    return HT_OK;
}

/* Visits that share a tour, about: an inspector's, on as many days as the site that is seen most.
 */
static uint32_t tour_share(const struct ht__rounds *r)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < r->problem->site_count; i++) {
        uint32_t visits = r->slot_first[i + 1] - r->slot_first[i];
        most = visits > most ? visits : most;
    }
    uint32_t share = r->slot_count / (r->problem->inspector_count * most);
    return share < 1 ? 1 : share;
}

/* Sites without an owner get one by territory, to begin with. */
static enum ht_status territories(struct search *s, uint32_t *owner)
{
    struct ht__rounds *r = s->r;
    const struct ht_rounds_problem *p = r->problem;
    size_t pairs = (size_t)p->inspector_count * p->site_count;
    for (uint32_t i = 0; i < p->site_count; i++) {
        owner[i] = r->owner[i];
    }
    if (pairs > TERRITORY_MOST || pairs == 0) {
        return HT_OK;
    }
    uint32_t together = tour_share(r);
    uint32_t *cost_s = ht_array_new(pairs, sizeof *cost_s);
    uint32_t *load_s = ht_array_new(p->site_count, sizeof *load_s);
    uint32_t *share = ht_array_new(p->inspector_count, sizeof *share);
    enum ht_status status = cost_s == NULL || load_s == NULL || share == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t i = 0; i < p->site_count && status == HT_OK; i++) {
        const struct ht_rounds_site *site = &p->sites[i];
        uint32_t visits = r->slot_first[i + 1] - r->slot_first[i];
        load_s[i] = visits * site->service_s;
        for (uint32_t k = 0; k < p->inspector_count; k++) {
            const struct ht_rounds_inspector *who = &p->inspectors[k];
            int64_t way_s = (int64_t)ht__rounds_way_s(r, k, who->start, site->location) +
                            ht__rounds_way_s(r, k, site->location, who->end);
            bool may = ht__rounds_may_lead(r, i, k) && (r->shift_days[k] & r->open_days[i]) != 0 &&
                       way_s < HT_ROUNDS_TIME_MOST_S;
            cost_s[(size_t)k * p->site_count + i] =
                may ? (uint32_t)way_s * visits / together : HT_TERRITORY_CANT;
        }
    }
    for (uint32_t k = 0; k < p->inspector_count && status == HT_OK; k++) {
        share[k] = p->inspectors[k].share == 0 ? 100 : p->inspectors[k].share;
    }
    if (status == HT_OK) {
        const struct ht_territory_problem problem = {.site_count = p->site_count,
                                                     .inspector_count = p->inspector_count,
                                                     .cost_s = cost_s,
                                                     .load_s = load_s,
                                                     .share = share,
                                                     .cell = r->cell,
                                                     .cell_s = p->prices.cell_s,
                                                     .balance = p->prices.balance};
        status = ht_territory_run(&problem, owner);
    }
    free(cost_s);
    free(load_s);
    free(share);
    return status;
}

/* The part of the time that has gone; 0 where there is no limit. */
static double time_gone(const struct search *s)
{
    const struct ht_rounds_options *o = s->options;
    return o->limit_ms > 0 ? (double)(now_ns() - s->begun_ns) / 1e6 / (double)o->limit_ms : 0;
}

/* What still lacks visits, by whoever there is: while there is time. */
static void fill_thoroughly(struct search *s)
{
    for (uint32_t i = 0; i < s->active_count && time_gone(s) < 1; i++) {
        if (ht__rounds_lacks(s->r, s->active[i]) > 0) {
            ht__rounds_fill(s->r, s->active[i], true);
        }
    }
}

static enum ht_status first_plan(struct search *s)
{
    struct ht__rounds *r = s->r;
    uint32_t *owner = ht_array_new(r->problem->site_count, sizeof *owner);
    enum ht_status status = owner == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK && !s->warm) {
        status = territories(s, owner);
    }
    for (uint32_t i = 0; i < s->active_count && status == HT_OK; i++) {
        uint32_t site = s->active[i];
        if (s->warm && ht__rounds_lacks(r, site) > 0) {
            s->torn[s->torn_count++] = site;
        }
        if (!s->warm && r->owner[site] == HT_PLAN_NONE && owner[site] != HT_PLAN_NONE) {
            ht__rounds_own(r, site, owner[site]);
        }
        ht__rounds_fill(r, site, false);
        r->step_count = 0;
        status = is_set(s->options->cancel) ? HT_CANCELLED : HT_OK;
    }
    free(owner);
    if (status == HT_OK) {
        fill_thoroughly(s);
    }
    r->step_count = 0;
    return r->full ? HT_NOMEM : status;
}

/* ---- on and on ---- */

/* How much of the time or the iterations has gone, of SHARE; more than that: enough. */
static int64_t share_gone(const struct search *s)
{
    const struct ht_rounds_options *o = s->options;
    int64_t share = 0;
    if (o->iterations > 0) {
        share = (int64_t)((double)s->iterations * SHARE / (double)o->iterations);
        share = s->iterations >= o->iterations ? SHARE : share;
    }
    if (o->limit_ms > 0) {
        double gone = time_gone(s) / WALK_SHARE;
        int64_t by_time = gone >= 1 ? SHARE : (int64_t)(gone * SHARE);
        bool in_charge = o->iterations == 0 || by_time >= SHARE;
        share = in_charge && by_time > share ? by_time : share;
    }
    return share;
}

/* There is time to begin anew, beside a running plan. */
static bool is_small(const struct ht__rounds *r)
{
    return r->slot_count <= SMALL;
}

static void walk(struct search *s)
{
    struct ht__rounds *r = s->r;
    uint64_t idle = s->warm && !is_small(r) ? WARM_LEAST + (uint64_t)WARM_EACH * r->slot_count
                                            : IDLE_LEAST + (uint64_t)IDLE_EACH * r->slot_count;
    int64_t share = share_gone(s);
    while (share < SHARE && !is_set(s->options->cancel) && !is_set(s->options->enough) &&
           s->iterations - s->better_at < idle) {
        int64_t left = SHARE - share;
        int64_t heat = s->heat * left / SHARE * left / SHARE;
        if (!step(s, heat)) {
            return;
        }
        s->iterations++;
        share = share_gone(s);
    }
}

static int64_t heat_of(const struct search *s)
{
    const struct ht__rounds *r = s->r;
    int64_t cost = 0;
    int64_t visits = 1;
    for (size_t t = 0; t < tours_of(r); t++) {
        cost += r->tours[t].cost;
        visits += r->tours[t].count;
    }
    return cost / visits / (s->warm && !is_small(r) ? 10 : 2) + 1;
}

static bool search_arrays(struct search *s)
{
    struct ht__rounds *r = s->r;
    s->active = ht_array_new(r->problem->site_count, sizeof *s->active);
    s->torn = ht_array_new(r->problem->site_count, sizeof *s->torn);
    s->slots = ht_array_new(r->slot_count, sizeof *s->slots);
    s->owner = ht_array_new(r->problem->site_count, sizeof *s->owner);
    s->counts = ht_array_new(tours_of(r), sizeof *s->counts);
    s->stops = ht_array_new(tours_of(r) * r->room, sizeof *s->stops);
    return s->active != NULL && s->torn != NULL && s->slots != NULL && s->owner != NULL &&
           s->counts != NULL && s->stops != NULL;
}

enum ht_status ht__rounds_search(struct ht__rounds *r, struct ht__rounds_limits *limits)
{
    struct search s = {.r = r, .options = limits->options, .begun_ns = limits->begun_ns};
    enum ht_status status = search_arrays(&s) ? rank(&s) : HT_NOMEM;
    for (uint32_t i = 0; i < r->problem->running_count; i++) {
        s.warm = s.warm || r->problem->running[i].state == HT_ROUNDS_PLANNED;
    }
    status = status == HT_OK ? first_plan(&s) : status;
    if (status == HT_OK) {
        s.heat = heat_of(&s);
        best_keep(&s);
        if (s.active_count > 0 && r->problem->inspector_count > 0) {
            walk(&s);
        }
        r->step_count = 0;
        status = r->full ? HT_NOMEM : is_set(limits->options->cancel) ? HT_CANCELLED : HT_OK;
    }
    if (status == HT_OK) {
        best_restore(&s);
        fill_thoroughly(&s);
        status = r->full ? HT_NOMEM : HT_OK;
    }
    limits->iterations = s.iterations;
    free(s.active);
    free(s.torn);
    free(s.slots);
    free(s.owner);
    free(s.counts);
    free(s.stops);
    return status;
}
