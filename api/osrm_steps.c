#include "api/osrm_steps.h"

#include "api/osrm_out.h"

#include <string.h>

enum { POINT_BYTES = 24, LANES_MAX = 32 };

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

/* Coordinates have six decimals, as OSRM's. */
static int64_t micro(int32_t e7)
{
    return e7 >= 0 ? (e7 + 5) / 10 : -((5 - (int64_t)e7) / 10);
}

static void write_location(struct ht_json *json, struct ht_point p)
{
    ht_json_array(json);
    ht_json_fixed(json, micro(p.lon_e7), 6);
    ht_json_fixed(json, micro(p.lat_e7), 6);
    ht_json_array_end(json);
}

/* Encodes into the far end of the room and copies to its front, so that the one character that JSON
 * escapes needs no second buffer. */
static void write_polyline(struct ht_json *json, const struct ht_point *points, size_t count,
                           int precision)
{
    size_t most = count * POINT_BYTES / 2;
    if (json->comma) {
        ht_buffer_append(json->out, ",", 1);
    }
    json->comma = true;
    char *to = ht_buffer_reserve(json->out, 2 * most + 4);
    if (to == NULL) {
        return;
    }
    const char *from = to + most + 2;
    size_t size = ht_polyline_encode(points, count, precision, to + most + 2, most);
    size_t written = 0;
    to[written++] = '"';
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '\\') {
            to[written++] = '\\';
        }
        to[written++] = from[i];
    }
    to[written++] = '"';
    ht_buffer_advance(json->out, written);
}

void ht_osrm_write_geometry(struct ht_json *json, const struct ht_point *points, size_t count,
                            enum ht_osrm_geometry geometry)
{
    const struct ht_point pair[2] = {points[0], points[0]};
    if (count == 1) {
        points = pair;
        count = 2;
    }
    if (geometry != HT_OSRM_GEOJSON) {
        write_polyline(json, points, count, geometry == HT_OSRM_POLYLINE ? 5 : 6);
        return;
    }
    ht_json_object(json);
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        write_location(json, points[i]);
    }
    ht_json_array_end(json);
    ht_json_key_text(json, "type", "LineString");
    ht_json_object_end(json);
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

static void write_maneuver(struct ht_json *json, const struct ht_guide_step *step,
                           const struct ht_osrm_out *out)
{
    bool end = step->type == HT_STEP_DEPART || step->type == HT_STEP_ARRIVE;
    const char *modifier = modifier_names[step->modifier];
    ht_json_object(json);
    ht_json_key_text(json, "type", step_type_name(step->type));
    if (modifier != NULL && !(end && step->modifier == HT_MODIFIER_UTURN)) {
        ht_json_key_text(json, "modifier", modifier);
    }
    ht_json_key(json, "location");
    ht_osrm_out_location(out, json, step->location);
    ht_json_key_int(json, "bearing_before", step->bearing_before);
    ht_json_key_int(json, "bearing_after", step->bearing_after);
    if (step->exit != 0) {
        ht_json_key_int(json, "exit", step->exit);
    }
    ht_json_object_end(json);
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

static void write_junction(struct ht_json *json, const struct ht_network *network,
                           const struct ht_guide_road *roads,
                           const struct ht_guide_junction *junction, const struct ht_osrm_out *out)
{
    roads += junction->first_road;
    ht_json_object(json);
    ht_json_key(json, "location");
    ht_osrm_out_location(out, json, junction->location);
    ht_json_key(json, "bearings");
    ht_json_array(json);
    for (uint32_t i = 0; i < junction->road_count; i++) {
        ht_json_int(json, roads[i].bearing_deg);
    }
    ht_json_array_end(json);
    ht_json_key(json, "entry");
    ht_json_array(json);
    for (uint32_t i = 0; i < junction->road_count; i++) {
        ht_json_bool(json, roads[i].entry);
    }
    ht_json_array_end(json);
    if (junction->in != HT_GUIDE_NO_ROAD) {
        ht_json_key_int(json, "in", junction->in);
    }
    if (junction->out != HT_GUIDE_NO_ROAD) {
        ht_json_key_int(json, "out", junction->out);
    }
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

static void write_step(struct ht_json *json, const struct ht_network *network,
                       const struct ht_guide_steps *steps, const struct ht_guide_step *step,
                       const struct ht_osrm_steps_options *options)
{
    ht_json_object(json);
    ht_json_key(json, "distance");
    ht_json_fixed(json, tenths(step->cost.length_mm), 1);
    ht_json_key(json, "duration");
    ht_json_fixed(json, tenths(step->cost.duration_ms), 1);
    ht_json_key(json, "weight");
    ht_json_fixed(json, tenths(step->cost.weight_ms), 1);
    write_signs(json, network, step, options->language);
    ht_json_key_text(json, "mode", mode_names[step->mode]);
    ht_json_key(json, "maneuver");
    write_maneuver(json, step, options->out);
    ht_json_key(json, "geometry");
    ht_osrm_out_geometry(options->out, json, steps->points + step->first_point, step->point_count,
                         options->geometry);
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
