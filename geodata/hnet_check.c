/* Checking a mapped profile: each chunk of each section is read, summed, and its indices are
 * compared with the ends of the arrays they point into, in one pass while the chunk is in the
 * cache. A good checksum alone would not do: it says that the file is as it was written, not that
 * what was written is sound. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/road/guide.h"
#include "geodata/hnet_internal.h"

const char *const ht__hnet_names[HT__SECTION_COUNT] = {
#define HT__HNET_NAME(name, item) #name,
    HT__HNET_SHARED(HT__HNET_NAME) HT__HNET_OWN(HT__HNET_NAME)
#undef HT__HNET_NAME
};

const uint32_t ht__hnet_items[HT__SECTION_COUNT] = {
#define HT__HNET_ITEM(name, item) item,
    HT__HNET_SHARED(HT__HNET_ITEM) HT__HNET_OWN(HT__HNET_ITEM)
#undef HT__HNET_ITEM
};

uint64_t ht__hnet_combine(const uint64_t *hashes, size_t chunks)
{
    return chunks == 1 ? hashes[0] : ht__hnet_hash(hashes, chunks * sizeof *hashes);
}

/* A chunk of a section, read into memory of its own: `count` items from number `first` on and,
 * where the section goes on, the one after them. */
struct chunk {
    const struct ht__hnet_profile *p;
    const void *items;
    size_t first;
    size_t count;
};

/* All values below `limit`. Branch-free within the run: it is compared by vectors. */
static bool below(const struct chunk *c, uint32_t limit)
{
    const uint32_t *values = c->items;
    uint32_t most = 0;
    for (size_t i = 0; i < c->count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return c->count == 0 || most < limit;
}

/* Of `rows` things that a section holds one more of (ends of rows), those that begin here. */
static size_t rows_here(const struct chunk *c, uint32_t rows)
{
    return c->first + c->count <= rows ? c->count : rows - c->first;
}

/* Starts of rows: from 0, never falling, to `end`; `rows` + 1 of them. */
static bool starts(const struct chunk *c, uint32_t rows, uint32_t end)
{
    const uint32_t *values = c->items;
    size_t here = rows_here(c, rows);
    bool sound = (c->first > 0 || values[0] == 0) && (here == c->count || values[here] == end);
    uint32_t falls = 0;
    for (size_t i = 0; i < here; i++) {
        falls |= values[i] > values[i + 1];
    }
    return sound && falls == 0;
}

/* |lon| and |lat| within the world, without a branch. */
static bool check_node_point(const struct chunk *c)
{
    const struct ht_point *points = c->items;
    uint32_t outside = 0;
    for (size_t i = 0; i < c->count; i++) {
        uint32_t lon = (uint32_t)points[i].lon_e7 + HT_LON_MAX_E7;
        uint32_t lat = (uint32_t)points[i].lat_e7 + HT_LAT_MAX_E7;
        outside |= (lon > 2U * HT_LON_MAX_E7) | (lat > 2U * HT_LAT_MAX_E7);
    }
    return outside == 0;
}

static bool check_node_osm_id(const struct chunk *c)
{
    const int64_t *ids = c->items;
    size_t pairs = rows_here(c, c->p->network.node_count - 1);
    for (size_t i = 0; i < pairs; i++) {
        if (ids[i] >= ids[i + 1]) {
            return false;
        }
    }
    return true;
}

static bool way_sound(const struct ht_network *n, const struct ht_way *w)
{
    const uint32_t texts[] = {w->name,  w->name_zh,       w->name_en,
                              w->ref,   w->pronunciation, w->destinations,
                              w->exits, w->lanes_forward, w->lanes_backward};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        if (texts[k] >= n->strings_size) {
            return false;
        }
    }
    return w->first_node < w[1].first_node && w->road_class <= HT_ROAD_OTHER;
}

static bool check_way(const struct chunk *c)
{
    const struct ht_network *n = &c->p->network;
    const struct ht_way *ways = c->items;
    size_t here = rows_here(c, n->way_count);
    bool sound = (c->first > 0 || ways[0].first_node == 0) &&
                 (here == c->count || ways[here].first_node == n->way_node_count);
    for (size_t i = 0; sound && i < here; i++) {
        sound = way_sound(n, &ways[i]);
    }
    return sound;
}

