/* Guidance, inside: the steps while they are being made.
 *
 * Steps lie in one array in the order of travel. Merging empties a step (type HT__NO_TURN, no
 * points, no junctions) and makes the one before it longer; junctions and points stay where they
 * are, so that a step is always one run of each.
 *
 * Threading and ownership: one ht_guide for each thread owns all of it.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_STEPS_INTERNAL_H
#define HT_ENGINE_ROAD_GUIDE_STEPS_INTERNAL_H

#include "engine/road/guide_internal.h"
#include "engine/road/guide_memory_internal.h"

enum ht__waypoint { HT__NO_WAYPOINT, HT__DEPART, HT__ARRIVE };

struct ht__step {
    uint8_t type; /* enum ht__type */
    uint8_t modifier;
    uint8_t waypoint;
    uint8_t mode;
    bool segregated; /* its first arc lies inside a junction of divided streets */
    bool left_hand;
    uint16_t before;
    uint16_t after;
    uint32_t exit;
    uint32_t way;
    uint32_t rotary_way;
    struct ht_cost cost;
    uint32_t point_begin;
    uint32_t point_end; /* one past the last */
    uint32_t first_junction;
    uint32_t junction_count;
};

struct ht_guide {
    struct ht__step *steps;
    size_t step_capacity;
    uint32_t step_count;
    struct ht_guide_step *out;
    size_t out_capacity;
    struct ht_guide_junction *junctions;
    size_t junction_capacity;
    uint32_t junction_count;
    struct ht_guide_road *roads;
    size_t road_capacity;
    uint32_t road_count;
    struct ht_point *points;
    size_t point_capacity;
    uint32_t point_count;
    uint32_t point_first; /* those before it were trimmed */
    struct ht__memory memory;
    struct ht__turn turn; /* the one at hand */
    struct ht__map map;
};

static inline struct ht_guide_junction *ht__front(struct ht_guide *guide,
                                                  const struct ht__step *step)
{
    return &guide->junctions[step->first_junction];
}

static inline double ht__step_m(const struct ht__step *step)
{
    return (double)step->cost.length_mm / 1000.0;
}

static inline bool ht__has_type(const struct ht__step *step)
{
    return step->type != HT__NO_TURN;
}

/* The step merges what follows it, which is emptied. */
void ht__elongate(struct ht__step *step, struct ht__step *following);
/* Drops emptied steps. */
void ht__compact(struct ht_guide *guide);
/* Signs (name, ref, ...) are taken from another step. */
static inline void ht__adopt_signs(struct ht__step *step, const struct ht__step *from)
{
    step->way = from->way;
}

/* guide_raw */
HT_MUST_CHECK enum ht_status ht__assemble(struct ht_guide *guide, const struct ht_guide_leg *leg);

/* guide_scene: the step before, the one at a junction, the one after it. */
struct ht__scene {
    struct ht_guide *guide;
    struct ht__step *before;
    struct ht__step *at;
    struct ht__step *after;
};
bool ht__same_name(const struct ht_guide *guide, const struct ht__step *a,
                   const struct ht__step *b);
double ht__in_bearing(struct ht_guide *guide, const struct ht__step *step); /* as driven */
double ht__out_bearing(struct ht_guide *guide, const struct ht__step *step);
uint32_t ht__open_turns(struct ht_guide *guide, const struct ht__step *step);
bool ht__turns_round(double in, double out);
bool ht__is_staggered(const struct ht__scene *s);
bool ht__is_uturn(const struct ht__scene *s);
bool ht__is_oscillation(const struct ht__scene *s);
bool ht__after_name_change(const struct ht__scene *s);
bool ht__after_silent_bend(const struct ht__scene *s);
bool ht__before_name_change(const struct ht__scene *s);
bool ht__before_silent_bend(const struct ht__scene *s);
bool ht__name_soon_after_silence(const struct ht__scene *s);
bool ht__close_choiceless(const struct ht__scene *s);
bool ht__straight_choiceless(const struct ht__scene *s);
bool ht__silent_between_turns(const struct ht__scene *s);
bool ht__double_choiceless(const struct ht__scene *s);

/* guide_collapse */
void ht__collapse_segregated(struct ht_guide *guide);
void ht__collapse(struct ht_guide *guide);

/* guide_anticipate */
void ht__anticipate_lanes(struct ht_guide *guide);

/* guide_post */
void ht__trim(struct ht_guide *guide);
void ht__roundabouts(struct ht_guide *guide);
void ht__join_silent(struct ht_guide *guide);
void ht__drop_short_names(struct ht_guide *guide);
void ht__sides(struct ht_guide *guide, const struct ht_guide_leg *leg);

#endif
