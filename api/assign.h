/* POST /v1/assign: who goes where, so that nobody could do better.
 *
 * Travel times are those of /v1/closest at the moment: each unit from where it was last seen, over
 * the streets of its own profile as they are now; or a matrix that came with the body. The best
 * plan is that of engine/plan/assign.h; with roles, one plan for each role, since a unit has one
 * role only. Answers hold ids and numbers, nothing of a household.
 *
 * Threading: with the thread's own context; all work is a job's.
 */
#ifndef HT_API_ASSIGN_H
#define HT_API_ASSIGN_H

#include "api/app.h"

/* {assignments:[{task, role?, unit, duration_s, distance_m?}], unassigned:[{task, role?, reason,
 * missing}], summary}; body: api/assign_read.h. `crs=` is that of tasks' lon and lat. */
void ht_assign_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
