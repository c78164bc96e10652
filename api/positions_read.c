#include "api/positions_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "engine/base/array.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

enum field {
    FIELD_OTHER,
    FIELD_UNIT,
    FIELD_LON,
    FIELD_LAT,
    FIELD_TS,
    FIELD_SPEED,
    FIELD_BEARING,
    FIELD_ACCURACY,
};

struct reading {
    struct ht_positions_in *out;
    struct ht_position_in now; /* the object that is read */
    bool has[FIELD_ACCURACY + 1];
    enum field field; /* whose value comes next */
    int depth;        /* of objects and arrays within the position */
    int arrays;       /* around it */
    bool traccar;     /* names and depth as Traccar's client has them */
    const char *unit; /* of those that name none; NULL: each has to */
    int64_t now_ms;
    enum ht_status status;
};

static void position_begin(struct reading *r)
{
    memset(&r->now, 0, sizeof r->now);
    memset(r->has, 0, sizeof r->has);
    r->now.report = (struct ht_report){.ts_ms = r->now_ms,
                                       .received_ms = r->now_ms,
                                       .speed_mps = -1,
                                       .bearing_deg = -1,
                                       .accuracy_m = -1};
    if (r->unit != NULL) {
        (void)snprintf(r->now.unit, sizeof r->now.unit, "%s", r->unit);
        r->has[FIELD_UNIT] = true;
    }
}

/* Keeps the last thing that is wrong. */
static void wrong(struct ht_position_in *in, enum field field, const char *what)
{
    static const enum ht_position_part parts[] = {[FIELD_UNIT] = HT_POSITION_UNIT,
                                                  [FIELD_LON] = HT_POSITION_LON,
                                                  [FIELD_LAT] = HT_POSITION_LAT,
                                                  [FIELD_TS] = HT_POSITION_TIME,
                                                  [FIELD_ACCURACY] = HT_POSITION_WHOLE};
    in->wrong = what;
    in->wrong_part = parts[field];
}

static int position_end(struct reading *r)
{
    static const struct {
        enum field field;
        const char *wrong;
    } needed[] = {{FIELD_UNIT, "unit is missing"},
                  {FIELD_LON, "lon is missing"},
                  {FIELD_LAT, "lat is missing"}};
    for (size_t i = 0; r->now.wrong == NULL && i < sizeof needed / sizeof *needed; i++) {
        if (!r->has[needed[i].field]) {
            wrong(&r->now, needed[i].field, needed[i].wrong);
        }
    }
    void *list = r->out->list;
    r->status =
        r->out->count == HT_POSITIONS_MOST
            ? HT_TOO_BIG
            : ht_array_reserve(&list, &r->out->capacity, r->out->count + 1, sizeof *r->out->list);
    r->out->list = list;
    if (r->status != HT_OK) {
        return 0;
    }
    r->out->list[r->out->count++] = r->now;
    return 1;
}

static int on_start_map(void *user)
{
    struct reading *r = user;
    if (r->depth++ == 0) {
        position_begin(r);
    }
    r->field = FIELD_OTHER;
    return 1;
}

static int on_end_map(void *user)
{
    struct reading *r = user;
    return --r->depth == 0 ? position_end(r) : 1;
}

static int on_start_array(void *user)
{
    struct reading *r = user;
    if (r->depth > 0) {
        r->depth++;
        r->field = FIELD_OTHER;
    } else {
        r->arrays++;
        r->status = r->arrays > 1 ? HT_SYNTAX : HT_OK;
    }
    return r->status == HT_OK;
}

static int on_end_array(void *user)
{
    struct reading *r = user;
    if (r->depth > 0) {
        r->depth--;
    }
    return 1;
}

