/* Checking a mapped profile: each chunk of each section is summed and its indices are compared with
 * the ends of the arrays they point into, in one pass while the chunk is in the cache. A good
 * checksum alone would not do: it says that the file is as it was written, not that what was
 * written is sound. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/array.h"
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

/* All values below `limit`. Branch-free within the run: it is compared by vectors. */
static bool below(const uint32_t *values, size_t first, size_t count, uint32_t limit)
{
    uint32_t most = 0;
    for (size_t i = first; i < first + count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return count == 0 || most < limit;
}

/* Starts of rows: from 0, never falling, to `end`; `rows` + 1 of them. */
static bool starts(const uint32_t *values, size_t first, size_t count, uint32_t rows, uint32_t end)
{
    bool sound = (first > 0 || values[0] == 0) && (first + count <= rows || values[rows] == end);
    size_t last = first + count < rows ? first + count : rows;
    uint32_t falls = 0;
    for (size_t i = first; i < last; i++) {
        falls |= values[i] > values[i + 1];
    }
    return sound && falls == 0;
}

/* |lon| and |lat| within the world, without a branch. */
static bool check_node_point(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_point *points = p->network.node_point;
    uint32_t outside = 0;
    for (size_t i = first; i < first + count; i++) {
        uint32_t lon = (uint32_t)points[i].lon_e7 + HT_LON_MAX_E7;
        uint32_t lat = (uint32_t)points[i].lat_e7 + HT_LAT_MAX_E7;
        outside |= (lon > 2U * HT_LON_MAX_E7) | (lat > 2U * HT_LAT_MAX_E7);
    }
    return outside == 0;
}

static bool check_node_osm_id(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const int64_t *ids = p->network.node_osm_id;
    for (size_t i = first; i < first + count && i + 1 < p->network.node_count; i++) {
        if (ids[i] >= ids[i + 1]) {
            return false;
        }
    }
    return true;
}

static bool check_way(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_network *n = &p->network;
    if (n->ways[0].first_node != 0 || n->ways[n->way_count].first_node != n->way_node_count) {
        return false;
    }
    for (size_t i = first; i < first + count && i < n->way_count; i++) {
        const struct ht_way *w = &n->ways[i];
        const uint32_t texts[] = {w->name,  w->name_zh,       w->name_en,
                                  w->ref,   w->pronunciation, w->destinations,
                                  w->exits, w->lanes_forward, w->lanes_backward};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            if (texts[k] >= n->strings_size) {
                return false;
            }
        }
        if (w->first_node >= n->ways[i + 1].first_node || w->road_class > HT_ROAD_OTHER) {
            return false;
        }
    }
    return true;
}

static bool check_way_node(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->network.way_node, first, count, p->network.node_count);
}

static bool check_strings(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_network *n = &p->network;
    bool last = first + count == n->strings_size;
    return (first > 0 || n->strings[0] == '\0') &&
           (!last || n->strings[n->strings_size - 1] == '\0');
}

static bool check_junction_node(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->graph.junction_node, first, count, p->network.node_count);
}

static bool check_first_out(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_graph *g = &p->graph;
    return starts(g->junction_first_out, first, count, g->junction_count, g->base_arc_count);
}

static bool check_first_in(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_graph *g = &p->graph;
    return starts(g->junction_first_in, first, count, g->junction_count, g->base_arc_count);
}

static bool check_junction_in(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->graph.junction_in, first, count, p->graph.base_arc_count);
}

