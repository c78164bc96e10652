/* Profile files: JSON to struct ht_profile, by tables of fields.
 *
 * An object of the file is described by a list of fields: name, kind, where it goes, bounds. What
 * is not in the list is an error that names the key with its path ("turn.penalti_s"), so that a
 * typing mistake in a profile can't pass in silence.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "geodata/profile_internal.h"

#define HT__FILE_MAX ((size_t)1 << 20)
#define HT__BRACKET_MAX 4096
#define HT__LIST_MAX 512

enum kind {
    FLAG,    /* bool */
    NUMBER,  /* double within low..high */
    TEXT,    /* const char * */
    CHOICE,  /* uint32_t: index into choices */
    WORDS,   /* struct ht__table */
    NUMBERS, /* struct ht__table, numbers within low..high */
    RULES,   /* struct ht__rules: {"key": "*" | ["value", ...] | {"not": [...]}} */
    SCALES,  /* struct ht__rules: {"key": {"value": number}}, within low..high */
    CASES,   /* struct ht__cases: [{"key": [...]}, ...] */
    AXES,    /* struct ht__axes: ["key", ...] */
    VEHICLES,
    CLASSES, /* uint16_t */
    MODES,   /* uint32_t */
    OBJECT,  /* more fields */
    PRESENT, /* the same, and the bool at offset says that it was there */
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
    double low;
    double high;
    const void *more;  /* fields or choices */
    size_t more_count; /* of fields */
};

struct reader {
    struct ht_profile *profile;
    const char *origin;
    struct ht_error *error;
    char path[128]; /* of the value at hand */
};

#define AT(member) offsetof(struct ht_profile, member)
#define NESTED(list) .more = (list), .more_count = sizeof(list) / sizeof((list)[0])

/* Order of enum ht_mode. */
static const char *const mode_names[] = {"none",  "driving", "cycling",      "walking",
                                         "ferry", "train",   "pushing bike", NULL};
static const char *const weight_names[] = {"routability", "duration", NULL};
static const char *const oneway_names[] = {"all", "specific", "conditional", "none", NULL};
static const char *const maxspeed_names[] = {"replace", "limit", NULL};
static const char *const apply_names[] = {"rate", "speed", NULL};

