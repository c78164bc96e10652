#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/osm_pbf_internal.h"

/* A block may unpack to 32 MiB, and a hostile one could hold an entity in every two bytes: no
 * writer puts more than some ten thousand there. */
enum { BLOCK_ENTITIES_MAX = 1 << 22 };

/* Likewise groups and strings, which an empty one costs two bytes: writers make a few groups, and
 * not more strings than keys, values and roles of their entities. */
enum { BLOCK_GROUPS_MAX = 1 << 16, BLOCK_STRINGS_MAX = 1 << 20 };

/* Field numbers of osmformat.proto, the format's public definition. */
enum { HEADER_REQUIRED = 4 };
enum { BLOCK_STRINGS = 1, BLOCK_GROUP = 2, BLOCK_GRANULARITY = 17, BLOCK_LAT = 19, BLOCK_LON = 20 };
enum { GROUP_NODE = 1, GROUP_DENSE = 2, GROUP_WAY = 3, GROUP_RELATION = 4 };
enum { ENTITY_ID = 1, ENTITY_KEYS = 2, ENTITY_VALUES = 3, ENTITY_INFO = 4 };
enum { ENTITY_LISTS = 8 }; /* what comes at 8, 9, 10 differs with the kind */
enum { INFO_VISIBLE = 6 };
enum { DENSE_INFO = 5, DENSE_LAT = 8, DENSE_LON = 9, DENSE_KEYS_VALUES = 10 };

struct block {
    struct ht__pbf_decoder *decoder;
    const struct ht_osm_handler *handler;
    struct ht_error *error;
    int64_t where;
    int64_t granularity;
    int64_t lat_offset;
    int64_t lon_offset;
};

/* The fields that node, way and relation share, and their three lists. */
struct entity {
    int64_t id;
    struct ht_wire keys;
    struct ht_wire values;
    struct ht_wire info;
    struct ht_wire lists[3];
    uint64_t numbers[3];
};

void ht__pbf_decoder_deinit(struct ht__pbf_decoder *decoder)
{
    ht__osm_builder_deinit(&decoder->builder);
    free(decoder->strings);
    free(decoder->groups);
    *decoder = (struct ht__pbf_decoder){0};
}

static enum ht_status broken(const struct block *block, const char *what)
{
    return ht_error_set(block->error, HT_SYNTAX, block->where,
                        "the block at byte %lld is damaged: %s", (long long)block->where, what);
}

/* Nanodegrees to e7, rounded to the nearest; what leaves the type becomes a point that no globe
 * has. */
static int32_t scale(int64_t offset, int64_t granularity, int64_t value)
{
    int64_t nano = 0;
    if (granularity == 100 && offset == 0 && value > INT32_MIN && value < INT32_MAX) {
        return (int32_t)value;
    }
    if (__builtin_mul_overflow(granularity, value, &nano) ||
        __builtin_add_overflow(nano, offset, &nano)) {
        return INT32_MAX;
    }
    int64_t e7 = nano / 100;
    int64_t rest = nano % 100;
    e7 += rest >= 50 ? 1 : rest <= -50 ? -1 : 0;
    return e7 < INT32_MIN || e7 > INT32_MAX ? INT32_MAX : (int32_t)e7;
}

