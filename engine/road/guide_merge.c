/* Two carriageways of one street leave a junction as two roads; to a driver they are one.
 *
 *        a <----- b                  a <-----.
 *                  >--- c   becomes           >--- c
 *        d -----> e                  d ----->'
 *
 * They must have one name and one class, the one lead here and the other away, and either close an
 * island or a narrow triangle, or run beside each other.
 */
#include "engine/road/guide_internal.h"

#define HT__MERGE_DEG 95.0
#define HT__SAMPLE_M 5.0

enum { HT__TRIANGLE_HOPS = 5 };

static bool ht__distinct(const struct ht__map *map, const struct ht__road *a,
                         const struct ht__road *b)
{
    return ht__deviation(a->bearing, b->bearing) > HT__MERGE_DEG ||
           !ht__identical_names(map, a->way, b->way);
}

static bool ht__same_kind(const struct ht__map *map, const struct ht__road *a,
                          const struct ht__road *b)
{
    const uint8_t round = HT_WAY_ROUNDABOUT;
    return ((ht__way(map, a->way)->flags | ht__way(map, b->way)->flags) & round) == 0 &&
           ht__mode(map, a) == ht__mode(map, b) && ht__identical_names(map, a->way, b->way) &&
           ht__class_equal(a->cls, b->cls);
}

static double ht__between_m(const struct ht__map *map, uint32_t a, uint32_t b)
{
    return ht_distance_m(ht__junction_point(map, a), ht__junction_point(map, b));
}

/* Three roads, all of one name. */
static bool ht__splits_evenly(const struct ht__map *map, uint32_t junction)
{
    struct ht__view fan;
    ht__fan(map, junction, true, &fan);
    if (fan.count != 3) {
        return false;
    }
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t a = fan.roads[0].way;
        uint32_t b = fan.roads[i].way;
        if ((!ht__has_name(map, a) && !ht__has_name(map, b)) ||
            (ht__announces(map, a, b) && ht__announces(map, b, a))) {
            return false;
        }
    }
    return true;
}

static bool ht__island(const struct ht__map *map, uint32_t junction, uint32_t left_end,
                       uint32_t right_end)
{
    if (left_end != right_end || left_end == junction) {
        return false;
    }
    bool here = ht__splits_evenly(map, junction);
    bool there = ht__splits_evenly(map, left_end);
    double apart = ht__between_m(map, junction, left_end);
    return (here || there) && apart < (here && there ? 30 : 15);
}

/* The road only links to another that passes by. */
static bool ht__only_links(const struct ht__map *map, uint32_t junction,
                           const struct ht__road *road)
{
    struct ht__piece last = ht__skip(map, ht__piece_of(road), junction);
    struct ht__view view;
    if (!ht__look(map, last.arc, last.against, false, &view)) {
        return false;
    }
    uint32_t next = HT_NONE;
    for (uint32_t i = 0; i < view.count; i++) {
        const struct ht__road *r = &view.roads[i];
        if (ht__has_name(map, road->way) && ht__has_name(map, r->way) &&
            !ht__announces(map, road->way, r->way) && !ht__announces(map, r->way, road->way) &&
            (next == HT_NONE || ht__deviation(r->angle, HT__STRAIGHT) <
                                    ht__deviation(view.roads[next].angle, HT__STRAIGHT))) {
            next = i;
        }
    }
    if (next == HT_NONE) {
        return false;
    }
    const struct ht__road *on = &view.roads[next];
    const struct ht__road *back =
        &view.roads[ht__closest(&view, fmod(on->angle + HT__STRAIGHT, 360))];
    uint32_t came = last.against ? ht__arc(map, last.arc)->head : ht__arc(map, last.arc)->tail;
    if (back->far == came || ht__deviation(ht__deviation(on->angle, HT__STRAIGHT),
                                           ht__deviation(back->angle, 0)) < HT__FUZZY) {
        return false;
    }
    return ht__deviation(back->angle, on->angle) >= HT__STRAIGHT - HT__FUZZY &&
           on->against == back->against && ht__same_kind(map, on, back);
}

