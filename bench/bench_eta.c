/* Arrival bands: how often the van came within the band, how wide it was, how far off the forecast.
 *
 *   bench_eta [RESULT.json]
 *
 * On made-up days (bench/days.h; a seed fixes them): 20 days to learn from, then 100 that count, of
 * 24 vans with 25 stops. Beside it `plan`: what a plan says without anything learned, with a band
 * of one width for each distance, which is set so that nine of ten of the 20 days' arrivals lie
 * within. ns: of one forecast, thread CPU time.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/days.h"
#include "bench/origin.h"

enum { AHEAD = 6, TRAIN = 20, DAYS = 100, ERRORS = TRAIN * HT_DAY_VANS * HT_DAY_STOPS };

static const double ahead_min[AHEAD] = {2, 5, 10, 20, 40, 60};

struct tally {
    double count;
    double inside;
    double width_s;
    double error_s;
};

struct bench {
    struct ht_days days;
    struct ht_arrival *arrival;
    struct tally learned[AHEAD];
    struct tally plan[AHEAD];
    double half_s[AHEAD]; /* of the plan's band */
    double *errors_s[AHEAD];
    size_t error_count[AHEAD];
    double cpu_s;
    double forecasts;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double plan_eta_ms(const struct ht_arrival_ask *ask)
{
    double sum_ms = (double)ask->now_ms + ask->travel_ms;
    for (size_t i = 0; i < ask->stop_count; i++) {
        sum_ms += ask->stops[i].service_ms;
    }
    return sum_ms;
}

static void tally_add(struct tally *tally, double off_s, double low_s, double high_s)
{
    tally->count++;
    tally->inside += low_s <= 0 && 0 <= high_s;
    tally->width_s += high_s - low_s;
    tally->error_s += fabs(off_s);
}

/* One order, so far ahead. */
static void order_judge(struct bench *b, int order, int a, bool train)
{
    struct ht_arrival_stop stops[HT_DAY_STOPS];
    double came_ms = b->days.stops[order].came_ms;
    struct ht_arrival_ask ask = ht_days_ask(&b->days, order, came_ms - ahead_min[a] * 60000, stops);
    double begin_s = cpu_s();
    struct ht_arrival_band band = ht_arrival_forecast(b->arrival, &ask);
    b->cpu_s += cpu_s() - begin_s;
    b->forecasts++;
    double plan_s = (plan_eta_ms(&ask) - came_ms) / 1000;
    if (train) {
        b->errors_s[a][b->error_count[a]++] = fabs(plan_s);
    } else {
        tally_add(&b->learned[a], ((double)band.eta_ms - came_ms) / 1000,
                  ((double)band.low_ms - came_ms) / 1000, ((double)band.high_ms - came_ms) / 1000);
        tally_add(&b->plan[a], plan_s, plan_s - b->half_s[a], plan_s + b->half_s[a]);
    }
    if (a == order % AHEAD) {
        ht_arrival_came(b->arrival, &band, (int64_t)came_ms);
    }
}

static void days_run(struct bench *b, int count, bool train)
{
    for (int day = 0; day < count; day++) {
        ht_days_begin(&b->days);
        for (int van = 0; van < HT_DAY_VANS; van++) {
            ht_days_van(&b->days);
            for (int order = 0; order < HT_DAY_STOPS; order++) {
                for (int a = 0; a < AHEAD; a++) {
                    if (b->days.stops[order].came_ms >= ahead_min[a] * 60000) {
                        order_judge(b, order, a, train);
                    }
                }
            }
            if (ht_days_learn(&b->days, b->arrival) != HT_OK) {
                abort();
            }
        }
    }
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void row_write(FILE *out, const char *name, int a, const struct tally *t)
{
    (void)printf("%-8s %6.0f %9.1f %9.0f %9.0f\n", name, ahead_min[a], t->inside / t->count * 100,
                 t->width_s / t->count, t->error_s / t->count);
    if (out != NULL) {
        (void)fprintf(out,
                      "%s{\"by\":\"%s\",\"minutes_ahead\":%.0f,\"inside\":%.4f,\"width_s\":%.1f,"
                      "\"error_s\":%.1f,\"count\":%.0f}",
                      a == 0 && name[0] == 'l' ? "" : ",", name, ahead_min[a], t->inside / t->count,
                      t->width_s / t->count, t->error_s / t->count, t->count);
    }
}

static void result_write(const struct bench *b, const char *path)
{
    FILE *out = path == NULL ? NULL : fopen(path, "w");
    if (out != NULL) {
        (void)fputs("{\"bench\":\"eta\",", out);
        ht_bench_origin(out);
        (void)fprintf(out, ",\"ns\":%.0f,\"rows\":[", b->cpu_s / b->forecasts * 1e9);
    }
    (void)printf("%-8s %6s %9s %9s %9s\n", "by", "min", "inside %", "width s", "off s");
    for (int a = 0; a < AHEAD; a++) {
        row_write(out, "learned", a, &b->learned[a]);
    }
    for (int a = 0; a < AHEAD; a++) {
        row_write(out, "plan", a, &b->plan[a]);
    }
    (void)printf("%.0f ns a forecast\n", b->cpu_s / b->forecasts * 1e9);
    if (out != NULL) {
        (void)fputs("]}\n", out);
        (void)fclose(out);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (ht_arrival_new(1000, &b.arrival) != HT_OK) {
        return 1;
    }
    for (int a = 0; a < AHEAD; a++) {
        b.errors_s[a] = malloc(ERRORS * sizeof(double));
        if (b.errors_s[a] == NULL) {
            return 1;
        }
    }
    ht_days_init(&b.days, 20261126);
    days_run(&b, TRAIN, true);
    for (int a = 0; a < AHEAD; a++) {
        qsort(b.errors_s[a], b.error_count[a], sizeof(double), by_size);
        b.half_s[a] = b.errors_s[a][b.error_count[a] * 9 / 10];
    }
    days_run(&b, DAYS, false);
    result_write(&b, argc > 1 ? argv[1] : NULL);
    for (int a = 0; a < AHEAD; a++) {
        free(b.errors_s[a]);
    }
    ht_arrival_free(b.arrival);
    return 0;
}
