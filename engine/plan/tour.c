#include "engine/plan/tour.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

/* A missing way costs more than any tour of real ones. */
#define MISSING (UINT64_C(1) << 48)

void ht_tour_fix(uint32_t *cost, uint32_t n, uint32_t first, uint32_t last)
{
    for (uint32_t i = 0; i < n; i++) {
        if (first != HT_TOUR_ANYWHERE && i != first) {
            cost[(size_t)i * n + first] =
                last == HT_TOUR_ANYWHERE || i == last ? 0 : HT_TOUR_MISSING;
        }
        if (last != HT_TOUR_ANYWHERE && i != last) {
            cost[(size_t)last * n + i] =
                first == HT_TOUR_ANYWHERE || i == first ? 0 : HT_TOUR_MISSING;
        }
    }
}

static uint64_t cost_at(const uint32_t *cost, uint32_t n, uint32_t from, uint32_t to)
{
    uint32_t c = cost[(size_t)from * n + to];
    return c >= HT_TOUR_MISSING ? MISSING : c;
}

uint64_t ht_tour_cost(const uint32_t *cost, uint32_t n, const uint32_t *order)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; n > 1 && i < n; i++) {
        sum += cost_at(cost, n, order[i], order[i + 1 == n ? 0 : i + 1]);
    }
    return sum;
}

/* rest[set][v]: the cheapest way from v through all stops that are not in `set` and back to stop 0.
 * Stops 1 .. n-1 are bits 0 .. n-2; v is in the set. Filled from the full set down. */
static enum ht_status find_exact(const uint32_t *cost, uint32_t n, uint32_t *order)
{
    uint32_t m = n - 1;
    size_t sets = (size_t)1 << m;
    uint64_t *rest = ht_array_new(sets * (m + 1), sizeof *rest);
    if (rest == NULL) {
        return HT_NOMEM;
    }
    for (size_t set = sets; set-- > 0;) {
        for (uint32_t v = 0; v <= m; v++) {
            if (v > 0 ? (set >> (v - 1) & 1) == 0 : set != 0) {
                continue;
            }
            uint64_t best = set == sets - 1 ? cost_at(cost, n, v, 0) : UINT64_MAX;
            for (uint32_t w = 1; w <= m; w++) {
                if ((set >> (w - 1) & 1) == 0) {
                    size_t next = set | (size_t)1 << (w - 1);
                    uint64_t c = cost_at(cost, n, v, w) + rest[next * (m + 1) + w];
                    best = c < best ? c : best;
                }
            }
            rest[set * (m + 1) + v] = best;
        }
    }
    size_t set = 0;
    order[0] = 0;
    for (uint32_t i = 1; i < n; i++) {
        uint32_t v = order[i - 1];
        for (uint32_t w = 1; w <= m; w++) {
            size_t next = set | (size_t)1 << (w - 1);
            if (next != set &&
                cost_at(cost, n, v, w) + rest[next * (m + 1) + w] == rest[set * (m + 1) + v]) {
                order[i] = w;
                set = next;
                break;
            }
        }
    }
    free(rest);
    return HT_OK;
}

/* Where in the tour stop v costs least, and how much more the tour then costs. */
static uint64_t best_gap(const uint32_t *cost, uint32_t n, const uint32_t *order, uint32_t count,
                         uint32_t v, uint32_t *gap)
{
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t a = order[i];
        uint32_t b = order[i + 1 == count ? 0 : i + 1];
        uint64_t added = cost_at(cost, n, a, v) + cost_at(cost, n, v, b);
        uint64_t removed = count > 1 ? cost_at(cost, n, a, b) : 0;
        uint64_t more = added > removed ? added - removed : 0;
        if (more < best) {
            best = more;
            *gap = i + 1;
        }
    }
    return best;
}

/* Each time the stop whose best place in the tour is the dearest. */
static void insert_farthest(const uint32_t *cost, uint32_t n, uint32_t *order, uint8_t *in_tour)
{
    memset(in_tour, 0, n);
    order[0] = 0;
    in_tour[0] = 1;
    for (uint32_t count = 1; count < n; count++) {
        uint64_t farthest = 0;
        uint32_t chosen = HT_TOUR_ANYWHERE;
        uint32_t at = 0;
        for (uint32_t v = 0; v < n; v++) {
            uint32_t gap = 0;
            if (in_tour[v]) {
                continue;
            }
            uint64_t more = best_gap(cost, n, order, count, v, &gap);
            if (chosen == HT_TOUR_ANYWHERE || more > farthest) {
                farthest = more;
                chosen = v;
                at = gap;
            }
        }
        memmove(order + at + 1, order + at, (count - at) * sizeof *order);
        order[at] = chosen;
        in_tour[chosen] = 1;
    }
}

