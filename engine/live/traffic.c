#include "engine/live/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/live/traffic_internal.h"
#include "engine/road/customize.h"

enum {
    BUFFERS = 4,
    ENOUGH = 2,
    PATIENT = 20,
    PATIENT_NS = 250000,
    WAIT_MS = 5000,
    FEW = 64,
    MANY = 50
};

/* Arcs that a buffer has yet to be told of. */
struct stale {
    uint32_t *arcs;
    size_t count;
    size_t capacity;
};

struct buffer {
    struct ht_live_road live; /* first: what readers hold is the buffer */
    struct ht_traffic *traffic;
    bool made;
    struct ht_graph graph;
    struct ht_arc *arcs;
    struct ht_live_arcs view;
    struct ht_live_arc *list;
    size_t list_capacity; /* the unshut ones lie behind */
    struct ht_live_piece *pieces;
    size_t piece_capacity;
    uint8_t *turn_closed;
    struct ht_metric_owned *metric;
    struct ht_snap_index *snap;
    struct stale stale;
};

struct ht_traffic {
    atomic_size_t references; /* the owner's, and one for each buffer that is read */
    struct ht_road base;
    struct ht_live_road filed; /* the road while nothing is live */
    struct ht__streets streets;
    struct ht_arc *learned; /* NULL: nothing is */
    uint8_t *turn_closed;   /* wanted */
    size_t turns_closed;
    struct ht_update_work *work;
    struct stale changed; /* by the call under way */
    struct buffer buffers[BUFFERS];
    struct ht_live_road *last; /* given out last, held */
};

/* ---- life ---- */

/* What a buffer holds. `live` and `traffic` stay as they are: whoever let go of it last may still
 * be on its way to tell so. */
static void buffer_empty(struct buffer *b)
{
    ht_snap_index_free(b->snap);
    ht_metric_free(b->metric);
    free(b->arcs);
    free(b->list);
    free(b->pieces);
    free(b->turn_closed);
    free(b->stale.arcs);
    b->made = false;
    b->snap = NULL;
    b->metric = NULL;
    b->arcs = NULL;
    b->list = NULL;
    b->list_capacity = 0;
    b->pieces = NULL;
    b->piece_capacity = 0;
    b->turn_closed = NULL;
    b->stale = (struct stale){0};
}

static void traffic_release(struct ht_traffic *t)
{
    if (atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (int i = 0; i < BUFFERS; i++) {
        buffer_empty(&t->buffers[i]);
    }
    ht__streets_deinit(&t->streets);
    ht_update_work_free(t->work);
    free(t->learned);
    free(t->turn_closed);
    free(t->changed.arcs);
    free(t);
}

/* `filed` and each buffer hold the traffic while they are held. */
static void filed_done(struct ht_live_road *live)
{
    traffic_release(
        (struct ht_traffic *)(void *)((char *)live - offsetof(struct ht_traffic, filed)));
}

static void buffer_done(struct ht_live_road *live)
{
    traffic_release(((struct buffer *)(void *)live)->traffic);
}

enum ht_status ht_traffic_new(const struct ht_road *base, struct ht_traffic **out)
{
    struct ht_traffic *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&t->references, 1);
    t->base = *base;
    t->filed.view.road = *base;
    t->filed.view.version = ht_world_version();
    t->filed.done = filed_done;
    t->turn_closed = ht_array_new_zeroed(base->graph->turn_count, sizeof *t->turn_closed);
    enum ht_status status = t->turn_closed == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        status = ht_update_work_new(base->cch, &t->work);
    }
    for (int i = 0; i < BUFFERS; i++) {
        t->buffers[i].traffic = t;
        t->buffers[i].live.done = buffer_done;
    }
    if (status != HT_OK) {
        traffic_release(t);
        return status;
    }
    *out = t;
    return HT_OK;
}

void ht_traffic_free(struct ht_traffic *traffic)
{
    if (traffic != NULL) {
        struct ht_live_road *last = traffic->last;
        traffic->last = NULL;
        ht_live_road_release(last);
        traffic_release(traffic);
    }
}

