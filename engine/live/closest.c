/* The index of closest.h: which units are on which vertex. */
#include "engine/live/closest.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/live/closest_internal.h"

enum ht_status ht__bits_init(struct ht__bits *bits, uint32_t count)
{
    *bits = (struct ht__bits){0};
    for (int level = 0; level < HT__BITS_LEVELS; level++) {
        count = count / 64 + 1;
        bits->words[level] = count;
        bits->level[level] = ht_array_new_zeroed(count, sizeof *bits->level[level]);
        if (bits->level[level] == NULL) {
            ht__bits_deinit(bits);
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

void ht__bits_deinit(struct ht__bits *bits)
{
    for (int level = 0; level < HT__BITS_LEVELS; level++) {
        free(bits->level[level]);
        bits->level[level] = NULL;
    }
}

void ht__bits_set(struct ht__bits *bits, uint32_t at)
{
    for (int level = 0; level < HT__BITS_LEVELS; level++) {
        _Atomic uint64_t *word = &bits->level[level][at / 64];
        uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
        atomic_store_explicit(word, now | UINT64_C(1) << at % 64, memory_order_release);
        at /= 64;
    }
}

void ht__bits_clear(struct ht__bits *bits, uint32_t at)
{
    for (int level = 0; level < HT__BITS_LEVELS; level++) {
        _Atomic uint64_t *word = &bits->level[level][at / 64];
        uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
        now &= ~(UINT64_C(1) << at % 64);
        atomic_store_explicit(word, now, memory_order_release);
        if (now != 0) {
            return;
        }
        at /= 64;
    }
}

uint32_t ht__bits_next(const struct ht__bits *bits, uint32_t from, uint32_t last)
{
    int level = 0;
    uint64_t at = from;
    for (;;) {
        if (at / 64 >= bits->words[level] || at > last >> 6 * level) {
            return HT_NONE;
        }
        uint64_t word = atomic_load_explicit(&bits->level[level][at / 64], memory_order_acquire);
        word &= UINT64_MAX << at % 64;
        if (word != 0) {
            at = at / 64 * 64 + (uint64_t)__builtin_ctzll(word);
            if (level == 0) {
                return at <= last ? (uint32_t)at : HT_NONE;
            }
            level--;
            at *= 64;
        } else if (level + 1 < HT__BITS_LEVELS) {
            level++;
            at = at / 64 + 1;
        } else {
            at = (at / 64 + 1) * 64;
        }
    }
}

static enum ht_status layer_init(struct ht__layer *layer, const struct ht_road *road,
                                 uint32_t least)
{
    layer->graph = road->graph;
    layer->cch = road->cch;
    enum ht_status status = ht_regions_init(&layer->regions, road->cch, least, HT_REGION_OUT);
    if (status == HT_OK) {
        status = ht__bits_init(&layer->bits, road->cch->vertex_count);
    }
    if (status == HT_OK) {
        layer->heads = ht_array_new_zeroed(road->cch->vertex_count, sizeof *layer->heads);
        status = layer->heads == NULL ? HT_NOMEM : HT_OK;
    }
    return status;
}

enum ht_status ht__closest_make(const struct ht_road *const *roads, uint32_t profile_count,
                                uint32_t capacity, uint32_t least, struct ht_closest **out)
{
    if (capacity > UINT32_MAX / 4) {
        return HT_RANGE;
    }
    struct ht_closest *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return HT_NOMEM;
    }
    c->layer_count = profile_count;
    c->capacity = capacity;
    c->scan_first = HT__CLOSEST_SCAN;
    (void)pthread_mutex_init(&c->movers, NULL);
    for (int i = 0; i < HT__CLOSEST_STRIPES; i++) {
        (void)pthread_mutex_init(&c->lists[i], NULL);
        (void)pthread_mutex_init(&c->units[i], NULL);
    }
    c->layers = ht_array_new_zeroed(profile_count, sizeof *c->layers);
    c->records = ht_array_new_zeroed(capacity, sizeof *c->records); /* nobody is there */
    c->links = ht_array_new_zeroed((size_t)capacity * 2, sizeof *c->links);
    enum ht_status status =
        c->layers == NULL || c->records == NULL || c->links == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t i = 0; i < profile_count && status == HT_OK; i++) {
        if (roads[i] != NULL) {
            status = layer_init(&c->layers[i], roads[i], least);
        }
    }
    if (status != HT_OK) {
        ht_closest_free(c);
        return status;
    }
    *out = c;
    return HT_OK;
}

enum ht_status ht_closest_new(const struct ht_road *const *roads, uint32_t profile_count,
                              uint32_t capacity, struct ht_closest **out)
{
    return ht__closest_make(roads, profile_count, capacity, HT__CLOSEST_LEAST, out);
}

void ht_closest_free(struct ht_closest *c)
{
    if (c == NULL) {
        return;
    }
    for (uint32_t i = 0; i < c->layer_count && c->layers != NULL; i++) {
        ht_regions_deinit(&c->layers[i].regions);
        ht__bits_deinit(&c->layers[i].bits);
        free(c->layers[i].heads);
    }
    free(c->layers);
    free(c->records);
    free(c->links);
    (void)pthread_mutex_destroy(&c->movers);
    for (int i = 0; i < HT__CLOSEST_STRIPES; i++) {
        (void)pthread_mutex_destroy(&c->lists[i]);
        (void)pthread_mutex_destroy(&c->units[i]);
    }
    free(c);
}

void ht_closest_bytes(const struct ht_closest *c, size_t *streets, size_t *units)
{
    *units = c->capacity * (sizeof *c->records + 2 * sizeof *c->links);
    *streets = sizeof *c;
    for (uint32_t i = 0; i < c->layer_count; i++) {
        const struct ht__layer *layer = &c->layers[i];
        if (layer->graph == NULL) {
            continue;
        }
        *streets += ht_regions_bytes(&layer->regions) + sizeof *layer +
                    layer->cch->vertex_count * sizeof *layer->heads;
        for (int level = 0; level < HT__BITS_LEVELS; level++) {
            *streets += layer->bits.words[level] * sizeof *layer->bits.level[level];
        }
    }
}

static pthread_mutex_t *list_lock(struct ht_closest *c, uint32_t vertex)
{
    return &c->lists[vertex % HT__CLOSEST_STRIPES];
}

static pthread_mutex_t *unit_lock(struct ht_closest *c, uint32_t unit)
{
    return &c->units[unit % HT__CLOSEST_STRIPES];
}

/* Movers: what follows needs `movers`. */

static void unlink_entry(struct ht_closest *c, struct ht__layer *layer, uint32_t vertex,
                         uint32_t entry)
{
    struct ht__link *link = &c->links[entry];
    (void)pthread_mutex_lock(list_lock(c, vertex));
    if (link->next != 0) {
        c->links[link->next - 1].before = link->before;
    }
    if (link->before != 0) {
        c->links[link->before - 1].next = link->next;
    } else {
        layer->heads[vertex] = link->next;
    }
    if (layer->heads[vertex] == 0) {
        ht__bits_clear(&layer->bits, vertex);
    }
    (void)pthread_mutex_unlock(list_lock(c, vertex));
}

static void link_entry(struct ht_closest *c, struct ht__layer *layer, uint32_t vertex,
                       uint32_t entry)
{
    struct ht__link *link = &c->links[entry];
    (void)pthread_mutex_lock(list_lock(c, vertex));
    *link = (struct ht__link){.next = layer->heads[vertex]};
    if (link->next != 0) {
        c->links[link->next - 1].before = entry + 1;
    } else {
        ht__bits_set(&layer->bits, vertex);
    }
    layer->heads[vertex] = entry + 1;
    (void)pthread_mutex_unlock(list_lock(c, vertex));
}

static void write_record(struct ht_closest *c, uint32_t unit, const struct ht__record *record)
{
    (void)pthread_mutex_lock(unit_lock(c, unit));
    c->records[unit] = *record;
    (void)pthread_mutex_unlock(unit_lock(c, unit));
}

/* Noted first and done last, as in moving.c: who misses the unit on both arcs finds it in the ring.
 */
static void move_across(struct ht_closest *c, uint32_t unit, const struct ht__record *next)
{
    const struct ht__record last = c->records[unit];
    uint64_t begun = atomic_load_explicit(&c->begun, memory_order_relaxed);
    atomic_store_explicit(&c->ring[begun % HT__CLOSEST_RING], unit, memory_order_release);
    atomic_store_explicit(&c->begun, begun + 1, memory_order_release);
    for (uint32_t s = 0; s < 2; s++) {
        if (last.owner != 0 && last.vertex[s] != HT_NONE) {
            unlink_entry(c, &c->layers[last.owner - 1], last.vertex[s], 2 * unit + s);
        }
    }
    write_record(c, unit, next);
    if (last.owner != 0) {
        (void)atomic_fetch_sub_explicit(&c->layers[last.owner - 1].units, 1, memory_order_relaxed);
    }
    if (next->owner != 0) {
        (void)atomic_fetch_add_explicit(&c->layers[next->owner - 1].units, 1, memory_order_relaxed);
    }
    for (uint32_t s = 0; s < 2; s++) {
        if (next->owner != 0 && next->vertex[s] != HT_NONE) {
            link_entry(c, &c->layers[next->owner - 1], next->vertex[s], 2 * unit + s);
        }
    }
    atomic_store_explicit(&c->ended, begun + 1, memory_order_release);
}

enum ht_status ht_closest_set(struct ht_closest *c, uint32_t unit, uint32_t profile,
                              const struct ht_place *place)
{
    if (unit >= c->capacity || profile >= c->layer_count || c->layers[profile].graph == NULL) {
        return HT_RANGE;
    }
    const struct ht__layer *layer = &c->layers[profile];
    struct ht__record next = {.owner = profile + 1, .vertex = {HT_NONE, HT_NONE}, .place = *place};
    for (int s = 0; s < 2; s++) {
        uint32_t arc = place->side[s].arc;
        if (arc != HT_NONE && arc >= layer->graph->arc_count) {
            return HT_RANGE;
        }
        next.vertex[s] = arc == HT_NONE ? HT_NONE : layer->cch->rank[arc];
    }
    (void)pthread_mutex_lock(&c->movers);
    const struct ht__record *last = &c->records[unit]; /* only movers write it */
    if (last->owner == next.owner && last->vertex[0] == next.vertex[0] &&
        last->vertex[1] == next.vertex[1]) {
        write_record(c, unit, &next);
    } else {
        move_across(c, unit, &next);
    }
    if (unit >= atomic_load_explicit(&c->end, memory_order_relaxed)) {
        atomic_store_explicit(&c->end, unit + 1, memory_order_release);
    }
    (void)pthread_mutex_unlock(&c->movers);
    return HT_OK;
}

void ht_closest_remove(struct ht_closest *c, uint32_t unit)
{
    if (unit >= c->capacity) {
        return;
    }
    const struct ht__record none = {.vertex = {HT_NONE, HT_NONE}};
    (void)pthread_mutex_lock(&c->movers);
    if (c->records[unit].owner != 0) {
        move_across(c, unit, &none);
    }
    (void)pthread_mutex_unlock(&c->movers);
}

/* Readers. */

uint32_t ht__closest_units(struct ht_closest *c, uint32_t layer, uint32_t vertex, uint32_t *units)
{
    uint32_t count = 0;
    (void)pthread_mutex_lock(list_lock(c, vertex));
    for (uint32_t entry = c->layers[layer].heads[vertex]; entry != 0;
         entry = c->links[entry - 1].next) {
        units[count++] = (entry - 1) / 2;
    }
    (void)pthread_mutex_unlock(list_lock(c, vertex));
    return count;
}

struct ht__record ht__closest_record(struct ht_closest *c, uint32_t unit)
{
    (void)pthread_mutex_lock(unit_lock(c, unit));
    struct ht__record record = c->records[unit];
    (void)pthread_mutex_unlock(unit_lock(c, unit));
    return record;
}
