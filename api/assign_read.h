/* The body of POST /v1/assign, read and checked: who is asked for, who may go, what was given.
 *
 *   {"tasks": [{"id": "t1", "lon": 121.7, "lat": 29.9}, {"id": "t2", "household": "h7", "units": 2,
 *               "weight": 3, "priority": 50, "needs": {"kind": ["responder"], "skills": ["lift"],
 *               "roles": {"doctor": {"skills": ["dialysis"]}}}}],
 *    "units": ["u1", {"id": "u2", "capacity": 2}]   or {"kind", "skills", "status", "shift"};
 *                                                   none: all idle ones that are on shift
 *    "capacity": 1, "balanced": false, "max_s": 900, "blue_light": true,
 *    "matrix": {"durations": [[60, null]], "distances": [[500, null]]},
 *    "roles": [{"role": "doctor", "units", "capacity", "matrix"}, ...]   instead of units}
 *
 * A matrix has a row for each unit and a column for each task, in seconds and metres (as OSRM's and
 * VROOM's: from row to column); null: no way. Units of a matrix need not be known; they may bring
 * their own "kind" and "skills".
 *
 * Threading: pure functions. Ownership: texts are the struct's, which keeps the tree they lie in.
 */
#ifndef HT_API_ASSIGN_READ_H
#define HT_API_ASSIGN_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/status.h"
#include "engine/live/fleet.h"

enum {
    HT_ASSIGN_BODY_MOST = 4 << 20, /* bytes: their tree takes some 40 times that */
    HT_ASSIGN_TASKS_MOST = 10000,
    HT_ASSIGN_UNITS_MOST = 10000, /* of one role */
    HT_ASSIGN_CELLS_MOST = 2000000,
    HT_ASSIGN_ROLES_MOST = 16,
    HT_ASSIGN_SKILLS_MOST = 64, /* that are named in one body */
};

/* What a unit must be like; skills are bits of ht_assign_ask.skills. */
struct ht_asked_needs {
    uint64_t skills;
    uint32_t kinds; /* bits 1 << enum ht_unit_kind; 0: any */
};

struct ht_asked_task {
    const char *id;
    const char *household; /* NULL: lies at `pair`, or nowhere where a matrix is given */
    bool placed;
    double pair[2];
    uint32_t places;
    uint32_t weight;
    uint32_t priority;
    struct ht_asked_needs needs;
    yajl_val role_needs; /* by role; NULL: none */
};

struct ht_asked_unit {
    const char *id;
    uint32_t capacity;
    bool described; /* brings its own skills and kind */
    struct ht_asked_needs has;
};

/* A role, or all units where no roles are asked for. */
struct ht_asked_group {
    const char *role; /* NULL: there are none */
    uint32_t capacity;
    bool listed; /* else those that fit the filter */
    struct ht_asked_unit *units;
    size_t unit_count;
    struct ht_asked_needs filter;
    uint32_t statuses;            /* of the filter */
    enum ht_duty duty;            /* likewise */
    struct ht_asked_needs *needs; /* [tasks] of this role alone; NULL: none */
    /* [unit * tasks + task], NULL: not given; HT_ASSIGN_UNREACHABLE and -1 where there is no way */
    uint32_t *duration_ms;
    int64_t *length_mm;
};

struct ht_assign_ask {
    yajl_val tree;
    struct ht_asked_task *tasks;
    size_t task_count;
    struct ht_asked_group groups[HT_ASSIGN_ROLES_MOST];
    size_t group_count;
    const char *skills[HT_ASSIGN_SKILLS_MOST];
    uint32_t skill_count;
    bool balanced;
    bool plain;         /* units go by their profile_plain: without blue light */
    uint32_t max_ms;    /* UINT32_MAX: no limit */
    char wrong_at[192]; /* after an error: a JSON pointer to it, "" the whole */
};

/* HT_SYNTAX (400), HT_TOO_BIG (413), HT_INVALID (422) with what and where; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_assign_read(const char *text, size_t size,
                                            struct ht_assign_ask *out, struct ht_error *error);
/* Also after an error. */
void ht_assign_ask_deinit(struct ht_assign_ask *ask);

#endif
