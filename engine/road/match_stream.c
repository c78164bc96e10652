/* A trace that goes on, with a fixed lag: the columns of the last fixes in a ring, and what all
 * living states agree on given out from its other end. */
#include <math.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/road/match_internal.h"

/* Columns that nothing leads to are kept until they begin a part of their own. */
enum { MORE_SLOTS = 12, GAP_MS = 60000, SLOTS_MOST = HT_MATCH_LAG_MAX + MORE_SLOTS };

struct ht_match_stream {
    struct ht_match_chain chain; /* its places and states are the stream's own */
    uint32_t lag;
    uint32_t next;               /* number of the next fix */
    uint32_t since;              /* of the first that is kept at most */
    struct ht_match_fix last[2]; /* [0] the newest */
    struct ht_match_fix timed;   /* the newest that has a time */
    bool has_timed;
    struct ht_match_spot given; /* the last that was given out, of column chain.floor */
    struct ht_match_spot *spots;
    uint32_t spot_count;
};

enum ht_status ht_match_stream_new(const struct ht_match_options *options, uint32_t lag,
                                   struct ht_match_stream **out)
{
    if (lag < 2 || lag > HT_MATCH_LAG_MAX || !(options->max_speed_mps > 0)) {
        return HT_INVALID;
    }
    struct ht_match_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return HT_NOMEM;
    }
    struct ht_match_chain *chain = &stream->chain;
    stream->lag = lag;
    chain->capacity = lag + MORE_SLOTS;
    chain->gap_ms = !options->split ? 0 : options->gap_ms > 0 ? options->gap_ms : GAP_MS;
    chain->core.options = *options;
    chain->columns = ht_array_new_zeroed(chain->capacity, sizeof *chain->columns);
    stream->spots = ht_array_new(chain->capacity + 1, sizeof *stream->spots);
    if (chain->columns == NULL || stream->spots == NULL ||
        ht_match__reserve(&chain->core, chain->capacity * HT_MATCH_PLACES) != HT_OK) {
        ht_match_stream_free(stream);
        return HT_NOMEM;
    }
    ht_match__chain_clear(chain);
    *out = stream;
    return HT_OK;
}

void ht_match_stream_free(struct ht_match_stream *stream)
{
    if (stream != NULL) {
        free(stream->chain.columns);
        free(stream->chain.core.places);
        free(stream->chain.core.states);
        free(stream->spots);
        free(stream);
    }
}

void ht_match_stream_reset(struct ht_match_stream *stream)
{
    ht_match__chain_clear(&stream->chain);
    stream->since = stream->next;
}

/* Columns of the part from `top` back to the first that was not given out, newest first. */
static uint32_t list_open(const struct ht_match_chain *chain, uint32_t top,
                          uint32_t numbers[SLOTS_MOST])
{
    uint32_t count = 0;
    while (top != HT_NONE && top != chain->floor) {
        numbers[count++] = top;
        top = ht_match__column(chain, top)->before;
    }
    return count;
}

static void give(struct ht_match_stream *stream, uint32_t number, uint32_t state,
                 uint32_t alternatives)
{
    struct ht_match_chain *chain = &stream->chain;
    const struct ht_match_spot *before = chain->floor == HT_NONE ? NULL : &stream->given;
    struct ht_match_spot spot;
    ht_match__spot(&chain->core, ht_match__column(chain, number), state, before, &spot);
    spot.alternatives = alternatives;
    stream->spots[stream->spot_count++] = spot;
    stream->given = spot;
    chain->floor = number;
    /* what is reached from here on follows the spot that was given out */
    const struct ht_match_column *column = ht_match__column(chain, number);
    for (uint32_t i = 0; i < column->state_count; i++) {
        if (i != state) {
            ht_match__states(&chain->core, column)[i].value = -INFINITY;
        }
    }
}

static uint32_t living(const struct ht_match_chain *chain, uint32_t number)
{
    const struct ht_match_column *column = ht_match__column(chain, number);
    const struct ht_match_state *states = ht_match__states(&chain->core, column);
    uint32_t mask = 0;
    for (uint32_t i = 0; i < column->state_count; i++) {
        mask |= states[i].value > -INFINITY ? 1U << i : 0;
    }
    return mask;
}

static uint32_t masks_before(const struct ht_match_chain *chain, uint32_t number, uint32_t mask)
{
    const struct ht_match_state *states =
        ht_match__states(&chain->core, ht_match__column(chain, number));
    uint32_t before = 0;
    for (; mask != 0; mask &= mask - 1) {
        before |= 1U << states[__builtin_ctz(mask)].before;
    }
    return before;
}

/* Gives out the columns `numbers[from ..)`, oldest first, along the way to `state` of
 * numbers[from]. `masks`: which of their states living ones come from. */