static const struct field vehicle_fields[] = {
    {.name = "height_m", .kind = NUMBER, .offset = AT(vehicle.height_m), .high = 20},
    {.name = "width_m", .kind = NUMBER, .offset = AT(vehicle.width_m), .high = 20},
    {.name = "length_m", .kind = NUMBER, .offset = AT(vehicle.length_m), .high = 100},
    {.name = "weight_kg", .kind = NUMBER, .offset = AT(vehicle.weight_kg), .high = 500000},
};
static const struct field access_fields[] = {
    {.name = "hierarchy", .kind = AXES, .offset = AT(access.hierarchy)},
    {.name = "grant", .kind = RULES, .offset = AT(access.grant)},
    {.name = "allow", .kind = WORDS, .offset = AT(access.allow)},
    {.name = "deny", .kind = WORDS, .offset = AT(access.deny)},
    {.name = "restricted", .kind = WORDS, .offset = AT(access.restricted)},
    {.name = "restricted_highways", .kind = WORDS, .offset = AT(access.restricted_highways)},
    {.name = "no_start", .kind = WORDS, .offset = AT(access.no_start)},
    {.name = "no_start_highways", .kind = WORDS, .offset = AT(access.no_start_highways)},
};
static const struct field oneway_fields[] = {
    {.name = "handling", .kind = CHOICE, .offset = AT(oneway.handling), .more = oneway_names},
    {.name = "forward", .kind = WORDS, .offset = AT(oneway.forward)},
    {.name = "backward", .kind = WORDS, .offset = AT(oneway.backward)},
    {.name = "implied", .kind = RULES, .offset = AT(oneway.implied)},
    {.name = "contraflow", .kind = RULES, .offset = AT(oneway.contraflow)},
};
static const struct field restrict_fields[] = {
    {.name = "tags", .kind = RULES, .offset = AT(restrict_by.tags)},
    {.name = "lanes", .kind = AXES, .offset = AT(restrict_by.lanes)},
    {.name = "lane_value", .kind = TEXT, .offset = AT(restrict_by.lane_value.text)},
};
static const struct field maxspeed_fields[] = {
    {.name = "keys", .kind = AXES, .offset = AT(maxspeed.keys)},
    {.name = "rule", .kind = CHOICE, .offset = AT(maxspeed.rule), .more = maxspeed_names},
    {.name = "factor", .kind = NUMBER, .offset = AT(maxspeed.factor), .low = 0.01, .high = 10},
    {.name = "zones", .kind = NUMBERS, .offset = AT(maxspeed.zones), .high = 300},
    {.name = "values", .kind = NUMBERS, .offset = AT(maxspeed.values), .high = 300},
    {.name = "units", .kind = NUMBERS, .offset = AT(maxspeed.units), .high = 100},
};
static const struct field narrow_fields[] = {
    {.name = "width_m", .kind = NUMBER, .offset = AT(penalties.narrow_width_m), .high = 100},
    {.name = "lanes", .kind = NUMBER, .offset = AT(penalties.narrow_lanes), .high = 100},
    {.name = "factor", .kind = NUMBER, .offset = AT(penalties.narrow), .low = 0.01, .high = 1},
};
static const struct field penalty_fields[] = {
    {.name = "apply", .kind = CHOICE, .offset = AT(penalties.apply), .more = apply_names},
    {.name = "tags", .kind = SCALES, .offset = AT(penalties.tags), .low = 0.01, .high = 1},
    {.name = "alternating",
     .kind = NUMBER,
     .offset = AT(penalties.alternating),
     .low = 0.01,
     .high = 1},
    {.name = "narrow", .kind = OBJECT, NESTED(narrow_fields)},
};
static const struct field fallback_fields[] = {
    {.name = "mode", .kind = CHOICE, .offset = AT(fallback.mode), .more = mode_names},
    {.name = "hierarchy", .kind = AXES, .offset = AT(fallback.hierarchy)},
    {.name = "allow", .kind = WORDS, .offset = AT(fallback.allow)},
    {.name = "deny", .kind = WORDS, .offset = AT(fallback.deny)},
    {.name = "default_speed", .kind = NUMBER, .offset = AT(fallback.default_speed), .high = 300},
    {.name = "speeds", .kind = SCALES, .offset = AT(fallback.speeds), .high = 300},
    {.name = "against_oneway", .kind = FLAG, .offset = AT(fallback.against_oneway)},
};
static const struct field node_fields[] = {
    {.name = "barriers_pass", .kind = WORDS, .offset = AT(nodes.pass)},
    {.name = "barriers_stop", .kind = WORDS, .offset = AT(nodes.stop)},
    {.name = "barriers_by_height", .kind = WORDS, .offset = AT(nodes.by_height)},
    {.name = "pass_if", .kind = CASES, .offset = AT(nodes.pass_if)},
    {.name = "ignore_access", .kind = RULES, .offset = AT(nodes.ignore_access)},
    {.name = "waits_s", .kind = NUMBERS, .offset = AT(nodes.waits), .high = 3600},
};
static const struct field turn_fields[] = {
    {.name = "penalty_s", .kind = NUMBER, .offset = AT(turn.penalty_s), .high = 3600},
    {.name = "bias", .kind = NUMBER, .offset = AT(turn.bias), .low = 0.1, .high = 10},
    {.name = "u_turn_s", .kind = NUMBER, .offset = AT(turn.u_turn_s), .high = 3600},
    {.name = "restricted_s", .kind = NUMBER, .offset = AT(turn.restricted_s), .high = 100000},
    {.name = "obey_restrictions", .kind = FLAG, .offset = AT(turn.obey_restrictions)},
};
static const struct field profile_fields[] = {
    {.name = "name", .kind = TEXT, .offset = AT(name)},
    {.name = "mode", .kind = CHOICE, .offset = AT(mode), .more = mode_names},
    {.name = "weight", .kind = CHOICE, .offset = AT(weight), .more = weight_names},
    {.name = "vehicles", .kind = VEHICLES},
    {.name = "left_hand", .kind = FLAG, .offset = AT(left_hand)},
    {.name = "continue_straight", .kind = FLAG, .offset = AT(continue_straight)},
    {.name = "emergency", .kind = FLAG, .offset = AT(emergency)},
    {.name = "start_modes", .kind = MODES, .offset = AT(start_modes)},
    {.name = "classes", .kind = CLASSES, .offset = AT(classes)},
    {.name = "exclude", .kind = CLASSES, .offset = AT(excludable)},
    {.name = "routable", .kind = RULES, .offset = AT(routable)},
    {.name = "block", .kind = RULES, .offset = AT(block)},
    {.name = "unblock", .kind = RULES, .offset = AT(unblock)},
    {.name = "vehicle", .kind = OBJECT, NESTED(vehicle_fields)},
    {.name = "access", .kind = OBJECT, NESTED(access_fields)},
    {.name = "oneway", .kind = OBJECT, NESTED(oneway_fields)},
    {.name = "restrict", .kind = OBJECT, NESTED(restrict_fields)},
    {.name = "default_speed", .kind = NUMBER, .offset = AT(default_speed), .high = 300},
    {.name = "max_speed", .kind = NUMBER, .offset = AT(max_speed), .high = 300},
    {.name = "speeds", .kind = SCALES, .offset = AT(speeds), .high = 300},
    {.name = "open", .kind = RULES, .offset = AT(open)},
    {.name = "caps", .kind = SCALES, .offset = AT(caps), .high = 300},
    {.name = "route_speeds", .kind = NUMBERS, .offset = AT(route_speeds), .high = 300},
    {.name = "bridge_speeds", .kind = NUMBERS, .offset = AT(bridge_speeds), .high = 300},
    {.name = "maxspeed", .kind = OBJECT, NESTED(maxspeed_fields)},
    {.name = "penalties", .kind = OBJECT, NESTED(penalty_fields)},
    {.name = "fallback", .kind = PRESENT, .offset = AT(fallback.present), NESTED(fallback_fields)},
    {.name = "nodes", .kind = OBJECT, NESTED(node_fields)},
    {.name = "turn", .kind = OBJECT, NESTED(turn_fields)},
};

