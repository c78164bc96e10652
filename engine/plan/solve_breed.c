#include "engine/plan/solve_breed_internal.h"

#include <stdlib.h>

#include "engine/base/array.h"

enum {
    LOOKS_STEP = 32, /* looks of the local search that count as an iteration */
    FIRST = 40,      /* made by chance */
    ELITE = 4,
    CLOSE = 5,
    PRICES_EVERY = 50, /* local searches */
    RESTART = 8000     /* children without a better one */
};
static const double KEEP_SHARE = 0.4; /* that should keep a rule */
static const double REPAIR_SHARE = 0.5;
static const double REPAIR_TIMES = 10; /* as dear */

/* ---- memory ---- */

static bool arrays_make(struct ht__breed *breed)
{
    const struct ht__tours *tours = &breed->tours;
    size_t count = tours->count;
    size_t fleet = tours->fleet;
    size_t stride = tours->stride;
    size_t each = count + fleet + 2 * stride;
    breed->numbers = ht_array_new_zeroed(HT__BREED_ONES, each * sizeof *breed->numbers);
    breed->route[0] = ht_array_new(stride, sizeof *breed->route[0]);
    breed->route[1] = ht_array_new(stride, sizeof *breed->route[1]);
    breed->chosen[0] = ht_array_new(fleet, 1);
    breed->chosen[1] = ht_array_new(fleet, 1);
    breed->shared = ht_array_new(fleet, sizeof *breed->shared);
    breed->left = ht_array_new(count, sizeof *breed->left);
    breed->far = ht_array_new(HT__BREED_ONES, sizeof *breed->far);
    for (size_t i = 0; breed->numbers != NULL && i < HT__BREED_ONES; i++) {
        struct ht__one *one = &breed->ones[i];
        one->stops = breed->numbers + i * each;
        one->counts = one->stops + count;
        one->next = one->counts + fleet;
        one->prev = one->next + stride;
    }
    return breed->numbers != NULL && breed->route[0] != NULL && breed->route[1] != NULL &&
           breed->chosen[0] != NULL && breed->chosen[1] != NULL && breed->shared != NULL &&
           breed->left != NULL && breed->far != NULL;
}

void ht__breed_free(struct ht__breed *breed)
{
    if (breed == NULL) {
        return;
    }
    free(breed->numbers);
    for (uint32_t i = 0; i < 2; i++) {
        free(breed->route[i]);
        free(breed->chosen[i]);
    }
    free(breed->shared);
    free(breed->left);
    free(breed->far);
    ht__tours_deinit(&breed->tours);
    ht__answer_deinit(&breed->best);
    free(breed);
}

/* ---- the population ---- */

void ht__one_set(struct ht__breed *breed, const struct ht__one *one)
{
    const uint32_t *stop = one->stops;
    ht__tours_empty(&breed->tours);
    for (uint32_t r = 0; r < breed->tours.fleet; r++) {
        for (uint32_t i = 0; i < one->counts[r]; i++) {
            ht__tours_append(&breed->tours, r, *stop++);
        }
        ht__tours_update(&breed->tours, r);
    }
}

static void one_price(const struct ht__tours *tours, struct ht__one *one)
{
    one->price = (double)one->cost + (double)one->much * tours->per_load +
                 (double)one->back_s * tours->per_second;
}

/* Writes the tours down. */
static void one_get(const struct ht__tours *tours, struct ht__one *one)
{
    uint32_t *stop = one->stops;
    one->cost = 0;
    one->much = 0;
    one->back_s = 0;
    for (uint32_t r = 0; r < tours->fleet; r++) {
        const struct ht__line *line = &tours->lines[r];
        int64_t much = line->load - tours->capacity;
        one->counts[r] = line->count;
        one->cost += line->count > 0 ? tours->knots[line->end].onward + tours->c->fixed : 0;
        one->much += much > 0 ? much : 0;
        one->back_s += line->back_s;
        for (uint32_t i = tours->knots[line->begin].next; i != line->end;) {
            const struct ht__knot *knot = &tours->knots[i];
            *stop++ = i;
            one->next[i] = tours->knots[knot->next].at;
            one->prev[i] = tours->knots[knot->prev].at;
            i = knot->next;
        }
    }
    one->keeps = one->much == 0 && one->back_s == 0;
    one_price(tours, one);
}

