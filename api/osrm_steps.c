#include "api/osrm_steps.h"

#include <string.h>

#include "api/osrm_line.h"
#include "api/osrm_out.h"
#include "api/put.h"

/* Bytes at most of what is written at once. */
enum {
    COST_ROOM = 40 + 3 * HT_PUT_NUMBER,
    MANEUVER_ROOM = 256 + HT_OSRM_LOCATION_ROOM,
    JUNCTION_ROOM = 96 + HT_OSRM_LOCATION_ROOM,
    ROAD_ROOM = 16, /* its bearing and entry */
    LANES_MAX = 32,
};

static const char *step_type_name(enum ht_step_type type)
{
    static const char *const names[] = {
        [HT_STEP_NONE] = "turn",
        [HT_STEP_SUPPRESSED] = "turn",
        [HT_STEP_SLIPROAD] = "turn",
        [HT_STEP_STAY_ROUNDABOUT] = "roundabout",
        [HT_STEP_DEPART] = "depart",
        [HT_STEP_ARRIVE] = "arrive",
        [HT_STEP_TURN] = "turn",
        [HT_STEP_NEW_NAME] = "new name",
        [HT_STEP_CONTINUE] = "continue",
        [HT_STEP_MERGE] = "merge",
        [HT_STEP_ON_RAMP] = "on ramp",
        [HT_STEP_OFF_RAMP] = "off ramp",
        [HT_STEP_FORK] = "fork",
        [HT_STEP_END_OF_ROAD] = "end of road",
        [HT_STEP_NOTIFICATION] = "notification",
        [HT_STEP_USE_LANE] = "use lane",
        [HT_STEP_ROUNDABOUT] = "roundabout",
        [HT_STEP_ROTARY] = "rotary",
        [HT_STEP_ROUNDABOUT_TURN] = "roundabout turn",
        [HT_STEP_EXIT_ROUNDABOUT] = "exit roundabout",
        [HT_STEP_EXIT_ROTARY] = "exit rotary",
        [HT_STEP_EXIT_ROUNDABOUT_TURN] = "exit roundabout",
    };
    return names[type];
}

static const char *const modifier_names[] = {
    [HT_MODIFIER_UTURN] = "uturn",       [HT_MODIFIER_SHARP_RIGHT] = "sharp right",
    [HT_MODIFIER_RIGHT] = "right",       [HT_MODIFIER_SLIGHT_RIGHT] = "slight right",
    [HT_MODIFIER_STRAIGHT] = "straight", [HT_MODIFIER_SLIGHT_LEFT] = "slight left",
    [HT_MODIFIER_LEFT] = "left",         [HT_MODIFIER_SHARP_LEFT] = "sharp left",
    [HT_MODIFIER_NONE] = NULL,
};

static const char *const mode_names[] = {
    [HT_MODE_NONE] = "inaccessible",    [HT_MODE_DRIVING] = "driving",
    [HT_MODE_CYCLING] = "cycling",      [HT_MODE_WALKING] = "walking",
    [HT_MODE_FERRY] = "ferry",          [HT_MODE_TRAIN] = "train",
    [HT_MODE_PUSHING] = "pushing bike",
};

static const char *const lane_names[HT_GUIDE_LANE_KINDS] = {
    "none",  "straight",    "sharp left", "left",          "slight left",   "slight right",
    "right", "sharp right", "uturn",      "merge to left", "merge to right"};

static int64_t tenths(int64_t thousandths)
{
    return (thousandths + 50) / 100;
}

const char *ht_osrm_way_name(const struct ht_network *network, uint32_t way,
                             enum ht_osrm_language language)
{
    const struct ht_way *w = &network->ways[way];
    uint32_t name = language == HT_OSRM_LANGUAGE_ZH   ? w->name_zh
                    : language == HT_OSRM_LANGUAGE_EN ? w->name_en
                                                      : w->name;
    return network->strings + (name != 0 ? name : w->name);
}

void ht_osrm_write_summary(struct ht_json *json, const struct ht_network *network,
                           const uint32_t *ways, uint32_t count, enum ht_osrm_language language)
{
    char text[1024];
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = ht_osrm_way_name(network, ways[i], language);
        if (name[0] == '\0') {
            name = network->strings + network->ways[ways[i]].ref;
        }
        size_t length = strlen(name);
        size_t comma = size > 0 && length > 0 ? 2 : 0;
        if (length + comma <= sizeof text - size) {
            memcpy(text + size, ", ", comma);
            memcpy(text + size + comma, name, length);
            size += comma + length;
        }
    }
    ht_json_text_n(json, text, size);
}

