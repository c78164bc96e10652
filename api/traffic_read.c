#include "api/traffic_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/json_merge.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum { PROFILES_SIZE = 128 };
#define SPEED_MAX_KMH 300.0

void ht_traffic_rows_deinit(struct ht_traffic_rows *rows)
{
    free(rows->list);
    free(rows->texts);
    *rows = (struct ht_traffic_rows){0};
}

static enum ht_status rows_init(struct ht_traffic_rows *rows, size_t count, struct ht_error *error)
{
    *rows = (struct ht_traffic_rows){0};
    if (count > HT_TRAFFIC_ROWS_MAX) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d changes", HT_TRAFFIC_ROWS_MAX);
    }
    rows->list = ht_array_new_zeroed(count, sizeof *rows->list);
    rows->texts = ht_array_new_zeroed(count, PROFILES_SIZE);
    if (rows->list == NULL || rows->texts == NULL) {
        ht_traffic_rows_deinit(rows);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return HT_OK;
}

/* ---- JSON ---- */

static bool whole_number(yajl_val value, int64_t *out)
{
    if (!YAJL_IS_INTEGER(value)) {
        return false;
    }
    *out = YAJL_GET_INTEGER(value);
    return true;
}

/* What is not a number, or one that no street has: NAN. */
static double speed_of(yajl_val value)
{
    double kmh = YAJL_IS_INTEGER(value)  ? (double)YAJL_GET_INTEGER(value)
                 : YAJL_IS_DOUBLE(value) ? YAJL_GET_DOUBLE(value)
                                         : NAN;
    return kmh >= 0 && kmh <= SPEED_MAX_KMH ? kmh : NAN;
}

static bool profiles_read(yajl_val value, char *out)
{
    size_t size = 0;
    if (value == NULL) {
        return true;
    }
    if (!YAJL_IS_ARRAY(value) || YAJL_GET_ARRAY(value)->len == 0) {
        return false;
    }
    for (size_t i = 0; i < YAJL_GET_ARRAY(value)->len; i++) {
        const char *name = YAJL_GET_STRING(YAJL_GET_ARRAY(value)->values[i]);
        size_t length = name == NULL ? 0 : strlen(name);
        if (length == 0 || strchr(name, ',') != NULL || size + length + 2 > PROFILES_SIZE) {
            return false;
        }
        size += i > 0 ? 1 : 0;
        memcpy(out + size, name, length);
        size += length;
        out[size] = i + 1 < YAJL_GET_ARRAY(value)->len ? ',' : '\0';
    }
    return true;
}

/* NULL, or what is wrong with the item, and `*member` of it. */
static const char *item_read(yajl_val item, struct ht_store_traffic *row, char *profiles,
                             const char **member)
{
    yajl_val closed = ht_json_member(item, "closed");
    yajl_val speed = ht_json_member(item, "speed_kmh");
    yajl_val until = ht_json_member(item, "until");
    *member = "";
    if (!YAJL_IS_OBJECT(item)) {
        return "not an object";
    }
    bool from = whole_number(ht_json_member(item, "osm_from"), &row->osm_from);
    *member = from ? "/osm_to" : "/osm_from";
    if (!from || !whole_number(ht_json_member(item, "osm_to"), &row->osm_to)) {
        return "osm_from and osm_to have to be ids of OSM nodes";
    }
    *member = closed != NULL && speed == NULL ? "/closed" : "";
    if ((closed == NULL) == (speed == NULL) ||
        (closed != NULL && !YAJL_IS_TRUE(closed) && !YAJL_IS_FALSE(closed))) {
        return "either closed (true or false) or speed_kmh has to be given";
    }
    row->speed_mps = closed != NULL        ? (YAJL_IS_TRUE(closed) ? 0 : -1)
                     : YAJL_IS_NULL(speed) ? -1
                                           : speed_of(speed) / 3.6;
    *member = "/speed_kmh";
    if (isnan(row->speed_mps)) {
        return "speed_kmh has to be a number from 0 to 300, or null";
    }
    row->until_ms = INT64_MAX;
    const char *text = YAJL_GET_STRING(until);
    *member = "/until";
    if (until != NULL && !YAJL_IS_NULL(until) &&
        (text == NULL || !ht_time_parse(text, strlen(text), &row->until_ms))) {
        return "until has to be a time as in RFC 3339";
    }
    *member = "/profiles";
    if (!profiles_read(ht_json_member(item, "profiles"), profiles)) {
        return "profiles has to be a list of names";
    }
    row->profiles = profiles;
    return NULL;
}

