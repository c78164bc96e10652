/* From what the workers gathered to the network: everything is brought into the order of OSM ids,
 * then of the input, so that threads leave no trace. */
#include "geodata/network_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

enum { MAP_CHUNK = 4096 };

/* A kept way and where its facts lie. */
struct pick {
    int64_t id;
    uint64_t order;
    uint32_t worker;
    uint32_t index;
};

/* Between the passes and after: what the kept ways refer to. */
struct merge {
    struct ht_network_build *build;
    struct pick *picks;
    size_t pick_count;
    size_t *ref_first;   /* [pick_count + 1] */
    uint32_t *run_first; /* [pick_count] the longest run of present nodes, from ref_first */
    uint32_t *run_count;
    uint8_t *cut;
};

enum ht_status ht_network_build_new(struct ht_profile *const *profiles, size_t profile_count,
                                    struct ht_pool *pool, struct ht_network_build **out)
{
    struct ht_network_build *build = calloc(1, sizeof *build);
    if (build == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < HT__STRIPES; i++) {
        (void)pthread_mutex_init(&build->stripes[i], NULL);
    }
    build->profiles = profiles;
    build->profile_count = profile_count;
    build->pool = pool;
    build->rules = ht_array_new_zeroed(profile_count, sizeof *build->rules);
    if (build->rules == NULL || ht__texts_init(&build->strings) != HT_OK) {
        ht_network_build_free(build);
        return HT_NOMEM;
    }
    *out = build;
    return HT_OK;
}

static void workers_free(struct ht_network_build *build)
{
    for (size_t i = 0; build->workers != NULL && i < build->worker_count; i++) {
        struct ht__worker *worker = &build->workers[i];
        ht__texts_deinit(&worker->texts);
        for (size_t p = 0; worker->rules != NULL && p < build->profile_count; p++) {
            ht__rules_deinit(&worker->rules[p]);
        }
        free(worker->rules);
        free(worker->ways);
        free(worker->way_rule);
        free(worker->refs);
        free(worker->points);
        free(worker->relations);
        free(worker->members);
        free(worker->tags);
        free(worker->obstacles);
    }
    free(build->workers);
    build->workers = NULL;
    free(build->node_order);
    build->node_order = NULL;
}

void ht_network_build_free(struct ht_network_build *build)
{
    if (build == NULL) {
        return;
    }
    workers_free(build);
    for (size_t i = 0; i < HT__STRIPES; i++) {
        (void)pthread_mutex_destroy(&build->stripes[i]);
    }
    for (size_t p = 0; build->rules != NULL && p < build->profile_count; p++) {
        ht__rules_deinit(&build->rules[p]);
    }
    ht__texts_deinit(&build->strings);
    free(build->rules);
    free(build->node_point);
    free(build->node_osm_id);
    free(build->ways);
    free(build->way_node);
    free(build->segment_mm);
    free(build->way_rule);
    free(build->obstacles);
    free(build->relations);
    free(build->members);
    free(build->tags);
    free(build);
}

const struct ht_network *ht_network_build_network(const struct ht_network_build *build)
{
    return &build->network;
}

const struct ht_build_counts *ht_network_build_counts(const struct ht_network_build *build)
{
    return &build->counts;
}

