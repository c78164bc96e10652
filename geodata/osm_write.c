#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/array.h"
#include "geodata/osm.h"

/* As other writers do: a reader may rely on blocks of about this size. */
enum { BLOCK_ENTITIES = 8000 };
/* A block is also ended before its strings and lists could pass the format's 32 MiB. */
enum { BLOCK_BYTES = 12 * 1024 * 1024 };
enum { ENTITY_BYTES = 4 * 1024 * 1024 };

struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* The strings of a block: open addressing over their places in the table's encoded bytes. */
struct strings {
    struct bytes table; /* the encoded StringTable */
    uint32_t *slots;    /* string number + 1, 0: free */
    size_t slot_count;  /* a power of two */
    struct string {
        size_t at;
        size_t size;
    } * list;
    size_t count;
    size_t capacity;
};

enum stage { STAGE_NODES, STAGE_WAYS, STAGE_RELATIONS };

struct ht_osm_writer {
    int fd;
    enum ht_status status; /* the first error of all */
    enum stage stage;
    size_t count; /* entities in the block */
    struct strings strings;
    struct bytes entities; /* encoded ways or relations of the group */
    struct bytes ids;      /* the lists of dense nodes */
    struct bytes lats;
    struct bytes lons;
    struct bytes keys_values;
    bool any_tags;
    int64_t last_id;
    int64_t last_lat;
    int64_t last_lon;
    struct bytes scratch[6]; /* parts of one entity; frames of blob and file */
};

static void set_status(struct ht_osm_writer *writer, enum ht_status status)
{
    if (writer->status == HT_OK) {
        writer->status = status;
    }
}

static bool room(struct ht_osm_writer *writer, struct bytes *bytes, size_t more)
{
    if (writer->status == HT_OK) {
        set_status(writer, ht_array_reserve((void **)&bytes->data, &bytes->capacity,
                                            bytes->size + more, 1));
    }
    return writer->status == HT_OK;
}

