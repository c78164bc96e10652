/* Match from inside: columns of states and the step from one to the next, which traces and streams
 * share.
 *
 * Threading, ownership: as match.h.
 */
#ifndef HT_ENGINE_ROAD_MATCH_INTERNAL_H
#define HT_ENGINE_ROAD_MATCH_INTERNAL_H

#include "engine/road/hop.h"
#include "engine/road/match.h"

enum { HT_MATCH_STATES = 2 * HT_MATCH_PLACES, HT_MATCH_LOOK = 32 };

/* Arcs that the searches of a trace may look at in all, some seconds of work: for so many fixes. */
static inline uint64_t ht_match__budget(uint32_t count)
{
    return 20000000 + (uint64_t)count * 5000;
}

/* One state of a fix. */
struct ht_match_state {
    double value;       /* log likelihood of the best sequence that ends here; -INFINITY: none */
    double emission;    /* its own part */
    struct ht_key rest; /* of the best transition: from the end of the arc before to here */
    uint8_t place;      /* of its column */
    uint8_t sides;      /* bits: directions */
    uint8_t before;     /* state of the column before; HT_MATCH_STATES: it begins a part */
    uint8_t from_side;
    uint8_t side;
    uint8_t step;  /* enum ht_match_step */
    bool survives; /* leads to some state of the last column */
};

/* The states of one fix. */
struct ht_match_column {
    uint32_t fix;
    struct ht_point point;
    int64_t time_ms;
    double sigma_m;
    uint32_t first_place; /* in the core's lists; its states begin at twice that number */
    uint32_t place_count;
    uint32_t state_count;
    uint32_t before; /* number of the column that it follows, HT_NONE: none */
    bool broken;     /* nothing leads here, or there is no place */
};

/* What traces and streams have in common. */
struct ht_match_core {
    struct ht_match_options options;
    const struct ht_road *road;
    struct ht_snap_work *snap;
    struct ht_hop *hop;
    struct ht_place *places;
    struct ht_match_state *states;
    size_t place_capacity;
    size_t state_capacity;
};

/* Room for `count` places and the states that go with them. */
HT_MUST_CHECK enum ht_status ht_match__reserve(struct ht_match_core *core, size_t count);

/* Fills the column (its `first_place` is set, with room for HT_MATCH_PLACES from there) with the
 * places near the fix, values not set. `sharp`: the trace turns round here. */
HT_MUST_CHECK enum ht_status ht_match__places(struct ht_match_core *core,
                                              const struct ht_match_fix *fix, bool sharp,
                                              struct ht_match_column *column);

/* Values of a column that begins a part. */
void ht_match__begin(struct ht_match_core *core, struct ht_match_column *column);

/* Values of `to` from those of `from`; broken where nothing leads to it. */
HT_MUST_CHECK enum ht_status ht_match__step(struct ht_match_core *core,
                                            const struct ht_match_column *from,
                                            struct ht_match_column *to);

/* The parts of the model, for what looks at them one by one. */
double ht_match__emission(double distance_m, double sigma_m);
/* Of a way of so many metres (below 0: back) and ms beside a line of so many; dt_ms below 0: not
 * known. */
double ht_match__transition(double beta_m, double way_m, uint32_t way_ms, double line_m,
                            int64_t dt_ms);
double ht_match__beta(const struct ht_match_options *options, int64_t dt_ms);
/* By how much way and line must differ less. */
double ht_match__most(const struct ht_match_options *options, int64_t dt_ms);

static inline struct ht_match_state *ht_match__states(const struct ht_match_core *core,
                                                      const struct ht_match_column *column)
{
    return core->states + 2 * (size_t)column->first_place;
}

/* The most likely state; HT_MATCH_STATES: there is none. */
uint32_t ht_match__best(const struct ht_match_core *core, const struct ht_match_column *column);

/* A state as what comes out. `before` (NULL: it begins a part) is the spot that it follows; whoever
 * stood is put where he was. */
void ht_match__spot(const struct ht_match_core *core, const struct ht_match_column *column,
                    uint32_t state, const struct ht_match_spot *before, struct ht_match_spot *out);
/* Leaves those directions of a place that a state has. */
void ht_match__mask(const struct ht_graph *graph, unsigned sides, struct ht_place *place);
/* The workspaces of a match, which streams borrow. */
struct ht_match_core *ht_match__core(struct ht_match *match);

/* Columns in a row: what is reached from what, where the trace breaks. Column i is kept in slot
 * i % capacity. */
struct ht_match_chain {
    struct ht_match_core core;
    struct ht_match_column *columns;
    size_t capacity;
    uint32_t begin;     /* first column of the part; HT_NONE: none is begun */
    uint32_t top;       /* the last that was reached */
    uint32_t floor;     /* columns before this one and itself are not taken back; HT_NONE: none */
    uint32_t break_at;  /* the first that nothing led to since; HT_NONE */
    uint32_t break_top; /* `top` at that time */
    int64_t gap_ms;     /* a longer silence splits; 0: more than 10 columns do */
};

static inline struct ht_match_column *ht_match__column(const struct ht_match_chain *chain,
                                                       uint32_t number)
{
    return &chain->columns[number % chain->capacity];
}

void ht_match__chain_clear(struct ht_match_chain *chain);

/* Joins column `number`, which has its places, to the part. `*split`: the part ends with
 * ht_match__end; what follows it begins with column *resume, which is to be joined (again) after
 * ht_match__chain_clear. */
HT_MUST_CHECK enum ht_status ht_match__join(struct ht_match_chain *chain, uint32_t number,
                                            bool *split, uint32_t *resume);
/* The last column of the part as it stands; HT_NONE: there is none. */
uint32_t ht_match__end(const struct ht_match_chain *chain);

/* HT_INVALID where the fix is none, or before the last one. */
HT_MUST_CHECK enum ht_status ht_match__check(const struct ht_match_fix *fix,
                                             const struct ht_match_fix *last);

/* Whether the trace turns round at the middle one of three fixes. */
bool ht_match__turns(const struct ht_match_fix *a, const struct ht_match_fix *b,
                     const struct ht_match_fix *c);

#endif
