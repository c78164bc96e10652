/* The local search over tours: for each stop u and each v near it, blocks that begin with u go
 * behind v, or change places with blocks that begin with v; the rests of two routes are exchanged
 * (2-opt*), and a stretch of one is turned round. A move is done at once where it makes all
 * cheaper, fees for broken rules with it (Vidal et al. 2013; Wouda, Lan and Kool 2024).
 *
 * Most moves are told from the ways alone: where these cost more than all fees of the routes
 * concerned, nothing else needs to be looked at. */
#include "engine/plan/solve_tours.h"

enum { OVER_EVERY = 32 /* stops */ };

/* `count` knots from `first` to `last`, in a route. */
struct block {
    uint32_t first;
    uint32_t last;
    uint32_t count;
    int64_t load;
};

/* False: the route ends before. */
static bool block_take(const struct ht__tours *tours, uint32_t first, uint32_t count,
                       struct block *out)
{
    *out = (struct block){first, first, count, 0};
    for (uint32_t i = 0; i < count; i++) {
        const struct ht__knot *knot = &tours->knots[first];
        if (knot->at == 0) {
            return false;
        }
        out->load += tours->needs[first].load;
        out->last = first;
        first = knot->next;
    }
    return true;
}

static void walk_block(const struct ht__tours *tours, struct ht__walk *walk,
                       const struct block *block)
{
    uint32_t at = block->first;
    for (uint32_t i = 0; i < block->count; i++) {
        ht__walk_to(tours, walk, at);
        at = tours->knots[at].next;
    }
}

/* From one knot to another of the same route, both with it. */
static void walk_stretch(const struct ht__tours *tours, struct ht__walk *walk, uint32_t from,
                         uint32_t to)
{
    for (uint32_t at = from;; at = tours->knots[at].next) {
        ht__walk_to(tours, walk, at);
        if (at == to) {
            break;
        }
    }
}

/* What a route costs by itself. */
static inline int64_t fixed_of(const struct ht__tours *tours, uint32_t count)
{
    return count > 0 ? tours->fixed : 0;
}

static void relink(struct ht__tours *tours, uint32_t a, uint32_t b)
{
    tours->knots[a].next = b;
    tours->knots[b].prev = a;
}

/* ---- blocks ---- */

/* Block u, and v, which may be empty, behind the knot `behind`. */
struct swap {
    struct block u;
    struct block v;
    uint32_t before_u;
    uint32_t behind_u;
    uint32_t before_v;
    uint32_t behind_v;
};

/* What the ways there are cost is known: from one knot to the next it is what `onward` grows by. */
static inline int64_t way_of(const struct ht__knot *to, const struct ht__knot *from)
{
    return to->onward - from->onward;
}

static int64_t swap_ways(const struct ht__tours *tours, const struct swap *s)
{
    const struct ht__knot *a = &tours->knots[s->before_u];
    const struct ht__knot *b = &tours->knots[s->behind_u];
    const struct ht__knot *c = &tours->knots[s->before_v];
    const struct ht__knot *d = &tours->knots[s->behind_v];
    int64_t cost = ht__tours_cost(tours, c->at, s->u.first) +
                   ht__tours_cost(tours, s->u.last, d->at) - way_of(&tours->knots[s->u.first], a) -
                   way_of(b, &tours->knots[s->u.last]);
    if (s->v.count == 0) {
        return cost + ht__tours_cost(tours, a->at, b->at) - way_of(d, c);
    }
    return cost + ht__tours_cost(tours, a->at, s->v.first) +
           ht__tours_cost(tours, s->v.last, b->at) - way_of(&tours->knots[s->v.first], c) -
           way_of(d, &tours->knots[s->v.last]);
}

