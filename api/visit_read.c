#include "api/visit_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/zone.h"
#include "engine/base/text.h"
#include "engine/base/time.h"
#include "geodata/collection.h"

/* Reading one object; `at` is the pointer to it. */
struct reading {
    yajl_val tree;
    char at[40];
    struct ht_error *error;
};

static enum ht_status wrong(const struct reading *reading, enum ht_status status, const char *name,
                            const char *why)
{
    return ht_error_set(reading->error, status, 0, "%s/%s: %s", reading->at, name, why);
}

/* Absent and null are the same. */
static yajl_val member(const struct reading *reading, const char *name)
{
    yajl_val value = ht_json_member(reading->tree, name);
    return YAJL_IS_NULL(value) ? NULL : value;
}

static enum ht_status tree_read(const char *text, size_t size, yajl_val *tree,
                                struct reading *reading, struct ht_error *error)
{
    *tree = ht_json_tree_read(text, size);
    *reading = (struct reading){.tree = *tree, .error = error};
    if (ht_json_has_nul(text, size)) {
        return ht_error_set(error, HT_SYNTAX, 0, "the body has a NUL");
    }
    return YAJL_IS_OBJECT(*tree) ? HT_OK
                                 : ht_error_set(error, HT_SYNTAX, 0, "the body is no JSON object");
}

void ht_visit_tree_free(yajl_val *tree)
{
    yajl_tree_free(*tree);
    *tree = NULL;
}

/* ---- values ---- */

static enum ht_status id_read(const struct reading *reading, const char *name, const char **out)
{
    yajl_val value = member(reading, name);
    const char *text = YAJL_GET_STRING(value);
    *out = text;
    return value != NULL && (text == NULL || !ht_id_valid(text, strlen(text)))
               ? wrong(reading, HT_SYNTAX, name, "1 to 64 letters, digits and ._:-")
               : HT_OK;
}

/* An empty one, and one of blanks, is none. */
static enum ht_status text_read(const struct reading *reading, const char *name, const char **out)
{
    yajl_val value = member(reading, name);
    const char *text = YAJL_GET_STRING(value);
    *out = text != NULL && text[strspn(text, " \t\r\n")] == '\0' ? NULL : text;
    size_t size = text == NULL ? 0 : strlen(text);
    bool good = value == NULL ||
                (text != NULL && size <= HT_VISIT_TEXT_MOST && ht_utf8_valid(text, size) == size);
    return good ? HT_OK : wrong(reading, HT_SYNTAX, name, "a text of at most 4,096 bytes");
}

static bool in_reach(int64_t at_ms)
{
    return at_ms >= INT64_C(946684800000) && at_ms <= INT64_C(4102444800000);
}

bool ht_visit_moment(const char *text, int64_t *out)
{
    char day[40];
    size_t size = strlen(text);
    if (size != 10) {
        return ht_time_parse(text, size, out) && in_reach(*out);
    }
    (void)snprintf(day, sizeof day, "%sT23:59:59.999Z", text);
    if (!ht_time_parse(day, strlen(day), out) || !in_reach(*out)) {
        return false;
    }
    *out = ht_zone_utc_ms(*out);
    return true;
}

static enum ht_status moment_read(const struct reading *reading, const char *name, int64_t *out)
{
    yajl_val value = member(reading, name);
    const char *text = YAJL_GET_STRING(value);
    *out = 0;
    return value != NULL && (text == NULL || !ht_visit_moment(text, out))
               ? wrong(reading, HT_SYNTAX, name,
                       "a time, like 2026-03-01T11:30:00+08:00, or a date")
               : HT_OK;
}

static enum ht_status number_read(const struct reading *reading, const char *name, int64_t most,
                                  int64_t *out)
{
    yajl_val value = member(reading, name);
    if (value == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_INTEGER(value)) {
        return wrong(reading, HT_SYNTAX, name, "a whole number");
    }
    *out = YAJL_GET_INTEGER(value);
    return *out < 0 || *out > most ? wrong(reading, HT_INVALID, name, "is out of its range")
                                   : HT_OK;
}

/* The word of a list; `count`: none of them. */
static int word_of(const char *text, const char *(*word)(int), int count)
{
    int i = 0;
    while (i < count && strcmp(word(i), text) != 0) {
        i++;
    }
    return i;
}

