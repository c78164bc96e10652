#include "api/mqtt_line.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/log.h"
#include "engine/base/status.h"
#include "geodata/digest.h"

enum {
    KEEPALIVE_S = 15, /* a broker that stands still is noticed in twice that */
    SESSION_S = 7 * 24 * 3600,
    RECEIVE_MOST = 500, /* messages on their way to us, not acknowledged */
    READ_MOST = 256,    /* at a time */
    HEADER_LEAST = 7,   /* bytes of a message besides its topic and payload */
    POLL_MS = 500,
    PROBE_MS = 5000,  /* for a connection to be made */
    GREET_MS = 10000, /* for the broker to answer to it */
    LEAVE_MS = 5000,  /* for what is held, at the end */
    BACK_OFF_MS = 500,
    BACK_OFF_MOST_MS = 60000,
    UNDERWAY_MOST = 200, /* that are published, not acknowledged */
    WAITING_MOST = 10000,
};

/* One that is to be published. */
struct parcel {
    struct parcel *next;
    size_t size;
    char texts[]; /* topic, NUL, payload */
};

struct ht_mqtt_line {
    struct ht_mqtt_line_options options;
    char (*filters)[HT_MQTT_LINE_TOPIC];
    struct mosquitto *mosq;
    pthread_t thread;
    atomic_size_t held;
    int64_t opened_ms; /* this and the next two: of the thread */
    int64_t misc_ms;
    int64_t back_off_ms;
    pthread_mutex_t lock; /* of the parcels */
    struct parcel *first;
    struct parcel **last;
    size_t waiting;
    atomic_size_t connects;
    atomic_size_t messages;
    atomic_size_t lost;
    atomic_size_t dropped;
    atomic_size_t published;
    atomic_size_t refused;
    atomic_size_t overrun;
    int wake;
    int unread;   /* bytes, as far as we know: of the thread, as the next three */
    int underway; /* that are published, not acknowledged */
    bool open;
    bool greeted;
    bool started;
    atomic_bool stop;
    atomic_bool rests;
    atomic_bool failed; /* something could not be settled */
    atomic_bool connected;
    uint16_t port;
    char host[256];
    char name[288]; /* host:port, for the log */
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void wake(const struct ht_mqtt_line *line)
{
    uint64_t one = 1;
    ssize_t done = write(line->wake, &one, sizeof one);
    (void)done; /* a counter that is full wakes, too */
}

static void woken(const struct ht_mqtt_line *line)
{
    uint64_t count = 0;
    ssize_t done = read(line->wake, &count, sizeof count);
    (void)done;
}

/* Another command than serve tells what went wrong, not that all is well. */
static void __attribute__((format(printf, 3, 4)))
say(const struct ht_mqtt_line *line, enum ht_log_level level, const char *format, ...)
{
    const char *command = line->options.command;
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (command == NULL || level != HT_LOG_INFO) {
        ht_log_of(command == NULL ? "serve" : command, level, message);
    }
}

/* ---- called by the library ---- */

static void on_connect(struct mosquitto *mosq, void *user, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct ht_mqtt_line *line = user;
    (void)flags;
    (void)properties;
    if (reason != 0) {
        say(line, HT_LOG_WARNING, "mqtt: %s refuses us: %s", line->name,
            mosquitto_reason_string(reason));
        return;
    }
    line->greeted = true;
    line->back_off_ms = 0;
    line->underway = 0;
    atomic_store(&line->connected, true);
    (void)atomic_fetch_add(&line->connects, 1);
    say(line, HT_LOG_INFO, "mqtt: connected to %s as %s", line->name, line->options.client_id);
    for (size_t i = 0; i < line->options.filter_count; i++) {
        int code = mosquitto_subscribe_v5(mosq, NULL, line->filters[i], line->options.qos, 0, NULL);
        if (code != MOSQ_ERR_SUCCESS) {
            say(line, HT_LOG_ERROR, "mqtt: can't subscribe to %s: %s", line->filters[i],
                mosquitto_strerror(code));
        }
    }
}

static void on_subscribe(struct mosquitto *mosq, void *user, int id, int count, const int *granted,
                         const mosquitto_property *properties)
{
    const struct ht_mqtt_line *line = user;
    (void)mosq;
    (void)id;
    (void)properties;
    for (int i = 0; i < count; i++) {
        if (granted[i] >= 128) {
            say(line, HT_LOG_ERROR, "mqtt: %s refuses a subscription: %s", line->name,
                mosquitto_reason_string(granted[i]));
        }
    }
}

static void on_message(struct mosquitto *mosq, void *user, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct ht_mqtt_line *line = user;
    size_t size = message->payloadlen < 0 ? 0 : (size_t)message->payloadlen;
    (void)mosq;
    (void)properties;
    line->unread -= (int)(HEADER_LEAST + strlen(message->topic) + size);
    (void)atomic_fetch_add_explicit(&line->messages, 1, memory_order_relaxed);
    (void)atomic_fetch_add(&line->held, 1);
    if (!line->options.message(line->options.user, message->topic,
                               size == 0 ? "" : message->payload, size)) {
        (void)atomic_fetch_sub(&line->held, 1);
    }
}

static void on_publish(struct mosquitto *mosq, void *user, int id, int reason,
                       const mosquitto_property *properties)
{
    struct ht_mqtt_line *line = user;
    (void)mosq;
    (void)id;
    (void)properties;
    line->underway -= line->underway > 0;
    (void)atomic_fetch_add(&line->published, 1);
    if (reason >= 0x80) { /* below it is fine that nobody subscribes (0x10) */
        if (atomic_fetch_add(&line->refused, 1) == 0) {
            say(line, HT_LOG_WARNING, "mqtt: %s does not take what we publish: %s", line->name,
                mosquitto_reason_string(reason));
        }
    }
}

/* ---- connecting ---- */

/* Waits until then, or the end. */
static void rest_until(struct ht_mqtt_line *line, int64_t until_ms)
{
    bool rests = atomic_load(&line->rests);
    for (int64_t left = 1;
         left > 0 && !atomic_load(&line->stop) && rests == atomic_load(&line->rests);) {
        struct pollfd fd = {.fd = line->wake, .events = POLLIN};
        left = until_ms - steady_ms();
        if (left > 0 && poll(&fd, 1, (int)left) > 0) {
            woken(line);
        }
    }
}

/* Longer each time, and not for all nodes alike. */
static void back_off(struct ht_mqtt_line *line)
{
    uint32_t dice = 0;
    if (ht_random_bytes(&dice, sizeof dice) != HT_OK) {
        dice = 0;
    }
    line->back_off_ms = line->back_off_ms == 0 ? BACK_OFF_MS : line->back_off_ms * 2;
    line->back_off_ms = line->back_off_ms > BACK_OFF_MOST_MS ? BACK_OFF_MOST_MS : line->back_off_ms;
    rest_until(line, steady_ms() + line->back_off_ms / 2 + dice % (line->back_off_ms / 2 + 1));
}

static void lost(struct ht_mqtt_line *line, const char *why)
{
    if (line->open && !atomic_load(&line->stop)) {
        (void)atomic_fetch_add(&line->lost, 1);
        say(line, HT_LOG_WARNING, "mqtt: the connection to %s is lost: %s", line->name, why);
    }
    line->open = false;
    line->greeted = false;
    atomic_store(&line->connected, false);
}

/* Whether somebody listens at an address; the library's own connect would wait for minutes. */
static bool reaches(struct ht_mqtt_line *line, const struct addrinfo *at)
{
    int end_of = 0;
    socklen_t size = sizeof end_of;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0;
    int64_t until_ms = steady_ms() + PROBE_MS;
    bool waits = fd >= 0 && !there && errno == EINPROGRESS;
    while (waits && !atomic_load(&line->stop)) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT},
                                {.fd = line->wake, .events = POLLIN}};
        int64_t left = until_ms - steady_ms();
        waits = left > 0 && poll(fds, 2, (int)left) >= 0 && (fds[0].revents & POLLOUT) == 0;
        if ((fds[1].revents & POLLIN) != 0) {
            woken(line);
        }
        there = (fds[0].revents & POLLOUT) != 0 &&
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &end_of, &size) == 0 && end_of == 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return there;
}

