/* Reading of the file; what messages mean by it is in mqtt_said.c. */
#include "api/mqtt_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/config.h"
#include "api/mqtt_map_internal.h"
#include "engine/base/array.h"

enum { RULES_MOST = 512, WORDS_MOST = 512 };

static const char *const field_names[HT__MQTT_FIELDS] = {[HT__MQTT_DEVICE] = "device",
                                                         [HT__MQTT_KIND] = "kind",
                                                         [HT__MQTT_SEVERITY] = "severity",
                                                         [HT__MQTT_BATTERY] = "battery",
                                                         [HT__MQTT_TIME] = "time",
                                                         [HT__MQTT_ID] = "id",
                                                         [HT__MQTT_KEY] = "key",
                                                         [HT__MQTT_NOTE] = "note",
                                                         [HT__MQTT_LON] = "lon",
                                                         [HT__MQTT_LAT] = "lat",
                                                         [HT__MQTT_SPEED_MPS] = "speed_mps",
                                                         [HT__MQTT_SPEED_KMH] = "speed_kmh",
                                                         [HT__MQTT_BEARING_DEG] = "bearing_deg",
                                                         [HT__MQTT_ACCURACY_M] = "accuracy_m",
                                                         [HT__MQTT_STATE] = "state"};

static const char *const kinds[] = {"sos",   "fall",    "heart", "door", "gas",
                                    "water", "request", "other", "none", NULL};
static const char *const states[] = {"heard", "gone", "ignored", NULL};

/* ---- topics ---- */

/* The end of a level. */
static size_t level_size(const char *at)
{
    return strcspn(at, "/");
}

static bool level_named(const char *at, size_t size)
{
    return size > 2 && at[0] == '{' && at[size - 1] == '}';
}

/* NULL, or what is wrong with a pattern. */
static const char *pattern_wrong(const char *pattern)
{
    if (strlen(pattern) >= HT_MQTT_TOPIC_MAX) {
        return "the topic is longer than 511 bytes";
    }
    if (pattern[0] == '$') {
        return "a topic that begins with $ is the broker's own";
    }
    for (const char *at = pattern;; at++) {
        size_t size = level_size(at);
        bool special = memchr(at, '+', size) != NULL || memchr(at, '#', size) != NULL ||
                       memchr(at, '{', size) != NULL || memchr(at, '}', size) != NULL;
        bool inner = level_named(at, size) && memchr(at + 1, '{', size - 2) == NULL &&
                     memchr(at + 1, '}', size - 2) == NULL;
        if (special && !inner && !(size == 1 && at[0] == '+')) {
            return "a level of the topic is a text, + or a {name}";
        }
        at += size;
        if (*at == '\0') {
            return NULL;
        }
    }
}

/* As the broker wants it: + for names. */
static void filter_of(const char *pattern, char filter[HT_MQTT_TOPIC_MAX])
{
    size_t out = 0;
    for (const char *at = pattern;; at++) {
        size_t size = level_size(at);
        bool named = level_named(at, size);
        memcpy(filter + out, named ? "+" : at, named ? 1 : size);
        out += named ? 1 : size;
        at += size;
        filter[out++] = *at;
        if (*at == '\0') {
            return;
        }
    }
}

/* The level that a pattern calls so, in the topic; `*size` 0: there is none. */
const char *ht__mqtt_level(const char *pattern, const char *topic, const char *name,
                           size_t name_size, size_t *size)
{
    *size = 0;
    while (*pattern != '\0') {
        size_t own = level_size(pattern);
        size_t there = level_size(topic);
        if (level_named(pattern, own) && own - 2 == name_size &&
            memcmp(pattern + 1, name, name_size) == 0) {
            *size = there;
            return topic;
        }
        pattern += own + (pattern[own] == '/');
        topic += there + (topic[there] == '/');
    }
    return topic;
}

bool ht__mqtt_topic_is(const char *pattern, const char *topic)
{
    for (;;) {
        size_t own = level_size(pattern);
        size_t there = level_size(topic);
        bool any = (own == 1 && pattern[0] == '+') || level_named(pattern, own);
        if (!any && (own != there || memcmp(pattern, topic, own) != 0)) {
            return false;
        }
        pattern += own;
        topic += there;
        if (*pattern == '\0' || *topic == '\0') {
            return *pattern == *topic;
        }
        pattern++;
        topic++;
    }
}

