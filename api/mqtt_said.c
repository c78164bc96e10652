/* What messages mean by the map. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/json_merge.h"
#include "api/mqtt_map_internal.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

/* A message that is read. */
struct message {
    const struct ht__mqtt_rule *rule;
    const char *topic;
    const char *payload;
    size_t size;
    yajl_val tree; /* NULL: it is no JSON, or nobody looks into it */
};

/* ---- JSON pointers ---- */

/* Whether a token of a pointer, up to '/' or the end, is this name. */
static bool token_is(const char *token, size_t size, const char *name)
{
    for (size_t i = 0; i < size; i++, name++) {
        char c = token[i];
        if (c == '~' && i + 1 < size) {
            c = token[++i] == '1' ? '/' : '~';
        }
        if (*name != c) {
            return false;
        }
    }
    return *name == '\0';
}

static yajl_val step(yajl_val value, const char *token, size_t size)
{
    if (YAJL_IS_OBJECT(value)) {
        for (size_t i = 0; i < value->u.object.len; i++) {
            if (token_is(token, size, value->u.object.keys[i])) {
                return value->u.object.values[i];
            }
        }
        return NULL;
    }
    size_t index = 0;
    for (size_t i = 0; i < size; i++) {
        if (token[i] < '0' || token[i] > '9' || i > 6) {
            return NULL;
        }
        index = index * 10 + (size_t)(token[i] - '0');
    }
    return YAJL_IS_ARRAY(value) && size > 0 && index < value->u.array.len
               ? value->u.array.values[index]
               : NULL;
}

static yajl_val pointer_get(yajl_val value, const char *pointer)
{
    while (value != NULL && *pointer == '/') {
        size_t size = strcspn(pointer + 1, "/");
        value = step(value, pointer + 1, size);
        pointer += 1 + size;
    }
    return value;
}

/* ---- values ---- */

static bool put(char *out, size_t room, const char *text, size_t size)
{
    bool fits = size < room;
    size = fits ? size : room - 1;
    memcpy(out, text, size);
    out[size] = '\0';
    return fits;
}

static bool json_text(yajl_val value, char *out, size_t room)
{
    const char *text = YAJL_IS_STRING(value)   ? YAJL_GET_STRING(value)
                       : YAJL_IS_NUMBER(value) ? YAJL_GET_NUMBER(value)
                       : YAJL_IS_TRUE(value)   ? "true"
                       : YAJL_IS_FALSE(value)  ? "false"
                                               : NULL;
    return text != NULL && put(out, room, text, strlen(text));
}

/* A text with names of levels. */
static bool levels_text(const struct message *message, const char *text, char *out, size_t room)
{
    size_t at = 0;
    while (*text != '\0') {
        size_t size = 1;
        const char *piece = text;
        if (*text == '{') {
            size_t name = strcspn(text, "}");
            piece = ht__mqtt_level(message->rule->topic, message->topic, text + 1, name - 1, &size);
            text += name;
        }
        if (at + size >= room) {
            return false;
        }
        memcpy(out + at, piece, size);
        at += size;
        text++;
    }
    out[at] = '\0';
    return at > 0;
}

/* The message itself, without blanks around it. */
static bool payload_text(const struct message *message, char *out, size_t room)
{
    const char *from = message->payload;
    size_t size = message->size;
    while (size > 0 && (unsigned char)from[0] <= ' ') {
        from++;
        size--;
    }
    while (size > 0 && (unsigned char)from[size - 1] <= ' ') {
        size--;
    }
    return memchr(from, '\0', size) == NULL && put(out, room, from, size);
}

/* What the table makes of a value; NULL: it has no word for it. The value itself: no table. */
static const char *word_of(const struct ht__mqtt_rule *rule, enum ht__mqtt_field field,
                           const char *value)
{
    const char *word = NULL;
    bool table = false;
    for (size_t i = 0; i < rule->word_count; i++) {
        const struct ht__mqtt_word *at = &rule->words[i];
        if (at->field == field) {
            table = true;
            if (strcmp(at->value, value) == 0) {
                return at->word;
            }
            word = strcmp(at->value, "*") == 0 ? at->word : word;
        }
    }
    return table ? word : value;
}

/* What stands there, as a text; false: nothing, or (but for notes) more than fits. */
static bool source_text(const struct message *message, enum ht__mqtt_field field, char *out,
                        size_t room)
{
    const struct ht__mqtt_source *source = &message->rule->sources[field];
    bool there = false;
    out[0] = '\0';
    if (source->from == HT__MQTT_WORD) {
        there = put(out, room, source->text, strlen(source->text));
    } else if (source->from == HT__MQTT_POINTER) {
        there = json_text(pointer_get(message->tree, source->text), out, room);
    } else if (source->from == HT__MQTT_LEVELS) {
        there = levels_text(message, source->text, out, room);
    } else if (source->from == HT__MQTT_PAYLOAD) {
        there = payload_text(message, out, room);
    }
    return there || (field == HT__MQTT_NOTE && out[0] != '\0');
}

/* 1: `out` has it; 0: the message has none; -1: it has one that the table does not, which `out`
 * shows. */
static int field_text(const struct message *message, enum ht__mqtt_field field, char *out,
                      size_t room)
{
    char value[HT_MQTT_NOTE];
    out[0] = '\0';
    if (!source_text(message, field, value, sizeof value)) {
        return 0;
    }
    bool plain = message->rule->sources[field].from == HT__MQTT_WORD;
    const char *word = plain ? value : word_of(message->rule, field, value);
    bool fits = put(out, room, word == NULL ? value : word, strlen(word == NULL ? value : word));
    (void)ht_utf8_mend(out);
    return word == NULL || !fits ? -1 : out[0] == '\0' ? 0 : 1;
}

