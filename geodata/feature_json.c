/* GeoJSON and NDJSON.
 *
 *   TOP {  type, id, geometry, properties: one Feature
 *          features [ FEATURE { type, id, geometry {type, coordinates}, properties }, ... ]
 *          crs { properties { name } }        }
 *
 * A state for each of these; what is none of them is skipped. Members come in any order, so the top
 * is a Feature until it turns out to be a collection.
 */
#include <string.h>

#include "geodata/feature_internal.h"

#define DEPTH_MAX 64 /* of what is skipped */

enum state {
    START,
    TOP,
    FEATURES,
    FEATURE,
    PROPERTIES,
    GEOMETRY,
    COORDINATES,
    CRS,
    CRS_PROPERTIES,
    SKIP,
};

enum member {
    NO_MEMBER,
    TYPE,
    ID,
    GEOMETRY_MEMBER,
    PROPERTIES_MEMBER,
    FEATURES_MEMBER,
    CRS_MEMBER,
    COORDINATES_MEMBER,
    NAME,
};

struct json {
    struct ht__reader *reader;
    struct ht__sax sax;
    enum state state;
    enum state after;   /* SKIP goes back there */
    size_t skipped;     /* open lists and objects within SKIP */
    enum member member; /* whose value comes next */
    uint32_t seen;      /* members of the feature, a bit each */
    bool within;        /* the feature lies in a collection */
    bool collection;    /* `features` was there */
    bool typed;         /* the feature's type is "Feature" */
    char top_type[24];  /* the top's type */
    char shape[24];     /* the geometry's type */
    bool null_geometry;
    size_t depth; /* of coordinates */
    size_t position_depth;
    double numbers[4]; /* of the position at hand */
    size_t number_count;
    const char *bytes; /* line numbers: what was counted up to `counted` */
    size_t counted;
    int64_t line;
};

static int64_t line_here(struct json *j)
{
    size_t here = yajl_get_bytes_consumed(j->sax.handle);
    while (j->counted < here) {
        const char *end = memchr(j->bytes + j->counted, '\n', here - j->counted);
        if (end == NULL) {
            break;
        }
        j->counted = (size_t)(end - j->bytes) + 1;
        j->line++;
    }
    j->counted = j->counted > here ? j->counted : here;
    return j->line;
}

static void fail(struct json *j, enum ht_status status, const char *what)
{
    ht__reader_fail(j->reader, status, line_here(j), "%s", what);
}

/* Ends the reading: it makes no sense to go on. */
static int give_up(struct json *j, enum ht_status status, const char *what)
{
    ht__reader_problem(j->reader, status, line_here(j), "%s", what);
    j->reader->stopped = true;
    return 0;
}

static void look(struct json *j)
{
    if (j->reader->values.bad.status != HT_OK && j->reader->bad.status == HT_OK) {
        ht__reader_look(j->reader, line_here(j));
    }
}

static void skip(struct json *j)
{
    j->after = j->state;
    j->state = SKIP;
    j->skipped = 1;
}

static void feature_begin(struct json *j)
{
    j->seen = 0;
    j->typed = false;
    j->shape[0] = '\0';
    j->null_geometry = true;
    j->position_depth = 0;
    ht__reader_begin(j->reader, line_here(j));
}

static void copy_word(char word[24], const unsigned char *text, size_t size)
{
    size = size < 23 ? size : 23;
    memcpy(word, text, size);
    word[size] = '\0';
}

/* --- geometries ------------------------------------------------------------------------------- */

