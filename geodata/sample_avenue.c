#include <stdio.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/sample_strip.h"

enum { RING_NODES = 8, SIGN_CM = 9 * HT__METRE, RAMP_CM = 70 * HT__METRE };

static struct ht__place at(const struct ht__strip_draft *draft, int32_t along, int32_t across)
{
    return ht__strip_place(draft->strip, along, across);
}

/* --- stops --- */

/* Counter-clockwise, from where the avenue goes on. */
static void draw_roundabout(struct ht__strip_draft *draft, struct ht__stop *stop, bool large,
                            uint32_t arms[2])
{
    struct ht__sketch *sketch = draft->sketch;
    uint32_t ring[RING_NODES];
    int32_t radius = (large ? 42 : 16) * HT__METRE;
    for (int32_t i = 0; i < RING_NODES; i++) {
        int32_t turn = i * 360 / RING_NODES;
        int32_t up = (int32_t)((int64_t)radius * ht__sine(turn + 90) / 1024);
        int32_t left = (int32_t)((int64_t)radius * ht__sine(turn) / 1024);
        ring[i] = ht__sketch_node(sketch, at(draft, stop->along_cm + up, draft->left_cm - left));
    }
    ht__sketch_begin(sketch, ring[0]);
    for (size_t i = 1; i <= RING_NODES; i++) {
        ht__sketch_point(sketch, ring[i % RING_NODES]);
    }
    ht__tag_street(sketch, &draft->dice, draft->strip->class, false, NULL);
    ht__sketch_tag(sketch, "junction", "roundabout");
    if (large) {
        struct ht__name name;
        ht__name_make(&draft->dice, HT__NAME_ROUNDABOUT, &name);
        ht__sketch_tag_name(sketch, &name);
    }
    (void)ht__sketch_end(sketch);
    stop->in[0] = stop->in[1] = ring[4];
    stop->out[0] = stop->out[1] = ring[0];
    arms[0] = ring[2];
    arms[1] = ring[6];
}

static enum ht__class connector_class(const struct ht__port *port)
{
    return port->class > HT__PRIMARY ? HT__PRIMARY : port->class;
}

/* Some minor approaches carry a stop sign some metres before the avenue. */
static void draw_sign(struct ht__strip_draft *draft, uint32_t avenue, uint32_t port)
{
    struct ht__sketch *sketch = draft->sketch;
    struct ht__place a = ht__sketch_place(sketch, avenue);
    struct ht__place b = ht__sketch_place(sketch, port);
    int64_t dx = (int64_t)b.x_cm - a.x_cm;
    int64_t dy = (int64_t)b.y_cm - a.y_cm;
    int64_t length = ht__square_root(dx * dx + dy * dy);
    if (length < 3 * SIGN_CM) {
        return;
    }
    struct ht__place place = {.x_cm = (int32_t)(a.x_cm + dx * SIGN_CM / length),
                              .y_cm = (int32_t)(a.y_cm + dy * SIGN_CM / length)};
    uint32_t sign = ht__sketch_node(sketch, place);
    bool stop = ht__dice_chance(&draft->dice, 600);
    ht__sketch_node_tag(sketch, sign, "highway", stop ? "stop" : "give_way");
    ht__sketch_node_tag(sketch, sign, "direction", "forward");
    ht__sketch_point(sketch, sign);
}

/* From the port to the avenue. */
static uint32_t draw_connector(struct ht__strip_draft *draft, const struct ht__port *port,
                               uint32_t avenue, bool signals, const struct ht__name *name)
{
    struct ht__sketch *sketch = draft->sketch;
    enum ht__class class = connector_class(port);
    bool minor = draft->strip->class >= HT__TERTIARY && class < HT__TERTIARY && !signals;
    ht__sketch_begin(sketch, port->node);
    if (minor && draft->strip->details && ht__dice_chance(&draft->dice, 350)) {
        draw_sign(draft, avenue, port->node);
    }
    ht__sketch_leg(sketch, avenue);
    ht__tag_street(sketch, &draft->dice, class, false, NULL);
    if (class >= HT__LIVING) {
        ht__sketch_tag_name(sketch, name);
    }
    return ht__sketch_end(sketch);
}

