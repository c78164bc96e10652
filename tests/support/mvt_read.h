/* A reader of vector tiles for tests: strict about what the specification asks, and small.
 *
 *   struct mvt_tile tile;
 *   HT_REQUIRE(mvt_read(bytes, size, &tile));
 *   const struct mvt_layer *layer = mvt_layer(&tile, "speeds");
 *
 * Threading: none. Ownership: mvt_free; texts point into the bytes.
 */
#ifndef HT_TESTS_SUPPORT_MVT_READ_H
#define HT_TESTS_SUPPORT_MVT_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct mvt_span {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

struct mvt_value {
    uint32_t field; /* 1 text, 2 float, 3 double, 5 uint, 6 sint, 7 bool */
    double number;
    struct mvt_span text;
};

enum { MVT_TAGS = 16, MVT_POINTS = 64, MVT_LAYERS = 16, MVT_MOST = 20000 };

struct mvt_feature {
    bool has_id;
    uint64_t id;
    uint32_t type;
    uint32_t tag_count;
    uint32_t tags[MVT_TAGS][2]; /* key, value */
    uint32_t part_count;        /* lines or rings */
    uint32_t closed_count;
    uint32_t point_count;
    int32_t points[MVT_POINTS][2];
};

struct mvt_layer {
    struct mvt_span name;
    uint32_t version;
    uint32_t extent;
    uint32_t key_count;
    uint32_t value_count;
    uint32_t feature_count;
    struct mvt_span *keys;
    struct mvt_value *values;
    struct mvt_feature *features;
};

struct mvt_tile {
    uint32_t layer_count;
    struct mvt_layer layers[MVT_LAYERS];
};

static inline uint64_t mvt_varint(struct mvt_span *s)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (s->at == s->end) {
            s->bad = true;
            return 0;
        }
        uint8_t byte = *s->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    s->bad = true;
    return 0;
}

static inline struct mvt_span mvt_take(struct mvt_span *s, uint64_t size)
{
    struct mvt_span part = {s->at, s->at, false};
    if (s->bad || size > (uint64_t)(s->end - s->at)) {
        s->bad = true;
        return part;
    }
    s->at += size;
    part.end = s->at;
    return part;
}

static inline uint64_t mvt_fixed(struct mvt_span *s, size_t size)
{
    struct mvt_span part = mvt_take(s, size);
    uint64_t bits = 0;
    for (size_t i = 0; i < (size_t)(part.end - part.at); i++) {
        bits |= (uint64_t)part.at[i] << 8 * i;
    }
    return bits;
}

static inline int64_t mvt_zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline struct mvt_value mvt_read_value(struct mvt_span s, bool *bad)
{
    uint64_t tag = mvt_varint(&s);
    struct mvt_value value = {.field = (uint32_t)(tag >> 3)};
    static const uint32_t wires[] = {9, 2, 5, 1, 0, 0, 0, 0};
    if (value.field < 1 || value.field > 7 || wires[value.field] != (tag & 7)) {
        *bad = true;
        return value;
    }
    if (value.field == 1) {
        value.text = mvt_take(&s, mvt_varint(&s));
    } else if (value.field == 2) {
        uint32_t bits = (uint32_t)mvt_fixed(&s, 4);
        float number;
        memcpy(&number, &bits, sizeof number);
        value.number = (double)number;
    } else if (value.field == 3) {
        uint64_t bits = mvt_fixed(&s, 8);
        memcpy(&value.number, &bits, sizeof value.number);
    } else {
        uint64_t number = mvt_varint(&s);
        value.number = value.field == 6 ? (double)mvt_zigzag(number) : (double)number;
    }
    *bad = *bad || s.bad || s.at != s.end;
    return value;
}

static inline void mvt_read_shape(struct mvt_span s, struct mvt_feature *f, bool *bad)
{
    int64_t x = 0;
    int64_t y = 0;
    while (s.at != s.end && !s.bad && !*bad) {
        uint64_t command = mvt_varint(&s);
        uint64_t count = command >> 3;
        if ((command & 7) == 7) {
            f->closed_count++;
            *bad = *bad || count != 1 || f->part_count == 0;
            continue;
        }
        *bad = *bad || ((command & 7) != 1 && (command & 7) != 2) || count == 0 || count > 100000 ||
               ((command & 7) == 2 && f->part_count == 0);
        f->part_count += (command & 7) == 1;
        for (uint64_t i = 0; i < count && !s.bad && !*bad; i++) {
            int64_t dx = mvt_zigzag(mvt_varint(&s));
            int64_t dy = mvt_zigzag(mvt_varint(&s));
            *bad = *bad || ((command & 7) == 2 && dx == 0 && dy == 0); /* no step may be empty */
            x += dx;
            y += dy;
            if (f->point_count < MVT_POINTS) {
                f->points[f->point_count][0] = (int32_t)x;
                f->points[f->point_count][1] = (int32_t)y;
            }
            f->point_count++;
        }
    }
    *bad = *bad || s.bad;
}