static bool check_way_node(const struct chunk *c)
{
    return below(c, c->p->network.node_count);
}

static bool check_strings(const struct chunk *c)
{
    const char *text = c->items;
    bool last = c->first + c->count == c->p->network.strings_size;
    return (c->first > 0 || text[0] == '\0') && (!last || text[c->count - 1] == '\0');
}

static bool check_junction_node(const struct chunk *c)
{
    return below(c, c->p->network.node_count);
}

static bool check_first_out(const struct chunk *c)
{
    return starts(c, c->p->graph.junction_count, c->p->graph.base_arc_count);
}

static bool check_first_in(const struct chunk *c)
{
    return starts(c, c->p->graph.junction_count, c->p->meta.in_count);
}

static bool check_junction_in(const struct chunk *c)
{
    return below(c, c->p->graph.base_arc_count);
}

/* Bit by bit without branches: an arc is five comparisons, and there are millions. */
static bool check_arc(const struct chunk *c)
{
    const struct ht_graph *g = &c->p->graph;
    const struct ht_network *n = &c->p->network;
    const struct ht_arc *arcs = c->items;
    uint32_t wrong = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct ht_arc *a = &arcs[i];
        wrong |= (a->tail >= g->junction_count) | (a->head >= g->junction_count) |
                 (a->way >= n->way_count) | (a->from >= n->way_node_count) |
                 (ht_arc_to(a) >= n->way_node_count) | (a->segments == 0);
        wrong |= ((a->reverse != HT_NONE) & (a->reverse >= g->base_arc_count)) |
                 (a->weight_ms >= HT_WEIGHT_INF) | (a->duration_ms >= HT_WEIGHT_INF) |
                 (a->mode > HT_MODE_PUSHING);
    }
    return wrong == 0;
}

static bool check_turn_first(const struct chunk *c)
{
    return starts(c, c->p->graph.arc_count, c->p->graph.turn_count);
}

/* The edge of one turn lies on the side that the ranks of its arcs say. Whose turn it is, is
 * searched for: the arrays may be wrong, but the search stays within them. */
static bool edge_sound(const struct ht__hnet_profile *p, size_t turn, uint32_t edge)
{
    const struct ht_graph *g = &p->graph;
    const struct ht_cch *c = &p->cch;
    uint32_t from = ht_graph_turn_from(g, (uint32_t)turn);
    if (g->arcs[from].head >= g->junction_count) {
        return false;
    }
    uint32_t to = ht_turn_to(g, from, (uint32_t)turn);
    if (to >= g->arc_count) {
        return false;
    }
    bool up = c->rank[from] < c->rank[to];
    return edge < (up ? c->out.edge_count : c->in.edge_count);
}

/* Nearly all edges lie below the ends of both sides; the few others are looked at one by one. */
static bool check_turn_edge(const struct chunk *c)
{
    const struct ht_cch *cch = &c->p->cch;
    const uint32_t *edges = c->items;
    uint32_t least =
        cch->out.edge_count < cch->in.edge_count ? cch->out.edge_count : cch->in.edge_count;
    uint32_t beyond = 0;
    for (size_t t = 0; t < c->count; t++) {
        beyond |= (edges[t] >= least) & (edges[t] != HT_NONE);
    }
    bool sound = true;
    for (size_t t = 0; beyond != 0 && sound && t < c->count; t++) {
        sound = edges[t] < least || edges[t] == HT_NONE || edge_sound(c->p, c->first + t, edges[t]);
    }
    return sound;
}

/* Where one leads to is reckoned from the arc before it, and kept within the arrays there. */
static bool check_turn(const struct chunk *c)
{
    const uint32_t *turns = c->items;
    uint32_t most = 0;
    for (size_t i = 0; i < c->count; i++) {
        bool listed = (turns[i] & HT_TURN_LISTED) == HT_TURN_LISTED;
        uint32_t prices = listed ? 0 : (turns[i] >> HT_TURN_EXIT_BITS) + 1;
        most = prices > most ? prices : most;
    }
    return most <= c->p->meta.turn_price_count;
}

static bool check_turn_price(const struct chunk *c)
{
    const struct ht_turn_price *prices = c->items;
    uint32_t sound = 1;
    for (size_t i = 0; i < c->count; i++) {
        sound &= (prices[i].weight_ms < HT_WEIGHT_INF) & (prices[i].duration_ms < HT_WEIGHT_INF);
    }
    return sound == 1;
}

