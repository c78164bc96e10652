/* The table service. */
#include <stdlib.h>
#include <string.h>

#include "api/osrm_work.h"
#include "engine/base/array.h"
#include "engine/road/stops.h"

/* What one request's table looks like. */
struct table {
    struct ht_osrm_job *job;
    const uint32_t *sources; /* NULL: all stops in order */
    const uint32_t *destinations;
    size_t rows;
    size_t columns;
    struct ht_cost *costs; /* rows * columns */
    bool lengths;          /* asked for */
};

static size_t stop_index(const uint32_t *indices, size_t i)
{
    return indices == NULL ? i : indices[i];
}

/* The places of the stops indices[count], one after the other; how many. */
static enum ht_status gather(const struct ht_osrm_job *job, const uint32_t *indices, size_t count,
                             struct ht_osrm_list *out)
{
    const struct ht_stop *stops = ht_osrm_stops(job);
    const struct ht_place *places = ht_osrm_places(job);
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += stops[stop_index(indices, i)].count;
    }
    enum ht_status status = ht_osrm_list_resize(out, total, sizeof *places);
    struct ht_place *to = out->data;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const struct ht_stop *stop = &stops[stop_index(indices, i)];
        memcpy(to, places + stop->first, stop->count * sizeof *to);
        to += stop->count;
    }
    return status;
}

static enum ht_status fill(struct table *table)
{
    struct ht_osrm_job *job = table->job;
    struct ht_osrm *work = job->work;
    enum ht_status status = gather(job, table->sources, table->rows, &work->rows);
    if (status == HT_OK) {
        status = gather(job, table->destinations, table->columns, &work->columns);
    }
    if (status == HT_OK) {
        status = ht_osrm_list_resize(&work->costs, work->rows.count * work->columns.count,
                                     sizeof(struct ht_cost));
    }
    if (status == HT_OK) {
        table->costs = work->costs.data;
        ht_matrix_skip_lengths(work->matrix, !table->lengths);
        status =
            ht_matrix_run(work->matrix, job->road, job->pool, work->rows.data, work->rows.count,
                          work->columns.data, work->columns.count, table->costs, NULL);
    }
    if (status == HT_OK &&
        (work->rows.count > table->rows || work->columns.count > table->columns)) {
        const struct ht_stop *stops = ht_osrm_stops(job);
        ht_stops_narrow(table->costs, &(struct ht_stop_list){stops, table->sources, table->rows},
                        &(struct ht_stop_list){stops, table->destinations, table->columns});
    }
    return status;
}

enum ht_status ht_osrm_matrix(struct ht_osrm_job *job, struct ht_cost **out)
{
    size_t count = job->work->stops.count;
    struct table table = {.job = job, .rows = count, .columns = count};
    enum ht_status status = fill(&table);
    *out = table.costs;
    return status;
}

static const struct ht_place *place_at(const struct table *table, const uint32_t *indices, size_t i)
{
    return &ht_osrm_places(table->job)[ht_osrm_stops(table->job)[stop_index(indices, i)].first];
}

/* Beeline at fallback_speed (m/s) where there is no way. */
static struct ht_cost estimate(const struct table *table, size_t row, size_t column)
{
    const struct ht_osrm_request *request = table->job->request;
    const struct ht_place *from = place_at(table, table->sources, row);
    const struct ht_place *to = place_at(table, table->destinations, column);
    double distance_m = request->fallback_snapped ? ht_distance_m(from->point, to->point)
                                                  : ht_distance_m(from->input, to->input);
    double duration_ms = distance_m / request->fallback_speed * 1000;
    return (struct ht_cost){
        .weight_ms = 0,
        .duration_ms =
            duration_ms < (double)HT_WEIGHT_INF ? (uint32_t)duration_ms : HT_WEIGHT_INF - 1,
        .length_mm = (int64_t)(distance_m * 1000 + 0.5),
    };
}

static uint32_t scaled(uint32_t duration_ms, double factor)
{
    double value = (double)duration_ms * factor + 0.5;
    return value < (double)HT_WEIGHT_INF ? (uint32_t)value : HT_WEIGHT_INF - 1;
}

/* Fallback and scale, in OSRM's order; remembers the estimated cells as row * columns + column. */
static enum ht_status adjust(struct table *table)
{
    const struct ht_osrm_request *request = table->job->request;
    struct ht_osrm_list *cells = &table->job->work->numbers;
    cells->count = 0;
    bool fallback = !isnan(request->fallback_speed);
    if (!fallback && request->scale_factor == 1) {
        return HT_OK;
    }
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        struct ht_cost *cost = &table->costs[i];
        if (fallback && cost->weight_ms >= HT_WEIGHT_INF) {
            uint32_t cell = (uint32_t)i;
            *cost = estimate(table, i / table->columns, i % table->columns);
            if (!ht_osrm_list_add(cells, &cell, sizeof cell)) {
                return HT_NOMEM;
            }
        }
        if (cost->weight_ms < HT_WEIGHT_INF && request->scale_factor != 1) {
            cost->duration_ms = scaled(cost->duration_ms, request->scale_factor);
        }
    }
    return HT_OK;
}

