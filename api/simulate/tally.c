#include "api/simulate/tally.h"

#include <stdlib.h>

#include "api/json.h"
#include "engine/base/array.h"

const char *ht_sim_call_text(enum ht_sim_call call)
{
    static const char *const texts[HT_SIM_CALLS] = {
        [HT_SIM_CALL_CLOCK] = "clock",
        [HT_SIM_CALL_TOWN] = "town",
        [HT_SIM_CALL_ORDER] = "order",
        [HT_SIM_CALL_ORDER_EVENT] = "order event",
        [HT_SIM_CALL_ORDER_LOOK] = "order look",
        [HT_SIM_CALL_TRACK] = "resident",
        [HT_SIM_CALL_ALARM] = "alarm",
        [HT_SIM_CALL_INCIDENT_EVENT] = "incident event",
        [HT_SIM_CALL_INCIDENT_LOOK] = "incidents look",
        [HT_SIM_CALL_POSITIONS] = "positions",
        [HT_SIM_CALL_PLAN] = "van's plan",
        [HT_SIM_CALL_UNIT_EVENT] = "driver's word",
        [HT_SIM_CALL_ROUTE] = "route",
        [HT_SIM_CALL_VISIT_LOOK] = "visits look",
        [HT_SIM_CALL_VISIT_RESULT] = "visit result",
        [HT_SIM_CALL_ROUND] = "round",
        [HT_SIM_CALL_STREETS] = "streets",
        [HT_SIM_CALL_WIRE] = "wire look",
        [HT_SIM_CALL_WRONG] = "nonsense",
    };
    return texts[call];
}

void ht_sim_tally_deinit(struct ht_sim_tally *tally)
{
    for (int i = 0; i < HT_SIM_CALLS; i++) {
        free(tally->us[i].list);
    }
    free(tally->late_s.list);
    free(tally->band_s.list);
    free(tally->off_s.list);
    free(tally->response_s.list);
    *tally = (struct ht_sim_tally){.lost = 0};
}

