#include "bench/vrp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { LOCATIONS_MOST = 1100, FINE = 1000 };

/* One line of an instance; the first is the depot. */
struct row {
    double x;
    double y;
    long long demand;
    long long from;
    long long to;
    long long service;
    long pickup;
    long delivery;
};

struct table {
    struct row rows[LOCATIONS_MOST];
    uint32_t count;
    long vehicles;
    long long capacity;
};

static bool lines_read(FILE *file, bool pairs, struct table *table)
{
    char line[256];
    while (fgets(line, sizeof line, file) != NULL && table->count < LOCATIONS_MOST) {
        struct row *row = &table->rows[table->count];
        long id = 0;
        int got = sscanf(line, "%ld %lf %lf %lld %lld %lld %lld %ld %ld", &id, &row->x, &row->y,
                         &row->demand, &row->from, &row->to, &row->service, &row->pickup,
                         &row->delivery); // NOLINT(cert-err34-c): the fields are counted
        if (got == (pairs ? 3 : 2) && table->count == 0 && table->vehicles == 0) {
            table->vehicles = id;
            table->capacity = (long long)row->x;
        } else if (got >= 7) {
            table->count++;
        }
    }
    return table->count > 1 && table->vehicles > 0;
}

static bool tsplib_read(FILE *file, struct table *table)
{
    char line[256];
    int part = 0; /* 1: coordinates, 2: demands */
    while (fgets(line, sizeof line, file) != NULL) {
        long id = 0;
        double a = 0;
        double b = 0;
        long long capacity = 0;
        // NOLINTNEXTLINE(cert-err34-c): the fields are counted
        int got = sscanf(line, "%ld %lf %lf", &id, &a, &b);
        if (sscanf(line, "CAPACITY : %lld", &capacity) == 1) { // NOLINT(cert-err34-c)
            table->capacity = capacity;
        } else if (strncmp(line, "NODE_COORD", 10) == 0) {
            part = 1;
        } else if (strncmp(line, "DEMAND", 6) == 0) {
            part = 2;
        } else if (strncmp(line, "DEPOT", 5) == 0) {
            part = 3;
        } else if (part == 1 && got == 3 && id >= 1 && id <= LOCATIONS_MOST) {
            table->rows[id - 1] = (struct row){.x = a, .y = b};
            table->count = (uint32_t)id;
        } else if (part == 2 && got == 2 && id >= 1 && id <= LOCATIONS_MOST) {
            table->rows[id - 1].demand = (long long)a;
        }
    }
    table->vehicles = table->count;
    return table->count > 1 && table->capacity > 0;
}

static bool arrays_make(const struct table *table, struct ht_vrp *out)
{
    size_t count = table->count;
    out->count = table->count;
    out->x = ht_array_new(count, sizeof *out->x);
    out->y = ht_array_new(count, sizeof *out->y);
    out->matrix = ht_array_new(count * count, sizeof *out->matrix);
    out->tasks = ht_array_new_zeroed(count, sizeof *out->tasks);
    out->vehicles = ht_array_new_zeroed((size_t)table->vehicles, sizeof *out->vehicles);
    out->windows = ht_array_new(count, sizeof *out->windows);
    out->amounts = ht_array_new(count, sizeof *out->amounts);
    return out->x != NULL && out->y != NULL && out->matrix != NULL && out->tasks != NULL &&
           out->vehicles != NULL && out->windows != NULL && out->amounts != NULL;
}

static void matrix_fill(struct ht_vrp *vrp)
{
    for (uint32_t i = 0; i < vrp->count; i++) {
        for (uint32_t j = 0; j < vrp->count; j++) {
            double d = hypot(vrp->x[i] - vrp->x[j], vrp->y[i] - vrp->y[j]);
            vrp->matrix[(size_t)i * vrp->count + j] =
                (uint32_t)(vrp->whole ? floor(d + 0.5) : floor(d * FINE + 1e-6));
        }
    }
}

static void task_add(struct ht_vrp *vrp, const struct table *table, uint32_t at,
                     enum ht_task_kind kind)
{
    const struct row *row = &table->rows[at];
    uint32_t index = vrp->problem.task_count++;
    vrp->windows[index] = (struct ht_window){row->from * FINE, row->to * FINE};
    vrp->amounts[index] = llabs(row->demand);
    vrp->tasks[index] = (struct ht_task){.kind = kind,
                                         .location = at,
                                         .service_s = (uint32_t)(row->service * FINE),
                                         .windows = &vrp->windows[index],
                                         .window_count = vrp->whole ? 0 : 1};
    if (kind == HT_TASK_JOB) {
        vrp->tasks[index].delivery = &vrp->amounts[index];
    } else {
        vrp->tasks[index].pickup = &vrp->amounts[index];
    }
}

