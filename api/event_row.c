#include "api/event_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "engine/base/text.h"
#include "engine/base/time.h"
#include "geodata/store.h"

/* ---- writing ---- */

static void moment_write(struct ht_json *json, const char *name, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    if (at_ms != 0) {
        ht_time_format(at_ms, text);
        ht_json_key_text(json, name, text);
    }
}

static void seed_write(struct ht_json *json, const char *name, const char *from)
{
    char text[24];
    uint64_t seed = 0;
    memcpy(&seed, from, sizeof seed);
    (void)snprintf(text, sizeof text, "%" PRIu64, seed);
    ht_json_key_text(json, name, text);
}

static void field_write(struct ht_json *json, const struct ht_event_field *field, const char *from)
{
    const char *text = NULL;
    uint32_t number = 0;
    int64_t at_ms = 0;
    switch (field->type) {
    case HT_EVENT_TEXT:
        memcpy(&text, from, sizeof(const char *));
        break;
    case HT_EVENT_NUMBER:
        memcpy(&number, from, sizeof number);
        ht_json_key_int(json, field->name, number);
        break;
    case HT_EVENT_PERHAPS:
        memcpy(&number, from, sizeof number);
        if (number != 0) {
            ht_json_key_int(json, field->name, number);
        }
        break;
    case HT_EVENT_SMALL:
        ht_json_key_int(json, field->name, (uint8_t)*from);
        break;
    case HT_EVENT_SEED:
        seed_write(json, field->name, from);
        break;
    case HT_EVENT_MOMENT:
        memcpy(&at_ms, from, sizeof at_ms);
        moment_write(json, field->name, at_ms);
        break;
    case HT_EVENT_WORD:
    default:
        text = field->word((uint8_t)*from);
        break;
    }
    if (text != NULL) {
        ht_json_key_text(json, field->name, text);
    }
}

void ht_event_fields_write(const struct ht_event_field *fields, size_t count, uint32_t mask,
                           const void *event, struct ht_json *json)
{
    for (size_t i = 0; i < count; i++) {
        if ((fields[i].fields & mask) != 0) {
            field_write(json, &fields[i], (const char *)event + fields[i].at);
        }
    }
}

/* ---- reading ---- */

/* yajl lets overlong forms pass, which would be written otherwise than they were read. */
static bool is_sound(const char *text)
{
    size_t size = strlen(text);
    return ht_utf8_valid(text, size) == size;
}

bool ht_event_text_read(yajl_val tree, const char *name, const char **out)
{
    yajl_val value = ht_json_member(tree, name);
    *out = YAJL_GET_STRING(value);
    return value == NULL || (*out != NULL && is_sound(*out));
}

static bool number_read(yajl_val value, int64_t most, int64_t *out)
{
    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 || YAJL_GET_INTEGER(value) > most) {
        return false;
    }
    *out = YAJL_GET_INTEGER(value);
    return true;
}

static bool seed_read(yajl_val value, char *to)
{
    const char *text = YAJL_GET_STRING(value);
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    uint64_t seed = strtoull(text, &end, 10);
    memcpy(to, &seed, sizeof seed);
    return errno == 0 && *end == '\0';
}

static bool word_read(const struct ht_event_field *field, yajl_val value, char *to)
{
    const char *text = YAJL_GET_STRING(value);
    if (value == NULL) {
        *to = 0;
        return true;
    }
    for (int i = 0; text != NULL && i < field->words; i++) {
        if (strcmp(field->word(i), text) == 0) {
            *to = (char)i;
            return true;
        }
    }
    return false;
}

static bool moment_read(yajl_val value, char *to)
{
    const char *text = YAJL_GET_STRING(value);
    int64_t at_ms = 0;
    if (value != NULL &&
        (text == NULL || !ht_time_parse(text, strlen(text), &at_ms) || at_ms == 0)) {
        return false;
    }
    memcpy(to, &at_ms, sizeof at_ms);
    return true;
}

static bool field_read(const struct ht_event_field *field, yajl_val tree, char *to)
{
    yajl_val value = ht_json_member(tree, field->name);
    const char *text = NULL;
    int64_t number = 0;
    bool good = true;
    switch (field->type) {
    case HT_EVENT_TEXT:
        good = ht_event_text_read(tree, field->name, &text);
        memcpy(to, &text, sizeof(const char *));
        return good;
    case HT_EVENT_NUMBER:
    case HT_EVENT_PERHAPS:
        good = (value == NULL && field->type == HT_EVENT_PERHAPS) ||
               number_read(value, UINT32_MAX, &number);
        memcpy(to, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
        return good;
    case HT_EVENT_SMALL:
        good = number_read(value, UINT8_MAX, &number);
        memcpy(to, &(uint8_t){(uint8_t)number}, sizeof(uint8_t));
        return good;
    case HT_EVENT_SEED:
        return seed_read(value, to);
    case HT_EVENT_MOMENT:
        return moment_read(value, to);
    case HT_EVENT_WORD:
    default:
        return word_read(field, value, to);
    }
}

bool ht_event_fields_read(const struct ht_event_field *fields, size_t count, uint32_t mask,
                          yajl_val tree, void *event)
{
    for (size_t i = 0; i < count; i++) {
        if ((fields[i].fields & mask) != 0 &&
            !field_read(&fields[i], tree, (char *)event + fields[i].at)) {
            return false;
        }
    }
    return true;
}

/* ---- concealing ---- */

static bool is_named(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

bool ht_event_body_conceal(const char *body, const char *const *names, struct ht_text *out)
{
    bool suspect = false; /* a look at the text, which most bodies end with */
    for (size_t i = 0; names[i] != NULL && !suspect; i++) {
        suspect = strstr(body, names[i]) != NULL;
    }
    if (!suspect) {
        return false;
    }
    yajl_val tree = ht_json_tree_read(body, strlen(body));
    size_t count = YAJL_IS_OBJECT(tree) ? tree->u.object.len : 0;
    bool has = !YAJL_IS_OBJECT(tree);
    ht_text_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (is_named(names, tree->u.object.keys[i])) {
            has = true;
            continue;
        }
        const char *name = tree->u.object.keys[i];
        ht_text_add_string(out, out->size > 1 ? "," : "");
        ht_text_add_json(out, name, strlen(name));
        ht_text_add_char(out, ':');
        ht_json_tree_write(out, tree->u.object.values[i]);
    }
    ht_text_add_char(out, '}');
    yajl_tree_free(tree);
    return has;
}

/* ---- appending ---- */

enum ht_status ht_event_row_append(struct ht_store_tx *tx, const struct ht_event_row *row,
                                   int64_t *seq, struct ht_error *error)
{
    struct ht_buffer body = {0};
    struct ht_json json;
    ht_json_begin(&json, &body);
    ht_json_object(&json);
    row->write(row->event, &json);
    if (row->note != NULL) {
        ht_json_key_text(&json, "note", row->note);
    }
    ht_json_object_end(&json);
    ht_buffer_append(&body, "", 1);
    const struct ht_store_event event = {.at_ms = row->at_ms,
                                         .actor = row->actor,
                                         .kind = row->kind,
                                         .subject = row->subject,
                                         .body = body.data};
    enum ht_status status = body.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                        : ht_store_event_append(tx, &event, seq, error);
    ht_buffer_deinit(&body);
    return status;
}