uint32_t ht_traffic_arc_count(const struct ht_traffic *traffic)
{
    return (uint32_t)traffic->streets.count;
}

/* ---- what changes ---- */

static enum ht_status stale_add(struct stale *stale, const uint32_t *arcs, size_t count)
{
    if (count == 0) {
        return HT_OK;
    }
    void *list = stale->arcs;
    enum ht_status status =
        ht_array_reserve(&list, &stale->capacity, stale->count + count, sizeof *stale->arcs);
    stale->arcs = list;
    if (status == HT_OK) {
        memcpy(stale->arcs + stale->count, arcs, count * sizeof *arcs);
        stale->count += count;
    }
    return status;
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

static void stale_once(struct stale *stale)
{
    size_t kept = 0;
    if (stale->count > 1) {
        qsort(stale->arcs, stale->count, sizeof *stale->arcs, by_number);
    }
    for (size_t i = 0; i < stale->count; i++) {
        if (kept == 0 || stale->arcs[kept - 1] != stale->arcs[i]) {
            stale->arcs[kept++] = stale->arcs[i];
        }
    }
    stale->count = kept;
}

/* An arc, and its copies. */
static enum ht_status arc_changed(struct ht_traffic *t, uint32_t arc)
{
    const uint32_t *copies = NULL;
    uint32_t count = ht_graph_copies(t->base.graph, arc, &copies);
    enum ht_status status = stale_add(&t->changed, &arc, 1);
    return status == HT_OK && count > 0 ? stale_add(&t->changed, copies, count) : status;
}

/* Only turns with a condition ever close. */
static enum ht_status turns_want(struct ht_traffic *t, const uint8_t *closed)
{
    const struct ht_graph *graph = t->base.graph;
    enum ht_status status = HT_OK;
    t->turns_closed = 0;
    for (uint32_t c = 0; c < graph->condition_count && status == HT_OK; c++) {
        uint32_t turn = graph->conditions[c].turn;
        uint8_t now = closed != NULL && closed[turn] != 0;
        if (t->turn_closed[turn] != now) {
            uint32_t arc = ht_graph_turn_from(graph, turn);
            status = stale_add(&t->changed, &arc, 1);
            t->turn_closed[turn] = now;
        }
        t->turns_closed += now;
    }
    return status;
}

static enum ht_status want(struct ht_traffic *t, const struct ht_traffic_change *changes,
                           size_t count, const uint8_t *turn_closed)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        status = arc_changed(t, changes[i].arc);
        if (status == HT_OK) {
            status = ht__streets_set(&t->streets, t->base.graph, &changes[i]);
        }
    }
    ht__streets_tidy(&t->streets);
    if (status == HT_OK) {
        status = turns_want(t, turn_closed);
    }
    return status;
}

static bool cuts_sound(const struct ht_graph *graph, const struct ht_cut *cuts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ht_cut *before = i == 0 ? NULL : &cuts[i - 1];
        if (cuts[i].arc >= graph->base_arc_count ||
            cuts[i].segment + 1 >= ht_arc_point_count(&graph->arcs[cuts[i].arc]) ||
            (before != NULL &&
             (before->arc > cuts[i].arc ||
              (before->arc == cuts[i].arc && before->segment >= cuts[i].segment)))) {
            return false;
        }
    }
    return true;
}

enum ht_status ht_traffic_shut(struct ht_traffic *traffic, const struct ht_cut *cuts, size_t count)
{
    if (!cuts_sound(traffic->base.graph, cuts, count)) {
        return HT_RANGE;
    }
    enum ht_status status = ht__streets_room(&traffic->streets, traffic->base.graph, cuts, count);
    size_t at = 0;
    for (size_t i = 0; status == HT_OK && i < traffic->streets.count; i++) {
        const struct ht__street *street = &traffic->streets.list[i];
        size_t own = 0;
        while (at + own < count && cuts[at + own].arc == street->arc) {
            own++;
        }
        const struct ht_cut *these = own == 0 ? NULL : &cuts[at];
        if (ht__street_shut(&traffic->streets, i, these, own, false)) {
            status = arc_changed(traffic, street->arc);
            if (status == HT_OK) {
                (void)ht__street_shut(&traffic->streets, i, these, own, true);
            }
        }
        at += own;
    }
    return status;
}

