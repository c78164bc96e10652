/* Rounds: recurring visits of one to eight weeks: who sees which site on which days, and in which
 * order; and of what can't be held, which wish it was and what would mend it.
 *
 *              week 1                  week 2
 *   site       Mo Tu We Th Fr          Mo Tu We Th Fr        twice a week, 2 days apart at least
 *   a (Li)     x        x              x        x            Li's day: home--a--c--f--home
 *   b (Wu)        x        x              x        x
 *   c (Li)     x                                   x         twice in the two weeks
 *
 * This is the periodic vehicle routing problem with time windows, with one inspector for each site:
 *
 *   Cordeau, Gendreau, Laporte 1997, "A tabu search heuristic for periodic and multi-depot vehicle
 *     routing problems": days of visits as a choice of patterns. Here the best pattern of a site is
 *     found by dynamic programming over the days (rounds_days), since each day is a tour of its own
 *   Vidal, Crainic, Gendreau, Lahrichi, Rei 2012, "A hybrid genetic algorithm for multidepot and
 *     periodic vehicle routing problems": a site changes its pattern and its inspector in one step
 *   Groer, Golden, Wasil 2009, "The consistent vehicle routing problem": who knows the place comes
 *   Michallet, Prins, Amodeo, Yalaoui, Vitry 2014, "Multi-start iterated local search for the
 *     periodic vehicle routing problem with time windows and time spread constraints on services":
 *     spread as a part of the cost
 *   Christiaens and Vanden Berghe 2020 (as in engine/plan/solve.h): ruin and recreate
 *
 * Days are numbered from 0, the first of the horizon; times are seconds of that day (what is
 * beyond midnight has 86400 and more). The caller makes these of calendars, holidays, leave and
 * zones; the planner knows no roads and no dates.
 *
 * Rules that every plan keeps: a visit lies on an open day of its site, wholly within one of the
 * site's windows of that day and one of its inspector's; an inspector leaves and is back between
 * the first and the last of the day's windows, with the matrix's time between stops; skills, barred
 * inspectors, quotas, hard owners; a site is seen once a day at most, with `gap_least` days between
 * two visits; two inspectors of one visit are there at the same time. What is past or promised
 * stays as it is, and so may break a rule only together with others of its kind.
 *
 * Visits begin as early as they can; those of the running plan that stay on their day begin
 * when they did, as far as the others of the day let them.
 *
 * Wishes that are given up only where they must be, at a price, and are then named: that each need
 * has all its visits; that no gap is longer than `gap_most`; that the owner comes; that a promise
 * is kept.
 *
 * Wanted: the least sum, in seconds, of
 *
 *   missing   HT_ROUNDS_MISSING_S * 2^(risk - 1) for each visit that a need lacks
 *   travel    from start to end of each tour, and per_km_s * metres / 1000 (of each leg, down)
 *   day       day_s for each tour
 *   owner     owner_s for each visit by another than the owner (who leads; not of past ones)
 *   late      late_s for each day that a gap is longer than gap_most
 *   spread    spread_s * |gap * visits - days| / visits of each gap, down; by the need of the gap's
 *             later visit; nothing where that lies in no need
 *   early     early_s * (risk - 2), where that is above 0, for each day from `first_day` to the
 *             site's first visit that is no past one
 *   move      move_s for each visit of the running plan that is not past and is not there on the
 *             same day with the same inspectors; half of it, down, where it is there more than
 *             HT_ROUNDS_SHIFT_S earlier or later
 *   cell      cell_s for each pair of an inspector and a cell in which it owns a site
 *   balance   q * K / (K + X), down, of each inspector with more than F: X is L - F, and q is
 *             balance * X^2 / (100 * F), down. L is its travel and service in seconds (of past
 *             visits what they took, no travel) * 100 / share, down, at most
 *             HT_ROUNDS_LOAD_MOST_S; F is the service that all needs ask for, times crew, shared
 *             by the inspectors with a shift, down, at least an hour. What lies below F costs
 *             nothing, so that who has less than the others gets more, though they would be
 *             quicker, and yet nobody is sent about for the sake of it. K is
 *             75 * P * F / (balance * (S + 3600)), down, from 1 to HT_ROUNDS_STEEP_MOST_S, with the
 *             longest service S of all sites and P = owner_s (HT_ROUNDS_PRICE_MOST where that
 *             is 0): however unequal loads are, a visit with an hour of way costs three quarters
 *             of P at most, so that no owner is given up to make hours alike
 *
 * Among plans of the same sum work is spread over weeks and days, as far as the search comes by
 * them.
 *
 * Who is on the way already, as where a day is planned anew at noon, begins first_day's tour where
 * it is; when, its windows of that day say. Later days begin at `start`.
 *
 * The way from a location to itself takes nothing, whatever a matrix says.
 *
 * Threading: pure; one call, one thread. Ownership: the problem is borrowed for the call, the plan
 * is the caller's, for ht_rounds_free.
 */
