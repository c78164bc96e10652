#include "api/params.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/http_parse.h"
#include "engine/base/text.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum ht_status ht_percent_decode(const char *text, size_t size, bool plus, char *out,
                                 size_t *out_size)
{
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex(text[i + 1]) : -1;
            int low = i + 2 < size ? hex(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return HT_SYNTAX;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0') {
            return HT_SYNTAX;
        }
        out[to++] = c;
    }
    out[to] = '\0';
    *out_size = to;
    return ht_utf8_valid(out, to) == to ? HT_OK : HT_SYNTAX;
}

/* One "name=value" from `piece` into the memory at `at`; moves `at` behind it. */
static enum ht_status piece_read(struct ht_params *params, const char *piece, size_t size,
                                 char **at)
{
    if (params->count == HT_PARAMS_MOST) {
        return HT_TOO_BIG;
    }
    const char *equals = memchr(piece, '=', size);
    size_t name_size = equals == NULL ? size : (size_t)(equals - piece);
    size_t written = 0;
    struct ht_param *param = &params->list[params->count];
    param->name = *at;
    enum ht_status status = ht_percent_decode(piece, name_size, true, *at, &written);
    if (status != HT_OK) {
        return status;
    }
    *at += written + 1;
    param->value = *at;
    size_t skip = equals == NULL ? size : name_size + 1;
    status = ht_percent_decode(piece + skip, size - skip, true, *at, &written);
    *at += written + 1;
    params->count += status == HT_OK;
    return status;
}

enum ht_status ht_params_read(struct ht_params *params, const char *query, size_t size)
{
    params->count = 0;
    params->text = malloc(size + 2 * HT_PARAMS_MOST + 2);
    char *at = params->text;
    enum ht_status status = at == NULL ? HT_NOMEM : HT_OK;
    while (status == HT_OK && size > 0) {
        const char *end = memchr(query, '&', size);
        size_t piece = end == NULL ? size : (size_t)(end - query);
        if (piece > 0) {
            status = piece_read(params, query, piece, &at);
        }
        size_t step = end == NULL ? size : piece + 1;
        query += step;
        size -= step;
    }
    if (status != HT_OK) {
        ht_params_deinit(params);
    }
    return status;
}

enum ht_status ht_params_of(struct ht_params *params, const struct ht_http_request *request)
{
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    return ht_params_read(params, request->target + skip, request->target_size - skip);
}

void ht_params_deinit(struct ht_params *params)
{
    free(params->text);
    params->text = NULL;
    params->count = 0;
}

const char *ht_param(const struct ht_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->list[i].name, name) == 0) {
            return params->list[i].value;
        }
    }
    return NULL;
}

bool ht_param_flag(const struct ht_params *params, const char *name, bool *out)
{
    const char *text = ht_param(params, name);
    if (text == NULL) {
        return true;
    }
    *out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *out || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

bool ht_param_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most) {
        return false;
    }
    *out = value;
    return true;
}

bool ht_param_doubles(const char *text, double *out, size_t count)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < count; i++) {
        size_t used = ht_number_read(text, size, &out[i]);
        if (used == 0 || !isfinite(out[i]) || text[used] != (i + 1 < count ? ',' : '\0')) {
            return false;
        }
        text += used + (i + 1 < count);
        size -= used + (i + 1 < count);
    }
    return true;
}
