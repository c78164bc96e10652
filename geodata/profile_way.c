/* Ways: from tags to speeds and rates of both directions.
 *
 * The steps and their order are those of OSRM 6.0's profiles/car.lua and
 * profiles/lib/way_handlers.lua; where the order shows in the result (a ferry opens what access
 * closed before, maxspeed comes after the route's speed), it is kept, odd or not. What is not in
 * OSRM (fallback, grant, contraflow, max_speed) does nothing in a profile that doesn't name it.
 */
#include <string.h>

#include "geodata/measure.h"
#include "geodata/profile_internal.h"

#define HT__NO_SPEED (-1.0)
#define HT__SPEED_MAX 1000.0

/* A way being judged. [0] is along its nodes. */
struct way {
    const struct ht_profile *profile;
    const struct ht__value *values;
    struct ht__value highway;
    struct ht__value oneway;
    struct ht__value access[2];
    bool oneway_along; /* a oneway in the order of its nodes */
    bool oneway_against;
    bool shut[2]; /* too narrow, low, ... : no other rule opens it */
    enum ht_mode mode[2];
    double speed[2];
    bool restricted[2];
    double duration_s;
};

static bool word_is(struct ht__value value, const char *text)
{
    return value.text != NULL && strcmp(value.text, text) == 0;
}

/* Tags.get_forward_backward_by_set: the first key that has a value, for each direction. */
static void values_by_set(const struct way *way, const struct ht__axes *axes,
                          struct ht__value out[2])
{
    out[0] = (struct ht__value){0};
    out[1] = (struct ht__value){0};
    for (size_t i = 0; i < axes->count; i++) {
        const struct ht__axis *axis = &axes->list[i];
        for (int side = 0; side < 2; side++) {
            if (out[side].text == NULL) {
                out[side] = way->values[axis->side[side]];
            }
            if (out[side].text == NULL) {
                out[side] = way->values[axis->common];
            }
        }
        if (out[0].text != NULL && out[1].text != NULL) {
            return;
        }
    }
}

/* Tags.get_forward_backward_by_key: on a oneway the undirected key is for its direction only. */
static void values_by_key(const struct way *way, struct ht__axis axis, struct ht__value out[2])
{
    out[0] = way->values[axis.side[0]];
    out[1] = way->values[axis.side[1]];
    struct ht__value common = way->values[axis.common];
    if (out[0].text == NULL && !way->oneway_against) {
        out[0] = common;
    }
    if (out[1].text == NULL && !way->oneway_along) {
        out[1] = common;
    }
}

enum limit { LIMIT_HEIGHT, LIMIT_WIDTH, LIMIT_LENGTH, LIMIT_WEIGHT };

static bool too_big(const struct ht_profile *profile, enum limit limit, const char *text)
{
    double value = 0.0;
    switch (limit) {
    case LIMIT_HEIGHT:
        return ht_measure_height(text, &value) && value < profile->vehicle.height_m;
    case LIMIT_WIDTH:
        return ht_measure_metres(text, &value) && value <= profile->vehicle.width_m;
    case LIMIT_LENGTH:
        return ht_measure_metres(text, &value) && value < profile->vehicle.length_m;
    case LIMIT_WEIGHT:
        return ht_measure_kilograms(text, &value) && value < profile->vehicle.weight_kg;
    }
    return false;
}

static void shut_side(struct way *way, int side)
{
    way->shut[side] = true;
    way->mode[side] = HT_MODE_NONE;
}

static void judge_limit(struct way *way, enum limit limit, const struct ht__axes *axes)
{
    struct ht__value values[2];
    values_by_set(way, axes, values);
    for (int side = 0; side < 2; side++) {
        if (values[side].text != NULL && too_big(way->profile, limit, values[side].text)) {
            shut_side(way, side);
        }
    }
}

/* A way called narrow without a number keeps out what is wider than 2.2 m. */
static void judge_narrow(struct way *way)
{
    if (way->profile->vehicle.width_m <= 2.2) {
        return;
    }
    struct ht__value values[2];
    values_by_set(way, &way->profile->vehicle.widths, values);
    bool narrow = word_is(way->values[HT__SLOT_NARROW], "yes");
    for (int side = 0; side < 2; side++) {
        if (narrow || word_is(values[side], "narrow")) {
            shut_side(way, side);
        }
    }
}

