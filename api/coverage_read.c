#include "api/coverage_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/coverage_internal.h"
#include "api/json_merge.h"
#include "api/params.h"
#include "api/pointer.h"
#include "engine/base/array.h"
#include "geodata/collection.h"

const char *const ht_coverage_weighs[] = {"households", "residents", "frail", NULL};
const char *const ht_facility_kinds[] = {"kitchen",       "station",  "hospital", "depot",
                                         "service_point", "worksite", "compound", NULL};
static const char *const besides[] = {"sites", "units", "none", NULL};

enum { MOVES = 3, CORNERS = 20, NEW_CORNERS = 50, STATION = 1, SERVICE_POINT = 4 };

static enum ht_status bad(struct ht_error *error, const char *name, const char *what)
{
    return ht_error_set(error, HT_SYNTAX, 0, "%.80s must be %s", name, what);
}

static bool absent(yajl_val value)
{
    return value == NULL || YAJL_IS_NULL(value);
}

static bool number_read(yajl_val value, double least, double most, double *out)
{
    return YAJL_IS_NUMBER(value) && ht_param_doubles(YAJL_GET_NUMBER(value), out, 1) &&
           *out >= least && *out <= most;
}

static enum ht_status count_member(yajl_val object, const char *name, uint32_t least, uint32_t most,
                                   uint32_t *out, struct ht_error *error)
{
    yajl_val value = ht_json_member(object, name);
    double number = 0;
    if (absent(value)) {
        return HT_OK;
    }
    if (!number_read(value, least, most, &number) || number != floor(number)) {
        return ht_error_set(error, HT_SYNTAX, 0, "%.80s must be a whole number from %u to %u", name,
                            least, most);
    }
    *out = (uint32_t)number;
    return HT_OK;
}

static enum ht_status seconds_member(yajl_val object, const char *name, uint32_t *out_ms,
                                     struct ht_error *error)
{
    yajl_val value = ht_json_member(object, name);
    double number = 0;
    if (absent(value)) {
        return HT_OK;
    }
    if (!number_read(value, 0.001, HT__COVERAGE_SECONDS_MOST, &number)) {
        return bad(error, name, "seconds, above 0 and up to 3600");
    }
    *out_ms = (uint32_t)lround(number * 1000);
    return HT_OK;
}

/* The number of a word; -1: it is none of them. */
static int word_of(yajl_val value, const char *const *words)
{
    const char *text = YAJL_GET_STRING(value);
    for (int i = 0; text != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

/* The filter's members as a query, which is read like that of a GET: a text, a number, or a list of
 * them. */
static enum ht_status filter_member(yajl_val object, const char *name, struct ht_text *query,
                                    struct ht_error *error)
{
    yajl_val value = ht_json_member(object, name);
    if (absent(value)) {
        return HT_OK;
    }
    size_t parts = YAJL_IS_ARRAY(value) ? value->u.array.len : 1;
    ht_text_addf(query, "&%s=", name);
    for (size_t i = 0; i < parts; i++) {
        yajl_val part = YAJL_IS_ARRAY(value) ? value->u.array.values[i] : value;
        const char *text = YAJL_IS_STRING(part)   ? YAJL_GET_STRING(part)
                           : YAJL_IS_NUMBER(part) ? YAJL_GET_NUMBER(part)
                           : YAJL_IS_TRUE(part)   ? "true"
                           : YAJL_IS_FALSE(part)  ? "false"
                                                  : NULL;
        if (text == NULL) {
            return bad(error, name, "a text, a number or a list of texts");
        }
        ht_text_add_string(query, i > 0 ? "," : "");
        for (; *text != '\0'; text++) {
            ht_text_addf(query, "%%%02X", (unsigned char)*text);
        }
    }
    return query->failed ? ht_error_set(error, HT_NOMEM, 0, NULL) : HT_OK;
}

static enum ht_status sites_member(yajl_val tree, uint32_t *bits, struct ht_error *error)
{
    yajl_val list = ht_json_member(tree, "sites");
    if (absent(list)) {
        return HT_OK;
    }
    *bits = 0;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        int kind = word_of(list->u.array.values[i], ht_facility_kinds);
        if (kind < 0) {
            return bad(error, "sites", "a list of kinds of facilities");
        }
        *bits |= UINT32_C(1) << kind;
    }
    return YAJL_IS_ARRAY(list) ? HT_OK : bad(error, "sites", "a list of kinds of facilities");
}

static enum ht_status spots_member(yajl_val tree, struct ht_coverage_body *out,
                                   struct ht_error *error)
{
    yajl_val list = ht_json_member(tree, "candidates");
    if (absent(list)) {
        return HT_OK;
    }
    if (!YAJL_IS_ARRAY(list)) {
        return bad(error, "candidates", "a list");
    }
    if (list->u.array.len > HT_COVERAGE_SPOTS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than 1,000 candidates");
    }
    out->spots = ht_array_new(list->u.array.len, sizeof *out->spots);
    if (out->spots == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        yajl_val item = list->u.array.values[i];
        struct ht_coverage_spot *spot = &out->spots[out->spot_count++];
        spot->id = YAJL_GET_STRING(ht_json_member(item, "id"));
        if (spot->id == NULL || !ht_id_valid(spot->id, strlen(spot->id))) {
            return ht_error_set(error, HT_SYNTAX, 0,
                                "candidates/%zu/id must be 1 to 64 letters, digits and ._:-", i);
        }
        if (!number_read(ht_json_member(item, "lon"), -1e9, 1e9, &spot->pair[0]) ||
            !number_read(ht_json_member(item, "lat"), -1e9, 1e9, &spot->pair[1])) {
            return ht_error_set(error, HT_SYNTAX, 0, "candidates/%zu needs lon and lat", i);
        }
    }
    return HT_OK;
}

static enum ht_status new_member(yajl_val tree, struct ht_coverage_body *out,
                                 struct ht_error *error)
{
    yajl_val object = ht_json_member(tree, "new");
    if (absent(object)) {
        return HT_OK;
    }
    if (!YAJL_IS_OBJECT(object)) {
        return bad(error, "new", "an object");
    }
    out->is_new = true;
    out->most = 1;
    out->corners = absent(ht_json_member(tree, "corners")) ? NEW_CORNERS : out->corners;
    enum ht_status status =
        count_member(object, "count", 1, HT_COVERAGE_MOVES_MOST, &out->most, error);
    if (status == HT_SYNTAX) {
        (void)strcpy(out->wrong_at, "/new/count");
    }
    yajl_val profile = ht_json_member(object, "profile");
    yajl_val beside = ht_json_member(object, "beside");
    if (status == HT_OK && !absent(profile)) {
        out->profile = YAJL_GET_STRING(profile);
        status = out->profile == NULL ? bad(error, "new/profile", "a text") : HT_OK;
    }
    if (status == HT_OK && !absent(beside)) {
        int word = word_of(beside, besides);
        status = word < 0 ? bad(error, "new/beside", "sites, units or none") : HT_OK;
        out->beside = word < 0 ? HT_BESIDE_SITES : (enum ht_coverage_beside)word;
    }
    return status;
}

/* A name that is misspelt would be left out without a word. */
static enum ht_status names_check(yajl_val tree, struct ht_coverage_body *out,
                                  struct ht_error *error)
{
    static const char *const known[] = {"kind",       "skills",  "status", "shift",    "max_age_s",
                                        "max_s",      "weigh",   "moves",  "travel_s", "sites",
                                        "candidates", "corners", "new",    "incident", "severity",
                                        "blue_light", "by"};
    for (size_t i = 0; i < tree->u.object.len; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            found = found || strcmp(known[k], tree->u.object.keys[i]) == 0;
        }
        if (!found) {
            ht_pointer(out->wrong_at, sizeof out->wrong_at, "", tree->u.object.keys[i]);
            return ht_error_set(error, HT_SYNTAX, 0, "there is no member %.80s",
                                tree->u.object.keys[i]);
        }
    }
    return HT_OK;
}