/* ---- what is learned ---- */

/* What lies under what is said of the streets. */
static struct ht__ground ground_of(const struct ht_traffic *t)
{
    const struct ht_graph *graph = t->base.graph;
    return (struct ht__ground){t->base.network, graph,
                               t->learned == NULL ? graph->arcs : t->learned};
}

static bool same_cost(const struct ht_arc *a, const struct ht_arc *b)
{
    return a->weight_ms == b->weight_ms && a->duration_ms == b->duration_ms;
}

enum ht_status ht_traffic_learn(struct ht_traffic *traffic, struct ht_arc *arcs, size_t *changed)
{
    const struct ht_graph *graph = traffic->base.graph;
    const struct ht_arc *before = ground_of(traffic).arcs;
    const struct ht_arc *after = arcs == NULL ? graph->arcs : arcs;
    size_t known = traffic->changed.count;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < graph->arc_count && status == HT_OK; i++) {
        if (!same_cost(&before[i], &after[i])) {
            status = stale_add(&traffic->changed, &i, 1);
        }
    }
    if (status != HT_OK) {
        traffic->changed.count = known;
        free(arcs);
        return status;
    }
    if (changed != NULL) {
        *changed = traffic->changed.count - known;
    }
    free(traffic->learned);
    traffic->learned = arcs;
    for (size_t i = 0; i < traffic->streets.count; i++) {
        ht__street_forget(&traffic->streets.list[i]);
    }
    return HT_OK;
}

const struct ht_arc *ht_traffic_learned_arcs(const struct ht_traffic *traffic)
{
    return traffic->learned;
}

bool ht_traffic_learned(const struct ht_traffic *traffic)
{
    return traffic->learned != NULL;
}

/* ---- a buffer's own arcs ---- */

/* Room for all live arcs and those that are shut once more. */
static enum ht_status list_room(struct buffer *b)
{
    const struct ht__ground ground = ground_of(b->traffic);
    const struct ht__streets *streets = &b->traffic->streets;
    size_t arcs = streets->count + 1;
    size_t pieces_all = 1;
    for (size_t i = 0; i < streets->count; i++) {
        struct ht__street *street = &streets->list[i];
        uint32_t count = 0;
        for (int unshut = 0; unshut <= ht__street_is_shut(street); unshut++) {
            (void)ht__street_pieces(street, &ground, unshut != 0, &count);
            pieces_all += count;
            arcs += (size_t)unshut;
        }
    }
    void *list = b->list;
    void *pieces = b->pieces;
    enum ht_status status = ht_array_reserve(&list, &b->list_capacity, arcs, sizeof *b->list);
    b->list = list;
    if (status == HT_OK) {
        status = ht_array_reserve(&pieces, &b->piece_capacity, pieces_all, sizeof *b->pieces);
        b->pieces = pieces;
    }
    return status;
}

/* Adds a street to the list. Room was made. */
static void list_add(struct buffer *b, struct ht__street *street, bool unshut, uint32_t *at)
{
    const struct ht__ground ground = ground_of(b->traffic);
    uint32_t count = 0;
    const struct ht_live_piece *pieces = ht__street_pieces(street, &ground, unshut, &count);
    memcpy(&b->pieces[*at], pieces, count * sizeof *pieces);
    b->list[b->view.arc_count + b->view.unshut_count] =
        (struct ht_live_arc){street->arc, *at, *at + count};
    b->view.arc_count += !unshut;
    b->view.unshut_count += unshut;
    *at += count;
}

