#include "geodata/sample_strip.h"

#include <stdlib.h>

#include "engine/base/array.h"

enum { BANK_CM = 14 * HT__METRE, DUAL_CM = 11 * HT__METRE, INTERCHANGE_CM = 70 * HT__METRE };
enum { NEAREST_STOPS_CM = 45 * HT__METRE, SAME_STREET_CM = 110 * HT__METRE };
enum { INTERCHANGE_EVERY_CM = 4500 * HT__METRE };

struct ht__place ht__strip_place(const struct ht__strip *strip, int32_t along_cm, int32_t across_cm)
{
    return strip->north ? (struct ht__place){.x_cm = across_cm, .y_cm = along_cm}
                        : (struct ht__place){.x_cm = along_cm, .y_cm = -across_cm};
}

bool ht__strip_is_dual(const struct ht__strip *strip)
{
    return strip->kind == HT__STRIP_STREET && strip->class >= HT__PRIMARY;
}

int32_t ht__strip_width(enum ht__strip_kind kind, enum ht__class class)
{
    switch (kind) {
    case HT__STRIP_RIVER:
        return 300 * HT__METRE;
    case HT__STRIP_RAIL:
        return 90 * HT__METRE;
    case HT__STRIP_MOTORWAY:
        return 340 * HT__METRE;
    case HT__STRIP_STREET:
        break;
    }
    return class >= HT__PRIMARY    ? 60 * HT__METRE
           : class >= HT__TERTIARY ? 30 * HT__METRE
                                   : 16 * HT__METRE;
}

/* --- which ports meet the avenue, and where --- */

static int64_t port_cost(const struct ht__port *port, int32_t wanted_cm, int32_t window_cm)
{
    int64_t cost = labs((long)port->along_cm - wanted_cm);
    if (port->class == HT__FOOT) {
        return cost + 4 * (int64_t)window_cm;
    }
    int64_t rank = port->class > HT__RESIDENTIAL ? port->class - HT__RESIDENTIAL
                   : port->class == HT__SERVICE  ? 2
                                                 : 0;
    return cost - rank * window_cm / 6;
}

/* The best port in the window around `wanted_cm` that lies beyond the last one taken. */
static size_t best_port(const struct ht__ports *ports, int32_t after_cm, int32_t wanted_cm,
                        int32_t window_cm)
{
    size_t best = SIZE_MAX;
    int64_t best_cost = INT64_MAX;
    for (size_t i = 0; i < ports->count; i++) {
        const struct ht__port *port = &ports->list[i];
        if (port->along_cm <= after_cm || labs((long)port->along_cm - wanted_cm) > window_cm) {
            continue;
        }
        int64_t cost = port_cost(port, wanted_cm, window_cm);
        if (cost < best_cost) {
            best_cost = cost;
            best = i;
        }
    }
    return best;
}

static enum ht_status add_stop(struct ht__stops *stops, struct ht__stop stop)
{
    enum ht_status status = ht_array_reserve((void **)&stops->list, &stops->capacity,
                                             stops->count + 1, sizeof *stops->list);
    if (status == HT_OK) {
        stops->list[stops->count++] = stop;
    }
    return status;
}

static struct ht__stop one_sided(int32_t along_cm, size_t left, size_t right)
{
    return (struct ht__stop){.along_cm = along_cm, .left = left, .right = right};
}

/* Streets from side to side where the two ports face each other, else one after the other. */
static enum ht_status add_pair(struct ht__stops *stops, const struct ht__ports *left, size_t l,
                               const struct ht__ports *right, size_t r, bool through)
{
    if (l == SIZE_MAX && r == SIZE_MAX) {
        return HT_OK;
    }
    if (l == SIZE_MAX || r == SIZE_MAX) {
        int32_t at = l == SIZE_MAX ? right->list[r].along_cm : left->list[l].along_cm;
        return add_stop(stops, one_sided(at, l, r));
    }
    int32_t a = left->list[l].along_cm;
    int32_t b = right->list[r].along_cm;
    if (labs((long)a - b) <= SAME_STREET_CM) {
        struct ht__stop both = one_sided(a / 2 + b / 2, l, r);
        both.through = through;
        return add_stop(stops, both);
    }
    enum ht_status status = add_stop(stops, one_sided(a, l, SIZE_MAX));
    if (status == HT_OK) {
        status = add_stop(stops, one_sided(b, SIZE_MAX, r));
    }
    return status;
}