static enum ht_status fail(struct reader *reader, const char *what)
{
    return ht_error_set(reader->error, HT_INVALID, 0, "%s: \"%s\" %s", reader->origin, reader->path,
                        what);
}

static enum ht_status no_memory(struct reader *reader)
{
    return ht_error_set(reader->error, HT_NOMEM, 0, "%s: out of memory", reader->origin);
}

/* Steps into `key`; the return is for path_leave. */
static size_t path_enter(struct reader *reader, const char *key)
{
    size_t size = strlen(reader->path);
    (void)snprintf(reader->path + size, sizeof reader->path - size, "%s%.60s", size > 0 ? "." : "",
                   key);
    return size;
}

static void path_leave(struct reader *reader, size_t size)
{
    reader->path[size] = '\0';
}

/* The value as text on the arena. */
static enum ht_status read_text(struct reader *reader, yajl_val value, const char **out)
{
    if (!YAJL_IS_STRING(value) || value->u.string[0] == '\0') {
        return fail(reader, "must be a text that is not empty");
    }
    if (strlen(value->u.string) > 255) {
        return fail(reader, "is longer than 255 bytes");
    }
    *out = ht__arena_text(&reader->profile->arena, value->u.string, "");
    return *out != NULL ? HT_OK : no_memory(reader);
}

static enum ht_status intern(struct reader *reader, const char *key, const char *suffix,
                             uint16_t *slot)
{
    struct ht_profile *profile = reader->profile;
    const char *text = ht__arena_text(&profile->arena, key, suffix);
    if (text == NULL) {
        return no_memory(reader);
    }
    const struct ht__entry *entry = ht__table_find(&profile->keys, ht__value(text));
    if (entry != NULL) {
        *slot = (uint16_t)entry->number;
        return HT_OK;
    }
    if (profile->slot_count == HT__SLOT_MAX) {
        return fail(reader, "is one tag key too many: the limit is 256 with their forms");
    }
    *slot = (uint16_t)profile->slot_count;
    if (ht__table_put(&profile->arena, &profile->keys, ht__value(text), *slot) != HT_OK) {
        return no_memory(reader);
    }
    profile->slot_count++;
    return HT_OK;
}

static enum ht_status read_words(struct reader *reader, yajl_val value, struct ht__table *table)
{
    if (!YAJL_IS_ARRAY(value)) {
        return fail(reader, "must be a list of texts");
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        const char *word = NULL;
        enum ht_status status = read_text(reader, value->u.array.values[i], &word);
        if (status != HT_OK) {
            return status;
        }
        if (ht__table_put(&reader->profile->arena, table, ht__value(word), 1.0) != HT_OK) {
            return no_memory(reader);
        }
    }
    return HT_OK;
}