/* Lists the live arcs and their pieces as they are wanted. */
static enum ht_status list_fill(struct buffer *b)
{
    const struct ht__streets *streets = &b->traffic->streets;
    enum ht_status status = list_room(b);
    if (status != HT_OK) {
        return status;
    }
    uint32_t at = 0;
    b->view = (struct ht_live_arcs){.turn_closed = b->turn_closed};
    for (size_t i = 0; i < streets->count; i++) {
        list_add(b, &streets->list[i], false, &at);
    }
    for (size_t i = 0; i < streets->count; i++) {
        if (ht__street_is_shut(&streets->list[i])) {
            list_add(b, &streets->list[i], true, &at);
        }
    }
    b->view.arcs = b->list;
    b->view.pieces = b->pieces;
    b->view.unshut = b->list + streets->count;
    return HT_OK;
}

/* What driving a whole arc costs now. */
static void arc_price(struct buffer *b, uint32_t arc)
{
    const struct ht_live_arc *live = ht_live_arc(&b->graph, arc);
    const struct ht_arc *ground = &ground_of(b->traffic).arcs[arc];
    uint64_t weight = 0;
    uint64_t duration = 0;
    bool closed = false;
    for (uint32_t i = live == NULL ? 0 : live->piece_first; live != NULL && i < live->piece_end;
         i++) {
        weight += b->pieces[i].weight_ms;
        duration += b->pieces[i].duration_ms;
        closed = closed || b->pieces[i].closed != 0;
    }
    closed = closed || weight >= HT_WEIGHT_INF || duration >= HT_WEIGHT_INF;
    b->arcs[arc].weight_ms = live == NULL ? ground->weight_ms
                             : closed     ? HT_WEIGHT_INF
                                          : (uint32_t)weight;
    b->arcs[arc].duration_ms = live == NULL ? ground->duration_ms : closed ? 0 : (uint32_t)duration;
}

/* ---- buffers ---- */

static void buffer_attach(struct buffer *b)
{
    b->graph = *b->traffic->base.graph;
    b->graph.arcs = b->arcs;
    b->graph.live = &b->view;
    b->live.view = (struct ht_world_road){.road = b->traffic->base, .turn_closed = b->turn_closed};
    b->live.view.road.graph = &b->graph;
    b->live.view.road.snap = b->snap;
    b->live.view.road.metric = ht_metric_view(b->metric);
}

/* Arcs and closed turns of its own, as these are. */
static enum ht_status buffer_fill(struct buffer *b, const struct ht_arc *arcs,
                                  const uint8_t *turn_closed)
{
    const struct ht_graph *graph = b->traffic->base.graph;
    b->arcs = ht_array_new(graph->arc_count, sizeof *b->arcs);
    b->turn_closed = ht_array_new(graph->turn_count, sizeof *b->turn_closed);
    if (b->arcs == NULL || b->turn_closed == NULL) {
        return HT_NOMEM;
    }
    memcpy(b->arcs, arcs, graph->arc_count * sizeof *b->arcs);
    memcpy(b->turn_closed, turn_closed, graph->turn_count * sizeof *b->turn_closed);
    b->graph = *graph;
    b->graph.arcs = b->arcs;
    b->graph.live = &b->view;
    return HT_OK;
}

/* With its metric: puts it to use. */
static enum ht_status buffer_open(struct buffer *b)
{
    const struct ht_snap_index *snap = b->traffic->base.snap;
    enum ht_status status = snap == NULL ? HT_OK : ht_snap_over(snap, &b->graph, &b->snap);
    if (status == HT_OK) {
        buffer_attach(b);
        b->made = true;
    }
    return status;
}

/* A buffer that obeys what is wanted, from nothing. */
static enum ht_status buffer_make(struct buffer *b, struct ht_pool *pool)
{
    const struct ht_traffic *t = b->traffic;
    const struct ht_graph *graph = t->base.graph;
    enum ht_status status = buffer_fill(b, ground_of(t).arcs, t->turn_closed);
    if (status == HT_OK) {
        status = list_fill(b);
    }
    for (size_t i = 0; status == HT_OK && i < t->streets.count; i++) {
        uint32_t arc = t->streets.list[i].arc;
        const uint32_t *copies = NULL;
        uint32_t count = ht_graph_copies(graph, arc, &copies);
        arc_price(b, arc);
        for (uint32_t c = 0; c < count; c++) {
            arc_price(b, copies[c]);
        }
    }
    struct ht_overlay overlay = {.turn_closed = b->turn_closed};
    if (status == HT_OK) {
        status = ht_customize(&b->graph, t->base.cch, &overlay, pool, &b->metric);
    }
    b->stale.count = 0;
    return status == HT_OK ? buffer_open(b) : status;
}