/* Over the river, over or under the railway, over the motorway. */
static void draw_crossing(struct ht__strip_draft *draft, const struct ht__stop *stop,
                          enum ht__class class, const struct ht__name *name)
{
    struct ht__sketch *sketch = draft->sketch;
    bool rail = draft->strip->kind == HT__STRIP_RAIL;
    bool level = rail && class < HT__TERTIARY;
    bool under = rail && !level && ht__dice_chance(&draft->dice, 400);
    ht__sketch_begin(sketch, stop->in[0]);
    if (level) {
        int32_t middle = draft->left_cm / 2 + draft->right_cm / 2;
        uint32_t node = ht__sketch_node(sketch, at(draft, stop->along_cm, middle));
        ht__sketch_node_tag(sketch, node, "railway", "level_crossing");
        ht__sketch_point(sketch, node);
    }
    ht__sketch_leg(sketch, stop->in[1]);
    ht__tag_street(sketch, &draft->dice, class, false, NULL);
    if (!level) {
        ht__sketch_tag(sketch, under ? "tunnel" : "bridge", "yes");
        ht__sketch_tag(sketch, "layer", under ? "-1" : "1");
    }
    ht__sketch_tag_name(sketch, name);
    (void)ht__sketch_end(sketch);
}

static void draw_ferry(struct ht__strip_draft *draft, const struct ht__stop *stop)
{
    struct ht__sketch *sketch = draft->sketch;
    ht__sketch_begin(sketch, stop->in[0]);
    ht__sketch_leg(sketch, stop->in[1]);
    ht__sketch_tag(sketch, "route", "ferry");
    ht__sketch_tag(sketch, "name", "招宝山轮渡");
    ht__sketch_tag(sketch, "name:en", "Zhaobaoshan Ferry");
    ht__sketch_tag(sketch, "duration", "00:08");
    ht__sketch_tag(sketch, "foot", "yes");
    ht__sketch_tag(sketch, "bicycle", "yes");
    ht__sketch_tag(sketch, "motor_vehicle", "yes");
    (void)ht__sketch_end(sketch);
}

static void draw_link(struct ht__strip_draft *draft, struct ht__stop *stop, enum ht__class class,
                      const struct ht__name *name)
{
    struct ht__sketch *sketch = draft->sketch;
    ht__sketch_begin(sketch, stop->in[0]);
    ht__sketch_point(sketch, stop->in[1]);
    ht__tag_street(sketch, &draft->dice, class, false, NULL);
    ht__sketch_tag_name(sketch, name);
    stop->link = ht__sketch_end(sketch);
}

static void place_stop(struct ht__strip_draft *draft, struct ht__stop *stop, bool left, bool right)
{
    struct ht__sketch *sketch = draft->sketch;
    enum ht__strip_kind kind = draft->strip->kind;
    bool both = draft->dual || (kind == HT__STRIP_RIVER && left && right) ||
                (kind != HT__STRIP_STREET && kind != HT__STRIP_RIVER && right);
    if (kind == HT__STRIP_RIVER && !both) {
        /* Only the bank that the street comes from. */
        uint32_t node = ht__sketch_node(
            sketch, at(draft, stop->along_cm, left ? draft->left_cm : draft->right_cm));
        stop->in[0] = stop->out[0] = left ? node : UINT32_MAX;
        stop->in[1] = stop->out[1] = left ? UINT32_MAX : node;
        return;
    }
    stop->in[0] = stop->out[0] = ht__sketch_node(sketch, at(draft, stop->along_cm, draft->left_cm));
    stop->in[1] = stop->out[1] =
        both ? ht__sketch_node(sketch, at(draft, stop->along_cm, draft->right_cm)) : stop->in[0];
}