static bool somebody_listens(struct ht_mqtt_line *line)
{
    char port[8];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    (void)snprintf(port, sizeof port, "%u", (unsigned)line->port);
    int code = getaddrinfo(line->host, port, &hints, &list);
    bool there = false;
    for (const struct addrinfo *at = list; code == 0 && at != NULL && !there; at = at->ai_next) {
        there = reaches(line, at);
    }
    if (code == 0) {
        freeaddrinfo(list);
    }
    return there;
}

static int connect_now(struct ht_mqtt_line *line)
{
    mosquitto_property *properties = NULL;
    int code = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                            line->options.lasts ? SESSION_S : 0);
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                            HT_MQTT_PAYLOAD_MOST + 4096);
    }
    if (code == MOSQ_ERR_SUCCESS) { /* what waited for the socket is forgotten with it */
        code = mosquitto_connect_bind_v5(line->mosq, line->host, line->port, KEEPALIVE_S, NULL,
                                         properties);
    }
    mosquitto_property_free_all(&properties);
    return code;
}

static void connect_try(struct ht_mqtt_line *line)
{
    const char *why = "nobody answers";
    int code = somebody_listens(line) ? connect_now(line) : MOSQ_ERR_NO_CONN;
    if (atomic_load(&line->stop)) {
        return;
    }
    if (code == MOSQ_ERR_SUCCESS) {
        line->open = true;
        line->greeted = false;
        line->opened_ms = steady_ms();
        line->misc_ms = line->opened_ms;
        return;
    }
    why = code == MOSQ_ERR_NO_CONN ? why
          : code == MOSQ_ERR_ERRNO ? "the connection can't be made"
                                   : mosquitto_strerror(code);
    say(line, HT_LOG_WARNING, "mqtt: %s is not reached: %s", line->name, why);
    back_off(line);
}

