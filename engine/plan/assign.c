#include "engine/plan/assign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"

/* Distances: FAR is not reached, SETTLED is final. As unsigned numbers SETTLED is above FAR, so one
 * loop finds the nearest open column; as signed ones it is below all, so no relaxation opens it. */
#define FAR INT64_MAX
#define SETTLED INT64_MIN

#define NONE UINT32_MAX

enum {
    PRIORITIES = HT_ASSIGN_PRIORITY_MAX + 1,
    SUM_BITS = 54,    /* what costs * (rows + columns) may take; prices may be 101 times that */
    LOOK_EVERY = 256, /* columns settled between two looks at the clock */
};

/* A task. */
struct row {
    struct ht_assign_task task;
    uint32_t wanted;     /* places that units with a way could fill at all */
    uint32_t first_slot; /* its places are [first_slot, first_slot + wanted) */
    int64_t price;
    int64_t distance; /* of this search */
    uint32_t via;     /* the slot by which the search came here; NONE: it began here */
    uint64_t seen;    /* the number of the search that scanned it */
    uint64_t pending; /* that found it, not yet at its turn */
};

/* A place: in which column it lies, in a list of all that lie there. */
struct slot {
    uint32_t row;
    uint32_t column; /* NONE: not put in yet */
    uint32_t next;
    uint32_t before;
};

/* A unit, or the empty places of one priority. */
struct column {
    uint32_t head;
    uint32_t load;
    uint32_t capacity; /* of this pass */
    bool closed;       /* no way leads from here to a free place, and none ever will */
};

struct settled {
    uint32_t column;
    int64_t distance;
};

/* The best way to an empty place of a priority that has none so far. */
struct opening {
    int64_t distance;
    uint32_t row;
};

struct ht_assign {
    struct ht_assign_units units;
    uint32_t *capacity; /* [units.count] */
    bool flat;          /* the pass that counts: all costs are 0, the bound grows */
    bool broken;        /* was cancelled */
    uint32_t bound;     /* of the load */
    uint32_t lowest;    /* priority of all rows so far */
    uint32_t column_count;
    uint32_t empty_column[PRIORITIES];
    struct opening openings[PRIORITIES];
    size_t searches;
    uint64_t search_number;
    uint64_t cost_most;

    struct row *rows;
    size_t row_count;
    size_t row_capacity;
    struct slot *slots;
    size_t slot_count;
    size_t slot_capacity;

    /* [units.count + PRIORITIES] */
    struct column *columns;
    int64_t *price;
    int64_t *distance;
    uint32_t *reached_by; /* row */
    struct settled *settled;
    size_t settled_count;

    uint32_t *scanned; /* rows, as the three below */
    size_t scanned_count;
    size_t scanned_capacity;
    uint32_t *pending;
    size_t pending_count;
    size_t pending_capacity;

    /* What lies under the own columns of a row while it is scanned. */
    struct settled *kept;
    uint32_t *kept_by;
    size_t kept_capacity;
    size_t kept_by_capacity;

    /* The plan. */
    struct ht_assign_plan plan;
    struct ht_assign_pair *pairs;
    size_t pair_capacity;
    uint32_t *empty;
    size_t empty_capacity;
    uint8_t *reason;
    size_t reason_capacity;
    uint32_t *wanted;
    size_t wanted_capacity;
    int64_t *task_price;
    size_t task_price_capacity;
    int64_t empty_price[PRIORITIES];
};

enum ht_status ht_assign_new(struct ht_assign **out)
{
    struct ht_assign *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return HT_NOMEM;
    }
    *out = a;
    return HT_OK;
}

static void columns_free(struct ht_assign *a)
{
    free(a->capacity);
    free(a->columns);
    free(a->price);
    free(a->distance);
    free(a->reached_by);
    free(a->settled);
    a->capacity = NULL;
    a->columns = NULL;
    a->price = NULL;
    a->distance = NULL;
    a->reached_by = NULL;
    a->settled = NULL;
}

