#include "geodata/mvt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HT_PI 3.14159265358979323846
#define FIRST_CAPACITY 256
#define FIRST_SLOTS 64

/* --- bytes and the wire format of protocol buffers -------------------------------------------- */

static uint8_t *bytes_reserve(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, size_t extra)
{
    if (tile->failed) {
        return NULL;
    }
    if (bytes->data != NULL && extra <= bytes->capacity - bytes->size) {
        return bytes->data + bytes->size;
    }
    size_t capacity = bytes->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : bytes->capacity;
    bool fits = extra < SIZE_MAX / 4 - bytes->size &&
                (tile->limit == 0 || bytes->size + extra <= tile->limit);
    while (fits && capacity - bytes->size < extra) {
        capacity *= 2;
    }
    uint8_t *data = fits ? realloc(bytes->data, capacity) : NULL;
    if (data == NULL) {
        tile->failed = true;
        return NULL;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return data + bytes->size;
}

static void put_varint(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, uint64_t value)
{
    uint8_t *to = bytes_reserve(tile, bytes, 10);
    if (to == NULL) {
        return;
    }
    size_t n = 0;
    while (value >= 0x80) {
        to[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[n++] = (uint8_t)value;
    bytes->size += n;
}

static void put_raw(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, const void *data, size_t size)
{
    uint8_t *to = bytes_reserve(tile, bytes, size);
    if (to != NULL && size > 0) {
        memcpy(to, data, size);
        bytes->size += size;
    }
}

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void put_field(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, uint32_t field,
                      enum wire wire)
{
    put_varint(tile, bytes, (uint64_t)field << 3 | (uint64_t)wire);
}

static void put_uint(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, uint32_t field,
                     uint64_t value)
{
    put_field(tile, bytes, field, WIRE_VARINT);
    put_varint(tile, bytes, value);
}

static void put_bytes(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, uint32_t field,
                      const void *data, size_t size)
{
    put_field(tile, bytes, field, WIRE_BYTES);
    put_varint(tile, bytes, size);
    put_raw(tile, bytes, data, size);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

/* --- pools ------------------------------------------------------------------------------------ */

static uint32_t hash_of(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 16777619u;
    }
    return hash;
}

static void pool_grow(struct ht_mvt *tile, struct ht_mvt_pool *pool)
{
    uint32_t slot_count = pool->slot_count == 0 ? FIRST_SLOTS : pool->slot_count * 2;
    struct ht_mvt_slot *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        tile->failed = true;
        return;
    }
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        const struct ht_mvt_slot *old = &pool->slots[i];
        if (old->size == 0) {
            continue;
        }
        uint32_t at = hash_of(pool->bytes.data + old->at, old->size) & (slot_count - 1);
        while (slots[at].size != 0) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = *old;
    }
    free(pool->slots);
    pool->slots = slots;
    pool->slot_count = slot_count;
}

/* The number of what lies in scratch from `from` on; appended to the pool when it is new. */
static uint32_t pool_number(struct ht_mvt *tile, struct ht_mvt_pool *pool)
{
    if (!tile->failed && pool->count * 2 >= pool->slot_count) {
        pool_grow(tile, pool);
    }
    if (tile->failed || tile->scratch.size > UINT32_MAX) {
        tile->failed = true;
        return 0;
    }
    const uint8_t *data = tile->scratch.data;
    uint32_t size = (uint32_t)tile->scratch.size;
    uint32_t at = hash_of(data, size) & (pool->slot_count - 1);
    while (pool->slots[at].size != 0) {
        const struct ht_mvt_slot *slot = &pool->slots[at];
        if (slot->size == size && memcmp(pool->bytes.data + slot->at, data, size) == 0) {
            return slot->number;
        }
        at = (at + 1) & (pool->slot_count - 1);
    }
    size_t offset = pool->bytes.size;
    put_raw(tile, &pool->bytes, data, size);
    if (tile->failed) {
        return 0;
    }
    pool->slots[at] = (struct ht_mvt_slot){.at = offset, .size = size, .number = pool->count};
    return pool->count++;
}

static void pool_clear(struct ht_mvt_pool *pool)
{
    pool->bytes.size = 0;
    pool->count = 0;
    if (pool->slots != NULL) {
        memset(pool->slots, 0, pool->slot_count * sizeof *pool->slots);
    }
}

/* --- values ----------------------------------------------------------------------------------- */

struct ht_mvt_value ht_mvt_text_n(const char *text, size_t size)
{
    return (struct ht_mvt_value){.kind = HT_MVT_TEXT, .text = text, .size = size};
}

struct ht_mvt_value ht_mvt_text(const char *text)
{
    return ht_mvt_text_n(text, strlen(text));
}

struct ht_mvt_value ht_mvt_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (struct ht_mvt_value){.kind = HT_MVT_FLOAT, .bits = bits};
}

