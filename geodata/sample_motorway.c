#include <stdio.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/sample_internal.h"

/* Across the strip, seen along it (traffic keeps right, so the left carriageway runs back):
 *
 *   avenue   <- A     B ->
 *     |      |        |
 *     o------+ off A  |          off A leaves beyond the interchange and meets `second`,
 *     o==bridge=======+ on B     off B leaves before it and meets `first` over a bridge
 */
enum { AVENUE_CM = 14 * HT__METRE, A_CM = 200 * HT__METRE, B_CM = 225 * HT__METRE };
enum { RAMP_CM = 380 * HT__METRE, SWING_CM = 60 * HT__METRE };

struct road {
    struct ht__sketch *sketch;
    const struct ht__strip *strip;
    struct ht__dice dice;
};

static uint32_t node(const struct road *road, int32_t along, int32_t across)
{
    return ht__sketch_node(
        road->sketch, ht__strip_place(road->strip, along, road->strip->across_min_cm + across));
}

static void end_ramp(struct road *road, const char *exit_ref)
{
    struct ht__sketch *sketch = road->sketch;
    ht__sketch_tag(sketch, "highway", "motorway_link");
    ht__sketch_tag(sketch, "oneway", "yes");
    ht__sketch_tag(sketch, "maxspeed", "40");
    ht__sketch_tag(sketch, "lanes", "1");
    if (exit_ref != NULL) {
        ht__sketch_tag(sketch, "junction:ref", exit_ref);
        ht__sketch_tag(sketch, "destination", "镇海;蛟川");
        ht__sketch_tag(sketch, "destination:ref", "G329");
    } else {
        ht__sketch_tag(sketch, "destination", "宁波");
        ht__sketch_tag(sketch, "destination:ref", "S21");
    }
    (void)ht__sketch_end(sketch);
}

/* One piece of a ramp that bridges both carriageways. */
static void end_bridge(struct road *road)
{
    ht__sketch_tag(road->sketch, "highway", "motorway_link");
    ht__sketch_tag(road->sketch, "oneway", "yes");
    ht__sketch_tag(road->sketch, "maxspeed", "40");
    ht__sketch_tag(road->sketch, "bridge", "yes");
    ht__sketch_tag(road->sketch, "layer", "1");
    (void)ht__sketch_end(road->sketch);
}

static void draw_ramps(struct road *road, const struct ht__interchange *at, const char *exit_ref,
                       const uint32_t nodes[4])
{
    struct ht__sketch *sketch = road->sketch;
    int32_t along = at->along_cm;
    /* Off and on A: beside it, towards the avenue. */
    ht__sketch_begin(sketch, nodes[1]);
    ht__sketch_leg(sketch, node(road, along + RAMP_CM / 2, A_CM - SWING_CM));
    ht__sketch_leg(sketch, at->second);
    end_ramp(road, exit_ref);
    ht__sketch_begin(sketch, at->first);
    ht__sketch_leg(sketch, node(road, along - RAMP_CM / 2, A_CM - SWING_CM));
    ht__sketch_leg(sketch, nodes[0]);
    end_ramp(road, NULL);
    /* Off and on B: out to the right and back over both carriageways. */
    uint32_t off = node(road, along - 3 * HT__METRE * 10, B_CM + SWING_CM);
    uint32_t on = node(road, along + 3 * HT__METRE * 10, B_CM + SWING_CM);
    ht__sketch_begin(sketch, nodes[2]);
    ht__sketch_leg(sketch, node(road, along - RAMP_CM / 2, B_CM + SWING_CM / 2));
    ht__sketch_leg(sketch, off);
    end_ramp(road, exit_ref);
    ht__sketch_begin(sketch, off);
    ht__sketch_leg(sketch, at->first);
    end_bridge(road);
    ht__sketch_begin(sketch, at->second);
    ht__sketch_leg(sketch, on);
    end_bridge(road);
    ht__sketch_begin(sketch, on);
    ht__sketch_leg(sketch, node(road, along + RAMP_CM / 2, B_CM + SWING_CM / 2));
    ht__sketch_leg(sketch, nodes[3]);
    end_ramp(road, NULL);
}

