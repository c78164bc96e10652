/* Whether a value suits its property, and in words why not. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "engine/base/schedule.h"
#include "engine/base/text.h"
#include "engine/base/time.h"
#include "geodata/answers.h"
#include "geodata/collection.h"

#define TEXT_MAX 4096
#define LIST_MAX 1000
#define MESSAGE_MAX sizeof(((struct ht_error *)0)->message)

static enum ht_status must(const char *name, struct ht_error *error, const char *what)
{
    return ht_error_set(error, HT_INVALID, 0, "%.64s must be %s", name, what);
}

static bool number_of(const struct yajl_val_s *value, double *out)
{
    if (YAJL_IS_DOUBLE(value)) {
        *out = value->u.number.d;
        return isfinite(*out);
    }
    if (YAJL_IS_INTEGER(value)) {
        *out = (double)value->u.number.i;
        return true;
    }
    return false;
}

/* --- texts ------------------------------------------------------------------------------------ */

static enum ht_status check_text(const struct ht_property *property, const struct yajl_val_s *value,
                                 struct ht_error *error)
{
    if (!YAJL_IS_STRING(value)) {
        return must(property->name, error, property->words == NULL ? "a text" : "a word");
    }
    if (property->words == NULL) {
        return strlen(value->u.string) <= TEXT_MAX
                   ? HT_OK
                   : must(property->name, error, "at most 4096 bytes long");
    }
    char list[MESSAGE_MAX] = "one of ";
    for (size_t i = 0; property->words[i] != NULL; i++) {
        if (strcmp(property->words[i], value->u.string) == 0) {
            return HT_OK;
        }
        size_t size = strlen(list);
        (void)snprintf(list + size, sizeof list - size, "%s%s", i > 0 ? ", " : "",
                       property->words[i]);
    }
    return must(property->name, error, list);
}

static bool is_id(const struct yajl_val_s *value)
{
    return YAJL_IS_STRING(value) && ht_id_valid(value->u.string, strlen(value->u.string));
}

static enum ht_status check_crs(const char *name, const struct yajl_val_s *value,
                                struct ht_error *error)
{
    struct ht_crs crs;
    if (YAJL_IS_STRING(value) &&
        ht_crs_parse(value->u.string, strlen(value->u.string), &crs) == HT_OK) {
        return HT_OK;
    }
    return must(name, error, "a coordinate system, like EPSG:4326, GCJ02 or BD09");
}

static enum ht_status check_time(const char *name, const struct yajl_val_s *value,
                                 struct ht_error *error)
{
    int64_t ms = 0;
    if (YAJL_IS_STRING(value) && ht_time_parse(value->u.string, strlen(value->u.string), &ms)) {
        return HT_OK;
    }
    return must(name, error, "a time like 2026-03-01T08:30:00+08:00");
}

/* --- numbers ---------------------------------------------------------------------------------- */

static enum ht_status check_number(const struct ht_property *property,
                                   const struct yajl_val_s *value, struct ht_error *error)
{
    bool whole = property->type == HT_PROPERTY_INTEGER;
    double number = 0;
    if (number_of(value, &number) && number >= property->low && number <= property->high &&
        (!whole || floor(number) == number)) {
        return HT_OK;
    }
    return ht_error_set(error, HT_INVALID, 0, "%s must be a %snumber from %.10g to %.10g",
                        property->name, whole ? "whole " : "", property->low, property->high);
}

static enum ht_status check_numbers(const struct ht_property *property,
                                    const struct yajl_val_s *value, struct ht_error *error)
{
    bool range = property->type == HT_PROPERTY_RANGE;
    double number[2] = {0};
    bool fits = YAJL_IS_ARRAY(value) && value->u.array.len <= LIST_MAX &&
                (!range || value->u.array.len == 2);
    for (size_t i = 0; fits && i < value->u.array.len; i++) {
        fits = number_of(value->u.array.values[i], &number[i & 1]) &&
               number[i & 1] >= property->low && number[i & 1] <= property->high;
    }
    if (fits && (!range || number[0] <= number[1])) {
        return HT_OK;
    }
    return ht_error_set(error, HT_INVALID, 0, "%s must be %s from %.10g to %.10g", property->name,
                        range ? "[min, max]" : "a list of numbers", property->low, property->high);
}

static bool is_point(const struct yajl_val_s *value)
{
    double lon = 0;
    double lat = 0;
    return YAJL_IS_ARRAY(value) && (value->u.array.len == 2 || value->u.array.len == 3) &&
           number_of(value->u.array.values[0], &lon) && number_of(value->u.array.values[1], &lat) &&
           fabs(lon) <= 180 && fabs(lat) <= 90;
}

/* --- lists ------------------------------------------------------------------------------------ */