void ht_assign_free(struct ht_assign *a)
{
    if (a == NULL) {
        return;
    }
    columns_free(a);
    free(a->rows);
    free(a->slots);
    free(a->scanned);
    free(a->pending);
    free(a->kept);
    free(a->kept_by);
    free(a->pairs);
    free(a->empty);
    free(a->reason);
    free(a->wanted);
    free(a->task_price);
    free(a);
}

/* ---- passes ---- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void capacities_set(struct ht_assign *a)
{
    for (uint32_t u = 0; u < a->units.count; u++) {
        a->columns[u].capacity = least(a->capacity[u], a->bound);
        a->columns[u].closed = false;
    }
}

/* Takes every place out again; prices are 0. */
static void pass_begin(struct ht_assign *a, bool flat, uint32_t bound)
{
    a->flat = flat;
    a->bound = bound;
    a->lowest = HT_ASSIGN_PRIORITY_MAX;
    a->column_count = a->units.count;
    for (uint32_t u = 0; u < a->units.count; u++) {
        a->columns[u] = (struct column){.head = NONE};
        a->price[u] = 0;
    }
    capacities_set(a);
    for (uint32_t p = 0; p < PRIORITIES; p++) {
        a->empty_column[p] = NONE;
    }
    for (size_t s = 0; s < a->slot_count; s++) {
        a->slots[s].column = NONE;
    }
}

static bool stop_now(const struct ht_assign *a)
{
    if (a->units.cancel != NULL && __atomic_load_n(a->units.cancel, __ATOMIC_RELAXED)) {
        return true;
    }
    struct timespec t;
    return a->units.deadline_ns != 0 &&
           (clock_gettime(CLOCK_MONOTONIC, &t) != 0 ||
            (int64_t)t.tv_sec * 1000000000 + t.tv_nsec >= a->units.deadline_ns);
}

/* ---- one search ---- */

static uint32_t weight_of(const struct ht_assign *a, const struct row *row)
{
    return a->flat ? 0 : row->task.weight;
}

/* What a place pays in its column beyond the prices: 0, or less where a task has several places. */
static int64_t reduced_at(const struct ht_assign *a, const struct row *row, uint32_t column)
{
    int64_t cost =
        column < a->units.count ? (int64_t)row->task.cost_ms[column] * weight_of(a, row) : 0;
    return cost - row->price - a->price[column];
}

/* Relaxes all units from a row at distance `base + price` of it. */
static void relax_units(const struct ht_assign *a, uint32_t r, int64_t base)
{
    const uint32_t *restrict cost = a->rows[r].task.cost_ms;
    const int64_t *restrict price = a->price;
    int64_t *restrict distance = a->distance;
    uint32_t *restrict by = a->reached_by;
    uint32_t weight = weight_of(a, &a->rows[r]);
    uint32_t count = a->units.count;
    for (uint32_t u = 0; u < count; u++) {
        int64_t found = base + (int64_t)((uint64_t)cost[u] * weight) - price[u];
        if (found < distance[u] && cost[u] < HT_ASSIGN_UNREACHABLE) {
            distance[u] = found;
            by[u] = r;
        }
    }
}

static void relax_empty(struct ht_assign *a, uint32_t r, int64_t base)
{
    uint32_t priority = a->rows[r].task.priority;
    uint32_t column = a->empty_column[priority];
    if (column == NONE) {
        struct opening *opening = &a->openings[priority];
        if (base < opening->distance) {
            *opening = (struct opening){base, r};
        }
    } else if (base - a->price[column] < a->distance[column]) {
        a->distance[column] = base - a->price[column];
        a->reached_by[column] = r;
    }
}

