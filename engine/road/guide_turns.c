#include "engine/road/guide_turns.h"

#include "engine/road/guide_internal.h"

static const char *const type_names[HT__TYPE_COUNT] = {
    [HT__INVALID] = "(not set)",
    [HT__NO_TURN] = "(noturn)",
    [HT__SUPPRESSED] = "(suppressed)",
    [HT__NEW_NAME] = "new name",
    [HT__CONTINUE] = "continue",
    [HT__TURN] = "turn",
    [HT__MERGE] = "merge",
    [HT__ON_RAMP] = "on ramp",
    [HT__OFF_RAMP] = "off ramp",
    [HT__FORK] = "fork",
    [HT__END_OF_ROAD] = "end of road",
    [HT__NOTIFICATION] = "notification",
    [HT__SLIPROAD] = "(sliproad)",
    [HT__STAY] = "(stay on roundabout)",
    [HT__ENTER + HT__ROUNDABOUT] = "enter roundabout",
    [HT__ENTER + HT__ROTARY] = "enter rotary",
    [HT__ENTER + HT__CROSSING] = "enter roundabout turn",
    [HT__ENTER_AT_EXIT + HT__ROUNDABOUT] = "roundabout",
    [HT__ENTER_AT_EXIT + HT__ROTARY] = "rotary",
    [HT__ENTER_AT_EXIT + HT__CROSSING] = "roundabout turn",
    [HT__EXIT + HT__ROUNDABOUT] = "exit roundabout",
    [HT__EXIT + HT__ROTARY] = "exit rotary",
    [HT__EXIT + HT__CROSSING] = "exit roundabout turn",
    [HT__ENTER_EXIT + HT__ROUNDABOUT] = "enter and exit roundabout",
    [HT__ENTER_EXIT + HT__ROTARY] = "enter and exit rotary",
    [HT__ENTER_EXIT + HT__CROSSING] = "enter and exit roundabout turn",
};

static const char *const modifier_names[] = {
    [HT_MODIFIER_UTURN] = "uturn",       [HT_MODIFIER_SHARP_RIGHT] = "sharp right",
    [HT_MODIFIER_RIGHT] = "right",       [HT_MODIFIER_SLIGHT_RIGHT] = "slight right",
    [HT_MODIFIER_STRAIGHT] = "straight", [HT_MODIFIER_SLIGHT_LEFT] = "slight left",
    [HT_MODIFIER_LEFT] = "left",         [HT_MODIFIER_SHARP_LEFT] = "sharp left",
    [HT_MODIFIER_NONE] = "UNDEFINED",
};

static struct ht_turn_name name_of(uint8_t type, uint8_t modifier)
{
    const char *name = type < HT__TYPE_COUNT ? type_names[type] : NULL;
    return (struct ht_turn_name){
        .type = name != NULL ? name : type_names[HT__INVALID],
        .modifier = modifier_names[modifier <= HT_MODIFIER_NONE ? modifier : HT_MODIFIER_NONE],
    };
}

void ht_guide_turn_names(const struct ht_network *network, const struct ht_graph *graph,
                         uint32_t in, const uint32_t *outs, uint32_t count,
                         struct ht_turn_name *names)
{
    const struct ht__map map = {.network = network, .graph = graph};
    const struct ht_arc *a = ht__arc(&map, in);
    uint32_t through = ht__passes(&map, ht_arc_base(graph, in), false);
    struct ht__view fan;
    struct ht__view view;
    ht__fan_merged(&map, a->head, &fan);
    bool seen = ht__view(&map, &fan, in, false, &view);
    if (seen) {
        ht__classify(&map, &view);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t onto = ht_arc_base(graph, outs[i]);
        uint32_t index = seen ? ht__find(&view, onto) : HT_NONE;
        if (through == onto && ht__alike(&map, ht_arc_base(graph, in), onto)) {
            names[i] = (struct ht_turn_name){NULL, NULL};
        } else if (through == onto) {
            double angle = index == HT_NONE ? HT__STRAIGHT : view.roads[index].angle;
            names[i] = name_of(HT__NO_TURN, (uint8_t)ht__modifier(angle));
        } else if (index == HT_NONE) {
            names[i] = name_of(HT__SUPPRESSED, HT_MODIFIER_STRAIGHT);
        } else {
            names[i] = name_of(view.roads[index].type, view.roads[index].modifier);
        }
    }
}

bool ht_guide_segregated(const struct ht_network *network, const struct ht_graph *graph,
                         uint32_t arc)
{
    const struct ht__map map = {.network = network, .graph = graph};
    return ht__segregated(&map, arc);
}