/* A number, also one that stands as a text; `other` where there is none. */
static double field_number(const struct message *message, enum ht__mqtt_field field, double other)
{
    char text[HT_MQTT_TEXT];
    double value = 0;
    return field_text(message, field, text, sizeof text) == 1 && text[0] != '\0' &&
                   ht_number_read(text, strlen(text), &value) == strlen(text) && isfinite(value)
               ? value
               : other;
}

bool ht_mqtt_time(const char *text, int64_t *out_ms)
{
    double value = 0;
    size_t size = strlen(text);
    if (ht_time_parse(text, size, out_ms)) {
        return true;
    }
    if (size == 0 || ht_number_read(text, size, &value) != size) {
        return false;
    }
    double ms = fabs(value) >= 1e11 ? value : value * 1000;
    bool sane = isfinite(ms) && fabs(ms) < 9e15;
    *out_ms = sane ? llround(ms) : 0;
    return sane;
}

/* ---- meaning ---- */

static void rest_read(const struct message *message, struct ht_mqtt_said *out)
{
    char text[HT_MQTT_TEXT];
    double battery = field_number(message, HT__MQTT_BATTERY, -1);
    double severity = field_number(message, HT__MQTT_SEVERITY, 0);
    out->battery = battery >= 0 && battery <= 100 ? (int)lround(battery) : -1;
    out->severity = severity >= 1 && severity <= 4 ? (int)severity : 0;
    out->time_ms = INT64_MIN;
    if (field_text(message, HT__MQTT_TIME, text, sizeof text) == 1 &&
        !ht_mqtt_time(text, &out->time_ms)) {
        out->time_ms = INT64_MIN;
    }
    if (field_text(message, HT__MQTT_ID, out->id, sizeof out->id) != 1) {
        out->id[0] = '\0';
    }
    if (field_text(message, HT__MQTT_KEY, out->key, sizeof out->key) != 1) {
        out->key[0] = '\0';
    }
    if (field_text(message, HT__MQTT_NOTE, out->note, sizeof out->note) != 1) {
        out->note[0] = '\0';
    }
    out->lon_deg = field_number(message, HT__MQTT_LON, NAN);
    out->lat_deg = field_number(message, HT__MQTT_LAT, NAN);
    out->placed = isfinite(out->lon_deg) && isfinite(out->lat_deg);
    double kmh = field_number(message, HT__MQTT_SPEED_KMH, -1);
    out->speed_mps = field_number(message, HT__MQTT_SPEED_MPS, kmh < 0 ? -1 : kmh / 3.6);
    out->bearing_deg = field_number(message, HT__MQTT_BEARING_DEG, -1);
    out->accuracy_m = field_number(message, HT__MQTT_ACCURACY_M, -1);
}

static enum ht_status meaning(const struct message *message, struct ht_mqtt_said *out,
                              struct ht_error *error)
{
    char state[16];
    int named = field_text(message, HT__MQTT_KIND, out->kind, sizeof out->kind);
    if (named < 0 || (named == 1 && !ht__mqtt_is_kind(out->kind))) {
        /* an alarm perhaps: whoever keeps the map has to hear of it */
        return ht_error_set(error, HT_INVALID, 0, "'%s' is no kind of alarm", out->kind);
    }
    int told = field_text(message, HT__MQTT_STATE, state, sizeof state);
    if (named == 1 && strcmp(out->kind, "none") != 0) {
        out->what = HT_MQTT_ALARM;
    } else if (told == 1 && strcmp(state, "ignored") == 0) {
        out->what = HT_MQTT_NOTHING;
    } else if (told == 1 && strcmp(state, "gone") == 0) {
        out->what = HT_MQTT_GONE;
    } else {
        out->what = out->placed ? HT_MQTT_POSITION : HT_MQTT_HEARD;
    }
    return HT_OK;
}

static bool looks_inside(const struct ht__mqtt_rule *rule)
{
    bool looks = false;
    for (int i = 0; i < HT__MQTT_FIELDS; i++) {
        looks = looks || rule->sources[i].from == HT__MQTT_POINTER;
    }
    return looks;
}

static enum ht_status said_read(const struct message *message, struct ht_mqtt_said *out,
                                struct ht_error *error)
{
    *out = (struct ht_mqtt_said){.what = HT_MQTT_NOTHING};
    if (field_text(message, HT__MQTT_DEVICE, out->device, sizeof out->device) != 1 ||
        !ht_id_valid(out->device, strlen(out->device))) {
        return ht_error_set(error, HT_INVALID, 0,
                            "it names no device (1 to 64 of letters, digits, \"._:-\")");
    }
    rest_read(message, out);
    return meaning(message, out, error);
}

enum ht_status ht_mqtt_map_apply(const struct ht_mqtt_map *map, const char *topic,
                                 const char *payload, size_t size, struct ht_mqtt_said *out,
                                 struct ht_error *error)
{
    struct message message = {.topic = topic, .payload = payload, .size = size};
    for (; map != NULL && message.rule == NULL; map = map->next) {
        for (size_t i = 0; i < map->count && message.rule == NULL; i++) {
            message.rule = ht__mqtt_topic_is(map->rules[i].topic, topic) ? &map->rules[i] : NULL;
        }
    }
    if (message.rule == NULL) {
        return ht_error_set(error, HT_NOT_FOUND, 0, "no rule is of this topic");
    }
    if (looks_inside(message.rule)) {
        message.tree = size == 0 ? NULL : ht_json_tree_read(payload, size);
        if (message.tree == NULL && size > 0) {
            return ht_error_set(error, HT_SYNTAX, 0, "it is not JSON");
        }
    }
    enum ht_status status = said_read(&message, out, error);
    yajl_tree_free(message.tree);
    return status;
}
