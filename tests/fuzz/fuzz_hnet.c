/* Feeds the network file's opener and checks. Checksums would keep nearly every mutation out, so
 * they are made right first, except where the input's last bit says not to; what is accepted is
 * then walked as a query would, and must not lead outside. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/road/customize.h"
#include "geodata/hnet_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(uint8_t *data, size_t size)
{
    struct ht__hnet_header *header = (struct ht__hnet_header *)(void *)data;
    uint64_t offset = header->table_offset;
    uint64_t length = (uint64_t)header->section_count * sizeof(struct ht__hnet_section);
    memcpy(header->magic, HT__HNET_MAGIC, sizeof header->magic);
    header->file_size = size;
    if (offset <= size && offset % 8 == 0 && length <= size - offset) {
        struct ht__hnet_section *table = (struct ht__hnet_section *)(void *)(data + offset);
        for (uint32_t i = 0; i < header->section_count; i++) {
            struct ht__hnet_section *s = &table[i];
            if (s->size > 0 && s->offset <= size && s->size <= size - s->offset) {
                s->checksum = ht__hnet_hash(data + s->offset, (size_t)s->size);
            }
        }
        header->table_checksum = ht__hnet_hash(table, (size_t)length);
    }
    header->header_checksum =
        ht__hnet_hash(header, offsetof(struct ht__hnet_header, header_checksum));
}

/* Reads through every index, so that a sanitizer sees one that leads astray. */
static uint64_t walk(const struct ht_road *road)
{
    const struct ht_network *network = road->network;
    const struct ht_graph *graph = road->graph;
    const struct ht_cch *cch = road->cch;
    uint64_t sum = 0;
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        const struct ht_arc *arc = &graph->arcs[a];
        sum += graph->junction_node[arc->tail] + graph->junction_first_in[arc->head + 1];
        sum += strlen(network->strings + network->ways[arc->way].name);
        sum += (uint64_t)(unsigned)ht_arc_point(network, arc, 0).lon_e7;
        sum += (uint64_t)(unsigned)ht_arc_point(network, arc, ht_arc_point_count(arc) - 1).lat_e7;
        sum += ht_arc_component(graph, a);
        sum += arc->reverse == HT_NONE ? 0 : graph->arcs[arc->reverse].head;
        for (uint32_t t = graph->turn_first[a]; t < graph->turn_first[a + 1]; t++) {
            uint32_t to = ht_turn_at(graph, a, t).to;
            uint32_t edge = cch->turn_edge[t];
            bool up = cch->rank[a] < cch->rank[to];
            sum += edge == HT_NONE ? 0 : up ? cch->out.head[edge] : cch->in.head[edge];
        }
        const uint32_t *list = NULL;
        uint32_t copies = ht_graph_copies(graph, ht_arc_base(graph, a), &list);
        for (uint32_t k = 0; k < copies; k++) {
            sum += graph->arcs[list[k]].head;
        }
    }
    for (uint32_t v = 0; v < cch->vertex_count; v++) {
        uint32_t steps = 0;
        for (uint32_t up = v; up != HT_NONE; up = ht_metric_parent(road->metric, up)) {
            steps += road->metric->climb[up].depth < cch->depth_max;
        }
        for (uint32_t up = v; up != HT_NONE; up = cch->parent[up]) {
            steps += cch->depth[up] < cch->depth_max;
        }
        sum += steps;
        for (int s = 0; s < 2; s++) {
            struct ht_row row = ht_metric_row(road->metric, s, v);
            for (uint32_t e = 0; e < row.count; e++) {
                sum += row.length[e] + (row.depth[e] < road->metric->climb[v].depth);
                sum +=
                    ht_metric_via(&road->metric->side[s], v, road->metric->climb[v].first[s] + e);
            }
        }
        for (uint32_t e = cch->out.first[v]; e < cch->out.first[v + 1]; e++) {
            sum += cch->arc[cch->out.head[e]];
        }
        for (uint32_t e = cch->in.down_first[v]; e < cch->in.down_first[v + 1]; e++) {
            sum += cch->parent[cch->in.down[e]];
        }
    }
    return sum;
}

/* A way from one corner of the map to the other, in a metric. */
static void drive(const struct ht_road *road, const struct ht_place ends[2])
{
    struct ht_query *query = NULL;
    struct ht_way_found way;
    if (ht_query_new(&query) == HT_OK) {
        enum ht_status status =
            ht_query_path(query, road, &ends[0], HT_SIDES_BOTH, &ends[1], HT_SIDES_BOTH, &way);
        (void)status;
    }
    ht_query_free(query);
}

/* What a server does with a road: snaps, drives, customizes, drives again. */
static void use(const struct ht_road *road)
{
    struct ht_snap_work *work = NULL;
    struct ht_place ends[2];
    uint32_t found = 0;
    struct ht_snap_options options = ht_snap_options_default();
    bool snapped = ht_snap_work_new(&work) == HT_OK &&
                   ht_snap_nearest(road->snap, work, road->network->box.min, &options, 1, &ends[0],
                                   &found) == HT_OK &&
                   ht_snap_nearest(road->snap, work, road->network->box.max, &options, 1, &ends[1],
                                   &found) == HT_OK;
    ht_snap_work_free(work);
    if (!snapped) {
        return;
    }
    drive(road, ends);
    struct ht_metric_owned *metric = NULL;
    if (ht_customize(road->graph, road->cch, NULL, NULL, &metric) == HT_OK) {
        struct ht_road again = *road;
        again.metric = ht_metric_view(metric);
        drive(&again, ends);
        if (ht_metric_trim(road->cch, NULL, metric) == HT_OK) {
            again.metric = ht_metric_view(metric);
            drive(&again, ends);
        }
    }
    ht_metric_free(metric);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile uint64_t sink;
    uint8_t *copy = malloc(size + 1);
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (copy == NULL || fd < 0) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (size >= sizeof(struct ht__hnet_header) && (data[size - 1] & 1) == 0) {
        seal(copy, size);
    }
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct ht_hnet *file = NULL;
    struct ht_error error;
    if (write(fd, copy, size) == (ssize_t)size && ht_hnet_open(path, &file, &error) == HT_OK) {
        for (uint32_t i = 0; i < ht_hnet_profile_count(file); i++) {
            struct ht_road road;
            if (ht_hnet_road(file, ht_hnet_profile(file, i), NULL, &road, &error) == HT_OK &&
                ht_hnet_check_rest(file, ht_hnet_profile(file, i), NULL, &error) == HT_OK) {
                sink += walk(&road);
                use(&road);
            }
        }
        const char *json = NULL;
        size_t length = 0;
        if (ht_hnet_info(file, &json, &length, &error) == HT_OK && length > 0) {
            sink += (uint64_t)(unsigned char)json[length - 1];
        }
        ht_hnet_close(file);
    }
    (void)close(fd);
    free(copy);
    return 0;
}