static enum ht_status read_number(struct reader *reader, yajl_val value, const struct field *field,
                                  double *out)
{
    double number = 0.0;
    if (YAJL_IS_INTEGER(value)) {
        number = (double)value->u.number.i;
    } else if (YAJL_IS_DOUBLE(value)) {
        number = value->u.number.d;
    } else {
        return fail(reader, "must be a number");
    }
    if (!isfinite(number) || number < field->low || number > field->high) {
        char text[64];
        (void)snprintf(text, sizeof text, "must lie within %g and %g", field->low, field->high);
        return fail(reader, text);
    }
    *out = number;
    return HT_OK;
}

static enum ht_status read_numbers(struct reader *reader, yajl_val value, const struct field *field,
                                   struct ht__table *table)
{
    if (!YAJL_IS_OBJECT(value)) {
        return fail(reader, "must be an object of numbers");
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        size_t size = path_enter(reader, value->u.object.keys[i]);
        double number = 0.0;
        enum ht_status status = read_number(reader, value->u.object.values[i], field, &number);
        if (status != HT_OK) {
            return status;
        }
        const char *word = ht__arena_text(&reader->profile->arena, value->u.object.keys[i], "");
        if (word == NULL ||
            ht__table_put(&reader->profile->arena, table, ht__value(word), number) != HT_OK) {
            return no_memory(reader);
        }
        path_leave(reader, size);
    }
    return HT_OK;
}

static enum ht_status read_rule(struct reader *reader, yajl_val value, struct ht__rule *rule)
{
    if (YAJL_IS_STRING(value) && strcmp(value->u.string, "*") == 0) {
        rule->any = true;
        return HT_OK;
    }
    if (YAJL_IS_OBJECT(value) && value->u.object.len == 1 &&
        strcmp(value->u.object.keys[0], "not") == 0) {
        rule->except = true;
        value = value->u.object.values[0];
    }
    if (!YAJL_IS_ARRAY(value)) {
        return fail(reader, "must be \"*\", a list of values or {\"not\": list}");
    }
    return read_words(reader, value, &rule->values);
}

/* RULES where `field` is NULL, SCALES otherwise. */
static enum ht_status read_rules(struct reader *reader, yajl_val value, const struct field *field,
                                 struct ht__rules *rules)
{
    if (!YAJL_IS_OBJECT(value)) {
        return fail(reader, "must be an object of tag keys");
    }
    size_t count = value->u.object.len;
    rules->list = ht__arena_new(&reader->profile->arena, (count + 1) * sizeof *rules->list);
    if (rules->list == NULL) {
        return no_memory(reader);
    }
    for (size_t i = 0; i < count; i++) {
        struct ht__rule *rule = &rules->list[i];
        size_t size = path_enter(reader, value->u.object.keys[i]);
        enum ht_status status = intern(reader, value->u.object.keys[i], "", &rule->slot);
        if (status == HT_OK) {
            yajl_val values = value->u.object.values[i];
            status = field == NULL ? read_rule(reader, values, rule)
                                   : read_numbers(reader, values, field, &rule->values);
        }
        if (status != HT_OK) {
            return status;
        }
        rules->count++;
        path_leave(reader, size);
    }
    return HT_OK;
}

static enum ht_status read_cases(struct reader *reader, yajl_val value, struct ht__cases *cases)
{
    if (!YAJL_IS_ARRAY(value) || value->u.array.len > HT__LIST_MAX) {
        return fail(reader, "must be a list of objects");
    }
    size_t count = value->u.array.len;
    cases->list = ht__arena_new(&reader->profile->arena, (count + 1) * sizeof *cases->list);
    if (cases->list == NULL) {
        return no_memory(reader);
    }
    for (size_t i = 0; i < count; i++) {
        enum ht_status status = read_rules(reader, value->u.array.values[i], NULL, &cases->list[i]);
        if (status != HT_OK) {
            return status;
        }
        cases->count++;
    }
    return HT_OK;
}

static enum ht_status read_axis(struct reader *reader, const char *key, struct ht__axis *axis)
{
    enum ht_status status = intern(reader, key, "", &axis->common);
    if (status == HT_OK) {
        status = intern(reader, key, ":forward", &axis->side[0]);
    }
    return status == HT_OK ? intern(reader, key, ":backward", &axis->side[1]) : status;
}

