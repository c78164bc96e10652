/* The protobuf wire format, read in place: varints, fields, packed lists.
 *
 * Own code, since protobuf-c builds an object for each message and each packed list; what was
 * measured stands in the commit and in bench/bench_osm_read.c. Every read is bounded by the span
 * that it reads from; a malformed byte sets `bad` and ends the loop, so callers ask once, at the
 * end.
 *
 * Threading: pure functions on the caller's structs. Ownership: spans borrow the bytes that they
 * show.
 */
#ifndef HT_GEODATA_WIRE_H
#define HT_GEODATA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_wire {
    const uint8_t *at; /* NULL: a field that was absent */
    const uint8_t *end;
    bool bad;
};

enum ht_wire_type { HT_WIRE_VARINT = 0, HT_WIRE_64 = 1, HT_WIRE_BYTES = 2, HT_WIRE_32 = 5 };

struct ht_wire_field {
    uint64_t value;       /* of a varint */
    struct ht_wire bytes; /* of a length-delimited field */
    uint32_t number;
    enum ht_wire_type type;
};

/* Ten bytes at most; more, or the span's end before the last one, is bad and gives 0. */
static inline uint64_t ht_wire_varint(struct ht_wire *wire)
{
    const uint8_t *at = wire->at;
    if (at != wire->end && *at < 0x80) {
        wire->at = at + 1;
        return *at;
    }
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at != wire->end; shift += 7) {
        uint8_t byte = *at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7F) << shift : 0;
        if (byte < 0x80) {
            wire->at = at;
            return value;
        }
    }
    wire->bad = true;
    wire->at = wire->end;
    return 0;
}

/* The same, zigzag: sint32 and sint64. */
static inline int64_t ht_wire_signed(struct ht_wire *wire)
{
    uint64_t value = ht_wire_varint(wire);
    return (int64_t)((value >> 1) ^ (~(value & 1) + 1));
}

static inline bool ht_wire_more(const struct ht_wire *wire)
{
    return wire->at != wire->end;
}

/* The next field; false at the end and on a malformed one (then `bad` is set). */
static inline bool ht_wire_next(struct ht_wire *wire, struct ht_wire_field *field)
{
    if (wire->at == wire->end) {
        return false;
    }
    uint64_t key = ht_wire_varint(wire);
    uint64_t size = 0;
    field->number = (uint32_t)(key >> 3);
    field->type = (enum ht_wire_type)(key & 7);
    field->value = 0;
    field->bytes = (struct ht_wire){0};
    switch (key & 7) {
    case HT_WIRE_VARINT:
        field->value = ht_wire_varint(wire);
        return !wire->bad;
    case HT_WIRE_64:
        size = 8;
        break;
    case HT_WIRE_BYTES:
        size = ht_wire_varint(wire);
        break;
    case HT_WIRE_32:
        size = 4;
        break;
    default:
        wire->bad = true;
        break;
    }
    if (wire->bad || size > (uint64_t)(wire->end - wire->at) || key >> 32 != 0) {
        wire->bad = true;
        wire->at = wire->end;
        return false;
    }
    field->bytes = (struct ht_wire){.at = wire->at, .end = wire->at + size};
    wire->at += size;
    return true;
}

/* How many varints a packed list holds: the bytes that end one. */
static inline size_t ht_wire_count(struct ht_wire packed)
{
    size_t count = 0;
    for (const uint8_t *at = packed.at; at != packed.end; at++) {
        count += *at < 0x80;
    }
    return count;
}

#endif