/* The way on from a row. Its own columns hold it once already and can't a second time. */
static void scan(struct ht_assign *a, uint32_t r, int64_t distance, uint32_t via)
{
    struct row *row = &a->rows[r];
    uint32_t kept = 0;
    row->seen = a->search_number;
    row->distance = distance;
    row->via = via;
    a->scanned[a->scanned_count++] = r;
    for (uint32_t k = 0; row->wanted > 1 && k < row->wanted; k++) {
        uint32_t column = a->slots[row->first_slot + k].column;
        if (column < a->units.count) {
            a->kept[kept] = (struct settled){column, a->distance[column]};
            a->kept_by[kept++] = a->reached_by[column];
        }
    }
    relax_units(a, r, distance - row->price);
    while (kept-- > 0) {
        a->distance[a->kept[kept].column] = a->kept[kept].distance;
        a->reached_by[a->kept[kept].column] = a->kept_by[kept];
    }
    relax_empty(a, r, distance - row->price);
}

static uint32_t nearest_column(const struct ht_assign *a)
{
    const int64_t *restrict distance = a->distance;
    uint64_t best = FAR;
    for (uint32_t c = 0; c < a->column_count; c++) {
        best = (uint64_t)distance[c] < best ? (uint64_t)distance[c] : best;
    }
    for (uint32_t c = 0; best < FAR && c < a->column_count; c++) {
        if ((uint64_t)distance[c] == best) {
            return c;
        }
    }
    return NONE;
}

/* The nearest of the rows that wait, taken out, where it is not beyond `limit`. Few ever wait: only
 * tasks of several places. */
static uint32_t pending_take(struct ht_assign *a, int64_t limit)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < a->pending_count; i++) {
        int64_t distance = a->rows[a->pending[i]].distance;
        if (distance <= limit &&
            (best == SIZE_MAX || distance < a->rows[a->pending[best]].distance)) {
            best = i;
        }
    }
    if (best == SIZE_MAX) {
        return NONE;
    }
    uint32_t r = a->pending[best];
    a->pending[best] = a->pending[--a->pending_count];
    return r;
}

/* The rows that lie in a settled column. */
static void push_on(struct ht_assign *a, uint32_t column, int64_t distance)
{
    uint32_t next = NONE;
    for (uint32_t s = a->columns[column].head; s != NONE; s = next) {
        struct row *row = &a->rows[a->slots[s].row];
        next = a->slots[s].next;
        if (row->seen == a->search_number) {
            continue;
        }
        int64_t at = distance - reduced_at(a, row, column);
        bool waits = row->pending == a->search_number;
        if (at == distance && !waits) {
            scan(a, a->slots[s].row, distance, s);
        } else if (!waits || at < row->distance) {
            row->distance = at;
            row->via = s;
            if (!waits) {
                row->pending = a->search_number;
                a->pending[a->pending_count++] = a->slots[s].row;
            }
        }
    }
}

static void search_begin(struct ht_assign *a, uint32_t source)
{
    a->searches++;
    a->search_number++;
    a->settled_count = 0;
    a->scanned_count = 0;
    a->pending_count = 0;
    for (uint32_t c = 0; c < a->units.count + PRIORITIES; c++) {
        a->distance[c] = FAR;
    }
    for (uint32_t p = 0; p < PRIORITIES; p++) {
        a->openings[p].distance = FAR;
    }
    scan(a, source, 0, NONE);
}

/* While loads are counted all distances are 0: a free place first, then what may lead to one, then
 * empty places. */
static uint32_t flat_column(const struct ht_assign *a)
{
    uint32_t open = NONE;
    uint32_t empty = NONE;
    for (uint32_t c = 0; c < a->column_count; c++) {
        if (a->distance[c] != 0) {
            continue;
        }
        if (c >= a->units.count) {
            empty = c;
        } else if (a->columns[c].load < a->columns[c].capacity) {
            return c;
        } else if (open == NONE && !a->columns[c].closed) {
            open = c;
        }
    }
    return open != NONE ? open : empty;
}

/* Whether the place that stays empty is known at its column already: none of a lower priority can,
 * and what was reached beyond leads to no free place. */
static bool ends_here(const struct ht_assign *a, uint32_t column)
{
    if (column != a->empty_column[a->lowest] || a->pending_count > 0) {
        return false;
    }
    for (uint32_t u = 0; u < a->units.count; u++) {
        if (a->distance[u] != FAR && a->distance[u] != SETTLED && !a->columns[u].closed) {
            return false;
        }
    }
    return true;
}

