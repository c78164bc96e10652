#include "engine/live/detour.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/road/customize.h"

enum { ROADS = 4, LASTING = 16, LIGHT = 4, ALL = ROADS + LASTING + LIGHT, WAIT_S = 5 };

/* What an arc that is cut costs without that. */
struct kept {
    uint32_t arc;
    uint32_t weight_ms;
    uint32_t duration_ms;
};

struct ht_detour {
    struct ht_detours *all;
    struct ht_road road;
    struct ht_graph graph;
    struct ht_live_arcs view;
    struct ht_snap_index *snap;
    struct ht_metric_owned *metric; /* NULL: not made */
    struct ht_update_work *work;
    struct ht_arc *arcs;
    uint8_t *turn_closed;
    uint8_t *arc_closed; /* of excluded classes; NULL: none are */
    struct ht_live_arc *list;
    size_t list_capacity;
    struct ht_live_piece *pieces;
    size_t piece_capacity;
    uint32_t piece_count;
    struct kept *kept; /* base arcs and copies */
    size_t kept_count;
    size_t kept_capacity;
    uint32_t *stale;
    size_t stale_capacity;
    /* what it answers */
    uint64_t version;
    uint16_t exclude;
    bool unshut;
    struct ht_cuts cuts;
    /* under the lock of all */
    uint32_t references;
    bool making;
    uint64_t used; /* when last; 0: holds no answer */
};

struct ht_detours {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a road was let go of, or is made */
    struct ht_road filed;
    uint64_t clock; /* counts questions */
    uint64_t rested;
    struct ht_detour roads[ALL]; /* first those of single questions, then lasting, then light */
};

/* ---- life ---- */

/* What a road holds. What is under the lock stays as it is: others look at it. */
static void detour_empty(struct ht_detour *d)
{
    ht_snap_index_free(d->snap);
    ht_metric_free(d->metric);
    ht_update_work_free(d->work);
    free(d->arcs);
    free(d->turn_closed);
    free(d->arc_closed);
    free(d->list);
    free(d->pieces);
    free(d->kept);
    free(d->stale);
    ht_cuts_deinit(&d->cuts);
    d->snap = NULL;
    d->metric = NULL;
    d->work = NULL;
    d->arcs = NULL;
    d->turn_closed = NULL;
    d->arc_closed = NULL;
    d->list = NULL;
    d->list_capacity = 0;
    d->pieces = NULL;
    d->piece_capacity = 0;
    d->piece_count = 0;
    d->kept = NULL;
    d->kept_count = 0;
    d->kept_capacity = 0;
    d->stale = NULL;
    d->stale_capacity = 0;
}

enum ht_status ht_detours_new(const struct ht_road *filed, struct ht_detours **out)
{
    struct ht_detours *all = calloc(1, sizeof *all);
    pthread_condattr_t attributes;
    if (all == NULL) {
        return HT_NOMEM;
    }
    all->filed = *filed;
    for (int i = 0; i < ALL; i++) {
        all->roads[i].all = all;
    }
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&all->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *out = all;
    return HT_OK;
}

void ht_detours_free(struct ht_detours *detours)
{
    if (detours != NULL) {
        for (int i = 0; i < ALL; i++) {
            detour_empty(&detours->roads[i]);
        }
        (void)pthread_cond_destroy(&detours->changed);
        (void)pthread_mutex_destroy(&detours->lock);
        free(detours);
    }
}

void ht_detours_rest(struct ht_detours *detours)
{
    (void)pthread_mutex_lock(&detours->lock);
    for (int i = 0; i < ALL; i++) {
        struct ht_detour *d = &detours->roads[i];
        if (d->arcs != NULL && d->references == 0 && !d->making && d->used <= detours->rested) {
            detour_empty(d);
            d->used = 0;
        }
    }
    detours->rested = detours->clock;
    (void)pthread_mutex_unlock(&detours->lock);
}

