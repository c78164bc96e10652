#include "api/settings_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/calendar.h"
#include "api/desk_room.h"
#include "api/incident_rules.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"
#include "api/meal_rules.h"
#include "api/orders_room.h"
#include "api/shifts.h"
#include "api/visits_room.h"

static enum ht_status days_read(yajl_val tree, void **out, struct ht_setting_wrong *wrong)
{
    struct ht_days *days = NULL;
    enum ht_status status = ht_days_read(tree, &days, wrong);
    *out = days;
    return status;
}

static void days_write(const void *value, struct ht_json *json)
{
    ht_days_write(value, json);
}

static void days_free(void *value)
{
    ht_days_free(value);
}

static void days_tell(struct ht_app *app, void *value)
{
    ht_calendar_set(app->calendar, value);
    ht_shifts_set_calendar(ht_live_shifts(app->live), app->calendar, ht_clock_now_ms(&app->clock));
    ht_app_days_changed(app);
    if (app->desk != NULL) {
        ht_desk_room_shifts_changed(app->desk);
    }
}

static enum ht_status rules_read(yajl_val tree, void **out, struct ht_setting_wrong *wrong)
{
    struct ht_incident_rules *rules = NULL;
    enum ht_status status = ht_incident_rules_read(tree, &rules, wrong);
    *out = rules;
    return status;
}

static void rules_write(const void *value, struct ht_json *json)
{
    ht_incident_rules_write(value, json);
}

static void rules_free(void *value)
{
    ht_incident_rules_free(value);
}

static void rules_tell(struct ht_app *app, void *value)
{
    if (app->desk == NULL) {
        ht_incident_rules_free(value);
    } else {
        ht_desk_room_rules(app->desk, value);
    }
}

static enum ht_status regimes_read(yajl_val tree, void **out, struct ht_setting_wrong *wrong)
{
    struct ht_regimes *regimes = NULL;
    enum ht_status status = ht_regimes_read(tree, &regimes, wrong);
    *out = regimes;
    return status;
}

static void regimes_write(const void *value, struct ht_json *json)
{
    ht_regimes_write(value, json);
}

static void regimes_free(void *value)
{
    ht_regimes_free(value);
}

static enum ht_status meals_read(yajl_val tree, void **out, struct ht_setting_wrong *wrong)
{
    struct ht_meal_rules *rules = NULL;
    enum ht_status status = ht_meal_rules_read(tree, &rules, wrong);
    *out = rules;
    return status;
}

static void meals_write(const void *value, struct ht_json *json)
{
    ht_meal_rules_write(value, json);
}

static void meals_free(void *value)
{
    ht_meal_rules_free(value);
}

static void meals_tell(struct ht_app *app, void *value)
{
    if (app->orders == NULL) {
        ht_meal_rules_free(value);
    } else {
        ht_orders_room_rules(app->orders, value);
    }
}

static enum ht_status visits_read(yajl_val tree, void **out, struct ht_setting_wrong *wrong)
{
    struct ht_visit_office *office = calloc(1, sizeof *office);
    enum ht_status status = office == NULL ? HT_NOMEM : ht_visit_office_read(tree, office, wrong);
    if (status != HT_OK) {
        free(office);
        return status;
    }
    *out = office;
    return HT_OK;
}

static void visits_write(const void *value, struct ht_json *json)
{
    ht_visit_office_write(value, json);
}

static void visits_tell(struct ht_app *app, void *value)
{
    if (app->visits != NULL) {
        ht_visits_room_rules(app->visits, value);
    }
    free(value);
}

static enum ht_status regimes_check(const void *value, struct ht_setting_wrong *wrong);

const struct ht_setting_shape ht_setting_incidents = {"incidents", rules_read, rules_write,
                                                      rules_free,  rules_tell, NULL};
const struct ht_setting_shape ht_setting_calendar = {"calendar", days_read, days_write,
                                                     days_free,  days_tell, NULL};
/* api/regime_change.h sees to what is in force of them. */
const struct ht_setting_shape ht_setting_regimes = {"regimes",    regimes_read, regimes_write,
                                                    regimes_free, NULL,         regimes_check};

/* No regime lays anything over these. */
const struct ht_setting_shape ht_setting_meals = {"meals",    meals_read, meals_write,
                                                  meals_free, meals_tell, NULL};

const struct ht_setting_shape ht_setting_visits = {"visits", visits_read, visits_write,
                                                   free,     visits_tell, NULL};