/* A buffer that is where another stands, be that read or not. */
static enum ht_status buffer_copy(struct buffer *b, const struct buffer *from)
{
    enum ht_status status = buffer_fill(b, from->arcs, from->turn_closed);
    if (status == HT_OK) {
        b->stale.count = 0;
        status = stale_add(&b->stale, from->stale.arcs, from->stale.count);
    }
    if (status == HT_OK) {
        status = ht_metric_copy(b->traffic->base.cch, from->metric, &b->metric);
    }
    return status == HT_OK ? buffer_open(b) : status;
}

/* Replays what a buffer missed. */
static enum ht_status buffer_update(struct buffer *b)
{
    const struct ht_traffic *t = b->traffic;
    enum ht_status status = list_fill(b);
    if (status != HT_OK) {
        return status;
    }
    stale_once(&b->stale);
    for (size_t i = 0; i < b->stale.count; i++) {
        arc_price(b, b->stale.arcs[i]);
    }
    for (uint32_t c = 0; c < t->base.graph->condition_count; c++) {
        uint32_t turn = t->base.graph->conditions[c].turn;
        b->turn_closed[turn] = t->turn_closed[turn];
    }
    struct ht_overlay overlay = {.turn_closed = b->turn_closed};
    status = ht_metric_update(&b->graph, t->base.cch, &overlay, b->stale.arcs, b->stale.count,
                              t->work, b->metric, NULL);
    if (status == HT_OK) {
        b->stale.count = 0;
    }
    return status;
}

static bool is_free(const struct buffer *b)
{
    return atomic_load_explicit(&b->live.references, memory_order_acquire) == 0;
}

/* The buffer to write to: made and read by nobody, else one to be made; NULL: all are read. */
static struct buffer *buffer_find(struct ht_traffic *t)
{
    struct buffer *unmade = NULL;
    struct buffer *best = NULL;
    for (int i = BUFFERS; i-- > 0;) {
        struct buffer *b = &t->buffers[i];
        if (!b->made) {
            unmade = b;
        } else if (is_free(b) && (best == NULL || b->stale.count < best->stale.count)) {
            best = b;
        }
    }
    return best != NULL ? best : unmade;
}

static int made_count(const struct ht_traffic *t)
{
    int count = 0;
    for (int i = 0; i < BUFFERS; i++) {
        count += t->buffers[i].made ? 1 : 0;
    }
    return count;
}

/* Where readers are about to let go of one, that is much sooner than another one is made. */
static struct buffer *buffer_wait(struct ht_traffic *t)
{
    const struct timespec moment = {.tv_nsec = PATIENT_NS};
    const struct timespec step = {.tv_nsec = 1000000};
    struct buffer *b = buffer_find(t);
    for (int i = 0; b != NULL && !b->made && made_count(t) >= ENOUGH && i < PATIENT; i++) {
        (void)nanosleep(&moment, NULL);
        b = buffer_find(t);
    }
    for (int i = 0; b == NULL && i < WAIT_MS; i++) {
        (void)nanosleep(&step, NULL);
        b = buffer_find(t);
    }
    return b;
}

/* Whether so much changed that a metric from nothing is there sooner: each arc that changed is some
 * dozens of edges of the hierarchy, one by one, while all of them go by rows. On the sample town
 * both take as long where one arc of fifty changed (bench_speeds). */
static bool is_behind(const struct buffer *b)
{
    return b->stale.count > FEW + b->traffic->base.graph->arc_count / MANY;
}

