/* Params: the query of a URL as names and values.
 *
 * Percent-encoding is undone, "+" is a space. Values are kept as they came otherwise; a name that
 * comes twice is kept twice, and ht_param gives the first.
 *
 * Threading: plain values. Ownership: texts lie in the struct's own memory. Errors: HT_SYNTAX for
 * broken encoding, a NUL or what is no UTF-8; HT_TOO_BIG past the limits; HT_NOMEM.
 */
#ifndef HT_API_PARAMS_H
#define HT_API_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_http_request;

enum { HT_PARAMS_MOST = 64 };

struct ht_param {
    const char *name;
    const char *value;
};

struct ht_params {
    char *text;
    size_t count;
    struct ht_param list[HT_PARAMS_MOST];
};

/* `query`: what follows the question mark. */
HT_MUST_CHECK enum ht_status ht_params_read(struct ht_params *params, const char *query,
                                            size_t size);
/* The same of a request's target. */
HT_MUST_CHECK enum ht_status ht_params_of(struct ht_params *params,
                                          const struct ht_http_request *request);
void ht_params_deinit(struct ht_params *params);

/* The value; NULL: the name did not come. */
const char *ht_param(const struct ht_params *params, const char *name);

/* Undoes the encoding of a piece of a path into `out` (size + 1 bytes are enough), NUL-terminated.
 */
HT_MUST_CHECK enum ht_status ht_percent_decode(const char *text, size_t size, bool plus, char *out,
                                               size_t *out_size);

/* True or false, as 1 and 0 too; `*out` stays where the name did not come. False: neither. */
bool ht_param_flag(const struct ht_params *params, const char *name, bool *out);
/* A whole number in [least, most]. False: it is none. */
bool ht_param_number(const char *text, int64_t least, int64_t most, int64_t *out);
/* `count` numbers with commas between. */
bool ht_param_doubles(const char *text, double *out, size_t count);

#endif
