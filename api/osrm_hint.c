#include "api/osrm_hint.h"

#include <string.h>

/* byte 0     version
 *      1     spare, 0
 *      2     fingerprint
 *      6     coordinate asked for, lon, lat
 *      14    place on the street, lon, lat
 *      22    arc along the way, arc against it (HT_NONE: not allowed)
 *      30    segment of the first usable arc
 *      34    millimetres from that arc's tail
 *      38    checksum of all before
 */
enum { HINT_BYTES = 42, HINT_VERSION = 1, CHECKSUM_AT = 38 };

static_assert(HINT_BYTES * 4 == HT_OSRM_HINT_SIZE * 3, "base64 without an end mark");

static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

uint32_t ht_hint_fingerprint(const struct ht_road *road)
{
    enum { SAMPLES = 16 };
    const struct ht_network *network = road->network;
    const struct ht_graph *graph = road->graph;
    uint64_t hash = mix(0, (uint64_t)network->node_count << 32 | network->way_count);
    hash = mix(hash, (uint64_t)network->way_node_count << 32 | (uint32_t)network->strings_size);
    hash = mix(hash, (uint64_t)graph->arc_count << 32 | graph->turn_count);
    for (const char *c = graph->profile; *c != '\0'; c++) {
        hash = mix(hash, (uint8_t)*c);
    }
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t node = (uint32_t)((uint64_t)network->node_count * i / SAMPLES);
        uint32_t arc = (uint32_t)((uint64_t)graph->arc_count * i / SAMPLES);
        if (node < network->node_count) {
            hash = mix(hash, (uint64_t)network->node_osm_id[node]);
        }
        if (arc < graph->arc_count) {
            hash = mix(hash, (uint64_t)graph->arcs[arc].length_mm << 32 | graph->arcs[arc].head);
        }
    }
    return (uint32_t)(hash >> 32);
}

static void put(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint32_t get(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t checksum(const uint8_t *bytes)
{
    uint64_t hash = 1;
    for (int i = 0; i < CHECKSUM_AT; i++) {
        hash = mix(hash, bytes[i]);
    }
    return (uint32_t)(hash >> 32);
}

void ht_hint_encode(uint32_t fingerprint, const struct ht_place *place, char *text)
{
    uint8_t bytes[HINT_BYTES] = {HINT_VERSION, 0};
    uint32_t first = place->side[0].arc != HT_NONE ? 0 : 1;
    put(bytes + 2, fingerprint);
    put(bytes + 6, (uint32_t)place->input.lon_e7);
    put(bytes + 10, (uint32_t)place->input.lat_e7);
    put(bytes + 14, (uint32_t)place->point.lon_e7);
    put(bytes + 18, (uint32_t)place->point.lat_e7);
    put(bytes + 22, place->side[0].arc);
    put(bytes + 26, place->side[1].arc);
    put(bytes + 30, place->segment);
    put(bytes + 34, place->side[first].before_mm);
    put(bytes + CHECKSUM_AT, checksum(bytes));
    for (int i = 0; i < HINT_BYTES; i += 3) {
        uint32_t three =
            (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2];
        *text++ = digits[three >> 18];
        *text++ = digits[three >> 12 & 63];
        *text++ = digits[three >> 6 & 63];
        *text++ = digits[three & 63];
    }
}

static int digit_value(char c)
{
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool unpack(const char *text, uint8_t bytes[HINT_BYTES])
{
    for (int i = 0; i < HINT_BYTES; i += 3) {
        uint32_t three = 0;
        for (int k = 0; k < 4; k++) {
            int value = digit_value(*text++);
            if (value < 0) {
                return false;
            }
            three = three << 6 | (uint32_t)value;
        }
        bytes[i] = (uint8_t)(three >> 16);
        bytes[i + 1] = (uint8_t)(three >> 8);
        bytes[i + 2] = (uint8_t)three;
    }
    return bytes[0] == HINT_VERSION && get(bytes + CHECKSUM_AT) == checksum(bytes);
}

/* Everything that a query relies on is checked here: a checksum keeps out accidents, not attackers.
 */
static bool arcs_hold(const struct ht_graph *graph, const uint32_t arc[2], uint32_t segment,
                      uint32_t before_mm)
{
    uint32_t first = arc[0] != HT_NONE ? arc[0] : arc[1];
    if (first >= graph->base_arc_count) {
        return false;
    }
    const struct ht_arc *a = &graph->arcs[first];
    bool both = arc[0] != HT_NONE && arc[1] != HT_NONE;
    if (both && (arc[1] >= graph->base_arc_count || a->reverse != arc[1] ||
                 graph->arcs[arc[1]].length_mm < before_mm)) {
        return false;
    }
    bool along = (a->flags & HT_ARC_FORWARD) != 0;
    return along == (arc[0] != HT_NONE) && segment + 1 < ht_arc_point_count(a) &&
           before_mm <= a->length_mm;
}

static bool between(int32_t value, int32_t a, int32_t b)
{
    return a < b ? value >= a && value <= b : value >= b && value <= a;
}

bool ht_hint_decode(uint32_t fingerprint, const struct ht_road *road, struct ht_point input,
                    const char *text, struct ht_place *out)
{
    uint8_t bytes[HINT_BYTES];
    const struct ht_graph *graph = road->graph;
    if (!unpack(text, bytes) || get(bytes + 2) != fingerprint ||
        get(bytes + 6) != (uint32_t)input.lon_e7 || get(bytes + 10) != (uint32_t)input.lat_e7) {
        return false;
    }
    uint32_t arc[2] = {get(bytes + 22), get(bytes + 26)};
    uint32_t segment = get(bytes + 30);
    uint32_t before_mm = get(bytes + 34);
    if (segment == UINT32_MAX || !arcs_hold(graph, arc, segment, before_mm)) {
        return false;
    }
    uint32_t first = arc[0] != HT_NONE ? 0 : 1;
    const struct ht_arc *a = &graph->arcs[arc[first]];
    struct ht_point u = ht_arc_point(road->network, a, segment);
    struct ht_point v = ht_arc_point(road->network, a, segment + 1);
    *out = (struct ht_place){
        .input = input,
        .point = {(int32_t)get(bytes + 14), (int32_t)get(bytes + 18)},
        .segment = segment,
        .component = ht_arc_component(graph, arc[first]),
        .small = (a->flags & HT_ARC_SMALL) != 0,
        .side = {{.arc = HT_NONE}, {.arc = HT_NONE}},
    };
    if (!between(out->point.lon_e7, u.lon_e7, v.lon_e7) ||
        !between(out->point.lat_e7, u.lat_e7, v.lat_e7)) {
        return false;
    }
    out->distance_m = ht_distance_m(input, out->point);
    out->side[first] = ht_place_side_at(graph, arc[first], before_mm);
    if (first == 0 && arc[1] != HT_NONE) {
        const struct ht_arc *back = &graph->arcs[arc[1]];
        out->side[1] = ht_place_side_at(graph, arc[1], back->length_mm - before_mm);
        if (out->small && (back->flags & HT_ARC_SMALL) == 0) { /* the better side speaks for both */
            out->small = false;
            out->component = ht_arc_component(graph, arc[1]);
        }
    }
    return true;
}