uint32_t ht__build_way(const struct ht_network_build *build, int64_t osm_id)
{
    uint32_t low = 0;
    uint32_t high = build->network.way_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (build->ways[middle].osm_id < osm_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < build->network.way_count && build->ways[low].osm_id == osm_id ? low : HT_NONE;
}

static enum ht_status workers_new(struct ht_network_build *build)
{
    build->worker_count = ht_pool_threads(build->pool);
    build->workers = ht_array_new_zeroed(build->worker_count, sizeof *build->workers);
    if (build->workers == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < build->worker_count; i++) {
        struct ht__worker *worker = &build->workers[i];
        worker->rules = ht_array_new_zeroed(build->profile_count, sizeof *worker->rules);
        if (worker->rules == NULL || ht__texts_init(&worker->texts) != HT_OK) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

static int pick_compare(const void *a, const void *b)
{
    const struct pick *x = a;
    const struct pick *y = b;
    if (x->id != y->id) {
        return x->id < y->id ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

static const struct ht__raw_way *pick_way(const struct merge *merge, size_t i)
{
    const struct pick *pick = &merge->picks[i];
    return &merge->build->workers[pick->worker].ways[pick->index];
}

/* All ways of all workers by id; of those with the same id the first of the input stays. */
static enum ht_status merge_ways(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    size_t count = 0;
    for (size_t i = 0; i < build->worker_count; i++) {
        count += build->workers[i].way_count;
    }
    merge->picks = ht_array_new(count, sizeof *merge->picks);
    if (merge->picks == NULL) {
        return HT_NOMEM;
    }
    count = 0;
    for (size_t i = 0; i < build->worker_count; i++) {
        for (size_t k = 0; k < build->workers[i].way_count; k++) {
            const struct ht__raw_way *raw = &build->workers[i].ways[k];
            merge->picks[count++] = (struct pick){.id = raw->way.osm_id,
                                                  .order = raw->order,
                                                  .worker = (uint32_t)i,
                                                  .index = (uint32_t)k};
        }
    }
    qsort(merge->picks, count, sizeof *merge->picks, pick_compare);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && merge->picks[i].id == merge->picks[merge->pick_count - 1].id) {
            build->counts.duplicate_ways++;
        } else {
            merge->picks[merge->pick_count++] = merge->picks[i];
        }
    }
    merge->ref_first = ht_array_new(merge->pick_count + 1, sizeof *merge->ref_first);
    if (merge->ref_first == NULL) {
        return HT_NOMEM;
    }
    merge->ref_first[0] = 0;
    for (size_t i = 0; i < merge->pick_count; i++) {
        merge->ref_first[i + 1] = merge->ref_first[i] + pick_way(merge, i)->ref_count;
    }
    return merge->pick_count == 0 ? HT_EMPTY : HT_OK;
}

/* Where the file has places on ways (and perhaps no plain nodes), they are what nodes begin with.
 */
static void places_on_ways(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    uint32_t hint = 0;
    for (size_t i = 0; i < merge->pick_count; i++) {
        const struct ht__raw_way *raw = pick_way(merge, i);
        const struct ht__worker *worker = &build->workers[merge->picks[i].worker];
        for (size_t k = 0; raw->has_points && k < raw->ref_count; k++) {
            uint32_t node = ht__build_node(build, worker->refs[raw->first_ref + k], &hint);
            struct ht_point point = worker->points[raw->first_ref + k];
            if (node != HT_NONE && build->node_order[node] == UINT64_MAX && ht_point_valid(point)) {
                build->node_order[node] = UINT64_MAX - 1;
                build->node_point[node] = point;
            }
        }
    }
}

/* The nodes that ways refer to, by id. */
static enum ht_status collect_nodes(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    size_t count = merge->ref_first[merge->pick_count];
    uint64_t *keys = ht_array_new(count, sizeof *keys);
    uint64_t *spare = ht_array_new(count, sizeof *spare);
    if (keys == NULL || spare == NULL) {
        free(keys);
        free(spare);
        return HT_NOMEM;
    }
    for (size_t i = 0; i < merge->pick_count; i++) {
        const struct ht__raw_way *raw = pick_way(merge, i);
        const int64_t *refs = build->workers[merge->picks[i].worker].refs + raw->first_ref;
        for (size_t k = 0; k < raw->ref_count; k++) {
            keys[merge->ref_first[i] + k] = (uint64_t)refs[k] ^ UINT64_C(1) << 63;
        }
    }
    ht__sort_u64(keys, spare, count);
    free(spare);
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[i] != keys[i - 1]) {
            distinct++;
        }
    }
    build->node_osm_id = ht_array_new(distinct, sizeof *build->node_osm_id);
    build->node_point = ht_array_new_zeroed(distinct, sizeof *build->node_point);
    build->node_order = ht_array_new(distinct, sizeof *build->node_order);
    if (build->node_osm_id == NULL || build->node_point == NULL || build->node_order == NULL ||
        distinct > UINT32_MAX - 2 || count > UINT32_MAX - 2) {
        free(keys);
        return distinct > UINT32_MAX - 2 || count > UINT32_MAX - 2 ? HT_TOO_BIG : HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[i] != keys[i - 1]) {
            build->node_order[build->node_count] = UINT64_MAX;
            build->node_osm_id[build->node_count++] = (int64_t)(keys[i] ^ UINT64_C(1) << 63);
        }
    }
    free(keys);
    places_on_ways(merge);
    return HT_OK;
}