/* The fees after it, of two routes. */
static double swap_fees(const struct ht__tours *tours, const struct swap *s, double most)
{
    const struct ht__knot *knots = tours->knots;
    const struct ht__line *ru = &tours->lines[knots[s->u.first].route];
    const struct ht__line *rv = &tours->lines[knots[s->before_v].route];
    double fee = ht__tours_fee(tours, ru->load - s->u.load + s->v.load, 0) +
                 ht__tours_fee(tours, rv->load + s->u.load - s->v.load, 0);
    if (fee >= most) {
        return fee;
    }
    struct ht__walk walk = ht__walk_from(&knots[s->before_v]);
    walk_block(tours, &walk, &s->u);
    int64_t back_s = ht__walk_join(tours, &walk, &knots[s->behind_v]);
    fee += ht__tours_fee(tours, 0, back_s);
    if (fee >= most) {
        return fee;
    }
    walk = ht__walk_from(&knots[s->before_u]);
    walk_block(tours, &walk, &s->v);
    back_s = ht__walk_join(tours, &walk, &knots[s->behind_u]);
    return fee + ht__tours_fee(tours, 0, back_s);
}

/* The same within one. */
static double swap_fee(const struct ht__tours *tours, const struct swap *s)
{
    const struct ht__knot *knots = tours->knots;
    const struct ht__line *line = &tours->lines[knots[s->u.first].route];
    bool u_first = knots[s->u.first].position <= knots[s->before_v].position;
    uint32_t from = u_first ? s->before_u : s->before_v;
    uint32_t mid = u_first ? s->behind_u : s->behind_v;
    uint32_t mid_last = u_first ? s->before_v : s->before_u;
    struct ht__walk walk = ht__walk_from(&knots[from]);
    walk_block(tours, &walk, u_first ? &s->v : &s->u);
    walk_stretch(tours, &walk, mid, mid_last);
    walk_block(tours, &walk, u_first ? &s->u : &s->v);
    int64_t back_s = ht__walk_join(tours, &walk, &knots[u_first ? s->behind_v : s->behind_u]);
    return ht__tours_fee(tours, line->load, back_s);
}

static void swap_do(struct ht__tours *tours, const struct swap *s)
{
    uint32_t ru = tours->knots[s->u.first].route;
    uint32_t rv = tours->knots[s->before_v].route;
    if (s->v.count > 0) {
        relink(tours, s->before_u, s->v.first);
        relink(tours, s->v.last, s->behind_u);
    } else {
        relink(tours, s->before_u, s->behind_u);
    }
    relink(tours, s->before_v, s->u.first);
    relink(tours, s->u.last, s->behind_v);
    ht__tours_update(tours, ru);
    if (rv != ru) {
        ht__tours_update(tours, rv);
    }
}

/* Whether the blocks lie apart, in one route: with a knot between them at least where both are
 * there (other moves do the rest). */
static bool apart(const struct ht__tours *tours, const struct swap *s)
{
    const struct ht__knot *knots = tours->knots;
    uint32_t u = knots[s->u.first].position;
    uint32_t v = knots[s->before_v].position + 1;
    if (s->v.count == 0) {
        return v < u || v > u + s->u.count;
    }
    return v + s->v.count < u || u + s->u.count < v;
}

/* Blocks of `k` from u on and of `l` behind `before`; true: it was done. */
static bool swap_try(struct ht__tours *tours, uint32_t u, uint32_t k, uint32_t before, uint32_t l)
{
    const struct ht__knot *knots = tours->knots;
    struct swap s = {.before_v = before};
    if (!block_take(tours, u, k, &s.u) || !block_take(tours, knots[before].next, l, &s.v)) {
        return false;
    }
    s.before_u = knots[u].prev;
    s.behind_u = knots[s.u.last].next;
    s.behind_v = l == 0 ? knots[before].next : knots[s.v.last].next;
    const struct ht__line *ru = &tours->lines[knots[u].route];
    const struct ht__line *rv = &tours->lines[knots[before].route];
    int64_t ways = 0;
    double fees = ru->fee;
    bool same = ru == rv;
    if (same && !apart(tours, &s)) {
        return false;
    }
    ways = swap_ways(tours, &s);
    if (!same) {
        fees += rv->fee;
        ways += fixed_of(tours, ru->count - k + l) - fixed_of(tours, ru->count) +
                fixed_of(tours, rv->count + k - l) - fixed_of(tours, rv->count);
    }
    double most = fees - (double)ways - tours->gain; /* fees that are still a gain */
    if (most <= 0 || (same ? swap_fee(tours, &s) : swap_fees(tours, &s, most)) >= most) {
        return false;
    }
    swap_do(tours, &s);
    return true;
}

