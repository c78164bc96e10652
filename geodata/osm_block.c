#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/osm_internal.h"

const struct ht_point ht__osm_has_points = {0, 0};

void ht__osm_builder_deinit(struct ht__osm_builder *builder)
{
    free(builder->nodes);
    free(builder->ways);
    free(builder->relations);
    for (size_t kind = 0; kind < HT__OSM_KINDS; kind++) {
        free(builder->tags[kind].list);
    }
    free(builder->refs);
    free(builder->points);
    free(builder->members);
    *builder = (struct ht__osm_builder){0};
}

void ht__osm_builder_clear(struct ht__osm_builder *builder)
{
    builder->node_count = 0;
    builder->way_count = 0;
    builder->relation_count = 0;
    for (size_t kind = 0; kind < HT__OSM_KINDS; kind++) {
        builder->tags[kind].count = 0;
    }
    builder->ref_count = 0;
    builder->member_count = 0;
}

size_t ht__osm_builder_count(const struct ht__osm_builder *builder)
{
    return builder->node_count + builder->way_count + builder->relation_count;
}

enum ht_status ht__osm_reserve_nodes(struct ht__osm_builder *builder, size_t more)
{
    return ht_array_reserve((void **)&builder->nodes, &builder->node_capacity,
                            builder->node_count + more, sizeof *builder->nodes);
}

enum ht_status ht__osm_reserve_ways(struct ht__osm_builder *builder, size_t more)
{
    return ht_array_reserve((void **)&builder->ways, &builder->way_capacity,
                            builder->way_count + more, sizeof *builder->ways);
}

enum ht_status ht__osm_reserve_relations(struct ht__osm_builder *builder, size_t more)
{
    return ht_array_reserve((void **)&builder->relations, &builder->relation_capacity,
                            builder->relation_count + more, sizeof *builder->relations);
}

enum ht_status ht__osm_reserve_tags(struct ht__osm_builder *builder, enum ht__osm_kind kind,
                                    size_t more)
{
    struct ht__osm_tags *tags = &builder->tags[kind];
    return ht_array_reserve((void **)&tags->list, &tags->capacity, tags->count + more,
                            sizeof *tags->list);
}

enum ht_status ht__osm_reserve_refs(struct ht__osm_builder *builder, size_t more, bool points)
{
    size_t want = builder->ref_count + more;
    enum ht_status status = ht_array_reserve((void **)&builder->refs, &builder->ref_capacity, want,
                                             sizeof *builder->refs);
    if (status == HT_OK && points) {
        status = ht_array_reserve((void **)&builder->points, &builder->point_capacity, want,
                                  sizeof *builder->points);
    }
    return status;
}

enum ht_status ht__osm_reserve_members(struct ht__osm_builder *builder, size_t more)
{
    return ht_array_reserve((void **)&builder->members, &builder->member_capacity,
                            builder->member_count + more, sizeof *builder->members);
}

/* An array that nothing was put into has no address, and not even 0 may be added to that. */
static const struct ht_osm_tag *tags_at(const struct ht__osm_tags *tags, size_t at)
{
    return tags->list == NULL ? NULL : tags->list + at;
}

struct ht_osm_block ht__osm_builder_finish(struct ht__osm_builder *builder, size_t index)
{
    size_t tag = 0;
    for (size_t i = 0; i < builder->node_count; i++) {
        builder->nodes[i].tags.list = tags_at(&builder->tags[HT__OSM_NODES], tag);
        tag += builder->nodes[i].tags.count;
    }
    tag = 0;
    size_t ref = 0;
    for (size_t i = 0; i < builder->way_count; i++) {
        struct ht_osm_way *way = &builder->ways[i];
        way->tags.list = tags_at(&builder->tags[HT__OSM_WAYS], tag);
        tag += way->tags.count;
        way->refs = builder->refs == NULL ? NULL : builder->refs + ref;
        way->points = way->points == NULL ? NULL : builder->points + ref;
        ref += way->ref_count;
    }
    tag = 0;
    size_t member = 0;
    for (size_t i = 0; i < builder->relation_count; i++) {
        struct ht_osm_relation *relation = &builder->relations[i];
        relation->tags.list = tags_at(&builder->tags[HT__OSM_RELATIONS], tag);
        tag += relation->tags.count;
        relation->members = builder->members == NULL ? NULL : builder->members + member;
        member += relation->member_count;
    }
    return (struct ht_osm_block){
        .index = index,
        .nodes = builder->nodes,
        .node_count = builder->node_count,
        .ways = builder->ways,
        .way_count = builder->way_count,
        .relations = builder->relations,
        .relation_count = builder->relation_count,
    };
}

bool ht__osm_wanted(const struct ht_osm_handler *handler, enum ht__osm_kind kind)
{
    switch (kind) {
    case HT__OSM_NODES:
        return handler->nodes;
    case HT__OSM_WAYS:
        return handler->ways;
    case HT__OSM_RELATIONS:
        return handler->relations;
    case HT__OSM_KINDS:
        break;
    }
    return false;
}

/* The length of the valid sequence that begins at `at`, 0 when there is none (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || length > left) {
        return 0;
    }
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (at[0] == 0xE0) {
        low = 0xA0;
    } else if (at[0] == 0xED) {
        high = 0x9F;
    } else if (at[0] == 0xF0) {
        low = 0x90;
    } else if (at[0] == 0xF4) {
        high = 0x8F;
    }
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

void ht__osm_clean_utf8(char *text, size_t size)
{
    size_t i = 0;
    while (i < size) {
        uint64_t eight = 0;
        if (size - i >= sizeof eight) {
            memcpy(&eight, text + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        size_t length = utf8_sequence((const unsigned char *)text + i, size - i);
        if (length == 0) {
            text[i] = '?';
            length = 1;
        }
        i += length;
    }
}
