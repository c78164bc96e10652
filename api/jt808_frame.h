/* JT/T 808 frames: the bytes of a connection as messages, and back. No sockets here.
 *
 *   7e | header | body | checksum | 7e      within: 7e as 7d 02, 7d as 7d 01
 *
 *   header of 2011 and 2013: id 2, properties 2, phone 6, serial 2 [, parts 2, part 2]
 *   header of 2019:          id 2, properties 2, version 1, phone 10, serial 2 [, parts 2, part 2]
 *   properties: 0-9 length of the body, 10-12 encryption, 13 sent in parts, 14 header of 2019
 *
 * Numbers are big-endian, phones BCD with zeros in front, the checksum is the exclusive or of all
 * bytes before it. A mark may end one frame and begin the next: marks with nothing between them are
 * passed over, so that whoever lost the beginning is in step again at the next mark.
 *
 * A message may be longer than a frame and comes in parts then, with serials one behind the other.
 * One is put together at a time, of at most HT_JT808_PARTS_MAX parts: the caller bounds how many
 * assemblies there are and how long they may take.
 *
 * Threading: pure functions; an assembly is of one thread. Ownership: messages borrow the bytes
 * that they were read from. Source: JT/T 808-2011, -2013, -2019, chapter 4.4.
 */
#ifndef HT_API_JT808_FRAME_H
#define HT_API_JT808_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum {
    HT_JT808_BODY_MAX = 1023,                          /* of one frame */
    HT_JT808_MESSAGE_MAX = 21 + HT_JT808_BODY_MAX + 1, /* with the longest header and checksum */
    HT_JT808_RAW_MAX = 2 * HT_JT808_MESSAGE_MAX,       /* between the marks, all of it escaped */
    HT_JT808_WIRE_MAX = HT_JT808_RAW_MAX + 2,
    HT_JT808_PHONE_MAX = 20, /* digits */
    HT_JT808_PARTS_MAX = 64,
};

/* X(name, text): what is wrong with a frame. */
#define HT_JT808_FAULT_MAP(X)                                                                      \
    X(NONE, "none")                                                                                \
    X(SHORT, "short")         /* less than a header */                                             \
    X(LONG, "long")           /* more than a frame can hold */                                     \
    X(ESCAPE, "escape")       /* 7d with neither 01 nor 02 behind it */                            \
    X(CHECKSUM, "checksum")   /* nothing of it can be trusted, not even who sent it */             \
    X(LENGTH, "length")       /* the header says another length; it can be trusted, here and below \
                               */                                                                  \
    X(ENCRYPTED, "encrypted") /* with a key that nobody has here */                                \
    X(PARTS, "parts")         /* a part that there can't be */

enum ht_jt808_fault {
#define HT_JT808_FAULT_ENUM(name, text) HT_JT808_FAULT_##name,
    HT_JT808_FAULT_MAP(HT_JT808_FAULT_ENUM)
#undef HT_JT808_FAULT_ENUM
        HT_JT808_FAULTS
};
/* Static. */
const char *ht_jt808_fault_text(enum ht_jt808_fault fault);

struct ht_jt808_header {
    uint16_t id;
    uint16_t serial;
    uint16_t parts; /* 0: the message is whole */
    uint16_t part;  /* 1 to `parts` */
    bool is_2019;
    uint8_t version;    /* of 2019's */
    uint8_t encryption; /* 0: none */
    uint8_t phone[10];  /* BCD; six bytes where it is not 2019's */
};

struct ht_jt808_message {
    struct ht_jt808_header header;
    const uint8_t *body;
    size_t size;
};

/* What is found at the beginning of what came in. */
enum ht_jt808_found {
    HT_JT808_NOTHING, /* no whole frame; what is not used is to be kept */
    HT_JT808_FRAME,   /* raw[0..raw_size) between its marks */
    HT_JT808_ENDLESS, /* longer than a frame can be: there is no end to be waited for */
};
struct ht_jt808_scan {
    bool open;          /* the last byte that was used is a mark; false at first */
    const uint8_t *raw; /* of a frame */
    size_t raw_size;    /* 1 and more */
    size_t used;        /* of the bytes given; the rest has to come again, with what follows */
    uint64_t passed;    /* bytes outside of frames so far */
};
enum ht_jt808_found ht_jt808_scan(struct ht_jt808_scan *scan, const uint8_t *bytes, size_t size);

/* Reads what stands between two marks; `room` is for what was escaped, `out` may point into either.
 * `out->header` holds from HT_JT808_FAULT_LENGTH on. */
enum ht_jt808_fault ht_jt808_decode(const uint8_t *raw, size_t size,
                                    uint8_t room[HT_JT808_MESSAGE_MAX],
                                    struct ht_jt808_message *out);

/* Writes a whole frame to the terminal that sent `to`, in its kind of header; body of at most
 * HT_JT808_BODY_MAX bytes. Returns its size, at most 2 * (size + 18) + 2. */
size_t ht_jt808_encode(const struct ht_jt808_header *to, uint16_t id, uint16_t serial,
                       const uint8_t *body, size_t size, uint8_t out[HT_JT808_WIRE_MAX]);

/* The terminal's number without zeros in front ("0" where there are only zeros), as devices are
 * named by. Digits that are none of BCD's are a to f. */
void ht_jt808_phone_text(const struct ht_jt808_header *header, char out[HT_JT808_PHONE_MAX + 1]);
/* BCD of up to 20 digits into `header->phone`; false: other characters, or too many of them. */
bool ht_jt808_phone_set(struct ht_jt808_header *header, const char *digits);

/* ---- messages in parts ---- */

struct ht_jt808_assembly;

enum ht_jt808_part {
    HT_JT808_PART_TAKEN,   /* also one that came twice */
    HT_JT808_PART_WHOLE,   /* the last that was missing: `whole` is the message */
    HT_JT808_PART_REFUSED, /* of more parts than are taken, or out of memory */
};
/* Takes a part of a message. `*assembly` NULL: none is under way; a part of another message ends
 * the one before, `*dropped` says so. `whole` borrows the assembly, which is to be freed then. */
enum ht_jt808_part ht_jt808_assembly_add(struct ht_jt808_assembly **assembly,
                                         const struct ht_jt808_message *part, int64_t now_ms,
                                         struct ht_jt808_message *whole, bool *dropped);
/* NULL is fine, here and below: 0 bytes. */
void ht_jt808_assembly_free(struct ht_jt808_assembly *assembly);
size_t ht_jt808_assembly_bytes(const struct ht_jt808_assembly *assembly);
/* When its first part came. */
int64_t ht_jt808_assembly_begun_ms(const struct ht_jt808_assembly *assembly);

#endif
