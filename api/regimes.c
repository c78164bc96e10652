#include "api/regimes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/pointer.h"
#include "api/settings.h"
#include "engine/base/array.h"

static const char *const setting_names[HT_REGIME_SETTINGS] = {"incidents", "calendar"};

const char *ht_regime_setting_name(enum ht_regime_setting setting)
{
    return setting_names[setting];
}

/* ---- reading ---- */

__attribute__((format(printf, 3, 4))) static enum ht_status
invalid(struct ht_setting_wrong *wrong, const char *detail, const char *pointer, ...)
{
    va_list list;
    va_start(list, pointer);
    (void)vsnprintf(wrong->pointer, sizeof wrong->pointer, pointer, list);
    va_end(list);
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%s", detail);
    return HT_INVALID;
}

/* The same of a member of that, whose name came from outside. */
__attribute__((format(printf, 4, 5))) static enum ht_status
invalid_name(struct ht_setting_wrong *wrong, const char *detail, const char *name,
             const char *pointer, ...)
{
    va_list list;
    va_start(list, pointer);
    (void)vsnprintf(wrong->pointer, sizeof wrong->pointer, pointer, list);
    va_end(list);
    ht_pointer(wrong->pointer, sizeof wrong->pointer, wrong->pointer, name);
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%s", detail);
    return HT_INVALID;
}

static bool is_id(const char *text)
{
    return text != NULL && ht_id_valid(text, strlen(text));
}

/* `id` is one. */
static void id_keep(char to[HT_ID_MAX + 1], const char *id)
{
    memcpy(to, id, strlen(id) + 1);
}

/* A value's text. HT_INVALID: it holds what is no UTF-8, which yajl lets pass in part. */
static enum ht_status text_of(yajl_val value, char **out)
{
    struct ht_text text = {0};
    ht_json_tree_write(&text, value);
    if (text.failed) {
        ht_text_deinit(&text);
        return HT_NOMEM;
    }
    if (ht_utf8_valid(text.data, text.size) != text.size) {
        ht_text_deinit(&text);
        return HT_INVALID;
    }
    *out = text.data;
    return HT_OK;
}

