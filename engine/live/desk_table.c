#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/desk_internal.h"

/* ---- units and devices ------------------------------------------------------------------------
 */

enum ht_status ht__desk_unit_of(struct ht_desk *d, const char *id, struct ht__unit **out)
{
    struct ht__unit *unit = (struct ht__unit *)ht_names_find(&d->units, id);
    if (unit == NULL) {
        unit = calloc(1, sizeof *unit);
        if (unit == NULL) {
            return HT_NOMEM;
        }
        assert(strlen(id) <= HT_DESK_ID_MAX);
        (void)strncpy(unit->id, id, HT_DESK_ID_MAX);
        unit->named.id = unit->id;
        (void)pthread_mutex_lock(&d->lock);
        enum ht_status status = ht_names_reserve(&d->units);
        if (status == HT_OK) { /* so that engaging one never fails */
            status = ht_array_reserve((void **)&d->engaged, &d->engaged_room, d->units.count + 1,
                                      sizeof(struct ht__unit *));
        }
        if (status == HT_OK) {
            ht_names_add(&d->units, &unit->named);
        }
        (void)pthread_mutex_unlock(&d->lock);
        if (status != HT_OK) {
            free(unit);
            return status;
        }
    }
    *out = unit;
    return HT_OK;
}

static enum ht_status device_of(struct ht_desk *d, const char *id, struct ht__device **out)
{
    *out = id == NULL ? NULL : (struct ht__device *)ht_names_find(&d->devices, id);
    if (id == NULL || *out != NULL) {
        return HT_OK;
    }
    struct ht__device *device = calloc(1, sizeof *device);
    if (device == NULL) {
        return HT_NOMEM;
    }
    (void)strncpy(device->id, id, HT_DESK_ID_MAX);
    memcpy(device->count.device, device->id, sizeof device->id);
    device->named.id = device->id;
    (void)pthread_mutex_lock(&d->lock);
    enum ht_status status = ht_names_reserve(&d->devices);
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&d->device_list, &d->device_room, d->devices.count + 1,
                                  sizeof(struct ht__device *));
    }
    if (status == HT_OK) {
        d->device_list[d->devices.count] = device;
        ht_names_add(&d->devices, &device->named);
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (status != HT_OK) {
        free(device);
        return status;
    }
    *out = device;
    return HT_OK;
}

/* ---- versions ---------------------------------------------------------------------------------
 */

static uint64_t random_of(struct ht_desk *d)
{
    d->random = d->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return d->random >> 16;
}

static const char *copy_text(char **at, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    char *copy = *at;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

static struct ht__facts *facts_new(const struct ht_desk_event *event)
{
    const char *const texts[] = {event->incident, event->household, event->device, event->skills};
    size_t size = sizeof(struct ht__facts);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size += texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
    }
    struct ht__facts *facts = malloc(size);
    if (facts != NULL) {
        char *at = facts->text;
        atomic_init(&facts->refs, 1);
        facts->id = copy_text(&at, event->incident);
        facts->household = copy_text(&at, event->household);
        facts->device = copy_text(&at, event->device);
        facts->skills = copy_text(&at, event->skills);
    }
    return facts;
}

struct ht__facts *ht__desk_facts_with(const struct ht__facts *facts, const char *skills)
{
    const struct ht_desk_event event = {.incident = facts->id,
                                        .household = facts->household,
                                        .device = facts->device,
                                        .skills = skills};
    return facts_new(&event);
}

void ht__desk_facts_release(struct ht__facts *facts)
{
    if (facts != NULL && atomic_fetch_sub(&facts->refs, 1) == 1) {
        free(facts);
    }
}

struct ht__version *ht__desk_version_of(const struct ht_incident *incident)
{
    struct ht__version *version = NULL;
    memcpy(&version, &incident, sizeof(struct ht__version *)); /* its first member: no more const */
    return version;
}

struct ht__version *ht__desk_version_copy(const struct ht__version *from, struct ht__facts *facts,
                                          uint32_t seat_room, uint32_t passed_room)
{
    size_t seats = seat_room * sizeof(struct ht_desk_seat);
    struct ht__version *v = malloc(sizeof *v + seats + passed_room * sizeof *v->passed);
    if (v == NULL) {
        return NULL;
    }
    memset(v, 0, sizeof *v);
    if (from != NULL) {
        v->view = from->view; /* not its counter, which readers change */
    }
    atomic_init(&v->refs, 1);
    v->facts = facts;
    (void)atomic_fetch_add(&facts->refs, 1);
    v->seats = (struct ht_desk_seat *)(v + 1);
    v->passed = (struct ht_desk_passed *)(void *)((char *)(v + 1) + seats);
    v->seat_room = seat_room;
    v->passed_room = passed_room;
    if (from != NULL) {
        memcpy(v->seats, from->seats, from->view.seat_count * sizeof *v->seats);
        memcpy(v->passed, from->passed, from->view.passed_count * sizeof *v->passed);
    }
    v->view.seats = v->seats;
    v->view.passed = v->passed;
    v->view.id = facts->id;
    v->view.household = facts->household;
    v->view.device = facts->device;
    v->view.skills = facts->skills;
    return v;
}

