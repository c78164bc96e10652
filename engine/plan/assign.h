/* Assign: who does what, so that nobody could do better: tasks to units at the least total cost.
 *
 * A task wants one unit or several (its places), a unit takes one task or several (its capacity),
 * some pairs can't be. Wanted, in this order:
 *
 *   1. as many places filled as can be, of the highest priority first, then of the next ...
 *   2. balanced: the least possible load of the unit that has most
 *   3. the least sum of weight * cost over all pairs
 *
 * A task that wants several units and can't have all keeps those it gets: which of such tasks to
 * serve whole is a packing problem that no fast method solves. The places that can be filled
 * together are a matroid, so counting them by falling priority is exact, and stays so in whatever
 * order tasks come.
 *
 * Way: shortest augmenting paths with prices (Jonker and Volgenant 1987, "A shortest augmenting
 * path algorithm for dense and sparse linear assignment problems", rectangular after Crouse 2016)
 * on the transportation form: a unit is one column whatever its capacity, not a copy for each.
 *
 *     task a --- 40 ---> unit x  (full: b)      a's way to a free place: over x, from which b is
 *                          |                    pushed on to y; it costs 40 - 25 + 30
 *     task b <--- -25 -----+
 *        \------ 30 ---> unit y  (free)
 *
 * Places that stay empty lie in one column more for each priority, at no cost; one is opened there
 * only when no way leads to a free place. So no big number stands for "unassigned".
 *
 * A task more costs one search: the prices of all before stay good (dynamic Hungarian:
 * Mills-Tettey, Stentz, Dias 2007). A search is O(tasks * units) at worst and ends at the first
 * free place.
 *
 * Balance: the least load is found first, by augmenting paths without costs under a bound that
 * grows only where nothing else fills a place; then costs are minimized under it. It is the bound
 * on a count of tasks, the same for all units; capacities that are smaller stay.
 *
 * Numbers are whole, ties go to the lower index: the same answer on every machine.
 * Threading: one ht_assign for each thread. Ownership: rows of costs are borrowed from
 * ht_assign_add until the next ht_assign_begin; the plan is the workspace's until its next call.
 */
#ifndef HT_ENGINE_PLAN_ASSIGN_H
#define HT_ENGINE_PLAN_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

#define HT_ASSIGN_UNREACHABLE ((uint32_t)INT32_MAX) /* a cost from here on: there is no way */
#define HT_ASSIGN_UNFIT UINT32_MAX                  /* there may be a way, but not for this unit */

enum { HT_ASSIGN_PRIORITY_MAX = 100, HT_ASSIGN_WEIGHT_MAX = 1000000 };

struct ht_assign;

struct ht_assign_units {
    uint32_t count;
    const uint32_t *capacity; /* [count], copied; NULL: 1 each */
    bool balanced;
    const bool *cancel;  /* may be NULL; looked at now and then (atomically) until the next begin */
    int64_t deadline_ns; /* of CLOCK_MONOTONIC; 0: none */
};

struct ht_assign_task {
    const uint32_t *cost_ms; /* [units] */
    uint32_t places;         /* how many units it wants; 0 is none */
    uint32_t weight;         /* up to HT_ASSIGN_WEIGHT_MAX */
    uint32_t priority;       /* 0 to HT_ASSIGN_PRIORITY_MAX, the highest first */
};

/* Why places of a task are empty: the first that explains it. */
enum ht_assign_reason {
    HT_ASSIGN_DONE,
    HT_ASSIGN_NONE_FIT,  /* fewer units than places are fit for it */
    HT_ASSIGN_NONE_NEAR, /* of those that are, too few have a way */
    HT_ASSIGN_FULL       /* all of those have their capacity taken by others, no less important */
};

struct ht_assign_pair {
    uint32_t task;
    uint32_t unit;
    uint32_t cost_ms;
};

/* The prices prove the plan: with
 *
 *   r(t, u) = weight * cost - task_price[t] - unit_price[u]        over pairs that can be
 *   unit_price <= 0,   task_price + empty_price[priority] <= 0     where empty_price is defined
 *
 * no plan with as many empty places of each priority costs less than the sum of
 * task_price * wanted, unit_price * capacity (no more than load_bound), empty_price * (empty of
 * `wanted`) and all r below 0; and this sum equals `cost`. `wanted`: as many of a task's places as
 * there are units that can. */
struct ht_assign_plan {
    size_t pair_count;
    const struct ht_assign_pair *pairs; /* by task, then unit */
    uint32_t task_count;
    const uint32_t *empty;  /* [task_count] places that stay empty */
    const uint8_t *reason;  /* [task_count] enum ht_assign_reason */
    const uint32_t *wanted; /* [task_count] */
    int64_t cost;           /* sum of weight * cost_ms */
    int64_t cost_ms;        /* sum of cost_ms */
    uint32_t load_most;     /* tasks of the unit that has most */
    uint32_t load_bound;    /* balanced: no unit was let have more; else UINT32_MAX */
    size_t searches;        /* so many augmenting paths were looked for */
    const int64_t *task_price;
    const int64_t *unit_price;
    const int64_t *empty_price; /* [HT_ASSIGN_PRIORITY_MAX + 1]; INT64_MIN: not defined */
};

HT_MUST_CHECK enum ht_status ht_assign_new(struct ht_assign **out);
void ht_assign_free(struct ht_assign *assign);

/* Forgets all tasks and takes other units. HT_NOMEM; HT_TOO_BIG: 2^30 units or more. */
HT_MUST_CHECK enum ht_status ht_assign_begin(struct ht_assign *assign,
                                             const struct ht_assign_units *units);

/* Adds tasks, numbered on from those there are, and brings the plan up to date. Balanced plans are
 * made anew, since the bound may change. HT_NOMEM, HT_RANGE (weight, priority) or HT_TOO_BIG
 * (costs whose sum over a row and a column would pass 54 bits): nothing was added. HT_CANCELLED,
 * also when the deadline passed: begin again. */
HT_MUST_CHECK enum ht_status ht_assign_add(struct ht_assign *assign,
                                           const struct ht_assign_task *tasks, size_t count);

/* The best plan for the tasks added so far. */
const struct ht_assign_plan *ht_assign_plan(const struct ht_assign *assign);

#endif