static void write_table(const struct table *table, struct ht_json *json, const char *key,
                        bool distances)
{
    ht_json_key(json, key);
    ht_json_array(json);
    for (size_t i = 0; i < table->rows; i++) {
        const struct ht_cost *row = table->costs + i * table->columns;
        ht_json_array(json);
        for (size_t j = 0; j < table->columns; j++) {
            if (row[j].weight_ms >= HT_WEIGHT_INF) {
                ht_json_null(json);
            } else {
                int64_t value = distances ? row[j].length_mm : (int64_t)row[j].duration_ms;
                ht_json_fixed(json, (value + 50) / 100, 1);
            }
        }
        ht_json_array_end(json);
    }
    ht_json_array_end(json);
}

static void write_fallback_cells(const struct table *table, struct ht_json *json)
{
    const struct ht_osrm_list *cells = &table->job->work->numbers;
    const uint32_t *cell = cells->data;
    ht_json_key(json, "fallback_speed_cells");
    ht_json_array(json);
    for (size_t i = 0; i < cells->count; i++) {
        ht_json_array(json);
        ht_json_int(json, (int64_t)(cell[i] / table->columns));
        ht_json_int(json, (int64_t)(cell[i] % table->columns));
        ht_json_array_end(json);
    }
    ht_json_array_end(json);
}

static void write_answer(const struct table *table)
{
    const struct ht_osrm_request *request = table->job->request;
    unsigned wanted = request->annotations == 0 ? HT_OSRM_DURATION : request->annotations;
    struct ht_json json;
    ht_json_begin(&json, &table->job->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "Ok");
    if ((wanted & HT_OSRM_DURATION) != 0) {
        write_table(table, &json, "durations", false);
    }
    if ((wanted & HT_OSRM_DISTANCE) != 0) {
        write_table(table, &json, "distances", true);
    }
    if (!isnan(request->fallback_speed)) {
        write_fallback_cells(table, &json);
    }
    if (!request->skip_waypoints) {
        ht_json_key(&json, "sources");
        ht_osrm_write_waypoints(table->job, &json, table->sources, table->rows);
        ht_json_key(&json, "destinations");
        ht_osrm_write_waypoints(table->job, &json, table->destinations, table->columns);
    }
    ht_json_object_end(&json);
}

/* Coordinates that no way joins with any other are looked for outside islands, where the map is so
 * small that their nearest places were taken (ht_osrm_snap_again). */
static enum ht_status rescue(struct table *table)
{
    struct ht_osrm_job *job = table->job;
    size_t count = job->work->stops.count;
    bool *lonely = job->nearest_first ? ht_array_new(count, sizeof *lonely) : NULL;
    bool any = false;
    if (!job->nearest_first || lonely == NULL) {
        return job->nearest_first ? HT_NOMEM : HT_OK;
    }
    memset(lonely, 1, count * sizeof *lonely);
    for (size_t i = 0; i < table->rows; i++) {
        size_t from = stop_index(table->sources, i);
        for (size_t j = 0; j < table->columns; j++) {
            size_t to = stop_index(table->destinations, j);
            if (from != to && table->costs[i * table->columns + j].weight_ms < HT_WEIGHT_INF) {
                lonely[from] = false;
                lonely[to] = false;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        any = any || lonely[i];
    }
    enum ht_status status = any && ht_osrm_snap_again(job, lonely) ? fill(table) : HT_OK;
    free(lonely);
    return status;
}

void ht_osrm_table(struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    if (!ht_osrm_snap(job)) {
        return;
    }
    size_t count = job->work->stops.count;
    struct table table = {.job = job,
                          .rows = count,
                          .columns = count,
                          .lengths = (request->annotations & HT_OSRM_DISTANCE) != 0};
    if (request->sources.count > 0) {
        table.sources = request->sources.data;
        table.rows = request->sources.count;
    }
    if (request->destinations.count > 0) {
        table.destinations = request->destinations.data;
        table.columns = request->destinations.count;
    }
    enum ht_status status = fill(&table);
    if (status == HT_OK) {
        status = rescue(&table);
    }
    if (status == HT_OK) {
        status = adjust(&table);
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return;
    }
    write_answer(&table);
}
