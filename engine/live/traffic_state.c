/* What the streets are meant to be like: speeds and zones by arc and segment, and what an arc costs
 * then. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/traffic_internal.h"

#define SPEED_MAX_MPS 200.0F

void ht__streets_deinit(struct ht__streets *streets)
{
    for (size_t i = 0; i < streets->count; i++) {
        free(streets->list[i].pieces);
    }
    free(streets->list);
    *streets = (struct ht__streets){0};
}

bool ht__change_sound(const struct ht_graph *graph, const struct ht_traffic_change *change)
{
    return change->arc < graph->base_arc_count && change->segment_first < change->segment_end &&
           change->segment_end < ht_arc_point_count(&graph->arcs[change->arc]) &&
           (change->speed_mps == HT_SPEED_CLOSED || change->speed_mps == HT_SPEED_AS_FILED ||
            (change->speed_mps > 0.0F && change->speed_mps <= SPEED_MAX_MPS));
}

/* The first street whose arc is not below. */
static size_t place_of(const struct ht__streets *streets, uint32_t arc)
{
    size_t low = 0;
    size_t high = streets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (streets->list[middle].arc < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct ht__street *ht__streets_find(const struct ht__streets *streets, uint32_t arc)
{
    size_t at = place_of(streets, arc);
    return at < streets->count && streets->list[at].arc == arc ? &streets->list[at] : NULL;
}

/* A street as the file says it. */
static enum ht_status street_make(const struct ht_graph *graph, uint32_t arc,
                                  struct ht__street *out)
{
    uint32_t segments = ht_arc_point_count(&graph->arcs[arc]) - 1;
    struct ht_live_piece *pieces =
        ht_array_new(segments, 2 * sizeof *pieces + sizeof(float) + sizeof(uint8_t));
    if (pieces == NULL) {
        return HT_NOMEM;
    }
    float *speeds = (float *)(void *)(pieces + (size_t)2 * segments);
    *out = (struct ht__street){.arc = arc,
                               .segment_count = segments,
                               .pieces = pieces,
                               .speed_mps = speeds,
                               .shut = (uint8_t *)(speeds + segments)};
    for (uint32_t i = 0; i < segments; i++) {
        speeds[i] = HT_SPEED_AS_FILED;
        out->shut[i] = 0;
    }
    return HT_OK;
}

static enum ht_status street_add(struct ht__streets *streets, size_t at,
                                 const struct ht_graph *graph, uint32_t arc)
{
    struct ht__street street;
    void *list = streets->list;
    enum ht_status status =
        ht_array_reserve(&list, &streets->capacity, streets->count + 1, sizeof *streets->list);
    streets->list = list;
    if (status == HT_OK) {
        status = street_make(graph, arc, &street);
    }
    if (status != HT_OK) {
        return status;
    }
    memmove(&streets->list[at + 1], &streets->list[at],
            (streets->count - at) * sizeof *streets->list);
    streets->list[at] = street;
    streets->count++;
    return HT_OK;
}

enum ht_status ht__streets_room(struct ht__streets *streets, const struct ht_graph *graph,
                                const struct ht_cut *cuts, size_t count)
{
    struct ht__streets both = {0};
    size_t old = 0;
    void *list = NULL;
    enum ht_status status =
        ht_array_reserve(&list, &both.capacity, streets->count + count + 1, sizeof *both.list);
    both.list = list;
    size_t fresh = 0; /* those that were made are behind, in `fresh_list` */
    struct ht__street *fresh_list =
        status == HT_OK ? ht_array_new(count, sizeof *fresh_list) : NULL;
    status = fresh_list == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        uint32_t arc = cuts[i].arc;
        if ((i == 0 || cuts[i - 1].arc != arc) && ht__streets_find(streets, arc) == NULL) {
            status = street_make(graph, arc, &fresh_list[fresh]);
            fresh += status == HT_OK;
        }
    }
    for (size_t i = 0; status != HT_OK && i < fresh; i++) {
        free(fresh_list[i].pieces);
    }
    for (size_t i = 0; status == HT_OK && (i < fresh || old < streets->count);) {
        bool next_old =
            i == fresh || (old < streets->count && streets->list[old].arc < fresh_list[i].arc);
        both.list[both.count++] = next_old ? streets->list[old++] : fresh_list[i++];
    }
    free(fresh_list);
    if (status != HT_OK) {
        free(both.list);
        return status;
    }
    free(streets->list);
    both.untidy = true; /* what is not shut in the end is as the file says */
    *streets = both;
    return HT_OK;
}

void ht__street_forget(struct ht__street *street)
{
    street->piece_count[0] = 0;
    street->piece_count[1] = 0;
}

bool ht__street_shut(struct ht__streets *streets, size_t number, const struct ht_cut *cuts,
                     size_t count, bool set)
{
    struct ht__street *street = &streets->list[number];
    bool other = false;
    for (uint32_t i = 0, at = 0; i < street->segment_count; i++) {
        uint8_t shut = at < count && cuts[at].segment == i;
        at += shut;
        other = other || street->shut[i] != shut;
        street->shut[i] = set ? shut : street->shut[i];
    }
    if (set && other) {
        ht__street_forget(street);
        streets->untidy = true;
    }
    return other;
}

enum ht_status ht__streets_set(struct ht__streets *streets, const struct ht_graph *graph,
                               const struct ht_traffic_change *change)
{
    size_t at = place_of(streets, change->arc);
    if (at == streets->count || streets->list[at].arc != change->arc) {
        enum ht_status status = street_add(streets, at, graph, change->arc);
        if (status != HT_OK) {
            return status;
        }
    }
    for (uint32_t i = change->segment_first; i < change->segment_end; i++) {
        streets->list[at].speed_mps[i] = change->speed_mps;
    }
    ht__street_forget(&streets->list[at]);
    streets->untidy = streets->untidy || change->speed_mps == HT_SPEED_AS_FILED;
    return HT_OK;
}

void ht__streets_tidy(struct ht__streets *streets)
{
    size_t kept = 0;
    if (!streets->untidy) {
        return;
    }
    streets->untidy = false;
    for (size_t i = 0; i < streets->count; i++) {
        struct ht__street *street = &streets->list[i];
        uint32_t filed = 0;
        while (filed < street->segment_count && street->speed_mps[filed] == HT_SPEED_AS_FILED &&
               street->shut[filed] == 0) {
            filed++;
        }
        if (filed == street->segment_count) {
            free(street->pieces);
        } else {
            streets->list[kept++] = *street;
        }
    }
    streets->count = kept;
}

bool ht__street_is_shut(const struct ht__street *street)
{
    return memchr(street->shut, 1, street->segment_count) != NULL;
}

/* What holds of both layers: the stronger. */
static float speed_at(const struct ht__street *street, bool unshut, uint32_t segment)
{
    return !unshut && street->shut[segment] != 0 ? HT_SPEED_CLOSED : street->speed_mps[segment];
}

/* The share of an arc's costs, of the whole arc be it without length. */
static void share(const struct ht_arc *arc, uint32_t length_mm, struct ht_live_piece *piece)
{
    if (length_mm == arc->length_mm) {
        piece->weight_ms = arc->weight_ms;
        piece->duration_ms = arc->duration_ms;
    } else if (length_mm > 0) {
        piece->weight_ms = ht_share(arc->weight_ms, length_mm, arc->length_mm);
        piece->duration_ms = ht_share(arc->duration_ms, length_mm, arc->length_mm);
    }
}

/* A piece of one speed. What is closed keeps the file's cost, for those who leave it. */
static struct ht_live_piece piece_at(const struct ht__ground *ground, uint32_t arc, float speed_mps,
                                     uint32_t begin_mm, uint32_t end_mm)
{
    uint32_t length = end_mm - begin_mm;
    struct ht_live_piece piece = {.end_mm = end_mm, .closed = speed_mps == HT_SPEED_CLOSED};
    if (speed_mps > 0.0F) {
        /* as OSRM does with speeds of segments: what is minimized is the time at this speed */
        double ms = (double)length / (double)speed_mps + 0.5;
        piece.duration_ms = ms < HT_WEIGHT_INF ? (uint32_t)ms : HT_WEIGHT_INF - 1;
        piece.weight_ms = piece.duration_ms;
    } else {
        share(piece.closed != 0 ? &ground->graph->arcs[arc] : &ground->arcs[arc], length, &piece);
    }
    return piece;
}

const struct ht_live_piece *ht__street_pieces(struct ht__street *street,
                                              const struct ht__ground *ground, bool unshut,
                                              uint32_t *count)
{
    const struct ht_network *network = ground->network;
    const struct ht_arc *arc = &ground->graph->arcs[street->arc];
    struct ht_live_piece *pieces = &street->pieces[unshut ? street->segment_count : 0];
    uint32_t *made = &street->piece_count[unshut];
    uint32_t begin_mm = 0;
    uint64_t end_mm = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; *made == 0 && i < street->segment_count; i++) {
        end_mm += ht_distance_mm(ht_arc_point(network, arc, i), ht_arc_point(network, arc, i + 1));
        bool last = i + 1 == street->segment_count;
        float speed_mps = speed_at(street, unshut, i);
        if (!last && speed_at(street, unshut, i + 1) == speed_mps) {
            continue;
        }
        uint32_t end = last || end_mm > arc->length_mm ? arc->length_mm : (uint32_t)end_mm;
        pieces[at] = piece_at(ground, street->arc, speed_mps, begin_mm, end);
        pieces[at++].segment_end = i + 1;
        begin_mm = end;
    }
    *made = *made == 0 ? at : *made;
    *count = *made;
    return pieces;
}
