#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/osm_internal.h"
#include "geodata/osm_unpack.h"

/* Expat is fed this much at a time. */
enum { CHUNK = 256 * 1024 };
/* A block is handed over at either. */
enum { BLOCK_ENTITIES = 8000, BLOCK_TEXT = 4 * 1024 * 1024 };
/* No way has more than 2,000 nodes and no relation more than 32,000 members in OSM; and one tag may
 * not hold the parser's memory for ever. */
enum { ENTITY_ITEMS_MAX = 1 << 22, TOKEN_MAX = 8 * 1024 * 1024 };
enum { TEXT_PIECE = 64 * 1024 };

/* Strings of a block. Pieces never move, so tags may point into them. */
struct text_piece {
    struct text_piece *next;
    size_t used;
    size_t size;
    char bytes[];
};

enum entity { ENTITY_NONE, ENTITY_NODE, ENTITY_WAY, ENTITY_RELATION };

struct reader {
    XML_Parser parser;
    const struct ht_osm_handler *handler;
    struct ht_error *error;
    enum ht_status status;
    struct ht__osm_builder builder;
    struct text_piece *text;
    size_t text_size;
    size_t block_index;
    unsigned depth;
    bool saw_root;
    enum entity entity; /* the one that is open */
    bool dropped;       /* it is not wanted or deleted */
    size_t items;       /* tags, nodes, members of it so far */
    size_t located;     /* nodes of the open way with a location */
    struct ht_osm_node node;
    struct ht_osm_way way;
    struct ht_osm_relation relation;
};

static void fail(struct reader *reader, enum ht_status status, const char *what)
{
    if (reader->status != HT_OK) {
        return;
    }
    int64_t line = (int64_t)XML_GetCurrentLineNumber(reader->parser);
    reader->status = what == NULL ? ht_error_set(reader->error, status, line, NULL)
                                  : ht_error_set(reader->error, status, line, "line %lld: %s",
                                                 (long long)line, what);
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static void free_text(struct reader *reader)
{
    while (reader->text != NULL) {
        struct text_piece *next = reader->text->next;
        free(reader->text);
        reader->text = next;
    }
    reader->text_size = 0;
}

static const char *keep_text(struct reader *reader, const char *text)
{
    size_t size = strlen(text) + 1;
    struct text_piece *piece = reader->text;
    if (piece == NULL || piece->size - piece->used < size) {
        size_t room = size > TEXT_PIECE ? size : TEXT_PIECE;
        piece = malloc(sizeof *piece + room);
        if (piece == NULL) {
            fail(reader, HT_NOMEM, NULL);
            return NULL;
        }
        piece->next = reader->text;
        piece->used = 0;
        piece->size = room;
        reader->text = piece;
    }
    char *at = piece->bytes + piece->used;
    memcpy(at, text, size);
    piece->used += size;
    reader->text_size += size;
    return at;
}

static void flush(struct reader *reader)
{
    if (reader->status == HT_OK && ht__osm_builder_count(&reader->builder) > 0) {
        struct ht_osm_block block = ht__osm_builder_finish(&reader->builder, reader->block_index++);
        enum ht_status status = reader->handler->block(reader->handler->user, &block, 0);
        if (status != HT_OK) {
            reader->status = status;
            (void)XML_StopParser(reader->parser, XML_FALSE);
        }
    }
    ht__osm_builder_clear(&reader->builder);
    free_text(reader);
}

static bool parse_id(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    const char *at = text + (negative || *text == '+' ? 1 : 0);
    int64_t value = 0;
    if (*at == '\0') {
        return false;
    }
    for (; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value)) {
            return false;
        }
    }
    *out = negative ? -value : value;
    return true;
}

/* mantissa * 10^power, rounded half away from zero; what does not fit becomes INT32_MAX, which is
 * nowhere. */
