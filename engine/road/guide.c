/* Guidance along a leg: raw steps, then what a driver need not hear is merged away. */
#include "engine/road/guide.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/road/guide_steps_internal.h"

enum { HT__SUMMARY_MAX = 512 }; /* names on one leg; what comes after them is not counted */

enum ht_status ht_guide_new(struct ht_guide **out)
{
    struct ht_guide *guide = calloc(1, sizeof *guide);
    if (guide == NULL || ht__memory_init(&guide->memory) != HT_OK) {
        free(guide);
        return HT_NOMEM;
    }
    *out = guide;
    return HT_OK;
}

void ht_guide_free(struct ht_guide *guide)
{
    if (guide != NULL) {
        free(guide->steps);
        free(guide->out);
        free(guide->junctions);
        free(guide->roads);
        free(guide->points);
        ht__memory_deinit(&guide->memory);
        free(guide);
    }
}

void ht_guide_share(struct ht_guide *guide, struct ht_guide_memory *memory)
{
    ht__memory_share(&guide->memory, memory);
}

static bool ht__leg_valid(const struct ht_guide_leg *leg)
{
    if (leg->arc_count == 0 || leg->source_side > 1 || leg->target_side > 1) {
        return false;
    }
    uint32_t source = leg->source->side[leg->source_side].arc;
    uint32_t target = leg->target->side[leg->target_side].arc;
    uint32_t first = leg->arcs[0];
    uint32_t last = leg->arcs[leg->arc_count - 1];
    return source != HT_NONE && target != HT_NONE && first < leg->graph->arc_count &&
           last < leg->graph->arc_count &&
           ht_arc_base(leg->graph, first) == ht_arc_base(leg->graph, source) &&
           ht_arc_base(leg->graph, last) == ht_arc_base(leg->graph, target);
}

static enum ht_step_type ht__public_type(const struct ht__step *step)
{
    static const uint8_t plain[] = {
        [HT__INVALID] = HT_STEP_TURN,
        [HT__NO_TURN] = HT_STEP_NONE,
        [HT__SUPPRESSED] = HT_STEP_SUPPRESSED,
        [HT__NEW_NAME] = HT_STEP_NEW_NAME,
        [HT__CONTINUE] = HT_STEP_CONTINUE,
        [HT__TURN] = HT_STEP_TURN,
        [HT__MERGE] = HT_STEP_MERGE,
        [HT__ON_RAMP] = HT_STEP_ON_RAMP,
        [HT__OFF_RAMP] = HT_STEP_OFF_RAMP,
        [HT__FORK] = HT_STEP_FORK,
        [HT__END_OF_ROAD] = HT_STEP_END_OF_ROAD,
        [HT__NOTIFICATION] = HT_STEP_NOTIFICATION,
        [HT__SLIPROAD] = HT_STEP_TURN,
        [HT__STAY] = HT_STEP_STAY_ROUNDABOUT,
        [HT__ENTER + HT__ROUNDABOUT] = HT_STEP_ROUNDABOUT,
        [HT__ENTER + HT__ROTARY] = HT_STEP_ROTARY,
        [HT__ENTER + HT__CROSSING] = HT_STEP_ROUNDABOUT_TURN,
        [HT__ENTER_AT_EXIT + HT__ROUNDABOUT] = HT_STEP_ROUNDABOUT,
        [HT__ENTER_AT_EXIT + HT__ROTARY] = HT_STEP_ROTARY,
        [HT__ENTER_AT_EXIT + HT__CROSSING] = HT_STEP_ROUNDABOUT_TURN,
        [HT__EXIT + HT__ROUNDABOUT] = HT_STEP_EXIT_ROUNDABOUT,
        [HT__EXIT + HT__ROTARY] = HT_STEP_EXIT_ROTARY,
        [HT__EXIT + HT__CROSSING] = HT_STEP_EXIT_ROUNDABOUT_TURN,
        [HT__ENTER_EXIT + HT__ROUNDABOUT] = HT_STEP_EXIT_ROUNDABOUT,
        [HT__ENTER_EXIT + HT__ROTARY] = HT_STEP_EXIT_ROTARY,
        [HT__ENTER_EXIT + HT__CROSSING] = HT_STEP_ROUNDABOUT_TURN,
    };
    if (step->waypoint != HT__NO_WAYPOINT) {
        return step->waypoint == HT__DEPART ? HT_STEP_DEPART : HT_STEP_ARRIVE;
    }
    return (enum ht_step_type)plain[step->type];
}