static void draw_interchange_nodes(struct ht__strip_draft *draft, struct ht__stop *stop)
{
    struct ht__sketch *sketch = draft->sketch;
    stop->in[0] = ht__sketch_node(sketch, at(draft, stop->along_cm - RAMP_CM / 2, draft->left_cm));
    stop->out[0] = ht__sketch_node(sketch, at(draft, stop->along_cm + RAMP_CM / 2, draft->left_cm));
    stop->in[1] = stop->in[0];
    stop->out[1] = stop->out[0];
}

static bool wants_roundabout(struct ht__strip_draft *draft, const struct ht__stop *stop)
{
    enum ht__class class = draft->strip->class;
    return draft->strip->kind == HT__STRIP_STREET && !draft->dual && stop->through &&
           class >= HT__UNCLASSIFIED && class <= HT__SECONDARY &&
           ht__dice_chance(&draft->dice, class == HT__SECONDARY ? 160 : 60);
}

static void draw_stop(struct ht__strip_draft *draft, struct ht__stop *stop,
                      const struct ht__port *left, const struct ht__port *right)
{
    const struct ht__strip *strip = draft->strip;
    struct ht__name name;
    ht__name_make(&draft->dice, HT__NAME_ROAD, &name);
    enum ht__class class = HT__SERVICE;
    class = left != NULL && connector_class(left) > class ? connector_class(left) : class;
    class = right != NULL && connector_class(right) > class ? connector_class(right) : class;
    uint32_t arms[2];
    if (wants_roundabout(draft, stop)) {
        draw_roundabout(draft, stop, strip->class == HT__SECONDARY, arms);
    } else {
        place_stop(draft, stop, left != NULL, right != NULL);
        arms[0] = stop->in[0];
        arms[1] = stop->in[1];
    }
    bool signals = stop->through && stop->in[0] == stop->out[0] && strip->class >= HT__SECONDARY &&
                   ht__dice_chance(&draft->dice, 800);
    for (size_t row = 0; signals && row < 2; row++) {
        if (row == 0 || stop->in[1] != stop->in[0]) {
            ht__sketch_node_tag(draft->sketch, stop->in[row], "highway", "traffic_signals");
        }
    }
    const struct ht__port *ports[2] = {left, right};
    for (size_t side = 0; side < 2; side++) {
        if (ports[side] != NULL) {
            uint32_t line = draw_connector(draft, ports[side], arms[side], signals, &name);
            stop->connectors[side] = ports[side]->class == HT__FOOT ? UINT32_MAX : line;
        }
    }
    class = class < HT__RESIDENTIAL ? HT__RESIDENTIAL : class;
    if (draft->dual) {
        draw_link(draft, stop, class, &name);
    } else if (strip->kind == HT__STRIP_RIVER && stop->through) {
        ht__name_make(&draft->dice, HT__NAME_BRIDGE, &name);
        draw_crossing(draft, stop, class < HT__SECONDARY ? HT__SECONDARY : class, &name);
    } else if (strip->kind != HT__STRIP_STREET && strip->kind != HT__STRIP_RIVER && right != NULL) {
        draw_crossing(draft, stop, class, &name);
    }
}

void ht__strip_draw_stops(struct ht__strip_draft *draft, const struct ht__ports *left,
                          const struct ht__ports *right)
{
    bool ferry = draft->strip->kind != HT__STRIP_RIVER || !draft->strip->details;
    for (size_t i = 0; i < draft->stops.count; i++) {
        struct ht__stop *stop = &draft->stops.list[i];
        stop->link = stop->connectors[0] = stop->connectors[1] = UINT32_MAX;
        if (stop->ramps) {
            draw_interchange_nodes(draft, stop);
            continue;
        }
        draw_stop(draft, stop, stop->left == SIZE_MAX ? NULL : &left->list[stop->left],
                  stop->right == SIZE_MAX ? NULL : &right->list[stop->right]);
        bool banks = stop->in[0] != UINT32_MAX && stop->in[1] != UINT32_MAX;
        if (!ferry && !stop->through && banks && i > draft->stops.count / 2) {
            draw_ferry(draft, stop);
            ferry = true;
        }
    }
}

