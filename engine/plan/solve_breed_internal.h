/* Inside a population: its members (breed), and how two make a new one (cross).
 *
 * Threading, ownership: as engine/plan/solve_breed.h.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_BREED_INTERNAL_H
#define HT_ENGINE_PLAN_SOLVE_BREED_INTERNAL_H

#include "engine/plan/solve_breed.h"
#include "engine/plan/solve_tours.h"

enum {
    HT__BREED_LEAST = 25, /* of each group, after some were left out */
    HT__BREED_MORE = 40,
    HT__BREED_GROUP = HT__BREED_LEAST + HT__BREED_MORE,
    HT__BREED_ONES = 2 * HT__BREED_GROUP + 2
};

/* An answer: stops are those of the tours. */
struct ht__one {
    uint32_t *stops;  /* [count] one route after the other */
    uint32_t *counts; /* [fleet] */
    uint32_t *next;   /* [stride]; 0: the end */
    uint32_t *prev;
    int64_t cost;
    int64_t much;   /* loaded */
    int64_t back_s; /* gone back */
    double price;   /* with fees */
    double fitness; /* the less the better */
    bool used;
    bool keeps; /* all rules */
};

/* Those that keep all rules, or the others; the cheapest first. */
struct ht__group {
    uint32_t ones[HT__BREED_GROUP];
    uint32_t count;
};

struct ht__breed {
    const struct ht__model *model;
    struct ht__tours tours;
    struct ht__answer best;
    struct ht__one ones[HT__BREED_ONES];
    uint32_t *numbers;            /* theirs */
    float (*far)[HT__BREED_ONES]; /* how unlike two are */
    struct ht__group groups[2];   /* [keeps] */
    uint32_t *route[2];           /* [stride] of the parents */
    uint8_t *chosen[2];           /* [fleet] */
    uint32_t *shared;             /* [fleet] stops that a route shares with those chosen */
    uint32_t *left;               /* [count] stops that are to be put in */
    uint32_t left_count;
    uint64_t allowed; /* looks */
    uint64_t made;
    uint64_t since;    /* the best last changed */
    double first_load; /* prices */
    double first_second;
    uint32_t tried; /* since prices were set */
    uint32_t in_load;
    uint32_t in_time;
};

/* Sets the tours to one of the population's. */
void ht__one_set(struct ht__breed *breed, const struct ht__one *one);
/* Sets the tours to a child of two, not yet improved. */
void ht__breed_cross(struct ht__breed *breed, const struct ht__one *a, const struct ht__one *b);

#endif
