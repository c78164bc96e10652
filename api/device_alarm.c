/* Alarms of devices on their way to the desk, and the thread that takes them there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/device_book_internal.h"
#include "api/incidents.h"
#include "api/inner_call.h"
#include "api/json.h"
#include "api/live.h"

enum { LOOK_MS = 5000, KEY = 256 };

/* One that waits, or is being written. */
struct ht__alarm {
    struct ht__alarm *next;
    struct ht_device_book *book;
    ht_device_alarm_done *done;
    void *user;
    char device[HT_ID_MAX + 1];
    char key[KEY];
    char kind[16];
    int severity;
    bool placed;
    double lon_deg;
    double lat_deg;
    char note[]; /* "" none */
};

/* ---- to the desk ---- */

static void answer(struct ht__alarm *alarm, int status, const char *incident)
{
    struct ht_device_book *book = alarm->book;
    alarm->done(alarm->user, status, incident);
    free(alarm);
    (void)pthread_mutex_lock(&book->lock);
    book->at_work--;
    (void)pthread_cond_broadcast(&book->wake);
    (void)pthread_mutex_unlock(&book->lock);
}

static void on_reply(void *user, const struct ht_reply *reply)
{
    const char *slash = strrchr(reply->location, '/');
    answer(user, reply->status, reply->status < 400 && slash != NULL ? slash + 1 : "");
}

/* The body of POST /v1/incidents. */
static void body_write(const struct ht__alarm *alarm, bool home, struct ht_buffer *out)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "kind", alarm->kind);
    if (alarm->severity > 0) {
        ht_json_key_int(&json, "severity", alarm->severity);
    }
    ht_json_key_text(&json, "device", alarm->device); /* by which the desk folds */
    if (!home && alarm->placed) {
        ht_json_key_double(&json, "lon", alarm->lon_deg, 7);
        ht_json_key_double(&json, "lat", alarm->lat_deg, 7);
    }
    if (alarm->note[0] != '\0') {
        ht_json_key_text(&json, "note", alarm->note);
    }
    ht_json_object_end(&json);
    ht_buffer_append(out, "", 1);
}

static void alarm_do(struct ht_device_book *book, struct ht__alarm *alarm)
{
    struct ht_device_entry entry;
    struct ht_buffer body = {0};
    bool known = ht_devices_look(ht_live_devices(book->app->live), alarm->device, &entry) &&
                 (entry.unit[0] != '\0' || entry.household[0] != '\0');
    if (!known) { /* taken out meanwhile */
        answer(alarm, 404, "");
        return;
    }
    bool home = entry.household[0] != '\0';
    body_write(alarm, home, &body);
    if (body.failed) {
        ht_buffer_deinit(&body);
        answer(alarm, 503, "");
        return;
    }
    const struct ht_inner_ask ask = {.handler = ht_incidents_post,
                                     .target = "/v1/incidents",
                                     .key = alarm->key,
                                     .body = body.data,
                                     .caller = {.name = alarm->device,
                                                .role = HT_ROLE_DEVICE,
                                                .unit = home ? NULL : entry.unit,
                                                .household = home ? entry.household : NULL}};
    ht_inner_call(book->context, &ask, on_reply, alarm);
    ht_buffer_deinit(&body);
}

static struct ht__alarm *alarm_new(const struct ht_device_alarm *from)
{
    const char *note = from->note == NULL ? "" : from->note;
    size_t size = strlen(note) + 1;
    struct ht__alarm *alarm = calloc(1, sizeof *alarm + size);
    if (alarm != NULL) {
        (void)snprintf(alarm->device, sizeof alarm->device, "%s", from->device);
        (void)snprintf(alarm->key, sizeof alarm->key, "%s", from->key == NULL ? "" : from->key);
        (void)snprintf(alarm->kind, sizeof alarm->kind, "%s", from->kind);
        alarm->severity = from->severity;
        alarm->placed = from->placed && isfinite(from->lon_deg) && isfinite(from->lat_deg);
        alarm->lon_deg = from->lon_deg;
        alarm->lat_deg = from->lat_deg;
        memcpy(alarm->note, note, size);
    }
    return alarm;
}

enum ht_status ht_device_book_alarm(struct ht_device_book *book, const struct ht_device_alarm *from,
                                    ht_device_alarm_done *done, void *user)
{
    struct ht__alarm *alarm = alarm_new(from);
    if (alarm == NULL) {
        return HT_NOMEM;
    }
    alarm->book = book;
    alarm->done = done;
    alarm->user = user;
    (void)pthread_mutex_lock(&book->lock);
    bool taken = book->started && !book->stop && book->waiting < HT__ALARMS_MOST;
    if (taken) {
        *book->last = alarm;
        book->last = &alarm->next;
        book->waiting++;
        book->at_work++;
        (void)pthread_cond_broadcast(&book->wake);
    }
    (void)pthread_mutex_unlock(&book->lock);
    if (!taken) {
        free(alarm);
        return HT_BUSY;
    }
    (void)atomic_fetch_add(&book->alarms, 1);
    return HT_OK;
}