static void end_carriageway(struct road *road)
{
    ht__tag_street(road->sketch, &road->dice, HT__MOTORWAY, true, NULL);
    ht__sketch_tag(road->sketch, "ref", "S21");
    ht__sketch_tag(road->sketch, "name", "甬舟高速公路");
    ht__sketch_tag(road->sketch, "name:en", "Yongzhou Expressway");
    (void)ht__sketch_end(road->sketch);
}

/* nodes: per interchange A low, A high, B low, B high; then the four ends A low, A high, B low, B
 * high. */
static void draw_carriageways(struct road *road, const uint32_t *nodes, size_t count)
{
    const uint32_t *ends = nodes + 4 * count;
    uint32_t a = ends[1];
    uint32_t b = ends[2];
    for (size_t i = 0; i <= count; i++) {
        size_t high = count - 1 - i;
        for (size_t half = 0; half < (i < count ? 2 : 1); half++) {
            uint32_t a_next = i < count ? nodes[4 * high + 1 - half] : ends[0];
            uint32_t b_next = i < count ? nodes[4 * i + 2 + half] : ends[3];
            ht__sketch_begin(road->sketch, a);
            ht__sketch_leg(road->sketch, a_next);
            end_carriageway(road);
            ht__sketch_begin(road->sketch, b);
            ht__sketch_leg(road->sketch, b_next);
            end_carriageway(road);
            a = a_next;
            b = b_next;
        }
    }
}

static void draw_end(struct road *road, uint32_t from, uint32_t to)
{
    ht__sketch_begin(road->sketch, from);
    ht__sketch_leg(road->sketch, to);
    end_ramp(road, NULL);
}

enum ht_status ht__motorway_draw(struct ht__sketch *sketch, const struct ht__strip *strip,
                                 const struct ht__interchange *interchanges, size_t count,
                                 const uint32_t ends[2])
{
    struct road road = {.sketch = sketch, .strip = strip, .dice = ht__dice_new(strip->seed, 3)};
    uint32_t *nodes = ht_array_new(4 * (count + 1), sizeof *nodes);
    if (nodes == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t along = interchanges[i].along_cm;
        uint32_t *at = nodes + 4 * i;
        char exit_ref[32];
        (void)snprintf(exit_ref, sizeof exit_ref, "%zu", 12 + i);
        const char *ref = ht__sketch_keep(sketch, exit_ref);
        at[0] = node(&road, along - RAMP_CM, A_CM);
        at[1] = node(&road, along + RAMP_CM, A_CM);
        at[2] = node(&road, along - RAMP_CM, B_CM);
        at[3] = node(&road, along + RAMP_CM, B_CM);
        for (size_t exit = 1; exit <= 2; exit++) {
            ht__sketch_node_tag(sketch, at[exit], "highway", "motorway_junction");
            ht__sketch_node_tag(sketch, at[exit], "ref", ref);
            ht__sketch_node_tag(sketch, at[exit], "name", "镇海");
        }
        draw_ramps(&road, &interchanges[i], ref, at);
    }
    uint32_t *corner = nodes + 4 * count;
    corner[0] = node(&road, strip->along_min_cm + RAMP_CM, A_CM);
    corner[1] = node(&road, strip->along_max_cm - RAMP_CM, A_CM);
    corner[2] = node(&road, strip->along_min_cm + RAMP_CM, B_CM);
    corner[3] = node(&road, strip->along_max_cm - RAMP_CM, B_CM);
    draw_carriageways(&road, nodes, count);
    draw_end(&road, corner[0], ends[0]);
    draw_end(&road, ends[0], corner[2]);
    draw_end(&road, corner[3], ends[1]);
    draw_end(&road, ends[1], corner[1]);
    free(nodes);
    return ht__sketch_status(sketch);
}
