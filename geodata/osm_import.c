#include "geodata/osm_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <yajl/yajl_gen.h>

#include "engine/base/array.h"
#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/order.h"
#include "engine/road/snap.h"
#include "geodata/hnet_write.h"

/* One import under way. */
struct run {
    const struct ht_import *import;
    struct ht_import_report *report;
    struct ht_error *error;
    struct ht_pool *pool;
    struct ht_profile **profiles;
    size_t profile_count;
    struct ht_network_build *build;
    struct ht_hnet_writer *writer;
    struct ht_snap_tree *tree; /* of streets, for all profiles */
};

/* What a profile is made of, in the order in which it is made. */
struct parts {
    struct ht_graph_owned *graph;
    uint32_t *rank_to_arc;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_snap_index *snap;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

const char *ht_import_stage_text(enum ht_import_stage stage)
{
    static const char *const text[] = {
        [HT_IMPORT_READ] = "reading", [HT_IMPORT_OPEN] = "opening",
        [HT_IMPORT_OURS] = "writing", [HT_IMPORT_GRAPH] = "streets and turns",
        [HT_IMPORT_ORDER] = "order",  [HT_IMPORT_HIERARCHY] = "hierarchy",
        [HT_IMPORT_METRIC] = "costs", [HT_IMPORT_SNAP] = "index of streets",
        [HT_IMPORT_WRITE] = "writing"};
    return text[stage];
}

static void tell(struct run *run, enum ht_import_stage stage, size_t index)
{
    if (run->import->progress != NULL) {
        struct ht_import_progress progress = {.stage = stage,
                                              .profile = ht_profile_name(run->profiles[index]),
                                              .index = index,
                                              .count = run->profile_count};
        run->import->progress(run->import->user, &progress);
    }
}

static void on_read(void *user, uint64_t done, uint64_t total)
{
    struct run *run = user;
    struct ht_import_progress progress = {
        .stage = HT_IMPORT_READ, .count = run->profile_count, .done = done, .total = total};
    run->import->progress(run->import->user, &progress);
}

static enum ht_status read_inputs(struct run *run)
{
    const struct ht_import *import = run->import;
    struct ht_build_input *inputs = ht_array_new_zeroed(import->input_count, sizeof *inputs);
    if (inputs == NULL) {
        return ht_error_set(run->error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < import->input_count; i++) {
        struct stat info;
        inputs[i].path = import->inputs[i];
        if (stat(import->inputs[i], &info) != 0) {
            char why[128];
            status = ht_error_set(run->error, HT_IO, 0, "%.120s: %s", import->inputs[i],
                                  strerror_r(errno, why, sizeof why));
        } else {
            inputs[i].size = (size_t)info.st_size;
        }
    }
    double start = now_s();
    if (status == HT_OK) {
        status = ht_network_build_read(run->build, inputs, import->input_count,
                                       import->progress == NULL ? NULL : on_read, run, run->error);
    }
    run->report->read_s = now_s() - start;
    run->report->counts = *ht_network_build_counts(run->build);
    free(inputs);
    return status;
}

static void parts_free(struct parts *parts)
{
    ht_snap_index_free(parts->snap);
    ht_metric_free(parts->metric);
    ht_cch_owned_free(parts->cch);
    free(parts->rank_to_arc);
    ht_graph_owned_free(parts->graph);
}

static enum ht_status make_graph(struct run *run, size_t index, struct parts *parts)
{
    struct ht_import_profile *out = &run->report->profiles[index];
    double start = now_s();
    tell(run, HT_IMPORT_GRAPH, index);
    enum ht_status status = ht_network_build_graph(run->build, index, &parts->graph, &out->counts);
    out->graph_s = now_s() - start;
    if (status == HT_OK) {
        const struct ht_graph *graph = ht_graph_owned_view(parts->graph);
        out->junctions = graph->junction_count;
        out->arcs = graph->arc_count;
        out->turns = graph->turn_count;
        out->conditions = graph->condition_count;
    }
    return status;
}

static enum ht_status make_hierarchy(struct run *run, size_t index, struct parts *parts)
{
    const struct ht_network *network = ht_network_build_network(run->build);
    const struct ht_graph *graph = ht_graph_owned_view(parts->graph);
    struct ht_order_stats *stats = &run->report->profiles[index].order;
    parts->rank_to_arc = ht_array_new(graph->arc_count, sizeof *parts->rank_to_arc);
    if (parts->rank_to_arc == NULL) {
        return HT_NOMEM;
    }
    double start = now_s();
    tell(run, HT_IMPORT_ORDER, index);
    enum ht_status status = ht_order_compute(network, graph, run->pool, parts->rank_to_arc, stats);
    stats->order_s = now_s() - start;
    if (status == HT_OK) {
        start = now_s();
        tell(run, HT_IMPORT_HIERARCHY, index);
        status = ht_cch_build(graph, parts->rank_to_arc, run->pool, &parts->cch, stats);
        stats->build_s = now_s() - start;
    }
    free(parts->rank_to_arc);
    parts->rank_to_arc = NULL;
    if (status == HT_OK) {
        start = now_s();
        tell(run, HT_IMPORT_METRIC, index);
        status = ht_customize(graph, ht_cch_view(parts->cch), NULL, run->pool, &parts->metric);
        if (status == HT_OK) {
            status = ht_metric_trim(ht_cch_view(parts->cch), run->pool, parts->metric);
        }
        stats->customize_s = now_s() - start;
    }
    return status;
}

/* The index of streets needs the graph alone: made, written and gone before the hierarchy takes its
 * memory. */
static enum ht_status write_graph(struct run *run, size_t index, struct parts *parts)
{
    struct ht_import_profile *out = &run->report->profiles[index];
    const struct ht_graph *graph = ht_graph_owned_view(parts->graph);
    double start = now_s();
    tell(run, HT_IMPORT_SNAP, index);
    enum ht_status status = ht_snap_build_in(run->tree, graph, run->pool, &parts->snap);
    out->snap_s = now_s() - start;
    if (status != HT_OK) {
        return ht_error_set(run->error, status, 0, "profile %.60s: %s", out->name,
                            ht_status_text(status));
    }
    start = now_s();
    status = ht_hnet_write_graph(run->writer, graph, parts->snap, run->error);
    out->write_s = now_s() - start;
    ht_snap_index_free(parts->snap);
    parts->snap = NULL;
    return status;
}

static enum ht_status write_hierarchy(struct run *run, size_t index, const struct parts *parts)
{
    struct ht_import_profile *out = &run->report->profiles[index];
    double start = now_s();
    tell(run, HT_IMPORT_WRITE, index);
    enum ht_status status = ht_hnet_write_hierarchy(run->writer, ht_cch_view(parts->cch),
                                                    ht_metric_view(parts->metric), run->error);
    out->write_s += now_s() - start;
    return status;
}

static enum ht_status make_profile(struct run *run, size_t index)
{
    struct ht_import_profile *out = &run->report->profiles[index];
    struct parts parts = {.graph = NULL};
    enum ht_status status = make_graph(run, index, &parts);
    if (status == HT_EMPTY) {
        out->left_out = true;
        return HT_OK;
    }
    if (status != HT_OK) {
        (void)ht_error_set(run->error, status, 0, "profile %.60s: %s", out->name,
                           ht_status_text(status));
    } else {
        status = write_graph(run, index, &parts);
    }
    if (status == HT_OK) {
        status = make_hierarchy(run, index, &parts);
        if (status != HT_OK) {
            (void)ht_error_set(run->error, status, 0, "profile %.60s: %s", out->name,
                               ht_status_text(status));
        }
    }
    if (status == HT_OK) {
        status = write_hierarchy(run, index, &parts);
    }
    parts_free(&parts);
    return status;
}

static void put_key(yajl_gen gen, const char *key)
{
    (void)yajl_gen_string(gen, (const unsigned char *)key, strlen(key));
}

static void put_count(yajl_gen gen, const char *key, uint64_t value)
{
    put_key(gen, key);
    (void)yajl_gen_integer(gen, (long long)value);
}

static void put_number(yajl_gen gen, const char *key, double value)
{
    char text[40];
    int size = snprintf(text, sizeof text, "%.3f", value);
    put_key(gen, key);
    (void)yajl_gen_number(gen, text, (size_t)size);
}

static void put_profile(yajl_gen gen, const struct ht_import_profile *p)
{
    (void)yajl_gen_map_open(gen);
    put_key(gen, "name");
    put_key(gen, p->name);
    put_key(gen, "restrictions");
    (void)yajl_gen_map_open(gen);
    put_count(gen, "used", p->counts.restrictions_used);
    put_count(gen, "via_way", p->counts.restrictions_via_way);
    put_count(gen, "timed", p->counts.restrictions_timed);
    put_count(gen, "missing", p->counts.restrictions_missing);
    put_count(gen, "ambiguous", p->counts.restrictions_ambiguous);
    put_count(gen, "impossible", p->counts.restrictions_impossible);
    (void)yajl_gen_map_close(gen);
    put_count(gen, "pieces_too_long", p->counts.pieces_too_long);
    put_count(gen, "pieces_repeated", p->counts.pieces_repeated);
    put_count(gen, "pieces_crowded", p->counts.pieces_crowded);
    put_count(gen, "components", p->counts.components);
    put_count(gen, "small_arcs", p->counts.small_arcs);
    put_key(gen, "order");
    (void)yajl_gen_map_open(gen);
    put_count(gen, "top_cut_streets", p->order.top_cut_streets);
    put_count(gen, "depth_max", p->order.depth_max);
    put_number(gen, "depth_mean", p->order.depth_mean);
    put_count(gen, "triangles", p->order.triangles);
    put_count(gen, "edges", (uint64_t)p->order.out_edges + p->order.in_edges);
    (void)yajl_gen_map_close(gen);
    put_key(gen, "build_s");
    (void)yajl_gen_map_open(gen);
    put_number(gen, "graph", p->graph_s);
    put_number(gen, "order", p->order.order_s);
    put_number(gen, "hierarchy", p->order.build_s);
    put_number(gen, "customize", p->order.customize_s);
    put_number(gen, "snap", p->snap_s);
    put_number(gen, "write", p->write_s);
    (void)yajl_gen_map_close(gen);
    (void)yajl_gen_map_close(gen);
}

static void put_counts(yajl_gen gen, const struct ht_build_counts *c)
{
    put_key(gen, "read");
    (void)yajl_gen_map_open(gen);
    put_count(gen, "ways", c->ways_read);
    put_count(gen, "ways_kept", c->ways_kept);
    put_count(gen, "relations", c->relations_read);
    put_count(gen, "restrictions", c->restrictions);
    put_count(gen, "duplicate_ways", c->duplicate_ways);
    put_count(gen, "duplicate_nodes", c->duplicate_nodes);
    put_count(gen, "duplicate_relations", c->duplicate_relations);
    put_count(gen, "nodes_out_of_range", c->nodes_out_of_range);
    put_count(gen, "nodes_missing", c->nodes_missing);
    put_count(gen, "ways_cut", c->ways_cut);
    put_count(gen, "ways_dropped", c->ways_dropped);
    put_count(gen, "restrictions_malformed", c->restrictions_malformed);
    put_count(gen, "restrictions_apart", c->restrictions_apart);
    put_count(gen, "conditions_unknown", c->conditions_unknown);
    (void)yajl_gen_map_close(gen);
}

static enum ht_status write_info(struct run *run)
{
    const struct ht_import_report *report = run->report;
    yajl_gen gen = yajl_gen_alloc(NULL);
    if (gen == NULL) {
        return ht_error_set(run->error, HT_NOMEM, 0, NULL);
    }
    char made[32] = "";
    time_t clock = time(NULL);
    struct tm utc;
    if (gmtime_r(&clock, &utc) != NULL) {
        (void)strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    (void)yajl_gen_map_open(gen);
    put_key(gen, "made");
    put_key(gen, made);
    put_counts(gen, &report->counts);
    put_number(gen, "read_s", report->read_s);
    put_number(gen, "total_s", report->total_s);
    put_key(gen, "profiles");
    (void)yajl_gen_array_open(gen);
    for (size_t i = 0; i < report->profile_count; i++) {
        if (!report->profiles[i].left_out) {
            put_profile(gen, &report->profiles[i]);
        }
    }
    (void)yajl_gen_array_close(gen);
    (void)yajl_gen_map_close(gen);
    const unsigned char *text = NULL;
    size_t size = 0;
    enum ht_status status = HT_NOMEM;
    if (yajl_gen_get_buf(gen, &text, &size) == yajl_gen_status_ok) {
        status = ht_hnet_write_info(run->writer, (const char *)text, size, run->error);
    }
    yajl_gen_free(gen);
    return status;
}

/* Everything between the read and the rename. */
static enum ht_status make_file(struct run *run, double start)
{
    const struct ht_network *network = ht_network_build_network(run->build);
    run->report->box = network->box;
    run->report->nodes = network->node_count;
    run->report->ways = network->way_count;
    enum ht_status status = ht_snap_tree_build(network, run->pool, &run->tree);
    if (status != HT_OK) {
        return ht_error_set(run->error, status, 0, NULL);
    }
    status = ht_hnet_write_network(run->writer, network, run->tree, run->error);
    size_t made = 0;
    for (size_t i = 0; status == HT_OK && i < run->profile_count; i++) {
        status = make_profile(run, i);
        made += status == HT_OK && !run->report->profiles[i].left_out;
    }
    if (status == HT_OK && made == 0) {
        status = ht_error_set(run->error, HT_EMPTY, 0, "no street in it that a profile can use");
    }
    run->report->total_s = now_s() - start;
    return status == HT_OK ? write_info(run) : status;
}

static enum ht_status prepare(struct run *run)
{
    enum ht_status status = ht_pool_new(run->import->threads, &run->pool);
    if (status != HT_OK) {
        return ht_error_set(run->error, status, 0, NULL);
    }
    status =
        ht_profiles_open(run->import->profiles, &run->profiles, &run->profile_count, run->error);
    if (status != HT_OK) {
        return status;
    }
    run->report->profiles = ht_array_new_zeroed(run->profile_count, sizeof *run->report->profiles);
    if (run->report->profiles == NULL) {
        return ht_error_set(run->error, HT_NOMEM, 0, NULL);
    }
    run->report->profile_count = run->profile_count;
    for (size_t i = 0; i < run->profile_count; i++) {
        strncpy(run->report->profiles[i].name, ht_profile_name(run->profiles[i]),
                sizeof run->report->profiles[i].name - 1);
    }
    status = ht_network_build_new(run->profiles, run->profile_count, run->pool, &run->build);
    return status == HT_OK ? status : ht_error_set(run->error, status, 0, NULL);
}

/* Nothing that is read may be what is written, nor the file beside it that is renamed: also
 * through links. */
static enum ht_status check_output(const struct run *run)
{
    const struct ht_import *import = run->import;
    size_t size = strlen(import->output) + sizeof ".tmp";
    char *beside = malloc(size);
    if (beside == NULL) {
        return ht_error_set(run->error, HT_NOMEM, 0, NULL);
    }
    (void)snprintf(beside, size, "%s.tmp", import->output);
    const char *const written[] = {import->output, beside};
    enum ht_status status = HT_OK;
    for (size_t k = 0; k < sizeof written / sizeof *written; k++) {
        struct stat out;
        bool there = stat(written[k], &out) == 0;
        for (size_t i = 0; there && status == HT_OK && i < import->input_count; i++) {
            struct stat in;
            if (stat(import->inputs[i], &in) == 0 && in.st_dev == out.st_dev &&
                in.st_ino == out.st_ino) {
                status = ht_error_set(run->error, HT_INVALID, 0,
                                      "%.100s is an input: writing %.100s would destroy it",
                                      import->inputs[i], import->output);
            }
        }
    }
    free(beside);
    return status;
}

enum ht_status ht_import(const struct ht_import *import, struct ht_import_report *report,
                         struct ht_error *error)
{
    memset(report, 0, sizeof *report);
    struct run run = {.import = import, .report = report, .error = error};
    double start = now_s();
    enum ht_status status = check_output(&run);
    if (status == HT_OK) {
        status = prepare(&run);
    }
    if (status == HT_OK) {
        status = read_inputs(&run);
    }
    if (status == HT_OK) {
        tell(&run, HT_IMPORT_OPEN, 0);
        status = ht_hnet_writer_open(import->output, &run.writer, error);
    }
    if (status == HT_OK) {
        tell(&run, HT_IMPORT_OURS, 0);
        status = make_file(&run, start);
        enum ht_status closed =
            ht_hnet_writer_close(run.writer, status == HT_OK, status == HT_OK ? error : NULL);
        status = status == HT_OK ? closed : status;
    }
    report->total_s = now_s() - start;
    ht_snap_tree_free(run.tree);
    ht_network_build_free(run.build);
    ht_profiles_free(run.profiles, run.profile_count);
    ht_pool_free(run.pool);
    return status;
}

void ht_import_report_deinit(struct ht_import_report *report)
{
    free(report->profiles);
    memset(report, 0, sizeof *report);
}