const struct ht_road *ht_detour_road(const struct ht_detour *detour)
{
    return &detour->road;
}

void ht_detour_release(struct ht_detour *detour)
{
    if (detour != NULL) {
        struct ht_detours *all = detour->all;
        (void)pthread_mutex_lock(&all->lock);
        detour->references--;
        (void)pthread_cond_broadcast(&all->changed);
        (void)pthread_mutex_unlock(&all->lock);
    }
}

/* ---- the streets of the moment ---- */

/* NULL: no turn is closed. */
static const uint8_t *turns_now(const struct ht_world_road *now)
{
    return now->turn_closed;
}

static struct ht_overlay overlay_of(const struct ht_detour *d)
{
    return (struct ht_overlay){.arc_closed = d->arc_closed, .turn_closed = d->turn_closed};
}

/* What an arc costs in the streets of the moment without cuts: what a zone shuts is closed, and its
 * price without that the sum of its pieces. */
static void arc_now(const struct ht_graph *graph, bool unshut, uint32_t arc, struct kept *out)
{
    const struct ht_live_arcs *live = graph->live;
    *out = (struct kept){arc, graph->arcs[arc].weight_ms, graph->arcs[arc].duration_ms};
    if (!unshut || live == NULL || out->weight_ms < HT_WEIGHT_INF) {
        return;
    }
    const struct ht_live_arc *own =
        ht_live_arc_in(live->unshut, live->unshut_count, ht_arc_base(graph, arc));
    uint64_t weight = 0;
    uint64_t duration = 0;
    bool closed = own == NULL;
    for (uint32_t i = closed ? 0 : own->piece_first; own != NULL && i < own->piece_end; i++) {
        weight += live->pieces[i].weight_ms;
        duration += live->pieces[i].duration_ms;
        closed = closed || live->pieces[i].closed != 0;
    }
    if (!closed && weight < HT_WEIGHT_INF && duration < HT_WEIGHT_INF) {
        out->weight_ms = (uint32_t)weight;
        out->duration_ms = (uint32_t)duration;
    }
}

static void arc_set(struct ht_detour *d, const struct kept *cost)
{
    d->arcs[cost->arc].weight_ms = cost->weight_ms;
    d->arcs[cost->arc].duration_ms = cost->duration_ms;
}

static enum ht_status make_begin(struct ht_detour *d, const struct ht_world_road *now,
                                 uint16_t exclude, bool unshut)
{
    const struct ht_road *filed = &d->all->filed;
    const struct ht_graph *graph = filed->graph;
    d->arcs = ht_array_new(graph->arc_count, sizeof *d->arcs);
    d->turn_closed = ht_array_new_zeroed(graph->turn_count, sizeof *d->turn_closed);
    d->arc_closed = exclude == 0 ? NULL : ht_array_new(graph->arc_count, sizeof *d->arc_closed);
    if (d->arcs == NULL || d->turn_closed == NULL || (exclude != 0 && d->arc_closed == NULL)) {
        return HT_NOMEM;
    }
    memcpy(d->arcs, now->road.graph->arcs, graph->arc_count * sizeof *d->arcs);
    for (uint32_t i = 0; unshut && i < graph->arc_count; i++) {
        struct kept cost;
        arc_now(now->road.graph, true, i, &cost);
        arc_set(d, &cost);
    }
    if (turns_now(now) != NULL) {
        memcpy(d->turn_closed, turns_now(now), graph->turn_count * sizeof *d->turn_closed);
    }
    for (uint32_t i = 0; d->arc_closed != NULL && i < graph->arc_count; i++) {
        d->arc_closed[i] = (graph->arcs[i].flags & exclude) != 0 ? 1 : 0;
    }
    d->exclude = exclude;
    d->graph = *graph;
    d->graph.arcs = d->arcs;
    d->graph.live = &d->view;
    d->view = (struct ht_live_arcs){.turn_closed = d->turn_closed};
    return HT_OK;
}

