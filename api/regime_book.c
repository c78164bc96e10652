#include "api/regime_book.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/settings.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

struct ht_regime_book {
    atomic_size_t references;
    struct ht_regimes *regimes;
    struct ht_regime_state *states; /* as the regimes */
    char gone[HT_ID_MAX + 1];
};

struct ht_regime_slot {
    pthread_mutex_t lock;
    struct ht_regime_book *book;
};

/* ---- what is on ---- */

static void word_read(yajl_val value, const char *name, char to[HT_ID_MAX + 1])
{
    const char *text = YAJL_GET_STRING(ht_json_member(value, name));
    bool good = text != NULL && ht_id_valid(text, strlen(text));
    (void)snprintf(to, HT_ID_MAX + 1, "%s", good ? text : "");
}

static void state_read(yajl_val value, struct ht_regime_state *state)
{
    const char *since = YAJL_GET_STRING(ht_json_member(value, "since"));
    yajl_val on = ht_json_member(value, "on");
    *state = (struct ht_regime_state){.on = YAJL_IS_TRUE(on), .known = YAJL_IS_OBJECT(value)};
    if (since == NULL || !ht_time_parse(since, strlen(since), &state->since_ms)) {
        state->since_ms = 0;
    }
    word_read(value, "by", state->by);
    word_read(value, "why", state->why);
}

enum ht_status ht_regime_book_new(struct ht_regimes *regimes, yajl_val state,
                                  struct ht_regime_book **out)
{
    struct ht_regime_book *book = calloc(1, sizeof *book);
    struct ht_regime_state *states = ht_array_new_zeroed(regimes->count + 1, sizeof *states);
    if (book == NULL || states == NULL) {
        ht_regimes_free(regimes);
        free(states);
        free(book);
        return HT_NOMEM;
    }
    atomic_init(&book->references, 1);
    book->regimes = regimes;
    book->states = states;
    for (size_t i = 0; i < regimes->count; i++) {
        state_read(ht_json_member(state, regimes->list[i].name), &states[i]);
    }
    for (size_t i = 0; YAJL_IS_OBJECT(state) && i < state->u.object.len; i++) {
        const char *name = state->u.object.keys[i];
        struct ht_regime_state other;
        state_read(state->u.object.values[i], &other);
        if (other.on && ht_regimes_find(regimes, name) == regimes->count) {
            (void)snprintf(book->gone, sizeof book->gone, "%.64s", name);
        }
    }
    *out = book;
    return HT_OK;
}

const char *ht_regime_book_gone(const struct ht_regime_book *book)
{
    return book->gone;
}

enum ht_status ht_regime_book_read(const char *regimes, const char *state,
                                   struct ht_regime_book **out)
{
    struct ht_setting_wrong wrong;
    struct ht_regimes *list = NULL;
    yajl_val tree = regimes == NULL ? NULL : ht_json_tree_read(regimes, strlen(regimes));
    enum ht_status status = regimes != NULL && !YAJL_IS_OBJECT(tree)
                                ? HT_INVALID
                                : ht_regimes_read(tree, &list, &wrong);
    yajl_tree_free(tree);
    if (status != HT_OK) {
        return status;
    }
    tree = state == NULL ? NULL : ht_json_tree_read(state, strlen(state));
    status = ht_regime_book_new(list, tree, out);
    yajl_tree_free(tree);
    return status;
}

struct ht_regime_book *ht_regime_book_retain(struct ht_regime_book *book)
{
    (void)atomic_fetch_add_explicit(&book->references, 1, memory_order_relaxed);
    return book;
}

void ht_regime_book_release(struct ht_regime_book *book)
{
    if (book != NULL &&
        atomic_fetch_sub_explicit(&book->references, 1, memory_order_acq_rel) == 1) {
        ht_regimes_free(book->regimes);
        free(book->states);
        free(book);
    }
}

const struct ht_regimes *ht_regime_book_regimes(const struct ht_regime_book *book)
{
    return book->regimes;
}

const struct ht_regime_state *ht_regime_book_state(const struct ht_regime_book *book, size_t regime)
{
    return &book->states[regime];
}

void ht_regime_book_set(struct ht_regime_book *book, size_t regime,
                        const struct ht_regime_state *state)
{
    book->states[regime] = *state;
}

