#include "api/osrm_body.h"

#include <string.h>

#include "api/json_fault.h"
#include "api/json_merge.h"

/* What a member may be. */
enum kind {
    FLAG,    /* true, false */
    WORD,    /* one of `words` */
    LIST,    /* numbers, words or null */
    INDICES, /* numbers from 0 on */
    NAMES,   /* words, joined by commas; where they are `words`: or true or false */
    PAIRS,   /* [bearing, range] or null */
    NUMBER,
    TEXT, /* handed on */
};

enum {
    ROUTE = 1 << HT_OSRM_ROUTE,
    TABLE = 1 << HT_OSRM_TABLE,
    MATCH = 1 << HT_OSRM_MATCH,
    PATHS = ROUTE | MATCH,
    EVERY = PATHS | TABLE,
};

static const struct member {
    const char *name;
    unsigned services;
    enum kind kind;
    const char *words; /* with a space around each; of LIST: beside numbers */
    const char *wrong; /* what is said of a value of another type */
} members[] = {
    {"bearings", EVERY, PAIRS, NULL, "bearings must be an array"},
    {"radiuses", EVERY, LIST, " unlimited ", "radiuses must be an array"},
    {"hints", EVERY, LIST, NULL, "hints must be an array"},
    {"approaches", EVERY, LIST, " curb opposite unrestricted ", "approaches must be an array"},
    {"exclude", EVERY, NAMES, NULL, "exclude must be an array of strings"},
    {"generate_hints", EVERY, FLAG, NULL, "generate_hints must be a boolean"},
    {"skip_waypoints", EVERY, FLAG, NULL, "skip_waypoints must be a boolean"},
    {"snapping", EVERY, WORD, " default any ", "snapping must be a string"},
    {"format", EVERY, WORD, " json ", "format must be a string"},
    {"crs", EVERY, TEXT, NULL, "crs must be a string"},
    {"out_crs", EVERY, TEXT, NULL, "out_crs must be a string"},
    {"depart", ROUTE | TABLE, TEXT, NULL, "depart must be a string"},
    {"avoid", EVERY, TEXT, NULL, "avoid must be a string or a GeoJSON object"},
    {"steps", PATHS, FLAG, NULL, "steps must be a boolean"},
    {"alternatives", ROUTE, NUMBER, " true false ",
     "alternatives must be a boolean or a non-negative integer"},
    {"geometries", PATHS, WORD, " polyline polyline6 geojson ", "geometries must be a string"},
    {"overview", PATHS, WORD, " simplified full false ", "overview must be a string"},
    {"continue_straight", ROUTE, WORD, " default true false ",
     "continue_straight must be a boolean or \"default\""},
    {"annotations", PATHS, NAMES, " duration nodes distance weight datasources speed ",
     "annotations must be a boolean or an array of strings"},
    {"waypoints", PATHS, INDICES, NULL, "waypoints must be an array of non-negative integers"},
    {"annotations", TABLE, NAMES, " duration distance ",
     "annotations must be a boolean or an array of strings"},
    {"sources", TABLE, INDICES, NULL, "sources must be an array of non-negative integers"},
    {"destinations", TABLE, INDICES, NULL,
     "destinations must be an array of non-negative integers"},
    {"fallback_speed", TABLE, NUMBER, NULL, "fallback_speed must be a number"},
    {"fallback_coordinate", TABLE, WORD, " input snapped ", "fallback_coordinate must be a string"},
    {"scale_factor", TABLE, NUMBER, NULL, "scale_factor must be a number"},
    {"timestamps", MATCH, INDICES, NULL, "timestamps must be an array of integers"},
    {"gaps", MATCH, WORD, " split ignore ", "gaps must be a string"},
    {"tidy", MATCH, FLAG, NULL, "tidy must be a boolean"},
};

struct writer {
    struct ht_text *out;
    struct ht_reply *reply;
};

static bool wrong(const struct writer *w, const char *text)
{
    ht_osrm_error(w->reply, "InvalidQuery", "%s", text);
    return false;
}

static bool wrong_value(const struct writer *w, const struct member *member)
{
    ht_osrm_error(w->reply, "InvalidQuery", "invalid %s value", member->name);
    return false;
}

