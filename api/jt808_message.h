/* JT/T 808 messages: what stands in the bodies that a terminal sends and is sent. No sockets here.
 *
 *   in    0x0001 general answer   0x0002 heartbeat      0x0003 logout      0x0100 register
 *         0x0102 authenticate     0x0200 location       0x0201 its query's answer
 *         0x0704 locations in a batch
 *   out   0x8001 general answer   0x8100 answer to 0x0100   0x8201 query   0x8300 text
 *
 * Clocks of terminals are in GMT+8 whatever the zone of the office; here all moments are UTC
 * milliseconds. Coordinates are degrees as sent, south and west negative: in which datum they are
 * the device book says. Bit 5 of the status means that a plug-in of the map maker's encrypted them
 * (the law's way to GCJ-02 in some terminals, others set it and send WGS84), so it decides nothing.
 *
 * Threading: pure functions. Ownership: what is read borrows the message. Source: JT/T 808-2011,
 * -2013, -2019, chapter 8.
 */
#ifndef HT_API_JT808_MESSAGE_H
#define HT_API_JT808_MESSAGE_H

#include "api/jt808_frame.h"

enum ht_jt808_id {
    HT_JT808_ANSWER = 0x0001,
    HT_JT808_HEARTBEAT = 0x0002,
    HT_JT808_LOGOUT = 0x0003,
    HT_JT808_REGISTER = 0x0100,
    HT_JT808_AUTHENTICATE = 0x0102,
    HT_JT808_LOCATION = 0x0200,
    HT_JT808_LOCATION_ANSWER = 0x0201,
    HT_JT808_BATCH = 0x0704,
    HT_JT808_OUT_ANSWER = 0x8001,
    HT_JT808_OUT_REGISTERED = 0x8100,
    HT_JT808_OUT_QUERY = 0x8201,
    HT_JT808_OUT_TEXT = 0x8300,
};

/* Of 0x0001 and 0x8001. */
enum ht_jt808_result {
    HT_JT808_DONE,
    HT_JT808_FAILED,
    HT_JT808_WRONG, /* the message is */
    HT_JT808_UNSUPPORTED,
    HT_JT808_ALARM_TAKEN, /* 0x8001 alone: the office has the alarm, the terminal may end it */
};

/* Of 0x8100. */
enum ht_jt808_registered {
    HT_JT808_REGISTERED,
    HT_JT808_VEHICLE_TAKEN, /* registered before */
    HT_JT808_NO_VEHICLE,    /* in the book */
    HT_JT808_TERMINAL_TAKEN,
    HT_JT808_NO_TERMINAL,
};

/* ---- in ---- */

struct ht_jt808_text {
    const uint8_t *bytes; /* as sent: ASCII, or GBK */
    size_t size;          /* without what fills it up */
};

struct ht_jt808_register {
    uint16_t province;
    uint16_t city;
    struct ht_jt808_text maker;
    struct ht_jt808_text model;
    struct ht_jt808_text terminal;
    uint8_t colour;
    struct ht_jt808_text plate;
};
/* False, here and below: it is shorter than it must be, or no such message. */
bool ht_jt808_register_read(const struct ht_jt808_message *message, struct ht_jt808_register *out);

/* The code, which is at least one byte. */
bool ht_jt808_authenticate_read(const struct ht_jt808_message *message, struct ht_jt808_text *code);

struct ht_jt808_answer {
    uint16_t serial; /* of what it answers */
    uint16_t id;
    uint8_t result;
};
bool ht_jt808_answer_read(const struct ht_jt808_message *message, struct ht_jt808_answer *out);

/* Bits of the alarm word. */
enum {
    HT_JT808_ALARM_EMERGENCY = 0, /* the driver's button */
    HT_JT808_ALARM_DANGER = 3,
    HT_JT808_ALARM_STOLEN = 26,
    HT_JT808_ALARM_IGNITION = 27, /* without leave, as the next */
    HT_JT808_ALARM_MOVED = 28,
    HT_JT808_ALARM_COLLISION = 29,
    HT_JT808_ALARM_ROLLOVER = 30,
};
/* Bits of the status word. */
enum {
    HT_JT808_STATUS_ACC = 0,
    HT_JT808_STATUS_FIXED = 1,
    HT_JT808_STATUS_SOUTH = 2,
    HT_JT808_STATUS_WEST = 3,
    HT_JT808_STATUS_ENCRYPTED = 5,
};
static inline bool ht_jt808_bit(uint32_t word, unsigned bit)
{
    return (word >> bit & 1U) != 0;
}

struct ht_jt808_location {
    uint32_t alarm;
    uint32_t status;
    double lon_deg;
    double lat_deg;
    double speed_mps;
    double bearing_deg;
    int64_t at_ms; /* INT64_MIN: that is no time */
    int16_t altitude_m;
    bool cut; /* an item says that it is longer than what is left: it and what follows is lost */
    /* items; below 0: not said */
    int64_t mileage_m;         /* 01 */
    int32_t fuel_dl;           /* 02, tenths of a litre */
    double recorder_speed_mps; /* 03, below 0: not said */
    int32_t alarm_event;       /* 04, number of an alarm that a person has to confirm */
    int64_t signals;           /* 25, bits of lights, horn, doors */
    int32_t io;                /* 2a, bits */
    int64_t analog;            /* 2b, two values of 16 bits */
    int32_t network;           /* 30, signal of the phone's network */
    int32_t satellites;        /* 31 */
    int32_t battery_percent;   /* d4 or e4, of makers whose terminals run on their own */
};
/* Of a location's body, or of one in a batch. */
bool ht_jt808_location_read(const uint8_t *body, size_t size, struct ht_jt808_location *out);
/* 0x0201: the serial of the query, then a location. */
bool ht_jt808_location_answer_read(const struct ht_jt808_message *message, uint16_t *serial,
                                   struct ht_jt808_location *out);

struct ht_jt808_batch {
    uint16_t count; /* as it says */
    bool late;      /* kept while there was no network */
    const uint8_t *at;
    size_t left;
};
bool ht_jt808_batch_begin(const struct ht_jt808_message *message, struct ht_jt808_batch *out);
/* The next body; false: no more, or what is left is cut (then `left` is not 0). */
bool ht_jt808_batch_next(struct ht_jt808_batch *batch, const uint8_t **body, size_t *size);

/* ---- out: bodies; each returns its size ---- */

enum { HT_JT808_CODE_MAX = 64, HT_JT808_TEXT_MAX = 1000 };

size_t ht_jt808_answer_put(uint16_t serial, uint16_t id, enum ht_jt808_result result,
                           uint8_t out[5]);
/* `code` ("": none) only where the result is 0. */
size_t ht_jt808_registered_put(uint16_t serial, enum ht_jt808_registered result, const char *code,
                               uint8_t out[3 + HT_JT808_CODE_MAX]);
/* `text` in GBK, at most HT_JT808_TEXT_MAX bytes: shown, and read out. */
size_t ht_jt808_text_put(bool is_2019, const uint8_t *text, size_t size,
                         uint8_t out[2 + HT_JT808_TEXT_MAX]);

/* ---- what a terminal sends, for the simulator, tests and benches ---- */

enum { HT_JT808_LOCATION_SIZE = 28 };
/* The 28 bytes of a location without items; `bits` are or-ed into the status, whose south and west
 * follow the coordinates. */
void ht_jt808_location_put(const struct ht_jt808_location *location, uint32_t bits,
                           uint8_t out[HT_JT808_LOCATION_SIZE]);

#endif
