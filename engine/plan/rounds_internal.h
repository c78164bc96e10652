/* Inside the rounds: what is known of a problem (model), the plan under way and its steps that can
 * be taken back (state), tours of one day (tour), the best days for one site (days), the search,
 * and why something is missing (why).
 *
 * Threading: one call, one thread. Ownership: all arrays are the struct's.
 */
#ifndef HT_ENGINE_PLAN_ROUNDS_INTERNAL_H
#define HT_ENGINE_PLAN_ROUNDS_INTERNAL_H

#include "engine/plan/rounds.h"

enum {
    HT__ROUNDS_NEAR = 24,    /* sites near a site that are known */
    HT__ROUNDS_KNOWN = 16,   /* inspectors near a site that are tried first */
    HT__ROUNDS_TRIED = 40,   /* at most, at one time */
    HT__ROUNDS_MATES = 12,   /* tried as the second */
    HT__ROUNDS_WEEKS = 9,    /* of the calendar that a horizon touches */
    HT__ROUNDS_CROWD = 64,   /* inspectors, of whom each is tried as the second where need be */
    HT__ROUNDS_FREE = -1,    /* of begin_s: no appointment */
    HT__ROUNDS_FAR = 1 << 28 /* seconds; later than any time */
};

#define HT__ROUNDS_CANT INT64_MAX /* of costs */

/* A visit that may be. */
struct ht__rounds_slot {
    uint32_t site;
    uint32_t lead; /* HT_PLAN_NONE: it is not planned */
    uint32_t second;
    uint32_t day;
    int32_t begin_s;  /* of an appointment (promised, or of two): the only time; else FREE */
    int32_t took_s;   /* of a past one */
    uint32_t running; /* of past and promised ones; HT_PLAN_NONE */
    enum ht_rounds_state state;
};

struct ht__rounds_tour {
    uint32_t count;
    int64_t travel_s;
    int64_t cost;  /* of travel, km and day */
    uint32_t away; /* visits that it leads, which begin by far at another time than they did */
};

/* Where a visit is put, or was. */
struct ht__rounds_place {
    uint32_t slot;
    uint32_t day;
    uint32_t lead;
    uint32_t second;
    uint32_t at; /* before this stop of the tour */
    uint32_t second_at;
    int32_t begin_s;
};

/* What was done, to be taken back. */
struct ht__rounds_step {
    enum { HT__ROUNDS_PUT, HT__ROUNDS_TAKEN, HT__ROUNDS_OWNED } kind;
    struct ht__rounds_place place; /* OWNED: slot is the site, lead the owner before */
};

/* What a visit of a site by `lead` on a day costs more. */
struct ht__rounds_offer {
    int64_t cost;      /* HT__ROUNDS_CANT */
    int64_t load_cost; /* of it: balance, as if it were the only new visit */
    int64_t load_s;    /* of the lead, more */
    struct ht__rounds_place place;
};

struct ht__rounds {
    const struct ht_rounds_problem *problem;
    uint32_t days;
    uint32_t words; /* of a row of bits, one for each inspector */
    /* of sites */
    uint32_t *open_at;   /* [sites * (days + 1)] */
    uint64_t *open_days; /* it has windows, may be visited and needs visits */
    uint64_t *may_lead;  /* [sites * words] */
    uint64_t *may_come;
    uint32_t *known;      /* [sites * KNOWN] who may lead, nearest first; HT_PLAN_NONE at the end */
    uint32_t *mates;      /* [sites * MATES] the nearest who may come, where it takes two */
    uint32_t *slot_first; /* [sites + 1] */
    uint32_t *run_first;  /* [sites + 1] in run_list: running visits that are not past */
    uint32_t *run_list;
    uint32_t *run_at;  /* [sites * days] the same by day, HT_PLAN_NONE; NULL: there are none */
    uint32_t *by_time; /* [running] by day and begin */
    uint32_t *near;    /* [sites * NEAR]; first one HT_PLAN_NONE: not looked for yet */
    uint32_t *cell;    /* [sites] closed up; HT_PLAN_NONE */
    uint32_t cell_count;
    /* of inspectors */
    uint32_t *shift_at;   /* [inspectors * (days + 1)] */
    uint64_t *shift_days; /* from first_day on */
    int64_t fair_s;
    int64_t steep_s; /* K of balance */
    uint32_t room;   /* stops of a tour */
    /* the plan under way */
    struct ht__rounds_slot *slots;
    uint32_t slot_count;
    uint32_t *owner;
    uint64_t *seen; /* [sites] days with a visit */
    int64_t *site_cost;
    struct ht__rounds_tour *tours; /* [inspectors * days] */
    uint32_t *stops;               /* [tours * room] slots */
    int32_t *begin_s;              /* the earliest */
    int32_t *latest_s;             /* the latest that all behind it allow */
    int32_t *kept_s;               /* as near as may be to the running plan's; NULL: none runs */
    uint32_t *week_visits;         /* [inspectors * WEEKS] */
    uint32_t *day_visits;          /* [inspectors * days] */
    uint32_t all_visits[HT_ROUNDS_DAYS_MOST];
    int64_t *load_s;      /* [inspectors] */
    int64_t *load_cost;   /* what balance makes of it */
    uint32_t *cell_sites; /* [inspectors * cells] that it owns; NULL: cells cost nothing */
    int64_t cost;         /* sum of all */
    bool *lost;           /* [running] promises that could not be kept */
    /* steps since the last mark */
    struct ht__rounds_step *steps;
    size_t step_count;
    size_t step_room;
    bool full;        /* no memory for a step */
    bool thorough;    /* all are tried, not only who is near */
    bool blinks;      /* places are overlooked by chance, as in SISR */
    int64_t why_left; /* steps that explanations may still take */
    bool no_quota;    /* as if there were none, to see what they keep out */
    uint64_t random;
};

