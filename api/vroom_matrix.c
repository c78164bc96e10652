/* Matrices of VROOM's documents: those that are given, and which are to be routed. Also in VROOM
 * (set_matrices of its input) distances come for all profiles or for none. */
#include <stdlib.h>
#include <string.h>

#include "api/vroom_internal.h"

static const char *const kinds[] = {"durations", "distances", "costs"};

/* A matrix entry at another speed; no way stays none. False: too large a number. */
static bool scaled(int64_t value, double speed, uint32_t *out)
{
    double slow = speed == 1 ? (double)value : (double)value / speed + 0.5;
    bool none = value == HT_PLAN_NO_WAY;
    bool fits = slow < (double)HT_PLAN_NO_WAY;
    *out = none || !fits ? HT_PLAN_NO_WAY : (uint32_t)slow;
    return none || fits;
}

/* A matrix of a profile as it stands in the document. */
static yajl_val matrix_of(const struct ht_vroom_profile *profile, const char *kind)
{
    return YAJL_IS_ARRAY(profile->given) && strcmp(kind, "durations") == 0
               ? profile->given
               : ht__vroom_member(profile->given, kind);
}

/* Whether a matrix is square, large enough, and as large as the one of durations. */
static void matrix_check(struct ht__vroom_reader *r, const struct ht_vroom_profile *profile,
                         const char *kind)
{
    yajl_val value = matrix_of(profile, kind);
    yajl_val durations = matrix_of(profile, "durations");
    size_t size = ht__vroom_length_of(value);
    if (!YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
    } else if (size == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Empty %s matrix for %s profile.", kind, profile->name);
    } else if (size < r->vroom->problem.location_count) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "location_index exceeding %s matrix size for %s profile.",
                       kind, profile->name);
    } else if (durations != NULL && size != ht__vroom_length_of(durations)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Inconsistent %s matrix size for %s profile.", kind,
                       profile->name);
    }
    for (size_t i = 0; r->status == HT_OK && i < size; i++) {
        yajl_val row = ht__vroom_element(value, i);
        if (!YAJL_IS_ARRAY(row) || ht__vroom_length_of(row) != size) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix line length.");
        }
    }
}

/* Rows and columns up to the largest index that is used; null is no way. */
static uint32_t *matrix_read(struct ht__vroom_reader *r, const struct ht_vroom_profile *profile,
                             const char *kind)
{
    yajl_val value = matrix_of(profile, kind);
    size_t count = r->vroom->problem.location_count;
    double speed = strcmp(kind, "durations") == 0 ? profile->speed : 1;
    if (value == NULL) {
        return NULL;
    }
    matrix_check(r, profile, kind);
    uint32_t *out = r->status == HT_OK ? ht__vroom_take(r, count * count, sizeof *out) : NULL;
    for (size_t cell = 0; out != NULL && cell < count * count; cell++) {
        int64_t number = HT_PLAN_NO_WAY;
        yajl_val each = ht__vroom_element(ht__vroom_element(value, cell / count), cell % count);
        if (!YAJL_IS_NULL(each) && !ht__vroom_whole(each, UINT32_MAX, &number)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid matrix entry.");
            return NULL;
        }
        /* the largest number would add up to too much with anything */
        if ((!YAJL_IS_NULL(each) && number == UINT32_MAX) || !scaled(number, speed, &out[cell])) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Too high cost values, stopping to avoid overflowing.");
            return NULL;
        }
    }
    return out;
}

/* Limits before anything large is allocated. */
static void size_check(struct ht__vroom_reader *r)
{
    struct ht_problem *problem = &r->vroom->problem;
    uint64_t cells = (uint64_t)problem->location_count * problem->location_count;
    if (cells * (problem->profile_count + 1) > HT_PLAN_CELLS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "Too many locations (%u) in query for %u profiles.",
                       (unsigned)problem->location_count, (unsigned)problem->profile_count);
    }
}

/* "matrix": the durations of cars, as VROOM took them before it had "matrices". */
static void old_find(struct ht__vroom_reader *r)
{
    yajl_val matrix = ht__vroom_member(r->vroom->tree, "matrix");
    for (uint32_t i = 0; matrix != NULL && i < r->vroom->problem.profile_count; i++) {
        if (r->vroom->profiles[i].given == NULL && strcmp(r->vroom->profiles[i].name, "car") == 0) {
            r->vroom->profiles[i].given = matrix;
            if (!YAJL_IS_ARRAY(matrix)) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
            }
        }
    }
}

