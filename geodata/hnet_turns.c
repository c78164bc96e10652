/* Packing turns for the file: millions of them have few prices, and lead to one of the few arcs out
 * of the junction that they are at. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/hnet_internal.h"

struct packing {
    const struct ht_graph *graph;
    struct ht__hnet_turns *out;
    uint32_t most;
    size_t price_capacity;
    size_t listed_capacity;
    uint32_t *table; /* open addressing: number of a price + 1; 0: free */
    size_t table_size;
};

static size_t slot_of(const struct packing *p, struct ht_turn_price price)
{
    uint64_t key = (uint64_t)price.weight_ms << 32 | price.duration_ms;
    size_t slot = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (p->table_size - 1);
    for (uint32_t number = p->table[slot]; number != 0; number = p->table[slot]) {
        struct ht_turn_price other = p->out->prices[number - 1];
        if (other.weight_ms == price.weight_ms && other.duration_ms == price.duration_ms) {
            break;
        }
        slot = (slot + 1) & (p->table_size - 1);
    }
    return slot;
}

/* Twice the room, half of it free. */
static enum ht_status table_grow(struct packing *p)
{
    size_t size = p->table_size == 0 ? 1024 : p->table_size * 2;
    uint32_t *table = ht_array_new_zeroed(size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    free(p->table);
    p->table = table;
    p->table_size = size;
    for (uint32_t i = 0; i < p->out->price_count; i++) {
        p->table[slot_of(p, p->out->prices[i])] = i + 1;
    }
    return HT_OK;
}

/* The number of a price, a new one where need be; HT_NONE: there are too many. */
static enum ht_status number_of(struct packing *p, struct ht_turn_price price, uint32_t *number)
{
    if ((p->out->price_count + (size_t)1) * 2 > p->table_size && table_grow(p) != HT_OK) {
        return HT_NOMEM;
    }
    size_t slot = slot_of(p, price);
    *number = p->table[slot] == 0 ? HT_NONE : p->table[slot] - 1;
    if (*number != HT_NONE || p->out->price_count == p->most) {
        return HT_OK;
    }
    void *prices = p->out->prices;
    enum ht_status status = ht_array_reserve(&prices, &p->price_capacity,
                                             p->out->price_count + (size_t)1, sizeof price);
    p->out->prices = prices;
    if (status == HT_OK) {
        *number = p->out->price_count++;
        p->out->prices[*number] = price;
        p->table[slot] = *number + 1;
    }
    return status;
}

static enum ht_status list_turn(struct packing *p, uint32_t turn)
{
    void *listed = p->out->listed;
    enum ht_status status = ht_array_reserve(
        &listed, &p->listed_capacity, p->out->listed_count + (size_t)1, sizeof *p->out->listed);
    p->out->listed = listed;
    if (status == HT_OK) {
        p->out->listed[p->out->listed_count++] =
            (struct ht_turn_listed){turn, p->graph->turns[turn]};
        p->out->packed[turn] = HT_TURN_LISTED;
    }
    return status;
}

static enum ht_status pack_turn(struct packing *p, uint32_t from, uint32_t turn)
{
    const struct ht_graph *graph = p->graph;
    const uint32_t *first = &graph->junction_first_out[graph->arcs[from].head];
    struct ht_turn is = graph->turns[turn];
    uint32_t number = HT_NONE;
    if (is.to >= first[0] && is.to < first[1] && is.to - first[0] < HT_TURN_LISTED) {
        struct ht_turn_price price = {is.weight_ms, is.duration_ms};
        enum ht_status status = number_of(p, price, &number);
        if (status != HT_OK) {
            return status;
        }
    }
    if (number == HT_NONE) {
        return list_turn(p, turn);
    }
    p->out->packed[turn] = number << HT_TURN_EXIT_BITS | (is.to - first[0]);
    return HT_OK;
}

enum ht_status ht__hnet_turns_pack(const struct ht_graph *graph, uint32_t prices,
                                   struct ht__hnet_turns *out)
{
    struct packing p = {.graph = graph, .out = out, .most = prices};
    *out = (struct ht__hnet_turns){.packed = ht_array_new(graph->turn_count, sizeof *out->packed)};
    enum ht_status status = out->packed == NULL ? HT_NOMEM : table_grow(&p);
    for (uint32_t arc = 0; arc < graph->arc_count && status == HT_OK; arc++) {
        for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1] && status == HT_OK;
             t++) {
            status = pack_turn(&p, arc, t);
        }
    }
    free(p.table);
    if (status != HT_OK) {
        ht__hnet_turns_free(out);
    }
    return status;
}

void ht__hnet_turns_free(struct ht__hnet_turns *turns)
{
    free(turns->packed);
    free(turns->prices);
    free(turns->listed);
    *turns = (struct ht__hnet_turns){.packed = NULL};
}