static void geometry_done(struct json *j)
{
    static const struct {
        const char *name;
        enum ht_geometry_type type;
    } types[] = {{"Point", HT_GEOMETRY_POINT},
                 {"LineString", HT_GEOMETRY_LINE},
                 {"Polygon", HT_GEOMETRY_POLYGON},
                 {"MultiPolygon", HT_GEOMETRY_MULTIPOLYGON}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(j->shape, types[i].name) == 0) {
            if (j->position_depth == i + 1) {
                j->reader->type = types[i].type;
            } else if (j->position_depth != 0) {
                fail(j, HT_SYNTAX, "the coordinates don't fit the geometry's type");
            } else if (j->null_geometry) {
                fail(j, HT_SYNTAX, "the geometry has no coordinates");
            }
            return;
        }
    }
    fail(j, j->shape[0] == '\0' ? HT_SYNTAX : HT_UNSUPPORTED,
         "a geometry must be a Point, LineString, Polygon or MultiPolygon");
}

static void number_add(struct json *j, const char *text, size_t size)
{
    if (j->number_count == 4 || (j->position_depth != 0 && j->depth != j->position_depth)) {
        fail(j, HT_SYNTAX, "the coordinates are malformed");
    } else if (ht_number_read(text, size, &j->numbers[j->number_count]) != size) {
        fail(j, HT_SYNTAX, "a coordinate is no number");
    } else {
        j->position_depth = j->depth;
        j->number_count++;
    }
}

static void coordinates_open(struct json *j)
{
    if (j->depth == 4 || j->number_count > 0 ||
        (j->position_depth != 0 && j->depth >= j->position_depth)) {
        fail(j, HT_SYNTAX, "the coordinates are malformed");
    }
    j->depth++;
}

/* A list ends: a position, a ring, a polygon, by how far it lies above the positions. */
static void coordinates_close(struct json *j)
{
    struct ht_draft *draft = &j->reader->draft;
    enum ht_status status = HT_OK;
    size_t above = j->position_depth - j->depth;
    if (j->reader->bad.status == HT_OK) {
        if (j->position_depth == 0) {
            status = j->depth > 1 ? HT_SYNTAX : HT_OK; /* [] is nowhere */
        } else if (above == 0) {
            status =
                j->number_count < 2 ? HT_SYNTAX : ht_draft_add(draft, j->numbers[0], j->numbers[1]);
        } else if (above == 1) {
            status = ht_draft_end_ring(draft);
        } else if (above == 2) {
            status = ht_draft_end_polygon(draft);
        }
        if (status != HT_OK) {
            fail(j, status,
                 status == HT_SYNTAX    ? "the coordinates are malformed"
                 : status == HT_TOO_BIG ? "the geometry has too many points"
                                        : ht_status_text(status));
        }
    }
    j->number_count = 0;
    j->depth--;
    if (j->depth == 0) {
        j->null_geometry = false;
        j->state = GEOMETRY;
    }
}

/* --- events ----------------------------------------------------------------------------------- */

/* A value that is neither list nor object, and not what the member should be. */
static int other_value(struct json *j, bool null)
{
    bool member_of_feature = j->state == TOP || j->state == FEATURE;
    if (j->state == START || j->state == FEATURES) {
        return give_up(j, HT_SYNTAX, "a Feature or FeatureCollection must be an object");
    }
    if (j->state == COORDINATES) {
        fail(j, HT_SYNTAX, "a coordinate is no number");
    } else if (j->state == GEOMETRY && j->member == COORDINATES_MEMBER && !null) {
        fail(j, HT_SYNTAX, "the coordinates must be a list");
    } else if (member_of_feature && j->member == FEATURES_MEMBER) {
        return give_up(j, HT_SYNTAX, "\"features\" must be a list");
    } else if (member_of_feature && !null) {
        const char *what = j->member == ID                  ? "the id must be a text or a number"
                           : j->member == TYPE              ? "the type must be a text"
                           : j->member == GEOMETRY_MEMBER   ? "the geometry must be an object"
                           : j->member == PROPERTIES_MEMBER ? "the properties must be an object"
                                                            : NULL;
        if (what != NULL) {
            fail(j, HT_SYNTAX, what);
        }
    }
    return 1;
}