struct ht__version *ht__desk_version_hold(struct ht__version *version)
{
    if (version != NULL) {
        (void)atomic_fetch_add(&version->refs, 1);
    }
    return version;
}

void ht__desk_version_release(struct ht__version *version)
{
    if (version != NULL && atomic_fetch_sub(&version->refs, 1) == 1) {
        ht__desk_facts_release(version->facts);
        free(version);
    }
}

/* ---- sorts ------------------------------------------------------------------------------------
 */

static enum ht_status sorts_of(struct ht_desk *d, const struct ht_desk_event *event,
                               struct ht__sorts **out)
{
    char id[HT_DESK_SKILLS_MAX + 16];
    (void)snprintf(id, sizeof id, "%d %s", (int)event->incident_kind,
                   event->skills == NULL ? "" : event->skills);
    struct ht__sorts *sorts = (struct ht__sorts *)ht_names_find(&d->sorts, id);
    if (sorts == NULL) {
        size_t size = strlen(id) + 1;
        sorts = calloc(1, sizeof *sorts + size);
        if (sorts == NULL || ht_names_reserve(&d->sorts) != HT_OK) {
            free(sorts);
            return HT_NOMEM;
        }
        memcpy(sorts->id, id, size);
        sorts->named.id = sorts->id;
        ht_names_add(&d->sorts, &sorts->named);
        for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
            sorts->by_severity[s].head.rank = random_of(d);
        }
    }
    sorts->entries++;
    *out = sorts;
    return HT_OK;
}

static void sorts_release(struct ht_desk *d, struct ht__sorts *sorts)
{
    if (sorts != NULL && --sorts->entries == 0) {
        ht_names_remove(&d->sorts, &sorts->named);
        free(sorts);
    }
}

/* ---- entries ----------------------------------------------------------------------------------
 */

/* All that applying the entry may need, so that it can't fail then. */
static enum ht_status make_room(struct ht_desk *d)
{
    size_t committed = d->list_count - d->list_holes;
    size_t uncommitted = d->entries.count - committed;
    enum ht_status status = ht_names_reserve(&d->entries);
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&d->list, &d->list_room, d->list_count + uncommitted + 1,
                                  sizeof *d->list);
    }
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&d->due.heap, &d->due.room, d->entries.count + 1,
                                  sizeof(struct ht__entry *));
    }
    return status;
}

static void link_to_device(struct ht__entry *e, enum ht_incident_kind kind)
{
    struct ht__entry **newest = &e->device->newest[kind];
    e->older = *newest;
    if (e->older != NULL) {
        e->older->newer = e;
    }
    *newest = e;
}

static void unlink_from_device(struct ht__entry *e)
{
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        if (e->device->newest[k] == e) {
            e->device->newest[k] = e->older;
        }
    }
    if (e->newer != NULL) {
        e->newer->older = e->older;
    }
    if (e->older != NULL) {
        e->older->newer = e->newer;
    }
}

enum ht_status ht__desk_entry_new(struct ht_desk *d, const struct ht_desk_event *event,
                                  struct ht__entry **out)
{
    struct ht__device *device = NULL;
    enum ht_status status = device_of(d, event->device, &device);
    if (status != HT_OK) {
        return status;
    }
    struct ht__entry *e = calloc(1, sizeof *e);
    struct ht__facts *facts = facts_new(event);
    struct ht__version *v = facts == NULL ? NULL : ht__desk_version_copy(NULL, facts, 2, 0);
    if (e == NULL || v == NULL || sorts_of(d, event, &e->sorts) != HT_OK) {
        ht__desk_version_release(v);
        ht__desk_facts_release(facts);
        free(e);
        return HT_NOMEM;
    }
    e->named.id = facts->id;
    e->facts = facts; /* the version has its own hold */
    e->pending = v;
    e->device = device;
    e->due_at = SIZE_MAX;
    e->waiting.entry = e;
    (void)pthread_mutex_lock(&d->lock);
    status = make_room(d);
    if (status == HT_OK) {
        ht_names_add(&d->entries, &e->named);
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (status != HT_OK) {
        sorts_release(d, e->sorts);
        ht__desk_version_release(v);
        ht__desk_facts_release(facts);
        free(e);
        return status;
    }
    e->waiting.rank = random_of(d);
    v->view.order = ++d->next_order;
    if (device != NULL) {
        link_to_device(e, event->incident_kind);
    }
    *out = e;
    return HT_OK;
}

void ht__desk_entry_remove(struct ht_desk *d, struct ht__entry *e)
{
    assert(!e->gone);
    ht__desk_entry_unqueue(d, e);
    sorts_release(d, e->sorts);
    ht__desk_due_set(&d->due, e, INT64_MAX);
    if (e->device != NULL) {
        unlink_from_device(e);
    }
    (void)pthread_mutex_lock(&d->lock);
    ht_names_remove(&d->entries, &e->named);
    (void)pthread_mutex_unlock(&d->lock);
    e->gone = true;
}

void ht__desk_entry_release(struct ht__entry *e)
{
    if (e->gone && e->held == 0) {
        ht__desk_version_release(e->pending);
        ht__desk_version_release(e->committed);
        ht__desk_facts_release(e->facts);
        free(e);
    }
}
