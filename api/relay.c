#include "api/relay.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/log.h"
#include "api/metrics.h"
#include "api/node_line.h"
#include "api/relay_record.h"

enum {
    CHUNK = 48 * 1024,       /* bytes of a batch */
    WAITING_MOST = 16 << 20, /* bytes of the calm lane */
    ALARMS_MOST = 10000,     /* that wait */
    ALARMS_AT_ONCE = 64,
    ALARM_MS = 15000,
    AGAIN_MS = 100,     /* after the desk was not reached */
    PATIENCE_MS = 5000, /* for its answer; alarms have ALARM_MS */
    LEAVE_MS = 1000,    /* for what is left at the end */
    TELL_EVERY_MS = 5000,
};

/* Records one behind the other. */
struct chunk {
    struct chunk *next;
    struct ht_buffer records;
    size_t count;
    ht_relay_stops_done *stops; /* who asks for the stops; NULL: nobody */
    void *stops_user;
};

struct alarm {
    struct alarm *next;
    ht_device_alarm_done *done;
    void *user;
    int64_t until_ms;
    struct ht_buffer record;
};

struct lane {
    struct ht_relay *relay;
    pthread_t thread;
    pthread_cond_t wake;
    struct ht_node_lines lines;
    struct ht_buffer request; /* of the lane's thread, as the next two */
    struct ht_buffer answer;
    int64_t told_ms;
    int patience_ms;
    bool started;
};

struct ht_relay {
    struct ht_node *node;
    pthread_mutex_t lock; /* of what follows */
    struct lane calm;
    struct lane urgent;
    struct chunk *first;
    struct chunk *last;
    size_t waiting; /* bytes */
    struct alarm *alarms;
    struct alarm **alarms_end;
    size_t alarm_count;
    bool stop;
    int64_t stop_ms;
    size_t brought; /* records of the calm lane that the desk took */
    size_t dropped;
    size_t answered; /* alarms */
    size_t failed;
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- in ---- */

static void sighting_put(struct ht_relay_record *record, const struct ht_device_sighting *sighting)
{
    record->settled = false;
    record->battery = sighting->battery < 0 || sighting->battery > 100 ? -1 : sighting->battery;
    record->proven = sighting->proven;
    record->keyed = sighting->key != NULL;
    (void)snprintf(record->protocol, sizeof record->protocol, "%s", sighting->protocol);
    (void)snprintf(record->id, sizeof record->id, "%s", sighting->id);
    (void)snprintf(record->key, sizeof record->key, "%s",
                   sighting->key == NULL ? "" : sighting->key);
}

/* `text`: what the desk answered; NULL: nothing. */
static void chunk_free(struct chunk *chunk, const char *text, size_t size)
{
    if (chunk->stops != NULL) {
        chunk->stops(chunk->stops_user, text, size);
    }
    ht_buffer_deinit(&chunk->records);
    free(chunk);
}

/* The oldest gives way. Needs the lock. */
static void chunk_drop(struct ht_relay *relay)
{
    struct chunk *oldest = relay->first;
    relay->first = oldest->next;
    relay->last = relay->first == NULL ? NULL : relay->last;
    relay->waiting -= oldest->records.size;
    relay->dropped += oldest->count;
    chunk_free(oldest, NULL, 0);
}

/* Where the next record goes. NULL: out of memory. Needs the lock. */
static struct chunk *chunk_place(struct ht_relay *relay)
{
    if (relay->last != NULL && relay->last->records.size + HT_RELAY_RECORD_MOST <= (size_t)CHUNK) {
        return relay->last;
    }
    struct chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) {
        return NULL;
    }
    while (relay->first != NULL && relay->waiting > WAITING_MOST) {
        chunk_drop(relay);
    }
    if (relay->last == NULL) {
        relay->first = chunk;
    } else {
        relay->last->next = chunk;
    }
    relay->last = chunk;
    return chunk;
}