struct ht_mvt_value ht_mvt_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (struct ht_mvt_value){.kind = HT_MVT_DOUBLE, .bits = bits};
}

struct ht_mvt_value ht_mvt_uint(uint64_t value)
{
    return (struct ht_mvt_value){.kind = HT_MVT_UINT, .bits = value};
}

struct ht_mvt_value ht_mvt_sint(int64_t value)
{
    return (struct ht_mvt_value){.kind = HT_MVT_SINT, .bits = zigzag(value)};
}

struct ht_mvt_value ht_mvt_bool(bool value)
{
    return (struct ht_mvt_value){.kind = HT_MVT_BOOL, .bits = value ? 1 : 0};
}

/* Little endian, as the wire wants it. */
static void put_fixed(struct ht_mvt *tile, struct ht_mvt_bytes *bytes, uint64_t bits, size_t size)
{
    uint8_t *to = bytes_reserve(tile, bytes, size);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(bits >> 8 * i);
    }
    bytes->size += size;
}

static void put_value(struct ht_mvt *tile, const struct ht_mvt_value *value)
{
    struct ht_mvt_bytes *out = &tile->scratch;
    switch (value->kind) {
    case HT_MVT_TEXT:
        put_bytes(tile, out, HT_MVT_TEXT, value->text, value->size);
        break;
    case HT_MVT_FLOAT:
        put_field(tile, out, HT_MVT_FLOAT, WIRE_32);
        put_fixed(tile, out, value->bits, 4);
        break;
    case HT_MVT_DOUBLE:
        put_field(tile, out, HT_MVT_DOUBLE, WIRE_64);
        put_fixed(tile, out, value->bits, 8);
        break;
    case HT_MVT_UINT:
    case HT_MVT_SINT:
    case HT_MVT_BOOL:
        put_uint(tile, out, (uint32_t)value->kind, value->bits);
        break;
    }
}

/* --- tile, layer, feature --------------------------------------------------------------------- */

void ht_mvt_init(struct ht_mvt *tile, size_t limit)
{
    *tile = (struct ht_mvt){.limit = limit};
}

void ht_mvt_deinit(struct ht_mvt *tile)
{
    struct ht_mvt_bytes *const all[] = {&tile->out,          &tile->features, &tile->keys.bytes,
                                        &tile->values.bytes, &tile->tags,     &tile->shape,
                                        &tile->scratch};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->data);
    }
    free(tile->keys.slots);
    free(tile->values.slots);
    *tile = (struct ht_mvt){.limit = tile->limit};
}

