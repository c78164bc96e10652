/* Labels kept by a workspace of closest.h.
 *
 * A fixed number of slots, found by a hash of what they are of. A slot that the running question
 * has not used may be given to another label; the hand goes round (clock replacement). A label of
 * an old world is not found any more.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/closest_internal.h"
#include "engine/road/cch.h"

enum {
    SLOTS = 2 * HT__CLOSEST_FEW,
    TABLE = 4 * SLOTS, /* a power of two */
};

struct slot {
    struct ht__kept_key key;
    uint32_t question; /* that used it last */
    bool taken;
    struct ht_label label;
    struct ht_branch branch;
    uint32_t *vertex; /* [levels] each, in one block */
    uint64_t *time;
    uint32_t *length;
};

struct ht__kept {
    struct ht_label_store *store;
    uint32_t levels;
    uint32_t hand;
    struct slot slots[SLOTS];
    uint16_t table[TABLE]; /* slot + 1, open addressing */
};

enum ht_status ht__kept_new(uint32_t levels, struct ht__kept **out)
{
    struct ht__kept *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return HT_NOMEM;
    }
    k->levels = levels;
    enum ht_status status = ht_label_store_new(&k->store);
    if (status != HT_OK) {
        free(k);
        return status;
    }
    *out = k;
    return HT_OK;
}

void ht__kept_free(struct ht__kept *k)
{
    if (k == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        free(k->slots[i].time);
    }
    ht_label_store_free(k->store);
    free(k);
}

static uint32_t home_of(struct ht__kept_key key)
{
    uint64_t hash = (key.world * 31 + key.layer) * UINT64_C(0x9e3779b97f4a7c15) + key.vertex;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(hash >> 40) % TABLE;
}

static bool same_key(struct ht__kept_key a, struct ht__kept_key b)
{
    return a.world == b.world && a.layer == b.layer && a.vertex == b.vertex;
}

/* Where a key stands in the table, or the empty place where it would. */
static uint32_t place_of(const struct ht__kept *k, struct ht__kept_key key)
{
    uint32_t at = home_of(key);
    while (k->table[at] != 0 && !same_key(k->slots[k->table[at] - 1].key, key)) {
        at = (at + 1) % TABLE;
    }
    return at;
}

/* Takes a key out of the table and moves up what was pushed past it. */
static void forget(struct ht__kept *k, struct ht__kept_key key)
{
    uint32_t hole = place_of(k, key);
    for (uint32_t at = (hole + 1) % TABLE; k->table[at] != 0; at = (at + 1) % TABLE) {
        uint32_t home = home_of(k->slots[k->table[at] - 1].key);
        if ((at - home) % TABLE >= (at - hole) % TABLE) {
            k->table[hole] = k->table[at];
            hole = at;
        }
    }
    k->table[hole] = 0;
}

const struct ht_label *ht__kept_find(struct ht__kept *k, struct ht__kept_key key, uint32_t question)
{
    uint32_t found = k->table[place_of(k, key)];
    if (found == 0) {
        return NULL;
    }
    k->slots[found - 1].question = question;
    return &k->slots[found - 1].label;
}

static bool slot_room(const struct ht__kept *k, struct slot *slot)
{
    if (slot->time == NULL) {
        slot->time = malloc(k->levels * (sizeof *slot->time + 2 * sizeof(uint32_t)));
        if (slot->time == NULL) {
            return false;
        }
        slot->vertex = (uint32_t *)(void *)(slot->time + k->levels);
        slot->length = slot->vertex + k->levels;
    }
    return true;
}

/* The label of standing at the beginning of an arc, in the store. */
static enum ht_status make(struct ht__kept *k, const struct ht_road *road, uint32_t vertex,
                           struct ht_label *out)
{
    uint32_t number = road->cch->arc[vertex];
    const struct ht_arc *arc = &road->graph->arcs[number];
    struct ht_place place = {.side = {{.arc = number}, {.arc = HT_NONE}}};
    place.side[0].after_mm = arc->length_mm;
    place.side[0].after = (struct ht_cost){arc->weight_ms, arc->duration_ms, arc->length_mm};
    ht_label_store_clear(k->store);
    return ht_label_build(k->store, road, &place, false, out);
}

enum ht_status ht__kept_add(struct ht__kept *k, const struct ht_road *road, struct ht__kept_key key,
                            uint32_t question)
{
    struct slot *slot = NULL;
    for (uint32_t i = 0; i < SLOTS && slot == NULL; i++) {
        struct slot *next = &k->slots[k->hand++ % SLOTS];
        slot = next->taken && next->question == question ? NULL : next;
    }
    if (slot == NULL) {
        return HT_TOO_BIG;
    }
    struct ht_label made;
    enum ht_status status = slot_room(k, slot) ? make(k, road, key.vertex, &made) : HT_NOMEM;
    if (status != HT_OK) {
        return status;
    }
    if (slot->taken) {
        forget(k, slot->key);
    }
    slot->label = made; /* without branches where the arc is closed */
    if (made.branch_count > 0) {
        const struct ht_branch *branch = &made.branches[0];
        memcpy(slot->vertex, branch->vertex, branch->count * sizeof *slot->vertex);
        memcpy(slot->time, branch->time, branch->count * sizeof *slot->time);
        memcpy(slot->length, branch->length, branch->count * sizeof *slot->length);
        slot->branch = (struct ht_branch){branch->count, slot->vertex, slot->time, slot->length};
        slot->label.branches = &slot->branch;
    }
    slot->key = key;
    slot->question = question;
    slot->taken = true;
    k->table[place_of(k, key)] = (uint16_t)(slot - k->slots + 1);
    return HT_OK;
}
