/* States: how much of a forbidden sequence has just been driven (Aho and Corasick 1975 over arcs).
 *
 *   forbidden  a b c d           a --b--> [ab] --c--> [abc] --d--> x
 *              b c e                      [bc] <-fail-'          (and e, by the suffix)
 *
 * A prefix of two arcs or more is a state of its own and becomes a copy of its last arc; a prefix
 * of one is the base arc itself. `fail` is the longest proper suffix that is a prefix too: what it
 * bans is banned here as well, so that restrictions which overlap stay exact. Copies that no
 * allowed turn reaches are not made.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

static uint32_t child_of(const struct ht__graph_build *g, uint32_t state, uint32_t arc)
{
    uint32_t child = g->states[state].first_child;
    while (child != HT_NONE && g->states[child].arc != arc) {
        child = g->states[child].next_sibling;
    }
    return child;
}

static enum ht_status state_new(struct ht__graph_build *g, uint32_t arc, uint32_t parent,
                                uint32_t *out)
{
    void *list = g->states;
    enum ht_status status =
        ht_array_reserve(&list, &g->state_capacity, g->state_count + 1, sizeof *g->states);
    g->states = list;
    if (status != HT_OK) {
        return status;
    }
    *out = (uint32_t)g->state_count++;
    struct ht__state *state = &g->states[*out];
    *state = (struct ht__state){.arc = arc,
                                .parent = parent,
                                .fail = HT_NONE,
                                .depth = 1,
                                .first_child = HT_NONE,
                                .next_sibling = HT_NONE,
                                .first_ban = HT_NONE,
                                .copy = HT_NONE};
    if (parent == HT_NONE) {
        g->arc_state[arc] = *out;
    } else {
        state->depth = g->states[parent].depth + 1;
        state->next_sibling = g->states[parent].first_child;
        g->states[parent].first_child = *out;
    }
    return HT_OK;
}

static enum ht_status ban_new(struct ht__graph_build *g, uint32_t state, struct ht__ban ban)
{
    void *list = g->bans;
    enum ht_status status =
        ht_array_reserve(&list, &g->ban_capacity, g->ban_count + 1, sizeof *g->bans);
    g->bans = list;
    if (status != HT_OK) {
        return status;
    }
    ban.next = g->states[state].first_ban;
    g->states[state].first_ban = (uint32_t)g->ban_count;
    g->bans[g->ban_count++] = ban;
    return HT_OK;
}

static enum ht_status add_pattern(struct ht__graph_build *g, const struct ht__pattern *pattern)
{
    const uint32_t *arcs = g->pattern_arcs + pattern->first;
    uint32_t state = g->arc_state[arcs[0]];
    enum ht_status status = HT_OK;
    if (state == HT_NONE) {
        status = state_new(g, arcs[0], HT_NONE, &state);
    }
    for (uint32_t i = 1; status == HT_OK && i + 1 < pattern->count; i++) {
        uint32_t child = child_of(g, state, arcs[i]);
        if (child == HT_NONE) {
            status = state_new(g, arcs[i], state, &child);
        }
        state = child;
    }
    if (status != HT_OK) {
        return status;
    }
    return ban_new(g, state,
                   (struct ht__ban){.arc = arcs[pattern->count - 1],
                                    .schedule = pattern->schedule,
                                    .only = pattern->only});
}

/* The step from a suffix: the child that goes on, or the same of a shorter suffix, or the base
 * arc's own state. */
uint32_t ht__state_next(const struct ht__graph_build *g, uint32_t state, uint32_t arc)
{
    for (uint32_t s = state; s != HT_NONE; s = g->states[s].fail) {
        uint32_t child = child_of(g, s, arc);
        if (child != HT_NONE) {
            return child;
        }
    }
    return g->arc_state[arc];
}

/* States come after their parents, but not by depth; level by level the suffixes are there in time.
 */
static void link_fails(struct ht__graph_build *g)
{
    uint32_t deepest = 1;
    for (size_t i = 0; i < g->state_count; i++) {
        deepest = g->states[i].depth > deepest ? g->states[i].depth : deepest;
    }
    for (uint32_t depth = 2; depth <= deepest; depth++) {
        for (size_t i = 0; i < g->state_count; i++) {
            struct ht__state *state = &g->states[i];
            if (state->depth == depth) {
                state->fail = ht__state_next(g, g->states[state->parent].fail, state->arc);
            }
        }
    }
}

bool ht__state_bans(const struct ht__graph_build *g, uint32_t state, uint32_t arc)
{
    for (uint32_t s = state; s != HT_NONE; s = g->states[s].fail) {
        for (uint32_t b = g->states[s].first_ban; b != HT_NONE; b = g->bans[b].next) {
            const struct ht__ban *ban = &g->bans[b];
            if (ban->schedule == HT_NONE && (ban->arc == arc) != ban->only) {
                return true;
            }
        }
    }
    return false;
}

static enum ht_status reach(struct ht__graph_build *g, uint32_t state, uint32_t *queue,
                            size_t *queued)
{
    const struct ht_graph_owned *graph = g->graph;
    uint32_t from = g->states[state].arc;
    uint32_t head = graph->arcs[from].head;
    for (uint32_t to = graph->junction_first_out[head]; to < graph->junction_first_out[head + 1];
         to++) {
        if (!ht__turn_allowed(g, from, state, to)) {
            continue;
        }
        uint32_t next = ht__state_next(g, state, to);
        if (next == HT_NONE || g->states[next].depth < 2 || g->states[next].copy != HT_NONE) {
            continue;
        }
        void *list = g->copy_state;
        enum ht_status status =
            ht_array_reserve(&list, &g->copy_capacity, g->copy_count + 1, sizeof *g->copy_state);
        g->copy_state = list;
        if (status != HT_OK) {
            return status;
        }
        g->states[next].copy = graph->view.base_arc_count + (uint32_t)g->copy_count;
        g->copy_state[g->copy_count++] = next;
        queue[(*queued)++] = next;
    }
    return HT_OK;
}

/* Copies for the states that allowed turns lead to. */
static enum ht_status reach_all(struct ht__graph_build *g)
{
    uint32_t *queue = ht_array_new(g->state_count, sizeof *queue);
    if (queue == NULL) {
        return HT_NOMEM;
    }
    size_t queued = 0;
    for (size_t i = 0; i < g->state_count; i++) {
        if (g->states[i].depth == 1) {
            queue[queued++] = (uint32_t)i;
        }
    }
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < queued; i++) {
        status = reach(g, queue[i], queue, &queued);
    }
    free(queue);
    return status;
}

enum ht_status ht__states_build(struct ht__graph_build *g)
{
    uint32_t count = g->graph->view.base_arc_count;
    g->arc_state = ht_array_new(count, sizeof *g->arc_state);
    if (g->arc_state == NULL) {
        return HT_NOMEM;
    }
    memset(g->arc_state, 0xFF, count * sizeof *g->arc_state);
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < g->pattern_count; i++) {
        status = add_pattern(g, &g->patterns[i]);
    }
    if (status == HT_OK) {
        link_fails(g);
        status = reach_all(g);
    }
    g->counts->copies = (uint32_t)g->copy_count;
    return status;
}