/* ---- rests ---- */

static void tails_do(struct ht__tours *tours, uint32_t u, uint32_t v)
{
    uint32_t ru = tours->knots[u].route;
    uint32_t rv = tours->knots[v].route;
    uint32_t end_u = tours->lines[ru].end;
    uint32_t end_v = tours->lines[rv].end;
    uint32_t next_u = tours->knots[u].next;
    uint32_t next_v = tours->knots[v].next;
    uint32_t last_u = tours->knots[end_u].prev;
    uint32_t last_v = tours->knots[end_v].prev;
    bool rest_u = next_u != end_u;
    bool rest_v = next_v != end_v;
    relink(tours, u, rest_v ? next_v : end_u);
    relink(tours, v, rest_u ? next_u : end_v);
    if (rest_v) {
        relink(tours, last_v, end_u);
    }
    if (rest_u) {
        relink(tours, last_u, end_v);
    }
    ht__tours_update(tours, ru);
    ht__tours_update(tours, rv);
}

/* What follows u in its route and what follows v in its change places; true: it was done. */
static bool tails_try(struct ht__tours *tours, uint32_t u, uint32_t v)
{
    const struct ht__knot *a = &tours->knots[u];
    const struct ht__knot *b = &tours->knots[v];
    if (a->route == b->route) {
        return false;
    }
    const struct ht__knot *next_a = &tours->knots[a->next];
    const struct ht__knot *next_b = &tours->knots[b->next];
    const struct ht__line *ru = &tours->lines[a->route];
    const struct ht__line *rv = &tours->lines[b->route];
    int64_t ways =
        ht__tours_cost(tours, a->at, next_b->at) + ht__tours_cost(tours, b->at, next_a->at) -
        ht__tours_cost(tours, a->at, next_a->at) - ht__tours_cost(tours, b->at, next_b->at);
    ways += fixed_of(tours, a->position + rv->count - b->position) - fixed_of(tours, ru->count) +
            fixed_of(tours, b->position + ru->count - a->position) - fixed_of(tours, rv->count);
    double most = ru->fee + rv->fee - (double)ways - tours->gain;
    if (most <= 0) {
        return false;
    }
    struct ht__walk walk = ht__walk_from(a);
    double fee =
        ht__tours_fee(tours, a->load + rv->load - b->load, ht__walk_join(tours, &walk, next_b));
    if (fee >= most) {
        return false;
    }
    walk = ht__walk_from(b);
    fee += ht__tours_fee(tours, b->load + ru->load - a->load, ht__walk_join(tours, &walk, next_a));
    if (fee >= most) {
        return false;
    }
    tails_do(tours, u, v);
    return true;
}

/* ---- turning round ---- */

static void turn_do(struct ht__tours *tours, uint32_t first, uint32_t last)
{
    uint32_t before = tours->knots[first].prev;
    uint32_t behind = tours->knots[last].next;
    for (uint32_t at = first; at != behind;) {
        struct ht__knot *knot = &tours->knots[at];
        uint32_t next = knot->next;
        knot->next = knot->prev;
        knot->prev = next;
        at = next;
    }
    relink(tours, before, last);
    relink(tours, first, behind);
    ht__tours_update(tours, tours->knots[first].route);
}