static int on_null(void *user)
{
    struct json *j = user;
    if (j->state == PROPERTIES) {
        ht__values_null(&j->reader->values);
        look(j);
        return 1;
    }
    return other_value(j, true);
}

static int on_bool(void *user, int value)
{
    struct json *j = user;
    if (j->state == PROPERTIES) {
        ht__values_bool(&j->reader->values, value != 0);
        look(j);
        return 1;
    }
    return other_value(j, false);
}

static int on_number(void *user, const char *text, size_t size)
{
    struct json *j = user;
    if (j->state == COORDINATES) {
        number_add(j, text, size);
    } else if (j->state == PROPERTIES) {
        ht__values_number(&j->reader->values, text, size);
        look(j);
    } else if ((j->state == FEATURE || j->state == TOP) && j->member == ID) {
        ht__reader_id(j->reader, text, size);
    } else {
        return other_value(j, false);
    }
    return 1;
}

/* The old way to name a system; axes come as x, y whatever the authority says, as GDAL writes. */
static int read_crs(struct json *j, const char *text, size_t size)
{
    struct ht__reader *r = j->reader;
    if (r->options->crs != NULL) {
        return 1;
    }
    if (j->collection) {
        return give_up(j, HT_SYNTAX, "\"crs\" must come before the features");
    }
    if (ht_crs_parse(text, size, &r->own_crs) != HT_OK) {
        return give_up(j, HT_UNSUPPORTED, "the coordinate system named in \"crs\" is unknown");
    }
    r->own_crs.authority_order = false;
    if (!ht_crs_plain(&r->own_crs) && r->options->work == NULL) {
        return give_up(j, HT_UNSUPPORTED, "only WGS84 is taken here, not what \"crs\" names");
    }
    r->values.crs = &r->own_crs;
    return 1;
}

static int on_text(void *user, const unsigned char *bytes, size_t size)
{
    struct json *j = user;
    const char *text = (const char *)bytes;
    if (j->state == PROPERTIES) {
        ht__values_text(&j->reader->values, text, size);
        look(j);
        return 1;
    }
    if (j->state == CRS_PROPERTIES && j->member == NAME) {
        return read_crs(j, text, size);
    }
    if (j->state == GEOMETRY && j->member == TYPE) {
        copy_word(j->shape, bytes, size);
        return 1;
    }
    if ((j->state == TOP || j->state == FEATURE) && j->member == ID) {
        ht__reader_id(j->reader, text, size);
        return 1;
    }
    if (j->state == TOP && j->member == TYPE) {
        copy_word(j->top_type, bytes, size);
        j->typed = strcmp(j->top_type, "Feature") == 0;
        return 1;
    }
    if (j->state == FEATURE && j->member == TYPE) {
        j->typed = size == 7 && memcmp(text, "Feature", 7) == 0;
        return 1;
    }
    return other_value(j, false);
}

static void enter_properties(struct json *j)
{
    j->within = j->state == FEATURE;
    j->state = PROPERTIES;
    ht__values_begin(&j->reader->values);
}

/* A list or an object is the value of a member of the top or of a feature. */
static int open_member(struct json *j, bool object)
{
    if (object && j->member == PROPERTIES_MEMBER) {
        enter_properties(j);
        return 1;
    }
    if (object && j->member == GEOMETRY_MEMBER) {
        j->within = j->state == FEATURE;
        j->state = GEOMETRY;
        return 1;
    }
    if (object && j->member == CRS_MEMBER) {
        j->state = CRS;
        return 1;
    }
    if (!object && j->member == FEATURES_MEMBER) {
        j->state = FEATURES;
        j->collection = true;
        return 1;
    }
    int go_on = other_value(j, false);
    skip(j);
    return go_on;
}

static int depth_checked(struct json *j)
{
    return j->skipped > DEPTH_MAX || j->depth > DEPTH_MAX || j->reader->values.depth > DEPTH_MAX
               ? give_up(j, HT_TOO_BIG, "nested too deep")
               : 1;
}