/* ---- a connection ---- */

static struct parcel *parcel_take(struct ht_mqtt_line *line)
{
    (void)pthread_mutex_lock(&line->lock);
    struct parcel *parcel = line->first;
    if (parcel != NULL) {
        line->first = parcel->next;
        line->last = line->first == NULL ? &line->first : line->last;
        line->waiting--;
    }
    (void)pthread_mutex_unlock(&line->lock);
    return parcel;
}

static void publish_waiting(struct ht_mqtt_line *line)
{
    while (line->greeted && line->underway < UNDERWAY_MOST) {
        struct parcel *parcel = parcel_take(line);
        if (parcel == NULL) {
            return;
        }
        const char *payload = parcel->texts + strlen(parcel->texts) + 1;
        int code = mosquitto_publish_v5(line->mosq, NULL, parcel->texts, (int)parcel->size, payload,
                                        1, false, NULL);
        line->underway += code == MOSQ_ERR_SUCCESS;
        free(parcel);
    }
}

/* Nothing that was read waits, and all of it was settled well: what is queued may go. Looks in the
 * order opposite to settle's. */
static bool may_write(const struct ht_mqtt_line *line)
{
    return !line->options.holds || (atomic_load(&line->held) == 0 && !atomic_load(&line->failed));
}

/* The library writes each packet by itself, four bytes to acknowledge one message: between corks
 * they leave together. */
static void cork(const struct ht_mqtt_line *line, int on)
{
    int fd = mosquitto_socket(line->mosq);
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); /* else they go alone */
    }
}

