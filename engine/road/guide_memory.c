#include "engine/road/guide_memory_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/gather.h"

static_assert(sizeof(struct ht__slot) == 32, "a set must fill two lines of the cache");
static_assert(HT__ROADS_KEPT * 10 <= 64 && HT__ROADS_MAX <= 15, "roads must fit their bits");

enum { HT__PAIR_OF_LINES = 128 };

enum ht_status ht_guide_memory_new(struct ht_guide_memory **out)
{
    struct ht_guide_memory *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    table->block =
        ht_array_new_zeroed((size_t)HT__SETS * HT__WAYS + HT__WAYS, sizeof *table->slots);
    if (table->block == NULL) {
        free(table);
        return HT_NOMEM;
    }
    uintptr_t over = (uintptr_t)table->block % HT__PAIR_OF_LINES;
    size_t skip = over == 0 ? 0 : HT__PAIR_OF_LINES - over;
    table->slots = (struct ht__slot *)(void *)((char *)table->block + skip);
    (void)pthread_mutex_init(&table->lock, NULL);
    *out = table;
    return HT_OK;
}

void ht_guide_memory_free(struct ht_guide_memory *table)
{
    if (table != NULL) {
        (void)pthread_mutex_destroy(&table->lock);
        free(table->block);
        free(table);
    }
}

enum ht_status ht__memory_init(struct ht__memory *memory)
{
    *memory = (struct ht__memory){0};
    enum ht_status status = ht_guide_memory_new(&memory->own);
    memory->table = memory->own;
    return status;
}

void ht__memory_share(struct ht__memory *memory, struct ht_guide_memory *table)
{
    ht_guide_memory_free(memory->own);
    *memory = (struct ht__memory){.table = table};
}

void ht__memory_deinit(struct ht__memory *memory)
{
    ht_guide_memory_free(memory->own);
    *memory = (struct ht__memory){0};
}

/* The number under which a graph's turns are kept; one under which nothing is where it has none. */
static uint64_t ht__generation(struct ht_guide_memory *table, const struct ht_graph *graph,
                               uint64_t network_id)
{
    (void)pthread_mutex_lock(&table->lock);
    uint64_t generation = 0;
    for (uint32_t i = 0; network_id != 0 && i < HT__KNOWN; i++) {
        if (table->known[i].network_id == network_id && table->known[i].graph == graph) {
            generation = table->known[i].generation;
        }
    }
    if (generation == 0) {
        generation = ++table->last_generation;
        if (network_id != 0) {
            uint32_t at = table->known_next++ % HT__KNOWN;
            table->known[at].network_id = network_id;
            table->known[at].graph = graph;
            table->known[at].generation = generation;
        }
    }
    (void)pthread_mutex_unlock(&table->lock);
    return generation;
}

void ht__memory_begin(struct ht__memory *memory, const struct ht_graph *graph, uint64_t network_id)
{
    if (network_id == 0 || network_id != memory->network_id || graph != memory->graph) {
        memory->network_id = network_id;
        memory->graph = graph;
        memory->generation = ht__generation(memory->table, graph, network_id);
    }
}

static uint64_t ht__word(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

void ht__memory_gather(const struct ht__memory *memory, const uint32_t *arcs, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += ht__word(&ht__memory_set(memory, arcs[i])->name);
    }
    HT_GATHERED(sum);
}

/* What of a slot was read: words that one write left there, or not. */
struct ht__words {
    uint64_t roads;
    uint64_t costs;
    uint64_t rest;
};

static const uint64_t ht__asked = (uint64_t)HT__ASKED_FOR << 56;
static const uint64_t ht__taken = (uint64_t)HT__TAKEN << 56;

static uint64_t ht__name(uint64_t generation, uint32_t in, uint32_t out,
                         const struct ht__words *words)
{
    uint64_t hash = words->roads * UINT64_C(0x9E3779B97F4A7C15) ^
                    words->costs * UINT64_C(0xC2B2AE3D27D4EB4F) ^
                    (words->rest & ~ht__asked) * UINT64_C(0x165667B19E3779F9) ^
                    generation * UINT64_C(0xD6E8FEB86659FD93);
    return ((uint64_t)in << 32 | out) ^ hash;
}

