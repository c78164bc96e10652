/* Frames and messages of JT/T 808: bytes made by hand (with another program than the one that is
 * tested), and what terminals of many makers sent, where that is at hand. */
#include <math.h>

#include "api/jt808_message.h"
#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/jt808.h"

static uint8_t wire[1 << 16];
static uint8_t room[HT_JT808_MESSAGE_MAX];
static struct ht_jt808_message message;

static enum ht_jt808_fault decode(const char *text)
{
    return jt_decode(text, wire, sizeof wire, room, &message);
}

static const char *phone(void)
{
    static char text[HT_JT808_PHONE_MAX + 1];
    ht_jt808_phone_text(&message.header, text);
    return text;
}

static bool is(struct ht_jt808_text text, const char *what)
{
    return text.size == strlen(what) && memcmp(text.bytes, what, text.size) == 0;
}

static const char location_2013[] =
    "7e02000045013800138000007d02000000000000000301c90030074125b0000c0168005a260301083015010400001e"
    "610202012c030201680402000930011931010c2504000000a12a020003e4020163fe0101787e";
static const char location_2019[] =
    "7e0200401c01000000000138001380000007000000010000000e0204cc00043653f4fffb0168005a240229235959b9"
    "7e";

HT_CASE(location_of_2013_is_read_with_its_items)
{
    struct ht_jt808_location location;
    HT_CHECK_INT(decode(location_2013), HT_JT808_FAULT_NONE);
    HT_CHECK_INT(message.header.id, HT_JT808_LOCATION);
    HT_CHECK_INT(message.header.serial, 0x7e); /* escaped on the wire */
    HT_CHECK(!message.header.is_2019);
    HT_CHECK_STR(phone(), "13800138000");
    HT_REQUIRE(ht_jt808_location_read(message.body, message.size, &location));
    HT_CHECK(fabs(location.lat_deg - 29.95) < 1e-9 && fabs(location.lon_deg - 121.71) < 1e-9);
    HT_CHECK(fabs(location.speed_mps - 10) < 1e-9 && location.bearing_deg == 90);
    HT_CHECK_INT(location.altitude_m, 12);
    HT_CHECK_INT(location.at_ms, INT64_C(1772325015000)); /* 08:30:15 in GMT+8 */
    HT_CHECK(ht_jt808_bit(location.status, HT_JT808_STATUS_FIXED));
    HT_CHECK_INT(location.alarm, 0);
    HT_CHECK_INT(location.mileage_m, 777700);
    HT_CHECK_INT(location.fuel_dl, 300);
    HT_CHECK(fabs(location.recorder_speed_mps - 10) < 1e-9);
    HT_CHECK_INT(location.alarm_event, 9);
    HT_CHECK_INT(location.network, 25);
    HT_CHECK_INT(location.satellites, 12);
    HT_CHECK_INT(location.signals, 0xa1);
    HT_CHECK_INT(location.io, 3);
    HT_CHECK_INT(location.analog, -1);
    HT_CHECK_INT(location.battery_percent, 99);
    HT_CHECK(!location.cut);
}

HT_CASE(location_of_2019_south_and_west_below_the_sea)
{
    struct ht_jt808_location location;
    HT_CHECK_INT(decode(location_2019), HT_JT808_FAULT_NONE);
    HT_CHECK(message.header.is_2019 && message.header.version == 1);
    HT_CHECK_STR(phone(), "13800138000");
    HT_REQUIRE(ht_jt808_location_read(message.body, message.size, &location));
    HT_CHECK(fabs(location.lat_deg + 33.8688) < 1e-9 && fabs(location.lon_deg + 70.6693) < 1e-9);
    HT_CHECK_INT(location.altitude_m, -5);
    HT_CHECK_INT(location.at_ms, INT64_C(1709222399000)); /* a leap day */
    HT_CHECK(ht_jt808_bit(location.alarm, HT_JT808_ALARM_EMERGENCY));
    HT_CHECK_INT(location.battery_percent, -1);
}