/* False: the connection is lost. */
static bool flush(struct ht_mqtt_line *line)
{
    int code = MOSQ_ERR_SUCCESS;
    if (may_write(line) && mosquitto_want_write(line->mosq)) {
        cork(line, 1);
        code =
            mosquitto_loop_write(line->mosq, 1); /* all there is, as far as the socket takes it */
        cork(line, 0);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        lost(line, mosquitto_strerror(code));
    }
    return code == MOSQ_ERR_SUCCESS;
}

/* Bytes that wait to be read. */
static int unread(const struct ht_mqtt_line *line)
{
    int bytes = 0;
    int fd = mosquitto_socket(line->mosq);
    return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

static bool read_some(struct ht_mqtt_line *line)
{
    int code = MOSQ_ERR_SUCCESS;
    line->unread = unread(line); /* 0: the end, which the library has to see */
    for (int i = 0; i < READ_MOST && code == MOSQ_ERR_SUCCESS && (i == 0 || line->unread > 0);
         i++) {
        int before = line->unread;
        code = mosquitto_loop_read(line->mosq, 1);
        if (line->unread == before || line->unread <= 0) { /* no message, or the last of them */
            line->unread = unread(line);
        }
    }
    if (code == MOSQ_ERR_SUCCESS && line->options.rest != NULL) {
        line->options.rest(line->options.user);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        lost(line, mosquitto_strerror(code));
    }
    return code == MOSQ_ERR_SUCCESS;
}

/* Once a second: is the other side alive? False: the connection is lost. */
static bool look_after(struct ht_mqtt_line *line)
{
    int64_t now_ms = steady_ms();
    int code = MOSQ_ERR_SUCCESS;
    if (now_ms - line->misc_ms >= 1000) {
        line->misc_ms = now_ms;
        code = mosquitto_loop_misc(line->mosq);
    }
    if (code == MOSQ_ERR_SUCCESS && !line->greeted && now_ms - line->opened_ms > GREET_MS) {
        code = MOSQ_ERR_CONN_LOST;
    }
    if (code != MOSQ_ERR_SUCCESS) {
        lost(line, mosquitto_strerror(code));
    }
    return code == MOSQ_ERR_SUCCESS;
}

/* What can't be settled has to come again: with another connection, whose broker does not know that
 * we had it. */
static bool drop_failed(struct ht_mqtt_line *line)
{
    if (atomic_load(&line->held) > 0 || !atomic_load(&line->failed)) {
        return false;
    }
    atomic_store(&line->failed, false);
    (void)atomic_fetch_add(&line->dropped, 1);
    lost(line, "what came could not be written; it will come again");
    return true;
}

static void step(struct ht_mqtt_line *line)
{
    if (drop_failed(line)) {
        return;
    }
    publish_waiting(line);
    if (!flush(line) || !look_after(line)) {
        return;
    }
    bool writes = may_write(line);
    bool queued = mosquitto_want_write(line->mosq);
    /* acknowledgements of what is read now may not go with what did not fit the socket before */
    bool reads = !(line->options.holds && writes && queued) && !atomic_load(&line->failed);
    struct pollfd fds[2] = {
        {.fd = mosquitto_socket(line->mosq),
         .events = (short)((reads ? POLLIN : 0) | (writes && queued ? POLLOUT : 0))},
        {.fd = line->wake, .events = POLLIN}};
    int ready = poll(fds, 2, POLL_MS);
    if (ready > 0 && (fds[1].revents & POLLIN) != 0) {
        woken(line);
    }
    if (ready > 0 && reads && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        (void)read_some(line);
    } else if (ready == 0 && line->options.rest != NULL) {
        line->options.rest(line->options.user);
    }
}

/* What is held gets a moment to be settled, so that the next start need not fold it. */
static void leave(struct ht_mqtt_line *line)
{
    int64_t until_ms = steady_ms() + LEAVE_MS;
    while (line->open && line->greeted && atomic_load(&line->held) > 0 && steady_ms() < until_ms) {
        struct pollfd fd = {.fd = line->wake, .events = POLLIN};
        if (poll(&fd, 1, 100) > 0) {
            woken(line);
        }
    }
    if (line->open && line->greeted && may_write(line)) {
        (void)mosquitto_disconnect_v5(line->mosq, 0, NULL);
        (void)mosquitto_loop_write(line->mosq, 1);
    }
    lost(line, "");
}

/* Somebody else takes the session up: what it may not acknowledge stays in the queue, which the
 * next connection empties. */
static void let_go(struct ht_mqtt_line *line)
{
    int fd = mosquitto_socket(line->mosq);
    if (line->open && line->greeted && may_write(line)) {
        (void)mosquitto_disconnect_v5(line->mosq, 0, NULL);
        (void)mosquitto_loop_write(line->mosq, 1);
    } else if (fd >= 0) {
        (void)shutdown(fd, SHUT_RDWR);
    }
    line->open = false;
    line->greeted = false;
    atomic_store(&line->connected, false);
}

static void *line_run(void *user)
{
    struct ht_mqtt_line *line = user;
    while (!atomic_load(&line->stop)) {
        if (atomic_load(&line->rests)) {
            if (line->open) {
                let_go(line);
            }
            rest_until(line, steady_ms() + POLL_MS);
        } else if (line->open) {
            step(line);
            if (!line->open && !atomic_load(&line->stop)) {
                back_off(line);
            }
        } else {
            connect_try(line);
        }
    }
    leave(line);
    return NULL;
}

/* ---- life ---- */

static enum ht_status tls_set(struct ht_mqtt_line *line, struct ht_error *error)
{
    const struct ht_mqtt_line_options *o = &line->options;
    int code = mosquitto_tls_set(line->mosq, o->ca, o->ca == NULL ? "/etc/ssl/certs" : NULL,
                                 o->cert, o->key, NULL);
    return code == MOSQ_ERR_SUCCESS
               ? HT_OK
               : ht_error_set(error, code == MOSQ_ERR_NOMEM ? HT_NOMEM : HT_INVALID, 0,
                              "the certificates of --mqtt-ca, --mqtt-cert and --mqtt-key can't be "
                              "read: %s",
                              mosquitto_strerror(code));
}

static enum ht_status client_make(struct ht_mqtt_line *line, struct ht_error *error)
{
    const struct ht_mqtt_url *url = line->options.url;
    line->mosq = mosquitto_new(line->options.client_id, !line->options.lasts, line);
    if (line->mosq == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    int code = mosquitto_threaded_set(line->mosq, true); /* see the header */
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_int_option(line->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    }
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_int_option(line->mosq, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MOST);
    }
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_int_option(line->mosq, MOSQ_OPT_TCP_NODELAY, 1);
    }
    if (code == MOSQ_ERR_SUCCESS && url->user[0] != '\0') {
        code = mosquitto_username_pw_set(line->mosq, url->user,
                                         url->password[0] == '\0' ? NULL : url->password);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        return ht_error_set(error, HT_INVALID, 0, "%s", mosquitto_strerror(code));
    }
    mosquitto_connect_v5_callback_set(line->mosq, on_connect);
    mosquitto_subscribe_v5_callback_set(line->mosq, on_subscribe);
    mosquitto_message_v5_callback_set(line->mosq, on_message);
    mosquitto_publish_v5_callback_set(line->mosq, on_publish);
    return url->tls ? tls_set(line, error) : HT_OK;
}

