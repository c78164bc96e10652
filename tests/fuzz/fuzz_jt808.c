/* JT/T 808 from anybody, as it comes over a connection: what is read is within what was sent, the
 * pieces in which it came make no difference, and what was read says the same when it is written
 * and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/jt808_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool good)
{
    if (!good) {
        abort();
    }
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(1099511628211);
}

static void location_see(const uint8_t *body, size_t size)
{
    struct ht_jt808_location location;
    if (!ht_jt808_location_read(body, size, &location)) {
        need(size < HT_JT808_LOCATION_SIZE);
        return;
    }
    need(location.battery_percent >= -1 && location.battery_percent <= 100);
    if (location.at_ms == INT64_MIN || location.bearing_deg > 65000) {
        return;
    }
    uint8_t again[HT_JT808_LOCATION_SIZE];
    ht_jt808_location_put(&location, location.status & 3U, again);
    need(memcmp(again + 22, body + 22, 6) == 0);
    need(memcmp(again + 16, body + 16, 6) == 0);
}

static void body_see(const struct ht_jt808_message *message)
{
    struct ht_jt808_register asked;
    struct ht_jt808_text code;
    struct ht_jt808_answer answer;
    struct ht_jt808_location location;
    struct ht_jt808_batch batch;
    const uint8_t *body = NULL;
    uint16_t serial = 0;
    size_t size = 0;
    const uint8_t *end = message->body + message->size;
    if (ht_jt808_register_read(message, &asked)) {
        need(asked.plate.bytes + asked.plate.size <= end &&
             asked.terminal.bytes + asked.terminal.size <= end);
    }
    if (ht_jt808_authenticate_read(message, &code)) {
        need(code.size > 0 && code.bytes + code.size <= end);
    }
    (void)ht_jt808_answer_read(message, &answer);
    (void)ht_jt808_location_answer_read(message, &serial, &location);
    location_see(message->body, message->size);
    if (ht_jt808_batch_begin(message, &batch)) {
        while (ht_jt808_batch_next(&batch, &body, &size)) {
            need(body + size <= end);
            location_see(body, size);
        }
    }
}

/* Said again to the same terminal, it is the same. */
static void again_see(const struct ht_jt808_message *message)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    uint8_t room[HT_JT808_MESSAGE_MAX];
    struct ht_jt808_message back;
    if (message->size > HT_JT808_BODY_MAX) {
        return;
    }
    size_t size = ht_jt808_encode(&message->header, message->header.id, message->header.serial,
                                  message->body, message->size, out);
    need(size <= sizeof out && out[0] == 0x7e && out[size - 1] == 0x7e);
    need(memchr(out + 1, 0x7e, size - 2) == NULL);
    need(ht_jt808_decode(out + 1, size - 2, room, &back) == HT_JT808_FAULT_NONE);
    need(back.header.id == message->header.id && back.header.serial == message->header.serial);
    need(back.size == message->size &&
         (back.size == 0 || memcmp(back.body, message->body, back.size) == 0));
    need(memcmp(back.header.phone, message->header.phone, sizeof back.header.phone) == 0);
}

static uint64_t frame_see(const uint8_t *raw, size_t size, struct ht_jt808_assembly **assembly,
                          uint64_t hash)
{
    uint8_t room[HT_JT808_MESSAGE_MAX];
    char phone[HT_JT808_PHONE_MAX + 1];
    struct ht_jt808_message message;
    struct ht_jt808_message whole;
    bool dropped = false;
    enum ht_jt808_fault fault = ht_jt808_decode(raw, size, room, &message);
    need(size > 0 && memchr(raw, 0x7e, size) == NULL);
    if (fault != HT_JT808_FAULT_NONE) {
        return mix(hash, fault);
    }
    ht_jt808_phone_text(&message.header, phone);
    need(strlen(phone) > 0 && (phone[0] != '0' || phone[1] == '\0'));
    body_see(&message);
    again_see(&message);
    hash = mix(mix(hash, message.header.id), message.size);
    if (message.header.parts > 0 &&
        ht_jt808_assembly_add(assembly, &message, 1, &whole, &dropped) == HT_JT808_PART_WHOLE) {
        body_see(&whole);
        hash = mix(hash, whole.size);
        ht_jt808_assembly_free(*assembly);
        *assembly = NULL;
    }
    return hash;
}

/* A connection that brings `step` bytes at a time; a hash of what was found on it. */
static uint64_t stream_see(const uint8_t *data, size_t size, size_t step)
{
    struct ht_jt808_scan scan = {0};
    struct ht_jt808_assembly *assembly = NULL;
    enum ht_jt808_found found = HT_JT808_NOTHING;
    uint64_t hash = 7;
    size_t begin = 0;
    size_t end = 0;
    while (end < size && found != HT_JT808_ENDLESS) {
        end = step < size - end ? end + step : size;
        do {
            uint8_t *exact = malloc(end > begin ? end - begin : 1);
            need(exact != NULL);
            memcpy(exact, data + begin, end - begin);
            found = ht_jt808_scan(&scan, exact, end - begin);
            need(scan.used <= end - begin);
            hash = found == HT_JT808_FRAME ? frame_see(scan.raw, scan.raw_size, &assembly, hash)
                                           : hash;
            begin += scan.used;
            free(exact);
        } while (found == HT_JT808_FRAME);
    }
    ht_jt808_assembly_free(assembly);
    return found == HT_JT808_ENDLESS ? 0 : mix(hash, scan.passed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 8192) {
        return 0;
    }
    uint64_t whole = stream_see(data, size, size == 0 ? 1 : size);
    uint64_t pieces = stream_see(data, size, 1 + size % 97);
    /* where there is no end, how far it was read depends on the pieces */
    need(whole == pieces || whole == 0 || pieces == 0);
    return 0;
}
