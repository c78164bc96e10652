#include "api/simulate/terminals.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "api/jt808_message.h"

enum { WAIT_S = 10, PHONE_SIZE = 24 };

struct terminal {
    int fd; /* < 0: not connected */
    struct ht_jt808_header header;
};

struct ht_sim_terminals {
    struct sockaddr_in address;
    size_t count;
    struct terminal list[];
};

static void phone_of(size_t number, char out[PHONE_SIZE])
{
    (void)snprintf(out, PHONE_SIZE, "199%08zu", number % 100000000);
}

enum ht_status ht_sim_terminals_new(const char *door, size_t count, struct ht_sim_terminals **out,
                                    struct ht_error *error)
{
    char host[64];
    char *end = NULL;
    const char *colon = strrchr(door, ':');
    struct sockaddr_in address = {.sin_family = AF_INET};
    size_t size = colon == NULL ? sizeof host : (size_t)(colon - door);
    unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);
    if (size >= sizeof host || end == colon + 1 || *end != '\0' || port == 0 || port > UINT16_MAX) {
        return ht_error_set(error, HT_INVALID, 0, "--door takes HOST:PORT, not '%.60s'", door);
    }
    memcpy(host, door, size);
    host[size] = '\0';
    address.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                  &address.sin_addr) != 1) {
        return ht_error_set(error, HT_INVALID, 0, "--door takes an address, not '%s'", host);
    }
    struct ht_sim_terminals *terminals =
        calloc(1, sizeof *terminals + count * sizeof *terminals->list);
    if (terminals == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, "out of memory");
    }
    terminals->address = address;
    terminals->count = count;
    for (size_t i = 0; i < count; i++) {
        terminals->list[i].fd = -1;
    }
    *out = terminals;
    return HT_OK;
}

static void hang_up(struct terminal *terminal)
{
    if (terminal->fd >= 0) {
        (void)close(terminal->fd);
    }
    terminal->fd = -1;
}

void ht_sim_terminals_free(struct ht_sim_terminals *terminals)
{
    for (size_t i = 0; terminals != NULL && i < terminals->count; i++) {
        hang_up(&terminals->list[i]);
    }
    free(terminals);
}

void ht_sim_terminal_put(struct ht_sim_client *client, size_t number, const char *unit,
                         uint32_t lane)
{
    char phone[PHONE_SIZE];
    phone_of(number, phone);
    struct ht_sim_ask *ask =
        ht_sim_ask_new(client, HT_SIM_CALL_TOWN, "PUT", "/collections/devices/items/%s", phone);
    ht_text_addf(&ask->body,
                 "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,\"properties\":"
                 "{\"protocol\":\"jt808\",\"unit\":\"%s\"}}",
                 phone, unit);
    ask->type = "application/geo+json";
    ask->lane = lane;
    ht_sim_ask_send(client, ask);
}

/* ---- the wire ---- */

struct reading {
    uint8_t bytes[4 * HT_JT808_WIRE_MAX];
    uint8_t room[HT_JT808_MESSAGE_MAX];
    struct ht_jt808_message message;
};

/* What the server says next. */
static bool message_read(const struct terminal *terminal, struct reading *reading)
{
    struct ht_jt808_scan scan = {0};
    size_t have = 0;
    while (ht_jt808_scan(&scan, reading->bytes, have) != HT_JT808_FRAME) {
        /* a byte at a time: what follows the frame is the next one's */
        if (have == sizeof reading->bytes || recv(terminal->fd, reading->bytes + have, 1, 0) != 1) {
            return false;
        }
        have++;
        scan = (struct ht_jt808_scan){0};
    }
    return ht_jt808_decode(scan.raw, scan.raw_size, reading->room, &reading->message) ==
           HT_JT808_FAULT_NONE;
}