static enum ht_status line_fill(struct ht_mqtt_line *line,
                                const struct ht_mqtt_line_options *options, struct ht_error *error)
{
    line->options = *options;
    atomic_store(&line->rests, options->rests);
    line->last = &line->first;
    line->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    line->port = options->url->port;
    (void)snprintf(line->host, sizeof line->host, "%s", options->url->host);
    (void)snprintf(line->name, sizeof line->name, "%s:%u", line->host, (unsigned)line->port);
    (void)pthread_mutex_init(&line->lock, NULL);
    line->filters = calloc(options->filter_count + 1, sizeof *line->filters);
    if (line->wake < 0 || line->filters == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (size_t i = 0; i < options->filter_count; i++) {
        (void)snprintf(line->filters[i], sizeof line->filters[i], "%s", options->filters[i]);
    }
    return HT_OK;
}

enum ht_status ht_mqtt_line_new(const struct ht_mqtt_line_options *options,
                                struct ht_mqtt_line **out, struct ht_error *error)
{
    struct ht_mqtt_line *line = calloc(1, sizeof *line);
    *out = line;
    if (line == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)mosquitto_lib_init(); /* counts */
    enum ht_status status = line_fill(line, options, error);
    if (status == HT_OK) {
        status = client_make(line, error);
    }
    if (status == HT_OK) {
        line->started = pthread_create(&line->thread, NULL, line_run, line) == 0;
        status = line->started ? HT_OK : ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return status;
}

void ht_mqtt_line_stop(struct ht_mqtt_line *line)
{
    if (line != NULL && line->started) {
        atomic_store(&line->stop, true);
        wake(line);
        (void)pthread_join(line->thread, NULL);
        line->started = false;
    }
}

void ht_mqtt_line_free(struct ht_mqtt_line *line)
{
    if (line == NULL) {
        return;
    }
    ht_mqtt_line_stop(line);
    mosquitto_destroy(line->mosq);
    for (struct parcel *parcel = parcel_take(line); parcel != NULL; parcel = parcel_take(line)) {
        free(parcel);
    }
    if (line->wake >= 0) {
        (void)close(line->wake);
    }
    (void)pthread_mutex_destroy(&line->lock);
    free(line->filters);
    free(line);
    (void)mosquitto_lib_cleanup();
}

void ht_mqtt_line_rest(struct ht_mqtt_line *line, bool rests)
{
    if (line != NULL && atomic_exchange(&line->rests, rests) != rests) {
        wake(line);
    }
}

void ht_mqtt_line_settle(struct ht_mqtt_line *line, bool good)
{
    if (!good) {
        atomic_store(&line->failed, true);
    }
    if (atomic_fetch_sub(&line->held, 1) == 1) {
        wake(line);
    }
}

void ht_mqtt_line_publish(struct ht_mqtt_line *line, const char *topic, const char *payload,
                          size_t size)
{
    size_t topic_size = strlen(topic) + 1;
    struct parcel *parcel = malloc(sizeof *parcel + topic_size + size);
    struct parcel *oldest = NULL;
    if (parcel == NULL) {
        (void)atomic_fetch_add(&line->overrun, 1);
        return;
    }
    parcel->next = NULL;
    parcel->size = size;
    memcpy(parcel->texts, topic, topic_size);
    memcpy(parcel->texts + topic_size, payload, size);
    (void)pthread_mutex_lock(&line->lock);
    if (line->waiting == WAITING_MOST) {
        oldest = line->first;
        line->first = oldest->next;
        line->waiting--;
    }
    *line->last = parcel;
    line->last = &parcel->next;
    bool first = line->waiting++ == 0;
    (void)pthread_mutex_unlock(&line->lock);
    if (oldest != NULL) {
        (void)atomic_fetch_add(&line->overrun, 1);
        free(oldest);
    }
    if (first) {
        wake(line);
    }
}

void ht_mqtt_line_stats_read(struct ht_mqtt_line *line, struct ht_mqtt_line_stats *out)
{
    if (line == NULL) {
        *out = (struct ht_mqtt_line_stats){.connected = false};
        return;
    }
    *out = (struct ht_mqtt_line_stats){.connected = atomic_load(&line->connected),
                                       .connects = atomic_load(&line->connects),
                                       .messages = atomic_load(&line->messages),
                                       .held = atomic_load(&line->held),
                                       .lost = atomic_load(&line->lost),
                                       .dropped = atomic_load(&line->dropped),
                                       .published = atomic_load(&line->published),
                                       .refused = atomic_load(&line->refused),
                                       .overrun = atomic_load(&line->overrun)};
}
