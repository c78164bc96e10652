#include "api/regime_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/desk_room.h"
#include "api/json.h"
#include "api/live.h"
#include "api/pointer.h"
#include "api/settings_shape.h"
#include "api/zones.h"

enum { WRONGS_MOST = 20 };

struct ht_regime_change {
    struct ht_app *app;
    struct ht_regime_book *book;
    void *values[HT_REGIME_SETTINGS]; /* what holds of the settings */
};

void ht_regime_change_free(struct ht_regime_change *change)
{
    if (change != NULL) {
        for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
            if (change->values[s] != NULL) {
                ht_setting_shape_of((enum ht_regime_setting)s)->free(change->values[s]);
            }
        }
        ht_regime_book_release(change->book);
        free(change);
    }
}

/* ---- from the store ---- */

static enum ht_status text_take(void *user, const struct ht_store_setting *setting)
{
    char **text = user;
    *text = strdup(setting->body);
    return *text == NULL ? HT_NOMEM : HT_OK;
}

/* NULL: it was never put. */
static enum ht_status text_read(struct ht_store_reader *reader, const char *name, char **out,
                                struct ht_error *error)
{
    *out = NULL;
    enum ht_status status = ht_store_setting_get(reader, name, text_take, out, error);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

/* A document that can't be read (an older or newer server put it) prepares nothing. */
static enum ht_status book_read(struct ht_store_reader *reader, struct ht_regime_book **out,
                                struct ht_error *error)
{
    char *regimes = NULL;
    char *state = NULL;
    enum ht_status status = text_read(reader, ht_setting_regimes.name, &regimes, error);
    if (status == HT_OK) {
        status = text_read(reader, HT_REGIME_STATE, &state, error);
    }
    if (status == HT_OK) {
        status = ht_regime_book_read(regimes, state, out);
        status = status == HT_INVALID ? ht_regime_book_read(NULL, NULL, out) : status;
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    free(regimes);
    free(state);
    return status;
}

enum ht_status ht_app_regimes_open(struct ht_app *app, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    struct ht_regime_book *book = NULL;
    if (app->store == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_store_reader_new(app->store, &reader, error);
    if (status == HT_OK) {
        status = book_read(reader, &book, error);
    }
    if (status == HT_OK) {
        ht_regime_slot_set(app->regimes, book);
    }
    ht_store_reader_free(reader);
    return status;
}

enum ht_status ht_regime_change_read(struct ht_app *app, struct ht_store_tx *tx,
                                     struct ht_regime_change **out, struct ht_error *error)
{
    struct ht_regime_change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    change->app = app;
    enum ht_status status = book_read(ht_store_tx_reader(tx), &change->book, error);
    if (status != HT_OK) {
        free(change);
        return status;
    }
    *out = change;
    return HT_OK;
}

struct ht_regime_book *ht_regime_change_book(struct ht_regime_change *change)
{
    return change->book;
}

/* ---- whether it can be ---- */

/* What a set names that there is not. */
struct finding {
    struct ht_store_reader *reader;
    const struct ht_regime *regime;
    struct ht_setting_wrong list[WRONGS_MOST];
    size_t count; /* of all */
    struct ht_error error;
};

static enum ht_status is_there(void *user, const struct ht_store_item *item)
{
    (void)user;
    (void)item;
    return HT_OK;
}

/* Looks for an item; one that is missing is noted under `pointer` (of the regime). */
static enum ht_status look_for(struct finding *finding, const char *collection, const char *id,
                               const char *pointer)
{
    enum ht_status status =
        ht_store_item(finding->reader, ht_collection_find(collection, strlen(collection)), id,
                      false, is_there, NULL, &finding->error);
    if (status == HT_NOT_FOUND) {
        if (finding->count < WRONGS_MOST) {
            struct ht_setting_wrong *wrong = &finding->list[finding->count];
            (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%s%s", finding->regime->name,
                           pointer);
            (void)snprintf(wrong->detail, sizeof wrong->detail, "there is no %s/%s", collection,
                           id);
        }
        finding->count++;
        return HT_OK;
    }
    return status;
}

static enum ht_status things_find(struct finding *finding)
{
    const struct ht_regime *regime = finding->regime;
    enum ht_status status = HT_OK;
    char pointer[96];
    for (size_t i = 0; status == HT_OK && i < regime->zone_count; i++) {
        (void)snprintf(pointer, sizeof pointer, "/zones/%zu", i);
        status = look_for(finding, "zones", regime->zones[i], pointer);
    }
    for (size_t i = 0; status == HT_OK && i < regime->answer_count; i++) {
        const char *cell = regime->answers[i].cell;
        ht_pointer(pointer, sizeof pointer, "/answers", cell);
        if (strcmp(cell, HT_ANSWERS_EVERYWHERE) != 0) {
            status = look_for(finding, "cells", cell, pointer);
        }
    }
    for (size_t i = 0; status == HT_OK && i < regime->duty_count; i++) {
        ht_pointer(pointer, sizeof pointer, "/duties", regime->duties[i].unit);
        status = look_for(finding, "units", regime->duties[i].unit, pointer);
    }
    return status;
}

/* The same set was on before: things that went since are no reason to refuse something else. */
static bool was_on(const struct ht_regime_book *before, const struct ht_regime *regime)
{
    const struct ht_regimes *list = ht_regime_book_regimes(before);
    size_t at = ht_regimes_find(list, regime->name);
    struct ht_buffer texts[2] = {{0}, {0}};
    struct ht_json json;
    if (at == list->count || !ht_regime_book_state(before, at)->on) {
        return false;
    }
    ht_json_begin(&json, &texts[0]);
    ht_regime_write(&list->list[at], &json);
    ht_json_begin(&json, &texts[1]);
    ht_regime_write(regime, &json);
    bool same = !texts[0].failed && !texts[1].failed && texts[0].size == texts[1].size &&
                memcmp(texts[0].data, texts[1].data, texts[0].size) == 0;
    ht_buffer_deinit(&texts[0]);
    ht_buffer_deinit(&texts[1]);
    return same;
}

/* Each that comes into force, or changes while it is. */
static enum ht_status sets_find(struct ht_regime_change *change, struct finding *finding)
{
    const struct ht_regimes *list = ht_regime_book_regimes(change->book);
    struct ht_regime_book *before = ht_regime_slot_book(change->app->regimes);
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < list->count; i++) {
        finding->regime = &list->list[i];
        if (ht_regime_book_state(change->book, i)->on && !was_on(before, finding->regime)) {
            status = things_find(finding);
        }
    }
    ht_regime_book_release(before);
    return status;
}

static void findings_write(const struct finding *finding, struct ht_reply *reply)
{
    char detail[256];
    (void)snprintf(detail, sizeof detail, "a regime names %zu %s not in the registry: %s",
                   finding->count, finding->count == 1 ? "thing that is" : "things that are",
                   finding->list[0].detail);
    ht_reply_problem(reply, 422, "Unprocessable Content", detail);
    if (reply->body.size == 0 || reply->body.failed) {
        return;
    }
    reply->body.size--; /* within the object */
    struct ht_json json = {.out = &reply->body, .comma = true};
    ht_json_key(&json, "errors");
    ht_json_array(&json);
    for (size_t i = 0; i < finding->count && i < WRONGS_MOST; i++) {
        ht_json_object(&json);
        ht_json_key_text(&json, "pointer", finding->list[i].pointer);
        ht_json_key_text(&json, "detail", finding->list[i].detail);
        ht_json_object_end(&json);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

/* Whether a document is ill by itself, as an older or newer server may have left it: that is no
 * reason to refuse what would be as ill without it. It counts as at first then. */
static bool base_ill(enum ht_regime_setting setting, const char *base, void **out)
{
    struct ht_setting_wrong wrong;
    struct ht_regime_book *none = NULL;
    const struct ht_setting_shape *shape = ht_setting_shape_of(setting);
    void *value = NULL;
    if (ht_regime_book_read(NULL, NULL, &none) != HT_OK) {
        return false;
    }
    enum ht_status status = ht_setting_in_force(setting, base, none, &value, &wrong);
    ht_regime_book_release(none);
    if (status == HT_OK) {
        shape->free(value);
    }
    return status == HT_INVALID && shape->read(NULL, out, &wrong) == HT_OK;
}

/* What holds of a setting. False with the answer written. */
static bool setting_check(struct ht_regime_change *change, struct ht_store_tx *tx,
                          enum ht_regime_setting setting, struct ht_reply *reply)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_error error = {0};
    char *base = NULL;
    char detail[256];
    const char *name = ht_regime_setting_name(setting);
    enum ht_status status = text_read(ht_store_tx_reader(tx), name, &base, &error);
    if (status == HT_OK) {
        status = ht_setting_in_force(setting, base, change->book, &change->values[setting], &wrong);
        if (status != HT_OK && status != HT_INVALID) {
            (void)ht_error_set(&error, status, 0, NULL);
        }
    }
    if (status == HT_INVALID && base_ill(setting, base, &change->values[setting])) {
        status = HT_OK;
    }
    free(base);
    if (status == HT_INVALID) {
        (void)snprintf(detail, sizeof detail, "%s with the regimes that are on: %s", name,
                       wrong.detail);
        ht_reply_problem(reply, 422, "Unprocessable Content", detail);
        ht_reply_where(reply, wrong.pointer, 0, wrong.detail);
    } else if (status != HT_OK) {
        ht_reply_status(reply, &error);
    }
    return status == HT_OK;
}

bool ht_regime_change_check(struct ht_regime_change *change, struct ht_store_tx *tx,
                            struct ht_reply *reply)
{
    struct finding *finding = NULL;
    const char *gone = ht_regime_book_gone(change->book);
    if (gone[0] != '\0') {
        char detail[128];
        (void)snprintf(detail, sizeof detail, "%s is on: take it back first", gone);
        ht_reply_problem(reply, 409, "Conflict", detail);
        return false;
    }
    finding = calloc(1, sizeof *finding);
    if (finding == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    finding->reader = ht_store_tx_reader(tx);
    bool good = sets_find(change, finding) == HT_OK;
    if (!good) {
        ht_reply_status(reply, &finding->error);
    } else if (finding->count > 0) {
        findings_write(finding, reply);
        good = false;
    }
    free(finding);
    for (int s = 0; s < HT_REGIME_SETTINGS && good; s++) {
        good = setting_check(change, tx, (enum ht_regime_setting)s, reply);
    }
    return good;
}

/* ---- into force ---- */

static enum ht_status unit_take(void *user, const struct ht_store_item *item)
{
    struct ht_app *app = user;
    return ht_live_unit_put(app->live, item->id, item->properties, ht_clock_now_ms(&app->clock));
}

/* The registry's word about each unit of a set, with the duties of now. */
static void duties_follow(struct ht_app_context *context, const struct ht_regime *regime)
{
    struct ht_app *app = context->app;
    const struct ht_collection *units = ht_collection_find("units", strlen("units"));
    for (size_t i = 0; i < regime->duty_count; i++) {
        const char *unit = regime->duties[i].unit;
        if (ht_store_item(context->reader, units, unit, false, unit_take, app, NULL) == HT_OK &&
            app->desk != NULL) {
            ht_desk_room_unit_changed(app->desk, unit);
        }
    }
}

static void sets_follow(struct ht_app_context *context, const struct ht_regime_book *book)
{
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    for (size_t i = 0; i < list->count; i++) {
        if (ht_regime_book_state(book, i)->on) {
            duties_follow(context, &list->list[i]);
        }
    }
}

static void all_follow(struct ht_regime_change *change, struct ht_app_context *context,
                       struct ht_reply *reply)
{
    struct ht_app *app = context->app;
    struct ht_regime_book *before = ht_regime_slot_book(app->regimes);
    ht_regime_slot_set(app->regimes, ht_regime_book_retain(change->book));
    bool obeyed = ht_app_zones_obey(app) == HT_OK;
    if (ht_app_reader(context, reply) != NULL) {
        sets_follow(context, before);
        sets_follow(context, change->book);
    }
    ht_regime_book_release(before);
    ht_app_zones_changed(app);
    if (!obeyed) {
        ht_reply_problem(reply, 503, "Service Unavailable",
                         "it is kept, but the streets do not obey it yet: ask again");
    }
}

void ht_regime_change_apply(struct ht_regime_change *change, struct ht_app_context *context,
                            bool all, struct ht_reply *reply)
{
    if (all) {
        all_follow(change, context, reply);
    }
    for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
        ht_setting_shape_of((enum ht_regime_setting)s)->tell(context->app, change->values[s]);
        change->values[s] = NULL;
    }
}
