/* What terminals say, and what they are answered. */
#include <stdio.h>
#include <string.h>

#include "api/jt808_internal.h"
#include "api/relay.h"
#include "geodata/digest.h"

enum { REFUSED_MOST = 32, CODE_DIGITS = 32 };

static void refuse(struct ht__jt_conn *conn, enum ht__jt_refusal why)
{
    ht__jt_add(&conn->jt->counts.refusals[why], 1);
}

/* Of somebody whom we don't know, and who may go on trying for a while. */
static void refuse_stranger(struct ht__jt_conn *conn, enum ht__jt_refusal why)
{
    refuse(conn, why);
    if (++conn->refused >= REFUSED_MOST) {
        ht__jt_conn_end(conn, HT_JT_CLOSED_REFUSED);
    }
}

void ht__jt_answer(struct ht__jt_conn *conn, uint16_t serial, uint16_t id,
                   enum ht_jt808_result result)
{
    uint8_t body[5];
    size_t size = ht_jt808_answer_put(serial, id, result, body);
    ht__jt_put(conn, HT_JT808_OUT_ANSWER, body, size);
}

static void answer(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                   enum ht_jt808_result result)
{
    ht__jt_answer(conn, header->serial, header->id, result);
}

/* ---- who is it ---- */

void ht__jt_ask_book(struct ht_jt808 *jt, const char *id, const char *key, bool proven, int battery,
                     struct ht_device_known *out)
{
    const struct ht_device_sighting sighting = {.protocol = "jt808",
                                                .id = id,
                                                .at_ms = ht_clock_now_ms(&jt->app->clock),
                                                .battery = battery,
                                                .key = key,
                                                .proven = proven};
    ht_device_book_seen(jt->app->book, &sighting, out);
}

/* At a node that follows: the desk hears of it, too. */
static void tell_seen(struct ht_jt808 *jt, const char *id, const char *key, bool proven)
{
    struct ht_relay *relay = ht__jt_relay(jt);
    const struct ht_device_sighting sighting = {
        .protocol = "jt808", .id = id, .battery = -1, .key = key, .proven = proven};
    if (relay != NULL) {
        ht_relay_seen(relay, &sighting);
    }
}

/* The code that 0x8100 gives a terminal. False: it can't be made. */
static bool code_of(const struct ht_jt808 *jt, const char *id, char code[CODE_DIGITS + 1])
{
    static const char what[] = "jt808 code\n";
    char hex[HT_DIGEST_TEXT];
    const struct ht_bytes parts[] = {{what, sizeof what - 1}, {id, strlen(id)}};
    if (ht_hmac(jt->secret, sizeof jt->secret, parts, 2, hex) != HT_OK) {
        return false;
    }
    memcpy(code, hex, CODE_DIGITS);
    code[CODE_DIGITS] = '\0';
    return true;
}

/* A field as text: printing ASCII, not too long; NULL: it is none. */
static const char *printing(const struct ht_jt808_text *text, char out[HT_JT808_CODE_MAX + 1])
{
    if (text->size == 0 || text->size > HT_JT808_CODE_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < text->size; i++) {
        if (text->bytes[i] <= ' ' || text->bytes[i] > '~') {
            return NULL;
        }
        out[i] = (char)text->bytes[i];
    }
    out[text->size] = '\0';
    return out;
}

static enum ht__jt_refusal standing_refusal(const struct ht_device_known *known)
{
    return known->standing == HT_DEVICE_UNKNOWN ? HT_JT_REFUSAL_UNKNOWN : HT_JT_REFUSAL_BLOCKED;
}

static void register_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_register asked;
    struct ht_device_known known;
    char id[HT_JT808_PHONE_MAX + 1];
    char key[HT_JT808_CODE_MAX + 1];
    char code[CODE_DIGITS + 1] = "";
    uint8_t body[3 + HT_JT808_CODE_MAX];
    if (!ht_jt808_register_read(message, &asked)) {
        refuse_stranger(conn, HT_JT_REFUSAL_BODY);
        answer(conn, &message->header, HT_JT808_WRONG);
        return;
    }
    enum ht_jt808_registered result = HT_JT808_REGISTERED;
    ht_jt808_phone_text(&message->header, id);
    const char *terminal = printing(&asked.terminal, key);
    ht__jt_ask_book(conn->jt, id, terminal, false, -1, &known);
    tell_seen(conn->jt, id, terminal, false);
    if (known.standing != HT_DEVICE_TRUSTED) {
        refuse_stranger(conn, standing_refusal(&known));
        result = HT_JT808_NO_TERMINAL;
    } else if (!code_of(conn->jt, id, code)) {
        result = HT_JT808_NO_TERMINAL;
    }
    size_t size = ht_jt808_registered_put(message->header.serial, result, code, body);
    ht__jt_put(conn, HT_JT808_OUT_REGISTERED, body, size);
}