/* Whether all of a text are characters that end no option. */
static bool is_plain(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
            !(*text >= '0' && *text <= '9') && strchr(others, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static bool among(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; size > 0 && (at = strstr(at, word)) != NULL; at++) {
        if (at[-1] == ' ' && at[size] == ' ') {
            return true;
        }
    }
    return false;
}

/* true and false as words, NULL for what is neither. */
static const char *flag_word(yajl_val value)
{
    return YAJL_IS_TRUE(value) ? "true" : YAJL_IS_FALSE(value) ? "false" : NULL;
}

/* As it was written, but where the URL's grammar of coordinates knows no exponent. */
static void put_number(const struct writer *w, yajl_val value)
{
    const char *text = YAJL_GET_NUMBER(value);
    if (strpbrk(text, "eE") == NULL) {
        ht_text_add_string(w->out, text);
    } else {
        double number = 0;
        (void)ht_number_read(text, strlen(text), &number);
        if (!(fabs(number) < 1e15)) {
            number = number > 0 ? 1e15 : -1e15; /* beyond whatever is asked for */
        }
        ht_text_addf(w->out, "%.9f", number);
    }
}

static bool put_coordinates(const struct writer *w, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);
    if (text != NULL) {
        size_t size = strlen(text);
        const char *open = strchr(text, '(');
        size_t name = open == NULL ? 0 : (size_t)(open - text);
        bool polyline = (name == 8 && strncmp(text, "polyline", 8) == 0) ||
                        (name == 9 && strncmp(text, "polyline6", 9) == 0);
        for (size_t i = name + 1; polyline && i + 1 < size; i++) {
            polyline = text[i] >= '?' && text[i] <= '~';
        }
        if (!polyline || size < name + 3 || text[size - 1] != ')') {
            return wrong(w,
                         "coordinates string must be of the form polyline(...) or polyline6(...)");
        }
        ht_text_add(w->out, text, size);
        return true;
    }
    if (!YAJL_IS_ARRAY(value)) {
        return wrong(w, "coordinates must be an array of [longitude, latitude] pairs");
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        yajl_val pair = value->u.array.values[i];
        if (!YAJL_IS_ARRAY(pair) || pair->u.array.len != 2 ||
            !YAJL_IS_NUMBER(pair->u.array.values[0]) || !YAJL_IS_NUMBER(pair->u.array.values[1])) {
            return wrong(w,
                         "each coordinate must be an array of two numbers [longitude, latitude]");
        }
        ht_text_add_string(w->out, i == 0 ? "" : ";");
        put_number(w, pair->u.array.values[0]);
        ht_text_add_char(w->out, ',');
        put_number(w, pair->u.array.values[1]);
    }
    return true;
}

static bool put_bearing(const struct writer *w, yajl_val value)
{
    if (YAJL_IS_NULL(value)) {
        return true;
    }
    if (!YAJL_IS_ARRAY(value) || value->u.array.len != 2 ||
        !YAJL_IS_INTEGER(value->u.array.values[0]) || !YAJL_IS_INTEGER(value->u.array.values[1])) {
        return wrong(w, "each bearing must be null or an array of two integers");
    }
    long long bearing = YAJL_GET_INTEGER(value->u.array.values[0]);
    long long range = YAJL_GET_INTEGER(value->u.array.values[1]);
    if (bearing != (int16_t)bearing || range != (int16_t)range) {
        return wrong(w, "each bearing value must fit in a 16-bit integer");
    }
    ht_text_addf(w->out, "%lld,%lld", bearing, range);
    return true;
}

static bool put_element(const struct writer *w, const struct member *member, yajl_val value)
{
    const char *word = YAJL_GET_STRING(value);
    if (member->kind == PAIRS) {
        return put_bearing(w, value);
    }
    if (member->kind == INDICES) {
        if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
            YAJL_GET_INTEGER(value) > UINT32_MAX) {
            return wrong(w, member->wrong);
        }
        ht_text_addf(w->out, "%lld", YAJL_GET_INTEGER(value));
        return true;
    }
    if (member->kind == LIST && YAJL_IS_NULL(value)) {
        return true;
    }
    bool radius = member->kind == LIST && strcmp(member->name, "radiuses") == 0;
    if (radius && YAJL_IS_NUMBER(value)) {
        put_number(w, value);
        return true;
    }
    if (word == NULL || word[0] == '\0' ||
        (member->words == NULL ? !is_plain(word, member->kind == NAMES ? "" : "-_=")
                               : !among(member->words, word))) {
        return wrong_value(w, member);
    }
    ht_text_add_string(w->out, word);
    return true;
}

static bool put_array(const struct writer *w, const struct member *member, yajl_val value)
{
    const char *flag = flag_word(value);
    if (member->kind == NAMES && flag != NULL && member->words != NULL) {
        bool table = strstr(member->words, "nodes") == NULL; /* whose URL has no word for all */
        ht_text_add_string(w->out, table ? "duration,distance" : flag);
        return !table || flag[0] == 't' || wrong_value(w, member);
    }
    if (!YAJL_IS_ARRAY(value)) {
        return wrong(w, member->wrong);
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        if (i > 0) {
            ht_text_add_char(w->out, member->kind == NAMES ? ',' : ';');
        }
        if (!put_element(w, member, value->u.array.values[i])) {
            return false;
        }
    }
    return true;
}

static bool put_text(const struct writer *w, const struct member *member, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);
    size_t before = w->out->size;
    if (strcmp(member->name, "avoid") == 0 && (text != NULL || YAJL_IS_OBJECT(value))) {
        if (text != NULL) {
            ht_text_add_string(w->out, text);
        } else {
            ht_json_tree_write(w->out, value);
        }
        return w->out->failed || strchr(w->out->data + before, '&') == NULL ||
               wrong_value(w, member);
    }
    if (text == NULL) {
        return wrong(w, member->wrong);
    }
    if (text[0] == '\0' || !is_plain(text, strcmp(member->name, "depart") == 0 ? ":.+-" : ":._-")) {
        return wrong_value(w, member);
    }
    ht_text_add_string(w->out, text);
    return true;
}