static enum field field_of(const struct reading *r, const char *key, size_t size)
{
    static const struct {
        const char *name;
        enum field field;
        int depth;
    } own[] = {{"unit", FIELD_UNIT, 1},
               {"lon", FIELD_LON, 1},
               {"lat", FIELD_LAT, 1},
               {"ts", FIELD_TS, 1},
               {"speed_mps", FIELD_SPEED, 1},
               {"bearing_deg", FIELD_BEARING, 1},
               {"accuracy_m", FIELD_ACCURACY, 1}};
    static const struct {
        const char *name;
        enum field field;
        int depth;
    } traccar[] = {{"device_id", FIELD_UNIT, 1},   {"timestamp", FIELD_TS, 2},
                   {"latitude", FIELD_LAT, 3},     {"longitude", FIELD_LON, 3},
                   {"speed", FIELD_SPEED, 3},      {"heading", FIELD_BEARING, 3},
                   {"accuracy", FIELD_ACCURACY, 3}};
    static_assert(sizeof own == sizeof traccar, "as many names");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const char *name = r->traccar ? traccar[i].name : own[i].name;
        if ((r->traccar ? traccar[i].depth : own[i].depth) == r->depth && strlen(name) == size &&
            memcmp(name, key, size) == 0) {
            return r->traccar ? traccar[i].field : own[i].field;
        }
    }
    return FIELD_OTHER;
}

static int on_key(void *user, const unsigned char *key, size_t size)
{
    struct reading *r = user;
    r->field = field_of(r, (const char *)key, size);
    return 1;
}

static int64_t unix_ms(double value)
{
    double ms = fabs(value) >= 1e11 ? value : value * 1000;
    return fabs(ms) < 9e15 ? llround(ms) : INT64_MAX;
}

static int on_number(void *user, const char *text, size_t size)
{
    struct reading *r = user;
    double value = NAN;
    if (r->depth == 0 || ht_number_read(text, size, &value) == 0) {
        r->status = HT_SYNTAX;
        return 0;
    }
    struct ht_report *report = &r->now.report;
    double *const places[] = {[FIELD_LON] = &report->lon_deg,
                              [FIELD_LAT] = &report->lat_deg,
                              [FIELD_SPEED] = &report->speed_mps,
                              [FIELD_BEARING] = &report->bearing_deg,
                              [FIELD_ACCURACY] = &report->accuracy_m};
    if (r->field == FIELD_TS) {
        report->ts_ms = unix_ms(value);
    } else if (r->field == FIELD_UNIT) {
        wrong(&r->now, FIELD_UNIT, "unit is not a text");
    } else if (r->field != FIELD_OTHER) {
        *places[r->field] = value;
    }
    r->has[r->field] = true;
    return 1;
}

static int on_string(void *user, const unsigned char *bytes, size_t size)
{
    struct reading *r = user;
    const char *text = (const char *)bytes;
    if (r->depth == 0) {
        r->status = HT_SYNTAX;
        return 0;
    }
    r->has[r->field] = true;
    if (r->field == FIELD_UNIT && size <= HT_UNIT_ID_MAX) {
        memcpy(r->now.unit, text, size);
        r->now.unit[size] = '\0';
    } else if (r->field == FIELD_UNIT) {
        wrong(&r->now, FIELD_UNIT, "unit is too long");
    } else if (r->field == FIELD_TS && !ht_time_parse(text, size, &r->now.report.ts_ms)) {
        wrong(&r->now, FIELD_TS, "ts is not a time");
    } else if (r->field != FIELD_TS && r->field != FIELD_OTHER) {
        wrong(&r->now, r->field, "a number was expected, not a text");
    }
    return 1;
}

static int on_other(void *user)
{
    struct reading *r = user;
    r->status = r->depth == 0 ? HT_SYNTAX : HT_OK;
    return r->depth > 0;
}

static int on_bool(void *user, int value)
{
    (void)value;
    return on_other(user);
}

static const yajl_callbacks callbacks = {.yajl_null = on_other,
                                         .yajl_boolean = on_bool,
                                         .yajl_number = on_number,
                                         .yajl_string = on_string,
                                         .yajl_start_map = on_start_map,
                                         .yajl_map_key = on_key,
                                         .yajl_end_map = on_end_map,
                                         .yajl_start_array = on_start_array,
                                         .yajl_end_array = on_end_array};

void ht_positions_deinit(struct ht_positions_in *positions)
{
    free(positions->list);
    *positions = (struct ht_positions_in){0};
}