static int on_object(void *user)
{
    struct json *j = user;
    switch (j->state) {
    case START:
        j->state = TOP;
        feature_begin(j);
        break;
    case FEATURES:
        j->state = FEATURE;
        feature_begin(j);
        break;
    case TOP:
    case FEATURE:
        return open_member(j, true);
    case PROPERTIES:
        ht__values_open(&j->reader->values, true);
        look(j);
        break;
    case CRS:
        if (j->member == PROPERTIES_MEMBER) {
            j->state = CRS_PROPERTIES;
        } else {
            skip(j);
        }
        break;
    case GEOMETRY:
    case COORDINATES:
        (void)other_value(j, false);
        skip(j);
        break;
    case CRS_PROPERTIES:
        skip(j);
        break;
    case SKIP:
        j->skipped++;
        break;
    }
    return depth_checked(j);
}

static int on_list(void *user)
{
    struct json *j = user;
    switch (j->state) {
    case START:
    case FEATURES:
        return other_value(j, false);
    case TOP:
    case FEATURE:
        return open_member(j, false);
    case PROPERTIES:
        ht__values_open(&j->reader->values, false);
        look(j);
        break;
    case GEOMETRY:
        if (j->member == COORDINATES_MEMBER) {
            j->state = COORDINATES;
            j->depth = 1;
            j->number_count = 0;
        } else {
            skip(j);
        }
        break;
    case COORDINATES:
        coordinates_open(j);
        break;
    case CRS:
    case CRS_PROPERTIES:
        skip(j);
        break;
    case SKIP:
        j->skipped++;
        break;
    }
    return depth_checked(j);
}

static void close_value(struct json *j)
{
    ht__values_close(&j->reader->values);
    look(j);
    if (j->reader->values.depth == 0) {
        j->state = j->within ? FEATURE : TOP;
    }
}

static void close_skipped(struct json *j)
{
    j->skipped--;
    if (j->skipped == 0) {
        j->state = j->after;
    }
}

static int feature_done(struct json *j)
{
    if (!j->typed) {
        fail(j, HT_SYNTAX, "the type must be \"Feature\"");
    }
    ht__reader_emit(j->reader);
    return j->reader->stopped ? 0 : 1;
}

static int top_done(struct json *j)
{
    bool said = strcmp(j->top_type, "FeatureCollection") == 0;
    if (j->collection && said) {
        return 1;
    }
    if (!j->collection && j->typed) {
        return feature_done(j);
    }
    ht__reader_problem(j->reader, HT_SYNTAX, line_here(j), "%s",
                       said            ? "a FeatureCollection needs \"features\""
                       : j->collection ? "the type must be \"FeatureCollection\""
                                       : "the type must be \"Feature\" or \"FeatureCollection\"");
    return j->reader->stopped ? 0 : 1;
}

static int on_object_end(void *user)
{
    struct json *j = user;
    switch (j->state) {
    case TOP:
        j->state = START;
        return top_done(j);
    case FEATURE:
        j->state = FEATURES;
        return feature_done(j);
    case PROPERTIES:
        close_value(j);
        break;
    case GEOMETRY:
        geometry_done(j);
        j->state = j->within ? FEATURE : TOP;
        break;
    case CRS:
        j->state = TOP;
        break;
    case CRS_PROPERTIES:
        j->state = CRS;
        break;
    case SKIP:
        close_skipped(j);
        break;
    case START:
    case FEATURES:
    case COORDINATES:
        break; /* yajl sees to it that brackets match */
    }
    return 1;
}

static int on_list_end(void *user)
{
    struct json *j = user;
    if (j->state == PROPERTIES) {
        close_value(j);
    } else if (j->state == COORDINATES) {
        coordinates_close(j);
    } else if (j->state == FEATURES) {
        j->state = TOP;
    } else {
        close_skipped(j);
    }
    return 1;
}