static void judge_limits(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    if (profile->vehicle.heights.count > 0) {
        judge_limit(way, LIMIT_HEIGHT, &profile->vehicle.heights);
    }
    if (profile->vehicle.widths.count > 0) {
        judge_limit(way, LIMIT_WIDTH, &profile->vehicle.widths);
        judge_narrow(way);
    }
    if (profile->vehicle.lengths.count > 0) {
        judge_limit(way, LIMIT_LENGTH, &profile->vehicle.lengths);
    }
    if (profile->vehicle.weights.count > 0) {
        judge_limit(way, LIMIT_WEIGHT, &profile->vehicle.weights);
    }
}

/* False: no direction is left, and OSRM looks no further. */
static bool judge_access(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    values_by_set(way, &profile->access.hierarchy, way->access);
    if (profile->access.grant.count > 0 && ht__rules_any(&profile->access.grant, way->values)) {
        way->access[0] = ht__value("yes");
        way->access[1] = way->access[0];
    }
    bool may_restrict = ht__table_has(&profile->access.restricted_highways, way->highway);
    for (int side = 0; side < 2; side++) {
        struct ht__value access = way->access[side];
        if (may_restrict && ht__table_has(&profile->access.restricted, access)) {
            way->restricted[side] = true;
        }
        if (!way->restricted[side] && ht__table_has(&profile->access.deny, access)) {
            way->mode[side] = HT_MODE_NONE;
        }
    }
    return way->mode[0] != HT_MODE_NONE || way->mode[1] != HT_MODE_NONE;
}

static void find_oneway(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    if (profile->oneway.handling == HT__ONEWAY_NONE) {
        return;
    }
    for (size_t i = 0; i < profile->oneway.slot_count && way->oneway.text == NULL; i++) {
        way->oneway = way->values[profile->oneway.slots[i]];
    }
    if (way->oneway.text == NULL && profile->oneway.handling != HT__ONEWAY_SPECIFIC) {
        way->oneway = way->values[HT__SLOT_ONEWAY];
    }
    if (profile->oneway.handling == HT__ONEWAY_CONDITIONAL &&
        way->values[HT__SLOT_ONEWAY_CONDITIONAL].text != NULL) {
        way->oneway = ht__value("no");
    }
    if (ht__rules_any(&profile->oneway.contraflow, way->values)) {
        return;
    }
    if (ht__table_has(&profile->oneway.backward, way->oneway)) {
        way->oneway_against = true;
    } else if (ht__table_has(&profile->oneway.forward, way->oneway)) {
        way->oneway_along = true;
    } else if (profile->oneway.handling == HT__ONEWAY_ALL && !word_is(way->oneway, "no")) {
        way->oneway_along = ht__rules_any(&profile->oneway.implied, way->values);
    }
}

static void close_oneway(struct way *way)
{
    if (way->oneway_against) {
        way->mode[0] = HT_MODE_NONE;
    } else if (way->oneway_along) {
        way->mode[1] = HT_MODE_NONE;
    }
}

static bool find_duration(struct way *way)
{
    const char *text = way->values[HT__SLOT_DURATION].text;
    double seconds = 0.0;
    if (text == NULL || !ht_measure_duration(text, &seconds)) {
        return false;
    }
    way->duration_s = seconds > 1.0 ? seconds : 1.0;
    return true;
}

/* Ferries, shuttle trains and movable bridges set both directions anew. */
static void judge_routes(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    struct ht__value route = way->values[HT__SLOT_ROUTE];
    const struct ht__entry *entry =
        route.text != NULL ? ht__table_find(&profile->route_speeds, route) : NULL;
    if (entry != NULL && entry->number > 0.0) {
        (void)find_duration(way);
        for (int side = 0; side < 2; side++) {
            way->mode[side] = HT_MODE_FERRY;
            way->speed[side] = entry->number;
        }
    }
    struct ht__value bridge = way->values[HT__SLOT_BRIDGE];
    entry = bridge.text != NULL ? ht__table_find(&profile->bridge_speeds, bridge) : NULL;
    if (entry != NULL && entry->number > 0.0) {
        bool timed = find_duration(way);
        for (int side = 0; side < 2; side++) {
            way->mode[side] = (enum ht_mode)profile->mode;
            way->speed[side] = timed ? way->speed[side] : entry->number;
        }
    }
}

static bool all_lanes_are(const char *lanes, struct ht__value want)
{
    size_t size = strlen(want.text);
    for (;;) {
        size_t lane = strcspn(lanes, "|");
        if (lane != size || memcmp(lanes, want.text, size) != 0) {
            return false;
        }
        if (lanes[lane] == '\0') {
            return true;
        }
        lanes += lane + 1;
    }
}

