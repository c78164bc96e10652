#include "api/jt808_message.h"

#include <math.h>
#include <string.h>

#define ZONE_MS (INT64_C(8) * 3600 * 1000)

enum { SECOND_MS = 1000, DAY_S = 86400 };

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)u16(at) << 16 | u16(at + 2);
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

/* ---- time ---- */

/* Two digits; 100: they are none. */
static unsigned bcd(uint8_t byte)
{
    unsigned high = byte >> 4;
    unsigned low = byte & 15U;
    return high > 9 || low > 9 ? 100 : high * 10 + low;
}

static uint8_t to_bcd(unsigned value)
{
    return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

/* Days since 1970 of a date of the Gregorian calendar, and back (Howard Hinnant's algorithms, for
 * years from 2000 on). */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month <= 2 ? year - 1 : year;
    unsigned era = y / 400;
    unsigned of_era = y - era * 400;
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && year % 4 == 0 ? 1U : 0U); /* 2000 to 2099 */
}

static int64_t time_read(const uint8_t *at)
{
    const unsigned year = bcd(at[0]);
    const unsigned month = bcd(at[1]);
    const unsigned day = bcd(at[2]);
    const unsigned hour = bcd(at[3]);
    const unsigned minute = bcd(at[4]);
    const unsigned second = bcd(at[5]);
    if (year > 99 || month < 1 || month > 12 || day < 1 || day > month_days(2000 + year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return INT64_MIN;
    }
    int64_t s = days_of(2000 + year, month, day) * DAY_S + hour * INT64_C(3600) +
                minute * INT64_C(60) + second;
    return s * SECOND_MS - ZONE_MS;
}

static void time_put(int64_t at_ms, uint8_t out[6])
{
    int64_t s = (at_ms + ZONE_MS) / SECOND_MS;
    int64_t days = s / DAY_S + 719468;
    unsigned of_day = (unsigned)(s % DAY_S);
    unsigned era = (unsigned)(days / 146097);
    unsigned of_era = (unsigned)(days % 146097);
    unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * of_year + 2) / 153;
    unsigned month = m < 10 ? m + 3 : m - 9;
    unsigned year = y + era * 400 + (month <= 2 ? 1 : 0);
    out[0] = to_bcd(year % 100);
    out[1] = to_bcd(month);
    out[2] = to_bcd(of_year - (153 * m + 2) / 5 + 1);
    out[3] = to_bcd(of_day / 3600);
    out[4] = to_bcd(of_day / 60 % 60);
    out[5] = to_bcd(of_day % 60);
}

/* ---- in ---- */

/* A field of fixed size, filled up with zeros or blanks on either side. */
static struct ht_jt808_text text_of(const uint8_t *at, size_t size)
{
    const uint8_t *nul = size == 0 ? NULL : memchr(at, 0, size);
    bool leads = nul == at; /* some fill up in front */
    while (leads && size > 0 && *at == 0) {
        at++;
        size--;
    }
    nul = size == 0 ? NULL : memchr(at, 0, size);
    size = nul == NULL ? size : (size_t)(nul - at);
    while (size > 0 && at[size - 1] == ' ') {
        size--;
    }
    return (struct ht_jt808_text){at, size};
}

/* Lengths of maker, model and terminal in the three years. */
struct layout {
    uint8_t maker;
    uint8_t model;
    uint8_t terminal;
};

static size_t layout_size(const struct layout *layout)
{
    return 4U + layout->maker + layout->model + layout->terminal + 1U;
}