/* NULL: it could not be kept. Needs the lock. */
static struct chunk *record_add(struct ht_relay *relay, const struct ht_relay_record *record)
{
    struct chunk *chunk = chunk_place(relay);
    size_t before = chunk == NULL ? 0 : chunk->records.size;
    if (chunk != NULL) {
        ht_relay_record_put(&chunk->records, record);
    }
    if (chunk != NULL && chunk->records.size > before) {
        relay->waiting += chunk->records.size - before;
        if (chunk->count++ == 0 && chunk == relay->first) {
            (void)pthread_cond_signal(&relay->calm.wake);
        }
        return chunk;
    }
    relay->dropped++;
    return NULL;
}

static void calm_add(struct ht_relay *relay, const struct ht_relay_record *record)
{
    (void)pthread_mutex_lock(&relay->lock);
    (void)record_add(relay, record);
    (void)pthread_mutex_unlock(&relay->lock);
}

bool ht_relay_stops(struct ht_relay *relay, ht_relay_stops_done *done, void *user)
{
    struct ht_relay_record record;
    const struct ht_device_sighting nobody = {.protocol = "", .id = "", .battery = -1};
    record.kind = HT_RELAY_STOPS;
    record.by_unit = false;
    record.placed = false;
    sighting_put(&record, &nobody);
    (void)pthread_mutex_lock(&relay->lock);
    bool free = !relay->stop && (relay->last == NULL || relay->last->stops == NULL);
    struct chunk *chunk = free ? record_add(relay, &record) : NULL;
    if (chunk != NULL) {
        chunk->stops = done;
        chunk->stops_user = user;
    }
    (void)pthread_mutex_unlock(&relay->lock);
    return chunk != NULL;
}

void ht_relay_position(struct ht_relay *relay, const struct ht_device_sighting *sighting,
                       bool by_unit, const struct ht_report *report)
{
    struct ht_relay_record record;
    record.kind = HT_RELAY_POSITION;
    record.by_unit = by_unit;
    record.placed = false;
    record.report = *report;
    sighting_put(&record, sighting);
    calm_add(relay, &record);
}

void ht_relay_settled(struct ht_relay *relay, const char *unit, const struct ht_report *report)
{
    struct ht_relay_record record;
    const struct ht_device_sighting nobody = {.protocol = "", .id = unit, .battery = -1};
    record.kind = HT_RELAY_POSITION;
    record.by_unit = true;
    record.placed = false;
    record.report = *report;
    sighting_put(&record, &nobody);
    record.settled = true;
    calm_add(relay, &record);
}

void ht_relay_seen(struct ht_relay *relay, const struct ht_device_sighting *sighting)
{
    struct ht_relay_record record;
    record.kind = HT_RELAY_SEEN;
    record.by_unit = false;
    record.placed = false;
    sighting_put(&record, sighting);
    calm_add(relay, &record);
}

void ht_relay_gone(struct ht_relay *relay, const char *id)
{
    struct ht_relay_record record;
    const struct ht_device_sighting sighting = {.protocol = "", .id = id, .battery = -1};
    record.kind = HT_RELAY_GONE;
    record.by_unit = false;
    record.placed = false;
    sighting_put(&record, &sighting);
    calm_add(relay, &record);
}

static void alarm_write(struct ht_buffer *out, const struct ht_device_sighting *sighting,
                        const struct ht_device_alarm *alarm)
{
    struct ht_relay_record record;
    record.kind = HT_RELAY_ALARM;
    record.by_unit = false;
    sighting_put(&record, sighting);
    record.severity = alarm->severity;
    record.placed = alarm->placed;
    record.lon_deg = alarm->placed ? alarm->lon_deg : 0;
    record.lat_deg = alarm->placed ? alarm->lat_deg : 0;
    (void)snprintf(record.alarm, sizeof record.alarm, "%s", alarm->kind);
    (void)snprintf(record.alarm_key, sizeof record.alarm_key, "%s",
                   alarm->key == NULL ? "" : alarm->key);
    (void)snprintf(record.note, sizeof record.note, "%s", alarm->note == NULL ? "" : alarm->note);
    ht_relay_record_put(out, &record);
}

static void alarm_free(struct alarm *alarm)
{
    ht_buffer_deinit(&alarm->record);
    free(alarm);
}