/* A whole road as the streets are now. */
static enum ht_status make(struct ht_detour *d, const struct ht_detour_ask *ask,
                           struct ht_pool *pool)
{
    const struct ht_road *filed = &d->all->filed;
    detour_empty(d);
    enum ht_status status = make_begin(d, ask->now, ask->exclude, ask->unshut);
    if (status == HT_OK && !ask->light) {
        status = ht_update_work_new(filed->cch, &d->work);
    }
    struct ht_overlay overlay = overlay_of(d);
    if (status == HT_OK && !ask->light) {
        status = ht_customize(&d->graph, filed->cch, &overlay, pool, &d->metric);
    }
    if (status == HT_OK && filed->snap != NULL) {
        status = ht_snap_over(filed->snap, &d->graph, &d->snap);
    }
    if (status == HT_OK) {
        d->road = *filed;
        d->road.graph = &d->graph;
        d->road.snap = d->snap;
        d->road.metric = d->metric == NULL ? NULL : ht_metric_view(d->metric);
    }
    return status;
}

static enum ht_status stale_add(struct ht_detour *d, size_t *count, uint32_t arc)
{
    void *list = d->stale;
    enum ht_status status =
        ht_array_reserve(&list, &d->stale_capacity, *count + 1, sizeof *d->stale);
    d->stale = list;
    if (status == HT_OK) {
        d->stale[(*count)++] = arc;
    }
    return status;
}

/* Brings the metric up to date with the arcs that are stale; a light road has none. */
static enum ht_status metric_follow(struct ht_detour *d, size_t count)
{
    struct ht_overlay overlay = overlay_of(d);
    return d->metric == NULL ? HT_OK
                             : ht_metric_update(&d->graph, d->all->filed.cch, &overlay, d->stale,
                                                count, d->work, d->metric, NULL);
}

/* Brings a road without cuts up to date with the streets of now. */
static enum ht_status replay(struct ht_detour *d, const struct ht_world_road *now, bool unshut)
{
    const struct ht_graph *graph = now->road.graph;
    enum ht_status status = HT_OK;
    size_t count = 0;
    for (uint32_t a = 0; status == HT_OK && a < graph->arc_count; a++) {
        struct kept cost;
        arc_now(graph, unshut, a, &cost);
        if (d->arcs[a].weight_ms != cost.weight_ms || d->arcs[a].duration_ms != cost.duration_ms) {
            arc_set(d, &cost);
            status = stale_add(d, &count, a);
        }
    }
    for (uint32_t c = 0; status == HT_OK && c < graph->condition_count; c++) {
        uint32_t turn = graph->conditions[c].turn;
        uint8_t closed = turns_now(now) != NULL && turns_now(now)[turn] != 0;
        if (d->turn_closed[turn] != closed) {
            d->turn_closed[turn] = closed;
            status = stale_add(d, &count, ht_graph_turn_from(graph, turn));
        }
    }
    return status == HT_OK ? metric_follow(d, count) : status;
}

/* ---- pieces ---- */

/* One arc while its pieces are laid out. */
struct layout {
    const struct ht_network *network;
    const struct ht_arc *filed;
    const struct ht_live_piece *now; /* its pieces without cuts */
    uint32_t now_count;
    const struct ht_cut *cuts;
    size_t cut_count;
};

/* A run of segments: what is closed keeps the file's cost, for those who leave it; what is part of
 * an open piece its share. `whole` begins at `whole_mm`. */
static struct ht_live_piece run_of(const struct layout *l, const struct ht_live_piece *whole,
                                   uint32_t whole_mm, uint32_t begin_mm, uint32_t end_mm)
{
    uint32_t length = end_mm - begin_mm;
    uint32_t of = whole == NULL ? l->filed->length_mm : whole->end_mm - whole_mm;
    uint32_t weight = whole == NULL ? l->filed->weight_ms : whole->weight_ms;
    uint32_t duration = whole == NULL ? l->filed->duration_ms : whole->duration_ms;
    struct ht_live_piece run = {.end_mm = end_mm, .closed = whole == NULL};
    if (length == of) { /* all of it, be it without length */
        run.weight_ms = weight;
        run.duration_ms = duration;
    } else if (length > 0) {
        run.weight_ms = ht_share(weight, length, of);
        run.duration_ms = ht_share(duration, length, of);
    }
    return run;
}

