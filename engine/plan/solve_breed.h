/* Breed: a population of answers, some of which break rules at a price (engine/plan/solve_tours.h).
 * Two of them give a new one, some routes of the one and the rest of the other; it is improved by
 * local search and stays as long as it is cheap, or unlike the others. Hybrid genetic search (Vidal
 * et al. 2012, 2013) with selective route exchange (Nagata, Braysy and Dullaert 2010), as PyVRP has
 * it (Wouda, Lan and Kool 2024).
 *
 *      parent a:  [a1] [a2] [a3] [a4]        near some stop: a2 a3, b1 b3
 *      parent b:  [b1] [b2] [b3]
 *      child:     [a1]' [b1] [b3] [a4]'      without what b1 and b3 have; what only a2 and a3 had
 *                                            goes where it is cheapest
 *
 * Threading: a breed belongs to one thread. Ownership: ht__breed_free frees all of it.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_BREED_H
#define HT_ENGINE_PLAN_SOLVE_BREED_H

#include "engine/plan/solve_internal.h"

struct ht__breed;

/* From an answer with nothing absent, whose routes (and some more, where vehicles cost little) are
 * all there are to be. HT_INVALID: the model is none of tours. */
HT_MUST_CHECK enum ht_status ht__breed_new(const struct ht__model *model, uint64_t seed,
                                           const struct ht__answer *from, struct ht__breed **out);
void ht__breed_free(struct ht__breed *breed);
/* Takes up an answer that somebody else found. */
void ht__breed_add(struct ht__breed *breed, const struct ht__answer *answer);
/* Goes on for about so much work; of the round only iterations, deadline and cancel matter. */
void ht__breed_round(struct ht__breed *breed, const struct ht__round *round, uint64_t *done);
/* The best that keeps all rules. */
const struct ht__answer *ht__breed_best(const struct ht__breed *breed);

#endif