/* Settles columns until one has a free place (then *end is that one), or it is clear that none can
 * be reached (NONE). */
static enum ht_status search(struct ht_assign *a, uint32_t source, uint32_t *end, int64_t *distance)
{
    search_begin(a, source);
    for (;;) {
        uint32_t column = a->flat ? flat_column(a) : NONE;
        column = column == NONE ? nearest_column(a) : column;
        uint32_t waiting = pending_take(a, column == NONE ? FAR : a->distance[column]);
        if (waiting != NONE) {
            scan(a, waiting, a->rows[waiting].distance, a->rows[waiting].via);
            continue;
        }
        *end = column;
        if (column == NONE) {
            return HT_OK;
        }
        *distance = a->distance[column];
        if (column < a->units.count && a->columns[column].load < a->columns[column].capacity) {
            return HT_OK;
        }
        a->settled[a->settled_count++] = (struct settled){column, *distance};
        a->distance[column] = SETTLED;
        if (a->settled_count % LOOK_EVERY == 0 && stop_now(a)) {
            return HT_CANCELLED;
        }
        push_on(a, column, *distance);
        if (ends_here(a, column)) {
            *end = NONE;
            return HT_OK;
        }
    }
}

/* ---- what follows a search ---- */

/* Everything nearer than the end gets a price at which the way there is for nothing. */
static void prices_move(struct ht_assign *a, int64_t distance)
{
    for (size_t i = 0; i < a->scanned_count; i++) {
        struct row *row = &a->rows[a->scanned[i]];
        if (row->distance < distance) {
            row->price += distance - row->distance;
        }
    }
    for (size_t i = 0; i < a->settled_count; i++) {
        if (a->settled[i].distance < distance) {
            a->price[a->settled[i].column] -= distance - a->settled[i].distance;
        }
    }
}

static void slot_move(struct ht_assign *a, uint32_t s, uint32_t column)
{
    struct slot *slot = &a->slots[s];
    if (slot->column != NONE) {
        struct column *from = &a->columns[slot->column];
        from->load--;
        if (slot->before == NONE) {
            from->head = slot->next;
        } else {
            a->slots[slot->before].next = slot->next;
        }
        if (slot->next != NONE) {
            a->slots[slot->next].before = slot->before;
        }
    }
    struct column *to = &a->columns[column];
    slot->column = column;
    slot->before = NONE;
    slot->next = to->head;
    if (to->head != NONE) {
        a->slots[to->head].before = s;
    }
    to->head = s;
    to->load++;
}

/* Goes the way back from its end: each place on it moves one column on. */
static void augment(struct ht_assign *a, uint32_t slot, uint32_t end)
{
    uint32_t column = end;
    for (;;) {
        uint32_t r = a->reached_by[column];
        uint32_t via = a->rows[r].via;
        uint32_t s = via == NONE ? slot : via;
        uint32_t from = a->slots[s].column;
        slot_move(a, s, column);
        if (via == NONE) {
            return;
        }
        column = from;
    }
}

/* No way leads to a free place. While the load is counted: a full unit that was reached and that
 * only the bound keeps from more; the bound is one more then. */
static bool bound_grow(struct ht_assign *a, uint32_t *end, int64_t *distance)
{
    for (size_t i = 0; a->flat && i < a->settled_count; i++) {
        uint32_t column = a->settled[i].column;
        if (column < a->units.count && a->columns[column].load < a->capacity[column]) {
            a->bound++;
            capacities_set(a); /* what was closed isn't any more */
            *end = column;
            *distance = a->settled[i].distance;
            return true;
        }
    }
    return false;
}

/* Opens the column of a priority's empty places. Nothing lay in it, so its price is free: low
 * enough that all that was reached is nearer, and that none of its rows would rather be there. */
