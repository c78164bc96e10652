#include "engine/road/guide_memory_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/gather.h"

static_assert(sizeof(struct ht__slot) == 32, "a set must fill two lines of the cache");
static_assert(HT__ROADS_KEPT * 10 <= 64 && HT__ROADS_MAX <= 15, "roads must fit their bits");

enum { HT__PAIR_OF_LINES = 128 };

enum ht_status ht__memory_init(struct ht__memory *memory)
{
    *memory = (struct ht__memory){0};
    memory->block =
        ht_array_new_zeroed((size_t)HT__SETS * HT__WAYS + HT__WAYS, sizeof *memory->slots);
    if (memory->block == NULL) {
        return HT_NOMEM;
    }
    uintptr_t over = (uintptr_t)memory->block % HT__PAIR_OF_LINES;
    size_t skip = over == 0 ? 0 : HT__PAIR_OF_LINES - over;
    memory->slots = (struct ht__slot *)(void *)((char *)memory->block + skip);
    return HT_OK;
}

void ht__memory_deinit(struct ht__memory *memory)
{
    free(memory->block);
    *memory = (struct ht__memory){0};
}

/* A number under which nothing is kept yet. */
static uint16_t ht__new_generation(struct ht__memory *memory)
{
    if (memory->last_generation == UINT16_MAX) {
        memset(memory->slots, 0, (size_t)HT__SETS * HT__WAYS * sizeof *memory->slots);
        memory->last_generation = 0;
        memory->known_count = 0;
    }
    return ++memory->last_generation;
}

void ht__memory_begin(struct ht__memory *memory, const struct ht_graph *graph, uint64_t network_id)
{
    if (network_id == 0 || network_id != memory->network_id || memory->known_count == HT__KNOWN) {
        memory->network_id = network_id;
        memory->known_count = 0;
    }
    for (uint32_t i = 0; i < memory->known_count; i++) {
        if (memory->known[i].graph == graph) {
            memory->generation = memory->known[i].generation;
            return;
        }
    }
    memory->generation = ht__new_generation(memory);
    memory->known[memory->known_count].graph = graph;
    memory->known[memory->known_count++].generation = memory->generation;
}

void ht__memory_gather(const struct ht__memory *memory, const uint32_t *arcs, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += ht__memory_set(memory, arcs[i])->in;
    }
    HT_GATHERED(sum);
}

static void ht__unfold(const struct ht__map *map, const struct ht__slot *slot,
                       struct ht__turn *turn)
{
    turn->in = slot->in;
    turn->out = slot->out;
    turn->weight_ms = slot->weight_ms;
    turn->duration_ms = slot->duration_ms;
    turn->lanes = slot->lane_valid > 0 ? ht__lanes_text(map, slot->in) : 0;
    turn->before = slot->before;
    turn->after = slot->after;
    turn->type = slot->type;
    turn->modifier = slot->modifier;
    turn->in_road = slot->in_out & 15;
    turn->out_road = slot->in_out >> 4;
    turn->road_count = slot->about & 15;
    turn->lane_first = slot->lane_first;
    turn->lane_valid = slot->lane_valid;
    turn->segregated = (slot->about & HT__SEGREGATED) != 0;
    for (int i = 0; i < HT__ROADS_KEPT; i++) {
        turn->roads[i] = slot->roads >> 10 * i & 1023;
    }
    if (slot->weight_ms == UINT16_MAX || slot->duration_ms == UINT16_MAX) {
        const struct ht_turn *paid = ht_graph_turn(map->graph, slot->in, slot->out);
        turn->weight_ms = paid != NULL ? paid->weight_ms : 0;
        turn->duration_ms = paid != NULL ? paid->duration_ms : 0;
    }
}

bool ht__memory_find(const struct ht__memory *memory, const struct ht__map *map, uint32_t in,
                     uint32_t out, struct ht__turn *turn)
{
    struct ht__slot *set = ht__memory_set(memory, in);
    for (int i = 0; i < HT__WAYS; i++) {
        struct ht__slot *slot = &set[i];
        if (slot->in == in && slot->out == out && slot->generation == memory->generation) {
            if ((slot->about & HT__ASKED_FOR) == 0) { /* a line that stays clean costs less */
                slot->about |= HT__ASKED_FOR;
            }
            ht__unfold(map, slot, turn);
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
        if (set[i].generation != memory->generation) {
            return &set[i];
        }
    }
    for (int i = 0; i < HT__WAYS; i++) {
        if ((set[i].about & HT__ASKED_FOR) == 0) {
            return &set[i];
        }
    }
    for (int i = 0; i < HT__WAYS; i++) {
        set[i].about &= (uint8_t)~HT__ASKED_FOR;
    }
    return &set[out % HT__WAYS];
}

static uint16_t ht__short_cost(uint32_t cost_ms)
{
    return cost_ms < UINT16_MAX ? (uint16_t)cost_ms : UINT16_MAX;
}

void ht__memory_keep(struct ht__memory *memory, const struct ht__turn *turn)
{
    if (turn->road_count > HT__ROADS_KEPT) {
        return;
    }
    struct ht__slot *slot = ht__make_room(memory, turn->in, turn->out);
    *slot = (struct ht__slot){
        .in = turn->in,
        .out = turn->out,
        .generation = memory->generation,
        .weight_ms = ht__short_cost(turn->weight_ms),
        .duration_ms = ht__short_cost(turn->duration_ms),
        .before = turn->before,
        .after = turn->after,
        .type = turn->type,
        .modifier = turn->modifier,
        .in_out = (uint8_t)(turn->in_road | turn->out_road << 4),
        .lane_first = turn->lane_first,
        .lane_valid = turn->lane_valid,
        .about = (uint8_t)(turn->road_count | (turn->segregated ? HT__SEGREGATED : 0)),
    };
    for (int i = 0; i < turn->road_count; i++) {
        slot->roads |= (uint64_t)turn->roads[i] << 10 * i;
    }
}