static enum ht_status read_axes(struct reader *reader, yajl_val value, struct ht__axes *axes)
{
    if (!YAJL_IS_ARRAY(value) || value->u.array.len > HT__LIST_MAX) {
        return fail(reader, "must be a list of tag keys");
    }
    size_t count = value->u.array.len;
    axes->list = ht__arena_new(&reader->profile->arena, (count + 1) * sizeof *axes->list);
    if (axes->list == NULL) {
        return no_memory(reader);
    }
    for (size_t i = 0; i < count; i++) {
        const char *key = NULL;
        enum ht_status status = read_text(reader, value->u.array.values[i], &key);
        if (status == HT_OK) {
            status = read_axis(reader, key, &axes->list[i]);
        }
        if (status != HT_OK) {
            return status;
        }
        axes->count++;
    }
    return HT_OK;
}

static enum ht_status read_vehicles(struct reader *reader, yajl_val value)
{
    struct ht_profile *profile = reader->profile;
    if (!YAJL_IS_ARRAY(value) || value->u.array.len == 0 || value->u.array.len > 16) {
        return fail(reader, "must be a list of 1 to 16 vehicle tags");
    }
    size_t count = value->u.array.len;
    profile->vehicles = ht__arena_new(&profile->arena, (count + 1) * sizeof *profile->vehicles);
    profile->oneway.slots = ht__arena_new(&profile->arena, count * sizeof *profile->oneway.slots);
    if (profile->vehicles == NULL || profile->oneway.slots == NULL) {
        return no_memory(reader);
    }
    for (size_t i = 0; i < count; i++) {
        enum ht_status status = read_text(reader, value->u.array.values[i], &profile->vehicles[i]);
        if (status == HT_OK) {
            status = intern(reader, "oneway:", profile->vehicles[i], &profile->oneway.slots[i]);
        }
        if (status != HT_OK) {
            return status;
        }
        profile->oneway.slot_count++;
    }
    return HT_OK;
}

static enum ht_status read_choice(struct reader *reader, yajl_val value, const char *const *choices,
                                  uint32_t *out)
{
    char text[128] = "must be one of:";
    for (uint32_t i = 0; choices[i] != NULL; i++) {
        if (YAJL_IS_STRING(value) && strcmp(value->u.string, choices[i]) == 0) {
            *out = i;
            return HT_OK;
        }
        size_t size = strlen(text);
        (void)snprintf(text + size, sizeof text - size, " %s", choices[i]);
    }
    return fail(reader, text);
}

static enum ht_status read_modes(struct reader *reader, yajl_val value, uint32_t *out)
{
    if (!YAJL_IS_ARRAY(value)) {
        return fail(reader, "must be a list of modes");
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        uint32_t mode = 0;
        enum ht_status status = read_choice(reader, value->u.array.values[i], mode_names, &mode);
        if (status != HT_OK) {
            return status;
        }
        *out |= 1U << mode;
    }
    return HT_OK;
}

static enum ht_status read_classes(struct reader *reader, yajl_val value, uint16_t *out)
{
    static const char *const names[] = {"toll", "motorway", "ferry", "tunnel", "restricted", NULL};
    static const uint16_t bits[] = {HT_ARC_TOLL, HT_ARC_MOTORWAY, HT_ARC_IS_FERRY, HT_ARC_IS_TUNNEL,
                                    HT_ARC_RESTRICTED};
    if (!YAJL_IS_ARRAY(value)) {
        return fail(reader, "must be a list of classes");
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        uint32_t index = 0;
        enum ht_status status = read_choice(reader, value->u.array.values[i], names, &index);
        if (status != HT_OK) {
            return status;
        }
        *out = (uint16_t)(*out | bits[index]);
    }
    return HT_OK;
}

static enum ht_status read_fields(struct reader *reader, yajl_val value, const struct field *fields,
                                  size_t count);

static enum ht_status read_flag(struct reader *reader, yajl_val value, bool *out)
{
    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        return fail(reader, "must be true or false");
    }
    *out = YAJL_IS_TRUE(value);
    return HT_OK;
}