static uint32_t column_open(struct ht_assign *a, uint32_t priority, int64_t *distance)
{
    uint32_t column = a->column_count++;
    int64_t farthest = 0;
    for (size_t i = 0; i < a->scanned_count; i++) {
        int64_t d = a->rows[a->scanned[i]].distance;
        farthest = d > farthest ? d : farthest;
    }
    for (size_t i = 0; i < a->settled_count; i++) {
        farthest = a->settled[i].distance > farthest ? a->settled[i].distance : farthest;
    }
    int64_t price = a->openings[priority].distance - farthest;
    for (size_t r = 0; r < a->row_count; r++) {
        const struct row *row = &a->rows[r];
        if (row->task.priority == priority && row->seen != a->search_number && row->wanted > 0 &&
            a->slots[row->first_slot].column != NONE && -row->price < price) {
            price = -row->price;
        }
    }
    a->columns[column] = (struct column){.head = NONE, .capacity = UINT32_MAX};
    a->price[column] = price;
    a->reached_by[column] = a->openings[priority].row;
    a->empty_column[priority] = column;
    *distance = a->openings[priority].distance - price;
    return column;
}

/* One more place stays empty: of the lowest priority that the search reached. */
static uint32_t give_up(struct ht_assign *a, int64_t *distance)
{
    for (size_t i = 0; i < a->settled_count; i++) {
        a->columns[a->settled[i].column].closed = true;
    }
    for (uint32_t p = 0; p < PRIORITIES; p++) {
        uint32_t column = a->empty_column[p];
        if (column == NONE && a->openings[p].distance < FAR) {
            return column_open(a, p, distance);
        }
        for (size_t i = 0; column != NONE && i < a->settled_count; i++) {
            if (a->settled[i].column == column) {
                *distance = a->settled[i].distance;
                return column;
            }
        }
    }
    assert(false); /* the source itself could stay empty */
    return NONE;
}

/* The highest price at which nobody would pay a new row for moving in. */
static void price_begin(struct ht_assign *a, struct row *row)
{
    int64_t best = FAR;
    uint32_t weight = weight_of(a, row);
    for (uint32_t u = 0; u < a->units.count; u++) {
        uint32_t cost = row->task.cost_ms[u];
        int64_t found = (int64_t)((uint64_t)cost * weight) - a->price[u];
        if (cost < HT_ASSIGN_UNREACHABLE && found < best) {
            best = found;
        }
    }
    uint32_t column = a->empty_column[row->task.priority];
    if (column != NONE && -a->price[column] < best) {
        best = -a->price[column];
    }
    row->price = best;
}

static enum ht_status row_put(struct ht_assign *a, uint32_t r)
{
    struct row *row = &a->rows[r];
    if (row->wanted > 0) {
        a->lowest = least(a->lowest, row->task.priority);
        price_begin(a, row);
    }
    for (uint32_t k = 0; k < row->wanted; k++) {
        uint32_t end = NONE;
        int64_t distance = 0;
        enum ht_status status = search(a, r, &end, &distance);
        if (status != HT_OK) {
            return status;
        }
        if (end == NONE && !bound_grow(a, &end, &distance)) {
            end = give_up(a, &distance);
        }
        prices_move(a, distance);
        augment(a, row->first_slot + k, end);
    }
    return stop_now(a) ? HT_CANCELLED : HT_OK;
}

static enum ht_status rows_put(struct ht_assign *a, size_t first)
{
    enum ht_status status = HT_OK;
    for (size_t r = first; status == HT_OK && r < a->row_count; r++) {
        status = row_put(a, (uint32_t)r);
    }
    return status;
}

/* ---- the plan ---- */

static enum ht_assign_reason reason_of(const struct ht_assign *a, const struct row *row)
{
    uint32_t fit = 0;
    for (uint32_t u = 0; u < a->units.count; u++) {
        fit += row->task.cost_ms[u] != HT_ASSIGN_UNFIT;
    }
    return fit < row->task.places           ? HT_ASSIGN_NONE_FIT
           : row->wanted < row->task.places ? HT_ASSIGN_NONE_NEAR
                                            : HT_ASSIGN_FULL;
}