#ifndef HT_ENGINE_PLAN_ROUNDS_H
#define HT_ENGINE_PLAN_ROUNDS_H

#include "engine/plan/problem.h"

#define HT_ROUNDS_NEVER INT32_MIN /* of last_day: it was not seen before */
#define HT_ROUNDS_MISSING_S INT64_C(100000000)

enum {
    HT_ROUNDS_WEEKS_MOST = 8,
    HT_ROUNDS_DAYS_MOST = 56,
    HT_ROUNDS_SITES_MOST = 20000,
    HT_ROUNDS_INSPECTORS_MOST = 4096,
    HT_ROUNDS_VISITS_MOST = 100000, /* that all needs ask for, and past ones */
    HT_ROUNDS_STOPS_MOST = 64,      /* of one inspector on one day */
    HT_ROUNDS_TIME_MOST_S = 172800, /* times lie within 0 and this */
    HT_ROUNDS_PRICE_MOST = 1000000,
    HT_ROUNDS_BALANCE_MOST = 1000,
    HT_ROUNDS_SHARE_LEAST = 25,
    HT_ROUNDS_SHARE_MOST = 1000,
    HT_ROUNDS_LOAD_MOST_S = 40000000,
    HT_ROUNDS_STEEP_MOST_S = 2000000000,
    HT_ROUNDS_RISK_MOST = 4,
    HT_ROUNDS_CREW_MOST = 2,
    HT_ROUNDS_SHIFT_S = 1800 /* a visit that begins by more than that later or earlier has moved */
};

/* Some time of a day. Lists are by day, then time, apart from each other. */
struct ht_rounds_window {
    uint32_t day;
    int32_t from_s;
    int32_t to_s;
};

/* So many visits from first_day to last_day (both in it): {0, 6, 2} twice in the first week,
 * {0, 27, 1} once in four weeks, {3, 9, 1} once until a date. */
struct ht_rounds_need {
    uint32_t first_day;
    uint32_t last_day;
    uint32_t visits;
};

struct ht_rounds_site {
    uint32_t location;
    uint32_t service_s;
    uint32_t risk;   /* 1 to 4; 4 comes first where not all can be; 3 and 4 come early */
    uint32_t crew;   /* 1; 2: two inspectors at the same time */
    uint64_t skills; /* bits that the one who leads must have */
    const struct ht_rounds_need *needs; /* by day, apart from each other; may be shared by sites */
    uint32_t need_count;
    const struct ht_rounds_window *open; /* may be shared */
    uint32_t open_count;                 /* 0: always */
    uint64_t days;                       /* bit d: day d is allowed; UINT64_MAX: all */
    uint32_t gap_least_days;             /* from one visit's day to the next one's; 0 and 1: any */
    uint32_t gap_most_days;              /* 0: any */
    int32_t last_day;                    /* of the last visit before day 0, below 0, or NEVER */
    uint32_t owner;                      /* inspector; HT_PLAN_NONE: the planner chooses one */
    bool owner_hard;                     /* nobody else leads; needs an owner */
    uint32_t cell;                       /* any number; HT_PLAN_NONE: in none */
    const uint32_t *barred;              /* inspectors who may not come, also not as the second */
    uint32_t barred_count;
};

