/* Course: what the threads of a search do when.
 *
 *      share   0 ---- gather ---- | leg 1 | leg 2 | ... | last leg ----------- 1
 *
 * Gathering: to serve all, then with a vehicle less, as long as that works; half of the time at
 * most. Then polishing. Where there is time for it, that is cut into legs: in each, each thread
 * strays from where it is (some routes are given up, and all gathered again) and anneals; in the
 * last, all go on from the best of all. Answers with few vehicles lie in basins that no string of
 * small steps leads out of: seven short walks of Solomon's R207 end 0.0 to 7.5 % above the best
 * known, and a walk seven times as long ends in one of them, too.
 *
 * Where the problem is of the kind that engine/plan/solve_tours.h takes and there is time for it,
 * populations take the place of the legs, one for each thread, which tell each other their best.
 * Strings of small steps from there on only smooth what came of them.
 *
 *      share   0 ---- gather ---- | breed ------------------------ | last leg - 1
 *
 * Eight of Solomon's hard ones with few vehicles, 1,200,000 iterations of one thread: 1.3 to 2.3 %
 * above the best known with legs, 3.0 to 3.2 % without. Shorter legs (600 iterations an item): 1.9
 * % for 1.3 %. Without gain: a learned price for absent items while polishing, a learned lower
 * price for a vehicle too many (the walk did not come back to fewer), ruins of 16 stops instead
 * of 10.
 *
 * Threading: between rounds, one thread. Ownership: the walkers are the caller's.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_COURSE_H
#define HT_ENGINE_PLAN_SOLVE_COURSE_H

#include "engine/plan/solve_breed.h"

/* One thread and what it does in a round. */
struct ht__walker {
    struct ht__search *search;
    struct ht__breed *breed; /* NULL: there is none */
    struct ht__round round;
    uint64_t done;
    enum ht_status status;
    uint32_t vehicle;
    bool strays;    /* and has not gathered all again */
    double anneals; /* the share of the leg at which that began */
    double part;    /* of the routes that it gives up when it strays next */
};

struct ht__course {
    const struct ht__model *model;
    struct ht__walker *walkers;
    unsigned threads;
    bool warm;       /* a good answer was given */
    uint32_t fewest; /* vehicles: there is no need to try with fewer */
    uint64_t seed;
    enum ht__goal goal;
    double polish_from; /* the share of all at which polishing began */
    uint32_t legs;      /* before the last */
    uint32_t leg;
    int exchanged;
    bool begun;  /* polishing, by what can be done in its time */
    bool breeds; /* it does, at the time */
};

/* The best of all threads. */
const struct ht__answer *ht__course_best(const struct ht__course *course);

/* Sets the walkers' goals and heats for a round that goes from one share of all that may be taken
 * to another. `left`: about so many iterations of each thread are to come. */
HT_MUST_CHECK enum ht_status ht__course_turn(struct ht__course *course, double share, double next,
                                             double left);

#endif