static enum ht_status members_read(yajl_val tree, struct ht_coverage_body *out,
                                   struct ht_error *error)
{
    static const char *const filter[] = {"kind",     "skills",   "status",     "shift", "max_age_s",
                                         "incident", "severity", "blue_light", "by"};
    yajl_val weigh = ht_json_member(tree, "weigh");
    enum ht_status status = names_check(tree, out, error);
    for (size_t i = 0; i < sizeof filter / sizeof *filter && status == HT_OK; i++) {
        status = filter_member(tree, filter[i], &out->filter, error);
    }
    if (status == HT_OK) {
        status = seconds_member(tree, "max_s", &out->limit_ms, error);
    }
    if (status == HT_OK) {
        status = seconds_member(tree, "travel_s", &out->travel_ms, error);
    }
    if (status == HT_OK) {
        status = count_member(tree, "moves", 0, HT_COVERAGE_MOVES_MOST, &out->most, error);
    }
    if (status == HT_OK) {
        status = count_member(tree, "corners", 0, HT_COVERAGE_CORNERS_MOST, &out->corners, error);
    }
    if (status == HT_OK && !absent(weigh)) {
        int word = word_of(weigh, ht_coverage_weighs);
        status = word < 0 ? bad(error, "weigh", "households, residents or frail") : HT_OK;
        out->weigh = word < 0 ? HT_WEIGH_HOUSEHOLDS : (enum ht_coverage_weigh)word;
    }
    if (status == HT_OK) {
        status = sites_member(tree, &out->kinds, error);
    }
    if (status == HT_OK) {
        status = spots_member(tree, out, error);
    }
    return status == HT_OK ? new_member(tree, out, error) : status;
}

enum ht_status ht_coverage_body_read(const char *text, size_t size, struct ht_coverage_body *out,
                                     struct ht_error *error)
{
    *out = (struct ht_coverage_body){.travel_ms = UINT32_MAX,
                                     .most = MOVES,
                                     .corners = CORNERS,
                                     .kinds = 1U << STATION | 1U << SERVICE_POINT};
    out->tree = ht_json_tree_read(text, size);
    if (!YAJL_IS_OBJECT(out->tree)) {
        return ht_error_set(error, HT_SYNTAX, 0, "the body is not a JSON object");
    }
    enum ht_status status = members_read(out->tree, out, error);
    if (status == HT_TOO_BIG) {
        (void)strcpy(out->wrong_at, "/candidates");
    } else if (status == HT_SYNTAX && out->wrong_at[0] == '\0') { /* the path comes first */
        (void)snprintf(out->wrong_at, sizeof out->wrong_at, "/%.*s",
                       (int)strcspn(error->message, " "), error->message);
    }
    return status;
}

void ht_coverage_body_deinit(struct ht_coverage_body *body)
{
    yajl_tree_free(body->tree);
    ht_text_deinit(&body->filter);
    free(body->spots);
}