/* Marks within frames come back as they were (the example of the standard). */
HT_CASE(escapes_are_taken_out)
{
    static const uint8_t raw[] = {0x30, 0x7d, 0x02, 0x08, 0x7d, 0x01, 0x55};
    static const uint8_t plain[] = {0x30, 0x7e, 0x08, 0x7d, 0x55};
    struct ht_jt808_header to = {.id = 0};
    uint8_t out[HT_JT808_WIRE_MAX];
    HT_CHECK(ht_jt808_phone_set(&to, "13800138000"));
    size_t size = ht_jt808_encode(&to, 0x8300, 1, plain, sizeof plain, out);
    bool there = false;
    for (size_t i = 0; i + sizeof raw <= size; i++) {
        there = there || memcmp(out + i, raw, sizeof raw) == 0;
    }
    HT_CHECK(there);
    HT_CHECK_INT(ht_jt808_decode(out + 1, size - 2, room, &message), HT_JT808_FAULT_NONE);
    HT_CHECK_INT(message.size, sizeof plain);
    HT_CHECK(memcmp(message.body, plain, sizeof plain) == 0);
}

HT_CASE(bad_frames_are_told_apart)
{
    HT_CHECK_INT(decode("7e000200000138001380000003aa7e"), HT_JT808_FAULT_CHECKSUM);
    HT_CHECK_INT(decode("7e0002000001380013800003ab7e"), HT_JT808_FAULT_SHORT);
    HT_CHECK_INT(decode("7e00020000017d03138000000003ab7e"), HT_JT808_FAULT_ESCAPE);
    HT_CHECK_INT(decode("7e000200000138001380000003ab7d7e"), HT_JT808_FAULT_ESCAPE);
    HT_CHECK_INT(decode("7e00020002013800138000000300a97e"), HT_JT808_FAULT_LENGTH);
    HT_CHECK_INT(message.header.serial, 3); /* can be answered */
    HT_CHECK_INT(
        decode("7e0200041c0138001380000003000000000000000301c90030074125b0000c0168005a26030108"
               "3015ad7e"),
        HT_JT808_FAULT_ENCRYPTED);
    HT_CHECK_INT(
        decode("7e0200201c013800138000000300020000000000000000000301c90030074125b0000c0168005a"
               "2603010830158b7e"),
        HT_JT808_FAULT_PARTS);
    uint8_t all[HT_JT808_RAW_MAX];
    memset(all, 0x30, sizeof all);
    HT_CHECK_INT(ht_jt808_decode(all, sizeof all, room, &message), HT_JT808_FAULT_LONG);
    all[0] = 0x7d;
    all[1] = 1;
    HT_CHECK_INT(ht_jt808_decode(all, sizeof all, room, &message), HT_JT808_FAULT_LONG);
    HT_CHECK_STR(ht_jt808_fault_text(HT_JT808_FAULT_CHECKSUM), "checksum");
}

/* Gives a stream to the scanner in pieces of `step` bytes, as a connection does; counts frames. */
static size_t frames_in_steps(const uint8_t *bytes, size_t size, size_t step, uint64_t *passed)
{
    uint8_t held[1 << 12];
    size_t have = 0;
    size_t frames = 0;
    struct ht_jt808_scan scan = {0};
    for (size_t at = 0; at < size; at += step) {
        size_t more = step < size - at ? step : size - at;
        memcpy(held + have, bytes + at, more);
        have += more;
        size_t used = 0;
        while (ht_jt808_scan(&scan, held + used, have - used) == HT_JT808_FRAME) {
            frames +=
                ht_jt808_decode(scan.raw, scan.raw_size, room, &message) == HT_JT808_FAULT_NONE;
            used += scan.used;
        }
        used += scan.used;
        memmove(held, held + used, have - used);
        have -= used;
    }
    *passed = scan.passed;
    return frames;
}

HT_CASE(frames_are_found_however_they_come)
{
    /* noise, a frame, two marks, one that shares its mark with the next, noise, one more */
    uint64_t passed = 0;
    size_t size = jt_hex("0d0a7e000200000138001380000003ab7e7e0002000001380013800000"
                         "03ab7e000200000138001380000003ab7e0d0a7e000200000138001380000003ab7e",
                         wire, sizeof wire);
    for (size_t step = 1; step <= size; step++) {
        HT_CHECK_INT(frames_in_steps(wire, size, step, &passed), 4);
        HT_CHECK_INT(passed, 2);
    }
}

