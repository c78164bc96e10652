#include <string.h>

#include "geodata/store_lite_internal.h"

enum {
    BLOB_START = 0x00,
    BLOB_LITTLE = 0x01,
    BLOB_MBR_END = 0x7c,
    BLOB_MEMBER = 0x69,
    BLOB_END = 0xfe,
    SRID_WGS84 = 4326,
    WKB_POINT = 1,
    WKB_LINE = 2,
    WKB_POLYGON = 3,
    WKB_MULTI = 4, /* this and the next two: multi-point, -line, -polygon */
};

/* A walk over WKB that copies it, or not, and grows the box of its points. */
struct walk {
    const unsigned char *at;
    const unsigned char *end;
    unsigned char *out; /* where `at` goes; NULL: nowhere */
    unsigned char mark; /* byte order of members in the copy */
    double box[4];
};

static bool take(struct walk *walk, void *value, size_t size)
{
    if ((size_t)(walk->end - walk->at) < size) {
        return false;
    }
    memcpy(value, walk->at, size);
    if (walk->out != NULL) {
        memcpy(walk->out, walk->at, size);
        walk->out += size;
    }
    walk->at += size;
    return true;
}

static bool points(struct walk *walk, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        double pair[2];
        if (!take(walk, pair, sizeof pair)) {
            return false;
        }
        for (int axis = 0; axis < 2; axis++) {
            walk->box[axis] = pair[axis] < walk->box[axis] ? pair[axis] : walk->box[axis];
            walk->box[axis + 2] =
                pair[axis] > walk->box[axis + 2] ? pair[axis] : walk->box[axis + 2];
        }
    }
    return true;
}

static bool counted_points(struct walk *walk)
{
    uint32_t count = 0;
    return take(walk, &count, sizeof count) && points(walk, count);
}

/* Point, line or polygon, after its type. */
static bool simple(struct walk *walk, uint32_t type)
{
    if (type == WKB_POINT) {
        return points(walk, 1);
    }
    if (type == WKB_LINE) {
        return counted_points(walk);
    }
    uint32_t rings = 0;
    bool sound = type == WKB_POLYGON && take(walk, &rings, sizeof rings);
    for (uint32_t i = 0; sound && i < rings; i++) {
        sound = counted_points(walk);
    }
    return sound;
}

static bool geometry(struct walk *walk)
{
    uint32_t type = 0;
    if (!take(walk, &type, sizeof type)) {
        return false;
    }
    if (type < WKB_MULTI) {
        return simple(walk, type);
    }
    uint32_t members = 0;
    bool sound = type <= WKB_MULTI + 2 && take(walk, &members, sizeof members);
    for (uint32_t i = 0; sound && i < members; i++) {
        unsigned char order = 0;
        uint32_t own = 0;
        sound = take(walk, &order, 1);
        if (sound && walk->out != NULL) {
            walk->out[-1] = walk->mark;
        }
        sound = sound && take(walk, &own, sizeof own) && own + WKB_MULTI - 1 == type &&
                simple(walk, own);
    }
    return sound;
}

enum ht_status ht__blob_from_wkb(const void *wkb, size_t wkb_size, unsigned char *out, size_t *size)
{
    const unsigned char *bytes = wkb;
    if (wkb_size < 1 || bytes[0] != BLOB_LITTLE) {
        return HT_SYNTAX;
    }
    struct walk walk = {.at = bytes + 1,
                        .end = bytes + wkb_size,
                        .out = out + HT__BLOB_HEAD,
                        .mark = BLOB_MEMBER,
                        .box = {1e300, 1e300, -1e300, -1e300}};
    if (!geometry(&walk) || walk.at != walk.end || walk.box[0] > walk.box[2]) {
        return HT_SYNTAX;
    }
    int32_t srid = SRID_WGS84;
    out[0] = BLOB_START;
    out[1] = BLOB_LITTLE;
    memcpy(out + 2, &srid, sizeof srid);
    memcpy(out + 6, walk.box, sizeof walk.box);
    out[38] = BLOB_MBR_END;
    *walk.out = BLOB_END;
    *size = wkb_size + HT__BLOB_EXTRA;
    return HT_OK;
}

enum ht_status ht__blob_to_wkb(const void *blob, size_t size, unsigned char *out, size_t *wkb_size)
{
    const unsigned char *bytes = blob;
    if (size <= HT__BLOB_EXTRA || bytes[0] != BLOB_START || bytes[1] != BLOB_LITTLE ||
        bytes[38] != BLOB_MBR_END || bytes[size - 1] != BLOB_END) {
        return HT_SYNTAX;
    }
    struct walk walk = {
        .at = bytes + HT__BLOB_HEAD, .end = bytes + size - 1, .out = out + 1, .mark = BLOB_LITTLE};
    if (!geometry(&walk) || walk.at != walk.end) {
        return HT_SYNTAX;
    }
    out[0] = BLOB_LITTLE;
    *wkb_size = size - HT__BLOB_EXTRA;
    return HT_OK;
}
