#include "api/jt808_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARK = 0x7e,
    ESCAPE = 0x7d,
    HEADER = 12,      /* without parts */
    HEADER_2019 = 17, /* likewise */
    PARTS = 4,
    PHONE = 6,
    PHONE_2019 = 10,
    LENGTH_BITS = 0x3ff,
    ENCRYPTION_SHIFT = 10,
    ENCRYPTION_BITS = 7,
    BIT_PARTS = 1 << 13,
    BIT_2019 = 1 << 14,
};

const char *ht_jt808_fault_text(enum ht_jt808_fault fault)
{
    static const char *const texts[HT_JT808_FAULTS] = {
#define HT_JT808_FAULT_TEXT(name, text) text,
        HT_JT808_FAULT_MAP(HT_JT808_FAULT_TEXT)
#undef HT_JT808_FAULT_TEXT
    };
    return fault < HT_JT808_FAULTS ? texts[fault] : "";
}

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* ---- in ---- */

enum ht_jt808_found ht_jt808_scan(struct ht_jt808_scan *scan, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    scan->used = 0;
    if (size == 0) {
        return HT_JT808_NOTHING;
    }
    if (!scan->open) {
        const uint8_t *mark = memchr(bytes, MARK, size);
        at = mark == NULL ? size : (size_t)(mark - bytes) + 1;
        scan->passed += mark == NULL ? size : at - 1;
        scan->open = mark != NULL;
    }
    while (at < size && bytes[at] == MARK) {
        at++;
    }
    scan->used = at;
    const uint8_t *end = at == size ? NULL : memchr(bytes + at, MARK, size - at);
    size_t length = end == NULL ? size - at : (size_t)(end - bytes) - at;
    if (length > HT_JT808_RAW_MAX) {
        return HT_JT808_ENDLESS;
    }
    if (end == NULL) {
        return HT_JT808_NOTHING;
    }
    scan->raw = bytes + at;
    scan->raw_size = length;
    scan->used = at + length + 1;
    return HT_JT808_FRAME;
}

/* Without escapes, into `room` where there are any. */
static enum ht_jt808_fault unescape(const uint8_t **raw, size_t *size,
                                    uint8_t room[HT_JT808_MESSAGE_MAX])
{
    const uint8_t *at = *raw;
    const uint8_t *end = at + *size;
    const uint8_t *escape = memchr(at, ESCAPE, *size);
    size_t written = 0;
    if (escape == NULL) {
        return *size > HT_JT808_MESSAGE_MAX ? HT_JT808_FAULT_LONG : HT_JT808_FAULT_NONE;
    }
    for (;;) {
        size_t plain = (size_t)((escape == NULL ? end : escape) - at);
        if (written + plain + (escape != NULL) > HT_JT808_MESSAGE_MAX) {
            return HT_JT808_FAULT_LONG;
        }
        memcpy(room + written, at, plain);
        written += plain;
        if (escape == NULL) {
            break;
        }
        if (end - escape < 2 || (escape[1] != 1 && escape[1] != 2)) {
            return HT_JT808_FAULT_ESCAPE;
        }
        room[written++] = escape[1] == 1 ? ESCAPE : MARK;
        at = escape + 2;
        escape = memchr(at, ESCAPE, (size_t)(end - at));
    }
    *raw = room;
    *size = written;
    return HT_JT808_FAULT_NONE;
}

static uint8_t checksum_of(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
    }
    return sum;
}

/* Reads the header; returns its size, 0 where there is less. `*length`: of the body, as it says. */
static size_t header_read(const uint8_t *at, size_t size, struct ht_jt808_header *out,
                          size_t *length)
{
    if (size < HEADER) {
        return 0;
    }
    uint16_t properties = u16(at + 2);
    bool in_parts = (properties & BIT_PARTS) != 0;
    *out = (struct ht_jt808_header){
        .id = u16(at),
        .is_2019 = (properties & BIT_2019) != 0,
        .encryption = (uint8_t)(properties >> ENCRYPTION_SHIFT & ENCRYPTION_BITS)};
    size_t need = (size_t)(out->is_2019 ? HEADER_2019 : HEADER) + (in_parts ? PARTS : 0);
    if (size < need) {
        return 0;
    }
    *length = properties & LENGTH_BITS;
    at += 4;
    if (out->is_2019) {
        out->version = *at++;
    }
    size_t phone = out->is_2019 ? PHONE_2019 : PHONE;
    memcpy(out->phone, at, phone);
    at += phone;
    out->serial = u16(at);
    if (in_parts) {
        out->parts = u16(at + 2);
        out->part = u16(at + 4);
    }
    return need;
}

