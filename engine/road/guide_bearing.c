/* In which direction does a road seem to leave a junction?
 *
 * Its first metres often lie: a street is drawn from the middle of a wide road, carriageways part
 * with a kink, a node stands a metre off. So we look ahead as far as the road is wide and more, and
 * take, in this order: the first point when it is far enough; the end when the road is straight;
 * the line of regression when it fits; what follows a sideways offset; the first metres of a true
 * curve. The thresholds are those of OSRM's coordinate extractor.
 */
#include "engine/road/guide_internal.h"

#define HT__SKIP_M 2.0
#define HT__LOOK_M 10.0
#define HT__FAR_M 40.0

enum { HT__SAMPLES_MAX = 128 };

/* The road ahead: points, and step[i] the length from point i - 1 to i. */
struct ht__ahead {
    struct ht__xy p[HT__FAR_POINTS];
    double step[HT__FAR_POINTS];
    uint32_t n;
    double total;
    struct ht__grid grid;
};

struct ht__line {
    struct ht__xy from;
    struct ht__xy to;
};

static struct ht__xy ht__mix(struct ht__xy a, struct ht__xy b, double t)
{
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return (struct ht__xy){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

/* A point between two others of the grid. */
static struct ht__xy ht__between(struct ht__xy a, struct ht__xy b, double t, struct ht__grid grid)
{
    const double noise = 1e-6;
    struct ht__xy p = ht__mix(a, b, t);
    double x = p.x / grid.x;
    double y = p.y / grid.y;
    return (struct ht__xy){(grid.west ? ceil(x - noise) : floor(x + noise)) * grid.x,
                           (grid.south ? ceil(y - noise) : floor(y + noise)) * grid.y};
}

static struct ht__xy ht__at_length(const struct ht__ahead *a, double length)
{
    double done = 0;
    for (uint32_t i = 1; i < a->n; i++) {
        if (done + a->step[i] >= length) {
            return ht__between(a->p[i - 1], a->p[i], (length - done) / a->step[i], a->grid);
        }
        done += a->step[i];
    }
    return a->p[a->n - 1];
}

static struct ht__xy ht__on_grid(struct ht__xy p, struct ht__grid grid)
{
    return (struct ht__xy){round(p.x / grid.x) * grid.x, round(p.y / grid.y) * grid.y};
}

/* The nearest point of a line, in degrees as OSRM projects: on a map where a degree east is as long
 * as a degree north. */
static struct ht__xy ht__project(struct ht__line line, struct ht__xy p, struct ht__grid grid)
{
    double dx = (line.to.x - line.from.x) / grid.x;
    double dy = (line.to.y - line.from.y) / grid.y;
    double square = dx * dx + dy * dy;
    if (square <= 0) {
        return line.from;
    }
    double t = ((p.x - line.from.x) / grid.x * dx + (p.y - line.from.y) / grid.y * dy) / square;
    return ht__on_grid(ht__mix(line.from, line.to, t), grid);
}

static double ht__off_line(struct ht__line line, struct ht__xy p, struct ht__grid grid)
{
    return ht__xy_distance(ht__project(line, p, grid), p);
}

static double ht__max_off(struct ht__line line, const struct ht__xy *p, uint32_t n,
                          struct ht__grid grid)
{
    double most = 0;
    for (uint32_t i = 0; i < n; i++) {
        double off = ht__off_line(line, p[i], grid);
        most = off > most ? off : most;
    }
    return most;
}

/* The road sampled every metre, up to where drivers look. */
static uint32_t ht__sampled(const struct ht__xy *p, uint32_t n, struct ht__grid grid,
                            struct ht__xy *out)
{
    uint32_t count = 0;
    double carry = 0;
    double done = 0;
    out[count++] = p[0];
    for (uint32_t i = 1; i < n && done <= HT__FAR_M; i++) {
        double step = ht__xy_distance(p[i - 1], p[i]);
        for (double at = 1 - carry; at <= step && done + at <= HT__FAR_M; at += 1) {
            if (count < HT__SAMPLES_MAX) {
                out[count++] = ht__between(p[i - 1], p[i], at / step, grid);
            }
        }
        carry = fmod(carry + step, 1);
        done += step;
    }
    return count;
}

/* The line of least squares (north over east) through the samples, a metre longer than they, cut to
 * where the road begins and ends. What lies beyond the samples is off the line: a long road must
 * not be judged by its first half. */
static struct ht__line ht__regression(const struct ht__xy *p, uint32_t n, struct ht__grid grid)
{
    struct ht__xy sample[HT__SAMPLES_MAX];
    uint32_t count = ht__sampled(p, n, grid, sample);
    if (count < 2) {
        return (struct ht__line){p[0], p[n - 1]};
    }
    struct ht__xy mean = {0, 0};
    double least = sample[0].x;
    double most = sample[0].x;
    for (uint32_t i = 0; i < count; i++) {
        mean.x += sample[i].x / count;
        mean.y += sample[i].y / count;
        least = fmin(least, sample[i].x);
        most = fmax(most, sample[i].x);
    }
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (uint32_t i = 0; i < count; i++) {
        xx += (sample[i].x - mean.x) * (sample[i].x - mean.x);
        xy += (sample[i].x - mean.x) * (sample[i].y - mean.y);
        yy += (sample[i].y - mean.y) * (sample[i].y - mean.y);
    }
    struct ht__line line = {sample[0], sample[count - 1]};
    if (xx > 1e-6 && yy > 1e-6) {
        double slope = xy / xx;
        least -= 10 * grid.x;
        most += 10 * grid.x;
        line.from = ht__on_grid((struct ht__xy){least, mean.y + slope * (least - mean.x)}, grid);
        line.to = ht__on_grid((struct ht__xy){most, mean.y + slope * (most - mean.x)}, grid);
    }
    return (struct ht__line){ht__project(line, p[0], grid), ht__project(line, p[n - 1], grid)};
}

/* The head of a vector, moved so that it starts near the junction: nine tenths of the offset go. */
static struct ht__xy ht__corrected(struct ht__xy base, struct ht__xy head, struct ht__grid grid)
{
    base = ht__on_grid(base, grid);
    head = ht__on_grid(head, grid);
    if (ht__xy_distance(base, head) < 2) {
        return head;
    }
    return (struct ht__xy){head.x - trunc(0.9 * round(base.x / grid.x)) * grid.x,
                           head.y - trunc(0.9 * round(base.y / grid.y)) * grid.y};
}

/* Cuts the road ahead where a single step is as long as asked for, as OSRM does: a road of shorter
 * steps, or whose last step is shorter, stays whole. */
static void ht__trim_step(struct ht__ahead *a, double length)
{
    if (a->step[a->n - 1] < length) {
        return;
    }
    uint32_t i = 1;
    while (a->step[i] < length) {
        i++;
    }
    double before = i > 1 ? a->step[i - 1] : 0;
    double ratio = (length - before) / (a->step[i] - before);
    a->p[i] = ht__between(a->p[i - 1], a->p[i], ratio, a->grid);
    a->n = i + 1;
}

static bool ht__direct_offset(const struct ht__ahead *a, uint32_t straight, double straight_m,
                              double lanes)
{
    uint32_t at = straight > 1 ? straight : 1;
    if (at + 1 >= a->n) {
        return false;
    }
    double offset = 0;
    for (uint32_t i = 1; i <= at; i++) {
        offset += a->step[i];
    }
    double longest = straight_m > a->step[1] ? straight_m : a->step[1];
    if (offset - 0.5 * floor(lanes) * HT__LANE_WIDTH_M >= HT__LANE_WIDTH_M ||
        a->total < 0.4 * HT__FAR_M || a->total - longest < 0.1 * a->total) {
        return false;
    }
    uint32_t end = a->n;
    for (uint32_t i = at; i < a->n; i++) {
        if (a->step[i] >= 30) {
            end = i + 1;
            break;
        }
    }
    struct ht__line rest = {a->p[at], a->p[end - 1]};
    return end > at && ht__max_off(rest, a->p + at, end - at, a->grid) < 0.5 * HT__LANE_WIDTH_M;
}

static double ht__side(struct ht__xy a, struct ht__xy b, struct ht__xy p)
{
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* Off the chord, the road swings out once and comes back once, all on one side. */
static bool ht__bows_once(const struct ht__ahead *a, double width)
{
    struct ht__line chord = {a->p[0], a->p[a->n - 1]};
    bool left = ht__side(chord.from, chord.to, a->p[1]) > 0;
    for (uint32_t i = 2; i + 1 < a->n; i++) {
        if ((ht__side(chord.from, chord.to, a->p[i]) > 0) != left) {
            return false;
        }
    }
    uint32_t peak = 1;
    double most = ht__off_line(chord, a->p[1], a->grid);
    double reach = a->step[1];
    bool falling = false;
    double last = most;
    for (uint32_t i = 2; i < a->n; i++) {
        double off = ht__off_line(chord, a->p[i], a->grid);
        if (off > last && falling) {
            return false;
        }
        falling = falling || off < last;
        if (!falling) {
            peak = i;
            most = off;
        }
        last = off;
    }
    for (uint32_t i = 2; i <= peak; i++) {
        reach += a->step[i];
    }
    double least = fmax(0.3 * width, 0.5 * HT__LANE_WIDTH_M);
    return !((reach <= 0.35 * a->total || most < least) && a->total > HT__LOOK_M);
}

/* No turn back to the other side, no long straight piece within. */
static bool ht__curves_evenly(const struct ht__ahead *a, double width)
{
    double straight = fmax(0, a->step[1] - width);
    bool was_straight = false;
    double before = 0;
    for (uint32_t i = 0; i + 2 < a->n; i++) {
        double in = ht__xy_bearing(a->p[i], a->p[i + 1]);
        double angle = ht__turn_angle(in, ht__xy_bearing(a->p[i + 1], a->p[i + 2]));
        if (i > 0) {
            bool both = ht__deviation(before, HT__STRAIGHT) > HT__FUZZY &&
                        ht__deviation(angle, HT__STRAIGHT) > HT__FUZZY;
            if (both && (before > HT__STRAIGHT) == (angle < HT__STRAIGHT)) {
                return false;
            }
            bool is_straight = ht__deviation(angle, HT__STRAIGHT) < 5;
            if (is_straight) {
                straight += a->step[i + 1];
                if (was_straight && straight > 0.3 * a->total) {
                    return false;
                }
            } else if (straight > 0.3 * a->total) {
                return false;
            } else {
                straight = a->step[i + 1];
            }
            was_straight = is_straight;
        }
        before = angle;
    }
    return true;
}

static bool ht__is_curve(const struct ht__ahead *a, double width)
{
    double begin = ht__xy_bearing(a->p[0], a->p[1]);
    double end = ht__xy_bearing(a->p[a->n - 2], a->p[a->n - 1]);
    return ht__deviation(begin, end) > 0.5 * HT__NARROW && a->total > 2 * width &&
           ht__bows_once(a, width) && ht__curves_evenly(a, width);
}

/* What is left of the road when its first metres are cut off; 0 points: it is shorter. */
static uint32_t ht__cut_front(const struct ht__ahead *a, double length, struct ht__xy *out)
{
    double done = 0;
    for (uint32_t i = 1; i < a->n; i++) {
        if (done + a->step[i] >= length) {
            uint32_t n = 0;
            out[n++] = ht__between(a->p[i - 1], a->p[i], (length - done) / a->step[i], a->grid);
            for (uint32_t k = i; k < a->n; k++) {
                out[n++] = a->p[k];
            }
            return n;
        }
        done += a->step[i];
    }
    return 0;
}

static struct ht__xy ht__of_bent(struct ht__ahead *a, double lanes, uint32_t straight,
                                 double straight_m)
{
    double width = lanes * HT__LANE_WIDTH_M;
    struct ht__line fit = ht__regression(a->p, a->n, a->grid);
    if (ht__max_off(fit, a->p, a->n, a->grid) < 0.35 * HT__LANE_WIDTH_M) {
        return ht__corrected(ht__project(fit, a->p[0], a->grid),
                             ht__project(fit, a->p[a->n - 1], a->grid), a->grid);
    }
    if (ht__direct_offset(a, straight, straight_m, lanes)) {
        uint32_t at = straight > 1 ? straight : 1;
        return ht__corrected(a->p[at], a->p[at + 1], a->grid);
    }
    if (ht__is_curve(a, width)) {
        ht__trim_step(a, 3 * HT__SKIP_M);
        struct ht__xy head = a->p[a->n - 1];
        a->step[a->n - 1] = ht__xy_distance(a->p[a->n - 2], head);
        ht__trim_step(a, 2 * HT__SKIP_M);
        return ht__corrected(a->p[a->n - 1], head, a->grid);
    }
    double trim = 0.8 * width;
    struct ht__xy rest[HT__FAR_POINTS + 1];
    uint32_t n = ht__cut_front(a, 0.8 * trim, rest);
    if (n >= 2 && a->total >= trim + 2) {
        fit = ht__regression(rest, n, a->grid);
        if (ht__max_off(fit, rest, n, a->grid) < 0.5 * HT__LANE_WIDTH_M) {
            return ht__corrected(fit.from, fit.to, a->grid);
        }
    }
    struct ht__xy at = ht__at_length(a, HT__LOOK_M);
    return at.x != 0 || at.y != 0 ? at : a->p[1];
}

/* Drops what lies further ahead than a length; the point that passes it is kept. */
static void ht__limit(struct ht__ahead *a, double length)
{
    double done = 0;
    for (uint32_t i = 1; i < a->n; i++) {
        done += a->step[i];
        if (done >= length) {
            a->n = i + 1;
        }
    }
    ht__trim_step(a, length);
    a->step[a->n - 1] = fmin(a->step[a->n - 1], length);
    a->total = 0;
    for (uint32_t i = 1; i < a->n; i++) {
        a->total += a->step[i];
    }
}

static struct ht__xy ht__representative(const struct ht__map *map, const struct ht__road *road,
                                        struct ht__ahead *a, double lanes)
{
    double width = lanes * HT__LANE_WIDTH_M;
    if (a->n <= 2) {
        return a->p[a->n - 1];
    }
    if (ht__is_round(map, road->way)) {
        return ht__at_length(a, HT__SKIP_M);
    }
    if (road->cls.ignored) {
        return ht__at_length(a, HT__LOOK_M);
    }
    if (a->step[1] > width + HT__LOOK_M) {
        return a->p[1];
    }
    ht__limit(a, HT__FAR_M + width);
    uint32_t last = a->n - 1;
    if (a->n == 2 || a->total <= HT__SKIP_M) {
        return a->p[last];
    }
    struct ht__line chord = {a->p[0], a->p[last]};
    if (ht__max_off(chord, a->p, a->n, a->grid) < 0.5 * HT__LANE_WIDTH_M) {
        return ht__xy_distance(a->p[0], a->p[last]) < 0.01 ? ht__at_length(a, HT__SKIP_M)
                                                           : a->p[last];
    }
    double straight_m = a->step[1];
    uint32_t i = 2;
    for (; i < a->n; i++) {
        struct ht__line line = {a->p[0], a->p[i]};
        if (ht__max_off(line, a->p, i, a->grid) >= 0.25 * HT__LANE_WIDTH_M) {
            break;
        }
        straight_m += a->step[i];
    }
    if (straight_m >= width + HT__LOOK_M) {
        return ht__at_length(a, 5);
    }
    return ht__of_bent(a, lanes, i - 1, straight_m);
}

static double ht__width_factor(struct ht__class c)
{
    if (c.motorway) {
        return 2.5;
    }
    return c.priority == 4 ? 1.5 : 1;
}

void ht__road_bearings(const struct ht__map *map, struct ht__road *road, uint8_t lanes, bool close)
{
    struct ht__ahead a;
    double wide = ht__width_factor(road->cls) * (lanes == 0 ? 2 : lanes);
    double look = close ? HT__SKIP_M : HT__FAR_M + wide * HT__LANE_WIDTH_M;
    a.n = ht__strand_points(map, road->arc, road->against, look, a.p, HT__FAR_POINTS);
    if (a.n < 2) { /* all points in one place */
        road->bearing = 0;
        road->initial = 0;
        return;
    }
    a.step[0] = 0;
    a.total = 0;
    a.grid = ht__grid_of(map, road->arc, road->against);
    for (uint32_t i = 1; i < a.n; i++) {
        a.step[i] = ht__xy_distance(a.p[i - 1], a.p[i]);
        a.total += a.step[i];
    }
    road->initial = ht__xy_bearing(a.p[0], ht__at_length(&a, HT__SKIP_M));
    if (close) {
        uint32_t i = 1;
        while (i + 1 < a.n && ht__xy_distance(a.p[0], a.p[i]) <= 1) {
            i++;
        }
        road->bearing = ht__xy_bearing(a.p[0], a.p[i]);
        return;
    }
    struct ht__xy at = ht__representative(map, road, &a, wide);
    road->bearing = at.x == 0 && at.y == 0 ? road->initial : ht__xy_bearing(a.p[0], at);
}