static int64_t add_wrapping(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static enum ht_status too_many(const struct block *block, int most, const char *what)
{
    return ht_error_set(block->error, HT_TOO_BIG, block->where,
                        "the block at byte %lld holds more than %d %s", (long long)block->where,
                        most, what);
}

/* Each string gets its NUL in place, over the byte behind it: the key of the next entry (or, for
 * the last, of the field behind the table), which was read by then. So nothing is copied. */
static enum ht_status read_strings(struct block *block, uint8_t *data, struct ht_wire table)
{
    struct ht__pbf_decoder *decoder = block->decoder;
    struct ht_wire_field field;
    char *last_end = NULL;
    decoder->string_count = 0;
    while (ht_wire_next(&table, &field)) {
        if (last_end != NULL) {
            *last_end = '\0';
            last_end = NULL;
        }
        if (field.number != 1 || field.type != HT_WIRE_BYTES) {
            continue;
        }
        if (decoder->string_count == BLOCK_STRINGS_MAX) {
            return too_many(block, BLOCK_STRINGS_MAX, "strings");
        }
        enum ht_status status =
            ht_array_reserve((void **)&decoder->strings, &decoder->string_capacity,
                             decoder->string_count + 1, sizeof *decoder->strings);
        if (status != HT_OK) {
            return ht_error_set(block->error, status, block->where, NULL);
        }
        size_t size = (size_t)(field.bytes.end - field.bytes.at);
        char *text = (char *)data + (field.bytes.at - data);
        ht__osm_clean_utf8(text, size);
        decoder->strings[decoder->string_count++] = text;
        last_end = text + size;
    }
    if (last_end != NULL) {
        *last_end = '\0';
    }
    return table.bad ? broken(block, "its string table") : HT_OK;
}

static enum ht_status no_memory(const struct block *block)
{
    return ht_error_set(block->error, HT_NOMEM, block->where, NULL);
}

static enum ht_status check_count(const struct block *block, size_t more)
{
    if (more <= BLOCK_ENTITIES_MAX - ht__osm_builder_count(&block->decoder->builder)) {
        return HT_OK;
    }
    return too_many(block, BLOCK_ENTITIES_MAX, "entities");
}

/* Reads the shared fields. A packed list that comes in two parts would be legal protobuf; no writer
 * of OSM does it, and it is refused rather than read wrongly. */
static enum ht_status read_entity(const struct block *block, struct ht_wire message, bool lists,
                                  struct entity *out)
{
    *out = (struct entity){0};
    struct ht_wire_field field;
    while (ht_wire_next(&message, &field)) {
        struct ht_wire *list = NULL;
        if (field.number == ENTITY_ID && field.type == HT_WIRE_VARINT) {
            out->id = (int64_t)field.value;
        } else if (field.number == ENTITY_KEYS) {
            list = &out->keys;
        } else if (field.number == ENTITY_VALUES) {
            list = &out->values;
        } else if (field.number == ENTITY_INFO) {
            list = &out->info;
        } else if (field.number >= ENTITY_LISTS && field.number < ENTITY_LISTS + 3) {
            list = lists ? &out->lists[field.number - ENTITY_LISTS] : NULL;
            out->numbers[field.number - ENTITY_LISTS] = field.value;
        }
        if (list != NULL) {
            if (field.type != HT_WIRE_BYTES || list->at != NULL) {
                return broken(block, "a list that is not packed in one piece");
            }
            *list = field.bytes;
        }
    }
    return message.bad ? broken(block, "an entity") : HT_OK;
}

/* In files with history a version may be a deletion. */
static bool visible(struct ht_wire info)
{
    struct ht_wire_field field;
    while (ht_wire_next(&info, &field)) {
        if (field.number == INFO_VISIBLE && field.type == HT_WIRE_VARINT) {
            return field.value != 0;
        }
    }
    return true;
}

static enum ht_status read_tags(struct block *block, enum ht__osm_kind kind,
                                const struct entity *entity, size_t *count)
{
    struct ht__pbf_decoder *decoder = block->decoder;
    struct ht_wire keys = entity->keys;
    struct ht_wire values = entity->values;
    *count = 0;
    if (ht__osm_reserve_tags(&decoder->builder, kind, (size_t)(keys.end - keys.at)) != HT_OK) {
        return no_memory(block);
    }
    struct ht__osm_tags *tags = &decoder->builder.tags[kind];
    while (ht_wire_more(&keys) && ht_wire_more(&values)) {
        uint64_t key = ht_wire_varint(&keys);
        uint64_t value = ht_wire_varint(&values);
        if (key >= decoder->string_count || value >= decoder->string_count) {
            return broken(block, "a tag names a string that is not there");
        }
        tags->list[tags->count++] =
            (struct ht_osm_tag){.key = decoder->strings[key], .value = decoder->strings[value]};
        ++*count;
    }
    if (keys.bad || values.bad || ht_wire_more(&keys) || ht_wire_more(&values)) {
        return broken(block, "keys and values of an entity differ in number");
    }
    return HT_OK;
}

static enum ht_status read_node(struct block *block, struct ht_wire message)
{
    struct entity entity;
    enum ht_status status = read_entity(block, message, false, &entity);
    if (status != HT_OK || !visible(entity.info)) {
        return status;
    }
    struct ht__osm_builder *builder = &block->decoder->builder;
    if (ht__osm_reserve_nodes(builder, 1) != HT_OK) {
        return no_memory(block);
    }
    struct ht_osm_node node = {0};
    status = read_tags(block, HT__OSM_NODES, &entity, &node.tags.count);
    uint64_t id = (uint64_t)entity.id;
    int64_t lat = (int64_t)((entity.numbers[0] >> 1) ^ (~(entity.numbers[0] & 1) + 1));
    int64_t lon = (int64_t)((entity.numbers[1] >> 1) ^ (~(entity.numbers[1] & 1) + 1));
    node.id = (int64_t)((id >> 1) ^ (~(id & 1) + 1));
    node.point.lat_e7 = scale(block->lat_offset, block->granularity, lat);
    node.point.lon_e7 = scale(block->lon_offset, block->granularity, lon);
    builder->nodes[builder->node_count++] = node;
    return status;
}

struct dense {
    struct ht_wire ids;
    struct ht_wire lats;
    struct ht_wire lons;
    struct ht_wire keys_values;
    struct ht_wire visibles;
};

static enum ht_status open_dense(const struct block *block, struct ht_wire message,
                                 struct dense *out)
{
    *out = (struct dense){0};
    struct ht_wire_field field;
    while (ht_wire_next(&message, &field)) {
        struct ht_wire *list = NULL;
        if (field.number == ENTITY_ID) {
            list = &out->ids;
        } else if (field.number == DENSE_LAT) {
            list = &out->lats;
        } else if (field.number == DENSE_LON) {
            list = &out->lons;
        } else if (field.number == DENSE_KEYS_VALUES) {
            list = &out->keys_values;
        } else if (field.number == DENSE_INFO && field.type == HT_WIRE_BYTES) {
            struct ht_wire info = field.bytes;
            struct ht_wire_field part;
            while (ht_wire_next(&info, &part)) {
                if (part.number == INFO_VISIBLE && part.type == HT_WIRE_BYTES) {
                    out->visibles = part.bytes;
                }
            }
            if (info.bad) {
                return broken(block, "the metadata of its nodes");
            }
        }
        if (list != NULL) {
            if (field.type != HT_WIRE_BYTES || list->at != NULL) {
                return broken(block, "a list that is not packed in one piece");
            }
            *list = field.bytes;
        }
    }
    return message.bad ? broken(block, "its nodes") : HT_OK;
}

/* The tags of the next dense node: pairs up to a 0; no list at all when no node of the block has
 * tags. */
static enum ht_status read_dense_tags(struct block *block, struct ht_wire *pairs, bool wanted,
                                      size_t *count)
{
    struct ht__pbf_decoder *decoder = block->decoder;
    struct ht__osm_tags *tags = &decoder->builder.tags[HT__OSM_NODES];
    *count = 0;
    while (ht_wire_more(pairs)) {
        uint64_t key = ht_wire_varint(pairs);
        if (key == 0) {
            return pairs->bad ? broken(block, "the tags of its nodes") : HT_OK;
        }
        uint64_t value = ht_wire_more(pairs) ? ht_wire_varint(pairs) : UINT64_MAX;
        if (key >= decoder->string_count || value >= decoder->string_count) {
            return broken(block, "a tag names a string that is not there");
        }
        if (wanted) {
            tags->list[tags->count++] =
                (struct ht_osm_tag){.key = decoder->strings[key], .value = decoder->strings[value]};
            ++*count;
        }
    }
    return HT_OK;
}

static enum ht_status read_dense(struct block *block, struct ht_wire message)
{
    struct dense dense;
    enum ht_status status = open_dense(block, message, &dense);
    if (status != HT_OK) {
        return status;
    }
    struct ht__osm_builder *builder = &block->decoder->builder;
    size_t count = ht_wire_count(dense.ids);
    status = check_count(block, count);
    if (status != HT_OK) {
        return status;
    }
    size_t pairs = (size_t)(dense.keys_values.end - dense.keys_values.at) / 2;
    if (ht__osm_reserve_nodes(builder, count) != HT_OK ||
        ht__osm_reserve_tags(builder, HT__OSM_NODES, pairs) != HT_OK) {
        return no_memory(block);
    }
    int64_t id = 0;
    int64_t lat = 0;
    int64_t lon = 0;
    bool has_tags = ht_wire_more(&dense.keys_values);
    bool has_visibles = dense.visibles.at != NULL;
    for (size_t i = 0; i < count; i++) {
        if (!ht_wire_more(&dense.lats) || !ht_wire_more(&dense.lons)) {
            return broken(block, "fewer coordinates than nodes");
        }
        id = add_wrapping(id, ht_wire_signed(&dense.ids));
        lat = add_wrapping(lat, ht_wire_signed(&dense.lats));
        lon = add_wrapping(lon, ht_wire_signed(&dense.lons));
        bool shown = !has_visibles || ht_wire_varint(&dense.visibles) != 0;
        struct ht_osm_node node = {
            .id = id,
            .point = {.lon_e7 = scale(block->lon_offset, block->granularity, lon),
                      .lat_e7 = scale(block->lat_offset, block->granularity, lat)},
        };
        if (has_tags) {
            status = read_dense_tags(block, &dense.keys_values, shown, &node.tags.count);
            if (status != HT_OK) {
                return status;
            }
        }
        if (shown) {
            builder->nodes[builder->node_count++] = node;
        }
    }
    bool bad = dense.ids.bad || ht_wire_more(&dense.ids) || dense.lats.bad || dense.lons.bad ||
               dense.visibles.bad;
    return bad ? broken(block, "the lists of its nodes") : HT_OK;
}

/* Locations on ways (osmium's add-locations-to-ways): two more lists beside the refs. */
static enum ht_status read_way_points(struct block *block, const struct entity *entity,
                                      size_t ref_count)
{
    struct ht__osm_builder *builder = &block->decoder->builder;
    struct ht_wire lats = entity->lists[1];
    struct ht_wire lons = entity->lists[2];
    int64_t lat = 0;
    int64_t lon = 0;
    for (size_t i = 0; i < ref_count; i++) {
        if (!ht_wire_more(&lats) || !ht_wire_more(&lons)) {
            return broken(block, "fewer locations than nodes on a way");
        }
        lat = add_wrapping(lat, ht_wire_signed(&lats));
        lon = add_wrapping(lon, ht_wire_signed(&lons));
        builder->points[builder->ref_count + i] =
            (struct ht_point){.lon_e7 = scale(block->lon_offset, block->granularity, lon),
                              .lat_e7 = scale(block->lat_offset, block->granularity, lat)};
    }
    return lats.bad || lons.bad ? broken(block, "the locations of a way") : HT_OK;
}

static enum ht_status read_way(struct block *block, struct ht_wire message)
{
    struct entity entity;
    enum ht_status status = read_entity(block, message, true, &entity);
    if (status != HT_OK || !visible(entity.info)) {
        return status;
    }
    struct ht__osm_builder *builder = &block->decoder->builder;
    struct ht_wire refs = entity.lists[0];
    size_t count = ht_wire_count(refs);
    bool points = count > 0 && ht_wire_more(&entity.lists[1]);
    if (ht__osm_reserve_ways(builder, 1) != HT_OK ||
        ht__osm_reserve_refs(builder, count, points) != HT_OK) {
        return no_memory(block);
    }
    struct ht_osm_way way = {.id = entity.id, .ref_count = count};
    status = read_tags(block, HT__OSM_WAYS, &entity, &way.tags.count);
    if (status == HT_OK && points) {
        status = read_way_points(block, &entity, count);
        way.points = &ht__osm_has_points;
    }
    int64_t ref = 0;
    for (size_t i = 0; i < count; i++) {
        ref = add_wrapping(ref, ht_wire_signed(&refs));
        builder->refs[builder->ref_count + i] = ref;
    }
    if (status == HT_OK && (refs.bad || ht_wire_more(&refs))) {
        status = broken(block, "the nodes of a way");
    }
    builder->ref_count += count;
    builder->ways[builder->way_count++] = way;
    return status;
}

static enum ht_status read_members(struct block *block, const struct entity *entity, size_t count)
{
    struct ht__pbf_decoder *decoder = block->decoder;
    struct ht__osm_builder *builder = &decoder->builder;
    struct ht_wire roles = entity->lists[0];
    struct ht_wire refs = entity->lists[1];
    struct ht_wire types = entity->lists[2];
    int64_t ref = 0;
    for (size_t i = 0; i < count; i++) {
        if (!ht_wire_more(&roles) || !ht_wire_more(&types)) {
            return broken(block, "fewer roles or types than members");
        }
        uint64_t role = ht_wire_varint(&roles);
        uint64_t type = ht_wire_varint(&types);
        ref = add_wrapping(ref, ht_wire_signed(&refs));
        if (role >= decoder->string_count || type > HT_OSM_RELATION) {
            return broken(block, "a member's role or type");
        }
        builder->members[builder->member_count++] = (struct ht_osm_member){
            .ref = ref, .role = decoder->strings[role], .type = (enum ht_osm_type)type};
    }
    bool bad = refs.bad || ht_wire_more(&refs) || roles.bad || types.bad;
    return bad ? broken(block, "the members of a relation") : HT_OK;
}

static enum ht_status read_relation(struct block *block, struct ht_wire message)
{
    struct entity entity;
    enum ht_status status = read_entity(block, message, true, &entity);
    if (status != HT_OK || !visible(entity.info)) {
        return status;
    }
    struct ht__osm_builder *builder = &block->decoder->builder;
    size_t count = ht_wire_count(entity.lists[1]);
    if (ht__osm_reserve_relations(builder, 1) != HT_OK ||
        ht__osm_reserve_members(builder, count) != HT_OK) {
        return no_memory(block);
    }
    struct ht_osm_relation relation = {.id = entity.id, .member_count = count};
    status = read_tags(block, HT__OSM_RELATIONS, &entity, &relation.tags.count);
    if (status == HT_OK) {
        status = read_members(block, &entity, count);
    }
    builder->relations[builder->relation_count++] = relation;
    return status;
}

static enum ht_status read_group(struct block *block, struct ht_wire group)
{
    struct ht_wire_field field;
    enum ht_status status = HT_OK;
    while (status == HT_OK && ht_wire_next(&group, &field)) {
        if (field.type != HT_WIRE_BYTES) {
            continue;
        }
        if (field.number == GROUP_DENSE && block->handler->nodes) {
            status = read_dense(block, field.bytes);
            continue;
        }
        bool node = field.number == GROUP_NODE && block->handler->nodes;
        bool way = field.number == GROUP_WAY && block->handler->ways;
        bool relation = field.number == GROUP_RELATION && block->handler->relations;
        if (!node && !way && !relation) {
            continue;
        }
        status = check_count(block, 1);
        if (status == HT_OK) {
            status = node  ? read_node(block, field.bytes)
                     : way ? read_way(block, field.bytes)
                           : read_relation(block, field.bytes);
        }
    }
    return status == HT_OK && group.bad ? broken(block, "a group") : status;
}

/* Groups are listed before the strings get their NULs, which change a byte behind the table. */
static enum ht_status list_parts(struct block *block, struct ht_wire message,
                                 struct ht_wire *strings)
{
    struct ht__pbf_decoder *decoder = block->decoder;
    struct ht_wire_field field;
    decoder->group_count = 0;
    while (ht_wire_next(&message, &field)) {
        if (field.number == BLOCK_STRINGS && field.type == HT_WIRE_BYTES) {
            *strings = field.bytes;
        } else if (field.number == BLOCK_GROUP && field.type == HT_WIRE_BYTES) {
            if (decoder->group_count == BLOCK_GROUPS_MAX) {
                return too_many(block, BLOCK_GROUPS_MAX, "groups");
            }
            if (ht_array_reserve((void **)&decoder->groups, &decoder->group_capacity,
                                 decoder->group_count + 1, sizeof *decoder->groups) != HT_OK) {
                return no_memory(block);
            }
            decoder->groups[decoder->group_count++] = field.bytes;
        } else if (field.number == BLOCK_GRANULARITY && field.type == HT_WIRE_VARINT) {
            block->granularity = (int64_t)field.value; /* negative ones have ten bytes */
        } else if (field.number == BLOCK_LAT && field.type == HT_WIRE_VARINT) {
            block->lat_offset = (int64_t)field.value;
        } else if (field.number == BLOCK_LON && field.type == HT_WIRE_VARINT) {
            block->lon_offset = (int64_t)field.value;
        }
    }
    if (!message.bad && (block->granularity < 1 || block->granularity > INT32_MAX)) {
        return ht_error_set(block->error, HT_SYNTAX, block->where,
                            "the block at byte %lld is damaged: its granularity is %lld, not 1 or "
                            "more nanodegrees",
                            (long long)block->where, (long long)block->granularity);
    }
    return message.bad ? broken(block, "its frame") : HT_OK;
}

enum ht_status ht__pbf_decode(struct ht__pbf_decoder *decoder, uint8_t *data, size_t size,
                              const struct ht_osm_handler *handler, int64_t where,
                              struct ht_error *error)
{
    struct block block = {
        .decoder = decoder,
        .handler = handler,
        .error = error,
        .where = where,
        .granularity = 100,
    };
    ht__osm_builder_clear(&decoder->builder);
    struct ht_wire strings = {0};
    struct ht_wire message = {.at = data, .end = data + size};
    enum ht_status status = list_parts(&block, message, &strings);
    if (status == HT_OK) {
        status = read_strings(&block, data, strings);
    }
    for (size_t i = 0; i < decoder->group_count && status == HT_OK; i++) {
        status = read_group(&block, decoder->groups[i]);
    }
    return status;
}

enum ht_status ht__pbf_check_header(const uint8_t *data, size_t size, int64_t where,
                                    struct ht_error *error)
{
    static const char *const known[] = {"OsmSchema-V0.6", "DenseNodes", "HistoricalInformation",
                                        "LocationsOnWays"};
    struct ht_wire header = {.at = data, .end = data + size};
    struct ht_wire_field field;
    while (ht_wire_next(&header, &field)) {
        if (field.number != HEADER_REQUIRED || field.type != HT_WIRE_BYTES) {
            continue;
        }
        size_t length = (size_t)(field.bytes.end - field.bytes.at);
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            found = found ||
                    (strlen(known[i]) == length && memcmp(known[i], field.bytes.at, length) == 0);
        }
        if (!found) {
            char name[64] = {0};
            memcpy(name, field.bytes.at, length < sizeof name ? length : sizeof name - 1);
            ht__osm_clean_utf8(name, strlen(name));
            return ht_error_set(error, HT_UNSUPPORTED, where,
                                "the file requires the feature \"%s\", which is not known here",
                                name);
        }
    }
    if (header.bad) {
        return ht_error_set(error, HT_SYNTAX, where, "the file's header is damaged");
    }
    return HT_OK;
}