/* One to copy from: of those that are made the one that misses least; NULL: none is, or it misses
 * too much. */
static const struct buffer *buffer_made(const struct ht_traffic *t)
{
    const struct buffer *best = NULL;
    for (int i = 0; i < BUFFERS; i++) {
        const struct buffer *b = &t->buffers[i];
        if (b->made && (best == NULL || b->stale.count < best->stale.count)) {
            best = b;
        }
    }
    return best != NULL && is_behind(best) ? NULL : best;
}

static enum ht_status buffer_obey(struct buffer *b, struct ht_pool *pool)
{
    if (b->made && is_behind(b)) {
        buffer_empty(b);
    }
    const struct buffer *other = buffer_made(b->traffic);
    enum ht_status status = HT_OK;
    if (!b->made) {
        status = other == NULL ? buffer_make(b, pool) : buffer_copy(b, other);
    }
    if (status == HT_OK) {
        status = buffer_update(b);
    }
    if (status != HT_OK) {
        buffer_empty(b); /* made anew the next time */
    } else {
        b->live.view.version = ht_world_version();
    }
    return status;
}

/* Tells the buffers what changed. HT_NOMEM: to be told again to all, which does no harm. */
static enum ht_status tell(struct ht_traffic *t)
{
    enum ht_status status = HT_OK;
    for (int i = 0; i < BUFFERS && status == HT_OK; i++) {
        if (t->buffers[i].made) {
            status = stale_add(&t->buffers[i].stale, t->changed.arcs, t->changed.count);
        }
    }
    if (status == HT_OK) {
        t->changed.count = 0;
    }
    return status;
}

enum ht_status ht_traffic_prepare(struct ht_traffic *traffic, struct ht_pool *pool)
{
    enum ht_status status = tell(traffic);
    for (int i = 0; i < BUFFERS && status == HT_OK; i++) {
        struct buffer *b = &traffic->buffers[i];
        bool behind = b->made && b->stale.count > 0 && is_free(b);
        if ((i < ENOUGH && !b->made) || behind) {
            status = buffer_obey(b, pool);
        }
    }
    return status;
}

/* ---- giving out ---- */

/* Holds a road for whom it is given to; the first one holds its maker. */
static void hold(struct ht_traffic *t, struct ht_live_road *live)
{
    if (atomic_fetch_add_explicit(&live->references, 1, memory_order_acquire) == 0) {
        (void)atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
    }
}

static void give(struct ht_traffic *t, struct ht_live_road *live, struct ht_live_road **out)
{
    hold(t, live);
    if (live != t->last) {
        struct ht_live_road *before = t->last;
        hold(t, live);
        t->last = live;
        ht_live_road_release(before);
    }
    *out = live;
}

enum ht_status ht_traffic_apply(struct ht_traffic *traffic, const struct ht_traffic_change *changes,
                                size_t count, const uint8_t *turn_closed, struct ht_pool *pool,
                                struct ht_live_road **out)
{
    for (size_t i = 0; i < count; i++) {
        if (!ht__change_sound(traffic->base.graph, &changes[i])) {
            return HT_RANGE;
        }
    }
    enum ht_status status = want(traffic, changes, count, turn_closed);
    bool any = traffic->changed.count > 0;
    status = status == HT_OK ? tell(traffic) : status;
    if (status != HT_OK) {
        return status;
    }
    if (traffic->streets.count == 0 && traffic->turns_closed == 0 && traffic->learned == NULL) {
        give(traffic, &traffic->filed, out);
        return HT_OK;
    }
    struct buffer *last = (struct buffer *)(void *)traffic->last;
    if (!any && traffic->last != NULL && traffic->last != &traffic->filed &&
        last->stale.count == 0) {
        give(traffic, traffic->last, out);
        return HT_OK;
    }
    struct buffer *b = buffer_wait(traffic);
    status = b == NULL ? HT_BUSY : buffer_obey(b, pool);
    if (status == HT_OK) {
        give(traffic, &b->live, out);
    }
    return status;
}