static void problem_fill(const struct table *table, bool pairs, int64_t fixed, struct ht_vrp *out)
{
    for (uint32_t i = 1; i < table->count; i++) {
        if (!pairs) {
            task_add(out, table, i, HT_TASK_JOB);
        } else if (table->rows[i].delivery > 0) {
            task_add(out, table, i, HT_TASK_PICKUP);
            task_add(out, table, (uint32_t)table->rows[i].delivery, HT_TASK_DELIVERY);
        }
    }
    for (long v = 0; v < table->vehicles; v++) {
        out->vehicles[v] = (struct ht_vehicle){
            .capacity = &out->capacity,
            .window = {0, out->whole ? HT_PLAN_TIME_MOST : table->rows[0].to * FINE},
            .tasks_most = UINT32_MAX,
            .travel_most_s = HT_PLAN_UNLIMITED,
            .distance_most_m = HT_PLAN_UNLIMITED,
            .fixed = fixed * (out->whole ? 1 : FINE),
            .per_hour = 3600};
    }
    out->profile = (struct ht_plan_profile){.duration_s = out->matrix};
    out->problem.amounts = 1;
    out->problem.types = 1;
    out->problem.location_count = out->count;
    out->problem.profile_count = 1;
    out->problem.profiles = &out->profile;
    out->problem.tasks = out->tasks;
    out->problem.vehicle_count = (uint32_t)table->vehicles;
    out->problem.vehicles = out->vehicles;
}

/* A number in [from, to]. */
static long long drawn(uint64_t *state, long long from, long long to)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return from + (long long)(*state % (uint64_t)(to - from + 1));
}

/* Half of the customers stand in clusters, half anywhere; half may be visited at any time, half
 * within one or some hours. */
static void table_make(uint32_t count, uint64_t seed, struct table *table)
{
    enum { SIDE = 500, HORIZON = 1800, CLUSTERS = 40, SPREAD = 15, SERVICE = 10 };
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    double centre[CLUSTERS][2];
    for (int i = 0; i < CLUSTERS; i++) {
        centre[i][0] = (double)drawn(&state, SPREAD, SIDE - SPREAD);
        centre[i][1] = (double)drawn(&state, SPREAD, SIDE - SPREAD);
    }
    table->rows[0] = (struct row){.x = SIDE / 2.0, .y = SIDE / 2.0, .to = HORIZON};
    for (uint32_t i = 1; i <= count; i++) {
        struct row *row = &table->rows[i];
        const double *near = centre[drawn(&state, 0, CLUSTERS - 1)];
        bool far = i % 2 == 0;
        row->x =
            far ? (double)drawn(&state, 0, SIDE) : near[0] + (double)drawn(&state, -SPREAD, SPREAD);
        row->y =
            far ? (double)drawn(&state, 0, SIDE) : near[1] + (double)drawn(&state, -SPREAD, SPREAD);
        row->demand = drawn(&state, 5, 30);
        row->service = SERVICE;
        long long there =
            (long long)hypot(row->x - table->rows[0].x, row->y - table->rows[0].y) + 1;
        long long last = HORIZON - SERVICE - there;
        long long middle = drawn(&state, there, last);
        long long half = drawn(&state, 30, 120);
        bool any = i % 4 < 2;
        row->from = any || middle - half < 0 ? 0 : middle - half;
        row->to = any || middle + half > last ? last : middle + half;
    }
    table->count = count + 1;
    table->vehicles = count / 4;
    table->capacity = 200;
}

static bool table_read(const char *path, enum ht_vrp_kind kind, struct table *table)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    bool good = kind == HT_VRP_X ? tsplib_read(file, table)
                                 : lines_read(file, kind == HT_VRP_LI_LIM, table);
    (void)fclose(file);
    return good;
}

/* The problem of a table. */
static bool table_take(const struct table *table, enum ht_vrp_kind kind, int64_t fixed,
                       struct ht_vrp *out)
{
    bool good = arrays_make(table, out);
    for (uint32_t i = 0; good && i < table->count; i++) {
        long delivery = table->rows[i].delivery;
        good = delivery >= 0 && delivery < (long)table->count;
        out->x[i] = table->rows[i].x;
        out->y[i] = table->rows[i].y;
    }
    if (good) {
        out->capacity = table->capacity;
        matrix_fill(out);
        problem_fill(table, kind == HT_VRP_LI_LIM, fixed, out);
    }
    return good;
}

bool ht_vrp_make(uint32_t customers, uint64_t seed, int64_t fixed, struct ht_vrp *out)
{
    struct table *table = customers >= LOCATIONS_MOST ? NULL : calloc(1, sizeof *table);
    *out = (struct ht_vrp){0};
    if (table == NULL) {
        return false;
    }
    table_make(customers, seed, table);
    bool good = table_take(table, HT_VRP_SOLOMON, fixed, out);
    free(table);
    return good;
}

bool ht_vrp_read(const char *path, enum ht_vrp_kind kind, int64_t fixed, struct ht_vrp *out)
{
    struct table *table = calloc(1, sizeof *table);
    *out = (struct ht_vrp){.whole = kind == HT_VRP_X};
    bool good =
        table != NULL && table_read(path, kind, table) && table_take(table, kind, fixed, out);
    free(table);
    return good;
}

void ht_vrp_free(struct ht_vrp *vrp)
{
    free(vrp->x);
    free(vrp->y);
    free(vrp->matrix);
    free(vrp->tasks);
    free(vrp->vehicles);
    free(vrp->windows);
    free(vrp->amounts);
}