/* One way's nodes: the longest run of present ones, repeated ones once. */
static void map_way(struct merge *merge, size_t i, uint32_t *hint)
{
    const struct ht_network_build *build = merge->build;
    const struct ht__raw_way *raw = pick_way(merge, i);
    const int64_t *refs = build->workers[merge->picks[i].worker].refs + raw->first_ref;
    uint32_t *nodes = build->way_node + merge->ref_first[i];
    uint32_t filled = 0;
    uint32_t start = 0;
    merge->run_first[i] = 0;
    merge->run_count[i] = 0;
    for (uint32_t k = 0; k < raw->ref_count; k++) {
        uint32_t node = ht__build_node(build, refs[k], hint);
        if (node == HT_NONE || build->node_order[node] == UINT64_MAX) {
            merge->cut[i] = 1;
            start = filled;
            continue;
        }
        if (filled > start && nodes[filled - 1] == node) {
            continue;
        }
        nodes[filled++] = node;
        if (filled - start > merge->run_count[i]) {
            merge->run_first[i] = start;
            merge->run_count[i] = filled - start;
        }
    }
}

static void map_chunk(void *user, size_t piece, size_t worker)
{
    struct merge *merge = user;
    (void)worker;
    size_t end = (piece + 1) * MAP_CHUNK;
    uint32_t hint = 0;
    for (size_t i = piece * MAP_CHUNK; i < end && i < merge->pick_count; i++) {
        map_way(merge, i, &hint);
    }
}

static enum ht_status map_ways(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    size_t count = merge->pick_count;
    build->way_node = ht_array_new(merge->ref_first[count], sizeof *build->way_node);
    merge->run_first = ht_array_new(count, sizeof *merge->run_first);
    merge->run_count = ht_array_new(count, sizeof *merge->run_count);
    merge->cut = ht_array_new_zeroed(count, 1);
    build->ways = ht_array_new_zeroed(count + 1, sizeof *build->ways);
    if (build->way_node == NULL || merge->run_first == NULL || merge->run_count == NULL ||
        merge->cut == NULL || build->ways == NULL) {
        return HT_NOMEM;
    }
    ht_pool_run(build->pool, (count + MAP_CHUNK - 1) / MAP_CHUNK, map_chunk, merge);
    for (uint32_t i = 0; i < build->node_count; i++) {
        build->counts.nodes_missing += build->node_order[i] == UINT64_MAX;
    }
    return HT_OK;
}

/* Drops ways that lost their nodes and closes the gaps. */
static void keep_ways(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    uint32_t ways = 0;
    uint32_t filled = 0;
    for (size_t i = 0; i < merge->pick_count; i++) {
        uint32_t run = merge->run_count[i];
        if (run < 2) {
            build->counts.ways_dropped++;
            continue;
        }
        build->counts.ways_cut += merge->cut[i];
        memmove(build->way_node + filled,
                build->way_node + merge->ref_first[i] + merge->run_first[i],
                run * sizeof *build->way_node);
        merge->picks[ways] = merge->picks[i];
        build->ways[ways++].first_node = filled;
        filled += run;
    }
    build->ways[ways].first_node = filled;
    merge->pick_count = ways;
    build->network.way_count = ways;
    build->network.way_node_count = filled;
    build->counts.ways_kept = ways;
}