bool ht_jt808_register_read(const struct ht_jt808_message *message, struct ht_jt808_register *out)
{
    static const struct layout of_2011 = {5, 8, 7};
    static const struct layout of_2013 = {5, 20, 7};
    static const struct layout of_2019 = {11, 30, 30};
    const uint8_t *at = message->body;
    const struct layout *layout = message->header.is_2019 ? &of_2019 : &of_2013;
    /* 2011's header is 2013's. Where 2013 has the colour of the plate, 0 to 9, 2011 would be in the
     * middle of a plate or a chassis number, in letters. */
    size_t colour = layout_size(layout) - 1;
    if (!message->header.is_2019 && (message->size <= colour || at[colour] > 9)) {
        layout = &of_2011;
    }
    if (message->size < layout_size(layout)) {
        return false;
    }
    *out = (struct ht_jt808_register){.province = u16(at), .city = u16(at + 2)};
    at += 4;
    out->maker = text_of(at, layout->maker);
    at += layout->maker;
    out->model = text_of(at, layout->model);
    at += layout->model;
    out->terminal = text_of(at, layout->terminal);
    at += layout->terminal;
    out->colour = *at++;
    out->plate = text_of(at, message->size - layout_size(layout));
    return true;
}

bool ht_jt808_authenticate_read(const struct ht_jt808_message *message, struct ht_jt808_text *code)
{
    const uint8_t *at = message->body;
    size_t size = message->size;
    if (message->header.is_2019) { /* its length, it, IMEI, version of the software */
        if (size < 1 || at[0] > size - 1) {
            return false;
        }
        size = at[0];
        at++;
    }
    *code = text_of(at, size);
    return code->size > 0;
}

bool ht_jt808_answer_read(const struct ht_jt808_message *message, struct ht_jt808_answer *out)
{
    const uint8_t *at = message->body;
    if (message->size < 5) {
        return false;
    }
    *out = (struct ht_jt808_answer){u16(at), u16(at + 2), at[4]};
    return true;
}

static const double km_h = 1 / 3.6; /* in metres a second */

static void item_read(struct ht_jt808_location *out, unsigned id, const uint8_t *at, size_t size)
{
    const int64_t word = size == 4 ? (int64_t)u32(at) : -1;
    const int32_t half = size == 2 ? (int32_t)u16(at) : -1;
    const int32_t byte = size == 1 ? (int32_t)at[0] : -1;
    switch (id) {
    case 0x01:
        out->mileage_m = word < 0 ? -1 : word * 100;
        break;
    case 0x02:
        out->fuel_dl = half;
        break;
    case 0x03:
        out->recorder_speed_mps = half < 0 ? -1 : half / 10.0 * km_h;
        break;
    case 0x04:
        out->alarm_event = half;
        break;
    case 0x25:
        out->signals = word;
        break;
    case 0x2a:
        out->io = half;
        break;
    case 0x2b:
        out->analog = word;
        break;
    case 0x30:
        out->network = byte;
        break;
    case 0x31:
        out->satellites = byte;
        break;
    case 0xd4:
        out->battery_percent = byte >= 0 && byte <= 100 ? byte : out->battery_percent;
        break;
    case 0xe4: /* how it is charged, then how full it is */
        out->battery_percent = size == 2 && at[1] <= 100 ? at[1] : out->battery_percent;
        break;
    default: /* of a maker, or of no use here */
        break;
    }
}

bool ht_jt808_location_read(const uint8_t *body, size_t size, struct ht_jt808_location *out)
{
    if (size < HT_JT808_LOCATION_SIZE) {
        return false;
    }
    const uint32_t status = u32(body + 4);
    const double lat = u32(body + 8) / 1e6;
    const double lon = u32(body + 12) / 1e6;
    *out = (struct ht_jt808_location){
        .alarm = u32(body),
        .status = status,
        .lat_deg = ht_jt808_bit(status, HT_JT808_STATUS_SOUTH) ? -lat : lat,
        .lon_deg = ht_jt808_bit(status, HT_JT808_STATUS_WEST) ? -lon : lon,
        .altitude_m = (int16_t)u16(body + 16),
        .speed_mps = u16(body + 18) / 10.0 * km_h,
        .bearing_deg = u16(body + 20),
        .at_ms = time_read(body + 22),
        .mileage_m = -1,
        .fuel_dl = -1,
        .recorder_speed_mps = -1,
        .alarm_event = -1,
        .signals = -1,
        .io = -1,
        .analog = -1,
        .network = -1,
        .satellites = -1,
        .battery_percent = -1};
    const uint8_t *at = body + HT_JT808_LOCATION_SIZE;
    size_t left = size - HT_JT808_LOCATION_SIZE;
    while (left >= 2 && at[1] <= left - 2) {
        item_read(out, at[0], at + 2, at[1]);
        left -= 2U + at[1];
        at += 2U + at[1];
    }
    out->cut = left > 0;
    return true;
}