HT_CASE(frame_without_end_is_known_for_one)
{
    struct ht_jt808_scan scan = {0};
    memset(wire, 0x31, sizeof wire);
    wire[0] = 0x7e;
    HT_CHECK_INT(ht_jt808_scan(&scan, wire, 1 + HT_JT808_RAW_MAX), HT_JT808_NOTHING);
    HT_CHECK_INT(scan.used, 1);
    HT_CHECK_INT(ht_jt808_scan(&scan, wire + 1, HT_JT808_RAW_MAX + 1), HT_JT808_ENDLESS);
    HT_CHECK_INT(ht_jt808_scan(&scan, wire + 1, 0), HT_JT808_NOTHING);
}

static const char register_2011[] =
    "7e010000210138001380000001002100ce4d414b45524d4f44454c0000005431323334353601d5e342313233343"
    "56c7e";
static const char register_2011_chassis[] =
    "7e0100002a0138001380000001002100ce4d414b45524d4f44454c00000054313233343536004c5356414134313"
    "83245323138343834"
    "37147e";
static const char register_2013[] =
    "7e0100002d0138001380000001002100ce4d414b45524d4f44454c2d4f462d323031330000000000000054313233"
    "34353602d5e34231323334356a7e";
static const char register_2019[] =
    "7e0100405401000000000138001380000001002100ce0000000000004d414b45524d4f44454c2d4f462d32303139"
    "00000000000000000000000000000000005445524d494e414c2d3030303100000000000000000000000000000000"
    "0002d5e3423132333435237e";

HT_CASE(registrations_of_three_years)
{
    struct ht_jt808_register asked;
    HT_CHECK_INT(decode(register_2011), HT_JT808_FAULT_NONE);
    HT_REQUIRE(ht_jt808_register_read(&message, &asked));
    HT_CHECK_INT(asked.province, 33);
    HT_CHECK_INT(asked.city, 206);
    HT_CHECK(is(asked.maker, "MAKER") && is(asked.model, "MODEL") && is(asked.terminal, "T123456"));
    HT_CHECK_INT(asked.colour, 1);
    HT_CHECK(is(asked.plate, "\xd5\xe3"
                             "B12345"));
    HT_CHECK_INT(decode(register_2011_chassis), HT_JT808_FAULT_NONE);
    HT_REQUIRE(ht_jt808_register_read(&message, &asked));
    HT_CHECK(is(asked.terminal, "T123456") && asked.colour == 0 &&
             is(asked.plate, "LSVAA4182E2184847"));
    HT_CHECK_INT(decode(register_2013), HT_JT808_FAULT_NONE);
    HT_REQUIRE(ht_jt808_register_read(&message, &asked));
    HT_CHECK(is(asked.model, "MODEL-OF-2013") && is(asked.terminal, "T123456"));
    HT_CHECK_INT(asked.colour, 2);
    HT_CHECK_INT(decode(register_2019), HT_JT808_FAULT_NONE);
    HT_REQUIRE(ht_jt808_register_read(&message, &asked));
    HT_CHECK(is(asked.maker, "MAKER") && is(asked.model, "MODEL-OF-2019") &&
             is(asked.terminal, "TERMINAL-0001"));
    message.size = 20;
    HT_CHECK(!ht_jt808_register_read(&message, &asked));
}

HT_CASE(codes_are_read_and_others_answers)
{
    struct ht_jt808_text code;
    struct ht_jt808_answer answer;
    HT_CHECK_INT(decode("7e010200060138001380000002616263313233fd7e"), HT_JT808_FAULT_NONE);
    HT_CHECK(ht_jt808_authenticate_read(&message, &code) && is(code, "abc123"));
    message.size = 0;
    HT_CHECK(!ht_jt808_authenticate_read(&message, &code));
    HT_CHECK_INT(decode("7e0102402a010000000001380013800000020661626331323331323334353637383930313"
                        "2333435312e300000000000000000000000000000000000897e"),
                 HT_JT808_FAULT_NONE);
    HT_CHECK(ht_jt808_authenticate_read(&message, &code) && is(code, "abc123"));
    message.size = 6; /* less than it says */
    HT_CHECK(!ht_jt808_authenticate_read(&message, &code));
    HT_CHECK_INT(decode("7e0001000501380013800000060009830000227e"), HT_JT808_FAULT_NONE);
    HT_REQUIRE(ht_jt808_answer_read(&message, &answer));
    HT_CHECK(answer.serial == 9 && answer.id == HT_JT808_OUT_TEXT && answer.result == 0);
}