static enum ht_status read_field(struct reader *reader, yajl_val value, const struct field *field)
{
    void *at = (char *)reader->profile + field->offset;
    switch (field->kind) {
    case FLAG:
        return read_flag(reader, value, at);
    case NUMBER:
        return read_number(reader, value, field, at);
    case TEXT:
        return read_text(reader, value, at);
    case CHOICE:
        return read_choice(reader, value, field->more, at);
    case WORDS:
        return read_words(reader, value, at);
    case NUMBERS:
        return read_numbers(reader, value, field, at);
    case RULES:
        return read_rules(reader, value, NULL, at);
    case SCALES:
        return read_rules(reader, value, field, at);
    case CASES:
        return read_cases(reader, value, at);
    case AXES:
        return read_axes(reader, value, at);
    case VEHICLES:
        return read_vehicles(reader, value);
    case CLASSES:
        return read_classes(reader, value, at);
    case MODES:
        return read_modes(reader, value, at);
    case PRESENT:
        *(bool *)at = true;
        return read_fields(reader, value, field->more, field->more_count);
    case OBJECT:
        return read_fields(reader, value, field->more, field->more_count);
    }
    return HT_INVALID;
}

static enum ht_status read_fields(struct reader *reader, yajl_val value, const struct field *fields,
                                  size_t count)
{
    if (!YAJL_IS_OBJECT(value)) {
        return fail(reader, "must be an object");
    }
    uint64_t seen = 0;
    for (size_t i = 0; i < value->u.object.len; i++) {
        const char *key = value->u.object.keys[i];
        size_t size = path_enter(reader, key);
        size_t f = 0;
        while (f < count && strcmp(fields[f].name, key) != 0) {
            f++;
        }
        if (f == count) {
            return fail(reader, "is no key of a profile");
        }
        if ((seen >> f & 1) != 0) {
            return fail(reader, "stands there twice");
        }
        seen |= UINT64_C(1) << f;
        enum ht_status status = read_field(reader, value->u.object.values[i], &fields[f]);
        if (status != HT_OK) {
            return status;
        }
        path_leave(reader, size);
    }
    return HT_OK;
}