static int by_id(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* Things that begin with their id, sorted. NULL, or an id that stands twice. */
static const char *sort_by_id(void *list, size_t count, size_t size)
{
    if (count > 1) {
        qsort(list, count, size, by_id);
    }
    for (size_t i = 1; i < count; i++) {
        const char *id = (const char *)list + i * size;
        if (strcmp(id, id - size) == 0) {
            return id;
        }
    }
    return NULL;
}

static enum ht_status zones_read(struct ht_regime *regime, yajl_val value,
                                 struct ht_setting_wrong *wrong)
{
    if (!YAJL_IS_ARRAY(value) || value->u.array.len > HT_REGIME_ZONES_MOST) {
        return invalid(wrong, "zones is a list of at most 1000 ids", "/%s/zones", regime->name);
    }
    regime->zones = ht_array_new(value->u.array.len + 1, sizeof *regime->zones);
    if (regime->zones == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        const char *id = YAJL_GET_STRING(value->u.array.values[i]);
        if (!is_id(id)) {
            return invalid(wrong, "is no id: 1 to 64 of letters, digits, . _ : -", "/%s/zones/%zu",
                           regime->name, i);
        }
        id_keep(regime->zones[regime->zone_count++], id);
    }
    const char *twice = sort_by_id(regime->zones, regime->zone_count, sizeof *regime->zones);
    return twice == NULL ? HT_OK
                         : invalid(wrong, "zones names a zone twice", "/%s/zones", regime->name);
}

static enum ht_status answer_read(struct ht_regime *regime, const char *cell, yajl_val value,
                                  struct ht_setting_wrong *wrong)
{
    struct ht_regime_answer *answer = &regime->answers[regime->answer_count];
    memset(answer, 0, sizeof *answer);
    if ((!is_id(cell) && strcmp(cell, HT_ANSWERS_EVERYWHERE) != 0) || !YAJL_IS_OBJECT(value)) {
        return invalid(wrong,
                       "answers has ids of cells, or *, each an object with cell, community, "
                       "sub_district, district",
                       "/%s/answers/%.64s", regime->name, cell);
    }
    id_keep(answer->cell, cell);
    for (size_t i = 0; i < value->u.object.len; i++) {
        enum ht_answer_level level = ht_answer_level_of(value->u.object.keys[i]);
        const char *who = YAJL_GET_STRING(value->u.object.values[i]);
        if (level == HT_ANSWER_LEVELS || !is_id(who) || answer->who[level][0] != '\0') {
            return invalid(wrong,
                           "cell, community, sub_district and district each say an id: 1 to 64 "
                           "of letters, digits, . _ : -",
                           "/%s/answers/%s/%.20s", regime->name, answer->cell,
                           value->u.object.keys[i]);
        }
        id_keep(answer->who[level], who);
    }
    regime->answer_count++;
    return HT_OK;
}

static enum ht_status answers_read(struct ht_regime *regime, yajl_val value,
                                   struct ht_setting_wrong *wrong)
{
    enum ht_status status = HT_OK;
    if (!YAJL_IS_OBJECT(value) || value->u.object.len > HT_REGIME_CELLS_MOST) {
        return invalid(wrong, "answers is an object of at most 20000 cells", "/%s/answers",
                       regime->name);
    }
    regime->answers = ht_array_new(value->u.object.len + 1, sizeof *regime->answers);
    if (regime->answers == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < value->u.object.len && status == HT_OK; i++) {
        status = answer_read(regime, value->u.object.keys[i], value->u.object.values[i], wrong);
    }
    if (status == HT_OK &&
        sort_by_id(regime->answers, regime->answer_count, sizeof *regime->answers) != NULL) {
        status = invalid(wrong, "answers names a cell twice", "/%s/answers", regime->name);
    }
    return status;
}

const char *const ht_regime_duty_fields[HT_REGIME_DUTY_FIELDS] = {"kind", "profile", "skills",
                                                                  "shift", "status"};

static const struct ht_property *duty_property(const char *name)
{
    for (int i = 0; i < HT_REGIME_DUTY_FIELDS; i++) {
        if (strcmp(ht_regime_duty_fields[i], name) == 0) {
            return ht_collection_property(ht_collection_find("units", 5), name, strlen(name));
        }
    }
    return NULL;
}

static enum ht_status duty_check(const struct ht_regime *regime, const char *unit, yajl_val patch,
                                 struct ht_setting_wrong *wrong)
{
    for (size_t i = 0; i < patch->u.object.len; i++) {
        struct ht_error error = {0};
        const char *name = patch->u.object.keys[i];
        const struct ht_property *property = duty_property(name);
        if (property == NULL) {
            return invalid_name(wrong, "a duty has kind, profile, skills, shift and status", name,
                                "/%s/duties/%s", regime->name, unit);
        }
        enum ht_status status = ht_property_check(property, patch->u.object.values[i], &error);
        if (status == HT_NOMEM) {
            return status;
        }
        if (status != HT_OK || ht_json_member(patch, name) != patch->u.object.values[i]) {
            char why[sizeof wrong->detail];
            (void)snprintf(why, sizeof why, "%.140s",
                           status == HT_OK ? "stands there twice" : error.message);
            return invalid(wrong, why, "/%s/duties/%s/%s", regime->name, unit, property->name);
        }
    }
    return HT_OK;
}

static enum ht_status duty_read(struct ht_regime *regime, const char *unit, yajl_val value,
                                struct ht_setting_wrong *wrong)
{
    struct ht_regime_duty *duty = &regime->duties[regime->duty_count];
    if (!is_id(unit) || !YAJL_IS_OBJECT(value)) {
        return invalid_name(wrong, "duties has ids of units, each an object", unit, "/%s/duties",
                            regime->name);
    }
    enum ht_status status = duty_check(regime, unit, value, wrong);
    if (status == HT_OK) {
        status = text_of(value, &duty->patch);
        if (status == HT_INVALID) {
            return invalid(wrong, "is no UTF-8", "/%s/duties/%s", regime->name, unit);
        }
    }
    if (status == HT_OK) {
        id_keep(duty->unit, unit);
        regime->duty_count++;
    }
    return status;
}

static enum ht_status duties_read(struct ht_regime *regime, yajl_val value,
                                  struct ht_setting_wrong *wrong)
{
    enum ht_status status = HT_OK;
    if (!YAJL_IS_OBJECT(value) || value->u.object.len > HT_REGIME_UNITS_MOST) {
        return invalid(wrong, "duties is an object of at most 20000 units", "/%s/duties",
                       regime->name);
    }
    regime->duties = ht_array_new(value->u.object.len + 1, sizeof *regime->duties);
    if (regime->duties == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < value->u.object.len && status == HT_OK; i++) {
        status = duty_read(regime, value->u.object.keys[i], value->u.object.values[i], wrong);
    }
    if (status == HT_OK &&
        sort_by_id(regime->duties, regime->duty_count, sizeof *regime->duties) != NULL) {
        status = invalid(wrong, "duties names a unit twice", "/%s/duties", regime->name);
    }
    return status;
}

/* What the patches make of the documents is seen by settings_shape.h, and when they are laid over
 * them. */
static enum ht_status settings_read(struct ht_regime *regime, yajl_val value,
                                    struct ht_setting_wrong *wrong)
{
    if (!YAJL_IS_OBJECT(value)) {
        return invalid(wrong, "settings is an object", "/%s/settings", regime->name);
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        const char *name = value->u.object.keys[i];
        int s = 0;
        while (s < HT_REGIME_SETTINGS && strcmp(setting_names[s], name) != 0) {
            s++;
        }
        if (s == HT_REGIME_SETTINGS || !YAJL_IS_OBJECT(value->u.object.values[i]) ||
            regime->patches[s] != NULL) {
            return invalid_name(wrong, "settings has incidents and calendar, each an object, once",
                                name, "/%s/settings", regime->name);
        }
        enum ht_status status = text_of(value->u.object.values[i], &regime->patches[s]);
        if (status != HT_OK) {
            return status == HT_NOMEM ? status
                                      : invalid(wrong, "is no UTF-8", "/%s/settings/%s",
                                                regime->name, setting_names[s]);
        }
    }
    return HT_OK;
}

static enum ht_status part_read(struct ht_regime *regime, const char *name, yajl_val value,
                                struct ht_setting_wrong *wrong)
{
    static const struct {
        const char *name;
        enum ht_status (*read)(struct ht_regime *, yajl_val, struct ht_setting_wrong *);
    } parts[] = {{"zones", zones_read},
                 {"answers", answers_read},
                 {"duties", duties_read},
                 {"settings", settings_read}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            return parts[i].read(regime, value, wrong);
        }
    }
    return invalid_name(wrong, "a regime has zones, answers, duties and settings", name, "/%s",
                        regime->name);
}