/* The stretch behind u up to v the other way round, u before v in a route; true: it was done. */
static bool turn_try(struct ht__tours *tours, uint32_t u, uint32_t v)
{
    const struct ht__knot *knots = tours->knots;
    const struct ht__knot *a = &knots[u];
    const struct ht__knot *last = &knots[v];
    if (a->route != last->route || a->position + 1 >= last->position) {
        return false;
    }
    const struct ht__knot *first = &knots[a->next];
    const struct ht__knot *behind = &knots[last->next];
    const struct ht__line *line = &tours->lines[a->route];
    int64_t ways = ht__tours_cost(tours, a->at, v) + ht__tours_cost(tours, a->next, behind->at) -
                   way_of(first, a) - way_of(behind, last) + (last->backward - first->backward) -
                   (last->onward - first->onward);
    double most = line->fee - (double)ways - tours->gain;
    if (most <= 0) {
        return false;
    }
    struct ht__walk walk = ht__walk_from(a);
    for (uint32_t at = v; at != u; at = knots[at].prev) {
        ht__walk_to(tours, &walk, at);
    }
    int64_t back_s = ht__walk_join(tours, &walk, behind);
    if (ht__tours_fee(tours, line->load, back_s) >= most) {
        return false;
    }
    turn_do(tours, a->next, v);
    return true;
}

/* ---- the search ---- */

/* What is asked again and again of u and of v: who stands around them, and what the ways there
 * cost. u x x2 x3 follow each other, and so do q v y y2. */
struct around {
    uint32_t at[5];  /* rows: before u (or v), itself, and three behind it */
    int64_t way[4];  /* from each to the next; 0 behind an end */
    uint32_t length; /* stops from it on, 3 at most */
};

static inline struct around around(const struct ht__tours *tours, uint32_t u)
{
    const struct ht__knot *knot = &tours->knots[u];
    const struct ht__knot *prev = &tours->knots[knot->prev];
    struct around a = {.at = {prev->at, u}, .way = {knot->onward - prev->onward}, .length = 1};
    for (uint32_t i = 2; i < 5 && knot->at != 0; i++) {
        const struct ht__knot *next = &tours->knots[knot->next];
        a.at[i] = next->at;
        a.way[i - 1] = next->onward - knot->onward;
        a.length = next->at != 0 && i < 4 ? i : a.length;
        knot = next;
    }
    return a;
}

/* Which moves may be cheaper by their ways alone, a bit each. */
enum {
    MOVE_1 = 1,
    MOVE_2 = 2,
    MOVE_3 = 4,
    SWAP_11 = 8,
    SWAP_21 = 16,
    SWAP_22 = 32,
    TAILS_BEFORE = 64,
    TAILS_BEHIND = 128
};

static unsigned worth(const struct ht__tours *tours, const struct around *u, const struct around *v,
                      double most)
{
#define COST(from, to) ht__tours_cost(tours, from, to)
    unsigned moves = 0;
    int64_t in = COST(v->at[1], u->at[1]);
    int64_t front = COST(v->at[0], u->at[1]);
    int64_t back = COST(u->at[0], v->at[1]);
    int64_t last = COST(u->at[1], v->at[2]);
    int64_t ways = in + last + COST(u->at[0], u->at[2]) - v->way[1] - u->way[0] - u->way[1];
    moves |= (double)ways < most ? MOVE_1 : 0U;
    ways = front + last + back + COST(v->at[1], u->at[2]) - v->way[0] - v->way[1] - u->way[0] -
           u->way[1];
    moves |= (double)ways < most ? SWAP_11 : 0U;
    ways = COST(u->at[0], v->at[2]) + in - u->way[0] - v->way[1];
    moves |= (double)ways < most ? TAILS_BEFORE : 0U;
    ways = COST(u->at[1], v->at[1]) + COST(v->at[0], u->at[2]) - u->way[1] - v->way[0];
    moves |= (double)ways < most ? TAILS_BEHIND : 0U;
    if (u->length < 2) {
        return moves;
    }
    last = COST(u->at[2], v->at[2]);
    ways = in + last + COST(u->at[0], u->at[3]) - v->way[1] - u->way[0] - u->way[2];
    moves |= (double)ways < most ? MOVE_2 : 0U;
    ways = front + last + back + COST(v->at[1], u->at[3]) - v->way[0] - v->way[1] - u->way[0] -
           u->way[2];
    moves |= (double)ways < most ? SWAP_21 : 0U;
    if (v->length > 1) {
        ways = front + COST(u->at[2], v->at[3]) + back + COST(v->at[2], u->at[3]) - v->way[0] -
               v->way[2] - u->way[0] - u->way[2];
        moves |= (double)ways < most ? SWAP_22 : 0U;
    }
    if (u->length > 2) {
        ways = in + COST(u->at[3], v->at[2]) + COST(u->at[0], u->at[4]) - v->way[1] - u->way[0] -
               u->way[3];
        moves |= (double)ways < most ? MOVE_3 : 0U;
    }
    return moves;
#undef COST
}

