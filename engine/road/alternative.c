#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"
#include "engine/road/query_internal.h"

/* A way over v is offered when it
 *   - costs at most STRETCH % more than the best,
 *   - shares at most SHARED % of the best way's cost with all ways offered before,
 *   - is a cheapest way up to v and one from v on: what a hierarchy's search knows of a vertex is
 *     the cheapest way upwards only, so each half is asked for once more,
 *   - is a cheapest way itself within LOCAL % of the best way's cost on either side of v (the
 *     T-test). With the above so is each piece of it that costs up to LOCAL %: no senseless detour,
 *   - drives no arc twice.
 * Copies of an arc (for the sake of a restriction) are the arc. */
enum { STRETCH = 25, SHARED = 75, LOCAL = 20, TRIES = 60 };

struct pick {
    struct ht_query *query;
    const struct ht_road *road;
    const struct ht_place *source;
    const struct ht_place *target;
    uint32_t *sorted; /* arcs of ways offered so far, sorted */
    uint32_t sorted_count;
    size_t sorted_capacity;
    uint32_t best_ms;
    enum ht_status trouble; /* of a search that checks a way, else HT_OK */
};

static int compare_arcs(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool offered(const struct pick *pick, uint32_t arc)
{
    uint32_t base = ht_arc_base(pick->road->graph, arc);
    return pick->sorted_count > 0 &&
           bsearch(&base, pick->sorted, pick->sorted_count, sizeof base, compare_arcs) != NULL;
}

static enum ht_status remember(struct pick *pick, const struct ht_kept_path *path)
{
    void *sorted = pick->sorted;
    enum ht_status status =
        ht_array_reserve(&sorted, &pick->sorted_capacity, (size_t)pick->sorted_count + path->count,
                         sizeof *pick->sorted);
    pick->sorted = sorted;
    if (status == HT_OK) {
        for (uint32_t i = 0; i < path->count; i++) {
            pick->sorted[pick->sorted_count++] = ht_arc_base(pick->road->graph, path->arcs[i]);
        }
        qsort(pick->sorted, pick->sorted_count, sizeof *pick->sorted, compare_arcs);
    }
    return status;
}

/* Weight of arc i of a way and the turn into the next one. */
static uint32_t piece_ms(const struct ht_road *road, const struct ht_kept_path *path, uint32_t i)
{
    uint32_t ms = road->graph->arcs[path->arcs[i]].weight_ms;
    if (i + 1 < path->count) {
        ms += ht_graph_turn_between(road->graph, path->arcs[i], path->arcs[i + 1]).weight_ms;
    }
    return ms;
}

static bool shares_little(const struct pick *pick, const struct ht_kept_path *path)
{
    uint64_t shared = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        if (offered(pick, path->arcs[i])) {
            shared += piece_ms(pick->road, path, i);
        }
    }
    return shared * 100 <= (uint64_t)pick->best_ms * SHARED;
}

static bool drives_twice(struct pick *pick, const struct ht_kept_path *path)
{
    /* the tail of `sorted` serves as scratch; reserved by the caller */
    uint32_t *scratch = pick->sorted + pick->sorted_count;
    for (uint32_t i = 0; i < path->count; i++) {
        scratch[i] = ht_arc_base(pick->road->graph, path->arcs[i]);
    }
    qsort(scratch, path->count, sizeof *scratch, compare_arcs);
    for (uint32_t i = 1; i < path->count; i++) {
        if (scratch[i] == scratch[i - 1]) {
            return true;
        }
    }
    return false;
}

/* Seeds of one end of a search. */
struct end {
    const struct ht_seed *list;
    uint32_t count;
};

/* Weight of the cheapest way from any of these seeds to any of those; UINT64_MAX: none, or there is
 * trouble. */
static uint64_t cheapest_ms(struct pick *pick, struct end from, struct end to)
{
    struct ht_key total;
    enum ht_status status = ht_search_cost(pick->query->check, pick->road->cch, pick->road->metric,
                                           from.list, from.count, to.list, to.count, &total);
    if (status != HT_OK && status != HT_NO_ROUTE) {
        pick->trouble = status;
    }
    return status == HT_OK ? total.time >> 32 : UINT64_MAX;
}

/* The piece of about LOCAL % on either side of the arc at `via` must be a cheapest way; beyond an
 * end of the whole way it is that end, to which `lead` and `rest` cost. */
static bool passes_test(struct pick *pick, const struct ht_kept_path *path, uint32_t via,
                        uint64_t lead, uint64_t rest)
{
    const struct ht_query *q = pick->query;
    const uint32_t *rank = pick->road->cch->rank;
    uint64_t reach = (uint64_t)pick->best_ms * LOCAL / 100;
    uint32_t first = via;
    uint32_t last = via;
    uint64_t before = 0;
    uint64_t after = 0;
    while (first > 0 && before < reach) {
        before += piece_ms(pick->road, path, --first);
    }
    while (last + 1 < path->count && after < reach) {
        after += piece_ms(pick->road, path, last++);
    }
    bool whole = first == 0 && last + 1 == path->count;
    struct ht_seed from = {rank[path->arcs[first]], {0, 0}};
    struct ht_seed to = {rank[path->arcs[last]], {0, 0}};
    struct end begin = {&from, 1};
    struct end end = {&to, 1};
    if (first == 0 && !whole) {
        begin = (struct end){q->sources.list, q->sources.count};
        before = lead;
    }
    if (last + 1 == path->count && !whole) {
        end = (struct end){q->targets.list, q->targets.count};
        after = rest;
    }
    return cheapest_ms(pick, begin, end) == before + after;
}