struct ht_rounds_inspector {
    uint32_t start; /* location; HT_PLAN_NONE: begins at the day's first site */
    uint32_t end;
    bool underway; /* its tour of first_day begins at `here`, not at `start` */
    uint32_t here; /* location; looked at where underway */
    uint32_t profile;
    uint64_t skills;
    const struct ht_rounds_window *shifts; /* may be shared; a day without one is off */
    uint32_t shift_count;
    uint32_t visits_day_most;  /* 0: any */
    uint32_t visits_week_most; /* weeks of the calendar, by first_weekday; 0: any */
    uint32_t share;            /* per cent of a full load that is fair for it, 25 to 1000; 0: 100 */
};

enum ht_rounds_state {
    HT_ROUNDS_PAST,     /* it was: stays, counts; rules and travel are not looked at */
    HT_ROUNDS_PROMISED, /* stays to the second, unless the day no longer allows it */
    HT_ROUNDS_PLANNED   /* may move, for move_s */
};

/* A visit of the plan that is running. Past ones lie before first_day or on it, others not before.
 * A site has one a day at most. */
struct ht_rounds_running {
    uint32_t site;
    uint32_t day;
    int32_t begin_s;
    int32_t end_s; /* of past ones; of others the site's service counts */
    uint32_t inspector;
    uint32_t second; /* HT_PLAN_NONE: alone */
    enum ht_rounds_state state;
};

struct ht_rounds_prices {
    uint32_t per_km_s;
    uint32_t day_s;
    uint32_t owner_s;
    uint32_t late_s;
    uint32_t spread_s;
    uint32_t early_s;
    uint32_t move_s;
    uint32_t cell_s;
    uint32_t balance; /* per cent */
};

struct ht_rounds_problem {
    uint32_t weeks;         /* 1 to 8, of seven days each */
    uint32_t first_weekday; /* of day 0; 0: Monday */
    uint32_t first_day;     /* re-planning: nothing new is put on earlier days; usually 0 */
    uint32_t location_count;
    uint32_t profile_count;
    const struct ht_plan_profile *profiles; /* their costs are not used */
    uint32_t site_count;
    const struct ht_rounds_site *sites;
    uint32_t inspector_count;
    const struct ht_rounds_inspector *inspectors;
    uint32_t running_count;
    const struct ht_rounds_running *running;
    struct ht_rounds_prices prices;
};

/* What suits an office: another than the owner comes only where a day of work depends on it. */
struct ht_rounds_prices ht_rounds_prices_usual(void);

/* ---- the answer ---- */

struct ht_rounds_visit {
    uint32_t site;
    uint32_t need; /* of the site; HT_PLAN_NONE: in none */
    uint32_t day;
    int32_t begin_s;
    int32_t end_s;
    uint32_t inspector;
    uint32_t second;  /* HT_PLAN_NONE: alone */
    uint32_t running; /* that it was in the running plan, there or elsewhere; HT_PLAN_NONE: new */
    enum ht_rounds_state state; /* PLANNED: made now, or left as it was */
    bool moved;                 /* it was on another day or at another time, or others came */
};

/* A day of an inspector. Past visits are in no tour. */
struct ht_rounds_tour {
    uint32_t inspector;
    uint32_t day;
    int32_t start_s; /* as late as the first visit's time allows */
    int32_t end_s;
    uint32_t travel_s;
    uint32_t distance_m; /* 0 where distances are not known */
    uint32_t count;
    const uint32_t *visits; /* [count] of the plan, in order */
};

struct ht_rounds_load {
    uint32_t sites;  /* that it owns */
    uint32_t visits; /* as the first or the second, also past ones */
    uint32_t tours;
    int64_t travel_s; /* past ones: not known, none */
    int64_t service_s;
    int64_t distance_m;
};