static float unlike(const struct ht__tours *tours, const struct ht__one *a, const struct ht__one *b)
{
    uint32_t broken = 0;
    for (uint32_t i = 1; i < tours->stride; i++) {
        broken += a->next[i] != b->next[i];
        broken += a->prev[i] != b->prev[i];
    }
    return (float)broken / (float)(2 * tours->count);
}

/* How unlike one is to those of its group that are most like it. */
static float apart_of(const struct ht__breed *breed, const struct ht__group *group, uint32_t one)
{
    float least[CLOSE];
    uint32_t count = 0;
    float sum = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t other = group->ones[i];
        float far = breed->far[one][other];
        if (other == one || (count == CLOSE && far >= least[CLOSE - 1])) {
            continue;
        }
        uint32_t at = count < CLOSE ? count++ : CLOSE - 1;
        while (at > 0 && least[at - 1] > far) {
            least[at] = least[at - 1];
            at--;
        }
        least[at] = far;
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += least[i];
    }
    return count == 0 ? 1 : sum / (float)count;
}

/* The rank by price and, unless it is one of the best, that by being unlike the others. */
static void group_rank(struct ht__breed *breed, struct ht__group *group)
{
    float apart[HT__BREED_GROUP];
    for (uint32_t i = 0; i < group->count; i++) {
        apart[i] = apart_of(breed, group, group->ones[i]);
    }
    double weight = group->count <= ELITE ? 0 : 1 - (double)ELITE / group->count;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t rank = 0;
        for (uint32_t j = 0; j < group->count; j++) {
            rank += apart[j] > apart[i] || (j < i && apart[j] >= apart[i]);
        }
        breed->ones[group->ones[i]].fitness = i + weight * rank;
    }
}

static void group_leave(struct ht__breed *breed, struct ht__group *group, uint32_t at)
{
    breed->ones[group->ones[at]].used = false;
    group->count--;
    memmove(group->ones + at, group->ones + at + 1, (group->count - at) * sizeof *group->ones);
}

/* Those that are like another go first, then the least fit; the best stays. */
static void group_thin(struct ht__breed *breed, struct ht__group *group)
{
    while (group->count > HT__BREED_LEAST) {
        uint32_t worst = HT_PLAN_NONE;
        bool clone = false;
        group_rank(breed, group);
        for (uint32_t i = 1; i < group->count; i++) {
            uint32_t one = group->ones[i];
            bool twin = false;
            for (uint32_t j = 0; j < group->count && !twin; j++) {
                twin = j != i && breed->far[one][group->ones[j]] < 1e-6F;
            }
            if (worst == HT_PLAN_NONE || (twin && !clone) ||
                (twin == clone &&
                 breed->ones[one].fitness > breed->ones[group->ones[worst]].fitness)) {
                worst = i;
                clone = twin;
            }
        }
        group_leave(breed, group, worst);
    }
}

static void group_join(struct ht__breed *breed, struct ht__group *group, uint32_t one)
{
    uint32_t at = group->count++;
    while (at > 0 && breed->ones[group->ones[at - 1]].price > breed->ones[one].price) {
        group->ones[at] = group->ones[at - 1];
        at--;
    }
    group->ones[at] = one;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t other = group->ones[i];
        float far = unlike(&breed->tours, &breed->ones[one], &breed->ones[other]);
        breed->far[one][other] = far;
        breed->far[other][one] = far;
    }
    if (group->count == HT__BREED_GROUP) {
        group_thin(breed, group);
    }
    group_rank(breed, group);
}

static void best_keep(struct ht__breed *breed, const struct ht__one *one)
{
    const struct ht__model *model = breed->model;
    const uint32_t *stop = one->stops;
    struct ht__answer *best = &breed->best;
    uint32_t *to = best->stops;
    memset(best->counts, 0, model->problem->vehicle_count * sizeof *best->counts);
    best->used = 0;
    best->missing = 0;
    best->absent = 0;
    best->cost = one->cost;
    for (uint32_t r = 0; r < breed->tours.fleet; r++) {
        if (one->counts[r] > 0) {
            best->counts[best->used++] = one->counts[r];
        }
        for (uint32_t i = 0; i < one->counts[r]; i++) {
            *to++ = model->items[*stop++ - 1];
        }
    }
    breed->since = 0;
}

/* The tours join the population. */
static const struct ht__one *tours_join(struct ht__breed *breed)
{
    uint32_t slot = 0;
    while (breed->ones[slot].used) {
        slot++;
    }
    struct ht__one *one = &breed->ones[slot];
    one->used = true;
    one_get(&breed->tours, one);
    if (one->keeps && one->cost < breed->best.cost) {
        best_keep(breed, one);
    }
    group_join(breed, &breed->groups[one->keeps], slot);
    return one;
}