static bool check_turn_listed(const struct chunk *c)
{
    const struct ht_turn_listed *turns = c->items;
    const struct ht_graph *g = &c->p->graph;
    size_t pairs = rows_here(c, g->turn_listed_count - 1);
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = turns[i].turn < g->turn_count && turns[i].is.to < g->arc_count &&
                turns[i].is.weight_ms < HT_WEIGHT_INF && turns[i].is.duration_ms < HT_WEIGHT_INF &&
                (i >= pairs || turns[i].turn < turns[i + 1].turn);
    }
    return sound;
}

static bool check_condition(const struct chunk *c)
{
    const struct ht_turn_condition *conditions = c->items;
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = conditions[i].turn < c->p->graph.turn_count &&
                conditions[i].schedule < c->p->network.strings_size;
    }
    return sound;
}

static bool check_maneuver(const struct chunk *c)
{
    const struct ht_maneuver *m = c->items;
    size_t pairs = rows_here(c, c->p->graph.maneuver_count - 1);
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = m[i].count >= 2 && m[i].count <= HT_MANEUVER_ARCS &&
                m[i].kind < HT_MANEUVER_KINDS && m[i].modifier <= HT_MODIFIER_NONE &&
                (i >= pairs || m[i].arcs[0] <= m[i + 1].arcs[0]);
    }
    return sound;
}

static bool check_copy_base(const struct chunk *c)
{
    return below(c, c->p->graph.base_arc_count);
}

static bool check_copy_first(const struct chunk *c)
{
    return starts(c, c->p->graph.copy_base_count, c->p->meta.copy_list_count);
}

static bool check_copy_list(const struct chunk *c)
{
    const uint32_t *copies = c->items;
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = copies[i] >= c->p->graph.base_arc_count && copies[i] < c->p->graph.arc_count;
    }
    return sound;
}

static bool check_copy_of(const struct chunk *c)
{
    return below(c, c->p->graph.base_arc_count);
}

static bool check_rank(const struct chunk *c)
{
    return below(c, c->p->cch.vertex_count);
}

static bool check_rank_arc(const struct chunk *c)
{
    const uint32_t *arcs = c->items;
    bool sound = below(c, c->p->cch.vertex_count);
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = c->p->cch.rank[arcs[i]] == c->first + i;
    }
    return sound;
}

/* A parent lies above and one level nearer to the root. */
static bool check_parent(const struct chunk *c)
{
    const struct ht_cch *cch = &c->p->cch;
    const uint32_t *parents = c->items;
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        size_t v = c->first + i;
        sound = parents[i] == HT_NONE ? cch->depth[v] == 0
                                      : parents[i] > v && parents[i] < cch->vertex_count &&
                                            cch->depth[v] == cch->depth[parents[i]] + 1;
    }
    return sound;
}

static bool check_depth(const struct chunk *c)
{
    const uint16_t *depths = c->items;
    uint32_t most = 0;
    for (size_t i = 0; i < c->count; i++) {
        most = depths[i] > most ? depths[i] : most;
    }
    return most < c->p->cch.depth_max;
}

/* Rows [v, last] of one side, whose edges begin where `first` says: depths rise within a row and
 * its last lies nearer to the root than the vertex, so all do. */
struct rows {
    const struct chunk *c;
    const uint32_t *first; /* of the first vertex of the chunk; `stride` numbers apart */
    size_t stride;
    const uint16_t *depth;        /* of edges */
    const uint16_t *vertex_depth; /* of the first vertex of the chunk; `depth_stride` apart */
    size_t depth_stride;
    uint32_t edge_count;
};

/* Neighbours that do not rise are counted twice: in all edges at once, and at the starts of rows,
 * where they may. */