static bool locally_optimal(struct pick *pick, const struct ht_kept_path *path,
                            const struct ht_meeting *meeting)
{
    const struct ht_query *q = pick->query;
    uint32_t at = 0;
    while (at < path->count && path->arcs[at] != pick->road->cch->arc[meeting->vertex]) {
        at++;
    }
    if (at == path->count) {
        return false;
    }
    struct ht_seed seed = {meeting->vertex, {0, 0}};
    struct end via = {&seed, 1};
    uint64_t lead = cheapest_ms(pick, (struct end){q->sources.list, q->sources.count}, via);
    uint64_t rest = cheapest_ms(pick, via, (struct end){q->targets.list, q->targets.count});
    return lead != UINT64_MAX && rest != UINT64_MAX && lead + rest == meeting->key.time >> 32 &&
           passes_test(pick, path, at, lead, rest);
}

/* Looks at one meeting; `*good`: it became the way in `slot`. */
static enum ht_status consider(struct pick *pick, const struct ht_meeting *meeting, uint32_t slot,
                               struct ht_way_found *out, bool *good)
{
    struct ht_query *q = pick->query;
    const struct ht_kept_path *path = &q->paths[slot];
    const uint32_t *vertices = NULL;
    uint32_t count = 0;
    *good = false;
    enum ht_status status =
        ht_search_path_over(q->search, pick->road->metric, meeting, &vertices, &count);
    if (status == HT_OK) {
        status = ht__keep_path(q, pick->road, HT_NONE, vertices, count, slot);
    }
    if (status == HT_OK) {
        void *sorted = pick->sorted;
        status = ht_array_reserve(&sorted, &pick->sorted_capacity,
                                  (size_t)pick->sorted_count + count, sizeof *pick->sorted);
        pick->sorted = sorted;
    }
    if (status != HT_OK || !shares_little(pick, path) || drives_twice(pick, path) ||
        !locally_optimal(pick, path, meeting)) {
        return status == HT_OK ? pick->trouble : status;
    }
    *good = true;
    out->cost = ht__cost_of(ht_key_sub(meeting->key, q->sources.bias));
    ht__describe_path(q, pick->road, pick->source, pick->target, slot, false, out);
    return remember(pick, path);
}

static enum ht_status pick_all(struct pick *pick, uint32_t most, struct ht_way_found *out,
                               uint32_t *found)
{
    const struct ht_meeting *list = NULL;
    uint32_t count = ht_search_meetings(pick->query->search, &list);
    enum ht_status status = HT_OK;
    uint64_t limit = (uint64_t)pick->best_ms * (100 + STRETCH) / 100;
    for (uint32_t i = 0; i < count && i < TRIES && *found <= most && status == HT_OK; i++) {
        uint64_t ms = ht_key_sub(list[i].key, pick->query->sources.bias).time >> 32;
        if (ms > limit) {
            break;
        }
        if (offered(pick, pick->road->cch->arc[list[i].vertex])) {
            continue;
        }
        bool good = false;
        status = consider(pick, &list[i], *found, &out[*found], &good);
        *found += good;
    }
    return status;
}

// NOLINTNEXTLINE(readability-function-size): two places, a road and what was found
enum ht_status ht_query_alternatives(struct ht_query *query, const struct ht_road *road,
                                     const struct ht_place *source, const struct ht_place *target,
                                     uint32_t most, struct ht_way_found *out, uint32_t *found)
{
    *found = 0;
    if (query->check == NULL) {
        enum ht_status status = ht_search_new(&query->check);
        if (status != HT_OK) {
            return status;
        }
    }
    ht_search_set_slack(query->search, STRETCH);
    enum ht_status status =
        ht_query_path(query, road, source, HT_SIDES_BOTH, target, HT_SIDES_BOTH, &out[0]);
    ht_search_set_slack(query->search, 0);
    if (status != HT_OK) {
        return status;
    }
    *found = 1;
    most = most < HT_PATHS_KEPT - 1 ? most : HT_PATHS_KEPT - 1;
    if (most == 0 || ht__one_by_one(road, source, target) || out[0].arc_count < 2) {
        return HT_OK;
    }
    struct pick pick = {.query = query,
                        .road = road,
                        .source = source,
                        .target = target,
                        .best_ms = out[0].cost.weight_ms};
    status = remember(&pick, &query->paths[0]);
    if (status == HT_OK) {
        status = pick_all(&pick, most, out, found);
    }
    free(pick.sorted);
    return status;
}
