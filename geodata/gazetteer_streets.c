#include "geodata/gazetteer_streets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/text.h"
#include "geodata/gazetteer_internal.h"

static uint64_t way_length_mm(const struct ht_network *network, uint32_t way)
{
    uint64_t length = 0;
    uint32_t end = network->ways[way + 1].first_node;
    for (uint32_t i = network->ways[way].first_node; i + 1 < end; i++) {
        length += ht_distance_mm(network->node_point[network->way_node[i]],
                                 network->node_point[network->way_node[i + 1]]);
    }
    return length;
}

static void label_add(struct ht_text *label, const char *key, const char *text)
{
    if (text[0] != '\0') {
        ht_text_addf(label, "%c\"%s\":", label->size == 0 ? '{' : ',', key);
        ht_text_add_json(label, text, strlen(text));
    }
}

static enum ht_status street_put(struct ht_gazetteer_batch *batch, const struct ht_network *network,
                                 uint32_t way, struct ht_text *label)
{
    const struct ht_way *street = &network->ways[way];
    const char *names[] = {network->strings + street->name, network->strings + street->name_zh,
                           network->strings + street->name_en};
    struct ht_gazetteer_text texts[3];
    size_t count = 0;
    char id[32];
    uint32_t nodes = network->ways[way + 1].first_node - street->first_node;
    for (size_t i = 0; i < 3; i++) {
        if (names[i][0] != '\0') {
            texts[count++] = (struct ht_gazetteer_text){names[i], strlen(names[i]), false};
        }
    }
    (void)snprintf(id, sizeof id, "way/%" PRId64, street->osm_id);
    ht_text_clear(label);
    label_add(label, "name", names[0]);
    label_add(label, "name:zh", names[1]);
    label_add(label, "name:en", names[2]);
    ht_text_add_char(label, '}');
    if (label->failed) {
        return HT_NOMEM;
    }
    const struct ht_gazetteer_item item = {
        .kind = HT_GAZETTEER_STREETS,
        .id = id,
        .placed = true,
        .point = network->node_point[network->way_node[street->first_node + nodes / 2]],
        .texts = texts,
        .text_count = count,
        .label = ht_text_string(label)};
    return ht_gazetteer_batch_put(batch, &item);
}

/* The longest of ways of one name; the first of those equally long. */
static uint32_t longest(const struct ht_network *network, const struct ht__sort *ways, size_t count)
{
    uint32_t best = ways[0].number;
    uint64_t best_mm = way_length_mm(network, best);
    for (size_t i = 1; i < count; i++) {
        uint64_t length_mm = way_length_mm(network, ways[i].number);
        if (length_mm > best_mm) {
            best = ways[i].number;
            best_mm = length_mm;
        }
    }
    return best;
}

enum ht_status ht_gazetteer_streets(const struct ht_network *network,
                                    struct ht_gazetteer_batch *batch)
{
    ht_gazetteer_batch_clear(batch, HT_GAZETTEER_STREETS);
    if (network == NULL) {
        return HT_OK;
    }
    struct ht__sort *ways = ht_array_new(network->way_count, sizeof *ways);
    struct ht_text label = {0};
    enum ht_status status = ways == NULL ? HT_NOMEM : HT_OK;
    size_t count = 0;
    for (uint32_t w = 0; status == HT_OK && w < network->way_count; w++) {
        const char *name = network->strings + network->ways[w].name;
        if (name[0] != '\0' && network->ways[w + 1].first_node > network->ways[w].first_node) {
            ways[count++] = (struct ht__sort){ht__sort_key(name), name, w};
        }
    }
    if (status == HT_OK) {
        ht__sort_strings(ways, count);
    }
    for (size_t i = 0, next = 0; status == HT_OK && i < count; i = next) {
        for (next = i + 1; next < count && strcmp(ways[i].string, ways[next].string) == 0; next++) {
        }
        status = street_put(batch, network, longest(network, ways + i, next - i), &label);
    }
    free(ways);
    ht_text_deinit(&label);
    return status;
}