static bool put_value(const struct writer *w, const struct member *member, yajl_val value)
{
    const char *flag = flag_word(value);
    const char *word = flag != NULL ? flag : YAJL_GET_STRING(value);
    switch (member->kind) {
    case FLAG:
        ht_text_add_string(w->out, flag == NULL ? "" : flag);
        return flag != NULL || wrong(w, member->wrong);
    case WORD:
        if (word == NULL) {
            return wrong(w, member->wrong);
        }
        ht_text_add_string(w->out, word);
        return among(member->words, word) || wrong_value(w, member);
    case NUMBER:
        if (flag != NULL && member->words != NULL) {
            ht_text_add_string(w->out, flag);
            return true;
        }
        if (!YAJL_IS_NUMBER(value) ||
            (member->words != NULL && (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0))) {
            return wrong(w, member->wrong);
        }
        put_number(w, value);
        return true;
    case TEXT:
        return put_text(w, member, value);
    case LIST:
    case INDICES:
    case NAMES:
    case PAIRS:
        break;
    }
    return put_array(w, member, value);
}

/* An empty array is an option that was not given. */
static bool is_empty(yajl_val value)
{
    return YAJL_IS_ARRAY(value) && value->u.array.len == 0;
}

static bool is_json(const struct writer *w, const struct member *member, yajl_val value)
{
    const char *word = YAJL_GET_STRING(value);
    if (word == NULL) {
        return wrong(w, member->wrong);
    }
    if (strcmp(word, "flatbuffers") == 0) {
        ht_osrm_error(w->reply, "InvalidOptions", "Format flatbuffers is not supported, use json.");
        return false;
    }
    return strcmp(word, "json") == 0 || wrong_value(w, member);
}

static bool put_member(const struct writer *w, enum ht_osrm_service service, const char *name,
                       yajl_val value)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct member *member = &members[i];
        if ((member->services >> service & 1) == 0 || strcmp(member->name, name) != 0) {
            continue;
        }
        if (is_empty(value)) {
            return true;
        }
        if (strcmp(name, "format") == 0) { /* no option in a URL */
            return is_json(w, member, value);
        }
        ht_text_addf(w->out, "&%s=", name);
        return put_value(w, member, value);
    }
    ht_osrm_error(w->reply, "InvalidQuery", "unknown member: %.60s", name);
    return false;
}

static bool put_document(const struct writer *w, enum ht_osrm_service service, yajl_val tree)
{
    if (!YAJL_IS_OBJECT(tree)) {
        return wrong(w, "request body must be a JSON object");
    }
    yajl_val coordinates = ht_json_member(tree, "coordinates");
    if (coordinates == NULL) {
        return wrong(w, "missing required member: coordinates");
    }
    if (!put_coordinates(w, coordinates)) {
        return false;
    }
    if (is_empty(coordinates)) {
        ht_osrm_error(w->reply, "InvalidOptions",
                      "Number of coordinates needs to be at least two.");
        return false;
    }
    size_t begin = w->out->size;
    for (size_t i = 0; i < tree->u.object.len; i++) {
        const char *name = tree->u.object.keys[i];
        if (strcmp(name, "coordinates") != 0 &&
            !put_member(w, service, name, tree->u.object.values[i])) {
            return false;
        }
    }
    if (w->out->size > begin && !w->out->failed) {
        w->out->data[begin] = '?';
    }
    return true;
}

bool ht_osrm_body_is_json(const char *body, size_t size)
{
    size_t at = 0;
    while (at < size && strchr(" \t\r\n", body[at]) != NULL && body[at] != '\0') {
        at++;
    }
    return at < size && (body[at] == '{' || body[at] == '[');
}

bool ht_osrm_body_write(enum ht_osrm_service service, const char *body, size_t size,
                        struct ht_text *out, struct ht_reply *reply)
{
    const struct writer w = {out, reply};
    const char *words = "nested too deep";
    size_t offset = 0;
    if ((EVERY >> service & 1) == 0) {
        ht_osrm_error(reply, "NotImplemented",
                      "This service does not support POST requests with a JSON body.");
        return false;
    }
    yajl_val tree = ht_json_tree_read(body, size);
    if (tree == NULL) {
        enum ht_status status = ht_json_fault(body, size, &words, &offset);
        ht_osrm_error(reply, "InvalidQuery", "invalid JSON: %s",
                      status == HT_INVALID          ? words
                      : ht_json_has_nul(body, size) ? "a text holds the character NUL"
                                                    : "nested too deep");
        return false;
    }
    bool good = put_document(&w, service, tree);
    yajl_tree_free(tree);
    return good;
}