bool ht_jt808_location_answer_read(const struct ht_jt808_message *message, uint16_t *serial,
                                   struct ht_jt808_location *out)
{
    if (message->size < 2) {
        return false;
    }
    *serial = u16(message->body);
    return ht_jt808_location_read(message->body + 2, message->size - 2, out);
}

bool ht_jt808_batch_begin(const struct ht_jt808_message *message, struct ht_jt808_batch *out)
{
    if (message->size < 3) {
        return false;
    }
    *out = (struct ht_jt808_batch){.count = u16(message->body),
                                   .late = message->body[2] == 1,
                                   .at = message->body + 3,
                                   .left = message->size - 3};
    return true;
}

bool ht_jt808_batch_next(struct ht_jt808_batch *batch, const uint8_t **body, size_t *size)
{
    if (batch->left < 2 || u16(batch->at) > batch->left - 2) {
        return false;
    }
    *size = u16(batch->at);
    *body = batch->at + 2;
    batch->at += 2 + *size;
    batch->left -= 2 + *size;
    return true;
}

/* ---- out ---- */

size_t ht_jt808_answer_put(uint16_t serial, uint16_t id, enum ht_jt808_result result,
                           uint8_t out[5])
{
    put_u16(out, serial);
    put_u16(out + 2, id);
    out[4] = (uint8_t)result;
    return 5;
}

size_t ht_jt808_registered_put(uint16_t serial, enum ht_jt808_registered result, const char *code,
                               uint8_t out[3 + HT_JT808_CODE_MAX])
{
    size_t size = result == HT_JT808_REGISTERED ? strlen(code) : 0;
    size = size > HT_JT808_CODE_MAX ? HT_JT808_CODE_MAX : size;
    put_u16(out, serial);
    out[2] = (uint8_t)result;
    memcpy(out + 3, code, size);
    return 3 + size;
}

size_t ht_jt808_text_put(bool is_2019, const uint8_t *text, size_t size,
                         uint8_t out[2 + HT_JT808_TEXT_MAX])
{
    enum { SHOWN = 1 << 2, READ_OUT = 1 << 3, OF_SERVICE = 1, SERVICE = 2 };
    size_t at = 0;
    size = size > HT_JT808_TEXT_MAX ? HT_JT808_TEXT_MAX : size;
    out[at++] = SHOWN | READ_OUT | (is_2019 ? OF_SERVICE : 0);
    if (is_2019) {
        out[at++] = SERVICE;
    }
    memcpy(out + at, text, size);
    return at + size;
}

void ht_jt808_location_put(const struct ht_jt808_location *location, uint32_t bits,
                           uint8_t out[HT_JT808_LOCATION_SIZE])
{
    const uint32_t south = location->lat_deg < 0 ? 1U << HT_JT808_STATUS_SOUTH : 0;
    const uint32_t west = location->lon_deg < 0 ? 1U << HT_JT808_STATUS_WEST : 0;
    put_u32(out, location->alarm);
    put_u32(out + 4, bits | south | west);
    put_u32(out + 8, (uint32_t)lround(fabs(location->lat_deg) * 1e6));
    put_u32(out + 12, (uint32_t)lround(fabs(location->lon_deg) * 1e6));
    put_u16(out + 16, (uint16_t)location->altitude_m);
    put_u16(out + 18, (uint16_t)lround(location->speed_mps * 36));
    put_u16(out + 20, (uint16_t)lround(location->bearing_deg));
    time_put(location->at_ms, out + 22);
}