void ht_mvt_layer(struct ht_mvt *tile, const char *name)
{
    tile->name = name;
    tile->feature_count = 0;
    tile->features.size = 0;
    pool_clear(&tile->keys);
    pool_clear(&tile->values);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

void ht_mvt_layer_end(struct ht_mvt *tile)
{
    if (tile->feature_count == 0 || tile->failed) {
        return;
    }
    enum { TILE_LAYER = 3, LAYER_VERSION = 15, LAYER_NAME = 1, LAYER_EXTENT = 5 };
    size_t name_size = strlen(tile->name);
    size_t size = 2 + 1 + varint_size(name_size) + name_size + tile->features.size +
                  tile->keys.bytes.size + tile->values.bytes.size + 1 + varint_size(HT_MVT_EXTENT);
    put_field(tile, &tile->out, TILE_LAYER, WIRE_BYTES);
    put_varint(tile, &tile->out, size);
    put_uint(tile, &tile->out, LAYER_VERSION, 2);
    put_bytes(tile, &tile->out, LAYER_NAME, tile->name, name_size);
    put_raw(tile, &tile->out, tile->features.data, tile->features.size);
    put_raw(tile, &tile->out, tile->keys.bytes.data, tile->keys.bytes.size);
    put_raw(tile, &tile->out, tile->values.bytes.data, tile->values.bytes.size);
    put_uint(tile, &tile->out, LAYER_EXTENT, HT_MVT_EXTENT);
}

void ht_mvt_feature(struct ht_mvt *tile, enum ht_mvt_geometry geometry, uint64_t id)
{
    tile->tags.size = 0;
    tile->shape.size = 0;
    tile->cursor = (struct ht_mvt_point){0, 0};
    tile->id = id;
    tile->geometry = geometry;
}

/* What scratch holds becomes a field of the layer, and stays in scratch. */
static void scratch_wrap(struct ht_mvt *tile, uint32_t field, const void *data, size_t size)
{
    tile->scratch.size = 0;
    put_bytes(tile, &tile->scratch, field, data, size);
}

void ht_mvt_tag(struct ht_mvt *tile, const char *key, struct ht_mvt_value value)
{
    enum { LAYER_KEY = 3, LAYER_VALUE = 4 };
    scratch_wrap(tile, LAYER_KEY, key, strlen(key));
    uint32_t key_number = pool_number(tile, &tile->keys);
    /* The value is written behind the room for its own length, which is one byte for all but texts.
     */
    tile->scratch.size = 0;
    put_field(tile, &tile->scratch, LAYER_VALUE, WIRE_BYTES);
    size_t inner = value.kind == HT_MVT_TEXT     ? 1 + varint_size(value.size) + value.size
                   : value.kind == HT_MVT_FLOAT  ? 5
                   : value.kind == HT_MVT_DOUBLE ? 9
                                                 : 1 + varint_size(value.bits);
    put_varint(tile, &tile->scratch, inner);
    put_value(tile, &value);
    uint32_t value_number = pool_number(tile, &tile->values);
    put_varint(tile, &tile->tags, key_number);
    put_varint(tile, &tile->tags, value_number);
}

enum command { MOVE_TO = 1, LINE_TO = 2, CLOSE_PATH = 7 };

static void put_command(struct ht_mvt *tile, enum command command, size_t count)
{
    put_varint(tile, &tile->shape, (uint64_t)command | (uint64_t)count << 3);
}

static void put_step(struct ht_mvt *tile, struct ht_mvt_point to)
{
    put_varint(tile, &tile->shape, (uint32_t)zigzag((int64_t)to.x - tile->cursor.x));
    put_varint(tile, &tile->shape, (uint32_t)zigzag((int64_t)to.y - tile->cursor.y));
    tile->cursor = to;
}

static bool same(struct ht_mvt_point a, struct ht_mvt_point b)
{
    return a.x == b.x && a.y == b.y;
}

void ht_mvt_points(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count)
{
    if (count == 0) {
        return;
    }
    put_command(tile, MOVE_TO, count);
    for (size_t i = 0; i < count; i++) {
        put_step(tile, points[i]);
    }
}

/* Moves to the first point and draws to those that differ from the one before them. */
static void put_path(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count,
                     size_t steps, bool backwards)
{
    const struct ht_mvt_point *first = backwards ? points + count - 1 : points;
    put_command(tile, MOVE_TO, 1);
    put_step(tile, *first);
    put_command(tile, LINE_TO, steps);
    for (size_t i = 1; i < count; i++) {
        struct ht_mvt_point p = backwards ? points[count - 1 - i] : points[i];
        if (!same(p, tile->cursor)) {
            put_step(tile, p);
        }
    }
}

static size_t steps_of(const struct ht_mvt_point *points, size_t count)
{
    size_t steps = 0;
    for (size_t i = 1; i < count; i++) {
        steps += !same(points[i], points[i - 1]);
    }
    return steps;
}

void ht_mvt_path(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count)
{
    size_t steps = steps_of(points, count);
    if (steps > 0) {
        put_path(tile, points, count, steps, false);
    }
}

void ht_mvt_ring(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count, bool hole)
{
    while (count > 1 && same(points[0], points[count - 1])) {
        count--;
    }
    int64_t area = 0; /* > 0: clockwise as seen, since y runs down */
    for (size_t i = 0; i < count; i++) {
        struct ht_mvt_point a = points[i];
        struct ht_mvt_point b = points[i + 1 == count ? 0 : i + 1];
        area += (int64_t)a.x * b.y - (int64_t)b.x * a.y;
    }
    size_t steps = steps_of(points, count);
    if (steps < 2 || area == 0) {
        return;
    }
    put_path(tile, points, count, steps, (area > 0) == hole);
    put_command(tile, CLOSE_PATH, 1);
}

void ht_mvt_feature_end(struct ht_mvt *tile)
{
    enum {
        LAYER_FEATURE = 2,
        FEATURE_ID = 1,
        FEATURE_TAGS = 2,
        FEATURE_TYPE = 3,
        FEATURE_GEOMETRY = 4
    };
    if (tile->shape.size == 0) {
        return;
    }
    struct ht_mvt_bytes *out = &tile->scratch;
    out->size = 0;
    if (tile->id != HT_MVT_NO_ID) {
        put_uint(tile, out, FEATURE_ID, tile->id);
    }
    if (tile->tags.size > 0) {
        put_bytes(tile, out, FEATURE_TAGS, tile->tags.data, tile->tags.size);
    }
    put_uint(tile, out, FEATURE_TYPE, (uint64_t)tile->geometry);
    put_bytes(tile, out, FEATURE_GEOMETRY, tile->shape.data, tile->shape.size);
    if (!tile->failed) {
        put_bytes(tile, &tile->features, LAYER_FEATURE, out->data, out->size);
        tile->feature_count++;
    }
}

/* --- web mercator ----------------------------------------------------------------------------- */

struct ht_mvt_frame ht_mvt_frame(uint32_t x, uint32_t y, uint32_t zoom)
{
    return (struct ht_mvt_frame){
        .scale = ldexp(HT_MVT_EXTENT, (int)zoom),
        .left = (double)x * HT_MVT_EXTENT,
        .top = (double)y * HT_MVT_EXTENT,
    };
}

/* Degrees to 1e-7, within the globe. */
static int32_t to_e7(double degrees, int32_t limit)
{
    double value = floor(degrees * 1e7 + 0.5);
    return value > limit ? limit : value < -limit ? -limit : (int32_t)value;
}

struct ht_box ht_mvt_box(uint32_t x, uint32_t y, uint32_t zoom, double margin)
{
    double tiles = ldexp(1.0, (int)zoom);
    struct ht_box box;
    const double rows[2] = {(double)y + 1.0 + margin, (double)y - margin};
    int32_t lat[2];
    for (int i = 0; i < 2; i++) {
        double turn = HT_PI * (1.0 - 2.0 * rows[i] / tiles);
        turn = turn > HT_PI ? HT_PI : turn < -HT_PI ? -HT_PI : turn;
        lat[i] = to_e7(atan(sinh(turn)) * (180.0 / HT_PI), HT_LAT_MAX_E7);
    }
    box.min.lon_e7 = to_e7(((double)x - margin) / tiles * 360.0 - 180.0, HT_LON_MAX_E7);
    box.max.lon_e7 = to_e7(((double)x + 1.0 + margin) / tiles * 360.0 - 180.0, HT_LON_MAX_E7);
    box.min.lat_e7 = lat[0];
    box.max.lat_e7 = lat[1];
    return box;
}

static int32_t to_step(double value)
{
    const double most = 1 << 30;
    value = round(value);
    return value > most ? (int32_t)most : value < -most ? -(int32_t)most : (int32_t)value;
}

struct ht_mvt_point ht_mvt_place(const struct ht_mvt_frame *frame, struct ht_point point)
{
    const double edge = 85.051128779806592378; /* where the mercator square ends */
    double lat = point.lat_e7 * 1e-7;
    lat = lat > edge ? edge : lat < -edge ? -edge : lat;
    double sine = sin(lat * (HT_PI / 180.0));
    double y = 0.5 - log((1.0 + sine) / (1.0 - sine)) / (4.0 * HT_PI);
    double x = (double)point.lon_e7 / 3.6e9 + 0.5;
    return (struct ht_mvt_point){to_step(x * frame->scale - frame->left),
                                 to_step(y * frame->scale - frame->top)};
}

bool ht_mvt_inside(struct ht_mvt_point point)
{
    return point.x > -HT_MVT_BUFFER && point.x < HT_MVT_EXTENT + HT_MVT_BUFFER &&
           point.y > -HT_MVT_BUFFER && point.y < HT_MVT_EXTENT + HT_MVT_BUFFER;
}

/* Narrows [from, to] of the line to one side of an edge: `delta` towards it, `room` until it. */
static bool clip_edge(double delta, double room, double *from, double *to)
{
    if (delta == 0.0) {
        return room >= 0.0;
    }
    double at = room / delta;
    if (delta < 0.0) {
        *from = at > *from ? at : *from;
    } else {
        *to = at < *to ? at : *to;
    }
    return *from <= *to;
}

bool ht_mvt_clip(struct ht_mvt_point line[2])
{
    const double low = -HT_MVT_BUFFER;
    const double high = HT_MVT_EXTENT + HT_MVT_BUFFER;
    double x = line[0].x;
    double y = line[0].y;
    double dx = (double)line[1].x - x;
    double dy = (double)line[1].y - y;
    double from = 0.0;
    double to = 1.0;
    if (!clip_edge(-dx, x - low, &from, &to) || !clip_edge(dx, high - x, &from, &to) ||
        !clip_edge(-dy, y - low, &from, &to) || !clip_edge(dy, high - y, &from, &to)) {
        return false;
    }
    if (to < 1.0) {
        line[1] = (struct ht_mvt_point){(int32_t)(x + to * dx), (int32_t)(y + to * dy)};
    }
    if (from > 0.0) {
        line[0] = (struct ht_mvt_point){(int32_t)(x + from * dx), (int32_t)(y + from * dy)};
    }
    return !same(line[0], line[1]);
}