static bool rows_rise(const struct rows *r)
{
    uint32_t vertices = r->c->p->cch.vertex_count;
    size_t here = rows_here(r->c, vertices);
    uint32_t begin = r->first[0];
    uint32_t end = r->first[here * r->stride];
    uint32_t turned = (r->c->first == 0 && begin != 0) | (end > r->edge_count) |
                      (here < r->c->count && end != r->edge_count);
    for (size_t i = 0; i < here; i++) {
        turned |= r->first[i * r->stride] > r->first[(i + 1) * r->stride];
    }
    if (turned != 0) {
        return false;
    }
    uint32_t falls = 0;
    for (uint32_t e = begin + 1; e < end; e++) {
        falls += r->depth[e] <= r->depth[e - 1];
    }
    uint32_t wrong = 0;
    for (size_t i = 0; i < here; i++) {
        uint32_t from = r->first[i * r->stride];
        uint32_t to = r->first[(i + 1) * r->stride];
        if (from < to) {
            wrong |= r->depth[to - 1] >= r->vertex_depth[i * r->depth_stride];
            falls -= from > begin && r->depth[from] <= r->depth[from - 1];
        }
    }
    return wrong == 0 && falls == 0;
}

/* Vertices as searches climb over them: up to the parent, one level nearer to the root; and the
 * rows that they read. */
static bool check_climb(const struct chunk *c)
{
    const struct ht_metric *metric = &c->p->metric;
    const struct ht_climb *climb = c->items;
    uint32_t n = c->p->cch.vertex_count;
    size_t here = rows_here(c, n);
    bool sound = true;
    for (size_t i = 0; sound && i < here; i++) {
        size_t v = c->first + i;
        size_t parent = climb[i].up == HT_CLIMB_FAR ? ht_metric_far_parent(metric, (uint32_t)v)
                                                    : v + climb[i].up;
        const struct ht_climb *up = parent - c->first < here ? &climb[parent - c->first]
                                    : parent < n             ? &metric->climb[parent]
                                                             : NULL;
        sound = climb[i].depth < c->p->cch.depth_max &&
                (climb[i].up == 0 ? climb[i].depth == 0
                                  : parent > v && up != NULL && climb[i].depth == up->depth + 1);
    }
    for (int s = 0; s < 2 && sound; s++) {
        const uint32_t *words = c->items;
        const uint16_t *halves = c->items;
        sound = rows_rise(&(struct rows){
            .c = c,
            .first = words + offsetof(struct ht_climb, first) / sizeof *words + s,
            .stride = sizeof *climb / sizeof *words,
            .depth = metric->side[s].depth,
            .vertex_depth = halves + offsetof(struct ht_climb, depth) / sizeof *halves,
            .depth_stride = sizeof *climb / sizeof *halves,
            .edge_count = metric->side[s].edge_count});
    }
    return sound;
}

/* That their depths agree is seen where vertices name them. */
static bool check_far_parent(const struct chunk *c)
{
    const struct ht_far_parent *far = c->items;
    uint32_t n = c->p->cch.vertex_count;
    size_t pairs = rows_here(c, c->p->metric.far_parent_count - 1);
    bool sound = true;
    for (size_t i = 0; sound && i < c->count; i++) {
        sound = far[i].vertex < far[i].parent && far[i].parent < n &&
                (i >= pairs || far[i].vertex < far[i + 1].vertex);
    }
    return sound;
}

/* Rows of one side as customization reads them. */
static bool side_depths(const struct chunk *c, const struct ht_cch_side *s)
{
    return rows_rise(&(struct rows){.c = c,
                                    .first = c->items,
                                    .stride = 1,
                                    .depth = s->depth,
                                    .vertex_depth = c->p->cch.depth + c->first,
                                    .depth_stride = 1,
                                    .edge_count = s->edge_count});
}

/* The edges of the rows that begin in this chunk of a side's starts; false: not sound. */
static bool row_span(const struct chunk *c, uint32_t edge_count, uint32_t *begin, uint32_t *end)
{
    uint32_t vertices = c->p->cch.vertex_count;
    const uint32_t *first = c->items;
    *begin = first[0];
    *end = first[rows_here(c, vertices)];
    return starts(c, vertices, edge_count) && *begin <= *end && *end <= edge_count;
}

/* Upper ends fall within a row and its last lies above the vertex. The chunk is of another section,
 * the rows' starts are looked at where they are mapped. */