/* ---- values ---- */

/* Whether every name in braces of a text is one of the topic's levels. */
static bool names_known(const char *topic, const char *text)
{
    size_t size = 0;
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t name = strcspn(at, "}");
        if (at[name] == '\0') {
            return false;
        }
        (void)ht__mqtt_level(topic, topic, at + 1, name - 1, &size);
        if (size == 0) {
            return false;
        }
    }
    return true;
}

static bool is_one(const char *const *words, const char *word)
{
    for (; *words != NULL; words++) {
        if (strcmp(*words, word) == 0) {
            return true;
        }
    }
    return false;
}

bool ht__mqtt_is_kind(const char *word)
{
    return is_one(kinds, word);
}

/* NULL, or what is wrong with a word that a field gets. */
static const char *word_wrong(enum ht__mqtt_field field, const char *word)
{
    if (field == HT__MQTT_KIND && !ht__mqtt_is_kind(word)) {
        return "a kind is sos, fall, heart, door, gas, water, request, other or none";
    }
    if (field == HT__MQTT_STATE && !is_one(states, word)) {
        return "a state is heard, gone or ignored";
    }
    if (field == HT__MQTT_SEVERITY && (word[0] < '1' || word[0] > '4' || word[1] != '\0')) {
        return "a severity is 1, 2, 3 or 4";
    }
    return NULL;
}

/* ---- lines ---- */

static enum ht__mqtt_field field_of(const char *name, size_t size)
{
    int field = 0;
    while (field < HT__MQTT_FIELDS &&
           (strlen(field_names[field]) != size || memcmp(field_names[field], name, size) != 0)) {
        field++;
    }
    return (enum ht__mqtt_field)field;
}

static enum ht_status rule_begin(struct ht_mqtt_map *map, const char *topic, int64_t line,
                                 struct ht_error *error)
{
    void *list = map->rules;
    const char *wrong = pattern_wrong(topic);
    if (wrong == NULL && map->count == RULES_MOST) {
        wrong = "more than 512 topics";
    }
    for (size_t i = 0; wrong == NULL && i < map->count; i++) {
        wrong = strcmp(map->rules[i].topic, topic) == 0 ? "the topic comes twice" : NULL;
    }
    if (wrong != NULL) {
        return ht_error_set(error, HT_INVALID, line, "%s", wrong);
    }
    enum ht_status status =
        ht_array_reserve(&list, &map->capacity, map->count + 1, sizeof *map->rules);
    map->rules = list;
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    map->rules[map->count] = (struct ht__mqtt_rule){.topic = topic, .line = line};
    filter_of(topic, map->rules[map->count++].filter);
    return HT_OK;
}

static enum ht_status source_add(struct ht__mqtt_rule *rule, enum ht__mqtt_field field,
                                 const struct ht_config_entry *entry, int64_t line,
                                 struct ht_error *error)
{
    struct ht__mqtt_source *source = &rule->sources[field];
    const char *text = entry->value;
    if (source->from != HT__MQTT_NOWHERE) {
        return ht_error_set(error, HT_INVALID, line, "%s comes twice", entry->name);
    }
    source->text = text;
    source->line = line;
    source->from = text[0] == '/'                  ? HT__MQTT_POINTER
                   : strcmp(text, "@payload") == 0 ? HT__MQTT_PAYLOAD
                   : strchr(text, '{') != NULL     ? HT__MQTT_LEVELS
                                                   : HT__MQTT_WORD;
    if (source->from == HT__MQTT_LEVELS && !names_known(rule->topic, text)) {
        return ht_error_set(error, HT_INVALID, line, "'%.80s' names a level that the topic has not",
                            text);
    }
    const char *wrong = source->from == HT__MQTT_WORD ? word_wrong(field, text) : NULL;
    return wrong == NULL ? HT_OK : ht_error_set(error, HT_INVALID, line, "%s", wrong);
}