enum ht_status ht_traffic_read_json(const char *body, size_t size, struct ht_traffic_rows *rows,
                                    struct ht_error *error)
{
    *rows = (struct ht_traffic_rows){0};
    yajl_val tree = ht_json_tree_read(body, size);
    if (!YAJL_IS_ARRAY(tree)) {
        yajl_tree_free(tree);
        return ht_error_set(error, HT_SYNTAX, 0,
                            "the body is not a JSON array, or nested too deep");
    }
    size_t count = YAJL_GET_ARRAY(tree)->len;
    enum ht_status status = rows_init(rows, count, error);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const char *member = "";
        const char *wrong = item_read(YAJL_GET_ARRAY(tree)->values[i], &rows->list[i],
                                      rows->texts + i * PROFILES_SIZE, &member);
        if (wrong != NULL) {
            status =
                ht_error_set(error, HT_INVALID, (int64_t)i + 1, "/%zu%s: %s", i, member, wrong);
        }
        rows->count = i + 1;
    }
    yajl_tree_free(tree);
    if (status != HT_OK) {
        ht_traffic_rows_deinit(rows);
    }
    return status;
}

/* ---- CSV ---- */

static bool field_end(const char **at, char end)
{
    bool found = **at == end;
    *at += found ? 1 : 0;
    return found;
}

/* "from,to,speed" with a rate that we have no use for; false: not such a line. */
static bool line_read(const char *line, struct ht_store_traffic *row)
{
    char *end = NULL;
    errno = 0;
    row->osm_from = strtoll(line, &end, 10);
    const char *at = end;
    if (end == line || !field_end(&at, ',')) {
        return false;
    }
    row->osm_to = strtoll(at, &end, 10);
    bool some = end != at;
    at = end;
    if (!some || !field_end(&at, ',')) {
        return false;
    }
    double kmh = strtod(at, &end);
    some = end != at && errno == 0 && kmh >= 0 && kmh <= SPEED_MAX_KMH;
    at = end;
    if (some && field_end(&at, ',')) {
        double rate = strtod(at, &end);
        some = end != at && rate >= 0;
        at = end;
    }
    *row = (struct ht_store_traffic){row->osm_from, row->osm_to, "", kmh / 3.6, INT64_MAX};
    return some && (*at == '\0' || *at == '\n' || (at[0] == '\r' && (at[1] == '\n' || at[1] == 0)));
}

enum ht_status ht_traffic_read_csv(const char *body, size_t size, struct ht_traffic_rows *rows,
                                   struct ht_error *error)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += body[i] == '\n';
    }
    enum ht_status status = rows_init(rows, lines, error);
    int64_t number = 1;
    for (const char *at = body; status == HT_OK && at < body + size; number++) {
        const char *end = memchr(at, '\n', (size_t)(body + size - at));
        end = end == NULL ? body + size : end;
        if (end > at && !(end == at + 1 && *at == '\r')) {
            if (memchr(at, '\0', (size_t)(end - at)) != NULL ||
                !line_read(at, &rows->list[rows->count])) {
                status = ht_error_set(error, HT_SYNTAX, number,
                                      "line %lld: not from,to,speed_kmh[,rate]", (long long)number);
            }
            rows->count++;
        }
        at = end + 1;
    }
    if (status != HT_OK) {
        ht_traffic_rows_deinit(rows);
    }
    return status;
}
