/* On along a road, past junctions: to see whether two carriageways run beside each other, or where
 * a short link comes out. */
#include "engine/road/guide_internal.h"

enum { HT__WALK_MAX = 32 };

/* The other road of a junction that has just two. */
static struct ht__piece ht__other_of_two(const struct ht__map *map, struct ht__piece piece)
{
    const struct ht_graph *g = map->graph;
    uint32_t j = ht__end_of(map, piece);
    const struct ht__piece none = {HT_NONE, false};
    struct ht__piece found = none;
    uint32_t roads = 0;
    uint32_t back = piece.against ? HT_NONE : ht__arc(map, piece.arc)->reverse;
    for (uint32_t a = g->junction_first_out[j]; a < g->junction_first_out[j + 1]; a++) {
        roads++;
        if (a != back && !(piece.against && a == piece.arc)) {
            found = (struct ht__piece){a, false};
        }
    }
    for (uint32_t i = g->junction_first_in[j]; i < g->junction_first_in[j + 1] && roads <= 2; i++) {
        uint32_t a = g->junction_in[i];
        if (g->arcs[a].reverse == HT_NONE) {
            roads++;
            if (piece.against || a != piece.arc) {
                found = (struct ht__piece){a, true};
            }
        }
    }
    return roads == 2 ? found : none;
}

struct ht__piece ht__skip(const struct ht__map *map, struct ht__piece piece, uint32_t start)
{
    for (int hop = 0; hop < HT__WALK_MAX && ht__end_of(map, piece) != start; hop++) {
        struct ht__piece next = ht__other_of_two(map, piece);
        if (next.arc == HT_NONE) {
            break;
        }
        piece = next;
    }
    return piece;
}

static double ht__wish_score(const struct ht__map *map, const struct ht__wish *wish,
                             const struct ht__road *road)
{
    return (ht__same_signs(map, wish->way, road->way) ? 0 : 180) +
           ht__deviation(road->angle, HT__STRAIGHT);
}

/* The road on which to go on: straightmost, of the wished name, or the only one of that name. */
static uint32_t ht__choose(const struct ht__map *map, const struct ht__wish *wish,
                           const struct ht__view *view)
{
    uint32_t named = 0;
    uint32_t best = 1;
    if (view->count <= 1) {
        return HT_NONE;
    }
    for (uint32_t i = 0; i < view->count; i++) {
        named += ht__same_signs(map, wish->way, view->roads[i].way) ? 1 : 0;
        if (i > 1 && ht__wish_score(map, wish, &view->roads[i]) <
                         ht__wish_score(map, wish, &view->roads[best])) {
            best = i;
        }
    }
    if (named > 2) {
        return HT_NONE;
    }
    const struct ht__road *road = &view->roads[best];
    double bend = ht__deviation(road->angle, HT__STRAIGHT);
    uint32_t straight = ht__closest(view, HT__STRAIGHT);
    if ((view->count == 2 || straight == best) && bend < HT__NARROW &&
        ht__deviation(wish->bearing, road->bearing) < HT__NARROW) {
        return best;
    }
    if (wish->unambiguous && bend > HT__GROUP) {
        uint32_t across = ht__closest(view, ht__opposite(road->angle));
        if (ht__deviation(road->angle, view->roads[across].angle) > 180 - HT__FUZZY ||
            ht__deviation(view->roads[straight].angle, HT__STRAIGHT) < HT__FUZZY) {
            return HT_NONE;
        }
    }
    return ht__same_signs(map, wish->way, road->way) && bend < 100 ? best : HT_NONE;
}

struct ht__piece ht__next_junction(const struct ht__map *map, struct ht__piece piece,
                                   const struct ht__wish *wish, int hops, struct ht__view *out)
{
    uint32_t start = piece.against ? ht__arc(map, piece.arc)->head : ht__arc(map, piece.arc)->tail;
    for (int hop = 1;; hop++) {
        piece.arc = ht__follow(map, piece.arc, piece.against).last;
        if (!ht__look(map, piece.arc, piece.against, true, out)) {
            out->count = 0;
            return piece;
        }
        if (ht__end_of(map, piece) == start || out->count <= 1 || out->count > 2 || hop == hops) {
            return piece;
        }
        uint32_t next = wish == NULL ? 1 : ht__choose(map, wish, out);
        if (next == HT_NONE) {
            return piece;
        }
        piece = ht__piece_of(&out->roads[next]);
    }
}

/* Adds the points of one strand, up to the length that is wanted. */
static void ht__path_add(struct ht__path *path, const struct ht__xy *points, uint32_t count)
{
    struct ht__xy base = path->p[path->n - 1];
    for (uint32_t i = 1; i < count && path->n < HT__LINE_POINTS && path->length_m < HT__LINE_M;
         i++) {
        struct ht__xy last = path->p[path->n - 1];
        struct ht__xy p = {base.x + points[i].x, base.y + points[i].y};
        double step = ht__xy_distance(last, p);
        if (path->length_m + step > HT__LINE_M) {
            double t = (HT__LINE_M - path->length_m) / step;
            p = (struct ht__xy){last.x + (p.x - last.x) * t, last.y + (p.y - last.y) * t};
            step = HT__LINE_M - path->length_m;
        }
        path->length_m += step;
        path->p[path->n++] = p;
    }
}

void ht__walk_points(const struct ht__map *map, struct ht__piece piece, const struct ht__wish *wish,
                     struct ht__path *out)
{
    uint32_t start = piece.against ? ht__arc(map, piece.arc)->head : ht__arc(map, piece.arc)->tail;
    out->n = 1;
    out->p[0] = (struct ht__xy){0, 0};
    out->length_m = 0;
    for (int hop = 0; hop < HT__WALK_MAX; hop++) {
        struct ht__xy points[HT__FAR_POINTS];
        uint32_t n = ht__strand_points(map, piece.arc, piece.against, HT__LINE_M - out->length_m,
                                       points, HT__FAR_POINTS);
        ht__path_add(out, points, n);
        struct ht__view view;
        piece.arc = ht__follow(map, piece.arc, piece.against).last;
        if (out->length_m >= HT__LINE_M || out->n == HT__LINE_POINTS ||
            ht__end_of(map, piece) == start ||
            !ht__look(map, piece.arc, piece.against, true, &view)) {
            return;
        }
        uint32_t next = ht__choose(map, wish, &view);
        if (next == HT_NONE) {
            return;
        }
        piece = ht__piece_of(&view.roads[next]);
    }
}