static void ht__unfold(const struct ht__map *map, const struct ht__words *words,
                       struct ht__turn *turn)
{
    uint8_t in_out = (uint8_t)(words->rest >> 32);
    uint8_t about = (uint8_t)(words->rest >> 56);
    turn->weight_ms = (uint16_t)(words->costs >> 16);
    turn->duration_ms = (uint16_t)(words->costs >> 32);
    turn->before = (uint16_t)(words->costs >> 48);
    turn->after = (uint16_t)words->rest;
    turn->type = (uint8_t)(words->rest >> 16);
    turn->modifier = (uint8_t)(words->rest >> 24);
    turn->in_road = in_out & 15;
    turn->out_road = in_out >> 4;
    turn->road_count = about & 15;
    turn->lane_first = (uint8_t)(words->rest >> 40);
    turn->lane_valid = (uint8_t)(words->rest >> 48);
    turn->lanes_before = (about & HT__LANES_BEFORE) != 0;
    turn->lanes_beside = (turn->lane_first & HT__LANES_BESIDE) != 0;
    turn->lane_first &= (uint8_t)~HT__LANES_BESIDE;
    turn->lanes_right = 0;
    uint32_t texts[2] = {0, 0};
    if (turn->lanes_beside && ht__lanes_texts_beside(map, turn->in, texts)) {
        turn->lanes_right = texts[1];
    }
    turn->lanes = turn->lane_valid == 0 ? 0
                  : turn->lanes_beside  ? texts[0]
                  : turn->lanes_before  ? ht__lanes_text_before(map, turn->in)
                                        : ht__lanes_text(map, turn->in);
    turn->segregated = (about & HT__SEGREGATED) != 0;
    for (int i = 0; i < HT__ROADS_KEPT; i++) {
        turn->roads[i] = words->roads >> 10 * i & 1023;
    }
    if (turn->weight_ms == UINT16_MAX || turn->duration_ms == UINT16_MAX) {
        struct ht_turn paid = ht_graph_turn_between(map->graph, turn->in, turn->out);
        turn->weight_ms = paid.weight_ms;
        turn->duration_ms = paid.duration_ms;
    }
}

bool ht__memory_find(const struct ht__memory *memory, const struct ht__map *map, uint32_t in,
                     uint32_t out, struct ht__turn *turn)
{
    struct ht__slot *set = ht__memory_set(memory, in);
    for (int i = 0; i < HT__WAYS; i++) {
        struct ht__slot *slot = &set[i];
        const struct ht__words words = {ht__word(&slot->roads), ht__word(&slot->costs),
                                        ht__word(&slot->rest)};
        if ((words.rest & ht__taken) != 0 &&
            ht__word(&slot->name) == ht__name(memory->generation, in, out, &words)) {
            if ((words.rest & ht__asked) == 0) { /* a line that stays clean costs less */
                atomic_store_explicit(&slot->rest, words.rest | ht__asked, memory_order_relaxed);
            }
            turn->in = in;
            turn->out = out;
            ht__unfold(map, &words, turn);
            return true;
        }
    }
    return false;
}

/* Where something new may lie: nothing that holds, or what was not asked for. */
static struct ht__slot *ht__make_room(const struct ht__memory *memory, uint32_t in, uint32_t out)
{
    struct ht__slot *set = ht__memory_set(memory, in);
    for (int i = 0; i < HT__WAYS; i++) {
        if ((uint16_t)ht__word(&set[i].costs) != (uint16_t)memory->generation ||
            (ht__word(&set[i].rest) & ht__taken) == 0) {
            return &set[i];
        }
    }
    for (int i = 0; i < HT__WAYS; i++) {
        if ((ht__word(&set[i].rest) & ht__asked) == 0) {
            return &set[i];
        }
    }
    for (int i = 0; i < HT__WAYS; i++) {
        atomic_store_explicit(&set[i].rest, ht__word(&set[i].rest) & ~ht__asked,
                              memory_order_relaxed);
    }
    return &set[out % HT__WAYS];
}

static uint64_t ht__short_cost(uint32_t cost_ms)
{
    return cost_ms < UINT16_MAX ? cost_ms : UINT16_MAX;
}

void ht__memory_keep(struct ht__memory *memory, const struct ht__turn *turn)
{
    if (turn->road_count > HT__ROADS_KEPT) {
        return;
    }
    uint64_t about = turn->road_count | (turn->segregated ? HT__SEGREGATED : 0U) |
                     (turn->lanes_before ? HT__LANES_BEFORE : 0U) | HT__TAKEN;
    uint64_t in_out = turn->in_road | (unsigned)turn->out_road << 4;
    uint64_t lane_first = turn->lane_first | (turn->lanes_beside ? HT__LANES_BESIDE : 0U);
    struct ht__words words = {
        .costs = (uint16_t)memory->generation | ht__short_cost(turn->weight_ms) << 16 |
                 ht__short_cost(turn->duration_ms) << 32 | (uint64_t)turn->before << 48,
        .rest = turn->after | (uint64_t)turn->type << 16 | (uint64_t)turn->modifier << 24 |
                in_out << 32 | lane_first << 40 | (uint64_t)turn->lane_valid << 48 | about << 56,
    };
    for (int i = 0; i < turn->road_count; i++) {
        words.roads |= (uint64_t)turn->roads[i] << 10 * i;
    }
    struct ht__slot *slot = ht__make_room(memory, turn->in, turn->out);
    uint64_t name = ht__name(memory->generation, turn->in, turn->out, &words);
    atomic_store_explicit(&slot->name, name, memory_order_relaxed);
    atomic_store_explicit(&slot->roads, words.roads, memory_order_relaxed);
    atomic_store_explicit(&slot->costs, words.costs, memory_order_relaxed);
    atomic_store_explicit(&slot->rest, words.rest, memory_order_relaxed);
}