static const char batch_hex[] =
    "7e0704003f0138001380000004000201001c000000000000000301c90030074125b0000c0168005a260301083000"
    "001c000000000000000301c90418074125b0000c0168005a260301083010ad7e";

/* Both locations of the batch that is in `from`. */
static void batch_check(const struct ht_jt808_message *from)
{
    struct ht_jt808_batch batch;
    struct ht_jt808_location location;
    const uint8_t *body = NULL;
    size_t size = 0;
    HT_REQUIRE(ht_jt808_batch_begin(from, &batch));
    HT_CHECK(batch.count == 2 && batch.late);
    HT_REQUIRE(ht_jt808_batch_next(&batch, &body, &size));
    HT_CHECK(ht_jt808_location_read(body, size, &location));
    HT_CHECK_INT(location.at_ms, INT64_C(1772325000000));
    HT_REQUIRE(ht_jt808_batch_next(&batch, &body, &size));
    HT_CHECK(ht_jt808_location_read(body, size, &location));
    HT_CHECK(location.at_ms == INT64_C(1772325010000) && fabs(location.lat_deg - 29.951) < 1e-9);
    HT_CHECK(!ht_jt808_batch_next(&batch, &body, &size));
    HT_CHECK_INT(batch.left, 0);
}

HT_CASE(batch_is_read_and_a_cut_one_is_known)
{
    struct ht_jt808_batch batch;
    const uint8_t *body = NULL;
    size_t size = 0;
    HT_CHECK_INT(decode(batch_hex), HT_JT808_FAULT_NONE);
    batch_check(&message);
    message.size--;
    HT_REQUIRE(ht_jt808_batch_begin(&message, &batch));
    HT_CHECK(ht_jt808_batch_next(&batch, &body, &size));
    HT_CHECK(!ht_jt808_batch_next(&batch, &body, &size));
    HT_CHECK(batch.left > 0);
    message.size = 2;
    HT_CHECK(!ht_jt808_batch_begin(&message, &batch));
}

static const char *const parts[] = {
    "7e0704201e013800138000000a00030001000201001c000000000000000301c90030074125b0000c0168005a2603"
    "01b37e",
    "7e0704200a013800138000000b00030002083000001c0000000000ad7e",
    "7e07042017013800138000000c0003000300000301c90418074125b0000c0168005a260301083010a57e"};

static enum ht_jt808_part part_add(struct ht_jt808_assembly **assembly, size_t which,
                                   struct ht_jt808_message *whole, bool *dropped)
{
    HT_CHECK_INT(decode(parts[which]), HT_JT808_FAULT_NONE);
    return ht_jt808_assembly_add(assembly, &message, 7, whole, dropped);
}

HT_CASE(parts_are_put_together_in_any_order)
{
    static const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        struct ht_jt808_assembly *assembly = NULL;
        struct ht_jt808_message whole = {0};
        bool dropped = false;
        HT_CHECK_INT(part_add(&assembly, orders[o][0], &whole, &dropped), HT_JT808_PART_TAKEN);
        HT_CHECK_INT(part_add(&assembly, orders[o][0], &whole, &dropped), HT_JT808_PART_TAKEN);
        HT_CHECK_INT(part_add(&assembly, orders[o][1], &whole, &dropped), HT_JT808_PART_TAKEN);
        HT_CHECK_INT(ht_jt808_assembly_begun_ms(assembly), 7);
        HT_CHECK(ht_jt808_assembly_bytes(assembly) < 4 * 1024);
        HT_REQUIRE(part_add(&assembly, orders[o][2], &whole, &dropped) == HT_JT808_PART_WHOLE);
        HT_CHECK(!dropped && whole.header.id == HT_JT808_BATCH && whole.header.parts == 0);
        batch_check(&whole);
        ht_jt808_assembly_free(assembly);
    }
}

