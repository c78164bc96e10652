/* Selective route exchange: Nagata, Braysy and Dullaert 2010. The routes of both parents that are
 * exchanged are those that come nearest to some stop, or (as often) those of the second that have
 * most of their stops in common with those of the first. */
#include "engine/plan/solve_breed_internal.h"

static uint32_t used_of(const struct ht__breed *breed, const struct ht__one *one)
{
    uint32_t used = 0;
    for (uint32_t r = 0; r < breed->tours.fleet; r++) {
        used += one->counts[r] > 0;
    }
    return used;
}

static void routes_note(const struct ht__breed *breed, const struct ht__one *one, uint32_t *route)
{
    const uint32_t *stop = one->stops;
    for (uint32_t r = 0; r < breed->tours.fleet; r++) {
        for (uint32_t i = 0; i < one->counts[r]; i++) {
            route[*stop++] = r;
        }
    }
}

/* The first `count` routes that a list of stops comes to, the seed's first. */
static void choose_near(const struct ht__breed *breed, uint32_t seed, uint32_t count,
                        const uint32_t *route, uint8_t *chosen)
{
    const struct ht__tours *tours = &breed->tours;
    const uint32_t *near = tours->near + (size_t)seed * tours->near_count;
    memset(chosen, 0, tours->fleet);
    chosen[route[seed]] = 1;
    count--;
    for (uint32_t i = 0; i < tours->near_count && count > 0; i++) {
        uint32_t r = route[near[i]];
        count -= chosen[r] == 0;
        chosen[r] = 1;
    }
}

/* The `count` routes of the second that have most in common with those chosen of the first. */
static void choose_shared(struct ht__breed *breed, const struct ht__one *b, uint32_t count)
{
    const uint32_t *stop = b->stops;
    uint32_t fleet = breed->tours.fleet;
    memset(breed->chosen[1], 0, fleet);
    for (uint32_t r = 0; r < fleet; r++) {
        breed->shared[r] = 0;
        for (uint32_t i = 0; i < b->counts[r]; i++) {
            breed->shared[r] += breed->chosen[0][breed->route[0][*stop++]];
        }
    }
    for (; count > 0; count--) {
        uint32_t most = HT_PLAN_NONE;
        for (uint32_t r = 0; r < fleet; r++) {
            if (breed->chosen[1][r] == 0 && b->counts[r] > 0 &&
                (most == HT_PLAN_NONE || breed->shared[r] > breed->shared[most])) {
                most = r;
            }
        }
        if (most == HT_PLAN_NONE) {
            break;
        }
        breed->chosen[1][most] = 1;
    }
}

static uint32_t chosen_count(const struct ht__breed *breed, const uint8_t *chosen)
{
    uint32_t count = 0;
    for (uint32_t r = 0; r < breed->tours.fleet; r++) {
        count += chosen[r];
    }
    return count;
}

/* The routes of the first that stay, then those of the second. Where both have a stop, it is the
 * second's, or (`stays`) the first's. */
static void child_fill(struct ht__breed *breed, const struct ht__one *a, const struct ht__one *b,
                       bool stays)
{
    struct ht__tours *tours = &breed->tours;
    const uint32_t *stop = a->stops;
    uint32_t to = 0;
    breed->left_count = 0;
    for (uint32_t r = 0; r < tours->fleet; r++) {
        bool out = breed->chosen[0][r] != 0;
        bool some = false;
        for (uint32_t i = 0; i < a->counts[r]; i++, stop++) {
            bool taken = breed->chosen[1][breed->route[1][*stop]] != 0;
            if (!out && (stays || !taken)) {
                ht__tours_append(tours, to, *stop);
                some = true;
            } else if (out && !taken) {
                breed->left[breed->left_count++] = *stop;
            }
        }
        to += some;
    }
    stop = b->stops;
    for (uint32_t r = 0; r < tours->fleet; r++) {
        bool some = false;
        for (uint32_t i = 0; i < b->counts[r]; i++, stop++) {
            bool theirs = stays && breed->chosen[0][breed->route[0][*stop]] == 0;
            if (breed->chosen[1][r] == 0 || theirs) {
                continue;
            }
            if (to < tours->fleet) {
                ht__tours_append(tours, to, *stop);
                some = true;
            } else {
                breed->left[breed->left_count++] = *stop;
            }
        }
        to += some;
    }
}

void ht__breed_cross(struct ht__breed *breed, const struct ht__one *a, const struct ht__one *b)
{
    struct ht__tours *tours = &breed->tours;
    uint32_t used_a = used_of(breed, a);
    uint32_t used_b = used_of(breed, b);
    uint32_t most = used_a < used_b ? used_a : used_b;
    uint32_t seed = ht__tours_below(tours, tours->count) + 1;
    uint32_t count = ht__tours_below(tours, most > 1 ? most - 1 : 1) + 1;
    routes_note(breed, a, breed->route[0]);
    routes_note(breed, b, breed->route[1]);
    choose_near(breed, seed, count, breed->route[0], breed->chosen[0]);
    count = chosen_count(breed, breed->chosen[0]);
    if (ht__tours_below(tours, 2) == 0) {
        choose_near(breed, seed, count, breed->route[1], breed->chosen[1]);
    } else {
        choose_shared(breed, b, count);
    }
    ht__tours_empty(tours);
    child_fill(breed, a, b, ht__tours_below(tours, 2) == 0);
    for (uint32_t r = 0; r < tours->fleet; r++) {
        ht__tours_update(tours, r);
    }
    ht__tours_shuffle(tours, breed->left, breed->left_count);
    for (uint32_t i = 0; i < breed->left_count; i++) {
        ht__tours_put(tours, breed->left[i]);
    }
}