static char *put_text(char *at, const char *text)
{
    return ht_put(at, text, strlen(text));
}

/* What follows the signs, up to the geometry's value. */
static void write_maneuver(struct ht_json *json, const struct ht_guide_step *step,
                           const struct ht_osrm_out *out)
{
    bool end = step->type == HT_STEP_DEPART || step->type == HT_STEP_ARRIVE;
    const char *modifier = modifier_names[step->modifier];
    char *at = ht_json_room(json, MANEUVER_ROOM);
    if (at == NULL) {
        return;
    }
    at = put_text(HT_PUT(at, "\"mode\":\""), mode_names[step->mode]);
    at = put_text(HT_PUT(at, "\",\"maneuver\":{\"type\":\""), step_type_name(step->type));
    if (modifier != NULL && !(end && step->modifier == HT_MODIFIER_UTURN)) {
        at = put_text(HT_PUT(at, "\",\"modifier\":\""), modifier);
    }
    at = ht_osrm_put_location(out, HT_PUT(at, "\",\"location\":"), step->location);
    at = ht_put_short(HT_PUT(at, ",\"bearing_before\":"), step->bearing_before);
    at = ht_put_short(HT_PUT(at, ",\"bearing_after\":"), step->bearing_after);
    if (step->exit != 0) {
        at = ht_put_uint(HT_PUT(at, ",\"exit\":"), step->exit);
    }
    ht_json_room_end(json, HT_PUT(at, "},\"geometry\":"));
    json->comma = false;
}

static void write_classes(struct ht_json *json, uint16_t classes)
{
    static const struct {
        uint16_t flag;
        const char *name;
    } names[] = {{HT_ARC_TOLL, "toll"},
                 {HT_ARC_MOTORWAY, "motorway"},
                 {HT_ARC_IS_FERRY, "ferry"},
                 {HT_ARC_IS_TUNNEL, "tunnel"}};
    ht_json_key(json, "classes");
    ht_json_array(json);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((classes & names[i].flag) != 0) {
            ht_json_text(json, names[i].name);
        }
    }
    ht_json_array_end(json);
}