/* Lanes for many riders only: may be driven to begin or end. */
static void judge_restricted_lanes(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    if (profile->restrict_by.tags.count > 0 &&
        ht__rules_any(&profile->restrict_by.tags, way->values)) {
        way->restricted[0] = true;
        way->restricted[1] = true;
    }
    for (size_t i = 0; i < profile->restrict_by.lanes.count; i++) {
        struct ht__value lanes[2];
        values_by_key(way, profile->restrict_by.lanes.list[i], lanes);
        for (int side = 0; side < 2; side++) {
            if (lanes[side].text != NULL &&
                all_lanes_are(lanes[side].text, profile->restrict_by.lane_value)) {
                way->restricted[side] = true;
            }
        }
    }
}

/* The first tag that has a speed, HT__NO_SPEED without. */
static double speed_by_tag(const struct ht__rules *speeds, const struct ht__value *values)
{
    for (size_t i = 0; i < speeds->count; i++) {
        struct ht__value value = values[speeds->list[i].slot];
        const struct ht__entry *entry =
            value.text != NULL ? ht__table_find(&speeds->list[i].values, value) : NULL;
        if (entry != NULL) {
            return entry->number;
        }
    }
    return HT__NO_SPEED;
}

/* False: no speed and no duration, the way is out. */
static bool judge_speed(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    if (way->speed[0] >= 0.0) {
        return true;
    }
    double speed = speed_by_tag(&profile->speeds, way->values);
    if (speed < 0.0 && ht__rules_any(&profile->open, way->values)) {
        speed = profile->default_speed;
    }
    for (int side = 0; side < 2; side++) {
        struct ht__value access = way->access[side];
        if (speed >= 0.0) {
            way->speed[side] = speed;
        } else if (access.text == NULL) {
            if (way->access[1 - side].text != NULL) {
                way->mode[side] = HT_MODE_NONE;
            }
        } else if (way->restricted[side] || ht__table_has(&profile->access.allow, access) ||
                   !ht__table_has(&profile->access.deny, access)) {
            way->speed[side] = profile->default_speed;
        }
    }
    return way->speed[0] >= 0.0 || way->speed[1] >= 0.0 || way->duration_s > 0.0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static double zone_number(const struct ht_profile *profile, const char *word)
{
    const struct ht__entry *entry = ht__table_find(&profile->maxspeed.zones, ht__value(word));
    return entry != NULL ? entry->number : -1.0;
}

/* "cn:urban", "de:zone:30": the zone behind two letters and a colon, wherever they stand first. Its
 * whole word ("zone30", "living_street"), else, as in OSRM, its letters alone. */
static double zone_speed(const struct ht_profile *profile, const char *text)
{
    const char *at = text;
    while (at[0] != '\0' &&
           (!is_letter(at[0]) || !is_letter(at[1]) || at[2] != ':' || !is_letter(at[3]))) {
        at++;
    }
    if (at[0] == '\0') {
        return 0.0;
    }
    char word[64] = "";
    size_t size = 0;
    size_t letters = 0;
    for (at += 3; size < sizeof word - 1; at++) {
        if (is_letter(*at) || is_digit(*at) || *at == '_') {
            letters += letters == size && is_letter(*at);
            word[size++] = *at;
        } else if (*at != ':' || !is_digit(at[1])) {
            break;
        }
    }
    double number = zone_number(profile, word);
    word[letters] = '\0';
    number = number < 0.0 ? zone_number(profile, word) : number;
    return number > 0.0 ? number : 0.0;
}

/* "10 knots" in km/h where the profile knows the unit, else 0. */
static double unit_speed(const struct ht_profile *profile, const char *lower)
{
    double number = 0.0;
    const char *unit = NULL;
    if (!ht_measure_unit(lower, &number, &unit)) {
        return 0.0;
    }
    const struct ht__entry *entry = ht__table_find(&profile->maxspeed.units, ht__value(unit));
    return entry != NULL ? number * entry->number : 0.0;
}

/* 0: says nothing. */
static double read_maxspeed(const struct ht_profile *profile, const char *text)
{
    double kmh = 0.0;
    char lower[256];
    size_t size = strlen(text);
    if (size >= sizeof lower) {
        return ht_measure_speed(text, &kmh) ? kmh : 0.0;
    }
    for (size_t i = 0; i <= size; i++) {
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    }
    kmh = unit_speed(profile, lower);
    if (kmh > 0.0 || ht_measure_speed(text, &kmh)) {
        return kmh;
    }
    const struct ht__entry *entry = ht__table_find(&profile->maxspeed.values, ht__value(lower));
    return entry != NULL ? entry->number : zone_speed(profile, lower);
}

static void judge_maxspeed(struct way *way)
{
    const struct ht_profile *profile = way->profile;
    struct ht__value values[2];
    values_by_set(way, &profile->maxspeed.keys, values);
    for (int side = 0; side < 2; side++) {
        double limit = values[side].text != NULL ? read_maxspeed(profile, values[side].text) : 0.0;
        if (limit <= 0.0) {
            continue;
        }
        double speed = limit * profile->maxspeed.factor;
        if (profile->maxspeed.rule == 0 || speed < way->speed[side]) {
            way->speed[side] = speed;
        }
    }
}

static void judge_caps(struct way *way)
{
    const struct ht__rules *caps = &way->profile->caps;
    for (size_t i = 0; i < caps->count; i++) {
        struct ht__value value = way->values[caps->list[i].slot];
        const struct ht__entry *entry =
            value.text != NULL ? ht__table_find(&caps->list[i].values, value) : NULL;
        for (int side = 0; entry != NULL && side < 2; side++) {
            if (entry->number < way->speed[side]) {
                way->speed[side] = entry->number;
            }
        }
    }
    double most = way->profile->max_speed > 0.0 ? way->profile->max_speed : HT__SPEED_MAX;
    for (int side = 0; side < 2; side++) {
        way->speed[side] = way->speed[side] < most ? way->speed[side] : most;
    }
}

static double find_penalty(const struct way *way)
{
    const struct ht_profile *profile = way->profile;
    double penalty = 1.0;
    for (size_t i = 0; i < profile->penalties.tags.count; i++) {
        const struct ht__rule *rule = &profile->penalties.tags.list[i];
        struct ht__value value = way->values[rule->slot];
        const struct ht__entry *entry =
            value.text != NULL ? ht__table_find(&rule->values, value) : NULL;
        if (entry != NULL && entry->number < penalty) {
            penalty = entry->number;
        }
    }
    const char *width_text = way->values[HT__SLOT_WIDTH].text;
    const char *lanes_text = way->values[HT__SLOT_LANES].text;
    double width = 0.0;
    double lanes = 0.0;
    bool narrow = width_text != NULL && ht_measure_leading(width_text, &width) &&
                  width <= profile->penalties.narrow_width_m;
    bool two_ways = way->mode[0] != HT_MODE_NONE && way->mode[1] != HT_MODE_NONE;
    narrow = narrow || (two_ways && lanes_text != NULL && ht_measure_leading(lanes_text, &lanes) &&
                        lanes <= profile->penalties.narrow_lanes);
    if (narrow && profile->penalties.narrow < penalty) {
        penalty = profile->penalties.narrow;
    }
    if (word_is(way->oneway, "alternating") && profile->penalties.alternating < penalty) {
        penalty = profile->penalties.alternating;
    }
    return penalty;
}

static uint16_t find_classes(const struct way *way, int side)
{
    static const struct ht__axis toll_axis = {{HT__SLOT_TOLL_FORWARD, HT__SLOT_TOLL_BACKWARD},
                                              HT__SLOT_TOLL};
    static const struct ht__axis route_axis = {{HT__SLOT_ROUTE_FORWARD, HT__SLOT_ROUTE_BACKWARD},
                                               HT__SLOT_ROUTE};
    uint32_t classes = 0;
    struct ht__value values[2];
    struct ht__value tunnel = way->values[HT__SLOT_TUNNEL];
    if (tunnel.text != NULL && !word_is(tunnel, "no")) {
        classes |= HT_ARC_IS_TUNNEL;
    }
    values_by_key(way, toll_axis, values);
    if (word_is(values[side], "yes")) {
        classes |= HT_ARC_TOLL;
    }
    values_by_key(way, route_axis, values);
    if (word_is(values[side], "ferry")) {
        classes |= HT_ARC_IS_FERRY;
    }
    if (way->restricted[side]) {
        classes |= HT_ARC_RESTRICTED;
    }
    if (word_is(way->highway, "motorway") || word_is(way->highway, "motorway_link")) {
        classes |= HT_ARC_MOTORWAY;
    }
    return (uint16_t)(classes & way->profile->classes);
}

static bool may_start(const struct way *way)
{
    const struct ht_profile *profile = way->profile;
    bool mode =
        ((profile->start_modes >> way->mode[0] | profile->start_modes >> way->mode[1]) & 1U);
    return mode && !(ht__table_has(&profile->access.no_start_highways, way->highway) &&
                     ht__table_has(&profile->access.no_start, way->access[0]));
}

/* The second way to use a street: on foot, or at walking pace. */
static void judge_fallback(struct way *way, int side, double *speed)
{
    const struct ht_profile *profile = way->profile;
    bool against = side == 0 ? way->oneway_against : way->oneway_along;
    if (way->shut[side] || (against && !profile->fallback.against_oneway)) {
        return;
    }
    struct ht__value access[2];
    values_by_set(way, &profile->fallback.hierarchy, access);
    if (ht__table_has(&profile->fallback.deny, access[side])) {
        return;
    }
    *speed = speed_by_tag(&profile->fallback.speeds, way->values);
    if (*speed < 0.0 && ht__table_has(&profile->fallback.allow, access[side])) {
        *speed = profile->fallback.default_speed;
    }
}

/* Everything up to the speeds of both directions; false: OSRM would drop the way. */
static bool judge_main(struct way *way)
{
    judge_limits(way);
    find_oneway(way);
    if (!judge_access(way)) {
        return false;
    }
    close_oneway(way);
    judge_routes(way);
    judge_restricted_lanes(way);
    if (!judge_speed(way)) {
        return false;
    }
    judge_maxspeed(way);
    judge_caps(way);
    return true;
}

static void finish_main(struct way *way, struct ht_way_rule *out)
{
    const struct ht_profile *profile = way->profile;
    double penalty = find_penalty(way);
    bool slows = profile->penalties.apply == 1;
    out->duration_s = way->duration_s;
    out->weight_s =
        way->duration_s > 0.0 && profile->weight == 0 ? way->duration_s / penalty : way->duration_s;
    for (int side = 0; side < 2; side++) {
        double speed = slows ? way->speed[side] * penalty : way->speed[side];
        struct ht_way_side *to = &out->side[side];
        if (way->mode[side] == HT_MODE_NONE || !(speed > 0.0 || way->duration_s > 0.0)) {
            continue;
        }
        to->open = true;
        to->restricted = way->restricted[side];
        to->mode = way->mode[side];
        to->speed_kmh = speed > 0.0 ? speed : 0.0;
        to->rate_mps = to->speed_kmh / 3.6;
        if (profile->weight == 0 && !slows) {
            to->rate_mps = to->speed_kmh * penalty / 3.6;
        }
        to->classes = find_classes(way, side);
    }
    out->start_allowed = may_start(way);
}

static void finish_fallback(struct way *way, struct ht_way_rule *out)
{
    const struct ht_profile *profile = way->profile;
    for (int side = 0; side < 2; side++) {
        double speed = HT__NO_SPEED;
        if (!out->side[side].open && out->duration_s <= 0.0) {
            judge_fallback(way, side, &speed);
        }
        if (speed <= 0.0) {
            continue;
        }
        way->mode[side] = (enum ht_mode)profile->fallback.mode;
        way->restricted[side] = false;
        out->side[side] = (struct ht_way_side){.open = true,
                                               .mode = way->mode[side],
                                               .speed_kmh = speed,
                                               .rate_mps = speed / 3.6,
                                               .classes = find_classes(way, side)};
        out->start_allowed = out->start_allowed || may_start(way);
    }
}

bool ht_profile_way(const struct ht_profile *profile, struct ht_osm_tags tags,
                    struct ht_way_rule *out)
{
    *out = (struct ht_way_rule){0};
    struct ht__value values[HT__SLOT_MAX];
    if (!ht__profile_lay(profile, tags, values) || !ht__rules_any(&profile->routable, values) ||
        (ht__rules_any(&profile->block, values) && !ht__rules_any(&profile->unblock, values))) {
        return false;
    }
    struct way way = {.profile = profile,
                      .values = values,
                      .highway = values[HT__SLOT_HIGHWAY],
                      .mode = {(enum ht_mode)profile->mode, (enum ht_mode)profile->mode},
                      .speed = {HT__NO_SPEED, HT__NO_SPEED}};
    if (judge_main(&way)) {
        finish_main(&way, out);
    }
    if (profile->fallback.present) {
        finish_fallback(&way, out);
    }
    return out->side[0].open || out->side[1].open;
}