static bool side_rows(const struct chunk *c, const struct ht_cch_side *s)
{
    struct chunk own = *c;
    own.items = s->first + c->first;
    uint32_t begin = 0;
    uint32_t end = 0;
    if (!row_span(&own, s->edge_count, &begin, &end)) {
        return false;
    }
    uint32_t rises = 0;
    for (uint32_t e = begin + 1; e < end; e++) {
        rises += s->head[e] >= s->head[e - 1];
    }
    uint32_t wrong = 0;
    size_t last = c->first + rows_here(c, c->p->cch.vertex_count);
    for (size_t v = c->first; v < last; v++) {
        uint32_t from = s->first[v];
        uint32_t to = s->first[v + 1];
        if (from < to) {
            wrong |= s->head[to - 1] <= v;
            rises -= from > begin && s->head[from] >= s->head[from - 1];
        }
    }
    return wrong == 0 && rises == 0;
}

static bool side_heads(const struct chunk *c, const struct ht_cch_side *s)
{
    const uint32_t *heads = c->items;
    if (!below(c, c->p->cch.vertex_count)) {
        return false;
    }
    uint32_t differs = 0;
    for (size_t i = 0; i < c->count; i++) {
        differs |= (uint32_t)(s->depth[c->first + i] ^ c->p->cch.depth[heads[i]]);
    }
    return differs == 0;
}

static bool check_out_up_first(const struct chunk *c)
{
    return side_depths(c, &c->p->cch.out);
}

static bool check_in_up_first(const struct chunk *c)
{
    return side_depths(c, &c->p->cch.in);
}

static bool check_out_up(const struct chunk *c)
{
    return side_heads(c, &c->p->cch.out);
}

static bool check_in_up(const struct chunk *c)
{
    return side_heads(c, &c->p->cch.in);
}

static bool check_out_down_first(const struct chunk *c)
{
    const struct ht_cch *cch = &c->p->cch;
    return starts(c, cch->vertex_count, cch->out.edge_count) && side_rows(c, &cch->out);
}

static bool check_in_down_first(const struct chunk *c)
{
    const struct ht_cch *cch = &c->p->cch;
    return starts(c, cch->vertex_count, cch->in.edge_count) && side_rows(c, &cch->in);
}

static bool check_out_down(const struct chunk *c)
{
    return below(c, c->p->cch.vertex_count);
}

static bool check_in_down(const struct chunk *c)
{
    return below(c, c->p->cch.vertex_count);
}

/* Sums of two stay below what 64 bits hold: no weight has its highest bit. */
static bool times(const struct chunk *c)
{
    const uint64_t *values = c->items;
    uint64_t any = 0;
    for (size_t i = 0; i < c->count; i++) {
        any |= values[i];
    }
    static_assert(HT_WEIGHT_INF == INT32_MAX, "the test is for one bit");
    return any >> 63 == 0;
}

