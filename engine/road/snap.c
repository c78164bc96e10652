/* Searching the snap index.
 *
 *   root  [ . . X . ]          depth first, nearest child first: the first leaf reached nearly
 *           /   |              always holds the answer, and its distance prunes the rest.
 *   level 0 [ X . x ]          Kernels look at 16 children at once in single precision; a child
 *           /     \            within reach of the best so far is entered, a segment within reach
 *   leaves [|||X]  [||||]      is measured exactly, in doubles.
 */
#include "engine/base/array.h"
#include "engine/road/snap_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Squared radius of looks so narrow that few children are within it. */
static const double CALL_M2 = 100.0 * 100.0;

struct ht_snap_work {
    struct ht_snap_hit *hits;
    size_t capacity;
    const struct ht_snap_index *index; /* what they are of */
    struct ht_point input;
};

/* The nearest so far, in order. */
struct list {
    struct ht_snap_hit *hits;
    uint32_t count;
    uint32_t most;
};

struct step {
    float square[HT_SNAP_FAN];
    uint32_t left; /* children still to be entered */
    uint32_t node;
    struct ht_snap_frame frame;
};

struct search {
    const struct ht_snap_index *index;
    const struct ht_snap_options *options;
    struct ht_point input;
    struct ht_scale scale;
    double limit; /* square of the distance at which nothing matters any more */
    bool faces;   /* options look at the direction of the street */
    bool trip;    /* `big` decides when to end */
    struct list all;
    struct list big; /* outside islands */
    struct step steps[HT_SNAP_LEVELS];
    uint32_t level; /* of the step at hand */
    uint32_t child; /* of it, to be visited next */
    struct ht_snap_frame child_frame;
};