static enum member member_of(const struct json *j, const char *text, size_t size)
{
    static const struct {
        const char *name;
        enum member member;
        uint32_t states;
    } members[] = {
        {"type", TYPE, 1 << TOP | 1 << FEATURE | 1 << GEOMETRY},
        {"id", ID, 1 << TOP | 1 << FEATURE},
        {"geometry", GEOMETRY_MEMBER, 1 << TOP | 1 << FEATURE},
        {"properties", PROPERTIES_MEMBER, 1 << TOP | 1 << FEATURE | 1 << CRS},
        {"coordinates", COORDINATES_MEMBER, 1 << GEOMETRY},
        {"features", FEATURES_MEMBER, 1 << TOP},
        {"crs", CRS_MEMBER, 1 << TOP},
        {"name", NAME, 1 << CRS_PROPERTIES},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if ((members[i].states >> j->state & 1) != 0 && strlen(members[i].name) == size &&
            memcmp(members[i].name, text, size) == 0) {
            return members[i].member;
        }
    }
    return NO_MEMBER;
}

static int on_key(void *user, const unsigned char *bytes, size_t size)
{
    struct json *j = user;
    const char *text = (const char *)bytes;
    if (j->state == PROPERTIES) {
        ht__values_key(&j->reader->values, text, size);
        look(j);
        return 1;
    }
    if (j->state == SKIP) {
        return 1;
    }
    j->member = member_of(j, text, size);
    bool once = j->state == TOP || j->state == FEATURE || j->member == COORDINATES_MEMBER;
    if (once && j->member != NO_MEMBER) {
        if (j->member == FEATURES_MEMBER && j->collection) {
            return give_up(j, HT_SYNTAX, "\"features\" is there twice");
        }
        if ((j->seen >> j->member & 1) != 0) {
            fail(j, HT_SYNTAX, "a member of the feature is there twice");
        }
        j->seen |= 1U << j->member;
    }
    return 1;
}

/* --- texts ------------------------------------------------------------------------------------ */

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_text,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_list,
    .yajl_end_array = on_list_end,
};

/* One text of JSON; returns the line at its end. */
static int64_t read_text(struct ht__reader *reader, const char *bytes, size_t size, int64_t line)
{
    struct json j = {.reader = reader, .bytes = bytes, .line = line};
    j.sax.callbacks = &callbacks;
    j.sax.user = &j;
    enum ht_status status = ht__sax_parse(&j.sax, bytes, size);
    size_t end = j.sax.consumed < size ? j.sax.consumed : size;
    for (size_t i = j.counted; i < end; i++) {
        j.line += bytes[i] == '\n';
    }
    if (status == HT_SYNTAX) {
        ht__reader_problem(reader, status, j.line, "%s", j.sax.message);
    } else if (status == HT_NOMEM) {
        ht__reader_problem(reader, status, j.line, "%s", ht_status_text(status));
    }
    return j.line;
}

void ht__read_geojson(struct ht__reader *reader, const char *bytes, size_t size)
{
    (void)read_text(reader, bytes, size, 1);
}

static bool is_blank(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at != ' ' && *at != '\t' && *at != '\r' && *at != '\n') {
            return false;
        }
    }
    return true;
}

void ht__read_ndjson(struct ht__reader *reader, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    char separator = memchr(bytes, 0x1e, size < 1024 ? size : 1024) != NULL ? 0x1e : '\n';
    int64_t line = 1;
    for (const char *at = bytes; at < end && !reader->stopped;) {
        const char *stop = memchr(at, separator, (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        if (!is_blank(at, stop)) {
            (void)read_text(reader, at, (size_t)(stop - at), line);
        }
        for (; at < stop; at++) {
            line += *at == '\n';
        }
        line += stop < end && separator == '\n';
        at = stop < end ? stop + 1 : end;
    }
}