/* What holds where the file is silent. */
static enum ht_status set_defaults(struct reader *reader)
{
    struct ht_profile *profile = reader->profile;
    profile->continue_straight = true;
    profile->default_speed = 10.0;
    profile->maxspeed.factor = 1.0;
    profile->penalties.alternating = 1.0;
    profile->penalties.narrow = 1.0;
    profile->penalties.narrow_width_m = -1.0;
    profile->penalties.narrow_lanes = -1.0;
    profile->turn.bias = 1.0;
    profile->turn.obey_restrictions = true;
    static const char *const keys[] = {
#define HT__KEY_TEXT(name, key) key,
        HT__KEY_MAP(HT__KEY_TEXT)
#undef HT__KEY_TEXT
    };
    static_assert(sizeof keys / sizeof keys[0] == HT__SLOT_FIXED, "one text for each slot");
    for (size_t i = 0; i < HT__SLOT_FIXED; i++) {
        uint16_t slot = 0;
        enum ht_status status = intern(reader, keys[i], "", &slot);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static enum ht_status name_axes(struct reader *reader, struct ht__axes *axes,
                                const char *const *keys, size_t count)
{
    axes->list = ht__arena_new(&reader->profile->arena, count * sizeof *axes->list);
    if (axes->list == NULL) {
        return no_memory(reader);
    }
    for (; axes->count < count; axes->count++) {
        enum ht_status status = read_axis(reader, keys[axes->count], &axes->list[axes->count]);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* The tags that limit a vehicle's size, in the order in which one trumps the other. */
static enum ht_status name_limits(struct reader *reader)
{
    static const char *const heights[] = {"maxheight:physical", "maxheight"};
    static const char *const widths[] = {"maxwidth:physical", "maxwidth", "width", "est_width"};
    static const char *const lengths[] = {"maxlength"};
    static const char *const weights[] = {"maxweight"};
    struct ht_profile *profile = reader->profile;
    enum ht_status status = HT_OK;
    if (profile->vehicle.height_m > 0.0) {
        status = name_axes(reader, &profile->vehicle.heights, heights, 2);
    }
    if (status == HT_OK && profile->vehicle.width_m > 0.0) {
        status = name_axes(reader, &profile->vehicle.widths, widths, 4);
    }
    if (status == HT_OK && profile->vehicle.length_m > 0.0) {
        status = name_axes(reader, &profile->vehicle.lengths, lengths, 1);
    }
    if (status == HT_OK && profile->vehicle.weight_kg > 0.0) {
        status = name_axes(reader, &profile->vehicle.weights, weights, 1);
    }
    return status;
}

/* What must be there, and what must fit together. */
static enum ht_status check_whole(struct reader *reader)
{
    struct ht_profile *profile = reader->profile;
    const char *lack = NULL;
    if (profile->name == NULL) {
        lack = "name";
    } else if (profile->mode == HT_MODE_NONE) {
        lack = "mode";
    } else if (profile->vehicles == NULL) {
        lack = "vehicles";
    } else if (profile->speeds.count == 0) {
        lack = "speeds";
    } else if (profile->routable.count == 0) {
        lack = "routable";
    } else if (profile->fallback.present && profile->fallback.mode == HT_MODE_NONE) {
        lack = "fallback.mode";
    } else if (profile->restrict_by.lanes.count > 0 &&
               profile->restrict_by.lane_value.text == NULL) {
        lack = "restrict.lane_value";
    }
    if (lack != NULL) {
        return ht_error_set(reader->error, HT_INVALID, 0, "%s: \"%s\" is missing", reader->origin,
                            lack);
    }
    if (strspn(profile->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
        strlen(profile->name)) {
        return ht_error_set(reader->error, HT_INVALID, 0,
                            "%s: \"name\" may have letters, digits, - and _ only", reader->origin);
    }
    if (profile->nodes.pass.count > 0 && profile->nodes.stop.count > 0) {
        return ht_error_set(reader->error, HT_INVALID, 0,
                            "%s: \"nodes\" has barriers_pass or barriers_stop, not both",
                            reader->origin);
    }
    if ((profile->excludable & ~profile->classes) != 0) {
        return ht_error_set(reader->error, HT_INVALID, 0,
                            "%s: \"exclude\" names a class that \"classes\" lacks", reader->origin);
    }
    if (profile->restrict_by.lane_value.text != NULL) {
        profile->restrict_by.lane_value = ht__value(profile->restrict_by.lane_value.text);
    }
    if (profile->start_modes == 0) {
        profile->start_modes = 1U << profile->mode;
    }
    return name_limits(reader);
}

/* yajl frees its tree by recursion: no file may be nested so deeply that this matters. */
static enum ht_status check_text(const char *json, size_t size, const char *origin,
                                 struct ht_error *error)
{
    if (size > HT__FILE_MAX) {
        return ht_error_set(error, HT_TOO_BIG, 0, "%s: a profile of more than 1 MB", origin);
    }
    if (memchr(json, '\0', size) != NULL) {
        return ht_error_set(error, HT_SYNTAX, 0, "%s: a NUL byte in the text", origin);
    }
    size_t brackets = 0;
    for (size_t i = 0; i < size; i++) {
        brackets += json[i] == '[' || json[i] == '{';
    }
    if (brackets > HT__BRACKET_MAX) {
        return ht_error_set(error, HT_TOO_BIG, 0, "%s: more than %d lists and objects", origin,
                            HT__BRACKET_MAX);
    }
    return HT_OK;
}

static enum ht_status read_tree(const char *json, size_t size, const char *origin, yajl_val *out,
                                struct ht_error *error)
{
    enum ht_status status = check_text(json, size, origin, error);
    if (status != HT_OK) {
        return status;
    }
    char *text = malloc(size + 1);
    if (text == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    memcpy(text, json, size);
    text[size] = '\0';
    char message[192] = "";
    *out = yajl_tree_parse(text, message, sizeof message);
    free(text);
    if (*out == NULL) {
        message[strcspn(message, "\n")] = '\0';
        return ht_error_set(error, HT_SYNTAX, 0, "%s: %s", origin,
                            message[0] != '\0' ? message : "not JSON");
    }
    return HT_OK;
}

enum ht_status ht_profile_parse(const char *json, size_t size, const char *origin,
                                struct ht_profile **out, struct ht_error *error)
{
    *out = NULL;
    yajl_val tree = NULL;
    enum ht_status status = read_tree(json, size, origin, &tree, error);
    if (status != HT_OK) {
        return status;
    }
    struct ht_profile *profile = calloc(1, sizeof *profile);
    if (profile == NULL) {
        yajl_tree_free(tree);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    struct reader reader = {.profile = profile, .origin = origin, .error = error};
    status = set_defaults(&reader);
    if (status == HT_OK) {
        status = read_fields(&reader, tree, profile_fields,
                             sizeof profile_fields / sizeof profile_fields[0]);
    }
    if (status == HT_OK) {
        status = check_whole(&reader);
    }
    yajl_tree_free(tree);
    if (status != HT_OK) {
        ht_profile_free(profile);
        return status;
    }
    *out = profile;
    return HT_OK;
}