/* --- the avenue --- */

static void tag_lanes(struct ht__strip_draft *draft)
{
    static const char *const turns[] = {"left|through|through;right", "left;through|through|right",
                                        "left|left|through"};
    ht__sketch_tag(draft->sketch, "turn:lanes", turns[ht__dice_range(&draft->dice, 0, 2)]);
}

static uint32_t draw_piece(struct ht__strip_draft *draft, uint32_t from, uint32_t to,
                           const struct ht__name *name, bool lanes)
{
    struct ht__sketch *sketch = draft->sketch;
    enum ht__class class = draft->strip->class;
    ht__sketch_begin(sketch, from);
    ht__sketch_leg(sketch, to);
    ht__tag_street(sketch, &draft->dice, class, draft->dual, NULL);
    ht__sketch_tag_name(sketch, name);
    if (class == HT__TRUNK) {
        ht__sketch_tag(sketch, "ref", "G329");
    } else if (class == HT__PRIMARY && draft->strip->seed % 3 == 0) {
        ht__sketch_tag(sketch, "ref", "S319");
    }
    if (lanes && draft->strip->details && ht__dice_chance(&draft->dice, 350)) {
        tag_lanes(draft);
    }
    return ht__sketch_end(sketch);
}

/* The rows' pieces: piece i of a row ends at stop i, seen along the strip; the last one at the end.
 */
struct pieces {
    uint32_t *lines[2];
};

static bool on_row(const struct ht__stop *stop, size_t row)
{
    return stop->in[row] != UINT32_MAX;
}

static void draw_row(struct ht__strip_draft *draft, size_t row, bool down, uint32_t *lines,
                     const struct ht__name *name)
{
    const struct ht__stops *stops = &draft->stops;
    size_t end = draft->row_count == 2 ? row : 0;
    uint32_t last = draft->ends[end][0];
    for (size_t i = 0; i <= stops->count; i++) {
        lines[i] = UINT32_MAX;
        if (i < stops->count && !on_row(&stops->list[i], row)) {
            continue;
        }
        uint32_t next = i < stops->count ? stops->list[i].in[row] : draft->ends[end][1];
        lines[i] = down ? draw_piece(draft, next, last, name, draft->dual)
                        : draw_piece(draft, last, next, name, draft->dual);
        last = i < stops->count ? stops->list[i].out[row] : next;
        if (i < stops->count && stops->list[i].ramps) {
            (void)draw_piece(draft, stops->list[i].in[row], last, name, false);
        }
    }
}

/* No u-turn from one carriageway over the link to the other. */
static void ban_u_turns(struct ht__strip_draft *draft, const struct pieces *pieces, size_t i)
{
    const struct ht__stop *stop = &draft->stops.list[i];
    if (ht__dice_chance(&draft->dice, 450)) {
        struct ht__ban up = {.from = pieces->lines[1][i],
                             .via = stop->link,
                             .to = pieces->lines[0][i],
                             .via_line = true,
                             .kind = "no_u_turn"};
        ht__sketch_ban(draft->sketch, &up);
    }
    if (ht__dice_chance(&draft->dice, 450)) {
        struct ht__ban down = {.from = pieces->lines[0][i + 1],
                               .via = stop->link,
                               .to = pieces->lines[1][i + 1],
                               .via_line = true,
                               .kind = "no_u_turn",
                               .except = ht__dice_chance(&draft->dice, 200) ? "emergency" : NULL};
        ht__sketch_ban(draft->sketch, &down);
    }
}

/* At single avenues: left turns off it, now and then by the clock or not for buses, or side streets
 * that must go straight on. */