/* The pairs of a row, by unit. */
static void pairs_add(struct ht_assign *a, uint32_t r)
{
    const struct row *row = &a->rows[r];
    size_t begin = a->plan.pair_count;
    for (uint32_t k = 0; k < row->wanted; k++) {
        uint32_t unit = a->slots[row->first_slot + k].column;
        if (unit >= a->units.count) {
            continue;
        }
        size_t at = a->plan.pair_count++;
        for (; at > begin && a->pairs[at - 1].unit > unit; at--) {
            a->pairs[at] = a->pairs[at - 1];
        }
        a->pairs[at] = (struct ht_assign_pair){r, unit, row->task.cost_ms[unit]};
        a->plan.cost += (int64_t)row->task.cost_ms[unit] * row->task.weight;
        a->plan.cost_ms += row->task.cost_ms[unit];
    }
    a->empty[r] = row->task.places - (uint32_t)(a->plan.pair_count - begin);
    a->reason[r] = (uint8_t)(a->empty[r] == 0 ? HT_ASSIGN_DONE : reason_of(a, row));
    a->wanted[r] = row->wanted;
    a->task_price[r] = row->price;
}

static void plan_write(struct ht_assign *a)
{
    a->plan = (struct ht_assign_plan){.pairs = a->pairs,
                                      .task_count = (uint32_t)a->row_count,
                                      .empty = a->empty,
                                      .reason = a->reason,
                                      .wanted = a->wanted,
                                      .load_bound = a->bound,
                                      .searches = a->searches,
                                      .task_price = a->task_price,
                                      .unit_price = a->price,
                                      .empty_price = a->empty_price};
    for (uint32_t r = 0; r < a->row_count; r++) {
        pairs_add(a, r);
    }
    for (uint32_t u = 0; u < a->units.count; u++) {
        if (a->columns[u].load > a->plan.load_most) {
            a->plan.load_most = a->columns[u].load;
        }
    }
    for (uint32_t p = 0; p < PRIORITIES; p++) {
        uint32_t column = a->empty_column[p];
        a->empty_price[p] = column == NONE ? INT64_MIN : a->price[column];
    }
}

const struct ht_assign_plan *ht_assign_plan(const struct ht_assign *a)
{
    return &a->plan;
}

/* ---- doors ---- */

enum ht_status ht_assign_begin(struct ht_assign *a, const struct ht_assign_units *units)
{
    if (units->count >= UINT32_C(1) << 30) {
        return HT_TOO_BIG;
    }
    size_t all = (size_t)units->count + PRIORITIES;
    columns_free(a);
    a->units = (struct ht_assign_units){0};
    a->capacity = ht_array_new(all, sizeof *a->capacity);
    a->columns = ht_array_new_zeroed(all, sizeof *a->columns);
    a->price = ht_array_new_zeroed(all, sizeof *a->price);
    a->distance = ht_array_new(all, sizeof *a->distance);
    a->reached_by = ht_array_new(all, sizeof *a->reached_by);
    a->settled = ht_array_new(all, sizeof *a->settled);
    a->row_count = 0;
    a->slot_count = 0;
    a->searches = 0;
    a->cost_most = 0;
    a->broken = a->capacity == NULL || a->columns == NULL || a->price == NULL ||
                a->distance == NULL || a->reached_by == NULL || a->settled == NULL;
    if (a->broken) {
        columns_free(a);
        return HT_NOMEM;
    }
    a->units = *units;
    a->units.capacity = NULL;
    for (uint32_t u = 0; u < units->count; u++) {
        a->capacity[u] = units->capacity == NULL ? 1 : units->capacity[u];
    }
    pass_begin(a, false, UINT32_MAX);
    plan_write(a);
    return HT_OK;
}

/* How many places of a task units with a way could fill, and its dearest cost. */
static uint32_t wanted_of(const struct ht_assign *a, const struct ht_assign_task *task,
                          uint64_t *cost_most)
{
    uint32_t near = 0;
    for (uint32_t u = 0; u < a->units.count; u++) {
        uint32_t cost = task->cost_ms[u];
        if (cost < HT_ASSIGN_UNREACHABLE) {
            uint64_t weighted = (uint64_t)cost * task->weight;
            near++;
            *cost_most = weighted > *cost_most ? weighted : *cost_most;
        }
    }
    return least(near, task->places);
}

