#include <string.h>

#include "engine/live/orders_internal.h"

enum { SLICE = 1024 };

/* ---- counts -----------------------------------------------------------------------------------
 */

static void add(uint64_t *to, int sign, uint64_t by)
{
    *to = sign > 0 ? *to + by : *to - by;
}

void ht__orders_count(struct ht_orders *o, const struct ht_order *order, int sign, bool counted)
{
    struct ht_orders_totals *t = &o->totals;
    add(&t->states[order->state], sign, 1);
    if (!counted) {
        return;
    }
    if (order->state == HT_ORDER_IS_DELIVERED) {
        int64_t late_ms = order->closed_ms - order->due_to_ms;
        add(late_ms > 0 ? &t->delivered_late : &t->delivered_in_window, sign, 1);
        add(&t->late_ms, sign, late_ms > 0 ? (uint64_t)late_ms : 0);
        add(&t->meals, sign, order->load[0]);
    } else if (order->state == HT_ORDER_IS_FAILED) {
        add(&t->meals, sign, order->count);
    }
}

void ht_orders_totals(struct ht_orders *o, struct ht_orders_totals *out)
{
    (void)pthread_mutex_lock(&o->lock);
    *out = o->totals;
    out->held = o->list_count - o->list_holes;
    (void)pthread_mutex_unlock(&o->lock);
}

/* ---- one --------------------------------------------------------------------------------------
 */

const struct ht_order *ht_orders_get(struct ht_orders *o, const char *id)
{
    (void)pthread_mutex_lock(&o->lock);
    const struct ht__order_entry *e = ht__orders_entry_of(o, id);
    struct ht__order_version *v = e == NULL ? NULL : ht__orders_version_hold(e->committed);
    (void)pthread_mutex_unlock(&o->lock);
    return v == NULL ? NULL : &v->view;
}

void ht_order_release(const struct ht_order *order)
{
    if (order != NULL) {
        ht__orders_version_release(ht__orders_version_of(order));
    }
}

/* ---- many -------------------------------------------------------------------------------------
 */