/* Whether the code is the one that it was given, or its key. */
static bool code_proves(struct ht__jt_conn *conn, const char *id, const char *said,
                        struct ht_device_known *known)
{
    char code[CODE_DIGITS + 1];
    bool given = said != NULL && strlen(said) == CODE_DIGITS && code_of(conn->jt, id, code) &&
                 ht_equal_secret(said, code, CODE_DIGITS);
    ht__jt_ask_book(conn->jt, id, given ? NULL : said, given, -1, known);
    tell_seen(conn->jt, id, given ? NULL : said, given);
    if (known->standing != HT_DEVICE_TRUSTED) {
        refuse_stranger(conn, standing_refusal(known));
        return false;
    }
    if (!given && !known->keyed) {
        refuse_stranger(conn, HT_JT_REFUSAL_CODE);
        return false;
    }
    return true;
}

static void authenticate_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_text text = {0};
    struct ht_device_known known;
    char id[HT_JT808_PHONE_MAX + 1];
    char said[HT_JT808_CODE_MAX + 1];
    if (!ht_jt808_authenticate_read(message, &text)) {
        refuse_stranger(conn, HT_JT_REFUSAL_BODY);
        answer(conn, &message->header, HT_JT808_WRONG);
        return;
    }
    ht_jt808_phone_text(&message->header, id);
    if (conn->proven && strcmp(conn->id, id) != 0) {
        refuse_stranger(conn, HT_JT_REFUSAL_OTHER_TERMINAL);
        answer(conn, &message->header, HT_JT808_FAILED);
        return;
    }
    if (!code_proves(conn, id, printing(&text, said), &known)) {
        ht__jt_forget(conn);
        answer(conn, &message->header, HT_JT808_FAILED);
        return;
    }
    ht__jt_proven(conn, id);
    ht__jt_in_unit(conn, known.unit);
    answer(conn, &message->header, HT_JT808_DONE);
}

/* ---- what counts once it is known ---- */

/* Whether the book still trusts it, with what it knows; else it has to begin anew. */
static bool still_trusted(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                          int battery, struct ht_device_known *known)
{
    ht__jt_ask_book(conn->jt, conn->id, NULL, true, battery, known);
    if (known->standing == HT_DEVICE_TRUSTED) {
        if (strcmp(known->unit, conn->unit) != 0) {
            ht__jt_in_unit(conn, known->unit);
        }
        return true;
    }
    refuse(conn, standing_refusal(known));
    answer(conn, header, HT_JT808_FAILED);
    ht__jt_forget(conn);
    ht__jt_conn_end(conn, HT_JT_CLOSED_REFUSED);
    return false;
}

static void wrong_body(struct ht__jt_conn *conn, const struct ht_jt808_header *header)
{
    refuse(conn, HT_JT_REFUSAL_BODY);
    answer(conn, header, HT_JT808_WRONG);
}

/* `answered`: it wants an answer. */
static void location_take(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                          const struct ht_jt808_location *location, bool answered)
{
    struct ht_device_known known;
    enum ht_jt808_result result = HT_JT808_DONE;
    if (!still_trusted(conn, header, location->battery_percent, &known)) {
        return;
    }
    bool later = ht__jt_location(conn, header, location, &known, &result);
    if (answered && !later) {
        answer(conn, header, result);
    }
}

static void location_message(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_location location;
    if (ht_jt808_location_read(message->body, message->size, &location)) {
        location_take(conn, &message->header, &location, true);
    } else {
        wrong_body(conn, &message->header);
    }
}

static void query_answer_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_location location;
    uint16_t serial = 0;
    if (ht_jt808_location_answer_read(message, &serial, &location)) {
        location_take(conn, &message->header, &location, false);
    } else {
        refuse(conn, HT_JT_REFUSAL_BODY);
    }
}