static void give_from(struct ht_match_stream *stream, const uint32_t *numbers,
                      const uint32_t *masks, uint32_t count, uint32_t from, uint32_t state)
{
    uint8_t chosen[SLOTS_MOST];
    for (uint32_t i = from; i < count; i++) {
        const struct ht_match_column *column = ht_match__column(&stream->chain, numbers[i]);
        chosen[i] = (uint8_t)state;
        state = ht_match__states(&stream->chain.core, column)[state].before;
    }
    for (uint32_t i = count; i-- > from;) {
        uint32_t alternatives = masks == NULL ? 0 : (uint32_t)__builtin_popcount(masks[i]) - 1;
        give(stream, numbers[i], chosen[i], alternatives);
    }
}

/* The living states that come from another state than the one given out end here. */
static void give_up_others(struct ht_match_chain *chain, const uint32_t *numbers, uint32_t from,
                           uint32_t state)
{
    uint32_t mask = 1U << state;
    for (uint32_t i = from; i-- > 0;) {
        const struct ht_match_column *column = ht_match__column(chain, numbers[i]);
        struct ht_match_state *states = ht_match__states(&chain->core, column);
        uint32_t next = 0;
        for (uint32_t s = 0; s < column->state_count; s++) {
            if (states[s].value > -INFINITY && (mask & 1U << states[s].before) != 0) {
                next |= 1U << s;
            } else {
                states[s].value = -INFINITY;
            }
        }
        mask = next;
    }
}

/* The same of those that were reached before nothing led on, where another one has been the last
 * since. */
static void give_up_broken(struct ht_match_chain *chain, uint32_t state)
{
    uint32_t numbers[SLOTS_MOST];
    if (chain->break_at != HT_NONE) {
        uint32_t count = list_open(chain, chain->break_top, numbers);
        give_up_others(chain, numbers, count, state);
    }
}

/* Gives out what all living states agree on, and what is too old. */
static void settle(struct ht_match_stream *stream, uint32_t newest)
{
    struct ht_match_chain *chain = &stream->chain;
    uint32_t numbers[SLOTS_MOST];
    uint32_t masks[SLOTS_MOST];
    uint32_t count = list_open(chain, chain->top, numbers);
    if (count == 0) {
        return;
    }
    masks[0] = living(chain, numbers[0]);
    for (uint32_t i = 1; i < count; i++) {
        masks[i] = masks_before(chain, numbers[i - 1], masks[i - 1]);
    }
    /* The newest is never settled by itself: the next fix may show it to be an outlier. */
    uint32_t agreed = 1;
    while (agreed < count && (masks[agreed] & (masks[agreed] - 1)) != 0) {
        agreed++;
    }
    if (chain->break_at == HT_NONE && agreed < count) {
        uint32_t all = (uint32_t)__builtin_ctz(masks[agreed]);
        give_from(stream, numbers, NULL, count, agreed, all);
        /* also those that lead to nothing yet: an older column may be the last again */
        give_up_others(chain, numbers, agreed, all);
        count = agreed;
    }
    uint32_t old = count;
    while (old > 0 && numbers[old - 1] + stream->lag <= newest) {
        old--;
    }
    if (old == count) {
        return;
    }
    uint32_t state = ht_match__best(&chain->core, ht_match__column(chain, numbers[0]));
    for (uint32_t i = 0; i < old; i++) {
        const struct ht_match_column *column = ht_match__column(chain, numbers[i]);
        state = ht_match__states(&chain->core, column)[state].before;
    }
    give_from(stream, numbers, masks, count, old, state);
    give_up_others(chain, numbers, old, state);
    give_up_broken(chain, state);
}

/* The rest of a part that ends. One that is a single spot is none. */
static void settle_part(struct ht_match_stream *stream)
{
    struct ht_match_chain *chain = &stream->chain;
    uint32_t numbers[SLOTS_MOST];
    uint32_t count = list_open(chain, ht_match__end(chain), numbers);
    uint32_t best = HT_MATCH_STATES;
    uint32_t from = 0;
    for (; from < count; from++) { /* the last may have been given up */
        best = ht_match__best(&chain->core, ht_match__column(chain, numbers[from]));
        if (best != HT_MATCH_STATES) {
            break;
        }
    }
    if (from == count || (from + 1 == count && chain->floor == HT_NONE)) {
        return;
    }
    give_from(stream, numbers, NULL, count, from, best);
}

static enum ht_status join_from(struct ht_match_stream *stream, uint32_t next, uint32_t newest)
{
    struct ht_match_chain *chain = &stream->chain;
    while (next <= newest) {
        bool split = false;
        uint32_t resume = next;
        enum ht_status status = ht_match__join(chain, next, &split, &resume);
        if (status != HT_OK) {
            return status;
        }
        next++;
        if (split) {
            settle_part(stream);
            ht_match__chain_clear(chain);
            next = resume;
        }
    }
    return HT_OK;
}

/* The column that is to come takes the slot of the last one that was reached: the part ends there
 * while all that lies behind it is still kept, also where no street was near for long. */
static enum ht_status make_room(struct ht_match_stream *stream, uint32_t number)
{
    struct ht_match_chain *chain = &stream->chain;
    enum ht_status status = HT_OK;
    while (status == HT_OK && chain->top != HT_NONE && number - chain->top >= chain->capacity) {
        uint32_t resume = chain->break_at;
        settle_part(stream);
        ht_match__chain_clear(chain);
        if (resume != HT_NONE) {
            status = join_from(stream, resume, number - 1);
        }
    }
    return status;
}