/* What a day costs before a site of that risk is seen first. */
static inline int64_t ht__rounds_early_s(const struct ht__rounds *r, uint32_t risk)
{
    return risk > 2 ? (int64_t)r->problem->prices.early_s * (risk - 2) : 0;
}

/* ---- model ---- */

/* HT_NOMEM; `r` is for ht__rounds_deinit in any case. The problem was checked. */
HT_MUST_CHECK enum ht_status ht__rounds_init(struct ht__rounds *r,
                                             const struct ht_rounds_problem *problem);
void ht__rounds_deinit(struct ht__rounds *r);
/* The nearest sites of a site, HT__ROUNDS_NEAR or fewer (then HT_PLAN_NONE). */
const uint32_t *ht__rounds_near(struct ht__rounds *r, uint32_t site);
bool ht__rounds_may_lead(const struct ht__rounds *r, uint32_t site, uint32_t inspector);
bool ht__rounds_may_come(const struct ht__rounds *r, uint32_t site, uint32_t inspector);
/* The calendar's week of a day. */
uint32_t ht__rounds_week(const struct ht__rounds *r, uint32_t day);

static inline uint64_t ht__rounds_random(struct ht__rounds *r)
{
    uint64_t x = r->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static inline uint32_t ht__rounds_below(struct ht__rounds *r, uint32_t bound)
{
    return (uint32_t)((ht__rounds_random(r) >> 32) * bound >> 32);
}

/* ---- tour: one inspector, one day ---- */

/* Seconds of a way, HT__ROUNDS_FAR where there is none; from or to HT_PLAN_NONE: 0. */
int32_t ht__rounds_way_s(const struct ht__rounds *r, uint32_t inspector, uint32_t from,
                         uint32_t to);
/* The same with its km. */
int64_t ht__rounds_way_cost(const struct ht__rounds *r, uint32_t inspector, uint32_t from,
                            uint32_t to);
/* The day's first and last second of an inspector who works then. */
int32_t ht__rounds_from_s(const struct ht__rounds *r, uint32_t inspector, uint32_t day);
int32_t ht__rounds_to_s(const struct ht__rounds *r, uint32_t inspector, uint32_t day);
/* The location where its tour of a day begins; HT_PLAN_NONE: at the first site. */
uint32_t ht__rounds_start(const struct ht__rounds *r, uint32_t inspector, uint32_t day);
/* When a visit can begin, not before t_s: FAR when it can't any more; not after t_s: -1. */
int32_t ht__rounds_next_s(const struct ht__rounds *r, uint32_t site, uint32_t inspector,
                          uint32_t day, int32_t t_s);
int32_t ht__rounds_last_s(const struct ht__rounds *r, uint32_t site, uint32_t inspector,
                          uint32_t day, int32_t t_s);
/* Reckons begin_s, latest_s, travel and cost anew; false: it can't be done in time. */
bool ht__rounds_tour_times(struct ht__rounds *r, uint32_t inspector, uint32_t day);
/* When the running plan had a visit of a slot's site on its day, by whomever or (`same`) by those
 * who come now; below 0: it had none. */
int32_t ht__rounds_was_at(const struct ht__rounds *r, uint32_t slot, bool same);
/* Gives visits that the running plan had on that day the time that they had there, where what comes
 * behind lets them: kept_s, which the search counts moves by, as begin_s; for the answer. */
void ht__rounds_tour_keep(struct ht__rounds *r, uint32_t inspector, uint32_t day);
/* The cheapest visit of the site by lead on a day, with the best second where it takes two.
 * offer->cost is HT__ROUNDS_CANT where none can be. */
void ht__rounds_offer(const struct ht__rounds *r, uint32_t site, uint32_t lead, uint32_t day,
                      struct ht__rounds_offer *offer);
/* The same with a given second. */
void ht__rounds_offer_with(const struct ht__rounds *r, uint32_t site, uint32_t day,
                           const uint32_t pair[2], struct ht__rounds_offer *offer);
/* Appointments go in by time: the place for one at begin_s in a tour. */
uint32_t ht__rounds_tour_at(const struct ht__rounds *r, uint32_t inspector, uint32_t day,
                            int32_t begin_s);
/* Whether quotas and room let one more in. */
bool ht__rounds_has_room(const struct ht__rounds *r, uint32_t inspector, uint32_t day);

/* ---- state ---- */

/* Of a visit that is there, but by far earlier or later. */
static inline int64_t ht__rounds_shift_price(const struct ht__rounds *r)
{
    return r->problem->prices.move_s / 2;
}
int64_t ht__rounds_balance(const struct ht__rounds *r, uint32_t inspector, int64_t load_s);
/* What a site costs by itself: missing, owner, late, spread, early and move. */
void ht__rounds_site_costs(const struct ht__rounds *r, uint32_t site, struct ht_rounds_cost *cost);
void ht__rounds_put(struct ht__rounds *r, const struct ht__rounds_place *place);
void ht__rounds_take(struct ht__rounds *r, uint32_t slot);
void ht__rounds_own(struct ht__rounds *r, uint32_t site, uint32_t owner);
/* Takes all steps back that were done since `mark` of them were. */
void ht__rounds_back(struct ht__rounds *r, size_t mark);
/* All sums anew, from slots, stops and owners; they must be right already (for a plan that was
 * kept aside). */
void ht__rounds_reckon(struct ht__rounds *r);
/* Whether the running plan had this visit just so. */
bool ht__rounds_was_so(const struct ht__rounds *r, uint32_t site, uint32_t day,
                       const uint32_t pair[2]);
/* A slot of the site that is not planned; HT_PLAN_NONE. */
uint32_t ht__rounds_free_slot(const struct ht__rounds *r, uint32_t site);
/* The planned slot of a site on a day; HT_PLAN_NONE. */
uint32_t ht__rounds_slot_on(const struct ht__rounds *r, uint32_t site, uint32_t day);
/* The need that a day lies in, HT_PLAN_NONE. */
uint32_t ht__rounds_need_of(const struct ht_rounds_site *site, uint32_t day);
/* Visits that the needs of a site lack. */
uint32_t ht__rounds_lacks(const struct ht__rounds *r, uint32_t site);

/* ---- days ---- */

/* The cheapest days for what a site still needs, given what a visit on each day costs
 * (HT__ROUNDS_CANT: it can't be) and the days that it is seen already: by dynamic programming over
 * (last visit, visits of its need so far). Of equal ones those with the least sum of `busy`, by
 * day. Cost: days^2 * visits of a need. */
struct ht__rounds_days {
    uint64_t chosen; /* new days */
    int64_t cost;    /* with missing, late, spread and early of all its visits */
};
void ht__rounds_days_find(const struct ht__rounds *r, uint32_t site, const int64_t *cost,
                          const uint64_t *busy, struct ht__rounds_days *out);

/* ---- search ---- */

/* Puts what the running plan and the past say; what no longer can be is left out. */
void ht__rounds_begin(struct ht__rounds *r);
/* Puts what a site lacks where it costs least; `all`: any inspector is tried. */
void ht__rounds_fill(struct ht__rounds *r, uint32_t site, bool all);
/* From `owner` hints (may be NULL) to a first plan, and on by ruin and recreate. */
struct ht__rounds_limits {
    const struct ht_rounds_options *options;
    int64_t begun_ns;
    uint64_t iterations; /* out */
};
HT_MUST_CHECK enum ht_status ht__rounds_search(struct ht__rounds *r,
                                               struct ht__rounds_limits *limits);

/* ---- order ---- */

/* After the search: tours go back to the order that the running plan had, where that keeps times at
 * little cost. */
void ht__rounds_order(struct ht__rounds *r);

/* ---- why and the answer ---- */

void ht__rounds_why_missing(struct ht__rounds *r, struct ht_rounds_missing *missing);
/* What would bring an inspector to the site on a day; false: nothing does that is known, as where
 * it may not lead there. */
bool ht__rounds_why_not(struct ht__rounds *r, uint32_t site, uint32_t inspector, uint32_t day,
                        struct ht_rounds_mend *mend);
/* The same of a promise, at its time. */
bool ht__rounds_why_not_at(struct ht__rounds *r, const struct ht_rounds_running *run,
                           struct ht_rounds_mend *mend);
enum ht_rounds_idle_reason ht__rounds_why_idle(const struct ht__rounds *r, uint32_t inspector);
HT_MUST_CHECK enum ht_status ht__rounds_answer(struct ht__rounds *r, struct ht_rounds_plan **out);

#endif