static int ht__lanes_or_one(const struct ht__road *road)
{
    return road->cls.lanes > 1 ? road->cls.lanes : 1;
}

/* To the next junction with a turn to `side` degrees, past one small side street. */
static struct ht__piece ht__to_corner(const struct ht__map *map, const struct ht__road *road,
                                      const struct ht__wish *wish, double side,
                                      struct ht__view *view)
{
    struct ht__piece piece =
        ht__next_junction(map, ht__piece_of(road), wish, HT__TRIANGLE_HOPS, view);
    if (view->count > 0 &&
        ht__deviation(view->roads[ht__closest(view, side)].angle, side) > HT__NARROW) {
        struct ht__road *on = &view->roads[ht__closest(view, HT__STRAIGHT)];
        piece = ht__next_junction(map, ht__piece_of(on), wish, HT__TRIANGLE_HOPS, view);
    }
    return piece;
}

/* The street parts just before a crossing street, which closes the triangle. */
static bool ht__triangle(const struct ht__map *map, uint32_t junction, const struct ht__road *left,
                         const struct ht__road *right)
{
    const struct ht__wish wish = {left->way, left->bearing, false};
    struct ht__view at_left;
    struct ht__view at_right;
    struct ht__piece l = ht__to_corner(map, left, &wish, 90, &at_left);
    if (at_left.count == 0 || ht__between_m(map, junction, ht__end_of(map, l)) > 80) {
        return false;
    }
    struct ht__piece r = ht__to_corner(map, right, &wish, 270, &at_right);
    const struct ht__road *connector = &at_left.roads[ht__closest(&at_left, 90)];
    double width = (ht__lanes_or_one(left) + ht__lanes_or_one(right)) * HT__LANE_WIDTH_M;
    uint32_t right_corner = ht__end_of(map, r);
    if (at_right.count == 0 || ht__deviation(connector->angle, 90) > HT__NARROW ||
        ht__between_m(map, ht__end_of(map, l), right_corner) > width + 10) {
        return false;
    }
    struct ht__view there;
    struct ht__piece c =
        ht__next_junction(map, ht__piece_of(connector), &wish, HT__TRIANGLE_HOPS, &there);
    return ht__end_of(map, c) == right_corner;
}

static uint32_t ht__sample(const struct ht__xy *p, uint32_t n, struct ht__xy *out)
{
    uint32_t count = 0;
    double carry = 0;
    out[count++] = p[0];
    for (uint32_t i = 1; i < n; i++) {
        double step = ht__xy_distance(p[i - 1], p[i]);
        for (double at = HT__SAMPLE_M - carry; at <= step && count < HT__LINE_POINTS;
             at += HT__SAMPLE_M) {
            double t = at / step;
            out[count++] = (struct ht__xy){p[i - 1].x + (p[i].x - p[i - 1].x) * t,
                                           p[i - 1].y + (p[i].y - p[i - 1].y) * t};
        }
        carry = fmod(carry + step, HT__SAMPLE_M);
    }
    return count;
}

static double ht__axis(const struct ht__xy *p, uint32_t n)
{
    double mx = 0;
    double my = 0;
    for (uint32_t i = 0; i < n; i++) {
        mx += p[i].x / n;
        my += p[i].y / n;
    }
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (uint32_t i = 0; i < n; i++) {
        xx += (p[i].x - mx) * (p[i].x - mx);
        xy += (p[i].x - mx) * (p[i].y - my);
        yy += (p[i].y - my) * (p[i].y - my);
    }
    return 0.5 * atan2(2 * xy, xx - yy);
}

static double ht__nearest(struct ht__xy p, const struct ht__xy *line, uint32_t n)
{
    double best = INFINITY;
    for (uint32_t i = 0; i + 1 < n; i++) {
        double dx = line[i + 1].x - line[i].x;
        double dy = line[i + 1].y - line[i].y;
        double square = dx * dx + dy * dy;
        double t = square > 0 ? ((p.x - line[i].x) * dx + (p.y - line[i].y) * dy) / square : 0;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        struct ht__xy q = {line[i].x + dx * t, line[i].y + dy * t};
        best = fmin(best, ht__xy_distance(p, q));
    }
    return best;
}