static enum ht_status fill_way(struct merge *merge, size_t i)
{
    struct ht_network_build *build = merge->build;
    const struct pick *pick = &merge->picks[i];
    const struct ht__worker *worker = &build->workers[pick->worker];
    struct ht_way way = worker->ways[pick->index].way;
    way.first_node = build->ways[i].first_node;
    uint32_t *const field[] = {&way.name,  &way.name_zh,       &way.name_en,
                               &way.ref,   &way.pronunciation, &way.destinations,
                               &way.exits, &way.lanes_forward, &way.lanes_backward};
    for (size_t k = 0; k < sizeof field / sizeof *field; k++) {
        enum ht_status status = *field[k] == 0 ? HT_OK : ht__build_text(build, worker, field[k]);
        if (status != HT_OK) {
            return status;
        }
    }
    for (size_t p = 0; p < build->profile_count; p++) {
        uint32_t rule = worker->way_rule[pick->index * build->profile_count + p];
        uint32_t *out = &build->way_rule[p * merge->pick_count + i];
        *out = HT_NONE;
        if (rule != HT_NONE) {
            enum ht_status status =
                ht__rules_add(&build->rules[p], &worker->rules[p].list[rule], out);
            if (status != HT_OK) {
                return status;
            }
        }
    }
    build->ways[i] = way;
    return HT_OK;
}

static enum ht_status fill_ways(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    build->way_rule =
        ht_array_new(build->profile_count * merge->pick_count, sizeof *build->way_rule);
    if (build->way_rule == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < merge->pick_count; i++) {
        status = fill_way(merge, i);
    }
    return status;
}

static int obstacle_compare(const void *a, const void *b)
{
    const struct ht__obstacle *x = a;
    const struct ht__obstacle *y = b;
    if (x->profile != y->profile) {
        return x->profile < y->profile ? -1 : 1;
    }
    return (x->node > y->node) - (x->node < y->node);
}

/* What stands at the nodes that are left, for those places that won their node. */
static enum ht_status merge_obstacles(struct ht_network_build *build, const uint32_t *number)
{
    size_t count = 0;
    for (size_t i = 0; i < build->worker_count; i++) {
        count += build->workers[i].obstacle_count;
    }
    build->obstacles = ht_array_new(count, sizeof *build->obstacles);
    if (build->obstacles == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < build->worker_count; i++) {
        for (size_t k = 0; k < build->workers[i].obstacle_count; k++) {
            struct ht__obstacle obstacle = build->workers[i].obstacles[k];
            if (obstacle.order == build->node_order[obstacle.node] &&
                number[obstacle.node] != HT_NONE) {
                obstacle.node = number[obstacle.node];
                build->obstacles[build->obstacle_count++] = obstacle;
            }
        }
    }
    qsort(build->obstacles, build->obstacle_count, sizeof *build->obstacles, obstacle_compare);
    return HT_OK;
}

/* Drops the nodes that no kept way uses and renumbers the others. */
static enum ht_status keep_nodes(struct ht_network_build *build)
{
    uint32_t *number = ht_array_new(build->node_count, sizeof *number);
    if (number == NULL) {
        return HT_NOMEM;
    }
    memset(number, 0xFF, build->node_count * sizeof *number);
    for (uint32_t i = 0; i < build->network.way_node_count; i++) {
        number[build->way_node[i]] = 0;
    }
    uint32_t kept = 0;
    struct ht_box box = ht_box_empty();
    for (uint32_t i = 0; i < build->node_count; i++) {
        if (number[i] == 0) {
            number[i] = kept;
            build->node_osm_id[kept] = build->node_osm_id[i];
            build->node_point[kept] = build->node_point[i];
            box = ht_box_grow(box, build->node_point[i]);
            kept++;
        }
    }
    for (uint32_t i = 0; i < build->network.way_node_count; i++) {
        build->way_node[i] = number[build->way_node[i]];
    }
    enum ht_status status = merge_obstacles(build, number);
    free(number);
    build->node_count = kept;
    build->network.box = box;
    return status;
}

static void add_counts(struct ht_network_build *build)
{
    for (size_t i = 0; i < build->worker_count; i++) {
        const struct ht_build_counts *counts = &build->workers[i].counts;
        build->counts.ways_read += counts->ways_read;
        build->counts.nodes_read += counts->nodes_read;
        build->counts.relations_read += counts->relations_read;
        build->counts.duplicate_nodes += counts->duplicate_nodes;
        build->counts.nodes_out_of_range += counts->nodes_out_of_range;
        build->counts.ways_dropped += counts->ways_dropped;
        build->counts.restrictions_malformed += counts->restrictions_malformed;
    }
}