static enum ht_status word_add(struct ht__mqtt_rule *rule, enum ht__mqtt_field field,
                               const struct ht_config_entry *entry, int64_t line,
                               struct ht_error *error)
{
    void *list = rule->words;
    const char *value = strchr(entry->name, '.') + 1;
    const char *wrong =
        *value == '\0' ? "nothing stands behind the point" : word_wrong(field, entry->value);
    wrong = wrong == NULL && rule->word_count == WORDS_MOST ? "more than 512 words" : wrong;
    for (size_t i = 0; wrong == NULL && i < rule->word_count; i++) {
        const struct ht__mqtt_word *word = &rule->words[i];
        wrong = word->field == field && strcmp(word->value, value) == 0 ? "it comes twice" : NULL;
    }
    if (wrong != NULL) {
        return ht_error_set(error, HT_INVALID, line, "%.60s: %s", entry->name, wrong);
    }
    enum ht_status status =
        ht_array_reserve(&list, &rule->word_capacity, rule->word_count + 1, sizeof *rule->words);
    rule->words = list;
    if (status == HT_OK) {
        rule->words[rule->word_count++] =
            (struct ht__mqtt_word){.field = field, .value = value, .word = entry->value, line};
    }
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

static enum ht_status line_take(struct ht_mqtt_map *map, const struct ht_config_entry *entry,
                                int64_t line, struct ht_error *error)
{
    size_t size = strcspn(entry->name, ".");
    if (strcmp(entry->name, "topic") == 0) {
        return rule_begin(map, entry->value, line, error);
    }
    enum ht__mqtt_field field = field_of(entry->name, size);
    if (field == HT__MQTT_FIELDS) {
        return ht_error_set(error, HT_INVALID, line, "'%.40s' is no field", entry->name);
    }
    if (map->count == 0) {
        return ht_error_set(error, HT_INVALID, line, "'%.40s' stands before any topic",
                            entry->name);
    }
    struct ht__mqtt_rule *rule = &map->rules[map->count - 1];
    return entry->name[size] == '.' ? word_add(rule, field, entry, line, error)
                                    : source_add(rule, field, entry, line, error);
}

/* What can't be seen by a line alone. */
static enum ht_status rule_check(const struct ht__mqtt_rule *rule, struct ht_error *error)
{
    if (rule->sources[HT__MQTT_DEVICE].from == HT__MQTT_NOWHERE) {
        return ht_error_set(error, HT_INVALID, rule->line, "the topic '%.80s' has no device",
                            rule->topic);
    }
    for (size_t i = 0; i < rule->word_count; i++) {
        const struct ht__mqtt_word *word = &rule->words[i];
        if (rule->sources[word->field].from == HT__MQTT_NOWHERE) {
            return ht_error_set(error, HT_INVALID, word->line,
                                "%s.%.40s: the topic has no %s to look at",
                                field_names[word->field], word->value, field_names[word->field]);
        }
    }
    if ((rule->sources[HT__MQTT_LON].from == HT__MQTT_NOWHERE) !=
        (rule->sources[HT__MQTT_LAT].from == HT__MQTT_NOWHERE)) {
        return ht_error_set(error, HT_INVALID, rule->line,
                            "the topic '%.80s' has one of lon and lat", rule->topic);
    }
    return HT_OK;
}

static enum ht_status lines_read(struct ht_mqtt_map *map, struct ht_error *error)
{
    struct ht_config config;
    struct ht_config_entry entry;
    enum ht_status status = HT_OK;
    ht_config_init(&config, map->text);
    while (status == HT_OK) {
        status = ht_config_next(&config, &entry, error);
        if (status == HT_OK) {
            status = line_take(map, &entry, config.line, error);
        }
    }
    status = status == HT_EMPTY ? HT_OK : status;
    for (size_t i = 0; i < map->count && status == HT_OK; i++) {
        status = rule_check(&map->rules[i], error);
    }
    return status;
}

/* ---- the whole ---- */

void ht_mqtt_map_free(struct ht_mqtt_map *map)
{
    while (map != NULL) {
        struct ht_mqtt_map *next = map->next;
        for (size_t i = 0; i < map->count; i++) {
            free(map->rules[i].words);
        }
        free(map->rules);
        free(map->text);
        free(map);
        map = next;
    }
}

enum ht_status ht_mqtt_map_read(struct ht_mqtt_map **map, const char *text, struct ht_error *error)
{
    size_t size = strlen(text);
    if (size > HT_MQTT_MAP_BYTES) {
        return ht_error_set(error, HT_TOO_BIG, 0, "larger than 256 KiB");
    }
    struct ht_mqtt_map *more = calloc(1, sizeof *more);
    char *copy = strdup(text);
    if (more == NULL || copy == NULL) {
        free(more);
        free(copy);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    more->text = copy;
    enum ht_status status = lines_read(more, error);
    if (status != HT_OK) {
        ht_mqtt_map_free(more);
        return status;
    }
    more->next = *map;
    *map = more;
    return HT_OK;
}

enum ht_status ht_mqtt_map_load(struct ht_mqtt_map **map, const char *path, struct ht_error *error)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(HT_MQTT_MAP_BYTES + 2);
    if (file == NULL || text == NULL) {
        if (file != NULL) {
            (void)fclose(file);
        }
        enum ht_status status = file == NULL ? HT_IO : HT_NOMEM;
        free(text);
        return ht_error_set(error, status, 0, "%.120s: can't be read", path);
    }
    size_t size = fread(text, 1, HT_MQTT_MAP_BYTES + 1, file);
    text[size] = '\0';
    bool whole = ferror(file) == 0;
    (void)fclose(file);
    struct ht_error why = {0};
    enum ht_status status = !whole ? ht_error_set(&why, HT_IO, 0, "can't be read")
                            : strlen(text) != size
                                ? ht_error_set(&why, HT_SYNTAX, 0, "there is a NUL in it")
                                : ht_mqtt_map_read(map, text, &why);
    free(text);
    if (status != HT_OK && why.line > 0) {
        return ht_error_set(error, status, why.line, "%.80s:%lld: %.150s", path,
                            (long long)why.line, why.message);
    }
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, status, 0, "%.80s: %.150s", path, why.message);
}