static enum ht_status check_list(const struct ht_property *property, const struct yajl_val_s *value,
                                 struct ht_error *error)
{
    bool objects = property->type == HT_PROPERTY_MIXED_LIST;
    bool fits = YAJL_IS_ARRAY(value) && value->u.array.len <= LIST_MAX;
    for (size_t i = 0; fits && i < value->u.array.len; i++) {
        const struct yajl_val_s *item = value->u.array.values[i];
        fits = YAJL_IS_STRING(item) ? strlen(item->u.string) <= TEXT_MAX
                                    : objects && YAJL_IS_OBJECT(item);
    }
    return fits ? HT_OK
                : must(property->name, error,
                       objects ? "a list of texts or objects" : "a list of texts");
}

/* The visit field of that name, which a tenant may have like its factory; NULL: none. */
static const struct ht_property *visit_field(const char *name)
{
    static const char *const names[] = {"visits_per_week", "gap_days", "open",
                                        "service_s",       "skills",   "crew"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return ht_collection_property(ht_collection_find("factories", 9), name, strlen(name));
        }
    }
    return NULL;
}

/* tenants[3].risk and so on; members that are not listed here, and no visit fields, may be
 * anything. */
static enum ht_status check_tenant(const struct ht_property *property, size_t index,
                                   const struct yajl_val_s *tenant, struct ht_error *error)
{
    static const struct ht_property members[] = {
        {.name = "id", .type = HT_PROPERTY_ID},
        {.name = "name", .type = HT_PROPERTY_TEXT},
        {.name = "industry", .type = HT_PROPERTY_TEXT},
        {.name = "risk", .type = HT_PROPERTY_INTEGER, .low = 1, .high = 4},
    };
    if (!YAJL_IS_OBJECT(tenant)) {
        return must(property->name, error, "a list of objects with id, name, industry, risk");
    }
    for (size_t i = 0; i < tenant->u.object.len; i++) {
        const struct ht_property *member = visit_field(tenant->u.object.keys[i]);
        struct ht_error inner;
        for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
            member = strcmp(tenant->u.object.keys[i], members[m].name) == 0 ? &members[m] : member;
        }
        if (member != NULL &&
            ht_property_check(member, tenant->u.object.values[i], &inner) != HT_OK) {
            return ht_error_set(error, HT_INVALID, 0, "%s[%zu].%.200s", property->name, index,
                                inner.message);
        }
    }
    return HT_OK;
}

static const char *tenant_id(const struct yajl_val_s *tenant)
{
    for (size_t i = 0; i < tenant->u.object.len; i++) {
        if (strcmp(tenant->u.object.keys[i], "id") == 0 &&
            YAJL_IS_STRING(tenant->u.object.values[i])) {
            return tenant->u.object.values[i]->u.string;
        }
    }
    return NULL;
}

static enum ht_status check_tenants(const struct ht_property *property,
                                    const struct yajl_val_s *value, struct ht_error *error)
{
    if (!YAJL_IS_ARRAY(value) || value->u.array.len > LIST_MAX) {
        return must(property->name, error, "a list of objects with id, name, industry, risk");
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        enum ht_status status = check_tenant(property, i, value->u.array.values[i], error);
        if (status != HT_OK) {
            return status;
        }
        const char *id = tenant_id(value->u.array.values[i]);
        for (size_t k = 0; id != NULL && k < i; k++) {
            const char *other = tenant_id(value->u.array.values[k]);
            if (other != NULL && strcmp(id, other) == 0) {
                return ht_error_set(error, HT_INVALID, 0, "%s has the id \"%s\" twice",
                                    property->name, id);
            }
        }
    }
    return HT_OK;
}

/* --- hours ------------------------------------------------------------------------------------ */

/* "8:00" or "08:00". */
static bool is_clock_time(const char *text)
{
    size_t size = strlen(text);
    if (size < 4 || size > 5 || text[size - 3] != ':') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (i != size - 3 && (text[i] < '0' || text[i] > '9')) {
            return false;
        }
    }
    return true;
}

enum ht_status ht_hours_text(const struct yajl_val_s *value, struct ht_text *out)
{
    if (YAJL_IS_STRING(value)) {
        ht_text_add_string(out, value->u.string);
        return out->failed ? HT_NOMEM : HT_OK;
    }
    if (!YAJL_IS_ARRAY(value)) {
        return HT_INVALID;
    }
    size_t count = value->u.array.len;
    bool clock_times = count == 2;
    for (size_t i = 0; i < count; i++) {
        if (!YAJL_IS_STRING(value->u.array.values[i])) {
            return HT_INVALID;
        }
        clock_times = clock_times && is_clock_time(value->u.array.values[i]->u.string);
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            ht_text_add_string(out, clock_times ? "-" : "; ");
        }
        ht_text_add_string(out, value->u.array.values[i]->u.string);
    }
    return out->failed ? HT_NOMEM : count == 0 ? HT_EMPTY : HT_OK;
}

