/* JT/T 808 for tests: bytes from hexadecimal, and a terminal that speaks to a server.
 *
 * Include it in one .c file per program, after tests/support/check.h. Reads give up as
 * tests/support/http_client.h does, which is to be included before where a terminal speaks.
 */
#ifndef HT_TESTS_SUPPORT_JT808_H
#define HT_TESTS_SUPPORT_JT808_H

#include "api/jt808_message.h"

static inline int jt_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Returns how many bytes; what is no digit ends it. */
static inline size_t jt_hex(const char *text, uint8_t *out, size_t most)
{
    size_t size = 0;
    for (; size < most; text += 2) {
        int high = jt_digit(text[0]);
        int low = high < 0 ? -1 : jt_digit(text[1]);
        if (high < 0 || low < 0) {
            break;
        }
        out[size++] = (uint8_t)(high * 16 + low);
    }
    return size;
}

/* A frame with its marks, as a message that borrows `room`. */
static inline enum ht_jt808_fault jt_decode(const char *text, uint8_t *wire, size_t wire_size,
                                            uint8_t room[HT_JT808_MESSAGE_MAX],
                                            struct ht_jt808_message *out)
{
    struct ht_jt808_scan scan = {0};
    size_t size = jt_hex(text, wire, wire_size);
    if (ht_jt808_scan(&scan, wire, size) != HT_JT808_FRAME || scan.used != size) {
        return HT_JT808_FAULTS;
    }
    return ht_jt808_decode(scan.raw, scan.raw_size, room, out);
}

#ifdef HT_TESTS_SUPPORT_HTTP_CLIENT_H

struct jt_terminal {
    size_t have; /* bytes of `in` */
    size_t frame_size;
    struct ht_jt808_message message;
    int fd;
    struct ht_jt808_header header; /* `serial` is of the next message */
    uint8_t room[HT_JT808_MESSAGE_MAX];
    uint8_t frame[HT_JT808_WIRE_MAX]; /* the last that was read, with its marks */
    uint8_t in[1 << 14];
};

static inline bool jt_open(struct jt_terminal *t, uint16_t at, const char *phone, bool is_2019)
{
    t->header = (struct ht_jt808_header){.serial = 1, .is_2019 = is_2019, .version = is_2019};
    t->have = 0;
    t->fd = ht_client_socket();
    return ht_jt808_phone_set(&t->header, phone) && ht_client_connect(t->fd, at);
}

static inline bool jt_bytes(const struct jt_terminal *t, const void *bytes, size_t size)
{
    return send(t->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Reads a frame and decodes it. False: the connection ended, or what came is none. */
static inline bool jt_read(struct jt_terminal *t)
{
    struct ht_jt808_scan scan = {0};
    while (ht_jt808_scan(&scan, t->in, t->have) != HT_JT808_FRAME) {
        ssize_t got = recv(t->fd, t->in + t->have, sizeof t->in - t->have, 0);
        if (got <= 0) {
            return false;
        }
        t->have += (size_t)got;
        scan = (struct ht_jt808_scan){0};
    }
    t->frame_size = scan.used;
    memcpy(t->frame, t->in, scan.used);
    t->have -= scan.used;
    memmove(t->in, t->in + scan.used, t->have);
    return ht_jt808_decode(t->frame + 1, t->frame_size - 2, t->room, &t->message) ==
           HT_JT808_FAULT_NONE;
}

/* The end of the connection, and nothing before it. */
static inline bool jt_ends(struct jt_terminal *t)
{
    return t->have == 0 && recv(t->fd, t->in, sizeof t->in, 0) <= 0;
}

static inline bool jt_send(struct jt_terminal *t, uint16_t id, const void *body, size_t size)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    size_t written = ht_jt808_encode(&t->header, id, t->header.serial++, body, size, out);
    return jt_bytes(t, out, written);
}

/* Sends, and reads the answer: its result of 0x8001; -1: there was none, or it is another's. */
static inline int jt_ask(struct jt_terminal *t, uint16_t id, const void *body, size_t size)
{
    struct ht_jt808_answer said;
    uint16_t serial = t->header.serial;
    bool good = jt_send(t, id, body, size) && jt_read(t) &&
                t->message.header.id == HT_JT808_OUT_ANSWER &&
                ht_jt808_answer_read(&t->message, &said) && said.serial == serial && said.id == id;
    return good ? said.result : -1;
}

/* Registers as `terminal`, with which it may have to prove itself; the result of 0x8100, and the
 * code. */
static inline int jt_register(struct jt_terminal *t, const char *terminal, char code[80])
{
    uint8_t body[45] = {0, 33, 0, 206, 'M', 'A', 'K', 'E', 'R'};
    memcpy(body + 29, terminal, strlen(terminal) < 7 ? strlen(terminal) : 7);
    body[36] = 1;
    memcpy(body + 37,
           "\xd5\xe3"
           "B12345",
           8);
    if (!jt_send(t, HT_JT808_REGISTER, body, sizeof body) || !jt_read(t) ||
        t->message.header.id != HT_JT808_OUT_REGISTERED || t->message.size < 3) {
        return -1;
    }
    (void)snprintf(code, 80, "%.*s", (int)(t->message.size - 3), (const char *)t->message.body + 3);
    return t->message.body[2];
}

/* Registers and authenticates. */
static inline bool jt_enter(struct jt_terminal *t, uint16_t at, const char *phone)
{
    char code[80];
    return jt_open(t, at, phone, false) && jt_register(t, "T123456", code) == HT_JT808_REGISTERED &&
           jt_ask(t, HT_JT808_AUTHENTICATE, code, strlen(code)) == HT_JT808_DONE;
}

#endif

#endif
