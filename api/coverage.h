/* Coverage: whom idle units reach within the promise, and which of them should be elsewhere.
 *
 * Households are reached as an alarm from there would be: after the turnout, by each unit as it
 * goes with blue light or without, over the streets as they are now, to their entrance where they
 * have one, and on foot to the door. `by=travel` counts the drive alone, as /v1/closest does, and
 * so does `max_s` without `by`. Which of them are frail is personal: only dispatchers and admins
 * get it, and where the answer tells a single household (it lists some, or all of a cell that are
 * within or outside are frail) it leaves an audit row first.
 *
 * Threading: with the thread's own context; answers are made in the job pool.
 */
#ifndef HT_API_COVERAGE_H
#define HT_API_COVERAGE_H

#include "api/app.h"

/* GET /v1/coverage?kind=&skills=&status=&shift=&max_age_s=&incident=&severity=&blue_light=&by=
 *     &max_s=&limit=&crs=&out_crs= */
void ht_coverage_get(struct ht_app_context *context, struct ht_http_call *call);
/* Makes ready what the first question would wait for: the households, and where they are on the
 * streets that units go by. For a thread that has the time, once everything is open; what fails, or
 * would take much memory, is left to the question. */
void ht_coverage_warm(struct ht_app *app);
/* POST /v1/coverage/moves, body as api/coverage_read.h has it. */
void ht_coverage_moves_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