HT_CASE(parts_of_another_message_end_the_first)
{
    struct ht_jt808_assembly *assembly = NULL;
    struct ht_jt808_message whole = {0};
    bool dropped = false;
    HT_CHECK_INT(part_add(&assembly, 0, &whole, &dropped), HT_JT808_PART_TAKEN);
    HT_CHECK_INT(decode(parts[1]), HT_JT808_FAULT_NONE);
    message.header.serial += 10; /* is of a message that began ten later */
    HT_CHECK_INT(ht_jt808_assembly_add(&assembly, &message, 9, &whole, &dropped),
                 HT_JT808_PART_TAKEN);
    HT_CHECK(dropped);
    HT_CHECK_INT(ht_jt808_assembly_begun_ms(assembly), 9);
    message.header.parts = HT_JT808_PARTS_MAX + 1;
    HT_CHECK_INT(ht_jt808_assembly_add(&assembly, &message, 9, &whole, &dropped),
                 HT_JT808_PART_REFUSED);
    ht_jt808_assembly_free(assembly);
}

static bool encodes(const struct ht_jt808_header *to, uint16_t id, const uint8_t *body, size_t size,
                    const char *want)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    size_t expected = jt_hex(want, wire, sizeof wire);
    size_t written = ht_jt808_encode(to, id, to->serial, body, size, out);
    return written == expected && memcmp(out, wire, written) == 0;
}

HT_CASE(answers_are_those_of_the_standard_byte_for_byte)
{
    static const uint8_t next[] = {0xcf, 0xc2, 0xd2, 0xbb, 0xd5, 0xbe}; /* in GBK */
    uint8_t body[HT_JT808_BODY_MAX];
    struct ht_jt808_header of_2013 = {.serial = 0};
    struct ht_jt808_header of_2019 = {.serial = 5, .is_2019 = true, .version = 1};
    HT_REQUIRE(ht_jt808_phone_set(&of_2013, "13800138000") &&
               ht_jt808_phone_set(&of_2019, "13800138000"));
    size_t size = ht_jt808_answer_put(0x7d7e, HT_JT808_LOCATION, HT_JT808_DONE, body);
    HT_CHECK(encodes(&of_2013, 0x8001, body, size, "7e8001000501380013800000007d017d020200002f7e"));
    size = ht_jt808_answer_put(7, HT_JT808_LOCATION, HT_JT808_ALARM_TAKEN, body);
    HT_CHECK(encodes(&of_2019, 0x8001, body, size,
                     "7e800140050100000000013800138000000500070200046b7e"));
    of_2013.serial = 1;
    size = ht_jt808_registered_put(1, HT_JT808_REGISTERED, "code", body);
    HT_CHECK(encodes(&of_2013, 0x8100, body, size, "7e810000070138001380000001000100636f6465217e"));
    size = ht_jt808_registered_put(1, HT_JT808_NO_TERMINAL, "code", body);
    HT_CHECK(encodes(&of_2013, 0x8100, body, size, "7e8100000301380013800000010001042c7e"));
    of_2013.serial = 9;
    of_2019.serial = 9;
    size = ht_jt808_text_put(false, next, sizeof next, body);
    HT_CHECK(encodes(&of_2013, 0x8300, body, size, "7e8300000701380013800000090ccfc2d2bbd5be247e"));
    size = ht_jt808_text_put(true, next, sizeof next, body);
    HT_CHECK(encodes(&of_2019, 0x8300, body, size,
                     "7e83004008010000000001380013800000090d02cfc2d2bbd5be697e"));
}

HT_CASE(longest_body_goes_there_and_back)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    uint8_t body[HT_JT808_BODY_MAX];
    struct ht_jt808_header to = {.is_2019 = true};
    HT_REQUIRE(ht_jt808_phone_set(&to, "12345678901234567890"));
    memset(body, 0x7e, sizeof body); /* all of it is escaped */
    size_t size = ht_jt808_encode(&to, 0x8300, 0x7d7e, body, sizeof body, out);
    HT_CHECK(size <= sizeof out && size > 2 * sizeof body);
    HT_CHECK_INT(ht_jt808_decode(out + 1, size - 2, room, &message), HT_JT808_FAULT_NONE);
    HT_CHECK_INT(message.size, sizeof body);
    HT_CHECK(memcmp(message.body, body, sizeof body) == 0);
    HT_CHECK_STR(phone(), "12345678901234567890");
    HT_CHECK(!ht_jt808_phone_set(&to, "123456789012345678901") && !ht_jt808_phone_set(&to, "1x") &&
             !ht_jt808_phone_set(&to, ""));
    HT_CHECK(ht_jt808_phone_set(&to, "0"));
    message.header = to;
    HT_CHECK_STR(phone(), "0");
}