static void put_varint(struct ht_osm_writer *writer, struct bytes *bytes, uint64_t value)
{
    if (!room(writer, bytes, 10)) {
        return;
    }
    while (value >= 0x80) {
        bytes->data[bytes->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes->data[bytes->size++] = (uint8_t)value;
}

static void put_signed(struct ht_osm_writer *writer, struct bytes *bytes, int64_t value)
{
    put_varint(writer, bytes, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_bytes(struct ht_osm_writer *writer, struct bytes *bytes, uint32_t field,
                      const void *data, size_t size)
{
    put_varint(writer, bytes, (uint64_t)field << 3 | 2);
    put_varint(writer, bytes, size);
    if (size > 0 && room(writer, bytes, size)) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
}

static void put_list(struct ht_osm_writer *writer, struct bytes *bytes, uint32_t field,
                     const struct bytes *list)
{
    if (list->size > 0) {
        put_bytes(writer, bytes, field, list->data, list->size);
    }
}

static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static uint64_t hash_text(const char *text, size_t size)
{
    uint64_t hash = UINT64_C(1469598103934665603); /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

static void place_string(struct strings *strings, uint32_t number)
{
    const struct string *string = &strings->list[number];
    uint64_t hash = hash_text((const char *)strings->table.data + string->at, string->size);
    size_t slot = (size_t)hash & (strings->slot_count - 1);
    while (strings->slots[slot] != 0) {
        slot = (slot + 1) & (strings->slot_count - 1);
    }
    strings->slots[slot] = number + 1;
}

static bool grow_slots(struct ht_osm_writer *writer)
{
    struct strings *strings = &writer->strings;
    if (strings->slots != NULL && strings->slot_count > strings->count * 2) {
        return true;
    }
    size_t count = strings->slot_count == 0 ? 4096 : strings->slot_count * 2;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (slots == NULL) {
        set_status(writer, HT_NOMEM);
        return false;
    }
    free(strings->slots);
    strings->slots = slots;
    strings->slot_count = count;
    for (uint32_t i = 0; i < strings->count; i++) {
        place_string(strings, i);
    }
    return true;
}

/* The number of a text in the block's table; entered when it is new. Number 0 is the empty text,
 * which ends the tags of a dense node and so is never a key. */
static uint64_t string_number(struct ht_osm_writer *writer, const char *text)
{
    struct strings *strings = &writer->strings;
    size_t size = strlen(text);
    if (writer->status != HT_OK || !grow_slots(writer)) {
        return 0;
    }
    size_t slot = (size_t)hash_text(text, size) & (strings->slot_count - 1);
    for (; strings->slots[slot] != 0; slot = (slot + 1) & (strings->slot_count - 1)) {
        const struct string *known = &strings->list[strings->slots[slot] - 1];
        if (known->size == size &&
            (size == 0 || memcmp(strings->table.data + known->at, text, size) == 0)) {
            return strings->slots[slot] - 1;
        }
    }
    set_status(writer, ht_array_reserve((void **)&strings->list, &strings->capacity,
                                        strings->count + 1, sizeof *strings->list));
    put_bytes(writer, &strings->table, 1, text, size);
    if (writer->status != HT_OK) {
        return 0;
    }
    strings->list[strings->count] = (struct string){.at = strings->table.size - size, .size = size};
    strings->slots[slot] = (uint32_t)++strings->count;
    return strings->count - 1;
}

static void begin_block(struct ht_osm_writer *writer)
{
    writer->count = 0;
    writer->entities.size = 0;
    writer->ids.size = 0;
    writer->lats.size = 0;
    writer->lons.size = 0;
    writer->keys_values.size = 0;
    writer->any_tags = false;
    writer->last_id = 0;
    writer->last_lat = 0;
    writer->last_lon = 0;
    writer->strings.count = 0;
    writer->strings.table.size = 0;
    if (writer->strings.slots != NULL) {
        memset(writer->strings.slots, 0,
               writer->strings.slot_count * sizeof *writer->strings.slots);
    }
    (void)string_number(writer, "");
}

static void write_all(struct ht_osm_writer *writer, const uint8_t *data, size_t size)
{
    while (writer->status == HT_OK && size > 0) {
        ssize_t put = write(writer->fd, data, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            set_status(writer, HT_IO);
            return;
        }
        data += put;
        size -= (size_t)put;
    }
}

/* Packs `message` into a blob of this type behind its header. */
static void write_blob(struct ht_osm_writer *writer, const char *type, const struct bytes *message)
{
    struct bytes *packed = &writer->scratch[1];
    struct bytes *blob = &writer->scratch[2];
    struct bytes *header = &writer->scratch[3];
    packed->size = blob->size = header->size = 0;
    uLongf size = compressBound((uLong)message->size);
    if (!room(writer, packed, size)) {
        return;
    }
    if (compress2(packed->data, &size, message->data, (uLong)message->size, 6) != Z_OK) {
        set_status(writer, HT_NOMEM);
        return;
    }
    put_varint(writer, blob, 2 << 3);
    put_varint(writer, blob, message->size);
    put_bytes(writer, blob, 3, packed->data, size);
    put_bytes(writer, header, 1, type, strlen(type));
    put_varint(writer, header, 3 << 3);
    put_varint(writer, header, blob->size);
    uint8_t head[4] = {(uint8_t)(header->size >> 24), (uint8_t)(header->size >> 16),
                       (uint8_t)(header->size >> 8), (uint8_t)header->size};
    write_all(writer, head, sizeof head);
    write_all(writer, header->data, header->size);
    write_all(writer, blob->data, blob->size);
}

static void flush(struct ht_osm_writer *writer)
{
    if (writer->count == 0 || writer->status != HT_OK) {
        return;
    }
    struct bytes *block = &writer->scratch[0];
    struct bytes *group = &writer->scratch[1];
    block->size = group->size = 0;
    if (writer->stage == STAGE_NODES) {
        struct bytes *dense = &writer->scratch[2];
        dense->size = 0;
        put_list(writer, dense, 1, &writer->ids);
        put_list(writer, dense, 8, &writer->lats);
        put_list(writer, dense, 9, &writer->lons);
        if (writer->any_tags) {
            put_list(writer, dense, 10, &writer->keys_values);
        }
        put_bytes(writer, group, 2, dense->data, dense->size);
    }
    const struct bytes *content = writer->stage == STAGE_NODES ? group : &writer->entities;
    put_bytes(writer, block, 1, writer->strings.table.data, writer->strings.table.size);
    put_bytes(writer, block, 2, content->data, content->size);
    write_blob(writer, "OSMData", block);
    begin_block(writer);
}

/* Before an entity: the right stage, and room in the block. */
static enum ht_status begin_entity(struct ht_osm_writer *writer, enum stage stage)
{
    if (stage < writer->stage) {
        set_status(writer, HT_INVALID);
    } else if (stage > writer->stage) {
        flush(writer);
        writer->stage = stage;
    }
    size_t bytes = writer->strings.table.size + writer->entities.size + writer->keys_values.size;
    if (writer->count >= BLOCK_ENTITIES || bytes > BLOCK_BYTES) {
        flush(writer);
    }
    writer->count++;
    return writer->status;
}

static void write_header(struct ht_osm_writer *writer)
{
    struct bytes *header = &writer->scratch[0];
    header->size = 0;
    put_bytes(writer, header, 4, "OsmSchema-V0.6", 14);
    put_bytes(writer, header, 4, "DenseNodes", 10);
    put_bytes(writer, header, 16, "houtao", 6);
    write_blob(writer, "OSMHeader", header);
}

static void writer_free(struct ht_osm_writer *writer)
{
    struct bytes *all[] = {&writer->strings.table, &writer->entities, &writer->ids,
                           &writer->lats,          &writer->lons,     &writer->keys_values};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->data);
    }
    for (size_t i = 0; i < sizeof writer->scratch / sizeof writer->scratch[0]; i++) {
        free(writer->scratch[i].data);
    }
    free(writer->strings.slots);
    free(writer->strings.list);
    free(writer);
}

enum ht_status ht_osm_writer_open(const char *path, struct ht_osm_writer **out,
                                  struct ht_error *error)
{
    struct ht_osm_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        char why[128];
        (void)ht_error_set(error, HT_IO, 0, "can't write %.160s: %s", path,
                           strerror_r(errno, why, sizeof why));
        writer_free(writer);
        return HT_IO;
    }
    write_header(writer);
    begin_block(writer);
    if (writer->status != HT_OK) {
        enum ht_status status = writer->status;
        (void)close(writer->fd);
        writer_free(writer);
        return ht_error_set(error, status, 0, NULL);
    }
    *out = writer;
    return HT_OK;
}

enum ht_status ht_osm_write_node(struct ht_osm_writer *writer, const struct ht_osm_node *node)
{
    if (begin_entity(writer, STAGE_NODES) != HT_OK) {
        return writer->status;
    }
    put_signed(writer, &writer->ids, difference(node->id, writer->last_id));
    put_signed(writer, &writer->lats, node->point.lat_e7 - writer->last_lat);
    put_signed(writer, &writer->lons, node->point.lon_e7 - writer->last_lon);
    writer->last_id = node->id;
    writer->last_lat = node->point.lat_e7;
    writer->last_lon = node->point.lon_e7;
    for (size_t i = 0; i < node->tags.count; i++) {
        if (node->tags.list[i].key[0] == '\0') {
            set_status(writer, HT_INVALID);
            return writer->status;
        }
        put_varint(writer, &writer->keys_values, string_number(writer, node->tags.list[i].key));
        put_varint(writer, &writer->keys_values, string_number(writer, node->tags.list[i].value));
        writer->any_tags = true;
    }
    put_varint(writer, &writer->keys_values, 0);
    return writer->status;
}

/* Id and tags, which ways and relations begin with. */
static void put_head(struct ht_osm_writer *writer, struct bytes *entity, int64_t id,
                     struct ht_osm_tags tags)
{
    struct bytes *keys = &writer->scratch[1];
    struct bytes *values = &writer->scratch[2];
    keys->size = values->size = 0;
    for (size_t i = 0; i < tags.count; i++) {
        put_varint(writer, keys, string_number(writer, tags.list[i].key));
        put_varint(writer, values, string_number(writer, tags.list[i].value));
    }
    put_varint(writer, entity, 1 << 3);
    put_varint(writer, entity, (uint64_t)id);
    put_list(writer, entity, 2, keys);
    put_list(writer, entity, 3, values);
}

static enum ht_status end_entity(struct ht_osm_writer *writer, uint32_t field,
                                 const struct bytes *entity)
{
    if (entity->size > ENTITY_BYTES) {
        set_status(writer, HT_TOO_BIG);
    }
    put_bytes(writer, &writer->entities, field, entity->data, entity->size);
    return writer->status;
}

enum ht_status ht_osm_write_way(struct ht_osm_writer *writer, const struct ht_osm_way *way)
{
    if (begin_entity(writer, STAGE_WAYS) != HT_OK) {
        return writer->status;
    }
    struct bytes *entity = &writer->scratch[0];
    entity->size = 0;
    put_head(writer, entity, way->id, way->tags);
    struct bytes *lists[3] = {&writer->scratch[3], &writer->scratch[4], &writer->scratch[5]};
    lists[0]->size = lists[1]->size = lists[2]->size = 0;
    int64_t ref = 0;
    struct ht_point last = {0, 0};
    for (size_t i = 0; i < way->ref_count; i++) {
        put_signed(writer, lists[0], difference(way->refs[i], ref));
        ref = way->refs[i];
        if (way->points != NULL) {
            struct ht_point point = way->points[i];
            put_signed(writer, lists[1], (int64_t)point.lat_e7 - last.lat_e7);
            put_signed(writer, lists[2], (int64_t)point.lon_e7 - last.lon_e7);
            last = point;
        }
    }
    for (uint32_t i = 0; i < 3; i++) {
        put_list(writer, entity, 8 + i, lists[i]);
    }
    return end_entity(writer, 3, entity);
}

enum ht_status ht_osm_write_relation(struct ht_osm_writer *writer,
                                     const struct ht_osm_relation *relation)
{
    if (begin_entity(writer, STAGE_RELATIONS) != HT_OK) {
        return writer->status;
    }
    struct bytes *entity = &writer->scratch[0];
    entity->size = 0;
    put_head(writer, entity, relation->id, relation->tags);
    struct bytes *lists[3] = {&writer->scratch[3], &writer->scratch[4], &writer->scratch[5]};
    lists[0]->size = lists[1]->size = lists[2]->size = 0;
    int64_t ref = 0;
    for (size_t i = 0; i < relation->member_count; i++) {
        const struct ht_osm_member *member = &relation->members[i];
        put_varint(writer, lists[0], string_number(writer, member->role));
        put_signed(writer, lists[1], difference(member->ref, ref));
        put_varint(writer, lists[2], (uint64_t)member->type);
        ref = member->ref;
    }
    for (uint32_t i = 0; i < 3; i++) {
        put_list(writer, entity, 8 + i, lists[i]);
    }
    return end_entity(writer, 4, entity);
}

enum ht_status ht_osm_writer_close(struct ht_osm_writer *writer)
{
    if (writer == NULL) {
        return HT_OK;
    }
    flush(writer);
    if (writer->status == HT_OK && fsync(writer->fd) != 0 && errno != EINVAL) {
        set_status(writer, HT_IO);
    }
    if (close(writer->fd) != 0) {
        set_status(writer, HT_IO);
    }
    enum ht_status status = writer->status;
    writer_free(writer);
    return status;
}
