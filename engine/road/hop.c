#include "engine/road/hop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    MEMORY_BITS = 15,
    MEMORY_SIZE = 1 << MEMORY_BITS,
    TABLE_LEAST = 1 << 10,
};

/* What is kept beyond the limit that was asked for, so that the next fix, which asks a little
 * farther, finds its answer. */
static const int64_t AHEAD_MM = 40000;

/* Lengths of segments are measured from band to band of latitude, and straight distances here with
 * one scale: those are taken shorter than they can be. */
static const double STRAIGHT = 0.995;

/* Standing at the beginning of `arc`, about to drive it. */
struct label {
    struct ht_key key; /* from the end of the source's arc */
    uint32_t arc;
    uint32_t from; /* label before; HT_NONE: the source */
    bool settled;
};

struct entry {
    struct ht_key key;
    uint32_t label;
};

/* label + 1 under a stamp: older ones are empty. */
struct slot {
    uint32_t stamp;
    uint32_t label;
};

struct memory {
    uint32_t epoch;
    uint32_t from;
    uint32_t to;
    bool known;
    int64_t limit_mm; /* where it is not known: the shortest way is longer */
    struct ht_key key;
};

struct ht_hop {
    const struct ht_network *network;
    const struct ht_graph *graph;
    struct label *labels;
    size_t label_count;
    size_t label_capacity;
    struct slot *table;
    size_t table_size; /* a power of two */
    uint32_t stamp;
    struct entry *heap; /* binary, lazy: stale entries are skipped */
    size_t heap_size;
    size_t heap_capacity;
    struct memory *memory;
    uint32_t epoch;
    uint64_t budget; /* arcs that may still be looked at */
    uint32_t *path;
    size_t path_capacity;
    /* of the search at hand */
    int64_t limit_mm;
    struct ht_box box; /* where the targets' arcs begin */
    struct ht_scale scale;
    struct ht_hop_target *targets;
    uint32_t target_count;
    uint32_t wanted; /* targets that have not been reached */
};

enum ht_status ht_hop_new(struct ht_hop **out)
{
    struct ht_hop *hop = calloc(1, sizeof *hop);
    if (hop == NULL) {
        return HT_NOMEM;
    }
    hop->memory = ht_array_new_zeroed(MEMORY_SIZE, sizeof *hop->memory);
    hop->table = ht_array_new_zeroed(TABLE_LEAST, sizeof *hop->table);
    hop->table_size = TABLE_LEAST;
    if (hop->memory == NULL || hop->table == NULL) {
        ht_hop_free(hop);
        return HT_NOMEM;
    }
    *out = hop;
    return HT_OK;
}

void ht_hop_free(struct ht_hop *hop)
{
    if (hop != NULL) {
        free(hop->labels);
        free(hop->table);
        free(hop->heap);
        free(hop->memory);
        free(hop->path);
        free(hop);
    }
}

void ht_hop_begin(struct ht_hop *hop, const struct ht_network *network,
                  const struct ht_graph *graph, uint64_t budget)
{
    hop->budget = budget;
    hop->network = network;
    hop->graph = graph;
    if (++hop->epoch == 0) {
        memset(hop->memory, 0, MEMORY_SIZE * sizeof *hop->memory);
        hop->epoch = 1;
    }
}