static void batch_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_batch batch;
    struct ht_jt808_location location;
    struct ht_device_known known;
    const uint8_t *body = NULL;
    size_t size = 0;
    bool good = ht_jt808_batch_begin(message, &batch);
    bool later = false;
    enum ht_jt808_result result = HT_JT808_DONE;
    if (!good) {
        wrong_body(conn, &message->header);
        return;
    }
    if (!still_trusted(conn, &message->header, -1, &known)) {
        return;
    }
    while (ht_jt808_batch_next(&batch, &body, &size)) {
        if (ht_jt808_location_read(body, size, &location)) {
            enum ht_jt808_result one = HT_JT808_DONE;
            later = ht__jt_location(conn, &message->header, &location, &known, &one) || later;
            result = one == HT_JT808_FAILED || result == HT_JT808_DONE ? one : result;
        } else {
            good = false;
        }
    }
    conn->alarm_failed = conn->alarm_failed || (later && result == HT_JT808_FAILED);
    if (!good || batch.left > 0) {
        refuse(conn, HT_JT_REFUSAL_BODY);
        result = HT_JT808_WRONG;
    }
    if (!later) {
        answer(conn, &message->header, result);
    }
}

/* To one of our texts or questions. */
static void answer_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_answer said;
    if (!ht_jt808_answer_read(message, &said)) {
        refuse(conn, HT_JT_REFUSAL_BODY);
    } else if (said.id == HT_JT808_OUT_TEXT) {
        ht__jt_add(&conn->jt->counts.texts[said.result == HT_JT808_DONE ? HT_JT_TEXT_SHOWN
                                                                        : HT_JT_TEXT_REFUSED],
                   1);
    }
}

static enum ht__jt_message kind_of(uint16_t id)
{
    switch (id) {
    case HT_JT808_ANSWER:
        return HT_JT_MESSAGE_ANSWER;
    case HT_JT808_HEARTBEAT:
        return HT_JT_MESSAGE_HEARTBEAT;
    case HT_JT808_LOGOUT:
        return HT_JT_MESSAGE_LOGOUT;
    case HT_JT808_REGISTER:
        return HT_JT_MESSAGE_REGISTER;
    case HT_JT808_AUTHENTICATE:
        return HT_JT_MESSAGE_AUTHENTICATE;
    case HT_JT808_LOCATION:
        return HT_JT_MESSAGE_LOCATION;
    case HT_JT808_LOCATION_ANSWER:
        return HT_JT_MESSAGE_QUERY_ANSWER;
    case HT_JT808_BATCH:
        return HT_JT_MESSAGE_BATCH;
    default:
        return HT_JT_MESSAGE_OTHER;
    }
}

/* What a terminal may say once it has proven who it is. */
static void proven_take(struct ht__jt_conn *conn, enum ht__jt_message kind,
                        const struct ht_jt808_message *message)
{
    struct ht_device_known known;
    switch (kind) {
    case HT_JT_MESSAGE_LOCATION:
        location_message(conn, message);
        break;
    case HT_JT_MESSAGE_BATCH:
        batch_take(conn, message);
        break;
    case HT_JT_MESSAGE_QUERY_ANSWER:
        query_answer_take(conn, message);
        break;
    case HT_JT_MESSAGE_ANSWER:
        answer_take(conn, message);
        break;
    case HT_JT_MESSAGE_HEARTBEAT:
        if (still_trusted(conn, &message->header, -1, &known)) {
            tell_seen(conn->jt, conn->id, NULL, true);
            answer(conn, &message->header, HT_JT808_DONE);
        }
        break;
    case HT_JT_MESSAGE_LOGOUT:
        answer(conn, &message->header, HT_JT808_DONE);
        ht__jt_conn_end(conn, HT_JT_CLOSED_LOGOUT);
        break;
    case HT_JT_MESSAGE_REGISTER: /* these two, and parts, are taken before */
    case HT_JT_MESSAGE_AUTHENTICATE:
    case HT_JT_MESSAGE_PART:
    case HT_JT_MESSAGE_OTHER:
    case HT_JT_MESSAGES:
    default:
        refuse(conn, HT_JT_REFUSAL_UNSUPPORTED);
        answer(conn, &message->header, HT_JT808_UNSUPPORTED);
        break;
    }
}