/* Crossings at even distances with some luck; between them, streets that only reach the avenue: on
 * one side (so they add nothing to the cut), at a river on both, since there only bridges cross. */
static enum ht_status choose_stops(struct ht__strip_draft *draft, const struct ht__ports *left,
                                   const struct ht__ports *right)
{
    const struct ht__strip *strip = draft->strip;
    size_t through = strip->crossings;
    size_t count = through * (strip->kind == HT__STRIP_RIVER ? 4 : 3) /
                   (strip->kind == HT__STRIP_RIVER ? 1 : 2);
    int64_t length = (int64_t)strip->along_max_cm - strip->along_min_cm;
    int32_t window = (int32_t)(length / (int64_t)count * 6 / 10);
    int32_t after[2] = {INT32_MIN, INT32_MIN};
    bool free_side = ht__dice_chance(&draft->dice, 500);
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        int32_t wanted =
            (int32_t)(strip->along_min_cm + length * (int64_t)(2 * i + 1) / (int64_t)(2 * count));
        wanted += ht__dice_range(&draft->dice, -window / 3, window / 3);
        bool crosses = i * through / count != (i + 1) * through / count;
        bool both = crosses || strip->kind == HT__STRIP_RIVER;
        size_t l = SIZE_MAX;
        size_t r = SIZE_MAX;
        if (both || free_side) {
            l = best_port(left, after[0], wanted, window);
        }
        if (both || !free_side) {
            r = best_port(right, after[1], wanted, window);
        }
        after[0] = l == SIZE_MAX ? after[0] : left->list[l].along_cm;
        after[1] = r == SIZE_MAX ? after[1] : right->list[r].along_cm;
        status = add_pair(&draft->stops, left, l, right, r, crosses);
    }
    return status;
}

static bool taken(const struct ht__stops *stops, bool left, size_t port)
{
    for (size_t i = 0; i < stops->count; i++) {
        if ((left ? stops->list[i].left : stops->list[i].right) == port) {
            return true;
        }
    }
    return false;
}

/* Gates that are the only way in, and one street at least for each side. */
static enum ht_status choose_needed(struct ht__stops *stops, const struct ht__ports *ports,
                                    bool left)
{
    bool any = false;
    size_t best = SIZE_MAX;
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < ports->count && status == HT_OK; i++) {
        bool here = taken(stops, left, i);
        if (ports->list[i].must && !here) {
            status = add_stop(stops, one_sided(ports->list[i].along_cm, left ? i : SIZE_MAX,
                                               left ? SIZE_MAX : i));
            here = true;
        }
        any = any || here;
        if (best == SIZE_MAX || (ports->list[i].class > ports->list[best].class)) {
            best = i;
        }
    }
    if (!any && best != SIZE_MAX && status == HT_OK) {
        status = add_stop(stops, one_sided(ports->list[best].along_cm, left ? best : SIZE_MAX,
                                           left ? SIZE_MAX : best));
    }
    return status;
}

static enum ht_status choose_interchanges(struct ht__strip_draft *draft)
{
    const struct ht__strip *strip = draft->strip;
    int64_t length = (int64_t)strip->along_max_cm - strip->along_min_cm;
    int64_t count = length / INTERCHANGE_EVERY_CM;
    count = count < 2 ? 2 : count;
    enum ht_status status = HT_OK;
    for (int64_t i = 0; i < count && status == HT_OK; i++) {
        struct ht__stop stop =
            one_sided((int32_t)(strip->along_min_cm + length * (2 * i + 1) / (2 * count)), SIZE_MAX,
                      SIZE_MAX);
        stop.ramps = true;
        status = add_stop(&draft->stops, stop);
    }
    return status;
}

static int by_place(const void *a, const void *b)
{
    const struct ht__stop *x = a;
    const struct ht__stop *y = b;
    if (x->along_cm != y->along_cm) {
        return x->along_cm < y->along_cm ? -1 : 1;
    }
    if (x->left != y->left) {
        return x->left < y->left ? -1 : 1;
    }
    return x->right < y->right ? -1 : x->right > y->right;
}