/* The pieces of an arc that is cut, at most one for each segment; how many. */
static uint32_t lay_out(const struct layout *l, struct ht_live_piece *out)
{
    uint32_t segments = ht_arc_point_count(l->filed) - 1;
    uint32_t count = 0;
    uint32_t begin_mm = 0;
    uint32_t whole_mm = 0;
    uint64_t sum_mm = 0;
    size_t cut = 0;
    const struct ht_live_piece *before = NULL; /* the open piece of the run under way */
    uint32_t before_mm = 0;
    uint32_t at_mm = 0;
    for (uint32_t i = 0, p = 0; i < segments; i++) {
        while (p + 1 < l->now_count && l->now[p].segment_end <= i) {
            whole_mm = l->now[p++].end_mm;
        }
        bool is_cut = cut < l->cut_count && l->cuts[cut].segment == i;
        cut += is_cut;
        const struct ht_live_piece *own = is_cut || l->now[p].closed != 0 ? NULL : &l->now[p];
        if (i > 0 && own != before) {
            out[count] = run_of(l, before, before_mm, begin_mm, at_mm);
            out[count++].segment_end = i;
            begin_mm = at_mm;
        }
        before = own;
        before_mm = whole_mm;
        sum_mm += ht_distance_mm(ht_arc_point(l->network, l->filed, i),
                                 ht_arc_point(l->network, l->filed, i + 1));
        bool last = i + 1 == segments || sum_mm > l->filed->length_mm;
        at_mm = last ? l->filed->length_mm : (uint32_t)sum_mm;
    }
    out[count] = run_of(l, before, before_mm, begin_mm, at_mm);
    out[count++].segment_end = segments;
    return count;
}

/* Adds an arc to the list: as it is now, or cut. Room was made. */
static void list_add(struct ht_detour *d, uint32_t arc, const struct ht_graph *graph,
                     const struct ht_live_arc *live, const struct ht_cut *cuts, size_t cut_count)
{
    const struct ht_road *filed = &d->all->filed;
    const struct ht_arc *as_filed = &filed->graph->arcs[arc];
    /* an arc without pieces costs what is learned of it; one that is shut, but for us, is as filed
     */
    const struct ht_arc *whole =
        graph->arcs[arc].weight_ms < HT_WEIGHT_INF ? &graph->arcs[arc] : as_filed;
    const struct ht_live_arcs *now = graph->live;
    const struct ht_live_piece one = {.segment_end = ht_arc_point_count(as_filed) - 1,
                                      .end_mm = as_filed->length_mm,
                                      .weight_ms = whole->weight_ms,
                                      .duration_ms = whole->duration_ms};
    struct layout layout = {.network = filed->network,
                            .filed = as_filed,
                            .now = live == NULL ? &one : &now->pieces[live->piece_first],
                            .now_count = live == NULL ? 1 : live->piece_end - live->piece_first,
                            .cuts = cuts,
                            .cut_count = cut_count};
    struct ht_live_piece *out = &d->pieces[d->piece_count];
    uint32_t count = layout.now_count;
    if (cut_count > 0) {
        count = lay_out(&layout, out);
    } else {
        memcpy(out, layout.now, count * sizeof *out);
    }
    d->list[d->view.arc_count++] =
        (struct ht_live_arc){arc, d->piece_count, d->piece_count + count};
    d->piece_count += count;
}