enum ht_status ht_relay_alarm(struct ht_relay *relay, const struct ht_device_sighting *sighting,
                              const struct ht_device_alarm *from, ht_device_alarm_done *done,
                              void *user)
{
    struct alarm *alarm = calloc(1, sizeof *alarm);
    if (alarm == NULL) {
        return HT_NOMEM;
    }
    alarm->done = done;
    alarm->user = user;
    alarm->until_ms = steady_ms() + ALARM_MS;
    alarm_write(&alarm->record, sighting, from);
    if (alarm->record.failed) {
        alarm_free(alarm);
        return HT_NOMEM;
    }
    (void)pthread_mutex_lock(&relay->lock);
    bool taken = !relay->stop && relay->alarm_count < ALARMS_MOST;
    if (taken) {
        *relay->alarms_end = alarm;
        relay->alarms_end = &alarm->next;
        relay->alarm_count++;
        (void)pthread_cond_signal(&relay->urgent.wake);
    }
    (void)pthread_mutex_unlock(&relay->lock);
    if (!taken) {
        alarm_free(alarm);
        return HT_BUSY;
    }
    return HT_OK;
}

/* ---- to the desk ---- */

/* The desk does not want it: at most now and then, which of the two sides is wrong is for people.
 */
static void complain(struct lane *lane, int status)
{
    int64_t now_ms = steady_ms();
    if (now_ms - lane->told_ms >= TELL_EVERY_MS) {
        lane->told_ms = now_ms;
        ht_log(HT_LOG_WARNING, "the desk answers %d to what devices said here", status);
    }
}

/* Brings it there. The status of the answer, which is in `answer`; 0: not now. */
static int bring(struct lane *lane, const struct ht_buffer *records, struct ht_node_answer *answer)
{
    char head[HT_NODE_URL + 512];
    char key[HT_DIGEST_TEXT];
    struct ht_node *node = lane->relay->node;
    const struct ht_node_state desk = ht_node_get(node);
    if (!desk.known || desk.url[0] == '\0' || !ht_node_key_get(node, key)) {
        return 0;
    }
    int fd = ht_node_line_take(&lane->lines, desk.url);
    if (fd < 0) {
        return 0;
    }
    (void)snprintf(head, sizeof head,
                   "POST " HT_RELAY_PATH " HTTP/1.1\r\nHost: %s\r\n" HT_RELAY_KEY_HEADER
                   ": %s\r\n" HT_RELAY_EPOCH_HEADER ": %lld\r\n"
                   "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                   desk.url + strlen("http://"), key, (long long)desk.epoch, records->size);
    ht_buffer_clear(&lane->request);
    ht_buffer_clear(&lane->answer);
    ht_buffer_text(&lane->request, head);
    ht_buffer_append(&lane->request, records->data, records->size);
    bool good =
        !lane->request.failed &&
        ht_node_line_send(&lane->lines, fd, &desk, lane->request.data, lane->request.size) &&
        ht_node_answer_read(&lane->lines, fd, &desk, lane->patience_ms, &lane->answer, answer);
    if (good && answer->open) {
        ht_node_line_rest(&lane->lines, fd, desk.url);
    } else {
        (void)close(fd);
    }
    return good ? answer->status : 0;
}

/* Whether such an answer may be another one the next time: nobody there, another desk, a key that
 * is not known yet, a desk of a version before. */
static bool comes_again(int status)
{
    return status == 0 || status == 403 || status == 404 || status == 429 || status >= 500;
}

/* It is to stop, and the time for what is left is over. */
static bool ended(struct ht_relay *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    bool over = relay->stop && steady_ms() - relay->stop_ms >= LEAVE_MS;
    (void)pthread_mutex_unlock(&relay->lock);
    return over;
}

/* A while, or until something comes. */
static void rest(struct ht_relay *relay, struct lane *lane)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&relay->lock);
    (void)pthread_cond_timedwait(&lane->wake, &relay->lock, &until);
    (void)pthread_mutex_unlock(&relay->lock);
}

/* ---- the calm lane ---- */

/* The next batch; NULL: it is to stop, and there is none. */
static struct chunk *chunk_take(struct ht_relay *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    while (relay->first == NULL && !relay->stop) {
        (void)pthread_cond_wait(&relay->calm.wake, &relay->lock);
    }
    struct chunk *chunk = relay->first;
    if (chunk != NULL) {
        relay->first = chunk->next;
        relay->last = relay->first == NULL ? NULL : relay->last;
        relay->waiting -= chunk->records.size;
    }
    (void)pthread_mutex_unlock(&relay->lock);
    return chunk;
}

