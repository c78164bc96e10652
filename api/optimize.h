/* POST /v1/optimize: VROOM's JSON in and out.
 *
 * Matrices come with the body, or are those of the streets as they are now. The solver runs at low
 * priority, so many at a time that a worker stays for others; who goes away ends it. Errors are
 * VROOM's form: {"code": 1 to 4, "error"}.
 *
 * Threading: with the thread's own context; all work is a job's.
 */
#ifndef HT_API_OPTIMIZE_H
#define HT_API_OPTIMIZE_H

#include "api/app.h"

void ht_optimize_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