static enum ht_status check_hours(const char *name, const struct yajl_val_s *value,
                                  struct ht_error *error)
{
    struct ht_text text = {0};
    struct ht_schedule *schedule = NULL;
    struct ht_error inner;
    enum ht_status status = ht_hours_text(value, &text);
    if (status == HT_INVALID) {
        status = must(name, error, "a list of opening hours, like \"Mo-Fr 08:00-17:00\"");
    } else if (status == HT_EMPTY) {
        status = HT_OK;
    } else if (status == HT_OK) {
        status = ht_schedule_parse(ht_text_string(&text), &schedule, &inner);
        ht_schedule_free(schedule);
        if (status != HT_OK && status != HT_NOMEM) {
            status = ht_error_set(error, HT_INVALID, 0, "%s are no opening hours: %.200s", name,
                                  inner.message);
        }
    }
    ht_text_deinit(&text);
    return status == HT_NOMEM ? ht_error_set(error, status, 0, NULL) : status;
}

static enum ht_status check_gate(const char *name, const struct yajl_val_s *value,
                                 struct ht_error *error)
{
    if (YAJL_IS_STRING(value) && strlen(value->u.string) <= TEXT_MAX) {
        return HT_OK;
    }
    if (YAJL_IS_OBJECT(value)) {
        for (size_t i = 0; i < value->u.object.len; i++) {
            if (strcmp(value->u.object.keys[i], "hours") == 0 &&
                !YAJL_IS_NULL(value->u.object.values[i])) {
                return check_hours("gate.hours", value->u.object.values[i], error);
            }
        }
        return HT_OK;
    }
    return is_point(value) ? HT_OK : must(name, error, "a text, an object or [lon, lat]");
}

static enum ht_status check_answers(const char *name, const struct yajl_val_s *value,
                                    struct ht_error *error)
{
    bool fits = YAJL_IS_OBJECT(value);
    for (size_t i = 0; fits && i < value->u.object.len; i++) {
        fits = ht_answer_level_of(value->u.object.keys[i]) != HT_ANSWER_LEVELS &&
               (is_id(value->u.object.values[i]) || YAJL_IS_NULL(value->u.object.values[i]));
    }
    return fits ? HT_OK
                : must(name, error,
                       "an object of ids, by cell, community, sub_district and district");
}

/* --- the doors -------------------------------------------------------------------------------- */

enum ht_status ht_property_check(const struct ht_property *property, const struct yajl_val_s *value,
                                 struct ht_error *error)
{
    if (YAJL_IS_NULL(value)) {
        return HT_OK;
    }
    switch (property->type) {
    case HT_PROPERTY_TEXT:
        return check_text(property, value, error);
    case HT_PROPERTY_ID:
        return is_id(value)
                   ? HT_OK
                   : must(property->name, error, "an id: 1 to 64 letters, digits or . _ : -");
    case HT_PROPERTY_CRS:
        return check_crs(property->name, value, error);
    case HT_PROPERTY_TIME:
        return check_time(property->name, value, error);
    case HT_PROPERTY_NUMBER:
    case HT_PROPERTY_INTEGER:
        return check_number(property, value, error);
    case HT_PROPERTY_BOOL:
        return YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)
                   ? HT_OK
                   : must(property->name, error, "true or false");
    case HT_PROPERTY_NUMBER_LIST:
    case HT_PROPERTY_RANGE:
        return check_numbers(property, value, error);
    case HT_PROPERTY_TEXT_LIST:
    case HT_PROPERTY_MIXED_LIST:
        return check_list(property, value, error);
    case HT_PROPERTY_OBJECT_LIST:
        return check_tenants(property, value, error);
    case HT_PROPERTY_POINT:
        return is_point(value) ? HT_OK : must(property->name, error, "[lon, lat]");
    case HT_PROPERTY_PLACE:
        return is_id(value) || is_point(value) ? HT_OK
                                               : must(property->name, error, "an id or [lon, lat]");
    case HT_PROPERTY_OPENING_HOURS:
        return check_hours(property->name, value, error);
    case HT_PROPERTY_ANSWERS:
        return check_answers(property->name, value, error);
    case HT_PROPERTY_GATE:
        return check_gate(property->name, value, error);
    }
    return HT_OK;
}

enum ht_status ht_collection_check(const struct ht_collection *collection, const char *id,
                                   const char *name, const struct yajl_val_s *value,
                                   struct ht_error *error)
{
    struct ht_error inner;
    const struct ht_property *property = ht_collection_property(collection, name, strlen(name));
    if (property == NULL || ht_property_check(property, value, &inner) == HT_OK) {
        return HT_OK;
    }
    return ht_error_set(error, inner.status, 0, "%s%s%.64s: %.160s", collection->name,
                        id[0] == '\0' ? "" : "/", id, inner.message);
}

enum ht_status ht_collection_check_geometry(const struct ht_collection *collection,
                                            enum ht_geometry_type type, struct ht_error *error)
{
    if ((collection->geometries >> type & 1) != 0) {
        return HT_OK;
    }
    char list[64] = "";
    for (unsigned t = 0; t <= HT_GEOMETRY_MULTIPOLYGON; t++) {
        if ((collection->geometries >> t & 1) != 0) {
            size_t size = strlen(list);
            (void)snprintf(list + size, sizeof list - size, "%s%s", size > 0 ? " or " : "",
                           ht_geometry_type_name((enum ht_geometry_type)t));
        }
    }
    return must("geometry", error, list);
}