/* Why visits of a need are missing: the first that explains it. */
enum ht_rounds_reason {
    HT_ROUNDS_NOBODY, /* there are no inspectors, or all are barred */
    HT_ROUNDS_SKILLS, /* nobody of those has the skills */
    HT_ROUNDS_OFF,    /* of those, nobody works on any of the need's days */
    HT_ROUNDS_NO_WAY, /* of those, none has a way there and back */
    HT_ROUNDS_CLOSED, /* the site has fewer open days left in the need than visits */
    HT_ROUNDS_SHORT,  /* its windows are shorter than a visit takes, on too many days */
    HT_ROUNDS_GAP,    /* gap_least does not let so many in */
    HT_ROUNDS_HOURS,  /* nobody's hours and the site's meet long enough, also with nothing else */
    HT_ROUNDS_CREW,   /* one could, but no two at the same time */
    HT_ROUNDS_QUOTA,  /* there is time, but those who have it have their quota of visits */
    HT_ROUNDS_FULL,   /* some could, but not with all the others */
    HT_ROUNDS_OVER,   /* the need's days were over before first_day: seen before all others */
    HT_ROUNDS_REASONS
};

/* What would mend it (one of several ways, the one that takes least). */
enum ht_rounds_hint {
    HT_ROUNDS_HINT_INSPECTOR, /* `number` more inspectors, with `skills` */
    HT_ROUNDS_HINT_SHIFT,     /* a shift for `inspector` (or anybody: NONE) on `number` days more */
    HT_ROUNDS_HINT_WAY,       /* a street to the site for `inspector` */
    HT_ROUNDS_HINT_DAYS,      /* `number` more open days, or so many visits less */
    HT_ROUNDS_HINT_OPEN_LONGER, /* `number` seconds more of a window of the site on `day` */
    HT_ROUNDS_HINT_GAP,         /* gap_least shorter by `number` days */
    HT_ROUNDS_HINT_WORK_LONGER, /* `number` seconds more of `inspector`'s shift on `day` */
    HT_ROUNDS_HINT_QUOTA,       /* `number` visits more for `inspector`, on `day` or in its week */
    HT_ROUNDS_HINT_OWNER,       /* `inspector` named for the site, so that nobody else comes */
    HT_ROUNDS_HINT_OTHERS,      /* others than `inspector`, who alone may lead there */
    HT_ROUNDS_HINT_VISITS, /* `number` visits more of the need that `day` lies in; NONE: of days
                              to come */
    HT_ROUNDS_HINTS
};

struct ht_rounds_mend {
    enum ht_rounds_hint hint;
    uint32_t number;
    uint32_t inspector; /* HT_PLAN_NONE: none in particular */
    uint32_t day;       /* HT_PLAN_NONE */
    uint64_t skills;
};

struct ht_rounds_missing {
    uint32_t site;
    uint32_t need;
    uint32_t visits;
    enum ht_rounds_reason reason;
    struct ht_rounds_mend mend;
};

enum ht_rounds_wish {
    HT_ROUNDS_WISH_GAP,     /* `visit` comes `number` days later than gap_most allows */
    HT_ROUNDS_WISH_OWNER,   /* `visit` is led by another than the owner */
    HT_ROUNDS_WISH_PROMISE, /* promised visit `running` could not stay */
    HT_ROUNDS_WISHES
};

struct ht_rounds_broken {
    enum ht_rounds_wish wish;
    uint32_t site;
    uint32_t visit;   /* of the plan; HT_PLAN_NONE */
    uint32_t running; /* HT_PLAN_NONE */
    uint32_t number;
    bool mendable; /* `mend` says how: what keeps the owner away, or the visit from being earlier */
    struct ht_rounds_mend mend;
};

/* Why an inspector has no visits. */
enum ht_rounds_idle_reason {
    HT_ROUNDS_IDLE_NO_SHIFT,  /* it works on no day from first_day on */
    HT_ROUNDS_IDLE_NO_SKILLS, /* there is no site whose skills it has and from which it isn't barred
                               */
    HT_ROUNDS_IDLE_NO_WAY,    /* it gets to no such site and back */
    HT_ROUNDS_IDLE_HOURS,     /* there and back, at no such site there is time for a visit */
    HT_ROUNDS_IDLE_FREE       /* it could, but nobody needs it: sites are whole */
};