static inline void mvt_read_feature(struct mvt_span s, struct mvt_feature *f, bool *bad)
{
    while (s.at != s.end && !s.bad) {
        uint64_t tag = mvt_varint(&s);
        if (tag == (1 << 3)) {
            f->has_id = true;
            f->id = mvt_varint(&s);
        } else if (tag == (3 << 3)) {
            f->type = (uint32_t)mvt_varint(&s);
        } else if (tag == (2 << 3 | 2)) {
            struct mvt_span tags = mvt_take(&s, mvt_varint(&s));
            while (tags.at != tags.end && !tags.bad && f->tag_count < MVT_TAGS) {
                f->tags[f->tag_count][0] = (uint32_t)mvt_varint(&tags);
                f->tags[f->tag_count++][1] = (uint32_t)mvt_varint(&tags);
            }
            *bad = *bad || tags.bad;
        } else if (tag == (4 << 3 | 2)) {
            mvt_read_shape(mvt_take(&s, mvt_varint(&s)), f, bad);
        } else {
            *bad = true;
        }
    }
    *bad = *bad || s.bad || f->type < 1 || f->type > 3 || f->point_count == 0;
}

static inline void mvt_read_layer(struct mvt_span s, struct mvt_layer *layer, bool *bad)
{
    layer->keys = calloc(MVT_MOST, sizeof *layer->keys);
    layer->values = calloc(MVT_MOST, sizeof *layer->values);
    layer->features = calloc(MVT_MOST, sizeof *layer->features);
    if (layer->keys == NULL || layer->values == NULL || layer->features == NULL) {
        abort();
    }
    while (s.at != s.end && !s.bad && !*bad) {
        uint64_t tag = mvt_varint(&s);
        if (tag == (15 << 3)) {
            layer->version = (uint32_t)mvt_varint(&s);
        } else if (tag == (5 << 3)) {
            layer->extent = (uint32_t)mvt_varint(&s);
        } else if (tag == (1 << 3 | 2)) {
            layer->name = mvt_take(&s, mvt_varint(&s));
        } else if (tag == (2 << 3 | 2) && layer->feature_count < MVT_MOST) {
            mvt_read_feature(mvt_take(&s, mvt_varint(&s)), &layer->features[layer->feature_count++],
                             bad);
        } else if (tag == (3 << 3 | 2) && layer->key_count < MVT_MOST) {
            layer->keys[layer->key_count++] = mvt_take(&s, mvt_varint(&s));
        } else if (tag == (4 << 3 | 2) && layer->value_count < MVT_MOST) {
            layer->values[layer->value_count++] = mvt_read_value(mvt_take(&s, mvt_varint(&s)), bad);
        } else {
            *bad = true;
        }
    }
    for (uint32_t i = 0; i < layer->feature_count; i++) {
        const struct mvt_feature *f = &layer->features[i];
        for (uint32_t k = 0; k < f->tag_count; k++) {
            *bad = *bad || f->tags[k][0] >= layer->key_count || f->tags[k][1] >= layer->value_count;
        }
    }
    *bad = *bad || s.bad || layer->version != 2 || layer->extent != 4096;
}

static inline void mvt_free(struct mvt_tile *tile)
{
    for (uint32_t i = 0; i < tile->layer_count; i++) {
        free(tile->layers[i].keys);
        free(tile->layers[i].values);
        free(tile->layers[i].features);
    }
    tile->layer_count = 0;
}

static inline bool mvt_read(const void *bytes, size_t size, struct mvt_tile *tile)
{
    struct mvt_span s = {bytes, (const uint8_t *)bytes + size, false};
    bool bad = false;
    memset(tile, 0, sizeof *tile);
    while (s.at != s.end && !s.bad && !bad) {
        bad = mvt_varint(&s) != (3 << 3 | 2) || tile->layer_count == MVT_LAYERS;
        if (!bad) {
            mvt_read_layer(mvt_take(&s, mvt_varint(&s)), &tile->layers[tile->layer_count++], &bad);
        }
    }
    if (bad || s.bad) {
        mvt_free(tile);
        return false;
    }
    return true;
}

static inline bool mvt_is(struct mvt_span span, const char *text)
{
    return (size_t)(span.end - span.at) == strlen(text) && memcmp(span.at, text, strlen(text)) == 0;
}

static inline const struct mvt_layer *mvt_layer(const struct mvt_tile *tile, const char *name)
{
    for (uint32_t i = 0; i < tile->layer_count; i++) {
        if (mvt_is(tile->layers[i].name, name)) {
            return &tile->layers[i];
        }
    }
    return NULL;
}

/* The value of a key; field 0 where the feature has none. */
static inline struct mvt_value mvt_get(const struct mvt_layer *layer, const struct mvt_feature *f,
                                       const char *key)
{
    for (uint32_t i = 0; i < f->tag_count; i++) {
        if (mvt_is(layer->keys[f->tags[i][0]], key)) {
            return layer->values[f->tags[i][1]];
        }
    }
    return (struct mvt_value){.field = 0};
}

#endif