static void chunk_done(struct ht_relay *relay, struct chunk *chunk,
                       const struct ht_node_answer *answer)
{
    bool taken = answer != NULL;
    (void)pthread_mutex_lock(&relay->lock);
    relay->brought += taken ? chunk->count : 0;
    relay->dropped += taken ? 0 : chunk->count;
    (void)pthread_mutex_unlock(&relay->lock);
    chunk_free(chunk, taken ? answer->body : NULL, taken ? answer->body_size : 0);
}

static void *calm_main(void *user)
{
    struct lane *lane = user;
    struct ht_relay *relay = lane->relay;
    struct chunk *chunk = NULL;
    while ((chunk = chunk_take(relay)) != NULL) {
        struct ht_node_answer answer;
        int status = ended(relay) ? 0 : bring(lane, &chunk->records, &answer);
        while (comes_again(status) && !ended(relay)) {
            if (status == 403) {
                complain(lane, status);
            }
            rest(relay, lane);
            status = bring(lane, &chunk->records, &answer);
        }
        if (status >= 300) {
            complain(lane, status);
        }
        chunk_done(relay, chunk, status >= 200 && status < 300 ? &answer : NULL);
    }
    return NULL;
}

/* ---- the urgent lane ---- */

/* Takes those that are to go together off the list; NULL: it is to stop, and there is none. */
static struct alarm *alarms_take(struct ht_relay *relay)
{
    (void)pthread_mutex_lock(&relay->lock);
    while (relay->alarms == NULL && !relay->stop) {
        (void)pthread_cond_wait(&relay->urgent.wake, &relay->lock);
    }
    struct alarm *list = relay->alarms;
    struct alarm **end = &relay->alarms;
    size_t count = 0;
    while (*end != NULL && count < ALARMS_AT_ONCE) {
        end = &(*end)->next;
        count++;
    }
    struct alarm *rest = *end;
    *end = NULL; /* perhaps the list's own beginning */
    relay->alarms = rest;
    if (rest == NULL) {
        relay->alarms_end = &relay->alarms;
    }
    relay->alarm_count -= count;
    (void)pthread_mutex_unlock(&relay->lock);
    return list;
}

static void alarm_answer(struct ht_relay *relay, struct alarm *alarm, int status)
{
    (void)pthread_mutex_lock(&relay->lock);
    relay->answered += status != 503;
    relay->failed += status == 503;
    (void)pthread_mutex_unlock(&relay->lock);
    alarm->done(alarm->user, status, "");
    alarm_free(alarm);
}

/* Three digits for each, with a line's end. */
static int status_at(const struct ht_node_answer *answer, size_t i)
{
    enum { LINE = 4 };
    if (answer->body_size < (i + 1) * LINE) {
        return 503;
    }
    const char *at = answer->body + i * LINE;
    int status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
    return at[3] == '\n' && status >= 200 && status < 600 ? status : 503;
}

/* Answers those that are taken, and those that waited too long; what is left is the list of the
 * next try. */
static struct alarm *alarms_answer(struct ht_relay *relay, struct alarm *list,
                                   const struct ht_node_answer *answer, bool over)
{
    struct alarm *left = NULL;
    struct alarm **end = &left;
    for (size_t i = 0; list != NULL; i++) {
        struct alarm *next = list->next;
        int status = answer == NULL ? 503 : status_at(answer, i);
        list->next = NULL;
        if (status == 503 && !over && steady_ms() < list->until_ms) {
            *end = list;
            end = &list->next;
        } else {
            alarm_answer(relay, list, status);
        }
        list = next;
    }
    return left;
}

static void records_of(const struct alarm *list, struct ht_buffer *out)
{
    ht_buffer_clear(out);
    for (; list != NULL; list = list->next) {
        ht_buffer_append(out, list->record.data, list->record.size);
    }
}

