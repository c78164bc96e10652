#include "api/access.h"

#include <string.h>
#include <strings.h>

#include "api/json.h"
#include "api/params.h"

static const struct ht_caller local = {.name = "local", .role = HT_ROLE_ADMIN};
static const struct ht_caller nobody = {.name = "nobody", .role = HT_ROLE_NONE};

/* `?access_token=`, for clients that can set no header. False: there is none. */
static bool token_in_query(const struct ht_http_request *request, char token[HT_ACCESS_TOKEN])
{
    struct ht_params params;
    if (memmem(request->target, request->target_size, "access_token=", 13) == NULL ||
        ht_params_of(&params, request) != HT_OK) {
        return false;
    }
    const char *value = ht_param(&params, "access_token");
    bool found = value != NULL && strlen(value) < HT_ACCESS_TOKEN;
    if (found) {
        memcpy(token, value, strlen(value) + 1);
    }
    ht_params_deinit(&params);
    return found;
}

bool ht_access_token(const struct ht_http_request *request, char token[HT_ACCESS_TOKEN])
{
    size_t size = 0;
    const char *header = ht_http_header(request, "authorization", &size);
    if (header == NULL) {
        return token_in_query(request, token);
    }
    if (size <= 7 || size - 7 >= HT_ACCESS_TOKEN || strncasecmp(header, "Bearer ", 7) != 0) {
        return false;
    }
    memcpy(token, header + 7, size - 7);
    token[size - 7] = '\0';
    return true;
}

static const struct ht_caller *caller_find(const struct ht_tokens *tokens,
                                           const struct ht_http_request *request)
{
    char token[HT_ACCESS_TOKEN];
    size_t size = 0;
    if (ht_access_token(request, token)) {
        return ht_tokens_find(tokens, token, strlen(token));
    }
    return ht_http_header(request, "authorization", &size) == NULL ? &nobody : NULL;
}

bool ht_access_allow(struct ht_app_context *context, struct ht_http_call *call, enum ht_role need)
{
    const struct ht_tokens *tokens =
        atomic_load_explicit(&context->app->tokens, memory_order_acquire);
    context->caller = tokens == NULL ? &local : caller_find(tokens, call->request);
    if (context->caller == NULL || (context->caller->role == HT_ROLE_NONE && need > HT_ROLE_NONE)) {
        bool unknown = context->caller == NULL;
        context->caller = &nobody;
        ht_reply_problem(call->reply, 401, "Unauthorized",
                         unknown ? "nobody has this token" : "this needs a token");
        call->reply->challenge = true;
        return false;
    }
    if (context->caller->role < need) {
        ht_reply_problem(call->reply, 403, "Forbidden", "the token's role may not do this");
        return false;
    }
    const struct ht_store *store = context->app->store;
    if (need > HT_ROLE_NONE && context->caller->district != NULL && store != NULL &&
        strcmp(context->caller->district, ht_store_district(store)) != 0) {
        ht_reply_problem(call->reply, 403, "Forbidden", "the token is of another district");
        return false;
    }
    return true;
}

bool ht_access_own_page(struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    size_t size = 0;
    const char *origin = ht_http_header(request, "origin", &size);
    if (origin == NULL) {
        return true;
    }
    const char *host = memmem(origin, size, "://", 3);
    size_t skip = host == NULL ? 0 : (size_t)(host + 3 - origin);
    bool own = host != NULL && request->host != NULL && size - skip == request->host_size &&
               strncasecmp(origin + skip, request->host, request->host_size) == 0;
    if (!own) {
        ht_reply_problem(call->reply, 403, "Forbidden", "pages of other origins may not write");
    }
    return own;
}

void ht_access_me(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_caller *caller = context->caller;
    const struct {
        const char *key;
        const char *value;
    } rows[] = {{"name", caller->name},
                {"role", ht_role_name(caller->role)},
                {"unit", caller->unit},
                {"household", caller->household},
                {"district", caller->district}};
    struct ht_json json;
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value != NULL) {
            ht_json_key_text(&json, rows[i].key, rows[i].value);
        }
    }
    ht_json_key_bool(&json, "token", caller != &local);
    ht_json_object_end(&json);
}