static int32_t scale_decimal(int64_t mantissa, int power)
{
    int64_t value = mantissa;
    for (; power > 0 && value != 0; power--) {
        if (value > INT32_MAX) {
            return INT32_MAX;
        }
        value *= 10;
    }
    int64_t digit = 0;
    for (; power < 0 && (value != 0 || digit != 0); power++) {
        digit = value % 10;
        value /= 10;
    }
    value += digit >= 5 ? 1 : 0;
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* Decimal degrees to e7, exactly and without the locale: "29.95", "-4.8e-05". */
static bool parse_degrees(const char *text, int32_t *out)
{
    bool negative = *text == '-';
    const char *at = text + (negative || *text == '+' ? 1 : 0);
    int64_t mantissa = 0;
    int power = 7;
    bool digits = false;
    bool fraction = false;
    for (;; at++) {
        if (*at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*at < '0' || *at > '9') {
            break;
        }
        digits = true;
        if (mantissa < INT64_MAX / 20) {
            mantissa = mantissa * 10 + (*at - '0');
            power -= fraction ? 1 : 0;
        } else if (!fraction) {
            power++;
        }
    }
    if (digits && (*at == 'e' || *at == 'E')) {
        int64_t exponent = 0;
        if (!parse_id(at + 1, &exponent) || exponent < -400 || exponent > 400) {
            return false;
        }
        power += (int)exponent;
    } else if (!digits || *at != '\0') {
        return false;
    }
    int32_t value = scale_decimal(mantissa, power);
    *out = negative ? -value : value;
    return true;
}

struct attributes {
    const char *id; /* or ref */
    const char *lat;
    const char *lon;
    const char *type;
    const char *role;
    const char *key;
    const char *value;
    bool deleted;
};

static void read_attributes(const char **list, struct attributes *out)
{
    *out = (struct attributes){0};
    for (; list[0] != NULL; list += 2) {
        const char *name = list[0];
        const char *value = list[1];
        if (strcmp(name, "id") == 0 || strcmp(name, "ref") == 0) {
            out->id = value;
        } else if (strcmp(name, "lat") == 0) {
            out->lat = value;
        } else if (strcmp(name, "lon") == 0) {
            out->lon = value;
        } else if (strcmp(name, "k") == 0) {
            out->key = value;
        } else if (strcmp(name, "v") == 0) {
            out->value = value;
        } else if (strcmp(name, "type") == 0) {
            out->type = value;
        } else if (strcmp(name, "role") == 0) {
            out->role = value;
        } else if (strcmp(name, "visible") == 0) {
            out->deleted = out->deleted || strcmp(value, "false") == 0;
        } else if (strcmp(name, "action") == 0) {
            out->deleted = out->deleted || strcmp(value, "delete") == 0;
        }
    }
}

/* A point without a location (a deleted one, or out of a broken extract) is nowhere on Earth. */
static bool read_point(struct reader *reader, const struct attributes *attributes,
                       struct ht_point *out)
{
    *out = (struct ht_point){.lon_e7 = INT32_MAX, .lat_e7 = INT32_MAX};
    if (attributes->lat == NULL || attributes->lon == NULL) {
        return false;
    }
    if (!parse_degrees(attributes->lat, &out->lat_e7) ||
        !parse_degrees(attributes->lon, &out->lon_e7)) {
        fail(reader, HT_SYNTAX, "lat and lon must be numbers");
        return false;
    }
    return true;
}

static void begin_entity(struct reader *reader, enum entity entity,
                         const struct attributes *attributes)
{
    const struct ht_osm_handler *handler = reader->handler;
    bool wanted = entity == ENTITY_NODE  ? handler->nodes
                  : entity == ENTITY_WAY ? handler->ways
                                         : handler->relations;
    reader->entity = entity;
    reader->dropped = !wanted || attributes->deleted;
    reader->items = 0;
    reader->located = 0;
    if (reader->dropped) {
        return;
    }
    int64_t id = 0;
    if (attributes->id == NULL || !parse_id(attributes->id, &id)) {
        fail(reader, HT_SYNTAX, "an id must be a whole number");
        return;
    }
    reader->node = (struct ht_osm_node){.id = id};
    reader->way = (struct ht_osm_way){.id = id};
    reader->relation = (struct ht_osm_relation){.id = id};
    if (entity == ENTITY_NODE) {
        (void)read_point(reader, attributes, &reader->node.point);
    }
}

static void add_tag(struct reader *reader, const struct attributes *attributes)
{
    if (attributes->key == NULL || attributes->value == NULL) {
        fail(reader, HT_SYNTAX, "a tag needs k and v");
        return;
    }
    enum ht__osm_kind kind = reader->entity == ENTITY_NODE  ? HT__OSM_NODES
                             : reader->entity == ENTITY_WAY ? HT__OSM_WAYS
                                                            : HT__OSM_RELATIONS;
    struct ht_osm_tags *tags = reader->entity == ENTITY_NODE  ? &reader->node.tags
                               : reader->entity == ENTITY_WAY ? &reader->way.tags
                                                              : &reader->relation.tags;
    struct ht_osm_tag tag = {.key = keep_text(reader, attributes->key),
                             .value = keep_text(reader, attributes->value)};
    if (ht__osm_reserve_tags(&reader->builder, kind, 1) != HT_OK) {
        fail(reader, HT_NOMEM, NULL);
    }
    if (reader->status == HT_OK) {
        struct ht__osm_tags *all = &reader->builder.tags[kind];
        all->list[all->count++] = tag;
        tags->count++;
    }
}

static void add_ref(struct reader *reader, const struct attributes *attributes)
{
    int64_t ref = 0;
    if (attributes->id == NULL || !parse_id(attributes->id, &ref)) {
        fail(reader, HT_SYNTAX, "a ref must be a whole number");
        return;
    }
    struct ht__osm_builder *builder = &reader->builder;
    if (ht__osm_reserve_refs(builder, 1, true) != HT_OK) {
        fail(reader, HT_NOMEM, NULL);
        return;
    }
    struct ht_point point;
    reader->located += read_point(reader, attributes, &point) ? 1 : 0;
    builder->points[builder->ref_count] = point;
    builder->refs[builder->ref_count++] = ref;
    reader->way.ref_count++;
}

static void add_member(struct reader *reader, const struct attributes *attributes)
{
    struct ht_osm_member member = {.role = ""};
    if (attributes->id == NULL || !parse_id(attributes->id, &member.ref)) {
        fail(reader, HT_SYNTAX, "a ref must be a whole number");
        return;
    }
    const char *type = attributes->type == NULL ? "" : attributes->type;
    if (strcmp(type, "node") == 0) {
        member.type = HT_OSM_NODE;
    } else if (strcmp(type, "way") == 0) {
        member.type = HT_OSM_WAY;
    } else if (strcmp(type, "relation") == 0) {
        member.type = HT_OSM_RELATION;
    } else {
        fail(reader, HT_SYNTAX, "a member's type must be node, way or relation");
        return;
    }
    if (attributes->role != NULL) {
        member.role = keep_text(reader, attributes->role);
    }
    struct ht__osm_builder *builder = &reader->builder;
    if (ht__osm_reserve_members(builder, 1) != HT_OK) {
        fail(reader, HT_NOMEM, NULL);
    }
    if (reader->status == HT_OK) {
        builder->members[builder->member_count++] = member;
        reader->relation.member_count++;
    }
}

static void begin_root(struct reader *reader, const char *name)
{
    reader->saw_root = true;
    if (strcmp(name, "osmChange") == 0) {
        fail(reader, HT_UNSUPPORTED, "this is a change file (.osc), not a map");
    } else if (strcmp(name, "osm") != 0) {
        fail(reader, HT_FOREIGN, "this XML is not OSM: its root is not <osm>");
    }
}

static void XMLCALL on_start(void *user, const char *name, const char **list)
{
    struct reader *reader = user;
    if (reader->status != HT_OK) {
        return;
    }
    reader->depth++;
    if (reader->depth == 1) {
        begin_root(reader, name);
        return;
    }
    struct attributes attributes;
    if (reader->depth == 2) {
        enum entity entity = strcmp(name, "node") == 0       ? ENTITY_NODE
                             : strcmp(name, "way") == 0      ? ENTITY_WAY
                             : strcmp(name, "relation") == 0 ? ENTITY_RELATION
                                                             : ENTITY_NONE;
        if (entity != ENTITY_NONE) {
            read_attributes(list, &attributes);
            begin_entity(reader, entity, &attributes);
        }
        return;
    }
    if (reader->depth != 3 || reader->entity == ENTITY_NONE || reader->dropped) {
        return;
    }
    if (++reader->items > ENTITY_ITEMS_MAX) {
        fail(reader, HT_TOO_BIG, "one entity has too many parts");
        return;
    }
    read_attributes(list, &attributes);
    if (strcmp(name, "tag") == 0) {
        add_tag(reader, &attributes);
    } else if (strcmp(name, "nd") == 0 && reader->entity == ENTITY_WAY) {
        add_ref(reader, &attributes);
    } else if (strcmp(name, "member") == 0 && reader->entity == ENTITY_RELATION) {
        add_member(reader, &attributes);
    }
}

static enum ht_status append_entity(struct reader *reader)
{
    struct ht__osm_builder *builder = &reader->builder;
    enum ht_status status = HT_OK;
    switch (reader->entity) {
    case ENTITY_NODE:
        status = ht__osm_reserve_nodes(builder, 1);
        if (status == HT_OK) {
            builder->nodes[builder->node_count++] = reader->node;
        }
        break;
    case ENTITY_WAY:
        if (reader->located > 0 && reader->located == reader->way.ref_count) {
            reader->way.points = &ht__osm_has_points;
        }
        status = ht__osm_reserve_ways(builder, 1);
        if (status == HT_OK) {
            builder->ways[builder->way_count++] = reader->way;
        }
        break;
    case ENTITY_RELATION:
        status = ht__osm_reserve_relations(builder, 1);
        if (status == HT_OK) {
            builder->relations[builder->relation_count++] = reader->relation;
        }
        break;
    case ENTITY_NONE:
        break;
    }
    return status;
}

static void XMLCALL on_end(void *user, const char *name)
{
    struct reader *reader = user;
    (void)name;
    if (reader->status != HT_OK) {
        return;
    }
    if (reader->depth == 2 && reader->entity != ENTITY_NONE) {
        if (!reader->dropped && append_entity(reader) != HT_OK) {
            fail(reader, HT_NOMEM, NULL);
        }
        reader->entity = ENTITY_NONE;
        if (ht__osm_builder_count(&reader->builder) >= BLOCK_ENTITIES ||
            reader->text_size >= BLOCK_TEXT) {
            flush(reader);
        }
    }
    reader->depth--;
}

/* OSM files declare no entities; whoever does wants them to expand. Expat wants nine parameters. */
// NOLINTNEXTLINE(readability-function-size)
static void XMLCALL on_entity(void *user, const char *name, int is_parameter, const char *value,
                              int value_length, const char *base, const char *system_id,
                              const char *public_id, const char *notation)
{
    (void)name;
    (void)is_parameter;
    (void)value;
    (void)value_length;
    (void)base;
    (void)system_id;
    (void)public_id;
    (void)notation;
    fail(user, HT_UNSUPPORTED, "the file declares XML entities, which OSM does not use");
}

static enum ht_status parse_error(struct reader *reader, bool final)
{
    enum XML_Error code = XML_GetErrorCode(reader->parser);
    bool cut =
        final && (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
                  code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION);
    if (code == XML_ERROR_NO_MEMORY) {
        fail(reader, HT_NOMEM, NULL);
    } else if (cut) {
        fail(reader, HT_TRUNCATED, "the file ends too early");
    } else {
        fail(reader, reader->saw_root ? HT_SYNTAX : HT_FOREIGN, XML_ErrorString(code));
    }
    return reader->status;
}

static enum ht_status parse(struct reader *reader, struct ht__unpack *stream)
{
    uint64_t fed = 0;
    size_t got = 0;
    do {
        void *buffer = XML_GetBuffer(reader->parser, CHUNK);
        if (buffer == NULL) {
            fail(reader, HT_NOMEM, NULL);
            return reader->status;
        }
        enum ht_status status = ht__unpack_read(stream, buffer, CHUNK, &got, reader->error);
        if (status != HT_OK) {
            return status;
        }
        if (XML_ParseBuffer(reader->parser, (int)got, got == 0) != XML_STATUS_OK) {
            return reader->status != HT_OK ? reader->status : parse_error(reader, got == 0);
        }
        fed += got;
        if (fed - (uint64_t)XML_GetCurrentByteIndex(reader->parser) > TOKEN_MAX) {
            fail(reader, HT_TOO_BIG, "one XML tag is longer than 8 MiB");
            return reader->status;
        }
        if (reader->handler->progress != NULL) {
            reader->handler->progress(reader->handler->user, stream->at, stream->source->size);
        }
    } while (got != 0);
    flush(reader);
    return reader->status;
}

enum ht_status ht__osm_read_xml(const struct ht__osm_source *source, enum ht__osm_packing packing,
                                const struct ht_osm_handler *handler, struct ht_error *error)
{
    struct reader reader = {.handler = handler, .error = error, .status = HT_OK};
    struct ht__unpack stream;
    enum ht_status status = ht__unpack_init(&stream, source, packing);
    reader.parser = XML_ParserCreate(NULL);
    if (status != HT_OK || reader.parser == NULL) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        XML_SetUserData(reader.parser, &reader);
        XML_SetElementHandler(reader.parser, on_start, on_end);
        XML_SetEntityDeclHandler(reader.parser, on_entity);
        status = parse(&reader, &stream);
    }
    if (reader.parser != NULL) {
        XML_ParserFree(reader.parser);
    }
    ht__unpack_deinit(&stream);
    ht__osm_builder_deinit(&reader.builder);
    free_text(&reader);
    return status;
}