/* ---- prices ---- */

/* Within a hundredth and a hundred thousand times of what it was first. */
static double price_turn(double price, double first, uint32_t kept, uint32_t tried)
{
    double share = (double)kept / tried;
    price *= share < KEEP_SHARE - 0.05 ? 1.2 : share > KEEP_SHARE + 0.05 ? 0.85 : 1;
    price = price < first * 1e-2 ? first * 1e-2 : price;
    return price > first * 1e5 ? first * 1e5 : price;
}

static void prices_turn(struct ht__breed *breed)
{
    struct ht__tours *tours = &breed->tours;
    struct ht__group *group = &breed->groups[0];
    tours->per_load = price_turn(tours->per_load, breed->first_load, breed->in_load, breed->tried);
    tours->per_second =
        price_turn(tours->per_second, breed->first_second, breed->in_time, breed->tried);
    breed->in_load = 0;
    breed->in_time = 0;
    breed->tried = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t one = group->ones[i];
        uint32_t at = i;
        one_price(tours, &breed->ones[one]);
        while (at > 0 && breed->ones[group->ones[at - 1]].price > breed->ones[one].price) {
            group->ones[at] = group->ones[at - 1];
            at--;
        }
        group->ones[at] = one;
    }
    group_rank(breed, group);
}

/* A usual way's cost for a usual load, or for the time that it takes. */
static void prices_begin(struct ht__breed *breed)
{
    struct ht__tours *tours = &breed->tours;
    double cost = 0;
    double way_s = 1;
    double load = 1;
    for (uint32_t i = 1; i < tours->stride; i++) {
        uint32_t near = tours->near[(size_t)i * tours->near_count];
        cost += (double)ht__tours_cost(tours, i, near);
        way_s += ht__tours_way(tours, i, near)->duration_s;
        load += (double)tours->needs[i].load;
    }
    tours->per_second = cost / way_s + 1e-6;
    tours->per_load = 3 * cost / load + 1e-6;
    breed->first_second = tours->per_second;
    breed->first_load = tours->per_load;
}

/* ---- children ---- */

static const struct ht__one *parent_draw(struct ht__breed *breed)
{
    const struct ht__one *best = NULL;
    uint32_t all = breed->groups[0].count + breed->groups[1].count;
    for (int i = 0; i < 2; i++) {
        uint32_t pick = ht__tours_below(&breed->tours, all);
        uint32_t first = breed->groups[0].count;
        uint32_t slot =
            pick < first ? breed->groups[0].ones[pick] : breed->groups[1].ones[pick - first];
        const struct ht__one *one = &breed->ones[slot];
        best = best == NULL || one->fitness < best->fitness ? one : best;
    }
    return best;
}

static void child_first(struct ht__breed *breed)
{
    struct ht__tours *tours = &breed->tours;
    ht__tours_empty(tours);
    ht__tours_shuffle(tours, tours->order, tours->count);
    for (uint32_t i = 0; i < tours->count; i++) {
        ht__tours_put(tours, tours->order[i]);
    }
}

/* As it is now, with dearer fees. */
static void repair(struct ht__breed *breed)
{
    struct ht__tours *tours = &breed->tours;
    double per_load = tours->per_load;
    double per_second = tours->per_second;
    tours->per_load *= REPAIR_TIMES;
    tours->per_second *= REPAIR_TIMES;
    ht__tours_price(tours);
    ht__tours_improve(tours);
    tours->per_load = per_load;
    tours->per_second = per_second;
    ht__tours_price(tours);
    bool keeps = true;
    for (uint32_t r = 0; r < tours->fleet; r++) {
        keeps = keeps && tours->lines[r].fee <= 0;
    }
    if (!tours->over && keeps) {
        (void)tours_join(breed);
    }
}

static void restart(struct ht__breed *breed)
{
    for (int g = 0; g < 2; g++) {
        while (breed->groups[g].count > 0) {
            group_leave(breed, &breed->groups[g], breed->groups[g].count - 1);
        }
    }
    breed->made = 0;
    breed->since = 0;
}

