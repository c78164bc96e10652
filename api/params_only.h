/* Params only: that a question carries no parameter which nobody reads: a filter that is misspelt
 * would answer with everything.
 *
 * Threading: plain functions. Ownership: nothing is kept.
 */
#ifndef HT_API_PARAMS_ONLY_H
#define HT_API_PARAMS_ONLY_H

#include "api/app.h"

/* Whether all parameters of a call are among `known`, names with blanks between (""; none), or are
 * such as any call takes: access_token, crs, out_crs. Else (or where they can't be read) 400 is the
 * answer, written. */
bool ht_params_only(struct ht_http_call *call, const char *known);

#endif
