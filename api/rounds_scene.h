/* Rounds scene: a round as a problem of engine/plan/rounds.h: sites and inspectors of the registry,
 * what was asked of them, the office's days, the streets as they are now, and what went on so far.
 *
 * What nobody says: a factory is seen by its risk (4: once a week, 3: twice a month, 2: once, 1:
 * every other month; its tenants' where that is higher), frail households once a week at least,
 * what is named once a week, all others not at all; a visit takes half an hour (a quarter of one in
 * a household); sites are always open; inspectors are the units of that kind, work the office's
 * hours, go by car, and begin and end at home, or where the registry has them.
 *
 * Where the ask wants tenants seen on their own, a factory is as many sites at one door: itself,
 * and each tenant that has an id. A tenant is seen by its own risk (the factory's where it has
 * none), for half an hour, unless it says otherwise, itself or in the ask; hours, weekdays, skills
 * and inspector are the factory's where it says nothing of them. Then the factory itself is seen by
 * its own risk, and takes what its time leaves beside its tenants', half an hour of that at least.
 * Each has an inspector of its own; travel brings those together whom one can see on one way.
 *
 * A site or tenant with notices that want a re-visit, and each notice that wants a second look
 * (engine/live/visits.h), is a stop of its own beside the real one, seen once, before the first
 * date, by as many: who must not go alone does not then either. That of a tenant goes to the
 * tenant, also where the round sees whole factories; it takes half an hour there, or less. There is
 * time to mend a hazard first: it is seen again in the second half of that, on one of three days at
 * least on which somebody works and the site is open, but not on the day it was found where another
 * is left; what is late, at once.
 *
 * What inspectors have to do for other rounds, or as no round's, is time that this one does not
 * have.
 *
 * Where a round begins within a day, as one that is planned anew at noon, who has begun a visit of
 * that day (of any round) goes on from there when it is over: reported, or as planned.
 *
 * What is wrong with single sites and inspectors is told (`wrongs`, `refused`), and the rest
 * planned.
 *
 * Threading: one thread, a worker's, with its reader and its view of the world: it reads the store
 * and may take seconds. Ownership: a scene owns all in it; the ask must outlive it.
 */
#ifndef HT_API_ROUNDS_SCENE_H
#define HT_API_ROUNDS_SCENE_H

#include "api/app.h"
#include "api/rounds_days.h"
#include "api/rounds_read.h"
#include "engine/live/fleet.h"
#include "engine/live/visits.h"
#include "engine/plan/rounds.h"

struct ht_planner_scene;

/* A visit of the round that is running. */
struct ht_round_visit {
    char id[HT_VISIT_ID_MAX + 1];
    char site[HT_ID_MAX + 1];
    char tenant[HT_ID_MAX + 1];              /* of the site, seen on its own; "": none */
    char inspector[HT_ID_MAX + 1];           /* "": nobody */
    char second[HT_ID_MAX + 1];              /* who goes along; "": nobody */
    char rectification[HT_VISIT_ID_MAX + 1]; /* "": none */
    enum ht_visit_purpose purpose;
    enum ht_visit_state state;
    int64_t start_ms;
    int64_t end_ms;
    int64_t seen_ms; /* this and the next: 0: it was not, or not said */
    int64_t until_ms;
    uint32_t stop; /* its number in the inspector's day, from 1 on */
    bool made_up;  /* it was missed, and the plan knows that */
    bool let_down; /* it was promised, which the plan can't keep */
};

/* When a re-visit is not too soon: half of the time from when a notice was begun to its date. 0: it
 * has no date. */
int64_t ht_round_revisit_from_ms(int64_t begun_ms, int64_t by_ms);

/* Whether it was missed: somebody said so, nobody was let in, or nobody said anything and its day
 * is over. `today_ms`: the begin of today. */
bool ht_round_visit_is_missed(const struct ht_round_visit *visit, int64_t today_ms);
/* The begin of a moment's day, there. */
int64_t ht_round_day_begin_ms(int64_t utc_ms);

struct ht_round_owner {
    char site[HT_ID_MAX + 1];
    char tenant[HT_ID_MAX + 1]; /* "": of the site itself */
    char inspector[HT_ID_MAX + 1];
};

/* What a re-plan goes on from. */
struct ht_round_before {
    const struct ht_round_visit *visits;
    size_t visit_count;
    const struct ht_round_owner *owners;
    size_t owner_count;
};

struct ht_round_site {
    char id[HT_ID_MAX + 1];
    char tenant[HT_ID_MAX + 1];              /* a stop of its own at that site; "": the site */
    char rectification[HT_VISIT_ID_MAX + 1]; /* of a notice's; "": the site itself */
    enum ht_visit_purpose purpose;
    struct ht_point point;
    int16_t floor;
    uint32_t barred[2]; /* inspectors who must not come; HT_PLAN_NONE at the end */
};

struct ht_round_inspector {
    char id[HT_ID_MAX + 1];
    struct ht_point home;
    bool placed;
    bool underway; /* on the round's first day it begins at `here`, where it is then */
    struct ht_point here;
    char profile[HT_NAME_MAX + 1];
};

/* A site that is not planned for at all. */
struct ht_round_refused {
    char site[HT_ID_MAX + 1];
    char tenant[HT_ID_MAX + 1]; /* "": the site */
    const char *reason;         /* static */
    char hint[120];
};

struct ht_round_scene {
    struct ht_round_days days;
    struct ht_rounds_problem problem;
    struct ht_round_site *sites; /* as the problem's */
    struct ht_rounds_site *plan_sites;
    uint32_t site_count;
    size_t site_capacity;
    size_t plan_site_capacity;
    int64_t today_ms; /* its begin */
    uint32_t passed;  /* sites that nobody wants seen */
    struct ht_round_inspector *inspectors;
    struct ht_rounds_inspector *plan_inspectors;
    uint32_t inspector_count;
    size_t inspector_capacity;
    size_t plan_inspector_capacity;
    struct ht_rounds_running *running;
    const struct ht_round_visit **running_visits; /* what each is; borrowed from `before` */
    uint32_t running_count;
    struct ht_round_refused *refused;
    size_t refused_count;
    size_t refused_capacity;
    char skills[HT_ROUND_SKILLS_MOST][HT_NAME_MAX + 1];
    uint32_t skill_count;
    struct ht_planner_scene *ways;
    bool personal; /* who is frail had a part in it */
};

struct ht_round_making {
    struct ht_app_context *context;
    struct ht_store_reader *reader;
    struct ht_world *world;
    const struct ht_round_ask *ask;
    const char *round;                   /* its id */
    const struct ht_round_again *agains; /* what re-plans said of inspectors, one after the other */
    size_t again_count;
    const struct ht_crs *crs;             /* of homes in the ask */
    const struct ht_round_before *before; /* NULL: a new round */
    int64_t since_ms;                     /* nothing new begins before */
    bool errands; /* sites are seen for what notices want, and nothing else */
    const bool *cancel;
    struct ht_round_wrongs *wrongs;
};

/* HT_EMPTY: there is nothing to be seen; HT_TOO_BIG: too many sites, places or visits, before
 * memory is taken for their ways; HT_CANCELLED; HT_NOMEM; what the store says. */
HT_MUST_CHECK enum ht_status ht_round_scene_make(const struct ht_round_making *making,
                                                 struct ht_round_scene *out,
                                                 struct ht_error *error);
void ht_round_scene_deinit(struct ht_round_scene *scene);

/* The names of a set of skills with commas between, into `out`. */
void ht_round_skills_text(const struct ht_round_scene *scene, uint64_t skills, char *out,
                          size_t size);

#endif