enum ht_jt808_fault ht_jt808_decode(const uint8_t *raw, size_t size,
                                    uint8_t room[HT_JT808_MESSAGE_MAX],
                                    struct ht_jt808_message *out)
{
    size_t length = 0;
    enum ht_jt808_fault fault = unescape(&raw, &size, room);
    if (fault != HT_JT808_FAULT_NONE) {
        return fault;
    }
    if (size < HEADER + 1) {
        return HT_JT808_FAULT_SHORT;
    }
    if (checksum_of(raw, size) != 0) { /* the last byte takes the others out */
        return HT_JT808_FAULT_CHECKSUM;
    }
    size_t header = header_read(raw, size - 1, &out->header, &length);
    if (header == 0) {
        return HT_JT808_FAULT_SHORT;
    }
    out->body = raw + header;
    out->size = size - 1 - header;
    if (out->size != length) {
        return HT_JT808_FAULT_LENGTH;
    }
    if (out->header.encryption != 0) {
        return HT_JT808_FAULT_ENCRYPTED;
    }
    bool in_parts = (u16(raw + 2) & BIT_PARTS) != 0;
    return in_parts && (out->header.part == 0 || out->header.part > out->header.parts)
               ? HT_JT808_FAULT_PARTS
               : HT_JT808_FAULT_NONE;
}

/* ---- out ---- */

static size_t escape_put(uint8_t *out, const uint8_t *bytes, size_t size)
{
    size_t written = 0;
    for (size_t i = 0; i < size; i++) {
        bool escaped = bytes[i] == MARK || bytes[i] == ESCAPE;
        out[written++] = escaped ? ESCAPE : bytes[i];
        if (escaped) {
            out[written++] = bytes[i] == ESCAPE ? 1 : 2;
        }
    }
    return written;
}

size_t ht_jt808_encode(const struct ht_jt808_header *to, uint16_t id, uint16_t serial,
                       const uint8_t *body, size_t size, uint8_t out[HT_JT808_WIRE_MAX])
{
    uint8_t header[HEADER_2019];
    size_t phone = to->is_2019 ? PHONE_2019 : PHONE;
    size_t at = 4;
    put_u16(header, id);
    put_u16(header + 2, (uint16_t)((size & LENGTH_BITS) | (to->is_2019 ? BIT_2019 : 0)));
    if (to->is_2019) {
        header[at++] = to->version;
    }
    memcpy(header + at, to->phone, phone);
    put_u16(header + at + phone, serial);
    at += phone + 2;
    const uint8_t sum =
        (uint8_t)(checksum_of(header, at) ^ (size == 0 ? 0 : checksum_of(body, size)));
    size_t written = 1;
    out[0] = MARK;
    written += escape_put(out + written, header, at);
    written += escape_put(out + written, body, size);
    written += escape_put(out + written, &sum, 1);
    out[written++] = MARK;
    return written;
}

/* ---- numbers of terminals ---- */