HT_CASE(moments_that_are_none_are_known)
{
    static const char *const wrong[] = {"260229083015", "261301083015", "260001083015",
                                        "260100083015", "260101243015", "260101086015",
                                        "260101083060", "2601010830ff", "000000000000"};
    uint8_t body[HT_JT808_LOCATION_SIZE] = {0};
    struct ht_jt808_location location;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HT_CHECK_INT(jt_hex(wrong[i], body + 22, 6), 6);
        HT_CHECK(ht_jt808_location_read(body, sizeof body, &location));
        HT_CHECK(location.at_ms == INT64_MIN);
    }
    HT_CHECK(!ht_jt808_location_read(body, sizeof body - 1, &location));
}

/* Writing and reading is one and the same, at each second of some days and at the end of each
 * month of the century. */
HT_CASE(locations_are_written_as_they_are_read)
{
    uint8_t body[HT_JT808_LOCATION_SIZE];
    struct ht_jt808_location back;
    int64_t at_ms = INT64_C(946656000000); /* 2000-01-01 00:00 in GMT+8 */
    int wrong = 0;
    for (int i = 0; at_ms < INT64_C(4102416000000); i++) { /* 2100 */
        const struct ht_jt808_location location = {.lat_deg = -33.123456 + i % 60,
                                                   .lon_deg = 121.654321 - i % 200,
                                                   .speed_mps = 12.5,
                                                   .bearing_deg = i % 360,
                                                   .altitude_m = -7,
                                                   .at_ms = at_ms};
        ht_jt808_location_put(&location, UINT32_C(1) << HT_JT808_STATUS_FIXED, body);
        bool good = ht_jt808_location_read(body, sizeof body, &back) && back.at_ms == at_ms &&
                    fabs(back.lat_deg - location.lat_deg) < 1e-9 &&
                    fabs(back.lon_deg - location.lon_deg) < 1e-9 && back.altitude_m == -7 &&
                    fabs(back.speed_mps - 12.5) < 1e-9 && back.bearing_deg == location.bearing_deg;
        wrong += !good;
        at_ms += INT64_C(43199000); /* twelve hours less a second: all hours, all days */
    }
    HT_CHECK_INT(wrong, 0);
}

HT_CASE(item_that_is_longer_than_what_is_left_ends_the_items)
{
    uint8_t body[HT_JT808_LOCATION_SIZE + 8] = {0};
    struct ht_jt808_location location;
    HT_CHECK_INT(jt_hex("30011931040c0c0c", body + HT_JT808_LOCATION_SIZE, 8), 8);
    HT_CHECK(ht_jt808_location_read(body, sizeof body, &location));
    HT_CHECK(location.cut && location.network == 25 && location.satellites == -1);
}

/* ---- what terminals of many makers sent ---- */

struct row {
    char *fields[15];
};

