#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/sample_internal.h"

/* Where ids begin. */
enum { NODE_ID = 100000000, WAY_ID = 10000000, RELATION_ID = 1000000 };
/* A longer leg gets a point in between every so often. */
enum { LEG_CM = 90 * HT__METRE };
enum { TEXT_PIECE = 64 * 1024, NODE_TAGS_MAX = 8 };

struct node {
    struct ht__place place;
    uint32_t tag; /* the first of its list, no_tag where it has none */
};

struct node_tag {
    struct ht_osm_tag tag;
    uint32_t next;
};

struct line {
    size_t ref;
    size_t ref_count;
    size_t tag;
    size_t tag_count;
};

struct text_piece {
    struct text_piece *next;
    size_t used;
    char bytes[TEXT_PIECE];
};

struct ht__sketch {
    enum ht_status status;
    struct node *nodes;
    size_t node_count;
    size_t node_capacity;
    struct node_tag *node_tags;
    size_t node_tag_count;
    size_t node_tag_capacity;
    struct line *lines;
    size_t line_count;
    size_t line_capacity;
    uint32_t *refs;
    size_t ref_count;
    size_t ref_capacity;
    struct ht_osm_tag *tags;
    size_t tag_count;
    size_t tag_capacity;
    struct ht__ban *bans;
    size_t ban_count;
    size_t ban_capacity;
    struct text_piece *text;
    struct line open;
};

static const uint32_t no_tag = UINT32_MAX;