const struct ht_setting_shape *ht_setting_shape_of(enum ht_regime_setting setting)
{
    return setting == HT_REGIME_INCIDENTS ? &ht_setting_incidents : &ht_setting_calendar;
}

char *ht_setting_text(const struct ht_setting_shape *shape, const void *value)
{
    struct ht_buffer text = {0};
    struct ht_json json;
    ht_json_begin(&json, &text);
    shape->write(value, &json);
    ht_buffer_append(&text, "", 1);
    if (text.failed) {
        ht_buffer_deinit(&text);
        return NULL;
    }
    return text.data;
}

/* As at first, which has all that a patch may speak of. */
static enum ht_status first_text(const struct ht_setting_shape *shape, char **out)
{
    struct ht_setting_wrong wrong;
    void *value = NULL;
    enum ht_status status = shape->read(NULL, &value, &wrong);
    if (status == HT_OK) {
        *out = ht_setting_text(shape, value);
        status = *out == NULL ? HT_NOMEM : HT_OK;
        shape->free(value);
    }
    return status;
}

static enum ht_status text_read(const struct ht_setting_shape *shape, const char *text, void **out,
                                struct ht_setting_wrong *wrong)
{
    yajl_val tree = text == NULL ? NULL : ht_json_tree_read(text, strlen(text));
    enum ht_status status = HT_INVALID;
    if (text == NULL || YAJL_IS_OBJECT(tree)) {
        status = shape->read(tree, out, wrong);
    } else {
        (void)strcpy(wrong->pointer, "");
        (void)strcpy(wrong->detail, "is no JSON object");
    }
    yajl_tree_free(tree);
    return status;
}

/* One patch, over what the document is at first: what is wrong with it by itself is wrong over any
 * other, too. */
static enum ht_status patch_check(enum ht_regime_setting setting, const char *patch,
                                  struct ht_setting_wrong *wrong)
{
    const struct ht_setting_shape *shape = ht_setting_shape_of(setting);
    struct ht_text text = {0};
    char *first = NULL;
    void *value = NULL;
    enum ht_status status = first_text(shape, &first);
    if (status != HT_OK) {
        return status;
    }
    yajl_val base = ht_json_tree_read(first, strlen(first));
    yajl_val tree = ht_json_tree_read(patch, strlen(patch));
    ht_json_merge(&text, base, tree);
    status = base == NULL || tree == NULL || text.failed
                 ? HT_NOMEM
                 : text_read(shape, ht_text_string(&text), &value, wrong);
    if (status == HT_OK) {
        shape->free(value);
    }
    yajl_tree_free(base);
    yajl_tree_free(tree);
    ht_text_deinit(&text);
    free(first);
    return status;
}

static enum ht_status regimes_check(const void *value, struct ht_setting_wrong *wrong)
{
    const struct ht_regimes *regimes = value;
    for (size_t i = 0; i < regimes->count; i++) {
        const struct ht_regime *regime = &regimes->list[i];
        for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
            struct ht_setting_wrong own = {{0}, {0}};
            enum ht_status status =
                regime->patches[s] == NULL
                    ? HT_OK
                    : patch_check((enum ht_regime_setting)s, regime->patches[s], &own);
            if (status != HT_OK) {
                (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%.64s/settings/%.20s%.400s",
                               regime->name, ht_regime_setting_name((enum ht_regime_setting)s),
                               own.pointer);
                (void)snprintf(wrong->detail, sizeof wrong->detail, "%s", own.detail);
                return status;
            }
        }
    }
    return HT_OK;
}

enum ht_status ht_setting_in_force(enum ht_regime_setting setting, const char *base,
                                   const struct ht_regime_book *book, void **out,
                                   struct ht_setting_wrong *wrong)
{
    const struct ht_setting_shape *shape = ht_setting_shape_of(setting);
    struct ht_text text = {0};
    char *first = NULL;
    enum ht_status status = base == NULL ? first_text(shape, &first) : HT_OK;
    if (status != HT_OK) {
        return status;
    }
    bool patched = ht_regime_book_setting(book, setting, base == NULL ? first : base, &text);
    if (text.failed) {
        status = HT_NOMEM;
    } else {
        status = text_read(shape, patched ? ht_text_string(&text) : base, out, wrong);
    }
    ht_text_deinit(&text);
    free(first);
    return status;
}
