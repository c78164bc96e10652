#include <string.h>

#include "engine/live/desk_internal.h"

enum { SLICE = 1024 };

/* ---- counts -----------------------------------------------------------------------------------
 */

static void add(uint64_t *to, int sign, uint64_t by)
{
    *to = sign > 0 ? *to + by : *to - by;
}

static void count_end(struct ht_desk_totals *t, const struct ht_incident *i, int sign)
{
    add(&t->cancelled, sign, i->state == HT_INCIDENT_IS_CANCELLED ? 1 : 0);
    if (i->outcome == HT_OUTCOME_NONE) {
        return;
    }
    add(&t->solved[i->solved_at], sign, 1);
    add(&t->outcomes[i->kind][i->outcome], sign, 1);
    add(&t->rated[i->rating], sign, i->rating != 0 ? 1 : 0);
    if (i->first_arrived_ms != 0) {
        int64_t late_ms = i->first_arrived_ms - i->deadline_ms;
        add(late_ms > 0 ? &t->arrived_late : &t->arrived_in_time, sign, 1);
        add(&t->late_ms, sign, late_ms > 0 ? (uint64_t)late_ms : 0);
    }
}

void ht__desk_count(struct ht_desk *d, const struct ht__entry *e, const struct ht__version *v,
                    int sign, bool counted)
{
    const struct ht_incident *i = &v->view;
    add(&d->totals.states[i->state], sign, 1);
    if (!counted) {
        return;
    }
    add(&d->totals.opened, sign, 1);
    add(&d->totals.folded, sign, i->alarms - 1);
    count_end(&d->totals, i, sign);
    if (e->device != NULL) {
        struct ht_desk_device_count *count = &e->device->count;
        count->alarms[i->kind] += sign > 0 ? i->alarms : 0 - i->alarms;
        if (i->outcome != HT_OUTCOME_NONE) {
            count->outcomes[i->kind][i->outcome] += sign > 0 ? 1 : UINT32_MAX;
        }
    }
}

void ht_desk_totals(struct ht_desk *d, struct ht_desk_totals *out)
{
    (void)pthread_mutex_lock(&d->lock);
    *out = d->totals;
    out->held = d->list_count - d->list_holes;
    (void)pthread_mutex_unlock(&d->lock);
}

/* Of one whose first alarm was taken back there is nothing to tell. */
static bool has_alarms(const struct ht_desk_device_count *device)
{
    uint32_t sum = 0;
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        sum |= device->alarms[k];
    }
    return sum != 0;
}

size_t ht_desk_devices(struct ht_desk *d, size_t first, size_t most,
                       struct ht_desk_device_count *out)
{
    size_t count = 0;
    size_t seen = 0;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->devices.count && count < most; i++) {
        const struct ht_desk_device_count *device = &d->device_list[i]->count;
        if (has_alarms(device) && seen++ >= first) {
            out[count++] = *device;
        }
    }
    (void)pthread_mutex_unlock(&d->lock);
    return count;
}

/* ---- incidents --------------------------------------------------------------------------------
 */

const struct ht_incident *ht_desk_get(struct ht_desk *d, const char *id)
{
    (void)pthread_mutex_lock(&d->lock);
    const struct ht__entry *e = ht__desk_entry_of(d, id);
    struct ht__version *v = e == NULL ? NULL : ht__desk_version_hold(e->committed);
    (void)pthread_mutex_unlock(&d->lock);
    return v == NULL ? NULL : &v->view;
}

void ht_incident_release(const struct ht_incident *incident)
{
    if (incident != NULL) {
        ht__desk_version_release(ht__desk_version_of(incident));
    }
}

bool ht_desk_unit_on(struct ht_desk *d, const char *unit, char incident[HT_DESK_ID_MAX + 1])
{
    (void)pthread_mutex_lock(&d->lock);
    const struct ht__unit *u = (const struct ht__unit *)ht_names_find(&d->units, unit);
    bool on = u != NULL && u->committed != NULL;
    if (on) {
        memcpy(incident, u->committed->named.id, strlen(u->committed->named.id) + 1);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return on;
}

size_t ht__desk_list_at(const struct ht_desk *d, uint64_t order)
{
    size_t low = 0;
    size_t high = d->list_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->list[middle].order < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_unit(const struct ht_incident *i, const char *unit)
{
    return unit == NULL || ht__desk_seat_of(ht__desk_version_of(i), unit) != NULL;
}

bool ht_desk_filter_passes(const struct ht_desk_filter *f, const struct ht_incident *i)
{
    return (f->states == 0 || (f->states >> i->state & 1U) != 0) &&
           (f->kinds == 0 || (f->kinds >> i->kind & 1U) != 0) &&
           (f->severities == 0 || (f->severities >> i->severity & 1U) != 0) &&
           i->opened_ms >= f->since_ms && has_unit(i, f->unit) &&
           (f->household == NULL ||
            (i->household != NULL && strcmp(i->household, f->household) == 0));
}

/* One slice downwards from the one before `*order`; false: that was the last. */
static bool list_slice(struct ht_desk *d, const struct ht_desk_filter *filter, uint64_t *order,
                       size_t most, const struct ht_incident **out, size_t *count)
{
    (void)pthread_mutex_lock(&d->lock);
    size_t at = ht__desk_list_at(d, *order);
    size_t end = at > SLICE ? at - SLICE : 0;
    while (at > end && *count < most) {
        struct ht__listed *listed = &d->list[--at];
        *order = listed->order;
        if (listed->entry != NULL &&
            ht_desk_filter_passes(filter, &listed->entry->committed->view)) {
            out[(*count)++] = &ht__desk_version_hold(listed->entry->committed)->view;
        }
    }
    bool more = at > 0 && *count < most;
    (void)pthread_mutex_unlock(&d->lock);
    return more;
}

size_t ht_desk_list(struct ht_desk *d, const struct ht_desk_filter *filter, size_t most,
                    const struct ht_incident **out)
{
    size_t count = 0;
    uint64_t order = filter->before_order != 0 ? filter->before_order : UINT64_MAX;
    while (list_slice(d, filter, &order, most, out, &count)) {
        /* the writer may go between two slices */
    }
    return count;
}