/* Brief times: weights, or which of the wide ones it is. */
static bool briefs(const struct chunk *c, uint32_t wide_count)
{
    const uint32_t *values = c->items;
    uint32_t most = 0;
    for (size_t i = 0; i < c->count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most < HT_BRIEF_WIDE || most - HT_BRIEF_WIDE < wide_count;
}

static bool check_out_brief(const struct chunk *c)
{
    return briefs(c, c->p->metric.side[0].wide_count);
}

static bool check_in_brief(const struct chunk *c)
{
    return briefs(c, c->p->metric.side[1].wide_count);
}

/* What holds no index needs no look; the snap index is checked where it is opened, and the middles
 * of shortcuts where they are followed. */
static bool check_nothing(const struct chunk *c)
{
    (void)c;
    return true;
}
#define check_network check_nothing
#define check_info check_nothing
#define check_graph check_nothing
#define check_component check_nothing
#define check_cch check_nothing
#define check_out_depth check_nothing
#define check_in_depth check_nothing
#define check_out_up_depth check_nothing
#define check_in_up_depth check_nothing
#define check_out_time times
#define check_in_time times
#define check_out_wide times
#define check_in_wide times
#define check_out_length check_nothing
#define check_in_length check_nothing
#define check_out_step check_nothing
#define check_in_step check_nothing
#define check_out_far check_nothing
#define check_in_far check_nothing
#define check_street check_nothing
#define check_snap check_nothing

static bool (*const checks[HT__SECTION_COUNT])(const struct chunk *) = {
#define HT__HNET_CHECK(name, item) check_##name,
    HT__HNET_SHARED(HT__HNET_CHECK) HT__HNET_OWN(HT__HNET_CHECK)
#undef HT__HNET_CHECK
};

/* Chunks of all sections in one row; a task is a chunk. */
struct run {
    const struct ht__hnet_check *check;
    size_t first[HT__SECTION_COUNT + 1];
    uint64_t *hashes;
    unsigned char *buffers; /* one for each thread */
    atomic_uint unsound;    /* section + 1 */
    atomic_bool short_read;
};

/* A chunk and the item after it. */
enum { BUFFER_BYTES = HT__HNET_CHUNK + 4096 };

/* Sections are read, not looked at through the mapping: to map a page costs more than to copy it,
 * and what is mapped once stays in this process' memory. So a query finds only those pages there
 * that it asks for. */
static bool chunk_read(int fd, void *buffer, size_t size, uint64_t offset)
{
    unsigned char *to = buffer;
    while (size > 0) {
        ssize_t got = pread(fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static void check_task(void *user, size_t task, size_t worker)
{
    struct run *run = user;
    uint32_t kind = 0;
    while (run->first[kind + 1] <= task) {
        kind++;
    }
    const struct ht__hnet_section *section = run->check->profile->sections[kind];
    size_t bytes = ht__hnet_chunk(section->item);
    size_t start = (task - run->first[kind]) * bytes;
    size_t left = section->size - start;
    size_t size = left < bytes ? left : bytes;
    size_t more = left - size < section->item ? 0 : section->item;
    unsigned char *buffer = run->buffers + worker * BUFFER_BYTES;
    if (!chunk_read(run->check->fd, buffer, size + more, section->offset + start)) {
        atomic_store(&run->short_read, true);
        return;
    }
    run->hashes[task] = ht__hnet_hash(buffer, size);
    struct chunk chunk = {run->check->profile, buffer, start / section->item, size / section->item};
    if (!checks[kind](&chunk)) {
        atomic_store(&run->unsound, kind + 1);
    }
}

static enum ht_status verdict(const struct run *run, const char **section)
{
    if (atomic_load(&run->short_read)) {
        return HT_TRUNCATED;
    }
    for (uint32_t kind = 0; kind < HT__SECTION_COUNT; kind++) {
        size_t chunks = run->first[kind + 1] - run->first[kind];
        const struct ht__hnet_section *entry = run->check->profile->sections[kind];
        if (chunks > 0 &&
            ht__hnet_combine(run->hashes + run->first[kind], chunks) != entry->checksum) {
            *section = ht__hnet_names[kind];
            return HT_CHECKSUM;
        }
    }
    unsigned unsound = atomic_load(&run->unsound);
    if (unsound > 0) {
        *section = ht__hnet_names[unsound - 1];
        return HT_RANGE;
    }
    return HT_OK;
}

/* What only customization reads: checked when that is to come. */
static bool is_late(uint32_t kind)
{
    return kind >= HT__SECTION_parent && kind <= HT__SECTION_turn_edge;
}

enum ht_status ht__hnet_check(const struct ht__hnet_check *check, struct ht_pool *pool,
                              const char **section)
{
    struct run run = {.check = check};
    size_t tasks = 0;
    for (uint32_t kind = 0; kind < HT__SECTION_COUNT; kind++) {
        run.first[kind] = tasks;
        const struct ht__hnet_section *entry = check->profile->sections[kind];
        size_t chunk = ht__hnet_chunk(ht__hnet_items[kind]);
        bool wanted = check->late
                          ? is_late(kind)
                          : !is_late(kind) && (check->shared || kind >= HT__SECTION_FIRST_OWN);
        if (kind != HT__SECTION_info && wanted) {
            tasks += (entry->size + chunk - 1) / chunk;
        }
    }
    run.first[HT__SECTION_COUNT] = tasks;
    run.hashes = ht_array_new(tasks, sizeof *run.hashes);
    run.buffers = ht_array_new(pool == NULL ? 1 : ht_pool_threads(pool), BUFFER_BYTES);
    if (run.hashes == NULL || run.buffers == NULL) {
        free(run.hashes);
        free(run.buffers);
        return HT_NOMEM;
    }
    if (pool != NULL) {
        ht_pool_run(pool, tasks, check_task, &run);
    } else {
        for (size_t i = 0; i < tasks; i++) {
            check_task(&run, i, 0);
        }
    }
    enum ht_status status = verdict(&run, section);
    free(run.hashes);
    free(run.buffers);
    return status;
}