/* From 1 on. */
static int64_t line_of(const char *text, size_t at)
{
    int64_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += text[i] == '\n';
    }
    return line;
}

static enum ht_status read_all(struct reading *r, const char *text, size_t size,
                               struct ht_error *error)
{
    yajl_handle parser = yajl_alloc(&callbacks, NULL, r);
    if (parser == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)yajl_config(parser, yajl_allow_multiple_values, 1);
    const unsigned char *bytes = (const unsigned char *)text;
    yajl_status parsed = yajl_parse(parser, bytes, size);
    size_t at = yajl_get_bytes_consumed(parser);
    if (parsed == yajl_status_ok) {
        parsed = yajl_complete_parse(parser);
        at = size; /* it ends too early */
    }
    enum ht_status status = HT_OK;
    if (parsed != yajl_status_ok) {
        status = r->status == HT_OK ? HT_SYNTAX : r->status;
        status = ht_error_set(
            error, status, r->arrays > 0 ? 0 : line_of(text, at < size ? at : size),
            "%s at byte %zu",
            status == HT_TOO_BIG ? "too many positions" : "not a list of positions", at);
    }
    yajl_free(parser);
    return status;
}

enum ht_status ht_positions_read(const char *text, size_t size, int64_t now_ms,
                                 struct ht_positions_in *out, struct ht_error *error)
{
    struct reading r = {.out = out, .now_ms = now_ms};
    return read_all(&r, text, size, error);
}

enum ht_status ht_positions_read_of(const char *unit, const char *text, size_t size, int64_t now_ms,
                                    struct ht_positions_in *out, struct ht_error *error)
{
    struct reading r = {.out = out, .now_ms = now_ms, .unit = unit};
    return read_all(&r, text, size, error);
}

enum ht_status ht_traccar_read(const char *text, size_t size, int64_t now_ms,
                               struct ht_position_in *out, struct ht_error *error)
{
    struct ht_positions_in list = {0};
    struct reading r = {.out = &list, .now_ms = now_ms, .traccar = true};
    enum ht_status status = read_all(&r, text, size, error);
    if (status == HT_OK && list.count == 1) {
        *out = list.list[0];
    } else if (status == HT_OK) {
        status = ht_error_set(error, HT_SYNTAX, 0, "one position at a time");
    }
    ht_positions_deinit(&list);
    return status;
}

static bool number_of(const struct ht_params *query, const char *name, double *out)
{
    const char *text = ht_param(query, name);
    return text != NULL && ht_param_doubles(text, out, 1);
}

void ht_osmand_read(const struct ht_params *query, int64_t now_ms, struct ht_position_in *out)
{
    struct reading r = {.now_ms = now_ms};
    position_begin(&r);
    *out = r.now;
    const char *unit = ht_param(query, "id");
    unit = unit == NULL ? ht_param(query, "deviceid") : unit;
    const char *time = ht_param(query, "timestamp");
    double value = 0;
    if (unit == NULL || strlen(unit) > HT_UNIT_ID_MAX) {
        wrong(out, FIELD_UNIT, "id is needed, of 64 characters at most");
        return;
    }
    memcpy(out->unit, unit, strlen(unit) + 1);
    if (!number_of(query, "lat", &out->report.lat_deg)) {
        wrong(out, FIELD_LAT, "lat is needed, a number");
    } else if (!number_of(query, "lon", &out->report.lon_deg)) {
        wrong(out, FIELD_LON, "lon is needed, a number");
    }
    if (number_of(query, "speed", &value)) {
        out->report.speed_mps = value * 1852 / 3600; /* knots */
    }
    if (number_of(query, "bearing", &value) || number_of(query, "heading", &value)) {
        out->report.bearing_deg = value;
    }
    if (number_of(query, "accuracy", &value)) {
        out->report.accuracy_m = value;
    }
    if (time != NULL && number_of(query, "timestamp", &value)) {
        out->report.ts_ms = unix_ms(value);
    } else if (time != NULL && !ht_time_parse(time, strlen(time), &out->report.ts_ms)) {
        wrong(out, FIELD_TS, "timestamp is not a time");
    }
}