/* Stop i of the tour rotated so that the piece in question does not wrap. */
static void rotate(uint32_t *order, uint32_t n, uint32_t by, uint32_t *scratch)
{
    memcpy(scratch, order + by, (n - by) * sizeof *order);
    memcpy(scratch + (n - by), order, by * sizeof *order);
    memcpy(order, scratch, n * sizeof *order);
}

/* Moves the chain order[0 .. length) to the best gap elsewhere; true when that made the tour
 * cheaper. */
static bool move_chain(const uint32_t *cost, uint32_t n, uint32_t *order, uint32_t length,
                       uint32_t *scratch)
{
    uint32_t first = order[0];
    uint32_t last = order[length - 1];
    uint64_t gain = cost_at(cost, n, order[n - 1], first) + cost_at(cost, n, last, order[length]);
    uint64_t closing = cost_at(cost, n, order[n - 1], order[length]);
    uint64_t best = 0;
    uint32_t at = 0;
    for (uint32_t i = length; i + 1 < n; i++) {
        uint64_t now = gain + cost_at(cost, n, order[i], order[i + 1]);
        uint64_t then =
            closing + cost_at(cost, n, order[i], first) + cost_at(cost, n, last, order[i + 1]);
        if (then < now && now - then > best) {
            best = now - then;
            at = i;
        }
    }
    if (at == 0) {
        return false;
    }
    memcpy(scratch, order, length * sizeof *order);
    memmove(order, order + length, (at + 1 - length) * sizeof *order);
    memcpy(order + at + 1 - length, scratch, length * sizeof *order);
    return true;
}

static bool improve_or(const uint32_t *cost, uint32_t n, uint32_t *order, uint32_t *scratch)
{
    bool improved = false;
    for (uint32_t length = 1; length <= 3 && length + 2 <= n; length++) {
        for (uint32_t i = 0; i < n; i++) {
            improved = move_chain(cost, n, order, length, scratch) || improved;
            rotate(order, n, 1, scratch);
        }
    }
    return improved;
}

/* Turns the piece order[i .. j] round where that is cheaper. Costs of the piece in both directions
 * grow with j, so each pair takes constant time. */
static bool improve_two(const uint32_t *cost, uint32_t n, uint32_t *order)
{
    bool improved = false;
    for (uint32_t i = 1; i + 1 < n; i++) {
        uint64_t ahead = 0;
        uint64_t back = 0;
        for (uint32_t j = i + 1; j < n; j++) {
            ahead += cost_at(cost, n, order[j - 1], order[j]);
            back += cost_at(cost, n, order[j], order[j - 1]);
            uint32_t before = order[i - 1];
            uint32_t after = order[j + 1 == n ? 0 : j + 1];
            uint64_t now =
                cost_at(cost, n, before, order[i]) + ahead + cost_at(cost, n, order[j], after);
            uint64_t turned =
                cost_at(cost, n, before, order[j]) + back + cost_at(cost, n, order[i], after);
            if (turned < now) {
                for (uint32_t a = i, b = j; a < b; a++, b--) {
                    uint32_t kept = order[a];
                    order[a] = order[b];
                    order[b] = kept;
                }
                uint64_t swap = ahead;
                ahead = back;
                back = swap;
                improved = true;
            }
        }
    }
    return improved;
}

static enum ht_status find_good(const uint32_t *cost, uint32_t n, uint32_t *order)
{
    uint8_t *in_tour = ht_array_new(n, 1);
    uint32_t *scratch = ht_array_new(n, sizeof *scratch);
    if (in_tour == NULL || scratch == NULL) {
        free(in_tour);
        free(scratch);
        return HT_NOMEM;
    }
    insert_farthest(cost, n, order, in_tour);
    while (improve_or(cost, n, order, scratch) || improve_two(cost, n, order)) {
        /* each pass that returns true made the tour cheaper, so this ends */
    }
    uint32_t zero = 0;
    while (order[zero] != 0) {
        zero++;
    }
    rotate(order, n, zero, scratch);
    free(in_tour);
    free(scratch);
    return HT_OK;
}

enum ht_status ht_tour_find(const uint32_t *cost, uint32_t n, uint32_t *order)
{
    if (n == 0) {
        return HT_INVALID;
    }
    order[0] = 0;
    if (n == 1) {
        return HT_OK;
    }
    enum ht_status status =
        n <= HT_TOUR_EXACT ? find_exact(cost, n, order) : find_good(cost, n, order);
    if (status == HT_OK && ht_tour_cost(cost, n, order) >= MISSING) {
        return HT_NO_ROUTE;
    }
    return status;
}