static enum ht_status regime_read(struct ht_regime *regime, const char *name, yajl_val value,
                                  struct ht_setting_wrong *wrong)
{
    enum ht_status status = HT_OK;
    if (!is_id(name) || !YAJL_IS_OBJECT(value)) {
        return invalid_name(
            wrong, "a regime has a name of 1 to 64 letters, digits, . _ : - and is an object", name,
            "%s", "");
    }
    id_keep(regime->name, name);
    for (size_t i = 0; i < value->u.object.len && status == HT_OK; i++) {
        const char *part = value->u.object.keys[i];
        status = ht_json_member(value, part) == value->u.object.values[i]
                     ? part_read(regime, part, value->u.object.values[i], wrong)
                     : invalid_name(wrong, "stands there twice", part, "/%s", name);
    }
    return status;
}

enum ht_status ht_regimes_read(yajl_val tree, struct ht_regimes **out,
                               struct ht_setting_wrong *wrong)
{
    size_t count = tree == NULL ? 0 : tree->u.object.len;
    if (count > HT_REGIMES_MOST) {
        return invalid(wrong, "there can be 64 regimes", "%s", "");
    }
    struct ht_regimes *regimes = calloc(1, sizeof *regimes);
    if (regimes == NULL) {
        return HT_NOMEM;
    }
    regimes->list = ht_array_new_zeroed(count + 1, sizeof *regimes->list);
    enum ht_status status = regimes->list == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        const char *name = tree->u.object.keys[i];
        status = ht_regimes_find(regimes, name) == regimes->count
                     ? regime_read(&regimes->list[i], name, tree->u.object.values[i], wrong)
                     : invalid(wrong, "stands there twice", "/%.64s", name);
        regimes->count = i + 1; /* also what was read in part is freed */
    }
    if (status != HT_OK) {
        ht_regimes_free(regimes);
        return status;
    }
    *out = regimes;
    return HT_OK;
}