static void ban_turns(struct ht__strip_draft *draft, const struct pieces *pieces, size_t i)
{
    const struct ht__stop *stop = &draft->stops.list[i];
    struct ht__ban ban = {.from = pieces->lines[0][i],
                          .via = stop->in[0],
                          .to = stop->connectors[0],
                          .kind = "no_left_turn"};
    if (ht__dice_chance(&draft->dice, 130)) {
        int32_t luck = ht__dice_range(&draft->dice, 0, 3);
        ban.condition = luck == 0 ? "Mo-Fr 07:00-09:00,16:30-18:30; PH off" : NULL;
        ban.except = luck == 1 ? "psv;bicycle" : NULL;
        ht__sketch_ban(draft->sketch, &ban);
    } else if (ht__dice_chance(&draft->dice, 50)) {
        ban.from = stop->connectors[0];
        ban.to = stop->connectors[1];
        ban.kind = "only_straight_on";
        ht__sketch_ban(draft->sketch, &ban);
    }
}

static void draw_bans(struct ht__strip_draft *draft, const struct pieces *pieces)
{
    const struct ht__strip *strip = draft->strip;
    for (size_t i = 0; i < draft->stops.count; i++) {
        const struct ht__stop *stop = &draft->stops.list[i];
        if (draft->dual) {
            ban_u_turns(draft, pieces, i);
        } else if (strip->kind == HT__STRIP_STREET && stop->through &&
                   strip->class >= HT__TERTIARY && stop->in[0] == stop->out[0] &&
                   stop->connectors[0] != UINT32_MAX && stop->connectors[1] != UINT32_MAX) {
            ban_turns(draft, pieces, i);
        }
    }
}

static void draw_beside(struct ht__strip_draft *draft)
{
    struct ht__sketch *sketch = draft->sketch;
    const struct ht__strip *strip = draft->strip;
    if (strip->kind != HT__STRIP_RIVER && strip->kind != HT__STRIP_RAIL) {
        return;
    }
    int32_t middle = draft->left_cm / 2 + draft->right_cm / 2;
    ht__sketch_begin(sketch, ht__sketch_node(sketch, at(draft, strip->along_min_cm, middle)));
    ht__sketch_leg(sketch, ht__sketch_node(sketch, at(draft, strip->along_max_cm, middle)));
    if (strip->kind == HT__STRIP_RIVER) {
        ht__sketch_tag(sketch, "waterway", "river");
        ht__sketch_tag(sketch, "name", "甬江");
        ht__sketch_tag(sketch, "name:en", "Yong River");
        ht__sketch_tag(sketch, "width", "250");
    } else {
        ht__sketch_tag(sketch, "railway", "rail");
    }
    (void)ht__sketch_end(sketch);
}

static enum ht_status draw_motorway(struct ht__strip_draft *draft)
{
    struct ht__interchange *list = ht_array_new(draft->stops.count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < draft->stops.count; i++) {
        const struct ht__stop *stop = &draft->stops.list[i];
        if (stop->ramps) {
            list[count++] = (struct ht__interchange){
                .along_cm = stop->along_cm, .first = stop->in[0], .second = stop->out[0]};
        }
    }
    enum ht_status status =
        ht__motorway_draw(draft->sketch, draft->strip, list, count, draft->ends[0]);
    free(list);
    return status;
}

enum ht_status ht__strip_draw_rows(struct ht__strip_draft *draft)
{
    size_t count = draft->stops.count + 1;
    uint32_t *lines = ht_array_new(2 * count, sizeof *lines);
    if (lines == NULL) {
        return HT_NOMEM;
    }
    struct pieces pieces = {.lines = {lines, lines + count}};
    struct ht__name name;
    enum ht__class class = draft->strip->class;
    ht__name_make(&draft->dice, class >= HT__SECONDARY ? HT__NAME_AVENUE : HT__NAME_ROAD, &name);
    draw_row(draft, 0, draft->dual, pieces.lines[0], &name);
    if (draft->dual || draft->row_count == 2) {
        draw_row(draft, 1, false, pieces.lines[1], &name);
    }
    draw_bans(draft, &pieces);
    free(lines);
    draw_beside(draft);
    return draft->strip->kind == HT__STRIP_MOTORWAY ? draw_motorway(draft) : HT_OK;
}