/* Whether any matrix (of that kind; NULL: of any) is there, also of a profile that nobody has. */
static bool any_given(const struct ht__vroom_reader *r, const char *kind)
{
    bool found = kind == NULL && ht__vroom_member(r->vroom->tree, "matrix") != NULL;
    size_t count = r->matrices == NULL ? 0 : r->matrices->u.object.len;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            found = found || ((kind == NULL || strcmp(kind, kinds[k]) == 0) &&
                              ht__vroom_member(r->matrices->u.object.values[i], kinds[k]) != NULL);
        }
    }
    return found;
}

/* Places have indices where there are matrices, and only there; distances come for all or none. */
static void given_check(struct ht__vroom_reader *r)
{
    const struct ht_vroom *vroom = r->vroom;
    bool given = any_given(r, NULL);
    bool distances = any_given(r, "distances");
    if (given && !vroom->indexed) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing location index.");
    } else if (!given && vroom->indexed) {
        ht__vroom_fail(r, HT_VROOM_INPUT,
                       "Unexpected location index while no custom matrices provided.");
    }
    for (uint32_t v = 0; distances && v < vroom->problem.vehicle_count; v++) {
        const struct ht_vroom_profile *profile = &vroom->profiles[r->list[v].profile];
        if (matrix_of(profile, "distances") == NULL) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Missing distances matrix for %s profile.",
                           profile->name);
        }
    }
}

/* What of a profile the streets must tell. */
static void wants_find(struct ht__vroom_reader *r, uint32_t index)
{
    struct ht_vroom *vroom = r->vroom;
    struct ht_vroom_profile *profile = &vroom->profiles[index];
    bool metres = matrix_of(profile, "distances") != NULL;
    bool limited = false;
    profile->wants_times = matrix_of(profile, "durations") == NULL;
    if (profile->wants_times && metres) {
        ht__vroom_fail(r, HT_VROOM_INPUT,
                       "Custom matrix provided for distances but not for durations for %s profile.",
                       profile->name);
    }
    profile->wants_metres = !metres && (profile->wants_times || vroom->geometry);
    for (uint32_t v = 0; !metres && v < vroom->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &r->list[v];
        bool its = vehicle->profile == index;
        limited = limited || (its && vehicle->distance_most_m != HT_PLAN_UNLIMITED);
        profile->wants_metres = profile->wants_metres || (its && vehicle->per_km != 0);
    }
    if (profile->wants_metres && !r->all_placed) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing coordinates for routing engine.");
    } else if (limited && !r->all_placed) { /* VROOM forgets the limit then */
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing distances matrix for %s profile.",
                       profile->name);
    }
    profile->wants_metres = profile->wants_metres || limited;
}

static void costs_check(struct ht__vroom_reader *r)
{
    const struct ht_vroom *vroom = r->vroom;
    for (uint32_t v = 0; r->status == HT_OK && v < vroom->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &r->list[v];
        bool own = vroom->matrices[vehicle->profile].cost != NULL;
        if (own && vehicle->per_hour != 3600) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Custom costs are incompatible with using a per_hour value.");
        } else if (own && vehicle->per_km != 0) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Custom costs are incompatible with using a per_km value.");
        }
    }
}

void ht__vroom_matrices_read(struct ht__vroom_reader *r)
{
    struct ht_vroom *vroom = r->vroom;
    uint32_t count = vroom->problem.profile_count;
    old_find(r);
    size_check(r);
    vroom->matrices = ht__vroom_take(r, count, sizeof *vroom->matrices);
    vroom->problem.profiles = vroom->matrices;
    vroom->distances = true; /* until routing is over */
    if (vroom->geometry && !r->all_placed) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Route geometry request with missing coordinates.");
    }
    given_check(r);
    for (uint32_t i = 0; r->status == HT_OK && i < count; i++) {
        wants_find(r, i);
    }
    for (uint32_t i = 0; r->status == HT_OK && i < count; i++) {
        const struct ht_vroom_profile *profile = &vroom->profiles[i];
        struct ht_plan_profile *matrix = &vroom->matrices[i];
        matrix->duration_s = matrix_read(r, profile, "durations");
        matrix->distance_m = matrix_read(r, profile, "distances");
        matrix->cost = matrix_read(r, profile, "costs");
        if (r->status == HT_OK && (matrix->cost != NULL || matrix->duration_s != NULL)) {
            ht__vroom_bound_check(r, i);
        }
    }
    costs_check(r);
}
