/* Positions on their way to the store. */
#include <stdlib.h>
#include <string.h>

#include "api/live_internal.h"
#include "engine/base/array.h"

enum { NOTES_MOST = 2 * 1000 * 1000 };

void ht_live_keep(struct ht_live *live)
{
    live->noting = true;
}

size_t ht_live_waiting(const struct ht_live *live)
{
    return atomic_load_explicit(&live->waiting, memory_order_relaxed);
}

size_t ht_live_thinned(const struct ht_live *live)
{
    return atomic_load_explicit(&live->thinned, memory_order_relaxed);
}

void ht__live_note_add(struct ht_live *live, const struct ht__live_note *note)
{
    (void)pthread_mutex_lock(&live->note_lock);
    void *notes = live->notes;
    bool room = live->note_count < NOTES_MOST &&
                ht_array_reserve(&notes, &live->note_capacity, live->note_count + 1,
                                 sizeof *live->notes) == HT_OK;
    live->notes = notes;
    if (room) {
        live->notes[live->note_count++] = *note;
        atomic_store_explicit(&live->waiting, live->note_count, memory_order_relaxed);
    } else {
        live->notes_lost = true;
    }
    (void)pthread_mutex_unlock(&live->note_lock);
}

void ht_live_mark(struct ht_live *live)
{
    (void)pthread_mutex_lock(&live->note_lock);
    live->note_marked = live->note_count;
    (void)pthread_mutex_unlock(&live->note_lock);
    live->sent_old = true;
}

static int by_unit_and_time(const void *a, const void *b)
{
    const struct ht__live_note *x = a;
    const struct ht__live_note *y = b;
    if (x->old != y->old) {
        return x->old ? -1 : 1;
    }
    if (x->unit != y->unit) {
        return x->unit < y->unit ? -1 : 1;
    }
    return (x->ts_ms > y->ts_ms) - (x->ts_ms < y->ts_ms);
}

/* Of sorted notes the latest of each unit, and evenly as many others as can be saved in time. */
static size_t thin(struct ht__live_note *notes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count && count > HT_LIVE_KEPT; i++) {
        bool latest = i + 1 == count || notes[i + 1].unit != notes[i].unit;
        if (latest || i * HT_LIVE_KEPT / count != (i + 1) * HT_LIVE_KEPT / count) {
            notes[kept++] = notes[i];
        }
    }
    return count > HT_LIVE_KEPT ? kept : count;
}

/* What found no room is gone, but the fleet knows the latest of each unit. */
static enum ht_status add_latest(struct ht_live *live)
{
    uint32_t end = ht_fleet_end(live->fleet);
    void *sent = live->sent;
    enum ht_status status =
        ht_array_reserve(&sent, &live->sent_capacity, live->sent_count + end, sizeof *live->sent);
    live->sent = sent;
    for (uint32_t unit = 0; unit < end && status == HT_OK; unit++) {
        struct ht_unit copy;
        struct ht_unit_life life;
        if (ht_fleet_life(live->fleet, unit, &life) && ht_fleet_get(live->fleet, unit, 0, &copy) &&
            copy.positioned) {
            live->sent[live->sent_count++] =
                (struct ht__live_note){.unit = unit,
                                       .generation = life.generation,
                                       .ts_ms = copy.position.ts_ms,
                                       .received_ms = copy.position.received_ms,
                                       .fix = copy.position.fix};
        }
    }
    return status;
}