static enum ht_status room_make(struct ht_assign *a, size_t rows, size_t slots, uint32_t widest)
{
    const struct {
        void **data;
        size_t *capacity;
        size_t want;
        size_t item;
    } arrays[] = {
        {(void **)&a->rows, &a->row_capacity, rows, sizeof *a->rows},
        {(void **)&a->slots, &a->slot_capacity, slots, sizeof *a->slots},
        {(void **)&a->scanned, &a->scanned_capacity, rows, sizeof *a->scanned},
        {(void **)&a->pending, &a->pending_capacity, rows, sizeof *a->pending},
        {(void **)&a->kept, &a->kept_capacity, widest, sizeof *a->kept},
        {(void **)&a->kept_by, &a->kept_by_capacity, widest, sizeof *a->kept_by},
        {(void **)&a->pairs, &a->pair_capacity, slots, sizeof *a->pairs},
        {(void **)&a->empty, &a->empty_capacity, rows, sizeof *a->empty},
        {(void **)&a->reason, &a->reason_capacity, rows, sizeof *a->reason},
        {(void **)&a->wanted, &a->wanted_capacity, rows, sizeof *a->wanted},
        {(void **)&a->task_price, &a->task_price_capacity, rows, sizeof *a->task_price},
    };
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < sizeof arrays / sizeof arrays[0]; i++) {
        status =
            ht_array_reserve(arrays[i].data, arrays[i].capacity, arrays[i].want, arrays[i].item);
    }
    return status;
}

/* Checks the tasks and makes room; nothing is added yet. */
static enum ht_status tasks_check(struct ht_assign *a, const struct ht_assign_task *tasks,
                                  size_t count, uint64_t *cost_most)
{
    size_t slots = a->slot_count;
    uint32_t widest = 1;
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].weight > HT_ASSIGN_WEIGHT_MAX || tasks[i].priority > HT_ASSIGN_PRIORITY_MAX) {
            return HT_RANGE;
        }
        uint32_t wanted = wanted_of(a, &tasks[i], cost_most);
        widest = wanted > widest ? wanted : widest;
        slots += wanted;
    }
    size_t rows = a->row_count + count;
    if (rows >= NONE || slots >= NONE ||
        *cost_most > (UINT64_C(1) << SUM_BITS) / (rows + a->units.count + 1)) {
        return HT_TOO_BIG;
    }
    return room_make(a, rows, slots, widest);
}

static void row_add(struct ht_assign *a, const struct ht_assign_task *task)
{
    uint64_t unused = 0;
    uint32_t r = (uint32_t)a->row_count++;
    a->rows[r] = (struct row){.task = *task,
                              .wanted = wanted_of(a, task, &unused),
                              .first_slot = (uint32_t)a->slot_count,
                              .via = NONE};
    for (uint32_t k = 0; k < a->rows[r].wanted; k++) {
        a->slots[a->slot_count++] = (struct slot){.row = r, .column = NONE};
    }
}

enum ht_status ht_assign_add(struct ht_assign *a, const struct ht_assign_task *tasks, size_t count)
{
    uint64_t cost_most = a->cost_most;
    if (a->broken) {
        return HT_CANCELLED;
    }
    enum ht_status status = tasks_check(a, tasks, count, &cost_most);
    if (status != HT_OK) {
        return status;
    }
    size_t first = a->row_count;
    a->cost_most = cost_most;
    for (size_t i = 0; i < count; i++) {
        row_add(a, &tasks[i]);
    }
    if (a->units.balanced) {
        first = 0;
        pass_begin(a, true, 1);
        status = rows_put(a, 0);
        if (status == HT_OK) {
            pass_begin(a, false, a->bound);
        }
    }
    if (status == HT_OK) {
        status = rows_put(a, first);
    }
    a->broken = status != HT_OK;
    if (status == HT_OK) {
        plan_write(a);
    }
    return status;
}