static void measure_chunk(void *user, size_t piece, size_t worker)
{
    struct ht_network_build *build = user;
    (void)worker;
    size_t end = (piece + 1) * MAP_CHUNK;
    for (size_t w = piece * MAP_CHUNK; w < end && w < build->network.way_count; w++) {
        uint32_t last = build->ways[w + 1].first_node - 1;
        for (uint32_t i = build->ways[w].first_node; i < last; i++) {
            build->segment_mm[i] = ht_distance_mm(build->node_point[build->way_node[i]],
                                                  build->node_point[build->way_node[i + 1]]);
        }
        build->segment_mm[last] = 0;
    }
}

static enum ht_status finish(struct merge *merge)
{
    struct ht_network_build *build = merge->build;
    enum ht_status status = map_ways(merge);
    if (status == HT_OK) {
        add_counts(build);
        keep_ways(merge);
        status = merge->pick_count == 0 ? HT_EMPTY : fill_ways(merge);
    }
    if (status == HT_OK) {
        status = keep_nodes(build);
    }
    if (status == HT_OK) {
        status = ht__build_relations(build);
    }
    if (status == HT_OK) {
        build->segment_mm = ht_array_new(build->network.way_node_count, sizeof *build->segment_mm);
        status = build->segment_mm == NULL ? HT_NOMEM : HT_OK;
    }
    if (status != HT_OK) {
        return status;
    }
    workers_free(build);
    size_t chunks = (build->network.way_count + MAP_CHUNK - 1) / MAP_CHUNK;
    ht_pool_run(build->pool, chunks, measure_chunk, build);
    build->network.node_count = build->node_count;
    build->network.strings_size = build->strings.size;
    build->network.node_point = build->node_point;
    build->network.node_osm_id = build->node_osm_id;
    build->network.ways = build->ways;
    build->network.way_node = build->way_node;
    build->network.strings = build->strings.data;
    return HT_OK;
}

/* Streets that lost their nodes are no lack of streets. */
static void say_empty(const struct ht_network_build *build, struct ht_error *error)
{
    char why[96] = "";
    if (build->counts.ways_dropped > 0) {
        (void)snprintf(why, sizeof why, ": %llu ways lack nodes, %llu nodes are missing",
                       (unsigned long long)build->counts.ways_dropped,
                       (unsigned long long)build->counts.nodes_missing);
    }
    (void)ht_error_set(error, HT_EMPTY, 0, "no street in it that any profile can use%s", why);
}

enum ht_status ht_network_build_read(struct ht_network_build *build,
                                     const struct ht_build_input *inputs, size_t count,
                                     void (*progress)(void *user, uint64_t done, uint64_t total),
                                     void *user, struct ht_error *error)
{
    if (count == 0 || count > UINT8_MAX) {
        return ht_error_set(error, HT_INVALID, 0, "one to 255 inputs, not %zu", count);
    }
    struct merge merge = {.build = build};
    build->progress = progress;
    build->progress_user = user;
    for (size_t i = 0; i < count; i++) {
        build->progress_scale += 2 * (uint64_t)inputs[i].size;
    }
    enum ht_status status = workers_new(build);
    if (status == HT_OK) {
        status = ht__build_pass(build, inputs, count, false, error);
        if (status != HT_OK) {
            goto out;
        }
        status = merge_ways(&merge);
        if (status == HT_EMPTY) {
            add_counts(build);
        }
    }
    if (status == HT_OK) {
        status = collect_nodes(&merge);
    }
    if (status == HT_OK) {
        status = ht__build_pass(build, inputs, count, true, error);
        if (status != HT_OK) {
            goto out;
        }
        status = finish(&merge);
    }
    if (status == HT_EMPTY) {
        say_empty(build, error);
    } else if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, "%s", ht_status_text(status));
    }
out:
    free(merge.picks);
    free(merge.ref_first);
    free(merge.run_first);
    free(merge.run_count);
    free(merge.cut);
    return status;
}
