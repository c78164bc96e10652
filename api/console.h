/* Console: the page for people, GET / and /t/{token} for a browser, and its files under /console/.
 *
 * The files lie in the binary, compressed; where it was built without npm there are none, and /
 * says how to get them. Names carry a hash of the content, so browsers keep them for good; the
 * pages themselves are asked for each time and answered with 304. Nothing is loaded from elsewhere,
 * and the Content-Security-Policy keeps it so.
 *
 * Threading: as the server calls it; who does not take gzip is served from the job pool. Ownership:
 * constant data.
 */
#ifndef HT_API_CONSOLE_H
#define HT_API_CONSOLE_H

#include "api/app.h"

/* Whether the call comes from somebody who wants to look: a browser. */
bool ht_console_wanted(const struct ht_http_call *call);
/* Answers with a page of the console, "index.html" or "resident.html"; false: it is not in this
 * binary, and nothing is answered. */
bool ht_console_page(struct ht_http_call *call, const char *name);
/* GET /: the console, or where it is missing how to get it. */
void ht_console_front(struct ht_http_call *call);

/* GET /console/{file} */
void ht_console_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