enum ht_status ht__sketch_new(struct ht__sketch **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht__sketch_free(struct ht__sketch *sketch)
{
    if (sketch == NULL) {
        return;
    }
    while (sketch->text != NULL) {
        struct text_piece *next = sketch->text->next;
        free(sketch->text);
        sketch->text = next;
    }
    free(sketch->nodes);
    free(sketch->node_tags);
    free(sketch->lines);
    free(sketch->refs);
    free(sketch->tags);
    free(sketch->bans);
    free(sketch);
}

enum ht_status ht__sketch_status(const struct ht__sketch *sketch)
{
    return sketch->status;
}

static bool room(struct ht__sketch *sketch, void **data, size_t *capacity, size_t count,
                 size_t item)
{
    if (sketch->status == HT_OK) {
        sketch->status = ht_array_reserve(data, capacity, count + 1, item);
    }
    return sketch->status == HT_OK;
}

uint32_t ht__sketch_node(struct ht__sketch *sketch, struct ht__place place)
{
    if (!room(sketch, (void **)&sketch->nodes, &sketch->node_capacity, sketch->node_count,
              sizeof *sketch->nodes)) {
        return 0;
    }
    sketch->nodes[sketch->node_count] = (struct node){.place = place, .tag = no_tag};
    return (uint32_t)sketch->node_count++;
}

struct ht__place ht__sketch_place(const struct ht__sketch *sketch, uint32_t node)
{
    if (node >= sketch->node_count) {
        return (struct ht__place){0, 0}; /* only after an error */
    }
    return sketch->nodes[node].place;
}

void ht__sketch_node_tag(struct ht__sketch *sketch, uint32_t node, const char *key,
                         const char *value)
{
    if (!room(sketch, (void **)&sketch->node_tags, &sketch->node_tag_capacity,
              sketch->node_tag_count, sizeof *sketch->node_tags)) {
        return;
    }
    sketch->node_tags[sketch->node_tag_count] =
        (struct node_tag){.tag = {.key = key, .value = value}, .next = sketch->nodes[node].tag};
    sketch->nodes[node].tag = (uint32_t)sketch->node_tag_count++;
}

const char *ht__sketch_keep(struct ht__sketch *sketch, const char *text)
{
    size_t size = strlen(text) + 1;
    struct text_piece *piece = sketch->text;
    if (size > TEXT_PIECE || sketch->status != HT_OK) {
        return "";
    }
    if (piece == NULL || TEXT_PIECE - piece->used < size) {
        piece = malloc(sizeof *piece);
        if (piece == NULL) {
            sketch->status = HT_NOMEM;
            return "";
        }
        piece->next = sketch->text;
        piece->used = 0;
        sketch->text = piece;
    }
    char *at = piece->bytes + piece->used;
    memcpy(at, text, size);
    piece->used += size;
    return at;
}

void ht__sketch_begin(struct ht__sketch *sketch, uint32_t node)
{
    sketch->open = (struct line){.ref = sketch->ref_count, .tag = sketch->tag_count};
    ht__sketch_point(sketch, node);
}

void ht__sketch_point(struct ht__sketch *sketch, uint32_t node)
{
    if (room(sketch, (void **)&sketch->refs, &sketch->ref_capacity, sketch->ref_count,
             sizeof *sketch->refs)) {
        sketch->refs[sketch->ref_count++] = node;
    }
}

void ht__sketch_leg(struct ht__sketch *sketch, uint32_t node)
{
    if (sketch->status != HT_OK) {
        return;
    }
    struct ht__place from = ht__sketch_place(sketch, sketch->refs[sketch->ref_count - 1]);
    struct ht__place to = ht__sketch_place(sketch, node);
    int64_t dx = (int64_t)to.x_cm - from.x_cm;
    int64_t dy = (int64_t)to.y_cm - from.y_cm;
    int64_t pieces = ht__square_root(dx * dx + dy * dy) / LEG_CM + 1;
    for (int64_t i = 1; i < pieces; i++) {
        struct ht__place between = {.x_cm = (int32_t)(from.x_cm + dx * i / pieces),
                                    .y_cm = (int32_t)(from.y_cm + dy * i / pieces)};
        ht__sketch_point(sketch, ht__sketch_node(sketch, between));
    }
    ht__sketch_point(sketch, node);
}

void ht__sketch_tag(struct ht__sketch *sketch, const char *key, const char *value)
{
    if (room(sketch, (void **)&sketch->tags, &sketch->tag_capacity, sketch->tag_count,
             sizeof *sketch->tags)) {
        sketch->tags[sketch->tag_count++] = (struct ht_osm_tag){.key = key, .value = value};
    }
}

void ht__sketch_tag_name(struct ht__sketch *sketch, const struct ht__name *name)
{
    const char *zh = ht__sketch_keep(sketch, name->zh);
    ht__sketch_tag(sketch, "name", zh);
    ht__sketch_tag(sketch, "name:zh", zh);
    ht__sketch_tag(sketch, "name:en", ht__sketch_keep(sketch, name->en));
}

uint32_t ht__sketch_end(struct ht__sketch *sketch)
{
    if (!room(sketch, (void **)&sketch->lines, &sketch->line_capacity, sketch->line_count,
              sizeof *sketch->lines)) {
        return 0;
    }
    sketch->open.ref_count = sketch->ref_count - sketch->open.ref;
    sketch->open.tag_count = sketch->tag_count - sketch->open.tag;
    sketch->lines[sketch->line_count] = sketch->open;
    return (uint32_t)sketch->line_count++;
}

const uint32_t *ht__sketch_line(const struct ht__sketch *sketch, uint32_t line, size_t *count)
{
    *count = 0;
    if (line >= sketch->line_count) {
        return NULL; /* only after an error */
    }
    *count = sketch->lines[line].ref_count;
    return sketch->refs + sketch->lines[line].ref;
}

void ht__sketch_ban(struct ht__sketch *sketch, const struct ht__ban *ban)
{
    if (room(sketch, (void **)&sketch->bans, &sketch->ban_capacity, sketch->ban_count,
             sizeof *sketch->bans)) {
        sketch->bans[sketch->ban_count++] = *ban;
    }
}

static enum ht_status write_nodes(const struct ht__sketch *sketch, struct ht_osm_writer *writer,
                                  uint64_t seed)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < sketch->node_count && status == HT_OK; i++) {
        const struct node *node = &sketch->nodes[i];
        struct ht_osm_tag tags[NODE_TAGS_MAX];
        size_t count = 0;
        for (uint32_t t = node->tag; t != no_tag && count < NODE_TAGS_MAX;
             t = sketch->node_tags[t].next) {
            tags[count++] = sketch->node_tags[t].tag;
        }
        struct ht_osm_node out = {
            .id = NODE_ID + (int64_t)i,
            .point = ht__place_on_globe(seed, node->place),
            .tags = {.list = tags, .count = count},
        };
        status = ht_osm_write_node(writer, &out);
    }
    return status;
}