/* ---- the thread ---- */

/* What is to be done next. */
struct turn {
    struct ht__alarm *alarms;
    uint64_t looks; /* that were wanted when it began */
    bool look;
    bool stop;
};

/* All that wait, as a list. Needs the lock. */
static struct ht__alarm *queue_take(struct ht_device_book *book)
{
    struct ht__alarm *list = book->first;
    book->first = NULL;
    book->last = &book->first;
    book->waiting = 0;
    return list;
}

static struct turn turn_wait(struct ht_device_book *book, int64_t look_ms)
{
    struct timespec until = {.tv_sec = (time_t)(look_ms / 1000),
                             .tv_nsec = look_ms % 1000 * 1000000};
    struct turn turn = {0};
    int late = 0;
    (void)pthread_mutex_lock(&book->lock);
    while (!book->stop && book->first == NULL && book->looks_wanted == book->looks_done &&
           late == 0) {
        late = pthread_cond_timedwait(&book->wake, &book->lock, &until);
    }
    turn.alarms = queue_take(book);
    turn.looks = book->looks_wanted;
    turn.look = !book->stop && (late != 0 || book->looks_wanted != book->looks_done);
    turn.stop = book->stop;
    (void)pthread_mutex_unlock(&book->lock);
    return turn;
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void alarms_do(struct ht_device_book *book, struct ht__alarm *alarm)
{
    while (alarm != NULL) {
        struct ht__alarm *next = alarm->next;
        alarm_do(book, alarm);
        alarm = next;
    }
}

/* A look of who moved the clock is done when what follows from it is written. */
static void look(struct ht_device_book *book, uint64_t looks)
{
    ht__silence_look(book);
    (void)pthread_mutex_lock(&book->lock);
    while (looks != book->looks_done && book->at_work > 0) {
        struct ht__alarm *alarms = queue_take(book);
        if (alarms == NULL) {
            (void)pthread_cond_wait(&book->wake, &book->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&book->lock);
        alarms_do(book, alarms);
        (void)pthread_mutex_lock(&book->lock);
    }
    book->looks_done = looks;
    (void)pthread_cond_broadcast(&book->wake);
    (void)pthread_mutex_unlock(&book->lock);
}

static void *book_run(void *user)
{
    struct ht_device_book *book = user;
    int64_t look_ms = steady_ms() + LOOK_MS;
    for (bool goes_on = true; goes_on;) {
        struct turn turn = turn_wait(book, look_ms);
        alarms_do(book, turn.alarms);
        if (turn.look) {
            if (turn.looks != book->looks_done || !atomic_load(&book->app->lockstep)) {
                look(book, turn.looks);
            }
            look_ms = steady_ms() + LOOK_MS;
        }
        ht_world_reader_rest(&book->context->world);
        if (book->context->live != NULL) {
            ht_live_work_rest(book->context->live);
        }
        goes_on = !turn.stop;
    }
    return NULL;
}

enum ht_status ht_device_book_start(struct ht_device_book *book)
{
    void *context = NULL;
    enum ht_status status = ht__app_context_new(book->app, &context);
    book->context = context;
    if (status == HT_OK) {
        book->started = pthread_create(&book->thread, NULL, book_run, book) == 0;
        status = book->started ? HT_OK : HT_NOMEM;
    }
    return status;
}

void ht_device_book_stop(struct ht_device_book *book)
{
    if (book == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&book->lock);
    bool runs = book->started && !book->stop;
    book->stop = true;
    (void)pthread_cond_broadcast(&book->wake);
    (void)pthread_mutex_unlock(&book->lock);
    if (runs) {
        (void)pthread_join(book->thread, NULL);
        (void)pthread_mutex_lock(&book->lock);
        while (book->at_work > 0) { /* they point into the book */
            (void)pthread_cond_wait(&book->wake, &book->lock);
        }
        (void)pthread_mutex_unlock(&book->lock);
    }
    if (book->context != NULL) {
        ht__app_context_free(book->context);
        book->context = NULL;
    }
}

void ht_device_book_obey(struct ht_device_book *book)
{
    if (book == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&book->lock);
    uint64_t mine = ++book->looks_wanted;
    (void)pthread_cond_broadcast(&book->wake);
    while (book->started && !book->stop && book->looks_done < mine) {
        (void)pthread_cond_wait(&book->wake, &book->lock);
    }
    (void)pthread_mutex_unlock(&book->lock);
}