static const char *state_word(int i)
{
    return ht_visit_state_text((enum ht_visit_state)i);
}

static const char *purpose_word(int i)
{
    return ht_visit_purpose_text((enum ht_visit_purpose)i);
}

static const char *level_word(int i)
{
    return ht_visit_level_text((unsigned)i);
}

static enum ht_status place_read(const struct reading *reading, bool *placed, double pair[2])
{
    static const char *const names[2] = {"lon", "lat"};
    int found = 0;
    for (int i = 0; i < 2; i++) {
        yajl_val value = member(reading, names[i]);
        if (value == NULL) {
            continue;
        }
        if (!YAJL_IS_NUMBER(value) || !isfinite(YAJL_GET_DOUBLE(value))) {
            return wrong(reading, HT_SYNTAX, names[i], "a number");
        }
        pair[i] = YAJL_GET_DOUBLE(value);
        found++;
    }
    *placed = found == 2;
    return found == 1 ? wrong(reading, HT_SYNTAX, "lon", "lon and lat go together") : HT_OK;
}

/* ---- a visit ---- */

static enum ht_status purpose_read(const struct reading *reading, enum ht_visit_purpose *out)
{
    yajl_val value = member(reading, "purpose");
    const char *text = YAJL_GET_STRING(value);
    *out = HT_VISIT_FOR_UNPLANNED;
    if (value == NULL) {
        return HT_OK;
    }
    int word = text == NULL ? HT_VISIT_PURPOSES : word_of(text, purpose_word, HT_VISIT_PURPOSES);
    if (word == HT_VISIT_PURPOSES || word == HT_VISIT_FOR_ROUND) {
        return wrong(reading, HT_SYNTAX, "purpose", "unplanned, revisit or check");
    }
    *out = (enum ht_visit_purpose)word;
    return HT_OK;
}

enum ht_status ht_visit_body_read(const char *text, size_t size, struct ht_visit_in *out,
                                  struct ht_error *error)
{
    struct reading reading;
    memset(out, 0, sizeof *out);
    enum ht_status status = tree_read(text, size, &out->tree, &reading, error);
    const struct {
        const char *name;
        const char **to;
    } ids[] = {{"id", &out->id},         {"site", &out->site},
               {"tenant", &out->tenant}, {"inspector", &out->inspector},
               {"second", &out->second}, {"rectification", &out->rectification}};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0] && status == HT_OK; i++) {
        status = id_read(&reading, ids[i].name, ids[i].to);
    }
    if (status == HT_OK && out->site == NULL) {
        status = wrong(&reading, HT_SYNTAX, "site", "is missing");
    }
    out->of_site = status == HT_OK && YAJL_IS_NULL(ht_json_member(reading.tree, "tenant"));
    status = status == HT_OK ? purpose_read(&reading, &out->purpose) : status;
    status = status == HT_OK ? moment_read(&reading, "start", &out->start_ms) : status;
    status = status == HT_OK ? moment_read(&reading, "end", &out->end_ms) : status;
    bool seeks = out->purpose != HT_VISIT_FOR_UNPLANNED;
    if (status == HT_OK && seeks != (out->rectification != NULL)) {
        status = wrong(&reading, HT_SYNTAX, "rectification", "goes with purpose revisit or check");
    }
    static const char *const told[] = {"outcome", "hazards", "photos", "signature"};
    for (size_t i = 0; i < sizeof told / sizeof told[0] && status == HT_OK; i++) {
        if (member(&reading, told[i]) != NULL) {
            status = wrong(&reading, HT_SYNTAX, told[i], "is told to the visit's /result");
        }
    }
    return status;
}

/* ---- a result ---- */

static enum ht_status hazard_read(struct reading *reading, struct ht_visit_hazard_in *out)
{
    int64_t severity = 0;
    enum ht_status status = YAJL_IS_OBJECT(reading->tree)
                                ? text_read(reading, "text", &out->text)
                                : wrong(reading, HT_SYNTAX, "", "is no object");
    if (status == HT_OK && out->text == NULL) {
        status = wrong(reading, HT_SYNTAX, "text", "is missing");
    }
    status = status == HT_OK ? number_read(reading, "severity", 4, &severity) : status;
    if (status == HT_OK && severity < 1) {
        status = wrong(reading, member(reading, "severity") == NULL ? HT_SYNTAX : HT_INVALID,
                       "severity", "is 1 (low) to 4");
    }
    status = status == HT_OK ? moment_read(reading, "due", &out->due_ms) : status;
    status = status == HT_OK ? id_read(reading, "tenant", &out->tenant) : status;
    status = status == HT_OK ? id_read(reading, "same_as", &out->same_as) : status;
    out->of_site = status == HT_OK && YAJL_IS_NULL(ht_json_member(reading->tree, "tenant"));
    out->severity = (uint8_t)severity;
    return status;
}