static enum ht_status ht__publish(struct ht_guide *guide, struct ht_guide_steps *out)
{
    enum ht_status status = ht_array_reserve((void **)&guide->out, &guide->out_capacity,
                                             guide->step_count, sizeof *guide->out);
    if (status != HT_OK) {
        return status;
    }
    for (uint32_t i = 0; i < guide->step_count; i++) {
        const struct ht__step *s = &guide->steps[i];
        guide->out[i] = (struct ht_guide_step){
            .type = ht__public_type(s),
            .modifier = (enum ht_step_modifier)s->modifier,
            .location = guide->junctions[s->first_junction].location,
            .bearing_before = s->before,
            .bearing_after = s->after,
            .exit = s->exit,
            .way = s->way,
            .rotary_way = s->rotary_way,
            .mode = (enum ht_mode)s->mode,
            .left_hand = s->left_hand,
            .cost = s->cost,
            .first_point = s->point_begin - guide->point_first,
            .point_count = s->point_end - s->point_begin,
            .first_junction = s->first_junction,
            .junction_count = s->junction_count,
        };
    }
    *out = (struct ht_guide_steps){.steps = guide->out,
                                   .step_count = guide->step_count,
                                   .junctions = guide->junctions,
                                   .junction_count = guide->junction_count,
                                   .roads = guide->roads,
                                   .points = guide->points + guide->point_first,
                                   .point_count = guide->point_count - guide->point_first,
                                   .points_dropped = guide->point_first};
    return HT_OK;
}

enum ht_status ht_guide_run(struct ht_guide *guide, const struct ht_guide_leg *leg,
                            struct ht_guide_steps *out)
{
    if (!ht__leg_valid(leg)) {
        return HT_INVALID;
    }
    guide->map = (struct ht__map){leg->network, leg->graph};
    ht__memory_begin(&guide->memory, leg->graph, leg->network_id);
    enum ht_status status = ht__assemble(guide, leg);
    if (status != HT_OK) {
        return status;
    }
    ht__collapse_segregated(guide);
    ht__trim(guide);
    ht__roundabouts(guide);
    ht__collapse(guide);
    ht__anticipate_lanes(guide); /* a step that was merged away parts those around it, as in OSRM */
    ht__compact(guide);
    ht__join_silent(guide);
    ht__drop_short_names(guide);
    ht__sides(guide, leg);
    return ht__publish(guide, out);
}

/* How long ways of one name (and ref, and so on) are driven. */
struct ht__share {
    uint64_t signs; /* 0: free */
    uint32_t way;
    uint32_t first; /* arc of the leg */
    uint64_t time_ms;
};

/* One number for all the texts of a way; 0: it has none. */
static uint64_t ht__signs(const struct ht_way *way)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t signs = way->name;
    signs = signs * odd + way->ref;
    signs = signs * odd + way->destinations;
    signs = signs * odd + way->pronunciation;
    return signs * odd + way->exits;
}

static struct ht__share *ht__share_of(struct ht__share *shares, uint64_t signs)
{
    uint32_t at = (uint32_t)(signs * UINT64_C(0xff51afd7ed558ccd) >> 55);
    for (uint32_t probes = 0; probes < HT__SUMMARY_MAX; probes++) {
        struct ht__share *share = &shares[(at + probes) % HT__SUMMARY_MAX];
        if (share->signs == signs || share->signs == 0) {
            return share;
        }
    }
    return NULL;
}

static bool ht__longer(const struct ht__share *a, const struct ht__share *b)
{
    return b == NULL || a->time_ms > b->time_ms ||
           (a->time_ms == b->time_ms && a->first < b->first);
}

static uint32_t ht__leg_time(const struct ht_guide_leg *leg, uint32_t i)
{
    if (i == 0) {
        return leg->source->side[leg->source_side].after.duration_ms;
    }
    return i + 1 == leg->arc_count ? leg->target->side[leg->target_side].before.duration_ms
                                   : leg->graph->arcs[leg->arcs[i]].duration_ms;
}

uint32_t ht_guide_summary(struct ht_guide *guide, const struct ht_guide_leg *leg, uint32_t ways[2])
{
    struct ht__share shares[HT__SUMMARY_MAX] = {{0, 0, 0, 0}};
    const struct ht__share *best[2] = {NULL, NULL};
    struct ht__share *share = NULL;
    uint32_t last_way = HT_NONE;
    guide->map = (struct ht__map){leg->network, leg->graph};
    for (uint32_t i = 0; i < leg->arc_count; i++) {
        uint32_t way = leg->graph->arcs[leg->arcs[i]].way;
        if (way != last_way) {
            last_way = way;
            uint64_t signs = ht__signs(&leg->network->ways[way]);
            share = signs == 0 ? NULL : ht__share_of(shares, signs);
            if (share != NULL && share->signs == 0) {
                *share = (struct ht__share){signs, way, i, 0};
            }
        }
        if (share != NULL) {
            share->time_ms += ht__leg_time(leg, i);
        }
    }
    for (uint32_t i = 0; i < HT__SUMMARY_MAX; i++) {
        if (shares[i].signs == 0) {
            continue;
        }
        if (ht__longer(&shares[i], best[0])) {
            best[1] = best[0];
            best[0] = &shares[i];
        } else if (ht__longer(&shares[i], best[1])) {
            best[1] = &shares[i];
        }
    }
    uint32_t found = best[0] == NULL ? 0 : best[1] == NULL ? 1 : 2;
    bool swapped = found == 2 && best[1]->first < best[0]->first;
    for (uint32_t i = 0; i < found; i++) {
        ways[i] = best[swapped ? 1 - i : i]->way;
    }
    return found;
}