/* Bit by bit without branches: an arc is five comparisons, and there are millions. */
static bool check_arc(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_graph *g = &p->graph;
    const struct ht_network *n = &p->network;
    uint32_t wrong = 0;
    for (size_t i = first; i < first + count; i++) {
        const struct ht_arc *a = &g->arcs[i];
        uint32_t own = i < g->base_arc_count ? (uint32_t)i : a->base;
        wrong |= (a->tail >= g->junction_count) | (a->head >= g->junction_count) |
                 (a->way >= n->way_count) | (a->from >= n->way_node_count) |
                 (a->to >= n->way_node_count) | (a->from == a->to) | (a->base != own) |
                 (a->base >= g->base_arc_count) | (a->component >= g->arc_count);
        wrong |= ((a->reverse != HT_NONE) & (a->reverse >= g->base_arc_count)) |
                 (a->weight_ms >= HT_WEIGHT_INF) | (a->duration_ms >= HT_WEIGHT_INF) |
                 (a->mode > HT_MODE_PUSHING);
    }
    return wrong == 0;
}

static bool check_turn_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return starts(p->graph.turn_first, first, count, p->graph.arc_count, p->graph.turn_count);
}

/* The edge of one turn lies on the side that the ranks of its arcs say. Whose turn it is, is
 * searched for: the arrays may be wrong, but the search stays within them. */
static bool edge_sound(const struct ht__hnet_profile *p, size_t turn)
{
    const struct ht_graph *g = &p->graph;
    const struct ht_cch *c = &p->cch;
    uint32_t low = 0;
    uint32_t high = g->arc_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        *(g->turn_first[middle] <= turn ? &low : &high) = middle;
    }
    uint32_t to = g->turns[turn].to;
    if (to >= g->arc_count) {
        return false;
    }
    bool up = c->rank[low] < c->rank[to];
    return c->turn_edge[turn] < (up ? c->out.edge_count : c->in.edge_count);
}

/* Nearly all edges lie below the ends of both sides; the few others are looked at one by one. */
static bool check_turn_edge(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_cch *c = &p->cch;
    uint32_t least = c->out.edge_count < c->in.edge_count ? c->out.edge_count : c->in.edge_count;
    uint32_t beyond = 0;
    for (size_t t = first; t < first + count; t++) {
        beyond |= (c->turn_edge[t] >= least) & (c->turn_edge[t] != HT_NONE);
    }
    bool sound = true;
    for (size_t t = first; beyond != 0 && sound && t < first + count; t++) {
        sound = c->turn_edge[t] < least || c->turn_edge[t] == HT_NONE || edge_sound(p, t);
    }
    return sound;
}

static bool check_turn(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    uint32_t sound = 1;
    for (size_t i = first; i < first + count; i++) {
        const struct ht_turn *t = &p->graph.turns[i];
        sound &= (t->to < p->graph.arc_count) & (t->weight_ms < HT_WEIGHT_INF) &
                 (t->duration_ms < HT_WEIGHT_INF);
    }
    return sound == 1;
}

static bool check_condition(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct ht_turn_condition *c = &p->graph.conditions[i];
        if (c->turn >= p->graph.turn_count || c->schedule >= p->network.strings_size) {
            return false;
        }
    }
    return true;
}

static bool check_copy_base(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->graph.copy_base, first, count, p->graph.base_arc_count);
}

static bool check_copy_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return starts(p->graph.copy_first, first, count, p->graph.copy_base_count,
                  p->meta->copy_list_count);
}

static bool check_copy_list(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        uint32_t copy = p->graph.copy_list[i];
        if (copy < p->graph.base_arc_count || copy >= p->graph.arc_count) {
            return false;
        }
    }
    return true;
}

static bool check_rank(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->cch.rank, first, count, p->cch.vertex_count);
}

static bool check_rank_arc(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    bool sound = below(p->cch.arc, first, count, p->cch.vertex_count);
    for (size_t i = first; sound && i < first + count; i++) {
        sound = p->cch.rank[p->cch.arc[i]] == i;
    }
    return sound;
}

/* A parent lies above and one level nearer to the root. */
static bool check_parent(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_cch *c = &p->cch;
    bool sound = true;
    for (size_t i = first; sound && i < first + count; i++) {
        uint32_t parent = c->parent[i];
        sound = parent == HT_NONE
                    ? c->depth[i] == 0
                    : parent > i && parent < c->vertex_count && c->depth[i] == c->depth[parent] + 1;
    }
    return sound;
}