static bool is_hex(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789abcdefABCDEF") == size;
}

static enum ht_status photo_read(struct reading *reading, struct ht_visit_photo_in *out)
{
    enum ht_status status = YAJL_IS_OBJECT(reading->tree)
                                ? text_read(reading, "url", &out->url)
                                : wrong(reading, HT_SYNTAX, "", "is no object");
    out->sha256 = status == HT_OK ? YAJL_GET_STRING(ht_json_member(reading->tree, "sha256")) : NULL;
    if (status == HT_OK && (out->url == NULL || (strncmp(out->url, "https://", 8) != 0 &&
                                                 strncmp(out->url, "http://", 7) != 0))) {
        status = wrong(reading, HT_SYNTAX, "url", "is missing, or neither http nor https");
    }
    if (status == HT_OK && (out->sha256 == NULL || !is_hex(out->sha256, 64))) {
        status = wrong(reading, HT_SYNTAX, "sha256", "is 64 hex digits");
    }
    return status;
}

/* A list of objects, each by `read` into `out` + i * size. */
struct list_reading {
    const char *name;
    size_t most;
    enum ht_status (*read)(struct reading *reading, void *out);
    char *out;
    size_t size;
};

static enum ht_status list_read(const struct reading *reading, const struct list_reading *list,
                                size_t *count)
{
    yajl_val value = member(reading, list->name);
    enum ht_status status = HT_OK;
    *count = 0;
    if (value == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_ARRAY(value)) {
        return wrong(reading, HT_SYNTAX, list->name, "is no list");
    }
    if (value->u.array.len > list->most) {
        return wrong(reading, HT_INVALID, list->name, "are more than 64");
    }
    for (size_t i = 0; i < value->u.array.len && status == HT_OK; i++) {
        struct reading one = {.tree = value->u.array.values[i], .error = reading->error};
        (void)snprintf(one.at, sizeof one.at, "/%s/%zu", list->name, i);
        status = list->read(&one, list->out + i * list->size);
    }
    *count = value->u.array.len;
    return status;
}

static enum ht_status hazard_take(struct reading *reading, void *out)
{
    return hazard_read(reading, out);
}

static enum ht_status photo_take(struct reading *reading, void *out)
{
    return photo_read(reading, out);
}

static enum ht_status outcome_read(const struct reading *reading, enum ht_visit_state *out)
{
    yajl_val value = member(reading, "outcome");
    const char *text = YAJL_GET_STRING(value);
    int word = text == NULL ? HT_VISIT_STATES : word_of(text, state_word, HT_VISIT_STATES);
    *out = (enum ht_visit_state)word;
    return word < HT_VISIT_STATES && ht_visit_is_outcome(*out)
               ? HT_OK
               : wrong(reading, HT_SYNTAX, "outcome",
                       "is done, missed, refused, rectify, upgrade or shut");
}

enum ht_status ht_visit_result_read(const char *text, size_t size, struct ht_visit_result_in *out,
                                    struct ht_error *error)
{
    struct reading reading;
    memset(out, 0, sizeof *out);
    const struct list_reading hazards = {"hazards", HT_VISIT_HAZARDS, hazard_take,
                                         (char *)out->hazards, sizeof out->hazards[0]};
    const struct list_reading photos = {"photos", HT_VISIT_PHOTOS, photo_take, (char *)out->photos,
                                        sizeof out->photos[0]};
    enum ht_status status = tree_read(text, size, &out->tree, &reading, error);
    status = status == HT_OK ? outcome_read(&reading, &out->outcome) : status;
    status = status == HT_OK ? moment_read(&reading, "at", &out->at_ms) : status;
    status = status == HT_OK ? moment_read(&reading, "until", &out->until_ms) : status;
    status = status == HT_OK ? place_read(&reading, &out->placed, out->pair) : status;
    status = status == HT_OK ? id_read(&reading, "inspector", &out->inspector) : status;
    status = status == HT_OK ? id_read(&reading, "second", &out->second) : status;
    status = status == HT_OK ? text_read(&reading, "reason", &out->reason) : status;
    status = status == HT_OK ? text_read(&reading, "signature", &out->signature) : status;
    status = status == HT_OK ? list_read(&reading, &hazards, &out->hazard_count) : status;
    return status == HT_OK ? list_read(&reading, &photos, &out->photo_count) : status;
}