static void *urgent_main(void *user)
{
    struct lane *lane = user;
    struct ht_relay *relay = lane->relay;
    struct alarm *list = NULL;
    struct ht_buffer records = {0};
    while ((list = alarms_take(relay)) != NULL) {
        while (list != NULL) {
            struct ht_node_answer answer;
            bool over = ended(relay);
            records_of(list, &records);
            int status = over || records.failed ? 0 : bring(lane, &records, &answer);
            if (status > 200) {
                complain(lane, status);
            }
            list = alarms_answer(relay, list, status == 200 ? &answer : NULL, over);
            if (list != NULL) {
                rest(relay, lane);
            }
        }
    }
    ht_buffer_deinit(&records);
    return NULL;
}

/* ---- life ---- */

static enum ht_status lane_start(struct ht_relay *relay, struct lane *lane, void *(*main)(void *))
{
    pthread_condattr_t steady;
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lane->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    lane->relay = relay;
    lane->told_ms = INT64_MIN / 2;
    lane->patience_ms = lane == &relay->urgent ? ALARM_MS : PATIENCE_MS;
    ht_node_lines_init(&lane->lines, relay->node);
    lane->started = pthread_create(&lane->thread, NULL, main, lane) == 0;
    return lane->started ? HT_OK : HT_NOMEM;
}

enum ht_status ht_relay_new(struct ht_node *node, struct ht_relay **out)
{
    struct ht_relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL) {
        return HT_NOMEM;
    }
    relay->node = node;
    relay->alarms_end = &relay->alarms;
    (void)pthread_mutex_init(&relay->lock, NULL);
    enum ht_status calm = lane_start(relay, &relay->calm, calm_main);
    enum ht_status urgent = lane_start(relay, &relay->urgent, urgent_main);
    if (calm != HT_OK || urgent != HT_OK) {
        ht_relay_free(relay);
        return HT_NOMEM;
    }
    *out = relay;
    return HT_OK;
}

static void lane_stop(struct lane *lane)
{
    if (lane->started) {
        (void)pthread_join(lane->thread, NULL);
        lane->started = false;
    }
}

void ht_relay_stop(struct ht_relay *relay)
{
    if (relay == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&relay->lock);
    relay->stop_ms = relay->stop ? relay->stop_ms : steady_ms();
    relay->stop = true;
    (void)pthread_cond_broadcast(&relay->calm.wake);
    (void)pthread_cond_broadcast(&relay->urgent.wake);
    (void)pthread_mutex_unlock(&relay->lock);
    lane_stop(&relay->calm);
    lane_stop(&relay->urgent);
}

static void lane_deinit(struct lane *lane)
{
    ht_node_lines_deinit(&lane->lines);
    ht_buffer_deinit(&lane->request);
    ht_buffer_deinit(&lane->answer);
    (void)pthread_cond_destroy(&lane->wake);
}

void ht_relay_free(struct ht_relay *relay)
{
    if (relay == NULL) {
        return;
    }
    ht_relay_stop(relay);
    while (relay->first != NULL) {
        chunk_drop(relay);
    }
    lane_deinit(&relay->calm);
    lane_deinit(&relay->urgent);
    (void)pthread_mutex_destroy(&relay->lock);
    free(relay);
}

void ht_relay_metrics(struct ht_relay *relay, struct ht_buffer *out)
{
    if (relay == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&relay->lock);
    size_t brought = relay->brought;
    size_t dropped = relay->dropped;
    size_t answered = relay->answered;
    size_t failed = relay->failed;
    size_t waiting = relay->waiting;
    (void)pthread_mutex_unlock(&relay->lock);
    ht_metrics_gauge(out, "houtao_relay_records_total", "counter",
                     "Positions and sightings that this node brought to the desk.",
                     (double)brought);
    ht_metrics_gauge(out, "houtao_relay_dropped_total", "counter",
                     "Of these those that gave way to others, or that the desk did not want.",
                     (double)dropped);
    ht_metrics_gauge(out, "houtao_relay_waiting_bytes", "gauge", "What waits to be brought there.",
                     (double)waiting);
    ht_metrics_gauge(out, "houtao_relay_alarms_total", "counter",
                     "Alarms that the desk answered for this node.", (double)answered);
    ht_metrics_gauge(out, "houtao_relay_alarms_failed_total", "counter",
                     "Alarms that no desk took in time; they come again.", (double)failed);
}
