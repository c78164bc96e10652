#include "api/relay_record.h"

#include <string.h>

enum { BY_UNIT = 1, PROVEN = 2, KEYED = 4, PLACED = 8, SETTLED = 16, FLAGS = 32 };

/* ---- out ---- */

static char *number_put(char *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *at++ = (char)(number >> 8 * i & 0xFF);
    }
    return at;
}

static char *double_put(char *at, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return number_put(at, bits, sizeof bits);
}

static char *text_put(char *at, const char *text, size_t room)
{
    size_t size = strnlen(text, room - 1);
    at = number_put(at, size, 2);
    memcpy(at, text, size);
    return at + size;
}

void ht_relay_record_put(struct ht_buffer *out, const struct ht_relay_record *record)
{
    char *begin = ht_buffer_reserve(out, HT_RELAY_RECORD_MOST);
    if (begin == NULL) {
        return;
    }
    unsigned flags = (record->by_unit ? BY_UNIT : 0U) | (record->proven ? PROVEN : 0U) |
                     (record->keyed ? KEYED : 0U) | (record->placed ? PLACED : 0U) |
                     (record->settled ? SETTLED : 0U);
    char *at = number_put(begin, record->kind, 1);
    at = number_put(at, flags, 1);
    at = number_put(at, (uint8_t)record->battery, 1);
    at = text_put(at, record->protocol, sizeof record->protocol);
    at = text_put(at, record->id, sizeof record->id);
    if (record->keyed) {
        at = text_put(at, record->key, sizeof record->key);
    }
    if (record->kind == HT_RELAY_POSITION) {
        const struct ht_report *report = &record->report;
        at = double_put(at, report->lon_deg);
        at = double_put(at, report->lat_deg);
        at = number_put(at, (uint64_t)report->ts_ms, 8);
        at = double_put(at, report->speed_mps);
        at = double_put(at, report->bearing_deg);
        at = double_put(at, report->accuracy_m);
    } else if (record->kind == HT_RELAY_ALARM) {
        at = number_put(at, (uint8_t)record->severity, 1);
        at = double_put(at, record->lon_deg);
        at = double_put(at, record->lat_deg);
        at = text_put(at, record->alarm, sizeof record->alarm);
        at = text_put(at, record->alarm_key, sizeof record->alarm_key);
        at = text_put(at, record->note, sizeof record->note);
    }
    ht_buffer_advance(out, (size_t)(at - begin));
}

/* ---- in ---- */

/* What is left; `wrong` from the first look beyond it on. */
struct input {
    const char *at;
    const char *end;
    bool wrong;
};

static uint64_t number_get(struct input *in, unsigned bytes)
{
    uint64_t number = 0;
    if (in->wrong || (size_t)(in->end - in->at) < bytes) {
        in->wrong = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++) {
        number |= (uint64_t)(uint8_t)*in->at++ << 8 * i;
    }
    return number;
}

static double double_get(struct input *in)
{
    uint64_t bits = number_get(in, sizeof bits);
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void text_get(struct input *in, char *out, size_t room)
{
    size_t size = (size_t)number_get(in, 2);
    if (in->wrong || size >= room || size > (size_t)(in->end - in->at) ||
        memchr(in->at, 0, size) != NULL) {
        in->wrong = true;
        out[0] = '\0';
        return;
    }
    memcpy(out, in->at, size);
    out[size] = '\0';
    in->at += size;
}

static void report_get(struct input *in, struct ht_report *out)
{
    out->lon_deg = double_get(in);
    out->lat_deg = double_get(in);
    out->ts_ms = (int64_t)number_get(in, 8);
    out->speed_mps = double_get(in);
    out->bearing_deg = double_get(in);
    out->accuracy_m = double_get(in);
}

static void alarm_get(struct input *in, struct ht_relay_record *out)
{
    out->severity = (int)number_get(in, 1);
    out->lon_deg = double_get(in);
    out->lat_deg = double_get(in);
    text_get(in, out->alarm, sizeof out->alarm);
    text_get(in, out->alarm_key, sizeof out->alarm_key);
    text_get(in, out->note, sizeof out->note);
    in->wrong = in->wrong || out->severity > 4;
}

bool ht_relay_record_get(const char **at, const char *end, struct ht_relay_record *out)
{
    struct input in = {.at = *at, .end = end};
    unsigned kind = (unsigned)number_get(&in, 1);
    unsigned flags = (unsigned)number_get(&in, 1);
    int battery = (int)number_get(&in, 1);
    out->battery = battery == UINT8_MAX ? -1 : battery;
    if (in.wrong || kind == 0 || kind >= HT_RELAY_KINDS || flags >= FLAGS || out->battery > 100) {
        return false;
    }
    out->kind = (enum ht_relay_kind)kind;
    out->by_unit = (flags & BY_UNIT) != 0;
    out->proven = (flags & PROVEN) != 0;
    out->keyed = (flags & KEYED) != 0;
    out->placed = (flags & PLACED) != 0;
    out->settled = (flags & SETTLED) != 0;
    text_get(&in, out->protocol, sizeof out->protocol);
    text_get(&in, out->id, sizeof out->id);
    out->key[0] = '\0';
    if (out->keyed) {
        text_get(&in, out->key, sizeof out->key);
    }
    if (out->kind == HT_RELAY_POSITION) {
        report_get(&in, &out->report);
    } else if (out->kind == HT_RELAY_ALARM) {
        alarm_get(&in, out);
    }
    *at = in.at;
    return !in.wrong;
}