static bool row_split(char *line, struct row *row)
{
    size_t count = 0;
    for (char *at = line; at != NULL && count < 15; count++) {
        row->fields[count] = at;
        at = strchr(at, '\t');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count == 15;
}

/* The location of a row: its frame has several where it is a batch. */
static bool row_fits(const struct ht_jt808_location *location, const struct row *row)
{
    char *const *f = row->fields;
    /* "YYYY-MM-DD hh:mm:ss", as the terminal has it: in GMT+8 */
    char local[HT_TIME_TEXT_SIZE] = "";
    if (location->at_ms != INT64_MIN) {
        ht_time_format(location->at_ms + INT64_C(8) * 3600 * 1000, local);
    }
    bool time = f[8][0] == '\0' || (strncmp(local, f[8], 10) == 0 && strlen(f[8]) == 19 &&
                                    strncmp(local + 11, f[8] + 11, 8) == 0);
    return time && fabs(location->lat_deg - strtod(f[3], NULL)) < 1e-6 &&
           fabs(location->lon_deg - strtod(f[4], NULL)) < 1e-6 &&
           location->altitude_m == strtol(f[5], NULL, 10) &&
           fabs(location->speed_mps * 3.6 - strtod(f[6], NULL)) < 1e-6 &&
           fabs(location->bearing_deg - strtod(f[7], NULL)) < 1e-9 &&
           ht_jt808_bit(location->status, HT_JT808_STATUS_FIXED) == (f[9][0] == 'T') &&
           ht_jt808_bit(location->status, HT_JT808_STATUS_ACC) == (f[10][0] == 'T') &&
           location->alarm == strtoul(f[11], NULL, 16) &&
           location->status == strtoul(f[12], NULL, 16);
}

/* What the makers' items of battery mean, by another decoder's word. */
static bool battery_fits(const struct ht_jt808_location *location, const char *expect)
{
    static const char key[] = "Position.KEY_BATTERY_LEVEL, ";
    const char *at = strstr(expect, key);
    return at == NULL || location->battery_percent < 0 ||
           location->battery_percent == strtol(at + sizeof key - 1, NULL, 10);
}

/* Most of these frames were written down as their terminal sent them, some behind the decoder that
 * takes escapes out: these have marks and escapes within, and are escaped anew. */
static enum ht_jt808_fault row_decode(const char *text)
{
    static uint8_t again[2 * HT_JT808_WIRE_MAX];
    enum ht_jt808_fault fault = decode(text);
    size_t size = jt_hex(text, wire, HT_JT808_MESSAGE_MAX);
    size_t at = 0;
    for (size_t i = 1; fault != HT_JT808_FAULT_NONE && i + 1 < size; i++) {
        bool escaped = wire[i] == 0x7e || wire[i] == 0x7d;
        again[at++] = escaped ? 0x7d : wire[i];
        if (escaped) {
            again[at++] = wire[i] == 0x7d ? 1 : 2;
        }
    }
    return at == 0 ? fault : ht_jt808_decode(again, at, room, &message);
}

static bool row_check(const struct row *row, size_t *batteries)
{
    struct ht_jt808_location location;
    struct ht_jt808_batch batch;
    const uint8_t *body = NULL;
    size_t size = 0;
    bool fits = false;
    char number[24];
    if (row_decode(row->fields[14]) != HT_JT808_FAULT_NONE ||
        message.header.serial != strtoul(row->fields[2], NULL, 10)) {
        return false;
    }
    (void)snprintf(number, sizeof number, "%s", row->fields[1] + strspn(row->fields[1], "0"));
    if (strcmp(phone(), number[0] == '\0' ? "0" : number) != 0) {
        return false;
    }
    if (message.header.id == HT_JT808_LOCATION) {
        fits = ht_jt808_location_read(message.body, message.size, &location) &&
               row_fits(&location, row) && battery_fits(&location, row->fields[13]);
        *batteries += fits && location.battery_percent >= 0;
        return fits;
    }
    if (!ht_jt808_batch_begin(&message, &batch)) {
        return false;
    }
    while (!fits && ht_jt808_batch_next(&batch, &body, &size)) {
        fits = ht_jt808_location_read(body, size, &location) && row_fits(&location, row);
    }
    return fits;
}

HT_CASE(frames_of_many_makers_mean_what_another_decoder_says)
{
    static char line[1 << 14];
    char path[512];
    size_t rows = 0;
    size_t batteries = 0;
    const char *folder = ht_data_dir();
    (void)snprintf(path, sizeof path, "%s/jt808/location_frames.tsv", folder == NULL ? "" : folder);
    FILE *file = folder == NULL ? NULL : fopen(path, "r");
    if (file == NULL) {
        HT_SKIP("jt808/location_frames.tsv is not among the data");
    }
    while (fgets(line, sizeof line, file) != NULL) {
        struct row row;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '0' || !row_split(line, &row)) {
            continue;
        }
        rows++;
        if (!row_check(&row, &batteries)) {
            HT_CHECK_STR(row.fields[14], "what its row says");
        }
    }
    HT_CHECK(fclose(file) == 0);
    HT_CHECK(rows >= 90 && batteries >= 3);
}

HT_MAIN()