size_t ht__orders_list_at(const struct ht_orders *o, uint64_t order)
{
    size_t low = 0;
    size_t high = o->list_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (o->list[middle].order < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_or_any(const char *wanted, const char *text)
{
    return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

bool ht_order_filter_passes(const struct ht_order_filter *f, const struct ht_order *order)
{
    return (f->states == 0 || (f->states >> order->state & 1U) != 0) &&
           is_or_any(f->unit, order->unit) && is_or_any(f->household, order->household) &&
           is_or_any(f->kitchen, order->kitchen) && order->due_to_ms >= f->due_from_ms &&
           (f->due_to_ms == 0 || order->due_from_ms <= f->due_to_ms);
}

/* One slice downwards from the one before `*order`; false: that was the last. */
static bool list_slice(struct ht_orders *o, const struct ht_order_filter *filter, uint64_t *order,
                       size_t most, const struct ht_order **out, size_t *count)
{
    (void)pthread_mutex_lock(&o->lock);
    size_t at = ht__orders_list_at(o, *order);
    size_t end = at > SLICE ? at - SLICE : 0;
    while (at > end && *count < most) {
        struct ht__order_listed *listed = &o->list[--at];
        *order = listed->order;
        if (listed->entry != NULL &&
            ht_order_filter_passes(filter, &listed->entry->committed->view)) {
            out[(*count)++] = &ht__orders_version_hold(listed->entry->committed)->view;
        }
    }
    bool more = at > 0 && *count < most;
    (void)pthread_mutex_unlock(&o->lock);
    return more;
}

size_t ht_orders_list(struct ht_orders *o, const struct ht_order_filter *filter, size_t most,
                      const struct ht_order **out)
{
    size_t count = 0;
    uint64_t order = filter->before_order != 0 ? filter->before_order : UINT64_MAX;
    while (list_slice(o, filter, &order, most, out, &count)) {
        /* the writer may go between two slices */
    }
    return count;
}

/* ---- of a unit --------------------------------------------------------------------------------
 */

/* In the order of the way; those of one stop by creation. */
static bool comes_before(const struct ht_order *a, const struct ht_order *b)
{
    return a->sequence != b->sequence ? a->sequence < b->sequence : a->order < b->order;
}

/* The first of a unit's that comes after `last` (NULL: of all). Needs the lock. A unit has some
 * fifty at most: to look for the next is cheaper than to keep them sorted. */
static const struct ht__order_entry *next_of(const struct ht__order_unit *unit,
                                             const struct ht_order *last)
{
    const struct ht__order_entry *found = NULL;
    for (const struct ht__order_entry *e = unit->first; e != NULL; e = e->unit_after) {
        const struct ht_order *order = &e->committed->view;
        if ((last == NULL || comes_before(last, order)) &&
            (found == NULL || comes_before(order, &found->committed->view))) {
            found = e;
        }
    }
    return found;
}

size_t ht_orders_of_unit(struct ht_orders *o, const char *unit, size_t most,
                         const struct ht_order **out)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&o->lock);
    const struct ht__order_unit *u = (const struct ht__order_unit *)ht_names_find(&o->units, unit);
    const struct ht__order_entry *e = u == NULL ? NULL : next_of(u, NULL);
    for (; e != NULL && count < most; e = next_of(u, &e->committed->view)) {
        out[count++] = &ht__orders_version_hold(e->committed)->view;
    }
    (void)pthread_mutex_unlock(&o->lock);
    return count;
}

/* The next greater sequence among a unit's; false: there is none. Needs the lock. */
static bool next_stop(const struct ht__order_unit *unit, int64_t after, uint32_t *out)
{
    bool found = false;
    for (const struct ht__order_entry *e = unit->first; e != NULL; e = e->unit_after) {
        uint32_t sequence = e->committed->view.sequence;
        if ((int64_t)sequence > after && (!found || sequence < *out)) {
            *out = sequence;
            found = true;
        }
    }
    return found;
}

uint32_t ht_orders_stops_before(struct ht_orders *o, const char *id)
{
    uint32_t count = UINT32_MAX;
    (void)pthread_mutex_lock(&o->lock);
    const struct ht__order_entry *e = ht__orders_entry_of(o, id);
    if (e != NULL && e->on != NULL) {
        uint32_t own = e->committed->view.sequence;
        uint32_t at = 0;
        int64_t after = -1;
        count = 0;
        while (next_stop(e->on, after, &at) && at < own) {
            after = at;
            count++;
        }
    }
    (void)pthread_mutex_unlock(&o->lock);
    return count;
}

/* ---- when -------------------------------------------------------------------------------------
 */

bool ht_orders_tell(struct ht_orders *o, const char *id, const struct ht_order_times *times)
{
    (void)pthread_mutex_lock(&o->lock);
    struct ht__order_entry *e = ht__orders_entry_of(o, id);
    bool taken = e != NULL && e->on != NULL && strcmp(e->on->id, times->unit) == 0 &&
                 times->eta_low_ms <= times->eta_ms && times->eta_ms <= times->eta_high_ms;
    if (taken) {
        e->told = true;
        e->times = *times;
        e->times.unit = e->on->id;
    }
    (void)pthread_mutex_unlock(&o->lock);
    return taken;
}

bool ht_orders_times(struct ht_orders *o, const char *id, struct ht_order_times *out)
{
    *out = (struct ht_order_times){NULL, 0, 0, 0};
    (void)pthread_mutex_lock(&o->lock);
    const struct ht__order_entry *e = ht__orders_entry_of(o, id);
    if (e != NULL && e->committed != NULL) {
        const struct ht_order *order = &e->committed->view;
        *out = e->told && e->on != NULL
                   ? e->times
                   : (struct ht_order_times){order->unit, order->eta_ms, order->eta_low_ms,
                                             order->eta_high_ms};
    }
    (void)pthread_mutex_unlock(&o->lock);
    return out->eta_ms != 0;
}