/* Nearly a circle: the area it holds is close to what its length could hold at most. */
static bool ht__circular(const struct ht__xy *p, uint32_t n, double length)
{
    double twice = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct ht__xy *q = &p[(i + 1) % n];
        twice += p[i].x * q->y - q->x * p[i].y;
    }
    return fabs(twice) / 2 / (length * length) >= 0.85 / (4 * 3.14159265358979323846);
}

/* Both run the same way, side by side. */
static bool ht__beside(const struct ht__map *map, const struct ht__road *left,
                       const struct ht__road *right)
{
    struct ht__path l;
    struct ht__path r;
    const struct ht__wish left_wish = {left->way, left->bearing, true};
    const struct ht__wish right_wish = {right->way, left->bearing, true};
    ht__walk_points(map, ht__piece_of(left), &left_wish, &l);
    if (l.length_m <= 40) {
        return false;
    }
    ht__walk_points(map, ht__piece_of(right), &right_wish, &r);
    if (r.length_m <= 40) {
        return false;
    }
    bool meet = ht__xy_distance(l.p[l.n - 1], r.p[r.n - 1]) < 0.5;
    if (meet && ht__xy_distance(l.p[0], l.p[l.n - 1]) < 0.5 && ht__circular(l.p, l.n, l.length_m)) {
        return false;
    }
    struct ht__xy ls[HT__LINE_POINTS];
    struct ht__xy rs[HT__LINE_POINTS];
    uint32_t ln = ht__sample(l.p, l.n, ls);
    uint32_t rn = ht__sample(r.p, r.n, rs);
    uint32_t l0 = meet ? 0 : ln / 3;
    uint32_t r0 = meet ? 0 : rn / 3;
    ln -= l0;
    rn -= r0;
    if (fabs(tan(ht__axis(ls + l0, ln) - ht__axis(rs + r0, rn))) >= 0.2) {
        return false;
    }
    double apart =
        fmin(ht__nearest(ls[l0 + ln / 2], rs + r0, rn), ht__nearest(rs[r0 + rn / 2], ls + l0, ln));
    double width = 0.5 * (ht__lanes_or_one(left) + ht__lanes_or_one(right)) * HT__LANE_WIDTH_M;
    return apart <= width + 12;
}

static bool ht__can_merge(const struct ht__map *map, uint32_t junction, const struct ht__road *left,
                          const struct ht__road *right)
{
    if (left->against == right->against ||
        ht__deviation(left->bearing, right->bearing) > HT__MERGE_DEG ||
        !ht__same_kind(map, left, right) || left->far == junction || right->far == junction) {
        return false;
    }
    uint32_t left_end = ht__end_of(map, ht__skip(map, ht__piece_of(left), junction));
    uint32_t right_end = ht__end_of(map, ht__skip(map, ht__piece_of(right), junction));
    if (left_end == junction || right_end == junction) {
        return false;
    }
    if (ht__island(map, junction, left_end, right_end)) {
        return true;
    }
    if (ht__only_links(map, junction, left) || ht__only_links(map, junction, right)) {
        return false;
    }
    return ht__triangle(map, junction, left, right) || ht__beside(map, left, right);
}

bool ht__mergeable(const struct ht__map *map, const struct ht__view *fan, uint32_t index)
{
    uint32_t n = fan->count;
    const struct ht__road *left = &fan->roads[index];
    const struct ht__road *right = &fan->roads[(index + 1) % n];
    if (n < 2 || left->against == right->against) {
        return false;
    }
    return ht__distinct(map, &fan->roads[(index + n - 1) % n], left) &&
           ht__distinct(map, right, &fan->roads[(index + 2) % n]) &&
           ht__can_merge(map, fan->junction, left, right);
}
