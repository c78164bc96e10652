/* Address: the parts of a Chinese standard address, and the form in which texts are searched.
 *
 *   浙江省 宁波市 镇海区 招宝山街道 胜利社区 中山路 123弄 5号 候涛花园 3幢 2单元 5楼 501室
 *   province city district town community road lane house compound building unit floor room
 *
 * Any part may be missing; number parts may be in Arabic, full-width or Chinese digits ("三幢",
 * "十二栋", "五〇一室"), and may come as "候涛花园3-2-501" or "3幢501". It never fails: what isn't
 * understood stays in `rest`.
 *
 * Threading: pure functions. Ownership: parts are places in the text that was given.
 */
#ifndef HT_GEODATA_ADDRESS_H
#define HT_GEODATA_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/text.h"

#define HT_ADDRESS_NO_NUMBER UINT32_MAX

/* Bytes of the text; size 0: missing. */
struct ht_span {
    uint32_t begin;
    uint32_t size;
};

struct ht_address_number {
    struct ht_span
        text; /* without what follows it: "3" of "3幢", "12-1" of "12-1号", "A" of "A座" */
    uint32_t number; /* its first number, or HT_ADDRESS_NO_NUMBER */
};

enum { HT_ADDRESS_RESTS = 4 };

struct ht_address {
    struct ht_span province; /* names hold what follows them: "镇海区" */
    struct ht_span city;
    struct ht_span district; /* or county, or a city of that level */
    struct ht_span town;
    struct ht_span community;
    struct ht_span road;
    struct ht_address_number lane;
    struct ht_address_number house;
    struct ht_span compound;
    struct ht_address_number building;
    struct ht_address_number unit;
    struct ht_address_number floor;
    struct ht_address_number room;
    struct ht_span rest[HT_ADDRESS_RESTS]; /* in the order of the text; the last one reaches to the
                                              end of whatever else there is */
    size_t rest_count;
};

/* Of texts beyond 256 characters the end is rest. Cost: some three microseconds. */
void ht_address_parse(const char *text, size_t size, struct ht_address *out);

/* Appends the text for searching: full-width forms as ASCII, lower case, Chinese numerals as
 * digits, no spaces. What is not UTF-8 is left out. */
void ht_address_normalize(const char *text, size_t size, struct ht_text *out);

#endif