/* Stops in order, pushed apart where they would lie on each other. */
static void arrange(struct ht__strip_draft *draft)
{
    struct ht__stops *stops = &draft->stops;
    if (stops->count == 0) {
        return;
    }
    qsort(stops->list, stops->count, sizeof *stops->list, by_place);
    for (size_t i = 1; i < stops->count; i++) {
        struct ht__stop *stop = &stops->list[i];
        int32_t room = NEAREST_STOPS_CM;
        room += stop->ramps || stops->list[i - 1].ramps ? INTERCHANGE_CM : 0;
        if (stop->along_cm - stops->list[i - 1].along_cm < room) {
            stop->along_cm = stops->list[i - 1].along_cm + room;
        }
    }
    int32_t limit = draft->strip->along_max_cm;
    for (size_t i = stops->count; i-- > 0;) {
        limit -= NEAREST_STOPS_CM;
        if (stops->list[i].along_cm <= limit) {
            break;
        }
        stops->list[i].along_cm = limit;
    }
}

static enum ht_status end_ports(struct ht__strip_draft *draft, struct ht__ports *first,
                                struct ht__ports *last)
{
    const struct ht__strip *strip = draft->strip;
    enum ht_status status = HT_OK;
    for (size_t row = 0; row < draft->row_count && status == HT_OK; row++) {
        struct ht__place place = ht__sketch_place(draft->sketch, draft->ends[row][0]);
        struct ht__port port = {.node = draft->ends[row][0],
                                .along_cm = strip->north ? place.x_cm : place.y_cm,
                                .class = strip->class};
        status = ht__ports_add(first, port);
        port.node = draft->ends[row][1];
        if (status == HT_OK) {
            status = ht__ports_add(last, port);
        }
    }
    return status;
}

/* Rows: one for a street (its two carriageways share their ends), one on each bank of a river. */
static void lay_rows(struct ht__strip_draft *draft)
{
    const struct ht__strip *strip = draft->strip;
    int32_t middle = strip->across_min_cm / 2 + strip->across_max_cm / 2;
    draft->dual = ht__strip_is_dual(strip);
    draft->row_count = strip->kind == HT__STRIP_RIVER ? 2 : 1;
    draft->left_cm = strip->across_min_cm + BANK_CM;
    draft->right_cm = strip->across_max_cm - BANK_CM;
    if (strip->kind == HT__STRIP_STREET) {
        draft->left_cm = draft->dual ? middle - DUAL_CM : middle;
        draft->right_cm = draft->dual ? middle + DUAL_CM : middle;
    }
    for (size_t row = 0; row < draft->row_count; row++) {
        int32_t across = draft->row_count == 1 && strip->kind == HT__STRIP_STREET ? middle
                         : row == 0                                               ? draft->left_cm
                                                                                  : draft->right_cm;
        draft->ends[row][0] =
            ht__sketch_node(draft->sketch, ht__strip_place(strip, strip->along_min_cm, across));
        draft->ends[row][1] =
            ht__sketch_node(draft->sketch, ht__strip_place(strip, strip->along_max_cm, across));
    }
}

enum ht_status ht__strip_draw(struct ht__sketch *sketch, const struct ht__strip *strip,
                              const struct ht__ports *left, const struct ht__ports *right,
                              struct ht__ports *first, struct ht__ports *last)
{
    struct ht__strip_draft draft = {.sketch = sketch, .strip = strip};
    draft.dice = ht__dice_new(strip->seed, 2);
    enum ht_status status = choose_stops(&draft, left, right);
    if (status == HT_OK) {
        status = choose_needed(&draft.stops, left, true);
    }
    if (status == HT_OK) {
        status = choose_needed(&draft.stops, right, false);
    }
    if (status == HT_OK && strip->kind == HT__STRIP_MOTORWAY) {
        status = choose_interchanges(&draft);
    }
    if (status == HT_OK) {
        arrange(&draft);
        lay_rows(&draft);
        ht__strip_draw_stops(&draft, left, right);
        status = ht__strip_draw_rows(&draft);
    }
    if (status == HT_OK) {
        status = end_ports(&draft, first, last);
    }
    free(draft.stops.list);
    return status == HT_OK ? ht__sketch_status(sketch) : status;
}