static bool message_send(struct terminal *terminal, uint16_t id, const uint8_t *body, size_t size)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    size_t written =
        ht_jt808_encode(&terminal->header, id, terminal->header.serial++, body, size, out);
    return send(terminal->fd, out, written, MSG_NOSIGNAL) == (ssize_t)written;
}

/* Says that a text was shown. */
static bool text_shown(struct terminal *terminal, const struct ht_jt808_message *message)
{
    uint8_t body[5];
    size_t size =
        ht_jt808_answer_put(message->header.serial, message->header.id, HT_JT808_DONE, body);
    return message_send(terminal, HT_JT808_ANSWER, body, size);
}

/* Sends and waits for the answer, which is of kind `answer`; texts come in between. */
static bool ask(struct terminal *terminal, uint16_t id, const uint8_t *body, size_t size,
                uint16_t answer, struct reading *reading)
{
    bool good = message_send(terminal, id, body, size) && message_read(terminal, reading);
    while (good && reading->message.header.id != answer) {
        good = (reading->message.header.id != HT_JT808_OUT_TEXT ||
                text_shown(terminal, &reading->message)) &&
               message_read(terminal, reading);
    }
    return good;
}

static bool done(const struct reading *reading)
{
    struct ht_jt808_answer said;
    return ht_jt808_answer_read(&reading->message, &said) &&
           (said.result == HT_JT808_DONE || said.result == HT_JT808_ALARM_TAKEN);
}

static bool enter(const struct ht_sim_terminals *terminals, struct terminal *terminal,
                  size_t number, struct reading *reading)
{
    static const uint8_t asked[45] = {0,   33,  0,   206, 'H', 'O', 'U', 'T',
                                      'A', 'S', 'I', 'M', 'U', 'L', 'A', 'T'};
    const struct timeval limit = {.tv_sec = WAIT_S};
    const int one = 1;
    char phone[PHONE_SIZE];
    uint8_t code[HT_JT808_CODE_MAX];
    phone_of(number, phone);
    terminal->header = (struct ht_jt808_header){.serial = 1};
    terminal->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(terminal->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(terminal->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(terminal->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bool good =
        terminal->fd >= 0 && ht_jt808_phone_set(&terminal->header, phone) &&
        connect(terminal->fd, (const struct sockaddr *)&terminals->address,
                sizeof terminals->address) == 0 &&
        ask(terminal, HT_JT808_REGISTER, asked, sizeof asked, HT_JT808_OUT_REGISTERED, reading);
    size_t size = good ? reading->message.size : 0;
    if (size <= 3 || size - 3 > sizeof code || reading->message.body[2] != HT_JT808_REGISTERED) {
        return false;
    }
    memcpy(code, reading->message.body + 3, size - 3);
    return ask(terminal, HT_JT808_AUTHENTICATE, code, size - 3, HT_JT808_OUT_ANSWER, reading) &&
           done(reading);
}

bool ht_sim_terminal_tell(struct ht_sim_terminals *terminals, size_t number,
                          const struct ht_sim_position *position)
{
    struct terminal *terminal = &terminals->list[number];
    struct reading reading;
    uint8_t body[HT_JT808_LOCATION_SIZE];
    const struct ht_jt808_location location = {.lon_deg = position->point.lon_e7 / 1e7,
                                               .lat_deg = position->point.lat_e7 / 1e7,
                                               .speed_mps = position->speed_mps,
                                               .bearing_deg = position->bearing_deg,
                                               .at_ms = position->ts_ms};
    if (terminal->fd < 0 && !enter(terminals, terminal, number, &reading)) {
        hang_up(terminal);
        return false;
    }
    ht_jt808_location_put(&location, 1U << HT_JT808_STATUS_FIXED | 1U << HT_JT808_STATUS_ACC, body);
    if (!ask(terminal, HT_JT808_LOCATION, body, sizeof body, HT_JT808_OUT_ANSWER, &reading) ||
        !done(&reading)) {
        hang_up(terminal); /* it begins anew with the next */
        return false;
    }
    return true;
}