static void child_make(struct ht__breed *breed)
{
    struct ht__tours *tours = &breed->tours;
    if (breed->since > RESTART) {
        restart(breed);
    }
    if (breed->made < FIRST) {
        child_first(breed);
    } else {
        const struct ht__one *a = parent_draw(breed);
        const struct ht__one *b = parent_draw(breed);
        for (int i = 0; i < 10 && a == b; i++) {
            b = parent_draw(breed);
        }
        ht__breed_cross(breed, a, b);
    }
    ht__tours_improve(tours);
    if (tours->over) {
        return;
    }
    breed->made++;
    breed->since++;
    const struct ht__one *child = tours_join(breed);
    breed->in_load += child->much == 0;
    breed->in_time += child->back_s == 0;
    bool mend =
        !child->keeps && (double)(ht__random(&tours->random) >> 11) * 0x1p-53 < REPAIR_SHARE;
    if (++breed->tried == PRICES_EVERY) {
        prices_turn(breed);
        ht__tours_price(tours);
    }
    if (mend) {
        repair(breed);
    }
}

/* ---- all of it ---- */

/* The stop of tours that is this task; items rise. */
static uint32_t own_of(const struct ht__model *model, uint32_t task)
{
    uint32_t low = 0;
    uint32_t high = model->item_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        low = model->items[middle] <= task ? middle : low;
        high = model->items[middle] <= task ? high : middle;
    }
    return low + 1;
}

void ht__breed_add(struct ht__breed *breed, const struct ht__answer *answer)
{
    struct ht__tours *tours = &breed->tours;
    const uint32_t *stop = answer->stops;
    uint32_t route = 0;
    breed->left_count = 0;
    ht__tours_empty(tours);
    for (uint32_t v = 0; v < breed->model->problem->vehicle_count; v++) {
        for (uint32_t i = 0; i < answer->counts[v]; i++) {
            uint32_t own = own_of(breed->model, *stop++);
            if (route < tours->fleet) {
                ht__tours_append(tours, route, own);
            } else {
                breed->left[breed->left_count++] = own;
            }
        }
        route += answer->counts[v] > 0;
    }
    for (uint32_t r = 0; r < tours->fleet; r++) {
        ht__tours_update(tours, r);
    }
    for (uint32_t i = 0; i < breed->left_count; i++) {
        ht__tours_put(tours, breed->left[i]);
    }
    (void)tours_join(breed);
}

/* Where a vehicle costs more than its ways do, there are no more of them. */
static uint32_t fleet_of(const struct ht__model *model, const struct ht__answer *from, bool *dear)
{
    int64_t fixed = model->classes[0].fixed;
    uint32_t more = from->used + from->used / 4 + 2;
    uint32_t all = model->problem->vehicle_count;
    *dear = fixed > 0 && fixed >= from->cost / from->used - fixed;
    return *dear ? from->used : more < all ? more : all;
}

enum ht_status ht__breed_new(const struct ht__model *model, uint64_t seed,
                             const struct ht__answer *from, struct ht__breed **out)
{
    bool dear = false;
    if (!ht__tours_can(model) || from->absent > 0 || from->used == 0) {
        return HT_INVALID;
    }
    struct ht__breed *breed = calloc(1, sizeof *breed);
    if (breed == NULL) {
        return HT_NOMEM;
    }
    breed->model = model;
    enum ht_status status = ht__tours_init(model, fleet_of(model, from, &dear), &breed->tours);
    if (status == HT_OK) {
        status = arrays_make(breed) ? ht__answer_init(model, &breed->best) : HT_NOMEM;
    }
    if (status != HT_OK) {
        ht__breed_free(breed);
        return status;
    }
    breed->tours.fixed = dear ? 0 : breed->tours.c->fixed;
    breed->tours.random = seed * UINT64_C(0x9E3779B97F4A7C15) + UINT64_C(0xA0761D6478BD642F);
    breed->tours.random = breed->tours.random == 0 ? 1 : breed->tours.random;
    prices_begin(breed);
    ht__breed_add(breed, from);
    *out = breed;
    return HT_OK;
}

void ht__breed_round(struct ht__breed *breed, const struct ht__round *round, uint64_t *done)
{
    struct ht__tours *tours = &breed->tours;
    uint64_t from = tours->looks;
    tours->deadline_ns = round->deadline_ns;
    tours->cancel = round->cancel;
    tours->over = false;
    breed->allowed += round->iterations * LOOKS_STEP;
    while (tours->looks < breed->allowed && !ht__tours_over(tours)) {
        child_make(breed);
    }
    *done = (tours->looks - from) / LOOKS_STEP;
}

const struct ht__answer *ht__breed_best(const struct ht__breed *breed)
{
    return &breed->best;
}