static bool check_depth(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    uint32_t most = 0;
    for (size_t i = first; i < first + count; i++) {
        most = p->cch.depth[i] > most ? p->cch.depth[i] : most;
    }
    return most < p->cch.depth_max;
}

/* Rows of one side as queries read them: depths rise within a row and its last lies nearer to the
 * root than the vertex, so all do. Neighbours that do not rise are counted twice: in all edges at
 * once, and at the starts of rows, where they may. */
static bool side_depths(const struct ht_cch *c, const struct ht_cch_side *s, size_t first,
                        size_t count)
{
    if (!starts(s->first, first, count, c->vertex_count, s->edge_count)) {
        return false;
    }
    size_t last = first + count < c->vertex_count ? first + count : c->vertex_count;
    uint32_t begin = s->first[first];
    uint32_t end = s->first[last];
    if (begin > end || end > s->edge_count) {
        return false;
    }
    uint32_t falls = 0;
    for (uint32_t e = begin + 1; e < end; e++) {
        falls += s->depth[e] <= s->depth[e - 1];
    }
    uint32_t wrong = 0;
    for (size_t v = first; v < last; v++) {
        uint32_t from = s->first[v];
        uint32_t to = s->first[v + 1];
        if (from < to) {
            wrong |= s->depth[to - 1] >= c->depth[v];
            falls -= from > begin && s->depth[from] <= s->depth[from - 1];
        }
    }
    return wrong == 0 && falls == 0;
}

/* The same of upper ends, which customization follows: they fall within a row and its last lies
 * above the vertex. */
static bool side_rows(const struct ht_cch *c, const struct ht_cch_side *s, size_t first,
                      size_t count)
{
    if (!starts(s->first, first, count, c->vertex_count, s->edge_count)) {
        return false;
    }
    size_t last = first + count < c->vertex_count ? first + count : c->vertex_count;
    uint32_t begin = s->first[first];
    uint32_t end = s->first[last];
    if (begin > end || end > s->edge_count) {
        return false;
    }
    uint32_t rises = 0;
    for (uint32_t e = begin + 1; e < end; e++) {
        rises += s->head[e] >= s->head[e - 1];
    }
    uint32_t wrong = 0;
    for (size_t v = first; v < last; v++) {
        uint32_t from = s->first[v];
        uint32_t to = s->first[v + 1];
        if (from < to) {
            wrong |= s->head[to - 1] <= v;
            rises -= from > begin && s->head[from] >= s->head[from - 1];
        }
    }
    return wrong == 0 && rises == 0;
}

static bool side_heads(const struct ht_cch *c, const struct ht_cch_side *s, size_t first,
                       size_t count)
{
    if (!below(s->head, first, count, c->vertex_count)) {
        return false;
    }
    uint32_t differs = 0;
    for (size_t e = first; e < first + count; e++) {
        differs |= (uint32_t)(s->depth[e] ^ c->depth[s->head[e]]);
    }
    return differs == 0;
}

static bool check_out_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return side_depths(&p->cch, &p->cch.out, first, count);
}

static bool check_in_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return side_depths(&p->cch, &p->cch.in, first, count);
}

static bool check_out_head(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return side_heads(&p->cch, &p->cch.out, first, count);
}

static bool check_in_head(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return side_heads(&p->cch, &p->cch.in, first, count);
}

static bool check_out_down_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_cch *c = &p->cch;
    return starts(c->out.down_first, first, count, c->vertex_count, c->out.edge_count) &&
           side_rows(c, &c->out, first, count);
}

static bool check_in_down_first(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    const struct ht_cch *c = &p->cch;
    return starts(c->in.down_first, first, count, c->vertex_count, c->in.edge_count) &&
           side_rows(c, &c->in, first, count);
}

static bool check_out_down(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->cch.out.down, first, count, p->cch.vertex_count);
}