void ht_jt808_phone_text(const struct ht_jt808_header *header, char out[HT_JT808_PHONE_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t bytes = header->is_2019 ? PHONE_2019 : PHONE;
    size_t written = 0;
    for (size_t i = 0; i < 2 * bytes; i++) {
        unsigned digit = (unsigned)header->phone[i / 2] >> (i % 2 == 0 ? 4U : 0U) & 15U;
        if (digit != 0 || written > 0 || i + 1 == 2 * bytes) {
            out[written++] = digits[digit];
        }
    }
    out[written] = '\0';
}

bool ht_jt808_phone_set(struct ht_jt808_header *header, const char *digits)
{
    size_t bytes = header->is_2019 ? PHONE_2019 : PHONE;
    size_t size = strlen(digits);
    memset(header->phone, 0, sizeof header->phone);
    for (size_t i = 0; i < size && size <= 2 * bytes; i++) {
        size_t at = 2 * bytes - size + i;
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        header->phone[at / 2] |= (uint8_t)((digits[i] - '0') << (at % 2 == 0 ? 4 : 0));
    }
    return size > 0 && size <= 2 * bytes;
}

/* ---- messages in parts ---- */

struct ht_jt808_assembly {
    struct ht_jt808_header header; /* of the first part that came */
    uint16_t base;                 /* serial of part 1 */
    uint16_t left;                 /* parts that are missing */
    uint64_t seen;                 /* bits */
    int64_t begun_ms;
    uint16_t sizes[HT_JT808_PARTS_MAX];
    uint8_t bytes[]; /* a slot of HT_JT808_BODY_MAX for each */
};
static_assert(HT_JT808_PARTS_MAX <= 64, "a bit for each part");

static uint16_t base_of(const struct ht_jt808_header *header)
{
    return (uint16_t)(header->serial - header->part + 1);
}

static bool belongs(const struct ht_jt808_assembly *assembly, const struct ht_jt808_header *header)
{
    return assembly->header.id == header->id && assembly->header.parts == header->parts &&
           assembly->base == base_of(header);
}

static struct ht_jt808_assembly *assembly_begin(const struct ht_jt808_header *header,
                                                int64_t now_ms)
{
    struct ht_jt808_assembly *assembly =
        malloc(sizeof *assembly + (size_t)header->parts * HT_JT808_BODY_MAX);
    if (assembly != NULL) {
        *assembly = (struct ht_jt808_assembly){
            .header = *header, .base = base_of(header), .left = header->parts, .begun_ms = now_ms};
    }
    return assembly;
}

/* All parts are there: one behind the other. */
static void parts_join(struct ht_jt808_assembly *assembly, struct ht_jt808_message *whole)
{
    size_t size = 0;
    for (size_t i = 0; i < assembly->header.parts; i++) {
        memmove(assembly->bytes + size, assembly->bytes + i * HT_JT808_BODY_MAX,
                assembly->sizes[i]);
        size += assembly->sizes[i];
    }
    *whole = (struct ht_jt808_message){assembly->header, assembly->bytes, size};
    whole->header.parts = 0;
    whole->header.part = 0;
}

enum ht_jt808_part ht_jt808_assembly_add(struct ht_jt808_assembly **assembly,
                                         const struct ht_jt808_message *part, int64_t now_ms,
                                         struct ht_jt808_message *whole, bool *dropped)
{
    const struct ht_jt808_header *header = &part->header;
    *dropped = false;
    if (header->parts > HT_JT808_PARTS_MAX || header->part == 0 || header->part > header->parts ||
        part->size > HT_JT808_BODY_MAX) {
        return HT_JT808_PART_REFUSED;
    }
    if (*assembly != NULL && !belongs(*assembly, header)) {
        *dropped = true;
        ht_jt808_assembly_free(*assembly);
        *assembly = NULL;
    }
    if (*assembly == NULL) {
        *assembly = assembly_begin(header, now_ms);
    }
    struct ht_jt808_assembly *a = *assembly;
    if (a == NULL) {
        return HT_JT808_PART_REFUSED;
    }
    size_t at = header->part - 1U;
    if ((a->seen >> at & 1U) == 0) {
        a->seen |= UINT64_C(1) << at;
        a->sizes[at] = (uint16_t)part->size;
        memcpy(a->bytes + at * HT_JT808_BODY_MAX, part->body, part->size);
        a->left--;
    }
    if (a->left > 0) {
        return HT_JT808_PART_TAKEN;
    }
    parts_join(a, whole);
    whole->header.serial = header->serial; /* of the part that is answered */
    return HT_JT808_PART_WHOLE;
}

void ht_jt808_assembly_free(struct ht_jt808_assembly *assembly)
{
    free(assembly);
}

size_t ht_jt808_assembly_bytes(const struct ht_jt808_assembly *assembly)
{
    return assembly == NULL ? 0
                            : sizeof *assembly + (size_t)assembly->header.parts * HT_JT808_BODY_MAX;
}

int64_t ht_jt808_assembly_begun_ms(const struct ht_jt808_assembly *assembly)
{
    return assembly == NULL ? 0 : assembly->begun_ms;
}