/* Takes over what came meanwhile. */
static enum ht_status take_over(struct ht_live *live)
{
    struct ht__live_note *spare = live->sent; /* its pages are there: the next notes go into it */
    size_t spare_capacity = live->sent_capacity;
    if (spare_capacity > 2 * (size_t)HT_LIVE_KEPT) {
        free(spare);
        spare = NULL;
        spare_capacity = 0;
    }
    (void)pthread_mutex_lock(&live->note_lock);
    live->sent = live->notes;
    live->sent_count = live->note_count;
    live->sent_capacity = live->note_capacity;
    size_t marked = live->note_marked;
    bool lost = live->notes_lost;
    live->notes = spare;
    live->note_count = 0;
    live->note_capacity = spare_capacity;
    atomic_store_explicit(&live->waiting, 0, memory_order_relaxed);
    live->note_marked = 0;
    live->notes_lost = false;
    (void)pthread_mutex_unlock(&live->note_lock);
    live->sent_at = 0;
    live->sent_old = false;
    for (size_t i = 0; i < marked; i++) {
        live->sent[i].old = true;
    }
    enum ht_status status = lost ? add_latest(live) : HT_OK;
    if (status != HT_OK) {
        (void)pthread_mutex_lock(&live->note_lock);
        live->notes_lost = true; /* the next time */
        (void)pthread_mutex_unlock(&live->note_lock);
    }
    if (live->sent_count > 0) {
        qsort(live->sent, live->sent_count, sizeof *live->sent, by_unit_and_time);
    }
    size_t kept = thin(live->sent, live->sent_count);
    (void)atomic_fetch_add_explicit(&live->thinned, live->sent_count - kept, memory_order_relaxed);
    live->sent_count = kept;
    return status;
}

static void give(struct ht_live *live, const struct ht__live_note *note,
                 struct ht_live_unsaved *out)
{
    if (ht_fleet_id(live->fleet, note->unit, note->generation, out->ids[out->count])) {
        out->positions[out->count] =
            (struct ht_store_position){.unit = out->ids[out->count],
                                       .ts_ms = note->ts_ms,
                                       .received_ms = note->received_ms,
                                       .point = note->fix.point,
                                       .speed_mps = note->fix.speed_mps,
                                       .bearing_deg = note->fix.bearing_deg,
                                       .accuracy_m = note->fix.accuracy_m};
        out->count++;
    }
}

enum ht_status ht_live_take(struct ht_live *live, size_t most, struct ht_live_unsaved *out)
{
    *out = (struct ht_live_unsaved){0};
    enum ht_status status = live->sent_at == live->sent_count ? take_over(live) : HT_OK;
    size_t count = live->sent_count - live->sent_at;
    count = count < most ? count : most;
    if (status != HT_OK || count == 0) {
        return status;
    }
    out->positions = ht_array_new(count, sizeof *out->positions);
    out->ids = ht_array_new(count, sizeof *out->ids);
    if (out->positions == NULL || out->ids == NULL) {
        ht_live_unsaved_free(out);
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        give(live, &live->sent[live->sent_at + i], out);
        if (live->sent_old || live->sent[live->sent_at + i].old) {
            out->before = out->count;
        }
    }
    live->sent_at += count;
    out->more = live->sent_at < live->sent_count;
    return HT_OK;
}

void ht_live_unsaved_free(struct ht_live_unsaved *unsaved)
{
    free(unsaved->positions);
    free(unsaved->ids);
    *unsaved = (struct ht_live_unsaved){0};
}

void ht_live_return(struct ht_live *live, const struct ht_live_unsaved *unsaved)
{
    for (size_t i = 0; i < unsaved->count; i++) {
        const struct ht_store_position *position = &unsaved->positions[i];
        struct ht_unit_life life;
        uint32_t unit = ht_fleet_find(live->fleet, position->unit, strlen(position->unit));
        if (unit != HT_NONE && ht_fleet_life(live->fleet, unit, &life)) {
            const struct ht__live_note note = {.unit = unit,
                                               .generation = life.generation,
                                               .ts_ms = position->ts_ms,
                                               .received_ms = position->received_ms,
                                               .fix = {.point = position->point,
                                                       .speed_mps = position->speed_mps,
                                                       .bearing_deg = position->bearing_deg,
                                                       .accuracy_m = position->accuracy_m}};
            ht__live_note_add(live, &note);
        }
    }
}