static void regime_deinit(struct ht_regime *regime)
{
    for (size_t i = 0; i < regime->duty_count; i++) {
        free(regime->duties[i].patch);
    }
    for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
        free(regime->patches[s]);
    }
    free(regime->duties);
    free(regime->answers);
    free(regime->zones);
}

void ht_regimes_free(struct ht_regimes *regimes)
{
    if (regimes != NULL) {
        for (size_t i = 0; i < regimes->count; i++) {
            regime_deinit(&regimes->list[i]);
        }
        free(regimes->list);
        free(regimes);
    }
}

/* ---- writing ---- */

static void answers_write(const struct ht_regime *regime, struct ht_json *json)
{
    ht_json_key(json, "answers");
    ht_json_object(json);
    for (size_t i = 0; i < regime->answer_count; i++) {
        const struct ht_regime_answer *answer = &regime->answers[i];
        ht_json_key(json, answer->cell);
        ht_json_object(json);
        for (int level = 0; level < HT_ANSWER_LEVELS; level++) {
            if (answer->who[level][0] != '\0') {
                ht_json_key_text(json, ht_answer_level_name((enum ht_answer_level)level),
                                 answer->who[level]);
            }
        }
        ht_json_object_end(json);
    }
    ht_json_object_end(json);
}

void ht_regime_write(const struct ht_regime *regime, struct ht_json *json)
{
    ht_json_object(json);
    ht_json_key(json, "zones");
    ht_json_array(json);
    for (size_t i = 0; i < regime->zone_count; i++) {
        ht_json_text(json, regime->zones[i]);
    }
    ht_json_array_end(json);
    answers_write(regime, json);
    ht_json_key(json, "duties");
    ht_json_object(json);
    for (size_t i = 0; i < regime->duty_count; i++) {
        ht_json_key(json, regime->duties[i].unit);
        ht_json_raw(json, regime->duties[i].patch, strlen(regime->duties[i].patch));
    }
    ht_json_object_end(json);
    ht_json_key(json, "settings");
    ht_json_object(json);
    for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
        if (regime->patches[s] != NULL) {
            ht_json_key(json, setting_names[s]);
            ht_json_raw(json, regime->patches[s], strlen(regime->patches[s]));
        }
    }
    ht_json_object_end(json);
    ht_json_object_end(json);
}

void ht_regimes_write(const struct ht_regimes *regimes, struct ht_json *json)
{
    ht_json_object(json);
    for (size_t i = 0; i < regimes->count; i++) {
        ht_json_key(json, regimes->list[i].name);
        ht_regime_write(&regimes->list[i], json);
    }
    ht_json_object_end(json);
}

/* ---- questions ---- */

size_t ht_regimes_find(const struct ht_regimes *regimes, const char *name)
{
    size_t i = 0;
    while (i < regimes->count && strcmp(regimes->list[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* `id` as the key and the list begin with an id each. */
static const void *find(const char *id, const void *list, size_t count, size_t size)
{
    return count == 0 ? NULL : bsearch(id, list, count, size, by_id);
}

bool ht_regime_has_zone(const struct ht_regime *regime, const char *zone)
{
    return find(zone, regime->zones, regime->zone_count, sizeof *regime->zones) != NULL;
}

const struct ht_regime_answer *ht_regime_answer_of(const struct ht_regime *regime, const char *cell)
{
    return find(cell, regime->answers, regime->answer_count, sizeof *regime->answers);
}

const struct ht_regime_duty *ht_regime_duty_of(const struct ht_regime *regime, const char *unit)
{
    return find(unit, regime->duties, regime->duty_count, sizeof *regime->duties);
}