static enum ht_status write_lines(const struct ht__sketch *sketch, struct ht_osm_writer *writer)
{
    int64_t *refs = NULL;
    size_t capacity = 0;
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < sketch->line_count && status == HT_OK; i++) {
        const struct line *line = &sketch->lines[i];
        status = ht_array_reserve((void **)&refs, &capacity, line->ref_count, sizeof *refs);
        for (size_t k = 0; k < line->ref_count && status == HT_OK; k++) {
            refs[k] = NODE_ID + (int64_t)sketch->refs[line->ref + k];
        }
        struct ht_osm_way way = {
            .id = WAY_ID + (int64_t)i,
            .refs = refs,
            .ref_count = line->ref_count,
            .tags = {.list = sketch->tags + line->tag, .count = line->tag_count},
        };
        if (status == HT_OK) {
            status = ht_osm_write_way(writer, &way);
        }
    }
    free(refs);
    return status;
}

static enum ht_status write_ban(const struct ht__ban *ban, int64_t id, struct ht_osm_writer *writer)
{
    struct ht_osm_member members[3] = {
        {.ref = WAY_ID + (int64_t)ban->from, .role = "from", .type = HT_OSM_WAY},
        {.ref = (ban->via_line ? WAY_ID : NODE_ID) + (int64_t)ban->via,
         .role = "via",
         .type = ban->via_line ? HT_OSM_WAY : HT_OSM_NODE},
        {.ref = WAY_ID + (int64_t)ban->to, .role = "to", .type = HT_OSM_WAY},
    };
    struct ht_osm_tag tags[3] = {{.key = "type", .value = "restriction"}};
    size_t count = 1;
    char condition[160] = "";
    if (ban->condition == NULL) {
        tags[count++] = (struct ht_osm_tag){.key = "restriction", .value = ban->kind};
    } else {
        (void)snprintf(condition, sizeof condition, "%s @ (%s)", ban->kind, ban->condition);
        tags[count++] = (struct ht_osm_tag){.key = "restriction:conditional", .value = condition};
    }
    if (ban->except != NULL) {
        tags[count++] = (struct ht_osm_tag){.key = "except", .value = ban->except};
    }
    struct ht_osm_relation relation = {
        .id = id,
        .members = members,
        .member_count = 3,
        .tags = {.list = tags, .count = count},
    };
    return ht_osm_write_relation(writer, &relation);
}

enum ht_status ht__sketch_write(struct ht__sketch *sketch, const char *path, uint64_t seed,
                                struct ht_error *error)
{
    if (sketch->status != HT_OK) {
        return ht_error_set(error, sketch->status, 0, NULL);
    }
    struct ht_osm_writer *writer = NULL;
    enum ht_status status = ht_osm_writer_open(path, &writer, error);
    if (status != HT_OK) {
        return status;
    }
    status = write_nodes(sketch, writer, seed);
    if (status == HT_OK) {
        status = write_lines(sketch, writer);
    }
    for (size_t i = 0; i < sketch->ban_count && status == HT_OK; i++) {
        status = write_ban(&sketch->bans[i], RELATION_ID + (int64_t)i, writer);
    }
    enum ht_status closed = ht_osm_writer_close(writer);
    status = status == HT_OK ? closed : status;
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, "can't write %s: %s", path, ht_status_text(status));
    }
    return HT_OK;
}