static size_t cuts_of(const struct ht_cuts *cuts, size_t at)
{
    size_t count = 0;
    while (at + count < cuts->count && cuts->list[at + count].arc == cuts->list[at].arc) {
        count++;
    }
    return count;
}

static enum ht_status list_room(struct ht_detour *d, const struct ht_live_arcs *now, bool unshut)
{
    const struct ht_graph *graph = d->all->filed.graph;
    size_t arcs = 1;
    size_t pieces = 1;
    for (uint32_t i = 0; now != NULL && i < now->arc_count; i++) {
        pieces += now->arcs[i].piece_end - now->arcs[i].piece_first;
        arcs++;
    }
    for (uint32_t i = 0; now != NULL && unshut && i < now->unshut_count; i++) {
        pieces += now->unshut[i].piece_end - now->unshut[i].piece_first;
    }
    for (size_t i = 0; i < d->cuts.count; i += cuts_of(&d->cuts, i)) {
        pieces += ht_arc_point_count(&graph->arcs[d->cuts.list[i].arc]) - 1;
        arcs++;
    }
    void *list = d->list;
    void *piece_list = d->pieces;
    enum ht_status status = ht_array_reserve(&list, &d->list_capacity, arcs, sizeof *d->list);
    d->list = list;
    if (status == HT_OK) {
        status = ht_array_reserve(&piece_list, &d->piece_capacity, pieces, sizeof *d->pieces);
        d->pieces = piece_list;
    }
    return status;
}

/* What is known of an arc: `next`, or what it is unshut. NULL: it is as the file says then. */
static const struct ht_live_arc *live_of(const struct ht_detour *d, const struct ht_live_arcs *live,
                                         const struct ht_live_arc *next, bool unshut)
{
    const struct ht_live_arc *own =
        unshut && next != NULL ? ht_live_arc_in(live->unshut, live->unshut_count, next->arc) : NULL;
    if (own == NULL) {
        return next;
    }
    const struct ht_arc *filed = &d->all->filed.graph->arcs[own->arc];
    const struct ht_live_piece *piece = &live->pieces[own->piece_first];
    bool as_filed = own->piece_end - own->piece_first == 1 && piece->closed == 0 &&
                    piece->weight_ms == filed->weight_ms &&
                    piece->duration_ms == filed->duration_ms;
    return as_filed ? NULL : own;
}

/* Lists what is live now, with the cuts. */
static enum ht_status list_fill(struct ht_detour *d, const struct ht_world_road *now, bool unshut)
{
    const struct ht_live_arcs *live = now->road.graph->live;
    uint32_t live_count = live == NULL ? 0 : live->arc_count;
    enum ht_status status = list_room(d, live, unshut);
    uint32_t i = 0;
    d->view = (struct ht_live_arcs){.turn_closed = d->turn_closed};
    d->piece_count = 0;
    for (size_t at = 0; status == HT_OK && (at < d->cuts.count || i < live_count);) {
        const struct ht_live_arc *next = i < live_count ? &live->arcs[i] : NULL;
        if (at == d->cuts.count || (next != NULL && next->arc < d->cuts.list[at].arc)) {
            const struct ht_live_arc *own = live_of(d, live, next, unshut);
            if (own != NULL) {
                list_add(d, own->arc, now->road.graph, own, NULL, 0);
            }
            i++;
            continue;
        }
        uint32_t arc = d->cuts.list[at].arc;
        size_t count = cuts_of(&d->cuts, at);
        next = next != NULL && next->arc == arc ? next : NULL;
        list_add(d, arc, now->road.graph, live_of(d, live, next, unshut), &d->cuts.list[at], count);
        i += next != NULL;
        at += count;
    }
    d->view.arcs = d->list;
    d->view.pieces = d->pieces;
    return status;
}

/* ---- cuts ---- */