void ht_regime_book_state_write(const struct ht_regime_book *book, struct ht_json *json)
{
    ht_json_object(json);
    for (size_t i = 0; i < book->regimes->count; i++) {
        const struct ht_regime_state *state = &book->states[i];
        char since[HT_TIME_TEXT_SIZE];
        if (!state->known) {
            continue;
        }
        ht_time_format(state->since_ms, since);
        ht_json_key(json, book->regimes->list[i].name);
        ht_json_object(json);
        ht_json_key_bool(json, "on", state->on);
        ht_json_key_text(json, "since", since);
        ht_json_key_text(json, "by", state->by);
        if (state->why[0] != '\0') {
            ht_json_key_text(json, "why", state->why);
        }
        ht_json_object_end(json);
    }
    ht_json_object_end(json);
}

/* ---- what follows from it ---- */

static bool is_named(const struct ht_regime_book *book, const char *zone, bool on)
{
    bool named = false;
    for (size_t i = 0; i < book->regimes->count && !named; i++) {
        named = book->states[i].on == on && ht_regime_has_zone(&book->regimes->list[i], zone);
    }
    return named;
}

bool ht_regime_book_holds(const struct ht_regime_book *book, const char *zone)
{
    return is_named(book, zone, true);
}

bool ht_regime_book_dormant(const struct ht_regime_book *book, const char *zone)
{
    return is_named(book, zone, false) && !is_named(book, zone, true);
}

const char *ht_regime_book_who(const struct ht_regime_book *book, const char *cell,
                               enum ht_answer_level level)
{
    for (size_t i = book->regimes->count; i-- > 0;) {
        const struct ht_regime_answer *answer =
            book->states[i].on ? ht_regime_answer_of(&book->regimes->list[i], cell) : NULL;
        if (answer != NULL && answer->who[level][0] != '\0') {
            return answer->who[level];
        }
    }
    return NULL;
}

static const char *who(const void *user, const char *cell, enum ht_answer_level level)
{
    return ht_regime_book_who(user, cell, level);
}

struct ht_answers_over ht_regime_book_answers(const struct ht_regime_book *book)
{
    return (struct ht_answers_over){.who = who, .user = book};
}

/* Lays a patch over what stands in `text`, which holds `base` at first. */
static void patch_lay(struct ht_text *text, const char *base, const char *patch)
{
    const char *below = text->size == 0 ? base : ht_text_string(text);
    struct ht_text merged = {0};
    yajl_val target = ht_json_tree_read(below, strlen(below));
    yajl_val change = ht_json_tree_read(patch, strlen(patch));
    if (target == NULL || change == NULL) { /* both were read before: memory is short */
        text->failed = true;
    } else {
        ht_json_merge(&merged, target, change);
        merged.failed = merged.failed || text->failed;
        ht_text_deinit(text);
        *text = merged;
    }
    yajl_tree_free(target);
    yajl_tree_free(change);
}

bool ht_regime_book_duty(const struct ht_regime_book *book, const char *unit,
                         const char *properties, struct ht_text *out)
{
    bool any = false;
    for (size_t i = 0; i < book->regimes->count; i++) {
        const struct ht_regime_duty *duty =
            book->states[i].on ? ht_regime_duty_of(&book->regimes->list[i], unit) : NULL;
        if (duty != NULL) {
            patch_lay(out, properties, duty->patch);
            any = true;
        }
    }
    return any;
}

bool ht_regime_book_setting(const struct ht_regime_book *book, enum ht_regime_setting setting,
                            const char *base, struct ht_text *out)
{
    bool any = false;
    for (size_t i = 0; i < book->regimes->count; i++) {
        const char *patch = book->regimes->list[i].patches[setting];
        if (book->states[i].on && patch != NULL) {
            patch_lay(out, base, patch);
            any = true;
        }
    }
    return any;
}

/* ---- the book of the moment ---- */

enum ht_status ht_regime_slot_new(struct ht_regime_slot **out)
{
    struct ht_regime_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL || pthread_mutex_init(&slot->lock, NULL) != 0) {
        free(slot);
        return HT_NOMEM;
    }
    enum ht_status status = ht_regime_book_read(NULL, NULL, &slot->book);
    if (status != HT_OK) {
        ht_regime_slot_free(slot);
        return status;
    }
    *out = slot;
    return HT_OK;
}

void ht_regime_slot_free(struct ht_regime_slot *slot)
{
    if (slot != NULL) {
        ht_regime_book_release(slot->book);
        (void)pthread_mutex_destroy(&slot->lock);
        free(slot);
    }
}

struct ht_regime_book *ht_regime_slot_book(struct ht_regime_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct ht_regime_book *book = ht_regime_book_retain(slot->book);
    (void)pthread_mutex_unlock(&slot->lock);
    return book;
}

void ht_regime_slot_set(struct ht_regime_slot *slot, struct ht_regime_book *book)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct ht_regime_book *before = slot->book;
    slot->book = book;
    (void)pthread_mutex_unlock(&slot->lock);
    ht_regime_book_release(before);
}