static void whole_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    enum ht__jt_message kind = kind_of(message->header.id);
    char id[HT_JT808_PHONE_MAX + 1];
    ht__jt_add(&conn->jt->counts.messages[kind], 1);
    if (kind == HT_JT_MESSAGE_REGISTER) {
        register_take(conn, message);
        return;
    }
    if (kind == HT_JT_MESSAGE_AUTHENTICATE) {
        authenticate_take(conn, message);
        return;
    }
    if (!conn->proven) {
        refuse_stranger(conn, HT_JT_REFUSAL_UNPROVEN);
        answer(conn, &message->header, HT_JT808_FAILED);
        return;
    }
    ht_jt808_phone_text(&message->header, id);
    if (strcmp(id, conn->id) != 0) {
        refuse_stranger(conn, HT_JT_REFUSAL_OTHER_TERMINAL);
        answer(conn, &message->header, HT_JT808_FAILED);
        return;
    }
    proven_take(conn, kind, message);
}

/* ---- messages in parts ---- */

static void parts_free(struct ht__jt_conn *conn)
{
    ht__jt_let_go(conn->jt, ht_jt808_assembly_bytes(conn->parts));
    ht_jt808_assembly_free(conn->parts);
    conn->parts = NULL;
}

/* What is none of ours, or too long, is not worth the memory. */
static bool part_wanted(const struct ht__jt_conn *conn, const struct ht_jt808_header *header)
{
    size_t room = atomic_load_explicit(&conn->jt->counts.held, memory_order_relaxed);
    return kind_of(header->id) != HT_JT_MESSAGE_OTHER && header->parts <= HT_JT808_PARTS_MAX &&
           room + (size_t)header->parts * HT_JT808_BODY_MAX <= conn->jt->options.held_max;
}

static void part_take(struct ht__jt_conn *conn, const struct ht_jt808_message *message)
{
    struct ht_jt808_message whole = {0};
    bool dropped = false;
    ht__jt_add(&conn->jt->counts.messages[HT_JT_MESSAGE_PART], 1);
    if (!conn->proven) {
        refuse_stranger(conn, HT_JT_REFUSAL_UNPROVEN);
        answer(conn, &message->header, HT_JT808_FAILED);
        return;
    }
    if (!part_wanted(conn, &message->header)) {
        refuse(conn, HT_JT_REFUSAL_PARTS);
        answer(conn, &message->header, HT_JT808_UNSUPPORTED);
        return;
    }
    size_t before = ht_jt808_assembly_bytes(conn->parts);
    enum ht_jt808_part part =
        ht_jt808_assembly_add(&conn->parts, message, conn->jt->now_ms, &whole, &dropped);
    size_t after = ht_jt808_assembly_bytes(conn->parts);
    ht__jt_add(&conn->jt->counts.held, after - before); /* below 0: it wraps as it must */
    if (dropped || part == HT_JT808_PART_REFUSED) {
        refuse(conn, HT_JT_REFUSAL_PARTS);
    }
    switch (part) {
    case HT_JT808_PART_WHOLE:
        whole_take(conn, &whole);
        parts_free(conn);
        break;
    case HT_JT808_PART_TAKEN:
        answer(conn, &message->header, HT_JT808_DONE);
        break;
    case HT_JT808_PART_REFUSED:
        answer(conn, &message->header, HT_JT808_FAILED);
        break;
    }
}

void ht__jt_frame(struct ht__jt_conn *conn, const uint8_t *raw, size_t size)
{
    struct ht_jt808 *jt = conn->jt;
    struct ht_jt808_message message = {0};
    uint8_t room[HT_JT808_MESSAGE_MAX];
    enum ht_jt808_fault fault = ht_jt808_decode(raw, size, room, &message);
    if (fault != HT_JT808_FAULT_NONE) {
        ht__jt_add(&jt->counts.faults[fault], 1);
        conn->faults++;
    }
    if (fault != HT_JT808_FAULT_NONE && fault < HT_JT808_FAULT_LENGTH) {
        return; /* whom to answer is not known; the terminal says it again */
    }
    conn->peer = message.header;
    if (fault != HT_JT808_FAULT_NONE) {
        answer(conn, &message.header,
               fault == HT_JT808_FAULT_ENCRYPTED ? HT_JT808_UNSUPPORTED : HT_JT808_WRONG);
        return;
    }
    conn->faults = 0;
    conn->heard_ms = jt->now_ms;
    if (message.header.parts > 0) {
        part_take(conn, &message);
    } else {
        whole_take(conn, &message);
    }
}