/* Takes the last question's cuts back. */
static void uncut(struct ht_detour *d)
{
    if (d->metric != NULL) {
        ht_update_log_undo(d->work, d->metric);
    }
    for (size_t i = 0; i < d->kept_count; i++) {
        d->arcs[d->kept[i].arc].weight_ms = d->kept[i].weight_ms;
        d->arcs[d->kept[i].arc].duration_ms = d->kept[i].duration_ms;
    }
    d->kept_count = 0;
    d->cuts.count = 0;
}

static enum ht_status arc_cut(struct ht_detour *d, uint32_t arc)
{
    void *list = d->kept;
    enum ht_status status =
        ht_array_reserve(&list, &d->kept_capacity, d->kept_count + 1, sizeof *d->kept);
    d->kept = list;
    if (status == HT_OK) {
        size_t at = d->kept_count;
        status = stale_add(d, &at, arc);
    }
    if (status == HT_OK) {
        d->kept[d->kept_count++] =
            (struct kept){arc, d->arcs[arc].weight_ms, d->arcs[arc].duration_ms};
        d->arcs[arc].weight_ms = HT_WEIGHT_INF;
        d->arcs[arc].duration_ms = 0;
    }
    return status;
}

static enum ht_status cut(struct ht_detour *d, const struct ht_cut *cuts, size_t count)
{
    const struct ht_graph *graph = d->all->filed.graph;
    enum ht_status status = ht_cuts_add(&d->cuts, cuts, count);
    if (d->metric != NULL) {
        ht_update_log_begin(d->work);
    }
    for (size_t i = 0; i < count && status == HT_OK; i += cuts_of(&d->cuts, i)) {
        const uint32_t *copies = NULL;
        uint32_t copy_count = ht_graph_copies(graph, cuts[i].arc, &copies);
        status = arc_cut(d, cuts[i].arc);
        for (uint32_t c = 0; c < copy_count && status == HT_OK; c++) {
            status = arc_cut(d, copies[c]);
        }
    }
    return status == HT_OK ? metric_follow(d, d->kept_count) : status;
}

static enum ht_status answer(struct ht_detour *d, const struct ht_detour_ask *ask,
                             struct ht_pool *pool)
{
    enum ht_status status = HT_OK;
    if (d->arcs == NULL || d->exclude != ask->exclude) {
        status = make(d, ask, pool);
    } else {
        uncut(d);
        if (d->version == 0 || d->version != ask->now->version || d->unshut != ask->unshut) {
            status = replay(d, ask->now, ask->unshut);
        }
    }
    if (status == HT_OK) {
        status = cut(d, ask->cuts, ask->cut_count);
    }
    if (status == HT_OK) {
        status = list_fill(d, ask->now, ask->unshut);
    }
    d->version = ask->now->version;
    d->unshut = ask->unshut;
    if (status != HT_OK) {
        detour_empty(d); /* made anew the next time */
    }
    return status;
}

/* ---- giving out ---- */

/* Whether a road is of the same question, be it of streets that were. */
static bool is_of(const struct ht_detour *d, const struct ht_detour_ask *ask)
{
    return d->used != 0 && d->exclude == ask->exclude && d->unshut == ask->unshut &&
           d->cuts.count == ask->cut_count &&
           (ask->cut_count == 0 ||
            memcmp(d->cuts.list, ask->cuts, ask->cut_count * sizeof *ask->cuts) == 0);
}

static bool answers(const struct ht_detour *d, const struct ht_detour_ask *ask)
{
    return ask->now->version != 0 && d->version == ask->now->version && is_of(d, ask);
}

/* Where the roads of such questions are: [first, end). */
static int first_of(const struct ht_detour_ask *ask)
{
    return ask->light ? ROADS + LASTING : ask->lasts ? ROADS : 0;
}

static int end_of(const struct ht_detour_ask *ask)
{
    return ask->light ? ALL : ask->lasts ? ROADS + LASTING : ROADS;
}

static bool is_free(const struct ht_detour *d)
{
    return d->references == 0 && !d->making;
}

