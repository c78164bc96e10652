#include "api/params_only.h"

#include <stdio.h>
#include <string.h>

#include "api/params.h"

/* Whether a name is one of those in a text, with blanks between. */
static bool is_among(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = names; *at != '\0' && size > 0;) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, name, size) == 0) {
            return true;
        }
        at += length;
        at += strspn(at, " ");
    }
    return false;
}

static void refuse(struct ht_http_call *call, const char *name, const char *known)
{
    char why[320];
    (void)snprintf(why, sizeof why, "this call has no parameter %.64s; it has %s%scrs and out_crs",
                   name, known, known[0] == '\0' ? "" : " ");
    ht_reply_problem(call->reply, 400, "Bad Request", why);
}

bool ht_params_only(struct ht_http_call *call, const char *known)
{
    struct ht_params params;
    bool good = true;
    if (ht_params_of(&params, call->request) != HT_OK) {
        ht_reply_problem(call->reply, 400, "Bad Request", "the query is not well encoded");
        return false;
    }
    for (size_t i = 0; i < params.count && good; i++) {
        const char *name = params.list[i].name;
        good = is_among("access_token crs out_crs", name) || is_among(known, name);
        if (!good) {
            refuse(call, name, known);
        }
    }
    ht_params_deinit(&params);
    return good;
}