enum ht_status ht_mqtt_map_own(struct ht_mqtt_map **map, const char *prefix, struct ht_error *error)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "topic = %.200s/alarms/{device}\n"
                   "device = {device}\nkind = /kind\nseverity = /severity\nid = /id\n"
                   "time = /ts\nbattery = /battery\nkey = /key\nnote = /note\n"
                   "lon = /lon\nlat = /lat\n"
                   "topic = %.200s/status/{device}\n"
                   "device = {device}\nstate = @payload\nstate.offline = gone\n"
                   "state.online = heard\nstate.* = ignored\n"
                   "topic = %.200s/heard/{device}\n"
                   "device = {device}\nbattery = /battery\nkey = /key\n"
                   "topic = owntracks/{user}/{device}\n"
                   "device = {user}:{device}\nstate = /_type\nstate.location = heard\n"
                   "state.lwt = gone\nstate.* = ignored\nlon = /lon\nlat = /lat\ntime = /tst\n"
                   "accuracy_m = /acc\nspeed_kmh = /vel\nbearing_deg = /cog\nbattery = /batt\n",
                   prefix, prefix, prefix);
    return ht_mqtt_map_read(map, text, error);
}

/* OwnTracks' devices go and come all day: a phone that went is no emergency. */
static bool is_urgent(const struct ht__mqtt_rule *rule)
{
    return rule->sources[HT__MQTT_KIND].from != HT__MQTT_NOWHERE ||
           (rule->sources[HT__MQTT_STATE].from != HT__MQTT_NOWHERE &&
            rule->sources[HT__MQTT_LON].from == HT__MQTT_NOWHERE);
}

/* Whether a filter came before this rule. */
static bool came_before(const struct ht_mqtt_map *map, const struct ht__mqtt_rule *until)
{
    for (; map != NULL; map = map->next) {
        for (size_t i = 0; i < map->count; i++) {
            if (&map->rules[i] == until) {
                return false;
            }
            if (strcmp(map->rules[i].filter, until->filter) == 0) {
                return true;
            }
        }
    }
    return false;
}

const char *ht_mqtt_map_filter(const struct ht_mqtt_map *map, bool urgent, size_t i)
{
    for (const struct ht_mqtt_map *at = map; at != NULL; at = at->next) {
        for (size_t k = 0; k < at->count; k++) {
            const struct ht__mqtt_rule *rule = &at->rules[k];
            if (is_urgent(rule) == urgent && !came_before(map, rule) && i-- == 0) {
                return rule->filter;
            }
        }
    }
    return NULL;
}