/* The road to make the answer in: one that is there, of the same classes where there is one, whose
 * answer was asked for longest ago; else another. Of a question that lasts: its own of before, else
 * one that is not made. NULL: all are in use. Needs the lock. */
static struct ht_detour *choose(struct ht_detours *all, const struct ht_detour_ask *ask)
{
    struct ht_detour *best = NULL;
    struct ht_detour *unmade = NULL;
    struct ht_detour *other = NULL;
    for (int i = end_of(ask); i-- > first_of(ask);) {
        struct ht_detour *d = &all->roads[i];
        if (!is_free(d)) {
            continue;
        }
        if (d->arcs == NULL) {
            unmade = d;
        } else if (ask->lasts && is_of(d, ask)) {
            return d;
        } else if (d->exclude == ask->exclude) {
            best = best == NULL || d->used < best->used ? d : best;
        } else {
            other = other == NULL || d->used < other->used ? d : other;
        }
    }
    if (ask->lasts && unmade != NULL) {
        return unmade;
    }
    return best != NULL ? best : unmade != NULL ? unmade : other;
}

static struct ht_detour *find(struct ht_detours *all, const struct ht_detour_ask *ask)
{
    for (int i = first_of(ask); i < end_of(ask); i++) {
        struct ht_detour *d = &all->roads[i];
        /* a light one borrows the metric of who reads it */
        if (!d->making && answers(d, ask) && (!ask->light || d->references == 0)) {
            return d;
        }
    }
    return NULL;
}

bool ht_detours_have(struct ht_detours *detours, const struct ht_detour_ask *ask)
{
    (void)pthread_mutex_lock(&detours->lock);
    bool there = find(detours, ask) != NULL;
    (void)pthread_mutex_unlock(&detours->lock);
    return there;
}

/* Waits for a change. False: it took too long. */
static bool wait_for(struct ht_detours *all, const struct timespec *until)
{
    return pthread_cond_timedwait(&all->changed, &all->lock, until) == 0;
}

static bool cuts_sound(const struct ht_graph *graph, const struct ht_detour_ask *ask)
{
    for (size_t i = 0; i < ask->cut_count; i++) {
        const struct ht_cut *own = &ask->cuts[i];
        if (own->arc >= graph->base_arc_count ||
            own->segment + 1 >= ht_arc_point_count(&graph->arcs[own->arc]) ||
            (i > 0 && (own[-1].arc > own->arc ||
                       (own[-1].arc == own->arc && own[-1].segment >= own->segment)))) {
            return false;
        }
    }
    return true;
}

enum ht_status ht_detours_get(struct ht_detours *detours, const struct ht_detour_ask *ask,
                              struct ht_pool *pool, struct ht_detour **out)
{
    if (!cuts_sound(detours->filed.graph, ask) || (ask->light && ask->exclude != 0)) {
        return HT_RANGE;
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    (void)pthread_mutex_lock(&detours->lock);
    enum ht_status status = HT_OK;
    struct ht_detour *found = find(detours, ask);
    struct ht_detour *d = found == NULL ? choose(detours, ask) : NULL;
    while (found == NULL && d == NULL && status == HT_OK) {
        status = wait_for(detours, &until) ? HT_OK : HT_BUSY;
        found = find(detours, ask);
        d = found == NULL ? choose(detours, ask) : NULL;
    }
    if (d != NULL) {
        d->making = true;
        d->used = 0;
        (void)pthread_mutex_unlock(&detours->lock);
        status = answer(d, ask, pool);
        (void)pthread_mutex_lock(&detours->lock);
        d->making = false;
        found = status == HT_OK ? d : NULL;
        (void)pthread_cond_broadcast(&detours->changed);
    }
    if (found != NULL) {
        status = HT_OK;
        found->references++;
        found->used = ++detours->clock;
        if (ask->light) {
            found->road.metric = ask->now->road.metric;
        }
        *out = found;
    }
    (void)pthread_mutex_unlock(&detours->lock);
    return status;
}
