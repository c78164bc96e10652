/* Access: who is calling, and may they?
 *
 * Threading: with the thread's own context; the caller found is the context's until the next call.
 */
#ifndef HT_API_ACCESS_H
#define HT_API_ACCESS_H

#include "api/app.h"

/* Finds the caller by `Authorization: Bearer TOKEN`, or `?access_token=`, and lets them pass where
 * their role is at least `need` and their district is this one; else answers 401 (no token, or one
 * nobody has) or 403. */
bool ht_access_allow(struct ht_app_context *context, struct ht_http_call *call, enum ht_role need);

/* The token as it came, NUL-terminated; false: there is none, or it is too long to be one. */
enum { HT_ACCESS_TOKEN = 256 };
bool ht_access_token(const struct ht_http_request *request, char token[HT_ACCESS_TOKEN]);

/* False, with 403: the call comes from a page of another origin. A browser can't hide that. */
bool ht_access_own_page(struct ht_http_call *call);

/* GET /v1/me: the caller's name and role, and what a token is bound to. */
void ht_access_me(struct ht_app_context *context, struct ht_http_call *call);

/* Whether the caller may see what is personal. */
static inline bool ht_access_personal(const struct ht_caller *caller)
{
    return caller->role >= HT_ROLE_DISPATCHER;
}

#endif