static void write_lanes(struct ht_json *json, const struct ht_network *network,
                        const struct ht_guide_junction *junction)
{
    uint16_t masks[LANES_MAX];
    uint32_t count = ht_guide_lane_masks(network->strings + junction->lanes, masks, LANES_MAX);
    if (junction->lanes_right != 0) {
        count += ht_guide_lane_masks(network->strings + junction->lanes_right, masks + count,
                                     LANES_MAX - count);
    }
    ht_json_key(json, "lanes");
    ht_json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from_right = count - 1 - i;
        ht_json_object(json);
        ht_json_key_bool(json, "valid",
                         from_right >= junction->lane_first &&
                             from_right < (uint32_t)junction->lane_first + junction->lane_valid);
        ht_json_key(json, "indications");
        ht_json_array(json);
        for (int kind = 0; kind < HT_GUIDE_LANE_KINDS; kind++) {
            if ((masks[i] >> kind & 1) != 0) {
                ht_json_text(json, lane_names[kind]);
            }
        }
        ht_json_array_end(json);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

/* The members that every junction has: they are most of an answer. */
static char *put_junction(char *at, const struct ht_guide_road *roads,
                          const struct ht_guide_junction *junction, const struct ht_osrm_out *out)
{
    roads += junction->first_road;
    at = ht_osrm_put_location(out, HT_PUT(at, "{\"location\":"), junction->location);
    at = HT_PUT(at, ",\"bearings\":[");
    for (uint32_t i = 0; i < junction->road_count; i++) {
        at = ht_put_short(at, roads[i].bearing_deg);
        *at++ = ',';
    }
    at -= junction->road_count > 0 ? 1 : 0;
    at = HT_PUT(at, "],\"entry\":[");
    for (uint32_t i = 0; i < junction->road_count; i++) {
        at = ht_put_bool(at, roads[i].entry);
        *at++ = ',';
    }
    at -= junction->road_count > 0 ? 1 : 0;
    *at++ = ']';
    if (junction->in != HT_GUIDE_NO_ROAD) {
        at = ht_put_short(HT_PUT(at, ",\"in\":"), junction->in);
    }
    if (junction->out != HT_GUIDE_NO_ROAD) {
        at = ht_put_short(HT_PUT(at, ",\"out\":"), junction->out);
    }
    return at;
}

static void write_junction(struct ht_json *json, const struct ht_network *network,
                           const struct ht_guide_road *roads,
                           const struct ht_guide_junction *junction, const struct ht_osrm_out *out)
{
    char *at = ht_json_room(json, JUNCTION_ROOM + junction->road_count * (size_t)ROAD_ROOM);
    if (at == NULL) {
        return;
    }
    at = put_junction(at, roads, junction, out);
    if (junction->lane_valid == 0 && junction->classes == 0) {
        *at++ = '}';
        ht_json_room_end(json, at);
        return;
    }
    ht_json_room_end(json, at);
    if (junction->lane_valid > 0) {
        write_lanes(json, network, junction);
    }
    if (junction->classes != 0) {
        write_classes(json, junction->classes);
    }
    ht_json_object_end(json);
}

static void write_optional(struct ht_json *json, const char *key, const char *text)
{
    if (text[0] != '\0') {
        ht_json_key_text(json, key, text);
    }
}

static void write_signs(struct ht_json *json, const struct ht_network *network,
                        const struct ht_guide_step *step, enum ht_osrm_language language)
{
    const struct ht_way *way = &network->ways[step->way];
    ht_json_key_text(json, "name", ht_osrm_way_name(network, step->way, language));
    write_optional(json, "ref", network->strings + way->ref);
    write_optional(json, "pronunciation", network->strings + way->pronunciation);
    write_optional(json, "destinations", network->strings + way->destinations);
    write_optional(json, "exits", network->strings + way->exits);
    if (step->rotary_way != HT_NONE) {
        const struct ht_way *rotary = &network->ways[step->rotary_way];
        const char *name = ht_osrm_way_name(network, step->rotary_way, language);
        write_optional(json, "rotary_name", name);
        if (name[0] != '\0') {
            write_optional(json, "rotary_pronunciation", network->strings + rotary->pronunciation);
        }
    }
}

/* The step's points, cut out of the overview where they can be. */
static void write_line(struct ht_json *json, const struct ht_guide_steps *steps,
                       const struct ht_guide_step *step,
                       const struct ht_osrm_steps_options *options)
{
    const struct ht_point *points = steps->points + step->first_point;
    if (options->line == NULL ||
        !ht_osrm_line_cut(json, options->line,
                          options->line_first + steps->points_dropped + step->first_point, points,
                          step->point_count)) {
        ht_osrm_out_geometry(options->out, json, points, step->point_count, options->geometry);
    }
}

static void write_cost(struct ht_json *json, const struct ht_cost *cost)
{
    char *at = ht_json_room(json, COST_ROOM);
    if (at == NULL) {
        return;
    }
    at = ht_put_tenths(HT_PUT(at, "{\"distance\":"), tenths(cost->length_mm));
    at = ht_put_tenths(HT_PUT(at, ",\"duration\":"), tenths(cost->duration_ms));
    at = ht_put_tenths(HT_PUT(at, ",\"weight\":"), tenths(cost->weight_ms));
    ht_json_room_end(json, at);
}

static void write_step(struct ht_json *json, const struct ht_network *network,
                       const struct ht_guide_steps *steps, const struct ht_guide_step *step,
                       const struct ht_osrm_steps_options *options)
{
    write_cost(json, &step->cost);
    write_signs(json, network, step, options->language);
    write_maneuver(json, step, options->out);
    write_line(json, steps, step, options);
    ht_json_key_text(json, "driving_side", step->left_hand ? "left" : "right");
    ht_json_key(json, "intersections");
    ht_json_array(json);
    for (uint32_t i = 0; i < step->junction_count; i++) {
        write_junction(json, network, steps->roads, &steps->junctions[step->first_junction + i],
                       options->out);
    }
    ht_json_array_end(json);
    ht_json_object_end(json);
}

void ht_osrm_write_steps(struct ht_json *json, const struct ht_network *network,
                         const struct ht_guide_steps *steps,
                         const struct ht_osrm_steps_options *options)
{
    ht_json_array(json);
    for (uint32_t i = 0; i < steps->step_count; i++) {
        write_step(json, network, steps, &steps->steps[i], options);
    }
    ht_json_array_end(json);
}
