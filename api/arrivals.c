#include "api/arrivals.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "api/commit.h"
#include "engine/base/array.h"

enum {
    COMPOUNDS_MOST = 20000,
    SAVE_EVERY_S = 60,
    SQUARE_E7 = 25000, /* 0.0025 degrees */
};

struct ht_arrivals {
    struct ht_app *app;
    pthread_mutex_t lock;
    struct ht_arrival *arrival;
    uint64_t saved;  /* its changes when it was handed over last; this and below under the lock */
    bool saving;     /* a job is on its way */
    uint64_t served; /* since the start, for the metrics */
    uint64_t came;
    uint64_t inside; /* of these within their band */
    int64_t saved_s; /* the saving thread's */
};

/* ---- bands ---- */

/* Where a forecast goes on from: the last waiting, or now. */
static void wait_for(struct ht_arrival_ask *ask, int64_t until_ms, const struct ht_arrival_stop *at)
{
    *ask = (struct ht_arrival_ask){.now_ms = until_ms, .stops = at};
}

/* What passes at a stop before the hand-over, in this town: a part of what the stop takes. */
static uint32_t lead_of(const struct ht_arrival *arrival, const struct ht_arrivals_visit *visit)
{
    uint32_t stops = 0;
    double lead_ms = visit->lead_ms * ht_arrival_service(arrival, visit->compound, &stops);
    return lead_ms < UINT32_MAX ? (uint32_t)lead_ms : UINT32_MAX;
}

/* Horizons are calibrated one by one; where the next one begins, nobody goes back in time. */
static void follow(struct ht_arrival_band *band, int64_t before_ms)
{
    band->eta_ms = band->eta_ms < before_ms ? before_ms : band->eta_ms;
    band->high_ms = band->high_ms < band->eta_ms ? band->eta_ms : band->high_ms;
}

enum ht_status ht_arrivals_bands(struct ht_arrivals *arrivals, int64_t now_ms,
                                 const struct ht_arrivals_visit *visits, size_t count,
                                 struct ht_arrival_band *bands)
{
    struct ht_arrival_stop *stops = ht_array_new(count, sizeof *stops);
    struct ht_arrival_ask ask = {.now_ms = now_ms, .stops = stops};
    if (stops == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_lock(&arrivals->lock);
    for (size_t i = 0; i < count; i++) {
        const struct ht_arrivals_visit *visit = &visits[i];
        ask.travel_ms = visit->travel_ms < UINT32_MAX - ask.travel_ms
                            ? ask.travel_ms + visit->travel_ms
                            : UINT32_MAX;
        ask.legs += visit->travel_ms > 0;
        ask.walk_ms = 0;
        if (ht_arrival_forecast(arrivals->arrival, &ask).plain_ms < visit->not_before_ms) {
            wait_for(&ask, visit->not_before_ms, &stops[i]);
        }
        ask.walk_ms = lead_of(arrivals->arrival, visit);
        bands[i] = ht_arrival_forecast(arrivals->arrival, &ask);
        follow(&bands[i], i == 0 ? now_ms : bands[i - 1].eta_ms);
        stops[i] = (struct ht_arrival_stop){visit->compound, visit->service_ms};
        ask.stop_count++;
    }
    (void)pthread_mutex_unlock(&arrivals->lock);
    free(stops);
    return HT_OK;
}

/* ---- what is learned ---- */

void ht_arrivals_served(struct ht_arrivals *arrivals, uint64_t compound, int64_t planned_ms,
                        int64_t took_ms)
{
    (void)pthread_mutex_lock(&arrivals->lock);
    arrivals->served +=
        ht_arrival_served(arrivals->arrival, compound, planned_ms, took_ms) == HT_OK;
    (void)pthread_mutex_unlock(&arrivals->lock);
}

void ht_arrivals_drove(struct ht_arrivals *arrivals, int64_t planned_ms, int64_t took_ms)
{
    (void)pthread_mutex_lock(&arrivals->lock);
    enum ht_status status = ht_arrival_drove(arrivals->arrival, planned_ms, took_ms);
    (void)status; /* of no time is nothing to be learned */
    (void)pthread_mutex_unlock(&arrivals->lock);
}

void ht_arrivals_came(struct ht_arrivals *arrivals, const struct ht_arrival_band *band,
                      int64_t came_ms)
{
    (void)pthread_mutex_lock(&arrivals->lock);
    ht_arrival_came(arrivals->arrival, band, came_ms);
    arrivals->came++;
    arrivals->inside += band->low_ms <= came_ms && came_ms <= band->high_ms;
    (void)pthread_mutex_unlock(&arrivals->lock);
}

/* ---- keys ---- */

static uint64_t text_key(uint64_t key, const char *text)
{
    for (; *text != '\0'; text++) { /* FNV-1a */
        key = (key ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return key;
}

#define KEY_FIRST UINT64_C(0xcbf29ce484222325)

uint64_t ht_arrivals_cell(const char *cell)
{
    return text_key(text_key(KEY_FIRST, "cell "), cell);
}

uint64_t ht_arrivals_kitchen(const char *kitchen)
{
    return text_key(text_key(KEY_FIRST, "kitchen "), kitchen);
}

uint64_t ht_arrivals_square(struct ht_point point)
{
    int64_t east = ((int64_t)point.lon_e7 + HT_LON_MAX_E7) / SQUARE_E7;
    int64_t north = ((int64_t)point.lat_e7 + HT_LAT_MAX_E7) / SQUARE_E7;
    uint64_t key = (uint64_t)east << 32 | (uint64_t)north;
    return text_key((KEY_FIRST ^ key) * UINT64_C(0x9e3779b97f4a7c15), "square");
}

/* ---- to the disk and back ---- */

struct saving {
    struct ht_job job;
    struct ht_arrivals *arrivals;
    uint8_t *bytes;
    size_t size;
    bool failed;
};

static void saving_run(struct ht_job *job, void *context)
{
    struct saving *saving = (struct saving *)job;
    struct ht_commit *commit = saving->arrivals->app->commit;
    (void)context;
    saving->failed =
        ht_store_arrival_put(ht_commit_tx(commit), saving->bytes, saving->size, NULL) != HT_OK;
    if (saving->failed) {
        ht_commit_take_back(commit);
    }
}

/* What is lost is handed over again the next time. */
static void saving_end(struct saving *saving, bool lost)
{
    struct ht_arrivals *arrivals = saving->arrivals;
    (void)pthread_mutex_lock(&arrivals->lock);
    arrivals->saving = false;
    arrivals->saved = lost ? UINT64_MAX : arrivals->saved;
    (void)pthread_mutex_unlock(&arrivals->lock);
    free(saving->bytes);
    free(saving);
}

static void saving_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    struct saving *saving = (struct saving *)job;
    (void)context;
    saving_end(saving, saving->failed || outcome != HT_OK);
}

/* NULL: nothing is to be saved, or can't be now. */
static struct saving *saving_new(struct ht_arrivals *arrivals, bool now)
{
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving == NULL) {
        return NULL;
    }
    saving->arrivals = arrivals;
    saving->job = (struct ht_job){.run = saving_run, .done = saving_done};
    (void)pthread_mutex_lock(&arrivals->lock);
    uint64_t changes = ht_arrival_changes(arrivals->arrival);
    bool due = changes != arrivals->saved && (now || !arrivals->saving) &&
               ht_arrival_save(arrivals->arrival, &saving->bytes, &saving->size) == HT_OK;
    if (due) {
        arrivals->saving = true;
        arrivals->saved = changes;
    }
    (void)pthread_mutex_unlock(&arrivals->lock);
    if (!due) {
        free(saving);
        return NULL;
    }
    return saving;
}

void ht_arrivals_save(struct ht_arrivals *arrivals, bool now)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    if (arrivals == NULL || arrivals->app->commit == NULL ||
        (!now && time.tv_sec - arrivals->saved_s < SAVE_EVERY_S)) {
        return;
    }
    arrivals->saved_s = time.tv_sec;
    struct saving *saving = saving_new(arrivals, now);
    if (saving != NULL && !ht_commit_submit(arrivals->app->commit, &saving->job)) {
        saving_end(saving, true);
    }
}