static bool check_in_down(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return below(p->cch.in.down, first, count, p->cch.vertex_count);
}

/* Sums of two stay below what 64 bits hold. */
static bool times(const uint64_t *values, size_t first, size_t count)
{
    uint64_t most = 0;
    for (size_t i = first; i < first + count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most >> 32 <= HT_WEIGHT_INF;
}

static bool check_out_time(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return times(p->metric.out_time, first, count);
}

static bool check_in_time(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return times(p->metric.in_time, first, count);
}

/* Vertices below, or none. */
static bool vias(const struct ht__hnet_profile *p, const uint32_t *values, size_t first,
                 size_t count)
{
    bool sound = true;
    for (size_t i = first; i < first + count; i++) {
        sound &= values[i] < p->cch.vertex_count || values[i] == HT_NONE;
    }
    return sound;
}

static bool check_out_via(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return vias(p, p->metric.out_via, first, count);
}

static bool check_in_via(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    return vias(p, p->metric.in_via, first, count);
}

/* What holds no index needs no look; the snap index is checked where it is opened. */
static bool check_nothing(const struct ht__hnet_profile *p, size_t first, size_t count)
{
    (void)p;
    (void)first;
    (void)count;
    return true;
}
#define check_network check_nothing
#define check_info check_nothing
#define check_graph check_nothing
#define check_cch check_nothing
#define check_out_depth check_nothing
#define check_in_depth check_nothing
#define check_out_length check_nothing
#define check_in_length check_nothing
#define check_snap check_nothing

static bool (*const checks[HT__SECTION_COUNT])(const struct ht__hnet_profile *, size_t, size_t) = {
#define HT__HNET_CHECK(name, item) check_##name,
    HT__HNET_SHARED(HT__HNET_CHECK) HT__HNET_OWN(HT__HNET_CHECK)
#undef HT__HNET_CHECK
};

/* Chunks of all sections in one row; a task is a chunk. */
struct run {
    const struct ht__hnet_check *check;
    size_t first[HT__SECTION_COUNT + 1];
    uint64_t *hashes;
    atomic_uint unsound; /* section + 1 */
};

/* Tells the kernel about a chunk's pages. MADV_POPULATE_READ: one call instead of one fault for
 * each 64 KB. MADV_DONTNEED: what was looked at once need not stay in this process's memory; what
 * queries use comes back from the page cache by itself, the rest never. Each task lets go of its
 * own chunk: for all at once it takes one thread 38 ms on the city. */
static void advise(const unsigned char *data, size_t size, int advice)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t before = (uintptr_t)data & (page - 1);
    union {
        const unsigned char *read;
        void *any;
    } start = {.read = data - before};
    (void)madvise(start.any, size + before, advice);
}

static void check_task(void *user, size_t task, size_t worker)
{
    struct run *run = user;
    (void)worker;
    uint32_t kind = 0;
    while (run->first[kind + 1] <= task) {
        kind++;
    }
    const struct ht__hnet_section *section = run->check->profile->sections[kind];
    size_t chunk = ht__hnet_chunk(section->item);
    size_t start = (task - run->first[kind]) * chunk;
    size_t size = section->size - start < chunk ? section->size - start : chunk;
    const unsigned char *data = run->check->base + section->offset + start;
    advise(data, size, MADV_POPULATE_READ);
    run->hashes[task] = ht__hnet_hash(data, size);
    if (!checks[kind](run->check->profile, start / section->item, size / section->item)) {
        atomic_store(&run->unsound, kind + 1);
    }
    advise(data, size, MADV_DONTNEED);
}

static enum ht_status verdict(const struct run *run, const char **section)
{
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
    return kind == HT__SECTION_out_head || kind == HT__SECTION_in_head ||
           kind == HT__SECTION_out_down_first || kind == HT__SECTION_in_down_first ||
           kind == HT__SECTION_out_down || kind == HT__SECTION_in_down;
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
    if (run.hashes == NULL) {
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
    return status;
}