static bool pair_try(struct ht__tours *tours, uint32_t u, uint32_t v)
{
    const struct ht__knot *knots = tours->knots;
    uint32_t before = knots[v].prev;
    const struct ht__line *ru = &tours->lines[knots[u].route];
    const struct ht__line *rv = &tours->lines[knots[v].route];
    struct around a = around(tours, u);
    struct around b = around(tours, v);
    /* a route's own cost may go as well */
    double most = ru->fee + rv->fee - tours->gain + 2 * (double)tours->fixed;
    unsigned moves = worth(tours, &a, &b, most);
    tours->looks++;
    return ((moves & MOVE_1) != 0 && swap_try(tours, u, 1, v, 0)) ||
           ((moves & MOVE_2) != 0 && swap_try(tours, u, 2, v, 0)) ||
           ((moves & MOVE_3) != 0 && swap_try(tours, u, 3, v, 0)) ||
           ((moves & SWAP_11) != 0 && swap_try(tours, u, 1, before, 1)) ||
           ((moves & SWAP_21) != 0 && swap_try(tours, u, 2, before, 1)) ||
           ((moves & SWAP_22) != 0 && swap_try(tours, u, 2, before, 2)) ||
           ((moves & TAILS_BEFORE) != 0 && tails_try(tours, knots[u].prev, v)) ||
           ((moves & TAILS_BEHIND) != 0 && tails_try(tours, u, before)) ||
           (ru == rv && turn_try(tours, u, v)) ||
           (knots[before].at == 0 &&
            (swap_try(tours, u, 1, before, 0) || swap_try(tours, u, 2, before, 0)));
}

/* Into a route that has nothing yet. */
static bool empty_try(struct ht__tours *tours, uint32_t u)
{
    uint32_t r = 0;
    while (r < tours->fleet && tours->lines[r].count > 0) {
        r++;
    }
    if (r == tours->fleet) {
        return false;
    }
    uint32_t begin = tours->lines[r].begin;
    return swap_try(tours, u, 1, begin, 0) || swap_try(tours, u, 2, begin, 0) ||
           tails_try(tours, u, begin) || tails_try(tours, tours->knots[u].prev, begin);
}

/* True: something was moved. */
static bool stop_improve(struct ht__tours *tours, uint32_t u, bool first)
{
    const uint32_t *near = tours->near + (size_t)u * tours->near_count;
    uint64_t tested = tours->tested[u];
    bool moved = false;
    tours->tested[u] = tours->moves;
    for (uint32_t i = 0; i < tours->near_count; i++) {
        uint32_t v = near[i];
        uint64_t changed_u = tours->lines[tours->knots[u].route].changed;
        uint64_t changed_v = tours->lines[tours->knots[v].route].changed;
        if (first || changed_u > tested || changed_v > tested) {
            moved = pair_try(tours, u, v) || moved;
        }
    }
    return (!first && empty_try(tours, u)) || moved;
}

void ht__tours_improve(struct ht__tours *tours)
{
    bool moved = true;
    ht__tours_shuffle(tours, tours->order, tours->count);
    for (uint32_t round = 0; moved || round < 2; round++) {
        moved = false;
        for (uint32_t i = 0; i < tours->count; i++) {
            if (i % OVER_EVERY == 0 && ht__tours_over(tours)) {
                return;
            }
            moved = stop_improve(tours, tours->order[i], round == 0) || moved;
        }
    }
}