void ht_sim_series_add(struct ht_sim_tally *tally, struct ht_sim_series *series, uint32_t value)
{
    void *list = series->list;
    if (ht_array_reserve(&list, &series->capacity, series->count + 1, sizeof *series->list) !=
        HT_OK) {
        tally->failed = true;
        return;
    }
    series->list = list;
    series->list[series->count++] = value;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

uint32_t ht_sim_series_at(struct ht_sim_series *series, double share)
{
    if (series->count == 0) {
        return 0;
    }
    qsort(series->list, series->count, sizeof *series->list, by_value);
    size_t at = (size_t)(share * (double)series->count);
    return series->list[at < series->count ? at : series->count - 1];
}

double ht_sim_series_mean(const struct ht_sim_series *series)
{
    double sum = 0;
    for (size_t i = 0; i < series->count; i++) {
        sum += series->list[i];
    }
    return series->count == 0 ? 0 : sum / (double)series->count;
}

void ht_sim_tally_answer(struct ht_sim_tally *tally, enum ht_sim_call call, int status,
                         uint32_t took_us)
{
    tally->statuses[status >= 0 && status < HT_SIM_STATUSES ? status : 0]++;
    tally->answers[call]++;
    bool refused = status >= 400 && status < 500;
    tally->refused[call] += refused;
    tally->wrong_taken += call == HT_SIM_CALL_WRONG && status >= 200 && status < 300;
    ht_sim_series_add(tally, &tally->us[call], took_us);
}

uint32_t ht_sim_tally_server_errors(const struct ht_sim_tally *tally)
{
    uint32_t count = 0;
    for (int i = 500; i < HT_SIM_STATUSES; i++) {
        count += tally->statuses[i];
    }
    return count;
}

bool ht_sim_tally_good(const struct ht_sim_tally *tally)
{
    return ht_sim_tally_server_errors(tally) == 0 && tally->statuses[0] == 0 && tally->lost == 0 &&
           tally->wrong_taken == 0 && !tally->failed;
}

enum { SHARE_BYTES = 16 };

/* In percent; of nothing there is no share. */
static const char *share(char text[SHARE_BYTES], uint32_t part, uint32_t all)
{
    if (all == 0) {
        return "- %";
    }
    (void)snprintf(text, SHARE_BYTES, "%.1f %%", 100.0 * part / all);
    return text;
}

/* Refusals of what was not meant to be refused, by what it was for. */
static void refusals_print(const struct ht_sim_tally *tally, FILE *out)
{
    for (int i = 0; i < HT_SIM_CALL_WRONG; i++) {
        if (tally->refused[i] > 0) {
            (void)fprintf(out, "             of these %s: %u refused\n",
                          ht_sim_call_text((enum ht_sim_call)i), tally->refused[i]);
        }
    }
}

void ht_sim_tally_table(struct ht_sim_tally *tally, FILE *out)
{
    uint32_t answers = 0;
    char text[SHARE_BYTES];
    for (int i = 0; i < HT_SIM_STATUSES; i++) {
        answers += tally->statuses[i];
    }
    (void)fprintf(out,
                  "meals        %u ordered, %u due: %s on time (%u), %u late, %u missing, "
                  "%u failed at the door, %u refused\n",
                  tally->meals_ordered, tally->meals_due,
                  share(text, tally->meals_in_time, tally->meals_due), tally->meals_in_time,
                  tally->meals_late, tally->meals_missing, tally->meals_failed,
                  tally->meals_refused);
    (void)fprintf(out, "lateness     median %u s, p95 %u s, worst %u s (of those that came late)\n",
                  ht_sim_series_at(&tally->late_s, 0.5), ht_sim_series_at(&tally->late_s, 0.95),
                  ht_sim_series_at(&tally->late_s, 1));
    (void)fprintf(out,
                  "arrivals     %zu told ten minutes before: %s inside the band, which is "
                  "%.0f s wide; %.0f s off (means), p90 %u s\n",
                  tally->off_s.count,
                  share(text, tally->arrivals_inside, (uint32_t)tally->off_s.count),
                  ht_sim_series_mean(&tally->band_s), ht_sim_series_mean(&tally->off_s),
                  ht_sim_series_at(&tally->off_s, 0.9));
    (void)fprintf(out, "response     %u alarms, %u incidents, %u resolved: median %u s, p95 %u s\n",
                  tally->alarms, tally->incidents, tally->resolved,
                  ht_sim_series_at(&tally->response_s, 0.5),
                  ht_sim_series_at(&tally->response_s, 0.95));
    (void)fprintf(out, "ten minutes  %s (%u of %u)\n",
                  share(text, tally->reached_soon, tally->reached_due), tally->reached_soon,
                  tally->reached_due);
    (void)fprintf(out, "visits       %u due, %u done, %u notices\n", tally->visits_due,
                  tally->visits_done, tally->notices);
    (void)fprintf(out, "streets      %u closures, %u zones, %u found no way\n", tally->closures,
                  tally->zones, tally->no_way);
    (void)fprintf(out, "positions    %u told, %u refused%s%s\n", tally->positions,
                  tally->positions_refused, tally->position_why[0] != '\0' ? ", the first as " : "",
                  tally->position_why);
    (void)fprintf(out, "requests     %u:", answers);
    for (int i = 0; i < HT_SIM_STATUSES; i++) {
        if (tally->statuses[i] > 0) {
            (void)fprintf(out, " %u x %d", tally->statuses[i], i);
        }
    }
    (void)fprintf(out, "\n");
    refusals_print(tally, out);
    (void)fprintf(out,
                  "errors       %u answers of 5xx, %u without an answer, %u lost, %u nonsense "
                  "taken\n",
                  ht_sim_tally_server_errors(tally), tally->statuses[0], tally->lost,
                  tally->wrong_taken);
}

void ht_sim_tally_times(struct ht_sim_tally *tally, double seconds, FILE *out)
{
    uint32_t answers = 0;
    (void)fprintf(out, "%-16s %9s %9s %9s %9s %9s\n", "answers", "count", "p50 ms", "p99 ms",
                  "max ms", "all s");
    for (int i = 0; i < HT_SIM_CALLS; i++) {
        struct ht_sim_series *us = &tally->us[i];
        answers += tally->answers[i];
        if (us->count > 0) {
            (void)fprintf(
                out, "%-16s %9zu %9.2f %9.2f %9.2f %9.2f\n", ht_sim_call_text((enum ht_sim_call)i),
                us->count, ht_sim_series_at(us, 0.5) / 1000.0, ht_sim_series_at(us, 0.99) / 1000.0,
                ht_sim_series_at(us, 1) / 1000.0, ht_sim_series_mean(us) * (double)us->count / 1e6);
        }
    }
    (void)fprintf(out, "%u answers in %.1f s: %.0f a second\n", answers, seconds,
                  seconds > 0 ? answers / seconds : 0);
}

static void day_write(struct ht_sim_tally *tally, struct ht_json *json)
{
    const struct {
        const char *key;
        uint32_t value;
    } rows[] = {
        {"meals_ordered", tally->meals_ordered},
        {"meals_due", tally->meals_due},
        {"meals_in_time", tally->meals_in_time},
        {"meals_late", tally->meals_late},
        {"meals_missing", tally->meals_missing},
        {"meals_failed", tally->meals_failed},
        {"meals_refused", tally->meals_refused},
        {"late_p50_s", ht_sim_series_at(&tally->late_s, 0.5)},
        {"late_p95_s", ht_sim_series_at(&tally->late_s, 0.95)},
        {"arrivals_told", (uint32_t)tally->off_s.count},
        {"arrivals_inside", tally->arrivals_inside},
        {"arrival_band_mean_s", (uint32_t)ht_sim_series_mean(&tally->band_s)},
        {"arrival_off_mean_s", (uint32_t)ht_sim_series_mean(&tally->off_s)},
        {"arrival_off_p90_s", ht_sim_series_at(&tally->off_s, 0.9)},
        {"alarms", tally->alarms},
        {"incidents", tally->incidents},
        {"resolved", tally->resolved},
        {"response_p50_s", ht_sim_series_at(&tally->response_s, 0.5)},
        {"response_p95_s", ht_sim_series_at(&tally->response_s, 0.95)},
        {"reached_due", tally->reached_due},
        {"reached_within_ten_minutes", tally->reached_soon},
        {"visits_due", tally->visits_due},
        {"visits_done", tally->visits_done},
        {"notices", tally->notices},
        {"closures", tally->closures},
        {"zones", tally->zones},
        {"no_way", tally->no_way},
        {"positions", tally->positions},
        {"positions_refused", tally->positions_refused},
        {"server_errors", ht_sim_tally_server_errors(tally)},
        {"without_answer", tally->statuses[0]},
        {"lost", tally->lost},
        {"nonsense_taken", tally->wrong_taken},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ht_json_key_int(json, rows[i].key, rows[i].value);
    }
}

static void times_write(struct ht_sim_tally *tally, double seconds, struct ht_json *json)
{
    uint32_t answers = 0;
    ht_json_key(json, "calls");
    ht_json_array(json);
    for (int i = 0; i < HT_SIM_CALLS; i++) {
        struct ht_sim_series *us = &tally->us[i];
        answers += tally->answers[i];
        if (us->count == 0) {
            continue;
        }
        ht_json_object(json);
        ht_json_key_text(json, "call", ht_sim_call_text((enum ht_sim_call)i));
        ht_json_key_int(json, "count", (int64_t)us->count);
        ht_json_key_int(json, "refused", tally->refused[i]);
        ht_json_key_int(json, "p50_us", ht_sim_series_at(us, 0.5));
        ht_json_key_int(json, "p99_us", ht_sim_series_at(us, 0.99));
        ht_json_key_int(json, "max_us", ht_sim_series_at(us, 1));
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
    ht_json_key_int(json, "answers", answers);
    ht_json_key_double(json, "seconds", seconds, 3);
    ht_json_key_double(json, "answers_a_second", seconds > 0 ? answers / seconds : 0, 1);
}

enum ht_status ht_sim_tally_json(struct ht_sim_tally *tally, double seconds, FILE *out)
{
    struct ht_buffer body = {0};
    struct ht_json json;
    ht_json_begin(&json, &body);
    ht_json_object(&json);
    day_write(tally, &json);
    times_write(tally, seconds, &json);
    ht_json_object_end(&json);
    ht_buffer_text(&body, "\n");
    bool good = !body.failed && fwrite(body.data, 1, body.size, out) == body.size;
    ht_buffer_deinit(&body);
    return good ? HT_OK : HT_IO;
}