static uint32_t mix(uint64_t value)
{
    return (uint32_t)(value * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static struct memory *remembered(struct ht_hop *hop, uint32_t from, uint32_t to)
{
    uint32_t at = mix((uint64_t)from << 32 | to) >> (32 - MEMORY_BITS);
    return &hop->memory[at];
}

static bool holds(const struct ht_hop *hop, const struct memory *m, uint32_t from, uint32_t to)
{
    return m->epoch == hop->epoch && m->from == from && m->to == to;
}

static struct slot *find_slot(struct ht_hop *hop, uint32_t arc)
{
    size_t at = mix(arc) & (hop->table_size - 1);
    while (hop->table[at].stamp == hop->stamp && hop->labels[hop->table[at].label].arc != arc) {
        at = (at + 1) & (hop->table_size - 1);
    }
    return &hop->table[at];
}

static void clear_table(struct ht_hop *hop)
{
    if (++hop->stamp == 0) {
        memset(hop->table, 0, hop->table_size * sizeof *hop->table);
        hop->stamp = 1;
    }
}

/* At most half of the table is used. */
static enum ht_status grow_table(struct ht_hop *hop)
{
    if (2 * (hop->label_count + 1) <= hop->table_size) {
        return HT_OK;
    }
    struct slot *table = ht_array_new_zeroed(2 * hop->table_size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    free(hop->table);
    hop->table = table;
    hop->table_size *= 2;
    hop->stamp = 1;
    for (size_t i = 0; i < hop->label_count; i++) {
        *find_slot(hop, hop->labels[i].arc) = (struct slot){hop->stamp, (uint32_t)i};
    }
    return HT_OK;
}

/* The shorter; of equally long ones the faster. */
static bool shorter(struct ht_key a, struct ht_key b)
{
    if (a.length != b.length) {
        return a.length < b.length;
    }
    return (uint32_t)a.time < (uint32_t)b.time;
}

static enum ht_status heap_push(struct ht_hop *hop, struct entry entry)
{
    void *heap = hop->heap;
    enum ht_status status =
        ht_array_reserve(&heap, &hop->heap_capacity, hop->heap_size + 1, sizeof *hop->heap);
    hop->heap = heap;
    if (status != HT_OK) {
        return status;
    }
    size_t i = hop->heap_size++;
    while (i > 0 && shorter(entry.key, hop->heap[(i - 1) / 2].key)) {
        hop->heap[i] = hop->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    hop->heap[i] = entry;
    return HT_OK;
}

static struct entry heap_pop(struct ht_hop *hop)
{
    struct entry top = hop->heap[0];
    struct entry last = hop->heap[--hop->heap_size];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= hop->heap_size) {
            break;
        }
        if (child + 1 < hop->heap_size && shorter(hop->heap[child + 1].key, hop->heap[child].key)) {
            child++;
        }
        if (!shorter(hop->heap[child].key, last.key)) {
            break;
        }
        hop->heap[i] = hop->heap[child];
        i = child;
    }
    if (hop->heap_size > 0) {
        hop->heap[i] = last;
    }
    return top;
}

static struct ht_point tail_point(const struct ht_hop *hop, uint32_t arc)
{
    return ht_arc_point(hop->network, &hop->graph->arcs[arc], 0);
}

/* Whether a way that is so long at the beginning of `arc` can't end within the limit. */
static bool passes_limit(const struct ht_hop *hop, uint32_t arc, uint32_t length_mm)
{
    struct ht_point p = tail_point(hop, arc);
    const struct ht_box *box = &hop->box;
    int64_t x = p.lon_e7 < box->min.lon_e7   ? (int64_t)box->min.lon_e7 - p.lon_e7
                : p.lon_e7 > box->max.lon_e7 ? (int64_t)p.lon_e7 - box->max.lon_e7
                                             : 0;
    int64_t y = p.lat_e7 < box->min.lat_e7   ? (int64_t)box->min.lat_e7 - p.lat_e7
                : p.lat_e7 > box->max.lat_e7 ? (int64_t)p.lat_e7 - box->max.lat_e7
                                             : 0;
    double east_m = (double)x * 1e-7 * hop->scale.lon_m;
    double north_m = (double)y * 1e-7 * hop->scale.lat_m;
    double left_mm = (double)hop->limit_mm - (double)length_mm;
    double straight_m = STRAIGHT * sqrt(east_m * east_m + north_m * north_m) - 1.0;
    return straight_m * 1000.0 > left_mm;
}

static enum ht_status reach(struct ht_hop *hop, uint32_t from, uint32_t arc, struct ht_key key)
{
    struct slot *slot = find_slot(hop, arc);
    if (passes_limit(hop, arc, key.length)) {
        return HT_OK;
    }
    if (slot->stamp == hop->stamp) {
        struct label *label = &hop->labels[slot->label];
        if (label->settled || !shorter(key, label->key)) {
            return HT_OK;
        }
        label->key = key;
        label->from = from;
        return heap_push(hop, (struct entry){key, slot->label});
    }
    void *labels = hop->labels;
    enum ht_status status =
        ht_array_reserve(&labels, &hop->label_capacity, hop->label_count + 1, sizeof *hop->labels);
    hop->labels = labels;
    if (status != HT_OK) {
        return status;
    }
    uint32_t number = (uint32_t)hop->label_count++;
    hop->labels[number] = (struct label){.key = key, .arc = arc, .from = from};
    *slot = (struct slot){hop->stamp, number};
    status = heap_push(hop, (struct entry){key, number});
    return status == HT_OK ? grow_table(hop) : status;
}

/* All turns out of `arc`, whose end is reached with `key`. */
static enum ht_status expand(struct ht_hop *hop, uint32_t from, uint32_t arc, struct ht_key key)
{
    const struct ht_graph *graph = hop->graph;
    const uint8_t *closed = graph->live == NULL ? NULL : graph->live->turn_closed;
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
        struct ht_turn turn = ht_turn_at(graph, arc, t);
        if (closed != NULL && closed[t] != 0) {
            continue;
        }
        struct ht_key next = {key.time + ht_time_pack(turn.weight_ms, turn.duration_ms),
                              key.length};
        enum ht_status status = ht_time_finite(next.time) ? reach(hop, from, turn.to, next) : HT_OK;
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* The first label of an arc or one of its copies that is settled is the nearest. */
static void arrive(struct ht_hop *hop, const struct label *label)
{
    uint32_t base = ht_arc_base(hop->graph, label->arc);
    for (uint32_t i = 0; i < hop->target_count; i++) {
        struct ht_hop_target *target = &hop->targets[i];
        if (target->arc == base && target->limit_mm >= 0 && !target->known) {
            target->known = true;
            target->key = label->key;
            hop->wanted--;
        }
    }
}

static enum ht_status search(struct ht_hop *hop, uint32_t source_arc)
{
    clear_table(hop);
    hop->label_count = 0;
    hop->heap_size = 0;
    enum ht_status status = expand(hop, HT_NONE, source_arc, (struct ht_key){0, 0});
    while (status == HT_OK && hop->wanted > 0 && hop->heap_size > 0) {
        struct entry top = heap_pop(hop);
        struct label *label = &hop->labels[top.label];
        if (label->settled || shorter(label->key, top.key)) {
            continue;
        }
        label->settled = true;
        if (hop->budget == 0) {
            return HT_TOO_BIG;
        }
        hop->budget--;
        arrive(hop, label);
        const struct ht_arc *arc = &hop->graph->arcs[label->arc];
        struct ht_key key = {label->key.time + ht_time_pack(arc->weight_ms, arc->duration_ms),
                             label->key.length + arc->length_mm};
        if (ht_time_finite(key.time)) {
            status = expand(hop, top.label, label->arc, key);
        }
    }
    return status;
}

/* What is known already; the box and the limit of the others. */
static void prepare(struct ht_hop *hop, uint32_t source_arc, struct ht_hop_target *targets,
                    uint32_t count)
{
    hop->targets = targets;
    hop->target_count = count;
    hop->wanted = 0;
    hop->limit_mm = -1;
    hop->box = ht_box_empty();
    for (uint32_t i = 0; i < count; i++) {
        struct ht_hop_target *target = &targets[i];
        target->known = false;
        if (target->limit_mm < 0) {
            continue;
        }
        const struct memory *m = remembered(hop, source_arc, target->arc);
        if (holds(hop, m, source_arc, target->arc) &&
            (m->known || m->limit_mm >= target->limit_mm)) {
            target->known = m->known;
            target->key = m->key;
            target->limit_mm = -1;
            continue;
        }
        hop->wanted++;
        hop->limit_mm = target->limit_mm > hop->limit_mm ? target->limit_mm : hop->limit_mm;
        hop->box = ht_box_grow(hop->box, tail_point(hop, target->arc));
    }
}

enum ht_status ht_hop_run(struct ht_hop *hop, uint32_t source_arc, struct ht_hop_target *targets,
                          uint32_t count)
{
    prepare(hop, source_arc, targets, count);
    if (hop->wanted == 0) {
        return HT_OK;
    }
    hop->limit_mm += AHEAD_MM;
    hop->scale = ht_scale_at(hop->box.min.lat_e7);
    enum ht_status status = search(hop, source_arc);
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        if (targets[i].limit_mm >= 0) {
            *remembered(hop, source_arc, targets[i].arc) =
                (struct memory){hop->epoch,       source_arc,    targets[i].arc,
                                targets[i].known, hop->limit_mm, targets[i].key};
        }
    }
    return status;
}

enum ht_status ht_hop_path(struct ht_hop *hop, uint32_t source_arc,
                           const struct ht_hop_target *target, const uint32_t **arcs,
                           uint32_t *count)
{
    struct ht_hop_target one = {.arc = target->arc, .limit_mm = target->limit_mm};
    hop->targets = &one;
    hop->target_count = 1;
    hop->wanted = 1;
    hop->limit_mm = one.limit_mm;
    hop->box = ht_box_grow(ht_box_empty(), tail_point(hop, one.arc));
    hop->scale = ht_scale_at(hop->box.min.lat_e7);
    enum ht_status status = search(hop, source_arc);
    if (status != HT_OK) {
        return status;
    }
    if (!one.known) {
        return HT_NO_ROUTE;
    }
    uint32_t last = HT_NONE; /* the settled label of the arc or its copies that is nearest */
    for (uint32_t i = 0; i < hop->label_count; i++) {
        const struct label *label = &hop->labels[i];
        if (label->settled && ht_arc_base(hop->graph, label->arc) == one.arc &&
            (last == HT_NONE || shorter(label->key, hop->labels[last].key))) {
            last = i;
        }
    }
    uint32_t length = 1;
    for (uint32_t i = last; i != HT_NONE; i = hop->labels[i].from) {
        length++;
    }
    void *path = hop->path;
    status = ht_array_reserve(&path, &hop->path_capacity, length, sizeof *hop->path);
    hop->path = path;
    if (status != HT_OK) {
        return status;
    }
    *count = length;
    *arcs = hop->path;
    for (uint32_t i = last; i != HT_NONE; i = hop->labels[i].from) {
        hop->path[--length] = hop->labels[i].arc;
    }
    hop->path[0] = source_arc;
    return HT_OK;
}