struct ht_rounds_idle {
    uint32_t inspector;
    enum ht_rounds_idle_reason reason;
};

struct ht_rounds_cost {
    int64_t missing;
    int64_t travel; /* with km */
    int64_t day;
    int64_t owner;
    int64_t late;
    int64_t spread;
    int64_t early;
    int64_t move;
    int64_t cell;
    int64_t balance;
    int64_t sum;
};

struct ht_rounds_plan {
    uint32_t visit_count;
    const struct ht_rounds_visit *visits; /* by site, then day */
    uint32_t tour_count;
    const struct ht_rounds_tour *tours; /* by inspector, then day */
    uint32_t missing_count;
    const struct ht_rounds_missing *missing; /* by site, then need */
    uint32_t missing_visits;
    uint32_t broken_count;
    const struct ht_rounds_broken *broken; /* by site */
    uint32_t idle_count;
    const struct ht_rounds_idle *idle;  /* by inspector */
    const uint32_t *owner;              /* [sites] HT_PLAN_NONE: not visited, none given */
    const struct ht_rounds_load *loads; /* [inspectors] */
    uint32_t kept;                      /* visits of the running plan that were not past and stay */
    uint32_t moved;    /* that do not: on another day or at another time, by others, or given up */
    uint32_t gini_ppm; /* of hours (as `balance` counts them) of those who own sites */
    struct ht_rounds_cost cost;
    uint64_t iterations;
    int64_t time_ms;
};

struct ht_rounds_options {
    int64_t limit_ms;    /* from the call to the answer; 0: none, then iterations must be given */
    uint64_t iterations; /* 0: as many as time allows; with these, and time enough, the same problem
                            and seed give the same answer */
    uint64_t seed;
    const bool *cancel; /* may be NULL; set (atomically) from any thread: no answer */
    const bool *enough; /* may be NULL; set so: the answer so far is the answer */
};

/* HT_INVALID, HT_RANGE, HT_TOO_BIG: the problem contradicts itself, and where (error->line is the
 * site, inspector or running visit); HT_NOMEM; HT_CANCELLED. What can't be planned is no error. A
 * deadline is kept but for the first answer, which is always made. */
HT_MUST_CHECK enum ht_status ht_rounds_run(const struct ht_rounds_problem *problem,
                                           const struct ht_rounds_options *options,
                                           struct ht_rounds_plan **out, struct ht_error *error);
void ht_rounds_free(struct ht_rounds_plan *plan);

/* As ht_rounds_run says of problems. Does not look into the matrices: any number may stand there.
 */
HT_MUST_CHECK enum ht_status ht_rounds_problem_check(const struct ht_rounds_problem *problem,
                                                     struct ht_error *error);

/* Whether a plan keeps every rule, names every wish that it broke and tells times, loads and costs
 * right; written from this header alone, shares no code with the planner. HT_INVALID with the first
 * rule that is broken; HT_NOMEM. In builds without NDEBUG every plan goes through it. */
HT_MUST_CHECK enum ht_status ht_rounds_check(const struct ht_rounds_problem *problem,
                                             const struct ht_rounds_plan *plan,
                                             struct ht_error *error);

/* The least travel, in seconds, of any plan that lacks no visit; a bound, often not reached. */
HT_MUST_CHECK enum ht_status ht_rounds_bound(const struct ht_rounds_problem *problem,
                                             int64_t *travel_s);

/* Gini's coefficient of `count` values in millionths (0: all have the same); 0 where all are 0.
 * Sorts them. */
uint32_t ht_rounds_gini_ppm(int64_t *values, uint32_t count);

const char *ht_rounds_reason_name(enum ht_rounds_reason reason);    /* "nobody", "skills", ... */
const char *ht_rounds_hint_name(enum ht_rounds_hint hint);          /* "inspector", "shift", ... */
const char *ht_rounds_wish_name(enum ht_rounds_wish wish);          /* "gap", "owner", "promise" */
const char *ht_rounds_idle_name(enum ht_rounds_idle_reason reason); /* "no_shift", ... */

#endif
