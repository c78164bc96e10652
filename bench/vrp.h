/* VRP: readers of benchmark instances, as problems of engine/plan: Solomon's and Gehring and
 * Homberger's VRPTW, Li and Lim's PDPTW, Uchoa's X (TSPLIB). Distances are Euclidean, of the first
 * three in thousandths rounded down, of X whole and rounded as TSPLIB says.
 *
 * Threading: one thread. Ownership: ht_vrp_free frees all that a struct holds.
 */
#ifndef HT_BENCH_VRP_H
#define HT_BENCH_VRP_H

#include <stdbool.h>

#include "engine/plan/problem.h"

struct ht_vrp {
    struct ht_problem problem;
    struct ht_plan_profile profile;
    uint32_t count; /* locations */
    double *x;
    double *y;
    uint32_t *matrix;
    struct ht_task *tasks;
    struct ht_vehicle *vehicles;
    struct ht_window *windows;
    int64_t *amounts;
    int64_t capacity;
    bool whole; /* distances are whole numbers */
};

enum ht_vrp_kind { HT_VRP_SOLOMON, HT_VRP_LI_LIM, HT_VRP_X };

/* `fixed`: what a vehicle costs by itself, in units of distance. */
bool ht_vrp_read(const char *path, enum ht_vrp_kind kind, int64_t fixed, struct ht_vrp *out);
/* One that is made: customers half in clusters, half of them with narrow windows; the same for the
 * same seed. */
bool ht_vrp_make(uint32_t customers, uint64_t seed, int64_t fixed, struct ht_vrp *out);
void ht_vrp_free(struct ht_vrp *vrp);

#endif