enum ht_status ht_snap_work_new(struct ht_snap_work **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_snap_work_free(struct ht_snap_work *work)
{
    if (work != NULL) {
        free(work->hits);
        free(work);
    }
}

static bool hit_before(const struct ht_snap_index *index, const struct ht_snap_hit *a,
                       const struct ht_snap_hit *b)
{
    if (a->square_m2 != b->square_m2) {
        return a->square_m2 < b->square_m2;
    }
    return a->piece != b->piece ? ht_snap_arc(index, a->piece) < ht_snap_arc(index, b->piece)
                                : a->from < b->from;
}

static void list_add(const struct ht_snap_index *index, struct list *list,
                     const struct ht_snap_hit *hit)
{
    if (list->count == list->most) {
        if (!hit_before(index, hit, &list->hits[list->count - 1])) {
            return;
        }
        list->count--;
    }
    uint32_t at = list->count++;
    while (at > 0 && hit_before(index, hit, &list->hits[at - 1])) {
        list->hits[at] = list->hits[at - 1];
        at--;
    }
    list->hits[at] = *hit;
}

static struct ht_snap_eye eye_of(const struct search *s, struct ht_snap_frame frame)
{
    double step = (double)(UINT64_C(1) << frame.shift);
    return (struct ht_snap_eye){
        .x = (float)((double)(s->input.lon_e7 - frame.x) / step),
        .y = (float)((double)(s->input.lat_e7 - frame.y) / step),
        .step_x_m = (float)(s->scale.lon_m * 1e-7 * step),
        .step_y_m = (float)(s->scale.lat_m * 1e-7 * step),
    };
}

/* The true ends of a segment: from the leaf where it is exact, which saves three cache misses. */
static void ends_of(const struct ht_snap_index *index, const struct ht_snap_leaf *leaf,
                    uint32_t lane, struct ht_snap_frame frame, uint32_t entry,
                    struct ht_point ends[2])
{
    if (frame.shift == 0) {
        ends[0].lon_e7 = (int32_t)(frame.x + leaf->from_x[lane]);
        ends[0].lat_e7 = (int32_t)(frame.y + leaf->from_y[lane]);
        ends[1].lon_e7 = (int32_t)(frame.x + leaf->to_x[lane]);
        ends[1].lat_e7 = (int32_t)(frame.y + leaf->to_y[lane]);
        return;
    }
    const uint32_t *node = &index->network->way_node[index->tree.from[entry]];
    ends[0] = index->network->node_point[node[0]];
    ends[1] = index->network->node_point[node[1]];
}

/* Measures one segment, and keeps it when it is near enough and the options allow it. */
static void consider(struct search *s, const struct ht_point ends[2], uint32_t number)
{
    struct ht_snap_foot foot = ht_snap__foot(s->scale, s->input, ends[0], ends[1]);
    if (foot.square_m2 > s->limit) {
        return;
    }
    const struct ht_snap_index *index = s->index;
    const struct ht_snap_options *options = s->options;
    uint32_t packed = ht_snap_packed(index, number);
    uint32_t from = index->tree.from[number];
    struct ht_snap_hit hit = {
        .square_m2 = foot.square_m2,
        .ratio = foot.ratio,
        .entry = number,
        .from = from,
        .piece = ht_snap_piece(index->blocks, from),
        .sides = ht_snap__sides(options, packed),
        .ends = {ends[0], ends[1]},
    };
    if (index->graph->live != NULL && hit.sides != 0) {
        struct ht_snap_ref ref = ht_snap__ref(index, number);
        hit.sides &= ht_snap__sides_open(index->graph, &ref);
    }
    if (s->faces && hit.sides != 0) {
        bool left = options->approach != HT_APPROACH_UNRESTRICTED &&
                    ht_snap__left_hand(index, ht_snap_arc(index, hit.piece));
        hit.sides = ht_snap__sides_facing(options, hit.sides, packed, left, s->input, ends);
    }
    if (hit.sides == 0) {
        return;
    }
    if (options->radius_m >= 0.0 &&
        ht_distance_m(s->input, ht_point_between(ends[0], ends[1], foot.ratio)) >
            options->radius_m) {
        return;
    }
    unsigned large = hit.sides & ~(packed / HT_SNAP_SMALL) & 3u;
    hit.small = large == 0;
    __builtin_prefetch(&index->arcs[hit.piece]); /* the place will need it */
    list_add(index, &s->all, &hit);
    if (s->trip && large != 0) {
        list_add(index, &s->big, &hit);
    }
    const struct list *deciding = s->trip ? &s->big : &s->all;
    if (deciding->count == deciding->most) {
        double worst = deciding->hits[deciding->count - 1].square_m2;
        s->limit = worst < s->limit ? worst : s->limit;
    }
}

static void search_leaf(struct search *s, uint32_t number, struct ht_snap_frame frame)
{
    const struct ht_snap_index *index = s->index;
    const struct ht_snap_leaf *leaf = &index->tree.leaves[number];
    uint32_t first = number * HT_SNAP_FAN;
    uint32_t left = index->kernels->present(&index->sides[(size_t)first]);
    if (left == 0) {
        return;
    }
    float steps = frame.shift == 0 ? 0.2f : 2.0f;
    struct ht_snap_eye eye = eye_of(s, frame);
    float square[HT_SNAP_FAN];
    index->kernels->segments(leaf, &eye, square);
    for (;;) {
        uint32_t lane =
            index->kernels->nearest(square, left, ht_snap__reach(s->limit, &eye, steps));
        if (lane == HT_SNAP_FAN) {
            return;
        }
        left &= ~(1u << lane);
        struct ht_point ends[2];
        ends_of(index, leaf, lane, frame, first + lane, ends);
        consider(s, ends, first + lane);
    }
}

static void call_child(const struct ht_snap_index *index, uint32_t level, uint32_t child)
{
    const char *node = level == 0 ? (const char *)&index->tree.leaves[child]
                                  : (const char *)&index->tree.level[level - 1][child];
    __builtin_prefetch(node);
    __builtin_prefetch(node + 64);
    if (level == 0) {
        __builtin_prefetch(&index->sides[(size_t)child * HT_SNAP_FAN]);
        __builtin_prefetch(&index->tree.from[(size_t)child * HT_SNAP_FAN]);
    }
}

/* A look with a radius enters most children within it, each as far from the last as memory can be:
 * asked for at once, they come together. Without one only the nearest is sure to be entered. */
static void call_children(const struct search *s, const struct step *step, uint32_t level,
                          const struct ht_snap_eye *eye)
{
    const struct ht_snap_index *index = s->index;
    float reach = ht_snap__reach(s->limit, eye, 0.05f);
    for (uint32_t left = step->left; left != 0; left &= left - 1) {
        uint32_t k = (uint32_t)__builtin_ctz(left);
        uint32_t child = step->node * HT_SNAP_FAN + k;
        if (step->square[k] > reach) {
            continue;
        }
        call_child(index, level, child);
    }
}

static void step_enter(const struct search *s, struct step *step, uint32_t level)
{
    const struct ht_snap_index *index = s->index;
    uint32_t below = level == 0 ? index->tree.head->leaf_count : index->tree.level_size[level - 1];
    uint32_t count = below - step->node * HT_SNAP_FAN;
    struct ht_snap_eye eye = eye_of(s, step->frame);
    index->kernels->boxes(&index->tree.level[level][step->node], &eye, step->square);
    step->left = count >= HT_SNAP_FAN ? 0xffffu : (1u << count) - 1;
    if (s->limit < CALL_M2) {
        call_children(s, step, level, &eye);
    }
}

/* Where the search goes next, brought near from memory; false: it has ended. */
static bool search_choose(struct search *s)
{
    const struct ht_snap_index *index = s->index;
    uint32_t top = index->tree.head->level_count - 1;
    for (;;) {
        struct step *step = &s->steps[s->level];
        struct ht_snap_eye eye = eye_of(s, step->frame);
        uint32_t child = index->kernels->nearest(step->square, step->left,
                                                 ht_snap__reach(s->limit, &eye, 0.05f));
        if (child == HT_SNAP_FAN) {
            if (s->level == top) {
                return false;
            }
            s->level++;
            continue;
        }
        step->left &= ~(1u << child);
        s->child_frame =
            ht_snap_frame_child(&index->tree.level[s->level][step->node], step->frame, child);
        s->child = step->node * HT_SNAP_FAN + child;
        call_child(index, s->level, s->child);
        return true;
    }
}

static void search_visit(struct search *s)
{
    if (s->level == 0) {
        search_leaf(s, s->child, s->child_frame);
        return;
    }
    s->level--;
    s->steps[s->level].node = s->child;
    s->steps[s->level].frame = s->child_frame;
    step_enter(s, &s->steps[s->level], s->level);
}

/* False: there is nothing to be found. */
static bool search_enter(struct search *s)
{
    const struct ht_snap_index *index = s->index;
    if (index->tree.head->entry_count == 0) {
        return false;
    }
    s->level = index->tree.head->level_count - 1;
    s->steps[s->level].node = 0;
    s->steps[s->level].frame = ht_snap_frame_root(index->tree.head);
    step_enter(s, &s->steps[s->level], s->level);
    return search_choose(s);
}

static void search_run(struct search *s)
{
    for (bool going = search_enter(s); going; going = search_choose(s)) {
        search_visit(s);
    }
}

static void search_begin(struct search *s, const struct ht_snap_index *index, struct ht_point point,
                         const struct ht_snap_options *options)
{
    s->index = index;
    s->options = options;
    s->input = point;
    s->scale = ht_scale_at(point.lat_e7);
    s->faces = options->bearing_deg >= 0 || options->approach != HT_APPROACH_UNRESTRICTED;
    s->trip = false;
    s->limit = INFINITY;
    if (options->radius_m >= 0.0) {
        /* The exact test measures from band to band of latitude: leave it some room. */
        double radius = options->radius_m * 1.02 + 1.0;
        s->limit = radius * radius;
    }
}

enum ht_status ht_snap_look(const struct ht_snap_index *index, struct ht_snap_work *work,
                            struct ht_point point, const struct ht_snap_options *options,
                            uint32_t count, uint32_t *found)
{
    *found = 0;
    if (count == 0) {
        return HT_NO_SEGMENT;
    }
    void *hits = work->hits;
    enum ht_status status = ht_array_reserve(&hits, &work->capacity, count, sizeof *work->hits);
    work->hits = hits;
    if (status != HT_OK) {
        return status;
    }
    struct search s;
    search_begin(&s, index, point, options);
    s.all = (struct list){.hits = work->hits, .most = count};
    search_run(&s);
    work->index = index;
    work->input = point;
    *found = s.all.count;
    return s.all.count == 0 ? HT_NO_SEGMENT : HT_OK;
}

struct ht_snap_seen ht_snap_seen(const struct ht_snap_work *work, uint32_t i)
{
    const struct ht_snap_hit *hit = &work->hits[i];
    struct ht_point point = ht_point_between(hit->ends[0], hit->ends[1], hit->ratio);
    return (struct ht_snap_seen){.arc = ht_snap_arc(work->index, hit->piece),
                                 .small = hit->small,
                                 .distance_m = ht_distance_m(work->input, point),
                                 .ends = {hit->ends[0], hit->ends[1]}};
}

void ht_snap_seen_place(const struct ht_snap_work *work, uint32_t i, struct ht_place *out)
{
    const struct ht_snap_hit *hit = &work->hits[i];
    ht_snap__place(work->index, work->input, hit, out);
}

/* One parameter more than usual: each is a thing of its own, and there is no eighth to come. */
/* NOLINTNEXTLINE(readability-function-size) */
enum ht_status ht_snap_nearest(const struct ht_snap_index *index, struct ht_snap_work *work,
                               struct ht_point point, const struct ht_snap_options *options,
                               uint32_t count, struct ht_place *out, uint32_t *found)
{
    enum ht_status status = ht_snap_look(index, work, point, options, count, found);
    for (uint32_t i = 0; i < *found; i++) {
        ht_snap_seen_place(work, i, &out[i]);
    }
    return status;
}

/* --- trips --------------------------------------------------------------------------------------
 */

/* So many searches go on at the same time. */
enum { TOGETHER = 16 };

struct trip {
    struct search search;
    struct ht_snap_hit nearest;
    struct ht_snap_hit big;
};

static void trip_begin(struct trip *t, const struct ht_snap_index *index, struct ht_point point,
                       const struct ht_snap_options *options)
{
    search_begin(&t->search, index, point, options);
    t->search.trip = true;
    t->search.all = (struct list){.hits = &t->nearest, .most = 1};
    t->search.big = (struct list){.hits = &t->big, .most = 1};
}

static uint32_t trip_places(const struct trip *t, struct ht_place out[2])
{
    const struct ht_snap_index *index = t->search.index;
    struct ht_point point = t->search.input;
    if (t->search.all.count == 0) {
        return 0;
    }
    ht_snap__place(index, point, &t->nearest, &out[0]);
    if (t->search.big.count == 0) {
        return 1;
    }
    if (t->big.entry == t->nearest.entry) {
        out[1] = out[0];
    } else {
        ht_snap__place(index, point, &t->big, &out[1]);
    }
    return 2;
}

enum ht_status ht_snap_trip(const struct ht_snap_index *index, struct ht_snap_work *work,
                            struct ht_point point, const struct ht_snap_options *options,
                            struct ht_place out[2], uint32_t *found)
{
    (void)work;
    struct trip trip;
    trip_begin(&trip, index, point, options);
    search_run(&trip.search);
    *found = trip_places(&trip, out);
    return *found == 0 ? HT_NO_SEGMENT : HT_OK;
}

/* What the places will read of the graph, for all of them before any reads it: in rounds, each
 * waiting for what the one before has brought. */
static void trips_call(const struct trip *trips, size_t count)
{
    const struct ht_snap_hit *hits[2 * TOGETHER];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (trips[i].search.all.count > 0) {
            hits[n++] = &trips[i].nearest;
        }
        if (trips[i].search.big.count > 0 && trips[i].big.entry != trips[i].nearest.entry) {
            hits[n++] = &trips[i].big;
        }
    }
    for (int round = 0; round < HT_SNAP_CALLS; round++) {
        for (size_t i = 0; i < n; i++) {
            ht_snap__place_call(trips[0].search.index, hits[i], round);
        }
    }
}

static void trips_run(struct trip *trips, size_t count)
{
    struct search *going[TOGETHER];
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (search_enter(&trips[i].search)) {
            going[left++] = &trips[i].search;
        }
    }
    while (left > 0) {
        size_t kept = 0;
        for (size_t i = 0; i < left; i++) {
            search_visit(going[i]);
            if (search_choose(going[i])) {
                going[kept++] = going[i];
            }
        }
        left = kept;
    }
}

void ht_snap_trips(const struct ht_snap_index *index, const struct ht_snap_ask *asks, size_t count,
                   struct ht_snap_trip *out)
{
    struct trip trips[TOGETHER];
    for (size_t first = 0; first < count; first += TOGETHER) {
        size_t n = count - first < TOGETHER ? count - first : TOGETHER;
        for (size_t i = 0; i < n; i++) {
            trip_begin(&trips[i], index, asks[first + i].point, &asks[first + i].options);
        }
        trips_run(trips, n);
        trips_call(trips, n);
        for (size_t i = 0; i < n; i++) {
            out[first + i].found = trip_places(&trips[i], out[first + i].place);
        }
    }
}