static enum ht_status bytes_take(void *user, const void *bytes, size_t size)
{
    struct ht_arrivals *arrivals = user;
    enum ht_status status = ht_arrival_load(arrivals->arrival, bytes, size);
    return status == HT_RANGE ? HT_OK : status; /* another program's: begin anew */
}

enum ht_status ht_arrivals_new(struct ht_app *app, struct ht_arrivals **out, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    struct timespec time;
    struct ht_arrivals *arrivals = calloc(1, sizeof *arrivals);
    if (arrivals == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    arrivals->app = app;
    arrivals->saved_s = time.tv_sec;
    (void)pthread_mutex_init(&arrivals->lock, NULL);
    enum ht_status status = ht_arrival_new(COMPOUNDS_MOST, &arrivals->arrival);
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else {
        status = ht_store_reader_new(app->store, &reader, error);
    }
    if (status == HT_OK) {
        status = ht_store_arrival(reader, bytes_take, arrivals, error);
    }
    ht_store_reader_free(reader);
    if (status != HT_OK) {
        ht_arrivals_free(arrivals);
        return status;
    }
    arrivals->saved = ht_arrival_changes(arrivals->arrival);
    *out = arrivals;
    return HT_OK;
}

void ht_arrivals_free(struct ht_arrivals *arrivals)
{
    if (arrivals != NULL) {
        ht_arrival_free(arrivals->arrival);
        (void)pthread_mutex_destroy(&arrivals->lock);
        free(arrivals);
    }
}

void ht_arrivals_metrics(struct ht_arrivals *arrivals, struct ht_buffer *out)
{
    (void)pthread_mutex_lock(&arrivals->lock);
    uint64_t served = arrivals->served;
    uint64_t came = arrivals->came;
    uint64_t inside = arrivals->inside;
    (void)pthread_mutex_unlock(&arrivals->lock);
    ht_metrics_gauge(out, "houtao_arrivals_stops_total", "counter",
                     "Stops whose service time was learned.", (double)served);
    ht_metrics_gauge(out, "houtao_arrivals_judged_total", "counter",
                     "Forecasts that were held against the arrival.", (double)came);
    ht_metrics_gauge(out, "houtao_arrivals_inside_total", "counter",
                     "Of these those whose band held it.", (double)inside);
}
