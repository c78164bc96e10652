/* What a broken or hostile extract repeats: turns at a junction grow with the square of the streets
 * that meet there, so a way that goes to and fro between two nodes, or a node that a whole town
 * meets at, would cost minutes and gigabytes.
 *
 *      A ===== B     A B A B A B ...: one piece for each direction stays
 */
#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

enum { MOST_MEETING = 250 }; /* piece ends at a junction; the largest of real towns have 20 */

/* A piece by its ends. Inside one way only pieces of a single segment can be driven twice: a node
 * that is met twice is a junction, so none lies within a longer one. */
struct hop {
    uint64_t ends; /* the lower junction first */
    uint32_t piece;
};

struct thin {
    struct ht__graph_build *g;
    struct hop *hops;
    size_t hop_capacity;
    size_t hop_count;
    uint32_t *way_of;  /* [junction_count] the last way that came by */
    uint16_t *meeting; /* [junction_count] ends of open pieces */
};

static int hop_compare(const void *a, const void *b)
{
    const struct hop *x = a;
    const struct hop *y = b;
    if (x->ends != y->ends) {
        return x->ends < y->ends ? -1 : 1;
    }
    return (x->piece > y->piece) - (x->piece < y->piece);
}

/* Whether a way comes to a junction again. */
static bool comes_back(struct thin *thin, uint32_t way)
{
    const struct ht__graph_build *g = thin->g;
    bool back = false;
    for (uint32_t p = g->way_first_piece[way]; p < g->way_first_piece[way + 1]; p++) {
        uint32_t junction = g->pieces[p].junction[0];
        back = back || thin->way_of[junction] == way;
        thin->way_of[junction] = way;
        junction = g->pieces[p].junction[1];
        back = back || (p + 1 == g->way_first_piece[way + 1] && thin->way_of[junction] == way);
    }
    return back;
}

static enum ht_status list_hops(struct thin *thin, uint32_t way)
{
    const struct ht__graph_build *g = thin->g;
    uint32_t first = g->way_first_piece[way];
    uint32_t end = g->way_first_piece[way + 1];
    void *hops = thin->hops;
    enum ht_status status =
        ht_array_reserve(&hops, &thin->hop_capacity, end - first, sizeof *thin->hops);
    thin->hops = hops;
    thin->hop_count = 0;
    for (uint32_t p = first; status == HT_OK && p < end; p++) {
        const struct ht__piece *piece = &g->pieces[p];
        uint64_t a = piece->junction[0];
        uint64_t b = piece->junction[1];
        if (piece->to == piece->from + 1) {
            thin->hops[thin->hop_count++] = (struct hop){a < b ? a << 32 | b : b << 32 | a, p};
        }
    }
    return status;
}

/* Of the pieces of a way between the same two nodes the first of each direction stays. */
static enum ht_status drop_repeated(struct thin *thin, uint32_t way)
{
    enum ht_status status = list_hops(thin, way);
    if (status != HT_OK) {
        return status;
    }
    qsort(thin->hops, thin->hop_count, sizeof *thin->hops, hop_compare);
    bool open[2] = {false, false}; /* from the lower junction, from the other one */
    for (size_t i = 0; i < thin->hop_count; i++) {
        struct ht__piece *piece = &thin->g->pieces[thin->hops[i].piece];
        if (i == 0 || thin->hops[i].ends != thin->hops[i - 1].ends) {
            open[0] = open[1] = false;
        }
        bool dropped = false;
        for (int side = 0; side < 2; side++) {
            bool *already = &open[piece->junction[side] > piece->junction[1 - side]];
            dropped = dropped || (piece->open[side] && *already);
            piece->open[side] = piece->open[side] && !*already;
            *already = *already || piece->open[side];
        }
        thin->g->counts->pieces_repeated += dropped;
    }
    return HT_OK;
}

static void drop_crowded(struct thin *thin, uint32_t way)
{
    struct ht__graph_build *g = thin->g;
    for (uint32_t p = g->way_first_piece[way]; p < g->way_first_piece[way + 1]; p++) {
        struct ht__piece *piece = &g->pieces[p];
        uint16_t *meeting[2] = {&thin->meeting[piece->junction[0]],
                                &thin->meeting[piece->junction[1]]};
        if (!piece->open[0] && !piece->open[1]) {
            continue;
        }
        if (*meeting[0] >= MOST_MEETING || *meeting[1] >= MOST_MEETING) {
            piece->open[0] = piece->open[1] = false;
            g->counts->pieces_crowded++;
            continue;
        }
        ++*meeting[0];
        ++*meeting[1];
    }
}

enum ht_status ht__graph_thin(struct ht__graph_build *g)
{
    struct thin thin = {.g = g};
    uint32_t ways = g->build->network.way_count;
    thin.way_of = ht_array_new(g->junction_count, sizeof *thin.way_of);
    thin.meeting = ht_array_new_zeroed(g->junction_count, sizeof *thin.meeting);
    enum ht_status status = thin.way_of == NULL || thin.meeting == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t j = 0; status == HT_OK && j < g->junction_count; j++) {
        thin.way_of[j] = HT_NONE;
    }
    for (uint32_t w = 0; status == HT_OK && w < ways; w++) {
        status = comes_back(&thin, w) ? drop_repeated(&thin, w) : HT_OK;
        drop_crowded(&thin, w);
    }
    free(thin.hops);
    free(thin.way_of);
    free(thin.meeting);
    return status;
}