/* ---- steps ---- */

static enum ht_status event_read(const struct reading *reading, bool notice,
                                 enum ht_visit_command_kind *out)
{
    const char *text = YAJL_GET_STRING(member(reading, "event"));
    static const struct {
        const char *word;
        bool notice;
        enum ht_visit_command_kind command;
    } words[] = {{"promise", false, HT_VISIT_PROMISE},
                 {"cancel", false, HT_VISIT_CANCEL},
                 {"extend", true, HT_NOTICE_EXTEND},
                 {"close", true, HT_NOTICE_CLOSE}};
    for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (words[i].notice == notice && strcmp(words[i].word, text) == 0) {
            *out = words[i].command;
            return HT_OK;
        }
    }
    return wrong(reading, HT_SYNTAX, "event",
                 notice ? "is extend or close" : "is promise or cancel");
}

static enum ht_status rank_read(const struct reading *reading, uint8_t *out)
{
    yajl_val value = member(reading, "rank");
    const char *text = YAJL_GET_STRING(value);
    int word = text == NULL ? HT_VISIT_LEVELS : word_of(text, level_word, HT_VISIT_LEVELS);
    *out = value == NULL ? 0 : (uint8_t)word;
    return value != NULL && word == HT_VISIT_LEVELS
               ? wrong(reading, HT_SYNTAX, "rank", "is community, sub_district or district")
               : HT_OK;
}

enum ht_status ht_visit_step_read(const char *text, size_t size, bool notice,
                                  struct ht_visit_step_in *out, struct ht_error *error)
{
    struct reading reading;
    memset(out, 0, sizeof *out);
    enum ht_status status = tree_read(text, size, &out->tree, &reading, error);
    status = status == HT_OK ? event_read(&reading, notice, &out->command) : status;
    status = status == HT_OK ? id_read(&reading, "visit", &out->visit) : status;
    status = status == HT_OK ? text_read(&reading, "reason", &out->reason) : status;
    status = status == HT_OK ? moment_read(&reading, "due", &out->due_ms) : status;
    status = status == HT_OK ? rank_read(&reading, &out->rank) : status;
    if (status == HT_OK && out->command == HT_NOTICE_EXTEND && out->due_ms == 0) {
        status = wrong(&reading, HT_SYNTAX, "due", "is missing");
    }
    if (status == HT_OK && out->command == HT_NOTICE_EXTEND && out->reason == NULL) {
        status = wrong(&reading, HT_INVALID, "reason", "an extension says why");
    }
    return status;
}

/* ---- a draw ---- */

enum ht_status ht_visit_draw_read(const char *text, size_t size, struct ht_visit_draw_in *out,
                                  struct ht_error *error)
{
    struct reading reading;
    int64_t seed = 0;
    int64_t count = 0;
    memset(out, 0, sizeof *out);
    enum ht_status status = tree_read(text, size, &out->tree, &reading, error);
    status = status == HT_OK ? number_read(&reading, "seed", INT64_MAX, &seed) : status;
    status =
        status == HT_OK ? number_read(&reading, "count", HT_VISIT_SAMPLE_MOST, &count) : status;
    status = status == HT_OK ? moment_read(&reading, "from", &out->from_ms) : status;
    status = status == HT_OK ? moment_read(&reading, "to", &out->to_ms) : status;
    if (status == HT_OK && member(&reading, "seed") == NULL) {
        status = wrong(&reading, HT_SYNTAX, "seed", "is missing");
    }
    if (status == HT_OK && count < 1) {
        status = wrong(&reading, HT_INVALID, "count", "is 1 to 1000");
    }
    out->seed = (uint64_t)seed;
    out->count = (uint32_t)count;
    return status;
}
