/* Nodes and turns: barriers, waits, and the price of turning (OSRM 6.0's process_node,
 * lib/obstacles.lua and process_turn). */
#include <math.h>
#include <string.h>

#include "geodata/measure.h"
#include "geodata/profile_internal.h"

/* Costs stay far below HT_WEIGHT_INF, so that sums of many of them can't reach it unseen. */
#define HT__TURN_MAX_MS (HT_WEIGHT_INF / 4 - 1)

static bool word_is(struct ht__value value, const char *text)
{
    return value.text != NULL && strcmp(value.text, text) == 0;
}

/* A barrier=* for this profile. */
static bool barrier_stops(const struct ht_profile *profile, const struct ht__value *values)
{
    struct ht__value barrier = values[HT__SLOT_BARRIER];
    double height = 0.0;
    if (ht__table_has(&profile->nodes.by_height, barrier) &&
        values[HT__SLOT_MAXHEIGHT].text != NULL &&
        ht_measure_height(values[HT__SLOT_MAXHEIGHT].text, &height) &&
        height < profile->vehicle.height_m) {
        return true;
    }
    for (size_t i = 0; i < profile->nodes.pass_if.count; i++) {
        if (ht__rules_all(&profile->nodes.pass_if.list[i], values)) {
            return false;
        }
    }
    if (profile->nodes.stop.count > 0) {
        return ht__table_has(&profile->nodes.stop, barrier);
    }
    return !ht__table_has(&profile->nodes.pass, barrier);
}

static bool node_stops(const struct ht_profile *profile, const struct ht__value *values)
{
    if (profile->access.grant.count > 0 && ht__rules_any(&profile->access.grant, values)) {
        return false;
    }
    struct ht__value access = {0};
    for (size_t i = 0; i < profile->access.hierarchy.count && access.text == NULL; i++) {
        access = values[profile->access.hierarchy.list[i].common];
    }
    if (access.text != NULL) {
        return ht__table_has(&profile->access.deny, access) &&
               !ht__table_has(&profile->access.restricted, access) &&
               !ht__rules_any(&profile->nodes.ignore_access, values);
    }
    return values[HT__SLOT_BARRIER].text != NULL && barrier_stops(profile, values);
}

static void read_direction(struct ht__value value, struct ht_node_rule *out)
{
    out->direction = HT_OBSTACLE_BOTH;
    if (word_is(value, "forward")) {
        out->direction = HT_OBSTACLE_FORWARD;
    } else if (word_is(value, "backward")) {
        out->direction = HT_OBSTACLE_BACKWARD;
    }
    out->directed = out->direction != HT_OBSTACLE_BOTH || word_is(value, "both");
}

/* Signals, signs and turning places: highway=* of a node. */
static void read_obstacle(const struct ht_profile *profile, const struct ht__value *values,
                          struct ht_node_rule *out)
{
    struct ht__value highway = values[HT__SLOT_HIGHWAY];
    if (highway.text == NULL) {
        return;
    }
    struct ht__value direction = values[HT__SLOT_DIRECTION];
    if (word_is(highway, "traffic_signals")) {
        out->signal = true;
        if (values[HT__SLOT_SIGNALS_DIRECTION].text != NULL) {
            direction = values[HT__SLOT_SIGNALS_DIRECTION];
        }
    } else if (word_is(highway, "stop")) {
        out->stop_minor = word_is(values[HT__SLOT_STOP], "minor");
        out->stop = !out->stop_minor;
    } else if (word_is(highway, "mini_roundabout") || word_is(highway, "turning_loop") ||
               word_is(highway, "turning_circle")) {
        out->turning = true;
    }
    const struct ht__entry *wait = ht__table_find(&profile->nodes.waits, highway);
    if (wait != NULL) {
        out->wait_s = wait->number;
    }
    if (out->signal || out->stop || out->stop_minor || out->wait_s > 0.0) {
        read_direction(direction, out);
    }
}

bool ht_profile_node(const struct ht_profile *profile, struct ht_osm_tags tags,
                     struct ht_node_rule *out)
{
    *out = (struct ht_node_rule){0};
    struct ht__value values[HT__SLOT_MAX];
    if (tags.count == 0 || !ht__profile_lay(profile, tags, values)) {
        return false;
    }
    out->barrier = node_stops(profile, values);
    read_obstacle(profile, values, out);
    return out->barrier || out->signal || out->stop || out->stop_minor || out->turning ||
           out->wait_s > 0.0;
}

double ht_node_wait(const struct ht_node_rule *rule, const struct ht_node_approach *approach)
{
    if (rule->stop_minor && !approach->from_minor) {
        return 0.0;
    }
    /* A stop sign without direction stands for who has less than 20 m to go to the junction: the
     * others have it behind them. */
    if (rule->stop && !rule->directed && approach->number_of_roads == 2 &&
        approach->source_length_m < 20.0 && approach->target_length_m > 20.0) {
        return 0.0;
    }
    return rule->wait_s;
}

/* A sigmoid over the angle: nothing for straight on, penalty_s for turning back. */
static double angle_penalty(const struct ht_profile *profile, const struct ht_turn_view *turn)
{
    double bias = turn->left_hand ? 1.0 / profile->turn.bias : profile->turn.bias;
    double part = turn->angle_deg / 180.0;
    double exponent =
        part >= 0.0 ? 13.0 / bias * part - 6.5 * bias : 13.0 * bias * -part - 6.5 / bias;
    return profile->turn.penalty_s / (1.0 + exp(-exponent));
}

static uint32_t to_ms(double seconds)
{
    const uint32_t most = HT__TURN_MAX_MS;
    double ms = seconds * 1000.0;
    return ms < (double)most ? (uint32_t)(ms + 0.5) : most;
}

void ht_profile_turn(const struct ht_profile *profile, const struct ht_turn_view *turn,
                     uint32_t *weight_ms, uint32_t *duration_ms)
{
    double duration = turn->wait_s > 0.0 ? turn->wait_s : 0.0;
    if (turn->number_of_roads > 2 || turn->source_mode != turn->target_mode || turn->is_u_turn) {
        duration += angle_penalty(profile, turn);
        if (turn->is_u_turn) {
            duration += profile->turn.u_turn_s;
        }
    }
    double weight = duration;
    if (!turn->source_restricted && turn->target_restricted) {
        /* OSRM's routability sets the largest turn weight there is; a weight in time adds. */
        weight = profile->weight == 0 ? profile->turn.restricted_s
                                      : duration + profile->turn.restricted_s;
    }
    *duration_ms = to_ms(duration);
    *weight_ms = to_ms(weight);
}
