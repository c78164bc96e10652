/* Where responders wait, so that somebody is near every compound at every hour: the p-median
 * problem of the shifts together, each of which has its own people and those whose shift never
 * ends.
 *
 *   one after the other to where that saves most (greedy), then each once more while the others
 *   stay, until nobody is better off elsewhere (vertex substitution: Teitz and Bart 1968)
 *
 * Distances are those of streets that run north and east, in integers: the same on every machine.
 */
#include <stdio.h>

#include "geodata/sample_town_internal.h"

enum {
    SHIFTS = HT__NEVER_ENDS,
    FACILITIES = HT__STATIONS + HT__POINTS,
    POSTS = FACILITIES + HT_SAMPLE_COMPOUNDS,
    FAR_S = 100000,
};

struct posts {
    const struct ht__census *census;
    struct ht_point points[POSTS]; /* stations, service points, then the compounds' gates */
    size_t count;
};

static void posts_list(struct posts *posts)
{
    const struct ht__census *census = posts->census;
    for (size_t i = 0; i < HT__STATIONS; i++) {
        posts->points[i] = ht__facilities_home(census, "station", i, HT__STATIONS);
    }
    for (size_t i = 0; i < HT__POINTS; i++) {
        posts->points[HT__STATIONS + i] = ht__facilities_home(census, "point", i, HT__POINTS);
    }
    for (size_t i = 0; i < census->compound_count; i++) {
        posts->points[FACILITIES + i] = ht__compound_gate(census, &census->compounds[i]);
    }
    posts->count = FACILITIES + census->compound_count;
}

/* A degree of longitude is shorter by the cosine of thirty degrees. */
static int64_t travel_s(struct ht_point a, struct ht_point b, int32_t kmh)
{
    int64_t east = ((int64_t)a.lon_e7 - b.lon_e7) * 866 / 1000;
    int64_t north = (int64_t)a.lat_e7 - b.lat_e7;
    int64_t metres = ((east < 0 ? -east : east) + (north < 0 ? -north : north)) * 111 / 10000;
    return metres * 36 / (10 * (int64_t)kmh);
}

static bool is_on(const struct ht__guard *guard, uint32_t shift)
{
    return guard->shift == shift || guard->shift == HT__NEVER_ENDS;
}

/* How soon the first of the others is at a compound. */
static int64_t others_s(const struct posts *posts, const struct ht__guards *guards, size_t but,
                        uint32_t shift, size_t compound)
{
    int64_t least = FAR_S;
    for (size_t i = 0; i < HT__RESPONDERS; i++) {
        const struct ht__guard *guard = &guards->all[i];
        if (i != but && guard->placed && is_on(guard, shift)) {
            int64_t s = travel_s(posts->points[guard->post], posts->points[FACILITIES + compound],
                                 guard->kmh);
            least = s < least ? s : least;
        }
    }
    return least;
}

/* Puts one where households wait least, all in all; whether that is elsewhere than it was. */
static bool place(const struct posts *posts, struct ht__guards *guards, size_t which)
{
    const struct ht__census *census = posts->census;
    struct ht__guard *guard = &guards->all[which];
    int64_t sums[POSTS] = {0};
    for (size_t k = 0; k < census->compound_count * SHIFTS; k++) {
        size_t compound = k / SHIFTS;
        if (!is_on(guard, (uint32_t)(k % SHIFTS))) {
            continue;
        }
        int64_t least = others_s(posts, guards, which, (uint32_t)(k % SHIFTS), compound);
        for (size_t post = 0; post < posts->count; post++) {
            int64_t s =
                travel_s(posts->points[post], posts->points[FACILITIES + compound], guard->kmh);
            sums[post] += census->compounds[compound].households * (s < least ? s : least);
        }
    }
    uint32_t best = guard->placed ? guard->post : 0;
    for (size_t post = 0; post < posts->count; post++) {
        best = sums[post] < sums[best] ? (uint32_t)post : best;
    }
    bool moved = !guard->placed || best != guard->post;
    guard->post = best;
    guard->placed = true;
    return moved;
}

static bool pass(const struct posts *posts, struct ht__guards *guards)
{
    bool moved = false;
    for (uint32_t turn = 0; turn <= SHIFTS; turn++) {
        /* first those who are there with everybody */
        uint32_t shift = turn == 0 ? HT__NEVER_ENDS : turn - 1;
        for (size_t i = 0; i < HT__RESPONDERS; i++) {
            if (guards->all[i].shift == shift && !guards->all[i].fixed) {
                moved = place(posts, guards, i) || moved;
            }
        }
    }
    return moved;
}

void ht__guards_post(const struct ht__census *census, struct ht__guards *guards)
{
    struct posts posts = {.census = census};
    posts_list(&posts);
    for (size_t i = 0; pass(&posts, guards) && i < 20; i++) {
    }
    for (size_t i = 0; i < HT__RESPONDERS; i++) {
        struct ht__guard *guard = &guards->all[i];
        bool station = guard->post < HT__STATIONS;
        bool point = !station && guard->post < FACILITIES;
        guard->point = posts.points[guard->post];
        if (station || point) {
            (void)snprintf(guard->home, sizeof guard->home, "%s-%u", station ? "station" : "point",
                           guard->post - (station ? 0U : HT__STATIONS) + 1);
        } else {
            (void)snprintf(guard->home, sizeof guard->home, "site-%02u",
                           guard->post - FACILITIES + 1);
        }
    }
}