/* Now that the fix after it is here, the last one may be seen to turn round: its states are made
 * again. */
static enum ht_status look_back(struct ht_match_stream *stream, uint32_t number)
{
    struct ht_match_chain *chain = &stream->chain;
    struct ht_match_column *column = ht_match__column(chain, number);
    uint32_t before = column->before;
    if (chain->top != number || chain->floor == number) {
        return HT_OK;
    }
    enum ht_status status = ht_match__places(&chain->core, &stream->last[0], true, column);
    if (status != HT_OK) {
        return status;
    }
    if (before == HT_NONE) {
        ht_match__begin(&chain->core, column);
        return HT_OK;
    }
    status = ht_match__step(&chain->core, ht_match__column(chain, before), column);
    column->before = before;
    return status;
}

/* The workspace is lent, the costs may be others. */
static void take_up(struct ht_match_stream *stream, struct ht_match *match,
                    const struct ht_road *road)
{
    struct ht_match_core *core = &stream->chain.core;
    core->snap = ht_match__core(match)->snap;
    core->hop = ht_match__core(match)->hop;
    core->road = road;
    ht_hop_begin(core->hop, road->network, road->graph, ht_match__budget(1));
    stream->spot_count = 0;
    if (stream->chain.top == HT_NONE) {
        return;
    }
    const struct ht_match_column *top = ht_match__column(&stream->chain, stream->chain.top);
    for (uint32_t i = 0; i < top->place_count; i++) {
        ht_place_refresh(road->graph, &core->places[top->first_place + i]);
    }
}

static enum ht_status push(struct ht_match_stream *stream, const struct ht_match_fix *fix)
{
    struct ht_match_chain *chain = &stream->chain;
    uint32_t number = stream->next;
    struct ht_match_column *column = ht_match__column(chain, number);
    enum ht_status status = make_room(stream, number);
    if (status == HT_OK && number >= stream->since + 2 &&
        ht_match__turns(&stream->last[1], &stream->last[0], fix)) {
        status = look_back(stream, number - 1);
    }
    column->fix = number;
    column->first_place = (uint32_t)(number % chain->capacity) * HT_MATCH_PLACES;
    if (status == HT_OK) {
        status = ht_match__places(&chain->core, fix, false, column);
    }
    return status == HT_OK ? join_from(stream, number, number) : status;
}

enum ht_status ht_match_stream_push(struct ht_match_stream *stream, struct ht_match *match,
                                    const struct ht_road *road, const struct ht_match_fix *fix,
                                    struct ht_match_settled *out)
{
    *out = (struct ht_match_settled){stream->spots, 0};
    enum ht_status status = ht_match__check(fix, stream->has_timed ? &stream->timed : NULL);
    if (status != HT_OK) {
        return status;
    }
    take_up(stream, match, road);
    status = push(stream, fix);
    if (status !=
        HT_OK) { /* no memory, or too much to do: what was open is lost, what was settled is not */
        ht_match_stream_reset(stream);
        return status;
    }
    settle(stream, stream->next);
    stream->next++;
    stream->last[1] = stream->last[0];
    stream->last[0] = *fix;
    if (fix->time_ms != HT_MATCH_NO_TIME) {
        stream->timed = *fix;
        stream->has_timed = true;
    }
    out->count = stream->spot_count;
    return HT_OK;
}

enum ht_status ht_match_stream_end(struct ht_match_stream *stream, struct ht_match *match,
                                   const struct ht_road *road, struct ht_match_settled *out)
{
    struct ht_match_chain *chain = &stream->chain;
    *out = (struct ht_match_settled){stream->spots, 0};
    take_up(stream, match, road);
    enum ht_status status = HT_OK;
    for (bool more = true; more && status == HT_OK;) {
        uint32_t resume = chain->break_at;
        settle_part(stream);
        ht_match__chain_clear(chain);
        more = resume != HT_NONE;
        if (more) {
            status = join_from(stream, resume, stream->next - 1);
        }
    }
    ht_match_stream_reset(stream);
    out->count = status == HT_OK ? stream->spot_count : 0;
    return status;
}

enum ht_status ht_match_stream_now(const struct ht_match_stream *stream, const struct ht_road *road,
                                   uint32_t *fix, struct ht_place *place)
{
    const struct ht_match_chain *chain = &stream->chain;
    if (chain->top == HT_NONE) {
        return HT_EMPTY;
    }
    const struct ht_match_column *column = ht_match__column(chain, chain->top);
    uint32_t best = ht_match__best(&chain->core, column);
    if (best == HT_MATCH_STATES) {
        return HT_EMPTY;
    }
    const struct ht_match_state *state = &ht_match__states(&chain->core, column)[best];
    *place = chain->core.places[column->first_place + state->place];
    *fix = column->fix;
    ht_match__mask(road->graph, state->sides, place);
    return HT_OK;
}
