/* What is joined to what: parts of a trace, and where it breaks. */
#include "engine/road/match_internal.h"

enum { BROKEN_MOST = 10 };

enum ht_status ht_match__check(const struct ht_match_fix *fix, const struct ht_match_fix *last)
{
    if (!(fix->sigma_m > 0) || !(fix->sigma_m < 1e6) || !ht_point_valid(fix->point)) {
        return HT_INVALID;
    }
    bool back = last != NULL && fix->time_ms != HT_MATCH_NO_TIME &&
                last->time_ms != HT_MATCH_NO_TIME && fix->time_ms < last->time_ms;
    return back ? HT_INVALID : HT_OK;
}

void ht_match__chain_clear(struct ht_match_chain *chain)
{
    chain->begin = HT_NONE;
    chain->top = HT_NONE;
    chain->floor = HT_NONE;
    chain->break_at = HT_NONE;
    chain->break_top = HT_NONE;
}

uint32_t ht_match__end(const struct ht_match_chain *chain)
{
    return chain->break_at != HT_NONE ? chain->break_top : chain->top;
}

static bool is_gap(const struct ht_match_chain *chain, const struct ht_match_column *top,
                   const struct ht_match_column *column, uint32_t apart)
{
    if (apart >= chain->capacity) { /* its slot is taken */
        return true;
    }
    if (chain->gap_ms > 0 && top->time_ms != HT_MATCH_NO_TIME &&
        column->time_ms != HT_MATCH_NO_TIME) {
        return column->time_ms - top->time_ms > chain->gap_ms;
    }
    return apart > BROKEN_MOST;
}

/* The first time nothing leads to a column, that column may be the outlier; from then on the last
 * one that was reached may be. */
static bool take_back(struct ht_match_chain *chain, uint32_t number)
{
    if (chain->break_at == HT_NONE) {
        chain->break_at = number;
        chain->break_top = chain->top;
        return true;
    }
    uint32_t before = ht_match__column(chain, chain->top)->before;
    if (before == HT_NONE || (chain->floor != HT_NONE && chain->top <= chain->floor)) {
        return false;
    }
    chain->top = before;
    return true;
}

enum ht_status ht_match__join(struct ht_match_chain *chain, uint32_t number, bool *split,
                              uint32_t *resume)
{
    struct ht_match_column *column = ht_match__column(chain, number);
    *split = false;
    if (column->state_count == 0) {
        return HT_OK;
    }
    if (chain->begin == HT_NONE) {
        ht_match__begin(&chain->core, column);
        if (!column->broken) {
            chain->begin = number;
            chain->top = number;
        }
        return HT_OK;
    }
    struct ht_match_column *top = ht_match__column(chain, chain->top);
    *resume = chain->break_at != HT_NONE ? chain->break_at : number;
    if (is_gap(chain, top, column, number - chain->top)) {
        *split = true;
        return HT_OK;
    }
    enum ht_status status = ht_match__step(&chain->core, top, column);
    if (status != HT_OK) {
        return status;
    }
    if (column->broken) {
        *split = !take_back(chain, number);
        return HT_OK;
    }
    column->before = chain->top;
    chain->top = number;
    chain->break_at = HT_NONE;
    return HT_OK;
}
