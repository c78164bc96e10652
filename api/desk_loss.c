/* What a departure uncovers: expected coverage as MEXCLP counts it (Daskin 1983). Of the k idle
 * units that reach a household in time each is busy by itself with probability q, so 1 - q^k of it
 * is covered, and one that leaves takes (1 - q) q^(k - 1) along (DMEXCLP's dispatching: Jagtenberg,
 * Bhulai, van der Mei 2015). */
#include <stdlib.h>
#include <string.h>

#include "api/coverage_internal.h"
#include "api/desk_room_internal.h"
#include "api/incident_rules.h"
#include "engine/base/array.h"

enum { POWERS = 64 }; /* more units than that: nothing is lost with one of them */

struct tally {
    const struct ht_homes *homes;
    uint16_t *reached; /* by household: how many units reach it */
    double frail_weight;
    double share[POWERS + 1]; /* what one of k takes along */
    double total;             /* all there is to cover */
};

static double weight_of(const struct tally *tally, uint32_t household)
{
    return ht_homes_is_frail(tally->homes, household) ? tally->frail_weight : 1;
}

static void tally_begin(struct tally *tally, const struct ht_incident_rules *rules)
{
    double power = 1 - rules->busy_share;
    tally->frail_weight = rules->frail_weight;
    for (int k = 1; k <= POWERS; k++) {
        tally->share[k] = power;
        power *= rules->busy_share;
    }
    for (uint32_t h = 0; h < tally->homes->count; h++) {
        tally->total += weight_of(tally, h);
    }
}

static void count_set(struct tally *tally, const uint64_t *set)
{
    for (size_t w = 0; w < ht_reach_words(tally->homes->count); w++) {
        for (uint64_t bits = set[w]; bits != 0; bits &= bits - 1) {
            size_t household = w * 64 + (unsigned)__builtin_ctzll(bits);
            if (tally->reached[household] < POWERS) {
                tally->reached[household]++;
            }
        }
    }
}

static double loss_of(const struct tally *tally, const uint64_t *set)
{
    double loss = 0;
    for (size_t w = 0; w < ht_reach_words(tally->homes->count); w++) {
        for (uint64_t bits = set[w]; bits != 0; bits &= bits - 1) {
            uint32_t household = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
            loss += weight_of(tally, household) * tally->share[tally->reached[household]];
        }
    }
    return loss;
}

/* The place of a unit's number, which ascend; `count`: it is not among them. */
static size_t place_of(const struct ht_live_places *places, uint32_t unit)
{
    size_t first = 0;
    size_t end = places->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (places->list[middle].unit < unit) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first < places->count && places->list[first].unit == unit ? first : places->count;
}

/* A unit that an alarm before this one in the batch took is not idle any more. */
static bool is_free(const struct ht_desk_room *room, const struct ht_live_place *place)
{
    return ht_desk_engaged(room->desk, place->id) == NULL;
}

static void losses_set(const struct ht__room_chooser *chooser, const struct ht__town *town,
                       struct tally *tally, struct ht_desk_candidate *list, uint32_t count)
{
    const struct ht_desk_room *room = chooser->room;
    const struct ht_coverage *sets = chooser->context->coverage;
    struct ht_fleet *fleet = ht_live_fleet(room->app->live);
    for (uint32_t i = 0; i < town->places.count; i++) {
        if (is_free(room, &town->places.list[i])) {
            count_set(tally, ht_coverage_set(sets, i));
        }
    }
    for (uint32_t c = 0; c < count; c++) {
        uint32_t unit = ht_fleet_find(fleet, list[c].unit, strlen(list[c].unit));
        size_t place = place_of(&town->places, unit);
        if (place < town->places.count && is_free(room, &town->places.list[place])) {
            double loss = loss_of(tally, ht_coverage_set(sets, (uint32_t)place)) / tally->total;
            list[c].loss_ms = (uint32_t)(100 * loss * room->rules->coverage_ms);
        }
    }
}

void ht__room_losses(const struct ht__room_chooser *chooser, const struct ht_desk_want *want,
                     const struct ht_unit_filter *filter, struct ht_desk_candidate *list,
                     uint32_t count)
{
    const struct ht_incident_rules *rules = chooser->room->rules;
    struct ht_unit_filter idle = *filter;
    struct ht_reply reply = {0}; /* nobody reads it: who can't be reckoned with costs nothing */
    struct ht__town town;
    struct tally tally = {0};
    const struct ht_desk_rule *rule = &rules->desk.rule[want->kind][want->severity - 1];
    uint32_t most_ms = HT__COVERAGE_SECONDS_MOST * UINT32_C(1000);
    idle.told = false;
    ht_reply_reset(&reply);
    const struct ht__promise promise = {.limit_ms =
                                            rule->promise_ms < most_ms ? rule->promise_ms : most_ms,
                                        .turnout_ms = rule->turnout_ms,
                                        .plain = !want->blue_light};
    if (ht__town_open(chooser->context, &idle, &promise, &town, &reply)) {
        tally.homes = town.homes;
        tally.reached = ht_array_new_zeroed(town.homes->count, sizeof *tally.reached);
        if (tally.reached != NULL && town.homes->count > 0) {
            tally_begin(&tally, rules);
            losses_set(chooser, &town, &tally, list, count);
        }
        free(tally.reached);
    }
    ht__town_close(&town);
    ht_reply_deinit(&reply);
}
